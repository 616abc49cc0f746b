/* How late packets come, learnt from those that came: the statistics behind the playout delay.
 *
 * The transit of a packet is its arrival minus its media time; only differences between transits
 * mean anything. Mean and deviation describe ordinary jitter and settle within a second; a
 * histogram that forgets over some twenty seconds knows about spikes; the largest transit of the
 * last seconds bounds both. */
#ifndef JINGLE_RTP_DELAY_ESTIMATE_H
#define JINGLE_RTP_DELAY_ESTIMATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

enum {
    DELAY_BINS = 512,
    DELAY_BIN = 4 * 1000 /* usec */
};

struct delay_estimate {
    double mean;     /* of transits, usec */
    double variance; /* usec² */
    double packets;  /* that these are worth, up to a limit */
    float bins[DELAY_BINS];
    double weight;   /* of the next packet in the histogram: it grows, so the old fades */
    double total;    /* of all bins */
    usec origin;     /* transit at the lower edge of the first bin */
    usec recent_max; /* largest transit of this span of seconds... */
    usec older_max;  /* ...and of the one before */
    usec span_end;
};

void delay_estimate_init(struct delay_estimate *estimate);

/* A packet arrived at `now`, whether or not it was in time. */
void delay_estimate_add(struct delay_estimate *estimate, usec transit, usec now);

/* The transit that all but a few packets keep: mean + `deviations` * sigma, or the histogram's
 * `quantile` if that is later, but never later than the latest of the last seconds. */
usec delay_estimate_bound(const struct delay_estimate *estimate, double deviations,
                          double quantile);

/* The mean, or the latest of the last seconds where the mean still remembers worse times. */
usec delay_estimate_usual(const struct delay_estimate *estimate);

/* The share of packets whose transit is longer than this. */
double delay_estimate_tail(const struct delay_estimate *estimate, usec transit);

#endif
