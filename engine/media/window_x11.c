#include "media/window_x11.h"

#include <SDL.h>
#include <SDL_syswm.h>
#include <X11/Xlib.h>

static _Thread_local bool ours;
static XErrorHandler error_before;
static XIOErrorHandler io_error_before;

static int on_error(Display *display, XErrorEvent *error)
{
    return ours ? 0 : error_before(display, error);
}

static int on_io_error(Display *display)
{
    return ours ? 0 : io_error_before(display);
}

/* Xlib keeps the display locked for this thread, in which it would now end the process. libGLX
 * waits for that lock when the process ends. */
static void on_exit_wanted(Display *display, void *user)
{
    XUnlockDisplay(display);
    *(bool *)user = true;
}

void window_x11_guard(void)
{
    ours = true;
    error_before = XSetErrorHandler(on_error);
    io_error_before = XSetIOErrorHandler(on_io_error);
}

void window_x11_release(void)
{
    XErrorHandler error = XSetErrorHandler(error_before);
    if (error != on_error) {
        XSetErrorHandler(error); /* somebody else's by now */
    }
    XIOErrorHandler io_error = XSetIOErrorHandler(io_error_before);
    if (io_error != on_io_error) {
        XSetIOErrorHandler(io_error);
    }
    ours = false;
}

int window_x11_watch(struct SDL_Window *window, bool *gone)
{
    SDL_SysWMinfo info;
    SDL_VERSION(&info.version);
    if (!SDL_GetWindowWMInfo(window, &info) || info.subsystem != SDL_SYSWM_X11) {
        return -1;
    }
    XSetIOErrorExitHandler(info.info.x11.display, on_exit_wanted, gone);
    return ConnectionNumber(info.info.x11.display);
}
