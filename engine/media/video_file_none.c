/* In place of video_file.c in a library that was built without FFmpeg. */
#include "media/video_source.h"

jingle_video_source *jingle_video_source_file(const char *path, bool loop,
                                              jingle_audio_source **sound, jingle_status *status)
{
    (void)path;
    (void)loop;
    if (sound) {
        *sound = NULL;
    }
    return video_source_failed(status, JINGLE_ERROR_UNSUPPORTED);
}
