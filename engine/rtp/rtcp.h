/* RTCP packets (RFC 3550, section 6): compound ones, and reduced-size ones (RFC 5506) on
 * reception, read one message after the other:
 *
 *     rtcp_open(bytes) ─▶ struct rtcp_reader ─▶ rtcp_next() ─▶ struct rtcp_message ...
 *
 * SR, RR, SDES, BYE and the feedback of rtp/rtcp_feedback.h are read. APP, XR and other feedback
 * are stepped over. */
#ifndef JINGLE_RTP_RTCP_H
#define JINGLE_RTP_RTCP_H

#include "rtp/rtcp_feedback.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RTCP_BLOCKS_MAX 31
#define RTCP_TEXT_MAX   255

enum rtcp_type {
    RTCP_SENDER_REPORT = 200,
    RTCP_RECEIVER_REPORT = 201,
    RTCP_SOURCE_DESCRIPTION = 202,
    RTCP_BYE = 203,
    RTCP_TRANSPORT_FEEDBACK = 205, /* RFC 4585: RTPFB and */
    RTCP_PAYLOAD_FEEDBACK = 206,   /* PSFB */
};

/* What one receiver says of one source. */
struct rtcp_block {
    uint32_t ssrc;
    uint8_t fraction_lost; /* of 256, since the last report */
    int32_t lost;          /* 24 bits on the wire */
    uint32_t highest_sequence;
    uint32_t jitter; /* time stamp units */
    uint32_t last_report;
    uint32_t delay; /* since then, 1/65536 s */
};

struct rtcp_sender {
    uint64_t ntp;
    uint32_t timestamp;
    uint32_t packets;
    uint32_t bytes;
};

/* One message out of a packet; what `type` tells is filled. */
struct rtcp_message {
    enum rtcp_type type;
    uint32_t ssrc;             /* who reports; the first source of a BYE or a description */
    struct rtcp_sender sender; /* SR */
    unsigned block_count;      /* SR, RR */
    struct rtcp_block blocks[RTCP_BLOCKS_MAX];
    unsigned source_count; /* BYE */
    uint32_t sources[RTCP_BLOCKS_MAX];
    const char *cname; /* SDES: not ended by a zero; NULL if it has none */
    size_t cname_bytes;
    struct rtcp_feedback feedback; /* both kinds of feedback; valid as long as the packet's bytes */
};

struct rtcp_reader {
    const uint8_t *at;
    const uint8_t *end;
};

/* Begins to read. False if the lengths do not add up to `size` or a header is wrong: then nothing
 * of it may be believed. */
bool rtcp_open(struct rtcp_reader *reader, const uint8_t *bytes, size_t size);

/* The next message that is known here; false at the end. */
bool rtcp_next(struct rtcp_reader *reader, struct rtcp_message *message);

/* --- writing: each appends to `out` and returns its size, 0 if it does not fit -- */

/* SR if `sender` is given, otherwise RR. */
size_t rtcp_write_report(uint8_t *out, size_t capacity, uint32_t ssrc,
                         const struct rtcp_sender *sender, const struct rtcp_block *blocks,
                         size_t block_count);
size_t rtcp_write_cname(uint8_t *out, size_t capacity, uint32_t ssrc, const char *cname);
size_t rtcp_write_bye(uint8_t *out, size_t capacity, uint32_t ssrc);

#endif
