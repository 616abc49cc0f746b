/* Real encoders and decoders with moving pictures. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "codecs/video_codec.h"
#include "support/moving_picture.h"

enum { SECOND = 1000000, WIDTH = 320, HEIGHT = 180, RATE = 30 };

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525U + 1013904223U;
    return *state >> 8;
}

static const struct video_encoder_config usual = {
    .width = WIDTH,
    .height = HEIGHT,
    .bitrate = 300000,
    .frame_rate = RATE,
    .temporal_layers = 1,
    .speed = -1,
};

/* One direction of a call. */
struct way {
    struct video_encoder_config config;
    struct video_encoder *encoder;
    struct video_decoder *decoder;
    struct moving_picture *moving;
    struct coded_frame *frame;
    jingle_pixels pixels;
    int64_t time; /* of the next picture */

    unsigned pictures; /* what came of them: */
    unsigned frames;
    unsigned keys;
    size_t bytes;
    double psnr; /* sum over frames */
};

static void way_open(struct way *way, const struct video_codec *codec,
                     const struct video_encoder_config *config)
{
    *way = (struct way){
        .config = *config,
        .encoder = video_encoder_new(codec, config),
        .decoder = video_decoder_new(codec, 1),
        .moving = moving_picture_new(config->width, config->height),
        .frame = coded_frame_new(0),
        .time = SECOND,
    };
    assert_non_null(way->encoder);
    assert_non_null(way->decoder);
    assert_non_null(way->frame);
}

static void way_close(struct way *way)
{
    video_encoder_free(way->encoder);
    video_decoder_free(way->decoder);
    moving_picture_free(way->moving);
    coded_frame_free(way->frame);
}

static void way_set(struct way *way, const struct video_encoder_config *config)
{
    if (config->width != way->config.width || config->height != way->config.height) {
        moving_picture_free(way->moving);
        way->moving = moving_picture_new(config->width, config->height);
    }
    way->config = *config;
    assert_int_equal(video_encoder_set(way->encoder, config), JINGLE_OK);
}

/* Returns whether there is a frame. */
static bool way_encode_picture(struct way *way, bool force_key, const jingle_picture *source)
{
    way->pictures++;
    int made = video_encode(way->encoder, source, force_key, way->frame);
    assert_in_range(made, 0, 1);
    if (made == 0) {
        return false;
    }
    assert_true(way->frame->size > 0);
    assert_int_equal(way->frame->captured, source->time);
    way->frames++;
    way->keys += way->frame->key;
    way->bytes += way->frame->size;
    return true;
}

/* Encodes the next picture; `source` gets it. */
static bool way_encode(struct way *way, bool force_key, jingle_picture *source)
{
    *source = moving_picture_at(way->moving, way->time, way->pixels);
    way->time += SECOND / way->config.frame_rate;
    return way_encode_picture(way, force_key, source);
}

/* Encodes and decodes the next picture. Returns whether there was a frame. */
static bool way_pass(struct way *way, bool force_key)
{
    jingle_picture source;
    jingle_picture seen;
    if (!way_encode(way, force_key, &source)) {
        return false;
    }
    assert_int_equal(video_decode(way->decoder, way->frame, &seen), 1);
    assert_int_equal(seen.width, source.width);
    assert_int_equal(seen.height, source.height);
    way->psnr += picture_psnr(&source, &seen);
    return true;
}

static void way_forget(struct way *way)
{
    way->pictures = way->frames = way->keys = 0;
    way->bytes = 0;
    way->psnr = 0;
}

static void way_run(struct way *way, unsigned pictures)
{
    for (unsigned i = 0; i < pictures; i++) {
        way_pass(way, false);
    }
}

static double way_bitrate(const struct way *way)
{
    return (double)way->bytes * 8 * way->config.frame_rate / way->pictures;
}

static void test_codecs_are_found_by_name_in_any_case(void **state)
{
    (void)state;
    assert_ptr_equal(video_codec_find("vp8", 90000), &codec_vp8);
    assert_ptr_equal(video_codec_find("VP9", 90000), &codec_vp9);
    assert_null(video_codec_find("VP8", 48000));
    assert_null(video_codec_find("H264", 90000));
}

static void test_other_profiles_of_vp9_are_not_taken(void **state)
{
    (void)state;
    assert_true(video_codec_takes(&codec_vp9, ""));
    assert_true(video_codec_takes(&codec_vp9, "profile-id=0"));
    assert_true(video_codec_takes(&codec_vp9, "max-fr=30; profile-id=0 ;max-fs=3600"));
    assert_false(video_codec_takes(&codec_vp9, "profile-id=2"));
    assert_false(video_codec_takes(&codec_vp9, "max-fr=30;Profile-ID=1"));
    assert_false(video_codec_takes(&codec_vp9, "profile-id=02"));
    assert_true(video_codec_takes(&codec_vp8, "profile-id=2"));
}

/* In the uncompressed header of a key frame (VP9 specification, 6.2): two bits of marker, two of
 * profile, four flags, three bytes of synchronisation; then three bits of colour space, 1 for
 * BT.601. A browser takes it for BT.709 if nothing is said. */
static void test_vp9_says_what_its_colours_mean(void **state)
{
    (void)state;
    struct way way;
    jingle_picture source;
    way_open(&way, &codec_vp9, &usual);
    assert_true(way_encode(&way, true, &source));
    assert_int_equal(way.frame->bytes[1], 0x49);
    assert_int_equal(way.frame->bytes[4] >> 5, 1);
    way_close(&way);
}

/* A rate must be held from the third second on, over any such time, with a picture that is worth
 * looking at. */
static void rate_is_held(const struct video_codec *codec, unsigned bitrate, unsigned layers,
                         unsigned frame_rate, double psnr)
{
    struct way way;
    struct video_encoder_config config = usual;
    config.bitrate = bitrate;
    config.temporal_layers = layers;
    config.frame_rate = frame_rate;
    way_open(&way, codec, &config);
    way_run(&way, 2 * frame_rate);
    assert_int_equal(way.keys, 1);
    way_forget(&way);
    way_run(&way, 8 * frame_rate);
    double ratio = way_bitrate(&way) / bitrate;
    print_message("%s %u layers at %u/s, %u bit/s: %.3f of it, %.1f dB, %u of %u frames\n",
                  codec->name, layers, frame_rate, bitrate, ratio, way.psnr / way.frames,
                  way.frames, way.pictures);
    assert_true(ratio > 0.8 && ratio < 1.1);
    assert_true(way.psnr / way.frames > psnr);
    assert_int_equal(way.keys, 0);
    way_close(&way);
}

static void test_vp8_holds_its_bit_rate(void **state)
{
    (void)state;
    rate_is_held(&codec_vp8, 50000, 1, 15, 24);
    rate_is_held(&codec_vp8, 50000, 2, 30, 24);
    rate_is_held(&codec_vp8, 200000, 2, 30, 28);
    rate_is_held(&codec_vp8, 600000, 3, 30, 30);
}

static void test_vp9_holds_its_bit_rate(void **state)
{
    (void)state;
    rate_is_held(&codec_vp9, 50000, 1, 15, 24);
    rate_is_held(&codec_vp9, 50000, 2, 30, 24);
    rate_is_held(&codec_vp9, 200000, 2, 30, 28);
    rate_is_held(&codec_vp9, 600000, 3, 30, 30);
}

/* Pictures that come half as often as was announced are given twice the bits. */
static void test_the_rate_goes_by_the_pictures_that_come(void **state)
{
    (void)state;
    for (size_t i = 0; video_codec_all()[i]; i++) {
        struct way way;
        struct video_encoder_config config = usual;
        config.bitrate = 150000;
        way_open(&way, video_codec_all()[i], &config);
        for (unsigned picture = 0; picture < 150; picture++) {
            if (picture == 30) {
                way_forget(&way);
            }
            way_pass(&way, false);
            way.time += SECOND / RATE;
        }
        double ratio = way_bitrate(&way) / 2 / config.bitrate;
        assert_true(ratio > 0.8 && ratio < 1.1);
        way_close(&way);
    }
}

/* Every second another page, and each is worth more than a second at this rate: in the long run it
 * is kept all the same, but for the last frame and the debt that is allowed. */
static void pages_are_sent(const struct video_codec *codec, unsigned layers)
{
    enum { PIXELS = 640 * 360, PAGE_RATE = 10, SECONDS = 20 };
    struct video_encoder_config config = usual;
    config.width = 640;
    config.height = 360;
    config.bitrate = 200000;
    config.frame_rate = PAGE_RATE;
    config.screen = true;
    config.temporal_layers = layers;
    struct way way;
    uint32_t seed = 5;
    size_t largest = 0;
    uint8_t *page = malloc(PIXELS * 3 / 2);
    memset(page, 128, PIXELS * 3 / 2);
    way_open(&way, codec, &config);
    for (int picture = 0; picture < SECONDS * PAGE_RATE; picture++) {
        for (size_t at = 0; picture % PAGE_RATE == 0 && at < PIXELS; at++) {
            page[at] = next_random(&seed) % 3 ? 235 : 16;
        }
        jingle_picture source = {
            .size = sizeof source,
            .width = config.width,
            .height = config.height,
            .planes = {page, page + PIXELS, page + PIXELS * 5 / 4},
            .strides = {config.width, config.width / 2, config.width / 2},
            .time = SECOND + picture * (SECOND / PAGE_RATE),
        };
        if (way_encode_picture(&way, false, &source) && way.frame->size > largest) {
            largest = way.frame->size;
        }
    }
    print_message("%s %u layers, pages: %.3f of the rate, %u of %u frames, largest %zu bit\n",
                  codec->name, layers, way_bitrate(&way) / config.bitrate, way.frames, way.pictures,
                  largest * 8);
    assert_true((way.bytes - largest) * 8 < config.bitrate * (SECONDS + 0.7));
    assert_true(way.frames >= SECONDS / 3);
    way_close(&way);
    free(page);
}

static void test_pages_that_are_too_much_for_the_rate_do_not_exceed_it(void **state)
{
    (void)state;
    for (size_t i = 0; video_codec_all()[i]; i++) {
        pages_are_sent(video_codec_all()[i], 1);
        pages_are_sent(video_codec_all()[i], 2);
    }
}

static void test_a_new_bit_rate_is_held_within_two_seconds(void **state)
{
    (void)state;
    for (size_t i = 0; video_codec_all()[i]; i++) {
        struct way way;
        struct video_encoder_config config = usual;
        config.bitrate = 800000;
        config.temporal_layers = 2;
        way_open(&way, video_codec_all()[i], &config);
        way_run(&way, 3 * RATE);
        config.bitrate = 100000;
        way_set(&way, &config);
        way_run(&way, 2 * RATE);
        way_forget(&way);
        way_run(&way, 4 * RATE);
        double ratio = way_bitrate(&way) / config.bitrate;
        assert_true(ratio > 0.8 && ratio < 1.1);
        assert_int_equal(way.keys, 0);
        way_close(&way);
    }
}

/* A key frame is not a burst: its bits are worth at most a second at the rate told. */
static void test_a_key_frame_comes_when_it_is_asked_for_and_is_no_burst(void **state)
{
    (void)state;
    for (size_t i = 0; video_codec_all()[i]; i++) {
        struct way way;
        struct video_encoder_config config = usual;
        config.temporal_layers = 2;
        way_open(&way, video_codec_all()[i], &config);
        way_run(&way, RATE + 1); /* the next would be of layer 1 */
        way_forget(&way);
        while (!way_pass(&way, way.pictures == 0)) {
            assert_true(way.pictures < 10);
        }
        assert_true(way.frame->key);
        assert_int_equal(way.frame->temporal_layer, 0);
        assert_false(way.frame->discardable);
        assert_true(way.frame->size * 8 < config.bitrate);
        way_run(&way, RATE);
        assert_int_equal(way.keys, 1);
        way_close(&way);
    }
}

static void test_nv12_is_encoded_as_i420_is(void **state)
{
    (void)state;
    for (size_t i = 0; video_codec_all()[i]; i++) {
        struct way way;
        way_open(&way, video_codec_all()[i], &usual);
        way.pixels = JINGLE_PIXELS_NV12;
        way_run(&way, 10);
        jingle_picture source;
        jingle_picture seen;
        assert_true(way_encode(&way, true, &source));
        assert_int_equal(video_decode(way.decoder, way.frame, &seen), 1);
        assert_true(picture_psnr(&source, &seen) > 28);
        for (size_t at = 20; at < 150; at += 7) {
            const uint8_t *pair = source.planes[1] + 40 * source.strides[1] + 2 * at;
            assert_in_range(seen.planes[1][40 * seen.strides[1] + at], pair[0] - 6, pair[0] + 6);
            assert_in_range(seen.planes[2][40 * seen.strides[2] + at], pair[1] - 6, pair[1] + 6);
        }
        way_close(&way);
    }
}

static void test_strides_are_kept_to(void **state)
{
    (void)state;
    enum { STRIDE = 400 };
    for (size_t i = 0; video_codec_all()[i]; i++) {
        struct way way;
        way_open(&way, video_codec_all()[i], &usual);
        jingle_picture source = moving_picture_at(way.moving, way.time, JINGLE_PIXELS_I420);
        uint8_t *wide = malloc((size_t)STRIDE * HEIGHT);
        memset(wide, 255, (size_t)STRIDE * HEIGHT);
        for (size_t y = 0; y < HEIGHT; y++) {
            memcpy(wide + y * STRIDE, source.planes[0] + y * source.strides[0], WIDTH);
        }
        source.planes[0] = wide;
        source.strides[0] = STRIDE;
        jingle_picture seen;
        assert_int_equal(video_encode(way.encoder, &source, false, way.frame), 1);
        assert_int_equal(video_decode(way.decoder, way.frame, &seen), 1);
        assert_true(picture_psnr(&source, &seen) > 28);
        assert_int_equal(seen.time, source.time);
        free(wide);
        way_close(&way);
    }
}

static void test_odd_and_tiny_sizes_are_encoded(void **state)
{
    (void)state;
    static const uint32_t sizes[][2] = {{1, 1}, {2, 2}, {17, 9}, {319, 179}, {1, 64}, {64, 3}};
    for (size_t i = 0; video_codec_all()[i]; i++) {
        for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++) {
            struct way way;
            struct video_encoder_config config = usual;
            config.width = sizes[j][0];
            config.height = sizes[j][1];
            way_open(&way, video_codec_all()[i], &config);
            way_run(&way, 20);
            assert_true(way.frames >= 1); /* VP9 leaves out most of the tiniest */
            way_close(&way);
        }
    }
}

/* As the ladder goes down and up again: the sizes are those of the decoded pictures (way_pass()).
 */
static void test_sizes_change_in_mid_stream(void **state)
{
    (void)state;
    static const uint32_t sizes[][2] = {{320, 180}, {160, 90}, {240, 136}, {320, 180}, {480, 270}};
    for (size_t i = 0; video_codec_all()[i]; i++) {
        for (unsigned layers = 1; layers <= 3; layers++) {
            struct way way;
            struct video_encoder_config config = usual;
            config.temporal_layers = layers;
            way_open(&way, video_codec_all()[i], &config);
            for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++) {
                config.width = sizes[j][0];
                config.height = sizes[j][1];
                way_set(&way, &config);
                way_run(&way, 16 + (unsigned)j);
            }
            assert_true(way.frames > 60);
            assert_true(way.psnr / way.frames > 27);
            /* VP9 needs a key frame only when it grows above its first size. */
            assert_int_equal(way.keys, video_codec_all()[i] == &codec_vp9 ? 2 : 5);
            way_close(&way);
        }
    }
}

static void test_everything_else_changes_in_mid_stream_too(void **state)
{
    (void)state;
    for (size_t i = 0; video_codec_all()[i]; i++) {
        const struct video_codec *codec = video_codec_all()[i];
        struct way way;
        struct video_encoder_config config = usual;
        way_open(&way, codec, &config);
        int last_id = -1;
        for (unsigned step = 0; step < 12; step++) {
            config.temporal_layers = step % 4;
            config.screen = step % 3 == 1;
            config.resilient = step % 5 == 2;
            config.threads = step % 3;
            config.speed = step % 2 ? codec->speed_slowest : codec->speed_fastest;
            config.max_quantizer = step % 2 ? 40 : 0;
            config.frame_rate = 10 + step;
            config.bitrate = 100000 + 50000 * (step % 5);
            way_set(&way, &config);
            for (int picture = 0; picture < 5; picture++) {
                if (way_pass(&way, false)) {
                    assert_int_equal(way.frame->picture_id, last_id + 1);
                    last_id = way.frame->picture_id;
                }
            }
        }
        assert_true(last_id > 30);
        way_close(&way);
    }
}

/* Of two layers nothing needs the upper one; of three it is so with layer 2, and layer 1 can be
 * left out with it. What is decoded must be what a decoder of everything sees. */
static void layers_are_dropped(const struct video_codec *codec, unsigned layers, unsigned keep)
{
    struct way way;
    struct video_encoder_config config = usual;
    config.temporal_layers = layers;
    way_open(&way, codec, &config);
    struct video_decoder *partial = video_decoder_new(codec, 1);
    unsigned kept = 0;
    int tl0_index = -1;
    for (int i = 0; i < 60; i++) {
        jingle_picture source;
        jingle_picture whole;
        jingle_picture part;
        if (!way_encode(&way, i == 33, &source)) {
            continue;
        }
        assert_int_equal(way.frame->discardable,
                         layers > 1 && way.frame->temporal_layer == layers - 1);
        if (way.frame->temporal_layer == 0) {
            assert_int_equal(way.frame->tl0_index, (tl0_index + 1) & 0xff);
        }
        tl0_index = way.frame->tl0_index;
        assert_int_equal(video_decode(way.decoder, way.frame, &whole), 1);
        if (way.frame->temporal_layer > keep) {
            continue;
        }
        kept++;
        assert_int_equal(video_decode(partial, way.frame, &part), 1);
        assert_true(picture_psnr(&whole, &part) >= 99);
    }
    assert_true(kept > 10 && kept < way.frames);
    video_decoder_free(partial);
    way_close(&way);
}

static void test_upper_temporal_layers_can_be_left_out(void **state)
{
    (void)state;
    for (size_t i = 0; video_codec_all()[i]; i++) {
        layers_are_dropped(video_codec_all()[i], 2, 0);
        layers_are_dropped(video_codec_all()[i], 3, 0);
        layers_are_dropped(video_codec_all()[i], 3, 1);
    }
}

static void test_frames_come_back_through_payloads(void **state)
{
    (void)state;
    for (size_t i = 0; video_codec_all()[i]; i++) {
        const struct video_codec *codec = video_codec_all()[i];
        struct way way;
        struct video_encoder_config config = usual;
        config.temporal_layers = 2;
        way_open(&way, codec, &config);
        struct coded_frame *back = coded_frame_new(0);
        for (int picture = 0; picture < 20; picture++) {
            uint8_t payload[1100];
            struct video_packetiser packetiser;
            struct video_payload out;
            jingle_picture source;
            jingle_picture seen;
            if (!way_encode(&way, picture == 10, &source)) {
                continue;
            }
            coded_frame_clear(back);
            video_packetise(&packetiser, codec, way.frame, sizeof payload);
            size_t size;
            while ((size = video_next(&packetiser, payload)) > 0) {
                assert_int_equal(video_depacketise(codec, payload, size, &out), JINGLE_OK);
                assert_int_equal(coded_frame_add(back, &out), JINGLE_OK);
            }
            assert_int_equal(back->key, way.frame->key);
            if (back->key) {
                assert_int_equal(back->width, WIDTH);
                assert_int_equal(back->height, HEIGHT);
            }
            assert_int_equal(video_decode(way.decoder, back, &seen), 1);
            assert_true(picture_psnr(&source, &seen) > 26);
        }
        coded_frame_free(back);
        way_close(&way);
    }
}

static void test_nothing_is_decoded_before_a_key_frame(void **state)
{
    (void)state;
    for (size_t i = 0; video_codec_all()[i]; i++) {
        struct way way;
        jingle_picture source;
        jingle_picture seen;
        way_open(&way, video_codec_all()[i], &usual);
        assert_true(way_encode(&way, false, &source));
        assert_true(way_encode(&way, false, &source));
        assert_int_equal(video_decode(way.decoder, way.frame, &seen), JINGLE_ERROR_STATE);
        assert_true(way_pass(&way, true));
        assert_true(way_pass(&way, false));
        way_close(&way);
    }
}

/* The frame's size is overwritten in its header. */
static void test_absurd_sizes_are_refused(void **state)
{
    (void)state;
    struct way way;
    jingle_picture source;
    jingle_picture seen;
    way_open(&way, &codec_vp8, &usual);
    assert_true(way_encode(&way, false, &source));
    memcpy(way.frame->bytes + 6, (const uint8_t[]){0xff, 0x3f, 0xff, 0x3f}, 4);
    assert_int_equal(video_decode(way.decoder, way.frame, &seen), JINGLE_ERROR_LIMIT);
    memcpy(way.frame->bytes + 6, (const uint8_t[]){0x00, 0x10, 0x00, 0x10}, 4); /* 4096x4096 */
    assert_int_equal(video_decode(way.decoder, way.frame, &seen), JINGLE_ERROR_LIMIT);
    assert_int_equal(video_decode(way.decoder, way.frame, &seen), JINGLE_ERROR_LIMIT);
    assert_true(way_pass(&way, true)); /* and it goes on */
    way_close(&way);

    way_open(&way, &codec_vp9, &usual);
    assert_true(way_encode(&way, false, &source));
    memset(way.frame->bytes + 4, 0xff, 5); /* 65536x65536, but for the bits around */
    way.frame->bytes[4] = 0x2f;
    assert_int_equal(video_decode(way.decoder, way.frame, &seen), JINGLE_ERROR_LIMIT);
    assert_true(way_pass(&way, true));
    way_close(&way);
}

/* A second frame that hides behind the first without an index is not decoded. */
static void test_a_vp9_frame_behind_another_is_not_decoded_unseen(void **state)
{
    (void)state;
    struct way way;
    jingle_picture source;
    jingle_picture seen;
    struct video_encoder_config config = usual;
    way_open(&way, &codec_vp9, &config);
    struct coded_frame *both = coded_frame_new(0);
    assert_true(way_encode(&way, false, &source));
    size_t first = way.frame->size;
    assert_int_equal(coded_frame_reserve(both, 2 * first), JINGLE_OK);
    memcpy(both->bytes, way.frame->bytes, first);
    memcpy(both->bytes + first, way.frame->bytes, first);
    memset(both->bytes + first + 4, 0xff, 5);
    both->size = 2 * first;
    both->layer_count = 2; /* told apart, both are looked at */
    both->layer_ends[0] = first;
    both->layer_ends[1] = 2 * first;
    int status = video_decode(way.decoder, both, &seen);
    assert_true(status == JINGLE_ERROR_LIMIT || status == JINGLE_ERROR_INVALID);
    both->layer_count = 0; /* as one: what is behind is taken for its rest */
    status = video_decode(way.decoder, both, &seen);
    assert_true(status == 1 || status == JINGLE_ERROR_INVALID);
    coded_frame_free(both);
    way_close(&way);
}

/* Cut off anywhere and with flipped bits: refused, or decoded into a picture of allowed size; and
 * after it a key frame always helps. */
static void test_broken_frames_do_no_harm(void **state)
{
    (void)state;
    uint32_t seed = 1;
    for (size_t i = 0; video_codec_all()[i]; i++) {
        struct way way;
        jingle_picture source;
        jingle_picture seen;
        unsigned refused = 0;
        way_open(&way, video_codec_all()[i], &usual);
        for (int round = 0; round < 300; round++) {
            bool key = next_random(&seed) % 2 == 0;
            if (!way_encode(&way, key, &source)) {
                continue;
            }
            struct coded_frame *frame = way.frame;
            unsigned flips = next_random(&seed) % 20;
            for (unsigned flip = 0; flip < flips; flip++) {
                frame->bytes[next_random(&seed) % frame->size] ^= (uint8_t)next_random(&seed);
            }
            if (next_random(&seed) % 2) {
                frame->size = 1 + next_random(&seed) % frame->size;
            }
            int status = video_decode(way.decoder, frame, &seen);
            assert_true(status == 1 || status == 0 || status == JINGLE_ERROR_INVALID ||
                        status == JINGLE_ERROR_LIMIT || status == JINGLE_ERROR_STATE);
            refused += status < 0;
            if (status == 1) {
                assert_true(seen.width * seen.height <= VIDEO_PIXELS_MAX);
            }
        }
        assert_true(refused > 30);
        way_forget(&way);
        while (!way_pass(&way, way.pictures == 0)) {
            assert_true(way.pictures < 100);
        }
        assert_true(way.psnr / way.frames > 26);
        way_close(&way);
    }
}

static void test_garbage_is_refused(void **state)
{
    (void)state;
    uint32_t seed = 7;
    for (size_t i = 0; video_codec_all()[i]; i++) {
        struct video_decoder *decoder = video_decoder_new(video_codec_all()[i], 2);
        struct coded_frame *frame = coded_frame_new(2000);
        jingle_picture seen;
        assert_int_equal(video_decode(decoder, frame, &seen), JINGLE_ERROR_INVALID); /* empty */
        for (int round = 0; round < 2000; round++) {
            frame->size = 1 + next_random(&seed) % 1999;
            for (size_t at = 0; at < frame->size; at++) {
                frame->bytes[at] = (uint8_t)next_random(&seed);
            }
            assert_true(video_decode(decoder, frame, &seen) < 0);
        }
        coded_frame_free(frame);
        video_decoder_free(decoder);
    }
}

static void test_configurations_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    struct video_encoder_config bad[8];
    for (size_t i = 0; i < 8; i++) {
        bad[i] = usual;
    }
    bad[0].width = 0;
    bad[1].height = VIDEO_SIDE_MAX + 1;
    bad[2].width = bad[2].height = VIDEO_SIDE_MAX;
    bad[3].frame_rate = 0;
    bad[4].temporal_layers = VIDEO_TEMPORAL_LAYERS_MAX + 1;
    bad[5].speed = 100;
    bad[6].max_quantizer = VIDEO_QUANTIZER_MAX + 1;
    bad[7].bitrate = 0;
    struct way way;
    way_open(&way, &codec_vp8, &usual);
    for (size_t i = 0; i < 8; i++) {
        assert_null(video_encoder_new(&codec_vp8, &bad[i]));
        assert_int_equal(video_encoder_set(way.encoder, &bad[i]), JINGLE_ERROR_INVALID);
    }
    assert_true(way_pass(&way, false));
    way_close(&way);
}

static void test_pictures_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    struct way way;
    way_open(&way, &codec_vp8, &usual);
    jingle_picture good = moving_picture_at(way.moving, SECOND, JINGLE_PIXELS_I420);
    jingle_picture bad = good;
    bad.width--;
    assert_int_equal(video_encode(way.encoder, &bad, false, way.frame), JINGLE_ERROR_INVALID);
    bad = good;
    bad.planes[2] = NULL;
    assert_int_equal(video_encode(way.encoder, &bad, false, way.frame), JINGLE_ERROR_INVALID);
    bad = good;
    bad.strides[1] = WIDTH / 2 - 1;
    assert_int_equal(video_encode(way.encoder, &bad, false, way.frame), JINGLE_ERROR_INVALID);
    bad = good;
    bad.pixels = (jingle_pixels)7;
    assert_int_equal(video_encode(way.encoder, &bad, false, way.frame), JINGLE_ERROR_INVALID);
    assert_int_equal(video_encode(way.encoder, &good, false, way.frame), 1);
    way_close(&way);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codecs_are_found_by_name_in_any_case),
        cmocka_unit_test(test_other_profiles_of_vp9_are_not_taken),
        cmocka_unit_test(test_vp9_says_what_its_colours_mean),
        cmocka_unit_test(test_vp8_holds_its_bit_rate),
        cmocka_unit_test(test_vp9_holds_its_bit_rate),
        cmocka_unit_test(test_the_rate_goes_by_the_pictures_that_come),
        cmocka_unit_test(test_pages_that_are_too_much_for_the_rate_do_not_exceed_it),
        cmocka_unit_test(test_a_new_bit_rate_is_held_within_two_seconds),
        cmocka_unit_test(test_a_key_frame_comes_when_it_is_asked_for_and_is_no_burst),
        cmocka_unit_test(test_nv12_is_encoded_as_i420_is),
        cmocka_unit_test(test_strides_are_kept_to),
        cmocka_unit_test(test_odd_and_tiny_sizes_are_encoded),
        cmocka_unit_test(test_sizes_change_in_mid_stream),
        cmocka_unit_test(test_everything_else_changes_in_mid_stream_too),
        cmocka_unit_test(test_upper_temporal_layers_can_be_left_out),
        cmocka_unit_test(test_frames_come_back_through_payloads),
        cmocka_unit_test(test_nothing_is_decoded_before_a_key_frame),
        cmocka_unit_test(test_absurd_sizes_are_refused),
        cmocka_unit_test(test_a_vp9_frame_behind_another_is_not_decoded_unseen),
        cmocka_unit_test(test_broken_frames_do_no_harm),
        cmocka_unit_test(test_garbage_is_refused),
        cmocka_unit_test(test_configurations_that_make_no_sense_are_refused),
        cmocka_unit_test(test_pictures_that_make_no_sense_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
