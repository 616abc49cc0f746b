/* The life of a voice stream, what it receives and what it reports. From samples to packets:
 * voice_capture.c. */
#include "rtp/voice.h"

#include "rtp/packet.h"
#include "rtp/rtcp.h"
#include "rtp/voice_private.h"

#include <stdlib.h>
#include <string.h>

/* A goodbye may be followed by another source (another device, a collision); if none comes, the
 * peer is gone. */
#define BYE_GRACE (500 * USEC_PER_MS)

/* Packets that a goodbye overtook come soon after it. If the same source still sends later, it had
 * only paused, as libwebrtc's does on hold. */
#define OVERTAKEN_MAX (200 * USEC_PER_MS)

/* Colliding SSRCs are given up this often; then the peer only wants to make trouble. */
#define COLLISIONS_MAX 3

/* When the peer holds, what was under way may still come for so long. */
#define HOLD_GRACE (200 * USEC_PER_MS)

#define PLAYOUT_RATE 48000

static bool config_valid(const struct voice_config *config)
{
    return config->cname && config->hooks.send_rtp && config->hooks.send_rtcp &&
           config->random.fill && config->receive_count <= VOICE_PAYLOADS_MAX &&
           config->receive_event_count <= VOICE_EVENTS_MAX;
}

jingle_status voice_new(const struct voice_config *config, struct voice **voice)
{
    *voice = NULL;
    if (!config_valid(config)) {
        return JINGLE_ERROR_INVALID;
    }
    struct voice *v = calloc(1, sizeof *v);
    if (!v) {
        return JINGLE_ERROR_MEMORY;
    }
    v->config = *config;
    strncpy(v->cname, config->cname, RTCP_TEXT_MAX);
    v->captured = USEC_NEVER;
    v->last_heard = USEC_NEVER;
    v->first_played = USEC_NEVER;
    v->bye_heard = USEC_NEVER;
    v->pulled = USEC_NEVER;
    v->announced_level = 1;
    v->playout_rate = PLAYOUT_RATE;
    jingle_status status = voice_open_sending(v, &config->sending);
    if (status == JINGLE_OK) {
        v->playout = playout_new(&(struct playout_config){
            .channels = config->playout_channels ? config->playout_channels : 1,
            .log = config->log,
        });
        status = v->playout ? JINGLE_OK : JINGLE_ERROR_MEMORY;
    }
    if (status != JINGLE_OK) {
        voice_free(v);
        return status;
    }
    send_stream_init(&v->sent, config->ssrc, config->sending.codec->clockrate, &v->config.random);
    report_init(&v->report, v->cname, config->wall_offset);
    *voice = v;
    return JINGLE_OK;
}

void voice_free(struct voice *voice)
{
    if (!voice) {
        return;
    }
    audio_encoder_free(voice->encoder);
    playout_free(voice->playout);
    free(voice);
}

/* --- playout -- */

void voice_set_hold(struct voice *voice, bool on)
{
    voice->held = on;
}

void voice_set_peer_hold(struct voice *voice, bool on)
{
    voice->peer_holds = on;
}

void voice_share_transport(struct voice *voice)
{
    voice->shares = true;
}

static uint64_t at_48k(uint64_t now, uint64_t before, uint32_t rate)
{
    return (now - before) * PLAYOUT_RATE / rate;
}

/* Adds to `counts` what was played since `voice->counted`. */
static void add_samples(const struct voice *voice, const struct playout_stats *now,
                        struct sample_counts *counts)
{
    const struct playout_stats *before = &voice->counted;
    uint32_t rate = voice->playout_rate;
    counts->played += at_48k(now->samples_played, before->samples_played, rate);
    counts->concealed += at_48k(now->samples_concealed, before->samples_concealed, rate);
    counts->recovered += at_48k(now->samples_recovered, before->samples_recovered, rate);
    counts->stretched += at_48k(now->samples_stretched, before->samples_stretched, rate);
    counts->shrunk += at_48k(now->samples_shrunk, before->samples_shrunk, rate);
}

/* The sound's rate becomes another one: what was counted so far was at the old one. */
static void change_rate(struct voice *voice, uint32_t rate)
{
    struct playout_stats stats;
    playout_stats(voice->playout, &stats);
    add_samples(voice, &stats, &voice->counts);
    voice->counted = stats;
    voice->playout_rate = rate;
}

static bool at_rest(const struct voice *voice, usec now)
{
    return voice->held || (voice->peer_holds && now - voice->last_sound > HOLD_GRACE);
}

static void pull_silence(struct voice *voice, struct playout_sound *out)
{
    if (!voice->quiet) {
        playout_reset(voice->playout);
        voice->quiet = true;
    }
    memset(out, 0, sizeof *out);
    out->rate = voice->playout_rate;
    out->count = out->rate * PLAYOUT_PULL_MS / 1000;
    out->channels = voice->config.playout_channels ? voice->config.playout_channels : 1;
    out->silent = true;
}

void voice_pull(struct voice *voice, struct playout_sound *out, usec now)
{
    if (at_rest(voice, now)) {
        pull_silence(voice, out);
    } else {
        voice->quiet = false;
        playout_pull(voice->playout, out, now);
    }
    if (out->rate != voice->playout_rate) {
        change_rate(voice, out->rate);
    }
    if (voice->first_played == USEC_NEVER && !out->silent) {
        voice->first_played = now;
    }
    voice->pulled = out->silent ? USEC_NEVER : now;
    level_peak_add(&voice->played_peak, out->samples, out->count * out->channels, now);
}

void voice_sync(const struct voice *voice, usec latency, struct sync_reference *reference)
{
    struct playout_stats playout;
    usec moment;
    playout_stats(voice->playout, &playout);
    reference->known = voice->pulled != USEC_NEVER && playout.last_timestamp_valid &&
                       sync_clock_moment(&voice->clock, voice->received.ssrc,
                                         playout.last_timestamp, voice->playout_rate, &moment);
    reference->offset = reference->known ? voice->pulled + latency - moment : 0;
}

/* --- reception -- */

static const struct audio_codec *codec_of(const struct voice *voice, uint8_t payload_type)
{
    for (size_t i = 0; i < voice->config.receive_count; i++) {
        if (voice->config.receive[i].payload_type == payload_type) {
            return voice->config.receive[i].codec;
        }
    }
    return NULL;
}

static const struct voice_event_payload *events_of(const struct voice *voice, uint8_t payload_type)
{
    for (size_t i = 0; i < voice->config.receive_event_count; i++) {
        const struct voice_event_payload *events = &voice->config.receive_events[i];
        if (payload_type != 0 && events->payload_type == payload_type) {
            return events;
        }
    }
    return NULL;
}

static void discard(struct voice *voice, bool *logged, const char *why, unsigned detail)
{
    voice->discarded++;
    if (!*logged) {
        *logged = true;
        log_warning(voice->config.log, "The peer sends %s (%u); dropped and counted", why, detail);
    }
}

static void send_report(struct voice *voice, bool bye, usec now)
{
    uint8_t packet[REPORT_BYTES_MAX + VOICE_TAIL];
    size_t size = report_write(&voice->report, &voice->sent, &voice->received,
                               &voice->config.random, bye, now, packet, REPORT_BYTES_MAX);
    voice->config.hooks.send_rtcp(voice->config.hooks.user, packet, size);
}

/* The peer has our SSRC: the present one says goodbye and we take another (RFC 3550, 8.2). */
static void give_up_source(struct voice *voice, usec now)
{
    voice->discarded++;
    if (voice->collisions == COLLISIONS_MAX || voice->said_bye) {
        return;
    }
    voice->collisions++;
    log_info(voice->config.log, "The peer has our SSRC; we take another");
    send_report(voice, true, now);
    send_stream_change_source(&voice->sent, &voice->config.random);
}

static void restart_reception(struct voice *voice)
{
    playout_reset(voice->playout);
    memset(&voice->keys, 0, sizeof voice->keys);
}

static void tell_digit(struct voice *voice, const struct dtmf_digit *digit)
{
    voice->keys_told++;
    if (voice->config.hooks.digit) {
        voice->config.hooks.digit(voice->config.hooks.user, digit->digit, digit->duration);
    }
}

static void receive_event(struct voice *voice, const struct packet *packet,
                          const struct voice_event_payload *events, usec now)
{
    struct telephone_event event;
    struct dtmf_digit digits[2];
    if (!telephone_event_unpack(packet->payload, packet->payload_bytes, &event)) {
        discard(voice, &voice->malformed_logged, "malformed telephone-events",
                (unsigned)packet->payload_bytes);
        return;
    }
    size_t count = dtmf_receive(&voice->keys, &event, packet->timestamp, events->rate, now, digits);
    for (size_t i = 0; i < count; i++) {
        tell_digit(voice, &digits[i]);
    }
}

static void play(struct voice *voice, const struct packet *packet, enum playout_kind kind,
                 const struct audio_codec *codec, usec now)
{
    if (voice->held) {
        return;
    }
    struct playout_packet sound = {
        .kind = kind,
        .sequence = packet->sequence,
        .timestamp = packet->timestamp,
        .marker = packet->marker,
        .payload = packet->payload,
        .size = packet->payload_bytes,
        .codec = codec,
    };
    enum playout_inserted inserted = playout_insert(voice->playout, &sound, now);
    if (inserted == PLAYOUT_REFUSED) {
        discard(voice, &voice->malformed_logged, "sound that cannot be decoded",
                packet->payload_type);
    } else if (inserted == PLAYOUT_SUSPECTED) {
        voice->discarded++; /* a jump of their clock, as after Dino's mute, costs one packet */
    }
}

static void read_level(struct voice *voice, const struct packet *packet)
{
    size_t size = 0;
    const uint8_t *level = packet_extension(packet, voice->config.extensions.audio_level, &size);
    if (level && size == 1) {
        bool active;
        voice->announced_level = level_read(*level, &active);
    }
}

/* A packet of the peer's source: sound, a key, or only padding, as congestion control makes it. */
static void receive_content(struct voice *voice, const struct packet *packet, usec now)
{
    const struct audio_codec *codec = codec_of(voice, packet->payload_type);
    const struct voice_event_payload *events = events_of(voice, packet->payload_type);
    if (packet->payload_bytes > 0 && codec) {
        receive_stream_arrival(&voice->received, packet->timestamp, codec->clockrate, now);
        voice->received_codec = codec;
        voice->last_sound = now;
        read_level(voice, packet);
        play(voice, packet, PLAYOUT_SOUND, codec, now);
        return;
    }
    if (packet->payload_bytes > 0 && events) {
        receive_event(voice, packet, events, now);
    } else if (packet->payload_bytes > 0) {
        discard(voice, &voice->unknown_logged, "a payload type that was not agreed on",
                packet->payload_type);
    }
    play(voice, packet, PLAYOUT_NO_SOUND, NULL, now);
}

void voice_receive_rtp(struct voice *voice, const uint8_t *bytes, size_t size, usec now)
{
    struct packet packet;
    if (!packet_parse(&packet, bytes, size)) {
        discard(voice, &voice->malformed_logged, "malformed RTP", (unsigned)size);
        return;
    }
    if (packet.ssrc == voice->sent.ssrc) {
        give_up_source(voice, now);
        return;
    }
    bool ours = codec_of(voice, packet.payload_type) || events_of(voice, packet.payload_type);
    bool same = voice->received.known && voice->received.ssrc == packet.ssrc;
    if (!ours && !same) {
        discard(voice, &voice->unknown_logged, "a payload type that was not agreed on",
                packet.payload_type);
        return;
    }
    if (same && voice->received.gone && now - voice->bye_heard > OVERTAKEN_MAX) {
        receive_stream_forget(&voice->received);
    }
    enum receive_verdict verdict = receive_stream_packet(&voice->received, &packet, size);
    if (verdict == RECEIVE_REFUSED) {
        voice->discarded++;
        return;
    }
    if (verdict == RECEIVE_RESTARTED) {
        restart_reception(voice);
    }
    voice->last_heard = now;
    voice->bye_heard = USEC_NEVER;
    receive_content(voice, &packet, now);
}

/* Before anything was heard, what the peer announced tells its streams apart. */
static bool may_be_the_peers_voice(const struct voice *voice, uint32_t ssrc)
{
    if (voice->received.known) {
        return ssrc == voice->received.ssrc;
    }
    return voice->config.has_remote_ssrc ? ssrc == voice->config.remote_ssrc : !voice->shares;
}

static void receive_bye(struct voice *voice, const struct rtcp_message *message, usec now)
{
    bool ours = false;
    for (unsigned i = 0; i < message->source_count; i++) {
        if (may_be_the_peers_voice(voice, message->sources[i])) {
            receive_stream_bye(&voice->received, message->sources[i]);
            ours = true;
        }
    }
    if (ours && voice->bye_heard == USEC_NEVER) {
        voice->bye_heard = now;
    }
}

/* The sender report of another stream on this transport (BUNDLE) has nothing but blocks for us. */
static void read_clock(struct voice *voice, struct rtcp_message *message)
{
    if (message->type != RTCP_SENDER_REPORT) {
        return;
    }
    if (!may_be_the_peers_voice(voice, message->ssrc)) {
        message->type = RTCP_RECEIVER_REPORT;
        return;
    }
    sync_clock_report(&voice->clock, message->ssrc, &message->sender);
}

void voice_receive_rtcp(struct voice *voice, const uint8_t *bytes, size_t size, usec now)
{
    struct rtcp_reader reader;
    struct rtcp_message message;
    if (!rtcp_open(&reader, bytes, size)) {
        discard(voice, &voice->malformed_logged, "malformed RTCP", (unsigned)size);
        return;
    }
    voice->last_heard = now;
    report_count(&voice->report, size);
    while (rtcp_next(&reader, &message)) {
        read_clock(voice, &message);
        if (message.type == RTCP_BYE) {
            receive_bye(voice, &message, now);
        } else if (report_receive(&voice->report, &message, voice->sent.ssrc, now)) {
            voice_follow_loss(voice, voice->report.fraction_lost * 100.0 / 256);
        }
    }
}

/* --- time -- */

static void run_meter(struct meter *meter, uint64_t bytes, usec now)
{
    usec passed = now - meter->since;
    if (passed < USEC_PER_SEC) {
        return;
    }
    meter->rate = meter->since ? (bytes - meter->bytes) * 8 * USEC_PER_SEC / (uint64_t)passed : 0;
    meter->bytes = bytes;
    meter->since = now;
}

void voice_tick(struct voice *voice, usec now)
{
    struct dtmf_digit digit;
    level_peak_add(&voice->sent_peak, NULL, 0, now); /* forgets, also while nothing is sent */
    level_peak_add(&voice->played_peak, NULL, 0, now);
    run_meter(&voice->sent_meter, voice->sent.bytes, now);
    run_meter(&voice->received_meter, voice->received.bytes, now);
    if (dtmf_expire(&voice->keys, now, &digit)) {
        tell_digit(voice, &digit);
    }
    if (voice->bye_heard != USEC_NEVER && now - voice->bye_heard >= BYE_GRACE) {
        voice->bye_heard = USEC_NEVER;
        receive_stream_forget(&voice->received);
        if (voice->config.hooks.bye) {
            voice->config.hooks.bye(voice->config.hooks.user);
        }
    }
    if (!voice->said_bye && now >= report_deadline(&voice->report, &voice->config.random, now)) {
        send_report(voice, false, now);
    }
}

usec voice_next_deadline(const struct voice *voice)
{
    usec next = dtmf_deadline(&voice->keys);
    if (voice->bye_heard != USEC_NEVER && voice->bye_heard + BYE_GRACE < next) {
        next = voice->bye_heard + BYE_GRACE;
    }
    if (!voice->said_bye && voice->report.next < next) {
        next = voice->report.next; /* 0, which is at once, before the first tick */
    }
    return next;
}

void voice_bye(struct voice *voice, usec now)
{
    if (voice->said_bye) {
        return;
    }
    send_report(voice, true, now);
    voice->said_bye = true;
}

/* --- figures -- */

usec voice_last_heard(const struct voice *voice)
{
    return voice->last_heard;
}

usec voice_first_played(const struct voice *voice)
{
    return voice->first_played;
}

static void playout_figures(const struct voice *voice, struct voice_stats *stats)
{
    struct playout_stats playout;
    struct sample_counts counts = voice->counts;
    playout_stats(voice->playout, &playout);
    add_samples(voice, &playout, &counts);
    stats->samples_played = counts.played;
    stats->samples_concealed = counts.concealed;
    stats->samples_recovered = counts.recovered;
    stats->samples_stretched = counts.stretched;
    stats->samples_shrunk = counts.shrunk;
    stats->packets_late = playout.packets_late;
    stats->buffer_delay = playout.buffer_delay;
}

void voice_stats(const struct voice *voice, struct voice_stats *stats)
{
    const struct report *report = &voice->report;
    *stats = (struct voice_stats){
        .packets_sent = voice->sent.packets,
        .bytes_sent = voice->sent.bytes,
        .packets_lost_remote = report_lost(report),
        .jitter_remote = (usec)report->jitter * USEC_PER_SEC / voice->sent.rate,
        .round_trip = report->round_trip,
        .packets_received = voice->received.packets,
        .bytes_received = voice->received.bytes,
        .packets_lost = receive_stream_lost(&voice->received),
        .packets_discarded = voice->discarded,
        .jitter = receive_stream_jitter(&voice->received),
        .level_sent = level_peak_get(&voice->sent_peak),
        .level_received = level_peak_get(&voice->played_peak),
        .level_announced = voice->announced_level,
        .bitrate_sent = voice->sent_meter.rate,
        .bitrate_received = voice->received_meter.rate,
        .expected_loss = voice->encoder_config.loss_percent,
        .digits_received = voice->keys_told,
        .source_changes = voice->received.changes,
        .reports_received = report->received,
        .codec_sent = voice->config.sending.codec,
        .codec_received = voice->received_codec,
    };
    playout_figures(voice, stats);
}
