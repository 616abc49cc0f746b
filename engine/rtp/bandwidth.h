/* What a path carries, as its sender finds out:
 *
 *     transport-wide feedback ─┬▶ arrival_groups ─▶ delay_trend ─▶ rate_control ─┐
 *                              ├▶ byte_window: what is acknowledged ──────────▲  │
 *                              ├▶ prober: how fast a probe arrived ───────────┘  ├▶ least of them
 *                              └▶ loss_estimate ─────────────────────────────────┤
 *     reports, where there is no such feedback: loss ────────────────────────────┤
 *     REMB ──────────────────────────────────────────────────────────────────────┘
 *
 * rtp/uplink.h sends and paces by it. */
#ifndef JINGLE_RTP_BANDWIDTH_H
#define JINGLE_RTP_BANDWIDTH_H

#include "base/clock.h"
#include "base/log.h"
#include "rtp/arrival_groups.h"
#include "rtp/byte_window.h"
#include "rtp/delay_trend.h"
#include "rtp/loss_estimate.h"
#include "rtp/prober.h"
#include "rtp/rate_control.h"
#include "rtp/rtcp_feedback.h"
#include "rtp/send_history.h"
#include "rtp/uplink.h"

#include <stdbool.h>
#include <stdint.h>

/* The least of a span of time that slides on in two halves. */
struct sliding_least {
    usec since;
    usec before;
    usec now;
};

struct bandwidth {
    double start, least, most; /* bit/s */
    double wanted;             /* as on the wire; 0: nothing that could use more */
    const struct logger *log;

    bool feedback_known; /* transport-wide feedback came */
    struct arrival_groups groups;
    struct delay_trend trend;
    struct byte_window acknowledged;
    struct rate_control control;
    struct loss_estimate loss;
    struct prober prober;
    bool arrival_known;
    usec arrival_told; /* of the last packet, on the peer's wrapping clock */
    usec arrival;      /* the same without wraps */
    struct sliding_least delay;
    double step;   /* mean of the differences of delay from packet to packet, usec */
    double jitter; /* mean deviation from that */
    usec last_delay;
    usec queue; /* queueing delay, of which jitter is no part */

    bool begun; /* the first probes are planned */
    usec probed;
    usec probe_every;
    usec probe_looked;
    unsigned probe_retries;
    bool limited; /* less was sent lately than allowed */

    usec sent;          /* the first packet that no feedback followed; USEC_NEVER: none */
    double silence;     /* limit while no feedback comes; 0: none */
    double good;        /* the rate before it */
    usec silence_acted; /* when it was last lowered */

    double remb;   /* 0: the peer told none */
    double report; /* rate by loss in reports, where there is no transport-wide feedback */
    double report_share;
    usec reported;
    usec cut; /* when `report` was last lowered */

    usec round_trip; /* -1: unknown */
    usec round_trip_least;
    usec round_trip_reported;
    uint64_t feedbacks;
    uint64_t refused;
};

void bandwidth_init(struct bandwidth *bandwidth, const struct uplink_config *config);

/* The path is another one. */
void bandwidth_reset(struct bandwidth *bandwidth, usec now);

void bandwidth_set_limits(struct bandwidth *bandwidth, uint32_t least, uint32_t most);

/* Bit/s as on the wire that the call could use. */
void bandwidth_set_wanted(struct bandwidth *bandwidth, double rate);

/* A packet with a transport-wide number left. */
void bandwidth_sent(struct bandwidth *bandwidth, usec now);

/* `limited`: less was sent lately than allowed. */
void bandwidth_feedback(struct bandwidth *bandwidth, struct send_history *history,
                        const struct rtcp_feedback *feedback, bool limited, usec now);
void bandwidth_remb(struct bandwidth *bandwidth, uint64_t rate);

/* A report told that this share of our packets was lost. */
void bandwidth_report(struct bandwidth *bandwidth, double lost, usec now);
void bandwidth_round_trip(struct bandwidth *bandwidth, usec round_trip, usec now);

/* Plans probes, backs off in silence. */
void bandwidth_tick(struct bandwidth *bandwidth, usec now);
usec bandwidth_next_deadline(const struct bandwidth *bandwidth);

double bandwidth_rate(const struct bandwidth *bandwidth, enum uplink_limit *limit);
double bandwidth_loss(const struct bandwidth *bandwidth);

#endif
