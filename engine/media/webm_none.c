/* In place of webm_recording.c in a library that was built without FFmpeg's libraries. There never
 * is a recording, so the other functions are never called with one. */
#include "media/webm_recording.h"

jingle_status webm_new(const char *path, const struct webm_hooks *hooks,
                       struct webm_recording **recording)
{
    (void)path;
    (void)hooks;
    *recording = NULL;
    return JINGLE_ERROR_UNSUPPORTED;
}

void webm_audio(struct webm_recording *recording, const uint8_t *packet, size_t bytes,
                uint32_t timestamp, int64_t time)
{
    (void)recording;
    (void)packet;
    (void)bytes;
    (void)timestamp;
    (void)time;
}

void webm_video(struct webm_recording *recording, const struct coded_frame *frame,
                const char *codec, int64_t time)
{
    (void)recording;
    (void)frame;
    (void)codec;
    (void)time;
}

bool webm_wants_key_frame(const struct webm_recording *recording)
{
    (void)recording;
    return false;
}

void webm_free(struct webm_recording *recording)
{
    (void)recording;
}
