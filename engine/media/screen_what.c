#include "media/screen_what.h"

#include <stdlib.h>
#include <string.h>

enum { SIDE_MAX = 65535 /* X11 has no larger coordinates */ };

/* A number followed by `end`; NULL if there is none. */
static const char *parse_number(const char *text, char end, uint32_t *number)
{
    char *rest;
    if (*text < '0' || *text > '9') {
        return NULL;
    }
    unsigned long value = strtoul(text, &rest, 10);
    if (*rest != end || value > SIDE_MAX) {
        return NULL;
    }
    *number = (uint32_t)value;
    return rest + 1;
}

static bool parse_part(const char *text, struct screen_what *what)
{
    what->kind = SCREEN_PART;
    return (text = parse_number(text, 'x', &what->width)) &&
           (text = parse_number(text, '+', &what->height)) &&
           (text = parse_number(text, '+', &what->x)) && parse_number(text, '\0', &what->y) &&
           what->width > 0 && what->height > 0;
}

bool screen_what_parse(const char *text, struct screen_what *what)
{
    static const char window[] = "window:";
    *what = (struct screen_what){.kind = SCREEN_ANY};
    if (!text || !*text) {
        return true;
    }
    if (strcmp(text, "screen") == 0) {
        what->kind = SCREEN_WHOLE;
        return true;
    }
    if (strncmp(text, window, sizeof window - 1) == 0) {
        what->kind = SCREEN_WINDOW;
        what->title = text + sizeof window - 1;
        return *what->title;
    }
    return parse_part(text, what);
}
