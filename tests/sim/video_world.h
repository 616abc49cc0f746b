/* Two video parties and the network between them in virtual time. One seed gives one log, byte for
 * byte.
 *
 *     A ─▶ tamper ─▶ path 0 ─▶ B
 *     A ◀─ path 1 ◀─ tamper ◀─ B
 */
#ifndef JINGLE_SIM_VIDEO_WORLD_H
#define JINGLE_SIM_VIDEO_WORLD_H

#include <stdio.h>

#include "tests/sim/network.h"
#include "tests/sim/video_party.h"

#define VIDEO_WORLD_PARTIES 2
#define VIDEO_WORLD_SAMPLES 4096 /* queueing delays that are remembered */

/* What happens to the packets of a party on their way. */
struct video_tamper {
    bool lose_rtcp;
    bool lose_key_frames;   /* the first packet of each, and of each retransmission */
    unsigned lose_next_key; /* that many packets from the beginning of the next key frame on */
    unsigned losing;        /* of these, so many are still to be lost */
    bool break_payloads;    /* one of fifty */
};

struct video_world {
    usec now;
    usec next_second;
    FILE *log;
    struct video_party parties[VIDEO_WORLD_PARTIES];
    struct network *paths[VIDEO_WORLD_PARTIES]; /* from party i */
    struct network_config configs[VIDEO_WORLD_PARTIES];
    struct video_tamper tampers[VIDEO_WORLD_PARTIES];
    uint64_t random;
    uint64_t sent_bytes[VIDEO_WORLD_PARTIES];   /* RTP and RTCP, with UDP and IP */
    uint64_t second_bytes[VIDEO_WORLD_PARTIES]; /* up to the last whole second */
    uint64_t rates[VIDEO_WORLD_PARTIES][600];   /* bit/s, each second */
    unsigned seconds;
    /* delays that the queue of the path added, ten times a second */
    usec queued[VIDEO_WORLD_PARTIES][VIDEO_WORLD_SAMPLES];
    size_t queued_count[VIDEO_WORLD_PARTIES];
    usec queued_sampled[VIDEO_WORLD_PARTIES];
};

void video_world_open(struct video_world *world, uint64_t seed,
                      const struct video_party_config parties[2],
                      const struct network_config paths[2], const int16_t *speech, size_t samples,
                      FILE *log);
void video_world_close(struct video_world *world);

/* Lets time pass until `end`. */
void video_world_run(struct video_world *world, usec end);

void video_world_path(struct video_world *world, int from, const struct network_config *config);

/* Mean bit/s that a party sent between these seconds. */
double video_world_rate(const struct video_world *world, int from, unsigned first, unsigned end);

/* This share of packets waited no longer in the queue of the path from a party. */
usec video_world_queued(struct video_world *world, int from, double quantile);

#endif
