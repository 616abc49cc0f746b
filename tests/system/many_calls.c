/* More than one call at a time, more than one thread at a session, and clients that are freed at
 * every step of a call. */
#include "system/side.h"

#include <glib.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define CALLS_MAX 10

/* The calls of one story; each end has its own sound. */
struct call_end {
    jingle_session *session;
    struct sound sound;
    unsigned connected;
    unsigned ended;
    jingle_reason reason;
};

struct calls {
    struct world *world;
    unsigned count;
    struct call_end outgoing[CALLS_MAX];
    struct call_end incoming[CALLS_MAX];
    unsigned rung;
    bool accepts;  /* whoever is called */
    unsigned more; /* calls of Alice that wait until another one is through */
};

static struct call_end *find_end(struct calls *calls, const jingle_session *session)
{
    for (unsigned i = 0; i < CALLS_MAX; i++) {
        if (calls->outgoing[i].session == session) {
            return &calls->outgoing[i];
        }
        if (calls->incoming[i].session == session) {
            return &calls->incoming[i];
        }
    }
    return NULL;
}

static void take_call(struct calls *calls, const jingle_event *event)
{
    struct call_end *end = &calls->incoming[calls->rung++];
    end->session = jingle_session_ref(event->session);
    if (calls->accepts) {
        end->sound.poke = calls->world->poke;
        jingle_session_config config = sound_config(&end->sound, 880);
        assert_int_equal(jingle_session_accept(end->session, &config), JINGLE_OK);
    }
}

static void start(struct calls *calls, struct side *side, const char *to)
{
    struct call_end *end = &calls->outgoing[calls->count++];
    end->sound.poke = calls->world->poke;
    jingle_session_config config = sound_config(&end->sound, 440);
    assert_int_equal(jingle_session_start(side->client, to, &config, &end->session), JINGLE_OK);
}

static void take_event(struct world *world, struct side *side, const jingle_event *event)
{
    struct calls *calls = world->user;
    struct call_end *end = event->session ? find_end(calls, event->session) : NULL;
    if (event->type == JINGLE_EVENT_INCOMING) {
        take_call(calls, event);
    } else if (end && event->type == JINGLE_EVENT_CONNECTED) {
        end->connected++;
        if (calls->more > 0 && side == world->alice) {
            calls->more--;
            start(calls, side, "bob@example.test");
        }
    } else if (end && event->type == JINGLE_EVENT_ENDED) {
        end->ended++;
        end->reason = event->u.ended.reason;
    }
}

static struct calls *calls_new(struct world *world)
{
    struct calls *calls = g_new0(struct calls, 1);
    calls->world = world;
    world->user = calls;
    world->event = take_event;
    return calls;
}

static void end_free(struct call_end *end)
{
    assert_int_equal(atomic_load(&end->sound.sources_freed), end->sound.handed_over);
    assert_int_equal(atomic_load(&end->sound.sinks_freed), end->sound.handed_over);
    jingle_session_unref(end->session);
}

static void calls_free(struct calls *calls)
{
    world_free(calls->world);
    for (unsigned i = 0; i < CALLS_MAX; i++) {
        end_free(&calls->outgoing[i]);
        end_free(&calls->incoming[i]);
    }
    g_free(calls);
}

/* ------------------------------------------------------------------------------- at once -- */

static bool hears(const struct call_end *end)
{
    return end->connected == 1 && atomic_load(&end->sound.loud) > 16000;
}

static bool ten_are_heard(void *user)
{
    struct calls *calls = user;
    for (unsigned i = 0; i < CALLS_MAX; i++) {
        if (!hears(&calls->outgoing[i]) || !hears(&calls->incoming[i])) {
            return false;
        }
    }
    return true;
}

static bool all_ended(void *user)
{
    struct calls *calls = user;
    for (unsigned i = 0; i < calls->count; i++) {
        if (!calls->outgoing[i].ended) {
            return false;
        }
    }
    for (unsigned i = 0; i < calls->rung; i++) {
        if (!calls->incoming[i].ended) {
            return false;
        }
    }
    return true;
}

/* The other end of a call has the same id. */
static struct call_end *other_end(struct calls *calls, const struct call_end *end)
{
    for (unsigned i = 0; i < CALLS_MAX; i++) {
        if (strcmp(jingle_session_id(calls->incoming[i].session),
                   jingle_session_id(end->session)) == 0) {
            return &calls->incoming[i];
        }
    }
    return NULL;
}

/* One person may let a phone ring only a few times at once, so they begin one after the other. */
static void test_ten_calls_at_once(void **state)
{
    (void)state;
    struct calls *calls = calls_new(world_new(PATIENCE, false));
    calls->accepts = true;
    calls->more = CALLS_MAX - 2;
    start(calls, calls->world->alice, "bob@example.test");
    start(calls, calls->world->alice, "bob@example.test");
    await_all(calls->world, ten_are_heard, calls);
    for (unsigned i = 0; i < CALLS_MAX; i++) {
        struct call_end *end = &calls->outgoing[i];
        struct call_end *other = other_end(calls, end);
        assert_int_equal(jingle_session_end(i % 2 ? end->session : other->session), JINGLE_OK);
    }
    await_all(calls->world, all_ended, calls);
    for (unsigned i = 0; i < CALLS_MAX; i++) {
        assert_int_equal(calls->outgoing[i].reason, JINGLE_REASON_HANGUP);
        assert_int_equal(calls->outgoing[i].ended, 1);
        assert_int_equal(calls->incoming[i].ended, 1);
    }
    calls_free(calls);
}

static bool two_ring(void *user)
{
    return ((struct calls *)user)->rung == 2;
}

static bool is_carol(const struct call_end *end)
{
    return g_str_has_prefix(jingle_session_peer(end->session), "carol@");
}

/* Alice's call is the first one out, Carol's the second. */
static bool carol_is_answered(void *user)
{
    struct calls *calls = user;
    unsigned carol = is_carol(&calls->incoming[0]) ? 0 : 1;
    return hears(&calls->incoming[carol]) && hears(&calls->outgoing[1]) &&
           calls->incoming[1 - carol].ended && calls->outgoing[0].ended;
}

static void test_one_of_two_who_call_is_answered(void **state)
{
    (void)state;
    struct calls *calls = calls_new(world_new(PATIENCE, false));
    struct world *world = calls->world;
    world_add_carol(world);
    start(calls, world->alice, "bob@example.test");
    start(calls, world->carol, "bob@example.test");
    await_all(world, two_ring, calls);
    unsigned carol = is_carol(&calls->incoming[0]) ? 0 : 1;
    assert_true(is_carol(&calls->incoming[carol]));
    assert_false(is_carol(&calls->incoming[1 - carol]));
    struct call_end *answered = &calls->incoming[carol];
    struct call_end *refused = &calls->incoming[1 - carol];
    answered->sound.poke = world->poke;
    jingle_session_config config = sound_config(&answered->sound, 880);
    assert_int_equal(jingle_session_accept(answered->session, &config), JINGLE_OK);
    assert_int_equal(jingle_session_reject(refused->session, JINGLE_REASON_BUSY), JINGLE_OK);
    await_all(world, carol_is_answered, calls);
    assert_int_equal(calls->outgoing[0].reason, JINGLE_REASON_BUSY);
    assert_int_equal(calls->outgoing[1].ended, 0);
    calls_free(calls);
}

/* One of the two calls goes on, the other one was ended for it, at both ends. */
static bool one_is_left(void *user)
{
    struct calls *calls = user;
    unsigned speaking = 0;
    unsigned replaced = 0;
    for (unsigned i = 0; i < CALLS_MAX; i++) {
        speaking += hears(&calls->outgoing[i]) + hears(&calls->incoming[i]);
        replaced += calls->outgoing[i].ended;
    }
    return speaking == 2 && replaced == 1;
}

static void call_each_other(bool direct)
{
    struct calls *calls = calls_new(world_new(PATIENCE, false));
    struct world *world = calls->world;
    calls->accepts = true;
    start(calls, world->alice, direct ? BOB : "bob@example.test");
    start(calls, world->bob, direct ? ALICE : "alice@example.test");
    await_all(world, one_is_left, calls);
    for (unsigned i = 0; i < 2; i++) {
        const struct call_end *end = &calls->outgoing[i];
        assert_int_equal(end->connected + end->ended, 1);
        assert_true(!end->ended || end->reason == JINGLE_REASON_REPLACED);
    }
    calls_free(calls);
}

static void test_two_who_call_each_other_get_one_call(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) { /* either one wins, by chance */
        call_each_other(false);
    }
}

static void test_two_who_call_a_device_of_each_other_get_one_call(void **state)
{
    (void)state;
    call_each_other(true);
}

/* ------------------------------------------------------------------- freed at every step -- */

struct steps {
    struct world *world;
    unsigned left; /* events until the end */
    bool accepts;
};

static void count_step(struct world *world, struct side *side, const jingle_event *event)
{
    struct steps *steps = world->user;
    if (event->type == JINGLE_EVENT_INCOMING) {
        side->session = jingle_session_ref(event->session);
        if (steps->accepts) {
            jingle_session_config config = sound_config(&side->sound, 880);
            assert_int_equal(jingle_session_accept(side->session, &config), JINGLE_OK);
        }
    }
    steps->left -= steps->left > 0;
}

/* A stanza is a step as an event is. */
static char *count_stanza(struct world *world, struct side *from, const char *xml)
{
    struct steps *steps = world->user;
    (void)from;
    (void)xml;
    steps->left -= steps->left > 0;
    return NULL;
}

static bool is_at_the_end(void *user)
{
    return ((struct steps *)user)->left == 0;
}

static void free_after(unsigned count, bool accepts)
{
    struct steps steps = {.world = world_new(PATIENCE, false), .left = count, .accepts = accepts};
    struct world *world = steps.world;
    world->user = &steps;
    world->event = count_step;
    world->rewrite = count_stanza;
    jingle_session_config config = sound_config(&world->alice->sound, 440);
    assert_int_equal(jingle_session_start(world->alice->client, "bob@example.test", &config,
                                          &world->alice->session),
                     JINGLE_OK);
    await_all(world, is_at_the_end, &steps);
    world_free(world); /* checks who freed the sound, and asks the handles */
}

static void test_clients_can_be_freed_at_every_step_of_a_call(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 16; i++) {
        free_after(i, true);
    }
    for (unsigned i = 0; i < 6; i++) {
        free_after(i, false);
    }
}

/* ---------------------------------------------------------------------- several threads -- */

#define ORDERS 200

struct driver {
    jingle_session *session;
    struct sound sounds[ORDERS]; /* one an answer: only one of all is taken */
    unsigned answers;
    int poke;
    unsigned seed;
    unsigned accepted;
};

static void give_order(struct driver *driver, unsigned order)
{
    jingle_statistics statistics = {.size = sizeof statistics};
    jingle_session *session = driver->session;
    switch (order) {
    case 0: {
        struct sound *sound = &driver->sounds[driver->answers++];
        sound->poke = driver->poke;
        jingle_session_config config = sound_config(sound, 880);
        driver->accepted += jingle_session_accept(session, &config) == JINGLE_OK;
        break;
    }
    case 1:
        jingle_session_set_hold(session, driver->seed & 64);
        break;
    case 2:
        jingle_session_set_mute(session, driver->seed & 64);
        break;
    case 3:
        jingle_session_send_digits(session, "1");
        break;
    case 4:
        assert_int_equal(jingle_session_statistics(session, &statistics), JINGLE_OK);
        assert_non_null(statistics.candidate_remote);
        break;
    default:
        assert_non_null(jingle_session_peer(session));
        assert_non_null(jingle_session_id(session));
        jingle_session_unref(jingle_session_ref(session));
        break;
    }
}

static void *drive(void *user)
{
    struct driver *driver = user;
    for (unsigned i = 0; i < ORDERS; i++) {
        driver->seed = driver->seed * 1664525 + 1013904223;
        give_order(driver, (driver->seed >> 24) % 6);
    }
    if (driver->seed & 4096) {
        jingle_session_end(driver->session);
    } else {
        jingle_session_reject(driver->session, JINGLE_REASON_BUSY);
        jingle_session_end(driver->session);
    }
    return NULL;
}

static void driver_clear(struct driver *driver)
{
    for (unsigned i = 0; i < driver->answers; i++) {
        assert_int_equal(atomic_load(&driver->sounds[i].sources_freed), 1);
        assert_int_equal(atomic_load(&driver->sounds[i].sinks_freed), 1);
    }
    jingle_session_unref(driver->session);
}

/* The clients are freed while the threads still give orders, or after the call has ended. */
static void drive_by_threads(unsigned seed, bool wait_for_the_end)
{
    struct world *world = world_new(PATIENCE, false);
    struct driver *drivers = g_new0(struct driver, 3);
    pthread_t threads[3];
    jingle_session_config config = sound_config(&world->alice->sound, 440);
    call_bob(world, &config);
    for (unsigned i = 0; i < 3; i++) {
        drivers[i].session = jingle_session_ref(world->bob->session);
        drivers[i].seed = seed + i;
        drivers[i].poke = world->poke;
        pthread_create(&threads[i], NULL, drive, &drivers[i]);
    }
    if (wait_for_the_end) {
        await(world, world->alice, JINGLE_EVENT_ENDED);
        await(world, world->bob, JINGLE_EVENT_ENDED);
    } else {
        jingle_client_free(world->bob->client);
        world->bob->client = NULL;
        jingle_client_free(world->alice->client);
        world->alice->client = NULL;
    }
    unsigned accepted = 0;
    for (unsigned i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
        accepted += drivers[i].accepted;
    }
    assert_true(accepted <= 1);
    world_free(world);
    for (unsigned i = 0; i < 3; i++) {
        driver_clear(&drivers[i]);
    }
    g_free(drivers);
}

static void test_a_session_takes_orders_of_several_threads(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        drive_by_threads(i * 1000, true);
    }
}

static void test_a_session_takes_orders_while_its_client_is_freed(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        drive_by_threads(i * 1000, false);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ten_calls_at_once),
        cmocka_unit_test(test_one_of_two_who_call_is_answered),
        cmocka_unit_test(test_two_who_call_each_other_get_one_call),
        cmocka_unit_test(test_two_who_call_a_device_of_each_other_get_one_call),
        cmocka_unit_test(test_clients_can_be_freed_at_every_step_of_a_call),
        cmocka_unit_test(test_a_session_takes_orders_of_several_threads),
        cmocka_unit_test(test_a_session_takes_orders_while_its_client_is_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
