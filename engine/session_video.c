/* What an application asks of a session's video, on whatever thread. All of it waits for the I/O
 * thread, so that it is told at once whether there is video. */
#include "call.h"
#include "client.h"
#include "client_video.h"
#include "events.h"
#include "media/video_sink.h"
#include "media/video_source.h"
#include "media/webm_recording.h"
#include "session_orders.h"

#include <string.h>

#define BITRATE_LEAST 30000
#define BITRATE_MOST  20000000

void jingle_video_config_init(jingle_video_config *config)
{
    if (config) {
        *config = (jingle_video_config){.size = sizeof *config};
    }
}

/* -------------------------------------------------------------------------------- settings -- */

static bool settings_make_sense(const jingle_video_config *s)
{
    return (!s->source || video_source_valid(s->source)) &&
           (!s->sink || video_sink_valid(s->sink)) &&
           (!s->self_view || video_sink_valid(s->self_view)) && s->width <= VIDEO_SIDE_MAX &&
           s->height <= VIDEO_SIDE_MAX && s->frame_rate <= VIDEO_FRAME_RATE_MAX &&
           (s->bitrate == 0 || (s->bitrate >= BITRATE_LEAST && s->bitrate <= BITRATE_MOST)) &&
           call_video_knows_codec(s->codec);
}

jingle_status session_video_read(const jingle_video_config *given, jingle_video_config *out)
{
    jingle_video_config_init(out);
    if (given->size == 0) {
        return JINGLE_ERROR_INVALID;
    }
    memcpy(out, given, MIN(given->size, sizeof *out));
    return settings_make_sense(out) ? JINGLE_OK : JINGLE_ERROR_INVALID;
}

void session_video_drop(jingle_video_config *settings)
{
    jingle_video_source_free(settings->source);
    jingle_video_sink_free(settings->sink);
    jingle_video_sink_free(settings->self_view);
    settings->source = NULL;
    settings->sink = NULL;
    settings->self_view = NULL;
}

/* The settings move into the session. */
static void take_settings(struct session_video *video, jingle_video_config *settings)
{
    session_video_drop(&video->settings);
    video->settings = *settings;
    video->settings.codec = NULL; /* the description has it; the text is the application's */
    settings->source = NULL;
    settings->sink = NULL;
    settings->self_view = NULL;
}

struct session_media session_video_media(struct session_video *video, const char *cname,
                                         jingle_video_config *settings,
                                         struct rtp_description *description)
{
    call_video_identity_new(&video->identity, cname, &random_system);
    call_video_describe(description, settings->codec, &video->identity);
    struct session_media media = {
        .content = CONTENT_VIDEO,
        .description = description,
        .order = settings->codec ? ORDER_OF_OURS : ORDER_OF_THE_OFFER,
        .wish = !settings->source     ? MEDIA_RECEIVE_ONLY
                : settings->send_only ? MEDIA_SEND_ONLY
                                      : MEDIA_BOTH_WAYS,
    };
    take_settings(video, settings);
    return media;
}

/* ---------------------------------------------------------------------------------- starting -- */

struct video_job {
    jingle_session *session;
    jingle_video_config *settings;
    jingle_video_source *source;
    bool send;
    bool receive;
    jingle_status status;
};

static jingle_status accept_offer(jingle_session *session, jingle_video_config *settings)
{
    struct rtp_description description;
    char *content = g_strdup(session->video.content);
    struct session_media media =
        session_video_media(&session->video, session->identity.cname, settings, &description);
    bool accepted = account_call_content_accept(session->signaling, content, &media, clock_now());
    rtp_description_clear(&description);
    g_free(content);
    if (!accepted && session->signaling) {
        client_video_forget(session);
    }
    return accepted ? JINGLE_OK : JINGLE_ERROR_NO_COMMON_CODEC;
}

static jingle_status offer(jingle_session *session, jingle_video_config *settings)
{
    struct session_video *video = &session->video;
    struct rtp_description description;
    const char *content;
    if (!account_call_peer_takes_video(session->signaling)) {
        return JINGLE_ERROR_UNSUPPORTED;
    }
    struct session_media media =
        session_video_media(&session->video, session->identity.cname, settings, &description);
    jingle_status status =
        account_call_content_add(session->signaling, &media, clock_now(), &content);
    rtp_description_clear(&description);
    if (status != JINGLE_OK) {
        client_video_forget(session);
        return status;
    }
    video->state = VIDEO_ASKED;
    g_free(video->content);
    video->content = g_strdup(content);
    if (account_call_content_wants_transport(session->signaling, content)) {
        call_open_transport(session->media, content);
    }
    return JINGLE_OK;
}

static void start_video(void *arg)
{
    struct video_job *job = arg;
    jingle_session *session = job->session;
    job->status = JINGLE_ERROR_STATE;
    if (!session->signaling || !session->connected) {
        return;
    }
    switch (session->video.state) {
    case VIDEO_NONE:
        job->status = offer(session, job->settings);
        break;
    case VIDEO_OFFERED:
        job->status = accept_offer(session, job->settings);
        break;
    case VIDEO_ASKED:
    case VIDEO_REPLACED:
        take_settings(&session->video, job->settings);
        job->status = JINGLE_OK;
        break;
    case VIDEO_AGREED:
    case VIDEO_RESTING:
        client_video_replace(session, job->settings);
        job->status = JINGLE_OK;
        break;
    }
    client_schedule(session->client);
}

static jingle_status run(jingle_session *session, mailbox_fn fn, struct video_job *job)
{
    if (!session) {
        return JINGLE_ERROR_INVALID;
    }
    job->session = session;
    return session_run(session, fn, job) ? job->status : JINGLE_ERROR_STATE;
}

jingle_status jingle_session_start_video(jingle_session *session, const jingle_video_config *config)
{
    jingle_video_config settings;
    struct video_job job = {.settings = &settings};
    if (!config) {
        return JINGLE_ERROR_INVALID;
    }
    jingle_status status = session_video_read(config, &settings);
    if (status == JINGLE_OK) {
        status = run(session, start_video, &job);
    }
    session_video_drop(&settings); /* what nobody took over */
    return status;
}

/* ------------------------------------------------------------------------------------ orders -- */

static void stop_video(void *arg)
{
    struct video_job *job = arg;
    job->status = job->session->signaling ? client_video_stop(job->session) : JINGLE_ERROR_STATE;
    client_schedule(job->session->client);
}

jingle_status jingle_session_stop_video(jingle_session *session)
{
    return run(session, stop_video, &(struct video_job){0});
}

static void refuse_video(void *arg)
{
    struct video_job *job = arg;
    jingle_session *session = job->session;
    job->status = JINGLE_ERROR_STATE;
    if (session->signaling && session->video.state == VIDEO_OFFERED) {
        account_call_content_reject(session->signaling, session->video.content,
                                    JINGLE_REASON_DECLINED, clock_now());
        client_video_forget(session);
        client_schedule(session->client);
        job->status = JINGLE_OK;
    }
}

jingle_status jingle_session_refuse_video(jingle_session *session)
{
    return run(session, refuse_video, &(struct video_job){0});
}

static bool is_agreed(const jingle_session *session)
{
    return session->signaling && session->media && session->video.state == VIDEO_AGREED;
}

static void set_source(void *arg)
{
    struct video_job *job = arg;
    jingle_session *session = job->session;
    if (is_agreed(session)) {
        client_video_set_source(session, job->source);
        job->source = NULL;
        job->status = JINGLE_OK;
    } else if (session->signaling && session->video.state == VIDEO_ASKED) {
        jingle_video_source_free(session->video.settings.source);
        session->video.settings.source = job->source;
        job->source = NULL;
        job->status = JINGLE_OK;
    }
    client_schedule(session->client);
}

jingle_status jingle_session_set_video_source(jingle_session *session, jingle_video_source *source)
{
    struct video_job job = {.source = source, .status = JINGLE_ERROR_STATE};
    jingle_status status = JINGLE_ERROR_INVALID;
    if (!source || video_source_valid(source)) {
        status = run(session, set_source, &job);
    }
    jingle_video_source_free(job.source);
    return status;
}

static void set_mute(void *arg)
{
    struct video_job *job = arg;
    jingle_session *session = job->session;
    if (is_agreed(session)) {
        client_video_set_mute(session, job->send);
        job->status = JINGLE_OK;
    }
    client_schedule(session->client);
}

jingle_status jingle_session_set_video_mute(jingle_session *session, bool on)
{
    return run(session, set_mute, &(struct video_job){.send = on, .status = JINGLE_ERROR_STATE});
}

static void set_direction(void *arg)
{
    struct video_job *job = arg;
    jingle_session *session = job->session;
    if (is_agreed(session)) {
        client_video_set_direction(session, job->send, job->receive);
        job->status = JINGLE_OK;
    }
    client_schedule(session->client);
}

jingle_status jingle_session_set_video_direction(jingle_session *session, bool send, bool receive)
{
    struct video_job job = {.send = send, .receive = receive, .status = JINGLE_ERROR_STATE};
    return run(session, set_direction, &job);
}

/* --------------------------------------------------------------------------------- recording -- */

/* By the writer's thread, which is ended before the session's client is. */
static void on_trouble(void *user, jingle_status status)
{
    jingle_session *session = user;
    jingle_event event = {
        .type = JINGLE_EVENT_VIDEO_DEVICE,
        .session = session,
        .status = status,
        .text = "The recording can no longer be written: is the disk full? The call goes on.",
        .u.video_device = {.capture = false, .lost = true},
    };
    events_push(session->client->events, &event);
}

struct record_job {
    jingle_session *session;
    struct webm_recording *recording;
    bool taken;
};

static void start_recording(void *arg)
{
    struct record_job *job = arg;
    job->taken = job->session->media;
    if (job->taken) {
        call_record(job->session->media, job->recording);
    }
}

static jingle_status may_record(jingle_session *session)
{
    pthread_mutex_lock(&session->lock);
    bool answered = session->stage == STAGE_ANSWERED;
    bool hears_opus = session->hears_opus;
    pthread_mutex_unlock(&session->lock);
    if (!answered) {
        return JINGLE_ERROR_STATE;
    }
    return hears_opus ? JINGLE_OK : JINGLE_ERROR_UNSUPPORTED;
}

/* The file is opened here, on the application's thread, which may wait. */
jingle_status jingle_session_record(jingle_session *session, const char *path)
{
    if (!session) {
        return JINGLE_ERROR_INVALID;
    }
    struct record_job job = {.session = session};
    struct webm_hooks hooks = {.user = session, .trouble = on_trouble};
    jingle_status status = path ? may_record(session) : JINGLE_OK;
    if (status == JINGLE_OK && path) {
        status = webm_new(path, &hooks, &job.recording);
    }
    if (status == JINGLE_OK && (!session_run(session, start_recording, &job) || !job.taken)) {
        status = JINGLE_ERROR_STATE;
        webm_free(job.recording);
    }
    return status;
}
