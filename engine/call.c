/* See call.h. Threads in this file: what is named in call.h runs on the I/O thread, everything else
 * on the media thread. */
#include "call.h"

#include "call_private.h"
#include "ice_server.h"
#include "media_threads.h"
#include "rtp/voice.h"

/* ----------------------------------------------------------------------------- its running -- */

void call_tick(struct call *call)
{
    if (!call->sound.started) {
        return;
    }
    usec now = clock_now();
    usec next = call_sound_tick(call, now);
    call_statistics_tick(call, now);
    poller_set_timer(call->config.thread->poller, &call->timer, MIN(next, call->next_statistics));
}

static void on_timer(void *user)
{
    call_tick(user);
}

static void on_capture_timer(void *user)
{
    call_sound_capture(user);
}

/* Silence is no trouble while nothing should come: a muted Dino sends nothing at all. */
void call_expect_media(struct call *call)
{
    if (call->sound.voice) {
        link_expect_media(call->transport.link,
                          call->sound.we_receive && !call->peer_holds && !call->sound.peer_mutes);
    }
}

void call_fail(struct call *call, jingle_reason reason)
{
    call_report_state(call, LINK_FAILED, reason);
}

void call_on_link_state(struct call *call, struct call_transport *transport, enum link_state state,
                        jingle_reason reason)
{
    call_report_state(call, state, reason);
    if (state == LINK_CONNECTED) {
        call_sound_start(call);
    } else if (state == LINK_INTERRUPTED) {
        call_transport_mend(transport);
    }
}

void call_on_rtp(struct call *call, uint8_t *packet, size_t bytes, usec now)
{
    if (call->sound.voice) {
        voice_receive_rtp(call->sound.voice, packet, bytes, now);
    }
}

void call_on_rtcp(struct call *call, uint8_t *packet, size_t bytes, usec now)
{
    if (call->sound.voice) {
        voice_receive_rtcp(call->sound.voice, packet, bytes, now);
    }
}

/* ------------------------------------------------------------------ what both sides agreed on --
 */

struct negotiated {
    struct call *call;
    struct rtp_agreement agreement;
    char *content;
    struct ice_udp_transport remote;
    bool dtls_client;
};

static void negotiated_free(void *arg)
{
    struct negotiated *n = arg;
    ice_udp_clear(&n->remote);
    g_free(n->content);
    g_free(n);
}

static void apply_negotiated(void *arg)
{
    struct negotiated *n = arg;
    struct call *call = n->call;
    if (call->transport.link && !call->sound.voice) {
        call->bundled = n->agreement.bundle;
        link_set_role(call->transport.link, n->dtls_client);
        if (!call_sound_make(call, &n->agreement, n->content)) {
            call_fail(call, JINGLE_REASON_MEDIA_ERROR);
        } else if (!call_transport_set_remote(&call->transport, &n->remote)) {
            call_fail(call, JINGLE_REASON_SECURITY);
        } else {
            call_expect_media(call);
            call_sound_start(call);
        }
    }
    negotiated_free(n);
}

void call_negotiated(struct call *call, const char *content, const struct rtp_agreement *agreement,
                     const struct ice_udp_transport *remote, bool dtls_client)
{
    struct negotiated *n = g_new0(struct negotiated, 1);
    n->call = call;
    n->dtls_client = dtls_client;
    n->agreement = *agreement;
    n->content = g_strdup(content);
    ice_udp_copy(&n->remote, remote);
    loop_post(call->config.thread->loop, apply_negotiated, negotiated_free, n);
}

static void apply_remote(void *arg)
{
    struct negotiated *n = arg;
    if (n->call->transport.link) {
        call_transport_set_remote(&n->call->transport, &n->remote);
    }
    negotiated_free(n);
}

void call_remote_transport(struct call *call, const struct ice_udp_transport *remote)
{
    struct negotiated *n = g_new0(struct negotiated, 1);
    n->call = call;
    ice_udp_copy(&n->remote, remote);
    loop_post(call->config.thread->loop, apply_remote, negotiated_free, n);
}

/* ------------------------------------------------------------------------------- beginning -- */

static struct ice_server *copy_servers(const struct ice_server *servers, size_t count)
{
    struct ice_server *copy = g_new0(struct ice_server, count);
    for (size_t i = 0; i < count; i++) {
        ice_server_copy(&copy[i], &servers[i]);
    }
    return copy;
}

static void free_servers(struct call *call)
{
    struct ice_server *servers = (struct ice_server *)call->config.servers;
    for (size_t i = 0; i < call->config.server_count; i++) {
        ice_server_clear(&servers[i]);
    }
    g_free(servers);
}

static void begin(void *arg)
{
    struct call *call = arg;
    call->timer = (struct poller_timer){.fire = on_timer, .user = call};
    call->capture_timer =
        (struct poller_timer){.fire = on_capture_timer, .user = call, .patient = true};
    if (!call_transport_open(&call->transport, call)) {
        call_fail(call, JINGLE_REASON_NO_PATH);
    }
}

struct call *call_new(const struct call_config *config)
{
    struct call *call = g_new0(struct call, 1);
    call->config = *config;
    call->config.servers = copy_servers(config->servers, config->server_count);
    call->config.ca_file = g_strdup(config->ca_file);
    jingle_session_ref(config->session);
    loop_post(config->thread->loop, begin, NULL, call);
    return call;
}

/* -------------------------------------------------------------------------------- the end -- */

/* On the closer's thread, which may wait. */
static void close_media(void *arg)
{
    struct call *call = arg;
    call_sound_free(call);
    call_report_closed(call);
    free_servers(call);
    g_free((char *)call->config.ca_file);
    jingle_session_unref(call->config.session);
    g_free(call);
}

static void end(void *arg)
{
    struct call *call = arg;
    usec now = clock_now();
    call->ended = true;
    if (call->sound.started) {
        call_statistics_publish(call, now);
    }
    call_sound_stop(call, now);
    call_transport_close(&call->transport);
    voice_free(call->sound.voice);
    poller_set_timer(call->config.thread->poller, &call->timer, USEC_NEVER);
    poller_set_timer(call->config.thread->poller, &call->capture_timer, USEC_NEVER);
    loop_post(call->config.closer, close_media, close_media, call);
}

void call_end(struct call *call)
{
    loop_post(call->config.thread->loop, end, end, call);
}
