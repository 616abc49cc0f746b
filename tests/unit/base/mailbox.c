#include "base/mailbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <pthread.h>

enum { POSTERS = 4, POSTS = 5000 };

static struct mailbox *box;
static unsigned run;
static unsigned dropped;
static unsigned out_of_order;

static int set_up(void **state)
{
    (void)state;
    box = mailbox_new();
    run = dropped = out_of_order = 0;
    return box ? 0 : -1;
}

static void count_run(void *arg)
{
    out_of_order += *(unsigned *)arg != run;
    run++;
}

static void count_drop(void *arg)
{
    (void)arg;
    dropped++;
}

static bool is_readable(void)
{
    struct pollfd fd = {.fd = mailbox_fd(box), .events = POLLIN};
    return poll(&fd, 1, 0) == 1;
}

static void test_messages_run_in_their_order_and_the_descriptor_tells(void **state)
{
    (void)state;
    static unsigned numbers[] = {0, 1, 2};
    assert_false(is_readable());
    for (size_t i = 0; i < 3; i++)
        mailbox_post(box, count_run, count_drop, &numbers[i]);
    assert_true(is_readable());
    mailbox_run(box);
    assert_int_equal(run, 3);
    assert_int_equal(out_of_order, 0);
    assert_false(is_readable());
    mailbox_free(box);
    assert_int_equal(dropped, 0);
}

static void post_again(void *arg)
{
    run++;
    mailbox_post(box, count_run, NULL, arg);
}

static void test_what_a_message_posts_runs_the_next_time(void **state)
{
    (void)state;
    static unsigned one = 1;
    mailbox_post(box, post_again, NULL, &one);
    mailbox_run(box);
    assert_int_equal(run, 1);
    assert_true(is_readable());
    mailbox_run(box);
    assert_int_equal(run, 2);
    mailbox_free(box);
}

static void drop_and_post(void *arg)
{
    dropped++;
    mailbox_post(box, count_run, count_drop, arg);
}

static void test_what_never_runs_is_dropped(void **state)
{
    (void)state;
    mailbox_post(box, count_run, drop_and_post, NULL);
    mailbox_post(box, count_run, NULL, NULL);
    mailbox_free(box);
    assert_int_equal(run, 0);
    assert_int_equal(dropped, 2);
}

static void count_only(void *arg)
{
    (void)arg;
    run++;
}

static void *post_many(void *user)
{
    for (int i = 0; i < POSTS; i++)
        mailbox_post(box, count_only, NULL, user);
    return NULL;
}

static void test_many_threads_may_post(void **state)
{
    (void)state;
    pthread_t posters[POSTERS];
    for (int i = 0; i < POSTERS; i++)
        assert_int_equal(pthread_create(&posters[i], NULL, post_many, NULL), 0);
    while (run < POSTERS * POSTS) {
        struct pollfd fd = {.fd = mailbox_fd(box), .events = POLLIN};
        assert_int_equal(poll(&fd, 1, 20000), 1);
        mailbox_run(box);
    }
    for (int i = 0; i < POSTERS; i++)
        pthread_join(posters[i], NULL);
    assert_int_equal(run, POSTERS * POSTS);
    mailbox_free(box);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_messages_run_in_their_order_and_the_descriptor_tells, set_up),
        cmocka_unit_test_setup(test_what_a_message_posts_runs_the_next_time, set_up),
        cmocka_unit_test_setup(test_what_never_runs_is_dropped, set_up),
        cmocka_unit_test_setup(test_many_threads_may_post, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
