/* Signals as bytes in a pipe, so that a loop can wait for them. */
#ifndef JCALL_SIGNALS_H
#define JCALL_SIGNALS_H

/* Catches SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP and SIGWINCH, and ignores SIGPIPE; returns the
 * descriptor to wait on, or -1. */
int signals_open(void);

/* The next signal that came, or 0. */
int signals_next(void);

void signals_close(void);

#endif
