/* Does the queue on the path grow? A straight line through the last delay variations of arrival
 * groups, against a threshold that adapts so that flows of TCP do not starve us (Carlucci et al.,
 * "Congestion Control for Web Real-Time Communication", 2017; draft-ietf-rmcat-gcc-02, 5.3, 5.4).
 */
#ifndef JINGLE_RTP_DELAY_TREND_H
#define JINGLE_RTP_DELAY_TREND_H

#include "base/clock.h"
#include "rtp/arrival_groups.h"

#define DELAY_TREND_WINDOW 20

enum path_usage {
    PATH_NORMAL,
    PATH_OVERUSED,  /* the queue grows */
    PATH_UNDERUSED, /* it shrinks */
};

struct delay_trend {
    struct {
        double arrival;
        double delay;
    } samples[DELAY_TREND_WINDOW]; /* in ms */
    unsigned count;                /* of all samples */
    usec begin;
    double accumulated; /* delay variations, ms */
    double smoothed;
    double trend; /* of the last sample */
    double threshold;
    usec threshold_at;
    double overused; /* ms of sending */
    unsigned overused_count;
    enum path_usage usage;
};

void delay_trend_init(struct delay_trend *trend);
enum path_usage delay_trend_add(struct delay_trend *trend, const struct group_delta *delta);

#endif
