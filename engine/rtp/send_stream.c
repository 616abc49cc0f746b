#include "rtp/send_stream.h"

#include "rtp/ntp.h"

#include <string.h>

static uint32_t random_u32(const struct random_source *random)
{
    uint32_t value;
    random->fill(random->user, &value, sizeof value);
    return value;
}

void send_stream_init(struct send_stream *stream, uint32_t ssrc, uint32_t rate,
                      const struct random_source *random)
{
    memset(stream, 0, sizeof *stream);
    stream->ssrc = ssrc;
    stream->rate = rate;
    /* SRTP's receivers guess the roll-over counter best from a low first number (RFC 3711, 3.3.1)
     */
    stream->sequence = random_u32(random) & 0x7fff;
    stream->timestamp = random_u32(random);
}

void send_stream_change_source(struct send_stream *stream, const struct random_source *random)
{
    uint32_t before = stream->ssrc;
    stream->ssrc = random_u32(random);
    if (stream->ssrc == before) {
        stream->ssrc++;
    }
    stream->sequence = random_u32(random) & 0x7fff;
    stream->source_packets = 0;
    stream->source_bytes = 0;
}

void send_stream_advance(struct send_stream *stream, uint32_t samples, usec now)
{
    stream->timestamp += samples;
    stream->time = now;
}

size_t send_stream_header(const struct send_stream *stream, struct packet_header *header,
                          uint8_t *out, size_t capacity)
{
    header->ssrc = stream->ssrc;
    header->sequence = stream->sequence;
    return packet_write_header(header, out, capacity);
}

void send_stream_sent(struct send_stream *stream, size_t header_bytes, size_t payload_bytes)
{
    stream->sequence++;
    stream->source_packets++;
    stream->source_bytes += (uint32_t)payload_bytes;
    stream->packets++;
    stream->bytes += header_bytes + payload_bytes;
}

void send_stream_report(const struct send_stream *stream, usec now, usec wall,
                        struct rtcp_sender *report)
{
    int64_t since = (now - stream->time) * stream->rate / USEC_PER_SEC;
    report->ntp = ntp_from_wall(wall);
    report->timestamp = stream->timestamp + (uint32_t)since;
    report->packets = stream->source_packets;
    report->bytes = stream->source_bytes;
}
