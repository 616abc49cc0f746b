/* SRTP with libsrtp2. */
#include "transport/srtp.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <srtp2/srtp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPLAY_WINDOW 1024 /* packets, for video that comes late; RFC 3711 section 3.3.2 */

#define RTP_HEADER_BYTES  12
#define RTCP_HEADER_BYTES 8

static const struct srtp_profile_info profiles[] = {
    {SRTP_PROFILE_AEAD_AES_128_GCM, "AEAD_AES_128_GCM", "SRTP_AEAD_AES_128_GCM", 16, 12},
    {SRTP_PROFILE_AEAD_AES_256_GCM, "AEAD_AES_256_GCM", "SRTP_AEAD_AES_256_GCM", 32, 12},
    {SRTP_PROFILE_AES128_CM_HMAC_SHA1_80, "AES_CM_128_HMAC_SHA1_80", "SRTP_AES128_CM_SHA1_80", 16,
     14},
};

#define PROFILE_COUNT (sizeof profiles / sizeof *profiles)

struct srtp_pair {
    srtp_t out;
    srtp_t in;
    uint32_t ssrcs[SRTP_MAX_SSRCS]; /* that authenticated once */
    size_t ssrc_count;
};

static void init_library(void)
{
    srtp_init();
}

static void library_ready(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, init_library);
}

const struct srtp_profile_info *srtp_profile_find(unsigned id)
{
    for (size_t i = 0; i < PROFILE_COUNT; i++)
        if (profiles[i].id == id)
            return &profiles[i];
    return NULL;
}

static srtp_err_status_t create(srtp_t *session, srtp_ssrc_type_t direction,
                                const struct srtp_profile_info *profile, uint8_t *key)
{
    srtp_policy_t policy = {
        .ssrc = {.type = direction},
        .key = key,
        .window_size = REPLAY_WINDOW,
        .allow_repeat_tx = 0, /* a nonce used twice breaks GCM (RFC 7714, section 8.2) */
    };
    library_ready();
    if (srtp_crypto_policy_set_from_profile_for_rtp(&policy.rtp, (srtp_profile_t)profile->id) ||
        srtp_crypto_policy_set_from_profile_for_rtcp(&policy.rtcp, (srtp_profile_t)profile->id))
        return srtp_err_status_fail;
    return srtp_create(session, &policy);
}

/* libsrtp may have been built without GCM: only making a session tells. */
static bool profile_works(const struct srtp_profile_info *profile)
{
    uint8_t key[SRTP_MAX_KEY] = {0};
    srtp_t session = NULL;
    if (create(&session, ssrc_any_outbound, profile, key) != srtp_err_status_ok)
        return false;
    srtp_dealloc(session);
    return true;
}

void srtp_profile_list(char *out, size_t bytes)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < PROFILE_COUNT; i++) {
        if (!profile_works(&profiles[i]))
            continue;
        int written =
            snprintf(out + used, bytes - used, "%s%s", used ? ":" : "", profiles[i].openssl);
        if (written < 0 || (size_t)written >= bytes - used) {
            out[used] = '\0';
            return;
        }
        used += (size_t)written;
    }
}

struct srtp_pair *srtp_pair_new(const struct srtp_keys *keys, jingle_status *status)
{
    struct srtp_pair *pair = calloc(1, sizeof *pair);
    if (!pair) {
        *status = JINGLE_ERROR_MEMORY;
        return NULL;
    }
    struct srtp_keys copy = *keys;
    bool good =
        create(&pair->out, ssrc_any_outbound, keys->profile, copy.local) == srtp_err_status_ok &&
        create(&pair->in, ssrc_any_inbound, keys->profile, copy.remote) == srtp_err_status_ok;
    OPENSSL_cleanse(&copy, sizeof copy);
    if (!good) {
        srtp_pair_free(pair);
        *status = JINGLE_ERROR_INTERNAL;
        return NULL;
    }
    *status = JINGLE_OK;
    return pair;
}

void srtp_pair_free(struct srtp_pair *pair)
{
    if (!pair)
        return;
    if (pair->out)
        srtp_dealloc(pair->out);
    if (pair->in)
        srtp_dealloc(pair->in);
    free(pair);
}

static enum srtp_result result_of(srtp_err_status_t status)
{
    switch (status) {
    case srtp_err_status_ok:
        return SRTP_OK;
    case srtp_err_status_auth_fail:
    case srtp_err_status_cipher_fail: /* so says GCM in some of libsrtp's back ends */
        return SRTP_NOT_AUTHENTIC;
    case srtp_err_status_replay_fail:
    case srtp_err_status_replay_old:
        return SRTP_REPLAYED;
    default:
        return SRTP_MALFORMED;
    }
}

static bool well_formed(bool rtcp, const uint8_t *packet, size_t bytes)
{
    return bytes >= (rtcp ? RTCP_HEADER_BYTES : RTP_HEADER_BYTES) && bytes < INT32_MAX &&
           packet[0] >> 6 == 2;
}

enum srtp_result srtp_pair_protect(struct srtp_pair *pair, bool rtcp, uint8_t *packet,
                                   size_t *bytes)
{
    if (!well_formed(rtcp, packet, *bytes))
        return SRTP_MALFORMED;
    int length = (int)*bytes;
    srtp_err_status_t status = rtcp ? srtp_protect_rtcp(pair->out, packet, &length)
                                    : srtp_protect(pair->out, packet, &length);
    if (status == srtp_err_status_ok)
        *bytes = (size_t)length;
    return result_of(status);
}

static uint32_t ssrc_of(bool rtcp, const uint8_t *packet)
{
    const uint8_t *at = packet + (rtcp ? 4 : 8);
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static bool ssrc_is_known(const struct srtp_pair *pair, uint32_t ssrc)
{
    for (size_t i = 0; i < pair->ssrc_count; i++)
        if (pair->ssrcs[i] == ssrc)
            return true;
    return false;
}

/* libsrtp makes a stream for a new SSRC once its first packet is authentic, and never before. */
enum srtp_result srtp_pair_unprotect(struct srtp_pair *pair, bool rtcp, uint8_t *packet,
                                     size_t *bytes)
{
    if (!well_formed(rtcp, packet, *bytes))
        return SRTP_MALFORMED;
    uint32_t ssrc = ssrc_of(rtcp, packet);
    bool known = ssrc_is_known(pair, ssrc);
    if (!known && pair->ssrc_count == SRTP_MAX_SSRCS)
        return SRTP_TOO_MANY_SSRCS;
    int length = (int)*bytes;
    srtp_err_status_t status = rtcp ? srtp_unprotect_rtcp(pair->in, packet, &length)
                                    : srtp_unprotect(pair->in, packet, &length);
    if (status == srtp_err_status_ok) {
        *bytes = (size_t)length;
        if (!known)
            pair->ssrcs[pair->ssrc_count++] = ssrc;
    }
    return result_of(status);
}
