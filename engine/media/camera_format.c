#include "media/camera_format.h"

#include <linux/videodev2.h>

/* Costs, in thousandths: of all pixels or all frames missing 1000. */
enum {
    COST_SURPLUS = 100, /* twice as many pixels as wanted, to be moved and thrown away */
    COST_SURPLUS_MAX = 900,
    COST_FASTER = 20, /* frames that are thrown away */
    COST_UNTOLD_RATE = 100,
};

struct form {
    uint32_t fourcc;
    enum raw_pixels pixels;
    uint32_t cost; /* of converting, and of what compression lost */
};

static const struct form FORMS[] = {
    {V4L2_PIX_FMT_NV12, RAW_NV12, 0},     {V4L2_PIX_FMT_YUV420, RAW_I420, 0},
    {V4L2_PIX_FMT_YVU420, RAW_YV12, 5},   {V4L2_PIX_FMT_NV21, RAW_NV21, 5},
    {V4L2_PIX_FMT_YUYV, RAW_YUYV, 10},    {V4L2_PIX_FMT_UYVY, RAW_UYVY, 10},
    {V4L2_PIX_FMT_XBGR32, RAW_BGRA, 20},  {V4L2_PIX_FMT_ABGR32, RAW_BGRA, 20},
    {V4L2_PIX_FMT_BGR32, RAW_BGRA, 20},   {V4L2_PIX_FMT_RGB24, RAW_RGB, 25},
    {V4L2_PIX_FMT_BGR24, RAW_BGR, 25},    {V4L2_PIX_FMT_RGB565, RAW_RGB565, 40},
#ifdef YUV_HAS_MJPEG
    {V4L2_PIX_FMT_MJPEG, RAW_MJPEG, 100}, {V4L2_PIX_FMT_JPEG, RAW_MJPEG, 100},
#endif
};

static const struct form *form_of(uint32_t fourcc)
{
    for (size_t i = 0; i < sizeof FORMS / sizeof *FORMS; i++) {
        if (FORMS[i].fourcc == fourcc) {
            return &FORMS[i];
        }
    }
    return NULL;
}

bool camera_pixels(uint32_t fourcc, enum raw_pixels *pixels)
{
    const struct form *form = form_of(fourcc);
    if (form) {
        *pixels = form->pixels;
    }
    return form;
}

uint32_t camera_format_rate(const struct camera_format *format)
{
    uint32_t numerator = format->interval_numerator;
    if (numerator == 0) {
        return 0;
    }
    uint64_t rate = ((uint64_t)format->interval_denominator + numerator / 2) / numerator;
    return rate < 1000 ? (uint32_t)rate : 1000;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint32_t size_cost(const struct camera_format *format, const jingle_video_format *wanted)
{
    uint64_t pixels = (uint64_t)format->width * format->height;
    uint64_t all = (uint64_t)wanted->width * wanted->height;
    /* what a picture of that shape can be at most within the size that is wanted */
    uint64_t used = smaller(format->width, wanted->width) * smaller(format->height, wanted->height);
    uint64_t surplus = (pixels - used) * COST_SURPLUS / all;
    return (uint32_t)((all - used) * 1000 / all + smaller(surplus, COST_SURPLUS_MAX));
}

static uint32_t rate_cost(const struct camera_format *format, const jingle_video_format *wanted)
{
    uint32_t rate = camera_format_rate(format);
    if (rate == 0) {
        return COST_UNTOLD_RATE;
    }
    if (rate < wanted->frame_rate) {
        return (wanted->frame_rate - rate) * 1000 / wanted->frame_rate;
    }
    return rate > wanted->frame_rate ? COST_FASTER : 0;
}

uint32_t camera_format_cost(const struct camera_format *format, const jingle_video_format *wanted)
{
    const struct form *form = form_of(format->fourcc);
    if (!form || format->width == 0 || format->height == 0) {
        return UINT32_MAX;
    }
    return form->cost + size_cost(format, wanted) + rate_cost(format, wanted);
}
