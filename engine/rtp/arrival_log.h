/* Which packets of a link arrived when, by their transport-wide numbers, until that was told. */
#ifndef JINGLE_RTP_ARRIVAL_LOG_H
#define JINGLE_RTP_ARRIVAL_LOG_H

#include "base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRIVAL_LOG_MAX 2048 /* numbers that are remembered; a power of two */

struct arrival_log {
    usec arrivals[ARRIVAL_LOG_MAX]; /* by number; USEC_NEVER: not yet */
    bool known;
    int64_t next;   /* behind the newest number */
    int64_t told;   /* behind the newest number that was told of */
    int64_t first;  /* the oldest number that is to be told of: `told`, or one that came late */
    uint16_t stray; /* a number far from the others: where its like would go on */
    bool stray_known;
    uint64_t refused;
};

void arrival_log_init(struct arrival_log *log);

/* A packet arrived; one that arrived before counts once. */
void arrival_log_add(struct arrival_log *log, uint16_t sequence, usec now);

/* Is there something to be told? */
bool arrival_log_pending(const struct arrival_log *log);

/* The next run of numbers to be told: the first of it arrived. Copies at most `capacity` of them;
 * returns how many, and the number of the first one. */
size_t arrival_log_take(const struct arrival_log *log, usec *arrivals, size_t capacity,
                        uint16_t *base);

/* Of this run, the first `count` were told. */
void arrival_log_told(struct arrival_log *log, uint16_t base, size_t count);

#endif
