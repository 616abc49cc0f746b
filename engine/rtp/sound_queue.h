/* Decoded sound that waits for the sink, with a little of what was played before it, which the next
 * sound is fitted to. Counts are samples per channel. */
#ifndef JINGLE_RTP_SOUND_QUEUE_H
#define JINGLE_RTP_SOUND_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SOUND_QUEUE_PAST = 600,     /* kept of what was played: stretch_longest() at 48 kHz */
    SOUND_QUEUE_APPEND = 6400,  /* room at the end: the longest packet and one period more */
    SOUND_QUEUE_WAITING = 1000, /* that may wait before a packet is appended */
};

struct sound_queue {
    int16_t *samples;
    size_t start; /* the next to be played */
    size_t end;
    unsigned channels;
    uint32_t rate;
};

bool sound_queue_init(struct sound_queue *queue, unsigned channels);
void sound_queue_release(struct sound_queue *queue);

/* Empties it, past and all. */
void sound_queue_restart(struct sound_queue *queue, uint32_t rate);

/* Where to write up to SOUND_QUEUE_APPEND samples, which sound_queue_append() then adds. At least
 * SOUND_QUEUE_PAST samples stand before it, at worst zeros. */
int16_t *sound_queue_room(struct sound_queue *queue);
void sound_queue_append(struct sound_queue *queue, size_t count);

size_t sound_queue_count(const struct sound_queue *queue);
void sound_queue_take(struct sound_queue *queue, int16_t *out, size_t count);

#endif
