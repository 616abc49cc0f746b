#include "call_transport.h"

#include "call_private.h"
#include "media_threads.h"
#include "session.h"

#include <string.h>

/* ----------------------------------------------------------------------- what the link says -- */

static void on_candidate(void *user, const struct ice_candidate *candidate)
{
    struct call_transport *transport = user;
    if (!transport->reporting) {
        ice_udp_add_candidate(&transport->local, candidate);
        return;
    }
    call_report_candidate(transport->call, NULL, candidate);
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
    call_on_link_state(call, transport, state, reason);
}

static void on_closed_by_peer(void *user)
{
    call_report_hung_up(((struct call_transport *)user)->call);
}

static void on_rtp(void *user, uint8_t *packet, size_t bytes, usec now)
{
    call_on_rtp(((struct call_transport *)user)->call, packet, bytes, now);
}

static void on_rtcp(void *user, uint8_t *packet, size_t bytes, usec now)
{
    call_on_rtcp(((struct call_transport *)user)->call, packet, bytes, now);
}

/* -------------------------------------------------------------------------------- its life -- */

/* What is found without waiting for a server goes into the first message; the rest trickles. */
static void gather(struct call_transport *transport)
{
    struct ice_udp_transport local;
    link_local(transport->link, &local);
    if (strcmp(local.ufrag, transport->local.ufrag) == 0) {
        ice_udp_clear(&local);
        return; /* the peer answers a restart of ours */
    }
    transport->reporting = false;
    ice_udp_clear(&transport->local);
    transport->local = local;
    link_gather(transport->link);
    transport->reporting = true;
    call_report_transport(transport->call, NULL, &transport->local);
}

bool call_transport_open(struct call_transport *transport, struct call *call)
{
    struct link_config config;
    transport->call = call;
    link_config_init(&config);
    config.poller = call->config.thread->poller;
    config.log = call->config.log;
    config.certificate = call->config.certificate;
    config.controlling = call->config.controlling;
    config.relay_only = call->config.relay_only;
    config.loopback = call->config.loopback;
    config.ca_file = call->config.ca_file;
    config.servers = call->config.servers;
    config.server_count = call->config.server_count;
    config.hooks = (struct link_hooks){
        .user = transport,
        .candidate = on_candidate,
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
    gather(transport);
    return true;
}

void call_transport_close(struct call_transport *transport)
{
    if (transport->link) {
        link_close(transport->link);
        link_free(transport->link);
        transport->link = NULL;
    }
    ice_udp_clear(&transport->local);
}

bool call_transport_set_remote(struct call_transport *transport,
                               const struct ice_udp_transport *remote)
{
    enum link_remote found = link_set_remote(transport->link, remote);
    if (found == LINK_REMOTE_RESTART) {
        gather(transport);
    }
    return found != LINK_REMOTE_REFUSED;
}

/* A restart finds new addresses after a change of network. Those who answered without BUNDLE
 * (Dino) take credentials only once, so it would cut them off for good; both sides starting at
 * once is avoided by leaving it to the session's initiator. */
void call_transport_mend(struct call_transport *transport)
{
    struct call *call = transport->call;
    if (call->bundled && call->config.controlling && link_restart(transport->link) == JINGLE_OK) {
        log_info(call->config.log, "The media path is silent: looking for another one.");
        gather(transport);
    }
}

void call_transport_send_rtp(struct call_transport *transport, uint8_t *packet, size_t bytes)
{
    link_send_rtp(transport->link, packet, bytes, bytes + LINK_TAIL);
}

void call_transport_send_rtcp(struct call_transport *transport, uint8_t *packet, size_t bytes)
{
    link_send_rtcp(transport->link, packet, bytes, bytes + LINK_TAIL);
}
