/* Addresses as people type them (XEP-0106), and what people are called. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>

#include "signaling/display_name.h"
#include "signaling/jid.h"
#include "signaling/ns.h"

static void assert_typed(const char *typed, const char *jid)
{
    char *made = jid_from_text(typed);
    if (g_strcmp0(made, jid) != 0)
        fail_msg("%s: %s in place of %s", typed, made, jid);
    g_free(made);
}

static void test_what_is_typed_is_escaped(void **state)
{
    (void)state;
    assert_typed("tel:+1 (555) 1234@gateway.example", "tel\\3a+1\\20(555)\\201234@gateway.example");
    assert_typed("space cadet@example.com", "space\\20cadet@example.com");
    assert_typed("call me \"ishmael\"@example.com", "call\\20me\\20\\22ishmael\\22@example.com");
    assert_typed("d'artagnan@example.com", "d\\27artagnan@example.com");
    assert_typed("alice@x.example@gateway.example", "alice\\40x.example@gateway.example");
    assert_typed("\\2plus\\2 is \\4@example.com", "\\2plus\\2\\20is\\20\\4@example.com");
    assert_typed("a \\20 b@example.com", "a\\20\\5c20\\20b@example.com");
    assert_typed("  +1 555@gateway.example ", "+1\\20555@gateway.example");
}

static void test_an_address_stays_as_it_is(void **state)
{
    (void)state;
    assert_typed("+15551234@cheogram.example", "+15551234@cheogram.example");
    assert_typed("bob@example.org/my phone", "bob@example.org/my phone");
    assert_typed("space\\20cadet@example.com", "space\\20cadet@example.com");
    assert_typed("example.org/x@y", "example.org/x@y");
}

static void test_what_is_no_address_is_refused(void **state)
{
    (void)state;
    const char *const bad[] = {"", "@", "a b", "bob@", "a b@", "@example.org", "a b@x y", NULL};
    for (size_t i = 0; bad[i]; i++)
        assert_typed(bad[i], NULL);
    assert_typed(NULL, NULL);
    char *endless = g_strnfill(400, ' ');
    char *typed = g_strdup_printf("a%sb@example.org", endless); /* three bytes for each */
    assert_typed(typed, NULL);
    g_free(typed);
    g_free(endless);
}

static void test_escapes_are_not_shown(void **state)
{
    (void)state;
    const char *const shown[][2] = {
        {"+1\\20(555)\\201234@gateway.example/sip", "+1 (555) 1234"},
        {"\\5c20@example.org", "\\20"},
        {"\\00\\0a\\1b\\41\\2@example.org", "\\00\\0a\\1b\\41\\2"},
        {"gateway.example", "gateway.example"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(shown); i++) {
        char *user = jid_user_unescaped(shown[i][0]);
        assert_string_equal(user, shown[i][1]);
        g_free(user);
    }
}

/* -------------------------------------------------------------------------------- names -- */

static void ignore(void *user, const struct roster_item *item, bool removed)
{
    (void)user;
    (void)item;
    (void)removed;
}

static struct roster *make_roster(void)
{
    static const char items[] = "<query xmlns='" NS_ROSTER "'>"
                                "<item jid='bob@example.org' name='Robert'/>"
                                "<item jid='carol@example.org'/>"
                                "<item jid='dan@example.org' name='&#x202e; &#x9;&#x200b;'/>"
                                "</query>";
    struct roster *roster = roster_new(ignore, NULL);
    struct xml *xml = xml_parse(items, strlen(items));
    roster_read(roster, xml_root(xml));
    xml_free(xml);
    return roster;
}

static void assert_named(const struct roster *roster, const char *jid, const char *nick,
                         const char *expected)
{
    char *name = display_name(roster, jid, nick);
    if (strcmp(name, expected) != 0)
        fail_msg("%s, \"%s\": \"%s\" in place of \"%s\"", jid, nick ? nick : "", name, expected);
    g_free(name);
}

static void test_the_roster_names_first_then_the_person_then_the_address(void **state)
{
    (void)state;
    struct roster *roster = make_roster();
    assert_named(roster, "bob@example.org/phone", "Bobby", "Robert");
    assert_named(roster, "carol@example.org/phone", "Caro", "Caro");
    assert_named(roster, "carol@example.org/phone", NULL, "carol");
    assert_named(roster, "dan@example.org", NULL, "dan");
    assert_named(roster, "+1\\20555@gateway.example", "", "+1 555");
    assert_named(roster, "example.org", NULL, "example.org");
    roster_free(roster);
}

static void test_nobody_gets_the_name_of_somebody_else(void **state)
{
    (void)state;
    struct roster *roster = make_roster();
    assert_named(roster, "mallory@evil.example", "Robert", "mallory");
    assert_named(roster, "mallory@evil.example", " rOBERT\xe2\x80\x8b ", "mallory");
    assert_named(roster, "mallory@evil.example", "Ｒobert", "mallory");
    assert_named(roster, "mallory@evil.example",
                 "Rob\xcd\x8f\xef\xb8\x8f\xe1\x85\xa0"
                 "ert",
                 "mallory");
    assert_named(roster, "mallory@evil.example", "Robert\xe3\x85\xa4", "mallory");
    assert_named(roster, "mallory@evil.example", "carol", "mallory");
    assert_named(roster, "mallory@evil.example", "bob@example.org", "mallory");
    assert_named(roster, "mallory@evil.example", "bob＠example.org", "mallory");
    assert_named(roster, "carol@evil.example/x", NULL, "carol@evil.example");
    assert_named(roster, "bob\\40example.org@evil.example", NULL,
                 "bob\\40example.org@evil.example");
    assert_named(roster, "carol@example.org", "carol", "carol");
    roster_free(roster);
}

static void test_a_name_is_one_safe_line(void **state)
{
    (void)state;
    struct roster *roster = make_roster();
    assert_named(roster, "m@x",
                 "\xe2\x80\xae"
                 "ecila",
                 "ecila");
    assert_named(roster, "m@x",
                 "a\033[2J\nb\r\t c\xe2\x80\xa8"
                 "d",
                 "a[2J b c d");
    assert_named(roster, "m@x", "a\xff", "a\xef\xbf\xbd");
    assert_named(roster, "m@x", "Zoë Грачёва ☺", "Zoë Грачёва ☺");
    assert_named(roster, "m@x", "\xe3\x85\xa4\xe2\xa0\x80", "m"); /* blank, but no space */
    assert_named(roster, "bob\xe2\x80\xae@x.example", "Robert", "bob");
    assert_named(roster, "carol@\xe2\x80\xaex.example", NULL, "carol@x.example");
    assert_named(roster, "\xe2\x80\xae", NULL, "?");
    char *endless = g_strnfill(5000, 'x');
    assert_named(roster, "m@x", endless, "m");
    endless[200] = '\0';
    char *name = display_name(roster, "m@x", endless);
    assert_int_equal(g_utf8_strlen(name, -1), DISPLAY_NAME_MAX);
    assert_true(g_str_has_suffix(name, "…"));
    g_free(name);
    g_free(endless);
    roster_free(roster);
}

static void test_nicknames_are_bounded_and_forgotten(void **state)
{
    (void)state;
    struct nicknames *nicknames = nicknames_new();
    nicknames_set(nicknames, "Bob@example.org/a", "Bobby");
    assert_string_equal(nicknames_find(nicknames, "bob@example.org/b"), "Bobby");
    nicknames_set(nicknames, "bob@example.org", NULL);
    assert_null(nicknames_find(nicknames, "bob@example.org"));
    char jid[32];
    for (int i = 0; i <= NICKNAMES_MAX; i++) {
        g_snprintf(jid, sizeof jid, "p%d@x", i);
        nicknames_set(nicknames, jid, "Somebody");
    }
    assert_null(nicknames_find(nicknames, jid));
    nicknames_set(nicknames, "p0@x", "Else");
    assert_string_equal(nicknames_find(nicknames, "p0@x"), "Else");
    nicknames_free(nicknames);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_typed_is_escaped),
        cmocka_unit_test(test_an_address_stays_as_it_is),
        cmocka_unit_test(test_what_is_no_address_is_refused),
        cmocka_unit_test(test_escapes_are_not_shown),
        cmocka_unit_test(test_the_roster_names_first_then_the_person_then_the_address),
        cmocka_unit_test(test_nobody_gets_the_name_of_somebody_else),
        cmocka_unit_test(test_a_name_is_one_safe_line),
        cmocka_unit_test(test_nicknames_are_bounded_and_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
