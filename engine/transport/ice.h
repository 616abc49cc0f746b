/* One ICE agent (libnice): finds and keeps a path for datagrams to the peer. RFC 8445, RFC 8838,
 * RFC 7675, RFC 8656.
 *
 *     gather ─▶ hooks.candidate ...   set_remote, add_candidate ─▶ checks ─▶ hooks.usable
 *     send ─▶ network ─▶ hooks.receive                 consent gone ─▶ hooks.lost
 *
 * libnice never gathers again, so an ICE restart is a new struct ice. */
#ifndef JINGLE_TRANSPORT_ICE_H
#define JINGLE_TRANSPORT_ICE_H

#include "base/log.h"
#include "signaling/ice_udp.h"
#include "transport/poller.h"
#include "transport/server.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ICE_MAX_LOCAL_ADDRESSES   6
#define ICE_MAX_REMOTE_CANDIDATES ICE_CANDIDATES_MAX

#define ICE_PAIR_TEXT 80

struct ice_hooks {
    void *user;
    void (*candidate)(void *user, const struct ice_candidate *candidate);
    void (*gathered)(void *user);
    /* There is a pair to send on: the first one, or a better one. */
    void (*usable)(void *user);
    /* The pair that was in use is dead (RFC 7675), unless ice_renew_consent() follows. Failures
     * before the first one are no end: good candidates may still come. */
    void (*lost)(void *user);
    /* From an address that passed a check; anything but STUN. The buffer is lent. */
    void (*receive)(void *user, uint8_t *datagram, size_t bytes);
};

struct ice_config {
    struct poller *poller;
    const struct logger *log;
    bool controlling;
    bool relay_only;
    bool loopback;
    const char *interfaces; /* which ones; see base/addresses.h */
    jingle_family family;
    bool video;
    uint8_t generation;
    const char *ufrag; /* NULL: random */
    const char *pwd;
    const char *ca_file;
    const struct ice_server *servers;
    size_t server_count;
    struct ice_hooks hooks;
};

struct ice;

struct ice *ice_new(const struct ice_config *config, jingle_status *status);

/* No hook is called any more. Relay allocations are given back in the background. */
void ice_free(struct ice *ice);

/* `ufrag` and `pwd` have room for ICE_CREDENTIAL_MAX + 1. */
void ice_local(struct ice *ice, char *ufrag, char *pwd);

/* False if there is no address at all to gather from. Further calls have no effect. */
bool ice_gather(struct ice *ice);

void ice_set_remote(struct ice *ice, const char *ufrag, const char *pwd);

/* False if it is not usable: TCP, component 2, beyond the limit, or where a peer must not make us
 * send to (multicast, our loopback, the ports of services). May come before ice_set_remote(). */
bool ice_add_candidate(struct ice *ice, const struct ice_candidate *candidate);

bool ice_is_usable(const struct ice *ice);

/* This computer has addresses, and they are others than those that were gathered from: the one in
 * use is gone, or another one is the first of its family. */
bool ice_is_outdated(const struct ice *ice);

/* After `lost`: the pair is in use again, because authentic packets show that the peer is there.
 * False if that cannot be. */
bool ice_renew_consent(struct ice *ice);

/* False if it was not taken: no pair, no consent, or the socket is full. */
bool ice_send(struct ice *ice, const uint8_t *datagram, size_t bytes);

/* "host udp 192.0.2.1:5000"; "" while there is no pair. Both have room for ICE_PAIR_TEXT. */
void ice_pair(struct ice *ice, char *local, char *remote);

#endif
