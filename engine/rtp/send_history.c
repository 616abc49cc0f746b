#include "rtp/send_history.h"

#include <stddef.h>

uint16_t send_history_add(struct send_history *history, usec now, uint32_t bytes, uint16_t cluster)
{
    history->packets[history->next % SEND_HISTORY_MAX] =
        (struct sent_packet){.sent = now, .bytes = bytes, .cluster = cluster};
    return (uint16_t)history->next++;
}

struct sent_packet *send_history_find(struct send_history *history, uint16_t sequence)
{
    uint16_t age = (uint16_t)((uint16_t)history->next - sequence);
    if (age == 0 || age > SEND_HISTORY_MAX || age > history->next) {
        return NULL;
    }
    return &history->packets[(history->next - age) % SEND_HISTORY_MAX];
}
