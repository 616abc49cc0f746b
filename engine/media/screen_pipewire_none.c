/* In place of screen_pipewire.c in a library that was built without the desktop portal. */
#include "media/video_source.h"

bool screen_pipewire_available(void)
{
    return false;
}

jingle_video_source *screen_pipewire_new(jingle_status *status)
{
    return video_source_failed(status, JINGLE_ERROR_UNSUPPORTED);
}
