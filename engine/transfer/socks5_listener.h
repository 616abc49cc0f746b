/* Listens for direct SOCKS5 bytestreams (XEP-0065, XEP-0260), IPv4 and IPv6 on one port, while
 * there is something to expect. Only who asks for an expected destination address is let in; the
 * rest gets the right refusal, or time to think and then the door.
 *
 * Lives on one thread, that of its GMainContext. */
#ifndef JINGLE_TRANSFER_SOCKS5_LISTENER_H
#define JINGLE_TRANSFER_SOCKS5_LISTENER_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/log.h"

enum {
    SOCKS5_GUESTS_MAX = 32,   /* in the middle of the handshake; further ones wait in the kernel */
    SOCKS5_EXPECTED_MAX = 256 /* addresses */
};

/* A guest that has not asked for anything by then is shown out. */
#define SOCKS5_GUEST_LIMIT (10 * USEC_PER_SEC)

struct socks5_listener_config {
    GMainContext *context;
    const struct logger *log; /* may be NULL */
    uint16_t port;            /* 0: any */
    usec guest_limit;         /* 0: SOCKS5_GUEST_LIMIT */
    /* It was opened, or closed (0). May be NULL. */
    void (*port_changed)(void *user, uint16_t port);
    void *user;
};

/* Somebody came for an address, maybe not for the first time: `fd` belongs to the callee, who may
 * forget and expect addresses from within, but not free the listener. */
typedef void (*socks5_guest_fn)(void *user, int fd, const char *address);

struct socks5_listener;

/* Opens nothing yet. */
struct socks5_listener *socks5_listener_new(const struct socks5_listener_config *config);
void socks5_listener_free(struct socks5_listener *listener);

/* Opens the port if it is not open. False if none can be had, or on too many addresses. The same
 * address twice: the later one counts. */
bool socks5_listener_expect(struct socks5_listener *listener, const char *address,
                            socks5_guest_fn guest, void *user);

/* Closes the port with the last address. An unknown address is nothing. */
void socks5_listener_forget(struct socks5_listener *listener, const char *address);

/* 0 while it is closed. */
uint16_t socks5_listener_port(const struct socks5_listener *listener);

#endif
