/* The capture with a codec, a source and a self view of the test's own. */
#include "media/video_capture.h"

#include "base/clock.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE 20 /* seconds; ends only a failing test */

struct stage {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct video_capture *capture;
    jingle_video_source source;
    jingle_video_source other;
    jingle_video_sink self_view;
    bool lost, ended, keep;
    int reads, starts, stops, freed, shown;
    int frames, keys, lost_told, back_told, ended_told;
    struct coded_frame *kept[VIDEO_CAPTURE_FRAMES + 1];
    int kept_count;
    uint32_t width;       /* of the last frame */
    uint32_t input_width; /* as told */
};

static struct stage stage;

#define LOCKED(statement)                       \
    do {                                        \
        pthread_mutex_lock(&stage.mutex);       \
        statement;                              \
        pthread_cond_broadcast(&stage.changed); \
        pthread_mutex_unlock(&stage.mutex);     \
    } while (0)

/* Waits until the number is at least so high. */
static void await(const int *number, int least)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE;
    pthread_mutex_lock(&stage.mutex);
    while (*number < least && pthread_cond_timedwait(&stage.changed, &stage.mutex, &until) == 0) {
    }
    bool reached = *number >= least;
    pthread_mutex_unlock(&stage.mutex);
    assert_true(reached);
}

/* ------------------------------------------------------------------------------- the codec -- */

extern const struct video_codec fake_codec;

static struct video_encoder *open_encoder(const struct video_encoder_config *config)
{
    (void)config;
    struct video_encoder *encoder = calloc(1, sizeof *encoder);
    encoder->codec = &fake_codec;
    return encoder;
}

static int speed_for(uint32_t width, uint32_t height)
{
    (void)width;
    (void)height;
    return 1;
}

static jingle_status set_encoder(struct video_encoder *encoder,
                                 const struct video_encoder_config *config)
{
    (void)encoder;
    (void)config;
    return JINGLE_OK;
}

static int encode(struct video_encoder *encoder, const jingle_picture *picture, bool force_key,
                  struct coded_frame *frame)
{
    (void)encoder;
    frame->key = force_key;
    frame->width = picture->width;
    frame->height = picture->height;
    return 1;
}

static void close_encoder(struct video_encoder *encoder)
{
    free(encoder);
}

const struct video_codec fake_codec = {
    .name = "VP8",
    .clockrate = VIDEO_CLOCKRATE,
    .fmtp = "",
    .speed_slowest = 1,
    .speed_fastest = 2,
    .speed_for = speed_for,
    .encoder_new = open_encoder,
    .encoder_set = set_encoder,
    .encode = encode,
    .encoder_free = close_encoder,
};

/* ------------------------------------------------------------------------ source, self view -- */

static jingle_status start_source(void *user, jingle_video_format *format)
{
    (void)user;
    jingle_status status;
    LOCKED(status = stage.lost ? JINGLE_ERROR_CAMERA : JINGLE_OK; stage.starts++);
    *format = (jingle_video_format){320, 180, 30};
    return status;
}

static long read_source(void *user, jingle_picture *picture, int64_t timeout)
{
    static const uint8_t planes[320 * 180];
    (void)user;
    (void)timeout;
    long got;
    usleep(2000);
    LOCKED(got = stage.lost    ? JINGLE_VIDEO_LOST
                 : stage.ended ? JINGLE_VIDEO_END
                               : 1;
           stage.reads++);
    picture->width = 320;
    picture->height = 180;
    picture->planes[0] = picture->planes[1] = picture->planes[2] = planes;
    picture->strides[0] = 320;
    picture->strides[1] = picture->strides[2] = 160;
    picture->time = stage.reads * (USEC_PER_SEC / 30);
    return got;
}

static void stop_source(void *user)
{
    (void)user;
    LOCKED(stage.stops++);
}

static void free_it(void *user)
{
    (void)user;
    LOCKED(stage.freed++);
}

static jingle_status show(void *user, const jingle_picture *picture)
{
    (void)user;
    (void)picture;
    LOCKED(stage.shown++);
    return JINGLE_OK;
}

/* -------------------------------------------------------------------------------- the hooks -- */

static void on_frame(void *user, struct coded_frame *frame)
{
    (void)user;
    bool keep;
    LOCKED(stage.frames++; stage.keys += frame->key; stage.width = frame->width; keep = stage.keep;
           if (keep) stage.kept[stage.kept_count++] = frame);
    if (!keep) {
        video_capture_give_back(stage.capture, frame);
    }
}

static void on_input(void *user, const struct video_capture_input *input)
{
    (void)user;
    LOCKED(stage.input_width = input->width);
}

static void on_device(void *user, bool source, bool lost, jingle_status status)
{
    (void)user;
    (void)source;
    (void)status;
    LOCKED(stage.lost_told += lost; stage.back_told += !lost);
}

static void on_ended(void *user)
{
    (void)user;
    LOCKED(stage.ended_told++);
}

static const struct video_capture_target target = {
    .bitrate = 500000, .frame_rate = 30, .width = 320, .height = 180};

static int set_up(void **state)
{
    (void)state;
    memset(&stage, 0, sizeof stage);
    pthread_mutex_init(&stage.mutex, NULL);
    pthread_cond_init(&stage.changed, NULL);
    stage.source = (jingle_video_source){
        .size = sizeof stage.source,
        .start = start_source,
        .read = read_source,
        .stop = stop_source,
        .free = free_it,
    };
    stage.other = stage.source;
    stage.self_view =
        (jingle_video_sink){.size = sizeof stage.self_view, .write = show, .free = free_it};
    struct video_capture_config config = {
        .codec = &fake_codec,
        .source = &stage.source,
        .self_view = &stage.self_view,
        .hooks = {.frame = on_frame,
                  .input = on_input,
                  .device = on_device,
                  .source_ended = on_ended},
    };
    jingle_status status;
    stage.capture = video_capture_new(&config, &status);
    return status == JINGLE_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    video_capture_free(stage.capture);
    pthread_mutex_destroy(&stage.mutex);
    pthread_cond_destroy(&stage.changed);
    return stage.freed >= 2 ? 0 : -1;
}

static void run(void)
{
    video_capture_set_target(stage.capture, &target);
    video_capture_set_running(stage.capture, true);
}

/* -------------------------------------------------------------------------------- the tests -- */

static void test_pictures_are_told_of_shown_and_encoded(void **state)
{
    (void)state;
    run();
    await(&stage.frames, 5);
    await(&stage.shown, 5);
    assert_int_equal(stage.input_width, 320);
    assert_int_equal(stage.width, 320);
}

static void test_pictures_are_scaled_to_the_target(void **state)
{
    (void)state;
    struct video_capture_target small = target;
    small.width = 160;
    small.height = 90;
    video_capture_set_target(stage.capture, &small);
    video_capture_set_running(stage.capture, true);
    await(&stage.frames, 3);
    assert_int_equal(stage.width, 160);
}

static void test_without_a_bit_rate_nothing_is_encoded(void **state)
{
    (void)state;
    video_capture_set_running(stage.capture, true);
    await(&stage.shown, 5);
    assert_int_equal(stage.frames, 0);
    video_capture_set_target(stage.capture, &target);
    await(&stage.frames, 1);
}

static void test_a_wish_for_a_key_frame_waits_for_a_picture(void **state)
{
    (void)state;
    video_capture_request_key(stage.capture);
    run();
    await(&stage.keys, 1);
    await(&stage.frames, 10);
    assert_int_equal(stage.keys, 1);
    video_capture_request_key(stage.capture);
    await(&stage.keys, 2);
}

static void test_no_more_frames_are_made_than_are_given_back(void **state)
{
    (void)state;
    stage.keep = true;
    run();
    await(&stage.shown, 20);
    assert_int_equal(stage.frames, VIDEO_CAPTURE_FRAMES);
    struct video_capture_stats stats;
    video_capture_stats(stage.capture, &stats);
    assert_true(stats.captured > VIDEO_CAPTURE_FRAMES);
    assert_true(stats.dropped > 0);
    LOCKED(stage.keep = false);
    for (int i = 0; i < stage.kept_count; i++) {
        video_capture_give_back(stage.capture, stage.kept[i]);
    }
    await(&stage.frames, VIDEO_CAPTURE_FRAMES + 5);
}

static void test_a_lost_source_is_told_once_and_tried_again(void **state)
{
    (void)state;
    run();
    await(&stage.frames, 1);
    LOCKED(stage.lost = true; stage.starts = 0);
    await(&stage.lost_told, 1);
    await(&stage.starts, 1);
    assert_int_equal(stage.lost_told, 1);
    int frames = stage.frames;
    LOCKED(stage.lost = false);
    await(&stage.back_told, 1);
    await(&stage.frames, frames + 1);
    assert_int_equal(stage.lost_told, 1);
}

static void test_the_end_of_a_source_is_told_once(void **state)
{
    (void)state;
    run();
    await(&stage.frames, 1);
    LOCKED(stage.ended = true);
    await(&stage.ended_told, 1);
    await(&stage.stops, 1);
    int reads = stage.reads;
    usleep(50000);
    assert_int_equal(stage.reads, reads);
}

static void test_a_source_takes_the_place_of_another(void **state)
{
    (void)state;
    run();
    await(&stage.frames, 1);
    video_capture_set_source(stage.capture, &stage.other);
    await(&stage.freed, 1);
    assert_int_equal(stage.stops, 1);
    int frames = stage.frames;
    await(&stage.frames, frames + 3);
    video_capture_set_source(stage.capture, NULL);
    await(&stage.freed, 2);
}

static void test_a_source_that_does_not_run_is_stopped(void **state)
{
    (void)state;
    run();
    await(&stage.frames, 1);
    video_capture_set_running(stage.capture, false);
    await(&stage.stops, 1);
    int reads = stage.reads;
    usleep(50000);
    assert_int_equal(stage.reads, reads);
    video_capture_set_running(stage.capture, true);
    await(&stage.starts, 2);
    await(&stage.reads, reads + 3);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    static const struct CMUnitTest tests[] = {
        TEST(test_pictures_are_told_of_shown_and_encoded),
        TEST(test_pictures_are_scaled_to_the_target),
        TEST(test_without_a_bit_rate_nothing_is_encoded),
        TEST(test_a_wish_for_a_key_frame_waits_for_a_picture),
        TEST(test_no_more_frames_are_made_than_are_given_back),
        TEST(test_a_lost_source_is_told_once_and_tried_again),
        TEST(test_the_end_of_a_source_is_told_once),
        TEST(test_a_source_takes_the_place_of_another),
        TEST(test_a_source_that_does_not_run_is_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
