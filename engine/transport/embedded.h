/* A GMainContext that a library insists on, worked off by a poller in place of being run: its
 * descriptors are watched and its next deadline is a timer. It costs nothing while it has nothing
 * to do.
 *
 * The context must have been made with G_MAIN_CONTEXT_FLAGS_OWNERLESS_POLLING, so that GLib wakes
 * the poller whenever a source is added. */
#ifndef JINGLE_TRANSPORT_EMBEDDED_H
#define JINGLE_TRANSPORT_EMBEDDED_H

#include "transport/poller.h"

struct embedded;

/*
 * `first` (may be NULL) is asked before the context is turned for a descriptor that is ready: true
 * if that has been dealt with. It may call embedded_free().
 */
struct embedded *embedded_new(struct poller *poller, GMainContext *context,
                              bool (*first)(void *user, int fd), void *user);

/* May be called from within the context's sources. NULL is allowed. */
void embedded_free(struct embedded *embedded);

#endif
