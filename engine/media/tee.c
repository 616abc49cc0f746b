/* A sink that hands everything to two sinks; the first one keeps the clock. */
#include "media/devices.h"
#include "media/resampler.h"

#include <stdlib.h>

enum { CHUNK_FRAMES = 480 };

struct tee {
    jingle_audio_sink table;
    jingle_audio_sink *first;
    jingle_audio_sink *second;
    uint32_t channels;           /* of what is written */
    struct resampler *resampler; /* NULL: the second one takes what the first one takes */
};

static jingle_status start_second(struct tee *tee, const jingle_audio_format *format)
{
    jingle_audio_format second = *format;
    jingle_status status = sink_start(tee->second, &second);
    if (status != JINGLE_OK) {
        return status;
    }
    resampler_free(tee->resampler);
    tee->resampler = NULL;
    if (second.rate == format->rate && second.channels == format->channels) {
        return JINGLE_OK;
    }
    tee->resampler = resampler_new(*format, second);
    if (!tee->resampler) {
        sink_stop(tee->second);
        return JINGLE_ERROR_MEMORY;
    }
    return JINGLE_OK;
}

static jingle_status start(void *user, jingle_audio_format *format)
{
    struct tee *tee = user;
    jingle_status status = sink_start(tee->first, format);
    if (status != JINGLE_OK) {
        return status;
    }
    status = start_second(tee, format);
    if (status != JINGLE_OK) {
        sink_stop(tee->first);
        return status;
    }
    tee->channels = format->channels;
    return JINGLE_OK;
}

static long wanted(void *user)
{
    struct tee *tee = user;
    return tee->first->wanted(tee->first->user);
}

static void write_resampled(struct tee *tee, const int16_t *samples, size_t frames)
{
    int16_t chunk[2 * CHUNK_FRAMES];
    while (frames > 0) {
        size_t taken = frames;
        size_t given = resampler_run(tee->resampler, samples, &taken, chunk, CHUNK_FRAMES);
        tee->second->write(tee->second->user, chunk, given);
        samples += taken * tee->channels;
        frames -= taken;
    }
}

static void write_both(void *user, const int16_t *samples, size_t frames)
{
    struct tee *tee = user;
    tee->first->write(tee->first->user, samples, frames);
    if (tee->resampler) {
        write_resampled(tee, samples, frames);
    } else {
        tee->second->write(tee->second->user, samples, frames);
    }
}

static void stop(void *user)
{
    struct tee *tee = user;
    sink_stop(tee->first);
    sink_stop(tee->second);
}

static int64_t delay(void *user)
{
    struct tee *tee = user;
    return sink_delay(tee->first);
}

static jingle_status trouble(void *user)
{
    struct tee *tee = user;
    jingle_status first = sink_trouble(tee->first);
    return first != JINGLE_OK ? first : sink_trouble(tee->second);
}

static void free_both(void *user)
{
    struct tee *tee = user;
    jingle_audio_sink_free(tee->first);
    jingle_audio_sink_free(tee->second);
    resampler_free(tee->resampler);
    free(tee);
}

jingle_audio_sink *jingle_audio_sink_tee(jingle_audio_sink *first, jingle_audio_sink *second,
                                         jingle_status *status)
{
    bool valid = sink_valid(first) && sink_valid(second);
    struct tee *tee = valid ? calloc(1, sizeof *tee) : NULL;
    if (!tee) {
        jingle_audio_sink_free(first);
        jingle_audio_sink_free(second);
        return sink_failed(status, valid ? JINGLE_ERROR_MEMORY : JINGLE_ERROR_INVALID);
    }
    tee->first = first;
    tee->second = second;
    tee->table = (jingle_audio_sink){
        .size = sizeof tee->table,
        .user = tee,
        .start = start,
        .wanted = first->wanted ? wanted : NULL,
        .write = write_both,
        .stop = stop,
        .free = free_both,
        .is_device = first->is_device || second->is_device,
        .delay = delay,
        .trouble = trouble,
    };
    return sink_made(&tee->table, status);
}
