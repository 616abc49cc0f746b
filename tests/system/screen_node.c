/* A PipeWire node that looks like a shared screen: 640 by 480, all red, 50 times a second.
 * Says its number when there is one. */
#include <pipewire/pipewire.h>
#include <spa/param/video/format-utils.h>
#include <stdio.h>

enum { WIDTH = 640, HEIGHT = 480, STRIDE = WIDTH * 4, RATE = 50 };

struct node {
    struct pw_main_loop *loop;
    struct pw_stream *stream;
    struct spa_source *timer;
};

static void on_process(void *user)
{
    struct node *node = user;
    struct pw_buffer *buffer = pw_stream_dequeue_buffer(node->stream);
    if (!buffer) {
        return;
    }
    struct spa_data *data = &buffer->buffer->datas[0];
    uint32_t *pixels = data->data;
    for (int i = 0; i < WIDTH * HEIGHT; i++) {
        pixels[i] = 0xff0000;
    }
    *data->chunk = (struct spa_chunk){.size = STRIDE * HEIGHT, .stride = STRIDE};
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
        SPA_PARAM_BUFFERS_size, SPA_POD_Int(STRIDE * HEIGHT), SPA_PARAM_BUFFERS_stride,
        SPA_POD_Int(STRIDE));
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
        interval.tv_nsec = 1000000000 / RATE;
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

int main(int count, char **arguments)
{
    struct node node = {0};
    pw_init(&count, &arguments);
    node.loop = pw_main_loop_new(NULL);
    struct pw_loop *loop = pw_main_loop_get_loop(node.loop);
    node.timer = pw_loop_add_timer(loop, on_timer, &node);
    node.stream = pw_stream_new_simple(loop, "screen",
                                       pw_properties_new(PW_KEY_MEDIA_CLASS, "Video/Source", NULL),
                                       &events, &node);
    uint8_t bytes[512];
    struct spa_pod_builder b = SPA_POD_BUILDER_INIT(bytes, sizeof bytes);
    const struct spa_pod *format = spa_pod_builder_add_object(
        &b, SPA_TYPE_OBJECT_Format, SPA_PARAM_EnumFormat, SPA_FORMAT_mediaType,
        SPA_POD_Id(SPA_MEDIA_TYPE_video), SPA_FORMAT_mediaSubtype,
        SPA_POD_Id(SPA_MEDIA_SUBTYPE_raw), SPA_FORMAT_VIDEO_format,
        SPA_POD_Id(SPA_VIDEO_FORMAT_BGRx), SPA_FORMAT_VIDEO_size,
        SPA_POD_Rectangle(&SPA_RECTANGLE(WIDTH, HEIGHT)), SPA_FORMAT_VIDEO_framerate,
        SPA_POD_Fraction(&SPA_FRACTION(0, 1)));
    if (pw_stream_connect(node.stream, PW_DIRECTION_OUTPUT, PW_ID_ANY,
                          PW_STREAM_FLAG_DRIVER | PW_STREAM_FLAG_MAP_BUFFERS, &format, 1) != 0) {
        return 1;
    }
    pw_main_loop_run(node.loop);
    return 0;
}
