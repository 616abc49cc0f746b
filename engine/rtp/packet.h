/* RTP packets (RFC 3550, section 5.1) and their header extensions (RFC 8285), read strictly and
 * written.
 *
 *      0                   1                   2                   3
 *     |V=2|P|X|  CC   |M|     PT      |        sequence number        |
 *     |                           time stamp                          |
 *     |                              SSRC                             |
 *     | CSRC list ... | extension: profile, length, elements | payload | padding |
 */
#ifndef JINGLE_RTP_PACKET_H
#define JINGLE_RTP_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACKET_HEADER_BYTES    12
#define PACKET_CSRC_MAX        15
#define PACKET_EXTENSION_BYTES 255 /* of one element */

/* A packet that was read; it points into the bytes that it was read from. */
struct packet {
    bool marker;
    uint8_t payload_type;
    uint16_t sequence;
    uint32_t timestamp;
    uint32_t ssrc;
    unsigned csrc_count;
    uint32_t csrc[PACKET_CSRC_MAX];
    uint16_t extension_profile;
    const uint8_t *extensions; /* the elements; NULL without */
    size_t extensions_bytes;
    const uint8_t *payload;
    size_t payload_bytes; /* without padding */
    size_t padding_bytes;
};

/* False if these bytes are no RTP packet: wrong version, lengths that do not add up, a payload
 * type that RTCP uses (RFC 5761). */
bool packet_parse(struct packet *packet, const uint8_t *bytes, size_t size);

/* The element with this id, in the one-byte or the two-byte form; NULL if there is none. */
const uint8_t *packet_extension(const struct packet *packet, uint8_t id, size_t *size);

/* An element to be written. */
struct packet_extension {
    uint8_t id; /* 0: this element is left out */
    const void *data;
    size_t size;
};

/* What stands in front of a payload. */
struct packet_header {
    bool marker;
    uint8_t payload_type;
    uint16_t sequence;
    uint32_t timestamp;
    uint32_t ssrc;
    const struct packet_extension *extensions;
    size_t extension_count;
};

/* Writes the header, to which the payload is then appended. The one-byte form is used unless an
 * element needs the other. Returns its size; 0 if it does not fit into `capacity`. */
size_t packet_write_header(const struct packet_header *header, uint8_t *out, size_t capacity);

#endif
