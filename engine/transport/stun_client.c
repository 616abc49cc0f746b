#include "transport/stun_client.h"

#include "transport/reflexive.h"

#include <gio/gio.h>
#include <string.h>
#include <sys/socket.h>

/* Of a name in each family: some have a dozen. */
#define ADDRESSES_OF_A_NAME 3

/* Answers have no more than a few addresses and a name of the software. */
#define ANSWER_BYTES 576

struct stun_client {
    struct poller *poller;
    const struct logger *log;
    struct stun_client_hooks hooks;
    struct reflexive *reflexive;
    union address bound[REFLEXIVE_MAX_SOCKETS];
    int fds[REFLEXIVE_MAX_SOCKETS];
    size_t socket_count;
    struct poller_timer timer;
    GCancellable *closing;
    unsigned lookups;
    bool done;
    bool settled;
};

/* ----------------------------------------------------------------------------- asking -- */

/* What is not sent now is sent again. */
static void on_ask(void *user, size_t socket, const union address *server, const uint8_t *datagram,
                   size_t bytes)
{
    const struct stun_client *client = user;
    socklen_t length = server->any.sa_family == AF_INET6 ? sizeof server->v6 : sizeof server->v4;
    sendto(client->fds[socket], datagram, bytes, MSG_DONTWAIT | MSG_NOSIGNAL, &server->any, length);
}

static void on_found(void *user, size_t socket, const union address *seen)
{
    const struct stun_client *client = user;
    client->hooks.found(client->hooks.user, &client->bound[socket], seen);
}

static void follow(struct stun_client *client)
{
    poller_set_timer(client->poller, &client->timer, reflexive_deadline(client->reflexive));
    if (client->done || !stun_client_is_done(client))
        return;
    client->done = true;
    if (!reflexive_was_answered(client->reflexive))
        log_info(client->log, "No STUN server answers: our public address is not known.");
    client->hooks.done(client->hooks.user);
}

static void on_timer(void *user)
{
    struct stun_client *client = user;
    reflexive_tick(client->reflexive, clock_now());
    follow(client);
}

bool stun_client_is_done(const struct stun_client *client)
{
    return client->lookups == 0 && !reflexive_is_asking(client->reflexive);
}

void stun_client_settle(struct stun_client *client)
{
    client->settled = true;
    reflexive_settle(client->reflexive);
    follow(client);
}

/* ---------------------------------------------------------------------------- servers -- */

static void add_address(struct stun_client *client, GInetAddress *host, uint16_t port)
{
    GSocketAddress *place = g_inet_socket_address_new(host, port);
    union address address = {.v6.sin6_family = AF_UNSPEC};
    if (g_socket_address_to_native(place, &address, sizeof address, NULL))
        reflexive_add_server(client->reflexive, &address, clock_now());
    g_object_unref(place);
    poller_set_timer(client->poller, &client->timer, reflexive_deadline(client->reflexive));
}

struct lookup {
    struct stun_client *client;
    char *host;
    uint16_t port;
};

static void add_resolved(const struct lookup *lookup, GList *addresses)
{
    unsigned count[2] = {0, 0};
    for (GList *i = addresses; i; i = i->next) {
        bool v6 = g_inet_address_get_family(i->data) == G_SOCKET_FAMILY_IPV6;
        if (count[v6]++ < ADDRESSES_OF_A_NAME)
            add_address(lookup->client, i->data, lookup->port);
    }
}

static void on_resolved(GObject *resolver, GAsyncResult *result, gpointer user)
{
    struct lookup *lookup = user;
    GError *error = NULL;
    GList *addresses = g_resolver_lookup_by_name_finish(G_RESOLVER(resolver), result, &error);
    if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) { /* else the client is gone */
        struct stun_client *client = lookup->client;
        client->lookups--;
        add_resolved(lookup, addresses);
        if (!addresses)
            log_warning(client->log, "STUN server %s: %s", lookup->host, error->message);
        follow(client);
    }
    g_resolver_free_addresses(addresses);
    g_clear_error(&error);
    g_free(lookup->host);
    g_free(lookup);
}

static void look_up(struct stun_client *client, const struct ice_server *server)
{
    struct lookup *lookup = g_new0(struct lookup, 1);
    GResolver *resolver = g_resolver_get_default();
    *lookup = (struct lookup){client, g_strdup(server->host), server->port};
    client->lookups++;
    GMainContext *context = poller_context(client->poller);
    g_main_context_push_thread_default(context);
    g_resolver_lookup_by_name_async(resolver, server->host, client->closing, on_resolved, lookup);
    g_main_context_pop_thread_default(context);
    g_object_unref(resolver);
}

void stun_client_add(struct stun_client *client, const struct ice_server *server)
{
    GInetAddress *literal = g_inet_address_new_from_string(server->host);
    if (literal)
        add_address(client, literal, server->port);
    else
        look_up(client, server);
    g_clear_object(&literal);
}

/* ---------------------------------------------------------------------------- answers -- */

static bool take_from(struct stun_client *client, size_t socket)
{
    uint8_t datagram[ANSWER_BYTES];
    union address from = {.v6.sin6_family = AF_UNSPEC};
    socklen_t from_bytes = sizeof from;
    int fd = client->fds[socket];
    ssize_t bytes =
        recvfrom(fd, datagram, sizeof datagram, MSG_PEEK | MSG_DONTWAIT, &from.any, &from_bytes);
    if (bytes <= 0 ||
        !reflexive_receive(client->reflexive, socket, &from, datagram, (size_t)bytes, clock_now()))
        return false;
    recv(fd, NULL, 0, MSG_DONTWAIT | MSG_TRUNC);
    return true;
}

/* Once a call runs nothing is awaited, and no packet is looked at for nothing. */
bool stun_client_take(struct stun_client *client)
{
    bool taken = false;
    if (!client || (client->settled && client->done))
        return false;
    for (size_t i = 0; i < client->socket_count; i++)
        taken = take_from(client, i) || taken;
    if (taken)
        follow(client);
    return taken;
}

/* --------------------------------------------------------------------------- lifetime -- */

static void add_socket(struct stun_client *client, GSocket *socket)
{
    union address bound = {.v6.sin6_family = AF_UNSPEC};
    socklen_t bytes = sizeof bound;
    int fd = g_socket_get_fd(socket);
    if (g_socket_get_socket_type(socket) != G_SOCKET_TYPE_DATAGRAM ||
        getsockname(fd, &bound.any, &bytes) != 0 ||
        !reflexive_add_socket(client->reflexive, &bound))
        return;
    client->bound[client->socket_count] = bound;
    client->fds[client->socket_count++] = fd;
}

struct stun_client *stun_client_new(const struct stun_client_config *config)
{
    struct stun_client *client = g_new0(struct stun_client, 1);
    client->poller = config->poller;
    client->log = config->log;
    client->hooks = config->hooks;
    client->closing = g_cancellable_new();
    client->timer = (struct poller_timer){.fire = on_timer, .user = client};
    struct reflexive_hooks hooks = {.user = client, .ask = on_ask, .found = on_found};
    client->reflexive = reflexive_new(&random_system, &hooks);
    for (guint i = 0; i < config->sockets->len; i++)
        add_socket(client, config->sockets->pdata[i]);
    return client;
}

void stun_client_free(struct stun_client *client)
{
    if (!client)
        return;
    g_cancellable_cancel(client->closing);
    g_object_unref(client->closing);
    poller_set_timer(client->poller, &client->timer, USEC_NEVER);
    reflexive_free(client->reflexive);
    g_free(client);
}
