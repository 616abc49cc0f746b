#include "transfer/socks5.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ADDRESS "972b7bf47291ca609517f67f86b5081086052dad"

static bool expect_address(void *user, const char *address)
{
    return strcmp(address, user) == 0;
}

/* A server that expects ADDRESS is given `bytes`, cut after `split`; what it says is in `said`. */
static enum socks5_state serve(const uint8_t *bytes, size_t size, size_t split, uint8_t *said,
                               size_t *said_size)
{
    struct socks5_server server;
    struct socks5_message out;
    char expected[] = ADDRESS;
    socks5_server_init(&server, expect_address, expected);
    *said_size = 0;
    size_t ends[] = {split, size};
    size_t at = 0;
    for (size_t part = 0; part < 2; part++) {
        while (at < ends[part] && socks5_server_wants(&server) > 0) {
            size_t wants = socks5_server_wants(&server);
            size_t count = ends[part] - at < wants ? ends[part] - at : wants;
            socks5_server_take(&server, bytes + at, count, &out);
            at += count;
            memcpy(said + *said_size, out.bytes, out.size);
            *said_size += out.size;
        }
    }
    return server.state;
}

static size_t request(uint8_t *out, uint8_t command, const char *address, uint8_t port)
{
    size_t length = strlen(address);
    memcpy(out, (uint8_t[]){5, 1, 0, 5, command, 0, 3, (uint8_t)length}, 8);
    memcpy(out + 8, address, length);
    out[8 + length] = 0;
    out[9 + length] = port;
    return 10 + length;
}

static void test_an_expected_address_is_let_in_at_every_split_and_echoed(void **state)
{
    (void)state;
    uint8_t bytes[300];
    uint8_t said[600];
    uint8_t answer[300];
    size_t said_size;
    size_t size = request(bytes, 1, ADDRESS, 0);
    size_t answer_size = request(answer, 0, ADDRESS, 0) - 3;
    for (size_t split = 0; split <= size; split++) {
        assert_int_equal(serve(bytes, size, split, said, &said_size), SOCKS5_OPEN);
        assert_int_equal(said_size, 2 + answer_size);
        assert_memory_equal(said, "\5\0", 2);
        assert_memory_equal(said + 2, answer + 3, answer_size);
    }
}

static void test_the_server_takes_nothing_of_the_stream_behind(void **state)
{
    (void)state;
    struct socks5_server server;
    struct socks5_message out;
    char expected[] = ADDRESS;
    uint8_t bytes[300];
    size_t size = request(bytes, 1, ADDRESS, 0);
    socks5_server_init(&server, expect_address, expected);
    size_t at = 0;
    while (socks5_server_wants(&server) > 0) {
        size_t wants = socks5_server_wants(&server);
        assert_true(at + wants <= size);
        socks5_server_take(&server, bytes + at, wants, &out);
        at += wants;
    }
    assert_int_equal(at, size);
    assert_int_equal(server.state, SOCKS5_OPEN);
    assert_string_equal(server.address, ADDRESS);
    assert_int_equal(socks5_server_take(&server, (const uint8_t *)"x", 1, &out), SOCKS5_OPEN);
    assert_int_equal(out.size, 0);
}

static void test_what_is_not_expected_is_refused_with_the_right_reply(void **state)
{
    (void)state;
    static const struct {
        const char *address;
        uint8_t command;
        uint8_t port;
        uint8_t reply;
    } cases[] = {
        {"1a12fb7bc625e55f3ed5b29a53dbe0e4aa7d80ba", 1, 0, SOCKS5_HOST_UNREACHABLE},
        {ADDRESS "0", 1, 0, SOCKS5_HOST_UNREACHABLE},
        {"", 1, 0, SOCKS5_GENERAL_FAILURE},
        {ADDRESS, 1, 80, SOCKS5_NOT_ALLOWED},
        {ADDRESS, 2, 0, SOCKS5_COMMAND_NOT_SUPPORTED},
        {ADDRESS, 3, 0, SOCKS5_COMMAND_NOT_SUPPORTED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t bytes[300];
        uint8_t said[600];
        size_t said_size;
        size_t size = request(bytes, cases[i].command, cases[i].address, cases[i].port);
        assert_int_equal(serve(bytes, size, 0, said, &said_size), SOCKS5_REFUSED);
        assert_int_equal(said[3], cases[i].reply);
        assert_int_equal(said[5], 3);
    }
}

static void test_other_kinds_of_addresses_are_refused(void **state)
{
    (void)state;
    static const uint8_t v4[] = {5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1, 0, 80};
    static const uint8_t v6[] = {5, 1, 0, 5, 1, 0, 4, 0, 0, 0, 0, 0, 0,
                                 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 80};
    static const uint8_t odd[] = {5, 1, 0, 5, 1, 0, 9, 9, 9};
    uint8_t said[600];
    size_t size;
    assert_int_equal(serve(v4, sizeof v4, 0, said, &size), SOCKS5_REFUSED);
    assert_int_equal(said[3], SOCKS5_ADDRESS_TYPE_NOT_SUPPORTED);
    assert_int_equal(serve(v6, sizeof v6, 0, said, &size), SOCKS5_REFUSED);
    assert_int_equal(said[3], SOCKS5_ADDRESS_TYPE_NOT_SUPPORTED);
    assert_int_equal(serve(odd, sizeof odd, 0, said, &size), SOCKS5_BROKEN);
    assert_int_equal(said[3], SOCKS5_ADDRESS_TYPE_NOT_SUPPORTED);
}

static void test_a_zero_inside_an_address_does_not_shorten_it(void **state)
{
    (void)state;
    uint8_t bytes[300];
    uint8_t said[600];
    size_t said_size;
    size_t size = request(bytes, 1, ADDRESS "xx", 0);
    bytes[8 + strlen(ADDRESS)] = 0;
    assert_int_equal(serve(bytes, size, 0, said, &said_size), SOCKS5_REFUSED);
    assert_int_equal(said[3], SOCKS5_GENERAL_FAILURE);
}

static void test_a_guest_that_wants_to_log_in_is_told_that_there_is_no_way(void **state)
{
    (void)state;
    static const uint8_t password_only[] = {5, 1, 2};
    static const uint8_t both[] = {5, 2, 2, 0};
    static const uint8_t none[] = {5, 0};
    uint8_t said[600];
    size_t size;
    assert_int_equal(serve(password_only, 3, 0, said, &size), SOCKS5_BROKEN);
    assert_memory_equal(said, "\5\xff", 2);
    assert_int_equal(serve(none, 2, 0, said, &size), SOCKS5_BROKEN);
    assert_memory_equal(said, "\5\xff", 2);
    assert_int_equal(serve(both, 4, 0, said, &size), SOCKS5_REQUEST);
    assert_memory_equal(said, "\5\0", 2);
}

static void test_what_is_not_socks5_gets_no_answer(void **state)
{
    (void)state;
    uint8_t said[600];
    size_t size;
    assert_int_equal(serve((const uint8_t *)"GET / HTTP/1.1", 14, 0, said, &size), SOCKS5_BROKEN);
    assert_int_equal(size, 0);
    assert_int_equal(serve((const uint8_t *)"\4\1\0\0", 4, 1, said, &size), SOCKS5_BROKEN);
    assert_int_equal(size, 0);
    assert_int_equal(serve((const uint8_t *)"\5\1\0\4\1\0\3", 7, 3, said, &size), SOCKS5_BROKEN);
    assert_int_equal(size, 2);
}

/* A client for ADDRESS is given the answers of a server, cut after `split`. */
static enum socks5_state dial(const uint8_t *bytes, size_t size, size_t split,
                              struct socks5_client *client, struct socks5_message *asked)
{
    struct socks5_message out;
    assert_true(socks5_client_init(client, ADDRESS, &out));
    assert_int_equal(out.size, 3);
    assert_memory_equal(out.bytes, "\5\1\0", 3);
    size_t ends[] = {split, size};
    size_t at = 0;
    asked->size = 0;
    for (size_t part = 0; part < 2; part++) {
        while (at < ends[part] && socks5_client_wants(client) > 0) {
            size_t wants = socks5_client_wants(client);
            size_t count = ends[part] - at < wants ? ends[part] - at : wants;
            socks5_client_take(client, bytes + at, count, &out);
            at += count;
            if (out.size > 0) {
                *asked = out;
            }
        }
    }
    return client->state;
}

static void test_a_client_asks_for_its_address_and_is_let_in_at_every_split(void **state)
{
    (void)state;
    struct socks5_client client;
    struct socks5_message asked;
    uint8_t answers[300];
    uint8_t wanted[300];
    size_t wanted_size = request(wanted, 1, ADDRESS, 0) - 3;
    size_t size = request(answers, 0, ADDRESS, 0) - 1;
    const uint8_t *bytes = answers + 1; /* in place of 05 01 00: 05 00 */
    answers[1] = 5;
    answers[2] = 0;
    for (size_t split = 0; split <= size; split++) {
        assert_int_equal(dial(bytes, size, split, &client, &asked), SOCKS5_OPEN);
        assert_int_equal(asked.size, wanted_size);
        assert_memory_equal(asked.bytes, wanted + 3, wanted_size);
    }
}

static void test_a_client_takes_whatever_address_is_echoed_and_no_byte_behind(void **state)
{
    (void)state;
    static const uint8_t v4[] = {5, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0, 'x'};
    static const uint8_t v6[] = {5, 0, 5, 0, 0, 4, 0, 0, 0, 0, 0, 0,  0,
                                 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'x'};
    static const uint8_t nameless[] = {5, 0, 5, 0, 0, 3, 0, 0, 0, 'x'};
    static const struct {
        const uint8_t *bytes;
        size_t size;
    } cases[] = {{v4, sizeof v4}, {v6, sizeof v6}, {nameless, sizeof nameless}};
    for (size_t i = 0; i < 3; i++) {
        struct socks5_client client;
        struct socks5_message out;
        socks5_client_init(&client, ADDRESS, &out);
        size_t at = 0;
        while (socks5_client_wants(&client) > 0) {
            size_t wants = socks5_client_wants(&client);
            assert_true(at + wants < cases[i].size);
            socks5_client_take(&client, cases[i].bytes + at, wants, &out);
            at += wants;
        }
        assert_int_equal(client.state, SOCKS5_OPEN);
        assert_int_equal(cases[i].bytes[at], 'x');
    }
}

static void test_a_client_tells_a_refusal_from_nonsense(void **state)
{
    (void)state;
    struct socks5_client client;
    struct socks5_message asked;
    static const uint8_t refused[] = {5, 0, 5, 4, 0, 1, 0, 0, 0, 0, 0, 0};
    static const uint8_t refused_oddly[] = {5, 0, 5, 2, 0, 0, 0};
    static const uint8_t odd_success[] = {5, 0, 5, 0, 0, 0, 0};
    static const uint8_t password[] = {5, 2};
    static const uint8_t no_method[] = {5, 0xff};
    static const uint8_t http[] = "HTTP/1.1 400";
    assert_int_equal(dial(refused, sizeof refused, 0, &client, &asked), SOCKS5_REFUSED);
    assert_int_equal(client.refusal, SOCKS5_HOST_UNREACHABLE);
    assert_int_equal(dial(refused_oddly, sizeof refused_oddly, 0, &client, &asked), SOCKS5_REFUSED);
    assert_int_equal(dial(odd_success, sizeof odd_success, 0, &client, &asked), SOCKS5_BROKEN);
    assert_int_equal(dial(password, 2, 0, &client, &asked), SOCKS5_BROKEN);
    assert_int_equal(dial(no_method, 2, 0, &client, &asked), SOCKS5_BROKEN);
    assert_int_equal(dial(http, sizeof http, 0, &client, &asked), SOCKS5_BROKEN);
}

static void test_an_address_has_its_limits(void **state)
{
    (void)state;
    struct socks5_client client;
    struct socks5_message out;
    char address[SOCKS5_ADDRESS_MAX + 2];
    memset(address, 'a', sizeof address);
    address[SOCKS5_ADDRESS_MAX + 1] = 0;
    assert_false(socks5_client_init(&client, address, &out));
    assert_int_equal(socks5_client_wants(&client), 0);
    assert_false(socks5_client_init(&client, "", &out));
    address[SOCKS5_ADDRESS_MAX] = 0;
    assert_true(socks5_client_init(&client, address, &out));
    assert_int_equal(socks5_client_take(&client, (const uint8_t *)"\5\0", 2, &out), SOCKS5_REQUEST);
    assert_int_equal(out.size, SOCKS5_MESSAGE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_expected_address_is_let_in_at_every_split_and_echoed),
        cmocka_unit_test(test_the_server_takes_nothing_of_the_stream_behind),
        cmocka_unit_test(test_what_is_not_expected_is_refused_with_the_right_reply),
        cmocka_unit_test(test_other_kinds_of_addresses_are_refused),
        cmocka_unit_test(test_a_zero_inside_an_address_does_not_shorten_it),
        cmocka_unit_test(test_a_guest_that_wants_to_log_in_is_told_that_there_is_no_way),
        cmocka_unit_test(test_what_is_not_socks5_gets_no_answer),
        cmocka_unit_test(test_a_client_asks_for_its_address_and_is_let_in_at_every_split),
        cmocka_unit_test(test_a_client_takes_whatever_address_is_echoed_and_no_byte_behind),
        cmocka_unit_test(test_a_client_tells_a_refusal_from_nonsense),
        cmocka_unit_test(test_an_address_has_its_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
