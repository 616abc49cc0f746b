/* What a loop of jcall waits on: the library, signals, and keys or --commands.
 *
 *     wires_open ─▶ wires_wait ─▶ wires_signal, wires_read ─▶ ... ─▶ wires_close
 */
#ifndef JCALL_WIRES_H
#define JCALL_WIRES_H

#include "commands.h"
#include "entry.h"
#include "keys.h"
#include "options.h"
#include "tell.h"

#include <glib.h>
#include <stdbool.h>

struct wires {
    int library, signals, input; /* to wait on; -1: nothing */
    struct commands commands;
    struct entry entry;
    struct teller *teller;
    bool keys;   /* input is a keyboard */
    bool typing; /* a line is typed on it: `entry` */
};

/* Takes signals, and the keys of the terminal if there is one. */
void wires_open(struct wires *wires, jingle_client *client, const struct options *options,
                struct teller *teller);
void wires_close(struct wires *wires);

/* Is there somebody, or a program, to ask? */
bool wires_ask(const struct wires *wires);

/* Waits for anything, `other` (a descriptor, or -1) included, until `due` at most (of
 * g_get_monotonic_time(); G_MAXINT64: for ever). Returns whether `other` is readable; what else is
 * there is found by the next ones. */
bool wires_wait(struct wires *wires, int other, gint64 due);

/* The next signal that asks for the end, or 0. Others are answered here. */
int wires_signal(struct wires *wires);

/* Passes on all that was typed or written since, without waiting. False if the terminal is gone. */
bool wires_read(struct wires *wires, enum keys_mode mode,
                void (*take)(void *user, const struct request *request), void *user);

/* Asks for a file's path: REQUEST_SEND comes with it, or nothing. */
void wires_type_path(struct wires *wires, const char *question);

#endif
