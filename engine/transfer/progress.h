/* How far, how fast, how long still, and when to say so. Pure. */
#ifndef JINGLE_TRANSFER_PROGRESS_H
#define JINGLE_TRANSFER_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define PROGRESS_PACE (250 * USEC_PER_MS) /* at most one report in this time */

struct progress {
    uint64_t total;
    uint64_t done;
    uint64_t resumed; /* of `done`: was there from the start */
    usec began;
    usec told;           /* when the last report was due */
    usec measured;       /* up to when `rate` is known */
    uint64_t at_measure; /* `done` at that time */
    double rate;         /* bytes/s, of the last seconds */
};

void progress_init(struct progress *progress, uint64_t total, uint64_t done, usec now);

/* True when a report is due. */
bool progress_set(struct progress *progress, uint64_t done, usec now);

/* Nothing is moving by our own will: the pause does not count. */
void progress_resume(struct progress *progress, usec now);

double progress_rate(const struct progress *progress); /* bytes/s */
double progress_mean_rate(const struct progress *progress, usec now);
usec progress_left(const struct progress *progress); /* USEC_NEVER: nobody knows */

#endif
