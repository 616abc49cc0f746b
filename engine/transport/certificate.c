/* Certificates and fingerprints with OpenSSL. RFC 8827 section 6.5, RFC 8122. */
#include "transport/certificate.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#define SERIAL_BITS  63
#define VALID_BEFORE (-24L * 3600) /* for peers whose clock is slow */
#define VALID_AFTER  (365L * 24 * 3600)

struct certificate {
    X509 *x509;
    EVP_PKEY *key;
    struct dtls_fingerprint fingerprint;
};

static bool set_serial(X509 *x509)
{
    BIGNUM *number = BN_new();
    bool good = number && BN_rand(number, SERIAL_BITS, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) &&
                BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509));
    BN_free(number);
    return good;
}

static X509 *sign_own(EVP_PKEY *key)
{
    X509 *x509 = X509_new();
    if (!x509)
        return NULL;
    X509_NAME *name = X509_get_subject_name(x509);
    bool good = X509_set_version(x509, 2) && set_serial(x509) &&
                X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                           (const unsigned char *)"jingle", -1, -1, 0) &&
                X509_set_issuer_name(x509, name) &&
                X509_gmtime_adj(X509_getm_notBefore(x509), VALID_BEFORE) &&
                X509_gmtime_adj(X509_getm_notAfter(x509), VALID_AFTER) &&
                X509_set_pubkey(x509, key) && X509_sign(x509, key, EVP_sha256());
    if (good)
        return x509;
    X509_free(x509);
    return NULL;
}

static bool digest(const X509 *x509, enum fingerprint_hash hash, struct dtls_fingerprint *out)
{
    const EVP_MD *md = hash == FINGERPRINT_SHA_512 ? EVP_sha512() : EVP_sha256();
    unsigned bytes = 0;
    *out = (struct dtls_fingerprint){.hash = hash};
    if (!X509_digest(x509, md, out->bytes, &bytes))
        return false;
    out->size = bytes;
    return true;
}

struct certificate *certificate_new(jingle_status *status)
{
    struct certificate *certificate = calloc(1, sizeof *certificate);
    if (!certificate) {
        *status = JINGLE_ERROR_MEMORY;
        return NULL;
    }
    certificate->key = EVP_EC_gen("P-256");
    if (certificate->key)
        certificate->x509 = sign_own(certificate->key);
    if (!certificate->x509 ||
        !digest(certificate->x509, FINGERPRINT_SHA_256, &certificate->fingerprint)) {
        certificate_free(certificate);
        *status = JINGLE_ERROR_INTERNAL;
        return NULL;
    }
    *status = JINGLE_OK;
    return certificate;
}

void certificate_free(struct certificate *certificate)
{
    if (!certificate)
        return;
    X509_free(certificate->x509);
    EVP_PKEY_free(certificate->key);
    free(certificate);
}

struct dtls_fingerprint certificate_fingerprint(const struct certificate *certificate)
{
    return certificate->fingerprint;
}

X509 *certificate_x509(const struct certificate *certificate)
{
    return certificate->x509;
}

EVP_PKEY *certificate_key(const struct certificate *certificate)
{
    return certificate->key;
}

bool fingerprint_usable(const struct dtls_fingerprint *fingerprint)
{
    return (fingerprint->hash == FINGERPRINT_SHA_256 && fingerprint->size == 32) ||
           (fingerprint->hash == FINGERPRINT_SHA_512 && fingerprint->size == 64);
}

bool fingerprint_equal(const struct dtls_fingerprint *a, const struct dtls_fingerprint *b)
{
    return a->hash == b->hash && a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

bool fingerprint_matches(const struct dtls_fingerprint *fingerprint, const X509 *x509)
{
    struct dtls_fingerprint actual;
    return fingerprint_usable(fingerprint) && digest(x509, fingerprint->hash, &actual) &&
           fingerprint_equal(fingerprint, &actual);
}
