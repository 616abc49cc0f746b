/* A thread with a GLib main context, and how other threads hand work to it.
 *
 *     any thread ── loop_post(fn) ──▶ mailbox ──▶ the loop's thread: fn
 *
 * The I/O thread of a client is one, each media thread another. What a loop's thread owns is
 * touched by that thread alone; there is no other locking. */
#ifndef JINGLE_ENGINE_LOOP_H
#define JINGLE_ENGINE_LOOP_H

#include "base/clock.h"
#include "base/mailbox.h"

#include <glib.h>
#include <semaphore.h>
#include <stdbool.h>

struct loop;

/* Starts the thread. `name` is shown by debuggers (at most 15 characters). NULL on failure. */
struct loop *loop_new(const char *name);

/* Runs what was posted until now, ends the thread and joins it. Not on the loop's own thread. */
void loop_free(struct loop *loop);

/* Any thread. `drop` (may be NULL) is called in place of `fn` if the loop ends first. */
void loop_post(struct loop *loop, mailbox_fn fn, mailbox_fn drop, void *arg);

/* Any thread: runs `fn` on the loop's thread and waits until it is done; at once if this is it. */
void loop_call(struct loop *loop, mailbox_fn fn, void *arg);

/* The two halves of loop_call(), for who holds a lock while posting; not on the loop's thread. If
 * the loop ends first, `fn` is not run and the waiting ends all the same. */
struct loop_wait {
    mailbox_fn fn;
    void *arg;
    sem_t done;
};
void loop_post_waiting(struct loop *loop, mailbox_fn fn, void *arg, struct loop_wait *wait);
void loop_wait(struct loop_wait *wait);

/* For sources that belong to the loop's thread. */
GMainContext *loop_context(struct loop *loop);

bool loop_is_current(const struct loop *loop);

/* A deadline on a loop. Made, set and freed on the loop's thread only. */
struct timer;

struct timer *timer_new(struct loop *loop, void (*fn)(void *user), void *user);
void timer_free(struct timer *timer);

/* Fires once, at `deadline` of clock_now(); USEC_NEVER: not at all. Replaces what was set. */
void timer_set(struct timer *timer, usec deadline);

#endif
