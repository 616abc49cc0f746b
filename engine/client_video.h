/* The video of a client's sessions, on the I/O thread: joins contents that come and go in the
 * signalling half (signaling/account.h) to the pictures of the media half (call.h).
 *
 *     NONE ─▶ ASKED ───┐             what the peer knows: senders (content-modify) where its client
 *      │  ─▶ OFFERED ──┴▶ AGREED     can take that, else mute and unmute (XEP-0167)
 *      ◀──────────────────┘ └▶ RESTING */
#ifndef JINGLE_ENGINE_CLIENT_VIDEO_H
#define JINGLE_ENGINE_CLIENT_VIDEO_H

#include "session.h"
#include "signaling/account.h"

/* Is the content that an event is about our video? */
bool client_video_is(const jingle_session *session, const char *content);
/* Or, of one that is new to us, is it video at all? */
bool client_video_is_agreement(const struct rtp_agreement *agreement);

/* What the signalling half says. */
void client_video_negotiated(jingle_session *session, const struct account_event *event);
void client_video_content(jingle_session *session, const struct account_event *event);
void client_video_senders(jingle_session *session, bool we_send, bool we_receive);
void client_video_peer_mute(jingle_session *session, bool on);
/* Media flows: what could not be said before. */
void client_video_connected(jingle_session *session);

/* An offer that should have come in place of ours may never come. */
void client_video_tick(jingle_session *session, usec now);
usec client_video_deadline(const jingle_session *session);

/* What the media half says. */
void client_video_failed(jingle_session *session, jingle_status status);

/* What the application asks for. */
void client_video_replace(jingle_session *session, jingle_video_config *settings);
void client_video_set_source(jingle_session *session, jingle_video_source *source);
void client_video_set_mute(jingle_session *session, bool on);
void client_video_set_direction(jingle_session *session, bool send, bool receive);
jingle_status client_video_stop(jingle_session *session);

/* There is none any more: frees what was not used. */
void client_video_forget(jingle_session *session);

#endif
