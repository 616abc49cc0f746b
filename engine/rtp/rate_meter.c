#include "rtp/rate_meter.h"

void rate_meter_run(struct rate_meter *meter, uint64_t count, usec now)
{
    usec passed = now - meter->since;
    if (passed < USEC_PER_SEC) {
        return;
    }
    double seconds = (double)passed / USEC_PER_SEC;
    meter->rate = meter->since ? (double)(count - meter->before) / seconds : 0;
    meter->before = count;
    meter->since = now;
}

void mean_meter_add(struct mean_meter *meter, usec value)
{
    meter->sum += value;
    meter->count++;
}

void mean_meter_run(struct mean_meter *meter, usec now)
{
    if (now - meter->since < USEC_PER_SEC) {
        return;
    }
    meter->mean = meter->count ? meter->sum / meter->count : 0;
    meter->sum = 0;
    meter->count = 0;
    meter->since = now;
}
