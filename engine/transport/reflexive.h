/* Asks STUN servers under which addresses our sockets are seen from outside: server-reflexive
 * candidates, and the bindings in NATs that keep them true. RFC 8489, RFC 8445 sections 5.1.1.2,
 * 5.1.1.4 and 14.
 *
 *     servers × sockets ─▶ questions ─ tick ─▶ hooks.ask ─▶ network ─▶ receive ─▶ hooks.found
 *                              └──────── again while there is no answer, and every 15 s ┘
 *
 * All servers are asked at once, so a dead one delays nobody. No sockets, no clock. */
#ifndef JINGLE_TRANSPORT_REFLEXIVE_H
#define JINGLE_TRANSPORT_REFLEXIVE_H

#include "base/addresses.h"
#include "base/clock.h"
#include "base/random.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REFLEXIVE_MAX_SOCKETS   8
#define REFLEXIVE_MAX_QUESTIONS 64 /* a server for a socket each; further ones are not asked */

struct reflexive_hooks {
    void *user;
    void (*ask)(void *user, size_t socket, const union address *server, const uint8_t *datagram,
                size_t bytes);
    /* Never the socket's own address, and never twice the same host for a socket unless its port
     * has changed. */
    void (*found)(void *user, size_t socket, const union address *seen);
};

struct reflexive;

struct reflexive *reflexive_new(const struct random_source *random,
                                const struct reflexive_hooks *hooks);
void reflexive_free(struct reflexive *reflexive);

/* Its number is the count of those before it. False beyond the limit. */
bool reflexive_add_socket(struct reflexive *reflexive, const union address *bound);

/* Asked from all sockets of its family; nothing is sent before the next tick. */
void reflexive_add_server(struct reflexive *reflexive, const union address *server, usec now);

/* True if it answers a question: then it is nobody else's. */
bool reflexive_receive(struct reflexive *reflexive, size_t socket, const union address *from,
                       const uint8_t *datagram, size_t bytes, usec now);

void reflexive_tick(struct reflexive *reflexive, usec now);
usec reflexive_deadline(const struct reflexive *reflexive);

/* A question is neither answered nor given up. */
bool reflexive_is_asking(const struct reflexive *reflexive);

/* A server has answered, whatever it said. */
bool reflexive_was_answered(const struct reflexive *reflexive);

/* What was found is not kept alive any more. */
void reflexive_settle(struct reflexive *reflexive);

#endif
