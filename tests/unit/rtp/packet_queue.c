#include "rtp/packet_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static int set_up(void **state)
{
    static struct packet_queue queue;
    queue = (struct packet_queue){0};
    *state = &queue;
    return packet_queue_open(&queue) ? 0 : -1;
}

static int tear_down(void **state)
{
    packet_queue_close(*state);
    return 0;
}

static bool push(struct packet_queue *queue, unsigned stream, enum uplink_kind kind, uint32_t tag)
{
    uint8_t packet[100];
    memset(packet, (int)tag, sizeof packet);
    return packet_queue_push(queue, stream, kind, packet, sizeof packet, tag);
}

static void expect(struct packet_queue *queue, uint32_t tag)
{
    struct queued_packet *packet = packet_queue_pop(queue);
    assert_non_null(packet);
    assert_int_equal(packet->tag, tag);
    assert_int_equal(packet->packet[99], (uint8_t)tag);
}

static void test_retransmissions_leave_first_and_padding_last(void **state)
{
    struct packet_queue *queue = *state;
    push(queue, 0, UPLINK_PADDING, 1);
    push(queue, 0, UPLINK_NEW, 2);
    push(queue, 1, UPLINK_NEW, 3);
    push(queue, 0, UPLINK_RETRANSMISSION, 4);
    push(queue, 0, UPLINK_RETRANSMISSION, 5);
    assert_int_equal(queue->count, 5);
    assert_int_equal(queue->bytes, 500);
    expect(queue, 4);
    expect(queue, 5);
    expect(queue, 2);
    expect(queue, 3);
    expect(queue, 1);
    assert_null(packet_queue_pop(queue));
    assert_int_equal(queue->bytes, 0);
}

static void test_a_full_queue_takes_no_more_until_one_left(void **state)
{
    struct packet_queue *queue = *state;
    for (uint32_t i = 0; i < UPLINK_QUEUE_MAX; i++) {
        assert_true(push(queue, 0, UPLINK_NEW, i));
    }
    assert_false(push(queue, 0, UPLINK_NEW, 1));
    expect(queue, 0);
    assert_true(push(queue, 0, UPLINK_NEW, UPLINK_QUEUE_MAX));
    for (uint32_t i = 1; i <= UPLINK_QUEUE_MAX; i++) {
        expect(queue, i);
    }
}

static void test_a_packet_that_is_too_long_is_not_taken(void **state)
{
    static uint8_t packet[UPLINK_PACKET_MAX + 1];
    struct packet_queue *queue = *state;
    assert_false(packet_queue_push(queue, 0, UPLINK_NEW, packet, sizeof packet, 0));
    assert_true(packet_queue_push(queue, 0, UPLINK_NEW, packet, UPLINK_PACKET_MAX, 0));
}

static void test_one_streams_packets_are_dropped_and_others_stay_in_order(void **state)
{
    struct packet_queue *queue = *state;
    for (unsigned first = 0; first < 2; first++) {
        for (uint32_t i = 0; i < 10; i++) {
            push(queue, (i + first) % 2, UPLINK_NEW, i);
        }
        push(queue, 0, UPLINK_RETRANSMISSION, 99);
        assert_int_equal(packet_queue_drop(queue, 0, UPLINK_NEW), 5);
        push(queue, 0, UPLINK_NEW, 100);
        expect(queue, 99);
        for (uint32_t i = 1 - first; i < 10; i += 2) {
            expect(queue, i);
        }
        expect(queue, 100);
        assert_null(packet_queue_pop(queue));
    }
}

static void test_before_it_is_opened_a_queue_is_empty_and_takes_nothing(void **state)
{
    (void)state;
    struct packet_queue queue = {0};
    assert_false(push(&queue, 0, UPLINK_NEW, 1));
    assert_null(packet_queue_pop(&queue));
    assert_int_equal(packet_queue_drop(&queue, 0, UPLINK_NEW), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_retransmissions_leave_first_and_padding_last),
        TEST(test_a_full_queue_takes_no_more_until_one_left),
        TEST(test_a_packet_that_is_too_long_is_not_taken),
        TEST(test_one_streams_packets_are_dropped_and_others_stay_in_order),
        TEST(test_before_it_is_opened_a_queue_is_empty_and_takes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
