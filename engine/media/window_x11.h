/* Keeps Xlib from ending the process: by default it exits when the display is gone, and on any
 * error that an X server reports. Only errors of the thread that called window_x11_guard() are
 * taken; all others go to the handlers that were there before.
 *
 * XSetIOErrorExitHandler() (libX11 1.7) lets a thread go on without its display. It is set for one
 * connection, and SDL has a second one to wake a thread that waits in SDL_WaitEvent(), which nobody
 * can get at. So with X11 nobody waits there: window_sdl.c waits for the connection's descriptor.
 */
#ifndef JINGLE_MEDIA_WINDOW_X11_H
#define JINGLE_MEDIA_WINDOW_X11_H

#include <stdbool.h>

struct SDL_Window;

/* By the thread that will call SDL, before it does. */
void window_x11_guard(void);

/* Gives the handlers back. By the same thread. */
void window_x11_release(void);

/* `*gone` becomes true when the window's display is lost; everything that Xlib is asked for
 * afterwards does nothing. Returns the connection's descriptor, -1 if it is no window of X11. */
int window_x11_watch(struct SDL_Window *window, bool *gone);

#endif
