/* <reason/>: why a session, a content or a proposal ended (XEP-0166, 7.4), and what that means to
 * the application. */
#ifndef JINGLE_SIGNALING_REASON_H
#define JINGLE_SIGNALING_REASON_H

#include <jingle/jingle.h>

#include "signaling/xml.h"

enum reason_condition {
    REASON_NONE, /* missing or unknown */
    REASON_ALTERNATIVE_SESSION,
    REASON_BUSY,
    REASON_CANCEL,
    REASON_CONNECTIVITY_ERROR,
    REASON_DECLINE,
    REASON_EXPIRED,
    REASON_FAILED_APPLICATION,
    REASON_FAILED_TRANSPORT,
    REASON_GENERAL_ERROR,
    REASON_GONE,
    REASON_INCOMPATIBLE_PARAMETERS,
    REASON_MEDIA_ERROR,
    REASON_SECURITY_ERROR,
    REASON_SUCCESS,
    REASON_TIMEOUT,
    REASON_UNSUPPORTED_APPLICATIONS,
    REASON_UNSUPPORTED_TRANSPORTS,
    REASON_CONDITION_COUNT
};

#define REASON_TEXT_SIZE 256

struct reason {
    enum reason_condition condition;
    bool tie_break;                         /* XEP-0353: <tie-break/> within or beside it */
    bool migrated;                          /* XEP-0353: <migrated/> beside it */
    char text[REASON_TEXT_SIZE];            /* "" if there is none; cut when longer */
    char alternative_sid[REASON_TEXT_SIZE]; /* of <alternative-session/> */
};

/* How far a session had come when it ended. */
enum session_progress {
    PROGRESS_PENDING,   /* not accepted */
    PROGRESS_ACCEPTED,  /* accepted, no media yet */
    PROGRESS_CONNECTED, /* media has flowed */
};

/* Lenient: the condition may stand anywhere and be spelled with underscores, as Dino does. */
void reason_read(struct reason *reason, const xml_node *node);
/* Writes nothing for REASON_NONE. */
void reason_write(const struct reason *reason, xml_node *parent);
const char *reason_condition_name(enum reason_condition condition);

/* What the peer's reason means; `outgoing`: we are the initiator. */
jingle_reason reason_meaning(const struct reason *reason, enum session_progress progress,
                             bool outgoing);
/* What to tell the peer when we end a session for `reason`. */
enum reason_condition reason_to_tell(jingle_reason reason, enum session_progress progress,
                                     bool outgoing);

#endif
