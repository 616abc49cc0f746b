/* Encoding with libvpx: one pass, no frame held back, constant bit rate.
 *
 * Temporal layers, one letter a picture; an arrow's end is needed by its beginning:
 *
 *     1 layer    0 ◀─ 0 ◀─ 0 ◀─ 0        libvpx may also use an older frame
 *     2 layers   0 ◀─ 1    0: needs the 0 before; nothing needs a 1
 *     3 layers   0 ◀─ 2,  0 ◀─ 1 ◀─ 2    nothing needs a 2
 *
 * The pattern advances with frames that were made, so pictures that the encoder leaves out do not
 * disturb it. Layer 0 is libvpx's "last" frame, layer 1 of three its "golden" frame. */
#include <stdlib.h>
#include <string.h>
#include <vpx/vp8cx.h>

#include "codecs/vpx.h"

enum {
    BUFFER_MS = 1000, /* the receiver's buffer as the rate control thinks of it */
    BUFFER_INITIAL_MS = 500,
    BUFFER_OPTIMAL_MS = 600,
    DEBT_MAX_MS = 600, /* made beyond the rate; above it pictures are left out */
    QUANTIZER_MIN = 2,
    QUANTIZER_MAX = 56,
    QUANTIZER_MAX_THIN = 63, /* where bits are few */
    MAX_INTRA_MIN = 300,
    PATTERN_MAX = 4,
    INTERVAL_SHARE = 8, /* an interval counts for an eighth in the mean */
    INTERVAL_MAX = 1000000,
    THREADED_PIXELS = 1280 * 720,       /* above it a second thread is worth while ... */
    THREADED_PIXELS_LARGE = 1920 * 1080 /* ... and above this four are */
};

#define THIN_BITS_PER_PIXEL 0.04

/* One frame of the pattern. */
struct step {
    unsigned layer;
    vpx_enc_frame_flags_t flags;
    bool sync;
    bool discardable;
};

struct pattern {
    unsigned length;
    struct step steps[PATTERN_MAX];
    unsigned shares[VIDEO_TEMPORAL_LAYERS_MAX]; /* per cent of the rate up to each layer */
    unsigned decimators[VIDEO_TEMPORAL_LAYERS_MAX];
};

#define ONLY_LAST   (VP8_EFLAG_NO_REF_GF | VP8_EFLAG_NO_REF_ARF)
#define ONLY_OURS   VP8_EFLAG_NO_REF_ARF
#define KEEP_LAST   VP8_EFLAG_NO_UPD_LAST
#define KEEP_GOLDEN VP8_EFLAG_NO_UPD_GF
#define KEEP_ALTREF VP8_EFLAG_NO_UPD_ARF
#define KEEP_ALL    (KEEP_LAST | KEEP_GOLDEN | KEEP_ALTREF | VP8_EFLAG_NO_UPD_ENTROPY)

static const struct pattern patterns[] = {
    {1, {{0, 0, false, false}}, {100}, {1}},
    {2,
     {{0, ONLY_LAST | KEEP_GOLDEN | KEEP_ALTREF, false, false},
      {1, ONLY_LAST | KEEP_ALL, true, true}},
     {60, 100},
     {2, 1}},
    {4,
     {{0, ONLY_LAST | KEEP_GOLDEN | KEEP_ALTREF, false, false},
      {2, ONLY_LAST | KEEP_ALL, true, true},
      {1, ONLY_LAST | KEEP_LAST | KEEP_ALTREF | VP8_EFLAG_NO_UPD_ENTROPY, true, false},
      {2, ONLY_OURS | KEEP_ALL, false, true}},
     {40, 60, 100},
     {4, 2, 1}},
};

struct vpx_encoder {
    struct video_encoder base;
    const struct vpx_flavour *flavour;
    vpx_codec_ctx_t context;
    vpx_codec_enc_cfg_t settings;
    bool open;
    uint32_t opened_width; /* of the first picture since it was opened */
    uint32_t opened_height;

    bool key_wanted;
    unsigned position; /* in the pattern */
    int picture_id;    /* of the next frame */
    int tl0_index;     /* of the last frame of layer 0 */

    int64_t last_time; /* usec, of the picture before; 0: none */
    int64_t interval;  /* usec, mean */
    vpx_codec_pts_t pts;
    double debt; /* bits that were made beyond the rate */
};

static struct vpx_encoder *encoder_of(struct video_encoder *encoder)
{
    return (struct vpx_encoder *)encoder;
}

static unsigned layers_of(const struct video_encoder_config *config)
{
    return config->temporal_layers > 1 ? config->temporal_layers : 1;
}

static unsigned threads_of(const struct video_encoder_config *config)
{
    uint32_t pixels = config->width * config->height;
    if (config->threads > 0) {
        return config->threads;
    }
    if (pixels <= THREADED_PIXELS) {
        return 1;
    }
    return pixels <= THREADED_PIXELS_LARGE ? 2 : 4;
}

double vpx_bits_per_pixel(const struct video_encoder_config *config)
{
    return (double)config->bitrate / config->frame_rate / config->width / config->height;
}

unsigned vpx_max_intra(const struct video_encoder_config *config)
{
    unsigned percent = BUFFER_OPTIMAL_MS * config->frame_rate / 20;
    return percent < MAX_INTRA_MIN ? MAX_INTRA_MIN : percent;
}

static unsigned quantizer_of(const struct video_encoder_config *config)
{
    unsigned quantizer = config->max_quantizer;
    if (quantizer == 0) {
        bool thin = vpx_bits_per_pixel(config) < THIN_BITS_PER_PIXEL;
        quantizer = thin ? QUANTIZER_MAX_THIN : QUANTIZER_MAX;
    }
    return quantizer < QUANTIZER_MIN ? QUANTIZER_MIN : quantizer;
}

static unsigned kilobits_of(const struct video_encoder_config *config)
{
    unsigned bitrate = config->bitrate;
    bitrate = bitrate < VIDEO_BITRATE_MIN ? VIDEO_BITRATE_MIN : bitrate;
    bitrate = bitrate > VIDEO_BITRATE_MAX ? VIDEO_BITRATE_MAX : bitrate;
    return bitrate / 1000;
}

static double debt_max(const struct video_encoder_config *config)
{
    return kilobits_of(config) * (double)DEBT_MAX_MS;
}

static void fill_layers(const struct video_encoder_config *config, vpx_codec_enc_cfg_t *settings)
{
    unsigned layers = layers_of(config);
    const struct pattern *pattern = &patterns[layers - 1];
    settings->ss_number_layers = 1;
    settings->ts_number_layers = layers;
    settings->ts_periodicity = pattern->length;
    for (unsigned i = 0; i < layers; i++) {
        settings->ts_target_bitrate[i] = settings->rc_target_bitrate * pattern->shares[i] / 100;
        settings->layer_target_bitrate[i] = settings->ts_target_bitrate[i];
        settings->ts_rate_decimator[i] = pattern->decimators[i];
    }
    for (unsigned i = 0; i < pattern->length; i++) {
        settings->ts_layer_id[i] = pattern->steps[i].layer;
    }
}

static void fill_settings(const struct vpx_flavour *flavour,
                          const struct video_encoder_config *config, vpx_codec_enc_cfg_t *settings)
{
    settings->g_w = config->width;
    settings->g_h = config->height;
    settings->g_threads = threads_of(config);
    settings->g_timebase = (vpx_rational_t){1, VIDEO_CLOCKRATE};
    settings->g_pass = VPX_RC_ONE_PASS;
    settings->g_lag_in_frames = 0;
    settings->g_error_resilient =
        config->resilient || layers_of(config) > 1 ? VPX_ERROR_RESILIENT_DEFAULT : 0;
    settings->rc_end_usage = VPX_CBR;
    settings->rc_target_bitrate = kilobits_of(config);
    settings->rc_dropframe_thresh = 0; /* see is_indebted() */
    settings->rc_resize_allowed = 0;
    settings->rc_min_quantizer = QUANTIZER_MIN;
    settings->rc_max_quantizer = quantizer_of(config);
    settings->rc_buf_sz = BUFFER_MS;
    settings->rc_buf_initial_sz = BUFFER_INITIAL_MS;
    settings->rc_buf_optimal_sz = BUFFER_OPTIMAL_MS;
    settings->kf_mode = VPX_KF_DISABLED;
    fill_layers(config, settings);
    flavour->adjust(config, settings);
}

static bool control(struct vpx_encoder *self)
{
    const struct video_encoder_config *config = &self->base.config;
    int speed = config->speed;
    if (speed < 0) {
        speed = self->base.codec->speed_for(config->width, config->height);
    }
    return self->flavour->control(&self->context, config, speed);
}

static void shut(struct vpx_encoder *self)
{
    if (self->open) {
        vpx_codec_destroy(&self->context);
        self->open = false;
    }
}

static jingle_status open_encoder(struct vpx_encoder *self)
{
    const struct video_encoder_config *config = &self->base.config;
    shut(self);
    vpx_codec_iface_t *interface = self->flavour->interface();
    if (vpx_codec_enc_config_default(interface, &self->settings, 0) != VPX_CODEC_OK) {
        return JINGLE_ERROR_INTERNAL;
    }
    fill_settings(self->flavour, config, &self->settings);
    vpx_codec_err_t error = vpx_codec_enc_init(&self->context, interface, &self->settings, 0);
    if (error != VPX_CODEC_OK) {
        return error == VPX_CODEC_MEM_ERROR ? JINGLE_ERROR_MEMORY : JINGLE_ERROR_INTERNAL;
    }
    self->open = true;
    self->opened_width = config->width;
    self->opened_height = config->height;
    self->key_wanted = true;
    self->interval = INTERVAL_MAX / config->frame_rate;
    return control(self) ? JINGLE_OK : JINGLE_ERROR_INTERNAL;
}

struct video_encoder *vpx_encoder_new(const struct vpx_flavour *flavour,
                                      const struct video_encoder_config *config)
{
    struct vpx_encoder *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->base = (struct video_encoder){flavour->codec, *config};
    self->flavour = flavour;
    self->tl0_index = 0xff; /* the first will be 0 */
    if (open_encoder(self) != JINGLE_OK) {
        vpx_encoder_free(&self->base);
        return NULL;
    }
    return &self->base;
}

void vpx_encoder_free(struct video_encoder *encoder)
{
    struct vpx_encoder *self = encoder_of(encoder);
    shut(self);
    free(self);
}

/* Threads and layers are fixed when libvpx allocates for a size. A smaller picture stays with the
 * threads it has, if they are not told, so that VP9 needs no key frame for it. */
static bool must_reopen(const struct vpx_encoder *self, const struct video_encoder_config *config)
{
    const struct video_encoder_config *now = &self->base.config;
    bool same_size = config->width == now->width && config->height == now->height;
    bool fits = config->width <= self->opened_width && config->height <= self->opened_height;
    return !self->open || layers_of(config) != layers_of(now) || config->threads != now->threads ||
           config->resilient != now->resilient || config->screen != now->screen ||
           (!same_size && !(self->flavour->resizes && fits));
}

jingle_status vpx_encoder_set(struct video_encoder *encoder,
                              const struct video_encoder_config *config)
{
    struct vpx_encoder *self = encoder_of(encoder);
    bool reopen = must_reopen(self, config);
    if (config->frame_rate != self->base.config.frame_rate) {
        self->interval = INTERVAL_MAX / config->frame_rate;
    }
    self->base.config = *config;
    self->debt =
        self->debt > debt_max(config) ? debt_max(config) : self->debt; /* of a higher rate */
    if (reopen) {
        return open_encoder(self);
    }
    unsigned threads = self->settings.g_threads;
    fill_settings(self->flavour, config, &self->settings);
    self->settings.g_threads = threads;
    if (vpx_codec_enc_config_set(&self->context, &self->settings) != VPX_CODEC_OK) {
        shut(self);
        return JINGLE_ERROR_INTERNAL;
    }
    return control(self) ? JINGLE_OK : JINGLE_ERROR_INTERNAL;
}

/* The rate control goes by the pictures that come, not by those that were announced. Intervals are
 * smoothed, for a picture that was late for a moment does not change the rate. */
static void measure_interval(struct vpx_encoder *self, int64_t time)
{
    int64_t expected = INTERVAL_MAX / self->base.config.frame_rate;
    if (time > 0 && self->last_time > 0) {
        int64_t interval = time - self->last_time;
        interval = interval < expected / 2 ? expected / 2 : interval;
        interval = interval > INTERVAL_MAX ? INTERVAL_MAX : interval;
        self->interval += (interval - self->interval) / INTERVAL_SHARE;
    }
    self->last_time = time;
}

static vpx_image_t image_of(const jingle_picture *picture)
{
    bool interleaved = picture->pixels == JINGLE_PIXELS_NV12;
    vpx_image_t image = {
        .fmt = interleaved ? VPX_IMG_FMT_NV12 : VPX_IMG_FMT_I420,
        .cs = VPX_CS_BT_601,
        .range = VPX_CR_STUDIO_RANGE,
        .w = picture->width,
        .h = picture->height,
        .d_w = picture->width,
        .d_h = picture->height,
        .bit_depth = 8,
        .x_chroma_shift = 1,
        .y_chroma_shift = 1,
        .bps = 12,
    };
    for (int i = 0; i < 3; i++) {
        memcpy(&image.planes[i], &picture->planes[i], sizeof image.planes[i]); /* only read */
        image.stride[i] = (int)picture->strides[i];
    }
    if (interleaved) {
        image.planes[VPX_PLANE_V] = image.planes[VPX_PLANE_U] + 1;
        image.stride[VPX_PLANE_V] = image.stride[VPX_PLANE_U];
    }
    return image;
}

/* Fills in what the frame is for the others, and moves on in the pattern. */
static void describe(struct vpx_encoder *self, bool key, struct coded_frame *frame)
{
    unsigned layers = layers_of(&self->base.config);
    const struct pattern *pattern = &patterns[layers - 1];
    unsigned position = key ? 0 : self->position;
    const struct step *step = &pattern->steps[position];
    if (step->layer == 0) {
        self->tl0_index = (self->tl0_index + 1) & 0xff;
    }
    frame->key = key;
    frame->width = self->base.config.width;
    frame->height = self->base.config.height;
    frame->picture_id = self->picture_id;
    frame->picture_bits = 15;
    frame->tl0_index = self->tl0_index;
    frame->temporal_layer = step->layer;
    frame->layer_sync = step->sync;
    frame->discardable = step->discardable;
    frame->inter_predicted = !key;
    frame->temporal_layers = key ? layers : 0;
    self->picture_id = (self->picture_id + 1) & 0x7fff;
    self->position = (position + 1) % pattern->length;
}

/* Leaving out pictures is not left to libvpx: it forgives itself what it made beyond the rate with
 * screens (a new page may be seconds' worth even at the coarsest quantizer), and with layers it may
 * leave out all there is. It is not told of the time that passes so, for it would make the next
 * frame the larger for it. */
static bool is_indebted(struct vpx_encoder *self)
{
    double paid = kilobits_of(&self->base.config) * (double)self->interval / 1000;
    self->debt = self->debt > paid ? self->debt - paid : 0;
    return self->debt > debt_max(&self->base.config);
}

static int take_frame(struct vpx_encoder *self, struct coded_frame *frame)
{
    vpx_codec_iter_t iterator = NULL;
    const vpx_codec_cx_pkt_t *packet;
    while ((packet = vpx_codec_get_cx_data(&self->context, &iterator)) != NULL) {
        if (packet->kind != VPX_CODEC_CX_FRAME_PKT || packet->data.frame.sz == 0) {
            continue;
        }
        bool key = (packet->data.frame.flags & VPX_FRAME_IS_KEY) != 0;
        jingle_status status = coded_frame_reserve(frame, packet->data.frame.sz);
        if (status != JINGLE_OK) {
            self->key_wanted = true; /* the frames to come need this one */
            return status;
        }
        memcpy(frame->bytes, packet->data.frame.buf, packet->data.frame.sz);
        frame->size = packet->data.frame.sz;
        self->debt += (double)frame->size * 8;
        describe(self, key, frame);
        self->key_wanted = self->key_wanted && !key;
        return 1;
    }
    return 0;
}

int vpx_encoder_encode(struct video_encoder *encoder, const jingle_picture *picture, bool force_key,
                       struct coded_frame *frame)
{
    struct vpx_encoder *self = encoder_of(encoder);
    const struct video_encoder_config *config = &encoder->config;
    if (picture->width != config->width || picture->height != config->height) {
        return JINGLE_ERROR_INVALID;
    }
    if (!self->open) {
        return JINGLE_ERROR_STATE;
    }
    uint32_t timestamp = frame->timestamp;
    coded_frame_clear(frame);
    frame->timestamp = timestamp;
    frame->captured = picture->time;
    measure_interval(self, picture->time);
    self->key_wanted = self->key_wanted || force_key;
    unsigned long duration = (unsigned long)(self->interval * 9 / 100); /* 90 kHz */
    if (is_indebted(self)) {
        return 0;
    }

    unsigned layers = layers_of(config);
    const struct step *step = &patterns[layers - 1].steps[self->key_wanted ? 0 : self->position];
    vpx_enc_frame_flags_t flags = self->key_wanted ? VPX_EFLAG_FORCE_KF : step->flags;
    vpx_image_t image = image_of(picture);
    if ((layers > 1 && !self->flavour->set_layer(&self->context, (int)step->layer)) ||
        vpx_codec_encode(&self->context, &image, self->pts, duration, flags, VPX_DL_REALTIME) !=
            VPX_CODEC_OK) {
        self->key_wanted = true;
        return JINGLE_ERROR_INTERNAL;
    }
    self->pts += (vpx_codec_pts_t)duration;
    return take_frame(self, frame);
}
