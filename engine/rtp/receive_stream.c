#include "rtp/receive_stream.h"

#include <stdlib.h>

#define SEQUENCES    65536U
#define DROPOUT_MAX  3000 /* RFC 3550, appendix A.1 */
#define MISORDER_MAX 100
#define NO_SEQUENCE  (SEQUENCES + 1)

/* A gap in time stamps longer than this is no jitter, but a source that began to count anew. */
#define JITTER_GAP_SECONDS 5

static uint32_t expected(const struct receive_stream *stream)
{
    return stream->cycles + stream->highest - stream->base + 1;
}

static uint32_t lost_of_source(const struct receive_stream *stream)
{
    uint32_t wanted = stream->known ? expected(stream) : 0;
    return wanted > stream->received ? wanted - stream->received : 0;
}

static void begin(struct receive_stream *stream, const struct packet *packet)
{
    stream->lost_before += lost_of_source(stream);
    stream->known = true;
    stream->gone = false;
    stream->ssrc = packet->ssrc;
    stream->highest = packet->sequence;
    stream->base = packet->sequence;
    stream->cycles = 0;
    stream->bad_sequence = NO_SEQUENCE;
    stream->received = 0;
    stream->expected_prior = 0;
    stream->received_prior = 0;
    stream->transit_known = false;
    stream->jitter = 0;
    stream->candidate_known = false;
}

/* A packet of another SSRC; true if that takes over now. */
static bool candidate_proven(struct receive_stream *stream, const struct packet *packet)
{
    bool proven = stream->candidate_known && stream->candidate == packet->ssrc &&
                  stream->candidate_sequence == packet->sequence;
    stream->candidate_known = true;
    stream->candidate = packet->ssrc;
    stream->candidate_sequence = (uint16_t)(packet->sequence + 1);
    return proven;
}

/* RFC 3550's update_seq() for a source that is known. */
static enum receive_verdict follow(struct receive_stream *stream, const struct packet *packet)
{
    uint16_t ahead = (uint16_t)(packet->sequence - stream->highest);
    if (ahead < DROPOUT_MAX) {
        if (packet->sequence < stream->highest) {
            stream->cycles += SEQUENCES;
        }
        stream->highest = packet->sequence;
        return RECEIVE_ACCEPTED;
    }
    if (ahead <= SEQUENCES - (stream->late_max ? stream->late_max : MISORDER_MAX)) {
        if (packet->sequence != stream->bad_sequence) {
            stream->bad_sequence = (packet->sequence + 1U) & (SEQUENCES - 1);
            return RECEIVE_REFUSED;
        }
        begin(stream, packet); /* two in a row after a jump: it began anew */
        return RECEIVE_RESTARTED;
    }
    return RECEIVE_ACCEPTED; /* late, or twice */
}

static enum receive_verdict judge(struct receive_stream *stream, const struct packet *packet)
{
    if (!stream->known) {
        begin(stream, packet);
        return RECEIVE_RESTARTED;
    }
    if (packet->ssrc == stream->ssrc) {
        if (stream->gone) {
            return RECEIVE_REFUSED; /* overtaken by its own goodbye */
        }
        stream->candidate_known = false;
        return follow(stream, packet);
    }
    if (!stream->gone && !candidate_proven(stream, packet)) {
        return RECEIVE_REFUSED;
    }
    begin(stream, packet);
    stream->changes++;
    return RECEIVE_RESTARTED;
}

enum receive_verdict receive_stream_packet(struct receive_stream *stream,
                                           const struct packet *packet, size_t size)
{
    enum receive_verdict verdict = judge(stream, packet);
    if (verdict == RECEIVE_REFUSED) {
        return verdict;
    }
    stream->received++;
    stream->packets++;
    stream->bytes += size;
    return verdict;
}

void receive_stream_arrival(struct receive_stream *stream, uint32_t timestamp, uint32_t rate,
                            usec now)
{
    if (rate != stream->rate) {
        stream->rate = rate;
        stream->jitter = 0;
        stream->transit_known = false;
    }
    /* time stamps are compared modulo 2^32, so only the difference of two transits counts */
    int64_t transit = (int64_t)((uint64_t)now * rate / USEC_PER_SEC) - timestamp;
    int64_t difference = llabs((int64_t)(int32_t)(uint32_t)(transit - stream->transit));
    bool known = stream->transit_known;
    stream->transit = transit;
    stream->transit_known = true;
    if (!known || difference > (int64_t)rate * JITTER_GAP_SECONDS) {
        return;
    }
    stream->jitter += ((double)difference - stream->jitter) / 16;
}

bool receive_stream_bye(struct receive_stream *stream, uint32_t ssrc)
{
    if (!stream->known || stream->ssrc != ssrc) {
        return false;
    }
    stream->gone = true;
    return true;
}

void receive_stream_forget(struct receive_stream *stream)
{
    if (!stream->gone) {
        return;
    }
    stream->lost_before += lost_of_source(stream);
    stream->known = false;
    stream->gone = false;
}

uint64_t receive_stream_lost(const struct receive_stream *stream)
{
    return stream->lost_before + lost_of_source(stream);
}

usec receive_stream_jitter(const struct receive_stream *stream)
{
    return stream->rate ? (usec)(stream->jitter * USEC_PER_SEC / stream->rate) : 0;
}

/* RFC 3550, appendix A.3. */
void receive_stream_report(struct receive_stream *stream, struct rtcp_block *block)
{
    uint32_t wanted = expected(stream);
    uint32_t wanted_now = wanted - stream->expected_prior;
    uint32_t received_now = stream->received - stream->received_prior;
    int64_t lost = (int64_t)wanted - stream->received;
    stream->expected_prior = wanted;
    stream->received_prior = stream->received;

    block->ssrc = stream->ssrc;
    block->fraction_lost = 0;
    if (wanted_now > received_now) {
        uint32_t fraction = (uint32_t)(((uint64_t)(wanted_now - received_now) << 8) / wanted_now);
        block->fraction_lost = fraction > 255 ? 255 : (uint8_t)fraction;
    }
    block->lost = lost > 0x7fffff ? 0x7fffff : lost < -0x800000 ? -0x800000 : (int32_t)lost;
    block->highest_sequence = stream->cycles + stream->highest;
    block->jitter = (uint32_t)stream->jitter;
}
