#include "media/devices.h"

/* Tables grow at their end: programs built earlier have shorter ones. */
enum {
    SOURCE_SIZE_MIN = offsetof(jingle_audio_source, delay),
    SINK_SIZE_MIN = offsetof(jingle_audio_sink, delay),
    SINK_SIZE_DELAY = offsetof(jingle_audio_sink, trouble),
};

bool source_valid(const jingle_audio_source *source)
{
    return source && source->size >= SOURCE_SIZE_MIN && source->read;
}

bool sink_valid(const jingle_audio_sink *sink)
{
    return sink && sink->size >= SINK_SIZE_MIN && sink->write;
}

static bool format_valid(const jingle_audio_format *format)
{
    return format->rate >= 8000 && format->rate <= 192000 && format->channels >= 1 &&
           format->channels <= 2;
}

jingle_status source_start(const jingle_audio_source *source, jingle_audio_format *format)
{
    jingle_status status = source->start ? source->start(source->user, format) : JINGLE_OK;
    if (status == JINGLE_OK && !format_valid(format)) {
        source_stop(source);
        status = JINGLE_ERROR_INVALID;
    }
    return status;
}

jingle_status sink_start(const jingle_audio_sink *sink, jingle_audio_format *format)
{
    jingle_status status = sink->start ? sink->start(sink->user, format) : JINGLE_OK;
    if (status == JINGLE_OK && !format_valid(format)) {
        sink_stop(sink);
        status = JINGLE_ERROR_INVALID;
    }
    return status;
}

void source_stop(const jingle_audio_source *source)
{
    if (source->stop) {
        source->stop(source->user);
    }
}

void sink_stop(const jingle_audio_sink *sink)
{
    if (sink->stop) {
        sink->stop(sink->user);
    }
}

int64_t source_delay(const jingle_audio_source *source)
{
    bool there = source->size >= sizeof *source && source->delay;
    return there ? source->delay(source->user) : 0;
}

int64_t sink_delay(const jingle_audio_sink *sink)
{
    bool there = sink->size >= SINK_SIZE_DELAY && sink->delay;
    return there ? sink->delay(sink->user) : 0;
}

jingle_status sink_trouble(const jingle_audio_sink *sink)
{
    bool there = sink->size >= sizeof *sink && sink->trouble;
    return there ? sink->trouble(sink->user) : JINGLE_OK;
}

jingle_audio_source *source_made(jingle_audio_source *source, jingle_status *status)
{
    if (status) {
        *status = JINGLE_OK;
    }
    return source;
}

jingle_audio_source *source_failed(jingle_status *status, jingle_status why)
{
    if (status) {
        *status = why;
    }
    return NULL;
}

jingle_audio_sink *sink_made(jingle_audio_sink *sink, jingle_status *status)
{
    if (status) {
        *status = JINGLE_OK;
    }
    return sink;
}

jingle_audio_sink *sink_failed(jingle_status *status, jingle_status why)
{
    if (status) {
        *status = why;
    }
    return NULL;
}

void jingle_audio_source_free(jingle_audio_source *source)
{
    if (source && source->free) {
        source->free(source->user);
    }
}

void jingle_audio_sink_free(jingle_audio_sink *sink)
{
    if (sink && sink->free) {
        sink->free(sink->user);
    }
}
