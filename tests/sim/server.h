/* A small XMPP server for simulated phones: routes what they send, says who sent it, copies carbons
 * (XEP-0280), tells presence to contacts, answers what an account asks at login. It delivers at
 * once; the way to it and from it is the caller's. */
#ifndef JINGLE_SIM_SERVER_H
#define JINGLE_SIM_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "signaling/stanza.h"

#define SERVER_SESSIONS_MAX 8

/* A device that is, or once was, logged in. */
struct server_session {
    const char *jid; /* full */
    char *bare;
    bool online;
    struct xml *presence; /* the last one that it sent to all, NULL if unavailable */
    void *user;
};

struct server {
    struct server_session sessions[SERVER_SESSIONS_MAX];
    size_t count;
    const char *roster; /* <item/>s that everyone's roster has */
    /* Gives a stanza to a session's way down. */
    void (*deliver)(void *user, const char *xml, size_t bytes);
    /* What else the server and its components answer: fills in a result, or makes it an error.
     * False: nothing that it knows. May be NULL. */
    bool (*serve)(void *user, const struct stanza *iq, xml_node *result);
    void *user; /* for serve */
};

/* `jid` must outlive the server. */
struct server_session *server_add(struct server *server, const char *jid, void *user);
void server_clear(struct server *server);

/* A stanza arrived from a session. */
void server_receive(struct server *server, struct server_session *from, const char *xml,
                    size_t bytes);

/* The line is gone: contacts are told. */
void server_drop(struct server *server, struct server_session *session);

#endif
