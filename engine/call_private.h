/* What the files of a call's media half share. All of it belongs to the call's media thread.
 *
 *     call.c             its life: begin, what was agreed on, end
 *     call_sound.c       the voice: samples ⇄ rtp/voice.h
 *     call_pictures.c    the video: coded frames ⇄ rtp/video.h
 *     call_recording.c   what came, to a file
 *     call_transport.c   a way to the peer: packets ⇄ transport/link.h
 *     call_negotiated.c  what was agreed on: which content goes which way
 *     call_orders.c      what the I/O thread asks for
 *     call_report.c      what the I/O thread and the application hear
 *     call_statistics.c  a second of a call */
#ifndef JINGLE_ENGINE_CALL_PRIVATE_H
#define JINGLE_ENGINE_CALL_PRIVATE_H

#include "call.h"
#include "call_pictures.h"
#include "call_transport.h"
#include "rtp/sync.h"
#include "transport/poller.h"

/* The voice and, where the peer does not bundle, the pictures have one each. */
#define CALL_TRANSPORTS_MAX 2

struct audio;
struct voice;
struct webm_recording;

/* The voice of a call. */
struct call_sound {
    struct call_transport *transport; /* NULL before it is agreed on */
    struct voice *voice;              /* the same */
    struct audio *audio;
    uint64_t opus[2]; /* bits: payload types that are Opus */
    bool may_send;    /* by the content's `senders` */
    bool we_receive;  /* the same */
    bool sends_rtcp;  /* with encryption it has no other way than the one of RTP */
    bool muted;
    bool peer_mutes;
    bool started;
};

struct call {
    struct call_config config;
    struct call_transport transports[CALL_TRANSPORTS_MAX]; /* the first is there from the start */
    struct call_sound sound;
    struct call_pictures *pictures;    /* NULL without */
    struct webm_recording *recording;  /* the same */
    usec recording_wish;               /* when a key frame was last asked for */
    struct poller_timer timer;         /* playback and what else is periodic */
    struct poller_timer capture_timer; /* gives way: what is to be heard cannot wait */
    bool held;
    bool peer_holds;
    bool ended;
    usec started_at;
    usec next_statistics;
};

/* call.c */

/* Does what is due, and sets the timer for what comes next. */
void call_tick(struct call *call);
/* Packets came or are to go: sees to it that what is due about them is done in time. */
void call_look_at_packets(struct call *call);
/* Whether the peer should be heard now, by all that is known. */
void call_expect_media(struct call *call);
/* The call cannot go on: the I/O thread ends it. */
void call_fail(struct call *call, jingle_reason reason);
/* Closes the pictures, and their transport if it carries nothing else. */
void call_close_pictures(struct call *call, bool bye);
/* Closes what was opened for pictures that are not wanted. */
void call_drop_spare_transports(struct call *call);

/* What a transport says. */
void call_on_link_state(struct call *call, struct call_transport *transport, enum link_state state,
                        jingle_reason reason);
void call_on_closed_by_peer(struct call *call, struct call_transport *transport);
void call_on_rtp(struct call *call, struct call_transport *transport, enum call_content content,
                 uint8_t *packet, size_t bytes, usec now);
void call_on_rtcp(struct call *call, struct call_transport *transport, uint8_t *packet,
                  size_t bytes, usec now);

/* call_negotiated.c */

/* The transport of this name; the first one if it has none yet. NULL: there is none. */
struct call_transport *call_find_transport(struct call *call, const char *name);

/* call_sound.c */

/* On this transport. */
bool call_sound_make(struct call *call, struct call_transport *transport,
                     const struct rtp_agreement *agreement, const char *content);
/* As soon as there is a voice and a way for it. */
void call_sound_start(struct call *call);
void call_sound_set_hold(struct call *call, bool on);
/* When the peer's sound is heard. */
void call_sound_sync(const struct call *call, struct sync_reference *reference);
/* Returns when it wants to be run again. */
usec call_sound_tick(struct call *call, usec now);
void call_sound_capture(struct call *call);
/* Says goodbye; closing devices and files is left to call_sound_free(). */
void call_sound_stop(struct call *call, usec now);
/* On a thread that may wait. */
void call_sound_free(struct call *call);

/* call_recording.c */

void call_recording_take_sound(struct call *call, const uint8_t *packet, size_t bytes, usec now);
void call_recording_take_frame(struct call *call, const struct coded_frame *frame,
                               const struct video_frame_info *info);
/* Asks for a key frame where the recording needs one. */
void call_recording_tick(struct call *call, usec now);
/* Completes the file, on the closer's thread. */
void call_recording_close(struct call *call);

/* call_report.c: each of these reaches a hook on the I/O thread. */

void call_report_transport(struct call *call, const char *content,
                           const struct ice_udp_transport *transport);
void call_report_candidate(struct call *call, const char *content,
                           const struct ice_candidate *candidate);
void call_report_state(struct call *call, enum link_state state, jingle_reason reason);
void call_report_hung_up(struct call *call);
/* The pictures cannot go on; the call can. */
void call_report_pictures_failed(struct call *call, jingle_status status);
void call_report_closed(struct call *call);
/* Any thread. */
void call_tell_application(struct call *call, jingle_event *event);

/* call_statistics.c */

void call_statistics_start(struct call *call, usec now);
/* Publishes when a second has passed. */
void call_statistics_tick(struct call *call, usec now);
void call_statistics_publish(struct call *call, usec now);

#endif
