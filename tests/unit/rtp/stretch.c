#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rtp/stretch.h"

enum { RATE = 48000, FRAME = 960, PAST = 600, ROOM = PAST + FRAME + PAST };

static const struct stretch mono = {.rate = RATE, .channels = 1, .quiet = 40};

/* A buzz of 160 Hz: a period is 300 samples. */
static void buzz(int16_t *out, size_t count, unsigned channels)
{
    for (size_t i = 0; i < count * channels; i++) {
        const size_t frame = i / channels;
        double phase = 2 * M_PI * 160 * (double)frame / RATE;
        out[i] = (int16_t)(4000 * (sin(phase) + sin(2 * phase + 1) / 2 + sin(3 * phase) / 3));
    }
}

static int steepest(const int16_t *samples, size_t count, unsigned step)
{
    int most = 0;
    for (size_t i = step; i < count * step; i++) {
        int slope = abs(samples[i] - samples[i - step]);
        most = slope > most ? slope : most;
    }
    return most;
}

static void test_a_periodic_sound_loses_whole_periods(void **state)
{
    (void)state;
    int16_t samples[ROOM];
    buzz(samples, ROOM, 1);
    int slope = steepest(samples, ROOM, 1);
    assert_int_equal(stretch_shrink(&mono, samples + PAST, FRAME), 300);
    assert_true(steepest(samples, PAST + FRAME - 300, 1) <= slope + 2);
}

static void test_a_periodic_sound_gains_whole_periods(void **state)
{
    (void)state;
    int16_t samples[ROOM];
    buzz(samples, ROOM, 1);
    int slope = steepest(samples, ROOM, 1);
    size_t more = stretch_lengthen(&mono, samples + PAST, FRAME);
    assert_true(more == 300 || more == 600);
    assert_true(steepest(samples, PAST + FRAME + more, 1) <= slope + 2);
}

static void test_both_channels_are_changed_alike(void **state)
{
    (void)state;
    static int16_t samples[2 * ROOM];
    const struct stretch stereo = {.rate = RATE, .channels = 2, .quiet = 40};
    buzz(samples, ROOM, 2);
    assert_int_equal(stretch_shrink(&stereo, samples + (size_t)2 * PAST, FRAME), 300);
    for (size_t i = 0; i < PAST + FRAME - 300; i++) {
        assert_int_equal(samples[2 * i], samples[2 * i + 1]);
    }
}

static void noise(int16_t *out, size_t count, int level)
{
    uint32_t random = 7;
    for (size_t i = 0; i < count; i++) {
        random = random * 1664525 + 1013904223;
        out[i] = (int16_t)((int)(random >> 16) % (2 * level) - level);
    }
}

static void test_loud_noise_is_left_alone_and_quiet_noise_is_not(void **state)
{
    (void)state;
    int16_t samples[ROOM];
    noise(samples, ROOM, 8000);
    assert_int_equal(stretch_shrink(&mono, samples + PAST, FRAME), 0);
    assert_int_equal(stretch_lengthen(&mono, samples + PAST, FRAME), 0);
    noise(samples, ROOM, 30);
    assert_in_range(stretch_shrink(&mono, samples + PAST, FRAME), 1, stretch_longest(RATE));
    assert_in_range(stretch_lengthen(&mono, samples + PAST, 300), 1, stretch_longest(RATE));
}

static void test_no_more_is_changed_than_is_allowed(void **state)
{
    (void)state;
    int16_t samples[ROOM];
    struct stretch limited = mono;
    noise(samples, ROOM, 30);
    limited.most = 250;
    assert_in_range(stretch_shrink(&limited, samples + PAST, FRAME), 1, 250);
    assert_in_range(stretch_lengthen(&limited, samples + PAST, FRAME - 250), 1, 250);
    limited.most = 100; /* shorter than any period */
    assert_int_equal(stretch_shrink(&limited, samples + PAST, FRAME), 0);
    assert_int_equal(stretch_lengthen(&limited, samples + PAST, FRAME), 0);
}

static void test_too_short_a_frame_is_left_alone(void **state)
{
    (void)state;
    int16_t samples[ROOM];
    buzz(samples, ROOM, 1);
    assert_int_equal(stretch_shrink(&mono, samples + PAST, 200), 0);
    assert_int_equal(stretch_lengthen(&mono, samples + PAST, 100), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_periodic_sound_loses_whole_periods),
        cmocka_unit_test(test_a_periodic_sound_gains_whole_periods),
        cmocka_unit_test(test_both_channels_are_changed_alike),
        cmocka_unit_test(test_loud_noise_is_left_alone_and_quiet_noise_is_not),
        cmocka_unit_test(test_no_more_is_changed_than_is_allowed),
        cmocka_unit_test(test_too_short_a_frame_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
