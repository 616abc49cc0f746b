#include "rtp/dtmf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define RATE  48000
#define PTIME (20 * USEC_PER_MS)
#define STEP  960

struct exchange {
    struct dtmf_sender sender;
    struct dtmf_receiver receiver;
    uint32_t timestamp;
    usec now;
    char heard[200];
    size_t count;
    usec last_duration;
    unsigned packets;
};

static void take(struct exchange *x, const struct dtmf_digit *digit)
{
    assert_true(x->count < sizeof x->heard - 1);
    x->heard[x->count++] = digit->digit;
    x->last_duration = digit->duration;
}

static void deliver(struct exchange *x, const struct dtmf_packet *packet)
{
    struct telephone_event event;
    struct dtmf_digit digits[2];
    assert_true(telephone_event_unpack(packet->payload, sizeof packet->payload, &event));
    size_t count = dtmf_receive(&x->receiver, &event, packet->timestamp, RATE, x->now, digits);
    for (size_t i = 0; i < count; i++) {
        take(x, &digits[i]);
    }
}

/* Runs some packet times; packet n of the events is lost if lost(n). */
static void run(struct exchange *x, unsigned frames, bool (*lost)(unsigned))
{
    for (unsigned i = 0; i < frames; i++) {
        struct dtmf_packet packet;
        struct dtmf_digit digit;
        if (dtmf_send(&x->sender, x->timestamp, PTIME, RATE, &packet)) {
            if (!lost || !lost(x->packets)) {
                deliver(x, &packet);
            }
            x->packets++;
        }
        if (dtmf_expire(&x->receiver, x->now, &digit)) {
            take(x, &digit);
        }
        x->timestamp += STEP;
        x->now += PTIME;
    }
}

static void test_each_digit_is_told_once(void **state)
{
    (void)state;
    struct exchange x = {.timestamp = 0xfffff000};
    for (const char *c = "0123456789*#ABCD"; *c; c++) {
        assert_true(dtmf_queue(&x.sender, *c));
    }
    run(&x, 300, NULL);
    assert_string_equal(x.heard, "0123456789*#ABCD");
    assert_int_equal(x.last_duration, 100 * USEC_PER_MS);
    assert_int_equal(x.packets, 16 * 7); /* five of the key, the last an end, and two ends more */
}

static bool two_of_three(unsigned n)
{
    return n % 3 != 0;
}

static bool all_ends(unsigned n)
{
    return n % 7 >= 4;
}

static bool all_but_the_last_end(unsigned n)
{
    return n % 7 != 6;
}

static void test_lost_packets_lose_no_digit(void **state)
{
    (void)state;
    bool (*const cases[])(unsigned) = {two_of_three, all_ends, all_but_the_last_end};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct exchange x = {0};
        for (const char *c = "11223#"; *c; c++) {
            dtmf_queue(&x.sender, *c);
        }
        run(&x, 200, cases[i]);
        assert_string_equal(x.heard, "11223#");
    }
}

static void test_the_same_packets_in_any_order_tell_once(void **state)
{
    (void)state;
    struct exchange x = {0};
    struct dtmf_packet packets[7];
    dtmf_queue(&x.sender, '7');
    for (unsigned i = 0; i < 7; i++) {
        assert_true(dtmf_send(&x.sender, i * STEP, PTIME, RATE, &packets[i]));
        assert_int_equal(packets[i].marker, i == 0);
        assert_int_equal(packets[i].timestamp, 0);
    }
    static const int order[] = {3, 6, 0, 5, 4, 1, 2, 6, 6};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        deliver(&x, &packets[order[i]]);
    }
    assert_string_equal(x.heard, "7");
}

static void test_a_long_press_in_parts_is_one_digit(void **state)
{
    (void)state;
    struct exchange x = {0};
    struct dtmf_digit out[2];
    struct telephone_event event = {.event = 5, .duration = 0xffff};
    assert_int_equal(dtmf_receive(&x.receiver, &event, 1000, RATE, 1, out), 0);
    event.duration = 4800;
    assert_int_equal(dtmf_receive(&x.receiver, &event, 1000 + 0xffff, RATE, 2, out), 0);
    event.end = true;
    assert_int_equal(dtmf_receive(&x.receiver, &event, 1000 + 0xffff, RATE, 3, out), 1);
    assert_int_equal(out[0].digit, '5');
    assert_in_range(out[0].duration, 1465000, 1466000);
}

static void test_events_that_are_no_digits_are_passed_over(void **state)
{
    (void)state;
    struct dtmf_receiver receiver = {0};
    struct dtmf_digit out[2];
    for (unsigned code = 16; code < 256; code++) {
        struct telephone_event event = {.event = (uint8_t)code, .end = true};
        assert_int_equal(dtmf_receive(&receiver, &event, code, RATE, 1, out), 0);
    }
}

static void test_a_flood_of_digits_is_cut(void **state)
{
    (void)state;
    struct dtmf_receiver receiver = {0};
    struct dtmf_digit out[2];
    size_t told = 0;
    for (uint32_t i = 1; i <= 10000; i++) {
        struct telephone_event event = {.event = (uint8_t)(i % 10), .end = true};
        told += dtmf_receive(&receiver, &event, i * 10, RATE, USEC_PER_SEC, out);
    }
    assert_in_range(told, 16, 100);
}

static void test_only_so_many_digits_wait(void **state)
{
    (void)state;
    struct dtmf_sender sender = {0};
    for (int i = 0; i < DTMF_QUEUE_MAX; i++) {
        assert_true(dtmf_queue(&sender, '1'));
    }
    assert_false(dtmf_queue(&sender, '1'));
    struct dtmf_sender empty = {0};
    assert_false(dtmf_queue(&empty, 'x'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_digit_is_told_once),
        cmocka_unit_test(test_lost_packets_lose_no_digit),
        cmocka_unit_test(test_the_same_packets_in_any_order_tell_once),
        cmocka_unit_test(test_a_long_press_in_parts_is_one_digit),
        cmocka_unit_test(test_events_that_are_no_digits_are_passed_over),
        cmocka_unit_test(test_a_flood_of_digits_is_cut),
        cmocka_unit_test(test_only_so_many_digits_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
