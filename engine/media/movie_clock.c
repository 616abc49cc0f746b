#include "media/movie.h"

#include <pthread.h>
#include <stdlib.h>

struct movie_clock {
    pthread_mutex_t mutex;
    unsigned references;
    unsigned running; /* how many of pictures and sound */
    usec position;    /* when it last stood */
    usec since;       /* when it started then */
};

struct movie_clock *movie_clock_new(void)
{
    struct movie_clock *clock = calloc(1, sizeof *clock);
    if (clock) {
        pthread_mutex_init(&clock->mutex, NULL);
        clock->references = 1;
    }
    return clock;
}

struct movie_clock *movie_clock_ref(struct movie_clock *clock)
{
    pthread_mutex_lock(&clock->mutex);
    clock->references++;
    pthread_mutex_unlock(&clock->mutex);
    return clock;
}

void movie_clock_unref(struct movie_clock *clock)
{
    pthread_mutex_lock(&clock->mutex);
    bool last = --clock->references == 0;
    pthread_mutex_unlock(&clock->mutex);
    if (last) {
        pthread_mutex_destroy(&clock->mutex);
        free(clock);
    }
}

static usec position_at(const struct movie_clock *clock, usec now)
{
    return clock->running > 0 ? clock->position + now - clock->since : clock->position;
}

void movie_clock_start(struct movie_clock *clock)
{
    pthread_mutex_lock(&clock->mutex);
    if (clock->running++ == 0) {
        clock->since = clock_now();
    }
    pthread_mutex_unlock(&clock->mutex);
}

void movie_clock_stop(struct movie_clock *clock)
{
    pthread_mutex_lock(&clock->mutex);
    if (clock->running == 1) {
        clock->position = position_at(clock, clock_now());
    }
    clock->running--;
    pthread_mutex_unlock(&clock->mutex);
}

usec movie_clock_position(struct movie_clock *clock, usec now)
{
    pthread_mutex_lock(&clock->mutex);
    usec position = position_at(clock, now);
    pthread_mutex_unlock(&clock->mutex);
    return position;
}
