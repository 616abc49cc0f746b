/* The life of a transfer on the I/O thread, from the moment there is a way for its bytes:
 *
 *     flow ─▶ STARTED ─▶ PROGRESS … ─▶ signalling is told ─▶ over ─▶ close ─▶ ENDED
 *
 * What was opened is closed on the closer's thread, and only then the application hears of the end:
 * a file that was received can be used then. */
#ifndef JINGLE_ENGINE_TRANSFER_LIFE_H
#define JINGLE_ENGINE_TRANSFER_LIFE_H

#include "transfer.h"

/* Files that move at once in a client; a further one ends with JINGLE_ERROR_LIMIT. */
#define CLIENT_MOVERS_MAX 64

/* Bytes go by `fd`, which belongs to the transfer. */
void transfer_flow(jingle_transfer *transfer, int fd, jingle_way way);

/* In-band and sending: all is acknowledged. */
void transfer_drained(jingle_transfer *transfer);

/* We end it, for this reason. */
void transfer_end(jingle_transfer *transfer, jingle_status status);

/* The bytes broke off; signalling may be about to tell why. */
void transfer_lost(jingle_transfer *transfer);

/* Signalling (or the upload) has ended. `said` may be NULL. */
void transfer_over(jingle_transfer *transfer, jingle_status status, jingle_party by,
                   const char *said);

/* What we asked for is known: opens what it is to be received into. */
void transfer_open_sink(jingle_transfer *transfer);

/* Over, and nothing uses its ends any more (or the client goes). */
void transfer_close(jingle_transfer *transfer);

/* It has begun to flow or goes on: STARTED the first time. */
void transfer_started(jingle_transfer *transfer);
void transfer_progress(jingle_transfer *transfer, const struct progress *progress, bool checking);

#endif
