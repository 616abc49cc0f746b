#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void count_up(void *user, void *out, size_t bytes)
{
    uint8_t *next = user;
    for (size_t i = 0; i < bytes; i++)
        ((uint8_t *)out)[i] = (*next)++;
}

static void test_a_token_has_every_letter_equally_often(void **state)
{
    (void)state;
    uint8_t next = 0;
    struct random_source source = {.fill = count_up, .user = &next};
    unsigned counts[256] = {0};
    char token[252 + 1];
    random_token(&source, token, 252); /* of 256 values 252 are used */
    for (size_t i = 0; token[i]; i++)
        counts[(uint8_t)token[i]]++;
    for (const char *c = "abcdefghijklmnopqrstuvwxyz0123456789"; *c; c++)
        assert_int_equal(counts[(uint8_t)*c], 7);
}

static void test_a_uuid_is_of_version_4(void **state)
{
    (void)state;
    char uuid[37];
    random_uuid(&random_system, uuid);
    assert_int_equal(strlen(uuid), 36);
    assert_int_equal(strspn(uuid, "0123456789abcdef-"), 36);
    assert_int_equal(uuid[8], '-');
    assert_int_equal(uuid[13], '-');
    assert_int_equal(uuid[14], '4');
    assert_int_equal(uuid[18], '-');
    assert_non_null(strchr("89ab", uuid[19]));
    assert_int_equal(uuid[23], '-');
}

static void test_the_system_never_gives_the_same_twice(void **state)
{
    (void)state;
    char tokens[2][33];
    random_token(&random_system, tokens[0], 32);
    random_token(&random_system, tokens[1], 32);
    assert_int_equal(strlen(tokens[0]), 32);
    assert_string_not_equal(tokens[0], tokens[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_token_has_every_letter_equally_often),
        cmocka_unit_test(test_a_uuid_is_of_version_4),
        cmocka_unit_test(test_the_system_never_gives_the_same_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
