/* <transport xmlns='urn:xmpp:jingle:transports:ice-udp:1'/>: ICE credentials and candidates
 * (XEP-0176), DTLS fingerprint (XEP-0320). The same in namespace ice:0 (XEP-0371) is read, too.
 *
 * A zeroed struct is an empty transport. */
#ifndef JINGLE_SIGNALING_ICE_UDP_H
#define JINGLE_SIGNALING_ICE_UDP_H

#include "signaling/xml.h"

#define ICE_CANDIDATES_MAX  64  /* kept of one transport element; more are dropped */
#define ICE_CREDENTIAL_MAX  256 /* RFC 8445, 5.3: characters of ufrag and of pwd */
#define ICE_ADDRESS_SIZE    46  /* the longest IPv6 literal and a zero */
#define ICE_FOUNDATION_SIZE 33
#define ICE_ID_SIZE         64

enum ice_candidate_type {
    ICE_HOST,
    ICE_SRFLX,
    ICE_PRFLX,
    ICE_RELAY,
};

enum ice_protocol {
    ICE_UDP,
    ICE_TCP,
    ICE_OTHER_PROTOCOL,
};

struct ice_candidate {
    enum ice_candidate_type type;
    enum ice_protocol protocol;
    uint32_t priority;
    uint16_t port;
    uint16_t rel_port; /* 0: unknown */
    uint8_t component; /* 1, or 2 for RTCP without rtcp-mux */
    uint8_t generation;
    uint8_t network;
    char foundation[ICE_FOUNDATION_SIZE];
    char ip[ICE_ADDRESS_SIZE];       /* a literal without zone */
    char rel_addr[ICE_ADDRESS_SIZE]; /* "": unknown */
    char id[ICE_ID_SIZE];            /* "": missing; writing makes one */
};

/* a=setup of RFC 4145 */
enum dtls_setup {
    DTLS_SETUP_MISSING,
    DTLS_ACTPASS,
    DTLS_ACTIVE,
    DTLS_PASSIVE,
    DTLS_HOLDCONN,
};

enum fingerprint_hash {
    FINGERPRINT_NONE, /* no fingerprint that we understand */
    FINGERPRINT_SHA_256,
    FINGERPRINT_SHA_384,
    FINGERPRINT_SHA_512,
};

#define FINGERPRINT_BYTES_MAX 64

struct dtls_fingerprint {
    enum fingerprint_hash hash;
    uint8_t bytes[FINGERPRINT_BYTES_MAX];
    size_t size; /* 32, 48 or 64 */
    enum dtls_setup setup;
};

struct ice_udp_transport {
    char ufrag[ICE_CREDENTIAL_MAX + 1]; /* "": missing */
    char pwd[ICE_CREDENTIAL_MAX + 1];   /* "": missing, as stanza leaves it out of transport-info */
    struct dtls_fingerprint fingerprint;
    bool has_fingerprint; /* read only: there is one, be it of a hash that we do not know */
    struct ice_candidate *candidates; /* usable ones only: UDP, a literal address, a port */
    size_t candidate_count;
    size_t skipped; /* read only: candidates that were left out */
    bool gathering_complete;
    bool ice0; /* it came, or is to be written, in namespace urn:xmpp:jingle:transports:ice:0 */
};

void ice_udp_clear(struct ice_udp_transport *transport);
void ice_udp_copy(struct ice_udp_transport *to, const struct ice_udp_transport *from);

/* True for the element names and namespaces that ice_udp_read() understands. */
bool ice_udp_is(const xml_node *node);
/* False with a reason if the element is malformed: credentials of a wrong length or with characters
 * that RFC 8445 does not allow, a fingerprint that is none. Candidates that we cannot use are
 * skipped and counted. `transport` is cleared on failure. */
bool ice_udp_read(struct ice_udp_transport *transport, const xml_node *node, const char **why);
xml_node *ice_udp_write(const struct ice_udp_transport *transport, xml_node *content);

/* Copies the candidate unless there are ICE_CANDIDATES_MAX already. */
void ice_udp_add_candidate(struct ice_udp_transport *transport,
                           const struct ice_candidate *candidate);

const char *ice_candidate_type_name(enum ice_candidate_type type);
const char *fingerprint_hash_name(enum fingerprint_hash hash); /* "sha-256"; "" for none */
const char *dtls_setup_name(enum dtls_setup setup);

#endif
