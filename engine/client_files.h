/* The files of a client, on the I/O thread: joins what signalling says of each
 * (signaling/account_files.h) to its stream and its bytes.
 *
 *     offer, provide ─▶ account_file ─▶ ACCEPTED ─┐
 *     OFFERED ─▶ accept ─▶ account_file_accept ───┼─▶ LISTEN, DIAL, PROXY ─▶ STREAM or INBAND
 *                                                 │        └ transfer_stream.h      │
 *                            ENDED ◀── received, success ◀── transfer_flow.h ◀──────┘ */
#ifndef JINGLE_ENGINE_CLIENT_FILES_H
#define JINGLE_ENGINE_CLIENT_FILES_H

#include "client.h"
#include "transfer.h"

/* Before the client's threads. `take`: announce that files are taken. */
void client_files_enable(struct jingle_client *client, bool take, uint16_t port);
/* ACCOUNT_EVENT_LINK. */
void client_files_link(struct jingle_client *client, const struct account_event *event);
/* Takes a reference. */
void client_files_add(struct jingle_client *client, jingle_transfer *transfer);
/* Ways that are allowed to a transfer whose application wants this one; 0: none is left. */
unsigned client_files_ways(const struct jingle_client *client, jingle_way way);
/* What became of them is told as far as somebody is there to hear it. */
void client_files_end_all(struct jingle_client *client);
/* After the closer's thread. */
void client_files_free(struct jingle_client *client);

#endif
