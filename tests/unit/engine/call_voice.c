/* engine/call_voice.h: what is offered for which settings, and what an agreement makes of a voice.
 */
#include "call_voice.h"

#include "codecs/codec.h"

#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct call_voice_identity identity = {.ssrc = 0x12345678, .cname = "abcdefgh"};

static jingle_session_config defaults(void)
{
    jingle_session_config settings;
    jingle_session_config_init(&settings);
    return settings;
}

static const char *parameter(const struct rtp_description *description, const char *codec,
                             const char *name)
{
    for (size_t i = 0; i < description->payload_type_count; i++) {
        if (strcmp(description->payload_types[i].name, codec) == 0) {
            return rtp_parameters_get(&description->payload_types[i].parameters, name);
        }
    }
    return NULL;
}

/* ------------------------------------------------------------------------------ the offer -- */

static void test_the_default_offer(void **state)
{
    (void)state;
    static const struct {
        unsigned id;
        const char *name;
        uint32_t clockrate;
        unsigned channels;
    } expected[] = {
        {111, "opus", 48000, 2},
        {0, "PCMU", 8000, 1},
        {8, "PCMA", 8000, 1},
        {110, "telephone-event", 48000, 1},
        {126, "telephone-event", 8000, 1},
    };
    jingle_session_config settings = defaults();
    struct rtp_description offer;
    call_voice_describe(&offer, &settings, &identity);
    assert_string_equal(offer.media, "audio");
    assert_true(offer.rtcp_mux);
    assert_int_equal(offer.payload_type_count, G_N_ELEMENTS(expected));
    for (size_t i = 0; i < offer.payload_type_count; i++) {
        assert_int_equal(offer.payload_types[i].id, expected[i].id);
        assert_string_equal(offer.payload_types[i].name, expected[i].name);
        assert_int_equal(offer.payload_types[i].clockrate, expected[i].clockrate);
        assert_int_equal(offer.payload_types[i].channels, expected[i].channels);
        assert_int_equal(offer.payload_types[i].ptime, 0);
    }
    assert_string_equal(parameter(&offer, "opus", "useinbandfec"), "1");
    assert_string_equal(parameter(&offer, "opus", "minptime"), "10");
    assert_null(parameter(&offer, "opus", "stereo"));
    assert_null(parameter(&offer, "opus", "usedtx"));
    assert_null(parameter(&offer, "opus", "maxaveragebitrate"));
    assert_non_null(rtp_description_find_hdrext(&offer, HDREXT_AUDIO_LEVEL));
    assert_non_null(rtp_description_find_hdrext(&offer, HDREXT_MID));
    assert_int_equal(offer.source_count, 1);
    assert_int_equal(offer.sources[0].ssrc, identity.ssrc);
    assert_string_equal(rtp_parameters_get(&offer.sources[0].parameters, "cname"), "abcdefgh");
    rtp_description_clear(&offer);
}

static void test_every_setting_shows_in_the_offer(void **state)
{
    (void)state;
    jingle_session_config settings = defaults();
    settings.channels = 2;
    settings.bitrate = 96000;
    settings.ptime = 60;
    settings.fec = JINGLE_OFF;
    settings.dtx = JINGLE_ON;
    struct rtp_description offer;
    call_voice_describe(&offer, &settings, &identity);
    assert_string_equal(parameter(&offer, "opus", "useinbandfec"), "0");
    assert_string_equal(parameter(&offer, "opus", "stereo"), "1");
    assert_string_equal(parameter(&offer, "opus", "sprop-stereo"), "1");
    assert_string_equal(parameter(&offer, "opus", "usedtx"), "1");
    assert_string_equal(parameter(&offer, "opus", "maxaveragebitrate"), "96000");
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(offer.payload_types[i].ptime, 60);
    }
    rtp_description_clear(&offer);
}

static void test_a_wanted_codec_comes_first_and_no_codec_is_lost(void **state)
{
    (void)state;
    static const char *const names[] = {"opus", "pcmu", "PCMA"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        jingle_session_config settings = defaults();
        struct rtp_description offer;
        settings.codec = names[i];
        call_voice_describe(&offer, &settings, &identity);
        assert_int_equal(g_ascii_strcasecmp(offer.payload_types[0].name, names[i]), 0);
        assert_int_equal(offer.payload_type_count, 5);
        rtp_description_clear(&offer);
    }
}

static void test_codecs_are_known_by_name(void **state)
{
    (void)state;
    assert_true(call_voice_knows_codec(NULL));
    assert_true(call_voice_knows_codec("opus"));
    assert_true(call_voice_knows_codec("Opus"));
    assert_true(call_voice_knows_codec("PCMA"));
    assert_false(call_voice_knows_codec(""));
    assert_false(call_voice_knows_codec("telephone-event"));
    assert_false(call_voice_knows_codec("G729"));
}

static void test_identities_differ(void **state)
{
    (void)state;
    struct call_voice_identity one;
    struct call_voice_identity two;
    call_voice_identity_new(&one, &random_system);
    call_voice_identity_new(&two, &random_system);
    assert_string_not_equal(one.cname, two.cname);
    assert_int_equal(strlen(one.cname), sizeof one.cname - 1);
}

/* -------------------------------------------------------------------------- the agreement -- */

/* What becomes of our settings with a peer whose settings are `theirs`. */
static void agree(struct voice_config *config, jingle_session_config *ours,
                  jingle_session_config *theirs, struct rtp_agreement *agreement)
{
    struct call_voice_identity other = {.ssrc = 1, .cname = "other"};
    struct rtp_description local;
    struct rtp_description remote;
    call_voice_describe(&local, ours, &identity);
    call_voice_describe(&remote, theirs, &other);
    assert_true(negotiate_agree(&local, &remote, true, false, agreement));
    call_voice_config(config, agreement, "audio", ours, &identity);
    rtp_description_clear(&local);
    rtp_description_clear(&remote);
}

static void test_two_default_sides(void **state)
{
    (void)state;
    jingle_session_config settings = defaults();
    struct rtp_agreement agreement;
    struct voice_config config;
    agree(&config, &settings, &settings, &agreement);
    assert_ptr_equal(config.sending.codec, &codec_opus);
    assert_int_equal(config.sending.payload_type, 111);
    assert_int_equal(config.sending.bitrate, 32000);
    assert_int_equal(config.sending.channels, 1);
    assert_int_equal(config.sending.ptime, 20);
    assert_true(config.sending.fec);
    assert_false(config.sending.dtx);
    assert_int_equal(config.sending.events.rate, 48000);
    assert_int_equal(config.playout_channels, 1);
    assert_int_equal(config.receive_count, 3);
    for (size_t i = 0; i < config.receive_count; i++) {
        assert_non_null(config.receive[i].codec);
    }
    assert_int_equal(config.receive_event_count, 2);
    assert_int_equal(config.ssrc, identity.ssrc);
    assert_string_equal(config.extensions.mid_value, "audio");
    assert_int_not_equal(config.extensions.mid, 0);
    assert_int_not_equal(config.extensions.audio_level, 0);
    assert_true(call_voice_takes_digits(&agreement));
}

static void test_stereo_needs_both(void **state)
{
    (void)state;
    jingle_session_config mono = defaults();
    jingle_session_config stereo = defaults();
    struct rtp_agreement agreement;
    struct voice_config config;
    stereo.channels = 2;
    agree(&config, &stereo, &mono, &agreement);
    assert_int_equal(config.sending.channels, 1);
    assert_int_equal(config.playout_channels, 2);
    agree(&config, &mono, &stereo, &agreement);
    assert_int_equal(config.sending.channels, 1);
    assert_int_equal(config.playout_channels, 1);
    agree(&config, &stereo, &stereo, &agreement);
    assert_int_equal(config.sending.channels, 2);
    assert_int_equal(config.sending.bitrate, 64000);
}

static void test_fec_needs_a_receiver_that_wants_it(void **state)
{
    (void)state;
    jingle_session_config with = defaults();
    jingle_session_config without = defaults();
    struct rtp_agreement agreement;
    struct voice_config config;
    without.fec = JINGLE_OFF;
    agree(&config, &with, &without, &agreement);
    assert_false(config.sending.fec);
    agree(&config, &without, &with, &agreement);
    assert_false(config.sending.fec);
}

static void test_dtx_is_a_wish_of_either_side(void **state)
{
    (void)state;
    jingle_session_config plain = defaults();
    jingle_session_config wish = defaults();
    jingle_session_config never = defaults();
    struct rtp_agreement agreement;
    struct voice_config config;
    wish.dtx = JINGLE_ON;
    never.dtx = JINGLE_OFF;
    agree(&config, &plain, &wish, &agreement);
    assert_true(config.sending.dtx);
    agree(&config, &wish, &plain, &agreement);
    assert_true(config.sending.dtx);
    agree(&config, &never, &wish, &agreement);
    assert_false(config.sending.dtx);
}

static void test_the_lower_bitrate_wins(void **state)
{
    (void)state;
    jingle_session_config low = defaults();
    jingle_session_config high = defaults();
    struct rtp_agreement agreement;
    struct voice_config config;
    low.bitrate = 12000;
    high.bitrate = 128000;
    agree(&config, &high, &low, &agreement);
    assert_int_equal(config.sending.bitrate, 12000);
    agree(&config, &low, &high, &agreement);
    assert_int_equal(config.sending.bitrate, 12000);
}

/* Numbers of a peer that makes no sense. */
static void test_a_hostile_bitrate_is_brought_into_range(void **state)
{
    (void)state;
    static const unsigned asked[] = {1, 5999, 6000, 32000, 4294967295u};
    static const unsigned given[] = {6000, 6000, 6000, 32000, 32000};
    jingle_session_config settings = defaults();
    struct rtp_agreement agreement;
    struct voice_config config;
    agree(&config, &settings, &settings, &agreement);
    for (size_t i = 0; i < G_N_ELEMENTS(asked); i++) {
        agreement.send.opus.maxaveragebitrate = asked[i];
        call_voice_config(&config, &agreement, "audio", &settings, &identity);
        assert_int_equal(config.sending.bitrate, given[i]);
    }
}

static void test_packets_are_as_long_as_both_can(void **state)
{
    (void)state;
    static const struct {
        unsigned wish, ptime, minptime, maxptime, result;
    } table[] = {
        {0, 0, 0, 0, 20},           {0, 60, 0, 0, 60},          {0, 30, 0, 0, 20},
        {0, 5, 0, 0, 10},           {60, 20, 0, 0, 60},         {60, 0, 0, 40, 40},
        {10, 0, 20, 0, 20},         {10, 0, 10, 0, 10},         {0, 120, 0, 0, 60},
        {60, 0, 0, 1, 10},          {20, 0, 40, 20, 20},        {0, 4294967295u, 0, 0, 60},
        {0, 0, 4294967295u, 0, 60}, {0, 4294967295u, 0, 3, 10},
    };
    jingle_session_config settings = defaults();
    struct rtp_agreement agreement;
    struct voice_config config;
    agree(&config, &settings, &settings, &agreement);
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        settings.ptime = table[i].wish;
        agreement.send.ptime = table[i].ptime;
        agreement.send.opus.minptime = table[i].minptime;
        agreement.send.maxptime = table[i].maxptime;
        call_voice_config(&config, &agreement, "audio", &settings, &identity);
        assert_int_equal(config.sending.ptime, table[i].result);
    }
}

static void test_g711_with_its_own_clock_for_digits(void **state)
{
    (void)state;
    jingle_session_config settings = defaults();
    struct rtp_agreement agreement;
    struct voice_config config;
    settings.codec = "PCMU";
    settings.channels = 2;
    agree(&config, &settings, &settings, &agreement);
    assert_ptr_equal(config.sending.codec, &codec_pcmu);
    assert_int_equal(config.sending.payload_type, 0);
    assert_true(config.sending.channels <= 1);
    assert_false(config.sending.fec);
    assert_int_equal(config.sending.events.rate, 8000);
}

static void test_a_name_that_is_too_long_is_not_sent_by_half(void **state)
{
    (void)state;
    jingle_session_config settings = defaults();
    struct rtp_agreement agreement;
    struct voice_config config;
    agree(&config, &settings, &settings, &agreement);
    call_voice_config(&config, &agreement, "sixteen-letters.", &settings, &identity);
    assert_int_not_equal(config.extensions.mid, 0);
    call_voice_config(&config, &agreement, "seventeen-letters", &settings, &identity);
    assert_int_equal(config.extensions.mid, 0);
}

static void test_a_peer_without_digits(void **state)
{
    (void)state;
    jingle_session_config settings = defaults();
    struct rtp_description local;
    struct rtp_description remote;
    struct rtp_agreement agreement;
    struct voice_config config;
    call_voice_describe(&local, &settings, &identity);
    rtp_description_init(&remote, "audio");
    rtp_description_add(&remote, 111, "opus", 48000, 2);
    assert_true(negotiate_agree(&local, &remote, true, false, &agreement));
    call_voice_config(&config, &agreement, "audio", &settings, &identity);
    assert_false(call_voice_takes_digits(&agreement));
    assert_int_equal(config.sending.events.payload_type, 0);
    assert_int_equal(config.extensions.audio_level, 0);
    assert_int_equal(config.extensions.mid, 0);
    rtp_description_clear(&local);
    rtp_description_clear(&remote);
}

static void test_codecs_have_names_for_statistics(void **state)
{
    (void)state;
    assert_string_equal(call_voice_codec_name(&codec_opus), "opus/48000/2");
    assert_string_equal(call_voice_codec_name(&codec_pcmu), "PCMU/8000");
    assert_string_equal(call_voice_codec_name(&codec_pcma), "PCMA/8000");
    assert_string_equal(call_voice_codec_name(NULL), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_default_offer),
        cmocka_unit_test(test_every_setting_shows_in_the_offer),
        cmocka_unit_test(test_a_wanted_codec_comes_first_and_no_codec_is_lost),
        cmocka_unit_test(test_codecs_are_known_by_name),
        cmocka_unit_test(test_identities_differ),
        cmocka_unit_test(test_two_default_sides),
        cmocka_unit_test(test_stereo_needs_both),
        cmocka_unit_test(test_fec_needs_a_receiver_that_wants_it),
        cmocka_unit_test(test_dtx_is_a_wish_of_either_side),
        cmocka_unit_test(test_the_lower_bitrate_wins),
        cmocka_unit_test(test_a_hostile_bitrate_is_brought_into_range),
        cmocka_unit_test(test_packets_are_as_long_as_both_can),
        cmocka_unit_test(test_g711_with_its_own_clock_for_digits),
        cmocka_unit_test(test_a_name_that_is_too_long_is_not_sent_by_half),
        cmocka_unit_test(test_a_peer_without_digits),
        cmocka_unit_test(test_codecs_have_names_for_statistics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
