#include "media/self_view.h"

#include "media/video_sink.h"

void self_view_put(struct self_view *view, jingle_video_sink *sink)
{
    if (view->started) {
        video_sink_stop(view->sink);
    }
    jingle_video_sink_free(view->sink);
    view->sink = sink;
    view->started = false;
    view->lost = false;
}

static jingle_status write_sink(struct self_view *view, const jingle_picture *picture)
{
    jingle_status status = view->started ? JINGLE_OK : video_sink_start(view->sink);
    if (status != JINGLE_OK) {
        return status;
    }
    view->started = true;
    if (picture->pixels == JINGLE_PIXELS_I420) {
        return view->sink->write(view->sink->user, picture);
    }
    status = picture_scale(picture, &view->converted, picture->width, picture->height);
    if (status != JINGLE_OK) {
        return status;
    }
    jingle_picture converted = picture_buffer_view(&view->converted, picture->time);
    return view->sink->write(view->sink->user, &converted);
}

bool self_view_show(struct self_view *view, const jingle_picture *picture, jingle_status *status)
{
    if (!view->sink) {
        return false;
    }
    *status = write_sink(view, picture);
    bool lost = *status != JINGLE_OK;
    bool news = lost != view->lost;
    view->lost = lost;
    return news;
}

void self_view_clear(struct self_view *view)
{
    self_view_put(view, NULL);
    picture_buffer_clear(&view->converted);
}
