/* Recordings, opened again by libavformat and decoded. */
#include "media/webm_recording.h"

#include "codecs/video_codec.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <math.h>
#include <opus.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    START = 7000000, /* usec on the clock when the recording begins */
    SECOND = 1000000,
    FRAME_TIME = 40000, /* 25 a second */
    PACKET_TIME = 20000,
    PACKET_SAMPLES = 960,
    DIFFERENCE = 2, /* ms that times may differ by: WebM counts in ms */
};

static char folder[64];
static char path[128];

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/jingle-webm-XXXXXX");
    if (!mkdtemp(folder)) {
        return -1;
    }
    snprintf(path, sizeof path, "%s/call.webm", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

/* --- a peer ------------------------------------------------------------------------------- */

struct peer {
    OpusEncoder *opus;
    uint32_t timestamp;
    double phase;
    const struct video_codec *codec;
    struct video_encoder *encoder;
    struct video_encoder_config config;
    struct coded_frame *frame;
    uint8_t *pixels;
    unsigned frames;
    size_t bytes; /* coded so far, of both */
};

static void peer_init(struct peer *p, const struct video_codec *codec, uint32_t width,
                      uint32_t height)
{
    int error;
    *p = (struct peer){.timestamp = 0xfffff000, .codec = codec};
    p->opus = opus_encoder_create(48000, 1, OPUS_APPLICATION_VOIP, &error);
    assert_non_null(p->opus);
    if (codec) {
        p->config = (struct video_encoder_config){.width = width,
                                                  .height = height,
                                                  .bitrate = 500000,
                                                  .frame_rate = 25,
                                                  .temporal_layers = 1,
                                                  .speed = codec->speed_fastest};
        p->encoder = video_encoder_new(codec, &p->config);
        p->frame = coded_frame_new(0);
        p->pixels = malloc(4096 * 4096 / 8);
        assert_non_null(p->encoder);
    }
}

static void peer_clear(struct peer *p)
{
    opus_encoder_destroy(p->opus);
    if (p->codec) {
        video_encoder_free(p->encoder);
        coded_frame_free(p->frame);
        free(p->pixels);
    }
}

static size_t speak(struct peer *p, uint8_t packet[static 1500])
{
    int16_t samples[PACKET_SAMPLES];
    for (int i = 0; i < PACKET_SAMPLES; i++) {
        samples[i] = (int16_t)(8000 * sin(p->phase));
        p->phase += 2 * M_PI * 440 / 48000;
    }
    int bytes = opus_encode(p->opus, samples, PACKET_SAMPLES, packet, 1500);
    assert_true(bytes > 0);
    p->timestamp += PACKET_SAMPLES;
    p->bytes += (size_t)bytes;
    return (size_t)bytes;
}

/* A picture that moves a little each time. */
static const struct coded_frame *film(struct peer *p, bool key)
{
    uint32_t width = p->config.width;
    uint32_t height = p->config.height;
    uint8_t *chroma = p->pixels + (size_t)width * height;
    for (uint32_t y = 0; y < height; y++) {
        memset(p->pixels + (size_t)y * width, (int)(16 + (y * 2 + p->frames) % 200), width);
    }
    memset(chroma, 100, (size_t)width * height / 2);
    jingle_picture picture = {
        .size = sizeof picture,
        .width = width,
        .height = height,
        .planes = {p->pixels, chroma, chroma + width * height / 4},
        .strides = {width, width / 2, width / 2},
    };
    p->frames++;
    assert_int_equal(video_encode(p->encoder, &picture, key, p->frame), 1);
    p->bytes += p->frame->size;
    if (p->frame->key) { /* as the depacketiser tells */
        p->frame->width = width;
        p->frame->height = height;
    }
    return p->frame;
}

static void resize(struct peer *p, uint32_t width, uint32_t height)
{
    p->config.width = width;
    p->config.height = height;
    assert_int_equal(video_encoder_set(p->encoder, &p->config), JINGLE_OK);
}

static struct webm_recording *begin(const struct webm_hooks *hooks)
{
    struct webm_recording *recording = NULL;
    assert_int_equal(webm_new(path, hooks, &recording), JINGLE_OK);
    return recording;
}

/* The times are from the beginning of the recording; they jitter as arrival does. */
static void talk(struct webm_recording *recording, struct peer *p, int64_t from, int64_t to)
{
    uint8_t packet[1500];
    for (int64_t t = from; t < to; t += PACKET_TIME) {
        uint32_t timestamp = p->timestamp;
        size_t bytes = speak(p, packet);
        int64_t jitter = t > from ? (t / PACKET_TIME * 7919) % 15000 : 0;
        webm_audio(recording, packet, bytes, timestamp, START + t + jitter);
    }
}

static void call(struct webm_recording *recording, struct peer *p, int64_t from, int64_t to)
{
    for (int64_t t = from; t < to; t += FRAME_TIME) {
        webm_video(recording, film(p, false), p->codec->name, START + t);
        talk(recording, p, t, t + FRAME_TIME);
    }
}

/* --- opened again ------------------------------------------------------------------------- */

enum { PACKETS_MAX = 1000 };

struct seen {
    unsigned streams;
    enum AVCodecID audio, video; /* NONE: there is no such track */
    int width, height;           /* as the head says */
    double duration;             /* seconds, of the head; negative: not said */
    unsigned audio_packets, video_packets;
    int64_t audio_times[PACKETS_MAX]; /* ms */
    int64_t video_times[PACKETS_MAX];
    unsigned samples; /* decoded, at 48 kHz */
    unsigned pictures;
    int last_width, last_height; /* of the last one decoded */
    bool in_order;
};

static AVCodecContext *decoder_of(const AVStream *stream)
{
    AVCodecContext *context =
        avcodec_alloc_context3(avcodec_find_decoder(stream->codecpar->codec_id));
    assert_non_null(context);
    assert_true(avcodec_parameters_to_context(context, stream->codecpar) >= 0);
    assert_int_equal(avcodec_open2(context, NULL, NULL), 0);
    return context;
}

static void decode(struct seen *seen, AVCodecContext *context, const AVPacket *packet)
{
    AVFrame *frame = av_frame_alloc();
    assert_int_equal(avcodec_send_packet(context, packet), 0);
    while (avcodec_receive_frame(context, frame) == 0) {
        if (context->codec_type == AVMEDIA_TYPE_AUDIO) {
            seen->samples += (unsigned)frame->nb_samples;
        } else {
            seen->pictures++;
            seen->last_width = frame->width;
            seen->last_height = frame->height;
        }
    }
    av_frame_free(&frame);
}

static void see_packet(struct seen *seen, AVCodecContext *context, const AVPacket *packet)
{
    if (context->codec_type == AVMEDIA_TYPE_AUDIO) {
        assert_true(seen->audio_packets < PACKETS_MAX);
        seen->audio_times[seen->audio_packets++] = packet->pts;
    } else {
        assert_true(seen->video_packets < PACKETS_MAX);
        if (seen->video_packets == 0) {
            assert_true(packet->flags & AV_PKT_FLAG_KEY);
        }
        seen->video_times[seen->video_packets++] = packet->pts;
    }
    decode(seen, context, packet);
}

static void see_streams(struct seen *seen, const AVFormatContext *format,
                        AVCodecContext *decoders[2])
{
    assert_in_range(format->nb_streams, 0, 2);
    seen->streams = format->nb_streams;
    for (unsigned i = 0; i < format->nb_streams; i++) {
        const AVCodecParameters *codec = format->streams[i]->codecpar;
        decoders[i] = decoder_of(format->streams[i]);
        if (codec->codec_type == AVMEDIA_TYPE_AUDIO) {
            seen->audio = codec->codec_id;
        } else {
            seen->video = codec->codec_id;
            seen->width = codec->width;
            seen->height = codec->height;
        }
    }
}

static void open_again(struct seen *seen)
{
    AVFormatContext *format = NULL;
    AVCodecContext *decoders[2] = {NULL, NULL};
    *seen = (struct seen){.in_order = true};
    assert_int_equal(avformat_open_input(&format, path, NULL, NULL), 0);
    assert_string_equal(format->iformat->name, "matroska,webm");
    seen->duration =
        format->duration > 0 ? (double)format->duration / AV_TIME_BASE : -1; /* of the head */
    see_streams(seen, format, decoders);
    AVPacket *packet = av_packet_alloc();
    int64_t before = INT64_MIN;
    while (av_read_frame(format, packet) == 0) {
        see_packet(seen, decoders[packet->stream_index], packet);
        seen->in_order = seen->in_order && packet->pts >= before;
        before = packet->pts;
        av_packet_unref(packet);
    }
    av_packet_free(&packet);
    avcodec_free_context(&decoders[0]);
    avcodec_free_context(&decoders[1]);
    avformat_close_input(&format);
}

static void assert_near(int64_t ms, int64_t wanted)
{
    if (llabs(ms - wanted) > DIFFERENCE) {
        fail_msg("%lld ms where %lld were wanted", (long long)ms, (long long)wanted);
    }
}

/* --- what is promised --------------------------------------------------------------------- */

static void record_call(const struct video_codec *codec, enum AVCodecID id)
{
    struct peer peer;
    struct seen seen;
    peer_init(&peer, codec, 320, 240);
    struct webm_recording *recording = begin(NULL);
    assert_true(webm_wants_key_frame(recording));
    call(recording, &peer, 0, 3 * SECOND);
    assert_false(webm_wants_key_frame(recording));
    webm_free(recording);
    peer_clear(&peer);

    open_again(&seen);
    assert_int_equal(seen.streams, 2);
    assert_int_equal(seen.audio, AV_CODEC_ID_OPUS);
    assert_int_equal(seen.video, id);
    assert_int_equal(seen.width, 320);
    assert_int_equal(seen.height, 240);
    assert_true(fabs(seen.duration - 3) < 0.05);
    assert_int_equal(seen.audio_packets, 150);
    assert_int_equal(seen.samples, 150 * PACKET_SAMPLES);
    assert_int_equal(seen.video_packets, 75);
    assert_int_equal(seen.pictures, 75);
    assert_int_equal(seen.last_width, 320);
    assert_true(seen.in_order);
    for (unsigned i = 0; i < seen.video_packets; i++) {
        assert_near(seen.video_times[i], i * FRAME_TIME / 1000);
    }
}

static void test_a_call_with_vp8_is_opened_again_with_both_tracks(void **state)
{
    (void)state;
    record_call(&codec_vp8, AV_CODEC_ID_VP8);
}

static void test_a_call_with_vp9_is_opened_again_with_both_tracks(void **state)
{
    (void)state;
    record_call(&codec_vp9, AV_CODEC_ID_VP9);
}

static void test_sound_keeps_the_pace_of_rtp_though_it_arrives_unevenly(void **state)
{
    (void)state;
    struct peer peer;
    struct seen seen;
    peer_init(&peer, NULL, 0, 0);
    struct webm_recording *recording = begin(NULL);
    talk(recording, &peer, 0, 2 * SECOND);
    webm_free(recording);
    peer_clear(&peer);
    open_again(&seen);
    assert_int_equal(seen.audio_packets, 100);
    for (unsigned i = 1; i < seen.audio_packets; i++) {
        assert_near(seen.audio_times[i] - seen.audio_times[i - 1], PACKET_TIME / 1000);
    }
}

static void test_a_call_without_pictures_has_one_track(void **state)
{
    (void)state;
    struct peer peer;
    struct seen seen;
    peer_init(&peer, NULL, 0, 0);
    struct webm_recording *recording = begin(NULL);
    talk(recording, &peer, 0, 4 * SECOND);
    webm_free(recording);
    peer_clear(&peer);
    open_again(&seen);
    assert_int_equal(seen.streams, 1);
    assert_int_equal(seen.audio, AV_CODEC_ID_OPUS);
    assert_int_equal(seen.audio_packets, 200);
    assert_true(fabs(seen.duration - 4) < 0.05);
}

static void test_a_recording_of_nothing_is_a_file_all_the_same(void **state)
{
    (void)state;
    struct seen seen;
    webm_free(begin(NULL));
    open_again(&seen);
    assert_int_equal(seen.streams, 1);
    assert_int_equal(seen.audio_packets, 1); /* of silence */
}

static void test_pictures_that_begin_later_are_shown_at_their_time(void **state)
{
    (void)state;
    struct peer peer;
    struct seen seen;
    peer_init(&peer, &codec_vp9, 640, 360);
    struct webm_recording *recording = begin(NULL);
    talk(recording, &peer, 0, 3 * SECOND);
    call(recording, &peer, 3 * SECOND, 4 * SECOND);
    webm_free(recording);
    peer_clear(&peer);
    open_again(&seen);
    assert_int_equal(seen.video, AV_CODEC_ID_VP9);
    assert_int_equal(seen.width, 640);
    assert_int_equal(seen.height, 360);
    assert_int_equal(seen.pictures, 25);
    assert_near(seen.video_times[0], 3000);
    assert_int_equal(seen.audio_packets, 200);
}

static void test_pictures_begin_with_a_key_frame(void **state)
{
    (void)state;
    struct peer peer;
    struct seen seen;
    peer_init(&peer, &codec_vp8, 320, 240);
    struct webm_recording *recording = begin(NULL);
    film(&peer, true); /* was before the recording */
    talk(recording, &peer, 0, PACKET_TIME);
    for (int i = 0; i < 5; i++) {
        webm_video(recording, film(&peer, false), "VP8", START + i * FRAME_TIME);
        assert_true(webm_wants_key_frame(recording));
    }
    webm_video(recording, film(&peer, true), "VP8", START + 5 * FRAME_TIME);
    assert_false(webm_wants_key_frame(recording));
    webm_video(recording, film(&peer, false), "VP8", START + 6 * FRAME_TIME);
    webm_free(recording);
    peer_clear(&peer);
    open_again(&seen);
    assert_int_equal(seen.pictures, 2);
    assert_near(seen.video_times[0], 5 * FRAME_TIME / 1000);
}

static void test_pictures_may_change_their_size(void **state)
{
    (void)state;
    struct peer peer;
    struct seen seen;
    peer_init(&peer, &codec_vp8, 640, 360);
    struct webm_recording *recording = begin(NULL);
    call(recording, &peer, 0, SECOND);
    resize(&peer, 320, 180);
    call(recording, &peer, SECOND, 2 * SECOND);
    webm_free(recording);
    peer_clear(&peer);
    open_again(&seen);
    assert_int_equal(seen.width, 640);
    assert_int_equal(seen.pictures, 50);
    assert_int_equal(seen.last_width, 320);
    assert_int_equal(seen.last_height, 180);
}

static void test_pictures_of_another_codec_are_left_out(void **state)
{
    (void)state;
    struct peer first;
    struct peer second;
    struct seen seen;
    peer_init(&first, &codec_vp8, 320, 240);
    peer_init(&second, &codec_vp9, 320, 240);
    struct webm_recording *recording = begin(NULL);
    call(recording, &first, 0, SECOND);
    webm_video(recording, film(&second, true), "VP9", START + SECOND);
    webm_video(recording, film(&second, true), "H264", START + SECOND);
    webm_free(recording);
    peer_clear(&first);
    peer_clear(&second);
    open_again(&seen);
    assert_int_equal(seen.video, AV_CODEC_ID_VP8);
    assert_int_equal(seen.pictures, 25);
}

static void test_packets_out_of_order_are_put_in_order(void **state)
{
    (void)state;
    struct peer peer;
    struct seen seen;
    uint8_t packets[4][1500];
    size_t bytes[4];
    peer_init(&peer, NULL, 0, 0);
    struct webm_recording *recording = begin(NULL);
    for (int64_t t = 0; t < 2 * SECOND; t += 4LL * PACKET_TIME) {
        static const unsigned order[] = {1, 0, 3, 2};
        uint32_t timestamp = peer.timestamp;
        for (int i = 0; i < 4; i++) {
            bytes[i] = speak(&peer, packets[i]);
        }
        for (int i = 0; i < 4; i++) {
            unsigned k = order[i];
            webm_audio(recording, packets[k], bytes[k], timestamp + k * PACKET_SAMPLES,
                       START + t + (i + 1LL) * PACKET_TIME);
        }
    }
    webm_free(recording);
    peer_clear(&peer);
    open_again(&seen);
    assert_int_equal(seen.audio_packets, 100);
    assert_true(seen.in_order);
    for (unsigned i = 1; i < seen.audio_packets; i++) {
        assert_near(seen.audio_times[i] - seen.audio_times[i - 1], PACKET_TIME / 1000);
    }
}

static void test_silence_that_is_not_sent_keeps_its_time(void **state)
{
    (void)state;
    struct peer peer;
    struct seen seen;
    peer_init(&peer, NULL, 0, 0);
    struct webm_recording *recording = begin(NULL);
    talk(recording, &peer, 0, SECOND);
    peer.timestamp += 2 * 48000; /* DTX: RTP's clock goes on */
    talk(recording, &peer, 3 * SECOND, 4 * SECOND);
    peer.timestamp += 0x12345678; /* another stream after a hold of a minute */
    talk(recording, &peer, 64 * SECOND, 65 * SECOND);
    webm_free(recording);
    peer_clear(&peer);
    open_again(&seen);
    assert_int_equal(seen.audio_packets, 150);
    assert_near(seen.audio_times[50], 3000);
    assert_near(seen.audio_times[100], 64000);
    assert_true(fabs(seen.duration - 65) < 0.05);
}

static void test_clocks_that_drift_apart_keep_sound_and_picture_together(void **state)
{
    (void)state;
    struct peer peer;
    struct seen seen;
    uint8_t packet[1500];
    enum { PACKETS = 900, SLOW = 20 }; /* usec a packet: 0.1 % */
    peer_init(&peer, NULL, 0, 0);
    struct webm_recording *recording = begin(NULL);
    for (int i = 0; i < PACKETS; i++) {
        uint32_t timestamp = peer.timestamp;
        size_t bytes = speak(&peer, packet);
        webm_audio(recording, packet, bytes, timestamp, START + i * (PACKET_TIME + SLOW));
    }
    webm_free(recording);
    peer_clear(&peer);
    open_again(&seen);
    int64_t last = (int64_t)(PACKETS - 1) * (PACKET_TIME + SLOW) / 1000;
    assert_in_range(seen.audio_times[PACKETS - 1], last - 15, last + 1);
}

static void test_what_is_no_media_is_left_out(void **state)
{
    (void)state;
    struct seen seen;
    struct webm_recording *recording = begin(NULL);
    static const uint8_t garbage[] = {0xff, 0xff, 0xff};
    struct coded_frame empty = {.key = true};
    webm_audio(recording, garbage, 0, 0, START);
    webm_audio(recording, garbage, sizeof garbage, 0, START);
    webm_video(recording, &empty, "VP8", START);
    webm_free(recording);
    open_again(&seen);
    assert_int_equal(seen.streams, 1);
    assert_int_equal(seen.audio_packets, 1); /* of silence */
}

/* What it says of the file, on both of its outputs. */
static void ask_ffprobe(char *answer, size_t size)
{
    char command[300];
    snprintf(command, sizeof command,
             "ffprobe -v warning -count_packets -show_entries stream=codec_name,nb_read_packets "
             "-of csv=p=0 %s 2>&1",
             path);
    FILE *said = popen(command, "r"); // NOLINT(cert-env33-c): a test's own words
    assert_non_null(said);
    size_t got = fread(answer, 1, size - 1, said);
    answer[got] = 0;
    if (WEXITSTATUS(pclose(said)) == 127) {
        skip(); /* it is not installed */
    }
}

static void test_ffprobe_has_nothing_to_complain_of(void **state)
{
    (void)state;
    struct peer peer;
    char answer[1000];
    peer_init(&peer, &codec_vp8, 320, 240);
    struct webm_recording *recording = begin(NULL);
    call(recording, &peer, 0, 2 * SECOND);
    webm_free(recording);
    ask_ffprobe(answer, sizeof answer);
    assert_string_equal(answer, "opus,100\nvp8,50\n");
    recording = begin(NULL);
    talk(recording, &peer, 0, 2 * SECOND);
    webm_free(recording);
    peer_clear(&peer);
    ask_ffprobe(answer, sizeof answer);
    assert_string_equal(answer, "opus,100\n");
}

/* --- trouble ------------------------------------------------------------------------------ */

static void test_a_file_that_cannot_be_made_is_told_at_once(void **state)
{
    (void)state;
    struct webm_recording *recording = (struct webm_recording *)folder;
    assert_int_equal(webm_new("/nonexistent/a.webm", NULL, &recording), JINGLE_ERROR_FILE);
    assert_null(recording);
    assert_int_equal(webm_new(folder, NULL, &recording), JINGLE_ERROR_FILE);
    assert_int_equal(webm_new("/dev/null", NULL, &recording), JINGLE_ERROR_FILE);
    webm_free(NULL);
}

static off_t size_of_file(void)
{
    struct stat info;
    return stat(path, &info) == 0 ? info.st_size : 0;
}

/* What a process does that dies in the middle: it never comes to webm_free(). Meanwhile the writer
 * has brought to the disk what is old enough. */
static void record_and_die(void)
{
    struct peer peer;
    peer_init(&peer, &codec_vp8, 320, 240);
    struct webm_recording *recording = begin(NULL);
    call(recording, &peer, 0, 4 * SECOND);
    size_t wanted = peer.bytes;
    call(recording, &peer, 4 * SECOND, 6 * SECOND);
    for (int i = 0; i < 1000 && size_of_file() < (off_t)wanted; i++) {
        poll(NULL, 0, 10);
    }
    _exit(size_of_file() < (off_t)wanted);
}

static void test_the_file_of_a_process_that_died_can_be_played(void **state)
{
    (void)state;
    struct seen seen;
    pid_t child = fork();
    if (child == 0) {
        record_and_die();
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    open_again(&seen);
    assert_int_equal(seen.streams, 2);
    assert_int_equal(seen.width, 320);
    assert_in_range(seen.audio_times[seen.audio_packets - 1], 3000, 6000);
    assert_in_range(seen.video_times[seen.video_packets - 1], 3000, 6000);
    assert_int_equal(seen.pictures, seen.video_packets);
}

struct told {
    atomic_int count;
    atomic_int status;
};

static void tell(void *user, jingle_status status)
{
    struct told *told = user;
    atomic_fetch_add(&told->count, 1);
    atomic_store(&told->status, status);
}

static void test_a_disk_that_fills_up_is_told_once_and_keeps_what_was_written(void **state)
{
    (void)state;
    struct told told = {0};
    struct seen seen;
    struct peer peer;
    struct rlimit before;
    peer_init(&peer, NULL, 0, 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_IGN);
    struct webm_recording *recording = begin(&(struct webm_hooks){.user = &told, .trouble = tell});
    struct rlimit full = {.rlim_cur = 30000, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
    talk(recording, &peer, 0, 8 * SECOND);
    for (int i = 0; i < 1000 && atomic_load(&told.count) == 0; i++) {
        poll(NULL, 0, 10);
    }
    talk(recording, &peer, 8 * SECOND, 12 * SECOND);
    webm_free(recording);
    peer_clear(&peer);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(atomic_load(&told.count), 1);
    assert_int_equal(atomic_load(&told.status), JINGLE_ERROR_FILE);
    av_log_set_level(AV_LOG_QUIET); /* "File ended prematurely" */
    open_again(&seen);
    av_log_set_level(AV_LOG_INFO);
    assert_true(seen.audio_packets > 100);
}

static void test_a_burst_that_no_disk_can_take_is_bounded(void **state)
{
    (void)state;
    struct webm_recording *recording = begin(NULL);
    struct coded_frame *frame = coded_frame_new(3 << 20);
    assert_non_null(frame);
    memset(frame->bytes, 0, 3 << 20);
    frame->size = 3 << 20;
    frame->width = frame->height = 320;
    bool wanted = false;
    for (int i = 0; i < 400 && !wanted; i++) { /* far faster than it can be written */
        frame->key = i == 0;
        webm_video(recording, frame, "VP8", START + i);
        wanted = webm_wants_key_frame(recording);
    }
    assert_true(wanted);
    coded_frame_free(frame);
    webm_free(recording);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_call_with_vp8_is_opened_again_with_both_tracks),
        cmocka_unit_test(test_a_call_with_vp9_is_opened_again_with_both_tracks),
        cmocka_unit_test(test_sound_keeps_the_pace_of_rtp_though_it_arrives_unevenly),
        cmocka_unit_test(test_a_call_without_pictures_has_one_track),
        cmocka_unit_test(test_a_recording_of_nothing_is_a_file_all_the_same),
        cmocka_unit_test(test_pictures_that_begin_later_are_shown_at_their_time),
        cmocka_unit_test(test_pictures_begin_with_a_key_frame),
        cmocka_unit_test(test_pictures_may_change_their_size),
        cmocka_unit_test(test_pictures_of_another_codec_are_left_out),
        cmocka_unit_test(test_packets_out_of_order_are_put_in_order),
        cmocka_unit_test(test_silence_that_is_not_sent_keeps_its_time),
        cmocka_unit_test(test_clocks_that_drift_apart_keep_sound_and_picture_together),
        cmocka_unit_test(test_what_is_no_media_is_left_out),
        cmocka_unit_test(test_ffprobe_has_nothing_to_complain_of),
        cmocka_unit_test(test_a_file_that_cannot_be_made_is_told_at_once),
        cmocka_unit_test(test_the_file_of_a_process_that_died_can_be_played),
        cmocka_unit_test(test_a_disk_that_fills_up_is_told_once_and_keeps_what_was_written),
        cmocka_unit_test(test_a_burst_that_no_disk_can_take_is_bounded),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
