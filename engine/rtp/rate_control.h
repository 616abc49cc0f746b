/* The delay-based bit rate: a state machine after draft-ietf-rmcat-gcc-02, section 5.5.
 *
 *     INCREASE ── queue grows ─▶ DRAIN ── queue is gone ─▶ HOLD ── a round trip later ─▶ INCREASE
 *
 * Far from where the queue last grew it rises by a share of itself, near there by about a packet in
 * each response time. It falls to what was acknowledged while the path was full; and below that for
 * as long as the queue that was built up still stands, which the draft leaves to chance. */
#ifndef JINGLE_RTP_RATE_CONTROL_H
#define JINGLE_RTP_RATE_CONTROL_H

#include "base/clock.h"
#include "rtp/delay_trend.h"

#include <stdbool.h>

enum rate_state {
    RATE_INCREASE,
    RATE_HOLD,
    RATE_DRAIN,
};

struct rate_control {
    enum rate_state state;
    double rate;     /* bit/s */
    double capacity; /* what the path carried when it was full; 0: unknown */
    usec changed;
    usec cut;        /* when DRAIN began */
    usec cut_queue;  /* the queue then */
    usec drain_from; /* the queue when its draining was looked at last, */
    usec drain_at;   /* and when */
    bool no_queue; /* told back: what seemed to be a queue did not drain, the path is longer now */
    double measured; /* by the last probe; 0: none */
    usec measured_at;
};

/* What the last feedback showed. */
struct path_view {
    enum path_usage usage;
    double acknowledged; /* bit/s; 0: unknown */
    usec queue;          /* queueing delay */
    usec newest_sent;    /* when the newest packet that it tells of was sent */
    usec round_trip;
    bool limited; /* the application sends less than it might */
};

void rate_control_init(struct rate_control *control, double rate);
void rate_control_update(struct rate_control *control, const struct path_view *view, usec now);

/* A probe arrived at this rate, which is more than the present one. */
void rate_control_probed(struct rate_control *control, double rate, usec now);

#endif
