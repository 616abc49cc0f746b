/* Text from strangers on its way to a terminal. */
#include "examples/jcall/text.h"

#include <glib.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_cleaned(const char *text, size_t limit, const char *expected)
{
    char *clean = text_clean(text, limit);
    assert_string_equal(clean, expected);
    g_free(clean);
}

static void test_plain_text_stays(void **state)
{
    (void)state;
    assert_cleaned("bob@example.org/phone", 100, "bob@example.org/phone");
    assert_cleaned("Zoë Грачёва", 100, "Zoë Грачёва");
    assert_cleaned("", 100, "");
    assert_cleaned(NULL, 100, "");
}

static void test_escape_sequences_lose_their_power(void **state)
{
    (void)state;
    assert_cleaned("a\033[2Jb\r\n\a", 100, "a?[2Jb???");
    assert_cleaned("a\xc2\x9b"
                   "b",
                   100, "a?b"); /* CSI as one character */
}

static void test_direction_overrides_and_invisible_characters_show(void **state)
{
    (void)state;
    assert_cleaned("\xe2\x80\xae"
                   "ecila",
                   100, "?ecila");
    assert_cleaned("al\xe2\x80\x8bice", 100, "al?ice");
}

static void test_broken_utf8_is_replaced(void **state)
{
    (void)state;
    assert_cleaned("a\xff\xc3", 100, "a??");
}

static void test_long_text_is_cut(void **state)
{
    (void)state;
    assert_cleaned("abcdef", 3, "abc...");
    assert_cleaned("abc", 3, "abc");
}

static void assert_person(const char *name, const char *jid, const char *expected)
{
    char *text = text_person(name, jid, 30);
    assert_string_equal(text, expected);
    g_free(text);
}

static void test_a_name_never_hides_the_address(void **state)
{
    (void)state;
    assert_person("Robert", "bob@example.org", "Robert (bob@example.org)");
    assert_person("+1 555", "+1\\20555@gw/sip", "+1 555 (+1\\20555@gw/sip)");
    assert_person("bob", "bob@example.org/phone", "bob@example.org/phone");
    assert_person("bob@example.org", "bob@example.org/phone", "bob@example.org/phone");
    assert_person("bo", "bob@example.org", "bo (bob@example.org)");
    assert_person("a\033b", "bob@example.org", "a?b (bob@example.org)");
    assert_person("", "example.org", "example.org");
}

static void assert_text(char *text, const char *expected)
{
    assert_string_equal(text, expected);
    g_free(text);
}

static void test_some_characters_take_two_columns_and_some_none(void **state)
{
    (void)state;
    assert_int_equal(text_width("abc"), 3);
    assert_int_equal(text_width("日本"), 4);
    assert_int_equal(text_width("e\xcc\x81"), 1); /* a combining accent */
    assert_int_equal(text_width(""), 0);
}

static void test_text_is_cut_to_columns(void **state)
{
    (void)state;
    assert_text(text_begin("abcdef", 3), "abc");
    assert_text(text_begin("日本語", 5), "日本");
    assert_text(text_begin("ab", 3), "ab");
    assert_text(text_end("abcdef", 3), "def");
    assert_text(text_end("日本語", 5), "本語");
    assert_text(text_end("ab", 3), "ab");
    assert_text(text_end("ab", 0), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_text_stays),
        cmocka_unit_test(test_escape_sequences_lose_their_power),
        cmocka_unit_test(test_direction_overrides_and_invisible_characters_show),
        cmocka_unit_test(test_broken_utf8_is_replaced),
        cmocka_unit_test(test_long_text_is_cut),
        cmocka_unit_test(test_a_name_never_hides_the_address),
        cmocka_unit_test(test_some_characters_take_two_columns_and_some_none),
        cmocka_unit_test(test_text_is_cut_to_columns),
    };
    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
