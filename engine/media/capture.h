/* The way from a source to a voice; audio.h draws it. */
#ifndef JINGLE_MEDIA_CAPTURE_H
#define JINGLE_MEDIA_CAPTURE_H

#include "media/audio.h"
#include "media/processing.h"

struct capture;

/* `config` and `processing` (NULL: none) must outlive the capture. NULL: out of memory. */
struct capture *capture_new(const struct audio_config *config, struct processing *processing);
void capture_free(struct capture *capture);

/* As audio_start() and so on. */
void capture_start(struct capture *capture, usec now);
usec capture_tick(struct capture *capture, usec now);
void capture_stop(struct capture *capture);

#endif
