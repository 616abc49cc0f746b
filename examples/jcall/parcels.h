/* What is to be sent: from words of a command line to files for the library. */
#ifndef JCALL_PARCELS_H
#define JCALL_PARCELS_H

#include "options.h"
#include "tell.h"

struct parcels {
    GArray *sources; /* of jingle_file_source */
    GArray *sizes;   /* of each, uint64_t */
    GPtrArray *kept; /* the texts that they point to */
};

/* Looks at each path, and packs folders if the options say so. On failure returns false, and
 * `*message` (freed with g_free()) says what to do and `*code` is the exit code. */
bool parcels_collect(struct parcels *parcels, const struct options *options, struct teller *teller,
                     char *const *paths, char **message, int *code);

/* The sources were handed to the library, which frees what they need. */
void parcels_given(struct parcels *parcels);

void parcels_clear(struct parcels *parcels);

#endif
