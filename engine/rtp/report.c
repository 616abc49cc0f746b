#include "rtp/report.h"

#include "rtp/ntp.h"

#include <string.h>

/* The mean time between two reports. FEC follows the loss that they tell, within some seconds. */
#define INTERVAL_MIN (2 * USEC_PER_SEC)

#define MEMBERS            2
#define RTCP_BYTES_PER_SEC 250.0 /* 5 % of a session of 40 kbit/s (section 6.2) */
#define HEADER_BYTES       28    /* IPv4 and UDP */
#define FIRST_AVERAGE      128.0

/* A round trip longer than this is no measurement but a peer that cannot count. */
#define ROUND_TRIP_MAX (60 * USEC_PER_SEC)

void report_init(struct report *report, const char *cname, usec wall_offset)
{
    memset(report, 0, sizeof *report);
    report->cname = cname;
    report->wall_offset = wall_offset;
    report->average_bytes = FIRST_AVERAGE;
    report->round_trip = -1;
}

/* Section 6.3.1 without reconsideration: the number of members never grows. */
static usec interval(const struct report *report, const struct random_source *random)
{
    usec mean = (usec)(report->average_bytes * MEMBERS / RTCP_BYTES_PER_SEC * USEC_PER_SEC);
    if (mean < INTERVAL_MIN) {
        mean = INTERVAL_MIN;
    }
    uint16_t chance;
    random->fill(random->user, &chance, sizeof chance);
    return mean / 2 + mean * chance / 65536; /* 0.5 to 1.5 times, so that parties fall apart */
}

usec report_deadline(struct report *report, const struct random_source *random, usec now)
{
    if (!report->begun) {
        report->begun = true;
        report->next = now + interval(report, random) / 2;
    }
    return report->next;
}

void report_count(struct report *report, size_t bytes)
{
    report->average_bytes += ((double)(bytes + HEADER_BYTES) - report->average_bytes) / 16;
}

static size_t fill_block(const struct report *report, struct receive_stream *received, usec now,
                         struct rtcp_block *block)
{
    if (!received->known || received->gone) {
        return 0;
    }
    receive_stream_report(received, block);
    block->last_report = 0;
    block->delay = 0;
    if (report->sender_known && report->sender_ssrc == received->ssrc) {
        block->last_report = report->sender_ntp;
        block->delay = ntp_short_from_usec(now - report->sender_arrival);
    }
    return 1;
}

size_t report_write(struct report *report, const struct send_stream *sent,
                    struct receive_stream *received, const struct random_source *random, bool bye,
                    usec now, uint8_t *out, size_t capacity)
{
    struct rtcp_block block;
    struct rtcp_sender sender;
    size_t blocks = fill_block(report, received, now, &block);
    bool sending = sent->source_packets != report->packets_before;
    report->packets_before = sent->source_packets;
    send_stream_report(sent, now, now + report->wall_offset, &sender);

    size_t size =
        rtcp_write_report(out, capacity, sent->ssrc, sending ? &sender : NULL, &block, blocks);
    size += rtcp_write_cname(out + size, capacity - size, sent->ssrc, report->cname);
    if (bye) {
        size += rtcp_write_bye(out + size, capacity - size, sent->ssrc);
    }
    report_count(report, size);
    report->begun = true;
    report->next = now + interval(report, random);
    return size;
}

/* Section 6.4.1: A - LSR - DLSR. */
static void measure_round_trip(struct report *report, const struct rtcp_block *block, usec now)
{
    if (block->last_report == 0) {
        return;
    }
    uint32_t arrival = ntp_middle(ntp_from_wall(now + report->wall_offset));
    int32_t span = (int32_t)(arrival - block->last_report - block->delay);
    if (span < 0) {
        span = 0; /* the peer's rounding */
    }
    usec round_trip = ntp_short_to_usec((uint32_t)span);
    if (round_trip <= ROUND_TRIP_MAX) {
        report->round_trip = round_trip;
    }
}

static void take_block(struct report *report, const struct rtcp_block *block, usec now)
{
    if (report->told && report->about != block->ssrc) {
        report->lost_before += report->lost;
    }
    report->told = true;
    report->about = block->ssrc;
    report->lost = block->lost > 0 ? (uint32_t)block->lost : 0;
    report->fraction_lost = block->fraction_lost;
    report->jitter = block->jitter;
    report->received++;
    measure_round_trip(report, block, now);
}

bool report_receive(struct report *report, const struct rtcp_message *message, uint32_t ssrc,
                    usec now)
{
    if (message->type == RTCP_SENDER_REPORT) {
        report->sender_known = true;
        report->sender_ssrc = message->ssrc;
        report->sender_ntp = ntp_middle(message->sender.ntp);
        report->sender_arrival = now;
    }
    for (unsigned i = 0; i < message->block_count; i++) {
        if (message->blocks[i].ssrc == ssrc) {
            take_block(report, &message->blocks[i], now);
            return true;
        }
    }
    return false;
}

uint64_t report_lost(const struct report *report)
{
    return report->lost_before + report->lost;
}
