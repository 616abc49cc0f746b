/* In place of screen_x11.c in a library that was built without X11. */
#include "media/video_source.h"

jingle_video_source *screen_x11_new(const char *what, jingle_status *status)
{
    (void)what;
    return video_source_failed(status, JINGLE_ERROR_UNSUPPORTED);
}
