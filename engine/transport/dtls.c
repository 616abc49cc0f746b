/* DTLS-SRTP with OpenSSL over a BIO that keeps datagrams apart.
 *
 *     dtls_receive ─▶ inbound (one datagram) ─▶ BIO read ─▶ OpenSSL ─▶ BIO write ─▶ config.send
 */
#include "transport/dtls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

/* A lost flight should cost little more than a round trip. RFC 6347 section 4.2.4.1 has 1 s, which
 * peers do not need: they answer at once. */
#define FIRST_TIMER_USEC   75000U
#define LONGEST_TIMER_USEC 1600000U

#define HANDSHAKE_RECORD 22
#define CLIENT_HELLO     1

struct dtls {
    struct dtls_config config;
    SSL_CTX *context;
    SSL *ssl;
    BIO_METHOD *method;
    enum dtls_state state;
    jingle_status status;
    bool client;
    bool expected_known;
    struct dtls_fingerprint expected;
    const uint8_t *inbound; /* the datagram that BIO reads get, or NULL */
    size_t inbound_bytes;
    uint64_t dropped;
};

/* ------------------------------------------------------------------------------------ BIO -- */

static int bio_write(BIO *bio, const char *data, int bytes)
{
    struct dtls *dtls = BIO_get_data(bio);
    if (bytes <= 0)
        return 0;
    dtls->config.send(dtls->config.user, (const uint8_t *)data, (size_t)bytes);
    return bytes;
}

/* A datagram is read whole or, like recv(), cut off. */
static int bio_read(BIO *bio, char *out, int room)
{
    struct dtls *dtls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (!dtls->inbound) {
        BIO_set_retry_read(bio);
        return -1;
    }
    size_t bytes = dtls->inbound_bytes < (size_t)room ? dtls->inbound_bytes : (size_t)room;
    memcpy(out, dtls->inbound, bytes);
    dtls->inbound = NULL;
    return (int)bytes;
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    switch (command) {
    case BIO_CTRL_FLUSH:
        return 1;
    case BIO_CTRL_DGRAM_QUERY_MTU:
    case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
        return DTLS_MTU;
    default: /* in particular pending: 0 */
        return 0;
    }
}

static BIO *bio_new(struct dtls *dtls)
{
    dtls->method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "datagrams");
    if (!dtls->method || !BIO_meth_set_write(dtls->method, bio_write) ||
        !BIO_meth_set_read(dtls->method, bio_read) || !BIO_meth_set_ctrl(dtls->method, bio_control))
        return NULL;
    BIO *bio = BIO_new(dtls->method);
    if (bio) {
        BIO_set_data(bio, dtls);
        BIO_set_init(bio, 1);
    }
    return bio;
}

/* ---------------------------------------------------------------------------------- state -- */

static void fail(struct dtls *dtls, jingle_status status, const char *why)
{
    if (dtls->state == DTLS_FAILED)
        return;
    log_warning(dtls->config.log, "DTLS failed: %s", why);
    dtls->state = DTLS_FAILED;
    dtls->status = status;
}

/* The chain of a self-signed certificate proves nothing: the fingerprint does, as soon as it is
 * known. A wrong one ends the handshake with the alert bad_certificate. */
static int verify(X509_STORE_CTX *store, void *user)
{
    const struct dtls *dtls = user;
    const X509 *x509 = X509_STORE_CTX_get0_cert(store);
    if (!x509 || (dtls->expected_known && !fingerprint_matches(&dtls->expected, x509))) {
        X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
        return 0;
    }
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
}

static void check_peer(struct dtls *dtls)
{
    dtls->state = DTLS_UNVERIFIED;
    if (!SSL_get_selected_srtp_profile(dtls->ssl) ||
        !srtp_profile_find((unsigned)SSL_get_selected_srtp_profile(dtls->ssl)->id)) {
        fail(dtls, JINGLE_ERROR_DTLS, "no common SRTP profile");
        return;
    }
    if (!dtls->expected_known)
        return;
    const X509 *x509 = SSL_get0_peer_certificate(dtls->ssl);
    if (x509 && fingerprint_matches(&dtls->expected, x509))
        dtls->state = DTLS_READY;
    else
        fail(dtls, JINGLE_ERROR_FINGERPRINT, "the certificate is not the announced one");
}

/* Either side's certificate is not the announced one: we found out, or the peer says so by an
 * alert. */
static bool is_about_a_certificate(int reason)
{
    switch (reason) {
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
        return true;
    default:
        return false;
    }
}

static void explain_failure(struct dtls *dtls)
{
    unsigned long error = ERR_peek_error();
    const char *why = error ? ERR_reason_error_string(error) : NULL;
    jingle_status status = is_about_a_certificate(ERR_GET_REASON(error)) ? JINGLE_ERROR_FINGERPRINT
                                                                         : JINGLE_ERROR_DTLS;
    fail(dtls, status, why ? why : "the handshake broke off");
}

static void handshake(struct dtls *dtls)
{
    ERR_clear_error();
    int result = SSL_do_handshake(dtls->ssl);
    if (result == 1) {
        check_peer(dtls);
        return;
    }
    int error = SSL_get_error(dtls->ssl, result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
        return;
    if (error == SSL_ERROR_ZERO_RETURN)
        dtls->state = DTLS_CLOSED;
    else
        explain_failure(dtls);
    ERR_clear_error();
}

/* After the handshake: alerts, and the last flight again if the peer missed it. */
static void read_records(struct dtls *dtls)
{
    uint8_t ignored[2048];
    ERR_clear_error();
    int result;
    do
        result = SSL_read(dtls->ssl, ignored, sizeof ignored);
    while (result > 0);
    int error = SSL_get_error(dtls->ssl, result);
    if (error == SSL_ERROR_ZERO_RETURN)
        dtls->state = DTLS_CLOSED;
    else if (error == SSL_ERROR_SSL)
        explain_failure(dtls);
    ERR_clear_error();
}

static void advance(struct dtls *dtls)
{
    if (dtls->state == DTLS_HANDSHAKE)
        handshake(dtls);
    else if (dtls->state == DTLS_UNVERIFIED || dtls->state == DTLS_READY)
        read_records(dtls);
}

/* ---------------------------------------------------------------------------------- setup -- */

static unsigned next_timer(SSL *ssl, unsigned last)
{
    (void)ssl;
    if (last == 0)
        return FIRST_TIMER_USEC;
    return last * 2 < LONGEST_TIMER_USEC ? last * 2 : LONGEST_TIMER_USEC;
}

static bool set_up_context(struct dtls *dtls)
{
    char profiles[128];
    srtp_profile_list(profiles, sizeof profiles);
    dtls->context = SSL_CTX_new(DTLS_method());
    SSL_CTX *context = dtls->context;
    if (!context || !SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION) ||
        !SSL_CTX_use_certificate(context, certificate_x509(dtls->config.certificate)) ||
        !SSL_CTX_use_PrivateKey(context, certificate_key(dtls->config.certificate)) ||
        !SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES") ||
        SSL_CTX_set_tlsext_use_srtp(context, profiles) != 0) /* 0 is its success */
        return false;
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(context, verify, dtls);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(context, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
    return true;
}

struct dtls *dtls_new(const struct dtls_config *config, jingle_status *status)
{
    struct dtls *dtls = calloc(1, sizeof *dtls);
    if (!dtls) {
        *status = JINGLE_ERROR_MEMORY;
        return NULL;
    }
    dtls->config = *config;
    BIO *bio = set_up_context(dtls) ? bio_new(dtls) : NULL;
    if (bio)
        dtls->ssl = SSL_new(dtls->context);
    if (!dtls->ssl) {
        BIO_free(bio);
        dtls_free(dtls);
        *status = JINGLE_ERROR_INTERNAL;
        return NULL;
    }
    SSL_set_bio(dtls->ssl, bio, bio);
    SSL_set_mtu(dtls->ssl, DTLS_MTU);
    DTLS_set_timer_cb(dtls->ssl, next_timer);
    *status = JINGLE_OK;
    return dtls;
}

void dtls_free(struct dtls *dtls)
{
    if (!dtls)
        return;
    SSL_free(dtls->ssl);
    SSL_CTX_free(dtls->context);
    BIO_meth_free(dtls->method);
    free(dtls);
}

/* ------------------------------------------------------------------------------------ use -- */

bool dtls_set_fingerprint(struct dtls *dtls, const struct dtls_fingerprint *expected)
{
    if (!fingerprint_usable(expected))
        return false;
    if (dtls->expected_known)
        return fingerprint_equal(&dtls->expected, expected);
    dtls->expected = *expected;
    dtls->expected_known = true;
    if (dtls->state == DTLS_UNVERIFIED)
        check_peer(dtls);
    return true;
}

void dtls_start(struct dtls *dtls, bool client)
{
    if (dtls->state != DTLS_IDLE)
        return;
    dtls->client = client;
    dtls->state = DTLS_HANDSHAKE;
    if (client)
        SSL_set_connect_state(dtls->ssl);
    else
        SSL_set_accept_state(dtls->ssl);
    advance(dtls);
}

/* A DTLSPlaintext header is 13 bytes; the handshake's type follows. RFC 6347 section 4.3. */
static bool is_client_hello(const uint8_t *datagram, size_t bytes)
{
    return bytes > 13 && datagram[0] == HANDSHAKE_RECORD && datagram[13] == CLIENT_HELLO;
}

void dtls_receive(struct dtls *dtls, const uint8_t *datagram, size_t bytes)
{
    if (dtls->state == DTLS_IDLE && is_client_hello(datagram, bytes))
        dtls_start(dtls, false);
    if (dtls->state == DTLS_IDLE || dtls->state == DTLS_CLOSED || dtls->state == DTLS_FAILED ||
        bytes < 13) {
        dtls->dropped++;
        return;
    }
    dtls->inbound = datagram;
    dtls->inbound_bytes = bytes;
    advance(dtls);
    if (dtls->inbound) { /* OpenSSL broke off before it read on */
        dtls->inbound = NULL;
        dtls->dropped++;
    }
}

static bool time_left(const struct dtls *dtls, usec *left)
{
    struct timeval value;
    if (dtls->state != DTLS_HANDSHAKE || !DTLSv1_get_timeout(dtls->ssl, &value))
        return false;
    *left = (usec)value.tv_sec * USEC_PER_SEC + (usec)value.tv_usec;
    return true;
}

usec dtls_deadline(const struct dtls *dtls, usec now)
{
    usec left;
    return time_left(dtls, &left) ? now + left : USEC_NEVER;
}

void dtls_timeout(struct dtls *dtls)
{
    usec left;
    if (!time_left(dtls, &left) || left > 0)
        return;
    ERR_clear_error();
    if (DTLSv1_handle_timeout(dtls->ssl) < 0)
        fail(dtls, JINGLE_ERROR_DTLS, "the peer does not answer");
    ERR_clear_error();
}

void dtls_close(struct dtls *dtls)
{
    if (dtls->state == DTLS_UNVERIFIED || dtls->state == DTLS_READY) {
        ERR_clear_error();
        SSL_shutdown(dtls->ssl);
        ERR_clear_error();
    }
    if (dtls->state != DTLS_FAILED)
        dtls->state = DTLS_CLOSED;
}

enum dtls_state dtls_state(const struct dtls *dtls)
{
    return dtls->state;
}

bool dtls_is_client(const struct dtls *dtls)
{
    return dtls->client;
}

jingle_status dtls_status(const struct dtls *dtls)
{
    return dtls->status;
}

uint64_t dtls_dropped(const struct dtls *dtls)
{
    return dtls->dropped;
}

const char *dtls_cipher(const struct dtls *dtls)
{
    if (dtls->state != DTLS_UNVERIFIED && dtls->state != DTLS_READY && dtls->state != DTLS_CLOSED)
        return "";
    const SSL_CIPHER *cipher = SSL_get_current_cipher(dtls->ssl);
    return cipher ? SSL_CIPHER_get_name(cipher) : "";
}

/* RFC 5764 section 4.2: client key, server key, client salt, server salt. */
bool dtls_keys(const struct dtls *dtls, struct srtp_keys *keys)
{
    static const char label[] = "EXTRACTOR-dtls_srtp";
    if (dtls->state != DTLS_READY)
        return false;
    keys->profile = srtp_profile_find((unsigned)SSL_get_selected_srtp_profile(dtls->ssl)->id);
    size_t key = keys->profile->key_bytes;
    size_t salt = keys->profile->salt_bytes;
    uint8_t material[2 * SRTP_MAX_KEY];
    if (SSL_export_keying_material(dtls->ssl, material, 2 * (key + salt), label, sizeof label - 1,
                                   NULL, 0, 0) != 1)
        return false;
    uint8_t *client = dtls->client ? keys->local : keys->remote;
    uint8_t *server = dtls->client ? keys->remote : keys->local;
    memcpy(client, material, key);
    memcpy(server, material + key, key);
    memcpy(client + key, material + 2 * key, salt);
    memcpy(server + key, material + 2 * key + salt, salt);
    OPENSSL_cleanse(material, sizeof material);
    return true;
}
