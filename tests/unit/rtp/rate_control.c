#include "rtp/rate_control.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MS USEC_PER_MS

static usec now;

static struct rate_control begin(double rate)
{
    struct rate_control control;
    rate_control_init(&control, rate);
    now = USEC_PER_SEC;
    control.changed = now;
    return control;
}

/* Feedback that shows this, 50 ms later. */
static void see(struct rate_control *control, struct path_view view)
{
    now += 50 * MS;
    view.round_trip = 50 * MS;
    view.newest_sent = now - 50 * MS;
    rate_control_update(control, &view, now);
}

static void test_a_free_path_is_used_more_and_more(void **state)
{
    (void)state;
    struct rate_control control = begin(500000);
    for (unsigned i = 0; i < 20; i++) {
        see(&control, (struct path_view){.acknowledged = control.rate});
    }
    assert_in_range(control.rate, 580000, 620000); /* by 20 % in the second */
}

static void test_who_sends_little_does_not_grow_on_paper(void **state)
{
    (void)state;
    struct rate_control control = begin(500000);
    for (unsigned i = 0; i < 100; i++) {
        see(&control, (struct path_view){.acknowledged = 100000, .limited = true});
    }
    assert_in_range(control.rate, 500000, 500000);
}

static void test_a_growing_queue_cuts_below_what_arrives_until_it_is_gone(void **state)
{
    (void)state;
    struct rate_control control = begin(1000000);
    see(&control,
        (struct path_view){.usage = PATH_OVERUSED, .acknowledged = 800000, .queue = 100 * MS});
    assert_int_equal(control.state, RATE_DRAIN);
    assert_in_range(control.rate, 280000, 700000);
    see(&control,
        (struct path_view){.usage = PATH_UNDERUSED, .acknowledged = 800000, .queue = 50 * MS});
    see(&control, (struct path_view){.usage = PATH_UNDERUSED, .acknowledged = 500000});
    assert_int_not_equal(control.state, RATE_DRAIN);
    assert_in_range(control.rate, 650000, 720000); /* 87 % of what arrived when it was full */
}

static void test_a_little_queue_is_noise(void **state)
{
    (void)state;
    struct rate_control control = begin(1000000);
    see(&control,
        (struct path_view){.usage = PATH_OVERUSED, .acknowledged = 1000000, .queue = 10 * MS});
    assert_int_not_equal(control.state, RATE_DRAIN);
    assert_true(control.rate >= 1000000);
}

static void test_near_the_capacity_it_grows_by_packets(void **state)
{
    (void)state;
    struct rate_control control = begin(1000000);
    see(&control,
        (struct path_view){.usage = PATH_OVERUSED, .acknowledged = 1000000, .queue = 50 * MS});
    while (control.state != RATE_INCREASE) {
        see(&control, (struct path_view){.acknowledged = 1000000});
    }
    double before = control.rate;
    see(&control, (struct path_view){.acknowledged = 1000000});
    assert_in_range(control.rate - before, 1000, 15000);
}

static void test_what_does_not_drain_is_no_queue(void **state)
{
    (void)state;
    struct rate_control control = begin(1000000);
    see(&control,
        (struct path_view){.usage = PATH_OVERUSED, .acknowledged = 1000000, .queue = 300 * MS});
    for (unsigned i = 0; i < 100 && !control.no_queue; i++) {
        assert_int_equal(control.state, RATE_DRAIN);
        see(&control, (struct path_view){.acknowledged = i ? 350000 : 1000000, .queue = 300 * MS});
    }
    assert_true(control.no_queue);
    assert_in_range(control.rate, 800000, 900000);
}

static void test_a_probe_raises_the_rate_but_not_while_a_queue_drains(void **state)
{
    (void)state;
    struct rate_control control = begin(300000);
    rate_control_probed(&control, 250000, now);
    assert_in_range(control.rate, 300000, 300000);
    rate_control_probed(&control, 900000, now);
    assert_in_range(control.rate, 900000, 900000);
    see(&control,
        (struct path_view){.usage = PATH_OVERUSED, .acknowledged = 800000, .queue = 200 * MS});
    rate_control_probed(&control, 2000000, now);
    assert_true(control.rate < 800000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_free_path_is_used_more_and_more),
        cmocka_unit_test(test_who_sends_little_does_not_grow_on_paper),
        cmocka_unit_test(test_a_growing_queue_cuts_below_what_arrives_until_it_is_gone),
        cmocka_unit_test(test_a_little_queue_is_noise),
        cmocka_unit_test(test_near_the_capacity_it_grows_by_packets),
        cmocka_unit_test(test_what_does_not_drain_is_no_queue),
        cmocka_unit_test(test_a_probe_raises_the_rate_but_not_while_a_queue_drains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
