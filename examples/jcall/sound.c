/* The words for sources and sinks. */
#include "sound.h"

#include <stdlib.h>
#include <string.h>

/* "file:a.wav" with "file" gives "a.wav", "device" alone gives "", anything else NULL. */
static const char *word_value(const char *what, const char *word)
{
    size_t length = strlen(word);
    if (strncmp(what, word, length) != 0) {
        return NULL;
    }
    if (what[length] == '\0') {
        return what + length;
    }
    return what[length] == ':' ? what + length + 1 : NULL;
}

static jingle_audio_source *source_tone(const char *value, jingle_status *status)
{
    char *end = NULL;
    double hz = strtod(value, &end);
    if (end == value || *end || !(hz >= 1 && hz <= 20000)) {
        *status = JINGLE_ERROR_INVALID;
        return NULL;
    }
    return jingle_audio_source_tone(hz, status);
}

/* Whoever calls should know before it rings that they could not be heard. A device that goes away
 * later is another matter: the call lives on. */
static bool device_there(const char *name, bool capture)
{
    jingle_audio_device *devices = NULL;
    size_t count = 0;
    bool there = false;
    if (jingle_audio_devices(&devices, &count) != JINGLE_OK) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        bool usual = capture ? devices[i].default_capture : devices[i].default_playback;
        uint32_t channels = capture ? devices[i].capture_channels : devices[i].playback_channels;
        there = there || (*name ? channels > 0 && strcmp(devices[i].name, name) == 0 : usual);
    }
    jingle_audio_devices_free(devices, count);
    return there;
}

static jingle_audio_source *source_device(const char *name, jingle_status *status)
{
    if (!device_there(name, true)) {
        *status = JINGLE_ERROR_DEVICE;
        return NULL;
    }
    return jingle_audio_source_device(name, status);
}

static jingle_audio_sink *sink_device(const char *name, jingle_status *status)
{
    if (!device_there(name, false)) {
        *status = JINGLE_ERROR_DEVICE;
        return NULL;
    }
    return jingle_audio_sink_device(name, status);
}

static jingle_audio_source *source_new(const struct options *options, jingle_status *status)
{
    const char *what = options->source ? options->source : "device";
    const char *value;
    if ((value = word_value(what, "device"))) {
        return source_device(value, status);
    }
    if ((value = word_value(what, "file")) && *value) {
        return jingle_audio_source_file(value, options->loop, status);
    }
    if ((value = word_value(what, "tone"))) {
        return source_tone(value, status);
    }
    if (strcmp(what, "silence") == 0) {
        return jingle_audio_source_silence(status);
    }
    *status = JINGLE_ERROR_INVALID;
    return NULL;
}

/* For the second call: "said.wav" becomes "said-2.wav". */
char *sound_record_path(const char *path, unsigned call)
{
    if (call <= 1) {
        return g_strdup(path);
    }
    const char *name = strrchr(path, '/');
    const char *ending = strrchr(name ? name : path, '.');
    if (!ending) {
        return g_strdup_printf("%s-%u", path, call);
    }
    return g_strdup_printf("%.*s-%u%s", (int)(ending - path), path, call, ending);
}

static jingle_audio_sink *sink_file(const char *path, unsigned call, jingle_status *status)
{
    char *numbered = sound_record_path(path, call);
    jingle_audio_sink *sink = jingle_audio_sink_file(numbered, status);
    g_free(numbered);
    return sink;
}

static jingle_audio_sink *sink_new(const char *where, unsigned call, jingle_status *status)
{
    const char *value;
    if ((value = word_value(where, "device"))) {
        return sink_device(value, status);
    }
    if ((value = word_value(where, "file")) && *value) {
        return sink_file(value, call, status);
    }
    if (strcmp(where, "null") == 0) {
        return jingle_audio_sink_null(status);
    }
    *status = JINGLE_ERROR_INVALID;
    return NULL;
}

static jingle_audio_sink *sink_record(const struct options *options, unsigned call,
                                      jingle_audio_sink *sink, jingle_status *status)
{
    jingle_audio_sink *record = sink_file(options->record, call, status);
    if (!record) {
        jingle_audio_sink_free(sink);
        return NULL;
    }
    return jingle_audio_sink_tee(sink, record, status);
}

static char *sound_message(const char *option, const char *what, jingle_status status,
                           const char *words)
{
    if (status == JINGLE_ERROR_INVALID) {
        return g_strdup_printf("%s is one of %s, not %s.", option, words, what);
    }
    if (status == JINGLE_ERROR_DEVICE || status == JINGLE_ERROR_UNSUPPORTED) {
        return g_strdup_printf("No sound device for %s %s: jcall devices lists what there is; "
                               "--source=silence --sink=null does without.",
                               option, what);
    }
    if (status == JINGLE_ERROR_FILE) {
        return g_strdup_printf("%s %s cannot be used: check that it exists, that you may read or "
                               "write it and that it ends in .wav, .flac, .ogg or .opus%s.",
                               option, what,
                               strcmp(option, "--record") == 0 ? ", or with pictures .webm" : "");
    }
    return g_strdup_printf("%s %s: %s", option, what, jingle_strerror(status));
}

static void coding_fill(const struct options *options, jingle_session_config *config)
{
    config->codec = options->codec;
    config->bitrate = (uint32_t)options->bitrate;
    config->channels = options->stereo ? 2 : 1;
    config->ptime = (uint32_t)(options->ptime ? options->ptime : 20);
    config->fec = options->fec;
    config->dtx = options->dtx;
    config->echo_cancellation = options->echo_cancellation;
    config->noise_suppression = options->noise_suppression;
    config->gain_control = options->gain_control;
    config->direct = options->direct;
}

jingle_audio_sink *sound_ring_sink(const struct options *options)
{
    jingle_status status = JINGLE_OK;
    const char *sink = options->sink ? options->sink : "device";
    if (options->ring) {
        return sink_new(options->ring, 1, &status);
    }
    return word_value(sink, "device") ? sink_new(sink, 1, &status) : NULL;
}

bool sound_is_webm(const struct options *options)
{
    return options->record && g_str_has_suffix(options->record, ".webm");
}

jingle_status sound_config(const struct options *options, unsigned call,
                           jingle_audio_source *spoken, jingle_session_config *config,
                           char **message)
{
    jingle_status status = JINGLE_OK;
    jingle_session_config_init(config);
    coding_fill(options, config);
    config->source = spoken ? spoken : source_new(options, &status);
    if (!config->source) {
        *message = sound_message("--source", options->source ? options->source : "device", status,
                                 "device, device:NAME, file:PATH, tone:HZ and silence");
        return status;
    }
    config->sink = sink_new(options->sink ? options->sink : "device", call, &status);
    if (!config->sink) {
        *message = sound_message("--sink", options->sink ? options->sink : "device", status,
                                 "device, device:NAME, file:PATH and null");
    } else if (options->record && !sound_is_webm(options)) {
        config->sink = sink_record(options, call, config->sink, &status);
        if (!config->sink) {
            *message = sound_message("--record", options->record, status, "a file's path");
        }
    }
    if (!config->sink) {
        sound_config_clear(config);
    }
    return status;
}

void sound_config_clear(jingle_session_config *config)
{
    if (config->source) {
        jingle_audio_source_free(config->source);
    }
    if (config->sink) {
        jingle_audio_sink_free(config->sink);
    }
    config->source = NULL;
    config->sink = NULL;
}
