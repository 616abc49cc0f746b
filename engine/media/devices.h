/* Sound sources and sinks: the tables jingle_audio_source and jingle_audio_sink of
 * <jingle/jingle.h> and what their files share. Only these files know of PortAudio and libsndfile.
 *
 *     device.c portaudio.c       sound devices (device_none.c where built without)
 *     file_source.c file_sink.c  files to play and to record
 *     tone.c silence.c null.c tee.c
 *
 * A table of the library's own is the first member of what it describes and is freed with it. */
#ifndef JINGLE_MEDIA_DEVICES_H
#define JINGLE_MEDIA_DEVICES_H

#include <jingle/jingle.h>

#include <stdbool.h>

/* True if the table, which may be an application's, is whole. */
bool source_valid(const jingle_audio_source *source);
bool sink_valid(const jingle_audio_sink *sink);

/* The optional functions of a table that may be of an older program; those missing do nothing. */
jingle_status source_start(const jingle_audio_source *source, jingle_audio_format *format);
jingle_status sink_start(const jingle_audio_sink *sink, jingle_audio_format *format);
void source_stop(const jingle_audio_source *source);
void sink_stop(const jingle_audio_sink *sink);
int64_t source_delay(const jingle_audio_source *source);
int64_t sink_delay(const jingle_audio_sink *sink);
jingle_status sink_trouble(const jingle_audio_sink *sink);

/* For the ends of constructors: they set `*status`, which may be NULL. */
jingle_audio_source *source_made(jingle_audio_source *source, jingle_status *status);
jingle_audio_source *source_failed(jingle_status *status, jingle_status why);
jingle_audio_sink *sink_made(jingle_audio_sink *sink, jingle_status *status);
jingle_audio_sink *sink_failed(jingle_status *status, jingle_status why);

#endif
