#include "tests/sim/party.h"

#include <string.h>

#include "tests/sim/network.h"

#define PERIOD      (10 * USEC_PER_MS)
#define WALL_OFFSET (INT64_C(1700000000) * USEC_PER_SEC)
#define BITRATE     32000
#define AUDIBLE     100 /* a sample as loud as this counts as heard */
#define TURN        400 /* periods */

uint64_t hash_add(uint64_t hash, const void *data, size_t bytes)
{
    const uint8_t *at = data;
    for (size_t i = 0; i < bytes; i++) {
        hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

static void fill_random(void *user, void *out, size_t bytes)
{
    uint8_t *at = out;
    for (size_t i = 0; i < bytes; i++) {
        at[i] = (uint8_t)(random_next(user) >> 32);
    }
}

static void open_voice(struct party *party, uint32_t ssrc)
{
    const struct party_config *config = &party->config;
    const struct audio_codec *codec = config->codec;
    struct voice_config voice = {
        .ssrc = ssrc,
        .cname = party->name,
        .sending = {.codec = codec,
                    .payload_type =
                        codec->payload_type < 0 ? PARTY_OPUS : (uint8_t)codec->payload_type,
                    .bitrate = config->bitrate ? config->bitrate : BITRATE,
                    .channels = config->channels,
                    .ptime = config->ptime,
                    .fec = config->fec,
                    .dtx = config->dtx,
                    .events = {.payload_type = PARTY_EVENTS, .rate = codec->clockrate}},
        .playout_channels = 1,
        .receive = {{PARTY_OPUS, &codec_opus}, {0, &codec_pcmu}, {8, &codec_pcma}},
        .receive_count = 3,
        .receive_events = {{PARTY_EVENTS, codec->clockrate}},
        .receive_event_count = 1,
        .extensions = {.audio_level = 1, .mid = 4, .mid_value = "audio"},
        .wall_offset = WALL_OFFSET,
        .random = {.fill = fill_random, .user = &party->random},
        .hooks = party->hooks,
    };
    if (voice_new(&voice, &party->voice) != JINGLE_OK) {
        party->voice = NULL;
    }
}

void party_open(struct party *party, const char *name, const struct party_config *config,
                const struct voice_hooks *hooks, uint64_t seed)
{
    party->name = name;
    party->config = *config;
    party->config.codec = config->codec ? config->codec : &codec_opus;
    party->random = seed;
    party->next = config->start;
    party->last_heard = -1;
    party->sound_hash = HASH_BEGIN;
    uint32_t ssrc = config->ssrc ? config->ssrc : (uint32_t)random_next(&party->random);
    party->hooks = *hooks;
    party->hooks.user = party;
    open_voice(party, ssrc);
}

void party_close(struct party *party)
{
    voice_free(party->voice);
    party->voice = NULL;
}

void party_restart(struct party *party)
{
    party_close(party);
    open_voice(party, (uint32_t)random_next(&party->random));
}

static bool speaks(const struct party *party)
{
    switch (party->config.sound) {
    case SOUND_SILENCE:
        return false;
    case SOUND_TURNS:
        return party->periods / TURN % 2 == 0;
    default:
        return true;
    }
}

/* One sample of speech at `rate`: plain decimation is good enough to be recognised. */
static int16_t next_sample(struct party *party, uint32_t rate)
{
    int16_t sample = party->speech[party->at];
    party->at = (party->at + 48000 / rate) % party->speech_samples;
    return sample;
}

static void run_microphone(struct party *party, usec now)
{
    int16_t samples[480 * AUDIO_CHANNELS_MAX] = {0};
    uint32_t rate = voice_capture_rate(party->voice);
    unsigned channels = voice_capture_channels(party->voice);
    size_t frames = rate / 100;
    if (speaks(party)) {
        for (size_t i = 0; i < frames; i++) {
            int16_t sample = next_sample(party, rate);
            party->said_energy += (double)sample * sample * (48000.0 / rate);
            for (unsigned c = 0; c < channels; c++) {
                samples[i * channels + c] = sample;
            }
        }
    }
    voice_capture(party->voice, samples, frames, now);
}

static void run_loudspeaker(struct party *party, usec now)
{
    struct playout_sound sound;
    voice_pull(party->voice, &sound, now);
    size_t count = sound.count * sound.channels;
    for (size_t i = 0; i < count; i++) {
        int16_t sample = sound.samples[i];
        party->heard_energy += (double)sample * sample * (48000.0 / sound.rate);
        if (sample > AUDIBLE || sample < -AUDIBLE) {
            party->heard += 48000 / sound.rate;
            party->last_heard = now;
        }
    }
    party->sound_hash = hash_add(party->sound_hash, sound.samples, count * sizeof *sound.samples);
}

void party_run(struct party *party, usec now)
{
    if (!party->asleep) {
        if (!party->unplugged) {
            run_microphone(party, now);
        }
        run_loudspeaker(party, now);
        voice_tick(party->voice, now);
    }
    party->periods++;
    /* a crystal that is faster has shorter periods */
    party->next = party->config.start + (usec)party->periods * PERIOD -
                  (usec)party->periods * PERIOD * party->config.ppm / 1000000;
}

void party_digit(struct party *party, char digit)
{
    if (party->digit_count < PARTY_DIGITS_MAX) {
        party->digits[party->digit_count++] = digit;
    }
}
