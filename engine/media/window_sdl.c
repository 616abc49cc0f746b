/* A window by SDL. One thread opens it, does all that has to do with SDL and closes it again:
 *
 *     sinks, set_text() ─▶ window_state ─▶ run(): wait ─▶ events ─▶ window_drawing ─▶ display
 *                                             ▲                     at most at its rate
 *                                             └─ the display's connection, the keyboard
 *
 * With X11 the thread waits for the connection and the state's descriptor together: see
 * window_x11.h. With other systems it waits in SDL_WaitEvent() and is woken by an event. */
#include "base/clock.h"
#include "base/thread.h"
#include "media/video_sink.h"
#include "media/window_drawing.h"
#include "media/window_state.h"
#include "media/window_x11.h"

#include <SDL.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

enum {
    USUAL_WIDTH = 960,
    USUAL_HEIGHT = 540,
    SIDE_LEAST = 160,
    SIDE_MOST = 16384,
    TITLE_MAX = 255,
    LOOK_TIME = 1000, /* ms: SDL has small things to do now and then, such as the screen saver */
    USUAL_RATE = 60,  /* of a display that does not tell */
    KEY_ESCAPE = 27,
};

struct jingle_window {
    struct window_state *state;
    jingle_window_config config;
    char title[TITLE_MAX + 1];
    pthread_t thread;
    pthread_cond_t ready; /* with the state's mutex: */
    bool known;           /* whether it could be opened */
    jingle_status opened;

    /* the thread's */
    SDL_Window *window;
    SDL_Renderer *renderer;
    struct window_drawing drawing;
    int x11_fd;       /* -1: not X11 */
    bool gone;        /* the display */
    bool closed;      /* by the user */
    bool repeated;    /* the key that is pressed */
    bool full_screen; /* now */
    bool dirty;       /* to be drawn */
    bool awake;       /* the screen saver is off */
    usec drawn;       /* when last */
    usec interval;    /* at least, between drawings; 0: the display keeps the pace */
};

/* SDL has one video system a process. `lost`: its display is gone, and SDL cannot be ended any
 * more: closing its connections would end the process (see window_x11.h). */
static pthread_mutex_t one_window = PTHREAD_MUTEX_INITIALIZER;
static bool taken;
static bool lost;
static uint32_t nudge_event;

/* --- opening and closing, on the thread --------------------------------------------------- */

/* Displays to try, unless the user has named one: neither the console nor what shows nowhere, and
 * none whose library would complain that it is not there. NULL: there is no display. */
static const char *drivers(void)
{
    bool x11 = getenv("DISPLAY");
    bool wayland = getenv("WAYLAND_DISPLAY") && getenv("XDG_RUNTIME_DIR");
    return getenv("SDL_VIDEODRIVER") ? "" /* comes first anyway */
           : x11 && wayland          ? "x11,wayland"
           : x11                     ? "x11"
           : wayland                 ? "wayland"
                                     : NULL;
}

static void set_hints(const char *driver, const char *title)
{
    SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");
    SDL_SetHint(SDL_HINT_VIDEODRIVER, driver);
    SDL_SetHint(SDL_HINT_VIDEO_ALLOW_SCREENSAVER, "1");
    SDL_SetHint(SDL_HINT_VIDEO_X11_NET_WM_BYPASS_COMPOSITOR, "0");
    SDL_SetHint(SDL_HINT_APP_NAME, title);
}

static bool open_window(struct jingle_window *w)
{
    uint32_t flags = SDL_WINDOW_RESIZABLE | SDL_WINDOW_ALLOW_HIGHDPI;
    flags |= w->config.full_screen ? SDL_WINDOW_FULLSCREEN_DESKTOP : 0;
    w->window = SDL_CreateWindow(w->title, SDL_WINDOWPOS_UNDEFINED, SDL_WINDOWPOS_UNDEFINED,
                                 (int)w->config.width, (int)w->config.height, flags);
    if (!w->window) {
        return false;
    }
    w->full_screen = w->config.full_screen;
    w->x11_fd = window_x11_watch(w->window, &w->gone);
    SDL_SetWindowMinimumSize(w->window, SIDE_LEAST, SIDE_LEAST * 9 / 16);
    w->renderer = SDL_CreateRenderer(w->window, -1, SDL_RENDERER_PRESENTVSYNC);
    if (!w->renderer) {
        w->renderer = SDL_CreateRenderer(w->window, -1, SDL_RENDERER_SOFTWARE);
    }
    return w->renderer != NULL;
}

/* A renderer that does not wait for the display itself is held back by us. */
static usec drawing_interval(const struct jingle_window *w)
{
    SDL_RendererInfo info;
    SDL_DisplayMode mode;
    if (SDL_GetRendererInfo(w->renderer, &info) == 0 && (info.flags & SDL_RENDERER_PRESENTVSYNC)) {
        return 0;
    }
    int rate = USUAL_RATE;
    if (SDL_GetWindowDisplayMode(w->window, &mode) == 0 && mode.refresh_rate > 0) {
        rate = mode.refresh_rate;
    }
    return USEC_PER_SEC / rate;
}

static void nudge(void)
{
    SDL_PushEvent(&(SDL_Event){.type = nudge_event});
}

static jingle_status open_display(struct jingle_window *w)
{
    const char *driver = drivers();
    if (!driver) {
        return JINGLE_ERROR_DISPLAY;
    }
    window_x11_guard();
    set_hints(driver, w->title);
    if (SDL_InitSubSystem(SDL_INIT_VIDEO) < 0) {
        window_x11_release();
        return JINGLE_ERROR_DISPLAY;
    }
    if (!open_window(w)) {
        if (w->window) {
            SDL_DestroyWindow(w->window);
        }
        SDL_QuitSubSystem(SDL_INIT_VIDEO);
        window_x11_release();
        return JINGLE_ERROR_DISPLAY;
    }
    SDL_FlushEvent(SDL_QUIT); /* of a window before this one: that it was the last */
    w->interval = drawing_interval(w);
    window_drawing_init(&w->drawing, w->renderer);
    if (w->x11_fd < 0) {
        nudge_event = SDL_RegisterEvents(1);
        pthread_mutex_lock(&w->state->mutex);
        w->state->nudge = nudge;
        pthread_mutex_unlock(&w->state->mutex);
    }
    return JINGLE_OK;
}

static void close_display(struct jingle_window *w)
{
    pthread_mutex_lock(&w->state->mutex);
    w->state->nudge = NULL;
    pthread_mutex_unlock(&w->state->mutex);
    if (w->gone) {
        window_drawing_abandon(&w->drawing);
        return;
    }
    window_drawing_clear(&w->drawing);
    SDL_DestroyRenderer(w->renderer);
    SDL_DestroyWindow(w->window);
    SDL_QuitSubSystem(SDL_INIT_VIDEO);
    window_x11_release();
}

/* --- what the user does ------------------------------------------------------------------- */

static void set_full_screen(struct jingle_window *w, bool on)
{
    SDL_SetWindowFullscreen(w->window, on ? SDL_WINDOW_FULLSCREEN_DESKTOP : 0);
    SDL_ShowCursor(on ? SDL_DISABLE : SDL_ENABLE);
    w->full_screen = on;
    w->dirty = true;
}

static void tell_key(const struct jingle_window *w, uint32_t character)
{
    if (w->config.key) {
        w->config.key(w->config.user, character);
    }
}

/* The characters of a text; what is not UTF-8 is left out. */
static void on_text(struct jingle_window *w, const char *text)
{
    uint32_t character = 0;
    int following = 0;
    for (const uint8_t *at = (const uint8_t *)text; *at; at++) {
        if ((*at & 0xc0) == 0x80) {
            character = character << 6 | (*at & 0x3f);
            following--;
        } else {
            following = *at < 0x80 ? 0 : *at < 0xe0 ? 1 : *at < 0xf0 ? 2 : 3;
            character = following == 0 ? *at : *at & (0x3fU >> following);
        }
        if (following == 0) {
            if (character == 'f') {
                set_full_screen(w, !w->full_screen);
            }
            tell_key(w, character);
        }
    }
}

static void on_key(struct jingle_window *w, const SDL_KeyboardEvent *key)
{
    w->repeated = key->repeat;
    if (key->repeat) {
        return;
    }
    switch (key->keysym.sym) {
    case SDLK_ESCAPE:
        if (w->full_screen) {
            set_full_screen(w, false);
        }
        tell_key(w, KEY_ESCAPE);
        break;
    case SDLK_RETURN:
    case SDLK_KP_ENTER:
        tell_key(w, '\r');
        break;
    default: /* what has a character comes as text */
        break;
    }
}

static void on_event(struct jingle_window *w, const SDL_Event *event)
{
    switch (event->type) {
    case SDL_QUIT:
        w->closed = true;
        break;
    case SDL_WINDOWEVENT:
        w->closed = w->closed || event->window.event == SDL_WINDOWEVENT_CLOSE;
        w->dirty = true;
        break;
    case SDL_RENDER_TARGETS_RESET:
    case SDL_RENDER_DEVICE_RESET:
        window_drawing_forget(&w->drawing);
        w->dirty = true;
        break;
    case SDL_KEYDOWN:
        on_key(w, &event->key);
        break;
    case SDL_TEXTINPUT:
        if (!w->repeated) {
            on_text(w, event->text.text);
        }
        break;
    case SDL_MOUSEBUTTONDOWN:
        if (event->button.button == SDL_BUTTON_LEFT && event->button.clicks == 2) {
            set_full_screen(w, !w->full_screen);
        }
        break;
    default:
        break;
    }
}

/* --- the thread --------------------------------------------------------------------------- */

/* Without a font the title has the text. */
static void set_text(struct jingle_window *w, const char *text)
{
    char title[TITLE_MAX + WINDOW_TEXT_MAX + 8];
    window_drawing_set_text(&w->drawing, text);
    if (!w->drawing.text) {
        snprintf(title, sizeof title, "%s%s%s", w->title, *text ? " – " : "", text);
        SDL_SetWindowTitle(w->window, title);
    }
    w->dirty = true;
}

/* True: it is to be closed. */
static bool look_at_state(struct jingle_window *w)
{
    char text[WINDOW_TEXT_MAX + 1];
    pthread_mutex_lock(&w->state->mutex);
    bool quit = w->state->quit;
    bool toggle = w->state->toggle;
    bool fresh = w->state->text_fresh;
    memcpy(text, w->state->text, sizeof text);
    w->state->toggle = w->state->text_fresh = false;
    pthread_mutex_unlock(&w->state->mutex);
    if (toggle) {
        set_full_screen(w, !w->full_screen);
    }
    if (fresh) {
        set_text(w, text);
    }
    for (int i = 0; i < WINDOW_VIEWS; i++) {
        w->dirty = window_drawing_update(&w->drawing, w->state, (enum window_view)i) || w->dirty;
    }
    return quit;
}

/* While somebody is seen the screen stays on. */
static void keep_awake(struct jingle_window *w)
{
    bool wanted = w->drawing.live[WINDOW_REMOTE];
    if (wanted && !w->awake) {
        SDL_DisableScreenSaver();
    } else if (!wanted && w->awake) {
        SDL_EnableScreenSaver();
    }
    w->awake = wanted;
}

/* Draws what has changed, if it is time. Returns ms to wait for something new. */
static int draw(struct jingle_window *w)
{
    if (!w->dirty) {
        return LOOK_TIME;
    }
    usec left = w->drawn + w->interval - clock_now();
    if (left > 0) {
        return (int)(left / USEC_PER_MS) + 1;
    }
    w->dirty = false;
    w->drawn = clock_now();
    window_drawing_show(&w->drawing);
    return 0; /* events may have come with the display's answers */
}

static void wait_for_news(struct jingle_window *w, int ms)
{
    eventfd_t count;
    if (ms == 0) {
        return;
    }
    if (w->x11_fd < 0) {
        SDL_WaitEventTimeout(NULL, ms);
    } else {
        struct pollfd fds[] = {
            {.fd = w->x11_fd, .events = POLLIN},
            {.fd = w->state->wake_fd, .events = POLLIN},
        };
        poll(fds, 2, ms);
    }
    eventfd_read(w->state->wake_fd, &count);
}

static void show_until_closed(struct jingle_window *w)
{
    SDL_Event event;
    w->dirty = true;
    for (;;) {
        while (!w->gone && !w->closed && SDL_PollEvent(&event)) {
            on_event(w, &event);
        }
        if (w->gone || w->closed || look_at_state(w)) {
            return;
        }
        keep_awake(w);
        wait_for_news(w, draw(w));
    }
}

static void leave(struct jingle_window *w)
{
    bool by_itself = w->gone || w->closed;
    pthread_mutex_lock(&w->state->mutex);
    w->state->open = false;
    w->state->lost = by_itself;
    pthread_mutex_unlock(&w->state->mutex);
    close_display(w);
    if (by_itself && w->config.closed) {
        w->config.closed(w->config.user);
    }
}

static void *run(void *user)
{
    struct jingle_window *w = user;
    jingle_status status = open_display(w);
    pthread_mutex_lock(&w->state->mutex);
    w->state->open = status == JINGLE_OK;
    w->opened = status;
    w->known = true;
    pthread_cond_signal(&w->ready);
    pthread_mutex_unlock(&w->state->mutex);
    if (status == JINGLE_OK) {
        show_until_closed(w);
        leave(w);
    }
    SDL_TLSCleanup(); /* SDL did not make this thread */
    return NULL;
}

/* --- the application ---------------------------------------------------------------------- */

void jingle_window_config_init(jingle_window_config *config)
{
    if (config) {
        *config = (jingle_window_config){.size = sizeof *config};
    }
}

static uint32_t side(uint32_t wanted, uint32_t usual)
{
    uint32_t given = wanted > 0 ? wanted : usual;
    return given < SIDE_LEAST ? SIDE_LEAST : given > SIDE_MOST ? SIDE_MOST : given;
}

static void window_destroy(struct jingle_window *w)
{
    pthread_cond_destroy(&w->ready);
    window_state_unref(w->state);
    free(w);
}

static struct jingle_window *window_create(const jingle_window_config *config)
{
    struct jingle_window *w = calloc(1, sizeof *w);
    struct window_state *state = w ? window_state_new() : NULL;
    if (!state) {
        free(w);
        return NULL;
    }
    w->state = state;
    w->config = *config;
    w->config.width = side(config->width, USUAL_WIDTH);
    w->config.height = side(config->height, USUAL_HEIGHT);
    snprintf(w->title, sizeof w->title, "%s", config->title ? config->title : "");
    w->config.title = w->title;
    pthread_cond_init(&w->ready, NULL);
    return w;
}

/* Waits until the window is open or cannot be. */
static jingle_status window_open(struct jingle_window *w)
{
    if (!thread_start(&w->thread, NULL, run, w)) {
        return JINGLE_ERROR_LIMIT;
    }
    pthread_mutex_lock(&w->state->mutex);
    while (!w->known) {
        pthread_cond_wait(&w->ready, &w->state->mutex);
    }
    jingle_status status = w->opened;
    pthread_mutex_unlock(&w->state->mutex);
    if (status != JINGLE_OK) {
        pthread_join(w->thread, NULL);
    }
    return status;
}

static jingle_status take_place(void)
{
    pthread_mutex_lock(&one_window);
    jingle_status status = lost ? JINGLE_ERROR_DISPLAY : taken ? JINGLE_ERROR_LIMIT : JINGLE_OK;
    taken = taken || status == JINGLE_OK;
    pthread_mutex_unlock(&one_window);
    return status;
}

static void leave_place(bool display_lost)
{
    pthread_mutex_lock(&one_window);
    taken = false;
    lost = lost || display_lost;
    pthread_mutex_unlock(&one_window);
}

jingle_status jingle_window_new(const jingle_window_config *config, jingle_window **window)
{
    if (!window) {
        return JINGLE_ERROR_INVALID;
    }
    *window = NULL;
    if (!config || config->size < sizeof *config) {
        return JINGLE_ERROR_INVALID;
    }
    jingle_status status = take_place();
    if (status != JINGLE_OK) {
        return status;
    }
    struct jingle_window *w = window_create(config);
    status = w ? window_open(w) : JINGLE_ERROR_MEMORY;
    if (status == JINGLE_OK) {
        *window = w;
        return JINGLE_OK;
    }
    if (w) {
        window_destroy(w);
    }
    leave_place(false);
    return status;
}

void jingle_window_free(jingle_window *w)
{
    if (!w) {
        return;
    }
    pthread_mutex_lock(&w->state->mutex);
    w->state->quit = true;
    pthread_mutex_unlock(&w->state->mutex);
    window_state_wake(w->state);
    pthread_join(w->thread, NULL);
    pthread_mutex_lock(&w->state->mutex);
    w->state->lost = false; /* nobody needs to be told any more */
    pthread_mutex_unlock(&w->state->mutex);
    bool display_lost = w->gone;
    window_destroy(w);
    leave_place(display_lost);
}

static jingle_video_sink *sink_of(jingle_window *w, enum window_view view, jingle_status *status)
{
    return w ? window_state_sink(w->state, view, status)
             : video_sink_failed(status, JINGLE_ERROR_INVALID);
}

jingle_video_sink *jingle_window_sink(jingle_window *w, jingle_status *status)
{
    return sink_of(w, WINDOW_REMOTE, status);
}

jingle_video_sink *jingle_window_self_view(jingle_window *w, jingle_status *status)
{
    return sink_of(w, WINDOW_SELF, status);
}

void jingle_window_set_text(jingle_window *w, const char *text)
{
    if (!w) {
        return;
    }
    const char *words = text ? text : "";
    pthread_mutex_lock(&w->state->mutex);
    bool changed = strncmp(w->state->text, words, WINDOW_TEXT_MAX) != 0;
    if (changed) {
        strncpy(w->state->text, words, WINDOW_TEXT_MAX);
        w->state->text_fresh = true;
    }
    pthread_mutex_unlock(&w->state->mutex);
    if (changed) {
        window_state_wake(w->state);
    }
}

void jingle_window_toggle_full_screen(jingle_window *w)
{
    if (!w) {
        return;
    }
    pthread_mutex_lock(&w->state->mutex);
    w->state->toggle = !w->state->toggle;
    pthread_mutex_unlock(&w->state->mutex);
    window_state_wake(w->state);
}
