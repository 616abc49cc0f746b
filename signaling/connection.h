/* How signalling reaches XMPP: the account gives stanzas to `send`, a connection tells what comes.
 *
 *     account ── send ──▶ struct connection ──▶ server
 *     account ◀── connection_hooks ── connection ◀── server
 *
 * strophe.h fills the table. Where the application has a stream of its own, it is the connection:
 * engine/client.c gives it what is sent and calls the same hooks (jingle_client_new_external()). */
#ifndef JINGLE_SIGNALING_CONNECTION_H
#define JINGLE_SIGNALING_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>

#include <jingle/jingle.h>

#include "base/clock.h"

/* Why there is no connection. */
struct connection_fault {
    jingle_status status; /* JINGLE_OK: it was stopped on purpose */
    const char *text;     /* a sentence for people, without secrets; never NULL */
    bool will_retry;
    usec retry_in; /* from now, if will_retry */
};

/* Called on the connection's own thread. What is pointed to is valid during the call. None of
 * these may free the connection. */
struct connection_hooks {
    void *user;
    /* The stream is up and bound. `resumed` (XEP-0198): the server kept the session, so it still
     * knows our presence, but stanzas may have been lost all the same. */
    void (*online)(void *user, const char *full_jid, bool resumed);
    /* A stream ended, or an attempt to make one failed: once for each. */
    void (*offline)(void *user, const struct connection_fault *fault);
    /* One stanza, as XML with its namespaces declared and a zero after its last byte. */
    void (*stanza)(void *user, const char *xml, size_t bytes);
};

/* The table. All functions may be called from any thread and none waits for the network, but
 * `free`, which waits for the connection's thread (at most some seconds) and is called once. */
struct connection {
    void *user;
    /* Connects, and again after every loss, until stopped or refused for good. */
    void (*start)(void *user);
    /* Closes the stream after what was sent before; `offline` with JINGLE_OK follows. */
    void (*stop)(void *user);
    /* Sends one stanza; dropped while there is no stream. */
    void (*send)(void *user, const char *xml, size_t bytes);
    void (*free)(void *user);
    /* The network may have changed: whether the server can still be reached is found out at once,
     * and if not, a new stream is made without delay. */
    void (*suspect)(void *user);
};

#endif
