/* What the files account*.c share; nobody else includes this. */
#ifndef JINGLE_SIGNALING_ACCOUNT_STATE_H
#define JINGLE_SIGNALING_ACCOUNT_STATE_H

#include <glib.h>

#include "signaling/account.h"
#include "signaling/answers.h"
#include "signaling/caps.h"
#include "signaling/disco.h"
#include "signaling/display_name.h"
#include "signaling/initiation.h"
#include "signaling/outbox.h"
#include "signaling/posted.h"
#include "signaling/presence.h"
#include "signaling/roster.h"
#include "signaling/session.h"

#define ACCOUNT_CALLS_MAX 256
/* Presences of people who are online come at once after the login, but from other servers not in
 * an instant: before that nobody counts as offline. */
#define ACCOUNT_SETTLE (2 * USEC_PER_SEC)
/* How long a call waits to learn what the other's devices can do. */
#define ACCOUNT_ASK_LIMIT (3 * USEC_PER_SEC)
/* So many questions at once about what contacts can do; more wait in a line. */
#define ACCOUNT_ASKS_AT_ONCE 8
#define ACCOUNT_ASKS_WAITING 1000
/* Roster, services and features come within a round trip; a server that never answers holds nobody
 * up for longer than this. */
#define ACCOUNT_LOGIN_PATIENCE (3 * USEC_PER_SEC)

struct account {
    struct account_hooks hooks;
    const struct random_source *random;
    const struct logger *log;
    bool external;
    bool allow_strangers;
    bool ask_archive;
    bool no_calls;
    bool allow_unencrypted;
    usec ring_timeout;
    struct rtp_description *abilities;       /* may be NULL */
    struct rtp_description *video_abilities; /* may be NULL */
    char *bare;
    char *domain;
    char *software_name;
    char *software_version;
    char id_prefix[16];
    const char **features;
    char *caps_hash; /* ours */

    char *full_jid; /* the last one; kept while offline */
    bool online;
    usec online_since;

    struct outbox *outbox;
    struct answers *answers;
    struct roster *roster;
    bool roster_awaited;
    struct presence *presence;
    struct caps *caps;
    struct nicknames *nicknames;
    const char *nick;    /* in the message that is being received; NULL: none */
    GHashTable *granted; /* folded bare JIDs whose next subscription request is granted */
    GQueue to_ask;       /* full JIDs of devices */
    unsigned asking;

    unsigned login_questions; /* that the server has not answered yet */
    usec login_limit; /* ACCOUNT_EVENT_READY comes then at the latest; USEC_NEVER: it came */

    struct external_services services;
    usec services_renewal;
    struct account_server server;

    int64_t away_since;    /* 1970; calls since then are not known of; 0: all are */
    int64_t offline_since; /* likewise, unless the stream is resumed */
    char *archive_query;   /* the one that is being answered, or NULL */
    unsigned archive_pages;

    struct account_files *files;

    struct initiation *initiation;
    struct posted *posted;
    GQueue calls; /* struct account_call */
    GQueue ended; /* those that nobody may use any more, freed when all hooks have returned */
    unsigned depth;
    const struct stanza *answering; /* the IQ that a session is handling */
    usec now;                       /* for hooks of others that do not pass it on */
};

/* From now on files are announced, too. */
void account_announce_files(struct account *account);
/* Around whatever may call hooks. */
void account_enter(struct account *account, usec now);
void account_leave(struct account *account);

void account_tell(struct account *account, const struct account_event *event);
/* Frees `stanza`. */
void account_send(struct account *account, struct xml *stanza);
void account_reply_error(struct account *account, const struct stanza *request,
                         const struct stanza_error *error);
bool account_is_trusted(const struct account *account, const char *jid);
/* Strangers are not to learn that we are online, before they have been called or let in. */
bool account_hides_from(const struct account *account, const char *jid);
/* The answer that a server gives for a resource that is not there (XEP-0166, 6.3.2). */
void account_say_absent(struct account *account, const struct stanza *request);

/* account_discovery.c: what the server and the contacts' devices can do. */
void account_discover_server(struct account *account, usec now);
/* One of the questions asked at login is answered. */
void account_login_answered(struct account *account);
void account_ask_services(struct account *account, usec now);
void account_ask_device(struct account *account, struct device *device, usec now);
void account_ask_later(struct account *account, const struct device *device);
void account_ask_next(struct account *account, usec now);
/* The stream is gone: what was asked will be asked again, if the session is resumed. */
void account_forget_questions(struct account *account);
void account_receive_services(struct account *account, const xml_node *services, usec now);
void account_remember_initiation(struct account *account, const char *bare);
/* Did XEP-0115 already tell? Fills in what is remembered. */
void account_recall_device(struct account *account, struct device *device);

/* account_archive.c: calls that came while we were away. */
void account_read_archive(struct account *account, usec now);
void account_archive_online(struct account *account, bool resumed, usec now);
void account_archive_offline(struct account *account);
/* False: it is not of our archive. */
bool account_receive_archived(struct account *account, const struct stanza *message, usec now);

/* account_contacts.c: roster, presence, subscriptions. */
void account_contact_changed(struct account *account, const struct roster_item *item, bool removed);
void account_tell_contact(struct account *account, const char *jid);
void account_receive_presence(struct account *account, const struct stanza *presence, usec now);
/* What contacts call themselves: in their presence, messages and personal events (XEP-0163). */
void account_learn_nick(struct account *account, const struct stanza *stanza);
void account_receive_roster(struct account *account, const struct stanza *iq, usec now);
void account_forget_presence(struct account *account);

/* account_queries.c: questions to us that have nothing to do with calls. */
void account_answer_query(struct account *account, const struct stanza *iq, usec now);
char *account_own_hash(const struct account *account);
void account_remember_self(struct account *account);
struct xml *account_own_presence(const struct account *account);

/* account_survey.c: which devices are there, and what is known of them. */
struct account_survey {
    size_t devices; /* ourselves left out */
    size_t unknown; /* of those: may still answer */
};
typedef void (*account_device_fn)(void *user, const struct device *device);
/* Asks those of whom nothing is known; `answered` gets the others, best priority first. */
struct account_survey account_survey_devices(struct account *account, const char *jid,
                                             account_device_fn answered, void *user, usec now);
/* Until when more may become known, of what is to be decided since `began`; `now`: it will not. */
usec account_survey_patience(const struct account *account, const char *jid,
                             const struct account_survey *survey, usec began, usec now);
/* Does this person show us presence, so that nobody there means offline? */
bool account_shares_presence(const struct account *account, const char *jid);
/* More is known: what waits to be decided is looked at again. */
void account_survey_changed(struct account *account, const char *jid, usec now);

/* account_call.c, account_dial.c, account_initiation.c, account_jingle.c */
void account_calls_init(struct account *account);
void account_receive_jingle(struct account *account, const struct stanza *iq,
                            const xml_node *jingle, usec now);
void account_receive_message(struct account *account, const struct stanza *message,
                             enum initiation_origin origin, usec now);
/* One of an archive, that came at `when` (1970). */
void account_receive_kept_message(struct account *account, const struct stanza *message,
                                  int64_t when, usec now);
/* What is known of this person's devices changed; NULL: of anybody's. */
void account_calls_reconsider(struct account *account, const char *jid, usec now);
void account_calls_device_gone(struct account *account, const char *jid, usec now);
/* `other_jid`: we are not who we were before. */
void account_calls_online(struct account *account, bool other_jid, usec now);
usec account_calls_next_deadline(const struct account *account);
void account_calls_tick(struct account *account, usec now);
void account_call_free(struct account_call *call);
/* `error` NULL: a result. It is kept, for the peer may ask again after it has reconnected. */
void account_answer_jingle(struct account *account, const struct stanza *iq,
                           const struct stanza_error *error);

/* account_files.c, account_file_*.c, account_uploads.c */
void account_files_init(struct account *account);
void account_files_free(struct account *account);
/* All hooks have returned: frees what ended. */
void account_files_sweep(struct account *account);
/* As an application that is not known at all: acknowledged, then refused. */
void account_refuse_application(struct account *account, const struct stanza *iq, const char *sid);
/* False: it is not about files. */
bool account_files_receive_jingle(struct account *account, const struct stanza *iq,
                                  const struct jingle_iq *jingle, usec now);
/* A request of XEP-0047. */
void account_receive_inband(struct account *account, const struct stanza *iq,
                            const xml_node *element, usec now);
bool account_has_files_with(const struct account *account, const char *jid);
void account_files_reconsider(struct account *account, const char *jid, usec now);
void account_files_device_gone(struct account *account, const char *jid, usec now);
void account_files_online(struct account *account, bool other_jid, usec now);
void account_files_offline(struct account *account);
usec account_files_next_deadline(const struct account *account);
void account_files_tick(struct account *account, usec now);
/* account_links.c: a message that may hold a link to a file. */
void account_receive_link(struct account *account, const struct stanza *message);

#endif
