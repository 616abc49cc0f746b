/* Pictures into the form and size that is needed, by libyuv: I420 (BT.601, limited range) in a
 * buffer that is kept from picture to picture.
 *
 *     camera, screen, file ── raw_convert() ──▶ picture_buffer
 *     picture (I420, NV12) ── picture_scale(), picture_letterbox(), picture_mirror() ──▶ buffer
 *
 * Nothing is allocated as long as the size stays. Only video_scale.c knows libyuv. */
#ifndef JINGLE_MEDIA_VIDEO_SCALE_H
#define JINGLE_MEDIA_VIDEO_SCALE_H

#include <jingle/jingle.h>

#include <stdbool.h>

enum { PICTURE_SIDE_MAX = 4096 }; /* pixels; jingle_picture allows no more */

struct picture_size {
    uint32_t width, height;
};

/* --- buffer -------------------------------------------------------------------------------- */

/* Owned I420 planes; all zeros is an empty one. Rows begin at multiples of 64 bytes. */
struct picture_buffer {
    uint32_t width, height;
    uint8_t *planes[3];
    size_t strides[3];
    uint8_t *memory;
    size_t memory_bytes;
    uint8_t *spare; /* for steps between */
    size_t spare_bytes;
};

/* Makes it `width` by `height`; what was in it is lost if that is new. False: more than
 * PICTURE_SIDE_MAX, 0, or out of memory; then it is empty. */
bool picture_buffer_resize(struct picture_buffer *buffer, uint32_t width, uint32_t height);

/* Frees the planes; it may be used again. */
void picture_buffer_clear(struct picture_buffer *buffer);

/* All black. */
void picture_buffer_blacken(struct picture_buffer *buffer);

/* The buffer as a picture, without `release`. */
jingle_picture picture_buffer_view(const struct picture_buffer *buffer, int64_t time);

/* --- pictures ------------------------------------------------------------------------------ */

/* True if the picture, which may be an application's, keeps to jingle.h: `size` set, sides 1 to
 * PICTURE_SIDE_MAX, planes there, strides long enough. */
bool picture_valid(const jingle_picture *picture);

/* Calls its `release`, if it has one. */
void picture_release(const jingle_picture *picture);

/* The largest size of the same shape that is at most `width` by `height` and never larger than the
 * picture; both sides even, at least 2. */
struct picture_size picture_fit(const jingle_picture *picture, uint32_t width, uint32_t height);

/* All of these take I420 and NV12, make `out` the size asked for and fill it whole. A picture that
 * is at most one pixel larger on a side (an odd size) is cut, not scaled. JINGLE_ERROR_MEMORY or
 * JINGLE_ERROR_INVALID (a size of nothing); `in` must be valid and must not lie in `out`. */

/* Stretched or shrunk to the size, so its shape should be that of the picture (picture_fit()). The
 * same size is a copy, of NV12 a conversion. */
jingle_status picture_scale(const jingle_picture *in, struct picture_buffer *out, uint32_t width,
                            uint32_t height);

/* As large as it fits in the middle, enlarged if need be, black around it. */
jingle_status picture_letterbox(const jingle_picture *in, struct picture_buffer *out,
                                uint32_t width, uint32_t height);

/* Left and right changed, at the same size. */
jingle_status picture_mirror(const jingle_picture *in, struct picture_buffer *out);

/* --- raw pictures -------------------------------------------------------------------------- */

/* As bytes follow each other in memory: RAW_BGRA is blue, green, red, and alpha or nothing. RGB and
 * JPEG are of full range and become limited; other YUV is taken as it is. */
enum raw_pixels {
    RAW_I420,
    RAW_YV12, /* planes Y, V, U */
    RAW_NV12,
    RAW_NV21, /* planes Y, VU */
    RAW_YUYV,
    RAW_UYVY,
    RAW_RGB,
    RAW_BGR,
    RAW_BGRA,
    RAW_RGBA,
    RAW_ARGB,
    RAW_ABGR,
    RAW_RGB565, /* little endian */
    RAW_MJPEG,  /* one JPEG: planes[0] and `bytes` */
};

struct raw_picture {
    enum raw_pixels pixels;
    uint32_t width, height;
    const uint8_t *planes[3]; /* as many as it has */
    size_t strides[3];
    size_t bytes; /* of a JPEG */
};

/* Converts at the same size. JINGLE_ERROR_INVALID: no such size, or a JPEG that is broken or of
 * another size than told. */
jingle_status raw_convert(const struct raw_picture *raw, struct picture_buffer *out);

/* The same for pixels of four bytes that may be more than PICTURE_SIDE_MAX a side: these are halved
 * until they fit. */
jingle_status raw_convert_large(const struct raw_picture *raw, struct picture_buffer *out);

#endif
