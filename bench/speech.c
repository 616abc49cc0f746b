/* How voice survives a bad link: real speech, real Opus, the playout core and a modelled network in
 * virtual time.
 *
 *     speech ─▶ encoder ─▶ network ─▶ playout ─▶ what is heard ─┐
 *                 ▲ │         └─▶ loss, reported every 2.5 s    ├─▶ compared at the same
 *                 │ └─▶ decoder ─▶ the clean decode ────────────┘   RTP time stamp
 *                 └── loss percent, one network delay after the report
 *
 * Measured after the first ten seconds, in which both ends learn what the link is like; what those
 * cost is printed too. */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sndfile.h>

#include "codecs/codec.h"
#include "rtp/playout.h"
#include "tests/sim/network.h"

enum {
    RATE = 48000,
    FRAME = RATE / 50,
    FRAME_TIME = 20 * 1000,
    PULL = RATE / 100,
    PULL_TIME = 10 * 1000,
    REPORT_TIME = 2500 * 1000,
    SETTLED = 10, /* seconds */
    HISTORY = 4 * RATE,
    FFT = 1024,
    BANDS = 20,
    BITRATE = 32000,
    DELAYS_MAX = 4000, /* ms of the histogram */
    SEEDS_MAX = 100
};

static const double damaged_db = 8;   /* log-spectral distance of a frame that sounds broken */
static const double audible_db = -45; /* below full scale; quieter frames are not compared */

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

struct result {
    double concealed; /* percent */
    double delay;     /* ms, median over the packets played */
    double distance;  /* dB */
    double damaged;   /* percent */
    double stretched; /* percent of samples put in or left out */
    double recovered; /* percent */
    double lost;      /* percent of the packets sent */
    double settling;  /* ms concealed in the first seconds */
};

struct speech {
    int16_t *samples;
    size_t count;
};

struct packet {
    uint16_t sequence;
    uint16_t size;
    uint32_t timestamp;
    uint8_t payload[PLAYOUT_PAYLOAD_MAX];
};

struct call {
    struct network *network;
    struct playout *playout;
    struct audio_encoder *encoder;
    struct audio_encoder_config encoding;
    struct audio_decoder *clean_decoder;
    const struct speech *speech;
    int16_t clean[HISTORY]; /* the clean decode, by time stamp */
    int16_t heard[FRAME];   /* two pulls */
    uint32_t heard_at[2];
    size_t heard_count;
    uint32_t sent;          /* packets */
    uint64_t reported_sent; /* the network's counts at the last report */
    uint64_t reported_lost;
    double loss;
    usec next_report;
    uint64_t delays[DELAYS_MAX];
    uint64_t frames_played;
    double distance;
    uint64_t compared, damaged, windows;
};

/* --- comparing -- */

static void fft(double *re, double *im)
{
    for (size_t i = 1, j = 0; i < FFT; i++) {
        size_t bit = FFT >> 1;
        for (; j & bit; bit >>= 1) {
            j ^= bit;
        }
        j ^= bit;
        if (i < j) {
            double kept = re[i];
            re[i] = re[j];
            re[j] = kept;
            kept = im[i];
            im[i] = im[j];
            im[j] = kept;
        }
    }
    for (size_t size = 2; size <= FFT; size *= 2) {
        for (size_t k = 0; k < size / 2; k++) {
            double wr = cos(-2 * M_PI * (double)k / (double)size);
            double wi = sin(-2 * M_PI * (double)k / (double)size);
            for (size_t i = k; i < FFT; i += size) {
                size_t j = i + size / 2;
                double tr = re[j] * wr - im[j] * wi;
                double ti = re[j] * wi + im[j] * wr;
                re[j] = re[i] - tr;
                im[j] = im[i] - ti;
                re[i] += tr;
                im[i] += ti;
            }
        }
    }
}

/* The energy of 20 ms in bands from 100 Hz to 8 kHz, as wide as hearing's, in dB of full scale. */
static double band_levels(const int16_t *samples, double *levels)
{
    double re[FFT] = {0};
    double im[FFT] = {0};
    double energy = 0;
    for (size_t i = 0; i < FRAME; i++) {
        double sample = samples[i] / 32768.0;
        energy += sample * sample;
        re[i] = sample * (0.5 - 0.5 * cos(2 * M_PI * ((double)i + 0.5) / FRAME));
    }
    fft(re, im);
    for (size_t band = 0; band < BANDS; band++) {
        double from = 100 * pow(80, (double)band / BANDS) * FFT / RATE;
        double to = 100 * pow(80, (double)(band + 1) / BANDS) * FFT / RATE;
        size_t first = (size_t)from;
        size_t last = (size_t)to > first ? (size_t)to : first + 1;
        double sum = 1e-7 * (double)(last - first); /* what nobody hears does not differ */
        for (size_t i = first; i < last; i++) {
            sum += re[i] * re[i] + im[i] * im[i];
        }
        levels[band] = 10 * log10(sum / (double)(last - first));
    }
    return 10 * log10(energy / FRAME + 1e-12);
}

static void compare(struct call *call)
{
    int16_t clean[FRAME];
    double heard_levels[BANDS];
    double clean_levels[BANDS];
    for (size_t i = 0; i < FRAME; i++) {
        uint32_t at = call->heard_at[i / PULL] + (uint32_t)(i % PULL);
        clean[i] = call->clean[at % HISTORY];
    }
    double heard_db = band_levels(call->heard, heard_levels);
    double clean_db = band_levels(clean, clean_levels);
    call->windows++;
    if (heard_db < audible_db && clean_db < audible_db) {
        return;
    }
    double sum = 0;
    for (size_t band = 0; band < BANDS; band++) {
        double differs = heard_levels[band] - clean_levels[band];
        sum += differs * differs;
    }
    double distance = sqrt(sum / BANDS);
    call->distance += distance;
    call->compared++;
    call->damaged += distance > damaged_db ? 1 : 0;
}

/* --- the call -- */

static void die(const char *what)
{
    fprintf(stderr, "bench_speech: %s\n", what);
    exit(1);
}

static void send_frame(struct call *call, usec now)
{
    int16_t frame[FRAME];
    int16_t decoded[AUDIO_SAMPLES_MAX];
    struct packet packet = {.sequence = (uint16_t)call->sent, .timestamp = call->sent * FRAME};
    for (size_t i = 0; i < FRAME; i++) {
        frame[i] = call->speech->samples[(packet.timestamp + i) % call->speech->count];
    }
    int size = audio_encode(call->encoder, frame, FRAME, packet.payload, sizeof packet.payload);
    if (size <= 0 || audio_decode(call->clean_decoder, packet.payload, (size_t)size, decoded,
                                  AUDIO_SAMPLES_MAX) != FRAME) {
        die("Opus failed");
    }
    for (size_t i = 0; i < FRAME; i++) {
        call->clean[(packet.timestamp + i) % HISTORY] = decoded[i];
    }
    packet.size = (uint16_t)size;
    call->sent++;
    network_send(call->network, now, &packet, offsetof(struct packet, payload) + packet.size, 0);
}

/* A receiver report's loss, and what the sender makes of it: the voice stream's rule. */
static void report(struct call *call)
{
    struct network_counts counts;
    network_counts(call->network, &counts);
    double lost = (double)(counts.lost - call->reported_lost);
    double sent = (double)(counts.sent - call->reported_sent);
    call->reported_lost = counts.lost;
    call->reported_sent = counts.sent;
    double percent = sent > 0 ? 100 * lost / sent : 0;
    call->loss += (percent - call->loss) * (percent > call->loss ? 0.5 : 0.125);
    call->encoding.loss_percent = call->loss < 0.5 ? 0 : (unsigned)ceil(fmin(call->loss, 30));
    audio_encoder_set(call->encoder, &call->encoding);
}

static void receive(struct call *call, usec now)
{
    struct packet packet;
    usec arrival;
    while (network_receive(call->network, now, &packet, sizeof packet, &arrival, NULL) > 0) {
        struct playout_packet sound = {.kind = PLAYOUT_SOUND,
                                       .sequence = packet.sequence,
                                       .timestamp = packet.timestamp,
                                       .payload = packet.payload,
                                       .size = packet.size,
                                       .codec = &codec_opus};
        playout_insert(call->playout, &sound, arrival);
    }
}

static void play(struct call *call, usec now)
{
    struct playout_sound sound;
    struct playout_stats stats;
    playout_pull(call->playout, &sound, now);
    playout_stats(call->playout, &stats);
    if (stats.frames_played > call->frames_played && now > SETTLED * USEC_PER_SEC) {
        usec ms = stats.buffer_delay / USEC_PER_MS;
        call->delays[ms < DELAYS_MAX ? ms : DELAYS_MAX - 1]++;
    }
    call->frames_played = stats.frames_played;
    if (!stats.last_timestamp_valid || now <= SETTLED * USEC_PER_SEC) {
        return;
    }
    memcpy(call->heard + call->heard_count * PULL, sound.samples, PULL * sizeof(int16_t));
    call->heard_at[call->heard_count] = stats.last_timestamp;
    if (++call->heard_count == 2) {
        compare(call);
        call->heard_count = 0;
    }
}

static double median(const struct call *call)
{
    uint64_t all = 0;
    uint64_t below = 0;
    for (size_t i = 0; i < DELAYS_MAX; i++) {
        all += call->delays[i];
    }
    for (size_t i = 0; i < DELAYS_MAX; i++) {
        if (2 * (below + call->delays[i]) >= all) {
            double part = ((double)all / 2 - (double)below) / (double)(call->delays[i] + 1);
            return (double)i + part;
        }
        below += call->delays[i];
    }
    return 0;
}

static struct result sum_up(const struct call *call, const struct playout_stats *settled,
                            const struct playout_stats *end)
{
    double played = (double)(end->samples_played - settled->samples_played);
    uint64_t concealed = end->samples_concealed - settled->samples_concealed;
    uint64_t stretched = end->samples_stretched - settled->samples_stretched + end->samples_shrunk -
                         settled->samples_shrunk;
    uint64_t recovered = end->samples_recovered - settled->samples_recovered;
    return (struct result){
        .concealed = 100 * (double)concealed / played,
        .delay = median(call),
        .distance = call->distance / (double)(call->compared ? call->compared : 1),
        .damaged = 100 * (double)call->damaged / (double)(call->windows ? call->windows : 1),
        .stretched = 100 * (double)stretched / played,
        .recovered = 100 * (double)recovered / played,
        .settling = (double)settled->samples_concealed * 1000 / RATE,
    };
}

static void open_call(struct call *call, const struct row *row, const struct speech *speech,
                      uint64_t seed)
{
    call->speech = speech;
    call->encoding = (struct audio_encoder_config){
        .channels = 1, .bitrate = BITRATE, .fec = true, .complexity = -1};
    call->network = network_new(&row->link, seed);
    call->playout = playout_new(&(struct playout_config){.channels = 1});
    call->encoder = audio_encoder_new(&codec_opus, &call->encoding);
    call->clean_decoder = audio_decoder_new(&codec_opus, 1);
    if (!call->network || !call->playout || !call->encoder || !call->clean_decoder) {
        die("out of memory");
    }
}

static void close_call(struct call *call)
{
    network_free(call->network);
    playout_free(call->playout);
    audio_encoder_free(call->encoder);
    audio_decoder_free(call->clean_decoder);
    free(call);
}

static struct result run(const struct row *row, const struct speech *speech, uint64_t seed,
                         unsigned seconds)
{
    struct call *call = calloc(1, sizeof *call);
    if (!call) {
        die("out of memory");
    }
    struct playout_stats settled = {0};
    struct playout_stats end;
    open_call(call, row, speech, seed);
    usec phase = (usec)(seed * 3701 % PULL_TIME); /* the sink's clock is not the sender's */
    usec last = (SETTLED + (usec)seconds) * USEC_PER_SEC;
    usec next_report = REPORT_TIME + row->link.delay;
    for (usec frame = 0, pull = phase; pull < last; pull += PULL_TIME) {
        for (; frame <= pull; frame += FRAME_TIME) {
            if (frame >= next_report) {
                report(call);
                next_report += REPORT_TIME;
            }
            send_frame(call, frame);
        }
        receive(call, pull);
        play(call, pull);
        if (pull <= SETTLED * USEC_PER_SEC) {
            playout_stats(call->playout, &settled);
        }
    }
    playout_stats(call->playout, &end);
    struct result result = sum_up(call, &settled, &end);
    struct network_counts counts;
    network_counts(call->network, &counts);
    result.lost = 100 * (double)counts.lost / (double)counts.sent;
    close_call(call);
    return result;
}

/* --- telling -- */

struct options {
    uint64_t seed;
    unsigned seeds;
    unsigned seconds;
    const char *only;
};

static void help(void)
{
    puts("Usage: bench/run.sh speech [OPTIONS]\n"
         "\n"
         "Voice over modelled links: Opus at 32 kbit/s, mono, 20 ms frames.\n"
         "\n"
         "  --seconds N   of speech for each link and seed (120)\n"
         "  --seed N      the first seed (1)\n"
         "  --seeds N     how many seeds; mean and worst are told (5)\n"
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

static struct options read_options(int argc, char **argv)
{
    static const struct option names[] = {
        {"seconds", required_argument, NULL, 's'}, {"seed", required_argument, NULL, 'e'},
        {"seeds", required_argument, NULL, 'n'},   {"only", required_argument, NULL, 'o'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0}};
    struct options options = {.seed = 1, .seeds = 5, .seconds = 120};
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
        case 'o':
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

static struct speech read_speech(void)
{
    SF_INFO info = {0};
    SNDFILE *file = sf_open(SPEECH_FILE, SFM_READ, &info);
    if (!file || info.samplerate != RATE || info.channels != 1) {
        die("cannot read " SPEECH_FILE);
    }
    struct speech speech = {.samples = calloc((size_t)info.frames, sizeof(int16_t))};
    if (!speech.samples) {
        die("out of memory");
    }
    speech.count = (size_t)sf_readf_short(file, speech.samples, info.frames);
    sf_close(file);
    return speech;
}

struct summary {
    struct result mean;
    double worst_concealed;
    double worst_delay;
};

static struct summary run_seeds(const struct row *row, const struct speech *speech,
                                const struct options *options)
{
    struct summary summary = {0};
    double share = 1.0 / options->seeds;
    for (unsigned i = 0; i < options->seeds; i++) {
        struct result one = run(row, speech, options->seed + i, options->seconds);
        summary.mean.concealed += one.concealed * share;
        summary.mean.delay += one.delay * share;
        summary.mean.distance += one.distance * share;
        summary.mean.damaged += one.damaged * share;
        summary.mean.stretched += one.stretched * share;
        summary.mean.recovered += one.recovered * share;
        summary.mean.settling += one.settling * share;
        summary.mean.lost += one.lost * share;
        summary.worst_concealed = fmax(summary.worst_concealed, one.concealed);
        summary.worst_delay = fmax(summary.worst_delay, one.delay);
    }
    return summary;
}

static void print_head(const struct options *options)
{
    printf("Opus 32 kbit/s mono, 20 ms, %u seed%s of %u s each after %d s to settle\n\n",
           options->seeds, options->seeds == 1 ? "" : "s", options->seconds, SETTLED);
    printf("%-24s %6s %18s %18s %6s %8s %6s %6s %8s\n", "", "lost", "concealed %", "buffer ms",
           "LSD", "damaged", "FEC", "+/-", "settling");
    printf("%-24s %6s %6s %6s %4s %6s %6s %4s %6s %8s %6s %6s %8s\n", "link", "%", "mean", "worst",
           "max.", "mean", "worst", "max.", "dB", "%", "%", "%", "ms");
}

static void print_row(const struct row *row, const struct summary *summary)
{
    const struct result *mean = &summary->mean;
    printf("%-24s %6.2f %6.3f %6.3f %4.4g %6.1f %6.1f %4g %6.2f %8.2f %6.2f %6.2f %8.0f\n",
           row->name, mean->lost, mean->concealed, summary->worst_concealed, row->concealed,
           mean->delay, summary->worst_delay, row->delay, mean->distance, mean->damaged,
           mean->recovered, mean->stretched, mean->settling);
    fflush(stdout);
}

static void print_words(void)
{
    printf(
        "\nconcealed: share of the samples played that were made up for packets that did not come "
        "in "
        "time\n"
        "buffer:    from a packet's arrival until its first sample is given to the sink, median of "
        "all played\n"
        "LSD:       distance of 20 bands (100 Hz to 8 kHz) to the clean decode at the same time "
        "stamp, 20 ms frames\n"
        "damaged:   share of 20 ms frames above %g dB of that\n"
        "FEC, +/-:  share recovered; put in or left out to change the delay\n"
        "max.:      what Chromium 156 does, not to be exceeded\n\n",
        damaged_db);
}

static void print_json(const struct summary *summaries, const struct options *options)
{
    printf("{\"bench\":\"speech\",\"seed\":%llu,\"seeds\":%u,\"seconds\":%u,\"rows\":[",
           (unsigned long long)options->seed, options->seeds, options->seconds);
    const char *comma = "";
    for (size_t i = 0; i < ROWS; i++) {
        if (options->only && strcmp(options->only, rows[i].key) != 0) {
            continue;
        }
        const struct result *mean = &summaries[i].mean;
        printf("%s{\"link\":\"%s\",\"lost_percent\":%.2f,\"concealed_percent\":%.4f,\"concealed_"
               "percent_worst\":%.4f,"
               "\"concealed_percent_max\":%g,\"buffer_ms\":%.1f,\"buffer_ms_worst\":%.1f,"
               "\"buffer_ms_max\":%g,\"lsd_db\":%.3f,\"damaged_percent\":%.3f}",
               comma, rows[i].key, mean->lost, mean->concealed, summaries[i].worst_concealed,
               rows[i].concealed, mean->delay, summaries[i].worst_delay, rows[i].delay,
               mean->distance, mean->damaged);
        comma = ",";
    }
    printf("]}\n");
}

int main(int argc, char **argv)
{
    struct options options = read_options(argc, argv);
    struct speech speech = read_speech();
    struct summary summaries[ROWS] = {0};
    print_head(&options);
    for (size_t i = 0; i < ROWS; i++) {
        if (!options.only || strcmp(options.only, rows[i].key) == 0) {
            summaries[i] = run_seeds(&rows[i], &speech, &options);
            print_row(&rows[i], &summaries[i]);
        }
    }
    print_words();
    print_json(summaries, &options);
    free(speech.samples);
    return 0;
}
