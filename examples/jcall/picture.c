/* The words for pictures. */
#include "picture.h"

bool picture_wanted(const struct options *options)
{
    if (options->video >= 0) {
        return options->video > 0;
    }
    return options->camera || options->screen || options->play || options->test_picture ||
           options->watch;
}

bool picture_only_watched(const struct options *options)
{
    return options->watch && !options->play && !options->test_picture && !options->camera &&
           !options->screen;
}

static char *camera_message(jingle_status status)
{
    if (status == JINGLE_ERROR_UNSUPPORTED) {
        return g_strdup("This build has no cameras; --screen, --play=FILE and --test-picture "
                        "send other pictures, --watch sends none.");
    }
    return g_strdup("No camera that can be used: jcall devices lists what there is. "
                    "--screen, --play=FILE and --test-picture send other pictures, --watch "
                    "sends none.");
}

static jingle_video_source *source_camera(const struct options *options, char **message)
{
    jingle_status status = JINGLE_OK;
    jingle_video_source *source =
        jingle_video_source_camera(options->camera ? options->camera : "", &status);
    if (!source) {
        *message = camera_message(status);
    }
    return source;
}

static jingle_video_source *source_screen(const struct options *options, char **message)
{
    jingle_status status = JINGLE_OK;
    jingle_video_source *source =
        jingle_video_source_screen(options->screen ? options->screen : "", &status);
    if (!source) {
        *message = g_strdup_printf("The screen cannot be sent: %s", jingle_strerror(status));
    }
    return source;
}

static jingle_video_source *source_file(const struct options *options, jingle_audio_source **sound,
                                        char **message)
{
    jingle_status status = JINGLE_OK;
    jingle_video_source *source =
        jingle_video_source_file(options->play, options->loop, sound, &status);
    if (!source) {
        *message = g_strdup_printf("--play %s cannot be played: %s", options->play,
                                   jingle_strerror(status));
    }
    return source;
}

static jingle_video_source *source_test(char **message)
{
    jingle_status status = JINGLE_OK;
    jingle_video_source *source = jingle_video_source_test(0, 0, 0, &status);
    if (!source) {
        *message = g_strdup(jingle_strerror(status));
    }
    return source;
}

jingle_video_source *picture_source(const struct options *options, enum picture_kind kind,
                                    jingle_audio_source **sound, char **message)
{
    if (kind == PICTURE_NONE) {
        return NULL;
    }
    if (kind == PICTURE_SCREEN) {
        return source_screen(options, message);
    }
    if (options->play) {
        return source_file(options, sound, message);
    }
    if (options->test_picture) {
        return source_test(message);
    }
    if (options->screen && !options->camera) {
        return source_screen(options, message);
    }
    return source_camera(options, message);
}

void picture_config(const struct options *options, jingle_video_config *config)
{
    jingle_video_config_init(config);
    config->codec = options->video_codec;
    config->bitrate = (uint32_t)options->video_bitrate;
    config->frame_rate = (uint32_t)options->frame_rate;
    if (options->video_size) {
        options_size(options->video_size, &config->width, &config->height);
    }
}

void picture_config_clear(jingle_video_config *config)
{
    if (config->source) {
        jingle_video_source_free(config->source);
    }
    if (config->sink) {
        jingle_video_sink_free(config->sink);
    }
    if (config->self_view) {
        jingle_video_sink_free(config->self_view);
    }
    config->source = NULL;
    config->sink = NULL;
    config->self_view = NULL;
}
