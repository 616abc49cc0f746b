/* Lip sync (RFC 3550, section 6.4.1): the sender reports of two streams say which of their time
 * stamps belong to one moment on the peer's clock.
 *
 *     voice: sender report + playout ─▶ struct sync_reference ─┐
 *     video: sender report + time stamp of a frame ────────────┴▶ when its sound is heard
 */
#ifndef JINGLE_RTP_SYNC_H
#define JINGLE_RTP_SYNC_H

#include "base/clock.h"
#include "rtp/rtcp.h"

#include <stdbool.h>
#include <stdint.h>

/* When the peer's sound of a moment is heard. `heard` = moment + `offset`, where the moment is
 * microseconds since 1900 on the peer's clock. */
struct sync_reference {
    bool known;
    usec offset;
};

/* The clock of one stream of the peer: its last sender report. */
struct sync_clock {
    bool known;
    uint32_t ssrc;
    uint32_t timestamp;
    usec moment; /* the peer's clock at that time stamp */
};

/* A sender report came. */
void sync_clock_report(struct sync_clock *clock, uint32_t ssrc, const struct rtcp_sender *report);

/* The moment of a time stamp that is at most half the time stamps' cycle away from the last
 * report's. False before the first report of this source. */
bool sync_clock_moment(const struct sync_clock *clock, uint32_t ssrc, uint32_t timestamp,
                       uint32_t rate, usec *moment);

#endif
