/* What the files account_file*.c and account_uploads.c share. For these only.
 *
 *     order (what account_files_offer() wants) ─▶ talk ─▶ talk ─▶ ...   one session after the other
 *     talk (one file_session.h)  ─▶ file, file ...                      its contents
 *
 * What ended waits until all hooks have returned, and then it is freed. */
#ifndef JINGLE_SIGNALING_ACCOUNT_FILE_STATE_H
#define JINGLE_SIGNALING_ACCOUNT_FILE_STATE_H

#include "signaling/account_files.h"
#include "signaling/account_state.h"
#include "signaling/file_services.h"

/* Offers of one contact, or of all strangers, that nobody has decided on; more are refused. */
#define FILES_UNDECIDED_MAX 32
/* How long files wait to learn which proxies there are. */
#define FILES_PROXY_PATIENCE (3 * USEC_PER_SEC)
#define UPLOADS_MAX          64
#define FILE_HASH_FUNCTIONS  6 /* that we know, see disco.h */

/* The in-band stream of a file (XEP-0047), between its <open/> and its end. */
struct file_blocks {
    char sid[IBB_SID_SIZE]; /* "": there is none */
    bool open;
    bool opening;       /* our <open/> is not answered */
    GQueue came;        /* struct came_block: those that nobody has answered */
    GArray *sent;       /* uint16_t seq: those that the peer has not answered */
    GArray *refused;    /* uint16_t seq: to be told at the next tick */
    bool close_is_told; /* the end of the stream is to be told then, too */
    bool open_failed;   /* and that nothing was opened */
};

struct account_file {
    struct account *account;
    void *user;
    bool outgoing; /* we began it */
    bool sends;    /* its bytes go from here */
    bool decided;  /* taken, refused or given up */
    bool flows;    /* over a connection of its own, which needs no stanza */
    bool ended;
    struct file_description description; /* outgoing: to be offered */
    struct file_order *order;            /* outgoing */
    struct file_talk *talk;              /* NULL: it waits for its session */
    char *content;
    const char **peer_hashes; /* FILE_HASH_FUNCTIONS and a NULL: as was told last */
    struct file_blocks blocks;
};

struct file_order {
    struct account *account;
    char *to;     /* bare or full */
    char *device; /* full; NULL: not decided */
    bool request;
    unsigned ways;
    GQueue waiting; /* struct account_file */
    struct file_talk *talk;
    usec began;
    usec chosen; /* the device */
    usec decide_at;
    jingle_status verdict; /* not OK: nobody is there for what still waits */
};

struct file_talk {
    struct account *account;
    struct file_session *session; /* NULL: refused at once */
    char *own_jid;                /* as the peer knows us */
    char *peer;                   /* full */
    char *sid;
    GPtrArray *files; /* those that have not ended */
    bool ended;
    struct file_order *order; /* NULL: incoming */
};

struct account_files {
    struct account_file_hooks hooks;
    bool enabled;
    bool take;
    bool known_proxies_only; /* see account_files_hide() */
    GPtrArray *files;        /* struct account_file that have not ended */
    GQueue orders;
    GQueue talks;
    GQueue ended_files;
    GQueue ended_talks;
    const struct stanza *opening; /* the <open/> that a session is looking at */
    struct file_services *services;
    GQueue uploads;       /* struct upload_ask */
    GQueue ended_uploads; /* the same */
    GQueue letters;       /* struct xml: messages that wait for a stream */
    GQueue links_told;    /* char *: digests, the oldest first */
};

/* account_files.c */
struct account_file *account_file_new(struct account *account, bool outgoing);
void account_file_tell(struct account_file *file, const struct file_event *event);
/* The one end of every file. */
void account_file_finish(struct account_file *file, const struct file_event *ended);
void account_file_fail(struct account_file *file, jingle_status status, jingle_party by,
                       const char *text);

/* account_file_dial.c */
void file_order_decide(struct file_order *order, usec now);
void file_order_free(struct file_order *order);
/* What a device's client can do; CAN_S5B | CAN_INBAND while that is not known. */
unsigned file_peer_capabilities(const struct account *account, const char *jid);
/* A file ended before anybody had answered: does that tell of all others, too? */
void file_order_learn(struct file_order *order, jingle_status status);
/* The session is over: the next, if more is wanted. */
void file_order_go_on(struct file_order *order, usec now);

/* account_file_jingle.c */
struct file_talk *file_talk_new(struct account *account, const char *peer, const char *sid);
void file_talk_free(struct file_talk *talk);
struct file_session_hooks file_talk_hooks(struct file_talk *talk);
struct file_session_config file_talk_settings(const struct file_talk *talk, unsigned ways);

/* account_file_blocks.c */
void file_blocks_init(struct file_blocks *blocks);
/* The stream is over: what came and is not answered is refused. */
void file_blocks_clear(struct account_file *file);
/* The event OPEN of a session: sends <open/>. */
void file_blocks_open(struct account_file *file, const struct ibb_transport *transport, usec now);
/* The event INBAND. */
void file_blocks_begin(struct account_file *file, const struct ibb_transport *transport);
/* The stream to the server is lost, and this one with it. */
void file_blocks_cut(struct account_file *file);
bool file_blocks_have_news(const struct account_file *file);
void file_blocks_tick(struct account_file *file, usec now);

/* account_file_services.c */
void account_file_services_init(struct account *account);
/* Asks, unless it was asked since the login. */
void account_file_services_need(struct account *account);

/* account_uploads.c */
void account_uploads_free(struct account *account);
void account_uploads_sweep(struct account *account);
void account_uploads_online(struct account *account, usec now);
void account_uploads_offline(struct account *account);
usec account_uploads_next_deadline(const struct account *account);
void account_uploads_tick(struct account *account, usec now);
/* The services are known now. */
void account_uploads_reconsider(struct account *account, usec now);

#endif
