/* Connects to the best of a peer's SOCKS5 candidates (XEP-0260, 2.3), its own proxies among them.
 *
 *     by priority, one each 200 ms ─▶ look-up ─▶ TCP ─▶ SOCKS5 ─▶ the first that is through wins
 *                                                 │      └ refused: once more with the other
 *                                                 │        address (hash order) of the candidate
 *                                                 └ refused: once more after 500 ms
 *
 * Lives on one thread, that of its GMainContext. */
#ifndef JINGLE_TRANSFER_SOCKS5_DIALER_H
#define JINGLE_TRANSFER_SOCKS5_DIALER_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/addresses.h"
#include "base/clock.h"
#include "base/log.h"

enum {
    DIAL_CANDIDATES_MAX = 16,
    DIAL_CID_SIZE = 65,
    DIAL_HOST_SIZE = 256,
    DIAL_ADDRESS_SIZE = 129
};

#define DIAL_STAGGER         (200 * USEC_PER_MS)
#define DIAL_AGAIN_AFTER     (500 * USEC_PER_MS) /* where nobody listens yet */
#define DIAL_CANDIDATE_LIMIT (5 * USEC_PER_SEC)

struct dial_candidate {
    char cid[DIAL_CID_SIZE];
    char host[DIAL_HOST_SIZE]; /* address or name */
    uint16_t port;
    uint32_t priority;
    char addresses[2][DIAL_ADDRESS_SIZE]; /* DST.ADDR to ask for; the second may be "" */
};

struct dial_hooks {
    /* Connected by this candidate; `fd` belongs to the callee. Told at most once. */
    void (*connected)(void *user, int fd, const char *cid);
    /* None of those that were added can be reached. More may be added; then it may come again. */
    void (*failed)(void *user);
    void *user;
};

struct socks5_dialer_config {
    GMainContext *context;
    const struct logger *log; /* may be NULL */
    struct dial_hooks hooks;
    usec stagger;         /* 0: DIAL_STAGGER */
    usec candidate_limit; /* 0: DIAL_CANDIDATE_LIMIT */
    /* Of this machine, to connect from; not kept. Its loopback: also dial 127.0.0.1 and ::1, which
     * a peer has no business to name. */
    struct address_choice from;
};

struct socks5_dialer;

/* Idle until something is added. Hooks are called from the context, never from within a function of
 * these; they may free the dialer. */
struct socks5_dialer *socks5_dialer_new(const struct socks5_dialer_config *config);

/* Nothing is told any more. */
void socks5_dialer_free(struct socks5_dialer *dialer);

/* At any time (candidates may come one after the other). What must not be dialed (port 0, loopback,
 * multicast) fails like one that cannot be reached. False if there are too many or one is through.
 */
bool socks5_dialer_add(struct socks5_dialer *dialer, const struct dial_candidate *candidate);

/* The peer is connected by a candidate of ours of this priority: what is lower is not tried. */
void socks5_dialer_keep_above(struct socks5_dialer *dialer, uint32_t priority);

#endif
