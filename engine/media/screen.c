/* Which way the screen is taken: see jingle_video_source_screen(). */
#include "media/screen_what.h"
#include "media/video_source.h"

jingle_video_source *jingle_video_source_screen(const char *what, jingle_status *status)
{
    struct screen_what parsed;
    if (!screen_what_parse(what, &parsed)) {
        return video_source_failed(status, JINGLE_ERROR_INVALID);
    }
    if (parsed.kind != SCREEN_ANY) {
        return screen_x11_new(what, status);
    }
    return screen_pipewire_available() ? screen_pipewire_new(status)
                                       : screen_x11_new("screen", status);
}
