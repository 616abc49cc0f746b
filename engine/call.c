/* See call.h. Threads in this file: what is named in call.h runs on the I/O thread, everything else
 * on the media thread. */
#include "call.h"

#include "call_private.h"
#include "ice_server.h"
#include "media_threads.h"
#include "rtp/voice.h"

#define TICK_LEAST (USEC_PER_MS / 2)

/* What is due about packets of pictures is done together if it is this close; of that, what is not
 * the pace itself may wait for the next wake-up. */
#define PACKETS_APART    (1 * USEC_PER_MS)
#define PACKETS_PATIENCE (5 * USEC_PER_MS)

/* ----------------------------------------------------------------------------- its running -- */

/* When something is due about packets of pictures. */
static usec packets_deadline(const struct call *call, usec now)
{
    usec patient = call->pictures ? call_pictures_deadline(call->pictures) : USEC_NEVER;
    usec punctual = USEC_NEVER;
    for (size_t i = 0; i < CALL_TRANSPORTS_MAX; i++) {
        patient = MIN(patient, call_transport_feedback_deadline(&call->transports[i]));
        punctual = MIN(punctual, call_transport_pace_deadline(&call->transports[i]));
    }
    if (patient != USEC_NEVER) {
        patient += PACKETS_PATIENCE;
    }
    return MAX(MIN(patient, punctual), now + PACKETS_APART);
}

void call_tick(struct call *call)
{
    usec now = clock_now();
    usec next = USEC_NEVER;
    if (call->sound.started) {
        next = call_sound_tick(call, now);
        call_statistics_tick(call, now);
        next = MIN(next, call->next_statistics);
    }
    if (call->pictures) {
        call_pictures_tick(call->pictures, now);
        call_recording_tick(call, now);
    }
    for (size_t i = 0; i < CALL_TRANSPORTS_MAX; i++) {
        call_transport_tick(&call->transports[i], now);
    }
    next = MIN(next, packets_deadline(call, now));
    poller_set_timer(call->config.thread->poller, &call->timer, next);
}

/* A timer that fires too early costs less than one that is set anew with each packet. */
void call_look_at_packets(struct call *call)
{
    usec next = packets_deadline(call, clock_now());
    if (call->timer.place == 0 || next < call->timer.when) {
        poller_set_timer(call->config.thread->poller, &call->timer, next);
    }
}

static void on_timer(void *user)
{
    call_tick(user);
}

static void on_capture_timer(void *user)
{
    call_sound_capture(user);
}

/* Silence is no trouble while nothing should come: a muted Dino sends nothing at all, and whom we
 * hold need not (XEP-0167, 8.2). Nor is a camera that shows nothing. */
void call_expect_media(struct call *call)
{
    bool sound =
        call->sound.we_receive && !call->held && !call->peer_holds && !call->sound.peer_mutes;
    for (size_t i = 0; i < CALL_TRANSPORTS_MAX; i++) {
        struct call_transport *transport = &call->transports[i];
        if (transport->link && call->sound.transport) {
            link_expect_media(transport->link, transport == call->sound.transport && sound);
        }
    }
}

void call_fail(struct call *call, jingle_reason reason)
{
    call_report_state(call, LINK_FAILED, reason);
}

void call_close_pictures(struct call *call, bool bye)
{
    struct call_pictures *pictures = call->pictures;
    if (!pictures) {
        return;
    }
    struct call_transport *transport = call_pictures_transport(pictures);
    call->pictures = NULL;
    call_pictures_close(pictures, bye);
    if (transport != call->sound.transport && transport != &call->transports[0]) {
        call_transport_close(transport);
    }
}

void call_drop_spare_transports(struct call *call)
{
    for (size_t i = 1; i < CALL_TRANSPORTS_MAX; i++) {
        struct call_transport *transport = &call->transports[i];
        if (transport->link && transport != call->sound.transport &&
            !transport->route.contents[CALL_PICTURES].used) {
            call_transport_close(transport);
        }
    }
}

/* ------------------------------------------------------------------- what its transports say -- */

static bool carries_only_pictures(const struct call *call, const struct call_transport *transport)
{
    return call->sound.transport && transport != call->sound.transport;
}

/* The state of the voice's way is that of the call. Pictures come and go. */
void call_on_link_state(struct call *call, struct call_transport *transport, enum link_state state,
                        jingle_reason reason)
{
    bool pictures_only = carries_only_pictures(call, transport);
    if (!pictures_only) {
        call_report_state(call, state, reason);
    } else if (state == LINK_FAILED) {
        call_report_pictures_failed(call, reason == JINGLE_REASON_SECURITY ? JINGLE_ERROR_DTLS
                                                                           : JINGLE_ERROR_ICE);
    }
    if (state == LINK_CONNECTED && !pictures_only) {
        call_sound_start(call);
    }
    if (call->pictures && call_pictures_transport(call->pictures) == transport) {
        call_pictures_update(call->pictures);
    }
}

void call_on_closed_by_peer(struct call *call, struct call_transport *transport)
{
    if (!carries_only_pictures(call, transport)) {
        call_report_hung_up(call);
    }
}

void call_on_rtp(struct call *call, struct call_transport *transport, enum call_content content,
                 uint8_t *packet, size_t bytes, usec now)
{
    if (content == CALL_PICTURES && call->pictures) {
        call_pictures_receive_rtp(call->pictures, packet, bytes, now);
        call_look_at_packets(call);
    } else if (transport == call->sound.transport) {
        call_recording_take_sound(call, packet, bytes, now);
        voice_receive_rtp(call->sound.voice, packet, bytes, now);
    }
}

void call_on_rtcp(struct call *call, struct call_transport *transport, uint8_t *packet,
                  size_t bytes, usec now)
{
    if (transport == call->sound.transport) {
        voice_receive_rtcp(call->sound.voice, packet, bytes, now);
    }
    if (call->pictures && transport == call_pictures_transport(call->pictures)) {
        call_pictures_receive_rtcp(call->pictures, packet, bytes, now);
        call_look_at_packets(call);
    }
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

static void open_first_transport(struct call *call)
{
    struct call_transport_config config = {.controlling = call->config.controlling};
    if (!call_transport_open(&call->transports[0], call, &config)) {
        call_fail(call, JINGLE_REASON_NO_PATH);
    }
}

static void make_plain(void *arg)
{
    struct call *call = arg;
    call_transport_close(&call->transports[0]);
    call->config.plain = true;
    open_first_transport(call);
}

void call_make_plain(struct call *call)
{
    loop_post(call->config.thread->loop, make_plain, NULL, call);
}

static void begin(void *arg)
{
    struct call *call = arg;
    call->timer = (struct poller_timer){.fire = on_timer, .user = call};
    call->capture_timer =
        (struct poller_timer){.fire = on_capture_timer, .user = call, .patient = true};
    open_first_transport(call);
}

struct call *call_new(const struct call_config *config)
{
    struct call *call = g_new0(struct call, 1);
    call->config = *config;
    call->config.servers = copy_servers(config->servers, config->server_count);
    call->config.ca_file = g_strdup(config->ca_file);
    call->config.interfaces = g_strdup(config->interfaces);
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
    g_free((char *)call->config.interfaces);
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
    call_close_pictures(call, true);
    call_recording_close(call);
    for (size_t i = 0; i < CALL_TRANSPORTS_MAX; i++) {
        call_transport_close(&call->transports[i]);
    }
    voice_free(call->sound.voice);
    poller_set_timer(call->config.thread->poller, &call->timer, USEC_NEVER);
    poller_set_timer(call->config.thread->poller, &call->capture_timer, USEC_NEVER);
    loop_post(call->config.closer, close_media, close_media, call);
}

void call_end(struct call *call)
{
    loop_post(call->config.thread->loop, end, end, call);
}
