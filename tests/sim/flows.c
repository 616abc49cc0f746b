#include "tests/sim/flows.h"

#include "rtp/bytes.h"
#include "rtp/ntp.h"
#include "rtp/packet.h"
#include "rtp/rtcp.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VOICE_EVERY  (20 * USEC_PER_MS)
#define VOICE_BYTES  80
#define FRAME_EVERY  (USEC_PER_SEC / 30)
#define FEW_BELOW    150000 /* bit/s: fewer frames below this, */
#define FEW_EVERY    (100 * USEC_PER_MS)
#define NONE_BELOW   20000 /* none below this */
#define FRAME_VARIES 0.2
#define REPORT_EVERY USEC_PER_SEC
#define PAYLOAD_MAX  1150
#define QUEUE_SKIP   (150 * USEC_PER_MS)
#define ID_TRANSPORT 3
#define ID_SEND_TIME 4
#define VIDEO_SSRC   0x1000
#define AUDIO_SSRC   0x2000
#define DATAGRAM_MAX 2000
#define STAMP_BYTES  8 /* the time of sending, behind the packet, in place of lower headers */

/* --- a sender -- */

static void cross(void *user, uint8_t *packet, size_t bytes)
{
    struct flow *flow = user;
    uint8_t datagram[DATAGRAM_MAX] = {0};
    memcpy(datagram, packet, bytes);
    memcpy(datagram + bytes, &flow->flows->now, STAMP_BYTES);
    network_send(flow->flows->there, flow->flows->now, datagram, bytes + UPLINK_OVERHEAD,
                 flow->index);
}

static void follow_target(void *user, const struct uplink_target *target)
{
    struct flow *flow = user;
    flow->target = target->video;
}

static void note_left(void *user, uint32_t tag, enum uplink_kind kind, usec now)
{
    struct flow *flow = user;
    usec waited = (usec)((uint32_t)now - tag);
    flow->left++;
    if (kind == UPLINK_NEW && waited > flow->waited_most) {
        flow->waited_most = waited;
    }
}

static size_t write_packet(uint8_t *out, uint32_t ssrc, uint16_t sequence, uint32_t timestamp,
                           size_t payload)
{
    static const uint8_t zeros[3];
    const struct packet_extension extensions[] = {
        {.id = ID_TRANSPORT, .data = zeros, .size = 2},
        {.id = ID_SEND_TIME, .data = zeros, .size = 3},
    };
    struct packet_header header = {.payload_type = 96,
                                   .sequence = sequence,
                                   .timestamp = timestamp,
                                   .ssrc = ssrc,
                                   .extensions = extensions,
                                   .extension_count = 2};
    size_t size = packet_write_header(&header, out, UPLINK_PACKET_MAX);
    memset(out + size, 0, payload);
    return size + payload;
}

static void send_video(struct flow *flow, enum uplink_kind kind, size_t payload)
{
    uint8_t packet[UPLINK_PACKET_MAX];
    size_t size = write_packet(packet, VIDEO_SSRC + flow->index, flow->video_sequence++,
                               flow->timestamp, payload);
    uplink_enqueue(flow->uplink, flow->video, kind, packet, size, (uint32_t)flow->flows->now,
                   flow->flows->now);
}

static void pad(void *user, size_t bytes, usec now)
{
    (void)now;
    size_t payload = bytes > 60 ? bytes - 30 : 30;
    send_video(user, UPLINK_PADDING, payload < PAYLOAD_MAX ? payload : PAYLOAD_MAX);
}

static void send_frame(struct flow *flow)
{
    double rate = fmin(flow->target, flow->config.wanted);
    usec every = rate < FEW_BELOW ? FEW_EVERY : FRAME_EVERY;
    double varied = 1 + FRAME_VARIES * random_normal(&flow->flows->random);
    size_t bytes = (size_t)(rate / 8 * (double)every / USEC_PER_SEC * fmin(fmax(varied, 0.3), 3));
    size_t packets = bytes / PAYLOAD_MAX + 1;
    flow->timestamp += 3000;
    flow->next_frame += every;
    if (rate < NONE_BELOW) {
        return;
    }
    if (uplink_queue_time(flow->uplink) > QUEUE_SKIP) {
        flow->skipped++;
        return;
    }
    for (size_t i = 0; i < packets; i++) {
        send_video(flow, UPLINK_NEW, bytes / packets);
    }
}

static void send_voice(struct flow *flow)
{
    uint8_t packet[UPLINK_PACKET_MAX + UPLINK_TAIL];
    size_t size =
        write_packet(packet, AUDIO_SSRC + flow->index, flow->audio_sequence++, 0, VOICE_BYTES);
    uplink_send_audio(flow->uplink, flow->audio, packet, size, flow->flows->now);
}

/* --- a receiver -- */

static void answer(void *user, uint8_t *packet, size_t bytes)
{
    struct flow *flow = user;
    if (!flow->config.mute_back) {
        network_send(flow->flows->back, flow->flows->now, packet, bytes, flow->index);
    }
}

static void report(struct flow *flow)
{
    uint8_t packet[200];
    struct rtcp_block block = {0};
    if (flow->received.known) {
        receive_stream_report(&flow->received, &block);
        block.last_report = ntp_middle(ntp_from_wall(flow->newest_sent));
        block.delay = ntp_short_from_usec(flow->flows->now - flow->newest_arrival);
        answer(flow, packet, rtcp_write_report(packet, sizeof packet, 1, NULL, &block, 1));
    }
}

static void receive(struct flow *flow, const uint8_t *bytes, size_t size)
{
    struct packet packet;
    if (!packet_parse(&packet, bytes, size)) {
        abort();
    }
    bool video = packet.ssrc == VIDEO_SSRC + flow->index;
    struct downlink_stream stream = {.transport_sequence = ID_TRANSPORT,
                                     .send_time = video ? ID_SEND_TIME : 0};
    downlink_receive(flow->downlink, &stream, &packet, size, flow->flows->now);
    if (video) {
        receive_stream_packet(&flow->received, &packet, size);
    }
}

static void receive_answer(struct flow *flow, const uint8_t *bytes, size_t size)
{
    struct rtcp_reader reader;
    struct rtcp_message message;
    if (!rtcp_open(&reader, bytes, size)) {
        abort();
    }
    while (rtcp_next(&reader, &message)) {
        uplink_receive_rtcp(flow->uplink, &message, flow->flows->now);
    }
}

/* --- time -- */

static void open_flow(struct flow *flow)
{
    struct uplink_config up = {
        .most = flow->config.most,
        .hooks = {.user = flow, .send_rtp = cross, .target = follow_target},
    };
    struct downlink_config down = {
        .ssrc = 1,
        .cname = "far",
        .reduced_size = true,
        .transport_feedback = !flow->config.no_transport,
        .remb = !flow->config.no_remb,
        .hooks = {.user = flow, .send_rtcp = answer},
    };
    struct uplink_stream audio = {.transport_sequence = ID_TRANSPORT};
    struct uplink_stream video = {
        .transport_sequence = ID_TRANSPORT,
        .send_time = ID_SEND_TIME,
        .paced = true,
        .user = flow,
        .left = note_left,
        .pad = flow->config.no_padding ? NULL : pad,
    };
    if (uplink_new(&up, &flow->uplink) || downlink_new(&down, &flow->downlink) ||
        uplink_add_stream(flow->uplink, &audio, &flow->audio) ||
        uplink_add_stream(flow->uplink, &video, &flow->video)) {
        abort();
    }
    struct uplink_target target;
    uplink_target(flow->uplink, &target);
    flow->target = target.video;
    flow->next_voice = flow->config.no_voice ? USEC_NEVER : flow->config.start;
    flow->next_frame = flow->config.wanted ? flow->config.start : USEC_NEVER;
    flow->next_report = flow->config.start + REPORT_EVERY;
}

void flows_open(struct flows *flows, uint64_t seed, const struct network_config *there,
                const struct network_config *back, const struct flow_config *configs,
                unsigned count)
{
    *flows = (struct flows){.random = seed, .count = count, .delay = there->delay};
    flows->begin = flows->now = USEC_PER_SEC; /* a clock that is not at zero */
    flows->there = network_new(there, seed + 1);
    flows->back = network_new(back, seed + 2);
    flows->log = getenv("SIM_LOG") != NULL;
    for (unsigned i = 0; i < count; i++) {
        flows->flow[i] = (struct flow){.flows = flows, .index = i, .config = configs[i]};
        flows->flow[i].config.start += flows->now;
        open_flow(&flows->flow[i]);
    }
}

void flows_close(struct flows *flows)
{
    for (unsigned i = 0; i < flows->count; i++) {
        uplink_free(flows->flow[i].uplink);
        downlink_free(flows->flow[i].downlink);
    }
    network_free(flows->there);
    network_free(flows->back);
    free(flows->crossings);
}

void flows_change(struct flows *flows, const struct network_config *there)
{
    network_change(flows->there, there);
}

static void note_crossing(struct flows *flows, const struct crossing *crossing)
{
    if (flows->crossing_count == flows->crossing_room) {
        flows->crossing_room = flows->crossing_room ? 2 * flows->crossing_room : 4096;
        flows->crossings =
            realloc(flows->crossings, flows->crossing_room * sizeof *flows->crossings);
        if (!flows->crossings) {
            abort();
        }
    }
    flows->crossings[flows->crossing_count++] = *crossing;
    usec second = crossing->arrival / USEC_PER_SEC;
    if (second < FLOWS_SECONDS) {
        flows->flow[crossing->flow].delivered[second] += crossing->bytes;
    }
}

static void deliver(struct flows *flows)
{
    uint8_t bytes[DATAGRAM_MAX];
    struct crossing crossing;
    size_t size;
    while ((size = network_receive(flows->there, flows->now, bytes, sizeof bytes, &crossing.arrival,
                                   &crossing.flow)) > 0) {
        crossing.bytes = size;
        memcpy(&crossing.sent, bytes + size - UPLINK_OVERHEAD, STAMP_BYTES);
        note_crossing(flows, &crossing);
        flows->flow[crossing.flow].newest_sent = crossing.sent;
        flows->flow[crossing.flow].newest_arrival = crossing.arrival;
        receive(&flows->flow[crossing.flow], bytes, size - UPLINK_OVERHEAD);
    }
    unsigned flow;
    while ((size = network_receive(flows->back, flows->now, bytes, sizeof bytes, NULL, &flow)) >
           0) {
        receive_answer(&flows->flow[flow], bytes, size);
    }
}

static void say_second(const struct flow *flow, usec second)
{
    struct uplink_stats stats;
    uplink_stats(flow->uplink, &stats);
    printf(
        "%3d s  flow %u: estimate %5u  sent %5u  got %5.0f  acked %5u  queue %4d ms  loss "
        "%4.1f %%  limit %d  probes %d\n",
        (int)second, flow->index, stats.estimate / 1000, stats.sent / 1000,
        (double)flow->delivered[second] * 8 / 1000, stats.acknowledged / 1000,
        (int)(flows_queue(flow->flows, 0.95, second * USEC_PER_SEC, (second + 1) * USEC_PER_SEC) /
              USEC_PER_MS),
        stats.loss * 100, (int)stats.limit, (int)stats.probes);
}

static void run_flow(struct flow *flow)
{
    usec now = flow->flows->now;
    if (flow->config.stop && now >= flow->config.stop && flow->next_frame != USEC_NEVER) {
        flow->next_frame = USEC_NEVER;
        uplink_set_wanted(flow->uplink, 0, now);
    }
    if (now >= flow->next_frame) {
        uplink_set_wanted(flow->uplink, flow->config.wanted, now);
        send_frame(flow);
    }
    if (now >= flow->next_voice) {
        send_voice(flow);
        flow->next_voice += VOICE_EVERY;
    }
    if (now >= flow->next_report) {
        report(flow);
        flow->next_report += REPORT_EVERY;
    }
    if (now >= uplink_next_deadline(flow->uplink)) {
        uplink_tick(flow->uplink, now);
    }
    if (now >= downlink_next_deadline(flow->downlink)) {
        downlink_tick(flow->downlink, now);
    }
}

static usec least(usec a, usec b)
{
    return a < b ? a : b;
}

static usec next_event(const struct flows *flows)
{
    usec next = least(network_next(flows->there), network_next(flows->back));
    for (unsigned i = 0; i < flows->count; i++) {
        const struct flow *flow = &flows->flow[i];
        next = least(next, least(flow->next_frame, least(flow->next_voice, flow->next_report)));
        next = least(next, uplink_next_deadline(flow->uplink));
        next = least(next, downlink_next_deadline(flow->downlink));
    }
    return next > flows->now ? next : flows->now + 1;
}

void flows_run(struct flows *flows, usec end)
{
    while (flows->now < end) {
        usec second = flows->now / USEC_PER_SEC;
        flows->now = least(next_event(flows), end);
        for (unsigned i = 0; flows->now / USEC_PER_SEC > second && i < flows->count; i++) {
            struct uplink_target target;
            uplink_target(flows->flow[i].uplink, &target);
            flows->flow[i].estimates[second % FLOWS_SECONDS] = target.estimate;
            if (flows->log) {
                say_second(&flows->flow[i], second);
            }
        }
        deliver(flows);
        for (unsigned i = 0; i < flows->count; i++) {
            run_flow(&flows->flow[i]);
        }
    }
}

/* --- figures -- */

double flows_rate(const struct flows *flows, unsigned flow, usec from, usec to)
{
    double bytes = 0;
    for (size_t i = 0; i < flows->crossing_count; i++) {
        const struct crossing *crossing = &flows->crossings[i];
        if (crossing->arrival >= from && crossing->arrival < to &&
            (flow == FLOWS_MAX || flow == crossing->flow)) {
            bytes += (double)crossing->bytes;
        }
    }
    return bytes * 8 * USEC_PER_SEC / (double)(to - from);
}

static usec queueing(const struct flows *flows, size_t i)
{
    return flows->crossings[i].arrival - flows->crossings[i].sent - flows->delay;
}

static int compare(const void *a, const void *b)
{
    usec x = *(const usec *)a;
    usec y = *(const usec *)b;
    return (x > y) - (x < y);
}

usec flows_queue(const struct flows *flows, double share, usec from, usec to)
{
    size_t count = 0;
    usec *delays = malloc((flows->crossing_count + 1) * sizeof *delays);
    if (!delays) {
        abort();
    }
    for (size_t i = 0; i < flows->crossing_count; i++) {
        if (flows->crossings[i].arrival >= from && flows->crossings[i].arrival < to) {
            delays[count++] = queueing(flows, i);
        }
    }
    qsort(delays, count, sizeof *delays, compare);
    usec found = count ? delays[(size_t)((double)(count - 1) * share)] : 0;
    free(delays);
    return found;
}

usec flows_queue_below(const struct flows *flows, usec bound, usec from)
{
    for (size_t i = 0; i < flows->crossing_count; i++) {
        if (flows->crossings[i].arrival >= from && queueing(flows, i) < bound) {
            return flows->crossings[i].arrival;
        }
    }
    return USEC_NEVER;
}
