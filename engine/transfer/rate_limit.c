#include "transfer/rate_limit.h"

#define BURST (USEC_PER_SEC / 10)

/* Less is not worth a turn of its own. */
enum { SMALLEST_BURST = 1024 };

static double burst_bytes(const struct rate_limit *limit)
{
    double bytes = (double)limit->rate * BURST / USEC_PER_SEC;
    return bytes < SMALLEST_BURST ? SMALLEST_BURST : bytes;
}

void rate_limit_init(struct rate_limit *limit, uint64_t rate, usec now)
{
    *limit = (struct rate_limit){.rate = rate, .at = now};
}

size_t rate_limit_allows(struct rate_limit *limit, size_t wanted, usec now)
{
    if (limit->rate == 0) {
        return wanted;
    }
    double burst = burst_bytes(limit);
    limit->saved += (double)limit->rate * (double)(now - limit->at) / USEC_PER_SEC;
    limit->saved = limit->saved > burst ? burst : limit->saved;
    limit->at = now;
    if (limit->saved < 1 || (limit->saved < (double)wanted && limit->saved < burst / 2)) {
        return 0;
    }
    return limit->saved < (double)wanted ? (size_t)limit->saved : wanted;
}

void rate_limit_spend(struct rate_limit *limit, size_t bytes)
{
    limit->saved -= (double)bytes;
}

usec rate_limit_when(const struct rate_limit *limit)
{
    double missing = burst_bytes(limit) - limit->saved;
    if (limit->rate == 0 || missing <= 0) {
        return limit->at;
    }
    return limit->at + 1 + (usec)(missing * USEC_PER_SEC / (double)limit->rate);
}
