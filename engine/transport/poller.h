/* Watches the sockets of many links at a cost that does not grow with their number.
 *
 *     poll() of the thread's GMainContext ── one descriptor ── epoll ── the sockets of every link
 *
 * GLib looks at every source of a context on every wake-up; with fifty calls on a thread that is
 * dearer than the packets. So each thread that owns links has one poller, and only the poller is a
 * source of its GMainContext. Everything here is used from the thread that runs that context. */
#ifndef JINGLE_TRANSPORT_POLLER_H
#define JINGLE_TRANSPORT_POLLER_H

#include "base/clock.h"
#include <glib.h>
#include <stdbool.h>

struct poller;

/* A descriptor that is watched: part of a struct of its owner. */
struct poller_watch {
    int fd;
    void (*readable)(void *user);
    void *user;
};

/* Keeps a reference to `context`. NULL if the kernel has no descriptors left. */
struct poller *poller_new(GMainContext *context);

/* After the last link that uses it is gone. Runs the context for up to POLLER_PATIENCE, until all
 * that was held is released. NULL is allowed. */
void poller_free(struct poller *poller);

#define POLLER_PATIENCE (USEC_PER_SEC)

/* Something is still being closed in the background. */
void poller_hold(struct poller *poller);
void poller_release(struct poller *poller);

GMainContext *poller_context(const struct poller *poller);

/* Level-triggered. `watch` must stay where it is until poller_remove(), which may be called from
 * within any `readable`. False if the kernel refuses. */
bool poller_add(struct poller *poller, struct poller_watch *watch);
void poller_remove(struct poller *poller, struct poller_watch *watch);

#endif
