/* engine/loop.h: a thread that others hand work to, and its timers. */
#include "loop.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct record {
    struct loop *loop;
    struct timer *timer;
    unsigned runs;
    unsigned drops;
    bool on_the_loop;
    usec deadline;
    usec fired;
    sem_t done;
    sem_t gate;
};

static struct record *record_new(void)
{
    struct record *record = g_new0(struct record, 1);
    record->loop = loop_new("test-loop");
    sem_init(&record->done, 0, 0);
    sem_init(&record->gate, 0, 0);
    return record;
}

static void record_free(struct record *record)
{
    sem_destroy(&record->done);
    sem_destroy(&record->gate);
    g_free(record);
}

static void run(void *arg)
{
    struct record *record = arg;
    record->runs++;
    record->on_the_loop = loop_is_current(record->loop);
}

static void drop(void *arg)
{
    ((struct record *)arg)->drops++;
}

static void test_a_call_waits_and_runs_on_the_loop(void **state)
{
    (void)state;
    struct record *record = record_new();
    assert_false(loop_is_current(record->loop));
    loop_call(record->loop, run, record);
    assert_int_equal(record->runs, 1);
    assert_true(record->on_the_loop);
    loop_free(record->loop);
    record_free(record);
}

static void call_inside(void *arg)
{
    struct record *record = arg;
    loop_call(record->loop, run, record);
}

static void test_a_call_from_the_loop_itself_runs_at_once(void **state)
{
    (void)state;
    struct record *record = record_new();
    loop_call(record->loop, call_inside, record);
    assert_int_equal(record->runs, 1);
    loop_free(record->loop);
    record_free(record);
}

static void test_what_was_posted_is_run_before_the_end(void **state)
{
    (void)state;
    struct record *record = record_new();
    for (unsigned i = 0; i < 1000; i++) {
        loop_post(record->loop, run, drop, record);
    }
    loop_free(record->loop);
    assert_int_equal(record->runs, 1000);
    assert_int_equal(record->drops, 0);
    record_free(record);
}

static void post_late(void *arg)
{
    struct record *record = arg;
    while (sem_wait(&record->gate) != 0) {
    }
    loop_post(record->loop, run, drop, record); /* perhaps it is told to end by now */
}

static void *end_loop(void *user)
{
    struct record *record = user;
    loop_free(record->loop);
    return NULL;
}

static void test_what_is_posted_too_late_is_dropped_or_run_but_never_lost(void **state)
{
    (void)state;
    struct record *record = record_new();
    pthread_t thread;
    loop_post(record->loop, post_late, NULL, record);
    assert_int_equal(pthread_create(&thread, NULL, end_loop, record), 0);
    sem_post(&record->gate);
    pthread_join(thread, NULL);
    assert_int_equal(record->runs + record->drops, 1);
    record_free(record);
}

static void test_a_call_in_two_halves(void **state)
{
    (void)state;
    struct record *record = record_new();
    struct loop_wait wait;
    loop_post_waiting(record->loop, run, record, &wait);
    loop_wait(&wait);
    assert_int_equal(record->runs, 1);
    loop_free(record->loop);
    record_free(record);
}

static void look_at_signals(void *arg)
{
    sigset_t *mask = arg;
    pthread_sigmask(SIG_BLOCK, NULL, mask);
}

static void test_signals_are_the_applications(void **state)
{
    (void)state;
    sigset_t before;
    sigset_t after;
    sigset_t mask;
    pthread_sigmask(SIG_BLOCK, NULL, &before);
    struct loop *loop = loop_new("test-loop");
    pthread_sigmask(SIG_BLOCK, NULL, &after);
    loop_call(loop, look_at_signals, &mask);
    assert_true(sigismember(&mask, SIGINT));
    assert_true(sigismember(&mask, SIGPIPE));
    assert_true(sigismember(&mask, SIGCHLD));
    assert_false(sigismember(&mask, SIGSEGV));
    assert_int_equal(sigismember(&after, SIGINT), sigismember(&before, SIGINT));
    loop_free(loop);
}

/* --------------------------------------------------------------------------------- timers -- */

static void fire(void *user)
{
    struct record *record = user;
    record->runs++;
    record->fired = clock_now();
    sem_post(&record->done);
}

static void make_timer(void *arg)
{
    struct record *record = arg;
    record->timer = timer_new(record->loop, fire, record);
}

static void end_timer(void *arg)
{
    struct record *record = arg;
    timer_free(record->timer);
}

static void set_soon(void *arg)
{
    struct record *record = arg;
    record->deadline = clock_now() + 10 * USEC_PER_MS;
    timer_set(record->timer, record->deadline);
}

static void set_now(void *arg)
{
    struct record *record = arg;
    timer_set(record->timer, 0);
}

static void wait_done(struct record *record)
{
    while (sem_wait(&record->done) != 0) {
    }
}

static void test_a_timer_fires_once_and_not_too_early(void **state)
{
    (void)state;
    struct record *record = record_new();
    loop_call(record->loop, make_timer, record);
    loop_call(record->loop, set_soon, record);
    wait_done(record);
    assert_true(record->fired >= record->deadline);
    loop_call(record->loop, set_now, record);
    wait_done(record);
    loop_call(record->loop, end_timer, record);
    assert_int_equal(record->runs, 2);
    loop_free(record->loop);
    record_free(record);
}

static void set_and_take_back(void *arg)
{
    struct record *record = arg;
    timer_set(record->timer, 0);
    timer_set(record->timer, USEC_NEVER);
}

static void set_far_and_near(void *arg)
{
    struct record *record = arg;
    timer_set(record->timer, clock_now() + 3600 * USEC_PER_SEC);
    timer_set(record->timer, clock_now());
}

static void test_a_deadline_replaces_the_one_before(void **state)
{
    (void)state;
    struct record *record = record_new();
    loop_call(record->loop, make_timer, record);
    loop_call(record->loop, set_and_take_back, record);
    loop_call(record->loop, run, record);
    assert_int_equal(record->runs, 1); /* the run itself */
    loop_call(record->loop, set_far_and_near, record);
    wait_done(record);
    assert_int_equal(record->runs, 2);
    loop_call(record->loop, end_timer, record);
    loop_free(record->loop);
    record_free(record);
}

static void fire_and_free(void *user)
{
    struct record *record = user;
    timer_free(record->timer);
    record->timer = NULL;
    sem_post(&record->done);
}

static void make_mortal_timer(void *arg)
{
    struct record *record = arg;
    record->timer = timer_new(record->loop, fire_and_free, record);
    timer_set(record->timer, 0);
}

static void test_a_timer_may_be_freed_while_it_fires(void **state)
{
    (void)state;
    struct record *record = record_new();
    loop_call(record->loop, make_mortal_timer, record);
    wait_done(record);
    loop_call(record->loop, run, record);
    assert_null(record->timer);
    timer_free(NULL);
    loop_free(record->loop);
    loop_free(NULL);
    record_free(record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_call_waits_and_runs_on_the_loop),
        cmocka_unit_test(test_a_call_from_the_loop_itself_runs_at_once),
        cmocka_unit_test(test_what_was_posted_is_run_before_the_end),
        cmocka_unit_test(test_what_is_posted_too_late_is_dropped_or_run_but_never_lost),
        cmocka_unit_test(test_a_call_in_two_halves),
        cmocka_unit_test(test_signals_are_the_applications),
        cmocka_unit_test(test_a_timer_fires_once_and_not_too_early),
        cmocka_unit_test(test_a_deadline_replaces_the_one_before),
        cmocka_unit_test(test_a_timer_may_be_freed_while_it_fires),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
