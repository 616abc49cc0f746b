/* A video codec as a table of functions, with its RTP payload format.
 *
 *     picture ─▶ video_encode() ─▶ coded_frame ─▶ video_packetise(), video_next() ─▶ payloads
 *     payloads ─▶ video_depacketise() ─▶ coded_frame_add() ─▶ coded_frame ─▶ video_decode() ─▶
 * picture
 *
 * VP8 by RFC 6386 and RFC 7741, VP9 (profile 0) by RFC 9628. Codecs know nothing of streams,
 * clocks or peers; an encoder or decoder is used by one thread at a time. */
#ifndef JINGLE_CODECS_VIDEO_CODEC_H
#define JINGLE_CODECS_VIDEO_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jingle/jingle.h>

#include "codecs/coded_frame.h"

enum {
    VIDEO_CLOCKRATE = 90000,
    VIDEO_SIDE_MAX = 4096,               /* of a picture, in and out ... */
    VIDEO_PIXELS_MAX = 16 * 1000 * 1000, /* ... and all its pixels */
    VIDEO_BITRATE_MIN = 10 * 1000,
    VIDEO_BITRATE_MAX = 50 * 1000 * 1000,
    VIDEO_FRAME_RATE_MAX = 120,
    VIDEO_TEMPORAL_LAYERS_MAX = 3,
    VIDEO_THREADS_MAX = 8,
    VIDEO_QUANTIZER_MAX = 63,       /* the coarsest, on the scale of libvpx */
    VIDEO_REFERENCES_MAX = 3,       /* that a payload of VP9 names */
    VIDEO_PAYLOAD_OVERHEAD_MAX = 64 /* the longest descriptor that packetisers write */
};

/* What the encoder is told. All of it may change with each frame. */
struct video_encoder_config {
    uint32_t width; /* of the pictures that will be encoded */
    uint32_t height;
    unsigned bitrate;         /* bit/s, kept over about half a second */
    unsigned frame_rate;      /* a second, that is expected; what comes is measured */
    unsigned temporal_layers; /* 1 to 3; 0 is taken as 1. With 2, every second frame can be lost */
    bool screen;              /* text and slides rather than a camera */
    bool resilient;           /* a frame can be parsed though the one before is missing; layers
                                 above 1 imply it */
    int speed;                /* codec->speed_slowest to speed_fastest; -1: the codec's choice by
                                 size. encoder_speed.h makes it out of the time that is left */
    unsigned threads;         /* 0: the codec's choice by size */
    unsigned max_quantizer;   /* 1 (fine) to 63 (coarse); 0: the codec's choice. Frames are left
                                 out where the bit rate cannot be kept otherwise */
};

struct video_codec;

/* What every encoder and decoder begins with. */
struct video_encoder {
    const struct video_codec *codec;
    struct video_encoder_config config; /* as it is now */
};

struct video_decoder {
    const struct video_codec *codec;
};

/* What a received payload says. Fields that it does not say are -1, 0 or false. */
struct video_payload {
    const uint8_t *bytes;  /* of the codec, inside the payload */
    size_t size;           /* at least 1 */
    bool begins_frame;     /* the first payload of a frame */
    bool begins_layer;     /* VP9: the first payload of a spatial layer of a frame */
    bool begins_partition; /* VP8: S; otherwise begins_layer */
    bool ends_layer;       /* VP9: E; the end of a frame is told by RTP's marker alone */
    bool key;              /* only with begins_frame; so are width and height ... */
    uint32_t width; /* ... of key frames and, in VP9, where the structure is told; 0: not said */
    uint32_t height;
    int picture_id;        /* -1: not said */
    unsigned picture_bits; /* 15 or 7: it counts modulo 2^15 or 2^7; 0: not said */
    int tl0_index;         /* modulo 256; -1: not said */
    bool has_layer;        /* temporal_layer and layer_sync are said */
    unsigned temporal_layer;
    unsigned spatial_layer;
    bool layer_sync;
    bool discardable;     /* VP8: N, no frame needs it */
    bool inter_predicted; /* VP9: P; of VP8, not key where begins_frame */
    bool flexible;        /* VP9: F; the frames needed are named: */
    unsigned reference_count;
    uint8_t references[VIDEO_REFERENCES_MAX]; /* how much smaller their picture ids are */
};

/* Walks over the payloads of a frame; the fields are the codec's, but for those told. */
struct video_packetiser {
    const struct coded_frame *frame;
    const struct video_codec *codec;
    unsigned left; /* payloads that are to come; 0 after the last (that one has RTP's marker) */
    unsigned count;
    size_t offset;
};

struct video_codec {
    const char *name;   /* as in SDP: "VP8", "VP9" */
    uint32_t clockrate; /* 90000 */
    const char *fmtp;   /* what we announce as format parameters, or "" */
    int speed_slowest;  /* what struct video_encoder_config takes as speed */
    int speed_fastest;
    int (*speed_for)(uint32_t width, uint32_t height); /* the codec's own choice */

    struct video_encoder *(*encoder_new)(const struct video_encoder_config *config);
    jingle_status (*encoder_set)(struct video_encoder *encoder,
                                 const struct video_encoder_config *config);
    int (*encode)(struct video_encoder *encoder, const jingle_picture *picture, bool force_key,
                  struct coded_frame *frame);
    void (*encoder_free)(struct video_encoder *encoder);

    struct video_decoder *(*decoder_new)(unsigned threads);
    int (*decode)(struct video_decoder *decoder, const struct coded_frame *frame,
                  jingle_picture *picture);
    void (*decoder_free)(struct video_decoder *decoder);

    size_t (*write_descriptor)(const struct coded_frame *frame, bool first, bool last, uint8_t *at);
    jingle_status (*depacketise)(const uint8_t *payload, size_t size, struct video_payload *out);
};

extern const struct video_codec codec_vp8; /* vp8.c, vp8_payload.c */
extern const struct video_codec codec_vp9; /* vp9.c, vp9_payload.c */

/* All that we have, best first; ends with NULL. */
const struct video_codec *const *video_codec_all(void);

/* By the name of an rtpmap, in any case; NULL if we have none such. */
const struct video_codec *video_codec_find(const char *name, uint32_t clockrate);

/* Whether the format parameters of a peer's description are of a format that we can decode:
 * VP9 only with profile-id 0 (or none, RFC 9628, section 7). Any order, any other parameters. */
bool video_codec_takes(const struct video_codec *codec, const char *fmtp);

/* NULL if out of memory or the configuration makes no sense. */
struct video_encoder *video_encoder_new(const struct video_codec *codec,
                                        const struct video_encoder_config *config);

/* Takes effect with the next frame. Refused with JINGLE_ERROR_INVALID if it makes no sense; then
 * the encoder is as it was. After any other failure only video_encoder_free() is of use. */
jingle_status video_encoder_set(struct video_encoder *encoder,
                                const struct video_encoder_config *config);

/* Encodes a picture of exactly the configured size, I420 or NV12, without copying it; the picture
 * is not needed any more on return. `frame` is overwritten (its `timestamp` excepted).
 * Returns 1 if there is a frame; 0 if the encoder left this picture out to keep the bit rate
 * (`force_key` is remembered then); or a negative jingle_status. The first frame is a key frame.
 * The caller measures the time that it took, for encoder_speed.h. */
int video_encode(struct video_encoder *encoder, const jingle_picture *picture, bool force_key,
                 struct coded_frame *frame);
void video_encoder_free(struct video_encoder *encoder);

/* `threads` 0 or 1: none but the caller's. NULL if out of memory. */
struct video_decoder *video_decoder_new(const struct video_codec *codec, unsigned threads);

/* Returns 1 with an I420 picture that points into the decoder (valid until the next call), its
 * `time` that of frame->captured; 0 if the frame is not to be shown; or
 *   JINGLE_ERROR_INVALID  malformed           ─┐ ask for a key frame; nothing else is decoded
 *   JINGLE_ERROR_LIMIT    larger than allowed ─┘ until it has come
 *   JINGLE_ERROR_STATE    no key frame came yet, or none since one of these failures
 * Nothing is allocated for a frame before its sizes were found to be allowed. */
int video_decode(struct video_decoder *decoder, const struct coded_frame *frame,
                 jingle_picture *picture);
void video_decoder_free(struct video_decoder *decoder);

/* Prepares to cut a frame into payloads of at most `size` bytes (more than
 * VIDEO_PAYLOAD_OVERHEAD_MAX), descriptors included, of about the same size. Returns how many
 * there will be; 0 for an empty frame or a size too small. The frame must stay until the last. */
unsigned video_packetise(struct video_packetiser *packetiser, const struct video_codec *codec,
                         const struct coded_frame *frame, size_t size);

/* Writes the next payload, with room for the `size` told before. Returns its bytes; 0 after the
 * last. */
size_t video_next(struct video_packetiser *packetiser, uint8_t *payload);

/* JINGLE_ERROR_INVALID if the payload is malformed or carries nothing of the codec. Reads nothing
 * outside, keeps nothing. */
jingle_status video_depacketise(const struct video_codec *codec, const uint8_t *payload,
                                size_t size, struct video_payload *out);

#endif
