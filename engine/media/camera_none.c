/* In place of camera_v4l2.c in a library that was built without cameras. */
#include "media/video_source.h"

jingle_video_source *jingle_video_source_camera(const char *name, jingle_status *status)
{
    (void)name;
    return video_source_failed(status, JINGLE_ERROR_UNSUPPORTED);
}

jingle_status jingle_cameras(jingle_camera **cameras, size_t *count)
{
    if (!cameras || !count) {
        return JINGLE_ERROR_INVALID;
    }
    *cameras = NULL;
    *count = 0;
    return JINGLE_ERROR_UNSUPPORTED;
}

void jingle_cameras_free(jingle_camera *cameras, size_t count)
{
    (void)cameras;
    (void)count;
}
