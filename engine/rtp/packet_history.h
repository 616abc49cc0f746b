/* Packets that were sent lately, to be sent again when the peer misses them (RFC 4588; RFC 4585,
 * section 6.2.1). Bounded by count and age; all memory is taken at once. */
#ifndef JINGLE_RTP_PACKET_HISTORY_H
#define JINGLE_RTP_PACKET_HISTORY_H

#include "base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PACKET_HISTORY_SLOTS = 1024, PACKET_HISTORY_BYTES = 1200 };

#define PACKET_HISTORY_AGE (2 * USEC_PER_SEC)

struct past_packet {
    bool used;
    uint16_t sequence;
    size_t bytes;
    size_t header_bytes; /* of these */
    usec left;           /* for the network; USEC_NEVER: it waits in the queue */
    usec again;          /* left the last time once more; USEC_NEVER: never */
    unsigned times;      /* that it was sent again */
    const uint8_t *data;
};

struct packet_history {
    struct past_packet slots[PACKET_HISTORY_SLOTS]; /* by sequence number */
    uint8_t *room;                                  /* NULL: nothing is kept */
};

/* False if out of memory. `history` begins with zeros; a second call does nothing. */
bool packet_history_open(struct packet_history *history);
void packet_history_close(struct packet_history *history);
void packet_history_clear(struct packet_history *history);

/* Copies a packet; too long ones are not kept. */
void packet_history_put(struct packet_history *history, uint16_t sequence, const uint8_t *packet,
                        size_t bytes, size_t header_bytes);

/* It left for the network. */
void packet_history_left(struct packet_history *history, uint16_t sequence, usec now);

/* A packet that left not too long ago, NULL if there is none. */
struct past_packet *packet_history_get(struct packet_history *history, uint16_t sequence, usec now);

#endif
