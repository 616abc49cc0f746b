/* The terminal's settings: changed for single keys and for a password, and restored on every way
 * out of the program. */
#ifndef JCALL_TERMINAL_H
#define JCALL_TERMINAL_H

#include <stdbool.h>

/* Keys arrive one by one and are not shown; Ctrl-C stays a signal. False if `descriptor` is no
 * terminal or we are in its background. */
bool terminal_take_keys(int descriptor);

/* Lines as usual, but not shown. */
bool terminal_hide_input(int descriptor);

/* As it was before. Safe in a signal handler; does nothing if nothing was changed. */
void terminal_restore(void);

#endif
