#include "media/audio.h"

#include "media/capture.h"
#include "media/devices.h"
#include "media/playback.h"
#include "media/processing.h"
#include "rtp/voice.h"

#include <stdio.h>
#include <stdlib.h>

struct audio {
    struct audio_config config;
    struct processing *processing; /* NULL: none */
    char described[64];
    struct capture *capture;
    struct playback *playback;
    bool started;
    bool held;
};

static bool decide(jingle_switch wish, bool sensible)
{
    return wish == JINGLE_ON || (wish == JINGLE_AUTO && sensible);
}

/* Processing is for speech and mono: a stereo call from a microphone is left as it is unless the
 * application asks for it. */
static jingle_status set_up_processing(struct audio *audio)
{
    const struct audio_config *config = &audio->config;
    bool microphone = config->source->is_device && voice_capture_channels(config->voice) == 1;
    bool echo = decide(config->echo_cancellation, microphone && config->sink->is_device);
    bool noise = decide(config->noise_suppression, microphone);
    bool gain = decide(config->gain_control, microphone);
    snprintf(audio->described, sizeof audio->described, "%s%s%s", echo ? " echo cancellation" : "",
             noise ? " noise suppression" : "", gain ? " gain control" : "");
    log_debug(config->log, "Sound processing:%s", *audio->described ? audio->described : " none");
    if (!echo && !noise && !gain) {
        return JINGLE_OK;
    }
    audio->processing = processing_new(echo, noise, gain);
    return audio->processing ? JINGLE_OK : JINGLE_ERROR_MEMORY;
}

static jingle_status set_up(struct audio *audio)
{
    if (!source_valid(audio->config.source) || !sink_valid(audio->config.sink) ||
        !audio->config.voice) {
        return JINGLE_ERROR_INVALID;
    }
    jingle_status status = set_up_processing(audio);
    if (status != JINGLE_OK) {
        return status;
    }
    audio->capture = capture_new(&audio->config, audio->processing);
    audio->playback = playback_new(&audio->config, audio->processing);
    return audio->capture && audio->playback ? JINGLE_OK : JINGLE_ERROR_MEMORY;
}

struct audio *audio_new(const struct audio_config *config, jingle_status *status)
{
    struct audio *audio = calloc(1, sizeof *audio);
    if (!audio) {
        jingle_audio_source_free(config->source);
        jingle_audio_sink_free(config->sink);
        *status = JINGLE_ERROR_MEMORY;
        return NULL;
    }
    audio->config = *config;
    *status = set_up(audio);
    if (*status != JINGLE_OK) {
        audio_free(audio);
        return NULL;
    }
    return audio;
}

void audio_free(struct audio *audio)
{
    if (!audio) {
        return;
    }
    capture_free(audio->capture);
    playback_free(audio->playback);
    processing_free(audio->processing);
    jingle_audio_source_free(audio->config.source);
    jingle_audio_sink_free(audio->config.sink);
    free(audio);
}

static void start_both(struct audio *audio, usec now)
{
    capture_start(audio->capture, now);
    playback_start(audio->playback, now);
}

static void stop_both(struct audio *audio)
{
    capture_stop(audio->capture);
    playback_stop(audio->playback);
}

void audio_start(struct audio *audio, usec now)
{
    if (audio->started) {
        return;
    }
    audio->started = true;
    if (!audio->held) {
        start_both(audio, now);
    }
}

void audio_stop(struct audio *audio)
{
    if (audio->started) {
        stop_both(audio);
    }
    audio->started = false;
}

void audio_set_hold(struct audio *audio, bool on, usec now)
{
    if (audio->held == on) {
        return;
    }
    audio->held = on;
    if (!audio->started) {
        return;
    }
    if (on) {
        stop_both(audio);
    } else {
        start_both(audio, now);
    }
}

usec audio_tick_playback(struct audio *audio, usec now)
{
    return audio->started && !audio->held ? playback_tick(audio->playback, now) : USEC_NEVER;
}

usec audio_tick_capture(struct audio *audio, usec now)
{
    return audio->started && !audio->held ? capture_tick(audio->capture, now) : USEC_NEVER;
}

usec audio_delay(const struct audio *audio)
{
    return sink_delay(audio->config.sink);
}

const char *audio_processing(const struct audio *audio)
{
    return audio->described;
}
