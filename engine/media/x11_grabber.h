/* Copies pictures out of an X server, through shared memory where the server can. */
#ifndef JINGLE_MEDIA_X11_GRABBER_H
#define JINGLE_MEDIA_X11_GRABBER_H

#include "media/video_scale.h"

#include <stdbool.h>
#include <xcb/shm.h>
#include <xcb/xcb.h>

struct x11_area {
    int x, y; /* within the drawable */
    uint32_t width, height;
};

struct x11_grabber {
    xcb_connection_t *connection;
    enum raw_pixels pixels;
    uint32_t pixel_bytes; /* 2 or 4 */
    bool has_shm;
    xcb_shm_seg_t segment; /* XCB_NONE: none yet */
    uint8_t *shared;
    size_t shared_bytes;
    xcb_get_image_reply_t *reply; /* of the plain way */
};

/* False: the screen has pixels that we cannot convert. */
bool x11_grabber_open(struct x11_grabber *grabber, xcb_connection_t *connection,
                      const xcb_screen_t *screen);
void x11_grabber_close(struct x11_grabber *grabber);

/* Copies an area; it is `raw` until the next call and may be drawn upon. False: the server does
 * not give it. */
bool x11_grabber_grab(struct x11_grabber *grabber, xcb_drawable_t drawable,
                      const struct x11_area *area, struct raw_picture *raw);

/* Draws the pointer upon a picture that was grabbed; `x` and `y` is where the picture is on the
 * screen. */
void x11_grabber_draw_pointer(struct x11_grabber *grabber, const struct raw_picture *raw, int x,
                              int y);

#endif
