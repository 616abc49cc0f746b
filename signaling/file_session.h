/* A Jingle session that carries files (XEP-0234) over bytestreams, pure: parsed stanzas, commands
 * and the time in, stanzas and events out. A content is one file; each has a transport of its own.
 *
 *     file_session_initiate ─▶ session-initiate ─▶ PENDING ─▶ session-accept ─▶ ACTIVE ─▶ ENDED
 *
 *     of each content, once accepted:
 *
 *       SOCKS5 (XEP-0260)  LISTEN, DIAL ─▶ candidate-used / -error from both sides
 *                            ├─ ours or theirs ─▶ [PROXY ─▶ activate ─▶ activated] ─▶ STREAM
 *                            └─ none, or proxy-error ─▶ transport-replace ─▶ in-band
 *       in-band (XEP-0261) OPEN ─▶ opened ─▶ INBAND
 *       then               bytes ─▶ checksum ─▶ received ─▶ session-terminate success
 *
 * The caller gives every IQ an id, keeps it until it is answered, and tells the answer by
 * file_session_answered(). Hooks must not call back into the session that calls them, except from
 * `event`; they never free it. What real clients do is told where it is minded. */
#ifndef JINGLE_SIGNALING_FILE_SESSION_H
#define JINGLE_SIGNALING_FILE_SESSION_H

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "signaling/jingle.h"

#define FILE_SESSION_CONTENTS_MAX 16

/* What is waited for at most. */
#define FILE_ANSWER_LIMIT     (10 * 60 * USEC_PER_SEC) /* a person's answer to an offer */
#define FILE_CANDIDATE_LIMIT  (20 * USEC_PER_SEC)      /* candidate-used or -error of the peer */
#define FILE_ACTIVATION_LIMIT (10 * USEC_PER_SEC)      /* the peer's proxy */
#define FILE_REPLACE_LIMIT    (30 * USEC_PER_SEC)      /* transport-replace, -accept, <open/> */
/* Sender: received or success after the last byte. A peer that is silent for so long is asked by a
 * ping: if it answers, it is still reading or writing, and the wait begins again. One that has
 * closed the stream has the file; one that does not even answer is given up (NO_ANSWER). */
#define FILE_FAREWELL_LIMIT (30 * USEC_PER_SEC)

struct file_session;

/* Ways that are allowed to us, as bits. */
enum file_way { FILE_WAY_DIRECT = 1, FILE_WAY_PROXY = 2, FILE_WAY_INBAND = 4 };
#define FILE_WAYS_ALL (FILE_WAY_DIRECT | FILE_WAY_PROXY | FILE_WAY_INBAND)

enum file_event_type {
    FILE_EVENT_OFFERED,  /* the peer offers it, or asks for it: u.offered; accept or reject */
    FILE_EVENT_ACCEPTED, /* the peer accepted what we offered or asked for: u.accepted */
    /* Expect guests for both addresses, and tell from within, by file_session_add_candidate(),
     * where: u.listen. Assisted candidates may come later. */
    FILE_EVENT_LISTEN,
    FILE_EVENT_DIAL,       /* u.dial: more candidates of the peer to try */
    FILE_EVENT_DIAL_ABOVE, /* u.priority: candidates of less than this are not worth trying */
    FILE_EVENT_PROXY,      /* u.proxy: connect to this proxy of ours; then _proxy_connected() */
    FILE_EVENT_ACTIVATE,   /* u.proxy: ask it to join the two; then _activated() */
    FILE_EVENT_STREAM,     /* u.stream: bytes go this way */
    /* Stop listening and dialing, and leave a stream that was told: it will be in-band, or a new
     * LISTEN, or the end. Bytes begin again at the first one. */
    FILE_EVENT_NO_SOCKS5,
    FILE_EVENT_OPEN,         /* u.inband: send <open/>; then file_session_opened() */
    FILE_EVENT_INBAND,       /* u.inband: the in-band stream is open; bytes go this way */
    FILE_EVENT_CHECKSUM,     /* u.checksum: hashes that the sender told */
    FILE_EVENT_RECEIVED,     /* the peer has the file whole */
    FILE_EVENT_ENDED,        /* u.ended: the last one of this content */
    FILE_EVENT_SESSION_ENDED /* content NULL: the last one of the session */
};

/* Which of two connections it is. */
enum file_stream {
    FILE_STREAM_DIALED, /* the one that we made, by `cid` of the peer's candidates */
    FILE_STREAM_GUEST,  /* the one that came to us, by `cid` of ours */
    FILE_STREAM_PROXY   /* the one that we made to our own proxy */
};

/* All that is pointed to is valid during the hook only. */
struct file_event {
    enum file_event_type type;
    const char *content; /* its name */
    union {
        struct {
            const struct file_description *file;
            bool requested; /* the peer asks us for it */
            unsigned index, count;
        } offered;
        struct {
            uint64_t offset; /* of the first byte that is to move */
            uint64_t length; /* 0: to the end */
            /* We asked for it: what it is (name, size, hashes), as far as the peer says. */
            const struct file_description *file;
        } accepted;
        struct {
            const char *addresses[2];
            bool direct; /* addresses of this machine may be told */
        } listen;
        struct {
            const struct s5b_candidate *candidates;
            size_t count;
            const char *addresses[2]; /* to ask for: the first, and if it is refused the second */
        } dial;
        uint32_t priority;
        struct {
            const struct s5b_candidate *candidate;
            const char *address;
            const char *sid;
            const char *target; /* full JID of the peer */
        } proxy;
        struct {
            enum file_stream from;
            const char *cid;
            const char *host;   /* GUEST: of that candidate of ours; NULL otherwise */
            enum s5b_type type; /* of the candidate that won */
        } stream;
        struct {
            const struct ibb_transport *transport;
        } inband;
        struct {
            const struct file_hash *hashes;
            size_t count;
        } checksum;
        struct {
            jingle_status status; /* JINGLE_OK: both have it whole */
            jingle_party by;
            const char *text; /* what the peer said; "" if nothing */
        } ended;
    } u;
};

struct file_session_hooks {
    void *user;
    /* An IQ set for the peer; `tag` is for file_session_answered(). */
    void (*send)(void *user, struct file_session *session, const struct jingle_iq *iq,
                 unsigned tag);
    /* The answer to the IQ that is being received: NULL is a result. Exactly once in
     * file_session_receive() and file_session_new_incoming(), before anything is sent or told. */
    void (*answer)(void *user, struct file_session *session, const struct stanza_error *error);
    void (*event)(void *user, struct file_session *session, const struct file_event *event);
};

/* All text is copied. */
struct file_session_config {
    const char *own_jid; /* full */
    const char *peer;    /* full */
    const char *sid;
    unsigned ways; /* that are allowed to us */
    /* Those of the peer's client, from its disco#info; without S5B in-band is offered at once. */
    bool peer_does_s5b;
    bool peer_does_inband;
    /* Of the peer's proxies dial those alone that are ours, too: others may be the peer itself. */
    bool known_proxies_only;
    uint32_t block_size; /* that we offer in-band; 0: 4096 */
    /* Our servers' proxies, best first: offered as candidates. Copied. */
    const struct s5b_candidate *proxies;
    size_t proxy_count;
    const struct random_source *random;
    const struct logger *log; /* may be NULL; must outlive the session */
};

/* -- beginning -- */

struct file_session *file_session_new(const struct file_session_config *config,
                                      const struct file_session_hooks *hooks);
/* Before initiate: one more file; `request`: we ask for it. Returns the content's name, which lives
 * as long as the session; NULL if there are too many. `ways` of the session count for all. */
const char *file_session_add(struct file_session *session, const struct file_description *file,
                             bool request);
/* LISTEN events come from within; then session-initiate goes out. */
void file_session_initiate(struct file_session *session, usec now);

/* From a session-initiate whose contents are all APPLICATION_FILE. Answers it, and tells OFFERED
 * for each content. NULL if it was refused: by `answer` with an error, or by a session-terminate
 * that was sent (unsupported transport, malformed description ...). */
struct file_session *file_session_new_incoming(const struct file_session_config *config,
                                               const struct file_session_hooks *hooks,
                                               const struct jingle_iq *initiate, usec now);
void file_session_free(struct file_session *session);

/* -- what the application decides -- */

/* An offer is taken, from `offset` on (0, or after what is kept of it, if the offer knows
 * ranges); a request is granted: then `file` says what it is, else it is NULL. session-accept goes
 * out when all contents are decided. `ways` and proxies may be narrower than the session's. */
void file_session_accept(struct file_session *session, const char *content, uint64_t offset,
                         const struct file_description *file, unsigned ways, usec now);
void file_session_reject(struct file_session *session, const char *content, usec now);
/* Cancels, or ends because of a failure on our side, which the peer is told by the fitting reason.
 * ENDED comes before this returns. The session ends with its last content. */
void file_session_end_content(struct file_session *session, const char *content,
                              jingle_status status, usec now);
/* All of it. */
void file_session_end(struct file_session *session, jingle_status status, usec now);

/* -- what the byte streams tell -- */

/* A candidate of ours: direct from within LISTEN, assisted at any time before the decision.
 * `address` is where, the rest (cid, priority, jid) is made here. */
void file_session_add_candidate(struct file_session *session, const char *content,
                                enum s5b_type type, const char *host, uint16_t port, usec now);
void file_session_connected(struct file_session *session, const char *content, const char *cid,
                            usec now);
void file_session_unconnected(struct file_session *session, const char *content, usec now);
void file_session_proxy_connected(struct file_session *session, const char *content, bool connected,
                                  usec now);
void file_session_activated(struct file_session *session, const char *content, bool activated,
                            usec now);
/* The answer to our <open/>. */
void file_session_opened(struct file_session *session, const char *content, bool opened, usec now);
/* The peer's <open/>: true if it is expected, and INBAND is told from within, so that the result
 * must go before any block; `error` is the answer else. */
bool file_session_open_came(struct file_session *session, const struct ibb_stanza *open,
                            struct stanza_error *error, usec now);
/* STREAM named a connection that is not there, or it broke before its first byte: try the next
 * way if there is one. */
void file_session_stream_failed(struct file_session *session, const char *content, usec now);

/* -- the end of the bytes -- */

/* Sender: the last byte is in the stream. The hashes go out by checksum unless the offer had them.
 */
void file_session_sent(struct file_session *session, const char *content,
                       const struct file_hash *hashes, size_t count, usec now);
/* Sender: the peer closed the connection or the in-band stream after the last byte. To clients that
 * say nothing else it means that it has the file. */
void file_session_stream_closed(struct file_session *session, const char *content, usec now);
/* Receiver: it is whole, right and saved. <received/> goes out; with the last content success. */
void file_session_received(struct file_session *session, const char *content, usec now);

/* -- stanzas and time -- */

bool file_session_matches(const struct file_session *session, const char *from, const char *sid);
/* A Jingle IQ of this session. */
void file_session_receive(struct file_session *session, const struct jingle_iq *iq, usec now);
void file_session_answered(struct file_session *session, unsigned tag,
                           const struct stanza_error *error, usec now);
/* The peer's device went offline. In a stream that flows it means nothing. */
void file_session_peer_gone(struct file_session *session, usec now);
usec file_session_next_deadline(const struct file_session *session);
void file_session_tick(struct file_session *session, usec now);

bool file_session_has_ended(const struct file_session *session);
const char *file_session_peer(const struct file_session *session);
const char *file_session_sid(const struct file_session *session);
bool file_session_is_initiator(const struct file_session *session);

#endif
