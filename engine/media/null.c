/* A sink that forgets; the engine keeps the clock. */
#include "media/devices.h"

#include <stdlib.h>

static void write_nothing(void *user, const int16_t *samples, size_t frames)
{
    (void)user;
    (void)samples;
    (void)frames;
}

jingle_audio_sink *jingle_audio_sink_null(jingle_status *status)
{
    jingle_audio_sink *sink = calloc(1, sizeof *sink);
    if (!sink) {
        return sink_failed(status, JINGLE_ERROR_MEMORY);
    }
    *sink = (jingle_audio_sink){
        .size = sizeof *sink,
        .user = sink,
        .write = write_nothing,
        .free = free,
    };
    return sink_made(sink, status);
}
