/* Packets that wait for the pacer, in a pool of fixed size: first retransmissions, then new ones,
 * padding last; within a kind in the order in which they came. */
#ifndef JINGLE_RTP_PACKET_QUEUE_H
#define JINGLE_RTP_PACKET_QUEUE_H

#include "base/clock.h"
#include "rtp/uplink.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACKET_QUEUE_KINDS 3

struct queued_packet {
    uint16_t next; /* in its list */
    uint16_t stream;
    enum uplink_kind kind;
    uint32_t tag;
    size_t bytes;
    uint8_t packet[UPLINK_PACKET_MAX + UPLINK_TAIL];
};

struct packet_list {
    uint16_t first;
    uint16_t last;
};

struct packet_queue {
    struct queued_packet *pool; /* UPLINK_QUEUE_MAX; NULL until it is opened */
    struct packet_list lists[PACKET_QUEUE_KINDS];
    uint16_t free;
    size_t count;
    size_t bytes;
};

bool packet_queue_open(struct packet_queue *queue); /* false: no memory; again: nothing to do */
void packet_queue_close(struct packet_queue *queue);

/* Copies it; false if there is no room. */
bool packet_queue_push(struct packet_queue *queue, unsigned stream, enum uplink_kind kind,
                       const uint8_t *packet, size_t bytes, uint32_t tag);

/* Takes out the one that leaves first; NULL if none waits. It is valid until the next push. */
struct queued_packet *packet_queue_pop(struct packet_queue *queue);

/* Drops those of one stream, of one kind; returns how many. */
size_t packet_queue_drop(struct packet_queue *queue, unsigned stream, enum uplink_kind kind);

#endif
