/* The one place that asks what time it is. Pure cores are given `now` instead. */
#ifndef JINGLE_BASE_CLOCK_H
#define JINGLE_BASE_CLOCK_H

#include <stdint.h>

typedef int64_t usec; /* microseconds; as a point in time, of the monotonic clock */

#define USEC_PER_MS  INT64_C(1000)
#define USEC_PER_SEC INT64_C(1000000)
#define USEC_NEVER   INT64_MAX

/* Monotonic, the same clock as g_get_monotonic_time(). */
usec clock_now(void);

/* Since 1970, for NTP time stamps and delay stamps. */
usec clock_wall(void);

#endif
