/* A video sink that shows nowhere. */
#include "media/video_sink.h"

#include <stdlib.h>

static jingle_status write_nowhere(void *user, const jingle_picture *picture)
{
    (void)user;
    (void)picture;
    return JINGLE_OK;
}

jingle_video_sink *jingle_video_sink_null(jingle_status *status)
{
    jingle_video_sink *sink = malloc(sizeof *sink);
    if (!sink) {
        return video_sink_failed(status, JINGLE_ERROR_MEMORY);
    }
    *sink = (jingle_video_sink){
        .size = sizeof *sink,
        .user = sink,
        .write = write_nowhere,
        .free = free,
    };
    return video_sink_made(sink, status);
}
