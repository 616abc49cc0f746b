#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "codecs/encoder_speed.h"

enum { INTERVAL = 33333 };

static struct encoder_speed started(void)
{
    struct encoder_speed speed;
    encoder_speed_start(&speed, &codec_vp8, 1280, 720);
    return speed;
}

static int pass(struct encoder_speed *speed, int64_t took, int seconds)
{
    int now = speed->speed;
    for (int i = 0; i < seconds * 30; i++) {
        now = encoder_speed_update(speed, took, INTERVAL);
    }
    return now;
}

static void test_it_begins_with_the_codecs_own_choice(void **state)
{
    (void)state;
    struct encoder_speed speed = started();
    assert_int_equal(speed.speed, codec_vp8.speed_for(1280, 720));
    assert_in_range(speed.speed, codec_vp8.speed_slowest, codec_vp8.speed_fastest);
}

static void test_frames_that_take_too_long_make_it_faster_up_to_the_fastest(void **state)
{
    (void)state;
    struct encoder_speed speed = started();
    int first = speed.speed;
    assert_true(pass(&speed, INTERVAL * 7 / 10, 2) > first);
    assert_int_equal(pass(&speed, INTERVAL, 30), codec_vp8.speed_fastest);
}

static void test_a_hopeless_load_is_met_within_two_seconds(void **state)
{
    (void)state;
    struct encoder_speed speed = started();
    assert_true(pass(&speed, INTERVAL * 2, 2) >= codec_vp8.speed_for(1280, 720) + 4);
}

static void test_one_frame_that_was_held_up_changes_nothing(void **state)
{
    (void)state;
    struct encoder_speed speed = started();
    int first = speed.speed;
    pass(&speed, INTERVAL / 2, 1);
    encoder_speed_update(&speed, INTERVAL * 20, INTERVAL);
    assert_int_equal(pass(&speed, INTERVAL / 2, 20), first);
}

static void test_a_middling_load_changes_nothing(void **state)
{
    (void)state;
    struct encoder_speed speed = started();
    int first = speed.speed;
    assert_int_equal(pass(&speed, INTERVAL / 2, 120), first);
}

static void test_ease_makes_it_slower_one_step_at_a_time_down_to_the_slowest(void **state)
{
    (void)state;
    struct encoder_speed speed = started();
    int first = speed.speed;
    assert_int_equal(pass(&speed, INTERVAL / 10, 3), first);
    assert_int_equal(pass(&speed, INTERVAL / 10, 3), first - 1);
    assert_int_equal(pass(&speed, INTERVAL / 10, 120), codec_vp8.speed_slowest);
}

/* A load of 0.3 at one speed and of 0.65 at the next slower one: it must not swing for ever. */
static void test_a_slower_speed_that_failed_is_tried_ever_more_rarely(void **state)
{
    (void)state;
    struct encoder_speed speed = started();
    int first = speed.speed;
    int changes = 0;
    int late_changes = 0;
    for (int i = 0; i < 600 * 30; i++) {
        int before = speed.speed;
        int64_t took = before >= first ? INTERVAL * 3 / 10 : INTERVAL * 65 / 100;
        bool changed = encoder_speed_update(&speed, took, INTERVAL) != before;
        changes += changed;
        late_changes += changed && i >= 300 * 30;
    }
    assert_in_range(changes, 2, 24);
    assert_in_range(late_changes, 0, 6);
}

static void test_nonsense_changes_nothing(void **state)
{
    (void)state;
    struct encoder_speed speed = started();
    int first = speed.speed;
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(encoder_speed_update(&speed, INTERVAL, 0), first);
        assert_int_equal(encoder_speed_update(&speed, -1, INTERVAL), first);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_begins_with_the_codecs_own_choice),
        cmocka_unit_test(test_frames_that_take_too_long_make_it_faster_up_to_the_fastest),
        cmocka_unit_test(test_a_hopeless_load_is_met_within_two_seconds),
        cmocka_unit_test(test_one_frame_that_was_held_up_changes_nothing),
        cmocka_unit_test(test_a_middling_load_changes_nothing),
        cmocka_unit_test(test_ease_makes_it_slower_one_step_at_a_time_down_to_the_slowest),
        cmocka_unit_test(test_a_slower_speed_that_failed_is_tried_ever_more_rarely),
        cmocka_unit_test(test_nonsense_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
