#include "rtp/uplink.h"

#include "rtp/bandwidth.h"
#include "rtp/byte_window.h"
#include "rtp/bytes.h"
#include "rtp/ntp.h"
#include "rtp/packet.h"
#include "rtp/packet_queue.h"
#include "rtp/send_history.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The pace against the estimate: a frame is out before the next one comes, and no queue builds up
 * in the network that could as well be here. */
#define PACE_FACTOR 1.6

/* What waits longer than this makes the pace rise, up to the other factor. */
#define QUEUE_TIME_MAX  (500 * USEC_PER_MS)
#define PACE_FACTOR_MAX 4.0

/* Packets that are due within this leave together, to wake up less often; what a late tick missed
 * is made up for up to the other. */
#define BURST     (5 * USEC_PER_MS)
#define BURST_MAX (20 * USEC_PER_MS)

#define PADDING_MAX   (UPLINK_PACKET_MAX - 100) /* asked for at once */
#define PADDING_PAUSE (100 * USEC_PER_MS)       /* after there was none */
#define PADDING_TURNS 16                        /* in one tick */

/* Headers of a video packet that its encoder knows nothing of: RTP, extensions, payload
 * descriptor. */
#define HEADERS 28

/* Without transport-wide feedback nothing tells whether there is room but video itself. */
#define VIDEO_LEAST 30000.0

/* Retransmissions take at most this share of what is offered to encoders. */
#define AGAIN_MAX 0.3

#define LIMITED 0.8 /* of the estimate: who sends less does not fill the path */

#define METER_SPAN     USEC_PER_SEC
#define SOURCES_MAX    16
#define TARGET_CHANGED 0.01
#define TARGET_PAUSE   (50 * USEC_PER_MS)
#define ROUND_TRIP_MAX (10 * USEC_PER_SEC)

enum meter {
    METER_ALL,
    METER_AUDIO,
    METER_NEW,
    METER_AGAIN,
    METER_PADDING,
    METER_PACKETS, /* of video, new; a "byte" each */
    METER_COUNT,
};

struct uplink {
    struct uplink_config config;
    struct {
        bool used;
        struct uplink_stream stream;
    } streams[UPLINK_STREAMS_MAX];
    uint32_t sources[SOURCES_MAX]; /* SSRCs that we sent */
    unsigned source_count;
    struct packet_queue queue;
    struct send_history history;
    struct bandwidth bandwidth;
    struct byte_window meters[METER_COUNT];
    uint32_t wanted;
    usec next_send; /* when the pace allows the next packet */
    usec woken;     /* when the pacer last sent */
    usec now;
    usec pad_again;  /* before this there is no padding */
    bool media_sent; /* a new packet of video was */
    bool pacing;     /* within run_pacer(): hooks may enqueue */
    struct uplink_target told;
    usec told_at;
    struct uplink_stats stats;
};

jingle_status uplink_new(const struct uplink_config *config, struct uplink **uplink)
{
    *uplink = NULL;
    if (!config->hooks.send_rtp) {
        return JINGLE_ERROR_INVALID;
    }
    struct uplink *u = calloc(1, sizeof *u);
    if (!u) {
        return JINGLE_ERROR_MEMORY;
    }
    u->config = *config;
    u->config.overhead = config->overhead ? config->overhead : UPLINK_OVERHEAD;
    for (size_t i = 0; i < METER_COUNT; i++) {
        byte_window_init(&u->meters[i], METER_SPAN);
    }
    bandwidth_init(&u->bandwidth, config);
    *uplink = u;
    return JINGLE_OK;
}

void uplink_free(struct uplink *uplink)
{
    if (uplink) {
        packet_queue_close(&uplink->queue);
        free(uplink);
    }
}

jingle_status uplink_add_stream(struct uplink *uplink, const struct uplink_stream *stream,
                                unsigned *id)
{
    for (unsigned i = 0; i < UPLINK_STREAMS_MAX; i++) {
        if (uplink->streams[i].used) {
            continue;
        }
        if (stream->paced && !packet_queue_open(&uplink->queue)) {
            return JINGLE_ERROR_MEMORY;
        }
        uplink->streams[i].used = true;
        uplink->streams[i].stream = *stream;
        *id = i;
        return JINGLE_OK;
    }
    return JINGLE_ERROR_LIMIT;
}

void uplink_remove_stream(struct uplink *uplink, unsigned id)
{
    for (enum uplink_kind kind = UPLINK_RETRANSMISSION; kind <= UPLINK_PADDING; kind++) {
        uplink->stats.packets_dropped += packet_queue_drop(&uplink->queue, id, kind);
    }
    uplink->streams[id].used = false;
}

static const struct uplink_stream *stream_of(const struct uplink *uplink, unsigned id)
{
    bool known = id < UPLINK_STREAMS_MAX && uplink->streams[id].used;
    return known ? &uplink->streams[id].stream : NULL;
}

/* --- rates -- */

static double meter_rate(const struct uplink *uplink, enum meter meter)
{
    struct byte_window window = uplink->meters[meter];
    byte_window_add(&window, 0, uplink->now);
    return byte_window_rate(&window);
}

static double estimate(const struct uplink *uplink)
{
    enum uplink_limit limit;
    return bandwidth_rate(&uplink->bandwidth, &limit);
}

static bool is_limited(const struct uplink *uplink)
{
    return meter_rate(uplink, METER_ALL) < LIMITED * estimate(uplink);
}

static double video_rate(const struct uplink *uplink, double rate)
{
    double left = fmax(rate - meter_rate(uplink, METER_AUDIO), 0);
    left -= fmin(meter_rate(uplink, METER_AGAIN), AGAIN_MAX * left);
    double packets = meter_rate(uplink, METER_PACKETS) / 8;
    double most = left / 8 / (uplink->config.overhead + 4.0 * HEADERS); /* if they were tiny */
    left -= fmin(packets, most) * (uplink->config.overhead + HEADERS) * 8;
    return fmax(left, uplink->bandwidth.feedback_known ? 0 : fmin(rate, VIDEO_LEAST));
}

void uplink_target(const struct uplink *uplink, struct uplink_target *target)
{
    double rate = estimate(uplink);
    *target = (struct uplink_target){
        .estimate = (uint32_t)rate,
        .video = (uint32_t)video_rate(uplink, rate),
        .loss = bandwidth_loss(&uplink->bandwidth),
        .round_trip = uplink->bandwidth.round_trip,
    };
}

static bool differs(uint32_t a, uint32_t b)
{
    return fabs((double)a - b) > TARGET_CHANGED * b;
}

static void tell_target(struct uplink *uplink)
{
    struct uplink_target target;
    if (!uplink->config.hooks.target || uplink->now - uplink->told_at < TARGET_PAUSE) {
        return;
    }
    uplink_target(uplink, &target);
    if (differs(target.video, uplink->told.video) ||
        differs(target.estimate, uplink->told.estimate)) {
        uplink->told = target;
        uplink->told_at = uplink->now;
        uplink->config.hooks.target(uplink->config.hooks.user, &target);
    }
}

/* --- sending -- */

static void count_source(struct uplink *uplink, uint32_t ssrc)
{
    for (unsigned i = 0; i < uplink->source_count && i < SOURCES_MAX; i++) {
        if (uplink->sources[i] == ssrc) {
            return;
        }
    }
    uplink->sources[uplink->source_count++ % SOURCES_MAX] = ssrc;
}

/* The element's bytes in the packet, if it has it in this size. */
static uint8_t *element(const struct packet *packet, uint8_t *bytes, uint8_t id, size_t wanted)
{
    size_t size;
    const uint8_t *at = packet_extension(packet, id, &size);
    return at && size == wanted ? bytes + (at - bytes) : NULL;
}

/* abs-send-time: seconds in 6.18 fixed point. */
static uint32_t absolute_send_time(usec now)
{
    return (uint32_t)((((uint64_t)now << 18) / USEC_PER_SEC) & 0xffffff);
}

static void stamp(struct uplink *uplink, const struct uplink_stream *stream, uint8_t *bytes,
                  size_t size, uint16_t cluster)
{
    struct packet packet;
    if (!packet_parse(&packet, bytes, size)) {
        return;
    }
    count_source(uplink, packet.ssrc);
    uint8_t *time = element(&packet, bytes, stream->send_time, 3);
    if (time) {
        write_u24(time, absolute_send_time(uplink->now));
    }
    uint8_t *number = element(&packet, bytes, stream->transport_sequence, 2);
    if (number) {
        uint32_t wire = (uint32_t)size + uplink->config.overhead;
        write_u16(number, send_history_add(&uplink->history, uplink->now, wire, cluster));
        bandwidth_sent(&uplink->bandwidth, uplink->now);
    }
}

static void count(struct uplink *uplink, enum meter meter, size_t bytes)
{
    size_t wire = bytes + uplink->config.overhead;
    byte_window_add(&uplink->meters[METER_ALL], wire, uplink->now);
    byte_window_add(&uplink->meters[meter], wire, uplink->now);
    uplink->stats.packets++;
    uplink->stats.bytes += bytes;
}

/* The pace goes on from here. */
static void spend(struct uplink *uplink, size_t bytes, double rate)
{
    usec earliest = uplink->now - BURST_MAX;
    usec from = uplink->next_send > earliest ? uplink->next_send : earliest;
    double bits = (double)(bytes + uplink->config.overhead) * 8;
    uplink->next_send = from + (usec)(bits * USEC_PER_SEC / rate);
}

static double pace(const struct uplink *uplink)
{
    double rate = estimate(uplink);
    double waiting = (double)uplink->queue.bytes * 8;
    double wanted = waiting * USEC_PER_SEC / QUEUE_TIME_MAX;
    return fmin(fmax(PACE_FACTOR * rate, wanted), PACE_FACTOR_MAX * rate);
}

static void pass_time(struct uplink *uplink, usec now)
{
    uplink->now = now > uplink->now ? now : uplink->now;
}

/* Padding goes out only once there was media, and while some is wanted. */
static bool may_probe(const struct uplink *uplink)
{
    return uplink->media_sent && uplink->wanted > 0;
}

/* On the wire there are headers, too, and the voice. Nothing is looked for before media flows. */
static void tell_wanted(struct uplink *uplink)
{
    double headers = 1 + (uplink->config.overhead + HEADERS) / (double)UPLINK_PACKET_MAX;
    double video = may_probe(uplink) ? uplink->wanted * headers : 0;
    bandwidth_set_wanted(&uplink->bandwidth,
                         video > 0 ? video + meter_rate(uplink, METER_AUDIO) : 0);
}

static void count_kind(struct uplink *uplink, enum uplink_kind kind, size_t bytes)
{
    switch (kind) {
    case UPLINK_NEW:
        count(uplink, METER_NEW, bytes);
        byte_window_add(&uplink->meters[METER_PACKETS], 1, uplink->now);
        uplink->media_sent = true;
        tell_wanted(uplink);
        break;
    case UPLINK_RETRANSMISSION:
        count(uplink, METER_AGAIN, bytes);
        uplink->stats.bytes_again += bytes;
        break;
    case UPLINK_PADDING:
        count(uplink, METER_PADDING, bytes);
        uplink->stats.bytes_padding += bytes;
        break;
    }
}

static void send_queued(struct uplink *uplink, struct queued_packet *packet,
                        struct probe_cluster *cluster)
{
    const struct uplink_stream *stream = stream_of(uplink, packet->stream);
    unsigned id = packet->stream;
    enum uplink_kind kind = packet->kind;
    uint32_t tag = packet->tag;
    stamp(uplink, stream, packet->packet, packet->bytes, cluster ? cluster->id : 0);
    count_kind(uplink, kind, packet->bytes);
    spend(uplink, packet->bytes, cluster ? cluster->rate : pace(uplink));
    uplink->woken = uplink->now;
    if (cluster) {
        prober_sent(&uplink->bandwidth.prober, cluster, packet->bytes + uplink->config.overhead,
                    uplink->now);
    }
    uplink->config.hooks.send_rtp(uplink->config.hooks.user, packet->packet, packet->bytes);
    stream = stream_of(uplink, id);
    if (stream && stream->left) {
        stream->left(stream->user, tag, kind, uplink->now);
    }
}

/* --- the pacer -- */

static const struct uplink_stream *padding_stream(const struct uplink *uplink)
{
    for (unsigned i = 0; i < UPLINK_STREAMS_MAX; i++) {
        const struct uplink_stream *stream = stream_of(uplink, i);
        if (stream && stream->pad && stream->transport_sequence) {
            return stream;
        }
    }
    return NULL;
}

static struct probe_cluster *probe(struct uplink *uplink)
{
    return may_probe(uplink) ? prober_current(&uplink->bandwidth.prober, uplink->now) : NULL;
}

void uplink_send_audio(struct uplink *uplink, unsigned id, uint8_t *packet, size_t bytes, usec now)
{
    const struct uplink_stream *stream = stream_of(uplink, id);
    if (!stream) {
        return;
    }
    pass_time(uplink, now);
    struct probe_cluster *cluster = probe(uplink);
    bool probed = cluster && cluster->state == CLUSTER_SENDING; /* what is between counts, too */
    stamp(uplink, stream, packet, bytes, probed ? cluster->id : 0);
    count(uplink, METER_AUDIO, bytes);
    if (probed) {
        spend(uplink, bytes, cluster->rate);
        prober_sent(&uplink->bandwidth.prober, cluster, bytes + uplink->config.overhead, now);
    } else if (uplink->queue.count > 0) {
        spend(uplink, bytes, pace(uplink));
    }
    uplink->config.hooks.send_rtp(uplink->config.hooks.user, packet, bytes);
}

/* True if there is something to send now. */
static bool ask_padding(struct uplink *uplink, struct probe_cluster *cluster)
{
    const struct uplink_stream *stream = padding_stream(uplink);
    if (!stream || uplink->now < uplink->pad_again) {
        return false;
    }
    size_t left = cluster->least > cluster->bytes ? cluster->least - cluster->bytes : 1;
    size_t share = cluster->least / 5 + 1; /* a cluster has at least so many packets */
    left = left < share ? left : share;
    stream->pad(stream->user, left < PADDING_MAX ? left : PADDING_MAX, uplink->now);
    if (uplink->queue.count == 0) {
        uplink->pad_again = uplink->now + PADDING_PAUSE;
    }
    return uplink->queue.count > 0;
}

static void send_due(struct uplink *uplink)
{
    for (unsigned paddings = 0; uplink->next_send <= uplink->now;) {
        struct probe_cluster *cluster = probe(uplink);
        if (uplink->queue.count == 0 &&
            (!cluster || paddings++ >= PADDING_TURNS || !ask_padding(uplink, cluster))) {
            return;
        }
        if (cluster && cluster->state == CLUSTER_WAITING) {
            uplink->next_send = uplink->now; /* no credit: it is to be at its own rate */
        }
        struct queued_packet *packet = packet_queue_pop(&uplink->queue);
        if (!packet) {
            return;
        }
        send_queued(uplink, packet, cluster);
    }
}

static void run_pacer(struct uplink *uplink)
{
    if (!uplink->pacing) {
        uplink->pacing = true;
        send_due(uplink);
        uplink->pacing = false;
    }
}

bool uplink_enqueue(struct uplink *uplink, unsigned id, enum uplink_kind kind,
                    const uint8_t *packet, size_t bytes, uint32_t tag, usec now)
{
    const struct uplink_stream *stream = stream_of(uplink, id);
    pass_time(uplink, now);
    if (uplink->queue.count == 0 && uplink->next_send < now) {
        uplink->next_send = now; /* time without packets is no credit */
    }
    if (!stream || !packet_queue_push(&uplink->queue, id, kind, packet, bytes, tag)) {
        uplink->stats.packets_dropped++;
        return false;
    }
    run_pacer(uplink);
    return true;
}

size_t uplink_drop(struct uplink *uplink, unsigned id)
{
    size_t dropped = packet_queue_drop(&uplink->queue, id, UPLINK_NEW);
    uplink->stats.packets_dropped += dropped;
    return dropped;
}

size_t uplink_queue_packets(const struct uplink *uplink)
{
    return uplink->queue.count;
}

size_t uplink_queue_bytes(const struct uplink *uplink)
{
    return uplink->queue.bytes;
}

usec uplink_queue_time(const struct uplink *uplink)
{
    size_t wire = uplink->queue.bytes + uplink->queue.count * uplink->config.overhead;
    return (usec)((double)wire * 8 * USEC_PER_SEC / pace(uplink));
}

/* --- time -- */

void uplink_tick(struct uplink *uplink, usec now)
{
    pass_time(uplink, now);
    tell_wanted(uplink);
    bandwidth_tick(&uplink->bandwidth, now);
    run_pacer(uplink);
    tell_target(uplink);
}

usec uplink_next_deadline(const struct uplink *uplink)
{
    usec next = bandwidth_next_deadline(&uplink->bandwidth);
    bool probing =
        may_probe(uplink) && padding_stream(uplink) && prober_busy(&uplink->bandwidth.prober);
    if (uplink->queue.count == 0 && !probing) {
        return next;
    }
    usec send = uplink->next_send;
    if (!probing && send < uplink->woken + BURST) {
        send = uplink->woken + BURST;
    }
    if (uplink->queue.count == 0 && send < uplink->pad_again) {
        send = uplink->pad_again;
    }
    return send < next ? send : next;
}

/* --- what the peer tells -- */

static bool is_source(const struct uplink *uplink, uint32_t ssrc)
{
    for (unsigned i = 0; i < uplink->source_count && i < SOURCES_MAX; i++) {
        if (uplink->sources[i] == ssrc) {
            return true;
        }
    }
    return false;
}

/* RFC 3550, section 6.4.1 */
static void measure_round_trip(struct uplink *uplink, const struct rtcp_block *block)
{
    if (block->last_report == 0) {
        return;
    }
    uint32_t arrival = ntp_middle(ntp_from_wall(uplink->now + uplink->config.wall_offset));
    int32_t span = (int32_t)(arrival - block->last_report - block->delay);
    usec round_trip = ntp_short_to_usec(span > 0 ? (uint32_t)span : 0);
    if (round_trip <= ROUND_TRIP_MAX) {
        bandwidth_round_trip(&uplink->bandwidth, round_trip, uplink->now);
    }
}

static void take_blocks(struct uplink *uplink, const struct rtcp_message *message)
{
    double lost = -1;
    for (unsigned i = 0; i < message->block_count; i++) {
        const struct rtcp_block *block = &message->blocks[i];
        if (is_source(uplink, block->ssrc)) {
            lost = fmax(lost, block->fraction_lost / 256.0);
            measure_round_trip(uplink, block);
        }
    }
    if (lost >= 0) {
        bandwidth_report(&uplink->bandwidth, lost, uplink->now);
    }
}

void uplink_receive_rtcp(struct uplink *uplink, const struct rtcp_message *message, usec now)
{
    pass_time(uplink, now);
    if (message->type == RTCP_SENDER_REPORT || message->type == RTCP_RECEIVER_REPORT) {
        take_blocks(uplink, message);
    } else if (message->type == RTCP_TRANSPORT_FEEDBACK &&
               message->feedback.kind == FEEDBACK_TRANSPORT) {
        bandwidth_feedback(&uplink->bandwidth, &uplink->history, &message->feedback,
                           is_limited(uplink), now);
    } else if (message->type == RTCP_PAYLOAD_FEEDBACK && message->feedback.kind == FEEDBACK_REMB) {
        bandwidth_remb(&uplink->bandwidth, message->feedback.bitrate);
    } else {
        return;
    }
    tell_target(uplink);
}

/* --- what is wanted -- */

void uplink_set_limits(struct uplink *uplink, uint32_t least, uint32_t most, usec now)
{
    pass_time(uplink, now);
    bandwidth_set_limits(&uplink->bandwidth, least, most);
    tell_target(uplink);
}

void uplink_set_wanted(struct uplink *uplink, uint32_t bitrate, usec now)
{
    pass_time(uplink, now);
    uplink->wanted = bitrate;
    tell_wanted(uplink);
}

void uplink_path_changed(struct uplink *uplink, usec now)
{
    pass_time(uplink, now);
    bandwidth_reset(&uplink->bandwidth, now);
    tell_target(uplink);
}

/* --- figures -- */

usec uplink_round_trip(const struct uplink *uplink)
{
    return uplink->bandwidth.round_trip;
}

void uplink_stats(const struct uplink *uplink, struct uplink_stats *stats)
{
    const struct bandwidth *bandwidth = &uplink->bandwidth;
    *stats = uplink->stats;
    stats->estimate = (uint32_t)bandwidth_rate(bandwidth, &stats->limit);
    stats->acknowledged = byte_window_rate(&bandwidth->acknowledged);
    stats->sent = (uint32_t)meter_rate(uplink, METER_ALL);
    stats->sent_video = (uint32_t)meter_rate(uplink, METER_NEW);
    stats->sent_again = (uint32_t)meter_rate(uplink, METER_AGAIN);
    stats->sent_padding = (uint32_t)meter_rate(uplink, METER_PADDING);
    stats->loss = bandwidth_loss(bandwidth);
    stats->round_trip = bandwidth->round_trip;
    stats->queue_time = uplink_queue_time(uplink);
    stats->probes = bandwidth->prober.count;
    stats->feedback = bandwidth->feedbacks;
    stats->feedback_refused = bandwidth->refused;
}
