/* Packets that wait for their time, in the order of their media time. All memory is taken at once;
 * a page of it is touched only when that many packets wait. */
#ifndef JINGLE_RTP_PACKET_BUFFER_H
#define JINGLE_RTP_PACKET_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "codecs/codec.h"

enum { PACKET_BUFFER_SLOTS = 160, PACKET_BUFFER_PAYLOAD_MAX = 1500 };

struct waiting_packet {
    int64_t tick;     /* media time of its first sample, 1/48000 s */
    int64_t ticks;    /* how long it is */
    int64_t sequence; /* extended */
    usec arrival;
    const struct audio_codec *codec;
    size_t size;
    uint8_t *payload; /* in the buffer */
};

struct packet_buffer {
    struct waiting_packet slots[PACKET_BUFFER_SLOTS];
    uint8_t order[PACKET_BUFFER_SLOTS]; /* slots in use, earliest first */
    uint64_t free[(PACKET_BUFFER_SLOTS + 63) / 64];
    size_t count;
    uint8_t *payloads;
};

bool packet_buffer_init(struct packet_buffer *buffer);
void packet_buffer_release(struct packet_buffer *buffer);
void packet_buffer_clear(struct packet_buffer *buffer);

/* Copies the payload. False if all slots are taken or one has this media time already. */
bool packet_buffer_insert(struct packet_buffer *buffer, const struct waiting_packet *packet,
                          const uint8_t *payload);

/* The earliest is number 0; NULL after the last. */
const struct waiting_packet *packet_buffer_at(const struct packet_buffer *buffer, size_t number);

void packet_buffer_drop_first(struct packet_buffer *buffer);

#endif
