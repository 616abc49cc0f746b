/* The test picture: its sizes and pace, and that its code is read back after scaling and noise. */
#include "base/clock.h"
#include "media/video_scale.h"
#include "media/video_source.h"
#include "support/picture_clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static jingle_video_source *started(uint32_t width, uint32_t height, uint32_t rate,
                                    jingle_video_format *format)
{
    jingle_status status = JINGLE_ERROR_INTERNAL;
    jingle_video_source *source = jingle_video_source_test(width, height, rate, &status);
    assert_int_equal(status, JINGLE_OK);
    assert_true(video_source_valid(source));
    assert_int_equal(source->start(source->user, format), JINGLE_OK);
    return source;
}

static jingle_picture next(jingle_video_source *source)
{
    jingle_picture picture = {.size = sizeof picture};
    assert_int_equal(source->read(source->user, &picture, 10 * USEC_PER_SEC), 1);
    picture.size = sizeof picture;
    assert_true(picture_valid(&picture));
    return picture;
}

static void test_size_and_rate_are_those_asked_for(void **state)
{
    (void)state;
    jingle_video_format format = {1280, 720, 30};
    jingle_video_source *source = started(322, 181, 50, &format);
    assert_int_equal(format.width, 322);
    assert_int_equal(format.height, 181);
    assert_int_equal(format.frame_rate, 50);
    jingle_picture picture = next(source);
    assert_int_equal(picture.width, 322);
    assert_int_equal(picture.height, 181);
    jingle_video_source_free(source);
}

static void test_what_is_left_open_is_what_the_engine_likes(void **state)
{
    (void)state;
    jingle_video_format format = {640, 360, 15};
    jingle_video_source *source = started(0, 0, 0, &format);
    assert_int_equal(format.width, 640);
    assert_int_equal(format.frame_rate, 15);
    jingle_video_source_free(source);
}

static void test_absurd_sizes_and_rates_are_refused(void **state)
{
    (void)state;
    jingle_status status = JINGLE_OK;
    assert_null(jingle_video_source_test(16, 16, 30, &status));
    assert_int_equal(status, JINGLE_ERROR_INVALID);
    assert_null(jingle_video_source_test(4097, 720, 30, &status));
    assert_null(jingle_video_source_test(1280, 720, 1000, NULL));
}

static void test_numbers_and_times_go_on_at_the_rate(void **state)
{
    (void)state;
    jingle_video_format format = {320, 180, 100};
    jingle_video_source *source = started(0, 0, 0, &format);
    struct picture_clock first;
    jingle_picture picture = next(source);
    int64_t begin = picture.time;
    assert_true(picture_clock_read(&picture, &first));
    for (int i = 1; i <= 5; i++) {
        struct picture_clock clock;
        picture = next(source);
        assert_true(picture_clock_read(&picture, &clock));
        assert_int_equal(clock.number, first.number + i);
        assert_int_equal(clock.time, (uint32_t)(picture.time / 1000));
        /* frames on the grid of the rate; some may be left out on a slow machine */
        assert_int_equal((picture.time - begin) % 10000, 0);
        assert_true(picture.time - begin >= i * 10000);
        assert_true(clock_now() >= picture.time);
        assert_true(picture_clock_age(&clock, picture.time) == 0);
    }
    jingle_video_source_free(source);
}

static void test_nothing_comes_before_its_time(void **state)
{
    (void)state;
    jingle_video_format format = {320, 180, 1};
    jingle_video_source *source = started(0, 0, 0, &format);
    jingle_picture picture = next(source);
    int64_t first = picture.time;
    jingle_picture none = {0};
    if (source->read(source->user, &none, 0) == 1) { /* this machine slept for a second */
        assert_true(clock_now() >= first + USEC_PER_SEC);
    } else {
        assert_null(none.planes[0]);
    }
    jingle_video_source_free(source);
}

static void test_the_code_is_read_at_any_size(void **state)
{
    (void)state;
    static const struct picture_size sizes[] = {{1280, 720}, {960, 540}, {640, 360},  {426, 240},
                                                {320, 180},  {160, 90},  {1920, 1080}};
    jingle_video_format format = {1280, 720, 120};
    jingle_video_source *source = started(0, 0, 0, &format);
    struct picture_buffer out = {0};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        jingle_picture picture = next(source);
        assert_int_equal(picture_scale(&picture, &out, sizes[i].width, sizes[i].height), JINGLE_OK);
        jingle_picture scaled = picture_buffer_view(&out, 0);
        struct picture_clock clock;
        assert_true(picture_clock_read(&scaled, &clock));
        assert_int_equal(clock.time, (uint32_t)(picture.time / 1000));
    }
    picture_buffer_clear(&out);
    jingle_video_source_free(source);
}

static void test_other_pictures_have_no_code(void **state)
{
    (void)state;
    struct picture_buffer other = {0};
    picture_buffer_resize(&other, 320, 180);
    struct picture_clock clock;
    for (int level = 0; level < 256; level++) {
        memset(other.planes[0], level, other.strides[0] * other.height);
        jingle_picture view = picture_buffer_view(&other, 0);
        assert_false(picture_clock_read(&view, &clock));
    }
    jingle_video_format format = {320, 180, 30};
    jingle_video_source *source = started(0, 0, 0, &format);
    jingle_picture picture = next(source);
    picture_mirror(&picture, &other);
    jingle_picture view = picture_buffer_view(&other, 0);
    assert_false(picture_clock_read(&view, &clock));
    picture_buffer_clear(&other);
    jingle_video_source_free(source);
}

static void test_pictures_of_every_shape_stay_within_their_planes(void **state)
{
    (void)state;
    static const struct picture_size sizes[] = {
        {64, 64}, {65, 67}, {4096, 64}, {64, 4096}, {101, 99}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        jingle_video_format format = {0};
        jingle_video_source *source = started(sizes[i].width, sizes[i].height, 120, &format);
        for (int frame = 0; frame < 3; frame++) {
            jingle_picture picture = next(source);
            struct picture_clock clock;
            assert_true(picture_clock_read(&picture, &clock));
        }
        jingle_video_source_free(source);
    }
}

static void test_it_starts_again_after_a_stop(void **state)
{
    (void)state;
    jingle_video_format format = {320, 180, 30};
    jingle_video_source *source = started(0, 0, 0, &format);
    next(source);
    if (source->stop) {
        source->stop(source->user);
    }
    jingle_video_format other = {640, 360, 30};
    assert_int_equal(source->start(source->user, &other), JINGLE_OK);
    assert_int_equal(next(source).width, 640);
    jingle_video_source_free(source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_size_and_rate_are_those_asked_for),
        cmocka_unit_test(test_what_is_left_open_is_what_the_engine_likes),
        cmocka_unit_test(test_absurd_sizes_and_rates_are_refused),
        cmocka_unit_test(test_numbers_and_times_go_on_at_the_rate),
        cmocka_unit_test(test_nothing_comes_before_its_time),
        cmocka_unit_test(test_the_code_is_read_at_any_size),
        cmocka_unit_test(test_other_pictures_have_no_code),
        cmocka_unit_test(test_pictures_of_every_shape_stay_within_their_planes),
        cmocka_unit_test(test_it_starts_again_after_a_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
