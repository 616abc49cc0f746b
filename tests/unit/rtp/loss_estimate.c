#include "rtp/loss_estimate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static uint32_t chance;

static bool lost_by(double share)
{
    chance = chance * 1664525 + 1013904223;
    return (chance >> 8) / (double)(1 << 24) < share;
}

/* A second at this rate over a path that carries `bandwidth` and loses a share by chance. */
static void send(struct loss_estimate *estimate, usec *now, double rate, double bandwidth,
                 double share)
{
    double excess = rate > bandwidth ? 1 - bandwidth / rate : 0;
    double lost = share + (1 - share) * excess;
    usec spacing = (usec)(1000 * 8 * USEC_PER_SEC / rate);
    for (usec end = *now + USEC_PER_SEC; *now < end; *now += spacing) {
        loss_estimate_add(estimate, *now, 1000, lost_by(lost));
        loss_estimate_update(estimate);
    }
}

static void test_random_loss_sets_no_limit(void **state)
{
    (void)state;
    for (unsigned percent = 0; percent <= 8; percent++) {
        struct loss_estimate estimate = {0};
        usec now = USEC_PER_SEC;
        unsigned limited = 0;
        for (unsigned i = 0; i < 60; i++) {
            send(&estimate, &now, 1000000 + 20000 * (i % 10), 1e9, percent / 100.0);
            limited += estimate.limit > 0;
        }
        assert_in_range(limited, 0, 3);
        assert_in_range(estimate.share * 1000, percent > 2 ? percent * 4 : 0, percent * 18);
    }
}

static void test_loss_that_comes_with_the_rate_sets_the_limit(void **state)
{
    (void)state;
    struct loss_estimate estimate = {0};
    usec now = USEC_PER_SEC;
    for (unsigned i = 0; i < 3; i++) {
        send(&estimate, &now, 800000, 1000000, 0);
    }
    assert_true(estimate.limit == 0);
    for (unsigned i = 0; i < 3; i++) {
        send(&estimate, &now, 1500000, 1000000, 0);
    }
    assert_in_range(estimate.limit, 850000, 1150000);
}

static void test_both_kinds_of_loss_are_told_apart(void **state)
{
    (void)state;
    struct loss_estimate estimate = {0};
    usec now = USEC_PER_SEC;
    for (unsigned i = 0; i < 3; i++) {
        send(&estimate, &now, 800000, 1000000, 0.05);
        send(&estimate, &now, 1600000, 1000000, 0.05);
    }
    assert_in_range(estimate.limit, 850000, 1150000);
    assert_in_range(estimate.inherent * 1000, 19, 71);
}

static void test_high_loss_that_a_lower_rate_has_too_limits_no_more(void **state)
{
    (void)state;
    struct loss_estimate estimate = {0};
    usec now = USEC_PER_SEC;
    send(&estimate, &now, 1500000, 1e9, 0.2);
    for (unsigned i = 0; i < 5; i++) {
        send(&estimate, &now, 700000, 1e9, 0.2);
    }
    assert_true(estimate.limit == 0);
}

static void test_an_outage_is_no_bandwidth(void **state)
{
    (void)state;
    struct loss_estimate estimate = {0};
    usec now = USEC_PER_SEC;
    send(&estimate, &now, 1000000, 1e9, 0);
    send(&estimate, &now, 1000000, 1e9, 1);
    send(&estimate, &now, 1000000, 1e9, 0);
    assert_true(estimate.limit == 0);
    assert_true(estimate.share > 0.1);
}

static void test_what_comes_late_was_not_lost(void **state)
{
    (void)state;
    struct loss_estimate estimate = {0};
    loss_estimate_arrived_late(&estimate); /* of before its time */
    for (usec i = 1; i <= 40; i++) {
        loss_estimate_add(&estimate, i * 10000, 1000, true);
        loss_estimate_arrived_late(&estimate);
    }
    loss_estimate_update(&estimate);
    assert_int_equal(estimate.count, 1);
    assert_int_equal(estimate.seen[0].lost, 0);
}

static int set_up(void **state)
{
    (void)state;
    chance = 1;
    return 0;
}

#define TEST(f) cmocka_unit_test_setup(f, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_random_loss_sets_no_limit),
        TEST(test_loss_that_comes_with_the_rate_sets_the_limit),
        TEST(test_both_kinds_of_loss_are_told_apart),
        TEST(test_high_loss_that_a_lower_rate_has_too_limits_no_more),
        TEST(test_an_outage_is_no_bandwidth),
        TEST(test_what_comes_late_was_not_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
