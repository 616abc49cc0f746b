/* Where position should be, from the transits of the packets that came, and playing slower or
 * faster to get there. */
#include "rtp/playout_private.h"
#include "rtp/stretch.h"

enum {
    SINK_STOPPED = 100 * 1000, /* usec without a pull */
    CUT = 10 * 1000,           /* usec that a gap may be shortened by */
    CUT_BURSTS = 13 * 1000,    /* where several packets in a row are lost */
    SLACK = 8 * 1000,          /* between low and high */
    SLOW_PACE = 100 * 1000,    /* usec between two stretches when there is no hurry */
    HURRY = 40 * 1000,         /* above high there is */
    BURST_OVERDUE = 5 * 1000
};

/* Chances that packets miss their time when position is at `accept`. */
static const double deviations = 2.9;
static const double quantile = 0.99;
static const double deviations_next = 2.0; /* of the next packet, that brings FEC */
static const double quantile_next = 0.95;
static const double loss_share = 1.0 / 256;
static const double loss_that_counts = 0.002;
static const double bursts_that_count = 0.5;
static const double tail_least = 1e-6;
static const double hole_risk = 0.02;  /* of missing its time, that is worth playing slower */
static const double quiet_part = 0.06; /* of the voice's level */
static const double quiet_level = 40;

void pace_aim(struct playout *p, usec now)
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
void pace_note_pull(struct playout *p, usec now)
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

usec pace_position(const struct playout *p, int64_t tick, usec now)
{
    usec queued = (usec)(sound_queue_count(&p->queue) * USEC_PER_SEC / p->queue.rate);
    return now - p->pull_late + queued - usec_of(tick);
}

bool pace_may_still_come(const struct playout *p, int64_t tick, usec now)
{
    double tail = delay_estimate_tail(&p->transits, now - usec_of(tick));
    return tail > p->loss && tail > tail_least;
}

void pace_note_loss(struct playout *p, bool lost)
{
    p->loss += ((lost ? 1 : 0) - p->loss) * loss_share;
}

void pace_note_late(struct playout *p)
{
    p->loss -= p->loss > loss_share ? loss_share : 0;
}

double pace_quiet_level(const struct playout *p)
{
    return p->level * quiet_part > quiet_level ? p->level * quiet_part : quiet_level;
}

/* A packet is missing ahead that is worth waiting for and likely to miss its time. */
static bool hole_ahead(const struct playout *p, usec position, usec now)
{
    int64_t end = p->next;
    const struct waiting_packet *packet;
    for (size_t i = 0; (packet = packet_buffer_at(&p->buffer, i)) && packet->tick <= end; i++) {
        end = packet->tick + packet->ticks;
    }
    if (packet && arrival_lost_between(p, p->played_sequence, packet->sequence) == 0) {
        return false; /* the sender paused */
    }
    if (packet && packet->tick - gap_fec_ticks(p, packet) <= end) {
        return false; /* no hole: it can be recovered */
    }
    bool overdue = now - usec_of(end) > (usec)p->transits.mean;
    if (!overdue || position > p->high + HURRY) {
        return false;
    }
    double misses = delay_estimate_tail(&p->transits, position);
    double missing = delay_estimate_tail(&p->transits, now - usec_of(end));
    return misses > missing * hole_risk && pace_may_still_come(p, end, now);
}

/* What should have come by now did not, on a link that loses several packets in a row: the sound
 * that is there has to last. */
static bool burst_begins(const struct playout *p, usec now)
{
    usec overdue = now - usec_of(p->next) - delay_estimate_usual(&p->transits);
    return packet_buffer_at(&p->buffer, 0) == NULL && p->bursts > bursts_that_count &&
           overdue > BURST_OVERDUE && !pace_may_still_come(p, p->next, now);
}

size_t pace_adapt(struct playout *p, int16_t *frame, size_t count, usec position, usec now)
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
    usec most = hole ? USEC_PER_SEC : slower ? p->high - position : position - p->low;
    struct stretch stretch = {.rate = p->queue.rate,
                              .channels = p->queue.channels,
                              .quiet = pace_quiet_level(p),
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
