/* What arrives: RTP sequence numbers and time stamps (RFC 3550), which wrap, jump and repeat,
 * become packets in the order of their media time. */
#include "rtp/playout_private.h"

#include <string.h>

enum {
    SEQUENCE_JUMP = 3000,           /* further away is another stream */
    TRANSIT_JUMP = 2 * 1000 * 1000, /* usec from the mean: the time stamps jumped */
    FLUSH_APART = 5 * 1000,         /* usec: packets that come closer together... */
    FLUSH_COUNTS = 2,               /* ...and are more than this, say nothing new */
    FEC_SEEN = 10 * 1000 * 1000     /* usec: FEC is expected this long after the last that came */
};

static void mark_seen(struct playout *p, int64_t sequence, bool seen)
{
    uint64_t bit = UINT64_C(1) << (sequence % 64);
    uint64_t *word = &p->seen[(sequence % SEQUENCES) / 64];
    *word = seen ? *word | bit : *word & ~bit;
}

bool arrival_seen(const struct playout *p, int64_t sequence)
{
    return (p->seen[(sequence % SEQUENCES) / 64] >> (sequence % 64) & 1) != 0;
}

static int64_t extend_sequence(const struct playout *p, uint16_t sequence)
{
    return p->sequence + (int16_t)(uint16_t)(sequence - (uint16_t)p->sequence);
}

static void advance_sequence(struct playout *p, int64_t sequence)
{
    while (p->sequence < sequence) {
        mark_seen(p, ++p->sequence, false);
    }
}

int64_t arrival_lost_between(const struct playout *p, int64_t before, int64_t after)
{
    int64_t lost = 0;
    int64_t from = after - before < SEQUENCES ? before : after - SEQUENCES;
    for (int64_t i = from + 1; i < after; i++) {
        lost += arrival_seen(p, i) ? 0 : 1;
    }
    return lost;
}

/* The first packet of all, or of a stream that goes on with other numbers. */
static void begin_sequence(struct playout *p, uint16_t sequence)
{
    p->sequence = ((p->sequence + 0x20000) & ~INT64_C(0xffff)) | sequence;
    memset(p->seen, 0xff, sizeof p->seen); /* nothing before it was lost */
    mark_seen(p, p->sequence, false);
    p->played_sequence = p->sequence - 1;
    p->begun = true;
}

/* Its sound is as late as the mean packet; what waits is dropped. */
static void begin_time(struct playout *p, const struct playout_packet *packet, usec now)
{
    int64_t tick = p->timed ? ticks_of(now - (usec)p->transits.mean) : 0;
    tick = p->playing && tick < p->next ? p->next : tick;
    packet_buffer_clear(&p->buffer);
    p->sound_tick = tick;
    p->sound_ticks = 0;
    p->sound_timestamp = packet->timestamp;
    p->clockrate = packet->codec->clockrate;
    p->sound_sequence = p->sequence - 1;
    p->timed = true;
}

static int64_t tick_of(const struct playout *p, uint32_t timestamp)
{
    int64_t since = (int32_t)(timestamp - p->sound_timestamp);
    return p->sound_tick + since * (TICKS_PER_SEC / p->clockrate);
}

static bool fits(const struct playout *p, const struct playout_packet *packet, usec now)
{
    int64_t distance = extend_sequence(p, packet->sequence) - p->sequence;
    if (distance > SEQUENCE_JUMP || distance < -SEQUENCE_JUMP) {
        return false;
    }
    if (packet->kind != PLAYOUT_SOUND || !p->timed || packet->codec->clockrate != p->clockrate) {
        return true;
    }
    double away = (double)(now - usec_of(tick_of(p, packet->timestamp))) - p->transits.mean;
    return away < TRANSIT_JUMP && away > -TRANSIT_JUMP;
}

/* True if this is the second packet in a row with new numbers (cf. RFC 3550, appendix A.1). */
static bool confirms_jump(struct playout *p, const struct playout_packet *packet)
{
    uint16_t since = (uint16_t)(packet->sequence - p->suspect_sequence);
    int32_t later = (int32_t)(packet->timestamp - p->suspect_timestamp);
    bool confirms = p->suspected && since > 0 && since < 100 && later >= 0 &&
                    later < 2 * TICKS_PER_SEC && packet->kind == PLAYOUT_SOUND;
    p->suspected = !confirms;
    p->suspect_sequence = packet->sequence;
    p->suspect_timestamp = packet->timestamp;
    return confirms;
}

static bool is_valid(const struct playout_packet *packet)
{
    if (packet->kind != PLAYOUT_SOUND) {
        return true;
    }
    uint32_t rate = packet->codec->clockrate;
    return rate > 0 && TICKS_PER_SEC % rate == 0 && packet->size <= PLAYOUT_PAYLOAD_MAX &&
           audio_duration(packet->codec, packet->payload, packet->size) > 0;
}

/* Another codec counts from where the one before it ended: their time stamps cannot be
 * compared (RFC 7160). */
static void follow_clock(struct playout *p, const struct playout_packet *packet, int64_t sequence)
{
    if (packet->codec->clockrate == p->clockrate) {
        return;
    }
    p->sound_tick += p->sound_ticks * (sequence - p->sound_sequence);
    p->sound_timestamp = packet->timestamp;
    p->clockrate = packet->codec->clockrate;
}

/* Packets that were held up together come at one moment: they tell of one event, not of many. */
static bool came_in_a_flush(struct playout *p, usec transit, usec now)
{
    bool behind = now - p->last_arrival < FLUSH_APART && transit < p->last_transit;
    p->flushed = behind ? p->flushed + 1 : 0;
    p->last_arrival = now;
    p->last_transit = transit;
    return p->flushed > FLUSH_COUNTS;
}

static void learn_transit(struct playout *p, const struct playout_packet *packet, usec now)
{
    usec transit = now - usec_of(tick_of(p, packet->timestamp));
    if (!came_in_a_flush(p, transit, now)) {
        delay_estimate_add(&p->transits, transit, now);
    }
    if (audio_has_fec(packet->codec, packet->payload, packet->size)) {
        p->fec_until = now + FEC_SEEN;
    }
}

static enum playout_inserted insert_sound(struct playout *p, const struct playout_packet *packet,
                                          int64_t sequence, usec now)
{
    if (!p->timed) {
        begin_time(p, packet, now);
    }
    if (packet->codec->clockrate != p->clockrate && sequence < p->sound_sequence) {
        p->stats.packets_late++;
        return PLAYOUT_LATE; /* of the codec before, whose clock has ended */
    }
    follow_clock(p, packet, sequence);
    learn_transit(p, packet, now);
    unsigned samples = audio_duration(packet->codec, packet->payload, packet->size);
    struct waiting_packet waiting = {
        .tick = tick_of(p, packet->timestamp),
        .ticks = (int64_t)samples * (TICKS_PER_SEC / p->clockrate),
        .sequence = sequence,
        .arrival = now,
        .codec = packet->codec,
        .size = packet->size,
    };
    if (sequence > p->sound_sequence) {
        p->sound_sequence = sequence;
        p->sound_tick = waiting.tick;
        p->sound_ticks = waiting.ticks;
        p->sound_timestamp = packet->timestamp;
    }
    if (p->playing && waiting.tick + waiting.ticks <= p->next) {
        p->stats.packets_late++;
        pace_note_late(p);
        return PLAYOUT_LATE;
    }
    if (!packet_buffer_insert(&p->buffer, &waiting, packet->payload)) {
        p->stats.packets_refused++;
        return PLAYOUT_REFUSED;
    }
    return PLAYOUT_TAKEN;
}

enum playout_inserted playout_insert(struct playout *playout, const struct playout_packet *packet,
                                     usec now)
{
    struct playout *p = playout;
    if (!is_valid(packet)) {
        p->stats.packets_refused++;
        return PLAYOUT_REFUSED;
    }
    if (!p->begun) {
        begin_sequence(p, packet->sequence);
    }
    if (!fits(p, packet, now)) {
        if (!confirms_jump(p, packet)) {
            p->stats.packets_refused++;
            return PLAYOUT_SUSPECTED;
        }
        log_info(p->config.log, "The sender's RTP numbers jumped; its sound is taken up anew");
        p->stats.resets++;
        begin_sequence(p, packet->sequence);
        begin_time(p, packet, now);
    }
    int64_t sequence = extend_sequence(p, packet->sequence);
    advance_sequence(p, sequence);
    if (arrival_seen(p, sequence)) {
        p->stats.packets_duplicated++;
        return PLAYOUT_DUPLICATE;
    }
    mark_seen(p, sequence, true);
    return packet->kind == PLAYOUT_SOUND ? insert_sound(p, packet, sequence, now) : PLAYOUT_TAKEN;
}
