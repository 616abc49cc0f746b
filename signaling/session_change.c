/* Contents of an accepted session that change and go (XEP-0166, 7.2.3 and 7.2.5), and what that has
 * in common with those that come: session_add.c. */
#include <glib.h>
#include <string.h>

#include "signaling/session_state.h"

/* How often the peer is told that a content stays refused. */
#define MODIFY_REFUSALS_MAX 3

/* ------------------------------------------------------------------------- what is common -- */

/* One content without description and transport. */
static struct jingle_content *name_content(struct jingle_iq *iq, const struct session *session,
                                           enum jingle_action action, const struct content *content)
{
    jingle_iq_init(iq, action, session->sid);
    return jingle_iq_add(iq, content->name, content->creator);
}

unsigned session_send_named(struct session *session, enum jingle_action action,
                            const struct content *content, enum reason_condition condition)
{
    struct jingle_iq iq;

    name_content(&iq, session, action, content);
    iq.reason.condition = condition;
    return session_send(session, &iq);
}

static bool is_agreed_left(const struct session *session)
{
    for (size_t i = 0; i < session->content_count; i++) {
        enum content_state state = session->contents[i]->state;
        if (state == CONTENT_OFFERED || state == CONTENT_AGREED)
            return true;
    }
    return false;
}

/* Dino offers SDES beside DTLS, and is alone with that. */
bool session_is_dino(const struct session *session)
{
    for (size_t i = 0; i < session->content_count; i++) {
        if (session->contents[i]->remote.encryption)
            return true;
    }
    return false;
}

void content_take_out(struct session *session, struct content *content)
{
    content->state = CONTENT_REMOVED;
    content->deadline = USEC_NEVER;
    session_release(session, content);
}

void content_refused(struct session *session, struct content *content, jingle_reason reason)
{
    content_take_out(session, content);
    content_tell_gone(session, content, SESSION_EVENT_CONTENT_REFUSED, reason, JINGLE_PARTY_REMOTE);
}

/* In a race with our removal the peer may still accept, reject or remove: that is no fault. */
bool session_is_stale(const struct session *session, const struct jingle_iq *iq)
{
    bool any = iq->content_count > 0;

    for (size_t i = 0; !any && i < session->content_count; i++) {
        const struct content *content = session->contents[i];
        any = content->state == CONTENT_REMOVED && content->add_tag != 0;
    }
    if (!any)
        return false;
    for (size_t i = 0; i < iq->content_count; i++) {
        const struct jingle_content *in = &iq->contents[i];
        if (session_meant(session, in) != NULL || !session_had_content(session, in->name))
            return false;
    }
    return true;
}

bool session_knows_all(const struct session *session, const struct jingle_iq *iq)
{
    for (size_t i = 0; i < iq->content_count; i++) {
        if (session_meant(session, &iq->contents[i]) == NULL)
            return false;
    }
    return true;
}

/* What the peer's reason means for one content: the session goes on. */
jingle_reason content_refusal(enum reason_condition condition)
{
    switch (condition) {
    case REASON_BUSY:
        return JINGLE_REASON_BUSY;
    case REASON_SECURITY_ERROR:
        return JINGLE_REASON_SECURITY;
    case REASON_FAILED_TRANSPORT:
    case REASON_CONNECTIVITY_ERROR:
        return JINGLE_REASON_NO_PATH;
    case REASON_TIMEOUT:
    case REASON_EXPIRED:
        return JINGLE_REASON_NO_ANSWER;
    case REASON_FAILED_APPLICATION:
    case REASON_INCOMPATIBLE_PARAMETERS:
    case REASON_MEDIA_ERROR:
    case REASON_UNSUPPORTED_APPLICATIONS:
    case REASON_UNSUPPORTED_TRANSPORTS:
        return JINGLE_REASON_INCOMPATIBLE;
    default:
        return JINGLE_REASON_DECLINED;
    }
}

/* An error in answer to content-add: some clients have no other way to refuse. */
static jingle_reason error_refusal(const struct stanza_error *error)
{
    jingle_reason reason = session_error_meaning(error);

    if (reason == JINGLE_REASON_REPLACED || reason == JINGLE_REASON_DECLINED ||
        reason == JINGLE_REASON_BUSY || reason == JINGLE_REASON_SECURITY)
        return reason;
    if (reason == JINGLE_REASON_OFFLINE || reason == JINGLE_REASON_UNREACHABLE)
        return JINGLE_REASON_NO_ANSWER;
    return JINGLE_REASON_INCOMPATIBLE;
}

/* ------------------------------------------------------------------------------- removing -- */

/* XEP-0166, 7.2.5: with the last content goes the session. Gajim hangs up like this. */
void receive_content_remove(struct session *session, const struct jingle_iq *iq)
{
    jingle_reason meaning = content_refusal(iq->reason.condition);
    struct content *gone[JINGLE_CONTENTS_MAX];
    size_t count = 0;

    if (!session_knows_all(session, iq) && !session_is_stale(session, iq)) {
        answer_error(session, STANZA_ITEM_NOT_FOUND, JINGLE_CONDITION_NONE,
                     "content-remove of an unknown content");
        return;
    }
    answer_result(session);
    enum content_state before[JINGLE_CONTENTS_MAX];
    for (size_t i = 0; i < iq->content_count; i++) {
        struct content *content = session_meant(session, &iq->contents[i]);
        if (content == NULL)
            continue;
        before[count] = content->state;
        gone[count++] = content;
        content_take_out(session, content);
    }
    if (!is_agreed_left(session) && count > 0) {
        jingle_reason reason =
            reason_meaning(&iq->reason, session_progress(session), session->initiator);
        struct jingle_iq terminate;
        jingle_iq_init(&terminate, ACTION_SESSION_TERMINATE, session->sid);
        terminate.reason.condition = REASON_SUCCESS;
        session_send(session, &terminate);
        session_tell_ended(session, reason, JINGLE_PARTY_REMOTE, iq->reason.text);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (before[i] == CONTENT_ADDING)
            content_tell_gone(session, gone[i], SESSION_EVENT_CONTENT_REFUSED, meaning,
                              JINGLE_PARTY_REMOTE);
        else if (before[i] == CONTENT_AGREED || before[i] == CONTENT_ADDED)
            content_tell_gone(session, gone[i], SESSION_EVENT_CONTENT_REMOVED, JINGLE_REASON_HANGUP,
                              JINGLE_PARTY_REMOTE);
    }
}

/* Is content-remove something that the peer lives with? Conversations ends the call over it, Dino
 * answers with an error and goes on sending; neither says who it is in its session-accept, and Dino
 * offers SDES. */
static bool takes_removal(const struct session *session)
{
    return session->named && !session_is_dino(session);
}

static bool is_last(const struct session *session, struct content *content)
{
    enum content_state state = content->state;

    content->state = CONTENT_REMOVED;
    bool left = is_agreed_left(session);
    content->state = state;
    return !left;
}

static enum content_removal remove_agreed(struct session *session, struct content *content)
{
    if (is_last(session, content)) {
        session_end(session, JINGLE_REASON_HANGUP);
        return CONTENT_IS_GONE;
    }
    if (content->accepting) {
        session_send_named(session, ACTION_CONTENT_REJECT, content, REASON_DECLINE);
    } else if (takes_removal(session)) {
        session_send_named(session, ACTION_CONTENT_REMOVE, content, REASON_SUCCESS);
    } else {
        bool receives = content_we_receive(session, content);
        if (!session_content_set_senders(session, content->name, false, receives))
            session_send_info(session, INFO_MUTE, content->name);
        return CONTENT_IS_KEPT;
    }
    content_take_out(session, content);
    return CONTENT_IS_GONE;
}

enum content_removal session_content_remove(struct session *session, const char *name)
{
    struct content *content = session_content(session, name);

    if (content == NULL || session->state != SESSION_ACTIVE)
        return CONTENT_IS_GONE;
    switch (content->state) {
    case CONTENT_ADDING:
        if (content->add_tag != 0)
            session_send_named(session, ACTION_CONTENT_REMOVE, content, REASON_CANCEL);
        content_take_out(session, content);
        return CONTENT_IS_GONE;
    case CONTENT_ADDED:
        session_content_reject(session, name, JINGLE_REASON_DECLINED);
        return CONTENT_IS_GONE;
    case CONTENT_AGREED:
        return remove_agreed(session, content);
    default:
        return CONTENT_IS_GONE;
    }
}

/* ---------------------------------------------------------------------------- who sends -- */

static void send_modify(struct session *session, struct content *content, enum senders senders)
{
    struct jingle_iq iq;
    struct jingle_content *out = name_content(&iq, session, ACTION_CONTENT_MODIFY, content);

    out->senders = senders;
    out->has_senders = true;
    content->modify_tag = session_send(session, &iq);
}

bool session_content_set_senders(struct session *session, const char *name, bool we_send,
                                 bool we_receive)
{
    struct content *content = session_content(session, name);

    if (content == NULL || content->state != CONTENT_AGREED || session->state != SESSION_ACTIVE)
        return false;
    content->silent = !we_send;
    /* Conversations ends the call if its own direction is touched. */
    if (!session->named)
        we_receive = content_we_receive(session, content);
    enum senders senders = senders_of(session->initiator, we_send, we_receive);
    bool is_error_to_dino = senders == SENDERS_NONE && session->bundle.count == 0;
    if (!session->modifies || is_error_to_dino)
        return false;
    if (senders == content->senders)
        return true;
    content->senders = senders;
    send_modify(session, content, senders);
    return true;
}

/* Everything may be changed but what is refused; that we change back. */
static void modify_content(struct session *session, struct content *content, enum senders senders)
{
    struct session_event event = {.type = SESSION_EVENT_SENDERS};

    if (content->state == CONTENT_REFUSED) {
        if (senders == SENDERS_NONE || content->modify_refusals >= MODIFY_REFUSALS_MAX)
            return;
        content->modify_refusals++;
        send_modify(session, content, SENDERS_NONE);
        return;
    }
    content->senders = senders;
    event.u.senders.content = content->name;
    event.u.senders.we_send = content_we_send(session, content);
    event.u.senders.we_receive = content_we_receive(session, content);
    if (content->state == CONTENT_AGREED)
        session_tell(session, &event);
}

/* XEP-0166, 7.2.16, again: theirs has crossed one of ours that says something else. */
static bool crosses_modify(const struct session *session, const struct jingle_iq *iq)
{
    for (size_t i = 0; session->initiator && i < iq->content_count; i++) {
        const struct content *content = session_meant(session, &iq->contents[i]);
        if (content != NULL && content->modify_tag != 0 && content->state == CONTENT_AGREED &&
            content->senders != iq->contents[i].senders)
            return true;
    }
    return false;
}

void receive_content_modify(struct session *session, const struct jingle_iq *iq)
{
    if (!session_knows_all(session, iq)) {
        answer_error(session, STANZA_ITEM_NOT_FOUND, JINGLE_CONDITION_NONE,
                     "content-modify of an unknown content");
        return;
    }
    if (crosses_modify(session, iq)) {
        answer_error(session, STANZA_CONFLICT, JINGLE_TIE_BREAK, "both change who sends");
        return;
    }
    answer_result(session);
    learn_creators(session, iq);
    session->modifies = true;
    for (size_t i = 0; i < iq->content_count && session->state != SESSION_ENDED; i++) {
        struct content *content = session_meant(session, &iq->contents[i]);
        if (content != NULL)
            modify_content(session, content, iq->contents[i].senders);
    }
}

/* ------------------------------------------------------------------------ answers and time -- */

/* They do not have what we accepted: they took it back, or lost it. */
static void lose_accepted(struct session *session, struct content *content)
{
    bool last = is_last(session, content);

    content->accept_tag = 0;
    content_take_out(session, content);
    if (last)
        session_end(session, JINGLE_REASON_HANGUP);
    else
        content_tell_gone(session, content, SESSION_EVENT_CONTENT_REMOVED, JINGLE_REASON_HANGUP,
                          JINGLE_PARTY_REMOTE);
}

static void add_answered(struct session *session, struct content *content,
                         const struct stanza_error *error)
{
    content->add_acked = true;
    if (content->yields && error == NULL)
        session_send_named(session, ACTION_CONTENT_REMOVE, content, REASON_CANCEL);
    if (content->state == CONTENT_ADDING && error != NULL)
        content_refused(session, content, error_refusal(error));
}

void session_change_answered(struct session *session, unsigned tag,
                             const struct stanza_error *error)
{
    for (size_t i = 0; i < session->content_count; i++) {
        struct content *content = session->contents[i];
        if (content->add_tag == tag) {
            add_answered(session, content, error);
            return;
        }
        if (content->state == CONTENT_REMOVED)
            continue;
        if (content->accept_tag == tag && error != NULL) {
            lose_accepted(session, content);
            return;
        }
        if (content->modify_tag == tag) {
            content->modify_tag = 0;
            session->modifies = session->modifies || error == NULL;
            return;
        }
    }
}

usec session_changes_deadline(const struct session *session)
{
    usec deadline = USEC_NEVER;

    for (size_t i = 0; session->state == SESSION_ACTIVE && i < session->content_count; i++)
        deadline = MIN(deadline, session->contents[i]->deadline);
    return deadline;
}

void session_tick_changes(struct session *session, usec now)
{
    size_t count = session->content_count;

    for (size_t i = 0; i < count && session->state == SESSION_ACTIVE; i++) {
        struct content *content = session->contents[i];
        if (now < content->deadline)
            continue;
        session_send_named(session, ACTION_CONTENT_REMOVE, content, REASON_EXPIRED);
        content_refused(session, content, JINGLE_REASON_NO_ANSWER);
    }
}
