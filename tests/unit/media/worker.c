#include "media/worker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <semaphore.h>
#include <signal.h>

static struct worker worker;
static sem_t begun;
static sem_t may_end;
static unsigned worked; /* written by the worker between the two */
static sigset_t blocked;

static int set_up(void **state)
{
    (void)state;
    worked = 0;
    sem_init(&begun, 0, 0);
    sem_init(&may_end, 0, 0);
    return 0;
}

static void work(void *user)
{
    unsigned *count = user;
    ++*count;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    sem_post(&begun);
    sem_wait(&may_end);
}

static void test_it_works_when_woken_and_once_more_if_woken_meanwhile(void **state)
{
    (void)state;
    assert_true(worker_start(&worker, work, &worked));
    worker_wake(&worker);
    sem_wait(&begun);
    worker_wake(&worker);
    worker_wake(&worker);
    sem_post(&may_end);
    sem_wait(&begun);
    sem_post(&may_end);
    worker_stop(&worker);
    assert_int_equal(worked, 2);
}

static void test_stopping_waits_for_the_work_under_way_only(void **state)
{
    (void)state;
    assert_true(worker_start(&worker, work, &worked));
    worker_wake(&worker);
    sem_wait(&begun);
    sem_post(&may_end);
    worker_stop(&worker);
    assert_int_equal(worked, 1);
}

static void test_one_that_was_never_woken_can_be_stopped(void **state)
{
    (void)state;
    assert_true(worker_start(&worker, work, &worked));
    worker_stop(&worker);
    assert_int_equal(worked, 0);
}

static void test_it_gets_no_signals_of_the_application(void **state)
{
    (void)state;
    assert_true(worker_start(&worker, work, &worked));
    worker_wake(&worker);
    sem_wait(&begun);
    sem_post(&may_end);
    worker_stop(&worker);
    assert_true(sigismember(&blocked, SIGINT));
    assert_true(sigismember(&blocked, SIGPIPE));
    assert_false(sigismember(&blocked, SIGSEGV));
    sigset_t ours;
    pthread_sigmask(SIG_SETMASK, NULL, &ours);
    assert_false(sigismember(&ours, SIGINT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_it_works_when_woken_and_once_more_if_woken_meanwhile, set_up),
        cmocka_unit_test_setup(test_stopping_waits_for_the_work_under_way_only, set_up),
        cmocka_unit_test_setup(test_one_that_was_never_woken_can_be_stopped, set_up),
        cmocka_unit_test_setup(test_it_gets_no_signals_of_the_application, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
