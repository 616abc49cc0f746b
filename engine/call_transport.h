/* One way of a call to the peer, which carries one content or a bundle of them: a link, what shares
 * it among them, and how it is signalled. Media thread only.
 *
 *     call_transport_open ─▶ gathers ─▶ reports: transport, then candidates
 *     call_transport_set_remote ─▶ link ─▶ call_on_link_state()
 *
 *     voice ──────────────────────▶ uplink ─┬▶ link ⇄ network
 *     pictures (through its queue) ───▶┘    │
 *     call_on_rtp(), call_on_rtcp() ◀─ downlink, route ◀┘
 *
 * Uplink and downlink are there as soon as something is carried that has a say in what the path
 * takes: a voice alone does without. */
#ifndef JINGLE_ENGINE_CALL_TRANSPORT_H
#define JINGLE_ENGINE_CALL_TRANSPORT_H

#include "call_route.h"
#include "signaling/ice_udp.h"
#include "transport/link.h"

struct call;
struct downlink;
struct uplink;

struct call_transport {
    struct call *call;
    char *name; /* of the content for which it is signalled; NULL: not known yet (the first one) */
    struct link *link;
    struct uplink *uplink; /* NULL: not needed */
    struct downlink *downlink;
    struct call_route route;
    struct {
        uint8_t transport_sequence, send_time;
    } receive[CALL_CONTENTS];       /* header extensions */
    unsigned voice_stream;          /* in the uplink */
    struct ice_udp_transport local; /* grows while candidates are gathered */
    bool reporting;                 /* it was reported: later candidates trickle */
    struct poller_timer patience;   /* plain: for candidates that are still to be found */
    bool bundled;
    usec restarted_at; /* ICE, by whomever; 0: not yet */
    usec silent_since; /* interrupted; 0: not */
};

struct call_transport_config {
    const char *name; /* NULL: not known yet */
    bool controlling; /* ICE */
    bool video_only;
    const struct ice_udp_transport *credentials; /* to be used; NULL: any */
};

/* Makes the link and starts to gather. */
bool call_transport_open(struct call_transport *transport, struct call *call,
                         const struct call_transport_config *config);

/* Says goodbye on the way if it is open. Nothing may use it any more. */
void call_transport_close(struct call_transport *transport);

/* It carries this content from now on. `mid` is the content's name. */
jingle_status call_transport_add(struct call_transport *transport, enum call_content content,
                                 const char *mid, const struct rtp_agreement *agreement);
void call_transport_remove(struct call_transport *transport, enum call_content content);

/* What the peer's transport element said. False: it cannot be used. */
bool call_transport_set_remote(struct call_transport *transport,
                               const struct ice_udp_transport *remote);

/* Where the addresses that it was made from are not ours any more, it looks for another path. */
void call_transport_follow_network(struct call_transport *transport);

/* Packets with room for LINK_TAIL bytes behind. */
void call_transport_send_voice(struct call_transport *transport, uint8_t *packet, size_t bytes);
void call_transport_send_rtcp(struct call_transport *transport, uint8_t *packet, size_t bytes);

/* Does what is due. */
void call_transport_tick(struct call_transport *transport, usec now);
/* When there is more: a packet to be sent in its turn, which should be punctual, */
usec call_transport_pace_deadline(const struct call_transport *transport);
/* and feedback, which need not. */
usec call_transport_feedback_deadline(const struct call_transport *transport);

#endif
