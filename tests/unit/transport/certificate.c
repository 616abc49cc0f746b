#include "transport/certificate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

static struct certificate *make(void)
{
    jingle_status status = JINGLE_ERROR_INTERNAL;
    struct certificate *certificate = certificate_new(&status);
    assert_non_null(certificate);
    assert_int_equal(status, JINGLE_OK);
    return certificate;
}

static void test_the_key_is_ecdsa_p256(void **state)
{
    (void)state;
    struct certificate *certificate = make();
    char group[32];
    size_t length = 0;
    assert_true(
        EVP_PKEY_get_group_name(certificate_key(certificate), group, sizeof group, &length));
    assert_string_equal(group, "prime256v1");
    certificate_free(certificate);
}

static void test_it_is_signed_by_itself_and_valid_now(void **state)
{
    (void)state;
    struct certificate *certificate = make();
    X509 *x509 = certificate_x509(certificate);
    assert_int_equal(X509_verify(x509, certificate_key(certificate)), 1);
    assert_int_equal(X509_cmp_current_time(X509_get0_notBefore(x509)), -1);
    assert_int_equal(X509_cmp_current_time(X509_get0_notAfter(x509)), 1);
    certificate_free(certificate);
}

static void test_its_fingerprint_is_the_sha256_of_the_der(void **state)
{
    (void)state;
    struct certificate *certificate = make();
    unsigned char *der = NULL;
    int bytes = i2d_X509(certificate_x509(certificate), &der);
    uint8_t digest[32];
    unsigned length = 0;
    assert_true(bytes > 0);
    assert_true(EVP_Digest(der, (size_t)bytes, digest, &length, EVP_sha256(), NULL));
    struct dtls_fingerprint fingerprint = certificate_fingerprint(certificate);
    assert_int_equal(fingerprint.hash, FINGERPRINT_SHA_256);
    assert_int_equal(fingerprint.size, 32);
    assert_memory_equal(fingerprint.bytes, digest, 32);
    assert_true(fingerprint_matches(&fingerprint, certificate_x509(certificate)));
    OPENSSL_free(der);
    certificate_free(certificate);
}

static void test_a_sha512_fingerprint_is_compared(void **state)
{
    (void)state;
    struct certificate *certificate = make();
    struct dtls_fingerprint fingerprint = {.hash = FINGERPRINT_SHA_512, .size = 64};
    unsigned length = 0;
    assert_true(
        X509_digest(certificate_x509(certificate), EVP_sha512(), fingerprint.bytes, &length));
    assert_true(fingerprint_matches(&fingerprint, certificate_x509(certificate)));
    fingerprint.bytes[63] ^= 1;
    assert_false(fingerprint_matches(&fingerprint, certificate_x509(certificate)));
    certificate_free(certificate);
}

static void test_other_hashes_and_lengths_never_match(void **state)
{
    (void)state;
    struct certificate *certificate = make();
    struct dtls_fingerprint fingerprint = certificate_fingerprint(certificate);
    fingerprint.size = 0;
    assert_false(fingerprint_matches(&fingerprint, certificate_x509(certificate)));
    fingerprint.size = 31;
    assert_false(fingerprint_matches(&fingerprint, certificate_x509(certificate)));
    fingerprint = (struct dtls_fingerprint){.hash = FINGERPRINT_SHA_384, .size = 48};
    assert_false(fingerprint_usable(&fingerprint));
    fingerprint = (struct dtls_fingerprint){0};
    assert_false(fingerprint_usable(&fingerprint));
    certificate_free(certificate);
}

static void test_no_two_certificates_are_alike(void **state)
{
    (void)state;
    struct certificate *one = make();
    struct certificate *two = make();
    struct dtls_fingerprint of_one = certificate_fingerprint(one);
    assert_false(fingerprint_matches(&of_one, certificate_x509(two)));
    assert_int_not_equal(X509_cmp(certificate_x509(one), certificate_x509(two)), 0);
    certificate_free(one);
    certificate_free(two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_key_is_ecdsa_p256),
        cmocka_unit_test(test_it_is_signed_by_itself_and_valid_now),
        cmocka_unit_test(test_its_fingerprint_is_the_sha256_of_the_der),
        cmocka_unit_test(test_a_sha512_fingerprint_is_compared),
        cmocka_unit_test(test_other_hashes_and_lengths_never_match),
        cmocka_unit_test(test_no_two_certificates_are_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
