/* What VP8 and VP9 have in common with libvpx. vp8.c and vp9.c fill in the differences. */
#ifndef JINGLE_CODECS_VPX_H
#define JINGLE_CODECS_VPX_H

#include <vpx/vpx_decoder.h>
#include <vpx/vpx_encoder.h>

#include "codecs/video_codec.h"

/* What one codec does its own way when encoding. */
struct vpx_flavour {
    const struct video_codec *codec;
    vpx_codec_iface_t *(*interface)(void);
    bool resizes; /* a smaller picture than the first needs no key frame */

    void (*adjust)(const struct video_encoder_config *config, vpx_codec_enc_cfg_t *settings);

    /* What libvpx sets by controls, after opening and with every change. */
    bool (*control)(vpx_codec_ctx_t *context, const struct video_encoder_config *config, int speed);
    bool (*set_layer)(vpx_codec_ctx_t *context, int layer);
};

struct video_encoder *vpx_encoder_new(const struct vpx_flavour *flavour,
                                      const struct video_encoder_config *config);
jingle_status vpx_encoder_set(struct video_encoder *encoder,
                              const struct video_encoder_config *config);
int vpx_encoder_encode(struct video_encoder *encoder, const jingle_picture *picture, bool force_key,
                       struct coded_frame *frame);
void vpx_encoder_free(struct video_encoder *encoder);

/* How many bits a pixel of a frame gets. */
double vpx_bits_per_pixel(const struct video_encoder_config *config);

/* Per cent of an average frame that a key frame may be large: the buffer that the decoder is
 * thought to have is filled to half by it. */
unsigned vpx_max_intra(const struct video_encoder_config *config);

struct vpx_decoder {
    struct video_decoder base;
    vpx_codec_ctx_t context;
    bool open; /* a key frame came, and no failure since */
    unsigned threads;
    uint8_t *scratch; /* for the flavour's use */
    size_t scratch_size;
};

struct video_decoder *vpx_decoder_new(const struct video_codec *codec, unsigned threads);
void vpx_decoder_free(struct video_decoder *decoder);

/* Decodes what was found to be harmless; `key`: it can be decoded without anything before. Returns
 * as video_decode() does. */
int vpx_decoder_run(struct vpx_decoder *decoder, vpx_codec_iface_t *codec, bool key,
                    const uint8_t *bytes, size_t size, jingle_picture *picture);

/* After a failure: all that was decoded is forgotten. Returns `status`. */
int vpx_decoder_fail(struct vpx_decoder *decoder, jingle_status status);

/* JINGLE_ERROR_LIMIT for a picture larger than allowed. Sizes of 0 are those of an earlier frame.
 */
jingle_status vpx_check_size(uint32_t width, uint32_t height);

#endif
