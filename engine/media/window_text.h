/* What is drawn over the pictures of a window, by Pango and Cairo: a line of text in any script on
 * a dark ground, and the border of the self view. */
#ifndef JINGLE_MEDIA_WINDOW_TEXT_H
#define JINGLE_MEDIA_WINDOW_TEXT_H

#include <stdbool.h>
#include <stdint.h>

/* 0xAARRGGBB in the machine's byte order; colours are not multiplied by alpha. */
struct window_pixels {
    int width;
    int height;
    uint32_t *argb;
};

void window_pixels_clear(struct window_pixels *pixels);

struct window_text;

/* NULL: no font, or out of memory. */
struct window_text *window_text_new(void);
void window_text_free(struct window_text *text);

/* `height`: of the letters' line; what is wider than `width_max` with its ground is cut off. False:
 * out of memory; then there are no pixels. */
bool window_text_draw(struct window_text *text, const char *line, int height, int width_max,
                      struct window_pixels *out);

/* A line along the edge of a rectangle with round corners. */
bool window_border_draw(int width, int height, int radius, int line, struct window_pixels *out);

#endif
