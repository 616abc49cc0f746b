#include "rtp/receive_stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static enum receive_verdict feed(struct receive_stream *stream, uint32_t ssrc, unsigned sequence)
{
    struct packet packet = {.ssrc = ssrc, .sequence = (uint16_t)sequence};
    return receive_stream_packet(stream, &packet, 100);
}

static void test_loss_is_what_the_sequence_numbers_miss(void **state)
{
    (void)state;
    struct receive_stream stream = {0};
    assert_int_equal(feed(&stream, 1, 65530), RECEIVE_RESTARTED);
    for (unsigned i = 65531; i < 65630; i++) {
        if (i % 10) {
            assert_int_equal(feed(&stream, 1, i), RECEIVE_ACCEPTED);
        }
    }
    assert_int_equal(receive_stream_lost(&stream), 9);
    struct rtcp_block block;
    receive_stream_report(&stream, &block);
    assert_int_equal(block.lost, 9);
    assert_int_equal(block.fraction_lost, 9 * 256 / 100);
    assert_int_equal(block.highest_sequence, 65629);
    receive_stream_report(&stream, &block);
    assert_int_equal(block.fraction_lost, 0);
}

static void test_a_packet_that_was_only_late_is_not_lost(void **state)
{
    (void)state;
    struct receive_stream stream = {0};
    feed(&stream, 1, 10);
    feed(&stream, 1, 13);
    assert_int_equal(receive_stream_lost(&stream), 2);
    feed(&stream, 1, 12);
    feed(&stream, 1, 11);
    assert_int_equal(receive_stream_lost(&stream), 0);
}

static void test_retransmissions_in_the_stream_may_be_later_than_disorder(void **state)
{
    (void)state;
    struct receive_stream stream = {0};
    feed(&stream, 1, 1000);
    feed(&stream, 1, 1500);
    assert_int_equal(feed(&stream, 1, 1100), RECEIVE_REFUSED);
    stream = (struct receive_stream){.late_max = 1000};
    feed(&stream, 1, 1000);
    feed(&stream, 1, 1500);
    assert_int_equal(feed(&stream, 1, 1100), RECEIVE_ACCEPTED);
    assert_int_equal(feed(&stream, 1, 1101), RECEIVE_ACCEPTED);
    assert_int_equal(feed(&stream, 1, 400), RECEIVE_REFUSED);
}

static void test_duplicates_never_make_the_loss_negative(void **state)
{
    (void)state;
    struct receive_stream stream = {0};
    for (int i = 0; i < 50; i++) {
        feed(&stream, 1, 5);
    }
    assert_int_equal(receive_stream_lost(&stream), 0);
    struct rtcp_block block;
    receive_stream_report(&stream, &block);
    assert_int_equal(block.fraction_lost, 0);
    assert_int_equal(block.lost, -49);
}

static void test_another_source_takes_over_after_two_packets_in_a_row(void **state)
{
    (void)state;
    struct receive_stream stream = {0};
    feed(&stream, 1, 10);
    feed(&stream, 1, 12);
    assert_int_equal(feed(&stream, 2, 500), RECEIVE_REFUSED);
    assert_int_equal(feed(&stream, 2, 501), RECEIVE_RESTARTED);
    assert_int_equal(stream.ssrc, 2);
    assert_int_equal(stream.changes, 1);
    assert_int_equal(receive_stream_lost(&stream), 1);
    assert_int_equal(feed(&stream, 1, 13), RECEIVE_REFUSED);
}

static void test_a_source_beside_the_present_one_never_takes_over(void **state)
{
    (void)state;
    struct receive_stream stream = {0};
    for (unsigned i = 0; i < 1000; i++) {
        feed(&stream, 1, i);
        assert_int_equal(feed(&stream, 2, i), RECEIVE_REFUSED);
    }
    assert_int_equal(stream.ssrc, 1);
}

static void test_a_thousand_invented_sources_change_nothing(void **state)
{
    (void)state;
    struct receive_stream stream = {0};
    feed(&stream, 1, 7);
    for (unsigned i = 0; i < 1000; i++) {
        assert_int_equal(feed(&stream, 2 + i, i), RECEIVE_REFUSED);
    }
    assert_int_equal(feed(&stream, 1, 8), RECEIVE_ACCEPTED);
    assert_int_equal(stream.changes, 0);
}

static void test_after_a_goodbye_the_next_source_needs_no_proof(void **state)
{
    (void)state;
    struct receive_stream stream = {0};
    feed(&stream, 1, 7);
    assert_false(receive_stream_bye(&stream, 9));
    assert_true(receive_stream_bye(&stream, 1));
    assert_int_equal(feed(&stream, 1, 8), RECEIVE_REFUSED);
    assert_int_equal(feed(&stream, 2, 70), RECEIVE_RESTARTED);
}

static void test_a_source_that_was_forgotten_may_begin_again(void **state)
{
    (void)state;
    struct receive_stream stream = {0};
    feed(&stream, 1, 7);
    feed(&stream, 1, 9);
    receive_stream_forget(&stream); /* it is still there */
    assert_int_equal(feed(&stream, 1, 10), RECEIVE_ACCEPTED);
    assert_true(receive_stream_bye(&stream, 1));
    receive_stream_forget(&stream);
    assert_int_equal(feed(&stream, 1, 11), RECEIVE_RESTARTED);
    assert_int_equal(receive_stream_lost(&stream), 1);
    assert_int_equal(stream.packets, 4);
}

static void test_a_jump_needs_two_packets_in_a_row(void **state)
{
    (void)state;
    struct receive_stream stream = {0};
    feed(&stream, 1, 100);
    assert_int_equal(feed(&stream, 1, 20000), RECEIVE_REFUSED);
    assert_int_equal(feed(&stream, 1, 101), RECEIVE_ACCEPTED);
    assert_int_equal(feed(&stream, 1, 30000), RECEIVE_REFUSED);
    assert_int_equal(feed(&stream, 1, 30001), RECEIVE_RESTARTED);
    assert_int_equal(receive_stream_lost(&stream), 0);
    assert_int_equal(stream.changes, 0);
}

static void test_jitter_is_that_of_rfc_3550(void **state)
{
    (void)state;
    struct receive_stream stream = {0};
    uint32_t timestamp = 0xffffff00; /* wraps on the way */
    for (int i = 0; i < 1000; i++) {
        usec late = i % 2 ? 5 * USEC_PER_MS : 0;
        receive_stream_arrival(&stream, timestamp, 48000, i * 20 * USEC_PER_MS + late);
        timestamp += 960;
    }
    assert_in_range(receive_stream_jitter(&stream), 4900, 5000);
}

static void test_absurd_time_stamps_are_no_jitter(void **state)
{
    (void)state;
    struct receive_stream stream = {0};
    uint32_t timestamp = 0;
    for (int i = 0; i < 100; i++) {
        receive_stream_arrival(&stream, timestamp, 48000, i * 20 * USEC_PER_MS);
        timestamp += i == 50 ? 0x80000000 : 960;
    }
    assert_int_equal(receive_stream_jitter(&stream), 0);
    receive_stream_arrival(&stream, 1, 8000, 5 * USEC_PER_SEC);
    assert_int_equal(receive_stream_jitter(&stream), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loss_is_what_the_sequence_numbers_miss),
        cmocka_unit_test(test_a_packet_that_was_only_late_is_not_lost),
        cmocka_unit_test(test_retransmissions_in_the_stream_may_be_later_than_disorder),
        cmocka_unit_test(test_duplicates_never_make_the_loss_negative),
        cmocka_unit_test(test_another_source_takes_over_after_two_packets_in_a_row),
        cmocka_unit_test(test_a_source_beside_the_present_one_never_takes_over),
        cmocka_unit_test(test_a_thousand_invented_sources_change_nothing),
        cmocka_unit_test(test_after_a_goodbye_the_next_source_needs_no_proof),
        cmocka_unit_test(test_a_source_that_was_forgotten_may_begin_again),
        cmocka_unit_test(test_a_jump_needs_two_packets_in_a_row),
        cmocka_unit_test(test_jitter_is_that_of_rfc_3550),
        cmocka_unit_test(test_absurd_time_stamps_are_no_jitter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
