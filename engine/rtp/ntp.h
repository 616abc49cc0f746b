/* NTP time as RTCP has it: seconds since 1900 in 32.32 fixed point, and its middle 32 bits
 * (RFC 3550, section 4). */
#ifndef JINGLE_RTP_NTP_H
#define JINGLE_RTP_NTP_H

#include "base/clock.h"

#include <stdint.h>

#define NTP_1970 UINT64_C(2208988800)

static inline uint64_t ntp_from_wall(usec wall)
{
    uint64_t seconds = (uint64_t)wall / USEC_PER_SEC + NTP_1970;
    uint64_t rest = (uint64_t)wall % USEC_PER_SEC;
    return seconds << 32 | ((rest << 32) / USEC_PER_SEC);
}

static inline uint32_t ntp_middle(uint64_t ntp)
{
    return (uint32_t)(ntp >> 16);
}

/* Microseconds since 1900. */
static inline usec ntp_to_usec(uint64_t ntp)
{
    return (usec)((ntp >> 32) * USEC_PER_SEC + (((ntp & UINT32_MAX) * USEC_PER_SEC) >> 32));
}

/* A time span in 1/65536 s, and back. */
static inline uint32_t ntp_short_from_usec(usec span)
{
    return (uint32_t)((uint64_t)span * 65536 / USEC_PER_SEC);
}

static inline usec ntp_short_to_usec(uint32_t span)
{
    return (usec)((uint64_t)span * USEC_PER_SEC / 65536);
}

#endif
