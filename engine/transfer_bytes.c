#include "transfer_bytes.h"

#include "transfer/watch.h"
#include "transfer_hashes.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct transfer_bytes {
    struct transfer_bytes_config config;
    struct file_mover *mover;
    unsigned computed;                       /* set of hashes */
    struct hash_value told[HASH_ALGORITHMS]; /* by the peer */
    size_t told_count;
    bool checksum_comes;
    bool all_moved;
    bool finished;
    GSource *limit;   /* of the wait for the checksum */
    int peer;         /* sending: a descriptor of the stream that is ours to watch; -1: none */
    GSource *hang_up; /* of the peer, after the last byte */
    bool closing;     /* hooks are not called any more */
    void (*closed)(void *arg);
    void *arg;
};

/* From the mover's thread to the I/O thread. */
struct mover_news {
    struct transfer_bytes *bytes;
    struct mover_event event;
};

/* --------------------------------------------------------------------------- the checksum -- */

static void finish(struct transfer_bytes *bytes)
{
    watch_drop(&bytes->limit);
    if (!bytes->finished) {
        bytes->finished = true;
        file_mover_finish(bytes->mover, bytes->told, bytes->told_count);
    }
}

static gboolean checksum_is_late(void *user)
{
    finish(user);
    return G_SOURCE_REMOVE;
}

bool transfer_bytes_can_compare(const struct transfer_bytes *bytes)
{
    for (size_t i = 0; i < bytes->told_count; i++) {
        if (bytes->computed & hash_bit(bytes->told[i].algorithm)) {
            return true;
        }
    }
    return false;
}

static void finish_or_wait(struct transfer_bytes *bytes)
{
    watch_drop(&bytes->limit);
    if (bytes->checksum_comes && !transfer_bytes_can_compare(bytes)) {
        bytes->limit = watch_after(loop_context(bytes->config.io), bytes->config.checksum_limit,
                                   checksum_is_late, bytes);
    } else {
        finish(bytes);
    }
}

void transfer_bytes_checksum(struct transfer_bytes *bytes, const struct file_hash *hashes,
                             size_t count)
{
    struct hash_value values[HASH_ALGORITHMS];
    count = transfer_hashes_read(hashes, count, values);
    bytes->told_count = transfer_hashes_join(bytes->told, bytes->told_count, values, count);
    if (bytes->all_moved && !bytes->closing) {
        finish_or_wait(bytes);
    }
}

/* --------------------------------------------------------------------- what the mover says -- */

/* The peer has nothing to say in this direction; what it says all the same is passed over. */
static gboolean peer_speaks(int fd, GIOCondition condition, void *user)
{
    struct transfer_bytes *bytes = user;
    uint8_t rest[4096];
    (void)condition;
    ssize_t count = recv(fd, rest, sizeof rest, MSG_DONTWAIT);
    if (count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR))) {
        return G_SOURCE_CONTINUE;
    }
    watch_drop(&bytes->hang_up);
    bytes->config.hooks.hung_up(bytes->config.hooks.user);
    return G_SOURCE_REMOVE;
}

static void on_all_moved(struct transfer_bytes *bytes, const struct mover_event *event)
{
    const struct transfer_bytes_hooks *hooks = &bytes->config.hooks;
    bytes->all_moved = true;
    if (bytes->config.receiving) {
        finish_or_wait(bytes);
    } else {
        hooks->sent(hooks->user, event->hashes, event->hash_count);
    }
}

static void on_ended(struct transfer_bytes *bytes, const struct mover_event *event)
{
    const struct transfer_bytes_hooks *hooks = &bytes->config.hooks;
    enum transfer_status status = event->status;
    watch_drop(&bytes->limit);
    if (status == TRANSFER_OK && bytes->peer >= 0) {
        bytes->hang_up = watch_fd(loop_context(bytes->config.io), bytes->peer,
                                  G_IO_IN | G_IO_HUP | G_IO_ERR, peer_speaks, bytes);
    }
    hooks->ended(hooks->user, status, event->progress.done > event->progress.resumed);
}

/* It is freed after the last of these. */
static void take_news(void *arg)
{
    struct mover_news *news = arg;
    struct transfer_bytes *bytes = news->bytes;
    const struct transfer_bytes_hooks *hooks = &bytes->config.hooks;
    if (!bytes->closing) {
        switch (news->event.kind) {
        case MOVER_HASHING:
        case MOVER_PROGRESS:
            hooks->progress(hooks->user, &news->event.progress, news->event.kind == MOVER_HASHING);
            break;
        case MOVER_ALL_MOVED:
            on_all_moved(bytes, &news->event);
            break;
        case MOVER_ENDED:
            on_ended(bytes, &news->event);
            break;
        }
    }
    g_free(news);
}

static void on_mover_event(void *user, const struct mover_event *event)
{
    struct transfer_bytes *bytes = user;
    struct mover_news *news = g_new(struct mover_news, 1);
    *news = (struct mover_news){.bytes = bytes, .event = *event};
    loop_post(bytes->config.io, take_news, g_free, news);
}

/* -------------------------------------------------------------------------- begin and end -- */

static void free_it(struct transfer_bytes *bytes)
{
    if (bytes->peer >= 0) {
        close(bytes->peer);
    }
    g_free(bytes);
}

static bool start_mover(struct transfer_bytes *bytes)
{
    const struct transfer_bytes_config *config = &bytes->config;
    struct mover_config mover = {
        .stream = config->stream,
        .receiving = config->receiving,
        .source = config->source,
        .sink = config->sink,
        .offset = config->offset,
        .end = config->end,
        .algorithms = bytes->computed,
        .rate_limit = config->rate_limit,
        .event = on_mover_event,
        .user = bytes,
    };
    bytes->mover = file_mover_new(&mover);
    return bytes->mover;
}

struct transfer_bytes *transfer_bytes_begin(const struct transfer_bytes_config *config)
{
    struct transfer_bytes *bytes = g_new0(struct transfer_bytes, 1);
    bytes->computed = config->algorithms;
    bytes->config = *config;
    bytes->config.told = NULL;
    if (config->checksum_limit == 0) {
        bytes->config.checksum_limit = TRANSFER_CHECKSUM_LIMIT;
    }
    bytes->peer = -1;
    if (config->receiving) {
        struct file_description file = {0};
        file.hash_count = MIN(config->told_count, FILE_HASHES_MAX);
        for (size_t i = 0; i < file.hash_count; i++) {
            file.hashes[i] = config->told[i];
        }
        bytes->computed = transfer_hashes_to_compute(&file);
        bytes->checksum_comes = transfer_hashes_come_later(&file);
        bytes->told_count = transfer_hashes_read(file.hashes, file.hash_count, bytes->told);
    } else {
        bytes->peer = fcntl(config->stream, F_DUPFD_CLOEXEC, 0);
    }
    if (!start_mover(bytes)) {
        free_it(bytes);
        return NULL;
    }
    return bytes;
}

void transfer_bytes_set_rate_limit(struct transfer_bytes *bytes, uint64_t bytes_per_second)
{
    file_mover_set_rate_limit(bytes->mover, bytes_per_second);
}

void transfer_bytes_say_end(struct transfer_bytes *bytes)
{
    if (bytes->peer >= 0) {
        shutdown(bytes->peer, SHUT_WR);
    }
}

void transfer_bytes_cancel(struct transfer_bytes *bytes)
{
    watch_drop(&bytes->limit);
    file_mover_cancel(bytes->mover);
}

/* On the I/O thread, behind all that the mover has posted. */
static void forget(void *arg)
{
    free_it(arg);
}

static void join(void *arg)
{
    struct transfer_bytes *bytes = arg;
    file_mover_free(bytes->mover);
    bytes->mover = NULL;
    void (*closed)(void *) = bytes->closed;
    void *closed_arg = bytes->arg;
    loop_post(bytes->config.io, forget, forget, bytes);
    if (closed) {
        closed(closed_arg);
    }
}

void transfer_bytes_close(struct transfer_bytes *bytes, void (*closed)(void *arg), void *arg)
{
    bytes->closing = true;
    bytes->closed = closed;
    bytes->arg = arg;
    watch_drop(&bytes->limit);
    watch_drop(&bytes->hang_up);
    file_mover_cancel(bytes->mover);
    loop_post(bytes->config.closer, join, join, bytes);
}
