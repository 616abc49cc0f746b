/* RTCP feedback messages, written and read:
 *
 *     generic NACK             RFC 4585, section 6.2.1        "resend these packets"
 *     PLI, FIR                 RFC 4585, 6.3.1; RFC 5104, 4.3.1  "send a key frame"
 *     REMB                     draft-alvestrand-rmcat-remb-03 "send at most so much"
 *     transport-wide feedback  draft-holmer-rmcat-transport-wide-cc-extensions-01, section 3.1
 *                              "these packets of the link arrived then, those did not"
 *
 * They are read by rtcp_next() (rtp/rtcp.h), which gives a message with a `struct rtcp_feedback` in
 * it only if all of its lengths and counts add up. What is of any length stays in the packet's
 * bytes and is taken out by the functions below. */
#ifndef JINGLE_RTP_RTCP_FEEDBACK_H
#define JINGLE_RTP_RTCP_FEEDBACK_H

#include "base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FEEDBACK_NACK_MAX     256  /* sequence numbers that are written or read of one message */
#define FEEDBACK_STATUS_MAX   8192 /* packets that one transport-wide message may tell of */
#define FEEDBACK_SOURCES_MAX  32   /* SSRCs of one REMB */
#define FEEDBACK_REMB_HIGHEST ((uint64_t)1 << 40) /* bit/s; what is told above is this */

enum feedback_kind {
    FEEDBACK_NACK,
    FEEDBACK_TRANSPORT,
    FEEDBACK_PLI,
    FEEDBACK_FIR,
    FEEDBACK_REMB,
};

/* What was read of one message. Whose it is stands in rtcp_message.ssrc. */
struct rtcp_feedback {
    enum feedback_kind kind;
    uint32_t media_ssrc; /* NACK, PLI: the stream of ours that is meant; transport-wide: any */
    uint64_t bitrate;    /* REMB */
    const uint8_t *fci;  /* the rest (feedback control information), in the packet */
    size_t fci_bytes;
};

/* --- reading -- */

/* Called by rtcp_next(): reads a message of type 205 or 206 and `size` bytes, without padding.
 * False if it is of an unknown kind or does not add up. */
bool feedback_read(struct rtcp_feedback *feedback, const uint8_t *message, size_t size);

/* The sequence numbers that a NACK asks for, in its order; at most `capacity`. */
size_t feedback_nack(const struct rtcp_feedback *feedback, uint16_t *sequences, size_t capacity);

/* If a FIR is (also) for `ssrc`: true, and the request's number. The same number again is a
 * repetition of the same request. */
bool feedback_fir(const struct rtcp_feedback *feedback, uint32_t ssrc, uint8_t *request);

/* The streams that a REMB is for, at most `capacity`. */
size_t feedback_remb(const struct rtcp_feedback *feedback, uint32_t *ssrcs, size_t capacity);

/* A transport-wide message, packet by packet in the order of their numbers. */
struct transport_reader {
    uint16_t sequence; /* of the next packet */
    unsigned left;     /* packets */
    uint8_t number;    /* of this feedback message, to see that one was lost */
    int64_t time;      /* of the last packet that arrived, in units of 250 usec */
    unsigned run;      /* packets left of this chunk, */
    unsigned width;    /* the bits of a symbol in it (0: a run of one symbol), */
    uint16_t symbols;  /* and its symbols */
    const uint8_t *chunk;
    const uint8_t *delta;
    const uint8_t *end;
};

struct transport_status {
    uint16_t sequence;
    bool arrived;
    usec arrival; /* if it did: on the peer's clock, modulo TRANSPORT_TIME_WRAP */
};

/* Arrival times wrap around at 2^24 * 64 ms (12 days). */
#define TRANSPORT_TIME_WRAP ((usec)(1 << 24) * 64 * USEC_PER_MS)

void transport_reader_open(struct transport_reader *reader, const struct rtcp_feedback *feedback);
bool transport_reader_next(struct transport_reader *reader, struct transport_status *status);

/* From one arrival to a later or earlier one, over the wrap. */
usec transport_time_between(usec from, usec to);

/* --- writing: each appends one message to `out` and returns its size, 0 if it does not fit; `ssrc`
 * is ours, `media` the peer's stream -- */

/* `sequences` in ascending order (RFC 1982); at most FEEDBACK_NACK_MAX of them are written. */
size_t rtcp_write_nack(uint8_t *out, size_t capacity, uint32_t ssrc, uint32_t media,
                       const uint16_t *sequences, size_t count);
size_t rtcp_write_pli(uint8_t *out, size_t capacity, uint32_t ssrc, uint32_t media);
/* `request` is one more than that of the last FIR for this stream, unless this is a repetition. */
size_t rtcp_write_fir(uint8_t *out, size_t capacity, uint32_t ssrc, uint32_t media,
                      uint8_t request);
size_t rtcp_write_remb(uint8_t *out, size_t capacity, uint32_t ssrc, uint64_t bitrate,
                       const uint32_t *streams, size_t count);

/* Packets with consecutive transport-wide numbers, and when they arrived. */
struct transport_arrivals {
    uint16_t base;        /* number of the first one, which must have arrived */
    uint8_t number;       /* of this message: one more than the last one's */
    const usec *arrivals; /* `count` of them; USEC_NEVER: did not arrive */
    size_t count;
};

/* Writes as many of them as fit; `*written` says how many. It ends before a packet whose distance
 * from the one before has no room in a delta (8.2 s): a message of its own begins there. */
size_t rtcp_write_transport(uint8_t *out, size_t capacity, uint32_t ssrc, uint32_t media,
                            const struct transport_arrivals *arrivals, size_t *written);

/* The beginning of a compound packet for a peer that did not agree to reduced-size RTCP (RFC 5506):
 * an empty receiver report and the CNAME (RFC 3550, section 6.1). */
size_t rtcp_write_compound_head(uint8_t *out, size_t capacity, uint32_t ssrc, const char *cname);

#endif
