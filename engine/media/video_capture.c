#include "media/video_capture.h"

#include "base/thread.h"
#include "codecs/coded_frame.h"
#include "media/picture_pace.h"
#include "media/self_view.h"
#include "media/video_encoding.h"
#include "media/video_scale.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* How long a source may wait for a picture before the thread looks up. */
#define READ_TIMEOUT (100 * USEC_PER_MS)
/* A source that is lost is tried again after this long. */
#define RETRY_AFTER (1 * USEC_PER_SEC)

/* Sound comes first where there is not enough for all. */
#define NICENESS 4

#define CAMERA_WIDTH  1280
#define CAMERA_HEIGHT 720
#define CAMERA_RATE   30
#define SCREEN_WIDTH  1920
#define SCREEN_HEIGHT 1080
#define SCREEN_RATE   15

/* What other threads ask for; under the mutex. */
struct orders {
    bool quit;
    bool running;
    bool key;
    bool new_source;
    bool new_self_view;
    jingle_video_source *source;
    jingle_video_sink *self_view;
    const struct video_codec *codec;
    struct video_capture_target target;
};

struct video_capture {
    struct video_capture_config config;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct orders orders;
    struct coded_frame *free_frames[VIDEO_CAPTURE_FRAMES];
    size_t free_count;
    struct video_capture_stats stats;

    /* the thread's own */
    struct coded_frame *frames[VIDEO_CAPTURE_FRAMES];
    jingle_video_source *source;
    struct self_view self_view;
    bool started;     /* the source */
    bool ended;       /* it has no more to say */
    bool source_lost; /* and it was told */
    usec retry_at;
    jingle_video_format format;
    struct video_capture_input input; /* as told */
    struct picture_pace pace;
    struct video_encoding *encoding;
};

/* ------------------------------------------------------------------------------ the source -- */

static uint32_t or_else(uint32_t wished, uint32_t usual)
{
    return wished ? wished : usual;
}

static jingle_video_format wished_format(const struct video_capture *c)
{
    bool screen = c->source->is_screen;
    return (jingle_video_format){
        .width = or_else(c->config.width, screen ? SCREEN_WIDTH : CAMERA_WIDTH),
        .height = or_else(c->config.height, screen ? SCREEN_HEIGHT : CAMERA_HEIGHT),
        .frame_rate = or_else(c->config.frame_rate, screen ? SCREEN_RATE : CAMERA_RATE),
    };
}

static void tell_source(struct video_capture *c, bool lost, jingle_status status)
{
    if (c->source_lost != lost) {
        c->source_lost = lost;
        c->config.hooks.device(c->config.hooks.user, true, lost, status);
    }
}

static void stop_source(struct video_capture *c)
{
    if (c->started && c->source && c->source->stop) {
        c->source->stop(c->source->user);
    }
    c->started = false;
}

static void lose_source(struct video_capture *c, jingle_status status)
{
    stop_source(c);
    tell_source(c, true, status);
    c->retry_at = clock_now() + RETRY_AFTER;
}

static void start_source(struct video_capture *c)
{
    c->format = wished_format(c);
    jingle_video_format most = c->format;
    jingle_status status =
        c->source->start ? c->source->start(c->source->user, &c->format) : JINGLE_OK;
    if (status != JINGLE_OK) {
        tell_source(c, true, status);
        c->retry_at = clock_now() + RETRY_AFTER;
        return;
    }
    c->started = true;
    if (c->format.frame_rate == 0 || c->format.frame_rate > most.frame_rate) {
        c->format.frame_rate = most.frame_rate;
    }
    c->input = (struct video_capture_input){0}; /* told with the first picture */
    picture_pace_start(&c->pace);
}

/* The old one's `free` may wait, so it is done without the mutex. */
static void put_source(struct video_capture *c, jingle_video_source *source)
{
    stop_source(c);
    jingle_video_source_free(c->source);
    c->source = source;
    c->ended = false;
    c->retry_at = 0;
    c->source_lost = c->source_lost && source; /* told to be back by its first picture */
}

/* ------------------------------------------------------------------------------- a picture -- */

static bool same_input(const struct video_capture_input *a, const struct video_capture_input *b)
{
    return a->width == b->width && a->height == b->height && a->frame_rate == b->frame_rate &&
           a->screen == b->screen;
}

static void tell_input(struct video_capture *c, const jingle_picture *picture)
{
    struct video_capture_input input = {
        .width = picture->width,
        .height = picture->height,
        .frame_rate = c->format.frame_rate,
        .screen = c->source->is_screen,
    };
    struct picture_size most =
        picture_fit(picture, wished_format(c).width, wished_format(c).height);
    input.width = most.width;
    input.height = most.height;
    if (!same_input(&input, &c->input)) {
        c->input = input;
        c->config.hooks.input(c->config.hooks.user, &input);
    }
}

static struct coded_frame *take_frame(struct video_capture *c)
{
    struct coded_frame *frame = NULL;
    pthread_mutex_lock(&c->mutex);
    if (c->free_count > 0) {
        frame = c->free_frames[--c->free_count];
    }
    pthread_mutex_unlock(&c->mutex);
    return frame;
}

static bool take_key_wish(struct video_capture *c)
{
    pthread_mutex_lock(&c->mutex);
    bool key = c->orders.key;
    c->orders.key = false;
    pthread_mutex_unlock(&c->mutex);
    return key;
}

static void count_encoding(struct video_capture *c, usec took)
{
    pthread_mutex_lock(&c->mutex);
    usec mean = c->stats.encode_time;
    c->stats.encode_time = mean ? mean + (took - mean) / 16 : took;
    pthread_mutex_unlock(&c->mutex);
}

/* False: it was left out though it should have been sent. */
static bool encode(struct video_capture *c, const struct orders *orders,
                   const jingle_picture *picture)
{
    struct coded_frame *frame = take_frame(c);
    if (!frame) {
        return false;
    }
    bool key = take_key_wish(c);
    usec before = clock_now();
    int made = video_encoding_encode(c->encoding, orders->codec, &orders->target,
                                     c->source->is_screen, key, picture, frame);
    count_encoding(c, clock_now() - before);
    if (made > 0) {
        c->config.hooks.frame(c->config.hooks.user, frame);
        return true;
    }
    video_capture_give_back(c, frame);
    if (key) {
        video_capture_request_key(c);
    }
    return false;
}

static void take_picture(struct video_capture *c, const struct orders *orders,
                         jingle_picture *picture)
{
    const struct video_capture_target *target = &orders->target;
    if (picture->time == 0) {
        picture->time = clock_now();
    }
    jingle_status status;
    tell_input(c, picture);
    if (self_view_show(&c->self_view, picture, &status)) {
        c->config.hooks.device(c->config.hooks.user, false, status != JINGLE_OK, status);
    }
    bool wanted =
        target->bitrate > 0 &&
        picture_pace_takes(&c->pace, picture->time,
                           target->frame_rate < c->format.frame_rate ? target->frame_rate
                                                                     : c->format.frame_rate);
    bool dropped = wanted && (target->skip || !encode(c, orders, picture));
    pthread_mutex_lock(&c->mutex);
    c->stats.captured++;
    c->stats.dropped += dropped;
    pthread_mutex_unlock(&c->mutex);
}

static void read_source(struct video_capture *c, const struct orders *orders)
{
    jingle_picture picture = {.size = sizeof picture};
    long got = c->source->read(c->source->user, &picture, READ_TIMEOUT);
    if (got == 1 && picture_valid(&picture)) {
        tell_source(c, false, JINGLE_OK);
        take_picture(c, orders, &picture);
        picture_release(&picture);
    } else if (got == JINGLE_VIDEO_END) {
        stop_source(c);
        c->ended = true;
        c->config.hooks.source_ended(c->config.hooks.user);
    } else if (got != 0) {
        if (got == 1) {
            picture_release(&picture);
        }
        lose_source(c, got != JINGLE_VIDEO_LOST ? JINGLE_ERROR_INVALID
                       : c->source->is_screen   ? JINGLE_ERROR_DISPLAY
                                                : JINGLE_ERROR_CAMERA);
    }
}

/* ------------------------------------------------------------------------------ the thread -- */

/* Waits until there is something to do; the mutex is held. */
static void wait_for_orders(struct video_capture *c)
{
    struct orders *orders = &c->orders;
    while (!orders->quit && !orders->new_source && !orders->new_self_view) {
        bool idle = !orders->running || !c->source || c->ended;
        if (idle && c->started) {
            return; /* to be stopped */
        }
        usec now = clock_now();
        if (!idle && (c->started || now >= c->retry_at)) {
            return;
        }
        if (idle) {
            pthread_cond_wait(&c->changed, &c->mutex);
        } else {
            struct timespec until = {
                .tv_sec = (time_t)(c->retry_at / USEC_PER_SEC),
                .tv_nsec = (long)(c->retry_at % USEC_PER_SEC * 1000),
            };
            pthread_cond_timedwait(&c->changed, &c->mutex, &until);
        }
    }
}

/* What is asked for now; what was new in it is taken out. */
static struct orders take_orders(struct video_capture *c)
{
    pthread_mutex_lock(&c->mutex);
    wait_for_orders(c);
    struct orders taken = c->orders;
    c->orders.new_source = false;
    c->orders.new_self_view = false;
    c->orders.source = NULL;
    c->orders.self_view = NULL;
    pthread_mutex_unlock(&c->mutex);
    return taken;
}

static void *run(void *user)
{
    struct video_capture *c = user;
    pthread_setname_np(pthread_self(), "jingle-encode");
    setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICENESS);
    for (;;) {
        struct orders orders = take_orders(c);
        if (orders.new_source) {
            put_source(c, orders.source);
        }
        if (orders.new_self_view) {
            self_view_put(&c->self_view, orders.self_view);
        }
        if (orders.quit) {
            break;
        }
        bool wanted = orders.running && c->source && !c->ended;
        if (!wanted) {
            stop_source(c);
        } else if (!c->started && clock_now() >= c->retry_at) {
            start_source(c);
        }
        if (wanted && c->started) {
            read_source(c, &orders);
        }
    }
    stop_source(c);
    return NULL;
}

/* -------------------------------------------------------------------------------- its life -- */

static bool make_frames(struct video_capture *c)
{
    for (size_t i = 0; i < VIDEO_CAPTURE_FRAMES; i++) {
        c->frames[i] = coded_frame_new(0);
        if (!c->frames[i]) {
            return false;
        }
        c->free_frames[c->free_count++] = c->frames[i];
    }
    return true;
}

static void free_all(struct video_capture *c)
{
    for (size_t i = 0; i < VIDEO_CAPTURE_FRAMES; i++) {
        coded_frame_free(c->frames[i]);
    }
    self_view_clear(&c->self_view);
    jingle_video_source_free(c->source);
    jingle_video_source_free(c->orders.source);
    jingle_video_sink_free(c->orders.self_view);
    video_encoding_free(c->encoding);
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->mutex);
    free(c);
}

static void init_sync(struct video_capture *c)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&c->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&c->mutex, NULL);
}

struct video_capture *video_capture_new(const struct video_capture_config *config,
                                        jingle_status *status)
{
    struct video_capture *c = calloc(1, sizeof *c);
    *status = JINGLE_ERROR_MEMORY;
    if (!c) {
        jingle_video_source_free(config->source);
        jingle_video_sink_free(config->self_view);
        return NULL;
    }
    c->config = *config;
    c->source = config->source;
    self_view_put(&c->self_view, config->self_view);
    c->orders.codec = config->codec;
    init_sync(c);
    c->encoding = video_encoding_new(config->log);
    if (!c->encoding || !make_frames(c) || !thread_start(&c->thread, NULL, run, c)) {
        free_all(c);
        return NULL;
    }
    *status = JINGLE_OK;
    return c;
}

void video_capture_free(struct video_capture *c)
{
    if (!c) {
        return;
    }
    pthread_mutex_lock(&c->mutex);
    c->orders.quit = true;
    pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->mutex);
    pthread_join(c->thread, NULL);
    free_all(c);
}

/* ----------------------------------------------------------------------------- any thread -- */

void video_capture_set_running(struct video_capture *c, bool on)
{
    pthread_mutex_lock(&c->mutex);
    c->orders.running = on;
    pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->mutex);
}

void video_capture_set_target(struct video_capture *c, const struct video_capture_target *target)
{
    pthread_mutex_lock(&c->mutex);
    c->orders.target = *target;
    pthread_mutex_unlock(&c->mutex);
}

void video_capture_request_key(struct video_capture *c)
{
    pthread_mutex_lock(&c->mutex);
    c->orders.key = true;
    pthread_mutex_unlock(&c->mutex);
}

void video_capture_set_source(struct video_capture *c, jingle_video_source *source)
{
    pthread_mutex_lock(&c->mutex);
    jingle_video_source *unused = c->orders.source;
    c->orders.source = source;
    c->orders.new_source = true;
    pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->mutex);
    jingle_video_source_free(unused);
}

void video_capture_set_self_view(struct video_capture *c, jingle_video_sink *self_view)
{
    pthread_mutex_lock(&c->mutex);
    jingle_video_sink *unused = c->orders.self_view;
    c->orders.self_view = self_view;
    c->orders.new_self_view = true;
    pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->mutex);
    jingle_video_sink_free(unused);
}

void video_capture_set_codec(struct video_capture *c, const struct video_codec *codec)
{
    pthread_mutex_lock(&c->mutex);
    c->orders.codec = codec;
    pthread_mutex_unlock(&c->mutex);
}

void video_capture_give_back(struct video_capture *c, struct coded_frame *frame)
{
    pthread_mutex_lock(&c->mutex);
    c->free_frames[c->free_count++] = frame;
    pthread_mutex_unlock(&c->mutex);
}

void video_capture_stats(struct video_capture *c, struct video_capture_stats *stats)
{
    pthread_mutex_lock(&c->mutex);
    *stats = c->stats;
    pthread_mutex_unlock(&c->mutex);
}
