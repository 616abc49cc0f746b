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
    sender.allowed = 4096;
    assert_int_equal(ibb_sender_room(&sender), 4096);
    assert_int_equal(ibb_sender_sent(&sender, 4096, START), 0);
    assert_int_equal(ibb_sender_room(&sender), 0);
    assert_false(ibb_sender_idle(&sender));
    assert_true(ibb_sender_acked(&sender, 0, START + 1));
    assert_true(ibb_sender_idle(&sender));
    assert_int_equal(ibb_sender_room(&sender), 4096);
    assert_int_equal(ibb_sender_sent(&sender, 7, START), 1);
    assert_int_equal(sender.sent, 4103);
    assert_int_equal(sender.acked, 4096);
}

/* Quick acknowledgements until the whole window may be used. */
static void open_window(struct ibb_sender *sender)
{
    while (sender->allowed < sender->window * sender->block_size) {
        uint16_t seq = ibb_sender_sent(sender, sender->block_size, START);
        assert_true(ibb_sender_acked(sender, seq, START + 1));
    }
}

static void test_a_window_is_filled_and_moves_with_its_oldest_block(void **state)
{
    (void)state;
    struct ibb_sender sender;
    ibb_sender_init(&sender, 100, 3);
    open_window(&sender);
    uint64_t before = sender.acked;
    uint16_t first = sender.next;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ibb_sender_room(&sender), 100);
        assert_int_equal(ibb_sender_sent(&sender, 100, START + i), first + i);
    }
    assert_int_equal(ibb_sender_room(&sender), 0);
    /* out of order: nothing is certain yet */
    assert_true(ibb_sender_acked(&sender, (uint16_t)(first + 1), START + 1));
    assert_int_equal(sender.acked, before);
    assert_int_equal(ibb_sender_room(&sender), 0);
    assert_true(ibb_sender_acked(&sender, first, START + 1));
    assert_int_equal(sender.acked, before + 200);
    assert_int_equal(ibb_sender_sent(&sender, 100, START), first + 3);
    assert_int_equal(ibb_sender_sent(&sender, 100, START), first + 4);
    assert_int_equal(ibb_sender_room(&sender), 0);
}

static void test_acknowledgements_of_nothing_are_noticed(void **state)
{
    (void)state;
    struct ibb_sender sender;
    ibb_sender_init(&sender, 100, 4);
    assert_false(ibb_sender_acked(&sender, 0, START + 1));
    ibb_sender_sent(&sender, 100, START);
    ibb_sender_sent(&sender, 100, START);
    assert_false(ibb_sender_acked(&sender, 2, START + 1));
    assert_false(ibb_sender_acked(&sender, 65535, START + 1));
    assert_true(ibb_sender_acked(&sender, 1, START + 1));
    assert_false(ibb_sender_acked(&sender, 1, START + 1));
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
            assert_true(ibb_sender_acked(&sender, (uint16_t)(seq - 1), START + 1));
            assert_true(ibb_sender_acked(&sender, (uint16_t)(seq - 2), START + 1));
            assert_true(ibb_sender_acked(&sender, seq, START + 1));
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

/* One that takes much at once and then 10 kB/s, as stock Prosody. */
static void test_a_server_that_is_quick_at_first_holds_no_more_either(void **state)
{
    (void)state;
    struct ibb_sender sender;
    usec now = START;
    usec full = START; /* when all that the server has taken would be through */
    ibb_sender_init(&sender, 4096, IBB_WINDOW_MAX);
    while (now < START + 20 * USEC_PER_SEC) {
        size_t room = ibb_sender_room(&sender);
        assert_true(room > 0);
        uint16_t seq = ibb_sender_sent(&sender, room, now);
        assert_int_equal(ibb_sender_room(&sender), 0); /* one at a time */
        usec takes = (usec)(room * 4 / 3 + 200) * USEC_PER_SEC / 10000;
        full = (full > now ? full : now) + takes;
        usec wait = full - now - 2 * USEC_PER_SEC;
        assert_true(wait < USEC_PER_SEC);
        now += wait > USEC_PER_MS ? wait : USEC_PER_MS;
        assert_true(ibb_sender_acked(&sender, seq, now));
    }
    assert_true(sender.acked > 140000);
}

static void test_many_streams_begin_small(void **state)
{
    (void)state;
    struct ibb_sender sender;
    ibb_sender_init(&sender, 4096, IBB_WINDOW_MAX);
    for (size_t size = IBB_FLYING_LEAST; size <= 4096; size *= 2) {
        assert_int_equal(ibb_sender_room(&sender), size);
        assert_true(ibb_sender_acked(&sender, ibb_sender_sent(&sender, size, START), START + 1));
    }
    assert_int_equal(ibb_sender_room(&sender), 4096);
}

/* Sends for `span` over a server that lets `rate` bytes/s pass: the longest time that a block
 * waited, once it had time to settle. */
static usec longest_wait(struct ibb_sender *sender, uint64_t rate, usec span, uint64_t *moved)
{
    usec now = START;
    usec free_at = START; /* of the server */
    usec due[IBB_WINDOW_MAX] = {0};
    usec sent[IBB_WINDOW_MAX] = {0};
    uint16_t seqs[IBB_WINDOW_MAX] = {0};
    unsigned under_way = 0;
    usec longest = 0;
    for (*moved = 0; now < START + span;) {
        size_t room;
        while ((room = ibb_sender_room(sender)) > 0) {
            free_at = (free_at > now ? free_at : now) + (usec)(room * USEC_PER_SEC / rate);
            sent[under_way] = now;
            due[under_way] = free_at;
            seqs[under_way++] = ibb_sender_sent(sender, room, now);
            *moved += room;
        }
        now = due[0];
        assert_true(ibb_sender_acked(sender, seqs[0], now));
        if (now > START + span / 2 && now - sent[0] > longest) {
            longest = now - sent[0];
        }
        under_way--;
        memmove(due, due + 1, sizeof due - sizeof *due);
        memmove(sent, sent + 1, sizeof sent - sizeof *sent);
        memmove(seqs, seqs + 1, sizeof seqs - sizeof *seqs);
    }
    return longest;
}

static void test_a_slow_server_holds_no_more_than_a_second_of_ours(void **state)
{
    (void)state;
    static const uint64_t rates[] = {4000, 7500, 30000, 200000};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        struct ibb_sender sender;
        uint64_t moved;
        ibb_sender_init(&sender, 8192, IBB_WINDOW_MAX);
        usec span = 120 * USEC_PER_SEC;
        assert_in_range(longest_wait(&sender, rates[i], span, &moved), 1, USEC_PER_SEC);
        assert_true(moved > rates[i] * 120 * 9 / 10); /* and is kept busy */
    }
}

static void test_a_fast_server_gets_the_whole_window(void **state)
{
    (void)state;
    struct ibb_sender sender;
    uint64_t moved;
    ibb_sender_init(&sender, 4096, IBB_WINDOW_MAX);
    longest_wait(&sender, 100000000, USEC_PER_SEC, &moved);
    assert_int_equal(sender.allowed, 4096 * IBB_WINDOW_MAX);
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
    assert_false(ibb_sender_acked(&sender, 0, START + 1));
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
    ibb_sender_acked(&sender, 0, START + 1);
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
        cmocka_unit_test(test_a_server_that_is_quick_at_first_holds_no_more_either),
        cmocka_unit_test(test_many_streams_begin_small),
        cmocka_unit_test(test_a_slow_server_holds_no_more_than_a_second_of_ours),
        cmocka_unit_test(test_a_fast_server_gets_the_whole_window),
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
