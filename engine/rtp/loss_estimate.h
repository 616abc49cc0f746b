/* What loss tells of the bandwidth. Loss by chance hits at any rate, loss by a full queue only
 * above the bandwidth: the pair of both that explains best what was seen at the rates of the last
 * seconds is taken.
 *
 *     share lost at a rate = by chance + (1 - by chance) * (rate - bandwidth) / rate
 *
 * So 5 % of random loss does not hold a call at its start rate, as the fixed thresholds of
 * draft-ietf-rmcat-gcc-02, section 6 do. */
#ifndef JINGLE_RTP_LOSS_ESTIMATE_H
#define JINGLE_RTP_LOSS_ESTIMATE_H

#include "base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOSS_OBSERVATIONS 24

struct loss_observation {
    double rate; /* bit/s that were sent */
    unsigned packets;
    unsigned lost;
};

struct loss_estimate {
    struct loss_observation seen[LOSS_OBSERVATIONS];
    unsigned count; /* of all */
    /* the one that is being made */
    usec begin; /* of sending; 0: none */
    usec end;
    uint64_t bytes;
    unsigned packets;
    unsigned lost;
    double limit;    /* bit/s; 0: loss sets none */
    double share;    /* lost lately */
    double inherent; /* of which by chance */
};

/* What became of a packet, in the order of sending. */
void loss_estimate_add(struct loss_estimate *estimate, usec sent, size_t bytes, bool lost);

/* A packet that was added as lost came late. */
void loss_estimate_arrived_late(struct loss_estimate *estimate);

/* After each feedback. */
void loss_estimate_update(struct loss_estimate *estimate);

#endif
