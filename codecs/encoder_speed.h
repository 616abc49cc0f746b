/* Chooses an encoder's speed by the time that is left: the time a frame took to encode against the
 * time from frame to frame.
 *
 *     took > 60 % of the interval, on average ─▶ faster, at once two steps when it is over 90 %
 *     took < 35 % for some seconds            ─▶ slower, and the longer to wait for the next try
 *                                                if that had to be taken back
 *
 * Wall-clock time is what is to be given: then a machine busy with other things is noticed, too. */
#ifndef JINGLE_CODECS_ENCODER_SPEED_H
#define JINGLE_CODECS_ENCODER_SPEED_H

#include <stdint.h>

#include "codecs/video_codec.h"

struct encoder_speed {
    int slowest;
    int fastest;
    int speed;         /* now, for struct video_encoder_config */
    double load;       /* share of the interval, smoothed */
    int64_t since;     /* usec of pictures since the speed changed */
    int64_t patience;  /* usec of ease before a slower speed is tried */
    bool trying;       /* the last change was to a slower speed */
    uint32_t settling; /* frames until the load means something again */
};

/* Begins with what the codec would choose for the size. */
void encoder_speed_start(struct encoder_speed *speed, const struct video_codec *codec,
                         uint32_t width, uint32_t height);

/* A frame took `took` usec and the next is due `interval` usec after it. Returns the speed to use
 * from now on. Call it for pictures that the encoder left out, too. */
int encoder_speed_update(struct encoder_speed *speed, int64_t took, int64_t interval);

#endif
