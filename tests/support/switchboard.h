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
    /* Takes a stanza, with its sender in it, that nobody here takes (another process does) and says
     * so; otherwise its sender is told that there is no such client. May be NULL. */
    bool (*outside)(void *user, const char *to, const char *xml);
    /* What is carried in place of a client's stanza, to be freed with g_free(); NULL: the stanza as
     * it is. May be NULL. */
    char *(*rewrite)(void *user, jingle_client *from, const char *xml);
    int fd; /* watched together with the clients' if `readable` is set */
    void (*readable)(void *user);
};

struct switchboard *switchboard_new(const struct switchboard_hooks *hooks);
void switchboard_free(struct switchboard *board);

/* Brings an external client online, and waits until it says so. All clients of the board are
 * contacts of one another, unless they are strangers. The client stays the caller's and must
 * outlive the board. */
void switchboard_add(struct switchboard *board, jingle_client *client, const char *full_jid,
                     bool stranger);

/* The stream of a client is gone, and the others see it go offline. Its events are still told. */
void switchboard_drop(struct switchboard *board, jingle_client *client);

/* A contact that is reached by `outside` comes online for all the clients here. */
void switchboard_add_outside(struct switchboard *board, const char *full_jid);

/* Hands in a stanza that names its sender and its recipient. */
void switchboard_hand(struct switchboard *board, const char *xml);

/* Carries and tells until `done` says so (true) or `timeout` has passed (false). */
bool switchboard_run(struct switchboard *board, bool (*done)(void *user), void *user,
                     int64_t timeout);

#endif
