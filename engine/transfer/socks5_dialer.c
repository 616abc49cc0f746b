#include "transfer/socks5_dialer.h"

#include "transfer/bytestream.h"
#include "transfer/socks5.h"
#include "transfer/watch.h"

#include <errno.h>
#include <gio/gio.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Addresses of one name that are tried. */
enum { HOST_ADDRESSES_TRIED = 4 };

enum attempt_state { WAITING, RUNNING, OVER };

struct lookup;

/* One candidate: its addresses one after the other, each with up to two destination addresses. */
struct attempt {
    struct socks5_dialer *dialer;
    struct dial_candidate candidate;
    enum attempt_state state;
    GQueue hosts;   /* of GInetAddress; the first is being tried */
    usec share;     /* of the time of the candidate, for each of them */
    unsigned order; /* which of candidate.addresses */
    bool waited;    /* this host was not listening yet, and is asked once more */
    int fd;
    struct socks5_client client;
    GSource *ready;
    GSource *limit;
    struct lookup *lookup;
};

/* Outlives an attempt that does not wait for it any more. */
struct lookup {
    struct attempt *attempt; /* NULL: nobody waits */
    GCancellable *cancellable;
};

struct socks5_dialer {
    struct socks5_dialer_config config;
    GPtrArray *attempts; /* highest priority first */
    GSource *next;       /* when to look for more to do */
    bool connected;
    bool failed; /* and told so */
};

static void connect_next(struct attempt *attempt);
static void schedule(struct socks5_dialer *dialer, usec delay);

/* ---------------------------------------------------------------------------- attempts -- */

static void hang_up(struct attempt *attempt)
{
    watch_drop(&attempt->ready);
    if (attempt->fd >= 0) {
        close(attempt->fd);
        attempt->fd = -1;
    }
}

static void stop(struct attempt *attempt)
{
    hang_up(attempt);
    watch_drop(&attempt->limit);
    g_queue_clear_full(&attempt->hosts, g_object_unref);
    if (attempt->lookup) {
        attempt->lookup->attempt = NULL;
        g_cancellable_cancel(attempt->lookup->cancellable);
        attempt->lookup = NULL;
    }
    attempt->state = OVER;
}

static void attempt_free(void *pointer)
{
    stop(pointer);
    g_free(pointer);
}

static void give_up(struct attempt *attempt, const char *why)
{
    log_debug(attempt->dialer->config.log, "SOCKS5 candidate %s (%s, port %u): %s.",
              attempt->candidate.cid, attempt->candidate.host, attempt->candidate.port, why);
    stop(attempt);
    schedule(attempt->dialer, 0);
}

/* This host does not do: another of the same name may. */
static void host_failed(struct attempt *attempt, const char *why)
{
    hang_up(attempt);
    attempt->order = 0;
    attempt->waited = false;
    GObject *host = g_queue_pop_head(&attempt->hosts);
    g_clear_object(&host);
    if (g_queue_is_empty(&attempt->hosts)) {
        give_up(attempt, why);
    } else {
        connect_next(attempt);
    }
}

static gboolean host_is_late(void *user)
{
    host_failed(user, "no answer in time");
    return G_SOURCE_REMOVE;
}

static gboolean host_may_listen(void *user)
{
    struct attempt *attempt = user;
    watch_drop(&attempt->ready);
    connect_next(attempt);
    return G_SOURCE_REMOVE;
}

/* Gajim listens only when our acknowledgement of its offer has reached it, which goes by way of two
 * servers; who accepts by itself is here before. */
static void not_connected(struct attempt *attempt, int error)
{
    if (error != ECONNREFUSED || attempt->waited) {
        host_failed(attempt, error ? g_strerror(error) : "the connection broke");
        return;
    }
    hang_up(attempt);
    watch_drop(&attempt->limit);
    attempt->waited = true;
    attempt->ready =
        watch_after(attempt->dialer->config.context, DIAL_AGAIN_AFTER, host_may_listen, attempt);
}

/* It is there and does not know the destination address: the other order of hashing may do. */
static void address_refused(struct attempt *attempt)
{
    if (attempt->order == 0 && attempt->candidate.addresses[1][0]) {
        hang_up(attempt);
        attempt->order = 1;
        connect_next(attempt);
    } else {
        host_failed(attempt, "it refuses");
    }
}

static void through(struct attempt *attempt)
{
    struct socks5_dialer *dialer = attempt->dialer;
    char cid[DIAL_CID_SIZE];
    g_strlcpy(cid, attempt->candidate.cid, sizeof cid);
    int fd = attempt->fd;
    attempt->fd = -1;
    dialer->connected = true;
    watch_drop(&dialer->next);
    g_ptr_array_set_size(dialer->attempts, 0);
    dialer->config.hooks.connected(dialer->config.hooks.user, fd, cid);
}

/* --------------------------------------------------------------------------- handshake -- */

static bool say(const struct attempt *attempt, const struct socks5_message *message)
{
    return message->size == 0 ||
           send(attempt->fd, message->bytes, message->size, MSG_NOSIGNAL) == (ssize_t)message->size;
}

static gboolean host_speaks(int fd, GIOCondition condition, void *user)
{
    struct attempt *attempt = user;
    uint8_t bytes[SOCKS5_MESSAGE_MAX];
    struct socks5_message answer;
    (void)condition;
    ssize_t count = recv(fd, bytes, socks5_client_wants(&attempt->client), 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
        return G_SOURCE_CONTINUE;
    }
    if (count <= 0) { /* some refuse by hanging up */
        if (attempt->client.state == SOCKS5_REQUEST) {
            address_refused(attempt);
        } else {
            host_failed(attempt, "it hangs up");
        }
        return G_SOURCE_REMOVE;
    }
    switch (socks5_client_take(&attempt->client, bytes, (size_t)count, &answer)) {
    case SOCKS5_OPEN:
        through(attempt);
        return G_SOURCE_REMOVE;
    case SOCKS5_REFUSED:
        address_refused(attempt);
        return G_SOURCE_REMOVE;
    case SOCKS5_BROKEN:
        host_failed(attempt, "it does not speak SOCKS5");
        return G_SOURCE_REMOVE;
    case SOCKS5_METHODS:
    case SOCKS5_REQUEST:
        break;
    }
    if (say(attempt, &answer)) {
        return G_SOURCE_CONTINUE;
    }
    host_failed(attempt, "the connection broke");
    return G_SOURCE_REMOVE;
}

static gboolean host_answers(int fd, GIOCondition condition, void *user)
{
    struct attempt *attempt = user;
    struct socks5_message hello;
    int error = 0;
    socklen_t size = sizeof error;
    (void)condition;
    watch_drop(&attempt->ready);
    const char *address = attempt->candidate.addresses[attempt->order];
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 || error != 0 ||
        !socks5_client_init(&attempt->client, address, &hello) || !say(attempt, &hello)) {
        not_connected(attempt, error);
        return G_SOURCE_REMOVE;
    }
    attempt->ready = watch_fd(attempt->dialer->config.context, fd, G_IO_IN | G_IO_HUP | G_IO_ERR,
                              host_speaks, attempt);
    return G_SOURCE_REMOVE;
}

/* --------------------------------------------------------------------------- connecting -- */

static bool is_family(GInetAddress *host, jingle_family family)
{
    GSocketFamily wanted =
        family == JINGLE_FAMILY_IPV4 ? G_SOCKET_FAMILY_IPV4 : G_SOCKET_FAMILY_IPV6;
    return family == JINGLE_FAMILY_ANY || g_inet_address_get_family(host) == wanted;
}

/* What a peer may make us connect to. */
static bool may_dial(const struct socks5_dialer *dialer, GInetAddress *host)
{
    const struct address_choice *from = &dialer->config.from;
    return !g_inet_address_get_is_any(host) && !g_inet_address_get_is_multicast(host) &&
           (from->loopback || !g_inet_address_get_is_loopback(host)) &&
           is_family(host, from->family);
}

/* An IPv4-mapped address as what it is, so that may_dial() is not fooled. */
static GInetAddress *unmapped(GInetAddress *host)
{
    static const guint8 prefix[12] = {[10] = 0xff, [11] = 0xff};
    const guint8 *bytes = g_inet_address_to_bytes(host);
    if (g_inet_address_get_family(host) == G_SOCKET_FAMILY_IPV6 &&
        memcmp(bytes, prefix, sizeof prefix) == 0) {
        return g_inet_address_new_from_bytes(bytes + sizeof prefix, G_SOCKET_FAMILY_IPV4);
    }
    return g_object_ref(host);
}

/* Only chosen interfaces are used: from an address of one of them, if some were chosen. */
static bool bind_to_chosen(const struct attempt *attempt, sa_family_t family, GInetAddress *host)
{
    const struct address_choice *from = &attempt->dialer->config.from;
    union address found[ADDRESSES_MAX];
    if (!from->interfaces || g_inet_address_get_is_loopback(host)) {
        return true;
    }
    size_t count = addresses_list(from, found, ADDRESSES_MAX);
    for (size_t i = 0; i < count; i++) {
        if (found[i].any.sa_family == family) {
            socklen_t size = family == AF_INET ? sizeof found[i].v4 : sizeof found[i].v6;
            return bind(attempt->fd, &found[i].any, size) == 0;
        }
    }
    errno = EADDRNOTAVAIL;
    return false;
}

static bool begin_connect(struct attempt *attempt, GInetAddress *host)
{
    struct sockaddr_storage address = {0};
    GSocketAddress *target = g_inet_socket_address_new(host, attempt->candidate.port);
    gssize size = g_socket_address_get_native_size(target);
    bool native = g_socket_address_to_native(target, &address, sizeof address, NULL);
    g_object_unref(target);
    attempt->fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (!native || attempt->fd < 0 || !bytestream_prepare(attempt->fd) ||
        !bind_to_chosen(attempt, address.ss_family, host)) {
        return false;
    }
    return connect(attempt->fd, (struct sockaddr *)&address, (socklen_t)size) == 0 ||
           errno == EINPROGRESS;
}

static void connect_next(struct attempt *attempt)
{
    GMainContext *context = attempt->dialer->config.context;
    watch_drop(&attempt->limit);
    if (!begin_connect(attempt, g_queue_peek_head(&attempt->hosts))) {
        not_connected(attempt, errno);
        return;
    }
    attempt->limit = watch_after(context, attempt->share, host_is_late, attempt);
    attempt->ready =
        watch_fd(context, attempt->fd, G_IO_OUT | G_IO_HUP | G_IO_ERR, host_answers, attempt);
}

static void add_host(struct attempt *attempt, GInetAddress *found)
{
    GInetAddress *host = unmapped(found);
    if (may_dial(attempt->dialer, host) &&
        g_queue_get_length(&attempt->hosts) < HOST_ADDRESSES_TRIED) {
        g_queue_push_tail(&attempt->hosts, host);
    } else {
        g_object_unref(host);
    }
}

static void connect_first(struct attempt *attempt)
{
    if (g_queue_is_empty(&attempt->hosts)) {
        give_up(attempt, "no address that may be dialed");
    } else {
        attempt->share =
            attempt->dialer->config.candidate_limit / (usec)g_queue_get_length(&attempt->hosts);
        connect_next(attempt);
    }
}

static void looked_up(GObject *resolver, GAsyncResult *result, void *user)
{
    struct lookup *lookup = user;
    struct attempt *attempt = lookup->attempt;
    GList *found = g_resolver_lookup_by_name_finish(G_RESOLVER(resolver), result, NULL);
    if (attempt) {
        attempt->lookup = NULL;
        for (GList *at = found; at; at = at->next) {
            add_host(attempt, at->data);
        }
        connect_first(attempt);
    }
    g_resolver_free_addresses(found);
    g_object_unref(lookup->cancellable);
    g_free(lookup);
}

static void look_up(struct attempt *attempt)
{
    GMainContext *context = attempt->dialer->config.context;
    GResolver *resolver = g_resolver_get_default();
    struct lookup *lookup = g_new(struct lookup, 1);
    *lookup = (struct lookup){.attempt = attempt, .cancellable = g_cancellable_new()};
    attempt->lookup = lookup;
    g_main_context_push_thread_default(context); /* where the answer is to come */
    g_resolver_lookup_by_name_async(resolver, attempt->candidate.host, lookup->cancellable,
                                    looked_up, lookup);
    g_main_context_pop_thread_default(context);
    g_object_unref(resolver);
}

static void begin(struct attempt *attempt)
{
    const struct socks5_dialer_config *config = &attempt->dialer->config;
    attempt->state = RUNNING;
    attempt->limit = watch_after(config->context, config->candidate_limit, host_is_late, attempt);
    GInetAddress *literal = g_inet_address_new_from_string(attempt->candidate.host);
    if (attempt->candidate.port == 0) {
        give_up(attempt, "no port");
    } else if (literal) {
        add_host(attempt, literal);
        connect_first(attempt);
    } else {
        look_up(attempt);
    }
    g_clear_object(&literal);
}

/* -------------------------------------------------------------------------- the dialer -- */

static struct attempt *first_in(const struct socks5_dialer *dialer, enum attempt_state state)
{
    for (guint i = 0; i < dialer->attempts->len; i++) {
        struct attempt *attempt = g_ptr_array_index(dialer->attempts, i);
        if (attempt->state == state) {
            return attempt;
        }
    }
    return NULL;
}

static gboolean dial_next(void *user)
{
    struct socks5_dialer *dialer = user;
    watch_drop(&dialer->next);
    struct attempt *waiting = first_in(dialer, WAITING);
    if (waiting) {
        schedule(dialer, dialer->config.stagger);
        begin(waiting); /* which schedules at once if it fails at once */
    } else if (!first_in(dialer, RUNNING) && !dialer->failed) {
        dialer->failed = true;
        dialer->config.hooks.failed(dialer->config.hooks.user);
    }
    return G_SOURCE_REMOVE;
}

static void schedule(struct socks5_dialer *dialer, usec delay)
{
    watch_drop(&dialer->next);
    dialer->next = watch_after(dialer->config.context, delay, dial_next, dialer);
}

struct socks5_dialer *socks5_dialer_new(const struct socks5_dialer_config *config)
{
    struct socks5_dialer *dialer = g_new0(struct socks5_dialer, 1);
    dialer->config = *config;
    dialer->config.from.interfaces = g_strdup(config->from.interfaces);
    if (config->stagger == 0) {
        dialer->config.stagger = DIAL_STAGGER;
    }
    if (config->candidate_limit == 0) {
        dialer->config.candidate_limit = DIAL_CANDIDATE_LIMIT;
    }
    dialer->attempts = g_ptr_array_new_with_free_func(attempt_free);
    return dialer;
}

void socks5_dialer_free(struct socks5_dialer *dialer)
{
    if (!dialer) {
        return;
    }
    watch_drop(&dialer->next);
    g_ptr_array_free(dialer->attempts, TRUE);
    g_free((char *)dialer->config.from.interfaces);
    g_free(dialer);
}

static gint by_priority(gconstpointer a, gconstpointer b)
{
    const struct attempt *first = *(struct attempt *const *)a;
    const struct attempt *second = *(struct attempt *const *)b;
    return (first->candidate.priority < second->candidate.priority) -
           (first->candidate.priority > second->candidate.priority);
}

bool socks5_dialer_add(struct socks5_dialer *dialer, const struct dial_candidate *candidate)
{
    if (dialer->connected || dialer->attempts->len >= DIAL_CANDIDATES_MAX) {
        return false;
    }
    struct attempt *attempt = g_new0(struct attempt, 1);
    attempt->dialer = dialer;
    attempt->candidate = *candidate;
    attempt->fd = -1;
    g_queue_init(&attempt->hosts);
    g_ptr_array_add(dialer->attempts, attempt);
    g_ptr_array_sort(dialer->attempts, by_priority);
    dialer->failed = false;
    if (!dialer->next) {
        schedule(dialer, 0);
    }
    return true;
}

void socks5_dialer_keep_above(struct socks5_dialer *dialer, uint32_t priority)
{
    bool stopped = false;
    for (guint i = 0; i < dialer->attempts->len; i++) {
        struct attempt *attempt = g_ptr_array_index(dialer->attempts, i);
        if (attempt->candidate.priority < priority && attempt->state != OVER) {
            stop(attempt);
            stopped = true;
        }
    }
    if (stopped) {
        schedule(dialer, 0);
    }
}
