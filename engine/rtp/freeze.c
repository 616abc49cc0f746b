#include "rtp/freeze.h"

#include <stdbool.h>

#define LEAST_OVER (150 * USEC_PER_MS)
#define TIMES      3

/* Before this many gaps there is no mean to speak of. */
#define GAPS_MIN 5

static bool is_freeze(const struct freeze *freeze, usec gap)
{
    unsigned kept = freeze->count < FREEZE_GAPS ? freeze->count : FREEZE_GAPS;
    if (freeze->last == 0 || kept < GAPS_MIN) {
        return false;
    }
    usec mean = freeze->sum / kept;
    return gap > TIMES * mean && gap > mean + LEAST_OVER;
}

static void keep_gap(struct freeze *freeze, usec gap)
{
    usec *slot = &freeze->gaps[freeze->count % FREEZE_GAPS];
    freeze->sum += gap - *slot;
    *slot = gap;
    freeze->count++;
}

void freeze_shown(struct freeze *freeze, usec now)
{
    if (freeze->last != 0) {
        usec gap = now > freeze->last ? now - freeze->last : 0;
        if (is_freeze(freeze, gap)) {
            freeze->freezes++;
            freeze->time += gap;
        }
        keep_gap(freeze, gap);
    }
    freeze->last = now > freeze->last ? now : freeze->last;
}

void freeze_pause(struct freeze *freeze)
{
    freeze->last = 0;
}

void freeze_figures(const struct freeze *freeze, usec now, uint64_t *freezes, usec *time)
{
    *freezes = freeze->freezes;
    *time = freeze->time;
    if (is_freeze(freeze, now - freeze->last)) {
        *freezes += 1;
        *time += now - freeze->last;
    }
}
