/* Hashes between their text in stanzas (XEP-0300) and their bytes. */
#ifndef JINGLE_ENGINE_TRANSFER_HASHES_H
#define JINGLE_ENGINE_TRANSFER_HASHES_H

#include "signaling/file_description.h"
#include "transfer/hash.h"

/* Those that have a value and that we know. */
size_t transfer_hashes_read(const struct file_hash *from, size_t count,
                            struct hash_value to[HASH_ALGORITHMS]);
/* Adds to `count` values; of one algorithm the first counts. Returns how many there are now. */
size_t transfer_hashes_join(struct hash_value *values, size_t count, const struct hash_value *more,
                            size_t more_count);
/* The same of what a checksum tells: adds to `count` hashes, and gives a value to those that were
 * announced without; none that is known is changed. */
size_t transfer_hashes_add(struct file_hash hashes[FILE_HASHES_MAX], size_t count,
                           const struct file_hash *more, size_t more_count);
size_t transfer_hashes_write(const struct hash_value *from, size_t count,
                             struct file_hash to[HASH_ALGORITHMS]);

/* What a receiver computes: all that were announced, with or without a value, and that we know;
 * without any, what a late checksum may tell. */
unsigned transfer_hashes_to_compute(const struct file_description *file);

/* They will be told by a checksum (<hash-used/>), and there is no other to go by. */
bool transfer_hashes_come_later(const struct file_description *file);

/* What a sender announces to a client that lists these algorithms (NULL-terminated). */
enum hash_algorithm transfer_hashes_for(const char *const *listed);

#endif
