/* Slots to upload to are only believed as far as they are safe to use. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>

#include "signaling/http_upload.h"

#define SLOT(put, get, headers)                                                                   \
    "<iq xmlns='jabber:client' type='result'><slot xmlns='urn:xmpp:http:upload:0'><put url='" put \
    "'>" headers "</put><get url='" get "'/></slot></iq>"
#define PUT "https://upload.example.org/1/cat.jpg?token=a%20b"
#define GET "https://files.example.org/1/cat.jpg"

static bool read_slot(struct upload_slot *slot, const char *text)
{
    const char *why = NULL;
    struct xml *xml = xml_parse(text, strlen(text));
    assert_non_null(xml);
    bool good = upload_slot_read(slot, xml_root(xml), &why);
    xml_free(xml);
    assert_true(good || why);
    return good;
}

static void test_a_request_names_the_file(void **state)
{
    struct xml *iq = upload_request("upload.example.org", "très cool.jpg", 23456, "image/jpeg");
    char *text = xml_to_string(xml_root(iq));
    (void)state;
    assert_non_null(strstr(text, "to=\"upload.example.org\""));
    assert_non_null(strstr(text, "urn:xmpp:http:upload:0"));
    assert_non_null(strstr(text, "très cool.jpg"));
    assert_non_null(strstr(text, "size=\"23456\""));
    assert_non_null(strstr(text, "content-type=\"image/jpeg\""));
    free(text);
    xml_free(iq);
}

static void test_a_slot_is_read(void **state)
{
    struct upload_slot slot;
    (void)state;
    assert_true(read_slot(&slot, SLOT(PUT, GET,
                                      "<header name='Authorization'>Basic Zm9vOmJhcg==</header>"
                                      "<header name='cookie'>foo=bar</header>"
                                      "<header name='Expires'>0</header>")));
    assert_string_equal(slot.put_url, PUT);
    assert_string_equal(slot.get_url, GET);
    assert_int_equal(slot.header_count, 3);
    assert_string_equal(slot.headers[0].name, "Authorization");
    assert_string_equal(slot.headers[0].value, "Basic Zm9vOmJhcg==");
    assert_string_equal(slot.headers[1].name, "Cookie");
    upload_slot_clear(&slot);
}

static void test_other_headers_are_passed_over(void **state)
{
    struct upload_slot slot;
    (void)state;
    assert_true(
        read_slot(&slot, SLOT(PUT, GET,
                              "<header name='Host'>evil.example</header><header>x</header>"
                              "<header name='Cookie'></header><other name='Cookie'>x</other>"
                              "<header name='X-Forwarded-For'>127.0.0.1</header>")));
    assert_int_equal(slot.header_count, 0);
    upload_slot_clear(&slot);
}

static void test_no_header_makes_another(void **state)
{
    struct upload_slot slot;
    (void)state;
    assert_true(
        read_slot(&slot, SLOT(PUT, GET, "<header name='Cookie'>a=b&#13;&#10;Host: evil</header>")));
    assert_int_equal(slot.header_count, 1);
    assert_string_equal(slot.headers[0].value, "a=bHost: evil");
    upload_slot_clear(&slot);
}

static void test_more_headers_than_there_is_room_for_are_passed_over(void **state)
{
    struct upload_slot slot;
    (void)state;
    assert_true(
        read_slot(&slot, SLOT(PUT, GET,
                              "<header name='Cookie'>1</header><header name='Cookie'>2</header>"
                              "<header name='Cookie'>3</header><header name='Cookie'>4</header>")));
    assert_int_equal(slot.header_count, 3);
    upload_slot_clear(&slot);
}

static void test_only_https_is_taken(void **state)
{
    static const char *const bad[] = {
        SLOT("http://upload.example.org/1", GET, ""),
        SLOT(PUT, "http://files.example.org/1", ""),
        SLOT("ftp://upload.example.org/1", GET, ""),
        SLOT("file:///etc/passwd", GET, ""),
        SLOT("https://", GET, ""),
        SLOT("https:///1", GET, ""),
        SLOT("https://a.example/x y", GET, ""),
        SLOT("https://a.example/&#10;Host:x", GET, ""),
        SLOT("", GET, ""),
        SLOT(PUT, "", ""),
        "<iq xmlns='jabber:client'><slot xmlns='urn:xmpp:http:upload:0'><put/><get/></slot></iq>",
        "<iq xmlns='jabber:client'><slot xmlns='urn:xmpp:http:upload:0'/></iq>",
        "<iq xmlns='jabber:client'/>",
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        struct upload_slot slot;
        assert_false(read_slot(&slot, bad[i]));
        assert_null(slot.put_url);
    }
}

static void test_a_url_that_is_too_long_is_none(void **state)
{
    struct upload_slot slot;
    char *tail = g_strnfill(UPLOAD_URL_MAX, 'x');
    char *text = g_strdup_printf(SLOT("https://a.example/%s", GET, ""), tail);
    (void)state;
    assert_false(read_slot(&slot, text));
    g_free(text);
    g_free(tail);
}

static void test_an_address_may_stand_for_a_name(void **state)
{
    struct upload_slot slot;
    (void)state;
    assert_true(read_slot(&slot, SLOT("https://[::1]:5280/1", "HTTPS://127.0.0.1:5280/1", "")));
    upload_slot_clear(&slot);
}

static jingle_status refusal(const char *error, char *text, size_t size)
{
    char *iq = g_strdup_printf("<iq xmlns='jabber:client' type='error'>%s</iq>", error);
    struct xml *xml = xml_parse(iq, strlen(iq));
    struct stanza stanza;
    struct stanza_error read;
    assert_true(stanza_read(&stanza, xml_root(xml)));
    stanza_error_read(&read, &stanza);
    jingle_status status = upload_refusal(&stanza, &read, text, size);
    xml_free(xml);
    g_free(iq);
    return status;
}

static void test_a_file_that_is_too_large_is_refused_with_the_limit(void **state)
{
    char text[STANZA_ERROR_TEXT];
    (void)state;
    assert_int_equal(
        refusal("<error type='modify'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
                "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>Too large</text>"
                "<file-too-large xmlns='urn:xmpp:http:upload:0'><max-file-size>10485760"
                "</max-file-size></file-too-large></error>",
                text, sizeof text),
        JINGLE_ERROR_NO_UPLOAD);
    assert_non_null(strstr(text, "10.0"));
    assert_non_null(strstr(text, "MiB"));
}

static void test_another_refusal_is_told_in_the_servers_words(void **state)
{
    char text[STANZA_ERROR_TEXT];
    (void)state;
    assert_int_equal(
        refusal("<error type='wait'><resource-constraint "
                "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
                "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>Quota reached</text></error>",
                text, sizeof text),
        JINGLE_ERROR_UPLOAD);
    assert_string_equal(text, "Quota reached");
}

static void test_a_message_is_the_link_and_nothing_else(void **state)
{
    struct xml *message = upload_message("bob@example.org", "je-1", GET, "a cat");
    const xml_node *root = xml_root(message);
    const xml_node *link = xml_child(root, "jabber:x:oob", "x");
    char *body = xml_text(xml_child(root, "jabber:client", "body"));
    char *url = xml_text(xml_child(link, "jabber:x:oob", "url"));
    char *words = xml_text(xml_child(link, "jabber:x:oob", "desc"));
    (void)state;
    assert_string_equal(xml_attribute(root, "type"), "chat");
    assert_string_equal(xml_attribute(root, "to"), "bob@example.org");
    assert_string_equal(body, GET);
    assert_string_equal(url, GET);
    assert_string_equal(words, "a cat");
    assert_non_null(xml_child(root, "urn:xmpp:hints", "store"));
    free(body);
    free(url);
    free(words);
    xml_free(message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_request_names_the_file),
        cmocka_unit_test(test_a_slot_is_read),
        cmocka_unit_test(test_other_headers_are_passed_over),
        cmocka_unit_test(test_no_header_makes_another),
        cmocka_unit_test(test_more_headers_than_there_is_room_for_are_passed_over),
        cmocka_unit_test(test_only_https_is_taken),
        cmocka_unit_test(test_a_url_that_is_too_long_is_none),
        cmocka_unit_test(test_an_address_may_stand_for_a_name),
        cmocka_unit_test(test_a_file_that_is_too_large_is_refused_with_the_limit),
        cmocka_unit_test(test_another_refusal_is_told_in_the_servers_words),
        cmocka_unit_test(test_a_message_is_the_link_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
