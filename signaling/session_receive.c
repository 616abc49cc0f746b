/* What the peer says: for each action of XEP-0166, 7.2, the answer to the IQ and what follows.
 *
 * An error answers only what is malformed, unknown or out of order, because real clients end the
 * call on any. What is well-formed and refused gets a result and then its Jingle action. */
#include <glib.h>
#include <string.h>

#include "signaling/jid.h"
#include "signaling/session_state.h"

/* How often the peer is told that a content stays refused. */
#define MODIFY_REFUSALS_MAX 3

static void answer_result(struct session *session)
{
    session->hooks.answer(session->hooks.user, session, NULL);
}

static void answer_error(struct session *session, enum stanza_condition condition,
                         enum jingle_condition jingle, const char *text)
{
    struct stanza_error error = stanza_error_make(condition, jingle, text);

    log_warning(session->log, "%s gets an error: %s", session->peer, text);
    session->hooks.answer(session->hooks.user, session, &error);
}

static void answer_out_of_order(struct session *session, const struct jingle_iq *iq)
{
    char text[STANZA_ERROR_TEXT];

    g_snprintf(text, sizeof(text), "%s is not expected now", jingle_action_name(iq->action));
    answer_error(session, STANZA_UNEXPECTED_REQUEST, JINGLE_OUT_OF_ORDER, text);
}

/* We write the creator that the peer last wrote, for clients differ about it. */
static void learn_creators(struct session *session, const struct jingle_iq *iq)
{
    for (size_t i = 0; i < iq->content_count; i++) {
        struct content *content = session_content(session, iq->contents[i].name);
        if (content != NULL)
            content->creator = iq->contents[i].creator;
    }
}

/* ------------------------------------------------------------------------ session-accept -- */

/* Candidates that came before the answer count if their credentials are the answer's. */
static void take_remote_transport(struct content *content, const struct ice_udp_transport *from)
{
    struct ice_udp_transport fresh;

    content_merge(content, from, &fresh);
    ice_udp_clear(&fresh);
    content->theirs.fingerprint = from->fingerprint;
}

/* REASON_NONE if the content is agreed on, otherwise why not. */
static enum reason_condition take_answer(struct session *session, struct content *content,
                                         const struct jingle_content *answered)
{
    enum reason_condition fault = REASON_UNSUPPORTED_APPLICATIONS;

    if (answered != NULL)
        fault = content_fault(answered);
    if (fault == REASON_NONE && answered->has_senders && answered->senders == SENDERS_NONE)
        fault = REASON_UNSUPPORTED_APPLICATIONS;
    if (fault == REASON_NONE) {
        if (answered->has_senders)
            content->senders = answered->senders;
        rtp_description_clear(&content->remote);
        rtp_description_copy(&content->remote, &answered->rtp);
        take_remote_transport(content, &answered->ice);
        if (!content_negotiate(session, content))
            fault = REASON_INCOMPATIBLE_PARAMETERS;
    }
    if (fault != REASON_NONE)
        content->state = CONTENT_REFUSED;
    return fault;
}

static jingle_reason fault_meaning(enum reason_condition fault)
{
    if (fault == REASON_SECURITY_ERROR)
        return JINGLE_REASON_SECURITY;
    return fault == REASON_FAILED_TRANSPORT ? JINGLE_REASON_NO_PATH : JINGLE_REASON_INCOMPATIBLE;
}

static void take_group(struct session *session, const struct jingle_group *answered)
{
    size_t kept = 0;

    for (size_t i = 0; i < session->bundle.count; i++) {
        char *name = session->bundle.names[i];
        if (jingle_group_has(answered, name))
            session->bundle.names[kept++] = name;
        else
            g_free(name);
    }
    session->bundle.count = kept;
}

static bool knows_any(struct session *session, const struct jingle_iq *iq)
{
    for (size_t i = 0; i < iq->content_count; i++) {
        if (session_content(session, iq->contents[i].name) != NULL)
            return true;
    }
    return false;
}

static void receive_accept(struct session *session, const struct jingle_iq *iq)
{
    struct session_event event = {.type = SESSION_EVENT_ACCEPTED};
    enum reason_condition fault = REASON_NONE;
    bool any = false;

    if (!session->initiator || session->state != SESSION_PENDING) {
        answer_out_of_order(session, iq);
        return;
    }
    if (!knows_any(session, iq)) {
        answer_error(session, STANZA_BAD_REQUEST, JINGLE_CONDITION_NONE,
                     "session-accept with none of the offered contents");
        return;
    }
    answer_result(session);
    learn_creators(session, iq);
    session->state = SESSION_ACTIVE;
    session->initiate_acked = true;
    session->deadline = USEC_NEVER;
    take_group(session, &iq->bundle);
    session_tell(session, &event);
    for (size_t i = 0; i < session->content_count && session->state == SESSION_ACTIVE; i++) {
        struct content *content = &session->contents[i];
        enum reason_condition found =
            take_answer(session, content, jingle_iq_content(iq, content->name));
        any = any || found == REASON_NONE;
        /* The first fault tells the most: the later ones may be contents that are just missing. */
        fault = fault == REASON_NONE ? found : fault;
        session_flush(session, content);
    }
    if (!any)
        session_end_with(session, fault_meaning(fault), fault);
}

/* ------------------------------------------------------------------------ transport-info -- */

/* RFC 8839, 4.4.1.1.1, on Jingle: both began an ICE restart, and the initiator's goes on. */
static bool is_restart_glare(struct session *session, const struct jingle_iq *iq)
{
    for (size_t i = 0; i < iq->content_count; i++) {
        const struct jingle_content *in = &iq->contents[i];
        struct content *content = session_content(session, in->name);
        if (content != NULL && session->initiator && content->restart_sent &&
            in->transport == TRANSPORT_ICE_UDP && in->ice.candidate_count == 0 &&
            content_is_restart(content, &in->ice))
            return true;
    }
    return false;
}

static void take_transport(struct session *session, struct content *content,
                           const struct ice_udp_transport *from)
{
    struct session_event event = {.type = SESSION_EVENT_REMOTE_TRANSPORT};
    struct ice_udp_transport fresh;
    bool restart = content->state == CONTENT_AGREED && content_is_restart(content, from);

    if (restart && *from->pwd == '\0') {
        log_warning(session->log, "%s restarts ICE without a password", session->peer);
        return;
    }
    content_merge(content, from, &fresh);
    if (restart) {
        content->restart_wanted = !content->restart_sent;
        content->restart_sent = false;
    }
    event.u.remote_transport.content = content->name;
    event.u.remote_transport.restart = restart;
    event.u.remote_transport.answer_wanted = content->restart_wanted;
    event.u.remote_transport.transport = &fresh;
    bool is_news = restart || fresh.candidate_count > 0 || from->gathering_complete;
    if (content->state == CONTENT_AGREED && is_news)
        session_tell(session, &event);
    ice_udp_clear(&fresh);
}

static void receive_transport_info(struct session *session, const struct jingle_iq *iq)
{
    if (is_restart_glare(session, iq)) {
        answer_error(session, STANZA_CONFLICT, JINGLE_TIE_BREAK, "both restart ICE");
        return;
    }
    answer_result(session);
    learn_creators(session, iq);
    for (size_t i = 0; i < iq->content_count && session->state != SESSION_ENDED; i++) {
        const struct jingle_content *in = &iq->contents[i];
        struct content *content = session_content(session, in->name);
        if (content == NULL || in->transport != TRANSPORT_ICE_UDP)
            log_info(session->log, "%s sends a transport-info of no use", session->peer);
        else if (content->state == CONTENT_OFFERED || content->state == CONTENT_AGREED)
            take_transport(session, content, &in->ice);
    }
}

/* ---------------------------------------------------------------------- other transports -- */

/* The contents of `iq` by name alone, with what each had as transport. */
static void reply_contents(struct session *session, const struct jingle_iq *iq,
                           enum jingle_action action, enum reason_condition condition)
{
    struct jingle_iq reply;

    jingle_iq_init(&reply, action, session->sid);
    for (size_t i = 0; i < iq->content_count; i++) {
        const struct jingle_content *in = &iq->contents[i];
        struct jingle_content *out = jingle_iq_add(&reply, in->name, in->creator);
        if (action != ACTION_TRANSPORT_REJECT)
            continue;
        out->transport = in->transport;
        out->transport_ns = g_strdup(in->transport_ns);
    }
    reply.reason.condition = condition;
    session_send(session, &reply);
}

static void receive_transport_replace(struct session *session, const struct jingle_iq *iq)
{
    answer_result(session);
    learn_creators(session, iq);
    reply_contents(session, iq, ACTION_TRANSPORT_REJECT, REASON_NONE);
}

/* ------------------------------------------------------------------------------ contents -- */

static void receive_content_add(struct session *session, const struct jingle_iq *iq)
{
    answer_result(session);
    reply_contents(session, iq, ACTION_CONTENT_REJECT, REASON_UNSUPPORTED_APPLICATIONS);
}

static bool knows_all(struct session *session, const struct jingle_iq *iq)
{
    for (size_t i = 0; i < iq->content_count; i++) {
        if (session_content(session, iq->contents[i].name) == NULL)
            return false;
    }
    return true;
}

/* XEP-0166, 7.2.3: everything may be changed but what we refused; that we change back. */
static void modify_content(struct session *session, struct content *content, enum senders senders)
{
    struct session_event event = {.type = SESSION_EVENT_SENDERS};
    struct jingle_iq iq;

    if (content->state == CONTENT_REFUSED) {
        if (senders == SENDERS_NONE || content->modify_refusals >= MODIFY_REFUSALS_MAX)
            return;
        content->modify_refusals++;
        jingle_iq_init(&iq, ACTION_CONTENT_MODIFY, session->sid);
        struct jingle_content *out = jingle_iq_add(&iq, content->name, content->creator);
        out->senders = SENDERS_NONE;
        out->has_senders = true;
        session_send(session, &iq);
        return;
    }
    content->senders = senders;
    event.u.senders.content = content->name;
    event.u.senders.we_send = content_we_send(session, content);
    event.u.senders.we_receive = content_we_receive(session, content);
    if (content->state == CONTENT_AGREED)
        session_tell(session, &event);
}

static void receive_content_modify(struct session *session, const struct jingle_iq *iq)
{
    if (!knows_all(session, iq)) {
        answer_error(session, STANZA_ITEM_NOT_FOUND, JINGLE_CONDITION_NONE,
                     "content-modify of an unknown content");
        return;
    }
    answer_result(session);
    learn_creators(session, iq);
    for (size_t i = 0; i < iq->content_count && session->state != SESSION_ENDED; i++) {
        struct content *content = session_content(session, iq->contents[i].name);
        modify_content(session, content, iq->contents[i].senders);
    }
}

static bool has_content_left(const struct session *session)
{
    for (size_t i = 0; i < session->content_count; i++) {
        enum content_state state = session->contents[i].state;
        if (state == CONTENT_OFFERED || state == CONTENT_AGREED)
            return true;
    }
    return false;
}

/* XEP-0166, 7.2.5: with the last content goes the session. Gajim hangs up like this. */
static void receive_content_remove(struct session *session, const struct jingle_iq *iq)
{
    struct jingle_iq terminate;

    if (!knows_all(session, iq)) {
        answer_error(session, STANZA_ITEM_NOT_FOUND, JINGLE_CONDITION_NONE,
                     "content-remove of an unknown content");
        return;
    }
    answer_result(session);
    for (size_t i = 0; i < iq->content_count; i++)
        session_content(session, iq->contents[i].name)->state = CONTENT_REMOVED;
    if (has_content_left(session))
        return;
    jingle_reason reason =
        reason_meaning(&iq->reason, session_progress(session), session->initiator);
    jingle_iq_init(&terminate, ACTION_SESSION_TERMINATE, session->sid);
    terminate.reason.condition = REASON_SUCCESS;
    session_send(session, &terminate);
    session_tell_ended(session, reason, JINGLE_PARTY_REMOTE, iq->reason.text);
}

/* --------------------------------------------------------------------------- information -- */

static void receive_session_info(struct session *session, const struct jingle_iq *iq)
{
    struct session_event event = {.type = SESSION_EVENT_INFO};

    if (iq->info == INFO_UNKNOWN) {
        answer_error(session, STANZA_FEATURE_NOT_IMPLEMENTED, JINGLE_UNSUPPORTED_INFO,
                     "session-info of an unknown kind");
        return;
    }
    answer_result(session);
    if (iq->info == INFO_NONE)
        return;
    if (iq->info == INFO_RINGING) {
        event.type = SESSION_EVENT_RINGING;
        if (session->initiator && session->state == SESSION_PENDING)
            session_tell(session, &event);
        return;
    }
    event.u.info.info = iq->info;
    event.u.info.content = iq->info_name == NULL ? "" : iq->info_name;
    session_tell(session, &event);
}

static void receive_terminate(struct session *session, const struct jingle_iq *iq)
{
    jingle_reason reason =
        reason_meaning(&iq->reason, session_progress(session), session->initiator);

    answer_result(session);
    session_tell_ended(session, reason, JINGLE_PARTY_REMOTE, iq->reason.text);
}

/* -------------------------------------------------------------------------------- actions -- */

void session_receive(struct session *session, const struct jingle_iq *iq, usec now)
{
    struct stanza_error error;

    (void)now;
    if (session->state == SESSION_ENDED || session->state == SESSION_NEW) {
        bool is_error = session_unknown(iq, &error);
        session->hooks.answer(session->hooks.user, session, is_error ? &error : NULL);
        return;
    }
    switch (iq->action) {
    case ACTION_SESSION_ACCEPT:
        receive_accept(session, iq);
        break;
    case ACTION_SESSION_INFO:
        receive_session_info(session, iq);
        break;
    case ACTION_SESSION_TERMINATE:
        receive_terminate(session, iq);
        break;
    case ACTION_TRANSPORT_INFO:
        receive_transport_info(session, iq);
        break;
    case ACTION_TRANSPORT_REPLACE:
        receive_transport_replace(session, iq);
        break;
    case ACTION_CONTENT_ADD:
        receive_content_add(session, iq);
        break;
    case ACTION_CONTENT_MODIFY:
        receive_content_modify(session, iq);
        break;
    case ACTION_CONTENT_REMOVE:
        receive_content_remove(session, iq);
        break;
    case ACTION_DESCRIPTION_INFO:
    case ACTION_SECURITY_INFO:
        answer_result(session); /* hints that nothing depends on */
        break;
    /* Answers to what we never asked, and a session that is there already. */
    case ACTION_CONTENT_ACCEPT:
    case ACTION_CONTENT_REJECT:
    case ACTION_TRANSPORT_ACCEPT:
    case ACTION_TRANSPORT_REJECT:
    case ACTION_SESSION_INITIATE:
    case ACTION_COUNT:
        answer_out_of_order(session, iq);
        break;
    }
}

bool session_unknown(const struct jingle_iq *iq, struct stanza_error *error)
{
    /* Both hang up at once, or twice: nobody is helped by an error. */
    if (iq->action == ACTION_SESSION_TERMINATE)
        return false;
    *error = stanza_error_make(STANZA_ITEM_NOT_FOUND, JINGLE_UNKNOWN_SESSION, "");
    return true;
}

bool session_tie_break(const struct session *ours, const char *from, const struct jingle_iq *iq,
                       struct stanza_error *error)
{
    bool is_open =
        ours->state == SESSION_PENDING || (ours->state == SESSION_NEW && ours->initiating);

    if (!ours->initiator || !is_open || !jid_equal(ours->peer, from))
        return false;
    int order = strcmp(ours->sid, iq->sid);
    if (order == 0)
        order = strcmp(ours->own_jid, from);
    if (order >= 0)
        return false;
    *error = stanza_error_make(STANZA_CONFLICT, JINGLE_TIE_BREAK, "");
    return true;
}
