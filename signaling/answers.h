/* The answers that we gave to IQs, so that one that comes again (its sender reconnected and did
 * not know) gets the same answer again, and is not acted on twice. Bounded: the oldest go. */
#ifndef JINGLE_SIGNALING_ANSWERS_H
#define JINGLE_SIGNALING_ANSWERS_H

#include "signaling/stanza.h"

#define ANSWERS_MAX       256
#define ANSWERS_BYTES_MAX 4096 /* longer ones, with a senseless id, are not kept */

struct answers;

struct answers *answers_new(void);
void answers_free(struct answers *answers);

/* The answer given to the same IQ: same sender and id, and same content, for an id may be used
 * again for something else. NULL if it is new. */
const char *answers_find(const struct answers *answers, const struct stanza *request);
void answers_remember(struct answers *answers, const struct stanza *request, const char *xml);

#endif
