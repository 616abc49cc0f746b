/* Why a file's way ended: between the words of XEP-0166, 7.4, and what they mean to whoever sends
 * or receives a file (XEP-0234, 6). */
#ifndef JINGLE_SIGNALING_FILE_REASON_H
#define JINGLE_SIGNALING_FILE_REASON_H

#include "signaling/reason.h"
#include "signaling/stanza.h"

/* How far a file had come when it ended. */
enum file_progress {
    FILE_PROGRESS_OFFERED,    /* not accepted */
    FILE_PROGRESS_CONNECTING, /* accepted; a way for the bytes is sought */
    FILE_PROGRESS_FLOWING,    /* bytes move */
    FILE_PROGRESS_SENT,       /* we are the sender, and the last byte is in the stream */
    FILE_PROGRESS_COUNT
};

/* What the peer's reason means; `outgoing`: we are the initiator. */
jingle_status file_reason_meaning(enum reason_condition condition, enum file_progress progress,
                                  bool outgoing);
/* What to tell the peer when we end it because of `status`. */
enum reason_condition file_reason_to_tell(jingle_status status);
/* The words that go with it: of troubles with the file, which a person over there may want to know.
 */
const char *file_reason_text(jingle_status status);
/* What an error in answer to session-initiate or session-accept means. */
jingle_status file_error_meaning(const struct stanza_error *error);

#endif
