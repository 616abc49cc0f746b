/* Links in messages (XEP-0066): what is no address of a file that a person could open is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>

#include "signaling/oob.h"

#define GOOD "https://files.example.org/1/cat.jpg?a=b&amp;c=%20#d"

/* `inside`: of the message. */
static bool read_message(struct oob_link *link, const char *inside)
{
    const char *why = NULL;
    char *text = g_strdup_printf("<message xmlns='jabber:client'>%s</message>", inside);
    struct xml *xml = xml_parse(text, strlen(text));
    assert_non_null(xml);
    bool good = oob_link_read(link, xml_root(xml), &why);
    assert_true(good || (why && *why));
    xml_free(xml);
    g_free(text);
    return good;
}

static bool read_link(struct oob_link *link, const char *inside)
{
    char *text = g_strdup_printf("<body>b</body><x xmlns='jabber:x:oob'>%s</x>", inside);
    bool good = read_message(link, text);
    g_free(text);
    return good;
}

static bool is_link(const char *url)
{
    struct oob_link link;
    char *text = g_strdup_printf("<url>%s</url>", url);
    bool good = read_link(&link, text);
    if (good)
        oob_link_clear(&link);
    assert_null(link.url);
    assert_null(link.description);
    g_free(text);
    return good;
}

static void test_a_link_is_read(void **state)
{
    (void)state;
    struct oob_link link;
    assert_true(read_link(&link, "<url> " GOOD "\n</url><desc>My cat</desc>"));
    assert_string_equal(link.url, "https://files.example.org/1/cat.jpg?a=b&c=%20#d");
    assert_string_equal(link.description, "My cat");
    assert_false(link.encrypted);
    oob_link_clear(&link);
}

static void test_schemes(void **state)
{
    (void)state;
    struct oob_link link;
    assert_true(is_link("http://example.org"));
    assert_true(is_link("HTTPS://example.org/ä.png"));
    assert_true(read_link(&link, "<url>aesgcm://example.org/1#00ff</url>"));
    assert_true(link.encrypted);
    assert_string_equal(link.description, "");
    oob_link_clear(&link);
    assert_false(is_link("file:///etc/passwd"));
    assert_false(is_link("javascript:alert(1)"));
    assert_false(is_link("ftp://example.org/x"));
    assert_false(is_link("xmpp:bob@example.org"));
    assert_false(is_link("example.org/x"));
    assert_false(is_link("httpsx://example.org/x"));
    assert_false(is_link("https:/example.org"));
    assert_false(is_link("https://"));
    assert_false(is_link("https:///x"));
    assert_false(is_link("https://?x"));
    assert_false(is_link(""));
}

static void test_characters_that_belong_in_no_address(void **state)
{
    (void)state;
    assert_false(is_link("https://example.org/a b"));
    assert_false(is_link("https://example.org/a&#9;b"));
    assert_false(is_link("https://example.org/a&#10;b"));
    assert_false(is_link("https://example.org/a&#13;b"));
    assert_false(is_link("https://example.org/a&#x7f;b"));
    assert_false(is_link("https://example.org/a&#x9b;31mb")); /* an escape of 8 bits */
    assert_false(is_link("https://example.org/a&#xa0;b"));
    assert_false(is_link("https://example.org/a&#x3000;b"));
    assert_false(is_link("https://example.org/&#x202e;gpj.exe"));
    assert_false(is_link("https://example.org/a&#x200b;b"));
    assert_false(is_link("https://example.org/a&#x2028;b"));
    assert_false(is_link("https://example.org/a&#xe000;b"));
}

static void test_the_longest_address(void **state)
{
    (void)state;
    char url[OOB_URL_MAX + 2];
    memset(url, 'a', sizeof url);
    memcpy(url, "https://", strlen("https://"));
    url[OOB_URL_MAX] = '\0';
    assert_true(is_link(url));
    url[OOB_URL_MAX] = 'a';
    url[OOB_URL_MAX + 1] = '\0';
    assert_false(is_link(url));
}

static void test_what_is_not_there(void **state)
{
    (void)state;
    struct oob_link link;
    assert_false(read_message(&link, "<body>" GOOD "</body>"));
    assert_false(read_message(&link, "<x xmlns='jabber:x:other'><url>" GOOD "</url></x>"));
    assert_false(read_message(&link, "<x xmlns='jabber:x:oob'/>"));
    assert_false(
        read_message(&link, "<x xmlns='jabber:x:oob'><url xmlns='other'>" GOOD "</url></x>"));
    assert_false(read_message(&link, "<forwarded xmlns='f'><x xmlns='jabber:x:oob'><url>" GOOD
                                     "</url></x></forwarded>"));
}

static void test_the_first_good_one_counts(void **state)
{
    (void)state;
    struct oob_link link;
    assert_true(read_message(&link,
                             "<x xmlns='jabber:x:oob'><url>ftp://example.org/1</url></x>"
                             "<x xmlns='jabber:x:oob'><url>https://example.org/2</url></x>"
                             "<x xmlns='jabber:x:oob'><url>https://example.org/3</url></x>"));
    assert_string_equal(link.url, "https://example.org/2");
    oob_link_clear(&link);
}

static void test_descriptions_are_one_short_line(void **state)
{
    (void)state;
    struct oob_link link;
    assert_true(read_link(
        &link, "<url>" GOOD "</url><desc> a\nb&#x85;c&#x9b;d&#x202e;e\t</desc><desc>f</desc>"));
    assert_string_equal(link.description, "a b c d e");
    oob_link_clear(&link);

    GString *text = g_string_new("<url>" GOOD "</url><desc>x");
    for (size_t i = 0; i < OOB_TEXT_MAX; i++)
        g_string_append(text, "ä");
    g_string_append(text, "</desc>");
    assert_true(read_link(&link, text->str));
    assert_int_equal(strlen(link.description), OOB_TEXT_MAX - 1);
    assert_true(g_utf8_validate(link.description, -1, NULL));
    oob_link_clear(&link);
    g_string_free(text, TRUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_link_is_read),
        cmocka_unit_test(test_schemes),
        cmocka_unit_test(test_characters_that_belong_in_no_address),
        cmocka_unit_test(test_the_longest_address),
        cmocka_unit_test(test_what_is_not_there),
        cmocka_unit_test(test_the_first_good_one_counts),
        cmocka_unit_test(test_descriptions_are_one_short_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
