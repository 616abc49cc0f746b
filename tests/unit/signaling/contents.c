/* Contents that come, change and go: every order of it, in the dialects of real clients. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "side_asserts.h"

#define VP8    "<payload-type id='96' name='VP8' clockrate='90000'/>"
#define H264   "<payload-type id='102' name='H264' clockrate='90000'/>"
#define EMPTY  "<transport xmlns='" NS_ICE_UDP "'/>"
#define GROUP1 "<group xmlns='" NS_GROUPING "' semantics='BUNDLE'><content name='audio'/></group>"
#define GROUP2                                                                           \
    "<group xmlns='" NS_GROUPING "' semantics='BUNDLE'><content name='audio'/><content " \
    "name='video'/></group>"
#define VIDEO_OF(creator, name, senders, transport)                    \
    "<content creator='" creator "' name='" name "' senders='" senders \
    "'>" DESCRIPTION("video", VP8) transport "</content>"
#define NAMED(action, name) JINGLE(action, "<content creator='initiator' name='" name "'/>")
#define REASON(name)        "<reason><" name "/></reason>"
#define MODIFY(name, senders)                                                                      \
    JINGLE("content-modify", "<content creator='initiator' name='" name "' senders='" senders "'/" \
                             ">")

/* XEP-0166 to the letter: the peer says who it is. */
#define ACCEPT_NAMED(group)                                                                       \
    "<jingle xmlns='" NS_JINGLE "' sid='sid' action='session-accept' responder='b@y/2'>" CONTENT( \
        "audio", "audio", OPUS, "active") group "</jingle>"
#define INITIATE_NAMED(group)                                           \
    "<jingle xmlns='" NS_JINGLE                                         \
    "' sid='sid' action='session-initiate' initiator='b@y/2'>" CONTENT( \
        "audio", "audio", OPUS, "actpass") group "</jingle>"

/* Their content-add, bundled as Conversations does it, and with a transport of its own as Dino. */
#define ADD_BUNDLED JINGLE("content-add", GROUP2 VIDEO_OF("initiator", "video", "both", EMPTY))
#define ADD_ALONE                                                     \
    JINGLE("content-add", VIDEO_OF("initiator", "video", "responder", \
                                   TRANSPORT("vvvv", "actpass", CANDIDATE("9"))))
#define ACCEPT_BUNDLED \
    JINGLE("content-accept", GROUP2 VIDEO_OF("initiator", "video", "both", EMPTY))
#define ACCEPT_ALONE         \
    JINGLE("content-accept", \
           VIDEO_OF("initiator", "video", "both", TRANSPORT("vvvv", "active", CANDIDATE("9"))))

static void receive(struct side *side, const char *iq)
{
    assert_true(side_receive(side, iq));
}

/* --------------------------------------------------------------------------------- starting -- */

static void new_with_video(struct side *side)
{
    struct session_config config = {
        .own_jid = "a@x/1", .peer = "b@y/2", .sid = "sid", .ring_timeout = 60 * USEC_PER_SEC};
    struct session_hooks hooks = side_hooks(side);
    struct rtp_description audio, video;

    audio_capabilities(&audio);
    video_capabilities(&video);
    struct session_media media[] = {{.content = "audio", .description = &audio},
                                    {.content = "video", .description = &video}};
    side->session = session_new(&config, &hooks, media, 2);
    rtp_description_clear(&audio);
    rtp_description_clear(&video);
}

/* Audio and video are offered. */
static void offer_both(struct side *side)
{
    side_init(side);
    new_with_video(side);
    session_initiate(side->session, 0);
    assert_log(side, "");
    side_set_transport(side, "audio", "ours", 1000);
    assert_log(side, "!session-initiate");
    session_answered(side->session, side_last_tag(side), NULL, 0);
}

/* A voice call of ours; `accept` is the answer. */
static void call(struct side *side, const char *accept)
{
    side_init(side);
    side_new_outgoing(side);
    session_initiate(side->session, 0);
    side_set_transport(side, "audio", "ours", 1000);
    session_answered(side->session, side_last_tag(side), NULL, 0);
    receive(side, accept);
    g_string_truncate(side->log, 0);
}

static void accept_media(struct side *side, bool with_video, enum media_wish wish)
{
    struct rtp_description audio, video;

    audio_capabilities(&audio);
    video_capabilities(&video);
    struct session_media media[] = {{.description = &audio}, {.description = &video, .wish = wish}};
    session_accept(side->session, media, with_video ? 2 : 1, 0);
    rtp_description_clear(&audio);
    rtp_description_clear(&video);
}

/* A voice call of theirs. */
static void answer(struct side *side, const char *initiate)
{
    side_init(side);
    side->automatic = true;
    receive(side, initiate);
    accept_media(side, false, MEDIA_BOTH_WAYS);
    session_answered(side->session, side_last_tag(side), NULL, 0);
    side->automatic = false;
    g_string_truncate(side->log, 0);
}

static const char *add_named(struct side *side, const char *name, enum media_wish wish)
{
    struct rtp_description video;

    video_capabilities(&video);
    struct session_media media = {.content = name, .description = &video, .wish = wish};
    const char *added = session_content_add(side->session, &media, 0);
    rtp_description_clear(&video);
    return added;
}

static const char *add_video(struct side *side)
{
    return add_named(side, "video", MEDIA_BOTH_WAYS);
}

static bool take_video(struct side *side, const char *name, enum media_wish wish)
{
    struct rtp_description video;

    video_capabilities(&video);
    struct session_media media = {.description = &video, .wish = wish};
    bool taken = session_content_accept(side->session, name, &media, 0);
    rtp_description_clear(&video);
    return taken;
}

/* With video, bundled, in a call of ours with somebody who keeps to the letter. */
static void call_with_video(struct side *side)
{
    call(side, ACCEPT_NAMED(GROUP1));
    assert_string_equal(add_video(side), "video");
    receive(side, ACCEPT_BUNDLED);
    g_string_truncate(side->log, 0);
}

/* -------------------------------------------------------------------- an offer with video -- */

static void test_one_transport_is_enough_for_an_offer_of_both(void **state)
{
    struct side side;

    (void)state;
    offer_both(&side);
    assert_sent(&side, "semantics=\"BUNDLE\"><content name=\"audio\"/><content name=\"video\"/>");
    char *copy = g_strdup(side_last_sent(&side));
    char *video = strstr(copy, "name=\"video\" senders");
    assert_non_null(video);
    assert_non_null(strstr(video, "ufrag=\"ours\" pwd=\"0123456789012345678901\""));
    assert_non_null(strstr(video, "setup=\"actpass\""));
    assert_null(strstr(video, "<candidate"));
    assert_null(strstr(copy, "name=\"red\""));
    assert_non_null(strstr(copy, "<ssrc-group"));
    g_free(copy);
    side_clear(&side);
}

#define ANSWER_BOTH(group, transport)                                                      \
    "<jingle xmlns='" NS_JINGLE                                                            \
    "' sid='sid' action='session-accept'>" group CONTENT("audio", "audio", OPUS, "active") \
        VIDEO_OF("initiator", "video", "both", transport) "</jingle>"

static void test_a_bundled_answer_needs_no_other_transport(void **state)
{
    struct side side;

    (void)state;
    offer_both(&side);
    receive(&side, ANSWER_BOTH(GROUP2, TRANSPORT("theirs", "active", "")));
    assert_log(&side, "=result accepted negotiated negotiated");
    assert_string_equal(side.content, "video");
    assert_string_equal(side.transport, "audio");
    assert_false(side.transport_wanted);
    assert_true(side.agreement.bundle);
    assert_true(side.agreement.send.has_rtx == false);
    assert_string_equal(side.remote.ufrag, "theirs");
    /* The transport of video is of no use any more. */
    side_set_transport(&side, "video", "other", 0);
    assert_log(&side, "");
    side_clear(&side);
}

static void test_a_bundled_answer_may_leave_the_other_transport_empty(void **state)
{
    struct side side;

    (void)state;
    offer_both(&side);
    receive(&side, ANSWER_BOTH(GROUP2, EMPTY));
    assert_log(&side, "=result accepted negotiated negotiated");
    assert_string_equal(side.transport, "audio");
    side_clear(&side);
}

/* Dino */
static void test_without_a_group_video_gets_the_credentials_that_were_offered(void **state)
{
    struct side side;

    (void)state;
    offer_both(&side);
    receive(&side, ANSWER_BOTH("", TRANSPORT("vvvv", "active", CANDIDATE("9"))));
    assert_log(&side, "=result accepted negotiated negotiated");
    assert_string_equal(side.transport, "video");
    assert_true(side.transport_wanted);
    assert_false(side.agreement.bundle);
    assert_string_equal(side.credentials, "ours");
    assert_string_equal(side.remote.ufrag, "vvvv");
    assert_int_equal(side.remote_candidates, 1);
    side_set_transport(&side, "video", "ours", 2000);
    assert_log(&side, "!transport-info");
    assert_sent(&side, "name=\"video\"");
    assert_sent(&side, "port=\"2000\"");
    struct ice_candidate later = host_candidate(2001);
    session_add_candidates(side.session, "video", &later, 1, 0);
    assert_log(&side, "!transport-info");
    assert_sent(&side, "port=\"2001\"");
    side_clear(&side);
}

static void test_the_peer_may_take_the_sound_alone(void **state)
{
    static const char *const answers[] = {
        ACCEPT,
        "<jingle xmlns='" NS_JINGLE "' sid='sid' action='session-accept'>" GROUP1 CONTENT(
            "audio", "audio", OPUS, "active") "</jingle>",
        "<jingle xmlns='" NS_JINGLE
        "' sid='sid' action='session-accept'>" GROUP2 CONTENT("audio", "audio", OPUS, "active")
            VIDEO_OF("initiator", "video", "none", TRANSPORT("theirs", "active", "")) "</jingle>"};

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(answers); i++) {
        struct side side;
        offer_both(&side);
        receive(&side, answers[i]);
        assert_log(&side, "=result accepted refused negotiated");
        assert_int_equal(side.refused, JINGLE_REASON_DECLINED);
        assert_string_equal(side.media, "video");
        /* They may say so once more (XEP-0166, 7.2.4). */
        receive(&side, NAMED("content-reject", "video"));
        assert_log(&side, "=result");
        receive(&side, NAMED("content-remove", "video"));
        assert_log(&side, "=result");
        assert_int_equal(session_state(side.session), SESSION_ACTIVE);
        side_clear(&side);
    }
}

static void test_the_peer_may_take_the_video_alone(void **state)
{
    struct side side;
    struct ice_candidate later = host_candidate(1001);

    (void)state;
    offer_both(&side);
    receive(&side, JINGLE("session-accept", VIDEO_OF("initiator", "video", "both",
                                                     TRANSPORT("vvvv", "active", "")) GROUP2));
    assert_log(&side, "=result accepted refused negotiated !transport-info");
    assert_sent(&side, "name=\"video\"");
    assert_sent(&side, "port=\"1000\"");
    /* The link that was made for audio carries it. */
    assert_string_equal(side.transport, "audio");
    assert_false(side.transport_wanted);
    session_add_candidates(side.session, "audio", &later, 1, 0);
    assert_sent(&side, "name=\"video\"");
    assert_sent(&side, "port=\"1001\"");
    side_clear(&side);
}

static void test_the_answers_first_name_carries_the_bundle(void **state)
{
    struct side side;

    (void)state;
    offer_both(&side);
    receive(&side, ANSWER_BOTH("<group xmlns='" NS_GROUPING "' semantics='BUNDLE'><content "
                               "name='video'/><content name='audio'/></group>",
                               TRANSPORT("vvvv", "active", "")));
    assert_string_equal(side.content, "audio");
    assert_string_equal(side.transport, "audio");
    assert_string_equal(side.remote.ufrag, "vvvv");
    receive(&side, JINGLE("transport-info",
                          "<content creator='initiator' name='video'><transport xmlns='" NS_ICE_UDP
                          "' ufrag='vvvv' pwd='pppppppppppppppppppppp'>" CANDIDATE(
                              "9") "</transport></content>"));
    assert_string_equal(side.transport, "audio");
    assert_int_equal(side.remote_candidates, 1);
    side_clear(&side);
}

#define OFFER_BOTH(group, transport)                                                          \
    "<jingle xmlns='" NS_JINGLE                                                               \
    "' sid='sid' action='session-initiate'>" group CONTENT("audio", "audio", OPUS, "actpass") \
        VIDEO_OF("initiator", "video", "both", transport) "</jingle>"

static void test_a_bundled_offer_is_answered_with_one_transport(void **state)
{
    struct side side;

    (void)state;
    side_init(&side);
    receive(&side, OFFER_BOTH(GROUP2, TRANSPORT("theirs", "actpass", "")));
    accept_media(&side, true, MEDIA_BOTH_WAYS);
    assert_log(&side, "=result negotiated negotiated");
    assert_string_equal(side.transport, "audio");
    assert_false(side.transport_wanted);
    side_set_transport(&side, "audio", "ours", 1000);
    assert_log(&side, "!session-accept");
    assert_sent(&side, "<content name=\"audio\"/><content name=\"video\"/></group>");
    const char *video = strstr(side_last_sent(&side), "name=\"video\" senders");
    assert_non_null(video);
    assert_non_null(strstr(video, "ufrag=\"ours\""));
    assert_non_null(strstr(video, "setup=\"active\""));
    assert_null(strstr(video, "<candidate"));
    side_clear(&side);
}

static void test_without_a_group_each_content_of_an_offer_gets_its_transport(void **state)
{
    struct side side;

    (void)state;
    side_init(&side);
    receive(&side, OFFER_BOTH("", TRANSPORT("vvvv", "actpass", "")));
    accept_media(&side, true, MEDIA_BOTH_WAYS);
    assert_log(&side, "=result negotiated negotiated");
    assert_string_equal(side.transport, "video");
    assert_true(side.transport_wanted);
    assert_string_equal(side.credentials, "");
    side_set_transport(&side, "audio", "ours", 1000);
    assert_log(&side, "");
    side_set_transport(&side, "video", "more", 2000);
    assert_log(&side, "!session-accept");
    assert_sent(&side, "ufrag=\"more\"");
    assert_not_sent(&side, "<group");
    side_clear(&side);
}

static void test_video_that_is_only_received_is_answered_so(void **state)
{
    struct side side;

    (void)state;
    side_init(&side);
    side.automatic = true;
    receive(&side, OFFER_BOTH(GROUP2, TRANSPORT("theirs", "actpass", "")));
    accept_media(&side, true, MEDIA_RECEIVE_ONLY);
    assert_sent(&side, "name=\"video\" senders=\"initiator\"");
    assert_false(side.agreement.we_send);
    assert_true(side.agreement.we_receive);
    side_clear(&side);
    /* Who asks us to send only, and we do not want to, gets none. */
    side_init(&side);
    side.automatic = true;
    receive(&side, "<jingle xmlns='" NS_JINGLE
                   "' sid='sid' action='session-initiate'>" GROUP2 CONTENT("audio", "audio", OPUS,
                                                                           "actpass")
                       VIDEO_OF("initiator", "video", "responder",
                                TRANSPORT("theirs", "actpass", "")) "</jingle>");
    accept_media(&side, true, MEDIA_RECEIVE_ONLY);
    assert_log(&side, "=result negotiated !session-accept");
    assert_sent(&side, "name=\"video\" senders=\"none\"");
    side_clear(&side);
}

static void test_video_alone_can_be_refused(void **state)
{
    struct side side;

    (void)state;
    side_init(&side);
    side.automatic = true;
    receive(&side, OFFER_BOTH(GROUP2, TRANSPORT("theirs", "actpass", "")));
    accept_media(&side, false, MEDIA_BOTH_WAYS);
    assert_log(&side, "=result negotiated !session-accept");
    assert_sent(&side, "name=\"video\" senders=\"none\"");
    assert_sent(&side, "<content name=\"audio\"/><content name=\"video\"/></group>");
    side_clear(&side);
    side_init(&side);
    side.automatic = true;
    receive(&side, OFFER_BOTH("", TRANSPORT("vvvv", "actpass", "")));
    accept_media(&side, false, MEDIA_BOTH_WAYS);
    assert_log(&side, "=result negotiated !session-accept !content-remove");
    assert_sent(&side, "name=\"video\"");
    side_clear(&side);
}

static void test_one_entry_serves_one_content(void **state)
{
    struct side side;

    (void)state;
    side_init(&side);
    side.automatic = true;
    receive(&side,
            "<jingle xmlns='" NS_JINGLE
            "' sid='sid' action='session-initiate'>" CONTENT("audio", "audio", OPUS, "actpass")
                CONTENT("again", "audio", OPUS, "actpass") "</jingle>");
    accept_media(&side, true, MEDIA_BOTH_WAYS);
    assert_log(&side, "=result negotiated !session-accept !content-remove");
    side_clear(&side);
}

/* ------------------------------------------------------------------------------ adding ours -- */

/* Conversations */
static void test_video_joins_the_bundle_with_an_empty_transport(void **state)
{
    struct side side;

    (void)state;
    call(&side, JINGLE("session-accept", GROUP1 CONTENT("audio", "audio", OPUS, "active")));
    assert_string_equal(add_video(&side), "video");
    assert_log(&side, "!content-add");
    assert_false(session_content_wants_transport(side.session, "video"));
    assert_sent(&side, "<content name=\"audio\"/><content name=\"video\"/></group>");
    assert_sent(&side, "creator=\"initiator\" name=\"video\" senders=\"both\"");
    assert_sent(&side, "<transport xmlns=\"" NS_ICE_UDP "\"/>");
    session_answered(side.session, side_last_tag(&side), NULL, 0);
    assert_log(&side, "");
    receive(&side, ACCEPT_BUNDLED);
    assert_log(&side, "=result negotiated");
    assert_string_equal(side.content, "video");
    assert_string_equal(side.transport, "audio");
    assert_false(side.transport_wanted);
    assert_true(side.we_offered);
    assert_true(side.agreement.bundle);
    assert_true(side.agreement.we_send);
    assert_string_equal(side.agreement.send.name, "VP8");
    side_clear(&side);
}

/* Movim says again what it takes, all of it. */
static void test_a_second_session_accept_takes_what_we_add(void **state)
{
    const char *again = JINGLE("session-accept", GROUP2 CONTENT("audio", "audio", OPUS, "active")
                                                     VIDEO_OF("initiator", "video", "both", EMPTY));
    struct side side;

    (void)state;
    call(&side, JINGLE("session-accept", GROUP1 CONTENT("audio", "audio", OPUS, "active")));
    receive(&side, again);
    assert_log(&side, "=out-of-order");
    add_video(&side);
    session_answered(side.session, side_last_tag(&side), NULL, 0);
    assert_log(&side, "!content-add");
    receive(&side, again);
    assert_log(&side, "=result negotiated");
    assert_string_equal(side.content, "video");
    receive(&side, again);
    assert_log(&side, "=out-of-order");
    side_clear(&side);
}

/* Dino */
static void test_without_a_bundle_video_comes_with_a_transport_of_its_own(void **state)
{
    struct side side;
    struct ice_candidate later = host_candidate(2001);

    (void)state;
    call(&side, ACCEPT);
    assert_string_equal(add_video(&side), "video");
    assert_log(&side, "");
    assert_true(session_content_wants_transport(side.session, "video"));
    side_set_transport(&side, "video", "more", 2000);
    assert_log(&side, "!content-add");
    assert_false(session_content_wants_transport(side.session, "video"));
    assert_not_sent(&side, "<group");
    assert_sent(&side, "ufrag=\"more\"");
    assert_sent(&side, "setup=\"actpass\"");
    assert_sent(&side, "port=\"2000\"");
    session_add_candidates(side.session, "video", &later, 1, 0);
    assert_log(&side, "");
    /* Theirs may come before the answer. */
    receive(&side, JINGLE("transport-info",
                          "<content creator='initiator' name='video'><transport xmlns='" NS_ICE_UDP
                          "' ufrag='vvvv' pwd='pppppppppppppppppppppp'>" CANDIDATE(
                              "8") "</transport></content>"));
    assert_log(&side, "=result");
    receive(&side, ACCEPT_ALONE);
    assert_log(&side, "=result negotiated !transport-info");
    assert_sent(&side, "port=\"2001\"");
    assert_string_equal(side.transport, "video");
    assert_string_equal(side.remote.ufrag, "vvvv");
    assert_int_equal(side.remote_candidates, 2);
    assert_false(side.transport_wanted);
    assert_false(side.dtls_client);
    side_clear(&side);
}

static void test_the_creator_of_what_we_add_is_what_the_peer_understands(void **state)
{
    struct side side;

    (void)state;
    answer(&side, INITIATE_NAMED(GROUP1));
    add_video(&side);
    assert_sent(&side, "creator=\"responder\" name=\"video\"");
    receive(&side, JINGLE("content-accept", GROUP2 VIDEO_OF("responder", "video", "both", EMPTY)));
    assert_log(&side, "!content-add =result negotiated");
    side_clear(&side);
    /* Dino's is always the initiator; it offers SDES beside DTLS. */
    answer(&side, "<jingle xmlns='" NS_JINGLE "' sid='sid' action='session-initiate' "
                  "initiator='b@y/2'>" CONTENT("audio", "audio", OPUS "<encryption/>",
                                               "actpass") "</jingle>");
    add_video(&side);
    side_set_transport(&side, "video", "more", 2000);
    assert_sent(&side, "creator=\"initiator\" name=\"video\"");
    side_clear(&side);
}

static void test_who_is_to_send_is_offered(void **state)
{
    struct side side;

    (void)state;
    call(&side, ACCEPT_NAMED(GROUP1));
    add_named(&side, "video", MEDIA_SEND_ONLY);
    assert_sent(&side, "senders=\"initiator\"");
    receive(&side,
            JINGLE("content-accept", GROUP2 VIDEO_OF("initiator", "video", "initiator", EMPTY)));
    assert_true(side.agreement.we_send);
    assert_false(side.agreement.we_receive);
    side_clear(&side);
    /* Conversations, 2.19: before it accepts what only we send, it asks to send as well. */
    call(&side, ACCEPT_NAMED(GROUP1));
    add_named(&side, "video", MEDIA_SEND_ONLY);
    receive(&side, MODIFY("video", "both"));
    assert_log(&side, "!content-add =result");
    receive(&side, ACCEPT_BUNDLED);
    assert_log(&side, "=result negotiated");
    assert_true(side.agreement.we_receive);
    side_clear(&side);
}

static void test_what_is_not_wanted_is_refused_and_the_call_goes_on(void **state)
{
    static const struct {
        const char *iq, *log;
        jingle_reason reason;
    } cases[] = {
        {JINGLE("content-reject", "<content creator='initiator' name='video'/>" REASON("decline")),
         "=result refused", JINGLE_REASON_DECLINED},
        {JINGLE("content-reject", "<content creator='initiator' name='video'/>" REASON("busy")),
         "=result refused", JINGLE_REASON_BUSY},
        /* stanza */
        {JINGLE("content-reject", REASON("failed-application")), "=result refused",
         JINGLE_REASON_INCOMPATIBLE},
        {NAMED("content-remove", "video"), "=result refused", JINGLE_REASON_DECLINED},
        {JINGLE("content-accept", GROUP2 VIDEO_OF("initiator", "video", "none", EMPTY)),
         "=result !content-remove refused", JINGLE_REASON_DECLINED},
        {JINGLE("content-accept", GROUP2 "<content creator='initiator' name='video'>" DESCRIPTION(
                                      "video", H264) EMPTY "</content>"),
         "=result !content-remove refused", JINGLE_REASON_INCOMPATIBLE},
        {JINGLE("content-accept",
                VIDEO_OF("initiator", "video", "both", TRANSPORT("vvvv", "active", ""))),
         "=result !content-remove refused", JINGLE_REASON_NO_PATH},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct side side;
        call(&side, ACCEPT_NAMED(GROUP1));
        add_video(&side);
        g_string_truncate(side.log, 0);
        receive(&side, cases[i].iq);
        assert_log(&side, cases[i].log);
        assert_int_equal(side.refused, cases[i].reason);
        assert_string_equal(side.content, "video");
        assert_int_equal(session_state(side.session), SESSION_ACTIVE);
        /* It can be tried again, under a name that was not used. */
        assert_string_equal(add_video(&side), "video2");
        side_clear(&side);
    }
}

static void test_an_error_to_content_add_is_a_refusal(void **state)
{
    static const struct {
        enum stanza_condition condition;
        enum jingle_condition jingle;
        jingle_reason reason;
    } cases[] = {
        {STANZA_FEATURE_NOT_IMPLEMENTED, JINGLE_CONDITION_NONE, JINGLE_REASON_INCOMPATIBLE},
        {STANZA_BAD_REQUEST, JINGLE_CONDITION_NONE, JINGLE_REASON_INCOMPATIBLE},
        {STANZA_NOT_ALLOWED, JINGLE_CONDITION_NONE, JINGLE_REASON_DECLINED},
        {STANZA_CONFLICT, JINGLE_TIE_BREAK, JINGLE_REASON_REPLACED},
        {STANZA_REMOTE_SERVER_TIMEOUT, JINGLE_CONDITION_NONE, JINGLE_REASON_NO_ANSWER},
    };

    (void)state;
    for (size_t i = 0; i < 2 * G_N_ELEMENTS(cases); i++) {
        size_t at = i % G_N_ELEMENTS(cases);
        struct stanza_error error =
            stanza_error_make(cases[at].condition, cases[at].jingle, "because");
        struct side side;
        call(&side, ACCEPT_NAMED(GROUP1));
        if (i >= G_N_ELEMENTS(cases))
            session_connected(side.session);
        add_video(&side);
        unsigned tag = side_last_tag(&side);
        session_answered(side.session, tag, &error, 0);
        assert_log(&side, "!content-add refused");
        assert_int_equal(side.refused, cases[at].reason);
        assert_int_equal(session_state(side.session), SESSION_ACTIVE);
        session_answered(side.session, tag, &error, 0);
        assert_log(&side, "");
        side_clear(&side);
    }
}

static void test_an_offer_that_nobody_answers_is_taken_back(void **state)
{
    struct side side;

    (void)state;
    call(&side, ACCEPT_NAMED(GROUP1));
    assert_true(session_next_deadline(side.session) == USEC_NEVER);
    add_video(&side);
    assert_true(session_next_deadline(side.session) == 60 * USEC_PER_SEC);
    session_tick(side.session, 59 * USEC_PER_SEC);
    assert_log(&side, "!content-add");
    session_tick(side.session, 60 * USEC_PER_SEC);
    assert_log(&side, "!content-remove refused");
    assert_int_equal(side.refused, JINGLE_REASON_NO_ANSWER);
    assert_true(session_next_deadline(side.session) == USEC_NEVER);
    /* What crosses that is no fault of theirs. */
    receive(&side, ACCEPT_BUNDLED);
    assert_log(&side, "=result");
    receive(&side, NAMED("content-reject", "video"));
    assert_log(&side, "=result");
    receive(&side, JINGLE("content-reject", ""));
    assert_log(&side, "=result");
    receive(&side, NAMED("content-remove", "video"));
    assert_log(&side, "=result");
    receive(&side, MODIFY("video", "both"));
    assert_log(&side, "=item-not-found");
    side_clear(&side);
}

static void test_one_of_a_kind_is_offered_at_a_time(void **state)
{
    struct side side;

    (void)state;
    side_init(&side);
    side_new_outgoing(&side);
    assert_null(add_video(&side));
    session_initiate(side.session, 0);
    side_set_transport(&side, "audio", "ours", 1000);
    assert_null(add_video(&side));
    session_answered(side.session, side_last_tag(&side), NULL, 0);
    receive(&side, ACCEPT_NAMED(GROUP1));
    assert_non_null(add_video(&side));
    assert_null(add_video(&side));
    receive(&side, ACCEPT_BUNDLED);
    assert_string_equal(add_named(&side, "screen", MEDIA_SEND_ONLY), "screen");
    session_end(side.session, JINGLE_REASON_HANGUP);
    assert_null(add_video(&side));
    side_clear(&side);
}

static void test_an_accept_of_what_was_not_offered_is_an_error(void **state)
{
    struct side side;

    (void)state;
    call_with_video(&side);
    receive(&side, ACCEPT_BUNDLED);
    assert_log(&side, "=out-of-order");
    receive(&side, JINGLE("content-accept", VIDEO_OF("initiator", "x", "both", EMPTY)));
    assert_log(&side, "=item-not-found");
    receive(&side, NAMED("content-reject", "video"));
    assert_log(&side, "=out-of-order");
    receive(&side, NAMED("content-reject", "x"));
    assert_log(&side, "=item-not-found");
    receive(&side, JINGLE("content-reject", ""));
    assert_log(&side, "=out-of-order");
    side_clear(&side);
}

/* ---------------------------------------------------------------------------- adding theirs -- */

static void test_their_bundled_video_is_taken_in_the_same_shape(void **state)
{
    struct side side;

    (void)state;
    call(&side, ACCEPT_NAMED(GROUP1));
    receive(&side, ADD_BUNDLED);
    assert_log(&side, "=result offered");
    assert_string_equal(side.content, "video");
    assert_string_equal(side.media, "video");
    assert_true(side.we_send);
    assert_true(take_video(&side, "video", MEDIA_BOTH_WAYS));
    assert_log(&side, "negotiated !content-accept");
    assert_string_equal(side.transport, "audio");
    assert_false(side.transport_wanted);
    assert_false(side.we_offered);
    assert_sent(&side, "creator=\"initiator\" name=\"video\" senders=\"both\"");
    assert_sent(&side, "<content name=\"audio\"/><content name=\"video\"/></group>");
    assert_sent(&side, "<transport xmlns=\"" NS_ICE_UDP "\"/>");
    assert_false(take_video(&side, "video", MEDIA_BOTH_WAYS));
    side_clear(&side);
    /* A full transport that is the bundle's is answered with a full one. */
    call(&side, ACCEPT_NAMED(GROUP1));
    receive(&side, JINGLE("content-add", GROUP2 VIDEO_OF("initiator", "video", "both",
                                                         TRANSPORT("theirs", "actpass", ""))));
    assert_true(take_video(&side, "video", MEDIA_BOTH_WAYS));
    assert_log(&side, "=result offered negotiated !content-accept");
    assert_sent(&side, "ufrag=\"ours\"");
    assert_not_sent(&side, "<candidate");
    side_clear(&side);
}

static void test_their_video_with_a_transport_waits_for_ours(void **state)
{
    struct side side;

    (void)state;
    call(&side, ACCEPT);
    receive(&side, ADD_ALONE);
    assert_log(&side, "=result offered");
    assert_false(side.we_receive == false);
    assert_false(side.we_send);
    receive(&side, JINGLE("transport-info",
                          "<content creator='initiator' name='video'><transport xmlns='" NS_ICE_UDP
                          "' ufrag='vvvv' pwd='pppppppppppppppppppppp'>" CANDIDATE(
                              "10") "</transport></content>"));
    assert_log(&side, "=result");
    assert_true(take_video(&side, "video", MEDIA_BOTH_WAYS));
    assert_log(&side, "negotiated");
    assert_string_equal(side.transport, "video");
    assert_true(side.transport_wanted);
    assert_true(side.dtls_client);
    assert_int_equal(side.remote_candidates, 2);
    side_set_transport(&side, "video", "more", 2000);
    assert_log(&side, "!content-accept");
    assert_not_sent(&side, "<group");
    assert_sent(&side, "ufrag=\"more\"");
    assert_sent(&side, "setup=\"active\"");
    assert_sent(&side, "senders=\"responder\"");
    receive(&side, JINGLE("transport-info",
                          "<content creator='initiator' name='video'><transport xmlns='" NS_ICE_UDP
                          "' ufrag='vvvv' pwd='pppppppppppppppppppppp'>" CANDIDATE(
                              "11") "</transport></content>"));
    assert_log(&side, "=result transport");
    assert_string_equal(side.transport, "video");
    side_clear(&side);
}

static void test_their_video_can_be_rejected(void **state)
{
    struct side side;

    (void)state;
    call(&side, ACCEPT_NAMED(GROUP1));
    receive(&side, ADD_BUNDLED);
    session_content_reject(side.session, "video", JINGLE_REASON_DECLINED);
    assert_log(&side, "=result offered !content-reject");
    assert_sent(&side, "<content creator=\"initiator\" name=\"video\"/>");
    assert_sent(&side, "<decline/>");
    session_content_reject(side.session, "video", JINGLE_REASON_DECLINED);
    assert_log(&side, "");
    /* And offered again. */
    receive(&side, ADD_BUNDLED);
    session_content_reject(side.session, "video", JINGLE_REASON_BUSY);
    assert_log(&side, "=result offered !content-reject");
    assert_sent(&side, "<busy/>");
    side_clear(&side);
}

static void test_their_video_that_cannot_be_is_rejected_untold(void **state)
{
    static const struct {
        const char *iq, *condition;
    } cases[] = {
        {JINGLE("content-add", VIDEO_OF("initiator", "video", "both", EMPTY)), "security-error"},
        {JINGLE("content-add", "<content creator='initiator' name='video'>" DESCRIPTION(
                                   "video", H264) TRANSPORT("vvvv", "actpass", "") "</content>"),
         "incompatible-parameters"},
        {JINGLE("content-add", "<content creator='initiator' name='text'>" DESCRIPTION("text", "")
                                   TRANSPORT("vvvv", "actpass", "") "</content>"),
         "unsupported-applications"},
        {JINGLE("content-add", "<content creator='initiator' name='file'><description "
                               "xmlns='urn:x'/>" TRANSPORT("vvvv", "actpass", "") "</content>"),
         "unsupported-applications"},
        {JINGLE("content-add", "<content creator='initiator' name='video'>" DESCRIPTION(
                                   "video", VP8) "<transport xmlns='urn:x'/></content>"),
         "unsupported-transports"},
    };
    struct rtp_description audio, video;

    (void)state;
    audio_capabilities(&audio);
    video_capabilities(&video);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct side side;
        side_init(&side);
        side.abilities = &audio;
        side.video_abilities = &video;
        side.automatic = true;
        receive(&side, INITIATE);
        accept_media(&side, false, MEDIA_BOTH_WAYS);
        g_string_truncate(side.log, 0);
        receive(&side, cases[i].iq);
        assert_log(&side, "=result !content-reject");
        assert_sent(&side, cases[i].condition);
        side_clear(&side);
    }
    rtp_description_clear(&audio);
    rtp_description_clear(&video);
}

static void test_without_a_common_codec_an_accepted_offer_is_rejected(void **state)
{
    struct side side;

    (void)state;
    call(&side, ACCEPT_NAMED(GROUP1));
    receive(&side, JINGLE("content-add", GROUP2
                          "<content creator='initiator' name='video'>" DESCRIPTION("video", H264)
                              EMPTY "</content>"));
    assert_false(take_video(&side, "video", MEDIA_BOTH_WAYS));
    assert_log(&side, "=result offered !content-reject");
    assert_sent(&side, "<incompatible-parameters/>");
    side_clear(&side);
}

static void test_who_only_receives_still_answers_with_their_senders(void **state)
{
    struct side side;

    (void)state;
    call(&side, ACCEPT_NAMED(GROUP1));
    receive(&side, ADD_BUNDLED);
    assert_true(take_video(&side, "video", MEDIA_RECEIVE_ONLY));
    assert_sent(&side, "senders=\"both\"");
    assert_false(side.agreement.we_send);
    assert_true(side.agreement.we_receive);
    side_clear(&side);
}

static void test_a_name_is_used_once(void **state)
{
    struct side side;

    (void)state;
    call(&side, ACCEPT_NAMED(GROUP1));
    receive(&side, JINGLE("content-add", VIDEO_OF("initiator", "audio", "both",
                                                  TRANSPORT("vvvv", "actpass", ""))));
    assert_log(&side, "=bad-request");
    receive(&side, ADD_BUNDLED);
    receive(&side, ADD_BUNDLED);
    assert_log(&side, "=result offered =bad-request");
    side_clear(&side);
}

static void test_the_contents_of_a_session_are_limited(void **state)
{
    struct side side;

    (void)state;
    call(&side, ACCEPT_NAMED(GROUP1));
    for (unsigned i = 0; i < 20; i++) {
        char *iq = g_strdup_printf(
            JINGLE("content-add", "<content creator='initiator' name='v%u'>" DESCRIPTION(
                                      "video", VP8) TRANSPORT("vvvv", "actpass", "") "</content>"),
            i);
        g_string_truncate(side.log, 0);
        receive(&side, iq);
        assert_log(&side,
                   i < JINGLE_CONTENTS_MAX - 1 ? "=result offered" : "=result !content-reject");
        g_free(iq);
    }
    /* Nor does coming and going grow it. */
    for (unsigned i = 0; i < 1000; i++) {
        receive(&side, NAMED("content-remove", "v0"));
        receive(&side, JINGLE("content-add",
                              "<content creator='initiator' name='v0'>" DESCRIPTION("video", VP8)
                                  TRANSPORT("vvvv", "actpass", "") "</content>"));
        g_string_truncate(side.log, 0);
    }
    receive(&side, NAMED("content-remove", "v1"));
    assert_log(&side, "=result removed");
    side_clear(&side);
}

static void test_an_offer_taken_back_is_gone(void **state)
{
    struct side side;

    (void)state;
    call(&side, ACCEPT_NAMED(GROUP1));
    receive(&side, ADD_BUNDLED);
    receive(&side, NAMED("content-remove", "video"));
    assert_log(&side, "=result offered =result removed");
    assert_false(take_video(&side, "video", MEDIA_BOTH_WAYS));
    session_content_reject(side.session, "video", JINGLE_REASON_DECLINED);
    assert_log(&side, "");
    assert_string_equal(add_video(&side), "video2");
    side_clear(&side);
    /* While our transport is awaited. */
    call(&side, ACCEPT);
    receive(&side, ADD_ALONE);
    assert_true(take_video(&side, "video", MEDIA_BOTH_WAYS));
    receive(&side, NAMED("content-remove", "video"));
    assert_log(&side, "=result offered negotiated =result removed");
    side_set_transport(&side, "video", "more", 2000);
    assert_log(&side, "");
    side_clear(&side);
}

static void test_an_accept_that_came_too_late_is_undone(void **state)
{
    struct stanza_error error = stanza_error_make(STANZA_ITEM_NOT_FOUND, JINGLE_CONDITION_NONE, "");
    struct side side;

    (void)state;
    call(&side, ACCEPT_NAMED(GROUP1));
    receive(&side, ADD_BUNDLED);
    take_video(&side, "video", MEDIA_BOTH_WAYS);
    session_answered(side.session, side_last_tag(&side), &error, 0);
    assert_log(&side, "=result offered negotiated !content-accept removed");
    assert_int_equal(session_state(side.session), SESSION_ACTIVE);
    side_clear(&side);
}

/* ------------------------------------------------------------------------------------ glare -- */

static void test_both_add_video_and_the_initiators_goes_on(void **state)
{
    struct stanza_error error = stanza_error_make(STANZA_CONFLICT, JINGLE_TIE_BREAK, "");
    struct side side;

    (void)state;
    call(&side, ACCEPT_NAMED(GROUP1));
    add_video(&side);
    receive(&side, ADD_BUNDLED);
    assert_log(&side, "!content-add =tie-break");
    receive(&side, ACCEPT_BUNDLED);
    assert_log(&side, "=result negotiated");
    side_clear(&side);
    answer(&side, INITIATE_NAMED(GROUP1));
    add_video(&side);
    unsigned tag = side_last_tag(&side);
    receive(&side, ADD_BUNDLED);
    assert_log(&side, "!content-add =result refused offered");
    assert_int_equal(side.refused, JINGLE_REASON_REPLACED);
    session_answered(side.session, tag, &error, 0);
    assert_log(&side, "");
    assert_true(take_video(&side, "video", MEDIA_BOTH_WAYS));
    assert_log(&side, "negotiated !content-accept");
    side_clear(&side);
}

static void test_an_offer_not_yet_sent_gives_way_to_theirs(void **state)
{
    struct side side;

    (void)state;
    call(&side, ACCEPT);
    add_video(&side);
    receive(&side, ADD_ALONE);
    assert_log(&side, "=result refused offered");
    assert_int_equal(side.refused, JINGLE_REASON_REPLACED);
    assert_true(take_video(&side, "video", MEDIA_BOTH_WAYS));
    side_set_transport(&side, "video", "more", 2000);
    assert_log(&side, "negotiated !content-accept");
    side_clear(&side);
}

static void test_different_kinds_may_be_added_at_once(void **state)
{
    struct side side;

    (void)state;
    call(&side, ACCEPT_NAMED(GROUP1));
    add_video(&side);
    receive(&side, JINGLE("content-add", CONTENT("music", "audio", OPUS, "actpass")));
    assert_log(&side, "!content-add =result offered");
    receive(&side, ACCEPT_BUNDLED);
    assert_log(&side, "=result negotiated");
    side_clear(&side);
}

/* --------------------------------------------------------------------------------- removing -- */

static void test_video_is_taken_away_and_the_call_goes_on(void **state)
{
    struct side side;

    (void)state;
    call_with_video(&side);
    assert_int_equal(session_content_remove(side.session, "video"), CONTENT_IS_GONE);
    assert_log(&side, "!content-remove");
    assert_sent(&side, "<content creator=\"initiator\" name=\"video\"/>");
    assert_int_equal(session_content_remove(side.session, "video"), CONTENT_IS_GONE);
    assert_log(&side, "");
    /* They did the same at the same time. */
    receive(&side, NAMED("content-remove", "video"));
    assert_log(&side, "=result");
    assert_string_equal(add_video(&side), "video2");
    assert_sent(&side, "<content name=\"audio\"/><content name=\"video2\"/></group>");
    side_clear(&side);
    call_with_video(&side);
    receive(&side, NAMED("content-remove", "video"));
    assert_log(&side, "=result removed");
    assert_int_equal(session_state(side.session), SESSION_ACTIVE);
    receive(&side, NAMED("content-remove", "nobody"));
    assert_log(&side, "=item-not-found");
    side_clear(&side);
}

static void test_with_the_last_content_goes_the_session(void **state)
{
    struct side side;

    (void)state;
    call_with_video(&side);
    session_content_remove(side.session, "audio");
    assert_log(&side, "!content-remove");
    session_content_remove(side.session, "video");
    assert_log(&side, "!session-terminate ended");
    assert_int_equal(side.ended, JINGLE_REASON_HANGUP);
    side_clear(&side);
    call_with_video(&side);
    receive(&side, NAMED("content-remove", "audio"));
    receive(&side, NAMED("content-remove", "video"));
    assert_log(&side, "=result removed =result !session-terminate ended");
    assert_int_equal(side.ended_by, JINGLE_PARTY_REMOTE);
    side_clear(&side);
    call_with_video(&side);
    receive(&side, JINGLE("content-remove", "<content creator='initiator' name='audio'/>"
                                            "<content creator='initiator' name='video'/>"));
    assert_log(&side, "=result !session-terminate ended");
    side_clear(&side);
}

static void test_what_carries_may_go_and_its_transport_stays(void **state)
{
    struct side side;
    struct ice_candidate later = host_candidate(1001);

    (void)state;
    call_with_video(&side);
    receive(&side, NAMED("content-remove", "audio"));
    assert_log(&side, "=result removed");
    session_add_candidates(side.session, "audio", &later, 1, 0);
    assert_log(&side, "!transport-info");
    assert_sent(&side, "name=\"video\"");
    assert_sent(&side, "ufrag=\"ours\"");
    receive(&side, JINGLE("transport-info",
                          "<content creator='initiator' name='video'><transport xmlns='" NS_ICE_UDP
                          "' ufrag='new' pwd='pppppppppppppppppppppp'/></content>"));
    assert_log(&side, "=result transport");
    assert_string_equal(side.transport, "audio");
    assert_true(side.restart);
    assert_true(side.answer_wanted);
    side_set_transport(&side, "audio", "fresh", 3000);
    assert_log(&side, "!transport-info");
    assert_sent(&side, "name=\"video\"");
    assert_sent(&side, "ufrag=\"fresh\"");
    /* A new audio has another transport's name. */
    receive(&side, JINGLE("content-add", CONTENT("audio", "audio", OPUS, "actpass")));
    struct rtp_description audio;
    audio_capabilities(&audio);
    struct session_media media = {.description = &audio};
    assert_true(session_content_accept(side.session, "audio", &media, 0));
    assert_string_not_equal(side.transport, "audio");
    assert_true(side.transport_wanted);
    side_set_transport(&side, side.transport, "again", 4000);
    assert_log(&side, "=result offered negotiated !content-accept");
    rtp_description_clear(&audio);
    side_clear(&side);
}

static void test_our_offer_can_be_taken_back(void **state)
{
    struct side side;

    (void)state;
    call(&side, ACCEPT_NAMED(GROUP1));
    add_video(&side);
    assert_int_equal(session_content_remove(side.session, "video"), CONTENT_IS_GONE);
    assert_log(&side, "!content-add !content-remove");
    receive(&side, ACCEPT_BUNDLED);
    assert_log(&side, "=result");
    assert_int_equal(session_state(side.session), SESSION_ACTIVE);
    side_clear(&side);
    /* Before it was sent. */
    call(&side, ACCEPT);
    add_video(&side);
    session_content_remove(side.session, "video");
    side_set_transport(&side, "video", "more", 2000);
    assert_log(&side, "");
    side_clear(&side);
}

static void test_removing_what_they_offer_rejects_it(void **state)
{
    struct side side;

    (void)state;
    call(&side, ACCEPT_NAMED(GROUP1));
    receive(&side, ADD_BUNDLED);
    session_content_remove(side.session, "video");
    assert_log(&side, "=result offered !content-reject");
    side_clear(&side);
    call(&side, ACCEPT);
    receive(&side, ADD_ALONE);
    take_video(&side, "video", MEDIA_BOTH_WAYS);
    session_content_remove(side.session, "video");
    assert_log(&side, "=result offered negotiated !content-reject");
    side_clear(&side);
}

/* Conversations ends the call over content-remove; Dino does not know it. */
static void test_a_content_stays_where_the_peer_cannot_lose_it(void **state)
{
    struct side side;

    (void)state;
    call(&side, JINGLE("session-accept", GROUP1 CONTENT("audio", "audio", OPUS, "active")));
    add_video(&side);
    receive(&side, ACCEPT_BUNDLED);
    g_string_truncate(side.log, 0);
    assert_int_equal(session_content_remove(side.session, "video"), CONTENT_IS_KEPT);
    assert_log(&side, "!session-info");
    assert_sent(&side, "<mute xmlns=\"" NS_RTP_INFO "\" creator=\"initiator\" name=\"video\"/>");
    assert_false(session_content_set_senders(side.session, "video", true, true));
    /* Once it has shown that it knows content-modify, that is used. */
    receive(&side, MODIFY("video", "both"));
    assert_log(&side, "=result senders");
    assert_int_equal(session_content_remove(side.session, "video"), CONTENT_IS_KEPT);
    assert_log(&side, "!content-modify");
    assert_sent(&side, "senders=\"responder\"");
    assert_true(session_content_set_senders(side.session, "video", true, true));
    assert_sent(&side, "senders=\"both\"");
    /* The last one takes the call with it all the same. */
    receive(&side, NAMED("content-remove", "video"));
    session_content_remove(side.session, "audio");
    assert_sent(&side, "session-terminate");
    side_clear(&side);
}

/* ------------------------------------------------------------------------------ who sends -- */

static void test_content_modify_is_sent_to_who_has_sent_one(void **state)
{
    struct side side;

    (void)state;
    call_with_video(&side);
    assert_false(session_content_set_senders(side.session, "video", false, true));
    assert_log(&side, "");
    receive(&side, MODIFY("video", "initiator"));
    assert_log(&side, "=result senders");
    assert_true(side.we_send);
    assert_false(side.we_receive);
    assert_true(session_content_set_senders(side.session, "video", false, false));
    assert_log(&side, "!content-modify");
    assert_sent(&side, "creator=\"initiator\" name=\"video\" senders=\"none\"");
    session_answered(side.session, side_last_tag(&side), NULL, 0);
    assert_true(session_content_set_senders(side.session, "video", true, true));
    assert_sent(&side, "senders=\"both\"");
    assert_true(session_content_set_senders(side.session, "video", true, true));
    assert_log(&side, "!content-modify");
    assert_false(session_content_set_senders(side.session, "nobody", true, true));
    side_clear(&side);
}

static void test_dino_never_hears_that_nobody_sends(void **state)
{
    struct side side;

    (void)state;
    call(&side, ACCEPT);
    receive(&side, MODIFY("audio", "both"));
    assert_log(&side, "=result senders");
    receive(&side, MODIFY("audio", "initiator"));
    assert_false(session_content_set_senders(side.session, "audio", false, false));
    assert_log(&side, "=result senders");
    side_clear(&side);
}

static void test_conversations_direction_is_left_to_itself(void **state)
{
    struct side side;

    (void)state;
    call(&side, JINGLE("session-accept", GROUP1 CONTENT("audio", "audio", OPUS, "active")));
    receive(&side, MODIFY("audio", "both"));
    assert_true(session_content_set_senders(side.session, "audio", false, false));
    assert_sent(&side, "senders=\"responder\"");
    side_clear(&side);
}

static void test_both_change_who_sends_and_the_initiators_word_stands(void **state)
{
    struct stanza_error error = stanza_error_make(STANZA_CONFLICT, JINGLE_TIE_BREAK, "");
    struct side side;

    (void)state;
    call_with_video(&side);
    receive(&side, MODIFY("video", "both"));
    session_content_set_senders(side.session, "video", false, true);
    g_string_truncate(side.log, 0);
    receive(&side, MODIFY("video", "none"));
    assert_log(&side, "=tie-break");
    session_answered(side.session, side_last_tag(&side), NULL, 0);
    receive(&side, MODIFY("video", "none"));
    assert_log(&side, "=result senders");
    side_clear(&side);
    answer(&side, INITIATE_NAMED(GROUP1));
    receive(&side, MODIFY("audio", "both"));
    session_content_set_senders(side.session, "audio", false, true);
    unsigned tag = side_last_tag(&side);
    receive(&side, MODIFY("audio", "responder"));
    assert_true(side.we_send);
    assert_false(side.we_receive);
    g_string_truncate(side.log, 0);
    session_answered(side.session, tag, &error, 0);
    assert_log(&side, "");
    side_clear(&side);
}

/* Dino, which answers without a camera. */
static void test_senders_may_change_before_the_answer(void **state)
{
    struct side side;

    (void)state;
    offer_both(&side);
    receive(&side, MODIFY("video", "initiator"));
    assert_log(&side, "=result");
    receive(
        &side,
        JINGLE(
            "session-accept",
            CONTENT("audio", "audio", OPUS,
                    "active") "<content creator='initiator' name='video'>" DESCRIPTION("video", VP8)
                TRANSPORT("vvvv", "active", "") "</content>"));
    assert_log(&side, "=result accepted negotiated negotiated");
    assert_true(side.agreement.we_send);
    assert_false(side.agreement.we_receive);
    side_clear(&side);
}

static void test_mute_names_its_content_both_ways(void **state)
{
    struct side side;

    (void)state;
    call_with_video(&side);
    session_send_info(side.session, INFO_MUTE, "video");
    assert_sent(&side, "<mute xmlns=\"" NS_RTP_INFO "\" creator=\"initiator\" name=\"video\"/>");
    session_send_info(side.session, INFO_HOLD, "video");
    assert_sent(&side, "<hold xmlns=\"" NS_RTP_INFO "\"/>");
    g_string_truncate(side.log, 0);
    receive(&side, JINGLE("session-info",
                          "<mute xmlns='" NS_RTP_INFO "' creator='initiator' name='video'/>"));
    assert_log(&side, "=result info");
    assert_string_equal(side.content, "video");
    assert_string_equal(side.media, "video");
    receive(&side, JINGLE("session-info",
                          "<unmute xmlns='" NS_RTP_INFO "' creator='responder' name='audio'/>"));
    assert_string_equal(side.media, "audio");
    receive(&side, JINGLE("session-info", "<mute xmlns='" NS_RTP_INFO "'/>"));
    assert_string_equal(side.content, "");
    assert_string_equal(side.media, "");
    receive(&side, JINGLE("session-info", "<mute xmlns='" NS_RTP_INFO "' name='x'/>"));
    assert_string_equal(side.media, "");
    side_clear(&side);
}

/* Conversations repeats new credentials in every content of the bundle. */
static void test_a_restart_of_a_bundle_is_told_once(void **state)
{
    struct side side;

    (void)state;
    call_with_video(&side);
    receive(&side, JINGLE("transport-info",
                          "<content creator='initiator' name='video'><transport xmlns='" NS_ICE_UDP
                          "' ufrag='new' pwd='pppppppppppppppppppppp'/></content>"
                          "<content creator='initiator' name='audio'><transport xmlns='" NS_ICE_UDP
                          "' ufrag='new' pwd='pppppppppppppppppppppp'/></content>"));
    assert_log(&side, "=result transport");
    assert_string_equal(side.transport, "audio");
    assert_true(side.answer_wanted);
    side_set_transport(&side, "audio", "fresh", 3000);
    assert_log(&side, "!transport-info");
    assert_sent(&side, "name=\"audio\"");
    side_clear(&side);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_transport_is_enough_for_an_offer_of_both),
        cmocka_unit_test(test_a_bundled_answer_needs_no_other_transport),
        cmocka_unit_test(test_a_bundled_answer_may_leave_the_other_transport_empty),
        cmocka_unit_test(test_without_a_group_video_gets_the_credentials_that_were_offered),
        cmocka_unit_test(test_the_peer_may_take_the_sound_alone),
        cmocka_unit_test(test_the_peer_may_take_the_video_alone),
        cmocka_unit_test(test_the_answers_first_name_carries_the_bundle),
        cmocka_unit_test(test_a_bundled_offer_is_answered_with_one_transport),
        cmocka_unit_test(test_without_a_group_each_content_of_an_offer_gets_its_transport),
        cmocka_unit_test(test_video_that_is_only_received_is_answered_so),
        cmocka_unit_test(test_video_alone_can_be_refused),
        cmocka_unit_test(test_one_entry_serves_one_content),
        cmocka_unit_test(test_video_joins_the_bundle_with_an_empty_transport),
        cmocka_unit_test(test_a_second_session_accept_takes_what_we_add),
        cmocka_unit_test(test_without_a_bundle_video_comes_with_a_transport_of_its_own),
        cmocka_unit_test(test_the_creator_of_what_we_add_is_what_the_peer_understands),
        cmocka_unit_test(test_who_is_to_send_is_offered),
        cmocka_unit_test(test_what_is_not_wanted_is_refused_and_the_call_goes_on),
        cmocka_unit_test(test_an_error_to_content_add_is_a_refusal),
        cmocka_unit_test(test_an_offer_that_nobody_answers_is_taken_back),
        cmocka_unit_test(test_one_of_a_kind_is_offered_at_a_time),
        cmocka_unit_test(test_an_accept_of_what_was_not_offered_is_an_error),
        cmocka_unit_test(test_their_bundled_video_is_taken_in_the_same_shape),
        cmocka_unit_test(test_their_video_with_a_transport_waits_for_ours),
        cmocka_unit_test(test_their_video_can_be_rejected),
        cmocka_unit_test(test_their_video_that_cannot_be_is_rejected_untold),
        cmocka_unit_test(test_without_a_common_codec_an_accepted_offer_is_rejected),
        cmocka_unit_test(test_who_only_receives_still_answers_with_their_senders),
        cmocka_unit_test(test_a_name_is_used_once),
        cmocka_unit_test(test_the_contents_of_a_session_are_limited),
        cmocka_unit_test(test_an_offer_taken_back_is_gone),
        cmocka_unit_test(test_an_accept_that_came_too_late_is_undone),
        cmocka_unit_test(test_both_add_video_and_the_initiators_goes_on),
        cmocka_unit_test(test_an_offer_not_yet_sent_gives_way_to_theirs),
        cmocka_unit_test(test_different_kinds_may_be_added_at_once),
        cmocka_unit_test(test_video_is_taken_away_and_the_call_goes_on),
        cmocka_unit_test(test_with_the_last_content_goes_the_session),
        cmocka_unit_test(test_what_carries_may_go_and_its_transport_stays),
        cmocka_unit_test(test_our_offer_can_be_taken_back),
        cmocka_unit_test(test_removing_what_they_offer_rejects_it),
        cmocka_unit_test(test_a_content_stays_where_the_peer_cannot_lose_it),
        cmocka_unit_test(test_content_modify_is_sent_to_who_has_sent_one),
        cmocka_unit_test(test_dino_never_hears_that_nobody_sends),
        cmocka_unit_test(test_conversations_direction_is_left_to_itself),
        cmocka_unit_test(test_both_change_who_sends_and_the_initiators_word_stands),
        cmocka_unit_test(test_senders_may_change_before_the_answer),
        cmocka_unit_test(test_mute_names_its_content_both_ways),
        cmocka_unit_test(test_a_restart_of_a_bundle_is_told_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
