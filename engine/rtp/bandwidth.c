#include "rtp/bandwidth.h"

#include <math.h>
#include <stdlib.h>

#define ACKNOWLEDGED_SPAN (500 * USEC_PER_MS)
#define BASE_DELAY_SPAN   (15 * USEC_PER_SEC)

/* Probes at the start, of the start rate; further ones of what was confirmed. */
#define PROBE_FIRST     3.0
#define PROBE_SECOND    6.0
#define PROBE_FURTHER   2.0
#define PROBE_CONFIRMED 0.7
#define PROBE_FREE      0.85
#define PROBE_EVERY     (5 * USEC_PER_SEC)
#define PROBE_EVERY_MAX (8 * USEC_PER_SEC)
#define PROBE_RETRIES   3
#define PROBE_PATIENCE  (200 * USEC_PER_MS) /* and two round trips, for an answer */
#define PROBE_LOOK      (100 * USEC_PER_MS) /* when it is due and the path is not free yet */
#define PROBE_LATER     1.25                /* times, after one that found nothing */
#define PROBE_QUEUE_MAX (30 * USEC_PER_MS)
#define PROBE_GAIN      1.15 /* a probe must find so much more to count as a success */

/* No feedback for so long, and two round trips: what we send may not arrive at all. */
#define SILENCE       USEC_PER_SEC
#define SILENCE_AGAIN (500 * USEC_PER_MS)
#define SILENCE_CUT   0.7

/* draft-ietf-rmcat-gcc-02, section 6: for reports, which come too seldom for a better judgement */
#define REPORT_LOSS_LOW  0.02
#define REPORT_LOSS_HIGH 0.10
#define REPORT_GROWTH    1.08                /* in a second, with nothing but reports; */
#define REMB_GROWTH      1.5                 /* where the peer watches the delay */
#define REPORT_QUEUE     (150 * USEC_PER_MS) /* a round trip so much longer than the best one: too */
#define REPORT_QUEUE_CUT 0.15                /* much is sent */
#define REPORT_STEP_MAX  (3 * USEC_PER_SEC)
#define REPORT_CUT_PAUSE (300 * USEC_PER_MS)

/* Jitter of packets makes the least delay of a few of them higher than that of many, by about this
 * share; this much comes from packets of one frame that wait for each other. */
#define JITTER_SHARE   3.5
#define JITTER_USUAL   (6.0 * USEC_PER_MS)
#define JITTER_OUTLIER (200.0 * USEC_PER_MS)
#define STEP_WEIGHT    16
#define JITTER_WEIGHT  64

/* Reordered packets step back by less, outages forward. */
#define CLOCK_FORWARD (120 * USEC_PER_SEC)
#define CLOCK_BACK    (5 * USEC_PER_SEC)
#define DELAY_JUMP    (10 * USEC_PER_SEC) /* from one packet to the next */

#define ROUND_TRIP_DEFAULT (200 * USEC_PER_MS)
#define ROUND_TRIP_FRESH   (10 * USEC_PER_SEC)

static double clamp(double value, double least, double most)
{
    return fmax(fmin(value, most), least);
}

static void forget_arrivals(struct bandwidth *bandwidth)
{
    bandwidth->groups = (struct arrival_groups){0};
    delay_trend_init(&bandwidth->trend);
    byte_window_init(&bandwidth->acknowledged, ACKNOWLEDGED_SPAN);
    bandwidth->delay = (struct sliding_least){0, USEC_NEVER, USEC_NEVER};
    bandwidth->queue = 0;
}

static void forget_path(struct bandwidth *bandwidth)
{
    forget_arrivals(bandwidth);
    rate_control_init(&bandwidth->control, bandwidth->start);
    bandwidth->loss = (struct loss_estimate){0};
    prober_init(&bandwidth->prober);
    bandwidth->arrival_known = false;
    bandwidth->begun = false;
    bandwidth->probe_every = PROBE_EVERY;
    bandwidth->sent = USEC_NEVER;
    bandwidth->silence = 0;
    bandwidth->report = bandwidth->start;
    bandwidth->remb = 0;
    bandwidth->round_trip = -1;
    bandwidth->round_trip_reported = 0;
}

void bandwidth_init(struct bandwidth *bandwidth, const struct uplink_config *config)
{
    *bandwidth = (struct bandwidth){.log = config->log};
    bandwidth_set_limits(bandwidth, config->least, config->most);
    double start = config->start ? config->start : UPLINK_START;
    bandwidth->start = clamp(start, bandwidth->least, bandwidth->most);
    forget_path(bandwidth);
}

void bandwidth_reset(struct bandwidth *bandwidth, usec now)
{
    forget_path(bandwidth);
    bandwidth->probed = now;
}

void bandwidth_set_limits(struct bandwidth *bandwidth, uint32_t least, uint32_t most)
{
    bandwidth->least = least ? least : UPLINK_LEAST;
    bandwidth->most = fmax(most ? most : UPLINK_MOST, bandwidth->least);
}

void bandwidth_set_wanted(struct bandwidth *bandwidth, double rate)
{
    bandwidth->wanted = rate;
}

double bandwidth_loss(const struct bandwidth *bandwidth)
{
    return bandwidth->feedback_known ? bandwidth->loss.share : bandwidth->report_share;
}

static void take_lower(double *rate, double other, enum uplink_limit *limit, enum uplink_limit why)
{
    if (other > 0 && other <= *rate) {
        *rate = other;
        *limit = why;
    }
}

double bandwidth_rate(const struct bandwidth *bandwidth, enum uplink_limit *limit)
{
    double rate = bandwidth->feedback_known ? bandwidth->control.rate : bandwidth->report;
    *limit = UPLINK_LIMIT_NONE;
    if (bandwidth->feedback_known) {
        bool met = bandwidth->control.capacity > 0;
        *limit = met ? UPLINK_LIMIT_DELAY : UPLINK_LIMIT_NONE;
        take_lower(&rate, bandwidth->loss.limit, limit, UPLINK_LIMIT_LOSS);
    } else if (bandwidth->report_share > REPORT_LOSS_LOW) {
        *limit = UPLINK_LIMIT_LOSS;
    }
    take_lower(&rate, bandwidth->remb, limit, UPLINK_LIMIT_PEER);
    take_lower(&rate, bandwidth->silence, limit, UPLINK_LIMIT_SILENCE);
    take_lower(&rate, bandwidth->most, limit, UPLINK_LIMIT_CONFIG);
    return fmax(rate, bandwidth->least);
}

/* --- probes -- */

static double probe_most(const struct bandwidth *bandwidth)
{
    double most = fmin(bandwidth->most, 2 * bandwidth->wanted);
    return bandwidth->remb > 0 ? fmin(most, bandwidth->remb) : most;
}

static void plan_probe(struct bandwidth *bandwidth, double rate, usec now)
{
    double most = probe_most(bandwidth);
    rate = fmin(rate, most);
    if (rate > 1.1 * bandwidth->control.rate) {
        prober_plan(&bandwidth->prober, rate, now);
        bandwidth->probed = now;
    }
}

static void take_probes(struct bandwidth *bandwidth, usec now)
{
    double tried;
    double rate;
    while (prober_result(&bandwidth->prober, &tried, &rate)) {
        double before = bandwidth->control.rate;
        /* where others share a full path, a burst takes from them for a moment what would not last
         * (once the path was met, only a probe that was not held up counts) */
        bool counts = bandwidth->control.capacity <= 0 || rate > PROBE_FREE * tried;
        if (counts) {
            rate_control_probed(&bandwidth->control, rate, now);
        }
        if (bandwidth->control.capacity <= 0) {
            bandwidth->control.measured = rate;
            bandwidth->control.measured_at = now;
        }
        log_debug(bandwidth->log, "A probe of %.0f kbit/s arrived with %.0f; the rate was %.0f",
                  tried / 1000, rate / 1000, before / 1000);
        bool found = rate > PROBE_GAIN * before;
        double later = (double)bandwidth->probe_every * PROBE_LATER;
        bandwidth->probe_every = found ? PROBE_EVERY : (usec)fmin(later, PROBE_EVERY_MAX);
        if (rate > PROBE_CONFIRMED * tried && rate < bandwidth->wanted) {
            plan_probe(bandwidth, PROBE_FURTHER * rate, now);
        }
    }
}

/* Those whose packets or feedback were lost are sent again, but not for ever. */
static void repeat_probes(struct bandwidth *bandwidth, usec now)
{
    double tried;
    usec patience = PROBE_PATIENCE + 2 * bandwidth->round_trip;
    while (prober_unanswered(&bandwidth->prober, now - patience, &tried)) {
        if (bandwidth->probe_retries < PROBE_RETRIES) {
            bandwidth->probe_retries++;
            plan_probe(bandwidth, tried, now);
        }
    }
}

static void begin_probes(struct bandwidth *bandwidth, double first, double second, usec now)
{
    bandwidth->probe_retries = 0;
    plan_probe(bandwidth, first, now);
    plan_probe(bandwidth, second, now);
}

/* In the steady state: only while nothing says that the path is full. */
static void probe_again(struct bandwidth *bandwidth, usec now)
{
    enum uplink_limit limit;
    double rate = bandwidth_rate(bandwidth, &limit);
    bandwidth->probe_looked = now;
    bool free_path = bandwidth->control.state == RATE_INCREASE &&
                     bandwidth->queue < PROBE_QUEUE_MAX && limit != UPLINK_LIMIT_LOSS &&
                     limit != UPLINK_LIMIT_SILENCE;
    if (free_path && rate < bandwidth->wanted &&
        now - bandwidth->probed >= bandwidth->probe_every) {
        bandwidth->probe_retries = 0;
        plan_probe(bandwidth, PROBE_FURTHER * rate, now);
        bandwidth->probed = now;
    }
}

/* --- silence -- */

static usec silence_begins(const struct bandwidth *bandwidth)
{
    usec round_trip = bandwidth->round_trip < 0 ? ROUND_TRIP_DEFAULT : bandwidth->round_trip;
    return bandwidth->sent + SILENCE + 2 * round_trip;
}

static usec silence_deadline(const struct bandwidth *bandwidth)
{
    if (!bandwidth->feedback_known || bandwidth->sent == USEC_NEVER) {
        return USEC_NEVER;
    }
    usec again = bandwidth->silence_acted + SILENCE_AGAIN;
    usec begin = silence_begins(bandwidth);
    return again > begin ? again : begin;
}

static void back_off(struct bandwidth *bandwidth, usec now)
{
    if (bandwidth->silence <= 0) {
        enum uplink_limit limit;
        bandwidth->good = bandwidth_rate(bandwidth, &limit);
        bandwidth->silence = bandwidth->good;
        prober_cancel(&bandwidth->prober);
        log_info(bandwidth->log, "No feedback comes: the bit rate backs off from %.0f kbit/s",
                 bandwidth->good / 1000);
    }
    bandwidth->silence = fmax(SILENCE_CUT * bandwidth->silence, bandwidth->least);
    bandwidth->silence_acted = now;
}

/* Feedback comes again: from here on, and what was good before is tried at once. */
static void end_silence(struct bandwidth *bandwidth, usec now)
{
    rate_control_init(&bandwidth->control, bandwidth->silence);
    bandwidth->control.changed = now;
    bandwidth->silence = 0;
    forget_arrivals(bandwidth);
    begin_probes(bandwidth, bandwidth->good / 2, bandwidth->good, now);
}

void bandwidth_sent(struct bandwidth *bandwidth, usec now)
{
    if (bandwidth->sent == USEC_NEVER) {
        bandwidth->sent = now;
    }
}

void bandwidth_tick(struct bandwidth *bandwidth, usec now)
{
    if (now >= silence_deadline(bandwidth)) {
        back_off(bandwidth, now);
    }
    if (bandwidth->wanted <= 0) {
        return;
    }
    if (!bandwidth->begun) {
        bandwidth->begun = true;
        double rate = bandwidth->control.rate;
        begin_probes(bandwidth, PROBE_FIRST * rate, PROBE_SECOND * rate, now);
        bandwidth->probed = now;
    } else if (bandwidth->feedback_known) {
        probe_again(bandwidth, now);
    }
}

usec bandwidth_next_deadline(const struct bandwidth *bandwidth)
{
    usec silence = silence_deadline(bandwidth);
    if (bandwidth->wanted > 0 && !bandwidth->begun) {
        return 0;
    }
    if (bandwidth->wanted <= 0 || !bandwidth->feedback_known) {
        return silence;
    }
    usec due = bandwidth->probed + bandwidth->probe_every;
    usec again = bandwidth->probe_looked + PROBE_LOOK;
    usec probe = due > again ? due : again;
    return probe < silence ? probe : silence;
}

/* --- transport-wide feedback -- */

/* The peer's clock without its wraps; if it jumps, all that was measured by it is void. */
static usec unwrap_arrival(struct bandwidth *bandwidth, usec told)
{
    usec step = transport_time_between(bandwidth->arrival_told, told);
    if (!bandwidth->arrival_known || step > CLOCK_FORWARD || step < -CLOCK_BACK) {
        forget_arrivals(bandwidth);
        bandwidth->arrival_known = true;
        bandwidth->arrival = told;
    } else {
        bandwidth->arrival += step;
    }
    bandwidth->arrival_told = told;
    return bandwidth->arrival;
}

static usec base_delay(struct sliding_least *least, usec value, usec now)
{
    if (now - least->since > BASE_DELAY_SPAN) {
        least->before = least->now;
        least->now = USEC_NEVER;
        least->since = now;
    }
    least->now = value < least->now ? value : least->now;
    return least->now < least->before ? least->now : least->before;
}

/* How much the delay differs from packet to packet, beside a queue's steady growth. */
static void measure_jitter(struct bandwidth *bandwidth, usec delay)
{
    double step = (double)(delay - bandwidth->last_delay);
    bandwidth->last_delay = delay;
    if (fabs(step) > JITTER_OUTLIER) {
        return;
    }
    bandwidth->step += (step - bandwidth->step) / STEP_WEIGHT;
    bandwidth->jitter += (fabs(step - bandwidth->step) - bandwidth->jitter) / JITTER_WEIGHT;
}

/* What one message showed. */
struct summary {
    unsigned arrived;
    usec newest_sent;
    usec least_delay;
};

static void take_arrival(struct bandwidth *bandwidth, struct sent_packet *packet, usec arrival,
                         struct summary *summary)
{
    struct group_delta delta;
    bool late = packet->state == SENT_MISSING;
    packet->state = SENT_ARRIVED;
    summary->arrived++;
    if (packet->sent > summary->newest_sent) {
        summary->newest_sent = packet->sent;
    }
    if (llabs(arrival - packet->sent - bandwidth->last_delay) > DELAY_JUMP) {
        forget_arrivals(bandwidth); /* the peer's clock was set */
        summary->least_delay = USEC_NEVER;
    }
    measure_jitter(bandwidth, arrival - packet->sent);
    if (arrival - packet->sent < summary->least_delay) {
        summary->least_delay = arrival - packet->sent;
    }
    byte_window_add(&bandwidth->acknowledged, packet->bytes, arrival);
    if (packet->cluster) {
        prober_arrived(&bandwidth->prober, packet->cluster, packet->sent, arrival, packet->bytes);
    }
    if (arrival_groups_add(&bandwidth->groups, packet->sent, arrival, &delta)) {
        delay_trend_add(&bandwidth->trend, &delta);
    }
    if (late) {
        loss_estimate_arrived_late(&bandwidth->loss);
    } else {
        loss_estimate_add(&bandwidth->loss, packet->sent, packet->bytes, false);
    }
}

static void take_status(struct bandwidth *bandwidth, struct send_history *history,
                        const struct transport_status *status, struct summary *summary)
{
    /* the clock runs on with every packet, also with those that are not known */
    usec arrival = status->arrived ? unwrap_arrival(bandwidth, status->arrival) : 0;
    struct sent_packet *packet = send_history_find(history, status->sequence);
    if (!packet || packet->state == SENT_ARRIVED) {
        bandwidth->refused += packet ? 0 : 1;
        return;
    }
    if (status->arrived) {
        take_arrival(bandwidth, packet, arrival, summary);
    } else if (packet->state == SENT_UNKNOWN) {
        packet->state = SENT_MISSING;
        loss_estimate_add(&bandwidth->loss, packet->sent, packet->bytes, true);
    }
}

static void follow(struct bandwidth *bandwidth, const struct summary *summary, bool limited,
                   usec now)
{
    usec base = base_delay(&bandwidth->delay, summary->least_delay, now);
    usec noise = (usec)fmax(JITTER_SHARE * (bandwidth->jitter - JITTER_USUAL), 0);
    usec queue = summary->least_delay - base - noise;
    bandwidth->queue = queue > 0 ? queue : 0;
    bandwidth->limited = limited;
    bool fresh = bandwidth->round_trip_reported > 0 &&
                 now - bandwidth->round_trip_reported < ROUND_TRIP_FRESH;
    if (!fresh) {
        bandwidth->round_trip = now - summary->newest_sent; /* and the wait for the feedback */
    }
    struct path_view view = {
        .usage = bandwidth->trend.usage,
        .acknowledged = byte_window_rate(&bandwidth->acknowledged),
        .queue = bandwidth->queue,
        .newest_sent = summary->newest_sent,
        .round_trip = bandwidth->round_trip,
        .limited = limited,
    };
    rate_control_update(&bandwidth->control, &view, now);
    if (bandwidth->control.no_queue) {
        bandwidth->delay = (struct sliding_least){now, USEC_NEVER, summary->least_delay};
        bandwidth->control.no_queue = false;
    }
    bandwidth->control.rate = clamp(bandwidth->control.rate, bandwidth->least, bandwidth->most);
    take_probes(bandwidth, now);
    repeat_probes(bandwidth, now);
}

void bandwidth_feedback(struct bandwidth *bandwidth, struct send_history *history,
                        const struct rtcp_feedback *feedback, bool limited, usec now)
{
    struct transport_reader reader;
    struct transport_status status;
    struct summary summary = {.least_delay = USEC_NEVER};
    transport_reader_open(&reader, feedback);
    while (transport_reader_next(&reader, &status)) {
        take_status(bandwidth, history, &status, &summary);
    }
    bandwidth->feedbacks++;
    if (summary.arrived == 0) {
        return;
    }
    if (!bandwidth->feedback_known) {
        bandwidth->feedback_known = true;
        bandwidth->control.changed = now;
    }
    bandwidth->sent = USEC_NEVER;
    if (bandwidth->silence > 0) {
        end_silence(bandwidth, now);
    }
    follow(bandwidth, &summary, limited, now);
    loss_estimate_update(&bandwidth->loss);
}

/* --- peers without it -- */

void bandwidth_remb(struct bandwidth *bandwidth, uint64_t rate)
{
    bandwidth->remb = fmax((double)rate, bandwidth->least);
}

void bandwidth_round_trip(struct bandwidth *bandwidth, usec round_trip, usec now)
{
    if (bandwidth->round_trip_reported == 0 || round_trip < bandwidth->round_trip_least) {
        bandwidth->round_trip_least = round_trip;
    }
    bandwidth->round_trip = round_trip;
    bandwidth->round_trip_reported = now;
}

void bandwidth_report(struct bandwidth *bandwidth, double lost, usec now)
{
    usec passed = bandwidth->reported ? now - bandwidth->reported : 0;
    passed = passed < REPORT_STEP_MAX ? passed : REPORT_STEP_MAX;
    bandwidth->reported = now;
    bandwidth->report_share = lost;
    usec round_trip = bandwidth->round_trip < 0 ? ROUND_TRIP_DEFAULT : bandwidth->round_trip;
    double *rate = &bandwidth->report;
    bool watched = bandwidth->remb > *rate; /* the peer looks at the delay, and sees room */
    bool queued = bandwidth->remb <= 0 && bandwidth->round_trip >= 0 &&
                  bandwidth->round_trip > bandwidth->round_trip_least + REPORT_QUEUE;
    if (lost > REPORT_LOSS_HIGH || queued) {
        if (now - bandwidth->cut > REPORT_CUT_PAUSE + round_trip) {
            *rate *= 1 - fmax(lost / 2, queued ? REPORT_QUEUE_CUT : 0);
            bandwidth->cut = now;
        }
    } else if (lost <= (watched ? REPORT_LOSS_HIGH : REPORT_LOSS_LOW)) {
        double growth = watched ? REMB_GROWTH : REPORT_GROWTH;
        double most = bandwidth->wanted > 0 ? bandwidth->most : bandwidth->start;
        *rate = fmax(*rate, fmin(*rate * pow(growth, (double)passed / USEC_PER_SEC), most));
    }
    *rate = clamp(*rate, bandwidth->least, bandwidth->most);
}
