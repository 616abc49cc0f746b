/* From samples to packets:
 *
 *     voice_capture ─▶ a packet's time is full ─▶ hold? mute? ─▶ digit?  ─▶ telephone-event ─┐
 *                                                                └▶ encode ─▶ DTX? ──────────┴▶ RTP
 */
#include "rtp/voice_private.h"

#include <math.h>
#include <string.h>

/* A source that paused for longer was stopped: time stamps follow the clock again. */
#define PAUSE_MIN (500 * USEC_PER_MS)

/* Above this loudness we say that it is voice (RFC 6464's V bit). */
#define VOICE_LEVEL 50

/* FEC follows the loss at once when it grows and takes its time when it shrinks. */
#define LOSS_UP      0.7
#define LOSS_DOWN    0.15
#define LOSS_MAX     40.0
#define LOSS_NOTHING 0.5 /* less than this is none */

/* Where jitter is so high, packets come too late to be played, though the peer reports no loss. The
 * next one's FEC saves them. libopus makes room for FEC only above 5 %. */
#define JITTER_HIGH (30 * USEC_PER_MS)
#define JITTER_LOSS 6.0

static unsigned ptime_of(unsigned wanted)
{
    static const unsigned possible[] = {60, 40, 20, 10};
    if (wanted == 0) {
        return VOICE_PTIME_DEFAULT;
    }
    for (size_t i = 0; i < sizeof possible / sizeof *possible; i++) {
        if (wanted >= possible[i]) {
            return possible[i];
        }
    }
    return 10;
}

/* In percent. */
static unsigned expected_loss(const struct voice *voice)
{
    usec jitter = (usec)voice->report.jitter * USEC_PER_SEC / voice_capture_rate(voice);
    double loss = voice->loss < LOSS_NOTHING ? 0 : voice->loss;
    return (unsigned)ceil(jitter > JITTER_HIGH ? fmax(loss, JITTER_LOSS) : loss);
}

jingle_status voice_open_sending(struct voice *voice, const struct voice_sending *sending)
{
    if (!sending->codec || sending->payload_type > 127 || sending->channels > AUDIO_CHANNELS_MAX) {
        return JINGLE_ERROR_INVALID;
    }
    struct audio_encoder_config config = {
        .channels = sending->channels ? sending->channels : 1,
        .bitrate = sending->bitrate,
        .loss_percent = sending->fec ? expected_loss(voice) : 0,
        .fec = sending->fec,
        .dtx = sending->dtx,
        .complexity = -1,
    };
    struct audio_encoder *encoder = audio_encoder_new(sending->codec, &config);
    if (!encoder) {
        return JINGLE_ERROR_UNSUPPORTED;
    }
    audio_encoder_free(voice->encoder);
    voice->encoder = encoder;
    voice->encoder_config = config;
    voice->encoder_failed = false;
    voice->config.sending = *sending;
    voice->config.sending.channels = config.channels;
    voice->config.sending.ptime = ptime_of(sending->ptime);
    voice->sent.rate = sending->codec->clockrate;
    voice->frame_size = (size_t)voice->config.sending.ptime * sending->codec->clockrate / 1000;
    voice->frame_used = 0;
    return JINGLE_OK;
}

jingle_status voice_set_sending(struct voice *voice, const struct voice_sending *sending)
{
    return voice_open_sending(voice, sending);
}

uint32_t voice_capture_rate(const struct voice *voice)
{
    return voice->config.sending.codec->clockrate;
}

unsigned voice_capture_channels(const struct voice *voice)
{
    return voice->config.sending.channels;
}

usec voice_ptime(const struct voice *voice)
{
    return voice->config.sending.ptime * USEC_PER_MS;
}

void voice_set_mute(struct voice *voice, bool on)
{
    voice->muted = on;
}

jingle_status voice_send_digit(struct voice *voice, char digit)
{
    if (voice->config.sending.events.payload_type == 0) {
        return JINGLE_ERROR_UNSUPPORTED;
    }
    if (telephone_event_of(digit) < 0) {
        return JINGLE_ERROR_INVALID;
    }
    return dtmf_queue(&voice->digits, digit) ? JINGLE_OK : JINGLE_ERROR_LIMIT;
}

void voice_follow_loss(struct voice *voice, double percent)
{
    double step = percent > voice->loss ? LOSS_UP : LOSS_DOWN;
    voice->loss += (percent - voice->loss) * step;
    voice->loss = fmin(voice->loss, LOSS_MAX);
    unsigned expected = expected_loss(voice);
    if (!voice->config.sending.fec || expected == voice->encoder_config.loss_percent) {
        return;
    }
    voice->encoder_config.loss_percent = expected;
    audio_encoder_set(voice->encoder, &voice->encoder_config);
}

/* The header and the elements that this packet carries; its size. */
static size_t write_header(struct voice *voice, uint8_t payload_type, bool marker,
                           uint32_t timestamp, uint8_t *out)
{
    const struct voice_extensions *ids = &voice->config.extensions;
    uint8_t loudness = level_of(voice->frame, voice->frame_size * voice->config.sending.channels);
    uint8_t level = level_write(loudness, loudness <= VOICE_LEVEL);
    /* the mid is for the receiver's first packets of an SSRC (RFC 9143, section 15): until it
     * reports on this one */
    bool known = voice->report.told && voice->report.about == voice->sent.ssrc;
    static const uint8_t to_be_stamped[2];
    const struct packet_extension extensions[] = {
        {.id = ids->transport_sequence, .data = to_be_stamped, .size = sizeof to_be_stamped},
        {.id = ids->audio_level, .data = &level, .size = 1},
        {.id = known ? 0 : ids->mid, .data = ids->mid_value, .size = strlen(ids->mid_value)},
    };
    struct packet_header header = {
        .marker = marker,
        .payload_type = payload_type,
        .timestamp = timestamp,
        .extensions = extensions,
        .extension_count = sizeof extensions / sizeof *extensions,
    };
    return send_stream_header(&voice->sent, &header, out, VOICE_PACKET_MAX);
}

static void send_packet(struct voice *voice, uint8_t *packet, size_t header, size_t payload)
{
    send_stream_sent(&voice->sent, header, payload);
    voice->config.hooks.send_rtp(voice->config.hooks.user, packet, header + payload);
}

static bool send_digit(struct voice *voice, uint32_t timestamp, uint8_t *out)
{
    const struct voice_event_payload *events = &voice->config.sending.events;
    struct dtmf_packet event;
    if (events->payload_type == 0 ||
        !dtmf_send(&voice->digits, timestamp, voice_ptime(voice), events->rate, &event)) {
        return false;
    }
    size_t header = write_header(voice, events->payload_type, event.marker, event.timestamp, out);
    memcpy(out + header, event.payload, sizeof event.payload);
    send_packet(voice, out, header, sizeof event.payload);
    return true;
}

static void send_sound(struct voice *voice, uint32_t timestamp, uint8_t *out)
{
    size_t header =
        write_header(voice, voice->config.sending.payload_type, !voice->talking, timestamp, out);
    int payload = audio_encode(voice->encoder, voice->frame, voice->frame_size, out + header,
                               VOICE_PACKET_MAX - header);
    if (payload < 0 && !voice->encoder_failed) {
        voice->encoder_failed = true;
        log_error(voice->config.log, "%s cannot encode: %s", voice->config.sending.codec->name,
                  jingle_strerror(payload));
    }
    voice->talking = payload > 0;
    if (payload > 0) {
        send_packet(voice, out, header, (size_t)payload);
    }
}

/* A packet's time is full. */
static void send_frame(struct voice *voice, usec now)
{
    uint8_t packet[VOICE_PACKET_MAX + VOICE_TAIL];
    uint32_t timestamp = voice->sent.timestamp;
    size_t samples = voice->frame_size * voice->config.sending.channels;
    send_stream_advance(&voice->sent, (uint32_t)voice->frame_size, now);
    if (voice->held || voice->peer_holds || voice->said_bye) {
        voice->talking = false;
        return;
    }
    if (voice->muted) {
        memset(voice->frame, 0, samples * sizeof *voice->frame);
    }
    level_peak_add(&voice->sent_peak, voice->frame, samples, now);
    if (!send_digit(voice, timestamp, packet)) {
        send_sound(voice, timestamp, packet);
    }
}

static void follow_clock(struct voice *voice, size_t frames, usec now)
{
    usec before = voice->captured;
    voice->captured = now;
    if (before == USEC_NEVER || now - before < PAUSE_MIN) {
        return;
    }
    int64_t passed = (now - before) * voice_capture_rate(voice) / USEC_PER_SEC;
    voice->frame_used = 0;
    voice->talking = false;
    if (passed > (int64_t)frames) {
        send_stream_advance(&voice->sent, (uint32_t)(passed - (int64_t)frames), now);
    }
}

void voice_capture(struct voice *voice, const int16_t *samples, size_t frames, usec now)
{
    unsigned channels = voice->config.sending.channels;
    follow_clock(voice, frames, now);
    while (frames > 0) {
        size_t room = voice->frame_size - voice->frame_used;
        size_t count = frames < room ? frames : room;
        memcpy(voice->frame + voice->frame_used * channels, samples,
               count * channels * sizeof *samples);
        voice->frame_used += count;
        samples += count * channels;
        frames -= count;
        if (voice->frame_used == voice->frame_size) {
            voice->frame_used = 0;
            send_frame(voice, now);
        }
    }
}
