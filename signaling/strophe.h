/* A connection of our own, by libstrophe, in a thread of its own: it may block in name look-up or
 * in TLS, and nobody else waits for it. */
#ifndef JINGLE_SIGNALING_STROPHE_H
#define JINGLE_SIGNALING_STROPHE_H

#include "base/log.h"
#include "base/random.h"
#include "signaling/connection.h"

struct strophe_config {
    const char *jid; /* bare, or full to ask for that resource */
    const char *password;
    const char *host; /* NULL: ask DNS */
    uint16_t port;    /* 0: what DNS says, or 5222, or 5223 for direct TLS */
    jingle_tls tls;
    const char *ca_file; /* of authorities to trust besides the system's; NULL: none */
    bool lab_allow_plaintext;
    bool lab_accept_any_certificate;
    struct logger log;           /* called on the connection's thread */
    struct random_source random; /* for the resource and the jitter of reconnecting */
};

/* Fills `connection` and starts its thread, which sleeps until `start`. All text is copied. */
jingle_status strophe_connection_new(const struct strophe_config *config,
                                     const struct connection_hooks *hooks,
                                     struct connection *connection);

#endif
