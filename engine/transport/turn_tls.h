/* TURN over TLS for libnice, which has none: a bridge on loopback that libnice takes for a TURN
 * server over TCP.
 *
 *     libnice ── TCP ── 127.0.0.1:port │ bridge │ ── TLS (OpenSSL, verified) ── TURN server
 *
 * RFC 8656 section 3.1. Bytes are carried as they are, with back-pressure in both directions.
 * Connections of other processes are cut at once. */
#ifndef JINGLE_TRANSPORT_TURN_TLS_H
#define JINGLE_TRANSPORT_TURN_TLS_H

#include "base/log.h"
#include <glib.h>
#include <stdint.h>

struct turn_tls_config {
    GMainContext *context;
    const struct logger *log;
    const char *host; /* the certificate must be for it */
    uint16_t port;
    const char *ca_file;  /* NULL: the system's authorities */
    unsigned connections; /* how many are expected; then the listener is closed */
};

struct turn_tls;

/* NULL if no listener can be made. */
struct turn_tls *turn_tls_new(const struct turn_tls_config *config);

/* Cuts all connections. NULL is allowed. */
void turn_tls_free(struct turn_tls *bridge);

/* Where libnice finds it, on 127.0.0.1. */
uint16_t turn_tls_port(const struct turn_tls *bridge);

#endif
