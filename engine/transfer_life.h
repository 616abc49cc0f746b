/* How a transfer is told of and how it ends, on the I/O thread:
 *
 *     STARTED ─▶ PROGRESS … ─▶ over (signalling has ended) ─▶ close ─▶ ENDED
 *
 * What was opened is closed on the closer's thread, and only then the application hears of the end:
 * a file that was received can be used then. */
#ifndef JINGLE_ENGINE_TRANSFER_LIFE_H
#define JINGLE_ENGINE_TRANSFER_LIFE_H

#include "transfer.h"

/* Bytes flow: told the first time. */
void transfer_started(jingle_transfer *transfer);
void transfer_progress(jingle_transfer *transfer, const struct progress *progress, bool checking);

/* We end it, for this reason. */
void transfer_end(jingle_transfer *transfer, jingle_status status);

/* Signalling (or the upload) has ended. `said` may be NULL. */
void transfer_over(jingle_transfer *transfer, jingle_status status, jingle_party by,
                   const char *said);

/* Over, and nothing moves any more (or the client goes). */
void transfer_close(jingle_transfer *transfer);

#endif
