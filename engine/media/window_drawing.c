#include "media/window_drawing.h"

#include <math.h>
#include <string.h>

enum {
    CORNER_POINTS = 9, /* of each round corner of the self view */
    OUTLINE_POINTS = 4 * CORNER_POINTS,
    SELF_PART = 5,   /* the self view is at most a fifth of the window wide ... */
    SELF_LEAST = 96, /* ... and is not shown below this */
    TEXT_PART = 34,  /* lines of text that the window has room for */
    TEXT_LEAST = 13,
    TEXT_MOST = 40,
};

static int clamp(int value, int least, int most)
{
    return value < least ? least : value > most ? most : value;
}

static void layer_clear(struct window_layer *layer)
{
    if (layer->texture) {
        SDL_DestroyTexture(layer->texture);
    }
    *layer = (struct window_layer){0};
}

/* Makes the layer's texture, unless it is there in this size. */
static bool layer_make(struct window_layer *layer, SDL_Renderer *renderer, uint32_t format,
                       int access, int width, int height)
{
    if (layer->texture && layer->width == width && layer->height == height) {
        return true;
    }
    layer_clear(layer);
    layer->texture = SDL_CreateTexture(renderer, format, access, width, height);
    if (!layer->texture) {
        return false;
    }
    layer->width = width;
    layer->height = height;
    SDL_SetTextureScaleMode(layer->texture, SDL_ScaleModeLinear);
    return true;
}

static void layer_fill(struct window_layer *layer, SDL_Renderer *renderer,
                       struct window_pixels *pixels)
{
    layer_clear(layer);
    if (pixels->argb && layer_make(layer, renderer, SDL_PIXELFORMAT_ARGB8888,
                                   SDL_TEXTUREACCESS_STATIC, pixels->width, pixels->height)) {
        SDL_UpdateTexture(layer->texture, NULL, pixels->argb,
                          pixels->width * (int)sizeof *pixels->argb);
        SDL_SetTextureBlendMode(layer->texture, SDL_BLENDMODE_BLEND);
    }
    window_pixels_clear(pixels);
}

void window_drawing_init(struct window_drawing *d, SDL_Renderer *renderer)
{
    *d = (struct window_drawing){.renderer = renderer, .text = window_text_new()};
}

void window_drawing_forget(struct window_drawing *d)
{
    for (int i = 0; i < WINDOW_VIEWS; i++) {
        layer_clear(&d->pictures[i]);
    }
    layer_clear(&d->border);
    layer_clear(&d->line);
}

void window_drawing_abandon(struct window_drawing *d)
{
    for (int i = 0; i < WINDOW_VIEWS; i++) {
        picture_buffer_clear(&d->buffers[i]);
    }
    window_text_free(d->text);
}

void window_drawing_clear(struct window_drawing *d)
{
    window_drawing_forget(d);
    window_drawing_abandon(d);
}

/* --- what is shown ------------------------------------------------------------------------ */

static void upload(struct window_drawing *d, enum window_view view)
{
    const struct picture_buffer *buffer = &d->buffers[view];
    struct window_layer *layer = &d->pictures[view];
    if (buffer->width > 0 &&
        layer_make(layer, d->renderer, SDL_PIXELFORMAT_IYUV, SDL_TEXTUREACCESS_STREAMING,
                   (int)buffer->width, (int)buffer->height)) {
        SDL_UpdateYUVTexture(layer->texture, NULL, buffer->planes[0], (int)buffer->strides[0],
                             buffer->planes[1], (int)buffer->strides[1], buffer->planes[2],
                             (int)buffer->strides[2]);
    }
}

bool window_drawing_update(struct window_drawing *d, struct window_state *state,
                           enum window_view view)
{
    bool live;
    bool fresh = window_state_take(state, view, &d->buffers[view], &live);
    bool changed = fresh || live != d->live[view];
    d->live[view] = live;
    if (fresh) {
        upload(d, view);
    }
    return changed;
}

void window_drawing_set_text(struct window_drawing *d, const char *words)
{
    layer_clear(&d->line);
    strncpy(d->words, words, WINDOW_TEXT_MAX);
}

/* --- where and how ------------------------------------------------------------------------ */

/* The largest size of the layer's shape in this room. */
static SDL_Rect fit(const struct window_layer *layer, int width, int height)
{
    SDL_Rect out = {.w = width, .h = (int)((int64_t)width * layer->height / layer->width)};
    if (out.h > height) {
        out.h = height;
        out.w = (int)((int64_t)height * layer->width / layer->height);
    }
    out.w = out.w > 0 ? out.w : 1;
    out.h = out.h > 0 ? out.h : 1;
    return out;
}

/* The picture of a live view, made anew if it was forgotten. */
static const struct window_layer *picture_of(struct window_drawing *d, enum window_view view)
{
    if (d->live[view] && !d->pictures[view].texture) {
        upload(d, view);
    }
    return d->live[view] && d->pictures[view].texture ? &d->pictures[view] : NULL;
}

static void draw_remote(struct window_drawing *d, int width, int height)
{
    const struct window_layer *picture = picture_of(d, WINDOW_REMOTE);
    if (picture) {
        SDL_Rect at = fit(picture, width, height);
        at.x = (width - at.w) / 2;
        at.y = (height - at.h) / 2;
        SDL_RenderCopy(d->renderer, picture->texture, NULL, &at);
    }
}

/* Points along a rectangle with round corners, clockwise. */
static void outline(SDL_FPoint points[OUTLINE_POINTS], const SDL_Rect *at, float radius)
{
    const float quarter = (float)M_PI / 2;
    for (int corner = 0; corner < 4; corner++) {
        bool right = corner == 0 || corner == 3;
        bool low = corner == 0 || corner == 1; /* from lower right */
        float x = right ? (float)(at->x + at->w) - radius : (float)at->x + radius;
        float y = low ? (float)(at->y + at->h) - radius : (float)at->y + radius;
        for (int i = 0; i < CORNER_POINTS; i++) {
            float angle = quarter * ((float)corner + (float)i / (CORNER_POINTS - 1));
            points[corner * CORNER_POINTS + i] =
                (SDL_FPoint){x + radius * cosf(angle), y + radius * sinf(angle)};
        }
    }
}

static SDL_Vertex vertex(SDL_FPoint point, const SDL_Rect *at)
{
    return (SDL_Vertex){
        .position = point,
        .color = {255, 255, 255, 255},
        /* from right to left: a mirror */
        .tex_coord = {1 - (point.x - (float)at->x) / (float)at->w,
                      (point.y - (float)at->y) / (float)at->h},
    };
}

static void draw_round(struct window_drawing *d, const struct window_layer *picture,
                       const SDL_Rect *at, int radius)
{
    SDL_FPoint points[OUTLINE_POINTS];
    SDL_Vertex vertices[1 + OUTLINE_POINTS];
    int indices[3 * OUTLINE_POINTS];
    outline(points, at, (float)radius);
    vertices[0] =
        vertex((SDL_FPoint){(float)at->x + (float)at->w / 2, (float)at->y + (float)at->h / 2}, at);
    for (int i = 0; i < OUTLINE_POINTS; i++) {
        vertices[1 + i] = vertex(points[i], at);
        indices[3 * i] = 0;
        indices[3 * i + 1] = 1 + i;
        indices[3 * i + 2] = 1 + (i + 1) % OUTLINE_POINTS;
    }
    SDL_RenderGeometry(d->renderer, picture->texture, vertices, 1 + OUTLINE_POINTS, indices,
                       3 * OUTLINE_POINTS);
}

static void draw_border(struct window_drawing *d, const SDL_Rect *at, int radius, int line)
{
    if (!d->border.texture || d->border.width != at->w || d->border.height != at->h) {
        struct window_pixels pixels = {0};
        window_border_draw(at->w, at->h, radius, line, &pixels);
        layer_fill(&d->border, d->renderer, &pixels);
    }
    if (d->border.texture) {
        SDL_RenderCopy(d->renderer, d->border.texture, NULL, at);
    }
}

/* In the lower right corner. Returns the room that it leaves beside it. */
static int draw_self(struct window_drawing *d, int width, int height, int margin)
{
    const struct window_layer *picture = picture_of(d, WINDOW_SELF);
    if (!picture || width / SELF_PART < SELF_LEAST) {
        return width;
    }
    SDL_Rect at = fit(picture, width / SELF_PART, height / 4);
    at.x = width - margin - at.w;
    at.y = height - margin - at.h;
    int line = clamp(width / 480, 2, 6);
    int radius = clamp((at.w < at.h ? at.w : at.h) / 9, line, 64);
    draw_round(d, picture, &at, radius);
    draw_border(d, &at, radius, line);
    return at.x;
}

/* In the lower left corner, in `room` pixels from the left. */
static void draw_text(struct window_drawing *d, int room, int height, int margin)
{
    int letters = clamp(height / TEXT_PART, TEXT_LEAST, TEXT_MOST);
    if (!d->text || !d->words[0]) {
        return;
    }
    if (!d->line.texture || d->line_height != letters || d->line_room != room) {
        struct window_pixels pixels = {0};
        window_text_draw(d->text, d->words, letters, room - 2 * margin, &pixels);
        layer_fill(&d->line, d->renderer, &pixels);
        d->line_height = letters;
        d->line_room = room;
    }
    if (d->line.texture) {
        SDL_Rect at = {margin, height - margin - d->line.height, d->line.width, d->line.height};
        SDL_RenderCopy(d->renderer, d->line.texture, NULL, &at);
    }
}

void window_drawing_show(struct window_drawing *d)
{
    int width = 0;
    int height = 0;
    SDL_GetRendererOutputSize(d->renderer, &width, &height);
    if (width <= 0 || height <= 0) {
        return;
    }
    int margin = clamp((width < height ? width : height) / 36, 8, 48);
    SDL_SetRenderDrawColor(d->renderer, 0, 0, 0, 255);
    SDL_RenderClear(d->renderer);
    draw_remote(d, width, height);
    int room = draw_self(d, width, height, margin);
    draw_text(d, room, height, margin);
    SDL_RenderPresent(d->renderer);
}
