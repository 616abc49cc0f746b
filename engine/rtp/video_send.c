/* From coded frames to packets; what the peer misses; what the encoder is told. */
#include "rtp/video_private.h"

#include "rtp/bytes.h"
#include "rtp/packet.h"

#include <string.h>

#define BITRATE_DEFAULT 2500000
#define CLOCKRATE       90000

#define OSN_BYTES   2   /* RFC 4588, section 4: the original sequence number */
#define PADDING_MAX 224 /* bytes of one packet of nothing but padding */
#define PAD_PACKETS 24  /* at most for one call of the uplink's */
#define PAD_BACK    64  /* packets back that are sent again as padding */
#define PAYLOAD_MIN (VIDEO_PAYLOAD_OVERHEAD_MAX + 16)
#define EXTENSIONS  3
#define SEND_TIME   3 /* bytes of abs-send-time */
#define WIDE_NUMBER 2 /* of the transport-wide number */
#define REPEATS_MAX 10

/* Pictures are left out while the uplink's queue takes longer than this to leave, or while so much
 * more was sent than the target allowed. */
#define QUEUE_FULL (120 * USEC_PER_MS)
#define BACKLOG    0.4 /* seconds */

/* A frame that would have to wait longer is not sent at all. */
#define QUEUE_HOPELESS (900 * USEC_PER_MS)

/* Retransmissions may take this share of what the path carries, and a burst of half a second. */
static const double repeat_share = 0.5;
static const double repeat_burst = 0.5;
#define REPEAT_LEAST 12000 /* bytes of a burst, however slow the path */

#define LOOK_INTERVAL (20 * USEC_PER_MS)

/* --- packets -- */

static void on_left(void *user, uint32_t tag, enum uplink_kind kind, usec now)
{
    struct video *video = user;
    if (kind == UPLINK_NEW) {
        packet_history_left(&video->out.history, (uint16_t)tag, now);
    }
}

static size_t write_header(const struct video *video, struct packet_header *header, uint8_t *out,
                           size_t capacity)
{
    static const uint8_t zeros[SEND_TIME];
    const struct video_extensions *ids = &video->config.extensions;
    /* the mid is for the first packets of an SSRC (RFC 9143, section 15): until one was heard of */
    bool known = video->report.told && video->report.about == video->out.sent.ssrc;
    struct packet_extension extensions[EXTENSIONS] = {
        {.id = known ? 0 : ids->mid, .data = ids->mid_value, .size = strlen(ids->mid_value)},
        {.id = ids->send_time, .data = zeros, .size = SEND_TIME},
        {.id = ids->transport_sequence, .data = zeros, .size = WIDE_NUMBER},
    };
    header->extensions = extensions;
    header->extension_count = EXTENSIONS;
    return send_stream_header(&video->out.sent, header, out, capacity);
}

static void queue_packet(struct video *video, const uint8_t *packet, size_t header, size_t payload,
                         usec now)
{
    struct video_sender *out = &video->out;
    uint16_t sequence = out->sent.sequence;
    packet_history_put(&out->history, sequence, packet, header + payload, header);
    send_stream_sent(&out->sent, header, payload);
    uplink_enqueue(video->uplink, out->stream, UPLINK_NEW, packet, header + payload, sequence, now);
}

/* The size that payloads may have behind this header, with room for rtx to add its number. */
static size_t payload_room(size_t header)
{
    return UPLINK_PACKET_MAX - OSN_BYTES - header;
}

static unsigned queue_frame(struct video *video, const struct coded_frame *frame,
                            uint32_t timestamp, usec now)
{
    struct video_sender *out = &video->out;
    uint8_t packet[UPLINK_PACKET_MAX];
    struct video_packetiser packetiser;
    struct packet_header header = {.payload_type = out->sending.payload_type,
                                   .timestamp = timestamp};
    size_t header_bytes = write_header(video, &header, packet, sizeof packet);
    unsigned count =
        video_packetise(&packetiser, out->sending.codec, frame, payload_room(header_bytes));
    if (count == 0 || uplink_queue_packets(video->uplink) + count > UPLINK_QUEUE_MAX) {
        return 0;
    }
    for (unsigned i = 0; i < count; i++) {
        header.marker = i + 1 == count;
        write_header(video, &header, packet, sizeof packet);
        size_t payload = video_next(&packetiser, packet + header_bytes);
        queue_packet(video, packet, header_bytes, payload, now);
    }
    return count;
}

/* --- frames -- */

static void look_at_path(struct video *video, usec now);

static bool may_send(const struct video *video)
{
    return video->out.sending.codec && !video->out.muted && !video->held && !video->said_bye;
}

/* A frame was not sent, though others need it. */
static void break_off(struct video *video)
{
    video->out.broken = true;
    key_frame_pace_need(&video->out.key_frames);
}

static bool drop_frame(struct video *video, const struct coded_frame *frame)
{
    video->out.dropped++;
    if (!frame->discardable) {
        break_off(video);
    }
    return false;
}

/* Time stamps follow the capture times, and always grow. */
static uint32_t timestamp_of(struct video_sender *out, int64_t captured)
{
    if (!out->begun) {
        out->begun = true;
        out->started = captured;
        out->captured = captured - 1;
    }
    int64_t units = (captured - out->started) * CLOCKRATE / USEC_PER_SEC;
    uint32_t timestamp = out->first_timestamp + (uint32_t)units;
    if ((int32_t)(timestamp - out->sent.timestamp) <= 0) {
        timestamp = out->sent.timestamp + 1;
    }
    return timestamp;
}

/* In seconds of the target that was told when it was sent. */
static void count_backlog(struct video_sender *out, size_t bytes, usec now)
{
    double passed = (double)(now - out->drained) / USEC_PER_SEC;
    out->drained = now;
    out->backlog = out->backlog > passed ? out->backlog - passed : 0;
    if (out->target.bitrate > 0) {
        out->backlog += (double)bytes * 8 / out->target.bitrate;
    }
}

static void frame_sent(struct video *video, const struct coded_frame *frame, usec now)
{
    struct video_sender *out = &video->out;
    out->frames++;
    out->width = frame->width ? frame->width : out->width;
    out->height = frame->height ? frame->height : out->height;
    count_backlog(out, frame->size, now);
    if (frame->key) {
        out->broken = false;
        out->key_frames_sent++;
        key_frame_pace_sent(&out->key_frames, frame->size, out->target.bitrate, now);
    }
}

bool video_send_frame(struct video *video, const struct coded_frame *frame, usec now)
{
    struct video_sender *out = &video->out;
    if (!may_send(video)) {
        out->broken = true;
        out->dropped++;
        return false;
    }
    if ((out->broken && !frame->key) || uplink_queue_time(video->uplink) > QUEUE_HOPELESS) {
        return drop_frame(video, frame);
    }
    uint32_t timestamp = timestamp_of(out, frame->captured);
    if (queue_frame(video, frame, timestamp, now) == 0) {
        return drop_frame(video, frame);
    }
    out->sent.timestamp = timestamp;
    out->sent.time = frame->captured > 0 && frame->captured <= now ? frame->captured : now;
    frame_sent(video, frame, now);
    look_at_path(video, now);
    return true;
}

/* --- once more -- */

static bool afford(struct video_sender *out, const struct uplink_target *target, size_t bytes,
                   usec now)
{
    double rate = target->estimate * repeat_share / 8;
    double most = rate * repeat_burst > REPEAT_LEAST ? rate * repeat_burst : REPEAT_LEAST;
    out->allowance += rate * (double)(now - out->allowed) / USEC_PER_SEC;
    out->allowance = out->allowance > most ? most : out->allowance;
    out->allowed = now;
    if (out->allowance < (double)bytes) {
        return false;
    }
    out->allowance -= (double)bytes;
    return true;
}

/* RFC 4588, section 4: the packet with another payload type, source and number; its own number
 * before the payload. Returns the size. */
static size_t wrap(struct video_sender *out, const struct past_packet *past, uint8_t *packet)
{
    size_t header = past->header_bytes;
    memcpy(packet, past->data, header);
    packet[1] = (uint8_t)((packet[1] & 0x80) | out->sending.rtx);
    write_u16(packet + 2, out->again.sequence);
    write_u32(packet + 8, out->again.ssrc);
    write_u16(packet + header, past->sequence);
    memcpy(packet + header + OSN_BYTES, past->data + header, past->bytes - header);
    send_stream_sent(&out->again, header, past->bytes + OSN_BYTES - header);
    return past->bytes + OSN_BYTES;
}

static size_t send_again(struct video *video, struct past_packet *past, enum uplink_kind kind,
                         usec now)
{
    struct video_sender *out = &video->out;
    uint8_t packet[UPLINK_PACKET_MAX];
    const uint8_t *data = past->data;
    size_t bytes = past->bytes;
    if (out->sending.rtx) {
        bytes = wrap(out, past, packet);
        data = packet;
    }
    past->again = now;
    past->times++;
    return uplink_enqueue(video->uplink, out->stream, kind, data, bytes, past->sequence, now)
               ? bytes
               : 0;
}

/* What was sent again within a round trip is still under way. */
static bool is_under_way(const struct past_packet *past, usec round_trip, usec now)
{
    return past->again != USEC_NEVER && now - past->again < round_trip;
}

void sender_nack(struct video *video, const uint16_t *sequences, size_t count, usec now)
{
    struct video_sender *out = &video->out;
    struct uplink_target target;
    usec round_trip = video_round_trip(video);
    uplink_target(video->uplink, &target);
    for (size_t i = 0; i < count && may_send(video); i++) {
        struct past_packet *past = packet_history_get(&out->history, sequences[i], now);
        if (!past || past->times >= REPEATS_MAX || is_under_way(past, round_trip, now)) {
            continue;
        }
        if (!afford(out, &target, past->bytes, now)) {
            /* so much was lost that a key frame mends it sooner */
            key_frame_pace_request(&out->key_frames, round_trip, now);
            break;
        }
        out->repeated_bytes += send_again(video, past, UPLINK_RETRANSMISSION, now);
        out->repeated++;
    }
}

/* --- padding for the uplink's probes -- */

/* RFC 3550, section 5.1: the last byte counts the padding. Over rtx such packets are in nobody's
 * way. */
static size_t send_padding(struct video *video, usec now)
{
    struct video_sender *out = &video->out;
    uint8_t packet[UPLINK_PACKET_MAX] = {0};
    struct packet_header header = {.payload_type = out->sending.rtx,
                                   .timestamp = out->sent.timestamp};
    size_t bytes = write_header(video, &header, packet, sizeof packet);
    packet[0] |= 0x20;
    write_u16(packet + 2, out->again.sequence);
    write_u32(packet + 8, out->again.ssrc);
    memset(packet + bytes, 0, PADDING_MAX);
    packet[bytes + PADDING_MAX - 1] = PADDING_MAX;
    send_stream_sent(&out->again, bytes, 0);
    bytes += PADDING_MAX;
    uplink_enqueue(video->uplink, out->stream, UPLINK_PADDING, packet, bytes, 0, now);
    return bytes;
}

/* The packets sent last, again; where there are none, padding alone. */
static void on_pad(void *user, size_t bytes, usec now)
{
    struct video *video = user;
    struct video_sender *out = &video->out;
    if (!out->sending.rtx || !may_send(video)) {
        return;
    }
    size_t made = 0;
    unsigned packets = 0;
    for (unsigned back = 1; back <= PAD_BACK && made < bytes && packets < PAD_PACKETS; back++) {
        uint16_t sequence = (uint16_t)(out->sent.sequence - back);
        struct past_packet *past = packet_history_get(&out->history, sequence, now);
        if (past && past->again == USEC_NEVER && past->bytes <= bytes - made + PADDING_MAX) {
            made += send_again(video, past, UPLINK_PADDING, now);
            packets++;
        }
    }
    while (packets < PAD_PACKETS && made < bytes) {
        made += send_padding(video, now);
        packets++;
    }
}

/* --- what the encoder is told -- */

/* A change that an encoder would not notice is not told. */
static bool same_target(const struct video_target *a, const struct video_target *b)
{
    uint32_t more = a->bitrate > b->bitrate ? a->bitrate : b->bitrate;
    uint32_t less = a->bitrate > b->bitrate ? b->bitrate : a->bitrate;
    return a->frame_rate == b->frame_rate && a->width == b->width && a->height == b->height &&
           a->skip == b->skip && (less == 0) == (more == 0) && more - less <= more / 50;
}

static void tell_target(struct video *video, const struct video_target *target)
{
    const struct video_hooks *hooks = &video->config.hooks;
    if (same_target(&video->out.target, target)) {
        return;
    }
    video->out.target = *target;
    if (hooks->target) {
        hooks->target(hooks->user, target);
    }
}

/* Whether as much waits as pictures must not be added to. */
static bool must_skip(struct video *video, usec now)
{
    count_backlog(&video->out, 0, now);
    return uplink_queue_time(video->uplink) > QUEUE_FULL || video->out.backlog > BACKLOG;
}

static void look_at_path(struct video *video, usec now)
{
    struct video_sender *out = &video->out;
    struct video_target target = {0};
    struct uplink_target path;
    out->looked = now;
    if (may_send(video) && out->ladder.count > 0) {
        uplink_target(video->uplink, &path);
        ladder_follow(&out->ladder, path.video, now);
        const struct ladder_rung *rung = ladder_rung(&out->ladder);
        if (rung) {
            target.bitrate = path.video < out->ladder.most ? path.video : out->ladder.most;
            target.width = rung->width;
            target.height = rung->height;
            target.frame_rate = rung->frame_rate;
            target.skip = must_skip(video, now);
        }
    }
    tell_target(video, &target);
}

static void tell_wanted(struct video *video, usec now)
{
    struct video_sender *out = &video->out;
    uint32_t wanted = may_send(video) ? out->ladder.most : 0;
    if (wanted != out->wanted) {
        out->wanted = wanted;
        uplink_set_wanted(video->uplink, wanted, now);
    }
}

static void ask_encoder(struct video *video, usec now)
{
    const struct video_hooks *hooks = &video->config.hooks;
    if (may_send(video) && key_frame_pace_due(&video->out.key_frames, now) && hooks->key_frame) {
        hooks->key_frame(hooks->user);
    }
}

void sender_update(struct video *video, usec now)
{
    tell_wanted(video, now);
    look_at_path(video, now);
    ask_encoder(video, now);
}

void sender_asked(struct video *video, usec now)
{
    video->out.asked++;
    key_frame_pace_request(&video->out.key_frames, video_round_trip(video), now);
    ask_encoder(video, now);
}

void sender_tick(struct video *video, usec now)
{
    struct video_sender *out = &video->out;
    if (now - out->looked >= LOOK_INTERVAL || out->target.skip) {
        look_at_path(video, now);
    }
    ask_encoder(video, now);
    rate_meter_run(&out->bytes_meter, out->sent.bytes + out->repeated_bytes, now);
    rate_meter_run(&out->frames_meter, out->frames, now);
}

usec sender_deadline(const struct video *video)
{
    if (!may_send(video) || video->out.ladder.count == 0) {
        return USEC_NEVER;
    }
    usec keys = key_frame_pace_deadline(&video->out.key_frames);
    usec look = video->out.looked + LOOK_INTERVAL;
    return keys < look ? keys : look;
}

/* --- life -- */

static void open_ladder(struct video_sender *out)
{
    const struct video_input *input = &out->input;
    uint32_t most = out->sending.bitrate ? out->sending.bitrate : BITRATE_DEFAULT;
    uint32_t width = out->sending.codec ? input->width : 0;
    ladder_open(&out->ladder, width, input->height, input->frame_rate, input->screen, most);
}

void video_set_input(struct video *video, const struct video_input *input, usec now)
{
    video->out.input = *input;
    open_ladder(&video->out);
    sender_update(video, now);
}

void video_set_mute(struct video *video, bool on, usec now)
{
    video->out.muted = on;
    if (!on) {
        break_off(video);
    }
    sender_update(video, now);
}

jingle_status video_set_sending(struct video *video, const struct video_sending *sending, usec now)
{
    struct video_sender *out = &video->out;
    if (sending->codec && !packet_history_open(&out->history)) {
        return JINGLE_ERROR_MEMORY;
    }
    bool same =
        out->sending.codec == sending->codec && out->sending.payload_type == sending->payload_type;
    out->sending = *sending;
    if (!same) {
        break_off(video);
    }
    open_ladder(out);
    sender_update(video, now);
    return JINGLE_OK;
}

jingle_status sender_open(struct video *video)
{
    struct video_sender *out = &video->out;
    const struct video_config *config = &video->config;
    struct uplink_stream stream = {
        .transport_sequence = config->extensions.transport_sequence,
        .send_time = config->extensions.send_time,
        .paced = true,
        .user = video,
        .left = on_left,
        .pad = on_pad,
    };
    jingle_status status = uplink_add_stream(video->uplink, &stream, &out->stream);
    if (status != JINGLE_OK) {
        return status;
    }
    send_stream_init(&out->sent, config->ssrc, CLOCKRATE, &config->random);
    send_stream_init(&out->again, config->rtx_ssrc, CLOCKRATE, &config->random);
    out->first_timestamp = out->sent.timestamp;
    out->sending = config->sending;
    out->broken = true; /* until the first key frame */
    if (config->sending.codec && !packet_history_open(&out->history)) {
        uplink_remove_stream(video->uplink, out->stream);
        return JINGLE_ERROR_MEMORY;
    }
    return JINGLE_OK;
}

void sender_close(struct video *video)
{
    if (video->out.wanted) {
        uplink_set_wanted(video->uplink, 0, video->out.looked);
    }
    uplink_remove_stream(video->uplink, video->out.stream);
    packet_history_close(&video->out.history);
}
