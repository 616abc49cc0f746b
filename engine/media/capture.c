#include "media/capture.h"

#include "media/devices.h"
#include "media/grid.h"
#include "media/resampler.h"
#include "media/rhythm.h"
#include "rtp/voice.h"

#include <stdlib.h>
#include <string.h>

enum {
    STALL = 200 * 1000,        /* usec without a sample: silence is sent meanwhile */
    RETRY = 3 * 1000 * 1000,   /* usec between attempts to start a source */
    BURST = 8,                 /* steps that are read at once at most */
    BACKLOG = 500,             /* steps that are dropped at once at most: 10 s */
    ROOM = 192000 / 50 * 2 + 8 /* samples: a step of the fastest stereo */
};

enum capture_state {
    CAPTURE_STOPPED,
    CAPTURE_CLOCKED, /* on demand: by the engine's clock */
    CAPTURE_POLLED,  /* by the source's own clock */
    CAPTURE_ABSENT,  /* it should deliver and does not: silence by the engine's clock */
    CAPTURE_ENDED,   /* silence for ever */
};

struct capture {
    const struct audio_config *config;
    const jingle_audio_source *source;
    struct voice *voice;
    struct processing *processing; /* NULL: none */
    enum capture_state state;
    bool started; /* the source's start succeeded */
    bool lost;    /* and told */
    usec retry_at;
    jingle_audio_format format; /* of the source */
    struct grid grid;
    struct rhythm rhythm;
    uint64_t step_remainder;          /* of frames a step, in 1/50 frames */
    size_t step_missing;              /* frames until a step of a polled source is whole */
    struct resampler *to_block;       /* source to processing; NULL: they agree */
    struct resampler *to_voice;       /* source or processing to voice; NULL: they agree */
    jingle_audio_format voice_format; /* that `to_voice` is made for */
    size_t block_fill;
    int16_t block[PROCESSING_BLOCK];
    int16_t samples[ROOM];
    int16_t converted[ROOM];
};

struct capture *capture_new(const struct audio_config *config, struct processing *processing)
{
    struct capture *c = calloc(1, sizeof *c);
    if (c) {
        c->config = config;
        c->source = config->source;
        c->voice = config->voice;
        c->processing = processing;
    }
    return c;
}

void capture_free(struct capture *c)
{
    if (c) {
        resampler_free(c->to_block);
        resampler_free(c->to_voice);
        free(c);
    }
}

/* --- samples on their way ---------------------------------------------------------------- */

static bool format_is(jingle_audio_format a, jingle_audio_format b)
{
    return a.rate == b.rate && a.channels == b.channels;
}

static jingle_audio_format block_format(void)
{
    return (jingle_audio_format){.rate = PROCESSING_RATE, .channels = 1};
}

/* What the voice takes may change with a new answer of the peer. */
static void follow_voice(struct capture *c)
{
    jingle_audio_format now = {.rate = voice_capture_rate(c->voice),
                               .channels = voice_capture_channels(c->voice)};
    if (format_is(now, c->voice_format)) {
        return;
    }
    jingle_audio_format from = c->processing ? block_format() : c->format;
    resampler_free(c->to_voice);
    c->to_voice = format_is(from, now) ? NULL : resampler_new(from, now);
    c->voice_format = now;
}

static void send(struct capture *c, const int16_t *samples, size_t frames, usec now)
{
    uint32_t channels = c->processing ? 1 : c->format.channels;
    while (c->to_voice && frames > 0) {
        size_t taken = frames;
        size_t given = resampler_run(c->to_voice, samples, &taken, c->converted,
                                     ROOM / c->voice_format.channels);
        voice_capture(c->voice, c->converted, given, now);
        samples += taken * channels;
        frames -= taken;
    }
    if (frames > 0) {
        voice_capture(c->voice, samples, frames, now);
    }
}

/* `age`: how long ago the first of the samples was picked up. */
static void process(struct capture *c, const int16_t *samples, size_t frames, usec age, usec now)
{
    while (frames > 0) {
        size_t taken = PROCESSING_BLOCK - c->block_fill;
        taken = taken < frames ? taken : frames;
        memcpy(c->block + c->block_fill, samples, taken * sizeof *samples);
        usec block_age = age + (usec)c->block_fill * USEC_PER_SEC / PROCESSING_RATE;
        age -= (usec)taken * USEC_PER_SEC / PROCESSING_RATE;
        samples += taken;
        frames -= taken;
        c->block_fill += taken;
        if (c->block_fill == PROCESSING_BLOCK) {
            c->block_fill = 0;
            processing_near(c->processing, c->block, now - block_age);
            send(c, c->block, PROCESSING_BLOCK, now);
        }
    }
}

static void push(struct capture *c, const int16_t *samples, size_t frames, usec age, usec now)
{
    follow_voice(c);
    if (!c->processing) {
        send(c, samples, frames, now);
        return;
    }
    while (c->to_block && frames > 0) {
        int16_t mono[PROCESSING_BLOCK];
        size_t taken = frames;
        size_t given = resampler_run(c->to_block, samples, &taken, mono, PROCESSING_BLOCK);
        process(c, mono, given, age, now);
        samples += taken * c->format.channels;
        frames -= taken;
        age -= (usec)taken * USEC_PER_SEC / c->format.rate;
    }
    if (frames > 0) {
        process(c, samples, frames, age, now);
    }
}

/* How many frames of the source the next step has: those of odd rates take turns. */
static size_t step_frames(struct capture *c)
{
    uint64_t total = c->step_remainder + c->format.rate;
    uint64_t steps = USEC_PER_SEC / GRID_STEP;
    c->step_remainder = total % steps;
    return (size_t)(total / steps);
}

static void push_silence(struct capture *c, size_t frames, usec now)
{
    memset(c->samples, 0, frames * c->format.channels * sizeof *c->samples);
    push(c, c->samples, frames, 0, now);
}

/* --- how the source is ------------------------------------------------------------------- */

static void tell_lost(struct capture *c, bool lost, jingle_status status)
{
    if (c->lost == lost) {
        return;
    }
    c->lost = lost;
    if (lost) {
        log_warning(c->config->log, "The sound source is lost: %s", jingle_strerror(status));
    } else {
        log_info(c->config->log, "The sound source is back.");
    }
    if (c->config->hooks.device) {
        c->config->hooks.device(c->config->hooks.user, true, lost, status);
    }
}

static void become_absent(struct capture *c, usec now)
{
    c->state = CAPTURE_ABSENT;
    grid_start(&c->grid, now + GRID_STEP);
}

static void become_ended(struct capture *c)
{
    c->state = CAPTURE_ENDED;
    log_info(c->config->log, "The sound source has ended.");
    if (c->config->hooks.source_ended) {
        c->config->hooks.source_ended(c->config->hooks.user);
    }
}

static void become_present(struct capture *c, usec now)
{
    tell_lost(c, false, JINGLE_OK);
    processing_restart(c->processing);
    if (c->source->on_demand) {
        c->state = CAPTURE_CLOCKED;
        return;
    }
    c->state = CAPTURE_POLLED;
    c->step_missing = step_frames(c);
    rhythm_start(&c->rhythm, GRID_STEP, now);
}

static void become_started(struct capture *c, usec now)
{
    c->started = true;
    resampler_free(c->to_block);
    c->to_block = NULL;
    if (c->processing && !format_is(c->format, block_format())) {
        c->to_block = resampler_new(c->format, block_format());
    }
    c->voice_format = (jingle_audio_format){0};
    become_present(c, now);
}

static void try_start(struct capture *c, usec now)
{
    c->format = (jingle_audio_format){.rate = voice_capture_rate(c->voice),
                                      .channels = voice_capture_channels(c->voice)};
    if (c->processing) {
        c->format = block_format();
    }
    jingle_audio_format liked = c->format;
    jingle_status status = source_start(c->source, &c->format);
    if (status == JINGLE_OK) {
        become_started(c, now);
        return;
    }
    c->format = liked; /* of the silence meanwhile */
    c->voice_format = (jingle_audio_format){0};
    c->retry_at = now + RETRY;
    tell_lost(c, true, status);
    become_absent(c, now);
}

void capture_start(struct capture *c, usec now)
{
    bool ended = c->state == CAPTURE_ENDED;
    grid_start(&c->grid, now);
    if (!ended) {
        c->block_fill = 0;
        c->step_remainder = 0;
        try_start(c, now);
    }
}

void capture_stop(struct capture *c)
{
    if (c->started) {
        source_stop(c->source);
        c->started = false;
    }
    if (c->state != CAPTURE_ENDED) { /* which it stays after a hold */
        c->state = CAPTURE_STOPPED;
    }
}

/* --- ticks -------------------------------------------------------------------------------- */

/* Reads up to `frames` into `samples`; what is not a count changes the state. */
static size_t read_source(struct capture *c, size_t frames, usec now)
{
    long given = c->source->read(c->source->user, c->samples, frames);
    if (given >= 0) {
        return (size_t)given < frames ? (size_t)given : frames;
    }
    if (given == JINGLE_AUDIO_END) {
        grid_start(&c->grid, now);
        become_ended(c);
        return 0;
    }
    tell_lost(c, true, JINGLE_ERROR_DEVICE);
    if (c->state != CAPTURE_ABSENT) {
        become_absent(c, now);
    }
    return 0;
}

static void step_clocked(struct capture *c, usec now)
{
    size_t frames = step_frames(c);
    long given = c->source->read(c->source->user, c->samples, frames);
    if (given == JINGLE_AUDIO_END) {
        become_ended(c);
    } else if (given < 0) {
        tell_lost(c, true, JINGLE_ERROR_DEVICE);
        c->state = CAPTURE_ABSENT;
    }
    size_t there = given > 0 ? (size_t)given : 0;
    there = there < frames ? there : frames;
    memset(c->samples + there * c->format.channels, 0,
           (frames - there) * c->format.channels * sizeof *c->samples);
    push(c, c->samples, frames, 0, now);
}

/* A source that comes back may hold what it heard meanwhile, for which silence was sent; and after
 * a long sleep of this thread nobody waits for that sound any more. */
static void drop_backlog(struct capture *c)
{
    size_t frames = c->format.rate / 50;
    for (int i = 0; i < BACKLOG; i++) {
        if (c->source->read(c->source->user, c->samples, frames) < (long)frames) {
            return;
        }
    }
}

static void step_absent(struct capture *c, usec now)
{
    if (!c->started && now >= c->retry_at) {
        try_start(c, now);
        if (c->state != CAPTURE_ABSENT) {
            return;
        }
    }
    size_t frames = step_frames(c);
    long given =
        c->started ? c->source->read(c->source->user, c->samples, frames) : JINGLE_AUDIO_LOST;
    if (given == JINGLE_AUDIO_END) {
        become_ended(c);
    } else if (given > 0) {
        drop_backlog(c);
        become_present(c, now);
    } else if (given == 0) {
        tell_lost(c, false, JINGLE_OK);
    } else if (c->started) {
        tell_lost(c, true, JINGLE_ERROR_DEVICE);
    }
    push_silence(c, frames, now);
}

/* Takes what is there; true if a step became whole. */
static bool poll_step(struct capture *c, usec now)
{
    usec age = c->processing ? source_delay(c->source) : 0;
    size_t given = read_source(c, c->step_missing, now);
    if (given == 0) {
        return false;
    }
    push(c, c->samples, given, age, now);
    c->step_missing -= given;
    if (c->step_missing > 0) {
        return false;
    }
    c->step_missing = step_frames(c);
    return true;
}

static usec tick_polled(struct capture *c, usec now)
{
    if (now < c->rhythm.due) {
        return c->rhythm.due;
    }
    if (now - c->rhythm.due > GRID_LATE_STEPS * GRID_STEP) {
        drop_backlog(c);
    }
    bool ready = false;
    for (int i = 0; i < BURST && c->state == CAPTURE_POLLED && poll_step(c, now); i++) {
        ready = true;
    }
    if (ready) {
        return rhythm_ready(&c->rhythm, now);
    }
    usec due = rhythm_early(&c->rhythm, now);
    if (c->state == CAPTURE_POLLED && rhythm_waiting(&c->rhythm, now) > STALL) {
        become_absent(c, now);
    }
    return c->state == CAPTURE_POLLED ? due : c->grid.next;
}

static usec tick_clocked(struct capture *c, usec now)
{
    while (c->state != CAPTURE_POLLED && grid_due(&c->grid, now)) {
        if (c->state == CAPTURE_CLOCKED) {
            step_clocked(c, now);
        } else if (c->state == CAPTURE_ABSENT) {
            step_absent(c, now);
        } else {
            push_silence(c, step_frames(c), now);
        }
    }
    return c->state == CAPTURE_POLLED ? c->rhythm.due : c->grid.next;
}

usec capture_tick(struct capture *c, usec now)
{
    if (c->state == CAPTURE_STOPPED) {
        return USEC_NEVER;
    }
    usec due = now;
    while (due <= now) { /* again when the state has changed */
        due = c->state == CAPTURE_POLLED ? tick_polled(c, now) : tick_clocked(c, now);
    }
    return due;
}
