/* Ends what blocks: at a deadline, or at once by another thread's wish, it shuts a socket down and
 * cancels a cancellable, so that whatever waits for either returns. Sleeps while not armed. */
#ifndef JINGLE_SIGNALING_WATCHDOG_H
#define JINGLE_SIGNALING_WATCHDOG_H

#include <stdbool.h>

#include <gio/gio.h>

#include "base/clock.h"

struct watchdog;

/* NULL if there is no thread to be had. */
struct watchdog *watchdog_new(void);
void watchdog_free(struct watchdog *dog);

/* The watched thread: from now on, and until disarmed, it must not block after `deadline`.
 * Returns the cancellable for what it does. */
GCancellable *watchdog_arm(struct watchdog *dog, usec deadline);
void watchdog_disarm(struct watchdog *dog);

/* The watched thread: the socket that it may block on; -1 for none. The caller closes it, after it
 * has set another one. */
void watchdog_set_socket(struct watchdog *dog, int fd);

/* Any thread: as if the deadline had come, if armed. */
void watchdog_fire(struct watchdog *dog);

/* Has it bitten since it was armed? */
bool watchdog_fired(struct watchdog *dog);

#endif
