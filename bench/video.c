/* One call with 1280 by 720 pictures, 30 a second, VP8, both ways between two processes over
 * loopback, with real ICE, DTLS and SRTP. The pictures are drawn beforehand and shown nowhere. The
 * voice beside them is G.711, whose coding costs next to nothing.
 *
 *     cpu_ratio          user and system time of both processes while the call runs, against two
 *                        processes that do nothing but encode and decode the same pictures at the
 *                        same pace, size and bit rate, after the same time to settle
 *     delay_ms_median    from the moment a picture is handed to the engine to the moment it is
 *                        handed to the sink at the other end; each picture carries its time, as
 *                        those of the test picture do (media/picture_code.h)
 *     rss_per_call_kib   of the larger process: with the call less without it; without the code of
 *                        libraries, which is there once, however many calls there are */
#include "base/clock.h"
#include "codecs/encoder_speed.h"
#include "codecs/video_codec.h"
#include "media/picture_code.h"
#include "peers.h"

#include <glib.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define WIDTH      1280
#define HEIGHT     720
#define FRAME_RATE 30
#define BITRATE    2500000 /* the engine's default */
#define DRAWN      60      /* pictures, shown forwards and backwards */
#define SETTLE     (10 * USEC_PER_SEC)
#define PATIENCE   (30 * USEC_PER_SEC)
#define DELAYS_MAX (FRAME_RATE * 600)

/* ---------------------------------------------------------------------------- the pictures -- */

#define LUMA   ((size_t)WIDTH * HEIGHT)
#define CHROMA (LUMA / 4)

static uint8_t *drawn[DRAWN];

static void copy_plane(uint8_t *to, size_t width, size_t height, const uint8_t *from, size_t stride)
{
    for (size_t row = 0; row < height; row++) {
        memcpy(to + row * width, from + row * stride, width);
    }
}

static void draw_all(void)
{
    jingle_status status;
    jingle_video_format format = {WIDTH, HEIGHT, 120};
    jingle_video_source *source = jingle_video_source_test(WIDTH, HEIGHT, 120, &status);
    if (!source || source->start(source->user, &format) != JINGLE_OK) {
        fputs("No test picture.\n", stderr);
        exit(1);
    }
    for (int i = 0; i < DRAWN * 4;) {
        jingle_picture picture = {.size = sizeof picture};
        if (source->read(source->user, &picture, USEC_PER_SEC) != 1) {
            continue;
        }
        if (i % 4 == 0) { /* every fourth of 120 a second is 30 a second */
            uint8_t *at = drawn[i / 4] = g_malloc(LUMA + 2 * CHROMA);
            copy_plane(at, WIDTH, HEIGHT, picture.planes[0], picture.strides[0]);
            copy_plane(at + LUMA, WIDTH / 2, HEIGHT / 2, picture.planes[1], picture.strides[1]);
            copy_plane(at + LUMA + CHROMA, WIDTH / 2, HEIGHT / 2, picture.planes[2],
                       picture.strides[2]);
        }
        i++;
    }
    jingle_video_source_free(source);
}

#define CELL_WIDTH  (WIDTH / PICTURE_CODE_COLUMNS)
#define CELL_HEIGHT (HEIGHT / PICTURE_CODE_GRID_ROWS)

static void write_code(uint8_t *luma, uint32_t time, uint16_t number)
{
    struct picture_code code = picture_code_make(time, number);
    for (size_t row = 0; row < PICTURE_CODE_ROWS * CELL_HEIGHT; row++) {
        uint32_t bits = code.rows[row / CELL_HEIGHT];
        uint8_t *at = luma + (PICTURE_CODE_FIRST_ROW * CELL_HEIGHT + row) * WIDTH;
        for (int column = 0; column < PICTURE_CODE_COLUMNS; column++) {
            memset(at + column * CELL_WIDTH, bits >> (31 - column) & 1 ? 235 : 16, CELL_WIDTH);
        }
    }
}

static uint32_t read_row(const jingle_picture *picture, int row)
{
    uint32_t bits = 0;
    size_t y = (size_t)(PICTURE_CODE_FIRST_ROW + row) * CELL_HEIGHT + CELL_HEIGHT / 2;
    for (int column = 0; column < PICTURE_CODE_COLUMNS; column++) {
        size_t x = (size_t)column * CELL_WIDTH + CELL_WIDTH / 2;
        bits = bits << 1 | (picture->planes[0][y * picture->strides[0] + x] > 125);
    }
    return bits;
}

/* The n-th picture of an endless film, with the time in it. */
static jingle_picture film_picture(uint64_t n, usec now)
{
    uint64_t at = n % (2 * DRAWN - 2);
    uint8_t *planes = drawn[at < DRAWN ? at : 2 * DRAWN - 2 - at];
    write_code(planes, (uint32_t)(now / USEC_PER_MS), (uint16_t)n);
    return (jingle_picture){
        .size = sizeof(jingle_picture),
        .width = WIDTH,
        .height = HEIGHT,
        .planes = {planes, planes + LUMA, planes + LUMA + CHROMA},
        .strides = {WIDTH, WIDTH / 2, WIDTH / 2},
        .time = now,
    };
}

/* ---------------------------------------------------------------------- source and sink -- */

struct film {
    jingle_video_source source;
    jingle_video_sink sink;
    usec start;
    uint64_t next;
};

static _Atomic bool measuring;
static uint32_t delays[DELAYS_MAX]; /* ms; the sink's thread, read when it has ended */
static _Atomic size_t delay_count;
static _Atomic long unreadable;

static jingle_status start_film(void *user, jingle_video_format *format)
{
    struct film *film = user;
    *format = (jingle_video_format){WIDTH, HEIGHT, FRAME_RATE};
    film->start = clock_now();
    film->next = 0;
    return JINGLE_OK;
}

static usec due(const struct film *film)
{
    return film->start + (usec)(film->next * USEC_PER_SEC / FRAME_RATE);
}

static long read_film(void *user, jingle_picture *picture, int64_t timeout)
{
    struct film *film = user;
    usec wait = due(film) - clock_now();
    if (wait > 0) {
        g_usleep((gulong)MIN(wait, timeout));
    }
    usec now = clock_now();
    if (now < due(film)) {
        return 0;
    }
    *picture = film_picture(film->next++, now);
    while (due(film) < now) {
        film->next++; /* too late for these */
    }
    return 1;
}

static jingle_status watch(void *user, const jingle_picture *picture)
{
    (void)user;
    if (!atomic_load(&measuring)) {
        return JINGLE_OK;
    }
    uint32_t time = read_row(picture, 0);
    uint32_t second = read_row(picture, 1);
    size_t count = atomic_load(&delay_count);
    bool readable = picture->width == WIDTH && picture->height == HEIGHT &&
                    (second & 0xffff) == picture_code_crc(time, (uint16_t)(second >> 16));
    if (readable && count < DELAYS_MAX) {
        delays[count] = (uint32_t)(clock_now() / USEC_PER_MS) - time;
        atomic_store(&delay_count, count + 1);
    } else {
        atomic_fetch_add(&unreadable, 1);
    }
    return JINGLE_OK;
}

/* ------------------------------------------------------------------------------ the call -- */

static double cpu_now(void)
{
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
           (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

/* "RssAnon:    12345 kB" */
static long resident_kib(void)
{
    char line[128];
    long kib = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status)) {
        if (strncmp(line, "RssAnon:", 8) == 0) {
            kib = strtol(line + 8, NULL, 10);
        }
    }
    if (status) {
        fclose(status);
    }
    return kib;
}

/* What one process found; the callee sends its own to the caller. */
struct result {
    double cpu; /* seconds */
    double delay_ms;
    long rss_kib;
    long shown;
    long unreadable;
    jingle_video_statistics video;
};

struct call {
    struct peer peer; /* first: the peer's hooks get it */
    struct film film;
    int seconds;
    bool connected;
    bool go;
    bool have_result;
    long idle_kib;
    struct result other;
    jingle_video_statistics video;
};

static jingle_session_config call_config(struct call *call, jingle_video_config *video)
{
    jingle_session_config config;
    jingle_video_config_init(video);
    call->film.source = (jingle_video_source){
        .size = sizeof call->film.source,
        .user = &call->film,
        .start = start_film,
        .read = read_film,
    };
    call->film.sink = (jingle_video_sink){.size = sizeof call->film.sink, .write = watch};
    video->source = &call->film.source;
    video->sink = &call->film.sink;
    jingle_session_config_init(&config);
    config.codec = "PCMU";
    config.source = jingle_audio_source_silence(NULL);
    config.sink = jingle_audio_sink_null(NULL);
    config.video = video;
    return config;
}

static void on_event(struct peer *peer, const jingle_event *event)
{
    struct call *call = (struct call *)peer;
    jingle_video_config video;
    if (event->type == JINGLE_EVENT_INCOMING) {
        jingle_session_config config = call_config(call, &video);
        jingle_session_accept(event->session, &config);
    } else if (event->type == JINGLE_EVENT_CONNECTED) {
        call->connected = true;
    } else if (event->type == JINGLE_EVENT_STATISTICS) {
        call->video = event->u.statistics.video;
    } else if (event->type == JINGLE_EVENT_ENDED && atomic_load(&measuring)) {
        fprintf(stderr, "The call ended too early: %s\n", event->text);
        exit(1);
    }
}

static void on_note(struct peer *peer, const void *note, size_t bytes)
{
    struct call *call = (struct call *)peer;
    if (bytes == sizeof call->other) {
        memcpy(&call->other, note, bytes);
        call->have_result = true;
    } else {
        call->go = true;
    }
}

static bool is_connected(void *user)
{
    return ((struct call *)user)->connected;
}

static bool told_to_go(void *user)
{
    return ((struct call *)user)->go;
}

static bool has_result(void *user)
{
    return ((struct call *)user)->have_result;
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static struct result measure(struct call *call)
{
    double cpu = cpu_now();
    atomic_store(&measuring, true);
    peer_run_for(&call->peer, call->seconds * USEC_PER_SEC);
    atomic_store(&measuring, false);
    struct result result = {
        .cpu = cpu_now() - cpu,
        .rss_kib = resident_kib() - call->idle_kib,
        .shown = (long)atomic_load(&delay_count),
        .unreadable = atomic_load(&unreadable),
        .video = call->video,
    };
    result.video.codec = "";
    result.video.codec_received = "";
    qsort(delays, (size_t)result.shown, sizeof *delays, compare);
    result.delay_ms = result.shown ? delays[result.shown / 2] : 0;
    return result;
}

static void run_callee(struct call *call)
{
    peer_run(&call->peer, is_connected, PATIENCE, "the call");
    peer_run(&call->peer, told_to_go, PATIENCE, "the start");
    struct result result = measure(call);
    peer_note(&call->peer, &result, sizeof result);
    call->go = false;
    peer_run(&call->peer, told_to_go, PATIENCE, "the end");
    peer_end(&call->peer);
}

static void run_caller(struct call *call, struct result results[2])
{
    jingle_video_config video;
    jingle_session *session;
    jingle_session_config config = call_config(call, &video);
    jingle_status status = jingle_session_start(call->peer.client, PEER_CALLEE, &config, &session);
    if (status != JINGLE_OK) {
        fprintf(stderr, "No call: %s\n", jingle_strerror(status));
        exit(1);
    }
    jingle_session_unref(session);
    peer_run(&call->peer, is_connected, PATIENCE, "the call");
    peer_run_for(&call->peer, SETTLE);
    peer_note(&call->peer, "go", 2);
    results[0] = measure(call);
    peer_run(&call->peer, has_result, PATIENCE, "the callee's figures");
    peer_note(&call->peer, "go", 2);
    results[1] = call->other;
    peer_end(&call->peer);
}

static void run_call(int seconds, struct result results[2])
{
    struct call call = {.peer = {.event = on_event, .note = on_note}, .seconds = seconds};
    peers_start(&call.peer);
    call.idle_kib = resident_kib();
    if (!call.peer.is_caller) {
        run_callee(&call);
    }
    run_caller(&call, results);
}

/* ----------------------------------------------------------------------------- the codec -- */

static double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* One direction of the call without the engine: encodes and decodes at the pictures' pace. Returns
 * the seconds of CPU after the time that the call has, too, to settle on an encoder's speed. */
static double code_pictures(uint32_t bitrate, int seconds)
{
    uint64_t settled = SETTLE / USEC_PER_SEC * FRAME_RATE;
    double start = 0;
    struct encoder_speed speed;
    struct video_encoder_config config = {
        .width = WIDTH,
        .height = HEIGHT,
        .bitrate = bitrate,
        .frame_rate = FRAME_RATE,
        .temporal_layers = 1,
    };
    encoder_speed_start(&speed, &codec_vp8, WIDTH, HEIGHT);
    config.speed = speed.speed;
    struct video_encoder *encoder = video_encoder_new(&codec_vp8, &config);
    struct video_decoder *decoder = video_decoder_new(&codec_vp8, 0);
    struct coded_frame *frame = coded_frame_new(0);
    struct film film;
    jingle_video_format format;
    start_film(&film, &format);
    while (film.next < settled + (uint64_t)seconds * FRAME_RATE) {
        jingle_picture picture;
        if (read_film(&film, &picture, USEC_PER_SEC) != 1) {
            continue;
        }
        if (start <= 0 && film.next >= settled) {
            start = cpu_seconds();
        }
        usec before = clock_now();
        int made = video_encode(encoder, &picture, false, frame);
        config.speed =
            encoder_speed_update(&speed, clock_now() - before, USEC_PER_SEC / FRAME_RATE);
        video_encoder_set(encoder, &config);
        if (made == 1) {
            video_decode(decoder, frame, &picture);
        }
    }
    double spent = cpu_seconds() - start;
    coded_frame_free(frame);
    video_decoder_free(decoder);
    video_encoder_free(encoder);
    return spent;
}

/* Seconds of CPU of two processes that do so at the same time. */
static double bare_cost(uint32_t bitrate, int seconds)
{
    int told[2];
    double sum = 0, spent;
    fflush(NULL);
    if (pipe(told) < 0) {
        perror("pipe");
        exit(1);
    }
    for (int i = 0; i < 2; i++) {
        pid_t child = fork();
        if (child < 0) {
            perror("fork");
            exit(1);
        }
        if (child == 0) {
            spent = code_pictures(bitrate, seconds);
            _exit(write(told[1], &spent, sizeof spent) == sizeof spent ? 0 : 1);
        }
    }
    close(told[1]);
    while (read(told[0], &spent, sizeof spent) == sizeof spent) {
        sum += spent;
    }
    close(told[0]);
    while (wait(NULL) > 0) {
    }
    return sum;
}

/* ------------------------------------------------------------------------------------- main -- */

static void print_end(const char *name, const struct result *r)
{
    const jingle_video_statistics *v = &r->video;
    printf("%s: sent %ux%u %.1f fps, %.0f kbit/s (encoder told %.0f, path %.0f), encoding %.1f ms, "
           "%llu dropped; shown %ld, %ld unreadable, buffer %.1f ms, decoding %.1f ms, freezes "
           "%llu\n",
           name, v->width_sent, v->height_sent, v->frame_rate_sent, (double)v->bitrate_sent / 1000,
           (double)v->target / 1000, (double)v->estimate / 1000, (double)v->encode_time / 1000,
           (unsigned long long)v->frames_dropped, r->shown, r->unreadable,
           (double)v->buffer_delay / 1000, (double)v->decode_time / 1000,
           (unsigned long long)v->freezes);
}

int main(int argc, char **argv)
{
    int seconds = 30;
    GOptionEntry options[] = {
        {"seconds", 's', 0, G_OPTION_ARG_INT, &seconds, "Time measured, each (30)", "N"},
        {0},
    };
    GOptionContext *context = g_option_context_new("- a video call between two processes");
    g_option_context_add_main_entries(context, options, NULL);
    GError *error = NULL;
    if (!g_option_context_parse(context, &argc, &argv, &error) || seconds < 1 || seconds > 600) {
        fprintf(stderr, "%s\n", error ? error->message : "Out of range.");
        return 2;
    }
    g_option_context_free(context);
    draw_all();

    struct result results[2];
    uint32_t bitrate;
    run_call(seconds, results);
    bitrate = (uint32_t)(results[0].video.target + results[1].video.target) / 2;
    double bare = bare_cost(bitrate ? bitrate : BITRATE, seconds);
    double cpu = results[0].cpu + results[1].cpu;
    double delay = MAX(results[0].delay_ms, results[1].delay_ms);
    long rss = MAX(results[0].rss_kib, results[1].rss_kib);
    print_end("caller", &results[0]);
    print_end("callee", &results[1]);
    printf("CPU of the call for %d s          %8.2f s  (bare codec %.2f s)\n", seconds, cpu, bare);
    printf("CPU against the bare codec        %8.2f    (at most 1.15)\n", cpu / bare);
    printf("from capture to display, median   %8.0f ms (at most 80)\n", delay);
    printf("memory per call                   %8ld KiB (at most 61440)\n", rss);
    printf("{\"cpu_ratio\": %.3f, \"delay_ms_median\": %.0f, \"rss_per_call_kib\": %ld}\n",
           cpu / bare, delay, rss);
    return 0;
}
