/* How well the estimator of a link uses a path (rtp/uplink.h), on the simulated network in virtual
 * time, worst of several seeds: the share of the wire at a steady 1 Mbit/s, the queue it builds up
 * there, the time after a drop until the queue is gone, the time after a rise until the room is
 * used, and how two calls share. Their video is a model that makes just what it is told to. Every
 * path takes 25 ms one way and holds a second's worth of packets at 2 Mbit/s.
 *
 * Then whole video streams (rtp/video.h) of 1280x720 with a model of a codec, at 5 % random loss
 * and a round trip of 100 ms: the share of the time in which the picture was frozen; all of it if
 * it became smaller. */
#include "tests/sim/flows.h"
#include "tests/sim/video_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEEDS     5
#define WANTED    2500000
#define DELAY     (25 * USEC_PER_MS)
#define MBIT      1000000U
#define DRAINED   (50 * USEC_PER_MS)
#define RISE_STEP (500 * USEC_PER_MS)
#define RISE_MAX  (30 * USEC_PER_SEC)
#define SETTLE    (5 * USEC_PER_SEC)
#define WIDTH     1280

struct figures {
    double steady_use, queue_p95_ms, drain_s, rise_s, jain, frozen_share;
};

static struct network_config path(unsigned rate)
{
    return (struct network_config){
        .delay = DELAY, .in_order = true, .rate = rate, .queue = 2 * MBIT / 8};
}

static void open_path(struct flows *flows, uint64_t seed, unsigned rate, unsigned count)
{
    struct network_config there = path(rate);
    struct network_config back = {.delay = DELAY, .in_order = true};
    struct flow_config configs[FLOWS_MAX] = {{.wanted = WANTED}, {.wanted = WANTED}};
    flows_open(flows, seed, &there, &back, configs, count);
}

static double seconds(usec span)
{
    return (double)span / USEC_PER_SEC;
}

static void run_steady(struct figures *figures, uint64_t seed)
{
    struct flows flows;
    open_path(&flows, seed, MBIT, 1);
    usec begin = flows.now;
    usec from = begin + 6 * USEC_PER_SEC;
    usec to = begin + 60 * USEC_PER_SEC;
    flows_run(&flows, to);
    figures->steady_use = flows_rate(&flows, 0, from, to) / MBIT;
    figures->queue_p95_ms = seconds(flows_queue(&flows, 0.95, from, to)) * 1000;
    flows_close(&flows);
}

/* Until 80 % of the new rate are used, over half a second; the end of that. */
static double rise_time(struct flows *flows, usec from)
{
    for (usec at = from; at < from + RISE_MAX; at += RISE_STEP) {
        flows_run(flows, at + RISE_STEP);
        if (flows_rate(flows, 0, at, at + RISE_STEP) >= 0.8 * 2 * MBIT) {
            return seconds(at + RISE_STEP - from);
        }
    }
    return seconds(RISE_MAX);
}

static void run_steps(struct figures *figures, uint64_t seed)
{
    struct flows flows;
    struct network_config low = path(MBIT / 2);
    struct network_config high = path(2 * MBIT);
    open_path(&flows, seed, 2 * MBIT, 1);
    usec drop = flows.now + 20 * USEC_PER_SEC;
    usec rise = drop + 30 * USEC_PER_SEC;
    flows_run(&flows, drop);
    flows_change(&flows, &low);
    flows_run(&flows, rise);
    /* what was sent half a second after the drop waits in the queue that it made */
    usec drained = flows_queue_below(&flows, DRAINED, drop + 500 * USEC_PER_MS);
    figures->drain_s = seconds(drained - drop);
    flows_change(&flows, &high);
    figures->rise_s = rise_time(&flows, rise);
    flows_close(&flows);
}

static void run_two(struct figures *figures, uint64_t seed)
{
    struct flows flows;
    open_path(&flows, seed, 2 * MBIT, 2);
    flows.flow[1].next_frame += 10 * USEC_PER_SEC;
    flows.flow[1].next_voice += 10 * USEC_PER_SEC;
    usec begin = flows.now;
    flows_run(&flows, begin + 60 * USEC_PER_SEC);
    double a = flows_rate(&flows, 0, begin + 30 * USEC_PER_SEC, flows.now);
    double b = flows_rate(&flows, 1, begin + 30 * USEC_PER_SEC, flows.now);
    figures->jain = (a + b) * (a + b) / (2 * (a * a + b * b));
    flows_close(&flows);
}

static void run_lossy(struct figures *figures, uint64_t seed)
{
    struct video_world *world = calloc(1, sizeof *world);
    if (!world) {
        abort();
    }
    const struct network_config lossy = {.delay = 50 * USEC_PER_MS, .in_order = true, .loss = 0.05};
    const struct network_config paths[] = {lossy, lossy};
    const struct video_party_config parties[2] = {{.bitrate = WANTED}, {.bitrate = WANTED}};
    video_world_open(world, seed, parties, paths, NULL, 0, NULL);
    usec from = world->now + SETTLE;
    usec to = from + 60 * USEC_PER_SEC;
    unsigned smaller = 0;
    video_world_run(world, from);
    while (world->now < to) {
        video_world_run(world, world->now + USEC_PER_SEC);
        smaller += world->parties[0].target.width < WIDTH || world->parties[1].target.width < WIDTH;
    }
    for (int viewer = 0; viewer < VIDEO_WORLD_PARTIES; viewer++) {
        double frozen = video_party_frozen(&world->parties[viewer], from, to);
        figures->frozen_share = frozen > figures->frozen_share ? frozen : figures->frozen_share;
    }
    if (smaller > 0) {
        figures->frozen_share = 1; /* smaller pictures are not what was asked for */
    }
    video_world_close(world);
    free(world);
}

static void take_worst(struct figures *worst, const struct figures *figures)
{
    if (figures->steady_use < worst->steady_use) {
        worst->steady_use = figures->steady_use;
    }
    if (figures->queue_p95_ms > worst->queue_p95_ms) {
        worst->queue_p95_ms = figures->queue_p95_ms;
    }
    if (figures->drain_s > worst->drain_s) {
        worst->drain_s = figures->drain_s;
    }
    if (figures->rise_s > worst->rise_s) {
        worst->rise_s = figures->rise_s;
    }
    if (figures->jain < worst->jain) {
        worst->jain = figures->jain;
    }
    if (figures->frozen_share > worst->frozen_share) {
        worst->frozen_share = figures->frozen_share;
    }
}

int main(int argc, char **argv)
{
    unsigned seeds = SEEDS;
    if (argc == 3 && strcmp(argv[1], "--seeds") == 0) {
        seeds = (unsigned)strtoul(argv[2], NULL, 10);
    } else if (argc > 1) {
        printf("usage: network [--seeds N]   (default: %d)\n", SEEDS);
        return strcmp(argv[1], "--help") == 0 ? 0 : 2;
    }
    struct figures worst = {.steady_use = 1, .jain = 1};
    printf("seed  use of 1 Mbit/s  queue p95   drained in  80 %% after  Jain   frozen\n");
    for (unsigned seed = 1; seed <= seeds; seed++) {
        struct figures figures = {0};
        run_steady(&figures, seed);
        run_steps(&figures, seed);
        run_two(&figures, seed);
        run_lossy(&figures, seed);
        printf("%4u  %13.1f %%  %6.0f ms  %8.1f s  %8.1f s  %.3f  %.2f %%\n", seed,
               figures.steady_use * 100, figures.queue_p95_ms, figures.drain_s, figures.rise_s,
               figures.jain, figures.frozen_share * 100);
        take_worst(&worst, &figures);
    }
    printf("{\"steady_use\": %.3f, \"queue_p95_ms\": %.1f, \"drain_s\": %.2f, \"rise_s\": %.2f, "
           "\"jain\": %.3f, \"frozen_share\": %.4f}\n",
           worst.steady_use, worst.queue_p95_ms, worst.drain_s, worst.rise_s, worst.jain,
           worst.frozen_share);
    return 0;
}
