#include "media/playback.h"

#include "media/devices.h"
#include "media/grid.h"
#include "media/resampler.h"
#include "media/rhythm.h"
#include "rtp/voice.h"

#include <stdlib.h>

enum {
    STALL = 200 * 1000,         /* usec without a wish: the engine's clock takes over meanwhile */
    RETRY = 3 * 1000 * 1000,    /* usec between attempts to start a sink */
    BURST = 16,                 /* blocks that are written at once at most */
    BLOCKS_PER_STEP = 2,        /* of 10 ms, in a step of the grid */
    BLOCK_ROOM = 480 * 2,       /* samples: 10 ms of 48 kHz stereo */
    ROOM = 192000 / 100 * 2 + 8 /* samples: 10 ms of the fastest stereo */
};

enum playback_state {
    PLAYBACK_STOPPED,
    PLAYBACK_CLOCKED, /* by the engine's clock */
    PLAYBACK_POLLED,  /* by the sink's own clock */
    PLAYBACK_ABSENT,  /* its clock stands: by the engine's clock, probably heard by nobody */
};

struct playback {
    const struct audio_config *config;
    const jingle_audio_sink *sink;
    struct voice *voice;
    struct processing *processing; /* NULL: none */
    enum playback_state state;
    bool started; /* the sink's start succeeded */
    bool lost;    /* and told */
    usec retry_at;
    jingle_audio_format format; /* of the sink */
    struct grid grid;
    struct rhythm rhythm;
    struct resampler *to_sink;  /* NULL: they agree */
    struct resampler *to_block; /* voice to processing; NULL: they agree */
    size_t block_fill;
    int16_t block[PROCESSING_BLOCK];
    int16_t samples[BLOCKS_PER_STEP * BLOCK_ROOM];
    int16_t converted[ROOM];
};

struct playback *playback_new(const struct audio_config *config, struct processing *processing)
{
    struct playback *p = calloc(1, sizeof *p);
    if (!p) {
        return NULL;
    }
    p->config = config;
    p->sink = config->sink;
    p->voice = config->voice;
    p->processing = processing;
    return p;
}

void playback_free(struct playback *p)
{
    if (p) {
        resampler_free(p->to_sink);
        resampler_free(p->to_block);
        free(p);
    }
}

/* --- samples on their way ---------------------------------------------------------------- */

static jingle_audio_format voice_format(const struct playback *p)
{
    return (jingle_audio_format){.rate = voice_playout_rate(p->voice),
                                 .channels = voice_playout_channels(p->voice)};
}

/* Shows to the echo canceller what is about to be heard. */
static void show_far(struct playback *p, const int16_t *samples, size_t frames, usec heard)
{
    uint32_t channels = voice_playout_channels(p->voice);
    if (!p->to_block) {
        processing_far(p->processing, samples, heard);
        return;
    }
    while (frames > 0) {
        usec fill_time = (usec)p->block_fill * USEC_PER_SEC / PROCESSING_RATE;
        size_t taken = frames;
        size_t given = resampler_run(p->to_block, samples, &taken, p->block + p->block_fill,
                                     PROCESSING_BLOCK - p->block_fill);
        p->block_fill += given;
        samples += taken * channels;
        frames -= taken;
        if (p->block_fill == PROCESSING_BLOCK) {
            processing_far(p->processing, p->block, heard - fill_time);
            p->block_fill = 0;
        }
        heard += (usec)given * USEC_PER_SEC / PROCESSING_RATE;
    }
}

static void write_sink(struct playback *p, const int16_t *samples, size_t frames)
{
    if (!p->started) {
        return;
    }
    if (!p->to_sink) {
        p->sink->write(p->sink->user, samples, frames);
        return;
    }
    uint32_t channels = voice_playout_channels(p->voice);
    while (frames > 0) {
        size_t taken = frames;
        size_t given =
            resampler_run(p->to_sink, samples, &taken, p->converted, ROOM / p->format.channels);
        p->sink->write(p->sink->user, p->converted, given);
        samples += taken * channels;
        frames -= taken;
    }
}

static void play(struct playback *p, int blocks, usec now)
{
    size_t frames = voice_playout_rate(p->voice) / 100;
    size_t samples = frames * voice_playout_channels(p->voice);
    for (int i = 0; i < blocks; i++) {
        voice_pull(p->voice, p->samples + i * samples, now);
    }
    if (p->processing && p->state != PLAYBACK_ABSENT) {
        usec heard = now + sink_delay(p->sink);
        for (int i = 0; i < blocks; i++) {
            show_far(p, p->samples + i * samples, frames, heard + i * 10 * USEC_PER_MS);
        }
    }
    write_sink(p, p->samples, (size_t)blocks * frames);
}

/* --- how the sink is --------------------------------------------------------------------- */

static void tell_lost(struct playback *p, bool lost, jingle_status status)
{
    if (p->lost == lost) {
        return;
    }
    p->lost = lost;
    if (lost) {
        log_warning(p->config->log, "The sound sink is lost: %s", jingle_strerror(status));
    } else {
        log_info(p->config->log, "The sound sink is back.");
    }
    if (p->config->hooks.device) {
        p->config->hooks.device(p->config->hooks.user, false, lost, status);
    }
}

static void become_absent(struct playback *p, usec now)
{
    p->state = PLAYBACK_ABSENT;
    grid_start(&p->grid, now);
}

static void become_present(struct playback *p, usec now)
{
    tell_lost(p, false, JINGLE_OK);
    if (!p->sink->wanted) {
        p->state = PLAYBACK_CLOCKED;
        return;
    }
    p->state = PLAYBACK_POLLED;
    rhythm_start(&p->rhythm, GRID_STEP / BLOCKS_PER_STEP, now);
}

static struct resampler *new_resampler(jingle_audio_format from, jingle_audio_format to)
{
    bool agree = from.rate == to.rate && from.channels == to.channels;
    return agree ? NULL : resampler_new(from, to);
}

static void try_start(struct playback *p, usec now)
{
    p->format = voice_format(p);
    jingle_status status = sink_start(p->sink, &p->format);
    if (status != JINGLE_OK) {
        p->retry_at = now + RETRY;
        tell_lost(p, true, status);
        become_absent(p, now);
        return;
    }
    jingle_audio_format block = {.rate = PROCESSING_RATE, .channels = 1};
    p->started = true;
    resampler_free(p->to_sink);
    resampler_free(p->to_block);
    p->to_sink = new_resampler(voice_format(p), p->format);
    p->to_block = p->processing ? new_resampler(voice_format(p), block) : NULL;
    become_present(p, now);
}

void playback_start(struct playback *p, usec now)
{
    p->block_fill = 0;
    grid_start(&p->grid, now);
    try_start(p, now);
}

void playback_stop(struct playback *p)
{
    if (p->started) {
        sink_stop(p->sink);
        p->started = false;
    }
    p->state = PLAYBACK_STOPPED;
}

/* --- ticks -------------------------------------------------------------------------------- */

static void step_absent(struct playback *p, usec now)
{
    if (!p->started && now >= p->retry_at) {
        try_start(p, now);
    } else if (p->started) {
        long wanted = p->sink->wanted(p->sink->user);
        tell_lost(p, wanted < 0, wanted < 0 ? JINGLE_ERROR_DEVICE : JINGLE_OK);
        if (wanted > 0) {
            become_present(p, now);
        }
    }
    if (p->state == PLAYBACK_ABSENT) {
        play(p, BLOCKS_PER_STEP, now);
    }
}

static usec tick_polled(struct playback *p, usec now)
{
    if (now < p->rhythm.due) {
        return p->rhythm.due;
    }
    bool ready = false;
    for (int i = 0; i < BURST; i++) {
        long wanted = p->sink->wanted(p->sink->user);
        if (wanted < 0) {
            tell_lost(p, true, JINGLE_ERROR_DEVICE);
            become_absent(p, now);
            return p->grid.next;
        }
        if (wanted == 0) {
            break;
        }
        play(p, 1, now);
        ready = true;
    }
    if (ready) {
        return rhythm_ready(&p->rhythm, now);
    }
    usec due = rhythm_early(&p->rhythm, now);
    if (rhythm_waiting(&p->rhythm, now) > STALL) {
        become_absent(p, now);
        return p->grid.next;
    }
    return due;
}

usec playback_tick(struct playback *p, usec now)
{
    if (p->state == PLAYBACK_STOPPED) {
        return USEC_NEVER;
    }
    while (p->state != PLAYBACK_POLLED && grid_due(&p->grid, now)) {
        if (p->state == PLAYBACK_CLOCKED) {
            play(p, BLOCKS_PER_STEP, now);
        } else {
            step_absent(p, now);
        }
    }
    return p->state == PLAYBACK_POLLED ? tick_polled(p, now) : p->grid.next;
}
