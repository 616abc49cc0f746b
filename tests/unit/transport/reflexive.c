/* How STUN servers are asked, in virtual time. */
#include "transport/reflexive.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define ASKED_MAX 256
#define ANSWER    64
#define SUCCESS   0x0101
#define ERROR     0x0111
#define XOR       0x0020
#define PLAIN     0x0001

/* What went to a server. */
struct asked {
    size_t socket;
    union address server;
    uint8_t request[20];
    usec when;
};

static struct reflexive *reflexive;
static struct asked asked[ASKED_MAX];
static size_t asked_count;
static union address found[ASKED_MAX];
static size_t found_count;
static size_t found_socket;
static usec now;
static uint8_t next_byte;

static union address at(const char *ip, uint16_t port)
{
    union address address = {.v6.sin6_family = AF_UNSPEC};
    if (strchr(ip, ':')) {
        address.v6.sin6_family = AF_INET6;
        assert_int_equal(inet_pton(AF_INET6, ip, &address.v6.sin6_addr), 1);
    } else {
        address.v4.sin_family = AF_INET;
        assert_int_equal(inet_pton(AF_INET, ip, &address.v4.sin_addr), 1);
    }
    address.v4.sin_port = htons(port);
    return address;
}

static bool is_at(const union address *address, const char *ip, uint16_t port)
{
    union address other = at(ip, port);
    return address_is_same_host(address, &other) && address->v4.sin_port == htons(port);
}

static void fill(void *user, void *out, size_t bytes)
{
    (void)user;
    memset(out, ++next_byte, bytes);
}

static const struct random_source counted = {.fill = fill};

static void on_ask(void *user, size_t socket, const union address *server, const uint8_t *datagram,
                   size_t bytes)
{
    (void)user;
    assert_true(asked_count < ASKED_MAX);
    assert_int_equal(bytes, sizeof asked->request);
    struct asked *one = &asked[asked_count++];
    *one = (struct asked){.socket = socket, .server = *server, .when = now};
    memcpy(one->request, datagram, bytes);
}

static void on_found(void *user, size_t socket, const union address *seen)
{
    (void)user;
    assert_true(found_count < ASKED_MAX);
    found_socket = socket;
    found[found_count++] = *seen;
}

static void add_socket(const char *ip)
{
    union address bound = at(ip, 5000);
    assert_true(reflexive_add_socket(reflexive, &bound));
}

static void add_server(const char *ip)
{
    union address server = at(ip, 3478);
    reflexive_add_server(reflexive, &server, now);
}

static int set_up(void **state)
{
    (void)state;
    struct reflexive_hooks hooks = {NULL, on_ask, on_found};
    now = 1000 * USEC_PER_SEC;
    next_byte = 0;
    asked_count = found_count = 0;
    reflexive = reflexive_new(&counted, &hooks);
    assert_non_null(reflexive);
    add_socket("10.1.0.2");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    reflexive_free(reflexive);
    return 0;
}

static void run_until(usec end)
{
    while (reflexive_deadline(reflexive) <= end) {
        now = reflexive_deadline(reflexive) > now ? reflexive_deadline(reflexive) : now;
        reflexive_tick(reflexive, now);
    }
    now = end;
}

static void run(usec time)
{
    run_until(now + time);
}

/* Returns its length. */
static size_t write_answer(uint8_t *out, const struct asked *to, unsigned type, unsigned attribute,
                           const union address *seen)
{
    bool v6 = seen->any.sa_family == AF_INET6;
    size_t ip_bytes = v6 ? 16 : 4;
    const uint8_t *ip =
        v6 ? (const uint8_t *)&seen->v6.sin6_addr : (const uint8_t *)&seen->v4.sin_addr;
    uint8_t mask[16] = {0};
    memset(out, 0, ANSWER);
    memcpy(out, to->request, 20);
    out[0] = (uint8_t)(type >> 8);
    out[1] = (uint8_t)type;
    out[3] = (uint8_t)(8 + ip_bytes);
    out[20] = (uint8_t)(attribute >> 8);
    out[21] = (uint8_t)attribute;
    out[23] = (uint8_t)(4 + ip_bytes);
    out[25] = v6 ? 2 : 1;
    if (attribute == XOR)
        memcpy(mask, to->request + 4, sizeof mask);
    const uint8_t *port = (const uint8_t *)&seen->v4.sin_port;
    for (size_t i = 0; i < 2; i++)
        out[26 + i] = port[i] ^ mask[i];
    for (size_t i = 0; i < ip_bytes; i++)
        out[28 + i] = ip[i] ^ mask[i];
    return 28 + ip_bytes;
}

static bool answer_as(const struct asked *to, unsigned type, unsigned attribute, const char *ip,
                      uint16_t port)
{
    uint8_t answer[ANSWER];
    union address seen = at(ip, port);
    size_t bytes = write_answer(answer, to, type, attribute, &seen);
    return reflexive_receive(reflexive, to->socket, &to->server, answer, bytes, now);
}

static bool answer(const struct asked *to, const char *ip, uint16_t port)
{
    return answer_as(to, SUCCESS, XOR, ip, port);
}

/* ----------------------------------------------------------------------------------- tests -- */

static void test_a_request_is_as_rfc_8489_has_it(void **state)
{
    (void)state;
    static const uint8_t expected[20] = {0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 1,
                                         1, 1, 1, 1, 1,    1,    1,    1,    1, 1};
    add_server("192.0.2.1");
    run(0);
    assert_int_equal(asked_count, 1);
    assert_memory_equal(asked[0].request, expected, sizeof expected);
    assert_true(is_at(&asked[0].server, "192.0.2.1", 3478));
}

/* RFC 5769, 2.2 and 2.3 */
static void test_the_answers_of_rfc_5769_are_read(void **state)
{
    (void)state;
    static const uint8_t v4[] =
        "\x01\x01\x00\x3c\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae"
        "\x80\x22\x00\x0b\x74\x65\x73\x74\x20\x76\x65\x63\x74\x6f\x72\x20"
        "\x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43"
        "\x00\x08\x00\x14\x2b\x91\xf5\x99\xfd\x9e\x90\xc3\x8c\x74\x89\xf9\x2a\xf9\xba\x53\xf0\x6b"
        "\xe7\xd7\x80\x28\x00\x04\xc0\x7d\x4c\x96";
    static const uint8_t id[] = "\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae";
    uint8_t message[sizeof v4 - 1];
    add_server("192.0.2.9");
    run(0);
    memcpy(message, v4, sizeof message);
    /* the id that was drawn here; the port is masked by the cookie alone, and so is IPv4 */
    memcpy(message + 8, asked[0].request + 8, sizeof id - 1);
    assert_true(reflexive_receive(reflexive, 0, &asked[0].server, message, sizeof message, now));
    assert_int_equal(found_count, 1);
    assert_true(is_at(&found[0], "192.0.2.1", 32853));
}

static void test_ipv6_is_read_too(void **state)
{
    (void)state;
    add_socket("2001:db8::2");
    add_server("2001:db8::1");
    run(0);
    assert_int_equal(asked[0].socket, 1);
    assert_true(answer(&asked[0], "2001:db8:1234:5678:11:2233:4455:6677", 32853));
    assert_true(is_at(&found[0], "2001:db8:1234:5678:11:2233:4455:6677", 32853));
    assert_int_equal(found_socket, 1);
}

static void test_servers_of_rfc_3489_are_understood(void **state)
{
    (void)state;
    add_server("192.0.2.1");
    run(0);
    assert_true(answer_as(&asked[0], SUCCESS, PLAIN, "203.0.113.2", 5000));
    assert_true(is_at(&found[0], "203.0.113.2", 5000));
}

static void test_all_servers_are_asked_at_once(void **state)
{
    (void)state;
    add_server("192.0.2.1"); /* dead */
    add_server("192.0.2.2");
    add_server("192.0.2.3");
    run(10 * USEC_PER_MS);
    assert_int_equal(asked_count, 3);
    assert_true(answer(&asked[1], "203.0.113.2", 5000));
    assert_int_equal(found_count, 1);
}

static void test_they_are_asked_from_all_sockets_of_their_family(void **state)
{
    (void)state;
    add_socket("172.17.0.1");
    add_socket("2001:db8::2");
    add_server("192.0.2.1");
    add_server("2001:db8::1");
    run(20 * USEC_PER_MS);
    assert_int_equal(asked_count, 3);
    assert_true(answer(&asked[1], "203.0.113.2", 5000));
    assert_int_equal(found_socket, 1);
}

static void test_a_question_is_repeated_and_then_given_up(void **state)
{
    (void)state;
    usec begun = now;
    add_server("192.0.2.1");
    run(USEC_PER_SEC);
    assert_true(reflexive_is_asking(reflexive));
    run(60 * USEC_PER_SEC);
    assert_int_equal(asked_count, 3);
    assert_int_equal(asked[1].when - begun, 200 * USEC_PER_MS);
    assert_int_equal(asked[2].when - begun, 600 * USEC_PER_MS);
    assert_memory_equal(asked[0].request, asked[2].request, 20);
    assert_false(reflexive_is_asking(reflexive));
    assert_false(reflexive_was_answered(reflexive));
    assert_true(reflexive_deadline(reflexive) == USEC_NEVER);
}

static void test_a_late_answer_counts(void **state)
{
    (void)state;
    add_server("192.0.2.1");
    run(5 * USEC_PER_SEC);
    assert_true(answer(&asked[0], "203.0.113.2", 5000));
    assert_int_equal(found_count, 1);
}

static void test_our_own_address_is_no_news(void **state)
{
    (void)state;
    add_server("192.0.2.1");
    run(0);
    assert_true(answer(&asked[0], "10.1.0.2", 5000));
    assert_int_equal(found_count, 0);
    assert_true(reflexive_was_answered(reflexive));
    run(60 * USEC_PER_SEC);
    assert_int_equal(asked_count, 1); /* there is no binding to keep */
}

static void test_what_two_servers_say_alike_is_told_once(void **state)
{
    (void)state;
    add_server("192.0.2.1");
    add_server("192.0.2.2");
    add_server("192.0.2.3");
    run(10 * USEC_PER_MS);
    answer(&asked[0], "203.0.113.2", 5000);
    answer(&asked[1], "203.0.113.2", 5000);
    answer(&asked[2], "203.0.113.2", 6000); /* a port for each destination: a symmetric NAT */
    assert_int_equal(found_count, 1);
    run(15 * USEC_PER_SEC);
    assert_int_equal(asked_count, 4); /* one keeps it alive */
}

static void test_what_two_servers_see_differently_is_told_twice(void **state)
{
    (void)state;
    add_server("192.0.2.1");
    add_server("10.9.9.9"); /* in a company's own network */
    run(10 * USEC_PER_MS);
    answer(&asked[0], "203.0.113.2", 5000);
    answer(&asked[1], "10.8.0.1", 5000);
    assert_int_equal(found_count, 2);
}

static void test_a_binding_is_kept_alive_until_it_is_not_needed(void **state)
{
    (void)state;
    add_server("192.0.2.1");
    run(0);
    answer(&asked[0], "203.0.113.2", 5000);
    run(15 * USEC_PER_SEC);
    assert_int_equal(asked_count, 2);
    assert_memory_not_equal(asked[0].request, asked[1].request, 20);
    answer(&asked[1], "203.0.113.2", 5000);
    assert_int_equal(found_count, 1);
    run(15 * USEC_PER_SEC);
    assert_int_equal(asked_count, 3);
    reflexive_settle(reflexive);
    run(60 * USEC_PER_SEC);
    assert_int_equal(asked_count, 3);
}

static void test_a_binding_that_has_changed_is_told(void **state)
{
    (void)state;
    add_server("192.0.2.1");
    run(0);
    answer(&asked[0], "203.0.113.2", 5000);
    run(15 * USEC_PER_SEC);
    answer(&asked[1], "203.0.113.2", 5001);
    assert_int_equal(found_count, 2);
    assert_true(is_at(&found[1], "203.0.113.2", 5001));
}

static void test_a_server_that_falls_silent_is_asked_again_later(void **state)
{
    (void)state;
    add_server("192.0.2.1");
    run(0);
    answer(&asked[0], "203.0.113.2", 5000);
    run(40 * USEC_PER_SEC);
    assert_true(asked_count > 4);
    assert_true(asked_count < 10);
    assert_false(reflexive_is_asking(reflexive)); /* nobody waits for it */
}

static void test_a_server_that_refuses_is_not_asked_again(void **state)
{
    (void)state;
    add_server("192.0.2.1");
    run(0);
    assert_true(answer_as(&asked[0], ERROR, 0x0009, "203.0.113.2", 5000));
    assert_false(reflexive_is_asking(reflexive));
    assert_int_equal(found_count, 0);
    run(60 * USEC_PER_SEC);
    assert_int_equal(asked_count, 1);
}

static void test_what_is_no_answer_to_us_is_left_alone(void **state)
{
    (void)state;
    uint8_t good[ANSWER];
    union address seen = at("203.0.113.2", 5000);
    union address stranger = at("192.0.2.66", 3478);
    add_socket("172.17.0.1");
    add_server("192.0.2.1");
    run(0);
    const struct asked *to = &asked[0];
    size_t bytes = write_answer(good, to, SUCCESS, XOR, &seen);
    assert_false(reflexive_receive(reflexive, 0, &stranger, good, bytes, now));
    assert_false(reflexive_receive(reflexive, 1, &to->server, good, bytes, now));
    for (size_t cut = 0; cut < bytes; cut++)
        assert_false(reflexive_receive(reflexive, 0, &to->server, good, cut, now));
    for (size_t i = 4; i < 20; i++) { /* cookie and id */
        good[i] ^= 1;
        assert_false(reflexive_receive(reflexive, 0, &to->server, good, bytes, now));
        good[i] ^= 1;
    }
    good[1] = 0x03; /* of a TURN server: the agent's */
    assert_false(reflexive_receive(reflexive, 0, &to->server, good, bytes, now));
    assert_int_equal(found_count, 0);
}

/* Type, length and family of its only attribute are spoilt in turn. */
static void test_malformed_answers_say_nothing(void **state)
{
    static const size_t places[] = {20, 21, 22, 23, 25};
    union address seen = at("203.0.113.2", 5000);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        for (unsigned value = 0; value < 256; value++) {
            uint8_t bad[ANSWER];
            add_server("192.0.2.1");
            run(0);
            size_t bytes = write_answer(bad, &asked[0], SUCCESS, XOR, &seen);
            bool good = bad[places[i]] == value;
            bad[places[i]] = (uint8_t)value;
            bool plain = places[i] == 21 && value == PLAIN; /* what is masked is another address */
            assert_true(reflexive_receive(reflexive, 0, &asked[0].server, bad, bytes, now));
            assert_int_equal(found_count, good || plain);
            assert_false(reflexive_is_asking(reflexive));
            tear_down(state);
            set_up(state);
        }
    }
}

static void test_a_server_is_believed_once_for_each_question(void **state)
{
    (void)state;
    add_server("192.0.2.1");
    run(0);
    for (uint16_t port = 5000; port < 5100; port++)
        assert_true(answer(&asked[0], "203.0.113.2", port));
    assert_int_equal(found_count, 1);
}

static void test_the_number_of_questions_is_limited(void **state)
{
    (void)state;
    char ip[32];
    for (unsigned i = 0; i < 200; i++) {
        assert_true(snprintf(ip, sizeof ip, "192.0.2.%u", i) > 0);
        add_server(ip);
        add_server(ip); /* twice is once */
    }
    run(USEC_PER_SEC);
    assert_int_equal(asked_count, 3 * REFLEXIVE_MAX_QUESTIONS);
    union address one = at("10.0.0.1", 1);
    for (size_t i = 1; i < REFLEXIVE_MAX_SOCKETS; i++)
        assert_true(reflexive_add_socket(reflexive, &one));
    assert_false(reflexive_add_socket(reflexive, &one));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_a_request_is_as_rfc_8489_has_it),
        TEST(test_the_answers_of_rfc_5769_are_read),
        TEST(test_ipv6_is_read_too),
        TEST(test_servers_of_rfc_3489_are_understood),
        TEST(test_all_servers_are_asked_at_once),
        TEST(test_they_are_asked_from_all_sockets_of_their_family),
        TEST(test_a_question_is_repeated_and_then_given_up),
        TEST(test_a_late_answer_counts),
        TEST(test_our_own_address_is_no_news),
        TEST(test_what_two_servers_say_alike_is_told_once),
        TEST(test_what_two_servers_see_differently_is_told_twice),
        TEST(test_a_binding_is_kept_alive_until_it_is_not_needed),
        TEST(test_a_binding_that_has_changed_is_told),
        TEST(test_a_server_that_falls_silent_is_asked_again_later),
        TEST(test_a_server_that_refuses_is_not_asked_again),
        TEST(test_what_is_no_answer_to_us_is_left_alone),
        TEST(test_malformed_answers_say_nothing),
        TEST(test_a_server_is_believed_once_for_each_question),
        TEST(test_the_number_of_questions_is_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
