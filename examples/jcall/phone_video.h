/* What a phone does with pictures: the window, the camera and the screen, recordings and
 * snapshots of its call. */
#ifndef JCALL_PHONE_VIDEO_H
#define JCALL_PHONE_VIDEO_H

#include "phone.h"
#include "request.h"

/* Makes the source that the options ask for, as far as it can be had: without a camera it is said
 * and the call goes on. `*spoken` gets the sound of --play. On failure `*message` (freed with
 * g_free()) says what to do. */
jingle_status phone_video_prepare(struct phone *phone, jingle_audio_source **spoken,
                                  char **message);

/* The video for a call that begins now: `config` lives in the phone until the next one. Opens the
 * window. */
const jingle_video_config *phone_video_config(struct phone *phone);

/* Does what is asked if it is about pictures; false if it is not. */
bool phone_video_do(struct phone *phone, const struct request *request);

/* An event of the phone's call. */
void phone_video_event(struct phone *phone, const jingle_event *event);

/* The user closed the window. */
void phone_video_closed(struct phone *phone);

/* Writes into the window what `text` says of the call. */
void phone_video_show(struct phone *phone, const char *text);

/* Frees what is left. */
void phone_video_clear(struct phone *phone);

#endif
