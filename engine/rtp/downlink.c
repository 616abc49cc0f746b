#include "rtp/downlink.h"

#include "rtp/arrival_groups.h"
#include "rtp/arrival_log.h"
#include "rtp/byte_window.h"
#include "rtp/bytes.h"
#include "rtp/delay_trend.h"
#include "rtp/rate_control.h"
#include "rtp/rtcp_feedback.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define OVERHEAD 44

#define FEEDBACK_SHARE    0.05 /* of the bit rate */
#define FEEDBACK_LEAST    (50 * USEC_PER_MS)
#define FEEDBACK_MOST     (250 * USEC_PER_MS)
#define FEEDBACK_STATUSES 1000 /* in a message */
#define FEEDBACK_BURST    4    /* messages at once */

#define REMB_EVERY   USEC_PER_SEC
#define REMB_FALL    0.97 /* lower than this of the last: told at once */
#define REMB_START   300000.0
#define REMB_LEAST   50000.0
#define REMB_SOURCES 4

#define METER_SPAN ((usec)USEC_PER_SEC)
#define RATE_SPAN  (500 * USEC_PER_MS)
#define BASE_SPAN  (15 * USEC_PER_SEC)
#define RESPONSE   (300 * USEC_PER_MS) /* until the sender follows a REMB */
#define UPDATE     (50 * USEC_PER_MS)

#define SEND_TIME_TICKS (1 << 18) /* abs-send-time: in a second, */
#define SEND_TIME_BITS  24
#define TICKS_MAX       ((int64_t)1 << 40) /* more than a month; then the clock begins anew */

/* Our own estimate of what comes in, for REMB. */
struct receive_estimate {
    struct arrival_groups groups;
    struct delay_trend trend;
    struct rate_control control;
    struct byte_window rate;
    bool known;
    bool by_send_time;                     /* else by RTP time stamps */
    uint32_t ssrc;                         /* whose time stamps */
    uint32_t told;                         /* last time, in its unit */
    int64_t ticks;                         /* the same without wraps */
    usec least, least_before, least_since; /* of arrival - sending */
    usec delay;                            /* least since the last update */
    usec updated;
};

struct downlink {
    struct downlink_config config;
    struct arrival_log log;
    struct byte_window meter;
    uint32_t media_ssrc; /* of the last packet */
    uint8_t number;      /* of the next feedback message */
    usec feedback_at;    /* USEC_NEVER: nothing to tell */
    usec told_at;        /* last feedback */
    size_t feedback_bytes;
    struct receive_estimate estimate;
    uint32_t sources[REMB_SOURCES];
    size_t source_count;
    usec remb_at; /* USEC_NEVER: no packets came */
    double remb;  /* told last; 0: none */
    struct downlink_stats stats;
};

static void forget_path(struct downlink *downlink)
{
    struct receive_estimate *estimate = &downlink->estimate;
    *estimate = (struct receive_estimate){
        .least = USEC_NEVER, .least_before = USEC_NEVER, .delay = USEC_NEVER};
    delay_trend_init(&estimate->trend);
    rate_control_init(&estimate->control, REMB_START);
    byte_window_init(&estimate->rate, RATE_SPAN);
    downlink->remb = 0;
    downlink->remb_at = USEC_NEVER;
}

jingle_status downlink_new(const struct downlink_config *config, struct downlink **downlink)
{
    *downlink = NULL;
    if (!config->cname || !config->hooks.send_rtcp) {
        return JINGLE_ERROR_INVALID;
    }
    struct downlink *d = calloc(1, sizeof *d);
    if (!d) {
        return JINGLE_ERROR_MEMORY;
    }
    downlink_configure(d, config);
    arrival_log_init(&d->log);
    byte_window_init(&d->meter, METER_SPAN);
    d->feedback_at = USEC_NEVER;
    forget_path(d);
    *downlink = d;
    return JINGLE_OK;
}

void downlink_free(struct downlink *downlink)
{
    free(downlink);
}

void downlink_configure(struct downlink *downlink, const struct downlink_config *config)
{
    downlink->config = *config;
    downlink->config.overhead = config->overhead ? config->overhead : OVERHEAD;
}

void downlink_path_changed(struct downlink *downlink, usec now)
{
    (void)now;
    forget_path(downlink);
}

/* --- transport-wide feedback -- */

static usec feedback_interval(const struct downlink *downlink)
{
    double rate = byte_window_rate(&downlink->meter);
    double bits = (double)(downlink->feedback_bytes + downlink->config.overhead) * 8;
    double interval = rate > 0 ? bits / (FEEDBACK_SHARE * rate) * USEC_PER_SEC : 0;
    return (usec)fmin(fmax(interval, FEEDBACK_LEAST), FEEDBACK_MOST);
}

static void log_arrival(struct downlink *downlink, const struct downlink_stream *stream,
                        const struct packet *packet, usec now)
{
    size_t size;
    const uint8_t *number = packet_extension(packet, stream->transport_sequence, &size);
    if (!downlink->config.transport_feedback || !number || size != 2) {
        return;
    }
    arrival_log_add(&downlink->log, read_u16(number), now);
    if (downlink->feedback_at == USEC_NEVER && arrival_log_pending(&downlink->log)) {
        usec due = downlink->told_at + feedback_interval(downlink);
        downlink->feedback_at = due > now ? due : now + FEEDBACK_LEAST / 2;
    }
}

/* A packet with one message, begun as the peer wants it; returns the size of the beginning. */
static size_t begin_packet(const struct downlink *downlink, uint8_t *out)
{
    return downlink->config.reduced_size
               ? 0
               : rtcp_write_compound_head(out, DOWNLINK_RTCP_MAX, downlink->config.ssrc,
                                          downlink->config.cname);
}

static void send_packet(struct downlink *downlink, uint8_t *packet, size_t size)
{
    downlink->config.hooks.send_rtcp(downlink->config.hooks.user, packet, size);
}

/* One message; false if there is nothing to tell. */
static bool tell_arrivals(struct downlink *downlink)
{
    uint8_t packet[DOWNLINK_RTCP_MAX + DOWNLINK_TAIL];
    usec times[FEEDBACK_STATUSES];
    struct transport_arrivals arrivals = {.number = downlink->number, .arrivals = times};
    arrivals.count = arrival_log_take(&downlink->log, times, FEEDBACK_STATUSES, &arrivals.base);
    size_t size = begin_packet(downlink, packet);
    size_t written = 0;
    size_t message =
        rtcp_write_transport(packet + size, DOWNLINK_RTCP_MAX - size, downlink->config.ssrc,
                             downlink->media_ssrc, &arrivals, &written);
    if (message == 0) {
        return false;
    }
    arrival_log_told(&downlink->log, arrivals.base, written);
    downlink->number++;
    downlink->feedback_bytes = size + message;
    downlink->stats.feedback++;
    send_packet(downlink, packet, size + message);
    return true;
}

static void send_feedback(struct downlink *downlink, usec now)
{
    for (unsigned i = 0; i < FEEDBACK_BURST && arrival_log_pending(&downlink->log); i++) {
        if (!tell_arrivals(downlink)) {
            break;
        }
    }
    downlink->told_at = now;
    downlink->feedback_at = arrival_log_pending(&downlink->log) ? now + FEEDBACK_LEAST : USEC_NEVER;
}

/* --- our own estimate -- */

static void note_source(struct downlink *downlink, uint32_t ssrc)
{
    for (size_t i = 0; i < downlink->source_count && i < REMB_SOURCES; i++) {
        if (downlink->sources[i] == ssrc) {
            return;
        }
    }
    downlink->sources[downlink->source_count++ % REMB_SOURCES] = ssrc;
}

/* The steps from one wrapping time to another, of `bits` bits. */
static int64_t steps(uint32_t from, uint32_t to, unsigned bits)
{
    return (int32_t)((to - from) << (32 - bits)) >> (32 - bits);
}

/* When the packet was sent, on a clock of the peer that may have begun anywhere; false if it does
 * not say. */
static bool send_time(struct receive_estimate *estimate, const struct downlink_stream *stream,
                      const struct packet *packet, usec *sent)
{
    size_t size;
    const uint8_t *stamp = packet_extension(packet, stream->send_time, &size);
    bool by_send_time = stamp && size == 3;
    if (!by_send_time && (stream->clockrate == 0 || (estimate->known && estimate->by_send_time))) {
        return false;
    }
    uint32_t time = by_send_time ? read_u24(stamp) : packet->timestamp;
    bool same = estimate->known && estimate->by_send_time == by_send_time &&
                (by_send_time || estimate->ssrc == packet->ssrc) &&
                llabs(estimate->ticks) < TICKS_MAX;
    if (same) {
        estimate->ticks += steps(estimate->told, time, by_send_time ? SEND_TIME_BITS : 32);
    } else {
        estimate->groups = (struct arrival_groups){0};
        estimate->least = estimate->least_before = estimate->delay = USEC_NEVER;
        estimate->ticks = 0;
    }
    estimate->known = true;
    estimate->by_send_time = by_send_time;
    estimate->ssrc = packet->ssrc;
    estimate->told = time;
    *sent = estimate->ticks * USEC_PER_SEC / (by_send_time ? SEND_TIME_TICKS : stream->clockrate);
    return true;
}

static usec queueing_delay(struct receive_estimate *estimate, usec now)
{
    if (now - estimate->least_since > BASE_SPAN) {
        estimate->least_before = estimate->least;
        estimate->least = USEC_NEVER;
        estimate->least_since = now;
    }
    estimate->least = estimate->delay < estimate->least ? estimate->delay : estimate->least;
    usec base = estimate->least < estimate->least_before ? estimate->least : estimate->least_before;
    usec queue = estimate->delay - base;
    estimate->delay = USEC_NEVER;
    return queue;
}

static void update_estimate(struct receive_estimate *estimate, usec now)
{
    if (estimate->delay == USEC_NEVER || now - estimate->updated < UPDATE) {
        return;
    }
    if (estimate->updated == 0) {
        estimate->control.changed = now;
    }
    estimate->updated = now;
    usec queue = queueing_delay(estimate, now);
    struct path_view view = {
        .usage = estimate->trend.usage,
        .acknowledged = byte_window_rate(&estimate->rate),
        .queue = queue,
        .newest_sent = now - RESPONSE - queue,
        .round_trip = RESPONSE,
    };
    rate_control_update(&estimate->control, &view, now);
    if (estimate->control.no_queue) {
        estimate->least = estimate->least_before = USEC_NEVER;
        estimate->control.no_queue = false;
    }
    estimate->control.rate = fmax(estimate->control.rate, REMB_LEAST);
}

static void estimate_arrival(struct downlink *downlink, const struct downlink_stream *stream,
                             const struct packet *packet, size_t bytes, usec now)
{
    struct receive_estimate *estimate = &downlink->estimate;
    struct group_delta delta;
    usec sent;
    byte_window_add(&estimate->rate, bytes + downlink->config.overhead, now);
    if (!send_time(estimate, stream, packet, &sent)) {
        return;
    }
    note_source(downlink, packet->ssrc);
    if (downlink->remb_at == USEC_NEVER) {
        downlink->remb_at = now + REMB_EVERY;
    }
    estimate->delay = now - sent < estimate->delay ? now - sent : estimate->delay;
    if (arrival_groups_add(&estimate->groups, sent, now, &delta)) {
        delay_trend_add(&estimate->trend, &delta);
    }
    update_estimate(estimate, now);
}

/* A peer that gets transport-wide feedback makes the estimate itself and is told only wishes. */
static bool estimates(const struct downlink *downlink)
{
    return !(downlink->config.transport_feedback && downlink->log.known);
}

static double remb_rate(const struct downlink *downlink)
{
    double rate = estimates(downlink) ? downlink->estimate.control.rate : downlink->config.most;
    return downlink->config.most ? fmin(rate, downlink->config.most) : rate;
}

static void send_remb(struct downlink *downlink, usec now)
{
    uint8_t packet[DOWNLINK_RTCP_MAX + DOWNLINK_TAIL];
    size_t size = begin_packet(downlink, packet);
    size_t sources = downlink->source_count < REMB_SOURCES ? downlink->source_count : REMB_SOURCES;
    downlink->remb = remb_rate(downlink);
    downlink->remb_at = now + REMB_EVERY;
    size += rtcp_write_remb(packet + size, DOWNLINK_RTCP_MAX - size, downlink->config.ssrc,
                            (uint64_t)downlink->remb, downlink->sources, sources);
    downlink->stats.rembs++;
    send_packet(downlink, packet, size);
}

static bool makes_remb(const struct downlink *downlink)
{
    return downlink->config.remb && (estimates(downlink) || downlink->config.most > 0);
}

static bool has_fallen(const struct downlink *downlink)
{
    return downlink->remb > 0 && remb_rate(downlink) < REMB_FALL * downlink->remb;
}

/* --- the link -- */

void downlink_receive(struct downlink *downlink, const struct downlink_stream *stream,
                      const struct packet *packet, size_t bytes, usec now)
{
    byte_window_add(&downlink->meter, bytes + downlink->config.overhead, now);
    downlink->media_ssrc = packet->ssrc;
    log_arrival(downlink, stream, packet, now);
    if (makes_remb(downlink)) {
        estimate_arrival(downlink, stream, packet, bytes, now);
    }
}

void downlink_tick(struct downlink *downlink, usec now)
{
    if (now >= downlink->feedback_at) {
        send_feedback(downlink, now);
    }
    if (!makes_remb(downlink) || downlink->remb_at == USEC_NEVER) {
        return;
    }
    if (has_fallen(downlink) || now >= downlink->remb_at) {
        send_remb(downlink, now);
    }
}

usec downlink_next_deadline(const struct downlink *downlink)
{
    usec remb = makes_remb(downlink) ? downlink->remb_at : USEC_NEVER;
    if (remb != USEC_NEVER && has_fallen(downlink)) {
        remb = downlink->estimate.updated;
    }
    return remb < downlink->feedback_at ? remb : downlink->feedback_at;
}

void downlink_stats(const struct downlink *downlink, struct downlink_stats *stats, usec now)
{
    struct byte_window meter = downlink->meter;
    byte_window_add(&meter, 0, now);
    *stats = downlink->stats;
    stats->bitrate = byte_window_rate(&meter);
    stats->estimate = (uint32_t)downlink->remb;
    stats->refused = downlink->log.refused;
}
