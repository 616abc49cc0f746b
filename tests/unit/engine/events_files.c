/* engine/events.h: what is special about the events of files. */
#include "events.h"
#include "transfer.h"

#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define HARD_LIMIT 65536

static jingle_transfer *some_transfer(void)
{
    struct file_description file = {.name = (char *)"a.txt", .has_size = true, .size = 10};
    return jingle_transfer_new(NULL, "juliet@example.test", &file, true, TRANSFER_STAGE_ENDED);
}

static void push(struct events *events, jingle_event_type type, jingle_transfer *transfer,
                 uint64_t done)
{
    jingle_event event = {.type = type, .transfer = transfer, .u.transfer.bytes_done = done};
    if (type == JINGLE_EVENT_TRANSFER_ENDED) {
        event.u.transfer_ended.path = "/tmp/a.txt";
        event.u.transfer_ended.url = NULL;
    }
    events_push(events, &event);
}

static void test_an_offer_owns_its_text(void **state)
{
    (void)state;
    struct events *events = events_new();
    char name[] = "photo.png";
    jingle_event event = {.type = JINGLE_EVENT_FILE_OFFERED,
                          .u.file = {.from = name, .name = name, .media_type = name, .bytes = 7}};
    events_push(events, &event);
    memset(name, 'x', sizeof name - 1);
    const jingle_event *got = events_next(events);
    assert_string_equal(got->u.file.from, "photo.png");
    assert_string_equal(got->u.file.name, "photo.png");
    assert_string_equal(got->u.file.media_type, "photo.png");
    assert_string_equal(got->u.file.description, "");
    assert_int_equal(got->u.file.bytes, 7);
    events_free(events);
}

static void test_a_link_owns_its_text(void **state)
{
    (void)state;
    struct events *events = events_new();
    char text[] = "https://example.org/a";
    jingle_event event = {.type = JINGLE_EVENT_LINK,
                          .u.link = {.from = text, .name = text, .url = text, .when = 7}};
    events_push(events, &event);
    memset(text, 'x', sizeof text - 1);
    const jingle_event *got = events_next(events);
    assert_string_equal(got->u.link.from, "https://example.org/a");
    assert_string_equal(got->u.link.name, "https://example.org/a");
    assert_string_equal(got->u.link.url, "https://example.org/a");
    assert_string_equal(got->u.link.description, "");
    assert_int_equal(got->u.link.when, 7);
    events_free(events);
}

/* Whoever sends links without end takes no room from files. */
static void test_links_that_nobody_reads_are_lost_before_offers(void **state)
{
    (void)state;
    struct events *events = events_new();
    for (unsigned i = 0; i < HARD_LIMIT / 8; i++) {
        push(events, JINGLE_EVENT_LINK, NULL, 0);
    }
    push(events, JINGLE_EVENT_FILE_OFFERED, NULL, 0);
    unsigned links = 0;
    jingle_event_type last = JINGLE_EVENT_NONE;
    for (const jingle_event *event; (event = events_next(events));) {
        links += event->type == JINGLE_EVENT_LINK;
        last = event->type;
    }
    assert_true(links < HARD_LIMIT / 8);
    assert_int_equal(last, JINGLE_EVENT_FILE_OFFERED);
    events_free(events);
}

static void test_unread_progress_gives_way_to_newer_one_of_the_same_transfer(void **state)
{
    (void)state;
    struct events *events = events_new();
    jingle_transfer *one = some_transfer();
    jingle_transfer *other = some_transfer();
    push(events, JINGLE_EVENT_TRANSFER_STARTED, one, 0);
    push(events, JINGLE_EVENT_TRANSFER_PROGRESS, one, 1);
    push(events, JINGLE_EVENT_TRANSFER_PROGRESS, other, 2);
    push(events, JINGLE_EVENT_TRANSFER_PROGRESS, one, 3);
    assert_int_equal(events_next(events)->type, JINGLE_EVENT_TRANSFER_STARTED);
    assert_int_equal(events_next(events)->u.transfer.bytes_done, 2);
    const jingle_event *last = events_next(events);
    assert_int_equal(last->u.transfer.bytes_done, 3);
    assert_ptr_equal(last->transfer, one);
    assert_null(events_next(events));
    jingle_transfer_unref(one);
    jingle_transfer_unref(other);
    events_free(events);
}

static void test_an_event_holds_its_transfer(void **state)
{
    (void)state;
    struct events *events = events_new();
    jingle_transfer *transfer = some_transfer();
    push(events, JINGLE_EVENT_TRANSFER_PROGRESS, transfer, 1);
    push(events, JINGLE_EVENT_TRANSFER_ENDED, transfer, 0);
    jingle_transfer_unref(transfer);
    assert_string_equal(jingle_transfer_name(events_next(events)->transfer), "a.txt");
    const jingle_event *ended = events_next(events);
    assert_string_equal(ended->u.transfer_ended.path, "/tmp/a.txt");
    assert_string_equal(ended->u.transfer_ended.url, "");
    events_free(events);
}

static void test_the_end_of_a_transfer_is_never_lost(void **state)
{
    (void)state;
    struct events *events = events_new();
    jingle_transfer *transfer = some_transfer();
    for (unsigned i = 0; i < HARD_LIMIT; i++) {
        push(events, JINGLE_EVENT_FILE_OFFERED, NULL, 0);
    }
    push(events, JINGLE_EVENT_FILE_OFFERED, NULL, 0);
    push(events, JINGLE_EVENT_TRANSFER_PROGRESS, transfer, 1);
    push(events, JINGLE_EVENT_TRANSFER_ENDED, transfer, 0);
    unsigned count = 0;
    jingle_event_type last = JINGLE_EVENT_NONE;
    for (const jingle_event *event; (event = events_next(events)); count++) {
        last = event->type;
    }
    assert_int_equal(count, HARD_LIMIT + 1);
    assert_int_equal(last, JINGLE_EVENT_TRANSFER_ENDED);
    jingle_transfer_unref(transfer);
    events_free(events);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_offer_owns_its_text),
        cmocka_unit_test(test_a_link_owns_its_text),
        cmocka_unit_test(test_links_that_nobody_reads_are_lost_before_offers),
        cmocka_unit_test(test_unread_progress_gives_way_to_newer_one_of_the_same_transfer),
        cmocka_unit_test(test_an_event_holds_its_transfer),
        cmocka_unit_test(test_the_end_of_a_transfer_is_never_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
