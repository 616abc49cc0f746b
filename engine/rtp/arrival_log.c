#include "rtp/arrival_log.h"

#include <string.h>

/* A number so far ahead leaves the rest of the log to what comes late. */
#define AHEAD_MAX (ARRIVAL_LOG_MAX / 2)

void arrival_log_init(struct arrival_log *log)
{
    memset(log, 0, sizeof *log);
    for (size_t i = 0; i < ARRIVAL_LOG_MAX; i++) {
        log->arrivals[i] = USEC_NEVER;
    }
}

static usec *arrival_of(struct arrival_log *log, int64_t number)
{
    return &log->arrivals[number & (ARRIVAL_LOG_MAX - 1)];
}

static void restart(struct arrival_log *log, uint16_t sequence)
{
    uint64_t refused = log->refused;
    arrival_log_init(log);
    log->refused = refused;
    log->known = true;
    log->next = (int64_t)sequence + 65536; /* so that late ones are not below zero */
    log->told = log->next;
    log->first = log->next;
}

/* Far from all others: if another one follows it, the peer began anew. */
static bool takes_over(struct arrival_log *log, uint16_t sequence)
{
    bool follows = log->stray_known && (uint16_t)(sequence - log->stray) < 16;
    log->stray = (uint16_t)(sequence + 1);
    log->stray_known = true;
    log->refused++;
    return follows;
}

/* Up to and with this number; those between have not arrived yet. */
static void advance(struct arrival_log *log, int64_t number)
{
    for (; log->next <= number; log->next++) {
        *arrival_of(log, log->next) = USEC_NEVER;
    }
    int64_t oldest = log->next - ARRIVAL_LOG_MAX;
    log->told = log->told > oldest ? log->told : oldest;
    log->first = log->first > oldest ? log->first : oldest;
}

void arrival_log_add(struct arrival_log *log, uint16_t sequence, usec now)
{
    if (!log->known) {
        restart(log, sequence);
    }
    int64_t number = log->next + (int16_t)(uint16_t)(sequence - (uint16_t)log->next);
    if (number >= log->next + AHEAD_MAX || number < log->next - AHEAD_MAX) {
        if (!takes_over(log, sequence)) {
            return;
        }
        restart(log, sequence);
        number = log->next;
    }
    log->stray_known = false;
    if (number >= log->next) {
        advance(log, number);
    } else if (*arrival_of(log, number) != USEC_NEVER) {
        return;
    }
    *arrival_of(log, number) = now;
    log->first = number < log->first ? number : log->first;
}

bool arrival_log_pending(const struct arrival_log *log)
{
    return log->known && log->first < log->next;
}

size_t arrival_log_take(const struct arrival_log *log, usec *arrivals, size_t capacity,
                        uint16_t *base)
{
    int64_t number = log->first;
    while (number < log->next && log->arrivals[number & (ARRIVAL_LOG_MAX - 1)] == USEC_NEVER) {
        number++;
    }
    size_t count = 0;
    *base = (uint16_t)number;
    for (; number < log->next && count < capacity; number++) {
        arrivals[count++] = log->arrivals[number & (ARRIVAL_LOG_MAX - 1)];
    }
    return count;
}

void arrival_log_told(struct arrival_log *log, uint16_t base, size_t count)
{
    int64_t first = log->first + (uint16_t)(base - (uint16_t)log->first);
    log->first = first + (int64_t)count;
    log->told = log->first > log->told ? log->first : log->told;
}
