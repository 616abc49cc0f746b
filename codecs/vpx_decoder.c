/* Decoding with libvpx. It begins anew after every failure, so that no broken state is ever built
 * upon; key frames are all that is needed for that. */
#include <stdlib.h>
#include <vpx/vp8dx.h>

#include "codecs/vpx.h"

struct video_decoder *vpx_decoder_new(const struct video_codec *codec, unsigned threads)
{
    struct vpx_decoder *decoder = calloc(1, sizeof *decoder);
    if (!decoder) {
        return NULL;
    }
    decoder->base.codec = codec;
    decoder->threads = threads > 0 ? threads : 1;
    return &decoder->base;
}

static void shut(struct vpx_decoder *decoder)
{
    if (decoder->open) {
        vpx_codec_destroy(&decoder->context);
        decoder->open = false;
    }
}

void vpx_decoder_free(struct video_decoder *decoder)
{
    struct vpx_decoder *self = (struct vpx_decoder *)decoder;
    shut(self);
    free(self->scratch);
    free(self);
}

int vpx_decoder_fail(struct vpx_decoder *decoder, jingle_status status)
{
    shut(decoder);
    return status;
}

jingle_status vpx_check_size(uint32_t width, uint32_t height)
{
    return width > VIDEO_SIDE_MAX || height > VIDEO_SIDE_MAX || width * height > VIDEO_PIXELS_MAX
               ? JINGLE_ERROR_LIMIT
               : JINGLE_OK;
}

static bool open_decoder(struct vpx_decoder *decoder, vpx_codec_iface_t *codec)
{
    vpx_codec_dec_cfg_t config = {.threads = decoder->threads};
    decoder->open = vpx_codec_dec_init(&decoder->context, codec, &config, 0) == VPX_CODEC_OK;
    return decoder->open;
}

/* The last picture: of several spatial layers that is the largest. */
static const vpx_image_t *newest_image(struct vpx_decoder *decoder)
{
    vpx_codec_iter_t iterator = NULL;
    const vpx_image_t *newest = NULL;
    const vpx_image_t *image;
    while ((image = vpx_codec_get_frame(&decoder->context, &iterator)) != NULL) {
        newest = image;
    }
    return newest;
}

static bool is_corrupted(struct vpx_decoder *decoder)
{
    int corrupted = 0;
    return vpx_codec_control(&decoder->context, VP8D_GET_FRAME_CORRUPTED, &corrupted) !=
               VPX_CODEC_OK ||
           corrupted != 0;
}

int vpx_decoder_run(struct vpx_decoder *decoder, vpx_codec_iface_t *codec, bool key,
                    const uint8_t *bytes, size_t size, jingle_picture *picture)
{
    if (!decoder->open && !key) {
        return JINGLE_ERROR_STATE;
    }
    if (!decoder->open && !open_decoder(decoder, codec)) {
        return JINGLE_ERROR_MEMORY;
    }
    if (vpx_codec_decode(&decoder->context, bytes, (unsigned)size, NULL, 0) != VPX_CODEC_OK ||
        is_corrupted(decoder)) {
        return vpx_decoder_fail(decoder, JINGLE_ERROR_INVALID);
    }
    const vpx_image_t *image = newest_image(decoder);
    if (!image) {
        return 0;
    }
    if (image->fmt != VPX_IMG_FMT_I420 || vpx_check_size(image->d_w, image->d_h) != JINGLE_OK) {
        return vpx_decoder_fail(decoder, JINGLE_ERROR_INVALID);
    }
    *picture = (jingle_picture){.size = sizeof *picture,
                                .pixels = JINGLE_PIXELS_I420,
                                .width = image->d_w,
                                .height = image->d_h};
    for (int i = 0; i < 3; i++) {
        picture->planes[i] = image->planes[i];
        picture->strides[i] = (size_t)image->stride[i];
    }
    return 1;
}
