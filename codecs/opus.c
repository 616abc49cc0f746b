/* Opus (RFC 6716) by libopus; its RTP payload (RFC 7587) is one Opus packet. */
#include "codecs/codec.h"

#include <opus.h>
#include <stdlib.h>

enum {
    RATE = 48000,
    FRAME_SIZE_MAX = 1275, /* of one frame (RFC 6716, section 3.4) */
    FRAMES_MAX = 48,       /* in one packet */
    STEP = RATE / 400,     /* libopus conceals in steps of 2.5 ms */
    DTX_SIZE_MAX = 2,      /* a packet this short says nothing (RFC 7587, section 3.1.3) */
    BITRATE_MIN = 6000,
    BITRATE_MAX = 510000
};

struct opus_audio_encoder {
    struct audio_encoder base;
    OpusEncoder *state;
    bool dtx;
};

struct opus_audio_decoder {
    struct audio_decoder base;
    OpusDecoder *state;
};

static struct opus_audio_encoder *encoder_of(struct audio_encoder *encoder)
{
    return (struct opus_audio_encoder *)encoder;
}

static struct opus_audio_decoder *decoder_of(struct audio_decoder *decoder)
{
    return (struct opus_audio_decoder *)decoder;
}

static opus_int32 bitrate_of(unsigned wanted)
{
    if (wanted == 0) {
        return OPUS_AUTO;
    }
    if (wanted < BITRATE_MIN) {
        return BITRATE_MIN;
    }
    return wanted > BITRATE_MAX ? BITRATE_MAX : (opus_int32)wanted;
}

static jingle_status opus_encoder_set(struct audio_encoder *encoder,
                                      const struct audio_encoder_config *config)
{
    struct opus_audio_encoder *self = encoder_of(encoder);
    opus_int32 loss = config->loss_percent > 100 ? 100 : (opus_int32)config->loss_percent;
    int failed = opus_encoder_ctl(self->state, OPUS_SET_BITRATE(bitrate_of(config->bitrate)));
    failed |= opus_encoder_ctl(self->state, OPUS_SET_INBAND_FEC(config->fec ? 1 : 0));
    failed |= opus_encoder_ctl(self->state, OPUS_SET_PACKET_LOSS_PERC(config->fec ? loss : 0));
    failed |= opus_encoder_ctl(self->state, OPUS_SET_DTX(config->dtx ? 1 : 0));
    if (config->complexity >= 0) {
        failed |= opus_encoder_ctl(self->state, OPUS_SET_COMPLEXITY(config->complexity));
    }
    self->dtx = config->dtx;
    return failed == OPUS_OK ? JINGLE_OK : JINGLE_ERROR_INVALID;
}

static void opus_encoder_free(struct audio_encoder *encoder)
{
    struct opus_audio_encoder *self = encoder_of(encoder);
    opus_encoder_destroy(self->state);
    free(self);
}

static struct audio_encoder *opus_encoder_new(const struct audio_encoder_config *config)
{
    struct opus_audio_encoder *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    int error = OPUS_OK;
    self->base.codec = &codec_opus;
    self->state = opus_encoder_create(RATE, (int)config->channels, OPUS_APPLICATION_VOIP, &error);
    if (!self->state) {
        free(self);
        return NULL;
    }
    if (opus_encoder_set(&self->base, config) != JINGLE_OK) {
        opus_encoder_free(&self->base);
        return NULL;
    }
    return &self->base;
}

static int opus_encode_frame(struct audio_encoder *encoder, const int16_t *samples, size_t count,
                             uint8_t *payload, size_t size)
{
    struct opus_audio_encoder *self = encoder_of(encoder);
    int bytes = opus_encode(self->state, samples, (int)count, payload, (opus_int32)size);
    if (bytes < 0) {
        return bytes == OPUS_INTERNAL_ERROR ? JINGLE_ERROR_INTERNAL : JINGLE_ERROR_INVALID;
    }
    return self->dtx && bytes <= DTX_SIZE_MAX ? 0 : bytes;
}

static struct audio_decoder *opus_decoder_new(unsigned channels)
{
    struct opus_audio_decoder *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    int error = OPUS_OK;
    self->base.codec = &codec_opus;
    self->base.channels = channels;
    self->state = opus_decoder_create(RATE, (int)channels, &error);
    if (!self->state) {
        free(self);
        return NULL;
    }
    return &self->base;
}

static void opus_decoder_reset(struct audio_decoder *decoder)
{
    opus_decoder_ctl(decoder_of(decoder)->state, OPUS_RESET_STATE);
}

static void opus_decoder_free(struct audio_decoder *decoder)
{
    opus_decoder_destroy(decoder_of(decoder)->state);
    free(decoder);
}

static int opus_decode_frame(struct audio_decoder *decoder, const uint8_t *payload, size_t size,
                             int16_t *samples, size_t count)
{
    int made =
        opus_decode(decoder_of(decoder)->state, payload, (opus_int32)size, samples, (int)count, 0);
    return made > 0 ? made : JINGLE_ERROR_INVALID;
}

static int opus_recover(struct audio_decoder *decoder, const uint8_t *next, size_t size,
                        int16_t *samples, size_t count)
{
    int made = opus_decode(decoder_of(decoder)->state, next, (opus_int32)size, samples,
                           (int)(count - count % STEP), 1);
    return made > 0 ? made : JINGLE_ERROR_INVALID;
}

static int opus_conceal(struct audio_decoder *decoder, int16_t *samples, size_t count)
{
    int made =
        opus_decode(decoder_of(decoder)->state, NULL, 0, samples, (int)(count - count % STEP), 0);
    return made > 0 ? made : JINGLE_ERROR_INVALID;
}

static unsigned opus_duration(const uint8_t *payload, size_t size)
{
    opus_int16 sizes[FRAMES_MAX];
    if (size == 0 || size > (size_t)FRAME_SIZE_MAX * FRAMES_MAX ||
        opus_packet_parse(payload, (opus_int32)size, NULL, NULL, sizes, NULL) <= 0) {
        return 0;
    }
    int samples = opus_packet_get_nb_samples(payload, (opus_int32)size, RATE);
    return samples > 0 && samples <= AUDIO_SAMPLES_MAX ? (unsigned)samples : 0;
}

/* The first bits of a SILK frame are, for each channel, a voice activity flag for each 20 ms and
 * then the flag that FEC of the packet before (LBRR) is there (RFC 6716, sections 4.2.3 and 4.2.4).
 */
static bool opus_has_fec(const uint8_t *payload, size_t size)
{
    const unsigned char *frames[FRAMES_MAX];
    opus_int16 sizes[FRAMES_MAX];
    unsigned char toc;
    if (size == 0 || size > (size_t)FRAME_SIZE_MAX * FRAMES_MAX ||
        opus_packet_parse(payload, (opus_int32)size, &toc, frames, sizes, NULL) <= 0) {
        return false;
    }
    bool celt = (toc & 0x80) != 0;
    if (celt || sizes[0] < 1) {
        return false;
    }
    int parts = opus_packet_get_samples_per_frame(payload, RATE) / (RATE / 50);
    if (parts < 1) {
        parts = 1; /* 10 ms has one flag, too */
    }
    bool stereo = (toc & 0x04) != 0;
    bool mid = ((frames[0][0] >> (7 - parts)) & 1) != 0;
    bool side = stereo && ((frames[0][0] >> (6 - 2 * parts)) & 1) != 0;
    return mid || side;
}

const struct audio_codec codec_opus = {
    .name = "opus",
    .clockrate = RATE,
    .channels = 2,
    .payload_type = -1,
    .fmtp = "minptime=10;useinbandfec=1",
    .encoder_new = opus_encoder_new,
    .encoder_set = opus_encoder_set,
    .encoder_free = opus_encoder_free,
    .encode = opus_encode_frame,
    .decoder_new = opus_decoder_new,
    .decoder_reset = opus_decoder_reset,
    .decoder_free = opus_decoder_free,
    .decode = opus_decode_frame,
    .recover = opus_recover,
    .conceal = opus_conceal,
    .duration = opus_duration,
    .has_fec = opus_has_fec,
};
