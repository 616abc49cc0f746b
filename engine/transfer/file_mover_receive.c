#include "transfer/file_mover_private.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

/* What came waits no longer than this to be written, however slowly it comes. */
#define FLUSH_AFTER (USEC_PER_SEC)

/* The buffer as it fills; `at` counts what was written to the sink. */
struct filling {
    size_t size;
    usec flushed;
};

static enum transfer_status flush(struct file_mover *mover, struct filling *filling)
{
    const struct byte_sink *sink = &mover->config.sink;
    filling->flushed = clock_now();
    if (filling->size == 0) {
        return TRANSFER_OK;
    }
    size_t size = filling->size;
    filling->size = 0;
    mover->at += size;
    return sink->write(sink->user, mover->buffer, size);
}

static enum transfer_status nothing_came(struct file_mover *mover, struct filling *filling)
{
    if (errno == EINTR) {
        return TRANSFER_OK;
    }
    if (errno != EAGAIN) {
        return TRANSFER_CONNECTION_LOST;
    }
    if (filling->size > 0 && clock_now() - filling->flushed >= FLUSH_AFTER) {
        return flush(mover, filling);
    }
    usec until = filling->size > 0 ? filling->flushed + FLUSH_AFTER : USEC_NEVER;
    return mover_wait(mover, POLLIN, until);
}

static enum transfer_status bytes_came(struct file_mover *mover, struct filling *filling,
                                       size_t count)
{
    if (mover->hasher) {
        hasher_add(mover->hasher, mover->buffer + filling->size, count);
    }
    filling->size += count;
    if (mover_moved(mover, count)) {
        mover_tell(mover, MOVER_PROGRESS, TRANSFER_OK);
    }
    return filling->size == MOVER_BUFFER ? flush(mover, filling) : TRANSFER_OK;
}

static enum transfer_status receive_some(struct file_mover *mover, struct filling *filling)
{
    uint64_t left = mover->config.end - mover->at - filling->size;
    size_t room = MOVER_BUFFER - filling->size;
    size_t wanted = left < room ? (size_t)left : room;
    size_t allowed;
    enum transfer_status status = mover_allowance(mover, wanted, &allowed);
    if (status != TRANSFER_OK || allowed == 0) {
        return status;
    }
    ssize_t count = recv(mover->config.stream, mover->buffer + filling->size, allowed, 0);
    if (count < 0) {
        return nothing_came(mover, filling);
    }
    return count == 0 ? TRANSFER_CONNECTION_LOST : bytes_came(mover, filling, (size_t)count);
}

enum peek { PEEK_NOTHING, PEEK_BYTES, PEEK_OVER };

static enum peek peek(const struct file_mover *mover)
{
    uint8_t byte;
    ssize_t count = recv(mover->config.stream, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (count > 0) {
        return PEEK_BYTES;
    }
    return count == 0 || (errno != EAGAIN && errno != EINTR) ? PEEK_OVER : PEEK_NOTHING;
}

enum transfer_status mover_receive(struct file_mover *mover)
{
    const struct byte_sink *sink = &mover->config.sink;
    struct filling filling = {.flushed = clock_now()};
    enum transfer_status status = TRANSFER_OK;
    while (status == TRANSFER_OK && mover->at + filling.size < mover->config.end) {
        status = receive_some(mover, &filling);
    }
    enum transfer_status written = flush(mover, &filling); /* for the next time, if it broke */
    if (status == TRANSFER_OK) {
        status = written;
    }
    if (status == TRANSFER_OK && peek(mover) == PEEK_BYTES) {
        status = TRANSFER_TOO_LONG;
    }
    return status == TRANSFER_OK && sink->sync ? sink->sync(sink->user) : status;
}

static bool hashes_are_right(const struct file_mover *mover, const struct mover_orders *told)
{
    for (size_t i = 0; i < told->hash_count; i++) {
        struct hash_value computed;
        if (mover->hasher && hasher_value(mover->hasher, told->hashes[i].algorithm, &computed) &&
            !hash_equal(&computed, &told->hashes[i])) {
            return false;
        }
    }
    return true;
}

enum transfer_status mover_conclude(struct file_mover *mover)
{
    const struct byte_sink *sink = &mover->config.sink;
    struct mover_orders orders = mover_orders(mover);
    short events = POLLIN;
    while (!orders.finish && !orders.cancel) {
        mover->moved = clock_now(); /* how long this may take is for others to say */
        mover_wait(mover, events, USEC_NEVER);
        enum peek found = events ? peek(mover) : PEEK_OVER;
        if (found == PEEK_BYTES) {
            return TRANSFER_TOO_LONG;
        }
        events = found == PEEK_OVER ? 0 : POLLIN;
        orders = mover_orders(mover);
    }
    if (orders.cancel && !orders.finish) {
        return TRANSFER_CANCELED;
    }
    if (!hashes_are_right(mover, &orders)) {
        return TRANSFER_WRONG_HASH;
    }
    return sink->publish ? sink->publish(sink->user) : TRANSFER_OK;
}
