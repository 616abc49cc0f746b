/* Two people call each other at nearly the same time, in every way that their stanzas can cross:
 * one call has to come of it. XEP-0353, section 4.1, and XEP-0166, section 7.2.16, are about ties;
 * what is not sent yet, or sent in two different ways, crosses as well.
 *
 *     SIM_LOG=1 as for sim_calls */
#include "tests/sim/phones.h"
#include "tests/sim/speech.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>

#define MS(ms) ((ms)*USEC_PER_MS)

enum { ALICE, BOB, BOTH };

static const char *const jids[] = {"alice@example.org/phone", "bob@example.org/desk"};

static const char roster[] = "<item jid='alice@example.org' subscription='both'/>"
                             "<item jid='bob@example.org' subscription='both'/>";

static int16_t *speech;
static size_t speech_samples;

static int load_speech(void **state)
{
    (void)state;
    speech = speech_load(&speech_samples);
    return speech ? 0 : -1;
}

static int free_speech(void **state)
{
    (void)state;
    free(speech);
    return 0;
}

/* Both log in, one calls, and some time later the other one; each answers whatever rings. */
struct crossing {
    unsigned login_ms; /* from login to the first call: who knows whom already? */
    unsigned late_ms;  /* the second one logs in so much later */
    unsigned apart_ms;
    bool unsteady; /* stanzas are held up and come together */
    bool bob_is_first;
    bool first_directly; /* without message initiation */
    bool second_directly;
    uint64_t seed; /* says whose id is the lower one */
};

static void call_other(struct phone *phone, bool directly)
{
    bool is_alice = phone == &phone->town->phones[ALICE];
    phone_call(phone, is_alice ? "bob@example.org" : "alice@example.org", directly);
}

static void cross(struct town *town, const struct crossing *c)
{
    struct network_config near = {.delay = MS(25)};
    struct network_config unsteady = {
        .delay = MS(60), .shape = NETWORK_JITTER_UNIFORM, .jitter = MS(60)};
    struct town_config config = {.signalling = c->unsteady ? unsteady : near, .media = near};
    town_open(town, c->seed, &config, jids, BOTH, roster, speech, speech_samples,
              getenv("SIM_LOG") ? stdout : NULL);
    struct phone *first = &town->phones[c->bob_is_first ? BOB : ALICE];
    struct phone *second = &town->phones[c->bob_is_first ? ALICE : BOB];
    first->answers = second->answers = true;
    phone_online(first);
    town_run(town, town->now + MS(c->late_ms));
    phone_online(second);
    town_run(town, town->now + MS(c->login_ms));
    call_other(first, c->first_directly);
    town_run(town, town->now + MS(c->apart_ms));
    if (!second->call) { /* nobody calls whom he is talking to */
        call_other(second, c->second_directly);
    }
}

/* No second one rang beside it. */
static bool is_one_call(const struct town *town)
{
    const struct phone *alice = &town->phones[ALICE];
    const struct phone *bob = &town->phones[BOB];
    return alice->call && bob->call &&
           strcmp(account_call_sid(alice->call), account_call_sid(bob->call)) == 0 &&
           phone_saw(alice, "connected") == 1 && phone_saw(bob, "connected") == 1 &&
           phone_saw(alice, "ended busy local") + phone_saw(bob, "ended busy local") == 0;
}

static void print_crossing(const struct town *town, const struct crossing *c)
{
    print_message("%s: login, %u ms later the other's, %u ms later %s calls%s, %u ms later the "
                  "other%s, seed %d:\n",
                  c->unsteady ? "Unsteady" : "Steady", c->late_ms, c->login_ms,
                  c->bob_is_first ? "Bob" : "Alice", c->first_directly ? " directly" : "",
                  c->apart_ms, c->second_directly ? " directly" : "", (int)c->seed);
    for (int i = ALICE; i <= BOB; i++) {
        for (size_t n = 0; n < town->phones[i].event_count; n++) {
            print_message("  %s was told: %s\n", jids[i], town->phones[i].events[n]);
        }
    }
}

/* Whatever is still under way may not harm the call. */
static bool comes_to_one_call(const struct crossing *crossing)
{
    struct town *town = malloc(sizeof *town);
    cross(town, crossing);
    for (int i = 0; i < 50 && !is_one_call(town); i++) {
        town_run(town, town->now + MS(100));
    }
    town_run(town, town->now + MS(200));
    bool good = is_one_call(town);
    if (!good) {
        print_crossing(town, crossing);
    }
    town_close(town);
    free(town);
    return good;
}

static unsigned count_bad_crossings(struct crossing crossing)
{
    static const unsigned logins_ms[] = {60, 120, 180, 3000};
    unsigned bad = 0;
    for (unsigned login = 0; login < G_N_ELEMENTS(logins_ms); login++) {
        for (unsigned apart_ms = 0; apart_ms <= 120; apart_ms += 30) {
            crossing.login_ms = logins_ms[login];
            crossing.apart_ms = apart_ms;
            bad += !comes_to_one_call(&crossing);
        }
    }
    return bad;
}

static void test_two_who_call_each_other_get_one_call_however_they_cross(void **state)
{
    (void)state;
    unsigned bad = 0;
    for (uint64_t seed = 1; seed <= 16; seed++) {
        struct crossing crossing = {
            .late_ms = seed & 8 ? 70 : 0,
            .unsteady = true,
            .bob_is_first = (seed & 2) != 0,
            .seed = seed,
        };
        bad += count_bad_crossings(crossing);
        crossing.unsteady = (seed & 4) != 0;
        crossing.first_directly = (seed & 1) != 0;
        crossing.second_directly = !crossing.first_directly;
        bad += count_bad_crossings(crossing);
    }
    assert_int_equal(bad, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_who_call_each_other_get_one_call_however_they_cross),
    };
    return cmocka_run_group_tests(tests, load_speech, free_speech);
}
