/* A camera's inside, for camera_v4l2.c and its test, which plays a camera. */
#ifndef JINGLE_MEDIA_CAMERA_H
#define JINGLE_MEDIA_CAMERA_H

#include "base/clock.h"

#include <jingle/jingle.h>

#include <stdbool.h>

enum { CAMERA_PATHS = 64 }; /* /dev/video0 and on */

/* What is asked of the system, as the functions of that name: -1 and errno, MAP_FAILED. */
struct camera_system {
    int (*open)(const char *path);
    int (*close)(int fd);
    int (*ioctl)(int fd, unsigned long request, void *argument);
    void *(*mmap)(int fd, size_t bytes, int64_t offset);
    int (*munmap)(void *memory, size_t bytes);
    bool (*wait)(int fd, usec deadline); /* video_wait() */
};

/* As jingle_video_source_camera() and jingle_cameras(). */
jingle_video_source *camera_new(const struct camera_system *system, const char *name,
                                jingle_status *status);
jingle_status camera_list(const struct camera_system *system, jingle_camera **cameras,
                          size_t *count);

#endif
