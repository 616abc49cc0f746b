/* Sessions without encryption, for the clients that know none: Gajim up to 2.4, old Psi, QXmpp up
 * to 1.10. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "side_asserts.h"

#define PLAIN_TRANSPORT(inner)                                                             \
    "<transport xmlns='" NS_ICE_UDP "' ufrag='theirs' pwd='pppppppppppppppppppppp'>" inner \
    "</transport>"
#define PLAIN_DESCRIPTION(media, payload_types) \
    "<description xmlns='" NS_RTP "' media='" media "'>" payload_types "</description>"
#define PLAIN(name, media, payload_types)                                                   \
    "<content creator='initiator' name='" name "'>" PLAIN_DESCRIPTION(media, payload_types) \
        PLAIN_TRANSPORT(COMPONENT("1", "5000") COMPONENT("2", "5001")) "</content>"
#define COMPONENT(number, port)                                                      \
    "<candidate component='" number "' foundation='1' ip='198.51.100.1' port='" port \
    "' priority='1' protocol='udp' type='host'/>"
#define TCP_CANDIDATE                                                                  \
    "<candidate component='1' foundation='1' ip='198.51.100.1' port='0' priority='1' " \
    "protocol='tcp' type='host'/>"
/* As Gajim writes it. */
#define LOUD_OPUS      "<payload-type id='96' name='OPUS' clockrate='48000'/>"
#define PLAIN_INITIATE JINGLE("session-initiate", PLAIN("voice", "audio", LOUD_OPUS))
#define PLAIN_ACCEPT   JINGLE("session-accept", PLAIN("audio", "audio", LOUD_OPUS))

static void set_plain_transport(struct side *side, const char *content)
{
    struct ice_udp_transport transport;

    own_transport(&transport, "ours", 1000);
    transport.fingerprint = (struct dtls_fingerprint){0};
    struct ice_candidate second = host_candidate(1001);
    second.component = 2;
    ice_udp_add_candidate(&transport, &second);
    session_set_transport(side->session, content, &transport, 0);
    ice_udp_clear(&transport);
}

static void start_outgoing(struct side *side)
{
    side_init(side);
    side->plain = true;
    side_new_outgoing(side);
    session_initiate(side->session, 0);
    set_plain_transport(side, "audio");
    session_answered(side->session, side_last_tag(side), NULL, 0);
    g_string_truncate(side->log, 0);
}

static void start_incoming(struct side *side, const char *initiate)
{
    side_init(side);
    side->plain = true;
    assert_true(side_receive(side, initiate));
}

/* Psi answers an error to any child but payload-type, and to a transport with a fingerprint. */
static void assert_stripped(const struct side *side)
{
    static const char *const unwanted[] = {"rtcp-mux", "rtcp-fb",    "rtp-hdrext",
                                           "<source",  "<parameter", "fingerprint",
                                           "<group",   "encryption", "ptime"};

    for (size_t i = 0; i < G_N_ELEMENTS(unwanted); i++)
        assert_not_sent(side, unwanted[i]);
    assert_sent(side, "channels=\"2\"");
    assert_sent(side, "component=\"1\"");
    assert_sent(side, "component=\"2\"");
    assert_sent(side, "creator=\"initiator\"");
    assert_sent(side, "senders=\"both\"");
}

static void test_an_offer_has_only_what_they_read(void **state)
{
    struct side side;

    (void)state;
    start_outgoing(&side);
    assert_stripped(&side);
    assert_sent(&side, "name=\"opus\"");
    assert_false(session_is_encrypted(side.session));
    side_clear(&side);
}

static void test_an_answer_has_only_what_they_read_as_they_spell_it(void **state)
{
    struct side side;

    (void)state;
    start_incoming(&side, PLAIN_INITIATE);
    assert_log(&side, "=result");
    side_accept(&side);
    set_plain_transport(&side, "voice");
    assert_log(&side, "negotiated !session-accept");
    assert_stripped(&side);
    assert_sent(&side, "name=\"voice\"");
    assert_sent(&side, "name=\"OPUS\"");
    assert_int_equal(side.remote_candidates, 2);
    assert_string_equal(side.agreement.send.name, "opus");
    side_clear(&side);
}

static void test_both_components_of_an_answer_are_told(void **state)
{
    struct side side;

    (void)state;
    start_outgoing(&side);
    assert_true(side_receive(&side, PLAIN_ACCEPT));
    assert_log(&side, "=result accepted negotiated");
    assert_int_equal(side.remote_candidates, 2);
    side_clear(&side);
}

/* It was gathered before it was known with whom. */
static void test_a_transport_with_a_fingerprint_is_not_offered(void **state)
{
    struct side side;

    (void)state;
    side_init(&side);
    side.plain = true;
    side_new_outgoing(&side);
    session_initiate(side.session, 0);
    side_set_transport(&side, "audio", "before", 1000);
    assert_log(&side, "");
    set_plain_transport(&side, "audio");
    assert_log(&side, "!session-initiate");
    assert_not_sent(&side, "before");
    side_clear(&side);
}

static void test_without_the_option_such_an_offer_is_a_security_error(void **state)
{
    struct side side;

    (void)state;
    side_init(&side);
    assert_true(side_receive(&side, PLAIN_INITIATE));
    assert_log(&side, "=result !session-terminate");
    assert_sent(&side, "<security-error/>");
    side_clear(&side);
}

static void test_with_the_option_an_encrypted_offer_stays_encrypted(void **state)
{
    struct side side;

    (void)state;
    start_incoming(&side, INITIATE);
    assert_true(session_is_encrypted(side.session));
    side_accept(&side);
    side_set_transport(&side, "audio", "ours", 1000);
    assert_sent(&side, "fingerprint");
    assert_sent(&side, "<rtcp-mux/>");
    side_clear(&side);
}

#define UNKNOWN_HASH                                                 \
    "<fingerprint xmlns='" NS_DTLS "' hash='sha-1' setup='actpass'>" \
    "AB:CD</fingerprint>"
#define SDES                                                      \
    "<encryption><crypto crypto-suite='AES_CM_128_HMAC_SHA1_80' " \
    "key-params='inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj' tag='1'/></encryption>"

/* Whoever wants encryption gets some or nothing. */
static void test_an_offer_with_half_an_encryption_is_a_security_error(void **state)
{
    static const char *const offers[] = {
        JINGLE("session-initiate",
               PLAIN("a", "audio", LOUD_OPUS) CONTENT("v", "video", OPUS, "actpass")),
        JINGLE("session-initiate",
               CONTENT("a", "audio", OPUS, "actpass") PLAIN("v", "video", LOUD_OPUS)),
        JINGLE("session-initiate", "<content creator='initiator' name='a'>" PLAIN_DESCRIPTION(
                                       "audio", OPUS) PLAIN_TRANSPORT(UNKNOWN_HASH) "</content>"),
        JINGLE("session-initiate", "<content creator='initiator' name='a'>" PLAIN_DESCRIPTION(
                                       "audio", OPUS SDES) PLAIN_TRANSPORT("") "</content>"),
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(offers); i++) {
        struct side side;
        start_incoming(&side, offers[i]);
        assert_log(&side, "=result !session-terminate");
        assert_sent(&side, "<security-error/>");
        side_clear(&side);
    }
}

static void test_an_answer_without_encryption_never_does_for_an_encrypted_offer(void **state)
{
    struct side side;

    (void)state;
    side_init(&side);
    side_new_outgoing(&side);
    session_initiate(side.session, 0);
    side_set_transport(&side, "audio", "ours", 1000);
    g_string_truncate(side.log, 0);
    assert_true(side_receive(&side, PLAIN_ACCEPT));
    assert_log(&side, "=result accepted !session-terminate ended");
    assert_sent(&side, "<security-error/>");
    side_clear(&side);
}

static void test_an_answer_with_encryption_to_an_offer_without_is_a_security_error(void **state)
{
    struct side side;

    (void)state;
    start_outgoing(&side);
    assert_true(side_receive(&side, ACCEPT));
    assert_log(&side, "=result accepted !session-terminate ended");
    assert_sent(&side, "<security-error/>");
    side_clear(&side);
}

static void test_their_video_is_left_out(void **state)
{
    struct side side;

    (void)state;
    start_incoming(&side, JINGLE("session-initiate",
                                 PLAIN("audio", "audio", LOUD_OPUS) PLAIN(
                                     "video", "video",
                                     "<payload-type id='97' name='VP8' clockrate='90000'/>")));
    assert_true(session_offers(side.session, "audio"));
    assert_false(session_offers(side.session, "video"));
    side_accept(&side);
    set_plain_transport(&side, "audio");
    assert_log(&side, "=result negotiated !session-accept !content-remove");
    side_clear(&side);
}

static void test_nothing_is_added_to_such_a_call(void **state)
{
    struct side side;
    struct rtp_description video;

    (void)state;
    start_outgoing(&side);
    assert_true(side_receive(&side, PLAIN_ACCEPT));
    g_string_truncate(side.log, 0);
    video_capabilities(&video);
    struct session_media media = {.content = "video", .description = &video};
    assert_null(session_content_add(side.session, &media, 0));
    rtp_description_clear(&video);
    assert_true(side_receive(
        &side,
        JINGLE("content-add",
               PLAIN("webcam", "video", "<payload-type id='97' name='VP8' clockrate='90000'/>"))));
    assert_log(&side, "=result !content-reject");
    side_clear(&side);
}

/* Gajim: a TCP candidate with port 0, description-info after the accept, content-remove to hang up.
 */
static void test_the_habits_of_gajim_are_borne(void **state)
{
    struct side side;

    (void)state;
    start_outgoing(&side);
    assert_true(side_receive(
        &side,
        JINGLE("session-accept",
               "<content creator='initiator' name='audio'>" PLAIN_DESCRIPTION("audio", LOUD_OPUS)
                   PLAIN_TRANSPORT(TCP_CANDIDATE COMPONENT("1", "5000")) "</content>")));
    assert_log(&side, "=result accepted negotiated");
    assert_int_equal(side.remote_candidates, 1);
    assert_true(
        side_receive(&side, JINGLE("description-info", PLAIN("audio", "audio", LOUD_OPUS))));
    assert_log(&side, "=result");
    session_connected(side.session);
    assert_true(side_receive(
        &side, JINGLE("content-remove", "<content creator='initiator' name='audio'/>")));
    assert_log(&side, "=result !session-terminate ended");
    assert_int_equal(side.ended, JINGLE_REASON_HANGUP);
    assert_true(side_receive(&side, JINGLE("session-terminate", "<reason><success/></reason>")));
    assert_log(&side, "=result");
    side_clear(&side);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_offer_has_only_what_they_read),
        cmocka_unit_test(test_an_answer_has_only_what_they_read_as_they_spell_it),
        cmocka_unit_test(test_both_components_of_an_answer_are_told),
        cmocka_unit_test(test_a_transport_with_a_fingerprint_is_not_offered),
        cmocka_unit_test(test_without_the_option_such_an_offer_is_a_security_error),
        cmocka_unit_test(test_with_the_option_an_encrypted_offer_stays_encrypted),
        cmocka_unit_test(test_an_offer_with_half_an_encryption_is_a_security_error),
        cmocka_unit_test(test_an_answer_without_encryption_never_does_for_an_encrypted_offer),
        cmocka_unit_test(test_an_answer_with_encryption_to_an_offer_without_is_a_security_error),
        cmocka_unit_test(test_their_video_is_left_out),
        cmocka_unit_test(test_nothing_is_added_to_such_a_call),
        cmocka_unit_test(test_the_habits_of_gajim_are_borne),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
