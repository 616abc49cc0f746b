/* A file that an application sends: its jingle_file_source, opened and described. */
#ifndef JINGLE_ENGINE_TRANSFER_SOURCE_H
#define JINGLE_ENGINE_TRANSFER_SOURCE_H

#include "signaling/file_description.h"
#include "transfer/byte_ends.h"

#include <jingle/jingle.h>

struct transfer_source;

/* On the application's thread, for it waits for a disk. `given` has been set up. What the
 * application handed over is taken, also on failure: its `free` is called once. */
jingle_status transfer_source_open(const jingle_file_source *given,
                                   struct transfer_source **source);

/* The same for what was never opened. */
void transfer_source_drop(const jingle_file_source *given);

/* Calls the application's `free`. */
void transfer_source_free(struct transfer_source *source);

/* Name, size, media type, date and words; no hashes. */
const struct file_description *transfer_source_description(const struct transfer_source *source);

/* For a mover; it stays its owner's. */
struct byte_source transfer_source_bytes(struct transfer_source *source);

#endif
