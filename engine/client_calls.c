/* The sessions of a client: joins the signalling half of a call (signaling/account.h) to its media
 * half (call.h) and tells the application. All of it on the I/O thread; the public functions at the
 * end get there by loop_call() and loop_post().
 *
 *     start ─▶ account_call_start ─▶ ACCEPTED ─▶ NEGOTIATED ─▶ CONNECTED ─▶ ENDED
 *       └────▶ call_new: gathers meanwhile ────────▶ call_negotiated      └▶ call_end ─▶ closed */
#include "call.h"
#include "call_voice.h"
#include "client.h"
#include "events.h"
#include "media_threads.h"
#include "session.h"
#include "signaling/jid.h"

#include <string.h>

/* The only content of a voice call. */
#define CONTENT_AUDIO "audio"

/* A hang-up in the media path may overtake session-terminate, which says more: wait this long. */
#define TERMINATE_PATIENCE (1 * USEC_PER_SEC)

static void push(jingle_session *session, jingle_event_type type, const char *text)
{
    jingle_event event = {.type = type, .session = session, .text = text};
    events_push(session->client->events, &event);
}

/* ------------------------------------------------------------------------------------- end -- */

static void push_ended(jingle_session *session)
{
    jingle_event event = {
        .type = JINGLE_EVENT_ENDED,
        .session = session,
        .text = jingle_reason_sentence(session->ended_reason),
        .u.ended = {.reason = session->ended_reason, .by = session->ended_by},
    };
    events_push(session->client->events, &event);
}

/* The application hears of the end when all is closed: a recording can be played then. */
static void on_ended(jingle_session *session, const struct account_event *event)
{
    bool by_media = session->hung_up && event->u.ended.by == JINGLE_PARTY_LOCAL;
    session->ended_reason = event->u.ended.reason;
    session->ended_by = by_media ? JINGLE_PARTY_REMOTE : event->u.ended.by;
    session->signaling = NULL;
    jingle_session_set_stage(session, STAGE_ENDED);
    jingle_client *client = session->client;
    g_ptr_array_remove_fast(client->sessions, session);
    if (session->media) {
        call_end(session->media);
        session->media = NULL;
        media_threads_give_back(session->thread);
    } else {
        push_ended(session);
    }
    jingle_audio_source_free(session->settings.source);
    jingle_audio_sink_free(session->settings.sink);
    session->settings = (jingle_session_config){0};
    jingle_session_unref(session); /* the client's */
}

static void end_session(jingle_session *session, jingle_reason reason)
{
    if (session->signaling) {
        account_call_end(session->signaling, reason, clock_now());
    }
}

/* ----------------------------------------------------------------- what the media half says -- */

/* The one who is called learns the content's name from the offer: until then the transport waits,
 * and candidates join it. */
static void on_transport(jingle_session *session, const struct ice_udp_transport *transport)
{
    if (session->signaling && session->content) {
        account_call_set_transport(session->signaling, session->content, transport, clock_now());
        client_schedule(session->client);
    } else {
        ice_udp_copy(&session->transport, transport);
    }
}

static void on_candidate(jingle_session *session, const struct ice_candidate *candidate)
{
    if (session->signaling && session->content) {
        account_call_add_candidates(session->signaling, session->content, candidate, 1,
                                    clock_now());
        client_schedule(session->client);
    } else {
        ice_udp_add_candidate(&session->transport, candidate);
    }
}

static void learn_content(jingle_session *session, const char *content)
{
    if (!session->content) {
        session->content = g_strdup(content);
        if (*session->transport.ufrag) {
            account_call_set_transport(session->signaling, content, &session->transport,
                                       clock_now());
        }
    }
}

static void on_connected(jingle_session *session)
{
    if (session->connected) {
        push(session, JINGLE_EVENT_RECOVERED, "Sound is coming through again.");
        return;
    }
    session->connected = true;
    account_call_connected(session->signaling, clock_now());
    jingle_event event = {
        .type = JINGLE_EVENT_CONNECTED,
        .session = session,
        .text = "Connected.",
        .u.connected = {.setup_time = clock_now() - session->answered_at},
    };
    events_push(session->client->events, &event);
}

static void on_state(jingle_session *session, enum link_state state, jingle_reason reason)
{
    if (!session->signaling) {
        return;
    }
    switch (state) {
    case LINK_CONNECTED:
        on_connected(session);
        break;
    case LINK_INTERRUPTED:
        push(session, JINGLE_EVENT_INTERRUPTED,
             "Nothing comes from them at the moment; waiting for the network.");
        break;
    case LINK_FAILED:
        end_session(session, reason);
        break;
    default:
        break;
    }
    client_schedule(session->client);
}

/* With the server away, nothing more will come than this. */
static void on_hung_up(jingle_session *session)
{
    if (!session->signaling || session->hung_up) {
        return;
    }
    session->hung_up = true;
    bool online = atomic_load(&session->client->online);
    session->hung_up_deadline = clock_now() + (online ? TERMINATE_PATIENCE : 0);
    client_schedule(session->client);
}

static void on_closed(jingle_session *session)
{
    push_ended(session);
}

static const struct call_hooks hooks = {
    .transport = on_transport,
    .candidate = on_candidate,
    .state = on_state,
    .hung_up = on_hung_up,
    .closed = on_closed,
};

/* --------------------------------------------------------------------- making a media half -- */

static void start_media(jingle_session *session)
{
    struct jingle_client *client = session->client;
    session->thread = media_threads_take(client->media);
    struct call_config config = {
        .session = session,
        .events = client->events,
        .hooks = &hooks,
        .log = &client->log,
        .io = client->io,
        .closer = client->closer,
        .thread = session->thread,
        .certificate = client->certificate,
        .servers = client->servers,
        .server_count = client->server_count,
        .controlling = account_call_is_outgoing(session->signaling),
        .relay_only = client->features.relay_only,
        .loopback = client->features.loopback,
        .ca_file = client->ca_file,
        .identity = session->identity,
        .settings = session->settings,
    };
    session->media = call_new(&config);
    session->settings.source = NULL; /* the call's now */
    session->settings.sink = NULL;
}

/* ------------------------------------------------------------- what the signalling half says -- */

static void on_incoming(struct jingle_client *client, const struct account_event *event)
{
    if (client->closing || client->sessions->len >= CLIENT_SESSIONS_MAX) {
        account_call_reject(event->call, JINGLE_REASON_BUSY, clock_now());
        return;
    }
    jingle_session *session =
        jingle_session_new(client, event->u.incoming.from, event->u.incoming.sid, STAGE_INCOMING);
    session->signaling = event->call;
    account_call_set_user(event->call, session);
    g_ptr_array_add(client->sessions, session);
    jingle_event out = {
        .type = JINGLE_EVENT_INCOMING,
        .session = session,
        .text = "Somebody calls.",
        .u.incoming = {.from = event->u.incoming.from,
                       .audio = event->u.incoming.audio,
                       .video = event->u.incoming.video,
                       .on_roster = event->u.incoming.on_roster,
                       .when = event->u.incoming.when},
    };
    events_push(client->events, &out);
}

static void on_missed(struct jingle_client *client, const struct account_event *event)
{
    jingle_event out = {
        .type = JINGLE_EVENT_MISSED,
        .text = "Somebody called while you were away.",
        .u.incoming = {.from = event->u.incoming.from,
                       .audio = event->u.incoming.audio,
                       .video = event->u.incoming.video,
                       .on_roster = event->u.incoming.on_roster,
                       .when = event->u.incoming.when},
    };
    events_push(client->events, &out);
}

static void on_accepted(jingle_session *session, const struct account_event *event)
{
    jingle_session_set_peer(session, account_call_peer(event->call));
    jingle_session_set_stage(session, STAGE_ANSWERED);
    if (!session->answered_at) {
        session->answered_at = clock_now();
    }
    push(session, JINGLE_EVENT_ACCEPTED, "Answered; setting up the sound.");
}

static void on_negotiated(jingle_session *session, const struct account_event *event)
{
    pthread_mutex_lock(&session->lock);
    session->takes_digits = call_voice_takes_digits(event->u.negotiated.agreement);
    pthread_mutex_unlock(&session->lock);
    learn_content(session, event->u.negotiated.content);
    if (!session->media) {
        start_media(session); /* an offer that was there already is agreed on at once */
    }
    call_negotiated(session->media, event->u.negotiated.content, event->u.negotiated.agreement,
                    event->u.negotiated.remote, event->u.negotiated.dtls_client);
}

static void on_info(jingle_session *session, enum jingle_info info)
{
    bool hold = info == INFO_HOLD;
    jingle_event event = {.session = session, .text = ""};
    switch (info) {
    case INFO_HOLD:
    case INFO_UNHOLD:
    case INFO_ACTIVE:
        if (hold == session->peer_holds) {
            return;
        }
        session->peer_holds = hold;
        if (session->media) {
            call_set_peer_hold(session->media, hold);
        }
        event.type = JINGLE_EVENT_HOLD;
        event.text = hold ? "They put the call on hold." : "They took the call off hold.";
        event.u.flag.on = hold;
        break;
    case INFO_MUTE:
    case INFO_UNMUTE:
        event.type = JINGLE_EVENT_MUTE;
        event.u.flag.on = info == INFO_MUTE;
        event.text =
            event.u.flag.on ? "They muted their microphone." : "They unmuted their microphone.";
        break;
    default:
        return;
    }
    events_push(session->client->events, &event);
}

void client_calls_event(struct jingle_client *client, const struct account_event *event)
{
    jingle_session *session = event->call ? account_call_user(event->call) : NULL;
    if (event->type == ACCOUNT_EVENT_INCOMING) {
        on_incoming(client, event);
        return;
    }
    if (event->type == ACCOUNT_EVENT_MISSED) {
        on_missed(client, event);
        return;
    }
    if (!session) {
        return; /* refused before there was a session for it */
    }
    jingle_session_set_id(session, account_call_sid(event->call));
    switch (event->type) {
    case ACCOUNT_EVENT_RINGING:
        push(session, JINGLE_EVENT_RINGING, "It rings over there.");
        break;
    case ACCOUNT_EVENT_ACCEPTED:
        on_accepted(session, event);
        break;
    case ACCOUNT_EVENT_NEGOTIATED:
        on_negotiated(session, event);
        break;
    case ACCOUNT_EVENT_REMOTE_TRANSPORT:
        if (session->media) {
            call_remote_transport(session->media, event->u.remote_transport.transport);
        }
        break;
    case ACCOUNT_EVENT_SENDERS:
        if (session->media) {
            call_set_senders(session->media, event->u.senders.we_send, event->u.senders.we_receive);
        }
        break;
    case ACCOUNT_EVENT_INFO:
        on_info(session, event->u.info.info);
        break;
    case ACCOUNT_EVENT_ENDED:
        on_ended(session, event);
        break;
    default:
        break;
    }
}

/* ------------------------------------------------------------------------------- deadlines -- */

void client_calls_tick(struct jingle_client *client, usec now)
{
    for (guint i = client->sessions->len; i > 0; i--) { /* an end takes it out of the array */
        jingle_session *session = client->sessions->pdata[i - 1];
        if (session->hung_up && now >= session->hung_up_deadline) {
            end_session(session, JINGLE_REASON_HANGUP);
        }
    }
}

usec client_calls_deadline(const struct jingle_client *client)
{
    usec deadline = USEC_NEVER;
    for (guint i = 0; i < client->sessions->len; i++) {
        const jingle_session *session = client->sessions->pdata[i];
        if (session->hung_up) {
            deadline = MIN(deadline, session->hung_up_deadline);
        }
    }
    return deadline;
}

void client_calls_end_all(struct jingle_client *client, jingle_reason reason)
{
    for (guint i = client->sessions->len; i > 0; i--) {
        end_session(client->sessions->pdata[i - 1], reason);
    }
}

/* ------------------------------------------------------------- for the application's threads -- */

struct session_job {
    jingle_client *client;
    jingle_session *session;
    const char *to;
    const jingle_session_config *settings;
    jingle_status status;
};

/* Owns what the application handed over, whatever happens. */
static void drop_sound(jingle_session_config *settings)
{
    jingle_audio_source_free(settings->source);
    jingle_audio_sink_free(settings->sink);
}

static bool settings_make_sense(const jingle_session_config *s)
{
    return (s->bitrate == 0 || (s->bitrate >= 6000 && s->bitrate <= 510000)) && s->channels <= 2 &&
           (s->ptime == 0 || s->ptime == 10 || s->ptime == 20 || s->ptime == 40 ||
            s->ptime == 60) &&
           call_voice_knows_codec(s->codec);
}

/* `out` is `given` with what it leaves open filled in; on failure its sound is freed. */
static jingle_status read_settings(const jingle_session_config *given, jingle_session_config *out)
{
    jingle_session_config_init(out);
    if (given) {
        memcpy(out, given, MIN(given->size, sizeof *out));
    }
    jingle_status status = settings_make_sense(out) ? JINGLE_OK : JINGLE_ERROR_INVALID;
    if (status == JINGLE_OK && !out->source) {
        out->source = jingle_audio_source_device(NULL, &status);
    }
    if (status == JINGLE_OK && !out->sink) {
        out->sink = jingle_audio_sink_device(NULL, &status);
    }
    if (status != JINGLE_OK) {
        drop_sound(out);
    }
    return status;
}

static void take_settings(jingle_session *session, const jingle_session_config *settings)
{
    session->settings = *settings;
    session->settings.codec = NULL; /* the description has it; the text is the application's */
}

static void start_call(void *arg)
{
    struct session_job *job = arg;
    jingle_client *client = job->client;
    if (client->sessions->len >= CLIENT_SESSIONS_MAX) {
        job->status = JINGLE_ERROR_LIMIT;
        return;
    }
    struct call_voice_identity identity;
    struct rtp_description description;
    call_voice_identity_new(&identity, &random_system);
    call_voice_describe(&description, job->settings, &identity);
    struct session_media media = {.content = CONTENT_AUDIO, .description = &description};
    struct account_call *call;
    job->status = account_call_start(client->account, job->to, &media, 1, job->settings->direct,
                                     clock_now(), &call);
    rtp_description_clear(&description);
    if (job->status == JINGLE_OK) {
        jingle_session *session =
            jingle_session_new(client, job->to, account_call_sid(call), STAGE_CALLING);
        session->signaling = call;
        account_call_set_user(call, session);
        g_ptr_array_add(client->sessions, session);
        session->identity = identity;
        session->content = g_strdup(CONTENT_AUDIO);
        take_settings(session, job->settings);
        job->session = jingle_session_ref(session);
        start_media(session);
    }
    client_schedule(client);
}

jingle_status jingle_session_start(jingle_client *client, const char *to,
                                   const jingle_session_config *config, jingle_session **session)
{
    jingle_session_config settings;
    jingle_status status = read_settings(config, &settings);
    if (session) {
        *session = NULL;
    }
    if (status != JINGLE_OK) {
        return status;
    }
    if (!client || !to || !session) {
        status = JINGLE_ERROR_INVALID;
    } else if (!jid_is_valid(to)) {
        status = JINGLE_ERROR_JID;
    } else if (!atomic_load(&client->online)) {
        status = JINGLE_ERROR_OFFLINE;
    }
    struct session_job job = {.client = client, .to = to, .settings = &settings, .status = status};
    if (status == JINGLE_OK) {
        loop_call(client->io, start_call, &job);
    }
    if (job.status != JINGLE_OK) {
        drop_sound(&settings);
        return job.status;
    }
    *session = job.session;
    return JINGLE_OK;
}

static void accept_call(void *arg)
{
    struct session_job *job = arg;
    jingle_session *session = job->session;
    if (!session->signaling || jingle_session_stage(session) != STAGE_INCOMING) {
        job->status = JINGLE_ERROR_STATE;
        return;
    }
    struct rtp_description description;
    call_voice_identity_new(&session->identity, &random_system);
    call_voice_describe(&description, job->settings, &session->identity);
    struct session_media media = {
        .content = CONTENT_AUDIO,
        .description = &description,
        .order = job->settings->codec ? ORDER_OF_OURS : ORDER_OF_THE_OFFER,
    };
    take_settings(session, job->settings);
    session->answered_at = clock_now();
    jingle_session_ref(session); /* it may end inside */
    job->status = account_call_accept(session->signaling, &media, 1, clock_now());
    rtp_description_clear(&description);
    if (job->status != JINGLE_OK) {
        session->settings = (jingle_session_config){0};
    } else if (session->signaling && !session->media) {
        start_media(session);
    }
    client_schedule(session->client);
    jingle_session_unref(session);
}

jingle_status jingle_session_accept(jingle_session *session, const jingle_session_config *config)
{
    jingle_session_config settings;
    jingle_status status = read_settings(config, &settings);
    if (status != JINGLE_OK) {
        return status;
    }
    struct session_job job = {.session = session, .settings = &settings};
    if (!session) {
        job.status = JINGLE_ERROR_INVALID;
    } else {
        loop_call(session->client->io, accept_call, &job);
    }
    if (job.status != JINGLE_OK) {
        drop_sound(&settings);
    }
    return job.status;
}

/* ---------------------------------------------------------------------- orders to a session -- */

struct order {
    jingle_session *session;
    jingle_reason reason;
    bool on;
    char *digits;
};

static void order_free(void *arg)
{
    struct order *order = arg;
    jingle_session_unref(order->session);
    g_free(order->digits);
    g_free(order);
}

static jingle_status post_order(jingle_session *session, mailbox_fn fn, struct order order)
{
    if (!session) {
        return JINGLE_ERROR_INVALID;
    }
    if (jingle_session_stage(session) == STAGE_ENDED) {
        return JINGLE_ERROR_STATE;
    }
    struct order *posted = g_new0(struct order, 1);
    *posted = order;
    posted->session = jingle_session_ref(session);
    loop_post(session->client->io, fn, order_free, posted);
    return JINGLE_OK;
}

static void reject_call(void *arg)
{
    struct order *order = arg;
    jingle_session *session = order->session;
    if (session->signaling && jingle_session_stage(session) == STAGE_INCOMING) {
        account_call_reject(session->signaling, order->reason, clock_now());
        client_schedule(session->client);
    }
    order_free(order);
}

jingle_status jingle_session_reject(jingle_session *session, jingle_reason reason)
{
    if (reason != JINGLE_REASON_BUSY && reason != JINGLE_REASON_DECLINED) {
        return JINGLE_ERROR_INVALID;
    }
    return post_order(session, reject_call, (struct order){.reason = reason});
}

static void end_call(void *arg)
{
    struct order *order = arg;
    jingle_session *session = order->session;
    enum session_stage stage = jingle_session_stage(session);
    if (session->signaling && stage == STAGE_INCOMING) {
        account_call_reject(session->signaling, JINGLE_REASON_DECLINED, clock_now());
    } else {
        end_session(session,
                    stage == STAGE_CALLING ? JINGLE_REASON_CANCELED : JINGLE_REASON_HANGUP);
    }
    client_schedule(session->client);
    order_free(order);
}

jingle_status jingle_session_end(jingle_session *session)
{
    return post_order(session, end_call, (struct order){0});
}

static void set_mute(void *arg)
{
    struct order *order = arg;
    jingle_session *session = order->session;
    if (session->signaling && session->media) {
        call_set_mute(session->media, order->on);
        account_call_info(session->signaling, order->on ? INFO_MUTE : INFO_UNMUTE, session->content,
                          clock_now());
        client_schedule(session->client);
    }
    order_free(order);
}

jingle_status jingle_session_set_mute(jingle_session *session, bool on)
{
    return post_order(session, set_mute, (struct order){.on = on});
}

static void set_hold(void *arg)
{
    struct order *order = arg;
    jingle_session *session = order->session;
    if (session->signaling && session->media) {
        call_set_hold(session->media, order->on);
        account_call_info(session->signaling, order->on ? INFO_HOLD : INFO_UNHOLD, NULL,
                          clock_now());
        client_schedule(session->client);
    }
    order_free(order);
}

jingle_status jingle_session_set_hold(jingle_session *session, bool on)
{
    return post_order(session, set_hold, (struct order){.on = on});
}

static void send_digits(void *arg)
{
    struct order *order = arg;
    if (order->session->media) {
        call_send_digits(order->session->media, order->digits);
    }
    order_free(order);
}

jingle_status jingle_session_send_digits(jingle_session *session, const char *digits)
{
    if (!session || !digits || strspn(digits, "0123456789*#ABCD") != strlen(digits)) {
        return JINGLE_ERROR_INVALID;
    }
    pthread_mutex_lock(&session->lock);
    bool answered = session->stage == STAGE_ANSWERED;
    bool takes = session->takes_digits;
    pthread_mutex_unlock(&session->lock);
    if (!answered) {
        return JINGLE_ERROR_STATE;
    }
    if (!takes) {
        return JINGLE_ERROR_UNSUPPORTED;
    }
    return post_order(session, send_digits, (struct order){.digits = g_strdup(digits)});
}
