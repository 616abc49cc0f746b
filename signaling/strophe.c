/* The thread of libstrophe.
 *
 *     start/stop/send ── mailbox ──▶ ┌ rest ─▶ resolve ─▶ try each address ─▶ online ┐
 *                                    └──◀── back-off ◀── offline hook ◀─────────────┘
 *
 * What may block on the way (name look-up, TLS) is ended by the watchdog, so every attempt has its
 * result within ATTEMPT_LIMIT. Once online the thread sleeps until the socket, the mailbox or the
 * keep-alive wants it. */
#include "signaling/strophe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <unistd.h>

#include <strophe.h>

#include "base/addresses.h"
#include "base/mailbox.h"
#include "base/thread.h"
#include "signaling/diagnosis.h"
#include "signaling/jid.h"
#include "signaling/resolve.h"
#include "signaling/strophe_memory.h"
#include "signaling/watchdog.h"

/* libstrophe handles deep XML by recursion; the memory is only reserved. */
#define STACK_BYTES ((size_t)64 * 1024 * 1024)

#define ATTEMPT_LIMIT     (9 * USEC_PER_SEC)   /* from start to online, all addresses together */
#define CONNECT_LEAST     (1 * USEC_PER_SEC)   /* what each address is given to accept */
#define CLOSE_LIMIT       (2100 * USEC_PER_MS) /* libstrophe gives up after 2 s */
#define BACKOFF_FIRST     (1 * USEC_PER_SEC)
#define BACKOFF_MAX       (60 * USEC_PER_SEC)
#define STEADY            (30 * USEC_PER_SEC) /* so long online: the next back-off starts anew */
#define KEEPALIVE_IDLE    (60 * USEC_PER_SEC)
#define KEEPALIVE_ANSWER  (10 * USEC_PER_SEC)
#define SUSPECT_ANSWER    (1500 * USEC_PER_MS)
#define HURRY             (10 * USEC_PER_MS) /* from a stream that is suspected to the next one */
#define PUMP_ROUNDS_MAX   256
#define PUMP_ROUNDS_AFTER 4 /* a TLS record of 16 KiB is read by 4 KiB (libstrophe 0.12) */

/* Expat since 2.6, and Debian's 2.5.0 since deb12u2, looks at a token that came in pieces only when
 * it has grown to twice its size: the end of a stanza can lie there until the server says more. So
 * the server is made to, by a ping whose answer is long, for its id is. */
#define CHUNK_BYTES   4096 /* libstrophe reads so much, and pieces end there */
#define NUDGE_AFTER   (250 * USEC_PER_MS)
#define NUDGES_MAX    4 /* in a row, without an element in between */
#define NUDGE_PADDING 500

enum stream_state {
    STREAM_CLOSED,
    STREAM_CONNECTING,
    STREAM_ONLINE,
    STREAM_CLOSING,
};

struct strophe {
    struct connection_hooks hooks;
    struct logger log;
    struct random_source random;
    char *bare;
    char *domain;
    char *resource; /* the server's choice once it has made one */
    char *password;
    char *host;
    char *ca_file;
    uint16_t port;
    jingle_tls tls;
    bool allow_plaintext;
    bool accept_any_certificate;

    pthread_t thread;
    struct mailbox *box;
    struct watchdog *dog;
    atomic_int stops; /* asked for and not yet done: give up what is under way */

    /* what follows belongs to the thread */
    bool quit;
    bool wanted;       /* between start and stop */
    bool stopping;     /* a stop waits for its answer */
    bool was_online;   /* since start */
    unsigned failures; /* in a row */
    usec retry_at;

    struct strophe_memory *memory;
    xmpp_log_t logger;
    xmpp_ctx_t *context;
    xmpp_sm_state_t *resumable; /* XEP-0198, from the last stream */
    xmpp_conn_t *conn;
    const struct resolve_address *address; /* to connect to, */
    usec connect_deadline;                 /* until then */
    int fd;                                /* our own copy of the stream's socket */
    enum stream_state state;
    bool tcp_open;
    bool stream_refused; /* the server said why, in a stream error */
    xmpp_error_type_t stream_error;
    char stream_text[256];
    struct diagnosis diagnosis;
    usec online_since;
    usec closing_since;
    usec heard;     /* when the server last said anything */
    usec pinged;    /* 0: not since then */
    usec patience;  /* with the answer to that ping */
    bool hurry;     /* the stream ended because it was suspected */
    unsigned given; /* stanzas given to libstrophe since the login */
    char ping_id[17];
    usec nudge_at; /* USEC_NEVER: nothing can be lying in the parser */
    unsigned nudges;
    uint64_t read; /* bytes */
};

/* libstrophe's socket callback has no argument of ours; it is called from within
 * xmpp_connect_client(). */
static _Thread_local struct strophe *connecting;

/* ------------------------------------------------------------------ libstrophe's callbacks -- */

static void on_log(void *user, xmpp_log_level_t level, const char *area, const char *message)
{
    struct strophe *strophe = user;
    (void)level; /* what libstrophe calls an error is a detail of ours */
    diagnosis_read(&strophe->diagnosis, area, message);
    if (!strophe->log.write || strophe->log.level < JINGLE_LOG_DEBUG)
        return;
    char *clean = diagnosis_redact(message);
    log_debug(&strophe->log, "xmpp %s: %s", area, clean);
    g_free(clean);
}

static int poll_timeout(usec deadline)
{
    if (deadline == USEC_NEVER)
        return -1;
    usec left = deadline - clock_now();
    return left <= 0 ? 0 : (int)((left + USEC_PER_MS) / USEC_PER_MS);
}

static bool is_connected(int fd)
{
    struct sockaddr_storage peer;
    socklen_t length = sizeof peer;
    return getpeername(fd, (struct sockaddr *)&peer, &length) == 0;
}

static bool address_native(const struct resolve_address *address, union address *native,
                           socklen_t *length)
{
    GSocketAddress *socket = g_inet_socket_address_new_from_string(address->literal, address->port);
    bool good = socket && g_socket_address_get_native_size(socket) <= (gssize)sizeof *native &&
                g_socket_address_to_native(socket, native, sizeof *native, NULL);
    if (good)
        *length = (socklen_t)g_socket_address_get_native_size(socket);
    g_clear_object(&socket);
    return good;
}

/* Waits until the socket is connected or failed; orders are carried out meanwhile. */
static bool await_connected(struct strophe *strophe)
{
    struct pollfd pollers[2] = {{.fd = strophe->fd, .events = POLLOUT},
                                {.fd = mailbox_fd(strophe->box), .events = POLLIN}};
    while (clock_now() < strophe->connect_deadline) {
        if (poll(pollers, 2, poll_timeout(strophe->connect_deadline)) < 0)
            continue;
        if (pollers[0].revents)
            return is_connected(strophe->fd);
        if (pollers[1].revents)
            mailbox_run(strophe->box);
    }
    return false;
}

/* Connects in place of libstrophe, which forgets the stream that could be resumed when an attempt
 * of its own fails (0.12). Linux tells its connect(), the second one, that all is well. */
static bool connect_first(struct strophe *strophe)
{
    union address native;
    socklen_t length = 0;
    int flags = fcntl(strophe->fd, F_GETFL);
    if (!address_native(strophe->address, &native, &length) ||
        fcntl(strophe->fd, F_SETFL, flags | O_NONBLOCK) != 0)
        return false;
    if (connect(strophe->fd, &native.any, length) != 0 && errno != EINPROGRESS)
        return false;
    return await_connected(strophe);
}

/* Keeps a copy of the descriptor: libstrophe closes its own whenever it likes. */
static int on_socket(xmpp_conn_t *conn, void *socket_pointer)
{
    (void)conn;
    struct strophe *strophe = connecting;
    int fd = *(int *)socket_pointer;
    if (fd >= FD_SETSIZE) {
        log_error(&strophe->log, "libstrophe cannot use descriptor %d: too many are open", fd);
        return -1;
    }
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy < 0)
        return -1;
    watchdog_set_socket(strophe->dog, copy);
    if (strophe->fd >= 0)
        close(strophe->fd);
    strophe->fd = copy;
    return connect_first(strophe) ? 0 : -1;
}

static int on_certificate(const xmpp_tlscert_t *certificate, const char *message)
{
    (void)certificate;
    diagnosis_certificate(&connecting->diagnosis, message ? message : "not trusted");
    return 0;
}

static int on_stanza(xmpp_conn_t *conn, xmpp_stanza_t *stanza, void *user)
{
    (void)conn;
    struct strophe *strophe = user;
    const char *name = xmpp_stanza_get_name(stanza);
    if (!name ||
        (strcmp(name, "iq") != 0 && strcmp(name, "message") != 0 && strcmp(name, "presence") != 0))
        return 1;
    const char *id = xmpp_stanza_get_id(stanza);
    if (id && g_str_has_prefix(id, strophe->ping_id))
        return 1;

    char *text = NULL;
    size_t bytes = 0;
    if (xmpp_stanza_to_text(stanza, &text, &bytes) != XMPP_EOK)
        return 1;
    strophe->hooks.stanza(strophe->hooks.user, text, strlen(text));
    xmpp_free(strophe->context, text);
    return 1;
}

static void remember_resource(struct strophe *strophe, const char *full_jid)
{
    const char *resource = jid_resource(full_jid);
    if (!resource)
        return;
    char *copy = g_strdup(resource);
    g_free(strophe->resource);
    strophe->resource = copy;
}

static void stream_is_up(struct strophe *strophe)
{
    const char *bound = xmpp_conn_get_bound_jid(strophe->conn);
    char *full_jid = bound ? g_strdup(bound) : jid_join(strophe->bare, strophe->resource);
    remember_resource(strophe, full_jid);
    watchdog_disarm(strophe->dog);
    strophe->state = STREAM_ONLINE;
    strophe->was_online = true;
    strophe->online_since = strophe->heard = clock_now();
    strophe->pinged = 0;
    strophe->nudge_at = USEC_NEVER;
    strophe->nudges = 0;
    strophe->given = strophe->diagnosis.sent = 0;
    log_info(&strophe->log, "logged in as %s%s", full_jid,
             strophe->diagnosis.resumed ? " (resumed)" : "");
    strophe->hooks.online(strophe->hooks.user, full_jid, strophe->diagnosis.resumed);
    g_free(full_jid);
}

static void on_connection(xmpp_conn_t *conn, xmpp_conn_event_t event, int error,
                          xmpp_stream_error_t *stream_error, void *user)
{
    (void)conn;
    (void)error;
    struct strophe *strophe = user;
    if (event == XMPP_CONN_CONNECT) {
        stream_is_up(strophe);
        return;
    }
    if (stream_error) {
        strophe->stream_refused = true;
        strophe->stream_error = stream_error->type;
        g_strlcpy(strophe->stream_text, stream_error->text ? stream_error->text : "",
                  sizeof strophe->stream_text);
    }
    strophe->state = STREAM_CLOSED;
}

/* -------------------------------------------------------------------------------- a stream -- */

static void set_up_tls(struct strophe *strophe, const struct resolve_address *address)
{
    long flags = 0;
    if (address->direct_tls)
        flags |= XMPP_CONN_FLAG_LEGACY_SSL; /* libstrophe's name for TLS from the first byte */
    else if (!strophe->allow_plaintext)
        flags |= XMPP_CONN_FLAG_MANDATORY_TLS;
    if (strophe->accept_any_certificate)
        flags |= XMPP_CONN_FLAG_TRUST_TLS;
    xmpp_conn_set_flags(strophe->conn, flags);
    if (strophe->ca_file)
        xmpp_conn_set_cafile(strophe->conn, strophe->ca_file);
    xmpp_conn_set_certfail_handler(strophe->conn, on_certificate);
}

/* Makes the stream's object and lets it connect; false if that fails at once. */
static bool stream_open(struct strophe *strophe, const struct resolve_address *address)
{
    diagnosis_reset(&strophe->diagnosis);
    strophe->stream_refused = false;
    strophe->conn = xmpp_conn_new(strophe->context);
    if (!strophe->conn)
        return false;

    char *jid = jid_join(strophe->bare, strophe->resource);
    xmpp_conn_set_jid(strophe->conn, jid);
    g_free(jid);
    xmpp_conn_set_pass(strophe->conn, strophe->password);
    set_up_tls(strophe, address);
    xmpp_conn_set_sockopt_callback(strophe->conn, on_socket);
    xmpp_handler_add(strophe->conn, on_stanza, NULL, NULL, NULL, strophe);
    if (strophe->resumable && xmpp_conn_set_sm_state(strophe->conn, strophe->resumable) == XMPP_EOK)
        strophe->resumable = NULL;

    strophe->state = STREAM_CONNECTING;
    if (xmpp_connect_client(strophe->conn, address->literal, address->port, on_connection,
                            strophe) == XMPP_EOK)
        return true;
    strophe->state = STREAM_CLOSED;
    return false;
}

static void stream_free(struct strophe *strophe)
{
    watchdog_set_socket(strophe->dog, -1);
    if (strophe->fd >= 0)
        close(strophe->fd);
    strophe->fd = -1;
    if (!strophe->conn)
        return;
    xmpp_sm_state_t *state = xmpp_conn_get_sm_state(strophe->conn);
    if (strophe->wanted && state)
        strophe->resumable = state;
    else if (state)
        xmpp_free_sm_state(state);
    xmpp_conn_release(strophe->conn);
    strophe->conn = NULL;
    strophe->state = STREAM_CLOSED;
}

static bool is_ready(int fd, short events)
{
    struct pollfd poller = {.fd = fd, .events = events};
    return fd >= 0 && poll(&poller, 1, 0) > 0 && (poller.revents & (events | POLLHUP | POLLERR));
}

/* How many bytes libstrophe has read off the socket. */
static uint64_t read_bytes(int fd)
{
    struct tcp_info info = {0};
    socklen_t length = sizeof info;
    int unread = 0;
    if (fd < 0 || getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0 ||
        ioctl(fd, FIONREAD, &unread) != 0)
        return 0;
    return info.tcpi_bytes_received - (uint64_t)unread;
}

/* Servers that keep Nagle's algorithm, as Prosody does, send nothing more until we acknowledge what
 * came, and the kernel would take up to 40 ms for that. It forgets this by and by. */
static void acknowledge_at_once(int fd)
{
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

/* Lets libstrophe read all there is; what OpenSSL already holds makes no descriptor readable. What
 * it answers by itself is written in a round after that of the question, and that may come while it
 * looks. */
static void stream_pump(struct strophe *strophe)
{
    int after = 0;
    for (int i = 0; i < PUMP_ROUNDS_MAX && after <= PUMP_ROUNDS_AFTER; i++) {
        if (strophe->state == STREAM_CLOSED)
            return;
        uint64_t bytes = read_bytes(strophe->fd);
        bool readable = is_ready(strophe->fd, POLLIN);
        xmpp_run_once(strophe->context, 0);
        after = readable || read_bytes(strophe->fd) != bytes ? 0 : after + 1;
    }
    acknowledge_at_once(strophe->fd);
}

static void plan_nudge(struct strophe *strophe, bool delivered, uint64_t bytes)
{
    if (delivered)
        strophe->nudges = 0;
    bool may_lack = (!delivered || bytes >= CHUNK_BYTES) && strophe->nudges < NUDGES_MAX;
    strophe->nudge_at = may_lack ? clock_now() + NUDGE_AFTER : USEC_NEVER;
}

static void stream_close(struct strophe *strophe)
{
    if (strophe->state == STREAM_CLOSED || strophe->state == STREAM_CLOSING)
        return;
    if (strophe->state == STREAM_CONNECTING) {
        shutdown(strophe->fd, SHUT_RDWR);
        return;
    }
    strophe->state = STREAM_CLOSING;
    strophe->closing_since = clock_now();
    xmpp_disconnect(strophe->conn);
}

/* XEP-0199. */
static void send_ping(struct strophe *strophe, size_t padding)
{
    char *zeros = g_strnfill(padding, '0');
    char *ping = g_markup_printf_escaped(
        "<iq type='get' id='%s%s' to='%s'><ping xmlns='urn:xmpp:ping'/></iq>", strophe->ping_id,
        zeros, strophe->domain);
    xmpp_send_raw(strophe->conn, ping, strlen(ping));
    strophe->given++;
    g_free(ping);
    g_free(zeros);
}

static void nudge(struct strophe *strophe, usec now)
{
    if (now < strophe->nudge_at)
        return;
    strophe->nudge_at = USEC_NEVER;
    strophe->nudges++;
    send_ping(strophe, NUDGE_PADDING);
}

/* Sends a ping after a silence, and gives up if none is heard after it. A blank would
 * do, but libstrophe counts it as a stanza (XEP-0198). */
static void keep_alive(struct strophe *strophe, usec now)
{
    if (strophe->pinged && now >= strophe->pinged + strophe->patience) {
        log_info(&strophe->log, "the server went silent");
        strophe->hurry = strophe->patience == SUSPECT_ANSWER;
        shutdown(strophe->fd, SHUT_RDWR);
        strophe->pinged = now;
    } else if (!strophe->pinged && now >= strophe->heard + KEEPALIVE_IDLE) {
        send_ping(strophe, 0);
        strophe->pinged = now;
        strophe->patience = KEEPALIVE_ANSWER;
    }
}

/* The address that the stream goes out from is not ours any more. */
static bool is_uprooted(int fd)
{
    union address local = {.v6.sin6_family = AF_UNSPEC};
    union address ours[ADDRESSES_MAX];
    struct address_choice all = {.loopback = true};
    socklen_t length = sizeof local;
    if (getsockname(fd, &local.any, &length) != 0 ||
        (local.any.sa_family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&local.v6.sin6_addr)))
        return false;
    size_t count = addresses_list(&all, ours, ADDRESSES_MAX);
    for (size_t i = 0; i < count; i++)
        if (address_is_same_host(&ours[i], &local))
            return false;
    return true;
}

static usec stream_deadline(const struct strophe *strophe, usec connect_deadline)
{
    switch (strophe->state) {
    case STREAM_CONNECTING:
        return connect_deadline;
    case STREAM_ONLINE:
        return MIN(strophe->nudge_at, strophe->pinged ? strophe->pinged + strophe->patience
                                                      : strophe->heard + KEEPALIVE_IDLE);
    case STREAM_CLOSING:
        return strophe->closing_since + CLOSE_LIMIT;
    case STREAM_CLOSED:
        break;
    }
    return 0;
}

/* Half-written stanzas are not in xmpp_conn_send_queue_len(): compare with what its log says has
 * left. */
static bool has_unsent(struct strophe *strophe)
{
    if (strophe->state != STREAM_ONLINE && strophe->state != STREAM_CLOSING)
        return false;
    return xmpp_conn_send_queue_len(strophe->conn) > 0 || strophe->given > strophe->diagnosis.sent;
}

/* An answer may come so soon that it is read before the socket is seen to be readable. */
static void note_what_came(struct strophe *strophe, bool readable, unsigned received)
{
    uint64_t bytes = read_bytes(strophe->fd);
    if (readable || bytes != strophe->read) {
        strophe->heard = clock_now();
        strophe->pinged = 0;
    }
    if (bytes != strophe->read && strophe->state == STREAM_ONLINE)
        plan_nudge(strophe, strophe->diagnosis.received != received, bytes - strophe->read);
    strophe->read = bytes;
}

static void stream_wait(struct strophe *strophe, usec deadline)
{
    bool writing = !strophe->tcp_open || has_unsent(strophe);
    struct pollfd pollers[2] = {
        {.fd = strophe->fd, .events = (short)(POLLIN | (writing ? POLLOUT : 0))},
        {.fd = mailbox_fd(strophe->box), .events = POLLIN},
    };
    poll(pollers, 2, poll_timeout(deadline));
    if (pollers[1].revents)
        mailbox_run(strophe->box);
    bool drained = strophe->tcp_open && (pollers[0].revents & POLLOUT);
    unsigned received = strophe->diagnosis.received;
    stream_pump(strophe);
    note_what_came(strophe, pollers[0].revents & POLLIN, received);
    /* Writable, nothing queued and yet fewer left than were given: the log is not as we know it. */
    if (drained && strophe->state == STREAM_ONLINE && is_ready(strophe->fd, POLLOUT) &&
        xmpp_conn_send_queue_len(strophe->conn) == 0)
        strophe->given = strophe->diagnosis.sent;
}

/* Runs the stream until it ends. True if it was online. */
static bool stream_run(struct strophe *strophe, usec connect_deadline)
{
    bool was_online = strophe->state == STREAM_ONLINE;
    while (strophe->state != STREAM_CLOSED) {
        stream_wait(strophe,
                    stream_deadline(strophe, strophe->tcp_open ? USEC_NEVER : connect_deadline));
        usec now = clock_now();
        strophe->tcp_open = strophe->tcp_open || is_connected(strophe->fd);
        if (!strophe->tcp_open && now >= connect_deadline)
            shutdown(strophe->fd, SHUT_RDWR);
        if (strophe->state == STREAM_ONLINE) {
            nudge(strophe, now);
            keep_alive(strophe, now);
        }
        was_online = was_online || strophe->state == STREAM_ONLINE;
    }
    return was_online;
}

/* -------------------------------------------------------------------------------- attempts -- */

static jingle_status stream_fault(struct strophe *strophe)
{
    if (strophe->stream_refused && strophe->stream_error == XMPP_SE_CONFLICT)
        return JINGLE_ERROR_CONFLICT;
    jingle_status status = diagnosis_status(&strophe->diagnosis);
    if (status == JINGLE_ERROR_STREAM && watchdog_fired(strophe->dog))
        return JINGLE_ERROR_SERVER_TIMEOUT;
    if (status != JINGLE_OK)
        return status;
    if (strophe->stream_refused)
        return JINGLE_ERROR_STREAM;
    if (watchdog_fired(strophe->dog))
        return strophe->tcp_open ? JINGLE_ERROR_SERVER_TIMEOUT : JINGLE_ERROR_CONNECT;
    return strophe->tcp_open ? JINGLE_ERROR_STREAM : JINGLE_ERROR_CONNECT;
}

/* Another address cannot do better. */
static bool is_final(jingle_status status)
{
    return status == JINGLE_ERROR_AUTHENTICATION || status == JINGLE_ERROR_NO_MECHANISM ||
           status == JINGLE_ERROR_CONFLICT;
}

/* Of the faults of several addresses the one that tells most. */
static jingle_status worse(jingle_status a, jingle_status b)
{
    static const jingle_status order[] = {
        JINGLE_ERROR_CERTIFICATE,    JINGLE_ERROR_TLS_MISSING, JINGLE_ERROR_STREAM,
        JINGLE_ERROR_SERVER_TIMEOUT, JINGLE_ERROR_CONNECT,
    };
    for (size_t i = 0; i < G_N_ELEMENTS(order); i++)
        if (a == order[i] || b == order[i])
            return order[i];
    return a != JINGLE_OK ? a : b;
}

static char *fault_text(const struct strophe *strophe, jingle_status status)
{
    const char *detail = "";
    if (status == JINGLE_ERROR_CERTIFICATE)
        detail = strophe->diagnosis.certificate;
    else if (strophe->stream_refused)
        detail = strophe->stream_text;
    if (!detail[0])
        return g_strdup(jingle_strerror(status));
    return g_strdup_printf("%s (%s)", jingle_strerror(status), detail);
}

static bool try_address(struct strophe *strophe, const struct resolve_address *address,
                        usec connect_deadline, jingle_status *fault)
{
    log_debug(&strophe->log, "connecting to %s port %u%s", address->literal, address->port,
              address->direct_tls ? ", direct TLS" : "");
    bool was_online = false;
    strophe->tcp_open = false;
    strophe->address = address;
    strophe->connect_deadline = connect_deadline;
    connecting = strophe;
    if (stream_open(strophe, address))
        was_online = stream_run(strophe, connect_deadline);
    connecting = NULL;
    *fault = stream_fault(strophe);
    return was_online;
}

/* Tries all addresses until one was online. Returns why it is not any more, with the text for it
 * (g_free() it). */
static jingle_status attempt(struct strophe *strophe, bool *was_online, char **text)
{
    usec deadline = clock_now() + ATTEMPT_LIMIT;
    GCancellable *cancellable = watchdog_arm(strophe->dog, deadline);
    jingle_status status = JINGLE_ERROR_HOST_NOT_FOUND;
    struct resolve_query query = {strophe->domain, strophe->host, strophe->port, strophe->tls};
    struct resolve_result found = {.count = 0};
    *was_online = false;
    *text = NULL;
    if (atomic_load(&strophe->stops) == 0)
        status = resolve(&query, &strophe->random, cancellable, &found);
    if (found.count == 0)
        *text = g_strdup(jingle_strerror(status));

    for (size_t i = 0; i < found.count; i++) {
        usec now = clock_now();
        usec share = (deadline - now) / (usec)(found.count - i);
        if (!strophe->wanted || (i > 0 && (watchdog_fired(strophe->dog) || is_final(status))))
            break;
        jingle_status fault = JINGLE_OK;
        *was_online =
            try_address(strophe, &found.addresses[i], now + MAX(share, CONNECT_LEAST), &fault);
        status = i == 0 || *was_online || is_final(fault) ? fault : worse(status, fault);
        if (status == fault) {
            g_free(*text);
            *text = fault_text(strophe, fault);
        }
        stream_free(strophe);
        if (*was_online)
            break;
    }
    watchdog_disarm(strophe->dog);
    return status;
}

/* ------------------------------------------------------------------------------ the thread -- */

static usec backoff(struct strophe *strophe)
{
    usec longest = BACKOFF_FIRST;
    for (unsigned i = 0; i < strophe->failures && longest < BACKOFF_MAX; i++)
        longest *= 2;
    longest = MIN(longest, BACKOFF_MAX);
    uint32_t number = 0;
    strophe->random.fill(strophe->random.user, &number, sizeof number);
    return longest / 2 + (usec)(number % (uint32_t)(longest / 2));
}

static void tell_offline(struct strophe *strophe, jingle_status status, const char *text,
                         usec retry_in)
{
    struct connection_fault fault = {
        .status = status, .text = text, .will_retry = retry_in > 0, .retry_in = retry_in};
    strophe->hooks.offline(strophe->hooks.user, &fault);
}

static void connect_once(struct strophe *strophe)
{
    bool was_online = false;
    char *text = NULL;
    jingle_status status = attempt(strophe, &was_online, &text);
    if (!strophe->wanted || atomic_load(&strophe->stops) > 0) {
        g_free(text);
        return; /* finish_stop() tells */
    }
    if (was_online && clock_now() - strophe->online_since >= STEADY)
        strophe->failures = 0;
    usec retry_in = 0;
    if (!strophe->was_online || is_final(status))
        strophe->wanted = false;
    else
        retry_in = strophe->hurry ? HURRY : backoff(strophe);
    strophe->hurry = false;
    strophe->failures++;
    strophe->retry_at = clock_now() + retry_in;
    log_info(&strophe->log, "not connected: %s", text);
    tell_offline(strophe, status, text, retry_in);
    g_free(text);
}

static void forget_stream(struct strophe *strophe)
{
    if (strophe->resumable)
        xmpp_free_sm_state(strophe->resumable);
    strophe->resumable = NULL;
}

static void finish_stop(struct strophe *strophe)
{
    strophe->stopping = false;
    forget_stream(strophe);
    tell_offline(strophe, JINGLE_OK, "The connection was closed.", 0);
}

static void rest(struct strophe *strophe)
{
    struct pollfd poller = {.fd = mailbox_fd(strophe->box), .events = POLLIN};
    usec until = strophe->wanted ? strophe->retry_at : USEC_NEVER;
    poll(&poller, 1, poll_timeout(strophe->stopping ? 0 : until));
    mailbox_run(strophe->box);
}

static void *strophe_run(void *arg)
{
    struct strophe *strophe = arg;
    while (!strophe->quit) {
        rest(strophe);
        if (strophe->stopping)
            finish_stop(strophe);
        else if (strophe->wanted && clock_now() >= strophe->retry_at)
            connect_once(strophe);
    }
    return NULL;
}

/* ------------------------------------------------------------- what other threads ask it for -- */

static void on_start(void *arg)
{
    struct strophe *strophe = arg;
    if (strophe->wanted)
        return;
    strophe->wanted = true;
    strophe->was_online = false;
    strophe->failures = 0;
    strophe->retry_at = 0;
}

static void on_stop(void *arg)
{
    struct strophe *strophe = arg;
    strophe->wanted = false;
    strophe->stopping = true;
    atomic_fetch_sub(&strophe->stops, 1);
    stream_close(strophe);
}

static void on_quit(void *arg)
{
    struct strophe *strophe = arg;
    strophe->wanted = false;
    strophe->quit = true;
    stream_close(strophe);
}

static void on_suspect(void *arg)
{
    struct strophe *strophe = arg;
    if (strophe->state == STREAM_CLOSED) {
        strophe->retry_at = 0;
        strophe->failures = 0;
    } else if (strophe->state != STREAM_CLOSING && is_uprooted(strophe->fd)) {
        log_info(&strophe->log, "the address of the stream is gone");
        strophe->hurry = true;
        shutdown(strophe->fd, SHUT_RDWR);
    } else if (strophe->state == STREAM_ONLINE &&
               !(strophe->pinged && strophe->patience == SUSPECT_ANSWER)) {
        send_ping(strophe, 0);
        strophe->pinged = clock_now();
        strophe->patience = SUSPECT_ANSWER;
    }
}

struct outgoing {
    struct strophe *strophe;
    size_t bytes;
    char xml[];
};

static void on_send(void *arg)
{
    struct outgoing *outgoing = arg;
    struct strophe *strophe = outgoing->strophe;
    if (strophe->state == STREAM_ONLINE) {
        xmpp_send_raw(strophe->conn, outgoing->xml, outgoing->bytes);
        strophe->given++;
    }
    g_free(outgoing);
}

static void table_start(void *user)
{
    struct strophe *strophe = user;
    mailbox_post(strophe->box, on_start, NULL, strophe);
}

static void table_stop(void *user)
{
    struct strophe *strophe = user;
    atomic_fetch_add(&strophe->stops, 1);
    mailbox_post(strophe->box, on_stop, NULL, strophe);
    watchdog_fire(strophe->dog);
}

static void table_send(void *user, const char *xml, size_t bytes)
{
    struct strophe *strophe = user;
    struct outgoing *outgoing = g_malloc(sizeof *outgoing + bytes + 1);
    outgoing->strophe = strophe;
    outgoing->bytes = bytes;
    memcpy(outgoing->xml, xml, bytes);
    outgoing->xml[bytes] = '\0';
    mailbox_post(strophe->box, on_send, g_free, outgoing);
}

static void table_suspect(void *user)
{
    struct strophe *strophe = user;
    mailbox_post(strophe->box, on_suspect, NULL, strophe);
}

static void strophe_free(struct strophe *strophe)
{
    forget_stream(strophe);
    if (strophe->context)
        xmpp_ctx_free(strophe->context);
    strophe_memory_free(strophe->memory);
    watchdog_free(strophe->dog);
    if (strophe->box)
        mailbox_free(strophe->box);
    if (strophe->password)
        explicit_bzero(strophe->password, strlen(strophe->password));
    g_free(strophe->password);
    g_free(strophe->bare);
    g_free(strophe->domain);
    g_free(strophe->resource);
    g_free(strophe->host);
    g_free(strophe->ca_file);
    g_free(strophe);
}

static void table_free(void *user)
{
    struct strophe *strophe = user;
    atomic_fetch_add(&strophe->stops, 1);
    mailbox_post(strophe->box, on_quit, NULL, strophe);
    watchdog_fire(strophe->dog);
    pthread_join(strophe->thread, NULL);
    strophe_free(strophe);
}

/* ---------------------------------------------------------------------------------- set-up -- */

static void initialize_libstrophe(void)
{
    xmpp_initialize();
}

static bool start_thread(struct strophe *strophe)
{
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0)
        return false;
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    /* no signals: libstrophe writes without MSG_NOSIGNAL */
    bool started = thread_start(&strophe->thread, &attributes, strophe_run, strophe);
    pthread_attr_destroy(&attributes);
    return started;
}

static struct strophe *strophe_new(const struct strophe_config *config,
                                   const struct connection_hooks *hooks)
{
    struct strophe *strophe = g_new0(struct strophe, 1);
    char token[9];
    strophe->hooks = *hooks;
    strophe->log = config->log;
    strophe->random = config->random;
    strophe->bare = jid_bare(config->jid);
    strophe->domain = jid_domain(config->jid);
    random_token(&config->random, token, sizeof token - 1);
    random_token(&config->random, strophe->ping_id, sizeof strophe->ping_id - 1);
    strophe->resource = jid_resource(config->jid) ? g_strdup(jid_resource(config->jid))
                                                  : g_strconcat("jingle-", token, NULL);
    strophe->password = g_strdup(config->password ? config->password : "");
    strophe->host = g_strdup(config->host);
    strophe->ca_file = g_strdup(config->ca_file);
    strophe->port = config->port;
    strophe->tls = config->tls;
    strophe->allow_plaintext = config->lab_allow_plaintext;
    strophe->accept_any_certificate = config->lab_accept_any_certificate;
    strophe->fd = -1;
    strophe->box = mailbox_new();
    strophe->dog = watchdog_new();
    xmpp_log_t log = {on_log, strophe};
    strophe->logger = log;
    strophe->memory = strophe_memory_new();
    strophe->context = xmpp_ctx_new(strophe_memory_table(strophe->memory), &strophe->logger);
    return strophe;
}

jingle_status strophe_connection_new(const struct strophe_config *config,
                                     const struct connection_hooks *hooks,
                                     struct connection *connection)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    char *user = jid_is_valid(config->jid) ? jid_user(config->jid) : NULL;
    if (!user)
        return JINGLE_ERROR_JID;
    g_free(user);
    pthread_once(&once, initialize_libstrophe);

    struct strophe *strophe = strophe_new(config, hooks);
    if (!strophe->box || !strophe->dog || !strophe->context || !start_thread(strophe)) {
        strophe_free(strophe);
        return JINGLE_ERROR_MEMORY;
    }
    *connection = (struct connection){
        .user = strophe,
        .start = table_start,
        .stop = table_stop,
        .send = table_send,
        .free = table_free,
        .suspect = table_suspect,
    };
    return JINGLE_OK;
}
