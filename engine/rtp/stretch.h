/* Plays sound a little slower or faster without changing its pitch: one period of the voice is put
 * in or left out, with a cross-fade between the places that are most alike (WSOLA, Verhelst and
 * Roelands 1993). Samples are interleaved; counts are per channel. */
#ifndef JINGLE_RTP_STRETCH_H
#define JINGLE_RTP_STRETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stretch {
    uint32_t rate;
    unsigned channels;
    double quiet; /* root mean square below which any place will do */
    size_t most;  /* samples that are put in or left out; 0: stretch_longest() */
};

/* The longest period that may be put in or left out, in samples. */
size_t stretch_longest(uint32_t rate);

/* Leaves out a period of `frame`, of `most` samples at most. Returns how many; 0 if the sound is
 * not suitable: neither periodic nor quiet. */
size_t stretch_shrink(const struct stretch *stretch, int16_t *frame, size_t count);

/* Puts some in. There is room for stretch_longest() samples after `frame`, and as many that were
 * played before it stand in front of it. */
size_t stretch_lengthen(const struct stretch *stretch, int16_t *frame, size_t count);

/* `out`, which may be one of the two, goes from `a` to `b`. */
void stretch_cross_fade(int16_t *out, const int16_t *a, const int16_t *b, size_t count,
                        unsigned channels);

/* Root mean square of all channels. */
double stretch_level(const int16_t *samples, size_t count);

#endif
