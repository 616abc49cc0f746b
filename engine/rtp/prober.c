#include "rtp/prober.h"

#include <string.h>

#define PACKETS_LEAST 5
#define DURATION      (15 * USEC_PER_MS)
#define ENOUGH        0.6 /* of the packets and bytes must arrive */
#define WAITING_MAX   (5 * USEC_PER_SEC)
#define SENDING_MAX   (500 * USEC_PER_MS)
#define INTERVAL_MAX  USEC_PER_SEC
#define RATIO_MAX     2.0  /* arrived so much faster than sent: something held them up */
#define UNCONSTRAINED 0.9  /* arrived nearly as fast as sent */
#define CONSTRAINED   0.95 /* of what arrived: leaves room for the queue to drain */

void prober_init(struct prober *prober)
{
    uint64_t count = prober->count;
    *prober = (struct prober){.next = prober->next ? prober->next : 1, .count = count};
}

static struct probe_cluster *cluster_of(struct prober *prober, uint16_t id)
{
    return &prober->clusters[id % PROBER_CLUSTERS];
}

static bool is_open(const struct probe_cluster *cluster)
{
    return cluster->state == CLUSTER_WAITING || cluster->state == CLUSTER_SENDING;
}

void prober_plan(struct prober *prober, double rate, usec now)
{
    struct probe_cluster *cluster = cluster_of(prober, prober->next);
    if (is_open(cluster)) {
        return;
    }
    *cluster = (struct probe_cluster){
        .state = CLUSTER_WAITING,
        .id = prober->next,
        .rate = rate,
        .begun = now,
        .least = (size_t)(rate / 8 * DURATION / USEC_PER_SEC),
    };
    prober->next++;
    prober->next = prober->next ? prober->next : 1;
}

void prober_cancel(struct prober *prober)
{
    for (size_t i = 0; i < PROBER_CLUSTERS; i++) {
        if (prober->clusters[i].state == CLUSTER_WAITING) {
            prober->clusters[i].state = CLUSTER_FREE;
        }
    }
}

bool prober_busy(const struct prober *prober)
{
    for (size_t i = 0; i < PROBER_CLUSTERS; i++) {
        if (is_open(&prober->clusters[i])) {
            return true;
        }
    }
    return false;
}

struct probe_cluster *prober_current(struct prober *prober, usec now)
{
    struct probe_cluster *current = NULL;
    for (size_t i = 0; i < PROBER_CLUSTERS; i++) {
        struct probe_cluster *cluster = &prober->clusters[i];
        if (cluster->state == CLUSTER_WAITING && now - cluster->begun > WAITING_MAX) {
            cluster->state = CLUSTER_FREE;
        }
        if (cluster->state == CLUSTER_SENDING && now - cluster->begun > SENDING_MAX) {
            prober_end(cluster);
        }
        if (is_open(cluster) && (!current || (int16_t)(cluster->id - current->id) < 0)) {
            current = cluster;
        }
    }
    return current;
}

void prober_sent(struct prober *prober, struct probe_cluster *cluster, size_t bytes, usec now)
{
    if (cluster->state == CLUSTER_WAITING) {
        cluster->state = CLUSTER_SENDING;
        cluster->begun = now;
        prober->count++;
    }
    cluster->packets++;
    cluster->bytes += bytes;
    if (cluster->packets >= PACKETS_LEAST && cluster->bytes >= cluster->least) {
        cluster->state = CLUSTER_SENT;
    }
}

void prober_end(struct probe_cluster *cluster)
{
    cluster->state = cluster->packets >= PACKETS_LEAST ? CLUSTER_SENT : CLUSTER_FREE;
}

void prober_arrived(struct prober *prober, uint16_t id, usec sent, usec arrival, size_t bytes)
{
    struct probe_cluster *cluster = cluster_of(prober, id);
    if (cluster->id != id || cluster->state < CLUSTER_SENDING) {
        return;
    }
    if (cluster->arrived == 0 || sent < cluster->first_sent) {
        cluster->first_sent = sent;
    }
    if (cluster->arrived == 0 || sent >= cluster->last_sent) {
        cluster->last_sent = sent;
        cluster->last_sent_bytes = bytes;
    }
    if (cluster->arrived == 0 || arrival < cluster->first_arrival) {
        cluster->first_arrival = arrival;
        cluster->first_arrival_bytes = bytes;
    }
    if (cluster->arrived == 0 || arrival > cluster->last_arrival) {
        cluster->last_arrival = arrival;
    }
    cluster->arrived++;
    cluster->arrived_bytes += bytes;
}

/* The bytes of one end say nothing of the interval. */
static double rate_of(size_t bytes, size_t end_bytes, usec interval)
{
    return interval > 0 ? (double)(bytes - end_bytes) * 8 * USEC_PER_SEC / (double)interval : 0;
}

static bool judge(const struct probe_cluster *cluster, double *rate)
{
    usec send_time = cluster->last_sent - cluster->first_sent;
    usec arrive_time = cluster->last_arrival - cluster->first_arrival;
    double sent = rate_of(cluster->arrived_bytes, cluster->last_sent_bytes, send_time);
    double arrived = rate_of(cluster->arrived_bytes, cluster->first_arrival_bytes, arrive_time);
    if (sent <= 0 || arrived <= 0 || send_time > INTERVAL_MAX || arrive_time > INTERVAL_MAX ||
        arrived > RATIO_MAX * sent) {
        return false;
    }
    *rate = arrived >= sent                  ? sent
            : arrived < UNCONSTRAINED * sent ? CONSTRAINED * arrived
                                             : arrived;
    return true;
}

bool prober_result(struct prober *prober, double *tried, double *rate)
{
    for (size_t i = 0; i < PROBER_CLUSTERS; i++) {
        struct probe_cluster *cluster = &prober->clusters[i];
        if (cluster->state != CLUSTER_SENT || cluster->arrived < ENOUGH * cluster->packets ||
            (double)cluster->arrived_bytes < ENOUGH * (double)cluster->bytes) {
            continue;
        }
        cluster->state = CLUSTER_FREE;
        *tried = cluster->rate;
        if (judge(cluster, rate)) {
            return true;
        }
    }
    return false;
}

bool prober_unanswered(struct prober *prober, usec before, double *tried)
{
    for (size_t i = 0; i < PROBER_CLUSTERS; i++) {
        struct probe_cluster *cluster = &prober->clusters[i];
        if (cluster->state == CLUSTER_SENT && cluster->begun < before) {
            cluster->state = CLUSTER_FREE;
            *tried = cluster->rate;
            return true;
        }
    }
    return false;
}
