/* What an application asks of a session, on whatever thread:
 *
 *     jingle_session_start, _accept   wait for the I/O thread: their status is told at once
 *     all others                      post an order to it
 *
 * What is asked of its video stands in session_video.c. */
#include "session_orders.h"
#include "call.h"
#include "call_voice.h"
#include "client.h"
#include "events.h"
#include "media/devices.h"
#include "signaling/jid.h"

#include <string.h>

struct session_job {
    jingle_client *client;
    jingle_session *session;
    const char *to;
    jingle_session_config settings;
    jingle_video_config video; /* if settings.video is set */
    jingle_status status;
};

/* Owns what the application handed over, whatever happens. */
static void drop_media(struct session_job *job)
{
    jingle_audio_source_free(job->settings.source);
    jingle_audio_sink_free(job->settings.sink);
    session_video_drop(&job->video);
}

static bool settings_make_sense(const jingle_session_config *s)
{
    return (!s->source || source_valid(s->source)) && (!s->sink || sink_valid(s->sink)) &&
           (s->bitrate == 0 || (s->bitrate >= 6000 && s->bitrate <= 510000)) && s->channels <= 2 &&
           (s->ptime == 0 || s->ptime == 10 || s->ptime == 20 || s->ptime == 40 ||
            s->ptime == 60) &&
           call_voice_knows_codec(s->codec);
}

/* The job gets what `given` has, which is ours from here on, also on failure. A config without a
 * size was never set up: nothing in it can be believed. */
static jingle_status read_settings(struct session_job *job, const jingle_session_config *given)
{
    jingle_session_config *out = &job->settings;
    jingle_status status = JINGLE_OK;
    jingle_session_config_init(out);
    jingle_video_config_init(&job->video);
    if (given && given->size == 0) {
        return JINGLE_ERROR_INVALID;
    }
    if (given) {
        memcpy(out, given, MIN(given->size, sizeof *out));
    }
    if (out->video) {
        status = session_video_read(out->video, &job->video);
    }
    return settings_make_sense(out) ? status : JINGLE_ERROR_INVALID;
}

static jingle_status add_default_devices(jingle_session_config *settings)
{
    jingle_status status = JINGLE_OK;
    if (!settings->source) {
        settings->source = jingle_audio_source_device(NULL, &status);
    }
    if (status == JINGLE_OK && !settings->sink) {
        settings->sink = jingle_audio_sink_device(NULL, &status);
    }
    return status;
}

/* The sound moves into the session. */
static void take_settings(jingle_session *session, jingle_session_config *settings)
{
    session->settings = *settings;
    session->settings.codec = NULL; /* the description has it; the text is the application's */
    session->settings.video = NULL; /* the same */
    settings->source = NULL;
    settings->sink = NULL;
}

/* What is offered or accepted, for the signalling half. */
struct offer {
    struct rtp_description descriptions[2];
    struct session_media media[2];
    size_t count;
};

static void offer_make(struct offer *offer, struct session_job *job,
                       const struct call_voice_identity *identity, struct session_video *video)
{
    const jingle_session_config *settings = &job->settings;
    call_voice_describe(&offer->descriptions[0], settings, identity);
    offer->media[0] = (struct session_media){
        .content = CONTENT_AUDIO,
        .description = &offer->descriptions[0],
        .order = settings->codec ? ORDER_OF_OURS : ORDER_OF_THE_OFFER,
    };
    offer->count = 1;
    if (settings->video) {
        call_video_describe_voice(&offer->descriptions[0]);
        offer->media[1] =
            session_video_media(video, identity->cname, &job->video, &offer->descriptions[1]);
        offer->count = 2;
    }
}

static void offer_clear(struct offer *offer)
{
    for (size_t i = 0; i < offer->count; i++) {
        rtp_description_clear(&offer->descriptions[i]);
    }
}

static void add_session(struct session_job *job, struct account_call *call,
                        const struct call_voice_identity *identity,
                        const struct session_video *video)
{
    jingle_client *client = job->client;
    jingle_session *session =
        jingle_session_new(client, job->to, account_call_sid(call), STAGE_CALLING);
    char *name = account_display_name(client->account, job->to);
    jingle_session_set_name(session, name);
    g_free(name);
    session->signaling = call;
    account_call_set_user(call, session);
    g_ptr_array_add(client->sessions, session);
    session->identity = *identity;
    session->content = g_strdup(CONTENT_AUDIO);
    session->first_transport = g_strdup(CONTENT_AUDIO);
    if (job->settings.video) {
        session->video = *video;
        session->video.state = VIDEO_ASKED;
        session->video.content = g_strdup(CONTENT_VIDEO);
    }
    take_settings(session, &job->settings);
    job->session = jingle_session_ref(session);
    client_calls_start_media(session);
}

static void start_call(void *arg)
{
    struct session_job *job = arg;
    jingle_client *client = job->client;
    if (client->closing || client->sessions->len >= CLIENT_SESSIONS_MAX) {
        job->status = client->closing ? JINGLE_ERROR_STATE : JINGLE_ERROR_LIMIT;
        return;
    }
    struct call_voice_identity identity;
    struct session_video video = {0};
    struct offer offer;
    struct account_call *call;
    call_voice_identity_new(&identity, &random_system);
    offer_make(&offer, job, &identity, &video);
    job->status = account_call_start(client->account, job->to, offer.media, offer.count,
                                     job->settings.direct, clock_now(), &call);
    offer_clear(&offer);
    if (job->status == JINGLE_OK) {
        add_session(job, call, &identity, &video);
    } else {
        session_video_drop(&video.settings);
    }
    client_schedule(client);
}

static jingle_status may_start(jingle_client *client, const char *to,
                               jingle_session *const *session)
{
    if (!client || !to || !session) {
        return JINGLE_ERROR_INVALID;
    }
    if (!jid_is_valid(to)) {
        return JINGLE_ERROR_JID;
    }
    return atomic_load(&client->online) ? JINGLE_OK : JINGLE_ERROR_OFFLINE;
}

jingle_status jingle_session_start(jingle_client *client, const char *to,
                                   const jingle_session_config *config, jingle_session **session)
{
    struct session_job job = {.client = client, .to = to};
    if (session) {
        *session = NULL;
    }
    job.status = read_settings(&job, config);
    if (job.status == JINGLE_OK) {
        job.status = may_start(client, to, session);
    }
    if (job.status == JINGLE_OK) {
        job.status = add_default_devices(&job.settings);
    }
    if (job.status == JINGLE_OK) {
        loop_call(client->io, start_call, &job);
    }
    drop_media(&job); /* what nobody took over */
    if (job.status == JINGLE_OK && session) {
        *session = job.session;
    }
    return job.status;
}

static void accept_call(void *arg)
{
    struct session_job *job = arg;
    jingle_session *session = job->session;
    if (!session->signaling || jingle_session_stage(session) != STAGE_INCOMING) {
        job->status = JINGLE_ERROR_STATE;
        return;
    }
    struct offer answer;
    call_voice_identity_new(&session->identity, &random_system);
    offer_make(&answer, job, &session->identity, &session->video);
    take_settings(session, &job->settings); /* the offer may be agreed on at once */
    job->status = account_call_accept(session->signaling, answer.media, answer.count, clock_now());
    offer_clear(&answer);
    if (session->signaling && !session->media && job->status == JINGLE_OK) {
        client_calls_start_media(session);
    }
    client_schedule(session->client);
}

static jingle_status may_accept(jingle_session *session)
{
    if (!session) {
        return JINGLE_ERROR_INVALID;
    }
    return jingle_session_stage(session) == STAGE_INCOMING ? JINGLE_OK : JINGLE_ERROR_STATE;
}

bool session_run(jingle_session *session, mailbox_fn fn, void *arg)
{
    struct loop_wait wait;
    pthread_mutex_lock(&session->lock);
    bool alive = session->stage != STAGE_ENDED;
    if (alive) {
        loop_post_waiting(session->client->io, fn, arg, &wait);
    }
    pthread_mutex_unlock(&session->lock);
    if (alive) {
        loop_wait(&wait);
    }
    return alive;
}

jingle_status jingle_session_accept(jingle_session *session, const jingle_session_config *config)
{
    struct session_job job = {.session = session};
    job.status = read_settings(&job, config);
    if (job.status == JINGLE_OK) {
        job.status = may_accept(session);
    }
    if (job.status == JINGLE_OK) {
        job.status = add_default_devices(&job.settings);
    }
    if (job.status == JINGLE_OK && !session_run(session, accept_call, &job)) {
        job.status = JINGLE_ERROR_STATE;
    }
    drop_media(&job); /* what nobody took over */
    return job.status;
}

/* ---------------------------------------------------------------------- orders to a session -- */

enum {
    CALLING = 1 << STAGE_CALLING,
    INCOMING = 1 << STAGE_INCOMING,
    ANSWERED = 1 << STAGE_ANSWERED,
};

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

/* `stages` are those in which it makes sense. */
static jingle_status post_order(jingle_session *session, unsigned stages, mailbox_fn fn,
                                struct order order)
{
    if (!session) {
        return JINGLE_ERROR_INVALID;
    }
    struct order *posted = g_new0(struct order, 1);
    *posted = order;
    posted->session = jingle_session_ref(session);
    pthread_mutex_lock(&session->lock);
    bool possible = stages & (1u << session->stage);
    if (possible) {
        loop_post(session->client->io, fn, order_free, posted);
    }
    pthread_mutex_unlock(&session->lock);
    if (!possible) {
        order_free(posted);
    }
    return possible ? JINGLE_OK : JINGLE_ERROR_STATE;
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
    return post_order(session, INCOMING, reject_call, (struct order){.reason = reason});
}

static void end_call(void *arg)
{
    struct order *order = arg;
    jingle_session *session = order->session;
    enum session_stage stage = jingle_session_stage(session);
    if (session->signaling && stage == STAGE_INCOMING) {
        account_call_reject(session->signaling, JINGLE_REASON_DECLINED, clock_now());
    } else {
        client_calls_end(session,
                         stage == STAGE_CALLING ? JINGLE_REASON_CANCELED : JINGLE_REASON_HANGUP);
    }
    client_schedule(session->client);
    order_free(order);
}

jingle_status jingle_session_end(jingle_session *session)
{
    return post_order(session, CALLING | INCOMING | ANSWERED, end_call, (struct order){0});
}

/* What is said before media flows is said when it does (client_calls.c). */
static void tell(jingle_session *session, enum jingle_info info, const char *content)
{
    if (session->connected) {
        account_call_info(session->signaling, info, content, clock_now());
        client_schedule(session->client);
    }
}

static void set_mute(void *arg)
{
    struct order *order = arg;
    jingle_session *session = order->session;
    if (session->signaling && session->media) {
        session->muted = order->on;
        call_set_mute(session->media, order->on);
        tell(session, order->on ? INFO_MUTE : INFO_UNMUTE, session->content);
    }
    order_free(order);
}

jingle_status jingle_session_set_mute(jingle_session *session, bool on)
{
    return post_order(session, CALLING | ANSWERED, set_mute, (struct order){.on = on});
}

static void set_hold(void *arg)
{
    struct order *order = arg;
    jingle_session *session = order->session;
    if (session->signaling && session->media) {
        session->holds = order->on;
        call_set_hold(session->media, order->on);
        tell(session, order->on ? INFO_HOLD : INFO_UNHOLD, NULL);
    }
    order_free(order);
}

jingle_status jingle_session_set_hold(jingle_session *session, bool on)
{
    return post_order(session, ANSWERED, set_hold, (struct order){.on = on});
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
    if (strlen(digits) > VOICE_DIGITS_MAX) {
        return JINGLE_ERROR_LIMIT;
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
    return post_order(session, ANSWERED, send_digits, (struct order){.digits = g_strdup(digits)});
}
