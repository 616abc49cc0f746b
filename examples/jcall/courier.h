/* The loop of `jcall send` and `jcall receive`: logs in, lets files move, ends. What the two do
 * differently is in send.c and receive.c.
 *
 *     library's descriptor ──▶ events ───┐
 *     keys or --commands ────▶ requests ─┼─▶ struct courier ─▶ struct transfers, struct teller
 *     signals ───────────────────────────┘
 */
#ifndef JCALL_COURIER_H
#define JCALL_COURIER_H

#include "options.h"
#include "tell.h"
#include "transfers.h"
#include "wires.h"

struct courier {
    const struct options *options;
    struct teller *teller;
    jingle_client *client;
    struct transfers transfers;
    struct wires wires;
    char *text; /* the last sentence, that goes with `code` */
    gint64 signalled_at;
    gint64 stop_due; /* when to stop waiting for files that were stopped; G_MAXINT64: never */
    int code;        /* the exit code */
    int signalled;   /* the signal that ends us, or 0 */
    bool was_online;
    bool quitting; /* what moves was stopped; the program ends when it has */
    bool finished; /* the loop ends */
    /* what the command does */
    void (*on_online)(struct courier *courier); /* the first time */
    void (*on_offered)(struct courier *courier, const jingle_event *event);
    void (*on_ended)(struct courier *courier,
                     const jingle_event *event); /* it is counted already */
    void (*on_request)(struct courier *courier, const struct request *request);
};

/* Logs in and runs until the program shall end. Returns the exit code. `transfers` is the command's
 * to begin with and to clear. */
int courier_run(struct courier *courier);

/* Ends the loop. */
void courier_finish(struct courier *courier, int code, const char *text);

/* The user wants no more: stops what moves, politely. */
void courier_quit(struct courier *courier, int idle_code, const char *text);

#endif
