/* A film as a source of pictures, in real time, and with its sound (video_file_sound.c).
 *
 *     file ─▶ movie_reader ─▶ next frame ─ its time on the film's clock ─▶ picture
 *                                            I420 and NV12 in place, others by libswscale
 *
 * Frames whose time has passed are left out; one that is far behind (a hold of the pictures only)
 * jumps. */
#include "media/movie.h"
#include "media/video_scale.h"
#include "media/video_source.h"

#include <libavutil/frame.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
#include <stdlib.h>

enum { LATE_FRAMES_MAX = 8 /* left out within one read */ };

static const usec FAR_BEHIND = 2 * USEC_PER_SEC;
/* A jump ends at a key frame, from where it is caught up. */
static const usec JUMP_PAUSE = 5 * USEC_PER_SEC;
static const usec LATE = 50 * USEC_PER_MS;
static const usec LOOP_MIN = 40 * USEC_PER_MS; /* a still picture is not read without end */

struct video_file {
    jingle_video_source table;
    struct movie_reader reader;
    struct movie_clock *clock;
    bool clock_runs;
    usec length; /* of the film in a loop; 0: played once */
    usec round;  /* where in the loops the film began last */
    bool seen;   /* something in this round */
    AVFrame *next, *shown;
    bool has_next;
    bool ended;
    usec next_position;
    usec jumped; /* when */
    struct SwsContext *scaler;
    struct picture_buffer converted;
};

/* --- frames -------------------------------------------------------------------------------- */

static bool begin_again(struct video_file *v)
{
    bool seen = v->seen;
    v->seen = false;
    v->round += v->length;
    return v->length > 0 && seen && movie_seek(&v->reader, 0);
}

/* Decodes the next frame unless it is there. False: it takes longer, or the film has ended. */
static bool fetch(struct video_file *v)
{
    if (v->has_next) {
        return true;
    }
    switch (movie_decode(&v->reader, v->next, &v->next_position)) {
    case MOVIE_FRAME:
        v->next_position += v->round;
        v->has_next = true;
        v->seen = true;
        return true;
    case MOVIE_AGAIN:
        return false;
    case MOVIE_END:
        v->ended = !begin_again(v);
        return false;
    }
    return false;
}

static void jump(struct video_file *v, usec position)
{
    usec within = position - v->round;
    if (v->length > 0) {
        v->round += within / v->length * v->length;
        within %= v->length;
    }
    movie_seek(&v->reader, within);
    v->has_next = false;
}

/* Leaves out what nobody need see any more, but not all: slow machines shall see something. */
static void leave_out_late(struct video_file *v)
{
    usec now = clock_now();
    usec position = movie_clock_position(v->clock, now);
    if (position - v->next_position > FAR_BEHIND && now > v->jumped + JUMP_PAUSE) {
        v->jumped = now;
        jump(v, position);
    }
    for (int i = 0; i < LATE_FRAMES_MAX && fetch(v) && position - v->next_position > LATE; i++) {
        v->has_next = false;
    }
    fetch(v);
}

/* --- conversion ---------------------------------------------------------------------------- */

static bool full_range(const AVFrame *frame)
{
    return frame->color_range == AVCOL_RANGE_JPEG || frame->format == AV_PIX_FMT_YUVJ420P;
}

static jingle_picture in_place(const AVFrame *f, jingle_pixels pixels)
{
    jingle_picture picture = {
        .size = sizeof picture,
        .pixels = pixels,
        .width = (uint32_t)f->width,
        .height = (uint32_t)f->height,
    };
    for (int i = 0; i < 3; i++) {
        picture.planes[i] = f->data[i];
        picture.strides[i] = f->linesize[i] > 0 ? (size_t)f->linesize[i] : 0;
    }
    return picture;
}

/* The colours of HD are those of BT.709 unless the file says something else. */
static int colours_of(const AVFrame *frame)
{
    if (frame->colorspace == AVCOL_SPC_UNSPECIFIED) {
        return frame->height >= 720 ? SWS_CS_ITU709 : SWS_CS_ITU601;
    }
    return (int)frame->colorspace;
}

static bool is_bt601(const AVFrame *frame)
{
    int colours = colours_of(frame);
    return colours == AVCOL_SPC_SMPTE170M || colours == AVCOL_SPC_BT470BG ||
           colours == AVCOL_SPC_FCC;
}

static bool convert(struct video_file *v, const AVFrame *f)
{
    if (!picture_buffer_resize(&v->converted, (uint32_t)f->width, (uint32_t)f->height)) {
        return false;
    }
    v->scaler = sws_getCachedContext(v->scaler, f->width, f->height, f->format, f->width, f->height,
                                     AV_PIX_FMT_YUV420P, SWS_BILINEAR, NULL, NULL, NULL);
    if (!v->scaler) {
        return false;
    }
    sws_setColorspaceDetails(v->scaler, sws_getCoefficients(colours_of(f)), full_range(f),
                             sws_getCoefficients(SWS_CS_ITU601), 0, 0, 1 << 16, 1 << 16);
    const int strides[3] = {(int)v->converted.strides[0], (int)v->converted.strides[1],
                            (int)v->converted.strides[2]};
    return sws_scale(v->scaler, (const uint8_t *const *)f->data, f->linesize, 0, f->height,
                     v->converted.planes, strides) == f->height;
}

/* False: it is of a size or form that cannot be given. */
static bool make_picture(struct video_file *v, const AVFrame *f, jingle_picture *picture)
{
    if (!full_range(f) && is_bt601(f) &&
        (f->format == AV_PIX_FMT_YUV420P || f->format == AV_PIX_FMT_NV12)) {
        *picture =
            in_place(f, f->format == AV_PIX_FMT_NV12 ? JINGLE_PIXELS_NV12 : JINGLE_PIXELS_I420);
        if (picture_valid(picture)) {
            return true;
        }
    }
    if (!convert(v, f)) {
        return false;
    }
    *picture = picture_buffer_view(&v->converted, 0);
    return true;
}

/* --- table --------------------------------------------------------------------------------- */

static uint32_t frame_rate(const struct video_file *v)
{
    AVRational rate = v->reader.format->streams[v->reader.stream]->avg_frame_rate;
    if (rate.num <= 0 || rate.den <= 0) {
        return 0;
    }
    int64_t rounded = ((int64_t)rate.num + rate.den / 2) / rate.den;
    return (uint32_t)(rounded < 1 ? 1 : rounded < VIDEO_RATE_MAX ? rounded : VIDEO_RATE_MAX);
}

static jingle_status start(void *user, jingle_video_format *format)
{
    struct video_file *v = user;
    uint32_t rate = frame_rate(v);
    format->width = (uint32_t)v->reader.codec->width;
    format->height = (uint32_t)v->reader.codec->height;
    format->frame_rate = rate > 0 ? rate : format->frame_rate;
    if (!v->clock_runs) {
        v->clock_runs = true;
        movie_clock_start(v->clock);
    }
    return JINGLE_OK;
}

static void stop(void *user)
{
    struct video_file *v = user;
    if (v->clock_runs) {
        v->clock_runs = false;
        movie_clock_stop(v->clock);
    }
}

static void show_next(struct video_file *v)
{
    AVFrame *frame = v->shown;
    v->shown = v->next;
    v->next = frame;
    v->has_next = false;
}

/* Waits for a frame and its time. False: it will not be before `deadline`. */
static bool wait_for_next(struct video_file *v, usec deadline, usec *due)
{
    while (!fetch(v)) {
        if (v->ended || clock_now() >= deadline) {
            return false;
        }
    }
    leave_out_late(v);
    if (!v->has_next) {
        return false;
    }
    usec now = clock_now();
    *due = now + v->next_position - movie_clock_position(v->clock, now);
    video_wait(-1, *due < deadline ? *due : deadline);
    return clock_now() >= *due;
}

static long read_file(void *user, jingle_picture *picture, int64_t timeout)
{
    struct video_file *v = user;
    usec deadline = clock_now() + timeout, due;
    if (!wait_for_next(v, deadline, &due)) {
        return v->ended ? JINGLE_VIDEO_END : 0;
    }
    show_next(v);
    if (!make_picture(v, v->shown, picture)) {
        return 0;
    }
    usec now = clock_now();
    picture->time = now - due > LATE ? now : due;
    return 1;
}

static void free_file(void *user)
{
    struct video_file *v = user;
    stop(v);
    movie_close(&v->reader);
    av_frame_free(&v->next);
    av_frame_free(&v->shown);
    sws_freeContext(v->scaler);
    picture_buffer_clear(&v->converted);
    if (v->clock) {
        movie_clock_unref(v->clock);
    }
    free(v);
}

/* --- opening ------------------------------------------------------------------------------- */

static jingle_status open_film(struct video_file *v, const char *path, bool loop)
{
    v->reader.fd = -1;
    v->clock = movie_clock_new();
    v->next = av_frame_alloc();
    v->shown = av_frame_alloc();
    if (!v->clock || !v->next || !v->shown) {
        return JINGLE_ERROR_MEMORY;
    }
    jingle_status status = movie_open(&v->reader, path, AVMEDIA_TYPE_VIDEO);
    if (status != JINGLE_OK) {
        return status;
    }
    if (loop) {
        v->length = movie_length(&v->reader);
        v->length = v->length > LOOP_MIN ? v->length : LOOP_MIN;
    }
    while (!fetch(v)) { /* a film without a single frame is none */
        if (v->ended) {
            return JINGLE_ERROR_FILE;
        }
    }
    jingle_picture first;
    return make_picture(v, v->next, &first) ? JINGLE_OK : JINGLE_ERROR_FILE;
}

jingle_video_source *jingle_video_source_file(const char *path, bool loop,
                                              jingle_audio_source **sound, jingle_status *status)
{
    if (sound) {
        *sound = NULL;
    }
    if (!path) {
        return video_source_failed(status, JINGLE_ERROR_INVALID);
    }
    struct video_file *v = calloc(1, sizeof *v);
    if (!v) {
        return video_source_failed(status, JINGLE_ERROR_MEMORY);
    }
    jingle_status opened = open_film(v, path, loop);
    if (opened == JINGLE_OK && sound) {
        jingle_status heard;
        *sound = movie_sound_new(path, v->length, v->clock, &heard);
        opened = heard == JINGLE_ERROR_FILE ? JINGLE_OK : heard; /* a silent film */
    }
    if (opened != JINGLE_OK) {
        free_file(v);
        return video_source_failed(status, opened);
    }
    v->table = (jingle_video_source){
        .size = sizeof v->table,
        .user = v,
        .start = start,
        .read = read_file,
        .stop = stop,
        .free = free_file,
    };
    return video_source_made(&v->table, status);
}
