/* RTP and RTCP of a hostile peer into a voice stream, with time passing and sound pulled between.
 *
 *     input: records of   how (1 byte: RTCP bit, milliseconds that pass before) | length (1) |
 * packet
 */
#include "rtp/voice.h"

#include <stdlib.h>

#define RTCP_BIT 0x80
#define EVENTS   101

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fill_zeros(void *user, void *out, size_t bytes)
{
    (void)user;
    uint8_t *at = out;
    for (size_t i = 0; i < bytes; i++) {
        at[i] = 0x55;
    }
}

static void drop(void *user, uint8_t *packet, size_t bytes)
{
    (void)user;
    if (bytes > VOICE_PACKET_MAX) {
        abort();
    }
    packet[bytes] = 0; /* the tail is there */
    packet[bytes + VOICE_TAIL - 1] = 0;
}

static void drop_digit(void *user, char digit, usec duration)
{
    (void)user;
    if (!digit || duration < 0) {
        abort();
    }
}

static struct voice *open_voice(void)
{
    struct voice_config config = {
        .ssrc = 1,
        .cname = "fuzz",
        .sending = {.codec = &codec_pcmu, .events = {EVENTS, 8000}},
        .playout_channels = 1,
        .receive = {{111, &codec_opus}, {0, &codec_pcmu}, {8, &codec_pcma}},
        .receive_count = 3,
        .receive_events = {{EVENTS, 48000}, {100, 8000}},
        .receive_event_count = 2,
        .extensions = {.audio_level = 1, .mid = 4, .mid_value = "audio"},
        .random = {.fill = fill_zeros},
        .hooks = {.send_rtp = drop, .send_rtcp = drop, .digit = drop_digit},
    };
    struct voice *voice;
    return voice_new(&config, &voice) == JINGLE_OK ? voice : NULL;
}

static void pass_time(struct voice *voice, usec *now, unsigned ms)
{
    static const int16_t silence[80];
    struct playout_sound sound;
    for (unsigned i = 0; i < ms / PLAYOUT_PULL_MS; i++) {
        *now += PLAYOUT_PULL_MS * USEC_PER_MS;
        voice_capture(voice, silence, 80, *now);
        voice_pull(voice, &sound, *now);
        if (sound.count * sound.channels > PLAYOUT_SAMPLES_MAX) {
            abort();
        }
        voice_tick(voice, *now);
    }
    *now += ms % PLAYOUT_PULL_MS * USEC_PER_MS;
}

static void check_figures(const struct voice *voice)
{
    struct voice_stats stats;
    voice_stats(voice, &stats);
    if (stats.level_received < 0 || stats.level_received > 1 || stats.jitter < 0 ||
        stats.packets_lost > UINT32_MAX * UINT64_C(1000) || stats.round_trip < -1) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct voice *voice = open_voice();
    usec now = USEC_PER_SEC;
    const uint8_t *end = data + size;
    while (voice && end - data >= 2) {
        uint8_t how = data[0];
        size_t length = data[1];
        data += 2;
        length = length < (size_t)(end - data) ? length : (size_t)(end - data);
        pass_time(voice, &now, how & (RTCP_BIT - 1));
        if (how & RTCP_BIT) {
            voice_receive_rtcp(voice, data, length, now);
        } else {
            voice_receive_rtp(voice, data, length, now);
        }
        data += length;
    }
    if (voice) {
        check_figures(voice);
    }
    voice_free(voice);
    return 0;
}
