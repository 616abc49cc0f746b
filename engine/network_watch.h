/* Tells when the network of this computer has changed: another interface, address or default route.
 * rtnetlink(7).
 *
 *     kernel ── links, addresses, routes ──▶ wait until it settles ──▶ other addresses? ──▶ changed
 *
 * Used on the loop's thread only. */
#ifndef JINGLE_ENGINE_NETWORK_WATCH_H
#define JINGLE_ENGINE_NETWORK_WATCH_H

#include "loop.h"

struct network_watch;

/* NULL where the kernel does not tell. `changed` must not free the watch. */
struct network_watch *network_watch_new(struct loop *loop, void (*changed)(void *user), void *user);

/* NULL is allowed. */
void network_watch_free(struct network_watch *watch);

#endif
