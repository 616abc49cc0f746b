/* The way from a voice to a sink; audio.h draws it. */
#ifndef JINGLE_MEDIA_PLAYBACK_H
#define JINGLE_MEDIA_PLAYBACK_H

#include "media/audio.h"
#include "media/processing.h"

struct playback;

/* `config` and `processing` (NULL: none) must outlive the playback. NULL: out of memory. */
struct playback *playback_new(const struct audio_config *config, struct processing *processing);
void playback_free(struct playback *playback);

/* As audio_start() and so on. */
void playback_start(struct playback *playback, usec now);
usec playback_tick(struct playback *playback, usec now);
void playback_stop(struct playback *playback);

#endif
