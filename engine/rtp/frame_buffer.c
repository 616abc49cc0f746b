#include "rtp/frame_buffer.h"

#include <stdlib.h>
#include <string.h>

/* The first packet that comes may have overtaken others. */
#define OVERTAKEN_MAX 64

bool frame_buffer_open(struct frame_buffer *buffer)
{
    if (!buffer->room) {
        buffer->room = malloc((size_t)FRAME_BUFFER_PACKETS * FRAME_BUFFER_PAYLOAD_MAX);
    }
    return buffer->room != NULL;
}

void frame_buffer_close(struct frame_buffer *buffer)
{
    free(buffer->room);
    buffer->room = NULL;
}

void frame_buffer_clear(struct frame_buffer *buffer)
{
    for (size_t i = 0; i < FRAME_BUFFER_PACKETS; i++) {
        buffer->slots[i].used = false;
    }
    buffer->begun = false;
    buffer->frame_count = 0;
}

static size_t place(int64_t sequence)
{
    return (size_t)((uint64_t)sequence % FRAME_BUFFER_PACKETS);
}

/* The packet with this number, NULL if it did not come. */
static struct frame_slot *slot_of(struct frame_buffer *buffer, int64_t sequence)
{
    struct frame_slot *slot = &buffer->slots[place(sequence)];
    return slot->used && slot->packet.sequence == sequence ? slot : NULL;
}

static void remove_frames(struct frame_buffer *buffer, size_t at, size_t count)
{
    buffer->frame_count -= count;
    memmove(&buffer->frames[at], &buffer->frames[at + count],
            (buffer->frame_count - at) * sizeof buffer->frames[0]);
}

void frame_buffer_drop_frame(struct frame_buffer *buffer, size_t number)
{
    remove_frames(buffer, number, 1);
}

void frame_buffer_drop_before(struct frame_buffer *buffer, int64_t sequence)
{
    if (sequence - buffer->base >= FRAME_BUFFER_PACKETS) {
        for (size_t i = 0; i < FRAME_BUFFER_PACKETS; i++) {
            struct frame_slot *slot = &buffer->slots[i];
            slot->used = slot->used && slot->packet.sequence >= sequence;
        }
    } else {
        for (int64_t at = buffer->base; at < sequence; at++) {
            buffer->slots[place(at)].used = false;
        }
    }
    size_t gone = 0;
    while (gone < buffer->frame_count && buffer->frames[gone].first < sequence) {
        gone++;
    }
    remove_frames(buffer, 0, gone);
    buffer->base = sequence > buffer->base ? sequence : buffer->base;
}

static void add_frame(struct frame_buffer *buffer, const struct whole_frame *frame)
{
    if (buffer->frame_count == FRAME_BUFFER_FRAMES) {
        remove_frames(buffer, 0, 1);
    }
    size_t at = buffer->frame_count;
    while (at > 0 && buffer->frames[at - 1].first > frame->first) {
        at--;
    }
    memmove(&buffer->frames[at + 1], &buffer->frames[at],
            (buffer->frame_count - at) * sizeof buffer->frames[0]);
    buffer->frames[at] = *frame;
    buffer->frame_count++;
}

/* The frame that ends with this packet is whole. */
static void complete(struct frame_buffer *buffer, const struct frame_packet *last, usec now)
{
    struct whole_frame frame = {
        .last = last->sequence, .timestamp = last->timestamp, .arrival = now, .codec = last->codec};
    int64_t at = last->sequence;
    const struct frame_slot *slot = slot_of(buffer, at);
    while (slot && !slot->packet.payload.begins_frame) {
        frame.bytes += slot->packet.payload.size;
        slot = slot_of(buffer, --at);
    }
    if (!slot) {
        return;
    }
    frame.bytes += slot->packet.payload.size;
    frame.first = at;
    frame.head = slot->packet.payload;
    frame.head.bytes = NULL;
    add_frame(buffer, &frame);
}

static bool is_continuous(struct frame_buffer *buffer, const struct frame_packet *packet)
{
    if (packet->empty) {
        return false;
    }
    if (packet->payload.begins_frame) {
        return true;
    }
    const struct frame_slot *before = slot_of(buffer, packet->sequence - 1);
    return before && before->continuous && !before->packet.marker &&
           before->packet.timestamp == packet->timestamp && before->packet.codec == packet->codec;
}

/* A packet came: it and those behind it may now hang together with the beginning of a frame. */
static void connect(struct frame_buffer *buffer, int64_t sequence, usec now)
{
    struct frame_slot *slot;
    while ((slot = slot_of(buffer, sequence)) && !slot->continuous &&
           is_continuous(buffer, &slot->packet)) {
        slot->continuous = true;
        if (slot->packet.marker) {
            complete(buffer, &slot->packet, now);
            return;
        }
        sequence++;
    }
}

enum frame_inserted frame_buffer_insert(struct frame_buffer *buffer,
                                        const struct frame_packet *packet, usec now)
{
    if (!buffer->begun) {
        buffer->begun = true;
        buffer->base = packet->sequence - OVERTAKEN_MAX;
        buffer->highest = packet->sequence;
    }
    if (packet->sequence < buffer->base) {
        return FRAME_PACKET_LATE;
    }
    if (!packet->empty && packet->payload.size > FRAME_BUFFER_PAYLOAD_MAX) {
        return FRAME_PACKET_REFUSED;
    }
    if (slot_of(buffer, packet->sequence)) {
        return FRAME_PACKET_DUPLICATE;
    }
    if (packet->sequence - buffer->base >= FRAME_BUFFER_PACKETS) {
        frame_buffer_drop_before(buffer, packet->sequence - FRAME_BUFFER_PACKETS + 1);
    }
    struct frame_slot *slot = &buffer->slots[place(packet->sequence)];
    *slot = (struct frame_slot){.used = true, .packet = *packet};
    if (!packet->empty) {
        uint8_t *bytes = buffer->room + place(packet->sequence) * FRAME_BUFFER_PAYLOAD_MAX;
        memcpy(bytes, packet->payload.bytes, packet->payload.size);
        slot->packet.payload.bytes = bytes;
    }
    buffer->highest = packet->sequence > buffer->highest ? packet->sequence : buffer->highest;
    connect(buffer, packet->sequence, now);
    return FRAME_PACKET_TAKEN;
}

int64_t frame_buffer_skip_empty(const struct frame_buffer *buffer, int64_t sequence)
{
    for (;;) {
        const struct frame_slot *slot = &buffer->slots[place(sequence)];
        if (!slot->used || slot->packet.sequence != sequence || !slot->packet.empty) {
            return sequence;
        }
        sequence++;
    }
}

jingle_status frame_buffer_take(struct frame_buffer *buffer, size_t number, struct coded_frame *out)
{
    const struct whole_frame frame = buffer->frames[number];
    jingle_status status = coded_frame_reserve(out, frame.bytes);
    for (int64_t at = frame.first; status == JINGLE_OK && at <= frame.last; at++) {
        const struct frame_slot *slot = slot_of(buffer, at);
        status = slot ? coded_frame_add(out, &slot->packet.payload) : JINGLE_ERROR_STATE;
    }
    out->timestamp = frame.timestamp;
    frame_buffer_drop_before(buffer, frame.last + 1);
    return status;
}
