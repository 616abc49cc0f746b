/* A sound file as a sink: a recording. A thread encodes and writes, so that a slow disk never stops
 * the media thread; the file is complete when the sink has been freed.
 *
 *     write(), media thread ─▶ ring (2 s) ─▶ libsndfile, writer thread ─▶ file
 *
 * The file is made when the sink is made, so that a path that cannot be written is told at once. A
 * disk that is full later is told by `trouble`, and what was written until then is kept. */
#include "base/ring.h"
#include "media/devices.h"
#include "media/plain_file.h"
#include "media/worker.h"

#include <sndfile.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    CHUNK_SAMPLES = 4096, /* encoded at once */
    RING_SECONDS = 2,
};

struct file_sink {
    jingle_audio_sink table;
    int fd;
    SNDFILE *file; /* NULL before the first start */
    SF_INFO info;
    struct ring *ring;
    _Atomic bool broken;  /* the file could not be written: what comes now is forgotten */
    struct worker writer; /* works while `file` is open */
};

static int container_of_ending(const char *path)
{
    static const struct {
        const char *ending;
        int container;
    } known[] = {
        {".wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16},
        {".flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16},
        {".ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS},
        {".opus", SF_FORMAT_OGG | SF_FORMAT_OPUS},
    };
    const char *ending = strrchr(path, '.');
    for (size_t i = 0; ending && i < sizeof known / sizeof known[0]; i++) {
        if (strcasecmp(ending, known[i].ending) == 0) {
            return known[i].container;
        }
    }
    return 0;
}

/* Encoders keep what they were given for a while, and some tell of trouble only by sf_error(). */
static bool write_chunk(SNDFILE *file, const int16_t *samples, sf_count_t count)
{
    return sf_write_short(file, samples, count) == count && sf_error(file) == SF_ERR_NO_ERROR;
}

static void empty_ring(void *user)
{
    struct file_sink *s = user;
    int16_t chunk[CHUNK_SAMPLES];
    size_t samples;
    while ((samples = ring_read(s->ring, chunk, CHUNK_SAMPLES)) > 0) {
        if (!atomic_load(&s->broken) && !write_chunk(s->file, chunk, (sf_count_t)samples)) {
            atomic_store(&s->broken, true);
        }
    }
}

static jingle_status open_file(struct file_sink *s, const jingle_audio_format *format)
{
    s->info.samplerate = (int)format->rate;
    s->info.channels = (int)format->channels;
    s->ring = ring_new((size_t)RING_SECONDS * format->rate * format->channels);
    if (!s->ring) {
        return JINGLE_ERROR_MEMORY;
    }
    if (ftruncate(s->fd, 0) < 0) {
        return JINGLE_ERROR_FILE;
    }
    s->file = sf_open_fd(s->fd, SFM_WRITE, &s->info, SF_FALSE);
    if (!s->file) {
        return JINGLE_ERROR_FILE;
    }
    if (!worker_start(&s->writer, empty_ring, s)) {
        sf_close(s->file);
        s->file = NULL;
        return JINGLE_ERROR_LIMIT;
    }
    return JINGLE_OK;
}

static jingle_status start(void *user, jingle_audio_format *format)
{
    struct file_sink *s = user;
    if (s->file) {
        format->rate = (uint32_t)s->info.samplerate;
        format->channels = (uint32_t)s->info.channels;
        return JINGLE_OK;
    }
    if ((s->info.format & SF_FORMAT_SUBMASK) == SF_FORMAT_OPUS) {
        format->rate = 48000; /* RFC 7845; the other rates of Opus are encoded no better */
    }
    jingle_status status = open_file(s, format);
    if (status != JINGLE_OK) {
        ring_free(s->ring);
        s->ring = NULL;
    }
    return status;
}

static void write_file(void *user, const int16_t *samples, size_t frames)
{
    struct file_sink *s = user;
    ring_write(s->ring, samples, frames * (size_t)s->info.channels);
    if (ring_used(s->ring) > ring_capacity(s->ring) / 4) {
        worker_wake(&s->writer);
    }
}

static void stop(void *user)
{
    struct file_sink *s = user;
    if (s->file) {
        worker_wake(&s->writer);
    }
}

static jingle_status trouble(void *user)
{
    struct file_sink *s = user;
    return atomic_load(&s->broken) ? JINGLE_ERROR_FILE : JINGLE_OK;
}

static void free_file(void *user)
{
    struct file_sink *s = user;
    if (s->file) {
        worker_stop(&s->writer);
        empty_ring(s);
        sf_close(s->file);
    }
    if (s->fd >= 0) {
        close(s->fd);
    }
    ring_free(s->ring);
    free(s);
}

jingle_audio_sink *jingle_audio_sink_file(const char *path, jingle_status *status)
{
    int container = path ? container_of_ending(path) : 0;
    if (!container) {
        return sink_failed(status, JINGLE_ERROR_INVALID);
    }
    struct file_sink *s = calloc(1, sizeof *s);
    if (!s) {
        return sink_failed(status, JINGLE_ERROR_MEMORY);
    }
    s->info.format = container;
    s->table = (jingle_audio_sink){
        .size = sizeof s->table,
        .user = s,
        .start = start,
        .write = write_file,
        .stop = stop,
        .free = free_file,
        .trouble = trouble,
    };
    s->fd = plain_file_open(path, O_RDWR | O_CREAT);
    if (s->fd < 0) {
        free_file(s);
        return sink_failed(status, JINGLE_ERROR_FILE);
    }
    return sink_made(&s->table, status);
}
