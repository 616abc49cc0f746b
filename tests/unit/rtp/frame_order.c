#include "rtp/frame_order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct frame_order order;

static int reset(void **state)
{
    (void)state;
    frame_order_reset(&order);
    return 0;
}

static struct whole_frame frame(int picture_id)
{
    return (struct whole_frame){
        .codec = &codec_vp8,
        .head = {.picture_id = picture_id, .picture_bits = 15, .tl0_index = -1}};
}

static struct whole_frame key(int picture_id)
{
    struct whole_frame made = frame(picture_id);
    made.head.key = true;
    return made;
}

static struct whole_frame layered(int picture_id, int tl0, unsigned layer, bool sync)
{
    struct whole_frame made = frame(picture_id);
    made.head.tl0_index = tl0;
    made.head.has_layer = true;
    made.head.temporal_layer = layer;
    made.head.layer_sync = sync;
    return made;
}

/* Judges a frame that does not follow by its sequence number, and hands it out if it may be. */
static enum frame_verdict give(struct whole_frame made)
{
    enum frame_verdict verdict = frame_order_judge(&order, &made, false);
    if (verdict == FRAME_NEXT || verdict == FRAME_SKIPS) {
        frame_order_hand_out(&order, &made, verdict);
    }
    return verdict;
}

static void test_nothing_comes_before_a_key_frame(void **state)
{
    (void)state;
    assert_int_equal(give(frame(1)), FRAME_HOPELESS);
    assert_int_equal(give(key(2)), FRAME_NEXT);
    assert_int_equal(give(frame(3)), FRAME_NEXT);
}

static void test_picture_ids_without_a_gap_go_on_over_their_wrap(void **state)
{
    (void)state;
    give(key(0x7fff));
    assert_int_equal(give(frame(0)), FRAME_NEXT);
    assert_int_equal(give(frame(2)), FRAME_HOPELESS);
    assert_int_equal(give(frame(1)), FRAME_NEXT);
    struct whole_frame small = frame(0);
    frame_order_reset(&order);
    struct whole_frame first = key(127);
    first.head.picture_bits = small.head.picture_bits = 7;
    give(first);
    assert_int_equal(give(small), FRAME_NEXT);
}

static void test_without_picture_ids_sequence_numbers_count(void **state)
{
    (void)state;
    struct whole_frame plain = frame(-1);
    give(key(-1));
    assert_int_equal(frame_order_judge(&order, &plain, true), FRAME_NEXT);
    assert_int_equal(frame_order_judge(&order, &plain, false), FRAME_HOPELESS);
}

static void test_a_key_frame_mends_everything(void **state)
{
    (void)state;
    give(key(1));
    assert_int_equal(give(key(9)), FRAME_SKIPS);
    order.need_key = true;
    assert_int_equal(give(frame(10)), FRAME_HOPELESS);
    assert_int_equal(give(key(20)), FRAME_NEXT);
    assert_int_equal(give(frame(21)), FRAME_NEXT);
}

static void test_a_higher_layer_may_be_missing(void **state)
{
    (void)state;
    struct whole_frame first = key(1);
    first.head.tl0_index = 255;
    first.head.has_layer = true;
    give(first);
    /* 2 of layer 1 is lost */
    assert_int_equal(give(layered(3, 0, 0, false)), FRAME_SKIPS);
    assert_int_equal(give(layered(4, 0, 1, true)), FRAME_NEXT);
    assert_int_equal(give(layered(5, 1, 0, false)), FRAME_NEXT);
}

static void test_the_base_layer_may_not(void **state)
{
    (void)state;
    struct whole_frame first = key(1);
    first.head.tl0_index = 10;
    first.head.has_layer = true;
    give(first);
    /* 3, of layer 0 and index 11, is lost */
    assert_int_equal(give(layered(4, 11, 1, true)), FRAME_USELESS);
    assert_int_equal(give(layered(5, 12, 0, false)), FRAME_HOPELESS);
}

static void test_after_a_loss_a_higher_layer_goes_on_where_it_needs_the_base_alone(void **state)
{
    (void)state;
    struct whole_frame first = key(1);
    first.head.tl0_index = 10;
    first.head.has_layer = true;
    give(first);
    give(layered(2, 10, 1, false));
    /* 4, of layer 1, is lost */
    assert_int_equal(give(layered(3, 11, 0, false)), FRAME_NEXT);
    assert_int_equal(give(layered(5, 12, 0, false)), FRAME_SKIPS);
    assert_int_equal(give(layered(6, 12, 1, false)), FRAME_USELESS);
    assert_int_equal(give(layered(7, 13, 0, false)), FRAME_SKIPS);
    assert_int_equal(give(layered(8, 13, 1, true)), FRAME_NEXT);
    assert_int_equal(give(layered(9, 14, 0, false)), FRAME_NEXT);
    assert_int_equal(give(layered(10, 14, 1, false)), FRAME_NEXT);
}

static void test_flexible_frames_name_what_they_need(void **state)
{
    (void)state;
    struct whole_frame flexible = frame(5);
    flexible.head.flexible = true;
    flexible.head.reference_count = 1;
    flexible.head.references[0] = 4;
    give(key(1));
    give(frame(2));
    assert_int_equal(frame_order_judge(&order, &flexible, false), FRAME_SKIPS); /* needs 1 */
    flexible.head.references[0] = 2;
    assert_int_equal(frame_order_judge(&order, &flexible, false), FRAME_HOPELESS); /* needs 3 */
    flexible.head.references[0] = 200;
    assert_int_equal(frame_order_judge(&order, &flexible, false), FRAME_HOPELESS);
}

static void test_another_codec_begins_with_a_key_frame(void **state)
{
    (void)state;
    give(key(1));
    struct whole_frame other = frame(2);
    other.codec = &codec_vp9;
    assert_int_equal(frame_order_judge(&order, &other, true), FRAME_HOPELESS);
    other.head.key = true;
    assert_int_equal(frame_order_judge(&order, &other, true), FRAME_NEXT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_nothing_comes_before_a_key_frame, reset),
        cmocka_unit_test_setup(test_picture_ids_without_a_gap_go_on_over_their_wrap, reset),
        cmocka_unit_test_setup(test_without_picture_ids_sequence_numbers_count, reset),
        cmocka_unit_test_setup(test_a_key_frame_mends_everything, reset),
        cmocka_unit_test_setup(test_a_higher_layer_may_be_missing, reset),
        cmocka_unit_test_setup(test_the_base_layer_may_not, reset),
        cmocka_unit_test_setup(
            test_after_a_loss_a_higher_layer_goes_on_where_it_needs_the_base_alone, reset),
        cmocka_unit_test_setup(test_flexible_frames_name_what_they_need, reset),
        cmocka_unit_test_setup(test_another_codec_begins_with_a_key_frame, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
