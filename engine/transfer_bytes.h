/* The bytes of one transfer once there is a way for them: a file_mover whose news come to the I/O
 * thread, and the hashes that both sides tell of.
 *
 *     sending:    begin ─▶ progress … ─▶ sent (hashes) ─▶ ended OK; the stream stays open until
 *                 close, and hung_up tells when the peer leaves it
 *     receiving:  begin ─▶ progress … ─▶ [wait for the checksum] ─▶ compare, publish ─▶ ended
 *
 * All functions and hooks on the I/O thread; close waits for the mover on the closer's. */
#ifndef JINGLE_ENGINE_TRANSFER_BYTES_H
#define JINGLE_ENGINE_TRANSFER_BYTES_H

#include "loop.h"
#include "signaling/file_description.h"
#include "transfer/file_mover.h"

/* A checksum that was announced is waited for so long. */
#define TRANSFER_CHECKSUM_LIMIT (10 * USEC_PER_SEC)

struct transfer_bytes_hooks {
    void *user;
    /* `checking`: what is kept or skipped is being read for its hash, `progress` is of that. */
    void (*progress)(void *user, const struct progress *progress, bool checking);
    /* Sending: the last byte is in the stream. */
    void (*sent)(void *user, const struct hash_value *hashes, size_t count);
    /* Nothing more moves. Receiving and OK: it is published. `touched`: at least one byte moved. */
    void (*ended)(void *user, enum transfer_status status, bool touched);
    /* Sending: the peer closed the stream after the last byte. */
    void (*hung_up)(void *user);
};

struct transfer_bytes_config {
    struct loop *io;
    struct loop *closer;
    int stream; /* belongs to the bytes, also when they are not made */
    bool receiving;
    struct byte_source source; /* sending */
    struct byte_sink sink;     /* receiving */
    uint64_t offset;
    uint64_t end;
    unsigned algorithms;          /* sending */
    const struct file_hash *told; /* receiving: what was announced; copied */
    size_t told_count;
    uint64_t rate_limit;
    usec checksum_limit; /* 0: TRANSFER_CHECKSUM_LIMIT */
    struct transfer_bytes_hooks hooks;
};

struct transfer_bytes;

/* NULL if there are no threads, descriptors or memory left. */
struct transfer_bytes *transfer_bytes_begin(const struct transfer_bytes_config *config);

void transfer_bytes_set_rate_limit(struct transfer_bytes *bytes, uint64_t bytes_per_second);

/* Sending, when all is sent: the stream ends in this direction. Prosody's proxy (0.12) may hold the
 * last bytes until then. */
void transfer_bytes_say_end(struct transfer_bytes *bytes);

/* `ended` follows. */
void transfer_bytes_cancel(struct transfer_bytes *bytes);

/* Receiving: hashes that the sender told by a checksum. */
void transfer_bytes_checksum(struct transfer_bytes *bytes, const struct file_hash *hashes,
                             size_t count);

/* Receiving: there is a hash to compare with. */
bool transfer_bytes_can_compare(const struct transfer_bytes *bytes);

/* Frees it: hooks are not called any more. `closed` (may be NULL) is called on the closer's thread
 * when neither stream nor source nor sink are used any more; if the mover has not ended that takes
 * as long as a disk takes. */
void transfer_bytes_close(struct transfer_bytes *bytes, void (*closed)(void *arg), void *arg);

#endif
