#include "transport/srtp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define PAYLOAD 80

static const unsigned profiles[] = {
    SRTP_PROFILE_AEAD_AES_128_GCM,
    SRTP_PROFILE_AEAD_AES_256_GCM,
    SRTP_PROFILE_AES128_CM_HMAC_SHA1_80,
};

struct ends {
    struct srtp_pair *a;
    struct srtp_pair *b;
};

static struct ends make(unsigned profile)
{
    struct srtp_keys of_a = {.profile = srtp_profile_find(profile)};
    for (size_t i = 0; i < SRTP_MAX_KEY; i++) {
        of_a.local[i] = (uint8_t)(i + 1);
        of_a.remote[i] = (uint8_t)(200 - i);
    }
    struct srtp_keys of_b = of_a;
    memcpy(of_b.local, of_a.remote, sizeof of_b.local);
    memcpy(of_b.remote, of_a.local, sizeof of_b.remote);
    jingle_status status;
    struct ends ends = {srtp_pair_new(&of_a, &status), srtp_pair_new(&of_b, &status)};
    assert_non_null(ends.a);
    assert_non_null(ends.b);
    return ends;
}

static void drop(struct ends ends)
{
    srtp_pair_free(ends.a);
    srtp_pair_free(ends.b);
}

static size_t rtp(uint8_t *packet, uint32_t ssrc, uint16_t sequence)
{
    memset(packet, 0, 12);
    packet[0] = 0x80;
    packet[1] = 111;
    packet[2] = (uint8_t)(sequence >> 8);
    packet[3] = (uint8_t)sequence;
    for (int i = 0; i < 4; i++)
        packet[8 + i] = (uint8_t)(ssrc >> (24 - 8 * i));
    memset(packet + 12, 'x', PAYLOAD);
    return 12 + PAYLOAD;
}

static size_t rtcp(uint8_t *packet)
{
    static const uint8_t receiver_report[] = {0x80, 201, 0, 1, 0, 0, 0, 7};
    memcpy(packet, receiver_report, sizeof receiver_report);
    return sizeof receiver_report;
}

static enum srtp_result carry(struct ends ends, uint32_t ssrc, uint16_t sequence)
{
    uint8_t packet[12 + PAYLOAD + SRTP_TAIL];
    size_t bytes = rtp(packet, ssrc, sequence);
    assert_int_equal(srtp_pair_protect(ends.a, false, packet, &bytes), SRTP_OK);
    return srtp_pair_unprotect(ends.b, false, packet, &bytes);
}

static void test_every_profile_carries_rtp_and_rtcp(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof profiles / sizeof *profiles; i++) {
        struct ends ends = make(profiles[i]);
        uint8_t packet[12 + PAYLOAD + SRTP_TAIL];
        size_t bytes = rtp(packet, 7, 1);
        assert_int_equal(srtp_pair_protect(ends.a, false, packet, &bytes), SRTP_OK);
        assert_true(bytes > 12 + PAYLOAD && bytes <= sizeof packet);
        assert_int_not_equal(packet[12], 'x');
        assert_int_equal(srtp_pair_unprotect(ends.b, false, packet, &bytes), SRTP_OK);
        assert_int_equal(bytes, 12 + PAYLOAD);
        assert_int_equal(packet[12], 'x');

        bytes = rtcp(packet);
        assert_int_equal(srtp_pair_protect(ends.b, true, packet, &bytes), SRTP_OK);
        assert_true(bytes > 8 && bytes <= 8 + SRTP_TAIL);
        assert_int_equal(srtp_pair_unprotect(ends.a, true, packet, &bytes), SRTP_OK);
        assert_int_equal(bytes, 8);
        drop(ends);
    }
}

static void test_a_tampered_packet_is_not_authentic(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof profiles / sizeof *profiles; i++) {
        struct ends ends = make(profiles[i]);
        uint8_t packet[12 + PAYLOAD + SRTP_TAIL];
        size_t bytes = rtp(packet, 7, 1);
        srtp_pair_protect(ends.a, false, packet, &bytes);
        packet[30] ^= 1;
        assert_int_equal(srtp_pair_unprotect(ends.b, false, packet, &bytes), SRTP_NOT_AUTHENTIC);
        bytes = rtcp(packet);
        srtp_pair_protect(ends.a, true, packet, &bytes);
        packet[bytes - 1] ^= 1;
        assert_int_equal(srtp_pair_unprotect(ends.b, true, packet, &bytes), SRTP_NOT_AUTHENTIC);
        assert_int_equal(carry(ends, 7, 2), SRTP_OK);
        drop(ends);
    }
}

static void test_a_replayed_packet_is_refused(void **state)
{
    (void)state;
    struct ends ends = make(SRTP_PROFILE_AEAD_AES_128_GCM);
    uint8_t first[12 + PAYLOAD + SRTP_TAIL];
    uint8_t again[sizeof first];
    size_t bytes = rtp(first, 7, 1);
    srtp_pair_protect(ends.a, false, first, &bytes);
    memcpy(again, first, sizeof first);
    size_t copied = bytes;
    assert_int_equal(srtp_pair_unprotect(ends.b, false, first, &bytes), SRTP_OK);
    memcpy(first, again, sizeof first);
    bytes = copied;
    assert_int_equal(srtp_pair_unprotect(ends.b, false, first, &bytes), SRTP_REPLAYED);
    for (uint16_t i = 2; i < 3000; i++) /* far behind the window */
        assert_int_equal(carry(ends, 7, i), SRTP_OK);
    bytes = copied;
    assert_int_equal(srtp_pair_unprotect(ends.b, false, again, &bytes), SRTP_REPLAYED);
    drop(ends);
}

/* RFC 7714, section 8.2: GCM breaks when a nonce is used twice. */
static void test_no_number_is_sent_twice(void **state)
{
    (void)state;
    struct ends ends = make(SRTP_PROFILE_AEAD_AES_128_GCM);
    uint8_t packet[12 + PAYLOAD + SRTP_TAIL];
    size_t bytes = rtp(packet, 7, 1);
    assert_int_equal(srtp_pair_protect(ends.a, false, packet, &bytes), SRTP_OK);
    bytes = rtp(packet, 7, 1);
    packet[12] = 'y';
    assert_int_equal(srtp_pair_protect(ends.a, false, packet, &bytes), SRTP_REPLAYED);
    drop(ends);
}

static void test_the_sequence_wraps_around(void **state)
{
    (void)state;
    struct ends ends = make(SRTP_PROFILE_AEAD_AES_128_GCM);
    for (uint32_t i = 65000; i < 66500; i++)
        assert_int_equal(carry(ends, 7, (uint16_t)i), SRTP_OK);
    drop(ends);
}

static void test_packets_that_are_late_around_the_wrap_are_taken_once(void **state)
{
    (void)state;
    enum { FIRST = 65500, LAST = 65600 };
    struct ends ends = make(SRTP_PROFILE_AEAD_AES_128_GCM);
    static uint8_t packets[LAST - FIRST][12 + PAYLOAD + SRTP_TAIL];
    size_t bytes[LAST - FIRST];
    for (unsigned i = 0; i < LAST - FIRST; i++) {
        bytes[i] = rtp(packets[i], 7, (uint16_t)(FIRST + i));
        assert_int_equal(srtp_pair_protect(ends.a, false, packets[i], &bytes[i]), SRTP_OK);
    }
    uint8_t replayed[sizeof packets[0]];
    size_t replayed_bytes = bytes[3];
    memcpy(replayed, packets[3], sizeof replayed);
    for (unsigned i = 0; i < 10; i++) /* so that the receiver knows where it is */
        assert_int_equal(srtp_pair_unprotect(ends.b, false, packets[i], &bytes[i]), SRTP_OK);
    for (unsigned i = LAST - FIRST - 1; i >= 10; i--) /* the latest first */
        assert_int_equal(srtp_pair_unprotect(ends.b, false, packets[i], &bytes[i]), SRTP_OK);
    assert_int_equal(srtp_pair_unprotect(ends.b, false, replayed, &replayed_bytes), SRTP_REPLAYED);
    drop(ends);
}

static void test_invented_ssrcs_are_bounded(void **state)
{
    (void)state;
    struct ends ends = make(SRTP_PROFILE_AEAD_AES_128_GCM);
    for (uint32_t ssrc = 1; ssrc <= SRTP_MAX_SSRCS; ssrc++)
        assert_int_equal(carry(ends, ssrc, 1), SRTP_OK);
    for (uint32_t ssrc = 1000; ssrc < 2000; ssrc++)
        assert_int_equal(carry(ends, ssrc, 1), SRTP_TOO_MANY_SSRCS);
    assert_int_equal(carry(ends, 3, 2), SRTP_OK);
    drop(ends);
}

/* A stranger cannot use the places up: only authentic packets take one. */
static void test_forged_ssrcs_take_no_place(void **state)
{
    (void)state;
    struct ends ends = make(SRTP_PROFILE_AEAD_AES_128_GCM);
    for (uint32_t ssrc = 1000; ssrc < 2000; ssrc++) {
        uint8_t packet[12 + PAYLOAD + SRTP_TAIL];
        size_t bytes = rtp(packet, ssrc, 1);
        assert_int_equal(srtp_pair_unprotect(ends.b, false, packet, &bytes), SRTP_NOT_AUTHENTIC);
    }
    assert_int_equal(carry(ends, 1, 1), SRTP_OK);
    drop(ends);
}

static void test_what_is_not_rtp_is_malformed(void **state)
{
    (void)state;
    struct ends ends = make(SRTP_PROFILE_AES128_CM_HMAC_SHA1_80);
    uint8_t packet[64] = {0x80, 111};
    for (size_t length = 0; length < 12; length++) {
        size_t bytes = length;
        assert_int_equal(srtp_pair_unprotect(ends.b, false, packet, &bytes), SRTP_MALFORMED);
    }
    packet[0] = 0xbf; /* an extension and CSRCs that reach beyond the end */
    size_t bytes = 14;
    assert_int_not_equal(srtp_pair_unprotect(ends.b, false, packet, &bytes), SRTP_OK);
    packet[0] = 0x00;
    bytes = sizeof packet;
    assert_int_equal(srtp_pair_unprotect(ends.b, false, packet, &bytes), SRTP_MALFORMED);
    drop(ends);
}

static void test_gcm_128_is_named_first(void **state)
{
    (void)state;
    char list[128];
    srtp_profile_list(list, sizeof list);
    assert_string_equal(list, "SRTP_AEAD_AES_128_GCM:SRTP_AEAD_AES_256_GCM:SRTP_AES128_CM_SHA1_80");
    assert_null(srtp_profile_find(2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_profile_carries_rtp_and_rtcp),
        cmocka_unit_test(test_a_tampered_packet_is_not_authentic),
        cmocka_unit_test(test_a_replayed_packet_is_refused),
        cmocka_unit_test(test_no_number_is_sent_twice),
        cmocka_unit_test(test_the_sequence_wraps_around),
        cmocka_unit_test(test_packets_that_are_late_around_the_wrap_are_taken_once),
        cmocka_unit_test(test_invented_ssrcs_are_bounded),
        cmocka_unit_test(test_forged_ssrcs_take_no_place),
        cmocka_unit_test(test_what_is_not_rtp_is_malformed),
        cmocka_unit_test(test_gcm_128_is_named_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
