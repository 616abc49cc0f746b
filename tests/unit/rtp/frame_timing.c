#include "rtp/frame_timing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define UNITS 3000 /* of a frame at 30 a second */
#define FRAME (USEC_PER_SEC / 30)
#define START (100 * USEC_PER_SEC)

/* Frames `first` to `end`, each `late(i)` after its time; returns when the last is due less when it
 * came in time. */
static usec run(struct frame_timing *timing, unsigned first, unsigned end, usec (*late)(unsigned))
{
    static usec now;
    usec due = 0;
    now = first == 0 ? 0 : now;
    for (unsigned i = first; i < end; i++) {
        usec ideal = START + i * FRAME;
        now = ideal + late(i) > now ? ideal + late(i) : now; /* none overtakes another */
        frame_timing_came(timing, 0xffff0000 + i * UNITS, now);
        due = frame_timing_due(timing, 0xffff0000 + i * UNITS, now) - ideal;
    }
    return due;
}

static usec never(unsigned i)
{
    (void)i;
    return 0;
}

static usec every_fifth(unsigned i)
{
    return i % 5 == 0 ? 100 * USEC_PER_MS : 0;
}

static usec every_two_hundredth(unsigned i)
{
    return i % 200 == 199 ? 100 * USEC_PER_MS : 0;
}

static void test_on_a_quiet_network_nothing_waits(void **state)
{
    (void)state;
    struct frame_timing timing = {0};
    assert_in_range(run(&timing, 0, 300, never) + 5000, 0, 10000);
}

static void test_the_delay_grows_to_what_nearly_all_frames_need_and_shrinks_again(void **state)
{
    (void)state;
    struct frame_timing timing = {0};
    assert_in_range(run(&timing, 0, 300, every_fifth), 95 * USEC_PER_MS, 110 * USEC_PER_MS);
    assert_true(run(&timing, 300, 4000, never) < 20 * USEC_PER_MS);
}

static void test_a_rare_straggler_is_not_waited_for(void **state)
{
    (void)state;
    struct frame_timing timing = {0};
    assert_true(run(&timing, 0, 1000, every_two_hundredth) < 30 * USEC_PER_MS);
}

static void test_the_delay_never_jumps(void **state)
{
    (void)state;
    struct frame_timing timing = {0};
    usec before = 0;
    for (unsigned i = 0; i < 1000; i++) {
        usec due = run(&timing, i, i + 1, i < 300 ? never : every_fifth);
        usec moved = due - before;
        assert_true(i == 0 || (moved < 35 * USEC_PER_MS && moved > -10 * USEC_PER_MS));
        before = due;
    }
}

static void test_pictures_wait_for_their_sound_but_not_for_ever(void **state)
{
    (void)state;
    struct frame_timing timing = {0};
    run(&timing, 0, 300, never);
    usec media = START + 299 * FRAME;
    for (unsigned i = 300; i < 600; i++) {
        frame_timing_sound(&timing, true, 0xffff0000 + 299 * UNITS, media + 120 * USEC_PER_MS);
        run(&timing, i, i + 1, never);
    }
    assert_in_range(frame_timing_lip_sync(&timing) + 2000, 0, 6000);
    for (unsigned i = 600; i < 1200; i++) {
        frame_timing_sound(&timing, true, 0xffff0000 + 299 * UNITS, media + 5 * USEC_PER_SEC);
        run(&timing, i, i + 1, never);
    }
    usec due = run(&timing, 1200, 1201, never);
    assert_in_range(due, FRAME_TIMING_SOUND_MAX - 10000, FRAME_TIMING_SOUND_MAX + 20000);
    /* sound that was heard before is no reason to wait */
    for (unsigned i = 1201; i < 2000; i++) {
        frame_timing_sound(&timing, true, 0xffff0000 + 299 * UNITS, media - USEC_PER_SEC);
        due = run(&timing, i, i + 1, never);
    }
    assert_true(due < 10 * USEC_PER_MS);
    assert_true(frame_timing_lip_sync(&timing) > 900 * USEC_PER_MS);
}

static void test_time_stamps_that_jump_begin_anew(void **state)
{
    (void)state;
    struct frame_timing timing = {0};
    run(&timing, 0, 100, never);
    usec now = START + 100 * FRAME;
    frame_timing_came(&timing, 0x12345678, now);
    usec due = frame_timing_due(&timing, 0x12345678, now);
    assert_in_range(due - now + 20 * USEC_PER_MS, 0, 40 * USEC_PER_MS);
}

static void test_the_time_to_decode_is_part_of_the_delay(void **state)
{
    (void)state;
    struct frame_timing timing = {0};
    for (unsigned i = 0; i < 100; i++) {
        frame_timing_decoded(&timing, 20 * USEC_PER_MS);
    }
    assert_in_range(run(&timing, 0, 300, never), 15 * USEC_PER_MS, 26 * USEC_PER_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_on_a_quiet_network_nothing_waits),
        cmocka_unit_test(test_the_delay_grows_to_what_nearly_all_frames_need_and_shrinks_again),
        cmocka_unit_test(test_a_rare_straggler_is_not_waited_for),
        cmocka_unit_test(test_the_delay_never_jumps),
        cmocka_unit_test(test_pictures_wait_for_their_sound_but_not_for_ever),
        cmocka_unit_test(test_time_stamps_that_jump_begin_anew),
        cmocka_unit_test(test_the_time_to_decode_is_part_of_the_delay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
