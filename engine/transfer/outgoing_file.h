/* A file that is sent: opened once, so that it stays the same file whatever happens to its name;
 * that it was written to meanwhile is noticed by its size and its time of change. */
#ifndef JINGLE_TRANSFER_OUTGOING_FILE_H
#define JINGLE_TRANSFER_OUTGOING_FILE_H

#include <stdint.h>

#include "transfer/byte_ends.h"

struct outgoing_file;

/* NULL, with the reason in `status`: NOT_FOUND, NOT_A_FILE, PERMISSION, READ, LIMIT. Never waits
 * for a pipe's other end. */
struct outgoing_file *outgoing_file_open(const char *path, enum transfer_status *status);
void outgoing_file_close(struct outgoing_file *file);

/* As they were when it was opened. */
uint64_t outgoing_file_size(const struct outgoing_file *file);
int64_t outgoing_file_date(const struct outgoing_file *file); /* of its content, s since 1970 */

/* The last component of its path. */
const char *outgoing_file_name(const struct outgoing_file *file);

/* TRANSFER_CHANGED once its size or its time of change is another. */
enum transfer_status outgoing_file_check(const struct outgoing_file *file);

/* For a mover; the file stays its owner's. */
struct byte_source outgoing_file_source(struct outgoing_file *file);

#endif
