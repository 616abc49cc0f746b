#include "media/camera_choice.h"

/* Limits of what a driver may list, against one that never ends. */
enum { FORMATS = 64, SIZES = 128, INTERVALS = 64 };

struct choice {
    const struct camera_system *system;
    int fd;
    const jingle_video_format *wanted;
    struct camera_format best;
    uint32_t cost;
};

bool camera_query(const struct camera_system *system, int fd, struct v4l2_capability *capability)
{
    *capability = (struct v4l2_capability){0};
    if (system->ioctl(fd, VIDIOC_QUERYCAP, capability) != 0) {
        return false;
    }
    uint32_t can = capability->capabilities & V4L2_CAP_DEVICE_CAPS ? capability->device_caps
                                                                   : capability->capabilities;
    return can & V4L2_CAP_VIDEO_CAPTURE && can & V4L2_CAP_STREAMING;
}

/* --- listing ------------------------------------------------------------------------------- */

static void consider(struct choice *c, const struct camera_format *format)
{
    uint32_t cost = camera_format_cost(format, c->wanted);
    if (cost < c->cost) {
        c->cost = cost;
        c->best = *format;
    }
}

static void consider_interval(struct choice *c, struct camera_format *format, struct v4l2_fract f)
{
    format->interval_numerator = f.numerator;
    format->interval_denominator = f.denominator;
    consider(c, format);
}

/* A range of intervals has the wanted one, or one of its ends is nearest. */
static void consider_range(struct choice *c, struct camera_format *format,
                           const struct v4l2_frmival_stepwise *range)
{
    uint64_t rate = c->wanted->frame_rate;
    if (rate * range->min.numerator > range->min.denominator) {
        consider_interval(c, format, range->min);
    } else if (rate * range->max.numerator < range->max.denominator) {
        consider_interval(c, format, range->max);
    } else {
        consider_interval(c, format, (struct v4l2_fract){1, c->wanted->frame_rate});
    }
}

static void consider_size(struct choice *c, struct camera_format format)
{
    for (uint32_t i = 0; i < INTERVALS; i++) {
        struct v4l2_frmivalenum interval = {.index = i,
                                            .pixel_format = format.fourcc,
                                            .width = format.width,
                                            .height = format.height};
        if (c->system->ioctl(c->fd, VIDIOC_ENUM_FRAMEINTERVALS, &interval) != 0) {
            if (i == 0) { /* it does not tell */
                consider(c, &format);
            }
            return;
        }
        if (interval.type != V4L2_FRMIVAL_TYPE_DISCRETE) {
            consider_range(c, &format, &interval.stepwise);
            return;
        }
        consider_interval(c, &format, interval.discrete);
    }
}

static uint32_t stepped(uint32_t wanted, uint32_t min, uint32_t max, uint32_t step)
{
    if (wanted <= min || max <= min) {
        return min;
    }
    uint32_t side = wanted < max ? wanted : max;
    return step > 1 ? min + (side - min + step - 1) / step * step : side;
}

static void consider_pixels(struct choice *c, uint32_t fourcc)
{
    for (uint32_t i = 0; i < SIZES; i++) {
        struct v4l2_frmsizeenum size = {.index = i, .pixel_format = fourcc};
        if (c->system->ioctl(c->fd, VIDIOC_ENUM_FRAMESIZES, &size) != 0) {
            if (i == 0) { /* it does not tell: ask for what we want and see */
                consider_size(c, (struct camera_format){.fourcc = fourcc,
                                                        .width = c->wanted->width,
                                                        .height = c->wanted->height});
            }
            return;
        }
        if (size.type == V4L2_FRMSIZE_TYPE_DISCRETE) {
            consider_size(c, (struct camera_format){.fourcc = fourcc,
                                                    .width = size.discrete.width,
                                                    .height = size.discrete.height});
            continue;
        }
        const struct v4l2_frmsize_stepwise *s = &size.stepwise;
        consider_size(c, (struct camera_format){.fourcc = fourcc,
                                                .width = stepped(c->wanted->width, s->min_width,
                                                                 s->max_width, s->step_width),
                                                .height = stepped(c->wanted->height, s->min_height,
                                                                  s->max_height, s->step_height)});
        return;
    }
}

static bool list(struct choice *c)
{
    for (uint32_t i = 0; i < FORMATS; i++) {
        struct v4l2_fmtdesc description = {.index = i, .type = V4L2_BUF_TYPE_VIDEO_CAPTURE};
        enum raw_pixels pixels;
        if (c->system->ioctl(c->fd, VIDIOC_ENUM_FMT, &description) != 0) {
            break;
        }
        if (camera_pixels(description.pixelformat, &pixels)) {
            consider_pixels(c, description.pixelformat);
        }
    }
    return c->cost != UINT32_MAX;
}

/* --- setting ------------------------------------------------------------------------------- */

/* The rate is a wish: a camera that has none of it runs as it does. */
static void set_interval(struct choice *c)
{
    struct v4l2_streamparm parameters = {.type = V4L2_BUF_TYPE_VIDEO_CAPTURE};
    struct v4l2_captureparm *capture = &parameters.parm.capture;
    if (c->system->ioctl(c->fd, VIDIOC_G_PARM, &parameters) != 0) {
        return;
    }
    bool settable = capture->capability & V4L2_CAP_TIMEPERFRAME;
    if (settable && c->best.interval_numerator > 0) {
        capture->timeperframe.numerator = c->best.interval_numerator;
        capture->timeperframe.denominator = c->best.interval_denominator;
        c->system->ioctl(c->fd, VIDIOC_S_PARM, &parameters);
    }
    c->best.interval_numerator = capture->timeperframe.numerator;
    c->best.interval_denominator = capture->timeperframe.denominator;
}

bool camera_choose(const struct camera_system *system, int fd, const jingle_video_format *wanted,
                   struct camera_format *set, struct v4l2_pix_format *pixels)
{
    struct choice c = {.system = system, .fd = fd, .wanted = wanted, .cost = UINT32_MAX};
    if (!list(&c)) {
        return false;
    }
    struct v4l2_format format = {.type = V4L2_BUF_TYPE_VIDEO_CAPTURE};
    format.fmt.pix.width = c.best.width;
    format.fmt.pix.height = c.best.height;
    format.fmt.pix.pixelformat = c.best.fourcc;
    format.fmt.pix.field = V4L2_FIELD_NONE;
    if (system->ioctl(fd, VIDIOC_S_FMT, &format) != 0) {
        return false;
    }
    *pixels = format.fmt.pix; /* what it really is: drivers may give something near */
    enum raw_pixels known;
    if (!camera_pixels(pixels->pixelformat, &known) || pixels->width == 0 || pixels->height == 0 ||
        pixels->width > PICTURE_SIDE_MAX || pixels->height > PICTURE_SIDE_MAX) {
        return false;
    }
    c.best.fourcc = pixels->pixelformat;
    c.best.width = pixels->width;
    c.best.height = pixels->height;
    set_interval(&c);
    *set = c.best;
    return true;
}
