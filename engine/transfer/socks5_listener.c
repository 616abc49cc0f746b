#include "transfer/socks5_listener.h"

#include "transfer/bytestream.h"
#include "transfer/socks5.h"
#include "transfer/watch.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 16 };

/* When the kernel has no descriptors left, accepting waits so long. */
#define ACCEPT_AGAIN (USEC_PER_SEC)

struct expected {
    socks5_guest_fn guest;
    void *user;
};

struct socks5_listener {
    struct socks5_listener_config config;
    int fd; /* -1: closed */
    uint16_t port;
    GSource *accepting; /* NULL while there is no room */
    GSource *again;
    GHashTable *expected; /* address → struct expected */
    GPtrArray *guests;
};

/* A connection in the middle of the handshake. */
struct guest {
    struct socks5_listener *listener;
    struct socks5_server server;
    int fd;
    GSource *readable;
    GSource *limit;
};

static void listen_again(struct socks5_listener *listener);

/* ------------------------------------------------------------------------------ guests -- */

static void guest_free(void *pointer)
{
    struct guest *guest = pointer;
    watch_drop(&guest->readable);
    watch_drop(&guest->limit);
    if (guest->fd >= 0) {
        close(guest->fd);
    }
    g_free(guest);
}

static void show_out(struct guest *guest)
{
    struct socks5_listener *listener = guest->listener;
    g_ptr_array_remove_fast(listener->guests, guest);
    listen_again(listener);
}

static bool is_expected(void *user, const char *address)
{
    const struct socks5_listener *listener = user;
    return g_hash_table_contains(listener->expected, address);
}

/* The guest's descriptor goes to whoever expects it. */
static void let_in(struct guest *guest)
{
    struct socks5_listener *listener = guest->listener;
    const struct expected *found = g_hash_table_lookup(listener->expected, guest->server.address);
    struct expected expected = *found;
    char *address = g_strdup(guest->server.address);
    int fd = guest->fd;
    guest->fd = -1;
    show_out(guest);
    expected.guest(expected.user, fd, address);
    g_free(address);
}

static bool send_answer(const struct guest *guest, const struct socks5_message *answer)
{
    return answer->size == 0 ||
           send(guest->fd, answer->bytes, answer->size, MSG_NOSIGNAL) == (ssize_t)answer->size;
}

static gboolean guest_speaks(int fd, GIOCondition condition, void *user)
{
    struct guest *guest = user;
    uint8_t bytes[SOCKS5_MESSAGE_MAX];
    struct socks5_message answer;
    (void)condition;
    ssize_t count = recv(fd, bytes, socks5_server_wants(&guest->server), 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
        return G_SOURCE_CONTINUE;
    }
    if (count <= 0) {
        show_out(guest);
        return G_SOURCE_REMOVE;
    }
    enum socks5_state state = socks5_server_take(&guest->server, bytes, (size_t)count, &answer);
    bool heard = send_answer(guest, &answer);
    if (heard && state == SOCKS5_OPEN) {
        let_in(guest);
        return G_SOURCE_REMOVE;
    }
    if (!heard || state == SOCKS5_REFUSED || state == SOCKS5_BROKEN) {
        log_debug(guest->listener->config.log, "A SOCKS5 guest was refused: %s.",
                  state == SOCKS5_REFUSED ? "nobody expects it" : "it does not speak SOCKS5");
        show_out(guest);
        return G_SOURCE_REMOVE;
    }
    return G_SOURCE_CONTINUE;
}

static gboolean guest_is_late(void *user)
{
    show_out(user);
    return G_SOURCE_REMOVE;
}

static void welcome(struct socks5_listener *listener, int fd)
{
    if (!bytestream_prepare(fd)) {
        close(fd);
        return;
    }
    struct guest *guest = g_new0(struct guest, 1);
    GMainContext *context = listener->config.context;
    guest->listener = listener;
    guest->fd = fd;
    socks5_server_init(&guest->server, is_expected, listener);
    guest->readable = watch_fd(context, fd, G_IO_IN | G_IO_HUP | G_IO_ERR, guest_speaks, guest);
    guest->limit = watch_after(context, listener->config.guest_limit, guest_is_late, guest);
    g_ptr_array_add(listener->guests, guest);
}

/* ---------------------------------------------------------------------------- the door -- */

static gboolean try_again(void *user)
{
    struct socks5_listener *listener = user;
    watch_drop(&listener->again);
    listen_again(listener);
    return G_SOURCE_REMOVE;
}

/* Errors of the one connection that was to be accepted are not the listener's (accept(2)). */
static void cannot_accept(struct socks5_listener *listener, int error)
{
    if (error != EMFILE && error != ENFILE && error != ENOMEM && error != ENOBUFS) {
        return;
    }
    log_warning(listener->config.log, "No SOCKS5 guest can be let in: %s.", g_strerror(error));
    watch_drop(&listener->accepting);
    listener->again = watch_after(listener->config.context, ACCEPT_AGAIN, try_again, listener);
}

static gboolean somebody_knocks(int fd, GIOCondition condition, void *user)
{
    struct socks5_listener *listener = user;
    (void)condition;
    int accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (accepted >= 0) {
        welcome(listener, accepted);
    } else {
        cannot_accept(listener, errno);
    }
    if (listener->guests->len >= SOCKS5_GUESTS_MAX) {
        watch_drop(&listener->accepting);
    }
    return listener->accepting ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static void listen_again(struct socks5_listener *listener)
{
    bool room = listener->guests->len < SOCKS5_GUESTS_MAX;
    if (listener->fd >= 0 && room && !listener->accepting && !listener->again) {
        listener->accepting =
            watch_fd(listener->config.context, listener->fd, G_IO_IN, somebody_knocks, listener);
    }
}

/* A socket that listens, for IPv6 and IPv4 or for IPv4 alone; -1. */
static int open_socket(int family, uint16_t port)
{
    static const int on = 1;
    static const int off = 0;
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    const struct sockaddr *address = family == AF_INET6 ? (const void *)&v6 : (const void *)&v4;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -1;
    }
    bool both =
        family != AF_INET6 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) == 0;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (both && bind(fd, address, family == AF_INET6 ? sizeof v6 : sizeof v4) == 0 &&
        listen(fd, BACKLOG) == 0) {
        return fd;
    }
    close(fd);
    return -1;
}

static uint16_t port_of(int fd)
{
    struct sockaddr_in6 address = {0};
    socklen_t size = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &size) < 0) {
        return 0;
    }
    return ntohs(address.sin6_port); /* at the same place in both families */
}

static void set_port(struct socks5_listener *listener, uint16_t port)
{
    bool changed = port != listener->port;
    listener->port = port;
    if (changed && listener->config.port_changed) {
        listener->config.port_changed(listener->config.user, port);
    }
}

static bool open_door(struct socks5_listener *listener)
{
    if (listener->fd >= 0) {
        return true;
    }
    listener->fd = open_socket(AF_INET6, listener->config.port);
    if (listener->fd < 0) {
        listener->fd = open_socket(AF_INET, listener->config.port);
    }
    if (listener->fd < 0) {
        log_warning(listener->config.log, "No port for SOCKS5 can be opened: %s.",
                    g_strerror(errno));
        return false;
    }
    set_port(listener, port_of(listener->fd));
    listen_again(listener);
    return true;
}

static void close_door(struct socks5_listener *listener)
{
    watch_drop(&listener->accepting);
    watch_drop(&listener->again);
    g_ptr_array_set_size(listener->guests, 0);
    if (listener->fd >= 0) {
        close(listener->fd);
    }
    listener->fd = -1;
    set_port(listener, 0);
}

/* ------------------------------------------------------------------------ for the engine -- */

struct socks5_listener *socks5_listener_new(const struct socks5_listener_config *config)
{
    struct socks5_listener *listener = g_new0(struct socks5_listener, 1);
    listener->config = *config;
    if (config->guest_limit == 0) {
        listener->config.guest_limit = SOCKS5_GUEST_LIMIT;
    }
    listener->fd = -1;
    listener->expected = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    listener->guests = g_ptr_array_new_with_free_func(guest_free);
    return listener;
}

void socks5_listener_free(struct socks5_listener *listener)
{
    if (!listener) {
        return;
    }
    close_door(listener);
    g_ptr_array_free(listener->guests, TRUE);
    g_hash_table_destroy(listener->expected);
    g_free(listener);
}

bool socks5_listener_expect(struct socks5_listener *listener, const char *address,
                            socks5_guest_fn guest, void *user)
{
    bool known = g_hash_table_contains(listener->expected, address);
    if (!known && g_hash_table_size(listener->expected) >= SOCKS5_EXPECTED_MAX) {
        return false;
    }
    if (!open_door(listener)) {
        return false;
    }
    struct expected *expected = g_new(struct expected, 1);
    *expected = (struct expected){.guest = guest, .user = user};
    g_hash_table_replace(listener->expected, g_strdup(address), expected);
    return true;
}

void socks5_listener_forget(struct socks5_listener *listener, const char *address)
{
    g_hash_table_remove(listener->expected, address);
    if (g_hash_table_size(listener->expected) == 0) {
        close_door(listener);
    }
}

uint16_t socks5_listener_port(const struct socks5_listener *listener)
{
    return listener->port;
}
