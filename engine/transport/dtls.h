/* DTLS-SRTP (RFC 5764): proves that the peer is the one that signalling announced, and agrees on
 * the keys of SRTP. No sockets and no threads: datagrams and the time go in, datagrams and the next
 * deadline come out. (OpenSSL reads the system's clock for its retransmission timer; it is only
 * acted on in dtls_timeout() and dtls_receive().)
 *
 *     IDLE ─▶ HANDSHAKE ─▶ UNVERIFIED ─▶ READY ─▶ CLOSED
 *                 │   (fingerprint not known yet) │
 *                 └────────▶ FAILED ◀─────────────┘ (fingerprint wrong)
 *
 * Keys are given out in READY alone, and READY is reached only by a certificate that has the
 * fingerprint which signalling announced (RFC 8122). */
#ifndef JINGLE_TRANSPORT_DTLS_H
#define JINGLE_TRANSPORT_DTLS_H

#include "base/clock.h"
#include "base/log.h"
#include "transport/certificate.h"
#include "transport/srtp.h"
#include <stdbool.h>

#define DTLS_MTU 1200

enum dtls_state {
    DTLS_IDLE,
    DTLS_HANDSHAKE,
    DTLS_UNVERIFIED, /* handshake done, fingerprint not known yet */
    DTLS_READY,
    DTLS_CLOSED, /* either side sent close_notify */
    DTLS_FAILED, /* see dtls_status() */
};

struct dtls_config {
    const struct certificate *certificate;
    const struct logger *log;
    void *user;
    /* A datagram for the peer. Must not call dtls functions. */
    void (*send)(void *user, const uint8_t *datagram, size_t bytes);
};

struct dtls;

struct dtls *dtls_new(const struct dtls_config *config, jingle_status *status);
void dtls_free(struct dtls *dtls);

/* What the peer's certificate must be. May come at any time; false if it is not usable or another
 * one was set before. Look at dtls_state() afterwards. */
bool dtls_set_fingerprint(struct dtls *dtls, const struct dtls_fingerprint *expected);

/* The client speaks at once; the server waits. No effect when it has begun. */
void dtls_start(struct dtls *dtls, bool client);

/* A datagram whose first byte is 20 to 63 (RFC 7983). In DTLS_IDLE a ClientHello makes us the
 * server, anything else is dropped. */
void dtls_receive(struct dtls *dtls, const uint8_t *datagram, size_t bytes);

/* When dtls_timeout() is wanted; USEC_NEVER if nothing is under way. */
usec dtls_deadline(const struct dtls *dtls, usec now);
void dtls_timeout(struct dtls *dtls);

/* Sends close_notify. */
void dtls_close(struct dtls *dtls);

enum dtls_state dtls_state(const struct dtls *dtls);
bool dtls_is_client(const struct dtls *dtls);

/* Why it failed: JINGLE_ERROR_DTLS or JINGLE_ERROR_FINGERPRINT; JINGLE_OK otherwise. */
jingle_status dtls_status(const struct dtls *dtls);

/* Records and datagrams that were not taken. */
uint64_t dtls_dropped(const struct dtls *dtls);

/* OpenSSL's name, "" while unknown. */
const char *dtls_cipher(const struct dtls *dtls);

/* Both directions' keys. False unless in DTLS_READY. The caller wipes them. */
bool dtls_keys(const struct dtls *dtls, struct srtp_keys *keys);

#endif
