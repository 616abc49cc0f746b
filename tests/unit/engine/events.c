/* engine/events.h: the queue between the engine and the application. */
#include "events.h"
#include "session.h"

#include "base/clock.h"

#include <glib.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define SOFT_LIMIT 4096
#define HARD_LIMIT 65536

static void push(struct events *events, jingle_event_type type)
{
    jingle_event event = {.type = type};
    events_push(events, &event);
}

static void push_duration(struct events *events, jingle_session *session, int64_t duration)
{
    jingle_event event = {
        .type = JINGLE_EVENT_STATISTICS,
        .session = session,
        .u.statistics = {.duration = duration, .codec = "opus/48000/2"},
    };
    events_push(events, &event);
}

static bool is_readable(struct events *events)
{
    struct pollfd fd = {.fd = events_fd(events), .events = POLLIN};
    return poll(&fd, 1, 0) == 1;
}

static unsigned drain(struct events *events)
{
    unsigned count = 0;
    while (events_next(events)) {
        count++;
    }
    return count;
}

static void test_events_come_in_the_order_in_which_they_were_pushed(void **state)
{
    (void)state;
    struct events *events = events_new();
    push(events, JINGLE_EVENT_ONLINE);
    push(events, JINGLE_EVENT_RINGING);
    push(events, JINGLE_EVENT_ENDED);
    assert_int_equal(events_next(events)->type, JINGLE_EVENT_ONLINE);
    assert_int_equal(events_next(events)->type, JINGLE_EVENT_RINGING);
    assert_int_equal(events_next(events)->type, JINGLE_EVENT_ENDED);
    assert_null(events_next(events));
    events_free(events);
}

static void test_the_descriptor_is_readable_while_there_are_events(void **state)
{
    (void)state;
    struct events *events = events_new();
    assert_false(is_readable(events));
    push(events, JINGLE_EVENT_ONLINE);
    push(events, JINGLE_EVENT_ONLINE);
    assert_true(is_readable(events));
    assert_non_null(events_next(events));
    assert_true(is_readable(events));
    assert_non_null(events_next(events));
    assert_false(is_readable(events));
    push(events, JINGLE_EVENT_ONLINE);
    assert_true(is_readable(events));
    events_free(events);
}

static void test_an_event_owns_its_text_and_has_a_time(void **state)
{
    (void)state;
    struct events *events = events_new();
    char text[] = "hello";
    char from[] = "juliet@example.test";
    jingle_event event = {.type = JINGLE_EVENT_INCOMING, .text = text, .u.incoming.from = from};
    events_push(events, &event);
    memset(text, 'x', sizeof text - 1);
    memset(from, 'x', sizeof from - 1);
    const jingle_event *got = events_next(events);
    assert_string_equal(got->text, "hello");
    assert_string_equal(got->u.incoming.from, "juliet@example.test");
    assert_true(got->time > 0);
    events_free(events);
}

static void test_text_that_is_missing_reads_as_empty(void **state)
{
    (void)state;
    struct events *events = events_new();
    push(events, JINGLE_EVENT_CHECK);
    push(events, JINGLE_EVENT_STATISTICS);
    const jingle_event *got = events_next(events);
    assert_string_equal(got->text, "");
    assert_string_equal(got->u.check.subject, "");
    assert_string_equal(got->u.check.remedy, "");
    assert_string_equal(events_next(events)->u.statistics.candidate_remote, "");
    events_free(events);
}

static void test_a_stanza_is_kept_by_its_length(void **state)
{
    (void)state;
    struct events *events = events_new();
    jingle_event event = {.type = JINGLE_EVENT_STANZA, .u.stanza = {"<a/><b/>", 4}};
    events_push(events, &event);
    const jingle_event *got = events_next(events);
    assert_int_equal(got->u.stanza.bytes, 4);
    assert_string_equal(got->u.stanza.xml, "<a/>");
    events_free(events);
}

static void test_unread_statistics_give_way_to_newer_ones_of_the_same_session(void **state)
{
    (void)state;
    struct events *events = events_new();
    jingle_session *one = jingle_session_new(NULL, "a@x", "1", STAGE_ANSWERED);
    jingle_session *two = jingle_session_new(NULL, "b@x", "2", STAGE_ANSWERED);
    push_duration(events, one, 1);
    push_duration(events, two, 10);
    push(events, JINGLE_EVENT_HOLD);
    push_duration(events, one, 2);
    push_duration(events, one, 3);
    const jingle_event *got = events_next(events);
    assert_ptr_equal(got->session, two);
    assert_int_equal(got->u.statistics.duration, 10);
    assert_int_equal(events_next(events)->type, JINGLE_EVENT_HOLD);
    got = events_next(events);
    assert_ptr_equal(got->session, one);
    assert_int_equal(got->u.statistics.duration, 3);
    assert_null(events_next(events));
    events_free(events);
    jingle_session_unref(one);
    jingle_session_unref(two);
}

static void test_the_only_event_can_be_replaced(void **state)
{
    (void)state;
    struct events *events = events_new();
    jingle_session *session = jingle_session_new(NULL, "a@x", "1", STAGE_ANSWERED);
    push_duration(events, session, 1);
    push_duration(events, session, 2);
    assert_true(is_readable(events));
    assert_int_equal(events_next(events)->u.statistics.duration, 2);
    assert_null(events_next(events));
    assert_false(is_readable(events));
    push(events, JINGLE_EVENT_ONLINE);
    assert_int_equal(events_next(events)->type, JINGLE_EVENT_ONLINE);
    events_free(events);
    jingle_session_unref(session);
}

static void test_an_event_holds_its_session_until_it_is_freed(void **state)
{
    (void)state;
    struct events *events = events_new();
    jingle_session *session = jingle_session_new(NULL, "a@x", "7", STAGE_ANSWERED);
    push_duration(events, session, 1);
    push(events, JINGLE_EVENT_ONLINE);
    push_duration(events, session, 2);
    jingle_session_unref(session);
    assert_int_equal(events_next(events)->type, JINGLE_EVENT_ONLINE);
    events_free(events); /* with an event that was never read: no leak */
}

static void test_a_full_queue_loses_what_can_be_missed(void **state)
{
    (void)state;
    struct events *events = events_new();
    for (unsigned i = 0; i < SOFT_LIMIT + 10; i++) {
        push(events, JINGLE_EVENT_DIGIT);
    }
    assert_true(events_are_full(events));
    push(events, JINGLE_EVENT_ENDED);
    assert_int_equal(drain(events), SOFT_LIMIT + 1);
    assert_false(events_are_full(events));
    push(events, JINGLE_EVENT_DIGIT);
    assert_int_equal(drain(events), 1);
    events_free(events);
}

static void test_a_queue_that_nobody_reads_keeps_only_ends(void **state)
{
    (void)state;
    struct events *events = events_new();
    for (unsigned i = 0; i < HARD_LIMIT + 10; i++) {
        push(events, JINGLE_EVENT_STANZA);
    }
    push(events, JINGLE_EVENT_ENDED);
    assert_int_equal(drain(events), HARD_LIMIT + 1);
    events_free(events);
}

static void count_wake(void *user)
{
    ++*(unsigned *)user;
}

static void test_the_wake_up_comes_once_until_all_is_read(void **state)
{
    (void)state;
    struct events *events = events_new();
    unsigned woken = 0;
    events_set_wakeup(events, count_wake, &woken);
    assert_int_equal(woken, 0);
    push(events, JINGLE_EVENT_ONLINE);
    push(events, JINGLE_EVENT_ONLINE);
    assert_int_equal(woken, 1);
    assert_int_equal(drain(events), 2);
    push(events, JINGLE_EVENT_ONLINE);
    assert_int_equal(woken, 2);
    events_free(events);
}

static void test_a_wake_up_that_is_set_late_comes_at_once(void **state)
{
    (void)state;
    struct events *events = events_new();
    unsigned woken = 0;
    push(events, JINGLE_EVENT_ONLINE);
    events_set_wakeup(events, count_wake, &woken);
    assert_int_equal(woken, 1);
    events_set_wakeup(events, NULL, NULL);
    drain(events);
    push(events, JINGLE_EVENT_ONLINE);
    assert_int_equal(woken, 1);
    events_free(events);
}

static void *push_from_elsewhere(void *user)
{
    push(user, JINGLE_EVENT_ONLINE);
    return NULL;
}

static void test_waiting_ends_with_the_first_event_of_another_thread(void **state)
{
    (void)state;
    struct events *events = events_new();
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, push_from_elsewhere, events), 0);
    assert_int_equal(events_wait(events, -1)->type, JINGLE_EVENT_ONLINE);
    pthread_join(thread, NULL);
    events_free(events);
}

static void test_waiting_ends_after_its_time(void **state)
{
    (void)state;
    struct events *events = events_new();
    usec before = clock_now();
    assert_null(events_wait(events, 5 * USEC_PER_MS));
    assert_true(clock_now() - before >= 5 * USEC_PER_MS);
    assert_null(events_wait(events, 0));
    events_free(events);
}

#define PUSHERS 4
#define PUSHES  500

static void *push_many(void *user)
{
    for (unsigned i = 0; i < PUSHES; i++) {
        push(user, JINGLE_EVENT_ENDED);
    }
    return NULL;
}

static void test_nothing_is_lost_between_several_threads(void **state)
{
    (void)state;
    struct events *events = events_new();
    pthread_t threads[PUSHERS];
    unsigned woken = 0;
    for (unsigned i = 0; i < PUSHERS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, push_many, events), 0);
    }
    for (unsigned got = 0; got < PUSHERS * PUSHES; got++) {
        assert_non_null(events_wait(events, 30 * USEC_PER_SEC));
        events_set_wakeup(events, got % 2 ? count_wake : NULL, &woken);
    }
    assert_null(events_next(events));
    for (unsigned i = 0; i < PUSHERS; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_false(is_readable(events));
    events_free(events);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events_come_in_the_order_in_which_they_were_pushed),
        cmocka_unit_test(test_the_descriptor_is_readable_while_there_are_events),
        cmocka_unit_test(test_an_event_owns_its_text_and_has_a_time),
        cmocka_unit_test(test_text_that_is_missing_reads_as_empty),
        cmocka_unit_test(test_a_stanza_is_kept_by_its_length),
        cmocka_unit_test(test_unread_statistics_give_way_to_newer_ones_of_the_same_session),
        cmocka_unit_test(test_the_only_event_can_be_replaced),
        cmocka_unit_test(test_an_event_holds_its_session_until_it_is_freed),
        cmocka_unit_test(test_a_full_queue_loses_what_can_be_missed),
        cmocka_unit_test(test_a_queue_that_nobody_reads_keeps_only_ends),
        cmocka_unit_test(test_the_wake_up_comes_once_until_all_is_read),
        cmocka_unit_test(test_a_wake_up_that_is_set_late_comes_at_once),
        cmocka_unit_test(test_waiting_ends_with_the_first_event_of_another_thread),
        cmocka_unit_test(test_waiting_ends_after_its_time),
        cmocka_unit_test(test_nothing_is_lost_between_several_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
