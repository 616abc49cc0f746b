#include "call_pictures.h"

#include "call_pictures_private.h"
#include "call_private.h"
#include "codecs/coded_frame.h"
#include "media_threads.h"
#include "session.h"

/* How often the sound's clock is looked at, and what the path loses. */
#define LOOK_PERIOD (200 * USEC_PER_MS)
/* Above this share of loss, frames are made that not all depend on all before. */
#define LOSSY_FROM 0.03

/* ----------------------------------------------------------------------- what the video says -- */

static void send_rtcp(void *user, uint8_t *packet, size_t bytes)
{
    call_transport_send_rtcp(((struct call_pictures *)user)->transport, packet, bytes);
}

static void apply_target(struct call_pictures *p)
{
    struct video_target target;
    if (!p->capture) {
        return;
    }
    video_target(p->video, &target);
    struct video_capture_target wanted = {
        .bitrate = target.bitrate,
        .frame_rate = target.frame_rate,
        .width = target.width,
        .height = target.height,
        .skip = target.skip,
        .lossy = p->lossy,
    };
    video_capture_set_target(p->capture, &wanted);
}

static void on_target(void *user, const struct video_target *target)
{
    (void)target;
    apply_target(user);
}

static void on_key_frame(void *user)
{
    struct call_pictures *p = user;
    if (p->capture) {
        video_capture_request_key(p->capture);
    }
}

static void on_received(void *user, struct coded_frame *frame, const struct video_frame_info *info)
{
    struct call_pictures *p = user;
    struct video_render_frame shown = {frame, info->codec, info->number, info->due};
    p->codec_received = info->codec->name;
    call_recording_take_frame(p->call, frame, info);
    if (p->render) {
        video_render_push(p->render, &shown);
    } else {
        coded_frame_free(frame);
    }
}

/* ------------------------------------------------------------------------------ opening it -- */

static jingle_status make_video(struct call_pictures *p, const struct rtp_agreement *agreement)
{
    struct video_config config;
    call_video_config(&config, agreement, p->content, p->settings.bitrate, &p->identity);
    p->codec = config.sending.codec;
    config.uplink = p->transport->uplink;
    config.wall_offset = clock_wall() - clock_now();
    config.log = p->call->config.log;
    config.hooks = (struct video_hooks){
        .user = p,
        .send_rtcp = send_rtcp,
        .target = on_target,
        .key_frame = on_key_frame,
        .frame = on_received,
    };
    return video_new(&config, &p->video);
}

/* Source and self view are the capture's from here on. */
static void make_capture(struct call_pictures *p, jingle_video_source *source,
                         jingle_video_sink *self_view)
{
    struct video_capture_config config = {
        .codec = p->codec,
        .source = source,
        .self_view = self_view,
        .width = p->settings.width,
        .height = p->settings.height,
        .frame_rate = p->settings.frame_rate,
        .log = p->call->config.log,
        .hooks = call_pictures_capture_hooks(p),
    };
    jingle_status status;
    p->capture = video_capture_new(&config, &status);
    p->has_source = p->capture && source;
    if (!p->capture) {
        log_error(config.log, "No thread to take pictures: %s", jingle_strerror(status));
    }
}

static void make_render(struct call_pictures *p, jingle_video_sink *sink)
{
    struct video_render_config config = {
        .sink = sink,
        .log = p->call->config.log,
        .hooks = call_pictures_render_hooks(p),
    };
    jingle_status status;
    p->render = video_render_new(&config, &status);
    if (p->render) {
        jingle_session_set_render(p->call->config.session, p->render);
    } else {
        log_error(config.log, "No thread to show pictures: %s", jingle_strerror(status));
    }
}

struct call_pictures *call_pictures_open(struct call *call,
                                         const struct call_pictures_config *config)
{
    struct call_pictures *p = g_new0(struct call_pictures, 1);
    p->call = call;
    p->transport = config->transport;
    p->content = g_strdup(config->content);
    p->gate = call_gate_new(call->config.thread->loop, p);
    p->identity = config->identity;
    p->settings = config->settings;
    p->may_send = config->agreement->we_send;
    p->we_receive = config->agreement->we_receive;
    p->codec_received = "";
    if (call_transport_add(p->transport, CALL_PICTURES, p->content, config->agreement) !=
            JINGLE_OK ||
        make_video(p, config->agreement) != JINGLE_OK) {
        jingle_video_source_free(config->settings.source);
        jingle_video_sink_free(config->settings.sink);
        jingle_video_sink_free(config->settings.self_view);
        call_pictures_close(p, false);
        return NULL;
    }
    if (config->settings.source || config->settings.self_view) {
        make_capture(p, config->settings.source, config->settings.self_view);
    }
    if (config->settings.sink) {
        make_render(p, config->settings.sink);
    }
    p->next_look = clock_now();
    p->hears = true;
    video_set_mute(p->video, true, p->next_look);
    call_pictures_update(p);
    return p;
}

/* ------------------------------------------------------------------------------ closing it -- */

/* On the closer's thread, which may wait. */
static void close_threads(void *arg)
{
    struct call_pictures *p = arg;
    video_capture_free(p->capture);
    if (p->render) {
        video_render_stop(p->render);
        video_render_unref(p->render);
    }
    call_gate_unref(p->gate);
    g_free(p->content);
    g_free(p);
}

void call_pictures_close(struct call_pictures *p, bool bye)
{
    if (!p) {
        return;
    }
    if (p->video && bye) {
        video_bye(p->video, clock_now());
    }
    video_free(p->video);
    p->video = NULL;
    call_transport_remove(p->transport, CALL_PICTURES);
    call_gate_ref(p->gate); /* the threads post to it until they have ended */
    call_gate_close(p->gate);
    loop_post(p->call->config.closer, close_threads, close_threads, p);
}

struct call_transport *call_pictures_transport(const struct call_pictures *p)
{
    return p->transport;
}

/* ------------------------------------------------------------------------- what is asked of it --
 */

void call_pictures_update(struct call_pictures *p)
{
    struct call *call = p->call;
    usec now = clock_now();
    enum link_state state = link_state(p->transport->link);
    bool open = state == LINK_CONNECTED || state == LINK_INTERRUPTED;
    bool sends = open && p->may_send && p->has_source && !p->muted && !call->peer_holds;
    bool hears = p->we_receive && !call->peer_holds && !p->peer_mutes;
    if (p->sends != sends) {
        video_set_mute(p->video, !sends, now);
    }
    if (p->hears != hears) {
        video_set_peer_hold(p->video, !hears, now);
    }
    p->sends = sends;
    p->hears = hears;
    video_set_hold(p->video, call->held, now);
    if (p->capture) {
        video_capture_set_running(p->capture, sends && !call->held);
    }
    if (p->render && call->held) {
        video_render_flush(p->render); /* the next frame is a key frame */
    }
    apply_target(p);
    call_tick(call);
}

void call_pictures_set_senders(struct call_pictures *p, bool we_send, bool we_receive)
{
    p->may_send = we_send;
    p->we_receive = we_receive;
    call_pictures_update(p);
}

void call_pictures_set_mute(struct call_pictures *p, bool on)
{
    p->muted = on;
    call_pictures_update(p);
}

void call_pictures_set_peer_mute(struct call_pictures *p, bool on)
{
    p->peer_mutes = on;
    call_pictures_update(p);
}

static void replace_source(struct call_pictures *p, jingle_video_source *source)
{
    p->has_source = source;
    if (p->capture) {
        video_capture_set_source(p->capture, source);
    } else if (source) {
        make_capture(p, source, NULL);
    }
}

static void replace_sink(struct call_pictures *p, jingle_video_sink *sink)
{
    if (p->render) {
        video_render_set_sink(p->render, sink);
    } else if (sink) {
        make_render(p, sink);
        video_want_key_frame(p->video, clock_now());
    }
}

static void replace_self_view(struct call_pictures *p, jingle_video_sink *self_view)
{
    if (p->capture) {
        video_capture_set_self_view(p->capture, self_view);
    } else if (self_view) {
        make_capture(p, NULL, self_view);
    }
}

void call_pictures_replace(struct call_pictures *p, unsigned parts,
                           const jingle_video_config *settings)
{
    if (parts & CALL_VIDEO_SOURCE) {
        replace_source(p, settings->source);
    }
    if (parts & CALL_VIDEO_SINK) {
        replace_sink(p, settings->sink);
    }
    if (parts & CALL_VIDEO_SELF_VIEW) {
        replace_self_view(p, settings->self_view);
    }
    call_pictures_update(p);
}

void call_pictures_want_key_frame(struct call_pictures *p)
{
    video_want_key_frame(p->video, clock_now());
}

/* ----------------------------------------------------------------------------- its running -- */

void call_pictures_receive_rtp(struct call_pictures *p, uint8_t *packet, size_t bytes, usec now)
{
    video_receive_rtp(p->video, packet, bytes, now);
}

void call_pictures_receive_rtcp(struct call_pictures *p, uint8_t *packet, size_t bytes, usec now)
{
    video_receive_rtcp(p->video, packet, bytes, now);
}

/* What the sound does and what the path loses changes slowly. */
static void look_around(struct call_pictures *p)
{
    struct uplink_target target;
    struct sync_reference reference;
    call_sound_sync(p->call, &reference);
    video_set_sync(p->video, &reference);
    uplink_target(p->transport->uplink, &target);
    if (target.loss > LOSSY_FROM && !p->lossy) {
        p->lossy = true; /* for the rest: what lost once will lose again */
        apply_target(p);
    }
}

void call_pictures_tick(struct call_pictures *p, usec now)
{
    if (now >= p->next_look) {
        look_around(p);
        p->next_look = now + LOOK_PERIOD;
    }
    video_tick(p->video, now);
}

usec call_pictures_deadline(const struct call_pictures *p)
{
    return MIN(video_next_deadline(p->video), p->next_look);
}

void call_pictures_statistics(struct call_pictures *p, jingle_video_statistics *s, usec now)
{
    video_stats(p->video, s, now);
    struct uplink_target target;
    uplink_target(p->transport->uplink, &target);
    s->estimate = target.estimate;
    s->codec = p->codec ? p->codec->name : "";
    s->codec_received = p->codec_received;
    s->sending = p->may_send && p->has_source && !p->muted && !p->call->held;
    s->receiving = p->we_receive && !p->peer_mutes && !p->call->peer_holds;
    if (p->capture) {
        struct video_capture_stats c;
        video_capture_stats(p->capture, &c);
        s->frames_captured = c.captured;
        s->frames_dropped += c.dropped;
        s->encode_time = c.encode_time;
    }
}
