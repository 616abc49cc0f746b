/* engine/transfer_stream.h: two of them over loopback, on one context; signalling is the test. */
#include "transfer_stream.h"

#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define ONE   "972b7bf47291ca609517f67f86b5081086052dad"
#define OTHER "1a12fb7bc625e55f3ed5b29a53dbe0e4aa7d80ba"

static GMainContext *context;

struct end {
    struct socks5_listener *listener;
    struct transfer_stream *stream;
    struct s5b_candidate candidates[S5B_CANDIDATES_MAX]; /* that it told */
    size_t candidate_count;
    char cid[S5B_CID_SIZE]; /* by which it is connected */
    unsigned unconnected;
    int proxy; /* 1: connected, -1: not */
    /* in-band */
    struct end *peer;
    unsigned drained;
};

static void on_candidate(void *user, enum s5b_type type, const char *host, uint16_t port)
{
    struct end *end = user;
    struct s5b_candidate *candidate = &end->candidates[end->candidate_count];
    *candidate = (struct s5b_candidate){
        .type = type, .port = port, .priority = 1000 - (uint32_t)end->candidate_count};
    snprintf(candidate->cid, sizeof candidate->cid, "c%zu", end->candidate_count);
    g_strlcpy(candidate->host, host, sizeof candidate->host);
    end->candidate_count++;
}

static void on_connected(void *user, const char *cid)
{
    g_strlcpy(((struct end *)user)->cid, cid, S5B_CID_SIZE);
}

static void on_unconnected(void *user)
{
    ((struct end *)user)->unconnected++;
}

static void on_proxy_connected(void *user, bool connected)
{
    ((struct end *)user)->proxy = connected ? 1 : -1;
}

/* The server between them carries blocks and their answers at once. */
static void on_send_block(void *user, uint16_t seq, const uint8_t *bytes, size_t size)
{
    struct end *end = user;
    struct ibb_stream *there = transfer_stream_ibb(end->peer->stream);
    assert_int_equal(ibb_stream_take(there, seq, bytes, size, GUINT_TO_POINTER(seq + 1U)),
                     IBB_NEXT);
}

static void on_block_written(void *user, void *token)
{
    struct end *end = user;
    ibb_stream_acked(transfer_stream_ibb(end->peer->stream),
                     (uint16_t)(GPOINTER_TO_UINT(token) - 1));
}

static void on_drained(void *user)
{
    ((struct end *)user)->drained++;
}

static void on_stalled(void *user)
{
    (void)user;
    fail_msg("nothing stalls here");
}

static void end_make(struct end *end, struct end *peer)
{
    struct socks5_listener_config listener = {.context = context};
    *end = (struct end){.peer = peer, .listener = socks5_listener_new(&listener)};
    struct transfer_stream_config config = {
        .context = context,
        .listener = end->listener,
        .choice = {.loopback = true},
        .hooks = {.user = end,
                  .candidate = on_candidate,
                  .connected = on_connected,
                  .unconnected = on_unconnected,
                  .proxy_connected = on_proxy_connected,
                  .send_block = on_send_block,
                  .block_written = on_block_written,
                  .drained = on_drained,
                  .stalled = on_stalled},
    };
    end->stream = transfer_stream_new(&config);
}

static void end_clear(struct end *end)
{
    transfer_stream_free(end->stream);
    assert_int_equal(socks5_listener_port(end->listener), 0);
    socks5_listener_free(end->listener);
}

static void turn(void)
{
    g_main_context_iteration(context, TRUE);
}

static void assert_joined(int one, int other)
{
    char text[6] = "";
    assert_int_equal(send(one, "hello", 5, 0), 5);
    while (recv(other, text, 5, MSG_DONTWAIT) != 5) {
        g_main_context_iteration(context, FALSE);
    }
    assert_string_equal(text, "hello");
}

static const struct s5b_candidate *find_host(const struct end *end, const char *host)
{
    for (size_t i = 0; i < end->candidate_count; i++) {
        if (strcmp(end->candidates[i].host, host) == 0) {
            return &end->candidates[i];
        }
    }
    fail_msg("there is no loopback");
    return NULL;
}

static void test_the_one_that_dials_meets_the_one_that_listens(void **state)
{
    (void)state;
    const char *const addresses[2] = {ONE, OTHER};
    struct end alice;
    struct end bob;
    end_make(&alice, &bob);
    end_make(&bob, &alice);
    transfer_stream_listen(alice.stream, addresses, true);
    const struct s5b_candidate *local = find_host(&alice, "127.0.0.1");
    assert_int_equal(local->port, socks5_listener_port(alice.listener));
    transfer_stream_dial(bob.stream, local, 1, addresses);
    while (!*bob.cid) {
        turn();
    }
    assert_string_equal(bob.cid, local->cid);
    int dialed = transfer_stream_take(bob.stream, FILE_STREAM_DIALED, NULL);
    int guest = transfer_stream_take(alice.stream, FILE_STREAM_GUEST, "127.0.0.1");
    assert_true(dialed >= 0 && guest >= 0);
    assert_int_equal(socks5_listener_port(alice.listener), 0); /* nobody is expected any more */
    assert_joined(dialed, guest);
    assert_joined(guest, dialed);
    assert_int_equal(transfer_stream_take(alice.stream, FILE_STREAM_GUEST, NULL), -1);
    close(dialed);
    close(guest);
    end_clear(&alice);
    end_clear(&bob);
}

/* A guest, by SOCKS5 done by hand with a dialer of another stream. */
static int visit(struct end *visitor, const struct s5b_candidate *candidate, const char *address)
{
    const char *const addresses[2] = {address, ""};
    visitor->cid[0] = '\0';
    transfer_stream_dial(visitor->stream, candidate, 1, addresses);
    while (!*visitor->cid) {
        turn();
    }
    return transfer_stream_take(visitor->stream, FILE_STREAM_DIALED, NULL);
}

static void test_of_several_guests_the_one_that_is_still_there_is_taken(void **state)
{
    (void)state;
    const char *const addresses[2] = {ONE, OTHER};
    struct end alice;
    struct end bob;
    end_make(&alice, &bob);
    end_make(&bob, &alice);
    transfer_stream_listen(alice.stream, addresses, true);
    const struct s5b_candidate *local = find_host(&alice, "127.0.0.1");
    int first = visit(&bob, local, ONE);
    int second = visit(&bob, local, OTHER);
    close(first);
    int guest = transfer_stream_take(alice.stream, FILE_STREAM_GUEST, "127.0.0.1");
    assert_joined(second, guest);
    close(second);
    close(guest);
    end_clear(&alice);
    end_clear(&bob);
}

static void test_who_hides_its_addresses_does_not_listen(void **state)
{
    (void)state;
    const char *const addresses[2] = {ONE, OTHER};
    struct end alice;
    end_make(&alice, NULL);
    transfer_stream_listen(alice.stream, addresses, false);
    assert_int_equal(alice.candidate_count, 0);
    assert_int_equal(socks5_listener_port(alice.listener), 0);
    assert_int_equal(transfer_stream_take(alice.stream, FILE_STREAM_GUEST, NULL), -1);
    end_clear(&alice);
}

static void test_nothing_to_dial_is_said_at_once(void **state)
{
    (void)state;
    const char *const addresses[2] = {ONE, OTHER};
    struct end alice;
    end_make(&alice, NULL);
    transfer_stream_dial(alice.stream, NULL, 0, addresses);
    assert_int_equal(alice.unconnected, 1);
    end_clear(&alice);
}

static void test_candidates_that_are_not_worth_it_any_more_are_left(void **state)
{
    (void)state;
    const char *const addresses[2] = {ONE, OTHER};
    struct s5b_candidate nobody = {.cid = "x", .host = "192.0.2.1", .port = 9, .priority = 5};
    struct end alice;
    end_make(&alice, NULL);
    transfer_stream_dial(alice.stream, &nobody, 1, addresses);
    transfer_stream_dial_above(alice.stream, 6);
    while (alice.unconnected == 0) {
        turn();
    }
    end_clear(&alice);
}

static void test_a_proxy_is_connected_or_not(void **state)
{
    (void)state;
    const char *const addresses[2] = {ONE, OTHER};
    struct end alice;
    struct end proxy;
    end_make(&alice, NULL);
    end_make(&proxy, NULL);
    transfer_stream_listen(proxy.stream, addresses, true);
    const struct s5b_candidate *local = find_host(&proxy, "127.0.0.1");
    transfer_stream_proxy(alice.stream, local, "0000000000000000000000000000000000000000");
    while (alice.proxy == 0) {
        turn();
    }
    assert_int_equal(alice.proxy, -1);
    alice.proxy = 0;
    transfer_stream_proxy(alice.stream, local, ONE);
    while (alice.proxy == 0) {
        turn();
    }
    assert_int_equal(alice.proxy, 1);
    int fd = transfer_stream_take(alice.stream, FILE_STREAM_PROXY, NULL);
    assert_true(fd >= 0);
    close(fd);
    end_clear(&alice);
    end_clear(&proxy);
}

static void test_in_band_is_a_descriptor_like_any_other(void **state)
{
    (void)state;
    struct end alice;
    struct end bob;
    end_make(&alice, &bob);
    end_make(&bob, &alice);
    assert_null(transfer_stream_ibb(alice.stream));
    int from = transfer_stream_inband(alice.stream, 4096, 16);
    int to = transfer_stream_inband(bob.stream, 4096, 1);
    assert_joined(from, to);
    ibb_stream_finish(transfer_stream_ibb(alice.stream));
    while (alice.drained == 0) {
        turn();
    }
    assert_int_equal(ibb_stream_delivered(transfer_stream_ibb(alice.stream)), 5);
    close(from);
    close(to);
    end_clear(&alice);
    end_clear(&bob);
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
        cmocka_unit_test(test_the_one_that_dials_meets_the_one_that_listens),
        cmocka_unit_test(test_of_several_guests_the_one_that_is_still_there_is_taken),
        cmocka_unit_test(test_who_hides_its_addresses_does_not_listen),
        cmocka_unit_test(test_nothing_to_dial_is_said_at_once),
        cmocka_unit_test(test_candidates_that_are_not_worth_it_any_more_are_left),
        cmocka_unit_test(test_a_proxy_is_connected_or_not),
        cmocka_unit_test(test_in_band_is_a_descriptor_like_any_other),
    };
    return cmocka_run_group_tests(tests, make_context, free_context);
}
