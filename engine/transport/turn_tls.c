/* The bridge of turn_tls.h. Each connection has two sources and two buffers:
 *
 *     local socket ─▶ up ─▶ SSL_write            SSL_read ─▶ down ─▶ local socket
 *
 * A side is read only while its buffer has room. */
#include "transport/turn_tls.h"

#include "base/addresses.h"

#include <errno.h>
#include <gio/gio.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_BYTES  16384
#define CONNECT_LIMIT 10 /* seconds */

struct buffer {
    uint8_t bytes[BUFFER_BYTES];
    size_t start;
    size_t end;
};

struct connection {
    struct turn_tls *bridge;
    int local;
    GSource *local_source;
    gpointer local_tag;
    GCancellable *connecting;
    GSocketConnection *remote; /* NULL until connected */
    GSource *remote_source;
    gpointer remote_tag;
    SSL *ssl;
    bool write_blocked; /* TLS waits for room in the socket */
    struct buffer up;
    struct buffer down;
};

struct turn_tls {
    GMainContext *context;
    const struct logger *log;
    char *host;
    uint16_t remote_port;
    sa_family_t family; /* of loopback */
    uint16_t port;
    unsigned expected;
    int listener; /* -1: closed */
    bool stranger_told;
    GSource *listener_source;
    SSL_CTX *tls;
    BIO_METHOD *method;
    GPtrArray *connections;
};

/* ------------------------------------------------------------------------------------ TLS -- */

/* OpenSSL's own socket BIO would raise SIGPIPE in the application. */
static int bio_write(BIO *bio, const char *data, int bytes)
{
    int fd = GPOINTER_TO_INT(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    ssize_t sent = send(fd, data, (size_t)bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_retry_write(bio);
    return (int)sent;
}

static int bio_read(BIO *bio, char *out, int room)
{
    int fd = GPOINTER_TO_INT(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    ssize_t got = recv(fd, out, (size_t)room, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_retry_read(bio);
    return (int)got;
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

static bool set_up_tls(struct turn_tls *bridge, const char *ca_file)
{
    bridge->tls = SSL_CTX_new(TLS_client_method());
    bridge->method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
    if (!bridge->tls || !bridge->method)
        return false;
    BIO_meth_set_write(bridge->method, bio_write);
    BIO_meth_set_read(bridge->method, bio_read);
    BIO_meth_set_ctrl(bridge->method, bio_control);
    SSL_CTX_set_min_proto_version(bridge->tls, TLS1_2_VERSION);
    SSL_CTX_set_verify(bridge->tls, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(bridge->tls,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return ca_file ? SSL_CTX_load_verify_locations(bridge->tls, ca_file, NULL) == 1
                   : SSL_CTX_set_default_verify_paths(bridge->tls) == 1;
}

/* The certificate must be for the host as it was named to us, never for what DNS made of it. */
static SSL *ssl_for(struct turn_tls *bridge, int fd)
{
    SSL *ssl = SSL_new(bridge->tls);
    BIO *bio = BIO_new(bridge->method);
    if (!ssl || !bio) {
        SSL_free(ssl);
        BIO_free(bio);
        return NULL;
    }
    BIO_set_data(bio, GINT_TO_POINTER(fd));
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    SSL_set_connect_state(ssl);
    bool named;
    if (g_hostname_is_ip_address(bridge->host))
        named = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), bridge->host) == 1;
    else
        named = SSL_set1_host(ssl, bridge->host) == 1 &&
                SSL_set_tlsext_host_name(ssl, bridge->host) == 1;
    if (named)
        return ssl;
    SSL_free(ssl);
    return NULL;
}

/* ------------------------------------------------------------------------------ connection -- */

static void connection_free(gpointer element)
{
    struct connection *connection = element;
    g_cancellable_cancel(connection->connecting);
    g_clear_object(&connection->connecting);
    GSource *sources[] = {connection->local_source, connection->remote_source};
    for (size_t i = 0; i < G_N_ELEMENTS(sources); i++) {
        if (!sources[i])
            continue;
        g_source_destroy(sources[i]);
        g_source_unref(sources[i]);
    }
    SSL_free(connection->ssl);
    g_clear_object(&connection->remote);
    close(connection->local);
    g_free(connection);
}

static void cut(struct connection *connection, const char *why)
{
    log_debug(connection->bridge->log, "TURN over TLS to %s: %s", connection->bridge->host, why);
    g_ptr_array_remove_fast(connection->bridge->connections, connection);
}

static size_t room(struct buffer *buffer)
{
    if (buffer->start == buffer->end)
        buffer->start = buffer->end = 0;
    return BUFFER_BYTES - buffer->end;
}

static size_t waiting(const struct buffer *buffer)
{
    return buffer->end - buffer->start;
}

enum step { STEP_NOTHING, STEP_DONE, STEP_BROKEN };

static enum step step_of(ssize_t count)
{
    if (count > 0)
        return STEP_DONE;
    return count < 0 && (errno == EAGAIN || errno == EINTR) ? STEP_NOTHING : STEP_BROKEN;
}

static enum step read_local(struct connection *connection)
{
    struct buffer *up = &connection->up;
    size_t space = room(up);
    if (space == 0)
        return STEP_NOTHING;
    ssize_t got = recv(connection->local, up->bytes + up->end, space, MSG_DONTWAIT);
    if (got > 0)
        up->end += (size_t)got;
    return step_of(got);
}

static enum step write_local(struct connection *connection)
{
    struct buffer *down = &connection->down;
    if (waiting(down) == 0)
        return STEP_NOTHING;
    ssize_t sent = send(connection->local, down->bytes + down->start, waiting(down),
                        MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0)
        down->start += (size_t)sent;
    return step_of(sent);
}

static enum step tls_step(struct connection *connection, int result)
{
    if (result > 0)
        return STEP_DONE;
    switch (SSL_get_error(connection->ssl, result)) {
    case SSL_ERROR_WANT_WRITE:
        connection->write_blocked = true;
        return STEP_NOTHING;
    case SSL_ERROR_WANT_READ:
        return STEP_NOTHING;
    default:
        return STEP_BROKEN;
    }
}

static enum step read_remote(struct connection *connection)
{
    struct buffer *down = &connection->down;
    size_t space = room(down);
    if (space == 0)
        return STEP_NOTHING;
    int got = SSL_read(connection->ssl, down->bytes + down->end, (int)space);
    if (got > 0)
        down->end += (size_t)got;
    return tls_step(connection, got);
}

static enum step write_remote(struct connection *connection)
{
    struct buffer *up = &connection->up;
    if (waiting(up) == 0)
        return STEP_NOTHING;
    int sent = SSL_write(connection->ssl, up->bytes + up->start, (int)waiting(up));
    if (sent > 0)
        up->start += (size_t)sent;
    return tls_step(connection, sent);
}

/* What is waited for next. */
static void set_conditions(struct connection *connection)
{
    GIOCondition local = 0;
    if (room(&connection->up) > 0)
        local |= G_IO_IN;
    if (waiting(&connection->down) > 0)
        local |= G_IO_OUT;
    g_source_modify_unix_fd(connection->local_source, connection->local_tag, local);
    if (!connection->remote_source)
        return;
    GIOCondition remote = 0;
    if (room(&connection->down) > 0)
        remote |= G_IO_IN;
    if (connection->write_blocked)
        remote |= G_IO_OUT;
    g_source_modify_unix_fd(connection->remote_source, connection->remote_tag, remote);
}

static void explain(struct connection *connection)
{
    long verified = SSL_get_verify_result(connection->ssl);
    if (verified != X509_V_OK)
        log_warning(connection->bridge->log, "The certificate of TURN server %s is refused: %s",
                    connection->bridge->host, X509_verify_cert_error_string(verified));
}

static enum step tls_round(struct connection *connection)
{
    static enum step (*const steps[])(struct connection *) = {write_remote, read_remote};
    enum step round = STEP_NOTHING;
    connection->write_blocked = false;
    for (size_t i = 0; i < G_N_ELEMENTS(steps) && round != STEP_BROKEN; i++) {
        ERR_clear_error();
        enum step step = steps[i](connection);
        if (step != STEP_NOTHING)
            round = step;
    }
    if (round == STEP_BROKEN)
        explain(connection);
    return round;
}

/* Carries all that can be carried now. SSL_read() and SSL_write() do the handshake, too. */
static void pump(struct connection *connection)
{
    bool moved;
    do {
        enum step local_in = read_local(connection);
        enum step tls = connection->ssl ? tls_round(connection) : STEP_NOTHING;
        enum step local_out = write_local(connection);
        if (local_in == STEP_BROKEN || tls == STEP_BROKEN || local_out == STEP_BROKEN) {
            cut(connection, "closed");
            return;
        }
        moved = local_in == STEP_DONE || tls == STEP_DONE || local_out == STEP_DONE;
    } while (moved);
    set_conditions(connection);
}

static gboolean on_io(gpointer user)
{
    pump(user);
    return G_SOURCE_CONTINUE;
}

/* A source that calls on_io() when the descriptor is ready. */
static gboolean dispatch(GSource *source, GSourceFunc callback, gpointer user)
{
    (void)source;
    return callback(user);
}

static GSource *watch(GMainContext *context, int fd, GSourceFunc callback, void *user,
                      gpointer *tag)
{
    static GSourceFuncs functions = {.dispatch = dispatch};
    GSource *source = g_source_new(&functions, sizeof(GSource));
    *tag = g_source_add_unix_fd(source, fd, G_IO_IN);
    g_source_set_callback(source, callback, user, NULL);
    g_source_attach(source, context);
    return source;
}

/* --------------------------------------------------------------------------------- connect -- */

static void on_connected(GObject *client, GAsyncResult *result, gpointer user)
{
    GError *error = NULL;
    GSocketConnection *remote =
        g_socket_client_connect_to_host_finish(G_SOCKET_CLIENT(client), result, &error);
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        g_error_free(error);
        return; /* the connection is gone */
    }
    struct connection *connection = user;
    struct turn_tls *bridge = connection->bridge;
    if (!remote) {
        log_warning(bridge->log, "TURN server %s: %s", bridge->host, error->message);
        g_error_free(error);
        cut(connection, "no connection");
        return;
    }
    connection->remote = remote;
    int fd = g_socket_get_fd(g_socket_connection_get_socket(remote));
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connection->ssl = ssl_for(bridge, fd);
    if (!connection->ssl) {
        cut(connection, "no TLS");
        return;
    }
    connection->remote_source =
        watch(bridge->context, fd, on_io, connection, &connection->remote_tag);
    pump(connection);
}

static void connect_remote(struct connection *connection)
{
    struct turn_tls *bridge = connection->bridge;
    GSocketClient *client = g_socket_client_new();
    g_socket_client_set_timeout(client, CONNECT_LIMIT);
    g_socket_client_set_enable_proxy(client, FALSE);
    connection->connecting = g_cancellable_new();
    g_main_context_push_thread_default(bridge->context);
    g_socket_client_connect_to_host_async(client, bridge->host, bridge->remote_port,
                                          connection->connecting, on_connected, connection);
    g_main_context_pop_thread_default(bridge->context);
    g_object_unref(client);
}

static void close_listener(struct turn_tls *bridge)
{
    if (bridge->listener < 0)
        return;
    g_source_destroy(bridge->listener_source);
    g_source_unref(bridge->listener_source);
    close(bridge->listener);
    bridge->listener = -1;
}

/* The socket is bound to this address, and connected to our listener. */
static bool is_other_end(const struct turn_tls *bridge, int fd, const union address *address)
{
    union address local = {.v6.sin6_family = AF_UNSPEC};
    union address remote = {.v6.sin6_family = AF_UNSPEC};
    socklen_t local_bytes = sizeof local;
    socklen_t remote_bytes = sizeof remote;
    return getsockname(fd, &local.any, &local_bytes) == 0 &&
           getpeername(fd, &remote.any, &remote_bytes) == 0 &&
           local.any.sa_family == bridge->family && address_is_same(&local, address) &&
           ntohs(remote.v4.sin_port) == bridge->port;
}

/* Any process of this machine can connect to a port on loopback. libnice's end of a connection is
 * among our own descriptors. */
static bool is_from_us(const struct turn_tls *bridge, const union address *address)
{
    GDir *descriptors = g_dir_open("/proc/self/fd", 0, NULL);
    bool found = false;
    const char *name;
    while (descriptors && !found && (name = g_dir_read_name(descriptors)))
        found = is_other_end(bridge, (int)strtol(name, NULL, 10), address);
    if (descriptors)
        g_dir_close(descriptors);
    return found;
}

static gboolean on_accept(gpointer user)
{
    struct turn_tls *bridge = user;
    union address address = {.v6.sin6_family = AF_UNSPEC};
    socklen_t bytes = sizeof address;
    int fd = accept4(bridge->listener, &address.any, &bytes, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return G_SOURCE_CONTINUE;
    if (!is_from_us(bridge, &address)) {
        if (!bridge->stranger_told)
            log_warning(bridge->log, "Another process tried to use our way to TURN server %s",
                        bridge->host);
        bridge->stranger_told = true;
        close(fd);
        return G_SOURCE_CONTINUE;
    }
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct connection *connection = g_new0(struct connection, 1);
    connection->bridge = bridge;
    connection->local = fd;
    connection->local_source =
        watch(bridge->context, fd, on_io, connection, &connection->local_tag);
    g_ptr_array_add(bridge->connections, connection);
    connect_remote(connection);
    if (--bridge->expected == 0)
        close_listener(bridge);
    return G_SOURCE_CONTINUE;
}

/* ---------------------------------------------------------------------------------- bridge -- */

static union address loopback_of(sa_family_t family)
{
    union address address = {.v6.sin6_family = AF_UNSPEC};
    if (family == AF_INET6)
        address.v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    else
        address.v4 =
            (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return address;
}

static bool start_listening(struct turn_tls *bridge)
{
    union address address = loopback_of(bridge->family);
    socklen_t bytes = bridge->family == AF_INET6 ? sizeof address.v6 : sizeof address.v4;
    bridge->listener = socket(bridge->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (bridge->listener < 0)
        return false;
    gpointer tag;
    bridge->listener_source = watch(bridge->context, bridge->listener, on_accept, bridge, &tag);
    if (bind(bridge->listener, &address.any, bytes) != 0 || listen(bridge->listener, 4) != 0 ||
        getsockname(bridge->listener, &address.any, &bytes) != 0)
        return false;
    bridge->port = ntohs(address.v4.sin_port);
    return true;
}

struct turn_tls *turn_tls_new(const struct turn_tls_config *config)
{
    struct turn_tls *bridge = g_new0(struct turn_tls, 1);
    bridge->context = g_main_context_ref(config->context);
    bridge->log = config->log;
    bridge->host = g_strdup(config->host);
    bridge->remote_port = config->port;
    bridge->family = config->ipv6 ? AF_INET6 : AF_INET;
    bridge->expected = config->connections;
    bridge->listener = -1;
    bridge->connections = g_ptr_array_new_with_free_func(connection_free);
    if (set_up_tls(bridge, config->ca_file) && start_listening(bridge))
        return bridge;
    turn_tls_free(bridge);
    return NULL;
}

void turn_tls_free(struct turn_tls *bridge)
{
    if (!bridge)
        return;
    close_listener(bridge);
    g_ptr_array_free(bridge->connections, TRUE);
    SSL_CTX_free(bridge->tls);
    BIO_meth_free(bridge->method);
    g_main_context_unref(bridge->context);
    g_free(bridge->host);
    g_free(bridge);
}

const char *turn_tls_host(const struct turn_tls *bridge)
{
    return bridge->family == AF_INET6 ? "::1" : "127.0.0.1";
}

uint16_t turn_tls_port(const struct turn_tls *bridge)
{
    return bridge->port;
}
