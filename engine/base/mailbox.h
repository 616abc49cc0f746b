/* How one thread asks another to do something: post a function and its argument.
 *
 *     any thread ── mailbox_post(fn, arg) ──▶ queue ── eventfd readable ──▶ owner: mailbox_run()
 *
 * Messages are run in the order in which they were posted. Made of pthread primitives and an
 * eventfd, which ThreadSanitizer understands (it reports phantoms in GLib's queues). */
#ifndef JINGLE_BASE_MAILBOX_H
#define JINGLE_BASE_MAILBOX_H

#include <stdbool.h>

struct mailbox;

typedef void (*mailbox_fn)(void *arg);

struct mailbox *mailbox_new(void);

/* Drops what was not run, after calling each message's `drop`. Nobody may post any more. */
void mailbox_free(struct mailbox *box);

/* Any thread. `drop` (may be NULL) is called in place of `fn` if the message is never run. */
void mailbox_post(struct mailbox *box, mailbox_fn fn, mailbox_fn drop, void *arg);

/* Readable while there is something to run. The mailbox owns it. */
int mailbox_fd(const struct mailbox *box);

/* The owner's thread: runs all that was posted before the call. */
void mailbox_run(struct mailbox *box);

#endif
