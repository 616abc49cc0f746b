#include "media/video_source.h"

#include "media/video_scale.h"

#include <poll.h>
#include <time.h>

bool video_source_valid(const jingle_video_source *source)
{
    return source && source->size >= sizeof *source && source->read;
}

static uint32_t chosen(uint32_t value, uint32_t usual, uint32_t most)
{
    if (value == 0) {
        value = usual;
    }
    return value < most ? value : most;
}

void video_format_complete(jingle_video_format *format, jingle_video_format usual)
{
    format->width = chosen(format->width, usual.width, PICTURE_SIDE_MAX);
    format->height = chosen(format->height, usual.height, PICTURE_SIDE_MAX);
    format->frame_rate = chosen(format->frame_rate, usual.frame_rate, VIDEO_RATE_MAX);
}

jingle_video_source *video_source_made(jingle_video_source *source, jingle_status *status)
{
    if (status) {
        *status = JINGLE_OK;
    }
    return source;
}

jingle_video_source *video_source_failed(jingle_status *status, jingle_status why)
{
    if (status) {
        *status = why;
    }
    return NULL;
}

void jingle_video_source_free(jingle_video_source *source)
{
    if (source && source->free) {
        source->free(source->user);
    }
}

bool video_wait(int fd, usec deadline)
{
    for (;;) {
        usec left = deadline - clock_now();
        if (left < 0) {
            left = 0;
        }
        struct timespec wait = {.tv_sec = (time_t)(left / USEC_PER_SEC),
                                .tv_nsec = (long)(left % USEC_PER_SEC) * 1000};
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        if (ppoll(&ready, 1, &wait, NULL) > 0) {
            return true;
        }
        if (left == 0) {
            return false;
        }
    }
}

void frame_clock_start(struct frame_clock *clock, uint32_t rate, usec now)
{
    *clock = (struct frame_clock){.rate = rate, .start = now};
}

usec frame_clock_due(const struct frame_clock *clock)
{
    return clock->start + (usec)(clock->next * USEC_PER_SEC / clock->rate);
}

bool frame_clock_wait(struct frame_clock *clock, usec timeout, usec *due)
{
    usec deadline = clock_now() + timeout;
    usec next = frame_clock_due(clock);
    video_wait(-1, next < deadline ? next : deadline);
    usec now = clock_now();
    if (now < next) {
        return false;
    }
    uint64_t newest = (uint64_t)(now - clock->start) * clock->rate / USEC_PER_SEC;
    if (newest > clock->next) {
        clock->next = newest;
    }
    if (due) {
        *due = frame_clock_due(clock);
    }
    clock->next++;
    return true;
}
