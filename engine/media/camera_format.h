/* Which of the forms that a camera offers costs least and comes nearest to what is wanted. Pure. */
#ifndef JINGLE_MEDIA_CAMERA_FORMAT_H
#define JINGLE_MEDIA_CAMERA_FORMAT_H

#include "media/video_scale.h"

#include <jingle/jingle.h>

#include <stdbool.h>

struct camera_format {
    uint32_t fourcc; /* V4L2_PIX_FMT_... */
    uint32_t width, height;
    uint32_t interval_numerator; /* seconds from frame to frame, a fraction; 0: not told */
    uint32_t interval_denominator;
};

/* False: pixels that we cannot convert. */
bool camera_pixels(uint32_t fourcc, enum raw_pixels *pixels);

/* Rounded; 0 if it is not told. */
uint32_t camera_format_rate(const struct camera_format *format);

/* The less the better. */
uint32_t camera_format_cost(const struct camera_format *format, const jingle_video_format *wanted);

#endif
