/* A call of two voices over a modelled link, in virtual time; what both hear is measured.
 *
 *     speech ─▶ voice A ─▶ RTP, RTCP ─▶ network ─▶ voice B ─▶ what B hears ─┐ compared at the
 *                  │                                                        ├ same RTP time
 *                  └─ RTP ─▶ decoder ─▶ the clean decode ───────────────────┘ stamp
 *     and the same the other way
 *
 * Everything that passes between the two passes through the link, also the reports that FEC
 * follows. One seed gives the same figures every time. */
#ifndef JINGLE_BENCH_LINK_CALL_H
#define JINGLE_BENCH_LINK_CALL_H

#include <stddef.h>
#include <stdint.h>

#include "tests/sim/network.h"

enum { LINK_CALL_SIDES = 2, LINK_CALL_SETTLED = 10 /* seconds */ };

/* Log-spectral distance of 20 ms that sound broken, dB. */
extern const double link_call_damaged_db;

/* Of one listener. But for the last two, only what comes after LINK_CALL_SETTLED counts. */
struct link_figures {
    double lost;               /* percent of the packets sent to it */
    double concealed;          /* percent of the samples played */
    double recovered;          /* percent, out of FEC */
    double adapted;            /* percent put in or left out to change the delay */
    double delay;              /* ms from a packet's arrival to its sound, median of those played */
    double distance;           /* dB to the clean decode, mean */
    double damaged;            /* percent of all 20 ms */
    double concealed_all;      /* percent, from the first sound on */
    double concealed_settling; /* ms, before LINK_CALL_SETTLED */
};

/* `seconds` are measured. `speech` is 48 kHz, mono. Ends the program if it cannot. */
void link_call_run(const struct network_config *link, const int16_t *speech, size_t samples,
                   uint64_t seed, unsigned seconds, struct link_figures heard[LINK_CALL_SIDES]);

#endif
