#include "transfer/rate_limit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Moves as much as is allowed for `span`, sleeping as told, in steps of `wanted`. */
static uint64_t moved_in(uint64_t rate, size_t wanted, usec span)
{
    struct rate_limit limit;
    usec now = USEC_PER_SEC;
    usec end = now + span;
    uint64_t moved = 0;
    rate_limit_init(&limit, rate, now);
    while (now < end) {
        size_t allowed = rate_limit_allows(&limit, wanted, now);
        rate_limit_spend(&limit, allowed);
        moved += allowed;
        if (allowed == 0) {
            usec when = rate_limit_when(&limit);
            assert_true(when > now);
            now = when;
        }
    }
    return moved;
}

static void test_a_rate_is_kept_at_every_size(void **state)
{
    (void)state;
    static const uint64_t rates[] = {1000, 10000, 1000000, 1000000000};
    for (size_t i = 0; i < 4; i++) {
        uint64_t moved = moved_in(rates[i], 256 * 1024, 100 * USEC_PER_SEC);
        assert_in_range(moved, rates[i] * 98, rates[i] * 100);
    }
}

static void test_time_that_was_not_used_is_not_saved_up(void **state)
{
    (void)state;
    struct rate_limit limit;
    rate_limit_init(&limit, 1000000, 0);
    assert_int_equal(rate_limit_allows(&limit, 10000000, 60 * USEC_PER_SEC), 100000);
}

static void test_the_last_bytes_wait_no_longer_than_they_must(void **state)
{
    (void)state;
    struct rate_limit limit;
    rate_limit_init(&limit, 1000000, 0);
    assert_int_equal(rate_limit_allows(&limit, 10, 20), 10);
}

static void test_without_a_rate_there_is_no_limit(void **state)
{
    (void)state;
    struct rate_limit limit;
    rate_limit_init(&limit, 0, 0);
    assert_int_equal(rate_limit_allows(&limit, 123456789, 0), 123456789);
    rate_limit_spend(&limit, 123456789);
    assert_int_equal(rate_limit_allows(&limit, 123456789, 0), 123456789);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_rate_is_kept_at_every_size),
        cmocka_unit_test(test_time_that_was_not_used_is_not_saved_up),
        cmocka_unit_test(test_the_last_bytes_wait_no_longer_than_they_must),
        cmocka_unit_test(test_without_a_rate_there_is_no_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
