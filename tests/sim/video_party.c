#include "tests/sim/video_party.h"

#include <stdlib.h>
#include <string.h>

#include "rtp/bytes.h"
#include "rtp/packet.h"
#include "tests/sim/network.h"

#define WALL_OFFSET (INT64_C(1700000000) * USEC_PER_SEC)

#define PAYLOAD_VIDEO   96
#define PAYLOAD_RTX     97
#define EXTENSION_SEND  2
#define EXTENSION_WIDE  3
#define EXTENSION_MID   4
#define EXTENSION_LEVEL 1

/* The first bytes of a fake frame. */
enum {
    FAKE_KIND = 0,   /* bit 0: not a key frame, as in VP8 */
    FAKE_NUMBER = 1, /* of the frame, and */
    FAKE_NEEDS = 5,  /* of the one that it needs */
    FAKE_SIZE = 9,
    FAKE_TIME = 13, /* of its capture, 8 bytes */
    FAKE_HEAD = 24
};

static void fill_random(void *user, void *out, size_t bytes)
{
    uint8_t *at = out;
    for (size_t i = 0; i < bytes; i++) {
        at[i] = (uint8_t)(random_next(user) >> 32);
    }
}

/* --- hooks -- */

static void on_link_rtp(void *user, uint8_t *packet, size_t bytes)
{
    struct video_party *party = user;
    bool video = (packet[1] & 0x7f) == PAYLOAD_VIDEO || (packet[1] & 0x7f) == PAYLOAD_RTX;
    party->hooks.send(party, video ? VIDEO_TAG_RTP : VIDEO_TAG_VOICE, packet, bytes);
}

static void on_rtcp(void *user, uint8_t *packet, size_t bytes)
{
    struct video_party *party = user;
    party->hooks.send(party, VIDEO_TAG_RTCP, packet, bytes);
}

static void on_target(void *user, const struct video_target *target)
{
    struct video_party *party = user;
    const struct video_target *before = &party->target;
    if (before->width != target->width || before->frame_rate != target->frame_rate) {
        party->target_changes++;
        party->hooks.say(party, "%s is to make %ux%u, %u a second, %u bit/s", party->name,
                         target->width, target->height, target->frame_rate, target->bitrate);
    }
    party->target = *target;
}

static void on_key_frame(void *user)
{
    struct video_party *party = user;
    party->hooks.say(party, "%s is to make a key frame", party->name);
    party->keys_asked++;
    party->key_wanted = true;
}

static void on_bye(void *user)
{
    struct video_party *party = user;
    party->byes++;
}

/* --- encoder -- */

/* Sizes about the target's, key frames some times as large; what was too large is saved later. */
static size_t fake_size(struct video_party *party, bool key)
{
    const struct video_target *target = &party->target;
    double budget = (double)target->bitrate / 8 / (target->frame_rate ? target->frame_rate : 1);
    double size = budget * (0.75 + 0.5 * random_uniform(&party->random));
    if (key) {
        double least = (double)target->width * target->height / 60;
        double most = (double)target->bitrate / 8 / 2; /* half a second */
        size = 5 * budget > least ? 5 * budget : least;
        size = size > most ? most : size;
    } else if (party->debt > 0) {
        size *= 0.7;
    }
    party->debt += size - budget;
    if (party->config.frames_a_second) {
        return FAKE_HEAD;
    }
    return size < FAKE_HEAD ? FAKE_HEAD : (size_t)size;
}

static struct coded_frame *fake_frame(struct video_party *party, usec now)
{
    bool key = party->key_wanted || party->number == 0;
    key = key && !party->config.no_key_at_all && (party->number == 0 || !party->config.never_key);
    size_t size = fake_size(party, key);
    struct coded_frame *frame = coded_frame_new(size);
    unsigned layer = 0;
    party->in_pattern = key ? 0 : party->in_pattern + 1;
    if (party->config.layers == 2) {
        layer = party->in_pattern % 2;
        party->tl0 = layer == 0 ? (party->tl0 + 1) & 0xff : party->tl0;
        frame->tl0_index = party->tl0;
        frame->layer_sync = layer == 1;
    }
    memset(frame->bytes, (int)(party->number & 0xff), size);
    frame->bytes[FAKE_KIND] = key ? 0 : 1;
    write_u32(frame->bytes + FAKE_NUMBER, party->number);
    write_u32(frame->bytes + FAKE_NEEDS, key ? party->number : party->base);
    write_u32(frame->bytes + FAKE_SIZE, (uint32_t)size);
    memcpy(frame->bytes + FAKE_TIME, &now, sizeof now);
    frame->size = size;
    frame->key = key || party->config.no_key_at_all; /* that is what it says */
    frame->width = party->target.width;
    frame->height = party->target.height;
    frame->picture_id = (int)(party->number & 0x7fff);
    frame->picture_bits = 15;
    frame->temporal_layer = layer;
    frame->discardable = layer > 0;
    frame->captured = now;
    party->key_wanted = party->key_wanted && !key && !party->config.never_key;
    party->base = layer == 0 ? party->number : party->base;
    party->number++;
    return frame;
}

/* A gradient that moves, with some noise. */
static void draw(struct video_party *party, uint8_t *pixels, uint32_t width, uint32_t height)
{
    for (uint32_t y = 0; y < height; y++) {
        for (uint32_t x = 0; x < width; x++) {
            pixels[y * width + x] =
                (uint8_t)(x + 2 * y + 3 * party->pictures + (random_next(&party->random) & 7));
        }
    }
    memset(pixels + (size_t)width * height, 128, (size_t)width * height / 2);
}

static bool open_encoder(struct video_party *party)
{
    const struct video_target *target = &party->target;
    struct video_encoder_config config = {
        .width = target->width,
        .height = target->height,
        .bitrate = target->bitrate,
        .frame_rate = target->frame_rate,
        .temporal_layers = party->config.layers,
        .resilient = true,
        .speed = -1,
        .threads = 1,
    };
    if (party->encoder) {
        return video_encoder_set(party->encoder, &config) == JINGLE_OK;
    }
    party->encoder = video_encoder_new(party->config.codec, &config);
    return party->encoder != NULL;
}

static struct coded_frame *real_frame(struct video_party *party, usec now)
{
    uint32_t width = party->target.width;
    uint32_t height = party->target.height;
    size_t area = (size_t)width * height;
    struct coded_frame *frame = coded_frame_new(0);
    uint8_t *pixels = malloc(area * 3 / 2);
    jingle_picture picture = {
        .size = sizeof picture,
        .width = width,
        .height = height,
        .planes = {pixels, pixels + area, pixels + area + area / 4},
        .strides = {width, width / 2, width / 2},
        .time = now,
    };
    draw(party, pixels, width, height);
    int made =
        open_encoder(party) ? video_encode(party->encoder, &picture, party->key_wanted, frame) : -1;
    free(pixels);
    if (made != 1) {
        coded_frame_free(frame);
        return NULL;
    }
    party->key_wanted = party->key_wanted && !frame->key;
    party->number++;
    return frame;
}

static void make_frame(struct video_party *party, usec now)
{
    struct coded_frame *frame =
        party->config.real ? real_frame(party, now) : fake_frame(party, now);
    if (!frame) {
        return;
    }
    party->bytes_encoded += frame->size;
    video_send_frame(party->video, frame, now);
    coded_frame_free(frame);
}

/* The camera gives pictures at the input's rate; the encoder takes as many as it is to. */
static void take_picture(struct video_party *party, usec now)
{
    const struct video_target *target = &party->target;
    uint32_t rate = party->config.input.frame_rate;
    party->pictures++;
    party->next_picture = (usec)party->pictures * USEC_PER_SEC / rate;
    if (party->unplugged || party->config.silent || target->bitrate == 0 || target->skip) {
        return;
    }
    party->due_frames += (double)target->frame_rate / rate;
    if (party->due_frames < 0.999) {
        return;
    }
    party->due_frames -= 1;
    unsigned count =
        party->config.frames_a_second ? party->config.frames_a_second / target->frame_rate : 1;
    for (unsigned i = 0; i < count; i++) {
        make_frame(party, now);
    }
}

/* --- decoder and window -- */

static void show(struct video_party *party, const struct video_frame_info *info, usec captured)
{
    usec when = info->due > party->now ? info->due : party->now;
    size_t at = party->shown_count++ % VIDEO_PARTY_SHOWN;
    party->shown[at] = when;
    party->delays[at] = when - captured;
}

static bool fake_decode(struct video_party *party, const struct coded_frame *frame, usec *captured)
{
    const uint8_t *bytes = frame->bytes;
    if (frame->size < FAKE_HEAD || read_u32(bytes + FAKE_SIZE) != frame->size) {
        return false;
    }
    uint32_t number = read_u32(bytes + FAKE_NUMBER);
    uint32_t needs = read_u32(bytes + FAKE_NEEDS);
    bool key = !(bytes[FAKE_KIND] & 1);
    for (size_t i = FAKE_HEAD; i < frame->size; i++) {
        if (bytes[i] != (number & 0xff)) {
            return false; /* put together wrongly */
        }
    }
    if (!key && party->decoded[needs % VIDEO_PARTY_FRAMES] != needs + 1) {
        return false;
    }
    if (party->shown_count > 0 && number <= party->last_number) {
        party->out_of_order++;
    }
    party->last_number = number;
    party->decoded[number % VIDEO_PARTY_FRAMES] = number + 1;
    memcpy(captured, bytes + FAKE_TIME, sizeof *captured);
    return true;
}

static bool real_decode(struct video_party *party, struct coded_frame *frame, uint32_t *width)
{
    jingle_picture picture = {.size = sizeof picture};
    if (!party->decoder) {
        party->decoder = video_decoder_new(party->config.codec, 1);
    }
    int made = video_decode(party->decoder, frame, &picture);
    *width = made == 1 ? picture.width : 0;
    return made >= 0;
}

static void on_frame(void *user, struct coded_frame *frame, const struct video_frame_info *info)
{
    struct video_party *party = user;
    usec captured = info->due;
    uint32_t width = 1;
    bool good = party->config.real ? real_decode(party, frame, &width)
                                   : fake_decode(party, frame, &captured);
    if (party->decoder_broken) {
        party->decoder_broken = !frame->key;
        good = good && frame->key;
        party->undecodable -= !good;
    }
    if (good) {
        show(party, info, captured);
        party->first_width = party->first_width ? party->first_width : width;
        party->last_width = width;
        video_decoder_done(party->video, info->number, width, 1, 3 * USEC_PER_MS);
    } else {
        party->undecodable++;
        party->hooks.say(party, "%s cannot decode frame %u", party->name, (unsigned)info->number);
        video_decoder_failed(party->video, info->number, party->now);
    }
    coded_frame_free(frame);
}

/* --- voice -- */

static void on_voice_rtp(void *user, uint8_t *packet, size_t bytes)
{
    struct party *voice = user;
    struct video_party *party = voice->world;
    uplink_send_audio(party->uplink, party->voice_stream, packet, bytes, party->now);
}

static void on_voice_rtcp(void *user, uint8_t *packet, size_t bytes)
{
    struct party *voice = user;
    struct video_party *party = voice->world;
    party->hooks.send(party, VIDEO_TAG_RTCP, packet, bytes);
}

static void open_voice(struct video_party *party, const int16_t *speech, size_t samples)
{
    static const struct party_config config = {.codec = NULL};
    const struct voice_hooks hooks = {.send_rtp = on_voice_rtp, .send_rtcp = on_voice_rtcp};
    struct uplink_stream stream = {.user = party};
    party->voice.speech = speech;
    party->voice.speech_samples = samples;
    party->voice.world = party;
    uplink_add_stream(party->uplink, &stream, &party->voice_stream);
    party_open(&party->voice, party->name, &config, &hooks, random_next(&party->random));
}

/* --- life -- */

static void open_links(struct video_party *party)
{
    const struct video_party_config *config = &party->config;
    struct uplink_config up = {
        .start = config->start,
        .wall_offset = WALL_OFFSET,
        .hooks = {.user = party, .send_rtp = on_link_rtp},
    };
    struct downlink_config down = {
        .ssrc = party->ssrc,
        .cname = party->name,
        .transport_feedback = !config->no_transport_feedback,
        .remb = !config->no_remb,
        .reduced_size = !config->full_compounds,
    };
    down.hooks.user = party;
    down.hooks.send_rtcp = on_rtcp;
    if (uplink_new(&up, &party->uplink) != JINGLE_OK ||
        downlink_new(&down, &party->downlink) != JINGLE_OK) {
        abort();
    }
}

static void open_video(struct video_party *party)
{
    const struct video_party_config *config = &party->config;
    uint8_t rtx = config->no_rtx || config->no_nack ? 0 : PAYLOAD_RTX;
    struct video_config video = {
        .uplink = party->uplink,
        .ssrc = party->ssrc,
        .rtx_ssrc = party->ssrc + 1,
        .cname = party->name,
        .sending = {.codec = config->silent ? NULL : config->codec,
                    .payload_type = PAYLOAD_VIDEO,
                    .rtx = rtx,
                    .bitrate = config->bitrate},
        .receive = {{PAYLOAD_VIDEO, config->codec, rtx}},
        .receive_count = 1,
        .feedback = {.nack = !config->no_nack,
                     .pli = !config->fir,
                     .fir = config->fir,
                     .reduced_size = !config->full_compounds},
        .extensions = {.mid = EXTENSION_MID,
                       .send_time = config->no_remb ? 0 : EXTENSION_SEND,
                       .transport_sequence = config->no_transport_feedback ? 0 : EXTENSION_WIDE,
                       .mid_value = "video"},
        .wall_offset = WALL_OFFSET,
        .random = {.fill = fill_random, .user = &party->random},
        .hooks = {.user = party,
                  .send_rtcp = on_rtcp,
                  .target = on_target,
                  .key_frame = on_key_frame,
                  .frame = on_frame,
                  .bye = on_bye},
    };
    if (video_new(&video, &party->video) != JINGLE_OK) {
        abort();
    }
    if (!config->silent) {
        video_set_input(party->video, &config->input, 0);
    }
}

void video_party_open(struct video_party *party, const char *name,
                      const struct video_party_config *config,
                      const struct video_party_hooks *hooks, uint64_t seed, const int16_t *speech,
                      size_t speech_samples)
{
    void *world = party->world;
    memset(party, 0, sizeof *party);
    party->world = world;
    party->name = name;
    party->config = *config;
    party->config.codec = config->codec ? config->codec : &codec_vp8;
    party->hooks = *hooks;
    party->random = seed;
    party->ssrc = (uint32_t)random_next(&party->random);
    struct video_input *input = &party->config.input;
    if (input->width == 0) {
        *input = (struct video_input){.width = 1280, .height = 720, .frame_rate = 30};
    }
    open_links(party);
    open_video(party);
    if (config->voice) {
        open_voice(party, speech, speech_samples);
    }
}

void video_party_close(struct video_party *party)
{
    video_free(party->video);
    if (party->config.voice) {
        party_close(&party->voice);
    }
    downlink_free(party->downlink);
    uplink_free(party->uplink);
    video_encoder_free(party->encoder);
    video_decoder_free(party->decoder);
}

/* --- network -- */

static void receive_rtcp(struct video_party *party, const uint8_t *packet, size_t bytes, usec now)
{
    struct rtcp_reader reader;
    struct rtcp_message message;
    if (rtcp_open(&reader, packet, bytes)) {
        while (rtcp_next(&reader, &message)) {
            uplink_receive_rtcp(party->uplink, &message, now);
        }
    }
    video_receive_rtcp(party->video, packet, bytes, now);
    if (party->config.voice) {
        voice_receive_rtcp(party->voice.voice, packet, bytes, now);
    }
}

void video_party_receive(struct video_party *party, enum video_tag tag, const uint8_t *packet,
                         size_t bytes, usec now)
{
    party->now = now;
    if (tag == VIDEO_TAG_RTCP) {
        receive_rtcp(party, packet, bytes, now);
        return;
    }
    struct packet parsed;
    bool wide = !party->config.no_transport_feedback;
    struct downlink_stream stream = {
        .transport_sequence = tag == VIDEO_TAG_RTP && wide ? EXTENSION_WIDE : 0,
        .send_time = tag == VIDEO_TAG_RTP && !party->config.no_remb ? EXTENSION_SEND : 0,
        .clockrate = tag == VIDEO_TAG_RTP ? VIDEO_CLOCKRATE : 0,
    };
    if (packet_parse(&parsed, packet, bytes)) {
        downlink_receive(party->downlink, &stream, &parsed, bytes, now);
    }
    if (tag == VIDEO_TAG_RTP) {
        video_receive_rtp(party->video, packet, bytes, now);
    } else if (party->config.voice) {
        voice_receive_rtp(party->voice.voice, packet, bytes, now);
    }
}

/* --- time -- */

static void run_voice(struct video_party *party, usec now)
{
    struct sync_reference reference;
    while (party->config.voice && party->voice.next <= now) {
        party_run(&party->voice, now);
        voice_sync(party->voice.voice, party->config.sound_delay, &reference);
        video_set_sync(party->video, &reference);
    }
}

void video_party_run(struct video_party *party, usec now)
{
    party->now = now;
    run_voice(party, now);
    while (party->next_picture <= now) {
        take_picture(party, now);
    }
    if (uplink_next_deadline(party->uplink) <= now) {
        uplink_tick(party->uplink, now);
    }
    if (downlink_next_deadline(party->downlink) <= now) {
        downlink_tick(party->downlink, now);
    }
    if (video_next_deadline(party->video) <= now) {
        video_tick(party->video, now);
    }
}

static usec earlier(usec a, usec b)
{
    return a < b ? a : b;
}

usec video_party_next(const struct video_party *party)
{
    usec next = earlier(party->next_picture, uplink_next_deadline(party->uplink));
    next = earlier(next, downlink_next_deadline(party->downlink));
    next = earlier(next, video_next_deadline(party->video));
    return party->config.voice ? earlier(next, party->voice.next) : next;
}

/* --- what was seen -- */

/* The gaps between pictures shown in [from, to], with those at the ends. */
static size_t gaps_of(const struct video_party *party, usec from, usec to, usec *gaps)
{
    size_t count = 0;
    usec last = from;
    size_t shown = party->shown_count < VIDEO_PARTY_SHOWN ? party->shown_count : VIDEO_PARTY_SHOWN;
    for (size_t i = 0; i < shown; i++) {
        if (party->shown[i] >= from && party->shown[i] <= to) {
            gaps[count++] = party->shown[i] - last;
            last = party->shown[i];
        }
    }
    gaps[count++] = to - last;
    return count;
}

double video_party_frozen(const struct video_party *party, usec from, usec to)
{
    static usec gaps[VIDEO_PARTY_SHOWN + 1];
    size_t count = gaps_of(party, from, to, gaps);
    usec mean = (to - from) / (usec)count;
    usec frozen = 0;
    for (size_t i = 0; i < count; i++) {
        bool is_freeze = gaps[i] > 3 * mean && gaps[i] > mean + 150 * USEC_PER_MS;
        frozen += is_freeze ? gaps[i] : 0;
    }
    return (double)frozen / (double)(to - from);
}

usec video_party_longest_gap(const struct video_party *party, usec from, usec to)
{
    static usec gaps[VIDEO_PARTY_SHOWN + 1];
    size_t count = gaps_of(party, from, to, gaps);
    usec longest = 0;
    for (size_t i = 0; i < count; i++) {
        longest = gaps[i] > longest ? gaps[i] : longest;
    }
    return longest;
}

unsigned video_party_pictures(const struct video_party *party, usec from, usec to)
{
    static usec gaps[VIDEO_PARTY_SHOWN + 1];
    return (unsigned)gaps_of(party, from, to, gaps) - 1;
}

static int compare(const void *a, const void *b)
{
    usec left = *(const usec *)a;
    usec right = *(const usec *)b;
    return (left > right) - (left < right);
}

usec video_party_delay(const struct video_party *party, double quantile, usec from, usec to)
{
    static usec delays[VIDEO_PARTY_SHOWN];
    size_t count = 0;
    size_t shown = party->shown_count < VIDEO_PARTY_SHOWN ? party->shown_count : VIDEO_PARTY_SHOWN;
    for (size_t i = 0; i < shown; i++) {
        if (party->shown[i] >= from && party->shown[i] <= to) {
            delays[count++] = party->delays[i];
        }
    }
    if (count == 0) {
        return USEC_NEVER;
    }
    qsort(delays, count, sizeof delays[0], compare);
    return delays[(size_t)(quantile * (double)(count - 1))];
}
