/* A video sink that hands every picture to two sinks. Trouble with one does not keep the picture
 * from the other; that of the first is told before that of the second. */
#include "media/video_sink.h"

#include <stdlib.h>

struct video_tee {
    jingle_video_sink table;
    jingle_video_sink *first;
    jingle_video_sink *second;
};

static jingle_status start(void *user)
{
    struct video_tee *tee = user;
    jingle_status status = video_sink_start(tee->first);
    if (status != JINGLE_OK) {
        return status;
    }
    status = video_sink_start(tee->second);
    if (status != JINGLE_OK) {
        video_sink_stop(tee->first);
    }
    return status;
}

static jingle_status write_both(void *user, const jingle_picture *picture)
{
    struct video_tee *tee = user;
    jingle_status first = tee->first->write(tee->first->user, picture);
    jingle_status second = tee->second->write(tee->second->user, picture);
    return first != JINGLE_OK ? first : second;
}

static void stop(void *user)
{
    struct video_tee *tee = user;
    video_sink_stop(tee->first);
    video_sink_stop(tee->second);
}

static void free_both(void *user)
{
    struct video_tee *tee = user;
    jingle_video_sink_free(tee->first);
    jingle_video_sink_free(tee->second);
    free(tee);
}

jingle_video_sink *jingle_video_sink_tee(jingle_video_sink *first, jingle_video_sink *second,
                                         jingle_status *status)
{
    bool valid = video_sink_valid(first) && video_sink_valid(second);
    struct video_tee *tee = valid ? malloc(sizeof *tee) : NULL;
    if (!tee) {
        jingle_video_sink_free(first);
        jingle_video_sink_free(second);
        return video_sink_failed(status, valid ? JINGLE_ERROR_MEMORY : JINGLE_ERROR_INVALID);
    }
    *tee = (struct video_tee){
        .table =
            {
                .size = sizeof tee->table,
                .user = tee,
                .start = start,
                .write = write_both,
                .stop = stop,
                .free = free_both,
            },
        .first = first,
        .second = second,
    };
    return video_sink_made(&tee->table, status);
}
