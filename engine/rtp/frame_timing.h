/* When each frame is to be shown: its time stamp, on our clock, plus a delay that nearly all frames
 * keep, however they jitter and wait for retransmissions; and not before its sound is heard.
 *
 *     arrivals:   |   ..:::||||:::...     . .|            transit = arrival - media time
 *     shown at:                       target ◀─ position, slowly
 */
#ifndef JINGLE_RTP_FRAME_TIMING_H
#define JINGLE_RTP_FRAME_TIMING_H

#include "base/clock.h"
#include "rtp/delay_estimate.h"

#include <stdbool.h>
#include <stdint.h>

#define FRAME_TIMING_DELAY_MAX (600 * USEC_PER_MS) /* that a frame waits for its turn */
#define FRAME_TIMING_SOUND_MAX (500 * USEC_PER_MS) /* more, for its sound */

struct frame_timing {
    struct delay_estimate transits; /* of whole frames */
    bool begun;
    uint32_t timestamp; /* of the frame that came last, */
    int64_t units;      /* the same without wrapping, */
    usec media;         /* and as time */
    usec position;      /* when a frame is shown less its media time */
    usec moved;         /* when position was last set */
    usec decode;        /* time that decoding takes, smoothed */
    bool sound_known;
    usec sound; /* the position at which it would be shown with its sound */
};

void frame_timing_reset(struct frame_timing *timing);

/* A frame is whole. */
void frame_timing_came(struct frame_timing *timing, uint32_t timestamp, usec now);

void frame_timing_decoded(struct frame_timing *timing, usec decode_time);

/* When the sound of a frame with this time stamp is heard; `known` false: nothing to wait for. */
void frame_timing_sound(struct frame_timing *timing, bool known, uint32_t timestamp, usec heard);

/* When this frame is to be shown; may be past. */
usec frame_timing_due(struct frame_timing *timing, uint32_t timestamp, usec now);

/* How much later than its sound. 0 while unknown. */
usec frame_timing_lip_sync(const struct frame_timing *timing);

#endif
