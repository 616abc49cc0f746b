/* Offer and answer of RTP descriptions (XEP-0167, 5; RFC 3264).
 *
 *     their offer + what we can ── negotiate_answer() ──▶ our answer
 *     what we wrote + what they wrote ── negotiate_agree() ──▶ how the media runs
 *
 * An answer is a strict subset of its offer, for some clients refuse any other: the offer's payload
 * ids, feedback, header extensions and rtcp-mux or fewer. */
#ifndef JINGLE_SIGNALING_NEGOTIATE_H
#define JINGLE_SIGNALING_NEGOTIATE_H

#include "signaling/rtp_description.h"

#define RTP_CODEC_NAME_SIZE  32
#define RTP_CODECS_MAX       16
#define RTP_EVENT_TYPES_MAX  4
#define RTP_ONE_BYTE_EXT_MAX 14 /* RFC 8285: ids of one-byte header extensions */
#define HDREXT_AUDIO_LEVEL   "urn:ietf:params:rtp-hdrext:ssrc-audio-level" /* RFC 6464 */
#define HDREXT_MID           "urn:ietf:params:rtp-hdrext:sdes:mid"         /* RFC 8843 */

/* RFC 7587, 6.1: what the receiver of a stream wants and the sender says. */
struct opus_parameters {
    bool useinbandfec;
    bool usedtx;
    bool cbr;
    bool stereo;                /* the receiver likes stereo */
    bool sprop_stereo;          /* the sender is likely to send stereo */
    unsigned maxaveragebitrate; /* bit/s; 0: not told */
    unsigned maxplaybackrate;   /* Hz; 0: not told */
    unsigned minptime;          /* milliseconds; 0: not told */
};

struct rtp_codec {
    uint8_t payload_type;
    char name[RTP_CODEC_NAME_SIZE]; /* as we spell it in our own description, such as "opus" */
    uint32_t clockrate;
    unsigned channels;
    unsigned ptime;    /* milliseconds, wanted by the receiver; 0: not told */
    unsigned maxptime; /* the same */
    struct opus_parameters opus;
};

struct rtp_event_type {
    uint8_t payload_type;
    uint32_t clockrate;
};

/* How a content's media runs, seen from us. */
struct rtp_agreement {
    /* What we send: ids and parameters of the peer's description, for it is the receiver. */
    struct rtp_codec send;
    bool has_send_event; /* telephone-event (RFC 4733) with the clock of `send` */
    struct rtp_event_type send_event;
    /* What may arrive: ids and parameters of our own description. */
    struct rtp_codec receive[RTP_CODECS_MAX];
    size_t receive_count;
    struct rtp_event_type receive_events[RTP_EVENT_TYPES_MAX];
    size_t receive_event_count;
    /* Header extension ids; 0: not used in that direction. */
    unsigned send_audio_level, receive_audio_level;
    unsigned send_mid, receive_mid;
    bool rtcp_mux;
    bool rtcp_reduced_size;
    /* Set by the session. */
    bool bundle;     /* the content shares the transport of the group's first name */
    bool we_send;    /* by `senders` */
    bool we_receive; /* by `senders` */
    bool has_remote_ssrc;
    uint32_t remote_ssrc; /* as announced; others may still come */
};

enum answer_order {
    ORDER_OF_THE_OFFER, /* RFC 3264, 6.1: recommended */
    ORDER_OF_OURS,      /* the user wants a certain codec */
};

/* `local` is what we can do, best first. False if there is no common codec: `answer` is empty. */
bool negotiate_answer(const struct rtp_description *offer, const struct rtp_description *local,
                      enum answer_order order, struct rtp_description *answer);

/* A content that we do not take but must keep in the answer: one payload type of the offer, nothing
 * more. False if the offer has none. */
bool negotiate_refusal(const struct rtp_description *offer, struct rtp_description *answer);

/* From what we wrote (`local`) and what the peer wrote (`remote`), `local_is_answer`: the peer
 * offered. `initiator`: we are the session's initiator. False if there is no common codec. */
bool negotiate_agree(const struct rtp_description *local, const struct rtp_description *remote,
                     bool initiator, bool local_is_answer, struct rtp_agreement *agreement);

#endif
