#include "rtp/rate_control.h"

#include <math.h>

#define FRAMES_PER_SEC   30.0
#define PACKET_BITS      (1200 * 8.0)
#define RESPONSE         (100 * USEC_PER_MS) /* beside the round trip: until feedback comes */
#define ADDITIVE_PACKETS 4.0     /* in each response time: two calls come together the sooner */
#define ADDITIVE_SHARE   0.4     /* of the rate in a second, at most */
#define ADDITIVE_MIN     10000.0 /* bit/s in a second */
#define GROWTH           1.2     /* in a second, where the capacity is not known */

/* Not more than this of what is acknowledged: further up it would be invention. */
#define ACKNOWLEDGED_FACTOR 1.5
#define ACKNOWLEDGED_EXTRA  10000.0

/* Acknowledged above the known capacity by this: it is another path now. */
#define CAPACITY_OUTGROWN 1.2

/* Less of a queue is noise, whatever its trend: frames of unlike size, and jitter. */
#define QUEUE_NOISE    (40 * USEC_PER_MS)
#define QUEUE_LONG     (250 * USEC_PER_MS) /* so much is no trend's business any more */
#define QUEUE_SMALL    (20 * USEC_PER_MS)
#define QUEUE_DRAINED  (15 * USEC_PER_MS)
#define QUEUE_FULL     (40 * USEC_PER_MS) /* the path never idles: what arrives is its capacity */
#define QUEUE_GROWN    (30 * USEC_PER_MS) /* in spite of the cut */
#define MEASURED_FRESH (2 * USEC_PER_SEC)
#define DRAIN_TIME     (300 * USEC_PER_MS)
#define DRAIN_LEAST    0.2
#define DRAIN_LOOK     (3 * USEC_PER_SEC)
#define DRAINING       0.9 /* of the queue is left after that, at most */
#define RESUME         0.87
#define STEP_MAX       USEC_PER_SEC

void rate_control_init(struct rate_control *control, double rate)
{
    *control = (struct rate_control){.rate = rate};
}

static double additive(const struct rate_control *control, usec round_trip)
{
    double frame = control->rate / FRAMES_PER_SEC;
    double packet = frame / ceil(frame / PACKET_BITS);
    double response = (double)(round_trip + RESPONSE) / USEC_PER_SEC;
    double step = fmin(ADDITIVE_PACKETS * packet / response, ADDITIVE_SHARE * control->rate);
    return fmax(step, ADDITIVE_MIN);
}

static void increase(struct rate_control *control, const struct path_view *view, usec passed)
{
    double seconds = (double)passed / USEC_PER_SEC;
    double rate = control->rate;
    if (control->capacity > 0 && view->acknowledged > CAPACITY_OUTGROWN * control->capacity) {
        control->capacity = 0;
    }
    if (control->capacity > 0) {
        rate += additive(control, view->round_trip) * seconds;
    } else {
        rate *= pow(GROWTH, seconds);
    }
    double limit = ACKNOWLEDGED_FACTOR * view->acknowledged + ACKNOWLEDGED_EXTRA;
    if (!view->limited && rate < limit) {
        control->rate = rate;
    }
}

static void begin_drain(struct rate_control *control, const struct path_view *view, usec now)
{
    double carried = view->acknowledged > 0 ? view->acknowledged : control->rate;
    if (control->measured > carried && now - control->measured_at < MEASURED_FRESH) {
        carried = control->measured;
    }
    control->capacity = fmin(carried, control->rate);
    control->state = RATE_DRAIN;
    control->cut = now;
    control->cut_queue = view->queue;
    control->drain_from = view->queue;
    control->drain_at = now;
}

/* A queue that we do not feed any more shrinks; a path that became longer does not. */
static bool drains(struct rate_control *control, const struct path_view *view, usec now)
{
    if (view->queue > control->drain_from) {
        control->drain_from = view->queue;
    }
    if (now - control->drain_at < DRAIN_LOOK) {
        return true;
    }
    control->no_queue = (double)view->queue > DRAINING * (double)control->drain_from;
    control->drain_from = view->queue;
    control->drain_at = now;
    return !control->no_queue;
}

static void drain(struct rate_control *control, const struct path_view *view, usec now)
{
    bool answered = view->newest_sent > control->cut; /* the cut shows in what arrives */
    if (!answered && view->queue > QUEUE_FULL && view->acknowledged > 0) {
        control->capacity = fmin(control->capacity, view->acknowledged);
    }
    if ((answered && view->queue < QUEUE_DRAINED) || !drains(control, view, now)) {
        control->rate = RESUME * control->capacity;
        control->state = RATE_HOLD;
        return;
    }
    if (answered && view->usage == PATH_OVERUSED &&
        view->queue > control->cut_queue + QUEUE_GROWN) {
        begin_drain(control, view, now); /* the capacity fell again */
    }
    usec excess = view->queue > QUEUE_NOISE ? view->queue - QUEUE_NOISE : 0;
    double share = 1 - (double)excess / DRAIN_TIME;
    control->rate = control->capacity * fmax(fmin(share, RESUME), DRAIN_LEAST);
}

void rate_control_update(struct rate_control *control, const struct path_view *view, usec now)
{
    usec passed = now - control->changed < STEP_MAX ? now - control->changed : STEP_MAX;
    if (control->state == RATE_DRAIN) {
        drain(control, view, now);
    } else if ((view->usage == PATH_OVERUSED && view->queue > QUEUE_NOISE) ||
               view->queue > QUEUE_LONG) {
        begin_drain(control, view, now);
        drain(control, view, now);
    } else if (view->usage == PATH_NORMAL || view->queue <= QUEUE_SMALL) {
        if (control->state == RATE_INCREASE) {
            increase(control, view, passed);
        }
        control->state = RATE_INCREASE;
    } else {
        control->state = RATE_HOLD;
    }
    control->changed = now;
}

void rate_control_probed(struct rate_control *control, double rate, usec now)
{
    if (control->state == RATE_DRAIN || rate <= control->rate) {
        return;
    }
    control->rate = rate;
    control->changed = now;
    if (rate > control->capacity) {
        control->capacity = 0;
    }
}
