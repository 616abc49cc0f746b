#include "call_pictures.h"

#include "call_gate.h"
#include "call_private.h"
#include "codecs/coded_frame.h"
#include "media/video_capture.h"
#include "media/video_render.h"
#include "media_threads.h"
#include "session.h"

/* How often the sound's clock is looked at, and what the path loses. */
#define LOOK_PERIOD (200 * USEC_PER_MS)
/* Above this share of loss, frames are made that not all depend on all before. */
#define LOSSY_FROM 0.03

struct call_pictures {
    struct call *call;
    struct call_transport *transport;
    char *content;
    struct call_gate *gate;
    struct call_video_identity identity;
    jingle_video_config settings; /* sizes and rates; the rest is given away */
    struct video *video;
    struct video_capture *capture; /* NULL: no source came yet */
    struct video_render *render;   /* NULL: no sink came yet */
    const struct video_codec *codec;
    const char *codec_received; /* its name; "" while unknown */
    bool has_source;
    bool may_send;   /* by the content's `senders` */
    bool we_receive; /* the same */
    bool muted;
    bool peer_mutes;
    bool sends; /* all of it together, as the video was told */
    bool hears;
    bool lossy;
    usec next_look;
};

/* --------------------------------------------------------------------- what the capture says -- */

static void take_frame(void *user, void *arg)
{
    struct call_pictures *p = user;
    video_send_frame(p->video, arg, clock_now());
    video_capture_give_back(p->capture, arg);
    call_look_at_packets(p->call);
}

static void on_frame(void *user, struct coded_frame *frame)
{
    struct call_pictures *p = user;
    call_gate_post(p->gate, take_frame, NULL, frame); /* the capture owns it, whatever happens */
}

static void take_input(void *user, void *arg)
{
    struct call_pictures *p = user;
    struct video_capture_input *input = arg;
    struct video_input given = {input->width, input->height, input->frame_rate, input->screen};
    video_set_input(p->video, &given, clock_now());
    call_tick(p->call);
    g_free(input);
}

static void on_input(void *user, const struct video_capture_input *input)
{
    struct call_pictures *p = user;
    call_gate_post(p->gate, take_input, g_free, g_memdup2(input, sizeof *input));
}

/* ---------------------------------------------------------------------- what both sides say -- */

struct device_news {
    enum { DEVICE_SOURCE, DEVICE_SELF_VIEW, DEVICE_SINK } which;
    bool lost;
    jingle_status status;
};

static const char *device_sentence(const struct device_news *news)
{
    static const char *const sentences[][2] = {
        [DEVICE_SOURCE] = {"Pictures are taken again.",
                           "The camera or screen is missing, in use or gone; the call goes on "
                           "without our picture until it is back."},
        [DEVICE_SELF_VIEW] = {"Our own picture is shown again.",
                              "Our own picture cannot be shown; it is sent all the same."},
        [DEVICE_SINK] = {"Their picture is shown again.",
                         "Their picture cannot be shown; the call goes on with its sound."},
    };
    return sentences[news->which][news->lost];
}

static void tell_device(void *user, void *arg)
{
    struct call_pictures *p = user;
    struct device_news *news = arg;
    jingle_event event = {
        .type = JINGLE_EVENT_VIDEO_DEVICE,
        .status = news->status,
        .text = device_sentence(news),
        .u.video_device = {.capture = news->which == DEVICE_SOURCE, .lost = news->lost},
    };
    call_tell_application(p->call, &event);
    g_free(news);
}

static void post_device(struct call_pictures *p, struct device_news news)
{
    call_gate_post(p->gate, tell_device, g_free, g_memdup2(&news, sizeof news));
}

static void on_capture_device(void *user, bool source, bool lost, jingle_status status)
{
    post_device(user,
                (struct device_news){source ? DEVICE_SOURCE : DEVICE_SELF_VIEW, lost, status});
}

static void on_render_device(void *user, bool lost, jingle_status status)
{
    post_device(user, (struct device_news){DEVICE_SINK, lost, status});
}

static void tell_source_ended(void *user, void *arg)
{
    (void)arg;
    jingle_event event = {.type = JINGLE_EVENT_VIDEO_SOURCE_ENDED,
                          .text = "The pictures to be sent are at their end."};
    call_tell_application(((struct call_pictures *)user)->call, &event);
}

static void on_source_ended(void *user)
{
    call_gate_post(((struct call_pictures *)user)->gate, tell_source_ended, NULL, NULL);
}

/* ---------------------------------------------------------------------- what the render says -- */

struct render_news {
    enum { RENDER_DONE, RENDER_FAILED, RENDER_DROPPED } what;
    uint64_t number;
    uint32_t width, height;
    usec decode_time;
};

static void take_render_news(void *user, void *arg)
{
    struct call_pictures *p = user;
    struct render_news *news = arg;
    switch (news->what) {
    case RENDER_DONE:
        video_decoder_done(p->video, news->number, news->width, news->height, news->decode_time);
        break;
    case RENDER_FAILED:
        video_decoder_failed(p->video, news->number, clock_now());
        break;
    case RENDER_DROPPED:
        video_decoder_dropped(p->video, news->number, clock_now());
        break;
    }
    g_free(news);
}

static void post_render_news(struct call_pictures *p, struct render_news news)
{
    call_gate_post(p->gate, take_render_news, g_free, g_memdup2(&news, sizeof news));
}

static void on_done(void *user, uint64_t number, uint32_t width, uint32_t height, usec decode_time)
{
    post_render_news(user, (struct render_news){RENDER_DONE, number, width, height, decode_time});
}

static void on_failed(void *user, uint64_t number)
{
    post_render_news(user, (struct render_news){.what = RENDER_FAILED, .number = number});
}

static void on_dropped(void *user, uint64_t number)
{
    post_render_news(user, (struct render_news){.what = RENDER_DROPPED, .number = number});
}

/* ------------------------------------------------------------------------ what the video says --
 */

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
        .hooks = {.user = p,
                  .frame = on_frame,
                  .input = on_input,
                  .device = on_capture_device,
                  .source_ended = on_source_ended},
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
        .hooks = {.user = p,
                  .done = on_done,
                  .failed = on_failed,
                  .dropped = on_dropped,
                  .device = on_render_device},
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
