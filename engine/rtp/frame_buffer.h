/* Received packets on their way to become frames.
 *
 *     frame_buffer_insert ─▶ packets by sequence number ─▶ whole frames, in order ─▶
 *     frame_buffer_take ─▶ coded_frame
 *
 * A frame is whole when its packets follow each other from one that begins a frame to one with
 * RTP's marker, all with one time stamp (RFC 7741, section 4.1; RFC 9628, section 4). Bounded: what
 * is too far behind the newest packet is forgotten. All memory is taken at once. Sequence numbers
 * are extended: they do not wrap. */
#ifndef JINGLE_RTP_FRAME_BUFFER_H
#define JINGLE_RTP_FRAME_BUFFER_H

#include "base/clock.h"
#include "codecs/video_codec.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FRAME_BUFFER_PACKETS = 1024,
    FRAME_BUFFER_PAYLOAD_MAX = 1500,
    FRAME_BUFFER_FRAMES = 64, /* whole ones that wait */
};

/* A packet. Its payload was read by video_depacketise(), except of empty ones. */
struct frame_packet {
    int64_t sequence;
    uint32_t timestamp;
    bool marker;
    bool empty; /* in the sequence, but without anything in it: only padding */
    const struct video_codec *codec;
    struct video_payload payload; /* in the buffer its bytes are, too */
};

struct frame_slot {
    bool used;
    bool continuous; /* with the packet that begins its frame */
    struct frame_packet packet;
};

/* A frame that is whole. */
struct whole_frame {
    int64_t first; /* sequence numbers */
    int64_t last;
    uint32_t timestamp;
    usec arrival; /* of the packet that made it whole */
    size_t bytes;
    const struct video_codec *codec;
    struct video_payload head; /* of its first packet, without bytes */
};

struct frame_buffer {
    struct frame_slot slots[FRAME_BUFFER_PACKETS]; /* by sequence number */
    bool begun;
    int64_t base;                                   /* nothing before it is wanted */
    int64_t highest;                                /* that came */
    struct whole_frame frames[FRAME_BUFFER_FRAMES]; /* earliest first */
    size_t frame_count;
    uint8_t *room;
};

enum frame_inserted {
    FRAME_PACKET_TAKEN,
    FRAME_PACKET_DUPLICATE,
    FRAME_PACKET_LATE,    /* before the base */
    FRAME_PACKET_REFUSED, /* too long */
};

bool frame_buffer_open(struct frame_buffer *buffer); /* false if out of memory */
void frame_buffer_close(struct frame_buffer *buffer);
void frame_buffer_clear(struct frame_buffer *buffer);

/* Copies the packet. Where it is far ahead of the base, the base moves and packets and frames
 * before it are forgotten. */
enum frame_inserted frame_buffer_insert(struct frame_buffer *buffer,
                                        const struct frame_packet *packet, usec now);

/* The first sequence number from this one on that is not an empty packet which came. */
int64_t frame_buffer_skip_empty(const struct frame_buffer *buffer, int64_t sequence);

/* Makes `out` the frame; it is forgotten here, and all that came before it. */
jingle_status frame_buffer_take(struct frame_buffer *buffer, size_t number,
                                struct coded_frame *out);

/* Forgets a frame, but not its packets' place in the sequence. */
void frame_buffer_drop_frame(struct frame_buffer *buffer, size_t number);

/* Forgets all before this. */
void frame_buffer_drop_before(struct frame_buffer *buffer, int64_t sequence);

#endif
