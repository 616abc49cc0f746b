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
};

/* All that is pointed to is valid during the hook only. */
struct session_event {
    enum session_event_type type;
    union {
        struct {
            const char *content;
            bool dtls_client; /* our role, of both setup attributes (XEP-0320) */
            const struct rtp_agreement *agreement;
            const struct ice_udp_transport *remote;
        } negotiated;
        struct {
            const char *content;
            bool restart; /* new ufrag and pwd; otherwise only candidates are new */
            /* `restart`: we must answer by session_set_transport() with new credentials, unless we
             * began the restart ourselves. */
            bool answer_wanted;
            const struct ice_udp_transport *transport;
        } remote_transport;
        struct {
            enum jingle_info info;
            const char *content; /* "" if the peer named none */
        } info;
        struct {
            const char *content;
            bool we_send, we_receive;
        } senders;
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
    usec ring_timeout; /* from session-initiate to session-accept */
    /* Incoming: an offer that has nothing in common with this does not even ring. NULL: judge
     * it when it is accepted. */
    const struct rtp_description *abilities;
    const struct logger *log; /* may be NULL; must outlive the session */
};

/* What we can do for one kind of media; best codec first. */
struct session_media {
    const char *content; /* outgoing: the content's name; incoming: not used */
    const struct rtp_description *description;
    enum answer_order order; /* incoming: whose first codec is sent */
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

/* Sends session-initiate as soon as every content has its transport. */
void session_initiate(struct session *session, usec now);
/* Accepts an incoming session: each content of the offer gets the entry of `media` with its media
 * type. SESSION_EVENT_NEGOTIATED is told for each at once; session-accept is sent when each has its
 * transport. Contents without an entry are refused. With nothing in common the session ends. */
void session_accept(struct session *session, const struct session_media *media, size_t count,
                    usec now);
/* Our ufrag, pwd, fingerprint and the candidates so far; `setup` is set by the session. Later with
 * another ufrag: an ICE restart. Unknown contents are ignored. */
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

/* USEC_NEVER if nothing waits. */
usec session_next_deadline(const struct session *session);
void session_tick(struct session *session, usec now);

/* -- what is known -- */

enum session_state session_state(const struct session *session);
bool session_is_initiator(const struct session *session);
const char *session_sid(const struct session *session);
const char *session_peer(const struct session *session);
/* The offer, for the application to see what is asked: does it have this media type? */
bool session_offers(const struct session *session, const char *media);

#endif
