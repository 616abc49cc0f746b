/* A PipeWire node that gives pictures:
 *
 *   video_node screen   as a shared screen: 640 by 480, all red, 50 times a second
 *   video_node camera   as a camera: 320 by 240, the test picture, 15 times a second
 *
 * Says its number when there is one. */
#include <jingle/jingle.h>
#include <pipewire/pipewire.h>
#include <spa/param/video/format-utils.h>
#include <stdio.h>
#include <string.h>

struct node;

struct kind {
    const char *name;
    enum spa_video_format format;
    uint32_t width, height, stride, size;
    uint32_t rate;    /* pictures a second */
    uint32_t told;    /* the same, as the format has it; 0: whenever there is one */
    const char *role; /* may be NULL */
    bool (*paint)(struct node *node, uint8_t *pixels);
};

struct node {
    const struct kind *kind;
    struct pw_main_loop *loop;
    struct pw_stream *stream;
    struct spa_source *timer;
    jingle_video_source *test; /* of a camera */
};

/* --- pictures ------------------------------------------------------------------------------ */

static bool paint_red(struct node *node, uint8_t *pixels)
{
    for (uint32_t i = 0; i < node->kind->size; i += 4) {
        memcpy(pixels + i, (uint8_t[]){0, 0, 0xff, 0}, 4);
    }
    return true;
}

/* I420 to YUY2, which is what cameras give. */
static void pack_row(uint8_t *to, const jingle_picture *picture, uint32_t row)
{
    const uint8_t *y = picture->planes[0] + row * picture->strides[0];
    const uint8_t *u = picture->planes[1] + row / 2 * picture->strides[1];
    const uint8_t *v = picture->planes[2] + row / 2 * picture->strides[2];
    for (uint32_t i = 0; i < picture->width / 2; i++) {
        memcpy(to + 4 * i, (uint8_t[]){y[2 * i], u[i], y[2 * i + 1], v[i]}, 4);
    }
}

/* Waits until the next one is due. */
static bool paint_test(struct node *node, uint8_t *pixels)
{
    jingle_picture picture = {.size = sizeof picture};
    if (node->test->read(node->test->user, &picture, 1000000) != 1) {
        return false;
    }
    for (uint32_t row = 0; row < picture.height; row++) {
        pack_row(pixels + row * node->kind->stride, &picture, row);
    }
    if (picture.release) {
        picture.release(picture.owner);
    }
    return true;
}

static const struct kind KINDS[] = {
    {"screen", SPA_VIDEO_FORMAT_BGRx, 640, 480, 640 * 4, 640 * 480 * 4, 50, 0, NULL, paint_red},
    {"camera", SPA_VIDEO_FORMAT_YUY2, 320, 240, 320 * 2, 320 * 240 * 2, 15, 15, "Camera",
     paint_test},
};

static const struct kind *kind_of(const char *name)
{
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        if (strcmp(KINDS[i].name, name) == 0) {
            return &KINDS[i];
        }
    }
    return NULL;
}

/* --- the stream ---------------------------------------------------------------------------- */

static void on_process(void *user)
{
    struct node *node = user;
    struct pw_buffer *buffer = pw_stream_dequeue_buffer(node->stream);
    if (!buffer) {
        return;
    }
    struct spa_data *data = &buffer->buffer->datas[0];
    bool painted = node->kind->paint(node, data->data);
    *data->chunk = (struct spa_chunk){.size = painted ? node->kind->size : 0,
                                      .stride = (int32_t)node->kind->stride};
    pw_stream_queue_buffer(node->stream, buffer);
}

static void on_param_changed(void *user, uint32_t id, const struct spa_pod *param)
{
    struct node *node = user;
    if (id != SPA_PARAM_Format || !param) {
        return;
    }
    uint8_t bytes[512];
    struct spa_pod_builder b = SPA_POD_BUILDER_INIT(bytes, sizeof bytes);
    const struct spa_pod *buffers = spa_pod_builder_add_object(
        &b, SPA_TYPE_OBJECT_ParamBuffers, SPA_PARAM_Buffers, SPA_PARAM_BUFFERS_buffers,
        SPA_POD_CHOICE_RANGE_Int(4, 2, 8), SPA_PARAM_BUFFERS_blocks, SPA_POD_Int(1),
        SPA_PARAM_BUFFERS_size, SPA_POD_Int((int32_t)node->kind->size), SPA_PARAM_BUFFERS_stride,
        SPA_POD_Int((int32_t)node->kind->stride));
    pw_stream_update_params(node->stream, &buffers, 1);
}

static void on_state_changed(void *user, enum pw_stream_state before, enum pw_stream_state state,
                             const char *error)
{
    (void)error;
    struct node *node = user;
    if (before == PW_STREAM_STATE_CONNECTING && state == PW_STREAM_STATE_PAUSED) {
        printf("%u\n", pw_stream_get_node_id(node->stream));
        fflush(stdout);
    }
    struct timespec interval = {0};
    if (state == PW_STREAM_STATE_STREAMING) {
        interval.tv_nsec = 1000000000 / node->kind->rate;
    }
    pw_loop_update_timer(pw_main_loop_get_loop(node->loop), node->timer, &interval, &interval,
                         false);
}

static void on_timer(void *user, uint64_t expirations)
{
    (void)expirations;
    struct node *node = user;
    pw_stream_trigger_process(node->stream);
}

static const struct pw_stream_events events = {
    PW_VERSION_STREAM_EVENTS,
    .process = on_process,
    .param_changed = on_param_changed,
    .state_changed = on_state_changed,
};

static struct pw_stream *make_stream(struct node *node)
{
    struct pw_properties *properties = pw_properties_new(
        PW_KEY_MEDIA_CLASS, "Video/Source", PW_KEY_NODE_DESCRIPTION, node->kind->name, NULL);
    if (node->kind->role) {
        pw_properties_set(properties, PW_KEY_MEDIA_ROLE, node->kind->role);
    }
    return pw_stream_new_simple(pw_main_loop_get_loop(node->loop), node->kind->name, properties,
                                &events, node);
}

static bool connect_stream(struct node *node)
{
    const struct kind *kind = node->kind;
    uint8_t bytes[512];
    struct spa_pod_builder b = SPA_POD_BUILDER_INIT(bytes, sizeof bytes);
    const struct spa_pod *format = spa_pod_builder_add_object(
        &b, SPA_TYPE_OBJECT_Format, SPA_PARAM_EnumFormat, SPA_FORMAT_mediaType,
        SPA_POD_Id(SPA_MEDIA_TYPE_video), SPA_FORMAT_mediaSubtype,
        SPA_POD_Id(SPA_MEDIA_SUBTYPE_raw), SPA_FORMAT_VIDEO_format, SPA_POD_Id(kind->format),
        SPA_FORMAT_VIDEO_size, SPA_POD_Rectangle(&SPA_RECTANGLE(kind->width, kind->height)),
        SPA_FORMAT_VIDEO_framerate, SPA_POD_Fraction(&SPA_FRACTION(kind->told, 1)));
    return pw_stream_connect(node->stream, PW_DIRECTION_OUTPUT, PW_ID_ANY,
                             PW_STREAM_FLAG_DRIVER | PW_STREAM_FLAG_MAP_BUFFERS, &format, 1) == 0;
}

static bool start_test(struct node *node)
{
    const struct kind *kind = node->kind;
    jingle_video_format format = {kind->width, kind->height, kind->rate};
    node->test = jingle_video_source_test(kind->width, kind->height, kind->rate, NULL);
    return node->test && node->test->start(node->test->user, &format) == JINGLE_OK;
}

int main(int count, char **arguments)
{
    struct node node = {.kind = kind_of(count == 2 ? arguments[1] : "")};
    if (!node.kind || !start_test(&node)) {
        return 2;
    }
    pw_init(&count, &arguments);
    node.loop = pw_main_loop_new(NULL);
    node.timer = pw_loop_add_timer(pw_main_loop_get_loop(node.loop), on_timer, &node);
    node.stream = make_stream(&node);
    if (!connect_stream(&node)) {
        return 1;
    }
    pw_main_loop_run(node.loop);
    return 0;
}
