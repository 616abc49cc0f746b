/* Two parties and the network between them in virtual time. One seed gives one log, byte for byte.
 *
 *     A ─▶ tamper ─▶ path 0 ─▶ B
 *     A ◀─ path 1 ◀─ tamper ◀─ B
 */
#ifndef JINGLE_SIM_WORLD_H
#define JINGLE_SIM_WORLD_H

#include <stdio.h>

#include "tests/sim/network.h"
#include "tests/sim/party.h"

#define WORLD_PARTIES 2

/* What the simulation does to the RTP of a party, as strange or hostile peers would. */
struct tamper {
    bool lose_rtcp;
    unsigned padding_every; /* after every so many packets one of only padding (Chromium) */
    unsigned foreign_every; /* every so many packets a payload type that nobody agreed on */
    uint32_t timestamp_offset;
    uint16_t sequence_offset; /* grows with the packets put in */
    uint64_t packets;
};

/* What a listener got over the whole story. */
struct hearing {
    double concealed; /* percent of what was played */
    double recovered;
    double lost;       /* percent of the packets sent to it */
    double delay_ms;   /* mean of the buffer's delay, once a second */
    double loudness;   /* heard of what the other said: energy, 1 is all */
    usec silent_since; /* how long before the end it last heard something */
    struct voice_stats stats;
};

struct world {
    uint64_t seed;
    usec now;
    usec next_second;
    unsigned seconds;
    FILE *log;
    uint64_t traffic_hash;
    struct party parties[WORLD_PARTIES];
    struct network *paths[WORLD_PARTIES]; /* from party i */
    struct tamper tampers[WORLD_PARTIES];
    double delay_sum[WORLD_PARTIES];
};

/* `speech` must outlive the world; `log` may be NULL. */
void world_open(struct world *world, uint64_t seed, const struct party_config parties[2],
                const struct network_config paths[2], const int16_t *speech, size_t samples,
                FILE *log);
void world_close(struct world *world);

/* Lets time pass until `end`. */
void world_run(struct world *world, usec end);

struct party *world_other(struct world *world, const struct party *party);
struct tamper *world_tamper(struct world *world, const struct party *party);
struct network *world_path(struct world *world, const struct party *from);

/* A line with the time in front. */
void world_say(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));

struct hearing world_hearing(struct world *world, int listener);

#endif
