/* The whole two-way voice stream of one call: samples and packets in, packets and samples out.
 *
 *     voice_capture ─▶ frames of ptime ─▶ encoder ─▶ RTP ─────────────────▶ hooks.send_rtp
 *                          digits (RFC 4733) ┘        │ counts
 *     voice_tick ──────────────────────────▶ RTCP reports ───────────────▶ hooks.send_rtcp
 *                                                     │ loss, round trip
 *     voice_receive_rtcp ─▶ the peer's reports ───────┘─▶ FEC of the encoder
 *     voice_receive_rtp ─▶ validation ─▶ playout ─▶ voice_pull
 *                                └─▶ digits ─▶ hooks.digit
 *
 * Pure: no socket, thread or clock. `now` never goes back. Packets here are plain RTP and RTCP
 * (RFC 3550, RFC 7587); SRTP is below. Nothing is allocated after voice_new() and
 * voice_set_sending(), but a decoder when the first packet of a codec comes. Not for two threads at
 * once. */
#ifndef JINGLE_RTP_VOICE_H
#define JINGLE_RTP_VOICE_H

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "codecs/codec.h"
#include "rtp/playout.h"
#include "rtp/sync.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Free room behind every packet that the hooks get, for the tags of SRTP and SRTCP. */
#define VOICE_TAIL 64

/* The longest packet that is ever sent, without the tail: fits an Ethernet frame in a tunnel. */
#define VOICE_PACKET_MAX 1200

#define VOICE_PAYLOADS_MAX  32 /* entries of the receive table */
#define VOICE_EVENTS_MAX    4  /* telephone-event payload types */
#define VOICE_MID_MAX       16 /* bytes of a mid */
#define VOICE_DIGITS_MAX    64 /* digits that wait to be sent */
#define VOICE_PTIME_DEFAULT 20 /* ms */
#define VOICE_PTIME_MAX     60 /* ms */

/* A payload type that we announced, so that the peer may send it. */
struct voice_payload {
    uint8_t payload_type;
    const struct audio_codec *codec;
};

/* A telephone-event payload type (RFC 4733). */
struct voice_event_payload {
    uint8_t payload_type; /* 0: none */
    uint32_t rate;        /* its clock rate */
};

/* What we send: the first codec of the peer that we have, with its parameters. */
struct voice_sending {
    const struct audio_codec *codec;
    uint8_t payload_type;
    uint32_t bitrate;  /* bit/s; 0: the codec's default */
    unsigned channels; /* 0: 1 */
    unsigned ptime;    /* ms a packet: 10, 20, 40 or 60; 0: 20 */
    bool fec;          /* the peer said useinbandfec=1: FEC follows the loss that it reports */
    bool dtx;          /* the peer said usedtx=1 or we want it: silence is not sent */
    struct voice_event_payload events; /* the one whose rate is the codec's, if there is one */
};

/* Header extensions (RFC 8285): ids 1 to 255, 0 for none. */
struct voice_extensions {
    uint8_t audio_level; /* urn:ietf:params:rtp-hdrext:ssrc-audio-level (RFC 6464) */
    uint8_t mid;         /* urn:ietf:params:rtp-hdrext:sdes:mid (RFC 9143) */
    /* transport-wide sequence number; room for it is left in each packet, for rtp/uplink.h */
    uint8_t transport_sequence;
    char mid_value[VOICE_MID_MAX + 1];
};

struct voice_hooks {
    void *user;
    /* `packet` may be changed and grown by up to VOICE_TAIL bytes until the hook returns. */
    void (*send_rtp)(void *user, uint8_t *packet, size_t bytes);
    void (*send_rtcp)(void *user, uint8_t *packet, size_t bytes);
    /* The peer pressed 0-9 * # A-D and released it; once a digit. May be NULL. */
    void (*digit)(void *user, char digit, usec duration);
    /* The peer's source said goodbye (RTCP BYE) and no other took its place. May be NULL. */
    void (*bye)(void *user);
};

struct voice_config {
    uint32_t ssrc;     /* ours */
    const char *cname; /* ours (RFC 7022); copied */
    struct voice_sending sending;
    unsigned playout_channels; /* 1 or 2 */
    struct voice_payload receive[VOICE_PAYLOADS_MAX];
    size_t receive_count;
    struct voice_event_payload receive_events[VOICE_EVENTS_MAX];
    size_t receive_event_count;
    struct voice_extensions extensions;
    bool has_remote_ssrc; /* the peer announced its source: until it is heard, */
    uint32_t remote_ssrc; /* no goodbye of another one counts */
    usec wall_offset;     /* clock_wall() - clock_now(): for the NTP time in sender reports */
    struct random_source random;
    const struct logger *log; /* may be NULL */
    struct voice_hooks hooks;
};

struct voice;

/* NULL config fields that must be there, or a codec that fails to open, are errors. */
jingle_status voice_new(const struct voice_config *config, struct voice **voice);
void voice_free(struct voice *voice);

/* Changes what is sent (a new answer, description-info); on failure all stays as it was. */
jingle_status voice_set_sending(struct voice *voice, const struct voice_sending *sending);

/* --- capture -- */

/* What voice_capture() takes; changes only with voice_set_sending(). */
uint32_t voice_capture_rate(const struct voice *voice);
unsigned voice_capture_channels(const struct voice *voice);
usec voice_ptime(const struct voice *voice);

/* Any number of frames (a frame is one sample a channel), interleaved. Whenever a packet's time is
 * full it is encoded and sent. A pause of the source moves the time stamps on. */
void voice_capture(struct voice *voice, const int16_t *samples, size_t frames, usec now);

/* Sends silence in place of the samples. */
void voice_set_mute(struct voice *voice, bool on);

/* We hold the call: nothing is sent and nothing is played, RTCP goes on. */
void voice_set_hold(struct voice *voice, bool on);

/* The peer said that it holds: nothing is sent to it, what does not come is not missed, and what
 * comes is played: there may be music (XEP-0167, 8.2). */
void voice_set_peer_hold(struct voice *voice, bool on);

/* Other streams come and go on the same transport (BUNDLE): what is said of one that was neither
 * announced nor heard may be about those. */
void voice_share_transport(struct voice *voice);

/* Sends a digit after those before it, in the time of the packets that voice_capture() fills.
 * JINGLE_ERROR_UNSUPPORTED without an event payload type, JINGLE_ERROR_INVALID for what is no
 * digit, JINGLE_ERROR_LIMIT when too many wait. */
jingle_status voice_send_digit(struct voice *voice, char digit);

/* --- playout -- */

/* The next 10 ms, at the rate of the codec that is heard now (`out->rate`). */
void voice_pull(struct voice *voice, struct playout_sound *out, usec now);

/* When the peer's sound is heard: what voice_pull() gave last, `latency` after it gave it (for the
 * loudspeaker's buffers). Unknown before the peer's first sender report and while nothing plays. */
void voice_sync(const struct voice *voice, usec latency, struct sync_reference *reference);

/* --- network -- */

/* A packet that SRTP found authentic. It is read before the call returns. */
void voice_receive_rtp(struct voice *voice, const uint8_t *packet, size_t bytes, usec now);
void voice_receive_rtcp(struct voice *voice, const uint8_t *packet, size_t bytes, usec now);

/* Sends reports that are due and finds out what did not come. Call it with every media tick; it
 * costs nothing while nothing is due. */
void voice_tick(struct voice *voice, usec now);

/* When voice_tick() has something to do; up to 50 ms later does no harm. */
usec voice_next_deadline(const struct voice *voice);

/* Says goodbye (RTCP BYE); afterwards nothing is sent any more. */
void voice_bye(struct voice *voice, usec now);

/* When the peer's media or reports last came; USEC_NEVER: not yet. For the judgement of the path.
 */
usec voice_last_heard(const struct voice *voice);

/* When the peer's first voice packet was decoded into voice_pull(); USEC_NEVER: not yet. */
usec voice_first_played(const struct voice *voice);

/* --- figures -- */

/* As in jingle_statistics, of which these are the parts that media knows. */
struct voice_stats {
    uint64_t packets_sent;
    uint64_t bytes_sent; /* RTP with its headers, without SRTP's tag */
    uint64_t packets_lost_remote;
    usec jitter_remote;
    usec round_trip; /* -1 while unknown */
    uint64_t packets_received;
    uint64_t bytes_received;
    uint64_t packets_lost;
    uint64_t packets_late;
    uint64_t packets_discarded; /* malformed, from a wrong source or not negotiated */
    usec jitter;
    uint64_t samples_played; /* at 48 kHz, a channel, and so are the next four */
    uint64_t samples_concealed;
    uint64_t samples_recovered;
    uint64_t samples_stretched;
    uint64_t samples_shrunk;
    usec buffer_delay;
    double level_sent;     /* 0 to 1, peak of the last second */
    double level_received; /* the same of what was played */
    int level_announced;   /* the peer's RFC 6464 level in dBov, -127 to 0; 1 if it sends none */
    uint64_t bitrate_sent; /* of the last second */
    uint64_t bitrate_received;
    unsigned expected_loss;   /* percent that the encoder's FEC is set for */
    uint64_t digits_received; /* and told to the hook */
    uint64_t source_changes;  /* how often the peer's SSRC changed */
    uint64_t reports_received;
    const struct audio_codec *codec_sent;
    const struct audio_codec *codec_received; /* NULL before the first packet */
};

void voice_stats(const struct voice *voice, struct voice_stats *stats);

#endif
