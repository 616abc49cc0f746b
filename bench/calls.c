/* N two-way Opus calls between two processes over loopback, with real ICE, DTLS and SRTP and sound
 * from memory: the caller speaks and hears music, so that both kinds of coding that Opus has take
 * part (hybrid, which costs several times as much, and CELT). Three questions:
 *
 *     cpu_ratio   user and system time of both processes, against the bare cost of encoding and
 *                 decoding the same frames in the same run: two processes, an encoder and a decoder
 *                 for each call, one frame of each in turn, so that their states lie in the same
 *                 caches as in calls and both cores are as busy
 *     on_time     the share of what the sinks' clocks asked for that had been decoded and written
 *                 by then (concealed samples do not count), with more calls
 *     rss_per_call_kib, wakeups_per_call_s   of the busier process */
#include "base/clock.h"
#include "codecs/codec.h"
#include "peers.h"
#include "sound_memory.h"

#include <glib.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define RATE        48000
#define FRAME       (RATE / 50) /* 20 ms */
#define PERIOD      480         /* 10 ms */
#define PERIOD_TIME (10 * USEC_PER_MS)
#define CALLS_MAX   400
/* Only so many calls of one person may ring at once. */
#define SETTING_UP_MAX 4
/* Setting up many calls at once makes jitter, against which the encoders put FEC into their packets
 * until the next report says that it is over. */
#define SETTLE   (8 * USEC_PER_SEC)
#define PATIENCE (60 * USEC_PER_SEC)
#define BITRATE  32000 /* the engine's default */
/* Of the bare codec, of each call: not measured, measured. */
#define CODEC_SETTLE 100
#define CODEC_FRAMES 250

/* What is written is heard this much later, as behind a device with two periods in hand: a packet's
 * time and one period. */
#define SINK_LEAD (30 * USEC_PER_MS)

static struct sound_memory speech;
static struct sound_memory music;

/* ------------------------------------------------------------------------------- the sound -- */

struct line {
    jingle_session *session;
    const struct sound_memory *sound;
    jingle_audio_source source;
    jingle_audio_sink sink;
    size_t position;
    usec start; /* of the sink's clock */
    long written;
    _Atomic long asked; /* periods, while measuring */
    _Atomic long late;
    bool connected;
    uint64_t concealed, concealed_before;
};

static struct line lines[CALLS_MAX];
static _Atomic bool measuring;

/* Each call is at another place of the sound. */
static size_t start_of(size_t call, const struct sound_memory *sound)
{
    return call * 7919 * 16 % sound->count;
}

/* Returns the next position; the sound begins again at its end. */
static size_t copy_sound(const struct sound_memory *sound, size_t position, int16_t *samples,
                         size_t frames)
{
    for (size_t done = 0; done < frames;) {
        size_t part = MIN(frames - done, sound->count - position);
        memcpy(samples + done, sound->samples + position, part * sizeof *samples);
        position = (position + part) % sound->count;
        done += part;
    }
    return position;
}

static long read_speech(void *user, int16_t *samples, size_t frames)
{
    struct line *line = user;
    line->position = copy_sound(line->sound, line->position, samples, frames);
    return (long)frames;
}

static jingle_status start_clock(void *user, jingle_audio_format *format)
{
    struct line *line = user;
    *format = (jingle_audio_format){RATE, 1};
    line->start = clock_now();
    line->written = 0;
    return JINGLE_OK;
}

static long wanted(void *user)
{
    struct line *line = user;
    long periods = (long)((clock_now() + SINK_LEAD - line->start) / PERIOD_TIME);
    return MAX(periods * PERIOD - line->written, 0);
}

/* The sink asks for period k at start + k * 10 ms. */
static void take_sound(void *user, const int16_t *samples, size_t frames)
{
    (void)samples;
    struct line *line = user;
    usec asks = line->start + line->written / PERIOD * PERIOD_TIME;
    line->written += (long)frames;
    if (atomic_load_explicit(&measuring, memory_order_relaxed)) {
        atomic_fetch_add_explicit(&line->asked, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&line->late, clock_now() > asks, memory_order_relaxed);
    }
}

static jingle_session_config line_config(struct line *line, const struct sound_memory *sound)
{
    jingle_session_config config;
    jingle_session_config_init(&config);
    line->source = (jingle_audio_source){
        .size = sizeof line->source,
        .user = line,
        .read = read_speech,
        .on_demand = true,
    };
    line->sink = (jingle_audio_sink){
        .size = sizeof line->sink,
        .user = line,
        .start = start_clock,
        .wanted = wanted,
        .write = take_sound,
    };
    line->sound = sound;
    line->position = start_of((size_t)(line - lines), sound);
    config.source = &line->source;
    config.sink = &line->sink;
    return config;
}

/* ----------------------------------------------------------------------------- the figures -- */

struct usage {
    double cpu; /* seconds */
    long wakeups;
    long rss_kib;
};

/* Pages in memory: the second number of statm. */
static long resident_pages(void)
{
    char line[128] = "";
    char *at = line;
    FILE *statm = fopen("/proc/self/statm", "r");
    if (statm) {
        at = fgets(line, sizeof line, statm) ? strchr(line, ' ') : NULL;
        fclose(statm);
    }
    return at ? strtol(at, NULL, 10) : 0;
}

static struct usage usage_now(void)
{
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    long pages = resident_pages();
    return (struct usage){
        .cpu = (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
               (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6,
        .wakeups = r.ru_nvcsw,
        .rss_kib = pages * 4,
    };
}

/* What one process found; the callee sends its own to the caller. */
struct result {
    double cpu;
    double wakeups_per_call_s;
    double rss_per_call_kib;
    long asked;
    long late;
    double concealed; /* periods */
};

struct phase {
    struct peer peer; /* first: the peer's hooks get it */
    size_t calls;
    int seconds;
    size_t incoming;
    size_t started;
    size_t connected;
    struct usage idle, before;
    bool go;
    bool have_result;
    struct result other;
};

static struct line *line_of(const jingle_event *event)
{
    return event->session ? jingle_session_user(event->session) : NULL;
}

static void on_event(struct peer *peer, const jingle_event *event)
{
    struct phase *phase = (struct phase *)peer;
    struct line *line = line_of(event);
    if (event->type == JINGLE_EVENT_INCOMING) {
        line = &lines[phase->incoming++];
        jingle_session_set_user(event->session, line);
        jingle_session_config config = line_config(line, &music);
        jingle_session_accept(event->session, &config);
    } else if (event->type == JINGLE_EVENT_CONNECTED) {
        phase->connected++;
    } else if (event->type == JINGLE_EVENT_STATISTICS && line) {
        line->concealed = event->u.statistics.samples_concealed;
    } else if (event->type == JINGLE_EVENT_ENDED && atomic_load(&measuring)) {
        fprintf(stderr, "A call ended too early: %s\n", event->text);
        exit(1);
    }
}

static void on_note(struct peer *peer, const void *note, size_t bytes)
{
    struct phase *phase = (struct phase *)peer;
    if (bytes == sizeof phase->other) {
        memcpy(&phase->other, note, bytes);
        phase->have_result = true;
    } else {
        phase->go = true;
    }
}

static bool all_connected(void *user)
{
    struct phase *phase = user;
    return phase->connected == phase->calls;
}

static bool told_to_go(void *user)
{
    return ((struct phase *)user)->go;
}

static bool has_result(void *user)
{
    return ((struct phase *)user)->have_result;
}

static void start_measuring(struct phase *phase)
{
    phase->before = usage_now();
    for (size_t i = 0; i < phase->calls; i++) {
        lines[i].concealed_before = lines[i].concealed;
    }
    atomic_store(&measuring, true);
}

static struct result stop_measuring(struct phase *phase)
{
    struct usage after = usage_now();
    atomic_store(&measuring, false);
    struct result result = {
        .cpu = after.cpu - phase->before.cpu,
        .wakeups_per_call_s =
            (double)(after.wakeups - phase->before.wakeups) / (double)phase->calls / phase->seconds,
        .rss_per_call_kib = (double)(after.rss_kib - phase->idle.rss_kib) / (double)phase->calls,
    };
    for (size_t i = 0; i < phase->calls; i++) {
        result.asked += atomic_load(&lines[i].asked);
        result.late += atomic_load(&lines[i].late);
        result.concealed +=
            (double)(lines[i].concealed - lines[i].concealed_before) / (double)PERIOD;
    }
    return result;
}

static void run_callee(struct phase *phase)
{
    peer_run(&phase->peer, all_connected, PATIENCE, "all calls to connect");
    peer_run(&phase->peer, told_to_go, PATIENCE, "the start");
    start_measuring(phase);
    peer_run_for(&phase->peer, phase->seconds * USEC_PER_SEC);
    struct result result = stop_measuring(phase);
    peer_note(&phase->peer, &result, sizeof result);
    phase->go = false;
    peer_run(&phase->peer, told_to_go, PATIENCE, "the end");
    peer_end(&phase->peer);
}

static bool few_are_setting_up(void *user)
{
    struct phase *phase = user;
    return phase->started - phase->connected < SETTING_UP_MAX;
}

static void start_calls(struct phase *phase)
{
    for (size_t i = 0; i < phase->calls; i++) {
        peer_run(&phase->peer, few_are_setting_up, PATIENCE, "calls to connect");
        phase->started++;
        jingle_session_config config = line_config(&lines[i], &speech);
        jingle_session *session;
        jingle_status status =
            jingle_session_start(phase->peer.client, "callee@bench.test", &config, &session);
        if (status != JINGLE_OK) {
            fprintf(stderr, "No call: %s\n", jingle_strerror(status));
            exit(1);
        }
        jingle_session_set_user(session, &lines[i]);
        jingle_session_unref(session); /* the client keeps it until it ends */
    }
}

static struct result run_caller(struct phase *phase)
{
    peer_run_for(&phase->peer, USEC_PER_SEC / 2); /* presences and features go to and fro */
    phase->idle = usage_now();
    start_calls(phase);
    peer_run(&phase->peer, all_connected, PATIENCE, "all calls to connect");
    peer_run_for(&phase->peer, SETTLE);
    peer_note(&phase->peer, "go", 2);
    start_measuring(phase);
    peer_run_for(&phase->peer, phase->seconds * USEC_PER_SEC);
    struct result result = stop_measuring(phase);
    peer_run(&phase->peer, has_result, PATIENCE, "the callee's figures");
    peer_note(&phase->peer, "go", 2);
    result.cpu += phase->other.cpu;
    result.asked += phase->other.asked;
    result.late += phase->other.late;
    result.concealed += phase->other.concealed;
    result.rss_per_call_kib = MAX(result.rss_per_call_kib, phase->other.rss_per_call_kib);
    result.wakeups_per_call_s = MAX(result.wakeups_per_call_s, phase->other.wakeups_per_call_s);
    peer_end(&phase->peer);
    return result;
}

static struct result run_phase(size_t calls, int seconds)
{
    struct phase phase = {
        .peer = {.event = on_event, .note = on_note}, .calls = calls, .seconds = seconds};
    memset(lines, 0, sizeof lines);
    peers_start(&phase.peer);
    phase.idle = usage_now();
    if (!phase.peer.is_caller) {
        run_callee(&phase);
    }
    return run_caller(&phase);
}

/* The codecs of one direction of a call. */
struct bare_line {
    struct audio_encoder *encoder;
    struct audio_decoder *decoder;
    size_t position;
};

static struct bare_line bare_lines[CALLS_MAX];

static void open_bare_lines(size_t calls, const struct sound_memory *sound)
{
    struct audio_encoder_config config = {
        .channels = 1, .bitrate = BITRATE, .fec = true, .complexity = -1};
    for (size_t i = 0; i < calls; i++) {
        bare_lines[i] = (struct bare_line){
            .encoder = audio_encoder_new(&codec_opus, &config),
            .decoder = audio_decoder_new(&codec_opus, 1),
            .position = start_of(i, sound),
        };
    }
}

static void code_frame(struct bare_line *line, const struct sound_memory *sound)
{
    int16_t frame[AUDIO_SAMPLES_MAX];
    uint8_t payload[AUDIO_PAYLOAD_MAX];
    line->position = copy_sound(sound, line->position, frame, FRAME);
    int bytes = audio_encode(line->encoder, frame, FRAME, payload, sizeof payload);
    if (bytes > 0) {
        audio_decode(line->decoder, payload, (size_t)bytes, frame, AUDIO_SAMPLES_MAX);
    }
}

/* Encodes and decodes a frame of each call in turn, as a media thread does. */
static void code_frames(size_t calls, const struct sound_memory *sound, int frames)
{
    for (int k = 0; k < frames; k++) {
        for (size_t i = 0; i < calls; i++) {
            code_frame(&bare_lines[i], sound);
        }
    }
}

static double bare_cost_of(size_t calls, const struct sound_memory *sound)
{
    open_bare_lines(calls, sound);
    code_frames(calls, sound, CODEC_SETTLE);
    struct usage before = usage_now();
    code_frames(calls, sound, CODEC_FRAMES);
    double cost = usage_now().cpu - before.cpu;
    for (size_t i = 0; i < calls; i++) {
        audio_encoder_free(bare_lines[i].encoder);
        audio_decoder_free(bare_lines[i].decoder);
    }
    return cost / (double)calls / CODEC_FRAMES;
}

/* Seconds of CPU that encoding and decoding one 20 ms frame takes, and nothing else: the mean of
 * both directions. A second process does the one while this does the other. */
static double bare_frame_cost(size_t calls)
{
    int ends[2];
    if (pipe(ends) < 0) {
        perror("pipe");
        exit(1);
    }
    fflush(NULL);
    pid_t child = fork();
    double cost = bare_cost_of(calls, child == 0 ? &music : &speech);
    double other = 0;
    if (child == 0) {
        _exit(write(ends[1], &cost, sizeof cost) == sizeof cost ? 0 : 1);
    }
    close(ends[1]);
    if (child < 0 || read(ends[0], &other, sizeof other) != sizeof other) {
        fputs("No second process for the bare codec.\n", stderr);
        exit(1);
    }
    close(ends[0]);
    waitpid(child, NULL, 0);
    return (cost + other) / 2;
}

/* ------------------------------------------------------------------------------------- main -- */

int main(int argc, char **argv)
{
    int calls = 50;
    int many = 70;
    int seconds = 60;
    GOptionEntry options[] = {
        {"calls", 'n', 0, G_OPTION_ARG_INT, &calls, "Calls for CPU, memory, wake-ups (50)", "N"},
        {"many", 'm', 0, G_OPTION_ARG_INT, &many, "Calls for the share on time (70)", "N"},
        {"seconds", 's', 0, G_OPTION_ARG_INT, &seconds, "Steady time measured, each (60)", "N"},
        {0},
    };
    GOptionContext *context = g_option_context_new("- many two-way calls between two processes");
    g_option_context_add_main_entries(context, options, NULL);
    GError *error = NULL;
    if (!g_option_context_parse(context, &argc, &argv, &error) || calls < 1 || many < 1 ||
        calls > CALLS_MAX || many > CALLS_MAX || seconds < 1) {
        fprintf(stderr, "%s\n", error ? error->message : "Out of range.");
        return 2;
    }
    g_option_context_free(context);
    sound_memory_speech(&speech);
    sound_memory_music(&music);

    double before = bare_frame_cost((size_t)calls);
    struct result steady = run_phase((size_t)calls, seconds);
    double after = bare_frame_cost((size_t)calls);
    struct result crowd = run_phase((size_t)many, seconds);

    double frame = (before + after) / 2;
    double bare = frame * 50 * 2 * calls * seconds;
    double ratio = steady.cpu / bare;
    double on_time = 1 - ((double)crowd.late + crowd.concealed) / (double)crowd.asked;
    printf("bare codec, a frame in and out    %8.1f us (mean of speech and music)\n", frame * 1e6);
    printf("CPU of %3d calls for %d s         %8.2f s  (bare codec %.2f s)\n", calls, seconds,
           steady.cpu, bare);
    printf("CPU against the bare codec        %8.2f    (at most 1.5)\n", ratio);
    printf("memory per call                   %8.0f KiB (at most 512)\n", steady.rss_per_call_kib);
    printf("wake-ups per call and second      %8.1f\n", steady.wakeups_per_call_s);
    printf("on time with %3d calls            %8.3f %%  (over 99.5): %ld late, %.0f concealed of "
           "%ld periods\n",
           many, on_time * 100, crowd.late, crowd.concealed, crowd.asked);
    printf("{\"cpu_ratio\": %.3f, \"calls\": %d, \"on_time\": %.5f, \"on_time_calls\": %d, "
           "\"rss_per_call_kib\": %.0f, \"wakeups_per_call_s\": %.1f}\n",
           ratio, calls, on_time, many, steady.rss_per_call_kib, steady.wakeups_per_call_s);
    sound_memory_free(&speech);
    sound_memory_free(&music);
    return 0;
}
