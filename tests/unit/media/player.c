/* Ringing sounds, and what plays them beside all calls. */
#include "media/devices.h"

#include <math.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { RATE = 8000 };

/* The loudness of each tenth of a second. */
static void listen_to(jingle_ring ring, double *tenths, size_t count)
{
    jingle_audio_source *source = jingle_audio_source_ring(ring, NULL);
    jingle_audio_format format = {.rate = RATE, .channels = 1};
    assert_non_null(source);
    assert_int_equal(source->start(source->user, &format), JINGLE_OK);
    for (size_t i = 0; i < count; i++) {
        int16_t samples[RATE / 10];
        assert_int_equal(source->read(source->user, samples, RATE / 10), RATE / 10);
        double energy = 0;
        for (int j = 0; j < RATE / 10; j++) {
            energy += (double)samples[j] * samples[j];
        }
        tenths[i] = sqrt(energy * 10 / RATE);
    }
    jingle_audio_source_free(source);
}

static void test_ring_back_sounds_for_a_second_in_five(void **state)
{
    (void)state;
    double tenths[100];
    listen_to(JINGLE_RING_BACK, tenths, 100);
    for (int i = 0; i < 100; i++) {
        assert_true(i % 50 < 10 ? tenths[i] > 1000 : tenths[i] < 1);
    }
}

static void test_what_rings_here_rings_twice_and_rests(void **state)
{
    (void)state;
    double tenths[60];
    listen_to(JINGLE_RING_INCOMING, tenths, 60);
    assert_true(tenths[1] > 2000 && tenths[6] > 2000);
    assert_true(tenths[20] < 1 && tenths[28] < 1);
    assert_true(tenths[31] > 2000);
}

static void test_an_unknown_ring_is_refused(void **state)
{
    (void)state;
    jingle_status status = JINGLE_OK;
    assert_null(jingle_audio_source_ring((jingle_ring)99, &status));
    assert_int_equal(status, JINGLE_ERROR_INVALID);
}

struct ear {
    jingle_audio_sink table;
    jingle_audio_format has; /* rate 0: takes what it is offered */
    _Atomic long frames;
    _Atomic int loudest;
    sem_t enough; /* half a second was heard */
    bool told, stopped, freed;
};

static jingle_status ear_start(void *user, jingle_audio_format *format)
{
    struct ear *ear = user;
    if (ear->has.rate) {
        *format = ear->has;
    } else {
        ear->has = *format;
    }
    return JINGLE_OK;
}

static void ear_write(void *user, const int16_t *samples, size_t frames)
{
    struct ear *ear = user;
    for (size_t i = 0; i < frames * ear->has.channels; i++) {
        int size = abs(samples[i]);
        ear->loudest = size > ear->loudest ? size : ear->loudest;
    }
    ear->frames += (long)frames;
    if (!ear->told && ear->frames >= (long)ear->has.rate / 2) {
        ear->told = true;
        sem_post(&ear->enough);
    }
}

static long ear_wanted(void *user)
{
    (void)user;
    return 1;
}

static void ear_stop(void *user)
{
    ((struct ear *)user)->stopped = true;
}

static void ear_free(void *user)
{
    ((struct ear *)user)->freed = true;
}

static void ear_init(struct ear *ear, jingle_audio_format has)
{
    *ear = (struct ear){.has = has};
    ear->table = (jingle_audio_sink){.size = sizeof ear->table,
                                     .user = ear,
                                     .start = ear_start,
                                     .write = ear_write,
                                     .stop = ear_stop,
                                     .free = ear_free};
    sem_init(&ear->enough, 0, 0);
}

static void hear(struct ear *ear)
{
    jingle_player *player = NULL;
    assert_int_equal(jingle_player_new(jingle_audio_source_tone(440, NULL), &ear->table, &player),
                     JINGLE_OK);
    sem_wait(&ear->enough);
    jingle_player_free(player);
    assert_true(ear->stopped && ear->freed);
    assert_in_range(ear->loudest, 8000, 8400);
    sem_destroy(&ear->enough);
}

static void test_a_source_is_heard_until_it_is_stopped(void **state)
{
    (void)state;
    struct ear ear;
    ear_init(&ear, (jingle_audio_format){0});
    hear(&ear);
}

static void test_a_sink_with_a_clock_and_a_format_of_its_own_is_followed(void **state)
{
    (void)state;
    struct ear ear;
    ear_init(&ear, (jingle_audio_format){.rate = 44100, .channels = 2});
    ear.table.wanted = ear_wanted;
    hear(&ear);
}

static void test_what_is_not_whole_is_refused_and_freed(void **state)
{
    (void)state;
    struct ear ear;
    jingle_player *player = (jingle_player *)&ear;
    ear_init(&ear, (jingle_audio_format){0});
    assert_int_equal(jingle_player_new(NULL, &ear.table, &player), JINGLE_ERROR_INVALID);
    assert_null(player);
    assert_true(ear.freed);
    jingle_player_free(NULL);
    sem_destroy(&ear.enough);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ring_back_sounds_for_a_second_in_five),
        cmocka_unit_test(test_what_rings_here_rings_twice_and_rests),
        cmocka_unit_test(test_an_unknown_ring_is_refused),
        cmocka_unit_test(test_a_source_is_heard_until_it_is_stopped),
        cmocka_unit_test(test_a_sink_with_a_clock_and_a_format_of_its_own_is_followed),
        cmocka_unit_test(test_what_is_not_whole_is_refused_and_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
