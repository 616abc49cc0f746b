/* Says whether what was recorded is what was spoken.
 *
 *     compare_sound SPOKEN RECORDED [LIMIT]
 *
 *     both files ─▶ envelopes ─▶ one lag for all ─▶ a path around it ─▶ correlation ─▶ verdict
 *
 * An envelope is the loudness of every 5 ms, smoothed. SPOKEN is moved along RECORDED to where the
 * two correlate best. A playout buffer follows the network by speaking a little slower or faster,
 * so the lag may then change along the speech: by at most a fifth of the time that passes, and by
 * at most 0.2 s in all. The correlation along that path over the whole length of SPOKEN must be
 * at least LIMIT (0.9), and every second must match by itself, so that a missing syllable is found.
 * Exits with 0 if they match, 1 if not, 2 if a file cannot be read. */
#include <math.h>
#include <sndfile.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOPS_PER_SECOND 200
#define SMOOTH_HOPS     12 /* 60 ms: syllables, not the playout buffer's small steps */
#define SLACK_HOPS      40 /* 0.2 s */
#define BLOCK_HOPS      10 /* 50 ms, within which the lag stays */
#define BLOCK_STEP      2  /* hops by which it may change from one block to the next */
#define LAGS            (2 * SLACK_HOPS + 1)
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

/* Pearson's coefficient of x[0, count) and y[0, count); -1 where one of the two does not vary. */
static double correlation(const double *x, const double *y, long count)
{
    double n = (double)count;
    double sx = 0, sy = 0, sxx = 0, syy = 0, sxy = 0;
    for (long i = 0; i < count; i++) {
        sx += x[i];
        sy += y[i];
        sxx += x[i] * x[i];
        syy += y[i] * y[i];
        sxy += x[i] * y[i];
    }
    double vx = sxx - sx * sx / n;
    double vy = syy - sy * sy / n;
    return vx > 0 && vy > 1e-12 ? (sxy - sx * sy / n) / sqrt(vx * vy) : -1;
}

/* The recording as the spoken lies on it when moved by `lag` hops. */
static void shift(double *out, const struct envelope *spoken, const struct envelope *recorded,
                  long lag)
{
    for (long hop = 0; hop < spoken->count; hop++) {
        out[hop] = envelope_at(recorded, hop + lag);
    }
}

/* The one lag at which the whole correlates best. */
static long lag_find(const struct envelope *spoken, const struct envelope *recorded, double *work,
                     double *best)
{
    long found = 0;
    *best = -2;
    for (long lag = -spoken->count; lag <= recorded->count; lag++) {
        shift(work, spoken, recorded, lag);
        double here = correlation(spoken->value, work, spoken->count);
        if (here > *best) {
            *best = here;
            found = lag;
        }
    }
    return found;
}

/* How differently a block sounds at a lag; `gain` makes the recording as loud as the spoken. */
static double block_cost(const struct envelope *spoken, const struct envelope *recorded, long block,
                         long lag, double gain)
{
    double cost = 0;
    for (long hop = block * BLOCK_HOPS; hop < (block + 1) * BLOCK_HOPS; hop++) {
        double difference = envelope_at(spoken, hop) - gain * envelope_at(recorded, hop + lag);
        cost += difference * difference;
    }
    return cost;
}

/* The cheapest way from any lag of the block before to lag `l` of this one. */
static int best_step(const double *before, int l)
{
    int best = l;
    for (int from = l - BLOCK_STEP; from <= l + BLOCK_STEP; from++) {
        if (from >= 0 && from < LAGS && before[from] < before[best]) {
            best = from;
        }
    }
    return best;
}

/* Fills `path` with the lag of every block: the path with the least difference (Viterbi). */
static void path_find(const struct envelope *spoken, const struct envelope *recorded, long lag,
                      double gain, long blocks, unsigned char (*from)[LAGS], long *path)
{
    double cost[LAGS] = {0};
    for (long block = 0; block < blocks; block++) {
        double before[LAGS];
        memcpy(before, cost, sizeof before);
        for (int l = 0; l < LAGS; l++) {
            int step = best_step(before, l);
            from[block][l] = (unsigned char)step;
            cost[l] =
                before[step] + block_cost(spoken, recorded, block, lag + l - SLACK_HOPS, gain);
        }
    }
    int l = 0;
    for (int other = 1; other < LAGS; other++) {
        l = cost[other] < cost[l] ? other : l;
    }
    for (long block = blocks - 1; block >= 0; block--) {
        path[block] = lag + l - SLACK_HOPS;
        l = from[block][l];
    }
}

static double gain_find(const struct envelope *spoken, const double *aligned)
{
    double xy = 0, yy = 1e-12;
    for (long hop = 0; hop < spoken->count; hop++) {
        xy += spoken->value[hop] * aligned[hop];
        yy += aligned[hop] * aligned[hop];
    }
    return xy / yy;
}

/* Lays the recording along the path. `*least` and `*most` get the lags used. */
static bool align(double *aligned, const struct envelope *spoken, const struct envelope *recorded,
                  long lag, long *least, long *most)
{
    long blocks = (spoken->count + BLOCK_HOPS - 1) / BLOCK_HOPS;
    unsigned char(*from)[LAGS] = calloc((size_t)blocks, sizeof *from);
    long *path = calloc((size_t)blocks, sizeof *path);
    bool good = from && path;
    if (good) {
        shift(aligned, spoken, recorded, lag);
        path_find(spoken, recorded, lag, gain_find(spoken, aligned), blocks, from, path);
        *least = *most = path[0];
        for (long hop = 0; hop < spoken->count; hop++) {
            long here = path[hop / BLOCK_HOPS];
            aligned[hop] = envelope_at(recorded, hop + here);
            *least = here < *least ? here : *least;
            *most = here > *most ? here : *most;
        }
    }
    free(from);
    free(path);
    return good;
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
static double worst_second(const struct envelope *spoken, const double *aligned, double *at)
{
    double worst = 1;
    *at = 0;
    for (long begin = 0; begin + HOPS_PER_SECOND <= spoken->count; begin += HOPS_PER_SECOND / 2) {
        if (!second_speaks(spoken, begin, begin + HOPS_PER_SECOND)) {
            continue;
        }
        double here = correlation(spoken->value + begin, aligned + begin, HOPS_PER_SECOND);
        if (here < worst) {
            worst = here;
            *at = (double)begin / HOPS_PER_SECOND;
        }
    }
    return worst;
}

static double seconds(long hops)
{
    return (double)hops / HOPS_PER_SECOND;
}

static int compare(const struct envelope *spoken, const struct envelope *recorded, double limit)
{
    double rigid;
    double at;
    long least;
    long most;
    double *aligned = calloc((size_t)spoken->count + 1, sizeof *aligned);
    if (!aligned) {
        return 2;
    }
    long lag = lag_find(spoken, recorded, aligned, &rigid);
    if (!align(aligned, spoken, recorded, lag, &least, &most)) {
        free(aligned);
        return 2;
    }
    double all = correlation(spoken->value, aligned, spoken->count);
    double worst = worst_second(spoken, aligned, &at);
    free(aligned);
    printf("%.2f s of speech, found %.2f to %.2f s into a recording of %.2f s\n",
           seconds(spoken->count), seconds(least), seconds(most), seconds(recorded->count));
    printf("correlation of the envelopes over the whole length: %.3f (needed: %.2f; without "
           "following the playout: %.3f)\n",
           all, limit, rigid);
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
