/* The sound of a call: joins its voice to its devices and to its way to the peer. */
#include "call_private.h"

#include "call_voice.h"
#include "codecs/codec.h"
#include "media/audio.h"
#include "media_threads.h"
#include "rtp/voice.h"

/* Calls of one thread share their wake-ups: packets leave on a grid that is this coarse. */
#define START_GRID (10 * USEC_PER_MS)

/* ----------------------------------------------------------------- what voice and audio say -- */

static void on_device(void *user, bool capture, bool lost, jingle_status status)
{
    struct call *call = user;
    jingle_event event = {
        .type = JINGLE_EVENT_DEVICE,
        .status = status,
        .u.device = {.capture = capture, .lost = lost},
    };
    if (status == JINGLE_ERROR_FILE) {
        event.text = "The recording can no longer be written: is the disk full? The call goes on.";
    } else if (lost) {
        event.text = capture ? "The microphone is missing or in use; silence is sent until it is "
                               "back."
                             : "The loudspeaker is missing or in use; the call goes on without it.";
    } else {
        event.text = capture ? "The microphone is back." : "The loudspeaker is back.";
    }
    call_tell_application(call, &event);
}

static void on_source_ended(void *user)
{
    jingle_event event = {.type = JINGLE_EVENT_SOURCE_ENDED,
                          .text = "The sound to be sent is at its end; silence follows."};
    call_tell_application(user, &event);
}

static void on_digit(void *user, char digit, usec duration)
{
    jingle_event event = {
        .type = JINGLE_EVENT_DIGIT,
        .u.digit = {.digit = digit, .duration = duration},
    };
    call_tell_application(user, &event);
}

/* Who stops to send for a while may say goodbye, too: that is no hang-up. */
static void on_bye(void *user)
{
    struct call *call = user;
    if (call->sound.we_receive && !call->held && !call->peer_holds) {
        call_report_hung_up(call);
    }
}

static void send_rtp(void *user, uint8_t *packet, size_t bytes)
{
    struct call *call = user;
    if (call->sound.may_send) {
        call_transport_send_voice(call->sound.transport, packet, bytes);
    }
}

static void send_rtcp(void *user, uint8_t *packet, size_t bytes)
{
    struct call *call = user;
    if (call->sound.sends_rtcp) {
        call_transport_send_rtcp(call->sound.transport, packet, bytes);
    }
}

/* -------------------------------------------------------------------------------- its life -- */

static bool make_voice(struct call *call, struct voice_config *config)
{
    struct call_sound *sound = &call->sound;
    config->wall_offset = clock_wall() - clock_now();
    config->log = call->config.log;
    config->hooks = (struct voice_hooks){
        .user = call,
        .send_rtp = send_rtp,
        .send_rtcp = send_rtcp,
        .digit = on_digit,
        .bye = on_bye,
    };
    if (voice_new(config, &sound->voice) != JINGLE_OK) {
        return false;
    }
    voice_set_mute(sound->voice, sound->muted);
    voice_set_peer_hold(sound->voice, call->peer_holds);
    if (sound->transport->route.contents[CALL_PICTURES].used) {
        voice_share_transport(sound->voice);
    }
    return true;
}

static void note_opus(struct call_sound *sound, const struct rtp_agreement *agreement)
{
    for (size_t i = 0; i < agreement->receive_count; i++) {
        const struct rtp_codec *codec = &agreement->receive[i];
        if (g_ascii_strcasecmp(codec->name, codec_opus.name) == 0) {
            sound->opus[codec->payload_type / 64 % 2] |= UINT64_C(1) << codec->payload_type % 64;
        }
    }
}

/* Where this fails, nothing that comes can be for the voice. */
static bool join_transport(struct call *call, struct call_transport *transport,
                           const struct rtp_agreement *agreement, const char *content,
                           struct voice_config *voice)
{
    struct call_sound *sound = &call->sound;
    sound->transport = transport;
    call_voice_config(voice, agreement, content, &call->config.settings, &call->config.identity);
    if (call_transport_add(transport, CALL_SOUND, content, agreement) != JINGLE_OK ||
        !make_voice(call, voice)) {
        sound->transport = NULL;
        return false;
    }
    return true;
}

bool call_sound_make(struct call *call, struct call_transport *transport,
                     const struct rtp_agreement *agreement, const char *content)
{
    struct call_sound *sound = &call->sound;
    jingle_session_config *settings = &call->config.settings;
    struct voice_config voice;
    sound->may_send = agreement->we_send;
    sound->we_receive = agreement->we_receive;
    sound->sends_rtcp = agreement->rtcp_mux || call->config.plain;
    note_opus(sound, agreement);
    if (!join_transport(call, transport, agreement, content, &voice)) {
        return false;
    }
    struct audio_config audio = {
        .source = settings->source,
        .sink = settings->sink,
        .voice = sound->voice,
        .playback_channels = voice.playout_channels,
        .echo_cancellation = settings->echo_cancellation,
        .noise_suppression = settings->noise_suppression,
        .gain_control = settings->gain_control,
        .log = call->config.log,
        .hooks = {.user = call, .device = on_device, .source_ended = on_source_ended},
    };
    settings->source = NULL;
    settings->sink = NULL;
    jingle_status status;
    sound->audio = audio_new(&audio, &status);
    return sound->audio != NULL;
}

void call_sound_start(struct call *call)
{
    struct call_sound *sound = &call->sound;
    if (sound->started || !sound->audio || link_state(sound->transport->link) != LINK_CONNECTED) {
        return;
    }
    usec now = clock_now();
    sound->started = true;
    call_statistics_start(call, now);
    audio_start(sound->audio, now - now % START_GRID);
    call_sound_set_hold(call, call->held);
    call_tick(call);
}

void call_sound_set_hold(struct call *call, bool on)
{
    if (call->sound.started) {
        audio_set_hold(call->sound.audio, on, clock_now());
        voice_set_hold(call->sound.voice, on);
        call_sound_capture(call);
    }
}

/* The audio's own rhythm, one wake-up a packet, or on hold that of reports. */
usec call_sound_tick(struct call *call, usec now)
{
    usec next = audio_tick_playback(call->sound.audio, now);
    voice_tick(call->sound.voice, now);
    return next == USEC_NEVER ? voice_next_deadline(call->sound.voice) : next;
}

/* What is to be sent, and when there will be more of it. */
void call_sound_capture(struct call *call)
{
    if (call->sound.started) {
        usec next = audio_tick_capture(call->sound.audio, clock_now());
        poller_set_timer(call->config.thread->poller, &call->capture_timer, next);
    }
}

void call_sound_sync(const struct call *call, struct sync_reference *reference)
{
    *reference = (struct sync_reference){0};
    if (call->sound.started && !call->held) {
        voice_sync(call->sound.voice, audio_delay(call->sound.audio), reference);
    }
}

void call_sound_stop(struct call *call, usec now)
{
    if (call->sound.audio) {
        audio_stop(call->sound.audio);
    }
    if (call->sound.voice) {
        voice_bye(call->sound.voice, now);
    }
}

void call_sound_free(struct call *call)
{
    audio_free(call->sound.audio);
    jingle_audio_source_free(call->config.settings.source); /* if there never was any audio */
    jingle_audio_sink_free(call->config.settings.sink);
}
