/* The whole two-way video stream of one content: coded frames and packets in, packets and coded
 * frames out.
 *
 *     video_send_frame ─▶ packetise ─▶ history ─▶ uplink (rtp/uplink.h) ─▶ network
 *           NACK ─▶ rtx (RFC 4588) ──────┘ ▲ probes
 *     video_tick: the uplink's target ─▶ ladder ─▶ hooks.target         (rate, frame rate, size)
 *           PLI, FIR ─▶ key frame pace ──────────▶ hooks.key_frame
 *
 *     video_receive_rtp ─▶ validation ─▶ rtx unwrapped ─▶ frame buffer ─▶ hooks.frame, when due
 *                              └▶ NACK list ─▶ hooks.send_rtcp
 *     video_receive_rtcp ─▶ reports, NACK, PLI, FIR, BYE
 *
 * Pure: no socket, thread or clock. `now` never goes back. Packets here are plain RTP and RTCP
 * (RFC 3550, RFC 4585, RFC 7741, RFC 9628); SRTP is below. What is needed for packets is allocated
 * by video_new() and by the first sending; a coded frame is one allocation. Not for two threads at
 * once. Hooks must not free the video.
 *
 * What belongs to the link is not done here: the owner of the uplink and downlink gives them all
 * RTCP (uplink_receive_rtcp()) and all RTP (downlink_receive()), and ticks them. */
#ifndef JINGLE_RTP_VIDEO_H
#define JINGLE_RTP_VIDEO_H

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "codecs/video_codec.h"
#include "rtp/sync.h"
#include "rtp/uplink.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Free room behind every packet that hooks.send_rtcp gets, for the tag of SRTCP. */
#define VIDEO_TAIL 64

#define VIDEO_PAYLOADS_MAX 16 /* entries of the receive table */
#define VIDEO_MID_MAX      16 /* bytes of a mid */

/* Frames that miss nothing are handed out at most this often, in the mean of a second. */
#define VIDEO_FRAMES_PER_SEC 120

/* A payload type that we announced, so that the peer may send it. */
struct video_receiving {
    uint8_t payload_type;
    const struct video_codec *codec;
    uint8_t rtx; /* payload type of its retransmissions (apt); 0: none */
};

/* Feedback (rtcp-fb) that was agreed on, for what we send and for what we receive. */
struct video_feedback {
    bool nack;         /* generic NACK */
    bool pli;          /* nack pli */
    bool fir;          /* ccm fir */
    bool reduced_size; /* RFC 5506, for the RTCP that we send */
};

/* What we send. Sizes and rates are the most that is sent. */
struct video_sending {
    const struct video_codec *codec; /* NULL: we send none; then the rest does not matter */
    uint8_t payload_type;
    uint8_t rtx;      /* payload type of retransmissions; 0: the same packet again */
    uint32_t bitrate; /* bit/s; 0: 2500000 */
};

/* What pictures there are to send, before they are scaled down. */
struct video_input {
    uint32_t width;
    uint32_t height;
    uint32_t frame_rate; /* 1 to 120 */
    bool screen;         /* sharpness counts for more than smoothness */
};

/* Header extensions (RFC 8285): ids 1 to 255, 0 for none. */
struct video_extensions {
    uint8_t mid;                /* urn:ietf:params:rtp-hdrext:sdes:mid (RFC 9143) */
    uint8_t send_time;          /* abs-send-time; stamped by the uplink */
    uint8_t transport_sequence; /* transport-wide number; stamped by the uplink */
    char mid_value[VIDEO_MID_MAX + 1];
};

/* What the encoder is to make from now on. */
struct video_target {
    uint32_t bitrate; /* bit/s; 0: nothing, until another target comes */
    uint32_t frame_rate;
    uint32_t width; /* even; the input's shape */
    uint32_t height;
    /* Pictures are left out while this is set: what was made waits to leave. It comes and goes
     * within some ten milliseconds. */
    bool skip;
};

/* What goes with a frame to the decoder. */
struct video_frame_info {
    uint64_t number; /* counts frames handed out; for video_decoder_failed() */
    usec due;        /* when it is to be shown; may be past */
    usec arrival;    /* of its last packet */
    const struct video_codec *codec;
};

struct video_hooks {
    void *user;
    /* `packet` may be changed and grown by up to VIDEO_TAIL bytes until the hook returns. */
    void (*send_rtcp)(void *user, uint8_t *packet, size_t bytes);
    /* The encoder's orders changed. May be NULL. */
    void (*target)(void *user, const struct video_target *target);
    /* The next frame must be a key frame; asked again each second until one is sent. May be NULL.
     */
    void (*key_frame)(void *user);
    /* A frame that can be decoded after those handed out before; a key frame first. It is the
     * receiver's now, to be freed with coded_frame_free(). NULL: nothing is assembled. */
    void (*frame)(void *user, struct coded_frame *frame, const struct video_frame_info *info);
    /* The peer's source said goodbye (RTCP BYE) and no other took its place. May be NULL. */
    void (*bye)(void *user);
};

struct video_config {
    struct uplink *uplink; /* of the link that carries this; outlives the video */
    uint32_t ssrc;         /* ours */
    uint32_t rtx_ssrc;     /* of our retransmissions (the other one of the FID group) */
    const char *cname;     /* ours, the same as the voice's; copied */
    struct video_sending sending;
    struct video_receiving receive[VIDEO_PAYLOADS_MAX];
    size_t receive_count;
    struct video_feedback feedback;
    struct video_extensions extensions;
    usec wall_offset; /* clock_wall() - clock_now(), as the voice's and the uplink's */
    struct random_source random;
    const struct logger *log; /* may be NULL */
    struct video_hooks hooks;
};

struct video;

/* JINGLE_ERROR_INVALID without uplink, cname, random or send_rtcp, or with too much in the table;
 * JINGLE_ERROR_LIMIT if the uplink takes no more streams. */
jingle_status video_new(const struct video_config *config, struct video **video);
void video_free(struct video *video);

/* --- sending -- */

/* Changes what is sent (a new answer, another codec): frames given from now on are of that codec,
 * and a key frame is asked for. On failure all stays as it was. */
jingle_status video_set_sending(struct video *video, const struct video_sending *sending, usec now);

/* Other pictures: the ladder begins anew from what the path carries, and hooks.target is called.
 * Before the first call nothing is asked of an encoder. */
void video_set_input(struct video *video, const struct video_input *input, usec now);

/* There is nothing to send (muted, no camera, no direction to send): the target becomes 0, frames
 * given are dropped and the uplink is told that no video is wanted. */
void video_set_mute(struct video *video, bool on, usec now);

/* We hold the call: nothing is sent and nothing handed out, RTCP goes on. Resuming asks the peer
 * and our encoder for key frames. */
void video_set_hold(struct video *video, bool on, usec now);

/* The peer holds, muted or does not send: what does not come is neither missed nor a freeze. */
void video_set_peer_hold(struct video *video, bool on, usec now);

/* A frame from the encoder, in the order of encoding; the caller keeps it. Packets are queued in
 * the uplink. A frame that finds no room in time is dropped as a whole, and all after it that need
 * it; hooks.key_frame is called if so. False if it was dropped. */
bool video_send_frame(struct video *video, const struct coded_frame *frame, usec now);

/* What hooks.target told last; all zero before. */
void video_target(const struct video *video, struct video_target *target);

/* --- receiving -- */

/* Whether packets of this payload type are for this stream, for sorting what comes over a shared
 * transport. */
bool video_takes(const struct video *video, uint8_t payload_type);

/* A packet that SRTP found authentic. It is read before the call returns. */
void video_receive_rtp(struct video *video, const uint8_t *packet, size_t bytes, usec now);

/* Every RTCP packet of the transport; what is for other streams is passed over. */
void video_receive_rtcp(struct video *video, const uint8_t *packet, size_t bytes, usec now);

/* When the peer's sound is heard, by voice_sync(), some times a second; NULL or unknown: pictures
 * are shown as soon as they can. */
void video_set_sync(struct video *video, const struct sync_reference *reference);

/* The decoder shows what it makes of a frame that was handed out: it took so long to decode. */
void video_decoder_done(struct video *video, uint64_t number, uint32_t width, uint32_t height,
                        usec decode_time);

/* It could not decode it (malformed, of absurd size): nothing but a key frame is handed out from
 * now on, and one is asked for, unless a later key frame was handed out already. */
void video_decoder_failed(struct video *video, uint64_t number, usec now);

/* It had no room or no time for it: the same, but it is counted as dropped and not as broken. */
void video_decoder_dropped(struct video *video, uint64_t number, usec now);

/* A key frame is wanted (a recording begins, a sink was put in): asked for at a sane pace. */
void video_want_key_frame(struct video *video, usec now);

/* --- time -- */

/* Sends what is due, hands out frames whose predecessors will not come, looks at the uplink's
 * target. Call it with every media tick and when video_next_deadline() says. */
void video_tick(struct video *video, usec now);

/* When video_tick() has something to do; up to 10 ms later does no harm. */
usec video_next_deadline(const struct video *video);

/* Says goodbye (RTCP BYE); afterwards nothing is sent any more. */
void video_bye(struct video *video, usec now);

/* When the peer's media or reports on this stream last came; USEC_NEVER: not yet. */
usec video_last_heard(const struct video *video);

/* --- figures -- */

/* Fills in what is known here; 0, or as it was, stay: estimate, frames_captured, encode_time.
 * frames_dropped are those that video_send_frame() dropped, frames_decoded and decode_time what
 * video_decoder_done() told. */
void video_stats(const struct video *video, jingle_video_statistics *stats, usec now);

#endif
