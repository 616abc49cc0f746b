/* ICE with libnice.
 *
 * libnice's sockets and timers live in a GMainContext of the agent's own, embedded in the poller.
 * Once a plain UDP pair is selected its media does not pass through libnice at all (GSocket makes
 * and frees an error for every packet):
 *
 *     poller ─▶ readable ─▶ first byte (peeked) ─┬─ media from the selected peer ─▶ hooks.receive
 *                                                ├─ answers of STUN servers ─▶ stun_client.h
 *                                                └─ all else ─▶ turn the context ─▶ libnice
 *
 * libnice asks one STUN server only, so we ask them ourselves, through its sockets. It need not
 * know what they say: it checks from the sockets, and learns from the peer how it is seen.
 */
#include "transport/ice.h"

#include "base/addresses.h"
#include "transport/embedded.h"
#include "transport/stun_client.h"
#include "transport/turn_tls.h"

#include <errno.h>
#include <nice/agent.h>
#include <string.h>
#include <sys/socket.h>

#define COMPONENT        1 /* the only one: RTP and RTCP share it (RFC 5761) */
#define CHECK_PACING     5 /* Ta in ms, as short as RFC 8445 section 14.2 allows */
#define DATAGRAM_BYTES   2048
#define LOCAL_PREFERENCE UINT32_C(0x00ffff00) /* its bits in a priority */
#define TOS_EF           0xb8                 /* RFC 8837, shifted past ECN */
#define TOS_AF41         0x88
#define TURN_PORT        3478
#define TURN_TLS_PORT    5349

/* RFC 8445, 5.1.2 and 5.1.1.3; libnice counts its foundations from 1 */
#define SRFLX_TYPE_PREFERENCE  100
#define SRFLX_FIRST_FOUNDATION 1000
#define BEST_PREFERENCE        UINT32_C(0xffff)
#define MAX_REFLEXIVE          16 /* candidates; further ones are not told */

struct ice {
    struct poller *poller;
    const struct logger *log;
    struct ice_hooks hooks;
    bool relay_only;
    bool loopback; /* told so, or there is nothing else */
    jingle_family family;
    char *interfaces;
    uint8_t generation;
    NiceAgent *agent;
    guint stream;
    GMainContext *io;
    struct embedded *embedded;
    GPtrArray *bridges; /* struct turn_tls */
    char *ca_file;
    GArray *servers; /* struct ice_server with text of ours */
    GArray *pending; /* struct ice_candidate that came before the credentials */
    size_t remote_count;
    bool remote_known;
    bool gathering;
    bool agent_done;
    bool gathered;
    unsigned lookups; /* names of TURN servers that are being resolved */
    GCancellable *closing;
    bool relays;                                      /* there may be allocations to give back */
    union address addresses[ICE_MAX_LOCAL_ADDRESSES]; /* that were gathered from */
    size_t address_count;
    struct stun_client *stun;             /* NULL: nobody is asked */
    union address seen_as[MAX_REFLEXIVE]; /* was told */
    size_t seen_count;
    bool usable;
    /* the selected pair, while it is plain UDP */
    int fast_fd; /* -1: none */
    union address fast_peer;
    socklen_t fast_peer_bytes;
    unsigned busy; /* inside a callback: freeing waits */
    bool closed;   /* no hook is called any more */
    bool doomed;   /* to be destroyed when nothing is busy */
};

/* -------------------------------------------------------------------------------- sockets -- */

static void destroy(struct ice *ice);

static void enter(struct ice *ice)
{
    ice->busy++;
}

/* The sockets may be closed before all is. */
static void stop_asking(struct ice *ice)
{
    stun_client_free(ice->stun);
    ice->stun = NULL;
}

static void leave(struct ice *ice)
{
    if (--ice->busy > 0)
        return;
    if (ice->closed)
        stop_asking(ice);
    if (ice->doomed)
        destroy(ice);
}

/* STUN and TURN channels (RFC 7983) are libnice's. */
static bool is_media(uint8_t first)
{
    return (first >= 20 && first <= 63) || (first >= 128 && first <= 191);
}

/* Takes one datagram off the selected socket; false if that is libnice's business. */
static bool receive_fast(struct ice *ice, int fd)
{
    uint8_t datagram[DATAGRAM_BYTES];
    union address from = {.v6.sin6_family = AF_UNSPEC};
    socklen_t from_bytes = sizeof from;
    ssize_t bytes = recvfrom(fd, datagram, sizeof datagram, MSG_PEEK | MSG_DONTWAIT | MSG_TRUNC,
                             &from.any, &from_bytes);
    if (bytes <= 0 || !is_media(datagram[0]) || !address_is_same(&from, &ice->fast_peer))
        return false;
    recv(fd, NULL, 0, MSG_DONTWAIT | MSG_TRUNC);
    if ((size_t)bytes <= sizeof datagram)
        ice->hooks.receive(ice->hooks.user, datagram, (size_t)bytes);
    return true;
}

/* What the poller asks before it turns the agent's context. */
static bool take_media(void *user, int fd)
{
    struct ice *ice = user;
    enter(ice);
    bool taken = (fd == ice->fast_fd && receive_fast(ice, fd)) || stun_client_take(ice->stun);
    leave(ice);
    return taken;
}

/* ------------------------------------------------------------------------ what libnice says -- */

static enum ice_candidate_type type_of(NiceCandidateType type)
{
    switch (type) {
    case NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE:
        return ICE_SRFLX;
    case NICE_CANDIDATE_TYPE_PEER_REFLEXIVE:
        return ICE_PRFLX;
    case NICE_CANDIDATE_TYPE_RELAYED:
        return ICE_RELAY;
    default:
        return ICE_HOST;
    }
}

static const union address *first_of(sa_family_t family, const union address *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].any.sa_family == family)
            return &list[i];
    return NULL;
}

/* RFC 8445, 5.1.2.1. libnice prefers one address to another by chance. With a dozen of containers
 * and VPNs the checks of those that lead nowhere would come first: so the peer is told to try first
 * what the system would send from. */
static uint32_t priority_of(const struct ice *ice, const NiceCandidate *found)
{
    union address own = {.v6.sin6_family = AF_UNSPEC};
    nice_address_copy_to_sockaddr(&found->addr, &own.any);
    const union address *first = first_of(own.any.sa_family, ice->addresses, ice->address_count);
    if (found->type != NICE_CANDIDATE_TYPE_HOST || !first || address_is_same_host(first, &own))
        return found->priority;
    uint32_t preference = ICE_MAX_LOCAL_ADDRESSES;
    for (size_t i = 0; i < ice->address_count; i++)
        if (address_is_same_host(&ice->addresses[i], &own))
            preference = ICE_MAX_LOCAL_ADDRESSES - (uint32_t)i;
    return (found->priority & ~LOCAL_PREFERENCE) | preference << 8;
}

/* TURN servers say how we are seen, too, and that is libnice's to find out. False: it was told. */
static bool is_news(struct ice *ice, const union address *seen)
{
    for (size_t i = 0; i < ice->seen_count; i++)
        if (address_is_same(&ice->seen_as[i], seen))
            return false;
    if (ice->seen_count == MAX_REFLEXIVE)
        return false;
    ice->seen_as[ice->seen_count++] = *seen;
    return true;
}

static bool is_reflexive_news(struct ice *ice, const NiceCandidate *found)
{
    union address seen = {.v6.sin6_family = AF_UNSPEC};
    nice_address_copy_to_sockaddr(&found->addr, &seen.any);
    return is_news(ice, &seen);
}

static void on_candidate(NiceAgent *agent, NiceCandidate *found, gpointer user)
{
    struct ice *ice = user;
    (void)agent;
    if (found->transport != NICE_CANDIDATE_TRANSPORT_UDP ||
        (ice->relay_only && found->type != NICE_CANDIDATE_TYPE_RELAYED) ||
        (found->type == NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE && !is_reflexive_news(ice, found)))
        return;
    struct ice_candidate candidate = {
        .component = (uint8_t)found->component_id,
        .protocol = ICE_UDP,
        .priority = priority_of(ice, found),
        .port = (uint16_t)nice_address_get_port(&found->addr),
        .type = type_of(found->type),
        .generation = ice->generation,
    };
    char ip[NICE_ADDRESS_STRING_LEN];
    nice_address_to_string(&found->addr, ip);
    g_strlcpy(candidate.ip, ip, sizeof candidate.ip);
    g_strlcpy(candidate.foundation, found->foundation, sizeof candidate.foundation);
    /* a relay's related address would tell where we are */
    if (candidate.type == ICE_SRFLX) {
        nice_address_to_string(&found->base_addr, ip);
        g_strlcpy(candidate.rel_addr, ip, sizeof candidate.rel_addr);
        candidate.rel_port = (uint16_t)nice_address_get_port(&found->base_addr);
    }
    enter(ice);
    ice->hooks.candidate(ice->hooks.user, &candidate);
    leave(ice);
}

static uint32_t place_of(const struct ice *ice, const union address *own)
{
    uint32_t place = 0;
    while (place < ice->address_count && !address_is_same_host(&ice->addresses[place], own))
        place++;
    return place;
}

static void on_seen(void *user, const union address *bound, const union address *seen)
{
    struct ice *ice = user;
    if (ice->closed || !is_news(ice, seen))
        return;
    uint32_t preference = BEST_PREFERENCE - place_of(ice, bound);
    struct ice_candidate candidate = {
        .component = COMPONENT,
        .protocol = ICE_UDP,
        .priority = (uint32_t)SRFLX_TYPE_PREFERENCE << 24 | preference << 8 | (256 - COMPONENT),
        .port = ntohs(seen->v4.sin_port), /* at the same place in both families */
        .rel_port = ntohs(bound->v4.sin_port),
        .type = ICE_SRFLX,
        .generation = ice->generation,
    };
    address_to_text(seen, candidate.ip);
    address_to_text(bound, candidate.rel_addr);
    g_snprintf(candidate.foundation, sizeof candidate.foundation, "%zu",
               SRFLX_FIRST_FOUNDATION + ice->seen_count);
    enter(ice);
    ice->hooks.candidate(ice->hooks.user, &candidate);
    leave(ice);
}

/* True once. */
static bool has_gathered_now(struct ice *ice)
{
    if (ice->gathered || !ice->agent_done || ice->lookups > 0 ||
        (ice->stun && !stun_client_is_done(ice->stun)))
        return false;
    ice->gathered = true;
    return true;
}

static void tell_gathered(struct ice *ice)
{
    if (!has_gathered_now(ice))
        return;
    enter(ice);
    ice->hooks.gathered(ice->hooks.user);
    leave(ice);
}

static void on_asked(void *user)
{
    struct ice *ice = user;
    if (!ice->closed)
        tell_gathered(ice);
}

static void on_gathered(NiceAgent *agent, guint stream, gpointer user)
{
    struct ice *ice = user;
    (void)agent;
    (void)stream;
    ice->agent_done = true;
    tell_gathered(ice);
}

static void follow_selected_pair(struct ice *ice)
{
    NiceCandidate *local;
    NiceCandidate *remote;
    ice->fast_fd = -1;
    if (!nice_agent_get_selected_pair(ice->agent, ice->stream, COMPONENT, &local, &remote))
        return;
    GSocket *socket = nice_agent_get_selected_socket(ice->agent, ice->stream, COMPONENT);
    if (!socket)
        return; /* relayed */
    ice->fast_fd = g_socket_get_fd(socket);
    g_object_unref(socket);
    memset(&ice->fast_peer, 0, sizeof ice->fast_peer);
    nice_address_copy_to_sockaddr(&remote->addr, &ice->fast_peer.any);
    ice->fast_peer_bytes = ice->fast_peer.any.sa_family == AF_INET ? sizeof ice->fast_peer.v4
                                                                   : sizeof ice->fast_peer.v6;
}

static void on_selected_pair(NiceAgent *agent, guint stream, guint component, NiceCandidate *local,
                             NiceCandidate *remote, gpointer user)
{
    struct ice *ice = user;
    (void)agent;
    (void)stream;
    (void)component;
    (void)local;
    (void)remote;
    follow_selected_pair(ice);
    ice->usable = true;
    enter(ice);
    if (ice->stun)
        stun_client_settle(ice->stun);
    ice->hooks.usable(ice->hooks.user);
    leave(ice);
}

static void on_component_state(NiceAgent *agent, guint stream, guint component, guint state,
                               gpointer user)
{
    struct ice *ice = user;
    (void)agent;
    (void)stream;
    (void)component;
    log_debug(ice->log, "ICE is %s", nice_component_state_to_string(state));
    if (state != NICE_COMPONENT_STATE_FAILED || !ice->usable)
        return;
    ice->usable = false;
    ice->fast_fd = -1;
    enter(ice);
    ice->hooks.lost(ice->hooks.user);
    leave(ice);
}

static void on_receive(NiceAgent *agent, guint stream, guint component, guint bytes,
                       gchar *datagram, gpointer user)
{
    struct ice *ice = user;
    (void)agent;
    (void)stream;
    (void)component;
    enter(ice);
    if (!ice->closed)
        ice->hooks.receive(ice->hooks.user, (uint8_t *)datagram, bytes);
    leave(ice);
}

/* ---------------------------------------------------------------------------------- set-up -- */

static void clear_server(gpointer element)
{
    struct ice_server *server = element;
    g_free((char *)server->host);
    g_free((char *)server->username);
    if (server->password)
        explicit_bzero((char *)server->password, strlen(server->password));
    g_free((char *)server->password);
}

static void clear_bridge(gpointer element)
{
    turn_tls_free(element);
}

static void copy_servers(struct ice *ice, const struct ice_config *config)
{
    ice->servers = g_array_new(FALSE, FALSE, sizeof(struct ice_server));
    g_array_set_clear_func(ice->servers, clear_server);
    for (size_t i = 0; i < config->server_count && i < ICE_MAX_SERVERS; i++) {
        struct ice_server server = config->servers[i];
        if (server.port == 0)
            server.port = server.transport == ICE_SERVER_TLS ? TURN_TLS_PORT : TURN_PORT;
        server.host = g_strdup(server.host);
        server.username = g_strdup(server.username);
        server.password = g_strdup(server.password);
        g_array_append_val(ice->servers, server);
    }
}

static size_t list_addresses(const struct ice *ice, bool loopback, union address *out, size_t room)
{
    struct address_choice choice = {ice->interfaces, ice->family, loopback};
    return addresses_list(&choice, out, room);
}

/* There is no address but loopback: this machine can only call itself. */
static bool is_alone(const struct ice *ice)
{
    union address any;
    return !ice->interfaces && list_addresses(ice, false, &any, 1) == 0;
}

/* A property that this libnice may have been built without. */
static void set_if_there(NiceAgent *agent, const char *property, gboolean value)
{
    if (g_object_class_find_property(G_OBJECT_GET_CLASS(agent), property))
        g_object_set(agent, property, value, NULL);
}

static bool set_up_agent(struct ice *ice, const struct ice_config *config)
{
    ice->agent =
        nice_agent_new_full(ice->io, NICE_COMPATIBILITY_RFC5245,
                            NICE_AGENT_OPTION_ICE_TRICKLE | NICE_AGENT_OPTION_CONSENT_FRESHNESS);
    if (!ice->agent)
        return false;
    set_if_there(ice->agent, "upnp", FALSE);
    set_if_there(ice->agent, "ice-tcp", FALSE);
    set_if_there(ice->agent, "keepalive-conncheck", TRUE);
    set_if_there(ice->agent, "force-relay", config->relay_only);
    g_object_set(ice->agent, "controlling-mode", (gboolean)config->controlling, "stun-pacing-timer",
                 CHECK_PACING, NULL);
    ice->stream = nice_agent_add_stream(ice->agent, COMPONENT);
    if (ice->stream == 0)
        return false;
    nice_agent_set_stream_tos(ice->agent, ice->stream, config->video ? TOS_AF41 : TOS_EF);
    g_signal_connect(ice->agent, "new-candidate-full", G_CALLBACK(on_candidate), ice);
    g_signal_connect(ice->agent, "candidate-gathering-done", G_CALLBACK(on_gathered), ice);
    g_signal_connect(ice->agent, "new-selected-pair-full", G_CALLBACK(on_selected_pair), ice);
    g_signal_connect(ice->agent, "component-state-changed", G_CALLBACK(on_component_state), ice);
    if (config->ufrag && config->pwd &&
        !nice_agent_set_local_credentials(ice->agent, ice->stream, config->ufrag, config->pwd))
        return false;
    return nice_agent_attach_recv(ice->agent, ice->stream, COMPONENT, ice->io, on_receive, ice);
}

struct ice *ice_new(const struct ice_config *config, jingle_status *status)
{
    struct ice *ice = g_new0(struct ice, 1);
    ice->poller = config->poller;
    ice->log = config->log;
    ice->hooks = config->hooks;
    ice->relay_only = config->relay_only;
    ice->family = config->family;
    ice->interfaces = g_strdup(config->interfaces);
    ice->loopback = config->loopback || (config->generation == 0 && is_alone(ice));
    ice->generation = config->generation;
    ice->fast_fd = -1;
    ice->closing = g_cancellable_new();
    ice->ca_file = g_strdup(config->ca_file);
    ice->bridges = g_ptr_array_new_with_free_func(clear_bridge);
    ice->pending = g_array_new(FALSE, FALSE, sizeof(struct ice_candidate));
    ice->io = g_main_context_new_with_flags(G_MAIN_CONTEXT_FLAGS_OWNERLESS_POLLING);
    ice->embedded = embedded_new(ice->poller, ice->io, take_media, ice);
    copy_servers(ice, config);
    if (!set_up_agent(ice, config)) {
        ice_free(ice);
        *status = JINGLE_ERROR_INTERNAL;
        return NULL;
    }
    *status = JINGLE_OK;
    return ice;
}

static void destroy(struct ice *ice)
{
    if (ice->agent && ice->stream)
        nice_agent_attach_recv(ice->agent, ice->stream, COMPONENT, ice->io, NULL, NULL);
    embedded_free(ice->embedded); /* before the descriptors are closed */
    stun_client_free(ice->stun);
    g_clear_object(&ice->agent);
    g_ptr_array_free(ice->bridges, TRUE);
    g_array_free(ice->servers, TRUE);
    g_array_free(ice->pending, TRUE);
    g_object_unref(ice->closing);
    g_main_context_unref(ice->io);
    g_free(ice->ca_file);
    g_free(ice->interfaces);
    g_free(ice);
}

static void doom(struct ice *ice)
{
    ice->doomed = true;
    enter(ice);
    leave(ice);
}

static void on_agent_closed(GObject *agent, GAsyncResult *result, gpointer user)
{
    struct ice *ice = user;
    struct poller *poller = ice->poller;
    (void)agent;
    (void)result;
    doom(ice);
    poller_release(poller);
}

/* Relays are told that they are no longer wanted, which takes a round trip: the agent and its
 * sockets live on until then. */
void ice_free(struct ice *ice)
{
    if (!ice)
        return;
    ice->closed = true;
    g_cancellable_cancel(ice->closing);
    ice->usable = false;
    ice->fast_fd = -1;
    if (ice->agent)
        g_signal_handlers_disconnect_by_data(ice->agent, ice);
    if (ice->busy == 0)
        stop_asking(ice);
    if (!ice->relays) {
        doom(ice);
        return;
    }
    poller_hold(ice->poller);
    g_main_context_push_thread_default(ice->io);
    nice_agent_close_async(ice->agent, on_agent_closed, ice);
    g_main_context_pop_thread_default(ice->io);
}

/* ------------------------------------------------------------------------------- gathering -- */

/* IPv6 only (fe80::/10): such an address needs a zone, which candidates cannot carry. libnice's own
 * function is not exported everywhere. */
static bool is_link_local(const NiceAddress *address)
{
    const uint8_t *bytes = address->s.ip6.sin6_addr.s6_addr;
    return nice_address_ip_version(address) == 6 && bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
}

static bool add_local_addresses(struct ice *ice)
{
    ice->address_count =
        list_addresses(ice, ice->loopback, ice->addresses, ICE_MAX_LOCAL_ADDRESSES);
    for (size_t i = 0; i < ice->address_count; i++) {
        NiceAddress address;
        nice_address_init(&address);
        nice_address_set_from_sockaddr(&address, &ice->addresses[i].any);
        nice_agent_add_local_address(ice->agent, &address);
    }
    return ice->address_count > 0;
}

static unsigned count_addresses(const struct ice *ice, sa_family_t family)
{
    unsigned count = 0;
    for (size_t i = 0; i < ice->address_count; i++)
        count += ice->addresses[i].any.sa_family == family;
    return count;
}

static void add_relay(struct ice *ice, const char *host, uint16_t port,
                      const struct ice_server *server, NiceRelayType type)
{
    if (nice_agent_set_relay_info(ice->agent, ice->stream, COMPONENT, host, port, server->username,
                                  server->password, type))
        ice->relays = true;
    else
        log_warning(ice->log, "TURN server %s cannot be used", server->host);
}

static void add_plain_relay(struct ice *ice, const char *host, const struct ice_server *server)
{
    add_relay(ice, host, server->port, server,
              server->transport == ICE_SERVER_TCP ? NICE_RELAY_TYPE_TURN_TCP
                                                  : NICE_RELAY_TYPE_TURN_UDP);
}

struct lookup {
    struct ice *ice;
    guint server; /* its place in the list */
};

/* One address of each family. */
static void add_resolved(struct ice *ice, const struct ice_server *server, GList *addresses)
{
    bool known[2] = {false, false};
    for (GList *i = addresses; i; i = i->next) {
        bool v6 = g_inet_address_get_family(i->data) == G_SOCKET_FAMILY_IPV6;
        if (known[v6])
            continue;
        known[v6] = true;
        if (count_addresses(ice, v6 ? AF_INET6 : AF_INET) > 0)
            ice->agent_done = false; /* it gathers again, and says so when it is done */
        char *literal = g_inet_address_to_string(i->data);
        add_plain_relay(ice, literal, server);
        g_free(literal);
    }
}

static void on_resolved(GObject *resolver, GAsyncResult *result, gpointer user)
{
    struct lookup *lookup = user;
    GError *error = NULL;
    GList *addresses = g_resolver_lookup_by_name_finish(G_RESOLVER(resolver), result, &error);
    if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        struct ice *ice = lookup->ice;
        const struct ice_server *server =
            &g_array_index(ice->servers, struct ice_server, lookup->server);
        ice->lookups--;
        if (addresses)
            add_resolved(ice, server, addresses);
        else
            log_warning(ice->log, "TURN server %s: %s", server->host, error->message);
        tell_gathered(ice);
    }
    g_resolver_free_addresses(addresses);
    g_clear_error(&error);
    g_free(lookup);
}

/* libnice would resolve names, too, but 0.1.21 forgets the port for all addresses but the first. */
static void look_up(struct ice *ice, guint server)
{
    struct lookup *lookup = g_new0(struct lookup, 1);
    GResolver *resolver = g_resolver_get_default();
    *lookup = (struct lookup){ice, server};
    ice->lookups++;
    /* not in the agent's context: a name that is resolved after its end must still be freed */
    GMainContext *context = poller_context(ice->poller);
    g_main_context_push_thread_default(context);
    g_resolver_lookup_by_name_async(resolver,
                                    g_array_index(ice->servers, struct ice_server, server).host,
                                    ice->closing, on_resolved, lookup);
    g_main_context_pop_thread_default(context);
    g_object_unref(resolver);
}

/* libnice asks the bridge for a relay once for each of our addresses of its family. */
static void add_tls_relay(struct ice *ice, const struct ice_server *server)
{
    struct turn_tls_config config = {
        .context = poller_context(ice->poller),
        .log = ice->log,
        .host = server->host,
        .port = server->port,
        .ca_file = ice->ca_file,
        .ipv6 = count_addresses(ice, AF_INET) == 0,
    };
    config.connections = count_addresses(ice, config.ipv6 ? AF_INET6 : AF_INET);
    struct turn_tls *bridge = turn_tls_new(&config);
    if (!bridge) {
        log_warning(ice->log, "No TLS bridge to TURN server %s", server->host);
        return;
    }
    g_ptr_array_add(ice->bridges, bridge);
    add_relay(ice, turn_tls_host(bridge), turn_tls_port(bridge), server, NICE_RELAY_TYPE_TURN_TCP);
}

static bool is_turn_usable(const struct ice_server *server)
{
    return server->turn && server->host && server->username && server->password;
}

static void add_server(struct ice *ice, guint place)
{
    const struct ice_server *server = &g_array_index(ice->servers, struct ice_server, place);
    if (!is_turn_usable(server))
        return;
    if (server->transport == ICE_SERVER_TLS)
        add_tls_relay(ice, server);
    else if (g_hostname_is_ip_address(server->host))
        add_plain_relay(ice, server->host, server);
    else
        look_up(ice, place);
}

/* With relay-only our address is nobody else's business. */
static bool is_stun_usable(const struct ice *ice, const struct ice_server *server)
{
    return !server->turn && server->host && server->transport == ICE_SERVER_UDP && !ice->relay_only;
}

static void ask_stun_servers(struct ice *ice)
{
    for (guint i = 0; i < ice->servers->len; i++) {
        const struct ice_server *server = &g_array_index(ice->servers, struct ice_server, i);
        if (!is_stun_usable(ice, server))
            continue;
        if (!ice->stun) {
            struct stun_client_config config = {
                .poller = ice->poller,
                .log = ice->log,
                .sockets = nice_agent_get_sockets(ice->agent, ice->stream, COMPONENT),
                .hooks = {ice, on_seen, on_asked},
            };
            ice->stun = stun_client_new(&config);
            g_ptr_array_unref(config.sockets);
        }
        stun_client_add(ice->stun, server);
    }
}

bool ice_gather(struct ice *ice)
{
    if (ice->gathering)
        return true;
    ice->gathering = true;
    if (!add_local_addresses(ice)) {
        log_warning(ice->log, "This computer has no network address");
        return false;
    }
    for (guint i = 0; i < ice->servers->len; i++)
        add_server(ice, i);
    enter(ice);
    ice->lookups++; /* it is not done before STUN servers are asked */
    bool good = nice_agent_gather_candidates(ice->agent, ice->stream);
    if (good)
        ask_stun_servers(ice);
    ice->lookups--;
    if (has_gathered_now(ice))
        ice->hooks.gathered(ice->hooks.user);
    leave(ice);
    return good;
}

static bool has_other_first(const struct ice *ice, sa_family_t family, const union address *list,
                            size_t count)
{
    const union address *before = first_of(family, ice->addresses, ice->address_count);
    const union address *now = first_of(family, list, count);
    return before && now && !address_is_same_host(now, before);
}

static bool contains(const union address *list, size_t count, const union address *address)
{
    for (size_t i = 0; i < count; i++)
        if (address_is_same_host(&list[i], address))
            return true;
    return false;
}

/* Of a relay in use the address is not known that it is reached from, and without a pair all may
 * be needed: then none may be gone. */
static bool has_lost_its_base(const struct ice *ice, const union address *list, size_t count)
{
    NiceCandidate *local;
    NiceCandidate *remote;
    if (nice_agent_get_selected_pair(ice->agent, ice->stream, COMPONENT, &local, &remote) &&
        local->type != NICE_CANDIDATE_TYPE_RELAYED) {
        union address base = {.v6.sin6_family = AF_UNSPEC};
        nice_address_copy_to_sockaddr(&local->base_addr, &base.any);
        return !contains(list, count, &base);
    }
    for (size_t i = 0; i < ice->address_count; i++)
        if (!contains(list, count, &ice->addresses[i]))
            return true;
    return ice->address_count == 0;
}

bool ice_is_outdated(const struct ice *ice)
{
    union address now[ADDRESSES_MAX];
    size_t count = list_addresses(ice, ice->loopback, now, ADDRESSES_MAX);
    return ice->gathering && count > 0 &&
           (has_other_first(ice, AF_INET, now, count) ||
            has_other_first(ice, AF_INET6, now, count) || has_lost_its_base(ice, now, count));
}

/* ------------------------------------------------------------------------------ the peer's -- */

void ice_local(struct ice *ice, char *ufrag, char *pwd)
{
    gchar *agent_ufrag = NULL;
    gchar *agent_pwd = NULL;
    ufrag[0] = pwd[0] = '\0';
    if (!nice_agent_get_local_credentials(ice->agent, ice->stream, &agent_ufrag, &agent_pwd))
        return;
    g_strlcpy(ufrag, agent_ufrag, ICE_CREDENTIAL_MAX + 1);
    g_strlcpy(pwd, agent_pwd, ICE_CREDENTIAL_MAX + 1);
    g_free(agent_ufrag);
    g_free(agent_pwd);
}

static NiceCandidateType nice_type(enum ice_candidate_type type)
{
    switch (type) {
    case ICE_SRFLX:
        return NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE;
    case ICE_PRFLX:
        return NICE_CANDIDATE_TYPE_PEER_REFLEXIVE;
    case ICE_RELAY:
        return NICE_CANDIDATE_TYPE_RELAYED;
    default:
        return NICE_CANDIDATE_TYPE_HOST;
    }
}

/* Nobody can listen at such an address, or many would: a peer that names it wants to make us send
 * there. */
static bool is_no_host(const NiceAddress *address)
{
    if (nice_address_ip_version(address) == 4) {
        uint32_t ip = ntohl(address->s.ip4.sin_addr.s_addr);
        return ip >> 24 == 0 || ip >> 28 >= 0xe; /* this net, multicast, reserved, broadcast */
    }
    const struct in6_addr *ip = &address->s.ip6.sin6_addr;
    return IN6_IS_ADDR_UNSPECIFIED(ip) || IN6_IS_ADDR_MULTICAST(ip) || IN6_IS_ADDR_V4MAPPED(ip) ||
           IN6_IS_ADDR_V4COMPAT(ip) || is_link_local(address);
}

static bool is_loopback(const NiceAddress *address)
{
    if (nice_address_ip_version(address) == 4)
        return ntohl(address->s.ip4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    return IN6_IS_ADDR_LOOPBACK(&address->s.ip6.sin6_addr);
}

/* Below 1024 are services that a peer must not make us knock at; 80 and 443 are where a relay may
 * hide from a firewall. */
static bool is_port_of_media(uint16_t port)
{
    return port >= 1024 || port == 80 || port == 443;
}

static bool read_address(const struct ice_candidate *candidate, NiceAddress *address)
{
    nice_address_init(address);
    if (!is_port_of_media(candidate->port) || !g_hostname_is_ip_address(candidate->ip) ||
        !nice_address_set_from_string(address, candidate->ip))
        return false;
    nice_address_set_port(address, candidate->port);
    return !is_no_host(address);
}

/* The peer cannot be on our loopback unless we are there alone. */
static bool is_reachable(const struct ice *ice, const NiceAddress *address)
{
    return !is_loopback(address) || ice->loopback;
}

static void hand_to_agent(struct ice *ice, const struct ice_candidate *candidate)
{
    NiceCandidate *remote = nice_candidate_new(nice_type(candidate->type));
    read_address(candidate, &remote->addr);
    remote->base_addr = remote->addr;
    remote->transport = NICE_CANDIDATE_TRANSPORT_UDP;
    remote->priority = candidate->priority;
    remote->stream_id = ice->stream;
    remote->component_id = COMPONENT;
    g_strlcpy(remote->foundation, candidate->foundation, sizeof remote->foundation);
    GSList *list = g_slist_append(NULL, remote);
    nice_agent_set_remote_candidates(ice->agent, ice->stream, COMPONENT, list);
    g_slist_free_full(list, (GDestroyNotify)nice_candidate_free);
}

void ice_set_remote(struct ice *ice, const char *ufrag, const char *pwd)
{
    if (ice->remote_known)
        return;
    ice->remote_known = true;
    enter(ice);
    nice_agent_set_remote_credentials(ice->agent, ice->stream, ufrag, pwd);
    for (guint i = 0; i < ice->pending->len; i++)
        hand_to_agent(ice, &g_array_index(ice->pending, struct ice_candidate, i));
    g_array_set_size(ice->pending, 0);
    leave(ice);
}

bool ice_add_candidate(struct ice *ice, const struct ice_candidate *candidate)
{
    NiceAddress address;
    if (candidate->protocol != ICE_UDP || candidate->component != COMPONENT ||
        ice->remote_count >= ICE_MAX_REMOTE_CANDIDATES || !read_address(candidate, &address) ||
        !is_reachable(ice, &address))
        return false;
    ice->remote_count++;
    enter(ice);
    if (ice->remote_known)
        hand_to_agent(ice, candidate);
    else
        g_array_append_vals(ice->pending, candidate, 1);
    leave(ice);
    return true;
}

/* --------------------------------------------------------------------------------- sending -- */

bool ice_is_usable(const struct ice *ice)
{
    return ice->usable;
}

/* libnice checks consent every five seconds and repeats no check: two lost packets end it after
 * ten, and for the same pair it never comes back. Where it is selected anew, checks begin anew. */
bool ice_renew_consent(struct ice *ice)
{
    NiceCandidate *local;
    NiceCandidate *remote;
    if (ice->closed ||
        !nice_agent_get_selected_pair(ice->agent, ice->stream, COMPONENT, &local, &remote))
        return false;
    const NiceCandidate *ours = local;
    const NiceCandidate *theirs = remote;
    if (nice_agent_set_selected_pair(ice->agent, ice->stream, COMPONENT, ours->foundation,
                                     theirs->foundation) &&
        nice_agent_get_selected_pair(ice->agent, ice->stream, COMPONENT, &local, &remote) &&
        local == ours && remote == theirs)
        return ice->usable;
    ice->usable = false; /* foundations need not be unique */
    ice->fast_fd = -1;
    return false;
}

bool ice_send(struct ice *ice, const uint8_t *datagram, size_t bytes)
{
    if (!ice->usable)
        return false;
    if (ice->fast_fd >= 0)
        return sendto(ice->fast_fd, datagram, bytes, MSG_DONTWAIT | MSG_NOSIGNAL,
                      &ice->fast_peer.any, ice->fast_peer_bytes) == (ssize_t)bytes;
    return nice_agent_send(ice->agent, ice->stream, COMPONENT, (guint)bytes,
                           (const gchar *)datagram) == (gint)bytes;
}

static void describe(const NiceCandidate *candidate, char *out)
{
    char ip[NICE_ADDRESS_STRING_LEN];
    nice_address_to_string(&candidate->addr, ip);
    bool v6 = nice_address_ip_version(&candidate->addr) == 6;
    g_snprintf(out, ICE_PAIR_TEXT, v6 ? "%s udp [%s]:%u" : "%s udp %s:%u",
               ice_candidate_type_name(type_of(candidate->type)), ip,
               nice_address_get_port(&candidate->addr));
}

void ice_pair(struct ice *ice, char *local, char *remote)
{
    NiceCandidate *ours;
    NiceCandidate *theirs;
    local[0] = remote[0] = '\0';
    if (!nice_agent_get_selected_pair(ice->agent, ice->stream, COMPONENT, &ours, &theirs))
        return;
    describe(ours, local);
    describe(theirs, remote);
}
