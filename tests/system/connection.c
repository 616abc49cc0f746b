/* The libstrophe connection against a real server, and against none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <glib.h>

#include "private_server.h"
#include "signaling/strophe.h"

#define TEST_LIMIT (60 * USEC_PER_SEC)

/* What a connection has told so far. */
struct witness {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned onlines;
    unsigned offlines;
    bool resumed;
    char jid[128];
    jingle_status status;
    char text[256];
    bool will_retry;
    GString *stanzas;
    GString *log;
};

static struct private_server server;

static void on_online(void *user, const char *full_jid, bool resumed)
{
    struct witness *witness = user;
    pthread_mutex_lock(&witness->lock);
    witness->onlines++;
    witness->resumed = resumed;
    g_strlcpy(witness->jid, full_jid, sizeof witness->jid);
    pthread_cond_broadcast(&witness->changed);
    pthread_mutex_unlock(&witness->lock);
}

static void on_offline(void *user, const struct connection_fault *fault)
{
    struct witness *witness = user;
    pthread_mutex_lock(&witness->lock);
    witness->offlines++;
    witness->status = fault->status;
    witness->will_retry = fault->will_retry;
    g_strlcpy(witness->text, fault->text, sizeof witness->text);
    pthread_cond_broadcast(&witness->changed);
    pthread_mutex_unlock(&witness->lock);
}

static void on_stanza(void *user, const char *xml, size_t bytes)
{
    struct witness *witness = user;
    pthread_mutex_lock(&witness->lock);
    g_string_append_len(witness->stanzas, xml, (gssize)bytes);
    pthread_cond_broadcast(&witness->changed);
    pthread_mutex_unlock(&witness->lock);
}

static void on_log(void *user, jingle_log_level level, const char *line)
{
    struct witness *witness = user;
    (void)level;
    pthread_mutex_lock(&witness->lock);
    g_string_append_printf(witness->log, "%s\n", line);
    pthread_mutex_unlock(&witness->lock);
}

static void witness_init(struct witness *witness)
{
    memset(witness, 0, sizeof *witness);
    pthread_mutex_init(&witness->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&witness->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    witness->stanzas = g_string_new(NULL);
    witness->log = g_string_new(NULL);
}

static void witness_clear(struct witness *witness)
{
    g_string_free(witness->stanzas, TRUE);
    g_string_free(witness->log, TRUE);
    pthread_cond_destroy(&witness->changed);
    pthread_mutex_destroy(&witness->lock);
}

typedef bool (*condition_fn)(const struct witness *witness, const void *argument);

/* Fails the test if `condition` does not come true. */
static void await(struct witness *witness, condition_fn condition, const void *argument)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += TEST_LIMIT / USEC_PER_SEC;
    pthread_mutex_lock(&witness->lock);
    int result = 0;
    while (!condition(witness, argument) && result == 0)
        result = pthread_cond_timedwait(&witness->changed, &witness->lock, &until);
    if (result != 0)
        print_message("%s", witness->log->str);
    pthread_mutex_unlock(&witness->lock);
    assert_int_equal(result, 0);
}

static bool has_onlines(const struct witness *witness, const void *count)
{
    return witness->onlines >= *(const unsigned *)count;
}

static bool has_offlines(const struct witness *witness, const void *count)
{
    return witness->offlines >= *(const unsigned *)count;
}

static bool has_stanza(const struct witness *witness, const void *part)
{
    return strstr(witness->stanzas->str, part) != NULL;
}

static void await_online(struct witness *witness, unsigned count)
{
    await(witness, has_onlines, &count);
}

static void await_offline(struct witness *witness, unsigned count)
{
    await(witness, has_offlines, &count);
}

static struct strophe_config settings(struct witness *witness)
{
    return (struct strophe_config){
        .jid = "romeo@jingle.test",
        .password = "secret",
        .host = "127.0.0.1",
        .port = server.port,
        .tls = JINGLE_TLS_START,
        .ca_file = server.certificate,
        .log = {JINGLE_LOG_DEBUG, on_log, witness},
        .random = random_system,
    };
}

static struct connection make(const struct strophe_config *config, struct witness *witness)
{
    struct connection_hooks hooks = {witness, on_online, on_offline, on_stanza};
    struct connection connection;
    assert_int_equal(strophe_connection_new(config, &hooks, &connection), JINGLE_OK);
    return connection;
}

/* Starts a connection that must fail, and returns why; it must not take longer than 10 s. */
static jingle_status failure(const struct strophe_config *config, struct witness *witness)
{
    struct connection connection = make(config, witness);
    usec before = clock_now();
    connection.start(connection.user);
    await_offline(witness, 1);
    assert_true(clock_now() - before < 11 * USEC_PER_SEC);
    assert_int_equal(witness->onlines, 0);
    assert_false(witness->will_retry);
    connection.free(connection.user);
    return witness->status;
}

static void send_text(struct connection *connection, const char *xml)
{
    connection->send(connection->user, xml, strlen(xml));
}

/* ---------------------------------------------------------------------------------- online -- */

static void log_in_and_ping(const struct strophe_config *config)
{
    struct witness witness;
    witness_init(&witness);
    struct strophe_config logged = *config;
    logged.log.user = &witness;
    struct connection connection = make(&logged, &witness);
    connection.start(connection.user);
    await_online(&witness, 1);
    assert_true(g_str_has_prefix(witness.jid, "romeo@jingle.test/"));
    send_text(&connection, "<iq xmlns='jabber:client' type='get' id='hello' to='jingle.test'>"
                           "<ping xmlns='urn:xmpp:ping'/></iq>");
    await(&witness, has_stanza, "hello");
    connection.stop(connection.user);
    await_offline(&witness, 1);
    assert_int_equal(witness.status, JINGLE_OK);
    assert_null(strstr(witness.log->str, "secret"));
    connection.free(connection.user);
    witness_clear(&witness);
}

static void test_starttls(void **state)
{
    (void)state;
    struct strophe_config config = settings(NULL);
    log_in_and_ping(&config);
}

static void test_direct_tls(void **state)
{
    (void)state;
    struct strophe_config config = settings(NULL);
    config.tls = JINGLE_TLS_DIRECT;
    config.port = server.direct_port;
    log_in_and_ping(&config);
}

static void test_any_certificate_in_a_lab(void **state)
{
    (void)state;
    struct strophe_config config = settings(NULL);
    config.ca_file = NULL;
    config.lab_accept_any_certificate = true;
    log_in_and_ping(&config);
}

static void test_large_stanzas_arrive_whole(void **state)
{
    (void)state;
    struct witness witness;
    witness_init(&witness);
    struct strophe_config config = settings(&witness);
    config.log.level = JINGLE_LOG_NONE;
    struct connection connection = make(&config, &witness);
    connection.start(connection.user);
    await_online(&witness, 1);
    char *body = g_strnfill(100000, 'x');
    for (int i = 0; i < 3; i++) {
        char *message =
            g_strdup_printf("<message xmlns='jabber:client' to='%s' id='large-%d' type='normal'>"
                            "<body>%s</body></message>",
                            witness.jid, i, body);
        send_text(&connection, message);
        g_free(message);
    }
    await(&witness, has_stanza, "large-2");
    assert_true(witness.stanzas->len > 300000);
    g_free(body);
    connection.free(connection.user);
    witness_clear(&witness);
}

static void test_reconnects_with_the_same_resource_after_a_restart(void **state)
{
    (void)state;
    struct witness witness;
    witness_init(&witness);
    struct strophe_config config = settings(&witness);
    struct connection connection = make(&config, &witness);
    connection.start(connection.user);
    await_online(&witness, 1);
    char *jid = g_strdup(witness.jid);
    private_server_stop(&server);
    await_offline(&witness, 1);
    assert_true(witness.will_retry);
    await_offline(&witness, 2); /* one attempt that found nobody */
    assert_int_equal(witness.status, JINGLE_ERROR_CONNECT);
    private_server_start(&server, true);
    await_online(&witness, 2);
    assert_string_equal(witness.jid, jid);
    assert_false(witness.resumed);
    g_free(jid);
    connection.free(connection.user);
    witness_clear(&witness);
}

/* A proxy that cuts the line when told to, as a bad network does: the server keeps the session. */
struct cutter {
    pthread_t thread;
    int listener;
    int wake[2];
    uint16_t port;
};

static void *cutter_run(void *arg)
{
    struct cutter *cutter = arg;
    for (;;) {
        int client = accept(cutter->listener, NULL, NULL);
        if (client < 0)
            return NULL;
        int upstream = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_port = htons(server.port),
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        bool open = connect(upstream, (struct sockaddr *)&address, sizeof address) == 0;
        while (open) {
            fd_set readable;
            FD_ZERO(&readable);
            FD_SET(client, &readable);
            FD_SET(upstream, &readable);
            FD_SET(cutter->wake[0], &readable);
            select(MAX(cutter->wake[0], MAX(client, upstream)) + 1, &readable, NULL, NULL, NULL);
            char bytes[4096];
            if (FD_ISSET(cutter->wake[0], &readable)) {
                open = read(cutter->wake[0], bytes, 1) < 0;
                continue;
            }
            int from = FD_ISSET(client, &readable) ? client : upstream;
            ssize_t count = read(from, bytes, sizeof bytes);
            open = count > 0 &&
                   write(from == client ? upstream : client, bytes, (size_t)count) == count;
        }
        struct linger reset = {1, 0};
        setsockopt(upstream, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(client);
        close(upstream);
    }
}

static int listen_on(uint16_t *port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static void test_a_cut_line_is_resumed(void **state)
{
    (void)state;
    struct cutter cutter;
    cutter.listener = listen_on(&cutter.port);
    assert_int_equal(pipe(cutter.wake), 0);
    pthread_create(&cutter.thread, NULL, cutter_run, &cutter);
    struct witness witness;
    witness_init(&witness);
    struct strophe_config config = settings(&witness);
    config.port = cutter.port;
    struct connection connection = make(&config, &witness);
    connection.start(connection.user);
    await_online(&witness, 1);
    send_text(&connection, "<iq xmlns='jabber:client' type='get' id='before' to='jingle.test'>"
                           "<ping xmlns='urn:xmpp:ping'/></iq>");
    await(&witness, has_stanza, "before");
    char *jid = g_strdup(witness.jid);
    assert_int_equal(write(cutter.wake[1], "x", 1), 1);
    await_online(&witness, 2);
    assert_true(witness.resumed);
    assert_string_equal(witness.jid, jid);
    send_text(&connection, "<iq xmlns='jabber:client' type='get' id='after' to='jingle.test'>"
                           "<ping xmlns='urn:xmpp:ping'/></iq>");
    await(&witness, has_stanza, "after");
    connection.free(connection.user);
    shutdown(cutter.listener, SHUT_RDWR);
    assert_int_equal(write(cutter.wake[1], "x", 1), 1);
    pthread_join(cutter.thread, NULL);
    close(cutter.listener);
    close(cutter.wake[0]);
    close(cutter.wake[1]);
    g_free(jid);
    witness_clear(&witness);
}

static void test_the_same_resource_elsewhere_is_a_conflict(void **state)
{
    (void)state;
    struct witness first, second;
    witness_init(&first);
    witness_init(&second);
    struct strophe_config config = settings(&first);
    config.jid = "romeo@jingle.test/garden";
    struct connection one = make(&config, &first);
    one.start(one.user);
    await_online(&first, 1);
    config.log.user = &second;
    struct connection two = make(&config, &second);
    two.start(two.user);
    await_online(&second, 1);
    await_offline(&first, 1);
    assert_int_equal(first.status, JINGLE_ERROR_CONFLICT);
    assert_false(first.will_retry);
    one.free(one.user);
    two.free(two.user);
    witness_clear(&first);
    witness_clear(&second);
}

static void test_start_after_a_stop(void **state)
{
    (void)state;
    struct witness witness;
    witness_init(&witness);
    struct strophe_config config = settings(&witness);
    struct connection connection = make(&config, &witness);
    for (unsigned i = 1; i <= 2; i++) {
        connection.start(connection.user);
        await_online(&witness, i);
        connection.stop(connection.user);
        await_offline(&witness, i);
        assert_int_equal(witness.status, JINGLE_OK);
    }
    connection.free(connection.user);
    witness_clear(&witness);
}

/* --------------------------------------------------------------------------------- refused -- */

static void expect(const struct strophe_config *given, jingle_status status)
{
    struct witness witness;
    witness_init(&witness);
    struct strophe_config config = *given;
    config.log.user = &witness;
    jingle_status found = failure(&config, &witness);
    if (found != status)
        print_message("%s", witness.log->str);
    assert_int_equal(found, status);
    assert_null(strstr(witness.log->str, "secret"));
    witness_clear(&witness);
}

static void test_a_wrong_password(void **state)
{
    (void)state;
    struct strophe_config config = settings(NULL);
    config.password = "wrong";
    expect(&config, JINGLE_ERROR_AUTHENTICATION);
}

static void test_a_self_signed_certificate_is_refused(void **state)
{
    (void)state;
    struct strophe_config config = settings(NULL);
    config.ca_file = NULL;
    expect(&config, JINGLE_ERROR_CERTIFICATE);
    config.tls = JINGLE_TLS_DIRECT;
    config.port = server.direct_port;
    expect(&config, JINGLE_ERROR_CERTIFICATE);
}

static void test_direct_tls_where_there_is_none(void **state)
{
    (void)state;
    struct strophe_config config = settings(NULL);
    config.tls = JINGLE_TLS_DIRECT;
    expect(&config, JINGLE_ERROR_TLS_MISSING);
}

/* GIO looks names up in threads of its own, whose locks ThreadSanitizer does not see. */
#ifndef __SANITIZE_THREAD__
static void test_an_unknown_host(void **state)
{
    (void)state;
    struct strophe_config config = settings(NULL);
    config.host = "nowhere.invalid";
    expect(&config, JINGLE_ERROR_HOST_NOT_FOUND);
}
#endif

static void test_nobody_listens(void **state)
{
    (void)state;
    struct strophe_config config = settings(NULL);
    config.port = free_port();
    expect(&config, JINGLE_ERROR_CONNECT);
}

/* It accepts, by its backlog, and never says a word. */
static void test_a_silent_server(void **state)
{
    (void)state;
    struct strophe_config config = settings(NULL);
    int listener = listen_on(&config.port);
    expect(&config, JINGLE_ERROR_SERVER_TIMEOUT);
    config.tls = JINGLE_TLS_DIRECT;
    expect(&config, JINGLE_ERROR_SERVER_TIMEOUT);
    close(listener);
}

/* ---------------------------------------------------------------------- a scripted server -- */

#define SCRIPT_STREAM                                                               \
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' from='jingle.test' " \
    "xmlns:stream='http://etherx.jabber.org/streams' id='1' version='1.0'>"
#define SCRIPT_MECHANISMS                                                                    \
    "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN" \
    "</mechanism></mechanisms></stream:features>"
#define SCRIPT_BIND "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
#define SCRIPT_BOUND                                                                     \
    "<iq type='result' id='_xmpp_bind1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>" \
    "<jid>romeo@jingle.test/script</jid></bind></iq>"

/* Speaks no more than is needed to log in without TLS, and then a stanza in two pieces. */
struct script {
    int listener;
    int client;
    GString *heard;
    unsigned pings;
    pthread_t thread;
};

/* Returns what comes before `part` (g_free() it), NULL once the other side is gone. */
static char *hear(struct script *script, const char *part)
{
    char data[4096];
    const char *found;
    while (!(found = strstr(script->heard->str, part))) {
        ssize_t bytes = read(script->client, data, sizeof data);
        if (bytes <= 0)
            return NULL;
        g_string_append_len(script->heard, data, bytes);
    }
    char *before = g_strndup(script->heard->str, (gsize)(found - script->heard->str));
    g_string_erase(script->heard, 0, (gssize)(strlen(before) + strlen(part)));
    return before;
}

static void say(const struct script *script, const char *text)
{
    send(script->client, text, strlen(text), MSG_NOSIGNAL);
}

static void hear_and_say(struct script *script, const char *part, const char *text)
{
    g_free(hear(script, part));
    say(script, text);
}

/* Returns the ping's id. */
static char *hear_ping(struct script *script)
{
    char *before = hear(script, "<iq type='get' id='");
    char *id = before ? hear(script, "'") : NULL;
    script->pings += id != NULL;
    g_free(before);
    return id;
}

static void answer_ping(const struct script *script, const char *id)
{
    char *answer = g_strdup_printf("<iq type='result' from='jingle.test' id='%s'/>", id ? id : "");
    say(script, answer);
    g_free(answer);
}

/* The second piece comes when a ping tells that the first one was read and waited for in vain. */
static void *script_run(void *arg)
{
    struct script *script = arg;
    script->client = accept(script->listener, NULL, NULL);
    hear_and_say(script, "<stream:stream", SCRIPT_STREAM SCRIPT_MECHANISMS);
    hear_and_say(script, "</auth>", "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
    hear_and_say(script, "<stream:stream",
                 SCRIPT_STREAM "<stream:features>" SCRIPT_BIND "</stream:features>");
    hear_and_say(script, "</iq>", SCRIPT_BOUND);
    hear_and_say(script, "<presence/>",
                 "<presence from='juliet@jingle.test/a-resource-of-some-length' to='romeo@jing");
    char *first = hear_ping(script);
    say(script, "le.test/script' id='pieces'/>");
    for (char *id = hear_ping(script); id; id = hear_ping(script)) {
        answer_ping(script, first);
        answer_ping(script, id);
        g_free(id);
    }
    g_free(first);
    close(script->client);
    return NULL;
}

/* Some versions of Expat keep such a stanza back until more is said. */
static void test_a_stanza_in_pieces_is_not_left_lying(void **state)
{
    (void)state;
    struct script script = {.heard = g_string_new(NULL)};
    struct witness witness;
    witness_init(&witness);
    struct strophe_config config = settings(&witness);
    script.listener = listen_on(&config.port);
    config.lab_allow_plaintext = true;
    pthread_create(&script.thread, NULL, script_run, &script);
    struct connection connection = make(&config, &witness);
    connection.start(connection.user);
    await_online(&witness, 1);
    send_text(&connection, "<presence/>");
    await(&witness, has_stanza, "pieces");
    connection.free(connection.user);
    pthread_join(script.thread, NULL);
    assert_in_range(script.pings, 1, 4);
    close(script.listener);
    g_string_free(script.heard, TRUE);
    witness_clear(&witness);
}

static void test_stop_does_not_wait_for_a_silent_server(void **state)
{
    (void)state;
    struct witness witness;
    witness_init(&witness);
    struct strophe_config config = settings(&witness);
    int listener = listen_on(&config.port);
    config.tls = JINGLE_TLS_DIRECT;
    struct connection connection = make(&config, &witness);
    usec before = clock_now();
    connection.start(connection.user);
    int client = accept(listener, NULL, NULL); /* now it is in the middle of it */
    connection.stop(connection.user);
    await_offline(&witness, 1);
    assert_int_equal(witness.status, JINGLE_OK);
    assert_true(clock_now() - before < 8 * USEC_PER_SEC);
    connection.free(connection.user);
    close(client);
    close(listener);
    witness_clear(&witness);
}

static void test_a_server_without_tls(void **state)
{
    (void)state;
    private_server_stop(&server);
    private_server_start(&server, false);
    struct strophe_config config = settings(NULL);
    expect(&config, JINGLE_ERROR_TLS_MISSING);
    config.lab_allow_plaintext = true;
    log_in_and_ping(&config);
    private_server_stop(&server);
    private_server_start(&server, true);
}

static void test_nonsense_is_refused_at_once(void **state)
{
    (void)state;
    struct witness witness;
    witness_init(&witness);
    struct connection_hooks hooks = {&witness, on_online, on_offline, on_stanza};
    struct connection connection;
    struct strophe_config config = settings(&witness);
    config.jid = "jingle.test";
    assert_int_equal(strophe_connection_new(&config, &hooks, &connection), JINGLE_ERROR_JID);
    config.jid = "@";
    assert_int_equal(strophe_connection_new(&config, &hooks, &connection), JINGLE_ERROR_JID);
    witness_clear(&witness);
}

static int set_up(void **state)
{
    (void)state;
    private_server_make(&server);
    private_server_start(&server, true);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    private_server_remove(&server);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_starttls),
        cmocka_unit_test(test_direct_tls),
        cmocka_unit_test(test_any_certificate_in_a_lab),
        cmocka_unit_test(test_large_stanzas_arrive_whole),
        cmocka_unit_test(test_reconnects_with_the_same_resource_after_a_restart),
        cmocka_unit_test(test_a_cut_line_is_resumed),
        cmocka_unit_test(test_the_same_resource_elsewhere_is_a_conflict),
        cmocka_unit_test(test_start_after_a_stop),
        cmocka_unit_test(test_a_wrong_password),
        cmocka_unit_test(test_a_self_signed_certificate_is_refused),
        cmocka_unit_test(test_direct_tls_where_there_is_none),
#ifndef __SANITIZE_THREAD__
        cmocka_unit_test(test_an_unknown_host),
#endif
        cmocka_unit_test(test_nobody_listens),
        cmocka_unit_test(test_a_silent_server),
        cmocka_unit_test(test_stop_does_not_wait_for_a_silent_server),
        cmocka_unit_test(test_a_stanza_in_pieces_is_not_left_lying),
        cmocka_unit_test(test_a_server_without_tls),
        cmocka_unit_test(test_nonsense_is_refused_at_once),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
