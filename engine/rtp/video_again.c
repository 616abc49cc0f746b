/* What the peer misses is sent again (RFC 4585, RFC 4588); what the uplink probes the path with. */
#include "rtp/video_private.h"

#include "rtp/bytes.h"

#include <string.h>

#define PADDING_MAX 224 /* bytes of one packet of nothing but padding */
#define PAD_PACKETS 24  /* at most for one call of the uplink's */
#define PAD_BACK    64  /* packets back that are sent again as padding */
#define REPEATS_MAX 20  /* of one packet */

/* What was asked for twice is overdue: this many are sent, for one of them may be lost as well. */
#define LATER_COPIES 2

/* Retransmissions may take this share of what the path carries, and a burst of half a second. */
static const double repeat_share = 0.5;
static const double repeat_burst = 0.5;
#define REPEAT_LEAST 12000 /* bytes of a burst, however slow the path */

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
    memcpy(packet + header + VIDEO_OSN_BYTES, past->data + header, past->bytes - header);
    send_stream_sent(&out->again, header, past->bytes + VIDEO_OSN_BYTES - header);
    return past->bytes + VIDEO_OSN_BYTES;
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
    for (size_t i = 0; i < count && sender_active(video); i++) {
        struct past_packet *past = packet_history_get(&out->history, sequences[i], now);
        if (!past || past->times >= REPEATS_MAX || is_under_way(past, round_trip, now)) {
            continue;
        }
        unsigned copies = past->times > 0 ? LATER_COPIES : 1;
        if (!afford(out, &target, copies * past->bytes, now)) {
            /* so much was lost that a key frame mends it sooner */
            key_frame_pace_request(&out->key_frames, round_trip, now);
            break;
        }
        for (unsigned copy = 0; copy < copies; copy++) {
            out->repeated_bytes += send_again(video, past, UPLINK_RETRANSMISSION, now);
            out->repeated++;
        }
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
    size_t bytes = sender_write_header(video, &header, packet, sizeof packet);
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
void sender_pad(void *user, size_t bytes, usec now)
{
    struct video *video = user;
    struct video_sender *out = &video->out;
    if (!out->sending.rtx || !sender_active(video)) {
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
