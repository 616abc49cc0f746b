/* Whose files are taken without asking, and how large. */
#include "examples/jcall/choice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define BOB "bob@example.org/phone"
#define GIB (UINT64_C(1) << 30)

static void test_without_auto_everybody_is_asked_about(void **state)
{
    (void)state;
    struct choice_rules rules = {.automatic = false};
    assert_int_equal(choice_make(&rules, BOB, true, 1), CHOICE_ASK);
    assert_int_equal(choice_make(&rules, BOB, false, 1), CHOICE_ASK);
    assert_int_equal(choice_make(&rules, BOB, true, 5000 * GIB), CHOICE_ASK);
}

static void test_auto_takes_from_contacts_only(void **state)
{
    (void)state;
    struct choice_rules rules = {.automatic = true};
    assert_int_equal(choice_make(&rules, BOB, true, 1), CHOICE_TAKE);
    assert_int_equal(choice_make(&rules, BOB, false, 1), CHOICE_STRANGER);
}

static void test_auto_takes_no_more_than_a_gibibyte_unless_told(void **state)
{
    (void)state;
    struct choice_rules rules = {.automatic = true};
    assert_int_equal(choice_make(&rules, BOB, true, GIB), CHOICE_TAKE);
    assert_int_equal(choice_make(&rules, BOB, true, GIB + 1), CHOICE_TOO_LARGE);
    rules.most = 2 * GIB;
    assert_int_equal(choice_make(&rules, BOB, true, 2 * GIB), CHOICE_TAKE);
    assert_int_equal(choice_make(&rules, BOB, true, 2 * GIB + 1), CHOICE_TOO_LARGE);
}

static void test_max_holds_when_asked_too(void **state)
{
    (void)state;
    struct choice_rules rules = {.most = 10};
    assert_int_equal(choice_make(&rules, BOB, true, 10), CHOICE_ASK);
    assert_int_equal(choice_make(&rules, BOB, true, 11), CHOICE_TOO_LARGE);
    assert_int_equal(choice_make(&rules, BOB, true, UINT64_MAX), CHOICE_TOO_LARGE);
}

static void test_from_leaves_out_all_others(void **state)
{
    (void)state;
    struct choice_rules rules = {.from = "bob@example.org"};
    assert_int_equal(choice_make(&rules, BOB, true, 1), CHOICE_ASK);
    assert_int_equal(choice_make(&rules, "alice@example.org/x", true, 1), CHOICE_NOT_NAMED);
    assert_int_equal(choice_make(&rules, "bob@example.org.evil.test/x", true, 1), CHOICE_NOT_NAMED);
    assert_int_equal(choice_make(&rules, "bob@example.or/g", true, 1), CHOICE_NOT_NAMED);
}

static void test_auto_takes_from_the_one_who_is_named_though_no_contact(void **state)
{
    (void)state;
    struct choice_rules rules = {.automatic = true, .from = "Bob@example.ORG"};
    assert_int_equal(choice_make(&rules, BOB, false, 1), CHOICE_TAKE);
    assert_int_equal(choice_make(&rules, "alice@example.org/x", true, 1), CHOICE_NOT_NAMED);
    assert_int_equal(choice_make(&rules, BOB, false, GIB + 1), CHOICE_TOO_LARGE);
}

static void test_a_full_jid_names_one_device(void **state)
{
    (void)state;
    struct choice_rules rules = {.from = BOB};
    assert_int_equal(choice_make(&rules, BOB, true, 1), CHOICE_ASK);
    assert_int_equal(choice_make(&rules, "bob@example.org/Phone", true, 1), CHOICE_NOT_NAMED);
    assert_int_equal(choice_make(&rules, "bob@example.org", true, 1), CHOICE_NOT_NAMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_auto_everybody_is_asked_about),
        cmocka_unit_test(test_auto_takes_from_contacts_only),
        cmocka_unit_test(test_auto_takes_no_more_than_a_gibibyte_unless_told),
        cmocka_unit_test(test_max_holds_when_asked_too),
        cmocka_unit_test(test_from_leaves_out_all_others),
        cmocka_unit_test(test_auto_takes_from_the_one_who_is_named_though_no_contact),
        cmocka_unit_test(test_a_full_jid_names_one_device),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
