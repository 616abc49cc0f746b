/* A file that is being received: whole under its name, or not there.
 *
 *     partial_file_open ─▶ .KEY.jingle-part    what came so far    (KEY: of peer, name and size)
 *                          .KEY.jingle-info    what it is: peer, name, size, date, hashes
 *            │
 *            ├─ write … sync ─▶ publish: "name.ext", or "name (1).ext"; nothing is overwritten
 *            ├─ close: both stay, and opening the same file again finds them
 *            └─ discard: both go
 *
 * Both lie beside the target, for a rename must not leave the file system. The partial file is
 * locked, so that two transfers never write to one. */
#ifndef JINGLE_TRANSFER_PARTIAL_FILE_H
#define JINGLE_TRANSFER_PARTIAL_FILE_H

#include "transfer/byte_ends.h"
#include "transfer/file_identity.h"

struct partial_file;

/* Finds what is kept of this file in `folder`, or begins it; what is kept of another file of that
 * peer, name and size is thrown away. The name is cleaned, and the identity copied. NULL, with the
 * reason in `status`: NOT_FOUND, NOT_A_FILE (no folder), PERMISSION, NO_SPACE (known beforehand, or
 * seen), WRITE, BUSY, LIMIT. */
struct partial_file *partial_file_open(const char *folder, const struct file_identity *identity,
                                       enum transfer_status *status);

/* It gets this name in place of the offered one: a file's, shorter than FILE_NAME_SIZE, which the
 * peer has not chosen and so is not cleaned. */
void partial_file_call(struct partial_file *file, const char *name);

/* How many bytes are kept: from where the peer may go on. */
uint64_t partial_file_kept(const struct partial_file *file);

/* The peer goes on from here, at or before what is kept: what lies behind is cut off. Before the
 * first write. */
enum transfer_status partial_file_start_at(struct partial_file *file, uint64_t offset);

/* The next bytes. TRANSFER_TOO_LONG beyond the announced size; nothing of them is written then. */
enum transfer_status partial_file_write(struct partial_file *file, const uint8_t *bytes,
                                        size_t size);

/* Of what was written or kept. */
enum transfer_status partial_file_read(struct partial_file *file, uint64_t at, uint8_t *out,
                                       size_t size, size_t *got);

enum transfer_status partial_file_sync(struct partial_file *file);

/* All bytes are there and right: gives them their name, or the first free one of that kind. */
enum transfer_status partial_file_publish(struct partial_file *file);

/* Where it was published; NULL before that. */
const char *partial_file_path(const struct partial_file *file);

/* Leaves nothing behind. It is still to be closed. */
void partial_file_discard(struct partial_file *file);

/* What came is kept for another time, if it can be known again and is not nothing. */
void partial_file_close(struct partial_file *file);

/* For a mover; the file stays its owner's. */
struct byte_sink partial_file_sink(struct partial_file *file);

#endif
