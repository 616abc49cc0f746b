/* Calls, whatever way they are set up.
 *
 *     start ─▶ decide: whom, and how? ─┬─▶ proposal (XEP-0353) ── PROCEED ─┐
 *                                      └───────────────────────────────────┴─▶ session (XEP-0166)
 *     propose came ─▶ proposal ── accept ─▶ session-initiate came ─▶ session
 *     session-initiate came ─▶ session ── accept
 *
 * A call that ended waits in account->ended until all hooks have returned. */
#include "signaling/account_call_state.h"

#include <stdlib.h>
#include <string.h>

#include "signaling/jid.h"

/* --------------------------------------------------------------------------- life of a call -- */

static void media_clear(struct account_call *call)
{
    for (size_t i = 0; i < call->media_count; i++) {
        struct rtp_description *description = (struct rtp_description *)call->media[i].description;
        rtp_description_clear(description);
        g_free(description);
        g_free((char *)call->media[i].content);
    }
    g_free(call->media);
    call->media = NULL;
    call->media_count = 0;
}

void account_call_copy_media(struct account_call *call, const struct session_media *media,
                             size_t count)
{
    media_clear(call);
    call->media = g_new0(struct session_media, count);
    call->media_count = count;
    for (size_t i = 0; i < count; i++) {
        struct rtp_description *description = g_new0(struct rtp_description, 1);
        rtp_description_copy(description, media[i].description);
        call->media[i].description = description;
        call->media[i].content = g_strdup(media[i].content);
        call->media[i].order = media[i].order;
        call->media[i].wish = media[i].wish;
    }
}

bool account_call_has_media(const struct account_call *call, const char *type)
{
    for (size_t i = 0; i < call->media_count; i++)
        if (strcmp(call->media[i].description->media, type) == 0)
            return true;
    return false;
}

static void transport_clear(void *item)
{
    struct pending_transport *pending = item;
    g_free(pending->content);
    ice_udp_clear(&pending->transport);
}

void account_call_set_text(char **to, const char *text)
{
    char *copy = g_strdup(text);
    g_free(*to);
    *to = copy;
}

struct account_call *account_call_new(struct account *account, const char *peer, bool outgoing)
{
    struct account_call *call = g_new0(struct account_call, 1);
    call->account = account;
    call->outgoing = outgoing;
    call->peer = g_strdup(peer);
    call->sid = g_strdup("");
    call->decide_at = USEC_NEVER;
    call->transports = g_array_new(FALSE, TRUE, sizeof(struct pending_transport));
    g_array_set_clear_func(call->transports, transport_clear);
    call->ringing = g_ptr_array_new_with_free_func(g_free);
    g_queue_push_tail(&account->calls, call);
    return call;
}

void account_call_free(struct account_call *call)
{
    outbox_forget(call->account->outbox, call);
    if (call->proposal)
        proposal_set_user(call->proposal, NULL);
    session_free(call->session);
    media_clear(call);
    g_array_free(call->transports, TRUE);
    g_ptr_array_free(call->ringing, TRUE);
    g_free(call->peer);
    g_free(call->sid);
    g_free(call);
}

static void tell(struct account_call *call, struct account_event *event)
{
    event->call = call;
    account_tell(call->account, event);
}

void account_call_tell_plain(struct account_call *call, enum account_event_type type)
{
    struct account_event event = {.type = type};
    tell(call, &event);
}

void account_call_tell_accepted(struct account_call *call)
{
    if (call->accepted)
        return;
    call->accepted = true;
    account_call_tell_plain(call, ACCOUNT_EVENT_ACCEPTED);
}

/* XEP-0353, 3.6: both sides say so, for the archives and for other devices. */
static void tell_finish(struct account_call *call, jingle_reason reason)
{
    enum session_progress progress = call->connected  ? PROGRESS_CONNECTED
                                     : call->accepted ? PROGRESS_ACCEPTED
                                                      : PROGRESS_PENDING;
    initiation_finish(call->account->initiation, call->peer, call->sid,
                      reason_to_tell(reason, progress, call->outgoing));
}

void account_call_finish(struct account_call *call, jingle_reason reason, jingle_party by,
                         const char *text)
{
    struct account *account = call->account;
    if (call->ended)
        return;
    call->ended = true;
    call->decide_at = USEC_NEVER;
    g_queue_remove(&account->calls, call);
    g_queue_push_tail(&account->ended, call);
    outbox_forget(account->outbox, call);
    if (call->session && call->by_message)
        tell_finish(call, reason);
    else if (call->session && !call->by_message)
        initiation_remember(account->initiation, call->peer, call->sid, account->now);
    if (!call->told)
        return;
    if (reason == JINGLE_REASON_NO_ANSWER && by == JINGLE_PARTY_LOCAL && !account->online)
        reason = JINGLE_REASON_LOCAL_OFFLINE;
    struct account_event event = {
        .type = ACCOUNT_EVENT_ENDED,
        .u.ended = {.reason = reason,
                    .by = by,
                    .text = text ? text : "",
                    .insecure = call->insecure && reason == call->verdict},
    };
    tell(call, &event);
}

/* ---------------------------------------------------------------------------------- session -- */

static void on_answer_to_session(void *user, unsigned tag, const struct stanza *answer,
                                 const struct stanza_error *error, usec now)
{
    struct account_call *call = user;
    (void)answer;
    if (call->session && !call->ended)
        session_answered(call->session, tag, error, now);
}

static void on_session_send(void *user, struct session *session, const struct jingle_iq *iq,
                            unsigned tag)
{
    struct account_call *call = user;
    struct xml *stanza = stanza_iq("set", session_peer(session), NULL);
    jingle_iq_write(iq, xml_root(stanza));
    struct outbox_request request = {.to = session_peer(session),
                                     .keep = true,
                                     .last_word = iq->action == ACTION_SESSION_TERMINATE,
                                     .answered = on_answer_to_session,
                                     .user = call,
                                     .tag = tag};
    outbox_send(call->account->outbox, stanza, &request, call->account->now);
}

/* The answer is kept, for the peer may ask again after it has reconnected. */
void account_answer_jingle(struct account *account, const struct stanza *iq,
                           const struct stanza_error *error)
{
    struct xml *reply = error ? stanza_error_reply(iq, error) : stanza_result(iq);
    char *text = xml_to_string(xml_root(reply));
    answers_remember(account->answers, iq, text);
    free(text);
    account_send(account, reply);
}

static void on_session_answer(void *user, struct session *session, const struct stanza_error *error)
{
    struct account_call *call = user;
    struct account *account = call->account;
    (void)session;
    if (error)
        log_warning(account->log, "%s: refused a Jingle stanza: %s %s", account->answering->from,
                    stanza_condition_name(error->condition), error->text);
    account_answer_jingle(account, account->answering, error);
}

static void tell_negotiated(struct account_call *call, const struct session_event *event)
{
    struct account_event told = {
        .type = ACCOUNT_EVENT_NEGOTIATED,
        .u.negotiated = {.content = event->u.negotiated.content,
                         .we_are_initiator = call->outgoing,
                         .we_offered = event->u.negotiated.we_offered,
                         .dtls_client = event->u.negotiated.dtls_client,
                         .agreement = event->u.negotiated.agreement,
                         .remote = event->u.negotiated.remote,
                         .transport = event->u.negotiated.transport,
                         .transport_wanted = event->u.negotiated.transport_wanted,
                         .credentials = event->u.negotiated.credentials},
    };
    tell(call, &told);
}

static void tell_remote_transport(struct account_call *call, const struct session_event *event)
{
    struct account_event told = {
        .type = ACCOUNT_EVENT_REMOTE_TRANSPORT,
        .u.remote_transport = {.content = event->u.remote_transport.content,
                               .restart = event->u.remote_transport.restart,
                               .answer_wanted = event->u.remote_transport.answer_wanted,
                               .transport = event->u.remote_transport.transport},
    };
    tell(call, &told);
}

static void tell_info(struct account_call *call, const struct session_event *event)
{
    struct account_event told = {
        .type = ACCOUNT_EVENT_INFO,
        .u.info = {.info = event->u.info.info,
                   .content = event->u.info.content,
                   .media = event->u.info.media},
    };
    tell(call, &told);
}

static void tell_senders(struct account_call *call, const struct session_event *event)
{
    struct account_event told = {
        .type = ACCOUNT_EVENT_SENDERS,
        .u.senders = {.content = event->u.senders.content,
                      .we_send = event->u.senders.we_send,
                      .we_receive = event->u.senders.we_receive},
    };
    tell(call, &told);
}

static void tell_content_offered(struct account_call *call, const struct session_event *event)
{
    struct account_event told = {
        .type = ACCOUNT_EVENT_CONTENT_OFFERED,
        .u.content_offered = {.content = event->u.content_offered.content,
                              .media = event->u.content_offered.media,
                              .we_send = event->u.content_offered.we_send,
                              .we_receive = event->u.content_offered.we_receive},
    };
    tell(call, &told);
}

static void tell_content_gone(struct account_call *call, const struct session_event *event)
{
    struct account_event told = {
        .type = event->type == SESSION_EVENT_CONTENT_REFUSED ? ACCOUNT_EVENT_CONTENT_REFUSED
                                                             : ACCOUNT_EVENT_CONTENT_REMOVED,
        .u.content_gone = {.content = event->u.content_gone.content,
                           .media = event->u.content_gone.media,
                           .reason = event->u.content_gone.reason,
                           .by = event->u.content_gone.by},
    };
    tell(call, &told);
}

/* What was asked for, but not offered to a client that cannot encrypt. */
static void tell_left_out(struct account_call *call)
{
    for (size_t i = 0; call->plain && i < call->media_count && !call->ended; i++) {
        const struct session_media *media = &call->media[i];
        struct account_event told = {
            .type = ACCOUNT_EVENT_CONTENT_REFUSED,
            .u.content_gone = {.content = media->content,
                               .media = media->description->media,
                               .reason = JINGLE_REASON_INCOMPATIBLE,
                               .by = JINGLE_PARTY_LOCAL},
        };
        if (strcmp(media->description->media, "video") == 0)
            tell(call, &told);
    }
}

static void on_session_event(void *user, struct session *session, const struct session_event *event)
{
    struct account_call *call = user;
    (void)session;
    if (call->ended)
        return;
    switch (event->type) {
    case SESSION_EVENT_RINGING:
        account_call_tell_plain(call, ACCOUNT_EVENT_RINGING);
        break;
    case SESSION_EVENT_ACCEPTED:
        account_call_tell_accepted(call);
        tell_left_out(call);
        break;
    case SESSION_EVENT_NEGOTIATED:
        tell_negotiated(call, event);
        break;
    case SESSION_EVENT_REMOTE_TRANSPORT:
        tell_remote_transport(call, event);
        break;
    case SESSION_EVENT_INFO:
        tell_info(call, event);
        break;
    case SESSION_EVENT_SENDERS:
        tell_senders(call, event);
        break;
    case SESSION_EVENT_CONTENT_OFFERED:
        tell_content_offered(call, event);
        break;
    case SESSION_EVENT_CONTENT_REFUSED:
    case SESSION_EVENT_CONTENT_REMOVED:
        tell_content_gone(call, event);
        break;
    case SESSION_EVENT_ENDED:
        account_call_finish(call, event->u.ended.reason, event->u.ended.by, event->u.ended.text);
        break;
    }
}

static struct session_config session_settings(const struct account_call *call)
{
    return (struct session_config){
        .own_jid = call->account->full_jid,
        .peer = call->peer,
        .sid = call->sid,
        .ring_timeout = call->account->ring_timeout,
        .abilities = call->account->abilities,
        .video_abilities = call->account->video_abilities,
        .plain = call->plain,
        .log = call->account->log,
    };
}

static struct session_hooks session_hooks_of(struct account_call *call)
{
    return (struct session_hooks){
        .user = call,
        .send = on_session_send,
        .answer = on_session_answer,
        .event = on_session_event,
    };
}

void account_call_initiate(struct account_call *call, const char *peer, const char *sid, usec now)
{
    account_call_set_text(&call->peer, peer);
    account_call_set_text(&call->sid, sid);
    struct session_config config = session_settings(call);
    struct session_hooks hooks = session_hooks_of(call);
    call->session = session_new(&config, &hooks, call->media, call->media_count);
    session_initiate(call->session, now);
    for (guint i = 0; i < call->transports->len && !call->ended; i++) {
        struct pending_transport *pending =
            &g_array_index(call->transports, struct pending_transport, i);
        session_set_transport(call->session, pending->content, &pending->transport, now);
    }
    g_array_set_size(call->transports, 0);
}

/* Makes the session of a session-initiate; false if it ended with that, untold. */
bool account_call_begin_session(struct account_call *call, const struct jingle_iq *iq, usec now)
{
    struct session_config config = session_settings(call);
    struct session_hooks hooks = session_hooks_of(call);
    call->session = session_new_incoming(&config, &hooks, iq, now);
    call->plain = !session_is_encrypted(call->session);
    return session_state(call->session) != SESSION_ENDED;
}

void account_call_tell_incoming(struct account_call *call, bool audio, bool video, usec when)
{
    struct account *account = call->account;
    char *name = account_display_name(account, call->peer);
    struct account_event event = {
        .type = ACCOUNT_EVENT_INCOMING,
        .u.incoming = {.from = call->peer,
                       .name = name,
                       .sid = call->sid,
                       .audio = audio,
                       .video = video,
                       .on_roster = roster_find(account->roster, call->peer) != NULL,
                       .encrypted = !call->plain,
                       .when = when},
    };
    call->told = true;
    tell(call, &event);
    g_free(name);
}

/* --------------------------------------------------------------------------------- commands -- */

jingle_status account_call_accept(struct account_call *call, const struct session_media *media,
                                  size_t count, usec now)
{
    struct account *account = call->account;
    if (call->ended || call->outgoing || call->accepted)
        return JINGLE_ERROR_STATE;
    account_enter(account, now);
    account_call_copy_media(call, media, count);
    account_call_tell_accepted(call);
    if (call->proposal)
        proposal_accept(call->proposal, now);
    else if (call->session)
        session_accept(call->session, call->media, call->media_count, now);
    account_leave(account);
    return JINGLE_OK;
}

/* Hanging up before the answer has another name. */
static jingle_reason reason_before_answer(const struct account_call *call, jingle_reason reason)
{
    if (reason != JINGLE_REASON_HANGUP || call->accepted)
        return reason;
    return call->outgoing ? JINGLE_REASON_CANCELED : JINGLE_REASON_DECLINED;
}

void account_call_end(struct account_call *call, jingle_reason reason, usec now)
{
    struct account *account = call->account;
    if (call->ended)
        return;
    account_enter(account, now);
    reason = reason_before_answer(call, reason);
    if (call->proposal)
        proposal_end(call->proposal, reason, JINGLE_PARTY_LOCAL, now);
    else if (call->session)
        session_end(call->session, reason);
    account_call_finish(call, reason, JINGLE_PARTY_LOCAL, "");
    account_leave(account);
}

void account_call_reject(struct account_call *call, jingle_reason reason, usec now)
{
    account_call_end(call, reason == JINGLE_REASON_BUSY ? reason : JINGLE_REASON_DECLINED, now);
}

static struct pending_transport *find_transport(struct account_call *call, const char *content)
{
    for (guint i = 0; i < call->transports->len; i++) {
        struct pending_transport *pending =
            &g_array_index(call->transports, struct pending_transport, i);
        if (strcmp(pending->content, content) == 0)
            return pending;
    }
    return NULL;
}

static void keep_transport(struct account_call *call, const char *content,
                           const struct ice_udp_transport *transport)
{
    struct pending_transport *pending = find_transport(call, content);
    if (!pending) {
        struct pending_transport empty = {.content = g_strdup(content)};
        g_array_append_val(call->transports, empty);
        pending = find_transport(call, content);
    } else {
        ice_udp_clear(&pending->transport);
    }
    ice_udp_copy(&pending->transport, transport);
}

void account_call_set_transport(struct account_call *call, const char *content,
                                const struct ice_udp_transport *transport, usec now)
{
    if (call->ended)
        return;
    account_enter(call->account, now);
    if (call->session)
        session_set_transport(call->session, content, transport, now);
    else
        keep_transport(call, content, transport);
    account_leave(call->account);
}

void account_call_add_candidates(struct account_call *call, const char *content,
                                 const struct ice_candidate *candidates, size_t count, usec now)
{
    if (call->ended)
        return;
    account_enter(call->account, now);
    struct pending_transport *pending = find_transport(call, content);
    if (call->session)
        session_add_candidates(call->session, content, candidates, count, now);
    for (size_t i = 0; !call->session && pending && i < count; i++)
        ice_udp_add_candidate(&pending->transport, &candidates[i]);
    account_leave(call->account);
}

void account_call_connected(struct account_call *call, usec now)
{
    account_enter(call->account, now);
    call->connected = true;
    if (call->session && !call->ended)
        session_connected(call->session);
    account_leave(call->account);
}

void account_call_info(struct account_call *call, enum jingle_info info, const char *content,
                       usec now)
{
    account_enter(call->account, now);
    if (call->session && !call->ended)
        session_send_info(call->session, info, content);
    account_leave(call->account);
}

/* --------------------------------------------------------------------------------- contents -- */

static bool has_session(const struct account_call *call)
{
    return call->session && !call->ended;
}

jingle_status account_call_content_add(struct account_call *call, const struct session_media *media,
                                       usec now, const char **content)
{
    const char *name = NULL;
    account_enter(call->account, now);
    if (has_session(call))
        name = session_content_add(call->session, media, now);
    if (content)
        *content = name;
    account_leave(call->account);
    return name ? JINGLE_OK : JINGLE_ERROR_STATE;
}

bool account_call_content_wants_transport(const struct account_call *call, const char *content)
{
    return has_session(call) && session_content_wants_transport(call->session, content);
}

bool account_call_content_accept(struct account_call *call, const char *content,
                                 const struct session_media *media, usec now)
{
    account_enter(call->account, now);
    bool accepted = has_session(call) && session_content_accept(call->session, content, media, now);
    account_leave(call->account);
    return accepted;
}

void account_call_content_reject(struct account_call *call, const char *content,
                                 jingle_reason reason, usec now)
{
    account_enter(call->account, now);
    if (has_session(call))
        session_content_reject(call->session, content, reason);
    account_leave(call->account);
}

enum content_removal account_call_content_remove(struct account_call *call, const char *content,
                                                 usec now)
{
    enum content_removal removal = CONTENT_IS_GONE;
    account_enter(call->account, now);
    if (has_session(call))
        removal = session_content_remove(call->session, content);
    account_leave(call->account);
    return removal;
}

bool account_call_content_set_senders(struct account_call *call, const char *content, bool we_send,
                                      bool we_receive, usec now)
{
    account_enter(call->account, now);
    bool said = has_session(call) &&
                session_content_set_senders(call->session, content, we_send, we_receive);
    account_leave(call->account);
    return said;
}

bool account_call_peer_takes_video(const struct account_call *call)
{
    if (!account_call_is_encrypted(call))
        return false;
    const struct device *device = presence_find(call->account->presence, call->peer);
    return !device || device->knowledge != DEVICE_KNOWN || (device->capabilities & CAN_VIDEO);
}

const char *account_call_sid(const struct account_call *call)
{
    return call->sid;
}

const char *account_call_peer(const struct account_call *call)
{
    return call->peer;
}

bool account_call_is_encrypted(const struct account_call *call)
{
    return !call->plain;
}

bool account_call_is_outgoing(const struct account_call *call)
{
    return call->outgoing;
}

void account_call_set_user(struct account_call *call, void *user)
{
    call->user = user;
}

void *account_call_user(const struct account_call *call)
{
    return call->user;
}

/* ------------------------------------------------------------------- what happens around them --
 */

typedef void (*call_fn)(struct account_call *call, const void *argument, usec now);

/* Calls may end, and others begin, while they are gone through. */
static void for_each_call(struct account *account, call_fn visit, const void *argument, usec now)
{
    GList *calls = g_list_copy(account->calls.head);
    for (GList *item = calls; item; item = item->next) {
        struct account_call *call = item->data;
        if (!call->ended)
            visit(call, argument, now);
    }
    g_list_free(calls);
}

static void drop(struct account_call *call, jingle_reason reason, jingle_party by, usec now)
{
    if (call->proposal)
        proposal_end(call->proposal, reason, by, now);
    else if (call->session)
        session_drop(call->session, reason, by);
    account_call_finish(call, reason, by, "");
}

static void drop_if_of(struct account_call *call, const void *jid, usec now)
{
    bool is_peer = jid_is_full(call->peer) && jid_equal(call->peer, jid);
    if (!call->connected && (is_peer || account_call_stops_ringing(call, jid, now)))
        drop(call, JINGLE_REASON_GONE, JINGLE_PARTY_REMOTE, now);
}

void account_calls_device_gone(struct account *account, const char *jid, usec now)
{
    for_each_call(account, drop_if_of, jid, now);
}

static void resume(struct account_call *call, const void *argument, usec now)
{
    bool other_jid = *(const bool *)argument;
    if (call->deciding)
        call->decide_at = now;
    /* The peer believes only the JID that the session began with, and answers to that of propose.
     */
    else if (other_jid && !call->connected && (call->session || call->outgoing))
        drop(call, JINGLE_REASON_LOCAL_OFFLINE, JINGLE_PARTY_LOCAL, now);
}

static void repeat_message(void *user, const xml_node *message)
{
    account_send(user, xml_copy(message));
}

void account_calls_online(struct account *account, bool other_jid, usec now)
{
    posted_repeat(account->posted, repeat_message, account, now);
    for_each_call(account, resume, &other_jid, now);
}

usec account_calls_next_deadline(const struct account *account)
{
    usec next = USEC_NEVER;
    for (GList *item = account->calls.head; item; item = item->next) {
        const struct account_call *call = item->data;
        next = MIN(next, call->decide_at);
        if (call->session)
            next = MIN(next, session_next_deadline(call->session));
    }
    return next;
}

static void tick(struct account_call *call, const void *argument, usec now)
{
    (void)argument;
    if (call->verdict != JINGLE_REASON_NONE)
        account_call_finish(call, call->verdict, JINGLE_PARTY_REMOTE, "");
    else if (call->deciding && now >= call->decide_at)
        account_call_decide(call, now);
    else if (call->session)
        session_tick(call->session, now);
}

void account_calls_tick(struct account *account, usec now)
{
    for_each_call(account, tick, NULL, now);
}
