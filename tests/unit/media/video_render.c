/* The render with a codec and a sink of the test's own. */
#include "media/video_render.h"

#include "base/clock.h"
#include "media/video_scale.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define PATIENCE  20 /* seconds; ends only a failing test */
#define SIZE      16
#define SHOWN_MAX 256

/* The first byte of a frame: how it decodes; the second: its brightness. */
enum { GOOD, BROKEN };

struct stage {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct video_render *render;
    jingle_video_sink sink;
    jingle_video_sink other;
    bool blocked, trouble;
    int shown, done, failed, dropped, freed, inside;
    int lost_told, back_told;
    uint64_t last_dropped;
    uint8_t seen[SHOWN_MAX];
    usec shown_at[SHOWN_MAX];
    uint64_t number;
};

static struct stage stage;

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

static void count(int *number)
{
    pthread_mutex_lock(&stage.mutex);
    (*number)++;
    pthread_cond_broadcast(&stage.changed);
    pthread_mutex_unlock(&stage.mutex);
}

/* ------------------------------------------------------------------------------- the codec -- */

struct decoder {
    struct video_decoder base;
    bool lost;
    uint8_t planes[SIZE * SIZE];
};

extern const struct video_codec fake_codec;

static struct video_decoder *open_decoder(unsigned threads)
{
    (void)threads;
    struct decoder *decoder = calloc(1, sizeof *decoder);
    decoder->base.codec = &fake_codec;
    return &decoder->base;
}

static int decode(struct video_decoder *base, const struct coded_frame *frame,
                  jingle_picture *picture)
{
    struct decoder *decoder = (struct decoder *)base;
    if (frame->bytes[0] == BROKEN) {
        decoder->lost = true;
        return JINGLE_ERROR_INVALID;
    }
    decoder->lost = decoder->lost && !frame->key;
    if (decoder->lost) {
        return JINGLE_ERROR_STATE;
    }
    memset(decoder->planes, frame->bytes[1], sizeof decoder->planes);
    *picture = (jingle_picture){
        .size = sizeof *picture,
        .width = SIZE,
        .height = SIZE,
        .planes = {decoder->planes, decoder->planes, decoder->planes},
        .strides = {SIZE, SIZE / 2, SIZE / 2},
    };
    return 1;
}

static void close_decoder(struct video_decoder *base)
{
    free(base);
}

const struct video_codec fake_codec = {
    .name = "VP8",
    .clockrate = VIDEO_CLOCKRATE,
    .fmtp = "",
    .decoder_new = open_decoder,
    .decode = decode,
    .decoder_free = close_decoder,
};

/* ------------------------------------------------------------------------ the sink, the hooks */

static jingle_status write_sink(void *user, const jingle_picture *picture)
{
    (void)user;
    pthread_mutex_lock(&stage.mutex);
    stage.inside++;
    pthread_cond_broadcast(&stage.changed);
    while (stage.blocked) {
        pthread_cond_wait(&stage.changed, &stage.mutex);
    }
    bool trouble = stage.trouble;
    if (!trouble && stage.shown < SHOWN_MAX) {
        stage.seen[stage.shown] = picture->planes[0][0];
        stage.shown_at[stage.shown++] = clock_now();
    }
    pthread_cond_broadcast(&stage.changed);
    pthread_mutex_unlock(&stage.mutex);
    return trouble ? JINGLE_ERROR_DISPLAY : JINGLE_OK;
}

static void free_sink(void *user)
{
    (void)user;
    count(&stage.freed);
}

static void on_done(void *user, uint64_t number, uint32_t width, uint32_t height, usec decode_time)
{
    (void)user;
    (void)number;
    (void)decode_time;
    count(&stage.done);
    if (width != SIZE || height != SIZE) {
        abort();
    }
}

static void on_failed(void *user, uint64_t number)
{
    (void)user;
    (void)number;
    count(&stage.failed);
}

static void on_dropped(void *user, uint64_t number)
{
    (void)user;
    stage.last_dropped = number;
    count(&stage.dropped);
}

static void on_device(void *user, bool lost, jingle_status status)
{
    (void)user;
    (void)status;
    count(lost ? &stage.lost_told : &stage.back_told);
}

static int set_up(void **state)
{
    (void)state;
    memset(&stage, 0, sizeof stage);
    pthread_mutex_init(&stage.mutex, NULL);
    pthread_cond_init(&stage.changed, NULL);
    stage.sink =
        (jingle_video_sink){.size = sizeof stage.sink, .write = write_sink, .free = free_sink};
    stage.other = stage.sink;
    struct video_render_config config = {
        .sink = &stage.sink,
        .hooks = {.done = on_done, .failed = on_failed, .dropped = on_dropped, .device = on_device},
    };
    jingle_status status;
    stage.render = video_render_new(&config, &status);
    return status == JINGLE_OK ? 0 : -1;
}

static void unblock(void)
{
    pthread_mutex_lock(&stage.mutex);
    stage.blocked = false;
    pthread_cond_broadcast(&stage.changed);
    pthread_mutex_unlock(&stage.mutex);
}

static int tear_down(void **state)
{
    (void)state;
    unblock();
    video_render_stop(stage.render);
    video_render_unref(stage.render);
    pthread_mutex_destroy(&stage.mutex);
    pthread_cond_destroy(&stage.changed);
    return stage.freed >= 1 ? 0 : -1;
}

static void push(bool key, uint8_t how, uint8_t brightness, usec due)
{
    struct video_render_frame frame = {
        .frame = coded_frame_new(2), .codec = &fake_codec, .number = stage.number++, .due = due};
    frame.frame->bytes[0] = how;
    frame.frame->bytes[1] = brightness;
    frame.frame->size = 2;
    frame.frame->key = key;
    video_render_push(stage.render, &frame);
}

/* -------------------------------------------------------------------------------- the tests -- */

static void test_pictures_are_shown_in_order_and_not_before_their_time(void **state)
{
    (void)state;
    usec start = clock_now();
    for (int i = 0; i < 5; i++) {
        push(i == 0, GOOD, (uint8_t)(10 + i), start + (i + 1) * 100 * USEC_PER_MS);
    }
    await(&stage.shown, 1);
    assert_true(stage.shown_at[0] >= start + 100 * USEC_PER_MS);
    await(&stage.done, 5);
    assert_int_equal(stage.seen[0], 10);
    assert_int_equal(stage.failed + stage.dropped, 0);
}

static void test_a_broken_frame_is_told_and_what_needs_it_is_dropped(void **state)
{
    (void)state;
    push(true, GOOD, 1, 0);
    await(&stage.shown, 1);
    push(false, BROKEN, 2, 0);
    push(false, GOOD, 3, 0);
    push(true, GOOD, 4, 0);
    await(&stage.shown, 2);
    assert_int_equal(stage.failed, 1);
    assert_int_equal(stage.dropped, 1);
    assert_int_equal(stage.seen[1], 4);
}

static void test_a_full_queue_drops_up_to_the_next_key_frame(void **state)
{
    (void)state;
    stage.blocked = true;
    push(true, GOOD, 1, 0);
    await(&stage.inside, 1);
    for (int i = 0; i < VIDEO_RENDER_FRAMES_MAX; i++) {
        push(false, GOOD, 2, 0);
    }
    assert_int_equal(stage.dropped, 0);
    push(false, GOOD, 3, 0);
    assert_int_equal(stage.dropped, 1);
    push(false, GOOD, 4, 0);
    assert_int_equal(stage.dropped, 2);
    assert_int_equal(stage.last_dropped, VIDEO_RENDER_FRAMES_MAX + 2);
    push(true, GOOD, 5, 0);
    unblock();
    await(&stage.shown, 2);
    assert_int_equal(stage.seen[1], 5);
}

static void test_what_is_late_gives_way_to_what_is_due(void **state)
{
    (void)state;
    stage.blocked = true;
    push(true, GOOD, 1, 0);
    await(&stage.inside, 1);
    push(false, GOOD, 2, 0);
    push(false, GOOD, 3, 0);
    push(false, GOOD, 4, 0);
    unblock();
    await(&stage.shown, 2);
    assert_int_equal(stage.seen[1], 4);
    assert_int_equal(stage.done, 4);
}

static void test_a_snapshot_is_of_the_last_picture(void **state)
{
    struct picture_buffer buffer = {0};
    (void)state;
    assert_false(video_render_snapshot(stage.render, &buffer));
    push(true, GOOD, 77, 0);
    await(&stage.shown, 1);
    assert_true(video_render_snapshot(stage.render, &buffer));
    assert_int_equal(buffer.width, SIZE);
    assert_int_equal(buffer.planes[0][0], 77);
    push(false, GOOD, 88, 0);
    await(&stage.shown, 2);
    assert_true(video_render_snapshot(stage.render, &buffer));
    assert_int_equal(buffer.planes[0][0], 88);
    picture_buffer_clear(&buffer);
}

static void test_a_sink_in_trouble_is_told_once_and_tried_again(void **state)
{
    (void)state;
    stage.trouble = true;
    push(true, GOOD, 1, 0);
    await(&stage.lost_told, 1);
    push(false, GOOD, 2, 0);
    await(&stage.inside, 2);
    pthread_mutex_lock(&stage.mutex);
    stage.trouble = false;
    pthread_mutex_unlock(&stage.mutex);
    push(false, GOOD, 3, 0);
    await(&stage.back_told, 1);
    assert_int_equal(stage.lost_told, 1);
}

static void test_a_sink_takes_the_place_of_another(void **state)
{
    (void)state;
    push(true, GOOD, 1, 0);
    await(&stage.shown, 1);
    video_render_set_sink(stage.render, &stage.other);
    await(&stage.freed, 1);
    push(false, GOOD, 2, 0);
    await(&stage.shown, 2);
}

static void test_what_is_flushed_is_not_shown(void **state)
{
    (void)state;
    push(true, GOOD, 1, 0);
    await(&stage.shown, 1);
    video_render_flush(stage.render);
    push(false, GOOD, 2, 0);
    assert_int_equal(stage.dropped, 1);
    push(true, GOOD, 3, 0);
    await(&stage.shown, 2);
    assert_int_equal(stage.seen[1], 3);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    static const struct CMUnitTest tests[] = {
        TEST(test_pictures_are_shown_in_order_and_not_before_their_time),
        TEST(test_a_broken_frame_is_told_and_what_needs_it_is_dropped),
        TEST(test_a_full_queue_drops_up_to_the_next_key_frame),
        TEST(test_what_is_late_gives_way_to_what_is_due),
        TEST(test_a_snapshot_is_of_the_last_picture),
        TEST(test_a_sink_in_trouble_is_told_once_and_tried_again),
        TEST(test_a_sink_takes_the_place_of_another),
        TEST(test_what_is_flushed_is_not_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
