/* A path that is typed, or dropped on the terminal, during a call. */
#include "examples/jcall/entry.h"

#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct entry entry;

static enum entry_state type(const char *keys)
{
    enum entry_state state = ENTRY_OPEN;
    for (; *keys && state == ENTRY_OPEN; keys++) {
        state = entry_key(&entry, *keys);
    }
    return state;
}

static void assert_path(const char *keys, const char *expected)
{
    entry_begin(&entry);
    assert_int_equal(type(keys), ENTRY_DONE);
    char *path = entry_path(&entry);
    assert_string_equal(path, expected);
    g_free(path);
}

static void test_a_line_ends_with_return(void **state)
{
    (void)state;
    assert_path("/tmp/a.png\n", "/tmp/a.png");
    assert_path("a\r", "a");
}

static void test_backspace_takes_a_whole_character_back(void **state)
{
    (void)state;
    assert_path("ab\x7f\n", "a");
    assert_path("a\xc3\xa4\x08\n", "a");
    assert_path("\x7f\x7f"
                "a\n",
                "a");
}

static void test_there_are_ways_out(void **state)
{
    (void)state;
    entry_begin(&entry);
    assert_int_equal(type("\n"), ENTRY_LEFT);
    assert_int_equal(type("abc\x1b"), ENTRY_LEFT);
    entry_begin(&entry);
    assert_int_equal(type("abc\x04"), ENTRY_LEFT);
    entry_begin(&entry);
    assert_int_equal(type("abc\x15\x15"), ENTRY_LEFT);
}

static void test_quotes_and_backslashes_are_those_of_a_shell(void **state)
{
    (void)state;
    assert_path("'/tmp/a b.png' \n", "/tmp/a b.png");
    assert_path("/tmp/a\\ b.png\n", "/tmp/a b.png");
    assert_path("/tmp/it's\n", "/tmp/it's"); /* no quote ends it, so it is none */
}

static void test_a_tilde_is_the_home_folder(void **state)
{
    (void)state;
    char *expected = g_build_filename(g_get_home_dir(), "a.png", NULL);
    assert_path("~/a.png\n", expected);
    g_free(expected);
}

static void test_control_characters_are_not_typed(void **state)
{
    (void)state;
    assert_path("a\t\x01"
                "b\n",
                "ab");
}

static void test_a_line_that_is_too_long_is_cut(void **state)
{
    (void)state;
    entry_begin(&entry);
    for (int i = 0; i < 5000; i++) {
        assert_int_equal(entry_key(&entry, 'x'), ENTRY_OPEN);
    }
    assert_int_equal(strlen(entry.text), REQUEST_VALUE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_line_ends_with_return),
        cmocka_unit_test(test_backspace_takes_a_whole_character_back),
        cmocka_unit_test(test_there_are_ways_out),
        cmocka_unit_test(test_quotes_and_backslashes_are_those_of_a_shell),
        cmocka_unit_test(test_a_tilde_is_the_home_folder),
        cmocka_unit_test(test_control_characters_are_not_typed),
        cmocka_unit_test(test_a_line_that_is_too_long_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
