#include "media/video_encoding.h"

#include "codecs/encoder_speed.h"
#include "media/video_scale.h"

#include <stdlib.h>

struct video_encoding {
    const struct logger *log;
    const struct video_codec *codec; /* of the encoder */
    struct video_encoder *encoder;
    struct video_encoder_config config;
    struct encoder_speed speed;
    struct picture_buffer scaled;
    bool failed; /* and it was logged */
};

struct video_encoding *video_encoding_new(const struct logger *log)
{
    struct video_encoding *e = calloc(1, sizeof *e);
    if (e) {
        e->log = log;
    }
    return e;
}

void video_encoding_free(struct video_encoding *e)
{
    if (!e) {
        return;
    }
    video_encoder_free(e->encoder);
    picture_buffer_clear(&e->scaled);
    free(e);
}

/* With layers, losing a frame of the upper one costs nothing but itself. */
static struct video_encoder_config wished(const struct video_encoding *e,
                                          const struct video_capture_target *target, bool screen,
                                          struct picture_size size)
{
    return (struct video_encoder_config){
        .width = size.width,
        .height = size.height,
        .bitrate = target->bitrate < VIDEO_BITRATE_MIN ? VIDEO_BITRATE_MIN : target->bitrate,
        .frame_rate = target->frame_rate,
        .screen = screen,
        .temporal_layers = target->lossy ? 2 : 1,
        .resilient = target->lossy,
        .speed = e->speed.speed,
    };
}

static bool open_encoder(struct video_encoding *e, const struct video_codec *codec,
                         const struct video_encoder_config *config)
{
    video_encoder_free(e->encoder);
    e->encoder = video_encoder_new(codec, config);
    e->codec = codec;
    e->config = *config;
    return e->encoder != NULL;
}

/* In what `wished` sets. */
static bool same_config(const struct video_encoder_config *a, const struct video_encoder_config *b)
{
    return a->width == b->width && a->height == b->height && a->bitrate == b->bitrate &&
           a->frame_rate == b->frame_rate && a->screen == b->screen &&
           a->resilient == b->resilient && a->speed == b->speed;
}

static bool configure(struct video_encoding *e, const struct video_codec *codec,
                      const struct video_capture_target *target, bool screen,
                      struct picture_size size)
{
    bool other = !e->encoder || e->codec != codec;
    if (other || e->config.width != size.width || e->config.height != size.height) {
        encoder_speed_start(&e->speed, codec, size.width, size.height);
    }
    struct video_encoder_config config = wished(e, target, screen, size);
    if (other) {
        return open_encoder(e, codec, &config);
    }
    if (same_config(&config, &e->config)) {
        return true;
    }
    e->config = config;
    return video_encoder_set(e->encoder, &config) == JINGLE_OK || open_encoder(e, codec, &config);
}

/* The picture as it is to be encoded: itself if it fits, without a copy. */
static bool fit(struct video_encoding *e, const jingle_picture *picture, struct picture_size size,
                jingle_picture *out)
{
    if (picture->width == size.width && picture->height == size.height) {
        *out = *picture;
        return true;
    }
    if (picture_scale(picture, &e->scaled, size.width, size.height) != JINGLE_OK) {
        return false;
    }
    *out = picture_buffer_view(&e->scaled, picture->time);
    return true;
}

int video_encoding_encode(struct video_encoding *e, const struct video_codec *codec,
                          const struct video_capture_target *target, bool screen, bool key,
                          const jingle_picture *picture, struct coded_frame *frame)
{
    jingle_picture fitting;
    struct picture_size size = picture_fit(picture, target->width, target->height);
    usec before = clock_now();
    int made = JINGLE_ERROR_INTERNAL;
    if (configure(e, codec, target, screen, size) && fit(e, picture, size, &fitting)) {
        made = video_encode(e->encoder, &fitting, key, frame);
    }
    if (made < 0) {
        if (!e->failed) {
            log_error(e->log, "A picture cannot be encoded: %s", jingle_strerror(made));
        }
        e->failed = true;
        video_encoder_free(e->encoder);
        e->encoder = NULL; /* begin anew with the next one */
        return made;
    }
    encoder_speed_update(&e->speed, clock_now() - before, USEC_PER_SEC / target->frame_rate);
    return made;
}
