#include "rtp/arrival_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct arrival_log arrivals;

static int set_up(void **state)
{
    (void)state;
    arrival_log_init(&arrivals);
    return 0;
}

/* What is to be told, as "base: . x .": dots are missing. */
static void expect_run(uint16_t base, const char *run)
{
    usec times[64];
    uint16_t first;
    size_t count = arrival_log_take(&arrivals, times, 64, &first);
    assert_int_equal(first, base);
    for (size_t i = 0; run[i]; i++) {
        assert_true(i < count);
        assert_int_equal(times[i] != USEC_NEVER, run[i] == 'x');
    }
    assert_int_equal(run[count], '\0');
    arrival_log_told(&arrivals, first, count);
}

static void test_gaps_are_told_as_missing(void **state)
{
    (void)state;
    assert_false(arrival_log_pending(&arrivals));
    arrival_log_add(&arrivals, 65534, 1);
    arrival_log_add(&arrivals, 65535, 2);
    arrival_log_add(&arrivals, 2, 3);
    assert_true(arrival_log_pending(&arrivals));
    expect_run(65534, "xx..x");
    assert_false(arrival_log_pending(&arrivals));
    arrival_log_add(&arrivals, 5, 4);
    expect_run(5, "x");
}

static void test_what_comes_late_is_told_again_with_what_followed(void **state)
{
    (void)state;
    arrival_log_add(&arrivals, 10, 1);
    arrival_log_add(&arrivals, 12, 2);
    expect_run(10, "x.x");
    arrival_log_add(&arrivals, 11, 3);
    expect_run(11, "xx");
}

static void test_a_packet_counts_once(void **state)
{
    (void)state;
    usec time;
    uint16_t base;
    arrival_log_add(&arrivals, 10, 1);
    arrival_log_add(&arrivals, 10, 2);
    assert_int_equal(arrival_log_take(&arrivals, &time, 1, &base), 1);
    assert_int_equal(time, 1);
}

static void test_a_single_number_far_off_is_refused(void **state)
{
    (void)state;
    arrival_log_add(&arrivals, 10, 1);
    arrival_log_add(&arrivals, 30000, 2);
    arrival_log_add(&arrivals, 11, 3);
    assert_int_equal(arrivals.refused, 1);
    expect_run(10, "xx");
}

static void test_numbers_that_go_on_elsewhere_are_a_new_beginning(void **state)
{
    (void)state;
    arrival_log_add(&arrivals, 10, 1);
    arrival_log_add(&arrivals, 30000, 2);
    arrival_log_add(&arrivals, 30001, 3);
    arrival_log_add(&arrivals, 30002, 4);
    expect_run(30001, "xx");
}

static void test_what_is_never_told_does_not_grow_without_end(void **state)
{
    (void)state;
    usec times[ARRIVAL_LOG_MAX];
    uint16_t base;
    for (unsigned i = 0; i < 100000; i++) {
        arrival_log_add(&arrivals, (uint16_t)i, i);
    }
    assert_int_equal(arrival_log_take(&arrivals, times, ARRIVAL_LOG_MAX, &base), ARRIVAL_LOG_MAX);
    assert_int_equal(base, (uint16_t)(100000 - ARRIVAL_LOG_MAX));
    assert_int_equal(times[0], 100000 - ARRIVAL_LOG_MAX);
}

#define TEST(f) cmocka_unit_test_setup(f, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_gaps_are_told_as_missing),
        TEST(test_what_comes_late_is_told_again_with_what_followed),
        TEST(test_a_packet_counts_once),
        TEST(test_a_single_number_far_off_is_refused),
        TEST(test_numbers_that_go_on_elsewhere_are_a_new_beginning),
        TEST(test_what_is_never_told_does_not_grow_without_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
