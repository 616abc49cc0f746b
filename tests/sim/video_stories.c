/* Stories of two video streams over a modelled network. Each is a row: who the parties are, what
 * the network does, what happens when, and what each must have seen in the end.
 *
 *     sim_video_stories [NAME]         all stories, or those whose name has NAME in it
 *     SIM_SEED=7 sim_video_stories     with another seed
 *     SIM_LOG=1 sim_video_stories NAME their logs on standard output */
#include "tests/sim/speech.h"
#include "tests/sim/video_world.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CUES_MAX 8
#define SEED     1

enum { A = 0, B = 1 };

/* Something that happens to a party. */
struct cue {
    unsigned at_ms;
    int who;
    void (*act)(struct video_world *world, int who, int value);
    int value;
};

/* What a viewer must have seen between `from` and the end. Zeros are not looked at. */
struct bounds {
    double frozen;     /* share of the time, at most; 0: 0.0001, negative: not looked at */
    unsigned gap_ms;   /* the longest between two pictures, at most */
    double frame_rate; /* at least */
    double delay_ms;   /* from camera to window, median, at most */
    uint64_t requests; /* key frames asked for, at most */
    bool nothing;      /* saw no picture at all */
    bool broken;       /* some could not be decoded */
};

struct story {
    const char *name;
    unsigned seconds; /* 0: 20 */
    unsigned from;    /* second from which bounds hold; 0: 3 */
    struct video_party_config parties[2];
    struct network_config paths[2]; /* from A, from B */
    struct cue cues[CUES_MAX];
    struct bounds sees[2]; /* what A sees, what B sees */
    void (*check)(struct video_world *world);
};

/* --- what can happen -- */

static void set_rate(struct video_world *world, int who, int kbit)
{
    struct network_config config = world->configs[who];
    config.rate = (unsigned)kbit * 1000;
    config.queue = config.rate / 8 * 3 / 10; /* 300 ms */
    video_world_path(world, who, &config);
}

static void outage(struct video_world *world, int who, int ms)
{
    network_outage(world->paths[who], world->now + ms * USEC_PER_MS);
}

static void mute(struct video_world *world, int who, int on)
{
    video_set_mute(world->parties[who].video, on, world->now);
    video_set_peer_hold(world->parties[!who].video, on, world->now);
}

static void hold(struct video_world *world, int who, int on)
{
    video_set_hold(world->parties[who].video, on, world->now);
    video_set_peer_hold(world->parties[!who].video, on, world->now);
}

static void lose_key_frame(struct video_world *world, int who, int packets)
{
    world->tampers[who].lose_next_key = (unsigned)packets;
    video_want_key_frame(world->parties[!who].video, world->now);
}

static void fail_decoder(struct video_world *world, int who, int unused)
{
    (void)unused;
    world->parties[who].decoder_broken = true;
}

static void hang_up(struct video_world *world, int who, int unused)
{
    (void)unused;
    video_bye(world->parties[who].video, world->now);
}

static void break_payloads(struct video_world *world, int who, int on)
{
    world->tampers[who].break_payloads = on;
}

/* --- running -- */

static int16_t *speech;
static size_t speech_samples;

static uint64_t seed(void)
{
    const char *text = getenv("SIM_SEED");
    return text ? strtoull(text, NULL, 10) : SEED;
}

static int64_t milliseconds(usec time)
{
    return time == USEC_NEVER ? 0 : time / USEC_PER_MS;
}

static void tell(struct video_world *world, const struct story *story, int viewer, usec from,
                 usec to)
{
    const struct video_party *party = &world->parties[viewer];
    jingle_video_statistics s = {0};
    video_stats(party->video, &s, to);
    printf("  %-28s %s: %.1f pictures/s, frozen %.2f %% (own %.2f %%, %" PRIu64 "), gap %" PRId64
           " ms, delay %" PRId64 "/%" PRId64 " ms, asked %" PRIu64
           ", sent %.0f kbit/s, queue p95 %" PRId64 " ms\n",
           story->name, party->name,
           video_party_pictures(party, from, to) / ((double)(to - from) / USEC_PER_SEC),
           100 * video_party_frozen(party, from, to), 100.0 * (double)s.freeze_time / (double)to,
           s.freezes, video_party_longest_gap(party, from, to) / USEC_PER_MS,
           milliseconds(video_party_delay(party, 0.5, from, to)),
           milliseconds(video_party_delay(party, 0.95, from, to)), s.key_frames_requested,
           video_world_rate(world, viewer, (unsigned)(from / USEC_PER_SEC),
                            (unsigned)(to / USEC_PER_SEC)) /
               1000,
           video_world_queued(world, viewer, 0.95) / USEC_PER_MS);
}

static void check_bounds(struct video_world *world, const struct bounds *bounds, int viewer,
                         usec from, usec to)
{
    const struct video_party *party = &world->parties[viewer];
    jingle_video_statistics s = {0};
    video_stats(party->video, &s, to);
    assert_true(bounds->broken || party->undecodable == 0);
    assert_int_equal(party->out_of_order, 0);
    double seconds = (double)(to - from) / USEC_PER_SEC;
    double rate = video_party_pictures(party, from, to) / seconds;
    if (bounds->nothing) {
        assert_true(rate == 0);
        return;
    }
    if (bounds->frozen >= 0 && !world->parties[!viewer].config.silent) {
        assert_true(video_party_frozen(party, from, to) <=
                    (bounds->frozen > 0 ? bounds->frozen : 0.0001));
    }
    if (bounds->gap_ms) {
        assert_true(video_party_longest_gap(party, from, to) <= bounds->gap_ms * USEC_PER_MS);
    }
    assert_true(rate >= bounds->frame_rate);
    if (bounds->delay_ms > 0) {
        assert_true((double)video_party_delay(party, 0.5, from, to) <=
                    bounds->delay_ms * USEC_PER_MS);
    }
    if (bounds->requests) {
        assert_true(s.key_frames_requested <= bounds->requests);
    }
}

static void run_story(void **state)
{
    static struct video_world world;
    const struct story *story = *state;
    usec end = (story->seconds ? story->seconds : 20) * USEC_PER_SEC;
    usec from = (story->from ? story->from : 3) * USEC_PER_SEC;
    video_world_open(&world, seed(), story->parties, story->paths, speech, speech_samples,
                     getenv("SIM_LOG") ? stdout : NULL);
    for (int i = 0; i < CUES_MAX && story->cues[i].act; i++) {
        const struct cue *cue = &story->cues[i];
        video_world_run(&world, cue->at_ms * USEC_PER_MS);
        cue->act(&world, cue->who, cue->value);
    }
    video_world_run(&world, end);
    tell(&world, story, A, from, end);
    tell(&world, story, B, from, end);
    check_bounds(&world, &story->sees[A], A, from, end);
    check_bounds(&world, &story->sees[B], B, from, end);
    if (story->check) {
        story->check(&world);
    }
    video_world_close(&world);
}

/* --- the stories -- */

/* A line of `d` ms each way, of `r` kbit/s with a queue of 300 ms, losing a share of `l`. */
#define LINE(d, r, l)                                                                            \
    {                                                                                            \
        .delay = (d)*USEC_PER_MS, .rate = (r)*1000, .queue = (r)*1000 / 8 * 3 / 10, .loss = (l), \
        .in_order = true                                                                         \
    }
#define BOTH(...)                \
    {                            \
        __VA_ARGS__, __VA_ARGS__ \
    }

static void check_nothing_resent(struct video_world *world)
{
    jingle_video_statistics s = {0};
    video_stats(world->parties[A].video, &s, world->now);
    assert_int_equal(s.packets_retransmitted, 0);
}

static void check_resent_in_the_stream(struct video_world *world)
{
    jingle_video_statistics s = {0};
    video_stats(world->parties[A].video, &s, world->now);
    assert_true(s.packets_retransmitted > 20);
    video_stats(world->parties[B].video, &s, world->now);
    assert_int_equal(s.packets_recovered, 0); /* over rtx */
}

static void check_steps(struct video_world *world)
{
    /* 4 Mbit/s until 15 s, then 500 kbit/s until 30 s, then 2 Mbit/s */
    assert_true(video_world_rate(world, A, 10, 15) > 1.8e6);
    assert_true(video_world_rate(world, A, 20, 30) < 0.55e6);
    assert_true(video_world_rate(world, A, 20, 30) > 0.3e6);
    assert_true(video_world_rate(world, A, 50, 60) > 1.2e6);
    assert_true(video_world_queued(world, A, 0.95) < 200 * USEC_PER_MS);
}

static void check_told_50(struct video_world *world)
{
    const struct video_party *party = &world->parties[A];
    double encoded = (double)party->bytes_encoded * 8 * USEC_PER_SEC / (double)world->now;
    assert_true(encoded < 55000);
    assert_true(video_world_rate(world, A, 5, 30) < 75000); /* with headers */
    assert_true(video_world_rate(world, A, 5, 30) > 30000);
}

static void check_keys_few(struct video_world *world)
{
    jingle_video_statistics s = {0};
    video_stats(world->parties[B].video, &s, world->now);
    assert_true(s.key_frames_requested >= 9);
    assert_true(s.key_frames_requested <= 15); /* in 20 s: 0.2 + 0.4 + 0.8 + 1.6 + 2 ... */
}

static void check_mad_sender(struct video_world *world)
{
    jingle_video_statistics s = {0};
    video_stats(world->parties[B].video, &s, world->now);
    assert_true(s.frames_dropped_received > 0);
    assert_true(video_party_pictures(&world->parties[B], 5 * USEC_PER_SEC, 15 * USEC_PER_SEC) <=
                (VIDEO_FRAMES_PER_SEC + 1) * 10);
}

static void check_decoder_failure(struct video_world *world)
{
    jingle_video_statistics s = {0};
    video_stats(world->parties[B].video, &s, world->now);
    assert_true(s.frames_broken >= 1);
    assert_true(s.key_frames_received >= 2);
    assert_int_equal(s.key_frames_requested, 1);
}

static void check_voice(struct video_world *world)
{
    struct voice_stats s;
    voice_stats(world->parties[B].voice.voice, &s);
    printf("  the voice: %" PRIu64 " of %" PRIu64 " concealed, %" PRId64 " ms\n",
           s.samples_concealed, s.samples_played, s.buffer_delay / USEC_PER_MS);
    assert_true((double)s.samples_concealed < 0.01 * (double)s.samples_played);
    assert_true(s.buffer_delay < 200 * USEC_PER_MS);
}

static void check_lips(struct video_world *world)
{
    jingle_video_statistics s = {0};
    video_stats(world->parties[B].video, &s, world->now);
    assert_true(llabs(s.lip_sync) <= 20 * USEC_PER_MS);
    assert_true(video_party_delay(&world->parties[B], 0.5, 15 * USEC_PER_SEC, world->now) >
                200 * USEC_PER_MS);
}

static void check_bye(struct video_world *world)
{
    assert_int_equal(world->parties[B].byes, 1);
}

static void check_broken_stream(struct video_world *world)
{
    jingle_video_statistics s = {0};
    video_stats(world->parties[B].video, &s, world->now);
    assert_true(s.frames_broken > 0);
    assert_true(s.key_frames_requested <= 30);
}

static void check_sizes(struct video_world *world)
{
    assert_true(world->parties[A].target.width < 1280);
    assert_true(world->parties[A].target_changes <= 6);
}

static const struct story stories[] = {
    {.name = "a clean line",
     .paths = BOTH(LINE(20, 0, 0)),
     .sees = BOTH({.frame_rate = 27, .delay_ms = 60, .requests = 1})},
    {.name = "1 % lost at 40 ms",
     .seconds = 60,
     .paths = BOTH(LINE(20, 4000, 0.01)),
     .sees = BOTH({.frozen = 0.005, .frame_rate = 25, .requests = 3})},
    {.name = "5 % lost at 100 ms",
     .seconds = 60,
     .from = 5,
     .paths = BOTH(LINE(50, 4000, 0.05)),
     .sees = BOTH({.frozen = 0.01, .frame_rate = 24})},
    {.name = "5 % lost at 100 ms, 2 layers",
     .seconds = 60,
     .from = 5,
     .parties = BOTH({.layers = 2}),
     .paths = BOTH(LINE(50, 4000, 0.05)),
     .sees = BOTH({.frozen = 0.01, .frame_rate = 22})},
    {.name = "10 % lost at 100 ms",
     .seconds = 60,
     .from = 5,
     .paths = BOTH(LINE(50, 4000, 0.1)),
     .sees = BOTH({.frozen = 0.03, .frame_rate = 15})},
    {.name = "20 % lost at 60 ms",
     .seconds = 60,
     .from = 5,
     .paths = BOTH(LINE(30, 4000, 0.2)),
     .sees = BOTH({.frozen = 0.06, .frame_rate = 10})},
    {.name = "bursts",
     .seconds = 60,
     .from = 5,
     .paths = BOTH(
         {.delay = 40 * USEC_PER_MS, .burst_begin = 0.005, .burst_end = 0.25, .in_order = true}),
     .sees = BOTH({.frozen = 0.03, .frame_rate = 20})},
    {.name = "600 ms there and back",
     .seconds = 40,
     .from = 5,
     .paths = BOTH(LINE(300, 2000, 0.01)),
     .sees = BOTH({.frozen = 0.08, .frame_rate = 12})},
    {.name = "disorder",
     .seconds = 30,
     .paths = BOTH({.delay = 40 * USEC_PER_MS, .reorder = 0.05, .reorder_by = 15 * USEC_PER_MS}),
     .sees = BOTH({.frozen = 0.005, .frame_rate = 25, .requests = 2})},
    {.name = "everything twice",
     .paths = BOTH({.delay = 30 * USEC_PER_MS, .duplicate = 1}),
     .sees = BOTH({.frame_rate = 25, .requests = 1})},
    {.name = "jitter",
     .seconds = 30,
     .paths = BOTH({.delay = 60 * USEC_PER_MS,
                    .shape = NETWORK_JITTER_NORMAL,
                    .jitter = 10 * USEC_PER_MS,
                    .in_order = true}),
     .sees = BOTH({.frozen = 0.005, .frame_rate = 20, .delay_ms = 200})},
    {.name = "4 to 0.5 to 2 Mbit/s",
     .seconds = 60,
     .paths = {LINE(30, 4000, 0), LINE(30, 4000, 0)},
     .cues = {{15000, A, set_rate, 500}, {30000, A, set_rate, 2000}},
     .sees = {{.frame_rate = 25}, {.frozen = 0.1, .frame_rate = 15, .gap_ms = 2500}},
     .check = check_steps},
    {.name = "nothing gets through for 3 s",
     .seconds = 30,
     .paths = BOTH(LINE(30, 4000, 0)),
     .cues = {{10000, A, outage, 3000}, {10000, B, outage, 3000}},
     .sees = BOTH({.frozen = 0.2, .gap_ms = 4500, .frame_rate = 10, .requests = 6})},
    {.name = "a peer without rtx",
     .seconds = 30,
     .parties = BOTH({.no_rtx = true}),
     .paths = BOTH(LINE(30, 3000, 0.03)),
     .sees = BOTH({.frozen = 0.02, .frame_rate = 20}),
     .check = check_resent_in_the_stream},
    {.name = "a peer without transport-cc",
     .seconds = 30,
     .from = 5,
     .parties = BOTH({.no_transport_feedback = true}),
     .paths = BOTH(LINE(30, 2000, 0.01)),
     .sees = BOTH({.frozen = 0.03, .frame_rate = 15})},
    {.name = "a peer with nothing",
     .seconds = 30,
     .from = 5,
     .parties = BOTH({.no_transport_feedback = true,
                      .no_remb = true,
                      .no_rtx = true,
                      .no_nack = true,
                      .full_compounds = true,
                      .fir = true}),
     .paths = BOTH(LINE(20, 2000, 0.001)),
     .sees = BOTH({.frozen = 0.1, .frame_rate = 12}),
     .check = check_nothing_resent},
    {.name = "a key frame lost",
     .parties = BOTH({.layers = 0}),
     .paths = BOTH(LINE(30, 0, 0)),
     .cues = {{8000, A, lose_key_frame, 40}},
     .sees = {{.frame_rate = 27},
              {.frozen = 0.05, .gap_ms = 700, .frame_rate = 25, .requests = 4}}},
    {.name = "no key frame ever",
     .parties = {{.no_key_at_all = true}, {.silent = true}},
     .paths = BOTH(LINE(30, 0, 0)),
     .sees = {{.nothing = true}, {.nothing = true}},
     .check = check_keys_few},
    {.name = "the decoder fails once",
     .paths = BOTH(LINE(30, 0, 0)),
     .cues = {{8000, B, fail_decoder, 0}},
     .sees = {{.frame_rate = 27}, {.frozen = 0.05, .gap_ms = 400, .frame_rate = 27}},
     .check = check_decoder_failure},
    {.name = "a thousand frames a second",
     .parties = {{.frames_a_second = 1000, .bitrate = 1000000}, {.silent = true}},
     .paths = BOTH(LINE(20, 0, 0)),
     .sees = {{.nothing = true}, {.frozen = -1}},
     .check = check_mad_sender},
    {.name = "told 50 kbit/s",
     .seconds = 30,
     .from = 5,
     .parties = {{.bitrate = 50000}, {.silent = true}},
     .paths = BOTH(LINE(30, 0, 0)),
     .sees = {{.nothing = true}, {.frozen = 0.02, .frame_rate = 4}},
     .check = check_told_50},
    {.name = "told 50 kbit/s, VP8",
     .seconds = 30,
     .from = 5,
     .parties = {{.bitrate = 50000, .real = true, .input = {320, 240, 15, false}},
                 {.silent = true, .real = true}},
     .paths = BOTH(LINE(30, 0, 0)),
     .sees = {{.nothing = true}, {.frozen = 0.03, .frame_rate = 2}},
     .check = check_told_50},
    {.name = "VP8 at 5 % lost",
     .seconds = 20,
     .from = 5,
     .parties = BOTH({.real = true, .input = {320, 240, 20, false}}),
     .paths = BOTH(LINE(30, 2000, 0.05)),
     .sees = BOTH({.frozen = 0.02, .frame_rate = 14})},
    {.name = "VP9 at 5 % lost",
     .seconds = 20,
     .from = 5,
     .parties = BOTH({.codec = &codec_vp9, .real = true, .input = {320, 240, 20, false}}),
     .paths = BOTH(LINE(30, 2000, 0.05)),
     .sees = BOTH({.frozen = 0.02, .frame_rate = 14})},
    {.name = "VP8 of 2 layers at 5 % lost",
     .seconds = 20,
     .from = 5,
     .parties = BOTH({.layers = 2, .real = true, .input = {320, 240, 20, false}}),
     .paths = BOTH(LINE(30, 2000, 0.05)),
     .sees = BOTH({.frozen = 0.02, .frame_rate = 14})},
    {.name = "VP8, broken on the way",
     .seconds = 20,
     .from = 5,
     .parties = {{.real = true, .input = {320, 240, 20, false}}, {.silent = true, .real = true}},
     .paths = BOTH(LINE(30, 2000, 0)),
     .cues = {{3000, A, break_payloads, 1}},
     .sees = {{.nothing = true}, {.frozen = -1, .broken = true}},
     .check = check_broken_stream},
    {.name = "voice beside video, narrow",
     .seconds = 40,
     .from = 8,
     .parties = BOTH({.voice = true}),
     .paths = BOTH(LINE(30, 300, 0)),
     .sees = BOTH({.frozen = 0.05, .frame_rate = 6}),
     .check = check_voice},
    {.name = "lips",
     .seconds = 30,
     .from = 15,
     .parties = BOTH({.voice = true, .sound_delay = 200 * USEC_PER_MS}),
     .paths = BOTH(LINE(20, 0, 0)),
     .sees = BOTH({.frame_rate = 27}),
     .check = check_lips},
    {.name = "a screen on 400 kbit/s",
     .seconds = 30,
     .from = 8,
     .parties = {{.input = {1920, 1080, 15, true}}, {.silent = true}},
     .paths = BOTH(LINE(30, 400, 0)),
     .sees = {{.nothing = true}, {.frozen = 0.1, .frame_rate = 1.5}}},
    {.name = "a camera on 300 kbit/s",
     .seconds = 40,
     .from = 8,
     .parties = {{.bitrate = 0}, {.silent = true}},
     .paths = BOTH(LINE(30, 300, 0)),
     .sees = {{.nothing = true}, {.frozen = 0.05, .frame_rate = 8}},
     .check = check_sizes},
    {.name = "muted and back",
     .paths = BOTH(LINE(30, 0, 0)),
     .cues = {{6000, A, mute, 1}, {10000, A, mute, 0}},
     .from = 11,
     .sees = BOTH({.frame_rate = 27})},
    {.name = "held and resumed",
     .paths = BOTH(LINE(30, 0, 0)),
     .cues = {{6000, A, hold, 1}, {10000, A, hold, 0}},
     .from = 11,
     .sees = BOTH({.frame_rate = 28, .requests = 3})},
    {.name = "goodbye",
     .paths = BOTH(LINE(30, 0, 0)),
     .cues = {{8000, A, hang_up, 0}},
     .sees = {{.frame_rate = 27}, {.frozen = -1}},
     .check = check_bye},
};

/* --- which to run -- */

int main(int argc, char **argv)
{
    enum { COUNT = sizeof stories / sizeof stories[0] };
    static struct CMUnitTest tests[COUNT];
    size_t count = 0;
    speech = speech_load(&speech_samples);
    for (size_t i = 0; i < COUNT; i++) {
        if (argc < 2 || strstr(stories[i].name, argv[1])) {
            tests[count++] =
                (struct CMUnitTest){stories[i].name, run_story, NULL, NULL, (void *)&stories[i]};
        }
    }
    int failed = _cmocka_run_group_tests("video stories", tests, count, NULL, NULL);
    free(speech);
    return failed;
}
