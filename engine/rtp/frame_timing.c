#include "rtp/frame_timing.h"

#include <string.h>

#define CLOCKRATE 90000

/* So many frames are to be there in time. The others are shown late, when they come. */
#define QUANTILE 0.975

/* A time stamp that jumps further begins a new count. */
#define JUMP_MAX (10 * USEC_PER_SEC)

/* How fast the delay grows and shrinks: microseconds a millisecond. */
#define GROWTH 200
#define SHRINK 40

void frame_timing_reset(struct frame_timing *timing)
{
    usec decode = timing->decode;
    memset(timing, 0, sizeof *timing);
    timing->decode = decode;
    delay_estimate_init(&timing->transits);
}

static usec media_of(const struct frame_timing *timing, uint32_t timestamp)
{
    int64_t units = timing->units + (int32_t)(timestamp - timing->timestamp);
    return units * USEC_PER_SEC / CLOCKRATE;
}

static bool jumped(const struct frame_timing *timing, uint32_t timestamp, usec now)
{
    usec transit = now - media_of(timing, timestamp);
    usec usual = delay_estimate_usual(&timing->transits);
    return transit - usual > JUMP_MAX || usual - transit > JUMP_MAX;
}

void frame_timing_came(struct frame_timing *timing, uint32_t timestamp, usec now)
{
    if (timing->begun && jumped(timing, timestamp, now)) {
        frame_timing_reset(timing);
    }
    if (!timing->begun) {
        delay_estimate_init(&timing->transits);
        timing->begun = true;
        timing->timestamp = timestamp;
        timing->position = now;
        timing->moved = now;
    }
    usec media = media_of(timing, timestamp);
    if ((int32_t)(timestamp - timing->timestamp) > 0) {
        timing->units += (int32_t)(timestamp - timing->timestamp);
        timing->timestamp = timestamp;
    }
    delay_estimate_add(&timing->transits, now - media, now);
}

void frame_timing_decoded(struct frame_timing *timing, usec decode_time)
{
    timing->decode += (decode_time - timing->decode) / 8;
}

void frame_timing_sound(struct frame_timing *timing, bool known, uint32_t timestamp, usec heard)
{
    timing->sound_known = known && timing->begun;
    if (timing->sound_known) {
        timing->sound = heard - media_of(timing, timestamp);
    }
}

static usec aim(const struct frame_timing *timing)
{
    usec usual = delay_estimate_usual(&timing->transits);
    usec bound = delay_estimate_bound(&timing->transits, 0, QUANTILE);
    bound = bound > usual + FRAME_TIMING_DELAY_MAX ? usual + FRAME_TIMING_DELAY_MAX : bound;
    bound += timing->decode;
    if (timing->sound_known && timing->sound > bound) {
        usec wait = timing->sound - bound;
        bound += wait > FRAME_TIMING_SOUND_MAX ? FRAME_TIMING_SOUND_MAX : wait;
    }
    return bound;
}

usec frame_timing_due(struct frame_timing *timing, uint32_t timestamp, usec now)
{
    if (!timing->begun) {
        return now;
    }
    usec passed = now - timing->moved;
    usec to = aim(timing) - timing->position;
    usec up = passed * GROWTH / 1000;
    usec down = -passed * SHRINK / 1000;
    timing->position += to > up ? up : to < down ? down : to;
    timing->moved = now;
    return media_of(timing, timestamp) + timing->position;
}

usec frame_timing_lip_sync(const struct frame_timing *timing)
{
    return timing->sound_known ? timing->position - timing->sound : 0;
}
