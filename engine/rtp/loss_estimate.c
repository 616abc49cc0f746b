#include "rtp/loss_estimate.h"

#include <math.h>

#define OBSERVATION_TIME    (250 * USEC_PER_MS)
#define OBSERVATION_PACKETS 20

/* When nearly nothing comes through, the path is away; that says nothing of its bandwidth. */
#define OUTAGE 0.8

#define AGEING 0.93 /* weight of an observation against the next younger one */
#define SMOOTH 0.2

/* More loss by chance than this is believed only if a lower rate had it too; the factor is in units
 * of log-likelihood, so that a few dozen packets outweigh it. */
#define CHANCE_USUAL 0.08
#define CHANCE_DOUBT 20.0

/* A limit must explain the loss better than chance by this: about one in a hundred wrong. */
#define LIMIT_EVIDENCE 4.5

#define PROBABILITY_LEAST 0.001

static const double chances[] = {0,    0.005, 0.01, 0.02, 0.03, 0.05, 0.07,
                                 0.10, 0.13,  0.17, 0.22, 0.30, 0.40};
static const double shares[] = {0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95};

static double log_likelihood(const struct loss_estimate *estimate, double chance, double bandwidth)
{
    unsigned count = estimate->count < LOSS_OBSERVATIONS ? estimate->count : LOSS_OBSERVATIONS;
    double sum = chance > CHANCE_USUAL ? (CHANCE_USUAL - chance) * CHANCE_DOUBT : 0;
    double weight = 1;
    for (unsigned age = 0; age < count; age++, weight *= AGEING) {
        const struct loss_observation *seen =
            &estimate->seen[(estimate->count - 1 - age) % LOSS_OBSERVATIONS];
        double excess = seen->rate > bandwidth ? 1 - bandwidth / seen->rate : 0;
        double lost = fmax(chance + (1 - chance) * excess, PROBABILITY_LEAST);
        sum += weight * (seen->lost * log(lost) + (seen->packets - seen->lost) * log(1 - lost));
    }
    return sum;
}

/* The best that any loss by chance does together with this bandwidth. */
static double best_chance(const struct loss_estimate *estimate, double bandwidth, double *chance)
{
    double best = -INFINITY;
    for (size_t i = 0; i < sizeof chances / sizeof *chances; i++) {
        double value = log_likelihood(estimate, chances[i], bandwidth);
        if (value > best) {
            best = value;
            *chance = chances[i];
        }
    }
    return best;
}

static void explain(struct loss_estimate *estimate)
{
    double highest = 0;
    unsigned lost = 0;
    unsigned count = estimate->count < LOSS_OBSERVATIONS ? estimate->count : LOSS_OBSERVATIONS;
    for (unsigned i = 0; i < count; i++) {
        highest = fmax(highest, estimate->seen[i].rate);
        lost += estimate->seen[i].lost;
    }
    estimate->limit = 0;
    estimate->inherent = 0;
    if (lost == 0) {
        return;
    }
    double best = best_chance(estimate, highest, &estimate->inherent) + LIMIT_EVIDENCE;
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        double chance = 0;
        double value = best_chance(estimate, shares[i] * highest, &chance);
        if (value > best) {
            best = value;
            estimate->limit = shares[i] * highest;
            estimate->inherent = chance;
        }
    }
}

void loss_estimate_add(struct loss_estimate *estimate, usec sent, size_t bytes, bool lost)
{
    if (estimate->packets == 0) {
        estimate->begin = sent;
    }
    estimate->end = sent;
    estimate->bytes += bytes;
    estimate->packets++;
    estimate->lost += lost ? 1 : 0;
}

void loss_estimate_arrived_late(struct loss_estimate *estimate)
{
    if (estimate->lost > 0) {
        estimate->lost--;
        return;
    }
    struct loss_observation *last = &estimate->seen[(estimate->count - 1) % LOSS_OBSERVATIONS];
    if (estimate->count > 0 && last->lost > 0) {
        last->lost--;
    }
}

void loss_estimate_update(struct loss_estimate *estimate)
{
    usec span = estimate->end - estimate->begin;
    if (estimate->packets < OBSERVATION_PACKETS || span < OBSERVATION_TIME) {
        return;
    }
    double share = (double)estimate->lost / estimate->packets;
    estimate->share += SMOOTH * (share - estimate->share);
    if (share < OUTAGE) {
        estimate->seen[estimate->count++ % LOSS_OBSERVATIONS] = (struct loss_observation){
            .rate = (double)estimate->bytes * 8 * USEC_PER_SEC / (double)span,
            .packets = estimate->packets,
            .lost = estimate->lost,
        };
        explain(estimate);
    }
    estimate->packets = 0;
    estimate->bytes = 0;
    estimate->lost = 0;
}
