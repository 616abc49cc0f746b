#include "rtp/rtcp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_a_compound_packet_comes_back_as_it_was_written(void **state)
{
    (void)state;
    struct rtcp_sender sender = {
        .ntp = UINT64_C(0x0102030405060708), .timestamp = 99, .packets = 5, .bytes = 600};
    struct rtcp_block block = {.ssrc = 7,
                               .fraction_lost = 25,
                               .lost = -3,
                               .highest_sequence = 0x10005,
                               .jitter = 480,
                               .last_report = 0x03040506,
                               .delay = 65536};
    uint8_t bytes[200];
    size_t size = rtcp_write_report(bytes, sizeof bytes, 1, &sender, &block, 1);
    size += rtcp_write_cname(bytes + size, sizeof bytes - size, 1, "abc");
    size += rtcp_write_bye(bytes + size, sizeof bytes - size, 1);

    struct rtcp_reader reader;
    struct rtcp_message message;
    assert_true(rtcp_open(&reader, bytes, size));
    assert_true(rtcp_next(&reader, &message));
    assert_int_equal(message.type, RTCP_SENDER_REPORT);
    assert_int_equal(message.ssrc, 1);
    assert_true(message.sender.ntp == sender.ntp);
    assert_int_equal(message.sender.timestamp, 99);
    assert_int_equal(message.sender.packets, 5);
    assert_int_equal(message.sender.bytes, 600);
    assert_int_equal(message.block_count, 1);
    const struct rtcp_block *read = &message.blocks[0];
    assert_int_equal(read->ssrc, block.ssrc);
    assert_int_equal(read->fraction_lost, block.fraction_lost);
    assert_int_equal(read->lost, block.lost);
    assert_int_equal(read->highest_sequence, block.highest_sequence);
    assert_int_equal(read->jitter, block.jitter);
    assert_int_equal(read->last_report, block.last_report);
    assert_int_equal(read->delay, block.delay);
    assert_true(rtcp_next(&reader, &message));
    assert_int_equal(message.type, RTCP_SOURCE_DESCRIPTION);
    assert_int_equal(message.cname_bytes, 3);
    assert_memory_equal(message.cname, "abc", 3);
    assert_true(rtcp_next(&reader, &message));
    assert_int_equal(message.type, RTCP_BYE);
    assert_int_equal(message.source_count, 1);
    assert_int_equal(message.sources[0], 1);
    assert_false(rtcp_next(&reader, &message));
}

static void test_a_name_of_any_length_fills_whole_words(void **state)
{
    (void)state;
    char name[300] = "";
    for (size_t length = 0; length < sizeof name - 1; length++) {
        uint8_t bytes[400];
        struct rtcp_reader reader;
        struct rtcp_message message;
        size_t size = rtcp_write_cname(bytes, sizeof bytes, 4, name);
        assert_int_equal(size % 4, 0);
        assert_true(rtcp_open(&reader, bytes, size));
        assert_true(rtcp_next(&reader, &message));
        assert_int_equal(message.cname_bytes, length > 255 ? 255 : length);
        name[length] = 'x';
        name[length + 1] = '\0';
    }
}

static void test_lengths_that_do_not_add_up_spoil_the_whole_packet(void **state)
{
    (void)state;
    uint8_t bytes[100];
    struct rtcp_reader reader;
    size_t size = rtcp_write_report(bytes, sizeof bytes, 1, NULL, NULL, 0);
    size += rtcp_write_bye(bytes + size, sizeof bytes - size, 1);
    assert_true(rtcp_open(&reader, bytes, size));
    for (size_t shorter = 0; shorter < size; shorter++) {
        if (shorter != 8) {
            assert_false(rtcp_open(&reader, bytes, shorter));
        }
    }
    bytes[3] = 2; /* longer than it is */
    assert_false(rtcp_open(&reader, bytes, size));
    bytes[3] = 1;
    bytes[8] = 0x41; /* another version */
    assert_false(rtcp_open(&reader, bytes, size));
}

static void test_unknown_messages_are_stepped_over(void **state)
{
    (void)state;
    uint8_t bytes[100] = {0x80, 207, 0, 2, 0, 0, 0, 1, 0,   0,   0,   2, /* XR */
                          0x80, 204, 0, 2, 0, 0, 0, 1, 'n', 'a', 'm', 'e'};
    size_t size = 24 + rtcp_write_bye(bytes + 24, sizeof bytes - 24, 5);
    struct rtcp_reader reader;
    struct rtcp_message message;
    assert_true(rtcp_open(&reader, bytes, size));
    assert_true(rtcp_next(&reader, &message));
    assert_int_equal(message.type, RTCP_BYE);
    assert_int_equal(message.sources[0], 5);
    assert_false(rtcp_next(&reader, &message));
}

static void test_more_blocks_or_sources_than_bytes_are_not_believed(void **state)
{
    (void)state;
    struct rtcp_reader reader;
    struct rtcp_message message;
    static const uint8_t report[] = {0x9f, 201, 0, 1, 0, 0, 0, 1};
    assert_true(rtcp_open(&reader, report, sizeof report));
    assert_false(rtcp_next(&reader, &message));
    static const uint8_t bye[] = {0x9f, 203, 0, 1, 0, 0, 0, 1};
    assert_true(rtcp_open(&reader, bye, sizeof bye));
    assert_false(rtcp_next(&reader, &message));
    static const uint8_t name[] = {0x81, 202, 0, 2, 0, 0, 0, 1, 1, 200, 'a', 'b'};
    assert_true(rtcp_open(&reader, name, sizeof name));
    assert_false(rtcp_next(&reader, &message));
}

static void test_padding_may_only_end_the_last_message(void **state)
{
    (void)state;
    struct rtcp_reader reader;
    struct rtcp_message message;
    uint8_t last[] = {0x81, 203, 0, 1, 0, 0, 0, 9, 0xa1, 203, 0, 2, 0, 0, 0, 8, 0, 0, 0, 4};
    assert_true(rtcp_open(&reader, last, sizeof last));
    assert_true(rtcp_next(&reader, &message));
    assert_true(rtcp_next(&reader, &message));
    assert_int_equal(message.sources[0], 8);
    last[sizeof last - 1] = 12;
    assert_false(rtcp_open(&reader, last, sizeof last));
    last[sizeof last - 1] = 4;
    last[0] |= 0x20;
    assert_false(rtcp_open(&reader, last, sizeof last));
}

/* As libwebrtc fills up its transport-wide feedback. */
static void test_feedback_may_have_a_few_bytes_of_padding_anywhere(void **state)
{
    (void)state;
    uint8_t bytes[] = {0xaf, 205, 0, 5, 0, 0, 0, 1, 0,    0, 0,   2,
                       0,    9,   0, 1, 0, 0, 1, 0, 0x20, 1, 200, 1, /* then */
                       0x81, 203, 0, 1, 0, 0, 0, 8};
    struct rtcp_reader reader;
    struct rtcp_message message;
    assert_true(rtcp_open(&reader, bytes, sizeof bytes));
    assert_true(rtcp_next(&reader, &message));
    assert_int_equal(message.type, RTCP_TRANSPORT_FEEDBACK);
    assert_true(rtcp_next(&reader, &message));
    assert_int_equal(message.type, RTCP_BYE);
    bytes[23] = 5;
    assert_false(rtcp_open(&reader, bytes, sizeof bytes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_compound_packet_comes_back_as_it_was_written),
        cmocka_unit_test(test_a_name_of_any_length_fills_whole_words),
        cmocka_unit_test(test_lengths_that_do_not_add_up_spoil_the_whole_packet),
        cmocka_unit_test(test_unknown_messages_are_stepped_over),
        cmocka_unit_test(test_more_blocks_or_sources_than_bytes_are_not_believed),
        cmocka_unit_test(test_padding_may_only_end_the_last_message),
        cmocka_unit_test(test_feedback_may_have_a_few_bytes_of_padding_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
