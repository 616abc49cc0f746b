/* A source of zeros. */
#include "media/devices.h"

#include <stdlib.h>
#include <string.h>

struct silence {
    jingle_audio_source table;
    uint32_t channels;
};

static jingle_status start(void *user, jingle_audio_format *format)
{
    struct silence *silence = user;
    silence->channels = format->channels;
    return JINGLE_OK;
}

static long read_silence(void *user, int16_t *samples, size_t frames)
{
    struct silence *silence = user;
    memset(samples, 0, frames * silence->channels * sizeof *samples);
    return (long)frames;
}

jingle_audio_source *jingle_audio_source_silence(jingle_status *status)
{
    struct silence *silence = calloc(1, sizeof *silence);
    if (!silence) {
        return source_failed(status, JINGLE_ERROR_MEMORY);
    }
    silence->table = (jingle_audio_source){
        .size = sizeof silence->table,
        .user = silence,
        .start = start,
        .read = read_silence,
        .free = free,
        .on_demand = true,
    };
    return source_made(&silence->table, status);
}
