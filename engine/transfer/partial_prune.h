/* Partial files (partial_file.h) that nobody went on with. */
#ifndef JINGLE_TRANSFER_PARTIAL_PRUNE_H
#define JINGLE_TRANSFER_PARTIAL_PRUNE_H

#include "base/clock.h"

#define PARTIAL_KEPT_FOR (30 * 24 * 3600 * USEC_PER_SEC)

/* Removes those of `folder` that were not written to for PARTIAL_KEPT_FOR, and are in nobody's use.
 * `wall`: now, since 1970. Never mind if it cannot. */
void partial_prune(const char *folder, usec wall);

#endif
