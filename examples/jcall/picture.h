/* From --video, --camera, --screen, --play and the like to the pictures of a call: where they come
 * from and where they are shown. */
#ifndef JCALL_PICTURE_H
#define JCALL_PICTURE_H

#include "options.h"

#include <jingle/jingle.h>
#include <stdbool.h>

enum picture_kind {
    PICTURE_NONE,   /* we send none */
    PICTURE_USUAL,  /* what the options say: a camera, if they say nothing */
    PICTURE_SCREEN, /* what --screen says, or the whole of it */
};

/* Do the options ask for video? */
bool picture_wanted(const struct options *options);

/* Do they ask for video, but for no picture of ours? */
bool picture_only_watched(const struct options *options);

/* A source of that kind; NULL for PICTURE_NONE, and on failure, when `*message` (freed with
 * g_free()) says what to do. `sound` may be NULL; it gets the sound of --play. */
jingle_video_source *picture_source(const struct options *options, enum picture_kind kind,
                                    jingle_audio_source **sound, char **message);

/* Coding and size as the options say; no source and no sinks yet. */
void picture_config(const struct options *options, jingle_video_config *config);

/* Frees what no session has taken over. */
void picture_config_clear(jingle_video_config *config);

#endif
