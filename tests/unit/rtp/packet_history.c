#include "rtp/packet_history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define START (10 * USEC_PER_SEC)

static int open_history(void **state)
{
    static struct packet_history history;
    memset(&history, 0, sizeof history);
    *state = &history;
    return packet_history_open(&history) ? 0 : -1;
}

static int close_history(void **state)
{
    packet_history_close(*state);
    return 0;
}

static void put(struct packet_history *history, uint16_t sequence, uint8_t fill)
{
    uint8_t packet[100];
    memset(packet, fill, sizeof packet);
    packet_history_put(history, sequence, packet, sizeof packet, 12);
}

static void test_a_packet_that_left_is_found(void **state)
{
    put(*state, 7, 1);
    packet_history_left(*state, 7, START);
    struct past_packet *past = packet_history_get(*state, 7, START + USEC_PER_SEC);
    assert_non_null(past);
    assert_int_equal(past->bytes, 100);
    assert_int_equal(past->header_bytes, 12);
    assert_int_equal(past->data[99], 1);
    assert_null(packet_history_get(*state, 8, START));
}

static void test_one_that_still_waits_is_not(void **state)
{
    put(*state, 7, 1);
    assert_null(packet_history_get(*state, 7, START));
}

static void test_one_that_is_too_old_is_not(void **state)
{
    put(*state, 7, 1);
    packet_history_left(*state, 7, START);
    assert_non_null(packet_history_get(*state, 7, START + PACKET_HISTORY_AGE));
    assert_null(packet_history_get(*state, 7, START + PACKET_HISTORY_AGE + 1));
}

static void test_the_newest_ones_are_kept(void **state)
{
    for (unsigned i = 0; i < 3 * PACKET_HISTORY_SLOTS; i++) {
        put(*state, (uint16_t)i, (uint8_t)i);
        packet_history_left(*state, (uint16_t)i, START);
    }
    assert_null(packet_history_get(*state, 2 * PACKET_HISTORY_SLOTS - 1, START));
    struct past_packet *oldest = packet_history_get(*state, 2 * PACKET_HISTORY_SLOTS, START);
    assert_non_null(oldest);
    assert_int_equal(oldest->data[0], (uint8_t)(2 * PACKET_HISTORY_SLOTS));
}

static void test_the_leaving_of_an_older_packet_is_not_taken_for_this_one(void **state)
{
    put(*state, 7, 1);
    put(*state, 7 + PACKET_HISTORY_SLOTS, 2);
    packet_history_left(*state, 7, START);
    assert_null(packet_history_get(*state, 7 + PACKET_HISTORY_SLOTS, START));
}

static void test_what_is_too_long_is_not_kept(void **state)
{
    static uint8_t packet[PACKET_HISTORY_BYTES + 1];
    packet_history_put(*state, 7, packet, sizeof packet, 12);
    packet_history_left(*state, 7, START);
    assert_null(packet_history_get(*state, 7, START));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_packet_that_left_is_found, open_history,
                                        close_history),
        cmocka_unit_test_setup_teardown(test_one_that_still_waits_is_not, open_history,
                                        close_history),
        cmocka_unit_test_setup_teardown(test_one_that_is_too_old_is_not, open_history,
                                        close_history),
        cmocka_unit_test_setup_teardown(test_the_newest_ones_are_kept, open_history, close_history),
        cmocka_unit_test_setup_teardown(
            test_the_leaving_of_an_older_packet_is_not_taken_for_this_one, open_history,
            close_history),
        cmocka_unit_test_setup_teardown(test_what_is_too_long_is_not_kept, open_history,
                                        close_history),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
