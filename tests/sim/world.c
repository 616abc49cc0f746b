#include "tests/sim/world.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "rtp/bytes.h"
#include "rtp/packet.h"

#define DATAGRAM_MAX  2048
#define TAG_RTP       0
#define TAG_RTCP      1
#define PADDING_BYTES 200
#define FOREIGN_TYPE  77

static int index_of(const struct world *world, const struct party *party)
{
    return party == &world->parties[1];
}

struct party *world_other(struct world *world, const struct party *party)
{
    return &world->parties[!index_of(world, party)];
}

struct tamper *world_tamper(struct world *world, const struct party *party)
{
    return &world->tampers[index_of(world, party)];
}

struct network *world_path(struct world *world, const struct party *from)
{
    return world->paths[index_of(world, from)];
}

void world_say(struct world *world, const char *format, ...)
{
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

static void put(struct world *world, const struct party *from, const uint8_t *packet, size_t bytes,
                unsigned tag)
{
    world->traffic_hash = hash_add(world->traffic_hash, packet, bytes);
    network_send(world_path(world, from), world->now, packet, bytes, tag);
}

/* A packet of nothing but padding, in the sequence of the sound before it. */
static void put_padding(struct world *world, const struct party *from, struct tamper *tamper,
                        const uint8_t *sound)
{
    uint8_t packet[PACKET_HEADER_BYTES + PADDING_BYTES] = {0};
    tamper->sequence_offset++;
    memcpy(packet, sound, PACKET_HEADER_BYTES);
    packet[0] = 0xa0;
    packet[1] &= 0x7f;
    write_u16(packet + 2, (uint16_t)(read_u16(sound + 2) + 1));
    packet[sizeof packet - 1] = PADDING_BYTES;
    put(world, from, packet, sizeof packet, TAG_RTP);
}

static bool every(uint64_t count, unsigned period)
{
    return period && count % period == 0;
}

static void on_send_rtp(void *user, uint8_t *packet, size_t bytes)
{
    struct party *party = user;
    struct world *world = party->world;
    struct tamper *tamper = world_tamper(world, party);
    tamper->packets++;
    write_u16(packet + 2, (uint16_t)(read_u16(packet + 2) + tamper->sequence_offset));
    write_u32(packet + 4, read_u32(packet + 4) + tamper->timestamp_offset);
    if (every(tamper->packets, tamper->foreign_every)) {
        packet[1] = (uint8_t)((packet[1] & 0x80) | FOREIGN_TYPE);
    }
    put(world, party, packet, bytes, TAG_RTP);
    if (every(tamper->packets, tamper->padding_every)) {
        put_padding(world, party, tamper, packet);
    }
}

static void on_send_rtcp(void *user, uint8_t *packet, size_t bytes)
{
    struct party *party = user;
    struct world *world = party->world;
    world_say(world, "%s sends RTCP, %zu bytes, first %u", party->name, bytes, packet[1]);
    if (!world_tamper(world, party)->lose_rtcp) {
        put(world, party, packet, bytes, TAG_RTCP);
    }
}

static void on_digit(void *user, char digit, usec duration)
{
    struct party *party = user;
    world_say(party->world, "%s gets digit %c, %" PRId64 " ms", party->name, digit,
              duration / USEC_PER_MS);
    party_digit(party, digit);
}

static void on_bye(void *user)
{
    struct party *party = user;
    party->byes++;
    world_say(party->world, "%s is told goodbye", party->name);
}

void world_open(struct world *world, uint64_t seed, const struct party_config parties[2],
                const struct network_config paths[2], const int16_t *speech, size_t samples,
                FILE *log)
{
    static const char *const names[] = {"A", "B"};
    static const struct voice_hooks hooks = {
        .send_rtp = on_send_rtp, .send_rtcp = on_send_rtcp, .digit = on_digit, .bye = on_bye};
    memset(world, 0, sizeof *world);
    world->seed = seed;
    world->log = log;
    world->next_second = USEC_PER_SEC;
    world->traffic_hash = HASH_BEGIN;
    for (int i = 0; i < WORLD_PARTIES; i++) {
        struct party *party = &world->parties[i];
        party->world = world;
        party->speech = speech;
        party->speech_samples = samples;
        party->at = i * samples / 2; /* they say different things */
        world->paths[i] = network_new(&paths[i], random_next(&seed));
        party_open(party, names[i], &parties[i], &hooks, random_next(&seed));
    }
}

void world_close(struct world *world)
{
    for (int i = 0; i < WORLD_PARTIES; i++) {
        party_close(&world->parties[i]);
        network_free(world->paths[i]);
    }
}

static void deliver(struct world *world, int from)
{
    uint8_t datagram[DATAGRAM_MAX];
    unsigned tag;
    struct party *to = &world->parties[!from];
    size_t size;
    while ((size = network_receive(world->paths[from], world->now, datagram, sizeof datagram, NULL,
                                   &tag)) > 0) {
        if (to->asleep) {
            continue;
        }
        if (tag == TAG_RTCP) {
            voice_receive_rtcp(to->voice, datagram, size, world->now);
        } else {
            voice_receive_rtp(to->voice, datagram, size, world->now);
        }
    }
}

static void tell_second(struct world *world)
{
    for (int i = 0; i < WORLD_PARTIES; i++) {
        const struct party *party = &world->parties[i];
        struct voice_stats s;
        voice_stats(party->voice, &s);
        world->delay_sum[i] += (double)s.buffer_delay / USEC_PER_MS;
        world_say(world,
                  "%s sent %" PRIu64 " got %" PRIu64 " lost %" PRIu64 " late %" PRIu64
                  " concealed %" PRIu64 " recovered %" PRIu64 " delay %" PRId64 " jitter %" PRId64
                  " rtt %" PRId64 " fec %u level %.4f/%.4f sound %016" PRIx64
                  " traffic %016" PRIx64,
                  party->name, s.packets_sent, s.packets_received, s.packets_lost, s.packets_late,
                  s.samples_concealed, s.samples_recovered, s.buffer_delay, s.jitter, s.round_trip,
                  s.expected_loss, s.level_sent, s.level_received, party->sound_hash,
                  world->traffic_hash);
    }
    world->seconds++;
    world->next_second += USEC_PER_SEC;
}

static usec earliest(const struct world *world)
{
    usec next = world->next_second;
    for (int i = 0; i < WORLD_PARTIES; i++) {
        usec arrival = network_next(world->paths[i]);
        next = arrival < next ? arrival : next;
        next = world->parties[i].next < next ? world->parties[i].next : next;
    }
    return next;
}

void world_run(struct world *world, usec end)
{
    usec next;
    while ((next = earliest(world)) < end) {
        world->now = next > world->now ? next : world->now;
        for (int i = 0; i < WORLD_PARTIES; i++) {
            deliver(world, i);
        }
        for (int i = 0; i < WORLD_PARTIES; i++) {
            if (world->parties[i].next <= world->now) {
                party_run(&world->parties[i], world->now);
            }
        }
        if (world->next_second <= world->now) {
            tell_second(world);
        }
    }
    world->now = end;
}

struct hearing world_hearing(struct world *world, int listener)
{
    struct party *party = &world->parties[listener];
    struct network_counts counts;
    struct hearing hearing = {0};
    voice_stats(party->voice, &hearing.stats);
    network_counts(world->paths[!listener], &counts);
    double played = (double)hearing.stats.samples_played;
    if (played > 0) {
        hearing.concealed = 100 * (double)hearing.stats.samples_concealed / played;
        hearing.recovered = 100 * (double)hearing.stats.samples_recovered / played;
    }
    if (counts.sent > 0) {
        hearing.lost = 100 * (double)(counts.lost + counts.overflowed) / (double)counts.sent;
    }
    if (world->seconds > 0) {
        hearing.delay_ms = world->delay_sum[listener] / world->seconds;
    }
    double said = world_other(world, party)->said_energy;
    hearing.loudness = said > 0 ? party->heard_energy / said : 0;
    hearing.silent_since = world->now - party->last_heard;
    return hearing;
}
