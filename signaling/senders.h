/* Who sends in a content or a header extension (XEP-0166, 7.3; XEP-0294). */
#ifndef JINGLE_SIGNALING_SENDERS_H
#define JINGLE_SIGNALING_SENDERS_H

#include <stdbool.h>

enum senders {
    SENDERS_BOTH, /* also when the attribute is missing */
    SENDERS_INITIATOR,
    SENDERS_RESPONDER,
    SENDERS_NONE,
};

/* NULL is both; false for an unknown word. */
bool senders_parse(const char *text, enum senders *out);
const char *senders_name(enum senders senders);
/* Does this party send? */
bool senders_include(enum senders senders, bool initiator);

#endif
