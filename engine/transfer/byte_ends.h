/* Where bytes come from and where they go: what file_mover.h moves between and a byte stream. Files
 * are made by outgoing_file.h and partial_file.h, memory by memory_ends.h; an application's
 * functions are wrapped by the engine.
 *
 * All of it may block on a disk, and is called from one thread at a time. */
#ifndef JINGLE_TRANSFER_BYTE_ENDS_H
#define JINGLE_TRANSFER_BYTE_ENDS_H

#include <stddef.h>
#include <stdint.h>

#include "transfer/status.h"

struct byte_source {
    /* Bytes at `at`; `*got` is less than `size` only at the end. */
    enum transfer_status (*read)(void *user, uint64_t at, uint8_t *out, size_t size, size_t *got);
    /* For sendfile(); NULL or -1: there is none. */
    int (*descriptor)(void *user);
    /* All was read: TRANSFER_CHANGED if it is not what it was when it was opened. May be NULL. */
    enum transfer_status (*check)(void *user);
    void *user;
};

struct byte_sink {
    /* The next bytes, behind those that are kept. */
    enum transfer_status (*write)(void *user, const uint8_t *bytes, size_t size);
    /* Bytes that are kept from an earlier time, for their hash. NULL: none can be kept. */
    enum transfer_status (*read)(void *user, uint64_t at, uint8_t *out, size_t size, size_t *got);
    /* All bytes are written: make them last (fsync). May be NULL. */
    enum transfer_status (*sync)(void *user);
    /* They are right: let them appear under their name. May be NULL. */
    enum transfer_status (*publish)(void *user);
    /* They are wrong, or more than announced: nothing may be left. May be NULL. */
    void (*discard)(void *user);
    void *user;
};

#endif
