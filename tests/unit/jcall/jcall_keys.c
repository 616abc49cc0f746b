/* The same key means different things when it rings and where there are only files. */
#include "examples/jcall/keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static enum request_kind kind(char key, enum keys_mode mode)
{
    return key_meaning(key, mode).kind;
}

static void test_keys_of_files_during_a_call(void **state)
{
    (void)state;
    assert_int_equal(kind('o', KEYS_CALL), REQUEST_ASK_FILE);
    assert_int_equal(kind('a', KEYS_CALL), REQUEST_TAKE);
    assert_int_equal(kind('r', KEYS_CALL), REQUEST_REFUSE);
    assert_int_equal(kind('c', KEYS_CALL), REQUEST_STOP_FILES);
    assert_int_equal(kind('s', KEYS_CALL), REQUEST_TOGGLE_SCREEN);
    assert_int_equal(kind('x', KEYS_CALL), REQUEST_STOP_VIDEO);
    assert_int_equal(kind('y', KEYS_CALL), REQUEST_NONE);
}

static void test_keys_when_it_rings(void **state)
{
    (void)state;
    assert_int_equal(kind('y', KEYS_RINGING), REQUEST_ANSWER);
    assert_int_equal(kind('n', KEYS_RINGING), REQUEST_DECLINE);
    assert_string_equal(key_meaning('v', KEYS_RINGING).value, "video");
}

static void test_keys_where_there_are_only_files(void **state)
{
    (void)state;
    assert_int_equal(kind('y', KEYS_FILES), REQUEST_TAKE);
    assert_int_equal(kind('A', KEYS_FILES), REQUEST_TAKE_ALL);
    assert_int_equal(kind('n', KEYS_FILES), REQUEST_REFUSE);
    assert_int_equal(kind('q', KEYS_FILES), REQUEST_QUIT);
    assert_int_equal(kind('m', KEYS_FILES), REQUEST_NONE);
    assert_int_equal(kind('5', KEYS_FILES), REQUEST_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys_of_files_during_a_call),
        cmocka_unit_test(test_keys_when_it_rings),
        cmocka_unit_test(test_keys_where_there_are_only_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
