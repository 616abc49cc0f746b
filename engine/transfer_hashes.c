#include "transfer_hashes.h"

#include <glib.h>
#include <string.h>

static bool has(const struct hash_value *values, size_t count, enum hash_algorithm algorithm)
{
    for (size_t i = 0; i < count; i++) {
        if (values[i].algorithm == algorithm) {
            return true;
        }
    }
    return false;
}

size_t transfer_hashes_join(struct hash_value *values, size_t count, const struct hash_value *more,
                            size_t more_count)
{
    for (size_t i = 0; i < more_count && count < HASH_ALGORITHMS; i++) {
        if (!has(values, count, more[i].algorithm)) {
            values[count++] = more[i];
        }
    }
    return count;
}

static struct file_hash *find(struct file_hash *hashes, size_t count, const char *algorithm)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(hashes[i].algorithm, algorithm) == 0) {
            return &hashes[i];
        }
    }
    return NULL;
}

size_t transfer_hashes_add(struct file_hash hashes[FILE_HASHES_MAX], size_t count,
                           const struct file_hash *more, size_t more_count)
{
    for (size_t i = 0; i < more_count; i++) {
        struct file_hash *known = find(hashes, count, more[i].algorithm);
        if (!*more[i].value || (known && *known->value) || (!known && count == FILE_HASHES_MAX)) {
            continue;
        }
        *(known ? known : &hashes[count++]) = more[i];
    }
    return count;
}

size_t transfer_hashes_read(const struct file_hash *from, size_t count,
                            struct hash_value to[HASH_ALGORITHMS])
{
    size_t read = 0;
    for (size_t i = 0; i < count; i++) {
        enum hash_algorithm algorithm;
        struct hash_value value;
        if (hash_from_name(from[i].algorithm, &algorithm) &&
            hash_from_base64(algorithm, from[i].value, &value)) {
            read = transfer_hashes_join(to, read, &value, 1);
        }
    }
    return read;
}

size_t transfer_hashes_write(const struct hash_value *from, size_t count,
                             struct file_hash to[HASH_ALGORITHMS])
{
    for (size_t i = 0; i < count; i++) {
        char text[HASH_BASE64_MAX];
        hash_to_base64(&from[i], text);
        g_strlcpy(to[i].algorithm, hash_name(from[i].algorithm), sizeof to[i].algorithm);
        g_strlcpy(to[i].value, text, sizeof to[i].value);
    }
    return count;
}

unsigned transfer_hashes_to_compute(const struct file_description *file)
{
    unsigned set = 0;
    for (size_t i = 0; i < file->hash_count; i++) {
        enum hash_algorithm algorithm;
        if (hash_from_name(file->hashes[i].algorithm, &algorithm)) {
            set |= hash_bit(algorithm);
        }
    }
    return set ? set : hash_bit(HASH_SHA_1) | hash_bit(HASH_SHA_256);
}

bool transfer_hashes_come_later(const struct file_description *file)
{
    struct hash_value known[HASH_ALGORITHMS];
    bool used = false;
    for (size_t i = 0; i < file->hash_count; i++) {
        enum hash_algorithm algorithm;
        used |= !*file->hashes[i].value && hash_from_name(file->hashes[i].algorithm, &algorithm);
    }
    return used && transfer_hashes_read(file->hashes, file->hash_count, known) == 0;
}

enum hash_algorithm transfer_hashes_for(const char *const *listed)
{
    bool sha_1 = false;
    for (; listed && *listed; listed++) {
        if (strncmp(*listed, "sha-2", 5) == 0 || strcmp(*listed, "sha-512") == 0 ||
            strcmp(*listed, "sha-384") == 0) {
            return HASH_SHA_256;
        }
        sha_1 |= strcmp(*listed, "sha-1") == 0;
    }
    return sha_1 ? HASH_SHA_1 : HASH_SHA_256;
}
