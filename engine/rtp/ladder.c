#include "rtp/ladder.h"

#include <math.h>
#include <string.h>

/* What a camera needs to look right: 900 kbit/s for 1280x720 at 30 a second. Smaller and fewer
 * pictures need more bits a pixel, for there is less to predict them from. */
static const double reference_bitrate = 900000;
static const double reference_pixels = 1280.0 * 720;
static const double reference_rate = 30;
static const double pixels_power = 0.8;
static const double rate_power = 0.65;

/* More than this many times what it needs does not make the best rung better. */
#define USEFUL 4

/* A better rung must be affordable with this much to spare. */
#define SPARE 1.15

#define RATE_LEAST 1
#define SIDE_LEAST 90 /* the shorter side is not made smaller than this */

#define REST_LEAST     (2 * USEC_PER_SEC)
#define REST_MOST      (16 * USEC_PER_SEC)
#define POOR_MAX       USEC_PER_SEC
#define PATIENCE_FIRST (3 * USEC_PER_SEC / 2) /* until it first went up */
#define PATIENCE_LEAST (3 * USEC_PER_SEC)
#define PATIENCE_MOST  (30 * USEC_PER_SEC)
#define MISTAKE        (8 * USEC_PER_SEC) /* a fall so soon after a rise */

struct step {
    double size; /* of each side */
    double rate;
};

static const struct step camera_steps[] = {
    {1, 1},       {1, 2.0 / 3}, {0.75, 2.0 / 3}, {0.5, 2.0 / 3},  {0.5, 0.5},
    {0.375, 0.5}, {0.25, 0.5},  {0.25, 1.0 / 3}, {0.25, 1.0 / 6},
};

static const struct step screen_steps[] = {
    {1, 1},        {1, 2.0 / 3},     {1, 0.5},        {1, 1.0 / 3},    {1, 0.2},
    {1, 2.0 / 15}, {0.75, 2.0 / 15}, {0.5, 2.0 / 15}, {0.5, 1.0 / 15},
};

static uint32_t even(double side)
{
    uint32_t whole = (uint32_t)(side / 2 + 0.5) * 2;
    return whole < 2 ? 2 : whole;
}

static uint32_t needs(const struct ladder_rung *rung)
{
    double pixels = (double)rung->width * rung->height / reference_pixels;
    double rate = rung->frame_rate / reference_rate;
    return (uint32_t)(reference_bitrate * pow(pixels, pixels_power) * pow(rate, rate_power));
}

static void add_rung(struct ladder *ladder, const struct ladder_rung *top, const struct step *step)
{
    uint32_t shorter = top->width < top->height ? top->width : top->height;
    bool too_small = step->size < 1 && shorter * step->size < SIDE_LEAST;
    double rate = top->frame_rate * step->rate;
    struct ladder_rung rung = {
        .width = even(top->width * (too_small ? 1 : step->size)),
        .height = even(top->height * (too_small ? 1 : step->size)),
        .frame_rate = rate < RATE_LEAST ? RATE_LEAST : (uint32_t)(rate + 0.5),
    };
    if (too_small && ladder->count > 0) { /* as small as the rung before, and slower */
        rung.width = ladder->rungs[ladder->count - 1].width;
        rung.height = ladder->rungs[ladder->count - 1].height;
    }
    rung.least = needs(&rung);
    if (ladder->count == 0 || rung.least < ladder->rungs[ladder->count - 1].least) {
        ladder->rungs[ladder->count++] = rung;
    }
}

void ladder_open(struct ladder *ladder, uint32_t width, uint32_t height, uint32_t frame_rate,
                 bool screen, uint32_t bitrate)
{
    struct ladder_rung top = {.width = width, .height = height, .frame_rate = frame_rate};
    const struct step *steps = screen ? screen_steps : camera_steps;
    size_t count = screen ? sizeof screen_steps / sizeof screen_steps[0]
                          : sizeof camera_steps / sizeof camera_steps[0];
    memset(ladder, 0, sizeof *ladder);
    ladder->poor = ladder->rich = USEC_NEVER;
    ladder->rest = REST_LEAST;
    ladder->patience = PATIENCE_FIRST;
    if (width == 0 || height == 0 || frame_rate == 0) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        add_rung(ladder, &top, &steps[i]);
    }
    uint64_t useful = (uint64_t)ladder->rungs[0].least * USEFUL;
    ladder->most = useful < bitrate ? (uint32_t)useful : bitrate;
}

/* The best rung that needs no more than this. */
static size_t affordable(const struct ladder *ladder, double bitrate)
{
    size_t rung = 0;
    while (rung + 1 < ladder->count && ladder->rungs[rung].least > bitrate) {
        rung++;
    }
    return rung;
}

static void turn(struct ladder *ladder, bool paused, bool trial, usec now)
{
    ladder->paused = paused;
    ladder->trial = trial;
    ladder->turned = now;
}

/* Whether nothing is to be sent. */
static bool pause(struct ladder *ladder, uint32_t bitrate, usec now)
{
    usec since = now - ladder->turned;
    if (bitrate >= (ladder->paused || ladder->trial ? LADDER_RESUME : LADDER_PAUSE)) {
        turn(ladder, false, false, now);
        ladder->rest = REST_LEAST;
    } else if (ladder->trial && since < LADDER_TRIAL) {
        return false;
    } else if (ladder->paused && since >= ladder->rest) {
        turn(ladder, false, true, now);
        ladder->rest = ladder->rest * 2 > REST_MOST ? REST_MOST : ladder->rest * 2;
        ladder->rung = ladder->count - 1;
    } else if (!ladder->paused) {
        turn(ladder, true, false, now);
    }
    return ladder->paused;
}

uint32_t ladder_bitrate(const struct ladder *ladder, uint32_t bitrate)
{
    uint32_t least = ladder->trial ? LADDER_RESUME : 0;
    bitrate = bitrate < least ? least : bitrate;
    return bitrate < ladder->most ? bitrate : ladder->most;
}

static bool fall(struct ladder *ladder, uint32_t bitrate, usec now)
{
    uint32_t least = ladder->rungs[ladder->rung].least;
    if (bitrate >= least || ladder->rung + 1 == ladder->count) {
        ladder->poor = USEC_NEVER;
        return false;
    }
    if (ladder->poor == USEC_NEVER) {
        ladder->poor = now;
    }
    bool far_too_little = bitrate < least / 3 * 2;
    if (!far_too_little && now - ladder->poor < POOR_MAX) {
        return false;
    }
    if (ladder->rose && now - ladder->rose < MISTAKE) {
        ladder->patience *= 2;
        ladder->patience = ladder->patience > PATIENCE_MOST ? PATIENCE_MOST : ladder->patience;
    }
    ladder->rung = affordable(ladder, bitrate);
    ladder->poor = ladder->rich = USEC_NEVER;
    return true;
}

static bool rise(struct ladder *ladder, uint32_t bitrate, usec now)
{
    size_t best = affordable(ladder, bitrate / SPARE);
    if (best >= ladder->rung) {
        ladder->rich = USEC_NEVER;
        return false;
    }
    if (ladder->rich == USEC_NEVER) {
        ladder->rich = now;
        ladder->rich_rung = best;
    }
    ladder->rich_rung = best > ladder->rich_rung ? best : ladder->rich_rung;
    if (now - ladder->rich < ladder->patience) {
        return false;
    }
    if (!ladder->rose || now - ladder->rose > 4 * MISTAKE) {
        ladder->patience = PATIENCE_LEAST; /* the last rise was none */
    }
    ladder->rung = ladder->rich_rung;
    ladder->rose = now;
    ladder->rich = USEC_NEVER;
    return true;
}

bool ladder_follow(struct ladder *ladder, uint32_t bitrate, usec now)
{
    if (ladder->count == 0) {
        return false;
    }
    bool was_paused = ladder->paused;
    if (pause(ladder, bitrate, now)) {
        return !was_paused;
    }
    if (!ladder->begun) {
        ladder->begun = true;
        ladder->rung = affordable(ladder, bitrate);
        return true;
    }
    bool moved = fall(ladder, bitrate, now) || rise(ladder, bitrate, now);
    return moved || was_paused;
}

const struct ladder_rung *ladder_rung(const struct ladder *ladder)
{
    return ladder->count > 0 && !ladder->paused ? &ladder->rungs[ladder->rung] : NULL;
}
