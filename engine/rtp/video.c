/* The life of a video stream, its RTCP and its figures. From frames to packets: video_send.c; from
 * packets to frames: video_receive.c. */
#include "rtp/video.h"

#include "rtp/rtcp_feedback.h"
#include "rtp/video_private.h"

#include <stdlib.h>
#include <string.h>

#define RTCP_BYTES 1200 /* of one packet, without the tail */

static bool config_valid(const struct video_config *config)
{
    return config->uplink && config->cname && config->random.fill && config->hooks.send_rtcp &&
           config->receive_count <= VIDEO_PAYLOADS_MAX;
}

static bool open_parts(struct video *video, jingle_status *status)
{
    *status = sender_open(video);
    if (*status != JINGLE_OK) {
        return false;
    }
    *status = receiver_open(video);
    if (*status != JINGLE_OK) {
        sender_close(video);
    }
    return *status == JINGLE_OK;
}

jingle_status video_new(const struct video_config *config, struct video **video)
{
    jingle_status status;
    *video = NULL;
    if (!config_valid(config)) {
        return JINGLE_ERROR_INVALID;
    }
    struct video *v = calloc(1, sizeof *v);
    if (!v) {
        return JINGLE_ERROR_MEMORY;
    }
    v->config = *config;
    v->uplink = config->uplink;
    v->last_heard = USEC_NEVER;
    strncpy(v->cname, config->cname, RTCP_TEXT_MAX);
    report_init(&v->report, v->cname, config->wall_offset);
    if (!open_parts(v, &status)) {
        free(v);
        return status;
    }
    *video = v;
    return JINGLE_OK;
}

void video_free(struct video *video)
{
    if (!video) {
        return;
    }
    sender_close(video);
    receiver_close(video);
    free(video);
}

void video_set_hold(struct video *video, bool on, usec now)
{
    if (video->held == on) {
        return;
    }
    video->held = on;
    receiver_restart(video);
    freeze_pause(&video->in.freeze);
    if (!on) {
        sender_break_off(video);
        key_frame_request_want(&video->in.request);
    }
    sender_update(video, now);
}

usec video_round_trip(const struct video *video)
{
    usec measured = uplink_round_trip(video->uplink);
    measured = measured < 0 ? video->report.round_trip : measured;
    return measured < 0 ? ROUND_TRIP_FIRST : measured;
}

/* --- RTCP -- */

static void send_rtcp(struct video *video, uint8_t *packet, size_t bytes)
{
    video->config.hooks.send_rtcp(video->config.hooks.user, packet, bytes);
}

void video_send_feedback(struct video *video, const uint8_t *messages, size_t bytes)
{
    uint8_t packet[RTCP_BYTES + VIDEO_TAIL];
    size_t head = 0;
    if (!video->config.feedback.reduced_size) {
        head = rtcp_write_compound_head(packet, RTCP_BYTES, video->out.sent.ssrc, video->cname);
    }
    if (bytes == 0 || head + bytes > RTCP_BYTES) {
        return;
    }
    memcpy(packet + head, messages, bytes);
    send_rtcp(video, packet, head + bytes);
}

static void send_report(struct video *video, bool bye, usec now)
{
    uint8_t packet[REPORT_BYTES_MAX + VIDEO_TAIL];
    size_t size = report_write(&video->report, &video->out.sent, &video->in.stream,
                               &video->config.random, bye, now, packet, REPORT_BYTES_MAX);
    send_rtcp(video, packet, size);
}

static bool for_us(const struct video *video, uint32_t media)
{
    return media == video->out.sent.ssrc || media == video->out.again.ssrc;
}

static void receive_fir(struct video *video, const struct rtcp_feedback *feedback, usec now)
{
    struct video_sender *out = &video->out;
    uint8_t request;
    if (!feedback_fir(feedback, out->sent.ssrc, &request) ||
        (out->fir_known && request == out->fir_request)) {
        return; /* RFC 5104, section 4.3.1.2: the same number again is the same request */
    }
    out->fir_known = true;
    out->fir_request = request;
    sender_asked(video, now);
}

static void receive_feedback(struct video *video, const struct rtcp_feedback *feedback, usec now)
{
    uint16_t sequences[FEEDBACK_NACK_MAX];
    switch (feedback->kind) {
    case FEEDBACK_NACK:
        if (feedback->media_ssrc == video->out.sent.ssrc) {
            sender_nack(video, sequences, feedback_nack(feedback, sequences, FEEDBACK_NACK_MAX),
                        now);
        }
        break;
    case FEEDBACK_PLI:
        if (for_us(video, feedback->media_ssrc)) {
            sender_asked(video, now);
        }
        break;
    case FEEDBACK_FIR:
        receive_fir(video, feedback, now);
        break;
    case FEEDBACK_TRANSPORT:
    case FEEDBACK_REMB:
        break; /* the uplink's */
    }
}

/* The sender report of another stream on this transport (BUNDLE) has nothing but blocks for us. */
static bool read_report(struct video *video, struct rtcp_message *message, usec now)
{
    const struct receive_stream *stream = &video->in.stream;
    bool ours = stream->known && message->ssrc == stream->ssrc;
    if (message->type == RTCP_SENDER_REPORT && ours) {
        sync_clock_report(&video->in.clock, message->ssrc, &message->sender);
    } else if (message->type == RTCP_SENDER_REPORT) {
        message->type = RTCP_RECEIVER_REPORT;
    }
    return report_receive(&video->report, message, video->out.sent.ssrc, now) || ours;
}

void video_receive_rtcp(struct video *video, const uint8_t *bytes, size_t size, usec now)
{
    struct rtcp_reader reader;
    struct rtcp_message message;
    if (!rtcp_open(&reader, bytes, size)) {
        video->in.discarded++;
        return;
    }
    report_count(&video->report, size);
    while (rtcp_next(&reader, &message)) {
        switch (message.type) {
        case RTCP_SENDER_REPORT:
        case RTCP_RECEIVER_REPORT:
            video->last_heard = read_report(video, &message, now) ? now : video->last_heard;
            break;
        case RTCP_BYE:
            receiver_bye(video, &message, now);
            break;
        case RTCP_TRANSPORT_FEEDBACK:
        case RTCP_PAYLOAD_FEEDBACK:
            receive_feedback(video, &message.feedback, now);
            break;
        case RTCP_SOURCE_DESCRIPTION:
            break;
        }
    }
}

/* --- time -- */

void video_tick(struct video *video, usec now)
{
    sender_tick(video, now);
    receiver_tick(video, now);
    if (!video->said_bye && now >= report_deadline(&video->report, &video->config.random, now)) {
        send_report(video, false, now);
    }
}

usec video_next_deadline(const struct video *video)
{
    usec sending = sender_deadline(video);
    usec receiving = receiver_deadline(video);
    usec next = sending < receiving ? sending : receiving;
    if (!video->said_bye && video->report.next < next) {
        next = video->report.next; /* 0, which is at once, before the first tick */
    }
    return next;
}

void video_bye(struct video *video, usec now)
{
    if (video->said_bye) {
        return;
    }
    send_report(video, true, now);
    video->said_bye = true;
    sender_update(video, now);
}

usec video_last_heard(const struct video *video)
{
    return video->last_heard;
}

/* --- figures -- */

void video_target(const struct video *video, struct video_target *target)
{
    *target = video->out.target;
}

static const char *name_of(const struct video_codec *codec)
{
    return codec ? codec->name : "";
}

static void sent_figures(const struct video *video, jingle_video_statistics *stats)
{
    const struct video_sender *out = &video->out;
    stats->sending = out->target.bitrate > 0;
    stats->codec = name_of(out->sending.codec);
    stats->target = out->target.bitrate;
    stats->width_sent = out->width;
    stats->height_sent = out->height;
    stats->frame_rate_sent = out->frames_meter.rate;
    stats->bitrate_sent = (uint64_t)(out->bytes_meter.rate * 8);
    stats->packets_sent = out->sent.packets + out->repeated;
    stats->bytes_sent = out->sent.bytes + out->repeated_bytes;
    stats->packets_retransmitted = out->repeated;
    stats->packets_lost_remote = report_lost(&video->report);
    stats->frames_sent = out->frames;
    stats->frames_dropped = out->dropped;
    stats->key_frames_sent = out->key_frames_sent;
    stats->key_frames_asked = out->asked;
}

static void received_figures(const struct video *video, jingle_video_statistics *stats, usec now)
{
    const struct video_receiver *in = &video->in;
    uint64_t lost = receive_stream_lost(&in->stream);
    uint64_t freezes;
    usec frozen;
    bool expected = !video->held && !in->peer_holds && !in->stream.gone;
    freeze_figures(&in->freeze, expected ? now : 0, &freezes, &frozen);
    stats->receiving = expected && in->heard != USEC_NEVER && now - in->heard < 2 * USEC_PER_SEC;
    stats->codec_received = name_of(in->codec);
    stats->width_received = in->width;
    stats->height_received = in->height;
    stats->frame_rate_received = in->frames_meter.rate;
    stats->bitrate_received = (uint64_t)(in->bytes_meter.rate * 8);
    stats->packets_received = in->stream.packets + in->again.packets;
    stats->bytes_received = in->stream.bytes + in->again.bytes;
    stats->packets_lost = lost > in->recovered ? lost - in->recovered : 0;
    stats->packets_recovered = in->recovered;
    stats->frames_decoded = in->decoded;
    stats->frames_dropped_received = in->dropped;
    stats->frames_broken = in->broken;
    stats->key_frames_received = in->key_frames;
    stats->key_frames_requested = in->requested;
    stats->nacks_sent = in->nacks;
    stats->freezes = freezes;
    stats->freeze_time = frozen;
    stats->decode_time = in->decode_time.mean;
    stats->buffer_delay = in->buffer_delay.mean;
    stats->lip_sync = frame_timing_lip_sync(&in->timing);
}

void video_stats(const struct video *video, jingle_video_statistics *stats, usec now)
{
    sent_figures(video, stats);
    received_figures(video, stats, now);
}
