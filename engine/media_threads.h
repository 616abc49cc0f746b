/* The few threads that media runs on. A thread owns whole calls, so calls never lock one another
 * out, and a server can hold hundreds. */
#ifndef JINGLE_ENGINE_MEDIA_THREADS_H
#define JINGLE_ENGINE_MEDIA_THREADS_H

#include "loop.h"

struct poller;
struct media_threads;

struct media_thread {
    struct loop *loop;
    struct poller *poller; /* the loop's thread only */
    unsigned calls;        /* the I/O thread only */
};

/* `count` 0: one a core, at most four. NULL on failure. */
struct media_threads *media_threads_new(unsigned count);

/* Finishes what was posted and ends the threads. Their calls must have been ended before. */
void media_threads_free(struct media_threads *threads);

/* The I/O thread: the one with the fewest calls, which counts one more from now on. */
struct media_thread *media_threads_take(struct media_threads *threads);
void media_threads_give_back(struct media_thread *thread);

#endif
