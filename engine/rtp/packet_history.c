#include "rtp/packet_history.h"

#include <stdlib.h>
#include <string.h>

bool packet_history_open(struct packet_history *history)
{
    if (!history->room) {
        history->room = malloc((size_t)PACKET_HISTORY_SLOTS * PACKET_HISTORY_BYTES);
    }
    return history->room != NULL;
}

void packet_history_close(struct packet_history *history)
{
    free(history->room);
    history->room = NULL;
}

void packet_history_clear(struct packet_history *history)
{
    memset(history->slots, 0, sizeof history->slots);
}

void packet_history_put(struct packet_history *history, uint16_t sequence, const uint8_t *packet,
                        size_t bytes, size_t header_bytes)
{
    size_t slot = sequence % PACKET_HISTORY_SLOTS;
    struct past_packet *past = &history->slots[slot];
    past->used = false;
    if (!history->room || bytes > PACKET_HISTORY_BYTES) {
        return;
    }
    uint8_t *data = history->room + slot * PACKET_HISTORY_BYTES;
    memcpy(data, packet, bytes);
    *past = (struct past_packet){
        .used = true,
        .sequence = sequence,
        .bytes = bytes,
        .header_bytes = header_bytes,
        .left = USEC_NEVER,
        .again = USEC_NEVER,
        .data = data,
    };
}

void packet_history_left(struct packet_history *history, uint16_t sequence, usec now)
{
    struct past_packet *past = &history->slots[sequence % PACKET_HISTORY_SLOTS];
    if (past->used && past->sequence == sequence && past->left == USEC_NEVER) {
        past->left = now;
    }
}

struct past_packet *packet_history_get(struct packet_history *history, uint16_t sequence, usec now)
{
    struct past_packet *past = &history->slots[sequence % PACKET_HISTORY_SLOTS];
    bool there = past->used && past->sequence == sequence && past->left != USEC_NEVER &&
                 now - past->left <= PACKET_HISTORY_AGE;
    return there ? past : NULL;
}
