/* A sound file as a source: a thread decodes ahead into a ring, so that a slow disk never stops the
 * media thread.
 *
 *     file ─▶ libsndfile, reader thread ─▶ ring (half a second) ─▶ read(), media thread */
#include "base/ring.h"
#include "media/devices.h"
#include "media/plain_file.h"
#include "media/worker.h"

#include <math.h>
#include <sndfile.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
    CHUNK_FRAMES = 1024, /* decoded at once */
    CHANNELS_MAX = 8,    /* in the file; the first two are used */
};

struct file_source {
    jingle_audio_source table;
    int fd;
    SNDFILE *file;
    SF_INFO info;
    uint32_t channels; /* used */
    bool loop;
    struct ring *ring;
    _Atomic bool ended; /* nothing more will be written to the ring */
    struct worker reader;
    bool running; /* the reader was started */
};

/* Files of floating point may hold anything at all. */
static int16_t sample_of(float value)
{
    float scaled = value * 32768;
    if (isnan(scaled)) {
        return 0;
    }
    return (int16_t)lrintf(fminf(fmaxf(scaled, INT16_MIN), INT16_MAX));
}

/* Decodes one chunk into the ring, which has room for it. False: there is no more. */
static bool fill_chunk(struct file_source *s)
{
    float decoded[CHUNK_FRAMES * CHANNELS_MAX];
    int16_t chunk[CHUNK_FRAMES * 2];
    sf_count_t frames = sf_readf_float(s->file, decoded, CHUNK_FRAMES);
    if (frames <= 0 && s->loop && sf_seek(s->file, 0, SEEK_SET) == 0) {
        frames = sf_readf_float(s->file, decoded, CHUNK_FRAMES);
    }
    if (frames <= 0) {
        return false;
    }
    size_t samples = (size_t)frames * s->channels;
    for (size_t i = 0; i < samples; i++) {
        size_t frame = i / s->channels;
        chunk[i] = sample_of(decoded[frame * (size_t)s->info.channels + i % s->channels]);
    }
    ring_write(s->ring, chunk, samples);
    return true;
}

static void fill_ring(void *user)
{
    struct file_source *s = user;
    while (!atomic_load(&s->ended) &&
           ring_capacity(s->ring) - ring_used(s->ring) >= CHUNK_FRAMES * s->channels) {
        if (!fill_chunk(s)) {
            atomic_store(&s->ended, true);
        }
    }
}

static jingle_status start(void *user, jingle_audio_format *format)
{
    struct file_source *s = user;
    format->rate = (uint32_t)s->info.samplerate;
    format->channels = s->channels;
    if (!s->running && !atomic_load(&s->ended)) {
        s->running = worker_start(&s->reader, fill_ring, s);
        return s->running ? JINGLE_OK : JINGLE_ERROR_LIMIT;
    }
    return JINGLE_OK;
}

static long read_file(void *user, int16_t *samples, size_t frames)
{
    struct file_source *s = user;
    bool ended = atomic_load(&s->ended); /* before looking into the ring: it may be filled now */
    size_t given = ring_read(s->ring, samples, frames * s->channels) / s->channels;
    if (given == 0 && ended) {
        return JINGLE_AUDIO_END;
    }
    if (!ended && ring_used(s->ring) < ring_capacity(s->ring) / 2) {
        worker_wake(&s->reader);
    }
    return (long)given;
}

static void free_file(void *user)
{
    struct file_source *s = user;
    if (s->running) {
        worker_stop(&s->reader);
    }
    if (s->file) {
        sf_close(s->file);
    }
    if (s->fd >= 0) {
        close(s->fd);
    }
    ring_free(s->ring);
    free(s);
}

static jingle_status open_file(struct file_source *s, const char *path)
{
    s->fd = plain_file_open(path, O_RDONLY);
    s->file = s->fd < 0 ? NULL : sf_open_fd(s->fd, SFM_READ, &s->info, SF_FALSE);
    if (!s->file || s->info.samplerate < 8000 || s->info.samplerate > 192000 ||
        s->info.channels < 1 || s->info.channels > CHANNELS_MAX || s->info.frames <= 0) {
        return JINGLE_ERROR_FILE;
    }
    s->channels = s->info.channels == 1 ? 1 : 2;
    s->ring = ring_new((size_t)s->info.samplerate / 2 * s->channels + 2 * CHUNK_FRAMES);
    if (!s->ring) {
        return JINGLE_ERROR_MEMORY;
    }
    fill_ring(s);
    return JINGLE_OK;
}

jingle_audio_source *jingle_audio_source_file(const char *path, bool loop, jingle_status *status)
{
    if (!path) {
        return source_failed(status, JINGLE_ERROR_INVALID);
    }
    struct file_source *s = calloc(1, sizeof *s);
    if (!s) {
        return source_failed(status, JINGLE_ERROR_MEMORY);
    }
    s->loop = loop;
    s->table = (jingle_audio_source){
        .size = sizeof s->table,
        .user = s,
        .start = start,
        .read = read_file,
        .free = free_file,
        .on_demand = true,
    };
    jingle_status opened = open_file(s, path);
    if (opened != JINGLE_OK) {
        free_file(s);
        return source_failed(status, opened);
    }
    return source_made(&s->table, status);
}
