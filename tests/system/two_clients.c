/* Two whole clients in one process: real threads, ICE, DTLS, SRTP and Opus over the loopback
 * interface; only the XMPP server is a switchboard (tests/support). */
#include "system/side.h"

#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static int set_up_impatient(void **state)
{
    *state = world_new(USEC_PER_SEC, false);
    return 0;
}

static int set_up_stranger(void **state)
{
    *state = world_new(USEC_PER_SEC, true);
    return 0;
}

/* -------------------------------------------------------------------------------- stories -- */

static void test_both_hear_each_other_and_hang_up(void **state)
{
    struct world *world = *state;
    connect_both(world, 440, 880);
    await_both_hear(world);
    hang_up(world, world->alice);
    assert_int_equal(world->alice->reason, JINGLE_REASON_HANGUP);
    assert_int_equal(world->alice->by, JINGLE_PARTY_LOCAL);
    assert_int_equal(world->bob->reason, JINGLE_REASON_HANGUP);
    assert_int_equal(world->bob->by, JINGLE_PARTY_REMOTE);
    jingle_statistics statistics = {.size = sizeof statistics};
    assert_int_equal(jingle_session_statistics(world->bob->session, &statistics), JINGLE_OK);
    assert_string_equal(statistics.codec, "opus/48000/2");
    assert_string_equal(statistics.srtp_profile, "AEAD_AES_128_GCM");
    assert_true(statistics.packets_received > 20);
    assert_int_equal(jingle_session_end(world->bob->session), JINGLE_ERROR_STATE);
}

static void test_the_called_one_can_hang_up_too(void **state)
{
    struct world *world = *state;
    connect_both(world, 440, 880);
    hang_up(world, world->bob);
    assert_int_equal(world->alice->reason, JINGLE_REASON_HANGUP);
    assert_int_equal(world->alice->by, JINGLE_PARTY_REMOTE);
}

static bool bob_has_digits(void *user)
{
    struct world *world = user;
    return strcmp(world->bob->digits, "12#") == 0;
}

static void test_digits_arrive_once_and_in_order(void **state)
{
    struct world *world = *state;
    connect_both(world, 0, 0);
    assert_int_equal(jingle_session_send_digits(world->alice->session, "12#"), JINGLE_OK);
    assert_int_equal(jingle_session_send_digits(world->alice->session, "x"), JINGLE_ERROR_INVALID);
    await_all(world, bob_has_digits, world);
    hang_up(world, world->alice);
    assert_string_equal(world->bob->digits, "12#");
}

static void test_hold_and_mute_are_told(void **state)
{
    struct world *world = *state;
    connect_both(world, 440, 440);
    assert_int_equal(jingle_session_set_hold(world->alice->session, true), JINGLE_OK);
    await(world, world->bob, JINGLE_EVENT_HOLD);
    assert_true(world->bob->flag);
    assert_int_equal(jingle_session_set_hold(world->alice->session, false), JINGLE_OK);
    await_times(world, world->bob, JINGLE_EVENT_HOLD, 2);
    assert_false(world->bob->flag);
    assert_int_equal(jingle_session_set_mute(world->bob->session, true), JINGLE_OK);
    await(world, world->alice, JINGLE_EVENT_MUTE);
    assert_true(world->alice->flag);
    hang_up(world, world->bob);
}

static void end_unanswered(struct world *world, jingle_reason alice, jingle_reason bob)
{
    await(world, world->alice, JINGLE_EVENT_ENDED);
    await(world, world->bob, JINGLE_EVENT_ENDED);
    assert_int_equal(world->alice->reason, alice);
    assert_int_equal(world->bob->reason, bob);
}

static void test_a_declined_call_says_so(void **state)
{
    struct world *world = *state;
    jingle_session_config config = sound_config(&world->alice->sound, 440);
    call_bob(world, &config);
    assert_int_equal(jingle_session_reject(world->bob->session, JINGLE_REASON_DECLINED), JINGLE_OK);
    end_unanswered(world, JINGLE_REASON_DECLINED, JINGLE_REASON_DECLINED);
}

static void test_busy_is_not_declined(void **state)
{
    struct world *world = *state;
    jingle_session_config config = sound_config(&world->alice->sound, 440);
    call_bob(world, &config);
    assert_int_equal(jingle_session_reject(world->bob->session, JINGLE_REASON_BUSY), JINGLE_OK);
    end_unanswered(world, JINGLE_REASON_BUSY, JINGLE_REASON_BUSY);
}

static void test_a_caller_who_gives_up_cancels(void **state)
{
    struct world *world = *state;
    jingle_session_config config = sound_config(&world->alice->sound, 440);
    call_bob(world, &config);
    assert_int_equal(jingle_session_end(world->alice->session), JINGLE_OK);
    end_unanswered(world, JINGLE_REASON_CANCELED, JINGLE_REASON_CANCELED);
}

static void test_nobody_answers(void **state)
{
    struct world *world = *state;
    jingle_session_config config = sound_config(&world->alice->sound, 440);
    call_bob(world, &config);
    end_unanswered(world, JINGLE_REASON_NO_ANSWER, JINGLE_REASON_NO_ANSWER);
}

static void test_a_stranger_does_not_ring(void **state)
{
    struct world *world = *state;
    jingle_session_config config = sound_config(&world->alice->sound, 440);
    assert_int_equal(jingle_session_start(world->alice->client, "bob@example.test", &config,
                                          &world->alice->session),
                     JINGLE_OK);
    await(world, world->alice, JINGLE_EVENT_ENDED);
    assert_int_equal(world->alice->reason, JINGLE_REASON_NO_ANSWER);
    assert_false(world->bob->count[JINGLE_EVENT_INCOMING]);
}

static void test_clients_can_be_freed_in_the_middle_of_a_call(void **state)
{
    struct world *world = *state;
    connect_both(world, 440, 880);
}

static void test_clients_can_be_freed_while_it_rings(void **state)
{
    struct world *world = *state;
    jingle_session_config config = sound_config(&world->alice->sound, 440);
    call_bob(world, &config);
}

static void test_a_direct_call_rings_too(void **state)
{
    struct world *world = *state;
    jingle_session_config alice = sound_config(&world->alice->sound, 440);
    jingle_session_config bob = sound_config(&world->bob->sound, 880);
    alice.direct = true;
    assert_int_equal(
        jingle_session_start(world->alice->client, BOB, &alice, &world->alice->session), JINGLE_OK);
    await(world, world->bob, JINGLE_EVENT_INCOMING);
    assert_int_equal(jingle_session_accept(world->bob->session, &bob), JINGLE_OK);
    await_both_hear(world);
    hang_up(world, world->alice);
}

static void test_a_call_survives_the_loss_of_both_streams(void **state)
{
    struct world *world = *state;
    connect_both(world, 440, 880);
    switchboard_drop(world->board, world->alice->client);
    await_both_hear(world);
    assert_int_equal(world->alice->count[JINGLE_EVENT_ENDED], 0);
}

/* ---------------------------------------------------------------------------------- sound -- */

static void test_pcmu_is_spoken_if_the_caller_likes_it_best(void **state)
{
    struct world *world = *state;
    jingle_session_config alice = sound_config(&world->alice->sound, 440);
    jingle_session_config bob = sound_config(&world->bob->sound, 880);
    jingle_statistics statistics = {.size = sizeof statistics};
    alice.codec = "PCMU";
    connect_with(world, &alice, &bob);
    await_both_hear(world);
    await(world, world->alice, JINGLE_EVENT_STATISTICS);
    assert_int_equal(jingle_session_statistics(world->alice->session, &statistics), JINGLE_OK);
    assert_string_equal(statistics.codec, "PCMU/8000");
    assert_int_equal(jingle_session_send_digits(world->alice->session, "12#"), JINGLE_OK);
    await_all(world, bob_has_digits, world);
    hang_up(world, world->alice);
}

static void test_stereo_arrives_in_the_right_channel(void **state)
{
    struct world *world = *state;
    jingle_session_config alice = sound_config(&world->alice->sound, 440);
    jingle_session_config bob = sound_config(&world->bob->sound, 880);
    world->alice->sound.source_channels = 2;
    alice.channels = 2;
    bob.channels = 2;
    connect_with(world, &alice, &bob);
    await_hears(world, world->bob);
    assert_int_equal(world->bob->sound.sink_channels, 2);
    assert_true(world->bob->sound.loud_right * 20 < world->bob->sound.loud);
    hang_up(world, world->alice);
}

static void test_stereo_is_mixed_for_one_who_has_mono(void **state)
{
    struct world *world = *state;
    jingle_session_config alice = sound_config(&world->alice->sound, 440);
    jingle_session_config bob = sound_config(&world->bob->sound, 880);
    world->alice->sound.source_channels = 2;
    alice.channels = 2;
    connect_with(world, &alice, &bob);
    await_both_hear(world);
    assert_int_equal(world->bob->sound.sink_channels, 1);
    hang_up(world, world->alice);
}

struct duration {
    struct side *side;
    int64_t wanted;
};

static bool has_lasted(void *user)
{
    const struct duration *duration = user;
    return duration->side->statistics.duration >= duration->wanted;
}

static void test_packets_of_60_ms_are_fewer(void **state)
{
    struct world *world = *state;
    jingle_session_config alice = sound_config(&world->alice->sound, 440);
    jingle_session_config bob = sound_config(&world->bob->sound, 880);
    struct duration duration = {world->alice, USEC_PER_SEC};
    alice.ptime = 60;
    connect_with(world, &alice, &bob);
    await_both_hear(world);
    await_all(world, has_lasted, &duration);
    jingle_statistics *statistics = &world->alice->statistics;
    assert_true(statistics->packets_sent > 0);
    assert_true((int64_t)statistics->packets_sent * 50 * USEC_PER_MS < statistics->duration);
    hang_up(world, world->alice);
}

static void test_silence_is_not_sent_with_dtx(void **state)
{
    struct world *world = *state;
    jingle_session_config alice = sound_config(&world->alice->sound, 0);
    jingle_session_config bob = sound_config(&world->bob->sound, 0);
    struct duration duration = {world->alice, 3 * USEC_PER_SEC};
    alice.dtx = JINGLE_ON;
    bob.dtx = JINGLE_OFF;
    connect_with(world, &alice, &bob);
    await_all(world, has_lasted, &duration);
    jingle_statistics *statistics = &world->alice->statistics;
    assert_true((int64_t)statistics->packets_sent * 60 * USEC_PER_MS < statistics->duration);
    assert_int_equal(world->alice->count[JINGLE_EVENT_INTERRUPTED], 0);
    assert_int_equal(world->bob->count[JINGLE_EVENT_INTERRUPTED], 0);
    hang_up(world, world->alice);
}

static void test_hold_stops_the_sound_and_resuming_brings_it_back(void **state)
{
    struct world *world = *state;
    connect_both(world, 440, 880);
    await_both_hear(world);
    assert_int_equal(jingle_session_set_hold(world->alice->session, true), JINGLE_OK);
    await(world, world->bob, JINGLE_EVENT_HOLD);
    await_frames(world, world->bob, 24000); /* what was on its way */
    sound_listen_anew(&world->alice->sound);
    sound_listen_anew(&world->bob->sound);
    await_frames(world, world->bob, 3 * 48000); /* longer than a path may be silent */
    assert_int_equal(world->bob->sound.loud, 0);
    assert_int_equal(world->alice->sound.heard, 0);
    assert_int_equal(world->bob->count[JINGLE_EVENT_INTERRUPTED], 0);
    assert_int_equal(jingle_session_set_hold(world->alice->session, false), JINGLE_OK);
    await_both_hear(world);
    assert_int_equal(world->alice->count[JINGLE_EVENT_INTERRUPTED], 0);
    hang_up(world, world->alice);
}

static void test_mute_is_silence(void **state)
{
    struct world *world = *state;
    connect_both(world, 440, 880);
    await_both_hear(world);
    assert_int_equal(jingle_session_set_mute(world->alice->session, true), JINGLE_OK);
    await(world, world->bob, JINGLE_EVENT_MUTE);
    await_frames(world, world->bob, 24000);
    sound_listen_anew(&world->bob->sound);
    await_frames(world, world->bob, 48000);
    assert_int_equal(world->bob->sound.loud, 0);
    assert_int_equal(jingle_session_set_mute(world->alice->session, false), JINGLE_OK);
    await_both_hear(world);
    hang_up(world, world->alice);
}

/* What Dino does. */
static char *call_it_mute(struct world *world, struct side *from, const char *xml)
{
    GString *text = g_string_new(xml);
    (void)world;
    (void)from;
    g_string_replace(text, "<hold ", "<mute ", 0);
    g_string_replace(text, "<active ", "<unmute ", 0);
    g_string_replace(text, "<unhold ", "<unmute ", 0);
    return g_string_free(text, FALSE);
}

static void test_a_muted_peer_that_sends_nothing_is_no_interruption(void **state)
{
    struct world *world = *state;
    connect_both(world, 440, 880);
    await_both_hear(world);
    world->rewrite = call_it_mute;
    assert_int_equal(jingle_session_set_hold(world->alice->session, true), JINGLE_OK);
    await(world, world->bob, JINGLE_EVENT_MUTE);
    await_frames(world, world->bob, 8 * 48000); /* some reports come more than 1.8 s apart */
    assert_int_equal(world->bob->count[JINGLE_EVENT_INTERRUPTED], 0);
    assert_int_equal(jingle_session_set_hold(world->alice->session, false), JINGLE_OK);
    await_both_hear(world);
    hang_up(world, world->alice);
}

static void test_a_call_can_begin_muted(void **state)
{
    struct world *world = *state;
    jingle_session_config alice = sound_config(&world->alice->sound, 440);
    jingle_session_config bob = sound_config(&world->bob->sound, 880);
    call_bob(world, &alice);
    assert_int_equal(jingle_session_set_mute(world->alice->session, true), JINGLE_OK);
    assert_int_equal(jingle_session_accept(world->bob->session, &bob), JINGLE_OK);
    await_hears(world, world->alice);
    await(world, world->bob, JINGLE_EVENT_MUTE);
    assert_true(world->bob->flag);
    await_frames(world, world->bob, 24000);
    assert_int_equal(world->bob->sound.loud, 0);
    hang_up(world, world->alice);
}

static void test_a_source_may_end_and_the_call_goes_on(void **state)
{
    struct world *world = *state;
    jingle_session_config alice = sound_config(&world->alice->sound, 440);
    jingle_session_config bob = sound_config(&world->bob->sound, 880);
    atomic_store(&world->alice->sound.frames_left, 24000);
    connect_with(world, &alice, &bob);
    await(world, world->alice, JINGLE_EVENT_SOURCE_ENDED);
    await_frames(world, world->bob, 24000);
    assert_true(world->bob->sound.loud > 12000);
    sound_listen_anew(&world->bob->sound);
    await_frames(world, world->bob, 24000);
    assert_int_equal(world->bob->sound.loud, 0);
    await_hears(world, world->alice);
    hang_up(world, world->alice);
    assert_int_equal(world->alice->count[JINGLE_EVENT_SOURCE_ENDED], 1);
    assert_int_equal(world->alice->reason, JINGLE_REASON_HANGUP);
}

static void test_a_microphone_may_go_and_come_back(void **state)
{
    struct world *world = *state;
    connect_both(world, 440, 880);
    await_both_hear(world);
    atomic_store(&world->alice->sound.source_lost, true);
    await(world, world->alice, JINGLE_EVENT_DEVICE);
    assert_true(world->alice->device_lost);
    await_frames(world, world->bob, 24000);
    sound_listen_anew(&world->bob->sound);
    await_frames(world, world->bob, 24000);
    assert_int_equal(world->bob->sound.loud, 0);
    atomic_store(&world->alice->sound.source_lost, false);
    await_times(world, world->alice, JINGLE_EVENT_DEVICE, 2);
    assert_false(world->alice->device_lost);
    await_both_hear(world);
    hang_up(world, world->alice);
}

static void test_devices_that_are_missing_at_first_are_tried_again(void **state)
{
    struct world *world = *state;
    atomic_store(&world->alice->sound.source_lost, true);
    atomic_store(&world->bob->sound.sink_lost, true);
    connect_both(world, 440, 880);
    await(world, world->alice, JINGLE_EVENT_DEVICE);
    await(world, world->bob, JINGLE_EVENT_DEVICE);
    assert_true(world->alice->device_lost);
    assert_true(world->bob->device_lost);
    await_hears(world, world->alice);
    atomic_store(&world->alice->sound.source_lost, false);
    atomic_store(&world->bob->sound.sink_lost, false);
    await_both_hear(world);
    assert_false(world->alice->device_lost);
    assert_false(world->bob->device_lost);
    hang_up(world, world->alice);
}

/* ------------------------------------------------------------------------------- security -- */

/* What is to be changed in the stanzas of one side; `user` of the world. */
struct change {
    const struct side *of;
    const char *element;
    bool other_fingerprint;
    const char *from, *to; /* text */
    unsigned times;
};

/* One digit of the fingerprint becomes another one. */
static void change_fingerprint(GString *text)
{
    char *fingerprint = strstr(text->str, "<fingerprint");
    char *digit = fingerprint ? strchr(fingerprint, '>') : NULL;
    if (digit) {
        digit[1] = digit[1] == '0' ? '1' : '0';
    }
}

static char *make_change(struct world *world, struct side *from, const char *xml)
{
    struct change *change = world->user;
    if (from != change->of || !strstr(xml, change->element)) {
        return NULL;
    }
    GString *text = g_string_new(xml);
    change->times++;
    if (change->from) {
        g_string_replace(text, change->from, change->to, 0);
    }
    if (change->other_fingerprint) {
        change_fingerprint(text);
    }
    return g_string_free(text, FALSE);
}

static void use_change(struct world *world, struct change *change)
{
    world->rewrite = make_change;
    world->user = change;
}

static void call_in_vain(struct world *world)
{
    jingle_session_config alice = sound_config(&world->alice->sound, 440);
    jingle_session_config bob = sound_config(&world->bob->sound, 880);
    call_bob(world, &alice);
    assert_int_equal(jingle_session_accept(world->bob->session, &bob), JINGLE_OK);
    await(world, world->alice, JINGLE_EVENT_ENDED);
    await(world, world->bob, JINGLE_EVENT_ENDED);
    assert_int_equal(world->alice->reason, JINGLE_REASON_SECURITY);
    assert_int_equal(world->bob->reason, JINGLE_REASON_SECURITY);
    assert_int_equal(world->alice->sound.loud, 0);
    assert_int_equal(world->bob->sound.loud, 0);
}

static void test_a_caller_with_another_certificate_is_not_heard(void **state)
{
    struct world *world = *state;
    struct change change = {world->alice, "session-initiate", .other_fingerprint = true};
    use_change(world, &change);
    call_in_vain(world);
    assert_int_equal(change.times, 1);
    assert_int_equal(world->bob->sound.heard, 0);
}

static void test_an_answer_with_another_certificate_is_not_heard(void **state)
{
    struct world *world = *state;
    struct change change = {world->bob, "session-accept", .other_fingerprint = true};
    use_change(world, &change);
    call_in_vain(world);
    assert_int_equal(change.times, 1);
    assert_int_equal(world->alice->sound.heard, 0);
}

static void test_certificates_are_checked_in_the_other_dtls_roles_too(void **state)
{
    struct world *world = *state;
    struct change change = {.of = world->alice,
                            .element = "session-initiate",
                            .other_fingerprint = true,
                            .from = "\"actpass\"",
                            .to = "\"active\""};
    use_change(world, &change);
    call_in_vain(world);
    assert_int_equal(change.times, 1);
    assert_int_equal(world->bob->sound.heard, 0);
}

static void test_the_caller_can_be_the_dtls_client(void **state)
{
    struct world *world = *state;
    struct change change = {world->alice,  "session-initiate", false,
                            "\"actpass\"", "\"active\"",       0};
    use_change(world, &change);
    connect_both(world, 440, 880);
    await_both_hear(world);
    assert_int_equal(change.times, 1);
    hang_up(world, world->alice);
}

static void test_the_other_one_calls_with_the_other_ice_role(void **state)
{
    struct world *world = *state;
    jingle_session_config alice = sound_config(&world->alice->sound, 440);
    jingle_session_config bob = sound_config(&world->bob->sound, 880);
    assert_int_equal(jingle_session_start(world->bob->client, ALICE, &bob, &world->bob->session),
                     JINGLE_OK);
    await(world, world->alice, JINGLE_EVENT_INCOMING);
    assert_int_equal(jingle_session_accept(world->alice->session, &alice), JINGLE_OK);
    await_both_hear(world);
    hang_up(world, world->alice);
}

/* -------------------------------------------------------------------------------- endings -- */

static void hang_up_without_a_server(struct world *world, struct side *who, struct side *other)
{
    connect_both(world, 440, 880);
    await_both_hear(world);
    switchboard_drop(world->board, who->client);
    assert_int_equal(jingle_session_end(who->session), JINGLE_OK);
    await(world, other, JINGLE_EVENT_ENDED);
    assert_int_equal(other->reason, JINGLE_REASON_HANGUP);
    assert_int_equal(other->by, JINGLE_PARTY_REMOTE);
    await(world, who, JINGLE_EVENT_ENDED);
    assert_int_equal(who->reason, JINGLE_REASON_HANGUP);
    assert_int_equal(who->by, JINGLE_PARTY_LOCAL);
}

static void test_the_caller_hangs_up_while_its_server_is_away(void **state)
{
    struct world *world = *state;
    hang_up_without_a_server(world, world->alice, world->bob);
}

static void test_the_called_one_hangs_up_while_its_server_is_away(void **state)
{
    struct world *world = *state;
    hang_up_without_a_server(world, world->bob, world->alice);
}

static void test_a_host_that_leaves_ends_its_calls_in_time(void **state)
{
    struct world *world = *state;
    connect_both(world, 440, 880);
    assert_int_equal(jingle_client_disconnect(world->alice->client), JINGLE_OK);
    await(world, world->bob, JINGLE_EVENT_ENDED);
    assert_int_equal(world->bob->by, JINGLE_PARTY_REMOTE);
    await(world, world->alice, JINGLE_EVENT_ENDED);
    assert_int_equal(world->alice->reason, JINGLE_REASON_SHUTDOWN);
}

static void test_a_second_answer_comes_too_late(void **state)
{
    struct world *world = *state;
    struct sound second = {0};
    jingle_session_config alice = sound_config(&world->alice->sound, 440);
    jingle_session_config bob = sound_config(&world->bob->sound, 880);
    jingle_session_config again = sound_config(&second, 880);
    call_bob(world, &alice);
    assert_int_equal(jingle_session_accept(world->bob->session, &bob), JINGLE_OK);
    assert_int_equal(jingle_session_accept(world->bob->session, &again), JINGLE_ERROR_STATE);
    assert_int_equal(second.sources_freed, 1);
    assert_int_equal(second.sinks_freed, 1);
    assert_int_equal(jingle_session_reject(world->bob->session, JINGLE_REASON_BUSY),
                     JINGLE_ERROR_STATE);
    await_both_hear(world);
    hang_up(world, world->bob);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_both_hear_each_other_and_hang_up, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(test_the_called_one_can_hang_up_too, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(test_digits_arrive_once_and_in_order, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(test_hold_and_mute_are_told, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(test_a_declined_call_says_so, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(test_busy_is_not_declined, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(test_a_caller_who_gives_up_cancels, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(test_nobody_answers, set_up_impatient, world_tear_down),
        cmocka_unit_test_setup_teardown(test_a_stranger_does_not_ring, set_up_stranger,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(test_clients_can_be_freed_in_the_middle_of_a_call,
                                        world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(test_clients_can_be_freed_while_it_rings, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(test_a_direct_call_rings_too, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(test_a_call_survives_the_loss_of_both_streams, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(test_pcmu_is_spoken_if_the_caller_likes_it_best,
                                        world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(test_stereo_arrives_in_the_right_channel, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(test_stereo_is_mixed_for_one_who_has_mono, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(test_packets_of_60_ms_are_fewer, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(test_silence_is_not_sent_with_dtx, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(test_hold_stops_the_sound_and_resuming_brings_it_back,
                                        world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(test_mute_is_silence, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(test_a_muted_peer_that_sends_nothing_is_no_interruption,
                                        world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(test_a_call_can_begin_muted, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(test_a_source_may_end_and_the_call_goes_on, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(test_a_microphone_may_go_and_come_back, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(test_devices_that_are_missing_at_first_are_tried_again,
                                        world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(test_a_caller_with_another_certificate_is_not_heard,
                                        world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(test_an_answer_with_another_certificate_is_not_heard,
                                        world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(test_certificates_are_checked_in_the_other_dtls_roles_too,
                                        world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(test_the_caller_can_be_the_dtls_client, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(test_the_other_one_calls_with_the_other_ice_role,
                                        world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(test_the_caller_hangs_up_while_its_server_is_away,
                                        world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(test_the_called_one_hangs_up_while_its_server_is_away,
                                        world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(test_a_host_that_leaves_ends_its_calls_in_time,
                                        world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(test_a_second_answer_comes_too_late, world_set_up,
                                        world_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
