/* The window on a virtual X server, its pixels read back. */
#include "media/video_scale.h"
#include "media/video_sink.h"

#include <X11/Xatom.h>
#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    WIDTH = 640,
    HEIGHT = 480,
    BAR = (HEIGHT - WIDTH * 9 / 16) / 2, /* above a picture of 16 to 9 */
    TRIES = 1000,
    TRY_TIME = 10, /* ms */
};

/* --- X server ------------------------------------------------------------------------------ */

static pid_t server;
static Display *display;

/* Reads the number of the display that Xvfb has chosen; empty if it does not run. */
static void read_number(int fd, char *name, size_t size)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    char number[16] = "";
    size_t got = 0;
    while (got + 1 < sizeof number && poll(&ready, 1, 30000) == 1) {
        ssize_t n = read(fd, number + got, 1);
        if (n != 1 || number[got] == '\n') {
            break;
        }
        got++;
    }
    number[got] = 0;
    snprintf(name, size, "%s%s", got ? ":" : "", number);
}

static bool server_start(void)
{
    int ends[2];
    char name[24];
    assert_int_equal(pipe(ends), 0);
    server = fork();
    if (server == 0) {
        char fd[16];
        snprintf(fd, sizeof fd, "%d", ends[1]);
        int null = open("/dev/null", O_RDWR);
        dup2(null, STDERR_FILENO);
        execlp("Xvfb", "Xvfb", "-displayfd", fd, "-screen", "0", "1280x800x24", "-nolisten", "tcp",
               "-noreset", (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    read_number(ends[0], name, sizeof name);
    close(ends[0]);
    if (!name[0]) {
        waitpid(server, NULL, 0);
        return false;
    }
    setenv("DISPLAY", name, 1);
    return true;
}

static void server_stop(void)
{
    kill(server, SIGKILL);
    assert_int_equal(waitpid(server, NULL, 0), server);
}

/* Every test has a server of its own: none is disturbed by the windows of another. */
static int set_up(void **state)
{
    (void)state;
    unsetenv("WAYLAND_DISPLAY");
    display = server_start() ? XOpenDisplay(NULL) : NULL;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (display) {
        XCloseDisplay(display);
        server_stop();
    }
    return 0;
}

/* The only window that is shown; 0: there is none. */
static Window find_window(void)
{
    Window root = DefaultRootWindow(display);
    Window parent;
    Window *children = NULL;
    Window found = 0;
    unsigned count = 0;
    XQueryTree(display, root, &root, &parent, &children, &count);
    for (unsigned i = 0; i < count; i++) {
        XWindowAttributes info;
        XGetWindowAttributes(display, children[i], &info);
        found = info.map_state == IsViewable && info.width > 10 ? children[i] : found;
    }
    XFree(children);
    return found;
}

static XImage *grab(void)
{
    XWindowAttributes info;
    Window window = find_window();
    if (!window || !XGetWindowAttributes(display, window, &info) || info.x < 0 || info.y < 0 ||
        info.x + info.width > 1280 || info.y + info.height > 800) {
        return NULL;
    }
    return XGetImage(display, window, 0, 0, (unsigned)info.width, (unsigned)info.height, AllPlanes,
                     ZPixmap);
}

/* --- pixels -------------------------------------------------------------------------------- */

enum colour {
    BLACK,
    WHITE,
    RED,
    GREEN,
    BLUE,
    YELLOW,
    OTHER,
};

static enum colour colour_at(XImage *image, int x, int y)
{
    static const int rgb[][3] = {
        {0, 0, 0}, {255, 255, 255}, {255, 0, 0}, {0, 255, 0}, {0, 0, 255}, {255, 255, 0},
    };
    unsigned long pixel = XGetPixel(image, x, y);
    for (int i = 0; i < OTHER; i++) {
        int off = 0;
        for (int k = 0; k < 3; k++) {
            int value = (int)(pixel >> (16 - 8 * k) & 0xff);
            off = abs(value - rgb[i][k]) > off ? abs(value - rgb[i][k]) : off;
        }
        if (off < 12) {
            return (enum colour)i;
        }
    }
    return OTHER;
}

struct spot {
    int x, y;
    enum colour colour;
};

static bool spots_match(const struct spot *spots, size_t count)
{
    XImage *image = grab();
    bool match = image != NULL;
    for (size_t i = 0; match && i < count; i++) {
        match = spots[i].x < image->width && spots[i].y < image->height &&
                colour_at(image, spots[i].x, spots[i].y) == spots[i].colour;
    }
    if (image) {
        XDestroyImage(image);
    }
    return match;
}

static void await_spots(const struct spot *spots, size_t count)
{
    for (int i = 0; i < TRIES; i++) {
        if (spots_match(spots, count)) {
            return;
        }
        poll(NULL, 0, TRY_TIME);
    }
    fail_msg("the window never showed what it should");
}

static int white_pixels(int left, int top, int right, int bottom)
{
    XImage *image = grab();
    int count = 0;
    for (int y = top; image && y < bottom; y++) {
        for (int x = left; x < right; x++) {
            count += colour_at(image, x, y) == WHITE;
        }
    }
    if (image) {
        XDestroyImage(image);
    }
    return count;
}

/* --- pictures ------------------------------------------------------------------------------ */

static const uint8_t yuv[][3] = {
    [BLACK] = {16, 128, 128}, [WHITE] = {235, 128, 128}, [RED] = {81, 90, 240},
    [GREEN] = {145, 54, 34},  [BLUE] = {41, 240, 110},   [YELLOW] = {210, 16, 146},
};

/* Four quarters: upper left, upper right, lower left, lower right. */
static void paint(struct picture_buffer *buffer, uint32_t width, uint32_t height,
                  const enum colour quarters[4])
{
    assert_true(picture_buffer_resize(buffer, width, height));
    for (int plane = 0; plane < 3; plane++) {
        uint32_t w = plane ? (width + 1) / 2 : width;
        uint32_t h = plane ? (height + 1) / 2 : height;
        for (uint32_t y = 0; y < h; y++) {
            for (uint32_t x = 0; x < w; x++) {
                enum colour colour = quarters[(y >= h / 2) * 2 + (x >= w / 2)];
                buffer->planes[plane][y * buffer->strides[plane] + x] = yuv[colour][plane];
            }
        }
    }
}

static jingle_status show(jingle_video_sink *sink, uint32_t width, uint32_t height,
                          const enum colour quarters[4])
{
    struct picture_buffer buffer = {0};
    paint(&buffer, width, height, quarters);
    jingle_picture picture = picture_buffer_view(&buffer, 0);
    jingle_status status = sink->write(sink->user, &picture);
    picture_buffer_clear(&buffer);
    return status;
}

static const enum colour four[4] = {RED, GREEN, BLUE, YELLOW};

/* --- windows ------------------------------------------------------------------------------- */

struct heard {
    atomic_uint key; /* the last one */
    atomic_int keys;
    atomic_int closed;
};

static void on_key(void *user, uint32_t character)
{
    struct heard *heard = user;
    atomic_store(&heard->key, character);
    atomic_fetch_add(&heard->keys, 1);
}

static void on_closed(void *user)
{
    struct heard *heard = user;
    atomic_fetch_add(&heard->closed, 1);
}

static jingle_status open_window(struct heard *heard, jingle_window **window)
{
    jingle_window_config config;
    jingle_window_config_init(&config);
    config.title = "Zoë";
    config.width = WIDTH;
    config.height = HEIGHT;
    config.key = on_key;
    config.closed = on_closed;
    config.user = heard;
    *heard = (struct heard){0};
    return jingle_window_new(&config, window);
}

static jingle_window *opened(struct heard *heard)
{
    jingle_window *window = NULL;
    if (!display) {
        skip(); /* there is no Xvfb */
    }
    assert_int_equal(open_window(heard, &window), JINGLE_OK);
    return window;
}

static bool await(atomic_int *count, int wanted)
{
    for (int i = 0; i < TRIES && atomic_load(count) < wanted; i++) {
        poll(NULL, 0, TRY_TIME);
    }
    return atomic_load(count) >= wanted;
}

static void await_resize(int width, int height)
{
    XResizeWindow(display, find_window(), (unsigned)width, (unsigned)height);
    XSync(display, False);
}

static void test_a_picture_is_the_right_way_up_between_black_bars(void **state)
{
    (void)state;
    struct heard heard;
    jingle_window *window = opened(&heard);
    jingle_video_sink *sink = jingle_window_sink(window, NULL);
    assert_true(video_sink_valid(sink));
    assert_int_equal(video_sink_start(sink), JINGLE_OK);
    assert_int_equal(show(sink, 320, 180, four), JINGLE_OK);
    static const struct spot spots[] = {
        {20, BAR + 20, RED},           {WIDTH - 20, BAR + 20, GREEN},
        {20, HEIGHT - BAR - 20, BLUE}, {WIDTH - 20, HEIGHT - BAR - 20, YELLOW},
        {20, BAR - 10, BLACK},         {WIDTH - 20, HEIGHT - BAR + 10, BLACK},
    };
    await_spots(spots, 6);
    jingle_video_sink_free(sink);
    jingle_window_free(window);
}

static void test_a_picture_of_odd_size_fills_another_window_too(void **state)
{
    (void)state;
    struct heard heard;
    jingle_window *window = opened(&heard);
    jingle_video_sink *sink = jingle_window_sink(window, NULL);
    show(sink, 321, 241, four);
    await_resize(800, 300);
    static const struct spot spots[] = {
        /* 400 by 300 in the middle of 800 by 300 */
        {210, 10, RED},     {590, 10, GREEN},  {210, 290, BLUE},
        {590, 290, YELLOW}, {190, 150, BLACK}, {610, 150, BLACK},
    };
    await_spots(spots, 6);
    show(sink, 640, 240, four);
    static const struct spot wide[] = {{10, 10, RED}, {790, 290, YELLOW}};
    await_spots(wide, 2);
    jingle_video_sink_free(sink);
    jingle_window_free(window);
}

static void test_the_self_view_is_small_in_a_corner_and_a_mirror(void **state)
{
    (void)state;
    static const enum colour plain[4] = {BLUE, BLUE, BLUE, BLUE};
    struct heard heard;
    jingle_window *window = opened(&heard);
    jingle_video_sink *remote = jingle_window_sink(window, NULL);
    jingle_video_sink *self = jingle_window_self_view(window, NULL);
    show(remote, WIDTH, HEIGHT, plain);
    show(self, 160, 120, (const enum colour[4]){RED, GREEN, WHITE, YELLOW});
    /* 128 by 96 with a margin of 13: from 499, 371 to 627, 467; left and right are changed */
    static const struct spot spots[] = {
        {530, 395, GREEN}, {595, 395, RED},  {530, 445, YELLOW}, {595, 445, WHITE},
        {490, 420, BLUE},  {563, 360, BLUE}, {500, 372, BLUE}, /* beyond a round corner */
        {10, 10, BLUE},
    };
    await_spots(spots, 8);
    self->stop(self->user); /* the camera is off: only the other one is left */
    static const struct spot alone[] = {{530, 395, BLUE}, {595, 445, BLUE}};
    await_spots(alone, 2);
    jingle_video_sink_free(self);
    jingle_video_sink_free(remote);
    jingle_window_free(window);
}

static void test_the_text_is_drawn_over_the_picture(void **state)
{
    (void)state;
    static const enum colour plain[4] = {BLUE, BLUE, BLUE, BLUE};
    struct heard heard;
    jingle_window *window = opened(&heard);
    jingle_video_sink *sink = jingle_window_sink(window, NULL);
    show(sink, WIDTH, HEIGHT, plain);
    await_spots(&(struct spot){40, 440, BLUE}, 1);
    assert_int_equal(white_pixels(0, 0, WIDTH, HEIGHT), 0);
    jingle_window_set_text(window, "Zoë · 12:34 · good");
    int white = 0;
    for (int i = 0; i < TRIES && white < 100; i++) {
        poll(NULL, 0, TRY_TIME);
        white = white_pixels(0, HEIGHT / 2, WIDTH / 2, HEIGHT);
    }
    assert_in_range(white, 100, 5000);
    assert_int_equal(white_pixels(0, 0, WIDTH, HEIGHT / 2), 0);
    jingle_window_set_text(window, "");
    await_spots(&(struct spot){40, 440, BLUE}, 1);
    for (int i = 0; i < TRIES && white > 0; i++) {
        poll(NULL, 0, TRY_TIME);
        white = white_pixels(0, 0, WIDTH, HEIGHT);
    }
    assert_int_equal(white, 0);
    jingle_video_sink_free(sink);
    jingle_window_free(window);
}

static void test_text_of_any_kind_does_no_harm(void **state)
{
    (void)state;
    struct heard heard;
    jingle_window *window = opened(&heard);
    static char text[5000];
    memset(text, 'W', sizeof text - 1);
    jingle_window_set_text(window, text);
    jingle_window_set_text(window, "\xff\xfe broken \xc3");
    jingle_window_set_text(window, "line\nbreak\tسلام 你好");
    jingle_window_set_text(window, NULL);
    jingle_window_set_text(NULL, "nobody");
    jingle_window_free(window);
}

static void type(const char *how, const char *what)
{
    char command[100];
    snprintf(command, sizeof command, "xdotool %s %s >/dev/null 2>&1", how, what);
    assert_int_equal(system(command), 0); // NOLINT(cert-env33-c): a test's own words
}

static void test_keys_are_told(void **state)
{
    (void)state;
    struct heard heard;
    jingle_window *window = opened(&heard);
    static const struct {
        const char *name;
        uint32_t character;
    } keys[] = {{"v", 'v'}, {"7", '7'}, {"numbersign", '#'}, {"Escape", 27}, {"Return", '\r'}};
    for (int i = 0; i < TRIES && !find_window(); i++) {
        poll(NULL, 0, TRY_TIME);
    }
    XSetInputFocus(display, find_window(), RevertToParent, CurrentTime); /* nobody else does */
    XSync(display, False);
    for (int i = 0; i < (int)(sizeof keys / sizeof keys[0]); i++) {
        type("key", keys[i].name);
        assert_true(await(&heard.keys, i + 1));
        assert_int_equal(atomic_load(&heard.key), keys[i].character);
    }
    jingle_window_free(window);
}

/* What a window manager does when a window wants to be full screen or not any more (EWMH,
 * _NET_WM_STATE). False: nobody wanted that. */
static bool manage_window(void)
{
    Atom state = XInternAtom(display, "_NET_WM_STATE", False);
    Atom full = XInternAtom(display, "_NET_WM_STATE_FULLSCREEN", False);
    for (int i = 0; i < TRIES; i++) {
        XEvent event;
        while (XCheckTypedEvent(display, ClientMessage, &event)) {
            const XClientMessageEvent *wish = &event.xclient;
            if (wish->message_type == state && (Atom)wish->data.l[1] == full) {
                bool add = wish->data.l[0] == 1;
                XChangeProperty(display, wish->window, state, XA_ATOM, 32, PropModeReplace,
                                (const uint8_t *)&full, add);
                XMoveResizeWindow(display, wish->window, add ? 0 : 100, add ? 0 : 100,
                                  add ? 1280 : WIDTH, add ? 800 : HEIGHT);
                XSync(display, False);
                return true;
            }
        }
        poll(NULL, 0, TRY_TIME);
    }
    return false;
}

static void test_f_and_a_double_click_change_to_full_screen_and_back(void **state)
{
    (void)state;
    struct heard heard;
    jingle_window *window = opened(&heard);
    jingle_video_sink *sink = jingle_window_sink(window, NULL);
    show(sink, 1280, 800, four);
    static const struct spot small[] = {{20, 60, RED}, {620, 420, YELLOW}, {20, 20, BLACK}};
    static const struct spot full[] = {{20, 20, RED}, {1260, 780, YELLOW}};
    await_spots(small, 3);
    XSelectInput(display, DefaultRootWindow(display), SubstructureNotifyMask);
    XSetInputFocus(display, find_window(), RevertToParent, CurrentTime);
    XSync(display, False);
    type("key", "f");
    assert_true(manage_window());
    await_spots(full, 2);
    type("key", "Escape");
    assert_true(manage_window());
    await_spots(small, 3);
    jingle_window_toggle_full_screen(window);
    assert_true(manage_window());
    await_spots(full, 2);
    assert_true(await(&heard.keys, 2));
    type("mousemove", "300 300 click --repeat 2 --delay 50 1");
    assert_true(manage_window());
    await_spots(small, 3);
    jingle_video_sink_free(sink);
    jingle_window_free(window);
}

static void test_there_is_one_window_at_a_time(void **state)
{
    (void)state;
    struct heard heard;
    struct heard other;
    jingle_window *window = opened(&heard);
    jingle_window *second = window;
    assert_int_equal(open_window(&other, &second), JINGLE_ERROR_LIMIT);
    assert_null(second);
    jingle_window_free(window);
    assert_int_equal(open_window(&other, &second), JINGLE_OK);
    jingle_window_free(second);
    assert_int_equal(atomic_load(&heard.closed) + atomic_load(&other.closed), 0);
}

static void test_a_window_that_the_user_closes_tells_once_and_takes_no_pictures(void **state)
{
    (void)state;
    struct heard heard;
    jingle_window *window = opened(&heard);
    jingle_video_sink *sink = jingle_window_sink(window, NULL);
    show(sink, 320, 240, four);
    await_spots(&(struct spot){20, 20, RED}, 1);
    Window id = find_window();
    XEvent event = {.xclient = {.type = ClientMessage,
                                .window = id,
                                .message_type = XInternAtom(display, "WM_PROTOCOLS", False),
                                .format = 32}};
    event.xclient.data.l[0] = (long)XInternAtom(display, "WM_DELETE_WINDOW", False);
    XSendEvent(display, id, False, NoEventMask, &event);
    XSync(display, False);
    assert_true(await(&heard.closed, 1));
    assert_int_equal(show(sink, 320, 240, four), JINGLE_ERROR_DISPLAY);
    assert_int_equal(video_sink_start(sink), JINGLE_ERROR_DISPLAY);
    assert_int_equal((int)find_window(), 0);
    jingle_window_free(window);
    assert_int_equal(atomic_load(&heard.closed), 1);
    jingle_video_sink_free(sink);
}

static void test_sinks_outlive_the_window_and_show_nothing(void **state)
{
    (void)state;
    struct heard heard;
    jingle_window *window = opened(&heard);
    jingle_video_sink *sink = jingle_window_sink(window, NULL);
    jingle_video_sink *self = jingle_window_self_view(window, NULL);
    assert_int_equal(show(sink, 320, 240, four), JINGLE_OK);
    jingle_window_free(window);
    assert_int_equal(show(sink, 320, 240, four), JINGLE_OK);
    assert_int_equal(show(self, 320, 240, four), JINGLE_OK);
    jingle_video_sink_free(sink);
    jingle_video_sink_free(self);
    assert_int_equal(atomic_load(&heard.closed), 0);
}

static void test_what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    jingle_status status = JINGLE_OK;
    jingle_window *window = NULL;
    jingle_window_config config = {0};
    assert_int_equal(jingle_window_new(NULL, &window), JINGLE_ERROR_INVALID);
    assert_int_equal(jingle_window_new(&config, &window), JINGLE_ERROR_INVALID);
    jingle_window_config_init(&config);
    assert_int_equal(jingle_window_new(&config, NULL), JINGLE_ERROR_INVALID);
    assert_null(jingle_window_sink(NULL, &status));
    assert_int_equal(status, JINGLE_ERROR_INVALID);
    jingle_window_free(NULL);
    jingle_window_toggle_full_screen(NULL);
}

/* --- no display ---------------------------------------------------------------------------- */

/* What went to the standard error output meanwhile is in `file`. */
static int divert_errors(FILE **file)
{
    int before = dup(STDERR_FILENO);
    *file = tmpfile();
    fflush(stderr);
    dup2(fileno(*file), STDERR_FILENO);
    return before;
}

static void assert_silent(int before, FILE *file)
{
    char said[1000] = "";
    fflush(stderr);
    dup2(before, STDERR_FILENO);
    close(before);
    rewind(file);
    size_t size = fread(said, 1, sizeof said - 1, file);
    fclose(file);
    said[size] = 0;
    assert_string_equal(said, "");
}

static void test_no_display_is_told_and_nothing_is_printed(void **state)
{
    (void)state;
    struct heard heard;
    jingle_window *window = NULL;
    FILE *errors;
    unsetenv("DISPLAY");
    int before = divert_errors(&errors);
    jingle_status without = open_window(&heard, &window);
    setenv("DISPLAY", ":4711", 1);
    jingle_status wrong = open_window(&heard, &window);
    assert_silent(before, errors);
    assert_int_equal(without, JINGLE_ERROR_DISPLAY);
    assert_int_equal(wrong, JINGLE_ERROR_DISPLAY);
    assert_null(window);
}

/* The last one: SDL cannot be used any more in this process. */
static void test_a_display_that_goes_away_takes_nothing_with_it(void **state)
{
    (void)state;
    struct heard heard;
    FILE *errors;
    jingle_window *window = opened(&heard);
    jingle_video_sink *sink = jingle_window_sink(window, NULL);
    show(sink, 320, 240, four);
    await_spots(&(struct spot){20, 20, RED}, 1);
    XCloseDisplay(display);
    display = NULL;
    int before = divert_errors(&errors);
    server_stop();
    for (int i = 0; i < TRIES && show(sink, 320, 240, four) == JINGLE_OK; i++) {
        poll(NULL, 0, 1);
    }
    bool told = await(&heard.closed, 1);
    jingle_status shown = show(sink, 320, 240, four);
    jingle_window_free(window);
    jingle_status again = open_window(&heard, &window);
    assert_silent(before, errors);
    assert_true(told);
    assert_int_equal(shown, JINGLE_ERROR_DISPLAY);
    assert_int_equal(again, JINGLE_ERROR_DISPLAY);
    jingle_video_sink_free(sink);
}

int main(void)
{
    /* Mesa, which draws without a graphics card, leaves some memory behind. Both can be overruled.
     */
    setenv("SDL_RENDER_DRIVER", "software", 0);
    setenv("SDL_FRAMEBUFFER_ACCELERATION", "0", 0);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_makes_no_sense_is_refused),
        cmocka_unit_test(test_no_display_is_told_and_nothing_is_printed),
        cmocka_unit_test_setup_teardown(test_a_picture_is_the_right_way_up_between_black_bars,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_picture_of_odd_size_fills_another_window_too, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_the_self_view_is_small_in_a_corner_and_a_mirror,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_text_is_drawn_over_the_picture, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_text_of_any_kind_does_no_harm, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_keys_are_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_f_and_a_double_click_change_to_full_screen_and_back,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_there_is_one_window_at_a_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_a_window_that_the_user_closes_tells_once_and_takes_no_pictures, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sinks_outlive_the_window_and_show_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_display_that_goes_away_takes_nothing_with_it, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
