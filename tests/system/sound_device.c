/* Real sound devices through PortAudio and ALSA on a private PulseAudio (pulse.sh), whose null
 * sink's monitor hears what is played to it: a tone goes out by one device and comes back by the
 * other. */
#include "base/clock.h"
#include "media/devices.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { RATE = 48000, BLOCK = 480, TONE = 1000, KEPT = RATE / 5 };

#define PATIENCE (20 * USEC_PER_SEC) /* for what comes as soon as it can */

static char folder[64];

/* Runs pulse.sh; `start` sets the variables that it prints. */
static void pulse(const char *what)
{
    char command[256];
    char line[256];
    snprintf(command, sizeof command, "system/pulse.sh %s %s", what, folder);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    while (fgets(line, sizeof line, pipe)) {
        line[strcspn(line, "\n")] = '\0';
        char *value = strchr(line, '=');
        assert_non_null(value);
        *value = '\0';
        setenv(line, value + 1, 1);
    }
    assert_int_equal(pclose(pipe), 0);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/jingle-pulse-XXXXXX");
    if (!mkdtemp(folder)) {
        return -1;
    }
    pulse("start");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    char command[128];
    pulse("stop");
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static void wait_a_little(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
}

struct loop {
    jingle_audio_source *source;
    jingle_audio_sink *sink;
    jingle_audio_source *tone;
    int16_t heard[KEPT]; /* the last fifth of a second */
    size_t frames;       /* heard so far */
    bool source_lost, sink_lost;
};

static void loop_open(struct loop *loop)
{
    jingle_audio_format format = {.rate = RATE, .channels = 1};
    memset(loop, 0, sizeof *loop);
    loop->source = jingle_audio_source_device("", NULL);
    loop->sink = jingle_audio_sink_device("", NULL);
    loop->tone = jingle_audio_source_tone(TONE, NULL);
    assert_non_null(loop->source);
    assert_non_null(loop->sink);
    assert_int_equal(loop->tone->start(loop->tone->user, &format), JINGLE_OK);
    assert_int_equal(loop->sink->start(loop->sink->user, &format), JINGLE_OK);
    assert_int_equal(loop->source->start(loop->source->user, &format), JINGLE_OK);
    assert_int_equal(format.rate, RATE);
    assert_int_equal(format.channels, 1);
}

static void loop_close(struct loop *loop)
{
    loop->source->stop(loop->source->user);
    loop->sink->stop(loop->sink->user);
    jingle_audio_source_free(loop->source);
    jingle_audio_sink_free(loop->sink);
    jingle_audio_source_free(loop->tone);
}

static void loop_play(struct loop *loop)
{
    long wanted = loop->sink->wanted(loop->sink->user);
    loop->sink_lost = wanted == JINGLE_AUDIO_LOST;
    for (; wanted > 0; wanted = loop->sink->wanted(loop->sink->user)) {
        int16_t samples[BLOCK];
        loop->tone->read(loop->tone->user, samples, BLOCK);
        loop->sink->write(loop->sink->user, samples, BLOCK);
    }
}

static void loop_hear(struct loop *loop)
{
    int16_t samples[BLOCK];
    long given = loop->source->read(loop->source->user, samples, BLOCK);
    loop->source_lost = given == JINGLE_AUDIO_LOST;
    for (; given > 0; given = loop->source->read(loop->source->user, samples, BLOCK)) {
        size_t kept = KEPT - (size_t)given;
        memmove(loop->heard, loop->heard + given, kept * sizeof *samples);
        memcpy(loop->heard + kept, samples, (size_t)given * sizeof *samples);
        loop->frames += (size_t)given;
    }
}

/* True if the last fifth of a second is the tone at its level, without a gap. */
static bool hears_tone(const struct loop *loop)
{
    double s = 0;
    double c = 0;
    double all = 1;
    for (int i = 0; i < KEPT; i++) {
        double angle = 2 * M_PI * TONE * i / RATE;
        double x = loop->heard[i];
        s += x * sin(angle);
        c += x * cos(angle);
        all += x * x;
    }
    double level = sqrt(all / KEPT);
    return 2 * (s * s + c * c) / KEPT > 0.98 * all && level > 5000 && level < 6500;
}

static bool is_lost(const struct loop *loop)
{
    return loop->source_lost && loop->sink_lost;
}

static bool await(struct loop *loop, bool (*condition)(const struct loop *loop))
{
    usec until = clock_now() + PATIENCE;
    while (clock_now() < until) {
        loop_play(loop);
        loop_hear(loop);
        if (condition(loop)) {
            return true;
        }
        wait_a_little();
    }
    return false;
}

static void test_the_default_device_is_listed(void **state)
{
    (void)state;
    jingle_audio_device *devices = NULL;
    size_t count = 0;
    assert_int_equal(jingle_audio_devices(&devices, &count), JINGLE_OK);
    int capture = 0;
    int playback = 0;
    for (size_t i = 0; i < count; i++) {
        assert_true(*devices[i].name && *devices[i].system);
        capture += devices[i].default_capture && devices[i].capture_channels > 0;
        playback += devices[i].default_playback && devices[i].playback_channels > 0;
    }
    jingle_audio_devices_free(devices, count);
    assert_int_equal(capture, 1);
    assert_int_equal(playback, 1);
}

static void test_a_tone_that_is_played_is_heard(void **state)
{
    (void)state;
    struct loop *loop = calloc(1, sizeof *loop);
    usec begin = clock_now();
    loop_open(loop);
    assert_true(await(loop, hears_tone));
    print_message("heard after %.2f s; told delay: capture %.0f ms, playback %.0f ms\n",
                  (double)(clock_now() - begin) / 1e6,
                  (double)loop->source->delay(loop->source->user) / 1e3,
                  (double)loop->sink->delay(loop->sink->user) / 1e3);
    loop_close(loop);
    free(loop);
}

static void test_a_sound_server_that_dies_and_comes_back_is_survived(void **state)
{
    (void)state;
    struct loop *loop = calloc(1, sizeof *loop);
    loop_open(loop);
    assert_true(await(loop, hears_tone));
    pulse("kill");
    assert_true(await(loop, is_lost));
    pulse("start");
    memset(loop->heard, 0, sizeof loop->heard);
    assert_true(await(loop, hears_tone));
    loop_close(loop);
    free(loop);
}

static void test_a_device_that_does_not_exist_is_lost_and_can_be_freed(void **state)
{
    (void)state;
    jingle_audio_format format = {.rate = RATE, .channels = 1};
    jingle_audio_sink *sink = jingle_audio_sink_device("No such device", NULL);
    assert_int_equal(sink->start(sink->user, &format), JINGLE_OK);
    usec until = clock_now() + PATIENCE;
    while (sink->wanted(sink->user) != JINGLE_AUDIO_LOST && clock_now() < until) {
        wait_a_little();
    }
    assert_int_equal(sink->wanted(sink->user), JINGLE_AUDIO_LOST);
    jingle_audio_sink_free(sink);
}

static void test_nothing_is_printed(void **state)
{
    (void)state;
    char path[128];
    snprintf(path, sizeof path, "%s/stderr", folder);
    int saved = dup(STDERR_FILENO);
    assert_non_null(freopen(path, "w", stderr));
    test_the_default_device_is_listed(state);
    test_a_device_that_does_not_exist_is_lost_and_can_be_freed(state);
    fflush(stderr);
    struct stat printed;
    assert_int_equal(stat(path, &printed), 0);
    dup2(saved, STDERR_FILENO);
    close(saved);
    assert_int_equal(printed.st_size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_default_device_is_listed),
        cmocka_unit_test(test_a_tone_that_is_played_is_heard),
        cmocka_unit_test(test_a_sound_server_that_dies_and_comes_back_is_survived),
        cmocka_unit_test(test_a_device_that_does_not_exist_is_lost_and_can_be_freed),
        cmocka_unit_test(test_nothing_is_printed),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
