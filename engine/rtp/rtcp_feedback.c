#include "rtp/rtcp_feedback.h"

#include "rtp/bytes.h"
#include "rtp/rtcp.h"

#define HEAD_BYTES 12 /* header, sender and media source: before the FCI */

/* FMT values: RFC 4585, section 6.2 and 6.3; RFC 5104, section 4.3; the two drafts */
#define FMT_NACK      1
#define FMT_TRANSPORT 15
#define FMT_PLI       1
#define FMT_FIR       4
#define FMT_LAYER     15 /* application layer feedback: REMB among others */

#define NACK_ENTRY_BYTES 4
#define NACK_SPAN        17 /* packets that one entry can tell of */
#define FIR_ENTRY_BYTES  8
#define REMB_HEAD_BYTES  8
#define REMB_NAME        0x52454d42 /* "REMB" */
#define MANTISSA_BITS    18

/* Transport-wide feedback, section 3.1 */
#define TRANSPORT_HEAD_BYTES 8
#define TICK                 (USEC_PER_MS / 4)
#define TICKS_A_REFERENCE    256 /* 64 ms */
#define RUN_MAX              0x1fff
#define VECTOR_ONE_BIT       14
#define VECTOR_TWO_BITS      7
#define WRITE_MAX            1024 /* packets in a message of ours */

enum symbol {
    SYMBOL_MISSING = 0,
    SYMBOL_SMALL = 1,
    SYMBOL_LARGE = 2,
    SYMBOL_RESERVED = 3,
};

/* --- reading -- */

static bool remb_valid(struct rtcp_feedback *feedback)
{
    const uint8_t *fci = feedback->fci;
    if (feedback->fci_bytes < REMB_HEAD_BYTES || read_u32(fci) != REMB_NAME) {
        return false;
    }
    if (fci[4] > FEEDBACK_SOURCES_MAX || feedback->fci_bytes != REMB_HEAD_BYTES + fci[4] * 4U) {
        return false;
    }
    unsigned exponent = fci[5] >> 2;
    uint64_t mantissa = read_u24(fci + 5) & ((1U << MANTISSA_BITS) - 1);
    bool huge = mantissa > FEEDBACK_REMB_HIGHEST >> exponent;
    feedback->bitrate = huge ? FEEDBACK_REMB_HIGHEST : mantissa << exponent;
    return true;
}

static size_t delta_bytes(unsigned symbol)
{
    return symbol; /* none, one byte, two bytes */
}

/* Takes the next chunk apart. */
static bool open_chunk(struct transport_reader *reader)
{
    if (reader->delta - reader->chunk < 2) {
        return false;
    }
    uint16_t chunk = read_u16(reader->chunk);
    reader->chunk += 2;
    if (!(chunk & 0x8000)) {
        reader->width = 0;
        reader->symbols = (chunk >> 13) & 3;
        reader->run = chunk & RUN_MAX;
        return reader->run > 0;
    }
    reader->width = chunk & 0x4000 ? 2 : 1;
    reader->symbols = (uint16_t)(chunk << 2);
    reader->run = reader->width == 2 ? VECTOR_TWO_BITS : VECTOR_ONE_BIT;
    return true;
}

/* Of the packet that is next; there is one in this chunk. */
static unsigned take_symbol(struct transport_reader *reader)
{
    reader->run--;
    if (reader->width == 0) {
        return reader->symbols;
    }
    unsigned symbol = (unsigned)reader->symbols >> (16 - reader->width);
    reader->symbols = (uint16_t)(reader->symbols << reader->width);
    return symbol;
}

static void open_transport(struct transport_reader *reader, const struct rtcp_feedback *feedback)
{
    const uint8_t *fci = feedback->fci;
    *reader = (struct transport_reader){
        .sequence = read_u16(fci),
        .left = read_u16(fci + 2),
        .number = fci[7],
        .time = (int64_t)read_u24(fci + 4) * TICKS_A_REFERENCE,
        .chunk = fci + TRANSPORT_HEAD_BYTES,
        .end = fci + feedback->fci_bytes,
    };
    reader->delta = reader->end; /* until it is known where the chunks end */
}

/* Walks over all chunks; the deltas must be there behind them. */
static bool transport_valid(const struct rtcp_feedback *feedback, const uint8_t **deltas)
{
    if (feedback->fci_bytes < TRANSPORT_HEAD_BYTES) {
        return false;
    }
    struct transport_reader reader;
    open_transport(&reader, feedback);
    size_t wanted = 0;
    if (reader.left == 0 || reader.left > FEEDBACK_STATUS_MAX) {
        return false;
    }
    for (; reader.left > 0; reader.left--) {
        if (reader.run == 0 && !open_chunk(&reader)) {
            return false;
        }
        unsigned symbol = take_symbol(&reader);
        if (symbol == SYMBOL_RESERVED) {
            return false;
        }
        wanted += delta_bytes(symbol);
    }
    *deltas = reader.chunk;
    return wanted <= (size_t)(reader.end - reader.chunk);
}

static bool read_transport_kind(struct rtcp_feedback *feedback, unsigned format)
{
    const uint8_t *deltas;
    switch (format) {
    case FMT_NACK:
        feedback->kind = FEEDBACK_NACK;
        return feedback->fci_bytes > 0 && feedback->fci_bytes % NACK_ENTRY_BYTES == 0;
    case FMT_TRANSPORT:
        feedback->kind = FEEDBACK_TRANSPORT;
        return transport_valid(feedback, &deltas);
    default:
        return false;
    }
}

static bool read_payload_kind(struct rtcp_feedback *feedback, unsigned format)
{
    switch (format) {
    case FMT_PLI:
        feedback->kind = FEEDBACK_PLI;
        return feedback->fci_bytes == 0;
    case FMT_FIR:
        feedback->kind = FEEDBACK_FIR;
        return feedback->fci_bytes > 0 && feedback->fci_bytes % FIR_ENTRY_BYTES == 0;
    case FMT_LAYER:
        feedback->kind = FEEDBACK_REMB;
        return remb_valid(feedback);
    default:
        return false;
    }
}

bool feedback_read(struct rtcp_feedback *feedback, const uint8_t *message, size_t size)
{
    if (size < HEAD_BYTES) {
        return false;
    }
    *feedback = (struct rtcp_feedback){
        .media_ssrc = read_u32(message + 8),
        .fci = message + HEAD_BYTES,
        .fci_bytes = size - HEAD_BYTES,
    };
    unsigned format = message[0] & 0x1f;
    return message[1] == RTCP_TRANSPORT_FEEDBACK ? read_transport_kind(feedback, format)
                                                 : read_payload_kind(feedback, format);
}

size_t feedback_nack(const struct rtcp_feedback *feedback, uint16_t *sequences, size_t capacity)
{
    size_t count = 0;
    for (size_t at = 0; at + NACK_ENTRY_BYTES <= feedback->fci_bytes; at += NACK_ENTRY_BYTES) {
        uint16_t first = read_u16(feedback->fci + at);
        uint32_t wanted = (uint32_t)read_u16(feedback->fci + at + 2) << 1 | 1;
        for (unsigned i = 0; i < NACK_SPAN; i++) {
            if ((wanted >> i & 1) && count < capacity) {
                sequences[count++] = (uint16_t)(first + i);
            }
        }
    }
    return count;
}

bool feedback_fir(const struct rtcp_feedback *feedback, uint32_t ssrc, uint8_t *request)
{
    for (size_t at = 0; at + FIR_ENTRY_BYTES <= feedback->fci_bytes; at += FIR_ENTRY_BYTES) {
        if (read_u32(feedback->fci + at) == ssrc) {
            *request = feedback->fci[at + 4];
            return true;
        }
    }
    return false;
}

size_t feedback_remb(const struct rtcp_feedback *feedback, uint32_t *ssrcs, size_t capacity)
{
    size_t count = 0;
    for (size_t at = REMB_HEAD_BYTES; at + 4 <= feedback->fci_bytes && count < capacity; at += 4) {
        ssrcs[count++] = read_u32(feedback->fci + at);
    }
    return count;
}

void transport_reader_open(struct transport_reader *reader, const struct rtcp_feedback *feedback)
{
    const uint8_t *deltas;
    bool valid = transport_valid(feedback, &deltas);
    open_transport(reader, feedback);
    if (valid) {
        reader->delta = deltas;
    } else {
        reader->left = 0;
    }
}

bool transport_reader_next(struct transport_reader *reader, struct transport_status *status)
{
    if (reader->left == 0 || (reader->run == 0 && !open_chunk(reader))) {
        return false;
    }
    unsigned symbol = take_symbol(reader);
    if (symbol == SYMBOL_SMALL) {
        reader->time += *reader->delta;
    } else if (symbol == SYMBOL_LARGE) {
        reader->time += (int16_t)read_u16(reader->delta);
    }
    reader->delta += delta_bytes(symbol);
    reader->left--;
    status->sequence = reader->sequence++;
    status->arrived = symbol != SYMBOL_MISSING;
    status->arrival = (usec)(uint32_t)reader->time * TICK;
    return true;
}

usec transport_time_between(usec from, usec to)
{
    return (usec)(int32_t)(uint32_t)(to / TICK - from / TICK) * TICK;
}

/* --- writing -- */

/* What stands in front of the FCI. */
static void write_head(uint8_t *out, unsigned format, enum rtcp_type type, size_t size,
                       uint32_t ssrc, uint32_t media)
{
    out[0] = (uint8_t)(0x80 | format);
    out[1] = (uint8_t)type;
    write_u16(out + 2, (uint16_t)(size / 4 - 1));
    write_u32(out + 4, ssrc);
    write_u32(out + 8, media);
}

size_t rtcp_write_nack(uint8_t *out, size_t capacity, uint32_t ssrc, uint32_t media,
                       const uint16_t *sequences, size_t count)
{
    size_t size = HEAD_BYTES;
    count = count < FEEDBACK_NACK_MAX ? count : FEEDBACK_NACK_MAX;
    for (size_t i = 0; i < count;) {
        uint16_t first = sequences[i++];
        uint16_t others = 0;
        while (i < count && (uint16_t)(sequences[i] - first) < NACK_SPAN) {
            uint16_t distance = (uint16_t)(sequences[i++] - first);
            unsigned bit = distance ? 1U << (distance - 1) : 0;
            others = (uint16_t)(others | bit);
        }
        if (size + NACK_ENTRY_BYTES > capacity) {
            return 0;
        }
        write_u16(out + size, first);
        write_u16(out + size + 2, others);
        size += NACK_ENTRY_BYTES;
    }
    if (size == HEAD_BYTES) {
        return 0;
    }
    write_head(out, FMT_NACK, RTCP_TRANSPORT_FEEDBACK, size, ssrc, media);
    return size;
}

size_t rtcp_write_pli(uint8_t *out, size_t capacity, uint32_t ssrc, uint32_t media)
{
    if (capacity < HEAD_BYTES) {
        return 0;
    }
    write_head(out, FMT_PLI, RTCP_PAYLOAD_FEEDBACK, HEAD_BYTES, ssrc, media);
    return HEAD_BYTES;
}

size_t rtcp_write_fir(uint8_t *out, size_t capacity, uint32_t ssrc, uint32_t media, uint8_t request)
{
    size_t size = HEAD_BYTES + FIR_ENTRY_BYTES;
    if (capacity < size) {
        return 0;
    }
    /* the media source of the head is not used (RFC 5104, section 4.3.1.2) */
    write_head(out, FMT_FIR, RTCP_PAYLOAD_FEEDBACK, size, ssrc, 0);
    write_u32(out + HEAD_BYTES, media);
    write_u32(out + HEAD_BYTES + 4, (uint32_t)request << 24);
    return size;
}

size_t rtcp_write_remb(uint8_t *out, size_t capacity, uint32_t ssrc, uint64_t bitrate,
                       const uint32_t *streams, size_t count)
{
    size_t size = HEAD_BYTES + REMB_HEAD_BYTES + count * 4;
    if (count > FEEDBACK_SOURCES_MAX || size > capacity) {
        return 0;
    }
    uint64_t mantissa = bitrate < FEEDBACK_REMB_HIGHEST ? bitrate : FEEDBACK_REMB_HIGHEST;
    uint32_t exponent = 0;
    for (; mantissa >> MANTISSA_BITS; mantissa >>= 1) {
        exponent++;
    }
    write_head(out, FMT_LAYER, RTCP_PAYLOAD_FEEDBACK, size, ssrc, 0);
    write_u32(out + HEAD_BYTES, REMB_NAME);
    out[HEAD_BYTES + 4] = (uint8_t)count;
    write_u24(out + HEAD_BYTES + 5, exponent << MANTISSA_BITS | (uint32_t)mantissa);
    for (size_t i = 0; i < count; i++) {
        write_u32(out + HEAD_BYTES + REMB_HEAD_BYTES + i * 4, streams[i]);
    }
    return size;
}

/* What is to be written of one transport-wide message. */
struct transport_plan {
    uint8_t symbols[WRITE_MAX];
    int16_t deltas[WRITE_MAX];
    size_t count;
};

/* Until the first delta that has no room in 16 bits. */
static void plan_transport(struct transport_plan *plan, const struct transport_arrivals *arrivals)
{
    int64_t time = arrivals->arrivals[0] / TICK & ~(int64_t)(TICKS_A_REFERENCE - 1);
    size_t count = arrivals->count < WRITE_MAX ? arrivals->count : WRITE_MAX;
    for (plan->count = 0; plan->count < count; plan->count++) {
        size_t i = plan->count;
        plan->symbols[i] = SYMBOL_MISSING;
        if (arrivals->arrivals[i] == USEC_NEVER) {
            continue;
        }
        int64_t ticks = arrivals->arrivals[i] / TICK;
        int64_t delta = ticks - time;
        if (delta < INT16_MIN || delta > INT16_MAX) {
            return;
        }
        plan->symbols[i] = delta >= 0 && delta <= UINT8_MAX ? SYMBOL_SMALL : SYMBOL_LARGE;
        plan->deltas[i] = (int16_t)delta;
        time = ticks;
    }
}

static size_t run_length(const struct transport_plan *plan, size_t at)
{
    size_t run = 1;
    while (at + run < plan->count && run < RUN_MAX &&
           plan->symbols[at + run] == plan->symbols[at]) {
        run++;
    }
    return run;
}

static bool has_large(const struct transport_plan *plan, size_t at, size_t count)
{
    for (size_t i = at; i < at + count && i < plan->count; i++) {
        if (plan->symbols[i] == SYMBOL_LARGE) {
            return true;
        }
    }
    return false;
}

/* The chunk for the packets from `at` on: the kind that tells of most. Returns of how many. */
static size_t plan_chunk(const struct transport_plan *plan, size_t at, uint16_t *chunk)
{
    size_t left = plan->count - at;
    size_t run = run_length(plan, at);
    unsigned width = has_large(plan, at, VECTOR_ONE_BIT) ? 2 : 1;
    size_t vector = width == 2 ? VECTOR_TWO_BITS : VECTOR_ONE_BIT;
    vector = vector < left ? vector : left;
    if (run >= vector) {
        *chunk = (uint16_t)((unsigned)plan->symbols[at] << 13 | run);
        return run;
    }
    unsigned bits = width == 2 ? 0xc000 : 0x8000;
    for (size_t i = 0; i < vector; i++) {
        bits |= (unsigned)plan->symbols[at + i] << (14 - width * (i + 1));
    }
    *chunk = (uint16_t)bits;
    return vector;
}

static size_t deltas_size(const struct transport_plan *plan, size_t from, size_t count)
{
    size_t size = 0;
    for (size_t i = from; i < from + count; i++) {
        size += delta_bytes(plan->symbols[i]);
    }
    return size;
}

/* How many of the `count` packets from `from` on have room for their deltas. */
static size_t fitting(const struct transport_plan *plan, size_t from, size_t count, size_t room)
{
    size_t fit = 0;
    while (fit < count && delta_bytes(plan->symbols[from + fit]) <= room) {
        room -= delta_bytes(plan->symbols[from + fit++]);
    }
    return fit;
}

/* Returns the size of the chunks; cuts the plan to what fits into `capacity` with its deltas. */
static size_t write_chunks(struct transport_plan *plan, uint8_t *out, size_t capacity)
{
    size_t size = 0;
    size_t deltas = 0;
    for (size_t at = 0; at < plan->count;) {
        uint16_t chunk;
        size_t count = plan_chunk(plan, at, &chunk);
        size_t used = size + 2 + deltas;
        size_t fit = used < capacity ? fitting(plan, at, count, capacity - used) : 0;
        if (fit < count) {
            plan->count = at + fit;
            if (fit == 0) {
                break;
            }
            count = plan_chunk(plan, at, &chunk);
        }
        write_u16(out + size, chunk);
        size += 2;
        deltas += deltas_size(plan, at, count);
        at += count;
    }
    return size;
}

static size_t write_deltas(const struct transport_plan *plan, uint8_t *out)
{
    size_t size = 0;
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->symbols[i] == SYMBOL_SMALL) {
            out[size] = (uint8_t)plan->deltas[i];
        } else if (plan->symbols[i] == SYMBOL_LARGE) {
            write_u16(out + size, (uint16_t)plan->deltas[i]);
        }
        size += delta_bytes(plan->symbols[i]);
    }
    return size;
}

size_t rtcp_write_transport(uint8_t *out, size_t capacity, uint32_t ssrc, uint32_t media,
                            const struct transport_arrivals *arrivals, size_t *written)
{
    struct transport_plan plan = {.count = 0};
    size_t size = HEAD_BYTES + TRANSPORT_HEAD_BYTES;
    *written = 0;
    capacity &= ~(size_t)3;
    if (arrivals->count == 0 || arrivals->arrivals[0] == USEC_NEVER || capacity < size) {
        return 0;
    }
    plan_transport(&plan, arrivals);
    size += write_chunks(&plan, out + size, capacity - size);
    size += write_deltas(&plan, out + size);
    if (plan.count == 0) {
        return 0;
    }
    while (size % 4) {
        out[size++] = 0;
    }
    uint32_t reference = (uint32_t)(arrivals->arrivals[0] / TICK / TICKS_A_REFERENCE);
    write_head(out, FMT_TRANSPORT, RTCP_TRANSPORT_FEEDBACK, size, ssrc, media);
    write_u16(out + HEAD_BYTES, arrivals->base);
    write_u16(out + HEAD_BYTES + 2, (uint16_t)plan.count);
    write_u24(out + HEAD_BYTES + 4, reference & 0xffffff);
    out[HEAD_BYTES + 7] = arrivals->number;
    *written = plan.count;
    return size;
}

size_t rtcp_write_compound_head(uint8_t *out, size_t capacity, uint32_t ssrc, const char *cname)
{
    size_t report = rtcp_write_report(out, capacity, ssrc, NULL, NULL, 0);
    size_t name = report ? rtcp_write_cname(out + report, capacity - report, ssrc, cname) : 0;
    return name ? report + name : 0;
}
