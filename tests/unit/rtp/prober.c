#include "rtp/prober.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MS    USEC_PER_MS
#define BYTES 1000

/* Sends the next cluster at its rate over a path of `capacity`, losing the first `lost` packets;
 * returns its packets. */
static unsigned run_cluster(struct prober *prober, usec *now, double capacity, unsigned lost)
{
    unsigned packets = 0;
    usec line = *now;
    struct probe_cluster *cluster;
    uint16_t id = prober_current(prober, *now)->id;
    while ((cluster = prober_current(prober, *now)) && cluster->id == id) {
        double rate = cluster->rate;
        prober_sent(prober, cluster, BYTES, *now);
        line = line > *now ? line : *now;
        line += (usec)(BYTES * 8 * USEC_PER_SEC / capacity);
        if (packets++ >= lost) {
            prober_arrived(prober, id, *now, line + 123456, BYTES);
        }
        *now += (usec)(BYTES * 8 * USEC_PER_SEC / rate);
    }
    return packets;
}

static void test_a_probe_that_is_not_held_up_confirms_its_rate(void **state)
{
    (void)state;
    struct prober prober = {0};
    double tried;
    double rate;
    usec now = USEC_PER_SEC;
    prober_init(&prober);
    assert_false(prober_busy(&prober));
    prober_plan(&prober, 900000, now);
    prober_plan(&prober, 8000000, now);
    assert_true(prober_busy(&prober));
    assert_int_equal(run_cluster(&prober, &now, 1e8, 0), 5);
    assert_true(prober_result(&prober, &tried, &rate));
    assert_in_range(tried, 900000, 900000);
    assert_in_range(rate, 890000, 910000);
    assert_int_equal(run_cluster(&prober, &now, 1e8, 0), 15); /* 15 ms */
    assert_true(prober_result(&prober, &tried, &rate));
    assert_in_range(rate, 7900000, 8100000);
    assert_false(prober_result(&prober, &tried, &rate));
    assert_false(prober_busy(&prober));
}

static void test_a_probe_that_is_held_up_tells_the_capacity(void **state)
{
    (void)state;
    struct prober prober = {0};
    double tried;
    double rate;
    usec now = USEC_PER_SEC;
    prober_init(&prober);
    prober_plan(&prober, 2000000, now);
    run_cluster(&prober, &now, 1000000, 0);
    assert_true(prober_result(&prober, &tried, &rate));
    assert_in_range(rate, 930000, 1000000);
}

static void test_a_probe_of_which_too_much_is_lost_says_nothing(void **state)
{
    (void)state;
    struct prober prober = {0};
    double tried;
    double rate;
    usec now = USEC_PER_SEC;
    prober_init(&prober);
    prober_plan(&prober, 900000, now);
    run_cluster(&prober, &now, 1e7, 1);
    assert_true(prober_result(&prober, &tried, &rate));
    prober_plan(&prober, 900000, now);
    usec begun = now;
    run_cluster(&prober, &now, 1e7, 3);
    assert_false(prober_result(&prober, &tried, &rate));
    assert_false(prober_unanswered(&prober, begun, &tried));
    assert_true(prober_unanswered(&prober, begun + 1, &tried));
    assert_in_range(tried, 900000, 900000);
    assert_false(prober_unanswered(&prober, begun + 1, &tried));
}

static void test_a_cluster_that_stalls_is_given_up(void **state)
{
    (void)state;
    struct prober prober = {0};
    usec now = USEC_PER_SEC;
    prober_init(&prober);
    prober_plan(&prober, 900000, now);
    prober_sent(&prober, prober_current(&prober, now), BYTES, now);
    assert_non_null(prober_current(&prober, now + 100 * MS));
    assert_null(prober_current(&prober, now + 700 * MS));
}

static void test_what_is_planned_is_bounded_and_can_be_cancelled(void **state)
{
    (void)state;
    struct prober prober = {0};
    prober_init(&prober);
    for (unsigned i = 0; i < 100; i++) {
        prober_plan(&prober, 100000.0 * i, 0);
    }
    assert_in_range(prober_current(&prober, 0)->rate, 0, 0);
    prober_cancel(&prober);
    assert_null(prober_current(&prober, 0));
    prober_arrived(&prober, 0, 0, 0, 100);
    prober_arrived(&prober, 77, 0, 0, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_probe_that_is_not_held_up_confirms_its_rate),
        cmocka_unit_test(test_a_probe_that_is_held_up_tells_the_capacity),
        cmocka_unit_test(test_a_probe_of_which_too_much_is_lost_says_nothing),
        cmocka_unit_test(test_a_cluster_that_stalls_is_given_up),
        cmocka_unit_test(test_what_is_planned_is_bounded_and_can_be_cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
