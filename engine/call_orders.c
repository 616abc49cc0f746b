/* What the I/O thread asks of a call: each order is posted to the call's media thread. */
#include "call_private.h"

#include "media_threads.h"
#include "rtp/voice.h"

struct order {
    struct call *call;
    bool on;
    bool we_receive;
    char *digits;
};

static void order_free(void *arg)
{
    struct order *order = arg;
    g_free(order->digits);
    g_free(order);
}

static void post_order(struct call *call, mailbox_fn fn, struct order order)
{
    struct order *posted = g_new0(struct order, 1);
    *posted = order;
    posted->call = call;
    loop_post(call->config.thread->loop, fn, order_free, posted);
}

static void apply_mute(void *arg)
{
    struct order *order = arg;
    struct call_sound *sound = &order->call->sound;
    sound->muted = order->on;
    if (sound->voice) {
        voice_set_mute(sound->voice, sound->muted);
    }
    order_free(order);
}

void call_set_mute(struct call *call, bool on)
{
    post_order(call, apply_mute, (struct order){.on = on});
}

static void apply_hold(void *arg)
{
    struct order *order = arg;
    struct call *call = order->call;
    call->held = order->on;
    call_sound_set_hold(call, order->on);
    call_expect_media(call);
    if (call->pictures) {
        call_pictures_update(call->pictures);
    }
    call_tick(call);
    order_free(order);
}

void call_set_hold(struct call *call, bool on)
{
    post_order(call, apply_hold, (struct order){.on = on});
}

static void apply_senders(void *arg)
{
    struct order *order = arg;
    struct call_sound *sound = &order->call->sound;
    if (sound->voice) {
        sound->may_send = order->on;
        sound->we_receive = order->we_receive;
        call_expect_media(order->call);
    }
    order_free(order);
}

void call_set_senders(struct call *call, bool we_send, bool we_receive)
{
    post_order(call, apply_senders, (struct order){.on = we_send, .we_receive = we_receive});
}

static void apply_peer_hold(void *arg)
{
    struct order *order = arg;
    struct call *call = order->call;
    call->peer_holds = order->on;
    if (call->sound.voice) {
        voice_set_peer_hold(call->sound.voice, call->peer_holds);
        call_expect_media(call);
    }
    if (call->pictures) {
        call_pictures_update(call->pictures);
    }
    order_free(order);
}

void call_set_peer_hold(struct call *call, bool on)
{
    post_order(call, apply_peer_hold, (struct order){.on = on});
}

static void apply_peer_mute(void *arg)
{
    struct order *order = arg;
    order->call->sound.peer_mutes = order->on;
    call_expect_media(order->call);
    order_free(order);
}

void call_set_peer_mute(struct call *call, bool on)
{
    post_order(call, apply_peer_mute, (struct order){.on = on});
}

static void apply_network(void *arg)
{
    struct order *order = arg;
    for (size_t i = 0; i < CALL_TRANSPORTS_MAX; i++) {
        call_transport_follow_network(&order->call->transports[i]);
    }
    order_free(order);
}

void call_network_changed(struct call *call)
{
    post_order(call, apply_network, (struct order){0});
}

static void apply_digits(void *arg)
{
    struct order *order = arg;
    struct voice *voice = order->call->sound.voice;
    for (const char *digit = order->digits; *digit && voice; digit++) {
        voice_send_digit(voice, *digit);
    }
    order_free(order);
}

void call_send_digits(struct call *call, const char *digits)
{
    post_order(call, apply_digits, (struct order){.digits = g_strdup(digits)});
}

/* ---------------------------------------------------------------------------- the pictures -- */

static void apply_video_stop(void *arg)
{
    struct order *order = arg;
    call_close_pictures(order->call, false);
    call_drop_spare_transports(order->call);
    call_expect_media(order->call);
    order_free(order);
}

void call_video_stop(struct call *call)
{
    post_order(call, apply_video_stop, (struct order){0});
}

static void apply_video_senders(void *arg)
{
    struct order *order = arg;
    if (order->call->pictures) {
        call_pictures_set_senders(order->call->pictures, order->on, order->we_receive);
        call_expect_media(order->call);
    }
    order_free(order);
}

void call_video_set_senders(struct call *call, bool we_send, bool we_receive)
{
    post_order(call, apply_video_senders, (struct order){.on = we_send, .we_receive = we_receive});
}

static void apply_video_mute(void *arg)
{
    struct order *order = arg;
    if (order->call->pictures) {
        call_pictures_set_mute(order->call->pictures, order->on);
    }
    order_free(order);
}

void call_video_set_mute(struct call *call, bool on)
{
    post_order(call, apply_video_mute, (struct order){.on = on});
}

static void apply_video_peer_mute(void *arg)
{
    struct order *order = arg;
    if (order->call->pictures) {
        call_pictures_set_peer_mute(order->call->pictures, order->on);
    }
    order_free(order);
}

void call_video_set_peer_mute(struct call *call, bool on)
{
    post_order(call, apply_video_peer_mute, (struct order){.on = on});
}

struct replacement {
    struct call *call;
    unsigned parts;
    jingle_video_config settings;
};

static void replacement_drop(void *arg)
{
    struct replacement *r = arg;
    jingle_video_source_free(r->parts & CALL_VIDEO_SOURCE ? r->settings.source : NULL);
    jingle_video_sink_free(r->parts & CALL_VIDEO_SINK ? r->settings.sink : NULL);
    jingle_video_sink_free(r->parts & CALL_VIDEO_SELF_VIEW ? r->settings.self_view : NULL);
    g_free(r);
}

static void apply_replacement(void *arg)
{
    struct replacement *r = arg;
    if (!r->call->pictures) {
        replacement_drop(r);
        return;
    }
    call_pictures_replace(r->call->pictures, r->parts, &r->settings);
    g_free(r);
}

void call_video_replace(struct call *call, unsigned parts, const jingle_video_config *settings)
{
    struct replacement *r = g_new(struct replacement, 1);
    *r = (struct replacement){call, parts, *settings};
    loop_post(call->config.thread->loop, apply_replacement, replacement_drop, r);
}
