/* Sound sources and sinks: the tables jingle_audio_source and jingle_audio_sink of
 * <jingle/jingle.h> and what their files share. Only these files know of PortAudio and libsndfile.
 *
 *     portaudio.c   sound devices (device_none.c where built without)
 *     sndfile.c     files to play and to record
 *     tone.c silence.c null.c tee.c */
#ifndef JINGLE_MEDIA_DEVICES_H
#define JINGLE_MEDIA_DEVICES_H

#include <jingle/jingle.h>

#include <stdbool.h>

/* True if the source's or sink's table is whole: the right size, what is required is there. */
bool source_valid(const jingle_audio_source *source);
bool sink_valid(const jingle_audio_sink *sink);

#endif
