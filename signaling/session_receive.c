/* What the peer says: for each action of XEP-0166, 7.2, the answer to the IQ and what follows.
 *
 * An error answers only what is malformed, unknown or out of order, because real clients end the
 * call on any. What is well-formed and refused gets a result and then its Jingle action. */
#include <glib.h>
#include <string.h>

#include "signaling/jid.h"
#include "signaling/session_state.h"

void answer_result(struct session *session)
{
    session->hooks.answer(session->hooks.user, session, NULL);
}

void answer_error(struct session *session, enum stanza_condition condition,
                  enum jingle_condition jingle, const char *text)
{
    struct stanza_error error = stanza_error_make(condition, jingle, text);

    log_warning(session->log, "%s gets an error: %s", session->peer, text);
    session->hooks.answer(session->hooks.user, session, &error);
}

void answer_out_of_order(struct session *session, const struct jingle_iq *iq)
{
    char text[STANZA_ERROR_TEXT];

    g_snprintf(text, sizeof(text), "%s is not expected now", jingle_action_name(iq->action));
    answer_error(session, STANZA_UNEXPECTED_REQUEST, JINGLE_OUT_OF_ORDER, text);
}

void learn_creators(struct session *session, const struct jingle_iq *iq)
{
    for (size_t i = 0; i < iq->content_count; i++) {
        struct content *content = session_meant(session, &iq->contents[i]);
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

/* What keeps an offered content from being agreed on; REASON_DECLINE: the peer does not want it. */
static enum reason_condition answer_fault(const struct session *session,
                                          const struct content *content,
                                          const struct jingle_content *answered, bool rides)
{
    struct rtp_agreement agreement;

    if (answered == NULL || (answered->has_senders && answered->senders == SENDERS_NONE))
        return REASON_DECLINE;
    enum reason_condition fault = content_fault(session, answered, rides);
    if (fault != REASON_NONE)
        return fault;
    return negotiate_agree(&content->local, &answered->rtp, session->initiator, false, &agreement)
               ? REASON_NONE
               : REASON_INCOMPATIBLE_PARAMETERS;
}

static void take_answer(struct content *content, const struct jingle_content *answered)
{
    content->state = CONTENT_AGREED;
    if (answered->has_senders)
        content->senders = answered->senders;
    rtp_description_clear(&content->remote);
    rtp_description_copy(&content->remote, &answered->rtp);
    if (answered->transport == TRANSPORT_ICE_UDP)
        take_remote_transport(content, &answered->ice);
}

static jingle_reason fault_meaning(enum reason_condition fault)
{
    if (fault == REASON_SECURITY_ERROR)
        return JINGLE_REASON_SECURITY;
    return fault == REASON_FAILED_TRANSPORT ? JINGLE_REASON_NO_PATH : JINGLE_REASON_INCOMPATIBLE;
}

/* Of the group that we offered, what the peer keeps, in its order: its first carries. */
static void take_group(struct session *session, const struct jingle_group *answered)
{
    struct jingle_group kept = {0};

    for (size_t i = 0; i < answered->count; i++) {
        if (jingle_group_has(&session->bundle, answered->names[i]))
            jingle_group_add(&kept, answered->names[i]);
    }
    jingle_group_clear(&session->bundle);
    session->bundle = kept;
}

/* The name of the first of the group that can carry it, or NULL. */
static const char *find_head(const struct session *session, const struct jingle_iq *iq)
{
    for (size_t i = 0; i < session->bundle.count; i++) {
        const char *name = session->bundle.names[i];
        const struct content *content = session_content(session, name);
        if (content != NULL &&
            answer_fault(session, content, jingle_iq_content(iq, name), false) == REASON_NONE)
            return name;
    }
    return NULL;
}

/* The fault of the first that has one, for it tells the most: the later ones may be contents that
 * are just missing. */
static enum reason_condition take_answers(struct session *session, const struct jingle_iq *iq,
                                          enum reason_condition *faults)
{
    enum reason_condition first = REASON_NONE;
    const char *head = find_head(session, iq);

    for (size_t i = 0; i < session->content_count; i++) {
        struct content *content = session->contents[i];
        const struct jingle_content *answered = jingle_iq_content(iq, content->name);
        bool rides = head != NULL && strcmp(head, content->name) != 0 &&
                     session_is_bundled(session, content);
        faults[i] = answer_fault(session, content, answered, rides);
        content->state = CONTENT_REFUSED;
        if (faults[i] == REASON_NONE)
            take_answer(content, answered);
        first = first == REASON_NONE ? faults[i] : first;
    }
    return first;
}

/* Our transport was given for the first content, and may now be another's. */
static void settle_transport(struct session *session)
{
    struct content *first = session->contents[0];

    session_bundle(session);
    struct content *heir = session_head(session);
    if (first->state == CONTENT_AGREED && first->carrier == NULL)
        return;
    for (size_t i = 0; heir == NULL && i < session->content_count; i++) {
        if (session->contents[i]->state == CONTENT_AGREED)
            heir = session->contents[i];
    }
    if (heir != NULL)
        content_hand_over(first, heir);
}

/* Not wanted, or not understood? Nothing of the offer is left: say so. */
static enum reason_condition wire_fault(enum reason_condition fault)
{
    return fault == REASON_DECLINE ? REASON_UNSUPPORTED_APPLICATIONS : fault;
}

static void tell_refused(struct session *session, const enum reason_condition *faults)
{
    size_t count = session->content_count; /* hooks may add some */

    for (size_t i = 0; i < count && session->state == SESSION_ACTIVE; i++) {
        struct content *content = session->contents[i];
        jingle_reason reason =
            faults[i] == REASON_DECLINE ? JINGLE_REASON_DECLINED : fault_meaning(faults[i]);
        if (faults[i] != REASON_NONE)
            content_tell_gone(session, content, SESSION_EVENT_CONTENT_REFUSED, reason,
                              JINGLE_PARTY_REMOTE);
    }
}

static bool is_anything_agreed(const struct session *session)
{
    for (size_t i = 0; i < session->content_count; i++) {
        if (session->contents[i]->state == CONTENT_AGREED)
            return true;
    }
    return false;
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
    enum reason_condition faults[JINGLE_CONTENTS_MAX] = {REASON_NONE};

    if (receive_accept_again(session, iq))
        return;
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
    session->named = iq->responder != NULL;
    take_group(session, &iq->bundle);
    enum reason_condition fault = take_answers(session, iq, faults);
    settle_transport(session);
    session_tell(session, &event);
    if (!is_anything_agreed(session)) {
        session_end_with(session, fault_meaning(fault), wire_fault(fault));
        return;
    }
    tell_refused(session, faults);
    session_tell_negotiated(session);
    for (size_t i = 0; i < session->content_count && session->state == SESSION_ACTIVE; i++)
        session_flush(session, session->contents[i]);
}

/* ------------------------------------------------------------------------ transport-info -- */

/* Conversations tells an offer by its lack of candidates, and gives no fingerprint. The answer of a
 * browser (stanza) has none at first, either, but a role, which only an answer chooses (RFC 8842,
 * 5.3). */
static bool is_restart_offer(const struct content *carrier, const struct ice_udp_transport *from)
{
    enum dtls_setup setup = from->fingerprint.setup;

    return content_is_restart(carrier, from) && *from->pwd != '\0' && from->candidate_count == 0 &&
           setup != DTLS_ACTIVE && setup != DTLS_PASSIVE;
}

/* RFC 8839, 4.4.1.1.1, on Jingle: both began an ICE restart, and the initiator's goes on. */
static bool is_restart_glare(struct session *session, const struct jingle_iq *iq)
{
    for (size_t i = 0; i < iq->content_count; i++) {
        const struct jingle_content *in = &iq->contents[i];
        struct content *content = session_content(session, in->name);
        if (content == NULL || in->transport != TRANSPORT_ICE_UDP)
            continue;
        const struct content *carrier = content_carrier(session, content);
        if (session->initiator && carrier->restart_sent && !carrier->restart_lost &&
            is_restart_offer(carrier, &in->ice))
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
    /* What they have not heard of becomes our answer to theirs. */
    bool answers = restart && content->restart_sent && content->restart_lost;
    if (restart) {
        content->restart_wanted = !content->restart_sent;
        content->restart_sent = content->restart_lost = false;
    }
    event.u.remote_transport.content = content_label(content);
    event.u.remote_transport.restart = restart;
    event.u.remote_transport.answer_wanted = content->restart_wanted;
    event.u.remote_transport.transport = &fresh;
    bool is_news = restart || fresh.candidate_count > 0 || from->gathering_complete;
    if (content->state == CONTENT_AGREED && is_news)
        session_tell(session, &event);
    ice_udp_clear(&fresh);
    if (answers) {
        content->sent = 0;
        session_flush(session, content);
    }
}

/* Before the answer it is open who carries whom: each keeps what comes under its name. After it,
 * some (Conversations) repeat new credentials for every content; what belongs to a transport that
 * lost against the bundle's is of no use. */
static void take_content_transport(struct session *session, struct content *content,
                                   const struct ice_udp_transport *from)
{
    struct content *carrier = content_carrier(session, content);
    bool is_lost = content_is_restart(carrier, from) && !content_is_restart(content, from) &&
                   *content->theirs.ufrag != '\0';

    if (carrier == content || content->state != CONTENT_AGREED) {
        take_transport(session, content, from);
    } else if (!is_lost) {
        memcpy(content->theirs.ufrag, from->ufrag, sizeof(from->ufrag));
        take_transport(session, carrier, from);
    }
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
        else if (content->state != CONTENT_REFUSED)
            take_content_transport(session, content, &in->ice);
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

/* --------------------------------------------------------------------------- information -- */

static void receive_session_info(struct session *session, const struct jingle_iq *iq)
{
    struct session_event event = {.type = SESSION_EVENT_INFO};

    if (iq->info == INFO_UNKNOWN || iq->info == INFO_CHECKSUM || iq->info == INFO_RECEIVED) {
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
    const struct content *content =
        iq->info_name == NULL ? NULL : session_content(session, iq->info_name);
    event.u.info.info = iq->info;
    event.u.info.content = iq->info_name == NULL ? "" : iq->info_name;
    event.u.info.media = content == NULL ? "" : content_media(content);
    session_tell(session, &event);
}

void session_finished(struct session *session, const struct reason *reason)
{
    jingle_reason meaning = reason_meaning(reason, session_progress(session), session->initiator);

    session_tell_ended(session, meaning, JINGLE_PARTY_REMOTE, reason->text);
}

static void receive_terminate(struct session *session, const struct jingle_iq *iq)
{
    answer_result(session);
    session_finished(session, &iq->reason);
}

/* -------------------------------------------------------------------------------- actions -- */

void session_receive(struct session *session, const struct jingle_iq *iq, usec now)
{
    struct stanza_error error;

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
        receive_content_add(session, iq, now);
        break;
    case ACTION_CONTENT_ACCEPT:
        receive_content_accept(session, iq);
        break;
    case ACTION_CONTENT_REJECT:
        receive_content_reject(session, iq);
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
