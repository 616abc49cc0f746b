#include "rtp/downlink.h"

#include "rtp/bytes.h"
#include "rtp/rtcp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define MS           USEC_PER_MS
#define ID_TRANSPORT 5
#define ID_SEND_TIME 6
#define SSRC         0x55

/* What the downlink told. */
struct told {
    struct downlink *downlink;
    usec now;
    unsigned packets;
    unsigned feedback;
    unsigned arrived;
    unsigned missing;
    unsigned rembs;
    uint64_t remb;
    unsigned reports;
    uint16_t last;
    size_t bytes;
    usec remb_at;
};

static struct told told;

static void on_send(void *user, uint8_t *bytes, size_t size)
{
    struct told *t = user;
    struct rtcp_reader reader;
    struct rtcp_message message;
    t->packets++;
    t->bytes += size;
    assert_true(rtcp_open(&reader, bytes, size));
    while (rtcp_next(&reader, &message)) {
        if (message.type == RTCP_RECEIVER_REPORT) {
            t->reports++;
        } else if (message.type == RTCP_PAYLOAD_FEEDBACK) {
            uint32_t source;
            t->rembs++;
            t->remb = message.feedback.bitrate;
            t->remb_at = t->now;
            assert_int_equal(feedback_remb(&message.feedback, &source, 1), 1);
            assert_int_equal(source, SSRC);
        } else if (message.type == RTCP_TRANSPORT_FEEDBACK) {
            struct transport_reader arrivals;
            struct transport_status status;
            t->feedback++;
            transport_reader_open(&arrivals, &message.feedback);
            while (transport_reader_next(&arrivals, &status)) {
                t->arrived += status.arrived;
                t->missing += !status.arrived;
                t->last = status.sequence;
            }
        }
    }
    memset(bytes + size, 0xee, DOWNLINK_TAIL);
}

static void open_downlink(bool transport, bool remb, bool reduced)
{
    memset(&told, 0, sizeof told);
    told.now = 50 * USEC_PER_SEC;
    struct downlink_config config = {
        .ssrc = 1,
        .cname = "us",
        .transport_feedback = transport,
        .remb = remb,
        .reduced_size = reduced,
        .hooks = {.user = &told, .send_rtcp = on_send},
    };
    assert_int_equal(downlink_new(&config, &told.downlink), JINGLE_OK);
}

static int tear_down(void **state)
{
    (void)state;
    downlink_free(told.downlink);
    return 0;
}

/* A packet that was sent then. */
static void receive(uint16_t transport, usec sent, size_t payload)
{
    uint8_t bytes[1300] = {0};
    uint8_t number[2];
    uint8_t time[3];
    write_u16(number, transport);
    write_u24(time, (uint32_t)(((uint64_t)sent << 18) / USEC_PER_SEC) & 0xffffff);
    const struct packet_extension extensions[] = {
        {.id = ID_TRANSPORT, .data = number, .size = 2},
        {.id = ID_SEND_TIME, .data = time, .size = 3},
    };
    struct packet_header header = {
        .payload_type = 96, .ssrc = SSRC, .extensions = extensions, .extension_count = 2};
    size_t size = packet_write_header(&header, bytes, sizeof bytes) + payload;
    struct packet packet;
    assert_true(packet_parse(&packet, bytes, size));
    struct downlink_stream stream = {.transport_sequence = ID_TRANSPORT, .send_time = ID_SEND_TIME};
    downlink_receive(told.downlink, &stream, &packet, size, told.now);
}

static void tick_until(usec end)
{
    for (;;) {
        usec next = downlink_next_deadline(told.downlink);
        if (next > end) {
            break;
        }
        told.now = next > told.now ? next : told.now;
        downlink_tick(told.downlink, told.now);
    }
    told.now = end;
}

/* A second of 1000-byte packets at this rate, the delay growing by so much. */
static void flow(double rate, usec growth, uint16_t *number, usec *delay)
{
    usec spacing = (usec)(1050 * 8 * USEC_PER_SEC / rate);
    for (usec end = told.now + USEC_PER_SEC; told.now < end;) {
        *delay += growth * spacing / USEC_PER_SEC;
        receive((*number)++, told.now - *delay, 1000 - 20);
        tick_until(told.now + spacing);
    }
}

static void test_each_packet_is_told_of_once_and_in_time(void **state)
{
    (void)state;
    open_downlink(true, true, true);
    assert_true(downlink_next_deadline(told.downlink) == USEC_NEVER);
    for (uint16_t i = 0; i < 200; i++) {
        if (i % 10 != 9) {
            receive((uint16_t)(65500 + i), told.now, 900);
        }
        tick_until(told.now + 10 * MS);
    }
    tick_until(told.now + 300 * MS);
    assert_int_equal(told.arrived, 180);
    assert_int_equal(told.missing, 19);
    assert_int_equal(told.rembs, 0);
    assert_int_equal(told.reports, 0);
    assert_in_range(told.feedback, 15, 45); /* each 50 ms or more */
    assert_true(downlink_next_deadline(told.downlink) == USEC_NEVER);
}

static void test_feedback_takes_a_small_share_of_a_slow_link(void **state)
{
    (void)state;
    open_downlink(true, false, true);
    for (uint16_t i = 0; i < 500; i++) { /* voice alone */
        receive(i, told.now, 60);
        tick_until(told.now + 20 * MS);
    }
    assert_in_range(told.feedback, 38, 70); /* of ten seconds */
}

static void test_a_peer_that_wants_compound_packets_gets_them(void **state)
{
    (void)state;
    open_downlink(true, false, false);
    receive(1, told.now, 100);
    tick_until(told.now + 300 * MS);
    assert_int_equal(told.feedback, 1);
    assert_int_equal(told.reports, 1);
}

static void test_a_long_gap_is_told_in_several_messages(void **state)
{
    (void)state;
    open_downlink(true, false, true);
    receive(1, told.now, 100);
    told.now += 10 * USEC_PER_SEC;
    receive(900, told.now, 100);
    tick_until(told.now + USEC_PER_SEC);
    assert_int_equal(told.arrived, 2);
    assert_int_equal(told.last, 900);
    assert_true(told.feedback >= 2);
}

static void test_nothing_is_told_that_was_not_negotiated(void **state)
{
    (void)state;
    open_downlink(false, false, true);
    for (uint16_t i = 0; i < 100; i++) {
        receive(i, told.now, 900);
        tick_until(told.now + 10 * MS);
    }
    assert_int_equal(told.packets, 0);
}

static void test_a_peer_without_numbers_gets_remb_each_second(void **state)
{
    (void)state;
    uint16_t number = 0;
    usec delay = 40 * MS;
    open_downlink(false, true, true);
    for (unsigned i = 0; i < 10; i++) {
        flow(500000, 0, &number, &delay);
    }
    assert_in_range(told.rembs, 9, 11);
    assert_int_equal(told.feedback, 0);
    assert_in_range(told.remb, 550000, 800000); /* up to one and a half of what comes */
}

static void test_a_growing_queue_lowers_the_remb_at_once(void **state)
{
    (void)state;
    uint16_t number = 0;
    usec delay = 40 * MS;
    open_downlink(false, true, true);
    for (unsigned i = 0; i < 10; i++) {
        flow(1000000, 0, &number, &delay);
    }
    uint64_t before = told.remb;
    usec begin = told.now;
    while (told.remb >= before && told.now < begin + 3 * USEC_PER_SEC) {
        flow(700000, 400 * MS, &number, &delay);
    }
    assert_true(told.remb < 700000);
    assert_true(told.remb_at - begin < 1500 * MS);
}

static void test_remb_goes_by_time_stamps_where_there_is_no_send_time(void **state)
{
    (void)state;
    open_downlink(false, true, true);
    uint8_t bytes[1000] = {0};
    struct downlink_stream stream = {.clockrate = 90000};
    for (unsigned i = 0; i < 600; i++) {
        struct packet_header header = {
            .payload_type = 96, .ssrc = SSRC, .timestamp = i / 2 * 1800 + 0xffff0000};
        struct packet packet;
        packet_write_header(&header, bytes, sizeof bytes);
        assert_true(packet_parse(&packet, bytes, sizeof bytes));
        downlink_receive(told.downlink, &stream, &packet, sizeof bytes, told.now);
        tick_until(told.now + 10 * MS);
    }
    assert_in_range(told.rembs, 5, 7);
    assert_true(told.remb > 500000);
}

static void test_the_wish_for_less_is_told(void **state)
{
    (void)state;
    uint16_t number = 0;
    usec delay = 40 * MS;
    open_downlink(true, true, true);
    struct downlink_config config = {
        .ssrc = 1,
        .cname = "us",
        .transport_feedback = true,
        .remb = true,
        .reduced_size = true,
        .most = 200000,
        .hooks = {.user = &told, .send_rtcp = on_send},
    };
    downlink_configure(told.downlink, &config);
    flow(500000, 0, &number, &delay);
    flow(500000, 0, &number, &delay);
    assert_true(told.feedback > 10);
    assert_in_range(told.rembs, 1, 3);
    assert_int_equal(told.remb, 200000);
}

#define TEST(f) cmocka_unit_test_teardown(f, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_each_packet_is_told_of_once_and_in_time),
        TEST(test_feedback_takes_a_small_share_of_a_slow_link),
        TEST(test_a_peer_that_wants_compound_packets_gets_them),
        TEST(test_a_long_gap_is_told_in_several_messages),
        TEST(test_nothing_is_told_that_was_not_negotiated),
        TEST(test_a_peer_without_numbers_gets_remb_each_second),
        TEST(test_a_growing_queue_lowers_the_remb_at_once),
        TEST(test_remb_goes_by_time_stamps_where_there_is_no_send_time),
        TEST(test_the_wish_for_less_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
