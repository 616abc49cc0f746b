/* How voice survives a bad link: calls with real speech and real Opus over modelled links, both
 * ends ours, in virtual time (link_call.h). Each call gives two figures, one of each listener. */
#include <getopt.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/link_call.h"
#include "bench/sound_memory.h"

enum { SEEDS_MAX = 100, SEED_HELD_OUT = 1000 };

struct row {
    const char *name;
    const char *key;
    struct network_config link;
    double concealed; /* Chromium's, in percent */
    double delay;     /* ms */
};

static const struct row rows[] = {
    {"clean", "clean", {.delay = 50000}, 0, 30},
    {"10 % random loss", "loss_10", {.delay = 50000, .loss = 0.1}, 2.3, 35},
    {"20 % random loss", "loss_20", {.delay = 50000, .loss = 0.2}, 5.7, 33},
    {"bursts (p 2 %, r 25 %)",
     "bursts",
     {.delay = 50000, .burst_begin = 0.02, .burst_end = 0.25},
     5.6,
     37},
    {"jitter, sigma 20 ms",
     "jitter_20",
     {.delay = 100000, .shape = NETWORK_JITTER_NORMAL, .jitter = 20000},
     0.15,
     120},
    {"jitter, sigma 60 ms",
     "jitter_60",
     {.delay = 300000, .shape = NETWORK_JITTER_NORMAL, .jitter = 60000},
     0.05,
     192},
    {"10 % loss, sigma 30 ms",
     "loss_10_jitter_30",
     {.delay = 150000, .shape = NETWORK_JITTER_NORMAL, .jitter = 30000, .loss = 0.1},
     2.25,
     107},
};

enum { ROWS = sizeof rows / sizeof rows[0] };

struct summary {
    struct link_figures mean;
    double worst_concealed; /* of any listener */
    double worst_delay;
};

struct options {
    uint64_t seed;
    unsigned seeds;
    unsigned seconds;
    const char *only;
};

static void help(void)
{
    puts(
        "Usage: bench/run.sh speech [OPTIONS]\n"
        "\n"
        "Calls over modelled links: speech, Opus at 32 kbit/s, mono, 20 ms frames.\n"
        "\n"
        "  --seconds N   of each call that are measured (120)\n"
        "  --seed N      the first seed (1)\n"
        "  --seeds N     how many seeds, each a call with two listeners (4)\n"
        "  --held-out    seeds from 1000 on: the constants of the playout were not chosen on them\n"
        "  --only KEY    one link: clean loss_10 loss_20 bursts jitter_20 jitter_60\n"
        "                loss_10_jitter_30\n"
        "  --help        this");
}

static unsigned number(const char *text, unsigned most)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (*text == '\0' || *end != '\0' || value < 1 || value > most) {
        fprintf(stderr, "bench_speech: not a number from 1 to %u: %s\n", most, text);
        exit(2);
    }
    return (unsigned)value;
}

static void check_key(const char *key)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (strcmp(key, rows[i].key) == 0) {
            return;
        }
    }
    fprintf(stderr, "bench_speech: there is no link %s\n", key);
    exit(2);
}

static struct options read_options(int argc, char **argv)
{
    static const struct option names[] = {{"seconds", required_argument, NULL, 's'},
                                          {"seed", required_argument, NULL, 'e'},
                                          {"seeds", required_argument, NULL, 'n'},
                                          {"held-out", no_argument, NULL, 'u'},
                                          {"only", required_argument, NULL, 'o'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    struct options options = {.seed = 1, .seeds = 4, .seconds = 120};
    for (int option; (option = getopt_long(argc, argv, "h", names, NULL)) != -1;) {
        switch (option) {
        case 's':
            options.seconds = number(optarg, 100000);
            break;
        case 'e':
            options.seed = number(optarg, 1000000000);
            break;
        case 'n':
            options.seeds = number(optarg, SEEDS_MAX);
            break;
        case 'u':
            options.seed = SEED_HELD_OUT;
            break;
        case 'o':
            check_key(optarg);
            options.only = optarg;
            break;
        case 'h':
            help();
            exit(0);
        default:
            exit(2);
        }
    }
    return options;
}

/* --- running -- */

static void add(struct summary *summary, const struct link_figures *one, double share)
{
    struct link_figures *mean = &summary->mean;
    mean->lost += one->lost * share;
    mean->concealed += one->concealed * share;
    mean->recovered += one->recovered * share;
    mean->adapted += one->adapted * share;
    mean->delay += one->delay * share;
    mean->distance += one->distance * share;
    mean->damaged += one->damaged * share;
    mean->concealed_all += one->concealed_all * share;
    mean->concealed_settling += one->concealed_settling * share;
    summary->worst_concealed = fmax(summary->worst_concealed, one->concealed);
    summary->worst_delay = fmax(summary->worst_delay, one->delay);
}

static struct summary run_seeds(const struct row *row, const struct sound_memory *speech,
                                const struct options *options)
{
    struct summary summary = {0};
    for (unsigned i = 0; i < options->seeds; i++) {
        struct link_figures heard[LINK_CALL_SIDES];
        link_call_run(&row->link, speech->samples, speech->count, options->seed + i,
                      options->seconds, heard);
        for (size_t side = 0; side < LINK_CALL_SIDES; side++) {
            add(&summary, &heard[side], 1.0 / LINK_CALL_SIDES / options->seeds);
        }
    }
    return summary;
}

/* --- telling -- */

static void print_head(const struct options *options)
{
    printf("Calls with Opus, 32 kbit/s mono, 20 ms; seeds %llu to %llu, two listeners each, %u s "
           "after %d s to settle\n\n",
           (unsigned long long)options->seed,
           (unsigned long long)(options->seed + options->seeds - 1), options->seconds,
           LINK_CALL_SETTLED);
    printf("%-23s %5s %20s %18s %5s %7s %5s %5s %6s %8s\n", "", "lost", "concealed %", "buffer ms",
           "LSD", "damaged", "FEC", "+/-", "all", "settling");
    printf("%-23s %5s %7s %7s %4s %6s %6s %4s %5s %7s %5s %5s %6s %8s\n", "link", "%", "mean",
           "worst", "max.", "mean", "worst", "max.", "dB", "%", "%", "%", "%", "ms");
}

static void print_row(const struct row *row, const struct summary *summary)
{
    const struct link_figures *mean = &summary->mean;
    printf("%-23s %5.2f %7.3f %7.3f %4.4g %6.1f %6.1f %4g %5.2f %7.2f %5.2f %5.2f %6.3f %8.0f\n",
           row->name, mean->lost, mean->concealed, summary->worst_concealed, row->concealed,
           mean->delay, summary->worst_delay, row->delay, mean->distance, mean->damaged,
           mean->recovered, mean->adapted, mean->concealed_all, mean->concealed_settling);
    fflush(stdout);
}

static void print_words(void)
{
    printf("\n"
           "concealed: share of the samples played that were made up for packets that did not "
           "come in time\n"
           "buffer:    from a packet's arrival until its first sample is given to the sink, "
           "median of all played\n"
           "max.:      what Chromium 156 does, not to be exceeded; worst: of any listener\n"
           "LSD:       distance of 20 bands (100 Hz to 8 kHz) to the clean decode at the same "
           "time stamp, 20 ms frames\n"
           "damaged:   share of 20 ms frames above %g dB of that\n"
           "FEC, +/-:  share recovered; put in or left out to change the delay\n"
           "all:       concealed from the first sound on; settling: concealed in the first %d s\n"
           "\n",
           link_call_damaged_db, LINK_CALL_SETTLED);
}

static void print_json_row(const struct row *row, const struct summary *summary)
{
    const struct link_figures *mean = &summary->mean;
    printf(",\"%s\":{\"lost_percent\":%.2f,\"concealed_percent\":%.4f,"
           "\"concealed_percent_worst\":%.4f,\"concealed_percent_max\":%g,"
           "\"concealed_percent_from_start\":%.4f,\"buffer_ms\":%.1f,\"buffer_ms_worst\":%.1f,"
           "\"buffer_ms_max\":%g,\"lsd_db\":%.3f,\"damaged_percent\":%.3f}",
           row->key, mean->lost, mean->concealed, summary->worst_concealed, row->concealed,
           mean->concealed_all, mean->delay, summary->worst_delay, row->delay, mean->distance,
           mean->damaged);
}

static bool chosen(const struct options *options, const struct row *row)
{
    return !options->only || strcmp(options->only, row->key) == 0;
}

int main(int argc, char **argv)
{
    struct options options = read_options(argc, argv);
    struct sound_memory speech;
    struct summary summaries[ROWS] = {0};
    sound_memory_speech(&speech);
    print_head(&options);
    for (size_t i = 0; i < ROWS; i++) {
        if (chosen(&options, &rows[i])) {
            summaries[i] = run_seeds(&rows[i], &speech, &options);
            print_row(&rows[i], &summaries[i]);
        }
    }
    print_words();
    printf("{\"bench\":\"speech\",\"seed\":%llu,\"seeds\":%u,\"seconds\":%u",
           (unsigned long long)options.seed, options.seeds, options.seconds);
    for (size_t i = 0; i < ROWS; i++) {
        if (chosen(&options, &rows[i])) {
            print_json_row(&rows[i], &summaries[i]);
        }
    }
    printf("}\n");
    sound_memory_free(&speech);
    return 0;
}
