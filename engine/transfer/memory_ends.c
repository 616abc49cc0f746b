#include "transfer/memory_ends.h"

#include <string.h>

static enum transfer_status read_memory(void *user, uint64_t at, uint8_t *out, size_t size,
                                        size_t *got)
{
    const struct memory_bytes *memory = user;
    uint64_t left = at < memory->size ? memory->size - at : 0;
    *got = left < size ? (size_t)left : size;
    if (*got > 0) {
        memcpy(out, memory->bytes + at, *got);
    }
    return TRANSFER_OK;
}

static enum transfer_status write_memory(void *user, const uint8_t *bytes, size_t size)
{
    struct memory_bytes *memory = user;
    if (size > memory->size - memory->used) {
        return TRANSFER_TOO_LONG;
    }
    if (size > 0) {
        memcpy(memory->bytes + memory->used, bytes, size);
    }
    memory->used += size;
    return TRANSFER_OK;
}

static void discard_memory(void *user)
{
    struct memory_bytes *memory = user;
    memory->used = 0;
}

struct byte_source memory_source(struct memory_bytes *memory)
{
    return (struct byte_source){.read = read_memory, .user = memory};
}

struct byte_sink memory_sink(struct memory_bytes *memory)
{
    return (struct byte_sink){.write = write_memory, .discard = discard_memory, .user = memory};
}
