#include "transfer/ibb_stream.h"

#include "transfer/bytestream.h"
#include "transfer/watch.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A block of the peer that is not all in the pair yet. */
struct held {
    void *token;
    size_t size;
    size_t written;
    uint8_t bytes[];
};

struct ibb_stream {
    struct ibb_stream_config config;
    struct ibb_sender sender;
    struct ibb_receiver receiver;
    int fd;         /* our half of the pair */
    GSource *read;  /* while there is room for a block */
    GSource *write; /* while something is held */
    GSource *limit; /* of the oldest acknowledgement */
    GQueue held;    /* of struct held */
    uint8_t *block; /* being read */
    bool finishing; /* the mover has written all */
    bool drained;   /* and told so */
    bool mover_gone;
};

static void update(struct ibb_stream *stream);

/* ----------------------------------------------------------------------------- sending -- */

/* One block out of the pair, if there is one. */
static bool send_block(struct ibb_stream *stream)
{
    size_t room = ibb_sender_room(&stream->sender);
    ssize_t count = room > 0 ? recv(stream->fd, stream->block, room, 0) : -1;
    if (room == 0 || count < 0) {
        return false;
    }
    if (count == 0) {
        stream->mover_gone = true;
        return false;
    }
    uint16_t seq = ibb_sender_sent(&stream->sender, (size_t)count, clock_now());
    const struct ibb_stream_hooks *hooks = &stream->config.hooks;
    hooks->send(hooks->user, seq, stream->block, (size_t)count);
    return true;
}

static gboolean mover_wrote(int fd, GIOCondition condition, void *user)
{
    struct ibb_stream *stream = user;
    (void)fd;
    (void)condition;
    send_block(stream);
    update(stream);
    return stream->read ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static gboolean acknowledgement_is_late(void *user)
{
    struct ibb_stream *stream = user;
    const struct ibb_stream_hooks *hooks = &stream->config.hooks;
    watch_drop(&stream->limit);
    if (clock_now() < ibb_sender_deadline(&stream->sender)) {
        update(stream);
        return G_SOURCE_REMOVE;
    }
    ibb_stream_refused(stream);
    hooks->stalled(hooks->user);
    return G_SOURCE_REMOVE;
}

void ibb_stream_acked(struct ibb_stream *stream, uint16_t seq)
{
    if (ibb_sender_acked(&stream->sender, seq, clock_now())) {
        update(stream);
    }
}

void ibb_stream_refused(struct ibb_stream *stream)
{
    ibb_sender_break(&stream->sender);
    ibb_receiver_close(&stream->receiver);
    shutdown(stream->fd, SHUT_RDWR);
    g_queue_clear_full(&stream->held, g_free);
    update(stream);
}

void ibb_stream_finish(struct ibb_stream *stream)
{
    stream->finishing = true;
    while (send_block(stream)) {
    }
    update(stream);
}

/* Finishing, and there is nothing in the pair any more. */
static bool is_empty(const struct ibb_stream *stream)
{
    uint8_t byte;
    return stream->finishing && recv(stream->fd, &byte, 1, MSG_PEEK) <= 0;
}

/* --------------------------------------------------------------------------- receiving -- */

/* False if the pair is full. A mover that is gone takes everything. */
static bool write_held(struct ibb_stream *stream, struct held *held)
{
    while (held->written < held->size) {
        ssize_t count =
            send(stream->fd, held->bytes + held->written, held->size - held->written, MSG_NOSIGNAL);
        if (count < 0 && errno == EAGAIN) {
            return false;
        }
        if (count < 0 && errno != EINTR) {
            stream->mover_gone = true;
            return true;
        }
        held->written += count > 0 ? (size_t)count : 0;
    }
    return true;
}

static void write_all_held(struct ibb_stream *stream)
{
    const struct ibb_stream_hooks *hooks = &stream->config.hooks;
    struct held *held;
    while ((held = g_queue_peek_head(&stream->held)) && write_held(stream, held)) {
        g_queue_pop_head(&stream->held);
        ibb_receiver_written(&stream->receiver);
        void *token = held->token;
        g_free(held);
        hooks->acknowledge(hooks->user, token);
    }
    if (g_queue_is_empty(&stream->held) && stream->receiver.closed) {
        shutdown(stream->fd, SHUT_WR);
    }
}

static gboolean mover_has_room(int fd, GIOCondition condition, void *user)
{
    struct ibb_stream *stream = user;
    (void)fd;
    (void)condition;
    write_all_held(stream);
    update(stream);
    return stream->write ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

enum ibb_verdict ibb_stream_take(struct ibb_stream *stream, uint32_t seq, const uint8_t *bytes,
                                 size_t size, void *token)
{
    enum ibb_verdict verdict = ibb_receiver_take(&stream->receiver, seq, size);
    if (verdict == IBB_NEXT) {
        struct held *held = g_malloc(sizeof *held + size);
        *held = (struct held){.token = token, .size = size};
        if (size > 0) {
            memcpy(held->bytes, bytes, size);
        }
        g_queue_push_tail(&stream->held, held);
    }
    write_all_held(stream);
    update(stream);
    return verdict;
}

void ibb_stream_closed(struct ibb_stream *stream)
{
    ibb_sender_break(&stream->sender);
    ibb_receiver_close(&stream->receiver);
    write_all_held(stream);
    update(stream);
}

/* --------------------------------------------------------------------------- the stream -- */

static void set_watch(struct ibb_stream *stream, GSource **source, bool wanted,
                      GIOCondition condition, GUnixFDSourceFunc ready)
{
    if (!wanted) {
        watch_drop(source);
    } else if (!*source) {
        *source = watch_fd(stream->config.context, stream->fd, condition, ready, stream);
    }
}

static void set_limit(struct ibb_stream *stream)
{
    usec deadline = ibb_sender_deadline(&stream->sender);
    if (deadline == USEC_NEVER) {
        watch_drop(&stream->limit);
    } else if (!stream->limit) {
        usec now = clock_now();
        stream->limit = watch_after(stream->config.context, deadline > now ? deadline - now : 0,
                                    acknowledgement_is_late, stream);
    }
}

/* What is waited for, after anything has happened. */
static void update(struct ibb_stream *stream)
{
    const struct ibb_stream_hooks *hooks = &stream->config.hooks;
    bool wants_block = ibb_sender_room(&stream->sender) > 0 && !stream->mover_gone;
    set_watch(stream, &stream->read, wants_block, G_IO_IN | G_IO_HUP, mover_wrote);
    set_watch(stream, &stream->write, !g_queue_is_empty(&stream->held), G_IO_OUT | G_IO_HUP,
              mover_has_room);
    set_limit(stream);
    if (!stream->drained && !stream->sender.broken && ibb_sender_idle(&stream->sender) &&
        is_empty(stream)) {
        stream->drained = true;
        hooks->drained(hooks->user);
    }
}

struct ibb_stream *ibb_stream_new(const struct ibb_stream_config *config, int *mover_end)
{
    int pair[2];
    if (!bytestream_pair(pair)) {
        return NULL;
    }
    struct ibb_stream *stream = g_new0(struct ibb_stream, 1);
    stream->config = *config;
    stream->fd = pair[0];
    *mover_end = pair[1];
    ibb_sender_init(&stream->sender, config->block_size, config->window);
    ibb_receiver_init(&stream->receiver, config->block_size);
    stream->block = g_malloc(stream->sender.block_size);
    g_queue_init(&stream->held);
    update(stream);
    return stream;
}

void ibb_stream_free(struct ibb_stream *stream)
{
    if (!stream) {
        return;
    }
    watch_drop(&stream->read);
    watch_drop(&stream->write);
    watch_drop(&stream->limit);
    g_queue_clear_full(&stream->held, g_free);
    close(stream->fd);
    g_free(stream->block);
    g_free(stream);
}

uint64_t ibb_stream_delivered(const struct ibb_stream *stream)
{
    return stream->sender.acked;
}
