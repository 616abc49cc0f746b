/* VP9, profile 0, by libvpx.
 *
 * A received frame may be several of VP9: spatial layers one after the other, and in each a
 * superframe (VP9 bitstream specification, annex B). They are taken apart, the sizes in each
 * header are checked, and they are given to libvpx as one superframe: its index says where each
 * ends, so that nothing is decoded that was not checked. */
#include <stdlib.h>
#include <string.h>
#include <vpx/vp8cx.h>
#include <vpx/vp8dx.h>

#include "codecs/video_payload.h"
#include "codecs/vpx.h"
#include "codecs/vpx_header.h"

enum {
    SPEED_SLOWEST = 5,
    SPEED_FASTEST = 9,
    SMALL_PIXELS = 640 * 480,
    AQ_CYCLIC_REFRESH = 3,
    OVERSHOOT = 50,
    UNDERSHOOT = 50,
    FRAMES_MAX = 8, /* in a superframe */
    INDEX_SIZE_MAX = 2 + 4 * FRAMES_MAX
};

static int vp9_speed_for(uint32_t width, uint32_t height)
{
    return width * height <= SMALL_PIXELS ? 7 : 8;
}

static void vp9_adjust(const struct video_encoder_config *config, vpx_codec_enc_cfg_t *settings)
{
    settings->rc_overshoot_pct = OVERSHOOT;
    settings->rc_undershoot_pct = UNDERSHOOT;
    settings->temporal_layering_mode = config->temporal_layers > 1
                                           ? VP9E_TEMPORAL_LAYERING_MODE_BYPASS
                                           : VP9E_TEMPORAL_LAYERING_MODE_NOLAYERING;
}

static bool vp9_control(vpx_codec_ctx_t *context, const struct video_encoder_config *config,
                        int speed)
{
    bool threaded = config->threads > 1;
    int failed = 0;
    failed |= vpx_codec_control(context, VP9E_SET_SVC, config->temporal_layers > 1 ? 1 : 0);
    failed |= vpx_codec_control(context, VP8E_SET_CPUUSED, speed);
    failed |= vpx_codec_control(context, VP8E_SET_ENABLEAUTOALTREF, 0U);
    failed |= vpx_codec_control(context, VP8E_SET_STATIC_THRESHOLD, 1U);
    failed |= vpx_codec_control(context, VP8E_SET_MAX_INTRA_BITRATE_PCT, vpx_max_intra(config));
    /* said in every key frame: where it is not, browsers take BT.709 for granted */
    failed |= vpx_codec_control(context, VP9E_SET_COLOR_SPACE, VPX_CS_BT_601);
    failed |= vpx_codec_control(context, VP9E_SET_AQ_MODE,
                                config->screen ? 0U : (unsigned)AQ_CYCLIC_REFRESH);
    failed |= vpx_codec_control(context, VP9E_SET_NOISE_SENSITIVITY, 0U);
    failed |= vpx_codec_control(context, VP9E_SET_TUNE_CONTENT,
                                config->screen ? VP9E_CONTENT_SCREEN : VP9E_CONTENT_DEFAULT);
    failed |= vpx_codec_control(context, VP9E_SET_GF_CBR_BOOST_PCT, 0U);
    failed |= vpx_codec_control(context, VP9E_SET_FRAME_PARALLEL_DECODING, 0U);
    failed |= vpx_codec_control(context, VP9E_SET_ROW_MT, 1U);
    failed |= vpx_codec_control(context, VP9E_SET_TILE_COLUMNS, threaded ? 1 : 0);
    return failed == 0;
}

static bool vp9_set_layer(vpx_codec_ctx_t *context, int layer)
{
    vpx_svc_layer_id_t id = {.temporal_layer_id = layer, .temporal_layer_id_per_spatial = {layer}};
    return vpx_codec_control(context, VP9E_SET_SVC_LAYER_ID, &id) == VPX_CODEC_OK;
}

static const struct vpx_flavour flavour = {
    .codec = &codec_vp9,
    .interface = vpx_codec_vp9_cx,
    .resizes = true,
    .adjust = vp9_adjust,
    .control = vp9_control,
    .set_layer = vp9_set_layer,
};

static struct video_encoder *vp9_encoder_new(const struct video_encoder_config *config)
{
    return vpx_encoder_new(&flavour, config);
}

static struct video_decoder *vp9_decoder_new(unsigned threads)
{
    return vpx_decoder_new(&codec_vp9, threads);
}

/* The frames that a received frame consists of. */
struct parts {
    unsigned count;
    const uint8_t *bytes[FRAMES_MAX];
    size_t sizes[FRAMES_MAX];
    size_t total;
};

static bool add_part(struct parts *parts, const uint8_t *bytes, size_t size)
{
    if (size == 0) {
        return true;
    }
    if (parts->count == FRAMES_MAX) {
        return false;
    }
    parts->bytes[parts->count] = bytes;
    parts->sizes[parts->count++] = size;
    parts->total += size;
    return true;
}

/* The index is at the end, between two equal octets 110 | bytes a size - 1 | frames - 1. */
static bool split_layer(struct parts *parts, const uint8_t *bytes, size_t size)
{
    uint8_t marker = bytes[size - 1];
    unsigned count = (marker & 0x07) + 1U;
    unsigned width = (marker >> 3 & 0x03) + 1U;
    size_t index_size = 2 + (size_t)count * width;
    if ((marker & 0xe0) != 0xc0 || index_size > size || bytes[size - index_size] != marker) {
        return add_part(parts, bytes, size);
    }
    const uint8_t *at = bytes + size - index_size + 1;
    size_t rest = size - index_size;
    for (unsigned i = 0; i < count; i++) {
        size_t part = 0;
        for (unsigned j = 0; j < width; j++) {
            part |= (size_t)*at++ << 8 * j;
        }
        if (part > rest || !add_part(parts, bytes, part)) {
            return false;
        }
        bytes += part;
        rest -= part;
    }
    return true;
}

static bool split(struct parts *parts, const struct coded_frame *frame)
{
    if (frame->layer_count == 0) {
        return split_layer(parts, frame->bytes, frame->size);
    }
    size_t from = 0;
    for (unsigned i = 0; i < frame->layer_count; i++) {
        size_t to = frame->layer_ends[i];
        if (to <= from || to > frame->size || !split_layer(parts, frame->bytes + from, to - from)) {
            return false;
        }
        from = to;
    }
    return true;
}

/* Whether all of them are allowed; `key`: whether the first is a key frame. */
static jingle_status check(const struct parts *parts, bool *key)
{
    for (unsigned i = 0; i < parts->count; i++) {
        struct vpx_header header;
        if (!vp9_read_header(parts->bytes[i], parts->sizes[i], &header)) {
            return JINGLE_ERROR_INVALID;
        }
        jingle_status status = vpx_check_size(header.width, header.height);
        if (status != JINGLE_OK) {
            return status;
        }
        *key = i == 0 ? header.key : *key;
    }
    return parts->count > 0 ? JINGLE_OK : JINGLE_ERROR_INVALID;
}

static bool reserve(struct vpx_decoder *decoder, size_t size)
{
    if (size > decoder->scratch_size) {
        uint8_t *scratch = realloc(decoder->scratch, size + size / 2);
        if (!scratch) {
            return false;
        }
        decoder->scratch = scratch;
        decoder->scratch_size = size + size / 2;
    }
    return true;
}

static size_t join(const struct parts *parts, uint8_t *at)
{
    uint8_t *begin = at;
    for (unsigned i = 0; i < parts->count; i++) {
        memcpy(at, parts->bytes[i], parts->sizes[i]);
        at += parts->sizes[i];
    }
    uint8_t marker = (uint8_t)(0xc0 | 3 << 3 | (parts->count - 1));
    *at++ = marker;
    for (unsigned i = 0; i < parts->count; i++) {
        for (unsigned j = 0; j < 4; j++) {
            *at++ = (uint8_t)(parts->sizes[i] >> 8 * j);
        }
    }
    *at++ = marker;
    return (size_t)(at - begin);
}

static int vp9_decode(struct video_decoder *decoder, const struct coded_frame *frame,
                      jingle_picture *picture)
{
    struct vpx_decoder *self = (struct vpx_decoder *)decoder;
    struct parts parts = {0};
    bool key = false;
    if (!split(&parts, frame)) {
        return vpx_decoder_fail(self, JINGLE_ERROR_INVALID);
    }
    jingle_status status = check(&parts, &key);
    if (status != JINGLE_OK) {
        return vpx_decoder_fail(self, status);
    }
    if (!reserve(self, parts.total + INDEX_SIZE_MAX)) {
        return JINGLE_ERROR_MEMORY;
    }
    size_t size = join(&parts, self->scratch);
    return vpx_decoder_run(self, vpx_codec_vp9_dx(), key, self->scratch, size, picture);
}

const struct video_codec codec_vp9 = {
    .name = "VP9",
    .clockrate = VIDEO_CLOCKRATE,
    .fmtp = "profile-id=0",
    .speed_slowest = SPEED_SLOWEST,
    .speed_fastest = SPEED_FASTEST,
    .speed_for = vp9_speed_for,
    .encoder_new = vp9_encoder_new,
    .encoder_set = vpx_encoder_set,
    .encode = vpx_encoder_encode,
    .encoder_free = vpx_encoder_free,
    .decoder_new = vp9_decoder_new,
    .decode = vp9_decode,
    .decoder_free = vpx_decoder_free,
    .write_descriptor = vp9_write_descriptor,
    .depacketise = vp9_depacketise,
};
