/* The seams below transport/link.c in virtual time: ICE agents (transport/ice.h), deadlines
 * (transport/poller.h) and the clock. A program that is linked with this has links of its own that
 * know no socket, with real DTLS and SRTP.
 *
 *     agent ─ gathered on its host's address ─▶ credentials and a candidate known ─▶ usable
 *     datagram ─▶ some milliseconds ─▶ the agent at the other end, if it is still there
 *
 * A host has one address, which changes. An agent becomes usable when its peer's agent exists, both
 * were gathered on addresses that their hosts have now, and either knows a candidate of the other.
 * The controlling one need not wait for the peer to know its credentials: checks are answered
 * without (RFC 8445, 7.3), so it may go over to a new path long before the other. */
#ifndef JINGLE_SIM_FAKE_ICE_H
#define JINGLE_SIM_FAKE_ICE_H

#include "transport/ice.h"

#include <stdbool.h>
#include <stdint.h>

/* A computer, and the thread of its links. */
struct host {
    unsigned number;  /* of all: a part of its addresses */
    unsigned address; /* its present one; 0: it has none */
    unsigned rebound; /* raised when the router forgets: what went through it is dead */
    struct poller *poller;
    unsigned agents; /* made so far */
};

void fake_ice_open(uint64_t seed, usec now);
void fake_ice_close(void);

void host_open(struct host *host, unsigned number);
void host_close(struct host *host);

/* Share of datagrams that are lost from now on. */
void fake_ice_lose(double share);

/* Lets time pass until then; deadlines fire, datagrams arrive and agents find each other. Returns
 * early, with the clock at that moment, when something has happened. */
void fake_ice_run(usec until);

/* What an agent that carries the newest path of this host would be given, from anywhere: a datagram
 * by somebody who knows both addresses. False: there is none. */
bool fake_ice_inject(const struct host *to, const uint8_t *datagram, size_t bytes);

#endif
