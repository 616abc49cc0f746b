/* A line that is typed while single keys arrive, such as a file's name during a call. */
#ifndef JCALL_ENTRY_H
#define JCALL_ENTRY_H

#include "request.h"

#include <stddef.h>

struct entry {
    char text[REQUEST_VALUE_MAX + 1];
    size_t bytes;
};

enum entry_state {
    ENTRY_OPEN,
    ENTRY_DONE, /* Return: `text` is it */
    ENTRY_LEFT, /* Escape, Ctrl-D or Ctrl-U on an empty line: nothing is wanted */
};

void entry_begin(struct entry *entry);
enum entry_state entry_key(struct entry *entry, char key);

/* What a terminal types for a file that is dropped on it, and what people type: quotes, backslashes
 * and "~/" mean what they mean to a shell. Freed with g_free(). */
char *entry_path(const struct entry *entry);

#endif
