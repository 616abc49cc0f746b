/* Which frames can be decoded, after those that were. By what the frames say of themselves: their
 * picture ids and TL0PICIDX (RFC 7741, section 4.2; RFC 9628, section 4.2), or, where they say
 * nothing, by sequence numbers without a gap.
 *
 *     T1      1     3     5           1 may be lost, and 2 is decoded all the same;
 *     T0   0 ──▶ 2 ──▶ 4 ──▶ 6        without 2 nothing is until the next key frame
 */
#ifndef JINGLE_RTP_FRAME_ORDER_H
#define JINGLE_RTP_FRAME_ORDER_H

#include "rtp/frame_buffer.h"

#include <stdbool.h>
#include <stdint.h>

enum { FRAME_ORDER_HISTORY = 64 }; /* frames that are remembered */

struct frame_order {
    bool begun;    /* a key frame was handed out */
    bool need_key; /* what was handed out since then is of no use */
    const struct video_codec *codec;
    int64_t last;     /* sequence number of the last packet of the last frame */
    int picture_id;   /* of the last frame; -1: it had none */
    int tl0_index;    /* of the last frame of the base layer; -1: it had none */
    uint8_t doubtful; /* bit n: a frame of temporal layer n may have been left out, so that only
                         a frame that needs the base layer alone (layer_sync) can go on in it */
    uint64_t handed;  /* by picture id: bit n is the frame n before the last one */
};

enum frame_verdict {
    FRAME_NEXT,     /* can be decoded, and none is missing before it */
    FRAME_SKIPS,    /* can be decoded, and so could frames before it that are not whole (yet) */
    FRAME_USELESS,  /* misses frames before it; what comes next will not miss this one */
    FRAME_HOPELESS, /* misses frames before it, and so does all that follows */
};

void frame_order_reset(struct frame_order *order);

/* `follows`: only empty packets are between the last frame and this one. */
enum frame_verdict frame_order_judge(const struct frame_order *order,
                                     const struct whole_frame *frame, bool follows);

/* The frame was handed out, with this verdict. */
void frame_order_hand_out(struct frame_order *order, const struct whole_frame *frame,
                          enum frame_verdict verdict);

#endif
