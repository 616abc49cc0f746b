/* What account_call.c (life and commands), account_dial.c (whom to call, and how),
 * account_initiation.c and account_jingle.c share of a call. For these four only. */
#ifndef JINGLE_SIGNALING_ACCOUNT_CALL_STATE_H
#define JINGLE_SIGNALING_ACCOUNT_CALL_STATE_H

#include "signaling/account_state.h"

struct pending_transport {
    char *content;
    struct ice_udp_transport transport;
};

struct account_call {
    struct account *account;
    void *user;
    bool outgoing;
    bool direct;
    bool plain;      /* without encryption; before there is a session: it may be */
    bool by_message; /* message initiation was used */
    bool told;       /* the application knows of it */
    bool accepted;   /* by us or them */
    bool connected;
    bool rings; /* outgoing: the application was told so */
    bool ended;
    bool proposes_audio, proposes_video; /* incoming, by message initiation */
    char *peer;
    char *sid;
    struct session_media *media; /* what we can do; the strings and descriptions are owned */
    size_t media_count;
    GArray *transports; /* struct pending_transport: given before there is a session */
    struct proposal *proposal;
    GPtrArray *ringing; /* full JIDs of the devices that said so, few */
    struct session *session;
    /* outgoing, before it is decided how */
    bool deciding;
    bool starting; /* inside account_call_start(), which tells nothing */
    usec started;
    usec decide_at;
    jingle_reason verdict; /* not NONE: it ends, when the application's call has returned */
    bool insecure;         /* the verdict, of devices that could be called without encryption */
};

/* account_call.c */
struct account_call *account_call_new(struct account *account, const char *peer, bool outgoing);
void account_call_set_text(char **to, const char *text);
void account_call_copy_media(struct account_call *call, const struct session_media *media,
                             size_t count);
bool account_call_has_media(const struct account_call *call, const char *type);
void account_call_tell_plain(struct account_call *call, enum account_event_type type);
void account_call_tell_accepted(struct account_call *call);
void account_call_tell_incoming(struct account_call *call, bool audio, bool video, usec when);
/* The one end of every call. */
void account_call_finish(struct account_call *call, jingle_reason reason, jingle_party by,
                         const char *text);
/* Outgoing: the device to call is known. */
void account_call_initiate(struct account_call *call, const char *peer, const char *sid, usec now);
/* Makes the session of a session-initiate; false if it ended with that, untold. */
bool account_call_begin_session(struct account_call *call, const struct jingle_iq *iq, usec now);

/* account_jingle.c */
/* Who has a session of this id with exactly this device; NULL: nobody. */
struct account_call *account_call_find(const struct account *account, const char *from,
                                       const char *sid);
/* An outgoing call to this person that may be ended for one of theirs. */
bool account_call_is_crossed(const struct account_call *call, const char *from);
/* Ends such a call that has no session yet. */
void account_call_replace(struct account_call *call, usec now);

/* account_dial.c */
void account_call_decide(struct account_call *call, usec now);
/* A device says that it rings. */
void account_call_rings_at(struct account_call *call, const char *jid);
/* A device is gone: was it the last that may ring? */
bool account_call_stops_ringing(struct account_call *call, const char *jid, usec now);

#endif
