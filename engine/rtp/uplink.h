/* The sending side of a link (one transport): everything that goes out over it passes here, so that
 * voice and video share one estimate of what the path carries.
 *
 *     uplink_send_audio ──────────────────────────────────────┐ at once
 *     uplink_enqueue ─▶ queue (retransmissions, new, padding) ─┴▶ stamps ─▶ hooks.send_rtp
 *           ▲              paced by uplink_tick               └▶ history     stream.left
 *     stream.pad ◀─ probes
 *     uplink_receive_rtcp ─▶ transport-wide feedback, REMB, reports ─▶ estimate ─▶ hooks.target
 *
 * The estimate is in the manner of Google Congestion Control (Carlucci et al. 2017;
 * draft-ietf-rmcat-gcc-02): it follows growing delay, keeps to what is acknowledged, cuts for loss
 * that is more than chance, and probes where it may be too low. With transport-wide feedback it is
 * made here; a peer without it tells its own by REMB; with neither, loss alone counts.
 *
 * Pure: no socket, thread or clock. `now` never goes back. Nothing is allocated after uplink_new()
 * but the queue's pool with the first stream that is paced. Not for two threads at once. Hooks must
 * not free the uplink; all of them but hooks.send_rtp
 * may call uplink_enqueue(). */
#ifndef JINGLE_RTP_UPLINK_H
#define JINGLE_RTP_UPLINK_H

#include "base/clock.h"
#include "base/log.h"
#include "rtp/rtcp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UPLINK_PACKET_MAX  1200 /* bytes of RTP */
#define UPLINK_TAIL        64   /* room behind a packet in hooks.send_rtp, for SRTP's tag */
#define UPLINK_STREAMS_MAX 8
#define UPLINK_QUEUE_MAX   768    /* packets that wait: about 900 kB */
#define UPLINK_START       300000 /* bit/s */
#define UPLINK_LEAST       50000
#define UPLINK_MOST        8000000
#define UPLINK_OVERHEAD    44 /* bytes: IPv4, UDP, and the tag of AEAD_AES_128_GCM */

/* In the order in which they leave. */
enum uplink_kind {
    UPLINK_RETRANSMISSION,
    UPLINK_NEW,
    UPLINK_PADDING,
};

/* What the path carries. */
struct uplink_target {
    uint32_t estimate; /* bit/s of everything, counted as on the wire (with UPLINK_OVERHEAD) */
    /* bit/s that an encoder may make for the streams that are paced: the estimate less the voice,
     * headers and retransmissions of the last second. 0 if the voice needs it all: then video
     * pauses, and probes find out when it may go on; without transport-wide feedback never less
     * than 30000, for nothing else could find that out. Divide it if there are several streams. */
    uint32_t video;
    double loss;     /* share of packets lost lately, 0 to 1 */
    usec round_trip; /* -1 while unknown */
};

struct uplink_hooks {
    void *user;
    /* `packet` may be changed and grown by up to UPLINK_TAIL bytes until the hook returns. */
    void (*send_rtp)(void *user, uint8_t *packet, size_t bytes);
    /* The target changed (at most some 20 times a second). May be NULL. */
    void (*target)(void *user, const struct uplink_target *target);
};

struct uplink_config {
    uint32_t start;    /* bit/s; 0: UPLINK_START */
    uint32_t least;    /* 0: UPLINK_LEAST */
    uint32_t most;     /* 0: UPLINK_MOST; the user's wish or what the peer's description allows */
    unsigned overhead; /* bytes a packet below RTP; 0: UPLINK_OVERHEAD */
    usec wall_offset;  /* clock_wall() - clock_now(), as in our sender reports: for round trips */
    const struct logger *log; /* may be NULL */
    struct uplink_hooks hooks;
};

/* Something that sends over the link. */
struct uplink_stream {
    /* Ids of header extensions (RFC 8285), 0 for none. A packet that has the element gets its value
     * when it leaves; the element's bytes are whatever they were when it was enqueued. */
    uint8_t transport_sequence; /* 2 bytes */
    uint8_t send_time;          /* abs-send-time, 3 bytes */
    bool paced;                 /* video: goes through the queue */
    void *user;
    /* The packet that was enqueued with this tag left just now. May be NULL. */
    void (*left)(void *user, uint32_t tag, enum uplink_kind kind, usec now);
    /* Packets of about `bytes` in all (at least one, if any can be made) to be enqueued as
     * UPLINK_PADDING within this call: what was sent lately again over rtx (RFC 4588), or packets
     * of nothing but padding. NULL: this stream makes none, and probes are of real packets only. */
    void (*pad)(void *user, size_t bytes, usec now);
};

struct uplink;

jingle_status uplink_new(const struct uplink_config *config, struct uplink **uplink);
void uplink_free(struct uplink *uplink);

/* Copies `stream`; `*id` is what the functions below want. JINGLE_ERROR_LIMIT if there are
 * UPLINK_STREAMS_MAX. Removing one drops what it has in the queue (without stream.left). */
jingle_status uplink_add_stream(struct uplink *uplink, const struct uplink_stream *stream,
                                unsigned *id);
void uplink_remove_stream(struct uplink *uplink, unsigned id);

/* --- packets -- */

/* Sends it at once, whatever waits. `packet` has UPLINK_TAIL bytes of room behind and is stamped in
 * place. */
void uplink_send_audio(struct uplink *uplink, unsigned id, uint8_t *packet, size_t bytes, usec now);

/* Copies the packet into the queue; it leaves in some uplink_tick(), or at once if the pace allows
 * it. False if there is no room (UPLINK_QUEUE_MAX) or it is longer than UPLINK_PACKET_MAX: then it
 * is not sent at all. `tag` comes back in stream.left. */
bool uplink_enqueue(struct uplink *uplink, unsigned id, enum uplink_kind kind,
                    const uint8_t *packet, size_t bytes, uint32_t tag, usec now);

/* Drops the stream's new packets that wait (a key frame makes them useless); returns their count.
 * stream.left is not called for them. */
size_t uplink_drop(struct uplink *uplink, unsigned id);

/* How long what waits will take to leave. An encoder should skip frames while this is above some
 * 100 ms; the pace rises by itself, up to a limit, when more than 500 ms wait. */
usec uplink_queue_time(const struct uplink *uplink);
size_t uplink_queue_packets(const struct uplink *uplink);
size_t uplink_queue_bytes(const struct uplink *uplink);

/* --- time -- */

/* Sends what is due, and backs off where feedback stays away. */
void uplink_tick(struct uplink *uplink, usec now);

/* When uplink_tick() has something to do; USEC_NEVER: not before another call. While packets wait
 * this is a few milliseconds away, and punctuality matters: a tick that is late by x makes a burst
 * of x. */
usec uplink_next_deadline(const struct uplink *uplink);

/* --- what the peer tells -- */

/* A message of the peer's RTCP: transport-wide feedback, REMB and reports about our streams are
 * used, others ignored. */
void uplink_receive_rtcp(struct uplink *uplink, const struct rtcp_message *message, usec now);

/* --- what is wanted -- */

/* Other limits than those of the config; 0 as there. */
void uplink_set_limits(struct uplink *uplink, uint32_t least, uint32_t most, usec now);

/* What video would make if it were let, bit/s; 0 (as at the start): no video is sent. Probes look
 * for no more than the call can use, and for nothing while this is 0. Unlike uplink_set_limits() it
 * caps nothing. */
void uplink_set_wanted(struct uplink *uplink, uint32_t bitrate, usec now);

/* The path is another one (another pair after an ICE restart): the estimate begins anew. What waits
 * in the queue stays. */
void uplink_path_changed(struct uplink *uplink, usec now);

/* --- figures -- */

void uplink_target(const struct uplink *uplink, struct uplink_target *target);
usec uplink_round_trip(const struct uplink *uplink); /* -1 while unknown */

/* What holds the estimate. */
enum uplink_limit {
    UPLINK_LIMIT_NONE, /* it grows, or nothing more is wanted */
    UPLINK_LIMIT_DELAY,
    UPLINK_LIMIT_LOSS,
    UPLINK_LIMIT_PEER,    /* REMB */
    UPLINK_LIMIT_CONFIG,  /* the most that is allowed */
    UPLINK_LIMIT_SILENCE, /* feedback stays away */
};

struct uplink_stats {
    uint32_t estimate;     /* bit/s */
    uint32_t acknowledged; /* bit/s that arrived lately; 0 while unknown */
    uint32_t sent;         /* bit/s of the last second, as on the wire */
    uint32_t sent_video;   /* of this: new packets of paced streams, */
    uint32_t sent_again;   /* retransmissions */
    uint32_t sent_padding; /* and padding */
    double loss;           /* 0 to 1 */
    usec round_trip;       /* -1 while unknown */
    usec queue_time;
    enum uplink_limit limit;
    uint64_t packets; /* all that left */
    uint64_t bytes;   /* of RTP */
    uint64_t bytes_again;
    uint64_t bytes_padding;
    uint64_t packets_dropped;  /* no room in the queue, or uplink_drop() */
    uint64_t probes;           /* clusters sent */
    uint64_t feedback;         /* transport-wide messages taken */
    uint64_t feedback_refused; /* that told of what was never sent */
};

void uplink_stats(const struct uplink *uplink, struct uplink_stats *stats);

#endif
