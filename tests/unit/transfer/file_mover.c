/* Movers over a pair of connected sockets, in real time; what is waited for are their events. */
#include "transfer/file_mover.h"
#include "transfer/bytestream.h"
#include "transfer/memory_ends.h"
#include "transfer/outgoing_file.h"
#include "transfer/partial_file.h"
#include "unit/transfer/folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PLENTY = 3 * 1024 * 1024 + 17 };

/* What a mover told so far. */
struct told {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned counts[MOVER_ENDED + 1];
    struct mover_event last[MOVER_ENDED + 1];
};

static void on_event(void *user, const struct mover_event *event)
{
    struct told *told = user;
    pthread_mutex_lock(&told->lock);
    told->counts[event->kind]++;
    told->last[event->kind] = *event;
    pthread_cond_broadcast(&told->changed);
    pthread_mutex_unlock(&told->lock);
}

static struct mover_event await(struct told *told, enum mover_event_kind kind)
{
    pthread_mutex_lock(&told->lock);
    while (told->counts[kind] == 0) {
        pthread_cond_wait(&told->changed, &told->lock);
    }
    struct mover_event event = told->last[kind];
    pthread_mutex_unlock(&told->lock);
    return event;
}

static unsigned count_of(struct told *told, enum mover_event_kind kind)
{
    pthread_mutex_lock(&told->lock);
    unsigned count = told->counts[kind];
    pthread_mutex_unlock(&told->lock);
    return count;
}

static void told_init(struct told *told)
{
    memset(told, 0, sizeof *told);
    pthread_mutex_init(&told->lock, NULL);
    pthread_cond_init(&told->changed, NULL);
}

/* Bytes that repeat nowhere soon. */
static uint8_t *some_bytes(size_t size)
{
    uint8_t *bytes = malloc(size + 1);
    uint64_t state = 88172645463325252ULL;
    for (size_t i = 0; i < size; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes[i] = (uint8_t)state;
    }
    return bytes;
}

static struct hash_value hash_of(const uint8_t *bytes, size_t size, enum hash_algorithm algorithm)
{
    struct hash_value value;
    struct hasher *hasher = hasher_new(hash_bit(algorithm));
    hasher_add(hasher, bytes, size);
    hasher_value(hasher, algorithm, &value);
    hasher_free(hasher);
    return value;
}

static struct mover_config sending(int stream, struct byte_source source, uint64_t end,
                                   struct told *told)
{
    told_init(told);
    return (struct mover_config){.stream = stream,
                                 .source = source,
                                 .end = end,
                                 .algorithms = hash_bit(HASH_SHA_256),
                                 .event = on_event,
                                 .user = told};
}

static struct mover_config receiving(int stream, struct byte_sink sink, uint64_t end,
                                     struct told *told)
{
    told_init(told);
    return (struct mover_config){.stream = stream,
                                 .receiving = true,
                                 .sink = sink,
                                 .end = end,
                                 .algorithms = hash_bit(HASH_SHA_256),
                                 .event = on_event,
                                 .user = told};
}

static struct file_mover *start(const struct mover_config *config)
{
    struct file_mover *mover = file_mover_new(config);
    assert_non_null(mover);
    return mover;
}

static enum transfer_status finish(struct file_mover *mover, struct told *told)
{
    enum transfer_status status = await(told, MOVER_ENDED).status;
    file_mover_free(mover);
    return status;
}

static void write_all(int fd, const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        struct pollfd ready = {.fd = fd, .events = POLLOUT};
        ssize_t count = send(fd, bytes, size, MSG_NOSIGNAL);
        if (count < 0 && errno == EAGAIN) {
            poll(&ready, 1, -1);
            continue;
        }
        assert_true(count > 0);
        bytes += count;
        size -= (size_t)count;
    }
}

static int empty(void **state)
{
    (void)state;
    folder_empty();
    return 0;
}

static struct file_identity identity_of(uint64_t size)
{
    return (struct file_identity){
        .peer = "juliet@capulet.lit", .name = "x.bin", .size = size, .date = 1700000000};
}

static struct partial_file *open_partial(uint64_t size)
{
    enum transfer_status status;
    struct file_identity identity = identity_of(size);
    struct partial_file *file = partial_file_open(folder_path(""), &identity, &status);
    assert_non_null(file);
    return file;
}

static void assert_file(const char *path, const uint8_t *bytes, size_t size)
{
    struct stat found;
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_size, size);
    uint8_t *content = malloc(size + 1);
    int fd = open(path, O_RDONLY);
    for (size_t at = 0; at < size;) {
        ssize_t count = read(fd, content + at, size - at);
        assert_true(count > 0);
        at += (size_t)count;
    }
    close(fd);
    assert_true(memcmp(content, bytes, size) == 0);
    free(content);
}

/* From file to file through two movers. */
static void move_a_file(size_t size, unsigned sender_hashes)
{
    enum transfer_status status;
    int fds[2];
    struct told sent;
    struct told received;
    uint8_t *bytes = some_bytes(size);
    assert_true(bytestream_pair(fds));
    struct outgoing_file *from = outgoing_file_open(folder_write("from", bytes, size), &status);
    struct partial_file *to = open_partial(size);
    struct mover_config out = sending(fds[0], outgoing_file_source(from), size, &sent);
    struct mover_config in = receiving(fds[1], partial_file_sink(to), size, &received);
    out.algorithms = sender_hashes;
    struct file_mover *receiver = start(&in);
    struct file_mover *sender = start(&out);
    struct mover_event moved = await(&received, MOVER_ALL_MOVED);
    struct hash_value wanted = hash_of(bytes, size, HASH_SHA_256);
    assert_int_equal(moved.hash_count, 1);
    assert_true(hash_equal(&moved.hashes[0], &wanted));
    assert_int_equal(moved.progress.done, size);
    assert_int_equal(folder_count(".bin"), 0);
    file_mover_finish(receiver, &wanted, 1);
    assert_int_equal(finish(receiver, &received), TRANSFER_OK);
    struct mover_event all = await(&sent, MOVER_ALL_MOVED);
    assert_int_equal(all.hash_count, sender_hashes ? 1 : 0);
    assert_true(!sender_hashes || hash_equal(&all.hashes[0], &wanted));
    assert_int_equal(finish(sender, &sent), TRANSFER_OK);
    assert_file(folder_path("x.bin"), bytes, size);
    partial_file_close(to);
    outgoing_file_close(from);
    free(bytes);
    folder_empty();
}

static void test_files_of_every_size_arrive_equal(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, MOVER_BUFFER - 1, MOVER_BUFFER, MOVER_BUFFER + 1, PLENTY};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        move_a_file(sizes[i], hash_bit(HASH_SHA_256));
    }
}

static void test_without_hashes_the_kernel_sends_the_same(void **state)
{
    (void)state;
    move_a_file(0, 0);
    move_a_file(PLENTY, 0);
}

static void test_a_wrong_hash_keeps_nothing(void **state)
{
    (void)state;
    int fds[2];
    struct told told;
    assert_true(bytestream_pair(fds));
    struct partial_file *to = open_partial(5);
    struct mover_config in = receiving(fds[0], partial_file_sink(to), 5, &told);
    struct file_mover *mover = start(&in);
    struct hash_value wrong = hash_of((const uint8_t *)"HELLO", 5, HASH_SHA_256);
    file_mover_finish(mover, &wrong, 1);
    write_all(fds[1], (const uint8_t *)"hello", 5);
    assert_int_equal(finish(mover, &told), TRANSFER_WRONG_HASH);
    partial_file_close(to);
    close(fds[1]);
    assert_int_equal(folder_count(NULL), 0);
}

static void test_a_hash_of_an_algorithm_that_was_not_computed_says_nothing(void **state)
{
    (void)state;
    int fds[2];
    struct told told;
    assert_true(bytestream_pair(fds));
    struct partial_file *to = open_partial(5);
    struct mover_config in = receiving(fds[0], partial_file_sink(to), 5, &told);
    struct file_mover *mover = start(&in);
    struct hash_value other = {.algorithm = HASH_SHA_512};
    file_mover_finish(mover, &other, 1);
    write_all(fds[1], (const uint8_t *)"hello", 5);
    assert_int_equal(finish(mover, &told), TRANSFER_OK);
    partial_file_close(to);
    close(fds[1]);
    assert_int_equal(folder_count(".bin"), 1);
}

static void test_more_than_announced_keeps_nothing(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++) {
        int fds[2];
        struct told told;
        assert_true(bytestream_pair(fds));
        struct partial_file *to = open_partial(5);
        struct mover_config in = receiving(fds[0], partial_file_sink(to), 5, &told);
        struct file_mover *mover = start(&in);
        write_all(fds[1], (const uint8_t *)"hello!", late ? 5 : 6);
        if (late) {
            await(&told, MOVER_ALL_MOVED);
            write_all(fds[1], (const uint8_t *)"!", 1);
        }
        assert_int_equal(finish(mover, &told), TRANSFER_TOO_LONG);
        partial_file_close(to);
        close(fds[1]);
        assert_int_equal(folder_count(NULL), 0);
    }
}

static void test_a_peer_that_closes_after_the_last_byte_is_waited_for_in_peace(void **state)
{
    (void)state;
    int fds[2];
    struct told told;
    assert_true(bytestream_pair(fds));
    struct partial_file *to = open_partial(5);
    struct mover_config in = receiving(fds[0], partial_file_sink(to), 5, &told);
    struct file_mover *mover = start(&in);
    write_all(fds[1], (const uint8_t *)"hello", 5);
    await(&told, MOVER_ALL_MOVED);
    close(fds[1]);
    file_mover_finish(mover, NULL, 0);
    assert_int_equal(finish(mover, &told), TRANSFER_OK);
    assert_file(partial_file_path(to), (const uint8_t *)"hello", 5);
    partial_file_close(to);
}

static void test_a_broken_transfer_goes_on_and_has_the_hash_of_the_whole(void **state)
{
    (void)state;
    int fds[2];
    struct told told;
    enum { FIRST = 1000003 };
    uint8_t *bytes = some_bytes(PLENTY);
    assert_true(bytestream_pair(fds));
    struct partial_file *to = open_partial(PLENTY);
    struct mover_config in = receiving(fds[0], partial_file_sink(to), PLENTY, &told);
    struct file_mover *mover = start(&in);
    write_all(fds[1], bytes, FIRST);
    close(fds[1]);
    assert_int_equal(finish(mover, &told), TRANSFER_CONNECTION_LOST);
    partial_file_close(to);

    to = open_partial(PLENTY);
    assert_int_equal(partial_file_kept(to), FIRST);
    enum transfer_status status;
    struct told sent;
    assert_true(bytestream_pair(fds));
    struct outgoing_file *from = outgoing_file_open(folder_write("from", bytes, PLENTY), &status);
    struct mover_config out = sending(fds[1], outgoing_file_source(from), PLENTY, &sent);
    in = receiving(fds[0], partial_file_sink(to), PLENTY, &told);
    in.offset = out.offset = FIRST;
    mover = start(&in);
    struct file_mover *sender = start(&out);
    struct hash_value wanted = hash_of(bytes, PLENTY, HASH_SHA_256);
    struct mover_event all = await(&sent, MOVER_ALL_MOVED);
    assert_true(hash_equal(&all.hashes[0], &wanted));
    assert_int_equal(all.progress.resumed, FIRST);
    file_mover_finish(mover, &wanted, 1);
    assert_int_equal(finish(mover, &told), TRANSFER_OK);
    assert_int_equal(finish(sender, &sent), TRANSFER_OK);
    assert_file(partial_file_path(to), bytes, PLENTY);
    partial_file_close(to);
    outgoing_file_close(from);
    free(bytes);
}

/* The child of the next test: receives until it is killed, or to the end. */
static void receive_in_a_child(int stream, size_t size, const struct hash_value *wanted)
{
    struct told told;
    struct partial_file *to = open_partial(size);
    uint64_t kept = partial_file_kept(to);
    if (send(stream, &kept, sizeof kept, MSG_NOSIGNAL) != sizeof kept) {
        _exit(1);
    }
    struct mover_config in = receiving(stream, partial_file_sink(to), size, &told);
    in.offset = kept;
    struct file_mover *mover = file_mover_new(&in);
    file_mover_finish(mover, wanted, 1);
    _exit(finish(mover, &told) == TRANSFER_OK ? 0 : 2);
}

/* One try to send the file to a child that is killed after so many microseconds; 0: it is not. True
 * if it was received. */
static bool send_to_a_child(const uint8_t *bytes, size_t size, unsigned kill_after)
{
    int fds[2];
    int how;
    uint64_t offset = 0;
    struct told told;
    struct hash_value wanted = hash_of(bytes, size, HASH_SHA_256);
    struct memory_bytes from = {.bytes = (uint8_t *)bytes, .size = size};
    assert_true(bytestream_pair(fds));
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(fds[0]);
        receive_in_a_child(fds[1], size, &wanted);
    }
    close(fds[1]);
    struct pollfd ready = {.fd = fds[0], .events = POLLIN};
    poll(&ready, 1, -1);
    assert_int_equal(recv(fds[0], &offset, sizeof offset, 0), sizeof offset);
    struct mover_config out = sending(fds[0], memory_source(&from), size, &told);
    out.offset = offset;
    out.rate_limit = 30000000;
    struct file_mover *mover = start(&out);
    if (kill_after > 0) {
        usleep(kill_after);
        kill(child, SIGKILL);
    }
    assert_int_equal(waitpid(child, &how, 0), child);
    file_mover_free(mover);
    return WIFEXITED(how) && WEXITSTATUS(how) == 0;
}

static void test_a_receiver_that_is_killed_again_and_again_ends_with_an_equal_file(void **state)
{
    (void)state;
    enum { BIG = 8 * 1024 * 1024 + 3, KILLS = 20 };
    uint8_t *bytes = some_bytes(BIG);
    unsigned kills = 0;
    while (kills < KILLS && !send_to_a_child(bytes, BIG, 1000 + kills * 2500)) {
        assert_int_equal(folder_count(".bin"), 0);
        kills++;
    }
    assert_true(kills > 2);
    if (kills == KILLS) {
        assert_true(send_to_a_child(bytes, BIG, 0));
    }
    assert_file(folder_path("x.bin"), bytes, BIG);
    assert_int_equal(folder_count(NULL), 1);
    free(bytes);
}

static void test_many_files_move_at_once(void **state)
{
    (void)state;
    enum { FILES = 10 };
    struct told sent[FILES];
    struct told received[FILES];
    struct memory_bytes to[FILES];
    struct file_mover *senders[FILES];
    struct file_mover *receivers[FILES];
    uint8_t *bytes = some_bytes(PLENTY);
    struct memory_bytes from = {.bytes = bytes, .size = PLENTY};
    for (size_t i = 0; i < FILES; i++) {
        int fds[2];
        assert_true(bytestream_pair(fds));
        to[i] = (struct memory_bytes){.bytes = malloc(PLENTY), .size = PLENTY};
        struct mover_config out = sending(fds[0], memory_source(&from), PLENTY, &sent[i]);
        struct mover_config in = receiving(fds[1], memory_sink(&to[i]), PLENTY, &received[i]);
        receivers[i] = start(&in);
        senders[i] = start(&out);
        file_mover_finish(receivers[i], NULL, 0);
    }
    for (size_t i = 0; i < FILES; i++) {
        assert_int_equal(finish(senders[i], &sent[i]), TRANSFER_OK);
        assert_int_equal(finish(receivers[i], &received[i]), TRANSFER_OK);
        assert_true(memcmp(to[i].bytes, bytes, PLENTY) == 0);
        free(to[i].bytes);
    }
    free(bytes);
}

static void test_every_status_has_a_sentence_of_its_own(void **state)
{
    (void)state;
    for (unsigned i = 0; i < TRANSFER_STATUSES; i++) {
        const char *text = transfer_status_text((enum transfer_status)i);
        assert_non_null(text);
        for (unsigned other = 0; other < i; other++) {
            assert_string_not_equal(text, transfer_status_text((enum transfer_status)other));
        }
    }
    assert_int_equal(transfer_status_of(EDQUOT, TRANSFER_WRITE), TRANSFER_NO_SPACE);
    assert_int_equal(transfer_status_of(EIO, TRANSFER_WRITE), TRANSFER_WRITE);
}

static void test_cancelling_keeps_what_came(void **state)
{
    (void)state;
    int fds[2];
    struct told told;
    uint8_t *bytes = some_bytes(PLENTY);
    assert_true(bytestream_pair(fds));
    struct partial_file *to = open_partial(PLENTY);
    struct mover_config in = receiving(fds[0], partial_file_sink(to), PLENTY, &told);
    struct file_mover *mover = start(&in);
    write_all(fds[1], bytes, PLENTY / 2);
    shutdown(fds[1], SHUT_WR);
    file_mover_cancel(mover);
    enum transfer_status status = finish(mover, &told);
    assert_true(status == TRANSFER_CANCELED || status == TRANSFER_CONNECTION_LOST);
    uint64_t kept = partial_file_kept(to);
    assert_true(kept <= PLENTY / 2);
    partial_file_close(to);
    close(fds[1]);
    free(bytes);
}

static enum transfer_status read_zeros(void *user, uint64_t at, uint8_t *out, size_t size,
                                       size_t *got)
{
    (void)user;
    (void)at;
    memset(out, 0, size);
    *got = size;
    return TRANSFER_OK;
}

/* Another way may do then. */
static void test_what_is_only_checked_has_not_moved(void **state)
{
    (void)state;
    int fds[2];
    struct told told;
    assert_true(bytestream_pair(fds));
    struct byte_source zeros = {.read = read_zeros};
    struct mover_config out = sending(fds[0], zeros, UINT64_C(1) << 50, &told);
    out.offset = UINT64_C(1) << 49;
    struct file_mover *mover = start(&out);
    await(&told, MOVER_HASHING);
    file_mover_cancel(mover);
    struct mover_event ended = await(&told, MOVER_ENDED);
    assert_int_equal(ended.status, TRANSFER_CANCELED);
    assert_int_equal(ended.progress.done, out.offset);
    assert_int_equal(ended.progress.resumed, out.offset);
    file_mover_free(mover);
    close(fds[1]);
}

static void test_a_mover_that_waits_for_its_peer_is_cancelled_at_once(void **state)
{
    (void)state;
    int fds[2];
    struct told told;
    uint8_t room[4];
    struct memory_bytes memory = {.bytes = room, .size = 4};
    assert_true(bytestream_pair(fds));
    struct mover_config in = receiving(fds[0], memory_sink(&memory), 4, &told);
    struct file_mover *mover = start(&in);
    file_mover_cancel(mover);
    assert_int_equal(finish(mover, &told), TRANSFER_CANCELED);

    told_init(&told);
    close(fds[1]);
    assert_true(bytestream_pair(fds));
    in.stream = fds[0];
    mover = start(&in);
    file_mover_free(mover); /* cancels, too */
    assert_int_equal(await(&told, MOVER_ENDED).status, TRANSFER_CANCELED);
    close(fds[1]);
}

/* They read for the hash what they have, and may have a slow disk. */
static void test_a_peer_has_time_to_check_what_it_has(void **state)
{
    (void)state;
    int fds[2];
    struct told told;
    assert_true(bytestream_pair(fds));
    struct byte_source zeros = {.read = read_zeros};
    struct mover_config out = sending(fds[0], zeros, UINT64_C(11) << 20, &told);
    out.offset = UINT64_C(10) << 20; /* half a second */
    out.algorithms = 0;
    out.stall_limit = USEC_PER_MS;
    usec began = clock_now();
    struct file_mover *mover = start(&out);
    assert_int_equal(await(&told, MOVER_ENDED).status, TRANSFER_STALLED);
    assert_true(clock_now() - began > 500 * USEC_PER_MS);
    file_mover_free(mover);
    close(fds[1]);
}

static void test_silence_ends_a_transfer_and_a_pause_does_not(void **state)
{
    (void)state;
    int fds[2];
    struct told told;
    uint8_t room[4];
    struct memory_bytes memory = {.bytes = room, .size = 4};
    assert_true(bytestream_pair(fds));
    struct mover_config in = receiving(fds[0], memory_sink(&memory), 4, &told);
    in.stall_limit = 20 * USEC_PER_MS;
    struct file_mover *mover = start(&in);
    assert_int_equal(finish(mover, &told), TRANSFER_STALLED);
    close(fds[1]);

    told_init(&told);
    assert_true(bytestream_pair(fds));
    in.stream = fds[0];
    in.stall_limit = USEC_PER_SEC;
    mover = start(&in);
    file_mover_pause(mover, true);
    usleep(1500000); /* longer than the limit: that nothing happens is what is tested */
    assert_int_equal(count_of(&told, MOVER_ENDED), 0);
    write_all(fds[1], (const uint8_t *)"1234", 4);
    file_mover_pause(mover, false);
    file_mover_finish(mover, NULL, 0);
    assert_int_equal(finish(mover, &told), TRANSFER_OK);
    assert_memory_equal(room, "1234", 4);
    close(fds[1]);
}

static void test_a_source_that_changes_is_not_sent_to_its_end(void **state)
{
    (void)state;
    for (int by_kernel = 0; by_kernel < 2; by_kernel++) {
        int fds[2];
        struct told told;
        enum transfer_status status;
        uint8_t *bytes = some_bytes(PLENTY);
        assert_true(bytestream_pair(fds));
        const char *path = folder_write("from", bytes, PLENTY);
        struct outgoing_file *from = outgoing_file_open(path, &status);
        struct mover_config out = sending(fds[0], outgoing_file_source(from), PLENTY, &told);
        out.algorithms = by_kernel ? 0 : hash_bit(HASH_SHA_256);
        struct file_mover *mover = start(&out);
        assert_int_equal(truncate(path, 10), 0);
        uint8_t *sunk = malloc(PLENTY);
        ssize_t count = 1;
        while (count > 0 && count_of(&told, MOVER_ENDED) == 0) {
            struct pollfd ready = {.fd = fds[1], .events = POLLIN};
            poll(&ready, 1, 10);
            count = recv(fds[1], sunk, PLENTY, MSG_DONTWAIT);
            count = count < 0 && errno == EAGAIN ? 1 : count;
        }
        assert_int_equal(finish(mover, &told), TRANSFER_CHANGED);
        assert_int_equal(count_of(&told, MOVER_ALL_MOVED), 0);
        outgoing_file_close(from);
        close(fds[1]);
        free(sunk);
        free(bytes);
    }
}

static void test_a_peer_that_goes_away_is_a_lost_connection(void **state)
{
    (void)state;
    int fds[2];
    struct told told;
    uint8_t *bytes = some_bytes(PLENTY);
    struct memory_bytes memory = {.bytes = bytes, .size = PLENTY};
    assert_true(bytestream_pair(fds));
    struct mover_config out = sending(fds[0], memory_source(&memory), PLENTY, &told);
    struct file_mover *mover = start(&out);
    close(fds[1]);
    assert_int_equal(finish(mover, &told), TRANSFER_CONNECTION_LOST);
    free(bytes);
}

static enum transfer_status full_disk(void *user, const uint8_t *bytes, size_t size)
{
    (void)user;
    (void)bytes;
    (void)size;
    return TRANSFER_NO_SPACE;
}

static void test_trouble_of_a_sink_ends_the_transfer_with_its_status(void **state)
{
    (void)state;
    int fds[2];
    struct told told;
    assert_true(bytestream_pair(fds));
    struct byte_sink sink = {.write = full_disk};
    struct mover_config in = receiving(fds[0], sink, 4, &told);
    struct file_mover *mover = start(&in);
    write_all(fds[1], (const uint8_t *)"1234", 4);
    assert_int_equal(finish(mover, &told), TRANSFER_NO_SPACE);
    close(fds[1]);
}

static void test_a_rate_is_kept_and_reports_are_few(void **state)
{
    (void)state;
    int fds[2];
    struct told sent;
    struct told received;
    enum { SIZE = 300000, RATE = 200000 };
    uint8_t *bytes = some_bytes(SIZE);
    uint8_t *room = malloc(SIZE);
    struct memory_bytes from = {.bytes = bytes, .size = SIZE};
    struct memory_bytes to = {.bytes = room, .size = SIZE};
    assert_true(bytestream_pair(fds));
    struct mover_config out = sending(fds[0], memory_source(&from), SIZE, &sent);
    struct mover_config in = receiving(fds[1], memory_sink(&to), SIZE, &received);
    out.rate_limit = RATE;
    usec began = clock_now();
    struct file_mover *receiver = start(&in);
    struct file_mover *sender = start(&out);
    file_mover_finish(receiver, NULL, 0);
    assert_int_equal(finish(sender, &sent), TRANSFER_OK);
    usec took = clock_now() - began;
    assert_int_equal(finish(receiver, &received), TRANSFER_OK);
    assert_true(took >= (SIZE - RATE / 10) * USEC_PER_SEC / RATE);
    unsigned reports = count_of(&sent, MOVER_PROGRESS);
    assert_true(reports >= 1 && reports <= 2 + took / PROGRESS_PACE);
    assert_memory_equal(room, bytes, SIZE);
    free(bytes);
    free(room);
}

static void test_a_rate_can_be_lifted_on_the_way(void **state)
{
    (void)state;
    int fds[2];
    struct told sent;
    struct told received;
    uint8_t *bytes = some_bytes(PLENTY);
    uint8_t *room = malloc(PLENTY);
    struct memory_bytes from = {.bytes = bytes, .size = PLENTY};
    struct memory_bytes to = {.bytes = room, .size = PLENTY};
    assert_true(bytestream_pair(fds));
    struct mover_config out = sending(fds[0], memory_source(&from), PLENTY, &sent);
    struct mover_config in = receiving(fds[1], memory_sink(&to), PLENTY, &received);
    out.rate_limit = 2000; /* that would take 25 minutes */
    struct file_mover *receiver = start(&in);
    struct file_mover *sender = start(&out);
    file_mover_set_rate_limit(sender, 0);
    file_mover_finish(receiver, NULL, 0);
    assert_int_equal(finish(sender, &sent), TRANSFER_OK);
    assert_int_equal(finish(receiver, &received), TRANSFER_OK);
    assert_true(memcmp(room, bytes, PLENTY) == 0);
    free(bytes);
    free(room);
}

static void test_bytes_that_come_slowly_do_not_wait_for_a_full_buffer(void **state)
{
    (void)state;
    int fds[2];
    struct told told;
    assert_true(bytestream_pair(fds));
    struct partial_file *to = open_partial(1000000);
    struct mover_config in = receiving(fds[0], partial_file_sink(to), 1000000, &told);
    struct file_mover *mover = start(&in);
    write_all(fds[1], (const uint8_t *)"hello", 5);
    char key[FILE_KEY_SIZE];
    char name[64];
    struct file_identity identity = identity_of(1000000);
    file_identity_key(&identity, key);
    snprintf(name, sizeof name, ".%s.jingle-part", key);
    struct stat found = {0};
    while (found.st_size < 5) { /* ctest's limit ends a failure */
        usleep(20000);
        assert_int_equal(stat(folder_path(name), &found), 0);
    }
    file_mover_free(mover);
    partial_file_close(to);
    close(fds[1]);
}

#define TEST(name) cmocka_unit_test_setup(name, empty)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_files_of_every_size_arrive_equal),
        TEST(test_without_hashes_the_kernel_sends_the_same),
        TEST(test_a_wrong_hash_keeps_nothing),
        TEST(test_a_hash_of_an_algorithm_that_was_not_computed_says_nothing),
        TEST(test_more_than_announced_keeps_nothing),
        TEST(test_a_peer_that_closes_after_the_last_byte_is_waited_for_in_peace),
        TEST(test_a_broken_transfer_goes_on_and_has_the_hash_of_the_whole),
        TEST(test_a_receiver_that_is_killed_again_and_again_ends_with_an_equal_file),
        TEST(test_many_files_move_at_once),
        TEST(test_every_status_has_a_sentence_of_its_own),
        TEST(test_cancelling_keeps_what_came),
        TEST(test_what_is_only_checked_has_not_moved),
        TEST(test_a_mover_that_waits_for_its_peer_is_cancelled_at_once),
        TEST(test_a_peer_has_time_to_check_what_it_has),
        TEST(test_silence_ends_a_transfer_and_a_pause_does_not),
        TEST(test_a_source_that_changes_is_not_sent_to_its_end),
        TEST(test_a_peer_that_goes_away_is_a_lost_connection),
        TEST(test_trouble_of_a_sink_ends_the_transfer_with_its_status),
        TEST(test_a_rate_is_kept_and_reports_are_few),
        TEST(test_a_rate_can_be_lifted_on_the_way),
        TEST(test_bytes_that_come_slowly_do_not_wait_for_a_full_buffer),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
