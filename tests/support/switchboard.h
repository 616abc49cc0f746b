/* An XMPP server for the external clients of one process: carries their stanzas, writes the sender
 * into each, hands a stanza for a bare JID to all of its clients, answers disco#info as their host
 * would, and refuses what is for the server itself. Everything happens in switchboard_run(). */
#ifndef JINGLE_TESTS_SWITCHBOARD_H
#define JINGLE_TESTS_SWITCHBOARD_H

#include <jingle/jingle.h>

struct switchboard;

struct switchboard_hooks {
    void *user;
    /* Every event but JINGLE_EVENT_STANZA. */
    void (*event)(void *user, jingle_client *client, const jingle_event *event);
    /* May refuse to carry a stanza (a link that is down); NULL: all are carried. */
    bool (*carry)(void *user, const char *from, const char *to, const char *xml);
};

struct switchboard *switchboard_new(const struct switchboard_hooks *hooks);
void switchboard_free(struct switchboard *board);

/* Brings an external client online. All clients of the board are contacts of one another, unless
 * they are strangers. The client stays the caller's and must outlive the board. */
void switchboard_add(struct switchboard *board, jingle_client *client, const char *full_jid,
                     bool stranger);

/* The stream of a client is gone, and the others see it go offline. */
void switchboard_drop(struct switchboard *board, jingle_client *client);

/* Hands a stanza to the clients of `to` as if `from` had sent it. */
void switchboard_inject(struct switchboard *board, const char *from, const char *to,
                        const char *xml);

/* Carries and tells until `done` says so (true) or `timeout` has passed (false). */
bool switchboard_run(struct switchboard *board, bool (*done)(void *user), void *user,
                     int64_t timeout);

#endif
