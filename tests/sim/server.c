#include "tests/sim/server.h"

#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "signaling/jid.h"
#include "signaling/ns.h"
#include "signaling/stanza.h"

static void deliver(struct server *server, struct server_session *to, const xml_node *stanza)
{
    if (!to->online) {
        return;
    }
    char *text = xml_to_string(stanza);
    server->deliver(to->user, text, strlen(text));
    free(text);
}

struct server_session *server_add(struct server *server, const char *jid, void *user)
{
    struct server_session *session = &server->sessions[server->count++];
    session->jid = jid;
    session->bare = jid_bare(jid);
    session->user = user;
    return session;
}

void server_clear(struct server *server)
{
    for (size_t i = 0; i < server->count; i++) {
        g_free(server->sessions[i].bare);
        xml_free(server->sessions[i].presence);
    }
    server->count = 0;
}

static bool same_person(const struct server_session *a, const struct server_session *b)
{
    return strcmp(a->bare, b->bare) == 0;
}

static bool contacts(const struct server *server, const struct server_session *a,
                     const struct server_session *b)
{
    return same_person(a, b) ||
           (strstr(server->roster, a->bare) && strstr(server->roster, b->bare));
}

static void send_presence(struct server *server, const struct server_session *from,
                          struct server_session *to)
{
    struct xml *copy =
        from->presence ? xml_copy(xml_root(from->presence)) : stanza_presence("unavailable", NULL);
    xml_set(xml_root(copy), "from", from->jid);
    xml_set(xml_root(copy), "to", to->jid);
    deliver(server, to, xml_root(copy));
    xml_free(copy);
}

static void broadcast(struct server *server, struct server_session *from, const xml_node *node)
{
    bool was_away = !from->presence;
    xml_free(from->presence);
    from->presence = node ? xml_copy(node) : NULL;
    for (size_t i = 0; i < server->count; i++) {
        struct server_session *other = &server->sessions[i];
        if (!contacts(server, from, other)) {
            continue;
        }
        send_presence(server, from, other);
        if (was_away && node && other != from && other->presence) {
            send_presence(server, other, from);
        }
    }
}

void server_drop(struct server *server, struct server_session *session)
{
    session->online = false;
    if (session->presence) {
        broadcast(server, session, NULL);
    }
}

static void answer_with(xml_node *parent, const char *ns, const char *name, const char *children)
{
    char *text = g_strdup_printf("<%s xmlns='%s'>%s</%s>", name, ns, children, name);
    struct xml *xml = xml_parse(text, strlen(text));
    xml_add_copy(parent, xml_root(xml));
    xml_free(xml);
    g_free(text);
}

/* What is for the server itself. */
static void serve(struct server *server, struct server_session *from, const struct stanza *iq)
{
    struct xml *result = stanza_result(iq);
    xml_node *root = xml_root(result);
    xml_set(root, "from", iq->to);
    if (server->serve && server->serve(server->user, iq, root)) {
        /* it is all said */
    } else if (xml_child(iq->node, NS_ROSTER, "query") && strcmp(iq->type, "get") == 0) {
        answer_with(root, NS_ROSTER, "query", server->roster);
    } else if (xml_child(iq->node, NS_DISCO_INFO, "query")) {
        answer_with(root, NS_DISCO_INFO, "query", "<feature var='urn:xmpp:carbons:2'/>");
    }
    deliver(server, from, root);
    xml_free(result);
}

static void bounce(struct server *server, struct server_session *to, const struct stanza *stanza)
{
    if (strcmp(stanza->type, "error") == 0 || strcmp(stanza->type, "result") == 0) {
        return;
    }
    struct stanza_error error =
        stanza_error_make(STANZA_SERVICE_UNAVAILABLE, JINGLE_CONDITION_NONE, "");
    struct xml *reply = stanza_error_reply(stanza, &error);
    xml_set(xml_root(reply), "from", stanza->to);
    deliver(server, to, xml_root(reply));
    xml_free(reply);
}

static void send_carbon(struct server *server, struct server_session *to, const char *kind,
                        const xml_node *message)
{
    struct xml *carbon = stanza_message("chat", to->jid, NULL);
    xml_set(xml_root(carbon), "from", to->bare);
    xml_node *node = xml_add(xml_root(carbon), NS_CARBONS, kind);
    xml_add_copy(xml_add(node, NS_FORWARD, "forwarded"), message);
    deliver(server, to, xml_root(carbon));
    xml_free(carbon);
}

/* To the full JID or, for a bare one, to all devices; other devices of both get carbons. */
static void route_message(struct server *server, struct server_session *from,
                          const struct stanza *message)
{
    bool known = false;
    for (size_t i = 0; i < server->count; i++) {
        struct server_session *to = &server->sessions[i];
        bool theirs = jid_equal_bare(to->jid, message->to);
        known = known || theirs;
        if (jid_equal(to->jid, message->to) || jid_equal(to->bare, message->to)) {
            deliver(server, to, message->node);
        } else if (theirs) {
            send_carbon(server, to, "received", message->node);
        }
        if (same_person(to, from) && to != from && !jid_equal(to->bare, message->to)) {
            send_carbon(server, to, "sent", message->node);
        }
    }
    if (!known) {
        bounce(server, from, message);
    }
}

static void route_iq(struct server *server, struct server_session *from, const struct stanza *iq)
{
    if (!iq->to || !strchr(iq->to, '@') || jid_equal(iq->to, from->bare)) {
        serve(server, from, iq);
        return;
    }
    for (size_t i = 0; i < server->count; i++) {
        if (server->sessions[i].online && jid_equal(server->sessions[i].jid, iq->to)) {
            deliver(server, &server->sessions[i], iq->node);
            return;
        }
    }
    bounce(server, from, iq);
}

static void route(struct server *server, struct server_session *from, const struct stanza *stanza)
{
    if (stanza->kind == STANZA_PRESENCE && !stanza->to) {
        bool away = strcmp(stanza->type, "unavailable") == 0;
        broadcast(server, from, away ? NULL : stanza->node);
    } else if (stanza->kind == STANZA_MESSAGE && stanza->to) {
        route_message(server, from, stanza);
    } else if (stanza->kind == STANZA_IQ) {
        route_iq(server, from, stanza);
    }
}

void server_receive(struct server *server, struct server_session *from, const char *xml,
                    size_t bytes)
{
    struct xml *parsed = xml_parse(xml, bytes);
    struct stanza stanza;
    if (!parsed) {
        return;
    }
    xml_set(xml_root(parsed), "from", from->jid);
    if (from->online && stanza_read(&stanza, xml_root(parsed))) {
        route(server, from, &stanza);
    }
    xml_free(parsed);
}
