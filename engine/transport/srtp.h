/* Secure RTP (RFC 3711, RFC 7714) in place, with the keys from DTLS. No allocation per packet. */
#ifndef JINGLE_TRANSPORT_SRTP_H
#define JINGLE_TRANSPORT_SRTP_H

#include <jingle/jingle.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many SSRCs a peer may use in a call. libsrtp never forgets one, so a peer that invents them
 * would fill memory; packets of further ones are dropped. */
#define SRTP_MAX_SSRCS 16

/* Bytes that protection adds at most: the tag and the SRTCP index. */
#define SRTP_TAIL 32

/* The numbers of RFC 5764 section 4.1.2 and RFC 7714 section 14.2. */
enum srtp_profile_id {
    SRTP_PROFILE_NONE = 0,
    SRTP_PROFILE_AES128_CM_HMAC_SHA1_80 = 1,
    SRTP_PROFILE_AEAD_AES_128_GCM = 7,
    SRTP_PROFILE_AEAD_AES_256_GCM = 8,
};

struct srtp_profile_info {
    enum srtp_profile_id id;
    const char *name;    /* as registered, "AEAD_AES_128_GCM" */
    const char *openssl; /* as OpenSSL spells it */
    size_t key_bytes;
    size_t salt_bytes;
};

/* NULL if it is not one of ours. */
const struct srtp_profile_info *srtp_profile_find(unsigned id);

/* Those that libsrtp can do here, best first, for SSL_set_tlsext_use_srtp(): built into `out`. */
void srtp_profile_list(char *out, size_t bytes);

#define SRTP_MAX_KEY (32 + 14)

/* Key and salt one after the other, as libsrtp wants them. */
struct srtp_keys {
    const struct srtp_profile_info *profile;
    uint8_t local[SRTP_MAX_KEY];
    uint8_t remote[SRTP_MAX_KEY];
};

enum srtp_result {
    SRTP_OK,
    SRTP_MALFORMED,
    SRTP_NOT_AUTHENTIC,
    SRTP_REPLAYED,
    SRTP_TOO_MANY_SSRCS,
};

struct srtp_pair;

struct srtp_pair *srtp_pair_new(const struct srtp_keys *keys, jingle_status *status);
void srtp_pair_free(struct srtp_pair *pair);

/* In place; `*bytes` grows by up to SRTP_TAIL, for which the buffer must have room. */
enum srtp_result srtp_pair_protect(struct srtp_pair *pair, bool rtcp, uint8_t *packet,
                                   size_t *bytes);

/* In place; `*bytes` shrinks. Nothing may be believed of the packet unless it gives SRTP_OK. */
enum srtp_result srtp_pair_unprotect(struct srtp_pair *pair, bool rtcp, uint8_t *packet,
                                     size_t *bytes);

#endif
