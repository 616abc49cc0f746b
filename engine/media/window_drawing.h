/* What is in the window: the remote picture as large as it fits, our own in a corner, mirrored and
 * with round corners, and the line of text. By SDL's renderer, whichever it has. */
#ifndef JINGLE_MEDIA_WINDOW_DRAWING_H
#define JINGLE_MEDIA_WINDOW_DRAWING_H

#include "media/video_scale.h"
#include "media/window_state.h"
#include "media/window_text.h"

#include <SDL.h>

struct window_layer {
    SDL_Texture *texture; /* NULL: nothing yet, or the renderer lost it */
    int width, height;
};

struct window_drawing {
    SDL_Renderer *renderer;
    struct picture_buffer buffers[WINDOW_VIEWS]; /* what is shown now */
    bool live[WINDOW_VIEWS];                     /* otherwise it is not shown */
    struct window_layer pictures[WINDOW_VIEWS];
    struct window_layer border; /* of the self view, in its size */
    struct window_layer line;   /* the text, as it is drawn for ... */
    int line_height, line_room;
    struct window_text *text; /* NULL: there is no font */
    char words[WINDOW_TEXT_MAX + 1];
};

/* Draws with `renderer`, which stays the caller's. */
void window_drawing_init(struct window_drawing *drawing, SDL_Renderer *renderer);
void window_drawing_clear(struct window_drawing *drawing);

/* The same without a word to the renderer, whose display is gone. */
void window_drawing_abandon(struct window_drawing *drawing);

/* Takes what is new in a view; true: something has changed. */
bool window_drawing_update(struct window_drawing *drawing, struct window_state *state,
                           enum window_view view);

void window_drawing_set_text(struct window_drawing *drawing, const char *words);

/* The renderer lost what it had: all of it is made anew. */
void window_drawing_forget(struct window_drawing *drawing);

/* Draws all of it and shows it. */
void window_drawing_show(struct window_drawing *drawing);

#endif
