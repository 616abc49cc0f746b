/* Probes: a few packets sent at a rate that is to be tried; how fast they arrive is the answer. */
#ifndef JINGLE_RTP_PROBER_H
#define JINGLE_RTP_PROBER_H

#include "base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROBER_CLUSTERS 4

enum cluster_state {
    CLUSTER_FREE,
    CLUSTER_WAITING,
    CLUSTER_SENDING,
    CLUSTER_SENT,
};

struct probe_cluster {
    enum cluster_state state;
    uint16_t id;
    double rate; /* bit/s */
    usec begun;
    size_t least; /* bytes to be sent */
    unsigned packets;
    size_t bytes;
    /* of those that arrived */
    unsigned arrived;
    size_t arrived_bytes;
    usec first_sent, last_sent;
    usec first_arrival, last_arrival;
    size_t last_sent_bytes, first_arrival_bytes;
};

struct prober {
    struct probe_cluster clusters[PROBER_CLUSTERS]; /* in the order of their ids, around */
    uint16_t next;                                  /* id; never 0 */
    uint64_t count;                                 /* begun */
};

void prober_init(struct prober *prober);

/* Plans a cluster; not if too many are planned. */
void prober_plan(struct prober *prober, double rate, usec now);

/* Drops what is planned and not yet begun. */
void prober_cancel(struct prober *prober);

/* The cluster that is being sent, or is to be begun with the next packet; NULL: none. */
struct probe_cluster *prober_current(struct prober *prober, usec now);

/* Is there one? */
bool prober_busy(const struct prober *prober);

/* A packet of it is sent. */
void prober_sent(struct prober *prober, struct probe_cluster *cluster, size_t bytes, usec now);

/* Nothing more can be sent for it: it ends with what there is. */
void prober_end(struct probe_cluster *cluster);

/* A packet of a cluster arrived. */
void prober_arrived(struct prober *prober, uint16_t id, usec sent, usec arrival, size_t bytes);

/* Is there an answer? Then the rate that was tried, and the one at which it arrived. */
bool prober_result(struct prober *prober, double *tried, double *rate);

/* Was one begun before `before` to which no answer came (its packets or the feedback were lost)?
 * It is given up; the rate that it tried. */
bool prober_unanswered(struct prober *prober, usec before, double *tried);

#endif
