#include "support/moving_picture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MARGIN = 64, OCTAVES = 7, GRAIN_PERIOD = 61 };

struct moving_picture {
    uint32_t width, height; /* of what is seen */
    uint32_t chroma_width, chroma_height;
    uint32_t wall_width, wall_height; /* there is a margin around it */
    uint8_t *wall;
    uint8_t *head; /* a texture of the same size */
    uint8_t *seen; /* Y, U, V or UV */
};

static uint32_t hash(uint32_t x, uint32_t y, uint32_t seed)
{
    uint32_t value = x * 374761393U + y * 668265263U + seed * 2246822519U;
    value = (value ^ value >> 13) * 1274126177U;
    return value ^ value >> 16;
}

/* Noise of one size of grain, between 0 and 1, smooth between the corners of its cells. */
static double noise(uint32_t x, uint32_t y, unsigned shift, uint32_t seed)
{
    uint32_t column = x >> shift;
    uint32_t row = y >> shift;
    double size = (double)(1U << shift);
    double right = (x - (column << shift)) / size;
    double down = (y - (row << shift)) / size;
    double corners[4];
    for (uint32_t i = 0; i < 4; i++) {
        corners[i] = hash(column + (i & 1), row + (i >> 1), seed) % 1024 / 1023.0;
    }
    double top = corners[0] + (corners[1] - corners[0]) * right;
    double bottom = corners[2] + (corners[3] - corners[2]) * right;
    return top + (bottom - top) * down;
}

/* Coarse structure is strong and fine structure weaker, as in photographs. */
static void paint(uint8_t *texture, uint32_t width, uint32_t height, uint32_t seed)
{
    for (uint32_t y = 0; y < height; y++) {
        for (uint32_t x = 0; x < width; x++) {
            double value = 0;
            for (unsigned octave = 0; octave < OCTAVES; octave++) {
                value += noise(x, y, octave, seed + octave) * (octave + 1);
            }
            texture[(size_t)y * width + x] =
                (uint8_t)(20 + value * 420 / (OCTAVES * (OCTAVES + 1)));
        }
    }
}

struct moving_picture *moving_picture_new(uint32_t width, uint32_t height)
{
    struct moving_picture *moving = calloc(1, sizeof *moving);
    if (!moving) {
        abort();
    }
    moving->width = width;
    moving->height = height;
    moving->chroma_width = (width + 1) / 2;
    moving->chroma_height = (height + 1) / 2;
    moving->wall_width = width + 2 * MARGIN;
    moving->wall_height = height + 2 * MARGIN;
    size_t pixels = (size_t)moving->wall_width * moving->wall_height;
    moving->wall = malloc(pixels);
    moving->head = malloc(pixels);
    moving->seen =
        malloc((size_t)width * height + 2 * (size_t)moving->chroma_width * moving->chroma_height);
    if (!moving->wall || !moving->head || !moving->seen) {
        abort();
    }
    paint(moving->wall, moving->wall_width, moving->wall_height, 1);
    paint(moving->head, moving->wall_width, moving->wall_height, 100);
    return moving;
}

void moving_picture_free(struct moving_picture *moving)
{
    if (moving) {
        free(moving->wall);
        free(moving->head);
        free(moving->seen);
        free(moving);
    }
}

static void show_wall(const struct moving_picture *moving, double seconds)
{
    size_t left = (size_t)(MARGIN + 16 * sin(seconds * 1.9));
    size_t top = (size_t)(MARGIN + 10 * sin(seconds * 2.3));
    for (uint32_t y = 0; y < moving->height; y++) {
        memcpy(moving->seen + (size_t)y * moving->width,
               moving->wall + (top + y) * moving->wall_width + left, moving->width);
    }
}

static void show_head(const struct moving_picture *moving, double seconds)
{
    double across = moving->width * 0.16;
    double along = moving->height * 0.35;
    double x = moving->width * (0.5 + 0.1 * sin(seconds * 1.7));
    double y = moving->height * (0.6 + 0.04 * sin(seconds * 2.9));
    for (uint32_t row = 0; row < moving->height; row++) {
        double down = ((double)row - y) / along;
        if (down * down >= 1) {
            continue;
        }
        double half = across * sqrt(1 - down * down);
        int from = (int)(x - half) < 0 ? 0 : (int)(x - half);
        int to = (int)(x + half) > (int)moving->width ? (int)moving->width : (int)(x + half);
        int shift = (int)(moving->width * 0.5 - x);
        uint32_t texture_row = (uint32_t)(MARGIN + (int)row + (int)(moving->height * 0.6 - y));
        for (int column = from; column < to; column++) {
            moving->seen[(size_t)row * moving->width + (size_t)column] =
                moving->head[(size_t)texture_row % moving->wall_height * moving->wall_width +
                             (size_t)(column + shift + MARGIN) % moving->wall_width];
        }
    }
}

static void add_grain(const struct moving_picture *moving, int64_t time)
{
    uint32_t seed = (uint32_t)(time / 1000);
    size_t pixels = (size_t)moving->width * moving->height;
    for (size_t i = hash(seed, 0, 7) % GRAIN_PERIOD; i < pixels;
         i += 1 + hash((uint32_t)i, seed, 8) % 5) {
        moving->seen[i] = (uint8_t)(moving->seen[i] + hash((uint32_t)i, seed, 9) % 5 - 2);
    }
}

jingle_picture moving_picture_at(struct moving_picture *moving, int64_t time, jingle_pixels pixels)
{
    double seconds = (double)time / 1e6;
    size_t chroma = (size_t)moving->chroma_width * moving->chroma_height;
    uint8_t *luma_end = moving->seen + (size_t)moving->width * moving->height;
    show_wall(moving, seconds);
    show_head(moving, seconds);
    add_grain(moving, time);
    for (size_t i = 0; i < chroma; i++) {
        uint8_t u = (uint8_t)(110 + i % moving->chroma_width * 30 / moving->chroma_width);
        uint8_t v = (uint8_t)(120 + i / moving->chroma_width * 30 / moving->chroma_height);
        bool interleaved = pixels == JINGLE_PIXELS_NV12;
        luma_end[interleaved ? 2 * i : i] = u;
        luma_end[interleaved ? 2 * i + 1 : chroma + i] = v;
    }
    jingle_picture picture = {
        .size = sizeof picture,
        .pixels = pixels,
        .width = moving->width,
        .height = moving->height,
        .planes = {moving->seen, luma_end, luma_end + chroma},
        .strides = {moving->width, moving->chroma_width, moving->chroma_width},
        .time = time,
    };
    if (pixels == JINGLE_PIXELS_NV12) {
        picture.planes[2] = NULL;
        picture.strides[1] = 2 * (size_t)moving->chroma_width;
        picture.strides[2] = 0;
    }
    return picture;
}

double picture_psnr(const jingle_picture *one, const jingle_picture *other)
{
    double sum = 0;
    if (one->width != other->width || one->height != other->height) {
        return 0;
    }
    for (uint32_t y = 0; y < one->height; y++) {
        const uint8_t *first = one->planes[0] + y * one->strides[0];
        const uint8_t *second = other->planes[0] + y * other->strides[0];
        for (uint32_t x = 0; x < one->width; x++) {
            int difference = first[x] - second[x];
            sum += difference * difference;
        }
    }
    double mean = sum / one->width / one->height;
    return mean > 0 ? 10 * log10(255.0 * 255.0 / mean) : 99;
}
