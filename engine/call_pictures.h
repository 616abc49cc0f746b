/* The pictures of a call: joins the video stream (rtp/video.h) to the threads that take and encode,
 * decode and show them, and to the call. Media thread only.
 *
 *     media/video_capture ─ gate ─▶ video_send_frame ─▶ uplink
 *     video's hooks.frame ─▶ media/video_render, recording
 *
 * What the other threads say comes through a gate, so that a frame that is under way when the
 * pictures are closed does no harm. */
#ifndef JINGLE_ENGINE_CALL_PICTURES_H
#define JINGLE_ENGINE_CALL_PICTURES_H

#include "base/clock.h"
#include "call_video.h"

#include <jingle/jingle.h>

struct call;
struct call_pictures;
struct call_transport;

/* What was agreed on and what the application gave. Sources and sinks are the pictures'. */
struct call_pictures_config {
    const char *content;
    const struct rtp_agreement *agreement;
    struct call_transport *transport; /* that carries it */
    struct call_video_identity identity;
    jingle_video_config settings;
};

/* NULL on failure; then what was given is freed. */
struct call_pictures *call_pictures_open(struct call *call,
                                         const struct call_pictures_config *config);

/* Says goodbye if `bye`; closing devices is left to the closer's thread. NULL is allowed. */
void call_pictures_close(struct call_pictures *pictures, bool bye);

struct call_transport *call_pictures_transport(const struct call_pictures *pictures);

/* The way is open, or something of what follows changed. */
void call_pictures_update(struct call_pictures *pictures);
void call_pictures_set_senders(struct call_pictures *pictures, bool we_send, bool we_receive);
void call_pictures_set_mute(struct call_pictures *pictures, bool on);
void call_pictures_set_peer_mute(struct call_pictures *pictures, bool on);
/* In place of the present ones those that `parts` names (call.h), which are the pictures' now. */
void call_pictures_replace(struct call_pictures *pictures, unsigned parts,
                           const jingle_video_config *settings);

void call_pictures_receive_rtp(struct call_pictures *pictures, uint8_t *packet, size_t bytes,
                               usec now);
void call_pictures_receive_rtcp(struct call_pictures *pictures, uint8_t *packet, size_t bytes,
                                usec now);
/* Does what is due. */
void call_pictures_tick(struct call_pictures *pictures, usec now);
/* When there is more; some milliseconds later do no harm. */
usec call_pictures_deadline(const struct call_pictures *pictures);
void call_pictures_want_key_frame(struct call_pictures *pictures);
void call_pictures_statistics(struct call_pictures *pictures, jingle_video_statistics *statistics,
                              usec now);

#endif
