/* How far files are, in one line for all of them:
 *
 *     [######----]  60 %  16.4 of 27.4 MiB  3.10 MiB/s  0:03 left  direct  holiday.mkv
 */
#ifndef JCALL_PROGRESS_H
#define JCALL_PROGRESS_H

#include <glib.h>
#include <jingle/jingle.h>
#include <stdbool.h>

/* What arrived stays in the sum until nothing moves any more, so that the bar never goes back. */
struct progress {
    GArray *items; /* struct progress_item */
};

struct progress_item {
    const jingle_transfer *transfer; /* to find it again; NULL once it has ended */
    char *name;                      /* safe to show */
    bool sending;
    bool moving; /* bytes flow, or did */
    jingle_transfer_statistics statistics;
};

void progress_init(struct progress *progress);
void progress_clear(struct progress *progress);

/* A file of `bytes` bytes is under way from now on. */
void progress_add(struct progress *progress, const jingle_transfer *transfer, const char *name,
                  uint64_t bytes, bool sending);

/* False if it was never added. */
bool progress_update(struct progress *progress, const jingle_transfer *transfer,
                     const jingle_transfer_statistics *statistics);

/* It ended: `whole`, or it no longer counts. */
void progress_end(struct progress *progress, const jingle_transfer *transfer, bool whole);

unsigned progress_count(const struct progress *progress); /* those that have not ended */
bool progress_moving(const struct progress *progress);    /* one of them does */

/* The line, `width` columns at most: what matters less is left out first. "" if nothing is under
 * way. Freed with g_free(). */
char *progress_text(const struct progress *progress, unsigned width);

/* The same in a few words, for the line of a call: "file 60 %". */
char *progress_short(const struct progress *progress);

#endif
