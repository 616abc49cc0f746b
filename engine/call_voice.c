#include "call_voice.h"

#include "codecs/codec.h"

#include <glib.h>
#include <string.h>

/* Payload types as browsers write them, so that both sides mean the same by a number. */
#define PT_OPUS         111
#define PT_EVENTS_48000 110
#define PT_EVENTS_8000  126

/* Header extension ids (RFC 8285, one-byte form), again as browsers write them. */
#define EXT_AUDIO_LEVEL 1
#define EXT_MID         4

/* 32 kbit/s mono is transparent for speech; stereo needs more. */
#define BITRATE_MONO   32000
#define BITRATE_STEREO 64000

void call_voice_identity_new(struct call_voice_identity *identity,
                             const struct random_source *random)
{
    random->fill(random->user, &identity->ssrc, sizeof identity->ssrc);
    random_token(random, identity->cname, sizeof identity->cname - 1);
}

bool call_voice_knows_codec(const char *name)
{
    for (size_t i = 0; name && codec_all[i]; i++) {
        if (g_ascii_strcasecmp(name, codec_all[i]->name) == 0) {
            return true;
        }
    }
    return !name;
}

/* ---------------------------------------------------------------------------- describing -- */

static void add_number(struct rtp_parameters *parameters, const char *name, uint32_t value)
{
    char text[16];
    g_snprintf(text, sizeof text, "%u", value);
    rtp_parameters_add(parameters, name, text);
}

static void add_opus_parameters(struct rtp_payload_type *type,
                                const jingle_session_config *settings)
{
    rtp_parameters_add(&type->parameters, "minptime", "10");
    rtp_parameters_add(&type->parameters, "useinbandfec", settings->fec == JINGLE_OFF ? "0" : "1");
    if (settings->channels == 2) {
        rtp_parameters_add(&type->parameters, "stereo", "1");
        rtp_parameters_add(&type->parameters, "sprop-stereo", "1");
    }
    if (settings->dtx == JINGLE_ON) {
        rtp_parameters_add(&type->parameters, "usedtx", "1");
    }
    if (settings->bitrate) {
        add_number(&type->parameters, "maxaveragebitrate", settings->bitrate);
    }
}

static void add_codec(struct rtp_description *description, const struct audio_codec *codec,
                      const jingle_session_config *settings)
{
    uint8_t id = codec->payload_type >= 0 ? (uint8_t)codec->payload_type : PT_OPUS;
    struct rtp_payload_type *type =
        rtp_description_add(description, id, codec->name, codec->clockrate, codec->channels);
    type->ptime = settings->ptime;
    if (codec == &codec_opus) {
        add_opus_parameters(type, settings);
    }
}

void call_voice_describe(struct rtp_description *description, const jingle_session_config *settings,
                         const struct call_voice_identity *identity)
{
    rtp_description_init(description, "audio");
    description->rtcp_mux = true;
    const char *first = settings->codec ? settings->codec : codec_all[0]->name;
    for (size_t i = 0; codec_all[i]; i++) {
        if (g_ascii_strcasecmp(codec_all[i]->name, first) == 0) {
            add_codec(description, codec_all[i], settings);
        }
    }
    for (size_t i = 0; codec_all[i]; i++) {
        if (g_ascii_strcasecmp(codec_all[i]->name, first) != 0) {
            add_codec(description, codec_all[i], settings);
        }
    }
    rtp_description_add(description, PT_EVENTS_48000, "telephone-event", 48000, 1);
    rtp_description_add(description, PT_EVENTS_8000, "telephone-event", 8000, 1);
    rtp_description_add_hdrext(description, EXT_AUDIO_LEVEL, HDREXT_AUDIO_LEVEL, SENDERS_BOTH);
    rtp_description_add_hdrext(description, EXT_MID, HDREXT_MID, SENDERS_BOTH);
    rtp_description_add_source(description, identity->ssrc, identity->cname);
}

/* ---------------------------------------------------------------------------- configuring -- */

bool call_voice_takes_digits(const struct rtp_agreement *agreement)
{
    return agreement->has_send_event;
}

static const struct audio_codec *find(const struct rtp_codec *codec)
{
    return codec_find(codec->name, codec->clockrate, codec->channels);
}

/* The longest wish that the other side can take; Opus and G.711 are cut in steps of 10 ms. The
 * peer's maxptime counts for more than its minptime. */
static unsigned choose_ptime(const struct rtp_codec *codec, const jingle_session_config *settings)
{
    static const unsigned steps[] = {60, 40, 20, 10};
    unsigned wanted = settings->ptime ? settings->ptime : codec->ptime;
    if (wanted == 0) {
        wanted = VOICE_PTIME_DEFAULT;
    }
    wanted = MAX(wanted, codec->opus.minptime);
    if (codec->maxptime) {
        wanted = MIN(wanted, codec->maxptime);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
        if (steps[i] <= wanted) {
            return steps[i];
        }
    }
    return steps[G_N_ELEMENTS(steps) - 1];
}

static void choose_sending(struct voice_sending *sending, const struct rtp_agreement *agreement,
                           const jingle_session_config *settings)
{
    const struct rtp_codec *codec = &agreement->send;
    sending->codec = find(codec);
    sending->payload_type = codec->payload_type;
    sending->ptime = choose_ptime(codec, settings);
    if (sending->codec == &codec_opus) {
        bool stereo = settings->channels == 2 && codec->opus.stereo;
        sending->channels = stereo ? 2 : 1;
        sending->bitrate = settings->bitrate ? settings->bitrate
                           : stereo          ? BITRATE_STEREO
                                             : BITRATE_MONO;
        if (codec->opus.maxaveragebitrate) {
            sending->bitrate = CLAMP(codec->opus.maxaveragebitrate, 6000, sending->bitrate);
        }
        sending->fec = settings->fec != JINGLE_OFF && codec->opus.useinbandfec;
        sending->dtx =
            settings->dtx == JINGLE_ON || (settings->dtx == JINGLE_AUTO && codec->opus.usedtx);
    }
    if (agreement->has_send_event) {
        sending->events.payload_type = agreement->send_event.payload_type;
        sending->events.rate = agreement->send_event.clockrate;
    }
}

void call_voice_config(struct voice_config *config, const struct rtp_agreement *agreement,
                       const char *content, const jingle_session_config *settings,
                       const struct call_voice_identity *identity)
{
    *config = (struct voice_config){
        .ssrc = identity->ssrc,
        .cname = identity->cname,
        .random = random_system,
        .playout_channels = settings->channels == 2 ? 2 : 1,
        .extensions = {.audio_level = (uint8_t)agreement->send_audio_level,
                       .mid = (uint8_t)agreement->send_mid},
        .has_remote_ssrc = agreement->has_remote_ssrc,
        .remote_ssrc = agreement->remote_ssrc,
    };
    if (g_strlcpy(config->extensions.mid_value, content, sizeof config->extensions.mid_value) >
        VOICE_MID_MAX) {
        config->extensions.mid = 0; /* half a name would name another content, or none */
    }
    choose_sending(&config->sending, agreement, settings);
    for (size_t i = 0; i < agreement->receive_count; i++) {
        config->receive[config->receive_count++] = (struct voice_payload){
            .payload_type = agreement->receive[i].payload_type,
            .codec = find(&agreement->receive[i]),
        };
    }
    size_t events = MIN(agreement->receive_event_count, VOICE_EVENTS_MAX);
    for (size_t i = 0; i < events; i++) {
        config->receive_events[i] = (struct voice_event_payload){
            .payload_type = agreement->receive_events[i].payload_type,
            .rate = agreement->receive_events[i].clockrate,
        };
    }
    config->receive_event_count = events;
}

const char *call_voice_codec_name(const struct audio_codec *codec)
{
    if (codec == &codec_opus) {
        return "opus/48000/2";
    }
    if (codec == &codec_pcmu) {
        return "PCMU/8000";
    }
    return codec == &codec_pcma ? "PCMA/8000" : "";
}
