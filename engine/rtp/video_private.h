/* What the files of a video stream share: video.c (life, RTCP, figures), video_send.c (from frames
 * to packets), video_again.c (retransmissions, padding), video_target.c (the encoder's orders),
 * video_receive.c (from packets to frames), video_frames.c (frames in order and time). */
#ifndef JINGLE_RTP_VIDEO_PRIVATE_H
#define JINGLE_RTP_VIDEO_PRIVATE_H

#include "rtp/frame_buffer.h"
#include "rtp/frame_order.h"
#include "rtp/frame_timing.h"
#include "rtp/freeze.h"
#include "rtp/key_frame_pace.h"
#include "rtp/key_frame_request.h"
#include "rtp/ladder.h"
#include "rtp/nack_list.h"
#include "rtp/packet.h"
#include "rtp/packet_history.h"
#include "rtp/rate_meter.h"
#include "rtp/receive_stream.h"
#include "rtp/report.h"
#include "rtp/rtcp.h"
#include "rtp/send_stream.h"
#include "rtp/video.h"

/* Assumed before anything is measured. */
#define ROUND_TRIP_FIRST (150 * USEC_PER_MS)

/* RFC 4588, section 4: the original sequence number before a payload. */
#define VIDEO_OSN_BYTES 2

struct video_sender {
    struct video_sending sending; /* as it is now */
    unsigned stream;              /* in the uplink */
    struct send_stream sent;
    struct send_stream again; /* over rtx */
    struct packet_history history;
    struct key_frame_pace key_frames;
    struct video_input input;
    struct ladder ladder;
    struct video_target target; /* as told */
    bool muted;
    bool broken;     /* a frame that others need was not sent */
    int64_t started; /* capture time that the first time stamp stands for; begun: any was sent */
    bool begun;
    uint32_t first_timestamp;
    uint32_t wanted;  /* as the uplink was told */
    double backlog;   /* what was sent that the target had no room for, seconds */
    usec drained;     /* when this was last reckoned */
    double allowance; /* bytes that may be sent again */
    usec allowed;
    usec looked; /* when the uplink's target was last looked at */
    uint8_t fir_request;
    bool fir_known;
    uint32_t width, height; /* of the last frame */
    uint64_t frames, key_frames_sent, dropped, asked, repeated, repeated_bytes;
    struct rate_meter bytes_meter, frames_meter;
};

struct video_receiver {
    struct receive_stream stream;
    struct receive_stream again; /* rtx */
    struct frame_buffer buffer;
    struct frame_order order;
    struct nack_list missing;
    struct frame_timing timing;
    struct key_frame_request request;
    struct freeze freeze;
    struct sync_clock clock; /* the peer's */
    struct sync_reference sound;
    const struct video_codec *codec;
    bool peer_holds;
    bool malformed_logged, unknown_logged;
    uint32_t newest; /* time stamp, of the packet with the highest number */
    usec heard;      /* the last packet with something in it; USEC_NEVER: not yet */
    int64_t newest_sequence;
    usec decodable;   /* since when the last frame could be decoded */
    usec blocked;     /* packets came since then, the first of them now; USEC_NEVER: none did */
    usec key_since;   /* a key frame is missing since; USEC_NEVER: none is */
    bool key_begun;   /* and a packet that begins one came */
    bool may_request; /* a key frame, at the last tick; */
    bool may_ask;     /* the same for packets that are missing */
    usec wake;        /* when a frame is to be looked at again; USEC_NEVER */
    uint64_t number;  /* of the last frame that was handed out */
    uint64_t last_key;
    double frame_allowance; /* frames that may be handed out now */
    usec frame_allowed;
    uint8_t fir_request;
    uint32_t width, height;
    usec bye_heard; /* USEC_NEVER: no goodbye waits for another source */
    uint64_t discarded, recovered, dropped, broken, decoded, key_frames, requested, nacks;
    struct rate_meter bytes_meter, frames_meter;
    struct mean_meter decode_time, buffer_delay;
};

struct video {
    struct video_config config;
    char cname[RTCP_TEXT_MAX + 1];
    struct uplink *uplink;
    struct report report;
    usec last_heard;
    bool held;
    bool said_bye;
    struct video_sender out;
    struct video_receiver in;
};

/* --- video.c -- */

/* -1 is never returned: something is assumed at first. */
usec video_round_trip(const struct video *video);

/* Sends one RTCP packet with these feedback messages in it. */
void video_send_feedback(struct video *video, const uint8_t *messages, size_t bytes);

/* --- video_send.c -- */

jingle_status sender_open(struct video *video);
void sender_close(struct video *video);

/* Whether frames are to be sent at all. */
bool sender_active(const struct video *video);

/* Nothing but a key frame is sent from here on, and the encoder is to make one. */
void sender_break_off(struct video *video);

/* The header of the next packet, with its extensions. Returns its size. */
size_t sender_write_header(const struct video *video, struct packet_header *header, uint8_t *out,
                           size_t capacity);

/* --- video_again.c -- */

/* The peer misses packets of ours. */
void sender_nack(struct video *video, const uint16_t *sequences, size_t count, usec now);

/* The uplink's stream.pad. */
void sender_pad(void *user, size_t bytes, usec now);

/* --- video_target.c -- */

/* Begins anew with this input and these limits. */
void sender_open_ladder(struct video_sender *out);

/* Bytes of a frame were sent: against the target. */
void sender_count(struct video_sender *out, size_t bytes, usec now);

/* Looks at the path, and tells the encoder if something changed. */
void sender_look(struct video *video, usec now);

/* Hold, mute, input or codec changed. */
void sender_update(struct video *video, usec now);

/* The peer asks for a key frame. */
void sender_asked(struct video *video, usec now);
void sender_tick(struct video *video, usec now);
usec sender_deadline(const struct video *video);

/* --- video_frames.c -- */

/* Hands out what can be decoded now. */
void receiver_hand_out(struct video *video, usec now);

/* Nothing but a key frame helps. */
void receiver_need_key(struct video *video, usec now);

/* Asks for a key frame, if one is wanted and it is time; whether there is somebody to ask. */
void receiver_ask_key(struct video *video, usec now);
bool receiver_may_ask_key(const struct video *video, usec now);

/* --- video_receive.c -- */

jingle_status receiver_open(struct video *video);
void receiver_close(struct video *video);
void receiver_tick(struct video *video, usec now);
usec receiver_deadline(const struct video *video);

/* Nothing that came is of use; a key frame is awaited. */
void receiver_restart(struct video *video);
void receiver_bye(struct video *video, const struct rtcp_message *message, usec now);

#endif
