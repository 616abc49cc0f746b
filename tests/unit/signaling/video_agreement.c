/* Video in RTP descriptions: codecs, retransmission, feedback, header extensions, sources. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "session_side.h"

#define FB(type)       "<rtcp-fb xmlns='" NS_RTCP_FB "' type='" type "'/>"
#define FB2(type, sub) "<rtcp-fb xmlns='" NS_RTCP_FB "' type='" type "' subtype='" sub "'/>"
#define EXT(id, uri)   "<rtp-hdrext xmlns='" NS_RTP_HDREXT "' id='" id "' uri='" uri "'/>"
#define PT(id, name, in) \
    "<payload-type id='" id "' name='" name "' clockrate='90000'>" in "</payload-type>"
#define RTX(id, apt)   PT(id, "rtx", "<parameter name='apt' value='" apt "'/>")
#define PROFILE(value) "<parameter name='profile-id' value='" value "'/>"
#define ALL_FB         FB("goog-remb") FB("transport-cc") FB2("ccm", "fir") FB("nack") FB2("nack", "pli")
#define SOURCE(ssrc)                               \
    "<source xmlns='" NS_SSMA "' ssrc='" ssrc "'>" \
    "<parameter name='cname' value='x'/></source>"
#define FID(one, two)                                                                            \
    "<ssrc-group xmlns='" NS_SSMA "' semantics='FID'><source ssrc='" one "'/><source ssrc='" two \
    "'/></ssrc-group>"

#define BROWSER_CODECS PT("100", "VP8", ALL_FB) RTX("101", "100") PT("102", "H264", ALL_FB)
#define BROWSER_VP9    PT("104", "VP9", PROFILE("2")) PT("106", "VP9", PROFILE("0") ALL_FB)
#define BROWSER_RTX    RTX("103", "102") RTX("105", "104") RTX("107", "106") RTX("119", "118")
#define BROWSER_FEC    PT("118", "red", "") PT("120", "ulpfec", "") PT("121", "flexfec-03", "")
#define BROWSER_EXT1   EXT("13", "urn:3gpp:video-orientation") EXT("4", HDREXT_MID)
#define BROWSER_EXT2   EXT("9", HDREXT_ABS_SEND_TIME) EXT("7", HDREXT_TRANSPORT_CC)
#define BROWSER_SSRCS  SOURCE("11") SOURCE("12") FID("11", "12")
#define BROWSER_REST   "<rtcp-mux/><rtcp-reduced-size/>"

/* What Chromium offers, with other numbers than ours. */
static const char browser[] = BROWSER_CODECS BROWSER_VP9 BROWSER_RTX BROWSER_FEC BROWSER_EXT1
    BROWSER_EXT2 BROWSER_SSRCS BROWSER_REST;

static void read_video(struct rtp_description *description, const char *inner)
{
    char *text =
        g_strdup_printf("<description xmlns='" NS_RTP "' media='video'>%s</description>", inner);
    struct xml *xml = xml_parse(text, strlen(text));
    const char *why = NULL;

    assert_non_null(xml);
    assert_true(rtp_description_read(description, xml_root(xml), &why));
    xml_free(xml);
    g_free(text);
}

/* Their offer, our answer to it, and how it then runs. */
struct deal {
    struct rtp_description offer, answer;
    struct rtp_agreement agreement;
    bool good;
};

static void deal(struct deal *deal, const char *offered)
{
    struct rtp_description local;

    memset(deal, 0, sizeof(*deal));
    read_video(&deal->offer, offered);
    video_capabilities(&local);
    deal->good = negotiate_answer(&deal->offer, &local, ORDER_OF_THE_OFFER, &deal->answer) &&
                 negotiate_agree(&deal->answer, &deal->offer, false, true, &deal->agreement);
    rtp_description_clear(&local);
}

static void deal_clear(struct deal *deal)
{
    rtp_description_clear(&deal->offer);
    rtp_description_clear(&deal->answer);
}

static void test_of_a_browsers_offer_vp8_and_vp9_are_taken_with_their_retransmissions(void **state)
{
    static const struct {
        uint8_t id;
        const char *name;
    } expected[] = {{100, "VP8"}, {101, "rtx"}, {106, "VP9"}, {107, "rtx"}};
    struct deal d;

    (void)state;
    deal(&d, browser);
    assert_true(d.good);
    assert_int_equal(d.answer.payload_type_count, G_N_ELEMENTS(expected));
    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
        assert_int_equal(d.answer.payload_types[i].id, expected[i].id);
        assert_string_equal(d.answer.payload_types[i].name, expected[i].name);
    }
    assert_string_equal(rtp_parameters_get(&d.answer.payload_types[1].parameters, "apt"), "100");
    assert_string_equal(rtp_parameters_get(&d.answer.payload_types[3].parameters, "apt"), "106");
    assert_string_equal(rtp_parameters_get(&d.answer.payload_types[2].parameters, "profile-id"),
                        "0");
    assert_int_equal(d.agreement.send.payload_type, 100);
    assert_true(d.agreement.send.has_rtx);
    assert_int_equal(d.agreement.send.rtx_payload_type, 101);
    assert_int_equal(d.agreement.receive_count, 2);
    assert_int_equal(d.agreement.receive[1].payload_type, 106);
    assert_true(d.agreement.receive[1].has_rtx);
    assert_int_equal(d.agreement.receive[1].rtx_payload_type, 107);
    assert_true(d.agreement.rtcp_reduced_size);
    deal_clear(&d);
}

static void test_the_numbers_of_an_offer_of_ours_are_the_answers_for_sending(void **state)
{
    struct rtp_description local, remote;
    struct rtp_agreement agreement;

    (void)state;
    video_capabilities(&local);
    /* RFC 3264, 5.1: an answerer may use numbers of its own. */
    read_video(&remote, PT("120", "vp8", FB("nack")) RTX("121", "120") "<rtcp-mux/>");
    assert_true(negotiate_agree(&local, &remote, true, false, &agreement));
    assert_int_equal(agreement.send.payload_type, 120);
    assert_int_equal(agreement.send.rtx_payload_type, 121);
    assert_string_equal(agreement.send.name, "VP8");
    assert_int_equal(agreement.receive_count, 2);
    assert_int_equal(agreement.receive[0].payload_type, 96);
    assert_int_equal(agreement.receive[0].rtx_payload_type, 97);
    /* not answered, and may come all the same, with what was answered of feedback */
    assert_string_equal(agreement.receive[1].name, "VP9");
    assert_true(agreement.receive[1].has_rtx);
    assert_true(agreement.receive[1].feedback.nack);
    assert_false(agreement.receive[1].feedback.nack_pli);
    rtp_description_clear(&local);
    rtp_description_clear(&remote);
}

static void test_without_rtx_on_one_side_there_is_none(void **state)
{
    struct deal d;

    (void)state;
    /* As Dino offers it. */
    deal(&d, PT("96", "H264", "") PT("97", "VP9", FB("nack")) PT("98", "VP8", FB("nack"))
                 SOURCE("11") "<rtcp-mux/>");
    assert_true(d.good);
    assert_int_equal(d.answer.payload_type_count, 2);
    assert_int_equal(d.answer.payload_types[0].id, 97);
    assert_int_equal(d.answer.payload_types[1].id, 98);
    assert_false(d.agreement.send.has_rtx);
    assert_false(d.agreement.receive[0].has_rtx);
    assert_int_equal(d.answer.source_count, 1);
    assert_int_equal(d.answer.sources[0].ssrc, 5001);
    assert_int_equal(d.answer.group_count, 0);
    deal_clear(&d);
}

static void test_retransmissions_of_something_else_are_not_ours(void **state)
{
    struct deal d;

    (void)state;
    deal(&d, PT("96", "VP8", "") RTX("97", "102") PT("99", "rtx", "") RTX("80", "96")
                 RTX("103", "999999999999") "<rtcp-mux/>");
    assert_true(d.good);
    assert_int_equal(d.answer.payload_type_count, 1);
    assert_false(d.agreement.send.has_rtx);
    deal_clear(&d);
    deal(&d, RTX("97", "96") PT("118", "red", "") "<rtcp-mux/>");
    assert_false(d.good);
    deal_clear(&d);
}

static void test_feedback_is_what_both_name_whether_for_one_or_for_all(void **state)
{
    struct deal d;

    (void)state;
    deal(&d, PT("96", "VP8", FB("nack") FB("x-else")) PT("98", "VP9", "") FB2("ccm", "fir")
                 FB("goog-remb") "<rtcp-fb-trr-int xmlns='" NS_RTCP_FB "' value='100'/><rtcp-mux/>"
                                 "<bandwidth type='AS'>512</bandwidth>");
    assert_true(d.good);
    assert_true(d.agreement.send.feedback.nack);
    assert_false(d.agreement.send.feedback.nack_pli);
    assert_true(d.agreement.send.feedback.ccm_fir);
    assert_true(d.agreement.send.feedback.goog_remb);
    assert_false(d.agreement.send.feedback.transport_cc);
    assert_false(d.agreement.receive[1].feedback.nack);
    assert_true(d.agreement.receive[1].feedback.ccm_fir);
    assert_int_equal(d.answer.payload_types[0].feedback.count, 1);
    assert_int_equal(d.answer.feedback.count, 2);
    assert_int_equal(d.answer.feedback.trr_int, -1);
    deal_clear(&d);
}

static void test_header_extensions_have_a_number_in_each_direction(void **state)
{
    struct rtp_description local, remote;
    struct rtp_agreement agreement;
    struct deal d;

    (void)state;
    deal(&d, browser);
    assert_int_equal(d.agreement.send_mid, 4);
    assert_int_equal(d.agreement.receive_mid, 4);
    assert_int_equal(d.agreement.send_abs_send_time, 9);
    assert_int_equal(d.agreement.receive_abs_send_time, 9);
    assert_int_equal(d.agreement.send_transport_cc, 7);
    assert_int_equal(d.agreement.receive_transport_cc, 7);
    /* Then the sender turns its pictures by itself. */
    assert_null(rtp_description_find_hdrext(&d.answer, "urn:3gpp:video-orientation"));
    assert_int_equal(d.answer.hdrext_count, 3);
    deal_clear(&d);
    video_capabilities(&local);
    read_video(&remote,
               PT("96", "VP8", "") "<rtp-hdrext xmlns='" NS_RTP_HDREXT
                                   "' id='6' senders='responder' uri='" HDREXT_TRANSPORT_CC "'/>");
    assert_true(negotiate_agree(&local, &remote, true, false, &agreement));
    assert_int_equal(agreement.send_transport_cc, 0);
    assert_int_equal(agreement.receive_transport_cc, 5);
    rtp_description_clear(&local);
    rtp_description_clear(&remote);
}

static void test_a_stream_and_its_retransmissions_are_known_by_their_group(void **state)
{
    struct deal d;

    (void)state;
    deal(&d, PT("96", "VP8", "") RTX("97", "96") SOURCE("12") SOURCE("11") FID("11", "12")
                 FID("13", "14") "<rtcp-mux/>");
    assert_true(d.agreement.has_remote_ssrc);
    assert_int_equal(d.agreement.remote_ssrc, 11);
    assert_true(d.agreement.has_remote_rtx_ssrc);
    assert_int_equal(d.agreement.remote_rtx_ssrc, 12);
    assert_int_equal(d.answer.source_count, 2);
    assert_int_equal(d.answer.group_count, 1);
    assert_string_equal(d.answer.groups[0].semantics, "FID");
    assert_int_equal(d.answer.groups[0].ssrcs[1], 5002);
    deal_clear(&d);
    deal(&d, PT("96", "VP8", "") RTX("97", "96") "<rtcp-mux/>");
    assert_false(d.agreement.has_remote_ssrc);
    assert_false(d.agreement.has_remote_rtx_ssrc);
    assert_int_equal(d.answer.source_count, 0);
    assert_int_equal(d.answer.group_count, 0);
    deal_clear(&d);
}

static void test_what_the_receiver_can_take_is_told(void **state)
{
    struct deal d;

    (void)state;
    deal(&d, PT("96", "VP8",
                "<parameter name='max-fr' value='15'/><parameter name='max-fs' value='1200'/>"));
    assert_int_equal(d.agreement.send.video.max_fr, 15);
    assert_int_equal(d.agreement.send.video.max_fs, 1200);
    assert_int_equal(d.agreement.receive[0].video.max_fr, 0);
    deal_clear(&d);
}

static void test_a_refused_video_keeps_one_real_codec(void **state)
{
    struct rtp_description offer, answer;

    (void)state;
    read_video(&offer, RTX("97", "96") PT("118", "red", "") PT("96", "VP8", ALL_FB) "<rtcp-mux/>");
    assert_true(negotiate_refusal(&offer, &answer));
    assert_int_equal(answer.payload_type_count, 1);
    assert_int_equal(answer.payload_types[0].id, 96);
    rtp_description_clear(&offer);
    rtp_description_clear(&answer);
}

static void test_in_one_bundle_the_same_number_means_the_same(void **state)
{
    struct rtp_description video, audio, more;
    const struct rtp_description *others[] = {&audio, &more};

    (void)state;
    video_capabilities(&video);
    rtp_description_init(&audio, "audio");
    rtp_description_add(&audio, 96, "opus", 48000, 2);
    rtp_description_add(&audio, 100, "PCMU", 8000, 1);
    rtp_description_add_hdrext(&audio, 1, HDREXT_AUDIO_LEVEL, SENDERS_BOTH);
    rtp_description_add_hdrext(&audio, 2, HDREXT_MID, SENDERS_BOTH);
    rtp_description_init(&more, "audio");
    rtp_description_add(&more, 101, "PCMA", 8000, 1);
    rtp_description_add_hdrext(&more, 5, "urn:x", SENDERS_BOTH);
    assert_true(negotiate_fit(&video, others, 2));
    assert_int_equal(video.payload_types[0].id, 102);
    assert_string_equal(rtp_parameters_get(&video.payload_types[1].parameters, "apt"), "102");
    assert_int_equal(video.payload_types[1].id, 97);
    assert_int_equal(video.payload_types[2].id, 98);
    assert_int_equal(rtp_description_find_hdrext(&video, HDREXT_MID)->id, 2);
    assert_int_equal(rtp_description_find_hdrext(&video, HDREXT_ABS_SEND_TIME)->id, 4);
    assert_int_equal(rtp_description_find_hdrext(&video, HDREXT_TRANSPORT_CC)->id, 3);
    for (unsigned id = 102; id < 128; id++)
        rtp_description_add(&more, (uint8_t)id, "speex", 8000, 1);
    rtp_description_add(&more, 98, "speex", 8000, 1);
    rtp_description_add(&more, 99, "speex", 8000, 1);
    assert_false(negotiate_fit(&video, others, 2));
    rtp_description_clear(&video);
    rtp_description_clear(&audio);
    rtp_description_clear(&more);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_of_a_browsers_offer_vp8_and_vp9_are_taken_with_their_retransmissions),
        cmocka_unit_test(test_the_numbers_of_an_offer_of_ours_are_the_answers_for_sending),
        cmocka_unit_test(test_without_rtx_on_one_side_there_is_none),
        cmocka_unit_test(test_retransmissions_of_something_else_are_not_ours),
        cmocka_unit_test(test_feedback_is_what_both_name_whether_for_one_or_for_all),
        cmocka_unit_test(test_header_extensions_have_a_number_in_each_direction),
        cmocka_unit_test(test_a_stream_and_its_retransmissions_are_known_by_their_group),
        cmocka_unit_test(test_what_the_receiver_can_take_is_told),
        cmocka_unit_test(test_a_refused_video_keeps_one_real_codec),
        cmocka_unit_test(test_in_one_bundle_the_same_number_means_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
