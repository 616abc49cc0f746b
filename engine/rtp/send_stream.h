/* One source of RTP that we are (RFC 3550, section 5.1): its SSRC, sequence numbers, time stamps
 * and what a sender report says of them. */
#ifndef JINGLE_RTP_SEND_STREAM_H
#define JINGLE_RTP_SEND_STREAM_H

#include "base/clock.h"
#include "base/random.h"
#include "rtp/packet.h"
#include "rtp/rtcp.h"

#include <stdbool.h>
#include <stdint.h>

struct send_stream {
    uint32_t ssrc;
    uint16_t sequence;  /* of the next packet */
    uint32_t timestamp; /* of the sample at `time` */
    usec time;
    uint32_t rate;
    uint32_t source_packets; /* of this SSRC, as reported */
    uint32_t source_bytes;   /* payload only */
    uint64_t packets;        /* of all */
    uint64_t bytes;          /* with headers */
};

/* Begins at a random sequence number and time stamp (section 5.1). */
void send_stream_init(struct send_stream *stream, uint32_t ssrc, uint32_t rate,
                      const struct random_source *random);

/* Becomes another source after a collision (section 8.2); totals go on. */
void send_stream_change_source(struct send_stream *stream, const struct random_source *random);

/* `samples` passed, the last one at `now`. */
void send_stream_advance(struct send_stream *stream, uint32_t samples, usec now);

/* Writes the header of the next packet; 0 if it does not fit. */
size_t send_stream_header(const struct send_stream *stream, struct packet_header *header,
                          uint8_t *out, size_t capacity);

/* The packet was sent. */
void send_stream_sent(struct send_stream *stream, size_t header_bytes, size_t payload_bytes);

/* What a sender report says at `now`, which is `wall` microseconds since 1970. */
void send_stream_report(const struct send_stream *stream, usec now, usec wall,
                        struct rtcp_sender *report);

#endif
