/* The files that jcall has to do with: those on their way, and those offered that wait for a word.
 *
 *     parcels ─▶ transfers_send ───────────────┐
 *     FILE_OFFERED ─▶ transfers_wait ─▶ _take ──┴▶ on their way ─▶ TRANSFER_ENDED ─▶ counted
 */
#ifndef JCALL_TRANSFERS_H
#define JCALL_TRANSFERS_H

#include "choice.h"
#include "options.h"
#include "parcels.h"
#include "tell.h"

#include <glib.h>
#include <jingle/jingle.h>
#include <stdbool.h>

struct transfers {
    const struct options *options;
    struct teller *teller;
    GPtrArray *moving;  /* jingle_transfer, a reference each: sent, or taken */
    GPtrArray *waiting; /* struct offer: the oldest first */
    char *folder;       /* where files are saved */
    unsigned arrived;   /* ended well */
    unsigned failed;
    int code;   /* of the first that did not arrive; EXIT_OK */
    char *text; /* and why */
};

void transfers_init(struct transfers *transfers, const struct options *options,
                    struct teller *teller);
void transfers_clear(struct transfers *transfers);

/* Finds the folder for files: --dir, else that for downloads, else this one. False if none can be
 * written to: `*message` (freed with g_free()) says so. */
bool transfers_find_folder(struct transfers *transfers, char **message);

/* Offers what was collected; the parcels are empty then. */
jingle_status transfers_send(struct transfers *transfers, jingle_client *client, const char *to,
                             struct parcels *parcels);

/* A file that is offered (FILE_OFFERED) waits for a word. */
void transfers_wait(struct transfers *transfers, const jingle_event *event);
/* It is taken, or refused, at once. */
void transfers_take_now(struct transfers *transfers, const jingle_event *event);
void transfers_refuse_now(struct transfers *transfers, const jingle_event *event,
                          const char *reason, const char *why);

/* The word for the one that waits longest; false if none does. */
bool transfers_take(struct transfers *transfers);
bool transfers_refuse(struct transfers *transfers);

/* Whom a word is awaited for: the file's name, or NULL. */
const char *transfers_waiting_name(const struct transfers *transfers);

/* TRANSFER_ENDED, of any transfer. */
void transfers_ended(struct transfers *transfers, const jingle_event *event);

/* Stops all that are under way, and refuses those that wait. */
void transfers_stop(struct transfers *transfers);

/* Is any under way? */
bool transfers_busy(const struct transfers *transfers);

#endif
