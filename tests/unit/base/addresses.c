#include "base/addresses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include <arpa/inet.h>
#include <string.h>

static void test_without_patterns_all_interfaces_are_chosen(void **state)
{
    (void)state;
    assert_true(interface_is_chosen(NULL, "eth0"));
    assert_true(interface_is_chosen("", "eth0"));
    assert_true(interface_is_chosen(" , ,", "eth0"));
}

static void test_only_named_interfaces_are_chosen(void **state)
{
    (void)state;
    assert_true(interface_is_chosen("eth0, wl*", "eth0"));
    assert_true(interface_is_chosen("eth0, wl*", "wlan1"));
    assert_false(interface_is_chosen("eth0,wl*", "eth01"));
    assert_false(interface_is_chosen("eth0,wl*", "tun0"));
}

static void test_what_is_left_out_leaves_the_others(void **state)
{
    (void)state;
    assert_false(interface_is_chosen("!docker*,!tun?", "docker0"));
    assert_false(interface_is_chosen("!docker*,!tun?", "tun1"));
    assert_true(interface_is_chosen("!docker*,!tun?", "eth0"));
}

static void test_the_first_pattern_that_matches_counts(void **state)
{
    (void)state;
    assert_false(interface_is_chosen("!eth1,eth*", "eth1"));
    assert_true(interface_is_chosen("!eth1,eth*", "eth0"));
    assert_false(interface_is_chosen("!eth1,eth*", "wlan0"));
    assert_true(interface_is_chosen("eth*,!eth1", "eth1"));
}

static void test_loopback_comes_only_when_wanted_and_last(void **state)
{
    union address with[ADDRESSES_MAX];
    union address without[ADDRESSES_MAX];
    struct address_choice choice = {.family = JINGLE_FAMILY_IPV4};
    size_t fewer = addresses_list(&choice, without, ADDRESSES_MAX);
    choice.loopback = true;
    size_t more = addresses_list(&choice, with, ADDRESSES_MAX);
    (void)state;
    assert_true(more > fewer);
    for (size_t i = 0; i < more; i++) {
        bool loopback = ntohl(with[i].v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
        assert_int_equal(with[i].any.sa_family, AF_INET);
        assert_int_equal(loopback, i >= fewer);
    }
}

static void test_no_more_is_listed_than_there_is_room(void **state)
{
    union address one;
    struct address_choice choice = {.loopback = true};
    (void)state;
    assert_int_equal(addresses_list(&choice, &one, 1), 1);
    assert_int_equal(addresses_list(&choice, &one, 0), 0);
}

static void test_an_interface_that_is_not_there_has_no_address(void **state)
{
    union address list[ADDRESSES_MAX];
    struct address_choice choice = {.interfaces = "nothing*", .loopback = true};
    (void)state;
    assert_int_equal(addresses_list(&choice, list, ADDRESSES_MAX), 0);
}

static void test_addresses_are_written_as_people_write_them(void **state)
{
    static const struct {
        sa_family_t family;
        const char *address, *text;
    } rows[] = {{AF_INET, "192.0.2.7", "192.0.2.7"},
                {AF_INET6, "2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
                {AF_INET6, "::ffff:192.0.2.7", "192.0.2.7"},
                {AF_INET6, "::1", "::1"}};
    char text[ADDRESS_TEXT_SIZE];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        union address address = {.any.sa_family = rows[i].family};
        bool v4 = rows[i].family == AF_INET;
        void *bytes = v4 ? (void *)&address.v4.sin_addr : &address.v6.sin6_addr;
        assert_int_equal(inet_pton(rows[i].family, rows[i].address, bytes), 1);
        assert_true(address_to_text(&address, text));
        assert_string_equal(text, rows[i].text);
    }
    assert_false(address_to_text(&(union address){.any.sa_family = AF_UNIX}, text));
    assert_string_equal(text, "");
}

static void test_no_address_is_of_a_link_alone(void **state)
{
    union address list[ADDRESSES_MAX];
    struct address_choice choice = {.loopback = true};
    size_t count = addresses_list(&choice, list, ADDRESSES_MAX);
    char text[ADDRESS_TEXT_SIZE];
    (void)state;
    for (size_t i = 0; i < count; i++) {
        assert_true(address_to_text(&list[i], text));
        assert_int_not_equal(strncmp(text, "fe80", 4), 0);
    }
}

/* One that is: tests/system/test_files_networks.py. */
static void test_sockets_with_an_address_of_ours_are_not_uprooted(void **state)
{
    (void)state;
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    int bound = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(bound, (struct sockaddr *)&here, sizeof here), 0);
    assert_false(socket_is_uprooted(pair[0]));
    assert_false(socket_is_uprooted(bound));
    close(bound);
    close(pair[0]);
    close(pair[1]);
    assert_false(socket_is_uprooted(bound));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_patterns_all_interfaces_are_chosen),
        cmocka_unit_test(test_only_named_interfaces_are_chosen),
        cmocka_unit_test(test_what_is_left_out_leaves_the_others),
        cmocka_unit_test(test_the_first_pattern_that_matches_counts),
        cmocka_unit_test(test_loopback_comes_only_when_wanted_and_last),
        cmocka_unit_test(test_no_more_is_listed_than_there_is_room),
        cmocka_unit_test(test_an_interface_that_is_not_there_has_no_address),
        cmocka_unit_test(test_addresses_are_written_as_people_write_them),
        cmocka_unit_test(test_no_address_is_of_a_link_alone),
        cmocka_unit_test(test_sockets_with_an_address_of_ours_are_not_uprooted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
