/* The queue between the engine's threads and the application's event loop: jingle_event values
 * that own what they point to, and a descriptor that is readable while there are any. */
#ifndef JINGLE_ENGINE_EVENTS_H
#define JINGLE_ENGINE_EVENTS_H

#include <jingle/jingle.h>

struct events;

struct events *events_new(void);
void events_free(struct events *events);

/* Any thread. All text and the references are copied. An unread STATISTICS of the same session, or
 * TRANSFER_PROGRESS of the same transfer, is replaced. A full queue drops what an application can
 * do without; one that was not read for very long drops all but the ends of sessions and transfers.
 */
void events_push(struct events *events, const jingle_event *event);

/* Any thread: the application is so far behind that nothing should be begun that it must hear of.
 */
bool events_are_full(struct events *events);

/* One thread at a time; the event lives until the next call. NULL if there is none. */
const jingle_event *events_next(struct events *events);

/* As events_next(), but waits up to `timeout` microseconds; negative: for ever. */
const jingle_event *events_wait(struct events *events, int64_t timeout);

int events_fd(const struct events *events);

/* `wake` is run at once if there are events already, and never again after this returned with
 * another one. */
void events_set_wakeup(struct events *events, void (*wake)(void *user), void *user);

#endif
