/* From mouth to ear, without mouth and ear: the time from the end of the device period that brought
 * a sample to the moment when the other side's device asks for it. Both devices have a clock of
 * their own and periods of 10 ms; the network is the loopback interface.
 *
 *     source's clock: period over ─▶ read ─▶ packet ─▶ jitter buffer ─▶ write ─▶ sink's clock:
 * asked ├── capture ──┤├── packet, codec ─┤├── buffer ──┤├── sink ──────────────┤
 *
 * What is sent is silence with a short tone every half second; its beginning is looked for in what
 * is asked for. */
#include "base/clock.h"
#include "peers.h"

#include <glib.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RATE        48000
#define PERIOD      (RATE / 100)
#define PERIOD_TIME (10 * USEC_PER_MS)
#define BURST_EVERY (RATE / 2)
#define BURST       (RATE / 100)
#define BURST_LEVEL 16000
#define ONSET_LEVEL 3000
#define QUIET       (RATE / 10) /* between two beginnings there is at least this much silence */
#define PATIENCE    (60 * USEC_PER_SEC)
#define SETTLE      (5 * USEC_PER_SEC)
#define MARKS_MAX   2000

/* The sink has this much in hand beyond the period that is played, as our devices do. */
#define SINK_MARGIN (PERIOD / 2)
#define SINK_RING   (RATE / 2)

/* One beginning of a tone as a process saw it. */
struct mark {
    int64_t at;   /* sent: its period was over; heard: it was asked for */
    int64_t wait; /* sent: until it was read; heard: since it was written */
};

struct marks {
    struct mark items[MARKS_MAX];
    int count;
};

struct bench {
    struct peer peer; /* first: the peer's hooks get it */
    int seconds;
    jingle_audio_source source;
    jingle_audio_sink sink;
    jingle_session *session;
    bool connected;
    bool told;
    pthread_mutex_t lock; /* the marks: written by the media thread, read at the end */
    struct marks sent;
    struct marks heard;
    struct marks others; /* what the callee heard */
    int64_t buffer_delay[MARKS_MAX];
    int buffer_delays;
    /* the source's device */
    usec source_start;
    int64_t source_read;
    /* the sink's device */
    usec sink_start;
    int64_t periods; /* that the sink asked for */
    int64_t written;
    int64_t played;
    int64_t last_loud;
    int16_t ring[SINK_RING];
    usec written_at[SINK_RING / PERIOD];
};

static void add_mark(struct bench *bench, struct marks *marks, usec at, usec wait)
{
    pthread_mutex_lock(&bench->lock);
    if (marks->count < MARKS_MAX) {
        marks->items[marks->count++] = (struct mark){at, wait};
    }
    pthread_mutex_unlock(&bench->lock);
}

/* ------------------------------------------------------------------------------ the source -- */

static jingle_status start_source(void *user, jingle_audio_format *format)
{
    struct bench *bench = user;
    *format = (jingle_audio_format){RATE, 1};
    bench->source_start = clock_now();
    bench->source_read = 0;
    return JINGLE_OK;
}

static long read_source(void *user, int16_t *samples, size_t frames)
{
    struct bench *bench = user;
    usec now = clock_now();
    int64_t there = (now - bench->source_start) / PERIOD_TIME * PERIOD - bench->source_read;
    int64_t count = MIN((int64_t)frames, there);
    for (int64_t i = 0; i < count; i++) {
        int64_t n = bench->source_read + i;
        int64_t in_burst = n % BURST_EVERY;
        double sine = sin(2 * M_PI * 1000 * (double)in_burst / RATE);
        samples[i] = in_burst < BURST ? (int16_t)(BURST_LEVEL * sine) : 0;
        if (in_burst == 0) {
            usec over = bench->source_start + (n / PERIOD + 1) * PERIOD_TIME;
            add_mark(bench, &bench->sent, over, now - over);
        }
    }
    bench->source_read += count;
    return count;
}

/* -------------------------------------------------------------------------------- the sink -- */

static jingle_status start_sink(void *user, jingle_audio_format *format)
{
    struct bench *bench = user;
    *format = (jingle_audio_format){RATE, 1};
    bench->sink_start = clock_now() + 3 * USEC_PER_MS; /* not in step with the source */
    bench->periods = bench->written = bench->played = 0;
    return JINGLE_OK;
}

static void play_period(struct bench *bench, usec asked)
{
    for (int64_t i = 0; i < PERIOD; i++, bench->played++) {
        int16_t sample = bench->ring[bench->played % SINK_RING];
        if (sample > -ONSET_LEVEL && sample < ONSET_LEVEL) {
            continue;
        }
        if (bench->played - bench->last_loud > QUIET) {
            usec written = bench->written_at[bench->played % SINK_RING / PERIOD];
            add_mark(bench, &bench->heard, asked, asked - written);
        }
        bench->last_loud = bench->played;
    }
}

/* Plays all that the device asked for until now; what is not there then is silence. */
static void run_device(struct bench *bench)
{
    usec now = clock_now();
    for (;;) {
        usec asked = bench->sink_start + bench->periods * PERIOD_TIME;
        if (asked > now) {
            return;
        }
        bench->periods++;
        if (bench->written - bench->played >= PERIOD) {
            play_period(bench, asked);
        }
    }
}

static long sink_wanted(void *user)
{
    struct bench *bench = user;
    run_device(bench);
    int64_t wanted = bench->played + PERIOD + SINK_MARGIN - bench->written;
    return wanted > 0 ? (long)wanted : 0;
}

static void write_sink(void *user, const int16_t *samples, size_t frames)
{
    struct bench *bench = user;
    run_device(bench);
    for (size_t i = 0; i < frames; i++, bench->written++) {
        bench->ring[bench->written % SINK_RING] = samples[i];
        bench->written_at[bench->written % SINK_RING / PERIOD] = clock_now();
    }
}

static jingle_session_config sound(struct bench *bench)
{
    jingle_session_config config;
    jingle_session_config_init(&config);
    bench->source = (jingle_audio_source){
        .size = sizeof bench->source,
        .user = bench,
        .start = start_source,
        .read = read_source,
    };
    bench->sink = (jingle_audio_sink){
        .size = sizeof bench->sink,
        .user = bench,
        .start = start_sink,
        .wanted = sink_wanted,
        .write = write_sink,
    };
    config.source = &bench->source;
    config.sink = &bench->sink;
    return config;
}

/* ---------------------------------------------------------------------------- both processes -- */

static void on_event(struct peer *peer, const jingle_event *event)
{
    struct bench *bench = (struct bench *)peer;
    if (event->type == JINGLE_EVENT_INCOMING) {
        bench->session = jingle_session_ref(event->session);
        jingle_session_config config = sound(bench);
        jingle_session_accept(event->session, &config);
    } else if (event->type == JINGLE_EVENT_CONNECTED) {
        bench->connected = true;
    } else if (event->type == JINGLE_EVENT_STATISTICS && bench->buffer_delays < MARKS_MAX) {
        bench->buffer_delay[bench->buffer_delays++] = event->u.statistics.buffer_delay;
    }
}

/* The callee's marks come in pieces that fit a note. */
#define MARKS_A_NOTE 200

static void on_note(struct peer *peer, const void *note, size_t bytes)
{
    struct bench *bench = (struct bench *)peer;
    if (bytes % sizeof(struct mark) != 0) {
        bench->told = true;
        return;
    }
    int count = (int)(bytes / sizeof(struct mark));
    memcpy(bench->others.items + bench->others.count, note, bytes);
    bench->others.count += count;
}

static bool is_connected(void *user)
{
    return ((struct bench *)user)->connected;
}

static bool is_told(void *user)
{
    return ((struct bench *)user)->told;
}

static void run_callee(struct bench *bench)
{
    peer_run(&bench->peer, is_connected, PATIENCE, "the call");
    peer_run_for(&bench->peer, SETTLE + bench->seconds * USEC_PER_SEC);
    pthread_mutex_lock(&bench->lock);
    for (int i = 0; i < bench->heard.count; i += MARKS_A_NOTE) {
        int count = MIN(MARKS_A_NOTE, bench->heard.count - i);
        peer_note(&bench->peer, bench->heard.items + i, (size_t)count * sizeof(struct mark));
    }
    pthread_mutex_unlock(&bench->lock);
    int64_t delay = bench->buffer_delays ? bench->buffer_delay[bench->buffer_delays / 2] : 0;
    struct mark last = {0, delay};
    peer_note(&bench->peer, &last, sizeof last);
    peer_note(&bench->peer, "end", 3);
    peer_run(&bench->peer, is_told, PATIENCE, "the end");
    jingle_session_unref(bench->session);
    peer_end(&bench->peer);
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static double ms_at(int64_t *values, int count, double quantile)
{
    qsort(values, (size_t)count, sizeof *values, compare);
    return (double)values[(int)(quantile * (count - 1))] / 1000;
}

/* Pairs each tone heard with the last one that was sent before it. */
static void report(const struct bench *bench)
{
    static int64_t total[MARKS_MAX];
    static int64_t capture[MARKS_MAX];
    static int64_t sink[MARKS_MAX];
    int count = 0;
    int heard = bench->others.count - 1; /* the last one is the buffer's delay */
    double buffer_ms = (double)bench->others.items[heard].wait / 1000;
    usec begin = bench->sent.count ? bench->sent.items[0].at + SETTLE : 0;
    for (int i = 0, j = 0; i < heard; i++) {
        const struct mark *mark = &bench->others.items[i];
        while (j + 1 < bench->sent.count && bench->sent.items[j + 1].at <= mark->at) {
            j++;
        }
        if (mark->at < begin || bench->sent.items[j].at > mark->at) {
            continue;
        }
        total[count] = mark->at - bench->sent.items[j].at;
        capture[count] = bench->sent.items[j].wait;
        sink[count++] = mark->wait;
    }
    if (count < 3) {
        fputs("Too few tones were heard.\n", stderr);
        exit(1);
    }
    double capture_ms = ms_at(capture, count, 0.5);
    double sink_ms = ms_at(sink, count, 0.5);
    double median = ms_at(total, count, 0.5);
    double p95 = ms_at(total, count, 0.95);
    printf("%d tones, devices with periods of 10 ms\n", count);
    printf("  capture: period over until it is read         %6.1f ms\n", capture_ms);
    printf("  packet, codec and network (the rest)          %6.1f ms\n",
           median - capture_ms - sink_ms - buffer_ms);
    printf("  jitter buffer                                 %6.1f ms\n", buffer_ms);
    printf("  sink: written until it is asked for           %6.1f ms\n", sink_ms);
    printf("  in all, median (at most 60)                   %6.1f ms\n", median);
    printf("  in all, 95th percentile                       %6.1f ms\n", p95);
    printf("{\"median_ms\": %.1f, \"p95_ms\": %.1f, \"capture_ms\": %.1f, \"buffer_ms\": %.1f, "
           "\"sink_ms\": %.1f, \"tones\": %d}\n",
           median, p95, capture_ms, buffer_ms, sink_ms, count);
}

int main(int argc, char **argv)
{
    int seconds = 60;
    GOptionEntry options[] = {
        {"seconds", 's', 0, G_OPTION_ARG_INT, &seconds, "Time measured (60)", "N"},
        {0},
    };
    GOptionContext *context = g_option_context_new("- delay from one device to the other");
    g_option_context_add_main_entries(context, options, NULL);
    GError *error = NULL;
    if (!g_option_context_parse(context, &argc, &argv, &error) || seconds < 5 || seconds > 600) {
        fprintf(stderr, "%s\n", error ? error->message : "Out of range: 5 to 600 seconds.");
        return 2;
    }
    g_option_context_free(context);
    static struct bench bench;
    bench.peer = (struct peer){.event = on_event, .note = on_note};
    bench.seconds = seconds;
    pthread_mutex_init(&bench.lock, NULL);
    peers_start(&bench.peer);
    if (!bench.peer.is_caller) {
        run_callee(&bench);
    }
    jingle_session_config config = sound(&bench);
    jingle_status status =
        jingle_session_start(bench.peer.client, "callee@bench.test", &config, &bench.session);
    if (status != JINGLE_OK) {
        fprintf(stderr, "No call: %s\n", jingle_strerror(status));
        return 1;
    }
    peer_run(&bench.peer, is_connected, PATIENCE, "the call");
    peer_run(&bench.peer, is_told, PATIENCE + seconds * USEC_PER_SEC, "the callee's marks");
    peer_note(&bench.peer, "end", 3);
    jingle_session_unref(bench.session);
    jingle_client_free(bench.peer.client);
    bench.peer.client = NULL;
    peer_end(&bench.peer);
    report(&bench);
    return 0;
}
