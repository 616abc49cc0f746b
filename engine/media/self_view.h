/* Our own picture, shown as it is taken. The capture's thread only, but for the end. */
#ifndef JINGLE_MEDIA_SELF_VIEW_H
#define JINGLE_MEDIA_SELF_VIEW_H

#include "media/video_scale.h"

#include <jingle/jingle.h>

/* All zero: nothing is shown. */
struct self_view {
    jingle_video_sink *sink;
    bool started;
    bool lost;
    struct picture_buffer converted;
};

/* In place of the one before, which is stopped and freed. NULL: none. */
void self_view_put(struct self_view *view, jingle_video_sink *sink);

/* True if it was lost or is back with this picture; `*status` tells which and why. */
bool self_view_show(struct self_view *view, const jingle_picture *picture, jingle_status *status);

void self_view_clear(struct self_view *view);

#endif
