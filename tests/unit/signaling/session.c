#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "side_asserts.h"

static void start_outgoing(struct side *side)
{
    side_init(side);
    side_new_outgoing(side);
    session_initiate(side->session, 0);
    side_set_transport(side, "audio", "ours", 1000);
    session_answered(side->session, side_last_tag(side), NULL, 0);
    g_string_truncate(side->log, 0);
}

static void make_active(struct side *side)
{
    start_outgoing(side);
    assert_true(side_receive(side, ACCEPT));
    g_string_truncate(side->log, 0);
}

static void start_incoming(struct side *side, const char *initiate)
{
    side_init(side);
    assert_true(side_receive(side, initiate));
    g_string_truncate(side->log, 0);
}

/* session-accept is sent, but not acknowledged. */
static void make_accepting(struct side *side)
{
    start_incoming(side, INITIATE);
    side_accept(side);
    side_set_transport(side, "audio", "ours", 1000);
    g_string_truncate(side->log, 0);
}

static void make_active_callee(struct side *side)
{
    make_accepting(side);
    session_answered(side->session, side_last_tag(side), NULL, 0);
    g_string_truncate(side->log, 0);
}

/* --------------------------------------------------------------------------- the two roles -- */

static void test_the_caller_initiates_when_the_transport_is_there(void **state)
{
    struct side side;

    (void)state;
    side_init(&side);
    side_new_outgoing(&side);
    session_initiate(side.session, 0);
    assert_log(&side, "");
    side_set_transport(&side, "audio", "ours", 1000);
    assert_log(&side, "!session-initiate");
    assert_sent(&side, "initiator=\"a@x/1\"");
    assert_sent(&side, "setup=\"actpass\"");
    assert_sent(&side, "semantics=\"BUNDLE\"><content name=\"audio\"/>");
    assert_sent(&side, "creator=\"initiator\" name=\"audio\" senders=\"both\"");
    assert_sent(&side, "<rtcp-mux/>");
    assert_sent(&side, "port=\"1000\"");
    assert_sent(&side, "name=\"opus\" clockrate=\"48000\" channels=\"2\"");
    assert_int_equal(session_state(side.session), SESSION_PENDING);
    side_clear(&side);
}

static void test_candidates_wait_for_the_acknowledgement_of_session_initiate(void **state)
{
    struct ice_candidate candidates[3];
    struct side side;

    (void)state;
    side_init(&side);
    side_new_outgoing(&side);
    session_initiate(side.session, 0);
    side_set_transport(&side, "audio", "ours", 0);
    for (size_t i = 0; i < 3; i++)
        candidates[i] = host_candidate((uint16_t)(2000 + i));
    session_add_candidates(side.session, "audio", candidates, 3, 0);
    assert_log(&side, "!session-initiate");
    session_answered(side.session, side_last_tag(&side), NULL, 0);
    assert_log(&side, "!transport-info !transport-info !transport-info");
    assert_sent(&side, "ufrag=\"ours\" pwd=\"0123456789012345678901\"");
    assert_sent(&side, "port=\"2002\"");
    assert_not_sent(&side, "port=\"2001\""); /* Monal and Movim read the first only */
    assert_not_sent(&side, "fingerprint");
    session_add_candidates(side.session, "audio", candidates, 1, 0);
    assert_log(&side, "!transport-info");
    session_add_candidates(side.session, "nobody", candidates, 1, 0);
    assert_log(&side, "");
    side_clear(&side);
}

static void test_an_accepted_call_is_negotiated(void **state)
{
    struct side side;

    (void)state;
    start_outgoing(&side);
    assert_true(side_receive(&side, JINGLE("session-info", "<ringing xmlns='" NS_RTP_INFO "'/>")));
    assert_log(&side, "=result ringing");
    assert_true(side_receive(&side, ACCEPT));
    assert_log(&side, "=result accepted negotiated");
    assert_int_equal(session_state(side.session), SESSION_ACTIVE);
    assert_false(side.dtls_client);
    assert_string_equal(side.remote.ufrag, "theirs");
    assert_int_equal(side.agreement.send.payload_type, 111);
    assert_false(side.agreement.bundle);
    assert_true(session_next_deadline(side.session) == USEC_NEVER);
    assert_true(side_receive(&side, ACCEPT));
    assert_log(&side, "=out-of-order");
    side_clear(&side);
}

static void test_the_callee_puts_its_candidates_into_session_accept(void **state)
{
    struct ice_candidate later = host_candidate(3000);
    struct side side;

    (void)state;
    start_incoming(&side, INITIATE);
    assert_true(session_offers(side.session, "audio"));
    assert_false(session_offers(side.session, "video"));
    assert_true(side_receive(&side, TRICKLE("theirs", "", CANDIDATE("4000"))));
    assert_log(&side, "=result");
    side_accept(&side);
    assert_log(&side, "negotiated");
    assert_int_equal(side.remote_candidates, 1);
    assert_true(side.dtls_client);
    assert_true(side_receive(&side, TRICKLE("theirs", "", CANDIDATE("4001") CANDIDATE("4000"))));
    assert_log(&side, "=result transport");
    assert_int_equal(side.remote_candidates, 1);
    side_set_transport(&side, "audio", "ours", 1000);
    assert_log(&side, "!session-accept");
    assert_sent(&side, "responder=\"a@x/1\"");
    assert_sent(&side, "setup=\"active\"");
    assert_sent(&side, "port=\"1000\"");
    assert_not_sent(&side, "group");
    assert_not_sent(&side, "PCMU");
    session_add_candidates(side.session, "audio", &later, 1, 0);
    assert_log(&side, "!transport-info");
    side_accept(&side);
    assert_log(&side, "");
    side_clear(&side);
}

static void test_an_active_offerer_makes_us_passive(void **state)
{
    struct side side;

    (void)state;
    start_incoming(&side, JINGLE("session-initiate", CONTENT("audio", "audio", OPUS, "active")));
    side_accept(&side);
    side_set_transport(&side, "audio", "ours", 1000);
    assert_false(side.dtls_client);
    assert_sent(&side, "setup=\"passive\"");
    side_clear(&side);
}

static void test_candidates_before_the_answer_are_kept_for_it(void **state)
{
    struct side side;

    (void)state;
    start_outgoing(&side);
    assert_true(side_receive(&side, TRICKLE("older", "", CANDIDATE("4000"))));
    assert_true(side_receive(&side, TRICKLE("theirs", "", CANDIDATE("4001"))));
    assert_true(side_receive(&side, TRICKLE("theirs", "", CANDIDATE("4002"))));
    assert_log(&side, "=result =result =result");
    assert_true(side_receive(&side, ACCEPT));
    assert_int_equal(side.remote_candidates, 2);
    side_clear(&side);
}

static void test_the_creator_is_the_one_that_the_peer_last_wrote(void **state)
{
    struct ice_candidate later = host_candidate(3000);
    struct side side;

    (void)state;
    start_outgoing(&side);
    assert_true(side_receive(&side,
                             "<jingle xmlns='" NS_JINGLE "' sid='sid' action='session-accept'>"
                             "<content creator='responder' name='audio'>" DESCRIPTION("audio", OPUS)
                                 TRANSPORT("theirs", "active", "") "</content></jingle>"));
    session_add_candidates(side.session, "audio", &later, 1, 0);
    assert_sent(&side, "creator=\"responder\"");
    side_clear(&side);
}

/* ------------------------------------------------------------------------ refusing contents -- */

#define VIDEO "<payload-type id='96' name='VP8' clockrate='90000'/>"
#define VIDEO_OF_MONAL                                                \
    "<payload-type id='98' name='H264' clockrate='90000'><parameter " \
    "name='level_asymmetry_allowed' value='true'/>"                   \
    "<parameter name='profile_level_id' value='6558751'/></payload-type>" VIDEO
#define TWO_CONTENTS CONTENT("0", "audio", OPUS, "actpass") CONTENT("1", "video", VIDEO, "actpass")
#define GROUP                                                                                  \
    "<group xmlns='" NS_GROUPING "' semantics='BUNDLE'><content name='0'/><content name='1'/>" \
    "</group>"

static void test_refused_video_stays_in_a_bundled_answer_as_none(void **state)
{
    struct side side;

    (void)state;
    start_incoming(&side, JINGLE("session-initiate", GROUP TWO_CONTENTS));
    side_accept(&side);
    side_set_transport(&side, "0", "ours", 1000);
    assert_log(&side, "negotiated !session-accept");
    assert_true(side.agreement.bundle);
    assert_sent(&side, "<content name=\"0\"/><content name=\"1\"/></group>");
    assert_sent(&side, "name=\"1\" senders=\"none\"><description");
    assert_sent(&side, "name=\"VP8\"");
    const char *video = strstr(side_last_sent(&side), "senders=\"none\"");
    assert_non_null(strstr(video, "ufrag=\"ours\""));
    assert_non_null(strstr(video, "setup=\"active\""));
    assert_null(strstr(video, "port="));
    g_string_truncate(side.log, 0);
    assert_true(side_receive(&side, JINGLE("content-modify", "<content creator='initiator' "
                                                             "name='1' senders='both'/>")));
    assert_log(&side, "=result !content-modify");
    assert_sent(&side, "senders=\"none\"");
    side_clear(&side);
}

/* Monal ends a call over senders='none'. */
static void test_refused_video_of_monal_is_ours_to_send(void **state)
{
    struct side side;

    (void)state;
    start_incoming(&side, JINGLE("session-initiate",
                                 GROUP CONTENT("0", "audio", OPUS, "actpass")
                                     CONTENT("1", "video", VIDEO_OF_MONAL, "actpass")));
    side_accept(&side);
    side_set_transport(&side, "0", "ours", 1000);
    assert_log(&side, "negotiated !session-accept");
    assert_sent(&side, "name=\"1\" senders=\"responder\"><description");
    side_clear(&side);
}

static void test_refused_video_is_left_out_of_an_answer_without_bundle(void **state)
{
    struct side side;

    (void)state;
    start_incoming(&side, JINGLE("session-initiate", TWO_CONTENTS));
    side_accept(&side);
    side_set_transport(&side, "0", "ours", 1000);
    assert_log(&side, "negotiated !session-accept !content-remove");
    assert_null(strstr(g_ptr_array_index(side.sent, 0), "name=\"1\""));
    assert_sent(&side, "<content creator=\"initiator\" name=\"1\"/>");
    struct stanza_error error =
        stanza_error_make(STANZA_FEATURE_NOT_IMPLEMENTED, JINGLE_CONDITION_NONE, "");
    session_answered(side.session, side_last_tag(&side), &error, 0);
    assert_int_equal(session_state(side.session), SESSION_ACTIVE);
    side_clear(&side);
}

static void test_nothing_in_common_ends_the_session(void **state)
{
    struct side side;

    (void)state;
    start_incoming(&side, JINGLE("session-initiate", CONTENT("audio", "audio",
                                                             "<payload-type id='97' name='speex' "
                                                             "clockrate='8000'/>",
                                                             "actpass")));
    side_accept(&side);
    assert_log(&side, "!session-terminate ended");
    assert_sent(&side, "<incompatible-parameters/>");
    assert_int_equal(side.ended, JINGLE_REASON_INCOMPATIBLE);
    side_clear(&side);
    start_incoming(&side, JINGLE("session-initiate", CONTENT("v", "video", VIDEO, "actpass")));
    side_accept(&side);
    assert_sent(&side, "<unsupported-applications/>");
    side_clear(&side);
}

/* It would ring, and accepting it would lead nowhere. */
static void test_an_offer_without_a_codec_of_ours_does_not_ring(void **state)
{
    struct rtp_description abilities;
    struct side side;

    (void)state;
    rtp_description_init(&abilities, "audio");
    rtp_description_add(&abilities, 9, "G722", 8000, 1);
    side_init(&side);
    side.abilities = &abilities;
    assert_true(side_receive(&side, INITIATE));
    assert_log(&side, "=result !session-terminate");
    assert_sent(&side, "<incompatible-parameters/>");
    side_clear(&side);
    rtp_description_add(&abilities, 111, "opus", 48000, 2);
    side_init(&side);
    side.abilities = &abilities;
    assert_true(side_receive(&side, INITIATE));
    assert_log(&side, "=result");
    side_clear(&side);
    rtp_description_clear(&abilities);
}

static void test_an_impossible_offer_is_acknowledged_and_terminated(void **state)
{
    static const struct {
        const char *initiate;
        const char *reason;
    } cases[] = {
        {JINGLE("session-initiate", "<content name='f'><description xmlns='urn:file'/>" TRANSPORT(
                                        "u", "actpass", "") "</content>"),
         "<unsupported-applications/>"},
        {JINGLE("session-initiate", "<content name='a'>" DESCRIPTION(
                                        "audio", OPUS) "<transport xmlns='urn:raw'/></content>"),
         "<unsupported-transports/>"},
        {JINGLE("session-initiate",
                "<content name='a'>" DESCRIPTION("audio", OPUS) "<transport xmlns='" NS_ICE_UDP
                                                                "' ufrag='u' pwd='p'/></content>"),
         "<security-error/>"},
        {JINGLE("session-initiate",
                "<content name='a'>" DESCRIPTION(
                    "audio", OPUS) "<transport xmlns='" NS_ICE_UDP "'><fingerprint xmlns='" NS_DTLS
                                   "' hash='sha-256' setup='actpass'>" FINGERPRINT
                                   "</fingerprint></transport></content>"),
         "<failed-transport/>"},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct side side;
        side_init(&side);
        assert_true(side_receive(&side, cases[i].initiate));
        assert_log(&side, "=result !session-terminate");
        assert_sent(&side, cases[i].reason);
        assert_int_equal(session_state(side.session), SESSION_ENDED);
        side_clear(&side);
    }
}

static void test_an_answer_without_fingerprint_is_a_security_error(void **state)
{
    struct side side;

    (void)state;
    start_outgoing(&side);
    assert_true(side_receive(&side, JINGLE("session-accept",
                                           "<content name='audio'>" DESCRIPTION(
                                               "audio", OPUS) "<transport xmlns='" NS_ICE_UDP
                                                              "' ufrag='u' pwd='p'/></content>")));
    assert_log(&side, "=result accepted !session-terminate ended");
    assert_sent(&side, "<security-error/>");
    assert_int_equal(side.ended, JINGLE_REASON_SECURITY);
    side_clear(&side);
}

static void test_an_answer_to_something_else_is_a_bad_request(void **state)
{
    struct side side;

    (void)state;
    start_outgoing(&side);
    assert_true(
        side_receive(&side, JINGLE("session-accept", CONTENT("other", "audio", OPUS, "active"))));
    assert_log(&side, "=bad-request");
    assert_int_equal(session_state(side.session), SESSION_PENDING);
    side_clear(&side);
}

/* ----------------------------------------------------------------- every action, every state -- */

#define NAMED(action) JINGLE(action, "<content creator='initiator' name='audio'/>")
#define NAMED_TRANSPORT(action)                                                              \
    JINGLE(action, "<content creator='initiator' name='audio'><transport xmlns='" NS_ICE_UDP \
                   "'/></content>")
#define UNKNOWN_SESSION "=unknown-session"

static void test_every_action_is_answered_in_every_state(void **state)
{
    static const struct {
        const char *iq;
        const char *caller_pending, *caller_active, *callee_pending, *callee_active, *ended;
    } cases[] = {
        {INITIATE, "=out-of-order", "=out-of-order", "=out-of-order", "=out-of-order",
         UNKNOWN_SESSION},
        {ACCEPT, "=result accepted negotiated", "=out-of-order", "=out-of-order", "=out-of-order",
         UNKNOWN_SESSION},
        {JINGLE("session-terminate", ""), "=result ended", "=result ended", "=result ended",
         "=result ended", "=result"},
        {JINGLE("session-info", ""), "=result", "=result", "=result", "=result", UNKNOWN_SESSION},
        {JINGLE("session-info", "<ringing xmlns='" NS_RTP_INFO "'/>"), "=result ringing", "=result",
         "=result", "=result", UNKNOWN_SESSION},
        {JINGLE("session-info", "<hold xmlns='" NS_RTP_INFO "'/>"), "=result info", "=result info",
         "=result info", "=result info", UNKNOWN_SESSION},
        {JINGLE("session-info", "<dance xmlns='urn:x'/>"), "=unsupported-info", "=unsupported-info",
         "=unsupported-info", "=unsupported-info", UNKNOWN_SESSION},
        {TRICKLE("theirs", "pwd='p'", CANDIDATE("9")), "=result", "=result transport", "=result",
         "=result transport", UNKNOWN_SESSION},
        {NAMED_TRANSPORT("transport-replace"), "=result !transport-reject",
         "=result !transport-reject", "=result !transport-reject", "=result !transport-reject",
         UNKNOWN_SESSION},
        {NAMED_TRANSPORT("transport-accept"), "=out-of-order", "=out-of-order", "=out-of-order",
         "=out-of-order", UNKNOWN_SESSION},
        {NAMED("transport-reject"), "=out-of-order", "=out-of-order", "=out-of-order",
         "=out-of-order", UNKNOWN_SESSION},
        {JINGLE("content-add", CONTENT("video", "video", VIDEO, "actpass")),
         "=result !content-reject", "=result offered", "=result !content-reject", "=result offered",
         UNKNOWN_SESSION},
        {JINGLE("content-accept", CONTENT("audio", "audio", OPUS, "active")), "=out-of-order",
         "=out-of-order", "=out-of-order", "=out-of-order", UNKNOWN_SESSION},
        {JINGLE("content-reject", ""), "=out-of-order", "=out-of-order", "=out-of-order",
         "=out-of-order", UNKNOWN_SESSION},
        {NAMED("content-modify"), "=result", "=result senders", "=result", "=result senders",
         UNKNOWN_SESSION},
        {JINGLE("content-modify", "<content creator='initiator' name='x'/>"), "=item-not-found",
         "=item-not-found", "=item-not-found", "=item-not-found", UNKNOWN_SESSION},
        {NAMED("content-remove"), "=result !session-terminate ended",
         "=result !session-terminate ended", "=result !session-terminate ended",
         "=result !session-terminate ended", UNKNOWN_SESSION},
        {NAMED("description-info"), "=result", "=result", "=result", "=result", UNKNOWN_SESSION},
        {JINGLE("security-info", ""), "=result", "=result", "=result", "=result", UNKNOWN_SESSION},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct side side;
        start_outgoing(&side);
        assert_true(side_receive(&side, cases[i].iq));
        assert_log(&side, cases[i].caller_pending);
        side_clear(&side);
        make_active(&side);
        assert_true(side_receive(&side, cases[i].iq));
        assert_log(&side, cases[i].caller_active);
        side_clear(&side);
        start_incoming(&side, INITIATE);
        assert_true(side_receive(&side, cases[i].iq));
        assert_log(&side, cases[i].callee_pending);
        side_clear(&side);
        make_active_callee(&side);
        assert_true(side_receive(&side, cases[i].iq));
        assert_log(&side, cases[i].callee_active);
        session_end(side.session, JINGLE_REASON_HANGUP);
        g_string_truncate(side.log, 0);
        assert_true(side_receive(&side, cases[i].iq));
        assert_log(&side, cases[i].ended);
        side_clear(&side);
    }
}

/* ------------------------------------------------------------------------ files in a call -- */

#define FILE_CONTENT(transport)                                                  \
    "<content creator='initiator' name='file' senders='initiator'><description " \
    "xmlns='" NS_FILE_TRANSFER_5                                                 \
    "'><file><name>n</name><size>1</size></file></description>" transport "</content>"
#define S5B                                                                          \
    "<transport xmlns='" NS_S5B "' sid='b'><candidate cid='c' host='h' jid='b@y/2' " \
    "port='1' priority='1'/></transport>"
#define IBB "<transport xmlns='" NS_IBB_TRANSPORT "' sid='b' block-size='4096'/>"

static void test_a_file_in_the_offer_of_a_call_is_removed_from_it(void **state)
{
    struct side side;

    (void)state;
    start_incoming(&side, JINGLE("session-initiate",
                                 CONTENT("audio", "audio", OPUS, "actpass") FILE_CONTENT(S5B)));
    side_accept(&side);
    side_set_transport(&side, "audio", "mine", 1000);
    assert_log(&side, "negotiated !session-accept !content-remove");
    assert_sent(&side, "name=\"file\"/><reason><unsupported-applications/>");
    const char *answer = g_ptr_array_index(side.sent, side.sent->len - 2);
    assert_non_null(strstr(answer, "name=\"audio\""));
    assert_null(strstr(answer, "name=\"file\""));
    assert_int_equal(session_state(side.session), SESSION_ACTIVE);
    side_clear(&side);
}

static void test_an_offer_of_nothing_but_files_is_no_call(void **state)
{
    static const char *const offers[] = {
        JINGLE("session-initiate", FILE_CONTENT(S5B)),
        JINGLE("session-initiate", FILE_CONTENT(IBB)),
        JINGLE("session-initiate", FILE_CONTENT(TRANSPORT("u", "actpass", ""))),
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(offers); i++) {
        struct side side;
        side_init(&side);
        assert_true(side_receive(&side, offers[i]));
        assert_log(&side, "=result !session-terminate");
        assert_sent(&side, "<unsupported-applications/>");
        side_clear(&side);
    }
}

static void test_a_call_cannot_go_over_bytestreams(void **state)
{
    static const char *const offers[] = {
        JINGLE("session-initiate",
               "<content name='a'>" DESCRIPTION("audio", OPUS) S5B "</content>"),
        JINGLE("session-initiate",
               "<content name='a'>" DESCRIPTION("audio", OPUS) IBB "</content>"),
        JINGLE("session-initiate", "<group xmlns='" NS_GROUPING
                                   "' semantics='BUNDLE'><content name='a'/><content name='b'/>"
                                   "</group><content name='a'>" DESCRIPTION("audio", OPUS) S5B
               "</content><content name='b'>" DESCRIPTION("audio", OPUS) IBB "</content>"),
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(offers); i++) {
        struct side side;
        side_init(&side);
        assert_true(side_receive(&side, offers[i]));
        assert_log(&side, "=result !session-terminate");
        assert_sent(&side, "<unsupported-transports/>");
        side_clear(&side);
    }
}

static void test_what_is_said_of_files_leaves_a_call_as_it_is(void **state)
{
    static const struct {
        const char *iq, *log, *sent;
    } cases[] = {
        {JINGLE("content-add", FILE_CONTENT(S5B)), "=result !content-reject",
         "<unsupported-applications/>"},
        {JINGLE("transport-info", "<content name='audio'>" S5B "</content>"), "=result", NULL},
        {JINGLE("transport-info", "<content name='audio'>" IBB "</content>"), "=result", NULL},
        {JINGLE("transport-replace", "<content name='audio'>" S5B "</content>"),
         "=result !transport-reject", NS_S5B},
        {JINGLE("transport-replace", "<content name='audio'>" IBB "</content>"),
         "=result !transport-reject", NS_IBB_TRANSPORT},
        {JINGLE("session-info", "<received xmlns='" NS_FILE_TRANSFER_5 "' name='audio'/>"),
         "=unsupported-info", NULL},
        {JINGLE("session-info", "<checksum xmlns='" NS_FILE_TRANSFER_5 "'><file/></checksum>"),
         "=unsupported-info", NULL},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct side side;
        make_active(&side);
        assert_true(side_receive(&side, cases[i].iq));
        assert_log(&side, cases[i].log);
        if (cases[i].sent != NULL)
            assert_sent(&side, cases[i].sent);
        assert_int_equal(session_state(side.session), SESSION_ACTIVE);
        side_clear(&side);
    }
}

static void test_a_file_is_no_answer_to_a_call(void **state)
{
    struct side side;

    (void)state;
    start_outgoing(&side);
    assert_true(side_receive(
        &side,
        JINGLE("session-accept",
               "<content creator='initiator' name='audio'><description xmlns='" NS_FILE_TRANSFER_5
               "'><file/></description>" S5B "</content>")));
    assert_log(&side, "=result accepted !session-terminate ended");
    assert_sent(&side, "<unsupported-applications/>");
    side_clear(&side);
}

static void test_a_stanza_belongs_to_the_session_of_its_exact_sender(void **state)
{
    struct stanza_error error;
    struct jingle_iq iq;
    struct side side;

    (void)state;
    make_active(&side);
    assert_true(session_matches(side.session, "B@Y/2", "sid"));
    assert_false(session_matches(side.session, "b@y/3", "sid"));
    assert_false(session_matches(side.session, "b@y", "sid"));
    assert_false(session_matches(side.session, "b@y/2", "SID"));
    assert_false(session_matches(side.session, NULL, "sid"));
    side_clear(&side);
    jingle_iq_init(&iq, ACTION_SESSION_TERMINATE, "x");
    assert_false(session_unknown(&iq, &error));
    iq.action = ACTION_TRANSPORT_INFO;
    assert_true(session_unknown(&iq, &error));
    assert_int_equal(error.condition, STANZA_ITEM_NOT_FOUND);
    assert_int_equal(error.jingle, JINGLE_UNKNOWN_SESSION);
    jingle_iq_clear(&iq);
}

static void test_both_initiate_and_the_lower_sid_wins(void **state)
{
    struct stanza_error error;
    struct jingle_iq iq;
    struct side side;

    (void)state;
    start_outgoing(&side);
    jingle_iq_init(&iq, ACTION_SESSION_INITIATE, "tie");
    assert_true(session_tie_break(side.session, "b@y/2", &iq, &error));
    assert_int_equal(error.jingle, JINGLE_TIE_BREAK);
    assert_int_equal(error.condition, STANZA_CONFLICT);
    assert_false(session_tie_break(side.session, "c@y/2", &iq, &error));
    jingle_iq_clear(&iq);
    jingle_iq_init(&iq, ACTION_SESSION_INITIATE, "abc");
    assert_false(session_tie_break(side.session, "b@y/2", &iq, &error));
    jingle_iq_clear(&iq);
    side_clear(&side);
}

/* ------------------------------------------------------------------------------ the call -- */

static void test_hold_and_mute_are_told_both_ways(void **state)
{
    struct side side;

    (void)state;
    make_active(&side);
    session_send_info(side.session, INFO_HOLD, NULL);
    assert_sent(&side, "<hold xmlns=\"" NS_RTP_INFO "\"/>");
    session_send_info(side.session, INFO_MUTE, "audio");
    assert_sent(&side, "<mute xmlns=\"" NS_RTP_INFO "\" creator=\"initiator\" name=\"audio\"/>");
    struct stanza_error error =
        stanza_error_make(STANZA_FEATURE_NOT_IMPLEMENTED, JINGLE_UNSUPPORTED_INFO, "");
    session_answered(side.session, side_last_tag(&side), &error, 0);
    assert_log(&side, "!session-info !session-info");
    assert_true(side_receive(
        &side, JINGLE("session-info", "<mute xmlns='" NS_RTP_INFO "' name='audio'/>")));
    assert_log(&side, "=result info");
    side_clear(&side);
}

static void test_the_peer_may_change_who_sends(void **state)
{
    struct side side;

    (void)state;
    make_active(&side);
    assert_true(
        side_receive(&side, JINGLE("content-modify", "<content creator='initiator' "
                                                     "name='audio' senders='responder'/>")));
    assert_log(&side, "=result senders");
    assert_false(side.we_send);
    side_clear(&side);
}

static void test_a_restart_of_the_peer_is_answered_with_candidates(void **state)
{
    struct side side;

    (void)state;
    make_active(&side);
    assert_true(side_receive(&side, TRICKLE("newer", "", "")));
    assert_log(&side, "=result");
    assert_true(side_receive(&side, TRICKLE("newer", "pwd='npwd'", "")));
    assert_log(&side, "=result transport");
    assert_true(side.restart);
    assert_true(side.answer_wanted);
    assert_string_equal(side.remote.pwd, "npwd");
    assert_int_equal(side.remote.fingerprint.hash, FINGERPRINT_SHA_256);
    side_set_transport(&side, "audio", "ours2", 5000);
    assert_log(&side, "!transport-info");
    assert_sent(&side, "ufrag=\"ours2\"");
    assert_sent(&side, "port=\"5000\"");
    side_clear(&side);
}

static void test_our_restart_is_an_offer_without_candidates(void **state)
{
    struct side side;

    (void)state;
    make_active(&side);
    side_set_transport(&side, "audio", "ours2", 5000);
    assert_log(&side, "!transport-info !transport-info");
    assert_null(strstr(g_ptr_array_index(side.sent, side.sent->len - 2), "candidate"));
    assert_true(side_receive(&side, TRICKLE("newer", "pwd='npwd'", "")));
    assert_log(&side, "=tie-break");
    assert_true(side_receive(&side, TRICKLE("newer", "pwd='npwd'", CANDIDATE("4000"))));
    assert_log(&side, "=result transport");
    assert_true(side.restart);
    assert_false(side.answer_wanted);
    side_clear(&side);
}

/* As stanza answers: the candidates come later, one at a time and without the password. */
static void test_a_restart_is_answered_by_a_role_and_candidates_later(void **state)
{
    struct side side;

    (void)state;
    make_active(&side);
    side_set_transport(&side, "audio", "ours2", 5000);
    g_string_truncate(side.log, 0);
    assert_true(side_receive(&side, TRICKLE("newer", "pwd='npwd'",
                                            "<fingerprint xmlns='" NS_DTLS
                                            "' hash='sha-256' setup='active'>" FINGERPRINT
                                            "</fingerprint>")));
    assert_log(&side, "=result transport");
    assert_true(side.restart);
    assert_false(side.answer_wanted);
    assert_true(side_receive(&side, TRICKLE("newer", "", CANDIDATE("4000"))));
    assert_log(&side, "=result transport");
    assert_false(side.restart);
    side_clear(&side);
}

/* Their server answers for them while they change networks. */
static void test_a_restart_that_they_were_away_for_is_told_again(void **state)
{
    struct stanza_error away = {.condition = STANZA_SERVICE_UNAVAILABLE};
    struct side side;

    (void)state;
    make_active(&side);
    session_connected(side.session);
    side_set_transport(&side, "audio", "restarted", 3000);
    assert_log(&side, "!transport-info !transport-info");
    session_answered(side.session, side_last_tag(&side), &away, 10);
    usec due = session_next_deadline(side.session);
    assert_true(due > 10 && due < 10 * USEC_PER_SEC);
    session_tick(side.session, due - 1);
    assert_log(&side, "");
    session_tick(side.session, due);
    assert_log(&side, "!transport-info !transport-info");
    assert_sent(&side, "ufrag=\"restarted\"");
    assert_sent(&side, "port=\"3000\"");
    assert_true(session_next_deadline(side.session) == USEC_NEVER);
    side_clear(&side);
}

/* Both were away in turn: what each told first is lost to the other. */
static void test_a_restart_that_was_lost_answers_theirs(void **state)
{
    struct stanza_error away = {.condition = STANZA_SERVICE_UNAVAILABLE};
    struct side side;

    (void)state;
    make_active(&side);
    session_connected(side.session);
    side_set_transport(&side, "audio", "restarted", 3000);
    session_answered(side.session, side_last_tag(&side), &away, 10);
    g_string_truncate(side.log, 0);
    assert_true(side_receive(&side, TRICKLE("newer", "pwd='npwd'", "")));
    assert_log(&side, "=result transport !transport-info");
    assert_true(side.restart);
    assert_false(side.answer_wanted);
    assert_sent(&side, "ufrag=\"restarted\"");
    assert_sent(&side, "port=\"3000\"");
    side_clear(&side);
}

static void test_who_stays_away_is_not_told_for_ever(void **state)
{
    struct stanza_error away = {.condition = STANZA_SERVICE_UNAVAILABLE};
    struct side side;
    unsigned times = 0;

    (void)state;
    make_active(&side);
    session_connected(side.session);
    side_set_transport(&side, "audio", "restarted", 3000);
    session_answered(side.session, side_last_tag(&side), &away, 0);
    while (session_next_deadline(side.session) != USEC_NEVER && times < 100) {
        usec due = session_next_deadline(side.session);
        session_tick(side.session, due);
        session_answered(side.session, side_last_tag(&side), &away, due);
        times++;
    }
    assert_in_range(times, 1, 10);
    assert_int_equal(session_state(side.session), SESSION_ACTIVE);
    side_clear(&side);
}

static void test_the_peer_cannot_make_us_keep_more_than_so_many_candidates(void **state)
{
    struct side side;
    size_t told = 0;

    (void)state;
    make_active(&side);
    for (int i = 1; i <= 500; i++) {
        char port[8];
        g_snprintf(port, sizeof(port), "%d", i);
        char *iq = g_strdup_printf(TRICKLE("theirs", "", CANDIDATE("%s")), port);
        assert_true(side_receive(&side, iq));
        g_free(iq);
    }
    for (const char *at = side.log->str; (at = strstr(at, "transport")) != NULL; at++)
        told++;
    assert_int_equal(told, ICE_CANDIDATES_MAX);
    side_clear(&side);
}

/* ------------------------------------------------------------------------------- the end -- */

static void test_each_end_has_its_reason(void **state)
{
    struct side side;

    (void)state;
    start_outgoing(&side);
    session_end(side.session, JINGLE_REASON_HANGUP);
    assert_log(&side, "!session-terminate ended");
    assert_sent(&side, "<reason><cancel/></reason>");
    assert_int_equal(side.ended_by, JINGLE_PARTY_LOCAL);
    session_end(side.session, JINGLE_REASON_HANGUP);
    assert_log(&side, "");
    side_clear(&side);
    start_incoming(&side, INITIATE);
    session_end(side.session, JINGLE_REASON_BUSY);
    assert_sent(&side, "<reason><busy/></reason>");
    side_clear(&side);
    make_active(&side);
    session_connected(side.session);
    session_end(side.session, JINGLE_REASON_HANGUP);
    assert_sent(&side, "<reason><success/></reason>");
    side_clear(&side);
    make_active(&side);
    assert_true(
        side_receive(&side, JINGLE("session-terminate", "<reason><connectivity-error/></reason>")));
    assert_int_equal(side.ended, JINGLE_REASON_NO_PATH);
    assert_int_equal(side.ended_by, JINGLE_PARTY_REMOTE);
    side_clear(&side);
    side_init(&side);
    side_new_outgoing(&side);
    session_end(side.session, JINGLE_REASON_CANCELED);
    assert_log(&side, "ended");
    side_clear(&side);
}

static void test_nobody_answers(void **state)
{
    struct side side;

    (void)state;
    start_outgoing(&side);
    session_tick(side.session, 59 * USEC_PER_SEC);
    assert_log(&side, "");
    assert_true(session_next_deadline(side.session) == 60 * USEC_PER_SEC);
    session_tick(side.session, 60 * USEC_PER_SEC);
    assert_log(&side, "!session-terminate ended");
    assert_sent(&side, "<timeout/>");
    assert_int_equal(side.ended, JINGLE_REASON_NO_ANSWER);
    side_clear(&side);
}

static void test_an_error_to_session_initiate_is_a_reason(void **state)
{
    static const struct {
        enum stanza_condition condition;
        enum jingle_condition jingle;
        jingle_reason reason;
    } cases[] = {
        {STANZA_SERVICE_UNAVAILABLE, JINGLE_CONDITION_NONE, JINGLE_REASON_OFFLINE},
        {STANZA_ITEM_NOT_FOUND, JINGLE_CONDITION_NONE, JINGLE_REASON_UNREACHABLE},
        {STANZA_REMOTE_SERVER_NOT_FOUND, JINGLE_CONDITION_NONE, JINGLE_REASON_UNREACHABLE},
        {STANZA_FEATURE_NOT_IMPLEMENTED, JINGLE_CONDITION_NONE, JINGLE_REASON_NO_CALL_SUPPORT},
        {STANZA_CONFLICT, JINGLE_TIE_BREAK, JINGLE_REASON_REPLACED},
        {STANZA_NOT_ACCEPTABLE, JINGLE_SECURITY_REQUIRED, JINGLE_REASON_SECURITY},
        {STANZA_BAD_REQUEST, JINGLE_CONDITION_NONE, JINGLE_REASON_PROTOCOL},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct stanza_error error = stanza_error_make(cases[i].condition, cases[i].jingle, "");
        struct side side;
        start_outgoing(&side);
        session_answered(side.session, g_array_index(side.tags, unsigned, 0), &error, 0);
        assert_log(&side, "ended");
        assert_int_equal(side.ended, cases[i].reason);
        assert_int_equal(side.ended_by, JINGLE_PARTY_REMOTE);
        side_clear(&side);
    }
}

static void test_a_lost_session_ends_the_call_only_before_media_flows(void **state)
{
    struct stanza_error error =
        stanza_error_make(STANZA_ITEM_NOT_FOUND, JINGLE_UNKNOWN_SESSION, "");
    struct ice_candidate later = host_candidate(3000);
    struct side side;

    (void)state;
    make_active(&side);
    session_connected(side.session);
    session_add_candidates(side.session, "audio", &later, 1, 0);
    session_answered(side.session, side_last_tag(&side), &error, 0);
    assert_log(&side, "!transport-info");
    side_clear(&side);
    make_active(&side);
    session_add_candidates(side.session, "audio", &later, 1, 0);
    session_answered(side.session, side_last_tag(&side), &error, 0);
    assert_log(&side, "!transport-info ended");
    assert_int_equal(side.ended, JINGLE_REASON_GONE);
    side_clear(&side);
}

/* The caller's server came back before the caller, and the outbox has repeated session-accept. */
static void test_an_error_to_session_accept_ends_the_call_only_before_media_flows(void **state)
{
    struct stanza_error error =
        stanza_error_make(STANZA_SERVICE_UNAVAILABLE, JINGLE_CONDITION_NONE, "");
    struct side side;

    (void)state;
    for (int connected = 0; connected < 2; connected++) {
        make_accepting(&side);
        if (connected)
            session_connected(side.session);
        session_answered(side.session, side_last_tag(&side), &error, 0);
        assert_log(&side, connected ? "" : "!session-terminate ended");
        side_clear(&side);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_caller_initiates_when_the_transport_is_there),
        cmocka_unit_test(test_candidates_wait_for_the_acknowledgement_of_session_initiate),
        cmocka_unit_test(test_an_accepted_call_is_negotiated),
        cmocka_unit_test(test_the_callee_puts_its_candidates_into_session_accept),
        cmocka_unit_test(test_an_active_offerer_makes_us_passive),
        cmocka_unit_test(test_candidates_before_the_answer_are_kept_for_it),
        cmocka_unit_test(test_the_creator_is_the_one_that_the_peer_last_wrote),
        cmocka_unit_test(test_refused_video_stays_in_a_bundled_answer_as_none),
        cmocka_unit_test(test_refused_video_of_monal_is_ours_to_send),
        cmocka_unit_test(test_refused_video_is_left_out_of_an_answer_without_bundle),
        cmocka_unit_test(test_nothing_in_common_ends_the_session),
        cmocka_unit_test(test_an_offer_without_a_codec_of_ours_does_not_ring),
        cmocka_unit_test(test_an_impossible_offer_is_acknowledged_and_terminated),
        cmocka_unit_test(test_an_answer_without_fingerprint_is_a_security_error),
        cmocka_unit_test(test_an_answer_to_something_else_is_a_bad_request),
        cmocka_unit_test(test_every_action_is_answered_in_every_state),
        cmocka_unit_test(test_a_file_in_the_offer_of_a_call_is_removed_from_it),
        cmocka_unit_test(test_an_offer_of_nothing_but_files_is_no_call),
        cmocka_unit_test(test_a_call_cannot_go_over_bytestreams),
        cmocka_unit_test(test_what_is_said_of_files_leaves_a_call_as_it_is),
        cmocka_unit_test(test_a_file_is_no_answer_to_a_call),
        cmocka_unit_test(test_a_stanza_belongs_to_the_session_of_its_exact_sender),
        cmocka_unit_test(test_both_initiate_and_the_lower_sid_wins),
        cmocka_unit_test(test_hold_and_mute_are_told_both_ways),
        cmocka_unit_test(test_the_peer_may_change_who_sends),
        cmocka_unit_test(test_a_restart_of_the_peer_is_answered_with_candidates),
        cmocka_unit_test(test_our_restart_is_an_offer_without_candidates),
        cmocka_unit_test(test_a_restart_is_answered_by_a_role_and_candidates_later),
        cmocka_unit_test(test_a_restart_that_they_were_away_for_is_told_again),
        cmocka_unit_test(test_a_restart_that_was_lost_answers_theirs),
        cmocka_unit_test(test_who_stays_away_is_not_told_for_ever),
        cmocka_unit_test(test_the_peer_cannot_make_us_keep_more_than_so_many_candidates),
        cmocka_unit_test(test_each_end_has_its_reason),
        cmocka_unit_test(test_nobody_answers),
        cmocka_unit_test(test_an_error_to_session_initiate_is_a_reason),
        cmocka_unit_test(test_a_lost_session_ends_the_call_only_before_media_flows),
        cmocka_unit_test(test_an_error_to_session_accept_ends_the_call_only_before_media_flows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
