#include "media/resampler.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { SECOND = 192000 };

static int16_t in[2 * SECOND];
static int16_t out[2 * SECOND + 100];

/* One second of a sine through the resampler in blocks of 10 ms; returns frames. */
static size_t run(jingle_audio_format from, jingle_audio_format to, double hz)
{
    struct resampler *resampler = resampler_new(from, to);
    assert_non_null(resampler);
    for (uint32_t i = 0; i < from.rate * from.channels; i++) {
        uint32_t frame = i / from.channels;
        in[i] = (int16_t)lrint(8000 * sin(2 * M_PI * hz * frame / from.rate));
    }
    size_t given = 0;
    for (size_t at = 0; at + from.rate / 100 <= from.rate; at += from.rate / 100) {
        size_t frames = from.rate / 100;
        given += resampler_run(resampler, in + at * from.channels, &frames,
                               out + given * to.channels, resampler_room(resampler, frames));
        assert_int_equal(frames, from.rate / 100);
    }
    resampler_free(resampler);
    return given;
}

/* Of a channel, the middle of the second: how much is not the sine, in dB below it. */
static double noise_db(size_t frames, jingle_audio_format format, double hz, uint32_t channel)
{
    double s = 0;
    double c = 0;
    double all = 0;
    size_t from = frames / 4;
    size_t count = format.rate * 2 / 5; /* whole cycles */
    for (size_t i = from; i < from + count; i++) {
        double angle = 2 * M_PI * hz * (double)i / format.rate;
        double x = out[i * format.channels + channel];
        s += x * sin(angle);
        c += x * cos(angle);
        all += x * x;
    }
    double sine = 2 * (s * s + c * c) / (double)count;
    return 10 * log10(sine / (all - sine + 1e-9));
}

static void test_rates_are_changed_without_audible_damage(void **state)
{
    (void)state;
    static const uint32_t rates[][2] = {{48000, 8000},  {8000, 48000},  {44100, 48000},
                                        {48000, 44100}, {16000, 48000}, {96000, 48000},
                                        {48000, 11025}, {192000, 8000}};
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        jingle_audio_format from = {.rate = rates[i][0], .channels = 1};
        jingle_audio_format to = {.rate = rates[i][1], .channels = 1};
        size_t frames = run(from, to, 1000);
        assert_in_range(frames, to.rate - to.rate / 100, to.rate);
        double db = noise_db(frames, to, 1000, 0);
        if (db < 55) {
            fail_msg("%u to %u: %.0f dB", from.rate, to.rate, db);
        }
    }
}

static void test_what_the_lower_rate_cannot_carry_is_removed(void **state)
{
    (void)state;
    jingle_audio_format from = {.rate = 48000, .channels = 1};
    jingle_audio_format to = {.rate = 8000, .channels = 1};
    size_t frames = run(from, to, 6000);
    int peak = 0;
    for (size_t i = frames / 4; i < frames / 2; i++) {
        peak = out[i] > peak ? out[i] : peak;
    }
    assert_true(peak < 40);
}

static void test_channels_are_mixed(void **state)
{
    (void)state;
    jingle_audio_format mono = {.rate = 48000, .channels = 1};
    jingle_audio_format stereo = {.rate = 48000, .channels = 2};
    struct resampler *up = resampler_new(mono, stereo);
    int16_t one[3] = {1, -2, 3};
    int16_t two[6];
    size_t frames = 3;
    assert_int_equal(resampler_run(up, one, &frames, two, 3), 3);
    assert_memory_equal(two, ((int16_t[]){1, 1, -2, -2, 3, 3}), sizeof two);
    resampler_free(up);
    struct resampler *down = resampler_new(stereo, mono);
    int16_t loud[4] = {32767, 32767, -32768, -32768};
    frames = 2;
    assert_int_equal(resampler_run(down, loud, &frames, one, 2), 2);
    assert_int_equal(one[0], 32767);
    assert_int_equal(one[1], -32768);
    resampler_free(down);
}

static void test_rate_and_channels_change_together(void **state)
{
    (void)state;
    jingle_audio_format from = {.rate = 44100, .channels = 2};
    jingle_audio_format to = {.rate = 48000, .channels = 1};
    assert_true(noise_db(run(from, to, 1000), to, 1000, 0) > 55);
    assert_true(noise_db(run(to, from, 1000), from, 1000, 0) > 55);
    assert_true(noise_db(run(to, from, 1000), from, 1000, 1) > 55);
}

static void test_little_room_takes_only_what_fits(void **state)
{
    (void)state;
    jingle_audio_format from = {.rate = 8000, .channels = 1};
    jingle_audio_format to = {.rate = 48000, .channels = 1};
    struct resampler *resampler = resampler_new(from, to);
    memset(in, 0, sizeof in);
    size_t frames = 800;
    assert_int_equal(resampler_run(resampler, in, &frames, out, 600), 600);
    assert_in_range(frames, 90, 200);
    resampler_free(resampler);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rates_are_changed_without_audible_damage),
        cmocka_unit_test(test_what_the_lower_rate_cannot_carry_is_removed),
        cmocka_unit_test(test_channels_are_mixed),
        cmocka_unit_test(test_rate_and_channels_change_together),
        cmocka_unit_test(test_little_room_takes_only_what_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
