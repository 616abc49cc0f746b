/* Restarts of ICE in running calls: both sides change networks, lose their routers' memory and
 * their streams at any time, while stanzas are held up, lost with a stream, sent again and doubled.
 * When all is quiet again the call must be there, and be heard both ways.
 *
 *     sim_restarts                   some hundred stories
 *     RESTARTS_SEED=7 SIM_LOG=1      that one alone, with every stanza */
#include "tests/sim/duo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>

#define STORIES 100

/* A path may be away for 12 s before a call is given up, and all trouble of a story fits in. */
#define TROUBLE (8 * USEC_PER_SEC)
#define QUIET   (20 * USEC_PER_SEC)

/* Things that happen within that time. With more of them on both sides at once, some calls in a
 * hundred are still lost: nothing in a transport-info says which restart it answers. */
#define TROUBLES_MAX 2

/* Each change costs an agent here and one over there, and some more while they miss each other. */
#define AGENTS_MAX 16

static unsigned dice(struct duo *duo, unsigned sides)
{
    return (unsigned)(random_next(&duo->random) >> 33) % sides;
}

static bool is_heard(const struct end *end)
{
    return end->call && !end->ended && end->duo->now - end->heard < 200 * USEC_PER_MS;
}

static void bring_back(struct end *end)
{
    if (!end->session->online) {
        end_online(end);
    } else if (end->cut) {
        end_resume(end);
    }
}

static void make_trouble(struct duo *duo)
{
    struct end *end = &duo->ends[dice(duo, ENDS)];
    switch (dice(duo, 7)) {
    case 0:
        end_move(end);
        break;
    case 1: /* its stream goes with the address */
        if (end->session->online && !end->cut) {
            end_cut(end);
        }
        end_move(end);
        break;
    case 2:
        if (end->session->online && !end->cut) {
            end_drop(end);
        }
        end_move(end);
        break;
    case 3:
        end_rebind(end);
        break;
    case 4: /* both at once */
        end_move(end);
        end_move(end_other(end));
        break;
    default:
        bring_back(end);
        break;
    }
}

static void explain(const struct duo *duo, uint64_t seed, const char *why)
{
    print_message("RESTARTS_SEED=%d: %s\n", (int)seed, why);
    for (int i = ALICE; i <= BOB; i++) {
        const struct end *end = &duo->ends[i];
        print_message("%s: %u agents, %u packets, silent for %d ms, told:\n%s", end->name,
                      end->host.agents, end->rtp, (int)((duo->now - end->heard) / USEC_PER_MS),
                      end->events->str);
    }
}

static const char *run_story(struct duo *duo, uint64_t seed)
{
    static const struct network_config slow = {
        .delay = 150 * USEC_PER_MS, .shape = NETWORK_JITTER_UNIFORM, .jitter = 140 * USEC_PER_MS};
    struct duo_config config = {
        .doubled = seed % 3 == 0 ? 0.3 : 0,
        .log = getenv("SIM_LOG") ? stdout : NULL,
    };
    if (seed % 2 == 0) {
        config.signalling = slow;
    }
    duo_open(duo, seed, &config);
    if (!duo_connect(duo)) {
        return "no call to begin with";
    }
    fake_ice_lose(0.02);
    duo_run(duo, USEC_PER_SEC);
    unsigned troubles = 1 + dice(duo, TROUBLES_MAX);
    usec rest = TROUBLE / troubles;
    for (unsigned i = 0; i < troubles; i++) {
        make_trouble(duo);
        duo_run(duo, (usec)dice(duo, (unsigned)(rest / USEC_PER_MS)) * USEC_PER_MS);
    }
    bring_back(&duo->ends[ALICE]);
    bring_back(&duo->ends[BOB]);
    duo_run(duo, QUIET);
    if (!is_heard(&duo->ends[ALICE]) || !is_heard(&duo->ends[BOB])) {
        return "it is not heard both ways in the end";
    }
    bool many =
        duo->ends[ALICE].host.agents > AGENTS_MAX || duo->ends[BOB].host.agents > AGENTS_MAX;
    return many ? "there were too many restarts" : NULL;
}

static void test_whatever_happens_to_paths_and_streams_the_call_goes_on(void **state)
{
    (void)state;
    const char *only = getenv("RESTARTS_SEED");
    unsigned bad = 0;
    uint64_t first = only ? strtoul(only, NULL, 10) : 1;
    uint64_t last = only ? first : STORIES;
    for (uint64_t seed = first; seed <= last; seed++) {
        struct duo *duo = g_new0(struct duo, 1);
        const char *why = run_story(duo, seed);
        if (why) {
            explain(duo, seed, why);
            bad++;
        }
        duo_close(duo);
        g_free(duo);
    }
    assert_int_equal(bad, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whatever_happens_to_paths_and_streams_the_call_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
