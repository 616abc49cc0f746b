/* Sizes, rates and times, as people write and read them. */
#ifndef JCALL_AMOUNT_H
#define JCALL_AMOUNT_H

#include <stdbool.h>
#include <stdint.h>

/* "500k", "10M", "1.5G", "2 MiB", "4096": binary units. False if it is no size, or none that a
 * disk could hold. */
bool amount_parse(const char *text, uint64_t *bytes);

/* "12.3 MiB", "0 B": three digits at most. Freed with g_free(), as the next ones. */
char *amount_bytes(uint64_t bytes);

/* "0.50 of 1.25 GiB": both in the unit of the whole. */
char *amount_part(uint64_t bytes, uint64_t whole);

/* "3.10 MiB/s" */
char *amount_rate(uint64_t bytes_per_second);

/* "1:23", "1:00:00" */
char *amount_time(int64_t microseconds);

#endif
