/* The handshakes of SOCKS5 (RFC 1928) as XEP-0065 uses them, pure: without authentication, CONNECT
 * to a destination address that is a hash in the place of a domain name, port 0.
 *
 *     client                                server
 *     05 01 00                 ─▶
 *                              ◀─           05 00              (05 FF: no common method)
 *     05 01 00 03 len addr 0 0 ─▶
 *                              ◀─           05 00 00 03 len addr 0 0   (05 code …: refused)
 *     ════════════════════ the byte stream itself ════════════════════
 *
 * Whoever reads from the socket asks *_wants() for how many bytes may be read, so that none of the
 * byte stream behind is ever taken. */
#ifndef JINGLE_TRANSFER_SOCKS5_H
#define JINGLE_TRANSFER_SOCKS5_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SOCKS5_ADDRESS_MAX = 255, SOCKS5_MESSAGE_MAX = 4 + 1 + SOCKS5_ADDRESS_MAX + 2 };

/* RFC 1928, 6: REP. */
enum socks5_reply {
    SOCKS5_SUCCEEDED = 0,
    SOCKS5_GENERAL_FAILURE = 1,
    SOCKS5_NOT_ALLOWED = 2,
    SOCKS5_HOST_UNREACHABLE = 4,
    SOCKS5_COMMAND_NOT_SUPPORTED = 7,
    SOCKS5_ADDRESS_TYPE_NOT_SUPPORTED = 8
};

enum socks5_state {
    SOCKS5_METHODS, /* of which one is offered and chosen */
    SOCKS5_REQUEST,
    SOCKS5_OPEN,    /* the byte stream begins */
    SOCKS5_REFUSED, /* well-formed, and the server said no: another address may do */
    SOCKS5_BROKEN   /* not SOCKS5, or not as XEP-0065 uses it: close */
};

struct socks5_message {
    uint8_t bytes[SOCKS5_MESSAGE_MAX];
    size_t size; /* 0: nothing to send */
};

struct socks5_client {
    enum socks5_state state;
    uint8_t refusal; /* REP, when REFUSED */
    char address[SOCKS5_ADDRESS_MAX + 1];
    struct socks5_message in;
};

/* `out` is the first message. False if the address is empty or too long. */
bool socks5_client_init(struct socks5_client *client, const char *address,
                        struct socks5_message *out);

/* 0 when the handshake is over. */
size_t socks5_client_wants(const struct socks5_client *client);

/* At most as many bytes as it wants. `out` is what to send now. */
enum socks5_state socks5_client_take(struct socks5_client *client, const uint8_t *bytes,
                                     size_t size, struct socks5_message *out);

/* May this destination address be let in? `address` has no zero inside. */
typedef bool (*socks5_expected_fn)(void *user, const char *address);

struct socks5_server {
    enum socks5_state state;
    char address[SOCKS5_ADDRESS_MAX + 1]; /* that was asked for, once OPEN */
    socks5_expected_fn expected;
    void *user;
    struct socks5_message in;
};

void socks5_server_init(struct socks5_server *server, socks5_expected_fn expected, void *user);
size_t socks5_server_wants(const struct socks5_server *server);

/* As the client's. REFUSED and BROKEN may leave an answer to be sent before closing. */
enum socks5_state socks5_server_take(struct socks5_server *server, const uint8_t *bytes,
                                     size_t size, struct socks5_message *out);

#endif
