/* A STUN or TURN server (RFC 8489, RFC 8656), from XEP-0215 or the application. */
#ifndef JINGLE_TRANSPORT_SERVER_H
#define JINGLE_TRANSPORT_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#define ICE_MAX_SERVERS 8 /* further ones are not used */

enum ice_server_transport { ICE_SERVER_UDP, ICE_SERVER_TCP, ICE_SERVER_TLS };

struct ice_server {
    bool turn; /* otherwise STUN, over UDP */
    enum ice_server_transport transport;
    const char *host;     /* a name or an address literal; names are resolved without blocking */
    uint16_t port;        /* 0: 3478, or 5349 with TLS */
    const char *username; /* TURN only */
    const char *password;
};

#endif
