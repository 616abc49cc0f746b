/* Moves the bytes of one file between an end (byte_ends.h) and a byte stream, on a thread of its
 * own with low priority, so that neither a slow disk nor a long hash ever holds up a call.
 *
 *     sending:    hash what is skipped ─▶ read ─▶ hash ─▶ stream … ALL_MOVED ─▶ ENDED
 *     receiving:  hash what is kept ─▶ stream ─▶ hash ─▶ write … sync ─▶ ALL_MOVED
 *                                              file_mover_finish ─▶ compare ─▶ publish ─▶ ENDED
 *
 * Memory is one buffer, whatever the size. Without hashes sending is sendfile(). A thread a
 * transfer because a disk that hangs then holds up that transfer only; the engine limits how many
 * there are.
 *
 * Hooks are called on the mover's thread. */
#ifndef JINGLE_TRANSFER_FILE_MOVER_H
#define JINGLE_TRANSFER_FILE_MOVER_H

#include <stdbool.h>

#include "base/clock.h"
#include "transfer/byte_ends.h"
#include "transfer/hash.h"
#include "transfer/progress.h"

enum { MOVER_BUFFER = 256 * 1024 };

/* Not one byte moved for so long, pauses aside; and of a file that is gone on with longer at first,
 * for the peer may still be reading for its hash what does not move, at no less than
 * MOVER_CHECK_RATE (bytes a microsecond, 20 MB/s). */
#define MOVER_STALL_LIMIT (60 * USEC_PER_SEC)
enum { MOVER_CHECK_RATE = 20 };

enum mover_event_kind {
    MOVER_HASHING,   /* what is skipped or kept is being hashed: `progress` of that */
    MOVER_PROGRESS,  /* at most 4 a second, and once at the end */
    MOVER_ALL_MOVED, /* the last byte is in the stream, or synced: `hashes` */
    MOVER_ENDED      /* `status`. The last event. */
};

struct mover_event {
    enum mover_event_kind kind;
    enum transfer_status status;
    struct progress progress;                  /* as of now */
    struct hash_value hashes[HASH_ALGORITHMS]; /* of all bytes from 0 to `end` */
    size_t hash_count;
};

struct mover_config {
    int stream; /* belongs to the mover, also when it is not made */
    bool receiving;
    struct byte_source source; /* sending: stays where it is until the mover is freed */
    struct byte_sink sink;     /* receiving: likewise */
    uint64_t offset;           /* of the first byte that moves */
    uint64_t end;              /* behind the last one; receiving: the size of the file */
    unsigned algorithms;       /* set of hashes of all bytes from 0 to `end`; 0: none */
    uint64_t rate_limit;       /* bytes/s; 0: none */
    usec stall_limit;          /* 0: MOVER_STALL_LIMIT */
    void (*event)(void *user, const struct mover_event *event);
    void *user;
};

struct file_mover;

/* Starts at once. NULL if there are no threads, descriptors or memory left. */
struct file_mover *file_mover_new(const struct mover_config *config);

/* Any thread, but for free not the mover's own. */
void file_mover_pause(struct file_mover *mover, bool pause);
void file_mover_set_rate_limit(struct file_mover *mover, uint64_t bytes_per_second);

/* Ends with TRANSFER_CANCELED unless it has ended. Sinks keep what they have. */
void file_mover_cancel(struct file_mover *mover);

/* Receiving, after ALL_MOVED or before: these are the hashes that the peer told (maybe none). Those
 * of algorithms that were computed must be equal: the file is published, or discarded. */
void file_mover_finish(struct file_mover *mover, const struct hash_value *hashes, size_t count);

/* Cancels, waits for the thread (as long as a disk takes) and closes the stream. */
void file_mover_free(struct file_mover *mover);

#endif
