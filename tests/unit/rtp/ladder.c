#include "rtp/ladder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define START (10 * USEC_PER_SEC)
#define STEP  (50 * USEC_PER_MS)

static usec follow(struct ladder *ladder, uint32_t bitrate, usec from, usec time)
{
    for (usec now = from; now < from + time; now += STEP) {
        ladder_follow(ladder, bitrate, now);
    }
    return from + time;
}

static void open_720(struct ladder *ladder)
{
    ladder_open(ladder, 1280, 720, 30, false, 2500000);
}

static void expect(const struct ladder *ladder, uint32_t width, uint32_t frame_rate)
{
    const struct ladder_rung *rung = ladder_rung(ladder);
    assert_non_null(rung);
    assert_int_equal(rung->width, width);
    assert_int_equal(rung->frame_rate, frame_rate);
}

static void test_less_bits_make_coarser_then_fewer_then_smaller_pictures(void **state)
{
    (void)state;
    struct ladder ladder;
    open_720(&ladder);
    assert_null(ladder_rung(&(struct ladder){0}));
    assert_int_equal(ladder.most, 2500000);
    for (size_t i = 1; i < ladder.count; i++) {
        const struct ladder_rung *better = &ladder.rungs[i - 1];
        const struct ladder_rung *worse = &ladder.rungs[i];
        assert_true(worse->least < better->least);
        assert_true(worse->width <= better->width && worse->frame_rate <= better->frame_rate);
        assert_true(worse->width % 2 == 0 && worse->height % 2 == 0);
    }
    assert_int_equal(ladder.rungs[0].least, 900000);
    assert_true(ladder.rungs[1].width == 1280 && ladder.rungs[1].frame_rate == 20);
    assert_true(ladder.rungs[ladder.count - 1].least < 50000);
}

static void test_it_begins_where_the_path_is(void **state)
{
    (void)state;
    struct ladder ladder;
    open_720(&ladder);
    assert_true(ladder_follow(&ladder, 300000, START));
    expect(&ladder, 640, 20);
}

static void test_a_screen_keeps_its_size_and_loses_pictures(void **state)
{
    (void)state;
    struct ladder ladder;
    ladder_open(&ladder, 1920, 1080, 15, true, 2500000);
    usec now = follow(&ladder, 2000000, START, USEC_PER_SEC);
    expect(&ladder, 1920, 15);
    follow(&ladder, 500000, now, 3 * USEC_PER_SEC);
    assert_int_equal(ladder_rung(&ladder)->width, 1920);
    assert_true(ladder_rung(&ladder)->frame_rate <= 5);
}

static void test_it_falls_at_once_when_there_is_far_too_little(void **state)
{
    (void)state;
    struct ladder ladder;
    open_720(&ladder);
    usec now = follow(&ladder, 2000000, START, USEC_PER_SEC);
    expect(&ladder, 1280, 30);
    assert_true(ladder_follow(&ladder, 300000, now));
    expect(&ladder, 640, 20);
}

static void test_a_dip_of_half_a_second_changes_nothing(void **state)
{
    (void)state;
    struct ladder ladder;
    open_720(&ladder);
    usec now = follow(&ladder, 2000000, START, USEC_PER_SEC);
    now = follow(&ladder, 800000, now, USEC_PER_SEC / 2);
    follow(&ladder, 2000000, now, USEC_PER_SEC);
    expect(&ladder, 1280, 30);
}

static void test_it_rises_after_some_seconds_of_enough(void **state)
{
    (void)state;
    struct ladder ladder;
    open_720(&ladder);
    usec now = follow(&ladder, 300000, START, USEC_PER_SEC);
    now = follow(&ladder, 800000, now, USEC_PER_SEC);
    expect(&ladder, 640, 20);
    now = follow(&ladder, 800000, now, USEC_PER_SEC);
    expect(&ladder, 1280, 20);
    now = follow(&ladder, 2000000, now, 2 * USEC_PER_SEC); /* and from then on more slowly */
    expect(&ladder, 1280, 20);
    follow(&ladder, 2000000, now, 2 * USEC_PER_SEC);
    expect(&ladder, 1280, 30);
}

static void test_it_does_not_go_up_and_down_for_ever(void **state)
{
    (void)state;
    struct ladder ladder;
    open_720(&ladder);
    unsigned changes = 0;
    usec now = START;
    /* enough for the best, but only ever for 5 s */
    for (unsigned i = 0; i < 60; i++) {
        for (usec end = now + (i % 2 ? 5 : 3) * USEC_PER_SEC; now < end; now += STEP) {
            changes += ladder_follow(&ladder, i % 2 ? 1200000 : 500000, now);
        }
    }
    assert_true(changes < 10); /* in 60 turns */
}

static void test_nothing_is_sent_when_nothing_fits(void **state)
{
    (void)state;
    struct ladder ladder;
    open_720(&ladder);
    ladder_follow(&ladder, 300000, START);
    assert_true(ladder_follow(&ladder, LADDER_PAUSE - 1, START + STEP));
    assert_null(ladder_rung(&ladder));
    assert_false(ladder_follow(&ladder, LADDER_RESUME - 1, START + 2 * STEP));
    assert_null(ladder_rung(&ladder));
    assert_true(ladder_follow(&ladder, LADDER_RESUME, START + 3 * STEP));
    assert_non_null(ladder_rung(&ladder));
}

static void test_a_pause_is_broken_by_short_trials(void **state)
{
    (void)state;
    struct ladder ladder;
    open_720(&ladder);
    usec now = follow(&ladder, 300000, START, USEC_PER_SEC);
    unsigned trials = 0;
    usec sending = 0;
    bool before = true;
    for (usec end = now + 60 * USEC_PER_SEC; now < end; now += STEP) {
        ladder_follow(&ladder, 5000, now);
        bool sends = ladder_rung(&ladder) != NULL;
        trials += sends && !before;
        sending += sends ? STEP : 0;
        assert_true(!sends || ladder_bitrate(&ladder, 5000) == LADDER_RESUME);
        before = sends;
    }
    assert_in_range(trials, 3, 6);
    assert_true(sending <= trials * (LADDER_TRIAL + STEP));
    follow(&ladder, 500000, now, 20 * USEC_PER_SEC);
    assert_int_equal(ladder_bitrate(&ladder, 500000), 500000);
    assert_true(ladder_rung(&ladder)->width >= 640);
}

static void test_small_pictures_are_not_made_tiny_nor_given_too_much(void **state)
{
    (void)state;
    struct ladder ladder;
    ladder_open(&ladder, 160, 120, 15, false, 2500000);
    for (size_t i = 0; i < ladder.count; i++) {
        assert_true(ladder.rungs[i].height >= 90);
    }
    assert_true(ladder.most < 250000);
    ladder_open(&ladder, 2, 2, 1, false, 2500000);
    assert_true(ladder.count >= 1);
    ladder_follow(&ladder, 100000, START);
    expect(&ladder, 2, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_less_bits_make_coarser_then_fewer_then_smaller_pictures),
        cmocka_unit_test(test_it_begins_where_the_path_is),
        cmocka_unit_test(test_a_screen_keeps_its_size_and_loses_pictures),
        cmocka_unit_test(test_it_falls_at_once_when_there_is_far_too_little),
        cmocka_unit_test(test_a_dip_of_half_a_second_changes_nothing),
        cmocka_unit_test(test_it_rises_after_some_seconds_of_enough),
        cmocka_unit_test(test_it_does_not_go_up_and_down_for_ever),
        cmocka_unit_test(test_nothing_is_sent_when_nothing_fits),
        cmocka_unit_test(test_a_pause_is_broken_by_short_trials),
        cmocka_unit_test(test_small_pictures_are_not_made_tiny_nor_given_too_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
