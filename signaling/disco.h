/* disco#info (XEP-0030) and the hash that stands for it in presence (XEP-0115). */
#ifndef JINGLE_SIGNALING_DISCO_H
#define JINGLE_SIGNALING_DISCO_H

#include "signaling/xml.h"

#define DISCO_FEATURES_MAX 1024 /* features, identities and form fields that are looked at */

/* What a client or a server can do, of what matters to calls and files. What makes other bits of
 * the same answer, such as a new one, needs a new number in the head of the file that caps.c
 * writes. */
enum capability {
    CAN_JINGLE = 1 << 0,
    CAN_RTP = 1 << 1,
    CAN_AUDIO = 1 << 2,
    CAN_VIDEO = 1 << 3,
    CAN_ICE_UDP = 1 << 4,
    CAN_DTLS = 1 << 5,
    CAN_MESSAGE_INITIATION = 1 << 6,
    CAN_CARBONS = 1 << 7,           /* a server */
    CAN_EXTERNAL_SERVICES = 1 << 8, /* a server */
    CAN_ARCHIVE = 1 << 9,           /* a server, for the account */
    CAN_FILES = 1 << 10,
    CAN_S5B = 1 << 11,
    CAN_INBAND = 1 << 12,
    CAN_BYTESTREAM_PROXY = 1 << 13, /* a component of a server */
    CAN_UPLOAD = 1 << 14,           /* a server or a component */
    CAN_ENGINE_FILES = 1 << 15,     /* it is one of us */
    CAN_HASHES = 1 << 16,           /* XEP-0300; the functions that it names: */
    CAN_HASH_SHA_1 = 1 << 17,
    CAN_HASH_SHA_256 = 1 << 18,
    CAN_HASH_SHA_512 = 1 << 19,
    CAN_HASH_SHA3_256 = 1 << 20,
    CAN_HASH_SHA3_512 = 1 << 21,
    CAN_HASH_BLAKE2B_512 = 1 << 22,
};

/* What is needed for an encrypted voice call. */
#define CAN_CALL (CAN_JINGLE | CAN_RTP | CAN_AUDIO | CAN_ICE_UDP | CAN_DTLS)
/* Voice calls of whatever kind. */
#define CAN_CALL_INSECURELY (CAN_JINGLE | CAN_RTP)
/* What we need for one without encryption, of a device that has none (no CAN_DTLS). */
#define CAN_CALL_PLAINLY (CAN_JINGLE | CAN_RTP | CAN_AUDIO | CAN_ICE_UDP)
/* Any of the hash functions that we know. */
#define CAN_HASH_ANY                                                            \
    (CAN_HASH_SHA_1 | CAN_HASH_SHA_256 | CAN_HASH_SHA_512 | CAN_HASH_SHA3_256 | \
     CAN_HASH_SHA3_512 | CAN_HASH_BLAKE2B_512)

/* The capabilities that a <query/> result tells, as bits. */
unsigned disco_capabilities(const xml_node *query);

/* The verification string of XEP-0115, 5.1, hashed by SHA-1, in base64: g_free() it. NULL if the
 * result is ill-formed in one of the ways that 5.4 forbids (duplicates), or made so that other
 * features would have the same hash. */
char *disco_hash(const xml_node *query);

/* Ourselves. */
struct disco_self {
    const char *name; /* of the identity client/phone */
    const char *const *features;
};

/* Fills in the <query/> of a result. */
void disco_write(const struct disco_self *self, xml_node *query);

#endif
