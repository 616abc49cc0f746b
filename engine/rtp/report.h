/* When RTCP reports go out, what is in them, and what the peer's tell (RFC 3550, section 6).
 *
 * A call has two members, so the membership that section 6.3 reckons with is known, and between
 * two parties RFC 4585 (section 3.4) sets no least interval; ours is in report.c. */
#ifndef JINGLE_RTP_REPORT_H
#define JINGLE_RTP_REPORT_H

#include "base/clock.h"
#include "base/random.h"
#include "rtp/receive_stream.h"
#include "rtp/send_stream.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REPORT_BYTES_MAX 400 /* one report, a CNAME of 255 bytes and a BYE */

struct report {
    const char *cname;
    usec wall_offset;
    usec next;               /* report */
    bool begun;              /* `next` is set */
    double average_bytes;    /* of RTCP packets with UDP and IP headers */
    uint32_t packets_before; /* sent at the last report: no sender report while none were added */
    /* the peer's last sender report */
    bool sender_known;
    uint32_t sender_ssrc;
    uint32_t sender_ntp; /* middle 32 bits */
    usec sender_arrival;
    /* what the peer says of us */
    bool told;            /* anything at all */
    uint32_t about;       /* the SSRC of ours */
    usec round_trip;      /* -1 while unknown */
    uint64_t lost_before; /* of SSRCs of ours before this one */
    uint32_t lost;
    uint8_t fraction_lost;
    uint32_t jitter;   /* time stamp units */
    uint64_t received; /* reports about us */
};

void report_init(struct report *report, const char *cname, usec wall_offset);

/* When report_write() is due: the first one half an interval after this is first asked. */
usec report_deadline(struct report *report, const struct random_source *random, usec now);

/* Writes SR or RR, SDES and, if we go, BYE; reckons when the next is due. Returns the size. */
size_t report_write(struct report *report, const struct send_stream *sent,
                    struct receive_stream *received, const struct random_source *random, bool bye,
                    usec now, uint8_t *out, size_t capacity);

/* An SR or RR of the peer; true if it has something new about `ssrc`, which is ours. */
bool report_receive(struct report *report, const struct rtcp_message *message, uint32_t ssrc,
                    usec now);

/* Counts an RTCP packet that came, for the interval. */
void report_count(struct report *report, size_t bytes);

/* Packets of ours that the peer missed. */
uint64_t report_lost(const struct report *report);

#endif
