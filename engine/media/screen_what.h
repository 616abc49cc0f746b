/* What of the screen is wanted, as jingle_video_source_screen() is told. */
#ifndef JINGLE_MEDIA_SCREEN_WHAT_H
#define JINGLE_MEDIA_SCREEN_WHAT_H

#include <stdbool.h>
#include <stdint.h>

enum screen_kind {
    SCREEN_ANY, /* "" */
    SCREEN_WHOLE,
    SCREEN_WINDOW,
    SCREEN_PART,
};

struct screen_what {
    enum screen_kind kind;
    const char *title;            /* of a window, within the text that was parsed */
    uint32_t x, y, width, height; /* of a part */
};

/* `text` may be NULL. False: it is none of these. */
bool screen_what_parse(const char *text, struct screen_what *what);

#endif
