#include "media/video_sink.h"

bool video_sink_valid(const jingle_video_sink *sink)
{
    return sink && sink->size >= sizeof *sink && sink->write;
}

jingle_status video_sink_start(const jingle_video_sink *sink)
{
    return sink->start ? sink->start(sink->user) : JINGLE_OK;
}

void video_sink_stop(const jingle_video_sink *sink)
{
    if (sink->stop) {
        sink->stop(sink->user);
    }
}

jingle_video_sink *video_sink_made(jingle_video_sink *sink, jingle_status *status)
{
    if (status) {
        *status = JINGLE_OK;
    }
    return sink;
}

jingle_video_sink *video_sink_failed(jingle_status *status, jingle_status why)
{
    if (status) {
        *status = why;
    }
    return NULL;
}

void jingle_video_sink_free(jingle_video_sink *sink)
{
    if (sink && sink->free) {
        sink->free(sink->user);
    }
}
