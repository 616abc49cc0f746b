#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/ibb_transport.h"
#include "signaling/ns.h"

/* ----------------------------------------------------------------------------- transport -- */

static void read_transport(struct ibb_transport *transport, const char *attributes)
{
    char *text = g_strdup_printf("<transport xmlns='" NS_IBB_TRANSPORT "' %s/>", attributes);
    struct xml *xml = xml_parse(text, strlen(text));

    assert_non_null(xml);
    ibb_transport_read(transport, xml_root(xml));
    xml_free(xml);
    g_free(text);
}

static void test_the_specification_s_transport_is_read(void **state)
{
    struct ibb_transport transport;

    (void)state;
    read_transport(&transport, "block-size='4096' sid='ch3d9s71'");
    assert_string_equal(transport.sid, "ch3d9s71");
    assert_int_equal(transport.block_size, 4096);
    assert_false(transport.messages);
    read_transport(&transport, "block-size='65535' sid='s' stanza='message'");
    assert_int_equal(transport.block_size, 65535);
    assert_true(transport.messages);
    read_transport(&transport, "sid='s' stanza='iq'");
    assert_false(transport.messages);
}

static void test_gajim_s_sid_of_none_is_read_as_it_stands(void **state)
{
    struct ibb_transport transport;

    (void)state;
    read_transport(&transport, "block-size='4096' sid='None'");
    assert_string_equal(transport.sid, "None");
}

static void test_a_block_size_that_is_none_is_0(void **state)
{
    static const char *const none[] = {"", "block-size=''", "block-size='65536'", "block-size='-1'",
                                       "block-size='4k'"};
    struct ibb_transport transport;

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(none); i++) {
        read_transport(&transport, none[i]);
        assert_int_equal(transport.block_size, 0);
        assert_string_equal(transport.sid, "");
    }
}

static void test_a_written_transport_is_read_back_the_same(void **state)
{
    struct ibb_transport transport = {.sid = "<&>", .block_size = 8192, .messages = true}, again;
    struct xml *xml = xml_new(NS_JINGLE, "content");

    (void)state;
    ibb_transport_write(&transport, xml_root(xml));
    ibb_transport_read(&again, xml_child(xml_root(xml), NS_IBB_TRANSPORT, "transport"));
    assert_string_equal(again.sid, "<&>");
    assert_int_equal(again.block_size, 8192);
    assert_true(again.messages);
    xml_free(xml);
}

/* ------------------------------------------------------------------------------- stanzas -- */

/* NULL: it was read; else the cause. */
static const char *read_stanza(struct ibb_stanza *stanza, const char *element)
{
    char *text = g_strdup_printf("<iq xmlns='jabber:client' type='set' id='1'>\n%s</iq>", element);
    struct xml *xml = xml_parse(text, strlen(text));
    const char *why = "";

    assert_non_null(xml);
    const xml_node *found = ibb_stanza_find(xml_root(xml));
    assert_non_null(found);
    bool good = ibb_stanza_read(stanza, found, &why);
    xml_free(xml);
    g_free(text);
    return good ? NULL : why;
}

#define OPEN(attributes)       "<open xmlns='" NS_IBB "' " attributes "/>"
#define DATA(attributes, text) "<data xmlns='" NS_IBB "' " attributes ">" text "</data>"

static void test_the_specification_s_stanzas_are_read(void **state)
{
    struct ibb_stanza stanza;

    (void)state;
    assert_null(read_stanza(&stanza, OPEN("block-size='4096' sid='i781hf64' stanza='iq'")));
    assert_int_equal(stanza.kind, IBB_OPEN);
    assert_string_equal(stanza.sid, "i781hf64");
    assert_int_equal(stanza.block_size, 4096);
    assert_false(stanza.messages);
    ibb_stanza_clear(&stanza);
    assert_null(read_stanza(
        &stanza,
        DATA("seq='0' sid='i781hf64'",
             "\n    qANQR1DBwU4DX7jmYZnncmUQB/9KuKBddzQH+tZ1ZywKK0yHKnq57kWq+RFtQdCJ"
             "\n    WpdWpR0uQsuJe7+vh3NWn59/gTc5MDlX8dS9p0ovStmNcyLhxVgmqS8ZKhsblVeu"
             "\n    IpQ0JgavABqibJolc3BKrVtVV1igKiX/N7Pi8RtY1K18toaMDhdEfhBRzO/XB0+P"
             "\n    AQhYlRjNacGcslkhXqNjK5Va4tuOAPy2n1Q8UUrHbUd0g+xJ9Bm0G0LZXyvCWyKH"
             "\n    kuNEHFQiLuCY6Iv0myq6iX6tjuHehZlFSh80b5BVV9tNLwNR5Eqz1klxMhoghJOA\n  ")));
    assert_int_equal(stanza.kind, IBB_DATA);
    assert_int_equal(stanza.seq, 0);
    assert_int_equal(stanza.size, 240);
    assert_int_equal(stanza.bytes[0], 0xa8);
    assert_int_equal(stanza.bytes[239], 0x80);
    ibb_stanza_clear(&stanza);
    assert_null(stanza.bytes);
    assert_null(read_stanza(&stanza, "<close xmlns='" NS_IBB "' sid='i781hf64'/>"));
    assert_int_equal(stanza.kind, IBB_CLOSE);
    ibb_stanza_clear(&stanza);
}

static void test_conversations_does_not_wrap_its_numbers(void **state)
{
    struct ibb_stanza stanza;

    (void)state;
    assert_null(read_stanza(&stanza, DATA("seq='65536' sid='s' block-size='8192'", "QUJD")));
    assert_int_equal(stanza.seq, 65536);
    assert_memory_equal(stanza.bytes, "ABC", 3);
    ibb_stanza_clear(&stanza);
    assert_null(read_stanza(&stanza, DATA("seq='4294967295' sid='s'", "")));
    assert_true(stanza.seq == UINT32_MAX);
    assert_int_equal(stanza.size, 0);
    ibb_stanza_clear(&stanza);
}

static void assert_malformed(const char *element, const char *why)
{
    struct ibb_stanza stanza;
    const char *told = read_stanza(&stanza, element);

    if (told == NULL)
        fail_msg("not refused: %s", element);
    assert_string_equal(told, why);
    assert_null(stanza.bytes);
}

static void test_malformed_stanzas_are_refused_with_their_cause(void **state)
{
    static const char base64[] = "a block that is no base64";

    (void)state;
    assert_malformed(OPEN("block-size='4096'"), "a stream without a sid");
    assert_malformed(OPEN("block-size='4096' sid=''"), "a stream without a sid");
    assert_malformed("<close xmlns='" NS_IBB "'/>", "a stream without a sid");
    assert_malformed(DATA("seq='0'", "QUJD"), "a stream without a sid");
    assert_malformed(OPEN("sid='s'"), "a stream without a block size");
    assert_malformed(OPEN("sid='s' block-size='0'"), "a stream without a block size");
    assert_malformed(OPEN("sid='s' block-size='65536'"), "a stream without a block size");
    assert_malformed(DATA("sid='s'", "QUJD"), "a block without a number");
    assert_malformed(DATA("sid='s' seq='-1'", "QUJD"), "a block without a number");
    assert_malformed(DATA("sid='s' seq='4294967296'", "QUJD"), "a block without a number");
    assert_malformed(DATA("sid='s' seq='0'", "QUJ"), base64);
    assert_malformed(DATA("sid='s' seq='0'", "QUJ!"), base64);
    assert_malformed(DATA("sid='s' seq='0'", "QU=J"), base64);
    assert_malformed(DATA("sid='s' seq='0'", "QQ==QUJD"), base64);
    assert_malformed(DATA("sid='s' seq='0'", "Q==="), base64);
    assert_malformed(DATA("sid='s' seq='0'", "===="), base64);
    assert_malformed(DATA("sid='s' seq='0'", "=QUJ"), base64);
}

static void test_a_block_has_at_most_65535_bytes(void **state)
{
    guchar *bytes = g_malloc0(IBB_BYTES_MAX + 1);
    struct ibb_stanza stanza;

    (void)state;
    for (size_t more = 0; more <= 1; more++) {
        char *base64 = g_base64_encode(bytes, IBB_BYTES_MAX + more);
        char *text = g_strdup_printf(DATA("sid='s' seq='0'", "%s"), base64);
        const char *why = read_stanza(&stanza, text);
        assert_int_equal(why == NULL, more == 0);
        assert_int_equal(stanza.size, more == 0 ? IBB_BYTES_MAX : 0);
        ibb_stanza_clear(&stanza);
        g_free(base64);
        g_free(text);
    }
    g_free(bytes);
}

static void test_a_sid_that_is_too_long_is_none(void **state)
{
    char *sid = g_strnfill(IBB_SID_SIZE, 's');
    char *text = g_strdup_printf(OPEN("block-size='1' sid='%s'"), sid);

    (void)state;
    assert_malformed(text, "a stream without a sid");
    g_free(text);
    g_free(sid);
}

static void test_other_stanzas_are_none_of_it(void **state)
{
    static const char text[] = "<iq xmlns='jabber:client' type='set'><open/><data "
                               "xmlns='urn:xmpp:bob'/><other xmlns='" NS_IBB "'/></iq>";
    struct xml *xml = xml_parse(text, strlen(text));

    (void)state;
    assert_null(ibb_stanza_find(xml_root(xml)));
    xml_free(xml);
}

/* ------------------------------------------------------------------------------- writing -- */

static void read_back(struct ibb_stanza *stanza, struct xml *iq)
{
    const char *why;

    assert_string_equal(xml_attribute(xml_root(iq), "type"), "set");
    assert_string_equal(xml_attribute(xml_root(iq), "to"), "a@b/c");
    assert_null(xml_attribute(xml_root(iq), "id"));
    assert_true(ibb_stanza_read(stanza, ibb_stanza_find(xml_root(iq)), &why));
    xml_free(iq);
}

static void test_written_stanzas_are_read_back_the_same(void **state)
{
    struct ibb_transport transport = {.sid = "s", .block_size = 4096};
    struct ibb_stanza stanza;

    (void)state;
    read_back(&stanza, ibb_open_iq("a@b/c", &transport));
    assert_int_equal(stanza.kind, IBB_OPEN);
    assert_int_equal(stanza.block_size, 4096);
    assert_string_equal(stanza.sid, "s");
    ibb_stanza_clear(&stanza);
    read_back(&stanza, ibb_data_iq("a@b/c", "s", 65535, (const uint8_t *)"\0\xff\x10z", 4));
    assert_int_equal(stanza.kind, IBB_DATA);
    assert_int_equal(stanza.seq, 65535);
    assert_int_equal(stanza.size, 4);
    assert_memory_equal(stanza.bytes, "\0\xff\x10z", 4);
    ibb_stanza_clear(&stanza);
    read_back(&stanza, ibb_close_iq("a@b/c", "s"));
    assert_int_equal(stanza.kind, IBB_CLOSE);
    ibb_stanza_clear(&stanza);
}

static void test_open_says_which_stanzas_carry_the_data(void **state)
{
    struct ibb_transport transport = {.sid = "s", .block_size = 4096};
    struct xml *iq = ibb_open_iq("a@b/c", &transport);

    (void)state;
    assert_string_equal(xml_attribute(ibb_stanza_find(xml_root(iq)), "stanza"), "iq");
    xml_free(iq);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_specification_s_transport_is_read),
        cmocka_unit_test(test_gajim_s_sid_of_none_is_read_as_it_stands),
        cmocka_unit_test(test_a_block_size_that_is_none_is_0),
        cmocka_unit_test(test_a_written_transport_is_read_back_the_same),
        cmocka_unit_test(test_the_specification_s_stanzas_are_read),
        cmocka_unit_test(test_conversations_does_not_wrap_its_numbers),
        cmocka_unit_test(test_malformed_stanzas_are_refused_with_their_cause),
        cmocka_unit_test(test_a_block_has_at_most_65535_bytes),
        cmocka_unit_test(test_a_sid_that_is_too_long_is_none),
        cmocka_unit_test(test_other_stanzas_are_none_of_it),
        cmocka_unit_test(test_written_stanzas_are_read_back_the_same),
        cmocka_unit_test(test_open_says_which_stanzas_carry_the_data),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
