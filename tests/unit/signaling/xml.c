#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/xml.h"

static struct xml *parse(const char *text)
{
    return xml_parse(text, strlen(text));
}

static void assert_refused(const char *text)
{
    struct xml *xml = parse(text);

    if (xml != NULL)
        fail_msg("not refused: %.80s", text);
}

static void test_what_is_not_one_whole_element_is_refused(void **state)
{
    (void)state;
    assert_null(xml_parse(NULL, 0));
    assert_refused("");
    assert_refused("hello");
    assert_refused("<a>");
    assert_refused("<a/><b/>");
    assert_refused("<a/>text");
    assert_refused("<a b='1' b='2'/>");
    assert_refused("<a b=1/>");
    assert_refused("<a>&nbsp;</a>");
    assert_refused("<a>\x01</a>");
    assert_refused("<a>\xff\xfe</a>");
    assert_refused("<p:a/>");
    assert_refused("<a p:b='1'/>");
}

static void test_a_dtd_is_refused_before_its_entities_grow(void **state)
{
    (void)state;
    assert_refused("<!DOCTYPE a><a/>");
    assert_refused("<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>");
    assert_refused("<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>");
    assert_refused("<!DOCTYPE a [<!ENTITY x 'yyyyyyyyyy'><!ENTITY z '&x;&x;&x;'>]><a>&z;</a>");
}

static void test_depth_and_length_are_limited(void **state)
{
    GString *deep = g_string_new(NULL);

    (void)state;
    for (int i = 0; i < 10000; i++)
        g_string_append(deep, "<a>");
    for (int i = 0; i < 10000; i++)
        g_string_append(deep, "</a>");
    assert_refused(deep->str);
    g_string_assign(deep, "<a>");
    for (size_t i = 0; i < XML_BYTES_MAX; i++)
        g_string_append_c(deep, 'x');
    g_string_append(deep, "</a>");
    assert_refused(deep->str);
    g_string_free(deep, TRUE);
}

static char *element_with_attributes(const char *before, int count)
{
    GString *text = g_string_new(before);

    for (int i = 0; i < count; i++)
        g_string_append_printf(text, " a%d='='", i);
    g_string_append(text, "/></r>");
    return g_string_free(text, FALSE);
}

static void test_the_attributes_of_an_element_are_limited(void **state)
{
    static const char *const before[] = {"<r><e", "<r><![CDATA[ \" ' ]]><e", "<r k='>'>'\"<e"};

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(before); i++) {
        char *fits = element_with_attributes(before[i], XML_ATTRIBUTES_MAX);
        char *too_many = element_with_attributes(before[i], XML_ATTRIBUTES_MAX + 1);
        struct xml *xml = parse(fits);
        assert_non_null(xml);
        assert_refused(too_many);
        xml_free(xml);
        g_free(fits);
        g_free(too_many);
    }
}

static void test_names_namespaces_and_attributes_are_read(void **state)
{
    struct xml *xml = parse("<a xmlns='urn:x' xmlns:p='urn:y' k='1 &lt; &#x32;' e=''>"
                            " <p:b p:k='no'/> t<![CDATA[<e>]]> <c xmlns=''/></a>");
    const xml_node *root = xml_root(xml);

    (void)state;
    assert_non_null(xml);
    assert_true(xml_is(root, "urn:x", "a"));
    assert_false(xml_is(root, "urn:y", "a"));
    assert_string_equal(xml_attribute(root, "k"), "1 < 2");
    assert_string_equal(xml_attribute(root, "e"), "");
    assert_null(xml_attribute(root, "none"));
    const xml_node *b = xml_first(root);
    assert_true(xml_is(b, "urn:y", "b"));
    assert_null(xml_attribute(b, "k"));
    const xml_node *c = xml_next(b);
    assert_true(xml_is(c, "", "c"));
    assert_null(xml_next(c));
    char *text = xml_text(root);
    assert_string_equal(text, "t<e>");
    g_free(text);
    xml_free(xml);
}

static void test_numbers_are_strict(void **state)
{
    static const char *const bad[] = {
        "", " 1", "1 ", "+1", "-1", "0x1", "1.0", "256", "99999999999999999999999"};
    uint64_t value = 7;

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        struct xml *xml = xml_new("", "a");
        xml_set(xml_root(xml), "n", bad[i]);
        assert_false(xml_attribute_number(xml_root(xml), "n", 255, &value));
        assert_int_equal(value, 7);
        xml_free(xml);
    }
    struct xml *xml = parse("<a n='255' big='18446744073709551615'/>");
    assert_true(xml_attribute_number(xml_root(xml), "n", 255, &value));
    assert_int_equal(value, 255);
    assert_true(xml_attribute_number(xml_root(xml), "big", UINT64_MAX, &value));
    assert_true(value == UINT64_MAX);
    assert_false(xml_attribute_number(xml_root(xml), "none", 255, &value));
    xml_free(xml);
}

static void test_built_xml_declares_a_namespace_only_where_it_changes(void **state)
{
    struct xml *xml = xml_new("jabber:client", "iq");
    xml_node *jingle = xml_add(xml_root(xml), "urn:j", "jingle");
    xml_node *content = xml_add(jingle, NULL, "content");

    (void)state;
    xml_set(content, "name", "a'\"<&>\n");
    xml_set_number(content, "n", 5);
    xml_set(content, "nothing", NULL);
    xml_add_text(content, "urn:t", "t", "x<y");
    char *text = xml_to_string(xml_root(xml));
    assert_string_equal(text, "<iq xmlns=\"jabber:client\"><jingle xmlns=\"urn:j\">"
                              "<content name=\"a'&quot;&lt;&amp;&gt;&#10;\" n=\"5\">"
                              "<t xmlns=\"urn:t\">x&lt;y</t></content></jingle></iq>");
    struct xml *again = parse(text);
    assert_non_null(again);
    const xml_node *read = xml_first(xml_first(xml_root(again)));
    assert_string_equal(xml_attribute(read, "name"), "a'\"<&>\n");
    g_free(text);
    xml_free(again);
    xml_free(xml);
}

static void test_what_xml_cannot_carry_is_replaced(void **state)
{
    struct xml *xml = xml_new("", "a");

    (void)state;
    xml_set(xml_root(xml), "k", "\x01 \xff ü");
    xml_set_text(xml_root(xml), "\x0b");
    char *text = xml_to_string(xml_root(xml));
    struct xml *again = parse(text);
    assert_non_null(again);
    assert_string_equal(xml_attribute(xml_root(again), "k"), "\xef\xbf\xbd \xef\xbf\xbd ü");
    g_free(text);
    xml_free(again);
    xml_free(xml);
}

static void test_a_copied_element_keeps_its_namespaces(void **state)
{
    struct xml *xml = parse("<a xmlns='urn:x' xmlns:p='urn:y'><p:b><c/></p:b></a>");
    struct xml *copy = xml_copy(xml_first(xml_root(xml)));
    struct xml *other = xml_new("urn:z", "o");

    (void)state;
    xml_free(xml);
    assert_true(xml_is(xml_root(copy), "urn:y", "b"));
    assert_true(xml_is(xml_first(xml_root(copy)), "urn:x", "c"));
    xml_add_copy(xml_root(other), xml_root(copy));
    xml_free(copy);
    char *text = xml_to_string(xml_root(other));
    struct xml *again = parse(text);
    assert_non_null(xml_child(xml_child(xml_root(again), "urn:y", "b"), "urn:x", "c"));
    g_free(text);
    xml_free(again);
    xml_free(other);
}

static void test_a_namespace_with_an_ampersand_can_be_echoed(void **state)
{
    struct xml *xml = parse("<a xmlns='http://x/?a=1&amp;b=2'><b xmlns='foo'/></a>");
    struct xml *reply = xml_new("urn:r", "r");

    (void)state;
    xml_add_copy(xml_root(reply), xml_root(xml));
    xml_add(xml_root(reply), xml_ns(xml_root(xml)), "t");
    char *text = xml_to_string(xml_root(reply));
    struct xml *again = parse(text);
    assert_non_null(again);
    assert_string_equal(xml_ns(xml_first(xml_root(again))), xml_ns(xml_root(xml)));
    g_free(text);
    xml_free(again);
    xml_free(reply);
    xml_free(xml);
    assert_refused("<a xmlns='a&lt;b'/>");
    assert_refused("<a xmlns='a&quot;b'/>");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_not_one_whole_element_is_refused),
        cmocka_unit_test(test_a_dtd_is_refused_before_its_entities_grow),
        cmocka_unit_test(test_depth_and_length_are_limited),
        cmocka_unit_test(test_the_attributes_of_an_element_are_limited),
        cmocka_unit_test(test_names_namespaces_and_attributes_are_read),
        cmocka_unit_test(test_numbers_are_strict),
        cmocka_unit_test(test_built_xml_declares_a_namespace_only_where_it_changes),
        cmocka_unit_test(test_what_xml_cannot_carry_is_replaced),
        cmocka_unit_test(test_a_copied_element_keeps_its_namespaces),
        cmocka_unit_test(test_a_namespace_with_an_ampersand_can_be_echoed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
