#include "rtp/packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t plain[] = {0x80, 0xef, 0x12, 0x34, 0x01, 0x02, 0x03,
                                0x04, 0xaa, 0xbb, 0xcc, 0xdd, 'h',  'i'};

static void test_a_plain_packet_is_read(void **state)
{
    (void)state;
    struct packet packet;
    assert_true(packet_parse(&packet, plain, sizeof plain));
    assert_true(packet.marker);
    assert_int_equal(packet.payload_type, 111);
    assert_int_equal(packet.sequence, 0x1234);
    assert_int_equal(packet.timestamp, 0x01020304);
    assert_int_equal(packet.ssrc, 0xaabbccdd);
    assert_int_equal(packet.payload_bytes, 2);
    assert_memory_equal(packet.payload, "hi", 2);
}

static void test_every_truncation_of_a_full_packet_is_refused_or_shorter(void **state)
{
    (void)state;
    static const uint8_t full[] = {
        0xb1, 0x6f, 0, 1, 0,    0,    0, 1, 0,    0,    0, 2, /* P, X, 1 CSRC */
        0,    0,    0, 3, 0xbe, 0xde, 0, 1, 0x10, 0x85, 0, 0, 'p', 'a', 'y', 0, 0, 0, 4};
    struct packet packet;
    assert_true(packet_parse(&packet, full, sizeof full));
    assert_int_equal(packet.csrc_count, 1);
    assert_int_equal(packet.csrc[0], 3);
    assert_int_equal(packet.payload_bytes, 3);
    assert_int_equal(packet.padding_bytes, 4);
    for (size_t size = 0; size < 24; size++) {
        assert_false(packet_parse(&packet, full, size));
    }
}

static void test_padding_that_is_longer_than_the_packet_is_refused(void **state)
{
    (void)state;
    uint8_t bytes[sizeof plain];
    memcpy(bytes, plain, sizeof plain);
    struct packet packet;
    bytes[0] |= 0x20;
    static const struct {
        uint8_t padding;
        bool good;
    } cases[] = {{0, false}, {1, true}, {2, true}, {3, false}, {255, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bytes[13] = cases[i].padding;
        assert_int_equal(packet_parse(&packet, bytes, sizeof bytes), cases[i].good);
    }
}

static void test_a_packet_of_only_padding_has_no_payload(void **state)
{
    (void)state;
    uint8_t bytes[PACKET_HEADER_BYTES + 224] = {0xa0, 111};
    bytes[sizeof bytes - 1] = 224;
    struct packet packet;
    assert_true(packet_parse(&packet, bytes, sizeof bytes));
    assert_int_equal(packet.payload_bytes, 0);
    assert_int_equal(packet.padding_bytes, 224);
}

static void test_rtcp_and_other_versions_are_no_rtp(void **state)
{
    (void)state;
    uint8_t bytes[sizeof plain];
    struct packet packet;
    memcpy(bytes, plain, sizeof plain);
    bytes[0] = 0x40;
    assert_false(packet_parse(&packet, bytes, sizeof bytes));
    bytes[0] = 0x80;
    for (unsigned type = 192; type < 224; type++) {
        bytes[1] = (uint8_t)type;
        assert_false(packet_parse(&packet, bytes, sizeof bytes));
    }
}

static size_t with_extensions(uint8_t *out, uint16_t profile, const uint8_t *elements, size_t size)
{
    memcpy(out, plain, PACKET_HEADER_BYTES);
    out[0] |= 0x10;
    out[12] = (uint8_t)(profile >> 8);
    out[13] = (uint8_t)profile;
    out[14] = 0;
    out[15] = (uint8_t)(size / 4);
    memcpy(out + 16, elements, size);
    return 16 + size;
}

static void test_elements_of_both_forms_are_found(void **state)
{
    (void)state;
    uint8_t bytes[64];
    struct packet packet;
    size_t size = 0;
    static const uint8_t one[] = {0, 0x10, 0x85, 0x21, 'a', 'b', 0, 0};
    assert_true(packet_parse(&packet, bytes, with_extensions(bytes, 0xbede, one, sizeof one)));
    assert_int_equal(*packet_extension(&packet, 1, &size), 0x85);
    assert_int_equal(size, 1);
    assert_memory_equal(packet_extension(&packet, 2, &size), "ab", 2);
    assert_int_equal(size, 2);
    assert_null(packet_extension(&packet, 3, &size));
    assert_null(packet_extension(&packet, 0, &size));

    static const uint8_t two[] = {0, 200, 3, 'a', 'b', 'c', 1, 0};
    assert_true(packet_parse(&packet, bytes, with_extensions(bytes, 0x1005, two, sizeof two)));
    assert_memory_equal(packet_extension(&packet, 200, &size), "abc", 3);
    assert_non_null(packet_extension(&packet, 1, &size));
    assert_int_equal(size, 0);
}

static void test_elements_that_overrun_and_the_stop_mark_end_the_reading(void **state)
{
    (void)state;
    uint8_t bytes[64];
    struct packet packet;
    size_t size = 0;
    static const uint8_t overrun[] = {0x17, 1, 2, 3};
    assert_true(
        packet_parse(&packet, bytes, with_extensions(bytes, 0xbede, overrun, sizeof overrun)));
    assert_null(packet_extension(&packet, 1, &size));
    static const uint8_t stop[] = {0xf0, 0, 0x10, 7};
    assert_true(packet_parse(&packet, bytes, with_extensions(bytes, 0xbede, stop, sizeof stop)));
    assert_null(packet_extension(&packet, 1, &size));
    static const uint8_t foreign[] = {0x10, 7, 0, 0};
    assert_true(
        packet_parse(&packet, bytes, with_extensions(bytes, 0x4242, foreign, sizeof foreign)));
    assert_null(packet_extension(&packet, 1, &size));
}

static void test_what_is_written_is_read_again(void **state)
{
    (void)state;
    static const struct {
        uint8_t first_id, second_id;
        const char *second;
    } cases[] = {
        {1, 4, "audio"}, {0, 4, "0"}, {0, 0, ""}, {15, 4, "x"}, {1, 2, "longer than sixteen"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t level = 0x9f;
        size_t length = strlen(cases[i].second);
        struct packet_extension extensions[] = {
            {.id = cases[i].first_id, .data = &level, .size = 1},
            {.id = cases[i].second_id, .data = cases[i].second, .size = length},
        };
        struct packet_header header = {.payload_type = 96,
                                       .sequence = 65535,
                                       .timestamp = 7,
                                       .ssrc = 9,
                                       .extensions = extensions,
                                       .extension_count = 2};
        uint8_t bytes[100];
        struct packet packet;
        size_t size = packet_write_header(&header, bytes, sizeof bytes);
        assert_int_not_equal(size, 0);
        assert_int_equal(size % 4, 0);
        assert_true(packet_parse(&packet, bytes, size));
        assert_int_equal(packet.payload_bytes, 0);
        assert_int_equal(packet.sequence, 65535);
        if (cases[i].first_id) {
            const uint8_t *found = packet_extension(&packet, cases[i].first_id, &size);
            assert_non_null(found);
            assert_int_equal(*found, level);
        }
        if (cases[i].second_id) {
            const uint8_t *found = packet_extension(&packet, cases[i].second_id, &size);
            assert_non_null(found);
            assert_int_equal(size, length);
            assert_memory_equal(found, cases[i].second, length);
        }
    }
}

static void test_a_header_that_does_not_fit_is_not_written(void **state)
{
    (void)state;
    uint8_t bytes[32];
    struct packet_extension extension = {.id = 1, .data = "four", .size = 4};
    struct packet_header header = {.extensions = &extension, .extension_count = 1};
    assert_int_equal(packet_write_header(&header, bytes, 11), 0);
    assert_int_equal(packet_write_header(&header, bytes, 20), 0);
    assert_int_equal(packet_write_header(&header, bytes, sizeof bytes), 24);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_plain_packet_is_read),
        cmocka_unit_test(test_every_truncation_of_a_full_packet_is_refused_or_shorter),
        cmocka_unit_test(test_padding_that_is_longer_than_the_packet_is_refused),
        cmocka_unit_test(test_a_packet_of_only_padding_has_no_payload),
        cmocka_unit_test(test_rtcp_and_other_versions_are_no_rtp),
        cmocka_unit_test(test_elements_of_both_forms_are_found),
        cmocka_unit_test(test_elements_that_overrun_and_the_stop_mark_end_the_reading),
        cmocka_unit_test(test_what_is_written_is_read_again),
        cmocka_unit_test(test_a_header_that_does_not_fit_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
