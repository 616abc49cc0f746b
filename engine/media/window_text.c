#include "media/window_text.h"

#include <pango/pangocairo.h>
#include <stdlib.h>

struct window_text {
    PangoFontMap *fonts;
    PangoContext *context;
};

void window_pixels_clear(struct window_pixels *pixels)
{
    free(pixels->argb);
    *pixels = (struct window_pixels){0};
}

static bool any_font(PangoFontMap *fonts)
{
    PangoFontFamily **families = NULL;
    int count = 0;
    pango_font_map_list_families(fonts, &families, &count);
    g_free(families);
    return count > 0;
}

struct window_text *window_text_new(void)
{
    struct window_text *text = calloc(1, sizeof *text);
    PangoFontMap *fonts = text ? pango_cairo_font_map_new() : NULL;
    if (!fonts || !any_font(fonts)) {
        g_clear_object(&fonts);
        free(text);
        return NULL;
    }
    text->fonts = fonts;
    text->context = pango_font_map_create_context(fonts);
    return text;
}

void window_text_free(struct window_text *text)
{
    if (!text) {
        return;
    }
    g_object_unref(text->context);
    g_object_unref(text->fonts);
    free(text);
}

static cairo_t *canvas_new(int width, int height)
{
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, width, height);
    cairo_t *canvas = cairo_create(surface);
    cairo_surface_destroy(surface);
    return canvas;
}

/* Cairo's colours are multiplied by alpha; not every renderer of SDL can blend these. */
static uint32_t straight(uint32_t pixel)
{
    uint32_t alpha = pixel >> 24;
    uint32_t out = alpha << 24;
    for (unsigned shift = 0; alpha > 0 && shift < 24; shift += 8) {
        uint32_t colour = ((pixel >> shift & 0xff) * 255 + alpha / 2) / alpha;
        out |= (colour > 255 ? 255 : colour) << shift;
    }
    return out;
}

/* Frees the canvas. */
static bool canvas_take(cairo_t *canvas, struct window_pixels *out)
{
    cairo_surface_t *surface = cairo_get_target(canvas);
    int width = cairo_image_surface_get_width(surface);
    int height = cairo_image_surface_get_height(surface);
    bool good = cairo_status(canvas) == CAIRO_STATUS_SUCCESS && width > 0 && height > 0;
    uint32_t *argb = good ? malloc((size_t)width * (size_t)height * sizeof *argb) : NULL;
    if (argb) {
        cairo_surface_flush(surface);
        const uint8_t *rows = cairo_image_surface_get_data(surface);
        int stride = cairo_image_surface_get_stride(surface);
        for (int y = 0; y < height; y++) {
            const uint32_t *row = (const void *)(rows + (size_t)y * (size_t)stride);
            for (int x = 0; x < width; x++) {
                argb[(size_t)y * (size_t)width + (size_t)x] = straight(row[x]);
            }
        }
    }
    cairo_destroy(canvas);
    window_pixels_clear(out);
    *out = argb ? (struct window_pixels){width, height, argb} : (struct window_pixels){0};
    return argb != NULL;
}

static void round_rectangle(cairo_t *canvas, double inset, double width, double height,
                            double radius)
{
    double right = width - inset - radius;
    double bottom = height - inset - radius;
    double near = inset + radius;
    cairo_new_sub_path(canvas);
    cairo_arc(canvas, right, near, radius, -G_PI / 2, 0);
    cairo_arc(canvas, right, bottom, radius, 0, G_PI / 2);
    cairo_arc(canvas, near, bottom, radius, G_PI / 2, G_PI);
    cairo_arc(canvas, near, near, radius, G_PI, 3 * G_PI / 2);
    cairo_close_path(canvas);
}

static PangoLayout *lay_out(struct window_text *text, const char *line, int height, int width_max)
{
    PangoLayout *layout = pango_layout_new(text->context);
    PangoFontDescription *font = pango_font_description_from_string("Sans Medium");
    char *valid = g_utf8_make_valid(line, -1);
    pango_font_description_set_absolute_size(font, height * PANGO_SCALE);
    pango_layout_set_font_description(layout, font);
    pango_layout_set_single_paragraph_mode(layout, TRUE);
    pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_END);
    pango_layout_set_text(layout, valid, -1);
    pango_layout_set_width(layout, -1);
    int width = 0;
    pango_layout_get_pixel_size(layout, &width, NULL);
    if (width > width_max) {
        pango_layout_set_width(layout, width_max * PANGO_SCALE);
    }
    pango_font_description_free(font);
    g_free(valid);
    return layout;
}

bool window_text_draw(struct window_text *text, const char *line, int height, int width_max,
                      struct window_pixels *out)
{
    int beside = height * 3 / 4;
    int above = height * 2 / 5;
    int most = width_max - 2 * beside;
    PangoLayout *layout = lay_out(text, line, height, most > height ? most : height);
    PangoRectangle box;
    pango_layout_get_pixel_extents(layout, NULL, &box);
    int full_width = box.width + 2 * beside;
    int full_height = box.height + 2 * above;
    cairo_t *canvas = canvas_new(full_width, full_height);
    round_rectangle(canvas, 0, full_width, full_height, full_height / 2.0);
    cairo_set_source_rgba(canvas, 0.05, 0.06, 0.08, 0.62);
    cairo_fill(canvas);
    cairo_move_to(canvas, beside - box.x, above - box.y);
    cairo_set_source_rgb(canvas, 1, 1, 1);
    pango_cairo_update_layout(canvas, layout);
    pango_cairo_show_layout(canvas, layout);
    g_object_unref(layout);
    return canvas_take(canvas, out);
}

bool window_border_draw(int width, int height, int radius, int line, struct window_pixels *out)
{
    cairo_t *canvas = canvas_new(width, height);
    round_rectangle(canvas, line / 2.0, width, height, radius - line / 2.0);
    cairo_set_line_width(canvas, line);
    cairo_set_source_rgba(canvas, 1, 1, 1, 0.85);
    cairo_stroke(canvas);
    return canvas_take(canvas, out);
}
