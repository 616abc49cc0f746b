/* Counts freezes: gaps between pictures shown that are longer than three times the mean gap and
 * than the mean plus 150 ms (freezeCount in W3C's webrtc-stats). */
#ifndef JINGLE_RTP_FREEZE_H
#define JINGLE_RTP_FREEZE_H

#include "base/clock.h"

#include <stdint.h>

#define FREEZE_GAPS 30 /* that the mean is made of */

/* Begins with zeros. */
struct freeze {
    usec last; /* picture; 0: none */
    usec gaps[FREEZE_GAPS];
    unsigned count; /* of gaps seen, not only of those kept */
    usec sum;       /* of those kept */
    uint64_t freezes;
    usec time; /* of all of them */
};

/* A picture is shown at `now`, which may lie a little ahead. */
void freeze_shown(struct freeze *freeze, usec now);

/* No picture is expected before the next one that is shown. */
void freeze_pause(struct freeze *freeze);

/* Freezes and their time so far, with the one that may go on at `now`. */
void freeze_figures(const struct freeze *freeze, usec now, uint64_t *freezes, usec *time);

#endif
