/* STUN and TURN servers that our server offers (XEP-0215), and when to ask again. */
#ifndef JINGLE_SIGNALING_EXTERNAL_SERVICES_H
#define JINGLE_SIGNALING_EXTERNAL_SERVICES_H

#include "base/clock.h"
#include "signaling/xml.h"

#define EXTERNAL_SERVICES_MAX 32

enum external_service_type {
    SERVICE_STUN,
    SERVICE_STUNS,
    SERVICE_TURN,
    SERVICE_TURNS,
};

struct external_service {
    enum external_service_type type;
    char *host; /* a name or address, without brackets */
    uint16_t port;
    bool tcp;       /* otherwise UDP */
    char *username; /* "" if there is none */
    char *password;
    usec expires;    /* USEC_NEVER if not told */
    bool restricted; /* it wants credentials, and has told none yet */
};

struct external_services {
    struct external_service items[EXTERNAL_SERVICES_MAX];
    size_t count;
};

void external_services_clear(struct external_services *services);
/* Replaces the list by that of a <services/>. `wall` is `now` since 1970, for expiry times. */
void external_services_read(struct external_services *services, const xml_node *element, usec now,
                            int64_t wall);
/* Fills in what a <credentials/> tells of services in the list. */
void external_services_read_credentials(struct external_services *services, const xml_node *element,
                                        usec now, int64_t wall);
/* When to ask again, so that no credentials expire; USEC_NEVER if none do. */
usec external_services_renewal(const struct external_services *services, usec now);
const char *external_service_type_name(enum external_service_type type);

#endif
