#include "rtp/delay_estimate.h"

#include <math.h>
#include <string.h>

enum {
    PACKETS_MAX = 1000,   /* mean and deviation are over about this many */
    PACKETS_SETTLED = 50, /* before that the largest transit seen bounds nothing */
    ORIGIN_BINS = 64,     /* bins below the first packet's transit */
    SPAN = 10             /* seconds */
};

static const double forget = 0.999;   /* each packet leaves this much of the weight before */
static const double weight_max = 1e6; /* then the histogram is scaled down */
static const double first_deviation = 8000.0; /* usec, assumed before anything is known */

void delay_estimate_init(struct delay_estimate *estimate)
{
    memset(estimate, 0, sizeof *estimate);
    estimate->weight = 1;
    estimate->variance = first_deviation * first_deviation;
}

static void scale_down(struct delay_estimate *estimate)
{
    for (size_t i = 0; i < DELAY_BINS; i++) {
        estimate->bins[i] /= (float)weight_max;
    }
    estimate->total /= weight_max;
    estimate->weight /= weight_max;
}

/* Moves the bins so that this one becomes number `to`; what leaves at an end stays in the last bin.
 */
static void move_bins(struct delay_estimate *estimate, int64_t bin, int64_t to)
{
    float moved[DELAY_BINS] = {0};
    for (int64_t i = 0; i < DELAY_BINS; i++) {
        int64_t at = i + to - bin;
        at = at < 0 ? 0 : at >= DELAY_BINS ? DELAY_BINS - 1 : at;
        moved[at] += estimate->bins[i];
    }
    memcpy(estimate->bins, moved, sizeof moved);
    estimate->origin += (bin - to) * DELAY_BIN;
}

static int64_t bin_of(const struct delay_estimate *estimate, usec transit)
{
    usec above = transit - estimate->origin;
    return above >= 0 ? above / DELAY_BIN : -((-above + DELAY_BIN - 1) / DELAY_BIN);
}

static void count_in_histogram(struct delay_estimate *estimate, usec transit)
{
    int64_t bin = bin_of(estimate, transit);
    if (bin < 0 || bin >= DELAY_BINS) {
        int64_t to = bin < 0 ? ORIGIN_BINS : DELAY_BINS - ORIGIN_BINS;
        move_bins(estimate, bin, to);
        bin = to;
    }
    estimate->bins[bin] += (float)estimate->weight;
    estimate->total += estimate->weight;
    estimate->weight /= forget;
    if (estimate->weight > weight_max) {
        scale_down(estimate);
    }
}

static void keep_maximum(struct delay_estimate *estimate, usec transit, usec now)
{
    if (now >= estimate->span_end) {
        bool long_ago = now >= estimate->span_end + SPAN * USEC_PER_SEC;
        estimate->older_max = long_ago ? transit : estimate->recent_max;
        estimate->recent_max = transit;
        estimate->span_end = now + SPAN * USEC_PER_SEC;
    }
    estimate->recent_max = transit > estimate->recent_max ? transit : estimate->recent_max;
}

void delay_estimate_add(struct delay_estimate *estimate, usec transit, usec now)
{
    if (estimate->packets == 0) {
        estimate->mean = (double)transit;
        estimate->origin = transit - ORIGIN_BINS * (usec)DELAY_BIN;
        estimate->recent_max = estimate->older_max = transit;
        estimate->span_end = now + SPAN * USEC_PER_SEC;
    }
    /* the assumed deviation counts as the first few packets */
    estimate->packets += estimate->packets < PACKETS_MAX ? 1 : 0;
    double away = (double)transit - estimate->mean;
    double share = 1 / estimate->packets;
    double variance_share = 1 / (estimate->packets + 3);
    estimate->mean += share * away;
    estimate->variance += variance_share * (away * away * (1 - share) - estimate->variance);
    count_in_histogram(estimate, transit);
    keep_maximum(estimate, transit, now);
}

static usec quantile_of(const struct delay_estimate *estimate, double quantile)
{
    double above = (1 - quantile) * estimate->total;
    for (size_t i = DELAY_BINS; i-- > 0;) {
        if (estimate->bins[i] >= above && estimate->bins[i] > 0) {
            double part = above / estimate->bins[i];
            return estimate->origin + (usec)(((double)i + 1 - part) * DELAY_BIN);
        }
        above -= estimate->bins[i];
    }
    return estimate->origin;
}

static usec latest_of(const struct delay_estimate *estimate)
{
    return estimate->recent_max > estimate->older_max ? estimate->recent_max : estimate->older_max;
}

usec delay_estimate_usual(const struct delay_estimate *estimate)
{
    usec latest = latest_of(estimate);
    return estimate->mean > (double)latest ? latest : (usec)estimate->mean;
}

usec delay_estimate_bound(const struct delay_estimate *estimate, double deviations, double quantile)
{
    usec bound = (usec)(estimate->mean + deviations * sqrt(estimate->variance));
    usec spikes = quantile_of(estimate, quantile);
    bound = spikes > bound ? spikes : bound;
    usec latest = latest_of(estimate);
    bool settled = estimate->packets >= PACKETS_SETTLED;
    return settled && bound > latest ? latest : bound;
}

double delay_estimate_tail(const struct delay_estimate *estimate, usec transit)
{
    double above = 0;
    int64_t bin = bin_of(estimate, transit);
    for (int64_t i = bin < 0 ? 0 : bin + 1; i < DELAY_BINS; i++) {
        above += estimate->bins[i];
    }
    double counted = estimate->total > 0 ? above / estimate->total : 0;
    double z = ((double)transit - estimate->mean) / sqrt(estimate->variance + 1);
    double normal = 0.5 * erfc(z * M_SQRT1_2);
    return counted > normal ? counted : normal;
}
