/* Proposals (XEP-0353) that a server kept for us, offline (XEP-0203) or in its archive (XEP-0313).
 * What became of them may follow at their heels, so they are held for a moment:
 *
 *     kept ─▶ held ─┬─ another device of ours settled it ─▶ gone
 *                   ├─ the caller gave up, or it is old  ─▶ due: missed
 *                   └─ still fresh, and not archived     ─▶ due: rings
 */
#ifndef JINGLE_SIGNALING_LATE_CALLS_H
#define JINGLE_SIGNALING_LATE_CALLS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define LATE_CALLS_MAX 64 /* held at once; more are passed over */

struct late_call {
    char *sid;
    char *from;    /* JID */
    char *receipt; /* the id of the message, if it asks for a receipt; or NULL */
    bool audio, video;
    bool archived; /* it never rings */
    bool over;     /* nobody calls any more */
    int64_t when;  /* they called, since 1970 */
    usec until;    /* it may ring */
    usec due;
};

struct late_calls;

struct late_calls *late_calls_new(void);
void late_calls_free(struct late_calls *calls);
void late_call_clear(struct late_call *call);

/* A copy is held. False: there are too many. */
bool late_calls_hold(struct late_calls *calls, const struct late_call *call);
/* By the bare JID; NULL if it is not held. */
struct late_call *late_calls_find(struct late_calls *calls, const char *from, const char *sid);
/* The one of this id, whoever called. */
struct late_call *late_calls_find_sid(struct late_calls *calls, const char *sid);
void late_calls_drop(struct late_calls *calls, struct late_call *call);

/* While an archive is read, more may follow: what is archived waits. */
void late_calls_wait(struct late_calls *calls, bool archive_is_read);
/* It was not read to its end and will be read again. */
void late_calls_drop_archived(struct late_calls *calls);
usec late_calls_next(const struct late_calls *calls);
/* Moves the first that is due into `call` (late_call_clear() it); false: there is none. */
bool late_calls_take(struct late_calls *calls, usec now, struct late_call *call);

#endif
