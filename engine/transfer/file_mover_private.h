/* What the files of a mover share: file_mover.c (its thread, its orders, waiting),
 * file_mover_send.c and file_mover_receive.c. */
#ifndef JINGLE_TRANSFER_FILE_MOVER_PRIVATE_H
#define JINGLE_TRANSFER_FILE_MOVER_PRIVATE_H

#include "transfer/file_mover.h"

#include <pthread.h>

#include "transfer/rate_limit.h"

/* What other threads want; the mover looks between two slices. */
struct mover_orders {
    bool cancel;
    bool pause;
    bool finish;
    uint64_t rate_limit;
    struct hash_value hashes[HASH_ALGORITHMS]; /* that the peer told, with `finish` */
    size_t hash_count;
};

struct file_mover {
    struct mover_config config;
    pthread_t thread;
    pthread_mutex_t lock; /* of the orders */
    struct mover_orders orders;
    int wake; /* eventfd: there are new orders */
    /* the thread's own */
    uint8_t *buffer;
    struct hasher *hasher; /* NULL: none is wanted */
    struct rate_limit limit;
    struct progress progress;
    usec moved; /* when a byte moved last */
    uint64_t at;
};

struct mover_orders mover_orders(struct file_mover *mover);

/* Between two slices: CANCELED, or OK after a pause. */
enum transfer_status mover_obey(struct file_mover *mover);

/* Until the stream has one of these poll() events (0: it is not asked), there are new orders, or
 * `until`. STALLED if nothing moved for too long. */
enum transfer_status mover_wait(struct file_mover *mover, short events, usec until);

/* Obeys, and keeps to the rate: how many of `wanted` bytes may move now; `*allowed` may be 0. */
enum transfer_status mover_allowance(struct file_mover *mover, size_t wanted, size_t *allowed);

/* So many bytes moved, not counted in `at`: progress, rate, stall. True if a report was due. */
bool mover_moved(struct file_mover *mover, size_t bytes);

void mover_tell(struct file_mover *mover, enum mover_event_kind kind, enum transfer_status status);

enum transfer_status mover_send(struct file_mover *mover);
enum transfer_status mover_receive(struct file_mover *mover);

/* Receiving, after ALL_MOVED: waits for what the peer told, compares, publishes. */
enum transfer_status mover_conclude(struct file_mover *mover);

#endif
