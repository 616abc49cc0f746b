/* A source that the application pushes pictures into; the newest one wins.
 *
 *     push(), any thread ─▶ waiting, one picture ─▶ read(), the thread that encodes
 *
 * A picture with `release` goes through as it is: its release is called by whoever has it last,
 * which is push() for one that a newer one came before. One without is copied into one of three
 * buffers, so that one can be written while another waits and the third is being encoded. */
#include "media/video_scale.h"
#include "media/video_source.h"

#include <pthread.h>
#include <stdlib.h>

enum { COPIES = 3, NO_COPY = -1 };

struct pushed {
    jingle_video_source table;
    pthread_mutex_t pushing; /* one push() after the other; guards what is being copied to */
    pthread_mutex_t mutex;   /* of what follows; held for instants only */
    pthread_cond_t came;
    bool waiting;
    jingle_picture newest; /* while waiting */
    int newest_copy;       /* where it lies, or NO_COPY */
    int read_copy;         /* what the reader was given last, or NO_COPY */
    struct picture_buffer copies[COPIES];
};

/* --- reading ------------------------------------------------------------------------------- */

static struct timespec point_in_time(usec time)
{
    return (struct timespec){.tv_sec = (time_t)(time / USEC_PER_SEC),
                             .tv_nsec = (long)(time % USEC_PER_SEC) * 1000};
}

static long read_pushed(void *user, jingle_picture *picture, int64_t timeout)
{
    struct pushed *p = user;
    struct timespec deadline = point_in_time(clock_now() + timeout);
    pthread_mutex_lock(&p->mutex);
    p->read_copy = NO_COPY;
    int error = 0;
    while (!p->waiting && error == 0) {
        error = pthread_cond_timedwait(&p->came, &p->mutex, &deadline);
    }
    bool taken = p->waiting;
    if (taken) {
        *picture = p->newest;
        p->read_copy = p->newest_copy;
        p->waiting = false;
    }
    pthread_mutex_unlock(&p->mutex);
    return taken ? 1 : 0;
}

static void stop(void *user)
{
    struct pushed *p = user;
    pthread_mutex_lock(&p->mutex);
    p->read_copy = NO_COPY;
    pthread_mutex_unlock(&p->mutex);
}

/* --- pushing ------------------------------------------------------------------------------- */

/* A copy that is neither waiting nor read; it stays so while `pushing` is held. */
static int spare_copy(struct pushed *p)
{
    pthread_mutex_lock(&p->mutex);
    int spare = 0;
    while ((p->waiting && spare == p->newest_copy) || spare == p->read_copy) {
        spare++;
    }
    pthread_mutex_unlock(&p->mutex);
    return spare;
}

static void put(struct pushed *p, const jingle_picture *picture, int copy)
{
    pthread_mutex_lock(&p->mutex);
    bool missed = p->waiting;
    jingle_picture old = p->newest;
    p->newest = *picture;
    p->newest_copy = copy;
    p->waiting = true;
    pthread_cond_signal(&p->came);
    pthread_mutex_unlock(&p->mutex);
    if (missed) {
        picture_release(&old);
    }
}

static jingle_status put_copy(struct pushed *p, const jingle_picture *picture)
{
    pthread_mutex_lock(&p->pushing);
    int spare = spare_copy(p);
    struct picture_buffer *copy = &p->copies[spare];
    jingle_status status = picture_scale(picture, copy, picture->width, picture->height);
    if (status == JINGLE_OK) {
        jingle_picture copied = picture_buffer_view(copy, picture->time);
        put(p, &copied, spare);
    }
    pthread_mutex_unlock(&p->pushing);
    return status;
}

jingle_status jingle_video_source_push(jingle_video_source *source, const jingle_picture *picture)
{
    if (!source || source->read != read_pushed || !picture_valid(picture)) {
        return JINGLE_ERROR_INVALID;
    }
    struct pushed *p = source->user;
    jingle_picture timed = *picture;
    if (timed.time == 0) {
        timed.time = clock_now();
    }
    if (!timed.release) {
        return put_copy(p, &timed);
    }
    put(p, &timed, NO_COPY);
    return JINGLE_OK;
}

/* --- both ---------------------------------------------------------------------------------- */

static void free_pushed(void *user)
{
    struct pushed *p = user;
    if (p->waiting) {
        picture_release(&p->newest);
    }
    for (int i = 0; i < COPIES; i++) {
        picture_buffer_clear(&p->copies[i]);
    }
    pthread_cond_destroy(&p->came);
    pthread_mutex_destroy(&p->mutex);
    pthread_mutex_destroy(&p->pushing);
    free(p);
}

jingle_video_source *jingle_video_source_pushed(bool is_screen, jingle_status *status)
{
    struct pushed *p = calloc(1, sizeof *p);
    if (!p) {
        return video_source_failed(status, JINGLE_ERROR_MEMORY);
    }
    p->newest_copy = p->read_copy = NO_COPY;
    pthread_mutex_init(&p->pushing, NULL);
    pthread_mutex_init(&p->mutex, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&p->came, &monotonic);
    pthread_condattr_destroy(&monotonic);
    p->table = (jingle_video_source){
        .size = sizeof p->table,
        .user = p,
        .read = read_pushed,
        .stop = stop,
        .free = free_pushed,
        .is_screen = is_screen,
    };
    return video_source_made(&p->table, status);
}
