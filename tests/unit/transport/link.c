/* A link over real loopback: ICE, DTLS and SRTP at work together. */
#include "link_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE (20 * USEC_PER_SEC)

static struct link_pair pair;

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

static void start_both(void)
{
    struct link_config a = link_pair_config(&pair, &pair.a);
    struct link_config b = link_pair_config(&pair, &pair.b);
    party_start(&pair.a, &a);
    party_start(&pair.b, &b);
}

static void start_both_with_limits(usec interrupt_after, usec lost_after)
{
    struct link_config a = link_pair_config(&pair, &pair.a);
    struct link_config b = link_pair_config(&pair, &pair.b);
    a.interrupt_after = b.interrupt_after = interrupt_after;
    a.lost_after = b.lost_after = lost_after;
    party_start(&pair.a, &a);
    party_start(&pair.b, &b);
}

static bool media_both_ways(struct link_pair *p)
{
    return p->a.rtp > 0 && p->b.rtp > 0;
}

static void send_until_heard(void)
{
    pair.a.rtp = pair.b.rtp = 0;
    static uint16_t sequence;
    usec end = clock_now() + PATIENCE;
    while (!media_both_ways(&pair) && clock_now() < end) {
        assert_int_equal(party_send(&pair.a, 1, ++sequence), JINGLE_OK);
        assert_int_equal(party_send(&pair.b, 2, sequence), JINGLE_OK);
        link_pair_wait(&pair, media_both_ways, 20 * USEC_PER_MS);
    }
    assert_true(media_both_ways(&pair));
}

static void connect_with_roles(bool a_controlling, bool a_client, bool trickle)
{
    struct link_config a = link_pair_config(&pair, &pair.a);
    struct link_config b = link_pair_config(&pair, &pair.b);
    a.controlling = a_controlling;
    b.controlling = !a_controlling;
    pair.a.trickle = pair.b.trickle = trickle;
    party_start(&pair.a, &a);
    party_start(&pair.b, &b);
    link_pair_signal(&pair, a_client);
    assert_true(link_pair_wait(&pair, both_connected, PATIENCE));
    send_until_heard();
    struct link_stats stats;
    link_stats(pair.a.link, &stats);
    assert_int_equal(stats.dtls_client, a_client);
    assert_string_equal(stats.srtp_profile, "AEAD_AES_128_GCM");
    assert_true(strlen(stats.dtls_cipher) > 0);
    assert_ptr_equal(strstr(stats.candidate_local, "host udp "), stats.candidate_local);
    assert_int_equal(pair.a.last_bytes, 160);
    assert_int_equal(pair.a.last[20], 0x55);
}

static void test_initiator_as_dtls_client_connects(void **state)
{
    (void)state;
    connect_with_roles(true, true, true);
}

static void test_initiator_as_dtls_server_connects(void **state)
{
    (void)state;
    connect_with_roles(true, false, true);
}

static void test_controlled_initiator_as_dtls_client_connects(void **state)
{
    (void)state;
    connect_with_roles(false, true, true);
}

static void test_controlled_initiator_as_dtls_server_connects(void **state)
{
    (void)state;
    connect_with_roles(false, false, false);
}

static void test_an_ice_role_conflict_is_settled(void **state)
{
    (void)state;
    struct link_config a = link_pair_config(&pair, &pair.a);
    struct link_config b = link_pair_config(&pair, &pair.b);
    a.controlling = b.controlling = true;
    party_start(&pair.a, &a);
    party_start(&pair.b, &b);
    link_pair_signal(&pair, true);
    assert_true(link_pair_wait(&pair, both_connected, PATIENCE));
    send_until_heard();
}

static bool a_hello_waits(struct link_pair *p)
{
    return p->b.state == LINK_CONNECTING && p->a.gathered && p->b.gathered;
}

/* As Chromium does: checks and ClientHello come before the answer with the fingerprint. */
static void test_media_waits_for_the_fingerprint(void **state)
{
    (void)state;
    start_both();
    struct ice_udp_transport of_a;
    link_local(pair.a.link, &of_a);
    struct dtls_fingerprint late = of_a.fingerprint;
    of_a.fingerprint = (struct dtls_fingerprint){0};
    assert_int_equal(link_set_remote(pair.b.link, &of_a), LINK_REMOTE_TAKEN);
    party_signal(&pair.b);
    link_set_role(pair.a.link, true);
    link_gather(pair.a.link);
    link_gather(pair.b.link);
    link_pair_wait(&pair, a_hello_waits, PATIENCE);
    link_pair_run(&pair, 500 * USEC_PER_MS);
    assert_int_equal(pair.a.state, LINK_CONNECTED); /* the server's fingerprint was known */
    assert_int_equal(pair.b.state, LINK_CONNECTING);
    party_send(&pair.a, 1, 1);
    link_pair_run(&pair, 50 * USEC_PER_MS);
    assert_int_equal(pair.b.rtp, 0);

    struct ice_udp_transport rest = {.fingerprint = late};
    assert_int_equal(link_set_remote(pair.b.link, &rest), LINK_REMOTE_TAKEN);
    assert_int_equal(pair.b.state, LINK_CONNECTED);
    struct link_stats stats;
    link_stats(pair.b.link, &stats);
    assert_int_equal(stats.early, 1);
    assert_false(stats.dtls_client);
    send_until_heard();
}

static bool a_failed(struct link_pair *p)
{
    return p->a.state == LINK_FAILED;
}

static void test_a_wrong_fingerprint_is_a_security_failure(void **state)
{
    (void)state;
    start_both();
    struct ice_udp_transport of_b;
    link_local(pair.b.link, &of_b);
    of_b.fingerprint.bytes[0] ^= 1;
    link_set_remote(pair.a.link, &of_b);
    party_signal(&pair.a);
    link_set_role(pair.a.link, true);
    link_set_role(pair.b.link, false);
    link_gather(pair.a.link);
    link_gather(pair.b.link);
    assert_true(link_pair_wait(&pair, a_failed, PATIENCE));
    assert_int_equal(pair.a.reason, JINGLE_REASON_SECURITY);
    assert_int_equal(pair.a.status, JINGLE_ERROR_FINGERPRINT);
    assert_int_equal(party_send(&pair.a, 1, 1), JINGLE_ERROR_STATE);
}

static void test_another_fingerprint_is_refused(void **state)
{
    (void)state;
    start_both();
    assert_int_equal(party_signal(&pair.a), LINK_REMOTE_TAKEN);
    struct ice_udp_transport of_a;
    link_local(pair.a.link, &of_a);
    of_a.fingerprint.bytes[5] ^= 1;
    assert_int_equal(link_set_remote(pair.b.link, &of_a), LINK_REMOTE_REFUSED);
    of_a.fingerprint = (struct dtls_fingerprint){.hash = FINGERPRINT_SHA_384, .size = 48};
    assert_int_equal(link_set_remote(pair.b.link, &of_a), LINK_REMOTE_REFUSED);
}

static void test_credentials_without_a_password_are_refused(void **state)
{
    (void)state;
    start_both();
    struct ice_udp_transport of_a;
    link_local(pair.a.link, &of_a);
    of_a.pwd[0] = '\0';
    assert_int_equal(link_set_remote(pair.b.link, &of_a), LINK_REMOTE_REFUSED);
    assert_int_equal(link_state(pair.b.link), LINK_NEW);
}

static void test_given_credentials_are_used(void **state)
{
    (void)state;
    struct link_config a = link_pair_config(&pair, &pair.a);
    a.ufrag = "abcd";
    a.pwd = "0123456789012345678901";
    party_start(&pair.a, &a);
    struct ice_udp_transport local;
    link_local(pair.a.link, &local);
    assert_string_equal(local.ufrag, "abcd");
    assert_string_equal(local.pwd, "0123456789012345678901");
    assert_int_equal(local.fingerprint.setup, DTLS_ACTPASS);
}

static void test_no_path_fails_after_the_limit(void **state)
{
    (void)state;
    struct link_config a = link_pair_config(&pair, &pair.a);
    struct link_config b = link_pair_config(&pair, &pair.b);
    a.connect_limit = 300 * USEC_PER_MS;
    party_start(&pair.a, &a);
    party_start(&pair.b, &b);
    party_signal(&pair.b);
    link_set_role(pair.a.link, true);
    link_gather(pair.a.link);
    assert_true(link_pair_wait(&pair, a_failed, PATIENCE));
    assert_int_equal(pair.a.reason, JINGLE_REASON_NO_PATH);
    assert_int_equal(pair.a.status, JINGLE_ERROR_ICE);
}

static void test_hostile_candidates_are_skipped(void **state)
{
    (void)state;
    start_both();
    static const char *const addresses[] = {
        "", "999.1.1.1", "host.example", "abc.local", "fe80::1", "%n%n%s", "1.2.3.4.5.6.7.8", "::g",
    };
    struct ice_candidate bad[G_N_ELEMENTS(addresses) + 3];
    memset(bad, 0, sizeof bad);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        bad[i] = (struct ice_candidate){.component = 1, .port = 5000, .foundation = "1"};
        g_strlcpy(bad[i].ip, i < G_N_ELEMENTS(addresses) ? addresses[i] : "127.0.0.1",
                  sizeof bad[i].ip);
    }
    bad[G_N_ELEMENTS(addresses)].component = 2;
    bad[G_N_ELEMENTS(addresses) + 1].protocol = ICE_TCP;
    bad[G_N_ELEMENTS(addresses) + 2].port = 0;
    link_add_candidates(pair.a.link, bad, G_N_ELEMENTS(bad));
    struct ice_candidate dead = {.component = 1, .foundation = "9", .priority = UINT32_MAX};
    g_strlcpy(dead.ip, "127.0.0.1", sizeof dead.ip);
    for (unsigned i = 0; i < 20; i++) { /* nobody listens there */
        dead.port = (uint16_t)(1024 + i);
        link_add_candidates(pair.a.link, &dead, 1);
    }
    link_pair_signal(&pair, true);
    assert_true(link_pair_wait(&pair, both_connected, PATIENCE));
}

static bool a_interrupted(struct link_pair *p)
{
    return p->a.state == LINK_INTERRUPTED;
}

static void test_silence_interrupts_and_a_packet_mends(void **state)
{
    (void)state;
    start_both_with_limits(150 * USEC_PER_MS, 60 * USEC_PER_SEC);
    link_pair_signal(&pair, true);
    assert_true(link_pair_wait(&pair, both_connected, PATIENCE));
    assert_true(link_pair_wait(&pair, a_interrupted, PATIENCE));
    party_send(&pair.b, 2, 1);
    assert_true(link_pair_wait(&pair, media_both_ways, 0) == false);
    link_pair_run(&pair, 20 * USEC_PER_MS);
    assert_int_equal(pair.a.state, LINK_CONNECTED);
}

static void test_lasting_silence_is_a_lost_connection(void **state)
{
    (void)state;
    start_both_with_limits(300 * USEC_PER_MS, 2 * USEC_PER_SEC);
    link_pair_signal(&pair, true);
    assert_true(link_pair_wait(&pair, both_connected, PATIENCE));
    assert_true(link_pair_wait(&pair, a_failed, PATIENCE));
    assert_int_equal(pair.a.reason, JINGLE_REASON_CONNECTION_LOST);
    assert_true(pair.a.interruptions >= 1);
}

static void test_expected_silence_is_no_trouble(void **state)
{
    (void)state;
    start_both_with_limits(100 * USEC_PER_MS, 300 * USEC_PER_MS);
    link_expect_media(pair.a.link, false);
    link_pair_signal(&pair, true);
    assert_true(link_pair_wait(&pair, both_connected, PATIENCE));
    link_pair_run(&pair, 600 * USEC_PER_MS);
    assert_int_equal(pair.a.state, LINK_CONNECTED);
    assert_int_equal(pair.a.interruptions, 0);
}

static bool a_is_closed(struct link_pair *p)
{
    return p->a.state == LINK_CLOSED;
}

static void test_closing_tells_the_peer_in_the_media_path(void **state)
{
    (void)state;
    start_both();
    link_pair_signal(&pair, true);
    assert_true(link_pair_wait(&pair, both_connected, PATIENCE));
    link_close(pair.b.link);
    assert_int_equal(link_state(pair.b.link), LINK_CLOSED);
    assert_true(link_pair_wait(&pair, a_is_closed, PATIENCE));
    assert_true(pair.a.closed_by_peer);
    assert_false(pair.b.closed_by_peer);
}

static bool b_has_new_pair(struct link_pair *p)
{
    struct ice_udp_transport unused;
    struct link_stats stats;
    (void)unused;
    link_stats(p->b.link, &stats);
    return stats.candidate_local[0] != '\0' && p->b.gathered;
}

static void test_a_restart_goes_under_live_media(void **state)
{
    (void)state;
    start_both();
    link_pair_signal(&pair, true);
    assert_true(link_pair_wait(&pair, both_connected, PATIENCE));
    send_until_heard();
    struct link_stats before;
    link_stats(pair.a.link, &before);
    struct ice_udp_transport old;
    link_local(pair.b.link, &old);

    pair.a.gathered = pair.b.gathered = false;
    assert_int_equal(link_restart(pair.a.link), JINGLE_OK);
    assert_int_equal(party_signal(&pair.a), LINK_REMOTE_RESTART);
    assert_int_equal(party_signal(&pair.b), LINK_REMOTE_TAKEN);
    send_until_heard(); /* over the old path */
    link_gather(pair.a.link);
    link_gather(pair.b.link);
    struct link_stats after;
    usec end = clock_now() + PATIENCE;
    do {
        send_until_heard();
        link_stats(pair.a.link, &after);
    } while (strcmp(before.candidate_local, after.candidate_local) == 0 && clock_now() < end);
    assert_string_not_equal(before.candidate_local, after.candidate_local);
    assert_true(link_pair_wait(&pair, b_has_new_pair, PATIENCE));
    send_until_heard();
    assert_int_equal(pair.a.interruptions + pair.b.interruptions, 0);
    assert_string_equal(after.srtp_profile, before.srtp_profile);
    /* late news of the old generation change nothing */
    assert_int_equal(link_set_remote(pair.a.link, &old), LINK_REMOTE_TAKEN);
    send_until_heard();
}

static void test_a_restart_that_is_not_answered_keeps_its_credentials(void **state)
{
    struct ice_udp_transport before;
    struct ice_udp_transport first;
    struct ice_udp_transport second;
    (void)state;
    start_both();
    link_pair_signal(&pair, true);
    assert_true(link_pair_wait(&pair, both_connected, PATIENCE));
    link_local(pair.a.link, &before);
    assert_int_equal(link_restart(pair.a.link), JINGLE_OK);
    assert_true(link_awaits_answer(pair.a.link));
    link_local(pair.a.link, &first);
    assert_string_not_equal(first.ufrag, before.ufrag);
    assert_int_equal(link_restart(pair.a.link), JINGLE_OK);
    link_local(pair.a.link, &second);
    assert_string_equal(second.ufrag, first.ufrag);
    assert_string_equal(second.pwd, first.pwd);

    assert_int_equal(party_signal(&pair.a), LINK_REMOTE_RESTART);
    assert_int_equal(party_signal(&pair.b), LINK_REMOTE_TAKEN);
    assert_false(link_awaits_answer(pair.a.link));
    assert_int_equal(link_restart(pair.a.link), JINGLE_OK);
    link_local(pair.a.link, &second);
    assert_string_not_equal(second.ufrag, first.ufrag);
}

static void test_a_link_on_addresses_that_are_still_ours_is_not_outdated(void **state)
{
    (void)state;
    start_both();
    assert_false(link_is_outdated(pair.a.link)); /* it was made from none yet */
    link_pair_signal(&pair, true);
    assert_true(link_pair_wait(&pair, both_connected, PATIENCE));
    assert_false(link_is_outdated(pair.a.link));
    link_close(pair.a.link);
    assert_false(link_is_outdated(pair.a.link));
}

/* Sends bytes from a stranger's socket to the port of a's selected candidate. */
static void throw_at_a(const uint8_t *bytes, size_t count)
{
    struct link_stats stats;
    link_stats(pair.a.link, &stats);
    const char *colon = strrchr(stats.candidate_local, ':');
    assert_non_null(colon);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    to.sin_port = htons((uint16_t)g_ascii_strtoull(colon + 1, NULL, 10));
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    sendto(fd, bytes, count, 0, (struct sockaddr *)&to, sizeof to);
    close(fd);
}

static void test_endless_restarts_of_the_peer_are_refused(void **state)
{
    (void)state;
    start_both();
    link_pair_signal(&pair, true);
    assert_true(link_pair_wait(&pair, both_connected, PATIENCE));
    unsigned restarts = 0;
    for (unsigned i = 0; i < 300; i++) {
        struct ice_udp_transport news = {.pwd = "abcdefghijklmnopqrstuv"};
        g_snprintf(news.ufrag, sizeof news.ufrag, "new%u", i);
        enum link_remote found = link_set_remote(pair.a.link, &news);
        restarts += found == LINK_REMOTE_RESTART;
        assert_true(found == LINK_REMOTE_RESTART || found == LINK_REMOTE_REFUSED);
        link_gather(pair.a.link);
    }
    assert_in_range(restarts, 1, 10);
    assert_int_equal(link_restart(pair.a.link), JINGLE_ERROR_LIMIT);
    send_until_heard(); /* over the old path */
    assert_int_equal(pair.a.state, LINK_CONNECTED);
}

static void test_garbage_from_strangers_does_no_harm(void **state)
{
    (void)state;
    start_both();
    link_pair_signal(&pair, true);
    assert_true(link_pair_wait(&pair, both_connected, PATIENCE));
    uint8_t garbage[1400];
    for (unsigned first = 0; first < 256; first++) {
        memset(garbage, (int)first, sizeof garbage);
        throw_at_a(garbage, first * 5 + 1);
    }
    link_pair_run(&pair, 50 * USEC_PER_MS);
    send_until_heard();
    assert_int_equal(pair.a.state, LINK_CONNECTED);
}

static void test_relay_only_without_a_relay_tells_no_address(void **state)
{
    (void)state;
    struct link_config a = link_pair_config(&pair, &pair.a);
    a.relay_only = true;
    party_start(&pair.a, &a);
    link_gather(pair.a.link);
    link_pair_run(&pair, 50 * USEC_PER_MS);
    assert_true(pair.a.gathered);
    assert_int_equal(pair.a.candidates->len, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_initiator_as_dtls_client_connects),
        TEST(test_initiator_as_dtls_server_connects),
        TEST(test_controlled_initiator_as_dtls_client_connects),
        TEST(test_controlled_initiator_as_dtls_server_connects),
        TEST(test_an_ice_role_conflict_is_settled),
        TEST(test_media_waits_for_the_fingerprint),
        TEST(test_a_wrong_fingerprint_is_a_security_failure),
        TEST(test_another_fingerprint_is_refused),
        TEST(test_credentials_without_a_password_are_refused),
        TEST(test_given_credentials_are_used),
        TEST(test_no_path_fails_after_the_limit),
        TEST(test_hostile_candidates_are_skipped),
        TEST(test_silence_interrupts_and_a_packet_mends),
        TEST(test_lasting_silence_is_a_lost_connection),
        TEST(test_expected_silence_is_no_trouble),
        TEST(test_closing_tells_the_peer_in_the_media_path),
        TEST(test_a_restart_goes_under_live_media),
        TEST(test_a_restart_that_is_not_answered_keeps_its_credentials),
        TEST(test_a_link_on_addresses_that_are_still_ours_is_not_outdated),
        TEST(test_endless_restarts_of_the_peer_are_refused),
        TEST(test_garbage_from_strangers_does_no_harm),
        TEST(test_relay_only_without_a_relay_tells_no_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
