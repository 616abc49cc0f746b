#include "rtp/byte_window.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_a_steady_rate_is_found_after_a_fifth_of_the_window(void **state)
{
    (void)state;
    struct byte_window window;
    byte_window_init(&window, USEC_PER_SEC);
    usec now = 7 * USEC_PER_SEC;
    for (unsigned i = 0; i < 100; i++, now += 20 * USEC_PER_MS) {
        byte_window_add(&window, 1000, now);
        uint32_t rate = byte_window_rate(&window);
        if (i < 9) {
            assert_int_equal(rate, 0);
        } else {
            assert_in_range(rate, 360000, 440000);
        }
    }
}

static void test_what_is_older_than_the_window_is_forgotten(void **state)
{
    (void)state;
    struct byte_window window;
    byte_window_init(&window, USEC_PER_SEC);
    byte_window_add(&window, 100000, USEC_PER_SEC);
    byte_window_add(&window, 0, USEC_PER_SEC * 3 / 2);
    assert_int_not_equal(byte_window_rate(&window), 0);
    byte_window_add(&window, 0, USEC_PER_SEC * 2);
    assert_int_equal(byte_window_rate(&window), 0);
    byte_window_add(&window, 1000, 1000 * USEC_PER_SEC);
    assert_int_equal(byte_window_rate(&window), 8000);
}

static void test_late_bytes_count_if_they_are_within_the_window(void **state)
{
    (void)state;
    struct byte_window window;
    byte_window_init(&window, USEC_PER_SEC);
    byte_window_add(&window, 1000, 10 * USEC_PER_SEC);
    byte_window_add(&window, 0, 11 * USEC_PER_SEC - 1);
    byte_window_add(&window, 1000, 10 * USEC_PER_SEC + 1);
    byte_window_add(&window, 1000, 9 * USEC_PER_SEC); /* too late */
    byte_window_add(&window, 1000, -USEC_PER_SEC);
    assert_int_equal(byte_window_rate(&window), 16000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_steady_rate_is_found_after_a_fifth_of_the_window),
        cmocka_unit_test(test_what_is_older_than_the_window_is_forgotten),
        cmocka_unit_test(test_late_bytes_count_if_they_are_within_the_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
