/* Threads of the library's own. */
#ifndef JINGLE_BASE_THREAD_H
#define JINGLE_BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/* Starts a thread that no signal is delivered to but those of its own faults: the application's
 * handlers run on its own threads, and writing to a socket whose peer is gone ends nothing
 * (SIGPIPE). Threads that libraries start from there inherit this. `attributes` may be NULL. */
bool thread_start(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *user),
                  void *user);

#endif
