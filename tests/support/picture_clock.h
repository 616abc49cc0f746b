/* Reads back what a test picture says of itself (media/picture_code.h), from a picture of any size
 * that may have been scaled and coded on its way. */
#ifndef JINGLE_TESTS_PICTURE_CLOCK_H
#define JINGLE_TESTS_PICTURE_CLOCK_H

#include <jingle/jingle.h>

#include <stdbool.h>
#include <stdint.h>

struct picture_clock {
    uint32_t time;   /* milliseconds of CLOCK_MONOTONIC when it was drawn, the low 32 bits */
    uint16_t number; /* of the frame */
};

/* False: there is no readable code in it. I420 and NV12. */
bool picture_clock_read(const jingle_picture *picture, struct picture_clock *clock);

/* Milliseconds from the drawing until `now`, a time of base/clock.h. */
int32_t picture_clock_age(const struct picture_clock *clock, int64_t now);

#endif
