#include "rtp/rtcp.h"

#include "rtp/bytes.h"

#include <string.h>

#define HEADER_BYTES 4
#define SENDER_BYTES 20
#define BLOCK_BYTES  24
#define ITEM_CNAME   1

static size_t message_bytes(const uint8_t *at)
{
    return (read_u16(at + 2) + 1U) * 4;
}

static bool has_padding(const uint8_t *at)
{
    return at[0] & 0x20;
}

/* Padding stands only in the last packet of a compound (RFC 3550, section 6.4.1). libwebrtc fills
 * up the last word of transport-wide feedback with 1 to 3 bytes of it, wherever that stands. */
static bool padding_valid(const uint8_t *at, size_t size, bool last)
{
    if (!has_padding(at)) {
        return true;
    }
    uint8_t padding = at[size - 1];
    if (at[1] == RTCP_TRANSPORT_FEEDBACK && padding > 0 && padding < 4) {
        return size > HEADER_BYTES;
    }
    return last && padding > 0 && padding % 4 == 0 && padding <= size - HEADER_BYTES;
}

/* RFC 3550, appendix A.2, without the demand that a report comes first (RFC 5506). */
bool rtcp_open(struct rtcp_reader *reader, const uint8_t *bytes, size_t size)
{
    if (size < HEADER_BYTES || size % 4) {
        return false;
    }
    const uint8_t *at = bytes;
    const uint8_t *end = bytes + size;
    while (at < end) {
        bool known_header = at[0] >> 6 == 2 && at[1] >= 192 && at[1] <= 223;
        size_t length = message_bytes(at);
        if (!known_header || length > (size_t)(end - at) ||
            !padding_valid(at, length, at + length == end)) {
            return false;
        }
        at += length;
    }
    reader->at = bytes;
    reader->end = end;
    return true;
}

static void read_block(struct rtcp_block *block, const uint8_t *at)
{
    uint32_t lost = read_u24(at + 5);
    block->ssrc = read_u32(at);
    block->fraction_lost = at[4];
    block->lost = lost & 0x800000 ? (int32_t)lost - 0x1000000 : (int32_t)lost;
    block->highest_sequence = read_u32(at + 8);
    block->jitter = read_u32(at + 12);
    block->last_report = read_u32(at + 16);
    block->delay = read_u32(at + 20);
}

static bool read_report(struct rtcp_message *message, const uint8_t *at, size_t size)
{
    unsigned count = at[0] & 0x1f;
    bool sender = message->type == RTCP_SENDER_REPORT;
    size_t blocks = 8 + (sender ? SENDER_BYTES : 0);
    if (size < blocks + count * BLOCK_BYTES) {
        return false;
    }
    message->ssrc = read_u32(at + 4);
    if (sender) {
        message->sender.ntp = (uint64_t)read_u32(at + 8) << 32 | read_u32(at + 12);
        message->sender.timestamp = read_u32(at + 16);
        message->sender.packets = read_u32(at + 20);
        message->sender.bytes = read_u32(at + 24);
    }
    for (unsigned i = 0; i < count; i++) {
        read_block(&message->blocks[i], at + blocks + (size_t)i * BLOCK_BYTES);
    }
    message->block_count = count;
    return true;
}

/* The first chunk only: a mixer's others are no party to a call. */
static bool read_description(struct rtcp_message *message, const uint8_t *at, size_t size)
{
    if ((at[0] & 0x1f) == 0 || size < 8) {
        return false;
    }
    message->ssrc = read_u32(at + 4);
    size_t used = 8;
    while (used < size && at[used] != 0) {
        if (used + 2 > size || at[used + 1] > size - used - 2) {
            return false;
        }
        if (at[used] == ITEM_CNAME && !message->cname) {
            message->cname = (const char *)at + used + 2;
            message->cname_bytes = at[used + 1];
        }
        used += 2U + at[used + 1];
    }
    return true;
}

static bool read_bye(struct rtcp_message *message, const uint8_t *at, size_t size)
{
    unsigned count = at[0] & 0x1f;
    if (count == 0 || size < HEADER_BYTES + count * 4U) {
        return false;
    }
    for (unsigned i = 0; i < count; i++) {
        message->sources[i] = read_u32(at + HEADER_BYTES + (size_t)i * 4);
    }
    message->source_count = count;
    message->ssrc = message->sources[0];
    return true;
}

static bool read_feedback(struct rtcp_message *message, const uint8_t *at, size_t size)
{
    if (!feedback_read(&message->feedback, at, size)) {
        return false;
    }
    message->ssrc = read_u32(at + 4);
    return true;
}

static bool read_message(struct rtcp_message *message, const uint8_t *at, size_t size)
{
    message->type = at[1];
    message->block_count = 0;
    message->source_count = 0;
    message->cname = NULL;
    message->cname_bytes = 0;
    switch (at[1]) {
    case RTCP_SENDER_REPORT:
    case RTCP_RECEIVER_REPORT:
        return read_report(message, at, size);
    case RTCP_SOURCE_DESCRIPTION:
        return read_description(message, at, size);
    case RTCP_BYE:
        return read_bye(message, at, size);
    case RTCP_TRANSPORT_FEEDBACK:
    case RTCP_PAYLOAD_FEEDBACK:
        return read_feedback(message, at, size);
    default:
        return false;
    }
}

bool rtcp_next(struct rtcp_reader *reader, struct rtcp_message *message)
{
    while (reader->at < reader->end) {
        const uint8_t *at = reader->at;
        size_t size = message_bytes(at);
        reader->at += size;
        size_t padding = has_padding(at) ? at[size - 1] : 0;
        if (read_message(message, at, size - padding)) {
            return true;
        }
    }
    return false;
}

static void write_message_header(uint8_t *out, unsigned count, enum rtcp_type type, size_t size)
{
    out[0] = (uint8_t)(0x80 | count);
    out[1] = (uint8_t)type;
    write_u16(out + 2, (uint16_t)(size / 4 - 1));
}

static void write_block(uint8_t *out, const struct rtcp_block *block)
{
    write_u32(out, block->ssrc);
    out[4] = block->fraction_lost;
    write_u24(out + 5, (uint32_t)block->lost & 0xffffff);
    write_u32(out + 8, block->highest_sequence);
    write_u32(out + 12, block->jitter);
    write_u32(out + 16, block->last_report);
    write_u32(out + 20, block->delay);
}

size_t rtcp_write_report(uint8_t *out, size_t capacity, uint32_t ssrc,
                         const struct rtcp_sender *sender, const struct rtcp_block *blocks,
                         size_t block_count)
{
    size_t fixed = 8 + (sender ? SENDER_BYTES : 0);
    size_t size = fixed + block_count * BLOCK_BYTES;
    if (block_count > RTCP_BLOCKS_MAX || size > capacity) {
        return 0;
    }
    write_message_header(out, (unsigned)block_count,
                         sender ? RTCP_SENDER_REPORT : RTCP_RECEIVER_REPORT, size);
    write_u32(out + 4, ssrc);
    if (sender) {
        write_u32(out + 8, (uint32_t)(sender->ntp >> 32));
        write_u32(out + 12, (uint32_t)sender->ntp);
        write_u32(out + 16, sender->timestamp);
        write_u32(out + 20, sender->packets);
        write_u32(out + 24, sender->bytes);
    }
    for (size_t i = 0; i < block_count; i++) {
        write_block(out + fixed + i * BLOCK_BYTES, &blocks[i]);
    }
    return size;
}

size_t rtcp_write_cname(uint8_t *out, size_t capacity, uint32_t ssrc, const char *cname)
{
    size_t length = strnlen(cname, RTCP_TEXT_MAX);
    /* header, source, item, and at least one zero that ends the list and fills up the word */
    size_t size = (8 + 2 + length + 4) & ~(size_t)3;
    if (size > capacity) {
        return 0;
    }
    memset(out, 0, size);
    write_message_header(out, 1, RTCP_SOURCE_DESCRIPTION, size);
    write_u32(out + 4, ssrc);
    out[8] = ITEM_CNAME;
    out[9] = (uint8_t)length;
    memcpy(out + 10, cname, length);
    return size;
}

size_t rtcp_write_bye(uint8_t *out, size_t capacity, uint32_t ssrc)
{
    size_t size = HEADER_BYTES + 4;
    if (size > capacity) {
        return 0;
    }
    write_message_header(out, 1, RTCP_BYE, size);
    write_u32(out + 4, ssrc);
    return size;
}
