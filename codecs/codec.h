/* A voice codec as a table of functions: frames of 16-bit samples to bytes and back.
 *
 *     samples ──▶ audio_encode() ──▶ payload ~~~ audio_decode()   the payload came
 *                                            ~~~ audio_recover()  lost, but the next one came
 *                                            ~~~ audio_conceal()  lost, nothing to take it from
 *
 * An RTP payload of Opus (RFC 7587) and of G.711 (RFC 3551, section 4.5.14) is one frame or
 * several exactly as the codec makes them, so nothing else stands between a packet and its codec.
 * Codecs know nothing of streams, threads or peers. Counts of samples are per channel;
 * several channels are interleaved. */
#ifndef JINGLE_CODECS_CODEC_H
#define JINGLE_CODECS_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jingle/jingle.h>

enum {
    AUDIO_FRAME_MS_MAX = 120,     /* the longest packet decoded (RFC 6716, section 3.2.5) */
    AUDIO_SAMPLES_MAX = 48 * 120, /* and its samples per channel */
    AUDIO_CHANNELS_MAX = 2,
    AUDIO_PAYLOAD_MAX = 1275 * 3 + 128 /* the longest payload that encoders make */
};

struct audio_encoder_config {
    unsigned channels;     /* of the samples that will be encoded: 1 or 2; G.711 only 1 */
    unsigned bitrate;      /* bit/s; 0: the codec's own choice */
    unsigned loss_percent; /* what the peer reports; Opus sends FEC only if it is above 0 */
    bool fec;              /* the peer can use in-band FEC */
    bool dtx;              /* send (almost) nothing while nobody speaks */
    int complexity;        /* 0 to 10; -1: the codec's own choice */
};

struct audio_codec;

/* What every encoder and decoder begins with. */
struct audio_encoder {
    const struct audio_codec *codec;
};

struct audio_decoder {
    const struct audio_codec *codec;
    unsigned channels; /* of the samples that it makes, whatever the sender encoded */
};

struct audio_codec {
    const char *name;   /* as in SDP: "opus", "PCMU", "PCMA" */
    uint32_t clockrate; /* of RTP time stamps and of the samples */
    unsigned channels;  /* as in SDP; Opus always says 2 (RFC 7587, section 7) */
    int payload_type;   /* static (RFC 3551), or -1 */
    const char *fmtp;   /* what we announce as format parameters: "a=1;b=2", or "" */

    struct audio_encoder *(*encoder_new)(const struct audio_encoder_config *config);
    jingle_status (*encoder_set)(struct audio_encoder *encoder,
                                 const struct audio_encoder_config *config);
    void (*encoder_free)(struct audio_encoder *encoder);
    int (*encode)(struct audio_encoder *encoder, const int16_t *samples, size_t count,
                  uint8_t *payload, size_t size);

    struct audio_decoder *(*decoder_new)(unsigned channels);
    void (*decoder_reset)(struct audio_decoder *decoder);
    void (*decoder_free)(struct audio_decoder *decoder);
    int (*decode)(struct audio_decoder *decoder, const uint8_t *payload, size_t size,
                  int16_t *samples, size_t count);
    int (*recover)(struct audio_decoder *decoder, const uint8_t *next, size_t size,
                   int16_t *samples, size_t count);
    int (*conceal)(struct audio_decoder *decoder, int16_t *samples, size_t count);
    unsigned (*duration)(const uint8_t *payload, size_t size);
    bool (*has_fec)(const uint8_t *payload, size_t size);
};

extern const struct audio_codec codec_opus; /* opus.c */
extern const struct audio_codec codec_pcmu; /* g711.c */
extern const struct audio_codec codec_pcma;

/* By the name of an rtpmap, in any case; NULL if we have none such. `channels` 0 is taken as the
 * codec's own; Opus written with one channel is taken too (some clients do). */
const struct audio_codec *codec_find(const char *name, uint32_t clockrate, unsigned channels);

/* By static payload type; NULL if none. */
const struct audio_codec *codec_static(int payload_type);

/* All that we have, best first; ends with NULL. */
extern const struct audio_codec *const codec_all[];

/* NULL if out of memory or the configuration makes no sense. */
struct audio_encoder *audio_encoder_new(const struct audio_codec *codec,
                                        const struct audio_encoder_config *config);

/* Takes effect with the next frame; channels cannot change. */
jingle_status audio_encoder_set(struct audio_encoder *encoder,
                                const struct audio_encoder_config *config);
void audio_encoder_free(struct audio_encoder *encoder);

/* One frame of 10, 20, 40 or 60 ms. Returns the bytes of the payload, 0 if this frame need not be
 * sent (DTX), or a negative jingle_status. */
int audio_encode(struct audio_encoder *encoder, const int16_t *samples, size_t count,
                 uint8_t *payload, size_t size);

struct audio_decoder *audio_decoder_new(const struct audio_codec *codec, unsigned channels);

/* Forgets all that was heard, as before the first packet of a stream. */
void audio_decoder_reset(struct audio_decoder *decoder);
void audio_decoder_free(struct audio_decoder *decoder);

/* Room for `count` samples per channel. Returns how many were made or, if the payload is malformed
 * or too long for the room, a negative jingle_status; then the decoder is as it was. */
int audio_decode(struct audio_decoder *decoder, const uint8_t *payload, size_t size,
                 int16_t *samples, size_t count);

/* The last `count` samples before the payload `next`, out of its in-band FEC. Call it before
 * decoding `next` itself. */
int audio_recover(struct audio_decoder *decoder, const uint8_t *next, size_t size, int16_t *samples,
                  size_t count);

/* `count` samples that continue the sound plausibly; they fade when called again and again. */
int audio_conceal(struct audio_decoder *decoder, int16_t *samples, size_t count);

/* Samples per channel in a payload; 0 if it is malformed. */
unsigned audio_duration(const struct audio_codec *codec, const uint8_t *payload, size_t size);

/* Whether audio_recover() would find the sound of the packet before this one here. */
bool audio_has_fec(const struct audio_codec *codec, const uint8_t *payload, size_t size);

#endif
