#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "codecs/codec.h"

enum { FRAME = 960 };

/* A buzz that swells four times a second and glides, as speech does. */
static void tone(int16_t *out, size_t count, unsigned rate, size_t from)
{
    for (size_t i = 0; i < count; i++) {
        double t = (double)(from + i) / rate;
        double swell = 0.5 - 0.5 * cos(2 * M_PI * 4 * t);
        double phase = 2 * M_PI * 140 * t + 10 * sin(2 * M_PI * 0.7 * t);
        double voice = 0;
        for (int harmonic = 1; harmonic <= 20; harmonic++) {
            voice += sin(phase * harmonic) / harmonic;
        }
        out[i] = (int16_t)(6000 * voice * swell * swell);
    }
}

static double level(const int16_t *samples, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += (double)samples[i] * samples[i];
    }
    return sqrt(sum / (double)count);
}

static void test_codecs_are_found_by_name_in_any_case(void **state)
{
    (void)state;
    assert_ptr_equal(codec_find("OPUS", 48000, 2), &codec_opus);
    assert_ptr_equal(codec_find("opus", 48000, 0), &codec_opus);
    assert_ptr_equal(codec_find("opus", 48000, 1), &codec_opus);
    assert_null(codec_find("opus", 16000, 2));
    assert_ptr_equal(codec_find("pcma", 8000, 1), &codec_pcma);
    assert_null(codec_find("pcma", 8000, 2));
    assert_ptr_equal(codec_static(0), &codec_pcmu);
    assert_ptr_equal(codec_static(8), &codec_pcma);
    assert_null(codec_static(-1));
    assert_null(codec_static(3));
}

static struct audio_encoder *opus_encoder(unsigned loss, bool dtx)
{
    struct audio_encoder_config config = {.channels = 1,
                                          .bitrate = 32000,
                                          .fec = true,
                                          .loss_percent = loss,
                                          .dtx = dtx,
                                          .complexity = 5};
    struct audio_encoder *encoder = audio_encoder_new(&codec_opus, &config);
    assert_non_null(encoder);
    return encoder;
}

static void test_opus_comes_back_as_loud_as_it_went(void **state)
{
    (void)state;
    int16_t samples[FRAME];
    int16_t decoded[AUDIO_SAMPLES_MAX];
    uint8_t payload[AUDIO_PAYLOAD_MAX];
    struct audio_encoder *encoder = opus_encoder(0, false);
    struct audio_decoder *decoder = audio_decoder_new(&codec_opus, 1);
    for (size_t i = 0; i < 20; i++) {
        tone(samples, FRAME, 48000, i * FRAME);
        int size = audio_encode(encoder, samples, FRAME, payload, sizeof payload);
        assert_true(size > 0);
        assert_int_equal(audio_duration(&codec_opus, payload, (size_t)size), FRAME);
        assert_int_equal(audio_decode(decoder, payload, (size_t)size, decoded, AUDIO_SAMPLES_MAX),
                         FRAME);
    }
    double ratio = level(decoded, FRAME) / level(samples, FRAME);
    assert_true(ratio > 0.7 && ratio < 1.4);
    audio_encoder_free(encoder);
    audio_decoder_free(decoder);
}

static size_t packets_with_fec(unsigned loss)
{
    int16_t samples[FRAME];
    uint8_t payload[AUDIO_PAYLOAD_MAX];
    size_t with = 0;
    struct audio_encoder *encoder = opus_encoder(loss, false);
    for (size_t i = 0; i < 50; i++) {
        tone(samples, FRAME, 48000, i * FRAME);
        int size = audio_encode(encoder, samples, FRAME, payload, sizeof payload);
        assert_true(size > 0);
        with += audio_has_fec(&codec_opus, payload, (size_t)size) ? 1 : 0;
    }
    audio_encoder_free(encoder);
    return with;
}

static void test_opus_sends_fec_only_if_loss_is_reported(void **state)
{
    (void)state;
    assert_int_equal(packets_with_fec(0), 0);
    assert_true(packets_with_fec(10) > 15);
}

static void test_a_lost_frame_is_recovered_from_the_next_packet(void **state)
{
    (void)state;
    int16_t samples[FRAME];
    int16_t recovered[FRAME];
    double lost = 0;
    int16_t decoded[AUDIO_SAMPLES_MAX];
    uint8_t payload[AUDIO_PAYLOAD_MAX];
    struct audio_encoder *encoder = opus_encoder(20, false);
    struct audio_decoder *decoder = audio_decoder_new(&codec_opus, 1);
    for (size_t i = 0; i < 30; i++) {
        tone(samples, FRAME, 48000, i * FRAME);
        int size = audio_encode(encoder, samples, FRAME, payload, sizeof payload);
        if (i == 28) {
            lost = level(samples, FRAME);
            continue;
        }
        if (i == 29) {
            assert_true(audio_has_fec(&codec_opus, payload, (size_t)size));
            assert_int_equal(audio_recover(decoder, payload, (size_t)size, recovered, FRAME),
                             FRAME);
            assert_true(level(recovered, FRAME) > lost / 3);
        }
        assert_int_equal(audio_decode(decoder, payload, (size_t)size, decoded, AUDIO_SAMPLES_MAX),
                         FRAME);
    }
    audio_encoder_free(encoder);
    audio_decoder_free(decoder);
}

static void test_dtx_sends_almost_nothing_in_silence(void **state)
{
    (void)state;
    int16_t samples[FRAME] = {0};
    uint8_t payload[AUDIO_PAYLOAD_MAX];
    struct audio_encoder *encoder = opus_encoder(0, true);
    size_t sent = 0;
    for (size_t i = 0; i < 100; i++) {
        sent += audio_encode(encoder, samples, FRAME, payload, sizeof payload) > 0 ? 1 : 0;
    }
    assert_in_range(sent, 1, 40);
    audio_encoder_free(encoder);
}

static void test_frames_of_10_to_60_ms_are_encoded(void **state)
{
    (void)state;
    static int16_t samples[3 * FRAME];
    static int16_t decoded[AUDIO_SAMPLES_MAX];
    uint8_t payload[AUDIO_PAYLOAD_MAX];
    struct audio_encoder *encoder = opus_encoder(10, false);
    struct audio_decoder *decoder = audio_decoder_new(&codec_opus, 2); /* mono into stereo */
    static const size_t counts[] = {480, 960, 1920, 2880};
    for (size_t i = 0; i < 4; i++) {
        tone(samples, counts[i], 48000, 0);
        int size = audio_encode(encoder, samples, counts[i], payload, sizeof payload);
        assert_true(size > 0);
        assert_int_equal(
            audio_decode(decoder, payload, (size_t)size, decoded, AUDIO_SAMPLES_MAX / 2),
            counts[i]);
    }
    assert_true(audio_encode(encoder, samples, 500, payload, sizeof payload) < 0);
    audio_encoder_free(encoder);
    audio_decoder_free(decoder);
}

static void test_malformed_opus_is_refused_and_never_crashes(void **state)
{
    (void)state;
    static int16_t decoded[2 * AUDIO_SAMPLES_MAX];
    struct audio_decoder *decoder = audio_decoder_new(&codec_opus, 2);
    uint32_t random = 1;
    assert_int_equal(audio_duration(&codec_opus, (const uint8_t *)"", 0), 0);
    /* code 3 with 63 frames of 60 ms: longer than any packet may be */
    assert_int_equal(audio_duration(&codec_opus, (const uint8_t *)"\x1b\x3f\x00\x00", 4), 0);
    for (size_t i = 0; i < 3000; i++) {
        uint8_t payload[200];
        size_t size = i % sizeof payload;
        for (size_t j = 0; j < size; j++) {
            random = random * 1664525 + 1013904223;
            payload[j] = (uint8_t)(random >> 24);
        }
        unsigned duration = audio_duration(&codec_opus, payload, size);
        audio_has_fec(&codec_opus, payload, size);
        audio_recover(decoder, payload, size, decoded, FRAME);
        int made = audio_decode(decoder, payload, size, decoded, AUDIO_SAMPLES_MAX);
        assert_true(made <= AUDIO_SAMPLES_MAX);
        assert_true(duration > 0 || made < 0);
    }
    audio_decoder_free(decoder);
}

static void check_g711(const struct audio_codec *codec)
{
    struct audio_encoder *encoder =
        audio_encoder_new(codec, &(struct audio_encoder_config){.channels = 1});
    struct audio_decoder *decoder = audio_decoder_new(codec, 1);
    int last = 40000;
    for (int value = 32000; value >= -32000; value -= 13) {
        int16_t sample = (int16_t)value;
        int16_t back;
        uint8_t code;
        assert_int_equal(audio_encode(encoder, &sample, 1, &code, 1), 1);
        assert_int_equal(audio_decode(decoder, &code, 1, &back, 1), 1);
        assert_true(abs(back - value) <= 16 + abs(value) / 24); /* half a step of its segment */
        assert_true(back <= last);                              /* monotonic */
        last = back;
    }
    audio_encoder_free(encoder);
    audio_decoder_free(decoder);
}

static void test_g711_keeps_every_level_within_its_step(void **state)
{
    (void)state;
    check_g711(&codec_pcmu);
    check_g711(&codec_pcma);
}

static void test_g711_has_the_standard_code_words(void **state)
{
    (void)state;
    struct audio_decoder *ulaw = audio_decoder_new(&codec_pcmu, 1);
    struct audio_decoder *alaw = audio_decoder_new(&codec_pcma, 1);
    static const uint8_t ulaw_codes[] = {0xff, 0x7f, 0x80, 0x00};
    static const uint8_t alaw_codes[] = {0xd5, 0x55, 0xaa, 0x2a};
    int16_t out[4];
    assert_int_equal(audio_decode(ulaw, ulaw_codes, 4, out, 4), 4);
    assert_int_equal(out[0], 0);
    assert_int_equal(out[1], 0);
    assert_int_equal(out[2], 32124);
    assert_int_equal(out[3], -32124);
    assert_int_equal(audio_decode(alaw, alaw_codes, 4, out, 4), 4);
    assert_int_equal(out[0], 8);
    assert_int_equal(out[1], -8);
    assert_int_equal(out[2], 32256);
    assert_int_equal(out[3], -32256);
    audio_decoder_free(ulaw);
    audio_decoder_free(alaw);
}

static void test_concealed_g711_goes_on_and_fades(void **state)
{
    (void)state;
    struct audio_encoder *encoder =
        audio_encoder_new(&codec_pcma, &(struct audio_encoder_config){.channels = 1});
    struct audio_decoder *decoder = audio_decoder_new(&codec_pcma, 1);
    int16_t samples[800];
    int16_t out[800];
    uint8_t payload[800];
    tone(samples, 800, 8000, 0);
    audio_encode(encoder, samples, 800, payload, sizeof payload);
    audio_decode(decoder, payload, 800, out, 800);
    double before = level(out + 640, 160);
    assert_int_equal(audio_conceal(decoder, out, 80), 80);
    assert_true(level(out, 80) > before / 2);
    assert_int_equal(audio_conceal(decoder, out, 800), 800);
    assert_true(level(out + 640, 160) < 1);
    audio_encoder_free(encoder);
    audio_decoder_free(decoder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codecs_are_found_by_name_in_any_case),
        cmocka_unit_test(test_opus_comes_back_as_loud_as_it_went),
        cmocka_unit_test(test_opus_sends_fec_only_if_loss_is_reported),
        cmocka_unit_test(test_a_lost_frame_is_recovered_from_the_next_packet),
        cmocka_unit_test(test_dtx_sends_almost_nothing_in_silence),
        cmocka_unit_test(test_frames_of_10_to_60_ms_are_encoded),
        cmocka_unit_test(test_malformed_opus_is_refused_and_never_crashes),
        cmocka_unit_test(test_g711_keeps_every_level_within_its_step),
        cmocka_unit_test(test_g711_has_the_standard_code_words),
        cmocka_unit_test(test_concealed_g711_goes_on_and_fades),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
