/* Tone, silence, null and tee; tables of applications that are not whole. */
#include "media/devices.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_a_tone_has_its_frequency_and_a_quarter_of_full_scale(void **state)
{
    (void)state;
    jingle_status status = JINGLE_ERROR_INTERNAL;
    jingle_audio_source *tone = jingle_audio_source_tone(440, &status);
    assert_int_equal(status, JINGLE_OK);
    jingle_audio_format format = {.rate = 16000, .channels = 1};
    assert_int_equal(tone->start(tone->user, &format), JINGLE_OK);
    static int16_t samples[16000];
    for (int i = 0; i < 50; i++) {
        assert_int_equal(tone->read(tone->user, samples + 320 * i, 320), 320);
    }
    int rises = 0;
    double energy = 0;
    int peak = 0;
    for (int i = 0; i < 16000; i++) {
        rises += i > 0 && samples[i - 1] < 0 && samples[i] >= 0;
        energy += (double)samples[i] * samples[i];
        peak = abs(samples[i]) > peak ? abs(samples[i]) : peak;
    }
    assert_in_range(rises, 439, 440);
    assert_in_range(peak, 8150, 8192);
    assert_in_range((int)sqrt(energy / 16000), 5750, 5835);
    jingle_audio_source_free(tone);
}

static void test_a_tone_fills_both_channels(void **state)
{
    (void)state;
    jingle_audio_source *tone = jingle_audio_source_tone(1000, NULL);
    jingle_audio_format format = {.rate = 48000, .channels = 2};
    tone->start(tone->user, &format);
    int16_t samples[200];
    tone->read(tone->user, samples, 100);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(samples[2 * i], samples[2 * i + 1]);
    }
    assert_int_not_equal(samples[24], 0);
    jingle_audio_source_free(tone);
}

static void test_a_tone_that_no_codec_carries_is_refused(void **state)
{
    (void)state;
    jingle_status status = JINGLE_OK;
    assert_null(jingle_audio_source_tone(0, &status));
    assert_int_equal(status, JINGLE_ERROR_INVALID);
    assert_null(jingle_audio_source_tone(NAN, &status));
    assert_null(jingle_audio_source_tone(20000, NULL));
}

static void test_silence_is_zeros(void **state)
{
    (void)state;
    jingle_audio_source *silence = jingle_audio_source_silence(NULL);
    jingle_audio_format format = {.rate = 48000, .channels = 2};
    silence->start(silence->user, &format);
    int16_t samples[20];
    int16_t zeros[20] = {0};
    memset(samples, 1, sizeof samples);
    assert_int_equal(silence->read(silence->user, samples, 10), 10);
    assert_memory_equal(samples, zeros, sizeof zeros);
    jingle_audio_source_free(silence);
}

struct heard {
    jingle_audio_sink table;
    jingle_audio_format wish; /* rate 0: takes what it is offered */
    jingle_status start_status;
    int16_t samples[4800];
    size_t count;
    int starts, stops, frees;
    long wanted;
};

static jingle_status heard_start(void *user, jingle_audio_format *format)
{
    struct heard *h = user;
    h->starts++;
    if (h->wish.rate) {
        *format = h->wish;
    }
    h->wish = *format;
    return h->start_status;
}

static long heard_wanted(void *user)
{
    return ((struct heard *)user)->wanted;
}

static void heard_write(void *user, const int16_t *samples, size_t frames)
{
    struct heard *h = user;
    size_t count = frames * h->wish.channels;
    assert_true(h->count + count <= sizeof h->samples / sizeof h->samples[0]);
    memcpy(h->samples + h->count, samples, count * sizeof *samples);
    h->count += count;
}

static void heard_stop(void *user)
{
    ((struct heard *)user)->stops++;
}

static void heard_free(void *user)
{
    ((struct heard *)user)->frees++;
}

static jingle_audio_sink *heard_init(struct heard *h)
{
    memset(h, 0, sizeof *h);
    h->table = (jingle_audio_sink){
        .size = sizeof h->table,
        .user = h,
        .start = heard_start,
        .wanted = heard_wanted,
        .write = heard_write,
        .stop = heard_stop,
        .free = heard_free,
    };
    return &h->table;
}

static void test_a_tee_gives_the_same_to_both_and_asks_the_first(void **state)
{
    (void)state;
    static struct heard first;
    static struct heard second;
    jingle_audio_sink *tee = jingle_audio_sink_tee(heard_init(&first), heard_init(&second), NULL);
    jingle_audio_format format = {.rate = 48000, .channels = 1};
    assert_int_equal(tee->start(tee->user, &format), JINGLE_OK);
    first.wanted = 77;
    second.wanted = 5;
    assert_int_equal(tee->wanted(tee->user), 77);
    int16_t samples[480];
    for (int i = 0; i < 480; i++) {
        samples[i] = (int16_t)i;
    }
    tee->write(tee->user, samples, 480);
    assert_int_equal(first.count, 480);
    assert_int_equal(second.count, 480);
    assert_memory_equal(first.samples, samples, sizeof samples);
    assert_memory_equal(second.samples, samples, sizeof samples);
    tee->stop(tee->user);
    jingle_audio_sink_free(tee);
    assert_int_equal(first.stops + second.stops, 2);
    assert_int_equal(first.frees + second.frees, 2);
}

static void test_a_tee_converts_for_the_second(void **state)
{
    (void)state;
    static struct heard first;
    static struct heard second;
    jingle_audio_sink *tee = jingle_audio_sink_tee(heard_init(&first), heard_init(&second), NULL);
    second.wish = (jingle_audio_format){.rate = 8000, .channels = 2};
    jingle_audio_format format = {.rate = 48000, .channels = 1};
    assert_int_equal(tee->start(tee->user, &format), JINGLE_OK);
    assert_int_equal(format.rate, 48000);
    int16_t samples[4800] = {0};
    tee->write(tee->user, samples, 4800);
    assert_int_equal(first.count, 4800);
    assert_in_range(second.count, 2 * 760, 2 * 800);
    jingle_audio_sink_free(tee);
}

static jingle_status disk_is_full(void *user)
{
    (void)user;
    return JINGLE_ERROR_FILE;
}

static void test_a_tee_tells_the_trouble_of_either(void **state)
{
    (void)state;
    static struct heard first;
    static struct heard second;
    jingle_audio_sink *recording = heard_init(&second);
    jingle_audio_sink *tee = jingle_audio_sink_tee(heard_init(&first), recording, NULL);
    assert_int_equal(sink_trouble(tee), JINGLE_OK);
    recording->trouble = disk_is_full;
    assert_int_equal(sink_trouble(tee), JINGLE_ERROR_FILE);
    recording->size = offsetof(jingle_audio_sink, trouble); /* of an older program */
    assert_int_equal(sink_trouble(tee), JINGLE_OK);
    jingle_audio_sink_free(tee);
}

static void test_a_tee_whose_second_cannot_start_stops_the_first(void **state)
{
    (void)state;
    static struct heard first;
    static struct heard second;
    jingle_audio_sink *tee = jingle_audio_sink_tee(heard_init(&first), heard_init(&second), NULL);
    second.start_status = JINGLE_ERROR_FILE;
    jingle_audio_format format = {.rate = 48000, .channels = 1};
    assert_int_equal(tee->start(tee->user, &format), JINGLE_ERROR_FILE);
    assert_int_equal(first.stops, 1);
    jingle_audio_sink_free(tee);
}

static void test_a_tee_owns_its_sinks_also_on_failure(void **state)
{
    (void)state;
    static struct heard first;
    jingle_status status = JINGLE_OK;
    assert_null(jingle_audio_sink_tee(heard_init(&first), NULL, &status));
    assert_int_equal(status, JINGLE_ERROR_INVALID);
    assert_int_equal(first.frees, 1);
}

static void test_a_null_sink_leaves_the_clock_to_the_engine(void **state)
{
    (void)state;
    jingle_audio_sink *sink = jingle_audio_sink_null(NULL);
    assert_null(sink->wanted);
    int16_t samples[480] = {0};
    sink->write(sink->user, samples, 480);
    jingle_audio_sink_free(sink);
}

static long read_nothing(void *user, int16_t *samples, size_t frames)
{
    (void)user;
    (void)samples;
    (void)frames;
    return 0;
}

static void test_tables_that_are_not_whole_are_recognised(void **state)
{
    (void)state;
    jingle_audio_source source = {.size = sizeof source, .read = read_nothing};
    assert_true(source_valid(&source));
    assert_int_equal(source_delay(&source), 0);
    source.size = offsetof(jingle_audio_source, delay); /* of an older program */
    assert_true(source_valid(&source));
    source.size = 8;
    assert_false(source_valid(&source));
    source = (jingle_audio_source){.size = sizeof source};
    assert_false(source_valid(&source));
    jingle_audio_sink sink = {.size = sizeof sink};
    assert_false(sink_valid(&sink));
    assert_false(sink_valid(NULL));
}

static jingle_status start_absurd(void *user, jingle_audio_format *format)
{
    (void)user;
    format->rate = 4;
    return JINGLE_OK;
}

static void test_an_absurd_format_is_refused(void **state)
{
    (void)state;
    jingle_audio_source source = {
        .size = sizeof source, .start = start_absurd, .read = read_nothing};
    jingle_audio_format format = {.rate = 48000, .channels = 1};
    assert_int_equal(source_start(&source, &format), JINGLE_ERROR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_tone_has_its_frequency_and_a_quarter_of_full_scale),
        cmocka_unit_test(test_a_tone_fills_both_channels),
        cmocka_unit_test(test_a_tone_that_no_codec_carries_is_refused),
        cmocka_unit_test(test_silence_is_zeros),
        cmocka_unit_test(test_a_tee_gives_the_same_to_both_and_asks_the_first),
        cmocka_unit_test(test_a_tee_converts_for_the_second),
        cmocka_unit_test(test_a_tee_tells_the_trouble_of_either),
        cmocka_unit_test(test_a_tee_whose_second_cannot_start_stops_the_first),
        cmocka_unit_test(test_a_tee_owns_its_sinks_also_on_failure),
        cmocka_unit_test(test_a_null_sink_leaves_the_clock_to_the_engine),
        cmocka_unit_test(test_tables_that_are_not_whole_are_recognised),
        cmocka_unit_test(test_an_absurd_format_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
