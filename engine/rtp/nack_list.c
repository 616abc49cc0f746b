#include "rtp/nack_list.h"

#include <string.h>

/* The longest wait for a packet that was only overtaken. */
#define DISORDER_MAX (60 * USEC_PER_MS)

/* A retransmission takes a round trip and the time in the sender's queue. */
#define REPEAT_LEAST (20 * USEC_PER_MS)

static usec repeat_interval(usec round_trip)
{
    usec interval = round_trip + round_trip / 8 + 5 * USEC_PER_MS;
    return interval < REPEAT_LEAST ? REPEAT_LEAST : interval;
}

bool nack_list_miss(struct nack_list *list, int64_t first, int64_t end, usec now)
{
    if (end - first > (int64_t)(NACK_LIST_MAX - list->count)) {
        return false;
    }
    for (int64_t sequence = first; sequence < end; sequence++) {
        list->entries[list->count++] =
            (struct nack_entry){.sequence = sequence, .missed = now, .asked = USEC_NEVER};
    }
    return true;
}

/* The first entry that is not before this. */
static size_t find(const struct nack_list *list, int64_t sequence)
{
    size_t low = 0;
    size_t high = list->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (list->entries[middle].sequence < sequence) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void remove_at(struct nack_list *list, size_t at, size_t count)
{
    list->count -= count;
    memmove(&list->entries[at], &list->entries[at + count],
            (list->count - at) * sizeof list->entries[0]);
}

/* A packet came by itself: it was overtaken by others. The longest such wait is kept and fades. */
static void learn_disorder(struct nack_list *list, usec wait)
{
    wait = wait > DISORDER_MAX ? DISORDER_MAX : wait;
    usec faded = list->disorder - list->disorder / 16;
    list->disorder = wait > faded ? wait : faded;
}

bool nack_list_came(struct nack_list *list, int64_t sequence, bool again, usec round_trip, usec now)
{
    size_t at = find(list, sequence);
    if (at == list->count || list->entries[at].sequence != sequence) {
        return false;
    }
    const struct nack_entry *entry = &list->entries[at];
    bool answered = entry->tries > 0 && now - entry->asked >= round_trip * 3 / 4;
    if (!again && !answered) {
        learn_disorder(list, now - entry->missed);
    } else if (list->disorder > 0) {
        list->disorder -= list->disorder / 16; /* it was lost, not late */
    }
    remove_at(list, at, 1);
    return true;
}

usec nack_list_patience(const struct nack_list *list)
{
    return list->disorder < USEC_PER_MS ? 0 : list->disorder + list->disorder / 4;
}

static bool asks_twice(const struct nack_entry *entry)
{
    return entry->tries > 1 && !entry->twice;
}

static usec entry_due(const struct nack_list *list, const struct nack_entry *entry, usec round_trip)
{
    if (entry->tries == 0) {
        return entry->missed + nack_list_patience(list);
    }
    return entry->asked + repeat_interval(round_trip) / (asks_twice(entry) ? 4 : 1);
}

static bool may_ask(const struct nack_entry *entry)
{
    return entry->tries < NACK_TRIES_MAX || asks_twice(entry);
}

static void count_ask(struct nack_entry *entry, usec round_trip, usec now)
{
    bool next_round = entry->tries < NACK_TRIES_MAX &&
                      (entry->tries == 0 || now >= entry->asked + repeat_interval(round_trip));
    if (!next_round) {
        entry->twice = true; /* the next round counts from the first time */
        return;
    }
    entry->twice = false;
    entry->tries++;
    entry->asked = now;
}

size_t nack_list_ask(struct nack_list *list, usec round_trip, usec now, int64_t *sequences,
                     size_t capacity)
{
    size_t count = 0;
    for (size_t i = 0; i < list->count && count < capacity; i++) {
        struct nack_entry *entry = &list->entries[i];
        if (may_ask(entry) && now >= entry_due(list, entry, round_trip)) {
            count_ask(entry, round_trip, now);
            sequences[count++] = entry->sequence;
        }
    }
    return count;
}

static usec entry_end(const struct nack_entry *entry, usec round_trip, usec age)
{
    usec end = entry->missed + age;
    if (entry->tries == NACK_TRIES_MAX && entry->asked + repeat_interval(round_trip) < end) {
        return entry->asked + repeat_interval(round_trip);
    }
    return end;
}

size_t nack_list_give_up(struct nack_list *list, usec round_trip, usec age, usec now)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (now < entry_end(&list->entries[i], round_trip, age)) {
            list->entries[kept++] = list->entries[i];
        }
    }
    size_t given_up = list->count - kept;
    list->count = kept;
    return given_up;
}

void nack_list_forget_before(struct nack_list *list, int64_t sequence)
{
    remove_at(list, 0, find(list, sequence));
}

bool nack_list_waits_before(const struct nack_list *list, int64_t sequence)
{
    return list->count > 0 && list->entries[0].sequence < sequence;
}

usec nack_list_deadline(const struct nack_list *list, bool asks, usec round_trip, usec age)
{
    usec next = USEC_NEVER;
    for (size_t i = 0; i < list->count; i++) {
        const struct nack_entry *entry = &list->entries[i];
        usec due = entry_end(entry, round_trip, age);
        if (asks && may_ask(entry)) {
            usec ask = entry_due(list, entry, round_trip);
            due = ask < due ? ask : due;
        }
        next = due < next ? due : next;
    }
    return next;
}
