/* Stories of two voice streams over a modelled network. Each is a row: who the parties are, what
 * the network does, what happens when, and what each must have heard in the end.
 *
 *     sim_voices [NAME]         all stories, or those whose name has NAME in it ('*' allowed)
 *     SIM_SEED=7 sim_voices     with another seed
 *     SIM_LOG=1 sim_voices NAME their logs on standard output */
#include "tests/sim/speech.h"
#include "tests/sim/world.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CUES_MAX 12
#define SEED     1

enum { A = 0, B = 1 };

/* Something that happens to a party. */
struct cue {
    unsigned at_ms;
    int who;
    void (*act)(struct world *world, struct party *party, int value);
    int value;
};

/* What a listener may have to bear at most; zeros are a clean line's. */
struct bounds {
    double concealed; /* percent */
    double delay_ms;  /* mean of the buffer; 0: 60 */
    double recovered; /* percent that FEC must at least have saved */
    double quieter;   /* loudness may be this much off 1; 0: 0.1 */
    bool ends_in_silence;
};

struct story {
    const char *name;
    unsigned seconds; /* 0: 15 */
    struct party_config parties[2];
    struct network_config paths[2]; /* from A, from B */
    struct cue cues[CUES_MAX];
    struct bounds hears[2]; /* what A hears, what B hears */
    void (*check)(struct world *world);
};

/* --- what can happen -- */

static void mute(struct world *world, struct party *party, int on)
{
    (void)world;
    voice_set_mute(party->voice, on);
}

/* Signalling takes no time here: the peer learns at once. */
static void hold(struct world *world, struct party *party, int on)
{
    voice_set_hold(party->voice, on);
    party->unplugged = on;
    voice_set_peer_hold(world_other(world, party)->voice, on);
}

/* Nothing that the party sends gets through. */
static void outage(struct world *world, struct party *party, int ms)
{
    network_outage(world_path(world, party), world->now + ms * USEC_PER_MS);
}

static void digit(struct world *world, struct party *party, int key)
{
    (void)world;
    voice_send_digit(party->voice, (char)key);
}

static void sixteen_digits(struct world *world, struct party *party, int unused)
{
    (void)unused;
    for (const char *key = "0123456789*#ABCD"; *key; key++) {
        digit(world, party, *key);
    }
}

static void restart(struct world *world, struct party *party, int goodbye)
{
    if (goodbye) {
        voice_bye(party->voice, world->now);
    }
    party_restart(party);
}

static void unplug(struct world *world, struct party *party, int on)
{
    (void)world;
    party->unplugged = on;
}

static void die(struct world *world, struct party *party, int unused)
{
    (void)world;
    (void)unused;
    party->asleep = true;
}

static void hang_up(struct world *world, struct party *party, int unused)
{
    (void)unused;
    voice_bye(party->voice, world->now);
    party->unplugged = true;
}

static void lose_rtcp(struct world *world, struct party *party, int on)
{
    world_tamper(world, party)->lose_rtcp = on;
}

static void set_ptime(struct world *world, struct party *party, int ms)
{
    (void)world;
    struct voice_sending sending = {
        .codec = &codec_opus, .payload_type = PARTY_OPUS, .bitrate = 32000, .ptime = (unsigned)ms};
    assert_int_equal(voice_set_sending(party->voice, &sending), JINGLE_OK);
}

static void to_pcmu(struct world *world, struct party *party, int unused)
{
    (void)world;
    (void)unused;
    struct voice_sending sending = {.codec = &codec_pcmu};
    assert_int_equal(voice_set_sending(party->voice, &sending), JINGLE_OK);
}

static void pad_every(struct world *world, struct party *party, int packets)
{
    world_tamper(world, party)->padding_every = (unsigned)packets;
}

static void foreign_every(struct world *world, struct party *party, int packets)
{
    world_tamper(world, party)->foreign_every = (unsigned)packets;
}

static void jump_timestamps(struct world *world, struct party *party, int by)
{
    world_tamper(world, party)->timestamp_offset += (uint32_t)by;
}

static void jump_sequence(struct world *world, struct party *party, int by)
{
    world_tamper(world, party)->sequence_offset += (uint16_t)by;
}

static void set_delay(struct world *world, struct party *party, int ms)
{
    struct network_config config = {.delay = ms * USEC_PER_MS};
    network_change(world_path(world, party), &config);
}

/* The party's path brings this many packets of noise, some with the right SSRC. */
static void flood(struct world *world, struct party *party, int packets)
{
    struct party *victim = world_other(world, party);
    for (int i = 0; i < packets; i++) {
        uint8_t noise[256];
        for (size_t n = 0; n < sizeof noise; n++) {
            noise[n] = (uint8_t)random_next(&party->random);
        }
        size_t size = random_next(&party->random) % sizeof noise;
        noise[0] = (uint8_t)(0x80 | (noise[0] & 0x3f));
        if (i % 2) {
            noise[1] = (uint8_t)(200 + noise[1] % 8);
            voice_receive_rtcp(victim->voice, noise, size, world->now);
        } else {
            noise[1] = PARTY_OPUS;
            voice_receive_rtp(victim->voice, noise, size, world->now);
        }
    }
}

/* --- what must have become of it -- */

static void check_digits(struct world *world)
{
    assert_string_equal(world->parties[B].digits, "0123456789*#ABCD");
    assert_string_equal(world->parties[A].digits, "");
}

static void check_goodbye_heard(struct world *world)
{
    assert_int_equal(world->parties[B].byes, 1);
    assert_int_equal(world->parties[A].byes, 0);
}

static void check_no_goodbye(struct world *world)
{
    assert_int_equal(world->parties[B].byes, 0);
    assert_int_equal(world->parties[A].byes, 0);
}

static void check_source_changed(struct world *world)
{
    assert_int_equal(world_hearing(world, B).stats.source_changes, 1);
    check_no_goodbye(world);
}

static void check_both_took_another_ssrc(struct world *world)
{
    assert_true(world_hearing(world, A).stats.packets_discarded > 0);
    assert_true(world_hearing(world, B).stats.packets_discarded > 0);
    check_no_goodbye(world);
}

static void check_fec_follows(struct world *world)
{
    assert_in_range(world_hearing(world, A).stats.expected_loss, 5, 20);
    assert_int_equal(world_hearing(world, B).stats.expected_loss, 0);
}

static void check_fec_is_off_again(struct world *world)
{
    assert_in_range(world_hearing(world, A).stats.expected_loss, 0, 4);
}

static void check_silence_is_cheap(struct world *world)
{
    assert_in_range(world_hearing(world, A).stats.packets_sent, 1, 15 * 50 / 5);
}

static void check_muted_is_silent(struct world *world)
{
    assert_true(world_hearing(world, B).stats.level_received < 0.01);
    assert_true(world_hearing(world, B).stats.level_announced < -90);
    assert_true(world_hearing(world, A).stats.level_received > 0.01);
}

static void check_no_reports(struct world *world)
{
    struct voice_stats stats = world_hearing(world, A).stats;
    assert_int_equal(stats.reports_received, 0);
    assert_int_equal(stats.round_trip, -1);
}

static void check_peer_is_quiet(struct world *world)
{
    usec heard = voice_last_heard(world->parties[B].voice);
    assert_in_range(world->now - heard, 4900 * USEC_PER_MS, 5100 * USEC_PER_MS);
}

static void check_late_beginner_is_heard(struct world *world)
{
    usec first = voice_first_played(world->parties[B].voice);
    assert_in_range(first, 5000 * USEC_PER_MS, 5300 * USEC_PER_MS);
}

static void check_levels_agree(struct world *world)
{
    for (int i = A; i <= B; i++) {
        double sent = world_hearing(world, i).stats.level_sent;
        double received = world_hearing(world, !i).stats.level_received;
        assert_true(sent > 0.01 && received > sent * 0.6 && received < sent * 1.6);
    }
}

static void check_padding_is_no_sound(struct world *world)
{
    struct hearing b = world_hearing(world, B);
    assert_int_equal(b.stats.packets_discarded, 0);
    assert_int_equal(b.stats.packets_lost, 0);
}

static void check_foreign_types_are_counted(struct world *world)
{
    struct hearing b = world_hearing(world, B);
    assert_in_range(b.stats.packets_discarded, 10, 40);
    assert_int_equal(b.stats.packets_lost, 0);
}

static void check_noise_was_counted(struct world *world)
{
    assert_true(world_hearing(world, B).stats.packets_discarded > 1000);
    check_no_goodbye(world);
}

static void check_bitrates(struct world *world)
{
    struct hearing b = world_hearing(world, B);
    assert_in_range(b.stats.bitrate_received, 60000, 72000); /* 64 kbit/s and headers */
}

/* --- the stories -- */

#define MS(n) ((n)*USEC_PER_MS)
#define NEAR            \
    {                   \
        .delay = MS(25) \
    }
#define BOTH(...)       \
    {                   \
        {__VA_ARGS__},  \
        {               \
            __VA_ARGS__ \
        }               \
    }
#define PCMU                 \
    {                        \
        .codec = &codec_pcmu \
    }
#define WITH_FEC    \
    {               \
        .fec = true \
    }
#define NORMAL(s) .shape = NETWORK_JITTER_NORMAL, .jitter = MS(s)

static const struct story stories[] = {
    {"a clean line", .paths = BOTH(.delay = MS(25)), .check = check_levels_agree},
    {"half the world away", .paths = BOTH(.delay = MS(250)), .check = check_levels_agree},
    {"PCMU on a clean line", .parties = {PCMU, PCMU}, .paths = {NEAR, NEAR},
     .check = check_bitrates},
    {"ten minutes of PCMU", .seconds = 600, .parties = {PCMU, PCMU}, .paths = {NEAR, NEAR}},
    {"PCMA one way and Opus the other", .parties = {{.codec = &codec_pcma}, {0}},
     .paths = {NEAR, NEAR}},
    {"stereo is heard in mono", .parties = {{.channels = 2}, {0}}, .paths = {NEAR, NEAR}},
    {"packets of 10 ms", .parties = {{.ptime = 10}, {.ptime = 10}}, .paths = {NEAR, NEAR}},
    {"packets of 40 ms", .parties = {{.ptime = 40}, {.ptime = 40}}, .paths = {NEAR, NEAR},
     .hears = BOTH(.delay_ms = 80)},
    {"packets of 60 ms against 20 ms", .parties = {{.ptime = 60}, {0}}, .paths = {NEAR, NEAR},
     .hears = {{0}, {.delay_ms = 100}}},
    {"from 60 ms to 20 ms in the middle", .parties = {{.ptime = 60}, {0}}, .paths = {NEAR, NEAR},
     .cues = {{7000, A, set_ptime, 20}}, .hears = {{0}, {.concealed = 1, .delay_ms = 100}}},
    {"from Opus to PCMU in the middle", .paths = {NEAR, NEAR}, .cues = {{7000, A, to_pcmu, 0}},
     .hears = {{0}, {.concealed = 1, .quieter = 0.2}}},

    /* loss */
    {"2 % loss without FEC", .paths = BOTH(.delay = MS(25), .loss = 0.02),
     .hears = BOTH(.concealed = 4, .delay_ms = 70)},
    {"10 % loss with FEC", .seconds = 30, .parties = {WITH_FEC, WITH_FEC},
     .paths = BOTH(.delay = MS(25), .loss = 0.1),
     .hears = BOTH(.concealed = 5, .recovered = 3, .delay_ms = 80, .quieter = 0.3)},
    {"20 % loss with FEC", .seconds = 30, .parties = {WITH_FEC, WITH_FEC},
     .paths = BOTH(.delay = MS(25), .loss = 0.2),
     .hears = BOTH(.concealed = 11, .recovered = 5, .delay_ms = 80, .quieter = 0.3)},
    {"bursts of loss", .seconds = 30, .parties = {WITH_FEC, WITH_FEC},
     .paths = BOTH(.delay = MS(25), .burst_begin = 0.02, .burst_end = 0.25),
     .hears = BOTH(.concealed = 10, .delay_ms = 100, .quieter = 0.35)},
    {"loss one way only", .seconds = 20, .parties = {WITH_FEC, WITH_FEC},
     .paths = {{.delay = MS(25), .loss = 0.1}, NEAR},
     .hears = {{0}, {.concealed = 6, .recovered = 2, .delay_ms = 80, .quieter = 0.3}},
     .check = check_fec_follows},
    {"loss that goes away", .seconds = 45, .parties = {WITH_FEC, WITH_FEC},
     .paths = {{.delay = MS(25), .loss = 0.15}, NEAR}, .cues = {{10000, A, set_delay, 25}},
     .hears = {{0}, {.concealed = 3, .delay_ms = 80, .quieter = 0.3}},
     .check = check_fec_is_off_again},

    /* time */
    {"jitter of 20 ms", .paths = BOTH(.delay = MS(80), NORMAL(20)),
     .hears = BOTH(.concealed = 1, .delay_ms = 130)},
    {"jitter of 60 ms", .seconds = 30, .paths = BOTH(.delay = MS(200), NORMAL(60)),
     .hears = BOTH(.concealed = 2, .delay_ms = 260)},
    {"jitter without reordering", .paths = BOTH(.delay = MS(80), NORMAL(20), .in_order = true),
     .hears = BOTH(.concealed = 1, .delay_ms = 130)},
    {"loss and jitter", .seconds = 30, .parties = {WITH_FEC, WITH_FEC},
     .paths = BOTH(.delay = MS(100), NORMAL(30), .loss = 0.1),
     .hears = BOTH(.concealed = 6, .delay_ms = 180, .quieter = 0.3)},
    {"reordering", .paths = BOTH(.delay = MS(25), .reorder = 0.05, .reorder_by = MS(50)),
     .hears = BOTH(.concealed = 3, .delay_ms = 120)},
    {"every tenth packet comes twice", .paths = BOTH(.delay = MS(25), .duplicate = 0.1)},
    {"a slow link", .seconds = 20, .paths = BOTH(.delay = MS(25), .rate = 64000, .queue = 4000),
     .hears = BOTH(.concealed = 1, .delay_ms = 80)},
    {"a longer route", .seconds = 20, .paths = {NEAR, NEAR}, .cues = {{8000, A, set_delay, 150}},
     .hears = {{0}, {.concealed = 2, .delay_ms = 150}}},
    {"a shorter route", .seconds = 20, .paths = BOTH(.delay = MS(150)),
     .cues = {{8000, A, set_delay, 25}}, .hears = {{0}, {.concealed = 2, .delay_ms = 150}}},
    {"a crystal 200 ppm too fast", .seconds = 120,
     .parties = {{.codec = &codec_pcmu, .ppm = 200}, PCMU}, .paths = {NEAR, NEAR},
     .hears = BOTH(.concealed = 0.2)},
    {"a crystal 200 ppm too slow", .seconds = 120,
     .parties = {{.codec = &codec_pcmu, .ppm = -200}, PCMU}, .paths = {NEAR, NEAR},
     .hears = BOTH(.concealed = 0.2)},

    /* the line breaks */
    {"an outage of one second", .paths = {NEAR, NEAR},
     .cues = {{6000, A, outage, 1000}, {6000, B, outage, 1000}},
     .hears = BOTH(.concealed = 9, .delay_ms = 100, .quieter = 0.2)},
    {"an outage of three seconds", .seconds = 20, .paths = {NEAR, NEAR},
     .cues = {{6000, A, outage, 3000}, {6000, B, outage, 3000}},
     .hears = BOTH(.concealed = 17, .delay_ms = 100, .quieter = 0.35)},
    {"an outage of ten seconds one way", .seconds = 25, .paths = {NEAR, NEAR},
     .cues = {{6000, A, outage, 10000}},
     .hears = {{0}, {.concealed = 42, .delay_ms = 100, .quieter = 0.6}}},
    {"the peer is killed", .paths = {NEAR, NEAR}, .cues = {{10000, A, die, 0}},
     .hears = {{.ends_in_silence = true, .concealed = 100, .quieter = 1},
               {.ends_in_silence = true, .concealed = 35, .quieter = 0.6}},
     .check = check_peer_is_quiet},

    /* what users do */
    {"A mutes", .parties = {{0}, PCMU}, .paths = {NEAR, NEAR}, .cues = {{8000, A, mute, 1}},
     .hears = {{0}, {.ends_in_silence = true, .quieter = 0.7}}, .check = check_muted_is_silent},
    {"A mutes and unmutes", .parties = {{0}, PCMU}, .paths = {NEAR, NEAR},
     .cues = {{5000, A, mute, 1}, {8000, A, mute, 0}}, .hears = {{0}, {.quieter = 0.5}}},
    {"A holds and resumes", .parties = {{0}, PCMU}, .paths = {NEAR, NEAR},
     .cues = {{5000, A, hold, 1}, {9000, A, hold, 0}},
     .hears = {{.quieter = 0.5}, {.concealed = 2, .quieter = 0.2}}},
    {"the microphone is away for two seconds", .parties = {{0}, PCMU}, .paths = {NEAR, NEAR},
     .cues = {{5000, A, unplug, 1}, {7000, A, unplug, 0}},
     .hears = {{0}, {.concealed = 16, .quieter = 0.2}}},
    {"A begins five seconds late", .parties = {{.start = MS(5000)}, {0}}, .paths = {NEAR, NEAR},
     .hears = {{.quieter = 0.6, .delay_ms = 200}, {0}}, .check = check_late_beginner_is_heard},
    {"silence with DTX", .parties = {{.dtx = true, .sound = SOUND_SILENCE}, {0}},
     .paths = {NEAR, NEAR}, .hears = {{0}, {.ends_in_silence = true, .concealed = 1, .quieter = 1}},
     .check = check_silence_is_cheap},
    {"turns with DTX", .seconds = 19,
     .parties = {{.dtx = true, .sound = SOUND_TURNS}, {.dtx = true, .sound = SOUND_TURNS}},
     .paths = {NEAR, NEAR}, .hears = BOTH(.concealed = 1)},
    {"hang-up", .parties = {{0}, PCMU}, .paths = {NEAR, NEAR}, .cues = {{10000, A, hang_up, 0}},
     .hears = {{0}, {.ends_in_silence = true, .concealed = 35, .quieter = 0.6}},
     .check = check_goodbye_heard},
    {"the goodbye is lost", .paths = {NEAR, NEAR},
     .cues = {{9900, A, lose_rtcp, 1}, {10000, A, hang_up, 0}},
     .hears = {{0}, {.ends_in_silence = true, .concealed = 35, .quieter = 0.6}},
     .check = check_no_goodbye},
    {"no RTCP of B arrives", .parties = {{0}, PCMU}, .paths = {NEAR, NEAR},
     .cues = {{0, B, lose_rtcp, 1}}, .check = check_no_reports},

    /* digits */
    {"sixteen digits", .paths = {NEAR, NEAR}, .cues = {{3000, A, sixteen_digits, 0}},
     .hears = {{0}, {.concealed = 25, .quieter = 0.5}}, .check = check_digits},
    {"sixteen digits by PCMU", .parties = {PCMU, PCMU}, .paths = {NEAR, NEAR},
     .cues = {{3000, A, sixteen_digits, 0}}, .hears = {{0}, {.concealed = 25, .quieter = 0.5}},
     .check = check_digits},
    {"sixteen digits under 20 % loss", .paths = BOTH(.delay = MS(25), .loss = 0.2),
     .cues = {{3000, A, sixteen_digits, 0}},
     .hears = BOTH(.concealed = 40, .delay_ms = 100, .quieter = 0.65), .check = check_digits},
    {"sixteen digits under jitter", .paths = BOTH(.delay = MS(100), NORMAL(40)),
     .cues = {{3000, A, sixteen_digits, 0}},
     .hears = BOTH(.concealed = 30, .delay_ms = 200, .quieter = 0.5), .check = check_digits},
    {"sixteen digits of a muted party", .paths = {NEAR, NEAR},
     .cues = {{2000, A, mute, 1}, {3000, A, sixteen_digits, 0}},
     .hears = {{0}, {.ends_in_silence = true, .concealed = 30, .quieter = 1}},
     .check = check_digits},

    /* sources */
    {"A moves to another device", .parties = {{0}, PCMU}, .paths = {NEAR, NEAR},
     .cues = {{7000, A, restart, 1}},
     .hears = {{.quieter = 0.2}, {.concealed = 3, .delay_ms = 100}}, .check = check_source_changed},
    {"A moves without a goodbye", .parties = {{0}, PCMU}, .paths = {NEAR, NEAR},
     .cues = {{7000, A, restart, 0}},
     .hears = {{.quieter = 0.2}, {.concealed = 3, .delay_ms = 100}}, .check = check_source_changed},
    {"A moves under loss", .parties = {{0}, PCMU}, .paths = BOTH(.delay = MS(25), .loss = 0.1),
     .cues = {{7000, A, restart, 1}},
     .hears = BOTH(.concealed = 16, .delay_ms = 100, .quieter = 0.35),
     .check = check_source_changed},
    {"both chose the same SSRC", .parties = {{.ssrc = 7}, {.ssrc = 7}}, .paths = {NEAR, NEAR},
     .hears = BOTH(.concealed = 1), .check = check_both_took_another_ssrc},

    /* strange and hostile peers */
    {"padding among the sound", .parties = {{0}, PCMU}, .paths = {NEAR, NEAR},
     .cues = {{3000, A, pad_every, 2}}, .check = check_padding_is_no_sound},
    {"more padding than sound", .parties = {{0}, PCMU}, .paths = {NEAR, NEAR},
     .cues = {{3000, A, pad_every, 1}}, .check = check_padding_is_no_sound},
    {"payload types nobody agreed on", .parties = {{0}, PCMU}, .paths = {NEAR, NEAR},
     .cues = {{1000, A, foreign_every, 30}}, .hears = {{0}, {.concealed = 4}},
     .check = check_foreign_types_are_counted},
    {"time stamps jump ahead", .parties = {{0}, PCMU}, .paths = {NEAR, NEAR},
     .cues = {{7000, A, jump_timestamps, 0x70000000}},
     .hears = {{0}, {.concealed = 5, .delay_ms = 100}}},
    {"time stamps jump back", .parties = {{0}, PCMU}, .paths = {NEAR, NEAR},
     .cues = {{7000, A, jump_timestamps, -4800000}},
     .hears = {{0}, {.concealed = 5, .delay_ms = 100}}},
    {"sequence numbers jump", .parties = {{0}, PCMU}, .paths = {NEAR, NEAR},
     .cues = {{7000, A, jump_sequence, 20000}}, .hears = {{0}, {.concealed = 5, .delay_ms = 100}}},
    {"a flood of noise", .parties = {{0}, PCMU}, .paths = {NEAR, NEAR},
     .cues = {{3000, A, flood, 1000}, {5000, A, flood, 1000}, {5005, A, flood, 1000}},
     .check = check_noise_was_counted},
    {"everything at once", .seconds = 43,
     .parties = {{.fec = true, .dtx = true, .ppm = 100, .sound = SOUND_TURNS},
                 {.fec = true, .ppm = -100}},
     .paths = BOTH(.delay = MS(100), NORMAL(30), .loss = 0.05, .duplicate = 0.02,
                   .burst_begin = 0.005, .burst_end = 0.2),
     .cues = {{5000, A, outage, 1000},
              {9000, B, mute, 1},
              {12000, B, mute, 0},
              {15000, A, hold, 1},
              {18000, A, hold, 0},
              {20000, B, restart, 1},
              {25000, A, pad_every, 3},
              {28000, A, flood, 500}},
     .hears = BOTH(.concealed = 35, .delay_ms = 250, .quieter = 0.8)},
};

#define STORY_COUNT (sizeof stories / sizeof *stories)

/* --- how they are told -- */

static int16_t *speech;
static size_t speech_samples;

static int load_speech(void **state)
{
    (void)state;
    speech = speech_load(&speech_samples);
    return speech ? 0 : -1;
}

static int free_speech(void **state)
{
    (void)state;
    free(speech);
    return 0;
}

static uint64_t seed_of_run(void)
{
    const char *text = getenv("SIM_SEED");
    return text ? strtoull(text, NULL, 10) : SEED;
}

static void tell(struct world *world, const struct story *story, uint64_t seed, FILE *log)
{
    world_open(world, seed, story->parties, story->paths, speech, speech_samples, log);
    world_say(world, "story '%s', seed %" PRIu64, story->name, seed);
    for (size_t i = 0; i < CUES_MAX && story->cues[i].act; i++) {
        const struct cue *cue = &story->cues[i];
        world_run(world, MS((usec)cue->at_ms));
        world_say(world, "cue %zu", i + 1);
        cue->act(world, &world->parties[cue->who], cue->value);
    }
    world_run(world, (usec)(story->seconds ? story->seconds : 15) * USEC_PER_SEC);
}

static void judge_hearing(struct world *world, int listener, const struct bounds *bounds)
{
    struct hearing h = world_hearing(world, listener);
    double delay = bounds->delay_ms > 0 ? bounds->delay_ms : 60;
    double quieter = bounds->quieter > 0 ? bounds->quieter : 0.1;
    bool ends_well = bounds->ends_in_silence || h.silent_since < USEC_PER_SEC;
    bool good = h.concealed <= bounds->concealed && h.delay_ms <= delay &&
                h.recovered >= bounds->recovered && h.loudness >= 1 - quieter &&
                h.loudness <= 1 + quieter && ends_well;
    if (!good || getenv("SIM_LOG")) {
        print_message("%s heard: concealed %.2f %% (at most %.2f), recovered %.2f %% (at least "
                      "%.2f), lost %.2f %%, delay %.1f ms (at most %.0f), loudness %.3f (1 +- "
                      "%.2f), silent for %.2f s at the end\n",
                      world->parties[listener].name, h.concealed, bounds->concealed, h.recovered,
                      bounds->recovered, h.lost, h.delay_ms, delay, h.loudness, quieter,
                      (double)h.silent_since / USEC_PER_SEC);
    }
    assert_true(good);
}

/* What one end says of itself and the other says of it must be the same, but for what is on its
 * way and what was sent since the last report. */
static void judge_agreement(struct world *world, const struct story *story, int sender)
{
    struct voice_stats sent = world_hearing(world, sender).stats;
    struct voice_stats received = world_hearing(world, !sender).stats;
    struct network_counts counts;
    network_counts(world->paths[sender], &counts);
    assert_true(received.packets_lost <= counts.lost + counts.overflowed + 2);
    /* what was missing at the last report may have come since, where packets overtake */
    uint64_t overtaken = story->paths[sender].shape ? 10 : story->paths[sender].reorder > 0 ? 5 : 0;
    assert_true(sent.packets_lost_remote <= received.packets_lost + overtaken);
    assert_true(received.packets_received <= sent.packets_sent + counts.duplicated);
    usec there_and_back = story->paths[0].delay + story->paths[1].delay;
    bool steady = !story->paths[0].shape && !story->paths[0].rate && !story->cues[0].act;
    if (steady && there_and_back > 0) {
        assert_in_range(sent.round_trip, there_and_back - MS(1), there_and_back + MS(11));
    }
}

/* Tampering and restarts make the two ends count different things. */
static bool counts_comparable(const struct world *world, const struct story *story)
{
    for (size_t i = 0; i < CUES_MAX && story->cues[i].act; i++) {
        if (story->cues[i].act == restart || story->cues[i].act == flood ||
            story->cues[i].act == die) {
            return false;
        }
    }
    return !world->tampers[A].sequence_offset && !story->parties[A].ssrc;
}

static void test_story(void **state)
{
    const struct story *story = *state;
    struct world world;
    tell(&world, story, seed_of_run(), getenv("SIM_LOG") ? stdout : NULL);
    for (int i = A; i <= B; i++) {
        judge_hearing(&world, i, &story->hears[i]);
        if (counts_comparable(&world, story)) {
            judge_agreement(&world, story, i);
        }
    }
    if (story->check) {
        story->check(&world);
    }
    world_close(&world);
}

static char *log_of(const struct story *story, uint64_t seed)
{
    char *text = NULL;
    size_t size = 0;
    FILE *log = open_memstream(&text, &size);
    struct world world;
    tell(&world, story, seed, log);
    world_close(&world);
    fclose(log);
    return text;
}

static void test_one_seed_gives_one_log(void **state)
{
    (void)state;
    const struct story *story = &stories[STORY_COUNT - 1];
    char *first = log_of(story, 5);
    char *again = log_of(story, 5);
    char *other = log_of(story, 6);
    assert_true(strlen(first) > 1000);
    assert_string_equal(first, again);
    assert_string_not_equal(first, other);
    free(first);
    free(again);
    free(other);
}

int main(int argc, char **argv)
{
    struct CMUnitTest tests[STORY_COUNT + 1];
    for (size_t i = 0; i < STORY_COUNT; i++) {
        tests[i] = (struct CMUnitTest){
            .name = stories[i].name, .test_func = test_story, .initial_state = (void *)&stories[i]};
    }
    tests[STORY_COUNT] = (struct CMUnitTest)cmocka_unit_test(test_one_seed_gives_one_log);
    if (argc > 1) {
        cmocka_set_test_filter(argv[1]);
    }
    return cmocka_run_group_tests(tests, load_speech, free_speech);
}
