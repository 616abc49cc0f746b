#include "rtp/key_frame_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define RTT   (40 * USEC_PER_MS)
#define START (10 * USEC_PER_SEC)

static unsigned ask_for(struct key_frame_request *request, usec from, usec end, usec round_trip)
{
    unsigned asked = 0;
    for (usec now = from; now < end; now += 5 * USEC_PER_MS) {
        key_frame_request_want(request);
        asked += key_frame_request_due(request, round_trip, now);
    }
    return asked;
}

static void test_it_asks_at_once_and_then_ever_more_seldom(void **state)
{
    (void)state;
    struct key_frame_request request = {0};
    assert_false(key_frame_request_due(&request, RTT, START));
    assert_int_equal(ask_for(&request, START, START + USEC_PER_SEC, RTT), 3); /* 0, 0.2, 0.6 */
    assert_in_range(ask_for(&request, START + USEC_PER_SEC, START + 21 * USEC_PER_SEC, RTT), 10,
                    12);
}

static void test_it_waits_for_a_long_round_trip(void **state)
{
    (void)state;
    struct key_frame_request request = {0};
    assert_int_equal(ask_for(&request, START, START + 890 * USEC_PER_MS, 600 * USEC_PER_MS), 1);
}

static void test_a_key_frame_that_is_no_good_does_not_quicken_it(void **state)
{
    (void)state;
    struct key_frame_request request = {0};
    unsigned asked = 0;
    for (usec now = START; now < START + 20 * USEC_PER_SEC; now += 5 * USEC_PER_MS) {
        key_frame_request_want(&request);
        if (key_frame_request_due(&request, RTT, now)) {
            asked++;
            key_frame_request_came(&request); /* and it was broken, too */
        }
    }
    assert_in_range(asked, 10, 15);
}

static void test_after_a_good_one_it_asks_at_once_again(void **state)
{
    (void)state;
    struct key_frame_request request = {0};
    ask_for(&request, START, START + 10 * USEC_PER_SEC, RTT);
    key_frame_request_came(&request);
    key_frame_request_good(&request);
    assert_int_equal(key_frame_request_deadline(&request), USEC_NEVER);
    key_frame_request_want(&request);
    assert_true(key_frame_request_due(&request, RTT, START + 20 * USEC_PER_SEC));
    key_frame_request_want(&request);
    assert_true(
        key_frame_request_due(&request, RTT, START + 20 * USEC_PER_SEC + KEY_FRAME_REQUEST_LEAST));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_asks_at_once_and_then_ever_more_seldom),
        cmocka_unit_test(test_it_waits_for_a_long_round_trip),
        cmocka_unit_test(test_a_key_frame_that_is_no_good_does_not_quicken_it),
        cmocka_unit_test(test_after_a_good_one_it_asks_at_once_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
