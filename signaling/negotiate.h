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
#define HDREXT_ABS_SEND_TIME "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
#define HDREXT_TRANSPORT_CC \
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

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

/* RTCP feedback that both descriptions name for a codec, be it for one payload type or for all. */
struct rtp_feedback_kinds {
    bool nack;         /* RFC 4585, 6.2.1 */
    bool nack_pli;     /* RFC 4585, 6.3.1 */
    bool ccm_fir;      /* RFC 5104, 4.3.1 */
    bool goog_remb;    /* draft-alvestrand-rmcat-remb */
    bool transport_cc; /* draft-holmer-rmcat-transport-wide-cc-extensions; needs its header
                          extension, too */
};

/* What the receiver of pictures can take (RFC 7741, 6.1; RFC 9628, 7). */
struct video_parameters {
    unsigned max_fr; /* frames a second; 0: not told */
    unsigned max_fs; /* macroblocks a frame; 0: not told */
};

struct rtp_codec {
    uint8_t payload_type;
    char name[RTP_CODEC_NAME_SIZE]; /* as we spell it in our own description, such as "opus" */
    uint32_t clockrate;
    unsigned channels;
    unsigned ptime;    /* milliseconds, wanted by the receiver; 0: not told */
    unsigned maxptime; /* the same */
    struct opus_parameters opus;
    struct video_parameters video;
    /* In `send`: what the peer may send back about our stream. In `receive`: what we may. */
    struct rtp_feedback_kinds feedback;
    bool has_rtx;             /* retransmission of this payload type (RFC 4588) ... */
    uint8_t rtx_payload_type; /* ... comes, or goes, under this one */
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
    unsigned send_abs_send_time, receive_abs_send_time;
    unsigned send_transport_cc, receive_transport_cc;
    bool rtcp_mux;
    bool rtcp_reduced_size;
    /* Set by the session. */
    bool bundle;     /* it is in the BUNDLE group: see the event's `transport` */
    bool we_send;    /* by `senders`, and we want to */
    bool we_receive; /* by `senders` */
    bool has_remote_ssrc;
    uint32_t remote_ssrc; /* as announced; others may still come */
    bool has_remote_rtx_ssrc;
    uint32_t remote_rtx_ssrc; /* of its retransmissions (FID group) */
};

enum answer_order {
    ORDER_OF_THE_OFFER, /* RFC 3264, 6.1: recommended */
    ORDER_OF_OURS,      /* the user wants a certain codec */
};

/* Payload types and header extensions of different contents in one BUNDLE group must not contradict
 * each other (RFC 8843, 9 and 15): gives those of `offer`, which we are about to add, other numbers
 * where `others` use them for something else. False if no number is left. */
bool negotiate_fit(struct rtp_description *offer, const struct rtp_description *const *others,
                   size_t count);

/* `local` is what we can do, best first. RED and FEC are never answered; rtx only for a codec that
 * is; sources only if the offer has some. False if there is no common codec: `answer` is empty. */
bool negotiate_answer(const struct rtp_description *offer, const struct rtp_description *local,
                      enum answer_order order, struct rtp_description *answer);

/* A content that we do not take but must keep in the answer: one payload type of the offer, nothing
 * more. False if the offer has none. */
bool negotiate_refusal(const struct rtp_description *offer, struct rtp_description *answer);

/* What `local` must have for video (it is given by the engine): media "video", rtcp_mux; payload
 * types VP8 and VP9 (parameter profile-id=0), 90000 Hz, one channel, best first, each with its
 * feedback (nack, nack pli, ccm fir, goog-remb, transport-cc) and followed by its rtx (parameter
 * apt); the header extensions that are understood, with the same ids as in the audio description,
 * and not urn:3gpp:video-orientation (then browsers turn the pictures themselves); a source and,
 * with rtx, a second one and a FID group of both. For audio: transport-cc as feedback of Opus and
 * as header extension, if voice counts in the estimate.
 *
 * From what we wrote (`local`) and what the peer wrote (`remote`), `local_is_answer`: the peer
 * offered. `initiator`: we are the session's initiator. False if there is no common codec. */
bool negotiate_agree(const struct rtp_description *local, const struct rtp_description *remote,
                     bool initiator, bool local_is_answer, struct rtp_agreement *agreement);

#endif
