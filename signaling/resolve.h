/* Where a domain's XMPP server listens: SRV records of both services (RFC 6120 section 3.2,
 * XEP-0368), then addresses, by GIO. Blocks; a cancellable ends it. */
#ifndef JINGLE_SIGNALING_RESOLVE_H
#define JINGLE_SIGNALING_RESOLVE_H

#include <gio/gio.h>

#include <jingle/jingle.h>

#include "base/random.h"

/* At most so many services and addresses are considered. */
#define RESOLVE_SERVICES_MAX  16
#define RESOLVE_ADDRESSES_MAX 24

struct resolve_query {
    const char *domain;
    const char *host; /* NULL: ask DNS for SRV records */
    uint16_t port;    /* 0: the default */
    jingle_tls tls;
};

struct resolve_address {
    char literal[64]; /* IPv4 or IPv6, as getaddrinfo() takes it */
    uint16_t port;
    bool direct_tls;
};

struct resolve_result {
    struct resolve_address addresses[RESOLVE_ADDRESSES_MAX]; /* in the order to try them */
    size_t count;
};

/* JINGLE_ERROR_HOST_NOT_FOUND if there is no address, or none was found before `cancellable`. */
jingle_status resolve(const struct resolve_query *query, const struct random_source *random,
                      GCancellable *cancellable, struct resolve_result *result);

/* One SRV record of either service. */
struct resolve_service {
    char name[256];
    uint16_t port;
    uint16_t priority;
    uint16_t weight;
    bool direct_tls;
};

/* Brings records into the order of RFC 2782, as if they were of one service. */
void resolve_sort(struct resolve_service *services, size_t count,
                  const struct random_source *random);

#endif
