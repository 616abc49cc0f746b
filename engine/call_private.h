/* What the files of a call's media half share. All of it belongs to the call's media thread.
 *
 *     call.c             its life: begin, what was agreed on, end
 *     call_sound.c       the voice: samples ⇄ rtp/voice.h
 *     call_transport.c   the way to the peer: packets ⇄ transport/link.h
 *     call_orders.c      what the I/O thread asks for
 *     call_report.c      what the I/O thread and the application hear
 *     call_statistics.c  a second of a call */
#ifndef JINGLE_ENGINE_CALL_PRIVATE_H
#define JINGLE_ENGINE_CALL_PRIVATE_H

#include "call.h"
#include "call_transport.h"
#include "transport/poller.h"

struct audio;
struct voice;

/* The voice of a call. */
struct call_sound {
    struct voice *voice; /* NULL before it is agreed on */
    struct audio *audio;
    bool may_send;   /* by the content's `senders` */
    bool we_receive; /* the same */
    bool rtcp_mux;   /* RTCP has no other way than the one of RTP */
    bool muted;
    bool peer_mutes;
    bool started;
};

struct call {
    struct call_config config;
    struct call_transport transport;
    struct call_sound sound;
    struct poller_timer timer;         /* playback and what else is periodic */
    struct poller_timer capture_timer; /* gives way: what is to be heard cannot wait */
    bool bundled;
    bool held;
    bool peer_holds;
    bool ended;
    usec started_at;
    usec next_statistics;
};

/* call.c */

/* Does what is due, and sets the timer for what comes next. */
void call_tick(struct call *call);
/* Whether the peer should be heard now, by all that is known. */
void call_expect_media(struct call *call);
/* The call cannot go on: the I/O thread ends it. */
void call_fail(struct call *call, jingle_reason reason);
/* Of the call's transport. */
void call_on_link_state(struct call *call, struct call_transport *transport, enum link_state state,
                        jingle_reason reason);
void call_on_rtp(struct call *call, uint8_t *packet, size_t bytes, usec now);
void call_on_rtcp(struct call *call, uint8_t *packet, size_t bytes, usec now);

/* call_sound.c */

bool call_sound_make(struct call *call, const struct rtp_agreement *agreement, const char *content);
/* As soon as there is a voice and a way for it. */
void call_sound_start(struct call *call);
void call_sound_set_hold(struct call *call, bool on);
/* Returns when it wants to be run again. */
usec call_sound_tick(struct call *call, usec now);
void call_sound_capture(struct call *call);
/* Says goodbye; closing devices and files is left to call_sound_free(). */
void call_sound_stop(struct call *call, usec now);
/* On a thread that may wait. */
void call_sound_free(struct call *call);

/* call_report.c: each of these reaches a hook on the I/O thread. */

void call_report_transport(struct call *call, const char *content,
                           const struct ice_udp_transport *transport);
void call_report_candidate(struct call *call, const char *content,
                           const struct ice_candidate *candidate);
void call_report_state(struct call *call, enum link_state state, jingle_reason reason);
void call_report_hung_up(struct call *call);
void call_report_closed(struct call *call);
/* Any thread. */
void call_tell_application(struct call *call, jingle_event *event);

/* call_statistics.c */

void call_statistics_start(struct call *call, usec now);
/* Publishes when a second has passed. */
void call_statistics_tick(struct call *call, usec now);
void call_statistics_publish(struct call *call, usec now);

#endif
