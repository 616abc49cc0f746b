/* Streams with every kind of trouble, in virtual time: `plan` says when each packet arrives. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rtp/playout.h"
#include "tests/sim/network.h"

enum { LOST = -1, PENDING_MAX = 256 };

struct scene;
typedef int64_t (*plan_fn)(struct scene *scene, int64_t packet); /* delay in usec, or LOST */

struct pending {
    usec arrival;
    int64_t order;
    struct playout_packet packet;
    uint8_t payload[1500];
};

struct scene {
    struct playout *playout;
    const struct audio_codec *codec;
    struct audio_encoder *encoders[2]; /* Opus, PCMU */
    unsigned ptime;                    /* ms */
    unsigned pulls;                    /* that the sink makes at once */
    double pitch;                      /* of the voice, Hz */
    plan_fn plan;
    double ppm; /* how much faster the sender's clock is */
    uint64_t random;
    uint16_t sequence;
    uint32_t timestamp;
    int64_t packets;
    uint64_t samples; /* of the tone */
    usec now;
    double next_frame; /* when the sender's next packet is full, usec */
    struct pending *pending;
    size_t pending_count;
    bool paused;          /* the sender says nothing, but its clock goes on */
    bool held;            /* nor does its clock */
    uint64_t recoverable; /* lost, and in the FEC of the next packet, which was not */
    bool lost_before;
    usec delay_max;
    double level; /* of the last pull */
    struct playout_sound sound;
    struct playout_stats stats;
};

static int64_t at_once(struct scene *scene, int64_t packet)
{
    (void)scene;
    (void)packet;
    return 1000;
}

static struct scene *open_scene(const struct audio_codec *codec, plan_fn plan)
{
    struct scene *scene = calloc(1, sizeof *scene);
    assert_non_null(scene);
    scene->playout = playout_new(&(struct playout_config){.channels = 1});
    scene->codec = codec;
    scene->plan = plan;
    scene->ptime = 20;
    scene->pulls = 1;
    scene->pitch = 150;
    scene->random = 1;
    scene->sequence = 65500;               /* wraps soon, */
    scene->timestamp = UINT32_MAX - 48000; /* and so does this */
    scene->pending = calloc(PENDING_MAX, sizeof *scene->pending);
    struct audio_encoder_config config = {
        .channels = 1, .bitrate = 24000, .fec = true, .loss_percent = 20, .complexity = 3};
    scene->encoders[0] = audio_encoder_new(&codec_opus, &config);
    scene->encoders[1] = audio_encoder_new(&codec_pcmu, &config);
    assert_non_null(scene->playout);
    assert_non_null(scene->encoders[0]);
    assert_non_null(scene->encoders[1]);
    return scene;
}

static void close_scene(struct scene *scene)
{
    playout_free(scene->playout);
    audio_encoder_free(scene->encoders[0]);
    audio_encoder_free(scene->encoders[1]);
    free(scene->pending);
    free(scene);
}

/* A buzz that swells four times a second, as speech does. */
static void speak(struct scene *scene, int16_t *out, size_t count, unsigned rate)
{
    for (size_t i = 0; i < count; i++) {
        double t = (double)(scene->samples + i) / rate;
        double swell = 0.5 - 0.5 * cos(2 * M_PI * 4 * t);
        double voice = 0;
        for (int harmonic = 1; harmonic <= 8; harmonic++) {
            voice += sin(2 * M_PI * scene->pitch * harmonic * t) / harmonic;
        }
        out[i] = (int16_t)(6000 * voice * (0.2 + 0.8 * swell));
    }
    scene->samples += count;
}

static void arrive_later(struct scene *scene, const struct playout_packet *packet, usec delay)
{
    assert_true(scene->pending_count < PENDING_MAX);
    struct pending *pending = &scene->pending[scene->pending_count++];
    pending->arrival = (usec)scene->next_frame + delay;
    pending->order = scene->packets;
    pending->packet = *packet;
    memcpy(pending->payload, packet->payload, packet->size);
}

static void send_packet(struct scene *scene)
{
    int16_t samples[2880];
    uint8_t payload[1500];
    unsigned rate = scene->codec->clockrate;
    size_t count = (size_t)rate / 1000 * scene->ptime;
    struct playout_packet packet = {.kind = PLAYOUT_SOUND,
                                    .sequence = scene->sequence,
                                    .timestamp = scene->timestamp,
                                    .payload = payload,
                                    .codec = scene->codec};
    scene->timestamp += scene->held ? 0 : (uint32_t)count;
    if (scene->paused || scene->held) {
        return;
    }
    speak(scene, samples, count, rate);
    int size = audio_encode(scene->encoders[scene->codec == &codec_opus ? 0 : 1], samples, count,
                            payload, sizeof payload);
    assert_true(size > 0);
    packet.size = (size_t)size;
    scene->sequence++;
    int64_t delay = scene->plan(scene, scene->packets++);
    bool fec = audio_has_fec(scene->codec, payload, packet.size);
    scene->recoverable += scene->lost_before && delay != LOST && fec ? 1 : 0;
    scene->lost_before = delay == LOST;
    if (delay != LOST) {
        arrive_later(scene, &packet, delay);
    }
}

static bool before(const struct pending *a, const struct pending *b)
{
    return a->arrival != b->arrival ? a->arrival < b->arrival : a->order < b->order;
}

static void insert_arrived(struct scene *scene)
{
    while (scene->pending_count > 0) {
        size_t first = 0;
        for (size_t i = 1; i < scene->pending_count; i++) {
            first = before(&scene->pending[i], &scene->pending[first]) ? i : first;
        }
        struct pending arrived = scene->pending[first];
        if (arrived.arrival > scene->now + 500) {
            return;
        }
        scene->pending[first] = scene->pending[--scene->pending_count];
        arrived.packet.payload = arrived.payload;
        playout_insert(scene->playout, &arrived.packet, arrived.arrival);
    }
}

static double level_of(const struct playout_sound *sound)
{
    double sum = 0;
    for (size_t i = 0; i < sound->count; i++) {
        sum += (double)sound->samples[i] * sound->samples[i];
    }
    return sqrt(sum / (double)sound->count);
}

static void pull(struct scene *scene)
{
    playout_pull(scene->playout, &scene->sound, scene->now + 500);
    playout_stats(scene->playout, &scene->stats);
    scene->level = level_of(&scene->sound);
    usec delay = scene->stats.buffer_delay;
    scene->delay_max = delay > scene->delay_max ? delay : scene->delay_max;
    assert_int_equal(scene->sound.count, scene->sound.rate / 100);
}

static void run(struct scene *scene, double seconds)
{
    scene->delay_max = 0;
    usec end = scene->now + (usec)(seconds * USEC_PER_SEC);
    for (; scene->now < end; scene->now += 10 * USEC_PER_MS) {
        while (scene->next_frame <= (double)scene->now) {
            send_packet(scene);
            scene->next_frame += scene->ptime * 1000.0 * (1 - scene->ppm / 1e6);
        }
        insert_arrived(scene);
        unsigned pulls = scene->now / (10 * USEC_PER_MS) % scene->pulls == 0 ? scene->pulls : 0;
        for (unsigned i = 0; i < pulls; i++) {
            pull(scene);
        }
    }
}

static void assert_nothing_concealed(const struct scene *scene)
{
    assert_int_equal(scene->stats.samples_concealed, 0);
    assert_int_equal(scene->stats.frames_lost, 0);
}

/* --- a good link -- */

static void test_a_clean_stream_is_played_whole_after_a_short_wait(void **state)
{
    (void)state;
    struct scene *scene = open_scene(&codec_opus, at_once);
    run(scene, 5);
    assert_nothing_concealed(scene);
    assert_true(scene->stats.samples_stretched + scene->stats.samples_shrunk < 48 * 40);
    assert_true(scene->stats.frames_played >= 247);
    assert_true(scene->delay_max <= 40 * USEC_PER_MS);
    assert_true(scene->level > 100);
    close_scene(scene);
}

static int64_t a_little_jitter(struct scene *scene, int64_t packet)
{
    (void)packet;
    return 1000 + (int64_t)(random_uniform(&scene->random) * 1500);
}

static void test_a_sink_that_asks_for_two_periods_at_once_hears_all(void **state)
{
    (void)state;
    for (int pitch = 85; pitch < 200; pitch += 20) {
        struct scene *scene = open_scene(&codec_opus, a_little_jitter);
        scene->pitch = pitch;
        scene->pulls = 2;
        run(scene, 10);
        assert_nothing_concealed(scene);
        assert_int_equal(scene->stats.samples_stretched, 0);
        assert_true(scene->stats.samples_shrunk < 48 * 40);
        assert_true(scene->delay_max <= 50 * USEC_PER_MS);
        close_scene(scene);
    }
}

static void test_a_sink_that_stopped_for_a_second_is_at_low_delay_soon(void **state)
{
    (void)state;
    struct scene *scene = open_scene(&codec_opus, at_once);
    run(scene, 5);
    scene->pulls = 1000; /* none */
    run(scene, 1);
    scene->pulls = 1;
    run(scene, 3);
    run(scene, 1);
    assert_true(scene->delay_max <= 50 * USEC_PER_MS);
    assert_nothing_concealed(scene);
    close_scene(scene);
}

static void test_nothing_but_silence_leaves_before_the_first_packet(void **state)
{
    (void)state;
    struct playout *playout = playout_new(&(struct playout_config){.channels = 2});
    struct playout_sound sound;
    playout_pull(playout, &sound, 0);
    assert_true(sound.silent);
    assert_int_equal(sound.channels, 2);
    assert_int_equal(sound.count, 480);
    assert_int_equal(sound.samples[959], 0);
    playout_free(playout);
    assert_null(playout_new(&(struct playout_config){.channels = 3}));
}

static void test_the_time_stamp_of_what_is_heard_is_told(void **state)
{
    (void)state;
    struct scene *scene = open_scene(&codec_opus, at_once);
    run(scene, 2);
    uint32_t before = scene->stats.last_timestamp;
    run(scene, 1);
    assert_true(scene->stats.last_timestamp_valid);
    assert_int_equal(scene->stats.last_timestamp - before, 48000);
    assert_true(scene->timestamp - scene->stats.last_timestamp < 48 * 80);
    close_scene(scene);
}

static void test_clocks_that_drift_apart_are_followed_without_a_gap(void **state)
{
    (void)state;
    for (int sign = -1; sign <= 1; sign += 2) {
        struct scene *scene = open_scene(&codec_pcmu, at_once);
        scene->ppm = sign * 200;
        run(scene, 10);
        run(scene, 600); /* 120 ms apart in the end */
        assert_nothing_concealed(scene);
        assert_true(scene->delay_max < 45 * USEC_PER_MS);
        assert_true((sign > 0 ? scene->stats.samples_shrunk : scene->stats.samples_stretched) > 0);
        close_scene(scene);
    }
}

/* --- loss -- */

static int64_t lose_every_tenth(struct scene *scene, int64_t packet)
{
    (void)scene;
    return packet % 10 == 9 ? LOST : 1000;
}

static void test_single_losses_are_recovered_from_the_next_packet(void **state)
{
    (void)state;
    struct scene *scene = open_scene(&codec_opus, lose_every_tenth);
    run(scene, 5); /* learns that room for FEC is needed */
    uint64_t concealed = scene->stats.samples_concealed;
    uint64_t recovered = scene->stats.frames_recovered;
    uint64_t recoverable = scene->recoverable;
    run(scene, 10);
    recovered = scene->stats.frames_recovered - recovered;
    recoverable = scene->recoverable - recoverable;
    assert_true(recoverable > 10 && recovered + 1 >= recoverable);
    assert_true(scene->stats.samples_concealed - concealed <= (51 - recoverable) * 960);
    assert_true(scene->delay_max < 60 * USEC_PER_MS);
    close_scene(scene);
}

static int64_t one_late(struct scene *scene, int64_t packet)
{
    (void)scene;
    return packet == 207 ? 200 * USEC_PER_MS : 1000;
}

static void test_a_late_packet_is_recovered_from_the_next_one(void **state)
{
    (void)state;
    struct scene *scene = open_scene(&codec_opus, one_late);
    playout_set_min_delay(scene->playout, 60 * USEC_PER_MS); /* the next one is there in time */
    run(scene, 6);
    assert_nothing_concealed(scene);
    assert_int_equal(scene->stats.samples_stretched, 0); /* nor is it waited for */
    assert_int_equal(scene->stats.frames_recovered, 1);
    assert_int_equal(scene->stats.packets_late, 1);
    close_scene(scene);
}

static void test_without_fec_a_lost_packet_is_concealed(void **state)
{
    (void)state;
    struct scene *scene = open_scene(&codec_pcmu, lose_every_tenth);
    run(scene, 10);
    assert_int_equal(scene->stats.frames_recovered, 0);
    assert_in_range(scene->stats.frames_lost, 47, 50);
    assert_in_range(scene->stats.samples_concealed, 47 * 40, 50 * 160);
    assert_true(scene->level > 100);
    close_scene(scene);
}

static int64_t lose_the_third_second(struct scene *scene, int64_t packet)
{
    (void)scene;
    return packet >= 100 && packet < 150 ? LOST : 1000;
}

static void test_a_long_loss_fades_to_silence_and_ends_at_low_delay(void **state)
{
    (void)state;
    struct scene *scene = open_scene(&codec_opus, lose_the_third_second);
    run(scene, 2.8);
    assert_true(scene->level < 1);
    run(scene, 2);
    assert_true(scene->level > 100);
    assert_true(scene->delay_max < 60 * USEC_PER_MS);
    assert_in_range(scene->stats.samples_concealed, 45 * 960, 52 * 960);
    close_scene(scene);
}

static int64_t lose_twenty_seconds(struct scene *scene, int64_t packet)
{
    (void)scene;
    return packet >= 100 && packet < 1100 ? LOST : 1000;
}

static void test_after_an_outage_of_twenty_seconds_delay_is_low_again(void **state)
{
    (void)state;
    struct scene *scene = open_scene(&codec_opus, lose_twenty_seconds);
    run(scene, 21);
    assert_true(scene->sound.silent);
    run(scene, 3);
    assert_false(scene->sound.silent);
    assert_true(scene->delay_max < 60 * USEC_PER_MS);
    assert_int_equal(scene->stats.resets, 0);
    close_scene(scene);
}

/* --- time -- */

static int64_t swap_every_fifth(struct scene *scene, int64_t packet)
{
    (void)scene;
    return packet % 5 == 4 ? 25000 : 1000;
}

static void test_reordered_packets_are_played_in_order(void **state)
{
    (void)state;
    struct scene *scene = open_scene(&codec_pcmu, swap_every_fifth);
    run(scene, 3);
    uint64_t concealed = scene->stats.samples_concealed;
    run(scene, 10);
    assert_int_equal(scene->stats.samples_concealed, concealed);
    assert_true(scene->delay_max < 70 * USEC_PER_MS);
    close_scene(scene);
}

static int64_t one_comes_late(struct scene *scene, int64_t packet)
{
    (void)scene;
    return packet == 100 ? 300 * 1000 : 1000;
}

static void test_a_late_packet_is_counted_and_dropped(void **state)
{
    (void)state;
    struct scene *scene = open_scene(&codec_pcmu, one_comes_late);
    run(scene, 5);
    assert_int_equal(scene->stats.packets_late, 1);
    assert_int_equal(scene->stats.frames_lost, 1);
    assert_true(scene->stats.frames_played >= 245);
    close_scene(scene);
}

static int64_t jitter_for_ten_seconds(struct scene *scene, int64_t packet)
{
    usec jitter = (usec)(30000 * random_normal(&scene->random));
    return packet < 500 && jitter > -150000 ? 150000 + jitter : 150000;
}

static void test_delay_grows_with_jitter_and_shrinks_after_it(void **state)
{
    (void)state;
    struct scene *scene = open_scene(&codec_pcmu, jitter_for_ten_seconds);
    run(scene, 5);
    uint64_t concealed = scene->stats.samples_concealed;
    run(scene, 5);
    assert_true(scene->stats.samples_concealed - concealed < 8000 / 20);
    assert_in_range(scene->stats.target_delay, 70 * USEC_PER_MS, 140 * USEC_PER_MS);
    run(scene, 30);
    run(scene, 1);
    assert_true(scene->delay_max < 45 * USEC_PER_MS);
    close_scene(scene);
}

static int64_t stall_for_a_second(struct scene *scene, int64_t packet)
{
    (void)scene;
    return packet >= 100 && packet < 150 ? (150 - packet) * 20000 + 1000 : 1000;
}

static void test_a_stalled_link_is_caught_up_with(void **state)
{
    (void)state;
    struct scene *scene = open_scene(&codec_opus, stall_for_a_second);
    run(scene, 8);
    run(scene, 30);
    run(scene, 1);
    assert_true(scene->delay_max < 60 * USEC_PER_MS);
    assert_true(scene->level > 100);
    close_scene(scene);
}

static void test_a_duplicate_is_counted_and_ignored(void **state)
{
    (void)state;
    struct scene *scene = open_scene(&codec_pcmu, at_once);
    run(scene, 1);
    uint8_t payload[160] = {0};
    struct playout_packet again = {.kind = PLAYOUT_SOUND,
                                   .sequence = (uint16_t)(scene->sequence - 1),
                                   .timestamp = scene->timestamp - 160,
                                   .payload = payload,
                                   .size = sizeof payload,
                                   .codec = &codec_pcmu};
    insert_arrived(scene);
    for (int i = 0; i < 3; i++) {
        assert_int_not_equal(playout_insert(scene->playout, &again, scene->now), PLAYOUT_TAKEN);
    }
    run(scene, 1);
    assert_true(scene->stats.packets_duplicated >= 3);
    assert_nothing_concealed(scene);
    close_scene(scene);
}

/* --- pauses -- */

static void test_a_pause_of_the_sender_is_not_concealment(void **state)
{
    (void)state;
    struct scene *scene = open_scene(&codec_opus, at_once);
    for (int i = 0; i < 3; i++) {
        run(scene, 2);
        scene->paused = true;
        run(scene, 1);
        scene->paused = false;
    }
    run(scene, 2);
    assert_nothing_concealed(scene);
    assert_in_range(scene->stats.samples_silent, 2 * 48000 + 40000, 3 * 48000 + 20000);
    assert_true(scene->delay_max < 60 * USEC_PER_MS);
    close_scene(scene);
}

static void test_padding_in_the_numbers_of_the_sound_is_no_loss(void **state)
{
    (void)state;
    struct scene *scene = open_scene(&codec_opus, at_once);
    for (int i = 0; i < 200; i++) {
        run(scene, 0.02);
        for (int padding = 0; padding < i % 4; padding++) {
            struct playout_packet packet = {.kind = PLAYOUT_NO_SOUND,
                                            .sequence = scene->sequence++,
                                            .timestamp = scene->timestamp};
            assert_int_equal(playout_insert(scene->playout, &packet, scene->now), PLAYOUT_TAKEN);
        }
    }
    run(scene, 1);
    assert_nothing_concealed(scene);
    assert_int_equal(scene->stats.samples_silent, 0);
    close_scene(scene);
}

static void test_a_digit_in_place_of_sound_is_no_loss(void **state)
{
    (void)state;
    struct scene *scene = open_scene(&codec_pcmu, at_once);
    run(scene, 1);
    uint32_t began = scene->timestamp;
    scene->paused = true;
    for (int i = 0; i < 8; i++) {
        struct playout_packet event = {
            .kind = PLAYOUT_NO_SOUND, .sequence = scene->sequence++, .timestamp = began};
        playout_insert(scene->playout, &event, scene->now);
        run(scene, 0.02);
    }
    scene->paused = false;
    run(scene, 1);
    assert_nothing_concealed(scene);
    assert_true(scene->stats.samples_silent > 0);
    close_scene(scene);
}

static void test_a_sender_that_stops_leaves_silence(void **state)
{
    (void)state;
    struct scene *scene = open_scene(&codec_opus, at_once);
    run(scene, 2);
    scene->held = true;
    run(scene, 5);
    assert_true(scene->sound.silent);
    assert_true(scene->level < 1);
    scene->held = false; /* its time stamps go on where they stood: five seconds behind */
    run(scene, 2);
    assert_false(scene->sound.silent);
    assert_true(scene->level > 100);
    assert_true(scene->delay_max < 60 * USEC_PER_MS);
    close_scene(scene);
}

/* --- changes -- */

static void test_packets_of_10_to_60_ms_may_follow_each_other(void **state)
{
    (void)state;
    struct scene *scene = open_scene(&codec_opus, at_once);
    static const unsigned ptimes[] = {20, 60, 10, 40, 20};
    for (size_t i = 0; i < 5; i++) {
        scene->ptime = ptimes[i];
        run(scene, 3);
    }
    assert_nothing_concealed(scene);
    assert_true(scene->delay_max < 100 * USEC_PER_MS);
    close_scene(scene);
}

static void test_the_codec_may_change_in_mid_stream(void **state)
{
    (void)state;
    struct scene *scene = open_scene(&codec_opus, at_once);
    for (int i = 0; i < 4; i++) {
        scene->codec = i % 2 == 0 ? &codec_opus : &codec_pcmu;
        run(scene, 2);
        assert_int_equal(scene->sound.rate, i % 2 == 0 ? 48000 : 8000);
        assert_true(scene->level > 100);
    }
    assert_nothing_concealed(scene);
    assert_int_equal(scene->stats.resets, 0);
    assert_true(scene->delay_max < 70 * USEC_PER_MS);
    close_scene(scene);
}

static void test_a_stream_whose_time_stamps_jump_goes_on(void **state)
{
    (void)state;
    struct scene *scene = open_scene(&codec_opus, at_once);
    run(scene, 2);
    scene->timestamp += 0x40000000;
    run(scene, 1);
    assert_int_equal(scene->stats.resets, 1);
    assert_true(scene->level > 100);
    scene->timestamp -= 0x12345678;
    scene->sequence += 20000;
    run(scene, 2);
    assert_int_equal(scene->stats.resets, 2);
    assert_true(scene->level > 100);
    assert_true(scene->delay_max < 80 * USEC_PER_MS);
    close_scene(scene);
}

static void test_one_stray_packet_changes_nothing(void **state)
{
    (void)state;
    struct scene *scene = open_scene(&codec_pcmu, at_once);
    run(scene, 2);
    uint8_t payload[160] = {0};
    struct playout_packet stray = {.kind = PLAYOUT_SOUND,
                                   .sequence = (uint16_t)(scene->sequence + 30000),
                                   .timestamp = scene->timestamp + 0x30000000,
                                   .payload = payload,
                                   .size = sizeof payload,
                                   .codec = &codec_pcmu};
    assert_int_equal(playout_insert(scene->playout, &stray, scene->now), PLAYOUT_SUSPECTED);
    run(scene, 2);
    assert_nothing_concealed(scene);
    assert_int_equal(scene->stats.resets, 0);
    close_scene(scene);
}

static void test_after_a_reset_another_source_is_played(void **state)
{
    (void)state;
    struct scene *scene = open_scene(&codec_opus, at_once);
    run(scene, 2);
    playout_reset(scene->playout);
    scene->sequence = 7;
    scene->timestamp = 123456;
    run(scene, 2);
    assert_nothing_concealed(scene);
    assert_true(scene->level > 100);
    close_scene(scene);
}

static void test_a_least_delay_is_kept(void **state)
{
    (void)state;
    struct scene *scene = open_scene(&codec_opus, at_once);
    run(scene, 2);
    playout_set_min_delay(scene->playout, 150 * USEC_PER_MS);
    run(scene, 10);
    assert_nothing_concealed(scene);
    assert_in_range(scene->stats.buffer_delay, 140 * USEC_PER_MS, 185 * USEC_PER_MS);
    close_scene(scene);
}

/* --- malice -- */

static void test_malformed_and_overlong_packets_are_refused(void **state)
{
    (void)state;
    struct playout *playout = playout_new(&(struct playout_config){.channels = 1});
    static uint8_t payload[2000] = {0x1b, 0x3f};
    struct playout_packet packet = {
        .kind = PLAYOUT_SOUND, .payload = payload, .size = 4, .codec = &codec_opus};
    assert_int_equal(playout_insert(playout, &packet, 0), PLAYOUT_REFUSED);
    packet.size = 0;
    assert_int_equal(playout_insert(playout, &packet, 0), PLAYOUT_REFUSED);
    payload[0] = 0;
    packet.size = sizeof payload;
    assert_int_equal(playout_insert(playout, &packet, 0), PLAYOUT_REFUSED);
    packet.codec = &codec_pcmu;
    assert_int_equal(playout_insert(playout, &packet, 0), PLAYOUT_REFUSED);
    playout_free(playout);
}

static void test_a_flood_is_bounded_and_forgotten(void **state)
{
    (void)state;
    struct scene *scene = open_scene(&codec_pcmu, at_once);
    run(scene, 1);
    uint8_t payload[160] = {0};
    for (int i = 0; i < 5000; i++) {
        struct playout_packet packet = {.kind = PLAYOUT_SOUND,
                                        .sequence = scene->sequence++,
                                        .timestamp = scene->timestamp,
                                        .payload = payload,
                                        .size = sizeof payload,
                                        .codec = &codec_pcmu};
        scene->timestamp += 160;
        playout_insert(scene->playout, &packet, scene->now);
    }
    run(scene, 40);
    run(scene, 2);
    assert_true(scene->level > 100);
    assert_true(scene->delay_max < 80 * USEC_PER_MS);
    close_scene(scene);
}

static void test_packets_of_chance_never_crash_it(void **state)
{
    (void)state;
    struct playout *playout = playout_new(&(struct playout_config){.channels = 2});
    struct playout_sound sound;
    uint64_t random = 42;
    uint8_t payload[300];
    usec now = 0;
    uint16_t sequence = 0;
    uint32_t timestamp = 0;
    for (int i = 0; i < 20000; i++) {
        uint64_t chance = random_next(&random);
        for (size_t j = 0; j < sizeof payload; j++) {
            payload[j] = (uint8_t)(j < 2 ? chance >> 8 * j : j * 37);
        }
        sequence = (uint16_t)(chance % 50 == 0 ? chance >> 16 : sequence + chance % 3);
        timestamp = (uint32_t)(chance % 60 == 0 ? chance >> 24 : timestamp + chance % 2000);
        struct playout_packet packet = {.kind = chance % 7 == 0 ? PLAYOUT_NO_SOUND : PLAYOUT_SOUND,
                                        .sequence = sequence,
                                        .timestamp = timestamp,
                                        .payload = payload,
                                        .size = chance % sizeof payload,
                                        .codec = codec_all[(chance >> 40) % 3]};
        playout_insert(playout, &packet, now);
        if (chance % 2 == 0) {
            now += (usec)(chance % 30000);
            playout_pull(playout, &sound, now);
        }
    }
    playout_free(playout);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_clean_stream_is_played_whole_after_a_short_wait),
        cmocka_unit_test(test_a_sink_that_asks_for_two_periods_at_once_hears_all),
        cmocka_unit_test(test_a_sink_that_stopped_for_a_second_is_at_low_delay_soon),
        cmocka_unit_test(test_nothing_but_silence_leaves_before_the_first_packet),
        cmocka_unit_test(test_the_time_stamp_of_what_is_heard_is_told),
        cmocka_unit_test(test_clocks_that_drift_apart_are_followed_without_a_gap),
        cmocka_unit_test(test_single_losses_are_recovered_from_the_next_packet),
        cmocka_unit_test(test_a_late_packet_is_recovered_from_the_next_one),
        cmocka_unit_test(test_without_fec_a_lost_packet_is_concealed),
        cmocka_unit_test(test_a_long_loss_fades_to_silence_and_ends_at_low_delay),
        cmocka_unit_test(test_after_an_outage_of_twenty_seconds_delay_is_low_again),
        cmocka_unit_test(test_reordered_packets_are_played_in_order),
        cmocka_unit_test(test_a_late_packet_is_counted_and_dropped),
        cmocka_unit_test(test_delay_grows_with_jitter_and_shrinks_after_it),
        cmocka_unit_test(test_a_stalled_link_is_caught_up_with),
        cmocka_unit_test(test_a_duplicate_is_counted_and_ignored),
        cmocka_unit_test(test_a_pause_of_the_sender_is_not_concealment),
        cmocka_unit_test(test_padding_in_the_numbers_of_the_sound_is_no_loss),
        cmocka_unit_test(test_a_digit_in_place_of_sound_is_no_loss),
        cmocka_unit_test(test_a_sender_that_stops_leaves_silence),
        cmocka_unit_test(test_packets_of_10_to_60_ms_may_follow_each_other),
        cmocka_unit_test(test_the_codec_may_change_in_mid_stream),
        cmocka_unit_test(test_a_stream_whose_time_stamps_jump_goes_on),
        cmocka_unit_test(test_one_stray_packet_changes_nothing),
        cmocka_unit_test(test_after_a_reset_another_source_is_played),
        cmocka_unit_test(test_a_least_delay_is_kept),
        cmocka_unit_test(test_malformed_and_overlong_packets_are_refused),
        cmocka_unit_test(test_a_flood_is_bounded_and_forgotten),
        cmocka_unit_test(test_packets_of_chance_never_crash_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
