#include "signaling/strophe_memory.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

/* Before each piece that libstrophe gets. */
struct piece {
    struct piece *before;
    struct piece *after;
    size_t size;
    max_align_t data[];
};

struct strophe_memory {
    xmpp_mem_t table;
    struct piece *first;
};

static struct piece *piece_of(void *data)
{
    return (struct piece *)((char *)data - offsetof(struct piece, data));
}

static void *take(size_t size, void *user)
{
    struct strophe_memory *memory = user;
    if (size > SIZE_MAX - sizeof(struct piece))
        return NULL;
    struct piece *piece = malloc(sizeof *piece + size);
    if (!piece)
        return NULL;
    piece->size = size;
    piece->before = NULL;
    piece->after = memory->first;
    if (memory->first)
        memory->first->before = piece;
    memory->first = piece;
    return piece->data;
}

static void give_back(void *data, void *user)
{
    struct strophe_memory *memory = user;
    if (!data)
        return;
    struct piece *piece = piece_of(data);
    if (piece->before)
        piece->before->after = piece->after;
    else
        memory->first = piece->after;
    if (piece->after)
        piece->after->before = piece->before;
    explicit_bzero(data, piece->size);
    free(piece);
}

static void *take_more(void *data, size_t size, void *user)
{
    void *more = take(size, user);
    if (!more || !data)
        return more;
    memcpy(more, data, MIN(size, piece_of(data)->size));
    give_back(data, user);
    return more;
}

struct strophe_memory *strophe_memory_new(void)
{
    struct strophe_memory *memory = g_new0(struct strophe_memory, 1);
    memory->table = (xmpp_mem_t){take, give_back, take_more, memory};
    return memory;
}

void strophe_memory_free(struct strophe_memory *memory)
{
    for (struct piece *piece = memory->first, *after = NULL; piece; piece = after) {
        after = piece->after;
        explicit_bzero(piece->data, piece->size);
        free(piece);
    }
    g_free(memory);
}

const xmpp_mem_t *strophe_memory_table(const struct strophe_memory *memory)
{
    return &memory->table;
}
