#include "system/pictures.h"

#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#include <cmocka.h>

static const uint8_t yuv[COLOURS][3] = {
    [COLOUR_RED] = {81, 90, 240},
    [COLOUR_GREEN] = {145, 54, 34},
    [COLOUR_BLUE] = {41, 240, 110},
    [COLOUR_WHITE] = {235, 128, 128},
};

/* ------------------------------------------------------------------------------- the source -- */

static jingle_status start_source(void *user, jingle_video_format *format)
{
    struct pictures *p = user;
    if (atomic_load(&p->source_lost)) {
        return JINGLE_ERROR_CAMERA;
    }
    *format = (jingle_video_format){p->width, p->height, p->frame_rate};
    p->next = clock_now();
    atomic_store(&p->source_started, true);
    return JINGLE_OK;
}

static void stop_source(void *user)
{
    atomic_store(&((struct pictures *)user)->source_started, false);
}

static void paint(struct pictures *p, jingle_picture *picture)
{
    size_t y = (size_t)p->width * p->height;
    size_t half = (size_t)(p->width + 1) / 2;
    size_t uv = half * ((p->height + 1) / 2);
    if (!p->planes) {
        p->planes = g_malloc(y + 2 * uv);
        memset(p->planes, yuv[p->colour][0], y);
        memset(p->planes + y, yuv[p->colour][1], uv);
        memset(p->planes + y + uv, yuv[p->colour][2], uv);
    }
    picture->width = p->width;
    picture->height = p->height;
    picture->planes[0] = p->planes;
    picture->planes[1] = p->planes + y;
    picture->planes[2] = p->planes + y + uv;
    picture->strides[0] = p->width;
    picture->strides[1] = half;
    picture->strides[2] = half;
}

static long read_source(void *user, jingle_picture *picture, int64_t timeout)
{
    struct pictures *p = user;
    int64_t wait = MIN(p->next - clock_now(), timeout);
    if (wait > 0) {
        g_usleep((gulong)wait);
    }
    if (atomic_load(&p->source_lost)) {
        return JINGLE_VIDEO_LOST;
    }
    if (atomic_load(&p->frames_left) == 0) {
        return JINGLE_VIDEO_END;
    }
    if (clock_now() < p->next) {
        return 0;
    }
    if (atomic_load(&p->frames_left) > 0) {
        atomic_fetch_sub(&p->frames_left, 1);
    }
    paint(p, picture);
    picture->time = p->next;
    p->next += USEC_PER_SEC / p->frame_rate;
    atomic_fetch_add(&p->given, 1);
    return 1;
}

static void free_source(void *user)
{
    atomic_fetch_sub(&((struct pictures *)user)->sources_out, 1);
}

/* -------------------------------------------------------------------------------- the sinks -- */

static enum colour colour_of(const jingle_picture *picture)
{
    size_t row = picture->height / 2;
    size_t column = picture->width / 2;
    const int at[3] = {
        picture->planes[0][row * picture->strides[0] + column],
        picture->planes[1][row / 2 * picture->strides[1] + column / 2],
        picture->planes[2][row / 2 * picture->strides[2] + column / 2],
    };
    for (enum colour c = COLOUR_RED; c < COLOURS; c++) {
        if (abs(at[0] - yuv[c][0]) < 20 && abs(at[1] - yuv[c][1]) < 20 &&
            abs(at[2] - yuv[c][2]) < 20) {
            return c;
        }
    }
    return COLOUR_NONE;
}

static jingle_status write_sink(void *user, const jingle_picture *picture)
{
    struct pictures *p = user;
    if (atomic_load(&p->sink_lost)) {
        return JINGLE_ERROR_DISPLAY;
    }
    atomic_store(&p->seen, colour_of(picture));
    atomic_store(&p->seen_width, picture->width);
    atomic_store(&p->seen_height, picture->height);
    atomic_fetch_add(&p->shown, 1);
    eventfd_write(p->poke, 1);
    return JINGLE_OK;
}

static jingle_status write_self_view(void *user, const jingle_picture *picture)
{
    struct pictures *p = user;
    atomic_store(&p->seen_self, colour_of(picture));
    atomic_fetch_add(&p->shown_self, 1);
    eventfd_write(p->poke, 1);
    return JINGLE_OK;
}

static void free_sink(void *user)
{
    atomic_fetch_sub(&((struct pictures *)user)->sinks_out, 1);
}

/* --------------------------------------------------------------------------------- the whole -- */

jingle_video_config pictures_config(struct pictures *p, int poke, enum colour colour)
{
    jingle_video_config config;
    p->poke = poke;
    p->colour = colour;
    p->width = p->width ? p->width : 320;
    p->height = p->height ? p->height : 180;
    p->frame_rate = 30;
    atomic_store(&p->frames_left, -1);
    p->source = (jingle_video_source){
        .size = sizeof p->source,
        .user = p,
        .start = start_source,
        .read = read_source,
        .stop = stop_source,
        .free = free_source,
    };
    p->sink = (jingle_video_sink){
        .size = sizeof p->sink, .user = p, .write = write_sink, .free = free_sink};
    p->self_view = (jingle_video_sink){
        .size = sizeof p->sink, .user = p, .write = write_self_view, .free = free_sink};
    jingle_video_config_init(&config);
    config.source = &p->source;
    config.sink = &p->sink;
    config.self_view = &p->self_view;
    return config;
}

void pictures_hand_over(struct pictures *p, const jingle_video_config *config)
{
    atomic_fetch_add(&p->sources_out, config->source == &p->source);
    atomic_fetch_add(&p->sinks_out, config->sink == &p->sink);
    atomic_fetch_add(&p->sinks_out, config->self_view == &p->self_view);
}

void pictures_end(struct pictures *p)
{
    assert_int_equal(atomic_load(&p->sources_out), 0);
    assert_int_equal(atomic_load(&p->sinks_out), 0);
    g_free(p->planes);
    p->planes = NULL;
}

/* ----------------------------------------------------------------------------------- waiting -- */

struct wanted {
    struct pictures *pictures;
    enum colour colour;
    long shown;
};

static bool shows_colour(void *user)
{
    struct wanted *wanted = user;
    return atomic_load(&wanted->pictures->seen) == (int)wanted->colour;
}

static bool has_shown(void *user)
{
    struct wanted *wanted = user;
    return atomic_load(&wanted->pictures->shown) >= wanted->shown;
}

void await_colour(struct world *world, struct pictures *pictures, enum colour colour)
{
    atomic_store(&pictures->seen, COLOUR_NONE);
    await_all(world, shows_colour, &(struct wanted){pictures, colour, 0});
}

void await_pictures(struct world *world, struct pictures *pictures, long count)
{
    struct wanted wanted = {.pictures = pictures, .shown = atomic_load(&pictures->shown) + count};
    await_all(world, has_shown, &wanted);
}

static bool never(void *user)
{
    (void)user;
    return false;
}

/* What was under way may still be shown. */
void expect_no_pictures(struct world *world, struct pictures *pictures)
{
    switchboard_run(world->board, never, NULL, 700 * USEC_PER_MS);
    long shown = atomic_load(&pictures->shown);
    switchboard_run(world->board, never, NULL, 500 * USEC_PER_MS);
    assert_int_equal(atomic_load(&pictures->shown), shown);
}
