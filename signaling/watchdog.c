#include "signaling/watchdog.h"

#include "base/thread.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

struct watchdog {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    usec deadline; /* USEC_NEVER: not armed */
    int fd;
    GCancellable *cancellable;
    bool fired;
    bool quit;
};

/* The lock is held, so the socket cannot be closed meanwhile. */
static void bite(struct watchdog *dog)
{
    dog->deadline = USEC_NEVER;
    dog->fired = true;
    g_cancellable_cancel(dog->cancellable);
    if (dog->fd >= 0)
        shutdown(dog->fd, SHUT_RDWR);
}

static void *watchdog_run(void *arg)
{
    struct watchdog *dog = arg;
    pthread_mutex_lock(&dog->lock);
    while (!dog->quit) {
        if (dog->deadline == USEC_NEVER) {
            pthread_cond_wait(&dog->changed, &dog->lock);
        } else if (clock_now() >= dog->deadline) {
            bite(dog);
        } else {
            struct timespec until = {.tv_sec = (time_t)(dog->deadline / USEC_PER_SEC),
                                     .tv_nsec = (long)(dog->deadline % USEC_PER_SEC * 1000)};
            pthread_cond_timedwait(&dog->changed, &dog->lock, &until);
        }
    }
    pthread_mutex_unlock(&dog->lock);
    return NULL;
}

struct watchdog *watchdog_new(void)
{
    struct watchdog *dog = g_new0(struct watchdog, 1);
    dog->deadline = USEC_NEVER;
    dog->fd = -1;
    dog->cancellable = g_cancellable_new();
    pthread_mutex_init(&dog->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&dog->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (thread_start(&dog->thread, NULL, watchdog_run, dog))
        return dog;
    pthread_cond_destroy(&dog->changed);
    pthread_mutex_destroy(&dog->lock);
    g_object_unref(dog->cancellable);
    g_free(dog);
    return NULL;
}

void watchdog_free(struct watchdog *dog)
{
    if (!dog)
        return;
    pthread_mutex_lock(&dog->lock);
    dog->quit = true;
    pthread_cond_signal(&dog->changed);
    pthread_mutex_unlock(&dog->lock);
    pthread_join(dog->thread, NULL);
    pthread_cond_destroy(&dog->changed);
    pthread_mutex_destroy(&dog->lock);
    g_object_unref(dog->cancellable);
    g_free(dog);
}

GCancellable *watchdog_arm(struct watchdog *dog, usec deadline)
{
    pthread_mutex_lock(&dog->lock);
    g_object_unref(dog->cancellable);
    dog->cancellable = g_cancellable_new();
    dog->deadline = deadline;
    dog->fired = false;
    pthread_cond_signal(&dog->changed);
    pthread_mutex_unlock(&dog->lock);
    return dog->cancellable;
}

void watchdog_disarm(struct watchdog *dog)
{
    pthread_mutex_lock(&dog->lock);
    dog->deadline = USEC_NEVER;
    pthread_mutex_unlock(&dog->lock);
}

void watchdog_set_socket(struct watchdog *dog, int fd)
{
    pthread_mutex_lock(&dog->lock);
    dog->fd = fd;
    if (dog->fired && fd >= 0)
        shutdown(fd, SHUT_RDWR);
    pthread_mutex_unlock(&dog->lock);
}

void watchdog_fire(struct watchdog *dog)
{
    pthread_mutex_lock(&dog->lock);
    if (dog->deadline != USEC_NEVER)
        bite(dog);
    pthread_mutex_unlock(&dog->lock);
}

bool watchdog_fired(struct watchdog *dog)
{
    pthread_mutex_lock(&dog->lock);
    bool fired = dog->fired;
    pthread_mutex_unlock(&dog->lock);
    return fired;
}
