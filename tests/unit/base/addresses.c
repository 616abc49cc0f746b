#include "base/addresses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
