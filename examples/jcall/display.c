/* How lines get to the screen. Log lines come from threads of the library, hence the lock. */
#include "display.h"

#include "text.h"

#include <glib.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define COLUMNS_USUAL  80
#define METER_FLOOR_DB (-54.0)

static const char LINE_CLEAR[] = "\r\033[K";

struct display {
    pthread_mutex_t lock;
    bool live;
    bool broken;
    char *line; /* the live line; "" if there is none now */
};

struct display *display_new(bool live)
{
    struct display *display = g_new0(struct display, 1);
    const char *kind = g_getenv("TERM");
    pthread_mutex_init(&display->lock, NULL);
    display->live = live && isatty(STDOUT_FILENO) && kind && strcmp(kind, "dumb") != 0;
    display->line = g_strdup("");
    return display;
}

void display_free(struct display *display)
{
    if (!display) {
        return;
    }
    display_set_line(display, "");
    pthread_mutex_destroy(&display->lock);
    g_free(display->line);
    g_free(display);
}

bool display_live(const struct display *display)
{
    return display->live;
}

/* Not flushed: it goes out together with what takes its place, so that nothing flickers. */
static void line_hide(struct display *display)
{
    if (*display->line) {
        fputs(LINE_CLEAR, stdout);
    }
}

static void line_show(struct display *display)
{
    fputs(display->line, stdout);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        display->broken = true;
    }
}

static void display_write(struct display *display, FILE *out, const char *text)
{
    pthread_mutex_lock(&display->lock);
    line_hide(display);
    if (out != stdout) {
        fflush(stdout);
    }
    fputs(text, out);
    fputc('\n', out);
    fflush(out);
    line_show(display);
    pthread_mutex_unlock(&display->lock);
}

void display_say(struct display *display, const char *text)
{
    display_write(display, stdout, text);
}

void display_complain(struct display *display, const char *text)
{
    display_write(display, stderr, text);
}

unsigned display_width(void)
{
    struct winsize size;
    bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
    return (known ? size.ws_col : COLUMNS_USUAL) - 1; /* the last column would wrap */
}

void display_set_line(struct display *display, const char *text)
{
    if (!display->live) {
        return;
    }
    char *line = text_begin(text, display_width());
    pthread_mutex_lock(&display->lock);
    if (strcmp(line, display->line) != 0) {
        line_hide(display);
        g_free(display->line);
        display->line = g_steal_pointer(&line);
        line_show(display);
    }
    pthread_mutex_unlock(&display->lock);
    g_free(line);
}

void display_ring(struct display *display)
{
    if (display->live) {
        pthread_mutex_lock(&display->lock);
        fputc('\a', stdout);
        fflush(stdout);
        pthread_mutex_unlock(&display->lock);
    }
}

bool display_broken(struct display *display)
{
    pthread_mutex_lock(&display->lock);
    bool broken = display->broken;
    pthread_mutex_unlock(&display->lock);
    return broken;
}

char *display_meter(double level, int cells)
{
    bool blocks = g_get_charset(NULL);
    double decibels = level > 0 ? 20 * log10(level) : METER_FLOOR_DB;
    int full = (int)lround((1 - decibels / METER_FLOOR_DB) * cells);
    GString *meter = g_string_new(NULL);
    for (int i = 0; i < cells; i++) {
        if (blocks) {
            g_string_append(meter, i < full ? "▮" : "▯");
        } else {
            g_string_append_c(meter, i < full ? '#' : '.');
        }
    }
    return g_string_free(meter, FALSE);
}
