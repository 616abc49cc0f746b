/* The IQs that we sent and that are not answered yet. Those worth keeping are sent again, with the
 * same id, after each reconnect (libstrophe's XEP-0198 loses stanzas); none waits for ever. */
#ifndef JINGLE_SIGNALING_OUTBOX_H
#define JINGLE_SIGNALING_OUTBOX_H

#include "base/clock.h"
#include "signaling/stanza.h"

#define OUTBOX_ANSWER_LIMIT (60 * USEC_PER_SEC) /* while online */
#define OUTBOX_TIMES_MAX    4 /* more streams end by it, perhaps: the server may not like it */

struct outbox;

/* The answer to an IQ, once: `error` NULL for a result, and then `answer` is there. Without any
 * answer for too long the error is STANZA_REMOTE_SERVER_TIMEOUT and `answer` NULL. */
typedef void (*outbox_answer_fn)(void *user, unsigned tag, const struct stanza *answer,
                                 const struct stanza_error *error, usec now);

struct outbox_request {
    const char *to; /* NULL: our own account */
    bool keep;      /* again after a reconnect; otherwise forgotten when the stream ends */
    bool last_word; /* also after outbox_forget() */
    outbox_answer_fn answered; /* NULL: nobody wants to know */
    void *user;
    unsigned tag;
    usec limit; /* 0: OUTBOX_ANSWER_LIMIT */
};

typedef void (*outbox_send_fn)(void *user, const xml_node *stanza);

struct outbox *outbox_new(const char *id_prefix, outbox_send_fn send, void *user);
void outbox_free(struct outbox *outbox);

/* Gives `iq` an id, takes it over and sends it, if online or to be kept. */
void outbox_send(struct outbox *outbox, struct xml *iq, const struct outbox_request *request,
                 usec now);
/* `own_jid`: our full JID, to know our own account's answers. */
void outbox_online(struct outbox *outbox, const char *own_jid, usec now);
void outbox_offline(struct outbox *outbox);
/* True if the stanza answers one of ours (which must come from whom we asked). */
bool outbox_receive(struct outbox *outbox, const struct stanza *stanza, usec now);
/* Nobody with this `user` wants answers any more, and only the last word is still sent again. */
void outbox_forget(struct outbox *outbox, const void *user);
/* The next id of ours; g_free() it. */
char *outbox_id(struct outbox *outbox);

usec outbox_next_deadline(const struct outbox *outbox);
void outbox_tick(struct outbox *outbox, usec now);

#endif
