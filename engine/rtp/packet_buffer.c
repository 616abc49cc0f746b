#include "rtp/packet_buffer.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(PACKET_BUFFER_SLOTS <= UINT8_MAX, "a slot's number fits a byte");

bool packet_buffer_init(struct packet_buffer *buffer)
{
    buffer->payloads = malloc((size_t)PACKET_BUFFER_SLOTS * PACKET_BUFFER_PAYLOAD_MAX);
    packet_buffer_clear(buffer);
    return buffer->payloads != NULL;
}

void packet_buffer_release(struct packet_buffer *buffer)
{
    free(buffer->payloads);
}

void packet_buffer_clear(struct packet_buffer *buffer)
{
    buffer->count = 0;
    memset(buffer->free, 0, sizeof buffer->free);
    for (size_t i = 0; i < PACKET_BUFFER_SLOTS; i++) {
        buffer->free[i / 64] |= UINT64_C(1) << (i % 64);
    }
}

/* The lowest free slot, so that memory that was never needed is never touched. */
static int take_slot(struct packet_buffer *buffer)
{
    for (size_t i = 0; i < sizeof buffer->free / sizeof buffer->free[0]; i++) {
        if (buffer->free[i]) {
            int bit = __builtin_ctzll(buffer->free[i]);
            buffer->free[i] &= buffer->free[i] - 1;
            return (int)i * 64 + bit;
        }
    }
    return -1;
}

bool packet_buffer_insert(struct packet_buffer *buffer, const struct waiting_packet *packet,
                          const uint8_t *payload)
{
    size_t at = buffer->count;
    while (at > 0 && buffer->slots[buffer->order[at - 1]].tick >= packet->tick) {
        at--;
    }
    if (at < buffer->count && buffer->slots[buffer->order[at]].tick == packet->tick) {
        return false;
    }
    int slot = packet->size <= PACKET_BUFFER_PAYLOAD_MAX ? take_slot(buffer) : -1;
    if (slot < 0) {
        return false;
    }
    buffer->slots[slot] = *packet;
    buffer->slots[slot].payload = buffer->payloads + (size_t)slot * PACKET_BUFFER_PAYLOAD_MAX;
    memcpy(buffer->slots[slot].payload, payload, packet->size);
    memmove(buffer->order + at + 1, buffer->order + at, buffer->count - at);
    buffer->order[at] = (uint8_t)slot;
    buffer->count++;
    return true;
}

const struct waiting_packet *packet_buffer_at(const struct packet_buffer *buffer, size_t number)
{
    return number < buffer->count ? &buffer->slots[buffer->order[number]] : NULL;
}

void packet_buffer_drop_first(struct packet_buffer *buffer)
{
    unsigned slot = buffer->order[0];
    buffer->free[slot / 64] |= UINT64_C(1) << (slot % 64);
    buffer->count--;
    memmove(buffer->order, buffer->order + 1, buffer->count);
}
