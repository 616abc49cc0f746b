/* The inside of a jingle_client, for client.c (account and connection), client_calls.c (sessions),
 * session_orders.c (what applications ask of those) and check.c.
 *
 *     application ── public functions ──▶ I/O thread: account ⇄ connection (libstrophe's thread)
 *          ▲                                  │  ▲
 *          └── events ◀───────────────────────┤  │
 *                                             ▼  │
 *                                    media threads: call ── closer thread: files and devices
 *
 * What is under "the I/O thread" is touched there only. */
#ifndef JINGLE_ENGINE_CLIENT_H
#define JINGLE_ENGINE_CLIENT_H

#include "base/log.h"
#include "loop.h"
#include "signaling/account.h"
#include "signaling/connection.h"
#include "transport/link.h"
#include "transport/server.h"

#include <jingle/jingle.h>

#include <pthread.h>
#include <stdatomic.h>

/* Calls at once, in either direction. */
#define CLIENT_SESSIONS_MAX 1000

struct client_features {
    bool external;
    bool verified; /* TLS and the server's certificate are insisted on */
    bool relay_only;
    bool loopback;
};

struct jingle_client {
    struct logger log;
    struct client_features features;
    char *ca_file;
    char *interfaces;
    jingle_family family;
    char *cache_path;
    char *calls_path;
    struct ice_server own_servers[ICE_MAX_SERVERS]; /* from the configuration */
    size_t own_server_count;
    struct certificate *certificate;
    struct events *events;
    struct loop *io;
    struct loop *closer; /* waits for disks and devices, so that nobody else does */
    struct media_threads *media;
    struct connection connection; /* all NULL if external */
    char id_prefix[64];           /* of our stanza ids; never changes */

    pthread_mutex_t lock; /* the JID is read by the application's threads */
    GStringChunk *jids;   /* all that we ever had, for jingle_client_jid() */
    const char *full_jid; /* in `jids`; "" at first */
    char *jid;            /* the account's, from the configuration */
    _Atomic bool online;

    /* the I/O thread */
    struct account *account;
    struct timer *timer;                        /* the account's deadlines and ours */
    struct network_watch *network;              /* NULL: nobody tells */
    GPtrArray *sessions;                        /* not ended yet; a reference each */
    GPtrArray *transfers;                       /* not closed yet; a reference each */
    struct socks5_listener *listener;           /* for direct ways of all transfers */
    struct outside_port *outside;               /* its port; NULL: nobody is asked for one */
    struct ice_server servers[ICE_MAX_SERVERS]; /* our own and the XMPP server's */
    size_t server_count;
    usec cache_deadline;
    struct check *check;
    unsigned checks; /* so far */
    bool closing;    /* nothing begins any more */
    bool silent;     /* all is said: nothing is sent any more */
};

/* client.c, the I/O thread: after anything that may have given the account work. */
void client_schedule(struct jingle_client *client);

/* client_calls.c, the I/O thread. */
void client_calls_start_media(jingle_session *session);
void client_calls_end(jingle_session *session, jingle_reason reason);
void client_calls_event(struct jingle_client *client, const struct account_event *event);
void client_calls_tick(struct jingle_client *client, usec now);
void client_calls_network_changed(struct jingle_client *client);
usec client_calls_deadline(const struct jingle_client *client);
void client_calls_end_all(struct jingle_client *client, jingle_reason reason);

/* check.c, the I/O thread. */
void check_start(struct jingle_client *client);
void check_free(struct check *check);

#endif
