/* Is this stanza ours? Decided from the text alone, in any thread, without the account: so that
 * jingle_client_receive() can answer the host at once. */
#ifndef JINGLE_SIGNALING_CLASSIFY_H
#define JINGLE_SIGNALING_CLASSIFY_H

#include <stddef.h>

enum stanza_class {
    STANZA_MALFORMED, /* not XML */
    STANZA_OTHER,     /* nothing that the account could learn from */
    STANZA_SHARED,    /* the account wants to see it, and so does the host (presence, roster ...) */
    STANZA_OURS,      /* the account handles and answers it: the host must not */
};

/* `id_prefix` is account_id_prefix(). */
enum stanza_class stanza_classify(const char *xml, size_t bytes, const char *id_prefix);

#endif
