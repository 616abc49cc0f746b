/* What session.c (life and local commands), session_receive.c (what the peer says) and
 * session_content.c (one content) share of a session. For these three only. */
#ifndef JINGLE_SIGNALING_SESSION_STATE_H
#define JINGLE_SIGNALING_SESSION_STATE_H

#include "signaling/session.h"

enum content_state {
    CONTENT_OFFERED, /* by whoever initiated */
    CONTENT_AGREED,
    CONTENT_REFUSED, /* kept in the answer as 'none', or left out of it */
    CONTENT_REMOVED, /* nothing may be said about it any more */
};

struct content {
    char *name;
    enum creator creator; /* as the peer last wrote it */
    enum senders senders;
    enum content_state state;
    struct rtp_description local;  /* our offer or answer */
    struct rtp_description remote; /* theirs */
    struct ice_udp_transport own;
    bool has_own;
    size_t sent;                     /* how many of own.candidates the peer has */
    struct ice_udp_transport theirs; /* all candidates so far */
    bool restart_sent;               /* our new credentials wait for theirs */
    bool restart_wanted;             /* their new credentials wait for ours */
    unsigned modify_refusals;
};

struct session {
    struct session_hooks hooks;
    const struct logger *log;
    char *own_jid;
    char *peer;
    char *sid;
    usec ring_timeout;
    enum session_state state;
    bool initiator;
    bool initiating;     /* session-initiate goes as soon as the transports are there */
    bool initiate_acked; /* before this nothing else may be sent */
    bool accepting;      /* session-accept goes as soon as the transports are there */
    bool connected;
    usec deadline; /* for the session-accept */
    unsigned tags;
    struct content *contents;
    size_t content_count;
    struct jingle_group bundle; /* as offered, then as answered */
};

/* session.c */
enum session_progress session_progress(const struct session *session);
/* Sends and clears `iq`. */
void session_send(struct session *session, struct jingle_iq *iq);
void session_tell(struct session *session, const struct session_event *event);
/* Terminates with a condition of its own choice. */
void session_end_with(struct session *session, jingle_reason reason,
                      enum reason_condition condition);
void session_tell_ended(struct session *session, jingle_reason reason, jingle_party by,
                        const char *text);
/* Sends the candidates that wait, if it is time. */
void session_flush(struct session *session, struct content *content);
struct content *session_content(struct session *session, const char *name);
struct content *session_add_content(struct session *session, const char *name,
                                    enum creator creator);

/* session_content.c */
void content_clear(struct content *content);
/* Takes over new candidates of the peer; `fresh` gets those that are new and the credentials.
 * Clear it. */
void content_merge(struct content *content, const struct ice_udp_transport *from,
                   struct ice_udp_transport *fresh);
/* Are there new credentials in it? */
bool content_is_restart(const struct content *content, const struct ice_udp_transport *from);
/* Our role in DTLS. */
bool content_dtls_client(const struct session *session, const struct content *content);
/* What a content that we refuse ends a session with, if it was the last; REASON_NONE: it is fine.
 */
enum reason_condition content_fault(const struct jingle_content *offered);
/* Tells SESSION_EVENT_NEGOTIATED; false if the descriptions have nothing in common. */
bool content_negotiate(struct session *session, struct content *content);
/* Does this side send, by `senders`? */
bool content_we_send(const struct session *session, const struct content *content);
bool content_we_receive(const struct session *session, const struct content *content);

#endif
