/* Waits for the sockets and the deadlines of many links at a cost that does not grow with their
 * number.
 *
 *     poller_turn ── epoll ─┬─ sockets of links (struct poller_watch)
 *                           ├─ deadlines (struct poller_timer, a heap)
 *                           └─ GMainContexts of libraries (transport/embedded.h)
 *
 * GLib looks at every source of a context on every wake-up; with fifty calls on a thread that is
 * dearer than the packets. So each thread that owns links has one poller, and either
 *
 * - calls poller_turn() in place of g_main_context_iteration(): cheapest; the context must have
 * been made with G_MAIN_CONTEXT_FLAGS_OWNERLESS_POLLING; or
 * - runs the context as ever, in which the poller is a source then.
 *
 * Everything here is used from that thread. */
#ifndef JINGLE_TRANSPORT_POLLER_H
#define JINGLE_TRANSPORT_POLLER_H

#include "base/clock.h"
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct poller;

/* A descriptor that is watched: part of a struct of its owner. */
struct poller_watch {
    int fd;
    uint32_t events; /* EPOLLIN and the like, which are G_IO_IN and the like */
    void (*ready)(void *user);
    void *user;
};

/* A deadline: part of a struct of its owner, with `place` 0 and `fire` set. */
struct poller_timer {
    usec when;
    size_t place; /* in the heap; 0: not set */
    void (*fire)(void *user);
    void *user;
    bool patient; /* gives way to all others that are due, and to sockets */
};

/* Keeps a reference to `context`. NULL if the kernel has no descriptors left. */
struct poller *poller_new(GMainContext *context);

/* After the last link that uses it is gone. Runs on for up to POLLER_PATIENCE, until all that was
 * held is released. NULL is allowed. */
void poller_free(struct poller *poller);

#define POLLER_PATIENCE (USEC_PER_SEC)

/* Something is still being closed in the background. */
void poller_hold(struct poller *poller);
void poller_release(struct poller *poller);

GMainContext *poller_context(const struct poller *poller);

/* Waits until something is to be done, then does it: sockets, timers and the context's sources. */
void poller_turn(struct poller *poller);

/* Level-triggered. `watch` must stay where it is until poller_remove(), which may be called from
 * within any `ready`. To add it again does no harm, and is needed when `events` have changed or the
 * descriptor may have been closed and its number given to another. False if the kernel refuses. */
bool poller_add(struct poller *poller, struct poller_watch *watch);

/* The descriptor may have been closed before, and its number may be another watch's by now. */
void poller_remove(struct poller *poller, struct poller_watch *watch);

/* Fires once at `when` of clock_now(), in place of what was set; USEC_NEVER: not at all. The timer
 * must stay where it is while it is set. */
void poller_set_timer(struct poller *poller, struct poller_timer *timer, usec when);

#endif
