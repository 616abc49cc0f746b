/* Links to files in messages (XEP-0066), as clients send them for what they have uploaded
 * (XEP-0363). They are read and nothing else: whoever fetches one shows its address to whoever
 * wrote it. */
#ifndef JINGLE_SIGNALING_OOB_H
#define JINGLE_SIGNALING_OOB_H

#include "signaling/xml.h"

#define OOB_URL_MAX  2048 /* bytes; a longer URL is none */
#define OOB_TEXT_MAX 1024 /* bytes of <desc/>; cut when longer */

struct oob_link {
    char *url;         /* http, https or aesgcm; without white space and control characters */
    char *description; /* one line; "" if nothing was said */
    bool encrypted;    /* aesgcm (XEP-0454): the URL holds the key */
};

/* Is there a link at all, whatever it is worth? */
bool oob_is_in(const xml_node *message);

/* The first good one. False: `why` (a literal) tells, and nothing is left to clear. */
bool oob_link_read(struct oob_link *link, const xml_node *message, const char **why);
void oob_link_clear(struct oob_link *link);

#endif
