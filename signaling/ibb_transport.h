/* In-band bytestreams as XML: <transport xmlns='urn:xmpp:jingle:transports:ibb:1'/> (XEP-0261), and
 * <open/>, <data/> and <close/> (XEP-0047). */
#ifndef JINGLE_SIGNALING_IBB_TRANSPORT_H
#define JINGLE_SIGNALING_IBB_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "signaling/xml.h"

#define IBB_SID_SIZE  256
#define IBB_BYTES_MAX 65535 /* of a block */

struct ibb_transport {
    char sid[IBB_SID_SIZE]; /* "" if missing */
    uint32_t block_size;    /* 0: missing or no number up to 65535 */
    bool messages;          /* stanza='message' */
};

void ibb_transport_read(struct ibb_transport *transport, const xml_node *node);
void ibb_transport_write(const struct ibb_transport *transport, xml_node *content);

enum ibb_stanza_kind { IBB_OPEN, IBB_DATA, IBB_CLOSE };

struct ibb_stanza {
    enum ibb_stanza_kind kind;
    char sid[IBB_SID_SIZE];
    uint32_t block_size; /* OPEN */
    bool messages;       /* OPEN: stanza='message' */
    uint32_t seq;        /* DATA; some do not wrap it at 65536 */
    uint8_t *bytes;      /* DATA: decoded; g_free()d by ibb_stanza_clear() */
    size_t size;
};

/* The IBB element of an IQ, or NULL. */
const xml_node *ibb_stanza_find(const xml_node *iq);
/* False if it is malformed (no sid, broken base64 ...): `why` is a literal. */
bool ibb_stanza_read(struct ibb_stanza *stanza, const xml_node *element, const char **why);
void ibb_stanza_clear(struct ibb_stanza *stanza);

/* IQ sets without an id. */
struct xml *ibb_open_iq(const char *to, const struct ibb_transport *transport);
struct xml *ibb_data_iq(const char *to, const char *sid, uint16_t seq, const uint8_t *bytes,
                        size_t size);
struct xml *ibb_close_iq(const char *to, const char *sid);

#endif
