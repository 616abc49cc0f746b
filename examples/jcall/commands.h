/* Commands from a program, one a line (--commands). */
#ifndef JCALL_COMMANDS_H
#define JCALL_COMMANDS_H

#include "request.h"

#include <stdbool.h>
#include <stddef.h>

#define COMMAND_BYTES_MAX (REQUEST_VALUE_MAX + 100)

struct commands {
    char line[COMMAND_BYTES_MAX];
    size_t bytes;
    bool too_long; /* the line that is being read: it is no command, up to its end */
    bool ended;
};

/* Reads what is there and waits for no more. */
void commands_fill(struct commands *commands, int descriptor);

/* Takes the next whole line; false if there is none. */
bool commands_next(struct commands *commands, struct request *request);

#endif
