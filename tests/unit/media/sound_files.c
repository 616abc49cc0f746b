/* Files as source and as recording, in every format that is promised. */
#include "media/devices.h"

#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <sndfile.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { RATE = 48000, SECONDS = 3, FRAMES = RATE * SECONDS };

static char folder[64];
static int16_t spoken[FRAMES];

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/jingle-sound-XXXXXX");
    for (int i = 0; i < FRAMES; i++) { /* a melody, so that an alignment is unique */
        double t = (double)i / RATE;
        spoken[i] =
            (int16_t)(9000 * sin(2 * M_PI * (300 + 200 * t) * t) * (0.6 + 0.4 * sin(9 * t)));
    }
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return rmdir(folder);
}

static const char *path_of(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void record(const char *path, uint32_t channels)
{
    jingle_status status = JINGLE_ERROR_INTERNAL;
    jingle_audio_sink *sink = jingle_audio_sink_file(path, &status);
    assert_int_equal(status, JINGLE_OK);
    jingle_audio_format format = {.rate = RATE, .channels = channels};
    assert_int_equal(sink->start(sink->user, &format), JINGLE_OK);
    assert_int_equal(format.rate, RATE);
    for (size_t at = 0; at < FRAMES; at += 480) {
        if (at == FRAMES / 2 / 480 * 480) { /* a hold in the middle */
            sink->stop(sink->user);
            assert_int_equal(sink->start(sink->user, &format), JINGLE_OK);
        }
        int16_t samples[960];
        for (size_t i = 0; i < 480 * channels; i++) {
            samples[i] = spoken[at + i / channels];
        }
        sink->write(sink->user, samples, 480);
        if (at % RATE == 0) { /* faster than life, but not faster than any disk */
            nanosleep(&(struct timespec){.tv_nsec = 150000000}, NULL);
        }
    }
    jingle_audio_sink_free(sink);
}

/* Reads all there is to `out`, in steps as a call does; returns the frames. */
static size_t play(const char *path, bool loop, int16_t *out, size_t most, uint32_t *channels)
{
    jingle_status status = JINGLE_ERROR_INTERNAL;
    jingle_audio_source *source = jingle_audio_source_file(path, loop, &status);
    assert_int_equal(status, JINGLE_OK);
    assert_true(source->on_demand);
    jingle_audio_format format = {.rate = RATE, .channels = 1};
    assert_int_equal(source->start(source->user, &format), JINGLE_OK);
    assert_int_equal(format.rate, RATE);
    *channels = format.channels;
    size_t frames = 0;
    long given = 0;
    while (frames + 960 <= most) {
        given = source->read(source->user, out + frames * format.channels, 960);
        if (given < 0) {
            break;
        }
        frames += (size_t)given;
        if (given == 0) { /* the reader thread is slower than this loop */
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        }
    }
    assert_true(given == JINGLE_AUDIO_END || loop);
    jingle_audio_source_free(source);
    return frames;
}

/* The best correlation over small shifts, for codecs that delay or trim. */
static double correlation(const int16_t *heard, size_t frames, uint32_t channels)
{
    double best = 0;
    for (long shift = -960; shift <= 960; shift += 4) {
        double xy = 0;
        double xx = 0;
        double yy = 0;
        for (long i = 1000; i < (long)frames - 1000 && i < FRAMES - 1000; i += 7) {
            double x = spoken[i];
            double y = heard[(i + shift) * channels];
            xy += x * y;
            xx += x * x;
            yy += y * y;
        }
        double c = xy / sqrt(xx * yy + 1);
        best = c > best ? c : best;
    }
    return best;
}

static void check_format(const char *name, uint32_t channels, bool lossless)
{
    static int16_t heard[2 * (FRAMES + RATE)];
    const char *path = path_of(name);
    record(path, channels);
    uint32_t got = 0;
    size_t frames = play(path, false, heard, FRAMES + RATE, &got);
    unlink(path);
    assert_int_equal(got, channels);
    if (!lossless) {
        assert_in_range(frames, FRAMES - 960, FRAMES + 960);
        double c = correlation(heard, frames, channels);
        if (c < 0.95) {
            fail_msg("%s: correlation %.3f", name, c);
        }
        return;
    }
    assert_int_equal(frames, FRAMES);
    for (size_t i = 0; i < FRAMES * channels; i++) {
        assert_int_equal(heard[i], spoken[i / channels]);
    }
}

static void test_what_is_recorded_can_be_played_as_wav(void **state)
{
    (void)state;
    check_format("a.wav", 1, true);
    check_format("b.WAV", 2, true);
}

static void test_what_is_recorded_can_be_played_as_flac(void **state)
{
    (void)state;
    check_format("a.flac", 1, true);
}

static void test_what_is_recorded_can_be_played_as_vorbis(void **state)
{
    (void)state;
    check_format("a.ogg", 1, false);
}

static void test_what_is_recorded_can_be_played_as_opus(void **state)
{
    (void)state;
    check_format("a.opus", 1, false);
    check_format("b.opus", 2, false);
}

static void test_a_loop_goes_on_at_the_start(void **state)
{
    (void)state;
    static int16_t heard[2 * FRAMES];
    const char *path = path_of("loop.wav");
    record(path, 1);
    uint32_t channels = 0;
    size_t frames = play(path, true, heard, 2 * FRAMES, &channels);
    unlink(path);
    assert_true(frames > 2 * FRAMES - 960);
    for (size_t i = 0; i < frames; i++) {
        assert_int_equal(heard[i], spoken[i % FRAMES]);
    }
}

static void test_an_opus_recording_of_a_narrow_call_asks_for_48_khz(void **state)
{
    (void)state;
    const char *path = path_of("narrow.opus");
    jingle_audio_sink *sink = jingle_audio_sink_file(path, NULL);
    jingle_audio_format format = {.rate = 8000, .channels = 1};
    assert_int_equal(sink->start(sink->user, &format), JINGLE_OK);
    assert_int_equal(format.rate, 48000);
    jingle_audio_sink_free(sink);
    unlink(path);
}

static void test_a_sink_that_never_started_leaves_the_old_file_alone(void **state)
{
    (void)state;
    const char *path = path_of("kept.wav");
    FILE *file = fopen(path, "w");
    fputs("old", file);
    fclose(file);
    jingle_audio_sink_free(jingle_audio_sink_file(path, NULL));
    file = fopen(path, "r");
    char text[8] = "";
    assert_non_null(fgets(text, sizeof text, file));
    fclose(file);
    unlink(path);
    assert_string_equal(text, "old");
}

static void test_files_that_cannot_be_used_are_told_at_once(void **state)
{
    (void)state;
    jingle_status status = JINGLE_OK;
    assert_null(jingle_audio_source_file("/nonexistent/a.wav", false, &status));
    assert_int_equal(status, JINGLE_ERROR_FILE);
    assert_null(jingle_audio_source_file("/dev/null", false, &status));
    assert_int_equal(status, JINGLE_ERROR_FILE);
    assert_null(jingle_audio_source_file(NULL, false, &status));
    assert_int_equal(status, JINGLE_ERROR_INVALID);
    assert_null(jingle_audio_sink_file("/nonexistent/a.wav", &status));
    assert_int_equal(status, JINGLE_ERROR_FILE);
    assert_null(jingle_audio_sink_file("/tmp/a.mp3", &status));
    assert_int_equal(status, JINGLE_ERROR_INVALID);
    assert_null(jingle_audio_sink_file(NULL, NULL));
}

/* The loudest sample of what a file of `count` floats is played as. */
static int peak_of_floats(const float *samples, size_t count)
{
    const char *path = path_of("float.wav");
    SF_INFO info = {.samplerate = RATE, .channels = 1, .format = SF_FORMAT_WAV | SF_FORMAT_FLOAT};
    SNDFILE *file = sf_open(path, SFM_WRITE, &info);
    assert_non_null(file);
    assert_int_equal(sf_write_float(file, samples, (sf_count_t)count), count);
    sf_close(file);
    static int16_t heard[FRAMES];
    uint32_t channels;
    size_t frames = play(path, false, heard, FRAMES, &channels);
    assert_int_equal(frames, count);
    int peak = 0;
    for (size_t i = 0; i < frames; i++) {
        peak = abs(heard[i]) > peak ? abs(heard[i]) : peak;
    }
    assert_int_equal(unlink(path), 0);
    return peak;
}

static void test_a_file_of_floats_keeps_its_loudness(void **state)
{
    (void)state;
    static float samples[4800];
    for (size_t i = 0; i < 4800; i++) {
        samples[i] = i % 2 ? 0.125F : -0.125F;
    }
    assert_int_equal(peak_of_floats(samples, 4800), 4096);
}

static void test_floats_that_are_no_sound_do_no_harm(void **state)
{
    (void)state;
    static float samples[4800];
    static const float strange[] = {NAN, INFINITY, -INFINITY, 1e30F, -1e30F, 2, -2, 0};
    for (size_t i = 0; i < 4800; i++) {
        samples[i] = strange[i % 8];
    }
    assert_int_equal(peak_of_floats(samples, 4800), 32768);
}

/* As on a disk that fills up while it is recorded. */
static void fill_disk(const char *name)
{
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_IGN);
    jingle_status status;
    jingle_audio_sink *sink = jingle_audio_sink_file(path_of(name), &status);
    jingle_audio_format format = {.rate = RATE, .channels = 1};
    assert_int_equal(sink->start(sink->user, &format), JINGLE_OK);
    assert_int_equal(sink->trouble(sink->user), JINGLE_OK);
    struct rlimit full = {.rlim_cur = 20000, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
    unsigned seed = 1;
    int16_t noise[480];
    for (int i = 0; i < 6000 && sink->trouble(sink->user) == JINGLE_OK; i++) {
        for (size_t k = 0; k < 480; k++) {
            noise[k] = (int16_t)(rand_r(&seed) & 0x3fff);
        }
        sink->write(sink->user, noise, 480);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    status = sink->trouble(sink->user);
    jingle_audio_sink_free(sink);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(status, JINGLE_ERROR_FILE);
    assert_int_equal(unlink(path_of(name)), 0);
}

static void test_a_disk_that_fills_up_is_told(void **state)
{
    (void)state;
    fill_disk("full.wav");
    fill_disk("full.flac");
    fill_disk("full.ogg");
    fill_disk("full.opus");
}

static void test_a_pipe_is_refused_and_nobody_waits(void **state)
{
    (void)state;
    const char *path = path_of("pipe.wav");
    assert_int_equal(mkfifo(path, 0600), 0);
    jingle_status status = JINGLE_OK;
    assert_null(jingle_audio_source_file(path, false, &status));
    assert_int_equal(status, JINGLE_ERROR_FILE);
    status = JINGLE_OK;
    assert_null(jingle_audio_sink_file(path, &status));
    assert_int_equal(status, JINGLE_ERROR_FILE);
    assert_int_equal(unlink(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_recorded_can_be_played_as_wav),
        cmocka_unit_test(test_what_is_recorded_can_be_played_as_flac),
        cmocka_unit_test(test_what_is_recorded_can_be_played_as_vorbis),
        cmocka_unit_test(test_what_is_recorded_can_be_played_as_opus),
        cmocka_unit_test(test_a_loop_goes_on_at_the_start),
        cmocka_unit_test(test_an_opus_recording_of_a_narrow_call_asks_for_48_khz),
        cmocka_unit_test(test_a_sink_that_never_started_leaves_the_old_file_alone),
        cmocka_unit_test(test_files_that_cannot_be_used_are_told_at_once),
        cmocka_unit_test(test_a_pipe_is_refused_and_nobody_waits),
        cmocka_unit_test(test_a_file_of_floats_keeps_its_loudness),
        cmocka_unit_test(test_floats_that_are_no_sound_do_no_harm),
        cmocka_unit_test(test_a_disk_that_fills_up_is_told),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
