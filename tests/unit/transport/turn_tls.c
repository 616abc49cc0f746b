/* Who may use the bridge to a TURN server over TLS. That it carries: tests/system/turn.c. */
#include "transport/turn_tls.h"

#include "base/addresses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static GMainContext *context;
static struct turn_tls *bridge;

static bool ipv6;

static bool has_ipv6_loopback(void)
{
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool has = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
    if (fd >= 0)
        close(fd);
    return has;
}

static int set_up(void **state)
{
    (void)state;
    context = g_main_context_new();
    struct turn_tls_config config = {
        .context = context,
        .host = "127.0.0.1",
        .port = 9, /* nobody is there */
        .ipv6 = ipv6,
        .connections = 1,
    };
    bridge = turn_tls_new(&config);
    assert_non_null(bridge);
    assert_string_equal(turn_tls_host(bridge), ipv6 ? "::1" : "127.0.0.1");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    turn_tls_free(bridge);
    g_main_context_unref(context);
    return 0;
}

/* -1 if nobody listens. */
static int connect_to_bridge(void)
{
    union address address = {.v6.sin6_family = AF_UNSPEC};
    if (ipv6)
        address.v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    else
        address.v4 =
            (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    address.v4.sin_port = htons(turn_tls_port(bridge));
    int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, &address.any, ipv6 ? sizeof address.v6 : sizeof address.v4) == 0)
        return fd;
    close(fd);
    return -1;
}

/* In a process of its own: exits with 0 if it is let in and cut. */
static pid_t start_stranger(void)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    char byte;
    int fd = connect_to_bridge();
    _exit(fd >= 0 && read(fd, &byte, 1) <= 0 ? 0 : 1);
}

static void test_a_connection_of_another_process_is_cut_and_not_counted(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        pid_t stranger = start_stranger();
        assert_true(stranger > 0);
        int status = 0;
        while (waitpid(stranger, &status, WNOHANG) == 0) {
            g_main_context_iteration(context, FALSE);
            g_usleep(1000);
        }
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
    int own = connect_to_bridge();
    assert_true(own >= 0);
    close(own);
}

static void test_the_listener_closes_after_the_expected_connections(void **state)
{
    (void)state;
    int own = connect_to_bridge();
    assert_true(own >= 0);
    g_main_context_iteration(context, TRUE);
    assert_int_equal(connect_to_bridge(), -1);
    close(own);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_a_connection_of_another_process_is_cut_and_not_counted),
        TEST(test_the_listener_closes_after_the_expected_connections),
    };
    int failed = cmocka_run_group_tests_name("IPv4", tests, NULL, NULL);
    ipv6 = true;
    if (!has_ipv6_loopback())
        print_message("No IPv6 here: the bridge was tried on IPv4 only\n");
    else
        failed += cmocka_run_group_tests_name("IPv6", tests, NULL, NULL);
    return failed;
}
