/* The listener and the dialer over loopback, on one GMainContext. */
#include "transfer/bytestream.h"
#include "transfer/socks5_dialer.h"
#include "transfer/socks5_listener.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define OURS   "972b7bf47291ca609517f67f86b5081086052dad"
#define THEIRS "1a12fb7bc625e55f3ed5b29a53dbe0e4aa7d80ba"

static GMainContext *context;

/* What was told. */
struct guests {
    struct socks5_listener *forget_at; /* forgets the address from within */
    unsigned count;
    int fd; /* of the last */
    char address[64];
};

struct dialed {
    struct socks5_dialer *free_me; /* freed from within the hook */
    bool connected;
    unsigned failures;
    int fd;
    char cid[DIAL_CID_SIZE];
};

static void on_guest(void *user, int fd, const char *address)
{
    struct guests *guests = user;
    if (guests->count++ > 0) {
        close(guests->fd);
    }
    guests->fd = fd;
    g_strlcpy(guests->address, address, sizeof guests->address);
    if (guests->forget_at) {
        socks5_listener_forget(guests->forget_at, address);
    }
}

static void on_connected(void *user, int fd, const char *cid)
{
    struct dialed *dialed = user;
    dialed->connected = true;
    dialed->fd = fd;
    g_strlcpy(dialed->cid, cid, sizeof dialed->cid);
    if (dialed->free_me) {
        socks5_dialer_free(dialed->free_me);
    }
}

static void on_failed(void *user)
{
    struct dialed *dialed = user;
    dialed->failures++;
}

static void turn(void)
{
    g_main_context_iteration(context, TRUE);
}

static struct socks5_listener *new_listener(usec guest_limit)
{
    const struct socks5_listener_config config = {.context = context, .guest_limit = guest_limit};
    return socks5_listener_new(&config);
}

static struct socks5_dialer *new_dialer(struct dialed *dialed, bool loopback)
{
    *dialed = (struct dialed){.fd = -1};
    const struct socks5_dialer_config config = {
        .context = context,
        .hooks = {on_connected, on_failed, dialed},
        .stagger = 20 * USEC_PER_MS,
        .from = {.loopback = loopback},
    };
    return socks5_dialer_new(&config);
}

static void add(struct socks5_dialer *dialer, const char *cid, const char *host, uint16_t port,
                uint32_t priority, const char *second)
{
    struct dial_candidate candidate = {.port = port, .priority = priority};
    g_strlcpy(candidate.cid, cid, sizeof candidate.cid);
    g_strlcpy(candidate.host, host, sizeof candidate.host);
    g_strlcpy(candidate.addresses[0], OURS, sizeof candidate.addresses[0]);
    g_strlcpy(candidate.addresses[1], second, sizeof candidate.addresses[1]);
    assert_true(socks5_dialer_add(dialer, &candidate));
}

/* A port that refuses until somebody listens. */
static int closed_host(uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

/* A socket that listens and whose kernel accepts without anybody speaking. */
static int silent_host(uint16_t *port)
{
    int fd = closed_host(port);
    assert_int_equal(listen(fd, 64), 0);
    return fd;
}

static int connect_to(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int result = connect(fd, (struct sockaddr *)&address, sizeof address);
    if (result < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* What the listener says until it closes, or until it said `enough` bytes. */
static size_t hear(int fd, char *out, size_t enough)
{
    size_t heard = 0;
    while (heard < enough) {
        ssize_t count = recv(fd, out + heard, enough - heard, MSG_DONTWAIT);
        if (count > 0) {
            heard += (size_t)count;
        } else if (count == 0 || errno != EAGAIN) {
            break;
        } else {
            turn();
        }
    }
    return heard;
}

static void assert_connected(int one, int other)
{
    char byte = 0;
    assert_int_equal(send(one, "x", 1, 0), 1);
    while (recv(other, &byte, 1, 0) < 0) {
        assert_int_equal(errno, EAGAIN);
    }
    assert_int_equal(byte, 'x');
}

static void test_a_dialer_and_a_listener_find_each_other(void **state)
{
    (void)state;
    static const char *const hosts[] = {"127.0.0.1", "::1", "localhost"};
    union address local;
    struct address_choice v6 = {.interfaces = "lo", .loopback = true, .family = JINGLE_FAMILY_IPV6};
    bool has_v6 = addresses_list(&v6, &local, 1) > 0;
    for (size_t i = 0; i < 3; i++) {
        if (i == 1 && !has_v6) {
            continue;
        }
        char host[ADDRESS_TEXT_SIZE];
        struct dialed dialed;
        struct guests guests = {0};
        struct socks5_listener *listener = new_listener(0);
        assert_true(socks5_listener_expect(listener, OURS, on_guest, &guests));
        struct socks5_dialer *dialer = new_dialer(&dialed, true);
        add(dialer, "c1", hosts[i], socks5_listener_port(listener), 100, "");
        while (!dialed.connected || guests.count == 0) {
            turn();
        }
        assert_string_equal(dialed.cid, "c1");
        assert_string_equal(guests.address, OURS);
        assert_connected(dialed.fd, guests.fd);
        assert_connected(guests.fd, dialed.fd);
        bytestream_local_host(guests.fd, host);
        assert_true(i == 2 || strcmp(host, hosts[i]) == 0);
        close(dialed.fd);
        close(guests.fd);
        socks5_dialer_free(dialer);
        socks5_listener_free(listener);
    }
}

static void test_the_other_hash_order_is_tried_when_the_first_is_refused(void **state)
{
    (void)state;
    struct dialed dialed;
    struct guests guests = {0};
    struct socks5_listener *listener = new_listener(0);
    assert_true(socks5_listener_expect(listener, THEIRS, on_guest, &guests));
    struct socks5_dialer *dialer = new_dialer(&dialed, true);
    add(dialer, "c1", "127.0.0.1", socks5_listener_port(listener), 100, THEIRS);
    while (!dialed.connected || guests.count == 0) {
        turn();
    }
    assert_string_equal(guests.address, THEIRS);
    close(dialed.fd);
    close(guests.fd);
    socks5_dialer_free(dialer);

    dialer = new_dialer(&dialed, true);
    add(dialer, "c1", "127.0.0.1", socks5_listener_port(listener), 100, "");
    while (dialed.failures == 0) {
        turn();
    }
    socks5_dialer_free(dialer);
    socks5_listener_free(listener);
}

static void test_the_port_is_open_only_while_something_is_expected(void **state)
{
    (void)state;
    struct guests guests = {0};
    struct socks5_listener *listener = new_listener(0);
    assert_int_equal(socks5_listener_port(listener), 0);
    assert_true(socks5_listener_expect(listener, OURS, on_guest, &guests));
    assert_true(socks5_listener_expect(listener, THEIRS, on_guest, &guests));
    uint16_t port = socks5_listener_port(listener);
    assert_int_not_equal(port, 0);
    socks5_listener_forget(listener, OURS);
    assert_int_equal(socks5_listener_port(listener), port);
    int fd = connect_to(port);
    assert_true(fd >= 0);
    socks5_listener_forget(listener, THEIRS);
    socks5_listener_forget(listener, THEIRS);
    assert_int_equal(socks5_listener_port(listener), 0);
    assert_int_equal(connect_to(port), -1);
    close(fd);
    socks5_listener_free(listener);
}

static void test_an_unexpected_address_and_nonsense_are_refused(void **state)
{
    (void)state;
    char said[64];
    struct guests guests = {0};
    struct socks5_listener *listener = new_listener(0);
    assert_true(socks5_listener_expect(listener, OURS, on_guest, &guests));
    int fd = connect_to(socks5_listener_port(listener));
    static const char request[] = "\5\1\0\5\1\0\3\50" THEIRS "\0";
    assert_int_equal(send(fd, request, sizeof request, 0), sizeof request);
    assert_int_equal(hear(fd, said, sizeof said), 2 + 47);
    assert_memory_equal(said, "\5\0\5\4\0\3", 6);
    close(fd);
    fd = connect_to(socks5_listener_port(listener));
    assert_int_equal(send(fd, "GET /", 5, 0), 5);
    assert_int_equal(hear(fd, said, sizeof said), 0);
    close(fd);
    assert_int_equal(guests.count, 0);
    socks5_listener_free(listener);
}

static void test_what_follows_the_handshake_stays_in_the_stream(void **state)
{
    (void)state;
    struct guests guests = {0};
    char said[64];
    struct socks5_listener *listener = new_listener(0);
    guests.forget_at = listener; /* from within: the port closes */
    assert_true(socks5_listener_expect(listener, OURS, on_guest, &guests));
    int fd = connect_to(socks5_listener_port(listener));
    static const char eager[] = "\5\1\0\5\1\0\3\50" OURS "\0\0payload";
    assert_int_equal(send(fd, eager, sizeof eager - 1, 0), sizeof eager - 1);
    while (guests.count == 0) {
        turn();
    }
    assert_int_equal(socks5_listener_port(listener), 0);
    assert_int_equal(recv(guests.fd, said, sizeof said, 0), 7);
    assert_memory_equal(said, "payload", 7);
    close(fd);
    close(guests.fd);
    socks5_listener_free(listener);
}

static void test_a_guest_that_says_nothing_is_shown_out(void **state)
{
    (void)state;
    char said[4];
    struct guests guests = {0};
    struct socks5_listener *listener = new_listener(30 * USEC_PER_MS);
    assert_true(socks5_listener_expect(listener, OURS, on_guest, &guests));
    int fd = connect_to(socks5_listener_port(listener));
    assert_int_equal(send(fd, "\5", 1, 0), 1);
    assert_int_equal(hear(fd, said, sizeof said), 0);
    close(fd);
    socks5_listener_free(listener);
}

static void test_silent_guests_do_not_keep_others_out_for_long(void **state)
{
    (void)state;
    enum { SILENT = SOCKS5_GUESTS_MAX + 8 };
    int silent[SILENT];
    struct dialed dialed;
    struct guests guests = {0};
    struct socks5_listener *listener = new_listener(100 * USEC_PER_MS);
    assert_true(socks5_listener_expect(listener, OURS, on_guest, &guests));
    for (int i = 0; i < SILENT; i++) {
        silent[i] = connect_to(socks5_listener_port(listener));
        assert_true(silent[i] >= 0);
        while (g_main_context_iteration(context, FALSE)) {
        }
    }
    struct socks5_dialer *dialer = new_dialer(&dialed, true);
    add(dialer, "c1", "127.0.0.1", socks5_listener_port(listener), 100, "");
    while (!dialed.connected) {
        assert_int_equal(dialed.failures, 0);
        turn();
    }
    close(dialed.fd);
    close(guests.fd);
    for (int i = 0; i < SILENT; i++) {
        close(silent[i]);
    }
    socks5_dialer_free(dialer);
    socks5_listener_free(listener);
}

static void test_candidates_are_tried_by_priority_and_a_silent_one_holds_nobody_up(void **state)
{
    (void)state;
    uint16_t silent_port;
    int silent = silent_host(&silent_port);
    struct dialed dialed;
    struct guests guests = {0};
    struct socks5_listener *listener = new_listener(0);
    assert_true(socks5_listener_expect(listener, OURS, on_guest, &guests));
    struct socks5_dialer *dialer = new_dialer(&dialed, true);
    add(dialer, "low", "127.0.0.1", socks5_listener_port(listener), 1, "");
    add(dialer, "silent", "127.0.0.1", silent_port, 3, "");
    add(dialer, "middle", "127.0.0.1", socks5_listener_port(listener), 2, "");
    while (!dialed.connected) {
        turn();
    }
    assert_string_equal(dialed.cid, "middle");
    struct dial_candidate late = {.cid = "late", .host = "127.0.0.1", .port = 1};
    assert_false(socks5_dialer_add(dialer, &late));
    close(dialed.fd);
    if (guests.count > 0) {
        close(guests.fd);
    }
    socks5_dialer_free(dialer);
    socks5_listener_free(listener);
    close(silent);
}

static void test_candidates_that_nobody_should_dial_fail_without_a_packet(void **state)
{
    (void)state;
    static const char *const hosts[] = {"127.0.0.1", "::1", "::ffff:127.0.0.1", "127.9.9.9",
                                        "0.0.0.0",   "::",  "224.0.0.1",        "ff02::1"};
    struct dialed dialed;
    struct guests guests = {0};
    struct socks5_listener *listener = new_listener(0);
    assert_true(socks5_listener_expect(listener, OURS, on_guest, &guests));
    struct socks5_dialer *dialer = new_dialer(&dialed, false);
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        add(dialer, "c", hosts[i], socks5_listener_port(listener), 100, "");
    }
    add(dialer, "no port", "192.0.2.1", 0, 100, "");
    add(dialer, "no host", "", 1080, 100, "");
    while (dialed.failures == 0) {
        turn();
    }
    assert_false(dialed.connected);
    assert_int_equal(guests.count, 0);
    socks5_dialer_free(dialer);
    socks5_listener_free(listener);
}

static void test_a_candidate_that_comes_after_a_failure_is_tried(void **state)
{
    (void)state;
    struct dialed dialed;
    struct guests guests = {0};
    struct socks5_listener *listener = new_listener(0);
    assert_true(socks5_listener_expect(listener, OURS, on_guest, &guests));
    struct socks5_dialer *dialer = new_dialer(&dialed, true);
    uint16_t gone;
    close(silent_host(&gone));
    add(dialer, "gone", "127.0.0.1", gone, 100, THEIRS);
    while (dialed.failures == 0) {
        turn();
    }
    add(dialer, "late", "127.0.0.1", socks5_listener_port(listener), 1, "");
    dialed.free_me = dialer; /* from within */
    while (!dialed.connected) {
        turn();
    }
    assert_int_equal(dialed.failures, 1);
    assert_string_equal(dialed.cid, "late");
    close(dialed.fd);
    while (guests.count == 0) {
        turn();
    }
    close(guests.fd);
    socks5_listener_free(listener);
}

static gboolean begin_to_listen(void *user)
{
    assert_int_equal(listen(*(int *)user, 1), 0);
    return G_SOURCE_REMOVE;
}

/* As Gajim does when our acknowledgement has reached it. */
static void test_a_host_that_listens_a_little_later_is_asked_once_more(void **state)
{
    (void)state;
    struct dialed dialed;
    uint16_t port;
    int host = closed_host(&port);
    struct socks5_dialer *dialer = new_dialer(&dialed, true);
    add(dialer, "late", "127.0.0.1", port, 100, THEIRS);
    GSource *later = g_timeout_source_new((guint)(DIAL_AGAIN_AFTER / USEC_PER_MS / 2));
    g_source_set_callback(later, begin_to_listen, &host, NULL);
    g_source_attach(later, context);
    int guest = -1;
    while (guest < 0) {
        assert_int_equal(dialed.failures, 0);
        turn();
        guest = accept4(host, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    }
    g_source_unref(later);
    socks5_dialer_free(dialer);
    close(guest);
    close(host);
}

static void test_candidates_below_what_the_peer_uses_are_not_tried(void **state)
{
    (void)state;
    struct dialed dialed;
    struct guests guests = {0};
    struct socks5_listener *listener = new_listener(0);
    assert_true(socks5_listener_expect(listener, OURS, on_guest, &guests));
    struct socks5_dialer *dialer = new_dialer(&dialed, true);
    add(dialer, "low", "127.0.0.1", socks5_listener_port(listener), 10, "");
    socks5_dialer_keep_above(dialer, 11);
    while (dialed.failures == 0) {
        turn();
    }
    assert_int_equal(guests.count, 0);
    socks5_dialer_free(dialer);
    socks5_listener_free(listener);
}

static void test_a_silent_host_is_given_up_and_dialers_can_be_freed_at_any_time(void **state)
{
    (void)state;
    uint16_t port;
    int silent = silent_host(&port);
    struct dialed dialed = {.fd = -1};
    const struct socks5_dialer_config config = {
        .context = context,
        .hooks = {on_connected, on_failed, &dialed},
        .candidate_limit = 30 * USEC_PER_MS,
        .from = {.loopback = true},
    };
    struct socks5_dialer *dialer = socks5_dialer_new(&config);
    add(dialer, "silent", "127.0.0.1", port, 10, THEIRS);
    while (dialed.failures == 0) {
        turn();
    }
    add(dialer, "silent", "127.0.0.1", port, 10, "");
    add(dialer, "name", "localhost", port, 11, "");
    turn();
    socks5_dialer_free(dialer);
    while (g_main_context_iteration(context, FALSE)) {
    }
    close(silent);
}

static void test_there_is_a_limit_to_candidates_and_to_expected_addresses(void **state)
{
    (void)state;
    struct dialed dialed;
    struct guests guests = {0};
    struct socks5_dialer *dialer = new_dialer(&dialed, false);
    for (int i = 0; i < DIAL_CANDIDATES_MAX; i++) {
        add(dialer, "c", "127.0.0.1", 1, 1, "");
    }
    struct dial_candidate one_more = {.cid = "c", .host = "127.0.0.1", .port = 1};
    assert_false(socks5_dialer_add(dialer, &one_more));
    socks5_dialer_free(dialer);

    struct socks5_listener *listener = new_listener(0);
    for (int i = 0; i < SOCKS5_EXPECTED_MAX; i++) {
        char address[16];
        snprintf(address, sizeof address, "%d", i);
        assert_true(socks5_listener_expect(listener, address, on_guest, &guests));
    }
    assert_false(socks5_listener_expect(listener, OURS, on_guest, &guests));
    assert_true(socks5_listener_expect(listener, "7", on_guest, &guests));
    socks5_listener_free(listener);
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
        cmocka_unit_test(test_a_dialer_and_a_listener_find_each_other),
        cmocka_unit_test(test_the_other_hash_order_is_tried_when_the_first_is_refused),
        cmocka_unit_test(test_the_port_is_open_only_while_something_is_expected),
        cmocka_unit_test(test_an_unexpected_address_and_nonsense_are_refused),
        cmocka_unit_test(test_what_follows_the_handshake_stays_in_the_stream),
        cmocka_unit_test(test_a_guest_that_says_nothing_is_shown_out),
        cmocka_unit_test(test_silent_guests_do_not_keep_others_out_for_long),
        cmocka_unit_test(test_candidates_are_tried_by_priority_and_a_silent_one_holds_nobody_up),
        cmocka_unit_test(test_candidates_that_nobody_should_dial_fail_without_a_packet),
        cmocka_unit_test(test_a_candidate_that_comes_after_a_failure_is_tried),
        cmocka_unit_test(test_a_host_that_listens_a_little_later_is_asked_once_more),
        cmocka_unit_test(test_candidates_below_what_the_peer_uses_are_not_tried),
        cmocka_unit_test(test_a_silent_host_is_given_up_and_dialers_can_be_freed_at_any_time),
        cmocka_unit_test(test_there_is_a_limit_to_candidates_and_to_expected_addresses),
    };
    return cmocka_run_group_tests(tests, make_context, free_context);
}
