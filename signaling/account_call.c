/* Calls, whatever way they are set up.
 *
 *     start ─▶ decide: whom, and how? ─┬─▶ proposal (XEP-0353) ── PROCEED ─┐
 *                                      └───────────────────────────────────┴─▶ session (XEP-0166)
 *     propose came ─▶ proposal ── accept ─▶ session-initiate came ─▶ session
 *     session-initiate came ─▶ session ── accept
 *
 * A call that ended waits in account->ended until all hooks have returned. */
#include "signaling/account_state.h"

#include <stdlib.h>
#include <string.h>

#include "signaling/jid.h"
#include "signaling/ns.h"

/* Devices of one person that are watched while they ring. */
#define RINGING_MAX 16

struct pending_transport {
    char *content;
    struct ice_udp_transport transport;
};

struct account_call {
    struct account *account;
    void *user;
    bool outgoing;
    bool direct;
    bool by_message; /* message initiation was used */
    bool told;       /* the application knows of it */
    bool accepted;   /* by us or them */
    bool connected;
    bool rings; /* outgoing: the application was told so */
    bool ended;
    char *peer;
    char *sid;
    struct session_media *media; /* what we can do; the strings and descriptions are owned */
    size_t media_count;
    GArray *transports; /* struct pending_transport: given before there is a session */
    struct proposal *proposal;
    GPtrArray *ringing; /* full JIDs of the devices that said so, at most RINGING_MAX */
    struct session *session;
    /* outgoing, before it is decided how */
    bool deciding;
    usec started;
    usec decide_at;
    jingle_reason verdict; /* not NONE: it ends, when the application's call has returned */
    const char *verdict_text;
};

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

static void media_copy(struct account_call *call, const struct session_media *media, size_t count)
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
    }
}

static bool media_has(const struct account_call *call, const char *type)
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

static void set_text(char **to, const char *text)
{
    char *copy = g_strdup(text);
    g_free(*to);
    *to = copy;
}

static struct account_call *call_new(struct account *account, const char *peer, bool outgoing)
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

static void tell_plain(struct account_call *call, enum account_event_type type)
{
    struct account_event event = {.type = type};
    tell(call, &event);
}

static void tell_accepted(struct account_call *call)
{
    if (call->accepted)
        return;
    call->accepted = true;
    tell_plain(call, ACCOUNT_EVENT_ACCEPTED);
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

/* The one end of every call. */
static void finish(struct account_call *call, jingle_reason reason, jingle_party by,
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
        .u.ended = {.reason = reason, .by = by, .text = text ? text : ""},
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
static void answer(struct account *account, const struct stanza *iq,
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
    answer(account, account->answering, error);
}

static void tell_negotiated(struct account_call *call, const struct session_event *event)
{
    struct account_event told = {
        .type = ACCOUNT_EVENT_NEGOTIATED,
        .u.negotiated = {.content = event->u.negotiated.content,
                         .we_are_initiator = call->outgoing,
                         .dtls_client = event->u.negotiated.dtls_client,
                         .agreement = event->u.negotiated.agreement,
                         .remote = event->u.negotiated.remote},
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
        .u.info = {.info = event->u.info.info, .content = event->u.info.content},
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

static void on_session_event(void *user, struct session *session, const struct session_event *event)
{
    struct account_call *call = user;
    (void)session;
    if (call->ended)
        return;
    switch (event->type) {
    case SESSION_EVENT_RINGING:
        tell_plain(call, ACCOUNT_EVENT_RINGING);
        break;
    case SESSION_EVENT_ACCEPTED:
        tell_accepted(call);
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
    case SESSION_EVENT_ENDED:
        finish(call, event->u.ended.reason, event->u.ended.by, event->u.ended.text);
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

/* Outgoing: the device to call is known. */
static void initiate(struct account_call *call, const char *peer, const char *sid, usec now)
{
    set_text(&call->peer, peer);
    set_text(&call->sid, sid);
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

/* ------------------------------------------------------------- outgoing: whom to call, and how --
 */

static void doom(struct account_call *call, jingle_reason reason, const char *text, usec now)
{
    call->verdict = reason;
    call->verdict_text = text;
    call->decide_at = now;
}

static void initiate_directly(struct account_call *call, const char *peer, usec now)
{
    char sid[37];
    random_uuid(call->account->random, sid);
    call->deciding = false;
    call->decide_at = USEC_NEVER;
    initiate(call, peer, sid, now);
}

static void propose(struct account_call *call, usec now)
{
    struct account *account = call->account;
    call->proposal = initiation_propose(account->initiation, call->peer, media_has(call, "audio"),
                                        media_has(call, "video"), now);
    call->deciding = false;
    call->decide_at = USEC_NEVER;
    call->by_message = true;
    set_text(&call->sid, proposal_sid(call->proposal));
    proposal_set_user(call->proposal, call);
}

/* Our own devices show each other their presence. */
static bool shares_presence(const struct account *account, const char *jid)
{
    const struct roster_item *item = roster_find(account->roster, jid);
    if (jid_equal_bare(jid, account->bare))
        return true;
    return item && (item->subscription == JINGLE_SUBSCRIPTION_TO ||
                    item->subscription == JINGLE_SUBSCRIPTION_BOTH);
}

/* What the devices of a person can do together. */
struct survey {
    size_t devices;
    size_t unknown;            /* may still answer */
    bool insecure;             /* one can only call without encryption */
    bool initiation;           /* a callable one knows XEP-0353 */
    const struct device *best; /* callable */
};

static unsigned needed(const struct account_call *call)
{
    return CAN_CALL | (media_has(call, "video") && !media_has(call, "audio") ? CAN_VIDEO : 0);
}

static void survey_device(struct survey *survey, struct account_call *call, struct device *device,
                          usec now)
{
    account_recall_device(call->account, device);
    account_ask_device(call->account, device, now);
    survey->devices++;
    unsigned capabilities = device->capabilities;
    if (device->knowledge == DEVICE_ASKED || device->knowledge == DEVICE_UNKNOWN) {
        survey->unknown++;
    } else if ((capabilities & needed(call)) == needed(call)) {
        survey->initiation = survey->initiation || (capabilities & CAN_MESSAGE_INITIATION);
        if (!survey->best)
            survey->best = device;
    } else if ((capabilities & CAN_CALL_INSECURELY) == CAN_CALL_INSECURELY &&
               !(capabilities & CAN_DTLS)) {
        survey->insecure = true;
    }
}

static struct survey survey_devices(struct account_call *call, usec now)
{
    struct account *account = call->account;
    struct survey survey = {0};
    size_t count = 0;
    struct device **devices = presence_devices(account->presence, call->peer, &count);
    for (size_t i = 0; i < count; i++) {
        bool asked_for = !jid_is_full(call->peer) || jid_equal(devices[i]->jid, call->peer);
        if (asked_for && !jid_equal(devices[i]->jid, account->full_jid))
            survey_device(&survey, call, devices[i], now);
    }
    g_free(devices);
    return survey;
}

static void cannot_call(struct account_call *call, const struct survey *survey, usec now)
{
    doom(call, JINGLE_REASON_NO_CALL_SUPPORT,
         survey->insecure ? jingle_strerror(JINGLE_ERROR_INSECURE_PEER) : "", now);
}

static void decide_direct(struct account_call *call, const struct survey *survey, usec now)
{
    if (survey->best)
        initiate_directly(call, survey->best->jid, now);
    else if (survey->devices > survey->unknown)
        cannot_call(call, survey, now);
    else if (jid_is_full(call->peer) &&
             (survey->unknown > 0 || !shares_presence(call->account, call->peer)))
        initiate_directly(call, call->peer, now);
    else
        doom(call, JINGLE_REASON_OFFLINE, "", now);
}

static void decide_by_message(struct account_call *call, const struct survey *survey, usec now)
{
    struct account *account = call->account;
    bool seen = caps_knows_initiation(account->caps, call->peer);
    bool hopeless = !survey->best && survey->unknown == 0 && !seen;
    if (survey->best && !survey->initiation)
        initiate_directly(call, survey->best->jid, now);
    else if (hopeless && survey->devices > 0)
        cannot_call(call, survey, now);
    else if (hopeless && shares_presence(account, call->peer))
        doom(call, JINGLE_REASON_OFFLINE, "", now);
    else
        propose(call, now); /* also to a telephone asleep, which is woken by it */
}

static void decide(struct account_call *call, usec now)
{
    struct account *account = call->account;
    if (call->verdict != JINGLE_REASON_NONE)
        return;
    if (!account->online) {
        call->decide_at =
            USEC_NEVER; /* account_online() brings presence, and that brings us here */
        return;
    }
    struct survey survey = survey_devices(call, now);
    /* What our own account proposes concerns the devices that do not answer (XEP-0353, 3.3). */
    bool own = jid_equal_bare(call->peer, account->bare);
    bool direct = call->direct || own || jid_is_full(call->peer);
    bool enough = survey.best && (direct || survey.initiation);
    usec settled = account->online_since + ACCOUNT_SETTLE;
    usec asked = call->started + ACCOUNT_ASK_LIMIT;
    bool may_appear = survey.devices == 0 && shares_presence(account, call->peer);
    if (!enough && may_appear && now < settled)
        call->decide_at = settled;
    else if (!enough && survey.unknown > 0 && now < asked)
        call->decide_at = asked;
    else if (direct)
        decide_direct(call, &survey, now);
    else
        decide_by_message(call, &survey, now);
}

jingle_status account_call_start(struct account *account, const char *to,
                                 const struct session_media *media, size_t count, bool direct,
                                 usec now, struct account_call **call)
{
    *call = NULL;
    if (!to || !jid_is_valid(to) || (account->full_jid && jid_equal(to, account->full_jid)))
        return JINGLE_ERROR_JID;
    if (!account->online)
        return JINGLE_ERROR_OFFLINE;
    if (g_queue_get_length(&account->calls) >= ACCOUNT_CALLS_MAX)
        return JINGLE_ERROR_LIMIT;
    account_enter(account, now);
    struct account_call *made = call_new(account, to, true);
    media_copy(made, media, count);
    made->direct = direct;
    made->told = true;
    made->deciding = true;
    made->started = now;
    made->decide_at = now;
    decide(made, now);
    *call = made;
    account_leave(account);
    return JINGLE_OK;
}

void account_calls_reconsider(struct account *account, const char *jid, usec now)
{
    for (GList *item = account->calls.head; item; item = item->next) {
        struct account_call *call = item->data;
        if (call->deciding && jid_equal_bare(call->peer, jid))
            call->decide_at = now;
    }
}

/* ------------------------------------------------------------------------ message initiation -- */

static void tell_incoming(struct account_call *call, bool audio, bool video, usec when)
{
    struct account *account = call->account;
    struct account_event event = {
        .type = ACCOUNT_EVENT_INCOMING,
        .u.incoming = {.from = call->peer,
                       .sid = call->sid,
                       .audio = audio,
                       .video = video,
                       .on_roster = roster_find(account->roster, call->peer) != NULL,
                       .when = when},
    };
    call->told = true;
    tell(call, &event);
}

static void on_proposal_came(struct account *account, const struct initiation_event *event)
{
    struct account_call *call = call_new(account, event->peer, false);
    call->by_message = true;
    call->proposal = event->proposal;
    set_text(&call->sid, event->sid);
    proposal_set_user(event->proposal, call);
    tell_incoming(call, event->u.incoming.audio, event->u.incoming.video, event->u.incoming.when);
}

static void on_missed(struct account *account, const struct initiation_event *event)
{
    struct account_event told = {
        .type = ACCOUNT_EVENT_MISSED,
        .u.incoming = {.from = event->peer,
                       .sid = event->sid,
                       .audio = event->u.incoming.audio,
                       .video = event->u.incoming.video,
                       .on_roster = roster_find(account->roster, event->peer) != NULL,
                       .when = event->u.incoming.when},
    };
    account_tell(account, &told);
}

static guint find_ringing(const struct account_call *call, const char *jid)
{
    guint at = 0;
    while (at < call->ringing->len && !jid_equal(call->ringing->pdata[at], jid))
        at++;
    return at;
}

static void on_ringing(struct account_call *call, const char *jid)
{
    if (jid_is_full(jid) && find_ringing(call, jid) == call->ringing->len &&
        call->ringing->len < RINGING_MAX)
        g_ptr_array_add(call->ringing, g_strdup(jid));
    if (!call->rings)
        tell_plain(call, ACCOUNT_EVENT_RINGING);
    call->rings = true;
}

static void on_proceed(struct account_call *call, const struct initiation_event *event)
{
    call->proposal = NULL; /* freed after this */
    initiate(call, event->peer, event->sid, call->account->now);
    if (!call->ended)
        tell_accepted(call);
}

/* Servers bounce alike for those who are not online and those who do not exist; whose presence we
 * are shown does exist. */
static jingle_reason meaning(const struct account_call *call, const struct initiation_event *event)
{
    jingle_reason reason = event->u.ended.reason;
    bool bounced = reason == JINGLE_REASON_OFFLINE && event->u.ended.by == JINGLE_PARTY_REMOTE;
    if (bounced && !shares_presence(call->account, call->peer))
        return JINGLE_REASON_UNREACHABLE;
    return reason;
}

static void on_initiation_event(void *user, const struct initiation_event *event)
{
    struct account *account = user;
    struct account_call *call = event->proposal ? proposal_user(event->proposal) : NULL;
    switch (event->type) {
    case INITIATION_EVENT_INCOMING:
        on_proposal_came(account, event);
        break;
    case INITIATION_EVENT_MISSED:
        on_missed(account, event);
        break;
    case INITIATION_EVENT_RINGING:
        if (call)
            on_ringing(call, event->peer);
        break;
    case INITIATION_EVENT_PROCEED:
        if (call)
            on_proceed(call, event);
        break;
    case INITIATION_EVENT_ENDED:
        if (!call)
            break;
        call->proposal = NULL;
        finish(call, meaning(call, event), event->u.ended.by, event->u.ended.text);
        break;
    }
}

static void on_initiation_send(void *user, const xml_node *message)
{
    struct account *account = user;
    posted_add(account->posted, message, account->now);
    account_send(account, xml_copy(message));
}

void account_calls_init(struct account *account)
{
    struct initiation_config config = {
        .id_prefix = account->id_prefix,
        .ring_timeout = account->ring_timeout,
        .random = account->random,
        .log = account->log,
    };
    struct initiation_hooks hooks = {
        .user = account, .send = on_initiation_send, .event = on_initiation_event};
    account->initiation = initiation_new(&config, &hooks);
    g_queue_init(&account->calls);
    g_queue_init(&account->ended);
    account->posted = posted_new();
}

void account_receive_message(struct account *account, const struct stanza *message,
                             enum initiation_origin origin, usec now)
{
    bool trusted = message->from && account_is_trusted(account, message->from);
    struct initiation_arrival arrival = {
        .origin = origin,
        .trusted = trusted,
        .wall = account->hooks.wall(account->hooks.user),
    };
    const xml_node *element = initiation_element(message->node);
    bool spoken = element && message->from && origin != ORIGIN_CARBON_SENT &&
                  strcmp(message->type, "error") != 0;
    if (spoken && xml_attribute(element, "id"))
        posted_arrived(account->posted, message->from, xml_attribute(element, "id"));
    if (spoken && trusted) {
        char *bare = jid_bare(message->from);
        account_remember_initiation(account, bare);
        g_free(bare);
    }
    initiation_receive(account->initiation, message, &arrival, now);
}

/* --------------------------------------------------------------------------- Jingle stanzas -- */

static struct account_call *find_session(struct account *account, const char *from, const char *sid)
{
    for (GList *item = account->calls.head; item; item = item->next) {
        struct account_call *call = item->data;
        if (call->session && session_matches(call->session, from, sid))
            return call;
    }
    return NULL;
}

static void refuse(struct account *account, const struct stanza *iq,
                   enum stanza_condition condition, enum jingle_condition jingle, const char *why)
{
    struct stanza_error error = stanza_error_make(condition, jingle, why);
    log_warning(account->log, "%s: %s", iq->from ? iq->from : "the server", why);
    answer(account, iq, &error);
}

/* Makes the session of a session-initiate; false if it ended with that, untold. */
static bool begin_session(struct account_call *call, const struct jingle_iq *iq, usec now)
{
    struct session_config config = session_settings(call);
    struct session_hooks hooks = session_hooks_of(call);
    call->session = session_new_incoming(&config, &hooks, iq, now);
    return session_state(call->session) != SESSION_ENDED;
}

/* What was proposed and accepted begins. */
static void begin_accepted(struct account_call *call, const char *from, const struct jingle_iq *iq,
                           usec now)
{
    call->proposal = NULL;
    set_text(&call->peer, from);
    if (!begin_session(call, iq, now)) {
        finish(call, JINGLE_REASON_INCOMPATIBLE, JINGLE_PARTY_LOCAL, "");
        return;
    }
    session_accept(call->session, call->media, call->media_count, now);
}

static void begin_unannounced(struct account *account, const struct stanza *iq,
                              const struct jingle_iq *jingle, usec now)
{
    struct account_call *call = call_new(account, iq->from, false);
    set_text(&call->sid, jingle->sid);
    bool wanted = !initiation_remembers(account->initiation, iq->from, jingle->sid);
    bool alive = begin_session(call, jingle, now);
    if (!alive || !wanted) {
        /* As Conversations does: acknowledged, then refused. */
        if (alive)
            session_end(call->session, JINGLE_REASON_DECLINED);
        finish(call, JINGLE_REASON_DECLINED, JINGLE_PARTY_LOCAL, "");
        return;
    }
    session_send_info(call->session, INFO_RINGING, NULL);
    tell_incoming(call, session_offers(call->session, "audio"),
                  session_offers(call->session, "video"), account->hooks.wall(account->hooks.user));
}

/* XEP-0166, 7.2.16: the session of ours that this session-initiate crosses. */
static struct account_call *find_crossing(struct account *account, const char *from)
{
    for (GList *item = account->calls.head; item; item = item->next) {
        struct account_call *call = item->data;
        if (call->session && call->outgoing && jid_equal(session_peer(call->session), from) &&
            session_state(call->session) == SESSION_PENDING)
            return call;
    }
    return NULL;
}

static bool loses_tie(struct account *account, const struct stanza *iq,
                      const struct jingle_iq *jingle)
{
    struct account_call *ours = find_crossing(account, iq->from);
    struct stanza_error error;
    if (!ours)
        return false;
    if (session_tie_break(ours->session, iq->from, jingle, &error)) {
        answer(account, iq, &error);
        return true;
    }
    session_end(ours->session, JINGLE_REASON_REPLACED);
    return false;
}

static void receive_initiate(struct account *account, const struct stanza *iq,
                             const struct jingle_iq *jingle, usec now)
{
    struct proposal *proposal = initiation_find(account->initiation, iq->from, jingle->sid);
    struct account_call *call = proposal ? proposal_user(proposal) : NULL;
    if (call && initiation_take(account->initiation, iq->from, jingle->sid, now)) {
        begin_accepted(call, iq->from, jingle, now);
    } else if (call) {
        refuse(account, iq, STANZA_UNEXPECTED_REQUEST, JINGLE_OUT_OF_ORDER,
               "session-initiate before the proposal was accepted");
    } else if (g_queue_get_length(&account->calls) >= ACCOUNT_CALLS_MAX) {
        refuse(account, iq, STANZA_RESOURCE_CONSTRAINT, JINGLE_CONDITION_NONE,
               "too many sessions at once");
    } else if (!loses_tie(account, iq, jingle)) {
        begin_unannounced(account, iq, jingle, now);
    }
}

static void receive_unknown(struct account *account, const struct stanza *iq,
                            const struct jingle_iq *jingle)
{
    struct stanza_error error;
    bool refused = session_unknown(jingle, &error);
    answer(account, iq, refused ? &error : NULL);
}

static void dispatch(struct account *account, const struct stanza *iq,
                     const struct jingle_iq *jingle, usec now)
{
    struct account_call *call = find_session(account, iq->from, jingle->sid);
    posted_arrived(account->posted, iq->from, jingle->sid);
    account->answering = iq;
    if (call)
        session_receive(call->session, jingle, now);
    else if (jingle->action == ACTION_SESSION_INITIATE)
        receive_initiate(account, iq, jingle, now);
    else
        receive_unknown(account, iq, jingle);
    account->answering = NULL;
}

static bool is_in_a_call_with(const struct account *account, const char *jid)
{
    for (GList *item = account->calls.head; item; item = item->next) {
        const struct account_call *call = item->data;
        if (jid_equal_bare(call->peer, jid))
            return true;
    }
    return false;
}

bool account_hides_from(const struct account *account, const char *jid)
{
    return jid && !account_is_trusted(account, jid) && !is_in_a_call_with(account, jid);
}

void account_receive_jingle(struct account *account, const struct stanza *iq,
                            const xml_node *element, usec now)
{
    struct jingle_iq jingle;
    struct stanza_error error;
    if (account_hides_from(account, iq->from)) {
        log_info(account->log, "%s, who is not a contact, hears that nobody is here", iq->from);
        account_say_absent(account, iq);
        return;
    }
    const char *before = answers_find(account->answers, iq);
    if (before) {
        log_debug(account->log, "%s sent %s again", iq->from ? iq->from : "the server", iq->id);
        if (account->online)
            account->hooks.send(account->hooks.user, before, strlen(before));
        return;
    }
    if (!iq->from || !jid_is_full(iq->from) || strcmp(iq->type, "set") != 0) {
        refuse(account, iq, STANZA_BAD_REQUEST, JINGLE_CONDITION_NONE,
               "a Jingle stanza that is no set of a full JID");
        return;
    }
    if (!jingle_iq_read(&jingle, element, &error)) {
        log_warning(account->log, "%s: malformed Jingle: %s", iq->from, error.text);
        answer(account, iq, &error);
        return;
    }
    dispatch(account, iq, &jingle, now);
    jingle_iq_clear(&jingle);
}

/* --------------------------------------------------------------------------------- commands -- */

jingle_status account_call_accept(struct account_call *call, const struct session_media *media,
                                  size_t count, usec now)
{
    struct account *account = call->account;
    if (call->ended || call->outgoing || call->accepted)
        return JINGLE_ERROR_STATE;
    account_enter(account, now);
    media_copy(call, media, count);
    tell_accepted(call);
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
    finish(call, reason, JINGLE_PARTY_LOCAL, "");
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

const char *account_call_sid(const struct account_call *call)
{
    return call->sid;
}

const char *account_call_peer(const struct account_call *call)
{
    return call->peer;
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
    finish(call, reason, by, "");
}

/* Of the last device that may ring: not all say that they do (Dino does not), and one that heard
 * from another that the call is taken may be gone before we hear of it. */
static bool stops_ringing(struct account_call *call, const char *jid, usec now)
{
    guint at = find_ringing(call, jid);
    if (at < call->ringing->len)
        g_ptr_array_remove_index_fast(call->ringing, at);
    if (!call->proposal || !call->rings || call->ringing->len > 0 ||
        !jid_equal_bare(call->peer, jid))
        return false;
    struct survey survey = survey_devices(call, now);
    return !survey.initiation && survey.unknown == 0;
}

static void drop_if_of(struct account_call *call, const void *jid, usec now)
{
    bool is_peer = jid_is_full(call->peer) && jid_equal(call->peer, jid);
    if (!call->connected && (is_peer || stops_ringing(call, jid, now)))
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
        finish(call, call->verdict, JINGLE_PARTY_REMOTE, call->verdict_text);
    else if (call->deciding && now >= call->decide_at)
        decide(call, now);
    else if (call->session)
        session_tick(call->session, now);
}

void account_calls_tick(struct account *account, usec now)
{
    for_each_call(account, tick, NULL, now);
}
