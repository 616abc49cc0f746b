/* G.711: logarithmic 8-bit samples at 8 kHz, µ-law and A-law (ITU-T G.711; RFC 3551, section
 * 4.5.14). The standard has no loss concealment of its own; here the last pitch period is repeated
 * and faded out, the idea of its Appendix I. */
#include "codecs/codec.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    RATE = 8000,
    SAMPLES_MAX = RATE / 1000 * AUDIO_FRAME_MS_MAX,
    PITCH_MIN = RATE / 400, /* a voice between 400... */
    PITCH_MAX = RATE / 66,  /* ...and 66 Hz */
    WINDOW = RATE / 1000 * 15,
    HISTORY = 2 * PITCH_MAX + WINDOW,
    FADE_AFTER = RATE / 1000 * 10, /* this much is repeated as loud as it was... */
    JOIN = RATE / 1000 * 5,        /* over this much it passes into what came next */
    FADE_END = RATE / 1000 * 70    /* ...and here it is silent */
};

struct g711_encoder {
    struct audio_encoder base;
};

struct g711_decoder {
    struct audio_decoder base;
    int16_t history[HISTORY]; /* the latest sound, mono, the newest last */
    size_t pitch;             /* what is being repeated; 0 while nothing is lost */
    size_t concealed;         /* samples since the last packet */
};

/* How often `value` has to be halved to be less than `limit`. */
static unsigned segment_of(unsigned value, unsigned limit)
{
    unsigned segment = 0;
    for (; value >= limit; value >>= 1) {
        segment++;
    }
    return segment;
}

static uint8_t ulaw_from(int16_t sample)
{
    int magnitude = sample < 0 ? -(int)sample : sample;
    magnitude = (magnitude > 32635 ? 32635 : magnitude) + 0x84;
    unsigned segment = segment_of((unsigned)magnitude, 0x100);
    unsigned mantissa = ((unsigned)magnitude >> (segment + 3)) & 0x0f;
    return (uint8_t) ~((sample < 0 ? 0x80u : 0u) | segment << 4 | mantissa);
}

static int16_t ulaw_to(uint8_t code)
{
    unsigned value = (uint8_t)~code;
    int magnitude = (int)((((value & 0x0f) << 3) + 0x84) << ((value >> 4) & 7)) - 0x84;
    return (int16_t)((value & 0x80) ? -magnitude : magnitude);
}

static uint8_t alaw_from(int16_t sample)
{
    unsigned magnitude = (unsigned)(sample < 0 ? -1 - sample : sample); /* 0 to 32767 */
    unsigned segment = segment_of(magnitude, 0x100);
    /* segments 0 and 1 have the same step */
    unsigned mantissa = (magnitude >> (segment == 0 ? 4 : segment + 3)) & 0x0f;
    return (uint8_t)((segment << 4 | mantissa | (sample < 0 ? 0u : 0x80u)) ^ 0x55u);
}

static int16_t alaw_to(uint8_t code)
{
    unsigned value = code ^ 0x55u;
    unsigned segment = (value >> 4) & 7;
    unsigned magnitude = ((value & 0x0f) << 4) + 8;
    if (segment > 0) {
        magnitude = (magnitude + 0x100) << (segment - 1);
    }
    return (int16_t)((value & 0x80) ? (int)magnitude : -(int)magnitude);
}

static jingle_status g711_encoder_set(struct audio_encoder *encoder,
                                      const struct audio_encoder_config *config)
{
    (void)encoder;
    (void)config; /* G.711 has nothing to choose */
    return JINGLE_OK;
}

static void g711_encoder_free(struct audio_encoder *encoder)
{
    free(encoder);
}

static struct audio_encoder *g711_encoder_new(const struct audio_codec *codec)
{
    struct g711_encoder *self = calloc(1, sizeof *self);
    if (self) {
        self->base.codec = codec;
    }
    return self ? &self->base : NULL;
}

static struct audio_encoder *pcmu_encoder_new(const struct audio_encoder_config *config)
{
    (void)config;
    return g711_encoder_new(&codec_pcmu);
}

static struct audio_encoder *pcma_encoder_new(const struct audio_encoder_config *config)
{
    (void)config;
    return g711_encoder_new(&codec_pcma);
}

static int g711_encode(struct audio_encoder *encoder, const int16_t *samples, size_t count,
                       uint8_t *payload, size_t size)
{
    if (count == 0 || count > size || count > SAMPLES_MAX) {
        return JINGLE_ERROR_INVALID;
    }
    bool ulaw = encoder->codec == &codec_pcmu;
    for (size_t i = 0; i < count; i++) {
        payload[i] = ulaw ? ulaw_from(samples[i]) : alaw_from(samples[i]);
    }
    return (int)count;
}

static struct audio_decoder *g711_decoder_new(const struct audio_codec *codec, unsigned channels)
{
    struct g711_decoder *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->base.codec = codec;
    self->base.channels = channels;
    return &self->base;
}

static struct audio_decoder *pcmu_decoder_new(unsigned channels)
{
    return g711_decoder_new(&codec_pcmu, channels);
}

static struct audio_decoder *pcma_decoder_new(unsigned channels)
{
    return g711_decoder_new(&codec_pcma, channels);
}

static void g711_decoder_reset(struct audio_decoder *decoder)
{
    struct g711_decoder *self = (struct g711_decoder *)decoder;
    memset(self->history, 0, sizeof self->history);
    self->pitch = 0;
    self->concealed = 0;
}

static void g711_decoder_free(struct audio_decoder *decoder)
{
    free(decoder);
}

static void remember(struct g711_decoder *self, const int16_t *mono, size_t count)
{
    if (count >= HISTORY) {
        memcpy(self->history, mono + count - HISTORY, sizeof self->history);
        return;
    }
    memmove(self->history, self->history + count, (HISTORY - count) * sizeof(int16_t));
    memcpy(self->history + HISTORY - count, mono, count * sizeof(int16_t));
}

/* Mono at the front of the room to interleaved channels, from behind so that nothing is
 * overwritten. */
static void spread(int16_t *samples, size_t count, unsigned channels)
{
    for (size_t i = count; channels == 2 && i-- > 0;) {
        samples[2 * i] = samples[2 * i + 1] = samples[i];
    }
}

static double gain_at(size_t concealed)
{
    if (concealed < FADE_AFTER) {
        return 1;
    }
    return concealed >= FADE_END ? 0 : (double)(FADE_END - concealed) / (FADE_END - FADE_AFTER);
}

static double next_concealed(struct g711_decoder *self)
{
    int16_t sample = self->history[HISTORY - self->pitch + self->concealed % self->pitch];
    return sample * gain_at(self->concealed++);
}

/* The concealment goes on under the first samples that came after it. */
static void join(struct g711_decoder *self, int16_t *samples, size_t count)
{
    for (size_t i = 0; self->pitch > 0 && i < JOIN && i < count; i++) {
        double weight = (double)(i + 1) / (JOIN + 1);
        samples[i] = (int16_t)lrint(samples[i] * weight + next_concealed(self) * (1 - weight));
    }
}

static int g711_decode(struct audio_decoder *decoder, const uint8_t *payload, size_t size,
                       int16_t *samples, size_t count)
{
    struct g711_decoder *self = (struct g711_decoder *)decoder;
    (void)count; /* audio_decode() looked */
    bool ulaw = decoder->codec == &codec_pcmu;
    for (size_t i = 0; i < size; i++) {
        samples[i] = ulaw ? ulaw_to(payload[i]) : alaw_to(payload[i]);
    }
    join(self, samples, size);
    remember(self, samples, size);
    self->pitch = 0;
    self->concealed = 0;
    spread(samples, size, decoder->channels);
    return (int)size;
}

static int g711_recover(struct audio_decoder *decoder, const uint8_t *next, size_t size,
                        int16_t *samples, size_t count)
{
    (void)decoder;
    (void)next;
    (void)size;
    (void)samples;
    (void)count;
    return JINGLE_ERROR_INVALID; /* G.711 carries no FEC */
}

/* The lag at which the end of the sound is most like what was before it. */
static size_t pitch_of(const int16_t *history)
{
    const int16_t *end = history + HISTORY - WINDOW;
    size_t best = PITCH_MAX;
    double best_likeness = -1;
    for (size_t lag = PITCH_MIN; lag <= PITCH_MAX; lag++) {
        double cross = 0;
        double energy = 1;
        for (size_t i = 0; i < WINDOW; i++) {
            double before = *(end + i - lag);
            cross += end[i] * before;
            energy += before * before;
        }
        double likeness = cross / sqrt(energy);
        if (likeness > best_likeness) {
            best_likeness = likeness;
            best = lag;
        }
    }
    return best;
}

static int g711_conceal(struct audio_decoder *decoder, int16_t *samples, size_t count)
{
    struct g711_decoder *self = (struct g711_decoder *)decoder;
    if (self->pitch == 0) {
        self->pitch = pitch_of(self->history);
    }
    for (size_t i = 0; i < count; i++) {
        samples[i] = (int16_t)lrint(next_concealed(self));
    }
    spread(samples, count, decoder->channels);
    return (int)count;
}

static unsigned g711_duration(const uint8_t *payload, size_t size)
{
    (void)payload;
    return size <= SAMPLES_MAX ? (unsigned)size : 0;
}

static bool g711_has_fec(const uint8_t *payload, size_t size)
{
    (void)payload;
    (void)size;
    return false;
}

const struct audio_codec codec_pcmu = {
    .name = "PCMU",
    .clockrate = RATE,
    .channels = 1,
    .payload_type = 0,
    .fmtp = "",
    .encoder_new = pcmu_encoder_new,
    .encoder_set = g711_encoder_set,
    .encoder_free = g711_encoder_free,
    .encode = g711_encode,
    .decoder_new = pcmu_decoder_new,
    .decoder_reset = g711_decoder_reset,
    .decoder_free = g711_decoder_free,
    .decode = g711_decode,
    .recover = g711_recover,
    .conceal = g711_conceal,
    .duration = g711_duration,
    .has_fec = g711_has_fec,
};

const struct audio_codec codec_pcma = {
    .name = "PCMA",
    .clockrate = RATE,
    .channels = 1,
    .payload_type = 8,
    .fmtp = "",
    .encoder_new = pcma_encoder_new,
    .encoder_set = g711_encoder_set,
    .encoder_free = g711_encoder_free,
    .encode = g711_encode,
    .decoder_new = pcma_decoder_new,
    .decoder_reset = g711_decoder_reset,
    .decoder_free = g711_decoder_free,
    .decode = g711_decode,
    .recover = g711_recover,
    .conceal = g711_conceal,
    .duration = g711_duration,
    .has_fec = g711_has_fec,
};
