/* What both sides agreed on reaches the media thread here: which content goes which way. */
#include "call_private.h"

#include "media_threads.h"
#include "rtp/voice.h"

#include <string.h>

struct negotiated {
    struct call *call;
    struct call_agreed agreed; /* what it points to is below */
    struct rtp_agreement agreement;
    struct ice_udp_transport remote;
    struct ice_udp_transport credentials;
    bool has_credentials;
};

static void negotiated_free(void *arg)
{
    struct negotiated *n = arg;
    ice_udp_clear(&n->remote);
    ice_udp_clear(&n->credentials);
    g_free((char *)n->agreed.content);
    g_free((char *)n->agreed.transport);
    g_free(n);
}

static struct negotiated *negotiated_new(struct call *call, const struct call_agreed *agreed)
{
    struct negotiated *n = g_new0(struct negotiated, 1);
    n->call = call;
    n->agreed = *agreed;
    n->agreed.content = g_strdup(agreed->content);
    n->agreed.transport = g_strdup(agreed->transport);
    if (agreed->agreement) {
        n->agreement = *agreed->agreement;
        n->agreed.agreement = &n->agreement;
    }
    if (agreed->remote) {
        ice_udp_copy(&n->remote, agreed->remote);
        n->agreed.remote = &n->remote;
    }
    if (agreed->credentials) {
        ice_udp_copy(&n->credentials, agreed->credentials);
        n->agreed.credentials = &n->credentials;
    }
    return n;
}

/* ------------------------------------------------------------------------------ transports -- */

struct call_transport *call_find_transport(struct call *call, const char *name)
{
    for (size_t i = 0; i < CALL_TRANSPORTS_MAX; i++) {
        struct call_transport *transport = &call->transports[i];
        if (transport->link && transport->name && strcmp(transport->name, name) == 0) {
            return transport;
        }
    }
    struct call_transport *first = &call->transports[0];
    return first->link && !first->name ? first : NULL;
}

static struct call_transport *open_transport(struct call *call, const struct call_agreed *agreed)
{
    struct call_transport_config config = {
        .name = agreed->transport,
        .controlling = agreed->we_offered,
        .video_only = call->sound.voice != NULL,
        .credentials = agreed->credentials,
    };
    for (size_t i = 1; i < CALL_TRANSPORTS_MAX; i++) {
        struct call_transport *transport = &call->transports[i];
        if (!transport->link && call_transport_open(transport, call, &config)) {
            return transport;
        }
    }
    return NULL;
}

/* The one that carries a content, which may have to be opened first. */
static struct call_transport *take_transport(struct call *call, const struct call_agreed *agreed)
{
    struct call_transport *transport = call_find_transport(call, agreed->transport);
    if (transport && !transport->name) {
        transport->name = g_strdup(agreed->transport);
    }
    return transport ? transport : open_transport(call, agreed);
}

static void apply_open(void *arg)
{
    struct negotiated *n = arg;
    if (!take_transport(n->call, &n->agreed)) {
        call_report_pictures_failed(n->call, JINGLE_ERROR_ICE);
    }
    negotiated_free(n);
}

void call_open_transport(struct call *call, const char *name)
{
    struct call_agreed agreed = {.content = name, .transport = name, .we_offered = true};
    loop_post(call->config.thread->loop, apply_open, negotiated_free,
              negotiated_new(call, &agreed));
}

static void apply_remote(void *arg)
{
    struct negotiated *n = arg;
    struct call_transport *transport = call_find_transport(n->call, n->agreed.transport);
    if (transport) {
        call_transport_set_remote(transport, &n->remote);
    }
    negotiated_free(n);
}

void call_remote_transport(struct call *call, const char *name,
                           const struct ice_udp_transport *remote)
{
    struct call_agreed agreed = {.transport = name, .remote = remote};
    loop_post(call->config.thread->loop, apply_remote, negotiated_free,
              negotiated_new(call, &agreed));
}

/* -------------------------------------------------------------------------------- contents -- */

static void apply_sound(void *arg)
{
    struct negotiated *n = arg;
    struct call *call = n->call;
    struct call_transport *transport = call->sound.voice ? NULL : take_transport(call, &n->agreed);
    if (!transport && !call->sound.voice) {
        call_fail(call, JINGLE_REASON_NO_PATH);
    } else if (transport) {
        link_set_role(transport->link, n->agreed.dtls_client);
        if (!call_sound_make(call, transport, &n->agreement, n->agreed.content)) {
            call_fail(call, JINGLE_REASON_MEDIA_ERROR);
        } else if (!call_transport_set_remote(transport, &n->remote)) {
            call_fail(call, JINGLE_REASON_SECURITY);
        } else {
            call_expect_media(call);
            call_sound_start(call);
            call_transport_follow_network(transport); /* it may have changed while it rang */
        }
    }
    negotiated_free(n);
}

void call_negotiated(struct call *call, const struct call_agreed *agreed)
{
    loop_post(call->config.thread->loop, apply_sound, negotiated_free,
              negotiated_new(call, agreed));
}

struct pictures_order {
    struct negotiated *n;
    struct call_video_identity identity;
    jingle_video_config settings;
};

static void pictures_order_free(void *arg)
{
    struct pictures_order *order = arg;
    jingle_video_source_free(order->settings.source);
    jingle_video_sink_free(order->settings.sink);
    jingle_video_sink_free(order->settings.self_view);
    negotiated_free(order->n);
    g_free(order);
}

static jingle_status open_pictures(struct call *call, struct pictures_order *order)
{
    const struct call_agreed *agreed = &order->n->agreed;
    struct call_transport *transport = take_transport(call, agreed);
    if (!transport) {
        return JINGLE_ERROR_ICE;
    }
    if (transport != call->sound.transport && !transport->route.contents[CALL_SOUND].used) {
        link_set_role(transport->link, agreed->dtls_client);
    }
    if (!call_transport_set_remote(transport, agreed->remote)) {
        return JINGLE_ERROR_FINGERPRINT;
    }
    struct call_pictures_config config = {
        .content = agreed->content,
        .agreement = agreed->agreement,
        .transport = transport,
        .identity = order->identity,
        .settings = order->settings,
    };
    if (call->sound.voice && transport == call->sound.transport) {
        voice_share_transport(call->sound.voice);
    }
    order->settings = (jingle_video_config){0}; /* the pictures' now */
    call->pictures = call_pictures_open(call, &config);
    return call->pictures ? JINGLE_OK : JINGLE_ERROR_NO_COMMON_CODEC;
}

static void apply_pictures(void *arg)
{
    struct pictures_order *order = arg;
    struct call *call = order->n->call;
    call_close_pictures(call, false);
    jingle_status status = open_pictures(call, order);
    if (status != JINGLE_OK) {
        call_report_pictures_failed(call, status);
    }
    call_expect_media(call);
    pictures_order_free(order);
}

void call_video_negotiated(struct call *call, const struct call_agreed *agreed,
                           const struct call_video_identity *identity,
                           const jingle_video_config *settings)
{
    struct pictures_order *order = g_new(struct pictures_order, 1);
    *order = (struct pictures_order){negotiated_new(call, agreed), *identity, *settings};
    loop_post(call->config.thread->loop, apply_pictures, pictures_order_free, order);
}
