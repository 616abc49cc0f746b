/* What the libstrophe connection is made of, as far as it needs no server: the order of servers,
 * the watchdog, and what its log tells and must not tell. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <glib.h>

#include "signaling/diagnosis.h"
#include "signaling/resolve.h"
#include "signaling/watchdog.h"

/* ----------------------------------------------------------------------------- resolving -- */

static void fill_with_number(void *user, void *out, size_t bytes)
{
    memcpy(out, user, bytes);
}

static void test_services_of_both_kinds_are_merged_by_priority(void **state)
{
    (void)state;
    struct resolve_service services[] = {
        {.name = "b", .priority = 20, .weight = 1},
        {.name = "c", .priority = 10, .weight = 1, .direct_tls = true},
        {.name = "a", .priority = 5, .weight = 0},
    };
    resolve_sort(services, 3, &random_system);
    assert_string_equal(services[0].name, "a");
    assert_string_equal(services[1].name, "c");
    assert_true(services[1].direct_tls);
    assert_string_equal(services[2].name, "b");
}

static void test_weights_share_the_load(void **state)
{
    (void)state;
    unsigned first[3] = {0};
    for (uint32_t number = 0; number <= 100; number++) {
        struct resolve_service services[] = {
            {.name = "0", .weight = 0}, {.name = "1", .weight = 20}, {.name = "2", .weight = 80}};
        struct random_source random = {fill_with_number, &number};
        resolve_sort(services, 3, &random);
        first[services[0].name[0] - '0']++;
    }
    assert_int_equal(first[0], 1); /* RFC 2782: a very small chance */
    assert_int_equal(first[1], 20);
    assert_int_equal(first[2], 80);
}

static void test_literals_need_no_look_up(void **state)
{
    (void)state;
    struct resolve_result result;
    GCancellable *cancellable = g_cancellable_new();
    struct resolve_query query = {"192.0.2.1", NULL, 0, JINGLE_TLS_AUTO};
    assert_int_equal(resolve(&query, &random_system, cancellable, &result), JINGLE_OK);
    assert_int_equal(result.count, 1);
    assert_string_equal(result.addresses[0].literal, "192.0.2.1");
    assert_int_equal(result.addresses[0].port, 5222);
    assert_false(result.addresses[0].direct_tls);
    query = (struct resolve_query){"jingle.test", "2001:db8::1", 0, JINGLE_TLS_DIRECT};
    assert_int_equal(resolve(&query, &random_system, cancellable, &result), JINGLE_OK);
    assert_string_equal(result.addresses[0].literal, "2001:db8::1");
    assert_int_equal(result.addresses[0].port, 5223);
    assert_true(result.addresses[0].direct_tls);
    query = (struct resolve_query){"jingle.test", "192.0.2.1", 5223, JINGLE_TLS_AUTO};
    assert_int_equal(resolve(&query, &random_system, cancellable, &result), JINGLE_OK);
    assert_true(result.addresses[0].direct_tls);
    g_object_unref(cancellable);
}

/* A DNS of our own: every name has one address, and each service the target that the test says. */
typedef struct {
    GResolver parent;
} NameServer;

typedef struct {
    GResolverClass parent;
} NameServerClass;

GType name_server_get_type(void);
G_DEFINE_TYPE(NameServer, name_server, G_TYPE_RESOLVER)

static const char *start_tls_target, *direct_tls_target; /* NULL: no record */

static GList *look_up_records(GResolver *resolver, const char *name, GResolverRecordType type,
                              GCancellable *cancellable, GError **error)
{
    (void)resolver;
    (void)cancellable;
    bool direct = g_str_has_prefix(name, "_xmpps-client._tcp.");
    const char *target = direct ? direct_tls_target : start_tls_target;
    if (target && type == G_RESOLVER_RECORD_SRV) {
        GVariant *record = g_variant_new("(qqqs)", 1, 1, direct ? 443 : 5299, target);
        return g_list_append(NULL, g_variant_ref_sink(record));
    }
    g_set_error_literal(error, G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND, "none");
    return NULL;
}

static GList *look_up_name(GResolver *resolver, const char *name, GCancellable *cancellable,
                           GError **error)
{
    (void)resolver;
    (void)cancellable;
    if (strcmp(name, "missing.test") != 0)
        return g_list_append(NULL, g_inet_address_new_from_string("192.0.2.7"));
    g_set_error_literal(error, G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND, "none");
    return NULL;
}

static void name_server_init(NameServer *server)
{
    (void)server;
}

static void name_server_class_init(NameServerClass *class)
{
    G_RESOLVER_CLASS(class)->lookup_records = look_up_records;
    G_RESOLVER_CLASS(class)->lookup_by_name = look_up_name;
}

/* The domain's own address is tried where DNS says nothing about the service, not where it says
 * that there is none (RFC 6120, 3.2.1). */
static void test_what_dns_says_is_followed(void **state)
{
    static const struct {
        const char *start_tls, *direct_tls;
        jingle_tls tls;
        int count;
        uint16_t port; /* of the first */
    } cases[] = {
        {NULL, NULL, JINGLE_TLS_AUTO, 1, 5222},
        {"a.test", NULL, JINGLE_TLS_AUTO, 1, 5299},
        {"a.test", ".", JINGLE_TLS_AUTO, 1, 5299},
        {".", "a.test", JINGLE_TLS_AUTO, 1, 443},
        {"a.test", "a.test", JINGLE_TLS_AUTO, 2, 0},
        {"a.test", "a.test", JINGLE_TLS_DIRECT, 1, 443},
        {NULL, "a.test", JINGLE_TLS_START, 1, 5222},
        {".", NULL, JINGLE_TLS_AUTO, 0, 0},
        {".", ".", JINGLE_TLS_AUTO, 0, 0},
        {"missing.test", NULL, JINGLE_TLS_AUTO, 0, 0},
    };
    (void)state;
    GResolver *before = g_resolver_get_default();
    GResolver *server = g_object_new(name_server_get_type(), NULL);
    GCancellable *cancellable = g_cancellable_new();
    g_resolver_set_default(server);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct resolve_query query = {"jingle.test", NULL, 0, cases[i].tls};
        struct resolve_result result;
        start_tls_target = cases[i].start_tls;
        direct_tls_target = cases[i].direct_tls;
        assert_int_equal(resolve(&query, &random_system, cancellable, &result),
                         cases[i].count > 0 ? JINGLE_OK : JINGLE_ERROR_HOST_NOT_FOUND);
        assert_int_equal(result.count, cases[i].count);
        if (cases[i].port > 0)
            assert_int_equal(result.addresses[0].port, cases[i].port);
    }
    g_resolver_set_default(before);
    g_object_unref(before);
    g_object_unref(server);
    g_object_unref(cancellable);
}

/* ------------------------------------------------------------------------------ watchdog -- */

static void await_end(int fd)
{
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&poller, 1, 30000), 1);
    char byte;
    assert_int_equal(read(fd, &byte, 1), 0);
}

static void test_what_blocks_is_ended_at_the_deadline(void **state)
{
    (void)state;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    struct watchdog *dog = watchdog_new();
    GCancellable *cancellable = watchdog_arm(dog, clock_now() + 20 * USEC_PER_MS);
    watchdog_set_socket(dog, pair[0]);
    await_end(pair[1]);
    assert_true(watchdog_fired(dog));
    assert_true(g_cancellable_is_cancelled(cancellable));
    watchdog_set_socket(dog, -1);
    watchdog_free(dog);
    close(pair[0]);
    close(pair[1]);
}

static void test_a_disarmed_watchdog_does_not_bite(void **state)
{
    (void)state;
    struct watchdog *dog = watchdog_new();
    GCancellable *cancellable = watchdog_arm(dog, clock_now() + 3600 * USEC_PER_SEC);
    watchdog_disarm(dog);
    watchdog_fire(dog);
    assert_false(watchdog_fired(dog));
    assert_false(g_cancellable_is_cancelled(cancellable));
    cancellable = watchdog_arm(dog, clock_now() + 3600 * USEC_PER_SEC);
    watchdog_fire(dog);
    assert_true(watchdog_fired(dog));
    assert_true(g_cancellable_is_cancelled(cancellable));
    watchdog_free(dog);
}

static void test_a_socket_that_comes_too_late_is_shut_at_once(void **state)
{
    (void)state;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    struct watchdog *dog = watchdog_new();
    watchdog_arm(dog, clock_now() + 3600 * USEC_PER_SEC);
    watchdog_fire(dog);
    watchdog_set_socket(dog, pair[0]);
    await_end(pair[1]);
    watchdog_set_socket(dog, -1);
    watchdog_free(dog);
    close(pair[0]);
    close(pair[1]);
}

/* ----------------------------------------------------------------------------- diagnosis -- */

static jingle_status diagnose(const char *const lines[])
{
    struct diagnosis diagnosis;
    diagnosis_reset(&diagnosis);
    for (size_t i = 0; lines[i]; i += 2)
        diagnosis_read(&diagnosis, lines[i], lines[i + 1]);
    return diagnosis_status(&diagnosis);
}

static const char not_authorized[] =
    "RECV: <failure xmlns=\"urn:ietf:params:xml:ns:xmpp-sasl\"><not-authorized/></failure>";
static const char temporary_failure[] =
    "RECV: <failure xmlns=\"urn:ietf:params:xml:ns:xmpp-sasl\"><temporary-auth-failure/>"
    "</failure>";
#define NO_METHOD "Cannot authenticate with known methods"

static void test_the_log_tells_why_a_login_failed(void **state)
{
    (void)state;
    static const char *const nothing[] = {NULL};
    static const char *const password[] = {"xmpp", not_authorized, "auth", NO_METHOD, NULL};
    static const char *const busy[] = {"xmpp", temporary_failure, "auth", NO_METHOD, NULL};
    static const char *const mechanism[] = {"auth", NO_METHOD, NULL};
    static const char *const stripped[] = {
        "xmpp", "TLS is not supported, but set as mandatory for this connection", NULL};
    static const char *const plain[] = {"tls", "error:0A00010B:SSL routines::wrong version number",
                                        NULL};
    assert_int_equal(diagnose(nothing), JINGLE_OK);
    assert_int_equal(diagnose(password), JINGLE_ERROR_AUTHENTICATION);
    assert_int_equal(diagnose(busy), JINGLE_ERROR_STREAM);
    assert_int_equal(diagnose(mechanism), JINGLE_ERROR_NO_MECHANISM);
    assert_int_equal(diagnose(stripped), JINGLE_ERROR_TLS_MISSING);
    assert_int_equal(diagnose(plain), JINGLE_ERROR_TLS_MISSING);
}

static void test_a_message_cannot_pass_for_a_failure(void **state)
{
    (void)state;
    static const char *const forged[] = {
        "xmpp",
        "RECV: <message xmlns=\"jabber:client\"><body>&lt;failure</body><failure "
        "xmlns=\"urn:ietf:params:xml:ns:xmpp-sasl\"/></message>",
        NULL};
    assert_int_equal(diagnose(forged), JINGLE_OK);
}

static void expect_redacted(const char *line, const char *secret, const char *kept)
{
    char *clean = diagnosis_redact(line);
    assert_null(strstr(clean, secret));
    assert_non_null(strstr(clean, kept));
    g_free(clean);
}

static void test_secrets_do_not_reach_the_log(void **state)
{
    (void)state;
    expect_redacted("SENT: <auth mechanism=\"PLAIN\">SECRET</auth>", "SECRET", "<auth");
    expect_redacted("SENT: <response xmlns=\"x\">SECRET</response>", "SECRET", "<response");
    expect_redacted("RECV: <challenge>SECRET</challenge>", "SECRET", "<challenge");
    expect_redacted("RECV: <success>SECRET</success>", "SECRET", "<success");
    expect_redacted("RECV: <iq><service host=\"h\" password=\"SECRET\" port=\"1\"/></iq>", "SECRET",
                    "port=\"1\"");
    expect_redacted("SENT: <iq><transport pwd='SECRET' ufrag='u'/></iq>", "SECRET", "ufrag='u'");
    expect_redacted("SENT: <iq password=\"SECRET", "SECRET", "<iq");
    expect_redacted("two\nlines", "\n", "two lines");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_services_of_both_kinds_are_merged_by_priority),
        cmocka_unit_test(test_weights_share_the_load),
        cmocka_unit_test(test_literals_need_no_look_up),
        cmocka_unit_test(test_what_dns_says_is_followed),
        cmocka_unit_test(test_what_blocks_is_ended_at_the_deadline),
        cmocka_unit_test(test_a_disarmed_watchdog_does_not_bite),
        cmocka_unit_test(test_a_socket_that_comes_too_late_is_shut_at_once),
        cmocka_unit_test(test_the_log_tells_why_a_login_failed),
        cmocka_unit_test(test_a_message_cannot_pass_for_a_failure),
        cmocka_unit_test(test_secrets_do_not_reach_the_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
