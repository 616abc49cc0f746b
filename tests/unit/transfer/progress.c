#include "transfer/progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define START (3 * USEC_PER_SEC)

static void test_reports_come_four_times_a_second_at_most(void **state)
{
    (void)state;
    struct progress progress;
    int reports = 0;
    progress_init(&progress, 1000000, 0, START);
    for (uint64_t i = 1; i <= 10000; i++) {
        reports += progress_set(&progress, i * 100, START + (usec)i * USEC_PER_MS);
    }
    assert_int_equal(reports, 40);
}

static void test_a_steady_rate_is_told_and_what_is_left(void **state)
{
    (void)state;
    struct progress progress;
    progress_init(&progress, 10000000, 0, START);
    for (uint64_t i = 1; i <= 50; i++) {
        progress_set(&progress, i * 100000, START + (usec)i * 100 * USEC_PER_MS);
    }
    assert_in_range((uint64_t)progress_rate(&progress), 990000, 1010000);
    assert_in_range((uint64_t)progress_left(&progress), 4900000, 5100000);
    usec now = START + 5 * USEC_PER_SEC;
    assert_in_range((uint64_t)progress_mean_rate(&progress, now), 999999, 1000001);
}

static void test_the_rate_follows_a_change_within_seconds(void **state)
{
    (void)state;
    struct progress progress;
    uint64_t done = 0;
    usec now = START;
    progress_init(&progress, 1000000000, 0, START);
    for (int i = 0; i < 100; i++) {
        progress_set(&progress, done += 100000, now += 100 * USEC_PER_MS);
    }
    for (int i = 0; i < 80; i++) {
        progress_set(&progress, done += 10000, now += 100 * USEC_PER_MS);
    }
    assert_in_range((uint64_t)progress_rate(&progress), 90000, 200000);
    assert_true(progress_mean_rate(&progress, now) > 500000);
}

static void test_what_was_there_before_is_no_speed(void **state)
{
    (void)state;
    struct progress progress;
    progress_init(&progress, 2000, 1000, START);
    assert_true(progress_left(&progress) == USEC_NEVER);
    progress_set(&progress, 1100, START + USEC_PER_SEC);
    assert_in_range((uint64_t)progress_rate(&progress), 99, 101);
    assert_in_range((uint64_t)progress_mean_rate(&progress, START + USEC_PER_SEC), 99, 101);
    assert_in_range((uint64_t)progress_left(&progress), 8900000, 9100000);
}

static void test_a_pause_does_not_count(void **state)
{
    (void)state;
    struct progress progress;
    progress_init(&progress, 100000, 0, START);
    progress_set(&progress, 1000, START + USEC_PER_SEC);
    usec later = START + 3601 * USEC_PER_SEC;
    progress_resume(&progress, later);
    progress_set(&progress, 2000, later + USEC_PER_SEC);
    assert_in_range((uint64_t)progress_rate(&progress), 990, 1010);
    assert_in_range((uint64_t)progress_mean_rate(&progress, later + USEC_PER_SEC), 990, 1010);
}

static void test_nothing_is_left_at_the_end_and_of_nothing(void **state)
{
    (void)state;
    struct progress progress;
    progress_init(&progress, 0, 0, START);
    assert_int_equal(progress_left(&progress), 0);
    assert_true(progress_mean_rate(&progress, START) == 0);
    progress_init(&progress, 10, 0, START);
    progress_set(&progress, 10, START + 1);
    assert_int_equal(progress_left(&progress), 0);
}

/* An upload that a server wants from the beginning again. */
static void test_what_goes_back_has_no_rate(void **state)
{
    (void)state;
    struct progress progress;
    progress_init(&progress, 1000, 0, START);
    progress_set(&progress, 900, START + USEC_PER_SEC);
    progress_set(&progress, 100, START + 2 * USEC_PER_SEC);
    assert_true(progress_rate(&progress) <= 900);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reports_come_four_times_a_second_at_most),
        cmocka_unit_test(test_a_steady_rate_is_told_and_what_is_left),
        cmocka_unit_test(test_the_rate_follows_a_change_within_seconds),
        cmocka_unit_test(test_what_was_there_before_is_no_speed),
        cmocka_unit_test(test_a_pause_does_not_count),
        cmocka_unit_test(test_nothing_is_left_at_the_end_and_of_nothing),
        cmocka_unit_test(test_what_goes_back_has_no_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
