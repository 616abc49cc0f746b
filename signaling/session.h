/* One Jingle session (XEP-0166), pure: parsed stanzas, local commands and the time in, stanzas and
 * events out.
 *
 *                    session_initiate()                    session-initiate
 *          NEW ─────────────────────────▶ PENDING ◀──────────────────────── (session_new_incoming)
 *                                            │ session-accept, sent or received
 *                                            ▼
 *                 session-terminate       ACTIVE ──── contents, transports, session-info
 *          ENDED ◀───────────────────────────┘
 *
 * Contents come and go in an ACTIVE session:
 *
 *     session_content_add() ─▶ content-add ─┬─ content-accept ─▶ NEGOTIATED
 *                                           └─ anything else ──▶ CONTENT_REFUSED
 *     content-add came ─▶ CONTENT_OFFERED ─┬─ session_content_accept() ─▶ NEGOTIATED,
 * content-accept └─ session_content_reject() ─▶ content-reject session_content_remove() ─▶
 * content-remove          content-remove came ─▶ CONTENT_REMOVED
 *
 * Transports. A content has a transport of its own or, in a BUNDLE group (XEP-0338), shares that of
 * another content. Transports are known by the name of the content for which they were first given,
 * whatever becomes of that content: all functions and events that are about a transport use that
 * name. NEGOTIATED says which transport carries a content and whether it is still to be given.
 *   - Outgoing: all contents are offered as one bundle, so the transport of the first is enough:
 *     its credentials stand in the others, too. If the answer has no bundle (Dino), NEGOTIATED for
 *     each further content has `transport_wanted` and `credentials`: a link of its own that uses
 *     those, for they have been told already.
 *   - Incoming, and contents added later: `transport_wanted` says what is to be given; the answer
 *     or content-add waits for it.
 *
 * The caller of these functions gives every IQ an id, keeps it until it is answered, and tells the
 * answer by session_answered(). Hooks must not call back into the session that calls them, except
 * from `event`; they never free it. */
#ifndef JINGLE_SIGNALING_SESSION_H
#define JINGLE_SIGNALING_SESSION_H

#include "base/clock.h"
#include "base/log.h"
#include "signaling/jingle.h"
#include "signaling/negotiate.h"

struct session;

enum session_state {
    SESSION_NEW,     /* outgoing: session-initiate is not sent yet */
    SESSION_PENDING, /* initiated, not accepted */
    SESSION_ACTIVE,  /* accepted */
    SESSION_ENDED,
};

enum session_event_type {
    SESSION_EVENT_RINGING,    /* the peer said so by session-info */
    SESSION_EVENT_ACCEPTED,   /* outgoing: the peer accepted; SESSION_EVENT_NEGOTIATED follows */
    SESSION_EVENT_NEGOTIATED, /* one content is agreed on: u.negotiated */
    SESSION_EVENT_REMOTE_TRANSPORT, /* more candidates or an ICE restart: u.remote_transport */
    SESSION_EVENT_INFO,             /* u.info: active, hold, unhold, mute, unmute */
    SESSION_EVENT_SENDERS,          /* the peer changed who sends: u.senders */
    SESSION_EVENT_ENDED,            /* the last one: u.ended */
    SESSION_EVENT_CONTENT_OFFERED,  /* the peer wants to add one; decide: u.content_offered */
    SESSION_EVENT_CONTENT_REFUSED,  /* one that we offered is not wanted: u.content_gone */
    SESSION_EVENT_CONTENT_REMOVED,  /* agreed on, or offered to us, and gone: u.content_gone */
};

/* All that is pointed to is valid during the hook only. */
struct session_event {
    enum session_event_type type;
    union {
        struct {
            const char *content;
            bool dtls_client; /* our role, of both setup attributes (XEP-0320) */
            bool we_offered;  /* the content: ICE's controlling side, if its transport is new */
            const struct rtp_agreement *agreement;
            const struct ice_udp_transport *remote; /* of its transport */
            /* The name of the transport that carries it: its own, or one that it shares. */
            const char *transport;
            /* session_set_transport() must be called for `transport`, of a new link ... */
            bool transport_wanted;
            /* ... with these ufrag and pwd, for the peer has them already. NULL: any. */
            const struct ice_udp_transport *credentials;
        } negotiated;
        struct {
            const char *content; /* the name of the transport */
            bool restart;        /* new ufrag and pwd; otherwise only candidates are new */
            /* `restart`: we must answer by session_set_transport() with new credentials, unless we
             * began the restart ourselves. */
            bool answer_wanted;
            const struct ice_udp_transport *transport;
        } remote_transport;
        struct {
            enum jingle_info info;
            const char *content; /* "" if the peer named none: all */
            const char *media;   /* of that content: "audio", "video"; "" without */
        } info;
        struct {
            const char *content;
            bool we_send, we_receive; /* may, by `senders` */
        } senders;
        struct {
            const char *content;      /* for session_content_accept() and _reject() */
            const char *media;        /* "audio", "video" */
            bool we_send, we_receive; /* as the peer wants it */
        } content_offered;
        struct {
            const char *content;
            const char *media;
            /* REFUSED: DECLINED, BUSY, INCOMPATIBLE, NO_ANSWER, REPLACED (theirs of the same media
             * came at the same time and wins: CONTENT_OFFERED follows), SECURITY ... */
            jingle_reason reason;
            jingle_party by; /* REMOVED */
        } content_gone;
        struct {
            jingle_reason reason;
            jingle_party by;
            const char *text; /* what the peer said; "" if nothing */
        } ended;
    } u;
};

struct session_hooks {
    void *user;
    /* An IQ set for session_peer(). `tag` is for session_answered(). */
    void (*send)(void *user, struct session *session, const struct jingle_iq *iq, unsigned tag);
    /* The answer to the IQ that is being received: NULL is a result. Called exactly once in
     * session_receive() and session_new_incoming(), before anything is sent or told. */
    void (*answer)(void *user, struct session *session, const struct stanza_error *error);
    void (*event)(void *user, struct session *session, const struct session_event *event);
};

/* All text is copied. */
struct session_config {
    const char *own_jid; /* full */
    const char *peer;    /* full */
    const char *sid;
    usec ring_timeout; /* from session-initiate to session-accept, content-add to content-accept */
    /* Incoming: an offer that has nothing in common with these does not even ring; a content-add
     * that has not is rejected untold. Both NULL: judge when it is accepted; one NULL: we have none
     * of that media. The first is audio. Must outlive the session. */
    const struct rtp_description *abilities;
    const struct rtp_description *video_abilities;
    /* Legacy clients, which know no DTLS. Outgoing: offer voice alone and without encryption, in
     * the few words that they understand; an answer with encryption is refused. Incoming: take such
     * an offer. One that has contents with and without encryption is refused. */
    bool plain;
    const struct logger *log; /* may be NULL; must outlive the session */
};

/* Who is to send, as far as it is up to us. */
enum media_wish {
    MEDIA_BOTH_WAYS,
    MEDIA_SEND_ONLY,
    MEDIA_RECEIVE_ONLY,
};

/* What we can do for one kind of media; best codec first. What video must have: negotiate.h. */
struct session_media {
    /* Ours: the content's name, at most 16 of A-Z a-z 0-9 _ -; accepting: not used. */
    const char *content;
    const struct rtp_description *description;
    enum answer_order order; /* incoming: whose first codec is sent */
    enum media_wish wish;
};

/* An outgoing session with these contents; nothing is sent yet. */
struct session *session_new(const struct session_config *config, const struct session_hooks *hooks,
                            const struct session_media *media, size_t count);
/* A session that the peer initiates. `hooks->answer` is called. An offer that nobody could accept
 * is acknowledged and terminated: then session_state() is SESSION_ENDED on return, no event was
 * told, and the caller only frees it. */
struct session *session_new_incoming(const struct session_config *config,
                                     const struct session_hooks *hooks, const struct jingle_iq *iq,
                                     usec now);
void session_free(struct session *session); /* NULL is allowed; sends and tells nothing */

/* -- from the peer -- */

/* Is this IQ of this session? The peer must be exactly ours. */
bool session_matches(const struct session *session, const char *from, const char *sid);
/* An IQ that session_matches(). */
void session_receive(struct session *session, const struct jingle_iq *iq, usec now);
/* The answer to an IQ that we sent. `error` NULL: a result. No answer for too long is given as
 * STANZA_REMOTE_SERVER_TIMEOUT. */
void session_answered(struct session *session, unsigned tag, const struct stanza_error *error,
                      usec now);
/* The answer to an IQ of no session that we know; false: answer with a result. */
bool session_unknown(const struct jingle_iq *iq, struct stanza_error *error);
/* Both sides initiate at once (XEP-0166, 7.2.16): true if `from`'s session-initiate loses against
 * our own pending one and `error` is the answer. If it wins, end ours by
 * session_end(JINGLE_REASON_REPLACED). */
bool session_tie_break(const struct session *ours, const char *from, const struct jingle_iq *iq,
                       struct stanza_error *error);

/* -- local commands -- */

/* Sends session-initiate as soon as the first content has its transport. */
void session_initiate(struct session *session, usec now);
/* Accepts an incoming session: each content of the offer gets the first entry of `media` with its
 * media type that no other has got. SESSION_EVENT_NEGOTIATED is told for each at once;
 * session-accept is sent when the transports that are wanted are there. Contents without an entry
 * are refused, and the rest goes on. With nothing in common the session ends. */
void session_accept(struct session *session, const struct session_media *media, size_t count,
                    usec now);
/* Our ufrag, pwd, fingerprint and the candidates so far; `setup` is set by the session. `content`
 * is the name of the transport. Later with another ufrag: an ICE restart. Unknown ones, and those
 * that are carried by another's, are ignored. */
void session_set_transport(struct session *session, const char *content,
                           const struct ice_udp_transport *transport, usec now);
/* Candidates found later; they wait for the moment when they may be sent. */
void session_add_candidates(struct session *session, const char *content,
                            const struct ice_candidate *candidates, size_t count, usec now);
/* Media flows: errors of signalling no longer end the session. */
void session_connected(struct session *session);
/* `content` may be NULL: all. INFO_RINGING is only for sessions without message initiation. */
void session_send_info(struct session *session, enum jingle_info info, const char *content);
/* Terminates. SESSION_EVENT_ENDED is told before this returns, unless it had ended before. */
void session_end(struct session *session, jingle_reason reason);
/* The same without telling the peer: it is known to be gone. */
void session_drop(struct session *session, jingle_reason reason, jingle_party by);
/* The same again: the peer has said otherwise than by session-terminate that it ended it. */
void session_finished(struct session *session, const struct reason *reason);

/* -- local commands about one content of an ACTIVE session -- */

/* Offers one more content. Returns its name, valid while the content lives: that of `media`, or a
 * similar one if that was used before. NULL: not now (the session is not ACTIVE, one of the same
 * media waits for an answer already, either way, or there are too many). NEGOTIATED or
 * CONTENT_REFUSED follows, after ring_timeout at the latest (never from inside this). */
const char *session_content_add(struct session *session, const struct session_media *media,
                                usec now);
/* Must session_set_transport() be called for this content, with a new link? Ask after
 * session_content_add(): content-add waits for it. (A bundled one is sent at once.) */
bool session_content_wants_transport(const struct session *session, const char *content);
/* Accepts what CONTENT_OFFERED told. NEGOTIATED is told before this returns; content-accept follows
 * as soon as the transport is there, if one is wanted. False if there is no such offer, or nothing
 * in common: then it was rejected. With MEDIA_RECEIVE_ONLY the answer still has the peer's
 * `senders`, for Conversations wants them so, but `agreement->we_send` is false: tell it by
 * session_content_set_senders() or else by INFO_MUTE. */
bool session_content_accept(struct session *session, const char *content,
                            const struct session_media *media, usec now);
/* Rejects it: JINGLE_REASON_DECLINED, _BUSY or _INCOMPATIBLE. Unknown ones are ignored. */
void session_content_reject(struct session *session, const char *content, jingle_reason reason);

enum content_removal {
    CONTENT_IS_GONE, /* removed, or our offer of it taken back, or theirs rejected */
    /* The peer's client would not survive it (Conversations ends the call, Dino does not know it):
     * the content stays agreed on, and the peer was told that we no longer send, by content-modify
     * or by INFO_MUTE. To send again: session_content_set_senders(), or INFO_UNMUTE. */
    CONTENT_IS_KEPT,
};

/* Takes a content away. No event is told, unless it was the last: then the session ends as
 * JINGLE_REASON_HANGUP. Unknown ones are gone. */
enum content_removal session_content_remove(struct session *session, const char *content);
/* Who sends from now on. True if it is said by content-modify; false if nothing was sent, because
 * the peer has neither sent nor accepted one so far or would take it for an error: then
 * session_send_info() with INFO_MUTE or INFO_UNMUTE is the way. No event is told. */
bool session_content_set_senders(struct session *session, const char *content, bool we_send,
                                 bool we_receive);

/* USEC_NEVER if nothing waits. */
usec session_next_deadline(const struct session *session);
void session_tick(struct session *session, usec now);

/* -- what is known -- */

enum session_state session_state(const struct session *session);
bool session_is_initiator(const struct session *session);
/* False: whatever is said can be heard by anyone on the way. Does not change. */
bool session_is_encrypted(const struct session *session);
const char *session_sid(const struct session *session);
const char *session_peer(const struct session *session);
/* The offer, for the application to see what is asked: does it have this media type? */
bool session_offers(const struct session *session, const char *media);

#endif
