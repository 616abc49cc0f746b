/* The handle that an application holds of a call: a counted reference with what may be asked from
 * any thread. The call itself is made of two halves that live on threads of their own:
 *
 *     I/O thread    struct account_call   who is called, what is agreed     (signaling/account.h)
 *     media thread  struct call           ICE, DTLS, RTP, sound             (call.h)
 */
#ifndef JINGLE_ENGINE_SESSION_H
#define JINGLE_ENGINE_SESSION_H

#include "base/clock.h"
#include "call_video.h"
#include "call_voice.h"
#include "signaling/ice_udp.h"

#include <jingle/jingle.h>

#include <glib.h>
#include <pthread.h>
#include <stdatomic.h>

/* What we call the contents that we offer. */
#define CONTENT_AUDIO "audio"
#define CONTENT_VIDEO "video"

struct account_call;
struct call;
struct media_thread;
struct picture_buffer;
struct video_render;

enum session_stage {
    STAGE_CALLING,  /* outgoing, until the answer */
    STAGE_INCOMING, /* incoming, until the answer */
    STAGE_ANSWERED,
    STAGE_ENDED,
};

enum session_video_state {
    VIDEO_NONE,
    VIDEO_ASKED,    /* we did; an answer is awaited */
    VIDEO_OFFERED,  /* the peer did; the application's answer is awaited */
    VIDEO_REPLACED, /* we asked, and the peer did so at the same time: its offer is about to come */
    VIDEO_AGREED,
    VIDEO_RESTING, /* agreed on, and taken away as far as the peer's client can take that */
};

/* The video of a session, on the I/O thread. */
struct session_video {
    enum session_video_state state;
    char *content; /* its name; NULL while there is none */
    struct call_video_identity identity;
    jingle_video_config settings; /* sources and sinks until the media half takes them over */
    bool has_source;
    bool we_send;           /* by `senders`: may */
    bool we_receive;        /* the same */
    bool muted;             /* by us: the application's wish */
    bool stopped;           /* we do not send, which could not be said by `senders` */
    bool told_muted;        /* and what the peer knows */
    usec replaced_deadline; /* VIDEO_REPLACED: for the peer's offer */
};

struct jingle_session {
    _Atomic int references;
    jingle_client *client; /* gone some time after STAGE_ENDED: see session_orders.c */
    _Atomic(void *) user;

    pthread_mutex_t lock; /* what follows is written by the engine and read by the application */
    enum session_stage stage;
    bool encrypted;
    bool takes_digits;
    bool hears_opus;             /* what comes can be recorded */
    struct video_render *render; /* the last one; a reference */
    char *peer;                  /* bare at first; what was once given out is kept until the end */
    char *peer_before;
    char *name; /* of the peer; set once, before the application knows of it */
    const char *id;
    jingle_statistics statistics;
    GHashTable *statistics_text; /* each once */
    size_t statistics_text_bytes;

    /* the I/O thread only */
    struct account_call *signaling; /* NULL once it ended */
    struct call *media;
    struct media_thread *thread;
    struct call_voice_identity identity;
    jingle_session_config settings;     /* until the media half takes them over */
    char *content;                      /* the name of the audio content, once it is known */
    char *first_transport;              /* the name of the first transport, once it is known */
    struct ice_udp_transport transport; /* ours, while there is no such name */
    struct session_video video;
    bool connected;
    bool follows_network; /* their client can: a restart of ICE */
    bool muted;           /* by us */
    bool holds;           /* we do */
    bool peer_holds;
    bool hung_up; /* the peer did, in the media path */
    usec hung_up_deadline;
    usec answered_at;
    jingle_reason ended_reason;
    jingle_party ended_by;
    jingle_status ended_status; /* says more than the reason; OK: nothing more */
};

/* With one reference. */
jingle_session *jingle_session_new(jingle_client *client, const char *peer, const char *id,
                                   enum session_stage stage);

enum session_stage jingle_session_stage(jingle_session *session);
void jingle_session_set_stage(jingle_session *session, enum session_stage stage);
/* Both are learned late, once. */
void jingle_session_set_id(jingle_session *session, const char *id);
void jingle_session_set_peer(jingle_session *session, const char *peer);
/* Before the application knows of the session: what to call the peer. */
void jingle_session_set_name(jingle_session *session, const char *name);
/* Before anything is agreed on. */
void jingle_session_set_unencrypted(jingle_session *session);

/* Any engine thread: what jingle_session_statistics() answers from now on. */
void jingle_session_publish(jingle_session *session, const jingle_statistics *statistics);

/* Any engine thread: whose picture jingle_session_snapshot() saves from now on. */
void jingle_session_set_render(jingle_session *session, struct video_render *render);

#endif
