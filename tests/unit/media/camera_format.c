/* Which form of a camera's is chosen. */
#include "media/camera_format.h"

#include <linux/videodev2.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const jingle_video_format HD = {1280, 720, 30};

static struct camera_format form(uint32_t fourcc, uint32_t width, uint32_t height, uint32_t rate)
{
    return (struct camera_format){fourcc, width, height, rate > 0 ? 1 : 0, rate};
}

static void assert_better(struct camera_format better, struct camera_format worse)
{
    assert_true(camera_format_cost(&better, &HD) < camera_format_cost(&worse, &HD));
}

static void test_what_needs_no_conversion_is_best(void **state)
{
    (void)state;
    assert_better(form(V4L2_PIX_FMT_NV12, 1280, 720, 30), form(V4L2_PIX_FMT_YUYV, 1280, 720, 30));
    assert_better(form(V4L2_PIX_FMT_YUYV, 1280, 720, 30), form(V4L2_PIX_FMT_BGR24, 1280, 720, 30));
}

static void test_jpeg_is_taken_where_raw_pictures_are_slow_or_small(void **state)
{
    (void)state;
    struct camera_format jpeg = form(V4L2_PIX_FMT_MJPEG, 1280, 720, 30);
    enum raw_pixels pixels;
    if (!camera_pixels(V4L2_PIX_FMT_MJPEG, &pixels)) {
        skip();
    }
    assert_better(form(V4L2_PIX_FMT_YUYV, 1280, 720, 30), jpeg);
    assert_better(jpeg, form(V4L2_PIX_FMT_YUYV, 1280, 720, 10));
    assert_better(jpeg, form(V4L2_PIX_FMT_YUYV, 640, 480, 30));
}

static void test_the_nearest_size_and_rate_are_best(void **state)
{
    (void)state;
    struct camera_format exact = form(V4L2_PIX_FMT_YUYV, 1280, 720, 30);
    assert_better(exact, form(V4L2_PIX_FMT_YUYV, 1920, 1080, 30));
    assert_better(exact, form(V4L2_PIX_FMT_YUYV, 1280, 720, 60));
    assert_better(exact, form(V4L2_PIX_FMT_YUYV, 1280, 720, 0));
    assert_better(form(V4L2_PIX_FMT_YUYV, 1920, 1080, 30), form(V4L2_PIX_FMT_YUYV, 640, 480, 30));
    assert_better(form(V4L2_PIX_FMT_YUYV, 960, 720, 30), form(V4L2_PIX_FMT_YUYV, 640, 480, 30));
    assert_better(form(V4L2_PIX_FMT_YUYV, 640, 480, 30), form(V4L2_PIX_FMT_YUYV, 4096, 3072, 1));
}

static void test_what_cannot_be_converted_is_never_chosen(void **state)
{
    (void)state;
    struct camera_format h264 = form(V4L2_PIX_FMT_H264, 1280, 720, 30);
    struct camera_format nothing = form(V4L2_PIX_FMT_NV12, 0, 720, 30);
    assert_true(camera_format_cost(&h264, &HD) == UINT32_MAX);
    assert_true(camera_format_cost(&nothing, &HD) == UINT32_MAX);
}

static void test_a_rate_is_rounded_and_never_absurd(void **state)
{
    (void)state;
    struct camera_format ntsc = {.interval_numerator = 1001, .interval_denominator = 30000};
    struct camera_format absurd = {.interval_numerator = 1, .interval_denominator = UINT32_MAX};
    struct camera_format untold = {0};
    assert_int_equal(camera_format_rate(&ntsc), 30);
    assert_int_equal(camera_format_rate(&absurd), 1000);
    assert_int_equal(camera_format_rate(&untold), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_needs_no_conversion_is_best),
        cmocka_unit_test(test_jpeg_is_taken_where_raw_pictures_are_slow_or_small),
        cmocka_unit_test(test_the_nearest_size_and_rate_are_best),
        cmocka_unit_test(test_what_cannot_be_converted_is_never_chosen),
        cmocka_unit_test(test_a_rate_is_rounded_and_never_absurd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
