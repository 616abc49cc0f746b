/* Descriptors and deadlines on a GMainContext; everything on that context's thread. */
#ifndef JINGLE_TRANSFER_WATCH_H
#define JINGLE_TRANSFER_WATCH_H

#include <glib-unix.h>
#include <glib.h>

#include "base/clock.h"

GSource *watch_fd(GMainContext *context, int fd, GIOCondition condition, GUnixFDSourceFunc ready,
                  void *user);
GSource *watch_after(GMainContext *context, usec delay, GSourceFunc fire, void *user);

/* NULL inside is nothing to drop; it is NULL afterwards. Allowed from within what is dropped. */
void watch_drop(GSource **source);

#endif
