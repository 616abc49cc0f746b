/* VP8 (RFC 6386) by libvpx. */
#include <vpx/vp8cx.h>
#include <vpx/vp8dx.h>

#include "codecs/video_payload.h"
#include "codecs/vpx.h"
#include "codecs/vpx_header.h"

enum {
    SPEED_SLOWEST = 4,
    SPEED_FASTEST = 12,
    SMALL_PIXELS = 352 * 288,
    LARGE_PIXELS = 1280 * 720,
    DENOISE = 1, /* of luma only */
    DENOISED_PIXELS = 960 * 540,
    STATIC_THRESHOLD_SCREEN = 100,
    SCREEN_STRICT = 2, /* and a frame that became far too large is left out, the next is coarse */
    OVERSHOOT = 15,
    UNDERSHOOT = 100
};

static int vp8_speed_for(uint32_t width, uint32_t height)
{
    uint32_t pixels = width * height;
    if (pixels <= SMALL_PIXELS) {
        return 4;
    }
    return pixels <= LARGE_PIXELS ? 6 : 8;
}

static void vp8_adjust(const struct video_encoder_config *config, vpx_codec_enc_cfg_t *settings)
{
    (void)config;
    settings->rc_overshoot_pct = OVERSHOOT;
    settings->rc_undershoot_pct = UNDERSHOOT;
}

/* Noise costs most where bits are few, and that is where the pictures are small. For larger ones it
 * is not worth its time and memory (six more pictures). */
static unsigned noise_sensitivity(const struct video_encoder_config *config)
{
    bool denoise = !config->screen && config->width * config->height <= DENOISED_PIXELS;
    return denoise ? DENOISE : 0;
}

static bool vp8_control(vpx_codec_ctx_t *context, const struct video_encoder_config *config,
                        int speed)
{
    bool threaded = config->threads > 1;
    int failed = 0;
    failed |= vpx_codec_control(context, VP8E_SET_CPUUSED, -speed); /* below 0: exactly that */
    failed |= vpx_codec_control(context, VP8E_SET_NOISE_SENSITIVITY, noise_sensitivity(config));
    failed |= vpx_codec_control(context, VP8E_SET_STATIC_THRESHOLD,
                                config->screen ? STATIC_THRESHOLD_SCREEN : 1);
    failed |= vpx_codec_control(context, VP8E_SET_TOKEN_PARTITIONS,
                                threaded ? VP8_TWO_TOKENPARTITION : VP8_ONE_TOKENPARTITION);
    failed |= vpx_codec_control(context, VP8E_SET_MAX_INTRA_BITRATE_PCT, vpx_max_intra(config));
    failed |= vpx_codec_control(context, VP8E_SET_SCREEN_CONTENT_MODE,
                                config->screen ? (unsigned)SCREEN_STRICT : 0U);
    return failed == 0;
}

static bool vp8_set_layer(vpx_codec_ctx_t *context, int layer)
{
    return vpx_codec_control(context, VP8E_SET_TEMPORAL_LAYER_ID, layer) == VPX_CODEC_OK;
}

static const struct vpx_flavour flavour = {
    .codec = &codec_vp8,
    .interface = vpx_codec_vp8_cx,
    .resizes = false,
    .adjust = vp8_adjust,
    .control = vp8_control,
    .set_layer = vp8_set_layer,
};

static struct video_encoder *vp8_encoder_new(const struct video_encoder_config *config)
{
    return vpx_encoder_new(&flavour, config);
}

static struct video_decoder *vp8_decoder_new(unsigned threads)
{
    return vpx_decoder_new(&codec_vp8, threads);
}

static int vp8_decode(struct video_decoder *decoder, const struct coded_frame *frame,
                      jingle_picture *picture)
{
    struct vpx_decoder *self = (struct vpx_decoder *)decoder;
    struct vpx_header header;
    if (!vp8_read_header(frame->bytes, frame->size, &header)) {
        return vpx_decoder_fail(self, JINGLE_ERROR_INVALID);
    }
    jingle_status status = vpx_check_size(header.width, header.height);
    if (status != JINGLE_OK) {
        return vpx_decoder_fail(self, status);
    }
    return vpx_decoder_run(self, vpx_codec_vp8_dx(), header.key, frame->bytes, frame->size,
                           picture);
}

const struct video_codec codec_vp8 = {
    .name = "VP8",
    .clockrate = VIDEO_CLOCKRATE,
    .fmtp = "",
    .speed_slowest = SPEED_SLOWEST,
    .speed_fastest = SPEED_FASTEST,
    .speed_for = vp8_speed_for,
    .encoder_new = vp8_encoder_new,
    .encoder_set = vpx_encoder_set,
    .encode = vpx_encoder_encode,
    .encoder_free = vpx_encoder_free,
    .decoder_new = vp8_decoder_new,
    .decode = vp8_decode,
    .decoder_free = vpx_decoder_free,
    .write_descriptor = vp8_write_descriptor,
    .depacketise = vp8_depacketise,
};
