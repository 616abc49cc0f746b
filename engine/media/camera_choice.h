/* Asks a camera what it has and sets it to the form that comes nearest to what is wanted. */
#ifndef JINGLE_MEDIA_CAMERA_CHOICE_H
#define JINGLE_MEDIA_CAMERA_CHOICE_H

#include "media/camera.h"
#include "media/camera_format.h"

#include <linux/videodev2.h>

/* True if it is a camera that can be read by mmap; `capability` is what it says of itself. */
bool camera_query(const struct camera_system *system, int fd, struct v4l2_capability *capability);

/* False: it has nothing that we can read, or it is in use. `set` is what it was set to, `pixels`
 * its sizes in memory. */
bool camera_choose(const struct camera_system *system, int fd, const jingle_video_format *wanted,
                   struct camera_format *set, struct v4l2_pix_format *pixels);

#endif
