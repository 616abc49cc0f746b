/* By what a file that is being received is known again after a restart, and the small file beside
 * the partial one that remembers it. */
#ifndef JINGLE_TRANSFER_FILE_IDENTITY_H
#define JINGLE_TRANSFER_FILE_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "transfer/hash.h"
#include "transfer/status.h"

struct file_identity {
    const char *peer; /* bare JID */
    const char *name; /* as announced */
    uint64_t size;
    int64_t date; /* s since 1970; 0: not told */
    struct hash_value hashes[HASH_ALGORITHMS];
    size_t hash_count;
};

/* A date or a hash was told: it can be known again. */
bool file_identity_is_known(const struct file_identity *identity);

/* Part of a file's name, the same for the same peer, name and size. */
enum { FILE_KEY_SIZE = 17 };
void file_identity_key(const struct file_identity *identity, char out[FILE_KEY_SIZE]);

/* Replaces what the file `name` in `folder` says. */
enum transfer_status file_identity_write(const struct file_identity *identity, int folder,
                                         const char *name);

/* Does the file `name` in `folder` speak of the same file? That is: peer, name, size and date are
 * equal, no hash differs, and at least a date or one hash was told both times. */
bool file_identity_is_in(const struct file_identity *identity, int folder, const char *name);

#endif
