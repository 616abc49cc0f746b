#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/ns.h"
#include "signaling/s5b.h"

#define ROMEO  "romeo@montague.lit/orchard"
#define JULIET "juliet@capulet.lit/balcony"

/* XEP-0260, 2.2 */
#define OFFER_ADDRESS  "972b7bf47291ca609517f67f86b5081086052dad"
#define ANSWER_ADDRESS "1a12fb7bc625e55f3ed5b29a53dbe0e4aa7d80ba"

#define TRANSPORT(attributes, inner) \
    "<transport xmlns='" NS_S5B "' " attributes ">" inner "</transport>"

static void read_text(struct s5b_transport *transport, const char *text)
{
    struct xml *xml = xml_parse(text, strlen(text));

    assert_non_null(xml);
    s5b_read(transport, xml_root(xml));
    xml_free(xml);
}

#define XEP_OFFER                                                                               \
    TRANSPORT(                                                                                  \
        "dstaddr='" OFFER_ADDRESS "' mode='tcp' sid='vj3hs98y'",                                \
        "\n  <candidate cid='hft54dqy' host='192.168.4.1' jid='" ROMEO                          \
        "' port='5086' priority='8257636' type='direct'/>"                                      \
        "\n  <candidate cid='grt654q2' host='2001:638:708:30c9:219:d1ff:fea4:a17d' jid='" ROMEO \
        "' port='6539' priority='8257606' type='direct'/>"                                      \
        "\n  <candidate cid='hr65dqyd' host='134.102.201.180' jid='" ROMEO                      \
        "' port='16453' priority='7929856' type='assisted'/>"                                   \
        "\n  <candidate cid='xmdh4b7i' host='123.456.7.8' jid='streamer.shakespeare.lit'"       \
        " port='7625' priority='7878787' type='proxy'/>\n")

static void test_the_specification_s_offer_is_read(void **state)
{
    struct s5b_transport transport;

    (void)state;
    read_text(&transport, XEP_OFFER);
    assert_string_equal(transport.sid, "vj3hs98y");
    assert_string_equal(transport.dstaddr, OFFER_ADDRESS);
    assert_false(transport.udp);
    assert_true(transport.writes_mode);
    assert_int_equal(transport.word, S5B_NO_WORD);
    assert_int_equal(transport.candidate_count, 4);
    const struct s5b_candidate *direct = s5b_find(&transport, "hft54dqy");
    assert_string_equal(direct->host, "192.168.4.1");
    assert_string_equal(direct->jid, ROMEO);
    assert_int_equal(direct->port, 5086);
    assert_int_equal(direct->priority, 8257636);
    assert_int_equal(direct->type, S5B_DIRECT);
    assert_int_equal(transport.candidates[2].type, S5B_ASSISTED);
    assert_int_equal(transport.candidates[3].type, S5B_PROXY);
    assert_string_equal(transport.candidates[3].jid, "streamer.shakespeare.lit");
    assert_null(s5b_find(&transport, "none"));
    s5b_clear(&transport);
    assert_int_equal(transport.candidate_count, 0);
}

static void test_every_word_is_read_as_it_was_written(void **state)
{
    static const struct {
        const char *inner, *cid;
        enum s5b_word word;
    } words[] = {
        {"<candidate-used cid='hr65dqyd'/>", "hr65dqyd", S5B_CANDIDATE_USED},
        {"<candidate-error/>", "", S5B_CANDIDATE_ERROR},
        {"<activated cid='xmdh4b7i'/>", "xmdh4b7i", S5B_ACTIVATED},
        {"<proxy-error/>", "", S5B_PROXY_ERROR},
        {"<candidate-used/>", "", S5B_CANDIDATE_USED},
        {"<candidate-lost/>", "", S5B_NO_WORD},
        {"<candidate-error xmlns='urn:x'/>", "", S5B_NO_WORD},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        char *text = g_strdup_printf(TRANSPORT("sid='s'", "%s"), words[i].inner);
        struct xml *xml = xml_new(NS_JINGLE, "content");
        struct s5b_transport transport, again;
        read_text(&transport, text);
        assert_int_equal(transport.word, words[i].word);
        assert_string_equal(transport.cid, words[i].cid);
        s5b_write(&transport, xml_root(xml));
        s5b_read(&again, xml_first(xml_root(xml)));
        assert_int_equal(again.word, words[i].word);
        assert_string_equal(again.cid, words[i].cid);
        xml_free(xml);
        g_free(text);
    }
}

static void test_of_several_words_the_first_counts(void **state)
{
    struct s5b_transport transport;

    (void)state;
    read_text(&transport, TRANSPORT("sid='s'", "<candidate-used cid='a'/><candidate-error/>"
                                               "<activated cid='b'/>"));
    assert_int_equal(transport.word, S5B_CANDIDATE_USED);
    assert_string_equal(transport.cid, "a");
}

/* ---------------------------------------------------------------------------- real clients -- */

static void test_psi_s_candidates_need_no_jid_type_or_port(void **state)
{
    struct s5b_transport transport;

    (void)state;
    read_text(&transport,
              TRANSPORT("sid='s' block-size='8192'",
                        "\n <candidate cid='a' host='10.0.0.1' priority='8257536'/>\n "));
    assert_int_equal(transport.candidate_count, 1);
    assert_null(transport.candidates[0].jid);
    assert_int_equal(transport.candidates[0].type, S5B_DIRECT);
    assert_int_equal(transport.candidates[0].port, 1080);
    assert_string_equal(transport.dstaddr, "");
    assert_false(transport.writes_mode);
    s5b_clear(&transport);
}

static void test_psi_s_proxy_may_have_no_host_if_it_can_be_asked(void **state)
{
    struct s5b_transport transport;

    (void)state;
    read_text(&transport,
              TRANSPORT("sid='s'",
                        "<candidate cid='a' jid='proxy.example.org' priority='655360' "
                        "type='proxy'/><candidate cid='b' priority='655360' type='proxy'/>"
                        "<candidate cid='c' jid='a@b/c' priority='655360' type='direct'/>"));
    assert_int_equal(transport.candidate_count, 1);
    assert_string_equal(transport.candidates[0].cid, "a");
    assert_string_equal(transport.candidates[0].host, "");
    s5b_clear(&transport);
}

static void test_dino_s_zone_of_a_link_local_address_is_cut(void **state)
{
    struct s5b_transport transport;

    (void)state;
    read_text(&transport, TRANSPORT("sid='s'", "<candidate cid='a' host='fe80::1%enp3s0' jid='a@b/"
                                               "c' port='1' priority='1' type='direct'/>"));
    assert_string_equal(transport.candidates[0].host, "fe80::1");
    s5b_clear(&transport);
}

/* ------------------------------------------------------------------- what cannot be used -- */

static void test_candidates_that_cannot_be_used_are_left_out(void **state)
{
    static const char *const useless[] = {
        "host='h' port='1' priority='1'",
        "cid='' host='h' port='1' priority='1'",
        "cid='a' port='1' priority='1'",
        "cid='a' host='' port='1' priority='1'",
        "cid='a' host='%eth0' port='1' priority='1'",
        "cid='a' host='a b' port='1' priority='1' jid='x@y/z'",
        "cid='a' host='h' port='1'",
        "cid='a' host='h' port='1' priority='0' jid='x@y/z'",
        "cid='a' host='h' port='1' priority='-1'",
        "cid='a' host='h' port='1' priority='4294967296'",
        "cid='a' host='h' port='0' priority='1' jid='x@y/z'",
        "cid='a' host='h' port='65536' priority='1'",
        "cid='a' host='h' port='http' priority='1'",
        "cid='a' host='h' port='1' priority='1' type='magic'",
        "cid='a' host='h' port='1' priority='1' type=''",
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(useless); i++) {
        char *text = g_strdup_printf(TRANSPORT("sid='s'", "<candidate %s/>"), useless[i]);
        struct s5b_transport transport;
        read_text(&transport, text);
        if (transport.candidate_count != 0)
            fail_msg("taken: %s", useless[i]);
        g_free(text);
    }
}

static void test_of_candidates_with_one_cid_the_first_counts(void **state)
{
    struct s5b_transport transport;

    (void)state;
    read_text(&transport, TRANSPORT("sid='s'", "<candidate cid='a' host='h' jid='a@b/c' "
                                               "priority='2'/><candidate cid='a' host='i' "
                                               "jid='a@b/c' priority='9'/>"));
    assert_int_equal(transport.candidate_count, 1);
    assert_int_equal(transport.candidates[0].priority, 2);
    s5b_clear(&transport);
}

static void test_counts_and_sizes_have_limits(void **state)
{
    GString *inner = g_string_new(NULL);
    char *huge = g_strnfill(100000, 'x');
    struct s5b_transport transport;

    (void)state;
    g_string_append_printf(inner, "<candidate cid='%s' host='h' priority='1'/>", huge);
    g_string_append_printf(inner, "<candidate cid='long' host='%s' priority='1'/>", huge);
    g_string_append_printf(inner, "<candidate cid='jid' host='h' jid='%s' priority='1'/>", huge);
    for (int i = 0; i < 1000; i++)
        g_string_append_printf(inner, "<candidate cid='%d' host='h' jid='a@b/c' priority='1'/>", i);
    g_string_append_printf(inner, "<candidate-used cid='%s'/>", huge);
    char *text = g_strdup_printf(TRANSPORT("sid='%s' dstaddr='%s'", "%s"), huge, huge, inner->str);
    read_text(&transport, text);
    assert_string_equal(transport.sid, "");
    assert_string_equal(transport.dstaddr, "");
    assert_string_equal(transport.cid, "");
    assert_int_equal(transport.candidate_count, S5B_CANDIDATES_MAX);
    assert_string_equal(transport.candidates[0].cid, "jid");
    assert_null(transport.candidates[0].jid);
    s5b_clear(&transport);
    g_free(text);
    g_free(huge);
    g_string_free(inner, TRUE);
}

static void test_what_is_no_address_is_none(void **state)
{
    struct s5b_transport transport;

    (void)state;
    read_text(&transport, TRANSPORT("dstaddr='972b7bf4'", ""));
    assert_string_equal(transport.dstaddr, "");
    read_text(&transport, TRANSPORT("dstaddr='" OFFER_ADDRESS "0'", ""));
    assert_string_equal(transport.dstaddr, "");
    read_text(&transport, TRANSPORT("dstaddr='972b7bf47291ca609517f67f86b5081086052daX'", ""));
    assert_string_equal(transport.dstaddr, "");
    assert_string_equal(transport.sid, "");
}

static void test_udp_is_told(void **state)
{
    struct s5b_transport transport;

    (void)state;
    read_text(&transport, TRANSPORT("sid='s' mode='udp'", ""));
    assert_true(transport.udp);
    read_text(&transport, TRANSPORT("sid='s'", ""));
    assert_false(transport.udp);
    assert_false(transport.writes_mode);
}

/* ------------------------------------------------------------------------------- writing -- */

static char *write_text(const struct s5b_transport *transport)
{
    struct xml *xml = xml_new(NS_JINGLE, "content");

    s5b_write(transport, xml_root(xml));
    char *text = xml_to_string(xml_first(xml_root(xml)));
    xml_free(xml);
    return text;
}

static void test_what_is_written_is_read_back_the_same(void **state)
{
    struct s5b_transport transport, copy, again;

    (void)state;
    read_text(&transport, XEP_OFFER);
    s5b_copy(&copy, &transport);
    char *written = write_text(&transport);
    s5b_clear(&transport);
    read_text(&again, written);
    char *rewritten = write_text(&copy);
    assert_string_equal(written, rewritten);
    g_free(rewritten);
    rewritten = write_text(&again);
    assert_string_equal(written, rewritten);
    assert_non_null(strstr(written, "mode=\"tcp\""));
    s5b_clear(&copy);
    s5b_clear(&again);
    g_free(written);
    g_free(rewritten);
}

/* Conversations 2.19 passes over a candidate that lacks any of them. */
static void test_all_attributes_of_a_candidate_are_written(void **state)
{
    struct s5b_transport transport = {
        .sid = "s",
        .candidates = {{.cid = "c",
                        .host = "::1",
                        .jid = (char *)"a@b/c",
                        .port = 1080,
                        .priority = 7,
                        .type = S5B_TUNNEL}},
        .candidate_count = 1,
    };

    (void)state;
    char *text = write_text(&transport);
    assert_string_equal(text, "<transport xmlns=\"" NS_S5B
                              "\" sid=\"s\"><candidate cid=\"c\" host=\"::1\" jid=\"a@b/c\" "
                              "port=\"1080\" priority=\"7\" type=\"tunnel\"/></transport>");
    g_free(text);
}

/* ------------------------------------------------------------------------------- numbers -- */

static void test_priorities_are_those_of_the_specification(void **state)
{
    (void)state;
    assert_int_equal(s5b_priority(S5B_DIRECT, 0), 8257536);
    assert_int_equal(s5b_priority(S5B_DIRECT, 100), 8257636);
    assert_int_equal(s5b_priority(S5B_ASSISTED, 0), 7864320);
    assert_int_equal(s5b_priority(S5B_TUNNEL, 0), 7208960);
    assert_int_equal(s5b_priority(S5B_PROXY, 0), 655360);
    assert_true(s5b_priority(S5B_PROXY, UINT16_MAX) < s5b_priority(S5B_TUNNEL, 0));
    assert_true(s5b_priority(S5B_ASSISTED, UINT16_MAX) < s5b_priority(S5B_DIRECT, 0));
}

static void test_addresses_are_those_of_the_specification(void **state)
{
    char address[S5B_ADDRESS_SIZE];

    (void)state;
    s5b_address("vj3hs98y", ROMEO, JULIET, address);
    assert_string_equal(address, OFFER_ADDRESS);
    s5b_address("vj3hs98y", JULIET, ROMEO, address);
    assert_string_equal(address, ANSWER_ADDRESS);
}

/* ------------------------------------------------------------------------------- proxies -- */

static bool read_proxy(struct s5b_candidate *proxy, const char *inner)
{
    char *text = g_strdup_printf("<iq xmlns='jabber:client' type='result' id='1'>%s</iq>", inner);
    struct xml *xml = xml_parse(text, strlen(text));

    assert_non_null(xml);
    bool good = s5b_proxy_read(proxy, xml_root(xml));
    xml_free(xml);
    g_free(text);
    return good;
}

static void test_a_proxy_is_asked_where_it_is(void **state)
{
    struct xml *iq = s5b_proxy_query("streamer.example.com");
    struct s5b_candidate proxy;

    (void)state;
    char *text = xml_to_string(xml_root(iq));
    assert_string_equal(text,
                        "<iq xmlns=\"jabber:client\" type=\"get\" "
                        "to=\"streamer.example.com\"><query xmlns=\"" NS_BYTESTREAMS "\"/></iq>");
    assert_true(read_proxy(&proxy,
                           "<query xmlns='" NS_BYTESTREAMS "'>\n<streamhost host='24.24.24.1' "
                           "jid='streamer.example.com' port='7625'/></query>"));
    assert_string_equal(proxy.host, "24.24.24.1");
    assert_string_equal(proxy.jid, "streamer.example.com");
    assert_int_equal(proxy.port, 7625);
    assert_int_equal(proxy.type, S5B_PROXY);
    g_free(proxy.jid);
    g_free(text);
    xml_free(iq);
}

static void test_an_answer_without_a_whole_streamhost_is_no_proxy(void **state)
{
    static const char *const useless[] = {
        "<streamhost jid='p' port='1'/>",
        "<streamhost host='h' port='1'/>",
        "<streamhost host='h' jid='p'/>",
        "<streamhost host='h' jid='p' port='0'/>",
        "<streamhost host='h' jid='p' port='70000'/>",
        "<streamhost xmlns='urn:x' host='h' jid='p' port='1'/>",
        "",
    };
    struct s5b_candidate proxy;

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(useless); i++) {
        char *query = g_strdup_printf("<query xmlns='" NS_BYTESTREAMS "'>%s</query>", useless[i]);
        assert_false(read_proxy(&proxy, query));
        assert_null(proxy.jid);
        g_free(query);
    }
    assert_false(read_proxy(&proxy, ""));
    assert_true(read_proxy(&proxy, "<query xmlns='" NS_BYTESTREAMS
                                   "'><streamhost host='h'/><streamhost host='i' jid='p' "
                                   "port='9'/></query>"));
    assert_string_equal(proxy.host, "i");
    g_free(proxy.jid);
}

static void test_a_proxy_is_asked_to_join_two_connections(void **state)
{
    struct xml *iq = s5b_proxy_activation("streamer.shakespeare.lit", "vj3hs98y", ROMEO);

    (void)state;
    char *text = xml_to_string(xml_root(iq));
    assert_string_equal(text, "<iq xmlns=\"jabber:client\" type=\"set\" "
                              "to=\"streamer.shakespeare.lit\"><query xmlns=\"" NS_BYTESTREAMS
                              "\" sid=\"vj3hs98y\"><activate>" ROMEO "</activate></query></iq>");
    g_free(text);
    xml_free(iq);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_specification_s_offer_is_read),
        cmocka_unit_test(test_every_word_is_read_as_it_was_written),
        cmocka_unit_test(test_of_several_words_the_first_counts),
        cmocka_unit_test(test_psi_s_candidates_need_no_jid_type_or_port),
        cmocka_unit_test(test_psi_s_proxy_may_have_no_host_if_it_can_be_asked),
        cmocka_unit_test(test_dino_s_zone_of_a_link_local_address_is_cut),
        cmocka_unit_test(test_candidates_that_cannot_be_used_are_left_out),
        cmocka_unit_test(test_of_candidates_with_one_cid_the_first_counts),
        cmocka_unit_test(test_counts_and_sizes_have_limits),
        cmocka_unit_test(test_what_is_no_address_is_none),
        cmocka_unit_test(test_udp_is_told),
        cmocka_unit_test(test_what_is_written_is_read_back_the_same),
        cmocka_unit_test(test_all_attributes_of_a_candidate_are_written),
        cmocka_unit_test(test_priorities_are_those_of_the_specification),
        cmocka_unit_test(test_addresses_are_those_of_the_specification),
        cmocka_unit_test(test_a_proxy_is_asked_where_it_is),
        cmocka_unit_test(test_an_answer_without_a_whole_streamhost_is_no_proxy),
        cmocka_unit_test(test_a_proxy_is_asked_to_join_two_connections),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
