#include "support/picture_clock.h"

#include "media/picture_code.h"

enum {
    MIDDLE = 126,  /* between black and white */
    CONTRAST = 24, /* from the middle; a cell within it is neither */
};

/* Where on a side of `cells` cells something is, in quarters of a cell. */
static uint32_t place(uint32_t side, uint32_t quarters, uint32_t cells)
{
    return (uint32_t)((uint64_t)side * quarters / (4 * cells));
}

/* The mean of the inner quarter of a cell, whose edges coding and scaling have blurred. */
static int cell_mean(const jingle_picture *picture, uint32_t column, uint32_t row)
{
    uint32_t x = place(picture->width, 4 * column + 1, PICTURE_CODE_COLUMNS);
    uint32_t right = place(picture->width, 4 * column + 3, PICTURE_CODE_COLUMNS);
    uint32_t y = place(picture->height, 4 * row + 1, PICTURE_CODE_GRID_ROWS);
    uint32_t end = place(picture->height, 4 * row + 3, PICTURE_CODE_GRID_ROWS);
    right += right == x;
    end += end == y;
    uint64_t sum = 0;
    for (uint32_t j = y; j < end; j++) {
        for (uint32_t i = x; i < right; i++) {
            sum += picture->planes[0][j * picture->strides[0] + i];
        }
    }
    return (int)(sum / ((uint64_t)(right - x) * (end - y)));
}

static bool read_row(const jingle_picture *picture, uint32_t row, uint32_t *bits)
{
    *bits = 0;
    for (uint32_t i = 0; i < PICTURE_CODE_COLUMNS; i++) {
        int mean = cell_mean(picture, i, PICTURE_CODE_FIRST_ROW + row);
        if (mean > MIDDLE - CONTRAST && mean < MIDDLE + CONTRAST) {
            return false;
        }
        *bits = *bits << 1 | (mean > MIDDLE);
    }
    return true;
}

bool picture_clock_read(const jingle_picture *picture, struct picture_clock *clock)
{
    uint32_t time, rest;
    if (picture->width < PICTURE_CODE_COLUMNS || picture->height < PICTURE_CODE_GRID_ROWS ||
        !read_row(picture, 0, &time) || !read_row(picture, 1, &rest)) {
        return false;
    }
    uint16_t number = (uint16_t)(rest >> 16);
    if (picture_code_make(time, number).rows[1] != rest) {
        return false;
    }
    *clock = (struct picture_clock){.time = time, .number = number};
    return true;
}

int32_t picture_clock_age(const struct picture_clock *clock, int64_t now)
{
    return (int32_t)((uint32_t)(now / 1000) - clock->time);
}
