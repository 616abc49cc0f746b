#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rtp/delay_estimate.h"

enum { PACKET = 20 * 1000 };

static void add(struct delay_estimate *estimate, usec *now, size_t packets, usec transit,
                usec every_tenth)
{
    for (size_t i = 0; i < packets; i++) {
        *now += PACKET;
        delay_estimate_add(estimate, i % 10 == 9 ? every_tenth : transit, *now);
    }
}

static void test_a_steady_link_needs_no_room(void **state)
{
    (void)state;
    struct delay_estimate estimate;
    usec now = 0;
    delay_estimate_init(&estimate);
    add(&estimate, &now, 500, -123456, -123456);
    assert_int_equal(delay_estimate_bound(&estimate, 3, 0.99), -123456);
    assert_int_equal(delay_estimate_usual(&estimate), -123456);
}

static void test_spikes_are_within_the_bound(void **state)
{
    (void)state;
    struct delay_estimate estimate;
    usec now = 0;
    delay_estimate_init(&estimate);
    add(&estimate, &now, 1000, 5000, 200000);
    assert_in_range(delay_estimate_bound(&estimate, 2, 0.99), 190000, 200000);
    assert_true(delay_estimate_tail(&estimate, 100000) > 0.05);
    assert_true(delay_estimate_tail(&estimate, 500000) < 1e-6);
}

static void test_worse_times_are_forgotten(void **state)
{
    (void)state;
    struct delay_estimate estimate;
    usec now = 0;
    delay_estimate_init(&estimate);
    add(&estimate, &now, 500, 5000, 300000);
    add(&estimate, &now, 1100, 5000, 5000); /* 22 s */
    assert_int_equal(delay_estimate_bound(&estimate, 3, 0.99), 5000);
    assert_int_equal(delay_estimate_usual(&estimate), 5000);
}

static void test_a_longer_path_is_learnt(void **state)
{
    (void)state;
    struct delay_estimate estimate;
    usec now = 0;
    delay_estimate_init(&estimate);
    add(&estimate, &now, 500, 5000, 5000);
    add(&estimate, &now, 100, 4000000, 4000000); /* outside of the histogram so far */
    assert_int_equal(delay_estimate_bound(&estimate, 3, 0.99), 4000000);
    add(&estimate, &now, 3000, -4000000, -4000000);
    assert_int_equal(delay_estimate_bound(&estimate, 3, 0.99), -4000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_steady_link_needs_no_room),
        cmocka_unit_test(test_spikes_are_within_the_bound),
        cmocka_unit_test(test_worse_times_are_forgotten),
        cmocka_unit_test(test_a_longer_path_is_learnt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
