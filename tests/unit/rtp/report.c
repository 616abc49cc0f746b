#include "rtp/report.h"

#include "rtp/packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define WALL (INT64_C(1700000000) * USEC_PER_SEC)

static void fill(void *user, void *out, size_t bytes)
{
    uint32_t *state = user;
    uint8_t *at = out;
    for (size_t i = 0; i < bytes; i++) {
        *state = *state * 1664525 + 1013904223;
        at[i] = (uint8_t)(*state >> 24);
    }
}

static uint32_t seed = 1;
static const struct random_source chance = {.fill = fill, .user = &seed};

struct party {
    struct send_stream sent;
    struct receive_stream received;
    struct report report;
};

static void party_init(struct party *party, uint32_t ssrc, usec wall_offset)
{
    memset(party, 0, sizeof *party);
    send_stream_init(&party->sent, ssrc, 48000, &chance);
    report_init(&party->report, "name", wall_offset);
}

static void send_packet(struct party *from, struct party *to)
{
    struct packet packet = {.ssrc = from->sent.ssrc, .sequence = from->sent.sequence};
    send_stream_sent(&from->sent, 12, 80);
    if (to) {
        receive_stream_packet(&to->received, &packet, 92);
    }
}

static void report_to(struct party *from, struct party *to, usec sent, usec arrived)
{
    uint8_t bytes[REPORT_BYTES_MAX];
    struct rtcp_reader reader;
    struct rtcp_message message;
    size_t size = report_write(&from->report, &from->sent, &from->received, &chance, false, sent,
                               bytes, sizeof bytes);
    assert_true(rtcp_open(&reader, bytes, size));
    while (rtcp_next(&reader, &message)) {
        if (message.type == RTCP_SENDER_REPORT || message.type == RTCP_RECEIVER_REPORT) {
            report_receive(&to->report, &message, to->sent.ssrc, arrived);
        }
    }
}

static void test_the_round_trip_leaves_out_the_peers_pause(void **state)
{
    (void)state;
    struct party a, b;
    party_init(&a, 1, WALL);
    party_init(&b, 2, WALL + 5000 * USEC_PER_SEC); /* its clock is wrong */
    send_packet(&a, &b);
    send_packet(&b, &a);
    usec now = 10 * USEC_PER_SEC;
    assert_int_equal(a.report.round_trip, -1);
    report_to(&a, &b, now, now + 40 * USEC_PER_MS);
    report_to(&b, &a, now + 1500 * USEC_PER_MS, now + 1560 * USEC_PER_MS);
    assert_in_range(a.report.round_trip, 99900, 100100);
}

static void test_loss_arrives_with_its_fraction(void **state)
{
    (void)state;
    struct party a, b;
    party_init(&a, 1, WALL);
    party_init(&b, 2, WALL);
    for (int i = 0; i < 101; i++) {
        send_packet(&a, i % 4 == 1 ? NULL : &b);
    }
    report_to(&b, &a, USEC_PER_SEC, USEC_PER_SEC);
    assert_int_equal(report_lost(&a.report), 25);
    assert_in_range(a.report.fraction_lost, 62, 64);
}

static void test_only_who_sent_writes_a_sender_report(void **state)
{
    (void)state;
    struct party a;
    uint8_t bytes[REPORT_BYTES_MAX];
    party_init(&a, 1, WALL);
    report_write(&a.report, &a.sent, &a.received, &chance, false, 1, bytes, sizeof bytes);
    assert_int_equal(bytes[1], RTCP_RECEIVER_REPORT);
    send_packet(&a, NULL);
    report_write(&a.report, &a.sent, &a.received, &chance, false, 2, bytes, sizeof bytes);
    assert_int_equal(bytes[1], RTCP_SENDER_REPORT);
    report_write(&a.report, &a.sent, &a.received, &chance, false, 3, bytes, sizeof bytes);
    assert_int_equal(bytes[1], RTCP_RECEIVER_REPORT);
}

static void test_the_sender_report_maps_time_stamps_to_the_wall_clock(void **state)
{
    (void)state;
    struct party a;
    struct rtcp_sender first, second;
    party_init(&a, 1, WALL);
    send_stream_advance(&a.sent, 960, 5 * USEC_PER_SEC);
    send_stream_report(&a.sent, 5 * USEC_PER_SEC, WALL, &first);
    send_stream_report(&a.sent, 7 * USEC_PER_SEC, WALL + 2 * USEC_PER_SEC, &second);
    assert_int_equal(second.timestamp - first.timestamp, 2 * 48000);
    assert_true(second.ntp - first.ntp == UINT64_C(2) << 32);
    assert_int_equal(first.ntp >> 32, 1700000000 + 2208988800);
}

static void test_reports_leave_at_a_changing_interval_of_about_two_seconds(void **state)
{
    (void)state;
    struct party a;
    uint8_t bytes[REPORT_BYTES_MAX];
    party_init(&a, 1, WALL);
    usec now = USEC_PER_SEC;
    assert_in_range(report_deadline(&a.report, &chance, now) - now, USEC_PER_SEC / 2,
                    3 * USEC_PER_SEC / 2);
    usec shortest = USEC_NEVER;
    usec longest = 0;
    for (int i = 0; i < 1000; i++) {
        report_write(&a.report, &a.sent, &a.received, &chance, false, now, bytes, sizeof bytes);
        usec interval = report_deadline(&a.report, &chance, now) - now;
        shortest = interval < shortest ? interval : shortest;
        longest = interval > longest ? interval : longest;
        now += interval;
    }
    assert_in_range(shortest, USEC_PER_SEC, 1100 * USEC_PER_MS);
    assert_in_range(longest, 2900 * USEC_PER_MS, 3 * USEC_PER_SEC);
}

static void test_a_round_trip_that_cannot_be_is_not_believed(void **state)
{
    (void)state;
    struct report report;
    report_init(&report, "name", WALL);
    struct rtcp_message message = {.type = RTCP_RECEIVER_REPORT, .block_count = 1};
    message.blocks[0] = (struct rtcp_block){.ssrc = 1, .last_report = 1, .delay = 0};
    for (uint32_t i = 0; i < 64; i++) {
        message.blocks[0].last_report = 0x12345678U * (i + 1);
        message.blocks[0].delay = 0x9e3779b9U * i;
        report_receive(&report, &message, 1, USEC_PER_SEC);
        assert_true(report.round_trip <= 60 * USEC_PER_SEC);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_round_trip_leaves_out_the_peers_pause),
        cmocka_unit_test(test_loss_arrives_with_its_fraction),
        cmocka_unit_test(test_only_who_sent_writes_a_sender_report),
        cmocka_unit_test(test_the_sender_report_maps_time_stamps_to_the_wall_clock),
        cmocka_unit_test(test_reports_leave_at_a_changing_interval_of_about_two_seconds),
        cmocka_unit_test(test_a_round_trip_that_cannot_be_is_not_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
