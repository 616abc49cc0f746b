/* STUN and TURN servers as applications and XMPP servers name them, as the link wants them. */
#ifndef JINGLE_ENGINE_ICE_SERVER_H
#define JINGLE_ENGINE_ICE_SERVER_H

#include "signaling/external_services.h"
#include "transport/server.h"

#include <jingle/jingle.h>

#include <glib.h>

/* Reads a URI of RFC 7064 or RFC 7065. The text of `out` is put into `text`. */
jingle_status ice_server_read(const jingle_ice_server *server, GStringChunk *text,
                              struct ice_server *out);

/* False for what a call cannot use (STUN over TLS). */
bool ice_server_from_service(const struct external_service *service, GStringChunk *text,
                             struct ice_server *out);

#endif
