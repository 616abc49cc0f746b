#include "transport/poller.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <glib-unix.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

static GMainContext *context;
static struct poller *poller;
static bool by_turns; /* otherwise the context is run */

static int set_up_turns(void **state)
{
    (void)state;
    by_turns = true;
    context = g_main_context_new_with_flags(G_MAIN_CONTEXT_FLAGS_OWNERLESS_POLLING);
    poller = poller_new(context);
    assert_non_null(poller);
    return 0;
}

static int set_up_source(void **state)
{
    set_up_turns(state);
    by_turns = false;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    poller_free(poller);
    g_main_context_unref(context);
    return 0;
}

static void turn(void)
{
    if (by_turns)
        poller_turn(poller);
    else
        g_main_context_iteration(context, TRUE);
}

static void raise_flag(void *user)
{
    bool *flag = user;
    *flag = true;
}

/* All that is ready has been dealt with. */
static void turn_until_idle(void)
{
    bool raised = false;
    struct poller_timer end = {.fire = raise_flag, .user = &raised};
    poller_set_timer(poller, &end, clock_now() + 2 * USEC_PER_MS);
    while (!raised)
        turn();
}

static char order[64];

static void note(void *user)
{
    strncat(order, user, sizeof order - strlen(order) - 1);
}

static void test_timers_fire_in_their_order(void **state)
{
    (void)state;
    struct poller_timer timers[6];
    static char names[][2] = {"a", "b", "c", "d", "e", "f"};
    static const int delay[] = {5, 1, 4, 2, 6, 3};
    usec now = clock_now();
    order[0] = '\0';
    for (int i = 0; i < 6; i++) {
        timers[i] = (struct poller_timer){.fire = note, .user = names[i]};
        poller_set_timer(poller, &timers[i], now + delay[i] * USEC_PER_MS);
    }
    poller_set_timer(poller, &timers[2], USEC_NEVER);
    poller_set_timer(poller, &timers[4], now); /* earlier than it was */
    while (strlen(order) < 5)
        turn();
    assert_string_equal(order, "ebdfa");
    assert_true(clock_now() >= now + 5 * USEC_PER_MS);
    poller_set_timer(poller, &timers[0], USEC_NEVER); /* not set any more: no harm */
}

static void test_many_timers_keep_their_order(void **state)
{
    (void)state;
    enum { COUNT = 500 };
    static struct poller_timer timers[COUNT];
    static char name[] = "x";
    uint32_t seed = 7;
    usec past = clock_now() - USEC_PER_SEC;
    order[0] = '\0';
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < COUNT; i++) {
            seed = seed * 1664525U + 1013904223U;
            if (round == 0)
                timers[i] = (struct poller_timer){.fire = note, .user = name};
            bool off = seed >> 30 == 0;
            poller_set_timer(poller, &timers[i],
                             off ? USEC_NEVER : past + USEC_PER_SEC * 3600 + (usec)(seed >> 8));
        }
    }
    for (int i = 0; i < COUNT; i++)
        poller_set_timer(poller, &timers[i], USEC_NEVER);
    poller_set_timer(poller, &timers[0], past);
    turn();
    while (strlen(order) == 0)
        turn();
    assert_string_equal(order, "x"); /* all others were taken out */
}

static struct poller_timer again;
static unsigned fired;

static void set_again(void *user)
{
    (void)user;
    if (++fired < 3)
        poller_set_timer(poller, &again, clock_now() + USEC_PER_MS);
}

static void test_a_timer_may_set_itself_again(void **state)
{
    (void)state;
    fired = 0;
    again = (struct poller_timer){.fire = set_again};
    poller_set_timer(poller, &again, clock_now());
    while (fired < 3)
        turn();
    assert_int_equal(again.place, 0);
}

static void test_patient_timers_give_way(void **state)
{
    (void)state;
    struct poller_timer timers[4];
    static char names[][2] = {"a", "b", "c", "d"};
    usec past = clock_now() - USEC_PER_SEC;
    order[0] = '\0';
    for (int i = 0; i < 4; i++) {
        timers[i] = (struct poller_timer){.fire = note, .user = names[i], .patient = i < 2};
        poller_set_timer(poller, &timers[i], past + i);
    }
    while (strlen(order) < 4)
        turn();
    assert_string_equal(order, "cdab");
}

static void count_and_set_again(void *user)
{
    unsigned *count = user;
    ++*count;
    poller_set_timer(poller, &again, clock_now() - USEC_PER_SEC);
}

static void remove_and_close(void *user)
{
    struct poller_watch *watch = user;
    poller_remove(poller, watch);
    close(watch->fd);
    watch->fd = -1;
}

static void test_patient_timers_that_never_end_leave_sockets_their_turn(void **state)
{
    (void)state;
    unsigned count = 0;
    struct poller_watch watch = {eventfd(1, EFD_NONBLOCK), EPOLLIN, remove_and_close, &watch};
    again = (struct poller_timer){.fire = count_and_set_again, .user = &count, .patient = true};
    poller_set_timer(poller, &again, clock_now());
    while (count == 0)
        turn();
    assert_true(poller_add(poller, &watch));
    while (watch.fd >= 0)
        turn();
    poller_set_timer(poller, &again, USEC_NEVER);
}

static struct poller_watch watches[2];
static unsigned woken;

static void remove_both(void *user)
{
    (void)user;
    woken++;
    poller_remove(poller, &watches[0]);
    poller_remove(poller, &watches[1]);
}

static void test_a_watch_removed_by_another_is_not_called(void **state)
{
    (void)state;
    woken = 0;
    for (int i = 0; i < 2; i++) {
        watches[i] = (struct poller_watch){eventfd(1, EFD_NONBLOCK), EPOLLIN, remove_both, NULL};
        assert_true(poller_add(poller, &watches[i]));
    }
    while (woken == 0)
        turn();
    struct poller_timer end = {.fire = set_again};
    fired = 3;
    poller_set_timer(poller, &end, clock_now() + 2 * USEC_PER_MS);
    while (fired == 3)
        turn();
    assert_int_equal(woken, 1);
    close(watches[0].fd);
    close(watches[1].fd);
}

static void count_ready(void *user)
{
    unsigned *count = user;
    ++*count;
}

/* As after a close() that the owner has not told the poller of. */
static void test_a_number_that_went_to_another_watch_is_not_taken_from_it(void **state)
{
    (void)state;
    unsigned counts[2] = {0, 0};
    int first = eventfd(0, EFD_NONBLOCK);
    struct poller_watch old = {first, EPOLLIN, count_ready, &counts[0]};
    assert_true(poller_add(poller, &old));
    close(first);
    int second = eventfd(1, EFD_NONBLOCK);
    assert_int_equal(second, first);
    struct poller_watch young = {second, EPOLLIN, count_ready, &counts[1]};
    assert_true(poller_add(poller, &young));
    poller_remove(poller, &old);
    while (counts[1] == 0)
        turn();
    assert_int_equal(counts[0], 0);
    poller_remove(poller, &young);
    close(second);
}

static gboolean on_fd(gint fd, GIOCondition condition, gpointer user)
{
    unsigned *count = user;
    (void)fd;
    (void)condition;
    ++*count;
    return G_SOURCE_REMOVE;
}

static GSource *watch_by_glib(int fd, GIOCondition condition, unsigned *count)
{
    GSource *source = g_unix_fd_source_new(fd, condition);
    g_source_set_callback(source, G_SOURCE_FUNC(on_fd), count, NULL);
    g_source_attach(source, context);
    g_source_unref(source);
    return source;
}

/* As a TCP connection that is being made. */
static void test_a_source_that_waits_to_write_is_woken(void **state)
{
    (void)state;
    unsigned count = 0;
    int ends[2];
    uint8_t byte = 0;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    while (send(ends[0], &byte, 1, MSG_NOSIGNAL) == 1) {
    }
    watch_by_glib(ends[0], G_IO_OUT, &count);
    turn_until_idle();
    assert_int_equal(count, 0);
    uint8_t all[65536];
    while (recv(ends[1], all, sizeof all, 0) > 0) {
    }
    while (count == 0)
        turn();
    close(ends[0]);
    close(ends[1]);
}

/* As GSocketClient does when the first address refuses and the second is tried. */
static void test_a_descriptor_that_takes_the_number_of_a_closed_one_is_watched(void **state)
{
    (void)state;
    unsigned counts[2] = {0, 0};
    int first = eventfd(0, EFD_NONBLOCK);
    GSource *source = watch_by_glib(first, G_IO_IN, &counts[0]);
    turn_until_idle();
    g_source_destroy(source);
    close(first);
    int second = eventfd(0, EFD_NONBLOCK);
    assert_int_equal(second, first);
    watch_by_glib(second, G_IO_IN, &counts[1]);
    turn_until_idle();
    assert_int_equal(eventfd_write(second, 1), 0);
    while (counts[1] == 0)
        turn();
    assert_int_equal(counts[0], 0);
    close(second);
}

static void test_any_number_of_descriptors_is_watched(void **state)
{
    (void)state;
    enum { MANY = 200 };
    unsigned count = 0;
    int fds[MANY];
    for (int i = 0; i < MANY; i++) {
        fds[i] = eventfd(0, EFD_NONBLOCK);
        watch_by_glib(fds[i], G_IO_IN, &count);
    }
    turn_until_idle();
    for (unsigned i = 0; i < MANY; i++) {
        assert_int_equal(eventfd_write(fds[i], 1), 0);
        while (count == i)
            turn();
    }
    for (int i = 0; i < MANY; i++)
        close(fds[i]);
}

static gboolean count_source(gpointer user)
{
    unsigned *count = user;
    return ++*count < 3;
}

static void test_sources_of_the_context_run(void **state)
{
    (void)state;
    unsigned idle = 0;
    unsigned timed = 0;
    GSource *sources[] = {g_idle_source_new(), g_timeout_source_new(2)};
    unsigned *counts[] = {&idle, &timed};
    for (int i = 0; i < 2; i++) {
        g_source_set_callback(sources[i], count_source, counts[i], NULL);
        g_source_attach(sources[i], context);
        g_source_unref(sources[i]);
    }
    while (idle < 3 || timed < 3)
        turn();
    assert_int_equal(idle, 3);
    assert_int_equal(timed, 3);
}

static gpointer attach_from_afar(gpointer user)
{
    GSource *source = g_idle_source_new();
    g_usleep(20000);
    g_source_set_callback(source, count_source, user, NULL);
    g_source_attach(source, context);
    g_source_unref(source);
    return NULL;
}

/* As GIO's worker threads do when a name is resolved. */
static void test_a_source_attached_by_another_thread_wakes_it(void **state)
{
    (void)state;
    unsigned count = 0;
    GThread *thread = g_thread_new("afar", attach_from_afar, &count);
    while (count < 3)
        turn();
    g_thread_join(thread);
}

int main(void)
{
#define TEST(name)                                                  \
    cmocka_unit_test_setup_teardown(name, set_up_turns, tear_down), \
        cmocka_unit_test_setup_teardown(name, set_up_source, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_timers_fire_in_their_order),
        TEST(test_many_timers_keep_their_order),
        TEST(test_a_timer_may_set_itself_again),
        TEST(test_patient_timers_give_way),
        TEST(test_patient_timers_that_never_end_leave_sockets_their_turn),
        TEST(test_a_watch_removed_by_another_is_not_called),
        TEST(test_a_number_that_went_to_another_watch_is_not_taken_from_it),
        TEST(test_a_source_that_waits_to_write_is_woken),
        TEST(test_a_descriptor_that_takes_the_number_of_a_closed_one_is_watched),
        TEST(test_any_number_of_descriptors_is_watched),
        TEST(test_sources_of_the_context_run),
        TEST(test_a_source_attached_by_another_thread_wakes_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
