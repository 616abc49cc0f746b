#include "world.h"

#include <stdlib.h>
#include <string.h>

#include "signaling/jid.h"
#include "signaling/ns.h"
#include "signaling/stanza.h"

struct letter {
    char *from;
    char *xml;
};

/* ----------------------------------------------------------------------------------- hooks -- */

static void on_send(void *user, const char *xml, size_t bytes)
{
    struct client *client = user;
    g_ptr_array_add(client->sent, g_strndup(xml, bytes));
    if (client->quiet)
        return;
    struct letter *letter = g_new0(struct letter, 1);
    letter->from = g_strdup(client->jid);
    letter->xml = g_strndup(xml, bytes);
    g_queue_push_tail(&client->world->letters, letter);
}

static usec on_wall(void *user)
{
    struct client *client = user;
    return INT64_C(1700000000) * USEC_PER_SEC + client->world->now;
}

static const char *party_name(jingle_party party)
{
    return party == JINGLE_PARTY_LOCAL ? "local" : party == JINGLE_PARTY_REMOTE ? "remote" : "none";
}

static char *describe(struct client *client, const struct account_event *event)
{
    switch (event->type) {
    case ACCOUNT_EVENT_READY:
    case ACCOUNT_EVENT_SERVICES:
        return g_strdup_printf("services %zu", event->u.services.count);
    case ACCOUNT_EVENT_CONTACT:
        return g_strdup_printf("contact %s%s%s%s%s", event->u.contact.jid,
                               event->u.contact.online ? " online" : "",
                               event->u.contact.callable ? " callable" : "",
                               event->u.contact.video_callable ? " video" : "",
                               event->u.contact.removed ? " removed" : "");
    case ACCOUNT_EVENT_SUBSCRIPTION:
        return g_strdup_printf("subscription %s", event->u.contact.jid);
    case ACCOUNT_EVENT_CAPS_CHANGED:
        return g_strdup("caps");
    case ACCOUNT_EVENT_INCOMING:
        return g_strdup_printf(
            "incoming %s%s%s%s%s", event->u.incoming.from, event->u.incoming.audio ? " audio" : "",
            event->u.incoming.video ? " video" : "", event->u.incoming.on_roster ? "" : " stranger",
            event->u.incoming.encrypted ? "" : " unencrypted");
    case ACCOUNT_EVENT_MISSED:
        return g_strdup_printf("missed %s", event->u.incoming.from);
    case ACCOUNT_EVENT_LINK:
        return g_strdup_printf("link %s %s%s", event->u.link.from, event->u.link.url,
                               event->u.link.encrypted ? " encrypted" : "");
    case ACCOUNT_EVENT_UNENCRYPTED:
        return g_strdup("unencrypted");
    case ACCOUNT_EVENT_RINGING:
        return g_strdup("ringing");
    case ACCOUNT_EVENT_ACCEPTED:
        return g_strdup_printf("accepted %s", account_call_peer(event->call));
    case ACCOUNT_EVENT_NEGOTIATED:
        client->agreement = *event->u.negotiated.agreement;
        return g_strdup_printf("negotiated %s %s ufrag=%s", event->u.negotiated.content,
                               event->u.negotiated.dtls_client ? "client" : "server",
                               event->u.negotiated.remote->ufrag);
    case ACCOUNT_EVENT_REMOTE_TRANSPORT:
        return g_strdup_printf("transport %s %zu%s", event->u.remote_transport.content,
                               event->u.remote_transport.transport->candidate_count,
                               event->u.remote_transport.restart ? " restart" : "");
    case ACCOUNT_EVENT_INFO:
        return g_strdup_printf("info %s", jingle_info_name(event->u.info.info));
    case ACCOUNT_EVENT_SENDERS:
        return g_strdup_printf("senders %d %d", event->u.senders.we_send,
                               event->u.senders.we_receive);
    case ACCOUNT_EVENT_CONTENT_OFFERED:
        return g_strdup_printf("offered %s %s", event->u.content_offered.content,
                               event->u.content_offered.media);
    case ACCOUNT_EVENT_CONTENT_REFUSED:
        return g_strdup_printf("refused %s %s", event->u.content_gone.content,
                               jingle_reason_name(event->u.content_gone.reason));
    case ACCOUNT_EVENT_CONTENT_REMOVED:
        return g_strdup_printf("removed %s %s", event->u.content_gone.content,
                               party_name(event->u.content_gone.by));
    case ACCOUNT_EVENT_ENDED:
        return g_strdup_printf("ended %s %s%s", jingle_reason_name(event->u.ended.reason),
                               party_name(event->u.ended.by),
                               event->u.ended.insecure ? " insecure" : "");
    }
    return NULL;
}

static void on_event(void *user, const struct account_event *event)
{
    struct client *client = user;
    g_ptr_array_add(client->events, describe(client, event));
    if (event->call)
        client->call = event->call;
    if (event->type == ACCOUNT_EVENT_NEGOTIATED && !client->manual &&
        event->u.negotiated.transport_wanted)
        client_set_transport(client, event->u.negotiated.transport, "calleeufrag");
    if (event->type == ACCOUNT_EVENT_UNENCRYPTED)
        client_set_transport(client, "audio", "callerufrag");
    if (event->type == ACCOUNT_EVENT_ENDED)
        client->call = NULL;
}

/* --------------------------------------------------------------------------------- clients -- */

struct client *client_add_with(struct world *world, const char *jid,
                               const struct account_config *given)
{
    struct client *client = g_new0(struct client, 1);
    struct account_config config = *given;
    struct account_hooks hooks = {client, on_send, on_event, on_wall};
    client->world = world;
    client->jid = jid;
    client->bare = jid_bare(jid);
    client->sent = g_ptr_array_new_with_free_func(g_free);
    client->events = g_ptr_array_new_with_free_func(g_free);
    config.jid = jid;
    config.random = &random_system;
    if (config.ring_timeout == 0)
        config.ring_timeout = 60 * USEC_PER_SEC;
    client->account = account_new(&config, &hooks);
    g_ptr_array_add(world->clients, client);
    return client;
}

struct client *client_add(struct world *world, const char *jid)
{
    struct account_config config = {.software_name = "Test"};
    return client_add_with(world, jid, &config);
}

static void client_free(void *data)
{
    struct client *client = data;
    account_free(client->account);
    g_ptr_array_free(client->sent, TRUE);
    g_ptr_array_free(client->events, TRUE);
    g_free(client->bare);
    g_free(client);
}

void client_online(struct client *client, bool resumed)
{
    client->online = true;
    account_online(client->account, client->jid, resumed, client->world->now);
    world_settle(client->world);
}

void client_receive(struct client *client, const char *xml)
{
    account_receive(client->account, xml, strlen(xml), client->world->now);
}

void client_meet(struct client *client, const char *jid)
{
    char *presence =
        g_strdup_printf("<presence xmlns='jabber:client' from='%s' to='%s'>"
                        "<c xmlns='" NS_CAPS "' hash='sha-1' node='n' ver='of %s'/></presence>",
                        jid, client->jid, jid);
    client->quiet = true; /* the world does not know that device */
    client_receive(client, presence);
    world_settle(client->world);
    client->quiet = false;
    g_free(presence);
}

bool client_learn(struct client *client, const char *jid, const char *features)
{
    const char *question = client_sent(client, NS_DISCO_INFO, jid, NULL);
    if (!question)
        return false;
    struct xml *xml = xml_parse(question, strlen(question));
    char *answer = g_strdup_printf("<iq xmlns='jabber:client' type='result' from='%s' id='%s'>"
                                   "<query xmlns='" NS_DISCO_INFO "'>%s</query></iq>",
                                   jid, xml_attribute(xml_root(xml), "id"), features);
    client_receive(client, answer);
    xml_free(xml);
    g_free(answer);
    return true;
}

bool client_saw(const struct client *client, const char *event)
{
    return client_count(client, event) > 0;
}

size_t client_count(const struct client *client, const char *event)
{
    size_t count = 0;
    for (guint i = 0; i < client->events->len; i++)
        count += strcmp(client->events->pdata[i], event) == 0;
    return count;
}

const char *client_sent_all(const struct client *client, const char *const parts[])
{
    for (guint i = client->sent->len; i > 0; i--) {
        const char *xml = client->sent->pdata[i - 1];
        size_t found = 0;
        while (parts[found] && strstr(xml, parts[found]))
            found++;
        if (!parts[found])
            return xml;
    }
    return NULL;
}

size_t client_sent_count(const struct client *client, const char *part)
{
    size_t count = 0;
    for (guint i = 0; i < client->sent->len; i++)
        count += strstr(client->sent->pdata[i], part) != NULL;
    return count;
}

void client_forget(struct client *client)
{
    g_ptr_array_set_size(client->sent, 0);
    g_ptr_array_set_size(client->events, 0);
}

static void make_media(struct rtp_description *description)
{
    rtp_description_init(description, "audio");
    rtp_description_add(description, 111, "opus", 48000, 2);
    rtp_description_add(description, 0, "PCMU", 8000, 1);
    description->rtcp_mux = true;
}

void client_describe_video(struct rtp_description *description)
{
    rtp_description_init(description, "video");
    rtp_description_add(description, 96, "VP8", 90000, 1);
    description->rtcp_mux = true;
}

jingle_status client_begin_call(struct client *client, const char *to, bool direct)
{
    struct rtp_description audio, video;
    make_media(&audio);
    client_describe_video(&video);
    struct session_media media[] = {{.content = "audio", .description = &audio},
                                    {.content = "video", .description = &video}};
    jingle_status status = account_call_start(client->account, to, media, client->video ? 2 : 1,
                                              direct, client->world->now, &client->call);
    rtp_description_clear(&audio);
    rtp_description_clear(&video);
    if (status == JINGLE_OK && !client->manual)
        client_set_transport(client, "audio", "callerufrag");
    return status;
}

jingle_status client_call(struct client *client, const char *to, bool direct)
{
    jingle_status status = client_begin_call(client, to, direct);
    world_settle(client->world);
    return status;
}

void client_accept(struct client *client)
{
    struct rtp_description audio, video;
    make_media(&audio);
    client_describe_video(&video);
    struct session_media media[] = {{.description = &audio}, {.description = &video}};
    account_call_accept(client->call, media, client->video ? 2 : 1, client->world->now);
    rtp_description_clear(&audio);
    rtp_description_clear(&video);
    world_settle(client->world);
}

void client_set_transport(struct client *client, const char *content, const char *ufrag)
{
    struct ice_candidate candidate = {
        .foundation = "1", .component = 1, .priority = 1000, .ip = "192.0.2.1", .port = 5000};
    struct ice_udp_transport transport = {.candidates = &candidate, .candidate_count = 1};
    g_strlcpy(transport.ufrag, ufrag, sizeof transport.ufrag);
    g_strlcpy(transport.pwd, "0123456789012345678901", sizeof transport.pwd);
    transport.fingerprint.hash = FINGERPRINT_SHA_256;
    transport.fingerprint.size = 32;
    if (!account_call_is_encrypted(client->call))
        transport.fingerprint = (struct dtls_fingerprint){0};
    account_call_set_transport(client->call, content, &transport, client->world->now);
}

/* ---------------------------------------------------------------------------------- server -- */

static void deliver(struct client *client, const xml_node *stanza)
{
    char *text = xml_to_string(stanza);
    if (client->online && !client->quiet)
        account_receive(client->account, text, strlen(text), client->world->now);
    free(text);
}

static struct client *find_client(const struct world *world, const char *jid)
{
    for (guint i = 0; i < world->clients->len; i++) {
        struct client *client = world->clients->pdata[i];
        if (client->online && jid_equal(client->jid, jid))
            return client;
    }
    return NULL;
}

static bool are_contacts(const struct world *world, const struct client *a, const struct client *b)
{
    return jid_equal_bare(a->jid, b->jid) || world->strangers_see_presence ||
           (world->roster && strstr(world->roster, a->bare) && strstr(world->roster, b->bare));
}

static void send_presence(const struct client *from, struct client *to, const xml_node *node)
{
    struct xml *copy = node ? xml_copy(node) : stanza_presence("unavailable", NULL);
    xml_set(xml_root(copy), "from", from->jid);
    xml_set(xml_root(copy), "to", to->jid);
    deliver(to, xml_root(copy));
    xml_free(copy);
}

static void broadcast(struct world *world, struct client *from, const xml_node *node)
{
    bool is_first = !from->available && node;
    from->available = node != NULL;
    for (guint i = 0; i < world->clients->len; i++) {
        struct client *client = world->clients->pdata[i];
        if (!client->online || !are_contacts(world, from, client))
            continue;
        send_presence(from, client, node);
        if (!is_first || client == from || !client->available)
            continue;
        for (guint j = client->sent->len; j > 0; j--) {
            const char *xml = client->sent->pdata[j - 1];
            struct xml *sent = xml_parse(xml, strlen(xml));
            bool found = strcmp(xml_name(xml_root(sent)), "presence") == 0 &&
                         !xml_attribute(xml_root(sent), "to");
            if (found)
                send_presence(client, from, xml_root(sent));
            xml_free(sent);
            if (found)
                break;
        }
    }
}

void client_offline(struct client *client)
{
    account_offline(client->account, client->world->now);
    client->online = false;
    if (client->available)
        broadcast(client->world, client, NULL);
    world_settle(client->world);
}

static void add_raw(xml_node *parent, const char *ns, const char *name, const char *children)
{
    char *text =
        g_strdup_printf("<%s xmlns='%s'>%s</%s>", name, ns, children ? children : "", name);
    struct xml *xml = xml_parse(text, strlen(text));
    xml_add_copy(parent, xml_root(xml));
    xml_free(xml);
    g_free(text);
}

static void serve(struct world *world, struct client *client, const struct stanza *iq)
{
    struct xml *result = stanza_result(iq);
    xml_node *root = xml_root(result);
    xml_set(root, "from", iq->to);
    if (xml_child(iq->node, NS_ROSTER, "query") && strcmp(iq->type, "get") == 0)
        add_raw(root, NS_ROSTER, "query", world->roster);
    else if (xml_child(iq->node, NS_EXTDISCO, "services"))
        add_raw(root, NS_EXTDISCO, "services", world->services);
    else if (xml_child(iq->node, NS_DISCO_INFO, "query"))
        add_raw(root, NS_DISCO_INFO, "query",
                "<feature var='urn:xmpp:carbons:2'/><feature var='urn:xmpp:extdisco:2'/>");
    deliver(client, root);
    xml_free(result);
}

static void bounce(struct client *sender, const struct stanza *stanza,
                   enum stanza_condition condition)
{
    if (strcmp(stanza->type, "error") == 0 || strcmp(stanza->type, "result") == 0)
        return;
    struct stanza_error error = stanza_error_make(condition, JINGLE_CONDITION_NONE, "");
    struct xml *reply = stanza_error_reply(stanza, &error);
    xml_set(xml_root(reply), "from", stanza->to);
    deliver(sender, xml_root(reply));
    xml_free(reply);
}

static void send_carbon(struct client *to, const char *kind, const xml_node *message)
{
    struct xml *carbon = stanza_message("chat", to->jid, NULL);
    xml_set(xml_root(carbon), "from", to->bare);
    xml_node *node = xml_add(xml_root(carbon), NS_CARBONS, kind);
    xml_add_copy(xml_add(node, NS_FORWARD, "forwarded"), message);
    deliver(to, xml_root(carbon));
    xml_free(carbon);
}

/* To one device, or the first of a person; the others of both people get carbons. */
static void route_message(struct world *world, struct client *sender, const struct stanza *message)
{
    struct client *receiver = find_client(world, message->to);
    bool exists = receiver != NULL;
    for (guint i = 0; i < world->clients->len; i++) {
        struct client *client = world->clients->pdata[i];
        bool theirs = jid_equal_bare(client->jid, message->to);
        exists = exists || theirs;
        if (!receiver && theirs && client->online && client->available)
            receiver = client;
    }
    if (!exists)
        bounce(sender, message, STANZA_SERVICE_UNAVAILABLE);
    if (receiver)
        deliver(receiver, message->node);
    for (guint i = 0; i < world->clients->len; i++) {
        struct client *client = world->clients->pdata[i];
        if (!client->online || client == receiver || client == sender)
            continue;
        if (jid_equal(client->bare, sender->bare))
            send_carbon(client, "sent", message->node);
        else if (jid_equal_bare(client->jid, message->to))
            send_carbon(client, "received", message->node);
    }
}

static void route(struct world *world, struct client *sender, const struct stanza *stanza)
{
    bool to_server = !stanza->to || jid_equal(stanza->to, world->domain) ||
                     (stanza->kind == STANZA_IQ && jid_equal(stanza->to, sender->bare));
    struct client *receiver = stanza->to ? find_client(world, stanza->to) : NULL;
    if (stanza->kind == STANZA_PRESENCE && !stanza->to)
        broadcast(world, sender, strcmp(stanza->type, "unavailable") == 0 ? NULL : stanza->node);
    else if (stanza->kind == STANZA_MESSAGE && stanza->to)
        route_message(world, sender, stanza);
    else if (stanza->kind == STANZA_IQ && to_server)
        serve(world, sender, stanza);
    else if (receiver)
        deliver(receiver, stanza->node);
    else if (stanza->kind == STANZA_IQ)
        bounce(sender, stanza, STANZA_SERVICE_UNAVAILABLE);
}

static void post(struct world *world, const struct letter *letter)
{
    struct client *sender = find_client(world, letter->from);
    struct xml *xml = xml_parse(letter->xml, strlen(letter->xml));
    struct stanza stanza;
    g_assert(xml);
    xml_set(xml_root(xml), "from", letter->from);
    if (sender && stanza_read(&stanza, xml_root(xml)))
        route(world, sender, &stanza);
    xml_free(xml);
}

static void letter_free(void *data)
{
    struct letter *letter = data;
    g_free(letter->from);
    g_free(letter->xml);
    g_free(letter);
}

static bool tick_clients(struct world *world)
{
    bool any = false;
    for (guint i = 0; i < world->clients->len; i++) {
        struct client *client = world->clients->pdata[i];
        if (account_next_deadline(client->account) > world->now)
            continue;
        account_tick(client->account, world->now);
        any = true;
    }
    return any;
}

void world_settle(struct world *world)
{
    unsigned rounds = 0;
    do {
        while (!g_queue_is_empty(&world->letters)) {
            struct letter *letter = g_queue_pop_head(&world->letters);
            post(world, letter);
            letter_free(letter);
            g_assert(++rounds < 10000);
        }
        g_assert(++rounds < 10000);
    } while (tick_clients(world));
    if (!g_queue_is_empty(&world->letters))
        world_settle(world);
}

void world_pass(struct world *world, usec time)
{
    usec until = world->now + time;
    world_settle(world);
    for (;;) {
        usec next = USEC_NEVER;
        for (guint i = 0; i < world->clients->len; i++) {
            struct client *client = world->clients->pdata[i];
            next = MIN(next, account_next_deadline(client->account));
        }
        if (next > until)
            break;
        world->now = MAX(next, world->now);
        world_settle(world);
    }
    world->now = until;
}

struct world *world_new(void)
{
    struct world *world = g_new0(struct world, 1);
    world->now = USEC_PER_SEC;
    world->domain = "example.org";
    world->clients = g_ptr_array_new_with_free_func(client_free);
    g_queue_init(&world->letters);
    return world;
}

void world_free(struct world *world)
{
    g_queue_clear_full(&world->letters, letter_free);
    g_ptr_array_free(world->clients, TRUE);
    g_free(world);
}
