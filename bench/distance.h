/* How different two sounds are to the ear: their log-spectral distance. */
#ifndef JINGLE_BENCH_DISTANCE_H
#define JINGLE_BENCH_DISTANCE_H

#include <stdint.h>

enum { DISTANCE_FRAME = 960 }; /* samples that are compared: 20 ms at 48 kHz, mono */

/* In dB, over bands from 100 Hz to 8 kHz that are as wide as hearing's. Negative where both are
 * too quiet to be compared. */
double distance_between(const int16_t *a, const int16_t *b);

#endif
