#include "media/movie.h"
#include "media/plain_file.h"
#include "media/video_scale.h"

#include <errno.h>
#include <libavutil/avutil.h>
#include <libavutil/log.h>

enum {
    IO_BYTES = 64 * 1024,
    PACKETS_AT_ONCE = 200, /* without a frame: then the caller may look after its time */
    STREAMS_MAX = 64,
    QUIET = 100, /* AVCodecContext.log_level_offset: below whatever is shown */
};

/* A frame without a time and a rate is taken for one of 25 a second. */
static const usec FRAME_TIME = 40 * USEC_PER_MS;

/* --- file ---------------------------------------------------------------------------------- */

static int read_bytes(void *user, uint8_t *bytes, int count)
{
    struct movie_reader *r = user;
    ssize_t got;
    do {
        got = read(r->fd, bytes, (size_t)count);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return AVERROR(errno);
    }
    return got > 0 ? (int)got : AVERROR_EOF;
}

static int64_t seek_bytes(void *user, int64_t offset, int whence)
{
    struct movie_reader *r = user;
    if (whence == AVSEEK_SIZE) {
        struct stat info;
        return fstat(r->fd, &info) == 0 ? info.st_size : -1;
    }
    return lseek(r->fd, offset, whence & ~AVSEEK_FORCE);
}

/* A playlist may name other files and addresses: none is opened. */
static int open_nothing(AVFormatContext *format, AVIOContext **io, const char *url, int flags,
                        AVDictionary **options)
{
    (void)format;
    (void)io;
    (void)url;
    (void)flags;
    (void)options;
    return AVERROR(EACCES);
}

static bool open_format(struct movie_reader *r, const char *path)
{
    r->fd = plain_file_open(path, O_RDONLY);
    uint8_t *buffer = r->fd < 0 ? NULL : av_malloc(IO_BYTES);
    r->io =
        buffer ? avio_alloc_context(buffer, IO_BYTES, 0, r, read_bytes, NULL, seek_bytes) : NULL;
    r->format = r->io ? avformat_alloc_context() : NULL;
    if (!r->format) {
        if (!r->io) {
            av_free(buffer);
        }
        return false;
    }
    r->format->pb = r->io;
    r->format->io_open = open_nothing;
    r->format->max_streams = STREAMS_MAX;
    /* On failure this frees the context and sets it to NULL. */
    return avformat_open_input(&r->format, path, NULL, NULL) == 0 &&
           avformat_find_stream_info(r->format, NULL) >= 0;
}

static bool open_codec(struct movie_reader *r, enum AVMediaType type)
{
    const AVCodec *codec = NULL;
    r->stream = av_find_best_stream(r->format, type, -1, -1, &codec, 0);
    r->packet = av_packet_alloc();
    if (r->stream < 0 || !codec || !r->packet) {
        return false;
    }
    for (unsigned i = 0; i < r->format->nb_streams; i++) {
        r->format->streams[i]->discard = (int)i == r->stream ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
    }
    const AVStream *stream = r->format->streams[r->stream];
    r->codec = avcodec_alloc_context3(codec);
    if (!r->codec || avcodec_parameters_to_context(r->codec, stream->codecpar) < 0) {
        return false;
    }
    r->codec->pkt_timebase = stream->time_base;
    r->codec->max_pixels = (int64_t)PICTURE_SIDE_MAX * PICTURE_SIDE_MAX;
    r->codec->log_level_offset = QUIET;
    r->codec->thread_count = 1;
    return avcodec_open2(r->codec, codec, NULL) == 0;
}

/* FFmpeg tells standard error of every file that it does not like; the status does that here. An
 * application that has chosen a level of its own keeps it. */
static void calm_down(void)
{
    if (av_log_get_level() == AV_LOG_INFO) {
        av_log_set_level(AV_LOG_PANIC);
    }
}

jingle_status movie_open(struct movie_reader *r, const char *path, enum AVMediaType type)
{
    calm_down();
    *r = (struct movie_reader){.fd = -1};
    if (!open_format(r, path) || !open_codec(r, type)) {
        movie_close(r);
        return JINGLE_ERROR_FILE;
    }
    return JINGLE_OK;
}

void movie_close(struct movie_reader *r)
{
    avcodec_free_context(&r->codec);
    avformat_close_input(&r->format);
    if (r->io) {
        av_freep(&r->io->buffer); /* which may have become another one meanwhile */
        avio_context_free(&r->io);
    }
    av_packet_free(&r->packet);
    if (r->fd >= 0) {
        close(r->fd);
        r->fd = -1;
    }
}

/* --- frames -------------------------------------------------------------------------------- */

static usec film_start(const struct movie_reader *r)
{
    return r->format->start_time == AV_NOPTS_VALUE ? 0 : r->format->start_time;
}

static usec film_time(const struct movie_reader *r, int64_t stamp)
{
    const AVStream *stream = r->format->streams[r->stream];
    return av_rescale_q(stamp, stream->time_base, AV_TIME_BASE_Q) - film_start(r);
}

static usec frame_time(const struct movie_reader *r, const AVFrame *frame)
{
    const AVStream *stream = r->format->streams[r->stream];
    if (frame->sample_rate > 0) {
        return (usec)frame->nb_samples * USEC_PER_SEC / frame->sample_rate;
    }
    if (stream->avg_frame_rate.num > 0 && stream->avg_frame_rate.den > 0) {
        return av_rescale_q(1, av_inv_q(stream->avg_frame_rate), AV_TIME_BASE_Q);
    }
    return FRAME_TIME;
}

/* One packet of the file to the decoder. */
static void feed(struct movie_reader *r)
{
    if (av_read_frame(r->format, r->packet) < 0) {
        avcodec_send_packet(r->codec, NULL);
        r->drained = true;
        return;
    }
    if (r->packet->stream_index == r->stream) {
        avcodec_send_packet(r->codec, r->packet); /* what is broken is passed over */
    }
    av_packet_unref(r->packet);
}

enum movie_read movie_decode(struct movie_reader *r, AVFrame *frame, usec *position)
{
    for (int packets = 0; packets < PACKETS_AT_ONCE; packets++) {
        int result = avcodec_receive_frame(r->codec, frame);
        if (result == 0) {
            int64_t stamp = frame->best_effort_timestamp;
            *position = stamp == AV_NOPTS_VALUE ? r->position : film_time(r, stamp);
            r->position = *position + frame_time(r, frame);
            return MOVIE_FRAME;
        }
        if (result != AVERROR(EAGAIN) && r->drained) {
            return MOVIE_END;
        }
        if (!r->drained) {
            feed(r);
        }
    }
    return MOVIE_AGAIN;
}

bool movie_seek(struct movie_reader *r, usec position)
{
    if (av_seek_frame(r->format, -1, position + film_start(r), AVSEEK_FLAG_BACKWARD) < 0) {
        return false;
    }
    avcodec_flush_buffers(r->codec);
    r->drained = false;
    r->position = position;
    return true;
}

/* The end of the last packet of any stream. */
static usec measured_length(struct movie_reader *r)
{
    usec length = 0;
    while (av_read_frame(r->format, r->packet) >= 0) {
        const AVStream *stream = r->format->streams[r->packet->stream_index];
        int64_t stamp = r->packet->pts != AV_NOPTS_VALUE ? r->packet->pts : r->packet->dts;
        if (stamp != AV_NOPTS_VALUE) {
            usec end =
                av_rescale_q(stamp + r->packet->duration, stream->time_base, AV_TIME_BASE_Q) -
                film_start(r);
            length = end > length ? end : length;
        }
        av_packet_unref(r->packet);
    }
    return movie_seek(r, 0) ? length : 0;
}

usec movie_length(struct movie_reader *r)
{
    usec told = r->format->duration;
    return told != AV_NOPTS_VALUE && told > 0 ? told : measured_length(r);
}
