#include "call_video.h"

#include "call_voice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct call_video_identity identity = {
    .ssrc = 1000, .rtx_ssrc = 1001, .cname = "cname"};

static void test_vp8_comes_first_with_its_retransmissions(void **state)
{
    struct rtp_description d;
    (void)state;
    call_video_describe(&d, NULL, &identity);
    assert_string_equal(d.media, "video");
    assert_true(d.rtcp_mux);
    assert_int_equal(d.payload_type_count, 4);
    assert_string_equal(d.payload_types[0].name, "VP8");
    assert_int_equal(d.payload_types[0].id, 96);
    assert_true(rtcp_feedbacks_has(&d.payload_types[0].feedback, "nack", "pli"));
    assert_true(rtcp_feedbacks_has(&d.payload_types[0].feedback, "transport-cc", NULL));
    assert_string_equal(d.payload_types[1].name, "rtx");
    assert_string_equal(rtp_parameters_get(&d.payload_types[1].parameters, "apt"), "96");
    assert_string_equal(d.payload_types[2].name, "VP9");
    assert_string_equal(rtp_parameters_get(&d.payload_types[2].parameters, "profile-id"), "0");
    assert_int_equal(d.source_count, 2);
    assert_int_equal(d.group_count, 1);
    rtp_description_clear(&d);
}

static void test_the_wished_codec_comes_first(void **state)
{
    struct rtp_description d;
    (void)state;
    call_video_describe(&d, "vp9", &identity);
    assert_string_equal(d.payload_types[0].name, "VP9");
    assert_int_equal(d.payload_types[0].id, 98);
    rtp_description_clear(&d);
    assert_true(call_video_knows_codec("VP9"));
    assert_true(call_video_knows_codec(NULL));
    assert_false(call_video_knows_codec("H264"));
}

static void test_ids_of_extensions_are_those_of_the_voice(void **state)
{
    struct rtp_description video;
    struct rtp_description voice;
    jingle_session_config settings;
    (void)state;
    jingle_session_config_init(&settings);
    call_video_describe(&video, NULL, &identity);
    call_voice_describe(&voice, &settings, &(struct call_voice_identity){.cname = "cname"});
    call_video_describe_voice(&voice);
    for (size_t i = 0; i < video.hdrext_count; i++) {
        const struct rtp_hdrext *same = rtp_description_find_hdrext(&voice, video.hdrexts[i].uri);
        assert_true(!same || same->id == video.hdrexts[i].id);
    }
    assert_non_null(rtp_description_find_hdrext(&voice, HDREXT_TRANSPORT_CC));
    rtp_description_clear(&video);
    rtp_description_clear(&voice);
}

static void test_an_agreement_with_ourselves_is_complete(void **state)
{
    struct rtp_description offer;
    struct rtp_description local;
    struct rtp_description answer;
    struct rtp_agreement agreement;
    struct video_config config;
    (void)state;
    call_video_describe(&offer, NULL, &identity);
    call_video_describe(&local, NULL, &identity);
    assert_true(negotiate_answer(&offer, &local, ORDER_OF_THE_OFFER, &answer));
    assert_true(negotiate_agree(&offer, &answer, true, false, &agreement));
    call_video_config(&config, &agreement, "video", 500000, &identity);
    assert_ptr_equal(config.sending.codec, &codec_vp8);
    assert_int_equal(config.sending.payload_type, 96);
    assert_int_equal(config.sending.rtx, 97);
    assert_int_equal(config.sending.bitrate, 500000);
    assert_int_equal(config.receive_count, 2);
    assert_int_equal(config.receive[0].rtx, 97);
    assert_true(config.feedback.nack);
    assert_true(config.feedback.pli);
    assert_int_not_equal(config.extensions.transport_sequence, 0);
    assert_string_equal(config.extensions.mid_value, "video");
    rtp_description_clear(&offer);
    rtp_description_clear(&local);
    rtp_description_clear(&answer);
}

static void test_a_long_name_is_no_mid(void **state)
{
    struct rtp_agreement agreement = {.send_mid = 4};
    struct video_config config;
    (void)state;
    call_video_config(&config, &agreement, "a name of seventeen", 0, &identity);
    assert_int_equal(config.extensions.mid, 0);
}

static void test_identities_differ(void **state)
{
    struct call_video_identity a;
    struct call_video_identity b;
    (void)state;
    call_video_identity_new(&a, "name", &random_system);
    call_video_identity_new(&b, "name", &random_system);
    assert_int_not_equal(a.ssrc, a.rtx_ssrc);
    assert_int_not_equal(a.ssrc, b.ssrc);
    assert_string_equal(a.cname, "name");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vp8_comes_first_with_its_retransmissions),
        cmocka_unit_test(test_the_wished_codec_comes_first),
        cmocka_unit_test(test_ids_of_extensions_are_those_of_the_voice),
        cmocka_unit_test(test_an_agreement_with_ourselves_is_complete),
        cmocka_unit_test(test_a_long_name_is_no_mid),
        cmocka_unit_test(test_identities_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
