/* Packets that were sent in one burst count as one: what is between two bursts tells how the queue
 * on the path changed (draft-ietf-rmcat-gcc-02, sections 5.1 and 5.2). */
#ifndef JINGLE_RTP_ARRIVAL_GROUPS_H
#define JINGLE_RTP_ARRIVAL_GROUPS_H

#include "base/clock.h"

#include <stdbool.h>

struct arrival_group {
    bool known;
    usec first_sent;
    usec last_sent;
    usec first_arrival;
    usec last_arrival;
};

struct arrival_groups {
    struct arrival_group before;
    struct arrival_group now;
    unsigned disorder; /* groups in a row that arrived before their predecessor */
};

/* From one whole group to the next. */
struct group_delta {
    usec sent;
    usec arrival;
    usec at; /* when the later one had arrived */
};

/* A packet, in the order of sending; the two clocks may differ by anything. True if a group is
 * whole now and there was one before it. */
bool arrival_groups_add(struct arrival_groups *groups, usec sent, usec arrival,
                        struct group_delta *delta);

#endif
