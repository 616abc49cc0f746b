#include "media/picture_pace.h"

void picture_pace_start(struct picture_pace *pace)
{
    pace->next = 0;
}

/* A picture that is up to half an interval early is on time, for cameras are not punctual. The due
 * times go on by whole intervals, so that the mean is kept all the same. */
bool picture_pace_takes(struct picture_pace *pace, usec time, uint32_t rate)
{
    if (rate == 0) {
        return false;
    }
    usec interval = USEC_PER_SEC / rate;
    if (pace->next > time + 2 * USEC_PER_SEC) {
        pace->next = 0; /* another source, with another idea of time */
    }
    if (time < pace->next - interval / 2) {
        return false;
    }
    pace->next = pace->next + interval < time ? time + interval : pace->next + interval;
    return true;
}
