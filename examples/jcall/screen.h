/* The window of a call with video. Keys that are pressed in it come out of a descriptor, as those
 * of the terminal do.
 *
 *     jingle_window's thread ─ key, closed ─▶ pipe ─▶ screen_fd(), screen_read() ─▶ requests
 */
#ifndef JCALL_SCREEN_H
#define JCALL_SCREEN_H

#include "keys.h"

#include <jingle/jingle.h>
#include <stdbool.h>

struct screen;

/* NULL without a display: `*status` says why. */
struct screen *screen_new(const char *title, jingle_status *status);
void screen_free(struct screen *screen); /* NULL is allowed */

/* Readable when a key was pressed in the window or it was closed. */
int screen_fd(const struct screen *screen);

/* The keys since then; -1 if the window is closed. */
int screen_read(struct screen *screen, enum keys_mode mode, struct request requests[KEYS_MAX]);

/* For a session; NULL when the window is closed. */
jingle_video_sink *screen_sink(struct screen *screen);
jingle_video_sink *screen_self_view(struct screen *screen);

void screen_set_text(struct screen *screen, const char *text);
void screen_toggle_full(struct screen *screen);

#endif
