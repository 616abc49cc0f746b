#include "media/rhythm.h"

enum {
    CREEP = 50,             /* usec: how much earlier each poll comes */
    RETRY = 1000,           /* usec: between polls in vain */
    PATIENCE = 50 * 1000,   /* usec: then the device has stopped for now ... */
    RETRY_SLOW = 10 * 1000, /* usec: ... and is asked less often */
};

void rhythm_start(struct rhythm *r, usec period, usec now)
{
    r->period = period;
    r->due = now;
    r->early_since = USEC_NEVER;
}

usec rhythm_ready(struct rhythm *r, usec now)
{
    bool waited = r->early_since != USEC_NEVER;
    bool lost_track = now - r->due >= r->period;
    r->early_since = USEC_NEVER;
    r->due = (waited || lost_track ? now : r->due) + r->period - CREEP;
    return r->due;
}

usec rhythm_early(struct rhythm *r, usec now)
{
    if (r->early_since == USEC_NEVER) {
        r->early_since = now;
    }
    r->due = now + (now - r->early_since < PATIENCE ? RETRY : RETRY_SLOW);
    return r->due;
}

usec rhythm_waiting(const struct rhythm *r, usec now)
{
    return r->early_since == USEC_NEVER ? 0 : now - r->early_since;
}
