/* What a peer may make an ICE agent do, and how its packets are marked. */
#include "transport/ice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define EF       0xb8
#define AF41     0x88
#define PATIENCE 20 /* seconds */

static GMainContext *context;
static struct poller *poller;
static struct ice *ice;

static void on_candidate(void *user, const struct ice_candidate *candidate)
{
    (void)user;
    (void)candidate;
}

static void on_event(void *user)
{
    (void)user;
}

static void on_receive(void *user, uint8_t *datagram, size_t bytes)
{
    (void)user;
    (void)datagram;
    (void)bytes;
}

static void make_ice(bool loopback, bool video)
{
    jingle_status status;
    struct ice_config config = {
        .poller = poller,
        .controlling = true,
        .loopback = loopback,
        .video = video,
        .hooks = {NULL, on_candidate, on_event, on_event, on_event, on_receive},
    };
    ice = ice_new(&config, &status);
    assert_non_null(ice);
}

static int set_up(void **state)
{
    (void)state;
    context = g_main_context_new_with_flags(G_MAIN_CONTEXT_FLAGS_OWNERLESS_POLLING);
    poller = poller_new(context);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ice_free(ice);
    poller_free(poller);
    g_main_context_unref(context);
    return 0;
}

static bool offer(const char *ip, uint16_t port)
{
    struct ice_candidate candidate = {.component = 1, .foundation = "1", .port = port};
    g_strlcpy(candidate.ip, ip, sizeof candidate.ip);
    return ice_add_candidate(ice, &candidate);
}

static void test_addresses_where_no_peer_can_be_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "999.1.1.1",
        "host.example",
        "0.0.0.0",
        "0.1.2.3",
        "224.0.0.251",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "ff02::1",
        "fe80::1",
        "::ffff:127.0.0.1",
        "::ffff:192.0.2.1",
        "::192.0.2.1",
        "fe80::1%eth0",
        "::g",
        "%n%n%s",
    };
    make_ice(true, false);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_false(offer(bad[i], 5000));
    assert_true(offer("192.0.2.1", 5000));
    assert_true(offer("2001:db8::1", 5000));
    assert_true(offer("169.254.1.1", 5000)); /* two computers on a cable */
}

static void test_ports_of_services_are_refused(void **state)
{
    (void)state;
    static const uint16_t bad[] = {0, 1, 22, 53, 123, 161, 1023};
    make_ice(true, false);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_false(offer("192.0.2.1", bad[i]));
    assert_true(offer("192.0.2.1", 443));
    assert_true(offer("192.0.2.1", 1024));
    assert_true(offer("192.0.2.1", 65535));
}

static bool has_a_network(void)
{
    struct ifaddrs *all;
    bool found = false;
    assert_int_equal(getifaddrs(&all), 0);
    for (const struct ifaddrs *i = all; i; i = i->ifa_next)
        found |= i->ifa_addr && i->ifa_addr->sa_family == AF_INET && (i->ifa_flags & IFF_UP) &&
                 !(i->ifa_flags & IFF_LOOPBACK);
    freeifaddrs(all);
    return found;
}

static void test_loopback_is_for_labs_only(void **state)
{
    static const char *const addresses[] = {"127.0.0.1", "127.9.9.9", "::1"};
    (void)state;
    make_ice(false, false);
    for (size_t i = 0; i < G_N_ELEMENTS(addresses); i++)
        assert_int_equal(offer(addresses[i], 5000), !has_a_network());
    ice_free(ice);
    make_ice(true, false);
    for (size_t i = 0; i < G_N_ELEMENTS(addresses); i++)
        assert_true(offer(addresses[i], 5000));
}

static void test_thousands_of_candidates_are_bounded(void **state)
{
    (void)state;
    unsigned taken = 0;
    make_ice(true, false);
    for (unsigned i = 0; i < 5000; i++)
        taken += offer("192.0.2.1", (uint16_t)(1024 + i));
    assert_int_equal(taken, ICE_MAX_REMOTE_CANDIDATES);
}

/* ------------------------------------------------------------------------------------ DSCP -- */

/* A socket on loopback that tells how what it gets is marked; -1 if there is no such family. */
static int open_listener(int family, uint16_t *port)
{
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 bound = {0}; /* in both families the port is at the same place */
    socklen_t bytes = sizeof bound;
    int on = 1;
    int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool v6 = family == AF_INET6;
    if (bind(fd, v6 ? (struct sockaddr *)&any : (struct sockaddr *)&v4,
             v6 ? sizeof any : sizeof v4) != 0) {
        close(fd);
        return -1;
    }
    assert_int_equal(setsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP,
                                v6 ? IPV6_RECVTCLASS : IP_RECVTOS, &on, sizeof on),
                     0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&bound, &bytes), 0);
    *port = ntohs(bound.sin6_port);
    return fd;
}

/* How the next datagram is marked; -1: none is there. */
static int read_mark(int fd)
{
    uint8_t datagram[2048];
    union {
        char bytes[128];
        struct cmsghdr header;
    } control;
    struct iovec where = {datagram, sizeof datagram};
    struct msghdr message = {
        .msg_iov = &where,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = sizeof control.bytes,
    };
    if (recvmsg(fd, &message, MSG_DONTWAIT) <= 0)
        return -1;
    const struct cmsghdr *first = CMSG_FIRSTHDR(&message);
    assert_non_null(first);
    if (first->cmsg_type == IP_TOS)
        return *CMSG_DATA(first);
    int mark;
    memcpy(&mark, CMSG_DATA(first), sizeof mark);
    return mark;
}

static void on_time(void *user)
{
    (void)user;
}

static int wait_for_mark(int fd)
{
    usec end = clock_now() + PATIENCE * USEC_PER_SEC;
    struct poller_timer timer = {.fire = on_time};
    int mark = -1;
    while (mark < 0 && clock_now() < end) {
        poller_set_timer(poller, &timer, clock_now() + 10 * USEC_PER_MS);
        poller_turn(poller);
        mark = read_mark(fd);
    }
    poller_set_timer(poller, &timer, USEC_NEVER);
    return mark;
}

static void expect_mark(int family, bool video, int expected)
{
    uint16_t port = 0;
    int fd = open_listener(family, &port);
    make_ice(true, video);
    if (fd < 0) {
        print_message("no such addresses here\n");
        return;
    }
    assert_true(ice_gather(ice));
    ice_set_remote(ice, "abcd", "abcdefghijklmnopqrstuv");
    assert_true(offer(family == AF_INET6 ? "::1" : "127.0.0.1", port));
    assert_int_equal(wait_for_mark(fd), expected);
    close(fd);
}

/* RFC 8837 */
static void test_voice_is_marked_ef_over_ipv4(void **state)
{
    (void)state;
    expect_mark(AF_INET, false, EF);
}

static void test_voice_is_marked_ef_over_ipv6(void **state)
{
    (void)state;
    expect_mark(AF_INET6, false, EF);
}

static void test_video_is_marked_af41(void **state)
{
    (void)state;
    expect_mark(AF_INET, true, AF41);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_addresses_where_no_peer_can_be_are_refused),
        TEST(test_ports_of_services_are_refused),
        TEST(test_loopback_is_for_labs_only),
        TEST(test_thousands_of_candidates_are_bounded),
        TEST(test_voice_is_marked_ef_over_ipv4),
        TEST(test_voice_is_marked_ef_over_ipv6),
        TEST(test_video_is_marked_af41),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
