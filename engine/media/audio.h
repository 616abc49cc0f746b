/* The sound of one call: joins a source and a sink to a voice (rtp/voice.h).
 *
 *     source ─▶ resample ─▶ processing ─▶ voice_capture()
 *                               ▲ what is played, as the echo canceller's reference
 *     voice_pull() ─────────────┴──▶ resample ─▶ sink
 *
 * It has no thread and no clock: the media thread that owns the call runs audio_tick_playback() and
 * audio_tick_capture() whenever the time that the last one returned has come. A source on demand
 * and a sink without `wanted` share one grid of absolute deadlines; what has a clock of its own is
 * followed (rhythm.h). */
#ifndef JINGLE_MEDIA_AUDIO_H
#define JINGLE_MEDIA_AUDIO_H

#include "base/clock.h"
#include "base/log.h"

struct voice;
struct audio;

/* Run inside audio_start() and the two ticks. None may free the audio. Each may be NULL. */
struct audio_hooks {
    void *user;
    /* A source or sink is lost (told once; silence follows) or is back. `status` is why: OK when
     * it is back, otherwise JINGLE_ERROR_DEVICE, what its `start` returned, or a sink's `trouble`,
     * with which it goes on. */
    void (*device)(void *user, bool capture, bool lost, jingle_status status);
    /* The source said JINGLE_AUDIO_END; silence is sent from here on. */
    void (*source_ended)(void *user);
};

struct audio_config {
    jingle_audio_source *source; /* both are the audio's from here on, also on failure */
    jingle_audio_sink *sink;
    struct voice *voice;        /* borrowed: must outlive audio_stop() */
    uint32_t playback_channels; /* that the sink is asked to take: 1 or 2, as the voice plays */
    jingle_switch echo_cancellation;
    jingle_switch noise_suppression;
    jingle_switch gain_control;
    const struct logger *log; /* must outlive the audio */
    struct audio_hooks hooks;
};

/* Any thread. NULL on failure. Nothing is opened yet. */
struct audio *audio_new(const struct audio_config *config, jingle_status *status);

/* Starts source and sink and the clock. What cannot be started is reported as lost and tried
 * again. */
void audio_start(struct audio *audio, usec now);

/* Does what is due at `now` and returns when it wants to be called again: USEC_NEVER while it is
 * not started or on hold. Harmless when called early. Playback comes first where both are due: a
 * sink cannot wait, and capture, which costs more, can. */
usec audio_tick_playback(struct audio *audio, usec now);
usec audio_tick_capture(struct audio *audio, usec now);

/* On hold source and sink are stopped; nothing is captured or pulled. Afterwards both go on where
 * they were. Mute and levels are the voice's. */
void audio_set_hold(struct audio *audio, bool on, usec now);

/* Stops source and sink; the voice is not used any more. Never waits. */
void audio_stop(struct audio *audio);

/* Frees source and sink, too. Any thread, when audio_stop() has been run; MAY WAIT for a disk (a
 * recording is complete when this returns) or a sound device to close, so keep it off a media
 * thread that other calls share. NULL is allowed. */
void audio_free(struct audio *audio);

/* How long it takes until what is played now is heard, as the sink says. */
usec audio_delay(const struct audio *audio);

/* Echo cancellation, noise suppression and gain control as they are in force, for the log. */
const char *audio_processing(const struct audio *audio);

#endif
