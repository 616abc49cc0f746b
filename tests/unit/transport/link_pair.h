/* Two links in one GMainContext, with a signalling path between them that the test controls. */
#ifndef JINGLE_TESTS_LINK_PAIR_H
#define JINGLE_TESTS_LINK_PAIR_H

#include "transport/link.h"
#include <glib.h>

struct party {
    struct link_pair *pair;
    struct party *other;
    struct link *link;
    struct certificate *certificate;
    bool trickle; /* candidates go over as they come */
    bool muted;   /* its candidates are not signalled at all */
    GArray *candidates;
    bool gathered;
    enum link_state state;
    jingle_reason reason;
    jingle_status status;
    unsigned interruptions;
    bool closed_by_peer;
    unsigned rtp;
    unsigned rtcp;
    unsigned host_candidates; /* found so far, by type */
    unsigned relay_candidates;
    uint8_t last[1500];
    size_t last_bytes;
};

struct link_pair {
    GMainContext *context;
    struct poller *poller;
    struct logger log;
    struct party a; /* the initiator */
    struct party b;
};

/* What a test may change before link_pair_start(). */
struct link_config link_pair_config(struct link_pair *pair, struct party *party);

/* A context, a poller and two certificates. JINGLE_TEST_LOG in the environment shows the log. */
void link_pair_init(struct link_pair *pair);

/* Makes a party's link. The hooks of `config` are overwritten. */
void party_start(struct party *party, struct link_config *config);

/* Both ways: credentials and fingerprints, gathering, roles. */
void link_pair_signal(struct link_pair *pair, bool a_is_dtls_client);

/* One way: what `from` would say in its transport element, to the other. */
enum link_remote party_signal(struct party *from);

/* Turns the context until the condition holds; false after `limit`. */
bool link_pair_wait(struct link_pair *pair, bool (*condition)(struct link_pair *pair), usec limit);
void link_pair_run(struct link_pair *pair, usec span);

bool both_connected(struct link_pair *pair);

/* An RTP packet with the SSRC and the sequence number. */
jingle_status party_send(struct party *party, uint32_t ssrc, uint16_t sequence);

void link_pair_clear(struct link_pair *pair);

#endif
