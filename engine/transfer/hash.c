#include "transfer/hash.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    size_t bytes;
    const EVP_MD *(*digest)(void);
} algorithms[HASH_ALGORITHMS] = {
    [HASH_SHA_1] = {"sha-1", 20, EVP_sha1},
    [HASH_SHA_256] = {"sha-256", 32, EVP_sha256},
    [HASH_SHA_512] = {"sha-512", 64, EVP_sha512},
    [HASH_SHA3_256] = {"sha3-256", 32, EVP_sha3_256},
    [HASH_SHA3_512] = {"sha3-512", 64, EVP_sha3_512},
    [HASH_BLAKE2B_512] = {"blake2b-512", 64, EVP_blake2b512},
};

const char *hash_name(enum hash_algorithm algorithm)
{
    return algorithms[algorithm].name;
}

bool hash_from_name(const char *name, enum hash_algorithm *algorithm)
{
    for (unsigned i = 0; i < HASH_ALGORITHMS; i++) {
        if (strcmp(name, algorithms[i].name) == 0) {
            *algorithm = (enum hash_algorithm)i;
            return true;
        }
    }
    return false;
}

size_t hash_bytes(enum hash_algorithm algorithm)
{
    return algorithms[algorithm].bytes;
}

bool hash_equal(const struct hash_value *a, const struct hash_value *b)
{
    return a->algorithm == b->algorithm &&
           CRYPTO_memcmp(a->bytes, b->bytes, hash_bytes(a->algorithm)) == 0;
}

static void write_hex(const uint8_t *bytes, size_t size, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    *out = 0;
}

void hash_to_hex(const struct hash_value *value, char out[HASH_HEX_MAX])
{
    write_hex(value->bytes, hash_bytes(value->algorithm), out);
}

void hash_to_base64(const struct hash_value *value, char out[HASH_BASE64_MAX])
{
    EVP_EncodeBlock((unsigned char *)out, value->bytes, (int)hash_bytes(value->algorithm));
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool hash_from_hex(enum hash_algorithm algorithm, const char *text, struct hash_value *value)
{
    size_t bytes = hash_bytes(algorithm);
    if (strlen(text) != 2 * bytes) {
        return false;
    }
    *value = (struct hash_value){.algorithm = algorithm};
    for (size_t i = 0; i < bytes; i++) {
        int high = hex_digit(text[2 * i]);
        int low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        value->bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool hash_from_base64(enum hash_algorithm algorithm, const char *text, struct hash_value *value)
{
    unsigned char decoded[HASH_BASE64_MAX];
    char again[HASH_BASE64_MAX];
    while (is_space(*text)) {
        text++;
    }
    size_t length = strlen(text);
    while (length > 0 && is_space(text[length - 1])) {
        length--;
    }
    size_t bytes = hash_bytes(algorithm);
    if (length != (bytes + 2) / 3 * 4) {
        return false;
    }
    if (EVP_DecodeBlock(decoded, (const unsigned char *)text, (int)length) < (int)bytes) {
        return false;
    }
    *value = (struct hash_value){.algorithm = algorithm};
    memcpy(value->bytes, decoded, bytes);
    hash_to_base64(value, again); /* equal only if what was read is canonical */
    return memcmp(again, text, length) == 0;
}

struct hasher {
    EVP_MD_CTX *contexts[HASH_ALGORITHMS]; /* NULL: not in the set */
};

static bool begin(struct hasher *hasher, unsigned algorithm)
{
    hasher->contexts[algorithm] = EVP_MD_CTX_new();
    return hasher->contexts[algorithm] &&
           EVP_DigestInit_ex(hasher->contexts[algorithm], algorithms[algorithm].digest(), NULL);
}

struct hasher *hasher_new(unsigned set)
{
    struct hasher *hasher = calloc(1, sizeof *hasher);
    bool all = hasher && set != 0;
    for (unsigned i = 0; all && i < HASH_ALGORITHMS; i++) {
        all = !(set & 1U << i) || begin(hasher, i);
    }
    if (all) {
        return hasher;
    }
    hasher_free(hasher);
    return NULL;
}

void hasher_free(struct hasher *hasher)
{
    for (unsigned i = 0; hasher && i < HASH_ALGORITHMS; i++) {
        EVP_MD_CTX_free(hasher->contexts[i]);
    }
    free(hasher);
}

void hasher_add(struct hasher *hasher, const void *bytes, size_t size)
{
    for (unsigned i = 0; i < HASH_ALGORITHMS; i++) {
        if (hasher->contexts[i]) {
            EVP_DigestUpdate(hasher->contexts[i], bytes, size);
        }
    }
}

bool hasher_value(const struct hasher *hasher, enum hash_algorithm algorithm,
                  struct hash_value *value)
{
    if (!hasher->contexts[algorithm]) {
        return false;
    }
    EVP_MD_CTX *copy = EVP_MD_CTX_new();
    *value = (struct hash_value){.algorithm = algorithm};
    bool done = copy && EVP_MD_CTX_copy_ex(copy, hasher->contexts[algorithm]) &&
                EVP_DigestFinal_ex(copy, value->bytes, NULL);
    EVP_MD_CTX_free(copy);
    return done;
}
