/* The port of a client's listener for files, as it is reached from outside the router of this
 * network (transfer/port_mapping.h): asked for while the listener is open and this machine has no
 * address of the internet itself.
 *
 * On the I/O thread; the threads of routers are waited for on the closer's. */
#ifndef JINGLE_ENGINE_OUTSIDE_PORT_H
#define JINGLE_ENGINE_OUTSIDE_PORT_H

#include "base/addresses.h"
#include "loop.h"

struct outside_port_config {
    struct loop *io;
    struct loop *closer;
    struct address_choice choice; /* of this machine's addresses; outlives this */
    const char *router;           /* as in port_mapping.h; NULL but in tests */
    void (*known)(void *user, const char *host, uint16_t port);
    void *user;
};

struct outside_port;

struct outside_port *outside_port_new(const struct outside_port_config *config);

/* The listener opened this port, or closed it (0). */
void outside_port_set(struct outside_port *outside, uint16_t port);

/* Where it is reached now; NULL while that is not known. */
const char *outside_port_host(const struct outside_port *outside, uint16_t *port);

/* Before the closer's thread ends: what was asked for is taken back. */
void outside_port_free(struct outside_port *outside);

#endif
