/* Follows the clock of a device by polling it, without being told when something is there.
 *
 *     device   ▼         ▼         ▼         ▼         its periods
 *     poll      |         |        ¦|         |        ¦ too early: again in a millisecond
 *
 * Each poll comes a little earlier after the last one than the period, until one comes too early;
 * then it is repeated until the device is ready and the phase starts there. So a poll comes at
 * most about a millisecond after the device's turn, with few polls in vain, and drift needs no
 * estimate. A late wake-up of the thread does not move the phase. */
#ifndef JINGLE_MEDIA_RHYTHM_H
#define JINGLE_MEDIA_RHYTHM_H

#include "base/clock.h"

#include <stdbool.h>

struct rhythm {
    usec period;
    usec due;         /* when the next poll is planned */
    usec early_since; /* when the first poll in vain was; USEC_NEVER: the last one was not */
};

/* The first poll is at `now`. */
void rhythm_start(struct rhythm *rhythm, usec period, usec now);

/* What a poll at `now` found: returns when to poll again. */
usec rhythm_ready(struct rhythm *rhythm, usec now);
usec rhythm_early(struct rhythm *rhythm, usec now);

/* For how long the device has not been ready; 0 if it was at the last poll. */
usec rhythm_waiting(const struct rhythm *rhythm, usec now);

#endif
