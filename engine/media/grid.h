/* The engine's own clock: steps at absolute times, so that it never drifts. */
#ifndef JINGLE_MEDIA_GRID_H
#define JINGLE_MEDIA_GRID_H

#include "base/clock.h"

#include <stdbool.h>

/* A step is a packet's usual time: what captures and what plays then share one wake-up. */
#define GRID_STEP (20 * USEC_PER_MS)

/* After a late wake-up as many steps are made up for; what is older is given up, for nobody waits
 * for that sound any more. */
#define GRID_LATE_STEPS 5

struct grid {
    usec next;
};

static inline void grid_start(struct grid *grid, usec now)
{
    grid->next = now;
}

/* True once for every step that is due. */
static inline bool grid_due(struct grid *grid, usec now)
{
    if (now < grid->next) {
        return false;
    }
    if (now - grid->next > GRID_LATE_STEPS * GRID_STEP) {
        grid->next += (now - grid->next) / GRID_STEP * GRID_STEP;
    }
    grid->next += GRID_STEP;
    return true;
}

#endif
