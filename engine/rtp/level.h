/* How loud a packet's audio is: the header extension of RFC 6464, and the peak for displays. */
#ifndef JINGLE_RTP_LEVEL_H
#define JINGLE_RTP_LEVEL_H

#include "base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEVEL_SILENCE 127 /* -dBov of digital silence */

/* The loudness of samples in -dBov, 0 (overload) to 127, as RFC 6464 and 6465 reckon it. */
uint8_t level_of(const int16_t *samples, size_t count);

/* The extension's byte: V bit and level. */
uint8_t level_write(uint8_t level, bool voice);

/* Returns the level in dBov, -127 to 0. */
int level_read(uint8_t byte, bool *voice);

/* The peak of the last second: of the whole second before and of the one that runs. */
struct level_peak {
    int current;
    int before;
    usec since;
};

/* The largest magnitude goes in ... */
void level_peak_add(struct level_peak *peak, const int16_t *samples, size_t count, usec now);

/* ... and 0 to 1 comes out. */
double level_peak_get(const struct level_peak *peak);

#endif
