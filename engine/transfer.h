/* The handle that an application holds of a file on its way: a counted reference with what may be
 * asked from any thread. The rest of it is made of halves that the I/O thread joins
 * (client_files.c):
 *
 *     struct account_file      whom, when, which way         (signaling/account_files.h)
 *     struct transfer_stream   sockets and in-band blocks    (transfer_stream.h)
 *     struct transfer_bytes    the mover and its hashes      (transfer_bytes.h)
 *     struct transfer_source, _sink   the application's file
 *
 * or, when it is uploaded, of one more: struct transfer_upload. */
#ifndef JINGLE_ENGINE_TRANSFER_H
#define JINGLE_ENGINE_TRANSFER_H

#include "base/clock.h"
#include "signaling/account_files.h"
#include "transfer/hash.h"
#include "transfer/progress.h"

#include <jingle/jingle.h>

#include <glib.h>
#include <pthread.h>
#include <stdatomic.h>

/* In a client, those that wait for an answer included. */
#define CLIENT_TRANSFERS_MAX ACCOUNT_FILES_MAX

enum transfer_stage {
    TRANSFER_STAGE_OFFERED, /* by the peer, or asked for: the application's answer is awaited */
    TRANSFER_STAGE_AGREED,  /* by us; the peer may still think about it */
    TRANSFER_STAGE_ENDED,
};

struct jingle_transfer {
    _Atomic int references;
    jingle_client *client; /* gone some time after STAGE_ENDED: see transfer_orders.c */
    _Atomic(void *) user;
    bool sending;

    pthread_mutex_t lock; /* what follows is written by the engine and read by the application */
    enum transfer_stage stage;
    GStringChunk *text; /* the next three, also those that were given out before */
    const char *peer;
    const char *id;
    const char *name;
    jingle_transfer_statistics statistics;
    uint8_t *memory; /* that was received; NULL until it is whole */
    size_t memory_bytes;

    /* Written before the application hears of it; a request's on the I/O thread. */
    struct file_description file;

    /* the I/O thread only */
    struct account_file *signaling; /* NULL once it ended, and for an upload */
    struct transfer_stream *stream;
    struct transfer_bytes *bytes;
    struct transfer_upload *upload;
    struct transfer_source *source;
    struct transfer_sink *sink; /* the closer's while `opening` */
    jingle_file_sink wanted;    /* for what we asked for, until it is known what that is */
    bool opening;
    jingle_status opened; /* how it went */
    int waiting;          /* a descriptor that waits for the sink; -1: none */
    uint64_t rate_limit;
    uint64_t offset; /* of the first byte that moves */
    uint64_t length; /* 0: to the end */
    jingle_way way;
    usec began;     /* when bytes began to flow; 0: they did not */
    bool stopped;   /* nothing moves any more */
    bool moved;     /* all is moved; received: and published */
    bool drained;   /* in-band: and acknowledged */
    bool untouched; /* the stream broke before its first byte */
    bool broke;     /* one stream did, and another was looked for */
    bool over;      /* what follows is how it ended; only closing is left */
    bool closing;
    /* Sending: of what was sent. Receiving: what a checksum told before the first byte. */
    struct file_hash hashes[FILE_HASHES_MAX];
    size_t hash_count;
    GSource *patience; /* the bytes broke off: signalling may know why */
    jingle_status status;
    jingle_party by;
    char *said; /* by the peer; NULL: nothing */
    char *url;
    char *path; /* the closer's; then the I/O thread's */
};

/* With one reference. `file` is copied. */
jingle_transfer *jingle_transfer_new(jingle_client *client, const char *peer,
                                     const struct file_description *file, bool sending,
                                     enum transfer_stage stage);

enum transfer_stage jingle_transfer_stage(jingle_transfer *transfer);
void jingle_transfer_set_stage(jingle_transfer *transfer, enum transfer_stage stage);
/* What is learned late. What was given out before stays valid. */
void jingle_transfer_set_id(jingle_transfer *transfer, const char *id);
void jingle_transfer_set_peer(jingle_transfer *transfer, const char *peer);
void jingle_transfer_set_name(jingle_transfer *transfer, const char *name);

/* What jingle_transfer_get_statistics() answers from now on. */
void jingle_transfer_publish(jingle_transfer *transfer, const struct progress *progress,
                             bool checking, usec now);
void jingle_transfer_set_way(jingle_transfer *transfer, jingle_way way);
void jingle_transfer_set_hash(jingle_transfer *transfer, jingle_hash_state hash);
jingle_transfer_statistics jingle_transfer_known(jingle_transfer *transfer);

/* Takes what was received into memory. */
void jingle_transfer_set_memory(jingle_transfer *transfer, uint8_t *memory, size_t bytes);

#endif
