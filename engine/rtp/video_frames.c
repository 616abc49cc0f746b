/* Received frames are handed out in the order and at the time in which they are to be decoded;
 * where nothing else helps, the peer is asked for a key frame.
 *
 *     whole frames ─▶ next │ skips │ useless │ hopeless ─▶ hand out │ wait │ drop │ key frame
 */
#include "rtp/video_private.h"

#include "rtp/rtcp_feedback.h"

#define QUIET          USEC_PER_SEC /* of a peer that sends nothing a key frame is not asked */
#define HAND_OUT_SPARE (5 * USEC_PER_MS)
#define FRAMES_BURST   (VIDEO_FRAMES_PER_SEC * 0.5)

/* --- key frames -- */

/* There is somebody to ask, and reason to. */
bool receiver_may_ask_key(const struct video *video, usec now)
{
    const struct video_receiver *in = &video->in;
    const struct video_feedback *feedback = &video->config.feedback;
    bool quiet = in->heard == USEC_NEVER || now - in->heard > QUIET;
    return !video->held && !video->said_bye && !in->peer_holds && !quiet && in->stream.known &&
           (feedback->pli || feedback->fir);
}

void receiver_ask_key(struct video *video, usec now)
{
    uint8_t message[32];
    size_t bytes = 0;
    struct video_receiver *in = &video->in;
    const struct video_feedback *feedback = &video->config.feedback;
    uint32_t ours = video->out.sent.ssrc;
    if (!receiver_may_ask_key(video, now) ||
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
void receiver_need_key(struct video *video, usec now)
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
    receiver_ask_key(video, now);
}

static void decoder_lost(struct video *video, uint64_t number, usec now)
{
    if (number < video->in.last_key) {
        return; /* a later key frame is on its way to the decoder */
    }
    receiver_need_key(video, now);
    receiver_ask_key(video, now);
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
        receiver_need_key(video, now);
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
        receiver_need_key(video, now);
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
        receiver_need_key(video, now);
    }
    frame_buffer_drop_frame(&in->buffer, number);
    return true;
}

void receiver_hand_out(struct video *video, usec now)
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
