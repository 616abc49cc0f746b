#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "file_side.h"
#include "signaling/file_reason.h"

/* -------------------------------------------------------------------------------- helpers -- */

static void assert_log(struct file_side *side, const char *expected)
{
    g_strchomp(side->log->str);
    assert_string_equal(side->log->str, expected);
    g_string_truncate(side->log, 0);
}

static void receive(struct file_side *side, char *text)
{
    if (!file_side_receive(side, text))
        fail_msg("malformed: %s", text);
    g_free(text);
}

#define FILE_XML                   \
    "<description xmlns='" FILE_NS \
    "'><file><name>a.txt</name><size>100</size>%s</file></description>"
#define CONTENT(inner) \
    "<content creator='initiator' name='a-file-offer' senders='initiator'>" inner "</content>"
#define DIRECT_AT(cid, priority)                                                               \
    "<candidate cid='" cid "' host='198.51.100.1' port='6000' jid='" JULIET "' type='direct' " \
    "priority='" priority "'/>"
#define PROXY_AT(cid, priority)                                                                \
    "<candidate cid='" cid "' host='198.51.100.9' port='7777' jid='proxy.there' type='proxy' " \
    "priority='" priority "'/>"
#define HIGH        DIRECT_AT("high", "9000000")
#define LOW         DIRECT_AT("low", "100")
#define THEIR_PROXY PROXY_AT("relay", "200")

static const struct file_description the_file = {
    .name = (char[]){"a.txt"}, .has_size = true, .size = 100};

static void add_file(struct file_side *side, bool request)
{
    struct file_description file = {0};

    file_description_copy(&file, &the_file);
    file_description_add_hash(&file, "sha-256", "");
    file.has_range = true;
    side->name = file_session_add(side->session, &file, request);
    file_description_clear(&file);
}

/* Ours is offered, and the offer acknowledged. */
static void start_outgoing(struct file_side *side)
{
    file_side_begin(side, ROMEO, JULIET, NULL);
    add_file(side, false);
    file_session_initiate(side->session, side->now);
    file_side_answered(side, NULL);
    g_string_truncate(side->log, 0);
}

static void accept_outgoing(struct file_side *side, const char *candidates)
{
    receive(side, g_strdup_printf(
                      JINGLE("session-accept",
                             CONTENT("<description xmlns='" FILE_NS "'><file><name>a.txt</name>"
                                     "<size>100</size></file></description>"
                                     "<transport xmlns='" S5B_NS "' sid='%s'>%s</transport>")),
                      file_side_own(side)->sid, candidates));
}

/* Theirs is offered. */
static void start_incoming_range(struct file_side *side, const char *range, const char *candidates)
{
    receive(side, g_strdup_printf(JINGLE("session-initiate",
                                         CONTENT(FILE_XML "<transport xmlns='" S5B_NS
                                                          "' sid='t1' mode='tcp'>%s</transport>")),
                                  range, candidates));
}

static void start_incoming(struct file_side *side, const char *candidates)
{
    start_incoming_range(side, "<range/>", candidates);
}

static void accept_incoming(struct file_side *side)
{
    file_session_accept(side->session, side->name, 0, NULL, FILE_WAYS_ALL, side->now);
    file_side_answered(side, NULL);
}

/* As initiator or responder, up to where candidates are dialed. */
static void start_seeking(struct file_side *side, bool initiator, const char *candidates)
{
    if (initiator) {
        start_outgoing(side);
        accept_outgoing(side, candidates);
    } else {
        start_incoming(side, candidates);
        accept_incoming(side);
    }
    g_string_truncate(side->log, 0);
}

static void give_info(struct file_side *side, const char *inner)
{
    receive(side, g_strdup_printf(JINGLE("transport-info", CONTENT("<transport xmlns='" S5B_NS
                                                                   "' sid='%s'>%s</transport>")),
                                  file_side_own(side)->sid, inner));
}

/* The peer uses our candidate of this number. */
static void give_used(struct file_side *side, size_t number)
{
    char *inner =
        g_strdup_printf("<candidate-used cid='%s'/>", file_side_own(side)->candidates[number].cid);

    give_info(side, inner);
    g_free(inner);
}

static void give_action(struct file_side *side, const char *action, const char *inner)
{
    receive(side, g_strdup_printf("<jingle xmlns='" NS_JINGLE "' sid='s1' action='%s'>%s</jingle>",
                                  action, inner));
}

#define REPLACE_IBB CONTENT("<transport xmlns='" IBB_NS "' sid='ibb-1' block-size='8192'/>")

static void make_flow(struct file_side *side, bool initiator)
{
    start_seeking(side, initiator, HIGH);
    file_session_connected(side->session, side->name, "high", side->now);
    give_info(side, "<candidate-error/>");
    g_string_truncate(side->log, 0);
}

/* Ours, all sent. */
static void make_sent(struct file_side *side)
{
    make_flow(side, true);
    file_session_sent(side->session, side->name, NULL, 0, side->now);
    g_string_truncate(side->log, 0);
}

/* ------------------------------------------------------------------------------ beginning -- */

static void test_an_offer_tells_all_about_the_file_and_where_we_are(void **state)
{
    struct file_side *side = *state;
    char address[S5B_ADDRESS_SIZE];

    file_side_begin(side, ROMEO, JULIET, NULL);
    add_file(side, false);
    file_session_initiate(side->session, 0);
    assert_log(side, "listen !session-initiate");
    const struct jingle_iq *iq = file_side_sent(side, 0);
    const struct jingle_content *content = &iq->contents[0];
    const struct s5b_transport *s5b = &content->s5b;
    assert_string_equal(iq->initiator, ROMEO);
    assert_string_equal(content->name, "a-file-offer");
    assert_int_equal(content->senders, SENDERS_INITIATOR);
    assert_true(content->has_senders);
    assert_string_equal(content->file.name, "a.txt");
    assert_true(s5b->writes_mode);
    assert_int_equal(s5b->candidate_count, 2);
    assert_string_equal(s5b->candidates[0].host, "192.0.2.1");
    assert_string_equal(s5b->candidates[0].jid, ROMEO);
    assert_int_equal(s5b->candidates[0].priority >> 16, 126);
    assert_int_equal(s5b->candidates[0].priority & 1, 1);
    assert_true((s5b->candidates[0].priority & 0xffff) > 0x4000);
    assert_string_equal(s5b->candidates[1].jid, "proxy.here");
    assert_int_equal(s5b->candidates[1].priority >> 16, 10);
    s5b_address(s5b->sid, ROMEO, JULIET, address);
    assert_string_equal(s5b->dstaddr, address);
    assert_string_equal(side->addresses[0], address);
    s5b_address(s5b->sid, JULIET, ROMEO, address);
    assert_string_equal(side->addresses[1], address);
}

static void test_the_answer_repeats_the_file_and_has_candidates_of_its_own(void **state)
{
    struct file_side *side = *state;

    start_incoming(side, HIGH);
    assert_log(side, "=result offered");
    assert_string_equal(side->file_name, "a.txt");
    assert_false(side->requested);
    file_session_accept(side->session, side->name, 40, NULL, FILE_WAYS_ALL, 0);
    assert_log(side, "listen !session-accept dial");
    const struct jingle_iq *iq = file_side_sent(side, 0);
    assert_string_equal(iq->responder, ROMEO);
    assert_string_equal(iq->contents[0].file.name, "a.txt");
    assert_true(iq->contents[0].file.has_range);
    assert_int_equal(iq->contents[0].file.range_offset, 40);
    assert_string_equal(iq->contents[0].s5b.sid, "t1");
    assert_false(iq->contents[0].s5b.writes_mode);
    assert_int_equal(iq->contents[0].s5b.candidates[0].priority & 1, 0);
}

/* The length that they offered would reach beyond the file from there. */
static void test_what_is_resumed_goes_to_the_end(void **state)
{
    struct file_side *side = *state;

    start_incoming_range(side, "<range offset='0' length='100'/>", HIGH);
    file_session_accept(side->session, side->name, 40, NULL, FILE_WAYS_ALL, 0);
    assert_int_equal(file_side_sent(side, 0)->contents[0].file.range_offset, 40);
    assert_int_equal(file_side_sent(side, 0)->contents[0].file.range_length, 0);
}

static void test_dialing_asks_for_the_owners_order_first(void **state)
{
    struct file_side *side = *state;
    char address[S5B_ADDRESS_SIZE];

    start_incoming(side, HIGH);
    accept_incoming(side);
    s5b_address("t1", JULIET, ROMEO, address);
    assert_string_equal(side->addresses[0], address);
    s5b_address("t1", ROMEO, JULIET, address);
    assert_string_equal(side->addresses[1], address);
}

static void test_an_address_that_the_peer_tells_is_asked_for_first(void **state)
{
    struct file_side *side = *state;
    char address[S5B_ADDRESS_SIZE];

    receive(side, g_strdup(JINGLE("session-initiate",
                                  CONTENT("<description xmlns='" FILE_NS "'><file>"
                                          "<size>1</size></file></description>"
                                          "<transport xmlns='" S5B_NS "' sid='t1' "
                                          "dstaddr='0123456789012345678901234567890123456789'>" HIGH
                                          "</transport>"))));
    accept_incoming(side);
    assert_string_equal(side->addresses[0], "0123456789012345678901234567890123456789");
    s5b_address("t1", ROMEO, JULIET, address);
    assert_string_equal(side->addresses[1], address);
}

static void test_ways_without_direct_show_and_dial_nothing_but_proxies(void **state)
{
    struct file_side *side = *state;

    start_incoming(side, HIGH THEIR_PROXY);
    g_string_truncate(side->log, 0);
    file_session_accept(side->session, side->name, 0, NULL, FILE_WAY_PROXY | FILE_WAY_INBAND, 0);
    assert_log(side, "!session-accept dial");
    assert_string_equal(side->dialed, "relay ");
    assert_int_equal(file_side_own(side)->candidate_count, 1);
    assert_int_equal(file_side_own(side)->candidates[0].type, S5B_PROXY);
}

/* What calls itself a proxy may be the peer, who must not learn our address. */
static void test_who_hides_dials_no_proxy_but_those_of_the_own_server(void **state)
{
    struct file_side *side = *state;

    side->known_only = true;
    start_incoming(side, HIGH THEIR_PROXY
                   "<candidate cid='same' host='proxy.of.romeo' port='7777' jid='proxy.here' "
                   "type='proxy' priority='655361'/>");
    g_string_truncate(side->log, 0);
    file_session_accept(side->session, side->name, 0, NULL, FILE_WAY_PROXY | FILE_WAY_INBAND, 0);
    assert_log(side, "!session-accept dial");
    assert_string_equal(side->dialed, "same ");
    give_info(side, "<candidate cid='late' host='198.51.100.7' port='7777' jid='proxy.there' "
                    "type='proxy' priority='655399'/>");
    assert_log(side, "=result");
}

static void test_a_proxy_that_the_initiator_offers_is_not_offered_again(void **state)
{
    struct file_side *side = *state;

    start_incoming(side, "<candidate cid='p' host='proxy.of.romeo' port='7777' jid='proxy.here' "
                         "type='proxy' priority='655360'/>");
    accept_incoming(side);
    assert_int_equal(file_side_own(side)->candidate_count, 1);
    assert_int_equal(file_side_own(side)->candidates[0].type, S5B_DIRECT);
}

static void test_an_assisted_candidate_that_comes_late_is_told(void **state)
{
    struct file_side *side = *state;

    file_side_begin(side, ROMEO, JULIET, NULL);
    add_file(side, false);
    file_session_initiate(side->session, 0);
    g_string_truncate(side->log, 0);
    file_session_add_candidate(side->session, side->name, S5B_ASSISTED, "203.0.113.1", 5000, 0);
    assert_log(side, "");
    file_side_answered(side, NULL);
    assert_log(side, "!candidates");
    assert_int_equal(file_side_sent(side, 0)->contents[0].s5b.candidate_count, 1);
    assert_int_equal(file_side_sent(side, 0)->contents[0].s5b.candidates[0].type, S5B_ASSISTED);
    accept_outgoing(side, HIGH);
    file_session_connected(side->session, side->name, "high", 0);
    give_info(side, "<candidate-error/>");
    g_string_truncate(side->log, 0);
    file_session_add_candidate(side->session, side->name, S5B_ASSISTED, "203.0.113.2", 5000, 0);
    assert_log(side, "");
}

static void test_no_more_candidates_are_offered_than_peers_read(void **state)
{
    struct file_side *side = *state;

    side->direct = 40;
    start_outgoing(side);
    assert_int_equal(file_side_own(side)->candidate_count, S5B_CANDIDATES_MAX);
    assert_int_equal(file_side_own(side)->candidates[S5B_CANDIDATES_MAX - 1].type, S5B_PROXY);
}

static void test_without_socks5_over_there_in_band_is_offered(void **state)
{
    struct file_side *side = *state;

    side->no_s5b = true;
    start_outgoing(side);
    assert_int_equal(file_side_sent(side, 0)->contents[0].transport, TRANSPORT_IBB);
    assert_int_equal(file_side_sent(side, 0)->contents[0].ibb.block_size, 4096);
    give_action(side, "session-accept",
                CONTENT("<description xmlns='" FILE_NS "'><file/></description>"
                        "<transport xmlns='" IBB_NS "' block-size='2048'/>"));
    assert_log(side, "=result accepted open");
    assert_int_equal(side->inband.block_size, 2048);
    file_session_opened(side->session, side->name, true, 0);
    assert_log(side, "inband");
}

static void test_nothing_in_common_is_no_path(void **state)
{
    struct file_side *side = *state;

    side->no_s5b = true;
    side->ways = FILE_WAY_DIRECT | FILE_WAY_PROXY;
    file_side_begin(side, ROMEO, JULIET, NULL);
    add_file(side, false);
    file_session_initiate(side->session, 0);
    assert_log(side, "ended:no-path over");
}

/* ----------------------------------------------------------------------------- nomination -- */

/* Of each side which one it uses: none, or one with this priority compared to the other's. */
enum use { NONE, LESS, SAME, MORE };

static const struct nomination {
    enum use ours, theirs; /* SAME: both have the same */
    const char *as_initiator;
    const char *as_responder;
} nominations[] = {
    {MORE, NONE, "stream:dialed", "stream:dialed"}, {NONE, MORE, "stream:guest", "stream:guest"},
    {MORE, LESS, "stream:dialed", "stream:dialed"}, {LESS, MORE, "stream:guest", "stream:guest"},
    {SAME, SAME, "stream:dialed", "stream:guest"},
};

static void say_ours(struct file_side *side, enum use use)
{
    if (use == NONE)
        file_session_unconnected(side->session, side->name, side->now);
    else
        file_session_connected(side->session, side->name, "x", side->now);
}

static void say_theirs(struct file_side *side, enum use use)
{
    if (use == NONE)
        give_info(side, "<candidate-error/>");
    else
        give_used(side, 0);
}

static void try_nomination(const struct nomination *row, bool initiator, bool ours_first)
{
    struct file_side side;
    uint32_t own = s5b_priority(S5B_DIRECT, (uint16_t)(0x4000 + 32 + (initiator ? 1 : 0)));
    uint32_t theirs = row->ours == MORE ? own + 100 : row->ours == LESS ? own - 100 : own;
    char *candidate =
        g_strdup_printf("<candidate cid='x' host='198.51.100.1' port='6000' jid='" JULIET
                        "' type='direct' priority='%u'/>",
                        theirs);

    file_side_init(&side);
    start_seeking(&side, initiator, candidate);
    assert_int_equal(file_side_own(&side)->candidates[0].priority, own);
    if (ours_first)
        say_ours(&side, row->ours);
    say_theirs(&side, row->theirs);
    if (!ours_first)
        say_ours(&side, row->ours);
    const char *expected = initiator ? row->as_initiator : row->as_responder;
    if (strstr(side.log->str, expected) == NULL)
        fail_msg("row %td, initiator %d, first %d: %s", row - nominations, initiator, ours_first,
                 side.log->str);
    assert_null(strstr(side.log->str, "no-s5b"));
    g_free(candidate);
    file_side_clear(&side);
}

static void test_the_better_candidate_is_nominated_and_of_equals_the_initiators(void **state)
{
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(nominations); i++) {
        for (int initiator = 0; initiator < 2; initiator++) {
            try_nomination(&nominations[i], initiator, true);
            try_nomination(&nominations[i], initiator, false);
        }
    }
}

static void test_two_of_ours_never_have_the_same_priority(void **state)
{
    uint32_t seen[64];
    size_t count = 0;

    (void)state;
    for (int initiator = 0; initiator < 2; initiator++) {
        struct file_side side;
        file_side_init(&side);
        side.direct = 15;
        start_seeking(&side, initiator, HIGH);
        const struct s5b_transport *own = file_side_own(&side);
        for (size_t i = 0; i < own->candidate_count; i++) {
            for (size_t j = 0; j < count; j++)
                assert_int_not_equal(own->candidates[i].priority, seen[j]);
            seen[count++] = own->candidates[i].priority;
        }
        file_side_clear(&side);
    }
    assert_int_equal(count, 32);
}

static void test_what_is_below_the_peers_choice_is_not_tried(void **state)
{
    struct file_side side;

    (void)state;
    file_side_init(&side);
    start_seeking(&side, true, HIGH LOW);
    give_used(&side, 0);
    assert_log(&side, "=result above");
    assert_int_equal(side.above, file_side_own(&side)->candidates[0].priority);
    file_session_unconnected(side.session, side.name, 0);
    assert_log(&side, "!candidate-error stream:guest");
    file_side_clear(&side);
    file_side_init(&side);
    start_seeking(&side, true, LOW);
    give_used(&side, 0);
    assert_log(&side, "=result !candidate-error stream:guest");
    file_side_clear(&side);
}

static void test_candidates_that_come_later_are_dialed(void **state)
{
    struct file_side *side = *state;

    start_seeking(side, true, LOW);
    give_info(side, HIGH);
    assert_log(side, "=result dial");
    assert_string_equal(side->dialed, "high ");
    give_info(side, HIGH); /* the same again */
    assert_log(side, "=result");
}

static void test_without_candidates_the_error_is_told_after_a_while(void **state)
{
    struct file_side *side = *state;

    start_seeking(side, true, "");
    assert_true(file_side_wait(side));
    assert_true(side->now < 2 * USEC_PER_SEC);
    assert_log(side, "!candidate-error");
}

static void test_a_word_that_never_comes_ends_socks5(void **state)
{
    struct file_side *side = *state;

    start_seeking(side, true, HIGH);
    file_session_connected(side->session, side->name, "high", 0);
    assert_log(side, "!candidate-used");
    assert_true(file_side_wait(side));
    assert_int_equal(side->now, FILE_CANDIDATE_LIMIT);
    assert_log(side, "no-s5b !transport-replace");
}

static void test_a_choice_that_the_peer_refuses_is_taken_back(void **state)
{
    struct file_side *side = *state;
    struct stanza_error error = stanza_error_make(STANZA_NOT_ACCEPTABLE, JINGLE_CONDITION_NONE, "");

    start_seeking(side, true, HIGH);
    file_session_connected(side->session, side->name, "high", 0);
    file_side_answered(side, &error);
    assert_log(side, "!candidate-used !candidate-error");
    give_info(side, "<candidate-error/>");
    assert_log(side, "=result no-s5b !transport-replace");
}

/* --------------------------------------------------------------------------------- proxies -- */

static void test_the_owner_activates_its_proxy(void **state)
{
    (void)state;
    for (int initiator = 0; initiator < 2; initiator++) {
        struct file_side side;
        char address[S5B_ADDRESS_SIZE];
        file_side_init(&side);
        start_seeking(&side, initiator, HIGH);
        file_session_unconnected(side.session, side.name, 0);
        give_used(&side, 1);
        assert_log(&side, "!candidate-error =result proxy");
        s5b_address(file_side_own(&side)->sid, ROMEO, JULIET, address);
        assert_string_equal(side.proxy_address, address);
        assert_string_equal(side.proxy_host, "proxy.of.romeo");
        file_session_proxy_connected(side.session, side.name, true, 0);
        assert_log(&side, "activate");
        assert_string_equal(side.target, JULIET);
        file_session_activated(side.session, side.name, true, 0);
        assert_log(&side, "!activated stream:proxy");
        assert_string_equal(file_side_sent(&side, 0)->contents[0].s5b.cid,
                            file_side_own(&side)->candidates[1].cid);
        file_side_clear(&side);
    }
}

static void start_awaiting(struct file_side *side, bool initiator)
{
    start_seeking(side, initiator, THEIR_PROXY);
    file_session_connected(side->session, side->name, "relay", side->now);
    give_info(side, "<candidate-error/>");
    assert_log(side, "!candidate-used =result");
}

static void test_the_other_waits_for_the_activation(void **state)
{
    (void)state;
    for (int initiator = 0; initiator < 2; initiator++) {
        struct file_side side;
        file_side_init(&side);
        start_awaiting(&side, initiator);
        give_info(&side, "<activated cid='other'/>");
        assert_log(&side, "=item-not-found");
        give_info(&side, "<activated cid='relay'/>");
        assert_log(&side, "=result stream:dialed");
        assert_string_equal(side.stream, "relay");
        give_info(&side, "<activated cid='relay'/>");
        assert_log(&side, "=out-of-order");
        file_side_clear(&side);
    }
}

static void test_a_proxy_that_fails_leads_to_the_next_way(void **state)
{
    static const char *const expected[] = {"no-s5b", "no-s5b !transport-replace"};
    struct file_side side;

    (void)state;
    for (int initiator = 0; initiator < 2; initiator++) {
        char *with_error = g_strdup_printf("!proxy-error %s", expected[initiator]);
        char *with_result = g_strdup_printf("=result %s", expected[initiator]);
        for (int step = 0; step < 4; step++) {
            file_side_init(&side);
            start_seeking(&side, initiator, HIGH);
            file_session_unconnected(side.session, side.name, 0);
            give_used(&side, 1);
            if (step > 0)
                file_session_proxy_connected(side.session, side.name, true, 0);
            g_string_truncate(side.log, 0);
            if (step == 0)
                file_session_proxy_connected(side.session, side.name, false, 0);
            else if (step == 1)
                file_session_activated(side.session, side.name, false, 0);
            else if (step == 2)
                assert_true(file_side_wait(&side));
            else
                give_info(&side, initiator ? "<proxy-error/>" : "<proxy-error cid='x'/>");
            assert_log(&side, step == 3 ? with_result : with_error);
            file_side_clear(&side);
        }
        g_free(with_error);
        g_free(with_result);
    }
}

static void test_an_activation_that_never_comes_is_a_proxy_error(void **state)
{
    struct file_side *side = *state;

    start_awaiting(side, true);
    usec before = side->now;
    assert_true(file_side_wait(side));
    assert_int_equal(side->now - before, FILE_ACTIVATION_LIMIT);
    assert_log(side, "!proxy-error no-s5b !transport-replace");
}

static void test_a_proxy_error_of_the_peer_ends_the_wait(void **state)
{
    struct file_side *side = *state;

    start_awaiting(side, false);
    give_info(side, "<proxy-error/>");
    assert_log(side, "=result no-s5b");
    give_action(side, "transport-replace", REPLACE_IBB);
    assert_log(side, "=result !transport-accept");
}

/* -------------------------------------------------------------------------------- fallback -- */

static void fail_socks5(struct file_side *side)
{
    file_session_unconnected(side->session, side->name, side->now);
    give_info(side, "<candidate-error/>");
}

static void test_the_initiator_falls_back_in_band_and_opens(void **state)
{
    struct file_side *side = *state;

    start_seeking(side, true, HIGH);
    fail_socks5(side);
    assert_log(side, "!candidate-error =result no-s5b !transport-replace");
    const struct jingle_content *content = &file_side_sent(side, 0)->contents[0];
    assert_int_equal(content->transport, TRANSPORT_IBB);
    assert_int_equal(content->ibb.block_size, 4096);
    assert_string_not_equal(content->ibb.sid, file_side_own(side)->sid);
    char *accept = g_strdup_printf(CONTENT("<transport xmlns='" IBB_NS "' sid='%s' "
                                           "block-size='65535'/>"),
                                   content->ibb.sid);
    give_action(side, "transport-accept", accept);
    assert_log(side, "=result open");
    assert_int_equal(side->inband.block_size, 4096);
    give_action(side, "transport-accept", accept);
    assert_log(side, "=out-of-order");
    file_session_opened(side->session, side->name, true, 0);
    assert_log(side, "inband");
    g_free(accept);
}

static void test_a_fallback_that_is_refused_is_no_path(void **state)
{
    struct stanza_error error =
        stanza_error_make(STANZA_UNEXPECTED_REQUEST, JINGLE_OUT_OF_ORDER, "");

    (void)state;
    for (int how = 0; how < 5; how++) {
        struct file_side side;
        file_side_init(&side);
        start_seeking(&side, true, HIGH);
        fail_socks5(&side);
        g_string_truncate(side.log, 0);
        if (how == 0)
            give_action(&side, "transport-reject", CONTENT("<transport xmlns='" IBB_NS "'/>"));
        else if (how == 1)
            file_side_answered(&side, &error);
        else if (how == 2)
            assert_true(file_side_wait(&side));
        else if (how == 3)
            give_action(&side, "transport-accept",
                        CONTENT("<transport xmlns='" IBB_NS "' sid='another'/>"));
        else
            give_action(&side, "transport-accept",
                        CONTENT("<transport xmlns='" IBB_NS "' stanza='message'/>"));
        if (*side.log->str == '=')
            g_string_erase(side.log, 0, strlen("=result "));
        assert_log(&side, "!session-terminate:connectivity-error ended:no-path over");
        file_side_clear(&side);
    }
}

static void test_without_in_band_there_is_no_fallback(void **state)
{
    (void)state;
    for (int how = 0; how < 2; how++) {
        struct file_side side;
        file_side_init(&side);
        side.no_inband = how == 0;
        side.ways = how == 1 ? FILE_WAY_DIRECT | FILE_WAY_PROXY : 0;
        start_seeking(&side, true, HIGH);
        fail_socks5(&side);
        assert_log(&side, "!candidate-error =result no-s5b "
                          "!session-terminate:connectivity-error ended:no-path over");
        file_side_clear(&side);
    }
}

static void test_the_responder_waits_for_the_initiators_replacement(void **state)
{
    struct file_side *side = *state;

    start_seeking(side, false, HIGH);
    fail_socks5(side);
    assert_log(side, "!candidate-error =result no-s5b");
    give_action(side, "transport-replace", REPLACE_IBB);
    assert_log(side, "=result !transport-accept");
    assert_int_equal(file_side_sent(side, 0)->contents[0].ibb.block_size, 4096);
    assert_string_equal(file_side_sent(side, 0)->contents[0].ibb.sid, "ibb-1");
    struct ibb_stanza open = {.kind = IBB_OPEN, .sid = "ibb-1", .block_size = 4096};
    struct stanza_error error;
    assert_true(file_session_open_came(side->session, &open, &error, 0));
    assert_log(side, "inband");
    assert_false(file_session_open_came(side->session, &open, &error, 0));
    assert_int_equal(error.condition, STANZA_NOT_ACCEPTABLE);
    assert_log(side, "");
}

static void test_an_open_that_was_not_agreed_on_is_refused(void **state)
{
    static const struct {
        struct ibb_stanza open;
        enum stanza_condition condition;
    } rows[] = {
        {{.kind = IBB_OPEN, .sid = "other", .block_size = 4096}, STANZA_NOT_ACCEPTABLE},
        {{.kind = IBB_OPEN, .sid = "ibb-1", .block_size = 8192}, STANZA_RESOURCE_CONSTRAINT},
        {{.kind = IBB_OPEN, .sid = "ibb-1", .block_size = 4096, .messages = true},
         STANZA_NOT_ACCEPTABLE},
    };
    struct file_side *side = *state;

    start_seeking(side, false, HIGH);
    fail_socks5(side);
    give_action(side, "transport-replace", REPLACE_IBB);
    g_string_truncate(side->log, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct stanza_error error;
        assert_false(file_session_open_came(side->session, &rows[i].open, &error, 0));
        assert_int_equal(error.condition, rows[i].condition);
    }
    assert_log(side, "");
}

static void test_an_open_that_never_comes_is_no_path(void **state)
{
    struct file_side *side = *state;

    start_seeking(side, false, HIGH);
    give_action(side, "transport-replace", REPLACE_IBB);
    assert_log(side, "=result no-s5b !transport-accept");
    assert_true(file_side_wait(side));
    assert_int_equal(side->now, FILE_REPLACE_LIMIT);
    assert_log(side, "!session-terminate:connectivity-error ended:no-path over");
}

static void test_a_responder_replaces_when_the_initiator_does_not(void **state)
{
    struct file_side *side = *state;

    start_seeking(side, false, HIGH);
    fail_socks5(side);
    g_string_truncate(side->log, 0);
    assert_true(file_side_wait(side));
    assert_int_equal(side->now, 10 * USEC_PER_SEC);
    assert_log(side, "!transport-replace");
    char *accept = g_strdup_printf(CONTENT("<transport xmlns='" IBB_NS "' sid='%s'/>"),
                                   file_side_sent(side, 0)->contents[0].ibb.sid);
    struct ibb_stanza open = {.kind = IBB_OPEN, .block_size = 4096};
    g_strlcpy(open.sid, file_side_sent(side, 0)->contents[0].ibb.sid, sizeof(open.sid));
    give_action(side, "transport-accept", accept);
    assert_log(side, "=result");
    struct stanza_error error;
    assert_true(file_session_open_came(side->session, &open, &error, side->now));
    assert_log(side, "inband");
    g_free(accept);
}

static void test_an_initiator_takes_the_responders_replacement(void **state)
{
    struct file_side *side = *state;

    start_seeking(side, true, HIGH);
    give_action(side, "transport-replace", REPLACE_IBB);
    assert_log(side, "=result no-s5b !transport-accept open");
    assert_string_equal(side->inband.sid, "ibb-1");
    file_session_opened(side->session, side->name, false, 0);
    assert_log(side, "!session-terminate:connectivity-error ended:no-path over");
}

static void test_of_two_replacements_the_initiators_goes_on(void **state)
{
    struct file_side side;
    struct stanza_error error = stanza_error_make(STANZA_CONFLICT, JINGLE_TIE_BREAK, "");

    (void)state;
    file_side_init(&side);
    start_seeking(&side, true, HIGH);
    fail_socks5(&side);
    g_string_truncate(side.log, 0);
    give_action(&side, "transport-replace", REPLACE_IBB);
    assert_log(&side, "=tie-break");
    file_side_clear(&side);

    file_side_init(&side);
    start_seeking(&side, false, HIGH);
    fail_socks5(&side);
    file_side_wait(&side);
    g_string_truncate(side.log, 0);
    file_side_answered(&side, &error);
    assert_log(&side, "");
    give_action(&side, "transport-replace", REPLACE_IBB);
    assert_log(&side, "=result !transport-accept");
    file_side_clear(&side);

    file_side_init(&side); /* theirs comes before the answer to ours */
    start_seeking(&side, false, HIGH);
    fail_socks5(&side);
    file_side_wait(&side);
    unsigned tag = g_array_index(side.tags, unsigned, side.tags->len - 1);
    g_string_truncate(side.log, 0);
    give_action(&side, "transport-replace", REPLACE_IBB);
    assert_log(&side, "=result !transport-accept");
    file_session_answered(side.session, tag, &error, side.now);
    assert_log(&side, "");
    file_side_clear(&side);
}

static void test_a_new_socks5_transport_is_taken_up_to_a_limit(void **state)
{
    struct file_side *side = *state;

    start_seeking(side, false, HIGH);
    for (int i = 0; i < 6; i++) {
        char *inner = g_strdup_printf(
            CONTENT("<transport xmlns='" S5B_NS "' sid='new%d'>" HIGH "</transport>"), i);
        give_action(side, "transport-replace", inner);
        assert_log(side, i < 4 ? "=result no-s5b listen !transport-accept dial"
                               : "=result !transport-reject");
        g_free(inner);
    }
    assert_string_equal(file_side_own(side)->sid, "new5"); /* of the rejection */
    file_session_connected(side->session, side->name, "high", 0);
    assert_log(side, "!candidate-used");
    assert_string_equal(file_side_sent(side, 0)->contents[0].s5b.sid, "new3");
}

static void test_a_transport_that_we_cannot_use_is_rejected(void **state)
{
    static const char *const inner[] = {
        CONTENT("<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1'/>"),
        CONTENT("<transport xmlns='urn:x:unknown'/>"),
        CONTENT("<transport xmlns='" IBB_NS "' sid='i' block-size='4096' stanza='message'/>"),
        CONTENT("<transport xmlns='" IBB_NS "' block-size='4096'/>"),
        CONTENT("<transport xmlns='" S5B_NS "' sid='n' mode='udp'/>"),
        CONTENT("<transport xmlns='" S5B_NS "' sid='t1'/>"),
    };
    struct file_side *side = *state;

    start_seeking(side, false, HIGH);
    for (size_t i = 0; i < G_N_ELEMENTS(inner); i++) {
        give_action(side, "transport-replace", inner[i]);
        assert_log(side, "=result !transport-reject");
    }
    file_session_connected(side->session, side->name, "high", 0);
    assert_log(side, "!candidate-used"); /* nothing has changed */
}

static void test_a_transport_may_be_replaced_before_the_answer(void **state)
{
    struct file_side side;

    (void)state;
    file_side_init(&side);
    start_incoming(&side, HIGH);
    g_string_truncate(side.log, 0);
    give_action(&side, "transport-replace", REPLACE_IBB);
    assert_log(&side, "=result !transport-accept");
    accept_incoming(&side);
    assert_log(&side, "!session-accept");
    assert_int_equal(file_side_sent(&side, 0)->contents[0].transport, TRANSPORT_IBB);
    file_side_clear(&side);

    file_side_init(&side);
    start_incoming(&side, HIGH);
    g_string_truncate(side.log, 0);
    give_action(&side, "transport-replace",
                CONTENT("<transport xmlns='" S5B_NS "' sid='n'>" LOW "</transport>"));
    assert_log(&side, "=result !transport-accept"); /* and nobody knows where we are */
    assert_int_equal(file_side_sent(&side, 0)->contents[0].s5b.candidate_count, 0);
    accept_incoming(&side);
    assert_log(&side, "listen !session-accept dial");
    assert_string_equal(side.dialed, "low ");
    file_side_clear(&side);

    file_side_init(&side);
    start_outgoing(&side);
    give_action(&side, "transport-replace", REPLACE_IBB);
    assert_log(&side, "=result no-s5b !transport-accept");
    give_action(&side, "session-accept",
                CONTENT("<description xmlns='" FILE_NS "'><file/></description>"
                        "<transport xmlns='" IBB_NS "' sid='ibb-1'/>"));
    assert_log(&side, "=result accepted open");
    file_side_clear(&side);
}

static void test_a_stream_that_fails_at_once_leads_to_the_next_way(void **state)
{
    struct file_side side;

    (void)state;
    file_side_init(&side);
    make_flow(&side, true);
    file_session_stream_failed(side.session, side.name, 0);
    assert_log(&side, "no-s5b !transport-replace");
    file_side_clear(&side);
    file_side_init(&side);
    make_flow(&side, false);
    file_session_stream_failed(side.session, side.name, 0);
    assert_log(&side, "no-s5b");
    give_action(&side, "transport-replace", REPLACE_IBB);
    assert_log(&side, "=result !transport-accept");
    file_side_clear(&side);
    file_side_init(&side); /* the peer's end broke, ours did not */
    make_flow(&side, false);
    give_action(&side, "transport-replace", REPLACE_IBB);
    assert_log(&side, "=result no-s5b !transport-accept");
    file_side_clear(&side);
}

/* ------------------------------------------------------------------------------------ ends -- */

static void test_the_sender_tells_the_hash_that_it_announced(void **state)
{
    static const struct file_hash hashes[] = {{"sha-256", "QUJD"}, {"sha-1", "REVG"}};
    struct file_side *side = *state;

    make_flow(side, true);
    file_session_sent(side->session, side->name, hashes, 2, 0);
    assert_log(side, "!checksum");
    const struct jingle_iq *iq = file_side_sent(side, 0);
    assert_int_equal(iq->checksum.hash_count, 1);
    assert_string_equal(iq->checksum.hashes[0].algorithm, "sha-256");
    assert_string_equal(iq->info_name, "a-file-offer");
    give_action(side, "session-info",
                "<received xmlns='" FILE_NS "' creator='initiator' name='a-file-offer'/>");
    assert_log(side, "=result received ended:ok");
    give_action(side, "session-terminate", "<reason><success/></reason>");
    assert_log(side, "=result over");
}

static void test_received_may_come_before_we_know_that_all_is_sent(void **state)
{
    struct file_side *side = *state;

    make_flow(side, true);
    give_action(side, "session-info", "<received xmlns='" FILE_NS "'/>");
    assert_log(side, "=result");
    file_session_sent(side->session, side->name, NULL, 0, 0);
    assert_log(side, "received ended:ok");
}

static void test_the_receiver_says_received_and_ends_the_session(void **state)
{
    struct file_side *side = *state;

    make_flow(side, false);
    give_action(side, "session-info",
                "<checksum xmlns='" FILE_NS "' creator='initiator' name='a-file-offer'><file>"
                "<hash xmlns='urn:xmpp:hashes:2' algo='sha-256'>QUJD</hash></file></checksum>");
    assert_log(side, "=result checksum");
    assert_string_equal(side->hash.value, "QUJD");
    file_session_received(side->session, side->name, 0);
    assert_log(side, "!received !session-terminate:success ended:ok over");
    assert_string_equal(file_side_sent(side, 1)->info_name, "a-file-offer");
    give_action(side, "session-info", "");
    assert_log(side, "=unknown-session");
    give_action(side, "session-terminate", "");
    assert_log(side, "=result");
}

static void test_a_peer_that_does_not_terminate_is_not_waited_for_forever(void **state)
{
    struct file_side *side = *state;

    make_sent(side);
    give_action(side, "session-info", "<received xmlns='" FILE_NS "'/>");
    g_string_truncate(side->log, 0);
    assert_true(file_side_wait(side));
    assert_log(side, "!session-terminate:success over");
}

static void test_a_silent_peer_that_closed_the_stream_has_it(void **state)
{
    struct file_side *side = *state;

    make_sent(side);
    file_session_stream_closed(side->session, side->name, 0);
    assert_log(side, "");
    assert_true(file_side_wait(side));
    assert_int_equal(side->now, FILE_FAREWELL_LIMIT);
    assert_log(side, "!session-terminate:success ended:ok over");
}

static void test_a_silent_peer_is_asked_and_given_up(void **state)
{
    struct file_side *side = *state;

    make_sent(side);
    for (int i = 0; i < 3; i++) {
        assert_true(file_side_wait(side));
        assert_log(side, "!ping");
        file_side_answered(side, NULL);
    }
    assert_true(file_side_wait(side));
    assert_true(file_side_wait(side));
    assert_log(side, "!ping !session-terminate:timeout ended:no-answer over");
}

static void test_a_peer_that_answers_forever_is_given_up_in_the_end(void **state)
{
    struct file_side *side = *state;

    make_sent(side);
    while (!file_session_has_ended(side->session)) {
        assert_true(file_side_wait(side));
        if (!file_session_has_ended(side->session))
            file_side_answered(side, NULL);
    }
    assert_true(side->now < 3600 * USEC_PER_SEC);
    assert_int_equal(side->ended, JINGLE_ERROR_NO_ANSWER);
}

static void test_success_ends_what_is_sent_and_cancels_what_is_not(void **state)
{
    struct file_side side;

    (void)state;
    file_side_init(&side);
    make_sent(&side);
    give_action(&side, "session-terminate", "<reason><success/></reason>");
    assert_log(&side, "=result ended:ok over");
    file_side_clear(&side);
    file_side_init(&side); /* our own stream is about to tell that all is sent */
    make_flow(&side, true);
    give_action(&side, "session-terminate", "<reason><success/></reason>");
    assert_log(&side, "=result");
    file_session_sent(side.session, side.name, NULL, 0, 0);
    assert_log(&side, "ended:ok over");
    file_side_clear(&side);
    file_side_init(&side);
    make_flow(&side, true);
    give_action(&side, "session-terminate", "<reason><success/></reason>");
    assert_true(file_side_wait(&side));
    assert_log(&side, "=result ended:canceled over");
    assert_int_equal(side.ended_by, JINGLE_PARTY_REMOTE);
    file_side_clear(&side);
}

static void test_a_sender_may_end_with_success_while_the_last_bytes_come(void **state)
{
    struct file_side side;

    (void)state;
    file_side_init(&side);
    make_flow(&side, false);
    give_action(&side, "session-terminate", "<reason><success/></reason>");
    assert_log(&side, "=result");
    give_action(&side, "transport-info", CONTENT("<transport xmlns='" S5B_NS "' sid='t1'/>"));
    assert_log(&side, "=unknown-session");
    file_session_received(side.session, side.name, 0);
    assert_log(&side, "ended:ok over");
    file_side_clear(&side);
    file_side_init(&side);
    make_flow(&side, false);
    give_action(&side, "session-terminate", "<reason><success/></reason>");
    assert_true(file_side_wait(&side));
    assert_log(&side, "=result ended:lost over");
    file_side_clear(&side);
}

/* What the peer's reason means, by how far it was. */
static const struct {
    const char *reason;
    const char *offered; /* by us */
    const char *seeking, *flowing, *sent;
} reasons[] = {
    {"<cancel/>", "refused", "canceled", "canceled", "canceled"},
    {"<decline/>", "refused", "canceled", "canceled", "canceled"},
    {"<busy/>", "refused", "refused", "canceled", "canceled"},
    {"<media-error/>", "peer-file", "peer-file", "peer-file", "hash"},
    {"<failed-application/>", "peer-file", "peer-file", "peer-file", "peer-file"},
    {"<connectivity-error/>", "no-path", "no-path", "lost", "lost"},
    {"<failed-transport/>", "no-path", "no-path", "lost", "lost"},
    {"<unsupported-transports/>", "no-path", "no-path", "lost", "lost"},
    {"<unsupported-applications/>", "unsupported", "unsupported", "peer-file", "peer-file"},
    {"<timeout/>", "no-answer", "no-path", "lost", "no-answer"},
    {"<gone/>", "gone", "gone", "gone", "gone"},
    {"<security-error/>", "forbidden", "forbidden", "forbidden", "forbidden"},
    {"", "refused", "canceled", "canceled", "ok"},
};

static void test_the_peers_reasons_are_understood(void **state)
{
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(reasons); i++) {
        const char *const expected[] = {reasons[i].offered, reasons[i].seeking, reasons[i].flowing,
                                        reasons[i].sent};
        for (size_t step = 0; step < 4; step++) {
            struct file_side side;
            file_side_init(&side);
            if (step == 0)
                start_outgoing(&side);
            else if (step == 1)
                start_seeking(&side, true, HIGH);
            else if (step == 2)
                make_flow(&side, true);
            else
                make_sent(&side);
            char *inner = g_strdup_printf("<reason>%s<text>so</text></reason>", reasons[i].reason);
            give_action(&side, "session-terminate", inner);
            char *log = g_strdup_printf("=result ended:%s over", expected[step]);
            assert_log(&side, log);
            assert_string_equal(side.ended_text, "so");
            g_free(inner);
            g_free(log);
            file_side_clear(&side);
        }
    }
}

static void end_all(struct file_side *side, const struct file_event *event)
{
    if (event->type != FILE_EVENT_SESSION_ENDED)
        file_session_end(side->session, JINGLE_ERROR_CANCELED, side->now);
}

static void test_our_failures_are_told(void **state)
{
    static const struct {
        jingle_status status;
        const char *reason;
    } rows[] = {
        {JINGLE_ERROR_CANCELED, "cancel"},
        {JINGLE_ERROR_FILE_HASH, "media-error"},
        {JINGLE_ERROR_FILE_TOO_LONG, "media-error"},
        {JINGLE_ERROR_NO_SPACE, "failed-application"},
        {JINGLE_ERROR_FILE_CHANGED, "failed-application"},
        {JINGLE_ERROR_CONNECTION_LOST, "connectivity-error"},
        {JINGLE_ERROR_MEMORY, "general-error"},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct file_side side;
        file_side_init(&side);
        make_flow(&side, false);
        file_session_end_content(side.session, side.name, rows[i].status, 0);
        assert_int_equal(side.ended, rows[i].status);
        assert_int_equal(side.ended_by, JINGLE_PARTY_LOCAL);
        assert_string_equal(reason_condition_name(file_side_sent(&side, 0)->reason.condition),
                            rows[i].reason);
        assert_int_equal(*file_side_sent(&side, 0)->reason.text != '\0',
                         rows[i].status <= JINGLE_ERROR_FILE_HASH);
        assert_string_equal(side.ended_text, "");
        assert_true(file_session_has_ended(side.session));
        file_side_clear(&side);
    }
}

static void test_an_end_from_within_the_end_is_one(void **state)
{
    struct file_side side;

    (void)state;
    file_side_init(&side);
    make_flow(&side, false);
    side.then = end_all;
    file_session_received(side.session, side.name, 0);
    assert_log(&side, "!received !session-terminate:success ended:ok over");
    file_side_clear(&side);
    file_side_init(&side);
    start_incoming(&side, HIGH);
    g_string_truncate(side.log, 0);
    side.then = end_all; /* at LISTEN */
    accept_incoming(&side);
    assert_log(&side, "listen !session-terminate:cancel ended:canceled over");
    file_side_clear(&side);
    file_side_init(&side);
    make_flow(&side, true);
    side.then = end_all; /* at NO_SOCKS5 */
    file_session_stream_failed(side.session, side.name, 0);
    assert_log(&side, "no-s5b !session-terminate:cancel ended:canceled over");
    file_side_clear(&side);
}

static void test_a_rejected_offer_is_declined(void **state)
{
    struct file_side *side = *state;

    start_incoming(side, HIGH);
    g_string_truncate(side->log, 0);
    file_session_reject(side->session, side->name, 0);
    assert_log(side, "!session-terminate:decline ended:refused over");
}

static void test_an_offer_that_nobody_answers_expires(void **state)
{
    (void)state;
    for (int initiator = 0; initiator < 2; initiator++) {
        struct file_side side;
        file_side_init(&side);
        if (initiator)
            start_outgoing(&side);
        else
            start_incoming(&side, HIGH);
        g_string_truncate(side.log, 0);
        assert_true(file_side_wait(&side));
        assert_int_equal(side.now, FILE_ANSWER_LIMIT);
        assert_log(&side, "!session-terminate:timeout ended:no-answer over");
        assert_int_equal(file_session_next_deadline(side.session), USEC_NEVER);
        file_side_clear(&side);
    }
}

static void test_an_error_to_the_offer_ends_it(void **state)
{
    static const struct {
        enum stanza_condition condition;
        const char *log;
    } rows[] = {
        {STANZA_SERVICE_UNAVAILABLE, "ended:offline over"},
        {STANZA_RECIPIENT_UNAVAILABLE, "ended:offline over"},
        {STANZA_REMOTE_SERVER_NOT_FOUND, "ended:server over"},
        {STANZA_REMOTE_SERVER_TIMEOUT, "!session-terminate:failed-application ended:server over"},
        {STANZA_FORBIDDEN, "ended:forbidden over"},
        {STANZA_FEATURE_NOT_IMPLEMENTED, "ended:unsupported over"},
        {STANZA_RESOURCE_CONSTRAINT, "ended:refused over"},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct file_side side;
        struct stanza_error error =
            stanza_error_make(rows[i].condition, JINGLE_CONDITION_NONE, "because");
        file_side_init(&side);
        file_side_begin(&side, ROMEO, JULIET, NULL);
        add_file(&side, false);
        file_session_initiate(side.session, 0);
        g_string_truncate(side.log, 0);
        file_side_answered(&side, &error);
        assert_log(&side, rows[i].log);
        assert_string_equal(side.ended_text, "because");
        file_side_clear(&side);
    }
}

static void test_a_peer_that_goes_offline_stops_what_does_not_flow_by_socks5(void **state)
{
    struct file_side side;

    (void)state;
    file_side_init(&side);
    start_outgoing(&side);
    file_session_peer_gone(side.session, 0);
    assert_log(&side, "!session-terminate:gone ended:gone over");
    file_side_clear(&side);
    file_side_init(&side);
    start_seeking(&side, true, HIGH);
    file_session_peer_gone(side.session, 0);
    assert_log(&side, "!session-terminate:gone ended:gone over");
    file_side_clear(&side);
    file_side_init(&side);
    make_flow(&side, true);
    file_session_peer_gone(side.session, 0);
    assert_log(&side, "");
    file_side_clear(&side);
}

static void test_a_peer_that_knows_nothing_of_the_session_has_ended_it(void **state)
{
    struct file_side side;
    struct stanza_error error =
        stanza_error_make(STANZA_ITEM_NOT_FOUND, JINGLE_UNKNOWN_SESSION, "");

    (void)state;
    file_side_init(&side);
    start_seeking(&side, true, HIGH);
    file_session_connected(side.session, side.name, "high", 0);
    file_side_answered(&side, &error);
    assert_log(&side, "!candidate-used ended:gone over");
    file_side_clear(&side);
    file_side_init(&side);
    make_sent(&side);
    file_side_wait(&side);
    file_side_answered(&side, &error);
    assert_log(&side, "!ping ended:no-answer over");
    file_side_clear(&side);
}

/* --------------------------------------------------------------------------- several files -- */

static void start_three(struct file_side *side)
{
    file_side_begin(side, ROMEO, JULIET, NULL);
    add_file(side, false);
    add_file(side, false);
    add_file(side, true);
    assert_string_equal(side->name, "a-file-request-3");
    file_session_initiate(side->session, 0);
    file_side_answered(side, NULL);
    g_string_truncate(side->log, 0);
}

#define ANSWER(name, senders)                                         \
    "<content creator='initiator' name='" name "' senders='" senders  \
    "'><description xmlns='" FILE_NS                                  \
    "'><file><name>got.txt</name><size>7</size></file></description>" \
    "<transport xmlns='" S5B_NS "'>" HIGH "</transport></content>"

static void test_each_content_goes_its_own_way(void **state)
{
    struct file_side *side = *state;

    start_three(side);
    give_action(side, "session-accept",
                ANSWER("a-file-offer", "initiator") ANSWER("a-file-request-3", "responder"));
    assert_log(side, "=result accepted ended:refused accepted dial dial");
    assert_string_equal(side->file_name, "got.txt");
    give_action(side, "content-remove",
                "<content creator='initiator' name='a-file-offer'/><reason><cancel/></reason>");
    assert_log(side, "=result ended:canceled");
    give_action(side, "content-remove", "<content creator='initiator' name='a-file-offer'/>");
    assert_log(side, "=result");
    give_action(side, "content-remove", "<content creator='initiator' name='what'/>");
    assert_log(side, "=item-not-found");
    give_action(side, "content-remove", "<content creator='initiator' name='a-file-request-3'/>");
    assert_log(side, "=result !session-terminate:cancel ended:canceled over");
}

static void test_ending_one_of_several_removes_it(void **state)
{
    struct file_side *side = *state;

    start_three(side);
    file_session_end_content(side->session, "a-file-offer-2", JINGLE_ERROR_CANCELED, 0);
    assert_log(side, "!content-remove:cancel ended:canceled");
    assert_string_equal(file_side_sent(side, 0)->contents[0].name, "a-file-offer-2");
    file_session_end_content(side->session, "a-file-offer-2", JINGLE_ERROR_CANCELED, 0);
    assert_log(side, "");
    file_session_end(side->session, JINGLE_ERROR_CANCELED, 0);
    assert_log(side, "!session-terminate:cancel ended:canceled ended:canceled over");
}

#define OFFER(name, inner)                                                    \
    "<content creator='initiator' name='" name                                \
    "' senders='initiator'><description xmlns='" FILE_NS "'><file>" inner     \
    "</file></description><transport xmlns='" S5B_NS "' sid='" name "'>" HIGH \
    "</transport></content>"

static void test_the_answer_waits_until_all_is_decided(void **state)
{
    struct file_side *side = *state;

    give_action(side, "session-initiate",
                OFFER("one", "<size>1</size>") OFFER("two", "<size>1</size>")
                    OFFER("three", "<name>no size</name>") OFFER("four", "<size>1</size>"));
    assert_log(side, "=result offered offered offered");
    file_session_accept(side->session, "one", 0, NULL, FILE_WAYS_ALL, 0);
    file_session_accept(side->session, "three", 0, NULL, FILE_WAYS_ALL, 0);
    assert_log(side, "");
    file_session_reject(side->session, "two", 0);
    assert_log(side, "ended:refused");
    file_session_accept(side->session, "four", 0, NULL, FILE_WAYS_ALL, 0);
    assert_log(side, "listen listen !session-accept dial dial");
    assert_int_equal(file_side_sent(side, 0)->content_count, 2);
    file_session_received(side->session, "one", 0);
    assert_log(side, "!received ended:ok");
    file_session_received(side->session, "four", 0);
    assert_log(side, "!received !session-terminate:success ended:ok over");
}

static void test_a_rejection_may_be_the_last_decision(void **state)
{
    struct file_side *side = *state;

    give_action(side, "session-initiate",
                OFFER("one", "<size>1</size>") OFFER("two", "<size>1</size>"));
    file_session_accept(side->session, "one", 0, NULL, FILE_WAYS_ALL, 0);
    g_string_truncate(side->log, 0);
    file_session_reject(side->session, "two", 0);
    assert_log(side, "ended:refused listen !session-accept dial");
}

static void test_no_more_contents_than_the_limit(void **state)
{
    struct file_side *side = *state;

    file_side_begin(side, ROMEO, JULIET, NULL);
    for (int i = 0; i < FILE_SESSION_CONTENTS_MAX; i++)
        assert_non_null(file_session_add(side->session, &the_file, false));
    assert_null(file_session_add(side->session, &the_file, false));
}

/* -------------------------------------------------------------------------------- requests -- */

static void test_a_request_is_granted_with_what_the_file_is(void **state)
{
    static const struct file_hash hashes[] = {{"sha-1", "REVG"}};
    struct file_side *side = *state;

    give_action(
        side, "session-initiate",
        "<content creator='initiator' name='want' senders='responder'><description xmlns='" FILE_NS
        "'><file><name>b.txt</name><range offset='30'/></file></description>"
        "<transport xmlns='" S5B_NS "' sid='w'>" HIGH "</transport></content>");
    assert_log(side, "=result offered");
    assert_true(side->requested);
    file_session_accept(side->session, side->name, 30, &the_file, FILE_WAYS_ALL, 0);
    const struct jingle_content *answer = &file_side_sent(side, 0)->contents[0];
    assert_int_equal(answer->senders, SENDERS_RESPONDER);
    assert_int_equal(answer->file.size, 100);
    assert_int_equal(answer->file.range_offset, 30);
    file_session_connected(side->session, side->name, "high", 0);
    give_action(side, "transport-info",
                "<content creator='initiator' name='want'><transport xmlns='" S5B_NS
                "' sid='w'><candidate-error/></transport></content>");
    g_string_truncate(side->log, 0);
    file_session_sent(side->session, side->name, hashes, 1, 0);
    assert_log(side, "!checksum"); /* nothing was announced: all of them */
}

/* ---------------------------------------------------------------------------------- ranges -- */

static void test_the_receivers_range_is_respected(void **state)
{
    static const struct {
        const char *range;
        const char *log;
        uint64_t offset, length;
    } rows[] = {
        {"", "=result accepted", 0, 0},
        {"<range offset='40'/>", "=result accepted", 40, 0},
        {"<range offset='40' length='10'/>", "=result accepted", 40, 10},
        {"<range offset='100'/>", "=result accepted", 100, 0},
        {"<range offset='101'/>",
         "=result !session-terminate:incompatible-parameters ended:unsupported over", 0, 0},
        {"<range offset='40' length='61'/>",
         "=result !session-terminate:incompatible-parameters ended:unsupported over", 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct file_side side;
        file_side_init(&side);
        start_outgoing(&side);
        receive(&side, g_strdup_printf(JINGLE("session-accept",
                                              CONTENT(FILE_XML "<transport xmlns='" S5B_NS "'/>")),
                                       rows[i].range));
        assert_log(&side, rows[i].log);
        assert_int_equal(side.offset, rows[i].offset);
        assert_int_equal(side.length, rows[i].length);
        file_side_clear(&side);
    }
}

/* ------------------------------------------------------------------------- what is refused -- */

#define S5B_T "<transport xmlns='" S5B_NS "' sid='t1'/>"
#define DESCRIBED(inner) \
    "<description xmlns='" FILE_NS "'><file><name>a</name>" inner "</file></description>"

static void test_offers_that_cannot_be_are_refused(void **state)
{
    static const struct {
        const char *inner;
        const char *log;
    } rows[] = {
        {CONTENT("<description xmlns='urn:x:other'/>" S5B_T),
         "=result !session-terminate:unsupported-applications"},
        {CONTENT(DESCRIBED("<size>1</size>")
                     S5B_T) "<content creator='initiator' name='v'><description "
                            "xmlns='urn:x:other'/>" S5B_T "</content>",
         "=result !session-terminate:unsupported-applications"},
        {CONTENT(DESCRIBED("") S5B_T), "=result !session-terminate:incompatible-parameters"},
        {CONTENT(DESCRIBED("<size>1</size><range offset='2'/>") S5B_T),
         "=result !session-terminate:incompatible-parameters"},
        {CONTENT(DESCRIBED(
             "<size>1</size>") "<transport "
                               "xmlns='urn:xmpp:jingle:transports:webrtc-datachannel:1'/>"),
         "=result !session-terminate:unsupported-transports"},
        {CONTENT(DESCRIBED("<size>1</size>") "<transport xmlns='" S5B_NS "' sid='t1' mode='udp'/>"),
         "=result !session-terminate:unsupported-transports"},
        {CONTENT(DESCRIBED("<size>1</size>") "<transport xmlns='" IBB_NS
                                             "' sid='t1' block-size='4096' stanza='message'/>"),
         "=result !session-terminate:unsupported-transports"},
        {CONTENT(DESCRIBED("<size>1</size>") S5B_T "<security xmlns='urn:xmpp:jingle:jet:0'/>"),
         "=result !session-terminate:security-error"},
        {"<content creator='initiator' name='a' senders='none'>" DESCRIBED("<size>1</size>") S5B_T
         "</content>",
         "=result !session-terminate:incompatible-parameters"},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct file_side side;
        file_side_init(&side);
        give_action(&side, "session-initiate", rows[i].inner);
        assert_null(side.session);
        assert_log(&side, rows[i].log);
        file_side_clear(&side);
    }
}

static void test_an_answer_that_makes_no_sense_ends_it(void **state)
{
    static const struct {
        const char *inner;
        const char *log;
    } rows[] = {
        {CONTENT("<description xmlns='" FILE_NS "'><file/></description>"
                 "<transport xmlns='" IBB_NS "' sid='i' block-size='4096'/>"),
         "=result !session-terminate:unsupported-transports ended:no-path over"},
        {CONTENT("<description xmlns='urn:x:other'/><transport xmlns='" S5B_NS "'/>"),
         "=result !session-terminate:unsupported-applications ended:unsupported over"},
        {"<content creator='initiator' name='a-file-offer' senders='none'>"
         "<description xmlns='" FILE_NS "'><file/></description><transport xmlns='" S5B_NS
         "'/></content>",
         "=result !session-terminate:cancel ended:refused over"},
        {"<content creator='initiator' name='what'><description xmlns='" FILE_NS
         "'><file/></description><transport xmlns='" S5B_NS "'/></content>",
         "=bad-request"},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct file_side side;
        file_side_init(&side);
        start_outgoing(&side);
        give_action(&side, "session-accept", rows[i].inner);
        assert_log(&side, rows[i].log);
        file_side_clear(&side);
    }
}

/* Stanzas that come when or how they must not: the answer, and nothing else happens. */
static const struct {
    const char *action;
    const char *inner;
    const char *answer;
} misplaced[] = {
    {"session-initiate", CONTENT(DESCRIBED("<size>1</size>") S5B_T), "=out-of-order"},
    {"session-accept", CONTENT(DESCRIBED("<size>1</size>") S5B_T), "=out-of-order"},
    {"transport-accept", REPLACE_IBB, "=out-of-order"},
    {"transport-reject", REPLACE_IBB, "=out-of-order"},
    {"content-accept", CONTENT(DESCRIBED("<size>1</size>") S5B_T), "=out-of-order"},
    {"content-modify", "<content creator='initiator' name='a-file-offer' senders='both'/>",
     "=feature-not-implemented"},
    {"content-add", CONTENT(DESCRIBED("<size>1</size>") S5B_T), "=result !content-reject:decline"},
    {"content-remove", "<content creator='initiator' name='what'/>", "=item-not-found"},
    {"description-info", CONTENT(DESCRIBED("<size>1</size>")), "=result"},
    {"session-info", "", "=result"},
    {"session-info", "<hold xmlns='" NS_RTP_INFO "'/>", "=unsupported-info"},
    {"session-info", "<what xmlns='urn:x:what'/>", "=unsupported-info"},
    {"session-info", "<received xmlns='" FILE_NS "'/>", "=result"},
    {"transport-info",
     "<content creator='initiator' name='what'><transport xmlns='" S5B_NS
     "' sid='t1'><candidate-error/></transport></content>",
     "=item-not-found"},
    {"transport-info",
     CONTENT("<transport xmlns='" S5B_NS "' sid='t1'><candidate-used cid='what'/></transport>"),
     "=item-not-found"},
    {"transport-info",
     CONTENT("<transport xmlns='" S5B_NS "' sid='old'><candidate-error/></transport>"),
     "=item-not-found"},
    {"transport-info",
     CONTENT("<transport xmlns='" S5B_NS "' sid='t1'><activated cid='high'/></transport>"),
     "=out-of-order"},
    {"transport-info", CONTENT("<transport xmlns='" S5B_NS "' sid='t1'><proxy-error/></transport>"),
     "=out-of-order"},
    {"transport-info", CONTENT("<transport xmlns='" IBB_NS "' sid='b' block-size='1'/>"),
     "=result"},
    {"transport-replace",
     "<content creator='initiator' name='what'><transport xmlns='" IBB_NS
     "' sid='i' block-size='4096'/></content>",
     "=item-not-found"},
};

static void test_what_is_out_of_place_changes_nothing(void **state)
{
    struct file_side *side = *state;

    start_seeking(side, false, HIGH);
    for (size_t i = 0; i < G_N_ELEMENTS(misplaced); i++) {
        give_action(side, misplaced[i].action, misplaced[i].inner);
        g_strchomp(side->log->str);
        if (strcmp(side->log->str, misplaced[i].answer) != 0)
            fail_msg("%s %s: %s", misplaced[i].action, misplaced[i].inner, side->log->str);
        g_string_truncate(side->log, 0);
    }
    file_session_connected(side->session, side->name, "high", 0);
    give_info(side, "<candidate-error/>");
    assert_log(side, "!candidate-used =result stream:dialed");
}

static void test_a_second_word_is_out_of_order_and_changes_nothing(void **state)
{
    struct file_side *side = *state;

    start_seeking(side, true, HIGH);
    give_info(side, "<candidate-error/>");
    assert_log(side, "=result");
    give_used(side, 0);
    assert_log(side, "=out-of-order");
    file_session_connected(side->session, side->name, "high", 0);
    assert_log(side, "!candidate-used stream:dialed");
    give_info(side, "<candidate-error/>");
    assert_log(side, "=out-of-order");
}

static void test_words_before_the_answer_are_out_of_order(void **state)
{
    struct file_side *side = *state;

    start_outgoing(side);
    give_used(side, 0);
    assert_log(side, "=out-of-order");
}

static void test_commands_at_the_wrong_time_do_nothing(void **state)
{
    struct file_side *side = *state;

    start_incoming(side, HIGH);
    g_string_truncate(side->log, 0);
    file_session_connected(side->session, side->name, "high", 0);
    file_session_unconnected(side->session, side->name, 0);
    file_session_proxy_connected(side->session, side->name, true, 0);
    file_session_activated(side->session, side->name, true, 0);
    file_session_opened(side->session, side->name, true, 0);
    file_session_stream_failed(side->session, side->name, 0);
    file_session_sent(side->session, side->name, NULL, 0, 0);
    file_session_stream_closed(side->session, side->name, 0);
    file_session_received(side->session, side->name, 0);
    file_session_add_candidate(side->session, side->name, S5B_DIRECT, "192.0.2.7", 1, 0);
    file_session_initiate(side->session, 0);
    file_session_received(side->session, "what", 0);
    assert_log(side, "");
}

/* --------------------------------------------------------------- what real clients do -- */

static void test_gajim_answers_with_senders_both_and_without_names(void **state)
{
    struct file_side side;

    (void)state;
    file_side_init(&side);
    start_outgoing(&side);
    receive(&side,
            g_strdup_printf(
                JINGLE("session-accept",
                       "<content name='a-file-offer' senders='both'><description xmlns='" FILE_NS
                       "'><file><date>2026-01-01T00:00:00+00:00Z</date><desc/>"
                       "<name>a.txt</name><size>100</size></file></description>"
                       "<transport xmlns='" S5B_NS "' sid='%s'>" HIGH "</transport></content>"),
                file_side_own(&side)->sid));
    assert_log(&side, "=result accepted dial");
    file_side_clear(&side);
    file_side_init(&side);
    make_flow(&side, false);
    give_action(&side, "session-info",
                "<checksum xmlns='" FILE_NS "'><file><hash xmlns='urn:xmpp:hashes:2' "
                "algo='sha-256'>QUJD</hash></file></checksum>");
    assert_log(&side, "=result checksum");
    file_side_clear(&side);
}

static void test_gajim_falls_back_to_a_stream_called_none(void **state)
{
    struct file_side *side = *state;
    struct ibb_stanza open = {.kind = IBB_OPEN, .sid = "None", .block_size = 4096};
    struct stanza_error error;

    start_seeking(side, false, HIGH);
    fail_socks5(side);
    give_action(side, "transport-replace",
                CONTENT("<transport xmlns='" IBB_NS "' sid='None' block-size='4096'/>"));
    assert_true(file_session_open_came(side->session, &open, &error, 0));
    assert_log(side, "!candidate-error =result no-s5b =result !transport-accept inband");
}

static void test_psi_trickles_a_proxy_before_the_answer(void **state)
{
    struct file_side side;

    (void)state;
    file_side_init(&side);
    start_incoming(&side,
                   "<candidate cid='d' host='198.51.100.1' port='6000' priority='8257536'/>");
    give_action(&side, "transport-info",
                CONTENT("<transport xmlns='" S5B_NS "' sid='t1' "
                        "dstaddr='0123456789012345678901234567890123456789'>" THEIR_PROXY
                        "</transport>"));
    assert_log(&side, "=result offered =result");
    accept_incoming(&side);
    assert_string_equal(side.dialed, "d relay ");
    assert_string_equal(side.addresses[0], "0123456789012345678901234567890123456789");
    file_side_clear(&side);
    file_side_init(&side); /* as responder */
    start_outgoing(&side);
    give_info(&side, THEIR_PROXY);
    assert_log(&side, "=result");
    accept_outgoing(&side, HIGH);
    assert_log(&side, "=result accepted dial");
    assert_string_equal(side.dialed, "relay high ");
    file_side_clear(&side);
}

static void test_conversations_makes_up_names_in_its_checksum(void **state)
{
    struct file_side *side = *state;

    make_flow(side, false);
    give_action(side, "session-info",
                "<checksum xmlns='" FILE_NS "' creator='initiator' name='another'><file>"
                "<hash xmlns='urn:xmpp:hashes:2' algo='sha-1'>QUJD</hash></file></checksum>");
    assert_log(side, "=result checksum");
}

static void test_conversations_says_received_by_name_and_terminates(void **state)
{
    struct file_side *side = *state;

    make_sent(side);
    give_action(side, "session-info", "<received xmlns='" FILE_NS "' name='a-file-offer'/>");
    give_action(side, "session-terminate", "<reason><success/></reason>");
    assert_log(side, "=result received ended:ok =result over");
}

static void test_conversations_refuses_a_replacement_by_the_responder(void **state)
{
    struct file_side *side = *state;
    struct stanza_error error =
        stanza_error_make(STANZA_UNEXPECTED_REQUEST, JINGLE_OUT_OF_ORDER, "");

    start_seeking(side, false, HIGH);
    fail_socks5(side);
    file_side_wait(side);
    g_string_truncate(side->log, 0);
    file_side_answered(side, &error);
    assert_log(side, "!session-terminate:connectivity-error ended:no-path over");
}

static void test_conversations_offers_large_blocks_and_opens_with_what_was_agreed(void **state)
{
    struct file_side *side = *state;
    struct ibb_stanza open = {.kind = IBB_OPEN, .sid = "t1", .block_size = 4096};
    struct stanza_error error;

    give_action(side, "session-initiate",
                CONTENT(DESCRIBED("<size>1</size>") "<transport xmlns='" IBB_NS
                                                    "' sid='t1' block-size='8192'/>"));
    accept_incoming(side);
    assert_log(side, "=result offered !session-accept");
    assert_int_equal(file_side_sent(side, 0)->contents[0].ibb.block_size, 4096);
    assert_true(file_session_open_came(side->session, &open, &error, 0));
    assert_log(side, "inband");
}

static void test_dino_rejects_the_replacement(void **state)
{
    struct file_side *side = *state;

    start_seeking(side, true, HIGH);
    fail_socks5(side);
    g_string_truncate(side->log, 0);
    give_action(side, "transport-reject", REPLACE_IBB);
    assert_log(side, "=result !session-terminate:connectivity-error ended:no-path over");
}

static void test_dino_says_nothing_but_success(void **state)
{
    struct file_side *side = *state;

    make_sent(side);
    file_session_stream_closed(side->session, side->name, 0);
    give_action(side, "session-terminate", "<reason><success/></reason>");
    assert_log(side, "=result ended:ok over");
}

static void test_creators_may_be_wrong(void **state)
{
    struct file_side *side = *state;

    start_seeking(side, true, HIGH);
    file_session_connected(side->session, side->name, "high", 0);
    receive(side, g_strdup_printf(JINGLE("transport-info",
                                         "<content creator='responder' name='a-file-offer'>"
                                         "<transport xmlns='" S5B_NS
                                         "' sid='%s'><candidate-error/></transport></content>"),
                                  file_side_own(side)->sid));
    assert_log(side, "!candidate-used =result stream:dialed");
}

/* ------------------------------------------------------------------------- what else happens -- */

static void test_an_answer_may_leave_out_what_is_known(void **state)
{
    struct file_side *side = *state;

    start_outgoing(side);
    give_action(side, "session-accept", "<content name='a-file-offer'/>");
    assert_log(side, "=result accepted");
    give_info(side, HIGH);
    assert_log(side, "=result dial");
}

static void test_errors_that_mean_absence_are_taken_for_it(void **state)
{
    struct stanza_error gone =
        stanza_error_make(STANZA_RECIPIENT_UNAVAILABLE, JINGLE_CONDITION_NONE, "");
    struct stanza_error unknown =
        stanza_error_make(STANZA_ITEM_NOT_FOUND, JINGLE_UNKNOWN_SESSION, "");
    struct file_side side;

    (void)state;
    file_side_init(&side);
    start_seeking(&side, true, HIGH);
    file_session_connected(side.session, side.name, "high", 0);
    file_side_answered(&side, &gone);
    assert_log(&side, "!candidate-used !session-terminate:gone ended:gone over");
    file_side_clear(&side);
    file_side_init(&side); /* of a stream that flows it says nothing */
    make_flow(&side, true);
    file_side_answered(&side, &gone);
    assert_log(&side, "");
    file_side_answered(&side, &unknown);
    assert_log(&side, "ended:lost over");
    file_side_clear(&side);
    file_side_init(&side); /* the server answers for them, and yet they have had it */
    start_incoming(&side, HIGH);
    file_session_accept(side.session, side.name, 0, NULL, FILE_WAYS_ALL, 0);
    unsigned accept_tag = g_array_index(side.tags, unsigned, side.tags->len - 1);
    file_session_connected(side.session, side.name, "high", 0);
    give_info(&side, "<candidate-error/>");
    g_string_truncate(side.log, 0);
    file_session_answered(side.session, accept_tag, &gone, 0);
    assert_log(&side, "");
    file_side_clear(&side);
}

static void test_in_band_needs_the_peer_online(void **state)
{
    struct file_side *side = *state;
    struct ibb_stanza open = {.kind = IBB_OPEN, .sid = "ibb-1", .block_size = 4096};
    struct stanza_error error;

    start_seeking(side, false, HIGH);
    give_action(side, "transport-replace", REPLACE_IBB);
    assert_true(file_session_open_came(side->session, &open, &error, 0));
    g_string_truncate(side->log, 0);
    give_action(side, "transport-replace", REPLACE_IBB);
    assert_log(side, "=result !transport-reject");
    file_session_peer_gone(side->session, 0);
    assert_log(side, "!session-terminate:connectivity-error ended:lost over");
}

static void test_a_ping_that_is_not_understood_is_an_answer(void **state)
{
    struct stanza_error error =
        stanza_error_make(STANZA_FEATURE_NOT_IMPLEMENTED, JINGLE_UNSUPPORTED_INFO, "");
    struct file_side *side = *state;

    make_sent(side);
    for (int i = 0; i < 3; i++) {
        assert_true(file_side_wait(side));
        assert_log(side, "!ping");
        file_side_answered(side, &error);
    }
}

static void test_a_transport_accept_that_is_refused_is_no_path(void **state)
{
    struct stanza_error error = stanza_error_make(STANZA_BAD_REQUEST, JINGLE_CONDITION_NONE, "why");
    struct file_side *side = *state;

    start_seeking(side, false, HIGH);
    give_action(side, "transport-replace", REPLACE_IBB);
    g_string_truncate(side->log, 0);
    file_side_answered(side, &error);
    assert_log(side, "!session-terminate:connectivity-error ended:no-path over");
    assert_string_equal(side->ended_text, "why");
}

static void test_an_offer_that_can_only_go_a_way_that_is_not_wanted_is_no_path(void **state)
{
    struct file_side *side = *state;

    give_action(side, "session-initiate",
                CONTENT(DESCRIBED("<size>1</size>") "<transport xmlns='" IBB_NS
                                                    "' sid='t1' block-size='4096'/>"));
    g_string_truncate(side->log, 0);
    file_session_accept(side->session, side->name, 0, NULL, FILE_WAY_DIRECT, 0);
    assert_log(side, "!session-terminate:connectivity-error ended:no-path over");
}

static void test_too_many_contents_are_more_than_there_are_resources_for(void **state)
{
    struct file_side *side = *state;
    struct jingle_iq iq;
    char name[8];

    jingle_iq_init(&iq, ACTION_SESSION_INITIATE, "s1");
    for (int i = 0; i <= FILE_SESSION_CONTENTS_MAX; i++) {
        g_snprintf(name, sizeof(name), "%d", i);
        jingle_iq_add(&iq, name, CREATOR_INITIATOR)->application = APPLICATION_FILE;
    }
    file_side_begin(side, ROMEO, JULIET, &iq);
    assert_null(side->session);
    assert_log(side, "=resource-constraint");
    jingle_iq_clear(&iq);
}

static void test_no_more_candidates_of_a_peer_are_dialed_than_the_limit(void **state)
{
    struct file_side *side = *state;
    size_t dialed = 0;

    start_seeking(side, true, "");
    for (int i = 0; i < 40; i++) {
        char *inner = g_strdup_printf("<candidate cid='c%d' host='198.51.100.1' port='%d' "
                                      "priority='9000000'/>",
                                      i, i + 1);
        *side->dialed = '\0';
        give_info(side, inner);
        dialed += *side->dialed != '\0';
        g_free(inner);
    }
    assert_int_equal(dialed, S5B_CANDIDATES_MAX);
}

static void test_words_that_crossed_a_replacement_are_nothing(void **state)
{
    struct file_side *side = *state;

    start_seeking(side, true, HIGH);
    assert_true(file_side_wait(side)); /* nobody told what came of dialing */
    assert_true(file_side_wait(side));
    assert_log(side, "!candidate-error no-s5b !transport-replace");
    give_used(side, 0);
    assert_log(side, "=result");
}

static void test_success_before_all_is_sent_ends_each_file_in_its_own_way(void **state)
{
    struct file_side *side = *state;

    start_three(side);
    give_action(side, "session-accept",
                ANSWER("a-file-offer", "initiator") ANSWER("a-file-offer-2", "initiator")
                    ANSWER("a-file-request-3", "responder"));
    for (int i = 0; i < 2; i++) {
        const char *name = i == 0 ? "a-file-offer" : "a-file-offer-2";
        char *word = g_strdup_printf("<content name='%s'><transport xmlns='" S5B_NS
                                     "'><candidate-error/></transport></content>",
                                     name);
        file_session_connected(side->session, name, "high", 0);
        give_action(side, "transport-info", word);
        g_free(word);
    }
    give_action(side, "session-info",
                "<received xmlns='" FILE_NS "' creator='initiator' name='a-file-offer'/>");
    g_string_truncate(side->log, 0);
    give_action(side, "session-terminate", "<reason><success/></reason>");
    assert_log(side, "=result ended:ok ended:canceled");
    file_session_sent(side->session, "a-file-offer-2", NULL, 0, 0);
    assert_log(side, "ended:ok over");
}

static void test_a_session_knows_whose_it_is(void **state)
{
    struct file_side *side = *state;

    start_incoming(side, HIGH);
    assert_string_equal(file_session_peer(side->session), JULIET);
    assert_string_equal(file_session_sid(side->session), "s1");
    assert_false(file_session_is_initiator(side->session));
    assert_true(file_session_matches(side->session, "Juliet@capulet.lit/balcony", "s1"));
    assert_false(file_session_matches(side->session, "juliet@capulet.lit/chamber", "s1"));
    assert_false(file_session_matches(side->session, JULIET, "s2"));
    assert_false(file_session_matches(side->session, NULL, "s1"));
}

static int set_up(void **state)
{
    static struct file_side side;

    file_side_init(&side);
    *state = &side;
    return 0;
}

static int tear_down(void **state)
{
    file_side_clear(*state);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_an_offer_tells_all_about_the_file_and_where_we_are),
        TEST(test_the_answer_repeats_the_file_and_has_candidates_of_its_own),
        TEST(test_what_is_resumed_goes_to_the_end),
        TEST(test_dialing_asks_for_the_owners_order_first),
        TEST(test_an_address_that_the_peer_tells_is_asked_for_first),
        TEST(test_ways_without_direct_show_and_dial_nothing_but_proxies),
        TEST(test_who_hides_dials_no_proxy_but_those_of_the_own_server),
        TEST(test_a_proxy_that_the_initiator_offers_is_not_offered_again),
        TEST(test_an_assisted_candidate_that_comes_late_is_told),
        TEST(test_no_more_candidates_are_offered_than_peers_read),
        TEST(test_without_socks5_over_there_in_band_is_offered),
        TEST(test_nothing_in_common_is_no_path),
        cmocka_unit_test(test_the_better_candidate_is_nominated_and_of_equals_the_initiators),
        cmocka_unit_test(test_two_of_ours_never_have_the_same_priority),
        cmocka_unit_test(test_what_is_below_the_peers_choice_is_not_tried),
        TEST(test_candidates_that_come_later_are_dialed),
        TEST(test_without_candidates_the_error_is_told_after_a_while),
        TEST(test_a_word_that_never_comes_ends_socks5),
        TEST(test_a_choice_that_the_peer_refuses_is_taken_back),
        cmocka_unit_test(test_the_owner_activates_its_proxy),
        cmocka_unit_test(test_the_other_waits_for_the_activation),
        cmocka_unit_test(test_a_proxy_that_fails_leads_to_the_next_way),
        TEST(test_an_activation_that_never_comes_is_a_proxy_error),
        TEST(test_a_proxy_error_of_the_peer_ends_the_wait),
        TEST(test_the_initiator_falls_back_in_band_and_opens),
        cmocka_unit_test(test_a_fallback_that_is_refused_is_no_path),
        cmocka_unit_test(test_without_in_band_there_is_no_fallback),
        TEST(test_the_responder_waits_for_the_initiators_replacement),
        TEST(test_an_open_that_was_not_agreed_on_is_refused),
        TEST(test_an_open_that_never_comes_is_no_path),
        TEST(test_a_responder_replaces_when_the_initiator_does_not),
        TEST(test_an_initiator_takes_the_responders_replacement),
        cmocka_unit_test(test_of_two_replacements_the_initiators_goes_on),
        TEST(test_a_new_socks5_transport_is_taken_up_to_a_limit),
        TEST(test_a_transport_that_we_cannot_use_is_rejected),
        cmocka_unit_test(test_a_transport_may_be_replaced_before_the_answer),
        cmocka_unit_test(test_a_stream_that_fails_at_once_leads_to_the_next_way),
        TEST(test_the_sender_tells_the_hash_that_it_announced),
        TEST(test_received_may_come_before_we_know_that_all_is_sent),
        TEST(test_the_receiver_says_received_and_ends_the_session),
        TEST(test_a_peer_that_does_not_terminate_is_not_waited_for_forever),
        TEST(test_a_silent_peer_that_closed_the_stream_has_it),
        TEST(test_a_silent_peer_is_asked_and_given_up),
        TEST(test_a_peer_that_answers_forever_is_given_up_in_the_end),
        cmocka_unit_test(test_success_ends_what_is_sent_and_cancels_what_is_not),
        cmocka_unit_test(test_a_sender_may_end_with_success_while_the_last_bytes_come),
        cmocka_unit_test(test_the_peers_reasons_are_understood),
        cmocka_unit_test(test_our_failures_are_told),
        cmocka_unit_test(test_an_end_from_within_the_end_is_one),
        TEST(test_a_rejected_offer_is_declined),
        cmocka_unit_test(test_an_offer_that_nobody_answers_expires),
        cmocka_unit_test(test_an_error_to_the_offer_ends_it),
        cmocka_unit_test(test_a_peer_that_goes_offline_stops_what_does_not_flow_by_socks5),
        cmocka_unit_test(test_a_peer_that_knows_nothing_of_the_session_has_ended_it),
        TEST(test_each_content_goes_its_own_way),
        TEST(test_ending_one_of_several_removes_it),
        TEST(test_the_answer_waits_until_all_is_decided),
        TEST(test_a_rejection_may_be_the_last_decision),
        TEST(test_no_more_contents_than_the_limit),
        TEST(test_a_request_is_granted_with_what_the_file_is),
        cmocka_unit_test(test_the_receivers_range_is_respected),
        cmocka_unit_test(test_offers_that_cannot_be_are_refused),
        cmocka_unit_test(test_an_answer_that_makes_no_sense_ends_it),
        TEST(test_what_is_out_of_place_changes_nothing),
        TEST(test_a_second_word_is_out_of_order_and_changes_nothing),
        TEST(test_words_before_the_answer_are_out_of_order),
        TEST(test_commands_at_the_wrong_time_do_nothing),
        cmocka_unit_test(test_gajim_answers_with_senders_both_and_without_names),
        TEST(test_gajim_falls_back_to_a_stream_called_none),
        cmocka_unit_test(test_psi_trickles_a_proxy_before_the_answer),
        TEST(test_conversations_makes_up_names_in_its_checksum),
        TEST(test_conversations_says_received_by_name_and_terminates),
        TEST(test_conversations_refuses_a_replacement_by_the_responder),
        TEST(test_conversations_offers_large_blocks_and_opens_with_what_was_agreed),
        TEST(test_dino_rejects_the_replacement),
        TEST(test_dino_says_nothing_but_success),
        TEST(test_creators_may_be_wrong),
        TEST(test_an_answer_may_leave_out_what_is_known),
        cmocka_unit_test(test_errors_that_mean_absence_are_taken_for_it),
        TEST(test_in_band_needs_the_peer_online),
        TEST(test_a_ping_that_is_not_understood_is_an_answer),
        TEST(test_a_transport_accept_that_is_refused_is_no_path),
        TEST(test_an_offer_that_can_only_go_a_way_that_is_not_wanted_is_no_path),
        TEST(test_too_many_contents_are_more_than_there_are_resources_for),
        TEST(test_no_more_candidates_of_a_peer_are_dialed_than_the_limit),
        TEST(test_words_that_crossed_a_replacement_are_nothing),
        TEST(test_success_before_all_is_sent_ends_each_file_in_its_own_way),
        TEST(test_a_session_knows_whose_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
