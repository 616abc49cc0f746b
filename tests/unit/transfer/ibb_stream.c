/* Two ends of an in-band bytestream, back to back on one GMainContext, with movers behind them. */
#include "transfer/ibb_stream.h"
#include "transfer/file_mover.h"
#include "transfer/memory_ends.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BLOCK = 4096, SIZE = 1000001 };

struct end {
    struct ibb_stream *stream;
    int fd; /* the mover's half */
    /* what the hooks told */
    unsigned blocks;
    size_t bytes;
    uint8_t last[BLOCK];
    uint16_t seq;
    unsigned acknowledged;
    void *token;
    bool drained;
    struct end *peer; /* gets the blocks at once; NULL: nobody does */
};

static GMainContext *context;

static void on_send(void *user, uint16_t seq, const uint8_t *bytes, size_t size)
{
    struct end *end = user;
    end->blocks++;
    end->bytes += size;
    end->seq = seq;
    memcpy(end->last, bytes, size);
    if (end->peer) {
        void *token = GUINT_TO_POINTER(seq);
        assert_int_equal(ibb_stream_take(end->peer->stream, seq, bytes, size, token), IBB_NEXT);
    }
}

static void on_acknowledge(void *user, void *token)
{
    struct end *end = user;
    end->acknowledged++;
    end->token = token;
    if (end->peer) {
        ibb_stream_acked(end->peer->stream, (uint16_t)GPOINTER_TO_UINT(token));
    }
}

static void on_drained(void *user)
{
    struct end *end = user;
    end->drained = true;
}

static void on_stalled(void *user)
{
    (void)user;
    fail();
}

static void open_end(struct end *end, unsigned window)
{
    *end = (struct end){.fd = -1};
    const struct ibb_stream_config config = {
        .context = context,
        .block_size = BLOCK,
        .window = window,
        .hooks = {on_send, on_acknowledge, on_drained, on_stalled, end},
    };
    end->stream = ibb_stream_new(&config, &end->fd);
    assert_non_null(end->stream);
}

static void settle(void)
{
    while (g_main_context_iteration(context, FALSE)) {
    }
}

/* -------------------------------------------------------------------------- with movers -- */

struct moved {
    atomic_bool all;
    atomic_bool ended;
    enum transfer_status status; /* once ended */
};

static void on_event(void *user, const struct mover_event *event)
{
    struct moved *moved = user;
    if (event->kind == MOVER_ENDED) {
        moved->status = event->status;
        atomic_store(&moved->ended, true);
    } else if (event->kind == MOVER_ALL_MOVED) {
        atomic_store(&moved->all, true);
    }
    g_main_context_wakeup(context);
}

static void test_a_file_goes_through_in_band_blocks(void **state)
{
    (void)state;
    static const unsigned windows[] = {1, 3, IBB_WINDOW_MAX};
    uint8_t *bytes = malloc(SIZE);
    uint8_t *room = malloc(SIZE);
    for (size_t i = 0; i < SIZE; i++) {
        bytes[i] = (uint8_t)(i * 7 + i / 251);
    }
    for (size_t i = 0; i < 3; i++) {
        struct end from;
        struct end to;
        struct moved sent = {0};
        struct moved received = {0};
        struct memory_bytes source = {.bytes = bytes, .size = SIZE};
        struct memory_bytes sink = {.bytes = room, .size = SIZE};
        memset(room, 0, SIZE);
        open_end(&from, windows[i]);
        open_end(&to, 1);
        from.peer = &to;
        to.peer = &from;
        const struct mover_config out = {.stream = from.fd,
                                         .source = memory_source(&source),
                                         .end = SIZE,
                                         .event = on_event,
                                         .user = &sent};
        const struct mover_config in = {.stream = to.fd,
                                        .receiving = true,
                                        .sink = memory_sink(&sink),
                                        .end = SIZE,
                                        .event = on_event,
                                        .user = &received};
        struct file_mover *receiver = file_mover_new(&in);
        struct file_mover *sender = file_mover_new(&out);
        file_mover_finish(receiver, NULL, 0);
        while (!atomic_load(&sent.all)) {
            g_main_context_iteration(context, TRUE);
        }
        ibb_stream_finish(from.stream);
        while (!from.drained || !atomic_load(&received.ended) || !atomic_load(&sent.ended)) {
            g_main_context_iteration(context, TRUE);
        }
        ibb_stream_closed(to.stream);
        assert_int_equal(sent.status, TRANSFER_OK);
        assert_int_equal(received.status, TRANSFER_OK);
        assert_memory_equal(room, bytes, SIZE);
        assert_int_equal(ibb_stream_delivered(from.stream), SIZE);
        assert_true(from.blocks <= SIZE / BLOCK + 40); /* hardly any that are not full */
        file_mover_free(sender);
        file_mover_free(receiver);
        ibb_stream_free(from.stream);
        ibb_stream_free(to.stream);
    }
    free(bytes);
    free(room);
}

static void test_a_close_before_the_end_is_a_lost_connection(void **state)
{
    (void)state;
    struct end to;
    struct moved received = {0};
    uint8_t room[10];
    struct memory_bytes sink = {.bytes = room, .size = 10};
    open_end(&to, 1);
    const struct mover_config in = {.stream = to.fd,
                                    .receiving = true,
                                    .sink = memory_sink(&sink),
                                    .end = 10,
                                    .event = on_event,
                                    .user = &received};
    struct file_mover *receiver = file_mover_new(&in);
    assert_int_equal(ibb_stream_take(to.stream, 0, (const uint8_t *)"12345", 5, &to), IBB_NEXT);
    assert_ptr_equal(to.token, &to);
    ibb_stream_closed(to.stream);
    while (!atomic_load(&received.ended)) {
        g_main_context_iteration(context, TRUE);
    }
    assert_int_equal(received.status, TRANSFER_CONNECTION_LOST);
    assert_int_equal(sink.used, 5);
    file_mover_free(receiver);
    ibb_stream_free(to.stream);
}

/* ----------------------------------------------------------------------- without movers -- */

static void test_a_block_waits_for_the_acknowledgement_of_the_last(void **state)
{
    (void)state;
    struct end from;
    uint8_t bytes[3 * IBB_FLYING_LEAST + 5] = {0}; /* blocks of one and of two parts, and a rest */
    open_end(&from, 1);
    assert_int_equal(send(from.fd, bytes, sizeof bytes, 0), sizeof bytes);
    settle();
    assert_int_equal(from.blocks, 1);
    assert_int_equal(from.bytes, IBB_FLYING_LEAST);
    ibb_stream_acked(from.stream, 7); /* of nothing */
    settle();
    assert_int_equal(from.blocks, 1);
    ibb_stream_acked(from.stream, 0);
    settle();
    assert_int_equal(from.blocks, 2);
    ibb_stream_finish(from.stream);
    ibb_stream_acked(from.stream, 1);
    settle();
    assert_int_equal(from.bytes, sizeof bytes);
    assert_false(from.drained);
    ibb_stream_acked(from.stream, 2);
    assert_true(from.drained);
    close(from.fd);
    ibb_stream_free(from.stream);
}

static void test_an_empty_file_is_drained_at_once(void **state)
{
    (void)state;
    struct end from;
    open_end(&from, 1);
    settle();
    assert_false(from.drained);
    ibb_stream_finish(from.stream);
    assert_true(from.drained);
    assert_int_equal(from.blocks, 0);
    close(from.fd);
    ibb_stream_free(from.stream);
}

static void test_a_mover_that_does_not_read_keeps_the_peer_waiting(void **state)
{
    (void)state;
    struct end to;
    static const uint8_t block[BLOCK];
    uint8_t read_back[BLOCK];
    uint32_t seq = 0;
    open_end(&to, 1);
    while (to.acknowledged == seq) {
        assert_int_equal(ibb_stream_take(to.stream, seq++, block, BLOCK, NULL), IBB_NEXT);
    }
    settle();
    assert_int_equal(to.acknowledged, seq - 1);
    for (unsigned held = 1; held < IBB_HELD_MAX; held++) {
        assert_int_equal(ibb_stream_take(to.stream, seq++, block, BLOCK, NULL), IBB_NEXT);
    }
    assert_int_equal(ibb_stream_take(to.stream, seq, block, BLOCK, NULL), IBB_TOO_MANY);
    ssize_t count;
    size_t came = 0;
    while ((count = recv(to.fd, read_back, sizeof read_back, 0)) != 0) {
        came += count > 0 ? (size_t)count : 0;
        settle();
    }
    assert_int_equal(came, seq * BLOCK); /* what was taken still comes, then the end */
    assert_int_equal(to.acknowledged, seq);
    close(to.fd);
    ibb_stream_free(to.stream);
}

static void test_an_error_breaks_the_stream_on_both_halves(void **state)
{
    (void)state;
    struct end from;
    open_end(&from, 4);
    assert_int_equal(send(from.fd, "hello", 5, 0), 5);
    settle();
    assert_int_equal(from.blocks, 1);
    ibb_stream_refused(from.stream);
    settle();
    assert_int_equal(send(from.fd, "hello", 5, MSG_NOSIGNAL), -1);
    assert_int_equal(errno, EPIPE);
    assert_int_equal(ibb_stream_take(from.stream, 0, from.last, 1, NULL), IBB_CLOSED);
    assert_false(from.drained);
    close(from.fd);
    ibb_stream_free(from.stream);
}

static void test_blocks_for_a_mover_that_is_gone_go_nowhere(void **state)
{
    (void)state;
    struct end to;
    open_end(&to, 1);
    close(to.fd);
    settle();
    assert_int_equal(ibb_stream_take(to.stream, 0, to.last, BLOCK, NULL), IBB_NEXT);
    assert_int_equal(to.acknowledged, 1);
    settle();
    ibb_stream_free(to.stream);
}

static int make_context(void **state)
{
    (void)state;
    context = g_main_context_new();
    return 0;
}

static int free_context(void **state)
{
    (void)state;
    g_main_context_unref(context);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file_goes_through_in_band_blocks),
        cmocka_unit_test(test_a_close_before_the_end_is_a_lost_connection),
        cmocka_unit_test(test_a_block_waits_for_the_acknowledgement_of_the_last),
        cmocka_unit_test(test_an_empty_file_is_drained_at_once),
        cmocka_unit_test(test_a_mover_that_does_not_read_keeps_the_peer_waiting),
        cmocka_unit_test(test_an_error_breaks_the_stream_on_both_halves),
        cmocka_unit_test(test_blocks_for_a_mover_that_is_gone_go_nowhere),
    };
    return cmocka_run_group_tests(tests, make_context, free_context);
}
