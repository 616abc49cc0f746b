/* What session_orders.c (calls) and session_video.c (their video) share of an application's orders.
 *
 * A session may outlive its client. So its client is used only with the session's lock held and
 * while it has not ended, for the client's loop is not ended before all of its sessions are. */
#ifndef JINGLE_ENGINE_SESSION_ORDERS_H
#define JINGLE_ENGINE_SESSION_ORDERS_H

#include "base/mailbox.h"
#include "session.h"
#include "signaling/session.h"

/* Runs `fn` on the I/O thread and waits for it. False if the session has ended: nothing was run. */
bool session_run(jingle_session *session, mailbox_fn fn, void *arg);

/* `out` becomes what `given` says; sources and sinks are ours from here on, also on failure, but
 * not if `given` was never set up. */
jingle_status session_video_read(const jingle_video_config *given, jingle_video_config *out);
/* Frees what nobody took over. */
void session_video_drop(jingle_video_config *settings);
/* The video that is offered with, or accepted from, a call: a medium for the signalling half.
 * `video` gets a new identity and the settings. rtp_description_clear() `description`. */
struct session_media session_video_media(struct session_video *video, const char *cname,
                                         jingle_video_config *settings,
                                         struct rtp_description *description);

#endif
