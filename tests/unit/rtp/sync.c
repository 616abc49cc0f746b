#include "rtp/sync.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rtp/ntp.h"

#define RATE 90000

static struct rtcp_sender report(usec wall, uint32_t timestamp)
{
    return (struct rtcp_sender){.ntp = ntp_from_wall(wall), .timestamp = timestamp};
}

static void test_time_stamps_of_two_streams_meet_on_the_peers_clock(void **state)
{
    (void)state;
    struct sync_clock voice = {0};
    struct sync_clock video = {0};
    usec wall = INT64_C(1700000000) * USEC_PER_SEC;
    struct rtcp_sender from_voice = report(wall, 1000);
    struct rtcp_sender from_video = report(wall + 3 * USEC_PER_SEC, 0xfffffff0);
    sync_clock_report(&voice, 1, &from_voice);
    sync_clock_report(&video, 2, &from_video);
    usec of_voice;
    usec of_video;
    assert_true(sync_clock_moment(&voice, 1, 1000 + 48000, 48000, &of_voice));
    assert_true(sync_clock_moment(&video, 2, 0xfffffff0 - 2 * RATE, RATE, &of_video));
    assert_in_range(of_voice - of_video + 5, 0, 10);
    /* over the wrap of the time stamps */
    assert_true(sync_clock_moment(&video, 2, 0xfffffff0 + RATE, RATE, &of_video));
    assert_in_range(of_video - of_voice - 3 * USEC_PER_SEC + 5, 0, 10);
}

static void test_nothing_is_known_of_another_source_or_without_a_clock(void **state)
{
    (void)state;
    struct sync_clock clock = {0};
    struct rtcp_sender sender = {.ntp = 0, .timestamp = 5};
    usec moment;
    sync_clock_report(&clock, 1, &sender);
    assert_false(sync_clock_moment(&clock, 1, 5, RATE, &moment));
    sender = report(USEC_PER_SEC, 5);
    sync_clock_report(&clock, 1, &sender);
    assert_true(sync_clock_moment(&clock, 1, 5, RATE, &moment));
    assert_false(sync_clock_moment(&clock, 2, 5, RATE, &moment));
    assert_false(sync_clock_moment(&clock, 1, 5, 0, &moment));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_time_stamps_of_two_streams_meet_on_the_peers_clock),
        cmocka_unit_test(test_nothing_is_known_of_another_source_or_without_a_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
