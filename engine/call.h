/* The media half of one call, on the media thread that owns it:
 *
 *     audio (media/audio.h) ⇄ voice (rtp/voice.h) ─────┐
 *     capture, render ⇄ pictures ⇄ video (rtp/video.h) ┴⇄ transport: uplink, link ⇄ network
 *
 * All functions here are called on the I/O thread and post to the media thread; what happens there
 * comes back through the hooks, on the I/O thread again. Statistics, digits and device trouble go
 * straight to the application's event queue. */
#ifndef JINGLE_ENGINE_CALL_H
#define JINGLE_ENGINE_CALL_H

#include "base/log.h"
#include "call_video.h"
#include "call_voice.h"
#include "loop.h"
#include "signaling/ice_udp.h"
#include "transport/link.h"

#include <jingle/jingle.h>

struct call;
struct events;
struct media_thread;
struct webm_recording;

/* On the I/O thread. The session is the one the call was made for. */
struct call_hooks {
    /* Our side of a transport, with the candidates found so far: at first and after a restart.
     * `content` names it; NULL: the first one, whose name is not known here yet. */
    void (*transport)(jingle_session *session, const char *content,
                      const struct ice_udp_transport *transport);
    void (*candidate)(jingle_session *session, const char *content,
                      const struct ice_candidate *candidate);
    void (*state)(jingle_session *session, enum link_state state, jingle_reason reason);
    /* The peer hung up in the media: RTCP BYE or DTLS close_notify. */
    void (*hung_up)(jingle_session *session);
    /* There can be no pictures, because of `status`; the call goes on. */
    void (*pictures_failed)(jingle_session *session, jingle_status status);
    /* After call_end(): all is closed, a recording is complete, the call is freed. */
    void (*closed)(jingle_session *session);
};

struct call_config {
    jingle_session *session; /* the call holds a reference until it is closed */
    struct events *events;
    const struct call_hooks *hooks;
    const struct logger *log;
    struct loop *io;
    struct loop *closer; /* a thread that may wait for disks and devices */
    struct media_thread *thread;
    const struct certificate *certificate;
    const struct ice_server *servers; /* copied */
    size_t server_count;
    bool controlling; /* we started the session */
    bool plain;       /* without encryption */
    bool relay_only;
    bool loopback;
    const char *interfaces; /* see base/addresses.h */
    jingle_family family;
    const char *ca_file;
    struct call_voice_identity identity;
    jingle_session_config settings; /* source and sink are the call's from here on */
};

/* Makes the first link and starts to gather. */
struct call *call_new(const struct call_config *config);

/* It turned out that their client knows no encryption: gathers anew, for that. Nothing was agreed
 * on yet. */
void call_make_plain(struct call *call);

/* What both sides agreed on for a content; see SESSION_EVENT_NEGOTIATED. */
struct call_agreed {
    const char *content;
    const char *transport; /* the name of the one that carries it: opened if it is a new name */
    const struct ice_udp_transport *credentials; /* for a new one; NULL: any */
    const struct ice_udp_transport *remote;
    const struct rtp_agreement *agreement;
    bool dtls_client;
    bool we_offered;
};

/* Sound starts when its link is up. */
void call_negotiated(struct call *call, const struct call_agreed *agreed);

/* The same for pictures, in place of those there may be. Source and sinks are the call's. */
void call_video_negotiated(struct call *call, const struct call_agreed *agreed,
                           const struct call_video_identity *identity,
                           const jingle_video_config *settings);

/* A link for a content that we are about to offer and that is not bundled. */
void call_open_transport(struct call *call, const char *name);

/* More from the peer: candidates, a late fingerprint, a restart of ICE. */
void call_remote_transport(struct call *call, const char *name,
                           const struct ice_udp_transport *remote);

/* The addresses of this computer are others than before: finds another way if need be. */
void call_network_changed(struct call *call);

/* Who may send, by the content's `senders`. */
void call_set_senders(struct call *call, bool we_send, bool we_receive);

void call_set_mute(struct call *call, bool on);
void call_set_hold(struct call *call, bool on);
void call_set_peer_hold(struct call *call, bool on);
void call_set_peer_mute(struct call *call, bool on);
void call_send_digits(struct call *call, const char *digits);

void call_video_stop(struct call *call);
void call_video_set_senders(struct call *call, bool we_send, bool we_receive);
void call_video_set_mute(struct call *call, bool on);
void call_video_set_peer_mute(struct call *call, bool on);

/* Which of a jingle_video_config's parts are put in place of the present ones. */
enum call_video_part {
    CALL_VIDEO_SOURCE = 1 << 0,
    CALL_VIDEO_SINK = 1 << 1,
    CALL_VIDEO_SELF_VIEW = 1 << 2,
};

/* The parts named are the call's from here on. */
void call_video_replace(struct call *call, unsigned parts, const jingle_video_config *settings);

/* Takes it over in place of the one before, which is completed. NULL: none. */
void call_record(struct call *call, struct webm_recording *recording);

/* Ends media: RTCP BYE and close_notify are sent if the link is up. The pointer is not used any
 * more; hooks.closed follows. */
void call_end(struct call *call);

#endif
