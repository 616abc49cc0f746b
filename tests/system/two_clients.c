/* Two whole clients in one process: real threads, ICE, DTLS, SRTP and Opus over the loopback
 * interface; only the XMPP server is a switchboard (tests/support). */
#include "base/clock.h"
#include "support/switchboard.h"

#include <jingle/jingle.h>

#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define PATIENCE (30 * USEC_PER_SEC) /* only ever reached by a failing test */

#define ALICE "alice@example.test/desk"
#define BOB   "bob@example.test/phone"

/* What one side heard and was told. */
struct side {
    jingle_client *client;
    jingle_session *session;
    unsigned seen; /* a bit an event type */
    jingle_reason reason;
    jingle_party by;
    char digits[16];
    bool flag;
    jingle_statistics statistics;
    jingle_audio_sink sink;
    _Atomic long loud;  /* samples above the noise */
    _Atomic long heard; /* samples in all */
};

struct fixture {
    struct switchboard *board;
    struct side alice;
    struct side bob;
    const struct side *awaited;
    jingle_event_type awaited_type;
};

/* ------------------------------------------------------------------------------ the sound -- */

static void measure(void *user, const int16_t *samples, size_t frames)
{
    struct side *side = user;
    long loud = 0;
    for (size_t i = 0; i < frames; i++) {
        loud += samples[i] > 500 || samples[i] < -500;
    }
    atomic_fetch_add(&side->loud, loud);
    atomic_fetch_add(&side->heard, (long)frames);
}

static jingle_audio_sink *measuring_sink(struct side *side)
{
    side->sink = (jingle_audio_sink){.size = sizeof side->sink, .user = side, .write = measure};
    return &side->sink;
}

static void take_event(void *user, jingle_client *client, const jingle_event *event)
{
    struct fixture *f = user;
    struct side *side = client == f->alice.client ? &f->alice : &f->bob;
    side->seen |= 1u << event->type;
    switch (event->type) {
    case JINGLE_EVENT_INCOMING:
        side->session = jingle_session_ref(event->session);
        break;
    case JINGLE_EVENT_ENDED:
        side->reason = event->u.ended.reason;
        side->by = event->u.ended.by;
        break;
    case JINGLE_EVENT_DIGIT: {
        size_t length = strlen(side->digits);
        side->digits[length] = event->u.digit.digit;
        break;
    }
    case JINGLE_EVENT_HOLD:
    case JINGLE_EVENT_MUTE:
        side->flag = event->u.flag.on;
        break;
    case JINGLE_EVENT_STATISTICS:
        side->statistics = event->u.statistics;
        break;
    default:
        break;
    }
}

/* ---------------------------------------------------------------------------- the fixture -- */

static void print_log(void *user, jingle_log_level level, const char *line)
{
    static const char *const names[] = {"", "error", "warning", "info", "debug"};
    g_printerr("%s %s: %s\n", (const char *)user, names[level], line);
}

static jingle_client *make_client(const char *jid, int64_t ring_timeout)
{
    jingle_client_config config;
    jingle_client_config_init(&config);
    config.jid = jid;
    config.lab_loopback = true;
    config.ring_timeout = ring_timeout;
    config.media_threads = 2;
    config.log = print_log;
    config.log_user = (void *)jid;
    config.log_level = g_getenv("JINGLE_TEST_LOG") ? JINGLE_LOG_DEBUG : JINGLE_LOG_WARNING;
    jingle_client *client;
    assert_int_equal(jingle_client_new_external(&config, &client), JINGLE_OK);
    return client;
}

static int set_up_with(void **state, int64_t ring_timeout, bool stranger)
{
    struct fixture *f = g_new0(struct fixture, 1);
    struct switchboard_hooks hooks = {.user = f, .event = take_event};
    f->board = switchboard_new(&hooks);
    f->alice.client = make_client(ALICE, ring_timeout);
    f->bob.client = make_client(BOB, ring_timeout);
    switchboard_add(f->board, f->alice.client, ALICE, stranger);
    switchboard_add(f->board, f->bob.client, BOB, false);
    *state = f;
    return 0;
}

static int set_up(void **state)
{
    return set_up_with(state, PATIENCE, false);
}

static int set_up_impatient(void **state)
{
    return set_up_with(state, USEC_PER_SEC, false);
}

static int set_up_stranger(void **state)
{
    return set_up_with(state, USEC_PER_SEC, true);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    jingle_session_unref(f->alice.session);
    jingle_session_unref(f->bob.session);
    jingle_client_free(f->alice.client);
    jingle_client_free(f->bob.client);
    switchboard_free(f->board);
    g_free(f);
    return 0;
}

static bool awaited_came(void *user)
{
    struct fixture *f = user;
    return f->awaited->seen & (1u << f->awaited_type);
}

static void await(struct fixture *f, struct side *side, jingle_event_type type)
{
    f->awaited = side;
    f->awaited_type = type;
    assert_true(switchboard_run(f->board, awaited_came, f, PATIENCE));
}

static jingle_session_config sound_of(struct side *side, double hz)
{
    jingle_session_config config;
    jingle_session_config_init(&config);
    config.source = hz > 0 ? jingle_audio_source_tone(hz, NULL) : jingle_audio_source_silence(NULL);
    config.sink = measuring_sink(side);
    return config;
}

static void call_bob(struct fixture *f, jingle_session_config *config)
{
    assert_int_equal(
        jingle_session_start(f->alice.client, "bob@example.test", config, &f->alice.session),
        JINGLE_OK);
    await(f, &f->bob, JINGLE_EVENT_INCOMING);
    await(f, &f->alice, JINGLE_EVENT_RINGING);
}

static void connect_both(struct fixture *f, double alice_hz, double bob_hz)
{
    jingle_session_config alice = sound_of(&f->alice, alice_hz);
    jingle_session_config bob = sound_of(&f->bob, bob_hz);
    call_bob(f, &alice);
    assert_int_equal(jingle_session_accept(f->bob.session, &bob), JINGLE_OK);
    await(f, &f->alice, JINGLE_EVENT_CONNECTED);
    await(f, &f->bob, JINGLE_EVENT_CONNECTED);
}

static bool both_hear(void *user)
{
    struct fixture *f = user;
    return atomic_load(&f->alice.loud) > 24000 && atomic_load(&f->bob.loud) > 24000;
}

static void hang_up(struct fixture *f, struct side *who)
{
    assert_int_equal(jingle_session_end(who->session), JINGLE_OK);
    await(f, &f->alice, JINGLE_EVENT_ENDED);
    await(f, &f->bob, JINGLE_EVENT_ENDED);
}

/* -------------------------------------------------------------------------------- stories -- */

static void test_both_hear_each_other_and_hang_up(void **state)
{
    struct fixture *f = *state;
    connect_both(f, 440, 880);
    assert_true(switchboard_run(f->board, both_hear, f, PATIENCE));
    hang_up(f, &f->alice);
    assert_int_equal(f->alice.reason, JINGLE_REASON_HANGUP);
    assert_int_equal(f->alice.by, JINGLE_PARTY_LOCAL);
    assert_int_equal(f->bob.reason, JINGLE_REASON_HANGUP);
    assert_int_equal(f->bob.by, JINGLE_PARTY_REMOTE);
    jingle_statistics statistics = {.size = sizeof statistics};
    assert_int_equal(jingle_session_statistics(f->bob.session, &statistics), JINGLE_OK);
    assert_string_equal(statistics.codec, "opus/48000/2");
    assert_string_equal(statistics.srtp_profile, "AEAD_AES_128_GCM");
    assert_true(statistics.packets_received > 20);
    assert_int_equal(jingle_session_end(f->bob.session), JINGLE_ERROR_STATE);
}

static void test_the_called_one_can_hang_up_too(void **state)
{
    struct fixture *f = *state;
    connect_both(f, 440, 880);
    hang_up(f, &f->bob);
    assert_int_equal(f->alice.reason, JINGLE_REASON_HANGUP);
    assert_int_equal(f->alice.by, JINGLE_PARTY_REMOTE);
}

static bool bob_has_digits(void *user)
{
    struct fixture *f = user;
    return strcmp(f->bob.digits, "12#") == 0;
}

static void test_digits_arrive_once_and_in_order(void **state)
{
    struct fixture *f = *state;
    connect_both(f, 0, 0);
    assert_int_equal(jingle_session_send_digits(f->alice.session, "12#"), JINGLE_OK);
    assert_int_equal(jingle_session_send_digits(f->alice.session, "x"), JINGLE_ERROR_INVALID);
    assert_true(switchboard_run(f->board, bob_has_digits, f, PATIENCE));
    hang_up(f, &f->alice);
    assert_string_equal(f->bob.digits, "12#");
}

static void test_hold_and_mute_are_told(void **state)
{
    struct fixture *f = *state;
    connect_both(f, 440, 440);
    assert_int_equal(jingle_session_set_hold(f->alice.session, true), JINGLE_OK);
    await(f, &f->bob, JINGLE_EVENT_HOLD);
    assert_true(f->bob.flag);
    f->bob.seen = 0;
    assert_int_equal(jingle_session_set_hold(f->alice.session, false), JINGLE_OK);
    await(f, &f->bob, JINGLE_EVENT_HOLD);
    assert_false(f->bob.flag);
    assert_int_equal(jingle_session_set_mute(f->bob.session, true), JINGLE_OK);
    await(f, &f->alice, JINGLE_EVENT_MUTE);
    assert_true(f->alice.flag);
    hang_up(f, &f->bob);
}

static void end_unanswered(struct fixture *f, jingle_reason alice, jingle_reason bob)
{
    await(f, &f->alice, JINGLE_EVENT_ENDED);
    await(f, &f->bob, JINGLE_EVENT_ENDED);
    assert_int_equal(f->alice.reason, alice);
    assert_int_equal(f->bob.reason, bob);
}

static void test_a_declined_call_says_so(void **state)
{
    struct fixture *f = *state;
    jingle_session_config config = sound_of(&f->alice, 440);
    call_bob(f, &config);
    assert_int_equal(jingle_session_reject(f->bob.session, JINGLE_REASON_DECLINED), JINGLE_OK);
    end_unanswered(f, JINGLE_REASON_DECLINED, JINGLE_REASON_DECLINED);
}

static void test_busy_is_not_declined(void **state)
{
    struct fixture *f = *state;
    jingle_session_config config = sound_of(&f->alice, 440);
    call_bob(f, &config);
    assert_int_equal(jingle_session_reject(f->bob.session, JINGLE_REASON_BUSY), JINGLE_OK);
    end_unanswered(f, JINGLE_REASON_BUSY, JINGLE_REASON_BUSY);
}

static void test_a_caller_who_gives_up_cancels(void **state)
{
    struct fixture *f = *state;
    jingle_session_config config = sound_of(&f->alice, 440);
    call_bob(f, &config);
    assert_int_equal(jingle_session_end(f->alice.session), JINGLE_OK);
    end_unanswered(f, JINGLE_REASON_CANCELED, JINGLE_REASON_CANCELED);
}

static void test_nobody_answers(void **state)
{
    struct fixture *f = *state;
    jingle_session_config config = sound_of(&f->alice, 440);
    call_bob(f, &config);
    end_unanswered(f, JINGLE_REASON_NO_ANSWER, JINGLE_REASON_NO_ANSWER);
}

static void test_a_stranger_does_not_ring(void **state)
{
    struct fixture *f = *state;
    jingle_session_config config = sound_of(&f->alice, 440);
    assert_int_equal(
        jingle_session_start(f->alice.client, "bob@example.test", &config, &f->alice.session),
        JINGLE_OK);
    await(f, &f->alice, JINGLE_EVENT_ENDED);
    assert_int_equal(f->alice.reason, JINGLE_REASON_NO_ANSWER);
    assert_false(f->bob.seen & (1u << JINGLE_EVENT_INCOMING));
}

static void test_clients_can_be_freed_in_the_middle_of_a_call(void **state)
{
    struct fixture *f = *state;
    connect_both(f, 440, 880);
}

static void test_clients_can_be_freed_while_it_rings(void **state)
{
    struct fixture *f = *state;
    jingle_session_config config = sound_of(&f->alice, 440);
    call_bob(f, &config);
}

static void test_a_direct_call_rings_too(void **state)
{
    struct fixture *f = *state;
    jingle_session_config alice = sound_of(&f->alice, 440);
    jingle_session_config bob = sound_of(&f->bob, 880);
    alice.direct = true;
    assert_int_equal(jingle_session_start(f->alice.client, BOB, &alice, &f->alice.session),
                     JINGLE_OK);
    await(f, &f->bob, JINGLE_EVENT_INCOMING);
    assert_int_equal(jingle_session_accept(f->bob.session, &bob), JINGLE_OK);
    assert_true(switchboard_run(f->board, both_hear, f, PATIENCE));
    hang_up(f, &f->alice);
}

static void test_a_call_survives_the_loss_of_both_streams(void **state)
{
    struct fixture *f = *state;
    connect_both(f, 440, 880);
    switchboard_drop(f->board, f->alice.client);
    atomic_store(&f->alice.loud, 0);
    atomic_store(&f->bob.loud, 0);
    assert_true(switchboard_run(f->board, both_hear, f, PATIENCE));
    assert_int_equal(f->alice.seen & (1u << JINGLE_EVENT_ENDED), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_both_hear_each_other_and_hang_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_called_one_can_hang_up_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_digits_arrive_once_and_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hold_and_mute_are_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_declined_call_says_so, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_busy_is_not_declined, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_caller_who_gives_up_cancels, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nobody_answers, set_up_impatient, tear_down),
        cmocka_unit_test_setup_teardown(test_a_stranger_does_not_ring, set_up_stranger, tear_down),
        cmocka_unit_test_setup_teardown(test_clients_can_be_freed_in_the_middle_of_a_call, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_clients_can_be_freed_while_it_rings, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_direct_call_rings_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_call_survives_the_loss_of_both_streams, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
