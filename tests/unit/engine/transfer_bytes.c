/* engine/transfer_bytes.h: from memory to memory over a pair of sockets, with an I/O thread and a
 * closer's of the test's own. */
#include "transfer_bytes.h"
#include "transfer/bytestream.h"
#include "transfer/memory_ends.h"
#include "transfer_hashes.h"

#include <glib.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { SIZE = 600000 };

static struct loop *io;
static struct loop *closer;

/* One end of a transfer; written on the I/O thread, read after its semaphores. */
struct end {
    struct transfer_bytes *bytes;
    struct memory_bytes memory;
    struct file_hash sent[HASH_ALGORITHMS];
    size_t sent_count;
    unsigned reports;
    enum transfer_status status;
    bool touched;
    unsigned hangups;
    sem_t all_sent;
    sem_t ended;
    sem_t hung_up;
    sem_t closed;
};

static void wait_for(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0) {
    }
}

static void on_progress(void *user, const struct progress *progress, bool checking)
{
    struct end *end = user;
    assert_false(checking);
    assert_true(progress->done <= SIZE);
    end->reports++;
}

static void on_sent(void *user, const struct hash_value *hashes, size_t count)
{
    struct end *end = user;
    end->sent_count = transfer_hashes_write(hashes, count, end->sent);
    sem_post(&end->all_sent);
}

static void on_ended(void *user, enum transfer_status status, bool touched)
{
    struct end *end = user;
    end->status = status;
    end->touched = touched;
    sem_post(&end->ended);
}

static void on_hung_up(void *user)
{
    struct end *end = user;
    end->hangups++;
    sem_post(&end->hung_up);
}

static void end_make(struct end *end)
{
    *end = (struct end){.memory = {.bytes = g_malloc0(SIZE), .size = SIZE}};
    sem_init(&end->all_sent, 0, 0);
    sem_init(&end->ended, 0, 0);
    sem_init(&end->hung_up, 0, 0);
    sem_init(&end->closed, 0, 0);
}

static void end_clear(struct end *end)
{
    g_free(end->memory.bytes);
    sem_destroy(&end->all_sent);
    sem_destroy(&end->ended);
    sem_destroy(&end->hung_up);
    sem_destroy(&end->closed);
}

static struct transfer_bytes_config config_of(struct end *end, int stream)
{
    return (struct transfer_bytes_config){
        .io = io,
        .closer = closer,
        .stream = stream,
        .end = SIZE,
        .hooks = {end, on_progress, on_sent, on_ended, on_hung_up},
    };
}

/* What is asked of bytes is asked on the I/O thread. */
struct request {
    struct end *end;
    const struct transfer_bytes_config *config;
    const struct file_hash *hashes;
    size_t count;
    bool answer;
};

static void do_begin(void *arg)
{
    struct request *request = arg;
    request->end->bytes = transfer_bytes_begin(request->config);
}

static void begin(struct end *end, const struct transfer_bytes_config *config)
{
    struct request request = {.end = end, .config = config};
    loop_call(io, do_begin, &request);
    assert_non_null(end->bytes);
}

static void begin_sender(struct end *end, int stream, unsigned algorithms)
{
    struct transfer_bytes_config config = config_of(end, stream);
    for (size_t i = 0; i < SIZE; i++) {
        end->memory.bytes[i] = (uint8_t)(i * 13 + i / 7);
    }
    config.source = memory_source(&end->memory);
    config.algorithms = algorithms;
    begin(end, &config);
}

static void begin_receiver(struct end *end, int stream, const char *algorithm, const char *value,
                           usec limit)
{
    struct transfer_bytes_config config = config_of(end, stream);
    struct file_hash told = {0};
    config.receiving = true;
    config.sink = memory_sink(&end->memory);
    config.checksum_limit = limit;
    if (algorithm) {
        g_strlcpy(told.algorithm, algorithm, sizeof told.algorithm);
        g_strlcpy(told.value, value, sizeof told.value);
        config.told = &told;
        config.told_count = 1;
    }
    begin(end, &config);
}

static void do_checksum(void *arg)
{
    struct request *request = arg;
    transfer_bytes_checksum(request->end->bytes, request->hashes, request->count);
}

static void tell_checksum(struct end *end, const struct file_hash *hashes, size_t count)
{
    struct request request = {.end = end, .hashes = hashes, .count = count};
    loop_call(io, do_checksum, &request);
}

static void do_ask(void *arg)
{
    struct request *request = arg;
    request->answer = transfer_bytes_can_compare(request->end->bytes);
}

static bool can_compare(struct end *end)
{
    struct request request = {.end = end};
    loop_call(io, do_ask, &request);
    return request.answer;
}

static void do_cancel(void *arg)
{
    transfer_bytes_cancel(((struct end *)arg)->bytes);
}

static void on_closed(void *arg)
{
    sem_post(&((struct end *)arg)->closed);
}

static void do_close(void *arg)
{
    struct end *end = arg;
    transfer_bytes_close(end->bytes, on_closed, end);
}

static void close_end(struct end *end)
{
    loop_call(io, do_close, end);
    wait_for(&end->closed);
}

struct pair {
    struct end from;
    struct end to;
    int fds[2];
};

static void pair_make(struct pair *pair)
{
    end_make(&pair->from);
    end_make(&pair->to);
    assert_true(bytestream_pair(pair->fds));
}

static void pair_clear(struct pair *pair)
{
    end_clear(&pair->from);
    end_clear(&pair->to);
}

static void assert_came(const struct pair *pair)
{
    assert_int_equal(pair->to.status, TRANSFER_OK);
    assert_int_equal(pair->to.memory.used, SIZE);
    assert_memory_equal(pair->from.memory.bytes, pair->to.memory.bytes, SIZE);
}

/* -------------------------------------------------------------------------------- stories -- */

static void test_a_checksum_that_is_promised_is_waited_for(void **state)
{
    (void)state;
    struct pair pair;
    pair_make(&pair);
    begin_sender(&pair.from, pair.fds[0], hash_bit(HASH_SHA_256));
    begin_receiver(&pair.to, pair.fds[1], "sha-256", "", 3600 * USEC_PER_SEC);
    wait_for(&pair.from.ended);
    wait_for(&pair.from.all_sent);
    assert_int_equal(pair.from.status, TRANSFER_OK);
    assert_int_equal(pair.from.sent_count, 1);
    assert_false(can_compare(&pair.to));
    tell_checksum(&pair.to, pair.from.sent, 1);
    wait_for(&pair.to.ended);
    assert_true(can_compare(&pair.to));
    assert_came(&pair);
    assert_true(pair.to.touched && pair.to.reports > 0);
    close_end(&pair.to);
    wait_for(&pair.from.hung_up);
    close_end(&pair.from);
    assert_int_equal(pair.from.hangups, 1);
    pair_clear(&pair);
}

static void test_a_promise_that_is_not_kept_ends_the_waiting(void **state)
{
    (void)state;
    struct pair pair;
    pair_make(&pair);
    begin_sender(&pair.from, pair.fds[0], 0);
    begin_receiver(&pair.to, pair.fds[1], "sha-256", "", 1);
    wait_for(&pair.to.ended);
    assert_came(&pair);
    assert_false(can_compare(&pair.to));
    close_end(&pair.from);
    close_end(&pair.to);
    pair_clear(&pair);
}

static void test_without_a_promise_nothing_is_waited_for(void **state)
{
    (void)state;
    struct pair pair;
    pair_make(&pair);
    begin_sender(&pair.from, pair.fds[0], 0);
    begin_receiver(&pair.to, pair.fds[1], NULL, NULL, 3600 * USEC_PER_SEC);
    wait_for(&pair.to.ended);
    assert_came(&pair);
    close_end(&pair.from);
    close_end(&pair.to);
    pair_clear(&pair);
}

static void test_another_hash_than_announced_is_an_error(void **state)
{
    (void)state;
    struct pair pair;
    pair_make(&pair);
    begin_sender(&pair.from, pair.fds[0], 0);
    begin_receiver(&pair.to, pair.fds[1], "sha-1", "2jmj7l5rSw0yVb/vlWAYkK/YBwk=", 0);
    wait_for(&pair.to.ended);
    assert_int_equal(pair.to.status, TRANSFER_WRONG_HASH);
    assert_int_equal(pair.to.memory.used, 0);
    close_end(&pair.from);
    close_end(&pair.to);
    pair_clear(&pair);
}

static void test_a_checksum_of_another_algorithm_is_no_comparison(void **state)
{
    (void)state;
    struct pair pair;
    pair_make(&pair);
    begin_sender(&pair.from, pair.fds[0], hash_bit(HASH_SHA_1) | hash_bit(HASH_SHA_256));
    begin_receiver(&pair.to, pair.fds[1], "sha-256", "", 3600 * USEC_PER_SEC);
    wait_for(&pair.from.all_sent);
    assert_int_equal(pair.from.sent_count, 2);
    tell_checksum(&pair.to, &pair.from.sent[0], 1); /* sha-1, which the receiver did not compute */
    assert_false(can_compare(&pair.to));
    tell_checksum(&pair.to, pair.from.sent, 2);
    wait_for(&pair.to.ended);
    assert_came(&pair);
    close_end(&pair.from);
    close_end(&pair.to);
    pair_clear(&pair);
}

static void test_a_stream_that_breaks_before_its_first_byte_is_untouched(void **state)
{
    (void)state;
    struct pair pair;
    pair_make(&pair);
    close(pair.fds[0]);
    begin_receiver(&pair.to, pair.fds[1], NULL, NULL, 0);
    wait_for(&pair.to.ended);
    assert_int_equal(pair.to.status, TRANSFER_CONNECTION_LOST);
    assert_false(pair.to.touched);
    close_end(&pair.to);
    pair_clear(&pair);
}

static void test_what_is_cancelled_says_so_and_what_is_closed_nothing(void **state)
{
    (void)state;
    struct pair pair;
    pair_make(&pair);
    begin_sender(&pair.from, pair.fds[0], 0);
    begin_receiver(&pair.to, pair.fds[1], "sha-256", "", 3600 * USEC_PER_SEC);
    loop_call(io, do_cancel, &pair.to);
    wait_for(&pair.to.ended);
    assert_int_equal(pair.to.status, TRANSFER_CANCELED);
    close_end(&pair.to);
    close_end(&pair.from);
    pair_clear(&pair);
}

static int start_loops(void **state)
{
    (void)state;
    io = loop_new("test-io");
    closer = loop_new("test-closer");
    return io && closer ? 0 : -1;
}

static int end_loops(void **state)
{
    (void)state;
    loop_free(closer);
    loop_free(io);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_checksum_that_is_promised_is_waited_for),
        cmocka_unit_test(test_a_promise_that_is_not_kept_ends_the_waiting),
        cmocka_unit_test(test_without_a_promise_nothing_is_waited_for),
        cmocka_unit_test(test_another_hash_than_announced_is_an_error),
        cmocka_unit_test(test_a_checksum_of_another_algorithm_is_no_comparison),
        cmocka_unit_test(test_a_stream_that_breaks_before_its_first_byte_is_untouched),
        cmocka_unit_test(test_what_is_cancelled_says_so_and_what_is_closed_nothing),
    };
    return cmocka_run_group_tests(tests, start_loops, end_loops);
}
