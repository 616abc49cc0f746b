/* The screen or a window that the user chose in the desktop's own dialogue: screen_portal.c asks,
 * and PipeWire delivers.
 *
 *     portal ─ node, descriptor ─▶ stream ─ newest buffer ─▶ I420 ─▶ picture
 *
 * All of it lives in one GMainContext that runs while read() waits: the reading thread is the only
 * one. While the user has not chosen yet there is simply no picture. A user who says no, or takes
 * the screen back, ends the source; nobody is asked again then. A desktop that is gone is LOST. */
#include "media/screen_portal.h"
#include "media/video_scale.h"
#include "media/video_source.h"

#include <glib-unix.h>
#include <pipewire/pipewire.h>
#include <spa/param/video/format-utils.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    USUAL_WIDTH = 1920,
    USUAL_HEIGHT = 1080,
    USUAL_RATE = 15,
    SIDE_MAX = 16384,
    NODE_RATE_MAX = 240,
    POD_BYTES = 1024,
};

/* A still screen is given this often, so that it gets sharp and newcomers see it. */
static const usec REFRESH = 1 * USEC_PER_SEC;

struct screen {
    jingle_video_source table;
    GMainContext *context;
    GSource *timer, *events; /* `events`: of the loop */
    struct portal *portal;   /* NULL: not started */
    char *token;             /* of the last choice; NULL: none */
    struct pw_loop *loop;    /* NULL: no stream yet */
    struct pw_context *pipewire;
    struct pw_core *core;
    struct pw_stream *stream;
    struct spa_hook listener;
    struct spa_video_info_raw info;
    struct pw_buffer *newest; /* not looked at yet */
    bool lost;
    uint32_t rate;
    usec given; /* when the last picture was */
    struct picture_buffer picture;
};

/* --- pictures ------------------------------------------------------------------------------ */

static bool pixels_of(enum spa_video_format format, enum raw_pixels *pixels)
{
    switch (format) {
    case SPA_VIDEO_FORMAT_BGRx:
    case SPA_VIDEO_FORMAT_BGRA:
        *pixels = RAW_BGRA;
        return true;
    case SPA_VIDEO_FORMAT_RGBx:
    case SPA_VIDEO_FORMAT_RGBA:
        *pixels = RAW_RGBA;
        return true;
    case SPA_VIDEO_FORMAT_xRGB:
    case SPA_VIDEO_FORMAT_ARGB:
        *pixels = RAW_ARGB;
        return true;
    case SPA_VIDEO_FORMAT_xBGR:
    case SPA_VIDEO_FORMAT_ABGR:
        *pixels = RAW_ABGR;
        return true;
    default:
        return false;
    }
}

/* A window may be a part of what is delivered. */
static void cut(const struct spa_buffer *buffer, struct raw_picture *raw)
{
    const struct spa_meta_region *crop =
        spa_buffer_find_meta_data(buffer, SPA_META_VideoCrop, sizeof *crop);
    if (!crop || !spa_meta_region_is_valid(crop)) {
        return;
    }
    const struct spa_region *r = &crop->region;
    if (r->position.x < 0 || r->position.y < 0 || (uint32_t)r->position.x >= raw->width ||
        (uint32_t)r->position.y >= raw->height ||
        r->size.width > raw->width - (uint32_t)r->position.x ||
        r->size.height > raw->height - (uint32_t)r->position.y) {
        return;
    }
    raw->planes[0] += (size_t)r->position.y * raw->strides[0] + (size_t)r->position.x * 4;
    raw->width = r->size.width;
    raw->height = r->size.height;
}

/* What lies in a buffer. False: nothing that could be a picture. */
static bool lay_out(const struct screen *s, const struct spa_buffer *buffer,
                    struct raw_picture *raw)
{
    const struct spa_data *data = &buffer->datas[0];
    enum raw_pixels pixels;
    if (buffer->n_datas == 0 || !data->data || !pixels_of(s->info.format, &pixels)) {
        return false;
    }
    uint32_t width = s->info.size.width, height = s->info.size.height;
    size_t stride = data->chunk->stride > 0 ? (size_t)data->chunk->stride : (size_t)width * 4;
    size_t offset = data->chunk->offset;
    if (width == 0 || height == 0 || width > SIDE_MAX || height > SIDE_MAX ||
        stride < (size_t)width * 4 || offset > data->maxsize ||
        stride * height > data->maxsize - offset) {
        return false;
    }
    *raw = (struct raw_picture){.pixels = pixels,
                                .width = width,
                                .height = height,
                                .planes = {(const uint8_t *)data->data + offset},
                                .strides = {stride}};
    cut(buffer, raw);
    return true;
}

static bool take_newest(struct screen *s)
{
    struct raw_picture raw;
    struct pw_buffer *buffer = s->newest;
    s->newest = NULL;
    bool taken =
        lay_out(s, buffer->buffer, &raw) && raw_convert_large(&raw, &s->picture) == JINGLE_OK;
    pw_stream_queue_buffer(s->stream, buffer);
    return taken;
}

/* --- stream -------------------------------------------------------------------------------- */

static void on_process(void *user)
{
    struct screen *s = user;
    struct pw_buffer *buffer;
    while ((buffer = pw_stream_dequeue_buffer(s->stream))) {
        const struct spa_chunk *chunk = buffer->buffer->datas[0].chunk;
        if (chunk->size == 0 || chunk->flags & SPA_CHUNK_FLAG_CORRUPTED) {
            pw_stream_queue_buffer(s->stream, buffer); /* news of the pointer, or nothing */
            continue;
        }
        if (s->newest) {
            pw_stream_queue_buffer(s->stream, s->newest);
        }
        s->newest = buffer;
    }
}

static void on_remove_buffer(void *user, struct pw_buffer *buffer)
{
    struct screen *s = user;
    if (s->newest == buffer) {
        s->newest = NULL;
    }
}

static void on_param_changed(void *user, uint32_t id, const struct spa_pod *param)
{
    struct screen *s = user;
    if (id != SPA_PARAM_Format || !param || spa_format_video_raw_parse(param, &s->info) < 0) {
        return;
    }
    uint8_t bytes[POD_BYTES];
    struct spa_pod_builder b = SPA_POD_BUILDER_INIT(bytes, sizeof bytes);
    const struct spa_pod *params[2];
    params[0] = spa_pod_builder_add_object(
        &b, SPA_TYPE_OBJECT_ParamBuffers, SPA_PARAM_Buffers, SPA_PARAM_BUFFERS_dataType,
        SPA_POD_CHOICE_FLAGS_Int(1 << SPA_DATA_MemPtr | 1 << SPA_DATA_MemFd));
    params[1] = spa_pod_builder_add_object(&b, SPA_TYPE_OBJECT_ParamMeta, SPA_PARAM_Meta,
                                           SPA_PARAM_META_type, SPA_POD_Id(SPA_META_VideoCrop),
                                           SPA_PARAM_META_size,
                                           SPA_POD_Int((int)sizeof(struct spa_meta_region)));
    pw_stream_update_params(s->stream, params, 2);
}

static void on_state_changed(void *user, enum pw_stream_state before, enum pw_stream_state state,
                             const char *error)
{
    (void)error;
    struct screen *s = user;
    s->lost = s->lost || state == PW_STREAM_STATE_ERROR ||
              (state == PW_STREAM_STATE_UNCONNECTED && before > PW_STREAM_STATE_CONNECTING);
}

static const struct pw_stream_events stream_events = {
    PW_VERSION_STREAM_EVENTS,          .process = on_process,
    .remove_buffer = on_remove_buffer, .param_changed = on_param_changed,
    .state_changed = on_state_changed,
};

static const struct spa_pod *wanted_format(struct spa_pod_builder *b, uint32_t rate)
{
    return spa_pod_builder_add_object(
        b, SPA_TYPE_OBJECT_Format, SPA_PARAM_EnumFormat, SPA_FORMAT_mediaType,
        SPA_POD_Id(SPA_MEDIA_TYPE_video), SPA_FORMAT_mediaSubtype,
        SPA_POD_Id(SPA_MEDIA_SUBTYPE_raw), SPA_FORMAT_VIDEO_format,
        SPA_POD_CHOICE_ENUM_Id(9, SPA_VIDEO_FORMAT_BGRx, SPA_VIDEO_FORMAT_BGRx,
                               SPA_VIDEO_FORMAT_BGRA, SPA_VIDEO_FORMAT_RGBx, SPA_VIDEO_FORMAT_RGBA,
                               SPA_VIDEO_FORMAT_xRGB, SPA_VIDEO_FORMAT_ARGB, SPA_VIDEO_FORMAT_xBGR,
                               SPA_VIDEO_FORMAT_ABGR),
        SPA_FORMAT_VIDEO_size,
        SPA_POD_CHOICE_RANGE_Rectangle(&SPA_RECTANGLE(USUAL_WIDTH, USUAL_HEIGHT),
                                       &SPA_RECTANGLE(1, 1), &SPA_RECTANGLE(SIDE_MAX, SIDE_MAX)),
        SPA_FORMAT_VIDEO_framerate,
        SPA_POD_CHOICE_RANGE_Fraction(&SPA_FRACTION(rate, 1), &SPA_FRACTION(0, 1),
                                      &SPA_FRACTION(NODE_RATE_MAX, 1)));
}

static gboolean run_loop(int fd, GIOCondition condition, gpointer user)
{
    (void)fd;
    (void)condition;
    struct screen *s = user;
    s->lost = pw_loop_iterate(s->loop, 0) < 0 || s->lost;
    return !s->lost;
}

static bool connect_stream(struct screen *s)
{
    int fd = portal_take_fd(s->portal);
    s->pipewire = pw_context_new(s->loop, NULL, 0);
    if (!s->pipewire) {
        close(fd);
        return false;
    }
    s->core = pw_context_connect_fd(s->pipewire, fd, NULL, 0); /* which takes the descriptor */
    if (!s->core) {
        return false;
    }
    s->stream = pw_stream_new(s->core, "jingle-screen",
                              pw_properties_new(PW_KEY_MEDIA_TYPE, "Video", PW_KEY_MEDIA_CATEGORY,
                                                "Capture", PW_KEY_MEDIA_ROLE, "Screen", NULL));
    if (!s->stream) {
        return false;
    }
    pw_stream_add_listener(s->stream, &s->listener, &stream_events, s);
    uint8_t bytes[POD_BYTES];
    struct spa_pod_builder b = SPA_POD_BUILDER_INIT(bytes, sizeof bytes);
    const struct spa_pod *format = wanted_format(&b, s->rate);
    return pw_stream_connect(s->stream, PW_DIRECTION_INPUT, portal_node(s->portal),
                             PW_STREAM_FLAG_AUTOCONNECT | PW_STREAM_FLAG_MAP_BUFFERS, &format,
                             1) == 0;
}

static bool open_stream(struct screen *s)
{
    pw_init(NULL, NULL);
    s->loop = pw_loop_new(NULL);
    if (!s->loop) {
        pw_deinit();
        return false;
    }
    pw_loop_enter(s->loop);
    s->events = g_unix_fd_source_new(pw_loop_get_fd(s->loop), G_IO_IN);
    g_source_set_callback(s->events, G_SOURCE_FUNC(run_loop), s, NULL);
    g_source_attach(s->events, s->context);
    g_free(s->token);
    s->token = g_strdup(portal_token(s->portal));
    return connect_stream(s);
}

static void close_stream(struct screen *s)
{
    if (!s->loop) {
        return;
    }
    g_source_destroy(s->events);
    g_clear_pointer(&s->events, g_source_unref);
    g_clear_pointer(&s->stream, pw_stream_destroy);
    s->newest = NULL;
    if (s->core) {
        pw_core_disconnect(s->core);
        s->core = NULL;
    }
    g_clear_pointer(&s->pipewire, pw_context_destroy);
    pw_loop_leave(s->loop);
    g_clear_pointer(&s->loop, pw_loop_destroy);
    pw_deinit();
}

/* --- table --------------------------------------------------------------------------------- */

static void stop(void *user)
{
    struct screen *s = user;
    if (!s->portal) {
        return;
    }
    g_main_context_push_thread_default(s->context);
    close_stream(s);
    portal_free(s->portal);
    g_main_context_pop_thread_default(s->context);
    s->portal = NULL;
    picture_buffer_clear(&s->picture);
    s->given = 0;
}

static jingle_status start(void *user, jingle_video_format *format)
{
    struct screen *s = user;
    stop(s);
    video_format_complete(format, (jingle_video_format){USUAL_WIDTH, USUAL_HEIGHT, USUAL_RATE});
    s->rate = format->frame_rate;
    s->lost = false;
    s->portal = portal_new(s->context, s->token);
    return s->portal ? JINGLE_OK : JINGLE_ERROR_DISPLAY;
}

static gboolean wake(GSource *timer, GSourceFunc callback, gpointer user)
{
    (void)callback;
    (void)user;
    g_source_set_ready_time(timer, -1);
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs timer_functions = {.dispatch = wake};

/* Lets the portal and PipeWire go on for a step, until `deadline` at most. */
static void run_until(struct screen *s, usec deadline)
{
    g_source_set_ready_time(s->timer, deadline);
    g_main_context_push_thread_default(s->context);
    g_main_context_iteration(s->context, TRUE);
    g_main_context_pop_thread_default(s->context);
}

/* When there will be a picture if nothing else happens. */
static usec next_time(const struct screen *s)
{
    if (s->newest) {
        return s->given + USEC_PER_SEC / s->rate;
    }
    return s->given > 0 && s->picture.memory ? s->given + REFRESH : USEC_NEVER;
}

/* 0: go on. */
static long trouble(struct screen *s)
{
    enum portal_state state = portal_state(s->portal);
    if (state == PORTAL_REFUSED || state == PORTAL_CLOSED) {
        return JINGLE_VIDEO_END;
    }
    if (state == PORTAL_GRANTED && !s->loop && !open_stream(s)) {
        s->lost = true;
    }
    return s->lost ? JINGLE_VIDEO_LOST : 0;
}

static long read_screen(void *user, jingle_picture *picture, int64_t timeout)
{
    struct screen *s = user;
    usec deadline = clock_now() + timeout;
    if (!s->portal) {
        return JINGLE_VIDEO_LOST;
    }
    for (;;) {
        long told = trouble(s);
        if (told != 0) {
            return told;
        }
        usec now = clock_now(), next = next_time(s);
        if (now >= next) {
            if (s->newest && !take_newest(s)) {
                continue; /* it is used up; the next one may be better */
            }
            s->given = now;
            *picture = picture_buffer_view(&s->picture, now);
            return 1;
        }
        if (now >= deadline) {
            return 0;
        }
        run_until(s, next < deadline ? next : deadline);
    }
}

static void free_screen(void *user)
{
    struct screen *s = user;
    stop(s);
    g_source_destroy(s->timer);
    g_source_unref(s->timer);
    g_main_context_unref(s->context);
    picture_buffer_clear(&s->picture);
    g_free(s->token);
    free(s);
}

bool screen_pipewire_available(void)
{
    return portal_available();
}

jingle_video_source *screen_pipewire_new(jingle_status *status)
{
    struct screen *s = calloc(1, sizeof *s);
    if (!s) {
        return video_source_failed(status, JINGLE_ERROR_MEMORY);
    }
    s->context = g_main_context_new();
    s->timer = g_source_new(&timer_functions, sizeof(GSource));
    g_source_attach(s->timer, s->context);
    s->table = (jingle_video_source){
        .size = sizeof s->table,
        .user = s,
        .start = start,
        .read = read_screen,
        .stop = stop,
        .free = free_screen,
        .is_screen = true,
    };
    return video_source_made(&s->table, status);
}
