/* One file of a session: its bytes and its end. Who knows first that all is there says so: the
 * receiver by <received/> and, with the last file, session-terminate success; a sender that hears
 * neither asks by pings whether anybody is there. */
#include <glib.h>
#include <string.h>

#include "signaling/file_session_state.h"

bool file_content_is_live(const struct file_content *content)
{
    return content->stage != FILE_STAGE_ENDED;
}

bool file_content_is_agreed(const struct file_content *content)
{
    return content->stage == FILE_STAGE_AGREED || content->stage == FILE_STAGE_FLOWING;
}

enum file_progress file_content_progress(const struct file_content *content)
{
    switch (content->stage) {
    case FILE_STAGE_AGREED:
        return FILE_PROGRESS_CONNECTING;
    case FILE_STAGE_FLOWING:
        return FILE_PROGRESS_FLOWING;
    case FILE_STAGE_SENT:
        return FILE_PROGRESS_SENT;
    case FILE_STAGE_OFFERED:
    case FILE_STAGE_DECIDED:
    case FILE_STAGE_ENDED:
        break;
    }
    return FILE_PROGRESS_OFFERED;
}

/* Everything is the initiator's creation, for content-add is refused. */
struct jingle_content *file_content_iq(struct jingle_iq *iq, struct file_content *content,
                                       enum jingle_action action)
{
    jingle_iq_init(iq, action, content->session->sid);
    return jingle_iq_add(iq, content->name, CREATOR_INITIATOR);
}

/* ---------------------------------------------------------------------------------- ends -- */

/* What follows for the session, and for the peer. */
enum farewell {
    FAREWELL_FAILED,   /* tell the peer: by content-remove, or the last one by session-terminate */
    FAREWELL_RECEIVED, /* the last one: session-terminate success */
    FAREWELL_SENT,     /* the last one: the peer will terminate */
    FAREWELL_REMOVED,  /* the peer knows; the last one: there is nothing left, terminate */
};

struct ending {
    enum farewell farewell;
    enum reason_condition condition; /* FAILED: what the peer is told */
    jingle_status status;
    jingle_party by;
    const char *text;
};

static void send_remove(struct file_content *content, enum reason_condition condition,
                        const char *text)
{
    struct file_session *session = content->session;
    struct jingle_iq iq;

    /* What is not in session-accept is refused by that. */
    if (!file_session_is_open(session) ||
        (!session->initiator && session->state == FILE_SESSION_PENDING))
        return;
    file_content_iq(&iq, content, ACTION_CONTENT_REMOVE);
    iq.reason.condition = condition;
    g_strlcpy(iq.reason.text, text, sizeof(iq.reason.text));
    file_session_send(session, content, &iq);
}

/* The stanza for the peer, if there is one to send. */
static void say_farewell(struct file_content *content, const struct ending *ending, bool is_last)
{
    struct file_session *session = content->session;
    const char *text = ending->by == JINGLE_PARTY_LOCAL ? ending->text : "";

    if (ending->farewell == FAREWELL_FAILED && !is_last)
        send_remove(content, ending->condition, text);
    else if (ending->farewell == FAREWELL_FAILED)
        file_session_terminate(session, ending->condition, text);
    else if (ending->farewell == FAREWELL_RECEIVED && is_last)
        file_session_terminate(session, REASON_SUCCESS, "");
    else if (ending->farewell == FAREWELL_REMOVED && is_last)
        file_session_terminate(session, session->has_success ? REASON_SUCCESS : REASON_CANCEL, "");
}

static void end(struct file_content *content, const struct ending *ending, usec now)
{
    struct file_session *session = content->session;
    struct file_event event = {.type = FILE_EVENT_ENDED};

    content->stage = FILE_STAGE_ENDED;
    session->has_success = session->has_success || ending->status == JINGLE_OK;
    bool is_last = file_session_live(session) == 0;
    say_farewell(content, ending, is_last);
    bool lingers =
        is_last && ending->farewell == FAREWELL_SENT && session->state == FILE_SESSION_ACTIVE;
    if (lingers) {
        session->state = FILE_SESSION_LINGERING;
        session->deadline = now + FILE_FAREWELL_LIMIT;
    } else if (is_last) {
        session->state = FILE_SESSION_ENDED;
    }
    event.u.ended.status = ending->status;
    event.u.ended.by = ending->by;
    event.u.ended.text = ending->by == JINGLE_PARTY_LOCAL ? "" : ending->text;
    file_session_tell(content, &event);
    if (is_last && !lingers)
        file_session_tell_over(session);
    else if (!is_last)
        file_session_try_accept(session, now);
}

/* It has gone well. */
static void end_well(struct file_content *content, enum farewell farewell, jingle_party by,
                     usec now)
{
    struct ending ending = {.farewell = farewell, .status = JINGLE_OK, .by = by, .text = ""};

    end(content, &ending, now);
}

void file_content_fail_with(struct file_content *content, enum reason_condition condition,
                            jingle_status status, jingle_party by, const char *text, usec now)
{
    struct ending ending = {FAREWELL_FAILED, condition, status, by, text};

    /* The peer has closed the session while we sent: that is why. */
    if (content->session->state == FILE_SESSION_CLOSED && content->we_send) {
        ending.status = JINGLE_ERROR_CANCELED;
        ending.by = JINGLE_PARTY_REMOTE;
    }
    end(content, &ending, now);
}

void file_content_fail(struct file_content *content, jingle_status status, jingle_party by,
                       const char *text, usec now)
{
    file_content_fail_with(content, file_reason_to_tell(status), status, by, text, now);
}

void file_content_removed(struct file_content *content, jingle_status status, const char *text,
                          usec now)
{
    struct ending ending = {
        .farewell = FAREWELL_REMOVED, .status = status, .by = JINGLE_PARTY_REMOTE, .text = text};

    end(content, &ending, now);
}

/* --------------------------------------------------------------------------------- bytes -- */

void file_content_flow(struct file_content *content, enum file_path path, struct file_event *event)
{
    content->path = path;
    content->stage = FILE_STAGE_FLOWING;
    content->deadline = USEC_NEVER;
    content->word_deadline = USEC_NEVER;
    file_session_tell(content, event);
}

/* ------------------------------------------------------------------------------- sending -- */

/* Those that were announced without their value (XEP-0234, 8.1), or all if none was announced. */
static bool is_wanted(const struct file_description *file, const struct file_hash *hash)
{
    for (size_t i = 0; i < file->hash_count; i++) {
        if (strcmp(file->hashes[i].algorithm, hash->algorithm) == 0)
            return *file->hashes[i].value == '\0';
    }
    return file->hash_count == 0;
}

static void send_checksum(struct file_content *content, const struct file_hash *hashes,
                          size_t count)
{
    struct jingle_iq iq;

    jingle_iq_init(&iq, ACTION_SESSION_INFO, content->session->sid);
    iq.info = INFO_CHECKSUM;
    iq.info_name = g_strdup(content->name);
    iq.info_creator = CREATOR_INITIATOR;
    for (size_t i = 0; i < count; i++) {
        if (is_wanted(&content->file, &hashes[i]))
            file_description_add_hash(&iq.checksum, hashes[i].algorithm, hashes[i].value);
    }
    if (iq.checksum.hash_count > 0 && file_session_is_open(content->session))
        file_session_send(content->session, content, &iq);
    else
        jingle_iq_clear(&iq);
}

static void tell_received(struct file_content *content, usec now)
{
    struct file_event event = {.type = FILE_EVENT_RECEIVED};

    file_session_tell(content, &event);
    if (file_content_is_live(content))
        end_well(content, FAREWELL_SENT, JINGLE_PARTY_REMOTE, now);
}

void file_content_send_all(struct file_content *content, const struct file_hash *hashes,
                           size_t count, usec now)
{
    content->stage = FILE_STAGE_SENT;
    content->deadline = now + FILE_FAREWELL_LIMIT;
    if (content->session->state == FILE_SESSION_CLOSED) {
        end_well(content, FAREWELL_REMOVED, JINGLE_PARTY_REMOTE, now);
        return;
    }
    send_checksum(content, hashes, count);
    if (content->received_early)
        file_content_was_received(content, now);
}

void file_content_was_received(struct file_content *content, usec now)
{
    if (content->stage != FILE_STAGE_SENT) {
        content->received_early = true;
        return;
    }
    tell_received(content, now);
}

/* An empty session-info (XEP-0166, 6.8). */
static void ping(struct file_content *content, usec now)
{
    struct jingle_iq iq;

    jingle_iq_init(&iq, ACTION_SESSION_INFO, content->session->sid);
    iq.info = INFO_NONE;
    content->pings++;
    content->deadline = now + FILE_FAREWELL_LIMIT;
    content->ping_tag = file_session_send(content->session, content, &iq);
}

/* All is sent, and the peer has not said anything for a while. That it closed the stream must do
 * for a client that never says more. */
static void expire_sent(struct file_content *content, usec now)
{
    bool is_silent = content->pings > 0 && content->ping_tag != 0;

    if (content->stream_closed)
        end_well(content, FAREWELL_RECEIVED, JINGLE_PARTY_REMOTE, now);
    else if (is_silent || content->pings == FILE_PINGS_MAX)
        file_content_fail(content, JINGLE_ERROR_NO_ANSWER, JINGLE_PARTY_REMOTE, "", now);
    else
        ping(content, now);
}

/* ----------------------------------------------------------------------------- receiving -- */

void file_content_receive_all(struct file_content *content, usec now)
{
    struct file_session *session = content->session;
    struct jingle_iq iq;

    if (!file_content_is_agreed(content))
        return;
    if (file_session_is_open(session)) {
        jingle_iq_init(&iq, ACTION_SESSION_INFO, session->sid);
        iq.info = INFO_RECEIVED;
        iq.info_name = g_strdup(content->name);
        iq.info_creator = CREATOR_INITIATOR;
        file_session_send(session, content, &iq);
    }
    end_well(content, FAREWELL_RECEIVED, JINGLE_PARTY_LOCAL, now);
}

/* ---------------------------------------------------------------------------------- time -- */

void file_content_await_last_byte(struct file_content *content, usec now)
{
    content->deadline = now + (content->we_send ? FILE_LAST_BYTE_LIMIT : FILE_FAREWELL_LIMIT);
}

void file_content_expire(struct file_content *content, usec now)
{
    content->deadline = USEC_NEVER;
    if (content->session->state == FILE_SESSION_CLOSED)
        file_content_fail(content, JINGLE_ERROR_CONNECTION_LOST, JINGLE_PARTY_REMOTE, "", now);
    else if (content->stage == FILE_STAGE_SENT)
        expire_sent(content, now);
    else if (content->stage != FILE_STAGE_AGREED)
        return;
    else if (content->transport == TRANSPORT_S5B && content->path <= FILE_PATH_PROXY_AWAITED)
        file_socks5_expire(content, now);
    else
        file_inband_expire(content, now);
}
