/* STUN and TURN servers as applications and XMPP servers name them, as the link wants them. */
#ifndef JINGLE_ENGINE_ICE_SERVER_H
#define JINGLE_ENGINE_ICE_SERVER_H

#include "signaling/external_services.h"
#include "transport/server.h"

#include <jingle/jingle.h>

/* Reads a URI of RFC 7064 or RFC 7065: JINGLE_ERROR_INVALID, or JINGLE_ERROR_UNSUPPORTED for what
 * a call cannot use (STUN over TLS, TURN over DTLS). ice_server_clear() it. */
jingle_status ice_server_read(const jingle_ice_server *server, struct ice_server *out);

/* The same for an entry of XEP-0215; false for what a call cannot use. */
bool ice_server_from_service(const struct external_service *service, struct ice_server *out);

void ice_server_copy(struct ice_server *to, const struct ice_server *from);

/* Wipes the password. */
void ice_server_clear(struct ice_server *server);

#endif
