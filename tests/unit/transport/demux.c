#include "transport/demux.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static enum datagram_kind kind(unsigned first, unsigned second)
{
    uint8_t datagram[] = {(uint8_t)first, (uint8_t)second, 0, 0};
    return datagram_kind(datagram, sizeof datagram);
}

/* RFC 7983 section 7: the whole table */
static void test_the_first_byte_tells_the_protocol(void **state)
{
    (void)state;
    for (unsigned first = 0; first < 256; first++) {
        enum datagram_kind expected = DATAGRAM_OTHER;
        if (first <= 3)
            expected = DATAGRAM_STUN;
        else if (first >= 20 && first <= 63)
            expected = DATAGRAM_DTLS;
        else if (first >= 128 && first <= 191)
            expected = DATAGRAM_RTP;
        assert_int_equal(kind(first, 111), expected);
    }
}

/* RFC 5761 section 4: payload types 64 to 95 with the marker are RTCP's */
static void test_the_second_byte_tells_rtcp(void **state)
{
    (void)state;
    for (unsigned second = 0; second < 256; second++)
        assert_int_equal(kind(0x80, second),
                         second >= 192 && second <= 223 ? DATAGRAM_RTCP : DATAGRAM_RTP);
}

static void test_too_short_is_nothing(void **state)
{
    (void)state;
    uint8_t byte = 0x80;
    assert_int_equal(datagram_kind(&byte, 0), DATAGRAM_OTHER);
    assert_int_equal(datagram_kind(&byte, 1), DATAGRAM_OTHER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_byte_tells_the_protocol),
        cmocka_unit_test(test_the_second_byte_tells_rtcp),
        cmocka_unit_test(test_too_short_is_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
