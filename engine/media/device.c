/* Sound devices as source and sink: the media thread's side of a stream of portaudio.h. Both are
 * mono or stereo at 48 kHz to the call, whatever the device runs at and even if it comes back with
 * another rate.
 *
 * The ring of a sink is kept at one period of the device and a margin, which starts small, grows
 * when the device found too little and shrinks slowly while all goes well. */
#include "media/devices.h"
#include "media/portaudio.h"
#include "media/resampler.h"

#include <stdlib.h>

enum {
    RATE = 48000,
    CHUNK_FRAMES = 480,
    BACKLOG = RATE / 8,             /* frames: what a microphone heard longer ago is forgotten */
    MARGIN_MIN = RATE / 200,        /* frames: 5 ms */
    MARGIN_MAX = RATE / 10,         /* frames: 100 ms */
    MARGIN_STEP = RATE / 250,       /* frames: 4 ms, after an underrun ... */
    MARGIN_DECAY = RATE / 1000,     /* frames: 1 ms less ... */
    MARGIN_GOOD_PERIODS = 10 * 100, /* ... after this many good periods */
};

struct device {
    union {
        jingle_audio_source source;
        jingle_audio_sink sink;
    } table;
    struct stream *stream;
    uint32_t channels; /* towards the call */
    unsigned opened;   /* the opening of the stream that `resampler` is for */
    struct resampler *resampler;
    jingle_audio_format device_format;
    /* a source's samples that the resampler has not taken yet */
    int16_t chunk[2 * CHUNK_FRAMES];
    size_t chunk_at, chunk_frames;
    /* a sink's margin */
    uint32_t margin;
    unsigned underruns;
    unsigned good_since; /* in periods */
};

static void free_device(void *user)
{
    struct device *d = user;
    if (d->stream) {
        stream_free(d->stream);
    }
    resampler_free(d->resampler);
    free(d);
}

static jingle_status start(void *user, jingle_audio_format *format)
{
    struct device *d = user;
    format->rate = RATE;
    d->channels = format->channels;
    d->opened = 0;
    stream_want(d->stream, true);
    return JINGLE_OK;
}

static void stop(void *user)
{
    struct device *d = user;
    stream_want(d->stream, false);
}

/* True if the stream is open; adapts to the format that it was opened with. */
static bool follow_stream(struct device *d)
{
    if (atomic_load(&d->stream->state) != STREAM_OPEN) {
        return false;
    }
    unsigned opened = atomic_load(&d->stream->opened);
    if (opened == d->opened) {
        return true;
    }
    jingle_audio_format ours = {.rate = RATE, .channels = d->channels};
    d->device_format = (jingle_audio_format){.rate = atomic_load(&d->stream->rate),
                                             .channels = atomic_load(&d->stream->channels)};
    resampler_free(d->resampler);
    d->resampler = d->stream->capture ? resampler_new(d->device_format, ours)
                                      : resampler_new(ours, d->device_format);
    if (!d->resampler) {
        return false;
    }
    d->opened = opened;
    d->chunk_frames = 0;
    if (d->stream->capture) { /* what was heard before a pause */
        ring_skip(d->stream->ring, ring_used(d->stream->ring));
    }
    d->margin = MARGIN_MIN;
    d->underruns = atomic_load(&d->stream->underruns);
    d->good_since = atomic_load(&d->stream->periods);
    return true;
}

static bool is_lost(const struct device *d)
{
    return atomic_load(&d->stream->state) == STREAM_LOST;
}

/* In frames of the call. */
static size_t ring_frames(const struct device *d)
{
    size_t frames = ring_used(d->stream->ring) / d->device_format.channels;
    return frames * RATE / d->device_format.rate;
}

/* --- source -------------------------------------------------------------------------------- */

static void fill_chunk(struct device *d)
{
    d->chunk_at = 0;
    d->chunk_frames =
        ring_read(d->stream->ring, d->chunk, CHUNK_FRAMES * d->device_format.channels) /
        d->device_format.channels;
}

static void forget_backlog(struct device *d)
{
    size_t frames = ring_frames(d);
    if (frames > BACKLOG) {
        size_t old = (frames - BACKLOG) * d->device_format.rate / RATE;
        ring_skip(d->stream->ring, old * d->device_format.channels);
    }
}

static long read_device(void *user, int16_t *samples, size_t frames)
{
    struct device *d = user;
    if (!follow_stream(d)) {
        return is_lost(d) ? JINGLE_AUDIO_LOST : 0;
    }
    forget_backlog(d);
    size_t given = 0;
    while (given < frames) {
        if (d->chunk_frames == 0) {
            fill_chunk(d);
        }
        if (d->chunk_frames == 0) {
            break;
        }
        size_t taken = d->chunk_frames;
        given += resampler_run(d->resampler, d->chunk + d->chunk_at * d->device_format.channels,
                               &taken, samples + given * d->channels, frames - given);
        d->chunk_at += taken;
        d->chunk_frames -= taken;
    }
    return (long)given;
}

static int64_t source_delay_of(void *user)
{
    struct device *d = user;
    if (!follow_stream(d)) {
        return 0;
    }
    return atomic_load(&d->stream->latency) +
           (int64_t)(ring_frames(d) + d->chunk_frames) * USEC_PER_SEC / RATE;
}

/* --- sink ---------------------------------------------------------------------------------- */

static void adapt_margin(struct device *d)
{
    unsigned underruns = atomic_load(&d->stream->underruns);
    unsigned periods = atomic_load(&d->stream->periods);
    if (underruns != d->underruns) {
        d->underruns = underruns;
        d->good_since = periods;
        d->margin = d->margin + MARGIN_STEP < MARGIN_MAX ? d->margin + MARGIN_STEP : MARGIN_MAX;
    } else if (periods - d->good_since > MARGIN_GOOD_PERIODS) {
        d->good_since = periods;
        d->margin = d->margin - MARGIN_DECAY > MARGIN_MIN ? d->margin - MARGIN_DECAY : MARGIN_MIN;
    }
}

static long frames_missing(struct device *d)
{
    size_t period = atomic_load(&d->stream->period_frames);
    size_t target = period * RATE / d->device_format.rate + d->margin;
    size_t used = ring_frames(d);
    return used < target ? (long)(target - used) : 0;
}

static long wanted(void *user)
{
    struct device *d = user;
    if (!follow_stream(d)) {
        return is_lost(d) ? JINGLE_AUDIO_LOST : 0;
    }
    adapt_margin(d);
    /* Less than 10 ms is no wish yet: 10 ms would be written and wait in vain. */
    long missing = frames_missing(d);
    return missing >= CHUNK_FRAMES ? missing : 0;
}

static void write_device(void *user, const int16_t *samples, size_t frames)
{
    struct device *d = user;
    int16_t chunk[2 * CHUNK_FRAMES];
    if (!follow_stream(d) || frames_missing(d) == 0) {
        return;
    }
    while (frames > 0) {
        size_t taken = frames;
        size_t given = resampler_run(d->resampler, samples, &taken, chunk, CHUNK_FRAMES);
        ring_write(d->stream->ring, chunk, given * d->device_format.channels);
        samples += taken * d->channels;
        frames -= taken;
    }
}

static int64_t sink_delay_of(void *user)
{
    struct device *d = user;
    if (!follow_stream(d)) {
        return 0;
    }
    return atomic_load(&d->stream->latency) + (int64_t)ring_frames(d) * USEC_PER_SEC / RATE;
}

/* --- both ---------------------------------------------------------------------------------- */

static struct device *device_new(bool capture, const char *name)
{
    struct device *d = calloc(1, sizeof *d);
    if (!d) {
        return NULL;
    }
    d->stream = stream_new(capture, name);
    if (!d->stream) {
        free(d);
        return NULL;
    }
    return d;
}

jingle_audio_source *jingle_audio_source_device(const char *name, jingle_status *status)
{
    struct device *d = device_new(true, name);
    if (!d) {
        return source_failed(status, JINGLE_ERROR_MEMORY);
    }
    d->table.source = (jingle_audio_source){
        .size = sizeof d->table.source,
        .user = d,
        .start = start,
        .read = read_device,
        .stop = stop,
        .free = free_device,
        .is_device = true,
        .delay = source_delay_of,
    };
    return source_made(&d->table.source, status);
}

jingle_audio_sink *jingle_audio_sink_device(const char *name, jingle_status *status)
{
    struct device *d = device_new(false, name);
    if (!d) {
        return sink_failed(status, JINGLE_ERROR_MEMORY);
    }
    d->table.sink = (jingle_audio_sink){
        .size = sizeof d->table.sink,
        .user = d,
        .start = start,
        .wanted = wanted,
        .write = write_device,
        .stop = stop,
        .free = free_device,
        .is_device = true,
        .delay = sink_delay_of,
    };
    return sink_made(&d->table.sink, status);
}
