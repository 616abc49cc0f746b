/* The way of one file's bytes: what signalling asks for (signaling/file_session.h), done with
 * sockets and in-band blocks. In the end there is a descriptor for a mover.
 *
 *     listen ──▶ socks5_listener (one for the client) ──▶ guests ──┐
 *     dial ────▶ socks5_dialer ──▶ connected / unconnected ────────┼──▶ take: a descriptor
 *     proxy ───▶ socks5_dialer ──▶ proxy_connected ────────────────┘
 *     inband ──▶ ibb_stream ⇄ blocks ─────────────────────────────────▶ a descriptor
 *
 * Lives on the I/O thread. */
#ifndef JINGLE_ENGINE_TRANSFER_STREAM_H
#define JINGLE_ENGINE_TRANSFER_STREAM_H

#include "base/addresses.h"
#include "base/log.h"
#include "signaling/file_session.h"
#include "transfer/ibb_stream.h"
#include "transfer/socks5_listener.h"

/* None may free the stream. Those of SOCKS5 come from the context or, `candidate` and
 * `unconnected`, from within the function that asked. */
struct transfer_stream_hooks {
    void *user;
    /* Of ours, from within transfer_stream_listen(). */
    void (*candidate)(void *user, enum s5b_type type, const char *host, uint16_t port);
    void (*connected)(void *user, const char *cid);
    void (*unconnected)(void *user);
    void (*proxy_connected)(void *user, bool connected);
    /* In-band, as in ibb_stream.h. */
    void (*send_block)(void *user, uint16_t seq, const uint8_t *bytes, size_t size);
    void (*block_written)(void *user, void *token);
    void (*drained)(void *user);
    void (*stalled)(void *user);
};

struct transfer_stream_config {
    GMainContext *context;
    const struct logger *log;
    struct socks5_listener *listener; /* the client's */
    struct address_choice choice;     /* of this machine's addresses, outlives the stream */
    struct transfer_stream_hooks hooks;
};

struct transfer_stream;

struct transfer_stream *transfer_stream_new(const struct transfer_stream_config *config);
/* Closes what was not taken. */
void transfer_stream_free(struct transfer_stream *stream);

/* Guests may ask for these addresses. `direct`: they are told of our addresses. */
void transfer_stream_listen(struct transfer_stream *stream, const char *const addresses[2],
                            bool direct);
/* Guests are expected. */
bool transfer_stream_is_listening(const struct transfer_stream *stream);
void transfer_stream_dial(struct transfer_stream *stream, const struct s5b_candidate *candidates,
                          size_t count, const char *const addresses[2]);
/* Candidates below this priority are not worth trying. */
void transfer_stream_dial_above(struct transfer_stream *stream, uint32_t priority);
/* Connects to a proxy of ours. */
void transfer_stream_proxy(struct transfer_stream *stream, const struct s5b_candidate *candidate,
                           const char *address);

/* The connection that bytes go by, which belongs to the caller; the others are closed. `host`: of
 * the candidate of ours that a guest came by; NULL: not known. -1 if there is none. */
int transfer_stream_take(struct transfer_stream *stream, enum file_stream from, const char *host);
/* Closes all of SOCKS5. */
void transfer_stream_stop_socks5(struct transfer_stream *stream);

/* A descriptor that leads in-band; -1 if there are none left. */
int transfer_stream_inband(struct transfer_stream *stream, size_t block_size, unsigned window);
/* Afterwards; NULL before and without. */
struct ibb_stream *transfer_stream_ibb(struct transfer_stream *stream);

#endif
