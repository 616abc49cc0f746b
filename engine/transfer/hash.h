/* Hashes of files by the names of XEP-0300, several of them in one pass over the bytes. */
#ifndef JINGLE_TRANSFER_HASH_H
#define JINGLE_TRANSFER_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum hash_algorithm {
    HASH_SHA_1,
    HASH_SHA_256,
    HASH_SHA_512,
    HASH_SHA3_256,
    HASH_SHA3_512,
    HASH_BLAKE2B_512,
    HASH_ALGORITHMS
};

enum { HASH_BYTES_MAX = 64, HASH_HEX_MAX = 129, HASH_BASE64_MAX = 89 /* with their zeros */ };

struct hash_value {
    enum hash_algorithm algorithm;
    uint8_t bytes[HASH_BYTES_MAX]; /* hash_bytes(algorithm) of them */
};

/* A set of algorithms is an unsigned with these bits. */
static inline unsigned hash_bit(enum hash_algorithm algorithm)
{
    return 1U << algorithm;
}

/* XEP-0300's name, such as "sha-256". */
const char *hash_name(enum hash_algorithm algorithm);

/* False if the name is none of ours. */
bool hash_from_name(const char *name, enum hash_algorithm *algorithm);

size_t hash_bytes(enum hash_algorithm algorithm);

bool hash_equal(const struct hash_value *a, const struct hash_value *b);

/* The text forms. Reading wants exactly the right number of bytes; base64 may have white space
 * around it (pretty-printed stanzas) and must be canonical otherwise (RFC 4648, 4). */
void hash_to_hex(const struct hash_value *value, char out[HASH_HEX_MAX]);
void hash_to_base64(const struct hash_value *value, char out[HASH_BASE64_MAX]);
bool hash_from_hex(enum hash_algorithm algorithm, const char *text, struct hash_value *value);
bool hash_from_base64(enum hash_algorithm algorithm, const char *text, struct hash_value *value);

/* Takes bytes and knows the hash of all so far, for each algorithm of a set. */
struct hasher;

/* NULL if the set is empty or there is no memory. */
struct hasher *hasher_new(unsigned algorithms);
void hasher_free(struct hasher *hasher);
void hasher_add(struct hasher *hasher, const void *bytes, size_t size);

/* Of the bytes so far; more may be added afterwards. False if the algorithm is not in the set. */
bool hasher_value(const struct hasher *hasher, enum hash_algorithm algorithm,
                  struct hash_value *value);

#endif
