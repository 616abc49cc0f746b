/* Asks a person on the terminal. */
#ifndef JCALL_PROMPT_H
#define JCALL_PROMPT_H

#include <stdbool.h>

/* One line from the terminal, shown or `hidden` while it is typed. NULL if there is no terminal,
 * or nothing was typed. Freed with g_free(). */
char *prompt_line(const char *question, bool hidden);

#endif
