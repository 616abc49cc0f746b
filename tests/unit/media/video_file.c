/* Films, made by the test: every picture and every sample says where it belongs. */
#include "base/clock.h"
#include "media/picture_code.h"
#include "media/video_scale.h"
#include "media/video_source.h"
#include "support/picture_clock.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    WIDTH = 320,
    HEIGHT = 180,
    FRAME_MS = 40,
    RATE = 48000,
    SOUND_FRAMES = RATE * FRAME_MS / 1000, /* with each picture */
    MS = 1000,
};

static char folder[] = "/tmp/jingle-film-XXXXXX";
static char film[64], silent_film[64], other[64];

/* --- making films -------------------------------------------------------------------------- */

struct writer {
    AVFormatContext *format;
    AVCodecContext *video;
    AVStream *picture_stream, *sound_stream;
    AVFrame *frame;
    AVPacket *packet;
};

static void draw_code(AVFrame *frame, uint32_t ms)
{
    struct picture_code code = picture_code_make(ms, (uint16_t)(ms / FRAME_MS));
    for (uint32_t y = 0; y < HEIGHT; y++) {
        uint32_t row = y * PICTURE_CODE_GRID_ROWS / HEIGHT;
        uint8_t *line = frame->data[0] + y * frame->linesize[0];
        for (uint32_t x = 0; x < WIDTH; x++) {
            uint32_t bit = 31 - x * PICTURE_CODE_COLUMNS / WIDTH;
            bool white =
                row >= PICTURE_CODE_FIRST_ROW && code.rows[row - PICTURE_CODE_FIRST_ROW] >> bit & 1;
            line[x] = white ? 235 : 16;
        }
    }
    for (int plane = 1; plane < 3; plane++) {
        memset(frame->data[plane], 128, (size_t)frame->linesize[plane] * HEIGHT / 2);
    }
}

static void write_packets(struct writer *w)
{
    while (avcodec_receive_packet(w->video, w->packet) == 0) {
        w->packet->stream_index = w->picture_stream->index;
        av_packet_rescale_ts(w->packet, w->video->time_base, w->picture_stream->time_base);
        assert_int_equal(av_interleaved_write_frame(w->format, w->packet), 0);
    }
}

static void write_picture(struct writer *w, uint32_t ms)
{
    assert_int_equal(av_frame_make_writable(w->frame), 0);
    draw_code(w->frame, ms);
    w->frame->pts = ms / FRAME_MS;
    assert_int_equal(avcodec_send_frame(w->video, w->frame), 0);
    write_packets(w);
}

/* The value of a sample is its time in milliseconds. */
static void write_sound(struct writer *w, uint32_t ms)
{
    assert_int_equal(av_new_packet(w->packet, SOUND_FRAMES * 2), 0);
    for (uint32_t i = 0; i < SOUND_FRAMES; i++) {
        int16_t value = (int16_t)(ms + i / (RATE / 1000));
        memcpy(w->packet->data + 2 * i, &value, sizeof value);
    }
    w->packet->stream_index = w->sound_stream->index;
    w->packet->pts = w->packet->dts =
        av_rescale_q(ms, (AVRational){1, 1000}, w->sound_stream->time_base);
    w->packet->duration = av_rescale_q(FRAME_MS, (AVRational){1, 1000}, w->sound_stream->time_base);
    w->packet->flags |= AV_PKT_FLAG_KEY;
    assert_int_equal(av_interleaved_write_frame(w->format, w->packet), 0);
}

static void open_writer(struct writer *w, const char *path, bool sound)
{
    const AVCodec *codec = avcodec_find_encoder(AV_CODEC_ID_MPEG4);
    avformat_alloc_output_context2(&w->format, NULL, "matroska", path);
    w->picture_stream = avformat_new_stream(w->format, NULL);
    w->video = avcodec_alloc_context3(codec);
    w->video->width = WIDTH;
    w->video->height = HEIGHT;
    w->video->pix_fmt = AV_PIX_FMT_YUV420P;
    w->video->time_base = (AVRational){FRAME_MS, 1000};
    w->video->framerate = (AVRational){1000, FRAME_MS};
    w->video->gop_size = 10;
    w->video->log_level_offset = 100; /* it has remarks */
    w->video->bit_rate = 500000;
    w->video->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    assert_int_equal(avcodec_open2(w->video, codec, NULL), 0);
    avcodec_parameters_from_context(w->picture_stream->codecpar, w->video);
    w->picture_stream->time_base = w->video->time_base;
    w->picture_stream->avg_frame_rate = w->video->framerate;
    if (sound) {
        w->sound_stream = avformat_new_stream(w->format, NULL);
        AVCodecParameters *p = w->sound_stream->codecpar;
        p->codec_type = AVMEDIA_TYPE_AUDIO;
        p->codec_id = AV_CODEC_ID_PCM_S16LE;
        p->sample_rate = RATE;
        p->bits_per_coded_sample = 16;
        p->block_align = 2;
        av_channel_layout_default(&p->ch_layout, 1);
    }
    assert_int_equal(avio_open(&w->format->pb, path, AVIO_FLAG_WRITE), 0);
    assert_true(avformat_write_header(w->format, NULL) >= 0);
    w->packet = av_packet_alloc();
    w->frame = av_frame_alloc();
    w->frame->width = WIDTH;
    w->frame->height = HEIGHT;
    w->frame->format = AV_PIX_FMT_YUV420P;
    assert_int_equal(av_frame_get_buffer(w->frame, 0), 0);
}

static void make_film(const char *path, uint32_t length_ms, bool sound)
{
    struct writer w = {0};
    open_writer(&w, path, sound);
    for (uint32_t ms = 0; ms < length_ms; ms += FRAME_MS) {
        write_picture(&w, ms);
        if (sound) {
            write_sound(&w, ms);
        }
    }
    avcodec_send_frame(w.video, NULL);
    write_packets(&w);
    av_write_trailer(w.format);
    avio_closep(&w.format->pb);
    avcodec_free_context(&w.video);
    avformat_free_context(w.format);
    av_frame_free(&w.frame);
    av_packet_free(&w.packet);
}

static void make_bytes(const char *path, const void *bytes, size_t count)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    fclose(file);
}

static int set_up_group(void **state)
{
    (void)state;
    if (!mkdtemp(folder)) {
        return -1;
    }
    snprintf(film, sizeof film, "%s/film.mkv", folder);
    snprintf(silent_film, sizeof silent_film, "%s/silent.mkv", folder);
    snprintf(other, sizeof other, "%s/other", folder);
    make_film(film, 4000, true);
    make_film(silent_film, 400, false);
    return 0;
}

static int tear_down_group(void **state)
{
    (void)state;
    unlink(film);
    unlink(silent_film);
    unlink(other);
    return rmdir(folder);
}

/* --- watching ------------------------------------------------------------------------------ */

static jingle_video_source *opened(const char *path, bool loop, jingle_audio_source **sound)
{
    jingle_status status = JINGLE_ERROR_INTERNAL;
    jingle_video_source *source = jingle_video_source_file(path, loop, sound, &status);
    assert_int_equal(status, JINGLE_OK);
    assert_true(video_source_valid(source));
    jingle_video_format format = {1280, 720, 30};
    assert_int_equal(source->start(source->user, &format), JINGLE_OK);
    assert_int_equal(format.width, WIDTH);
    assert_int_equal(format.height, HEIGHT);
    assert_int_equal(format.frame_rate, 1000 / FRAME_MS);
    return source;
}

/* The next picture: what it says of its place in the film, and when the film began. */
static long watch(jingle_video_source *source, uint32_t *ms, int64_t *began)
{
    jingle_picture picture;
    struct picture_clock clock;
    long got;
    do {
        got = source->read(source->user, &picture, USEC_PER_SEC);
    } while (got == 0);
    if (got == 1) {
        picture.size = sizeof picture;
        assert_true(picture_valid(&picture));
        assert_true(picture_clock_read(&picture, &clock));
        assert_true(picture.time <= clock_now());
        *ms = clock.time;
        *began = picture.time - clock.time * MS;
    }
    return got;
}

static void assert_near(int64_t a, int64_t b, int64_t tolerance)
{
    assert_true(a - b <= tolerance && b - a <= tolerance);
}

static void test_pictures_come_at_their_times_and_then_it_ends(void **state)
{
    (void)state;
    jingle_video_source *source = opened(silent_film, false, NULL);
    uint32_t ms = 0, before = 0;
    int64_t began, first;
    assert_int_equal(watch(source, &ms, &first), 1);
    while (watch(source, &ms, &began) == 1) {
        assert_true(ms > before);
        /* what came too late for its time on a slow machine is told with the time it came */
        assert_true(began >= first - MS);
        before = ms;
    }
    assert_int_equal(ms, 400 - FRAME_MS);
    jingle_picture picture;
    assert_int_equal(source->read(source->user, &picture, 0), JINGLE_VIDEO_END);
    jingle_video_source_free(source);
}

static void test_nothing_comes_before_its_time(void **state)
{
    (void)state;
    jingle_video_source *source = opened(film, false, NULL);
    int64_t start = clock_now();
    uint32_t ms = 0;
    int64_t began;
    while (ms < 200) {
        assert_int_equal(watch(source, &ms, &began), 1);
        assert_true(clock_now() - start >= (int64_t)ms * MS - 100 * MS);
    }
    jingle_video_source_free(source);
}

static void test_a_loop_begins_again_without_a_gap(void **state)
{
    (void)state;
    jingle_video_source *source = opened(silent_film, true, NULL);
    uint32_t ms = 0, before = 0;
    int64_t began, first;
    assert_int_equal(watch(source, &ms, &first), 1);
    int rounds = 0;
    while (rounds < 3) {
        assert_int_equal(watch(source, &ms, &began), 1);
        if (ms < before) {
            rounds++;
            assert_true(began >= first + rounds * 400 * MS - MS);
        }
        before = ms;
    }
    jingle_video_source_free(source);
}

/* What the film's sound says of its place, now. */
static int16_t listen_once(jingle_audio_source *sound)
{
    int16_t samples[480];
    for (;;) {
        long got = sound->read(sound->user, samples, 480);
        assert_true(got >= 0);
        if (got > 0) {
            return samples[0];
        }
        video_wait(-1, clock_now() + 5 * MS); /* the reader thread looks for the place */
    }
}

static void start_sound(jingle_audio_source *sound)
{
    jingle_audio_format format = {.rate = 16000, .channels = 1};
    assert_int_equal(sound->start(sound->user, &format), JINGLE_OK);
    assert_int_equal(format.rate, RATE);
    assert_int_equal(format.channels, 1);
}

static void watch_until(jingle_video_source *source, uint32_t wanted, int64_t *began)
{
    uint32_t ms = 0;
    while (ms < wanted) {
        assert_int_equal(watch(source, &ms, began), 1);
    }
}

static void test_sound_keeps_step_with_the_pictures(void **state)
{
    (void)state;
    jingle_audio_source *sound;
    jingle_video_source *source = opened(film, true, &sound);
    assert_non_null(sound);
    assert_true(sound->on_demand);
    start_sound(sound);
    int64_t began;
    watch_until(source, 80, &began);
    for (int i = 0; i < 20; i++) {
        int16_t heard = listen_once(sound);
        assert_near(heard, (clock_now() - began) / MS, 200);
        video_wait(-1, clock_now() + 10 * MS);
    }
    /* held while the pictures go on, it goes on where they are */
    sound->stop(sound->user);
    watch_until(source, 1600, &began);
    start_sound(sound);
    int16_t heard = listen_once(sound);
    assert_near(heard, (clock_now() - began) / MS, 300);
    jingle_video_source_free(source);
    jingle_audio_source_free(sound);
}

static void test_a_film_that_is_held_goes_on_where_it_was(void **state)
{
    (void)state;
    jingle_audio_source *sound;
    jingle_video_source *source = opened(film, false, &sound);
    int64_t first, began;
    watch_until(source, 80, &first);
    source->stop(source->user);
    video_wait(-1, clock_now() + 300 * MS);
    jingle_video_format format;
    source->start(source->user, &format);
    uint32_t ms;
    assert_int_equal(watch(source, &ms, &began), 1);
    assert_true(began >= first + 250 * MS);
    assert_int_equal(format.width, WIDTH);
    /* either may go first */
    jingle_audio_source_free(sound);
    jingle_video_source_free(source);
}

static void test_pictures_that_were_away_for_long_jump(void **state)
{
    (void)state;
    jingle_audio_source *sound;
    jingle_video_source *source = opened(film, false, &sound);
    start_sound(sound);
    int64_t began, after;
    watch_until(source, 40, &began);
    source->stop(source->user); /* the sound goes on */
    video_wait(-1, clock_now() + 2500 * MS);
    jingle_video_format format;
    source->start(source->user, &format);
    watch_until(source, 2500, &after);
    jingle_video_source_free(source);
    jingle_audio_source_free(sound);
}

static void test_a_silent_film_has_no_sound(void **state)
{
    (void)state;
    jingle_audio_source *sound = (jingle_audio_source *)folder;
    jingle_video_source *source = opened(silent_film, false, &sound);
    assert_null(sound);
    jingle_video_source_free(source);
}

/* --- trouble ------------------------------------------------------------------------------- */

static void assert_refused(const char *path, jingle_status wanted)
{
    jingle_status status = JINGLE_OK;
    jingle_audio_source *sound;
    assert_null(jingle_video_source_file(path, true, &sound, &status));
    assert_int_equal(status, wanted);
    assert_null(sound);
}

static void test_what_is_no_film_is_refused(void **state)
{
    (void)state;
    static const char playlist[] = "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfilm.mkv\n"
                                   "#EXT-X-ENDLIST\n";
    static const char text[] = "Once upon a time";
    assert_refused(NULL, JINGLE_ERROR_INVALID);
    assert_refused(folder, JINGLE_ERROR_FILE);
    assert_refused("/nowhere/film.mkv", JINGLE_ERROR_FILE);
    make_bytes(other, "", 0);
    assert_refused(other, JINGLE_ERROR_FILE);
    make_bytes(other, text, sizeof text);
    assert_refused(other, JINGLE_ERROR_FILE);
    make_bytes(other, playlist, sizeof playlist - 1);
    assert_refused(other, JINGLE_ERROR_FILE);
    unlink(other);
    assert_int_equal(mkfifo(other, 0600), 0);
    assert_refused(other, JINGLE_ERROR_FILE);
    unlink(other);
    assert_refused("data/speech.opus", JINGLE_ERROR_FILE);
}

static size_t film_bytes(uint8_t **bytes)
{
    FILE *file = fopen(silent_film, "rb");
    assert_non_null(file);
    *bytes = malloc(1 << 20);
    size_t count = fread(*bytes, 1, 1 << 20, file);
    fclose(file);
    return count;
}

static void test_a_film_that_breaks_off_ends(void **state)
{
    (void)state;
    uint8_t *bytes;
    size_t count = film_bytes(&bytes);
    make_bytes(other, bytes, count * 2 / 3);
    free(bytes);
    jingle_video_source *source = opened(other, false, NULL);
    uint32_t ms;
    int64_t began;
    long got;
    do {
        got = watch(source, &ms, &began);
    } while (got == 1);
    assert_int_equal(got, JINGLE_VIDEO_END);
    jingle_video_source_free(source);
}

static void test_broken_bytes_do_no_harm(void **state)
{
    (void)state;
    uint8_t *bytes;
    size_t count = film_bytes(&bytes);
    unsigned seed = 1;
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 20; i++) {
            seed = seed * 1103515245 + 12345;
            bytes[seed / 7 % count] ^= (uint8_t)(1 + seed % 255);
        }
        make_bytes(other, bytes, count);
        jingle_audio_source *sound;
        jingle_video_source *source = jingle_video_source_file(other, true, &sound, NULL);
        if (source) {
            jingle_video_format format = {0};
            jingle_picture picture;
            source->start(source->user, &format);
            for (int i = 0; i < 5; i++) {
                source->read(source->user, &picture, 10 * MS);
            }
        }
        jingle_video_source_free(source);
        jingle_audio_source_free(sound);
    }
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pictures_come_at_their_times_and_then_it_ends),
        cmocka_unit_test(test_nothing_comes_before_its_time),
        cmocka_unit_test(test_a_loop_begins_again_without_a_gap),
        cmocka_unit_test(test_sound_keeps_step_with_the_pictures),
        cmocka_unit_test(test_a_film_that_is_held_goes_on_where_it_was),
        cmocka_unit_test(test_pictures_that_were_away_for_long_jump),
        cmocka_unit_test(test_a_silent_film_has_no_sound),
        cmocka_unit_test(test_what_is_no_film_is_refused),
        cmocka_unit_test(test_a_film_that_breaks_off_ends),
        cmocka_unit_test(test_broken_bytes_do_no_harm),
    };
    return cmocka_run_group_tests(tests, set_up_group, tear_down_group);
}
