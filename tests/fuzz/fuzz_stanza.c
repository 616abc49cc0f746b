/* Stanzas, separated by zero bytes, as a peer may send them: to the parsers and back, to sessions
 * in every state, and to message initiation. */
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/initiation.h"
#include "signaling/ns.h"
#include "signaling/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum role {
    CALLER_PENDING,
    CALLER_ACTIVE,
    CALLER_ADDING,        /* our content-add is not answered */
    CALLER_PLAIN_PENDING, /* without encryption */
    CALLER_PLAIN_ACTIVE,
    CALLEE_PENDING,
    CALLEE_ACTIVE,
    CALLEE_ADDING,
    CALLEE_PLAIN_PENDING,
    CALLEE_PLAIN_ACTIVE,
    ROLE_COUNT
};

struct world {
    struct session *sessions[ROLE_COUNT];
    struct initiation *initiation;
    struct proposal *incoming;
    unsigned answers;
    unsigned last_tag;
    unsigned offers; /* contents that the peer wanted to add */
    struct rtp_description video;
};

#define DESCRIPTION                                                                     \
    "<description xmlns='" NS_RTP "' media='audio'><payload-type id='111' name='opus' " \
    "clockrate='48000' channels='2'/><rtcp-mux/></description>"
#define TRANSPORT                                                                                  \
    "<transport xmlns='" NS_ICE_UDP "' ufrag='abcd' pwd='efgh'><fingerprint xmlns='" NS_DTLS       \
    "' hash='sha-256' setup='active'>00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:00:01:02:03:" \
    "04:05:06:07:08:09:0A:0B:0C:0D:0E:0F</fingerprint></transport>"
#define PLAIN_TRANSPORT "<transport xmlns='" NS_ICE_UDP "' ufrag='abcd' pwd='efgh'/>"
#define JINGLE(action, transport)                           \
    "<jingle xmlns='" NS_JINGLE "' sid='s' action='" action \
    "'><content creator='initiator' name='audio'>" DESCRIPTION transport "</content></jingle>"

/* What we write must be good XML, whatever a peer has put into it. */
static void require_good(const xml_node *node)
{
    char *text = xml_to_string(node);
    struct xml *again = xml_parse(text, strlen(text));

    if (again == NULL && strlen(text) <= XML_BYTES_MAX)
        abort();
    xml_free(again);
    g_free(text);
}

/* A session has encryption for all its contents, and for ever, or for none. */
static void require_encryption(const struct session *session, const struct jingle_iq *iq)
{
    for (size_t i = 0; i < iq->content_count && !session_is_encrypted(session); i++) {
        const struct jingle_content *content = &iq->contents[i];
        if (content->ice.fingerprint.hash != FINGERPRINT_NONE || content->rtp.encryption)
            abort();
    }
}

static void on_send(void *user, struct session *session, const struct jingle_iq *iq, unsigned tag)
{
    struct world *world = user;
    struct xml *xml = stanza_iq("set", session_peer(session), "1");

    jingle_iq_write(iq, xml_root(xml));
    require_good(xml_root(xml));
    xml_free(xml);
    require_encryption(session, iq);
    world->last_tag = tag;
}

static void on_answer(void *user, struct session *session, const struct stanza_error *error)
{
    struct world *world = user;

    (void)session;
    (void)error;
    world->answers++;
}

/* Every third is rejected. */
static void decide(struct world *world, struct session *session, const char *content)
{
    struct session_media media = {.description = &world->video,
                                  .wish = (enum media_wish)(world->offers % 3)};

    if (++world->offers % 3 == 0)
        session_content_reject(session, content, JINGLE_REASON_DECLINED);
    else
        session_content_accept(session, content, &media, 0);
}

static void on_event(void *user, struct session *session, const struct session_event *event)
{
    struct ice_udp_transport transport = {.ufrag = "other", .pwd = "pwd"};
    struct world *world = user;

    if (event->type == SESSION_EVENT_REMOTE_TRANSPORT && event->u.remote_transport.answer_wanted)
        session_set_transport(session, event->u.remote_transport.content, &transport, 0);
    else if (event->type == SESSION_EVENT_NEGOTIATED && event->u.negotiated.transport_wanted)
        session_set_transport(session, event->u.negotiated.transport, &transport, 0);
    else if (event->type == SESSION_EVENT_CONTENT_OFFERED)
        decide(world, session, event->u.content_offered.content);
    else if (event->type == SESSION_EVENT_SENDERS)
        session_content_set_senders(session, event->u.senders.content, world->offers % 2 == 0,
                                    true);
}

static void on_message(void *user, const xml_node *message)
{
    (void)user;
    require_good(message);
}

static void on_initiation(void *user, const struct initiation_event *event)
{
    struct world *world = user;

    if (event->type == INITIATION_EVENT_INCOMING)
        world->incoming = event->proposal;
    else if (event->type == INITIATION_EVENT_ENDED && event->proposal == world->incoming)
        world->incoming = NULL;
}

static bool read_iq(const char *text, size_t bytes, struct jingle_iq *iq)
{
    struct xml *xml = xml_parse(text, bytes);
    struct stanza_error error;
    bool good = xml != NULL && jingle_iq_read(iq, xml_root(xml), &error);

    xml_free(xml);
    return good;
}

static void give_transport(struct session *session)
{
    struct ice_udp_transport transport = {.ufrag = "ours", .pwd = "pwd"};

    session_set_transport(session, "audio", &transport, 0);
}

static void add_video(struct world *world, struct session *session)
{
    struct session_media media = {.content = "video", .description = &world->video};
    struct ice_udp_transport transport = {.ufrag = "more", .pwd = "pwd"};

    if (session_content_add(session, &media, 0) != NULL)
        session_set_transport(session, "video", &transport, 0);
}

static void make_session(struct world *world, enum role role)
{
    struct session_hooks hooks = {world, on_send, on_answer, on_event};
    struct session_config config = {
        .own_jid = "a@x/1", .peer = "b@y/2", .sid = "s", .ring_timeout = USEC_PER_SEC};
    static const char *const texts[2][2] = {
        {JINGLE("session-accept", TRANSPORT), JINGLE("session-initiate", TRANSPORT)},
        {JINGLE("session-accept", PLAIN_TRANSPORT), JINGLE("session-initiate", PLAIN_TRANSPORT)},
    };
    config.plain = role == CALLER_PLAIN_PENDING || role == CALLER_PLAIN_ACTIVE ||
                   role == CALLEE_PLAIN_PENDING || role == CALLEE_PLAIN_ACTIVE;
    const char *text = texts[config.plain][role >= CALLEE_PENDING];
    struct jingle_iq iq;

    if (!read_iq(text, strlen(text), &iq))
        abort();
    struct session_media media = {.content = "audio", .description = &iq.contents[0].rtp};
    if (role >= CALLEE_PENDING) {
        world->sessions[role] = session_new_incoming(&config, &hooks, &iq, 0);
    } else {
        world->sessions[role] = session_new(&config, &hooks, &media, 1);
        session_initiate(world->sessions[role], 0);
        give_transport(world->sessions[role]);
        session_answered(world->sessions[role], world->last_tag, NULL, 0);
    }
    if (role == CALLER_ACTIVE || role == CALLER_ADDING || role == CALLER_PLAIN_ACTIVE) {
        session_receive(world->sessions[role], &iq, 0);
    } else if (role == CALLEE_ACTIVE || role == CALLEE_ADDING || role == CALLEE_PLAIN_ACTIVE) {
        session_accept(world->sessions[role], &media, 1, 0);
        give_transport(world->sessions[role]);
    }
    jingle_iq_clear(&iq);
    if (role == CALLER_ADDING || role == CALLEE_ADDING)
        add_video(world, world->sessions[role]);
}

/* Writing what was read, and reading that, changes nothing more. */
static void check_round_trip(const struct jingle_iq *iq)
{
    struct xml *first = xml_new(NS_CLIENT, "iq");
    struct xml *second = xml_new(NS_CLIENT, "iq");
    struct jingle_iq again;

    jingle_iq_write(iq, xml_root(first));
    char *text = xml_to_string(xml_first(xml_root(first)));
    if (read_iq(text, strlen(text), &again)) {
        jingle_iq_write(&again, xml_root(second));
        char *rewritten = xml_to_string(xml_first(xml_root(second)));
        if (strcmp(text, rewritten) != 0)
            abort();
        g_free(rewritten);
        jingle_iq_clear(&again);
    }
    g_free(text);
    xml_free(first);
    xml_free(second);
}

/* An offer, to one that may take it without encryption and one that may not. */
static void feed_offer(struct world *world, const struct jingle_iq *iq, bool plain)
{
    struct session_hooks hooks = {world, on_send, on_answer, on_event};
    struct session_config config = {.own_jid = "a@x/1",
                                    .peer = "b@y/2",
                                    .sid = iq->sid,
                                    .ring_timeout = USEC_PER_SEC,
                                    .plain = plain};
    struct session *session = session_new_incoming(&config, &hooks, iq, 0);
    struct session_media media = {.description = &iq->contents[0].rtp};

    if (!plain && !session_is_encrypted(session))
        abort();
    if (iq->contents[0].application == APPLICATION_RTP)
        session_accept(session, &media, 1, 0);
    give_transport(session);
    session_end(session, JINGLE_REASON_HANGUP);
    session_free(session);
}

static void feed_sessions(struct world *world, const struct jingle_iq *iq)
{
    for (int i = 0; i < ROLE_COUNT; i++) {
        world->answers = 0;
        session_receive(world->sessions[i], iq, 0);
        if (world->answers != 1)
            abort();
    }
    if (iq->action != ACTION_SESSION_INITIATE)
        return;
    feed_offer(world, iq, false);
    feed_offer(world, iq, true);
}

static void feed(struct world *world, const xml_node *root)
{
    struct initiation_arrival arrival = {.origin = ORIGIN_DIRECT, .trusted = true};
    struct stanza_error error;
    struct stanza stanza;
    struct jingle_iq iq;

    require_good(root);
    if (!stanza_read(&stanza, root))
        return;
    if (strcmp(stanza.type, "error") == 0) {
        stanza_error_read(&error, &stanza);
        session_answered(world->sessions[CALLER_PENDING], world->last_tag, &error, 0);
    }
    initiation_receive(world->initiation, &stanza, &arrival, 0);
    if (world->incoming != NULL)
        proposal_accept(world->incoming, 0);
    const xml_node *jingle = jingle_iq_find(&stanza);
    if (jingle == NULL || !jingle_iq_read(&iq, jingle, &error))
        return;
    check_round_trip(&iq);
    feed_sessions(world, &iq);
    jingle_iq_clear(&iq);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world world = {0};
    struct initiation_config config = {
        .id_prefix = "p", .ring_timeout = USEC_PER_SEC, .random = &random_system};
    struct initiation_hooks hooks = {&world, on_message, on_initiation};
    const char *at = (const char *)data;

    world.initiation = initiation_new(&config, &hooks);
    initiation_set_jid(world.initiation, "a@x/1");
    initiation_propose(world.initiation, "b@y", true, false, 0);
    rtp_description_init(&world.video, "video");
    rtp_description_add(&world.video, 96, "VP8", 90000, 1);
    for (int i = 0; i < ROLE_COUNT; i++)
        make_session(&world, (enum role)i);
    while (size > 0) {
        size_t length = strnlen(at, size);
        struct xml *xml = xml_parse(at, length);
        if (xml != NULL)
            feed(&world, xml_root(xml));
        xml_free(xml);
        size_t step = length < size ? length + 1 : length;
        at += step;
        size -= step;
    }
    for (int i = 0; i < ROLE_COUNT; i++) {
        session_tick(world.sessions[i], 2 * USEC_PER_SEC);
        session_content_remove(world.sessions[i], "video");
        session_free(world.sessions[i]);
    }
    rtp_description_clear(&world.video);
    initiation_free(world.initiation);
    return 0;
}
