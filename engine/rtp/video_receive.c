/* From packets to whole frames; what is missing is asked for.
 *
 *     packet ─▶ whose? ─▶ (rtx unwrapped) ─▶ gap: NACK list ─▶ frame buffer ─▶ video_frames.c
 */
#include "rtp/video_private.h"

#include "rtp/bytes.h"
#include "rtp/packet.h"
#include "rtp/rtcp_feedback.h"

#include <string.h>

/* A goodbye may be followed by another source; packets that it overtook come soon after it. */
#define BYE_GRACE     (500 * USEC_PER_MS)
#define OVERTAKEN_MAX (200 * USEC_PER_MS)

/* A retransmission of a packet so far ahead of all others is none. */
#define AHEAD_MAX 1000

/* What is missed is given up after some round trips, within these; without NACK, soon. */
#define AGE_LEAST    USEC_PER_SEC
#define AGE_MOST     (2 * USEC_PER_SEC)
#define AGE_NO_NACK  (20 * USEC_PER_MS)
#define ROUND_TRIPS  6
#define OUTAGE       (700 * USEC_PER_MS)  /* of media time: longer gaps are not worth asking for */
#define BLOCKED_MAX  (1200 * USEC_PER_MS) /* packets come, but no frame does */
#define BEGIN_MAX    (200 * USEC_PER_MS)  /* the same at the beginning */
#define KEY_PATIENCE USEC_PER_SEC         /* then only packets of a key frame are asked for */

static void discard(struct video *video, bool *logged, const char *why, unsigned detail)
{
    video->in.discarded++;
    if (!*logged) {
        *logged = true;
        log_warning(video->config.log, "The peer sends %s (%u); dropped and counted", why, detail);
    }
}

static usec age_limit(const struct video *video)
{
    if (!video->config.feedback.nack) {
        return nack_list_patience(&video->in.missing) + AGE_NO_NACK;
    }
    usec age = ROUND_TRIPS * video_round_trip(video);
    return age < AGE_LEAST ? AGE_LEAST : age > AGE_MOST ? AGE_MOST : age;
}

/* --- packets -- */

/* For packets; in vain where a key frame is missing for long and none has begun to come. */
static bool may_ask(const struct video *video, usec now)
{
    const struct video_receiver *in = &video->in;
    bool in_vain =
        in->key_since != USEC_NEVER && now - in->key_since > KEY_PATIENCE && !in->key_begun;
    return video->config.feedback.nack && !in_vain && !video->held && !video->said_bye;
}

static void ask_for_missing(struct video *video, usec now)
{
    struct video_receiver *in = &video->in;
    int64_t missing[FEEDBACK_NACK_MAX];
    uint16_t sequences[FEEDBACK_NACK_MAX];
    uint8_t message[12 + 4 * FEEDBACK_NACK_MAX];
    bool in_vain =
        in->key_since != USEC_NEVER && now - in->key_since > KEY_PATIENCE && !in->key_begun;
    if (!video->config.feedback.nack || in_vain || video->held || video->said_bye) {
        return;
    }
    size_t count =
        nack_list_ask(&in->missing, video_round_trip(video), now, missing, FEEDBACK_NACK_MAX);
    if (count == 0) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        sequences[i] = (uint16_t)missing[i];
    }
    size_t bytes = rtcp_write_nack(message, sizeof message, video->out.sent.ssrc, in->stream.ssrc,
                                   sequences, count);
    in->nacks++;
    video_send_feedback(video, message, bytes);
}

/* Packets between the newest one and this one did not come (yet). */
static void note_gap(struct video *video, int64_t sequence, uint32_t timestamp, usec now)
{
    struct video_receiver *in = &video->in;
    int64_t first = in->buffer.highest + 1;
    int64_t media = (int32_t)(timestamp - in->newest);
    bool outage = media * USEC_PER_SEC / VIDEO_CLOCKRATE > OUTAGE;
    if (first >= sequence) {
        return;
    }
    if (outage || !nack_list_miss(&in->missing, first, sequence, now)) {
        nack_list_forget_before(&in->missing, sequence);
        if (in->order.begun) {
            receiver_need_key(video, now);
        }
    }
}

static int64_t extend(const struct frame_buffer *buffer, uint16_t sequence)
{
    if (!buffer->begun) {
        return sequence;
    }
    return buffer->highest + (int16_t)(sequence - (uint16_t)buffer->highest);
}

static void note_content(struct video_receiver *in, const struct frame_packet *packet, usec now)
{
    bool key_begins = packet->payload.begins_frame && packet->payload.key;
    in->heard = now;
    in->blocked = in->blocked == USEC_NEVER ? now : in->blocked;
    if (key_begins && (in->order.need_key || !in->order.begun)) {
        nack_list_forget_before(&in->missing, packet->sequence);
        in->key_begun = true;
    }
}

static void take(struct video *video, const struct packet *packet, const struct video_codec *codec,
                 bool again, usec now)
{
    struct video_receiver *in = &video->in;
    struct frame_packet part = {
        .sequence = extend(&in->buffer, packet->sequence),
        .timestamp = packet->timestamp,
        .marker = packet->marker,
        .empty = packet->payload_bytes == 0,
        .codec = codec,
    };
    bool newer = in->buffer.begun && part.sequence > in->buffer.highest;
    if (newer) {
        note_gap(video, part.sequence, part.timestamp, now);
    }
    bool missed = nack_list_came(&in->missing, part.sequence, again, video_round_trip(video), now);
    if (!part.empty && video_depacketise(codec, packet->payload, packet->payload_bytes,
                                         &part.payload) != JINGLE_OK) {
        discard(video, &in->malformed_logged, "video that cannot be read", packet->payload_type);
        return;
    }
    if (frame_buffer_insert(&in->buffer, &part, now) != FRAME_PACKET_TAKEN) {
        return;
    }
    in->recovered += again && missed;
    if (newer || in->newest_sequence <= part.sequence) {
        in->newest = part.timestamp;
        in->newest_sequence = part.sequence;
    }
    if (!part.empty) {
        note_content(in, &part, now);
    }
    receiver_hand_out(video, now);
    ask_for_missing(video, now);
    receiver_ask_key(video, now);
}

/* --- whose packet -- */

static const struct video_receiving *entry_of(const struct video *video, uint8_t payload_type)
{
    for (size_t i = 0; i < video->config.receive_count; i++) {
        const struct video_receiving *entry = &video->config.receive[i];
        if (entry->payload_type == payload_type || (entry->rtx && entry->rtx == payload_type)) {
            return entry;
        }
    }
    return NULL;
}

bool video_takes(const struct video *video, uint8_t payload_type)
{
    return entry_of(video, payload_type) != NULL;
}

void receiver_restart(struct video *video)
{
    struct video_receiver *in = &video->in;
    frame_buffer_clear(&in->buffer);
    frame_order_reset(&in->order);
    memset(&in->missing, 0, sizeof in->missing);
    frame_timing_reset(&in->timing);
    in->blocked = USEC_NEVER;
    in->key_since = USEC_NEVER;
    in->wake = USEC_NEVER;
    in->decodable = 0;
    in->key_begun = false;
    in->newest_sequence = INT64_MIN;
}

static bool assembles(const struct video *video)
{
    return !video->held && video->config.hooks.frame;
}

static void receive_media(struct video *video, const struct packet *packet, size_t size,
                          const struct video_codec *codec, usec now)
{
    struct video_receiver *in = &video->in;
    bool same = in->stream.known && in->stream.ssrc == packet->ssrc;
    if (same && in->stream.gone && now - in->bye_heard > OVERTAKEN_MAX) {
        receive_stream_forget(&in->stream);
    }
    enum receive_verdict verdict = receive_stream_packet(&in->stream, packet, size);
    if (verdict == RECEIVE_REFUSED) {
        in->discarded++;
        return;
    }
    if (verdict == RECEIVE_RESTARTED) {
        receiver_restart(video);
    }
    video->last_heard = now;
    in->bye_heard = USEC_NEVER;
    if (packet->payload_bytes > 0) {
        receive_stream_arrival(&in->stream, packet->timestamp, VIDEO_CLOCKRATE, now);
    }
    if (assembles(video)) {
        take(video, packet, codec, false, now);
    }
}

static void receive_again(struct video *video, struct packet *packet, size_t size,
                          const struct video_codec *codec, usec now)
{
    struct video_receiver *in = &video->in;
    if (receive_stream_packet(&in->again, packet, size) == RECEIVE_REFUSED) {
        in->discarded++;
        return;
    }
    video->last_heard = now;
    if (packet->payload_bytes <= VIDEO_OSN_BYTES || !in->buffer.begun || !assembles(video)) {
        return; /* padding, as a probe has it, or too early */
    }
    packet->sequence = read_u16(packet->payload);
    packet->payload += VIDEO_OSN_BYTES;
    packet->payload_bytes -= VIDEO_OSN_BYTES;
    if (extend(&in->buffer, packet->sequence) - in->buffer.highest > AHEAD_MAX) {
        in->discarded++;
        return;
    }
    take(video, packet, codec, true, now);
}

void video_receive_rtp(struct video *video, const uint8_t *bytes, size_t size, usec now)
{
    struct packet packet;
    struct video_receiver *in = &video->in;
    if (!packet_parse(&packet, bytes, size)) {
        discard(video, &in->malformed_logged, "malformed RTP", (unsigned)size);
        return;
    }
    const struct video_receiving *entry = entry_of(video, packet.payload_type);
    bool ours = packet.ssrc == video->out.sent.ssrc || packet.ssrc == video->out.again.ssrc;
    if (!entry || ours) {
        discard(video, &in->unknown_logged, "video that was not agreed on", packet.payload_type);
        return;
    }
    if (packet.payload_type == entry->payload_type) {
        receive_media(video, &packet, size, entry->codec, now);
    } else {
        receive_again(video, &packet, size, entry->codec, now);
    }
}

void receiver_bye(struct video *video, const struct rtcp_message *message, usec now)
{
    struct video_receiver *in = &video->in;
    for (unsigned i = 0; i < message->source_count; i++) {
        if (receive_stream_bye(&in->stream, message->sources[i]) && in->bye_heard == USEC_NEVER) {
            in->bye_heard = now;
        }
    }
}

void video_set_sync(struct video *video, const struct sync_reference *reference)
{
    video->in.sound = reference ? *reference : (struct sync_reference){0};
}

void video_set_peer_hold(struct video *video, bool on, usec now)
{
    struct video_receiver *in = &video->in;
    (void)now;
    if (in->peer_holds == on) {
        return;
    }
    in->peer_holds = on;
    freeze_pause(&in->freeze);
    in->blocked = USEC_NEVER;
}

/* --- time -- */

static usec blocked_limit(const struct video *video)
{
    const struct video_receiver *in = &video->in;
    usec round_trip = video_round_trip(video);
    bool running = in->order.begun && !in->order.need_key;
    usec limit = running ? BLOCKED_MAX : BEGIN_MAX;
    usec least = round_trip * (running ? ROUND_TRIPS + 1 : 2);
    return limit > least ? limit : least;
}

static void end_grace(struct video *video, usec now)
{
    struct video_receiver *in = &video->in;
    if (in->bye_heard == USEC_NEVER || now - in->bye_heard < BYE_GRACE) {
        return;
    }
    in->bye_heard = USEC_NEVER;
    receive_stream_forget(&in->stream);
    freeze_pause(&in->freeze);
    if (video->config.hooks.bye) {
        video->config.hooks.bye(video->config.hooks.user);
    }
}

void receiver_tick(struct video *video, usec now)
{
    struct video_receiver *in = &video->in;
    rate_meter_run(&in->bytes_meter, in->stream.bytes + in->again.bytes, now);
    rate_meter_run(&in->frames_meter, in->number, now);
    mean_meter_run(&in->decode_time, now);
    mean_meter_run(&in->buffer_delay, now);
    end_grace(video, now);
    if (!assembles(video)) {
        return;
    }
    nack_list_give_up(&in->missing, video_round_trip(video), age_limit(video), now);
    receiver_hand_out(video, now);
    if (in->blocked != USEC_NEVER && now - in->blocked >= blocked_limit(video)) {
        in->blocked = now;
        receiver_need_key(video, now);
    }
    ask_for_missing(video, now);
    receiver_ask_key(video, now);
    in->may_request = receiver_may_ask_key(video, now);
    in->may_ask = may_ask(video, now);
}

static usec earlier(usec a, usec b)
{
    return a < b ? a : b;
}

usec receiver_deadline(const struct video *video)
{
    const struct video_receiver *in = &video->in;
    usec next = in->wake;
    if (in->bye_heard != USEC_NEVER) {
        next = earlier(next, in->bye_heard + BYE_GRACE);
    }
    if (!assembles(video)) {
        return next;
    }
    next = earlier(next, nack_list_deadline(&in->missing, in->may_ask, video_round_trip(video),
                                            age_limit(video)));
    if (in->may_request) { /* otherwise it waits for a packet, and no clock helps */
        next = earlier(next, key_frame_request_deadline(&in->request));
    }
    return in->blocked == USEC_NEVER ? next : earlier(next, in->blocked + blocked_limit(video));
}

/* --- life -- */

jingle_status receiver_open(struct video *video)
{
    struct video_receiver *in = &video->in;
    in->heard = USEC_NEVER;
    in->bye_heard = USEC_NEVER;
    in->stream.late_max = FRAME_BUFFER_PACKETS;
    receiver_restart(video);
    return frame_buffer_open(&in->buffer) ? JINGLE_OK : JINGLE_ERROR_MEMORY;
}

void receiver_close(struct video *video)
{
    frame_buffer_close(&video->in.buffer);
}
