#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/jid.h"
#include "signaling/ns.h"
#include "signaling/stanza.h"

static struct xml *parse(const char *text)
{
    return xml_parse(text, strlen(text));
}

static void test_jids_are_taken_apart(void **state)
{
    char *bare = jid_bare("user@server/re/s@x");
    char *user = jid_user("user@server/re@s");
    char *domain = jid_domain("user@server/res");

    (void)state;
    assert_string_equal(bare, "user@server");
    assert_string_equal(user, "user");
    assert_string_equal(domain, "server");
    assert_string_equal(jid_resource("user@server/re/s@x"), "re/s@x");
    assert_null(jid_resource("user@server"));
    assert_null(jid_user("server/x@y"));
    g_free(bare);
    g_free(user);
    g_free(domain);
}

static void test_what_is_no_jid_is_told(void **state)
{
    static const char *const bad[] = {"",     "@s",    "u@",       "u@s/",    "/r",
                                      "u@@s", "a b@s", "u@s s",    "u<@s",    "u@s\n",
                                      "\xff", "u:v@s", "u@s/\x01", "u@s/\xff"};
    char *long_part = g_strnfill(JID_PART_MAX + 1, 'x');

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        if (jid_is_valid(bad[i]))
            fail_msg("taken for a JID: %s", bad[i]);
    }
    assert_false(jid_is_valid(NULL));
    assert_false(jid_is_valid(long_part));
    long_part[JID_PART_MAX] = '\0';
    assert_true(jid_is_valid(long_part));
    assert_true(jid_is_valid("Ünal@exämple.org/Mein Gerät ☺"));
    assert_true(jid_is_valid("user@[::1]/x"));
    assert_false(jid_is_full("user@server"));
    assert_true(jid_is_full("user@server/x"));
    g_free(long_part);
}

static void test_user_and_domain_are_compared_folded_and_the_resource_exactly(void **state)
{
    (void)state;
    assert_true(jid_equal("ÜSER@Server/r", "üser@server/r"));
    assert_false(jid_equal("user@server/R", "user@server/r"));
    assert_false(jid_equal("user@server/r", "user@server"));
    assert_true(jid_equal_bare("User@server/a", "user@server/b"));
    assert_false(jid_equal_bare("user@server", "user@server2"));
    assert_false(jid_equal(NULL, NULL));
    assert_false(jid_equal_bare("\xff", "user@server"));
}

static void test_a_stanza_without_namespace_is_of_jabber_client(void **state)
{
    struct xml *xml = parse("<iq type='set' id='1' from='a@b/c'/>");
    struct xml *other = parse("<iq xmlns='jabber:server' type='set'/>");
    struct stanza stanza;

    (void)state;
    assert_true(stanza_read(&stanza, xml_root(xml)));
    assert_true(stanza_is(&stanza, STANZA_IQ, "set"));
    assert_string_equal(stanza.from, "a@b/c");
    assert_null(stanza.to);
    assert_false(stanza_read(&stanza, xml_root(other)));
    assert_false(stanza_read(&stanza, NULL));
    xml_free(xml);
    xml_free(other);
}

static void test_every_error_is_read_as_it_was_written(void **state)
{
    struct xml *xml = parse("<iq type='set' id='7' from='a@b/c' to='me'/>");
    struct stanza request, reply;
    struct stanza_error read;

    (void)state;
    assert_true(stanza_read(&request, xml_root(xml)));
    for (int c = STANZA_BAD_REQUEST; c < STANZA_CONDITION_COUNT; c++) {
        for (int j = 0; j < JINGLE_CONDITION_COUNT; j++) {
            struct stanza_error error = stanza_error_make(c, j, "why");
            struct xml *answer = stanza_error_reply(&request, &error);
            char *text = xml_to_string(xml_root(answer));
            struct xml *again = parse(text);
            assert_true(stanza_read(&reply, xml_root(again)));
            assert_string_equal(reply.to, "a@b/c");
            assert_string_equal(reply.id, "7");
            stanza_error_read(&read, &reply);
            assert_int_equal(read.condition, c);
            assert_int_equal(read.jingle, j);
            assert_int_equal(read.type, error.type);
            assert_string_equal(read.text, "why");
            g_free(text);
            xml_free(again);
            xml_free(answer);
        }
    }
    xml_free(xml);
}

static void test_a_strange_error_is_read_too(void **state)
{
    struct xml *bare = parse("<iq type='error'/>");
    struct xml *old = parse("<iq xmlns='jabber:client' type='error'><error code='400'/></iq>");
    struct stanza stanza;
    struct stanza_error error;

    (void)state;
    assert_true(stanza_read(&stanza, xml_root(bare)));
    stanza_error_read(&error, &stanza);
    assert_int_equal(error.condition, STANZA_UNKNOWN_CONDITION);
    assert_true(stanza_read(&stanza, xml_root(old)));
    stanza_error_read(&error, &stanza);
    assert_int_equal(error.condition, STANZA_UNKNOWN_CONDITION);
    xml_free(bare);
    xml_free(old);
}

static void test_a_long_error_text_is_cut_between_characters(void **state)
{
    GString *text = g_string_new("<message type='error'><error><text xmlns='" NS_STANZAS "'>a");
    struct stanza stanza;
    struct stanza_error error;

    (void)state;
    for (int i = 0; i < 300; i++)
        g_string_append(text, "ü");
    g_string_append(text, "</text></error></message>");
    struct xml *xml = parse(text->str);
    assert_true(stanza_read(&stanza, xml_root(xml)));
    stanza_error_read(&error, &stanza);
    assert_true(g_utf8_validate(error.text, -1, NULL));
    assert_true(strlen(error.text) > 250);
    xml_free(xml);
    g_string_free(text, TRUE);
}

static void test_a_delay_stamp_is_read(void **state)
{
    struct xml *good = parse("<message><delay xmlns='urn:xmpp:delay' "
                             "stamp='2026-11-22T16:15:21.500Z'/></message>");
    struct xml *bad = parse("<message><delay xmlns='urn:xmpp:delay' stamp='yesterday'/></message>");
    struct stanza stanza;
    int64_t when = 0;

    (void)state;
    assert_true(stanza_read(&stanza, xml_root(good)));
    assert_true(stanza_delay(&stanza, &when));
    assert_true(when == INT64_C(1795364121500000));
    assert_true(stanza_read(&stanza, xml_root(bad)));
    assert_false(stanza_delay(&stanza, &when));
    xml_free(good);
    xml_free(bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jids_are_taken_apart),
        cmocka_unit_test(test_what_is_no_jid_is_told),
        cmocka_unit_test(test_user_and_domain_are_compared_folded_and_the_resource_exactly),
        cmocka_unit_test(test_a_stanza_without_namespace_is_of_jabber_client),
        cmocka_unit_test(test_every_error_is_read_as_it_was_written),
        cmocka_unit_test(test_a_strange_error_is_read_too),
        cmocka_unit_test(test_a_long_error_text_is_cut_between_characters),
        cmocka_unit_test(test_a_delay_stamp_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
