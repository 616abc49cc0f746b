#include "rtp/arrival_groups.h"

#include <string.h>

#define BURST (5 * USEC_PER_MS) /* sent within this: one group */

/* One that a queue pressed together lasts at most so long. */
#define BURST_MAX (100 * USEC_PER_MS)

#define DISORDER_MAX 3

static void begin(struct arrival_group *group, usec sent, usec arrival)
{
    *group = (struct arrival_group){true, sent, sent, arrival, arrival};
}

/* Section 5.1: what arrives right behind the group, sooner than it was sent behind it, waited with
 * it somewhere. */
static bool in_group(const struct arrival_group *group, usec sent, usec arrival)
{
    if (sent - group->first_sent <= BURST) {
        return true;
    }
    usec arrival_delta = arrival - group->last_arrival;
    usec growth = arrival_delta - (sent - group->last_sent);
    return growth < 0 && arrival_delta >= 0 && arrival_delta <= BURST &&
           arrival - group->first_arrival < BURST_MAX;
}

static void extend(struct arrival_group *group, usec sent, usec arrival)
{
    group->last_sent = sent > group->last_sent ? sent : group->last_sent;
    group->last_arrival = arrival > group->last_arrival ? arrival : group->last_arrival;
}

static bool between(struct arrival_groups *groups, struct group_delta *delta)
{
    if (!groups->before.known) {
        return false;
    }
    delta->sent = groups->now.last_sent - groups->before.last_sent;
    delta->arrival = groups->now.last_arrival - groups->before.last_arrival;
    delta->at = groups->now.last_arrival;
    if (delta->arrival >= 0) {
        groups->disorder = 0;
        return true;
    }
    if (++groups->disorder >= DISORDER_MAX) {
        memset(groups, 0, sizeof *groups); /* the peer's clock was set back */
    }
    return false;
}

bool arrival_groups_add(struct arrival_groups *groups, usec sent, usec arrival,
                        struct group_delta *delta)
{
    if (!groups->now.known) {
        begin(&groups->now, sent, arrival);
        return false;
    }
    if (sent < groups->now.first_sent) {
        return false; /* overtaken by a whole group: says nothing of the queue */
    }
    if (in_group(&groups->now, sent, arrival)) {
        extend(&groups->now, sent, arrival);
        return false;
    }
    bool whole = between(groups, delta);
    groups->before = groups->now;
    begin(&groups->now, sent, arrival);
    return whole;
}
