#include "rtp/key_frame_pace.h"

#define ASK_AGAIN USEC_PER_SEC

/* Key frames that are asked for take at most a third of the bit rate. */
#define SHARE 3

void key_frame_pace_request(struct key_frame_pace *pace, usec round_trip, usec now)
{
    bool on_its_way = pace->sent_any && now - pace->sent < round_trip;
    if (!on_its_way) {
        pace->wanted = true;
    }
}

void key_frame_pace_need(struct key_frame_pace *pace)
{
    pace->wanted = true;
}

usec key_frame_pace_deadline(const struct key_frame_pace *pace)
{
    if (!pace->wanted) {
        return USEC_NEVER;
    }
    usec allowed = pace->sent_any ? pace->sent + pace->interval : 0;
    usec again = pace->asked ? pace->asked + ASK_AGAIN : 0;
    return again > allowed ? again : allowed;
}

bool key_frame_pace_due(struct key_frame_pace *pace, usec now)
{
    if (!pace->wanted || now < key_frame_pace_deadline(pace)) {
        return false;
    }
    pace->asked = now;
    return true;
}

void key_frame_pace_sent(struct key_frame_pace *pace, size_t bytes, uint32_t bitrate, usec now)
{
    usec paid = bitrate ? (usec)((uint64_t)bytes * 8 * SHARE * USEC_PER_SEC / bitrate) : 0;
    pace->wanted = false;
    pace->sent_any = true;
    pace->sent = now;
    pace->asked = 0;
    pace->interval = paid < KEY_FRAME_PACE_LEAST  ? KEY_FRAME_PACE_LEAST
                     : paid > KEY_FRAME_PACE_MOST ? KEY_FRAME_PACE_MOST
                                                  : paid;
}
