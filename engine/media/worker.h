/* A thread that works whenever it is woken and does what may wait for a disk, so that a media
 * thread never has to. */
#ifndef JINGLE_MEDIA_WORKER_H
#define JINGLE_MEDIA_WORKER_H

#include <pthread.h>
#include <stdbool.h>

struct worker {
    void (*work)(void *user);
    void *user;
    pthread_t thread;
    pthread_mutex_t mutex; /* of what follows; never held while working */
    pthread_cond_t changed;
    bool woken;
    bool quit;
};

/* False if there can be no more threads; then there is nothing to be stopped. */
bool worker_start(struct worker *worker, void (*work)(void *user), void *user);

/* From the media thread: the worker holds the mutex for an instant only. Wakes that come while it
 * works make it work once more. */
void worker_wake(struct worker *worker);

/* Waits for the work that is under way; what it was woken for afterwards is not done any more. */
void worker_stop(struct worker *worker);

#endif
