/* From --source, --sink, --record and the coding options to a session's configuration. */
#ifndef JCALL_SOUND_H
#define JCALL_SOUND_H

#include "options.h"

#include <stdbool.h>

/* Fills `config` with a source and a sink of its own; `spoken`, if it is not NULL, is the source
 * (of a video file), and it is freed on failure. `call` counts this program's calls from 1: from
 * the second on, recordings get the number into their names. On failure `*message` (freed with
 * g_free()) says what to do. */
jingle_status sound_config(const struct options *options, unsigned call,
                           jingle_audio_source *spoken, jingle_session_config *config,
                           char **message);

/* Where it rings: --ring, or the device that sound goes to. NULL: nowhere. */
jingle_audio_sink *sound_ring_sink(const struct options *options);

/* --record names a WebM file: sound and pictures as they came. */
bool sound_is_webm(const struct options *options);

/* The name with the call's number in it from the second on. Freed with g_free(). */
char *sound_record_path(const char *path, unsigned call);

/* Frees source and sink, for a configuration that no session has taken over. */
void sound_config_clear(jingle_session_config *config);

#endif
