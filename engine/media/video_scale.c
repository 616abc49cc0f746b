#include "media/video_scale.h"

#include <libyuv.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64 }; /* of rows: as wide as any vector register */

/* --- buffer -------------------------------------------------------------------------------- */

static uint32_t half(uint32_t side)
{
    return (side + 1) / 2;
}

static size_t aligned(size_t bytes)
{
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static bool size_valid(uint32_t width, uint32_t height)
{
    return width >= 1 && width <= PICTURE_SIDE_MAX && height >= 1 && height <= PICTURE_SIDE_MAX;
}

/* Makes `*memory` at least `bytes` long; what it held is lost then. */
static bool make_room(uint8_t **memory, size_t *held, size_t bytes)
{
    if (bytes <= *held) {
        return true;
    }
    free(*memory);
    *memory = aligned_alloc(ALIGNMENT, aligned(bytes));
    *held = *memory ? bytes : 0;
    return *memory != NULL;
}

bool picture_buffer_resize(struct picture_buffer *buffer, uint32_t width, uint32_t height)
{
    if (width == buffer->width && height == buffer->height && buffer->memory) {
        return true;
    }
    size_t stride = aligned(width);
    size_t chroma_stride = aligned(half(width));
    size_t chroma_bytes = chroma_stride * half(height);
    size_t bytes = stride * height + 2 * chroma_bytes;
    if (!size_valid(width, height) || !make_room(&buffer->memory, &buffer->memory_bytes, bytes)) {
        picture_buffer_clear(buffer);
        return false;
    }
    buffer->width = width;
    buffer->height = height;
    buffer->planes[0] = buffer->memory;
    buffer->planes[1] = buffer->planes[0] + stride * height;
    buffer->planes[2] = buffer->planes[1] + chroma_bytes;
    buffer->strides[0] = stride;
    buffer->strides[1] = buffer->strides[2] = chroma_stride;
    return true;
}

void picture_buffer_clear(struct picture_buffer *buffer)
{
    free(buffer->memory);
    free(buffer->spare);
    *buffer = (struct picture_buffer){0};
}

void picture_buffer_blacken(struct picture_buffer *buffer)
{
    memset(buffer->planes[0], 16, buffer->strides[0] * buffer->height);
    memset(buffer->planes[1], 128, buffer->strides[1] * half(buffer->height));
    memset(buffer->planes[2], 128, buffer->strides[2] * half(buffer->height));
}

jingle_picture picture_buffer_view(const struct picture_buffer *buffer, int64_t time)
{
    return (jingle_picture){
        .size = sizeof(jingle_picture),
        .pixels = JINGLE_PIXELS_I420,
        .width = buffer->width,
        .height = buffer->height,
        .planes = {buffer->planes[0], buffer->planes[1], buffer->planes[2]},
        .strides = {buffer->strides[0], buffer->strides[1], buffer->strides[2]},
        .time = time,
    };
}

/* --- pictures ------------------------------------------------------------------------------ */

bool picture_valid(const jingle_picture *picture)
{
    if (!picture || picture->size < sizeof *picture ||
        !size_valid(picture->width, picture->height) || !picture->planes[0] ||
        !picture->planes[1] || picture->strides[0] < picture->width) {
        return false;
    }
    size_t chroma = half(picture->width);
    switch (picture->pixels) {
    case JINGLE_PIXELS_I420:
        return picture->planes[2] && picture->strides[1] >= chroma && picture->strides[2] >= chroma;
    case JINGLE_PIXELS_NV12:
        return picture->strides[1] >= 2 * chroma;
    }
    return false;
}

void picture_release(const jingle_picture *picture)
{
    if (picture->release) {
        picture->release(picture->owner);
    }
}

static uint32_t even(uint32_t side)
{
    return side < 2 ? 2 : side & ~1u;
}

/* The largest size of the shape of `from` within `within`, which may be larger than `from`. */
static struct picture_size fill(struct picture_size from, struct picture_size within)
{
    uint64_t wide = (uint64_t)from.width * within.height;
    uint64_t high = (uint64_t)within.width * from.height;
    if (wide > high) { /* the width decides */
        uint64_t height = (high + from.width / 2) / from.width;
        return (struct picture_size){even(within.width), even((uint32_t)height)};
    }
    uint64_t width = (wide + from.height / 2) / from.height;
    return (struct picture_size){even((uint32_t)width), even(within.height)};
}

struct picture_size picture_fit(const jingle_picture *picture, uint32_t width, uint32_t height)
{
    struct picture_size size = {picture->width, picture->height};
    if (width >= size.width && height >= size.height) {
        return (struct picture_size){even(size.width), even(size.height)};
    }
    struct picture_size within = {width < size.width ? width : size.width,
                                  height < size.height ? height : size.height};
    return fill(size, within);
}

/* Where something is to be drawn: planes within a buffer. */
struct target {
    uint8_t *planes[3];
    size_t strides[3];
    uint32_t width, height;
};

/* `x` and `y` are even. */
static struct target part_of(const struct picture_buffer *buffer, uint32_t x, uint32_t y,
                             struct picture_size size)
{
    size_t chroma = y / 2 * buffer->strides[1] + x / 2;
    return (struct target){
        .planes = {buffer->planes[0] + y * buffer->strides[0] + x, buffer->planes[1] + chroma,
                   buffer->planes[2] + chroma},
        .strides = {buffer->strides[0], buffer->strides[1], buffer->strides[2]},
        .width = size.width,
        .height = size.height,
    };
}

static void copy_to(const jingle_picture *in, const struct target *to)
{
    if (in->pixels == JINGLE_PIXELS_NV12) {
        NV12ToI420(in->planes[0], (int)in->strides[0], in->planes[1], (int)in->strides[1],
                   to->planes[0], (int)to->strides[0], to->planes[1], (int)to->strides[1],
                   to->planes[2], (int)to->strides[2], (int)to->width, (int)to->height);
        return;
    }
    I420Copy(in->planes[0], (int)in->strides[0], in->planes[1], (int)in->strides[1], in->planes[2],
             (int)in->strides[2], to->planes[0], (int)to->strides[0], to->planes[1],
             (int)to->strides[1], to->planes[2], (int)to->strides[2], (int)to->width,
             (int)to->height);
}

/* The interleaved plane is scaled as it is into `spare` and then split: fewer bytes are touched
 * than the other way round, for pictures are mostly made smaller. */
static bool scale_nv12(const jingle_picture *in, const struct target *to,
                       struct picture_buffer *out)
{
    uint32_t width = half(to->width), height = half(to->height);
    size_t stride = aligned((size_t)width * 2);
    if (!make_room(&out->spare, &out->spare_bytes, stride * height)) {
        return false;
    }
    ScalePlane(in->planes[0], (int)in->strides[0], (int)in->width, (int)in->height, to->planes[0],
               (int)to->strides[0], (int)to->width, (int)to->height, kFilterBox);
    UVScale(in->planes[1], (int)in->strides[1], (int)half(in->width), (int)half(in->height),
            out->spare, (int)stride, (int)width, (int)height, kFilterBox);
    SplitUVPlane(out->spare, (int)stride, to->planes[1], (int)to->strides[1], to->planes[2],
                 (int)to->strides[2], (int)width, (int)height);
    return true;
}

static bool scale_to(const jingle_picture *in, const struct target *to, struct picture_buffer *out)
{
    if (in->width - to->width <= 1 && in->height - to->height <= 1) {
        copy_to(in, to);
        return true;
    }
    if (in->pixels == JINGLE_PIXELS_NV12) {
        return scale_nv12(in, to, out);
    }
    return I420Scale(in->planes[0], (int)in->strides[0], in->planes[1], (int)in->strides[1],
                     in->planes[2], (int)in->strides[2], (int)in->width, (int)in->height,
                     to->planes[0], (int)to->strides[0], to->planes[1], (int)to->strides[1],
                     to->planes[2], (int)to->strides[2], (int)to->width, (int)to->height,
                     kFilterBox) == 0;
}

static jingle_status resize_failed(uint32_t width, uint32_t height)
{
    return size_valid(width, height) ? JINGLE_ERROR_MEMORY : JINGLE_ERROR_INVALID;
}

jingle_status picture_scale(const jingle_picture *in, struct picture_buffer *out, uint32_t width,
                            uint32_t height)
{
    if (!picture_buffer_resize(out, width, height)) {
        return resize_failed(width, height);
    }
    struct target to = part_of(out, 0, 0, (struct picture_size){width, height});
    return scale_to(in, &to, out) ? JINGLE_OK : JINGLE_ERROR_MEMORY;
}

jingle_status picture_letterbox(const jingle_picture *in, struct picture_buffer *out,
                                uint32_t width, uint32_t height)
{
    if (!picture_buffer_resize(out, width, height)) {
        return resize_failed(width, height);
    }
    struct picture_size whole = {width, height};
    struct picture_size size = fill((struct picture_size){in->width, in->height}, whole);
    size.width = size.width < width ? size.width : width; /* of 1, which is not even */
    size.height = size.height < height ? size.height : height;
    if (size.width != width || size.height != height) {
        picture_buffer_blacken(out);
    }
    struct target to =
        part_of(out, (width - size.width) / 4 * 2, (height - size.height) / 4 * 2, size);
    return scale_to(in, &to, out) ? JINGLE_OK : JINGLE_ERROR_MEMORY;
}

jingle_status picture_mirror(const jingle_picture *in, struct picture_buffer *out)
{
    if (!picture_buffer_resize(out, in->width, in->height)) {
        return resize_failed(in->width, in->height);
    }
    if (in->pixels == JINGLE_PIXELS_I420) {
        I420Mirror(in->planes[0], (int)in->strides[0], in->planes[1], (int)in->strides[1],
                   in->planes[2], (int)in->strides[2], out->planes[0], (int)out->strides[0],
                   out->planes[1], (int)out->strides[1], out->planes[2], (int)out->strides[2],
                   (int)in->width, (int)in->height);
        return JINGLE_OK;
    }
    uint32_t width = half(in->width), height = half(in->height);
    size_t stride = aligned((size_t)width * 2);
    if (!make_room(&out->spare, &out->spare_bytes, stride * height)) {
        return JINGLE_ERROR_MEMORY;
    }
    MirrorPlane(in->planes[0], (int)in->strides[0], out->planes[0], (int)out->strides[0],
                (int)in->width, (int)in->height);
    MirrorUVPlane(in->planes[1], (int)in->strides[1], out->spare, (int)stride, (int)width,
                  (int)height);
    SplitUVPlane(out->spare, (int)stride, out->planes[1], (int)out->strides[1], out->planes[2],
                 (int)out->strides[2], (int)width, (int)height);
    return JINGLE_OK;
}

/* --- raw pictures -------------------------------------------------------------------------- */

/* What libyuv's functions from one plane to I420 have in common. Its names tell the bytes of a
 * little-endian word from the top: its "ARGB" is BGRA in memory. */
typedef int (*packed_fn)(const uint8_t *in, int stride, uint8_t *y, int stride_y, uint8_t *u,
                         int stride_u, uint8_t *v, int stride_v, int width, int height);

static packed_fn packed_function(enum raw_pixels pixels)
{
    switch (pixels) {
    case RAW_YUYV:
        return YUY2ToI420;
    case RAW_UYVY:
        return UYVYToI420;
    case RAW_RGB:
        return RAWToI420;
    case RAW_BGR:
        return RGB24ToI420;
    case RAW_BGRA:
        return ARGBToI420;
    case RAW_RGBA:
        return ABGRToI420;
    case RAW_ARGB:
        return BGRAToI420;
    case RAW_ABGR:
        return RGBAToI420;
    case RAW_RGB565:
        return RGB565ToI420;
    default:
        return NULL;
    }
}

static int convert_packed(const struct raw_picture *raw, struct picture_buffer *out)
{
    packed_fn convert = packed_function(raw->pixels);
    return convert(raw->planes[0], (int)raw->strides[0], out->planes[0], (int)out->strides[0],
                   out->planes[1], (int)out->strides[1], out->planes[2], (int)out->strides[2],
                   (int)raw->width, (int)raw->height);
}

#ifdef YUV_HAS_MJPEG
/* 0 to 255 becomes `scale` / 256 of it and `offset`; whole vectors, for rows are padded to them. */
static void narrow_plane(uint8_t *plane, size_t bytes, uint16_t scale, uint16_t offset)
{
    for (size_t at = 0; at < bytes; at += ALIGNMENT) {
        for (size_t i = 0; i < ALIGNMENT; i++) {
            uint16_t value = (uint16_t)(plane[at + i] * scale + offset);
            plane[at + i] = (uint8_t)(value >> 8);
        }
    }
}

/* From the full range of JFIF to the limited one of BT.601: luma 16 to 235, chroma 16 to 240. */
static void narrow_range(struct picture_buffer *b)
{
    narrow_plane(b->planes[0], b->strides[0] * b->height, 220, 16 * 256 + 128);
    narrow_plane(b->planes[1], b->strides[1] * half(b->height), 225, 128 * 31 + 128);
    narrow_plane(b->planes[2], b->strides[2] * half(b->height), 225, 128 * 31 + 128);
}
#endif

static int convert_jpeg(const struct raw_picture *raw, struct picture_buffer *out)
{
#ifdef YUV_HAS_MJPEG
    int width = 0, height = 0;
    if (MJPGSize(raw->planes[0], raw->bytes, &width, &height) != 0 || width != (int)raw->width ||
        height != (int)raw->height) {
        return -1;
    }
    if (MJPGToI420(raw->planes[0], raw->bytes, out->planes[0], (int)out->strides[0], out->planes[1],
                   (int)out->strides[1], out->planes[2], (int)out->strides[2], width, height, width,
                   height) != 0) {
        return -1;
    }
    narrow_range(out);
    return 0;
#else
    (void)raw;
    (void)out;
    return -1;
#endif
}

/* A raw picture of planes as the picture that it is, with V and U in the order that it has. */
static jingle_picture planar(const struct raw_picture *raw)
{
    bool swapped = raw->pixels == RAW_YV12;
    bool interleaved = raw->pixels == RAW_NV12 || raw->pixels == RAW_NV21;
    return (jingle_picture){
        .size = sizeof(jingle_picture),
        .pixels = interleaved ? JINGLE_PIXELS_NV12 : JINGLE_PIXELS_I420,
        .width = raw->width,
        .height = raw->height,
        .planes = {raw->planes[0], raw->planes[swapped ? 2 : 1], raw->planes[swapped ? 1 : 2]},
        .strides = {raw->strides[0], raw->strides[swapped ? 2 : 1], raw->strides[swapped ? 1 : 2]},
    };
}

static void convert_planar(const struct raw_picture *raw, struct picture_buffer *out)
{
    jingle_picture picture = planar(raw);
    struct target to = part_of(out, 0, 0, (struct picture_size){out->width, out->height});
    if (raw->pixels == RAW_NV21) {
        uint8_t *u = to.planes[1];
        to.planes[1] = to.planes[2];
        to.planes[2] = u;
    }
    copy_to(&picture, &to);
}

jingle_status raw_convert(const struct raw_picture *raw, struct picture_buffer *out)
{
    if (!picture_buffer_resize(out, raw->width, raw->height)) {
        return resize_failed(raw->width, raw->height);
    }
    switch (raw->pixels) {
    case RAW_I420:
    case RAW_YV12:
    case RAW_NV12:
    case RAW_NV21:
        convert_planar(raw, out);
        return JINGLE_OK;
    case RAW_MJPEG:
        return convert_jpeg(raw, out) == 0 ? JINGLE_OK : JINGLE_ERROR_INVALID;
    default:
        return convert_packed(raw, out) == 0 ? JINGLE_OK : JINGLE_ERROR_INVALID;
    }
}

jingle_status raw_convert_large(const struct raw_picture *raw, struct picture_buffer *out)
{
    uint32_t part = 1;
    while (raw->width / part > PICTURE_SIDE_MAX || raw->height / part > PICTURE_SIDE_MAX) {
        part *= 2;
    }
    if (part == 1) {
        return raw_convert(raw, out);
    }
    struct raw_picture small = *raw;
    small.width = raw->width / part > 0 ? raw->width / part : 1;
    small.height = raw->height / part > 0 ? raw->height / part : 1;
    small.strides[0] = aligned((size_t)small.width * 4);
    if (!make_room(&out->spare, &out->spare_bytes, small.strides[0] * small.height)) {
        return JINGLE_ERROR_MEMORY;
    }
    small.planes[0] = out->spare;
    ARGBScale(raw->planes[0], (int)raw->strides[0], (int)raw->width, (int)raw->height, out->spare,
              (int)small.strides[0], (int)small.width, (int)small.height, kFilterBox);
    return raw_convert(&small, out);
}
