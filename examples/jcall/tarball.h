/* A folder as one file: a tar archive (pax) in a temporary file without a name, which is gone with
 * the program. The same folder gives the same bytes, so that sending it can be resumed. */
#ifndef JCALL_TARBALL_H
#define JCALL_TARBALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tarball {
    char *name;        /* "photos.tar" */
    uint64_t bytes;    /* its size */
    int64_t date;      /* of the newest thing in it, microseconds since 1970 */
    unsigned left_out; /* sockets, devices and the like */
    int descriptor;
};

struct tarball_watch {
    void (*packed)(void *user, uint64_t bytes); /* now and then: so many so far */
    void *user;
};

/* Packs `folder`. On failure `*message` (freed with g_free()) says what to do. */
bool tarball_make(struct tarball *tarball, const char *folder, const struct tarball_watch *watch,
                  char **message);

/* For jingle_file_source: bytes from `offset` on. `tarball` is a struct tarball. */
int64_t tarball_read(void *tarball, uint64_t offset, void *bytes, size_t count);

void tarball_clear(struct tarball *tarball);

#endif
