/* A moving test picture. The still part is drawn once; of each frame only what moves:
 *
 *     ┌──────────────────────────────┐
 *     │ eight colour bars            │
 *     │        12:34:56.789          │ time of day, seven segments a digit
 *     ├──────────────────────────────┤
 *     │ grey ramp   ■ →              │ a block that goes to and fro
 *     ├──────────────────────────────┤
 *     │ ░▒▓ texture that scrolls ░▒▓ │ work for an encoder
 *     ├──────────────────────────────┤
 *     │ █ ██  █ █ ██ █               │ time and number for programs: picture_code.h
 *     └──────────────────────────────┘ */
#include "media/picture_code.h"
#include "media/video_scale.h"
#include "media/video_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    SIDE_MIN = 64, /* pixels: two for each column of the code */
    USUAL_WIDTH = 1280,
    USUAL_HEIGHT = 720,
    USUAL_RATE = 30,
    BLACK = 16,
    WHITE = 235,
    SWEEP = 4,  /* seconds for the block from one side to the other */
    SCROLL = 8, /* seconds for the texture's whole width */
    CLOCK_GLYPHS = 12,
};

struct colour {
    uint8_t y, u, v;
};

/* 75 % white, yellow, cyan, green, magenta, red, blue, and black. */
static const struct colour BARS[] = {
    {180, 128, 128}, {162, 44, 142}, {131, 156, 44}, {112, 72, 58},
    {84, 184, 198},  {65, 100, 212}, {35, 212, 114}, {BLACK, 128, 128},
};
enum { BAR_COUNT = sizeof BARS / sizeof *BARS };

struct area {
    uint32_t x, y, width, height; /* even */
};

struct test_picture {
    jingle_video_source table;
    jingle_video_format wish;
    struct picture_buffer picture;
    struct picture_buffer texture; /* of the band; its left side fits its right side */
    struct frame_clock clock;
    uint16_t number;
    int64_t day_offset; /* from CLOCK_MONOTONIC to the local time of day */
    struct area bars, digits, lane, band, block;
};

/* --- drawing ------------------------------------------------------------------------------- */

static void fill_plane(uint8_t *plane, size_t stride, uint32_t width, uint32_t height,
                       uint8_t value)
{
    for (uint32_t row = 0; row < height; row++) {
        memset(plane + row * stride, value, width);
    }
}

static void fill_luma(struct picture_buffer *b, struct area a, uint8_t value)
{
    fill_plane(b->planes[0] + a.y * b->strides[0] + a.x, b->strides[0], a.width, a.height, value);
}

static void fill_area(struct picture_buffer *b, struct area a, struct colour colour)
{
    size_t chroma = a.y / 2 * b->strides[1] + a.x / 2;
    fill_luma(b, a, colour.y);
    fill_plane(b->planes[1] + chroma, b->strides[1], a.width / 2, a.height / 2, colour.u);
    fill_plane(b->planes[2] + chroma, b->strides[2], a.width / 2, a.height / 2, colour.v);
}

static uint32_t even_part(uint32_t side, uint32_t part, uint32_t of)
{
    return side * part / of / 2 * 2;
}

static void draw_bars(struct test_picture *t)
{
    for (uint32_t i = 0; i < BAR_COUNT; i++) {
        struct area bar = t->bars;
        bar.x = even_part(t->picture.width, i, BAR_COUNT);
        bar.width = even_part(t->picture.width, i + 1, BAR_COUNT) - bar.x;
        fill_area(&t->picture, bar, BARS[i]);
    }
}

/* The ramp under `a`, which lies in the lane. */
static void draw_ramp(struct test_picture *t, struct area a)
{
    fill_area(&t->picture, a, (struct colour){BLACK, 128, 128});
    uint8_t *first = t->picture.planes[0] + a.y * t->picture.strides[0] + a.x;
    for (uint32_t x = 0; x < a.width; x++) {
        first[x] = (uint8_t)(BLACK + (a.x + x) * (WHITE - BLACK) / t->picture.width);
    }
    for (uint32_t row = 1; row < a.height; row++) {
        memcpy(first + row * t->picture.strides[0], first, a.width);
    }
}

static uint32_t scattered(uint32_t x)
{
    x ^= x >> 16;
    x *= 0x7feb352d;
    x ^= x >> 15;
    x *= 0x846ca68b;
    return x ^ x >> 16;
}

/* Soft waves with some grain; the left side goes on where the right side ends. */
static void draw_texture(struct picture_buffer *b)
{
    for (uint32_t y = 0; y < b->height; y++) {
        uint8_t *row = b->planes[0] + y * b->strides[0];
        for (uint32_t x = 0; x < b->width; x++) {
            uint32_t wave = (x * 16 * 256 / b->width + y * 3) % 512;
            uint32_t ramp = wave < 256 ? wave : 511 - wave;
            uint32_t grain = scattered(y / 2 * b->width + x / 2) % 48;
            row[x] = (uint8_t)(40 + ramp / 2 + grain);
        }
    }
    for (uint32_t y = 0; y < b->height / 2; y++) {
        for (uint32_t x = 0; x < b->width / 2; x++) {
            uint32_t hue = x * 128 / b->width;
            b->planes[1][y * b->strides[1] + x] = (uint8_t)(96 + (hue < 32 ? hue : 63 - hue));
            b->planes[2][y * b->strides[2] + x] = (uint8_t)(112 + y % 64 / 2);
        }
    }
}

/* `by` is even. */
static void draw_band(struct test_picture *t, uint32_t by)
{
    const struct picture_buffer *in = &t->texture;
    const struct picture_buffer *out = &t->picture;
    for (int plane = 0; plane < 3; plane++) {
        uint32_t part = plane == 0 ? 1 : 2;
        uint32_t width = in->width / part, from = by / part;
        for (uint32_t row = 0; row < in->height / part; row++) {
            const uint8_t *source = in->planes[plane] + row * in->strides[plane];
            uint8_t *target = out->planes[plane] + (t->band.y / part + row) * out->strides[plane];
            memcpy(target, source + from, width - from);
            memcpy(target + width - from, source, from);
        }
    }
}

/* --- digits -------------------------------------------------------------------------------- */

/* Which segments are lit: bit 0 the upper bar, then clockwise, bit 6 the middle one. */
static const uint8_t SEGMENTS[10] = {0x3f, 0x06, 0x5b, 0x4f, 0x66, 0x6d, 0x7d, 0x07, 0x7f, 0x6f};

static void draw_digit(struct picture_buffer *b, struct area a, int digit)
{
    uint32_t thick = a.width / 6 > 0 ? a.width / 6 : 1;
    uint32_t right = a.x + a.width - thick;
    uint32_t middle = a.y + (a.height - thick) / 2;
    uint32_t lower = a.y + a.height - thick;
    uint32_t side = a.height / 2;
    const struct area segments[7] = {
        {a.x, a.y, a.width, thick},
        {right, a.y, thick, side},
        {right, a.y + a.height - side, thick, side},
        {a.x, lower, a.width, thick},
        {a.x, a.y + a.height - side, thick, side},
        {a.x, a.y, thick, side},
        {a.x, middle, a.width, thick},
    };
    for (int i = 0; i < 7; i++) {
        if (SEGMENTS[digit] >> i & 1) {
            fill_luma(b, segments[i], WHITE);
        }
    }
}

static void draw_point(struct picture_buffer *b, struct area a, uint32_t y)
{
    uint32_t side = a.width / 4 > 0 ? a.width / 4 : 1;
    fill_luma(b, (struct area){a.x + (a.width - side) / 2, y, side, side}, WHITE);
}

static void draw_clock(struct test_picture *t, usec now)
{
    const int64_t day = INT64_C(24) * 3600 * 1000;
    int64_t ms = ((now + t->day_offset) / USEC_PER_MS % day + day) % day;
    char text[32];
    snprintf(text, sizeof text, "%02d:%02d:%02d.%03d", (int)(ms / 3600000), (int)(ms / 60000 % 60),
             (int)(ms / 1000 % 60), (int)(ms % 1000));
    fill_luma(&t->picture, t->digits, BLACK);
    uint32_t height = t->digits.height * 2 / 3;
    uint32_t step = t->digits.width / (CLOCK_GLYPHS + 1);
    step = step < height ? step : height;
    uint32_t margin = (t->digits.width - CLOCK_GLYPHS * step) / 2;
    struct area a = {.x = t->digits.x + margin + step / 6,
                     .y = t->digits.y + (t->digits.height - height) / 2,
                     .width = step * 2 / 3,
                     .height = height};
    for (int i = 0; i < CLOCK_GLYPHS; i++, a.x += step) {
        if (text[i] >= '0' && text[i] <= '9') {
            draw_digit(&t->picture, a, text[i] - '0');
            continue;
        }
        draw_point(&t->picture, a, a.y + a.height * 5 / 6);
        if (text[i] == ':') {
            draw_point(&t->picture, a, a.y + a.height / 6);
        }
    }
}

/* --- frames -------------------------------------------------------------------------------- */

static void draw_code(struct test_picture *t, usec now)
{
    struct picture_buffer *b = &t->picture;
    struct picture_code code = picture_code_make((uint32_t)(now / USEC_PER_MS), t->number);
    for (uint32_t row = 0; row < PICTURE_CODE_ROWS; row++) {
        uint32_t grid_row = PICTURE_CODE_FIRST_ROW + row;
        uint32_t y = b->height * grid_row / PICTURE_CODE_GRID_ROWS;
        uint32_t end = b->height * (grid_row + 1) / PICTURE_CODE_GRID_ROWS;
        for (uint32_t i = 0; i < PICTURE_CODE_COLUMNS; i++) {
            uint32_t x = b->width * i / PICTURE_CODE_COLUMNS;
            uint32_t right = b->width * (i + 1) / PICTURE_CODE_COLUMNS;
            bool white = code.rows[row] >> (PICTURE_CODE_COLUMNS - 1 - i) & 1;
            fill_luma(b, (struct area){x, y, right - x, end - y}, white ? WHITE : BLACK);
        }
    }
}

/* Where something is that takes `period` from 0 to `length` and jumps back. */
static uint32_t place(usec time, uint32_t period, uint32_t length)
{
    uint64_t within = (uint64_t)time % (period * USEC_PER_SEC);
    return (uint32_t)(within * length / (period * USEC_PER_SEC));
}

static void move_block(struct test_picture *t, usec now)
{
    uint32_t way = t->picture.width - t->block.width;
    uint32_t at = place(now, 2 * SWEEP, 2 * way);
    draw_ramp(t, t->block);
    t->block.x = (at < way ? at : 2 * way - at) / 2 * 2;
    fill_area(&t->picture, t->block, (struct colour){144, 54, 34});
}

static void draw_frame(struct test_picture *t, usec now)
{
    draw_clock(t, now);
    move_block(t, now);
    draw_band(t, place(now, SCROLL, t->band.width) / 2 * 2);
    draw_code(t, now);
}

static void lay_out(struct test_picture *t)
{
    uint32_t width = t->picture.width & ~1u, height = t->picture.height;
    uint32_t code = height * PICTURE_CODE_FIRST_ROW / PICTURE_CODE_GRID_ROWS / 2 * 2;
    uint32_t lane = even_part(height, 9, 18), band = even_part(height, 11, 18);
    t->bars = (struct area){0, 0, width, lane};
    t->lane = (struct area){0, lane, width, band - lane};
    t->band = (struct area){0, band, width, code - band};
    uint32_t side = t->lane.height < width / 4 ? t->lane.height : even_part(width, 1, 4);
    t->block = (struct area){0, lane, side, side};
    uint32_t digits = even_part(width, 3, 4);
    t->digits = (struct area){(width - digits) / 4 * 2, even_part(height, 3, 18), digits,
                              even_part(height, 3, 18)};
}

static bool draw_still(struct test_picture *t)
{
    lay_out(t);
    if (!picture_buffer_resize(&t->texture, t->band.width, t->band.height)) {
        return false;
    }
    picture_buffer_blacken(&t->picture);
    draw_texture(&t->texture);
    draw_bars(t);
    fill_area(&t->picture, t->digits, (struct colour){BLACK, 128, 128});
    draw_ramp(t, t->lane);
    return true;
}

/* --- table --------------------------------------------------------------------------------- */

/* From the monotonic clock to the local time of day. */
static int64_t offset_of_day(void)
{
    usec now = clock_now(), wall = clock_wall();
    time_t seconds = (time_t)(wall / USEC_PER_SEC);
    struct tm local;
    localtime_r(&seconds, &local);
    int64_t of_day = (int64_t)local.tm_hour * 3600 + local.tm_min * 60 + local.tm_sec;
    return of_day * USEC_PER_SEC + wall % USEC_PER_SEC - now;
}

static jingle_status start(void *user, jingle_video_format *format)
{
    struct test_picture *t = user;
    jingle_video_format wanted = {
        .width = t->wish.width > 0 ? t->wish.width : format->width,
        .height = t->wish.height > 0 ? t->wish.height : format->height,
        .frame_rate = t->wish.frame_rate > 0 ? t->wish.frame_rate : format->frame_rate,
    };
    video_format_complete(&wanted, (jingle_video_format){USUAL_WIDTH, USUAL_HEIGHT, USUAL_RATE});
    wanted.width = wanted.width > SIDE_MIN ? wanted.width : SIDE_MIN;
    wanted.height = wanted.height > SIDE_MIN ? wanted.height : SIDE_MIN;
    if (!picture_buffer_resize(&t->picture, wanted.width, wanted.height) || !draw_still(t)) {
        return JINGLE_ERROR_MEMORY;
    }
    *format = wanted;
    t->day_offset = offset_of_day();
    frame_clock_start(&t->clock, wanted.frame_rate, clock_now());
    return JINGLE_OK;
}

static long read_test(void *user, jingle_picture *picture, int64_t timeout)
{
    struct test_picture *t = user;
    usec due;
    if (!frame_clock_wait(&t->clock, timeout, &due)) {
        return 0;
    }
    draw_frame(t, due);
    t->number++;
    *picture = picture_buffer_view(&t->picture, due);
    return 1;
}

static void free_test(void *user)
{
    struct test_picture *t = user;
    picture_buffer_clear(&t->picture);
    picture_buffer_clear(&t->texture);
    free(t);
}

static bool side_allowed(uint32_t side)
{
    return side == 0 || (side >= SIDE_MIN && side <= PICTURE_SIDE_MAX);
}

jingle_video_source *jingle_video_source_test(uint32_t width, uint32_t height, uint32_t frame_rate,
                                              jingle_status *status)
{
    if (!side_allowed(width) || !side_allowed(height) || frame_rate > VIDEO_RATE_MAX) {
        return video_source_failed(status, JINGLE_ERROR_INVALID);
    }
    struct test_picture *t = calloc(1, sizeof *t);
    if (!t) {
        return video_source_failed(status, JINGLE_ERROR_MEMORY);
    }
    t->wish = (jingle_video_format){width, height, frame_rate};
    t->table = (jingle_video_source){
        .size = sizeof t->table,
        .user = t,
        .start = start,
        .read = read_test,
        .free = free_test,
    };
    return video_source_made(&t->table, status);
}
