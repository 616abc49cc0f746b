/* The media thread's side of a sound device, with a stream that the test fills and empties itself:
 * the functions of portaudio.c are defined here. */
#include "media/portaudio.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct stream stream;
static bool is_wanted;
static bool is_freed;

struct stream *stream_new(bool capture, const char *name)
{
    (void)name;
    memset(&stream, 0, sizeof stream);
    stream.capture = capture;
    stream.ring = ring_new(1 << 15);
    is_wanted = is_freed = false;
    return &stream;
}

void stream_free(struct stream *s)
{
    ring_free(s->ring);
    is_freed = true;
}

void stream_want(struct stream *s, bool open)
{
    (void)s;
    is_wanted = open;
}

static void opens(uint32_t rate, uint32_t channels)
{
    stream.rate = rate;
    stream.channels = channels;
    stream.period_frames = rate / 100;
    stream.opened++;
    stream.state = STREAM_OPEN;
}

/* One period of a sine of the device's. */
static void hears(int period)
{
    int16_t samples[2 * 960];
    size_t frames = stream.period_frames;
    for (size_t i = 0; i < frames * stream.channels; i++) {
        size_t at = (size_t)period * frames + i / stream.channels;
        samples[i] = (int16_t)lrint(8000 * sin(2 * M_PI * 500 * (double)at / stream.rate));
    }
    ring_write(stream.ring, samples, frames * stream.channels);
    stream.periods++;
}

static bool plays(void)
{
    int16_t samples[2 * 960];
    size_t count = stream.period_frames * stream.channels;
    size_t there = ring_read(stream.ring, samples, count);
    stream.periods++;
    stream.underruns += there < count;
    return there == count;
}

static int rises(const int16_t *samples, long frames)
{
    int count = 0;
    for (long i = 1; i < frames; i++) {
        count += samples[i - 1] < 0 && samples[i] >= 0;
    }
    return count;
}

static void test_a_microphone_of_another_rate_is_converted(void **state)
{
    (void)state;
    static int16_t heard[48000];
    jingle_audio_source *source = jingle_audio_source_device(NULL, NULL);
    jingle_audio_format format = {.rate = 16000, .channels = 1};
    assert_int_equal(source->start(source->user, &format), JINGLE_OK);
    assert_int_equal(format.rate, 48000);
    assert_true(is_wanted);
    assert_int_equal(source->read(source->user, heard, 480), 0); /* still being opened */
    opens(44100, 2);
    long frames = 0;
    for (int period = 0; period < 90; period++) {
        hears(period);
        frames += source->read(source->user, heard + frames, 960);
    }
    assert_in_range(frames, 42000, 43200);
    assert_in_range(rises(heard, frames), 437, 451);
    source->stop(source->user);
    assert_false(is_wanted);
    jingle_audio_source_free(source);
    assert_true(is_freed);
}

static void test_a_microphone_that_comes_back_may_have_another_rate(void **state)
{
    (void)state;
    static int16_t heard[4800];
    jingle_audio_source *source = jingle_audio_source_device(NULL, NULL);
    jingle_audio_format format = {.rate = 48000, .channels = 1};
    source->start(source->user, &format);
    opens(48000, 1);
    source->read(source->user, heard, 480); /* sees that it is open */
    hears(0);
    assert_int_equal(source->read(source->user, heard, 960), 480);
    stream.state = STREAM_LOST;
    assert_int_equal(source->read(source->user, heard, 960), JINGLE_AUDIO_LOST);
    opens(16000, 1);
    assert_int_equal(source->read(source->user, heard, 960), 0);
    for (int period = 0; period < 5; period++) {
        hears(period);
    }
    assert_in_range(source->read(source->user, heard, 4800), 2000, 2400);
    jingle_audio_source_free(source);
}

static void test_what_was_heard_long_ago_is_forgotten(void **state)
{
    (void)state;
    static int16_t heard[48000];
    jingle_audio_source *source = jingle_audio_source_device(NULL, NULL);
    jingle_audio_format format = {.rate = 48000, .channels = 1};
    source->start(source->user, &format);
    opens(48000, 1);
    source->read(source->user, heard, 480);
    for (int period = 0; period < 50; period++) {
        hears(period);
    }
    assert_true(source->delay(source->user) >= 500 * USEC_PER_MS);
    assert_int_equal(source->read(source->user, heard, 48000), 48000 / 8);
    jingle_audio_source_free(source);
}

/* Writes what is wanted; returns the frames. */
static size_t top_up(jingle_audio_sink *sink)
{
    static const int16_t samples[480];
    size_t written = 0;
    while (sink->wanted(sink->user) > 0) {
        sink->write(sink->user, samples, 480);
        written += 480;
    }
    return written;
}

static void test_a_loudspeaker_is_given_a_period_and_a_small_margin(void **state)
{
    (void)state;
    jingle_audio_sink *sink = jingle_audio_sink_device(NULL, NULL);
    jingle_audio_format format = {.rate = 48000, .channels = 1};
    sink->start(sink->user, &format);
    assert_int_equal(top_up(sink), 0); /* still being opened */
    opens(48000, 1);
    for (int period = 0; period < 500; period++) {
        top_up(sink);
        assert_in_range(ring_used(stream.ring), 480, 480 + 240);
        assert_true(plays());
    }
    jingle_audio_sink_free(sink);
}

static void test_the_margin_grows_when_the_loudspeaker_runs_dry_and_shrinks_again(void **state)
{
    (void)state;
    jingle_audio_sink *sink = jingle_audio_sink_device(NULL, NULL);
    jingle_audio_format format = {.rate = 48000, .channels = 1};
    sink->start(sink->user, &format);
    opens(48000, 1);
    int dry = 0;
    for (int pair = 0; pair < 200; pair++) { /* takes two periods at once */
        top_up(sink);
        dry += !plays();
        dry += !plays();
    }
    assert_in_range(dry, 1, 5);
    size_t most = ring_used(stream.ring);
    for (int period = 0; period < 30000; period++) {
        top_up(sink);
        assert_true(plays());
    }
    assert_true(ring_used(stream.ring) <= most);
    assert_in_range(ring_used(stream.ring), 0, 240);
    jingle_audio_sink_free(sink);
}

static void test_a_loudspeaker_of_another_rate_is_converted(void **state)
{
    (void)state;
    jingle_audio_sink *sink = jingle_audio_sink_device(NULL, NULL);
    jingle_audio_format format = {.rate = 48000, .channels = 1};
    sink->start(sink->user, &format);
    opens(44100, 2);
    size_t written = 0;
    for (int period = 0; period < 100; period++) {
        written += top_up(sink);
        plays();
    }
    assert_in_range(written, 47500, 49500);
    assert_in_range(stream.underruns, 0, 2);
    stream.state = STREAM_LOST;
    assert_int_equal(sink->wanted(sink->user), JINGLE_AUDIO_LOST);
    static const int16_t samples[480];
    size_t used = ring_used(stream.ring);
    sink->write(sink->user, samples, 480); /* forgotten */
    assert_int_equal(ring_used(stream.ring), used);
    jingle_audio_sink_free(sink);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_microphone_of_another_rate_is_converted),
        cmocka_unit_test(test_a_microphone_that_comes_back_may_have_another_rate),
        cmocka_unit_test(test_what_was_heard_long_ago_is_forgotten),
        cmocka_unit_test(test_a_loudspeaker_is_given_a_period_and_a_small_margin),
        cmocka_unit_test(test_the_margin_grows_when_the_loudspeaker_runs_dry_and_shrinks_again),
        cmocka_unit_test(test_a_loudspeaker_of_another_rate_is_converted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
