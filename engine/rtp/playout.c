/* Times. Media time counts in ticks of 1/48000 s from the first packet on, whatever the codec's
 * clock. `transit` is a packet's arrival minus its media time. `position` is the same of the sound
 * that leaves: the moment it is played minus its media time. A packet therefore waits position -
 * transit, and the whole art is to keep position where nearly all transits are shorter:
 *
 *     transits:   |    ....::::::||||||::::....    .|            (late: concealed)
 *     position:                              accept ─ low ── high
 *                                    play slower ◀──┘     └──▶ play faster
 *
 * After a gap, playing goes on as soon as position has reached `accept`: sound that is there is not
 * held back for sound that is lost. */
#include "rtp/playout.h"

#include <stdlib.h>
#include <string.h>

#include "rtp/delay_estimate.h"
#include "rtp/packet_buffer.h"
#include "rtp/sound_queue.h"
#include "rtp/stretch.h"

enum {
    TICKS_PER_SEC = 48000,
    CODECS_MAX = 8,
    SEQUENCES = 4096,          /* remembered, for duplicates and for what was lost */
    SEQUENCE_JUMP = 3000,      /* further away is another stream */
    PULLS = 20,                /* the earliest of the last ones counts: sinks are irregular */
    SINK_STOPPED = 100 * 1000, /* usec without a pull */
    STEP = PLAYOUT_PULL_MS * 1000,
    STEP_LEAST = 1000,
    CUT = 10 * 1000,        /* what a gap may be shortened by */
    CUT_BURSTS = 13 * 1000, /* where several packets in a row are lost */
    SLACK = 8 * 1000,       /* between low and high */
    SLOW_PACE = 100 * 1000, /* usec between two stretches when there is no hurry */
    BURST_OVERDUE = 5 * 1000,
    HURRY = 40 * 1000,              /* above high there is */
    SKIP = 400 * 1000,              /* above high: leave out whole packets */
    TRANSIT_JUMP = 2 * 1000 * 1000, /* from the mean: the time stamps jumped */
    MAX_DELAY = 1000 * 1000,
    FLUSH_APART = 5 * 1000, /* packets that come closer together... */
    FLUSH_COUNTS = 2,       /* ...and are more than this, say nothing new */
    FADE_FROM = 80,         /* ms of concealment after which it fades... */
    FADE_TO = 240,          /* ...until it is silent */
    LONG_GAP = 100,         /* ms after which it matters little when the sound begins again */
    STOPPED = 2000,         /* ms after which there is only silence */
    FADE_IN_MS = 5,
    TAIL_MAX = 480,             /* samples */
    FEC_SEEN = 10 * 1000 * 1000 /* usec: FEC is expected this long after the last that came */
};

/* Chances that packets miss their time when position is at `accept`. */
static const double deviations = 2.9;
static const double quantile = 0.99;
static const double deviations_next = 2.0; /* of the next packet, that brings FEC */
static const double quantile_next = 0.95;
static const double loss_share = 1.0 / 256;
static const double loss_that_counts = 0.002;
static const double bursts_share = 1.0 / 16;
static const double bursts_that_count = 0.5;
static const double tail_least = 1e-6;
static const double hole_risk = 0.02;  /* of missing its time, that is worth playing slower */
static const double quiet_part = 0.06; /* of the voice's level */
static const double quiet_level = 40;

struct gap {
    int64_t ticks; /* played since the sound ended */
    uint64_t samples;
    bool quiet; /* nothing was said before it: comfort noise does not fade */
};

struct playout {
    struct playout_config config;
    struct delay_estimate transits;
    struct packet_buffer buffer;
    struct sound_queue queue;
    struct audio_decoder *decoders[CODECS_MAX]; /* in the order of codec_all */
    struct audio_decoder *decoder;              /* of the packet played last */

    /* the sender's numbers */
    bool begun;       /* a packet came: the sequence numbers are known */
    bool timed;       /* sound came: the time stamps are known */
    int64_t sequence; /* highest so far, extended */
    uint64_t seen[SEQUENCES / 64];
    int64_t sound_sequence; /* the latest sound: its numbers */
    int64_t sound_tick;
    int64_t sound_ticks;
    uint32_t sound_timestamp;
    uint32_t clockrate;
    bool suspected; /* a packet came that fits nothing; a second like it begins anew */
    uint16_t suspect_sequence;
    uint32_t suspect_timestamp;

    usec last_arrival;
    usec last_transit;
    unsigned flushed; /* packets that came together with the one before them */

    /* what is played */
    bool playing;
    int64_t next;            /* media time of the next sample that is not in the queue */
    int64_t played_sequence; /* of the last packet decoded */
    struct gap gap;
    int16_t
        tail[TAIL_MAX * AUDIO_CHANNELS_MAX]; /* concealment not played, to fade the sound in over */
    size_t tail_count;
    double loss;   /* share of packets lost, of late */
    double bursts; /* share of gaps longer than one packet, of late */
    usec fec_until;
    usec accept, low, high; /* positions */
    usec pulls[PULLS];      /* when they came, less 10 ms for each one before */
    uint64_t pull_count;
    usec pull_late;       /* by so much the last one came later than the earliest of them */
    size_t since_stretch; /* samples decoded since, */
    size_t last_stretch;  /* samples of it */
    double level;         /* of the voice */

    struct playout_stats stats;
};

static usec usec_of(int64_t ticks)
{
    return ticks * 125 / 6;
}

static int64_t ticks_of(usec time)
{
    return time * 6 / 125;
}

struct playout *playout_new(const struct playout_config *config)
{
    if (config->channels < 1 || config->channels > AUDIO_CHANNELS_MAX) {
        return NULL;
    }
    struct playout *playout = calloc(1, sizeof *playout);
    if (!playout) {
        return NULL;
    }
    playout->config = *config;
    if (playout->config.max_delay <= 0) {
        playout->config.max_delay = MAX_DELAY;
    }
    bool queue = sound_queue_init(&playout->queue, config->channels);
    bool buffer = packet_buffer_init(&playout->buffer);
    if (!queue || !buffer) {
        playout_free(playout);
        return NULL;
    }
    delay_estimate_init(&playout->transits);
    return playout;
}

void playout_free(struct playout *playout)
{
    if (!playout) {
        return;
    }
    for (size_t i = 0; i < CODECS_MAX; i++) {
        audio_decoder_free(playout->decoders[i]);
    }
    sound_queue_release(&playout->queue);
    packet_buffer_release(&playout->buffer);
    free(playout);
}

/* --- what arrives -- */

static void mark_seen(struct playout *p, int64_t sequence, bool seen)
{
    uint64_t bit = UINT64_C(1) << (sequence % 64);
    uint64_t *word = &p->seen[(sequence % SEQUENCES) / 64];
    *word = seen ? *word | bit : *word & ~bit;
}

static bool was_seen(const struct playout *p, int64_t sequence)
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

/* How many packets between these two did not come. */
static int64_t lost_between(const struct playout *p, int64_t before, int64_t after)
{
    int64_t lost = 0;
    int64_t from = after - before < SEQUENCES ? before : after - SEQUENCES;
    for (int64_t i = from + 1; i < after; i++) {
        lost += was_seen(p, i) ? 0 : 1;
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
        p->loss -= p->loss > loss_share ? loss_share : 0; /* it was not lost after all */
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
    if (was_seen(p, sequence)) {
        p->stats.packets_duplicated++;
        return PLAYOUT_DUPLICATE;
    }
    mark_seen(p, sequence, true);
    return packet->kind == PLAYOUT_SOUND ? insert_sound(p, packet, sequence, now) : PLAYOUT_TAKEN;
}

/* --- where position should be -- */

static void aim(struct playout *p, usec now)
{
    usec usual = delay_estimate_usual(&p->transits);
    usec bound = delay_estimate_bound(&p->transits, deviations, quantile);
    if (now < p->fec_until && p->loss > loss_that_counts) {
        usec next = delay_estimate_bound(&p->transits, deviations_next, quantile_next) +
                    usec_of(p->sound_ticks);
        bound = next > bound ? next : bound;
    }
    usec floor = usual + p->config.min_delay - CUT;
    usec ceiling = usual + p->config.max_delay - CUT;
    bound = bound < floor ? floor : bound;
    p->accept = bound > ceiling ? ceiling : bound;
    p->low = p->accept + (p->bursts > bursts_that_count ? CUT_BURSTS : CUT);
    p->high = p->low + SLACK;
    p->stats.target_delay = p->low - usual;
}

/* Sinks ask at irregular times, or for several periods at once: what counts is how early they may
 * ask. */
static void note_pull(struct playout *p, usec now)
{
    usec pull = now - (usec)p->pull_count * STEP;
    bool begins = p->pull_count == 0 || pull - p->pulls[(p->pull_count - 1) % PULLS] > SINK_STOPPED;
    for (size_t i = 0; begins && i < PULLS; i++) {
        p->pulls[i] = pull;
    }
    p->pulls[p->pull_count++ % PULLS] = pull;
    usec earliest = pull;
    for (size_t i = 0; i < PULLS; i++) {
        earliest = p->pulls[i] < earliest ? p->pulls[i] : earliest;
    }
    p->pull_late = pull - earliest;
}

/* When this tick would be played if it were decoded now and the sink as early as it may be, minus
 * its media time. */
static usec position_of(const struct playout *p, int64_t tick, usec now)
{
    usec queued = (usec)(sound_queue_count(&p->queue) * USEC_PER_SEC / p->queue.rate);
    return now - p->pull_late + queued - usec_of(tick);
}

/* Whether what is missing at this media time is more likely under way than lost. */
static bool may_still_come(const struct playout *p, int64_t tick, usec now)
{
    double tail = delay_estimate_tail(&p->transits, now - usec_of(tick));
    return tail > p->loss && tail > tail_least;
}

/* How much of the sound before this packet its FEC has. */
static int64_t fec_ticks(const struct playout *p, const struct waiting_packet *packet)
{
    if (!p->decoder || p->decoder->codec != packet->codec ||
        !audio_has_fec(packet->codec, packet->payload, packet->size) ||
        was_seen(p, packet->sequence - 1)) {
        return 0;
    }
    return p->sound_ticks < packet->ticks ? p->sound_ticks : packet->ticks;
}

/* A packet is missing ahead that is worth waiting for and likely to miss its time. */
static bool hole_ahead(const struct playout *p, usec position, usec now)
{
    int64_t end = p->next;
    const struct waiting_packet *packet;
    for (size_t i = 0; (packet = packet_buffer_at(&p->buffer, i)) && packet->tick <= end; i++) {
        end = packet->tick + packet->ticks;
    }
    if (packet && lost_between(p, p->played_sequence, packet->sequence) == 0) {
        return false; /* the sender paused */
    }
    if (packet && packet->tick - fec_ticks(p, packet) <= end) {
        return false; /* no hole: it can be recovered */
    }
    bool overdue = now - usec_of(end) > (usec)p->transits.mean;
    if (!overdue || position > p->high + HURRY) {
        return false;
    }
    double misses = delay_estimate_tail(&p->transits, position);
    double missing = delay_estimate_tail(&p->transits, now - usec_of(end));
    return misses > missing * hole_risk && may_still_come(p, end, now);
}

/* What should have come by now did not, on a link that loses several packets in a row: the sound
 * that is there has to last. */
static bool burst_begins(const struct playout *p, usec now)
{
    usec overdue = now - usec_of(p->next) - delay_estimate_usual(&p->transits);
    return packet_buffer_at(&p->buffer, 0) == NULL && p->bursts > bursts_that_count &&
           overdue > BURST_OVERDUE && !may_still_come(p, p->next, now);
}

/* --- what is played -- */

static size_t samples_of(const struct playout *p, int64_t ticks)
{
    return (size_t)(ticks * p->queue.rate / TICKS_PER_SEC);
}

static struct audio_decoder *decoder_for(struct playout *p, const struct audio_codec *codec)
{
    for (size_t i = 0; i < CODECS_MAX && codec_all[i]; i++) {
        if (codec_all[i] != codec) {
            continue;
        }
        if (!p->decoders[i]) {
            p->decoders[i] = audio_decoder_new(codec, p->config.channels);
        } else if (p->decoder != p->decoders[i]) {
            audio_decoder_reset(p->decoders[i]);
        }
        return p->decoders[i];
    }
    return NULL;
}

static void fade(int16_t *samples, size_t count, unsigned channels, double from, double to)
{
    for (size_t i = 0; i < count * channels; i++) {
        size_t at = i / channels;
        double gain = from + (to - from) * (double)at / (double)count;
        samples[i] = (int16_t)(samples[i] * gain);
    }
}

static double gain_after(const struct gap *gap)
{
    int64_t ms = gap->ticks / (TICKS_PER_SEC / 1000);
    if (gap->quiet || ms <= FADE_FROM) {
        return 1;
    }
    return ms >= FADE_TO ? 0 : (double)(FADE_TO - ms) / (FADE_TO - FADE_FROM);
}

/* Made-up sound: codecs make 10 ms of it, of which `time` is played. What it stood for is told when
 * the gap ends. */
static void play_made_up(struct playout *p, usec time)
{
    size_t made = p->queue.rate * PLAYOUT_PULL_MS / 1000;
    size_t count = (size_t)(time * p->queue.rate / USEC_PER_SEC);
    unsigned channels = p->queue.channels;
    int16_t *room = sound_queue_room(&p->queue);
    bool stopped = p->gap.ticks / (TICKS_PER_SEC / 1000) >= STOPPED;
    if (stopped || !p->decoder || audio_conceal(p->decoder, room, made) != (int)made) {
        memset(room, 0, made * channels * sizeof *room);
    }
    double before = gain_after(&p->gap);
    p->gap.ticks += ticks_of(time);
    p->gap.samples += count;
    double after = gain_after(&p->gap);
    if (before < 1 || after < 1) {
        fade(room, made, channels, before, after);
    }
    sound_queue_append(&p->queue, count);
    p->tail_count = made - count;
    memcpy(p->tail, room + count * channels, p->tail_count * channels * sizeof *room);
}

enum gap_cause { GAP_LOST, GAP_PAUSE };

static void end_gap(struct playout *p, enum gap_cause cause)
{
    if (p->gap.samples == 0) {
        return;
    }
    if (cause == GAP_PAUSE) {
        p->stats.samples_silent += p->gap.samples;
        return;
    }
    p->stats.samples_concealed += p->gap.samples;
    p->stats.concealments++;
}

/* After the sound that follows a gap was decoded. */
static void join_gap(struct playout *p, int16_t *samples, size_t count)
{
    double gain = gain_after(&p->gap);
    size_t length = p->queue.rate * FADE_IN_MS / 1000;
    if (p->gap.samples > 0 && gain < 1) {
        fade(samples, count < length ? count : length, p->queue.channels, gain, 1);
    }
    if (p->tail_count > 0) {
        length = p->tail_count < count ? p->tail_count : count;
        stretch_cross_fade(samples, p->tail, samples, length, p->queue.channels);
        p->tail_count = 0;
    }
    p->gap = (struct gap){0};
}

static void learn_level(struct playout *p, const int16_t *samples, size_t count)
{
    double level = stretch_level(samples, count * p->queue.channels);
    p->level += (level - p->level) * (level > p->level ? 0.2 : 0.005);
    p->gap.quiet = level < p->level * quiet_part || level < quiet_level;
}

static void learn_loss(struct playout *p, bool lost)
{
    p->loss += ((lost ? 1 : 0) - p->loss) * loss_share;
}

/* Puts in or leaves out a period of the frame that begins at `frame`, if position is not where it
 * should be. Returns the frame's new length. */
static size_t adapt(struct playout *p, int16_t *frame, size_t count, usec position, usec now)
{
    bool hole = burst_begins(p, now) || hole_ahead(p, position, now);
    bool slower = hole || position < p->low;
    bool faster = !slower && position > p->high;
    bool hurry = hole || position < p->accept || position > p->high + HURRY || p->gap.quiet;
    size_t pace = hole    ? 2 * p->last_stretch
                  : hurry ? 4 * p->last_stretch
                          : (size_t)p->queue.rate * SLOW_PACE / USEC_PER_SEC;
    p->since_stretch += count;
    if ((!slower && !faster) || p->since_stretch < pace) {
        return count;
    }
    double quiet = p->level * quiet_part > quiet_level ? p->level * quiet_part : quiet_level;
    usec most = hole ? USEC_PER_SEC : slower ? p->high - position : position - p->low;
    struct stretch stretch = {.rate = p->queue.rate,
                              .channels = p->queue.channels,
                              .quiet = quiet,
                              .most = (size_t)(most * p->queue.rate / USEC_PER_SEC)};
    size_t by =
        slower ? stretch_lengthen(&stretch, frame, count) : stretch_shrink(&stretch, frame, count);
    if (by == 0) {
        return count;
    }
    *(slower ? &p->stats.samples_stretched : &p->stats.samples_shrunk) += by;
    p->since_stretch = 0;
    p->last_stretch = by;
    return slower ? count + by : count - by;
}

static void play_first(struct playout *p, usec now)
{
    const struct waiting_packet *packet = packet_buffer_at(&p->buffer, 0);
    int16_t *room = sound_queue_room(&p->queue);
    usec queued = (usec)(sound_queue_count(&p->queue) * USEC_PER_SEC / p->queue.rate);
    usec position = position_of(p, packet->tick, now);
    p->decoder = decoder_for(p, packet->codec);
    int made = p->decoder ? audio_decode(p->decoder, packet->payload, packet->size, room,
                                         AUDIO_SAMPLES_MAX)
                          : -1;
    size_t played = samples_of(p, p->next - packet->tick); /* as FEC of another packet, say */
    p->next = packet->tick + packet->ticks;
    p->played_sequence = packet->sequence;
    if (made <= 0 || (size_t)made <= played) {
        packet_buffer_drop_first(&p->buffer);
        p->stats.packets_refused += made <= 0 ? 1 : 0;
        return;
    }
    size_t count = (size_t)made - played;
    memmove(room, room + played * p->queue.channels, count * p->queue.channels * sizeof *room);
    p->stats.frames_played++;
    p->stats.buffer_delay = now + queued - packet->arrival;
    p->stats.buffer_delay_sum += p->stats.buffer_delay;
    packet_buffer_drop_first(&p->buffer);
    end_gap(p, GAP_LOST);
    join_gap(p, room, count);
    learn_level(p, room, count);
    learn_loss(p, false);
    aim(p, now);
    sound_queue_append(&p->queue, adapt(p, room, count, position, now));
}

/* The sound before this packet, out of it. */
static void play_recovered(struct playout *p, const struct waiting_packet *packet)
{
    int16_t *room = sound_queue_room(&p->queue);
    size_t count = samples_of(p, packet->tick - p->next);
    int made = p->decoder && p->decoder->codec == packet->codec
                   ? audio_recover(p->decoder, packet->payload, packet->size, room, count)
                   : -1;
    p->next = packet->tick;
    learn_loss(p, true);
    if (made <= 0) {
        p->stats.frames_lost++;
        return;
    }
    end_gap(p, GAP_LOST);
    join_gap(p, room, (size_t)made);
    p->stats.frames_recovered++;
    p->stats.samples_recovered += (uint64_t)made;
    sound_queue_append(&p->queue, (size_t)made);
}

static void pass_pause(struct playout *p, const struct waiting_packet *packet, usec now)
{
    if (position_of(p, packet->tick, now) < p->low) {
        play_made_up(p, STEP);
        return;
    }
    end_gap(p, GAP_PAUSE);
    p->gap.samples = 0; /* told; the fade is still to be joined */
    p->next = packet->tick;
}

static void pass_lost(struct playout *p, const struct waiting_packet *packet, usec now)
{
    int64_t fec = fec_ticks(p, packet);
    int64_t resume = packet->tick - fec > p->next ? packet->tick - fec : p->next;
    int64_t remaining = resume - p->next - p->gap.ticks;
    usec early = p->accept - position_of(p, resume, now);
    bool over = remaining <= 0 && (early <= 0 || p->gap.ticks < LONG_GAP * TICKS_PER_SEC / 1000);
    bool cut = remaining > 0 && !may_still_come(p, p->next, now);
    if (!over && !(cut && early <= 0)) {
        early = early < STEP_LEAST ? STEP_LEAST : early;
        play_made_up(p, cut && early < STEP ? early : STEP);
        return;
    }
    int64_t each = p->sound_ticks > 0 ? p->sound_ticks : packet->ticks;
    p->bursts += ((packet->tick - p->next > each ? 1 : 0) - p->bursts) * bursts_share;
    for (int64_t lost = p->next; lost + each <= resume; lost += each) {
        p->stats.frames_lost++;
        learn_loss(p, true);
    }
    if (remaining > 0) {
        p->stats.samples_shrunk += samples_of(p, remaining);
    }
    p->next = resume;
    if (resume < packet->tick) {
        play_recovered(p, packet);
    }
}

static void drop_past(struct playout *p)
{
    const struct waiting_packet *first;
    while ((first = packet_buffer_at(&p->buffer, 0)) && first->tick + first->ticks <= p->next) {
        p->stats.packets_late++;
        packet_buffer_drop_first(&p->buffer);
    }
}

/* So much sound waits that playing faster would take too long. */
static void skip_excess(struct playout *p, usec now)
{
    const struct waiting_packet *first = packet_buffer_at(&p->buffer, 0);
    if (!first || position_of(p, first->tick, now) < p->high + SKIP) {
        return;
    }
    int64_t to = ticks_of(now - p->low);
    while (p->buffer.count > 1 && first->tick + first->ticks <= to) {
        p->stats.samples_shrunk += samples_of(p, first->ticks);
        p->played_sequence = first->sequence;
        packet_buffer_drop_first(&p->buffer);
        first = packet_buffer_at(&p->buffer, 0);
    }
    p->next = first->tick > p->next ? first->tick : p->next;
}

/* Another codec's rate begins only with an empty queue. */
static bool change_rate(struct playout *p, const struct waiting_packet *packet)
{
    if (packet->codec->clockrate == p->queue.rate) {
        return true;
    }
    if (sound_queue_count(&p->queue) == 0) {
        sound_queue_restart(&p->queue, packet->codec->clockrate);
        return true;
    }
    size_t wanted = p->queue.rate * PLAYOUT_PULL_MS / 1000 - sound_queue_count(&p->queue);
    memset(sound_queue_room(&p->queue), 0, wanted * p->queue.channels * sizeof(int16_t));
    sound_queue_append(&p->queue, wanted);
    return false;
}

static void produce(struct playout *p, usec now)
{
    drop_past(p);
    skip_excess(p, now);
    const struct waiting_packet *first = packet_buffer_at(&p->buffer, 0);
    if (!first) {
        play_made_up(p, STEP);
        return;
    }
    if (first->tick <= p->next) {
        if (change_rate(p, first)) {
            play_first(p, now);
        }
        return;
    }
    if (lost_between(p, p->played_sequence, first->sequence) == 0) {
        pass_pause(p, first, now);
    } else {
        pass_lost(p, first, now);
    }
}

static bool begin_playing(struct playout *p, usec now)
{
    const struct waiting_packet *first = packet_buffer_at(&p->buffer, 0);
    if (!first) {
        return false;
    }
    aim(p, now);
    if (position_of(p, first->tick, now) < p->low) {
        return false;
    }
    p->next = first->tick;
    p->played_sequence = first->sequence - 1;
    p->gap = (struct gap){0};
    p->playing = true;
    return true;
}

static void give(struct playout *p, struct playout_sound *out)
{
    out->rate = p->queue.rate;
    out->channels = p->queue.channels;
    out->count = p->queue.rate * PLAYOUT_PULL_MS / 1000;
    out->silent = !p->playing || p->gap.ticks / (TICKS_PER_SEC / 1000) >= STOPPED;
    if (!p->playing) {
        memset(out->samples, 0, out->count * out->channels * sizeof *out->samples);
        return;
    }
    int64_t tick =
        p->next - (int64_t)(sound_queue_count(&p->queue) * TICKS_PER_SEC / p->queue.rate);
    int64_t since = (tick - p->sound_tick) / (TICKS_PER_SEC / (int64_t)p->clockrate);
    p->stats.last_timestamp = p->sound_timestamp + (uint32_t)since;
    p->stats.last_timestamp_valid = true;
    p->stats.samples_played += out->count;
    sound_queue_take(&p->queue, out->samples, out->count);
}

void playout_pull(struct playout *playout, struct playout_sound *out, usec now)
{
    struct playout *p = playout;
    note_pull(p, now);
    if (p->playing || begin_playing(p, now)) {
        while (sound_queue_count(&p->queue) < p->queue.rate * PLAYOUT_PULL_MS / 1000) {
            produce(p, now);
        }
    }
    give(p, out);
}

void playout_reset(struct playout *playout)
{
    struct playout *p = playout;
    packet_buffer_clear(&p->buffer);
    delay_estimate_init(&p->transits);
    sound_queue_restart(&p->queue, p->queue.rate);
    if (p->decoder) {
        audio_decoder_reset(p->decoder);
    }
    p->begun = p->timed = p->playing = p->suspected = false;
    p->gap = (struct gap){0};
    p->loss = 0;
    p->fec_until = 0;
}

void playout_set_min_delay(struct playout *playout, usec delay)
{
    usec most = playout->config.max_delay;
    playout->config.min_delay = delay < 0 ? 0 : delay > most ? most : delay;
}

void playout_stats(const struct playout *playout, struct playout_stats *out)
{
    *out = playout->stats;
}
