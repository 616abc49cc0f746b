/* What the files session*.c share of a session; nobody else includes this:
 *
 *     session.c          life and local commands       session_receive.c  what the peer says
 *     session_change.c   contents that come and go     session_bundle.c   who shares whose
 * transport session_content.c  one content
 */
#ifndef JINGLE_SIGNALING_SESSION_STATE_H
#define JINGLE_SIGNALING_SESSION_STATE_H

#include "signaling/session.h"

enum content_state {
    CONTENT_OFFERED, /* in session-initiate, by whoever initiated */
    CONTENT_ADDING,  /* ours: content-add waits for a transport or for its answer */
    CONTENT_ADDED,   /* theirs: their content-add waits for our decision */
    CONTENT_AGREED,
    CONTENT_REFUSED, /* kept in the answer as 'none', or left out of it */
    CONTENT_REMOVED, /* nothing may be said about it any more */
};

struct content {
    char *name;
    enum creator creator; /* as the peer last wrote it */
    enum senders senders;
    enum content_state state;
    bool ours;    /* we offered it, whatever the creator says */
    bool crossed; /* theirs of the same name lost against it: the creator tells them apart */
    bool plain;   /* without encryption, and RTCP on a component of its own */
    bool silent;  /* we do not want to send, though `senders` may let us */
    /* ADDING */
    bool add_acked;
    bool yields; /* REMOVED for theirs: taken back as soon as it is known that they do have it */
    /* AGREED */
    bool accepting; /* content-accept goes as soon as the transport is there */
    bool bare;      /* their content-add had an empty transport, and so has our answer */
    /* The transport: */
    bool offerer;        /* we are; for the roles in DTLS */
    bool has_own;        /* it is given; before, credentials may have been told already */
    bool restart_sent;   /* our new credentials wait for theirs */
    bool restart_lost;   /* ... and were told while nobody was there to hear */
    bool restart_wanted; /* their new credentials wait for ours */
    unsigned add_tag;    /* of content-add; 0: not sent yet */
    unsigned accept_tag; /* of content-accept */
    unsigned modify_tag; /* of our content-modify, while it is not answered; 0: none */
    unsigned modify_refusals;
    usec deadline;                 /* for the answer to content-add */
    struct rtp_description local;  /* our offer or answer */
    struct rtp_description remote; /* theirs */

    /* Its transport, or the content that has it: the rest is not used then, but for `theirs`. */
    char *carrier; /* a content's name; NULL: it has its own */
    char *label;   /* how others know its transport; NULL: by `name` */
    struct ice_udp_transport own;
    size_t sent;                     /* how many of own.candidates the peer has */
    struct ice_udp_transport theirs; /* all candidates so far */
};

struct session {
    struct session_hooks hooks;
    const struct logger *log;
    const struct rtp_description *abilities;
    const struct rtp_description *video_abilities;
    char *own_jid;
    char *peer;
    char *sid;
    usec ring_timeout;
    enum session_state state;
    bool initiator;
    bool plain;          /* without encryption: a voice, and nothing else */
    bool initiating;     /* session-initiate goes as soon as the transports are there */
    bool initiate_acked; /* before this nothing else may be sent */
    bool accepting;      /* session-accept goes as soon as the transports are there ... */
    bool negotiating;    /* ... and all is told of what was agreed on */
    bool connected;
    bool named;     /* the peer names itself as initiator or responder: XEP-0166 to the letter */
    bool modifies;  /* it has sent or accepted a content-modify */
    usec deadline;  /* for the session-accept */
    usec retell_at; /* transports, for they have not heard; USEC_NEVER: they have */
    unsigned retellings;
    unsigned tags;
    unsigned labels;
    unsigned telling;          /* event hooks that have not returned */
    struct content **contents; /* in the order in which they came */
    size_t content_count;
    struct jingle_group bundle; /* as offered, then as answered */
};

/* session.c */
enum session_progress session_progress(const struct session *session);
/* Sends and clears `iq`; returns its tag. */
unsigned session_send(struct session *session, struct jingle_iq *iq);
void session_tell(struct session *session, const struct session_event *event);
/* Terminates with a condition of its own choice. */
void session_end_with(struct session *session, jingle_reason reason,
                      enum reason_condition condition);
void session_tell_ended(struct session *session, jingle_reason reason, jingle_party by,
                        const char *text);
/* One that is not removed; NULL if there is none. */
struct content *session_content(const struct session *session, const char *name);
/* The content that the peer means. */
struct content *session_meant(const struct session *session, const struct jingle_content *in);
/* Had this name ever a content? (As far as it is remembered.) */
bool session_had_content(const struct session *session, const char *name);
struct content *session_add_content(struct session *session, const char *name,
                                    enum creator creator);
size_t session_live_contents(const struct session *session);
/* What an error in answer to session-initiate or session-accept means. */
jingle_reason session_error_meaning(const struct stanza_error *error);

/* session_send.c */
/* A content as it stands in an offer or answer. */
struct jingle_content *session_write_content(struct session *session, struct jingle_iq *iq,
                                             struct content *content, bool is_offer);
/* SESSION_EVENT_NEGOTIATED for all that is agreed on. */
void session_tell_negotiated(struct session *session);
void session_write_group(struct jingle_iq *iq, const struct jingle_group *group);
/* Sends the candidates that wait, if it is time. */
void session_flush(struct session *session, struct content *content);
/* All candidates that we have, and an ICE restart that is not answered, once more. */
void session_retell_transports(struct session *session);

/* session_bundle.c */
/* The content whose transport carries this one: itself, or another. */
struct content *content_carrier(const struct session *session, struct content *content);
const char *content_label(const struct content *content);
/* The content that has the transport of this name, or NULL. */
struct content *session_transport(const struct session *session, const char *label);
/* The content that carries the bundle, NULL if the session is not bundled (any more). */
struct content *session_head(const struct session *session);
bool session_is_bundled(const struct session *session, const struct content *content);
/* `content` shares the head's transport from now on; NULL: it has its own. */
void content_ride(struct content *content, const struct content *head);
/* The first of the group that is agreed on carries the others that are; all of them, and those that
 * ride already, are told so. */
void session_bundle(struct session *session);
/* What was given as the transport of `from` is that of `to`, by the name it has. */
void content_hand_over(struct content *from, struct content *to);
/* It is out of the session: whoever rides on it gets its transport. */
void session_release(struct session *session, struct content *content);

/* session_content.c */
void content_free(struct content *content);
/* Takes over new candidates of the peer; `fresh` gets those that are new and the credentials.
 * Clear it. */
void content_merge(struct content *content, const struct ice_udp_transport *from,
                   struct ice_udp_transport *fresh);
/* Are there new credentials in it? */
bool content_is_restart(const struct content *content, const struct ice_udp_transport *from);
/* Our role in the DTLS of this transport. */
bool content_dtls_client(const struct content *content);
/* What is wrong with a content that the peer offers or answers; REASON_NONE: nothing. `rides`: the
 * transport is another's, so that there need not be one here. */
enum reason_condition content_fault(const struct session *session,
                                    const struct jingle_content *offered, bool rides);
/* Does it speak of any encryption? */
bool content_names_encryption(const struct jingle_content *offered);
/* The same for an offer, by what we can do as well. */
enum reason_condition content_offer_fault(const struct session *session,
                                          const struct jingle_content *offered, bool rides);
/* Have the descriptions anything in common? */
bool content_fits(const struct session *session, const struct content *content);
/* Tells SESSION_EVENT_NEGOTIATED. */
void content_tell_negotiated(struct session *session, struct content *content);
void content_tell_gone(struct session *session, struct content *content,
                       enum session_event_type type, jingle_reason reason, jingle_party by);
const char *content_media(const struct content *content);
/* Does this side send, by `senders`? */
bool content_we_send(const struct session *session, const struct content *content);
bool content_we_receive(const struct session *session, const struct content *content);
enum senders senders_of(bool initiator, bool we_send, bool we_receive);

/* session_add.c */
/* What the peer says about contents; each answers the IQ. */
void receive_content_add(struct session *session, const struct jingle_iq *iq, usec now);
void receive_content_accept(struct session *session, const struct jingle_iq *iq);
/* A second session-accept: so Movim says content-accept. False if it is none: nothing is done. */
bool receive_accept_again(struct session *session, const struct jingle_iq *iq);
void receive_content_reject(struct session *session, const struct jingle_iq *iq);
/* A transport came that one of them may have waited for. */
void session_try_changes(struct session *session, struct content *content, usec now);

/* session_change.c */
/* Likewise. */
void receive_content_modify(struct session *session, const struct jingle_iq *iq);
void receive_content_remove(struct session *session, const struct jingle_iq *iq);
/* One content without description and transport, and why; returns the tag. */
unsigned session_send_named(struct session *session, enum jingle_action action,
                            const struct content *content, enum reason_condition condition);
bool session_is_dino(const struct session *session);
/* Is it about what is gone already? */
bool session_is_stale(const struct session *session, const struct jingle_iq *iq);
bool session_knows_all(const struct session *session, const struct jingle_iq *iq);
/* It is in the session no more. */
void content_take_out(struct session *session, struct content *content);
/* The same, for one of ours that the peer did not take. */
void content_refused(struct session *session, struct content *content, jingle_reason reason);
jingle_reason content_refusal(enum reason_condition condition);
/* An IQ of session_add.c or session_change.c was answered. */
void session_change_answered(struct session *session, unsigned tag,
                             const struct stanza_error *error);
/* When the next offer of ours expires; withdraws those that have. */
usec session_changes_deadline(const struct session *session);
void session_tick_changes(struct session *session, usec now);

/* session_receive.c */
void answer_result(struct session *session);
void answer_error(struct session *session, enum stanza_condition condition,
                  enum jingle_condition jingle, const char *text);
void answer_out_of_order(struct session *session, const struct jingle_iq *iq);
/* We write the creator that the peer last wrote, for clients differ about it. */
void learn_creators(struct session *session, const struct jingle_iq *iq);

#endif
