/* Leaves out pictures so that at most so many a second remain, in the mean. */
#ifndef JINGLE_MEDIA_PICTURE_PACE_H
#define JINGLE_MEDIA_PICTURE_PACE_H

#include "base/clock.h"

#include <stdbool.h>
#include <stdint.h>

struct picture_pace {
    usec next; /* when the next one is due; 0: at once */
};

void picture_pace_start(struct picture_pace *pace);

/* Is the picture of this time to be taken? */
bool picture_pace_takes(struct picture_pace *pace, usec time, uint32_t rate);

#endif
