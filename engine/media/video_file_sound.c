/* The sound of a film, in step with its pictures by the film's clock.
 *
 *     file ─▶ movie_reader ─▶ libswresample ─▶ ring (half a second) ─▶ read(), media thread
 *             └──────────── reader thread ───────────┘
 *
 * Samples are numbered from the start of the film, also over its loops. Gaps in the file become
 * silence and overlaps are cut, so the number of a sample is its time. read() compares it with the
 * clock: a little off is left out or waited for, far off makes the thread look for the place. */
#include "base/ring.h"
#include "media/devices.h"
#include "media/movie.h"
#include "media/worker.h"

#include <libavutil/channel_layout.h>
#include <libavutil/frame.h>
#include <libswresample/swresample.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
    RATE = 48000,
    RING_FRAMES = RATE / 2,
    CHUNK_FRAMES = 960,
    ROUNDING = RATE / 50,       /* what time stamps may be off without being corrected */
    STEP_TOLERANCE = RATE / 10, /* between sound and clock */
    FAR = RATE,                 /* from where on a place is looked for */
};

struct film_sound {
    jingle_audio_source table;
    struct movie_reader reader;
    struct movie_clock *clock;
    bool clock_runs;
    uint32_t channels;
    struct worker worker;
    bool worker_runs;
    struct ring *ring;
    _Atomic bool ended;   /* nothing more will be written to the ring */
    _Atomic bool seeking; /* the thread has the ring to itself, and `read` */
    int64_t read;         /* number of the sample that read() gives next */
    /* the thread's */
    usec length; /* of the film in a loop; 0: played once */
    usec round;  /* where in the loops the film began last */
    bool heard;  /* something in this round */
    AVFrame *frame;
    SwrContext *resampler;
    int64_t written;  /* number of the sample that is written next */
    int64_t silence;  /* samples still to be written before those in the resampler */
    int64_t overlap;  /* samples of the resampler to be thrown away */
    bool has_samples; /* in the resampler */
};

static int64_t sample_at(usec position)
{
    return position * RATE / USEC_PER_SEC;
}

/* --- the thread: from the file into the ring ----------------------------------------------- */

static size_t room(const struct film_sound *s)
{
    return (ring_capacity(s->ring) - ring_used(s->ring)) / s->channels;
}

static void write_samples(struct film_sound *s, const int16_t *samples, size_t frames)
{
    ring_write(s->ring, samples, frames * s->channels);
    s->written += (int64_t)frames;
}

static void write_silence(struct film_sound *s)
{
    static const int16_t zeros[2 * CHUNK_FRAMES];
    size_t frames = s->silence < CHUNK_FRAMES ? (size_t)s->silence : CHUNK_FRAMES;
    write_samples(s, zeros, frames);
    s->silence -= (int64_t)frames;
}

static void write_resampled(struct film_sound *s)
{
    int16_t chunk[2 * CHUNK_FRAMES];
    uint8_t *out = (uint8_t *)chunk;
    /* no more input for now; without any pointer it would be the end for the filter */
    const uint8_t **none = (const uint8_t **)s->frame->extended_data;
    int got = swr_convert(s->resampler, &out, CHUNK_FRAMES, none, 0);
    if (got <= 0) {
        s->has_samples = false;
        return;
    }
    int64_t cut = s->overlap < got ? s->overlap : got;
    s->overlap -= cut;
    write_samples(s, chunk + cut * s->channels, (size_t)(got - cut));
}

/* From the frame's form to ours; made anew where the file changes its form. */
static bool fit_resampler(struct film_sound *s)
{
    AVChannelLayout layout;
    av_channel_layout_default(&layout, (int)s->channels);
    if (s->frame->ch_layout.order == AV_CHANNEL_ORDER_UNSPEC) {
        int channels = s->frame->ch_layout.nb_channels;
        av_channel_layout_default(&s->frame->ch_layout, channels);
    }
    swr_free(&s->resampler);
    return swr_alloc_set_opts2(&s->resampler, &layout, AV_SAMPLE_FMT_S16, RATE,
                               &s->frame->ch_layout, s->frame->format, s->frame->sample_rate, 0,
                               NULL) == 0 &&
           swr_init(s->resampler) == 0;
}

static void take_frame(struct film_sound *s, usec position)
{
    if (!s->resampler && !fit_resampler(s)) {
        swr_free(&s->resampler);
        return;
    }
    const uint8_t *const *in = (const uint8_t *const *)s->frame->extended_data;
    if (swr_convert(s->resampler, NULL, 0, (const uint8_t **)in, s->frame->nb_samples) < 0) {
        swr_free(&s->resampler); /* the file's form has changed; the next frame makes it anew */
        return;
    }
    int64_t off = sample_at(position + s->round) - s->written;
    s->silence = off > ROUNDING ? off : 0;
    s->overlap = off < -ROUNDING ? -off : 0;
    s->has_samples = true;
}

static void begin_again(struct film_sound *s)
{
    s->round += s->length;
    if (s->length == 0 || !s->heard || !movie_seek(&s->reader, 0)) {
        atomic_store(&s->ended, true);
    }
    s->heard = false;
}

/* Does a piece of the work. False: the film has ended. */
static bool work_piece(struct film_sound *s)
{
    usec position;
    if (s->silence > 0) {
        write_silence(s);
        return true;
    }
    if (s->has_samples) {
        write_resampled(s);
        return true;
    }
    switch (movie_decode(&s->reader, s->frame, &position)) {
    case MOVIE_FRAME:
        s->heard = true;
        take_frame(s, position);
        break;
    case MOVIE_AGAIN:
        break;
    case MOVIE_END:
        begin_again(s);
        break;
    }
    return !atomic_load(&s->ended);
}

/* The ring is ours while `seeking`. */
static void seek(struct film_sound *s)
{
    usec position = movie_clock_position(s->clock, clock_now());
    usec within = position;
    s->round = 0;
    if (s->length > 0) {
        s->round = position / s->length * s->length;
        within = position % s->length;
    }
    ring_skip(s->ring, ring_used(s->ring));
    movie_seek(&s->reader, within);
    swr_free(&s->resampler);
    s->has_samples = false;
    s->silence = s->overlap = 0;
    s->written = s->read = sample_at(position);
    atomic_store(&s->ended, false);
    atomic_store(&s->seeking, false);
}

static void fill_ring(void *user)
{
    struct film_sound *s = user;
    if (atomic_load(&s->seeking)) {
        seek(s);
    }
    while (!atomic_load(&s->ended) && !atomic_load(&s->seeking) && room(s) >= CHUNK_FRAMES) {
        if (!work_piece(s)) {
            return;
        }
    }
}

/* --- the media thread ---------------------------------------------------------------------- */

static jingle_status start(void *user, jingle_audio_format *format)
{
    struct film_sound *s = user;
    if (!s->worker_runs) {
        s->worker_runs = worker_start(&s->worker, fill_ring, s);
    }
    if (!s->worker_runs) {
        return JINGLE_ERROR_LIMIT;
    }
    format->rate = RATE;
    format->channels = s->channels;
    if (!s->clock_runs) {
        s->clock_runs = true;
        movie_clock_start(s->clock);
    }
    return JINGLE_OK;
}

static void stop(void *user)
{
    struct film_sound *s = user;
    if (s->clock_runs) {
        s->clock_runs = false;
        movie_clock_stop(s->clock);
    }
}

static void skip(struct film_sound *s, int64_t frames)
{
    s->read += (int64_t)(ring_skip(s->ring, (size_t)frames * s->channels) / s->channels);
}

/* Brings the sound in step with the clock. False: it has nothing to say yet. */
static bool keep_step(struct film_sound *s)
{
    if (atomic_load(&s->seeking)) {
        return false;
    }
    int64_t late = sample_at(movie_clock_position(s->clock, clock_now())) - s->read;
    bool at_end = s->length == 0 && atomic_load(&s->ended) && late > 0;
    if ((late > FAR || late < -FAR) && !at_end) {
        atomic_store(&s->seeking, true);
        worker_wake(&s->worker);
        return false;
    }
    if (late > STEP_TOLERANCE) {
        skip(s, late);
    }
    return late > -STEP_TOLERANCE;
}

static long read_sound(void *user, int16_t *samples, size_t frames)
{
    struct film_sound *s = user;
    if (!keep_step(s)) {
        return 0;
    }
    bool ended = atomic_load(&s->ended); /* before looking into the ring: it may be filled now */
    size_t given = ring_read(s->ring, samples, frames * s->channels) / s->channels;
    s->read += (int64_t)given;
    if (given == 0 && ended) {
        return JINGLE_AUDIO_END;
    }
    if (!ended && ring_used(s->ring) < ring_capacity(s->ring) / 2) {
        worker_wake(&s->worker);
    }
    return (long)given;
}

static void free_sound(void *user)
{
    struct film_sound *s = user;
    stop(s);
    if (s->worker_runs) {
        worker_stop(&s->worker);
    }
    movie_close(&s->reader);
    av_frame_free(&s->frame);
    swr_free(&s->resampler);
    ring_free(s->ring);
    movie_clock_unref(s->clock);
    free(s);
}

static jingle_status open_sound(struct film_sound *s, const char *path)
{
    s->frame = av_frame_alloc();
    if (!s->frame) {
        return JINGLE_ERROR_MEMORY;
    }
    jingle_status status = movie_open(&s->reader, path, AVMEDIA_TYPE_AUDIO);
    if (status != JINGLE_OK) {
        return status;
    }
    s->channels = s->reader.codec->ch_layout.nb_channels == 1 ? 1 : 2;
    s->ring = ring_new((size_t)RING_FRAMES * s->channels);
    if (!s->ring) {
        return JINGLE_ERROR_MEMORY;
    }
    fill_ring(s);
    return JINGLE_OK;
}

jingle_audio_source *movie_sound_new(const char *path, usec length, struct movie_clock *clock,
                                     jingle_status *status)
{
    struct film_sound *s = calloc(1, sizeof *s);
    if (!s) {
        return source_failed(status, JINGLE_ERROR_MEMORY);
    }
    s->reader.fd = -1;
    s->length = length;
    s->clock = movie_clock_ref(clock);
    s->table = (jingle_audio_source){
        .size = sizeof s->table,
        .user = s,
        .start = start,
        .read = read_sound,
        .stop = stop,
        .free = free_sound,
        .on_demand = true,
    };
    jingle_status opened = open_sound(s, path);
    if (opened != JINGLE_OK) {
        free_sound(s);
        return source_failed(status, opened);
    }
    return source_made(&s->table, status);
}
