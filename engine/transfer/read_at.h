/* Reads a piece of a file at any place. */
#ifndef JINGLE_TRANSFER_READ_AT_H
#define JINGLE_TRANSFER_READ_AT_H

#include <stddef.h>
#include <stdint.h>

#include "transfer/status.h"

/* `*got` is less than `size` only where the file ends, or if it fails. */
enum transfer_status read_at(int fd, uint64_t at, uint8_t *out, size_t size, size_t *got);

#endif
