#include "signaling/file_session.h"

#include <glib.h>
#include <string.h>

#include "signaling/file_session_state.h"
#include "signaling/jid.h"

/* A tag is a number, the content and the action, so that an answer needs no table. */
#define TAG_ACTION_BITS  4
#define TAG_ACTION_MASK  ((1u << TAG_ACTION_BITS) - 1)
#define TAG_CONTENT_BITS 4
#define TAG_CONTENT_MASK ((1u << TAG_CONTENT_BITS) - 1)
_Static_assert(ACTION_COUNT <= TAG_ACTION_MASK + 1, "an action fits into a tag");
_Static_assert(FILE_SESSION_CONTENTS_MAX <= TAG_CONTENT_MASK + 1, "a content fits into a tag");

/* ------------------------------------------------------------------------ life and death -- */

static void keep_proxies(struct file_session *session, const struct s5b_candidate *proxies,
                         size_t count)
{
    session->proxy_count = MIN(count, FILE_PROXIES_MAX);
    for (size_t i = 0; i < session->proxy_count; i++) {
        session->proxies[i] = proxies[i];
        session->proxies[i].jid = g_strdup(proxies[i].jid);
    }
}

struct file_session *file_session_create(const struct file_session_config *config,
                                         const struct file_session_hooks *hooks)
{
    struct file_session *session = g_new0(struct file_session, 1);

    session->hooks = *hooks;
    session->log = config->log;
    session->random = config->random;
    session->own_jid = g_strdup(config->own_jid);
    session->peer = g_strdup(config->peer);
    session->sid = g_strdup(config->sid);
    session->ways = config->ways;
    session->peer_does_s5b = config->peer_does_s5b;
    session->peer_does_inband = config->peer_does_inband;
    session->block_size = config->block_size == 0 ? 4096 : MIN(config->block_size, IBB_BYTES_MAX);
    keep_proxies(session, config->proxies, config->proxy_count);
    session->known_proxies_only = config->known_proxies_only;
    session->deadline = USEC_NEVER;
    return session;
}

struct file_session *file_session_new(const struct file_session_config *config,
                                      const struct file_session_hooks *hooks)
{
    struct file_session *session = file_session_create(config, hooks);

    session->initiator = true;
    return session;
}

struct file_content *file_session_add_content(struct file_session *session, const char *name,
                                              const struct file_description *file, bool we_send)
{
    struct file_content *content = g_new0(struct file_content, 1);

    content->session = session;
    content->name = g_strdup(name);
    content->index = (unsigned)session->content_count;
    content->we_send = we_send;
    content->ways = session->ways;
    content->deadline = USEC_NEVER;
    content->word_deadline = USEC_NEVER;
    file_description_copy(&content->file, file);
    session->contents[session->content_count++] = content;
    return content;
}

const char *file_session_add(struct file_session *session, const struct file_description *file,
                             bool request)
{
    const char *base = request ? "a-file-request" : "a-file-offer";
    char name[32];

    if (session->state != FILE_SESSION_NEW || session->content_count == FILE_SESSION_CONTENTS_MAX)
        return NULL;
    if (session->content_count == 0)
        g_strlcpy(name, base, sizeof(name));
    else
        g_snprintf(name, sizeof(name), "%s-%zu", base, session->content_count + 1);
    return file_session_add_content(session, name, file, !request)->name;
}

static void content_free(struct file_content *content)
{
    file_description_clear(&content->file);
    s5b_clear(&content->own);
    s5b_clear(&content->theirs);
    g_free(content->name);
    g_free(content);
}

void file_session_free(struct file_session *session)
{
    if (session == NULL)
        return;
    for (size_t i = 0; i < session->content_count; i++)
        content_free(session->contents[i]);
    for (size_t i = 0; i < session->proxy_count; i++)
        g_free(session->proxies[i].jid);
    g_free(session->own_jid);
    g_free(session->peer);
    g_free(session->sid);
    g_free(session);
}

/* ------------------------------------------------------------------------------ contents -- */

struct file_content *file_session_content(const struct file_session *session, const char *name)
{
    for (size_t i = 0; name != NULL && i < session->content_count; i++) {
        if (strcmp(session->contents[i]->name, name) == 0)
            return session->contents[i];
    }
    return NULL;
}

/* One that commands may be about. */
static struct file_content *live_content(const struct file_session *session, const char *name)
{
    struct file_content *content = file_session_content(session, name);

    return content != NULL && file_content_is_live(content) ? content : NULL;
}

size_t file_session_live(const struct file_session *session)
{
    size_t count = 0;

    for (size_t i = 0; i < session->content_count; i++)
        count += file_content_is_live(session->contents[i]);
    return count;
}

/* ----------------------------------------------------------------------- sending, telling -- */

bool file_session_is_open(const struct file_session *session)
{
    return session->state == FILE_SESSION_PENDING || session->state == FILE_SESSION_ACTIVE ||
           session->state == FILE_SESSION_LINGERING;
}

unsigned file_session_send(struct file_session *session, const struct file_content *content,
                           struct jingle_iq *iq)
{
    unsigned index = content == NULL ? 0 : content->index;
    unsigned tag = (++session->tags << (TAG_ACTION_BITS + TAG_CONTENT_BITS)) |
                   (index << TAG_ACTION_BITS) | (unsigned)iq->action;

    session->hooks.send(session->hooks.user, session, iq, tag);
    jingle_iq_clear(iq);
    return tag;
}

void file_session_tell(struct file_content *content, struct file_event *event)
{
    struct file_session *session = content->session;

    event->content = content->name;
    session->hooks.event(session->hooks.user, session, event);
}

void file_session_terminate(struct file_session *session, enum reason_condition condition,
                            const char *text)
{
    struct jingle_iq iq;

    if (!file_session_is_open(session))
        return;
    jingle_iq_init(&iq, ACTION_SESSION_TERMINATE, session->sid);
    iq.reason.condition = condition;
    g_strlcpy(iq.reason.text, text, sizeof(iq.reason.text));
    file_session_send(session, NULL, &iq);
}

/* ---------------------------------------------------------------------------- all must end -- */

void file_session_tell_over(struct file_session *session)
{
    struct file_event event = {.type = FILE_EVENT_SESSION_ENDED};

    session->hooks.event(session->hooks.user, session, &event);
}

void file_session_finish(struct file_session *session,
                         const jingle_status statuses[FILE_SESSION_CONTENTS_MAX], jingle_party by,
                         const char *text)
{
    bool was_live[FILE_SESSION_CONTENTS_MAX] = {false};

    if (session->state == FILE_SESSION_ENDED)
        return;
    session->state = FILE_SESSION_ENDED;
    for (size_t i = 0; i < session->content_count; i++) {
        was_live[i] = file_content_is_live(session->contents[i]);
        session->contents[i]->stage = FILE_STAGE_ENDED;
    }
    for (size_t i = 0; i < session->content_count; i++) {
        struct file_event event = {.type = FILE_EVENT_ENDED};
        event.u.ended.status = statuses[i];
        event.u.ended.by = by;
        event.u.ended.text = text;
        if (was_live[i])
            file_session_tell(session->contents[i], &event);
    }
    file_session_tell_over(session);
}

void file_session_finish_all(struct file_session *session, jingle_status status, jingle_party by,
                             const char *text)
{
    jingle_status statuses[FILE_SESSION_CONTENTS_MAX];

    for (size_t i = 0; i < FILE_SESSION_CONTENTS_MAX; i++)
        statuses[i] = status;
    file_session_finish(session, statuses, by, text);
}

void file_session_end(struct file_session *session, jingle_status status, usec now)
{
    bool is_over = session->state == FILE_SESSION_LINGERING;

    (void)now;
    file_session_terminate(session, is_over ? REASON_SUCCESS : file_reason_to_tell(status),
                           is_over ? "" : file_reason_text(status));
    file_session_finish_all(session, status, JINGLE_PARTY_LOCAL, "");
}

void file_session_end_content(struct file_session *session, const char *content,
                              jingle_status status, usec now)
{
    struct file_content *ended = live_content(session, content);

    if (ended != NULL)
        file_content_fail(ended, status, JINGLE_PARTY_LOCAL, file_reason_text(status), now);
}

void file_session_reject(struct file_session *session, const char *content, usec now)
{
    file_session_end_content(session, content, JINGLE_ERROR_REFUSED, now);
}

/* ------------------------------------------------------------------- what byte streams tell -- */

void file_session_received(struct file_session *session, const char *content, usec now)
{
    struct file_content *received = live_content(session, content);

    if (received != NULL && !received->we_send)
        file_content_receive_all(received, now);
}

void file_session_sent(struct file_session *session, const char *content,
                       const struct file_hash *hashes, size_t count, usec now)
{
    struct file_content *sent = live_content(session, content);

    if (sent != NULL && sent->we_send && sent->stage == FILE_STAGE_FLOWING)
        file_content_send_all(sent, hashes, count, now);
}

void file_session_stream_closed(struct file_session *session, const char *content, usec now)
{
    struct file_content *closed = live_content(session, content);

    (void)now;
    if (closed != NULL && closed->stage == FILE_STAGE_SENT)
        closed->stream_closed = true;
}

void file_session_add_candidate(struct file_session *session, const char *content,
                                enum s5b_type type, const char *host, uint16_t port, usec now)
{
    struct file_content *to = live_content(session, content);

    (void)now;
    if (to != NULL)
        file_socks5_add(to, type, host, port);
}

void file_session_connected(struct file_session *session, const char *content, const char *cid,
                            usec now)
{
    struct file_content *connected = live_content(session, content);

    if (connected != NULL)
        file_socks5_connected(connected, cid, now);
}

void file_session_unconnected(struct file_session *session, const char *content, usec now)
{
    struct file_content *unconnected = live_content(session, content);

    if (unconnected != NULL)
        file_socks5_unconnected(unconnected, now);
}

void file_session_proxy_connected(struct file_session *session, const char *content, bool connected,
                                  usec now)
{
    struct file_content *told = live_content(session, content);

    if (told != NULL)
        file_socks5_proxy_connected(told, connected, now);
}

void file_session_activated(struct file_session *session, const char *content, bool activated,
                            usec now)
{
    struct file_content *told = live_content(session, content);

    if (told != NULL)
        file_socks5_activated(told, activated, now);
}

void file_session_stream_failed(struct file_session *session, const char *content, usec now)
{
    struct file_content *failed = live_content(session, content);

    if (failed == NULL)
        return;
    if (failed->path == FILE_PATH_STREAM && failed->stage == FILE_STAGE_FLOWING &&
        session->state == FILE_SESSION_ACTIVE)
        file_socks5_stream_failed(failed, now);
    else if (failed->stage == FILE_STAGE_FLOWING)
        file_content_fail(failed, JINGLE_ERROR_CONNECTION_LOST, JINGLE_PARTY_LOCAL, "", now);
}

void file_session_opened(struct file_session *session, const char *content, bool opened, usec now)
{
    struct file_content *told = live_content(session, content);

    if (told != NULL)
        file_inband_opened(told, opened, now);
}

/* ------------------------------------------------------------------------------- answers -- */

static bool says_gone(const struct stanza_error *error)
{
    return error->jingle == JINGLE_UNKNOWN_SESSION || error->condition == STANZA_GONE ||
           error->condition == STANZA_SERVICE_UNAVAILABLE ||
           error->condition == STANZA_RECIPIENT_UNAVAILABLE ||
           error->condition == STANZA_REMOTE_SERVER_NOT_FOUND;
}

/* They may still have the session unless they say that they have none. */
static void setup_failed(struct file_session *session, const struct stanza_error *error)
{
    if (!says_gone(error) &&
        (session->state == FILE_SESSION_ACTIVE || error->condition == STANZA_REMOTE_SERVER_TIMEOUT))
        file_session_terminate(session, REASON_FAILED_APPLICATION, "");
    file_session_finish_all(session, file_error_meaning(error), JINGLE_PARTY_REMOTE, error->text);
}

/* The peer has no such session (any more). */
static void peer_forgot(struct file_session *session)
{
    jingle_status statuses[FILE_SESSION_CONTENTS_MAX] = {JINGLE_OK};

    for (size_t i = 0; i < session->content_count; i++) {
        const struct file_content *content = session->contents[i];
        if (content->stage == FILE_STAGE_FLOWING)
            statuses[i] = JINGLE_ERROR_CONNECTION_LOST;
        else if (content->stage != FILE_STAGE_SENT)
            statuses[i] = JINGLE_ERROR_GONE;
        else if (!content->stream_closed)
            statuses[i] = JINGLE_ERROR_NO_ANSWER;
    }
    file_session_finish(session, statuses, JINGLE_PARTY_REMOTE, "");
}

/* Then they have had our session-accept, whatever an error says. */
static bool has_begun(const struct file_session *session)
{
    for (size_t i = 0; i < session->content_count; i++) {
        if (file_content_progress(session->contents[i]) >= FILE_PROGRESS_FLOWING)
            return true;
    }
    return false;
}

static void failed(struct file_session *session, enum jingle_action action,
                   struct file_content *content, unsigned tag, const struct stanza_error *error,
                   usec now)
{
    log_info(session->log, "%s answers our %s with %s %s %s", session->peer,
             jingle_action_name(action), stanza_condition_name(error->condition),
             jingle_condition_name(error->jingle), error->text);
    if ((action == ACTION_SESSION_INITIATE || action == ACTION_SESSION_ACCEPT) &&
        !has_begun(session))
        setup_failed(session, error);
    else if (error->jingle == JINGLE_UNKNOWN_SESSION)
        peer_forgot(session);
    else if (says_gone(error))
        file_session_peer_gone(session, now);
    else if (tag == content->used_tag && file_content_is_live(content))
        file_socks5_refused(content, now);
    else if (tag == content->replace_tag && file_content_is_live(content))
        file_replace_refused(content, error, now);
    else if (tag == content->ping_tag)
        content->ping_tag = 0; /* they are there, and do not know pings */
    else if (action == ACTION_TRANSPORT_ACCEPT && file_content_is_live(content))
        file_content_fail(content, JINGLE_ERROR_NO_PATH, JINGLE_PARTY_REMOTE, error->text, now);
}

void file_session_answered(struct file_session *session, unsigned tag,
                           const struct stanza_error *error, usec now)
{
    enum jingle_action action = (enum jingle_action)(tag & TAG_ACTION_MASK);
    unsigned index = (tag >> TAG_ACTION_BITS) & TAG_CONTENT_MASK;

    if (!file_session_is_open(session) || action == ACTION_SESSION_TERMINATE ||
        index >= session->content_count)
        return;
    struct file_content *content = session->contents[index];
    if (error != NULL) {
        failed(session, action, content, tag, error, now);
    } else if (tag == content->ping_tag) {
        content->ping_tag = 0;
    } else if (action == ACTION_SESSION_INITIATE) {
        session->initiate_acked = true;
        for (size_t i = 0; i < session->content_count; i++)
            file_socks5_flush(session->contents[i]);
    }
}

/* ---------------------------------------------------------------------------------- time -- */

usec file_session_next_deadline(const struct file_session *session)
{
    usec next = session->deadline;

    for (size_t i = 0; i < session->content_count; i++) {
        const struct file_content *content = session->contents[i];
        if (file_content_is_live(content))
            next = MIN(next, MIN(content->deadline, content->word_deadline));
    }
    return session->state == FILE_SESSION_ENDED ? USEC_NEVER : next;
}

static void expire(struct file_session *session)
{
    session->deadline = USEC_NEVER;
    if (session->state == FILE_SESSION_LINGERING) {
        file_session_terminate(session, REASON_SUCCESS, "");
        file_session_finish_all(session, JINGLE_OK, JINGLE_PARTY_LOCAL, "");
        return;
    }
    log_info(session->log, "Nobody answered the offer of files in time");
    file_session_terminate(session, REASON_TIMEOUT, "");
    file_session_finish_all(session, JINGLE_ERROR_NO_ANSWER,
                            session->initiator ? JINGLE_PARTY_REMOTE : JINGLE_PARTY_LOCAL, "");
}

void file_session_tick(struct file_session *session, usec now)
{
    if (session->state != FILE_SESSION_ENDED && now >= session->deadline)
        expire(session);
    for (size_t i = 0; i < session->content_count; i++) {
        struct file_content *content = session->contents[i];
        if (file_content_is_live(content) && now >= content->word_deadline)
            file_socks5_word_due(content, now);
        if (file_content_is_live(content) && now >= content->deadline)
            file_content_expire(content, now);
    }
}

/* Bytes in SOCKS5 do not depend on the peer's stanzas; those in-band do. */
void file_session_peer_gone(struct file_session *session, usec now)
{
    if (session->state == FILE_SESSION_LINGERING || session->state == FILE_SESSION_PENDING) {
        file_session_terminate(session, REASON_GONE, "");
        file_session_finish_all(session, JINGLE_ERROR_GONE, JINGLE_PARTY_REMOTE, "");
    }
    for (size_t i = 0; i < session->content_count; i++) {
        struct file_content *content = session->contents[i];
        if (!file_content_is_live(content))
            continue;
        if (content->stage == FILE_STAGE_AGREED)
            file_content_fail(content, JINGLE_ERROR_GONE, JINGLE_PARTY_REMOTE, "", now);
        else if (content->path == FILE_PATH_INBAND)
            file_content_fail(content, JINGLE_ERROR_CONNECTION_LOST, JINGLE_PARTY_REMOTE, "", now);
    }
}

/* --------------------------------------------------------------------------------- facts -- */

bool file_session_matches(const struct file_session *session, const char *from, const char *sid)
{
    return strcmp(session->sid, sid) == 0 && jid_equal(session->peer, from);
}

bool file_session_has_ended(const struct file_session *session)
{
    return session->state == FILE_SESSION_ENDED;
}

const char *file_session_peer(const struct file_session *session)
{
    return session->peer;
}

const char *file_session_sid(const struct file_session *session)
{
    return session->sid;
}

bool file_session_is_initiator(const struct file_session *session)
{
    return session->initiator;
}
