/* Makes an in-band bytestream (XEP-0047) a byte stream like any other for a mover: it is the other
 * half of a pair of sockets.
 *
 *     mover ═ pair ═ ibb_stream ── hooks.send ──▶ <data/> ── result ──▶ ibb_stream_acked
 *     <data/> ──▶ ibb_stream_take ─▶ pair ═ mover;   written: hooks.acknowledge ──▶ result
 *
 * Back-pressure goes through: a full pair is not read from or not acknowledged. Memory is bounded
 * by IBB_HELD_MAX blocks. Lives on one thread, that of its GMainContext. */
#ifndef JINGLE_TRANSFER_IBB_STREAM_H
#define JINGLE_TRANSFER_IBB_STREAM_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "transfer/ibb.h"

/* Hooks may call the stream, but not free it. */
struct ibb_stream_hooks {
    /* Send this block; tell what becomes of it by ibb_stream_acked() or _refused(). */
    void (*send)(void *user, uint16_t seq, const uint8_t *bytes, size_t size);
    /* The block that was taken with this token is written: answer its stanza. In order. */
    void (*acknowledge)(void *user, void *token);
    /* After ibb_stream_finish(): all is acknowledged, send <close/>. */
    void (*drained)(void *user);
    /* No acknowledgement for IBB_ACKNOWLEDGE_LIMIT: the stream is over. */
    void (*stalled)(void *user);
    void *user;
};

struct ibb_stream_config {
    GMainContext *context;
    size_t block_size; /* as negotiated */
    unsigned window;   /* of our blocks; 1 for peers that are not known to bear more */
    struct ibb_stream_hooks hooks;
};

struct ibb_stream;

/* `*mover_end` is for the mover. NULL if there are no descriptors left. */
struct ibb_stream *ibb_stream_new(const struct ibb_stream_config *config, int *mover_end);

/* Tokens that were not acknowledged are forgotten. */
void ibb_stream_free(struct ibb_stream *stream);

/* The result of one of our blocks; one that is not under way is nothing. */
void ibb_stream_acked(struct ibb_stream *stream, uint16_t seq);

/* An error in its place: nothing more is sent, and the mover's stream breaks. */
void ibb_stream_refused(struct ibb_stream *stream);

/* The mover has put its last byte into the pair. */
void ibb_stream_finish(struct ibb_stream *stream);

/* A block of the peer. If it is IBB_NEXT it will be acknowledged with its token, maybe from within;
 * otherwise the caller answers it, and from IBB_LOST on the mover's stream ends behind what came.
 */
enum ibb_verdict ibb_stream_take(struct ibb_stream *stream, uint32_t seq, const uint8_t *bytes,
                                 size_t size, void *token);

/* <close/> by the peer: the mover's stream ends behind what came. */
void ibb_stream_closed(struct ibb_stream *stream);

/* Of our bytes, how many the peer has for certain. */
uint64_t ibb_stream_delivered(const struct ibb_stream *stream);

#endif
