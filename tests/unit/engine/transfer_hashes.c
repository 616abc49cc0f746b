#include "transfer_hashes.h"

#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Of nothing. */
#define SHA_1   "2jmj7l5rSw0yVb/vlWAYkK/YBwk="
#define SHA_256 "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

static struct file_description description(const char *const (*hashes)[2], size_t count)
{
    struct file_description file = {0};
    for (size_t i = 0; i < count; i++) {
        assert_true(file_description_add_hash(&file, hashes[i][0], hashes[i][1]));
    }
    return file;
}

static void test_hashes_survive_their_text(void **state)
{
    (void)state;
    const char *const hashes[][2] = {
        {"sha-256", SHA_256}, {"sha-1", "broken"}, {"md5", "AAAA"}, {"sha-1", SHA_1}};
    struct file_description file = description(hashes, 4);
    struct hash_value values[HASH_ALGORITHMS];
    struct file_hash texts[HASH_ALGORITHMS];
    assert_int_equal(transfer_hashes_read(file.hashes, file.hash_count, values), 2);
    assert_int_equal(transfer_hashes_write(values, 2, texts), 2);
    assert_string_equal(texts[0].algorithm, "sha-256");
    assert_string_equal(texts[0].value, SHA_256);
    assert_string_equal(texts[1].value, SHA_1);
    file_description_clear(&file);
}

static void test_what_was_told_first_counts(void **state)
{
    (void)state;
    struct hash_value first = {.algorithm = HASH_SHA_1, .bytes = {1}};
    struct hash_value more[2] = {{.algorithm = HASH_SHA_1, .bytes = {2}},
                                 {.algorithm = HASH_SHA_256, .bytes = {3}}};
    struct hash_value values[HASH_ALGORITHMS] = {first};
    assert_int_equal(transfer_hashes_join(values, 1, more, 2), 2);
    assert_int_equal(values[0].bytes[0], 1);
    assert_int_equal(values[1].bytes[0], 3);
}

static void test_all_that_was_announced_is_computed(void **state)
{
    (void)state;
    const char *const hashes[][2] = {{"sha-512", ""}, {"blake2b-512", ""}, {"md5", ""}};
    struct file_description file = description(hashes, 3);
    struct file_description none = {0};
    assert_int_equal(transfer_hashes_to_compute(&file),
                     hash_bit(HASH_SHA_512) | hash_bit(HASH_BLAKE2B_512));
    assert_int_equal(transfer_hashes_to_compute(&none),
                     hash_bit(HASH_SHA_1) | hash_bit(HASH_SHA_256));
    file_description_clear(&file);
}

static bool comes_later(const char *algorithm, const char *value)
{
    const char *const hashes[][2] = {{algorithm, value}};
    struct file_description file = description(hashes, 1);
    bool later = transfer_hashes_come_later(&file);
    file_description_clear(&file);
    return later;
}

static void test_only_a_promise_is_waited_for(void **state)
{
    (void)state;
    struct file_description none = {0};
    assert_true(comes_later("sha-256", ""));
    assert_false(comes_later("sha-256", SHA_256));
    assert_false(comes_later("md5", "")); /* nothing that we could compare */
    assert_false(transfer_hashes_come_later(&none));
}

static void test_sha_1_is_for_clients_that_know_no_better(void **state)
{
    (void)state;
    const char *const nothing[] = {NULL};
    const char *const old[] = {"sha-1", NULL};
    const char *const newer[] = {"sha-1", "sha-256", NULL};
    const char *const big[] = {"sha-1", "sha-512", NULL};
    assert_int_equal(transfer_hashes_for(NULL), HASH_SHA_256);
    assert_int_equal(transfer_hashes_for(nothing), HASH_SHA_256);
    assert_int_equal(transfer_hashes_for(old), HASH_SHA_1);
    assert_int_equal(transfer_hashes_for(newer), HASH_SHA_256);
    assert_int_equal(transfer_hashes_for(big), HASH_SHA_256);
}

/* Nor does a checksum take back what was announced, or asked for. */
static void test_a_checksum_adds_to_what_was_announced(void **state)
{
    (void)state;
    const char *const announced[][2] = {{"sha-256", SHA_256}, {"sha-1", ""}};
    const char *const told[][2] = {
        {"sha-256", "other"}, {"sha-1", SHA_1}, {"sha-512", "new"}, {"sha3-256", ""}};
    struct file_description file = description(announced, 2);
    struct file_description checksum = description(told, 4);
    assert_int_equal(transfer_hashes_add(file.hashes, 2, checksum.hashes, 4), 3);
    assert_string_equal(file.hashes[0].value, SHA_256);
    assert_string_equal(file.hashes[1].value, SHA_1);
    assert_string_equal(file.hashes[2].algorithm, "sha-512");
    for (int letter = 'a'; letter < 'z'; letter++) {
        struct file_hash more = {.algorithm = {(char)letter}, .value = "v"};
        file.hash_count =
            transfer_hashes_add(file.hashes, letter == 'a' ? 3 : file.hash_count, &more, 1);
    }
    assert_int_equal(file.hash_count, FILE_HASHES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hashes_survive_their_text),
        cmocka_unit_test(test_what_was_told_first_counts),
        cmocka_unit_test(test_all_that_was_announced_is_computed),
        cmocka_unit_test(test_only_a_promise_is_waited_for),
        cmocka_unit_test(test_sha_1_is_for_clients_that_know_no_better),
        cmocka_unit_test(test_a_checksum_adds_to_what_was_announced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
