/* From coded frames to packets. */
#include "rtp/video_private.h"

#include "rtp/packet.h"

#include <string.h>

#define EXTENSIONS  3
#define SEND_TIME   3 /* bytes of abs-send-time */
#define WIDE_NUMBER 2 /* of the transport-wide number */

/* A frame that would have to wait longer is not sent at all. */
#define QUEUE_HOPELESS (900 * USEC_PER_MS)

/* A capture time further back is none of our clock's. */
#define CAPTURE_AGE_MAX (10 * USEC_PER_SEC)

/* --- packets -- */

static void on_left(void *user, uint32_t tag, enum uplink_kind kind, usec now)
{
    struct video *video = user;
    if (kind == UPLINK_NEW) {
        packet_history_left(&video->out.history, (uint16_t)tag, now);
    }
}

size_t sender_write_header(const struct video *video, struct packet_header *header, uint8_t *out,
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
    return UPLINK_PACKET_MAX - VIDEO_OSN_BYTES - header;
}

static unsigned queue_frame(struct video *video, const struct coded_frame *frame,
                            uint32_t timestamp, usec now)
{
    struct video_sender *out = &video->out;
    uint8_t packet[UPLINK_PACKET_MAX];
    struct video_packetiser packetiser;
    struct packet_header header = {.payload_type = out->sending.payload_type,
                                   .timestamp = timestamp};
    size_t header_bytes = sender_write_header(video, &header, packet, sizeof packet);
    unsigned count =
        video_packetise(&packetiser, out->sending.codec, frame, payload_room(header_bytes));
    if (count == 0 || uplink_queue_packets(video->uplink) + count > UPLINK_QUEUE_MAX) {
        return 0;
    }
    for (unsigned i = 0; i < count; i++) {
        header.marker = i + 1 == count;
        sender_write_header(video, &header, packet, sizeof packet);
        size_t payload = video_next(&packetiser, packet + header_bytes);
        queue_packet(video, packet, header_bytes, payload, now);
    }
    return count;
}

/* --- frames -- */

bool sender_active(const struct video *video)
{
    return video->out.sending.codec && !video->out.muted && !video->held && !video->said_bye;
}

/* A frame was not sent, though others need it. */
void sender_break_off(struct video *video)
{
    video->out.broken = true;
    key_frame_pace_need(&video->out.key_frames);
}

static bool drop_frame(struct video *video, const struct coded_frame *frame)
{
    video->out.dropped++;
    if (!frame->discardable) {
        sender_break_off(video);
    }
    return false;
}

/* Time stamps follow the capture times, and always grow. */
static uint32_t timestamp_of(struct video_sender *out, usec captured)
{
    if (!out->begun) {
        out->begun = true;
        out->started = captured;
    }
    int64_t units = (captured - out->started) * VIDEO_CLOCKRATE / USEC_PER_SEC;
    uint32_t timestamp = out->first_timestamp + (uint32_t)units;
    if ((int32_t)(timestamp - out->sent.timestamp) <= 0) {
        timestamp = out->sent.timestamp + 1;
    }
    return timestamp;
}

static void frame_sent(struct video *video, const struct coded_frame *frame, usec now)
{
    struct video_sender *out = &video->out;
    out->frames++;
    out->width = frame->width ? frame->width : out->width;
    out->height = frame->height ? frame->height : out->height;
    sender_count(out, frame->size, now);
    if (frame->key) {
        out->broken = false;
        out->key_frames_sent++;
        key_frame_pace_sent(&out->key_frames, frame->size, out->target.bitrate, now);
    }
}

bool video_send_frame(struct video *video, const struct coded_frame *frame, usec now)
{
    struct video_sender *out = &video->out;
    if (!sender_active(video)) {
        out->broken = true;
        out->dropped++;
        return false;
    }
    if ((out->broken && !frame->key) || uplink_queue_time(video->uplink) > QUEUE_HOPELESS) {
        return drop_frame(video, frame);
    }
    bool ours = frame->captured <= now && now - frame->captured < CAPTURE_AGE_MAX;
    usec captured = ours ? frame->captured : now;
    uint32_t timestamp = timestamp_of(out, captured);
    if (queue_frame(video, frame, timestamp, now) == 0) {
        return drop_frame(video, frame);
    }
    out->sent.timestamp = timestamp;
    out->sent.time = captured;
    frame_sent(video, frame, now);
    sender_look(video, now);
    return true;
}

/* --- life -- */

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
        sender_break_off(video);
    }
    sender_open_ladder(out);
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
        .pad = sender_pad,
    };
    jingle_status status = uplink_add_stream(video->uplink, &stream, &out->stream);
    if (status != JINGLE_OK) {
        return status;
    }
    send_stream_init(&out->sent, config->ssrc, VIDEO_CLOCKRATE, &config->random);
    send_stream_init(&out->again, config->rtx_ssrc, VIDEO_CLOCKRATE, &config->random);
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
