/* A ring of 16-bit samples between one writing and one reading thread, without locks, allocation
 * or system calls: the only thing that a sound device's callback touches. */
#ifndef JINGLE_BASE_RING_H
#define JINGLE_BASE_RING_H

#include <stddef.h>
#include <stdint.h>

struct ring;

/* Holds at least `samples` samples. */
struct ring *ring_new(size_t samples);
void ring_free(struct ring *ring);

/* The writing thread: copies what fits and returns how many samples that were. */
size_t ring_write(struct ring *ring, const int16_t *samples, size_t count);

/* The reading thread: copies what is there, at most `count`, and returns how many. */
size_t ring_read(struct ring *ring, int16_t *out, size_t count);

/* The reading thread: forgets up to `count` samples. */
size_t ring_skip(struct ring *ring, size_t count);

/* Either thread: how many samples wait to be read. */
size_t ring_used(const struct ring *ring);

size_t ring_capacity(const struct ring *ring);

#endif
