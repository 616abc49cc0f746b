#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "session_side.h"

static void read_description(struct rtp_description *description, const char *inner)
{
    char *text =
        g_strdup_printf("<description xmlns='" NS_RTP "' media='audio'>%s</description>", inner);
    struct xml *xml = xml_parse(text, strlen(text));
    const char *why = NULL;

    assert_non_null(xml);
    assert_true(rtp_description_read(description, xml_root(xml), &why));
    xml_free(xml);
    g_free(text);
}

/* Our answer to an offer; false if there is nothing in common. */
static bool answer_to(const char *offered, struct rtp_description *offer,
                      struct rtp_description *answer)
{
    struct rtp_description local;

    read_description(offer, offered);
    audio_capabilities(&local);
    bool good = negotiate_answer(offer, &local, ORDER_OF_OURS, answer);
    rtp_description_clear(&local);
    return good;
}

/* RFC 3264, 6.1 */
static void test_the_offers_order_is_kept_unless_ours_is_wanted(void **state)
{
    (void)state;
    struct rtp_description offer, local, answer;
    audio_capabilities(&local);
    rtp_description_init(&offer, "audio");
    rtp_description_add(&offer, 8, "PCMA", 8000, 1);
    rtp_description_add(&offer, 99, "opus", 48000, 2);
    assert_true(negotiate_answer(&offer, &local, ORDER_OF_THE_OFFER, &answer));
    assert_int_equal(answer.payload_types[0].id, 8);
    rtp_description_clear(&answer);
    assert_true(negotiate_answer(&offer, &local, ORDER_OF_OURS, &answer));
    assert_int_equal(answer.payload_types[0].id, 99);
    rtp_description_clear(&answer);
    rtp_description_clear(&offer);
    rtp_description_clear(&local);
}

static void test_the_order_of_monals_offer_means_nothing(void **state)
{
    struct rtp_description offer, ours, answer;

    (void)state;
    read_description(&offer, "<payload-type id='0' name='PCMU' clockrate='8000'/>"
                             "<payload-type id='111' name='opus' clockrate='48000' channels='2'>"
                             "<parameter name='useinbandfec' value='true'/></payload-type>");
    audio_capabilities(&ours);
    assert_true(negotiate_answer(&offer, &ours, ORDER_OF_THE_OFFER, &answer));
    assert_string_equal(answer.payload_types[0].name, "opus");
    rtp_description_clear(&offer);
    rtp_description_clear(&ours);
    rtp_description_clear(&answer);
}

static void test_the_answer_has_the_ids_of_the_offer_and_our_order(void **state)
{
    struct rtp_description offer, answer;
    struct rtp_agreement agreement;

    (void)state;
    assert_true(
        answer_to("<payload-type id='0'/><payload-type id='97' name='speex' clockrate='8000'/>"
                  "<payload-type id='98' name='OPUS' clockrate='48000'/>"
                  "<payload-type id='100' name='telephone-event' clockrate='48000'/>"
                  "<rtcp-mux/><rtcp-reduced-size/>",
                  &offer, &answer));
    assert_int_equal(answer.payload_type_count, 3);
    assert_int_equal(answer.payload_types[0].id, 98);
    assert_string_equal(answer.payload_types[0].name, "OPUS"); /* as they spell it */
    assert_int_equal(answer.payload_types[0].channels, 2);
    assert_int_equal(answer.payload_types[1].id, 0);
    assert_int_equal(answer.payload_types[2].id, 100);
    assert_true(answer.rtcp_mux);
    assert_false(answer.rtcp_reduced_size);
    assert_int_equal(answer.hdrext_count, 0);
    assert_true(negotiate_agree(&answer, &offer, false, true, &agreement));
    assert_int_equal(agreement.send.payload_type, 98);
    assert_string_equal(agreement.send.name, "opus");
    assert_int_equal(agreement.send.channels, 2);
    assert_int_equal(agreement.receive_count, 2);
    assert_true(agreement.receive[0].opus.useinbandfec);
    assert_false(agreement.send.opus.useinbandfec);
    assert_true(agreement.has_send_event);
    assert_int_equal(agreement.send_event.payload_type, 100);
    rtp_description_clear(&offer);
    rtp_description_clear(&answer);
}

static void test_only_offered_extensions_and_feedback_are_answered(void **state)
{
    struct rtp_description offer, answer;
    struct rtp_agreement agreement;

    (void)state;
    assert_true(answer_to("<payload-type id='111' name='opus' clockrate='48000' "
                          "channels='2'><rtcp-fb xmlns='" NS_RTCP_FB
                          "' type='transport-cc'/></payload-type>"
                          "<rtp-hdrext xmlns='" NS_RTP_HDREXT "' id='9' uri='" HDREXT_AUDIO_LEVEL
                          "' senders='initiator'/>"
                          "<rtp-hdrext xmlns='" NS_RTP_HDREXT "' id='20' uri='" HDREXT_MID "'/>"
                          "<rtp-hdrext xmlns='" NS_RTP_HDREXT "' id='4' uri='urn:else'/>",
                          &offer, &answer));
    assert_int_equal(answer.hdrext_count, 1);
    assert_int_equal(answer.hdrexts[0].id, 9);
    assert_int_equal(answer.payload_types[0].feedback.count, 0);
    assert_false(answer.rtcp_mux);
    assert_true(negotiate_agree(&answer, &offer, false, true, &agreement));
    assert_int_equal(agreement.receive_audio_level, 9);
    assert_int_equal(agreement.send_audio_level, 0);
    assert_int_equal(agreement.send_mid, 0);
    rtp_description_clear(&offer);
    rtp_description_clear(&answer);
}

static void test_events_alone_are_no_common_codec(void **state)
{
    struct rtp_description offer, answer;

    (void)state;
    assert_false(answer_to("<payload-type id='101' name='telephone-event' clockrate='8000'/>"
                           "<payload-type id='97' name='opus' clockrate='16000'/>",
                           &offer, &answer));
    assert_null(answer.payload_types);
    rtp_description_clear(&offer);
}

static void test_ids_that_look_like_rtcp_are_not_used_with_mux(void **state)
{
    struct rtp_description offer, answer;

    (void)state;
    assert_false(answer_to("<payload-type id='72' name='opus' clockrate='48000' channels='2'/>"
                           "<rtcp-mux/>",
                           &offer, &answer));
    rtp_description_clear(&offer);
    assert_true(answer_to("<payload-type id='72' name='opus' clockrate='48000' channels='2'/>",
                          &offer, &answer));
    rtp_description_clear(&offer);
    rtp_description_clear(&answer);
}

static void test_the_first_of_the_answer_is_sent_with_the_wishes_of_its_receiver(void **state)
{
    struct rtp_description offer, answer;
    struct rtp_agreement agreement;

    (void)state;
    audio_capabilities(&offer);
    read_description(
        &answer,
        "<payload-type id='13' name='CN' clockrate='8000'/>"
        "<payload-type id='8' name='PCMA' clockrate='8000' ptime='30'/>"
        "<payload-type id='111' name='opus' clockrate='48000' channels='2' maxptime='60'>"
        "<parameter name='useinbandfec' value='1'/><parameter name='usedtx' value='1'/>"
        "<parameter name='stereo' value='1'/><parameter name='maxaveragebitrate' value='20000'/>"
        "<parameter name='minptime' value='-3'/></payload-type>"
        "<payload-type id='102' name='telephone-event' clockrate='8000'/>"
        "<rtp-hdrext xmlns='" NS_RTP_HDREXT "' id='1' uri='" HDREXT_AUDIO_LEVEL "'/>"
        "<source xmlns='" NS_SSMA "' ssrc='77'/>");
    assert_true(negotiate_agree(&offer, &answer, true, false, &agreement));
    assert_string_equal(agreement.send.name, "PCMA");
    assert_int_equal(agreement.send.ptime, 30);
    assert_true(agreement.has_send_event);
    assert_int_equal(agreement.send_event.payload_type, 102);
    assert_int_equal(agreement.send_audio_level, 1);
    assert_int_equal(agreement.remote_ssrc, 77);
    assert_false(agreement.rtcp_mux);
    rtp_description_clear(&answer);
    read_description(
        &answer, "<payload-type id='96' name='Opus' clockrate='48000'>"
                 "<parameter name='usedtx' value='1'/><parameter name='stereo' value='true'/>"
                 "<parameter name='maxaveragebitrate' value='20000'/>"
                 "<parameter name='minptime'/><parameter name='ptime' value='40'/></payload-type>");
    assert_true(negotiate_agree(&offer, &answer, true, false, &agreement));
    assert_int_equal(agreement.send.payload_type, 96);
    assert_int_equal(agreement.receive[0].payload_type, 111);
    assert_true(agreement.send.opus.usedtx);
    assert_true(agreement.send.opus.stereo);
    assert_int_equal(agreement.send.opus.maxaveragebitrate, 20000);
    assert_int_equal(agreement.send.opus.minptime, 0);
    assert_int_equal(agreement.send.ptime, 40);
    assert_false(agreement.has_send_event);
    rtp_description_clear(&answer);
    rtp_description_clear(&offer);
}

static bool may_receive(const struct rtp_agreement *agreement, uint8_t payload_type)
{
    for (size_t i = 0; i < agreement->receive_count; i++)
        if (agreement->receive[i].payload_type == payload_type)
            return true;
    return false;
}

/* libwebrtc answers with PCMU if told so, and sends the Opus that was offered. */
static void test_all_that_we_offered_may_come_whatever_is_answered(void **state)
{
    struct rtp_description offer, answer;
    struct rtp_agreement agreement;

    (void)state;
    audio_capabilities(&offer);
    read_description(&answer, "<payload-type id='0' name='PCMU' clockrate='8000'/><rtcp-mux/>");
    assert_true(negotiate_agree(&offer, &answer, true, false, &agreement));
    assert_int_equal(agreement.send.payload_type, 0);
    assert_false(agreement.has_send_event);
    assert_int_equal(agreement.receive_count, 3);
    assert_true(may_receive(&agreement, 111));
    assert_true(may_receive(&agreement, 0));
    assert_true(may_receive(&agreement, 8));
    assert_true(agreement.receive_event_count > 0);
    assert_true(negotiate_agree(&answer, &offer, false, true, &agreement));
    assert_int_equal(agreement.receive_count, 1); /* of our own answer */
    assert_true(may_receive(&agreement, 0));
    rtp_description_clear(&answer);
    rtp_description_clear(&offer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_offers_order_is_kept_unless_ours_is_wanted),
        cmocka_unit_test(test_the_order_of_monals_offer_means_nothing),
        cmocka_unit_test(test_the_answer_has_the_ids_of_the_offer_and_our_order),
        cmocka_unit_test(test_only_offered_extensions_and_feedback_are_answered),
        cmocka_unit_test(test_events_alone_are_no_common_codec),
        cmocka_unit_test(test_ids_that_look_like_rtcp_are_not_used_with_mux),
        cmocka_unit_test(test_the_first_of_the_answer_is_sent_with_the_wishes_of_its_receiver),
        cmocka_unit_test(test_all_that_we_offered_may_come_whatever_is_answered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
