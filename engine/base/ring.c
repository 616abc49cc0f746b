#include "base/ring.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct ring {
    size_t size; /* a power of two; positions only grow and are taken modulo this */
    _Alignas(64) _Atomic size_t written;
    _Alignas(64) _Atomic size_t read;
    _Alignas(64) int16_t samples[];
};

struct ring *ring_new(size_t samples)
{
    size_t size = 64;
    while (size < samples) {
        size *= 2;
    }
    struct ring *ring = aligned_alloc(64, sizeof *ring + size * sizeof(int16_t));
    if (ring) {
        memset(ring, 0, sizeof *ring);
        ring->size = size;
    }
    return ring;
}

void ring_free(struct ring *ring)
{
    free(ring);
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t ring_write(struct ring *ring, const int16_t *samples, size_t count)
{
    size_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);
    size_t read = atomic_load_explicit(&ring->read, memory_order_acquire);
    count = smaller(count, ring->size - (written - read));
    size_t at = written & (ring->size - 1);
    size_t first = smaller(count, ring->size - at);
    memcpy(ring->samples + at, samples, first * sizeof *samples);
    memcpy(ring->samples, samples + first, (count - first) * sizeof *samples);
    atomic_store_explicit(&ring->written, written + count, memory_order_release);
    return count;
}

size_t ring_read(struct ring *ring, int16_t *out, size_t count)
{
    size_t read = atomic_load_explicit(&ring->read, memory_order_relaxed);
    size_t written = atomic_load_explicit(&ring->written, memory_order_acquire);
    count = smaller(count, written - read);
    size_t at = read & (ring->size - 1);
    size_t first = smaller(count, ring->size - at);
    memcpy(out, ring->samples + at, first * sizeof *out);
    memcpy(out + first, ring->samples, (count - first) * sizeof *out);
    atomic_store_explicit(&ring->read, read + count, memory_order_release);
    return count;
}

size_t ring_skip(struct ring *ring, size_t count)
{
    size_t read = atomic_load_explicit(&ring->read, memory_order_relaxed);
    size_t written = atomic_load_explicit(&ring->written, memory_order_acquire);
    count = smaller(count, written - read);
    atomic_store_explicit(&ring->read, read + count, memory_order_release);
    return count;
}

size_t ring_used(const struct ring *ring)
{
    return atomic_load_explicit(&ring->written, memory_order_acquire) -
           atomic_load_explicit(&ring->read, memory_order_acquire);
}

size_t ring_capacity(const struct ring *ring)
{
    return ring->size;
}
