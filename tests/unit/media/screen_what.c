/* What of the screen is wanted, as text. */
#include "media/screen_what.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_nothing_is_any_screen(void **state)
{
    (void)state;
    struct screen_what what;
    assert_true(screen_what_parse(NULL, &what));
    assert_int_equal(what.kind, SCREEN_ANY);
    assert_true(screen_what_parse("", &what));
    assert_int_equal(what.kind, SCREEN_ANY);
    assert_true(screen_what_parse("screen", &what));
    assert_int_equal(what.kind, SCREEN_WHOLE);
}

static void test_a_window_has_a_title(void **state)
{
    (void)state;
    struct screen_what what;
    assert_true(screen_what_parse("window:My: letter", &what));
    assert_int_equal(what.kind, SCREEN_WINDOW);
    assert_string_equal(what.title, "My: letter");
    assert_false(screen_what_parse("window:", &what));
}

static void test_a_part_has_size_and_place(void **state)
{
    (void)state;
    struct screen_what what;
    assert_true(screen_what_parse("640x480+10+0", &what));
    assert_int_equal(what.kind, SCREEN_PART);
    assert_int_equal(what.width, 640);
    assert_int_equal(what.height, 480);
    assert_int_equal(what.x, 10);
    assert_int_equal(what.y, 0);
}

static void test_anything_else_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"640x480",      "640x480+10",  "640x480+1+1 ",
                                      "0x480+0+0",    "640x0+0+0",   "-640x480+0+0",
                                      "640x480+-1+0", "65536x1+0+0", "1x99999999999999999999+0+0",
                                      "640 x480+0+0", "desktop",     "x+ +",
                                      " 640x480+0+0"};
    struct screen_what what;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(screen_what_parse(bad[i], &what));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_any_screen),
        cmocka_unit_test(test_a_window_has_a_title),
        cmocka_unit_test(test_a_part_has_size_and_place),
        cmocka_unit_test(test_anything_else_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
