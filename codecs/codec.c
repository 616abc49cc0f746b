#include "codecs/codec.h"

#include <strings.h>

const struct audio_codec *const codec_all[] = {&codec_opus, &codec_pcmu, &codec_pcma, NULL};

const struct audio_codec *codec_find(const char *name, uint32_t clockrate, unsigned channels)
{
    for (size_t i = 0; codec_all[i]; i++) {
        const struct audio_codec *codec = codec_all[i];
        if (strcasecmp(codec->name, name) == 0 && codec->clockrate == clockrate &&
            channels <= codec->channels) {
            return codec;
        }
    }
    return NULL;
}

const struct audio_codec *codec_static(int payload_type)
{
    for (size_t i = 0; codec_all[i]; i++) {
        if (payload_type >= 0 && codec_all[i]->payload_type == payload_type) {
            return codec_all[i];
        }
    }
    return NULL;
}

struct audio_encoder *audio_encoder_new(const struct audio_codec *codec,
                                        const struct audio_encoder_config *config)
{
    if (config->channels < 1 || config->channels > codec->channels) {
        return NULL;
    }
    return codec->encoder_new(config);
}

jingle_status audio_encoder_set(struct audio_encoder *encoder,
                                const struct audio_encoder_config *config)
{
    return encoder->codec->encoder_set(encoder, config);
}

void audio_encoder_free(struct audio_encoder *encoder)
{
    if (encoder) {
        encoder->codec->encoder_free(encoder);
    }
}

int audio_encode(struct audio_encoder *encoder, const int16_t *samples, size_t count,
                 uint8_t *payload, size_t size)
{
    return encoder->codec->encode(encoder, samples, count, payload, size);
}

struct audio_decoder *audio_decoder_new(const struct audio_codec *codec, unsigned channels)
{
    if (channels < 1 || channels > AUDIO_CHANNELS_MAX) {
        return NULL;
    }
    return codec->decoder_new(channels);
}

void audio_decoder_reset(struct audio_decoder *decoder)
{
    decoder->codec->decoder_reset(decoder);
}

void audio_decoder_free(struct audio_decoder *decoder)
{
    if (decoder) {
        decoder->codec->decoder_free(decoder);
    }
}

int audio_decode(struct audio_decoder *decoder, const uint8_t *payload, size_t size,
                 int16_t *samples, size_t count)
{
    unsigned duration = audio_duration(decoder->codec, payload, size);
    if (duration == 0 || duration > count) {
        return JINGLE_ERROR_INVALID;
    }
    return decoder->codec->decode(decoder, payload, size, samples, count);
}

int audio_recover(struct audio_decoder *decoder, const uint8_t *next, size_t size, int16_t *samples,
                  size_t count)
{
    if (!audio_has_fec(decoder->codec, next, size)) {
        return JINGLE_ERROR_INVALID;
    }
    return decoder->codec->recover(decoder, next, size, samples, count);
}

int audio_conceal(struct audio_decoder *decoder, int16_t *samples, size_t count)
{
    return decoder->codec->conceal(decoder, samples, count);
}

unsigned audio_duration(const struct audio_codec *codec, const uint8_t *payload, size_t size)
{
    return codec->duration(payload, size);
}

bool audio_has_fec(const struct audio_codec *codec, const uint8_t *payload, size_t size)
{
    return codec->has_fec(payload, size);
}
