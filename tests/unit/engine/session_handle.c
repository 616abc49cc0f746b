/* engine/session.h: what an application may do with its handle of a call, above all when the call
 * or the whole client is gone. */
#include "session.h"

#include <glib.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static jingle_session *ended_session(void)
{
    return jingle_session_new(NULL, "juliet@example.test", "sid", STAGE_ENDED);
}

static void test_a_new_session_tells_what_is_known(void **state)
{
    (void)state;
    jingle_session *session = jingle_session_new(NULL, "juliet@example.test", "", STAGE_CALLING);
    jingle_statistics statistics = {.size = sizeof statistics};
    assert_string_equal(jingle_session_peer(session), "juliet@example.test");
    assert_string_equal(jingle_session_id(session), "");
    assert_null(jingle_session_user(session));
    assert_int_equal(jingle_session_statistics(session, &statistics), JINGLE_OK);
    assert_int_equal(statistics.round_trip, -1);
    assert_string_equal(statistics.codec, "");
    assert_string_equal(statistics.candidate_local, "");
    jingle_session_set_user(session, &statistics);
    assert_ptr_equal(jingle_session_user(session), &statistics);
    jingle_session_unref(session);
}

static void test_what_was_given_out_stays(void **state)
{
    (void)state;
    jingle_session *session = jingle_session_new(NULL, "juliet@example.test", "", STAGE_CALLING);
    const char *bare = jingle_session_peer(session);
    const char *none = jingle_session_id(session);
    jingle_session_set_peer(session, "juliet@example.test/balcony");
    jingle_session_set_peer(session, "juliet@example.test/chamber");
    jingle_session_set_id(session, "one");
    const char *one = jingle_session_id(session);
    jingle_session_set_id(session, "two");
    assert_string_equal(bare, "juliet@example.test");
    assert_string_equal(jingle_session_peer(session), "juliet@example.test/balcony");
    assert_string_equal(none, "");
    assert_ptr_equal(jingle_session_id(session), one);
    assert_string_equal(one, "one");
    jingle_session_unref(session);
}

static void publish_candidate(jingle_session *session, const char *remote)
{
    jingle_statistics statistics = {
        .size = sizeof statistics,
        .duration = 7,
        .codec = "opus/48000/2",
        .candidate_remote = remote,
    };
    jingle_session_publish(session, &statistics);
}

static void test_text_of_statistics_stays_valid(void **state)
{
    (void)state;
    jingle_session *session = ended_session();
    jingle_statistics first = {.size = sizeof first};
    jingle_statistics second = {.size = sizeof second};
    publish_candidate(session, "host udp 192.0.2.1:1");
    assert_int_equal(jingle_session_statistics(session, &first), JINGLE_OK);
    publish_candidate(session, "host udp 192.0.2.1:2");
    assert_int_equal(jingle_session_statistics(session, &second), JINGLE_OK);
    assert_string_equal(first.candidate_remote, "host udp 192.0.2.1:1");
    assert_string_equal(second.candidate_remote, "host udp 192.0.2.1:2");
    assert_ptr_equal(first.codec, second.codec);
    assert_string_equal(second.srtp_profile, "");
    jingle_session_unref(session);
}

static void test_a_peer_that_changes_for_ever_is_not_followed_for_ever(void **state)
{
    (void)state;
    jingle_session *session = ended_session();
    jingle_statistics statistics = {.size = sizeof statistics};
    char text[64];
    for (unsigned i = 0; i < 100000; i++) {
        snprintf(text, sizeof text, "host udp 192.0.2.1:%u", i);
        publish_candidate(session, text);
    }
    assert_true(session->statistics_text_bytes <= 16384);
    assert_int_equal(jingle_session_statistics(session, &statistics), JINGLE_OK);
    assert_string_equal(statistics.candidate_remote, "");
    assert_string_equal(statistics.codec, "opus/48000/2");
    publish_candidate(session, "host udp 192.0.2.1:0");
    assert_int_equal(jingle_session_statistics(session, &statistics), JINGLE_OK);
    assert_string_equal(statistics.candidate_remote, "host udp 192.0.2.1:0");
    jingle_session_unref(session);
}

static void test_programs_of_other_ages_get_what_they_know(void **state)
{
    (void)state;
    jingle_session *session = ended_session();
    struct {
        jingle_statistics statistics;
        char guard[64];
    } newer;
    jingle_statistics older;
    memset(&newer, 0x55, sizeof newer);
    memset(&older, 0x55, sizeof older);
    publish_candidate(session, "x");
    newer.statistics.size = sizeof newer;
    older.size = offsetof(jingle_statistics, packets_sent);
    assert_int_equal(jingle_session_statistics(session, &newer.statistics), JINGLE_OK);
    assert_int_equal(newer.statistics.size, sizeof newer);
    assert_string_equal(newer.statistics.candidate_remote, "x");
    assert_int_equal(newer.guard[0], 0x55);
    assert_int_equal(jingle_session_statistics(session, &older), JINGLE_OK);
    assert_int_equal(older.duration, 7);
    assert_int_equal(older.packets_sent, 0x5555555555555555);
    older.size = 0;
    assert_int_equal(jingle_session_statistics(session, &older), JINGLE_ERROR_INVALID);
    jingle_session_unref(session);
}

/* ----------------------------------------------------------------------- without a client -- */

static void count_free(void *user)
{
    ++*(unsigned *)user;
}

static long read_nothing(void *user, int16_t *samples, size_t frames)
{
    (void)user;
    (void)samples;
    (void)frames;
    return 0;
}

static void write_nothing(void *user, const int16_t *samples, size_t frames)
{
    (void)user;
    (void)samples;
    (void)frames;
}

/* The client pointer is NULL here: whatever used it would crash. */
static void test_an_ended_session_does_not_touch_its_client(void **state)
{
    (void)state;
    jingle_session *session = ended_session();
    unsigned freed = 0;
    jingle_audio_source source = {
        .size = sizeof source, .user = &freed, .read = read_nothing, .free = count_free};
    jingle_audio_sink sink = {
        .size = sizeof sink, .user = &freed, .write = write_nothing, .free = count_free};
    jingle_session_config config;
    jingle_session_config_init(&config);
    config.source = &source;
    config.sink = &sink;
    assert_int_equal(jingle_session_accept(session, &config), JINGLE_ERROR_STATE);
    assert_int_equal(freed, 2);
    assert_int_equal(jingle_session_accept(session, NULL), JINGLE_ERROR_STATE);
    assert_int_equal(jingle_session_reject(session, JINGLE_REASON_BUSY), JINGLE_ERROR_STATE);
    assert_int_equal(jingle_session_end(session), JINGLE_ERROR_STATE);
    assert_int_equal(jingle_session_set_mute(session, true), JINGLE_ERROR_STATE);
    assert_int_equal(jingle_session_set_hold(session, true), JINGLE_ERROR_STATE);
    assert_int_equal(jingle_session_send_digits(session, "1"), JINGLE_ERROR_STATE);
    assert_string_equal(jingle_session_peer(session), "juliet@example.test");
    jingle_session_unref(session);
}

static void test_orders_that_make_no_sense_now_are_refused(void **state)
{
    (void)state;
    jingle_session *calling = jingle_session_new(NULL, "a@x", "", STAGE_CALLING);
    jingle_session *incoming = jingle_session_new(NULL, "a@x", "", STAGE_INCOMING);
    assert_int_equal(jingle_session_accept(calling, NULL), JINGLE_ERROR_STATE);
    assert_int_equal(jingle_session_reject(calling, JINGLE_REASON_BUSY), JINGLE_ERROR_STATE);
    assert_int_equal(jingle_session_set_hold(calling, true), JINGLE_ERROR_STATE);
    assert_int_equal(jingle_session_send_digits(calling, "1"), JINGLE_ERROR_STATE);
    assert_int_equal(jingle_session_set_mute(incoming, true), JINGLE_ERROR_STATE);
    assert_int_equal(jingle_session_set_hold(incoming, true), JINGLE_ERROR_STATE);
    assert_int_equal(jingle_session_reject(incoming, JINGLE_REASON_SECURITY), JINGLE_ERROR_INVALID);
    jingle_session_unref(calling);
    jingle_session_unref(incoming);
}

static void test_digits_are_looked_at_before_they_are_sent(void **state)
{
    (void)state;
    jingle_session *session = jingle_session_new(NULL, "a@x", "", STAGE_ANSWERED);
    char many[66];
    memset(many, '5', sizeof many - 1);
    many[sizeof many - 1] = '\0';
    assert_int_equal(jingle_session_send_digits(session, "12a"), JINGLE_ERROR_INVALID);
    assert_int_equal(jingle_session_send_digits(session, NULL), JINGLE_ERROR_INVALID);
    assert_int_equal(jingle_session_send_digits(session, many), JINGLE_ERROR_LIMIT);
    assert_int_equal(jingle_session_send_digits(session, "1"), JINGLE_ERROR_UNSUPPORTED);
    jingle_session_unref(session);
}

static void *ref_and_unref(void *user)
{
    for (unsigned i = 0; i < 1000; i++) {
        jingle_session *session = jingle_session_ref(user);
        publish_candidate(session, "x");
        jingle_session_set_peer(session, "juliet@example.test/balcony");
        assert_non_null(jingle_session_peer(session));
        jingle_session_unref(session);
    }
    jingle_session_unref(user);
    return NULL;
}

static void test_references_are_counted_across_threads(void **state)
{
    (void)state;
    pthread_t threads[4];
    jingle_session *session = ended_session();
    for (unsigned i = 0; i < G_N_ELEMENTS(threads); i++) {
        pthread_create(&threads[i], NULL, ref_and_unref, jingle_session_ref(session));
    }
    jingle_session_unref(session);
    for (unsigned i = 0; i < G_N_ELEMENTS(threads); i++) {
        pthread_join(threads[i], NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_new_session_tells_what_is_known),
        cmocka_unit_test(test_what_was_given_out_stays),
        cmocka_unit_test(test_text_of_statistics_stays_valid),
        cmocka_unit_test(test_a_peer_that_changes_for_ever_is_not_followed_for_ever),
        cmocka_unit_test(test_programs_of_other_ages_get_what_they_know),
        cmocka_unit_test(test_an_ended_session_does_not_touch_its_client),
        cmocka_unit_test(test_orders_that_make_no_sense_now_are_refused),
        cmocka_unit_test(test_digits_are_looked_at_before_they_are_sent),
        cmocka_unit_test(test_references_are_counted_across_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
