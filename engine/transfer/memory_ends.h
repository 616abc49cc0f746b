/* Bytes of a file that is in memory, or is to be received there. */
#ifndef JINGLE_TRANSFER_MEMORY_ENDS_H
#define JINGLE_TRANSFER_MEMORY_ENDS_H

#include "transfer/byte_ends.h"

struct memory_bytes {
    uint8_t *bytes; /* its owner's */
    uint64_t size;  /* how many there are, or may come at most */
    uint64_t used;  /* how many came */
};

struct byte_source memory_source(struct memory_bytes *memory);
struct byte_sink memory_sink(struct memory_bytes *memory);

#endif
