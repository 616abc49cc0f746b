/* Our account's archive of messages (XEP-0313): questions to it, and what it forwards. */
#ifndef JINGLE_SIGNALING_ARCHIVE_H
#define JINGLE_SIGNALING_ARCHIVE_H

#include "signaling/stanza.h"

#define ARCHIVE_PAGE 50 /* messages that are asked for at once */

struct archive_result {
    struct stanza inner; /* the message; borrowed */
    int64_t when;        /* it came, microseconds since 1970 */
    const char *query;   /* as it was asked for; "" if nothing was said */
};

/* False: this is no message of our own archive. That of a room is somebody else's. */
bool archive_open(const struct stanza *message, const char *own_bare,
                  struct archive_result *result);

/* Asks for the last messages since `start` (1970), those before the id `before` if it is not NULL;
 * `query` comes back with each of them. */
struct xml *archive_query(const char *query, int64_t start, const char *before);

/* The answer that follows them: the id of the first, to ask for those before it. NULL: there are no
 * more. g_free() it. */
char *archive_rest(const struct stanza *answer);

#endif
