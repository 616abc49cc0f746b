#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static char last[2048];
static unsigned lines;

static void keep(void *user, jingle_log_level level, const char *line)
{
    (void)user;
    (void)level;
    lines++;
    strncpy(last, line, sizeof last - 1);
}

static const struct logger logger = {.level = JINGLE_LOG_INFO, .write = keep};

static int set_up(void **state)
{
    (void)state;
    lines = 0;
    memset(last, 0, sizeof last);
    return 0;
}

static void test_lines_above_the_level_are_not_written(void **state)
{
    (void)state;
    log_debug(&logger, "%d", 1);
    assert_int_equal(lines, 0);
    log_info(&logger, "%d", 2);
    assert_int_equal(lines, 1);
    assert_string_equal(last, "2");
}

static void test_without_a_logger_nothing_happens(void **state)
{
    (void)state;
    struct logger mute = {.level = JINGLE_LOG_DEBUG};
    log_error(NULL, "%s", "nobody hears");
    log_error(&mute, "%s", "nobody hears");
}

static void test_a_peer_cannot_forge_lines_or_steer_the_terminal(void **state)
{
    (void)state;
    log_info(&logger, "<%s>",
             "a\nb\r\tc\x1b[2Jd\x7f\xc2\x9b"
             "2Je");
    assert_string_equal(last, "<a b  c [2Jd   2Je>");
    log_info(&logger, "%s", "\xc2\xa0\xc3\x9f\xe2\x82\xac"); /* printable characters stay */
    assert_string_equal(last, "\xc2\xa0\xc3\x9f\xe2\x82\xac");
}

static void test_a_long_line_is_cut_between_characters(void **state)
{
    (void)state;
    char text[3000];
    for (size_t before = 0; before < 3; before++) {
        memset(text, 'x', before);
        for (size_t i = before; i + 3 < sizeof text; i += 3)
            memcpy(text + i, "\xe2\x82\xac", 4);
        log_info(&logger, "%s", text);
        size_t length = strlen(last);
        assert_in_range(length, 1020, 1023);
        assert_int_equal((length - before) % 3, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_lines_above_the_level_are_not_written, set_up),
        cmocka_unit_test_setup(test_without_a_logger_nothing_happens, set_up),
        cmocka_unit_test_setup(test_a_peer_cannot_forge_lines_or_steer_the_terminal, set_up),
        cmocka_unit_test_setup(test_a_long_line_is_cut_between_characters, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
