/* The files of an account, as far as signalling knows them: who offers what to whom, which way the
 * bytes shall take, how it ended. The bytes themselves are the engine's (engine/transfer.h), but
 * for those that go in-band, which are stanzas.
 *
 *     account_files_offer ─▶ decide: which device, one session or several ─▶ file_session.h
 *     session-initiate came ─▶ FILE_EVENT_OFFERED ─▶ account_file_accept
 *
 * All functions are called, and all events told, on the account's thread. */
#ifndef JINGLE_SIGNALING_ACCOUNT_FILES_H
#define JINGLE_SIGNALING_ACCOUNT_FILES_H

#include "signaling/account.h"
#include "signaling/file_session.h"

#define ACCOUNT_FILES_MAX 256 /* of both directions, those that wait for their turn included */

/* One file, in either direction. Freed after its FILE_EVENT_ENDED. */
struct account_file;

/* Events are those of file_session.h but for ACTIVATE, OPEN and SESSION_ENDED, which the
 * account does itself; and these: */
struct account_file_block {
    uint16_t seq;
    const uint8_t *bytes; /* of BLOCK */
    size_t size;
    void *token; /* of BLOCK: for account_file_block_written() */
};

struct account_file_hooks {
    void *user;
    void (*event)(void *user, struct account_file *file, const struct file_event *event);
    /* In-band. A block came; answer it at once or later. */
    void (*block)(void *user, struct account_file *file, const struct account_file_block *block,
                  uint32_t seq);
    /* A block of ours was acknowledged, or refused. */
    void (*block_answered)(void *user, struct account_file *file, uint16_t seq, bool acknowledged);
    /* <close/> of the peer. Also when our own stream to the server is lost, if we receive: what
     * was sent since may be lost with it. (If we send, the blocks are refused.) */
    void (*closed)(void *user, struct account_file *file);
};

/* Once, before the first file. Without it files are neither announced nor taken. `take`: announce
 * that files are taken; else offers are refused. */
void account_files_enable(struct account *account, const struct account_file_hooks *hooks,
                          bool take);

/* The peers must not learn our addresses: of the proxies that they offer only those are used that
 * our own server has, too. Ways without FILE_WAY_DIRECT do the rest. */
void account_files_hide(struct account *account);

struct account_file_config {
    const struct file_description *file; /* copied */
    void *user;
};

/* Offers `count` files, or asks for one (`request`, full JID). What fails later is told by
 * FILE_EVENT_ENDED, never from inside this. `ways`: see file_session.h. Of several that go one
 * after the other the rest ends like the first one that nobody is there to answer.
 * JINGLE_ERROR_JID, JINGLE_ERROR_OFFLINE, JINGLE_ERROR_LIMIT; JINGLE_ERROR_STATE before
 * account_files_enable(). */
jingle_status account_files_offer(struct account *account, const char *to, bool request,
                                  const struct account_file_config *files, size_t count,
                                  unsigned ways, usec now, struct account_file **out);

/* See the functions of the same names in file_session.h. */
void account_file_accept(struct account_file *file, uint64_t offset,
                         const struct file_description *description, unsigned ways, usec now);
void account_file_reject(struct account_file *file, usec now);
void account_file_end(struct account_file *file, jingle_status status, usec now);
void account_file_add_candidate(struct account_file *file, enum s5b_type type, const char *host,
                                uint16_t port, usec now);
void account_file_connected(struct account_file *file, const char *cid, usec now);
void account_file_unconnected(struct account_file *file, usec now);
void account_file_proxy_connected(struct account_file *file, bool connected, usec now);
void account_file_stream_failed(struct account_file *file, usec now);
void account_file_sent(struct account_file *file, const struct file_hash *hashes, size_t count,
                       usec now);
void account_file_stream_closed(struct account_file *file, usec now);
void account_file_received(struct account_file *file, usec now);

/* In-band. Each block is one IQ; block_answered tells what became of it. */
void account_file_send_block(struct account_file *file, uint16_t seq, const uint8_t *bytes,
                             size_t size, usec now);
/* The answer to a block that came: NULL is a result. The token is gone with that. */
void account_file_block_written(struct account_file *file, void *token,
                                const struct stanza_error *error);
/* Sends <close/>. */
void account_file_close(struct account_file *file, usec now);
/* How many blocks may be under way to this peer's client: 16 to ours, 1 to any other. */
unsigned account_file_window(const struct account_file *file);

const char *account_file_peer(const struct account_file *file); /* full once it is known */
const char *account_file_sid(const struct account_file *file);  /* of the session; "" before */
bool account_file_is_outgoing(const struct account_file *file); /* we began it */
/* The hash algorithms (XEP-0300) that the peer's client lists, as its names; NULL-terminated. For
 * what to announce; empty while nothing is known. */
const char *const *account_file_peer_hashes(const struct account_file *file);
/* Is this person on the roster, or our own account? */
bool account_file_peer_is_contact(const struct account_file *file);
void account_file_set_user(struct account_file *file, void *user);
void *account_file_user(const struct account_file *file);

/* -- uploads (XEP-0363) -- */

struct upload_header {
    const char *name;
    const char *value;
};

struct upload_slot {
    const char *put_url; /* https */
    const char *get_url;
    struct upload_header headers[3]; /* Authorization, Cookie, Expires: those that were given */
    size_t header_count;
};

/* `slot` NULL: `status` says why not (NO_UPLOAD: no service, or larger than it takes). Never from
 * inside account_upload_ask(). */
typedef void (*account_slot_fn)(void *user, const struct upload_slot *slot, jingle_status status,
                                const char *text);
jingle_status account_upload_ask(struct account *account, const char *name, uint64_t size,
                                 const char *media_type, account_slot_fn answered, void *user,
                                 usec now);
/* Nobody with this `user` wants the answer any more. */
void account_upload_forget(struct account *account, const void *user);
/* Sends the link as a message (XEP-0066), with a store hint. */
void account_upload_tell(struct account *account, const char *to, const char *url,
                         const char *description, usec now);

#endif
