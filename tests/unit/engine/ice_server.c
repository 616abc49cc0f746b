/* engine/ice_server.h: URIs of RFC 7064 and RFC 7065, and entries of XEP-0215. */
#include "ice_server.h"

#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static jingle_status read_uri(const char *uri, struct ice_server *out)
{
    jingle_ice_server server = {.uri = uri, .username = "user", .password = "secret"};
    return ice_server_read(&server, out);
}

static void test_good_uris_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *uri;
        const char *host;
        enum ice_server_transport transport;
        uint16_t port;
        bool turn;
    } table[] = {
        /* RFC 7064, appendix A */
        {"stun:example.org", "example.org", ICE_SERVER_UDP, 0, false},
        {"stun:example.org:8000", "example.org", ICE_SERVER_UDP, 8000, false},
        /* RFC 7065, appendix A */
        {"turn:example.org", "example.org", ICE_SERVER_UDP, 0, true},
        {"turns:example.org", "example.org", ICE_SERVER_TLS, 0, true},
        {"turn:example.org:8000", "example.org", ICE_SERVER_UDP, 8000, true},
        {"turn:example.org?transport=udp", "example.org", ICE_SERVER_UDP, 0, true},
        {"turn:example.org?transport=tcp", "example.org", ICE_SERVER_TCP, 0, true},
        {"turns:example.org?transport=tcp", "example.org", ICE_SERVER_TLS, 0, true},
        /* literals, and what is equal by RFC 3986 */
        {"stun:192.0.2.1:3478", "192.0.2.1", ICE_SERVER_UDP, 3478, false},
        {"stun:[2001:db8::1]", "2001:db8::1", ICE_SERVER_UDP, 0, false},
        {"turn:[2001:db8::1]:5000?transport=tcp", "2001:db8::1", ICE_SERVER_TCP, 5000, true},
        {"STUN:Example.ORG", "Example.ORG", ICE_SERVER_UDP, 0, false},
        {"TURNS:h:1?TRANSPORT=TCP", "h", ICE_SERVER_TLS, 1, true},
        {"stun:example.org:", "example.org", ICE_SERVER_UDP, 0, false},
        {"stun:a_b-c.example:65535", "a_b-c.example", ICE_SERVER_UDP, 65535, false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        struct ice_server out;
        if (read_uri(table[i].uri, &out) != JINGLE_OK) {
            fail_msg("%s was refused", table[i].uri);
        }
        assert_int_equal(out.turn, table[i].turn);
        assert_int_equal(out.transport, table[i].transport);
        assert_string_equal(out.host, table[i].host);
        assert_int_equal(out.port, table[i].port);
        assert_string_equal(out.username, "user");
        assert_string_equal(out.password, "secret");
        ice_server_clear(&out);
    }
}

static void test_nasty_uris_are_refused(void **state)
{
    (void)state;
    static const char *const table[] = {
        "",
        "stun",
        "stun:",
        "turn:",
        "stun:?",
        "stun::3478",
        "http://example.org",
        "example.org:3478",
        " stun:example.org",
        "stun:example.org ",
        "stun://example.org",
        "stun:example.org/",
        "stun:user@example.org",
        "stun:exa mple.org",
        "stun:example.org\n",
        "stun:example%2eorg",
        "stun:ex\xc3\xa4mple.org",
        "stun:example.org?transport=udp",
        "stun:example.org?",
        "turn:example.org?",
        "turn:example.org?transport",
        "turn:example.org?transport=",
        "turn:example.org?transport=sctp",
        "turn:example.org?transport=udp&x=1",
        "turn:example.org?transport=udp?transport=udp",
        "turn:example.org?transport=tcpx",
        "stun:example.org:0",
        "stun:example.org:65536",
        "stun:example.org:-1",
        "stun:example.org:+80",
        "stun:example.org: 80",
        "stun:example.org:80x",
        "stun:example.org:0x50",
        "stun:example.org:99999999999999999999",
        "stun:example.org:80:81",
        "stun:2001:db8::1",
        "stun:[2001:db8::1",
        "stun:2001:db8::1]",
        "stun:[]",
        "stun:[example.org]",
        "stun:[192.0.2.1]",
        "stun:[2001:db8::1]x",
        "stun:[2001:db8::1]3478",
        "stun:[2001:db8::1]:x",
        "stun:[[2001:db8::1]]",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        struct ice_server out;
        if (read_uri(table[i], &out) != JINGLE_ERROR_INVALID) {
            fail_msg("\"%s\" was not refused", table[i]);
        }
        assert_null(out.host);
    }
}

static void test_a_host_has_the_length_of_a_name(void **state)
{
    (void)state;
    struct ice_server out;
    char *longest = g_strdup_printf("stun:%0253d", 0);
    char *longer = g_strdup_printf("stun:%0254d", 0);
    char *giant = g_strdup_printf("stun:%01000000d", 0);
    assert_int_equal(read_uri(longest, &out), JINGLE_OK);
    ice_server_clear(&out);
    assert_int_equal(read_uri(longer, &out), JINGLE_ERROR_INVALID);
    assert_int_equal(read_uri(giant, &out), JINGLE_ERROR_INVALID);
    g_free(longest);
    g_free(longer);
    g_free(giant);
}

static void test_what_a_call_cannot_use_is_told_apart(void **state)
{
    (void)state;
    struct ice_server out;
    assert_int_equal(read_uri("stuns:example.org", &out), JINGLE_ERROR_UNSUPPORTED);
    assert_int_equal(read_uri("turns:example.org?transport=udp", &out), JINGLE_ERROR_UNSUPPORTED);
    assert_int_equal(read_uri("stuns:exam ple.org", &out), JINGLE_ERROR_INVALID);
}

static void test_turn_needs_credentials_and_stun_does_not(void **state)
{
    (void)state;
    struct ice_server out;
    jingle_ice_server turn = {.uri = "turn:example.org"};
    jingle_ice_server stun = {.uri = "stun:example.org"};
    jingle_ice_server nothing = {0};
    assert_int_equal(ice_server_read(&turn, &out), JINGLE_ERROR_INVALID);
    turn.username = "user";
    assert_int_equal(ice_server_read(&turn, &out), JINGLE_ERROR_INVALID);
    turn.password = "secret";
    assert_int_equal(ice_server_read(&turn, &out), JINGLE_OK);
    ice_server_clear(&out);
    assert_int_equal(ice_server_read(&stun, &out), JINGLE_OK);
    assert_string_equal(out.username, "");
    assert_string_equal(out.password, "");
    ice_server_clear(&out);
    assert_int_equal(ice_server_read(&nothing, &out), JINGLE_ERROR_INVALID);
}

static void test_services_become_servers_where_a_call_can_use_them(void **state)
{
    (void)state;
    static const struct {
        enum external_service_type type;
        bool tcp;
        const char *username;
        bool usable;
        bool turn;
        enum ice_server_transport transport;
    } table[] = {
        {SERVICE_STUN, false, "", true, false, ICE_SERVER_UDP},
        {SERVICE_STUN, true, "", false, false, ICE_SERVER_UDP},
        {SERVICE_STUNS, true, "", false, false, ICE_SERVER_UDP},
        {SERVICE_TURN, false, "u", true, true, ICE_SERVER_UDP},
        {SERVICE_TURN, true, "u", true, true, ICE_SERVER_TCP},
        {SERVICE_TURN, false, "", false, true, ICE_SERVER_UDP},
        {SERVICE_TURNS, true, "u", true, true, ICE_SERVER_TLS},
        {SERVICE_TURNS, true, "", false, true, ICE_SERVER_TLS},
        {SERVICE_TURNS, false, "u", false, true, ICE_SERVER_TLS},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        struct external_service service = {
            .type = table[i].type,
            .host = (char *)"relay.example.org",
            .port = 3479,
            .tcp = table[i].tcp,
            .username = (char *)table[i].username,
            .password = (char *)"secret",
        };
        struct ice_server out;
        assert_int_equal(ice_server_from_service(&service, &out), table[i].usable);
        if (table[i].usable) {
            assert_int_equal(out.turn, table[i].turn);
            assert_int_equal(out.transport, table[i].transport);
            assert_string_equal(out.host, "relay.example.org");
            assert_int_equal(out.port, 3479);
            ice_server_clear(&out);
        }
    }
}

static void test_a_copy_is_a_copy(void **state)
{
    (void)state;
    struct ice_server first;
    struct ice_server second;
    assert_int_equal(read_uri("turn:example.org:7", &first), JINGLE_OK);
    ice_server_copy(&second, &first);
    ice_server_clear(&first);
    assert_null(first.password);
    assert_string_equal(second.host, "example.org");
    assert_string_equal(second.password, "secret");
    assert_int_equal(second.port, 7);
    ice_server_clear(&second);
    ice_server_clear(&second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_uris_are_read),
        cmocka_unit_test(test_nasty_uris_are_refused),
        cmocka_unit_test(test_a_host_has_the_length_of_a_name),
        cmocka_unit_test(test_what_a_call_cannot_use_is_told_apart),
        cmocka_unit_test(test_turn_needs_credentials_and_stun_does_not),
        cmocka_unit_test(test_services_become_servers_where_a_call_can_use_them),
        cmocka_unit_test(test_a_copy_is_a_copy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
