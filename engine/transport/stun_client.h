/* Asks all STUN servers that are known, through the sockets of an ICE agent: reflexive.h with
 * sockets, a clock and look-ups.
 *
 *     names ─▶ resolver ─▶ reflexive ─▶ the agent's sockets ─▶ servers
 *     poller ─▶ readable ─▶ stun_client_take ─┬─ an answer ─▶ reflexive ─▶ found
 *                                             └─ all else stays for the agent
 *
 * An answer that the agent reads first is lost to us; then the question is repeated. */
#ifndef JINGLE_TRANSPORT_STUN_CLIENT_H
#define JINGLE_TRANSPORT_STUN_CLIENT_H

#include "base/addresses.h"
#include "base/log.h"
#include "transport/poller.h"
#include "transport/server.h"
#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

struct stun_client_hooks {
    void *user;
    /* How the socket with this address is seen from outside. */
    void (*found)(void *user, const union address *bound, const union address *seen);
    /* All servers have answered or will not, as far as can be told. Not from stun_client_new(). */
    void (*done)(void *user);
};

struct stun_client_config {
    struct poller *poller;
    const struct logger *log;
    GPtrArray *sockets; /* GSocket, which must outlive the client; only UDP is used */
    struct stun_client_hooks hooks;
};

struct stun_client;

struct stun_client *stun_client_new(const struct stun_client_config *config);

/* NULL is allowed. */
void stun_client_free(struct stun_client *client);

/* Only its host and port count. */
void stun_client_add(struct stun_client *client, const struct ice_server *server);

bool stun_client_is_done(const struct stun_client *client);

/* Takes what is ours off the sockets, at most one datagram each. False: there is nothing. NULL is
 * allowed. */
bool stun_client_take(struct stun_client *client);

/* Bindings are not kept alive any more. */
void stun_client_settle(struct stun_client *client);

#endif
