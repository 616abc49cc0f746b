#include "media/webm_file.h"

#include "media/webm_recording.h"
#include "media/webm_track.h"

#include <errno.h>
#include <libavformat/avformat.h>
#include <libavutil/opt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    BUFFER_BYTES = 64 << 10,
    OPUS_RATE = 48000,
    OPUS_CHANNELS = 2, /* the most that RTP carries (RFC 7587); packets of one are played on both */
    NOMINAL_WIDTH = 1280, /* until the first picture tells; see webm_track_set() */
    NOMINAL_HEIGHT = 720,
};

struct webm_file {
    int fd;
    bool broken; /* what could not be written left a hole: the rest would be no file */
    AVFormatContext *format;
    AVPacket *packet;
    const char *codec;      /* of the pictures; NULL before the first */
    uint32_t width, height; /* of the first one that tells; 0 before */
};

/* --- bytes -------------------------------------------------------------------------------- */

#ifdef AVIO_WRITES_CONST
typedef const uint8_t written_byte;
#else
typedef uint8_t written_byte;
#endif

static int write_bytes(void *user, written_byte *bytes, int size)
{
    struct webm_file *file = user;
    for (int done = 0; done < size;) {
        ssize_t n = write(file->fd, bytes + done, (size_t)(size - done));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            file->broken = true;
            return AVERROR(n < 0 ? errno : EIO);
        }
        done += (int)n;
    }
    return size;
}

static int64_t seek(void *user, int64_t offset, int whence)
{
    struct webm_file *file = user;
    if (whence & AVSEEK_SIZE) {
        return AVERROR(ENOSYS);
    }
    off_t at = lseek(file->fd, offset, whence & ~AVSEEK_FORCE);
    return at < 0 ? AVERROR(errno) : at;
}

/* --- head --------------------------------------------------------------------------------- */

/* RFC 7845, section 5.1. Nothing is skipped at the start: the call began earlier. */
static bool describe_audio(AVCodecParameters *codec)
{
    static const uint8_t head[] = {
        'O', 'p', 'u', 's', 'H', 'e', 'a', 'd', 1, OPUS_CHANNELS, 0, 0, 0x80, 0xbb, 0, 0, 0, 0, 0,
    };
    codec->extradata = av_mallocz(sizeof head + AV_INPUT_BUFFER_PADDING_SIZE);
    if (!codec->extradata) {
        return false;
    }
    memcpy(codec->extradata, head, sizeof head);
    codec->extradata_size = sizeof head;
    codec->codec_type = AVMEDIA_TYPE_AUDIO;
    codec->codec_id = AV_CODEC_ID_OPUS;
    codec->sample_rate = OPUS_RATE;
    codec->seek_preroll = OPUS_RATE * 80 / 1000; /* RFC 7845, section 4.6 */
    av_channel_layout_default(&codec->ch_layout, OPUS_CHANNELS);
    return true;
}

static void describe_video(AVCodecParameters *codec)
{
    codec->codec_type = AVMEDIA_TYPE_VIDEO;
    codec->codec_id = AV_CODEC_ID_VP8;
    codec->width = NOMINAL_WIDTH;
    codec->height = NOMINAL_HEIGHT;
}

static bool describe(AVFormatContext *format)
{
    AVStream *audio = avformat_new_stream(format, NULL); /* streams in the order of webm_track */
    AVStream *video = avformat_new_stream(format, NULL);
    if (!audio || !video || !describe_audio(audio->codecpar)) {
        return false;
    }
    describe_video(video->codecpar);
    return true;
}

static bool write_head(AVFormatContext *format)
{
    AVDictionary *options = NULL;
    av_dict_set_int(&options, "cluster_time_limit", WEBM_CLUSTER / 1000, 0);
    av_dict_set_int(&options, "write_crc32", 0, 0); /* the head is changed later */
    int result = avformat_write_header(format, &options);
    av_dict_free(&options);
    return result >= 0;
}

static bool open_format(struct webm_file *file)
{
    if (avformat_alloc_output_context2(&file->format, NULL, "webm", NULL) < 0) {
        return false;
    }
    uint8_t *buffer = av_malloc(BUFFER_BYTES);
    file->format->pb =
        buffer ? avio_alloc_context(buffer, BUFFER_BYTES, 1, file, NULL, write_bytes, seek) : NULL;
    if (!file->format->pb) {
        av_free(buffer);
        return false;
    }
    file->format->flags |= AVFMT_FLAG_FLUSH_PACKETS; /* a cluster does not wait for the next */
    return describe(file->format) && write_head(file->format) && !file->broken;
}

static void close_format(struct webm_file *file)
{
    if (file->format && file->format->pb) {
        av_freep(&file->format->pb->buffer);
        avio_context_free(&file->format->pb);
    }
    avformat_free_context(file->format);
    av_packet_free(&file->packet);
    close(file->fd);
    free(file);
}

struct webm_file *webm_file_new(int fd)
{
    struct webm_file *file = calloc(1, sizeof *file);
    if (!file) {
        close(fd);
        return NULL;
    }
    file->fd = fd;
    file->packet = av_packet_alloc();
    if (!file->packet || !open_format(file)) {
        close_format(file);
        return NULL;
    }
    return file;
}

/* --- packets ------------------------------------------------------------------------------ */

static bool put_video(struct webm_file *file)
{
    bool vp9 = strcmp(file->codec, "VP9") == 0;
    return webm_track_set(file->fd, vp9 ? "V_VP9" : "V_VP8",
                          file->width ? file->width : NOMINAL_WIDTH,
                          file->height ? file->height : NOMINAL_HEIGHT);
}

bool webm_file_set_video(struct webm_file *file, const char *codec, uint32_t width, uint32_t height)
{
    bool known = width > 0 && height > 0;
    if (file->codec && (file->width || !known)) {
        return true;
    }
    file->codec = codec;
    file->width = known ? width : 0;
    file->height = known ? height : 0;
    return put_video(file);
}

bool webm_file_write(struct webm_file *file, const struct webm_packet *in)
{
    if (file->broken) {
        return false;
    }
    AVStream *stream = file->format->streams[in->track];
    AVPacket *out = file->packet;
    out->data = (uint8_t *)in->bytes; /* not written to: the packet is not reference counted */
    out->size = (int)in->size;
    out->stream_index = (int)in->track;
    out->pts = out->dts = av_rescale_q(in->time, AV_TIME_BASE_Q, stream->time_base);
    out->duration = av_rescale_q(in->duration, AV_TIME_BASE_Q, stream->time_base);
    out->flags = in->key ? AV_PKT_FLAG_KEY : 0;
    int result = av_write_frame(file->format, out);
    av_packet_unref(out);
    file->broken = file->broken || result < 0;
    return !file->broken;
}

/* The trailer writes the head's tracks once more, as they were at first. */
static void complete(struct webm_file *file)
{
    if (av_write_trailer(file->format) < 0 || file->broken) {
        return;
    }
    if (file->codec) {
        put_video(file);
    } else {
        webm_track_remove(file->fd);
    }
}

void webm_file_free(struct webm_file *file)
{
    if (!file->broken) {
        complete(file);
    }
    close_format(file);
}
