/* Where a received file goes: an application's jingle_file_sink, opened for one file.
 *
 *     folder, path ─▶ partial_file.h, published when it is whole
 *     memory_limit ─▶ memory that goes to the transfer's handle
 *     write ────────▶ the application's functions */
#ifndef JINGLE_ENGINE_TRANSFER_SINK_H
#define JINGLE_ENGINE_TRANSFER_SINK_H

#include "signaling/file_description.h"
#include "transfer/byte_ends.h"
#include "transfer/memory_ends.h"

#include <jingle/jingle.h>

struct transfer_sink;

/* Makes sense, and its folder is there. `given` gets what an older program does not know. */
jingle_status transfer_sink_read(const jingle_file_sink *from, jingle_file_sink *given);

/* A copy whose text is its own. */
void transfer_sink_given_copy(jingle_file_sink *to, const jingle_file_sink *from);
void transfer_sink_given_clear(jingle_file_sink *given);
/* It was never opened: the application's function hears of the end all the same. */
void transfer_sink_given_end(const jingle_file_sink *given);

/* On a thread that may wait for a disk. `given` was read; `peer` is a JID. The file has a size. */
jingle_status transfer_sink_open(const jingle_file_sink *given, const char *peer,
                                 const struct file_description *file, struct transfer_sink **sink);

/* How many bytes are kept of an earlier time. */
uint64_t transfer_sink_kept(const struct transfer_sink *sink);

/* The peer begins here, at or before what is kept. */
jingle_status transfer_sink_start_at(struct transfer_sink *sink, uint64_t offset);

/* For a mover; it stays its owner's. */
struct byte_sink transfer_sink_bytes(struct transfer_sink *sink);

/* Where it was published; NULL if it was not. */
const char *transfer_sink_path(const struct transfer_sink *sink);

/* What was received into memory becomes the caller's: free() it. NULL if it was none. */
uint8_t *transfer_sink_take_memory(struct transfer_sink *sink, size_t *bytes);

/* One that nothing came of: the application is told nothing. */
void transfer_sink_drop(struct transfer_sink *sink);

/* What came is kept for another time. `whole`: all of it came and is right. */
void transfer_sink_free(struct transfer_sink *sink, bool whole);

#endif
