/* A self-signed certificate that lives as long as the client: ECDSA P-256 (RFC 8827 section 6.5),
 * known to the peer by its fingerprint (RFC 8122), not by any authority. */
#ifndef JINGLE_TRANSPORT_CERTIFICATE_H
#define JINGLE_TRANSPORT_CERTIFICATE_H

#include "signaling/ice_udp.h"
#include <jingle/jingle.h>
#include <openssl/types.h>
#include <stdbool.h>

struct certificate;

/* Made afresh, with a random serial number and no name that tells anything. */
struct certificate *certificate_new(jingle_status *status);
void certificate_free(struct certificate *certificate);

/* sha-256; setup is left missing. */
struct dtls_fingerprint certificate_fingerprint(const struct certificate *certificate);

/* For dtls.c: OpenSSL's objects, which the certificate keeps. */
X509 *certificate_x509(const struct certificate *certificate);
EVP_PKEY *certificate_key(const struct certificate *certificate);

/* The hashes that we believe: sha-256 and sha-512. */
bool fingerprint_usable(const struct dtls_fingerprint *fingerprint);

/* The same hash and bytes; setup is not compared. */
bool fingerprint_equal(const struct dtls_fingerprint *a, const struct dtls_fingerprint *b);

/* Whether a peer's certificate has this fingerprint. */
bool fingerprint_matches(const struct dtls_fingerprint *fingerprint, const X509 *x509);

#endif
