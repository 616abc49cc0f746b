/* For the demo: is a snapshot the test picture that was sent during the call?
 *
 *     compare_picture SNAPSHOT.png AFTER BEFORE
 *     compare_picture now                          prints the time of that clock
 *
 * The test picture's lowest two rows of cells (32 columns of a grid of 18 rows) say when it was
 * drawn (32 bits, milliseconds of CLOCK_MONOTONIC), its number (16 bits) and a CRC-16 of both; its
 * upper part is colour bars. AFTER and BEFORE are milliseconds of the same clock: the call. Ends
 * with 0 if the picture was drawn between them and the colours are right. */
#include <png.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { COLUMNS = 32, GRID_ROWS = 18, BARS = 8, TOLERANCE = 24 };

struct image {
    unsigned width, height;
    unsigned char *pixels; /* RGB */
};

static const struct {
    const char *name;
    int rgb[3];
} bars[BARS] = {
    {"white", {191, 191, 191}}, {"yellow", {191, 191, 0}},  {"cyan", {0, 191, 191}},
    {"green", {0, 191, 0}},     {"magenta", {191, 0, 191}}, {"red", {191, 0, 0}},
    {"blue", {0, 0, 191}},      {"black", {0, 0, 0}},
};

static bool image_load(struct image *image, const char *path)
{
    png_image png = {.version = PNG_IMAGE_VERSION};
    if (!png_image_begin_read_from_file(&png, path)) {
        fprintf(stderr, "%s: %s\n", path, png.message);
        return false;
    }
    png.format = PNG_FORMAT_RGB;
    *image = (struct image){png.width, png.height, malloc(PNG_IMAGE_SIZE(png))};
    if (!image->pixels || !png_image_finish_read(&png, NULL, image->pixels, 0, NULL)) {
        fprintf(stderr, "%s: %s\n", path, png.message);
        png_image_free(&png);
        free(image->pixels);
        return false;
    }
    return true;
}

/* The mean of one colour in the middle of a cell of a grid. */
static int cell_mean(const struct image *image, unsigned columns, unsigned rows, unsigned column,
                     unsigned row, int colour)
{
    unsigned left = image->width * (4 * column + 1) / (4 * columns);
    unsigned right = image->width * (4 * column + 3) / (4 * columns) + 1;
    unsigned top = image->height * (4 * row + 1) / (4 * rows);
    unsigned bottom = image->height * (4 * row + 3) / (4 * rows) + 1;
    unsigned long sum = 0;
    for (unsigned y = top; y < bottom; y++) {
        for (unsigned x = left; x < right; x++) {
            sum += image->pixels[((size_t)y * image->width + x) * 3 + (unsigned)colour];
        }
    }
    return (int)(sum / ((right - left) * (bottom - top)));
}

static uint32_t read_row(const struct image *image, unsigned row)
{
    uint32_t bits = 0;
    for (unsigned i = 0; i < COLUMNS; i++) {
        bits = bits << 1 | (cell_mean(image, COLUMNS, GRID_ROWS, i, row, 1) > 127);
    }
    return bits;
}

/* CRC-16/CCITT-FALSE of the 48 bits before it. */
static uint16_t crc(uint64_t bits)
{
    uint32_t value = 0xffff;
    for (int i = 47; i >= 0; i--) {
        uint32_t top = (value >> 15 ^ (uint32_t)(bits >> i)) & 1;
        value = (value << 1 & 0xffff) ^ (top ? 0x1021 : 0);
    }
    return (uint16_t)value;
}

static bool clock_is_right(const struct image *image, uint32_t after, uint32_t before)
{
    uint32_t time = read_row(image, GRID_ROWS - 2);
    uint32_t rest = read_row(image, GRID_ROWS - 1);
    if (crc((uint64_t)time << 16 | rest >> 16) != (rest & 0xffff)) {
        puts("The clock in the picture cannot be read.");
        return false;
    }
    bool good = time - after <= before - after; /* also when the 32 bits run over */
    printf("The picture is number %u, drawn %.1f s after the call was begun: %s.\n", rest >> 16,
           (double)(int32_t)(time - after) / 1000, good ? "in time" : "NOT during this call");
    return good;
}

static bool bars_are_right(const struct image *image)
{
    bool good = true;
    for (unsigned i = 0; i < BARS; i++) {
        for (int colour = 0; colour < 3; colour++) {
            int mean = cell_mean(image, BARS, GRID_ROWS, i, 0, colour);
            if (abs(mean - bars[i].rgb[colour]) > TOLERANCE) {
                printf("The %s bar is wrong: colour %d is %d, not %d.\n", bars[i].name, colour,
                       mean, bars[i].rgb[colour]);
                good = false;
            }
        }
    }
    if (good) {
        puts("All eight colour bars are right.");
    }
    return good;
}

int main(int argc, char **argv)
{
    struct image image;
    if (argc == 2 && strcmp(argv[1], "now") == 0) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        printf("%lld\n", (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000);
        return 0;
    }
    if (argc != 4) {
        fprintf(stderr, "Usage: compare_picture SNAPSHOT.png AFTER BEFORE | now\n");
        return 2;
    }
    if (!image_load(&image, argv[1])) {
        return 2;
    }
    uint32_t after = (uint32_t)strtoull(argv[2], NULL, 10);
    uint32_t before = (uint32_t)strtoull(argv[3], NULL, 10);
    printf("The snapshot has %u x %u pixels.\n", image.width, image.height);
    bool right = clock_is_right(&image, after, before);
    right = bars_are_right(&image) && right;
    free(image.pixels);
    return right ? 0 : 1;
}
