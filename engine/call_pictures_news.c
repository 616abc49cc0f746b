/* What the threads of a call's pictures say: each posts it through the gate to the media thread. */
#include "call_pictures_private.h"
#include "call_private.h"

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

/* ------------------------------------------------------------------------------- the hooks -- */

struct video_capture_hooks call_pictures_capture_hooks(struct call_pictures *p)
{
    return (struct video_capture_hooks){
        .user = p,
        .frame = on_frame,
        .input = on_input,
        .device = on_capture_device,
        .source_ended = on_source_ended,
    };
}

struct video_render_hooks call_pictures_render_hooks(struct call_pictures *p)
{
    return (struct video_render_hooks){
        .user = p,
        .done = on_done,
        .failed = on_failed,
        .dropped = on_dropped,
        .device = on_render_device,
    };
}
