/* An XMPP account as calls need it: presence, roster, capabilities, external services, the outbox,
 * and the calls themselves. Pure: stanza text and the time in, stanza text and events out.
 *
 *                     ┌──────────────────────── account ───────────────────────┐
 *     XML text ─────▶ │ outbox · roster · presence · caps · disco · services   │ ─▶ send(XML text)
 *     commands ─────▶ │ calls: initiation (XEP-0353) ─▶ session (XEP-0166)     │ ─▶ event()
 *     now ──────────▶ │                                                        │ ─▶ next deadline
 *                     └────────────────────────────────────────────────────────┘
 *
 * The same for a connection of ours (strophe.h) and for an application's own (`external`): then
 * the application owns presence, roster and carbons and the account only learns from what it is
 * handed. Hooks may call back into the account, except account_free(). */
#ifndef JINGLE_SIGNALING_ACCOUNT_H
#define JINGLE_SIGNALING_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jingle/jingle.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "signaling/external_services.h"
#include "signaling/session.h"

struct account;
struct account_call;

/* What `jcall check` wants to know of our server; valid until the next call of the account. */
struct account_server {
    bool known; /* the server has answered; else all below is false */
    bool carbons;
    bool external_services;
    bool message_archive; /* XEP-0313, on the account */
    size_t service_count;
};

enum account_event_type {
    ACCOUNT_EVENT_READY,        /* after account_online(): what our server told at login is known */
    ACCOUNT_EVENT_SERVICES,     /* the list changed: u.services */
    ACCOUNT_EVENT_CONTACT,      /* u.contact */
    ACCOUNT_EVENT_SUBSCRIPTION, /* somebody asks to see our presence: u.contact */
    ACCOUNT_EVENT_CAPS_CHANGED, /* account_caps_save() has more to say than before */
    ACCOUNT_EVENT_INCOMING,     /* call, u.incoming */
    ACCOUNT_EVENT_MISSED,       /* u.incoming; no call */
    ACCOUNT_EVENT_LINK,         /* u.link: to a file; only if files are taken */
    ACCOUNT_EVENT_UNENCRYPTED,  /* call: it will be without encryption, so another transport is
                                   wanted: one for that. Outgoing, before it rings */
    ACCOUNT_EVENT_RINGING,      /* call */
    ACCOUNT_EVENT_ACCEPTED,     /* call; account_call_peer() is now a full JID */
    ACCOUNT_EVENT_NEGOTIATED,   /* call, u.negotiated: a content is agreed on */
    ACCOUNT_EVENT_REMOTE_TRANSPORT, /* call, u.remote_transport: candidates or a restart */
    ACCOUNT_EVENT_INFO,             /* call, u.info */
    ACCOUNT_EVENT_SENDERS,          /* call, u.senders: the peer changed who sends */
    ACCOUNT_EVENT_ENDED,            /* call, u.ended: the last of a call, which is freed after it */
    ACCOUNT_EVENT_CONTENT_OFFERED,  /* call, u.content_offered: the peer wants to add one; decide */
    ACCOUNT_EVENT_CONTENT_REFUSED,  /* call, u.content_gone: one that we offered is not wanted */
    ACCOUNT_EVENT_CONTENT_REMOVED, /* call, u.content_gone: agreed on, or offered to us, and gone */
};

/* All that is pointed to is valid during the hook only. */
struct account_event {
    enum account_event_type type;
    struct account_call *call;
    union {
        struct {
            const struct external_service *services;
            size_t count;
        } services;
        jingle_contact contact;
        struct {
            const char *from; /* full JID, or bare where only that is known */
            const char *name; /* see account_display_name() */
            const char *sid;
            bool audio;
            bool video;
            bool on_roster;
            bool
                encrypted; /* what is offered can be nothing else, or is accepted as nothing else */
            usec when;     /* since 1970 */
        } incoming;
        struct {
            const char *from; /* bare */
            const char *name; /* see account_display_name() */
            const char *url;  /* of oob.h, as the next two */
            const char *description;
            bool encrypted;
            bool on_roster;
            usec when; /* since 1970 */
        } link;
        struct {
            const char *content;
            bool we_are_initiator;
            bool we_offered;  /* the content: ICE's controlling side, if its transport is new */
            bool dtls_client; /* our role in DTLS, of both setup attributes (XEP-0320) */
            const struct rtp_agreement *agreement;
            const struct ice_udp_transport *remote; /* of its transport */
            /* The name of the transport that carries it: its own, or one that it shares. See
             * session.h. */
            const char *transport;
            /* account_call_set_transport() must be called for `transport`, of a new link ... */
            bool transport_wanted;
            /* ... with these ufrag and pwd, for the peer has them already. NULL: any. */
            const struct ice_udp_transport *credentials;
        } negotiated;
        struct {
            const char *content; /* the name of the transport */
            bool restart;        /* new ufrag and pwd; otherwise only candidates are new */
            /* `restart`: answer it by account_call_set_transport() with new credentials. */
            bool answer_wanted;
            const struct ice_udp_transport *transport;
        } remote_transport;
        struct {
            const char *content;
            bool we_send, we_receive;
        } senders;
        struct {
            enum jingle_info info; /* active, hold, unhold, mute or unmute */
            const char *content;   /* "" if the peer named none: all */
            const char *media;     /* of that content: "audio", "video"; "" without */
        } info;
        struct {
            const char *content;      /* for account_call_content_accept() and _reject() */
            const char *media;        /* "audio", "video" */
            bool we_send, we_receive; /* as the peer wants it */
        } content_offered;
        struct {
            const char *content;
            const char *media;
            jingle_reason reason; /* see session.h */
            jingle_party by;      /* REMOVED */
        } content_gone;
        struct {
            jingle_reason reason;
            jingle_party by;
            const char *text; /* what the peer or server said; "" if nothing */
            bool insecure;    /* all that could be called of them knows no encryption */
        } ended;
    } u;
};

struct account_hooks {
    void *user;
    /* One stanza for the server. Only called between account_online() and account_offline(). */
    void (*send)(void *user, const char *xml, size_t bytes);
    void (*event)(void *user, const struct account_event *event);
    usec (*wall)(void *user); /* since 1970, for delay stamps */
};

struct account_config {
    const char *jid; /* bare or full; only the bare part counts */
    bool external;   /* the stream is the application's */
    bool allow_strangers;
    bool ask_archive;       /* at login: what calls came meanwhile; see account_history_load() */
    bool no_calls;          /* none are announced or taken */
    bool allow_unencrypted; /* calls with clients that know no encryption; see session.h */
    usec ring_timeout;
    /* Copied: offers that have nothing in common with these do not ring. Both NULL: all do. The
     * first is audio. Video is announced (disco#info) if the second is there. */
    const struct rtp_description *abilities;
    const struct rtp_description *video_abilities;
    const char *software_name;
    const char *software_version;
    const struct random_source *random;
    const struct logger *log; /* may be NULL; must outlive the account */
};

/* All text is copied. NULL if `jid` is not a JID. */
struct account *account_new(const struct account_config *config, const struct account_hooks *hooks);
/* Ends nothing and tells nothing: calls still there are forgotten. */
void account_free(struct account *account);

/* The prefix of all our stanza ids, for classify.h. Never changes. */
const char *account_id_prefix(const struct account *account);
/* What we announce (disco#info), NULL-terminated; lives as long as the account. */
const char *const *account_features(const struct account *account);

/* -- connection -- */

void account_online(struct account *account, const char *full_jid, bool resumed, usec now);
void account_offline(struct account *account, usec now);
bool account_is_online(const struct account *account);
/* Says that we go: unavailable presence. Calls must have been ended before. */
void account_goodbye(struct account *account, usec now);
/* One stanza, `bytes` long. What is not XML is logged and dropped. */
void account_receive(struct account *account, const char *xml, size_t bytes, usec now);

/* When account_tick() wants to be called; USEC_NEVER if nothing waits. */
usec account_next_deadline(const struct account *account);
void account_tick(struct account *account, usec now);

/* -- what is known -- */

/* The roster; freed with jingle_contacts_free()-like account_contacts_free(). */
jingle_contact *account_contacts(const struct account *account, size_t *count);
void account_contacts_free(jingle_contact *contacts, size_t count);
/* Puts on the roster, asks for presence and grants ours. */
jingle_status account_contact_add(struct account *account, const char *jid, const char *name,
                                  usec now);
jingle_status account_contact_remove(struct account *account, const char *jid, usec now);

/* What to call this person, to be shown beside the JID: see display_name.h. g_free() it. */
char *account_display_name(const struct account *account, const char *jid);

const struct external_service *account_services(const struct account *account, size_t *count);
struct account_server account_server(const struct account *account);

/* The memory of what other clients can do, as text for a file. Saved text is freed with g_free().
 */
void account_caps_load(struct account *account, const char *text, size_t bytes);
char *account_caps_save(const struct account *account, size_t *bytes);

/* When we were online last, and the calls that were dealt with, as text for a file of this account:
 * so that at the next login the archive can be asked for what was missed. */
void account_history_load(struct account *account, const char *text, size_t bytes, usec now);
char *account_history_save(const struct account *account, size_t *bytes);

/* -- calls -- */

/* Calls somebody; `media` is copied, and exactly its kinds of media are proposed and offered.
 * Transport: that of the first is enough, see session.h. `direct`: no message initiation.
 * JINGLE_ERROR_JID, JINGLE_ERROR_OFFLINE, JINGLE_ERROR_LIMIT; what fails later is told by
 * ACCOUNT_EVENT_ENDED, never from inside this. */
jingle_status account_call_start(struct account *account, const char *to,
                                 const struct session_media *media, size_t count, bool direct,
                                 usec now, struct account_call **call);
/* Answers a call that came in; media by media type, in the offer's order. What is not in `media`
 * (the video of an offer, such as) is refused, and the call goes on without. */
jingle_status account_call_accept(struct account_call *call, const struct session_media *media,
                                  size_t count, usec now);
/* Refuses it: JINGLE_REASON_DECLINED or JINGLE_REASON_BUSY. */
void account_call_reject(struct account_call *call, jingle_reason reason, usec now);
/* Hangs up, cancels or refuses, for `reason`. ACCOUNT_EVENT_ENDED comes before this returns. */
void account_call_end(struct account_call *call, jingle_reason reason, usec now);

/* Our side of a content's transport: ufrag, pwd, fingerprint and the candidates so far; the setup
 * attribute is chosen here. session-initiate or -accept waits for it: a caller may give it at once,
 * a callee after ACCOUNT_EVENT_NEGOTIATED. Again with another ufrag: an ICE restart. */
void account_call_set_transport(struct account_call *call, const char *content,
                                const struct ice_udp_transport *transport, usec now);
/* Candidates found later (trickle). */
void account_call_add_candidates(struct account_call *call, const char *content,
                                 const struct ice_candidate *candidates, size_t count, usec now);
/* Media flows: from now on only hang-up or lost media end the call. */
void account_call_connected(struct account_call *call, usec now);
void account_call_info(struct account_call *call, enum jingle_info info, const char *content,
                       usec now);

/* -- contents of a call that is accepted: see the functions of the same names in session.h -- */

/* `*content` (may be NULL) gets the name. JINGLE_ERROR_STATE: not now. */
jingle_status account_call_content_add(struct account_call *call, const struct session_media *media,
                                       usec now, const char **content);
bool account_call_content_wants_transport(const struct account_call *call, const char *content);
bool account_call_content_accept(struct account_call *call, const char *content,
                                 const struct session_media *media, usec now);
void account_call_content_reject(struct account_call *call, const char *content,
                                 jingle_reason reason, usec now);
enum content_removal account_call_content_remove(struct account_call *call, const char *content,
                                                 usec now);
bool account_call_content_set_senders(struct account_call *call, const char *content, bool we_send,
                                      bool we_receive, usec now);
/* Does the peer's device announce video? True also while that is not known. */
bool account_call_peer_takes_video(const struct account_call *call);

/* "" until it is decided how to call (after at most some seconds). */
const char *account_call_sid(const struct account_call *call);
const char *account_call_peer(const struct account_call *call); /* full once it is known */
/* False: anyone on the way can listen. Outgoing, it is told by ACCOUNT_EVENT_UNENCRYPTED. */
bool account_call_is_encrypted(const struct account_call *call);
bool account_call_is_outgoing(const struct account_call *call);
void account_call_set_user(struct account_call *call, void *user);
void *account_call_user(const struct account_call *call);

#endif
