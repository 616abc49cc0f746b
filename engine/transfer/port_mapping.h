/* A TCP port of this machine that its router lets in from outside (UPnP's Internet Gateway Device),
 * for assisted candidates (XEP-0260, 2.2). On a thread of its own, for routers think slowly.
 *
 *     new ─▶ look for a router ─▶ ask it ─▶ mapped … end ─▶ take it back ─▶ ended
 *
 * Nothing is mapped to an address that is no address of the internet: then the router is behind
 * another one. */
#ifndef JINGLE_TRANSFER_PORT_MAPPING_H
#define JINGLE_TRANSFER_PORT_MAPPING_H

#include <stdbool.h>
#include <stdint.h>

/* A router is called so often, and has a second each time to answer. */
enum { PORT_MAPPING_CALLS = 3 };

/* A mapping that nobody takes back, because the program was killed, goes by itself after this. */
enum { PORT_MAPPING_LEASE = 3600 /* s */ };

struct port_mapping_config {
    uint16_t port;
    const char *router; /* URL of its description; NULL: it is looked for. Copied. */
    /* On the thread of this. From outside it is reached there. Told at most once. */
    void (*mapped)(void *user, const char *host, uint16_t port);
    /* After port_mapping_end(): the last word; only port_mapping_free() is left. */
    void (*ended)(void *user);
    void *user;
};

struct port_mapping;

/* NULL if the library was built without, or there are no threads left. */
struct port_mapping *port_mapping_new(const struct port_mapping_config *config);

/* Any thread: takes it back; `ended` follows. */
void port_mapping_end(struct port_mapping *mapping);

/* Ends it, and waits for that: about a second, while a router is called. */
void port_mapping_free(struct port_mapping *mapping);

/* Of the internet: not one of private networks, of carriers' (RFC 6598), and the like. */
bool port_mapping_is_public(const char *ipv4);

#endif
