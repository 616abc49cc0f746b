/* When our encoder is asked for a key frame. The peer may ask as often as it likes (PLI, FIR); key
 * frames are large, so that the next one comes only after the last one has left and could have
 * arrived, and so that key frames take no more than a share of the bit rate. */
#ifndef JINGLE_RTP_KEY_FRAME_PACE_H
#define JINGLE_RTP_KEY_FRAME_PACE_H

#include "base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEY_FRAME_PACE_LEAST (300 * USEC_PER_MS)
#define KEY_FRAME_PACE_MOST  (5 * USEC_PER_SEC)

/* Begins with zeros. */
struct key_frame_pace {
    bool wanted;
    bool sent_any;
    usec sent;     /* the last one */
    usec interval; /* to the next one, at least */
    usec asked;    /* the encoder; 0: not since the last one was sent */
};

/* The peer asks. What it asked for before the last key frame could reach it is answered by that. */
void key_frame_pace_request(struct key_frame_pace *pace, usec round_trip, usec now);

/* The next frame must be one: frames that it needs were not sent. */
void key_frame_pace_need(struct key_frame_pace *pace);

/* Whether the encoder is to be told now; it is told again each second until a key frame comes. */
bool key_frame_pace_due(struct key_frame_pace *pace, usec now);

/* A key frame was sent. */
void key_frame_pace_sent(struct key_frame_pace *pace, size_t bytes, uint32_t bitrate, usec now);

/* When key_frame_pace_due() is worth a call; USEC_NEVER: not before another request. */
usec key_frame_pace_deadline(const struct key_frame_pace *pace);

#endif
