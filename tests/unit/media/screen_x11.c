/* Screen, part and window, taken from an X server of the test's own (Xvfb). */
#include "base/clock.h"
#include "media/video_scale.h"
#include "media/video_source.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xcb/xcb.h>

#include <cmocka.h>

enum { WIDTH = 640, HEIGHT = 480, RED = 0xff0000, GREEN = 0x00ff00, BLUE = 0x0000ff, BLACK = 0 };

struct colour {
    uint32_t rgb;
    uint8_t y, u, v;
};
static const struct colour colours[] = {
    {RED, 82, 90, 240}, {GREEN, 145, 54, 34}, {BLUE, 41, 240, 110}, {BLACK, 16, 128, 128}};

/* --- the server and what is on it ---------------------------------------------------------- */

static pid_t server;
static xcb_connection_t *x;
static const xcb_screen_t *screen;

static void become_server(int told, bool plain)
{
    char fd[16];
    snprintf(fd, sizeof fd, "%d", told);
    const char *arguments[32] = {"Xvfb",       "-displayfd", fd,    "-screen", "0",
                                 "640x480x24", "-nolisten",  "tcp", "-noreset"};
    static const char *const extensions[] = {"MIT-SHM", "DAMAGE", "Composite"};
    int count = 9;
    for (int i = 0; plain && i < 3; i++) {
        arguments[count++] = "-extension";
        arguments[count++] = extensions[i];
    }
    if (freopen("/dev/null", "w", stderr)) {
        execvp("Xvfb", (char *const *)arguments);
    }
    _exit(127);
}

/* `plain`: without all that makes it cheap. Leaves `server` at 0 if there is no Xvfb. */
static int start_server(bool plain)
{
    int told[2];
    if (pipe(told) != 0) {
        return -1;
    }
    pid_t parent = getpid();
    server = fork();
    if (server == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() == parent) {
            become_server(told[1], plain);
        }
        _exit(127);
    }
    close(told[1]);
    char display[16] = ":";
    ssize_t got = read(told[0], display + 1, sizeof display - 2);
    close(told[0]);
    if (got <= 0) {
        waitpid(server, NULL, 0);
        server = 0;
        return 0;
    }
    display[1 + strcspn(display + 1, "\n")] = '\0';
    setenv("DISPLAY", display, 1);
    unsetenv("XAUTHORITY");
    return 0;
}

static int start_display(bool plain)
{
    if (start_server(plain) != 0) {
        return -1;
    }
    if (server > 0) {
        x = xcb_connect(NULL, NULL);
        screen = xcb_setup_roots_iterator(xcb_get_setup(x)).data;
    }
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    return start_display(false);
}

static void stop_server(void)
{
    kill(server, SIGTERM);
    waitpid(server, NULL, 0);
    server = 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (x) {
        xcb_disconnect(x);
        x = NULL;
    }
    if (server > 0) {
        stop_server();
    }
    return 0;
}

static void need_server(void)
{
    if (server == 0) {
        skip();
    }
}

/* Waits until the server has done all that was asked. */
static void settle(void)
{
    free(xcb_get_input_focus_reply(x, xcb_get_input_focus(x), NULL));
}

static void set_colour(xcb_window_t window, uint32_t rgb)
{
    xcb_change_window_attributes(x, window, XCB_CW_BACK_PIXEL, &rgb);
    xcb_clear_area(x, 0, window, 0, 0, 0, 0);
    settle();
}

static xcb_window_t make_window(const char *title, int left, int top, unsigned width,
                                unsigned height, uint32_t rgb)
{
    xcb_window_t window = xcb_generate_id(x);
    const uint32_t values[] = {rgb, 1}; /* no window manager shall move it */
    xcb_create_window(x, XCB_COPY_FROM_PARENT, window, screen->root, (int16_t)left, (int16_t)top,
                      (uint16_t)width, (uint16_t)height, 0, XCB_WINDOW_CLASS_INPUT_OUTPUT,
                      screen->root_visual, XCB_CW_BACK_PIXEL | XCB_CW_OVERRIDE_REDIRECT, values);
    xcb_change_property(x, XCB_PROP_MODE_REPLACE, window, XCB_ATOM_WM_NAME, XCB_ATOM_STRING, 8,
                        (uint32_t)strlen(title), title);
    xcb_map_window(x, window);
    settle();
    return window;
}

static void close_window(xcb_window_t window)
{
    xcb_destroy_window(x, window);
    settle();
}

static void put_pointer(int left, int top)
{
    xcb_warp_pointer(x, XCB_NONE, screen->root, 0, 0, 0, 0, (int16_t)left, (int16_t)top);
    settle();
}

/* --- taking -------------------------------------------------------------------------------- */

static jingle_video_source *make(const char *what)
{
    jingle_status status = JINGLE_ERROR_INTERNAL;
    jingle_video_source *source = screen_x11_new(what, &status);
    assert_int_equal(status, JINGLE_OK);
    assert_true(video_source_valid(source));
    assert_true(source->is_screen);
    return source;
}

static jingle_video_source *started(const char *what, uint32_t width, uint32_t height)
{
    jingle_video_source *source = make(what);
    jingle_video_format format = {1920, 1080, 100};
    assert_int_equal(source->start(source->user, &format), JINGLE_OK);
    assert_int_equal(format.width, width);
    assert_int_equal(format.height, height);
    assert_int_equal(format.frame_rate, 100);
    return source;
}

static jingle_picture next(jingle_video_source *source)
{
    jingle_picture picture;
    assert_int_equal(source->read(source->user, &picture, 10 * USEC_PER_SEC), 1);
    picture.size = sizeof picture;
    assert_true(picture_valid(&picture));
    return picture;
}

static bool has_colour(const jingle_picture *p, unsigned left, unsigned top, uint32_t rgb)
{
    size_t chroma = top / 2 * p->strides[1] + left / 2;
    for (size_t i = 0; i < sizeof colours / sizeof *colours; i++) {
        const struct colour *c = &colours[i];
        if (c->rgb == rgb) {
            return abs(p->planes[0][top * p->strides[0] + left] - c->y) < 3 &&
                   abs(p->planes[1][chroma] - c->u) < 3 && abs(p->planes[2][chroma] - c->v) < 3;
        }
    }
    return false;
}

/* Events of the server may come after its picture; the next one has it then. */
static void await_colour(jingle_video_source *source, unsigned left, unsigned top, uint32_t rgb)
{
    usec deadline = clock_now() + 20 * USEC_PER_SEC;
    for (;;) {
        jingle_picture picture = next(source);
        if (left < picture.width && top < picture.height && has_colour(&picture, left, top, rgb)) {
            return;
        }
        assert_true(clock_now() < deadline);
    }
}

static void test_the_whole_screen_shows_what_is_drawn(void **state)
{
    (void)state;
    need_server();
    put_pointer(WIDTH - 1, HEIGHT - 1);
    xcb_window_t window = make_window("a", 100, 100, 200, 100, RED);
    jingle_video_source *source = started("screen", WIDTH, HEIGHT);
    jingle_picture picture = next(source);
    assert_true(has_colour(&picture, 10, 10, BLACK));
    assert_true(has_colour(&picture, 102, 102, RED));
    assert_true(has_colour(&picture, 298, 198, RED));
    assert_true(has_colour(&picture, 302, 102, BLACK));
    set_colour(window, BLUE);
    await_colour(source, 200, 150, BLUE);
    close_window(window);
    await_colour(source, 200, 150, BLACK);
    jingle_video_source_free(source);
}

static void test_a_part_of_the_screen_is_cut_out_of_it(void **state)
{
    (void)state;
    need_server();
    xcb_window_t window = make_window("a", 100, 100, 200, 100, GREEN);
    jingle_video_source *source = started("50x30+100+100", 50, 30);
    jingle_picture picture = next(source);
    assert_true(has_colour(&picture, 0, 0, GREEN));
    assert_true(has_colour(&picture, 48, 28, GREEN));
    jingle_video_source_free(source);
    /* what reaches beyond the screen is cut off */
    jingle_video_source_free(started("500x500+600+400", WIDTH - 600, HEIGHT - 400));
    source = make("10x10+640+0");
    jingle_video_format format = {0};
    assert_int_equal(source->start(source->user, &format), JINGLE_ERROR_DISPLAY);
    jingle_video_source_free(source);
    close_window(window);
}

static void test_a_window_is_shown_without_what_lies_over_it(void **state)
{
    (void)state;
    need_server();
    put_pointer(WIDTH - 1, HEIGHT - 1);
    xcb_window_t window = make_window("A letter to you", 100, 100, 200, 101, RED);
    jingle_video_source *source = started("window:letter", 200, 101);
    xcb_window_t over = make_window("b", 120, 120, 50, 50, BLUE);
    await_colour(source, 30, 30, RED);
    set_colour(window, GREEN);
    await_colour(source, 30, 30, GREEN);
    jingle_video_source_free(source);
    close_window(over);
    close_window(window);
}

static void test_a_window_may_reach_beyond_the_screen(void **state)
{
    (void)state;
    need_server();
    xcb_window_t window = make_window("wide", -50, HEIGHT - 20, 2 * WIDTH, 100, GREEN);
    jingle_video_source *source = started("window:wide", 2 * WIDTH, 100);
    await_colour(source, 10, 90, GREEN);
    await_colour(source, 2 * WIDTH - 2, 10, GREEN);
    jingle_video_source_free(source);
    close_window(window);
}

static void test_a_resized_window_goes_on_with_its_new_size(void **state)
{
    (void)state;
    need_server();
    xcb_window_t window = make_window("letter", 10, 10, 100, 100, RED);
    jingle_video_source *source = started("window:letter", 100, 100);
    next(source);
    const uint32_t sides[] = {300, 200};
    xcb_configure_window(x, window, XCB_CONFIG_WINDOW_WIDTH | XCB_CONFIG_WINDOW_HEIGHT, sides);
    settle();
    await_colour(source, 298, 198, RED);
    jingle_video_source_free(source);
    close_window(window);
}

static void test_a_closed_window_is_lost_and_found_when_it_is_back(void **state)
{
    (void)state;
    need_server();
    xcb_window_t window = make_window("letter", 10, 10, 100, 100, RED);
    jingle_video_source *source = started("window:letter", 100, 100);
    next(source);
    close_window(window);
    jingle_picture picture;
    long got;
    do {
        got = source->read(source->user, &picture, USEC_PER_SEC);
    } while (got >= 0);
    assert_int_equal(got, JINGLE_VIDEO_LOST);
    jingle_video_format format = {0};
    assert_int_equal(source->start(source->user, &format), JINGLE_ERROR_DISPLAY);
    assert_int_equal(source->read(source->user, &picture, 0), JINGLE_VIDEO_LOST);
    window = make_window("letter", 10, 10, 60, 50, BLUE);
    assert_int_equal(source->start(source->user, &format), JINGLE_OK);
    assert_int_equal(format.width, 60);
    await_colour(source, 30, 30, BLUE);
    jingle_video_source_free(source);
    close_window(window);
}

static void test_a_still_screen_is_given_now_and_then_only(void **state)
{
    (void)state;
    need_server();
    jingle_video_source *source = started("screen", WIDTH, HEIGHT);
    usec first = next(source).time;
    /* what was drawn before the start may be told late */
    usec second = next(source).time, third = next(source).time;
    assert_true(third - second >= 900 * USEC_PER_MS || third - first >= 900 * USEC_PER_MS);
    jingle_video_source_free(source);
}

static void test_the_pointer_is_drawn_where_it_is(void **state)
{
    (void)state;
    need_server();
    xcb_window_t window = make_window("a", 0, 0, WIDTH, HEIGHT, RED);
    put_pointer(300, 200);
    jingle_video_source *source = started("screen", WIDTH, HEIGHT);
    jingle_picture picture = next(source);
    unsigned drawn = 0;
    for (unsigned top = 180; top < 240; top++) {
        for (unsigned left = 280; left < 340; left++) {
            drawn += !has_colour(&picture, left, top, RED);
        }
    }
    assert_in_range(drawn, 5, 2000);
    assert_true(has_colour(&picture, 100, 100, RED));
    put_pointer(100, 100);
    usec deadline = clock_now() + 20 * USEC_PER_SEC;
    do {
        picture = next(source);
        assert_true(clock_now() < deadline);
    } while (!has_colour(&picture, 300, 200, RED));
    jingle_video_source_free(source);
    close_window(window);
}

static void test_no_display_is_told(void **state)
{
    (void)state;
    need_server();
    char display[16];
    snprintf(display, sizeof display, "%s", getenv("DISPLAY"));
    setenv("DISPLAY", ":9999", 1);
    jingle_video_source *source = make("screen");
    jingle_video_format format = {0};
    assert_int_equal(source->start(source->user, &format), JINGLE_ERROR_DISPLAY);
    jingle_video_source_free(source);
    setenv("DISPLAY", display, 1);
}

/* The last two: they end the server. */
static void test_a_server_without_extensions_does_too(void **state)
{
    need_server();
    tear_down(NULL);
    assert_int_equal(start_display(true), 0);
    assert_int_not_equal(server, 0);
    test_the_whole_screen_shows_what_is_drawn(state);
    test_a_resized_window_goes_on_with_its_new_size(state);
}

static void test_a_display_that_goes_away_is_lost(void **state)
{
    (void)state;
    need_server();
    jingle_video_source *source = started("screen", WIDTH, HEIGHT);
    next(source);
    stop_server();
    jingle_picture picture;
    long got;
    do {
        got = source->read(source->user, &picture, USEC_PER_SEC);
    } while (got >= 0);
    assert_int_equal(got, JINGLE_VIDEO_LOST);
    jingle_video_source_free(source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_whole_screen_shows_what_is_drawn),
        cmocka_unit_test(test_a_part_of_the_screen_is_cut_out_of_it),
        cmocka_unit_test(test_a_window_is_shown_without_what_lies_over_it),
        cmocka_unit_test(test_a_window_may_reach_beyond_the_screen),
        cmocka_unit_test(test_a_resized_window_goes_on_with_its_new_size),
        cmocka_unit_test(test_a_closed_window_is_lost_and_found_when_it_is_back),
        cmocka_unit_test(test_a_still_screen_is_given_now_and_then_only),
        cmocka_unit_test(test_the_pointer_is_drawn_where_it_is),
        cmocka_unit_test(test_no_display_is_told),
        cmocka_unit_test(test_a_server_without_extensions_does_too),
        cmocka_unit_test(test_a_display_that_goes_away_is_lost),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
