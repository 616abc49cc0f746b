#include "rtp/stretch.h"

#include <math.h>
#include <string.h>

enum {
    LONGEST_MS_10 = 125, /* 80 Hz, in tenths of a millisecond */
    SHORTEST_MS_10 = 25, /* 400 Hz */
    WINDOW_MS_10 = 75,   /* what is compared */
    FADE_MS_10 = 25,     /* the shortest cross-fade */
    COARSE_RATE = 8000,  /* the first search is among every sixth sample of 48 kHz */
    SAMPLES_MAX = 48 * 33
};

static const float alike_enough = 0.75F; /* normalised correlation */

struct match {
    size_t lag;
    float likeness; /* -1 to 1 */
};

static size_t samples_of(uint32_t rate, unsigned ms_10)
{
    return (size_t)rate * ms_10 / 10000;
}

size_t stretch_longest(uint32_t rate)
{
    return samples_of(rate, LONGEST_MS_10);
}

double stretch_level(const int16_t *samples, size_t count)
{
    int64_t energy = 0;
    for (size_t i = 0; i < count; i++) {
        energy += (int32_t)samples[i] * samples[i];
    }
    return count > 0 ? sqrt((double)energy / (double)count) : 0;
}

static size_t longest_of(const struct stretch *stretch)
{
    size_t longest = stretch_longest(stretch->rate);
    return stretch->most > 0 && stretch->most < longest ? stretch->most : longest;
}

static float likeness(const float *a, const float *b, size_t count, size_t step)
{
    float cross = 0;
    float energy_a = 1;
    float energy_b = 1;
    for (size_t i = 0; i < count; i += step) {
        cross += a[i] * b[i];
        energy_a += a[i] * a[i];
        energy_b += b[i] * b[i];
    }
    return cross / sqrtf(energy_a * energy_b);
}

/* Where between `low` and `high` samples after (sign 1) or before (sign -1) it the sound is most
 * like that at `here`. */
static struct match search(const float *here, int sign, size_t low, size_t high, size_t window,
                           size_t step)
{
    struct match best = {.lag = low, .likeness = -1};
    for (size_t lag = low; lag <= high; lag += step) {
        float found = likeness(here, here + sign * (ptrdiff_t)lag, window, step);
        if (found > best.likeness) {
            best = (struct match){.lag = lag, .likeness = found};
        }
    }
    return best;
}

static struct match best_match(const struct stretch *stretch, const float *here, int sign,
                               size_t longest, size_t window)
{
    size_t shortest = samples_of(stretch->rate, SHORTEST_MS_10);
    size_t step = stretch->rate > COARSE_RATE ? stretch->rate / COARSE_RATE : 1;
    struct match coarse = search(here, sign, shortest, longest, window, step);
    if (step == 1) {
        return coarse;
    }
    size_t low = coarse.lag > shortest + step ? coarse.lag - step : shortest;
    size_t high = coarse.lag + step < longest ? coarse.lag + step : longest;
    return search(here, sign, low, high, window, 1);
}

/* All channels as one, from `before` samples before the frame. */
static void mix(const struct stretch *stretch, const int16_t *frame, size_t before, size_t count,
                float *out)
{
    unsigned channels = stretch->channels;
    const int16_t *from = frame - before * channels;
    for (size_t i = 0; i < before + count; i++) {
        float sum = from[i * channels];
        out[i] = channels == 2 ? sum + from[i * channels + 1] : sum;
    }
}

void stretch_cross_fade(int16_t *out, const int16_t *a, const int16_t *b, size_t count,
                        unsigned channels)
{
    for (size_t i = 0; i < count; i++) {
        float weight = ((float)i + 0.5F) / (float)count;
        for (unsigned c = 0; c < channels; c++) {
            size_t at = i * channels + c;
            out[at] = (int16_t)lrintf((float)a[at] * (1 - weight) + (float)b[at] * weight);
        }
    }
}

static bool suitable(const struct stretch *stretch, const int16_t *frame, size_t count,
                     struct match match)
{
    return match.likeness >= alike_enough ||
           stretch_level(frame, count * stretch->channels) < stretch->quiet;
}

size_t stretch_shrink(const struct stretch *stretch, int16_t *frame, size_t count)
{
    float mono[SAMPLES_MAX] = {0};
    unsigned channels = stretch->channels;
    size_t fade = samples_of(stretch->rate, FADE_MS_10);
    size_t shortest = samples_of(stretch->rate, SHORTEST_MS_10);
    size_t longest = longest_of(stretch);
    size_t seen = count < SAMPLES_MAX ? count : SAMPLES_MAX;
    if (seen < shortest + fade || longest < shortest) {
        return 0;
    }
    longest = longest + fade > seen ? seen - fade : longest;
    size_t window = samples_of(stretch->rate, WINDOW_MS_10);
    window = longest + window > seen ? seen - longest : window;
    mix(stretch, frame, 0, seen, mono);
    struct match match = best_match(stretch, mono, 1, longest, window);
    if (!suitable(stretch, frame, seen, match)) {
        return 0;
    }
    size_t lag = match.lag;
    fade = count - lag < lag ? count - lag : lag;
    stretch_cross_fade(frame + lag * channels, frame, frame + lag * channels, fade, channels);
    memmove(frame, frame + lag * channels, (count - lag) * channels * sizeof *frame);
    return lag;
}

size_t stretch_lengthen(const struct stretch *stretch, int16_t *frame, size_t count)
{
    float mono[SAMPLES_MAX] = {0};
    unsigned channels = stretch->channels;
    size_t shortest = samples_of(stretch->rate, SHORTEST_MS_10);
    size_t before = stretch_longest(stretch->rate);
    size_t seen = count < before ? count : before;
    size_t longest = longest_of(stretch) < seen ? longest_of(stretch) : seen;
    size_t window = samples_of(stretch->rate, WINDOW_MS_10);
    window = window > seen ? seen : window;
    if (longest < shortest) {
        return 0;
    }
    mix(stretch, frame, before, seen, mono);
    struct match match = best_match(stretch, mono + before, -1, longest, window);
    if (!suitable(stretch, frame, seen, match)) {
        return 0;
    }
    size_t lag = match.lag;
    memmove(frame + lag * channels, frame, count * channels * sizeof *frame);
    stretch_cross_fade(frame, frame + lag * channels, frame - lag * channels, lag, channels);
    return lag;
}
