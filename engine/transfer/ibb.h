/* In-band bytestreams (XEP-0047), pure: which block may go when, which that came is the next. The
 * stanzas and base64 are made by others; here a block is its number and its size.
 *
 *     ibb_sender_room ─▶ read that many bytes ─▶ ibb_sender_sent: seq ─▶ <data/> ─▶ peer
 *     result of its IQ ─▶ ibb_sender_acked ─▶ room again;  all acknowledged ─▶ <close/>
 *
 *     <data seq/> ─▶ ibb_receiver_take ─▶ write it ─▶ ibb_receiver_written: acknowledge it
 */
#ifndef JINGLE_TRANSFER_IBB_H
#define JINGLE_TRANSFER_IBB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

enum {
    IBB_WINDOW_MAX = 16,
    IBB_BLOCK_DEFAULT = 4096, /* what XEP-0047 recommends; Conversations knows up to 8192 */
    IBB_BLOCK_MAX = 65535,
    IBB_FLYING_LEAST = 512, /* bytes under way, however slow the server; so it begins, for there
                               may be many streams at once */
    IBB_TRIAL = 32 * 1024,  /* as long as no more has come through, one block is under way: stock
                               Prosody takes some 20 kB at once before it holds back */
    IBB_HELD_MAX = 32       /* blocks of a peer that wait to be written; more break the stream */
};

/* A stanza of a call must not wait for longer behind our blocks: when acknowledgements take more
 * than the first, half as much is put under way; when they take less than the second, more. Stock
 * Prosody lets 10 kB/s pass. */
#define IBB_DELAY_HIGH (600 * USEC_PER_MS)
#define IBB_DELAY_LOW  (300 * USEC_PER_MS)

/* No acknowledgement of the oldest block for so long: the peer or a server is gone. */
#define IBB_ACKNOWLEDGE_LIMIT (60 * USEC_PER_SEC)

struct ibb_flight {
    uint16_t seq;
    size_t size;
    usec sent;
    bool acked;
};

struct ibb_sender {
    size_t block_size;
    unsigned window;
    struct ibb_flight flights[IBB_WINDOW_MAX]; /* oldest first, a ring */
    unsigned first;
    unsigned count;
    uint16_t next;
    size_t flying;  /* bytes under way */
    size_t allowed; /* of them */
    usec slowed;    /* when that was halved; 0: never */
    uint64_t sent;  /* bytes */
    uint64_t acked; /* bytes that the peer has for certain: all up to here are acknowledged */
    bool broken;
};

/* Block size and window are brought into their limits. */
void ibb_sender_init(struct ibb_sender *sender, size_t block_size, unsigned window);

/* How many bytes the next block may have, at most the block size; 0: wait for an acknowledgement,
 * or the stream is over. */
size_t ibb_sender_room(const struct ibb_sender *sender);

/* A block of this size, 1 to room, goes out now under the number that is returned. */
uint16_t ibb_sender_sent(struct ibb_sender *sender, size_t size, usec now);

/* The result of a block's IQ, in whatever order. False if that block is not under way. */
bool ibb_sender_acked(struct ibb_sender *sender, uint16_t seq, usec now);

/* An error in its place, or <close/> by the peer: nothing more may be sent. */
void ibb_sender_break(struct ibb_sender *sender);

/* Nothing is under way: <close/> may be sent if all was. */
bool ibb_sender_idle(const struct ibb_sender *sender);

/* When the oldest block under way is to be given up; USEC_NEVER. */
usec ibb_sender_deadline(const struct ibb_sender *sender);

enum ibb_verdict {
    IBB_NEXT,      /* take its bytes */
    IBB_DUPLICATE, /* <unexpected-request/>; the stream goes on */
    IBB_LOST,      /* one is missing before it: close (XEP-0047, 2.2) */
    IBB_TOO_LARGE, /* <bad-request/>: close */
    IBB_TOO_MANY,  /* more blocks than may wait: <resource-constraint/>, close */
    IBB_CLOSED     /* <item-not-found/> */
};

struct ibb_receiver {
    size_t block_size;
    uint16_t next;
    unsigned held;     /* taken and not yet written */
    uint64_t received; /* bytes */
    bool closed;
};

void ibb_receiver_init(struct ibb_receiver *receiver, size_t block_size);

/* A block with this number (taken modulo 65536, for Conversations 2.10 does not wrap it) and so
 * many bytes. Every verdict from LOST on closes the stream. */
enum ibb_verdict ibb_receiver_take(struct ibb_receiver *receiver, uint32_t seq, size_t size);

/* The oldest block that was taken is written, and may be acknowledged. */
void ibb_receiver_written(struct ibb_receiver *receiver);

/* <close/> from either side. What was taken may still be written. */
void ibb_receiver_close(struct ibb_receiver *receiver);

#endif
