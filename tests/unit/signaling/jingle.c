#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/jingle.h"
#include "signaling/negotiate.h"
#include "signaling/ns.h"

#define FINGERPRINT                                                                              \
    "C6:D8:70:9B:0A:EA:1C:2A:08:FD:E8:26:9A:9F:F4:7F:43:50:23:D7:EC:5C:89:CD:C9:C3:8B:00:A1:67:" \
    "5E:"                                                                                        \
    "F8"

static bool read_jingle(const char *text, struct jingle_iq *iq, struct stanza_error *error)
{
    struct xml *xml = xml_parse(text, strlen(text));

    assert_non_null(xml);
    bool good = jingle_iq_read(iq, xml_root(xml), error);
    xml_free(xml);
    return good;
}

static char *content(const char *name, const char *description, const char *transport)
{
    return g_strdup_printf(
        "<jingle xmlns='" NS_JINGLE "' sid='s' action='session-initiate'><content name='%s'>"
        "<description xmlns='" NS_RTP "' media='audio'>%s</description>"
        "<transport xmlns='" NS_ICE_UDP "' ufrag='abcd' pwd='p'>%s</transport></content></jingle>",
        name, description, transport);
}

static void assert_malformed(const char *text, const char *why)
{
    struct jingle_iq iq;
    struct stanza_error error;

    if (read_jingle(text, &iq, &error))
        fail_msg("not refused: %s", text);
    assert_int_equal(error.condition, STANZA_BAD_REQUEST);
    assert_string_equal(error.text, why);
}

#define J(attributes, inner) "<jingle xmlns='" NS_JINGLE "' " attributes ">" inner "</jingle>"

static void test_malformed_jingle_is_a_bad_request_with_its_cause(void **state)
{
    (void)state;
    assert_malformed(J("action='session-info'", ""), "no sid");
    assert_malformed(J("sid='' action='session-info'", ""), "no sid");
    assert_malformed(J("sid='s'", ""), "an unknown action");
    assert_malformed(J("sid='s' action='session-dance'", ""), "an unknown action");
    assert_malformed(J("sid='s' action='session-initiate'", ""), "no content");
    assert_malformed(J("sid='s' action='session-initiate'", "<content name='a'/>"),
                     "a content without a transport");
    assert_malformed(J("sid='s' action='session-initiate'",
                       "<content name='a'><transport xmlns='urn:x'/></content>"),
                     "a content without a description");
    assert_malformed(J("sid='s' action='transport-info'", "<content name='a'/>"),
                     "a content without a transport");
    assert_malformed(J("sid='s' action='content-remove'", "<content/>"),
                     "a content without a good name or creator");
    assert_malformed(J("sid='s' action='content-remove'", "<content name='a' creator='me'/>"),
                     "a content without a good name or creator");
    assert_malformed(J("sid='s' action='content-modify'", "<content name='a' senders='all'/>"),
                     "a content with unknown senders");
    assert_malformed(J("sid='s' action='content-remove'", "<content name='a'/><content name='a'/>"),
                     "two contents with one name");
    assert_malformed(J("sid='s' action='session-accept'",
                       "<content name='a'><description xmlns='" NS_RTP "'/></content>"),
                     "an RTP description without media");
    assert_malformed(J("sid='s' action='session-accept'",
                       "<content name='a'><transport xmlns='" NS_ICE_UDP
                       "' ufrag='a b'/></content>"),
                     "ICE credentials that are none");
    assert_malformed(J("sid='s' action='session-accept'",
                       "<content name='a'><transport xmlns='" NS_ICE_UDP
                       "'><fingerprint xmlns='" NS_DTLS
                       "' hash='sha-256'>AB:CD</fingerprint></transport></content>"),
                     "a fingerprint that is none");
}

static void test_counts_and_sizes_have_limits(void **state)
{
    GString *inner = g_string_new(NULL);
    struct jingle_iq iq;
    struct stanza_error error;

    (void)state;
    for (int i = 0; i < 3000; i++)
        g_string_append_printf(inner,
                               "<payload-type id='%d' name='x'/><rtp-hdrext xmlns='" NS_RTP_HDREXT
                               "' id='1' uri='u%d'/>",
                               i % 300, i);
    GString *candidates = g_string_new(NULL);
    for (int i = 0; i < 3000; i++)
        g_string_append_printf(candidates,
                               "<candidate component='1' foundation='1' ip='10.0.0.1' "
                               "port='%d' priority='1' protocol='udp' type='host'/>",
                               i + 1);
    char *text = content("a", inner->str, candidates->str);
    assert_true(read_jingle(text, &iq, &error));
    assert_int_equal(iq.contents[0].rtp.payload_type_count, 128);
    assert_int_equal(iq.contents[0].rtp.hdrext_count, RTP_HDREXT_MAX);
    assert_int_equal(iq.contents[0].ice.candidate_count, ICE_CANDIDATES_MAX);
    assert_int_equal(iq.contents[0].ice.skipped, 3000 - ICE_CANDIDATES_MAX);
    jingle_iq_clear(&iq);
    g_free(text);
    char *huge = g_strnfill(500000, 'x');
    char *sid = g_strdup_printf(J("sid='%s' action='session-info'", ""), huge);
    assert_malformed(sid, "no sid");
    char *name = g_strdup_printf("<payload-type id='1' name='%s'/><payload-type id='2' name='y'>"
                                 "<parameter name='%s' value='1'/></payload-type>",
                                 huge, huge);
    text = content("a", name, "");
    assert_true(read_jingle(text, &iq, &error));
    assert_int_equal(iq.contents[0].rtp.payload_type_count, 1);
    assert_int_equal(iq.contents[0].rtp.payload_types[0].parameters.count, 0);
    jingle_iq_clear(&iq);
    g_free(text);
    g_free(name);
    g_free(sid);
    g_free(huge);
    g_string_free(inner, TRUE);
    g_string_free(candidates, TRUE);
}

static void test_too_many_contents_are_a_bad_request(void **state)
{
    GString *text = g_string_new("<jingle xmlns='" NS_JINGLE "' sid='s' action='content-remove'>");

    (void)state;
    for (int i = 0; i <= JINGLE_CONTENTS_MAX; i++)
        g_string_append_printf(text, "<content name='%d'/>", i);
    g_string_append(text, "</jingle>");
    assert_malformed(text->str, "too many contents");
    g_string_free(text, TRUE);
}

static void test_candidates_that_we_cannot_use_are_skipped(void **state)
{
    static const char candidates[] =
        "<candidate component='1' foundation='1' ip='10.0.0.1' port='9' priority='1' "
        "protocol='tcp' tcptype='active' type='host'/>"
        "<candidate component='1' foundation='1' ip='6b1f.local' port='9000' priority='1' "
        "protocol='udp' type='host'/>"
        "<candidate component='1' foundation='1' ip='10.0.0.1' port='0' priority='1' "
        "protocol='udp' type='host'/>"
        "<candidate component='1' foundation='1' ip='10.0.0.1' port='65536' priority='1' "
        "protocol='udp' type='host'/>"
        "<candidate component='1' foundation='1' ip='10.0.0.1' port='5' priority='1' "
        "protocol='udp' type='alien'/>"
        "<candidate component='3' foundation='1' ip='10.0.0.1' port='5' priority='1' "
        "protocol='udp' type='host'/>"
        "<candidate component='1' foundation='123456789012345678901234567890123' ip='10.0.0.1' "
        "port='5' priority='1' protocol='udp' type='host'/>"
        "<candidate/>"
        "<remote-candidate component='1' ip='10.0.0.1' port='5'/>"
        "<candidate component='1' foundation='1' ip='fe80::1%eth0' port='5000' "
        "priority='2130706431' protocol='UDP' type='srflx' rel-addr='0.0.0.0' rel-port='0'/>"
        "<gathering-complete/><trickle xmlns='urn:whatever'/>";
    char *text = content("a", "", candidates);
    struct jingle_iq iq;
    struct stanza_error error;

    (void)state;
    assert_true(read_jingle(text, &iq, &error));
    const struct ice_udp_transport *ice = &iq.contents[0].ice;
    assert_int_equal(ice->candidate_count, 1);
    assert_int_equal(ice->skipped, 8);
    assert_true(ice->gathering_complete);
    assert_string_equal(ice->candidates[0].ip, "fe80::1");
    assert_int_equal(ice->candidates[0].type, ICE_SRFLX);
    assert_int_equal(ice->candidates[0].priority, 2130706431);
    assert_int_equal(ice->candidates[0].rel_port, 0);
    jingle_iq_clear(&iq);
    g_free(text);
}

static void test_a_transport_without_rel_port_is_written_without(void **state)
{
    struct ice_candidate candidate = {.foundation = "1", .component = 1, .port = 5, .ip = "::1"};
    struct ice_udp_transport transport = {.ufrag = "abcd"};
    struct xml *xml = xml_new(NS_JINGLE, "content");

    (void)state;
    ice_udp_add_candidate(&transport, &candidate);
    const xml_node *node = ice_udp_write(&transport, xml_root(xml));
    assert_null(xml_attribute(node, "pwd"));
    const xml_node *written = xml_first(node);
    assert_null(xml_attribute(written, "rel-port"));
    assert_true(*xml_attribute(written, "id") != '\0');
    assert_string_equal(xml_attribute(written, "network"), "0");
    assert_string_equal(xml_attribute(written, "generation"), "0");
    ice_udp_clear(&transport);
    xml_free(xml);
}

static void test_fingerprints_of_either_case_are_read_and_the_best_is_taken(void **state)
{
    char *sha512 = g_strnfill(64 * 3 - 1, 'a');
    struct jingle_iq iq;
    struct stanza_error error;

    (void)state;
    for (int i = 2; i < 64 * 3 - 1; i += 3)
        sha512[i] = ':';
    char *fingerprints = g_strdup_printf(
        "<fingerprint xmlns='" NS_DTLS "' hash='SHA-256' setup='active'>" FINGERPRINT
        "</fingerprint>"
        "<fingerprint xmlns='" NS_DTLS "' hash='sha-512' setup='passive'>\n %s \n</fingerprint>"
        "<fingerprint xmlns='" NS_DTLS "' hash='md5'>zz</fingerprint>",
        sha512);
    char *text = content("a", "", fingerprints);
    assert_true(read_jingle(text, &iq, &error));
    const struct dtls_fingerprint *fingerprint = &iq.contents[0].ice.fingerprint;
    assert_int_equal(fingerprint->hash, FINGERPRINT_SHA_512);
    assert_int_equal(fingerprint->size, 64);
    assert_int_equal(fingerprint->bytes[63], 0xaa);
    assert_int_equal(fingerprint->setup, DTLS_PASSIVE);
    jingle_iq_clear(&iq);
    g_free(text);
    g_free(fingerprints);
    g_free(sha512);
}

static void test_descriptions_are_read_leniently(void **state)
{
    char *text =
        content("a",
                "<payload-type id='111' name='OPUS' clockrate='48000'><parameter "
                "name='useinbandfec' value='1'/></payload-type>"
                "<payload-type id='63' name='red' clockrate='48000'><parameter "
                "name='111/111'/><parameter value='x'/></payload-type>"
                "<payload-type id='111' name='again'/><payload-type id='200' "
                "name='x'/><payload-type id='x'/><payload-type/>"
                "<encryption><crypto/></encryption><rtcp-mux/><rtcp-mux/>"
                "<rtp-hdrext xmlns='" NS_RTP_HDREXT "' id='1' uri='urn:a' senders='initiator'/>"
                "<rtp-hdrext xmlns='" NS_RTP_HDREXT "' id='0' uri='urn:b'/>"
                "<source xmlns='" NS_SSMA "' ssrc='5'><parameter name='cname' value='c'/></source>"
                "<source xmlns='" NS_SSMA "' ssrc='x'/><ssrc-group xmlns='" NS_SSMA
                "' semantics='FID'><source ssrc='5'/></ssrc-group>",
                "");
    struct jingle_iq iq;
    struct stanza_error error;

    (void)state;
    assert_true(read_jingle(text, &iq, &error));
    const struct rtp_description *rtp = &iq.contents[0].rtp;
    assert_int_equal(rtp->payload_type_count, 2);
    assert_int_equal(rtp->payload_types[0].channels, 1);
    assert_string_equal(rtp_parameters_get(&rtp->payload_types[0].parameters, "UseInbandFec"), "1");
    assert_string_equal(rtp_parameters_get(&rtp->payload_types[1].parameters, "111/111"), "");
    assert_true(rtp->encryption);
    assert_true(rtp->rtcp_mux);
    assert_int_equal(rtp->hdrext_count, 1);
    assert_int_equal(rtp->hdrexts[0].senders, SENDERS_INITIATOR);
    assert_int_equal(rtp->source_count, 1);
    assert_int_equal(rtp->group_count, 1);
    assert_int_equal(rtp->groups[0].ssrcs[0], 5);
    jingle_iq_clear(&iq);
    g_free(text);
}

static void test_reasons_are_read_in_any_shape(void **state)
{
    static const struct {
        const char *xml;
        enum reason_condition condition;
        const char *text;
    } cases[] = {
        {"<reason><text>why</text><busy/></reason>", REASON_BUSY, "why"},
        {"<reason><failed_application/></reason>", REASON_FAILED_APPLICATION, ""},
        {"<reason><application-error/></reason>", REASON_FAILED_APPLICATION, ""},
        {"<reason><unheard-of/><gone/></reason>", REASON_GONE, ""},
        {"<reason/>", REASON_NONE, ""},
        {"<reason>busy</reason>", REASON_NONE, ""},
        {"", REASON_NONE, ""},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct jingle_iq iq;
        struct stanza_error error;
        char *text = g_strdup_printf(J("sid='s' action='session-terminate'", "%s"), cases[i].xml);
        assert_true(read_jingle(text, &iq, &error));
        assert_int_equal(iq.reason.condition, cases[i].condition);
        assert_string_equal(iq.reason.text, cases[i].text);
        jingle_iq_clear(&iq);
        g_free(text);
    }
}

static void test_every_local_reason_that_has_a_condition_is_understood_by_the_other_side(
    void **state)
{
    static const struct {
        jingle_reason reason;
        enum session_progress progress;
        bool outgoing;
        jingle_reason heard;
    } cases[] = {
        {JINGLE_REASON_HANGUP, PROGRESS_CONNECTED, true, JINGLE_REASON_HANGUP},
        {JINGLE_REASON_HANGUP, PROGRESS_PENDING, true, JINGLE_REASON_CANCELED},
        {JINGLE_REASON_HANGUP, PROGRESS_PENDING, false, JINGLE_REASON_DECLINED},
        {JINGLE_REASON_BUSY, PROGRESS_PENDING, false, JINGLE_REASON_BUSY},
        {JINGLE_REASON_DECLINED, PROGRESS_PENDING, false, JINGLE_REASON_DECLINED},
        {JINGLE_REASON_CANCELED, PROGRESS_PENDING, true, JINGLE_REASON_CANCELED},
        {JINGLE_REASON_NO_ANSWER, PROGRESS_PENDING, true, JINGLE_REASON_NO_ANSWER},
        {JINGLE_REASON_NO_PATH, PROGRESS_ACCEPTED, true, JINGLE_REASON_NO_PATH},
        {JINGLE_REASON_CONNECTION_LOST, PROGRESS_CONNECTED, true, JINGLE_REASON_CONNECTION_LOST},
        {JINGLE_REASON_MEDIA_ERROR, PROGRESS_CONNECTED, false, JINGLE_REASON_MEDIA_ERROR},
        {JINGLE_REASON_SECURITY, PROGRESS_ACCEPTED, false, JINGLE_REASON_SECURITY},
        {JINGLE_REASON_INCOMPATIBLE, PROGRESS_PENDING, false, JINGLE_REASON_INCOMPATIBLE},
        {JINGLE_REASON_PROTOCOL, PROGRESS_ACCEPTED, false, JINGLE_REASON_PROTOCOL},
        {JINGLE_REASON_LOCAL_OFFLINE, PROGRESS_ACCEPTED, false, JINGLE_REASON_GONE},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct reason reason = {0};
        reason.condition = reason_to_tell(cases[i].reason, cases[i].progress, cases[i].outgoing);
        assert_int_equal(reason_meaning(&reason, cases[i].progress, !cases[i].outgoing),
                         cases[i].heard);
    }
}

static void test_what_is_written_is_read_back_the_same(void **state)
{
    char *text =
        content("a",
                "<payload-type id='111' name='opus' clockrate='48000' channels='2' ptime='20' "
                "maxptime='60'>"
                "<parameter name='useinbandfec' value='1'/><rtcp-fb xmlns='" NS_RTCP_FB
                "' type='nack' subtype='pli'/>"
                "<rtcp-fb-trr-int xmlns='" NS_RTCP_FB "' value='100'/></payload-type>"
                "<rtcp-fb xmlns='" NS_RTCP_FB "' type='transport-cc'/>"
                "<rtp-hdrext xmlns='" NS_RTP_HDREXT "' id='1' uri='urn:a' senders='responder'/>"
                "<source xmlns='" NS_SSMA "' ssrc='5'><parameter name='cname' value='c'/></source>"
                "<ssrc-group xmlns='" NS_SSMA
                "' semantics='FID'><source ssrc='5'/></ssrc-group><rtcp-mux/><rtcp-reduced-size/>",
                "<fingerprint xmlns='" NS_DTLS "' hash='sha-256' setup='actpass'>" FINGERPRINT
                "</fingerprint>"
                "<candidate component='1' foundation='1' ip='10.0.0.1' port='5' priority='1' "
                "protocol='udp' type='relay' rel-addr='1.2.3.4' rel-port='6' id='x' generation='1' "
                "network='2'/>");
    struct jingle_iq iq, copy, again;
    struct stanza_error error;

    (void)state;
    assert_true(read_jingle(text, &iq, &error));
    iq.initiator = g_strdup("me@a/r");
    jingle_group_add(&iq.bundle, "a");
    iq.reason.condition = REASON_ALTERNATIVE_SESSION;
    g_strlcpy(iq.reason.alternative_sid, "other", sizeof(iq.reason.alternative_sid));
    jingle_iq_copy(&copy, &iq);
    jingle_iq_clear(&iq);
    struct xml *first = xml_new(NS_CLIENT, "iq");
    jingle_iq_write(&copy, xml_root(first));
    char *written = xml_to_string(xml_first(xml_root(first)));
    assert_true(read_jingle(written, &again, &error));
    struct xml *second = xml_new(NS_CLIENT, "iq");
    jingle_iq_write(&again, xml_root(second));
    char *rewritten = xml_to_string(xml_first(xml_root(second)));
    assert_string_equal(written, rewritten);
    assert_non_null(strstr(written, FINGERPRINT));
    assert_non_null(strstr(written, "rel-port=\"6\""));
    assert_non_null(strstr(written, "<sid>other</sid>"));
    assert_non_null(strstr(written, "subtype=\"pli\""));
    g_free(written);
    g_free(rewritten);
    g_free(text);
    jingle_iq_clear(&copy);
    jingle_iq_clear(&again);
    xml_free(first);
    xml_free(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_malformed_jingle_is_a_bad_request_with_its_cause),
        cmocka_unit_test(test_counts_and_sizes_have_limits),
        cmocka_unit_test(test_too_many_contents_are_a_bad_request),
        cmocka_unit_test(test_candidates_that_we_cannot_use_are_skipped),
        cmocka_unit_test(test_a_transport_without_rel_port_is_written_without),
        cmocka_unit_test(test_fingerprints_of_either_case_are_read_and_the_best_is_taken),
        cmocka_unit_test(test_descriptions_are_read_leniently),
        cmocka_unit_test(test_reasons_are_read_in_any_shape),
        cmocka_unit_test(
            test_every_local_reason_that_has_a_condition_is_understood_by_the_other_side),
        cmocka_unit_test(test_what_is_written_is_read_back_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
