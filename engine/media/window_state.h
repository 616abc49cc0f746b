/* What a window shares with its sinks, which may outlive it: the pictures that are to be shown, the
 * text, and whether there is a window at all. Counted references; knows nothing of SDL.
 *
 *     write(), set_text(), any thread ─▶ window_state ─▶ window's thread (window_sdl.c) */
#ifndef JINGLE_MEDIA_WINDOW_STATE_H
#define JINGLE_MEDIA_WINDOW_STATE_H

#include "media/video_scale.h"

#include <jingle/jingle.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

enum window_view {
    WINDOW_REMOTE,
    WINDOW_SELF,
    WINDOW_VIEWS,
};

enum { WINDOW_TEXT_MAX = 1000 }; /* bytes */

/* One mutex a view, held for the copying of one picture. */
struct window_picture {
    pthread_mutex_t mutex;
    struct picture_buffer newest;
    bool fresh;         /* it was not taken yet */
    bool live;          /* somebody shows something */
    const void *writer; /* the sink that did so last */
};

struct window_state {
    atomic_int references;
    int wake_fd; /* readable: something below has changed */
    struct window_picture pictures[WINDOW_VIEWS];

    pthread_mutex_t mutex; /* of what follows */
    bool open;             /* there is a window */
    bool lost;             /* closed by the user, or the display is gone */
    bool quit;             /* it is to be closed */
    bool toggle;           /* between full screen and window */
    bool text_fresh;
    char text[WINDOW_TEXT_MAX + 1];
    void (*nudge)(void); /* wakes the window's thread where a descriptor does not; may be NULL */
};

/* NULL: out of memory or descriptors. */
struct window_state *window_state_new(void);
void window_state_unref(struct window_state *state);

/* A new sink with a reference of its own. */
jingle_video_sink *window_state_sink(struct window_state *state, enum window_view view,
                                     jingle_status *status);

/* The window's thread must look at something. Any thread; `mutex` must not be held. */
void window_state_wake(struct window_state *state);

/* For the window's thread: true if there is a newer picture, which is exchanged for the one in
 * `buffer`. `*live` tells whether anything is to be shown. */
bool window_state_take(struct window_state *state, enum window_view view,
                       struct picture_buffer *buffer, bool *live);

#endif
