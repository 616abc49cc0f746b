#include "transfer_stream.h"

#include "transfer/bytestream.h"
#include "transfer/socks5_dialer.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Peers connect to several of our addresses before they choose one. */
enum { GUESTS_MAX = 16 };

/* Of our own addresses; with a limit for each family, so that neither keeps the other out. */
enum { FAMILY_CANDIDATES_MAX = 4 };

/* In-band: so much of what a mover has written may wait to become blocks. */
#define PAIR_BYTES_LEAST ((size_t)16 * 1024)

struct transfer_stream {
    struct transfer_stream_config config;
    char *expected[2]; /* addresses that guests may ask for */
    int guests[GUESTS_MAX];
    size_t guest_count;
    struct socks5_dialer *dialer;
    int dialed; /* -1: none */
    struct socks5_dialer *proxy_dialer;
    int proxy; /* -1: none */
    struct ibb_stream *ibb;
};

struct transfer_stream *transfer_stream_new(const struct transfer_stream_config *config)
{
    struct transfer_stream *stream = g_new0(struct transfer_stream, 1);
    stream->config = *config;
    stream->dialed = -1;
    stream->proxy = -1;
    return stream;
}

static void close_it(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
    *fd = -1;
}

/* ------------------------------------------------------------------------------ listening -- */

static void on_guest(void *user, int fd, const char *address)
{
    struct transfer_stream *stream = user;
    (void)address;
    if (stream->guest_count == GUESTS_MAX) {
        close(fd);
        return;
    }
    stream->guests[stream->guest_count++] = fd;
}

static void forget_guests(struct transfer_stream *stream)
{
    for (size_t i = 0; i < 2; i++) {
        if (stream->expected[i]) {
            socks5_listener_forget(stream->config.listener, stream->expected[i]);
            g_clear_pointer(&stream->expected[i], g_free);
        }
    }
    for (size_t i = 0; i < stream->guest_count; i++) {
        close_it(&stream->guests[i]);
    }
    stream->guest_count = 0;
}

static void tell_candidates(struct transfer_stream *stream)
{
    const struct transfer_stream_hooks *hooks = &stream->config.hooks;
    union address found[ADDRESSES_MAX];
    char host[ADDRESS_TEXT_SIZE];
    size_t told[2] = {0, 0};
    uint16_t port = socks5_listener_port(stream->config.listener);
    size_t count = addresses_list(&stream->config.choice, found, ADDRESSES_MAX);
    for (size_t i = 0; i < count; i++) {
        size_t *of_family = &told[found[i].any.sa_family == AF_INET6];
        if (*of_family < FAMILY_CANDIDATES_MAX && address_to_text(&found[i], host)) {
            hooks->candidate(hooks->user, S5B_DIRECT, host, port);
            (*of_family)++;
        }
    }
}

void transfer_stream_listen(struct transfer_stream *stream, const char *const addresses[2],
                            bool direct)
{
    forget_guests(stream);
    if (!direct) {
        return; /* nobody will know where */
    }
    for (size_t i = 0; i < 2; i++) {
        if (!addresses[i] || !*addresses[i] ||
            !socks5_listener_expect(stream->config.listener, addresses[i], on_guest, stream)) {
            continue;
        }
        stream->expected[i] = g_strdup(addresses[i]);
    }
    if (transfer_stream_is_listening(stream)) {
        tell_candidates(stream);
    }
}

bool transfer_stream_is_listening(const struct transfer_stream *stream)
{
    return stream->expected[0] || stream->expected[1];
}

/* Is somebody still at the other end? */
static bool is_alive(int fd)
{
    uint8_t byte;
    ssize_t count = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR));
}

static bool came_by(int fd, const char *host)
{
    char local[ADDRESS_TEXT_SIZE];
    bytestream_local_host(fd, local);
    return host && strcmp(local, host) == 0;
}

/* Who came by that address and is still there; else whoever is, for behind a router the address is
 * not the one that was told. */
static int take_guest(struct transfer_stream *stream, const char *host)
{
    int *found = NULL;
    for (size_t i = 0; i < stream->guest_count; i++) {
        int *guest = &stream->guests[i];
        bool better = !found || (came_by(*guest, host) && !came_by(*found, host));
        if (better && is_alive(*guest)) {
            found = guest;
        }
    }
    int fd = found ? *found : -1;
    if (found) {
        *found = -1;
    }
    return fd;
}

/* -------------------------------------------------------------------------------- dialing -- */

static void on_connected(void *user, int fd, const char *cid)
{
    struct transfer_stream *stream = user;
    const struct transfer_stream_hooks *hooks = &stream->config.hooks;
    stream->dialed = fd;
    hooks->connected(hooks->user, cid);
}

static void on_unconnected(void *user)
{
    struct transfer_stream *stream = user;
    const struct transfer_stream_hooks *hooks = &stream->config.hooks;
    hooks->unconnected(hooks->user);
}

static void on_proxy_connected(void *user, int fd, const char *cid)
{
    struct transfer_stream *stream = user;
    const struct transfer_stream_hooks *hooks = &stream->config.hooks;
    (void)cid;
    stream->proxy = fd;
    hooks->proxy_connected(hooks->user, true);
}

static void on_proxy_unconnected(void *user)
{
    struct transfer_stream *stream = user;
    const struct transfer_stream_hooks *hooks = &stream->config.hooks;
    hooks->proxy_connected(hooks->user, false);
}

static struct socks5_dialer *make_dialer(struct transfer_stream *stream, struct dial_hooks hooks)
{
    hooks.user = stream;
    struct socks5_dialer_config config = {
        .context = stream->config.context,
        .log = stream->config.log,
        .hooks = hooks,
        .from = stream->config.choice,
    };
    return socks5_dialer_new(&config);
}

static bool add(struct socks5_dialer *dialer, const struct s5b_candidate *candidate,
                const char *first, const char *second)
{
    struct dial_candidate wanted = {.port = candidate->port, .priority = candidate->priority};
    g_strlcpy(wanted.cid, candidate->cid, sizeof wanted.cid);
    g_strlcpy(wanted.host, candidate->host, sizeof wanted.host);
    g_strlcpy(wanted.addresses[0], first, sizeof wanted.addresses[0]);
    g_strlcpy(wanted.addresses[1], second ? second : "", sizeof wanted.addresses[1]);
    return socks5_dialer_add(dialer, &wanted);
}

void transfer_stream_dial(struct transfer_stream *stream, const struct s5b_candidate *candidates,
                          size_t count, const char *const addresses[2])
{
    const struct transfer_stream_hooks *hooks = &stream->config.hooks;
    bool any = stream->dialer;
    if (!stream->dialer) {
        stream->dialer = make_dialer(
            stream, (struct dial_hooks){.connected = on_connected, .failed = on_unconnected});
    }
    for (size_t i = 0; i < count; i++) {
        any |= add(stream->dialer, &candidates[i], addresses[0], addresses[1]);
    }
    if (!any) {
        hooks->unconnected(hooks->user);
    }
}

void transfer_stream_dial_above(struct transfer_stream *stream, uint32_t priority)
{
    if (stream->dialer) {
        socks5_dialer_keep_above(stream->dialer, priority);
    }
}

void transfer_stream_proxy(struct transfer_stream *stream, const struct s5b_candidate *candidate,
                           const char *address)
{
    socks5_dialer_free(stream->proxy_dialer);
    close_it(&stream->proxy);
    stream->proxy_dialer = make_dialer(stream, (struct dial_hooks){.connected = on_proxy_connected,
                                                                   .failed = on_proxy_unconnected});
    add(stream->proxy_dialer, candidate, address, NULL); /* the first is never one too many */
}

/* ------------------------------------------------------------------------------- the end -- */

void transfer_stream_stop_socks5(struct transfer_stream *stream)
{
    forget_guests(stream);
    g_clear_pointer(&stream->dialer, socks5_dialer_free);
    g_clear_pointer(&stream->proxy_dialer, socks5_dialer_free);
    close_it(&stream->dialed);
    close_it(&stream->proxy);
}

int transfer_stream_take(struct transfer_stream *stream, enum file_stream from, const char *host)
{
    int fd = -1;
    switch (from) {
    case FILE_STREAM_DIALED:
        fd = stream->dialed;
        stream->dialed = -1;
        break;
    case FILE_STREAM_GUEST:
        fd = take_guest(stream, host);
        break;
    case FILE_STREAM_PROXY:
        fd = stream->proxy;
        stream->proxy = -1;
        break;
    }
    transfer_stream_stop_socks5(stream);
    return fd;
}

/* What waits between a mover and the blocks counts as sent: it should not be much. */
static void keep_short(int fd, size_t flying)
{
    int size = (int)MAX(flying, PAIR_BYTES_LEAST);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

int transfer_stream_inband(struct transfer_stream *stream, size_t block_size, unsigned window)
{
    const struct transfer_stream_hooks *hooks = &stream->config.hooks;
    int fd = -1;
    struct ibb_stream_config config = {
        .context = stream->config.context,
        .block_size = block_size,
        .window = window,
        .hooks = {.send = hooks->send_block,
                  .acknowledge = hooks->block_written,
                  .drained = hooks->drained,
                  .stalled = hooks->stalled,
                  .user = hooks->user},
    };
    transfer_stream_stop_socks5(stream);
    ibb_stream_free(stream->ibb);
    stream->ibb = ibb_stream_new(&config, &fd);
    if (!stream->ibb) {
        return -1;
    }
    keep_short(fd, block_size * window);
    return fd;
}

struct ibb_stream *transfer_stream_ibb(struct transfer_stream *stream)
{
    return stream->ibb;
}

void transfer_stream_free(struct transfer_stream *stream)
{
    if (!stream) {
        return;
    }
    transfer_stream_stop_socks5(stream);
    ibb_stream_free(stream->ibb);
    g_free(stream);
}
