/* A window that speaks through a pipe. */
#include "screen.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <glib.h>
#include <unistd.h>

#define CLOSED '\0' /* in place of a key */

struct screen {
    jingle_window *window;
    int pipe[2];
};

/* The window's thread: a full pipe loses a key, which nobody can press that fast. */
static void screen_tell(struct screen *screen, char byte)
{
    while (write(screen->pipe[1], &byte, 1) < 0 && errno == EINTR) {
    }
}

static void on_key(void *user, uint32_t character)
{
    if (character > 0 && character < 128 && character != 'f') { /* done by itself */
        screen_tell(user, (char)character);
    }
}

static void on_closed(void *user)
{
    screen_tell(user, CLOSED);
}

struct screen *screen_new(const char *title, jingle_status *status)
{
    struct screen *screen = g_new0(struct screen, 1);
    if (!g_unix_open_pipe(screen->pipe, FD_CLOEXEC, NULL)) {
        g_free(screen);
        *status = JINGLE_ERROR_LIMIT;
        return NULL;
    }
    g_unix_set_fd_nonblocking(screen->pipe[0], TRUE, NULL);
    g_unix_set_fd_nonblocking(screen->pipe[1], TRUE, NULL);
    jingle_window_config config;
    jingle_window_config_init(&config);
    config.title = title;
    config.key = on_key;
    config.closed = on_closed;
    config.user = screen;
    *status = jingle_window_new(&config, &screen->window);
    if (*status != JINGLE_OK) {
        screen_free(screen);
        return NULL;
    }
    return screen;
}

void screen_free(struct screen *screen)
{
    if (!screen) {
        return;
    }
    if (screen->window) {
        jingle_window_free(screen->window);
    }
    close(screen->pipe[0]);
    close(screen->pipe[1]);
    g_free(screen);
}

int screen_fd(const struct screen *screen)
{
    return screen->pipe[0];
}

int screen_read(struct screen *screen, enum keys_mode mode, struct request requests[KEYS_MAX])
{
    char keys[KEYS_MAX];
    ssize_t got = read(screen->pipe[0], keys, sizeof keys);
    int count = 0;
    for (ssize_t i = 0; i < got; i++) {
        if (keys[i] == CLOSED) {
            return -1;
        }
        requests[count++] = key_meaning(keys[i], mode);
    }
    return count;
}

jingle_video_sink *screen_sink(struct screen *screen)
{
    return jingle_window_sink(screen->window, NULL);
}

jingle_video_sink *screen_self_view(struct screen *screen)
{
    return jingle_window_self_view(screen->window, NULL);
}

void screen_set_text(struct screen *screen, const char *text)
{
    jingle_window_set_text(screen->window, text);
}

void screen_toggle_full(struct screen *screen)
{
    jingle_window_toggle_full_screen(screen->window);
}
