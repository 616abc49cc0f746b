/* What was sent with which transport-wide number, until the peer told of it. */
#ifndef JINGLE_RTP_SEND_HISTORY_H
#define JINGLE_RTP_SEND_HISTORY_H

#include "base/clock.h"

#include <stdbool.h>
#include <stdint.h>

#define SEND_HISTORY_MAX 4096 /* packets; a power of two */

enum sent_state {
    SENT_UNKNOWN, /* the peer has not told of it */
    SENT_MISSING,
    SENT_ARRIVED,
};

struct sent_packet {
    usec sent;
    uint32_t bytes;   /* as on the wire */
    uint16_t cluster; /* of a probe; 0: none */
    uint8_t state;
};

struct send_history {
    struct sent_packet packets[SEND_HISTORY_MAX];
    int64_t next; /* number of the next packet; its low 16 bits go over the wire */
};

/* Returns the number to be stamped. */
uint16_t send_history_add(struct send_history *history, usec now, uint32_t bytes, uint16_t cluster);

/* The packet of this number, the nearest to the newest; NULL if it was never sent or is forgotten.
 */
struct sent_packet *send_history_find(struct send_history *history, uint16_t sequence);

#endif
