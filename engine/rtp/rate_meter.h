/* How much of something there was in the last whole second. */
#ifndef JINGLE_RTP_RATE_METER_H
#define JINGLE_RTP_RATE_METER_H

#include "base/clock.h"

#include <stdint.h>

/* Begins with zeros. */
struct rate_meter {
    usec since;
    uint64_t before; /* the count then */
    double rate;     /* a second */
};

/* `count` is the total so far; to be called some times a second. */
void rate_meter_run(struct rate_meter *meter, uint64_t count, usec now);

/* The mean of the last second's events. */
struct mean_meter {
    usec since;
    usec sum;
    unsigned count;
    usec mean;
};

void mean_meter_add(struct mean_meter *meter, usec value);
void mean_meter_run(struct mean_meter *meter, usec now);

#endif
