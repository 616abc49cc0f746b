#include "media/x11_grabber.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xcb/xfixes.h>

enum { ROW_PAD = 4 /* bytes; rows of pixels are padded to it */ };

/* --- opening ------------------------------------------------------------------------------- */

static uint32_t bytes_of_depth(const xcb_setup_t *setup, uint8_t depth)
{
    xcb_format_iterator_t i = xcb_setup_pixmap_formats_iterator(setup);
    for (; i.rem > 0; xcb_format_next(&i)) {
        if (i.data->depth == depth) {
            return i.data->bits_per_pixel / 8;
        }
    }
    return 0;
}

/* Passing a descriptor came with version 1.2. */
static bool server_shares_memory(xcb_connection_t *connection)
{
    const xcb_query_extension_reply_t *extension = xcb_get_extension_data(connection, &xcb_shm_id);
    if (!extension || !extension->present) {
        return false;
    }
    xcb_shm_query_version_reply_t *version =
        xcb_shm_query_version_reply(connection, xcb_shm_query_version(connection), NULL);
    bool shares = version && (version->major_version > 1 || version->minor_version >= 2);
    free(version);
    return shares;
}

bool x11_grabber_open(struct x11_grabber *g, xcb_connection_t *connection,
                      const xcb_screen_t *screen)
{
    const xcb_setup_t *setup = xcb_get_setup(connection);
    bool little = setup->image_byte_order == XCB_IMAGE_ORDER_LSB_FIRST;
    *g = (struct x11_grabber){.connection = connection,
                              .pixel_bytes = bytes_of_depth(setup, screen->root_depth)};
    if (g->pixel_bytes == 4) {
        g->pixels = little ? RAW_BGRA : RAW_ARGB;
    } else if (g->pixel_bytes == 2 && screen->root_depth == 16 && little) {
        g->pixels = RAW_RGB565;
    } else {
        return false;
    }
    g->has_shm = server_shares_memory(connection);
    return true;
}

/* --- shared memory ------------------------------------------------------------------------- */

static void detach(struct x11_grabber *g)
{
    if (g->segment != XCB_NONE) {
        xcb_shm_detach(g->connection, g->segment);
        g->segment = XCB_NONE;
    }
    if (g->shared) {
        munmap(g->shared, g->shared_bytes);
        g->shared = NULL;
    }
}

void x11_grabber_close(struct x11_grabber *g)
{
    detach(g);
    free(g->reply);
    g->reply = NULL;
}

/* True: `shared` is at least `bytes` long and the server has it, too. */
static bool attach(struct x11_grabber *g, size_t bytes)
{
    if (g->shared && g->shared_bytes >= bytes) {
        return true;
    }
    detach(g);
    int fd = memfd_create("jingle-screen", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, (off_t)bytes) != 0) {
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    void *shared = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (shared == MAP_FAILED) {
        close(fd);
        return false;
    }
    g->shared = shared;
    g->shared_bytes = bytes;
    g->segment = xcb_generate_id(g->connection);
    /* which closes the descriptor */
    xcb_generic_error_t *error = xcb_request_check(
        g->connection, xcb_shm_attach_fd_checked(g->connection, g->segment, fd, 0));
    if (error || xcb_connection_has_error(g->connection)) {
        free(error);
        g->segment = XCB_NONE;
        detach(g);
        return false;
    }
    return true;
}

static size_t row_bytes(const struct x11_grabber *g, const struct x11_area *a)
{
    return ((size_t)a->width * g->pixel_bytes + ROW_PAD - 1) / ROW_PAD * ROW_PAD;
}

static const uint8_t *grab_shared(struct x11_grabber *g, xcb_drawable_t drawable,
                                  const struct x11_area *a)
{
    xcb_shm_get_image_reply_t *reply = xcb_shm_get_image_reply(
        g->connection,
        xcb_shm_get_image(g->connection, drawable, (int16_t)a->x, (int16_t)a->y, (uint16_t)a->width,
                          (uint16_t)a->height, UINT32_MAX, XCB_IMAGE_FORMAT_Z_PIXMAP, g->segment,
                          0),
        NULL);
    bool got = reply;
    free(reply);
    return got ? g->shared : NULL;
}

static const uint8_t *grab_plain(struct x11_grabber *g, xcb_drawable_t drawable,
                                 const struct x11_area *a)
{
    free(g->reply);
    g->reply = xcb_get_image_reply(g->connection,
                                   xcb_get_image(g->connection, XCB_IMAGE_FORMAT_Z_PIXMAP, drawable,
                                                 (int16_t)a->x, (int16_t)a->y, (uint16_t)a->width,
                                                 (uint16_t)a->height, UINT32_MAX),
                                   NULL);
    if (!g->reply || (size_t)xcb_get_image_data_length(g->reply) < row_bytes(g, a) * a->height) {
        return NULL;
    }
    return xcb_get_image_data(g->reply);
}

bool x11_grabber_grab(struct x11_grabber *g, xcb_drawable_t drawable, const struct x11_area *a,
                      struct raw_picture *raw)
{
    g->has_shm = g->has_shm && attach(g, row_bytes(g, a) * a->height);
    *raw = (struct raw_picture){
        .pixels = g->pixels,
        .width = a->width,
        .height = a->height,
        .planes = {g->has_shm ? grab_shared(g, drawable, a) : grab_plain(g, drawable, a)},
        .strides = {row_bytes(g, a)},
    };
    return raw->planes[0];
}

/* --- pointer ------------------------------------------------------------------------------- */

/* `over` has its alpha already in its colours. */
static uint8_t blend(uint8_t under, uint32_t over, unsigned shift)
{
    uint32_t rest = 255 - (over >> 24);
    uint32_t sum = (over >> shift & 255) + under * rest / 255;
    return (uint8_t)(sum < 255 ? sum : 255);
}

static void draw_pixel(const struct raw_picture *raw, uint8_t *pixel, uint32_t over)
{
    uint8_t *colours = raw->pixels == RAW_ARGB ? pixel + 1 : pixel;
    for (unsigned i = 0; i < 3; i++) { /* red first in ARGB, blue first in BGRA */
        colours[i] = blend(colours[i], over, raw->pixels == RAW_ARGB ? 16 - 8 * i : 8 * i);
    }
}

void x11_grabber_draw_pointer(struct x11_grabber *g, const struct raw_picture *raw, int x, int y)
{
    if (g->pixel_bytes != 4) {
        return;
    }
    xcb_xfixes_get_cursor_image_reply_t *pointer = xcb_xfixes_get_cursor_image_reply(
        g->connection, xcb_xfixes_get_cursor_image(g->connection), NULL);
    if (!pointer) {
        return;
    }
    const uint32_t *image = xcb_xfixes_get_cursor_image_cursor_image(pointer);
    uint8_t *bytes = (uint8_t *)raw->planes[0]; /* our own memory, see x11_grabber_grab() */
    for (int row = 0; row < pointer->height; row++) {
        int at_y = pointer->y - pointer->yhot - y + row;
        for (int column = 0; column < pointer->width && at_y >= 0 && at_y < (int)raw->height;
             column++) {
            int at_x = pointer->x - pointer->xhot - x + column;
            if (at_x >= 0 && at_x < (int)raw->width) {
                draw_pixel(raw, bytes + (size_t)at_y * raw->strides[0] + (size_t)at_x * 4,
                           image[row * pointer->width + column]);
            }
        }
    }
    free(pointer);
}
