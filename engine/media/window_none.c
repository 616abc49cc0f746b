/* In place of window_sdl.c in a library that was built without windows. There never is one, so the
 * other functions are never called with one. */
#include "media/video_sink.h"

void jingle_window_config_init(jingle_window_config *config)
{
    if (config) {
        *config = (jingle_window_config){.size = sizeof *config};
    }
}

jingle_status jingle_window_new(const jingle_window_config *config, jingle_window **window)
{
    if (!window) {
        return JINGLE_ERROR_INVALID;
    }
    *window = NULL;
    return config ? JINGLE_ERROR_UNSUPPORTED : JINGLE_ERROR_INVALID;
}

void jingle_window_free(jingle_window *window)
{
    (void)window;
}

jingle_video_sink *jingle_window_sink(jingle_window *window, jingle_status *status)
{
    (void)window;
    return video_sink_failed(status, JINGLE_ERROR_UNSUPPORTED);
}

jingle_video_sink *jingle_window_self_view(jingle_window *window, jingle_status *status)
{
    (void)window;
    return video_sink_failed(status, JINGLE_ERROR_UNSUPPORTED);
}

void jingle_window_set_text(jingle_window *window, const char *text)
{
    (void)window;
    (void)text;
}

void jingle_window_toggle_full_screen(jingle_window *window)
{
    (void)window;
}
