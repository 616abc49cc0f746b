/* Calls that real clients made, replayed with one of them replaced by our session machine: what the
 * other side sent is fed, and what ours says must be what that side needs to go on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "side_asserts.h"

/* The <jingle/> elements of a transcript in their order. */
static GPtrArray *read_transcript(const char *path)
{
    GPtrArray *found = g_ptr_array_new_with_free_func(g_free);
    char *text = NULL;
    gsize bytes = 0;

    assert_true(g_file_get_contents(path, &text, &bytes, NULL));
    const char *at = text;
    while ((at = strstr(at, "<jingle ")) != NULL) {
        const char *end = strstr(at, "</jingle>");
        assert_non_null(end);
        end += strlen("</jingle>");
        g_ptr_array_add(found, g_strndup(at, (gsize)(end - at)));
        at = end;
    }
    g_free(text);
    return found;
}

static bool is_action(const char *iq, const char *action)
{
    char head[512];

    g_strlcpy(head, iq, sizeof(head));
    *strchr(head, '>') = '\0';
    return strstr(head, action) != NULL;
}

/* Every IQ of the transcript whose transport has this ufrag, or which is an end. */
static void feed(struct side *side, const GPtrArray *iqs, const char *action, const char *ufrag)
{
    for (guint i = 0; i < iqs->len; i++) {
        const char *iq = g_ptr_array_index(iqs, i);
        if (is_action(iq, action) && (ufrag == NULL || strstr(iq, ufrag) != NULL))
            assert_true(side_receive(side, iq));
    }
}

/* A caller that offers what the transcript's caller offered, under the same names. */
static void call_with_offer(struct side *side, const char *initiate)
{
    struct xml *xml = xml_parse(initiate, strlen(initiate));
    struct session_media media[JINGLE_CONTENTS_MAX];
    struct session_hooks hooks = side_hooks(side);
    struct stanza_error error;
    struct jingle_iq iq;

    side_init(side);
    assert_non_null(xml);
    assert_true(jingle_iq_read(&iq, xml_root(xml), &error));
    xml_free(xml);
    for (size_t i = 0; i < iq.content_count; i++)
        media[i] = (struct session_media){.content = iq.contents[i].name,
                                          .description = &iq.contents[i].rtp};
    struct session_config config = {
        .own_jid = "a@x/1", .peer = "b@y/2", .sid = iq.sid, .ring_timeout = 60 * USEC_PER_SEC};
    hooks = side_hooks(side);
    side->session = session_new(&config, &hooks, media, iq.content_count);
    session_initiate(side->session, 0);
    for (size_t i = 0; i < iq.content_count; i++)
        side_set_transport(side, iq.contents[i].name, "ours", 1000);
    jingle_iq_clear(&iq);
    session_answered(side->session, side_last_tag(side), NULL, 0);
    assert_log(side, "!session-initiate");
}

static void test_dino_calls_us(void **state)
{
    GPtrArray *iqs = read_transcript("transcripts/dino-dino-audio.xml");
    struct side side;

    (void)state;
    side_init(&side);
    feed(&side, iqs, "session-initiate", NULL);
    assert_log(&side, "=result");
    side_accept(&side);
    assert_log(&side, "negotiated");
    assert_string_equal(side.remote.ufrag, "o1Cg");
    assert_string_equal(side.remote.pwd, "bjMtXw6Ir3VP5Kz3Z1m3sq");
    assert_int_equal(side.remote.fingerprint.bytes[0], 0xc6);
    assert_int_equal(side.remote_candidates, 1); /* that of component 2 is of no use */
    assert_true(side.dtls_client);
    assert_true(side.agreement.rtcp_mux);
    assert_false(side.agreement.bundle);
    assert_int_equal(side.agreement.send.payload_type, 111);
    assert_true(side.agreement.send.opus.useinbandfec);
    side_set_transport(&side, "audio", "ours", 1000);
    assert_log(&side, "!session-accept");
    assert_sent(&side, "<payload-type id=\"111\" name=\"opus\"");
    assert_sent(&side, "creator=\"initiator\" name=\"audio\" senders=\"both\"");
    assert_not_sent(&side, "encryption");
    assert_not_sent(&side, "speex");
    feed(&side, iqs, "session-terminate", NULL);
    assert_log(&side, "=result ended");
    assert_int_equal(side.ended, JINGLE_REASON_HANGUP);
    side_clear(&side);
    g_ptr_array_unref(iqs);
}

static void test_dino_answers_us(void **state)
{
    GPtrArray *iqs = read_transcript("transcripts/dino-dino-audio.xml");
    struct side side;

    (void)state;
    call_with_offer(&side, g_ptr_array_index(iqs, 0));
    feed(&side, iqs, "session-accept", NULL);
    assert_log(&side, "=result accepted negotiated");
    assert_false(side.dtls_client);
    assert_int_equal(side.agreement.receive_count, 7); /* all that the offer has */
    assert_string_equal(side.agreement.send.name, "opus");
    assert_string_equal(side.remote.ufrag, "kSMk");
    feed(&side, iqs, "session-terminate", NULL);
    assert_log(&side, "=result ended");
    side_clear(&side);
    g_ptr_array_unref(iqs);
}

static void test_a_browser_calls_us_with_video(void **state)
{
    GPtrArray *iqs = read_transcript("transcripts/browser-browser-video.xml");
    struct side side;

    (void)state;
    side_init(&side);
    feed(&side, iqs, "session-initiate", NULL);
    feed(&side, iqs, "transport-info", "gxl5");
    assert_log(&side, "=result =result =result =result =result =result =result =result =result "
                      "=result");
    side_accept(&side);
    assert_log(&side, "negotiated");
    assert_int_equal(side.remote_candidates, 2); /* not the TCP ones */
    assert_string_equal(side.remote.pwd, "eU8ZsB3bHD09LZzG05g8Yb1r");
    assert_true(side.remote.gathering_complete);
    assert_true(side.agreement.bundle);
    assert_int_equal(side.agreement.receive_audio_level, 1);
    assert_int_equal(side.agreement.send_mid, 4);
    assert_int_equal(side.agreement.send_event.payload_type, 110);
    assert_true(side.agreement.remote_ssrc == 2450856508u);
    side_set_transport(&side, "0", "ours", 1000);
    assert_log(&side, "!session-accept");
    /* libwebrtc wants both m-lines back, in its order. */
    assert_sent(&side, "name=\"1\" senders=\"none\"");
    assert_sent(&side, "<content name=\"0\"/><content name=\"1\"/></group>");
    assert_true(strstr(side_last_sent(&side), "name=\"0\" senders") <
                strstr(side_last_sent(&side), "name=\"1\" senders"));
    assert_not_sent(&side, "transport-cc");
    assert_not_sent(&side, "abs-send-time");
    feed(&side, iqs, "session-terminate", NULL);
    assert_log(&side, "=result ended");
    assert_int_equal(side.ended, JINGLE_REASON_HANGUP);
    side_clear(&side);
    g_ptr_array_unref(iqs);
}

static void test_a_browsers_video_is_taken(void **state)
{
    GPtrArray *iqs = read_transcript("transcripts/browser-browser-video.xml");
    struct rtp_description audio, video;
    struct side side;

    (void)state;
    audio_capabilities(&audio);
    video_capabilities(&video);
    struct session_media media[] = {{.description = &audio}, {.description = &video}};
    side_init(&side);
    side.automatic = true;
    feed(&side, iqs, "session-initiate", NULL);
    session_accept(side.session, media, 2, 0);
    assert_log(&side, "=result negotiated negotiated !session-accept");
    assert_string_equal(side.content, "1");
    assert_string_equal(side.transport, "0");
    assert_int_equal(side.agreement.send.payload_type, 96);
    assert_int_equal(side.agreement.send.rtx_payload_type, 97);
    assert_int_equal(side.agreement.receive_count, 2);
    assert_true(side.agreement.send.feedback.transport_cc);
    assert_true(side.agreement.send.feedback.nack_pli);
    assert_int_equal(side.agreement.send_transport_cc, 3);
    assert_int_equal(side.agreement.send_abs_send_time, 2);
    assert_true(side.agreement.remote_ssrc == 3989188285u);
    assert_int_equal(side.agreement.remote_rtx_ssrc, 99160742);
    assert_not_sent(&side, "name=\"red\"");
    assert_not_sent(&side, "ulpfec");
    assert_not_sent(&side, "video-orientation");
    assert_not_sent(&side, "H264");
    assert_sent(&side, "semantics=\"FID\"");
    side_clear(&side);
    rtp_description_clear(&audio);
    rtp_description_clear(&video);
    g_ptr_array_unref(iqs);
}

static void test_a_browser_answers_us_with_video(void **state)
{
    GPtrArray *iqs = read_transcript("transcripts/browser-browser-video.xml");
    struct side side;

    (void)state;
    call_with_offer(&side, g_ptr_array_index(iqs, 0));
    feed(&side, iqs, "transport-info", "Jspy");
    assert_log(&side, "=result =result =result");
    feed(&side, iqs, "session-accept", NULL);
    assert_log(&side, "=result accepted negotiated negotiated");
    assert_string_equal(side.remote.pwd, "Py4yn04flt46ge8WBRaWvXPC");
    assert_true(side.agreement.bundle);
    assert_string_equal(side.agreement.send.name, "VP8");
    feed(&side, iqs, "session-terminate", NULL);
    assert_log(&side, "=result ended");
    side_clear(&side);
    g_ptr_array_unref(iqs);
}

static void test_a_file_offer_is_refused(void **state)
{
    GPtrArray *iqs = read_transcript("transcripts/dino-dino-file-s5b.xml");
    struct side side;

    (void)state;
    side_init(&side);
    feed(&side, iqs, "session-initiate", NULL);
    assert_log(&side, "=result !session-terminate");
    assert_sent(&side, "<unsupported-applications/>");
    side_clear(&side);
    g_ptr_array_unref(iqs);
}

/* Our two machines with each other: what one writes, the other reads. */
static void deliver(struct side *from, guint *next, struct side *to)
{
    while (*next < from->sent->len) {
        guint index = (*next)++;
        assert_true(side_receive(to, g_ptr_array_index(from->sent, index)));
        session_answered(from->session, g_array_index(from->tags, unsigned, index), NULL, 0);
    }
}

static void test_we_call_ourselves(void **state)
{
    struct ice_candidate late = host_candidate(7000);
    struct side caller, callee;
    guint from_caller = 0, from_callee = 0;

    (void)state;
    side_init(&caller);
    side_init(&callee);
    side_new_outgoing(&caller);
    side_set_transport(&caller, "audio", "ours", 1000);
    session_initiate(caller.session, 0);
    session_add_candidates(caller.session, "audio", &late, 1, 0);
    deliver(&caller, &from_caller, &callee);
    assert_log(&callee, "=result =result");
    side_accept(&callee);
    side_set_transport(&callee, "audio", "yours", 2000);
    assert_int_equal(callee.remote_candidates, 2);
    session_add_candidates(callee.session, "audio", &late, 1, 0);
    assert_log(&callee, "negotiated !session-accept !transport-info");
    deliver(&callee, &from_callee, &caller);
    assert_log(&caller, "!session-initiate !transport-info =result accepted negotiated =result "
                        "transport");
    assert_true(caller.agreement.bundle);
    assert_true(callee.agreement.bundle);
    assert_int_not_equal(caller.dtls_client, callee.dtls_client);
    assert_int_equal(caller.agreement.send_audio_level, callee.agreement.receive_audio_level);
    assert_int_equal(caller.agreement.send_event.payload_type,
                     callee.agreement.receive_events[0].payload_type);
    session_end(callee.session, JINGLE_REASON_HANGUP);
    deliver(&callee, &from_callee, &caller);
    assert_log(&caller, "=result ended");
    assert_int_equal(caller.ended, JINGLE_REASON_HANGUP);
    side_clear(&caller);
    side_clear(&callee);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dino_calls_us),
        cmocka_unit_test(test_dino_answers_us),
        cmocka_unit_test(test_a_browser_calls_us_with_video),
        cmocka_unit_test(test_a_browsers_video_is_taken),
        cmocka_unit_test(test_a_browser_answers_us_with_video),
        cmocka_unit_test(test_a_file_offer_is_refused),
        cmocka_unit_test(test_we_call_ourselves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
