/* One way of a call to the peer, which carries one content or a bundle of them: a link and how it
 * is signalled. Media thread only.
 *
 *     call_transport_open ─▶ call_transport_gather ─▶ reports: transport, then candidates
 *     call_transport_set_remote ─▶ link ─▶ call_on_link_state(), call_on_rtp(), call_on_rtcp() */
#ifndef JINGLE_ENGINE_CALL_TRANSPORT_H
#define JINGLE_ENGINE_CALL_TRANSPORT_H

#include "signaling/ice_udp.h"
#include "transport/link.h"

struct call;

struct call_transport {
    struct call *call;
    struct link *link;
    struct ice_udp_transport local; /* grows while candidates are gathered */
    bool reporting;                 /* it was reported: later candidates trickle */
};

/* Makes the link and starts to gather. */
bool call_transport_open(struct call_transport *transport, struct call *call);

/* Says goodbye on the way if it is open. */
void call_transport_close(struct call_transport *transport);

/* What the peer's transport element said. False: it cannot be used. */
bool call_transport_set_remote(struct call_transport *transport,
                               const struct ice_udp_transport *remote);

/* Looks for another path, if the peer can take that. */
void call_transport_mend(struct call_transport *transport);

/* Each buffer has LINK_TAIL bytes of room behind. */
void call_transport_send_rtp(struct call_transport *transport, uint8_t *packet, size_t bytes);
void call_transport_send_rtcp(struct call_transport *transport, uint8_t *packet, size_t bytes);

#endif
