#include "rtp/level.h"

#include <math.h>
#include <stdlib.h>

#define FULL_SCALE 32768.0

uint8_t level_of(const int16_t *samples, size_t count)
{
    int64_t energy = 0;
    for (size_t i = 0; i < count; i++) {
        energy += (int32_t)samples[i] * samples[i];
    }
    if (energy == 0) {
        return LEVEL_SILENCE;
    }
    double mean = (double)energy / (double)count / (FULL_SCALE * FULL_SCALE);
    double level = -10 * log10(mean);
    return level >= LEVEL_SILENCE ? LEVEL_SILENCE : (uint8_t)lround(level);
}

uint8_t level_write(uint8_t level, bool voice)
{
    return (uint8_t)((voice ? 0x80 : 0) | (level & 0x7f));
}

int level_read(uint8_t byte, bool *voice)
{
    *voice = byte & 0x80;
    return -(byte & 0x7f);
}

void level_peak_add(struct level_peak *peak, const int16_t *samples, size_t count, usec now)
{
    if (now - peak->since >= USEC_PER_SEC) {
        peak->before = now - peak->since < 2 * USEC_PER_SEC ? peak->current : 0;
        peak->current = 0;
        peak->since = now;
    }
    int highest = peak->current;
    for (size_t i = 0; i < count; i++) {
        int magnitude = abs(samples[i]);
        highest = magnitude > highest ? magnitude : highest;
    }
    peak->current = highest;
}

double level_peak_get(const struct level_peak *peak)
{
    int highest = peak->current > peak->before ? peak->current : peak->before;
    return highest >= 32767 ? 1 : highest / FULL_SCALE;
}
