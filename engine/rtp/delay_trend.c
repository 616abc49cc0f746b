#include "rtp/delay_trend.h"

#include <math.h>

#define SMOOTHING 0.9

/* The line's slope is tiny; with these it is in the threshold's units of about a millisecond. */
#define GAIN      4.0
#define COUNT_MAX 60

#define THRESHOLD_BEGIN 12.5
#define THRESHOLD_MIN   6.0
#define THRESHOLD_MAX   600.0
#define THRESHOLD_UP    0.0087
#define THRESHOLD_DOWN  0.039
#define OUTLIER         15.0  /* a step so far beyond the threshold does not move it */
#define STEP_MAX        100.0 /* ms */

#define OVERUSE_TIME 10.0 /* ms that the slope must last */

void delay_trend_init(struct delay_trend *trend)
{
    *trend = (struct delay_trend){.threshold = THRESHOLD_BEGIN};
}

static double ms(usec span)
{
    return (double)span / USEC_PER_MS;
}

/* Least squares. */
static double slope(const struct delay_trend *trend)
{
    double mean_x = 0;
    double mean_y = 0;
    for (unsigned i = 0; i < DELAY_TREND_WINDOW; i++) {
        mean_x += trend->samples[i].arrival / DELAY_TREND_WINDOW;
        mean_y += trend->samples[i].delay / DELAY_TREND_WINDOW;
    }
    double above = 0;
    double below = 0;
    for (unsigned i = 0; i < DELAY_TREND_WINDOW; i++) {
        double x = trend->samples[i].arrival - mean_x;
        above += x * (trend->samples[i].delay - mean_y);
        below += x * x;
    }
    return below > 0 ? above / below : trend->trend;
}

static void adapt_threshold(struct delay_trend *trend, double value, usec at)
{
    double passed = trend->threshold_at ? ms(at - trend->threshold_at) : 0;
    trend->threshold_at = at;
    double distance = fabs(value) - trend->threshold;
    if (distance > OUTLIER) {
        return;
    }
    double factor = distance < 0 ? THRESHOLD_DOWN : THRESHOLD_UP;
    trend->threshold += factor * distance * fmin(fmax(passed, 0), STEP_MAX);
    trend->threshold = fmin(fmax(trend->threshold, THRESHOLD_MIN), THRESHOLD_MAX);
}

static void judge(struct delay_trend *trend, double before, usec sent, usec at)
{
    double value = fmin(trend->count, COUNT_MAX) * trend->trend * GAIN;
    if (value > trend->threshold) {
        /* from the middle of the first interval */
        trend->overused += trend->overused_count ? ms(sent) : ms(sent) / 2;
        trend->overused_count++;
        if (trend->overused > OVERUSE_TIME && trend->overused_count > 1 && trend->trend >= before) {
            trend->overused = 0;
            trend->overused_count = 0;
            trend->usage = PATH_OVERUSED;
        }
    } else {
        trend->overused = 0;
        trend->overused_count = 0;
        trend->usage = value < -trend->threshold ? PATH_UNDERUSED : PATH_NORMAL;
    }
    adapt_threshold(trend, value, at);
}

enum path_usage delay_trend_add(struct delay_trend *trend, const struct group_delta *delta)
{
    if (trend->count == 0) {
        trend->begin = delta->at;
    }
    trend->accumulated += ms(delta->arrival - delta->sent);
    trend->smoothed = SMOOTHING * trend->smoothed + (1 - SMOOTHING) * trend->accumulated;
    unsigned at = trend->count++ % DELAY_TREND_WINDOW;
    trend->samples[at].arrival = ms(delta->at - trend->begin);
    trend->samples[at].delay = trend->smoothed;
    double before = trend->trend;
    if (trend->count >= DELAY_TREND_WINDOW) {
        trend->trend = slope(trend);
    }
    judge(trend, before, delta->sent, delta->at);
    return trend->usage;
}
