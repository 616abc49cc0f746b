/* A recording of what the other party says and shows, as it came. */
#include "call_private.h"

#include "media/webm_recording.h"
#include "media_threads.h"
#include "rtp/packet.h"
#include "rtp/voice.h"
#include "session.h"

/* A key frame is asked for this often while the recording has none. */
#define WISH_PERIOD (1 * USEC_PER_SEC)

void call_recording_take_sound(struct call *call, const uint8_t *bytes, size_t size, usec now)
{
    struct packet packet;
    struct voice_stats stats;
    if (!call->recording || !packet_parse(&packet, bytes, size) || packet.payload_bytes == 0 ||
        !(call->sound.opus[packet.payload_type / 64 % 2] >> packet.payload_type % 64 & 1)) {
        return;
    }
    voice_stats(call->sound.voice, &stats);
    webm_audio(call->recording, packet.payload, packet.payload_bytes, packet.timestamp,
               now + stats.buffer_delay);
}

void call_recording_take_frame(struct call *call, const struct coded_frame *frame,
                               const struct video_frame_info *info)
{
    if (call->recording) {
        webm_video(call->recording, frame, info->codec->name, info->due);
    }
}

void call_recording_tick(struct call *call, usec now)
{
    if (call->recording && call->pictures && now >= call->recording_wish + WISH_PERIOD &&
        webm_wants_key_frame(call->recording)) {
        call->recording_wish = now;
        call_pictures_want_key_frame(call->pictures);
    }
}

/* On the closer's thread, which may wait. */
static void complete(void *arg)
{
    webm_free(arg);
}

void call_recording_close(struct call *call)
{
    if (call->recording) {
        loop_post(call->config.closer, complete, complete, call->recording);
    }
    call->recording = NULL;
}

struct record_order {
    struct call *call;
    struct webm_recording *recording;
};

static void drop_order(void *arg)
{
    struct record_order *order = arg;
    webm_free(order->recording);
    g_free(order);
}

static void apply_order(void *arg)
{
    struct record_order *order = arg;
    call_recording_close(order->call);
    order->call->recording = order->recording;
    order->call->recording_wish = 0;
    g_free(order);
}

void call_record(struct call *call, struct webm_recording *recording)
{
    struct record_order *order = g_new(struct record_order, 1);
    *order = (struct record_order){call, recording};
    loop_post(call->config.thread->loop, apply_order, drop_order, order);
}
