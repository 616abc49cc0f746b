/* Adaptive playout: packets arrive when they like, sound leaves every 10 ms.
 *
 *     playout_insert() ─▶ packets by time stamp ─▶ decode │ recover by FEC │ conceal
 *              │                                                 │
 *              └▶ delay estimate ─▶ target delay ─▶ stretch or shrink ─▶ playout_pull()
 *
 * A pure core: no clock, no thread, no sockets. All memory is taken when it is made, except one
 * decoder for each codec when its first packet comes. Whatever arrives, the memory stays bounded
 * and each pull gives 10 ms of sound. */
#ifndef JINGLE_RTP_PLAYOUT_H
#define JINGLE_RTP_PLAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/log.h"
#include "codecs/codec.h"

enum {
    PLAYOUT_PULL_MS = 10,
    PLAYOUT_SAMPLES_MAX = 480 * AUDIO_CHANNELS_MAX, /* that one pull may give */
    PLAYOUT_PAYLOAD_MAX = 1500                      /* longer payloads are refused */
};

struct playout_config {
    unsigned channels;        /* of the sound that leaves: 1 or 2 */
    usec min_delay;           /* never buffer less than this; 0 is usual */
    usec max_delay;           /* never aim at more than this; 0: one second */
    const struct logger *log; /* may be NULL; outlives the playout */
};

enum playout_kind {
    PLAYOUT_SOUND,    /* decode it */
    PLAYOUT_NO_SOUND, /* in the sound's sequence numbers, but without sound: only padding, or a
                         telephone-event; neither decoded nor concealed */
};

/* One RTP packet of the stream, as parsed: padding and extensions are off. */
struct playout_packet {
    enum playout_kind kind;
    uint16_t sequence;
    uint32_t timestamp;
    bool marker;
    const uint8_t *payload; /* copied */
    size_t size;
    const struct audio_codec *codec; /* of PLAYOUT_SOUND */
};

enum playout_inserted {
    PLAYOUT_TAKEN,
    PLAYOUT_LATE,      /* its time has gone by */
    PLAYOUT_DUPLICATE, /* had already */
    PLAYOUT_SUSPECTED, /* its numbers jumped: believed once the next packet goes on from it */
    PLAYOUT_REFUSED    /* malformed, too long, or no room */
};

/* 10 ms of sound. */
struct playout_sound {
    int16_t samples[PLAYOUT_SAMPLES_MAX]; /* interleaved */
    size_t count;                         /* per channel */
    uint32_t rate;                        /* of the codec that is heard now; 48000 before any */
    unsigned channels;
    bool silent; /* nothing was received yet, or the sender stopped: all zero */
};

/* Since playout_new(), in samples per channel where it says samples. Samples of codecs with a lower
 * rate count as they are. */
struct playout_stats {
    uint64_t samples_played;    /* all that left while there was a stream */
    uint64_t samples_concealed; /* of these, made up because a packet did not come (in time) */
    uint64_t samples_recovered; /* of these, out of FEC */
    uint64_t samples_stretched; /* put in to play slower */
    uint64_t samples_shrunk;    /* left out to play faster */
    uint64_t samples_silent;    /* comfort pauses of a sender with DTX, and a stream that stopped */
    uint64_t frames_played;     /* packets decoded */
    uint64_t frames_recovered;  /* lost, but found as FEC in the next packet */
    uint64_t frames_lost;       /* neither came nor could be recovered */
    uint64_t packets_late;      /* came after their time */
    uint64_t packets_duplicated;
    uint64_t packets_refused;  /* malformed, too long, or no room */
    uint64_t concealments;     /* how often concealment began */
    uint64_t resets;           /* how often the stream jumped and playout began anew */
    usec buffer_delay;         /* of the packet played last: from its arrival to its sound */
    usec buffer_delay_sum;     /* the same of all packets played; divide by frames_played */
    usec target_delay;         /* aimed at now */
    uint32_t last_timestamp;   /* RTP time stamp of the first sample that the last pull gave... */
    bool last_timestamp_valid; /* ...if a packet was heard at all */
};

struct playout;

/* NULL if out of memory or the configuration makes no sense. */
struct playout *playout_new(const struct playout_config *config);
void playout_free(struct playout *playout);

/* A packet arrived at `now`. */
enum playout_inserted playout_insert(struct playout *playout, const struct playout_packet *packet,
                                     usec now);

/* The sink wants its next 10 ms. `now` need not be regular. */
void playout_pull(struct playout *playout, struct playout_sound *out, usec now);

/* Forgets the stream (another SSRC, resumed from hold); statistics go on. */
void playout_reset(struct playout *playout);

/* Raises the floor of the delay, for sound that has to wait for its picture. */
void playout_set_min_delay(struct playout *playout, usec delay);

void playout_stats(const struct playout *playout, struct playout_stats *out);

#endif
