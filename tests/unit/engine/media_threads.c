/* engine/media_threads.h: which thread a call gets. */
#include "media_threads.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

static void test_calls_are_spread_evenly(void **state)
{
    (void)state;
    struct media_threads *threads = media_threads_new(3);
    struct media_thread *taken[9];
    for (unsigned i = 0; i < 9; i++) {
        taken[i] = media_threads_take(threads);
        assert_non_null(taken[i]->poller);
    }
    for (unsigned i = 0; i < 9; i++) {
        assert_int_equal(taken[i]->calls, 3);
    }
    media_threads_free(threads);
}

static void test_a_thread_that_lost_its_calls_gets_the_next(void **state)
{
    (void)state;
    struct media_threads *threads = media_threads_new(2);
    struct media_thread *first = media_threads_take(threads);
    struct media_thread *second = media_threads_take(threads);
    assert_ptr_not_equal(first, second);
    media_threads_give_back(second);
    assert_ptr_equal(media_threads_take(threads), second);
    media_threads_give_back(first);
    assert_ptr_equal(media_threads_take(threads), first);
    media_threads_free(threads);
}

static unsigned count_threads(struct media_threads *threads)
{
    struct media_thread *first = media_threads_take(threads);
    unsigned count = 1;
    while (media_threads_take(threads) != first) {
        count++;
    }
    return count;
}

static void test_nought_means_one_a_core_up_to_four(void **state)
{
    (void)state;
    struct media_threads *threads = media_threads_new(0);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    assert_int_equal(count_threads(threads), cores > 4 ? 4 : cores);
    media_threads_free(threads);
}

static void test_there_is_an_end_to_threads(void **state)
{
    (void)state;
    struct media_threads *threads = media_threads_new(1000000);
    assert_non_null(threads);
    assert_int_equal(count_threads(threads), 64);
    media_threads_free(threads);
}

static void count(void *arg)
{
    ++*(unsigned *)arg;
}

static void test_what_was_posted_is_finished_before_the_threads_end(void **state)
{
    (void)state;
    struct media_threads *threads = media_threads_new(1);
    struct media_thread *thread = media_threads_take(threads);
    unsigned runs = 0;
    for (unsigned i = 0; i < 100; i++) {
        loop_post(thread->loop, count, NULL, &runs);
    }
    media_threads_free(threads);
    media_threads_free(NULL);
    assert_int_equal(runs, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls_are_spread_evenly),
        cmocka_unit_test(test_a_thread_that_lost_its_calls_gets_the_next),
        cmocka_unit_test(test_nought_means_one_a_core_up_to_four),
        cmocka_unit_test(test_there_is_an_end_to_threads),
        cmocka_unit_test(test_what_was_posted_is_finished_before_the_threads_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
