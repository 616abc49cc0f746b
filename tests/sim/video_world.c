#include "tests/sim/video_world.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "rtp/packet.h"

#define DATAGRAM_MAX  2048
#define LOWER_HEADERS 28 /* IPv4 and UDP */
#define STEP_MIN      200
#define SAMPLE        (20 * USEC_PER_MS)

static int index_of(const struct video_world *world, const struct video_party *party)
{
    return party == &world->parties[1];
}

static void say(struct video_party *party, const char *format, ...)
{
    struct video_world *world = party->world;
    if (!world->log) {
        return;
    }
    va_list args;
    va_start(args, format);
    fprintf(world->log, "%10.6f ", (double)world->now / USEC_PER_SEC);
    vfprintf(world->log, format, args);
    fputc('\n', world->log);
    va_end(args);
}

/* Whether a packet of a stream that was not retransmitted begins a key frame. */
static bool begins_key(const uint8_t *bytes, size_t size)
{
    struct packet packet;
    struct video_payload payload;
    return packet_parse(&packet, bytes, size) && packet.payload_bytes > 0 &&
           (packet.payload_type & 1) == 0 &&
           video_depacketise(&codec_vp8, packet.payload, packet.payload_bytes, &payload) ==
               JINGLE_OK &&
           payload.begins_frame && payload.key;
}

static bool is_lost(struct video_world *world, int from, enum video_tag tag, const uint8_t *packet,
                    size_t bytes)
{
    struct video_tamper *tamper = &world->tampers[from];
    if (tag == VIDEO_TAG_RTCP) {
        return tamper->lose_rtcp;
    }
    if (tag != VIDEO_TAG_RTP) {
        return false;
    }
    if (tamper->lose_next_key && begins_key(packet, bytes)) {
        tamper->losing = tamper->lose_next_key;
        tamper->lose_next_key = 0;
    }
    if (tamper->losing > 0) {
        tamper->losing--;
        return true;
    }
    return tamper->lose_key_frames && begins_key(packet, bytes);
}

static void on_send(struct video_party *party, enum video_tag tag, uint8_t *packet, size_t bytes)
{
    struct video_world *world = party->world;
    int from = index_of(world, party);
    world->sent_bytes[from] += bytes + LOWER_HEADERS;
    if (is_lost(world, from, tag, packet, bytes)) {
        return;
    }
    if (world->tampers[from].break_payloads && tag == VIDEO_TAG_RTP && bytes > 100 &&
        random_next(&world->random) % 50 == 0) {
        packet[bytes / 2] ^= 0x5a;
        packet[bytes - 20] ^= 0xa5;
    }
    network_send(world->paths[from], world->now, packet, bytes, tag);
}

void video_world_open(struct video_world *world, uint64_t seed,
                      const struct video_party_config parties[2],
                      const struct network_config paths[2], const int16_t *speech, size_t samples,
                      FILE *log)
{
    static const char *const names[] = {"A", "B"};
    static const struct video_party_hooks hooks = {.send = on_send, .say = say};
    memset(world, 0, sizeof *world);
    world->log = log;
    world->next_second = USEC_PER_SEC;
    world->random = seed;
    for (int i = 0; i < VIDEO_WORLD_PARTIES; i++) {
        world->configs[i] = paths[i];
        world->paths[i] = network_new(&paths[i], random_next(&seed));
        world->parties[i].world = world;
        video_party_open(&world->parties[i], names[i], &parties[i], &hooks, random_next(&seed),
                         speech, samples);
    }
}

void video_world_close(struct video_world *world)
{
    for (int i = 0; i < VIDEO_WORLD_PARTIES; i++) {
        video_party_close(&world->parties[i]);
        network_free(world->paths[i]);
    }
}

void video_world_path(struct video_world *world, int from, const struct network_config *config)
{
    world->configs[from] = *config;
    network_change(world->paths[from], config);
}

static void sample_queue(struct video_world *world, int from)
{
    if (world->now - world->queued_sampled[from] < SAMPLE ||
        world->queued_count[from] == VIDEO_WORLD_SAMPLES) {
        return;
    }
    world->queued_sampled[from] = world->now;
    world->queued[from][world->queued_count[from]++] =
        network_queued(world->paths[from], world->now);
}

static void deliver(struct video_world *world, int from)
{
    uint8_t datagram[DATAGRAM_MAX];
    unsigned tag;
    size_t size;
    while ((size = network_receive(world->paths[from], world->now, datagram, sizeof datagram, NULL,
                                   &tag)) > 0) {
        video_party_receive(&world->parties[!from], (enum video_tag)tag, datagram, size,
                            world->now);
    }
}

static void tell_party(struct video_world *world, int i)
{
    struct video_party *party = &world->parties[i];
    jingle_video_statistics s = {0};
    struct uplink_stats up;
    video_stats(party->video, &s, world->now);
    uplink_stats(party->uplink, &up);
    say(party,
        "%s estimate %u limit %d rtt %" PRId64 " loss %.3f queue %" PRId64 " | target %" PRIu64
        " sent %" PRIu64 " fps %.1f again %" PRIu64 " dropped %" PRIu64 " keys %" PRIu64 "/%" PRIu64
        " | fps %.1f lost %" PRIu64 " recovered %" PRIu64 " asked %" PRIu64 " freezes %" PRIu64
        " %" PRId64 " ms, buffer %" PRId64 " ms lips %" PRId64 " nacks %" PRIu64 " padding %u",
        party->name, up.estimate, up.limit, up.round_trip, up.loss, up.queue_time, s.target,
        world->rates[i][world->seconds], s.frame_rate_sent, s.packets_retransmitted,
        s.frames_dropped, s.key_frames_sent, s.key_frames_asked, s.frame_rate_received,
        s.packets_lost, s.packets_recovered, s.key_frames_requested, s.freezes,
        s.freeze_time / 1000, s.buffer_delay / 1000, s.lip_sync / 1000, s.nacks_sent,
        up.sent_padding);
}

static void tell_second(struct video_world *world)
{
    for (int i = 0; i < VIDEO_WORLD_PARTIES; i++) {
        world->rates[i][world->seconds] = (world->sent_bytes[i] - world->second_bytes[i]) * 8;
        world->second_bytes[i] = world->sent_bytes[i];
        tell_party(world, i);
    }
    world->seconds++;
    world->next_second += USEC_PER_SEC;
}

static usec earliest(const struct video_world *world)
{
    usec next = world->next_second;
    for (int i = 0; i < VIDEO_WORLD_PARTIES; i++) {
        usec arrival = network_next(world->paths[i]);
        usec party = video_party_next(&world->parties[i]);
        next = arrival < next ? arrival : next;
        next = party < next ? party : next;
    }
    return next > world->now + STEP_MIN ? next : world->now + STEP_MIN;
}

void video_world_run(struct video_world *world, usec end)
{
    usec next;
    while ((next = earliest(world)) < end) {
        world->now = next;
        for (int i = 0; i < VIDEO_WORLD_PARTIES; i++) {
            deliver(world, i);
        }
        for (int i = 0; i < VIDEO_WORLD_PARTIES; i++) {
            video_party_run(&world->parties[i], world->now);
            sample_queue(world, i);
        }
        if (world->next_second <= world->now) {
            tell_second(world);
        }
    }
    world->now = end;
}

double video_world_rate(const struct video_world *world, int from, unsigned first, unsigned end)
{
    double sum = 0;
    for (unsigned i = first; i < end && i < world->seconds; i++) {
        sum += (double)world->rates[from][i];
    }
    return sum / (end - first);
}

static int compare(const void *a, const void *b)
{
    usec left = *(const usec *)a;
    usec right = *(const usec *)b;
    return (left > right) - (left < right);
}

usec video_world_queued(struct video_world *world, int from, double quantile)
{
    size_t count = world->queued_count[from];
    if (count == 0) {
        return 0;
    }
    qsort(world->queued[from], count, sizeof world->queued[from][0], compare);
    return world->queued[from][(size_t)(quantile * (double)(count - 1))];
}
