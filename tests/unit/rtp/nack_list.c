#include "rtp/nack_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define RTT   (100 * USEC_PER_MS)
#define AGE   (2 * USEC_PER_SEC)
#define START (10 * USEC_PER_SEC)

static size_t ask(struct nack_list *list, usec now, int64_t *first)
{
    int64_t sequences[NACK_LIST_MAX];
    size_t count = nack_list_ask(list, RTT, now, sequences, NACK_LIST_MAX);
    if (count > 0 && first) {
        *first = sequences[0];
    }
    return count;
}

static void test_a_gap_is_asked_for_at_once_and_again_after_a_round_trip(void **state)
{
    (void)state;
    struct nack_list list = {0};
    int64_t first = 0;
    assert_true(nack_list_miss(&list, 65530, 65540, START));
    assert_int_equal(ask(&list, START, &first), 10);
    assert_int_equal(first, 65530);
    assert_int_equal(ask(&list, START + RTT / 2, NULL), 0);
    assert_int_equal(ask(&list, START + RTT, NULL), 0);
    usec due = nack_list_deadline(&list, true, RTT, AGE);
    assert_in_range(due - START, RTT, RTT * 5 / 4);
    assert_int_equal(nack_list_deadline(&list, false, RTT, AGE), START + AGE);
    assert_int_equal(ask(&list, due, NULL), 10);
}

static void test_a_later_request_is_made_twice(void **state)
{
    (void)state;
    struct nack_list list = {0};
    nack_list_miss(&list, 1, 2, START);
    unsigned asked = 0;
    for (usec now = START; now < START + 4 * RTT; now += USEC_PER_MS) {
        asked += (unsigned)ask(&list, now, NULL);
    }
    assert_int_equal(asked, 7); /* at 0, 1.2, 1.4, 2.4, 2.6, 3.5 and 3.8 round trips */
}

static void test_what_came_is_not_asked_for_any_more(void **state)
{
    (void)state;
    struct nack_list list = {0};
    nack_list_miss(&list, 1, 4, START);
    ask(&list, START, NULL);
    assert_true(nack_list_came(&list, 2, true, RTT, START + RTT));
    assert_false(nack_list_came(&list, 2, true, RTT, START + RTT));
    assert_false(nack_list_came(&list, 7, false, RTT, START + RTT));
    assert_int_equal(list.count, 2);
    assert_true(nack_list_waits_before(&list, 2));
    nack_list_forget_before(&list, 3);
    assert_false(nack_list_waits_before(&list, 3));
    assert_true(nack_list_waits_before(&list, 4));
}

static void test_a_network_that_reorders_is_given_time(void **state)
{
    (void)state;
    struct nack_list list = {0};
    nack_list_miss(&list, 1, 2, START);
    ask(&list, START, NULL);
    nack_list_came(&list, 1, false, RTT, START + 12 * USEC_PER_MS); /* it was overtaken */
    nack_list_miss(&list, 5, 6, START + RTT);
    assert_int_equal(ask(&list, START + RTT, NULL), 0);
    assert_int_equal(ask(&list, START + RTT + 10 * USEC_PER_MS, NULL), 0);
    assert_int_equal(ask(&list, START + RTT + 20 * USEC_PER_MS, NULL), 1);
    /* packets that were lost make it less patient again */
    for (int64_t i = 10; i < 100; i++) {
        nack_list_miss(&list, i, i + 1, START + 2 * RTT);
        nack_list_came(&list, i, true, RTT, START + 3 * RTT);
    }
    assert_true(nack_list_patience(&list) < 2 * USEC_PER_MS);
}

static void test_it_asks_ten_times_and_gives_up(void **state)
{
    (void)state;
    struct nack_list list = {0};
    nack_list_miss(&list, 1, 2, START);
    unsigned rounds = 0;
    unsigned before = 0;
    usec now = START;
    for (; list.count > 0 && now < START + 60 * USEC_PER_SEC; now += USEC_PER_MS) {
        ask(&list, now, NULL);
        rounds += list.entries[0].tries != before;
        before = list.entries[0].tries;
        nack_list_give_up(&list, RTT, 60 * USEC_PER_SEC, now);
    }
    assert_int_equal(rounds, NACK_TRIES_MAX);
    assert_in_range(now - START, 11 * RTT, 13 * RTT);
}

static void test_what_is_too_old_is_given_up(void **state)
{
    (void)state;
    struct nack_list list = {0};
    nack_list_miss(&list, 1, 5, START);
    assert_int_equal(nack_list_give_up(&list, RTT, RTT, START + RTT - 1), 0);
    assert_int_equal(nack_list_give_up(&list, RTT, RTT, START + RTT), 4);
    assert_int_equal(nack_list_deadline(&list, true, RTT, AGE), USEC_NEVER);
}

static void test_the_list_is_bounded(void **state)
{
    (void)state;
    struct nack_list list = {0};
    assert_true(nack_list_miss(&list, 0, NACK_LIST_MAX, START));
    assert_false(nack_list_miss(&list, NACK_LIST_MAX, NACK_LIST_MAX + 1, START));
    assert_int_equal(list.count, NACK_LIST_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_gap_is_asked_for_at_once_and_again_after_a_round_trip),
        cmocka_unit_test(test_a_later_request_is_made_twice),
        cmocka_unit_test(test_what_came_is_not_asked_for_any_more),
        cmocka_unit_test(test_a_network_that_reorders_is_given_time),
        cmocka_unit_test(test_it_asks_ten_times_and_gives_up),
        cmocka_unit_test(test_what_is_too_old_is_given_up),
        cmocka_unit_test(test_the_list_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
