/* Stanzas of a peer, separated by zero bytes, to sessions with files in every state. Bytes below 9
 * before a stanza are what happens otherwise: time, connections, the end of the bytes. */
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/file_session.h"
#include "signaling/ns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SENDER "a@x/1"
#define TAKER  "b@y/2"

enum role { OFFERING, SENDING, OFFERED, RECEIVING, ROLE_COUNT };

enum order {
    ORDER_TIME = 1,
    ORDER_CONNECTED,
    ORDER_UNCONNECTED,
    ORDER_PROXY,
    ORDER_ACTIVATED,
    ORDER_OPENED,
    ORDER_WHOLE,
    ORDER_BROKEN,
    ORDER_COUNT
};

struct side {
    struct file_session *session;
    const char *name; /* of its content */
    char cid[S5B_CID_SIZE];
    unsigned answers;
    unsigned tag;
    unsigned ended;
    bool accepts;
    uint64_t seed;
    struct random_source random;
    usec now;
};

static void require(bool good)
{
    if (!good)
        abort();
}

static void fill(void *user, void *out, size_t bytes)
{
    struct side *side = user;

    for (size_t i = 0; i < bytes; i++) {
        side->seed = side->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        ((uint8_t *)out)[i] = (uint8_t)(side->seed >> 56);
    }
}

/* What we write must be good XML that we would read ourselves. */
static void on_send(void *user, struct file_session *session, const struct jingle_iq *iq,
                    unsigned tag)
{
    struct side *side = user;
    struct xml *xml = stanza_iq("set", file_session_peer(session), "1");
    struct stanza_error error;
    struct jingle_iq again;

    jingle_iq_write(iq, xml_root(xml));
    char *text = xml_to_string(xml_root(xml));
    struct xml *parsed = xml_parse(text, strlen(text));
    require(parsed != NULL);
    require(jingle_iq_read(&again, xml_first(xml_root(parsed)), &error));
    jingle_iq_clear(&again);
    xml_free(parsed);
    g_free(text);
    xml_free(xml);
    side->tag = tag;
}

static void on_answer(void *user, struct file_session *session, const struct stanza_error *error)
{
    struct side *side = user;

    (void)session;
    (void)error;
    side->answers++;
}

static void on_event(void *user, struct file_session *session, const struct file_event *event)
{
    struct side *side = user;

    if (event->type == FILE_EVENT_OFFERED && side->accepts)
        file_session_accept(session, event->content, 0, NULL, FILE_WAYS_ALL, side->now);
    else if (event->type == FILE_EVENT_LISTEN)
        file_session_add_candidate(session, event->content, S5B_DIRECT, "192.0.2.1", 5000,
                                   side->now);
    else if (event->type == FILE_EVENT_DIAL && event->u.dial.count > 0)
        g_strlcpy(side->cid, event->u.dial.candidates[0].cid, sizeof(side->cid));
    else if (event->type == FILE_EVENT_SESSION_ENDED)
        require(++side->ended == 1);
}

/* -------------------------------------------------------------------------------- sessions -- */

#define DESCRIPTION                                                                          \
    "<description xmlns='" NS_FILE_TRANSFER_5 "'><file><name>n</name><size>9</size><range/>" \
    "</file></description>"
#define TRANSPORT                                                                           \
    "<transport xmlns='" NS_S5B "' sid='t'><candidate cid='a' host='192.0.2.2' jid='" TAKER \
    "' port='1' priority='8257536' type='direct'/><candidate cid='p' host='p.x' jid='p.x' " \
    "port='2' priority='655360' type='proxy'/></transport>"
#define JINGLE(action)                                                                    \
    "<jingle xmlns='" NS_JINGLE "' sid='s' action='" action                               \
    "'><content creator='initiator' name='%s' senders='initiator'>" DESCRIPTION TRANSPORT \
    "</content></jingle>"

static void read_own(struct jingle_iq *iq, char *text)
{
    struct xml *xml = xml_parse(text, strlen(text));
    struct stanza_error error;

    require(jingle_iq_read(iq, xml_root(xml), &error));
    xml_free(xml);
    g_free(text);
}

static void side_new(struct side *side, enum role role, const struct jingle_iq *initiate)
{
    bool ours = role == OFFERING || role == SENDING;
    struct file_session_hooks hooks = {side, on_send, on_answer, on_event};
    struct s5b_candidate proxy = {
        .host = "q.y", .jid = (char *)"q.y", .port = 7, .priority = 1, .type = S5B_PROXY};
    struct file_session_config config = {.own_jid = ours ? SENDER : TAKER,
                                         .peer = ours ? TAKER : SENDER,
                                         .sid = initiate == NULL ? "s" : initiate->sid,
                                         .ways = FILE_WAYS_ALL,
                                         .peer_does_s5b = true,
                                         .peer_does_inband = true,
                                         .proxies = &proxy,
                                         .proxy_count = 1,
                                         .random = &side->random};

    *side =
        (struct side){.name = "a-file-offer", .accepts = role == RECEIVING, .random = {fill, side}};
    if (initiate != NULL) {
        side->session = file_session_new_incoming(&config, &hooks, initiate, 0);
        require(side->answers == 1);
        return;
    }
    struct file_description file = {.name = (char *)"n", .has_size = true, .size = 9};
    side->session = file_session_new(&config, &hooks);
    side->name = file_session_add(side->session, &file, false);
    file_session_initiate(side->session, 0);
    file_session_answered(side->session, side->tag, NULL, 0);
}

static void make_side(struct side *side, enum role role)
{
    struct jingle_iq iq;

    if (role == OFFERED || role == RECEIVING) {
        read_own(&iq, g_strdup_printf(JINGLE("session-initiate"), "a-file-offer"));
        side_new(side, role, &iq);
        jingle_iq_clear(&iq);
        return;
    }
    side_new(side, role, NULL);
    if (role == OFFERING)
        return;
    read_own(&iq, g_strdup_printf(JINGLE("session-accept"), side->name));
    file_session_receive(side->session, &iq, 0);
    jingle_iq_clear(&iq);
}

/* --------------------------------------------------------------------------------- feeding -- */

static void whole(struct side *side, enum role role)
{
    struct file_hash hash = {.algorithm = "sha-256", .value = "QUJD"};

    if (role == OFFERING || role == SENDING) {
        file_session_sent(side->session, side->name, &hash, 1, side->now);
        file_session_stream_closed(side->session, side->name, side->now);
    } else {
        file_session_received(side->session, side->name, side->now);
    }
}

static void obey(struct side *side, enum role role, enum order order)
{
    struct file_session *session = side->session;

    if (order == ORDER_TIME) {
        side->now += 5 * USEC_PER_SEC;
        file_session_tick(session, side->now);
    } else if (order == ORDER_CONNECTED) {
        file_session_connected(session, side->name, side->cid, side->now);
    } else if (order == ORDER_UNCONNECTED) {
        file_session_unconnected(session, side->name, side->now);
    } else if (order == ORDER_PROXY) {
        file_session_proxy_connected(session, side->name, true, side->now);
    } else if (order == ORDER_ACTIVATED) {
        file_session_activated(session, side->name, true, side->now);
    } else if (order == ORDER_OPENED) {
        file_session_opened(session, side->name, true, side->now);
    } else if (order == ORDER_WHOLE) {
        whole(side, role);
    } else {
        file_session_stream_failed(session, side->name, side->now);
    }
}

static void offer_anew(const struct jingle_iq *iq)
{
    struct side side;

    for (size_t i = 0; i < iq->content_count; i++) {
        if (iq->contents[i].application != APPLICATION_FILE)
            return;
    }
    side_new(&side, RECEIVING, iq);
    if (side.session != NULL)
        file_session_free(side.session);
}

static void feed_jingle(struct side *sides, const struct jingle_iq *iq)
{
    for (int i = 0; i < ROLE_COUNT; i++) {
        sides[i].answers = 0;
        file_session_receive(sides[i].session, iq, sides[i].now);
        require(sides[i].answers == 1);
        file_session_answered(sides[i].session, sides[i].tag, NULL, sides[i].now);
    }
    if (iq->action == ACTION_SESSION_INITIATE)
        offer_anew(iq);
}

static void feed(struct side *sides, const xml_node *root)
{
    const xml_node *jingle = xml_child(root, NS_JINGLE, "jingle");
    const xml_node *inband = ibb_stanza_find(root);
    struct stanza_error error;
    struct ibb_stanza stanza;
    struct jingle_iq iq;
    const char *why;

    if (jingle != NULL && jingle_iq_read(&iq, jingle, &error)) {
        feed_jingle(sides, &iq);
        jingle_iq_clear(&iq);
    }
    if (inband == NULL || !ibb_stanza_read(&stanza, inband, &why))
        return;
    for (int i = 0; stanza.kind == IBB_OPEN && i < ROLE_COUNT; i++)
        file_session_open_came(sides[i].session, &stanza, &error, sides[i].now);
    ibb_stanza_clear(&stanza);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct side sides[ROLE_COUNT];

    for (int i = 0; i < ROLE_COUNT; i++)
        make_side(&sides[i], (enum role)i);
    while (size > 0) {
        for (; size > 0 && *data > 0 && *data < ORDER_COUNT; data++, size--) {
            for (int i = 0; i < ROLE_COUNT; i++)
                obey(&sides[i], (enum role)i, (enum order) * data);
        }
        size_t length = strnlen((const char *)data, size);
        struct xml *xml = xml_parse((const char *)data, length);
        if (xml != NULL)
            feed(sides, xml_root(xml));
        xml_free(xml);
        size_t step = length < size ? length + 1 : length;
        data += step;
        size -= step;
    }
    for (int i = 0; i < ROLE_COUNT; i++) {
        file_session_end(sides[i].session, JINGLE_ERROR_CANCELED, sides[i].now);
        require(sides[i].ended == 1);
        file_session_free(sides[i].session);
    }
    return 0;
}
