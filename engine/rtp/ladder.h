/* From the bit rate that the path leaves for video to what the encoder is to make: with less the
 * pictures get coarser, then fewer, then smaller, and at last there are none. A screen keeps its
 * size and sharpness and loses pictures first.
 *
 *     camera 1280x720, 30 a second:   900 kbit/s and more   1280x720, 30
 *                                     700                   1280x720, 20
 *                                     ...
 *                                     below 20              nothing
 *
 * Down at once or within a second, up after some seconds of enough, and slower each time that a
 * step up was a mistake. */
#ifndef JINGLE_RTP_LADDER_H
#define JINGLE_RTP_LADDER_H

#include "base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Below this nothing is sent; above LADDER_RESUME it is again, or after a while, for a short time:
 * an estimate of the path does not grow by itself. bit/s. */
#define LADDER_PAUSE  20000
#define LADDER_RESUME 26000
#define LADDER_TRIAL  (3 * USEC_PER_SEC)

#define LADDER_RUNGS_MAX 12

struct ladder_rung {
    uint32_t width;
    uint32_t height;
    uint32_t frame_rate;
    uint32_t least; /* bit/s; below this the next rung looks better */
};

struct ladder {
    struct ladder_rung rungs[LADDER_RUNGS_MAX]; /* best first */
    size_t count;                               /* 0: no pictures are known */
    size_t rung;
    uint32_t most; /* bit/s that are of use */
    bool begun;
    bool paused;
    usec turned; /* when it last paused, or resumed for a trial */
    bool trial;
    usec rest;        /* before the next trial */
    usec poor;        /* since when there is too little for this rung; USEC_NEVER: enough */
    usec rich;        /* since when there is enough for a better one; USEC_NEVER */
    size_t rich_rung; /* the best one for which there was enough all that time */
    usec rose;        /* when it last went up */
    usec patience;    /* before it goes up */
};

/* Pictures of this size and rate, and at most this bit rate. */
void ladder_open(struct ladder *ladder, uint32_t width, uint32_t height, uint32_t frame_rate,
                 bool screen, uint32_t bitrate);

/* There are `bitrate` bit/s for video. True if the rung changed, or it paused or resumed. */
bool ladder_follow(struct ladder *ladder, uint32_t bitrate, usec now);

/* The rung; NULL while paused or before ladder_open(). */
const struct ladder_rung *ladder_rung(const struct ladder *ladder);

/* What to make of the bit rate that there is: no more than is of use; in a trial, something. */
uint32_t ladder_bitrate(const struct ladder *ladder, uint32_t bitrate);

#endif
