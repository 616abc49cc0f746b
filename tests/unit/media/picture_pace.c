#include "media/picture_pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* How many of the pictures that come so often in ten seconds are taken. */
static int taken(uint32_t come, uint32_t rate, usec jitter)
{
    struct picture_pace pace;
    int count = 0;
    picture_pace_start(&pace);
    for (uint32_t i = 0; i < 10 * come; i++) {
        usec late = i % 3 == 1 ? jitter : 0;
        count += picture_pace_takes(&pace, 5000000 + i * USEC_PER_SEC / come + late, rate);
    }
    return count;
}

static void test_all_are_taken_at_their_own_rate(void **state)
{
    (void)state;
    assert_int_equal(taken(30, 30, 0), 300);
    assert_int_equal(taken(30, 30, 9000), 300);
    assert_int_equal(taken(25, 30, 0), 250);
}

static void test_the_mean_is_kept(void **state)
{
    (void)state;
    assert_in_range(taken(30, 15, 9000), 149, 152);
    assert_in_range(taken(30, 20, 0), 199, 202);
    assert_in_range(taken(60, 7, 5000), 69, 72);
    assert_in_range(taken(1000, 30, 0), 299, 302);
}

static void test_no_rate_takes_none(void **state)
{
    (void)state;
    assert_int_equal(taken(30, 0, 0), 0);
}

static void test_another_idea_of_time_is_followed(void **state)
{
    struct picture_pace pace;
    (void)state;
    picture_pace_start(&pace);
    assert_true(picture_pace_takes(&pace, 100 * USEC_PER_SEC, 30));
    assert_true(picture_pace_takes(&pace, 1 * USEC_PER_SEC, 30));
    assert_false(picture_pace_takes(&pace, 1 * USEC_PER_SEC + 5000, 30));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_are_taken_at_their_own_rate),
        cmocka_unit_test(test_the_mean_is_kept),
        cmocka_unit_test(test_no_rate_takes_none),
        cmocka_unit_test(test_another_idea_of_time_is_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
