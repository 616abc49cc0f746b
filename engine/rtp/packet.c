#include "rtp/packet.h"

#include "rtp/bytes.h"

#include <string.h>

#define ONE_BYTE_PROFILE 0xbede /* RFC 8285, section 4.2 */
#define TWO_BYTE_PROFILE 0x1000 /* section 4.3; the low four bits are the application's */

static bool parse_extensions(struct packet *packet, const uint8_t **at, const uint8_t *end)
{
    if (end - *at < 4) {
        return false;
    }
    size_t size = (size_t)read_u16(*at + 2) * 4;
    if ((size_t)(end - *at) - 4 < size) {
        return false;
    }
    packet->extension_profile = read_u16(*at);
    packet->extensions = *at + 4;
    packet->extensions_bytes = size;
    *at += 4 + size;
    return true;
}

static bool parse_padding(struct packet *packet, const uint8_t *at, const uint8_t *end)
{
    if (at == end) {
        return false; /* the P bit without a byte that counts */
    }
    packet->padding_bytes = end[-1];
    return packet->padding_bytes > 0 && packet->padding_bytes <= (size_t)(end - at);
}

bool packet_parse(struct packet *packet, const uint8_t *bytes, size_t size)
{
    memset(packet, 0, sizeof *packet);
    if (size < PACKET_HEADER_BYTES || bytes[0] >> 6 != 2) {
        return false;
    }
    if (bytes[1] >= 192 && bytes[1] <= 223) {
        return false; /* RTCP's packet types (RFC 5761, section 4) */
    }
    const uint8_t *at = bytes + PACKET_HEADER_BYTES;
    const uint8_t *end = bytes + size;
    packet->csrc_count = bytes[0] & 0x0f;
    packet->marker = bytes[1] & 0x80;
    packet->payload_type = bytes[1] & 0x7f;
    packet->sequence = read_u16(bytes + 2);
    packet->timestamp = read_u32(bytes + 4);
    packet->ssrc = read_u32(bytes + 8);
    if ((size_t)(end - at) < packet->csrc_count * 4U) {
        return false;
    }
    for (unsigned i = 0; i < packet->csrc_count; i++, at += 4) {
        packet->csrc[i] = read_u32(at);
    }
    if ((bytes[0] & 0x10) && !parse_extensions(packet, &at, end)) {
        return false;
    }
    if ((bytes[0] & 0x20) && !parse_padding(packet, at, end)) {
        return false;
    }
    packet->payload = at;
    packet->payload_bytes = (size_t)(end - at) - packet->padding_bytes;
    return true;
}

/* Steps over one element; false at the end or where the rest makes no sense (RFC 8285: 15 in the
 * one-byte form ends the reading). */
static bool next_element(const struct packet *packet, size_t *at, uint8_t *id, size_t *size)
{
    bool two_bytes = packet->extension_profile != ONE_BYTE_PROFILE;
    const uint8_t *bytes = packet->extensions;
    while (*at < packet->extensions_bytes && bytes[*at] == 0) {
        (*at)++; /* padding between elements */
    }
    if (*at + (two_bytes ? 2 : 1) > packet->extensions_bytes) {
        return false;
    }
    if (two_bytes) {
        *id = bytes[*at];
        *size = bytes[*at + 1];
        *at += 2;
    } else {
        *id = bytes[*at] >> 4;
        *size = (bytes[*at] & 0x0f) + 1U;
        *at += 1;
        if (*id == 0 || *id == 15) {
            return false;
        }
    }
    return *size <= packet->extensions_bytes - *at;
}

const uint8_t *packet_extension(const struct packet *packet, uint8_t id, size_t *size)
{
    bool known = packet->extension_profile == ONE_BYTE_PROFILE ||
                 (packet->extension_profile & 0xfff0) == TWO_BYTE_PROFILE;
    if (!packet->extensions || !known || id == 0) {
        return NULL;
    }
    size_t at = 0;
    uint8_t found;
    while (next_element(packet, &at, &found, size)) {
        if (found == id) {
            return packet->extensions + at;
        }
        at += *size;
    }
    return NULL;
}

/* 0: no elements at all, 1 or 2: which form they need. */
static unsigned extension_form(const struct packet_header *header)
{
    unsigned form = 0;
    for (size_t i = 0; i < header->extension_count; i++) {
        const struct packet_extension *e = &header->extensions[i];
        if (e->id == 0) {
            continue;
        }
        if (e->id > 14 || e->size == 0 || e->size > 16) {
            return 2;
        }
        form = 1;
    }
    return form;
}

static size_t write_element(const struct packet_extension *e, unsigned form, uint8_t *out)
{
    if (form == 1) {
        out[0] = (uint8_t)((e->id << 4) | (e->size - 1));
    } else {
        out[0] = e->id;
        out[1] = (uint8_t)e->size;
    }
    memcpy(out + form, e->data, e->size);
    return form + e->size;
}

/* Returns the size with the extension's own header; 0 if it does not fit. */
static size_t write_extensions(const struct packet_header *header, unsigned form, uint8_t *out,
                               size_t capacity)
{
    size_t used = 4;
    for (size_t i = 0; i < header->extension_count; i++) {
        const struct packet_extension *e = &header->extensions[i];
        if (e->id == 0) {
            continue;
        }
        if (e->size > PACKET_EXTENSION_BYTES || used + form + e->size + 3 > capacity) {
            return 0;
        }
        used += write_element(e, form, out + used);
    }
    while (used % 4) {
        out[used++] = 0;
    }
    write_u16(out, form == 1 ? ONE_BYTE_PROFILE : TWO_BYTE_PROFILE);
    write_u16(out + 2, (uint16_t)(used / 4 - 1));
    return used;
}

size_t packet_write_header(const struct packet_header *header, uint8_t *out, size_t capacity)
{
    if (capacity < PACKET_HEADER_BYTES) {
        return 0;
    }
    unsigned form = extension_form(header);
    out[0] = (uint8_t)(0x80 | (form ? 0x10 : 0));
    out[1] = (uint8_t)((header->marker ? 0x80 : 0) | (header->payload_type & 0x7f));
    write_u16(out + 2, header->sequence);
    write_u32(out + 4, header->timestamp);
    write_u32(out + 8, header->ssrc);
    if (!form) {
        return PACKET_HEADER_BYTES;
    }
    size_t extensions =
        write_extensions(header, form, out + PACKET_HEADER_BYTES, capacity - PACKET_HEADER_BYTES);
    return extensions ? PACKET_HEADER_BYTES + extensions : 0;
}
