/* The sessions of a client: joins the signalling half of a call (signaling/account.h) to its media
 * half (call.h) and tells the application. All of it on the I/O thread.
 *
 *     start ─▶ account_call_start ─▶ ACCEPTED ─▶ NEGOTIATED ─▶ CONNECTED ─▶ ENDED
 *       └────▶ call_new: gathers meanwhile ────────▶ call_negotiated      └▶ call_end ─▶ closed */
#include "call.h"
#include "call_voice.h"
#include "client.h"
#include "client_video.h"
#include "events.h"
#include "media_threads.h"
#include "session.h"
#include "signaling/jid.h"

#include <string.h>

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
        .status = session->ended_status,
        .text = session->ended_status != JINGLE_OK ? jingle_strerror(session->ended_status)
                                                   : jingle_reason_sentence(session->ended_reason),
        .u.ended = {.reason = session->ended_reason, .by = session->ended_by},
    };
    events_push(session->client->events, &event);
}

/* The application hears of the end when all is closed: a recording can be played then. */
static void on_ended(jingle_session *session, const struct account_event *event)
{
    bool by_media = session->hung_up && event->u.ended.by == JINGLE_PARTY_LOCAL &&
                    event->u.ended.reason == JINGLE_REASON_HANGUP;
    session->ended_reason = event->u.ended.reason;
    if (event->u.ended.insecure) {
        session->ended_status = JINGLE_ERROR_INSECURE_PEER;
    }
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
    client_video_forget(session);
    jingle_session_unref(session); /* the client's */
}

void client_calls_end(jingle_session *session, jingle_reason reason)
{
    if (session->signaling) {
        account_call_end(session->signaling, reason, clock_now());
    }
}

/* ----------------------------------------------------------------- what the media half says -- */

/* The one who is called learns the transport's name from the offer: until then it waits, and
 * candidates join it. */
static void on_transport(jingle_session *session, const char *name,
                         const struct ice_udp_transport *transport)
{
    const char *known = name ? name : session->first_transport;
    if (session->signaling && known) {
        account_call_set_transport(session->signaling, known, transport, clock_now());
        client_schedule(session->client);
    } else if (session->signaling) {
        ice_udp_clear(&session->transport);
        ice_udp_copy(&session->transport, transport);
    }
}

static void on_candidate(jingle_session *session, const char *name,
                         const struct ice_candidate *candidate)
{
    const char *known = name ? name : session->first_transport;
    if (session->signaling && known) {
        account_call_add_candidates(session->signaling, known, candidate, 1, clock_now());
        client_schedule(session->client);
    } else if (session->signaling) {
        ice_udp_add_candidate(&session->transport, candidate);
    }
}

static void learn_transport(jingle_session *session, const char *name)
{
    if (!session->first_transport) {
        session->first_transport = g_strdup(name);
        if (*session->transport.ufrag) {
            account_call_set_transport(session->signaling, name, &session->transport, clock_now());
        }
    }
}

/* What the application did before there was anybody to tell. */
static void tell_what_was_set(jingle_session *session)
{
    if (session->muted) {
        account_call_info(session->signaling, INFO_MUTE, session->content, clock_now());
    }
    if (session->holds) {
        account_call_info(session->signaling, INFO_HOLD, NULL, clock_now());
    }
    client_video_connected(session);
}

static void on_connected(jingle_session *session)
{
    if (session->connected) {
        push(session, JINGLE_EVENT_RECOVERED, "Sound is coming through again.");
        return;
    }
    session->connected = true;
    account_call_connected(session->signaling, clock_now());
    tell_what_was_set(session);
    jingle_event event = {
        .type = JINGLE_EVENT_CONNECTED,
        .session = session,
        .text = "Connected.",
        .u.connected = {.setup_time = clock_now() - session->answered_at,
                        .encrypted = jingle_session_encrypted(session)},
    };
    events_push(session->client->events, &event);
}

/* What keeps sound away may keep stanzas away, too, and a new way is agreed on by stanzas. */
static void on_interrupted(jingle_session *session)
{
    const struct connection *connection = &session->client->connection;
    push(session, JINGLE_EVENT_INTERRUPTED,
         session->follows_network
             ? "Nothing comes from them at the moment; looking for another way."
             : "Nothing comes from them at the moment. Their client cannot change to another "
               "network during a call; call again if it does not come back.");
    if (connection->suspect) {
        connection->suspect(connection->user);
    }
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
        on_interrupted(session);
        break;
    case LINK_FAILED:
        client_calls_end(session, reason);
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
    .pictures_failed = client_video_failed,
    .closed = on_closed,
};

/* --------------------------------------------------------------------- making a media half -- */

void client_calls_start_media(jingle_session *session)
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
        .plain = !jingle_session_encrypted(session),
        .relay_only = client->features.relay_only,
        .loopback = client->features.loopback,
        .interfaces = client->interfaces,
        .family = client->family,
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
    if (client->closing || client->sessions->len >= CLIENT_SESSIONS_MAX ||
        events_are_full(client->events)) {
        account_call_reject(event->call, JINGLE_REASON_BUSY, clock_now());
        return;
    }
    jingle_session *session =
        jingle_session_new(client, event->u.incoming.from, event->u.incoming.sid, STAGE_INCOMING);
    jingle_session_set_name(session, event->u.incoming.name);
    session->signaling = event->call;
    if (!event->u.incoming.encrypted) {
        jingle_session_set_unencrypted(session);
    }
    account_call_set_user(event->call, session);
    g_ptr_array_add(client->sessions, session);
    jingle_event out = {
        .type = JINGLE_EVENT_INCOMING,
        .session = session,
        .text = "Somebody calls.",
        .u.incoming = {.from = event->u.incoming.from,
                       .name = event->u.incoming.name,
                       .audio = event->u.incoming.audio,
                       .video = event->u.incoming.video,
                       .on_roster = event->u.incoming.on_roster,
                       .encrypted = event->u.incoming.encrypted,
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
                       .name = event->u.incoming.name,
                       .audio = event->u.incoming.audio,
                       .video = event->u.incoming.video,
                       .on_roster = event->u.incoming.on_roster,
                       .encrypted = event->u.incoming.encrypted,
                       .when = event->u.incoming.when},
    };
    events_push(client->events, &out);
}

static void on_unencrypted(jingle_session *session)
{
    jingle_session_set_unencrypted(session);
    if (session->media) {
        call_make_plain(session->media);
    }
}

static void on_accepted(jingle_session *session, const struct account_event *event)
{
    jingle_session_set_peer(session, account_call_peer(event->call));
    jingle_session_set_stage(session, STAGE_ANSWERED);
    session->answered_at = clock_now();
    push(session, JINGLE_EVENT_ACCEPTED, "Answered; setting up the sound.");
}

static void negotiated_sound(jingle_session *session, const struct account_event *event)
{
    const struct rtp_agreement *agreement = event->u.negotiated.agreement;
    struct call_agreed agreed = {
        .content = event->u.negotiated.content,
        .transport = event->u.negotiated.transport,
        .credentials = event->u.negotiated.credentials,
        .remote = event->u.negotiated.remote,
        .agreement = agreement,
        .dtls_client = event->u.negotiated.dtls_client,
        .we_offered = event->u.negotiated.we_offered,
    };
    pthread_mutex_lock(&session->lock);
    session->takes_digits = call_voice_takes_digits(agreement);
    session->hears_opus = g_ascii_strcasecmp(agreement->send.name, "opus") == 0;
    pthread_mutex_unlock(&session->lock);
    session->follows_network = agreement->bundle;
    if (!session->content) {
        session->content = g_strdup(event->u.negotiated.content);
    }
    call_negotiated(session->media, &agreed);
}

static void on_negotiated(jingle_session *session, const struct account_event *event)
{
    learn_transport(session, event->u.negotiated.transport);
    if (!session->signaling) {
        return; /* it ended over that */
    }
    if (!session->media) {
        client_calls_start_media(session); /* an offer that was there is agreed on at once */
    }
    if (client_video_is_agreement(event->u.negotiated.agreement)) {
        client_video_negotiated(session, event);
    } else {
        negotiated_sound(session, event);
    }
}

static void on_hold(jingle_session *session, bool hold)
{
    if (hold == session->peer_holds) {
        return;
    }
    session->peer_holds = hold;
    if (session->media) {
        call_set_peer_hold(session->media, hold);
    }
    jingle_event event = {
        .type = JINGLE_EVENT_HOLD,
        .session = session,
        .text = hold ? "They put the call on hold." : "They took the call off hold.",
        .u.flag.on = hold,
    };
    events_push(session->client->events, &event);
}

static void on_sound_mute(jingle_session *session, bool on)
{
    if (session->media) {
        call_set_peer_mute(session->media, on);
    }
    jingle_event event = {
        .type = JINGLE_EVENT_MUTE,
        .session = session,
        .text = on ? "They muted their microphone." : "They unmuted their microphone.",
        .u.flag.on = on,
    };
    events_push(session->client->events, &event);
}

/* Without a name it is about all contents; names that nobody knows are the voice's. A video that
 * is not (any more) ours is nobody's. */
static void on_mute(jingle_session *session, const struct account_event *event)
{
    const char *content = event->u.info.content;
    bool on = event->u.info.info == INFO_MUTE;
    bool video = client_video_is(session, content);
    if (!video && strcmp(event->u.info.media, "video") != 0) {
        on_sound_mute(session, on);
    }
    if (video || !*content) {
        client_video_peer_mute(session, on);
    }
}

static void on_info(jingle_session *session, const struct account_event *event)
{
    enum jingle_info info = event->u.info.info;
    switch (info) {
    case INFO_HOLD:
    case INFO_UNHOLD:
    case INFO_ACTIVE:
        on_hold(session, info == INFO_HOLD);
        break;
    case INFO_MUTE:
    case INFO_UNMUTE:
        on_mute(session, event);
        break;
    default:
        break;
    }
}

static bool is_sound(const jingle_session *session, const char *content)
{
    return session->content && strcmp(session->content, content) == 0;
}

static void on_senders(jingle_session *session, const struct account_event *event)
{
    bool we_send = event->u.senders.we_send;
    bool we_receive = event->u.senders.we_receive;
    if (client_video_is(session, event->u.senders.content)) {
        client_video_senders(session, we_send, we_receive);
    } else if (session->media && is_sound(session, event->u.senders.content)) {
        call_set_senders(session->media, we_send, we_receive);
    }
}

/* Nothing of the microphone goes to a peer that took the voice away; what else there is goes on. */
static void on_removed(jingle_session *session, const struct account_event *event)
{
    if (session->media && is_sound(session, event->u.content_gone.content)) {
        call_set_senders(session->media, false, false);
    }
    client_video_content(session, event);
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
    jingle_session_ref(session); /* it may end inside */
    jingle_session_set_id(session, account_call_sid(event->call));
    switch (event->type) {
    case ACCOUNT_EVENT_UNENCRYPTED:
        on_unencrypted(session);
        break;
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
            call_remote_transport(session->media, event->u.remote_transport.content,
                                  event->u.remote_transport.transport);
        }
        break;
    case ACCOUNT_EVENT_SENDERS:
        on_senders(session, event);
        break;
    case ACCOUNT_EVENT_INFO:
        on_info(session, event);
        break;
    case ACCOUNT_EVENT_CONTENT_OFFERED:
    case ACCOUNT_EVENT_CONTENT_REFUSED:
        client_video_content(session, event);
        break;
    case ACCOUNT_EVENT_CONTENT_REMOVED:
        on_removed(session, event);
        break;
    case ACCOUNT_EVENT_ENDED:
        on_ended(session, event);
        break;
    default:
        break;
    }
    jingle_session_unref(session);
}

/* ------------------------------------------------------------------------------- deadlines -- */

void client_calls_tick(struct jingle_client *client, usec now)
{
    for (guint i = client->sessions->len; i > 0; i--) { /* an end takes it out of the array */
        jingle_session *session = client->sessions->pdata[i - 1];
        if (session->hung_up && now >= session->hung_up_deadline) {
            client_calls_end(session, JINGLE_REASON_HANGUP);
        } else {
            client_video_tick(session, now);
        }
    }
}

void client_calls_network_changed(struct jingle_client *client)
{
    for (guint i = 0; i < client->sessions->len; i++) {
        const jingle_session *session = client->sessions->pdata[i];
        if (session->media) {
            call_network_changed(session->media);
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
        deadline = MIN(deadline, client_video_deadline(session));
    }
    return deadline;
}

void client_calls_end_all(struct jingle_client *client, jingle_reason reason)
{
    for (guint i = client->sessions->len; i > 0; i--) {
        client_calls_end(client->sessions->pdata[i - 1], reason);
    }
}
