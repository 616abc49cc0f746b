/* The pipeline of a call in virtual time, between a fake voice and fake devices with clocks of
 * their own. The voice's functions are defined here, so that the real one is not linked. */
#include "media/audio.h"
#include "rtp/voice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { RATE = 48000, MS = 1000 };

#define START (1000 * USEC_PER_SEC)

/* --- the fake voice ------------------------------------------------------------------------ */

static struct fake_voice {
    uint32_t capture_rate;
    unsigned capture_channels;
    uint32_t playout_rate;
    uint64_t captured; /* frames */
    uint64_t silent;   /* of these, zero */
    uint64_t in_order; /* of these, one more than the one before */
    int16_t last;
    usec worst_lag;  /* from a device's period to its samples' capture */
    uint64_t pulled; /* frames */
    int16_t next;
} voice;

static struct fake_source *measured; /* for worst_lag */
static usec lag_of(const struct fake_source *source, uint64_t frames, usec now);

uint32_t voice_capture_rate(const struct voice *unused)
{
    (void)unused;
    return voice.capture_rate;
}

unsigned voice_capture_channels(const struct voice *unused)
{
    (void)unused;
    return voice.capture_channels;
}

void voice_capture(struct voice *unused, const int16_t *samples, size_t frames, usec now)
{
    (void)unused;
    for (size_t i = 0; i < frames; i++) {
        int16_t sample = samples[i * voice.capture_channels];
        voice.silent += sample == 0;
        voice.in_order += sample == (int16_t)(voice.last + 1);
        voice.last = sample;
    }
    voice.captured += frames;
    if (measured && now > START + USEC_PER_SEC) {
        usec lag = lag_of(measured, voice.captured, now);
        voice.worst_lag = lag > voice.worst_lag ? lag : voice.worst_lag;
    }
}

void voice_pull(struct voice *unused, struct playout_sound *out, usec now)
{
    (void)unused;
    (void)now;
    out->rate = voice.playout_rate;
    out->channels = 1;
    out->count = voice.playout_rate / 100;
    for (size_t i = 0; i < out->count; i++) {
        out->samples[i] = voice.next++;
    }
    voice.pulled += out->count;
}

/* --- fake devices --------------------------------------------------------------------------- */

static usec now;

static void *voice_handle(void)
{
    return &voice;
}

struct fake_source {
    jingle_audio_source table;
    jingle_audio_format format; /* rate 0: as it is asked */
    double period;              /* usec, by its own clock */
    size_t period_frames;
    usec started_at;
    uint64_t taken;
    usec stall_from, stall_until; /* nothing arrives */
    bool lost;
    uint64_t ends_after; /* frames; 0: never */
    size_t short_reads;  /* give so many frames less */
    jingle_status start_status;
    int starts, stops, frees;
};

static uint64_t arrived(const struct fake_source *s)
{
    usec until = now;
    if (now >= s->stall_from && now < s->stall_until) {
        until = s->stall_from;
    }
    return (uint64_t)((double)(until - s->started_at) / s->period) * s->period_frames;
}

static usec lag_of(const struct fake_source *s, uint64_t frames, usec at)
{
    uint64_t periods = (frames + s->period_frames - 1) / s->period_frames;
    return at - s->started_at - (usec)((double)periods * s->period);
}

static jingle_status source_starts(void *user, jingle_audio_format *format)
{
    struct fake_source *s = user;
    s->starts++;
    if (s->format.rate) {
        *format = s->format;
    }
    s->format = *format;
    s->started_at = now;
    return s->start_status;
}

static long source_reads(void *user, int16_t *samples, size_t frames)
{
    struct fake_source *s = user;
    if (s->lost) {
        return JINGLE_AUDIO_LOST;
    }
    if (s->ends_after && s->taken >= s->ends_after) {
        return JINGLE_AUDIO_END;
    }
    if (!s->table.on_demand) {
        uint64_t there = arrived(s) - s->taken;
        frames = frames < there ? frames : there;
    }
    frames -= s->short_reads < frames ? s->short_reads : frames;
    for (size_t i = 0; i < frames * s->format.channels; i++) {
        samples[i] = (int16_t)(s->taken + i / s->format.channels + 1);
    }
    s->taken += frames;
    return (long)frames;
}

static void source_stops(void *user)
{
    ((struct fake_source *)user)->stops++;
}

static void source_frees(void *user)
{
    ((struct fake_source *)user)->frees++;
}

static struct fake_source source;

static void make_source(bool on_demand, double ppm)
{
    source = (struct fake_source){
        .table = {.size = sizeof source.table,
                  .user = &source,
                  .start = source_starts,
                  .read = source_reads,
                  .stop = source_stops,
                  .free = source_frees,
                  .on_demand = on_demand},
        .period = 10000 * (1 + ppm * 1e-6),
        .period_frames = RATE / 100,
    };
}

struct fake_sink {
    jingle_audio_sink table;
    jingle_audio_format format;
    double period;
    size_t period_frames;
    size_t margin;
    usec started_at;
    uint64_t periods; /* played so far */
    size_t fill, worst_fill;
    int underruns; /* after the first second */
    bool lost;
    uint64_t written;
    int16_t next;
    int out_of_order;
    jingle_status start_status;
    int starts, stops, frees;
    jingle_status trouble;
};

static void sink_plays(struct fake_sink *s)
{
    uint64_t due = (uint64_t)((double)(now - s->started_at) / s->period);
    for (; s->periods < due; s->periods++) {
        bool enough = s->fill >= s->period_frames;
        s->underruns += !enough && now > START + USEC_PER_SEC;
        s->fill -= enough ? s->period_frames : s->fill;
    }
}

static jingle_status sink_starts(void *user, jingle_audio_format *format)
{
    struct fake_sink *s = user;
    s->starts++;
    if (s->format.rate) {
        *format = s->format;
    }
    s->format = *format;
    s->started_at = now;
    s->periods = 0;
    return s->start_status;
}

static long sink_wants(void *user)
{
    struct fake_sink *s = user;
    if (s->lost) {
        return JINGLE_AUDIO_LOST;
    }
    sink_plays(s);
    size_t target = s->period_frames + s->margin;
    return s->fill + RATE / 100 <= target ? (long)(target - s->fill) : 0;
}

static void sink_takes(void *user, const int16_t *samples, size_t frames)
{
    struct fake_sink *s = user;
    s->written += frames;
    for (size_t i = 0; i < frames; i++) {
        s->out_of_order += samples[i * s->format.channels] != s->next++;
    }
    if (s->lost) {
        return;
    }
    s->fill += frames;
    s->worst_fill = s->fill > s->worst_fill ? s->fill : s->worst_fill;
}

static void sink_stops(void *user)
{
    ((struct fake_sink *)user)->stops++;
}

static void sink_frees(void *user)
{
    ((struct fake_sink *)user)->frees++;
}

static jingle_status sink_troubles(void *user)
{
    return ((struct fake_sink *)user)->trouble;
}

static struct fake_sink sink;

static void make_sink(bool own_clock, double ppm)
{
    sink = (struct fake_sink){
        .table = {.size = sizeof sink.table,
                  .user = &sink,
                  .start = sink_starts,
                  .wanted = own_clock ? sink_wants : NULL,
                  .write = sink_takes,
                  .stop = sink_stops,
                  .free = sink_frees,
                  .trouble = sink_troubles},
        .period = 10000 * (1 + ppm * 1e-6),
        .period_frames = RATE / 100,
        .margin = RATE / 200,
    };
}

/* --- the call -------------------------------------------------------------------------------- */

static struct told {
    int capture_lost, capture_back, playback_lost, playback_back, ended;
    jingle_status status;
} told;

static void on_device(void *user, bool capture, bool lost, jingle_status status)
{
    struct told *t = user;
    int *count = capture ? (lost ? &t->capture_lost : &t->capture_back)
                         : (lost ? &t->playback_lost : &t->playback_back);
    ++*count;
    t->status = status;
}

static void on_source_ended(void *user)
{
    ((struct told *)user)->ended++;
}

static struct audio *audio;
static usec due;
static int ticks;

static void begin_with(struct audio_config config)
{
    jingle_status status = JINGLE_ERROR_INTERNAL;
    config.source = &source.table;
    config.sink = &sink.table;
    config.voice = voice_handle();
    config.hooks =
        (struct audio_hooks){.user = &told, .device = on_device, .source_ended = on_source_ended};
    now = START;
    ticks = 0;
    memset(&told, 0, sizeof told);
    audio = audio_new(&config, &status);
    assert_int_equal(status, JINGLE_OK);
    audio_start(audio, now);
    due = now;
}

static void begin(void)
{
    voice = (struct fake_voice){.capture_rate = RATE, .capture_channels = 1, .playout_rate = RATE};
    begin_with((struct audio_config){0});
}

static usec tick_both(usec at)
{
    usec playback = audio_tick_playback(audio, at);
    usec capture = audio_tick_capture(audio, at);
    return playback < capture ? playback : capture;
}

static void tick(void)
{
    due = tick_both(now);
    assert_true(due > now);
    ticks++;
}

static void run_until(usec until)
{
    while (due <= until) {
        now = due;
        tick();
    }
    now = until;
}

static void end(void)
{
    measured = NULL;
    audio_stop(audio);
    assert_int_equal(tick_both(now), USEC_NEVER);
    audio_free(audio);
    assert_int_equal(source.frees, 1);
    assert_int_equal(sink.frees, 1);
}

static void test_source_and_sink_by_the_engines_clock_share_one_wake_up(void **state)
{
    (void)state;
    make_source(true, 0);
    make_sink(false, 0);
    begin();
    run_until(START + 10 * USEC_PER_SEC);
    assert_int_equal(ticks, 501);
    assert_int_equal(voice.captured, 501 * 960);
    assert_int_equal(voice.in_order, voice.captured);
    assert_int_equal(sink.written, 501 * 960);
    assert_int_equal(sink.out_of_order, 0);
    end();
}

static void test_late_ticks_are_made_up_for(void **state)
{
    (void)state;
    make_source(true, 0);
    make_sink(false, 0);
    begin();
    for (int i = 0; i < 200; i++) {
        now = due + (i % 10 == 9 ? 70 * MS : 3 * MS); /* never early, sometimes very late */
        tick();
    }
    usec elapsed = now - START;
    assert_in_range(voice.captured, elapsed * 48 / 1000, elapsed * 48 / 1000 + 960);
    assert_int_equal(sink.written, voice.captured);
    end();
}

static void test_after_a_long_sleep_there_is_no_burst(void **state)
{
    (void)state;
    make_source(true, 0);
    make_sink(false, 0);
    begin();
    run_until(START + USEC_PER_SEC);
    uint64_t before = voice.captured;
    now = due + 30 * USEC_PER_SEC;
    tick();
    assert_true(voice.captured - before <= 6 * 960);
    assert_true(due - now <= 20 * MS);
    end();
}

static void test_an_early_tick_does_nothing(void **state)
{
    (void)state;
    make_source(true, 0);
    make_sink(false, 0);
    begin();
    tick();
    uint64_t before = voice.captured;
    now += 5 * MS;
    assert_int_equal(tick_both(now), due);
    assert_int_equal(voice.captured, before);
    end();
}

static void follow_source(double ppm, usec bound)
{
    make_source(false, ppm);
    make_sink(false, 0);
    measured = &source;
    begin();
    now = START + 2300; /* the grid of the sink has another phase */
    run_until(START + 20 * USEC_PER_SEC);
    assert_int_equal(voice.in_order, voice.captured);
    assert_true(voice.captured + 960 * 2 > arrived(&source));
    assert_int_equal(told.capture_lost, 0);
    assert_in_range(voice.worst_lag, 0, bound + 10 * MS); /* the first half of a packet waits */
    end();
}

static void test_a_device_source_is_followed_with_drift(void **state)
{
    (void)state;
    follow_source(0, 1100);
    follow_source(200, 1100);
    follow_source(-200, 1100);
}

static void follow_sink(double ppm)
{
    make_source(true, 0);
    make_sink(true, ppm);
    begin();
    run_until(START + 20 * USEC_PER_SEC);
    assert_int_equal(sink.underruns, 0);
    assert_int_equal(sink.out_of_order, 0);
    assert_true(sink.worst_fill <= sink.period_frames + sink.margin);
    assert_int_equal(told.playback_lost, 0);
    assert_true(ticks < 20 * (50 + 100 + 20)); /* few polls in vain */
    end();
}

static void test_a_device_sink_never_runs_dry_and_holds_no_more_than_it_wants(void **state)
{
    (void)state;
    follow_sink(0);
    follow_sink(200);
    follow_sink(-200);
}

static void test_after_a_long_sleep_a_device_source_makes_no_burst(void **state)
{
    (void)state;
    make_source(false, 0);
    make_sink(false, 0);
    begin();
    run_until(START + USEC_PER_SEC);
    uint64_t before = voice.captured;
    now = due + 5 * USEC_PER_SEC;
    tick();
    run_until(now + USEC_PER_SEC);
    assert_in_range(voice.captured - before, RATE * 9 / 10, RATE * 12 / 10);
    end();
}

static void test_silence_is_sent_while_a_source_stalls(void **state)
{
    (void)state;
    make_source(false, 0);
    make_sink(false, 0);
    source.stall_from = START + 2 * USEC_PER_SEC;
    source.stall_until = START + 4 * USEC_PER_SEC;
    begin();
    run_until(START + 6 * USEC_PER_SEC);
    assert_in_range(voice.silent, RATE * 17 / 10, RATE * 2);
    assert_in_range(voice.captured, RATE * 57 / 10, RATE * 61 / 10);
    assert_int_equal(told.capture_lost, 0);
    end();
}

static void test_a_lost_source_is_told_once_and_comes_back(void **state)
{
    (void)state;
    make_source(false, 0);
    make_sink(false, 0);
    begin();
    run_until(START + USEC_PER_SEC);
    source.lost = true;
    run_until(START + 3 * USEC_PER_SEC);
    assert_int_equal(told.capture_lost, 1);
    assert_int_equal(told.status, JINGLE_ERROR_DEVICE);
    assert_in_range(voice.silent, RATE * 19 / 10, RATE * 21 / 10);
    assert_int_equal(told.capture_back, 0);
    source.lost = false;
    uint64_t silent = voice.silent;
    run_until(START + 5 * USEC_PER_SEC);
    assert_int_equal(told.capture_lost, 1);
    assert_int_equal(told.capture_back, 1);
    assert_in_range(voice.silent, silent, silent + RATE / 10);
    assert_in_range(voice.captured, RATE * 48 / 10, RATE * 51 / 10);
    end();
}

static void test_a_lost_sink_is_told_once_and_comes_back(void **state)
{
    (void)state;
    make_source(true, 0);
    make_sink(true, 0);
    begin();
    run_until(START + USEC_PER_SEC);
    sink.lost = true;
    uint64_t written = sink.written;
    run_until(START + 3 * USEC_PER_SEC);
    assert_int_equal(told.playback_lost, 1);
    assert_in_range(voice.pulled, RATE * 29 / 10, RATE * 31 / 10);
    assert_true(sink.written > written + RATE); /* for the other side of a tee */
    sink.lost = false;
    run_until(START + 5 * USEC_PER_SEC);
    assert_int_equal(told.playback_lost, 1);
    assert_int_equal(told.playback_back, 1);
    assert_in_range(voice.pulled, RATE * 48 / 10, RATE * 51 / 10);
    assert_int_equal(sink.out_of_order, 0);
    end();
}

static void test_the_trouble_of_a_sink_is_told_once_and_all_goes_on(void **state)
{
    (void)state;
    make_source(true, 0);
    make_sink(false, 0);
    begin();
    run_until(START + USEC_PER_SEC);
    assert_int_equal(told.playback_lost, 0);
    sink.trouble = JINGLE_ERROR_FILE;
    run_until(START + 2 * USEC_PER_SEC);
    audio_set_hold(audio, true, now);
    audio_set_hold(audio, false, now);
    due = now;
    run_until(START + 3 * USEC_PER_SEC);
    assert_int_equal(told.playback_lost, 1);
    assert_int_equal(told.playback_back, 0);
    assert_int_equal(told.status, JINGLE_ERROR_FILE);
    assert_in_range(sink.written, RATE * 29 / 10, RATE * 31 / 10);
    end();
}

static void test_a_sink_that_stands_does_not_stop_the_voice(void **state)
{
    (void)state;
    make_source(true, 0);
    make_sink(true, 0);
    begin();
    run_until(START + USEC_PER_SEC);
    sink.period = 1e9;
    run_until(START + 3 * USEC_PER_SEC);
    assert_in_range(voice.pulled, RATE * 27 / 10, RATE * 31 / 10);
    assert_int_equal(told.playback_lost, 0);
    end();
}

static void test_what_cannot_start_is_told_and_tried_again(void **state)
{
    (void)state;
    make_source(false, 0);
    make_sink(true, 0);
    source.start_status = JINGLE_ERROR_FORBIDDEN;
    sink.start_status = JINGLE_ERROR_DEVICE;
    begin();
    run_until(START + 5 * USEC_PER_SEC);
    assert_int_equal(source.starts, 2);
    assert_int_equal(sink.starts, 2);
    assert_int_equal(told.capture_lost, 1);
    assert_int_equal(told.playback_lost, 1);
    assert_int_equal(sink.written, 0);
    assert_in_range(voice.silent, RATE * 49 / 10, RATE * 51 / 10);
    assert_in_range(voice.pulled, RATE * 49 / 10, RATE * 51 / 10);
    source.start_status = sink.start_status = JINGLE_OK;
    run_until(START + 8 * USEC_PER_SEC);
    assert_int_equal(told.capture_back, 1);
    assert_int_equal(told.playback_back, 1);
    assert_true(sink.written > RATE);
    assert_true(voice.in_order > RATE);
    end();
}

static void test_after_the_end_of_a_source_silence_is_sent(void **state)
{
    (void)state;
    make_source(true, 0);
    make_sink(false, 0);
    source.ends_after = RATE;
    begin();
    run_until(START + 2 * USEC_PER_SEC);
    assert_int_equal(told.ended, 1);
    assert_int_equal(voice.in_order, RATE);
    assert_in_range(voice.captured, 2 * RATE, 2 * RATE + 960);
    audio_set_hold(audio, true, now);
    audio_set_hold(audio, false, now);
    due = now;
    run_until(START + 3 * USEC_PER_SEC);
    assert_int_equal(told.ended, 1);
    assert_true(voice.captured > RATE * 29 / 10);
    end();
}

static void test_a_source_that_gives_less_is_filled_with_silence(void **state)
{
    (void)state;
    make_source(true, 0);
    make_sink(false, 0);
    source.short_reads = 60;
    begin();
    run_until(START + USEC_PER_SEC);
    assert_int_equal(voice.captured, 51 * 960);
    assert_int_equal(voice.silent, 51 * 60);
    end();
}

static void test_on_hold_nothing_moves_and_then_all_goes_on(void **state)
{
    (void)state;
    make_source(true, 0);
    make_sink(false, 0);
    begin();
    run_until(START + USEC_PER_SEC);
    audio_set_hold(audio, true, now);
    assert_int_equal(source.stops + sink.stops, 2);
    uint64_t captured = voice.captured;
    assert_int_equal(tick_both(now + USEC_PER_SEC), USEC_NEVER);
    assert_int_equal(voice.captured, captured);
    now += 5 * USEC_PER_SEC;
    audio_set_hold(audio, false, now);
    due = now;
    run_until(now + USEC_PER_SEC);
    assert_int_equal(source.starts, 2);
    assert_int_equal(voice.captured, captured + 51 * 960);
    assert_int_equal(voice.in_order, voice.captured);
    assert_int_equal(sink.out_of_order, 0);
    end();
}

static void test_hold_before_the_start_keeps_everything_closed(void **state)
{
    (void)state;
    make_source(true, 0);
    make_sink(false, 0);
    begin();
    audio_stop(audio);
    audio_set_hold(audio, true, now);
    audio_start(audio, now);
    assert_int_equal(source.starts, 1);
    assert_int_equal(tick_both(now), USEC_NEVER);
    end();
}

static void test_other_rates_and_channels_are_converted(void **state)
{
    (void)state;
    make_source(true, 0);
    make_sink(false, 0);
    source.format = (jingle_audio_format){.rate = 22050, .channels = 2};
    sink.format = (jingle_audio_format){.rate = 44100, .channels = 2};
    begin();
    run_until(START + 10 * USEC_PER_SEC);
    assert_in_range(source.taken, 22050 * 10, 22050 * 10 + 450);
    assert_in_range(voice.captured, 480000 - 480, 480000 + 960);
    assert_in_range(sink.written, 441000 - 441, 441000 + 882);
    end();
}

static void test_a_change_of_codec_changes_the_rate(void **state)
{
    (void)state;
    make_source(true, 0);
    make_sink(false, 0);
    begin();
    run_until(START + USEC_PER_SEC);
    uint64_t captured = voice.captured;
    uint64_t written = sink.written;
    voice.capture_rate = voice.playout_rate = 8000;
    run_until(START + 2 * USEC_PER_SEC);
    assert_in_range(voice.captured - captured, 7900, 8000);
    assert_in_range(sink.written - written, 47500, 48000);
    end();
}

static void test_processing_is_for_real_devices_unless_told_otherwise(void **state)
{
    (void)state;
    make_source(false, 0);
    make_sink(true, 0);
    begin();
    assert_string_equal(audio_processing(audio), "");
    end();
    make_source(false, 0);
    make_sink(true, 0);
    source.table.is_device = sink.table.is_device = true;
    begin();
    assert_string_equal(audio_processing(audio),
                        " echo cancellation noise suppression gain control");
    run_until(START + USEC_PER_SEC);
    assert_in_range(voice.captured, RATE * 9 / 10, RATE);
    end();
    make_source(false, 0);
    make_sink(true, 0);
    source.table.is_device = true;
    begin_with((struct audio_config){.noise_suppression = JINGLE_OFF,
                                     .gain_control = JINGLE_OFF,
                                     .echo_cancellation = JINGLE_ON});
    assert_string_equal(audio_processing(audio), " echo cancellation");
    end();
}

static void test_a_table_that_is_not_whole_is_refused_and_freed(void **state)
{
    (void)state;
    make_source(true, 0);
    make_sink(false, 0);
    source.table.read = NULL;
    jingle_status status = JINGLE_OK;
    struct audio_config config = {
        .source = &source.table, .sink = &sink.table, .voice = voice_handle()};
    assert_null(audio_new(&config, &status));
    assert_int_equal(status, JINGLE_ERROR_INVALID);
    assert_int_equal(source.frees + sink.frees, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_source_and_sink_by_the_engines_clock_share_one_wake_up),
        cmocka_unit_test(test_late_ticks_are_made_up_for),
        cmocka_unit_test(test_after_a_long_sleep_there_is_no_burst),
        cmocka_unit_test(test_an_early_tick_does_nothing),
        cmocka_unit_test(test_a_device_source_is_followed_with_drift),
        cmocka_unit_test(test_a_device_sink_never_runs_dry_and_holds_no_more_than_it_wants),
        cmocka_unit_test(test_after_a_long_sleep_a_device_source_makes_no_burst),
        cmocka_unit_test(test_silence_is_sent_while_a_source_stalls),
        cmocka_unit_test(test_a_lost_source_is_told_once_and_comes_back),
        cmocka_unit_test(test_a_lost_sink_is_told_once_and_comes_back),
        cmocka_unit_test(test_the_trouble_of_a_sink_is_told_once_and_all_goes_on),
        cmocka_unit_test(test_a_sink_that_stands_does_not_stop_the_voice),
        cmocka_unit_test(test_what_cannot_start_is_told_and_tried_again),
        cmocka_unit_test(test_after_the_end_of_a_source_silence_is_sent),
        cmocka_unit_test(test_a_source_that_gives_less_is_filled_with_silence),
        cmocka_unit_test(test_on_hold_nothing_moves_and_then_all_goes_on),
        cmocka_unit_test(test_hold_before_the_start_keeps_everything_closed),
        cmocka_unit_test(test_other_rates_and_channels_are_converted),
        cmocka_unit_test(test_a_change_of_codec_changes_the_rate),
        cmocka_unit_test(test_processing_is_for_real_devices_unless_told_otherwise),
        cmocka_unit_test(test_a_table_that_is_not_whole_is_refused_and_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
