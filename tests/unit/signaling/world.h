/* An XMPP world in one process and in virtual time: accounts under test, and a server that routes
 * what they send, adds `from`, copies carbons and answers what an account asks at login. */
#ifndef JINGLE_TESTS_WORLD_H
#define JINGLE_TESTS_WORLD_H

#include <glib.h>

#include "signaling/account.h"

struct world;

/* One device: an account logged in under a full JID. */
struct client {
    struct world *world;
    const char *jid; /* full */
    char *bare;
    struct account *account;
    bool online;
    bool available;            /* its presence is out */
    bool quiet;                /* nothing that it sends arrives (a cut line) */
    bool manual;               /* the test sets transports by itself */
    bool video;                /* offers and takes video, too */
    GPtrArray *sent;           /* every stanza that it sent, as text */
    GPtrArray *events;         /* "ringing", "ended busy remote" ... in order */
    struct account_call *call; /* the last one told of; NULL after its end */
    struct rtp_agreement agreement;
};

struct world {
    usec now;
    GPtrArray *clients;
    GQueue letters;
    const char *roster;   /* <item/>s that every account's roster has */
    const char *services; /* <service/>s that the server offers */
    const char *domain;
    bool strangers_see_presence;
    bool answer_disco_of_server;
};

struct world *world_new(void);
void world_free(struct world *world);

struct client *client_add(struct world *world, const char *jid);
struct client *client_add_with(struct world *world, const char *jid,
                               const struct account_config *config);
void client_online(struct client *client, bool resumed);
/* The line is cut: the server knows, the contacts are told. */
void client_offline(struct client *client);
/* As if the server had sent it. */
void client_receive(struct client *client, const char *xml);

/* Presence of a client that the world does not know, with a hash for what it can do. */
void client_meet(struct client *client, const char *jid);
/* It answers what it was asked last: it can do this. False if it was not asked. */
bool client_learn(struct client *client, const char *jid, const char *features);
#define FEATURE(name) "<feature var='" name "'/>"

/* Delivers all letters, and ticks what is due, until nothing more happens now. */
void world_settle(struct world *world);
/* Lets time pass, with whatever happens meanwhile. */
void world_pass(struct world *world, usec time);

/* Events and stanzas, to be asserted. */
bool client_saw(const struct client *client, const char *event);
size_t client_count(const struct client *client, const char *event);
/* The last stanza sent that contains all of these (NULL-terminated), or NULL. */
const char *client_sent_all(const struct client *client, const char *const parts[]);
#define client_sent(client, ...) client_sent_all((client), (const char *const[]){__VA_ARGS__})
size_t client_sent_count(const struct client *client, const char *part);
void client_forget(struct client *client);

/* A voice call with Opus. The first does not deliver anything yet. */
jingle_status client_begin_call(struct client *client, const char *to, bool direct);
jingle_status client_call(struct client *client, const char *to, bool direct);
void client_accept(struct client *client);
/* What a client with video can do. rtp_description_clear() it. */
void client_describe_video(struct rtp_description *description);
void client_set_transport(struct client *client, const char *content, const char *ufrag);

#endif
