/* One end of a session with files under test: what it sends, answers and tells, kept to look at. */
#ifndef JINGLE_TESTS_FILE_SIDE_H
#define JINGLE_TESTS_FILE_SIDE_H

#include <glib.h>
#include <string.h>

#include "signaling/file_session.h"
#include "signaling/ns.h"
#include "signaling/xml.h"

#define ROMEO  "romeo@montague.lit/orchard"
#define JULIET "juliet@capulet.lit/balcony"

struct file_side {
    struct file_session *session;
    const char *name; /* of its only content, or the last that was offered */
    /* A word a thing: "!action" sent, "=result" or "=condition" answered, an event. */
    GString *log;
    GArray *sent; /* struct jingle_iq */
    GArray *tags;
    unsigned ways;   /* 0: all */
    bool no_s5b;     /* of the peer */
    bool no_inband;  /* of the peer */
    bool has_proxy;  /* of ours */
    bool known_only; /* known_proxies_only */
    unsigned direct; /* candidates that it has to offer */
    uint32_t block_size;
    unsigned net; /* where it is */
    bool is_juliet;
    usec now;
    uint64_t seed;
    struct random_source random;
    /* of the last events that had them */
    jingle_status ended;
    jingle_party ended_by;
    char ended_text[REASON_TEXT_SIZE];
    char addresses[2][S5B_ADDRESS_SIZE];
    char dialed[512]; /* the cids, "a b " */
    char stream[S5B_CID_SIZE];
    char proxy_address[S5B_ADDRESS_SIZE];
    char proxy_host[S5B_HOST_SIZE];
    char target[128];
    uint32_t above;
    struct ibb_transport inband;
    uint64_t offset, length;
    char file_name[64];
    bool requested;
    struct file_hash hash;
    struct stanza_error answer; /* the last one */
    /* What the test wants to be done with an event. */
    void (*then)(struct file_side *side, const struct file_event *event);
    void (*on_send)(struct file_side *side, const struct jingle_iq *iq, unsigned tag);
    void (*on_answer)(struct file_side *side, const struct stanza_error *error);
    void *user;
};

static inline void file_side_fill(void *user, void *out, size_t bytes)
{
    struct file_side *side = user;
    uint8_t *at = out;

    for (size_t i = 0; i < bytes; i++) {
        side->seed = side->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        at[i] = (uint8_t)(side->seed >> 56);
    }
}

/* What a stanza is about, in a word. */
static inline const char *file_side_word(const struct jingle_iq *iq)
{
    static const char *const words[] = {"candidates", "candidate-used", "candidate-error",
                                        "activated", "proxy-error"};

    if (iq->action == ACTION_TRANSPORT_INFO)
        return words[iq->contents[0].s5b.word];
    if (iq->action == ACTION_SESSION_INFO)
        return iq->info == INFO_NONE ? "ping" : jingle_info_name(iq->info);
    return jingle_action_name(iq->action);
}

static inline void file_side_send(void *user, struct file_session *session,
                                  const struct jingle_iq *iq, unsigned tag)
{
    struct file_side *side = user;
    struct jingle_iq copy;

    side->session = session;
    g_string_append_printf(side->log, "!%s", file_side_word(iq));
    if (iq->reason.condition != REASON_NONE)
        g_string_append_printf(side->log, ":%s", reason_condition_name(iq->reason.condition));
    g_string_append_c(side->log, ' ');
    jingle_iq_copy(&copy, iq);
    g_array_append_val(side->sent, copy);
    g_array_append_val(side->tags, tag);
    if (side->on_send != NULL)
        side->on_send(side, iq, tag);
}

static inline void file_side_answer(void *user, struct file_session *session,
                                    const struct stanza_error *error)
{
    struct file_side *side = user;

    (void)session;
    if (error != NULL)
        side->answer = *error;
    if (error == NULL)
        g_string_append(side->log, "=result ");
    else if (error->jingle != JINGLE_CONDITION_NONE)
        g_string_append_printf(side->log, "=%s ", jingle_condition_name(error->jingle));
    else
        g_string_append_printf(side->log, "=%s ", stanza_condition_name(error->condition));
    if (side->on_answer != NULL)
        side->on_answer(side, error);
}

static inline void file_side_listen(struct file_side *side, struct file_session *session,
                                    const struct file_event *event)
{
    char host[32];

    for (size_t i = 0; i < 2; i++)
        g_strlcpy(side->addresses[i], event->u.listen.addresses[i], S5B_ADDRESS_SIZE);
    for (unsigned i = 0; i < side->direct; i++) {
        g_snprintf(host, sizeof(host), "192.0.%u.%u", side->net, i + 1);
        file_session_add_candidate(session, event->content, S5B_DIRECT, host, 5000, side->now);
    }
}

static inline void file_side_dial(struct file_side *side, const struct file_event *event)
{
    *side->dialed = '\0';
    for (size_t i = 0; i < event->u.dial.count; i++) {
        g_strlcat(side->dialed, event->u.dial.candidates[i].cid, sizeof(side->dialed));
        g_strlcat(side->dialed, " ", sizeof(side->dialed));
    }
    for (size_t i = 0; i < 2; i++)
        g_strlcpy(side->addresses[i], event->u.dial.addresses[i], S5B_ADDRESS_SIZE);
}

static inline void file_side_keep(struct file_side *side, struct file_session *session,
                                  const struct file_event *event)
{
    switch (event->type) {
    case FILE_EVENT_OFFERED:
        side->name = event->content;
        side->requested = event->u.offered.requested;
        g_strlcpy(side->file_name,
                  event->u.offered.file->name == NULL ? "" : event->u.offered.file->name,
                  sizeof(side->file_name));
        break;
    case FILE_EVENT_ACCEPTED:
        side->offset = event->u.accepted.offset;
        side->length = event->u.accepted.length;
        g_strlcpy(side->file_name,
                  event->u.accepted.file->name == NULL ? "" : event->u.accepted.file->name,
                  sizeof(side->file_name));
        break;
    case FILE_EVENT_LISTEN:
        file_side_listen(side, session, event);
        break;
    case FILE_EVENT_DIAL:
        file_side_dial(side, event);
        break;
    case FILE_EVENT_DIAL_ABOVE:
        side->above = event->u.priority;
        break;
    case FILE_EVENT_PROXY:
    case FILE_EVENT_ACTIVATE:
        g_strlcpy(side->proxy_address, event->u.proxy.address, sizeof(side->proxy_address));
        g_strlcpy(side->proxy_host, event->u.proxy.candidate->host, sizeof(side->proxy_host));
        g_strlcpy(side->target, event->u.proxy.target, sizeof(side->target));
        break;
    case FILE_EVENT_STREAM:
        g_strlcpy(side->stream, event->u.stream.cid, sizeof(side->stream));
        break;
    case FILE_EVENT_OPEN:
    case FILE_EVENT_INBAND:
        side->inband = *event->u.inband.transport;
        break;
    case FILE_EVENT_CHECKSUM:
        side->hash = event->u.checksum.hashes[0];
        break;
    case FILE_EVENT_ENDED:
        side->ended = event->u.ended.status;
        side->ended_by = event->u.ended.by;
        g_strlcpy(side->ended_text, event->u.ended.text, sizeof(side->ended_text));
        break;
    case FILE_EVENT_NO_SOCKS5:
    case FILE_EVENT_RECEIVED:
    case FILE_EVENT_SESSION_ENDED:
        break;
    }
}

static inline const char *file_side_status(jingle_status status)
{
    static const struct {
        jingle_status status;
        const char *name;
    } names[] = {{JINGLE_OK, "ok"},
                 {JINGLE_ERROR_CANCELED, "canceled"},
                 {JINGLE_ERROR_REFUSED, "refused"},
                 {JINGLE_ERROR_NO_ANSWER, "no-answer"},
                 {JINGLE_ERROR_NO_PATH, "no-path"},
                 {JINGLE_ERROR_CONNECTION_LOST, "lost"},
                 {JINGLE_ERROR_FILE_HASH, "hash"},
                 {JINGLE_ERROR_PEER_FILE, "peer-file"},
                 {JINGLE_ERROR_NO_SPACE, "no-space"},
                 {JINGLE_ERROR_GONE, "gone"},
                 {JINGLE_ERROR_CONTACT_OFFLINE, "offline"},
                 {JINGLE_ERROR_PEER_SERVER, "server"},
                 {JINGLE_ERROR_FORBIDDEN, "forbidden"},
                 {JINGLE_ERROR_NO_FILE_SUPPORT, "unsupported"}};

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (names[i].status == status)
            return names[i].name;
    }
    return "?";
}

static inline void file_side_event(void *user, struct file_session *session,
                                   const struct file_event *event)
{
    static const char *const names[] = {"offered", "accepted", "listen",   "dial",   "above",
                                        "proxy",   "activate", "stream",   "no-s5b", "open",
                                        "inband",  "checksum", "received", "ended",  "over"};
    static const char *const streams[] = {"dialed", "guest", "proxy"};
    struct file_side *side = user;

    g_string_append(side->log, names[event->type]);
    if (event->type == FILE_EVENT_ENDED)
        g_string_append_printf(side->log, ":%s", file_side_status(event->u.ended.status));
    if (event->type == FILE_EVENT_STREAM)
        g_string_append_printf(side->log, ":%s", streams[event->u.stream.from]);
    g_string_append_c(side->log, ' ');
    side->session = session;
    file_side_keep(side, session, event);
    if (side->then != NULL)
        side->then(side, event);
}

static inline void file_side_init(struct file_side *side)
{
    memset(side, 0, sizeof(*side));
    side->log = g_string_new(NULL);
    side->sent = g_array_new(FALSE, FALSE, sizeof(struct jingle_iq));
    side->tags = g_array_new(FALSE, FALSE, sizeof(unsigned));
    side->direct = 1;
    side->net = 2;
    side->has_proxy = true;
    side->seed = 1;
}

static inline void file_side_clear(struct file_side *side)
{
    file_session_free(side->session);
    for (size_t i = 0; i < side->sent->len; i++)
        jingle_iq_clear(&g_array_index(side->sent, struct jingle_iq, i));
    g_array_unref(side->sent);
    g_array_unref(side->tags);
    g_string_free(side->log, TRUE);
}

/* Its session; from `initiate` if that is not NULL. The two sides have proxies of their own. */
static inline void file_side_begin(struct file_side *side, const char *own, const char *peer,
                                   const struct jingle_iq *initiate)
{
    struct s5b_candidate proxy = {.jid = "proxy.here", .port = 7777, .type = S5B_PROXY};
    struct file_session_hooks hooks = {side, file_side_send, file_side_answer, file_side_event};
    struct file_session_config config = {.own_jid = own,
                                         .peer = peer,
                                         .sid = "s1",
                                         .ways = side->ways == 0 ? FILE_WAYS_ALL : side->ways,
                                         .peer_does_s5b = !side->no_s5b,
                                         .peer_does_inband = !side->no_inband,
                                         .known_proxies_only = side->known_only,
                                         .block_size = side->block_size,
                                         .proxies = &proxy,
                                         .proxy_count = side->has_proxy ? 1 : 0,
                                         .random = &side->random};

    side->random = (struct random_source){file_side_fill, side};
    g_snprintf(proxy.host, sizeof(proxy.host), "proxy.of.%.5s", own);
    if (initiate == NULL)
        side->session = file_session_new(&config, &hooks);
    else
        side->session = file_session_new_incoming(&config, &hooks, initiate, side->now);
}

/* ------------------------------------------------------------------------ looking at it -- */

static inline const struct jingle_iq *file_side_sent(const struct file_side *side, size_t back)
{
    return &g_array_index(side->sent, struct jingle_iq, side->sent->len - 1 - back);
}

/* The last IQ that has a transport of SOCKS5 with candidates: the last offer or answer. */
static inline const struct s5b_transport *file_side_own(const struct file_side *side)
{
    for (size_t i = side->sent->len; i > 0; i--) {
        const struct jingle_iq *iq = &g_array_index(side->sent, struct jingle_iq, i - 1);
        if (iq->content_count > 0 && iq->contents[0].transport == TRANSPORT_S5B &&
            iq->action != ACTION_TRANSPORT_INFO)
            return &iq->contents[0].s5b;
    }
    return NULL;
}

/* The answer to the last IQ; NULL is a result. */
static inline void file_side_answered(struct file_side *side, const struct stanza_error *error)
{
    unsigned tag = g_array_index(side->tags, unsigned, side->tags->len - 1);

    file_session_answered(side->session, tag, error, side->now);
}

/* Virtual time passes up to the next limit, once. False if there is none. */
static inline bool file_side_wait(struct file_side *side)
{
    usec next = file_session_next_deadline(side->session);

    if (next == USEC_NEVER)
        return false;
    side->now = MAX(side->now, next);
    file_session_tick(side->session, side->now);
    return true;
}

/* ------------------------------------------------------------------------ speaking to it -- */

/* The first IQ makes the session of an incoming side. False if the XML is malformed Jingle. */
static inline bool file_side_receive(struct file_side *side, const char *text)
{
    struct xml *xml = xml_parse(text, strlen(text));
    struct jingle_iq iq;
    struct stanza_error error;
    bool good = xml != NULL && jingle_iq_read(&iq, xml_root(xml), &error);

    xml_free(xml);
    if (!good)
        return false;
    if (side->session == NULL)
        file_side_begin(side, side->is_juliet ? JULIET : ROMEO, side->is_juliet ? ROMEO : JULIET,
                        &iq);
    else
        file_session_receive(side->session, &iq, side->now);
    jingle_iq_clear(&iq);
    return true;
}

#define JINGLE(action, inner) \
    "<jingle xmlns='" NS_JINGLE "' sid='s1' action='" action "'>" inner "</jingle>"
#define FILE_NS "urn:xmpp:jingle:apps:file-transfer:5"
#define S5B_NS  "urn:xmpp:jingle:transports:s5b:1"
#define IBB_NS  "urn:xmpp:jingle:transports:ibb:1"

#endif
