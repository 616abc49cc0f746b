#include "rtp/freeze.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define FRAME (33 * USEC_PER_MS)

static usec show(struct freeze *freeze, usec now, unsigned frames)
{
    for (unsigned i = 0; i < frames; i++) {
        now += FRAME;
        freeze_shown(freeze, now);
    }
    return now;
}

static void expect(const struct freeze *freeze, usec now, uint64_t count, usec time)
{
    uint64_t freezes;
    usec frozen;
    freeze_figures(freeze, now, &freezes, &frozen);
    assert_int_equal(freezes, count);
    assert_int_equal(frozen, time);
}

static void test_a_gap_over_the_mean_plus_150_ms_is_a_freeze(void **state)
{
    (void)state;
    struct freeze freeze = {0};
    usec now = show(&freeze, USEC_PER_SEC, 60);
    now += FRAME + 149 * USEC_PER_MS;
    freeze_shown(&freeze, now);
    expect(&freeze, now, 0, 0);
    now = show(&freeze, now, 60);
    now += FRAME + 151 * USEC_PER_MS;
    freeze_shown(&freeze, now);
    expect(&freeze, now, 1, FRAME + 151 * USEC_PER_MS);
}

static void test_slow_pictures_freeze_only_at_three_times_their_gap(void **state)
{
    (void)state;
    struct freeze freeze = {0};
    usec now = USEC_PER_SEC;
    for (unsigned i = 0; i < 20; i++) {
        now += 500 * USEC_PER_MS;
        freeze_shown(&freeze, now);
    }
    now += 1400 * USEC_PER_MS;
    freeze_shown(&freeze, now);
    expect(&freeze, now, 0, 0);
    now += 3 * USEC_PER_SEC;
    freeze_shown(&freeze, now);
    expect(&freeze, now, 1, 3 * USEC_PER_SEC);
}

static void test_a_freeze_that_goes_on_counts_already(void **state)
{
    (void)state;
    struct freeze freeze = {0};
    usec now = show(&freeze, USEC_PER_SEC, 60);
    expect(&freeze, now + USEC_PER_SEC, 1, USEC_PER_SEC);
    expect(&freeze, now + 50 * USEC_PER_MS, 0, 0);
}

static void test_a_pause_is_no_freeze(void **state)
{
    (void)state;
    struct freeze freeze = {0};
    usec now = show(&freeze, USEC_PER_SEC, 60);
    freeze_pause(&freeze);
    expect(&freeze, now + USEC_PER_SEC, 0, 0);
    now = show(&freeze, now + 10 * USEC_PER_SEC, 3);
    expect(&freeze, now, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_gap_over_the_mean_plus_150_ms_is_a_freeze),
        cmocka_unit_test(test_slow_pictures_freeze_only_at_three_times_their_gap),
        cmocka_unit_test(test_a_freeze_that_goes_on_counts_already),
        cmocka_unit_test(test_a_pause_is_no_freeze),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
