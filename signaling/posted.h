/* The messages of initiation that we posted lately. Nobody acknowledges a message, and what went
 * into a line that was dead already is lost: so they are posted again after a login, unless the one
 * they were for has answered since, or they are too old to matter. */
#ifndef JINGLE_SIGNALING_POSTED_H
#define JINGLE_SIGNALING_POSTED_H

#include "base/clock.h"
#include "signaling/stanza.h"

#define POSTED_MAX 64                  /* more push out the oldest */
#define POSTED_FOR (60 * USEC_PER_SEC) /* after that nothing rings any more */

struct posted;

struct posted *posted_new(void);
void posted_free(struct posted *posted);

/* A message of XEP-0353 (others are not kept), sent or, without a stream, still to be sent. One
 * that ends a call takes the place of those before it. */
void posted_add(struct posted *posted, const xml_node *message, usec now);
/* `from` speaks of this call: what it was told of it has arrived. */
void posted_arrived(struct posted *posted, const char *from, const char *sid);
/* Sends again, oldest first. */
void posted_repeat(struct posted *posted, void (*send)(void *user, const xml_node *message),
                   void *user, usec now);

#endif
