#include "rtp/level.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_loudness_is_in_dbov(void **state)
{
    (void)state;
    int16_t samples[960];
    static const struct {
        int amplitude;
        int level;
    } cases[] = {{0, 127}, {1, 90}, {32767, 0}, {3277, 20}, {-32768, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t n = 0; n < 960; n++) {
            samples[n] = (int16_t)cases[i].amplitude; /* a square wave */
        }
        assert_int_equal(level_of(samples, 960), cases[i].level);
    }
}

static void test_the_extension_comes_back(void **state)
{
    (void)state;
    bool voice;
    assert_int_equal(level_read(level_write(42, true), &voice), -42);
    assert_true(voice);
    assert_int_equal(level_read(level_write(127, false), &voice), -127);
    assert_false(voice);
}

static void test_a_peak_is_remembered_for_about_a_second(void **state)
{
    (void)state;
    struct level_peak peak = {0};
    int16_t loud = -16384;
    int16_t soft = 3;
    usec now = 100 * USEC_PER_SEC;
    level_peak_add(&peak, &loud, 1, now);
    level_peak_add(&peak, &soft, 1, now + 900 * USEC_PER_MS);
    assert_true(fabs(level_peak_get(&peak) - 0.5) < 0.001);
    level_peak_add(&peak, &soft, 1, now + 1100 * USEC_PER_MS);
    assert_true(level_peak_get(&peak) > 0.4);
    level_peak_add(&peak, &soft, 1, now + 2200 * USEC_PER_MS);
    assert_true(level_peak_get(&peak) < 0.001);
    int16_t lowest = -32768;
    level_peak_add(&peak, &lowest, 1, now + 2300 * USEC_PER_MS);
    assert_true(level_peak_get(&peak) == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loudness_is_in_dbov),
        cmocka_unit_test(test_the_extension_comes_back),
        cmocka_unit_test(test_a_peak_is_remembered_for_about_a_second),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
