#include "tests/sim/network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct datagram {
    usec arrival;
    uint64_t order; /* of those that arrive at one time, the first sent comes first */
    unsigned tag;
    size_t size;
    uint8_t *data;
};

struct network {
    struct network_config config;
    uint64_t random;
    struct network_counts counts;
    bool bad;        /* the Gilbert-Elliott state */
    usec outage_end; /* nothing sent before this gets through */
    usec line_free;  /* when the slow link has sent all that waits */
    usec latest;     /* arrival so far, for `in_order` */
    uint64_t order;
    struct datagram *heap; /* earliest arrival first */
    size_t used;
    size_t room;
};

uint64_t random_next(uint64_t *state)
{
    /* splitmix64: any seed will do, also 0 */
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

double random_uniform(uint64_t *state)
{
    return (double)(random_next(state) >> 11) * 0x1p-53;
}

double random_normal(uint64_t *state)
{
    double radius = sqrt(-2 * log(1 - random_uniform(state)));
    return radius * cos(2 * M_PI * random_uniform(state));
}

struct network *network_new(const struct network_config *config, uint64_t seed)
{
    struct network *network = calloc(1, sizeof *network);
    if (network) {
        network->config = *config;
        network->random = seed;
    }
    return network;
}

void network_free(struct network *network)
{
    if (!network) {
        return;
    }
    for (size_t i = 0; i < network->used; i++) {
        free(network->heap[i].data);
    }
    free(network->heap);
    free(network);
}

void network_change(struct network *network, const struct network_config *config)
{
    network->config = *config;
}

void network_outage(struct network *network, usec end)
{
    network->outage_end = end;
}

static bool earlier(const struct datagram *a, const struct datagram *b)
{
    return a->arrival != b->arrival ? a->arrival < b->arrival : a->order < b->order;
}

static void swap(struct datagram *a, struct datagram *b)
{
    struct datagram kept = *a;
    *a = *b;
    *b = kept;
}

static void heap_push(struct network *network, struct datagram datagram)
{
    if (network->used == network->room) {
        size_t room = network->room ? 2 * network->room : 64;
        struct datagram *heap = realloc(network->heap, room * sizeof *heap);
        if (!heap) {
            abort();
        }
        network->heap = heap;
        network->room = room;
    }
    size_t at = network->used++;
    network->heap[at] = datagram;
    while (at > 0 && earlier(&network->heap[at], &network->heap[(at - 1) / 2])) {
        swap(&network->heap[at], &network->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
}

static struct datagram heap_pop(struct network *network)
{
    struct datagram *heap = network->heap;
    struct datagram first = heap[0];
    heap[0] = heap[--network->used];
    for (size_t at = 0;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2; child++) {
            if (child < network->used && earlier(&heap[child], &heap[least])) {
                least = child;
            }
        }
        if (least == at) {
            return first;
        }
        swap(&heap[at], &heap[least]);
        at = least;
    }
}

/* Draws the same number of deviates for every datagram, so that two runs that differ in one option
 * meet the same chance elsewhere. */
static bool is_lost(struct network *network, usec now)
{
    const struct network_config *config = &network->config;
    bool lost = random_uniform(&network->random) < config->loss;
    double change = random_uniform(&network->random);
    if (change < (network->bad ? config->burst_end : config->burst_begin)) {
        network->bad = !network->bad;
    }
    return lost || network->bad || now < network->outage_end;
}

static usec jitter(struct network *network)
{
    const struct network_config *config = &network->config;
    double normal = random_normal(&network->random);
    double uniform = 2 * random_uniform(&network->random) - 1;
    switch (config->shape) {
    case NETWORK_JITTER_UNIFORM:
        return (usec)(uniform * (double)config->jitter);
    case NETWORK_JITTER_NORMAL:
        return (usec)(normal * (double)config->jitter);
    case NETWORK_JITTER_NONE:
        break;
    }
    return 0;
}

/* The time that the last bit leaves the slow link, or USEC_NEVER if its queue is full. */
static usec leave_line(struct network *network, usec now, size_t size)
{
    const struct network_config *config = &network->config;
    if (config->rate == 0) {
        return now;
    }
    usec start = network->line_free > now ? network->line_free : now;
    double waiting = (double)(start - now) * config->rate / 8 / USEC_PER_SEC;
    if (waiting + (double)size > (double)config->queue) {
        return USEC_NEVER;
    }
    network->line_free = start + (usec)((double)size * 8 * USEC_PER_SEC / config->rate);
    return network->line_free;
}

static void deliver(struct network *network, usec arrival, const void *data, size_t size,
                    unsigned tag)
{
    if (network->config.in_order && arrival < network->latest) {
        arrival = network->latest;
    }
    network->latest = arrival > network->latest ? arrival : network->latest;
    uint8_t *copy = malloc(size);
    if (!copy) {
        abort();
    }
    memcpy(copy, data, size);
    heap_push(
        network,
        (struct datagram){
            .arrival = arrival, .order = network->order++, .tag = tag, .size = size, .data = copy});
}

void network_send(struct network *network, usec now, const void *data, size_t size, unsigned tag)
{
    const struct network_config *config = &network->config;
    if (size == 0) {
        return;
    }
    network->counts.sent++;
    network->counts.bytes_sent += size;
    bool lost = is_lost(network, now);
    bool twice = random_uniform(&network->random) < config->duplicate;
    bool held = random_uniform(&network->random) < config->reorder;
    usec varied = config->delay + jitter(network) + (held ? config->reorder_by : 0);
    if (lost) {
        network->counts.lost++;
        return;
    }
    usec left = leave_line(network, now, size);
    if (left == USEC_NEVER) {
        network->counts.overflowed++;
        return;
    }
    usec arrival = left + (varied > 0 ? varied : 0);
    deliver(network, arrival, data, size, tag);
    if (twice) {
        network->counts.duplicated++;
        deliver(network, arrival + USEC_PER_MS, data, size, tag);
    }
}

usec network_next(const struct network *network)
{
    return network->used > 0 ? network->heap[0].arrival : USEC_NEVER;
}

size_t network_receive(struct network *network, usec now, void *out, size_t size, usec *arrival,
                       unsigned *tag)
{
    if (network_next(network) > now || network->used == 0) {
        return 0;
    }
    struct datagram first = heap_pop(network);
    size_t copied = first.size < size ? first.size : size;
    memcpy(out, first.data, copied);
    free(first.data);
    network->counts.delivered++;
    network->counts.bytes_delivered += first.size;
    if (arrival) {
        *arrival = first.arrival;
    }
    if (tag) {
        *tag = first.tag;
    }
    return copied;
}

usec network_queued(const struct network *network, usec now)
{
    return network->line_free > now ? network->line_free - now : 0;
}

void network_counts(const struct network *network, struct network_counts *out)
{
    *out = network->counts;
}
