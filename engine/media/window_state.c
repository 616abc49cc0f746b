#include "media/window_state.h"

#include "media/video_sink.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct window_sink {
    jingle_video_sink table;
    struct window_state *state;
    struct window_picture *picture;
};

struct window_state *window_state_new(void)
{
    struct window_state *state = calloc(1, sizeof *state);
    if (!state) {
        return NULL;
    }
    state->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (state->wake_fd < 0) {
        free(state);
        return NULL;
    }
    atomic_init(&state->references, 1);
    pthread_mutex_init(&state->mutex, NULL);
    for (int i = 0; i < WINDOW_VIEWS; i++) {
        pthread_mutex_init(&state->pictures[i].mutex, NULL);
    }
    return state;
}

void window_state_unref(struct window_state *state)
{
    if (atomic_fetch_sub(&state->references, 1) > 1) {
        return;
    }
    for (int i = 0; i < WINDOW_VIEWS; i++) {
        pthread_mutex_destroy(&state->pictures[i].mutex);
        picture_buffer_clear(&state->pictures[i].newest);
    }
    pthread_mutex_destroy(&state->mutex);
    close(state->wake_fd);
    free(state);
}

void window_state_wake(struct window_state *state)
{
    eventfd_write(state->wake_fd, 1);
    pthread_mutex_lock(&state->mutex);
    if (state->nudge) {
        state->nudge();
    }
    pthread_mutex_unlock(&state->mutex);
}

bool window_state_take(struct window_state *state, enum window_view view,
                       struct picture_buffer *buffer, bool *live)
{
    struct window_picture *picture = &state->pictures[view];
    pthread_mutex_lock(&picture->mutex);
    bool fresh = picture->fresh;
    if (fresh) {
        struct picture_buffer older = *buffer;
        *buffer = picture->newest;
        picture->newest = older;
        picture->fresh = false;
    }
    *live = picture->live;
    pthread_mutex_unlock(&picture->mutex);
    return fresh;
}

/* --- sinks -------------------------------------------------------------------------------- */

/* JINGLE_OK also without a window, if that is what the application wanted. */
static jingle_status look(struct window_state *state, bool *open)
{
    pthread_mutex_lock(&state->mutex);
    *open = state->open;
    jingle_status status = state->lost ? JINGLE_ERROR_DISPLAY : JINGLE_OK;
    pthread_mutex_unlock(&state->mutex);
    return status;
}

static jingle_status start(void *user)
{
    struct window_sink *sink = user;
    bool open;
    return look(sink->state, &open);
}

static jingle_status show(void *user, const jingle_picture *picture)
{
    struct window_sink *sink = user;
    struct window_picture *shown = sink->picture;
    bool open;
    jingle_status status = look(sink->state, &open);
    if (!open) {
        return status;
    }
    if (!picture_valid(picture)) {
        return JINGLE_ERROR_INVALID;
    }
    pthread_mutex_lock(&shown->mutex);
    status = picture_scale(picture, &shown->newest, picture->width, picture->height);
    if (status == JINGLE_OK) {
        shown->fresh = shown->live = true;
        shown->writer = sink;
    }
    pthread_mutex_unlock(&shown->mutex);
    window_state_wake(sink->state);
    return status;
}

static void stop(void *user)
{
    struct window_sink *sink = user;
    struct window_picture *shown = sink->picture;
    pthread_mutex_lock(&shown->mutex);
    bool mine = shown->writer == sink;
    if (mine) {
        shown->fresh = shown->live = false;
        shown->writer = NULL;
    }
    pthread_mutex_unlock(&shown->mutex);
    if (mine) {
        window_state_wake(sink->state);
    }
}

static void free_sink(void *user)
{
    struct window_sink *sink = user;
    stop(sink);
    window_state_unref(sink->state);
    free(sink);
}

jingle_video_sink *window_state_sink(struct window_state *state, enum window_view view,
                                     jingle_status *status)
{
    struct window_sink *sink = malloc(sizeof *sink);
    if (!sink) {
        return video_sink_failed(status, JINGLE_ERROR_MEMORY);
    }
    *sink = (struct window_sink){
        .table =
            {
                .size = sizeof sink->table,
                .user = sink,
                .start = start,
                .write = show,
                .stop = stop,
                .free = free_sink,
            },
        .state = state,
        .picture = &state->pictures[view],
    };
    atomic_fetch_add(&state->references, 1);
    return video_sink_made(&sink->table, status);
}
