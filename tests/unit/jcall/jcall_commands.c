/* Commands on standard input, however the bytes arrive. */
#include "examples/jcall/commands.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int input[2];
static struct commands commands;

static int open_input(void **state)
{
    (void)state;
    memset(&commands, 0, sizeof commands);
    return pipe(input);
}

static int close_input(void **state)
{
    (void)state;
    close(input[0]);
    return 0;
}

static void type(const char *text)
{
    assert_int_equal(write(input[1], text, strlen(text)), strlen(text));
    commands_fill(&commands, input[0]);
}

static struct request next(void)
{
    struct request request;
    assert_true(commands_next(&commands, &request));
    return request;
}

static void test_each_line_is_a_request(void **state)
{
    (void)state;
    struct request none;
    type("mute\n  hangup \r\ndigits 12#\n");
    close(input[1]);
    assert_int_equal(next().kind, REQUEST_MUTE);
    assert_int_equal(next().kind, REQUEST_HANGUP);
    struct request digits = next();
    assert_int_equal(digits.kind, REQUEST_DIGITS);
    assert_string_equal(digits.value, "12#");
    assert_false(commands_next(&commands, &none));
}

static void test_a_command_may_have_a_value(void **state)
{
    (void)state;
    type("answer video\ndirection send\nrecord /tmp/a b.webm\nsnapshot\n");
    close(input[1]);
    struct request answer = next();
    assert_int_equal(answer.kind, REQUEST_ANSWER);
    assert_string_equal(answer.value, "video");
    struct request direction = next();
    assert_int_equal(direction.kind, REQUEST_DIRECTION);
    assert_string_equal(direction.value, "send");
    struct request record = next();
    assert_int_equal(record.kind, REQUEST_RECORD);
    assert_string_equal(record.value, "/tmp/a b.webm");
    struct request snapshot = next();
    assert_int_equal(snapshot.kind, REQUEST_SNAPSHOT);
    assert_string_equal(snapshot.value, "");
}

static void test_commands_about_files(void **state)
{
    (void)state;
    type("send /tmp/a b.png\ntake\naccept\nrefuse\nreject\nstop-files\nsend\n");
    close(input[1]);
    struct request send = next();
    assert_int_equal(send.kind, REQUEST_SEND);
    assert_string_equal(send.value, "/tmp/a b.png");
    assert_int_equal(next().kind, REQUEST_TAKE);
    assert_int_equal(next().kind, REQUEST_TAKE);
    assert_int_equal(next().kind, REQUEST_REFUSE);
    assert_int_equal(next().kind, REQUEST_REFUSE);
    assert_int_equal(next().kind, REQUEST_STOP_FILES);
    assert_int_equal(next().kind, REQUEST_UNKNOWN);
}

static void test_half_a_line_waits_for_the_rest(void **state)
{
    (void)state;
    struct request none;
    type("ans");
    assert_false(commands_next(&commands, &none));
    type("wer\n");
    close(input[1]);
    assert_int_equal(next().kind, REQUEST_ANSWER);
}

static void test_nonsense_is_unknown_and_harmless(void **state)
{
    (void)state;
    type("dance\ndigits 12x\ndigits \ndirection up\n\nmute\n");
    close(input[1]);
    assert_int_equal(next().kind, REQUEST_UNKNOWN);
    assert_int_equal(next().kind, REQUEST_UNKNOWN);
    assert_int_equal(next().kind, REQUEST_UNKNOWN);
    assert_int_equal(next().kind, REQUEST_UNKNOWN);
    assert_int_equal(next().kind, REQUEST_NONE);
    assert_int_equal(next().kind, REQUEST_MUTE);
}

static void test_a_line_that_is_too_long_is_unknown_up_to_its_end(void **state)
{
    (void)state;
    char line[COMMAND_BYTES_MAX + 1];
    memset(line, 'x', COMMAND_BYTES_MAX);
    line[COMMAND_BYTES_MAX] = '\0';
    type(line);
    type("hangup\nquit\n");
    close(input[1]);
    assert_int_equal(next().kind, REQUEST_UNKNOWN);
    assert_int_equal(next().kind, REQUEST_QUIT);
}

static void test_the_end_of_the_input_is_noticed(void **state)
{
    (void)state;
    close(input[1]);
    commands_fill(&commands, input[0]);
    assert_true(commands.ended);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_each_line_is_a_request, open_input, close_input),
        cmocka_unit_test_setup_teardown(test_a_command_may_have_a_value, open_input, close_input),
        cmocka_unit_test_setup_teardown(test_commands_about_files, open_input, close_input),
        cmocka_unit_test_setup_teardown(test_half_a_line_waits_for_the_rest, open_input,
                                        close_input),
        cmocka_unit_test_setup_teardown(test_nonsense_is_unknown_and_harmless, open_input,
                                        close_input),
        cmocka_unit_test_setup_teardown(test_a_line_that_is_too_long_is_unknown_up_to_its_end,
                                        open_input, close_input),
        cmocka_unit_test_setup_teardown(test_the_end_of_the_input_is_noticed, open_input,
                                        close_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
