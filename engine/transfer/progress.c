#include "transfer/progress.h"

#include <math.h>

/* The rate forgets what was longer ago than this, and is measured over at least a report's time. */
#define MEMORY (3.0 * USEC_PER_SEC)

void progress_init(struct progress *progress, uint64_t total, uint64_t done, usec now)
{
    *progress = (struct progress){
        .total = total,
        .done = done,
        .resumed = done,
        .began = now,
        .told = now,
        .measured = now,
        .at_measure = done,
    };
}

static void measure(struct progress *progress, usec now)
{
    double took = (double)(now - progress->measured);
    bool back = progress->done < progress->at_measure; /* it began again */
    double moved = back ? 0 : (double)(progress->done - progress->at_measure);
    double rate = moved * USEC_PER_SEC / took;
    double weight = progress->rate > 0 ? 1 - exp(-took / MEMORY) : 1;
    progress->rate += weight * (rate - progress->rate);
    progress->measured = now;
    progress->at_measure = progress->done;
}

bool progress_set(struct progress *progress, uint64_t done, usec now)
{
    progress->done = done;
    if (now - progress->measured >= PROGRESS_PACE) {
        measure(progress, now);
    }
    if (now - progress->told < PROGRESS_PACE) {
        return false;
    }
    progress->told = now;
    return true;
}

void progress_resume(struct progress *progress, usec now)
{
    progress->began += now - progress->measured;
    progress->measured = now;
    progress->at_measure = progress->done;
}

double progress_rate(const struct progress *progress)
{
    return progress->rate;
}

double progress_mean_rate(const struct progress *progress, usec now)
{
    if (now <= progress->began) {
        return 0;
    }
    return (double)(progress->done - progress->resumed) * USEC_PER_SEC /
           (double)(now - progress->began);
}

usec progress_left(const struct progress *progress)
{
    if (progress->done >= progress->total) {
        return 0;
    }
    if (progress->rate < 1) {
        return USEC_NEVER;
    }
    double left = (double)(progress->total - progress->done) * USEC_PER_SEC / progress->rate;
    return left < (double)(USEC_NEVER / 2) ? (usec)left : USEC_NEVER;
}
