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
    LIKED_RATE = 48000,         /* asked of the sink */
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
    bool trouble; /* of the sink was told */
    usec retry_at;
    jingle_audio_format format; /* of the sink */
    struct grid grid;
    struct rhythm rhythm;
    jingle_audio_format sound_format; /* that the next two are made for */
    struct resampler *to_sink;        /* NULL: they agree */
    struct resampler *to_block;       /* voice to processing; NULL: they agree */
    size_t block_fill;
    int16_t block[PROCESSING_BLOCK];
    struct playout_sound sound;
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

static struct resampler *new_resampler(jingle_audio_format from, jingle_audio_format to)
{
    bool agree = from.rate == to.rate && from.channels == to.channels;
    return agree ? NULL : resampler_new(from, to);
}

/* The peer may change its codec at any time. */
static void follow_sound(struct playback *p)
{
    jingle_audio_format now = {.rate = p->sound.rate, .channels = p->sound.channels};
    if (now.rate == p->sound_format.rate && now.channels == p->sound_format.channels) {
        return;
    }
    jingle_audio_format block = {.rate = PROCESSING_RATE, .channels = 1};
    resampler_free(p->to_sink);
    resampler_free(p->to_block);
    p->to_sink = new_resampler(now, p->format);
    p->to_block = p->processing ? new_resampler(now, block) : NULL;
    p->block_fill = 0;
    p->sound_format = now;
}

/* Shows to the echo canceller what is about to be heard. */
static void show_far(struct playback *p, usec heard)
{
    if (!p->to_block) {
        processing_far(p->processing, p->sound.samples, heard);
        return;
    }
    const int16_t *samples = p->sound.samples;
    size_t frames = p->sound.count;
    while (frames > 0) {
        usec fill_time = (usec)p->block_fill * USEC_PER_SEC / PROCESSING_RATE;
        size_t taken = frames;
        size_t given = resampler_run(p->to_block, samples, &taken, p->block + p->block_fill,
                                     PROCESSING_BLOCK - p->block_fill);
        p->block_fill += given;
        samples += taken * p->sound.channels;
        frames -= taken;
        if (p->block_fill == PROCESSING_BLOCK) {
            processing_far(p->processing, p->block, heard - fill_time);
            p->block_fill = 0;
        }
        heard += (usec)given * USEC_PER_SEC / PROCESSING_RATE;
    }
}

static void write_sink(struct playback *p)
{
    if (!p->to_sink) {
        p->sink->write(p->sink->user, p->sound.samples, p->sound.count);
        return;
    }
    const int16_t *samples = p->sound.samples;
    size_t frames = p->sound.count;
    while (frames > 0) {
        size_t taken = frames;
        size_t given =
            resampler_run(p->to_sink, samples, &taken, p->converted, ROOM / p->format.channels);
        p->sink->write(p->sink->user, p->converted, given);
        samples += taken * p->sound.channels;
        frames -= taken;
    }
}

/* The next 10 ms. `ahead`: so much later than what was written now. */
static void play(struct playback *p, usec ahead, usec now)
{
    voice_pull(p->voice, &p->sound, now);
    if (!p->started) {
        return;
    }
    follow_sound(p);
    if (p->processing && p->state != PLAYBACK_ABSENT) {
        show_far(p, now + ahead + sink_delay(p->sink));
    }
    write_sink(p);
}

/* By the engine's clock: what a sink without `delay` gets at once is heard one after the other. */
static void play_step(struct playback *p, usec now)
{
    for (int i = 0; i < BLOCKS_PER_STEP; i++) {
        play(p, i * GRID_STEP / BLOCKS_PER_STEP, now);
    }
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
    grid_start(&p->grid, now + GRID_STEP);
}

static void become_present(struct playback *p, usec now)
{
    tell_lost(p, false, JINGLE_OK);
    processing_restart(p->processing);
    if (!p->sink->wanted) {
        p->state = PLAYBACK_CLOCKED;
        return;
    }
    p->state = PLAYBACK_POLLED;
    rhythm_start(&p->rhythm, GRID_STEP / BLOCKS_PER_STEP, now);
}

static void try_start(struct playback *p, usec now)
{
    p->format = (jingle_audio_format){.rate = LIKED_RATE,
                                      .channels = p->config->playback_channels == 2 ? 2 : 1};
    jingle_status status = sink_start(p->sink, &p->format);
    if (status != JINGLE_OK) {
        p->retry_at = now + RETRY;
        tell_lost(p, true, status);
        become_absent(p, now);
        return;
    }
    p->started = true;
    p->sound_format = (jingle_audio_format){0};
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
        play_step(p, now);
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
        play(p, 0, now);
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

static usec tick_clocked(struct playback *p, usec now)
{
    while (p->state != PLAYBACK_POLLED && grid_due(&p->grid, now)) {
        if (p->state == PLAYBACK_CLOCKED) {
            play_step(p, now);
        } else {
            step_absent(p, now);
        }
    }
    return p->state == PLAYBACK_POLLED ? p->rhythm.due : p->grid.next;
}

static void look_for_trouble(struct playback *p)
{
    jingle_status status = p->started && !p->trouble ? sink_trouble(p->sink) : JINGLE_OK;
    if (status == JINGLE_OK) {
        return;
    }
    p->trouble = true;
    log_warning(p->config->log, "The sound sink is in trouble: %s", jingle_strerror(status));
    if (p->config->hooks.device) {
        p->config->hooks.device(p->config->hooks.user, false, true, status);
    }
}

usec playback_tick(struct playback *p, usec now)
{
    if (p->state == PLAYBACK_STOPPED) {
        return USEC_NEVER;
    }
    look_for_trouble(p);
    usec due = now;
    while (due <= now) { /* again when the state has changed */
        due = p->state == PLAYBACK_POLLED ? tick_polled(p, now) : tick_clocked(p, now);
    }
    return due;
}
