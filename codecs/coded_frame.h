/* A frame as a video codec writes it and reads it, with what RTP says about it. The encoder fills
 * one for the packetiser; the assembly of received payloads fills one for the decoder.
 *
 * One owner at a time, no reference counts: coded_frame_new(), hand the pointer on, and
 * coded_frame_free(). A frame may be filled again and again; its room is kept and only grows. */
#ifndef JINGLE_CODECS_CODED_FRAME_H
#define JINGLE_CODECS_CODED_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jingle/jingle.h>

enum {
    CODED_FRAME_SIZE_MAX = 4 << 20, /* of one frame, however it came */
    CODED_LAYERS_MAX = 8            /* spatial layers of one frame (VP9) */
};

struct video_payload;

struct coded_frame {
    uint8_t *bytes;
    size_t size;
    size_t capacity;

    bool key;
    uint32_t width; /* of the picture; of received frames: 0 if the payloads do not say */
    uint32_t height;
    int64_t captured;   /* usec; the encoder copies jingle_picture.time; received: for the owner */
    uint32_t timestamp; /* of RTP, 90 kHz; codecs neither set nor read it */

    int picture_id;          /* 15 bits, counts frames; -1: not said */
    unsigned picture_bits;   /* how many bits of it there are: 15, 7, or 0 if not said */
    int tl0_index;           /* 8 bits, counts frames of temporal layer 0; -1: not said */
    unsigned temporal_layer; /* 0 is the base */
    bool layer_sync;         /* needs only frames of temporal layer 0 (VP8: Y; VP9: U) */
    bool discardable;        /* no other frame needs it */

    /* VP9 only */
    bool inter_predicted;                /* needs frames before it (P) */
    unsigned temporal_layers;            /* above 0: the pattern of layers begins here, say so */
    unsigned layer_count;                /* spatial layers in `bytes` that were received ... */
    size_t layer_ends[CODED_LAYERS_MAX]; /* ... and where each ends; 0: they are one piece */
};

/* An empty frame with room for `capacity` bytes (0 is allowed). NULL if out of memory. */
struct coded_frame *coded_frame_new(size_t capacity);
void coded_frame_free(struct coded_frame *frame);

/* Forgets what is in it, but keeps its room. */
void coded_frame_clear(struct coded_frame *frame);

/* Makes the room at least `capacity`; JINGLE_ERROR_LIMIT above CODED_FRAME_SIZE_MAX,
 * JINGLE_ERROR_MEMORY; then nothing is changed. */
jingle_status coded_frame_reserve(struct coded_frame *frame, size_t capacity);

/* Appends what a received payload carries, in the order of sequence numbers. The payload that
 * begins the frame (the first after coded_frame_clear()) also sets key, sizes, picture id and
 * layers. JINGLE_ERROR_INVALID if an empty frame is not begun, one that has begun is begun again,
 * or there are too many layers; statuses of coded_frame_reserve(). Then nothing is changed. */
jingle_status coded_frame_add(struct coded_frame *frame, const struct video_payload *payload);

#endif
