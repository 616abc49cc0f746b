/* A camera played by a table of system calls: formats, frames, and the ways to lose it. */
#include "media/camera.h"

#include "media/video_scale.h"
#include "media/video_source.h"

#include <errno.h>
#include <limits.h>
#include <linux/videodev2.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

enum { FD = 1000, BUFFERS = 4, CARDS = 3, PADDING = 24 };

/* What the fake is like, and what became of it. */
static struct fake {
    /* as the test sets it */
    uint32_t fourcc[3];
    bool no_sizes; /* drivers may tell none */
    int open_error, set_error, stream_error, dequeue_error;
    bool short_frames;
    uint32_t bad_frames; /* marked as broken by the driver */
    const uint8_t *jpeg;
    uint32_t jpeg_bytes;
    /* state */
    int open_count, mapped;
    bool streaming;
    struct v4l2_pix_format format;
    struct v4l2_fract interval;
    uint8_t *memory[BUFFERS];
    bool queued[BUFFERS];
    unsigned full[BUFFERS]; /* indexes, oldest first */
    unsigned full_count;
    unsigned frames;
} fake;

static const char *const cards[CARDS] = {NULL, "Metadata", "HD Webcam: B\xc3\xbcro"};

static int failed(int error)
{
    errno = error;
    return -1;
}

static int fake_open(const char *path)
{
    if (fake.open_error) {
        return failed(fake.open_error);
    }
    for (int i = 0; i < CARDS; i++) {
        char known[32];
        snprintf(known, sizeof known, "/dev/video%d", i);
        if (cards[i] && strcmp(known, path) == 0) {
            fake.open_count++;
            return FD + i;
        }
    }
    return failed(ENOENT);
}

static int fake_close(int fd)
{
    assert_in_range(fd, FD, FD + CARDS);
    fake.open_count--;
    fake.streaming = false;
    return 0;
}

static int query(unsigned index, struct v4l2_capability *c)
{
    snprintf((char *)c->card, sizeof c->card, "%s", cards[index]);
    c->capabilities = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING | V4L2_CAP_DEVICE_CAPS;
    c->device_caps = V4L2_CAP_STREAMING;
    c->device_caps |= index == 2 ? V4L2_CAP_VIDEO_CAPTURE : V4L2_CAP_META_CAPTURE;
    return 0;
}

static int enum_format(struct v4l2_fmtdesc *d)
{
    if (d->index >= 3 || fake.fourcc[d->index] == 0) {
        return failed(EINVAL);
    }
    d->pixelformat = fake.fourcc[d->index];
    return 0;
}

static int enum_size(struct v4l2_frmsizeenum *s)
{
    static const struct v4l2_frmsize_discrete sizes[] = {{64, 48}, {62, 34}};
    if (fake.no_sizes || s->index >= 2) {
        return failed(EINVAL);
    }
    s->type = V4L2_FRMSIZE_TYPE_DISCRETE;
    s->discrete = sizes[s->index];
    return 0;
}

static int enum_interval(struct v4l2_frmivalenum *i)
{
    if (fake.no_sizes || i->index >= 2) {
        return failed(EINVAL);
    }
    i->type = V4L2_FRMIVAL_TYPE_DISCRETE;
    i->discrete = (struct v4l2_fract){1, i->index == 0 ? 15 : 30};
    return 0;
}

static size_t row_bytes(const struct v4l2_pix_format *f)
{
    return f->pixelformat == V4L2_PIX_FMT_YUYV ? 2 * f->width : f->width;
}

static int set_format(struct v4l2_pix_format *f)
{
    if (fake.set_error) {
        return failed(fake.set_error);
    }
    if (fake.no_sizes) { /* it has this one only */
        f->width = 62;
        f->height = 34;
    }
    f->bytesperline = (uint32_t)row_bytes(f) + PADDING;
    f->sizeimage = f->bytesperline * f->height * 2;
    fake.format = *f;
    return 0;
}

static int parameters(struct v4l2_streamparm *p, bool set)
{
    struct v4l2_captureparm *capture = &p->parm.capture;
    if (set) {
        fake.interval = capture->timeperframe;
    }
    capture->capability = V4L2_CAP_TIMEPERFRAME;
    capture->timeperframe = fake.interval;
    return 0;
}

static int dequeue(struct v4l2_buffer *b)
{
    if (fake.dequeue_error) {
        return failed(fake.dequeue_error);
    }
    if (fake.full_count == 0) {
        return failed(EAGAIN);
    }
    b->index = fake.full[0];
    memmove(fake.full, fake.full + 1, --fake.full_count * sizeof fake.full[0]);
    b->bytesused = fake.short_frames ? 100 : fake.jpeg ? fake.jpeg_bytes : fake.format.sizeimage;
    b->flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
    if (fake.bad_frames > 0) {
        fake.bad_frames--;
        b->flags |= V4L2_BUF_FLAG_ERROR;
    }
    usec now = clock_now() - 5000;
    b->timestamp.tv_sec = (time_t)(now / USEC_PER_SEC);
    b->timestamp.tv_usec = (suseconds_t)(now % USEC_PER_SEC);
    return 0;
}

static int fake_ioctl(int fd, unsigned long request, void *argument)
{
    struct v4l2_buffer *buffer = argument;
    switch (request) {
    case VIDIOC_QUERYCAP:
        return query((unsigned)(fd - FD), argument);
    case VIDIOC_ENUM_FMT:
        return enum_format(argument);
    case VIDIOC_ENUM_FRAMESIZES:
        return enum_size(argument);
    case VIDIOC_ENUM_FRAMEINTERVALS:
        return enum_interval(argument);
    case VIDIOC_S_FMT:
        return set_format(&((struct v4l2_format *)argument)->fmt.pix);
    case VIDIOC_G_PARM:
    case VIDIOC_S_PARM:
        return parameters(argument, request == VIDIOC_S_PARM);
    case VIDIOC_REQBUFS:
        ((struct v4l2_requestbuffers *)argument)->count = BUFFERS;
        return 0;
    case VIDIOC_QUERYBUF:
        buffer->length = fake.format.sizeimage;
        buffer->m.offset = buffer->index * 4096;
        return 0;
    case VIDIOC_QBUF:
        assert_in_range(buffer->index, 0, BUFFERS - 1);
        assert_false(fake.queued[buffer->index]);
        fake.queued[buffer->index] = true;
        return fake.dequeue_error == ENODEV ? failed(ENODEV) : 0;
    case VIDIOC_DQBUF:
        return dequeue(buffer);
    case VIDIOC_STREAMON:
        fake.streaming = !fake.stream_error;
        return fake.stream_error ? failed(fake.stream_error) : 0;
    case VIDIOC_STREAMOFF:
        fake.streaming = false;
        return 0;
    default:
        return failed(ENOTTY);
    }
}

static void *fake_mmap(int fd, size_t bytes, int64_t offset)
{
    (void)fd;
    unsigned index = (unsigned)(offset / 4096);
    fake.memory[index] = malloc(bytes);
    fake.mapped++;
    return fake.memory[index];
}

static int fake_munmap(void *memory, size_t bytes)
{
    (void)bytes;
    free(memory);
    fake.mapped--;
    return 0;
}

/* Fills the next queued buffer with the number of the frame. False: none is left. */
static bool fill_one(void)
{
    for (unsigned i = 0; i < BUFFERS; i++) {
        if (!fake.queued[i]) {
            continue;
        }
        fake.queued[i] = false;
        fake.frames++;
        memset(fake.memory[i], (int)fake.frames, fake.format.sizeimage);
        if (fake.jpeg) {
            memcpy(fake.memory[i], fake.jpeg, fake.jpeg_bytes);
        }
        fake.full[fake.full_count++] = i;
        return true;
    }
    return false;
}

/* A frame is there at once, this many times. */
static unsigned frames_left;

static bool fake_wait(int fd, usec deadline)
{
    (void)fd;
    (void)deadline;
    if (fake.dequeue_error) {
        return true;
    }
    if (frames_left == 0) {
        return false;
    }
    frames_left--;
    return fake.full_count > 0 || fill_one();
}

static const struct camera_system SYSTEM = {
    .open = fake_open,
    .close = fake_close,
    .ioctl = fake_ioctl,
    .mmap = fake_mmap,
    .munmap = fake_munmap,
    .wait = fake_wait,
};

static int set_up(void **state)
{
    (void)state;
    fake = (struct fake){.fourcc = {V4L2_PIX_FMT_YUYV, V4L2_PIX_FMT_H264, 0}, .interval = {1, 7}};
    frames_left = UINT_MAX;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return fake.open_count == 0 && fake.mapped == 0 ? 0 : -1;
}

static jingle_video_source *make(const char *name)
{
    jingle_status status = JINGLE_ERROR_INTERNAL;
    jingle_video_source *camera = camera_new(&SYSTEM, name, &status);
    assert_int_equal(status, JINGLE_OK);
    assert_true(video_source_valid(camera));
    return camera;
}

static jingle_status start(jingle_video_source *camera, jingle_video_format *format)
{
    memset(fake.queued, 0, sizeof fake.queued);
    fake.full_count = 0;
    return camera->start(camera->user, format);
}

static jingle_video_source *started(uint32_t fourcc)
{
    fake.fourcc[0] = fourcc;
    jingle_video_source *camera = make("");
    jingle_video_format format = {64, 48, 30};
    assert_int_equal(start(camera, &format), JINGLE_OK);
    return camera;
}

static long next(jingle_video_source *camera, jingle_picture *picture)
{
    long got = camera->read(camera->user, picture, 1000);
    picture->size = sizeof *picture;
    assert_true(got != 1 || picture_valid(picture));
    return got;
}

/* --- finding ------------------------------------------------------------------------------- */

static void test_cameras_are_listed_by_name(void **state)
{
    (void)state;
    jingle_camera *cameras;
    size_t count;
    assert_int_equal(camera_list(&SYSTEM, &cameras, &count), JINGLE_OK);
    assert_int_equal(count, 1);
    assert_string_equal(cameras[0].path, "/dev/video2");
    assert_string_equal(cameras[0].name, cards[2]);
    jingle_cameras_free(cameras, count);
    assert_int_equal(camera_list(&SYSTEM, NULL, &count), JINGLE_ERROR_INVALID);
}

static void assert_starts(const char *name, jingle_status wanted)
{
    jingle_video_source *camera = make(name);
    jingle_video_format format = {0};
    assert_int_equal(start(camera, &format), wanted);
    jingle_video_source_free(camera);
}

static void test_a_camera_is_found_by_path_and_by_part_of_its_name(void **state)
{
    (void)state;
    assert_starts(NULL, JINGLE_OK);
    assert_starts("webcam", JINGLE_OK);
    assert_starts("/dev/video2", JINGLE_OK);
    assert_starts("/dev/video1", JINGLE_ERROR_CAMERA);
    assert_starts("/dev/video9", JINGLE_ERROR_CAMERA);
    assert_starts("another", JINGLE_ERROR_CAMERA);
}

/* --- formats ------------------------------------------------------------------------------- */

static void test_the_nearest_size_and_rate_are_set_and_told(void **state)
{
    (void)state;
    jingle_video_source *camera = make("");
    jingle_video_format format = {62, 34, 30};
    assert_int_equal(start(camera, &format), JINGLE_OK);
    assert_int_equal(fake.format.pixelformat, V4L2_PIX_FMT_YUYV);
    assert_int_equal(format.width, 62);
    assert_int_equal(format.height, 34);
    assert_int_equal(format.frame_rate, 30);
    assert_int_equal(fake.interval.denominator, 30);
    format.frame_rate = 10;
    assert_int_equal(start(camera, &format), JINGLE_OK);
    assert_int_equal(format.frame_rate, 15);
    jingle_video_source_free(camera);
}

static void test_a_driver_that_tells_no_sizes_is_asked_and_believed(void **state)
{
    (void)state;
    fake.no_sizes = true;
    jingle_video_source *camera = make("");
    jingle_video_format format = {1280, 720, 30};
    assert_int_equal(start(camera, &format), JINGLE_OK);
    assert_int_equal(format.width, 62);
    assert_int_equal(format.height, 34);
    assert_int_equal(format.frame_rate, 7);
    jingle_video_source_free(camera);
}

static void test_a_camera_with_nothing_that_can_be_read_is_refused(void **state)
{
    (void)state;
    fake.fourcc[0] = V4L2_PIX_FMT_H264;
    assert_starts("", JINGLE_ERROR_CAMERA);
}

/* --- pictures ------------------------------------------------------------------------------ */

static void test_pictures_that_fit_are_given_in_place_with_their_strides(void **state)
{
    (void)state;
    static const struct {
        uint32_t fourcc;
        jingle_pixels pixels;
    } forms[] = {{V4L2_PIX_FMT_NV12, JINGLE_PIXELS_NV12},
                 {V4L2_PIX_FMT_YUV420, JINGLE_PIXELS_I420}};
    for (int i = 0; i < 2; i++) {
        jingle_video_source *camera = started(forms[i].fourcc);
        jingle_picture picture;
        assert_int_equal(next(camera, &picture), 1);
        assert_int_equal(picture.pixels, forms[i].pixels);
        assert_int_equal(picture.strides[0], 64 + PADDING);
        assert_int_equal(picture.planes[1] - picture.planes[0], 48 * (64 + PADDING));
        assert_true(picture.planes[0] == fake.memory[0]);
        assert_null(picture.release);
        jingle_video_source_free(camera);
    }
}

static void test_a_picture_stays_whole_until_the_next_read(void **state)
{
    (void)state;
    jingle_video_source *camera = started(V4L2_PIX_FMT_NV12);
    for (int i = 0; i < 20; i++) {
        jingle_picture picture;
        assert_int_equal(next(camera, &picture), 1);
        uint8_t number = picture.planes[0][0];
        while (fill_one()) {
        }
        assert_int_equal(picture.planes[0][0], number);
        assert_int_equal(picture.planes[1][0], number);
    }
    jingle_video_source_free(camera);
}

static void test_the_newest_of_several_full_buffers_is_given(void **state)
{
    (void)state;
    jingle_video_source *camera = started(V4L2_PIX_FMT_NV12);
    while (fill_one()) {
    }
    jingle_picture picture;
    assert_int_equal(next(camera, &picture), 1);
    assert_int_equal(picture.planes[0][0], BUFFERS);
    jingle_video_source_free(camera);
}

static void test_other_pixels_are_converted_and_the_buffer_given_back_at_once(void **state)
{
    (void)state;
    jingle_video_source *camera = started(V4L2_PIX_FMT_YUYV);
    for (int i = 1; i < 10; i++) {
        jingle_picture picture;
        assert_int_equal(next(camera, &picture), 1);
        assert_int_equal(picture.pixels, JINGLE_PIXELS_I420);
        assert_int_equal(picture.planes[0][47 * picture.strides[0] + 63], i);
        for (int b = 0; b < BUFFERS; b++) {
            assert_true(fake.queued[b]);
        }
    }
    jingle_video_source_free(camera);
}

static void test_a_driver_stamp_of_the_same_clock_is_the_time_of_the_picture(void **state)
{
    (void)state;
    jingle_video_source *camera = started(V4L2_PIX_FMT_NV12);
    usec before = clock_now();
    jingle_picture picture;
    assert_int_equal(next(camera, &picture), 1);
    assert_true(picture.time >= before - 5000);
    assert_true(picture.time <= clock_now() - 5000);
    jingle_video_source_free(camera);
}

static void test_broken_and_short_frames_are_skipped(void **state)
{
    (void)state;
    jingle_video_source *camera = started(V4L2_PIX_FMT_NV12);
    jingle_picture picture;
    fake.bad_frames = 2;
    assert_int_equal(next(camera, &picture), 1);
    assert_int_equal(picture.planes[0][0], 3);
    jingle_video_source_free(camera);

    camera = started(V4L2_PIX_FMT_YUYV);
    fake.short_frames = true;
    frames_left = 3;
    assert_int_equal(next(camera, &picture), 0);
    assert_int_equal(fake.frames, 3 + 3);
    jingle_video_source_free(camera);
}

/* All white, 64 by 48: `ffmpeg -f lavfi -i color=white:s=64x48 -frames:v 1 -pix_fmt yuvj420p`. */
static const uint8_t white_jpeg[] = {
    0xff, 0xd8, 0xff, 0xe0, 0x00, 0x10, 0x4a, 0x46, 0x49, 0x46, 0x00, 0x01, 0x02, 0x00, 0x00, 0x01,
    0x00, 0x01, 0x00, 0x00, 0xff, 0xfe, 0x00, 0x10, 0x4c, 0x61, 0x76, 0x63, 0x35, 0x39, 0x2e, 0x33,
    0x37, 0x2e, 0x31, 0x30, 0x30, 0x00, 0xff, 0xdb, 0x00, 0x43, 0x00, 0x08, 0x04, 0x04, 0x04, 0x04,
    0x04, 0x05, 0x05, 0x05, 0x05, 0x05, 0x05, 0x06, 0x06, 0x06, 0x06, 0x06, 0x06, 0x06, 0x06, 0x06,
    0x06, 0x06, 0x06, 0x06, 0x07, 0x07, 0x07, 0x08, 0x08, 0x08, 0x07, 0x07, 0x07, 0x06, 0x06, 0x07,
    0x07, 0x08, 0x08, 0x08, 0x08, 0x09, 0x09, 0x09, 0x08, 0x08, 0x08, 0x08, 0x09, 0x09, 0x0a, 0x0a,
    0x0a, 0x0c, 0x0c, 0x0b, 0x0b, 0x0e, 0x0e, 0x0e, 0x11, 0x11, 0x14, 0xff, 0xc4, 0x00, 0x4b, 0x00,
    0x01, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x07, 0x01, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x10, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x11, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0xc0, 0x00, 0x11, 0x08, 0x00, 0x30, 0x00,
    0x40, 0x03, 0x01, 0x22, 0x00, 0x02, 0x11, 0x00, 0x03, 0x11, 0x00, 0xff, 0xda, 0x00, 0x0c, 0x03,
    0x01, 0x00, 0x02, 0x11, 0x03, 0x11, 0x00, 0x3f, 0x00, 0xbf, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0xd9};

static void test_jpeg_becomes_limited_range(void **state)
{
    (void)state;
    fake.jpeg = white_jpeg;
    fake.jpeg_bytes = sizeof white_jpeg;
    jingle_video_source *camera = make("");
    fake.fourcc[0] = V4L2_PIX_FMT_MJPEG;
    jingle_video_format format = {64, 48, 30};
    if (start(camera, &format) == JINGLE_OK) { /* else libyuv was built without */
        jingle_picture picture;
        assert_int_equal(next(camera, &picture), 1);
        assert_in_range(picture.planes[0][20 * picture.strides[0] + 20], 234, 236);
        assert_in_range(picture.planes[1][20], 127, 129);
    }
    jingle_video_source_free(camera);
}

/* --- trouble ------------------------------------------------------------------------------- */

static void test_a_camera_in_use_is_refused_and_may_be_tried_again(void **state)
{
    (void)state;
    jingle_video_source *camera = make("");
    jingle_video_format format = {0};
    fake.set_error = EBUSY;
    assert_int_equal(start(camera, &format), JINGLE_ERROR_CAMERA);
    fake.set_error = 0;
    fake.stream_error = EBUSY;
    assert_int_equal(start(camera, &format), JINGLE_ERROR_CAMERA);
    assert_int_equal(fake.open_count, 0);
    assert_int_equal(fake.mapped, 0);
    fake.stream_error = 0;
    assert_int_equal(start(camera, &format), JINGLE_OK);
    jingle_picture picture;
    assert_int_equal(next(camera, &picture), 1);
    jingle_video_source_free(camera);
}

static void test_an_unplugged_camera_is_lost_and_found_again(void **state)
{
    (void)state;
    jingle_video_source *camera = started(V4L2_PIX_FMT_NV12);
    jingle_picture picture;
    assert_int_equal(next(camera, &picture), 1);
    fake.dequeue_error = ENODEV;
    fake.open_error = ENOENT;
    assert_int_equal(next(camera, &picture), JINGLE_VIDEO_LOST);
    camera->stop(camera->user);
    assert_int_equal(next(camera, &picture), JINGLE_VIDEO_LOST);
    jingle_video_format format = {64, 48, 30};
    assert_int_equal(start(camera, &format), JINGLE_ERROR_CAMERA);
    fake.dequeue_error = fake.open_error = 0;
    assert_int_equal(start(camera, &format), JINGLE_OK);
    assert_int_equal(next(camera, &picture), 1);
    jingle_video_source_free(camera);
}

static void test_a_driver_that_is_readable_without_a_frame_is_lost(void **state)
{
    (void)state;
    jingle_video_source *camera = started(V4L2_PIX_FMT_NV12);
    jingle_picture picture;
    fake.dequeue_error = EAGAIN;
    assert_int_equal(next(camera, &picture), JINGLE_VIDEO_LOST);
    jingle_video_source_free(camera);
}

static void test_no_frame_in_time_is_no_picture(void **state)
{
    (void)state;
    jingle_video_source *camera = started(V4L2_PIX_FMT_NV12);
    jingle_picture picture;
    frames_left = 0;
    assert_int_equal(next(camera, &picture), 0);
    frames_left = 1;
    assert_int_equal(next(camera, &picture), 1);
    jingle_video_source_free(camera);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_cameras_are_listed_by_name),
        TEST(test_a_camera_is_found_by_path_and_by_part_of_its_name),
        TEST(test_the_nearest_size_and_rate_are_set_and_told),
        TEST(test_a_driver_that_tells_no_sizes_is_asked_and_believed),
        TEST(test_a_camera_with_nothing_that_can_be_read_is_refused),
        TEST(test_pictures_that_fit_are_given_in_place_with_their_strides),
        TEST(test_a_picture_stays_whole_until_the_next_read),
        TEST(test_the_newest_of_several_full_buffers_is_given),
        TEST(test_other_pixels_are_converted_and_the_buffer_given_back_at_once),
        TEST(test_a_driver_stamp_of_the_same_clock_is_the_time_of_the_picture),
        TEST(test_broken_and_short_frames_are_skipped),
        TEST(test_jpeg_becomes_limited_range),
        TEST(test_a_camera_in_use_is_refused_and_may_be_tried_again),
        TEST(test_an_unplugged_camera_is_lost_and_found_again),
        TEST(test_a_driver_that_is_readable_without_a_frame_is_lost),
        TEST(test_no_frame_in_time_is_no_picture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
