/* What the files of the playout share. Its times: media time counts in ticks of 1/48000 s from the
 * first packet on, whatever the codec's clock. `transit` is a packet's arrival minus its media
 * time. `position` is the same of the sound that leaves: the moment it is played minus its media
 * time. A packet therefore waits position - transit, and the whole art is to keep position where
 * nearly all transits are shorter:
 *
 *     transits:   |    ....::::::||||||::::....    .|            (late: concealed)
 *     position:                              accept ─ low ── high
 *                                    play slower ◀──┘     └──▶ play faster
 *
 * After a gap, playing goes on as soon as position has reached `accept`: sound that is there is not
 * held back for sound that is lost. */
#ifndef JINGLE_RTP_PLAYOUT_PRIVATE_H
#define JINGLE_RTP_PLAYOUT_PRIVATE_H

#include "rtp/delay_estimate.h"
#include "rtp/packet_buffer.h"
#include "rtp/playout.h"
#include "rtp/sound_queue.h"

enum {
    TICKS_PER_SEC = 48000,
    CODECS_MAX = 8,
    SEQUENCES = 4096, /* remembered, for duplicates and for what was lost */
    PULLS = 20,       /* the earliest of the last ones counts: sinks are irregular */
    STEP = PLAYOUT_PULL_MS * 1000,
    TAIL_MAX = 480 /* samples */
};

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

static inline usec usec_of(int64_t ticks)
{
    return ticks * 125 / 6;
}

static inline int64_t ticks_of(usec time)
{
    return time * 6 / 125;
}

static inline size_t samples_of(const struct playout *p, int64_t ticks)
{
    return (size_t)(ticks * p->queue.rate / TICKS_PER_SEC);
}

/* --- playout_arrival.c: what arrives -- */

/* False of those that are known not to have come. */
bool arrival_seen(const struct playout *p, int64_t sequence);

/* How many packets between these two did not come. */
int64_t arrival_lost_between(const struct playout *p, int64_t before, int64_t after);

/* --- playout_pace.c: where position should be -- */

void pace_note_pull(struct playout *p, usec now);

/* When this tick would be played if it were decoded now and the sink as early as it may be, minus
 * its media time. */
usec pace_position(const struct playout *p, int64_t tick, usec now);

/* Finds out where it should be. */
void pace_aim(struct playout *p, usec now);

/* Whether what is missing at this media time is more likely under way than lost. */
bool pace_may_still_come(const struct playout *p, int64_t tick, usec now);

/* A packet was lost, or played; and one that was lost came in the end. */
void pace_note_loss(struct playout *p, bool lost);
void pace_note_late(struct playout *p);

/* Root mean square below which nothing is said. */
double pace_quiet_level(const struct playout *p);

/* Puts in or leaves out a period of the frame that begins at `frame`, if position is not where it
 * should be. Returns the frame's new length. */
size_t pace_adapt(struct playout *p, int16_t *frame, size_t count, usec position, usec now);

/* --- playout_gap.c: what is played where sound is missing -- */

enum gap_cause { GAP_LOST, GAP_PAUSE };

/* Made-up sound: codecs make 10 ms of it, of which `time` is played. What it stood for is told when
 * the gap ends. */
void gap_play(struct playout *p, usec time);
void gap_end(struct playout *p, enum gap_cause cause);

/* So long that there is only silence. */
bool gap_stopped(const struct playout *p);

/* After the sound that follows a gap was decoded. */
void gap_join(struct playout *p, int16_t *samples, size_t count);

/* How much of the sound before this packet its FEC has. */
int64_t gap_fec_ticks(const struct playout *p, const struct waiting_packet *packet);

#endif
