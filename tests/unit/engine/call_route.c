#include "call_route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define MID_EXTENSION 4

struct bundle {
    struct call_route route;
    struct rtp_agreement sound;
    struct rtp_agreement pictures;
};

static void set_up(struct bundle *b)
{
    *b = (struct bundle){0};
    b->sound.receive_mid = b->pictures.receive_mid = MID_EXTENSION;
    b->sound.receive[b->sound.receive_count++].payload_type = 111;
    b->sound.receive_events[b->sound.receive_event_count++].payload_type = 126;
    b->pictures.receive[b->pictures.receive_count++] =
        (struct rtp_codec){.payload_type = 96, .has_rtx = true, .rtx_payload_type = 97};
    call_route_add(&b->route, CALL_SOUND, "audio", &b->sound);
    call_route_add(&b->route, CALL_PICTURES, "video", &b->pictures);
}

static enum call_content find(struct bundle *b, uint8_t payload_type, uint32_t ssrc,
                              const char *mid)
{
    uint8_t bytes[64];
    struct packet_extension extension = {
        .id = mid ? MID_EXTENSION : 0, .data = mid, .size = mid ? strlen(mid) : 0};
    struct packet_header header = {
        .payload_type = payload_type,
        .ssrc = ssrc,
        .extensions = &extension,
        .extension_count = mid ? 1 : 0,
    };
    struct packet packet;
    size_t size = packet_write_header(&header, bytes, sizeof bytes);
    assert_true(packet_parse(&packet, bytes, size));
    return call_route_find(&b->route, &packet);
}

static void test_the_payload_type_tells_whose_a_packet_is(void **state)
{
    struct bundle b;
    (void)state;
    set_up(&b);
    assert_int_equal(find(&b, 111, 1, NULL), CALL_SOUND);
    assert_int_equal(find(&b, 126, 2, NULL), CALL_SOUND);
    assert_int_equal(find(&b, 96, 3, NULL), CALL_PICTURES);
    assert_int_equal(find(&b, 97, 4, NULL), CALL_PICTURES);
    assert_int_equal(find(&b, 5, 5, NULL), CALL_NO_CONTENT);
}

static void test_a_mid_counts_for_more(void **state)
{
    struct bundle b;
    (void)state;
    set_up(&b);
    assert_int_equal(find(&b, 111, 1, "video"), CALL_PICTURES);
    assert_int_equal(find(&b, 111, 2, "vide"), CALL_SOUND);
    assert_int_equal(find(&b, 5, 3, "audio"), CALL_SOUND);
}

static void test_a_source_is_known_again(void **state)
{
    struct bundle b;
    (void)state;
    set_up(&b);
    assert_int_equal(find(&b, 5, 7, "video"), CALL_PICTURES);
    assert_int_equal(find(&b, 5, 7, NULL), CALL_PICTURES);
    assert_int_equal(find(&b, 5, 7, "audio"), CALL_SOUND);
    assert_int_equal(find(&b, 5, 7, NULL), CALL_SOUND);
}

static void test_announced_sources_are_known_before_they_are_heard(void **state)
{
    struct bundle b;
    (void)state;
    set_up(&b);
    b.pictures.has_remote_ssrc = b.pictures.has_remote_rtx_ssrc = true;
    b.pictures.remote_ssrc = 70;
    b.pictures.remote_rtx_ssrc = 71;
    call_route_add(&b.route, CALL_PICTURES, "video", &b.pictures);
    assert_int_equal(find(&b, 5, 70, NULL), CALL_PICTURES);
    assert_int_equal(find(&b, 5, 71, NULL), CALL_PICTURES);
}

static void test_a_payload_type_of_both_tells_nothing(void **state)
{
    struct bundle b;
    (void)state;
    set_up(&b);
    b.sound.receive[b.sound.receive_count++].payload_type = 96;
    call_route_add(&b.route, CALL_SOUND, "audio", &b.sound);
    assert_int_equal(find(&b, 96, 1, NULL), CALL_NO_CONTENT);
    assert_int_equal(find(&b, 96, 1, "audio"), CALL_SOUND);
}

static void test_what_is_removed_is_forgotten(void **state)
{
    struct bundle b;
    (void)state;
    set_up(&b);
    assert_int_equal(find(&b, 96, 1, "video"), CALL_PICTURES);
    call_route_remove(&b.route, CALL_PICTURES);
    assert_int_equal(find(&b, 96, 1, "video"), CALL_NO_CONTENT);
    assert_int_equal(find(&b, 111, 2, NULL), CALL_SOUND);
}

static void test_invented_sources_take_no_more_than_their_room(void **state)
{
    struct bundle b;
    (void)state;
    set_up(&b);
    for (uint32_t ssrc = 100; ssrc < 10000; ssrc++) {
        assert_int_equal(find(&b, 96, ssrc, NULL), CALL_PICTURES);
    }
    assert_int_equal(b.route.ssrc_count, CALL_ROUTE_SSRCS_MAX);
    assert_int_equal(find(&b, 111, 1, NULL), CALL_SOUND);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_payload_type_tells_whose_a_packet_is),
        cmocka_unit_test(test_a_mid_counts_for_more),
        cmocka_unit_test(test_a_source_is_known_again),
        cmocka_unit_test(test_announced_sources_are_known_before_they_are_heard),
        cmocka_unit_test(test_a_payload_type_of_both_tells_nothing),
        cmocka_unit_test(test_what_is_removed_is_forgotten),
        cmocka_unit_test(test_invented_sources_take_no_more_than_their_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
