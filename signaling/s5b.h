/* <transport xmlns='urn:xmpp:jingle:transports:s5b:1'/> (XEP-0260): candidates of SOCKS5
 * bytestreams, and the one word about them that a transport-info says.
 *
 * A zeroed struct is an empty transport. */
#ifndef JINGLE_SIGNALING_S5B_H
#define JINGLE_SIGNALING_S5B_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "signaling/xml.h"

#define S5B_CANDIDATES_MAX 16 /* kept of one element; more are dropped */
#define S5B_CID_SIZE       65
#define S5B_HOST_SIZE      256
#define S5B_JID_SIZE       3072
#define S5B_SID_SIZE       256
#define S5B_ADDRESS_SIZE   41 /* SHA-1 in hex, and a zero */

enum s5b_type { S5B_DIRECT, S5B_ASSISTED, S5B_TUNNEL, S5B_PROXY };

struct s5b_candidate {
    char *jid; /* of the proxy or of its owner; NULL: missing (Psi) */
    char cid[S5B_CID_SIZE];
    char host[S5B_HOST_SIZE]; /* an address, without zone, or a name */
    uint16_t port;            /* 1080 if it was missing */
    uint32_t priority;
    enum s5b_type type; /* direct if it was missing */
};

enum s5b_word {
    S5B_NO_WORD, /* candidates, or nothing */
    S5B_CANDIDATE_USED,
    S5B_CANDIDATE_ERROR,
    S5B_ACTIVATED,
    S5B_PROXY_ERROR
};

struct s5b_transport {
    char sid[S5B_SID_SIZE];         /* of the bytestream; "" if missing */
    char dstaddr[S5B_ADDRESS_SIZE]; /* "" if missing or no SHA-1 */
    bool udp;                       /* mode='udp', which nobody does */
    bool writes_mode;               /* mode='tcp': the initiator's offer */
    struct s5b_candidate candidates[S5B_CANDIDATES_MAX];
    size_t candidate_count;
    enum s5b_word word;
    char cid[S5B_CID_SIZE]; /* with CANDIDATE_USED and ACTIVATED; "" if missing */
};

void s5b_clear(struct s5b_transport *transport);
void s5b_copy(struct s5b_transport *to, const struct s5b_transport *from);

/* Candidates that cannot be used (no cid, no host unless a proxy with a JID, priority 0, unknown
 * type) are left out. A transport without a sid is read all the same. */
void s5b_read(struct s5b_transport *transport, const xml_node *node);
void s5b_write(const struct s5b_transport *transport, xml_node *content);

/* NULL if there is none. */
const struct s5b_candidate *s5b_find(const struct s5b_transport *transport, const char *cid);

/* 2^16 x the preference of the type + `local` (XEP-0260, 2.2). */
uint32_t s5b_priority(enum s5b_type type, uint16_t local);

/* DST.ADDR of XEP-0065: SHA-1 of the three, in lower-case hex. Whose JID comes first is a matter of
 * who offers the candidate and of taste: XEP-0260, 2.2. */
void s5b_address(const char *sid, const char *first_jid, const char *second_jid,
                 char out[S5B_ADDRESS_SIZE]);

/* -- proxies (XEP-0065) -- */

/* <query xmlns='http://jabber.org/protocol/bytestreams'/>: asks a proxy where it listens. */
struct xml *s5b_proxy_query(const char *proxy);
/* Its answer; false if there is no <streamhost/> with host, port and JID. s5b_candidate's jid is
 * g_malloc()ed. */
bool s5b_proxy_read(struct s5b_candidate *proxy, const xml_node *answer);
/* Asks it to join the two connections. */
struct xml *s5b_proxy_activation(const char *proxy, const char *sid, const char *target);

#endif
