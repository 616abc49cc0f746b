/* Says whether what was recorded is what was spoken.
 *
 *     compare_sound SPOKEN RECORDED [LIMIT]
 *
 * Both files become envelopes (the loudness of every 5 ms, smoothed); SPOKEN is moved along
 * RECORDED to where the two correlate best, and the correlation there, over the whole length of
 * SPOKEN, must be at least LIMIT (0.9). Then every second is judged by itself, moved by at most
 * 0.15 s more, for a playout buffer may stretch pauses: so a missing word is found as well.
 * Exits with 0 if they match, 1 if not, 2 if a file cannot be read. */
#include <math.h>
#include <sndfile.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOPS_PER_SECOND 200
#define SMOOTH_HOPS     12   /* 60 ms: syllables, not the playout buffer's small steps */
#define SLACK_HOPS      30   /* 0.15 s */
#define SECOND_LIMIT    0.75 /* for one second by itself */
#define FRAMES_MAX      (1L << 28)

struct envelope {
    double *value;
    long count;
};

/* One value a hop: the root mean square of all channels. */
static bool envelope_measure(struct envelope *envelope, SNDFILE *file, const SF_INFO *info)
{
    envelope->count = (long)((double)info->frames * HOPS_PER_SECOND / info->samplerate);
    envelope->value = calloc((size_t)envelope->count + 1, sizeof *envelope->value);
    long hop_frames = info->samplerate / HOPS_PER_SECOND + 1;
    float *samples = calloc((size_t)(hop_frames * info->channels), sizeof *samples);
    bool good = envelope->value && samples;
    long begin = 0;
    for (long hop = 0; good && hop < envelope->count; hop++) {
        long end = (long)((double)(hop + 1) * info->samplerate / HOPS_PER_SECOND);
        sf_count_t got = sf_readf_float(file, samples, end - begin);
        double sum = 0;
        for (sf_count_t i = 0; i < got * info->channels; i++) {
            sum += (double)samples[i] * samples[i];
        }
        envelope->value[hop] = got > 0 ? sqrt(sum / (double)(got * info->channels)) : 0;
        begin = end;
    }
    free(samples);
    return good;
}

static void envelope_smooth(struct envelope *envelope)
{
    double sum = 0;
    double *raw = malloc(((size_t)envelope->count + 1) * sizeof *raw);
    if (!raw) {
        return;
    }
    memcpy(raw, envelope->value, (size_t)envelope->count * sizeof *raw);
    for (long hop = 0; hop < envelope->count; hop++) {
        sum += raw[hop] - (hop >= SMOOTH_HOPS ? raw[hop - SMOOTH_HOPS] : 0);
        envelope->value[hop] = sum / SMOOTH_HOPS;
    }
    free(raw);
}

static bool envelope_read(struct envelope *envelope, const char *path)
{
    SF_INFO info = {0};
    SNDFILE *file = sf_open(path, SFM_READ, &info);
    if (!file) {
        fprintf(stderr, "%s cannot be read: %s\n", path, sf_strerror(NULL));
        return false;
    }
    bool good = info.frames > 0 && info.frames < FRAMES_MAX && info.samplerate >= 8000;
    if (!good) {
        fprintf(stderr, "%s holds no sound.\n", path);
    }
    good = good && envelope_measure(envelope, file, &info);
    sf_close(file);
    if (good) {
        envelope_smooth(envelope);
    }
    return good;
}

/* Outside of a recording there is silence. */
static double envelope_at(const struct envelope *envelope, long hop)
{
    return hop >= 0 && hop < envelope->count ? envelope->value[hop] : 0;
}

/* Pearson's coefficient of spoken[begin, end) and the recording `lag` hops later; -1 where one of
 * the two does not vary. */
static double correlation(const struct envelope *spoken, const struct envelope *recorded,
                          long begin, long end, long lag)
{
    double n = (double)(end - begin);
    double sx = 0, sy = 0, sxx = 0, syy = 0, sxy = 0;
    for (long hop = begin; hop < end; hop++) {
        double x = spoken->value[hop];
        double y = envelope_at(recorded, hop + lag);
        sx += x;
        sy += y;
        sxx += x * x;
        syy += y * y;
        sxy += x * y;
    }
    double vx = sxx - sx * sx / n;
    double vy = syy - sy * sy / n;
    return vx > 0 && vy > 1e-12 ? (sxy - sx * sy / n) / sqrt(vx * vy) : -1;
}

/* The best lag of [first, last] and the correlation there. */
static long lag_find(const struct envelope *spoken, const struct envelope *recorded, long begin,
                     long end, long first, long last, double *best)
{
    long found = first;
    *best = -2;
    for (long lag = first; lag <= last; lag++) {
        double here = correlation(spoken, recorded, begin, end, lag);
        if (here > *best) {
            *best = here;
            found = lag;
        }
    }
    return found;
}

/* A second with hardly any speech in it says nothing by itself. */
static bool second_speaks(const struct envelope *spoken, long begin, long end)
{
    double sum = 0;
    double all = 0;
    for (long hop = 0; hop < spoken->count; hop++) {
        all += spoken->value[hop];
        sum += hop >= begin && hop < end ? spoken->value[hop] : 0;
    }
    return sum / (double)(end - begin) > 0.3 * all / (double)spoken->count;
}

/* The correlation of the worst second; `*at` gets where it begins, in seconds. */
static double worst_second(const struct envelope *spoken, const struct envelope *recorded, long lag,
                           double *at)
{
    double worst = 1;
    *at = 0;
    for (long begin = 0; begin + HOPS_PER_SECOND <= spoken->count; begin += HOPS_PER_SECOND / 2) {
        double here;
        if (!second_speaks(spoken, begin, begin + HOPS_PER_SECOND)) {
            continue;
        }
        lag_find(spoken, recorded, begin, begin + HOPS_PER_SECOND, lag - SLACK_HOPS,
                 lag + SLACK_HOPS, &here);
        if (here < worst) {
            worst = here;
            *at = (double)begin / HOPS_PER_SECOND;
        }
    }
    return worst;
}

static int compare(const struct envelope *spoken, const struct envelope *recorded, double limit)
{
    double all;
    double at;
    long lag = lag_find(spoken, recorded, 0, spoken->count, -spoken->count, recorded->count, &all);
    double worst = worst_second(spoken, recorded, lag, &at);
    printf("%.2f s of speech, found %.2f s into a recording of %.2f s\n",
           (double)spoken->count / HOPS_PER_SECOND, (double)lag / HOPS_PER_SECOND,
           (double)recorded->count / HOPS_PER_SECOND);
    printf("correlation of the envelopes over the whole length: %.3f (needed: %.2f)\n", all, limit);
    printf("correlation of the worst second: %.3f, %.1f s into the speech (needed: %.2f)\n", worst,
           at, SECOND_LIMIT);
    return all >= limit && worst >= SECOND_LIMIT ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc < 3 || argc > 4) {
        fprintf(stderr, "compare_sound SPOKEN RECORDED [LIMIT]\n");
        return 2;
    }
    struct envelope spoken = {0};
    struct envelope recorded = {0};
    int result = 2;
    if (envelope_read(&spoken, argv[1]) && envelope_read(&recorded, argv[2])) {
        result = compare(&spoken, &recorded, argc == 4 ? strtod(argv[3], NULL) : 0.9);
    }
    free(spoken.value);
    free(recorded.value);
    return result;
}
