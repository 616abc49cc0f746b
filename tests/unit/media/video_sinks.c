/* Video sinks that show nowhere or twice. */
#include "media/video_sink.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* A sink that counts what is done with it. */
struct witness {
    jingle_video_sink table;
    jingle_status start, write; /* its answers */
    int started, written, stopped, freed;
    const jingle_picture *seen;
};

static jingle_status witness_start(void *user)
{
    struct witness *w = user;
    w->started++;
    return w->start;
}

static jingle_status witness_write(void *user, const jingle_picture *picture)
{
    struct witness *w = user;
    w->written++;
    w->seen = picture;
    return w->write;
}

static void witness_stop(void *user)
{
    ((struct witness *)user)->stopped++;
}

static void witness_free(void *user)
{
    ((struct witness *)user)->freed++;
}

static jingle_video_sink *witness(struct witness *w)
{
    *w = (struct witness){.table = {.size = sizeof w->table,
                                    .user = w,
                                    .start = witness_start,
                                    .write = witness_write,
                                    .stop = witness_stop,
                                    .free = witness_free}};
    return &w->table;
}

static void test_the_null_sink_takes_every_picture(void **state)
{
    (void)state;
    jingle_status status = JINGLE_ERROR_INTERNAL;
    jingle_video_sink *sink = jingle_video_sink_null(&status);
    assert_non_null(sink);
    assert_int_equal(status, JINGLE_OK);
    assert_true(video_sink_valid(sink));
    jingle_picture picture = {.size = sizeof picture};
    assert_int_equal(sink->write(sink->user, &picture), JINGLE_OK);
    jingle_video_sink_free(sink);
    jingle_video_sink_free(NULL);
}

static void test_a_tee_hands_every_picture_to_both(void **state)
{
    (void)state;
    struct witness a;
    struct witness b;
    jingle_video_sink *tee = jingle_video_sink_tee(witness(&a), witness(&b), NULL);
    jingle_picture picture = {.size = sizeof picture};
    assert_int_equal(video_sink_start(tee), JINGLE_OK);
    assert_int_equal(tee->write(tee->user, &picture), JINGLE_OK);
    assert_ptr_equal(a.seen, &picture);
    assert_ptr_equal(b.seen, &picture);
    video_sink_stop(tee);
    assert_int_equal(a.stopped + b.stopped, 2);
    jingle_video_sink_free(tee);
    assert_int_equal(a.freed, 1);
    assert_int_equal(b.freed, 1);
}

static void test_trouble_with_one_sink_does_not_keep_the_picture_from_the_other(void **state)
{
    (void)state;
    struct witness a;
    struct witness b;
    jingle_video_sink *tee = jingle_video_sink_tee(witness(&a), witness(&b), NULL);
    jingle_picture picture = {.size = sizeof picture};
    a.write = JINGLE_ERROR_DISPLAY;
    b.write = JINGLE_ERROR_FILE;
    assert_int_equal(tee->write(tee->user, &picture), JINGLE_ERROR_DISPLAY);
    assert_int_equal(b.written, 1);
    a.write = JINGLE_OK;
    assert_int_equal(tee->write(tee->user, &picture), JINGLE_ERROR_FILE);
    assert_int_equal(a.written, 2);
    jingle_video_sink_free(tee);
}

static void test_a_tee_whose_second_sink_cannot_start_stops_the_first(void **state)
{
    (void)state;
    struct witness a;
    struct witness b;
    jingle_video_sink *tee = jingle_video_sink_tee(witness(&a), witness(&b), NULL);
    b.start = JINGLE_ERROR_DISPLAY;
    assert_int_equal(video_sink_start(tee), JINGLE_ERROR_DISPLAY);
    assert_int_equal(a.started, 1);
    assert_int_equal(a.stopped, 1);
    assert_int_equal(b.stopped, 0);
    jingle_video_sink_free(tee);
}

static void test_a_tee_without_a_sink_is_refused_and_frees_the_other(void **state)
{
    (void)state;
    struct witness a;
    jingle_status status = JINGLE_OK;
    assert_null(jingle_video_sink_tee(witness(&a), NULL, &status));
    assert_int_equal(status, JINGLE_ERROR_INVALID);
    assert_int_equal(a.freed, 1);
    struct witness b;
    witness(&b)->write = NULL;
    assert_null(jingle_video_sink_tee(witness(&a), &b.table, NULL));
    assert_int_equal(a.freed, 1);
    assert_int_equal(b.freed, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_null_sink_takes_every_picture),
        cmocka_unit_test(test_a_tee_hands_every_picture_to_both),
        cmocka_unit_test(test_trouble_with_one_sink_does_not_keep_the_picture_from_the_other),
        cmocka_unit_test(test_a_tee_whose_second_sink_cannot_start_stops_the_first),
        cmocka_unit_test(test_a_tee_without_a_sink_is_refused_and_frees_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
