#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "codecs/telephone_event.h"

static void test_an_event_is_packed_as_rfc_4733_draws_it(void **state)
{
    (void)state;
    uint8_t bytes[TELEPHONE_EVENT_SIZE];
    telephone_event_pack(
        &(struct telephone_event){.event = 11, .end = true, .volume = 10, .duration = 0x1234},
        bytes);
    assert_memory_equal(bytes, "\x0b\x8a\x12\x34", 4);
}

static void test_an_event_is_unpacked_whatever_the_reserved_bit_says(void **state)
{
    (void)state;
    struct telephone_event event;
    assert_true(telephone_event_unpack((const uint8_t *)"\x05\x4a\x00\xa0", 4, &event));
    assert_int_equal(event.event, 5);
    assert_false(event.end);
    assert_int_equal(event.volume, 10);
    assert_int_equal(event.duration, 160);
}

static void test_a_short_event_is_refused(void **state)
{
    (void)state;
    struct telephone_event event;
    assert_false(telephone_event_unpack((const uint8_t *)"\x05\x4a\x00", 3, &event));
    assert_false(telephone_event_unpack(NULL, 0, &event));
}

static void test_digits_and_events_name_each_other(void **state)
{
    (void)state;
    for (uint8_t event = 0; event < 16; event++) {
        assert_int_equal(telephone_event_of(telephone_event_digit(event)), event);
    }
    assert_int_equal(telephone_event_of('d'), 15);
    assert_int_equal(telephone_event_of('x'), -1);
    assert_int_equal(telephone_event_of('\0'), -1);
    assert_int_equal(telephone_event_digit(16), '\0');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_event_is_packed_as_rfc_4733_draws_it),
        cmocka_unit_test(test_an_event_is_unpacked_whatever_the_reserved_bit_says),
        cmocka_unit_test(test_a_short_event_is_refused),
        cmocka_unit_test(test_digits_and_events_name_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
