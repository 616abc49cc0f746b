/* In place of portaudio.c in a library that was built without sound devices. */
#include "media/devices.h"

jingle_audio_source *jingle_audio_source_device(const char *name, jingle_status *status)
{
    (void)name;
    return source_failed(status, JINGLE_ERROR_UNSUPPORTED);
}

jingle_audio_sink *jingle_audio_sink_device(const char *name, jingle_status *status)
{
    (void)name;
    return sink_failed(status, JINGLE_ERROR_UNSUPPORTED);
}

jingle_status jingle_audio_devices(jingle_audio_device **devices, size_t *count)
{
    if (!devices || !count) {
        return JINGLE_ERROR_INVALID;
    }
    *devices = NULL;
    *count = 0;
    return JINGLE_ERROR_UNSUPPORTED;
}

void jingle_audio_devices_free(jingle_audio_device *devices, size_t count)
{
    (void)devices;
    (void)count;
}
