/* The peer's source of RTP: which SSRC it is, and what is counted of it (RFC 3550, appendix A.1,
 * A.3 and A.8).
 *
 * A call has one such source at a time. SRTP has found every packet authentic, so the first one
 * needs no probation. Another SSRC takes over once it has sent two packets in a row with none of
 * the present one between: the peer changed its device or began anew. Nothing else is remembered
 * of SSRCs, so a peer can invent as many as it likes. */
#ifndef JINGLE_RTP_RECEIVE_STREAM_H
#define JINGLE_RTP_RECEIVE_STREAM_H

#include "base/clock.h"
#include "rtp/packet.h"
#include "rtp/rtcp.h"

#include <stdbool.h>
#include <stdint.h>

enum receive_verdict {
    RECEIVE_ACCEPTED,
    RECEIVE_RESTARTED, /* accepted, and it is another stream than before */
    RECEIVE_REFUSED,   /* not (yet) our peer's source, or far out of sequence */
};

struct receive_stream {
    bool known; /* there is a source */
    bool gone;  /* and it said goodbye */
    uint32_t ssrc;
    uint16_t highest; /* sequence number */
    uint32_t cycles;  /* shifted count of its roll-overs */
    uint32_t base;
    uint32_t bad_sequence; /* where a jump would go on */
    uint32_t received;
    uint32_t expected_prior; /* at the last report */
    uint32_t received_prior;
    uint32_t rate;
    bool transit_known;
    int64_t transit;
    double jitter;      /* time stamp units */
    uint32_t candidate; /* the SSRC that may take over */
    uint16_t candidate_sequence;
    bool candidate_known;
    uint64_t lost_before; /* of sources before this one */
    uint64_t packets;     /* of all sources */
    uint64_t bytes;
    uint64_t changes;  /* from one SSRC to another */
    uint16_t late_max; /* packets behind the newest that may come; 0: 100 (MAX_MISORDER). Where lost
                          ones are sent again in the same stream it must be more. */
};

/* Judges and counts a packet of `size` bytes. */
enum receive_verdict receive_stream_packet(struct receive_stream *stream,
                                           const struct packet *packet, size_t size);

/* The arrival of a packet with sound, for the jitter; `rate` is of its time stamps. */
void receive_stream_arrival(struct receive_stream *stream, uint32_t timestamp, uint32_t rate,
                            usec now);

/* The peer said goodbye for this SSRC; true if it is the present source. Until the source is
 * forgotten, packets of its own that the goodbye overtook are refused. */
bool receive_stream_bye(struct receive_stream *stream, uint32_t ssrc);

/* What said goodbye is over: whatever comes next is the source, and be it the same SSRC again (a
 * peer that stopped sending for a hold). */
void receive_stream_forget(struct receive_stream *stream);

/* What did not come, of all sources; duplicates may hide some. */
uint64_t receive_stream_lost(const struct receive_stream *stream);
usec receive_stream_jitter(const struct receive_stream *stream);

/* The counting part of a report block; begins the next interval. */
void receive_stream_report(struct receive_stream *stream, struct rtcp_block *block);

#endif
