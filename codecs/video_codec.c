#include "codecs/video_codec.h"

#include <string.h>
#include <strings.h>

static const struct video_codec *const all[] = {&codec_vp8, &codec_vp9, NULL};

const struct video_codec *const *video_codec_all(void)
{
    return all;
}

const struct video_codec *video_codec_find(const char *name, uint32_t clockrate)
{
    for (size_t i = 0; all[i]; i++) {
        if (strcasecmp(all[i]->name, name) == 0 && all[i]->clockrate == clockrate) {
            return all[i];
        }
    }
    return NULL;
}

/* Whether one "name=value" of a list that is separated by semicolons is `name` with a value other
 * than "0". */
static bool differs_from_zero(const char *parameter, size_t length, const char *name)
{
    size_t name_length = strlen(name);
    if (length <= name_length || strncasecmp(parameter, name, name_length) != 0 ||
        parameter[name_length] != '=') {
        return false;
    }
    const char *value = parameter + name_length + 1;
    size_t value_length = length - name_length - 1;
    while (value_length > 0 && value[value_length - 1] == ' ') {
        value_length--;
    }
    return value_length != 1 || value[0] != '0';
}

bool video_codec_takes(const struct video_codec *codec, const char *fmtp)
{
    if (codec != &codec_vp9) {
        return true;
    }
    while (*fmtp) {
        fmtp += strspn(fmtp, "; ");
        size_t length = strcspn(fmtp, ";");
        if (differs_from_zero(fmtp, length, "profile-id")) {
            return false;
        }
        fmtp += length;
    }
    return true;
}

static bool is_good_size(uint32_t width, uint32_t height)
{
    return width >= 1 && height >= 1 && width <= VIDEO_SIDE_MAX && height <= VIDEO_SIDE_MAX &&
           width * height <= VIDEO_PIXELS_MAX;
}

static bool is_good_config(const struct video_codec *codec,
                           const struct video_encoder_config *config)
{
    bool good_speed = config->speed == -1 || (config->speed >= codec->speed_slowest &&
                                              config->speed <= codec->speed_fastest);
    return is_good_size(config->width, config->height) && good_speed && config->bitrate > 0 &&
           config->frame_rate > 0 && config->frame_rate <= VIDEO_FRAME_RATE_MAX &&
           config->temporal_layers <= VIDEO_TEMPORAL_LAYERS_MAX &&
           config->threads <= VIDEO_THREADS_MAX && config->max_quantizer <= VIDEO_QUANTIZER_MAX;
}

struct video_encoder *video_encoder_new(const struct video_codec *codec,
                                        const struct video_encoder_config *config)
{
    return is_good_config(codec, config) ? codec->encoder_new(config) : NULL;
}

jingle_status video_encoder_set(struct video_encoder *encoder,
                                const struct video_encoder_config *config)
{
    if (!is_good_config(encoder->codec, config)) {
        return JINGLE_ERROR_INVALID;
    }
    return encoder->codec->encoder_set(encoder, config);
}

static bool is_good_picture(const jingle_picture *picture)
{
    size_t chroma = ((size_t)picture->width + 1) / 2;
    if (!picture->planes[0] || !picture->planes[1] || picture->strides[0] < picture->width) {
        return false;
    }
    if (picture->pixels == JINGLE_PIXELS_NV12) {
        return picture->strides[1] >= 2 * chroma;
    }
    return picture->pixels == JINGLE_PIXELS_I420 && picture->planes[2] &&
           picture->strides[1] >= chroma && picture->strides[2] >= chroma;
}

int video_encode(struct video_encoder *encoder, const jingle_picture *picture, bool force_key,
                 struct coded_frame *frame)
{
    if (!is_good_size(picture->width, picture->height) || !is_good_picture(picture)) {
        return JINGLE_ERROR_INVALID;
    }
    return encoder->codec->encode(encoder, picture, force_key, frame);
}

void video_encoder_free(struct video_encoder *encoder)
{
    if (encoder) {
        encoder->codec->encoder_free(encoder);
    }
}

struct video_decoder *video_decoder_new(const struct video_codec *codec, unsigned threads)
{
    return codec->decoder_new(threads > VIDEO_THREADS_MAX ? VIDEO_THREADS_MAX : threads);
}

int video_decode(struct video_decoder *decoder, const struct coded_frame *frame,
                 jingle_picture *picture)
{
    if (frame->size == 0) {
        return JINGLE_ERROR_INVALID;
    }
    int status = decoder->codec->decode(decoder, frame, picture);
    if (status == 1) {
        picture->time = frame->captured;
    }
    return status;
}

void video_decoder_free(struct video_decoder *decoder)
{
    if (decoder) {
        decoder->codec->decoder_free(decoder);
    }
}

/* Only the first payload can have the longest descriptor; all are cut as if each had it, so that
 * they are of about the same size and none is too long. */
unsigned video_packetise(struct video_packetiser *packetiser, const struct video_codec *codec,
                         const struct coded_frame *frame, size_t size)
{
    *packetiser = (struct video_packetiser){.frame = frame, .codec = codec};
    if (size <= VIDEO_PAYLOAD_OVERHEAD_MAX) {
        return 0;
    }
    uint8_t descriptor[VIDEO_PAYLOAD_OVERHEAD_MAX];
    size_t room = size - codec->write_descriptor(frame, true, true, descriptor);
    packetiser->count = (unsigned)((frame->size + room - 1) / room);
    packetiser->left = packetiser->count;
    return packetiser->count;
}

size_t video_next(struct video_packetiser *packetiser, uint8_t *payload)
{
    if (packetiser->left == 0) {
        return 0;
    }
    const struct coded_frame *frame = packetiser->frame;
    bool first = packetiser->left == packetiser->count;
    bool last = packetiser->left == 1;
    size_t rest = frame->size - packetiser->offset;
    size_t share = (rest + packetiser->left - 1) / packetiser->left;
    size_t size = packetiser->codec->write_descriptor(frame, first, last, payload);
    memcpy(payload + size, frame->bytes + packetiser->offset, share);
    packetiser->offset += share;
    packetiser->left--;
    return size + share;
}

jingle_status video_depacketise(const struct video_codec *codec, const uint8_t *payload,
                                size_t size, struct video_payload *out)
{
    return codec->depacketise(payload, size, out);
}
