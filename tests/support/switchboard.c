#include "support/switchboard.h"

#include "base/clock.h"
#include "signaling/jid.h"
#include "signaling/xml.h"

#include <glib.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define CLIENTS_MAX    8
#define LOGIN_PATIENCE (10 * USEC_PER_SEC)

struct port {
    jingle_client *client;
    bool gone; /* its stream is */
    char *jid;
    bool stranger;
    bool online; /* it said so */
};

struct switchboard {
    struct switchboard_hooks hooks;
    struct port ports[CLIENTS_MAX];
    size_t count;
};

struct switchboard *switchboard_new(const struct switchboard_hooks *hooks)
{
    struct switchboard *board = g_new0(struct switchboard, 1);
    board->hooks = *hooks;
    return board;
}

void switchboard_free(struct switchboard *board)
{
    for (size_t i = 0; i < board->count; i++) {
        g_free(board->ports[i].jid);
    }
    g_free(board);
}

static void hand(struct port *port, const char *xml)
{
    jingle_client_receive(port->client, xml, strlen(xml));
}

static void hand_contact(struct port *port, const char *contact)
{
    char *bare = jid_bare(contact);
    char *roster = g_strdup_printf("<iq xmlns='jabber:client' type='set' id='push'>"
                                   "<query xmlns='jabber:iq:roster'>"
                                   "<item jid='%s' subscription='both'/></query></iq>",
                                   bare);
    char *presence =
        g_strdup_printf("<presence xmlns='jabber:client' from='%s' to='%s'/>", contact, port->jid);
    hand(port, roster);
    hand(port, presence);
    g_free(presence);
    g_free(roster);
    g_free(bare);
}

static bool is_online(void *user)
{
    return ((struct port *)user)->online;
}

void switchboard_add(struct switchboard *board, jingle_client *client, const char *full_jid,
                     bool stranger)
{
    g_assert(board->count < CLIENTS_MAX);
    struct port *added = &board->ports[board->count++];
    *added = (struct port){.client = client, .jid = g_strdup(full_jid), .stranger = stranger};
    jingle_client_external_online(client, full_jid, false);
    g_assert_true(switchboard_run(board, is_online, added, LOGIN_PATIENCE));
    for (size_t i = 0; i + 1 < board->count; i++) {
        struct port *other = &board->ports[i];
        if (!other->gone && !other->stranger && !stranger) {
            hand_contact(added, other->jid);
            hand_contact(other, added->jid);
        }
    }
}

void switchboard_add_outside(struct switchboard *board, const char *full_jid)
{
    for (size_t i = 0; i < board->count; i++) {
        if (!board->ports[i].gone) {
            hand_contact(&board->ports[i], full_jid);
        }
    }
}

void switchboard_drop(struct switchboard *board, jingle_client *client)
{
    for (size_t i = 0; i < board->count; i++) {
        if (board->ports[i].client != client) {
            continue;
        }
        board->ports[i].gone = true;
        jingle_client_external_offline(client);
        for (size_t j = 0; j < board->count; j++) {
            if (!board->ports[j].gone) {
                char *gone = g_strdup_printf("<presence xmlns='jabber:client' type='unavailable' "
                                             "from='%s' to='%s'/>",
                                             board->ports[i].jid, board->ports[j].jid);
                hand(&board->ports[j], gone);
                g_free(gone);
            }
        }
    }
}

static void deliver(struct switchboard *board, const xml_node *stanza);

static void deliver_reply(struct switchboard *board, const xml_node *iq, const char *from,
                          const char *type, struct xml *reply)
{
    xml_set(xml_root(reply), "type", type);
    xml_set(xml_root(reply), "id", xml_attribute(iq, "id"));
    xml_set(xml_root(reply), "from", from);
    xml_set(xml_root(reply), "to", xml_attribute(iq, "from"));
    deliver(board, xml_root(reply));
    xml_free(reply);
}

/* What a server says for a service that it does not have, or a client that is gone. */
static void refuse(struct switchboard *board, const xml_node *iq)
{
    const char *type = xml_attribute(iq, "type");
    if (strcmp(xml_name(iq), "iq") != 0 ||
        (g_strcmp0(type, "get") != 0 && g_strcmp0(type, "set") != 0)) {
        return;
    }
    struct xml *reply = xml_new("jabber:client", "iq");
    xml_node *error = xml_add(xml_root(reply), NULL, "error");
    xml_set(error, "type", "cancel");
    xml_add(error, "urn:ietf:params:xml:ns:xmpp-stanzas", "service-unavailable");
    deliver_reply(board, iq, xml_attribute(iq, "to"), "error", reply);
}

/* The host announces what the engine says that it should. */
static bool answer_disco(struct switchboard *board, struct port *asked, const xml_node *iq)
{
    const char *ns = "http://jabber.org/protocol/disco#info";
    if (!xml_child(iq, ns, "query") || g_strcmp0(xml_attribute(iq, "type"), "get") != 0) {
        return false;
    }
    struct xml *reply = xml_new("jabber:client", "iq");
    xml_node *query = xml_add(xml_root(reply), ns, "query");
    const char *const *features = jingle_client_features(asked->client);
    for (size_t i = 0; features[i]; i++) {
        xml_set(xml_add(query, NULL, "feature"), "var", features[i]);
    }
    deliver_reply(board, iq, asked->jid, "result", reply);
    return true;
}

static bool is_for(const struct port *port, const char *to)
{
    return jid_is_full(to) ? jid_equal(port->jid, to) : jid_equal_bare(port->jid, to);
}

static void deliver(struct switchboard *board, const xml_node *stanza)
{
    const char *to = xml_attribute(stanza, "to");
    const char *from = xml_attribute(stanza, "from");
    bool taken = false;
    char *text = xml_to_string(stanza);
    for (size_t i = 0; to && i < board->count; i++) {
        struct port *port = &board->ports[i];
        if (!port->gone && is_for(port, to) && !jid_equal(port->jid, from)) {
            taken = true;
            if (!answer_disco(board, port, stanza)) {
                hand(port, text);
            }
        }
    }
    if (!taken && to && board->hooks.outside) {
        taken = board->hooks.outside(board->hooks.user, to, text);
    }
    if (!taken) {
        refuse(board, stanza);
    }
    free(text);
}

static void carry(struct switchboard *board, struct port *sender, const char *xml)
{
    char *other = NULL;
    if (sender->gone) {
        return;
    }
    if (board->hooks.rewrite) {
        other = board->hooks.rewrite(board->hooks.user, sender->client, xml);
        xml = other ? other : xml;
    }
    struct xml *stanza = xml_parse(xml, strlen(xml));
    g_assert_nonnull(stanza);
    g_free(other);
    xml_set(xml_root(stanza), "from", sender->jid);
    deliver(board, xml_root(stanza));
    xml_free(stanza);
}

void switchboard_hand(struct switchboard *board, const char *xml)
{
    struct xml *stanza = xml_parse(xml, strlen(xml));
    g_assert_nonnull(stanza);
    deliver(board, xml_root(stanza));
    xml_free(stanza);
}

static void pump(struct switchboard *board, struct port *port)
{
    const jingle_event *event;
    while ((event = jingle_client_next_event(port->client))) {
        if (event->type == JINGLE_EVENT_STANZA) {
            carry(board, port, event->u.stanza.xml);
        } else {
            port->online |= event->type == JINGLE_EVENT_ONLINE;
            board->hooks.event(board->hooks.user, port->client, event);
        }
    }
}

bool switchboard_run(struct switchboard *board, bool (*done)(void *user), void *user,
                     int64_t timeout)
{
    usec end = clock_now() + timeout;
    for (;;) {
        struct pollfd fds[CLIENTS_MAX + 1];
        for (size_t i = 0; i < board->count; i++) {
            pump(board, &board->ports[i]);
        }
        if (done(user)) {
            return true;
        }
        usec left = end - clock_now();
        if (left <= 0) {
            return false;
        }
        for (size_t i = 0; i < board->count; i++) {
            fds[i] = (struct pollfd){jingle_client_fd(board->ports[i].client), POLLIN, 0};
        }
        bool watched = board->hooks.readable != NULL;
        fds[board->count] = (struct pollfd){watched ? board->hooks.fd : -1, POLLIN, 0};
        poll(fds, board->count + 1, (int)(left / USEC_PER_MS) + 1);
        if (watched && fds[board->count].revents) {
            board->hooks.readable(board->hooks.user);
        }
    }
}
