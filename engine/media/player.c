/* Plays a source into a sink beside all calls, on a thread of its own: what rings before there is a
 * call to hear. Its sink may be a device, which keeps the time, or not: then the thread does.
 *
 *     source ─▶ resample ─▶ sink          10 ms at a time
 */
#include "base/clock.h"
#include "base/thread.h"
#include "media/devices.h"
#include "media/resampler.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    RATE = 48000,                 /* asked of the sink */
    STEPS = 100,                  /* a second */
    BURST = 16,                   /* steps at once */
    ROOM = 192000 / STEPS * 2 + 8 /* samples of the fastest stereo */
};

#define POLL  (4 * USEC_PER_MS)  /* of a sink that has a clock of its own */
#define RETRY (3 * USEC_PER_SEC) /* to start a sink that failed */

struct jingle_player {
    jingle_audio_source *source;
    jingle_audio_sink *sink;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool quit; /* with `lock` */
    /* the thread */
    jingle_audio_format source_format, sink_format;
    struct resampler *resampler; /* NULL: the formats agree */
    bool started;
    bool over; /* the source has no more to say */
    usec due;
    int16_t read[ROOM], converted[ROOM];
};

static void stop(struct jingle_player *player)
{
    if (player->started) {
        source_stop(player->source);
        sink_stop(player->sink);
    }
    player->started = false;
    resampler_free(player->resampler);
    player->resampler = NULL;
}

static bool start(struct jingle_player *player)
{
    player->sink_format = (jingle_audio_format){.rate = RATE, .channels = 1};
    if (sink_start(player->sink, &player->sink_format) != JINGLE_OK) {
        return false;
    }
    player->source_format = player->sink_format;
    if (source_start(player->source, &player->source_format) != JINGLE_OK) {
        sink_stop(player->sink);
        return false;
    }
    player->started = true;
    if (memcmp(&player->source_format, &player->sink_format, sizeof player->sink_format) != 0) {
        player->resampler = resampler_new(player->source_format, player->sink_format);
    }
    return true;
}

/* One step of sound; silence in place of what is not there. */
static void play_step(struct jingle_player *player)
{
    size_t frames = player->source_format.rate / STEPS;
    long got = player->over ? 0 : player->source->read(player->source->user, player->read, frames);
    player->over = player->over || got < 0;
    size_t channels = player->source_format.channels;
    size_t heard = got > 0 ? (size_t)got : 0;
    memset(player->read + heard * channels, 0, (frames - heard) * channels * sizeof(int16_t));
    if (!player->resampler) {
        player->sink->write(player->sink->user, player->read, frames);
        return;
    }
    size_t given = resampler_run(player->resampler, player->read, &frames, player->converted,
                                 ROOM / player->sink_format.channels);
    player->sink->write(player->sink->user, player->converted, given);
}

/* When it wants to be called again. */
static usec tick(struct jingle_player *player, usec now)
{
    if (!player->started) {
        if (!start(player)) {
            return now + RETRY;
        }
        player->due = now;
    }
    if (!player->sink->wanted) {
        for (int i = 0; i < BURST && player->due <= now; i++, player->due += USEC_PER_SEC / STEPS) {
            play_step(player);
        }
        player->due = player->due <= now ? now : player->due; /* the thread was held up: go on */
        return player->due;
    }
    for (int i = 0; i < BURST; i++) {
        long wanted = player->sink->wanted(player->sink->user);
        if (wanted < 0) {
            stop(player);
            return now + RETRY;
        }
        if (wanted == 0) {
            break;
        }
        play_step(player);
    }
    return now + POLL;
}

static bool wait_until(struct jingle_player *player, usec due)
{
    struct timespec at = {.tv_sec = due / USEC_PER_SEC, .tv_nsec = due % USEC_PER_SEC * 1000};
    pthread_mutex_lock(&player->lock);
    int timed_out = 0;
    while (!player->quit && timed_out == 0) {
        timed_out = pthread_cond_timedwait(&player->changed, &player->lock, &at);
    }
    bool goes_on = !player->quit;
    pthread_mutex_unlock(&player->lock);
    return goes_on;
}

static void *run(void *user)
{
    struct jingle_player *player = user;
    while (wait_until(player, tick(player, clock_now()))) {
    }
    stop(player);
    return NULL;
}

static void free_player(struct jingle_player *player)
{
    jingle_audio_source_free(player->source);
    jingle_audio_sink_free(player->sink);
    pthread_cond_destroy(&player->changed);
    pthread_mutex_destroy(&player->lock);
    free(player);
}

static jingle_player *player_alloc(void)
{
    jingle_player *player = calloc(1, sizeof *player);
    if (player) {
        pthread_condattr_t clock;
        pthread_condattr_init(&clock);
        pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
        pthread_cond_init(&player->changed, &clock);
        pthread_condattr_destroy(&clock);
        pthread_mutex_init(&player->lock, NULL);
    }
    return player;
}

jingle_status jingle_player_new(jingle_audio_source *source, jingle_audio_sink *sink,
                                jingle_player **player)
{
    jingle_status status = JINGLE_OK;
    bool whole = player && source && source_valid(source) && (!sink || sink_valid(sink));
    if (whole && !sink) {
        sink = jingle_audio_sink_device(NULL, &status);
    }
    jingle_player *made = whole && sink ? player_alloc() : NULL;
    if (player) {
        *player = NULL;
    }
    if (!made) {
        jingle_audio_source_free(source);
        jingle_audio_sink_free(sink);
        return !whole ? JINGLE_ERROR_INVALID : status != JINGLE_OK ? status : JINGLE_ERROR_MEMORY;
    }
    made->source = source;
    made->sink = sink;
    if (!thread_start(&made->thread, NULL, run, made)) {
        free_player(made);
        return JINGLE_ERROR_MEMORY;
    }
    *player = made;
    return JINGLE_OK;
}

void jingle_player_free(jingle_player *player)
{
    if (!player) {
        return;
    }
    pthread_mutex_lock(&player->lock);
    player->quit = true;
    pthread_cond_signal(&player->changed);
    pthread_mutex_unlock(&player->lock);
    pthread_join(player->thread, NULL);
    free_player(player);
}
