/* Calls without encryption between two clients whose announcements have none, and what an encrypted
 * one becomes when somebody on the way wants it to be such: never a call that can be listened to.
 *
 *     SIM_LOG=1   every stanza */
#include "tests/sim/duo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>

#define S(seconds) ((seconds)*USEC_PER_SEC)

static char *replaced(const char *xml, const char *what, const char *with)
{
    GString *text = g_string_new(xml);
    g_string_replace(text, what, with, 0);
    return g_string_free(text, FALSE);
}

/* `xml` without its first piece from `begin` to `end`; takes it over. */
static char *cut(char *xml, const char *begin, const char *end)
{
    char *from = strstr(xml, begin);
    char *to = from ? strstr(from, end) : NULL;
    if (to) {
        memmove(from, to + strlen(end), strlen(to + strlen(end)) + 1);
    }
    return xml;
}

/* Both seem to be clients of old. */
static char *as_of_old(const char *xml, const struct end *from)
{
    (void)from;
    char *without = replaced(xml, "var=\"urn:xmpp:jingle:apps:dtls:0\"", "var=\"urn:x:nothing\"");
    char *text = replaced(without, "var=\"urn:xmpp:jingle-message:0\"", "var=\"urn:x:nothing\"");
    g_free(without);
    return g_str_has_prefix(text, "<presence") ? cut(text, "<c ", "/>") : text;
}

/* Takes the fingerprints out of what Alice offers. */
static char *without_fingerprints(const char *xml, const struct end *from)
{
    if (!strstr(xml, "<fingerprint") || strcmp(from->name, "alice") != 0) {
        return NULL;
    }
    return cut(g_strdup(xml), "<fingerprint", "</fingerprint>");
}

static struct duo *open_duo(uint64_t seed, bool allowed,
                            char *(*edit)(const char *xml, const struct end *from))
{
    struct duo *duo = g_new0(struct duo, 1);
    struct duo_config config = {
        .allow_unencrypted = allowed,
        .edit = edit,
        .doubled = 0.3,
        .signalling = {.delay = 80 * USEC_PER_MS,
                       .shape = NETWORK_JITTER_UNIFORM,
                       .jitter = 70 * USEC_PER_MS},
        .log = getenv("SIM_LOG") ? stdout : NULL,
    };
    duo_open(duo, seed, &config);
    return duo;
}

static void close_duo(struct duo *duo)
{
    duo_close(duo);
    g_free(duo);
}

static struct duo *open_plain_call(uint64_t seed)
{
    struct duo *duo = open_duo(seed, true, as_of_old);
    assert_true(duo_connect(duo));
    return duo;
}

static void test_sound_and_reports_pass_and_both_are_told(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct duo *duo = open_plain_call(seed);
        fake_ice_lose(0.1);
        duo_run(duo, S(5));
        assert_true(end_saw(&duo->ends[ALICE], "unencrypted") == 1);
        assert_true(end_saw(&duo->ends[BOB], "incoming unencrypted") == 1);
        for (int i = ALICE; i <= BOB; i++) {
            assert_in_range(duo->ends[i].rtp, 150, 260);
            assert_in_range(duo->ends[i].rtcp, 1, 10);
        }
        end_hang_up(&duo->ends[ALICE]);
        duo_run(duo, S(1));
        assert_true(end_saw(&duo->ends[BOB], "ended hangup remote") == 1);
        close_duo(duo);
    }
}

/* A muted client of that age sends nothing, and does not say so. */
static void test_a_long_silence_ends_nothing(void **state)
{
    (void)state;
    struct duo *duo = open_plain_call(3);
    duo->ends[BOB].silent = true;
    duo_run(duo, S(60));
    assert_false(duo->ends[ALICE].ended || duo->ends[BOB].ended);
    assert_int_equal(end_saw(&duo->ends[ALICE], "link interrupted"), 0);
    close_duo(duo);
}

/* They know no restart: nothing is tried, and both ends come to the end of it. */
static void test_a_change_of_network_ends_it(void **state)
{
    (void)state;
    struct duo *duo = open_plain_call(4);
    unsigned agents = duo->ends[ALICE].host.agents;
    end_move(&duo->ends[ALICE]);
    duo_run(duo, S(30));
    assert_int_equal(duo->ends[ALICE].host.agents, agents);
    assert_true(duo->ends[ALICE].ended && duo->ends[BOB].ended);
    for (int i = ALICE; i <= BOB; i++) {
        assert_int_equal(duo->ends[i].reason, JINGLE_REASON_CONNECTION_LOST);
    }
    close_duo(duo);
}

#define SAY(sid_of, children)                                                                     \
    g_strdup_printf("<iq type='set' id='evil' to='" ALICE_JID "'><jingle xmlns='urn:xmpp:jingle:" \
                    "1' action='transport-info' sid='%s'><content creator='initiator' "           \
                    "name='audio'><transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' "       \
                    "ufrag='%s' pwd='0123456789012345678901'>" children "</transport></content>"  \
                    "</jingle></iq>",                                                             \
                    account_call_sid((sid_of)->signaling), ufrag)

static void test_neither_new_credentials_nor_a_fingerprint_change_it(void **state)
{
    (void)state;
    struct duo *duo = open_plain_call(5);
    struct end *bob = &duo->ends[BOB];
    const char *ufrag = "other";
    char *restart = SAY(bob, "");
    char *fingerprint =
        SAY(bob, "<fingerprint xmlns='urn:xmpp:jingle:apps:dtls:0' hash='sha-256' setup='active'>"
                 "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:"
                 "BB:CC:DD:EE:FF</fingerprint><candidate component='1' foundation='1' ip='192.0.2.9"
                 "' port='9999' priority='1' protocol='udp' type='host' generation='0' id='x'/>");
    end_say(bob, restart);
    end_say(bob, fingerprint);
    duo_run(duo, S(1));
    unsigned before = duo->ends[ALICE].rtp;
    duo_run(duo, S(20));
    assert_true(duo->ends[ALICE].rtp > before + 900);
    assert_false(duo->ends[ALICE].ended || bob->ended);
    g_free(restart);
    g_free(fingerprint);
    close_duo(duo);
}

static void assert_no_plain_call(struct duo *duo)
{
    assert_false(duo_connect(duo));
    for (int i = ALICE; i <= BOB; i++) {
        assert_false(duo->ends[i].connected);
        assert_int_equal(duo->ends[i].rtp, 0);
    }
    assert_false(duo->ends[ALICE].told_unencrypted);
    assert_int_equal(end_saw(&duo->ends[BOB], "incoming unencrypted"), 0);
}

static void test_an_offer_whose_fingerprint_is_taken_out_does_not_even_ring(void **state)
{
    (void)state;
    for (int allowed = 0; allowed <= 1; allowed++) {
        struct duo *duo = open_duo(6, allowed, without_fingerprints);
        assert_no_plain_call(duo);
        assert_int_equal(end_saw(&duo->ends[BOB], "incoming"), 0);
        assert_int_equal(end_saw(&duo->ends[ALICE], "ended security remote"), 1);
        close_duo(duo);
    }
}

/* What Bob announces is all that an attacker needs to change, where the user allows such calls. */
static void test_who_does_not_allow_it_calls_nobody_so(void **state)
{
    (void)state;
    struct duo *duo = open_duo(7, false, as_of_old);
    assert_no_plain_call(duo);
    assert_int_equal(end_saw(&duo->ends[ALICE], "ended no-call-support remote"), 1);
    close_duo(duo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sound_and_reports_pass_and_both_are_told),
        cmocka_unit_test(test_a_long_silence_ends_nothing),
        cmocka_unit_test(test_a_change_of_network_ends_it),
        cmocka_unit_test(test_neither_new_credentials_nor_a_fingerprint_change_it),
        cmocka_unit_test(test_an_offer_whose_fingerprint_is_taken_out_does_not_even_ring),
        cmocka_unit_test(test_who_does_not_allow_it_calls_nobody_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
