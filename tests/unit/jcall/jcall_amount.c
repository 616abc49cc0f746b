/* Sizes as people write them, and as they read them. */
#include "examples/jcall/amount.h"

#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_parsed(const char *text, uint64_t expected)
{
    uint64_t bytes = 1;
    assert_true(amount_parse(text, &bytes));
    assert_int_equal(bytes, expected);
}

static void test_units_are_binary_and_may_be_written_in_many_ways(void **state)
{
    (void)state;
    assert_parsed("0", 0);
    assert_parsed("4096", 4096);
    assert_parsed("500k", 500 * 1024);
    assert_parsed("500K", 500 * 1024);
    assert_parsed("10M", 10 * 1024 * 1024);
    assert_parsed("10 MiB", 10 * 1024 * 1024);
    assert_parsed("10mb", 10 * 1024 * 1024);
    assert_parsed("7B", 7);
    assert_parsed("1.5G", UINT64_C(3) << 29);
    assert_parsed("2T", UINT64_C(2) << 40);
    assert_parsed("1P", UINT64_C(1) << 50);
}

static void test_what_is_no_size_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",    "k",   "-1",    "+1", " 1",  "1x",  "1kk", "1 k b",    "0x10",
        "1e3", "1..", "1.2.3", ".5", "0.1", "nan", "inf", "9000000P", "9999999999999999999999",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        uint64_t bytes = 5;
        if (amount_parse(wrong[i], &bytes)) {
            fail_msg("%s is taken for %" G_GUINT64_FORMAT, wrong[i], (guint64)bytes);
        }
        assert_int_equal(bytes, 5);
    }
}

static void assert_text(char *text, const char *expected)
{
    assert_string_equal(text, expected);
    g_free(text);
}

static void test_a_size_has_three_digits_at_most(void **state)
{
    (void)state;
    assert_text(amount_bytes(0), "0 B");
    assert_text(amount_bytes(1), "1 B");
    assert_text(amount_bytes(999), "999 B");
    assert_text(amount_bytes(1000), "0.98 KiB");
    assert_text(amount_bytes(1024), "1.00 KiB");
    assert_text(amount_bytes(12900000), "12.3 MiB");
    assert_text(amount_bytes(512 * 1024 * 1024), "512 MiB");
    assert_text(amount_bytes(UINT64_C(5) << 30), "5.00 GiB");
    assert_text(amount_bytes(UINT64_MAX), "16.0 EiB");
    for (uint64_t bytes = 1; bytes < (UINT64_C(1) << 60); bytes += bytes / 7 + 1) {
        char *text = amount_bytes(bytes);
        size_t digits = 0;
        for (const char *at = text; *at != ' '; at++) {
            digits += g_ascii_isdigit(*at) ? 1 : 0;
        }
        assert_in_range(digits, 1, 3);
        g_free(text);
    }
}

static void test_a_part_has_the_unit_of_the_whole(void **state)
{
    (void)state;
    assert_text(amount_part(0, 0), "0 of 0 B");
    assert_text(amount_part(17196646, 28731000), "16.4 of 27.4 MiB");
    assert_text(amount_part(1024 * 1024, UINT64_C(5) << 30), "0.00 of 5.00 GiB");
}

static void test_rates_and_times(void **state)
{
    (void)state;
    assert_text(amount_rate(3250585), "3.10 MiB/s");
    assert_text(amount_rate(0), "0 B/s");
    assert_text(amount_time(0), "0:00");
    assert_text(amount_time(83900000), "1:23");
    assert_text(amount_time(INT64_C(3600000000)), "1:00:00");
    assert_text(amount_time(INT64_C(360000000000000)), "100000:00:00");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_units_are_binary_and_may_be_written_in_many_ways),
        cmocka_unit_test(test_what_is_no_size_is_refused),
        cmocka_unit_test(test_a_size_has_three_digits_at_most),
        cmocka_unit_test(test_a_part_has_the_unit_of_the_whole),
        cmocka_unit_test(test_rates_and_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
