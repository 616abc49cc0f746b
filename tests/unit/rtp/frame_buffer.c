#include "rtp/frame_buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define NOW USEC_PER_SEC

static struct frame_buffer *buffer;

static int open_buffer(void **state)
{
    static struct frame_buffer room;
    (void)state;
    memset(&room, 0, sizeof room);
    buffer = &room;
    return frame_buffer_open(buffer) ? 0 : -1;
}

static int close_buffer(void **state)
{
    (void)state;
    frame_buffer_close(buffer);
    return 0;
}

enum { FIRST = 1, LAST = 2 };

static enum frame_inserted insert(int64_t sequence, uint32_t timestamp, unsigned how)
{
    uint8_t bytes[10];
    memset(bytes, (int)sequence, sizeof bytes);
    struct frame_packet packet = {
        .sequence = sequence,
        .timestamp = timestamp,
        .marker = how & LAST,
        .codec = &codec_vp8,
        .payload = {.bytes = bytes,
                    .size = sizeof bytes,
                    .begins_frame = how & FIRST,
                    .picture_id = -1,
                    .tl0_index = -1},
    };
    return frame_buffer_insert(buffer, &packet, NOW);
}

static void insert_empty(int64_t sequence)
{
    struct frame_packet packet = {.sequence = sequence, .empty = true, .codec = &codec_vp8};
    frame_buffer_insert(buffer, &packet, NOW);
}

static void test_a_frame_is_whole_when_its_packets_are_there_in_any_order(void **state)
{
    (void)state;
    insert(102, 1, LAST);
    assert_int_equal(buffer->frame_count, 0);
    insert(100, 1, FIRST);
    assert_int_equal(buffer->frame_count, 0);
    insert(101, 1, 0);
    assert_int_equal(buffer->frame_count, 1);
    assert_int_equal(buffer->frames[0].first, 100);
    assert_int_equal(buffer->frames[0].last, 102);
    assert_int_equal(buffer->frames[0].bytes, 30);
}

static void test_it_is_put_together_in_order(void **state)
{
    (void)state;
    struct coded_frame *frame = coded_frame_new(0);
    insert(101, 7, LAST);
    insert(100, 7, FIRST);
    assert_int_equal(frame_buffer_take(buffer, 0, frame), JINGLE_OK);
    assert_int_equal(frame->size, 20);
    assert_int_equal(frame->bytes[0], 100);
    assert_int_equal(frame->bytes[19], 101);
    assert_int_equal(frame->timestamp, 7);
    assert_int_equal(buffer->frame_count, 0);
    assert_int_equal(insert(100, 7, FIRST), FRAME_PACKET_LATE);
    coded_frame_free(frame);
}

static void test_frames_are_told_apart_by_their_time_stamps_and_beginnings(void **state)
{
    (void)state;
    insert(100, 1, FIRST);
    insert(101, 2, LAST); /* the end of another frame, whose beginning is lost */
    assert_int_equal(buffer->frame_count, 0);
    insert(102, 3, FIRST);
    insert(103, 3, FIRST | LAST); /* begun again */
    assert_int_equal(buffer->frame_count, 1);
    assert_int_equal(buffer->frames[0].first, 103);
}

static void test_frames_wait_in_the_order_of_their_numbers(void **state)
{
    (void)state;
    insert(105, 3, FIRST | LAST);
    insert(101, 1, FIRST | LAST);
    insert(103, 2, FIRST | LAST);
    assert_int_equal(buffer->frame_count, 3);
    assert_int_equal(buffer->frames[0].first, 101);
    assert_int_equal(buffer->frames[1].first, 103);
    frame_buffer_drop_frame(buffer, 1);
    assert_int_equal(buffer->frames[1].first, 105);
    frame_buffer_drop_before(buffer, 105);
    assert_int_equal(buffer->frame_count, 1);
}

static void test_a_packet_counts_once(void **state)
{
    (void)state;
    insert(100, 1, FIRST | LAST);
    assert_int_equal(insert(100, 1, FIRST | LAST), FRAME_PACKET_DUPLICATE);
    assert_int_equal(buffer->frame_count, 1);
}

static void test_padding_keeps_the_sequence(void **state)
{
    (void)state;
    insert(100, 1, FIRST | LAST);
    insert_empty(101);
    insert_empty(102);
    assert_int_equal(frame_buffer_skip_empty(buffer, 101), 103);
    assert_int_equal(frame_buffer_skip_empty(buffer, 100), 100);
    assert_int_equal(frame_buffer_skip_empty(buffer, 104), 104);
}

static void test_what_is_far_behind_is_forgotten(void **state)
{
    (void)state;
    insert(100, 1, FIRST | LAST);
    insert(100 + FRAME_BUFFER_PACKETS, 9, FIRST | LAST);
    assert_int_equal(buffer->frame_count, 1);
    assert_int_equal(buffer->frames[0].first, 100 + FRAME_BUFFER_PACKETS);
    insert(1000000, 11, FIRST | LAST);
    assert_int_equal(buffer->frame_count, 1);
    assert_int_equal(insert(101, 1, FIRST), FRAME_PACKET_LATE);
}

static void test_a_bounded_number_of_frames_waits(void **state)
{
    (void)state;
    for (int64_t i = 0; i < 3 * FRAME_BUFFER_FRAMES; i++) {
        insert(100 + i, (uint32_t)i, FIRST | LAST);
    }
    assert_int_equal(buffer->frame_count, FRAME_BUFFER_FRAMES);
    assert_int_equal(buffer->frames[0].first, 100 + 2 * FRAME_BUFFER_FRAMES);
}

static void test_too_long_payloads_are_refused(void **state)
{
    (void)state;
    static uint8_t bytes[FRAME_BUFFER_PAYLOAD_MAX + 1];
    struct frame_packet packet = {
        .sequence = 1, .payload = {.bytes = bytes, .size = sizeof bytes, .begins_frame = true}};
    assert_int_equal(frame_buffer_insert(buffer, &packet, NOW), FRAME_PACKET_REFUSED);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_buffer, close_buffer)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_frame_is_whole_when_its_packets_are_there_in_any_order),
        TEST(test_it_is_put_together_in_order),
        TEST(test_frames_are_told_apart_by_their_time_stamps_and_beginnings),
        TEST(test_frames_wait_in_the_order_of_their_numbers),
        TEST(test_a_packet_counts_once),
        TEST(test_padding_keeps_the_sequence),
        TEST(test_what_is_far_behind_is_forgotten),
        TEST(test_a_bounded_number_of_frames_waits),
        TEST(test_too_long_payloads_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
