/* Jingle Message Initiation (XEP-0353), pure: messages, local commands and the time in, messages
 * and events out. One struct initiation serves an account; a proposal is one call before its
 * session.
 *
 *     outgoing:  propose ─▶ (ringing) ─▶ PROCEED: session-initiate that full JID with this sid
 *     incoming:  propose ─▶ INCOMING ── proposal_accept() ─▶ proceed, accept
 *                           ─▶ session-initiate comes: initiation_take()
 *     kept for us: propose ─▶ INCOMING or MISSED after a moment: late_calls.h
 *
 * A proposal is freed after its PROCEED or ENDED event and by initiation_take(). */
#ifndef JINGLE_SIGNALING_INITIATION_H
#define JINGLE_SIGNALING_INITIATION_H

#include <jingle/jingle.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "signaling/reason.h"
#include "signaling/stanza.h"

#define INITIATION_PROPOSALS_MAX  32 /* at once; more are passed over */
#define INITIATION_PERSON_MAX     4  /* of these, from one person */
#define INITIATION_REMEMBERED_MAX 512
#define INITIATION_REMEMBERED_FOR (24 * 3600 * USEC_PER_SEC)

struct initiation;
struct proposal;

enum initiation_event_type {
    INITIATION_EVENT_INCOMING, /* ring */
    INITIATION_EVENT_MISSED,   /* no proposal: it came too late to be answered */
    INITIATION_EVENT_RINGING,  /* outgoing: `peer` rings; each device, each time that it says so */
    INITIATION_EVENT_PROCEED,  /* outgoing: u.proceed.peer accepted; initiate a session with it */
    INITIATION_EVENT_ENDED,    /* u.ended */
};

/* All that is pointed to is valid during the hook only. */
struct initiation_event {
    enum initiation_event_type type;
    struct proposal *proposal; /* NULL: MISSED */
    const char *sid;
    const char *peer; /* full JID, or bare where only that is known */
    union {
        struct {
            bool audio, video;
            int64_t when; /* INCOMING and MISSED: since 1970 */
            bool glare;   /* we were calling them: our own proposal has just ended as REPLACED */
        } incoming;
        struct {
            jingle_reason reason;
            jingle_party by;
            const char *text; /* "" if nothing was said */
        } ended;
    } u;
};

struct initiation_hooks {
    void *user;
    /* A whole message; sent as it is. The hook does not keep it. */
    void (*send)(void *user, const xml_node *message);
    void (*event)(void *user, const struct initiation_event *event);
};

struct initiation_config {
    const char *id_prefix; /* of the ids of our messages; copied */
    usec ring_timeout;
    const struct random_source *random;
    const struct logger *log; /* may be NULL */
};

/* How a message came to us. */
enum initiation_origin {
    ORIGIN_DIRECT,
    ORIGIN_CARBON_SENT, /* the forwarded message of a carbon: another device of ours sent it */
    ORIGIN_CARBON_RECEIVED,
    ORIGIN_ARCHIVE, /* anyone's message, by an archive (XEP-0313): nothing of it rings */
};

struct initiation_arrival {
    enum initiation_origin origin;
    /* May this sender make us ring and learn that we are online? (roster, or strangers allowed) */
    bool trusted;
    int64_t wall;         /* now, microseconds since 1970, to judge a delay stamp by */
    int64_t archived;     /* ORIGIN_ARCHIVE: when it was sent, since 1970 */
    bool crosses_session; /* a propose: we sent its sender a session-initiate, which goes on */
};

struct initiation *initiation_new(const struct initiation_config *config,
                                  const struct initiation_hooks *hooks);
void initiation_free(struct initiation *initiation);
/* Our full JID, again after each login. */
void initiation_set_jid(struct initiation *initiation, const char *full_jid);

/* True if the message was of XEP-0353 (or a receipt or bounce of one of ours) and is dealt with.
 * `message` is the inner one of a carbon. */
bool initiation_receive(struct initiation *initiation, const struct stanza *message,
                        const struct initiation_arrival *arrival, usec now);

/* The element of XEP-0353 in a message, or NULL. */
const xml_node *initiation_element(const xml_node *message);
/* Why, as such an element says it. */
void initiation_reason(struct reason *reason, const xml_node *element);

/* Proposes a call to all devices of `to` (its bare JID is used). */
struct proposal *initiation_propose(struct initiation *initiation, const char *to, bool audio,
                                    bool video, usec now);
/* Incoming: we answer. session-initiate is awaited then. */
void proposal_accept(struct proposal *proposal, usec now);
/* Ends it: an outgoing one is retracted; an incoming one is rejected for JINGLE_REASON_DECLINED,
 * JINGLE_REASON_BUSY and JINGLE_REASON_NO_ANSWER, otherwise nothing is sent.
 * INITIATION_EVENT_ENDED is told before this returns; the proposal is then freed. */
void proposal_end(struct proposal *proposal, jingle_reason reason, jingle_party by, usec now);

/* A session-initiate came from this full JID: true if we accepted its proposal, which ends here. */
bool initiation_take(struct initiation *initiation, const char *from, const char *sid, usec now);
/* The proposal that is being waited for or rings, NULL if there is none. */
struct proposal *initiation_find(const struct initiation *initiation, const char *from,
                                 const char *sid);
/* Was this sid of this person used in the last 24 h? Then a new session with it is refused. */
bool initiation_remembers(const struct initiation *initiation, const char *peer, const char *sid);
/* What is remembered, oldest first. */
typedef void (*initiation_memory_fn)(void *user, const char *peer, const char *sid);
void initiation_memories(const struct initiation *initiation, initiation_memory_fn visit,
                         void *user);
/* While an archive is read nobody counts as missed: what follows may say more. */
void initiation_reads_archive(struct initiation *initiation, bool reads);
/* It could not be read to its end: what came of it is forgotten. */
void initiation_forget_archive(struct initiation *initiation);
/* Remembers a sid that was used without message initiation. */
void initiation_remember(struct initiation *initiation, const char *peer, const char *sid,
                         usec now);
/* After the session: tells the peer's device that the call is over. */
void initiation_finish(struct initiation *initiation, const char *peer_full, const char *sid,
                       enum reason_condition condition);

usec initiation_next_deadline(const struct initiation *initiation);
void initiation_tick(struct initiation *initiation, usec now);

const char *proposal_sid(const struct proposal *proposal);
const char *proposal_peer(const struct proposal *proposal); /* outgoing: bare; incoming: full */
bool proposal_is_outgoing(const struct proposal *proposal);
bool proposal_is_accepted(const struct proposal *proposal); /* incoming: by us */
void proposal_set_user(struct proposal *proposal, void *user);
void *proposal_user(const struct proposal *proposal);

#endif
