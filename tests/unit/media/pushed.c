/* Pictures that an application pushes: the newest wins, each is released exactly once. */
#include "media/video_scale.h"
#include "media/video_source.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SIDE = 16, PUSHERS = 3, PUSHES = 2000 };

static uint8_t grey[SIDE * SIDE];

static void count_release(void *owner)
{
    atomic_fetch_add((atomic_int *)owner, 1);
}

/* `owner` NULL: to be copied. */
static jingle_picture picture_of(const uint8_t *plane, atomic_int *owner)
{
    return (jingle_picture){.size = sizeof(jingle_picture),
                            .width = SIDE,
                            .height = SIDE,
                            .planes = {plane, grey, grey},
                            .strides = {SIDE, SIDE, SIDE},
                            .release = owner ? count_release : NULL,
                            .owner = owner};
}

static long read_now(jingle_video_source *source, jingle_picture *picture)
{
    return source->read(source->user, picture, 0);
}

static void test_a_picture_with_release_goes_through_in_place(void **state)
{
    (void)state;
    jingle_video_source *source = jingle_video_source_pushed(true, NULL);
    assert_true(source->is_screen);
    atomic_int released = 0;
    jingle_picture in = picture_of(grey, &released), out;
    assert_int_equal(jingle_video_source_push(source, &in), JINGLE_OK);
    assert_int_equal(read_now(source, &out), 1);
    assert_ptr_equal(out.planes[0], grey);
    assert_true(out.time > 0);
    assert_int_equal(released, 0);
    picture_release(&out);
    assert_int_equal(read_now(source, &out), 0);
    jingle_video_source_free(source);
    assert_int_equal(released, 1);
}

static void test_the_newest_wins_and_older_ones_are_released(void **state)
{
    (void)state;
    jingle_video_source *source = jingle_video_source_pushed(false, NULL);
    atomic_int released[3] = {0};
    jingle_picture in, out;
    for (int i = 0; i < 3; i++) {
        in = picture_of(grey, &released[i]);
        in.time = i + 1;
        assert_int_equal(jingle_video_source_push(source, &in), JINGLE_OK);
    }
    assert_int_equal(read_now(source, &out), 1);
    assert_int_equal(out.time, 3);
    assert_int_equal(released[0], 1);
    assert_int_equal(released[1], 1);
    assert_int_equal(released[2], 0);
    picture_release(&out);
    jingle_video_source_free(source);
    assert_int_equal(released[2], 1);
}

static void test_what_nobody_read_is_released_with_the_source(void **state)
{
    (void)state;
    jingle_video_source *source = jingle_video_source_pushed(false, NULL);
    atomic_int released = 0;
    jingle_picture in = picture_of(grey, &released);
    assert_int_equal(jingle_video_source_push(source, &in), JINGLE_OK);
    assert_int_equal(released, 0);
    jingle_video_source_free(source);
    assert_int_equal(released, 1);
}

static void test_a_copy_is_not_overwritten_while_it_is_read(void **state)
{
    (void)state;
    jingle_video_source *source = jingle_video_source_pushed(false, NULL);
    uint8_t plane[SIDE * SIDE];
    jingle_picture in = picture_of(plane, NULL), out;
    memset(plane, 1, sizeof plane);
    assert_int_equal(jingle_video_source_push(source, &in), JINGLE_OK);
    assert_int_equal(read_now(source, &out), 1);
    for (int i = 2; i < 10; i++) {
        memset(plane, i, sizeof plane);
        assert_int_equal(jingle_video_source_push(source, &in), JINGLE_OK);
        assert_int_equal(out.planes[0][0], 1);
    }
    assert_null(out.release);
    assert_int_equal(read_now(source, &out), 1);
    assert_int_equal(out.planes[0][0], 9);
    source->stop(source->user);
    jingle_video_source_free(source);
}

static void test_copies_and_pictures_in_place_may_follow_each_other(void **state)
{
    (void)state;
    jingle_video_source *source = jingle_video_source_pushed(false, NULL);
    atomic_int released = 0;
    jingle_picture copied = picture_of(grey, NULL), in_place = picture_of(grey, &released), out;
    for (int i = 0; i < 8; i++) {
        assert_int_equal(jingle_video_source_push(source, &copied), JINGLE_OK);
        assert_int_equal(jingle_video_source_push(source, &in_place), JINGLE_OK);
        assert_int_equal(jingle_video_source_push(source, &copied), JINGLE_OK);
        assert_int_equal(released, i + 1);
        if (i % 2 == 0) {
            assert_int_equal(read_now(source, &out), 1);
            assert_null(out.release);
        }
    }
    jingle_video_source_free(source);
}

static void test_malformed_pictures_and_other_sources_are_refused(void **state)
{
    (void)state;
    jingle_video_source *source = jingle_video_source_pushed(false, NULL);
    jingle_video_source *test = jingle_video_source_test(0, 0, 0, NULL);
    atomic_int released = 0;
    jingle_picture in = picture_of(grey, &released);
    assert_int_equal(jingle_video_source_push(NULL, &in), JINGLE_ERROR_INVALID);
    assert_int_equal(jingle_video_source_push(source, NULL), JINGLE_ERROR_INVALID);
    assert_int_equal(jingle_video_source_push(test, &in), JINGLE_ERROR_INVALID);
    in.strides[0] = SIDE - 1;
    assert_int_equal(jingle_video_source_push(source, &in), JINGLE_ERROR_INVALID);
    assert_int_equal(released, 0);
    jingle_video_source_free(test);
    jingle_video_source_free(source);
}

static void *push_one(void *user)
{
    jingle_picture in = picture_of(grey, NULL);
    assert_int_equal(jingle_video_source_push(user, &in), JINGLE_OK);
    return NULL;
}

static void test_a_push_wakes_the_reader(void **state)
{
    (void)state;
    jingle_video_source *source = jingle_video_source_pushed(false, NULL);
    pthread_t pusher;
    assert_int_equal(pthread_create(&pusher, NULL, push_one, source), 0);
    jingle_picture out;
    assert_int_equal(source->read(source->user, &out, 60 * USEC_PER_SEC), 1);
    pthread_join(pusher, NULL);
    jingle_video_source_free(source);
}

struct pusher {
    pthread_t thread;
    jingle_video_source *source;
    atomic_int released[PUSHES];
};

static void *push_many(void *user)
{
    struct pusher *p = user;
    for (int i = 0; i < PUSHES; i++) {
        jingle_picture in = picture_of(grey, i % 3 == 0 ? NULL : &p->released[i]);
        if (jingle_video_source_push(p->source, &in) != JINGLE_OK) {
            abort();
        }
    }
    return NULL;
}

static void test_each_is_released_once_whoever_is_first(void **state)
{
    (void)state;
    jingle_video_source *source = jingle_video_source_pushed(false, NULL);
    static struct pusher pushers[PUSHERS];
    for (int i = 0; i < PUSHERS; i++) {
        pushers[i].source = source;
        assert_int_equal(pthread_create(&pushers[i].thread, NULL, push_many, &pushers[i]), 0);
    }
    unsigned read = 0;
    jingle_picture out;
    while (read < 100 && source->read(source->user, &out, USEC_PER_SEC) == 1) {
        assert_int_equal(out.planes[0][0], 0);
        picture_release(&out);
        read++;
    }
    assert_true(read > 0);
    for (int i = 0; i < PUSHERS; i++) {
        pthread_join(pushers[i].thread, NULL);
    }
    jingle_video_source_free(source);
    for (int i = 0; i < PUSHERS * PUSHES; i++) {
        int number = i % PUSHES;
        assert_int_equal(pushers[i / PUSHES].released[number], number % 3 == 0 ? 0 : 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_picture_with_release_goes_through_in_place),
        cmocka_unit_test(test_the_newest_wins_and_older_ones_are_released),
        cmocka_unit_test(test_what_nobody_read_is_released_with_the_source),
        cmocka_unit_test(test_a_copy_is_not_overwritten_while_it_is_read),
        cmocka_unit_test(test_copies_and_pictures_in_place_may_follow_each_other),
        cmocka_unit_test(test_malformed_pictures_and_other_sources_are_refused),
        cmocka_unit_test(test_a_push_wakes_the_reader),
        cmocka_unit_test(test_each_is_released_once_whoever_is_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
