#include "rtp/key_frame_pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define RTT   (100 * USEC_PER_MS)
#define START (10 * USEC_PER_SEC)

static void test_the_first_request_is_passed_on_at_once(void **state)
{
    (void)state;
    struct key_frame_pace pace = {0};
    assert_false(key_frame_pace_due(&pace, START));
    assert_int_equal(key_frame_pace_deadline(&pace), USEC_NEVER);
    key_frame_pace_request(&pace, RTT, START);
    assert_true(key_frame_pace_due(&pace, START));
    assert_false(key_frame_pace_due(&pace, START + RTT));
}

static void test_the_encoder_is_told_again_until_a_key_frame_comes(void **state)
{
    (void)state;
    struct key_frame_pace pace = {0};
    key_frame_pace_need(&pace);
    assert_true(key_frame_pace_due(&pace, START));
    assert_true(key_frame_pace_due(&pace, START + USEC_PER_SEC));
    key_frame_pace_sent(&pace, 1000, 1000000, START + USEC_PER_SEC);
    assert_false(key_frame_pace_due(&pace, START + 5 * USEC_PER_SEC));
}

static void test_what_was_asked_before_the_last_one_came_is_answered(void **state)
{
    (void)state;
    struct key_frame_pace pace = {0};
    key_frame_pace_sent(&pace, 1000, 1000000, START);
    key_frame_pace_request(&pace, RTT, START + RTT / 2);
    assert_int_equal(key_frame_pace_deadline(&pace), USEC_NEVER);
}

static void test_requests_in_a_row_make_no_more_than_three_a_second(void **state)
{
    (void)state;
    struct key_frame_pace pace = {0};
    unsigned told = 0;
    for (usec now = START; now < START + 10 * USEC_PER_SEC; now += 10 * USEC_PER_MS) {
        key_frame_pace_request(&pace, RTT, now);
        if (key_frame_pace_due(&pace, now)) {
            told++;
            key_frame_pace_sent(&pace, 1000, 10000000, now);
        }
    }
    assert_in_range(told, 30, 34);
}

static void test_at_a_low_rate_key_frames_are_rare(void **state)
{
    (void)state;
    struct key_frame_pace pace = {0};
    unsigned told = 0;
    for (usec now = START; now < START + 60 * USEC_PER_SEC; now += 10 * USEC_PER_MS) {
        key_frame_pace_request(&pace, RTT, now);
        if (key_frame_pace_due(&pace, now)) {
            told++;
            key_frame_pace_sent(&pace, 5000, 50000, now); /* 0.8 s of the rate */
        }
    }
    assert_in_range(told, 20, 26);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_request_is_passed_on_at_once),
        cmocka_unit_test(test_the_encoder_is_told_again_until_a_key_frame_comes),
        cmocka_unit_test(test_what_was_asked_before_the_last_one_came_is_answered),
        cmocka_unit_test(test_requests_in_a_row_make_no_more_than_three_a_second),
        cmocka_unit_test(test_at_a_low_rate_key_frames_are_rare),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
