/* Looks for a window by its title. */
#ifndef JINGLE_MEDIA_X11_WINDOW_H
#define JINGLE_MEDIA_X11_WINDOW_H

#include <xcb/xcb.h>

/* The first window, from the top, that is to be seen and whose title has this part; XCB_NONE if
 * there is none. */
xcb_window_t x11_window_find(xcb_connection_t *connection, xcb_window_t root, const char *title);

#endif
