/* Calls over one modelled path in virtual time, for the share that each takes of it: a link's two
 * ends (rtp/uplink.h, rtp/downlink.h), voice of 50 packets a second, and a video source that makes
 * just what it is told to, in frames of varying size.
 *
 *     voice, frames ─▶ uplink ─▶ path (shared by all calls) ─▶ downlink
 *                        ▲ feedback, REMB, reports ◀─ way back ──┘
 */
#ifndef JINGLE_SIM_FLOWS_H
#define JINGLE_SIM_FLOWS_H

#include "base/clock.h"
#include "rtp/downlink.h"
#include "rtp/receive_stream.h"
#include "rtp/uplink.h"
#include "tests/sim/network.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FLOWS_MAX     4
#define FLOWS_SECONDS 200

struct flow_config {
    usec start;
    usec stop;       /* of the video; 0: never */
    uint32_t wanted; /* bit/s that the source makes at most; 0: no video */
    uint32_t most;   /* limit of the uplink; 0: its own */
    bool no_voice;
    bool no_transport; /* the peer gives no transport-wide feedback */
    bool no_remb;      /* nor REMB */
    bool no_padding;
    bool mute_back; /* nothing comes back at all */
};

/* A packet that came through. */
struct crossing {
    usec sent;
    usec arrival;
    unsigned flow;
    size_t bytes; /* as on the wire */
};

struct flows;

struct flow {
    struct flows *flows;
    unsigned index;
    struct flow_config config;
    struct uplink *uplink;
    struct downlink *downlink;
    struct receive_stream received;
    unsigned audio;
    unsigned video;
    uint32_t target; /* bit/s of video */
    usec next_voice;
    usec next_frame;
    usec next_report;
    uint16_t audio_sequence;
    uint16_t video_sequence;
    uint32_t timestamp;
    usec newest_sent; /* of what came through: for the reports */
    usec newest_arrival;
    unsigned skipped;                  /* frames, because the queue was long */
    uint64_t left;                     /* packets that the pacer sent */
    usec waited_most;                  /* in the pacer's queue */
    uint32_t estimates[FLOWS_SECONDS]; /* at the end of each second */
    uint64_t delivered[FLOWS_SECONDS]; /* bytes in each second */
};

struct flows {
    usec begin;
    usec now;
    uint64_t random;
    struct network *there;
    struct network *back;
    usec delay; /* of an empty path, one way */
    struct flow flow[FLOWS_MAX];
    unsigned count;
    bool log;
    struct crossing *crossings;
    size_t crossing_count;
    size_t crossing_room;
};

/* Every flow has the way back for itself alone: `back` has no slow link. */
void flows_open(struct flows *flows, uint64_t seed, const struct network_config *there,
                const struct network_config *back, const struct flow_config *configs,
                unsigned count);
void flows_close(struct flows *flows);
void flows_run(struct flows *flows, usec end);

/* The path from now on; its delay stays what it was. */
void flows_change(struct flows *flows, const struct network_config *there);

/* Bit/s that a flow (or with FLOWS_MAX: all) got through from one time to another. */
double flows_rate(const struct flows *flows, unsigned flow, usec from, usec to);

/* The queueing delay in a time that this share of the packets did not exceed. */
usec flows_queue(const struct flows *flows, double share, usec from, usec to);

/* When, from then on, the queueing delay first was below a bound; USEC_NEVER: not at all. */
usec flows_queue_below(const struct flows *flows, usec bound, usec from);

#endif
