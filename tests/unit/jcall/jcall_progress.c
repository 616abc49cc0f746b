/* The line about files on their way, in terminals of several widths. */
#include "examples/jcall/progress.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define MIB (1024 * 1024)

/* Any addresses will do: they are only told apart. */
static char places[3];
#define TRANSFER(i) ((jingle_transfer *)&places[i])

static struct progress progress;

/* The library's own is not linked. */
const char *jingle_way_name(jingle_way way)
{
    return way == JINGLE_WAY_DIRECT ? "direct" : "proxy";
}

static int begin(void **state)
{
    (void)state;
    progress_init(&progress);
    return 0;
}

static int end(void **state)
{
    (void)state;
    progress_clear(&progress);
    return 0;
}

static void move(int i, uint64_t done, uint64_t total)
{
    jingle_transfer_statistics statistics = {
        .bytes_done = done,
        .bytes_total = total,
        .rate = 2 * MIB,
        .time_left = (int64_t)(total - done) / (2 * MIB) * 1000000,
        .way = JINGLE_WAY_DIRECT,
    };
    assert_true(progress_update(&progress, TRANSFER(i), &statistics));
}

static void assert_line(unsigned width, const char *expected)
{
    char *text = progress_text(&progress, width);
    assert_string_equal(text, expected);
    assert_true(g_utf8_strlen(text, -1) <= width);
    g_free(text);
}

static void assert_short(const char *expected)
{
    char *text = progress_short(&progress);
    assert_string_equal(text, expected);
    g_free(text);
}

static void test_nothing_moves_nothing_is_said(void **state)
{
    (void)state;
    assert_line(80, "");
    assert_short("");
    assert_false(progress_moving(&progress));
}

static void test_a_file_in_a_wide_terminal_and_in_narrow_ones(void **state)
{
    (void)state;
    progress_add(&progress, TRANSFER(0), "holiday.mkv", 40 * MIB, true);
    assert_false(progress_moving(&progress));
    move(0, 20 * MIB, 40 * MIB);
    assert_true(progress_moving(&progress));
    assert_line(100,
                "[##############...............]   50 %  20.0 of 40.0 MiB  2.00 MiB/s  0:10 left  "
                "direct  holiday.mkv");
    assert_line(79,
                "[##########...........]   50 %  20.0 of 40.0 MiB  2.00 MiB/s  0:10 left  direct");
    assert_line(60, "[#####.....]   50 %  20.0 of 40.0 MiB  2.00 MiB/s  0:10 left");
    assert_line(50, " 50 %  20.0 of 40.0 MiB  2.00 MiB/s  0:10 left");
    assert_line(30, " 50 %  2.00 MiB/s  0:10 left");
    assert_line(20, " 50 %  2.00 MiB/s");
    assert_line(10, " 50 %");
    assert_short("file 50 %");
}

static void test_the_bar_grows_no_wider_than_it_is_useful(void **state)
{
    (void)state;
    progress_add(&progress, TRANSFER(0), "a", 4, true);
    move(0, 1, 4);
    char *text = progress_text(&progress, 300);
    assert_int_equal(strcspn(text, "]"), 41);
    g_free(text);
}

static void test_no_width_is_exceeded(void **state)
{
    (void)state;
    progress_add(&progress, TRANSFER(0), "a name that is longer than many other names.mkv", 9 * MIB,
                 true);
    move(0, 8 * MIB, 9 * MIB);
    for (unsigned width = 5; width < 200; width++) {
        char *text = progress_text(&progress, width);
        assert_in_range(g_utf8_strlen(text, -1), 5, width);
        g_free(text);
    }
}

static void test_a_long_name_is_cut_before_it_is_left_out(void **state)
{
    (void)state;
    progress_add(&progress, TRANSFER(0), "a name that is longer than many others.mkv", 40 * MIB,
                 true);
    move(0, 20 * MIB, 40 * MIB);
    char *text = progress_text(&progress, 100);
    assert_non_null(strstr(text, "direct  a name that"));
    assert_true(g_str_has_suffix(text, "..."));
    g_free(text);
}

static void test_all_is_there_only_at_the_end(void **state)
{
    (void)state;
    progress_add(&progress, TRANSFER(0), "a", 1000 * MIB, false);
    move(0, 1000 * MIB - 1, 1000 * MIB);
    assert_short("file 99 %");
    move(0, 1000 * MIB, 1000 * MIB);
    assert_short("file 100 %");
}

static void test_an_empty_file_divides_by_nothing(void **state)
{
    (void)state;
    progress_add(&progress, TRANSFER(0), "empty", 0, true);
    move(0, 0, 0);
    assert_line(10, "  0 %");
}

static void test_several_files_are_summed(void **state)
{
    (void)state;
    progress_add(&progress, TRANSFER(0), "a", 10 * MIB, true);
    progress_add(&progress, TRANSFER(1), "b", 20 * MIB, true);
    progress_add(&progress, TRANSFER(2), "c", 10 * MIB, true);
    move(0, 5 * MIB, 10 * MIB);
    move(1, 5 * MIB, 20 * MIB);
    assert_int_equal(progress_count(&progress), 3);
    assert_line(
        90, "[#####..................]   25 %  10.0 of 40.0 MiB  4.00 MiB/s  0:07 left  direct  "
            "3 files");
    assert_short("3 files 25 %");
}

static void test_the_bar_never_goes_back_when_one_of_several_arrives(void **state)
{
    (void)state;
    progress_add(&progress, TRANSFER(0), "a", 10 * MIB, true);
    progress_add(&progress, TRANSFER(1), "b", 30 * MIB, true);
    move(0, 10 * MIB, 10 * MIB);
    move(1, 10 * MIB, 30 * MIB);
    assert_short("2 files 50 %");
    progress_end(&progress, TRANSFER(0), true);
    assert_short("file 50 %");
    progress_end(&progress, TRANSFER(1), true);
    assert_short("");
    progress_add(&progress, TRANSFER(0), "c", 10 * MIB, true);
    move(0, 0, 10 * MIB);
    assert_short("file 0 %"); /* those before are forgotten */
}

static void test_the_last_of_several_is_named(void **state)
{
    (void)state;
    progress_add(&progress, TRANSFER(0), "a", 10 * MIB, true);
    progress_add(&progress, TRANSFER(1), "b", 10 * MIB, true);
    move(0, 10 * MIB, 10 * MIB);
    progress_end(&progress, TRANSFER(0), true);
    assert_line(80,
                "[###################...................]   50 %  10.0 of 20.0 MiB       0 B/s  b");
}

static void test_numbers_keep_their_places(void **state)
{
    (void)state;
    progress_add(&progress, TRANSFER(0), "a", 100 * MIB, true);
    move(0, 2 * MIB, 100 * MIB);
    char *before = progress_text(&progress, 90);
    move(0, 99 * MIB, 100 * MIB);
    char *after = progress_text(&progress, 90);
    assert_ptr_equal(strchr(before, ']') - before, strchr(after, ']') - after);
    assert_ptr_equal(strstr(before, "direct") - before, strstr(after, "direct") - after);
    g_free(before);
    g_free(after);
}

static void test_one_that_failed_counts_no_longer(void **state)
{
    (void)state;
    progress_add(&progress, TRANSFER(0), "a", 10 * MIB, true);
    progress_add(&progress, TRANSFER(1), "b", 10 * MIB, true);
    move(0, 1 * MIB, 10 * MIB);
    move(1, 5 * MIB, 10 * MIB);
    progress_end(&progress, TRANSFER(0), false);
    assert_short("file 50 %");
}

static void test_the_check_of_what_is_kept_is_shown(void **state)
{
    (void)state;
    progress_add(&progress, TRANSFER(0), "a", 10 * MIB, false);
    jingle_transfer_statistics statistics = {
        .bytes_done = 5 * MIB, .bytes_total = 10 * MIB, .time_left = -1, .checking = true};
    progress_update(&progress, TRANSFER(0), &statistics);
    assert_line(66, "[######.......]   50 %   5.0 of 10.0 MiB  checking what is kept  a");
}

static void test_a_transfer_that_was_never_added_is_none(void **state)
{
    (void)state;
    jingle_transfer_statistics statistics = {.bytes_total = 1};
    assert_false(progress_update(&progress, TRANSFER(0), &statistics));
    progress_end(&progress, TRANSFER(0), true);
    assert_int_equal(progress_count(&progress), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        T(test_nothing_moves_nothing_is_said),
        T(test_a_file_in_a_wide_terminal_and_in_narrow_ones),
        T(test_the_bar_grows_no_wider_than_it_is_useful),
        T(test_no_width_is_exceeded),
        T(test_a_long_name_is_cut_before_it_is_left_out),
        T(test_all_is_there_only_at_the_end),
        T(test_an_empty_file_divides_by_nothing),
        T(test_several_files_are_summed),
        T(test_the_bar_never_goes_back_when_one_of_several_arrives),
        T(test_the_last_of_several_is_named),
        T(test_numbers_keep_their_places),
        T(test_one_that_failed_counts_no_longer),
        T(test_the_check_of_what_is_kept_is_shown),
        T(test_a_transfer_that_was_never_added_is_none),
    };
    setlocale(LC_ALL, "C"); /* the bar in plain characters */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
