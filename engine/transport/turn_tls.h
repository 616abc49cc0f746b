/* TURN over TLS for libnice, which has none: a bridge on loopback that libnice takes for a TURN
 * server over TCP.
 *
 *     libnice ── TCP ── loopback │ bridge │ ── TLS (OpenSSL, verified) ── TURN server
 *
 * RFC 8656 section 3.1. Bytes are carried as they are, with back-pressure in both directions.
 * Connections of other processes are cut at once. libnice reaches a server only from addresses of
 * the server's family, so the bridge listens on the loopback of the family that the computer has;
 * the server may be of the other one. */
#ifndef JINGLE_TRANSPORT_TURN_TLS_H
#define JINGLE_TRANSPORT_TURN_TLS_H

#include "base/log.h"
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct turn_tls_config {
    GMainContext *context;
    const struct logger *log;
    const char *host; /* the certificate must be for it */
    uint16_t port;
    const char *ca_file;  /* NULL: the system's authorities */
    bool ipv6;            /* listens on ::1 */
    unsigned connections; /* how many are expected; then the listener is closed */
};

struct turn_tls;

/* NULL if no listener can be made. */
struct turn_tls *turn_tls_new(const struct turn_tls_config *config);

/* Cuts all connections. NULL is allowed. */
void turn_tls_free(struct turn_tls *bridge);

/* Where libnice finds it: "127.0.0.1" or "::1". */
const char *turn_tls_host(const struct turn_tls *bridge);
uint16_t turn_tls_port(const struct turn_tls *bridge);

#endif
