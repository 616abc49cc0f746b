/* The packets that are missing, and when each is asked for (RFC 4585, section 6.2.1): at once where
 * the network keeps the order, a little later where it does not, then after each round trip, until
 * it comes, was asked for often enough, or is too old. From the second time on a request is made
 * twice, for it may be lost itself; a sender answers only one within a round trip.
 *
 * Sequence numbers here are extended: they do not wrap. */
#ifndef JINGLE_RTP_NACK_LIST_H
#define JINGLE_RTP_NACK_LIST_H

#include "base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NACK_LIST_MAX  256 /* packets that are missed at a time */
#define NACK_TRIES_MAX 10

struct nack_entry {
    int64_t sequence;
    usec missed; /* since */
    usec asked;  /* last; USEC_NEVER: not yet */
    bool twice;  /* and once more after that */
    unsigned tries;
};

/* Begins with zeros. */
struct nack_list {
    struct nack_entry entries[NACK_LIST_MAX]; /* in ascending order */
    size_t count;
    usec disorder; /* how late packets come that were only overtaken */
};

/* These packets (from `first` up to before `end`) are missing, all of them newer than what is in
 * the list. False if they are too many: then nothing is added. */
bool nack_list_miss(struct nack_list *list, int64_t first, int64_t end, usec now);

/* A packet came; true if it was missed. `again`: as a retransmission over rtx. */
bool nack_list_came(struct nack_list *list, int64_t sequence, bool again, usec round_trip,
                    usec now);

/* What is to be asked for now, in ascending order; it counts as asked. */
size_t nack_list_ask(struct nack_list *list, usec round_trip, usec now, int64_t *sequences,
                     size_t capacity);

/* Forgets what was asked for in vain NACK_TRIES_MAX times, or is missed for longer than `age`.
 * Returns how many. */
size_t nack_list_give_up(struct nack_list *list, usec round_trip, usec age, usec now);

/* Nothing before this is needed any more. */
void nack_list_forget_before(struct nack_list *list, int64_t sequence);

/* Whether something before this may still come. */
bool nack_list_waits_before(const struct nack_list *list, int64_t sequence);

/* How long to wait for a packet that may only have been overtaken. */
usec nack_list_patience(const struct nack_list *list);

/* When nack_list_give_up() has something to do, or (if it `asks`) nack_list_ask(); USEC_NEVER if
 * the list is empty. */
usec nack_list_deadline(const struct nack_list *list, bool asks, usec round_trip, usec age);

#endif
