#include "bench/link_call.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/distance.h"
#include "rtp/packet.h"
#include "rtp/voice.h"
#include "rtp/voice_private.h" /* for the figures of each packet and the time stamp heard */

enum {
    RATE = 48000,
    PERIOD = RATE / 100, /* of the sound devices */
    PERIOD_TIME = 10 * 1000,
    HISTORY = 1 << 18, /* samples of the clean decode; divides the time stamps' range */
    BITRATE = 32000,
    OPUS = 111,
    DELAYS_MAX = 4000, /* ms of the histogram */
    DATAGRAM_MAX = 2048,
    TAG_RTP = 0,
    TAG_RTCP = 1
};

const double link_call_damaged_db = 8;

static const usec settled = LINK_CALL_SETTLED * USEC_PER_SEC;
static const usec wall_offset = INT64_C(1700000000) * USEC_PER_SEC;

/* What one side hears. */
struct hearing {
    struct playout_stats settled, now;
    int16_t frame[DISTANCE_FRAME]; /* two pulls, */
    uint32_t frame_at[2];          /* of these time stamps */
    size_t pulls;
    uint64_t delays[DELAYS_MAX];
    double distance;
    uint64_t compared, damaged, frames;
};

struct side {
    struct voice *voice;
    struct network *path; /* to the other side */
    usec next;            /* period of its sound device */
    usec now;
    uint64_t random;
    const int16_t *speech;
    size_t samples;
    size_t at;
    struct audio_decoder *decoder; /* of what it sends */
    int16_t clean[HISTORY];
    struct hearing hearing;
};

static void die(const char *what)
{
    fprintf(stderr, "bench_speech: %s\n", what);
    exit(1);
}

/* --- what is sent -- */

static void keep_clean(struct side *side, const uint8_t *bytes, size_t size)
{
    int16_t decoded[AUDIO_SAMPLES_MAX];
    struct packet packet;
    int count = packet_parse(&packet, bytes, size)
                    ? audio_decode(side->decoder, packet.payload, packet.payload_bytes, decoded,
                                   AUDIO_SAMPLES_MAX)
                    : -1;
    if (count <= 0) {
        die("what was sent cannot be decoded");
    }
    for (int i = 0; i < count; i++) {
        side->clean[(packet.timestamp + (uint32_t)i) % HISTORY] = decoded[i];
    }
}

static void on_send_rtp(void *user, uint8_t *packet, size_t bytes)
{
    struct side *side = user;
    keep_clean(side, packet, bytes);
    network_send(side->path, side->now, packet, bytes, TAG_RTP);
}

static void on_send_rtcp(void *user, uint8_t *packet, size_t bytes)
{
    struct side *side = user;
    network_send(side->path, side->now, packet, bytes, TAG_RTCP);
}

static void speak(struct side *side)
{
    int16_t samples[PERIOD];
    for (size_t i = 0; i < PERIOD; i++) {
        samples[i] = side->speech[side->at];
        side->at = (side->at + 1) % side->samples;
    }
    voice_capture(side->voice, samples, PERIOD, side->now);
}

/* --- what is heard -- */

static void receive(struct side *side, struct side *other)
{
    uint8_t datagram[DATAGRAM_MAX];
    usec arrival;
    unsigned tag;
    size_t size;
    while ((size = network_receive(other->path, side->now, datagram, sizeof datagram, &arrival,
                                   &tag)) > 0) {
        if (tag == TAG_RTCP) {
            voice_receive_rtcp(side->voice, datagram, size, arrival);
        } else {
            voice_receive_rtp(side->voice, datagram, size, arrival);
        }
    }
}

static void compare(struct hearing *hearing, const int16_t *clean)
{
    int16_t meant[DISTANCE_FRAME];
    for (size_t i = 0; i < DISTANCE_FRAME; i++) {
        uint32_t at = hearing->frame_at[i / PERIOD] + (uint32_t)(i % PERIOD);
        meant[i] = clean[at % HISTORY];
    }
    double distance = distance_between(hearing->frame, meant);
    hearing->frames++;
    if (distance >= 0) {
        hearing->distance += distance;
        hearing->compared++;
        hearing->damaged += distance > link_call_damaged_db ? 1 : 0;
    }
}

static void count_delay(struct hearing *hearing, uint64_t frames_before)
{
    if (hearing->now.frames_played > frames_before) {
        usec ms = hearing->now.buffer_delay / USEC_PER_MS;
        hearing->delays[ms < DELAYS_MAX ? ms : DELAYS_MAX - 1]++;
    }
}

static void listen(struct side *side, const struct side *other)
{
    struct hearing *hearing = &side->hearing;
    struct playout_sound sound;
    uint64_t frames_before = hearing->now.frames_played;
    voice_pull(side->voice, &sound, side->now);
    playout_stats(side->voice->playout, &hearing->now);
    if (side->now < settled) {
        hearing->settled = hearing->now;
        return;
    }
    count_delay(hearing, frames_before);
    if (!hearing->now.last_timestamp_valid) {
        return;
    }
    memcpy(hearing->frame + hearing->pulls * PERIOD, sound.samples, PERIOD * sizeof(int16_t));
    hearing->frame_at[hearing->pulls] = hearing->now.last_timestamp;
    if (++hearing->pulls == 2) {
        compare(hearing, other->clean);
        hearing->pulls = 0;
    }
}

/* --- the call -- */

static void fill_random(void *user, void *out, size_t bytes)
{
    uint8_t *at = out;
    for (size_t i = 0; i < bytes; i++) {
        at[i] = (uint8_t)(random_next(user) >> 32);
    }
}

static void open_side(struct side *side, const struct network_config *link, uint64_t *seed)
{
    side->random = random_next(seed);
    side->next = (usec)(random_next(&side->random) % PERIOD_TIME); /* crystals of their own */
    side->path = network_new(link, random_next(seed));
    side->decoder = audio_decoder_new(&codec_opus, 1);
    struct voice_config config = {
        .ssrc = (uint32_t)random_next(&side->random),
        .cname = "bench",
        .sending = {.codec = &codec_opus, .payload_type = OPUS, .bitrate = BITRATE, .fec = true},
        .playout_channels = 1,
        .receive = {{OPUS, &codec_opus}},
        .receive_count = 1,
        .wall_offset = wall_offset,
        .random = {.fill = fill_random, .user = &side->random},
        .hooks = {.user = side, .send_rtp = on_send_rtp, .send_rtcp = on_send_rtcp},
    };
    if (!side->path || !side->decoder || voice_new(&config, &side->voice) != JINGLE_OK) {
        die("out of memory");
    }
}

static void close_side(struct side *side)
{
    voice_free(side->voice);
    network_free(side->path);
    audio_decoder_free(side->decoder);
}

static void run_period(struct side *side, struct side *other)
{
    side->now = side->next;
    side->next += PERIOD_TIME;
    receive(side, other);
    speak(side);
    listen(side, other);
    voice_tick(side->voice, side->now);
}

static double median_delay(const struct hearing *hearing)
{
    uint64_t all = 0;
    uint64_t below = 0;
    for (size_t i = 0; i < DELAYS_MAX; i++) {
        all += hearing->delays[i];
    }
    for (size_t i = 0; i < DELAYS_MAX; i++) {
        if (2 * (below + hearing->delays[i]) >= all) {
            double part = ((double)all / 2 - (double)below) / (double)(hearing->delays[i] + 1);
            return (double)i + part;
        }
        below += hearing->delays[i];
    }
    return 0;
}

static double percent(double part, double whole)
{
    return whole > 0 ? 100 * part / whole : 0;
}

static struct link_figures figures_of(const struct hearing *hearing, const struct network *path)
{
    const struct playout_stats *from = &hearing->settled;
    const struct playout_stats *to = &hearing->now;
    struct network_counts counts;
    network_counts(path, &counts);
    double played = (double)(to->samples_played - from->samples_played);
    double stretched = (double)(to->samples_stretched - from->samples_stretched);
    double shrunk = (double)(to->samples_shrunk - from->samples_shrunk);
    double compared = (double)hearing->compared;
    return (struct link_figures){
        .lost = percent((double)counts.lost, (double)counts.sent),
        .concealed = percent((double)(to->samples_concealed - from->samples_concealed), played),
        .recovered = percent((double)(to->samples_recovered - from->samples_recovered), played),
        .adapted = percent(stretched + shrunk, played),
        .delay = median_delay(hearing),
        .distance = compared > 0 ? hearing->distance / compared : 0,
        .damaged = percent((double)hearing->damaged, (double)hearing->frames),
        .concealed_all = percent((double)to->samples_concealed, (double)to->samples_played),
        .concealed_settling = (double)from->samples_concealed * 1000 / RATE,
    };
}

void link_call_run(const struct network_config *link, const int16_t *speech, size_t samples,
                   uint64_t seed, unsigned seconds, struct link_figures heard[LINK_CALL_SIDES])
{
    struct side *sides = calloc(LINK_CALL_SIDES, sizeof *sides);
    if (!sides) {
        die("out of memory");
    }
    for (size_t i = 0; i < LINK_CALL_SIDES; i++) {
        sides[i].speech = speech;
        sides[i].samples = samples;
        sides[i].at = i * samples / 2; /* they say different things */
        open_side(&sides[i], link, &seed);
    }
    usec end = settled + (usec)seconds * USEC_PER_SEC;
    while (sides[0].next < end || sides[1].next < end) {
        size_t first = sides[0].next <= sides[1].next ? 0 : 1;
        run_period(&sides[first], &sides[!first]);
    }
    for (size_t i = 0; i < LINK_CALL_SIDES; i++) {
        heard[i] = figures_of(&sides[i].hearing, sides[!i].path);
        close_side(&sides[i]);
    }
    free(sides);
}
