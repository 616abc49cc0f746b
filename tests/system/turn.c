/* Links that may use relays alone, over a coturn of the test's own: UDP, TCP and TLS to the server,
 * and certificates that must be refused. */
#include "../unit/transport/link_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <glib/gstdio.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE (20 * USEC_PER_SEC)

static struct {
    char *directory;
    char *certificate; /* for "localhost", its own authority */
    char *key;
    char *stranger; /* another authority */
    GPid pid;
    uint16_t port;
    uint16_t tls_port;
} turn;

static struct link_pair pair;

/* ---------------------------------------------------------------------------------- coturn -- */

static uint16_t free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, bytes), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &bytes), 0);
    close(fd);
    return ntohs(address.sin_port);
}

static void write_certificate(const char *certificate_file, const char *key_file)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x509 = X509_new();
    X509_NAME *name = X509_get_subject_name(x509);
    X509_set_version(x509, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1,
                               0);
    X509_set_issuer_name(x509, name);
    X509_gmtime_adj(X509_getm_notBefore(x509), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
    X509_set_pubkey(x509, key);
    X509_EXTENSION *host = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:localhost");
    X509_add_ext(x509, host, -1);
    X509_EXTENSION_free(host);
    assert_true(X509_sign(x509, key, EVP_sha256()) > 0);
    FILE *file = fopen(certificate_file, "w");
    assert_non_null(file);
    assert_int_equal(PEM_write_X509(file, x509), 1);
    fclose(file);
    if (key_file) {
        file = fopen(key_file, "w");
        assert_non_null(file);
        assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
        fclose(file);
    }
    X509_free(x509);
    EVP_PKEY_free(key);
}

static bool answers(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    address.sin_port = htons(port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool good = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return good;
}

static void start_coturn(const char *program)
{
    char port[16];
    char tls_port[16];
    g_snprintf(port, sizeof port, "%u", turn.port);
    g_snprintf(tls_port, sizeof tls_port, "%u", turn.tls_port);
    char *pid_file = g_build_filename(turn.directory, "pid", NULL);
    char *database = g_build_filename(turn.directory, "db", NULL);
    const char *arguments[] = {
        program,
        "-n",
        "--no-cli",
        "--lt-cred-mech",
        "--user",
        "joe:secret",
        "--realm",
        "test",
        "--listening-ip",
        "127.0.0.1",
        "--relay-ip",
        "127.0.0.1",
        "--listening-port",
        port,
        "--tls-listening-port",
        tls_port,
        "--no-dtls",
        "--allow-loopback-peers",
        "--cert",
        turn.certificate,
        "--pkey",
        turn.key,
        "--pidfile",
        pid_file,
        "--userdb",
        database,
        "--log-file",
        "stdout",
        "--simple-log",
        NULL,
    };
    GError *error = NULL;
    assert_true(g_spawn_async(turn.directory, (char **)arguments, NULL,
                              G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL |
                                  G_SPAWN_STDERR_TO_DEV_NULL,
                              NULL, NULL, &turn.pid, &error));
    g_free(pid_file);
    g_free(database);
    usec end = clock_now() + PATIENCE;
    while (!(answers(turn.port) && answers(turn.tls_port)) && clock_now() < end)
        g_usleep(20000);
    assert_true(answers(turn.tls_port));
}

static int start_server(void **state)
{
    (void)state;
    char *program = g_find_program_in_path("turnserver");
    if (!program) {
        print_message("coturn is not installed\n");
        return 0;
    }
    turn.directory = g_dir_make_tmp("jingle-turn-XXXXXX", NULL);
    turn.certificate = g_build_filename(turn.directory, "certificate.pem", NULL);
    turn.key = g_build_filename(turn.directory, "key.pem", NULL);
    turn.stranger = g_build_filename(turn.directory, "stranger.pem", NULL);
    write_certificate(turn.certificate, turn.key);
    write_certificate(turn.stranger, NULL);
    turn.port = free_port();
    turn.tls_port = free_port();
    start_coturn(program);
    g_free(program);
    return 0;
}

static int stop_server(void **state)
{
    (void)state;
    if (!turn.directory)
        return 0;
    kill(turn.pid, SIGKILL);
    waitpid(turn.pid, NULL, 0);
    g_spawn_close_pid(turn.pid);
    GDir *directory = g_dir_open(turn.directory, 0, NULL);
    const char *name;
    while ((name = g_dir_read_name(directory))) {
        char *path = g_build_filename(turn.directory, name, NULL);
        g_unlink(path);
        g_free(path);
    }
    g_dir_close(directory);
    g_rmdir(turn.directory);
    g_free(turn.directory);
    g_free(turn.certificate);
    g_free(turn.key);
    g_free(turn.stranger);
    return 0;
}

/* ----------------------------------------------------------------------------------- tests -- */

static int set_up(void **state)
{
    (void)state;
    link_pair_init(&pair);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    link_pair_clear(&pair);
    return 0;
}

static struct ice_server server(enum ice_server_transport transport)
{
    return (struct ice_server){
        .turn = true,
        .transport = transport,
        .host = transport == ICE_SERVER_UDP ? "127.0.0.1" : "localhost",
        .port = transport == ICE_SERVER_TLS ? turn.tls_port : turn.port,
        .username = "joe",
        .password = "secret",
    };
}

static void start_relayed(struct party *party, const struct ice_server *relay, const char *ca_file)
{
    struct link_config config = link_pair_config(&pair, party);
    config.relay_only = true;
    config.servers = relay;
    config.server_count = 1;
    config.ca_file = ca_file;
    party_start(party, &config);
}

static bool media_both_ways(struct link_pair *p)
{
    return p->a.rtp > 0 && p->b.rtp > 0;
}

static void carry_media(void)
{
    uint16_t sequence = 0;
    usec end = clock_now() + PATIENCE;
    while (!media_both_ways(&pair) && clock_now() < end) {
        party_send(&pair.a, 1, ++sequence);
        party_send(&pair.b, 2, sequence);
        link_pair_wait(&pair, media_both_ways, 20 * USEC_PER_MS);
    }
    assert_true(media_both_ways(&pair));
}

static void relay_over(enum ice_server_transport transport)
{
    if (!turn.directory)
        skip();
    struct ice_server relay = server(transport);
    start_relayed(&pair.a, &relay, turn.certificate);
    start_relayed(&pair.b, &relay, turn.certificate);
    link_pair_signal(&pair, true);
    assert_true(link_pair_wait(&pair, both_connected, PATIENCE));
    carry_media();
    assert_int_equal(pair.a.candidates->len, pair.a.relay_candidates); /* and nothing else */
    struct link_stats stats;
    link_stats(pair.a.link, &stats);
    assert_ptr_equal(strstr(stats.candidate_local, "relay udp 127.0.0.1:"), stats.candidate_local);
}

static void test_relay_over_udp(void **state)
{
    (void)state;
    relay_over(ICE_SERVER_UDP);
}

static void test_relay_over_tcp(void **state)
{
    (void)state;
    relay_over(ICE_SERVER_TCP);
}

static void test_relay_over_tls(void **state)
{
    (void)state;
    relay_over(ICE_SERVER_TLS);
}

static void test_a_large_packet_passes_over_tls(void **state)
{
    (void)state;
    relay_over(ICE_SERVER_TLS);
    uint8_t packet[LINK_MAX_PACKET + LINK_TAIL] = {0x80, 111, 0xff, 0};
    unsigned before = pair.b.rtp;
    assert_int_equal(link_send_rtp(pair.a.link, packet, LINK_MAX_PACKET, sizeof packet), JINGLE_OK);
    usec end = clock_now() + PATIENCE;
    while (pair.b.rtp == before && clock_now() < end)
        link_pair_run(&pair, 10 * USEC_PER_MS);
    assert_int_equal(pair.b.last_bytes, LINK_MAX_PACKET);
}

static bool a_gathered(struct link_pair *p)
{
    return p->a.gathered;
}

static void refuse(const struct ice_server *relay, const char *ca_file)
{
    start_relayed(&pair.a, relay, ca_file);
    link_gather(pair.a.link);
    link_pair_wait(&pair, a_gathered, 3 * USEC_PER_SEC);
    assert_int_equal(pair.a.relay_candidates, 0);
}

static void test_a_certificate_of_an_unknown_authority_is_refused(void **state)
{
    (void)state;
    if (!turn.directory)
        skip();
    struct ice_server relay = server(ICE_SERVER_TLS);
    refuse(&relay, turn.stranger);
}

static void test_a_certificate_for_another_host_is_refused(void **state)
{
    (void)state;
    if (!turn.directory)
        skip();
    struct ice_server relay = server(ICE_SERVER_TLS);
    relay.host = "127.0.0.1"; /* the certificate is for localhost */
    refuse(&relay, turn.certificate);
}

static void test_a_wrong_password_gives_no_relay(void **state)
{
    (void)state;
    if (!turn.directory)
        skip();
    struct ice_server relay = server(ICE_SERVER_UDP);
    relay.password = "wrong";
    refuse(&relay, NULL);
}

static void test_a_server_that_is_not_there_gives_no_relay(void **state)
{
    (void)state;
    if (!turn.directory)
        skip();
    struct ice_server relay = server(ICE_SERVER_TLS);
    relay.port = free_port();
    refuse(&relay, turn.certificate);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_relay_over_udp),
        TEST(test_relay_over_tcp),
        TEST(test_relay_over_tls),
        TEST(test_a_large_packet_passes_over_tls),
        TEST(test_a_certificate_of_an_unknown_authority_is_refused),
        TEST(test_a_certificate_for_another_host_is_refused),
        TEST(test_a_wrong_password_gives_no_relay),
        TEST(test_a_server_that_is_not_there_gives_no_relay),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
