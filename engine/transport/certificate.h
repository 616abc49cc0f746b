/* A self-signed certificate that lives as long as the client: ECDSA P-256 (RFC 8827 section 6.5),
 * known to the peer by its fingerprint (RFC 8122), not by any authority. */
#ifndef JINGLE_TRANSPORT_CERTIFICATE_H
#define JINGLE_TRANSPORT_CERTIFICATE_H

#include <jingle/jingle.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FINGERPRINT_MAX 64 /* bytes of a sha-512 */

/* The digest of a certificate, as bytes. */
struct fingerprint_bytes {
    const char *hash; /* "sha-256" or "sha-512", as in RFC 8122; static */
    uint8_t bytes[FINGERPRINT_MAX];
    size_t length;
};

struct certificate;

/* Made afresh, with a random serial number and no name that tells anything. */
struct certificate *certificate_new(jingle_status *status);
void certificate_free(struct certificate *certificate);

/* sha-256, in upper case with colons. Valid as long as the certificate. */
const char *certificate_fingerprint(const struct certificate *certificate);

/* Reads "AB:CD:..." (either case) of the hash named; false if it is neither sha-256 nor sha-512 or
 * not of that length. */
bool fingerprint_parse(const char *hash, const char *text, struct fingerprint_bytes *out);

/* For dtls.c: OpenSSL's objects, still owned by the certificate. */
struct x509_st;
struct evp_pkey_st;
struct x509_st *certificate_x509(const struct certificate *certificate);
struct evp_pkey_st *certificate_key(const struct certificate *certificate);

/* The digest of any certificate by the hash of `like` (its `hash`); false if OpenSSL cannot. */
bool certificate_matches(const struct x509_st *x509, const struct fingerprint_bytes *expected);

#endif
