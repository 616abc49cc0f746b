#include "media/webm_recording.h"

#include "codecs/codec.h"
#include "codecs/coded_frame.h"
#include "media/plain_file.h"
#include "media/webm_file.h"
#include "media/worker.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    OPUS_RATE = 48000,
    OPUS_BYTES_MAX = 64 << 10, /* of a packet: more than UDP carries */
    AUDIO_JUMP = 120 * 1000,   /* usec between the RTP clock and ours: another stream, or a pause */
    AUDIO_FOLLOW = 512,        /* packets in which our clock is followed, for clocks drift */
    WAKE_TIME = WEBM_REORDER / 2,
    WAKE_BYTES = 256 << 10,
};

/* A packet on its way to the writer; its bytes follow, and zeros up to RECORD_ALIGN. */
struct record {
    enum webm_track track;
    bool key;
    const char *codec;      /* of a picture, static */
    uint32_t width, height; /* of a picture */
    int64_t time;
    int64_t duration;
    size_t size;
};

enum { RECORD_ALIGN = _Alignof(struct record) };

/* Records one after the other. There are two: one is filled while the other is written. */
struct batch {
    uint8_t *bytes;
    size_t used;
    size_t room;
};

/* A packet that waits for those that may come before it. */
struct held {
    struct held *next;
    struct record record;
    uint8_t bytes[];
};

/* The pace of RTP's clock on ours. */
struct audio_clock {
    bool running;
    uint32_t timestamp;
    int64_t time;
};

struct webm_recording {
    struct webm_hooks hooks;
    struct worker writer;
    atomic_bool wants_key;

    pthread_mutex_t mutex; /* of what follows; never held while the disk is waited for */
    struct batch filling;
    int64_t woken; /* when the writer was woken last */
    struct audio_clock clock;
    int64_t video_time;      /* of the last picture */
    const char *video_codec; /* of the first picture; NULL before */

    /* the writer's */
    struct webm_file *file;
    struct batch writing;
    struct held *first, *last; /* by time */
    bool begun;                /* something was written: */
    int64_t origin;            /* what is 0 in the file */
    int64_t written;           /* the time of what was written last */
    bool told;                 /* of trouble */
};

/* --- the pushing threads ------------------------------------------------------------------ */

static bool batch_add(struct batch *batch, const struct record *record, const uint8_t *bytes)
{
    size_t padded = (record->size + RECORD_ALIGN - 1) / RECORD_ALIGN * RECORD_ALIGN;
    size_t needed = batch->used + sizeof *record + padded;
    if (needed > WEBM_WAITING_MAX) {
        return false;
    }
    if (needed > batch->room) {
        size_t room = needed < WEBM_WAITING_MAX / 2 ? 2 * needed : WEBM_WAITING_MAX;
        uint8_t *grown = realloc(batch->bytes, room);
        if (!grown) {
            return false;
        }
        batch->bytes = grown;
        batch->room = room;
    }
    memcpy(batch->bytes + batch->used, record, sizeof *record);
    memcpy(batch->bytes + batch->used + sizeof *record, bytes, record->size);
    batch->used = needed;
    return true;
}

/* With the mutex. True: the writer has something to do. */
static bool due(struct webm_recording *r, int64_t time)
{
    int64_t since = time - r->woken; /* either track may be ahead */
    bool wake = r->filling.used > WAKE_BYTES || since > WAKE_TIME || since < -WAKE_TIME;
    if (wake) {
        r->woken = time;
    }
    return wake;
}

/* When this timestamp is played: by the pace of RTP, and slowly after `time`. */
static int64_t audio_time(struct audio_clock *clock, uint32_t timestamp, int64_t time)
{
    int64_t ahead = (int32_t)(timestamp - clock->timestamp);
    int64_t expected = clock->time + ahead * 1000000 / OPUS_RATE;
    int64_t off = time - expected;
    if (!clock->running || off > AUDIO_JUMP || off < -AUDIO_JUMP) {
        *clock = (struct audio_clock){.running = true, .timestamp = timestamp, .time = time};
        return time;
    }
    if (ahead > 0) {
        clock->timestamp = timestamp;
        clock->time = expected + off / AUDIO_FOLLOW;
    }
    return expected;
}

void webm_audio(struct webm_recording *r, const uint8_t *packet, size_t bytes, uint32_t timestamp,
                int64_t time)
{
    unsigned samples = audio_duration(&codec_opus, packet, bytes);
    if (samples == 0 || bytes > OPUS_BYTES_MAX) {
        return;
    }
    pthread_mutex_lock(&r->mutex);
    struct record record = {
        .track = WEBM_AUDIO,
        .key = true,
        .time = audio_time(&r->clock, timestamp, time),
        .duration = (int64_t)samples * 1000000 / OPUS_RATE,
        .size = bytes,
    };
    batch_add(&r->filling, &record, packet);
    bool wake = due(r, time);
    pthread_mutex_unlock(&r->mutex);
    if (wake) {
        worker_wake(&r->writer);
    }
}

/* With the mutex. Pictures keep their order, whatever their times. */
static void add_picture(struct webm_recording *r, const struct coded_frame *frame,
                        const char *codec, int64_t time)
{
    struct record record = {
        .track = WEBM_VIDEO,
        .key = frame->key,
        .codec = codec,
        .width = frame->width,
        .height = frame->height,
        .time = r->video_codec && time <= r->video_time ? r->video_time + 1000 : time,
        .size = frame->size,
    };
    bool added = batch_add(&r->filling, &record, frame->bytes);
    atomic_store(&r->wants_key, !added);
    if (added) {
        r->video_codec = codec;
        r->video_time = record.time;
    }
}

void webm_video(struct webm_recording *r, const struct coded_frame *frame, const char *codec,
                int64_t time)
{
    const char *known = strcmp(codec, "VP9") == 0 ? "VP9" : "VP8";
    if (strcmp(codec, known) != 0 || frame->size == 0 || frame->size > CODED_FRAME_SIZE_MAX) {
        return;
    }
    pthread_mutex_lock(&r->mutex);
    bool same = !r->video_codec || strcmp(r->video_codec, known) == 0;
    if (same && (frame->key || !atomic_load(&r->wants_key))) {
        add_picture(r, frame, known, time);
    }
    bool wake = due(r, time);
    pthread_mutex_unlock(&r->mutex);
    if (wake) {
        worker_wake(&r->writer);
    }
}

bool webm_wants_key_frame(const struct webm_recording *r)
{
    return atomic_load(&r->wants_key);
}

/* --- the writer --------------------------------------------------------------------------- */

static void tell_trouble(struct webm_recording *r)
{
    if (!r->told && r->hooks.trouble) {
        r->hooks.trouble(r->hooks.user, JINGLE_ERROR_FILE);
    }
    r->told = true;
}

/* Behind all that are not later: packets mostly come in order. */
static void hold(struct webm_recording *r, struct held *h)
{
    if (!r->first || h->record.time < r->first->record.time) {
        h->next = r->first;
        r->first = h;
        r->last = h->next ? r->last : h;
        return;
    }
    struct held *before = r->last->record.time <= h->record.time ? r->last : r->first;
    while (before->next && before->next->record.time <= h->record.time) {
        before = before->next;
    }
    h->next = before->next;
    before->next = h;
    r->last = h->next ? r->last : h;
}

static void hold_batch(struct webm_recording *r)
{
    const struct batch *batch = &r->writing;
    for (size_t at = 0; at < batch->used;) {
        struct record record;
        memcpy(&record, batch->bytes + at, sizeof record);
        struct held *h = malloc(sizeof *h + record.size);
        if (h) {
            h->record = record;
            memcpy(h->bytes, batch->bytes + at + sizeof record, record.size);
            hold(r, h);
        }
        at += sizeof record + (record.size + RECORD_ALIGN - 1) / RECORD_ALIGN * RECORD_ALIGN;
    }
}

static bool write_one(struct webm_recording *r, const struct held *h)
{
    const struct record *record = &h->record;
    if (!r->begun) {
        r->begun = true;
        r->origin = r->written = record->time;
    }
    if (record->time < r->written && record->track == WEBM_AUDIO) {
        return true; /* came later than anything is waited for */
    }
    r->written = record->time > r->written ? record->time : r->written;
    if (record->key && record->codec &&
        !webm_file_set_video(r->file, record->codec, record->width, record->height)) {
        return false;
    }
    struct webm_packet packet = {
        .track = record->track,
        .key = record->key,
        .time = r->written - r->origin,
        .duration = record->duration,
        .bytes = h->bytes,
        .size = record->size,
    };
    return webm_file_write(r->file, &packet);
}

/* Writes what is held up to `time`. */
static void write_until(struct webm_recording *r, int64_t time)
{
    while (r->first && r->first->record.time <= time) {
        struct held *h = r->first;
        r->first = h->next;
        if (!r->told && !write_one(r, h)) {
            tell_trouble(r);
        }
        free(h);
    }
    if (!r->first) {
        r->last = NULL;
    }
}

static void take_batch(struct webm_recording *r)
{
    pthread_mutex_lock(&r->mutex);
    struct batch full = r->filling;
    r->filling = r->writing;
    pthread_mutex_unlock(&r->mutex);
    r->writing = full;
    hold_batch(r);
    r->writing.used = 0;
}

static void work(void *user)
{
    struct webm_recording *r = user;
    take_batch(r);
    if (r->last) {
        write_until(r, r->last->record.time - WEBM_REORDER);
    }
}

/* --- beginning and end -------------------------------------------------------------------- */

static jingle_status begin(struct webm_recording *r, const char *path)
{
    int fd = plain_file_open(path, O_RDWR | O_CREAT | O_TRUNC);
    if (fd < 0) {
        return JINGLE_ERROR_FILE;
    }
    r->file = webm_file_new(fd);
    if (!r->file) {
        return JINGLE_ERROR_FILE;
    }
    if (!worker_start(&r->writer, work, r)) {
        webm_file_free(r->file);
        return JINGLE_ERROR_LIMIT;
    }
    return JINGLE_OK;
}

jingle_status webm_new(const char *path, const struct webm_hooks *hooks,
                       struct webm_recording **recording)
{
    *recording = NULL;
    struct webm_recording *r = calloc(1, sizeof *r);
    if (!r) {
        return JINGLE_ERROR_MEMORY;
    }
    r->hooks = hooks ? *hooks : (struct webm_hooks){0};
    atomic_init(&r->wants_key, true);
    pthread_mutex_init(&r->mutex, NULL);
    jingle_status status = begin(r, path);
    if (status != JINGLE_OK) {
        pthread_mutex_destroy(&r->mutex);
        free(r);
        return status;
    }
    *recording = r;
    return JINGLE_OK;
}

/* Many players open no file without a packet. */
static void add_silence(struct webm_recording *r)
{
    static const uint8_t packet[] = {0xf8, 0xff, 0xfe};
    struct record record = {
        .track = WEBM_AUDIO,
        .key = true,
        .duration = 20 * 1000,
        .size = sizeof packet,
    };
    batch_add(&r->filling, &record, packet);
}

void webm_free(struct webm_recording *r)
{
    if (!r) {
        return;
    }
    worker_stop(&r->writer);
    take_batch(r);
    if (!r->begun && !r->first) {
        add_silence(r);
        take_batch(r);
    }
    write_until(r, INT64_MAX);
    webm_file_free(r->file);
    free(r->filling.bytes);
    free(r->writing.bytes);
    pthread_mutex_destroy(&r->mutex);
    free(r);
}
