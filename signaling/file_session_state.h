/* What the files of a session that carries files share; nobody else includes this:
 *
 *     file_session.c          life, commands, time     file_content.c  one file: bytes and end
 *     file_session_offer.c    initiate and accept      file_socks5.c   its SOCKS5 negotiation
 *     file_session_receive.c  what the peer says       file_inband.c   transport-replace, in-band
 */
#ifndef JINGLE_SIGNALING_FILE_SESSION_STATE_H
#define JINGLE_SIGNALING_FILE_SESSION_STATE_H

#include "signaling/file_reason.h"
#include "signaling/file_session.h"

#define FILE_PROXIES_MAX  4 /* of ours that are offered */
#define FILE_REPLACES_MAX 4 /* transport-replace by the peer, of one content */

/* Psi sends its candidates after its offer or answer: so long no error is told for want of them. */
#define FILE_TRICKLE_LIMIT (1 * USEC_PER_SEC)
/* The initiator has the right to replace the transport first (XEP-0260, 3): so long it has. */
#define FILE_PATIENCE_LIMIT (10 * USEC_PER_SEC)
/* The peer has ended the session with success, and our side of the stream has not told yet that the
 * last byte is through. */
#define FILE_LAST_BYTE_LIMIT (2 * USEC_PER_SEC)
/* A sender asks so often whether the peer is still there, FILE_FAREWELL_LIMIT apart: much may be
 * under way in sockets and proxies, and the disk over there may be slow. */
#define FILE_PINGS_MAX 40

/*  NEW ─▶ PENDING ─▶ ACTIVE ─┬─────────────────────────────────▶ ENDED
 *                            ├─▶ LINGERING: success is due ──────▲
 *                            └─▶ CLOSED: success was early ──────┘  */
enum file_session_state {
    FILE_SESSION_NEW,
    FILE_SESSION_PENDING,   /* offered */
    FILE_SESSION_ACTIVE,    /* accepted */
    FILE_SESSION_LINGERING, /* the peer said that it has all: it will terminate */
    FILE_SESSION_CLOSED,    /* it did terminate, and the last bytes are under way */
    FILE_SESSION_ENDED,
};

/*  OFFERED ─▶ (DECIDED) ─▶ AGREED ─▶ FLOWING ─▶ (SENT) ─▶ ENDED; this from everywhere  */
enum file_stage {
    FILE_STAGE_OFFERED, /* by whomever */
    FILE_STAGE_DECIDED, /* we take it; session-accept waits for the other contents */
    FILE_STAGE_AGREED,  /* a way is sought */
    FILE_STAGE_FLOWING,
    FILE_STAGE_SENT, /* we are the sender; a word of the peer is waited for */
    FILE_STAGE_ENDED,
};

/*  IDLE ─┬─▶ SEEKING ─┬──────────────────────────────┬─▶ STREAM
 *        │            ├─▶ PROXY_CONNECT ─▶ _ACTIVATE ─┤
 *        │            ├─▶ PROXY_AWAITED ──────────────┘
 *        │            │ any of these fails
 *        │            └─▶ (REPLACE_AWAITED) ─▶ REPLACE_SENT ─┐
 *        └─▶ OPENING, OPEN_AWAITED ◀──────────────────────────┘
 *                       └─▶ INBAND
 *  transport-replace by the peer leads from everywhere to SEEKING or OPEN...  */
enum file_path {
    FILE_PATH_IDLE,
    FILE_PATH_SEEKING, /* SOCKS5: for candidate-used or -error of both */
    FILE_PATH_PROXY_CONNECT,
    FILE_PATH_PROXY_ACTIVATE,
    FILE_PATH_PROXY_AWAITED, /* the peer's: for its `activated` */
    FILE_PATH_STREAM,
    FILE_PATH_REPLACE_AWAITED, /* by the initiator */
    FILE_PATH_REPLACE_SENT,
    FILE_PATH_OPENING,
    FILE_PATH_OPEN_AWAITED,
    FILE_PATH_INBAND,
};

/* What one side said about the other's candidates. */
struct file_word {
    enum s5b_word word; /* NO_WORD, CANDIDATE_USED or CANDIDATE_ERROR */
    char cid[S5B_CID_SIZE];
    uint32_t priority;
};

struct file_content {
    struct file_session *session;
    char *name;
    unsigned index; /* in session->contents */
    bool we_send;
    bool left_out; /* of what the peer offers: not understood, and never told */
    enum file_stage stage;
    struct file_description file; /* as the sender describes it */
    uint64_t offset;              /* that we accept it from */
    unsigned ways;

    /* The transport that is agreed on, or offered. */
    enum transport transport;
    enum file_path path;
    usec deadline; /* of the path, then of the stage */
    unsigned replaces;

    /* SOCKS5 */
    struct s5b_transport own, theirs;
    size_t told; /* how many of own.candidates the peer has */
    bool is_told;
    usec word_deadline; /* for our own word */
    struct file_word own_word, their_word;
    unsigned used_tag; /* of our candidate-used; 0: none */
    enum s5b_type won;

    /* In-band */
    struct ibb_transport ibb;
    bool has_replaced;    /* we have sent a transport-replace ... */
    unsigned replace_tag; /* ... as this */

    /* The end */
    bool received_early; /* the peer has it, before we know that all is sent */
    bool stream_closed;
    unsigned ping_tag; /* of the last ping, while it is not answered; 0: none */
    unsigned pings;
};

struct file_session {
    struct file_session_hooks hooks;
    const struct logger *log;
    const struct random_source *random;
    char *own_jid;
    char *peer;
    char *sid;
    unsigned ways;
    bool peer_does_s5b;
    bool peer_does_inband;
    uint32_t block_size;
    struct s5b_candidate proxies[FILE_PROXIES_MAX];
    size_t proxy_count;
    bool known_proxies_only;
    bool initiator;
    bool initiate_acked; /* before this nothing else may be sent */
    bool accepting;      /* session-accept is being put together */
    bool has_success;    /* of one of the contents */
    enum file_session_state state;
    usec deadline; /* of the session's state */
    unsigned tags;
    struct file_content *contents[FILE_SESSION_CONTENTS_MAX]; /* never freed before the session */
    size_t content_count;
};

/* file_session.c */
struct file_session *file_session_create(const struct file_session_config *config,
                                         const struct file_session_hooks *hooks);
struct file_content *file_session_add_content(struct file_session *session, const char *name,
                                              const struct file_description *file, bool we_send);
/* Sends and clears `iq`; returns its tag. `content` may be NULL. */
unsigned file_session_send(struct file_session *session, const struct file_content *content,
                           struct jingle_iq *iq);
void file_session_tell(struct file_content *content, struct file_event *event);
struct file_content *file_session_content(const struct file_session *session, const char *name);
bool file_session_is_open(const struct file_session *session); /* may stanzas be sent for it? */
size_t file_session_live(const struct file_session *session);
void file_session_terminate(struct file_session *session, enum reason_condition condition,
                            const char *text);
/* Ends all that is not ended, in its own way each, and the session. Sends nothing. */
void file_session_finish(struct file_session *session,
                         const jingle_status statuses[FILE_SESSION_CONTENTS_MAX], jingle_party by,
                         const char *text);
void file_session_finish_all(struct file_session *session, jingle_status status, jingle_party by,
                             const char *text);
/* The last event. */
void file_session_tell_over(struct file_session *session);

/* file_session_offer.c */
/* session-accept, as soon as all contents are decided. */
void file_session_try_accept(struct file_session *session, usec now);
void file_session_receive_accept(struct file_session *session, const struct jingle_iq *iq,
                                 usec now);

/* file_content.c */
bool file_content_is_live(const struct file_content *content);
/* Accepted, and so a transport of it may be talked about. */
bool file_content_is_agreed(const struct file_content *content);
enum file_progress file_content_progress(const struct file_content *content);
/* An IQ about nothing but this content. */
struct jingle_content *file_content_iq(struct jingle_iq *iq, struct file_content *content,
                                       enum jingle_action action);
/* Ends it, and tells the peer why. */
void file_content_fail(struct file_content *content, jingle_status status, jingle_party by,
                       const char *text, usec now);
/* The same, with a condition of its own choice. */
void file_content_fail_with(struct file_content *content, enum reason_condition condition,
                            jingle_status status, jingle_party by, const char *text, usec now);
/* The peer ended it; if it was the last one, so do we the session. */
void file_content_removed(struct file_content *content, jingle_status status, const char *text,
                          usec now);
/* Bytes can go the way that `event` tells. */
void file_content_flow(struct file_content *content, enum file_path path, struct file_event *event);
void file_content_send_all(struct file_content *content, const struct file_hash *hashes,
                           size_t count, usec now);
void file_content_receive_all(struct file_content *content, usec now);
/* The peer has all. */
void file_content_was_received(struct file_content *content, usec now);
/* The session was ended by the peer's success; how long the last bytes may take. */
void file_content_await_last_byte(struct file_content *content, usec now);
/* The limit of what it is at has passed. */
void file_content_expire(struct file_content *content, usec now);

/* file_socks5.c */
/* A transport of our own, with all candidates that there are: LISTEN is told. */
void file_socks5_prepare(struct file_content *content, const char *sid);
/* As it stands in an offer or answer. `is_offer`: with the mode, for we offer it. */
void file_socks5_write(struct file_content *content, struct jingle_content *out, bool is_offer);
/* New candidates of the peer; those that are new are dialed if it is time. */
void file_socks5_take(struct file_content *content, const struct s5b_transport *in, usec now);
/* Both have each other's transport. */
void file_socks5_begin(struct file_content *content, usec now);
/* Tells the peer of candidates that came late. */
void file_socks5_flush(struct file_content *content);
/* Why a transport-info cannot be taken; false: it can. */
bool file_socks5_fault(const struct file_content *content, const struct s5b_transport *in,
                       struct stanza_error *error);
void file_socks5_receive(struct file_content *content, const struct s5b_transport *in, usec now);
void file_socks5_refused(struct file_content *content, usec now); /* our candidate-used */
/* Commands; the limit of our own word, and that of the path. */
void file_socks5_add(struct file_content *content, enum s5b_type type, const char *host,
                     uint16_t port);
void file_socks5_connected(struct file_content *content, const char *cid, usec now);
void file_socks5_unconnected(struct file_content *content, usec now);
void file_socks5_proxy_connected(struct file_content *content, bool connected, usec now);
void file_socks5_activated(struct file_content *content, bool activated, usec now);
void file_socks5_stream_failed(struct file_content *content, usec now);
void file_socks5_word_due(struct file_content *content, usec now);
void file_socks5_expire(struct file_content *content, usec now);

/* file_inband.c */
/* SOCKS5 is over: the next way, or the end. */
void file_content_fall_back(struct file_content *content, usec now);
void file_inband_prepare(struct file_content *content);
/* What of the peer's offer we agree to; false: nothing. */
bool file_inband_agree(const struct file_content *content, const struct ibb_transport *offer,
                       struct ibb_transport *agreed);
/* The peer's answer to ours. */
bool file_inband_settle(struct file_content *content, const struct ibb_transport *answer);
void file_inband_begin(struct file_content *content, usec now);
void file_session_receive_replace(struct file_session *session, const struct jingle_iq *iq,
                                  usec now);
void file_session_receive_transport_accept(struct file_session *session, const struct jingle_iq *iq,
                                           usec now);
void file_session_receive_transport_reject(struct file_session *session, const struct jingle_iq *iq,
                                           usec now);
void file_replace_refused(struct file_content *content, const struct stanza_error *error, usec now);
void file_inband_opened(struct file_content *content, bool opened, usec now);
void file_inband_expire(struct file_content *content, usec now);

/* file_session_receive.c */
void file_session_answer(struct file_session *session);
void file_session_answer_error(struct file_session *session, enum stanza_condition condition,
                               enum jingle_condition jingle, const char *text);
void file_session_answer_out_of_order(struct file_session *session, const struct jingle_iq *iq);

#endif
