/* A modelled network in virtual time: what goes in comes out later, twice, in another order, or
 * never, the same for every run of one seed.
 *
 *     network_send() ─▶ outage? ─▶ queue of a slow link ─▶ lost? ─▶ delay + jitter ─▶
 * network_receive()
 *
 * One direction; a call has two. */
#ifndef JINGLE_SIM_NETWORK_H
#define JINGLE_SIM_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

enum network_jitter {
    NETWORK_JITTER_NONE,
    NETWORK_JITTER_UNIFORM, /* up to `jitter` less or more than the delay */
    NETWORK_JITTER_NORMAL,  /* the delay plus a normal deviate of sigma `jitter` */
};

struct network_config {
    usec delay;                /* one way; with jitter never below 0 */
    enum network_jitter shape; /* of each packet by itself */
    usec jitter;
    bool in_order;      /* a packet waits for those sent before it; else they overtake */
    double loss;        /* share lost at random, 0 to 1 */
    double burst_begin; /* Gilbert-Elliott: from good to bad, for each packet (p)... */
    double burst_end;   /* ...and back (r); in the bad state all are lost */
    double duplicate;   /* share that arrives twice */
    double reorder;     /* share held back by `reorder_by` */
    usec reorder_by;
    unsigned rate; /* of a slow link, bit/s; 0: no limit */
    size_t queue;  /* bytes that wait before it; what does not fit is lost */
};

struct network_counts {
    uint64_t sent, delivered, lost, overflowed, duplicated;
    uint64_t bytes_sent, bytes_delivered;
};

struct network;

struct network *network_new(const struct network_config *config, uint64_t seed);
void network_free(struct network *network);

/* From now on; what is under way arrives as it was to. */
void network_change(struct network *network, const struct network_config *config);

/* Nothing sent before `end` gets through; what is under way does. */
void network_outage(struct network *network, usec end);

/* Copies the datagram. `tag` comes out with it (an address, a direction; 0 if not wanted). */
void network_send(struct network *network, usec now, const void *data, size_t size, unsigned tag);

/* When the next datagram arrives; USEC_NEVER if none is under way. */
usec network_next(const struct network *network);

/* The first datagram that has arrived by `now`: its bytes into `out`, at most `size` of them.
 * Returns their count, or 0 if there is none; `arrival` and `tag` may be NULL. */
size_t network_receive(struct network *network, usec now, void *out, size_t size, usec *arrival,
                       unsigned *tag);

/* How long a datagram that is sent now waits before a slow link. */
usec network_queued(const struct network *network, usec now);

void network_counts(const struct network *network, struct network_counts *out);

/* The model's own generator, for whoever wants chance from one seed. */
uint64_t random_next(uint64_t *state);
double random_uniform(uint64_t *state); /* 0 <= x < 1 */
double random_normal(uint64_t *state);  /* mean 0, sigma 1 */

#endif
