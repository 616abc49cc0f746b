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
