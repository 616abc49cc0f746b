/* The bytes of a transfer, once there is a way for them, on the I/O thread:
 *
 *     flow ─▶ transfer_bytes.h ─┬▶ all sent ─▶ signalling: sent, and later an answer
 *                               ├▶ published ─▶ signalling: received
 *                               ├▶ broke off before the first byte ─▶ signalling: another way?
 *                               └▶ anything else ─▶ transfer_life.h: the end */
#ifndef JINGLE_ENGINE_TRANSFER_FLOW_H
#define JINGLE_ENGINE_TRANSFER_FLOW_H

#include "transfer.h"

/* Files that move at once in a client; a further one ends with JINGLE_ERROR_LIMIT. */
#define CLIENT_MOVERS_MAX 64

/* Bytes go by `fd`, which belongs to the transfer. */
void transfer_flow(jingle_transfer *transfer, int fd, jingle_way way);

/* In-band and sending: all is acknowledged. */
void transfer_drained(jingle_transfer *transfer);

/* The bytes broke off; signalling may be about to tell why. */
void transfer_lost(jingle_transfer *transfer);

/* What we asked for is known: opens what it is to be received into. */
void transfer_open_sink(jingle_transfer *transfer);

#endif
