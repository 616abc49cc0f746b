/* What the peer says in a session that carries files: for each action of XEP-0166, 7.2, the answer
 * to the IQ and what follows.
 *
 * An error answers only what is malformed, unknown or out of order, and changes nothing. What is
 * well-formed and refused gets a result and then its Jingle action. */
#include <glib.h>
#include <string.h>

#include "signaling/file_session_state.h"

void file_session_answer(struct file_session *session)
{
    session->hooks.answer(session->hooks.user, session, NULL);
}

static void answer_with(struct file_session *session, const struct stanza_error *error)
{
    log_warning(session->log, "%s gets an error: %s", session->peer, error->text);
    session->hooks.answer(session->hooks.user, session, error);
}

void file_session_answer_error(struct file_session *session, enum stanza_condition condition,
                               enum jingle_condition jingle, const char *text)
{
    struct stanza_error error = stanza_error_make(condition, jingle, text);

    answer_with(session, &error);
}

void file_session_answer_out_of_order(struct file_session *session, const struct jingle_iq *iq)
{
    char text[STANZA_ERROR_TEXT];

    g_snprintf(text, sizeof(text), "%s is not expected now", jingle_action_name(iq->action));
    file_session_answer_error(session, STANZA_UNEXPECTED_REQUEST, JINGLE_OUT_OF_ORDER, text);
}

/* ------------------------------------------------------------------------ transport-info -- */

static bool info_fault(const struct file_session *session, const struct jingle_content *in,
                       struct stanza_error *error)
{
    const struct file_content *content = file_session_content(session, in->name);

    if (content == NULL) {
        *error = stanza_error_make(STANZA_ITEM_NOT_FOUND, JINGLE_CONDITION_NONE,
                                   "transport-info about an unknown content");
        return true;
    }
    if (!file_content_is_live(content) || in->transport != TRANSPORT_S5B)
        return false;
    return file_socks5_fault(content, &in->s5b, error);
}

static void receive_transport_info(struct file_session *session, const struct jingle_iq *iq,
                                   usec now)
{
    struct stanza_error error;

    for (size_t i = 0; i < iq->content_count; i++) {
        if (info_fault(session, &iq->contents[i], &error)) {
            answer_with(session, &error);
            return;
        }
    }
    file_session_answer(session);
    for (size_t i = 0; i < iq->content_count; i++) {
        const struct jingle_content *in = &iq->contents[i];
        struct file_content *content = file_session_content(session, in->name);
        if (in->transport != TRANSPORT_S5B)
            log_info(session->log, "%s sends a transport-info of no use", session->peer);
        /* One that is named twice may have changed by now. */
        else if (file_content_is_live(content) && !file_socks5_fault(content, &in->s5b, &error))
            file_socks5_receive(content, &in->s5b, now);
    }
}

/* -------------------------------------------------------------------------------- contents -- */

static bool knows_all(const struct file_session *session, const struct jingle_iq *iq)
{
    for (size_t i = 0; i < iq->content_count; i++) {
        if (file_session_content(session, iq->contents[i].name) == NULL)
            return false;
    }
    return true;
}

/* content-remove, and content-reject, which is for content-add and means the same here. */
static void receive_remove(struct file_session *session, const struct jingle_iq *iq, usec now)
{
    if (!knows_all(session, iq)) {
        file_session_answer_error(session, STANZA_ITEM_NOT_FOUND, JINGLE_CONDITION_NONE,
                                  "an unknown content is removed");
        return;
    }
    file_session_answer(session);
    for (size_t i = 0; i < iq->content_count; i++) {
        struct file_content *content = file_session_content(session, iq->contents[i].name);
        if (!file_content_is_live(content))
            continue;
        jingle_status status = file_reason_meaning(
            iq->reason.condition, file_content_progress(content), session->initiator);
        file_content_removed(content, status, iq->reason.text, now);
    }
}

/* More files come in sessions of their own. */
static void refuse_add(struct file_session *session, const struct jingle_iq *iq)
{
    struct jingle_iq reject;

    file_session_answer(session);
    log_info(session->log, "A file that %s adds to a session is rejected", session->peer);
    jingle_iq_init(&reject, ACTION_CONTENT_REJECT, session->sid);
    for (size_t i = 0; i < iq->content_count; i++)
        jingle_iq_add(&reject, iq->contents[i].name, iq->contents[i].creator);
    reject.reason.condition = REASON_DECLINE;
    file_session_send(session, NULL, &reject);
}

/* ---------------------------------------------------------------------------- session-info -- */

/* Clients leave the name out (Gajim) or make one up (Conversations): with one content it is clear.
 */
static struct file_content *info_content(const struct file_session *session,
                                         const struct jingle_iq *iq)
{
    struct file_content *content = file_session_content(session, iq->info_name);

    if (content == NULL && session->content_count == 1)
        content = session->contents[0];
    return content != NULL && file_content_is_live(content) ? content : NULL;
}

static void receive_checksum(const struct file_session *session, const struct jingle_iq *iq)
{
    struct file_event event = {.type = FILE_EVENT_CHECKSUM};
    struct file_content *content = info_content(session, iq);

    if (content == NULL || content->we_send || !file_content_is_agreed(content)) {
        log_info(session->log, "%s sends a checksum of no use", session->peer);
        return;
    }
    event.u.checksum.hashes = iq->checksum.hashes;
    event.u.checksum.count = iq->checksum.hash_count;
    file_session_tell(content, &event);
}

static void receive_received(const struct file_session *session, const struct jingle_iq *iq,
                             usec now)
{
    struct file_content *content = info_content(session, iq);

    if (content != NULL && content->we_send &&
        file_content_progress(content) >= FILE_PROGRESS_FLOWING)
        file_content_was_received(content, now);
    else
        log_info(session->log, "%s has received what was not sent", session->peer);
}

static void receive_session_info(struct file_session *session, const struct jingle_iq *iq, usec now)
{
    if (iq->info != INFO_NONE && iq->info != INFO_CHECKSUM && iq->info != INFO_RECEIVED) {
        file_session_answer_error(session, STANZA_FEATURE_NOT_IMPLEMENTED, JINGLE_UNSUPPORTED_INFO,
                                  "session-info that is not about files");
        return;
    }
    file_session_answer(session);
    if (iq->info == INFO_CHECKSUM)
        receive_checksum(session, iq);
    else if (iq->info == INFO_RECEIVED)
        receive_received(session, iq, now);
}

/* ----------------------------------------------------------------------- session-terminate -- */

/* Success, while the last bytes may still be under way to us, or the news of them from our own
 * stream. */
static bool is_early(const struct file_content *content, const struct jingle_iq *iq)
{
    return iq->reason.condition == REASON_SUCCESS && content->stage == FILE_STAGE_FLOWING &&
           !content->received_early;
}

/* What the peer's word means to one file; whoever has said <received/> has it. */
static jingle_status meaning(const struct file_content *content, const struct jingle_iq *iq)
{
    if (content->received_early && iq->reason.condition == REASON_SUCCESS)
        return JINGLE_OK;
    return file_reason_meaning(iq->reason.condition, file_content_progress(content),
                               content->session->initiator);
}

static void close_early(struct file_session *session, const struct jingle_iq *iq, usec now)
{
    session->state = FILE_SESSION_CLOSED;
    for (size_t i = 0; i < session->content_count; i++) {
        struct file_content *content = session->contents[i];
        if (!file_content_is_live(content))
            continue;
        if (is_early(content, iq))
            file_content_await_last_byte(content, now);
        else
            file_content_removed(content, meaning(content, iq), "", now);
    }
}

static void receive_terminate(struct file_session *session, const struct jingle_iq *iq, usec now)
{
    jingle_status statuses[FILE_SESSION_CONTENTS_MAX] = {JINGLE_OK};

    file_session_answer(session);
    for (size_t i = 0; i < session->content_count; i++) {
        if (is_early(session->contents[i], iq)) {
            close_early(session, iq, now);
            return;
        }
        statuses[i] = meaning(session->contents[i], iq);
    }
    file_session_finish(session, statuses, JINGLE_PARTY_REMOTE, iq->reason.text);
}

/* -------------------------------------------------------------------------------- actions -- */

/* Both may hang up at once, or twice: nobody is helped by an error. */
static void answer_unknown(struct file_session *session, const struct jingle_iq *iq)
{
    if (iq->action == ACTION_SESSION_TERMINATE)
        file_session_answer(session);
    else
        file_session_answer_error(session, STANZA_ITEM_NOT_FOUND, JINGLE_UNKNOWN_SESSION,
                                  "the session has ended");
}

void file_session_receive(struct file_session *session, const struct jingle_iq *iq, usec now)
{
    if (!file_session_is_open(session)) {
        answer_unknown(session, iq);
        return;
    }
    switch (iq->action) {
    case ACTION_SESSION_ACCEPT:
        file_session_receive_accept(session, iq, now);
        break;
    case ACTION_SESSION_INFO:
        receive_session_info(session, iq, now);
        break;
    case ACTION_SESSION_TERMINATE:
        receive_terminate(session, iq, now);
        break;
    case ACTION_TRANSPORT_INFO:
        receive_transport_info(session, iq, now);
        break;
    case ACTION_TRANSPORT_REPLACE:
        file_session_receive_replace(session, iq, now);
        break;
    case ACTION_TRANSPORT_ACCEPT:
        file_session_receive_transport_accept(session, iq, now);
        break;
    case ACTION_TRANSPORT_REJECT:
        file_session_receive_transport_reject(session, iq, now);
        break;
    case ACTION_CONTENT_ADD:
        refuse_add(session, iq);
        break;
    case ACTION_CONTENT_REJECT:
    case ACTION_CONTENT_REMOVE:
        receive_remove(session, iq, now);
        break;
    case ACTION_DESCRIPTION_INFO:
    case ACTION_SECURITY_INFO:
        file_session_answer(session); /* hints that nothing depends on */
        break;
    case ACTION_CONTENT_MODIFY:
        file_session_answer_error(session, STANZA_FEATURE_NOT_IMPLEMENTED, JINGLE_CONDITION_NONE,
                                  "who sends a file cannot change");
        break;
    /* Answers to what we never asked, and a session that is there already. */
    case ACTION_CONTENT_ACCEPT:
    case ACTION_SESSION_INITIATE:
    case ACTION_COUNT:
        file_session_answer_out_of_order(session, iq);
        break;
    }
}
