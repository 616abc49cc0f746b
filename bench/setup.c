/* How long it takes from "accept" at the one who is called until both hear something, over a path
 * with delay: stanzas and packets take half a round trip from side to side. */
#include "base/clock.h"
#include "peers.h"

#include <glib.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE (60 * USEC_PER_SEC)
#define AUDIBLE  200

/* What the callee tells the caller. The clock is the same for all processes. */
struct times {
    usec accepted;
    usec first_frame;
};

/* From accept to the first frame. */
struct outcome {
    usec caller;
    usec callee;
};

struct bench {
    struct peer peer; /* first: the peer's hooks get it */
    jingle_audio_sink sink;
    jingle_session *session;
    usec accepted; /* callee */
    _Atomic usec first_frame;
    bool rung;
    struct times other; /* caller: what the callee told */
    bool told;
};

static void listen_for_sound(void *user, const int16_t *samples, size_t frames)
{
    struct bench *bench = user;
    if (atomic_load(&bench->first_frame)) {
        return;
    }
    for (size_t i = 0; i < frames; i++) {
        if (samples[i] > AUDIBLE || samples[i] < -AUDIBLE) {
            atomic_store(&bench->first_frame, clock_now());
            return;
        }
    }
}

static jingle_session_config sound(struct bench *bench)
{
    jingle_session_config config;
    jingle_session_config_init(&config);
    bench->sink = (jingle_audio_sink){
        .size = sizeof bench->sink,
        .user = bench,
        .write = listen_for_sound,
    };
    config.source = jingle_audio_source_tone(440, NULL);
    config.sink = &bench->sink;
    return config;
}

static void on_event(struct peer *peer, const jingle_event *event)
{
    struct bench *bench = (struct bench *)peer;
    if (event->type == JINGLE_EVENT_INCOMING) {
        bench->session = jingle_session_ref(event->session);
    } else if (event->type == JINGLE_EVENT_RINGING) {
        bench->rung = true;
    } else if (event->type == JINGLE_EVENT_ENDED && !bench->told && peer->is_caller) {
        fprintf(stderr, "The call ended too early: %s\n", event->text);
        exit(1);
    }
}

static void on_note(struct peer *peer, const void *note, size_t bytes)
{
    struct bench *bench = (struct bench *)peer;
    if (bytes == sizeof bench->other) {
        memcpy(&bench->other, note, bytes);
    }
    bench->told = true;
}

static bool is_called(void *user)
{
    return ((struct bench *)user)->session != NULL;
}

static bool hears(void *user)
{
    return atomic_load(&((struct bench *)user)->first_frame) != 0;
}

static bool is_told(void *user)
{
    return ((struct bench *)user)->told;
}

/* Lets it ring for a second, in which the caller gathers, as callers do. */
static void run_callee(struct bench *bench)
{
    peer_run(&bench->peer, is_called, PATIENCE, "the call");
    peer_run_for(&bench->peer, USEC_PER_SEC);
    jingle_session_config config = sound(bench);
    bench->accepted = clock_now();
    jingle_session_accept(bench->session, &config);
    peer_run(&bench->peer, hears, PATIENCE, "the first frame");
    struct times times = {bench->accepted, atomic_load(&bench->first_frame)};
    peer_note(&bench->peer, &times, sizeof times);
    peer_run(&bench->peer, is_told, PATIENCE, "the end");
    jingle_session_unref(bench->session);
    peer_end(&bench->peer);
}

static struct outcome run_once(usec round_trip)
{
    struct bench bench = {.peer = {.event = on_event, .note = on_note, .delay = round_trip / 2}};
    peers_start(&bench.peer);
    if (!bench.peer.is_caller) {
        run_callee(&bench);
    }
    peer_run_for(&bench.peer, round_trip * 4); /* presences and features go to and fro */
    jingle_session_config config = sound(&bench);
    jingle_status status =
        jingle_session_start(bench.peer.client, "callee@bench.test", &config, &bench.session);
    if (status != JINGLE_OK) {
        fprintf(stderr, "No call: %s\n", jingle_strerror(status));
        exit(1);
    }
    peer_run(&bench.peer, hears, PATIENCE, "the first frame");
    peer_run(&bench.peer, is_told, PATIENCE, "the callee's times");
    peer_note(&bench.peer, "end", 3);
    jingle_session_unref(bench.session);
    struct outcome outcome = {
        .caller = atomic_load(&bench.first_frame) - bench.other.accepted,
        .callee = bench.other.first_frame - bench.other.accepted,
    };
    peer_end(&bench.peer);
    return outcome;
}

static int compare(const void *a, const void *b)
{
    usec x = *(const usec *)a;
    usec y = *(const usec *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    int rtt_ms = 100;
    int runs = 5;
    GOptionEntry options[] = {
        {"rtt", 'r', 0, G_OPTION_ARG_INT, &rtt_ms, "Round trip in milliseconds (100)", "MS"},
        {"runs", 'n', 0, G_OPTION_ARG_INT, &runs, "Calls; the median is told (5)", "N"},
        {0},
    };
    GOptionContext *context =
        g_option_context_new("- set-up time of a call over a path with delay");
    g_option_context_add_main_entries(context, options, NULL);
    GError *error = NULL;
    if (!g_option_context_parse(context, &argc, &argv, &error) || rtt_ms < 1 || runs < 1 ||
        runs > 100) {
        fprintf(stderr, "%s\n", error ? error->message : "Out of range.");
        return 2;
    }
    g_option_context_free(context);
    usec caller[100];
    usec callee[100];
    printf("from accept to the first sound, round trip %d ms\n", rtt_ms);
    for (int i = 0; i < runs; i++) {
        struct outcome outcome = run_once(rtt_ms * USEC_PER_MS);
        caller[i] = outcome.caller;
        callee[i] = outcome.callee;
        printf("  call %d: caller %6.1f ms, callee %6.1f ms\n", i + 1, (double)caller[i] / 1000,
               (double)callee[i] / 1000);
    }
    qsort(caller, (size_t)runs, sizeof *caller, compare);
    qsort(callee, (size_t)runs, sizeof *callee, compare);
    const int middle = runs / 2;
    double caller_ms = (double)caller[middle] / 1000;
    double callee_ms = (double)callee[middle] / 1000;
    double slower = MAX(caller_ms, callee_ms);
    printf("median: caller %.1f ms, callee %.1f ms; at most %d ms (5 round trips and 100 ms)\n",
           caller_ms, callee_ms, 5 * rtt_ms + 100);
    printf("{\"rtts\": %.2f, \"first_frame_ms_caller\": %.1f, \"first_frame_ms_callee\": %.1f, "
           "\"rtt_ms\": %d}\n",
           slower / rtt_ms, caller_ms, callee_ms, rtt_ms);
    return 0;
}
