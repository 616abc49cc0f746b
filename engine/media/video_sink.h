/* Video sinks: the table jingle_video_sink of <jingle/jingle.h> and what its files share.
 *
 *     window_sdl.c        a window (window_none.c where built without)
 *     video_null.c video_tee.c
 *
 * A table of the library's own is the first member of what it describes and is freed with it. */
#ifndef JINGLE_MEDIA_VIDEO_SINK_H
#define JINGLE_MEDIA_VIDEO_SINK_H

#include <jingle/jingle.h>

#include <stdbool.h>

/* True if the table, which may be an application's, is whole. */
bool video_sink_valid(const jingle_video_sink *sink);

/* The optional functions of a table; those missing do nothing. */
jingle_status video_sink_start(const jingle_video_sink *sink);
void video_sink_stop(const jingle_video_sink *sink);

/* For the ends of constructors: they set `*status`, which may be NULL. */
jingle_video_sink *video_sink_made(jingle_video_sink *sink, jingle_status *status);
jingle_video_sink *video_sink_failed(jingle_status *status, jingle_status why);

#endif
