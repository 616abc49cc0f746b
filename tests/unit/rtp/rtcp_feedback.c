#include "rtp/rtcp_feedback.h"

#include "rtp/bytes.h"
#include "rtp/rtcp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define OURS   0x11111111
#define THEIRS 0x22222222
#define TICK   250

/* The only message of these bytes; false if it is refused. */
static bool read_one(struct rtcp_message *message, const uint8_t *bytes, size_t size)
{
    struct rtcp_reader reader;
    return rtcp_open(&reader, bytes, size) && rtcp_next(&reader, message);
}

static void test_a_nack_asks_for_what_was_missed(void **state)
{
    (void)state;
    static const uint16_t missed[] = {65530, 65535, 0, 10, 11, 28, 500};
    uint16_t asked[20];
    uint8_t bytes[64];
    struct rtcp_message message = {0};
    size_t size = rtcp_write_nack(bytes, sizeof bytes, OURS, THEIRS, missed, 7);
    assert_int_equal(size, 12 + 4 * 4); /* 28 is the first beyond 11 + 16 */
    assert_true(read_one(&message, bytes, size));
    assert_int_equal(message.type, RTCP_TRANSPORT_FEEDBACK);
    assert_int_equal(message.ssrc, OURS);
    assert_int_equal(message.feedback.kind, FEEDBACK_NACK);
    assert_int_equal(message.feedback.media_ssrc, THEIRS);
    assert_int_equal(feedback_nack(&message.feedback, asked, 20), 7);
    assert_memory_equal(asked, missed, sizeof missed);
    assert_int_equal(feedback_nack(&message.feedback, asked, 3), 3);
    assert_int_equal(rtcp_write_nack(bytes, 27, OURS, THEIRS, missed, 7), 0);
    assert_int_equal(rtcp_write_nack(bytes, sizeof bytes, OURS, THEIRS, missed, 0), 0);
}

static void test_a_nack_has_the_bytes_of_its_specification(void **state)
{
    (void)state;
    static const uint16_t missed[] = {100, 101, 116};
    static const uint8_t expected[] = {0x81, 205,  0,    3,    0x11, 0x11, 0x11, 0x11,
                                       0x22, 0x22, 0x22, 0x22, 0,    100,  0x80, 0x01};
    uint8_t bytes[32];
    assert_int_equal(rtcp_write_nack(bytes, sizeof bytes, OURS, THEIRS, missed, 3), 16);
    assert_memory_equal(bytes, expected, sizeof expected);
}

static void test_key_frames_are_asked_for_by_pli_and_fir(void **state)
{
    (void)state;
    uint8_t bytes[64];
    uint8_t request = 0;
    struct rtcp_message message = {0};
    size_t size = rtcp_write_pli(bytes, sizeof bytes, OURS, THEIRS);
    assert_true(read_one(&message, bytes, size));
    assert_int_equal(message.type, RTCP_PAYLOAD_FEEDBACK);
    assert_int_equal(message.feedback.kind, FEEDBACK_PLI);
    assert_int_equal(message.feedback.media_ssrc, THEIRS);
    size = rtcp_write_fir(bytes, sizeof bytes, OURS, THEIRS, 200);
    assert_true(read_one(&message, bytes, size));
    assert_int_equal(message.feedback.kind, FEEDBACK_FIR);
    assert_true(feedback_fir(&message.feedback, THEIRS, &request));
    assert_int_equal(request, 200);
    assert_false(feedback_fir(&message.feedback, OURS, &request));
    assert_int_equal(rtcp_write_pli(bytes, 11, OURS, THEIRS), 0);
    assert_int_equal(rtcp_write_fir(bytes, 19, OURS, THEIRS, 0), 0);
}

static void test_remb_tells_a_rate_and_its_streams(void **state)
{
    (void)state;
    static const uint32_t streams[] = {5, 6};
    uint32_t read[4];
    uint8_t bytes[64];
    struct rtcp_message message = {0};
    size_t size = rtcp_write_remb(bytes, sizeof bytes, OURS, 50000, streams, 2);
    assert_true(read_one(&message, bytes, size));
    assert_int_equal(message.feedback.kind, FEEDBACK_REMB);
    assert_int_equal(message.feedback.bitrate, 50000);
    assert_int_equal(feedback_remb(&message.feedback, read, 4), 2);
    assert_int_equal(read[1], 6);
    size = rtcp_write_remb(bytes, sizeof bytes, OURS, 3000001, NULL, 0);
    assert_true(read_one(&message, bytes, size));
    assert_in_range(message.feedback.bitrate, 2999980, 3000001);
}

static void test_a_rate_beyond_all_measure_is_the_highest(void **state)
{
    (void)state;
    uint8_t bytes[64];
    struct rtcp_message message = {0};
    size_t size = rtcp_write_remb(bytes, sizeof bytes, OURS, 1, NULL, 0);
    bytes[17] = 0xff; /* 2^63 times 0x3ffff */
    bytes[18] = bytes[19] = 0xff;
    assert_true(read_one(&message, bytes, size));
    assert_true(message.feedback.bitrate == FEEDBACK_REMB_HIGHEST);
}

static void test_feedback_whose_counts_do_not_add_up_is_refused(void **state)
{
    (void)state;
    struct rtcp_message message = {0};
    static const uint8_t nack_without[] = {0x81, 205, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2};
    static const uint8_t pli_with[] = {0x81, 206, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0};
    static const uint8_t fir_half[] = {0x84, 206, 0, 3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2};
    static const uint8_t remb_short[] = {0x8f, 206, 0,   4,   0,   0,   0, 1, 0, 0,
                                         0,    0,   'R', 'E', 'M', 'B', 1, 0, 0, 9};
    static const uint8_t other[] = {0x8f, 206, 0,   4,   0,   0,   0, 1, 0, 0,
                                    0,    0,   'X', 'E', 'M', 'B', 0, 0, 0, 9};
    static const uint8_t no_source[] = {0x81, 206, 0, 1, 0, 0, 0, 1};
    assert_false(read_one(&message, nack_without, sizeof nack_without));
    assert_false(read_one(&message, pli_with, sizeof pli_with));
    assert_false(read_one(&message, fir_half, sizeof fir_half));
    assert_false(read_one(&message, remb_short, sizeof remb_short));
    assert_false(read_one(&message, other, sizeof other));
    assert_false(read_one(&message, no_source, sizeof no_source));
}

/* --- transport-wide feedback -- */

/* Writes these arrivals and compares what is read back; returns the size of the message. */
static size_t round_trip(const struct transport_arrivals *arrivals)
{
    static uint8_t bytes[4096];
    size_t written = 0;
    size_t size = rtcp_write_transport(bytes, sizeof bytes, OURS, THEIRS, arrivals, &written);
    assert_int_not_equal(size, 0);
    assert_int_equal(written, arrivals->count);
    struct rtcp_message message = {0};
    assert_true(read_one(&message, bytes, size));
    assert_int_equal(message.feedback.kind, FEEDBACK_TRANSPORT);
    struct transport_reader reader;
    struct transport_status status;
    transport_reader_open(&reader, &message.feedback);
    assert_int_equal(reader.number, arrivals->number);
    for (size_t i = 0; i < written; i++) {
        assert_true(transport_reader_next(&reader, &status));
        assert_int_equal(status.sequence, (uint16_t)(arrivals->base + i));
        usec arrival = arrivals->arrivals[i];
        assert_int_equal(status.arrived, arrival != USEC_NEVER);
        if (status.arrived) {
            assert_int_equal(status.arrival, arrival / TICK * TICK % TRANSPORT_TIME_WRAP);
        }
    }
    assert_false(transport_reader_next(&reader, &status));
    return size;
}

static void test_every_pattern_of_arrivals_comes_back(void **state)
{
    (void)state;
    uint32_t random = 1;
    for (unsigned round = 0; round < 3000; round++) {
        usec arrivals[300];
        size_t count = 1 + round % 300;
        usec time = 1000000 + (usec)round * 77777;
        unsigned missing = round % 7; /* of 8 */
        for (size_t i = 0; i < count; i++) {
            random = random * 1664525 + 1013904223;
            unsigned chance = random >> 24;
            bool late = (random >> 8 & 0xff) < round % 40;
            time += late ? (usec)(random & 0xfffff) - 0x7ffff : (usec)chance * 100;
            time = time < 0 ? 0 : time;
            arrivals[i] = i > 0 && chance % 8 < missing ? USEC_NEVER : time;
        }
        round_trip(&(struct transport_arrivals){.base = (uint16_t)(65500 + round),
                                                .number = (uint8_t)round,
                                                .arrivals = arrivals,
                                                .count = count});
    }
}

static void test_arrivals_in_time_cost_little_more_than_a_byte(void **state)
{
    (void)state;
    usec arrivals[1000];
    for (size_t i = 0; i < 1000; i++) {
        arrivals[i] = 5000000 + (usec)i * 1000;
    }
    size_t size = round_trip(&(struct transport_arrivals){.arrivals = arrivals, .count = 1000});
    assert_int_equal(size, 20 + 2 + 1000 + 2);
}

static void test_the_reference_time_wraps_around(void **state)
{
    (void)state;
    usec arrivals[] = {TRANSPORT_TIME_WRAP - 500, TRANSPORT_TIME_WRAP + 500};
    round_trip(&(struct transport_arrivals){.base = 65535, .arrivals = arrivals, .count = 2});
    assert_int_equal(transport_time_between(TRANSPORT_TIME_WRAP - 500, 500), 1000);
    assert_int_equal(transport_time_between(500, TRANSPORT_TIME_WRAP - 500), -1000);
}

static void test_a_gap_too_long_for_a_delta_ends_the_message(void **state)
{
    (void)state;
    usec arrivals[] = {1000000, 1010000, USEC_NEVER, 9900000};
    uint8_t bytes[64];
    size_t written;
    struct transport_arrivals told = {.arrivals = arrivals, .count = 4};
    assert_int_not_equal(rtcp_write_transport(bytes, sizeof bytes, OURS, THEIRS, &told, &written),
                         0);
    assert_int_equal(written, 3);
}

static void test_what_does_not_fit_waits_for_the_next_message(void **state)
{
    (void)state;
    usec arrivals[200];
    uint8_t bytes[100];
    size_t written;
    for (size_t i = 0; i < 200; i++) {
        arrivals[i] = 1000000 + (usec)i * 100000; /* all of them large */
    }
    struct transport_arrivals told = {.arrivals = arrivals, .count = 200};
    for (size_t capacity = 0; capacity < sizeof bytes; capacity++) {
        size_t size = rtcp_write_transport(bytes, capacity, OURS, THEIRS, &told, &written);
        assert_in_range(size, 0, capacity);
        assert_int_equal(size > 0, written > 0);
        struct rtcp_message message = {0};
        assert_true(size == 0 || read_one(&message, bytes, size));
    }
    assert_in_range(written, 20, 40);
}

/* The smallest valid message, to be spoiled. */
static const uint8_t one_packet[] = {0x8f, 205, 0, 5, 0, 0, 0, 1, 0,    0, 0,   2,
                                     0,    9,   0, 1, 0, 0, 1, 7, 0x20, 1, 200, 0};

static void test_one_packet_is_read_from_its_bytes(void **state)
{
    (void)state;
    struct rtcp_message message = {0};
    struct transport_reader reader;
    struct transport_status status;
    assert_true(read_one(&message, one_packet, sizeof one_packet));
    transport_reader_open(&reader, &message.feedback);
    assert_int_equal(reader.number, 7);
    assert_true(transport_reader_next(&reader, &status));
    assert_int_equal(status.sequence, 9);
    assert_int_equal(status.arrival, 64000 + 200 * TICK);
    assert_false(transport_reader_next(&reader, &status));
}

static void test_chunks_and_deltas_must_be_there(void **state)
{
    (void)state;
    struct rtcp_message message = {0};
    uint8_t bytes[sizeof one_packet];
    static const struct {
        size_t at;
        uint8_t value;
        const char *why;
    } spoiled[] = {
        {15, 0, "no packets"},
        {14, 0xff, "more packets than chunks"},
        {15, 4, "more packets than the run has"},
        {20, 0x60, "a reserved symbol"},
        {21, 0, "an empty run"},
    };
    for (size_t i = 0; i < sizeof spoiled / sizeof *spoiled; i++) {
        memcpy(bytes, one_packet, sizeof bytes);
        bytes[spoiled[i].at] = spoiled[i].value;
        assert_false(read_one(&message, bytes, sizeof bytes));
    }
    memcpy(bytes, one_packet, sizeof bytes);
    bytes[20] = 0x40; /* large: its two bytes are there */
    assert_true(read_one(&message, bytes, sizeof bytes));
    bytes[15] = 2;
    bytes[21] = 2; /* two large ones: they are not */
    assert_false(read_one(&message, bytes, sizeof bytes));
}

static void test_more_packets_than_can_be_under_way_are_refused(void **state)
{
    (void)state;
    uint8_t bytes[36] = {0x8f, 205, 0, 8, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0xff, 0xff, 0, 0, 1, 0};
    for (size_t at = 20; at < sizeof bytes; at += 2) {
        write_u16(bytes + at, 0x1fff); /* runs of missing packets: a little costs us much */
    }
    struct rtcp_message message = {0};
    assert_false(read_one(&message, bytes, sizeof bytes));
    write_u16(bytes + 14, FEEDBACK_STATUS_MAX);
    assert_true(read_one(&message, bytes, sizeof bytes));
}

static void test_a_compound_head_is_a_report_and_a_name(void **state)
{
    (void)state;
    uint8_t bytes[100];
    struct rtcp_reader reader;
    struct rtcp_message message = {0};
    size_t size = rtcp_write_compound_head(bytes, sizeof bytes, OURS, "me");
    size += rtcp_write_pli(bytes + size, sizeof bytes - size, OURS, THEIRS);
    assert_true(rtcp_open(&reader, bytes, size));
    assert_true(rtcp_next(&reader, &message));
    assert_int_equal(message.type, RTCP_RECEIVER_REPORT);
    assert_int_equal(message.block_count, 0);
    assert_true(rtcp_next(&reader, &message));
    assert_int_equal(message.type, RTCP_SOURCE_DESCRIPTION);
    assert_true(rtcp_next(&reader, &message));
    assert_int_equal(message.type, RTCP_PAYLOAD_FEEDBACK);
    assert_int_equal(rtcp_write_compound_head(bytes, 10, OURS, "me"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_nack_asks_for_what_was_missed),
        cmocka_unit_test(test_a_nack_has_the_bytes_of_its_specification),
        cmocka_unit_test(test_key_frames_are_asked_for_by_pli_and_fir),
        cmocka_unit_test(test_remb_tells_a_rate_and_its_streams),
        cmocka_unit_test(test_a_rate_beyond_all_measure_is_the_highest),
        cmocka_unit_test(test_feedback_whose_counts_do_not_add_up_is_refused),
        cmocka_unit_test(test_every_pattern_of_arrivals_comes_back),
        cmocka_unit_test(test_arrivals_in_time_cost_little_more_than_a_byte),
        cmocka_unit_test(test_the_reference_time_wraps_around),
        cmocka_unit_test(test_a_gap_too_long_for_a_delta_ends_the_message),
        cmocka_unit_test(test_what_does_not_fit_waits_for_the_next_message),
        cmocka_unit_test(test_one_packet_is_read_from_its_bytes),
        cmocka_unit_test(test_chunks_and_deltas_must_be_there),
        cmocka_unit_test(test_more_packets_than_can_be_under_way_are_refused),
        cmocka_unit_test(test_a_compound_head_is_a_report_and_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
