/* Bytes over a sliding window of time, as a rate. */
#ifndef JINGLE_RTP_BYTE_WINDOW_H
#define JINGLE_RTP_BYTE_WINDOW_H

#include "base/clock.h"

#include <stddef.h>
#include <stdint.h>

#define BYTE_WINDOW_BUCKETS 50

struct byte_window {
    usec bucket;   /* how long one is */
    int64_t first; /* number of the bucket that the first bytes fell into; -1: none yet */
    int64_t last;  /* of the newest one */
    uint64_t sum;
    uint32_t bytes[BYTE_WINDOW_BUCKETS];
};

/* `span` is the window's length, at least BYTE_WINDOW_BUCKETS usec. */
void byte_window_init(struct byte_window *window, usec span);

/* Also `bytes` of 0, to let time pass. Times may go back by less than the span. */
void byte_window_add(struct byte_window *window, size_t bytes, usec now);

/* Bit/s over the window that ends with the newest time, or over what of it has passed since the
 * first bytes; 0 until a fifth of the window has passed. */
uint32_t byte_window_rate(const struct byte_window *window);

#endif
