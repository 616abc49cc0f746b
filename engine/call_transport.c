#include "call_transport.h"

#include "call_private.h"
#include "media_threads.h"
#include "rtp/downlink.h"
#include "rtp/uplink.h"
#include "session.h"

#include <string.h>

/* Of silence: how long a restart may take before another one is tried, and how long the initiator
 * is left to begin one. */
#define RESTART_PATIENCE (4 * USEC_PER_SEC)
#define THEIR_TURN       (2 * USEC_PER_SEC)

/* Clients without encryption may take no candidate that comes later: how long is waited for all. */
#define GATHER_PATIENCE (2 * USEC_PER_SEC)

/* ----------------------------------------------------------------------- what the link says -- */

static void on_candidate(void *user, const struct ice_candidate *candidate)
{
    struct call_transport *transport = user;
    if (!transport->reporting) {
        ice_udp_add_candidate(&transport->local, candidate);
        return;
    }
    call_report_candidate(transport->call, transport->name, candidate);
}

static void report(struct call_transport *transport)
{
    transport->reporting = true;
    call_report_transport(transport->call, transport->name, &transport->local);
}

static void on_gathered(void *user)
{
    struct call_transport *transport = user;
    if (transport->call->config.plain && !transport->reporting) {
        poller_set_timer(transport->call->config.thread->poller, &transport->patience, USEC_NEVER);
        report(transport);
    }
}

static void on_state(void *user, enum link_state state, jingle_reason reason, jingle_status status)
{
    struct call_transport *transport = user;
    struct call *call = transport->call;
    if (call->ended) {
        return;
    }
    log_info(call->config.log, "Media path of %s: %s%s%s", jingle_session_id(call->config.session),
             link_state_name(state), status == JINGLE_OK ? "" : ". ",
             status == JINGLE_OK ? "" : jingle_strerror(status));
    transport->silent_since = state == LINK_INTERRUPTED ? clock_now() : 0;
    if (state == LINK_CONNECTED && transport->uplink) {
        uplink_path_changed(transport->uplink, clock_now());
        downlink_path_changed(transport->downlink, clock_now());
    }
    call_on_link_state(call, transport, state, reason);
}

static void on_closed_by_peer(void *user)
{
    struct call_transport *transport = user;
    call_on_closed_by_peer(transport->call, transport);
}

/* Whose it is if only one content is carried needs no look. */
static enum call_content owner_of(struct call_transport *transport, const struct packet *packet)
{
    const struct call_route_content *contents = transport->route.contents;
    if (!contents[CALL_PICTURES].used) {
        return CALL_SOUND;
    }
    return contents[CALL_SOUND].used ? call_route_find(&transport->route, packet) : CALL_PICTURES;
}

static void on_rtp(void *user, uint8_t *bytes, size_t size, usec now)
{
    struct call_transport *transport = user;
    struct packet packet;
    enum call_content content = CALL_SOUND;
    if (transport->downlink && packet_parse(&packet, bytes, size)) {
        content = owner_of(transport, &packet);
        if (content != CALL_NO_CONTENT) {
            struct downlink_stream stream = {
                .transport_sequence = transport->receive[content].transport_sequence,
                .send_time = transport->receive[content].send_time,
                .clockrate = content == CALL_PICTURES ? VIDEO_CLOCKRATE : 0,
            };
            downlink_receive(transport->downlink, &stream, &packet, size, now);
        }
    }
    call_on_rtp(transport->call, transport, content, bytes, size, now);
}

static void tell_uplink(struct call_transport *transport, const uint8_t *bytes, size_t size,
                        usec now)
{
    struct rtcp_reader reader;
    struct rtcp_message message;
    if (!rtcp_open(&reader, bytes, size)) {
        return;
    }
    while (rtcp_next(&reader, &message)) {
        uplink_receive_rtcp(transport->uplink, &message, now);
    }
}

static void on_rtcp(void *user, uint8_t *bytes, size_t size, usec now)
{
    struct call_transport *transport = user;
    if (transport->uplink) {
        tell_uplink(transport, bytes, size, now);
    }
    call_on_rtcp(transport->call, transport, bytes, size, now);
}

/* -------------------------------------------------------------------------------- its life -- */

static void gather_all(struct call_transport *transport)
{
    struct poller *poller = transport->call->config.thread->poller;
    link_local(transport->link, &transport->local);
    transport->patience = (struct poller_timer){.fire = on_gathered, .user = transport};
    poller_set_timer(poller, &transport->patience, clock_now() + GATHER_PATIENCE);
    link_gather(transport->link);
}

/* What is found without waiting for a server goes into the first message; the rest trickles. */
static void gather(struct call_transport *transport)
{
    struct ice_udp_transport local;
    link_local(transport->link, &local);
    if (strcmp(local.ufrag, transport->local.ufrag) == 0) {
        ice_udp_clear(&local);
        link_gather(transport->link); /* more candidates for what was told */
        return;
    }
    transport->reporting = false;
    ice_udp_clear(&transport->local);
    transport->local = local;
    link_gather(transport->link);
    report(transport);
}

bool call_transport_open(struct call_transport *transport, struct call *call,
                         const struct call_transport_config *own)
{
    struct link_config config;
    transport->call = call;
    transport->name = g_strdup(own->name);
    link_config_init(&config);
    config.poller = call->config.thread->poller;
    config.log = call->config.log;
    config.certificate = call->config.certificate;
    config.controlling = own->controlling;
    config.video = own->video_only;
    config.ufrag = own->credentials ? own->credentials->ufrag : NULL;
    config.pwd = own->credentials ? own->credentials->pwd : NULL;
    config.plain = call->config.plain;
    config.relay_only = call->config.relay_only;
    config.loopback = call->config.loopback;
    config.interfaces = call->config.interfaces;
    config.family = call->config.family;
    config.ca_file = call->config.ca_file;
    config.servers = call->config.servers;
    config.server_count = call->config.server_count;
    config.hooks = (struct link_hooks){
        .user = transport,
        .candidate = on_candidate,
        .gathered = on_gathered,
        .state = on_state,
        .rtp = on_rtp,
        .rtcp = on_rtcp,
        .closed_by_peer = on_closed_by_peer,
    };
    jingle_status status;
    transport->link = link_new(&config, &status);
    if (!transport->link) {
        return false;
    }
    if (config.plain) {
        gather_all(transport);
    } else {
        gather(transport);
    }
    return true;
}

void call_transport_close(struct call_transport *transport)
{
    if (transport->link) {
        poller_set_timer(transport->call->config.thread->poller, &transport->patience, USEC_NEVER);
        link_close(transport->link);
        link_free(transport->link);
    }
    uplink_free(transport->uplink);
    downlink_free(transport->downlink);
    ice_udp_clear(&transport->local);
    g_free(transport->name);
    *transport = (struct call_transport){0};
}

bool call_transport_set_remote(struct call_transport *transport,
                               const struct ice_udp_transport *remote)
{
    bool awaited = link_awaits_answer(transport->link);
    enum link_remote found = link_set_remote(transport->link, remote);
    if (found == LINK_REMOTE_RESTART || (awaited && !link_awaits_answer(transport->link))) {
        transport->restarted_at = clock_now();
    }
    if (found == LINK_REMOTE_RESTART) {
        gather(transport);
    }
    return found != LINK_REMOTE_REFUSED;
}

/* Those who answered without BUNDLE (Dino) take credentials only once: a restart would cut them off
 * for good. */
static void restart(struct call_transport *transport, const char *why)
{
    const struct logger *log = transport->call->config.log;
    if (!transport->bundled) {
        log_info(log, "%s The other client cannot take another path.", why);
    } else if (link_restart(transport->link) == JINGLE_OK) {
        log_info(log, "%s Looking for another path.", why);
        gather(transport);
    }
    transport->restarted_at = clock_now();
}

static bool is_agreed(const struct call_transport *transport)
{
    const struct call_route_content *contents = transport->route.contents;
    return contents[CALL_SOUND].used || contents[CALL_PICTURES].used;
}

/* Before it is agreed on, nobody could be told. */
void call_transport_follow_network(struct call_transport *transport)
{
    if (transport->link && is_agreed(transport) && link_is_outdated(transport->link)) {
        restart(transport, "Our network has changed.");
    }
}

/* Silence without a known cause. The session's initiator begins, so that it is seldom both; where
 * it does not, so do we. */
static void mend(struct call_transport *transport, usec now)
{
    if (!transport->silent_since || link_awaits_answer(transport->link)) {
        return;
    }
    usec patience = transport->call->config.controlling ? 0 : THEIR_TURN;
    bool under_way = transport->restarted_at && now < transport->restarted_at + RESTART_PATIENCE;
    if (now >= transport->silent_since + patience && !under_way) {
        restart(transport, "The media path is silent.");
    }
}

/* -------------------------------------------------------------------------- what it carries -- */

static void send_rtp(void *user, uint8_t *packet, size_t bytes)
{
    struct call_transport *transport = user;
    link_send_rtp(transport->link, packet, bytes, bytes + LINK_TAIL);
}

static void send_feedback(void *user, uint8_t *packet, size_t bytes)
{
    call_transport_send_rtcp(user, packet, bytes);
}

static jingle_status make_uplink(struct call_transport *transport)
{
    struct uplink_config config = {
        .wall_offset = clock_wall() - clock_now(),
        .log = transport->call->config.log,
        .hooks = {.user = transport, .send_rtp = send_rtp},
    };
    return transport->uplink ? JINGLE_OK : uplink_new(&config, &transport->uplink);
}

static jingle_status make_downlink(struct call_transport *transport,
                                   const struct rtp_agreement *agreement)
{
    struct call *call = transport->call;
    const struct rtp_feedback_kinds *feedback = &agreement->receive[0].feedback;
    struct downlink_config config = {
        .ssrc = call->config.identity.ssrc,
        .cname = call->config.identity.cname,
        .transport_feedback = feedback->transport_cc,
        .remb = feedback->goog_remb,
        .reduced_size = agreement->rtcp_reduced_size,
        .log = call->config.log,
        .hooks = {.user = transport, .send_rtcp = send_feedback},
    };
    if (!transport->downlink) {
        return downlink_new(&config, &transport->downlink);
    }
    downlink_configure(transport->downlink, &config);
    return JINGLE_OK;
}

static jingle_status add_voice(struct call_transport *transport,
                               const struct rtp_agreement *agreement)
{
    struct uplink_stream stream = {.transport_sequence = (uint8_t)agreement->send_transport_cc};
    return uplink_add_stream(transport->uplink, &stream, &transport->voice_stream);
}

jingle_status call_transport_add(struct call_transport *transport, enum call_content content,
                                 const char *mid, const struct rtp_agreement *agreement)
{
    bool had_voice = transport->route.contents[CALL_SOUND].used;
    bool had_uplink = transport->uplink;
    call_route_add(&transport->route, content, mid, agreement);
    transport->bundled = transport->bundled || agreement->bundle;
    transport->receive[content].transport_sequence = (uint8_t)agreement->receive_transport_cc;
    transport->receive[content].send_time = (uint8_t)agreement->receive_abs_send_time;
    bool counts = agreement->send_transport_cc || agreement->receive_transport_cc;
    if (content == CALL_SOUND && !counts && !had_uplink) {
        return JINGLE_OK;
    }
    jingle_status status = make_uplink(transport);
    if (status == JINGLE_OK && (content == CALL_SOUND || (had_voice && !had_uplink))) {
        static const struct rtp_agreement none;
        status = add_voice(transport, content == CALL_SOUND ? agreement : &none);
    }
    if (status == JINGLE_OK && (content == CALL_PICTURES || !had_uplink)) {
        status = make_downlink(transport, agreement);
    }
    return status;
}

void call_transport_remove(struct call_transport *transport, enum call_content content)
{
    call_route_remove(&transport->route, content);
}

void call_transport_send_voice(struct call_transport *transport, uint8_t *packet, size_t bytes)
{
    if (transport->uplink) {
        uplink_send_audio(transport->uplink, transport->voice_stream, packet, bytes, clock_now());
    } else {
        send_rtp(transport, packet, bytes);
    }
}

void call_transport_send_rtcp(struct call_transport *transport, uint8_t *packet, size_t bytes)
{
    link_send_rtcp(transport->link, packet, bytes, bytes + LINK_TAIL);
}

void call_transport_tick(struct call_transport *transport, usec now)
{
    mend(transport, now);
    if (transport->uplink) {
        uplink_tick(transport->uplink, now);
        downlink_tick(transport->downlink, now);
    }
}

usec call_transport_pace_deadline(const struct call_transport *transport)
{
    return transport->uplink ? uplink_next_deadline(transport->uplink) : USEC_NEVER;
}

usec call_transport_feedback_deadline(const struct call_transport *transport)
{
    return transport->downlink ? downlink_next_deadline(transport->downlink) : USEC_NEVER;
}
