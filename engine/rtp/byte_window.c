#include "rtp/byte_window.h"

#include <string.h>

void byte_window_init(struct byte_window *window, usec span)
{
    *window = (struct byte_window){.bucket = span / BYTE_WINDOW_BUCKETS, .first = -1};
}

static void advance(struct byte_window *window, int64_t bucket)
{
    int64_t steps = bucket - window->last;
    if (steps >= BYTE_WINDOW_BUCKETS) {
        memset(window->bytes, 0, sizeof window->bytes);
        window->sum = 0;
        window->last = bucket;
        return;
    }
    while (window->last < bucket) {
        uint32_t *oldest = &window->bytes[++window->last % BYTE_WINDOW_BUCKETS];
        window->sum -= *oldest;
        *oldest = 0;
    }
}

void byte_window_add(struct byte_window *window, size_t bytes, usec now)
{
    int64_t bucket = now / window->bucket;
    if (window->first < 0) {
        window->first = bucket;
        window->last = bucket;
    }
    if (bucket > window->last) {
        advance(window, bucket);
    } else if (bucket <= window->last - BYTE_WINDOW_BUCKETS || bucket < 0) {
        return;
    }
    window->bytes[bucket % BYTE_WINDOW_BUCKETS] += (uint32_t)bytes;
    window->sum += bytes;
}

uint32_t byte_window_rate(const struct byte_window *window)
{
    int64_t passed = window->last - window->first + 1;
    if (window->first < 0 || passed < BYTE_WINDOW_BUCKETS / 5) {
        return 0;
    }
    passed = passed < BYTE_WINDOW_BUCKETS ? passed : BYTE_WINDOW_BUCKETS;
    return (uint32_t)(window->sum * 8 * USEC_PER_SEC / (uint64_t)(passed * window->bucket));
}
