#include "transfer/file_mover_private.h"

#include "base/addresses.h"
#include "base/thread.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

/* Behind everything that a person hears or sees at once. */
enum { NICENESS = 10, PAGE = 4096 };

/* So much may have gone into sockets and proxies before a peer begins to read. */
enum { UNREAD_MAX = 32 * 1024 * 1024 };

/* After so much silence it is looked whether the network is still the same, and again as often. */
#define LOOK_AFTER (2 * USEC_PER_SEC)

/* ------------------------------------------------------------------------------ orders -- */

static void wake(struct file_mover *mover)
{
    uint64_t one = 1;
    while (write(mover->wake, &one, sizeof one) < 0 && errno == EINTR) {
    }
}

void file_mover_pause(struct file_mover *mover, bool pause)
{
    pthread_mutex_lock(&mover->lock);
    mover->orders.pause = pause;
    pthread_mutex_unlock(&mover->lock);
    wake(mover);
}

void file_mover_set_rate_limit(struct file_mover *mover, uint64_t bytes_per_second)
{
    pthread_mutex_lock(&mover->lock);
    mover->orders.rate_limit = bytes_per_second;
    pthread_mutex_unlock(&mover->lock);
    wake(mover);
}

void file_mover_cancel(struct file_mover *mover)
{
    pthread_mutex_lock(&mover->lock);
    mover->orders.cancel = true;
    pthread_mutex_unlock(&mover->lock);
    wake(mover);
}

void file_mover_finish(struct file_mover *mover, const struct hash_value *hashes, size_t count)
{
    count = count > HASH_ALGORITHMS ? HASH_ALGORITHMS : count;
    pthread_mutex_lock(&mover->lock);
    if (count > 0) {
        memcpy(mover->orders.hashes, hashes, count * sizeof *hashes);
    }
    mover->orders.hash_count = count;
    mover->orders.finish = true;
    pthread_mutex_unlock(&mover->lock);
    wake(mover);
}

struct mover_orders mover_orders(struct file_mover *mover)
{
    pthread_mutex_lock(&mover->lock);
    struct mover_orders orders = mover->orders;
    pthread_mutex_unlock(&mover->lock);
    return orders;
}

/* ----------------------------------------------------------------------------- waiting -- */

static int milliseconds_until(usec until)
{
    if (until == USEC_NEVER) {
        return -1;
    }
    usec left = until - clock_now();
    if (left <= 0) {
        return 0;
    }
    return left > INT32_MAX ? INT32_MAX : (int)((left + USEC_PER_MS - 1) / USEC_PER_MS);
}

static void wait_until(struct file_mover *mover, short events, usec until)
{
    struct pollfd fds[] = {{.fd = mover->wake, .events = POLLIN},
                           {.fd = events ? mover->config.stream : -1, .events = events}};
    if (poll(fds, 2, milliseconds_until(until)) > 0 && fds[0].revents) {
        uint64_t count;
        while (read(mover->wake, &count, sizeof count) < 0 && errno == EINTR) {
        }
    }
}

/* How long silence may last. */
static usec patience(const struct file_mover *mover)
{
    const struct mover_config *config = &mover->config;
    bool begins = mover->progress.done - mover->progress.resumed < UNREAD_MAX;
    return config->stall_limit + (begins ? (usec)(config->offset / MOVER_CHECK_RATE) : 0);
}

/* TCP is not told that the computer has gone to another network, and waits for minutes. */
enum transfer_status mover_wait(struct file_mover *mover, short events, usec until)
{
    usec now = clock_now();
    usec stalled = mover->moved + patience(mover);
    if (now >= stalled) {
        return TRANSFER_STALLED;
    }
    if (now >= mover->moved + LOOK_AFTER && socket_is_uprooted(mover->config.stream)) {
        return TRANSFER_CONNECTION_LOST;
    }
    usec look = now + LOOK_AFTER;
    usec nearest = look < stalled ? look : stalled;
    wait_until(mover, events, until < nearest ? until : nearest);
    return TRANSFER_OK;
}

enum transfer_status mover_obey(struct file_mover *mover)
{
    struct mover_orders orders = mover_orders(mover);
    bool paused = orders.pause;
    while (orders.pause && !orders.cancel) {
        wait_until(mover, 0, USEC_NEVER);
        orders = mover_orders(mover);
    }
    usec now = clock_now();
    if (paused) {
        mover->moved = now;
        progress_resume(&mover->progress, now);
    }
    if (orders.rate_limit != mover->limit.rate) {
        rate_limit_init(&mover->limit, orders.rate_limit, now);
    }
    return orders.cancel ? TRANSFER_CANCELED : TRANSFER_OK;
}

enum transfer_status mover_allowance(struct file_mover *mover, size_t wanted, size_t *allowed)
{
    *allowed = 0;
    enum transfer_status status = mover_obey(mover);
    if (status != TRANSFER_OK) {
        return status;
    }
    *allowed = rate_limit_allows(&mover->limit, wanted, clock_now());
    if (*allowed == 0) {
        mover->moved = clock_now(); /* a low rate is no silence */
        return mover_wait(mover, 0, rate_limit_when(&mover->limit));
    }
    return TRANSFER_OK;
}

/* ----------------------------------------------------------------------------- telling -- */

void mover_tell(struct file_mover *mover, enum mover_event_kind kind, enum transfer_status status)
{
    struct mover_event event = {.kind = kind, .status = status, .progress = mover->progress};
    for (unsigned i = 0; mover->hasher && kind == MOVER_ALL_MOVED && i < HASH_ALGORITHMS; i++) {
        struct hash_value *value = &event.hashes[event.hash_count];
        event.hash_count += hasher_value(mover->hasher, (enum hash_algorithm)i, value);
    }
    mover->config.event(mover->config.user, &event);
}

bool mover_moved(struct file_mover *mover, size_t bytes)
{
    usec now = clock_now();
    rate_limit_spend(&mover->limit, bytes);
    mover->moved = now;
    return progress_set(&mover->progress, mover->progress.done + bytes, now);
}

/* --------------------------------------------------------------------------- the thread -- */

static enum transfer_status read_before(struct file_mover *mover, size_t size, size_t *got)
{
    const struct byte_source *source = &mover->config.source;
    const struct byte_sink *sink = &mover->config.sink;
    if (!mover->config.receiving) {
        return source->read(source->user, mover->at, mover->buffer, size, got);
    }
    return sink->read ? sink->read(sink->user, mover->at, mover->buffer, size, got) : TRANSFER_READ;
}

/* A hash is one of the whole file: what does not move now is read for it once more. */
static enum transfer_status hash_before(struct file_mover *mover)
{
    const struct mover_config *config = &mover->config;
    progress_init(&mover->progress, config->offset, 0, clock_now());
    while (mover->hasher && mover->at < config->offset) {
        uint64_t left = config->offset - mover->at;
        size_t size = left < MOVER_BUFFER ? (size_t)left : MOVER_BUFFER;
        size_t got = 0;
        enum transfer_status status = mover_obey(mover);
        if (status == TRANSFER_OK) {
            status = read_before(mover, size, &got);
        }
        if (status == TRANSFER_OK && got < size) {
            status = TRANSFER_CHANGED;
        }
        if (status != TRANSFER_OK) {
            return status;
        }
        hasher_add(mover->hasher, mover->buffer, got);
        mover->at += got;
        if (progress_set(&mover->progress, mover->at, clock_now())) {
            mover_tell(mover, MOVER_HASHING, TRANSFER_OK);
        }
    }
    mover->at = config->offset;
    return TRANSFER_OK;
}

static enum transfer_status move(struct file_mover *mover)
{
    const struct mover_config *config = &mover->config;
    enum transfer_status status = hash_before(mover);
    mover->moved = clock_now();
    progress_init(&mover->progress, config->end, config->offset, mover->moved);
    if (status != TRANSFER_OK) {
        return status; /* and nothing has moved */
    }
    rate_limit_init(&mover->limit, config->rate_limit, mover->moved);
    status = config->receiving ? mover_receive(mover) : mover_send(mover);
    if (status != TRANSFER_OK) {
        return status;
    }
    mover_tell(mover, MOVER_PROGRESS, TRANSFER_OK);
    mover_tell(mover, MOVER_ALL_MOVED, TRANSFER_OK);
    return config->receiving ? mover_conclude(mover) : TRANSFER_OK;
}

static void *run(void *user)
{
    struct file_mover *mover = user;
    (void)setpriority(PRIO_PROCESS, 0, NICENESS); /* on Linux of this thread alone */
    enum transfer_status status = move(mover);
    const struct byte_sink *sink = &mover->config.sink;
    if ((status == TRANSFER_WRONG_HASH || status == TRANSFER_TOO_LONG) && sink->discard) {
        sink->discard(sink->user);
    }
    mover_tell(mover, MOVER_ENDED, status);
    return NULL;
}

static void release(struct file_mover *mover)
{
    if (mover->wake >= 0) {
        close(mover->wake);
    }
    hasher_free(mover->hasher);
    free(mover->buffer);
    free(mover);
}

static bool take_what_it_needs(struct file_mover *mover)
{
    const struct mover_config *config = &mover->config;
    mover->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    mover->buffer = aligned_alloc(PAGE, MOVER_BUFFER);
    mover->hasher = config->algorithms ? hasher_new(config->algorithms) : NULL;
    return mover->wake >= 0 && mover->buffer && (mover->hasher || !config->algorithms);
}

struct file_mover *file_mover_new(const struct mover_config *config)
{
    struct file_mover *mover = calloc(1, sizeof *mover);
    if (!mover) {
        close(config->stream);
        return NULL;
    }
    mover->config = *config;
    mover->orders.rate_limit = config->rate_limit;
    if (config->stall_limit == 0) {
        mover->config.stall_limit = MOVER_STALL_LIMIT;
    }
    if (take_what_it_needs(mover)) {
        pthread_mutex_init(&mover->lock, NULL);
        if (thread_start(&mover->thread, NULL, run, mover)) {
            return mover;
        }
        pthread_mutex_destroy(&mover->lock);
    }
    release(mover);
    close(config->stream);
    return NULL;
}

void file_mover_free(struct file_mover *mover)
{
    if (!mover) {
        return;
    }
    file_mover_cancel(mover);
    pthread_join(mover->thread, NULL);
    pthread_mutex_destroy(&mover->lock);
    close(mover->config.stream);
    release(mover);
}
