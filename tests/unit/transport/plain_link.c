/* A link without encryption over real loopback: two components of ICE, and nothing else. */
#include "link_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

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
    a.plain = b.plain = true;
    party_start(&pair.a, &a);
    party_start(&pair.b, &b);
}

static void connect_both(void)
{
    start_both();
    link_pair_signal(&pair, true);
    assert_true(link_pair_wait(&pair, both_connected, PATIENCE));
}

static jingle_status send_report(struct party *party)
{
    uint8_t packet[8 + LINK_TAIL] = {0x80, 201, 0, 1, 1, 2, 3, 4};
    return link_send_rtcp(party->link, packet, 8, sizeof packet);
}

static bool all_heard(struct link_pair *p)
{
    return p->a.rtp > 0 && p->b.rtp > 0 && p->a.rtcp > 0 && p->b.rtcp > 0;
}

static void test_sound_and_reports_pass_in_clear(void **state)
{
    (void)state;
    connect_both();
    usec end = clock_now() + PATIENCE;
    for (uint16_t sequence = 1; !all_heard(&pair) && clock_now() < end; sequence++) {
        assert_int_equal(party_send(&pair.a, 1, sequence), JINGLE_OK);
        assert_int_equal(party_send(&pair.b, 2, sequence), JINGLE_OK);
        assert_int_equal(send_report(&pair.a), JINGLE_OK);
        assert_int_equal(send_report(&pair.b), JINGLE_OK);
        link_pair_wait(&pair, all_heard, 20 * USEC_PER_MS);
    }
    assert_true(all_heard(&pair));
    assert_int_equal(pair.b.last_bytes, 160);
    assert_int_equal(pair.b.last[20], 0x55);
    struct link_stats stats;
    link_stats(pair.a.link, &stats);
    assert_string_equal(stats.srtp_profile, "");
}

static void test_each_component_has_its_candidates(void **state)
{
    (void)state;
    bool ports[3] = {false};
    connect_both();
    for (guint i = 0; i < pair.a.candidates->len; i++) {
        const struct ice_candidate *candidate =
            &g_array_index(pair.a.candidates, struct ice_candidate, i);
        assert_in_range(candidate->component, 1, 2);
        ports[candidate->component] = true;
    }
    assert_true(ports[1] && ports[2]);
}

static void test_it_has_no_fingerprint_and_takes_none(void **state)
{
    (void)state;
    struct ice_udp_transport transport;
    start_both();
    link_local(pair.a.link, &transport);
    assert_int_equal(transport.fingerprint.hash, FINGERPRINT_NONE);
    transport.fingerprint = certificate_fingerprint(pair.a.certificate);
    assert_int_equal(link_set_remote(pair.b.link, &transport), LINK_REMOTE_REFUSED);
}

/* They cannot: whoever seems to is somebody else. */
static void test_it_is_not_restarted(void **state)
{
    (void)state;
    struct ice_udp_transport transport;
    connect_both();
    assert_int_equal(link_restart(pair.a.link), JINGLE_ERROR_STATE);
    link_local(pair.a.link, &transport);
    g_strlcpy(transport.ufrag, "other", sizeof transport.ufrag);
    assert_int_equal(link_set_remote(pair.b.link, &transport), LINK_REMOTE_REFUSED);
}

static void test_what_is_no_packet_is_dropped(void **state)
{
    (void)state;
    uint8_t packet[LINK_TAIL + 11] = {0x80, 111};
    struct link_stats stats;
    connect_both();
    usec end = clock_now() + PATIENCE;
    do {
        assert_int_equal(link_send_rtp(pair.a.link, packet, 11, sizeof packet), JINGLE_OK);
        link_pair_run(&pair, 20 * USEC_PER_MS);
        link_stats(pair.b.link, &stats);
    } while (stats.malformed == 0 && clock_now() < end);
    assert_true(stats.malformed > 0);
    assert_int_equal(pair.b.rtp, 0);
}

/* One that is muted may send nothing at all. */
static void test_silence_is_no_trouble(void **state)
{
    (void)state;
    struct link_config a = link_pair_config(&pair, &pair.a);
    struct link_config b = link_pair_config(&pair, &pair.b);
    a.plain = b.plain = true;
    a.interrupt_after = b.interrupt_after = 50 * USEC_PER_MS;
    party_start(&pair.a, &a);
    party_start(&pair.b, &b);
    link_pair_signal(&pair, true);
    assert_true(link_pair_wait(&pair, both_connected, PATIENCE));
    link_pair_run(&pair, 500 * USEC_PER_MS);
    assert_int_equal(pair.a.interruptions + pair.b.interruptions, 0);
    assert_true(both_connected(&pair));
}

static void test_a_client_that_encrypts_is_not_connected_to(void **state)
{
    (void)state;
    struct link_config a = link_pair_config(&pair, &pair.a);
    struct link_config b = link_pair_config(&pair, &pair.b);
    a.plain = true;
    a.connect_limit = b.connect_limit = 2 * USEC_PER_SEC;
    party_start(&pair.a, &a);
    party_start(&pair.b, &b);
    link_pair_signal(&pair, true);
    link_pair_run(&pair, USEC_PER_SEC);
    party_send(&pair.a, 1, 1);
    link_pair_run(&pair, USEC_PER_MS * 100);
    assert_int_not_equal(pair.b.state, LINK_CONNECTED);
    assert_int_equal(pair.b.rtp, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_sound_and_reports_pass_in_clear),
        TEST(test_each_component_has_its_candidates),
        TEST(test_it_has_no_fingerprint_and_takes_none),
        TEST(test_it_is_not_restarted),
        TEST(test_what_is_no_packet_is_dropped),
        TEST(test_silence_is_no_trouble),
        TEST(test_a_client_that_encrypts_is_not_connected_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
