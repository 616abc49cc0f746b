#include "transfer/file_mover_private.h"

#include <errno.h>
#include <poll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

/* sendfile() needs no buffer, so its slices are what may move between two looks at the orders. */
enum { SENDFILE_SLICE = 1024 * 1024 };

/* What was moved, or why not: waits if the stream is full. */
static enum transfer_status account_for(struct file_mover *mover, ssize_t count)
{
    if (count < 0 && errno == EINTR) {
        return TRANSFER_OK;
    }
    if (count < 0) {
        return errno == EAGAIN ? mover_wait(mover, POLLOUT, USEC_NEVER) : TRANSFER_CONNECTION_LOST;
    }
    const struct byte_source *source = &mover->config.source;
    mover->at += (uint64_t)count;
    if (!mover_moved(mover, (size_t)count)) {
        return TRANSFER_OK;
    }
    mover_tell(mover, MOVER_PROGRESS, TRANSFER_OK);
    return source->check ? source->check(source->user) : TRANSFER_OK;
}

static enum transfer_status send_slice(struct file_mover *mover, const uint8_t *bytes, size_t size)
{
    enum transfer_status status = TRANSFER_OK;
    uint64_t end = mover->at + size;
    while (status == TRANSFER_OK && mover->at < end) {
        size_t left = (size_t)(end - mover->at);
        size_t allowed;
        status = mover_allowance(mover, left, &allowed);
        if (status == TRANSFER_OK && allowed > 0) {
            ssize_t count = send(mover->config.stream, bytes + size - left, allowed, MSG_NOSIGNAL);
            status = account_for(mover, count);
        }
    }
    return status;
}

static enum transfer_status send_by_buffer(struct file_mover *mover)
{
    const struct byte_source *source = &mover->config.source;
    enum transfer_status status = TRANSFER_OK;
    while (status == TRANSFER_OK && mover->at < mover->config.end) {
        uint64_t left = mover->config.end - mover->at;
        size_t size = left < MOVER_BUFFER ? (size_t)left : MOVER_BUFFER;
        size_t got = 0;
        status = source->read(source->user, mover->at, mover->buffer, size, &got);
        if (status == TRANSFER_OK && got < size) {
            status = TRANSFER_CHANGED;
        }
        if (status == TRANSFER_OK && mover->hasher) {
            hasher_add(mover->hasher, mover->buffer, size);
        }
        if (status == TRANSFER_OK) {
            status = send_slice(mover, mover->buffer, size);
        }
    }
    return status;
}

static enum transfer_status send_by_kernel(struct file_mover *mover, int fd)
{
    enum transfer_status status = TRANSFER_OK;
    while (status == TRANSFER_OK && mover->at < mover->config.end) {
        uint64_t left = mover->config.end - mover->at;
        size_t allowed;
        size_t size = left < SENDFILE_SLICE ? (size_t)left : SENDFILE_SLICE;
        status = mover_allowance(mover, size, &allowed);
        if (status != TRANSFER_OK || allowed == 0) {
            continue;
        }
        off_t from = (off_t)mover->at;
        ssize_t count = sendfile(mover->config.stream, fd, &from, allowed);
        if (count == 0) {
            status = TRANSFER_CHANGED; /* it has become shorter */
        } else if (count < 0 && errno == EIO) {
            status = TRANSFER_READ;
        } else {
            status = account_for(mover, count);
        }
    }
    return status;
}

enum transfer_status mover_send(struct file_mover *mover)
{
    const struct byte_source *source = &mover->config.source;
    int fd = source->descriptor && !mover->hasher ? source->descriptor(source->user) : -1;
    enum transfer_status status = fd >= 0 ? send_by_kernel(mover, fd) : send_by_buffer(mover);
    if (status == TRANSFER_OK && source->check) {
        status = source->check(source->user);
    }
    return status;
}
