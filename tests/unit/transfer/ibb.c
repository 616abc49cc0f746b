#include "transfer/ibb.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define START (5 * USEC_PER_SEC)

static void test_with_a_window_of_one_every_block_waits_for_the_last(void **state)
{
    (void)state;
    struct ibb_sender sender;
    ibb_sender_init(&sender, 4096, 1);
    assert_int_equal(ibb_sender_room(&sender), 4096);
    assert_int_equal(ibb_sender_sent(&sender, 4096, START), 0);
    assert_int_equal(ibb_sender_room(&sender), 0);
    assert_false(ibb_sender_idle(&sender));
    assert_true(ibb_sender_acked(&sender, 0));
    assert_true(ibb_sender_idle(&sender));
    assert_int_equal(ibb_sender_room(&sender), 4096);
    assert_int_equal(ibb_sender_sent(&sender, 7, START), 1);
    assert_int_equal(sender.sent, 4103);
    assert_int_equal(sender.acked, 4096);
}

static void test_a_window_is_filled_and_moves_with_its_oldest_block(void **state)
{
    (void)state;
    struct ibb_sender sender;
    ibb_sender_init(&sender, 100, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ibb_sender_room(&sender), 100);
        assert_int_equal(ibb_sender_sent(&sender, 100, START + i), i);
    }
    assert_int_equal(ibb_sender_room(&sender), 0);
    assert_true(ibb_sender_acked(&sender, 1)); /* out of order: nothing is certain yet */
    assert_int_equal(sender.acked, 0);
    assert_int_equal(ibb_sender_room(&sender), 0);
    assert_true(ibb_sender_acked(&sender, 0));
    assert_int_equal(sender.acked, 200);
    assert_int_equal(ibb_sender_sent(&sender, 100, START), 3);
    assert_int_equal(ibb_sender_sent(&sender, 100, START), 4);
    assert_int_equal(ibb_sender_room(&sender), 0);
}

static void test_acknowledgements_of_nothing_are_noticed(void **state)
{
    (void)state;
    struct ibb_sender sender;
    ibb_sender_init(&sender, 100, 4);
    assert_false(ibb_sender_acked(&sender, 0));
    ibb_sender_sent(&sender, 100, START);
    ibb_sender_sent(&sender, 100, START);
    assert_false(ibb_sender_acked(&sender, 2));
    assert_false(ibb_sender_acked(&sender, 65535));
    assert_true(ibb_sender_acked(&sender, 1));
    assert_false(ibb_sender_acked(&sender, 1));
}

static void test_numbers_wrap_on_both_sides(void **state)
{
    (void)state;
    struct ibb_sender sender;
    struct ibb_receiver receiver;
    ibb_sender_init(&sender, 10, IBB_WINDOW_MAX);
    ibb_receiver_init(&receiver, 10);
    for (uint32_t i = 0; i < 200000; i++) {
        uint16_t seq = ibb_sender_sent(&sender, 10, START);
        assert_int_equal(seq, i % 65536);
        assert_int_equal(ibb_receiver_take(&receiver, seq, 10), IBB_NEXT);
        ibb_receiver_written(&receiver);
        if (i % 3 == 2) {
            assert_true(ibb_sender_acked(&sender, (uint16_t)(seq - 1)));
            assert_true(ibb_sender_acked(&sender, (uint16_t)(seq - 2)));
            assert_true(ibb_sender_acked(&sender, seq));
        }
    }
    assert_int_equal(receiver.received, 2000000);
}

static void test_a_peer_that_does_not_wrap_its_numbers_is_understood(void **state)
{
    (void)state;
    struct ibb_receiver receiver;
    ibb_receiver_init(&receiver, 10);
    for (uint32_t seq = 0; seq < 70000; seq++) {
        assert_int_equal(ibb_receiver_take(&receiver, seq, 1), IBB_NEXT);
        ibb_receiver_written(&receiver);
    }
}

static void test_a_broken_stream_has_no_room_and_nothing_under_way(void **state)
{
    (void)state;
    struct ibb_sender sender;
    ibb_sender_init(&sender, 100, 2);
    ibb_sender_sent(&sender, 100, START);
    ibb_sender_break(&sender);
    assert_int_equal(ibb_sender_room(&sender), 0);
    assert_true(ibb_sender_deadline(&sender) == USEC_NEVER);
    assert_false(ibb_sender_acked(&sender, 0));
}

static void test_the_oldest_block_under_way_has_the_deadline(void **state)
{
    (void)state;
    struct ibb_sender sender;
    ibb_sender_init(&sender, 100, 2);
    assert_true(ibb_sender_deadline(&sender) == USEC_NEVER);
    ibb_sender_sent(&sender, 100, START);
    ibb_sender_sent(&sender, 100, START + 5);
    assert_true(ibb_sender_deadline(&sender) == START + IBB_ACKNOWLEDGE_LIMIT);
    ibb_sender_acked(&sender, 0);
    assert_true(ibb_sender_deadline(&sender) == START + 5 + IBB_ACKNOWLEDGE_LIMIT);
}

static void test_sizes_are_brought_into_their_limits(void **state)
{
    (void)state;
    struct ibb_sender sender;
    struct ibb_receiver receiver;
    ibb_sender_init(&sender, 1000000, 1000);
    assert_int_equal(sender.block_size, IBB_BLOCK_MAX);
    assert_int_equal(sender.window, IBB_WINDOW_MAX);
    ibb_sender_init(&sender, 0, 0);
    assert_int_equal(ibb_sender_room(&sender), 1);
    ibb_receiver_init(&receiver, 0);
    assert_int_equal(ibb_receiver_take(&receiver, 0, 2), IBB_TOO_LARGE);
}

static void test_a_duplicate_changes_nothing_and_a_gap_ends_the_stream(void **state)
{
    (void)state;
    struct ibb_receiver receiver;
    ibb_receiver_init(&receiver, 100);
    assert_int_equal(ibb_receiver_take(&receiver, 0, 100), IBB_NEXT);
    assert_int_equal(ibb_receiver_take(&receiver, 0, 100), IBB_DUPLICATE);
    assert_int_equal(ibb_receiver_take(&receiver, 65535, 100), IBB_DUPLICATE);
    assert_int_equal(ibb_receiver_take(&receiver, 1, 50), IBB_NEXT);
    assert_int_equal(receiver.received, 150);
    assert_int_equal(ibb_receiver_take(&receiver, 3, 100), IBB_LOST);
    assert_int_equal(ibb_receiver_take(&receiver, 2, 100), IBB_CLOSED);
    assert_int_equal(receiver.received, 150);
}

static void test_a_block_that_is_too_large_ends_the_stream(void **state)
{
    (void)state;
    struct ibb_receiver receiver;
    ibb_receiver_init(&receiver, 100);
    assert_int_equal(ibb_receiver_take(&receiver, 0, 101), IBB_TOO_LARGE);
    assert_int_equal(ibb_receiver_take(&receiver, 0, 100), IBB_CLOSED);
}

static void test_a_peer_cannot_make_more_wait_than_may_be_held(void **state)
{
    (void)state;
    struct ibb_receiver receiver;
    ibb_receiver_init(&receiver, 100);
    uint32_t seq = 0;
    for (; seq < IBB_HELD_MAX; seq++) {
        assert_int_equal(ibb_receiver_take(&receiver, seq, 100), IBB_NEXT);
    }
    ibb_receiver_written(&receiver);
    assert_int_equal(ibb_receiver_take(&receiver, seq, 100), IBB_NEXT);
    assert_int_equal(ibb_receiver_take(&receiver, seq + 1, 100), IBB_TOO_MANY);
    assert_int_equal(ibb_receiver_take(&receiver, seq + 1, 100), IBB_CLOSED);
}

static void test_nothing_comes_behind_a_close(void **state)
{
    (void)state;
    struct ibb_receiver receiver;
    ibb_receiver_init(&receiver, 100);
    ibb_receiver_close(&receiver);
    assert_int_equal(ibb_receiver_take(&receiver, 0, 1), IBB_CLOSED);
    ibb_receiver_written(&receiver); /* of nothing */
    assert_int_equal(receiver.held, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_with_a_window_of_one_every_block_waits_for_the_last),
        cmocka_unit_test(test_a_window_is_filled_and_moves_with_its_oldest_block),
        cmocka_unit_test(test_acknowledgements_of_nothing_are_noticed),
        cmocka_unit_test(test_numbers_wrap_on_both_sides),
        cmocka_unit_test(test_a_peer_that_does_not_wrap_its_numbers_is_understood),
        cmocka_unit_test(test_a_broken_stream_has_no_room_and_nothing_under_way),
        cmocka_unit_test(test_the_oldest_block_under_way_has_the_deadline),
        cmocka_unit_test(test_sizes_are_brought_into_their_limits),
        cmocka_unit_test(test_a_duplicate_changes_nothing_and_a_gap_ends_the_stream),
        cmocka_unit_test(test_a_block_that_is_too_large_ends_the_stream),
        cmocka_unit_test(test_a_peer_cannot_make_more_wait_than_may_be_held),
        cmocka_unit_test(test_nothing_comes_behind_a_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
