/* From packets to coded frames in the order and at the time in which they are to be decoded; what
 * is missing is asked for.
 *
 *     packet ─▶ whose? ─▶ (rtx unwrapped) ─▶ gap: NACK list ─▶ frame buffer
 *     whole frames ─▶ next │ skips │ useless │ hopeless ─▶ hand out │ wait │ drop │ key frame
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
#define QUIET        USEC_PER_SEC /* of a peer that sends nothing a key frame is not asked */

#define HAND_OUT_SPARE (5 * USEC_PER_MS)
#define FRAMES_BURST   (VIDEO_FRAMES_PER_SEC * 0.5)

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

/* --- key frames -- */

/* There is somebody to ask, and reason to. */
static bool may_request(const struct video *video, usec now)
{
    const struct video_receiver *in = &video->in;
    const struct video_feedback *feedback = &video->config.feedback;
    bool quiet = in->heard == USEC_NEVER || now - in->heard > QUIET;
    return !video->held && !video->said_bye && !in->peer_holds && !quiet && in->stream.known &&
           (feedback->pli || feedback->fir);
}

static void send_key_request(struct video *video, usec now)
{
    uint8_t message[32];
    size_t bytes = 0;
    struct video_receiver *in = &video->in;
    const struct video_feedback *feedback = &video->config.feedback;
    uint32_t ours = video->out.sent.ssrc;
    if (!may_request(video, now) ||
        !key_frame_request_due(&in->request, video_round_trip(video), now)) {
        return;
    }
    if (feedback->pli) {
        bytes = rtcp_write_pli(message, sizeof message, ours, in->stream.ssrc);
    } else {
        bytes = rtcp_write_fir(message, sizeof message, ours, in->stream.ssrc, in->fir_request++);
    }
    in->requested++;
    video_send_feedback(video, message, bytes);
}

/* Nothing but a key frame helps. */
static void need_key_frame(struct video *video, usec now)
{
    struct video_receiver *in = &video->in;
    in->order.need_key = true;
    if (in->key_since == USEC_NEVER) {
        in->key_since = now;
        in->key_begun = false;
    }
    key_frame_request_want(&in->request);
}

void video_want_key_frame(struct video *video, usec now)
{
    key_frame_request_want(&video->in.request);
    send_key_request(video, now);
}

static void decoder_lost(struct video *video, uint64_t number, usec now)
{
    if (number < video->in.last_key) {
        return; /* a later key frame is on its way to the decoder */
    }
    need_key_frame(video, now);
    send_key_request(video, now);
}

void video_decoder_failed(struct video *video, uint64_t number, usec now)
{
    video->in.broken++;
    decoder_lost(video, number, now);
}

void video_decoder_dropped(struct video *video, uint64_t number, usec now)
{
    video->in.dropped++;
    decoder_lost(video, number, now);
}

void video_decoder_done(struct video *video, uint64_t number, uint32_t width, uint32_t height,
                        usec decode_time)
{
    struct video_receiver *in = &video->in;
    in->decoded++;
    in->width = width;
    in->height = height;
    mean_meter_add(&in->decode_time, decode_time);
    frame_timing_decoded(&in->timing, decode_time);
    if (number >= in->last_key) {
        key_frame_request_good(&in->request);
    }
}

/* --- frames -- */

/* More frames a second than anybody shows are not for the decoder. */
static bool frame_allowed(struct video_receiver *in, usec now)
{
    in->frame_allowance += (double)(now - in->frame_allowed) * VIDEO_FRAMES_PER_SEC / USEC_PER_SEC;
    in->frame_allowance = in->frame_allowance > FRAMES_BURST ? FRAMES_BURST : in->frame_allowance;
    in->frame_allowed = now;
    if (in->frame_allowance < 1) {
        return false;
    }
    in->frame_allowance -= 1;
    return true;
}

/* Where nothing was missing, a frame was of no use before the one in front of it came. */
static usec time_frame(struct video_receiver *in, const struct whole_frame *frame,
                       enum frame_verdict verdict, usec now)
{
    usec moment;
    bool later = verdict == FRAME_NEXT && in->decodable > frame->arrival && !frame->head.key;
    in->decodable = later ? in->decodable : frame->arrival;
    frame_timing_came(&in->timing, frame->timestamp, in->decodable);
    bool known = in->sound.known && sync_clock_moment(&in->clock, in->stream.ssrc, frame->timestamp,
                                                      VIDEO_CLOCKRATE, &moment);
    frame_timing_sound(&in->timing, known, frame->timestamp, known ? moment + in->sound.offset : 0);
    return frame_timing_due(&in->timing, frame->timestamp, now);
}

static void count_frame(struct video_receiver *in, const struct whole_frame *frame, usec due,
                        usec now)
{
    usec shown = due > now ? due : now;
    if (frame->head.key) {
        in->key_frames++;
        in->last_key = in->number;
        in->key_since = USEC_NEVER;
        key_frame_request_came(&in->request);
    }
    if (!in->peer_holds) {
        freeze_shown(&in->freeze, shown);
    }
    mean_meter_add(&in->buffer_delay, shown - frame->arrival);
    in->blocked = USEC_NEVER;
}

static void drop_frame(struct video *video, size_t number, usec now)
{
    bool needed = !video->in.buffer.frames[number].head.discardable;
    int64_t last = video->in.buffer.frames[number].last;
    frame_buffer_drop_before(&video->in.buffer, last + 1);
    nack_list_forget_before(&video->in.missing, last + 1);
    video->in.dropped++;
    if (needed) {
        need_key_frame(video, now);
    }
}

static void hand_out(struct video *video, size_t number, enum frame_verdict verdict, usec now)
{
    struct video_receiver *in = &video->in;
    const struct whole_frame frame = in->buffer.frames[number];
    struct coded_frame *coded = frame_allowed(in, now) ? coded_frame_new(frame.bytes) : NULL;
    if (!coded) {
        drop_frame(video, number, now);
        return;
    }
    jingle_status status = frame_buffer_take(&in->buffer, number, coded);
    nack_list_forget_before(&in->missing, frame.last + 1);
    if (status != JINGLE_OK) {
        coded_frame_free(coded);
        in->broken++;
        need_key_frame(video, now);
        return;
    }
    struct video_frame_info info = {
        .due = time_frame(in, &frame, verdict, now),
        .arrival = frame.arrival,
        .codec = frame.codec,
    };
    frame_order_hand_out(&in->order, &frame, verdict);
    info.number = ++in->number;
    coded->captured = info.due;
    in->codec = frame.codec;
    count_frame(in, &frame, info.due, now);
    video->config.hooks.frame(video->config.hooks.user, coded, &info);
}

/* A frame that can be decoded waits for those before it until it must be on its way. */
static bool waits(struct video_receiver *in, const struct whole_frame *frame, usec now)
{
    usec due = frame_timing_due(&in->timing, frame->timestamp, now);
    usec leave = due - in->timing.decode - HAND_OUT_SPARE;
    if (now >= leave || in->order.need_key) {
        return false;
    }
    in->wake = leave;
    return true;
}

static bool follows(const struct video_receiver *in, const struct whole_frame *frame)
{
    return in->order.begun &&
           frame_buffer_skip_empty(&in->buffer, in->order.last + 1) == frame->first;
}

/* Looks at one whole frame; true if it was handed out or dropped, so that the others are to be
 * looked at anew. `*stop`: those behind it must wait. */
static bool settle(struct video *video, size_t number, bool *stop, usec now)
{
    struct video_receiver *in = &video->in;
    const struct whole_frame *frame = &in->buffer.frames[number];
    bool pending = nack_list_waits_before(&in->missing, frame->first);
    enum frame_verdict verdict = frame_order_judge(&in->order, frame, follows(in, frame));
    switch (verdict) {
    case FRAME_NEXT:
        hand_out(video, number, verdict, now);
        return true;
    case FRAME_SKIPS:
        *stop = pending && waits(in, frame, now);
        if (!*stop) {
            hand_out(video, number, verdict, now);
        }
        return !*stop;
    case FRAME_USELESS:
    case FRAME_HOPELESS:
        break;
    }
    if (pending) {
        return false;
    }
    if (verdict == FRAME_HOPELESS) {
        need_key_frame(video, now);
    }
    frame_buffer_drop_frame(&in->buffer, number);
    return true;
}

static void hand_out_ready(struct video *video, usec now)
{
    struct video_receiver *in = &video->in;
    bool stop = false;
    in->wake = USEC_NEVER;
    for (size_t i = 0; i < in->buffer.frame_count && !stop;) {
        if (settle(video, i, &stop, now)) {
            i = 0;
        } else {
            i++;
        }
    }
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
            need_key_frame(video, now);
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
    hand_out_ready(video, now);
    ask_for_missing(video, now);
    send_key_request(video, now);
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
    hand_out_ready(video, now);
    if (in->blocked != USEC_NEVER && now - in->blocked >= blocked_limit(video)) {
        in->blocked = now;
        need_key_frame(video, now);
    }
    ask_for_missing(video, now);
    send_key_request(video, now);
    in->may_request = may_request(video, now);
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
