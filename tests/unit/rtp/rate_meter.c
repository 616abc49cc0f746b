#include "rtp/rate_meter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_the_rate_is_that_of_the_last_whole_second(void **state)
{
    (void)state;
    struct rate_meter meter = {0};
    uint64_t count = 0;
    usec now = 5 * USEC_PER_SEC;
    for (unsigned i = 0; i < 41; i++, now += 100 * USEC_PER_MS) {
        count += i < 15 ? 10 : 50;
        rate_meter_run(&meter, count, now);
    }
    assert_true(meter.rate > 490 && meter.rate < 510);
}

static void test_a_mean_fades_when_nothing_happens(void **state)
{
    (void)state;
    struct mean_meter meter = {0};
    usec now = 5 * USEC_PER_SEC;
    mean_meter_run(&meter, now);
    mean_meter_add(&meter, 10);
    mean_meter_add(&meter, 20);
    mean_meter_run(&meter, now + USEC_PER_SEC / 2);
    assert_int_equal(meter.mean, 0);
    mean_meter_run(&meter, now + USEC_PER_SEC);
    assert_int_equal(meter.mean, 15);
    mean_meter_run(&meter, now + 2 * USEC_PER_SEC);
    assert_int_equal(meter.mean, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_rate_is_that_of_the_last_whole_second),
        cmocka_unit_test(test_a_mean_fades_when_nothing_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
