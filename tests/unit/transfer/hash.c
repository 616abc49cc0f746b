#include "transfer/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* FIPS 180-4, FIPS 202, RFC 7693: the hashes of "abc". */
static const struct {
    const char *name;
    const char *hex;
} of_abc[HASH_ALGORITHMS] = {
    {"sha-1", "a9993e364706816aba3e25717850c26c9cd0d89d"},
    {"sha-256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"sha-512", "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
    {"sha3-256", "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"},
    {"sha3-512", "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e"
                 "10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0"},
    {"blake2b-512", "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
                    "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923"},
};

static void test_every_algorithm_hashes_abc_as_its_standard_says(void **state)
{
    (void)state;
    struct hasher *hasher = hasher_new((1U << HASH_ALGORITHMS) - 1);
    hasher_add(hasher, "a", 1);
    hasher_add(hasher, "", 0);
    hasher_add(hasher, "bc", 2);
    for (unsigned i = 0; i < HASH_ALGORITHMS; i++) {
        enum hash_algorithm algorithm;
        struct hash_value value;
        char hex[HASH_HEX_MAX];
        assert_true(hash_from_name(of_abc[i].name, &algorithm));
        assert_string_equal(hash_name(algorithm), of_abc[i].name);
        assert_true(hasher_value(hasher, algorithm, &value));
        hash_to_hex(&value, hex);
        assert_string_equal(hex, of_abc[i].hex);
        assert_int_equal(strlen(hex), 2 * hash_bytes(algorithm));
    }
    hasher_free(hasher);
}

static void test_a_hash_can_be_asked_for_on_the_way(void **state)
{
    (void)state;
    struct hash_value early;
    struct hash_value late;
    struct hash_value wanted;
    struct hasher *hasher = hasher_new(hash_bit(HASH_SHA_256));
    hasher_add(hasher, "a", 1);
    assert_true(hasher_value(hasher, HASH_SHA_256, &early));
    hasher_add(hasher, "bc", 2);
    assert_true(hasher_value(hasher, HASH_SHA_256, &late));
    assert_true(hash_from_hex(HASH_SHA_256, of_abc[1].hex, &wanted));
    assert_true(hash_equal(&late, &wanted));
    assert_false(hash_equal(&early, &wanted));
    assert_false(hasher_value(hasher, HASH_SHA_1, &late));
    hasher_free(hasher);
}

static void test_hashes_of_two_algorithms_are_never_equal(void **state)
{
    (void)state;
    struct hash_value a = {.algorithm = HASH_SHA_256};
    struct hash_value b = {.algorithm = HASH_SHA3_256};
    assert_false(hash_equal(&a, &b));
}

static void test_unknown_names_are_none_of_ours(void **state)
{
    (void)state;
    enum hash_algorithm algorithm;
    assert_false(hash_from_name("md5", &algorithm));
    assert_false(hash_from_name("SHA-256", &algorithm));
    assert_false(hash_from_name("", &algorithm));
    assert_null(hasher_new(0));
}

static void test_base64_is_read_as_it_is_written(void **state)
{
    (void)state;
    for (unsigned i = 0; i < HASH_ALGORITHMS; i++) {
        struct hash_value value;
        struct hash_value again;
        char text[HASH_BASE64_MAX];
        char padded[HASH_BASE64_MAX + 4];
        assert_true(hash_from_hex((enum hash_algorithm)i, of_abc[i].hex, &value));
        hash_to_base64(&value, text);
        assert_true(hash_from_base64((enum hash_algorithm)i, text, &again));
        assert_true(hash_equal(&value, &again));
        snprintf(padded, sizeof padded, "\n %s\t", text);
        assert_true(hash_from_base64((enum hash_algorithm)i, padded, &again));
    }
}

static void test_text_that_is_no_hash_of_that_size_is_refused(void **state)
{
    (void)state;
    struct hash_value value;
    static const char *const wrong[] = {
        "",
        "qZk+NkcGgWq6PiVxeFDCbJzQ2J",       /* too short */
        "qZk+NkcGgWq6PiVxeFDCbJzQ2J0",      /* padding missing */
        "qZk+NkcGgWq6PiVxeFDCbJzQ2J1=",     /* bits behind the end */
        "qZk+NkcG gWq6PiVxeFDCbJzQ2J=",     /* a space inside */
        "qZk+NkcGgWq6=iVxeFDCbJzQ2J0=",     /* padding inside */
        "qZk-NkcGgWq6PiVxeFDCbJzQ2J0=",     /* another alphabet */
        "qZk+NkcGgWq6PiVxeFDCbJzQ2J0=qZk+", /* too long */
        "qZk+NkcGgWq6PiVxeFDCbJzQ2J0AAAA=",
    };
    assert_true(hash_from_base64(HASH_SHA_1, "qZk+NkcGgWq6PiVxeFDCbJzQ2J0=", &value));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_false(hash_from_base64(HASH_SHA_1, wrong[i], &value));
    }
    assert_true(hash_from_hex(HASH_SHA_1, "A9993E364706816ABA3E25717850C26C9CD0D89D", &value));
    assert_false(hash_from_hex(HASH_SHA_1, "a9993e364706816aba3e25717850c26c9cd0d89", &value));
    assert_false(hash_from_hex(HASH_SHA_1, "g9993e364706816aba3e25717850c26c9cd0d89d", &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_algorithm_hashes_abc_as_its_standard_says),
        cmocka_unit_test(test_a_hash_can_be_asked_for_on_the_way),
        cmocka_unit_test(test_hashes_of_two_algorithms_are_never_equal),
        cmocka_unit_test(test_unknown_names_are_none_of_ours),
        cmocka_unit_test(test_base64_is_read_as_it_is_written),
        cmocka_unit_test(test_text_that_is_no_hash_of_that_size_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
