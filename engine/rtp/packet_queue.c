#include "rtp/packet_queue.h"

#include <stdlib.h>
#include <string.h>

#define NONE UINT16_MAX

bool packet_queue_open(struct packet_queue *queue)
{
    if (queue->pool) {
        return true;
    }
    queue->pool = malloc(UPLINK_QUEUE_MAX * sizeof *queue->pool);
    if (!queue->pool) {
        return false;
    }
    for (uint16_t i = 0; i < UPLINK_QUEUE_MAX; i++) {
        queue->pool[i].next = i + 1 < UPLINK_QUEUE_MAX ? (uint16_t)(i + 1) : NONE;
    }
    queue->free = 0;
    for (size_t i = 0; i < PACKET_QUEUE_KINDS; i++) {
        queue->lists[i] = (struct packet_list){NONE, NONE};
    }
    return true;
}

void packet_queue_close(struct packet_queue *queue)
{
    free(queue->pool);
    queue->pool = NULL;
}

bool packet_queue_push(struct packet_queue *queue, unsigned stream, enum uplink_kind kind,
                       const uint8_t *packet, size_t bytes, uint32_t tag)
{
    if (!queue->pool || queue->free == NONE || bytes > UPLINK_PACKET_MAX) {
        return false;
    }
    uint16_t at = queue->free;
    struct queued_packet *slot = &queue->pool[at];
    queue->free = slot->next;
    slot->next = NONE;
    slot->stream = (uint16_t)stream;
    slot->kind = kind;
    slot->tag = tag;
    slot->bytes = bytes;
    memcpy(slot->packet, packet, bytes);
    struct packet_list *list = &queue->lists[kind];
    if (list->first == NONE) {
        list->first = at;
    } else {
        queue->pool[list->last].next = at;
    }
    list->last = at;
    queue->count++;
    queue->bytes += bytes;
    return true;
}

/* Takes out the one behind `before`, or the first one. */
static struct queued_packet *unlink_packet(struct packet_queue *queue, struct packet_list *list,
                                           uint16_t before)
{
    uint16_t *link = before == NONE ? &list->first : &queue->pool[before].next;
    uint16_t at = *link;
    struct queued_packet *slot = &queue->pool[at];
    *link = slot->next;
    if (list->last == at) {
        list->last = before;
    }
    slot->next = queue->free;
    queue->free = at;
    queue->count--;
    queue->bytes -= slot->bytes;
    return slot;
}

struct queued_packet *packet_queue_pop(struct packet_queue *queue)
{
    for (size_t i = 0; queue->count > 0 && i < PACKET_QUEUE_KINDS; i++) {
        if (queue->lists[i].first != NONE) {
            return unlink_packet(queue, &queue->lists[i], NONE);
        }
    }
    return NULL;
}

size_t packet_queue_drop(struct packet_queue *queue, unsigned stream, enum uplink_kind kind)
{
    size_t dropped = 0;
    if (!queue->pool) {
        return 0;
    }
    struct packet_list *list = &queue->lists[kind];
    uint16_t before = NONE;
    for (uint16_t at = list->first; at != NONE;) {
        uint16_t next = queue->pool[at].next;
        if (queue->pool[at].stream == stream) {
            unlink_packet(queue, list, before);
            dropped++;
        } else {
            before = at;
        }
        at = next;
    }
    return dropped;
}
