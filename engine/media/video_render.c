#include "media/video_render.h"

#include "base/thread.h"
#include "codecs/coded_frame.h"
#include "media/video_scale.h"
#include "media/video_sink.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Sound comes first where there is not enough for all. */
#define NICENESS 3

/* How long a snapshot waits for the thread. */
#define SNAPSHOT_PATIENCE (2 * USEC_PER_SEC)

struct video_render {
    struct video_render_config config;
    _Atomic int references;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* for the thread */
    pthread_cond_t taken;   /* for who waits for a snapshot */

    /* under the mutex */
    bool quit;
    bool wants_key; /* frames were dropped: only a key frame goes on */
    bool new_sink;
    bool snapshot_wanted;
    jingle_video_sink *next_sink;
    struct video_render_frame queue[VIDEO_RENDER_FRAMES_MAX]; /* a ring */
    size_t first;
    size_t count;
    size_t bytes;
    struct picture_buffer last; /* a copy of the picture, when one was asked for or at the end */

    /* the thread's own */
    jingle_video_sink *sink;
    bool sink_started;
    bool sink_lost;
    const struct video_codec *codec;
    struct video_decoder *decoder;
    jingle_picture picture; /* in the decoder, until it decodes again */
    bool has_picture;
};

/* ------------------------------------------------------------------------------- the queue -- */

/* All of these with the mutex. */

static struct video_render_frame *queue_at(struct video_render *r, size_t i)
{
    return &r->queue[(r->first + i) % VIDEO_RENDER_FRAMES_MAX];
}

static void queue_drop_all(struct video_render *r)
{
    for (size_t i = 0; i < r->count; i++) {
        coded_frame_free(queue_at(r, i)->frame);
    }
    r->count = 0;
    r->bytes = 0;
}

static struct video_render_frame queue_take(struct video_render *r)
{
    struct video_render_frame taken = *queue_at(r, 0);
    r->first = (r->first + 1) % VIDEO_RENDER_FRAMES_MAX;
    r->count--;
    r->bytes -= taken.frame->size;
    return taken;
}

/* False: no room. A key frame needs nothing that waits, so it always finds some. */
static bool queue_put(struct video_render *r, const struct video_render_frame *frame)
{
    bool full = r->count == VIDEO_RENDER_FRAMES_MAX ||
                r->bytes + frame->frame->size > VIDEO_RENDER_BYTES_MAX;
    if (full) {
        queue_drop_all(r);
        r->wants_key = true;
    }
    if (r->wants_key && !frame->frame->key) {
        return false;
    }
    r->wants_key = false;
    *queue_at(r, r->count++) = *frame;
    r->bytes += frame->frame->size;
    return true;
}

void video_render_push(struct video_render *r, const struct video_render_frame *frame)
{
    uint64_t number = frame->number;
    pthread_mutex_lock(&r->mutex);
    bool taken = !r->quit && queue_put(r, frame);
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->mutex);
    if (!taken) {
        coded_frame_free(frame->frame);
        r->config.hooks.dropped(r->config.hooks.user, number);
    }
}

void video_render_flush(struct video_render *r)
{
    pthread_mutex_lock(&r->mutex);
    queue_drop_all(r);
    r->wants_key = true;
    pthread_mutex_unlock(&r->mutex);
}

/* --------------------------------------------------------------------------------- waiting -- */

static struct timespec as_timespec(usec time)
{
    return (struct timespec){
        .tv_sec = (time_t)(time / USEC_PER_SEC),
        .tv_nsec = (long)(time % USEC_PER_SEC * 1000),
    };
}

/* The mutex is held. */
static void serve_snapshot(struct video_render *r)
{
    if (r->snapshot_wanted && r->has_picture) {
        picture_scale(&r->picture, &r->last, r->picture.width, r->picture.height);
    }
    r->snapshot_wanted = false;
    pthread_cond_broadcast(&r->taken);
}

/* Waits for a frame; false when it is over. */
static bool await_frame(struct video_render *r, struct video_render_frame *frame)
{
    pthread_mutex_lock(&r->mutex);
    while (!r->quit && r->count == 0 && !r->new_sink) {
        if (r->snapshot_wanted) {
            serve_snapshot(r);
            continue;
        }
        pthread_cond_wait(&r->changed, &r->mutex);
    }
    bool goes_on = !r->quit;
    frame->frame = NULL;
    if (goes_on && r->count > 0) {
        *frame = queue_take(r);
    }
    pthread_mutex_unlock(&r->mutex);
    return goes_on;
}

/* False: it is over, or the next one is due already, too. */
static bool await_due(struct video_render *r, usec due)
{
    struct timespec until = as_timespec(due);
    pthread_mutex_lock(&r->mutex);
    while (!r->quit && clock_now() < due) {
        if (r->snapshot_wanted) {
            serve_snapshot(r);
            continue;
        }
        pthread_cond_timedwait(&r->changed, &r->mutex, &until);
    }
    bool shown = !r->quit && (r->count == 0 || queue_at(r, 0)->due > clock_now());
    pthread_mutex_unlock(&r->mutex);
    return shown;
}

/* -------------------------------------------------------------------------------- the sink -- */

static void take_new_sink(struct video_render *r)
{
    pthread_mutex_lock(&r->mutex);
    bool new = r->new_sink;
    jingle_video_sink *sink = r->next_sink;
    r->new_sink = false;
    r->next_sink = NULL;
    pthread_mutex_unlock(&r->mutex);
    if (!new) {
        return;
    }
    if (r->sink_started) {
        video_sink_stop(r->sink);
    }
    jingle_video_sink_free(r->sink);
    r->sink = sink;
    r->sink_started = false;
    r->sink_lost = false;
}

static jingle_status write_sink(struct video_render *r, const jingle_picture *picture)
{
    if (!r->sink_started) {
        jingle_status status = video_sink_start(r->sink);
        if (status != JINGLE_OK) {
            return status;
        }
        r->sink_started = true;
    }
    return r->sink->write(r->sink->user, picture);
}

static void show(struct video_render *r, const jingle_picture *picture)
{
    if (!r->sink) {
        return;
    }
    jingle_status status = write_sink(r, picture);
    bool lost = status != JINGLE_OK;
    if (lost != r->sink_lost) {
        r->sink_lost = lost;
        r->config.hooks.device(r->config.hooks.user, lost, status);
    }
}

/* ----------------------------------------------------------------------------- the decoder -- */

static bool open_decoder(struct video_render *r, const struct video_codec *codec)
{
    if (r->codec != codec || !r->decoder) {
        video_decoder_free(r->decoder);
        r->has_picture = false;
        r->codec = codec;
        r->decoder = video_decoder_new(codec, 0);
    }
    return r->decoder;
}

/* A frame whose predecessor could not be decoded is dropped rather than broken. */
static void tell_failure(struct video_render *r, int status, uint64_t number)
{
    const struct video_render_hooks *hooks = &r->config.hooks;
    if (status == JINGLE_ERROR_STATE) {
        hooks->dropped(hooks->user, number);
    } else {
        hooks->failed(hooks->user, number);
    }
}

static void decode_and_show(struct video_render *r, const struct video_render_frame *f)
{
    const struct video_render_hooks *hooks = &r->config.hooks;
    usec before = clock_now();
    int made = JINGLE_ERROR_MEMORY;
    if (open_decoder(r, f->codec)) {
        r->has_picture = false;
        made = video_decode(r->decoder, f->frame, &r->picture);
    }
    if (made < 0) {
        tell_failure(r, made, f->number);
    }
    if (made != 1) {
        return;
    }
    r->has_picture = true;
    hooks->done(hooks->user, f->number, r->picture.width, r->picture.height, clock_now() - before);
    if (await_due(r, f->due)) {
        r->picture.time = f->due;
        show(r, &r->picture);
    }
}

static void *run(void *user)
{
    struct video_render *r = user;
    struct video_render_frame frame;
    pthread_setname_np(pthread_self(), "jingle-decode");
    setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICENESS);
    while (await_frame(r, &frame)) {
        take_new_sink(r);
        if (frame.frame) {
            decode_and_show(r, &frame);
            coded_frame_free(frame.frame);
        }
    }
    pthread_mutex_lock(&r->mutex);
    r->snapshot_wanted = true;
    serve_snapshot(r); /* the last picture stays */
    pthread_mutex_unlock(&r->mutex);
    if (r->sink_started) {
        video_sink_stop(r->sink);
    }
    return NULL;
}

/* -------------------------------------------------------------------------------- its life -- */

static void init_sync(struct video_render *r)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&r->changed, &attributes);
    pthread_cond_init(&r->taken, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&r->mutex, NULL);
}

static void free_all(struct video_render *r)
{
    picture_buffer_clear(&r->last);
    pthread_cond_destroy(&r->changed);
    pthread_cond_destroy(&r->taken);
    pthread_mutex_destroy(&r->mutex);
    free(r);
}

struct video_render *video_render_new(const struct video_render_config *config,
                                      jingle_status *status)
{
    struct video_render *r = calloc(1, sizeof *r);
    *status = JINGLE_ERROR_MEMORY;
    if (!r) {
        jingle_video_sink_free(config->sink);
        return NULL;
    }
    r->config = *config;
    r->references = 1;
    r->sink = config->sink;
    init_sync(r);
    if (!thread_start(&r->thread, NULL, run, r)) {
        jingle_video_sink_free(r->sink);
        free_all(r);
        return NULL;
    }
    *status = JINGLE_OK;
    return r;
}

void video_render_stop(struct video_render *r)
{
    pthread_mutex_lock(&r->mutex);
    r->quit = true;
    queue_drop_all(r);
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->mutex);
    pthread_join(r->thread, NULL);
    video_decoder_free(r->decoder);
    r->decoder = NULL;
    jingle_video_sink_free(r->sink);
    jingle_video_sink_free(r->next_sink);
    r->sink = NULL;
    r->next_sink = NULL;
}

struct video_render *video_render_ref(struct video_render *r)
{
    atomic_fetch_add(&r->references, 1);
    return r;
}

void video_render_unref(struct video_render *r)
{
    if (r && atomic_fetch_sub(&r->references, 1) == 1) {
        free_all(r);
    }
}

/* ----------------------------------------------------------------------------- any thread -- */

void video_render_set_sink(struct video_render *r, jingle_video_sink *sink)
{
    pthread_mutex_lock(&r->mutex);
    jingle_video_sink *unused = r->next_sink;
    r->next_sink = sink;
    r->new_sink = true;
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->mutex);
    jingle_video_sink_free(unused);
}

bool video_render_snapshot(struct video_render *r, struct picture_buffer *out)
{
    struct timespec until = as_timespec(clock_now() + SNAPSHOT_PATIENCE);
    pthread_mutex_lock(&r->mutex);
    r->snapshot_wanted = !r->quit;
    pthread_cond_signal(&r->changed);
    while (r->snapshot_wanted && pthread_cond_timedwait(&r->taken, &r->mutex, &until) == 0) {
    }
    bool there = r->last.width > 0;
    if (there) {
        jingle_picture last = picture_buffer_view(&r->last, 0);
        there = picture_scale(&last, out, r->last.width, r->last.height) == JINGLE_OK;
    }
    pthread_mutex_unlock(&r->mutex);
    return there;
}
