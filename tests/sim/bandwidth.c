/* Stories of links over a modelled path: how much of it their calls use, and what queue they build
 * up there.
 *
 *     sim_bandwidth             all of them
 *     SIM_SEED=7 sim_bandwidth  from another seed on
 *     SIM_LOG=1 sim_bandwidth   with a line a second */
#include "tests/sim/flows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define SEEDS  5
#define SEC    USEC_PER_SEC
#define MS     USEC_PER_MS
#define WANTED 2500000
#define KBIT   1000U
#define MBIT   1000000U
#define QUEUE  250000 /* bytes */

static uint64_t first_seed(void)
{
    const char *seed = getenv("SIM_SEED");
    return seed ? strtoull(seed, NULL, 10) : 1;
}

/* A path that does nothing but take its time. */
static struct network_config path(unsigned rate, usec delay)
{
    return (struct network_config){.rate = rate, .delay = delay, .in_order = true, .queue = QUEUE};
}

/* One call, whose times are counted from its beginning. */
static void open_call(struct flows *flows, uint64_t seed, const struct network_config *there,
                      const struct flow_config *config)
{
    struct network_config back = {.delay = there->delay, .in_order = true, .loss = there->loss};
    flows_open(flows, seed, there, &back, config, 1);
}

static usec at(const struct flows *flows, usec since)
{
    return flows->begin + since;
}

static double rate(const struct flows *flows, unsigned from, unsigned to)
{
    return flows_rate(flows, FLOWS_MAX, at(flows, from * SEC), at(flows, to * SEC));
}

static usec queue(const struct flows *flows, unsigned from, unsigned to)
{
    return flows_queue(flows, 0.95, at(flows, from * SEC), at(flows, to * SEC));
}

static void run(struct flows *flows, unsigned to)
{
    flows_run(flows, at(flows, to * SEC));
}

static void expect(const char *name, uint64_t seed, const char *what, double value, double least,
                   double most)
{
    if (value < least || value > most) {
        fail_msg("%s, seed %d: %s is %.0f, not within %.0f and %.0f", name, (int)seed, what, value,
                 least, most);
    }
}

/* --- one path for the whole call -- */

struct row {
    const char *name;
    struct network_config there;
    struct flow_config flow;
    unsigned from;  /* second from which the bounds hold; 0: 6 */
    unsigned least; /* kbit/s got through from then on */
    unsigned most;  /* 0: any */
    usec queue;     /* that 95 % of the packets do not wait for longer */
};

static void check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct row *row = &rows[i];
        unsigned from = row->from ? row->from : 6;
        for (uint64_t seed = first_seed(); seed < first_seed() + SEEDS; seed++) {
            struct flows flows;
            open_call(&flows, seed, &row->there, &row->flow);
            run(&flows, 40);
            double kbit = rate(&flows, from, 40) / KBIT;
            double waited = (double)queue(&flows, from, 40) / MS;
            flows_close(&flows);
            expect(row->name, seed, "the rate in kbit/s", kbit, row->least,
                   row->most ? row->most : 1e9);
            expect(row->name, seed, "the queueing delay in ms", waited, 0, (double)row->queue / MS);
        }
    }
}

#define CHECK(...)                                    \
    do {                                              \
        const struct row rows[] = {__VA_ARGS__};      \
        check_rows(rows, sizeof rows / sizeof *rows); \
    } while (0)

static void test_a_slow_path_is_used_without_a_long_queue(void **state)
{
    (void)state;
    const struct flow_config video = {.wanted = WANTED};
    CHECK({"300 kbit/s", path(300 * KBIT, 25 * MS), video, .from = 10, 240, 0, 150 * MS},
          {"500 kbit/s", path(500 * KBIT, 25 * MS), video, 0, 425, 0, 120 * MS},
          {"1 Mbit/s, near", path(MBIT, 5 * MS), video, 0, 900, 0, 120 * MS},
          {"1 Mbit/s, far", path(MBIT, 100 * MS), video, 0, 850, 0, 120 * MS},
          {"1 Mbit/s, farther", path(MBIT, 150 * MS), video, 0, 850, 0, 120 * MS},
          {"2 Mbit/s", path(2 * MBIT, 25 * MS), video, 0, 1750, 0, 120 * MS});
}

static void test_a_fast_path_is_found_at_once_and_not_filled_without_need(void **state)
{
    (void)state;
    CHECK({"8 Mbit/s for 2.5", path(8 * MBIT, 25 * MS), {.wanted = WANTED}, 2, 2400, 2900, 20 * MS},
          {"8 Mbit/s for 6", path(8 * MBIT, 25 * MS), {.wanted = 6 * MBIT}, 2, 5800, 6900, 40 * MS},
          {"2 Mbit/s for 1", path(2 * MBIT, 25 * MS), {.wanted = MBIT}, 2, 1000, 1250, 40 * MS});
}

static void test_random_loss_does_not_hold_a_call_down(void **state)
{
    (void)state;
    struct network_config loss5 = path(4 * MBIT, 50 * MS);
    struct network_config loss10 = loss5;
    struct network_config loss20 = loss5;
    struct network_config bursts = loss5;
    struct network_config full = path(MBIT, 50 * MS);
    loss5.loss = 0.05;
    loss10.loss = 0.1;
    loss20.loss = 0.2;
    bursts.burst_begin = 0.01;
    bursts.burst_end = 0.2;
    full.loss = 0.05;
    const struct flow_config video = {.wanted = WANTED};
    CHECK({"5 %", loss5, video, 2, 2100, 0, 40 * MS}, {"10 %", loss10, video, 4, 2000, 0, 40 * MS},
          {"20 %", loss20, video, 10, 1100, 0, 40 * MS},
          {"bursts", bursts, video, 8, 2000, 0, 40 * MS},
          {"5 % on a full path", full, video, 0, 720, 0, 120 * MS});
}

static void test_jitter_is_no_queue(void **state)
{
    (void)state;
    struct network_config normal = path(2 * MBIT, 50 * MS);
    struct network_config wild = path(2 * MBIT, 100 * MS);
    struct network_config wide = path(2 * MBIT, 100 * MS);
    struct network_config held = path(2 * MBIT, 50 * MS);
    normal.shape = wild.shape = NETWORK_JITTER_NORMAL;
    wide.shape = NETWORK_JITTER_UNIFORM;
    normal.jitter = 10 * MS;
    wild.jitter = 30 * MS;
    wide.jitter = 40 * MS;
    normal.in_order = wild.in_order = wide.in_order = false;
    held.reorder = 0.05;
    held.reorder_by = 20 * MS;
    const struct flow_config video = {.wanted = WANTED};
    CHECK({"sigma of 10 ms", normal, video, 10, 1500, 0, 120 * MS},
          {"sigma of 30 ms", wild, video, 20, 1000, 0, 200 * MS},
          {"40 ms more or less", wide, video, 20, 1200, 0, 200 * MS},
          {"one of twenty held", held, video, 0, 1500, 0, 120 * MS});
}

static void test_a_path_that_drops_instead_of_queueing_is_found_by_loss(void **state)
{
    (void)state;
    struct network_config shallow = path(MBIT, 25 * MS);
    shallow.queue = 20000;
    CHECK({"20 kB", shallow, {.wanted = WANTED}, 0, 850, 0, 160 * MS});
}

static void test_a_peer_with_remb_alone_is_followed(void **state)
{
    (void)state;
    struct network_config loss = path(4 * MBIT, 50 * MS);
    loss.loss = 0.05;
    const struct flow_config video = {.wanted = WANTED, .no_transport = true};
    CHECK({"2 Mbit/s", path(2 * MBIT, 25 * MS), video, 12, 1600, 0, 150 * MS},
          {"1 Mbit/s", path(MBIT, 25 * MS), video, 10, 800, 0, 150 * MS},
          {"1 Mbit/s, far", path(MBIT, 100 * MS), video, 10, 750, 0, 150 * MS},
          {"5 % lost", loss, video, 20, 2000, 0, 40 * MS});
}

static void test_a_peer_with_reports_alone_gets_what_its_queue_bears(void **state)
{
    (void)state;
    const struct flow_config video = {.wanted = WANTED, .no_transport = true, .no_remb = true};
    CHECK({"1 Mbit/s", path(MBIT, 25 * MS), video, 20, 700, 0, 600 * MS});
}

static void test_a_peer_that_tells_nothing_gets_the_start_rate(void **state)
{
    (void)state;
    CHECK(
        {"mute", path(MBIT, 25 * MS), {.wanted = WANTED, .mute_back = true}, 0, 250, 330, 20 * MS});
}

static void test_who_is_told_to_send_50_kbit_sends_50_kbit(void **state)
{
    (void)state;
    CHECK(
        {"video alone",
         path(MBIT, 25 * MS),
         {.wanted = WANTED, .most = 50000, .no_voice = true},
         2,
         40,
         55,
         20 * MS},
        {"with voice", path(MBIT, 25 * MS), {.wanted = WANTED, .most = 50000}, 2, 50, 65, 20 * MS});
}

static void test_voice_is_not_drowned_on_the_slowest_path(void **state)
{
    (void)state;
    CHECK({"100 kbit/s", path(100 * KBIT, 25 * MS), {.wanted = WANTED}, 10, 60, 0, 250 * MS},
          {"150 kbit/s", path(150 * KBIT, 25 * MS), {.wanted = WANTED}, 10, 100, 0, 200 * MS});
}

static void test_without_padding_the_path_is_found_too(void **state)
{
    (void)state;
    CHECK({"2 Mbit/s",
           path(2 * MBIT, 25 * MS),
           {.wanted = WANTED, .no_padding = true},
           15,
           1500,
           0,
           120 * MS});
}

/* --- paths that change -- */

static void test_a_drop_drains_and_a_rise_is_found(void **state)
{
    (void)state;
    for (uint64_t seed = first_seed(); seed < first_seed() + SEEDS; seed++) {
        struct flows flows;
        struct network_config first = path(4 * MBIT, 25 * MS);
        struct network_config low = path(500 * KBIT, 25 * MS);
        struct network_config later = path(2 * MBIT, 25 * MS);
        open_call(&flows, seed, &first, &(struct flow_config){.wanted = 3500000});
        run(&flows, 15);
        expect("4 Mbit/s", seed, "the rate", rate(&flows, 5, 15), 3300000, 4000000);
        flows_change(&flows, &low);
        run(&flows, 35);
        expect("500 kbit/s", seed, "the queueing delay", (double)queue(&flows, 20, 35), 0,
               150 * MS);
        expect("500 kbit/s", seed, "the rate", rate(&flows, 21, 35), 400000, 500000);
        flows_change(&flows, &later);
        run(&flows, 60);
        expect("2 Mbit/s", seed, "the rate", rate(&flows, 50, 60), 1600000, 2000000);
        flows_close(&flows);
    }
}

static void test_after_an_outage_the_rate_is_soon_what_it_was(void **state)
{
    (void)state;
    for (uint64_t seed = first_seed(); seed < first_seed() + SEEDS; seed++) {
        struct flows flows;
        struct network_config there = path(2 * MBIT, 25 * MS);
        open_call(&flows, seed, &there, &(struct flow_config){.wanted = WANTED});
        run(&flows, 10);
        network_outage(flows.there, at(&flows, 13 * SEC));
        network_outage(flows.back, at(&flows, 13 * SEC));
        run(&flows, 30);
        expect("outage", seed, "the rate after it", rate(&flows, 16, 20), 1200000, 2000000);
        expect("outage", seed, "the queueing delay", (double)queue(&flows, 13, 30), 0, 120 * MS);
        flows_close(&flows);
    }
}

static void test_a_longer_path_is_not_taken_for_a_queue_for_long(void **state)
{
    (void)state;
    for (uint64_t seed = first_seed(); seed < first_seed() + SEEDS; seed++) {
        struct flows flows;
        struct network_config there = path(2 * MBIT, 25 * MS);
        open_call(&flows, seed, &there, &(struct flow_config){.wanted = WANTED});
        run(&flows, 10);
        there.delay = 325 * MS;
        flows_change(&flows, &there);
        run(&flows, 40);
        expect("longer", seed, "the rate after it", rate(&flows, 30, 40), 1400000, 2000000);
        flows_close(&flows);
    }
}

static void test_calls_share_a_path(void **state)
{
    (void)state;
    for (uint64_t seed = first_seed(); seed < first_seed() + SEEDS; seed++) {
        struct flows flows;
        struct network_config there = path(2 * MBIT, 25 * MS);
        struct network_config back = {.delay = 25 * MS, .in_order = true};
        const struct flow_config configs[] = {{.wanted = WANTED},
                                              {.wanted = WANTED, .start = 5 * SEC}};
        flows_open(&flows, seed, &there, &back, configs, 2);
        run(&flows, 60);
        double a = flows_rate(&flows, 0, at(&flows, 30 * SEC), at(&flows, 60 * SEC));
        double b = flows_rate(&flows, 1, at(&flows, 30 * SEC), at(&flows, 60 * SEC));
        expect("two", seed, "the first one's rate", a, 600000, 1400000);
        expect("two", seed, "the second one's rate", b, 600000, 1400000);
        expect("two", seed, "the queueing delay", (double)queue(&flows, 30, 60), 0, 150 * MS);
        flows_close(&flows);
    }
}

static void test_one_seed_gives_one_story(void **state)
{
    (void)state;
    double rates[2];
    struct network_config there = path(MBIT, 25 * MS);
    there.loss = 0.02;
    for (unsigned i = 0; i < 2; i++) {
        struct flows flows;
        open_call(&flows, 3, &there, &(struct flow_config){.wanted = WANTED});
        run(&flows, 10);
        rates[i] = rate(&flows, 0, 10);
        flows_close(&flows);
    }
    assert_true(rates[0] == rates[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_slow_path_is_used_without_a_long_queue),
        cmocka_unit_test(test_a_fast_path_is_found_at_once_and_not_filled_without_need),
        cmocka_unit_test(test_random_loss_does_not_hold_a_call_down),
        cmocka_unit_test(test_jitter_is_no_queue),
        cmocka_unit_test(test_a_path_that_drops_instead_of_queueing_is_found_by_loss),
        cmocka_unit_test(test_a_peer_with_remb_alone_is_followed),
        cmocka_unit_test(test_a_peer_with_reports_alone_gets_what_its_queue_bears),
        cmocka_unit_test(test_a_peer_that_tells_nothing_gets_the_start_rate),
        cmocka_unit_test(test_who_is_told_to_send_50_kbit_sends_50_kbit),
        cmocka_unit_test(test_voice_is_not_drowned_on_the_slowest_path),
        cmocka_unit_test(test_without_padding_the_path_is_found_too),
        cmocka_unit_test(test_a_drop_drains_and_a_rise_is_found),
        cmocka_unit_test(test_after_an_outage_the_rate_is_soon_what_it_was),
        cmocka_unit_test(test_a_longer_path_is_not_taken_for_a_queue_for_long),
        cmocka_unit_test(test_calls_share_a_path),
        cmocka_unit_test(test_one_seed_gives_one_story),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
