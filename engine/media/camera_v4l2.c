/* Cameras through Video4Linux (linux/videodev2.h), with buffers that the driver fills and we map.
 *
 *     camera ─▶ mapped buffers ─ DQBUF ─┬─ NV12, I420 ──────────────────────▶ picture, in place
 *                                       └─ YUYV, MJPEG ... raw_convert() ─▶ picture
 *
 * A buffer whose picture was given away goes back to the driver at the next read. A camera that is
 * in use or not there makes start() fail; one that is unplugged, or goes silent, is LOST. Either
 * way start() may be called again and looks for it anew. */
#include "media/camera.h"
#include "media/camera_choice.h"
#include "media/video_source.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    BUFFERS = 4, /* one being filled, one full, one with us, one to spare */
    BUFFERS_MIN = 2,
    BUFFERS_MAX = 8,
    PATH_BYTES = 32,
    USUAL_WIDTH = 1280,
    USUAL_HEIGHT = 720,
    USUAL_RATE = 30,
};

/* Some cameras go silent for good when a transfer broke; starting anew helps. */
static const usec SILENCE = 5 * USEC_PER_SEC;
/* A driver's time stamp that is older than this is of another clock. */
static const usec STAMP_AGE = 1 * USEC_PER_SEC;

struct mapping {
    uint8_t *bytes;
    size_t length;
};

struct camera {
    jingle_video_source table;
    const struct camera_system *system;
    char *name;
    int fd; /* -1: not open */
    enum raw_pixels pixels;
    struct v4l2_pix_format layout;
    uint32_t mapped;
    struct mapping buffers[BUFFERS_MAX];
    bool held; /* a buffer's picture is with the reader: */
    uint32_t held_index;
    usec heard; /* when the last buffer came, or when it started */
    struct picture_buffer converted;
};

/* --- the real system ----------------------------------------------------------------------- */

static int open_device(const char *path)
{
    return open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

static int control_device(int fd, unsigned long request, void *argument)
{
    int result;
    do {
        result = ioctl(fd, request, argument);
    } while (result == -1 && errno == EINTR);
    return result;
}

static void *map_device(int fd, size_t bytes, int64_t offset)
{
    return mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, (off_t)offset);
}

static const struct camera_system real_system = {
    .open = open_device,
    .close = close,
    .ioctl = control_device,
    .mmap = map_device,
    .munmap = munmap,
    .wait = video_wait,
};

/* --- finding ------------------------------------------------------------------------------- */

/* Opens number `index` if it is a camera; -1 if not. */
static int open_camera(const struct camera_system *system, unsigned index, char path[PATH_BYTES],
                       struct v4l2_capability *capability)
{
    snprintf(path, PATH_BYTES, "/dev/video%u", index);
    int fd = system->open(path);
    if (fd >= 0 && !camera_query(system, fd, capability)) {
        system->close(fd);
        return -1;
    }
    return fd;
}

/* What the driver calls it: of 32 bytes, which may end within a character. */
static char *card_name(const struct v4l2_capability *capability)
{
    const char *card = (const char *)capability->card;
    const char *end;
    g_utf8_validate(card, (gssize)strnlen(card, sizeof capability->card), &end);
    return strndup(card, (size_t)(end - card));
}

static bool name_matches(const struct v4l2_capability *capability, const char *name)
{
    char *card = card_name(capability);
    bool matches = card && strcasestr(card, name);
    free(card);
    return matches;
}

static int find_camera(const struct camera_system *system, const char *name)
{
    struct v4l2_capability capability;
    if (name[0] == '/') {
        int fd = system->open(name);
        if (fd >= 0 && !camera_query(system, fd, &capability)) {
            system->close(fd);
            return -1;
        }
        return fd;
    }
    for (unsigned i = 0; i < CAMERA_PATHS; i++) {
        char path[PATH_BYTES];
        int fd = open_camera(system, i, path, &capability);
        if (fd >= 0 && name_matches(&capability, name)) {
            return fd;
        }
        if (fd >= 0) {
            system->close(fd);
        }
    }
    return -1;
}

/* --- starting and stopping ----------------------------------------------------------------- */

static int camera_ioctl(const struct camera *c, unsigned long request, void *argument)
{
    return c->system->ioctl(c->fd, request, argument);
}

static struct v4l2_buffer buffer_of(uint32_t index)
{
    return (struct v4l2_buffer){
        .index = index, .type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .memory = V4L2_MEMORY_MMAP};
}

static bool enqueue(const struct camera *c, uint32_t index)
{
    struct v4l2_buffer buffer = buffer_of(index);
    return camera_ioctl(c, VIDIOC_QBUF, &buffer) == 0;
}

static bool map_buffer(struct camera *c, uint32_t index)
{
    struct v4l2_buffer buffer = buffer_of(index);
    if (camera_ioctl(c, VIDIOC_QUERYBUF, &buffer) != 0) {
        return false;
    }
    void *bytes = c->system->mmap(c->fd, buffer.length, buffer.m.offset);
    if (bytes == MAP_FAILED) {
        return false;
    }
    c->buffers[index] = (struct mapping){.bytes = bytes, .length = buffer.length};
    c->mapped = index + 1;
    return enqueue(c, index);
}

static bool map_buffers(struct camera *c)
{
    struct v4l2_requestbuffers request = {
        .count = BUFFERS, .type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .memory = V4L2_MEMORY_MMAP};
    if (camera_ioctl(c, VIDIOC_REQBUFS, &request) != 0 || request.count < BUFFERS_MIN) {
        return false;
    }
    uint32_t count = request.count < BUFFERS_MAX ? request.count : BUFFERS_MAX;
    for (uint32_t i = 0; i < count; i++) {
        if (!map_buffer(c, i)) {
            return false;
        }
    }
    return true;
}

static void stop(void *user)
{
    struct camera *c = user;
    if (c->fd < 0) {
        return;
    }
    int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    camera_ioctl(c, VIDIOC_STREAMOFF, &type);
    for (uint32_t i = 0; i < c->mapped; i++) {
        c->system->munmap(c->buffers[i].bytes, c->buffers[i].length);
    }
    c->mapped = 0;
    c->held = false;
    c->system->close(c->fd);
    c->fd = -1;
}

static bool stream_on(struct camera *c)
{
    int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    return map_buffers(c) && camera_ioctl(c, VIDIOC_STREAMON, &type) == 0;
}

static jingle_status start(void *user, jingle_video_format *format)
{
    struct camera *c = user;
    struct camera_format set;
    stop(c);
    video_format_complete(format, (jingle_video_format){USUAL_WIDTH, USUAL_HEIGHT, USUAL_RATE});
    c->fd = find_camera(c->system, c->name);
    if (c->fd < 0) {
        return JINGLE_ERROR_CAMERA;
    }
    if (!camera_choose(c->system, c->fd, format, &set, &c->layout) || !stream_on(c)) {
        stop(c);
        return JINGLE_ERROR_CAMERA;
    }
    camera_pixels(set.fourcc, &c->pixels);
    format->width = set.width;
    format->height = set.height;
    uint32_t rate = camera_format_rate(&set);
    format->frame_rate = rate > 0 ? rate : format->frame_rate;
    c->heard = clock_now();
    return JINGLE_OK;
}

/* --- reading ------------------------------------------------------------------------------- */

/* Bytes of a row of the first plane if the driver tells none. */
static size_t packed_stride(enum raw_pixels pixels, uint32_t width)
{
    switch (pixels) {
    case RAW_YUYV:
    case RAW_UYVY:
    case RAW_RGB565:
        return 2 * (size_t)width;
    case RAW_RGB:
    case RAW_BGR:
        return 3 * (size_t)width;
    case RAW_BGRA:
    case RAW_RGBA:
    case RAW_ARGB:
    case RAW_ABGR:
        return 4 * (size_t)width;
    default:
        return width;
    }
}

/* Where the planes lie in a buffer; V4L2 puts them one after the other. False: it is too short. */
static bool lay_out(const struct camera *c, const struct v4l2_buffer *buffer,
                    struct raw_picture *raw)
{
    const uint8_t *bytes = c->buffers[buffer->index].bytes;
    size_t least = packed_stride(c->pixels, c->layout.width);
    size_t stride = c->layout.bytesperline > least ? c->layout.bytesperline : least;
    size_t height = c->layout.height, chroma_rows = (height + 1) / 2;
    size_t used = buffer->bytesused < c->buffers[buffer->index].length
                      ? buffer->bytesused
                      : c->buffers[buffer->index].length;
    *raw = (struct raw_picture){.pixels = c->pixels,
                                .width = c->layout.width,
                                .height = c->layout.height,
                                .planes = {bytes},
                                .strides = {stride},
                                .bytes = used};
    switch (c->pixels) {
    case RAW_MJPEG:
        return used > 0;
    case RAW_NV12:
    case RAW_NV21:
        raw->planes[1] = bytes + stride * height;
        raw->strides[1] = stride;
        return stride >= 2 * ((least + 1) / 2) && used >= stride * (height + chroma_rows);
    case RAW_I420:
    case RAW_YV12: {
        size_t half = (stride + 1) / 2;
        raw->planes[1] = bytes + stride * height;
        raw->planes[2] = raw->planes[1] + half * chroma_rows;
        raw->strides[1] = raw->strides[2] = half;
        return used >= stride * height + 2 * half * chroma_rows;
    }
    default:
        return used >= stride * height;
    }
}

static usec stamp_of(const struct v4l2_buffer *buffer)
{
    usec now = clock_now();
    usec stamp = (usec)buffer->timestamp.tv_sec * USEC_PER_SEC + buffer->timestamp.tv_usec;
    bool monotonic =
        (buffer->flags & V4L2_BUF_FLAG_TIMESTAMP_MASK) == V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
    return monotonic && stamp <= now && stamp > now - STAMP_AGE ? stamp : now;
}

static bool used_in_place(const struct camera *c)
{
    return c->pixels == RAW_NV12 || c->pixels == RAW_I420;
}

/* False: the buffer has no good picture. */
static bool make_picture(struct camera *c, const struct v4l2_buffer *buffer,
                         jingle_picture *picture)
{
    struct raw_picture raw;
    if (buffer->flags & V4L2_BUF_FLAG_ERROR || !lay_out(c, buffer, &raw)) {
        return false;
    }
    if (!used_in_place(c)) {
        if (raw_convert(&raw, &c->converted) != JINGLE_OK) {
            return false;
        }
        *picture = picture_buffer_view(&c->converted, stamp_of(buffer));
        return true;
    }
    *picture = (jingle_picture){
        .size = sizeof *picture,
        .pixels = raw.pixels == RAW_NV12 ? JINGLE_PIXELS_NV12 : JINGLE_PIXELS_I420,
        .width = raw.width,
        .height = raw.height,
        .planes = {raw.planes[0], raw.planes[1], raw.planes[2]},
        .strides = {raw.strides[0], raw.strides[1], raw.strides[2]},
        .time = stamp_of(buffer),
    };
    return true;
}

static bool give_back(struct camera *c)
{
    bool held = c->held;
    c->held = false;
    return !held || enqueue(c, c->held_index);
}

enum taken { TAKEN_NONE, TAKEN_ONE, TAKEN_LOST };

/* The next full buffer, if there is one. */
static enum taken dequeue(struct camera *c, struct v4l2_buffer *buffer)
{
    *buffer = buffer_of(0);
    if (camera_ioctl(c, VIDIOC_DQBUF, buffer) != 0) {
        return errno == EAGAIN ? TAKEN_NONE : TAKEN_LOST;
    }
    return buffer->index < c->mapped ? TAKEN_ONE : TAKEN_LOST;
}

/* The newest full buffer; older ones go back unseen. */
static enum taken dequeue_newest(struct camera *c, struct v4l2_buffer *newest)
{
    enum taken taken = dequeue(c, newest);
    for (uint32_t i = 1; taken == TAKEN_ONE && i < c->mapped; i++) {
        struct v4l2_buffer next;
        enum taken more = dequeue(c, &next);
        if (more == TAKEN_NONE) {
            break;
        }
        if (more == TAKEN_LOST || !enqueue(c, newest->index)) {
            return TAKEN_LOST;
        }
        *newest = next;
    }
    return taken;
}

static long read_camera(void *user, jingle_picture *picture, int64_t timeout)
{
    struct camera *c = user;
    usec deadline = clock_now() + timeout;
    if (c->fd < 0 || !give_back(c)) {
        return JINGLE_VIDEO_LOST;
    }
    while (c->system->wait(c->fd, deadline)) {
        struct v4l2_buffer buffer;
        /* Readable without a buffer is how a driver tells an error by poll(). */
        if (dequeue_newest(c, &buffer) != TAKEN_ONE) {
            return JINGLE_VIDEO_LOST;
        }
        c->heard = clock_now();
        c->held = true;
        c->held_index = buffer.index;
        bool good = make_picture(c, &buffer, picture);
        if (good && used_in_place(c)) {
            return 1;
        }
        if (!give_back(c)) {
            return JINGLE_VIDEO_LOST;
        }
        if (good) {
            return 1;
        }
    }
    return clock_now() - c->heard > SILENCE ? JINGLE_VIDEO_LOST : 0;
}

/* --- tables -------------------------------------------------------------------------------- */

static void free_camera(void *user)
{
    struct camera *c = user;
    stop(c);
    picture_buffer_clear(&c->converted);
    free(c->name);
    free(c);
}

jingle_video_source *camera_new(const struct camera_system *system, const char *name,
                                jingle_status *status)
{
    struct camera *c = calloc(1, sizeof *c);
    char *copy = strdup(name ? name : "");
    if (!c || !copy) {
        free(c);
        free(copy);
        return video_source_failed(status, JINGLE_ERROR_MEMORY);
    }
    c->system = system;
    c->name = copy;
    c->fd = -1;
    c->table = (jingle_video_source){
        .size = sizeof c->table,
        .user = c,
        .start = start,
        .read = read_camera,
        .stop = stop,
        .free = free_camera,
    };
    return video_source_made(&c->table, status);
}

jingle_status camera_list(const struct camera_system *system, jingle_camera **cameras,
                          size_t *count)
{
    if (!cameras || !count) {
        return JINGLE_ERROR_INVALID;
    }
    *count = 0;
    *cameras = calloc(CAMERA_PATHS, sizeof **cameras);
    if (!*cameras) {
        return JINGLE_ERROR_MEMORY;
    }
    for (unsigned i = 0; i < CAMERA_PATHS; i++) {
        struct v4l2_capability capability;
        char path[PATH_BYTES];
        int fd = open_camera(system, i, path, &capability);
        if (fd < 0) {
            continue;
        }
        system->close(fd);
        jingle_camera *camera = &(*cameras)[(*count)++];
        camera->path = strdup(path);
        camera->name = card_name(&capability);
        if (!camera->path || !camera->name) {
            jingle_cameras_free(*cameras, *count);
            *cameras = NULL;
            *count = 0;
            return JINGLE_ERROR_MEMORY;
        }
    }
    return JINGLE_OK;
}

jingle_video_source *jingle_video_source_camera(const char *name, jingle_status *status)
{
    return camera_new(&real_system, name, status);
}

jingle_status jingle_cameras(jingle_camera **cameras, size_t *count)
{
    return camera_list(&real_system, cameras, count);
}

void jingle_cameras_free(jingle_camera *cameras, size_t count)
{
    for (size_t i = 0; cameras && i < count; i++) {
        free((char *)cameras[i].path);
        free((char *)cameras[i].name);
    }
    free(cameras);
}
