/* The receiving side of a link (one transport): tells the sender what of its packets arrived and
 * when, so that it can estimate what the path carries.
 *
 *     downlink_receive ─▶ arrivals by transport-wide number ─▶ feedback ─────┐
 *                   └──▶ delay by abs-send-time or RTP time ─▶ REMB ─────────┴▶ hooks.send_rtcp
 *
 * Transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01) goes to a peer that
 * stamps its packets; then the peer estimates. Otherwise, to one that wants goog-remb, our own
 * estimate (draft-alvestrand-rmcat-remb-03; delay-based part of draft-ietf-rmcat-gcc-02).
 *
 * Pure: no socket, thread or clock. `now` never goes back. Nothing is allocated after
 * downlink_new(). Not for two threads at once. */
#ifndef JINGLE_RTP_DOWNLINK_H
#define JINGLE_RTP_DOWNLINK_H

#include "base/clock.h"
#include "base/log.h"
#include "rtp/packet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DOWNLINK_RTCP_MAX 1200 /* bytes of one RTCP packet */
#define DOWNLINK_TAIL     64   /* room behind it in the hook, for SRTCP's tag and index */

/* What of feedback is negotiated for the link. */
struct downlink_config {
    uint32_t ssrc;            /* ours, as sender of the feedback */
    const char *cname;        /* ours; must outlive the downlink */
    bool transport_feedback;  /* rtcp-fb transport-cc */
    bool remb;                /* rtcp-fb goog-remb */
    bool reduced_size;        /* RFC 5506; otherwise each packet begins with an empty report */
    uint32_t most;            /* bit/s that we want at most, told by REMB; 0: no wish */
    unsigned overhead;        /* bytes a packet below RTP; 0: 44, as in rtp/uplink.h */
    const struct logger *log; /* may be NULL */
    struct {
        void *user;
        /* `packet` may be changed and grown by up to DOWNLINK_TAIL bytes until the hook returns. */
        void (*send_rtcp)(void *user, uint8_t *packet, size_t bytes);
    } hooks;
};

/* How the packets of one stream are read. */
struct downlink_stream {
    uint8_t transport_sequence; /* ids of the header extensions; 0: none */
    uint8_t send_time;          /* abs-send-time */
    uint32_t clockrate;         /* of video without abs-send-time: 90000; 0: for audio, which tells
                                 * REMB's estimate nothing then */
};

struct downlink;

jingle_status downlink_new(const struct downlink_config *config, struct downlink **downlink);
void downlink_free(struct downlink *downlink);

/* What is negotiated changed (video was added). */
void downlink_configure(struct downlink *downlink, const struct downlink_config *config);

/* Every RTP packet of the link that SRTP found authentic, also repeated, late and padding-only
 * ones, before the streams get them. `bytes` is the whole packet's size, `now` when it arrived: the
 * closer to the socket this is taken, the better. */
void downlink_receive(struct downlink *downlink, const struct downlink_stream *stream,
                      const struct packet *packet, size_t bytes, usec now);

/* Sends feedback that is due: each 50 to 250 ms while packets come, so that it takes about 5 % of
 * the bit rate; REMB each second and at once when it falls. */
void downlink_tick(struct downlink *downlink, usec now);

/* When downlink_tick() has something to do; USEC_NEVER: not before the next packet. 10 ms later do
 * no harm. */
usec downlink_next_deadline(const struct downlink *downlink);

/* The path is another one: the estimate begins anew. */
void downlink_path_changed(struct downlink *downlink, usec now);

struct downlink_stats {
    uint32_t bitrate;  /* received in the last second, bit/s as on the wire */
    uint32_t estimate; /* as in the last REMB; 0: none */
    uint64_t feedback; /* transport-wide messages sent */
    uint64_t rembs;
    uint64_t refused; /* packets whose numbers were too far from the others' */
};

void downlink_stats(const struct downlink *downlink, struct downlink_stats *stats, usec now);

#endif
