/* Moving pictures that are about as hard to encode as what a camera sees: a textured wall, a camera
 * held in the hand, grain, and a head that moves before the wall. The same every time. */
#ifndef JINGLE_TESTS_MOVING_PICTURE_H
#define JINGLE_TESTS_MOVING_PICTURE_H

#include <stdint.h>

#include <jingle/jingle.h>

struct moving_picture;

struct moving_picture *moving_picture_new(uint32_t width, uint32_t height);
void moving_picture_free(struct moving_picture *moving);

/* What is seen at `time` (usec, above 0), I420 or NV12; valid until the next call. */
jingle_picture moving_picture_at(struct moving_picture *moving, int64_t time, jingle_pixels pixels);

/* How much alike the luma of two pictures of one size is, in dB. */
double picture_psnr(const jingle_picture *one, const jingle_picture *other);

#endif
