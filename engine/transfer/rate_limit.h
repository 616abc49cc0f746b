/* How many bytes may move now, at a rate, with bursts of a tenth of a second. Pure. */
#ifndef JINGLE_TRANSFER_RATE_LIMIT_H
#define JINGLE_TRANSFER_RATE_LIMIT_H

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

struct rate_limit {
    uint64_t rate; /* bytes/s; 0: no limit */
    double saved;  /* bytes; below 0: spent in advance */
    usec at;
};

void rate_limit_init(struct rate_limit *limit, uint64_t rate, usec now);

/* At most `wanted`; 0: wait until rate_limit_when(). */
size_t rate_limit_allows(struct rate_limit *limit, size_t wanted, usec now);
void rate_limit_spend(struct rate_limit *limit, size_t bytes);
usec rate_limit_when(const struct rate_limit *limit);

#endif
