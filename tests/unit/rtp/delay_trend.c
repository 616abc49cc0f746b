#include "rtp/delay_trend.h"

#include "rtp/arrival_groups.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SPACING (20 * USEC_PER_MS)

struct path {
    struct arrival_groups groups;
    struct delay_trend trend;
    usec now;
    usec delay;
};

static struct path path_new(void)
{
    struct path path = {.now = USEC_PER_SEC, .delay = 50 * USEC_PER_MS};
    delay_trend_init(&path.trend);
    return path;
}

/* A burst of two packets; the delay has grown by so much. */
static enum path_usage burst(struct path *path, usec growth)
{
    struct group_delta delta;
    path->now += SPACING;
    path->delay += growth;
    for (usec i = 0; i < 2; i++) {
        usec sent = path->now + i * USEC_PER_MS;
        /* the peer's clock is another one */
        if (arrival_groups_add(&path->groups, sent, sent + path->delay - 77777777, &delta)) {
            delay_trend_add(&path->trend, &delta);
        }
    }
    return path->trend.usage;
}

static void test_a_steady_delay_is_normal(void **state)
{
    (void)state;
    struct path path = path_new();
    for (unsigned i = 0; i < 300; i++) {
        assert_int_equal(burst(&path, 0), PATH_NORMAL);
    }
}

static void test_a_growing_delay_is_overuse_within_half_a_second(void **state)
{
    (void)state;
    struct path path = path_new();
    for (unsigned i = 0; i < 100; i++) {
        burst(&path, 0);
    }
    unsigned bursts = 0;
    while (burst(&path, 5 * USEC_PER_MS) != PATH_OVERUSED) {
        assert_in_range(++bursts, 1, 25);
    }
}

static void test_a_shrinking_delay_is_underuse(void **state)
{
    (void)state;
    struct path path = path_new();
    path.delay = USEC_PER_SEC;
    for (unsigned i = 0; i < 60; i++) {
        burst(&path, 0);
    }
    unsigned bursts = 0;
    while (burst(&path, -5 * USEC_PER_MS) != PATH_UNDERUSED) {
        assert_in_range(++bursts, 1, 25);
    }
}

static void test_little_jitter_is_normal(void **state)
{
    (void)state;
    struct path path = path_new();
    for (unsigned i = 0; i < 300; i++) {
        assert_int_equal(burst(&path, i % 2 ? 3 * USEC_PER_MS : -3 * USEC_PER_MS), PATH_NORMAL);
    }
}

static void test_a_burst_is_one_group_also_when_a_queue_pressed_it_together(void **state)
{
    (void)state;
    struct arrival_groups groups = {0};
    struct group_delta delta;
    assert_false(arrival_groups_add(&groups, 0, 100000, &delta));
    assert_false(arrival_groups_add(&groups, 10000, 101000, &delta)); /* right behind */
    assert_false(arrival_groups_add(&groups, 20000, 102000, &delta));
    assert_false(arrival_groups_add(&groups, 40000, 140000, &delta)); /* another one */
    assert_true(arrival_groups_add(&groups, 60000, 161000, &delta));
    assert_int_equal(delta.sent, 20000);
    assert_int_equal(delta.arrival, 38000);
}

static void test_packets_that_were_overtaken_say_nothing(void **state)
{
    (void)state;
    struct arrival_groups groups = {0};
    struct group_delta delta;
    arrival_groups_add(&groups, 0, 100000, &delta);
    arrival_groups_add(&groups, 20000, 120000, &delta);
    assert_false(arrival_groups_add(&groups, 1000, 150000, &delta));
    assert_true(arrival_groups_add(&groups, 40000, 140000, &delta));
    assert_int_equal(delta.arrival, 20000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_steady_delay_is_normal),
        cmocka_unit_test(test_a_growing_delay_is_overuse_within_half_a_second),
        cmocka_unit_test(test_a_shrinking_delay_is_underuse),
        cmocka_unit_test(test_little_jitter_is_normal),
        cmocka_unit_test(test_a_burst_is_one_group_also_when_a_queue_pressed_it_together),
        cmocka_unit_test(test_packets_that_were_overtaken_say_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
