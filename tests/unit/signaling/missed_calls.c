/* Calls that came while nobody was here, as servers tell of them: kept offline (XEP-0203), archived
 * (XEP-0313), copied to another device (XEP-0280). Each is told once, and none of them rings in
 * vain. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/classify.h"
#include "world.h"

#define ALICE "alice@example.org/phone"
#define BOB   "bob@example.org/desk"
#define BARE  "bob@example.org"

/* The world's wall clock begins at 2023-11-14T22:13:20Z. */
#define FRESH     "2023-11-14T22:13:18Z"
#define AN_HOUR   "2023-11-14T21:13:20Z"
#define LAST_WEEK "2023-11-07T22:13:20Z"

#define MESSAGE(from, to, name, sid, inner)                                           \
    "<message xmlns='jabber:client' type='chat' id='m1' from='" from "' to='" to "'>" \
    "<" name " xmlns='urn:xmpp:jingle-message:0' id='" sid "'>" inner "</" name ">%s</message>"
#define PROPOSE(sid)                     \
    MESSAGE(ALICE, BARE, "propose", sid, \
            "<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/>")
#define RETRACT(sid)              MESSAGE(ALICE, BARE, "retract", sid, "")
#define SIBLING(name, sid, inner) MESSAGE(BARE "/tablet", ALICE, name, sid, inner)

static struct client *start(struct world *world, bool external)
{
    struct account_config config = {.external = external, .ask_archive = true};
    world->roster = "<item jid='alice@example.org' name='Alice' subscription='both'/>";
    struct client *bob = client_add_with(world, BOB, &config);
    client_online(bob, false);
    if (external)
        client_receive(bob,
                       "<iq xmlns='jabber:client' type='result' id='r'><query "
                       "xmlns='jabber:iq:roster'><item jid='alice@example.org'/></query></iq>");
    world_pass(world, 3 * USEC_PER_SEC);
    client_forget(bob);
    return bob;
}

static void receive(struct client *bob, const char *format, const char *inside)
{
    char *xml = g_strdup_printf(format, inside);
    client_receive(bob, xml);
    g_free(xml);
}

static void receive_kept(struct client *bob, const char *format, const char *stamp)
{
    char *delay = g_strdup_printf("<delay xmlns='urn:xmpp:delay' stamp='%s'/>", stamp);
    receive(bob, format, delay);
    g_free(delay);
}

static char *archived(const char *format, const char *stamp, const char *query, const char *from)
{
    char *message = g_strdup_printf(format, "");
    char *xml = g_strdup_printf(
        "<message xmlns='jabber:client' from='%s' to='" BOB "'>"
        "<result xmlns='urn:xmpp:mam:2' queryid='%s' id='1'><forwarded "
        "xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='%s'/>%s</forwarded>"
        "</result></message>",
        from, query, stamp, message);
    g_free(message);
    return xml;
}

static void receive_archived(struct client *bob, const char *format, const char *stamp,
                             const char *query)
{
    char *xml = archived(format, stamp, query, BARE);
    client_receive(bob, xml);
    g_free(xml);
}

static void receive_copy(struct client *bob, const char *kind, const char *format)
{
    char *message = g_strdup_printf(format, "");
    char *xml = g_strdup_printf("<message xmlns='jabber:client' from='" BARE "' to='" BOB "'>"
                                "<%s xmlns='urn:xmpp:carbons:2'><forwarded "
                                "xmlns='urn:xmpp:forward:0'>%s</forwarded></%s></message>",
                                kind, message, kind);
    client_receive(bob, xml);
    g_free(xml);
    g_free(message);
}

static void assert_missed(struct client *bob, size_t times)
{
    world_pass(bob->world, 61 * USEC_PER_SEC);
    assert_int_equal(client_count(bob, "missed " ALICE), times);
    assert_false(client_saw(bob, "incoming " ALICE " audio"));
    assert_int_equal(client_sent_count(bob, "<ringing"), 0);
}

/* ----------------------------------------------------------------------------- kept offline -- */

static void test_what_was_kept_and_is_still_fresh_rings(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct client *bob = start(world, false);
    receive_kept(bob, PROPOSE("1"), FRESH);
    world_pass(world, 2 * USEC_PER_SEC);
    assert_true(client_saw(bob, "incoming " ALICE " audio"));
    assert_non_null(client_sent(bob, "<ringing", "to=\"" ALICE "\"", NULL));
    receive(bob, RETRACT("1"), "");
    assert_true(client_saw(bob, "ended canceled remote"));
    assert_int_equal(client_count(bob, "missed " ALICE), 0);
    world_free(world);
}

static void test_what_was_kept_and_taken_back_is_missed_and_never_rings(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct client *bob = start(world, false);
    receive_kept(bob, PROPOSE("1"), FRESH);
    world_settle(world); /* between two packets of one line */
    receive_kept(bob, RETRACT("1"), FRESH);
    assert_missed(bob, 1);
    receive_kept(bob, PROPOSE("2"), AN_HOUR);
    receive_kept(bob, RETRACT("2"), AN_HOUR);
    assert_missed(bob, 2);
    world_free(world);
}

static void test_who_has_not_proposed_takes_nothing_back(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct client *bob = start(world, false);
    receive_kept(bob, PROPOSE("1"), FRESH);
    receive_kept(bob, MESSAGE("alice@example.org/other", BARE, "retract", "1", ""), FRESH);
    world_pass(world, 2 * USEC_PER_SEC);
    assert_true(client_saw(bob, "incoming " ALICE " audio"));
    world_free(world);
}

static void test_what_another_device_settled_is_not_missed(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct client *bob = start(world, false);
    receive_kept(bob, PROPOSE("1"), AN_HOUR);
    receive_copy(bob, "sent", SIBLING("proceed", "1", ""));
    receive_kept(bob, PROPOSE("2"), AN_HOUR);
    receive_copy(bob, "sent",
                 SIBLING("reject", "2", "<reason xmlns='urn:xmpp:jingle:1'><busy/></reason>"));
    assert_missed(bob, 0);
    receive_kept(bob, PROPOSE("3"), AN_HOUR);
    receive_copy(bob, "sent",
                 SIBLING("reject", "3", "<reason xmlns='urn:xmpp:jingle:1'><expired/></reason>"));
    assert_missed(bob, 1); /* it rang there, too */
    world_free(world);
}

static void test_a_call_is_missed_once_however_it_is_told(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct client *bob = start(world, true);
    receive_copy(bob, "received", PROPOSE("1")); /* live: it rings */
    assert_true(client_saw(bob, "incoming " ALICE " audio"));
    receive_copy(bob, "received", RETRACT("1"));
    assert_true(client_saw(bob, "ended canceled remote"));
    client_forget(bob);
    receive_kept(bob, PROPOSE("1"), AN_HOUR);
    receive_archived(bob, PROPOSE("1"), AN_HOUR, "q");
    assert_missed(bob, 0);
    receive_archived(bob, PROPOSE("2"), AN_HOUR, "q");
    receive_kept(bob, PROPOSE("2"), AN_HOUR);
    receive_archived(bob, RETRACT("2"), AN_HOUR, "q");
    receive_kept(bob, RETRACT("2"), AN_HOUR);
    assert_missed(bob, 1);
    receive_kept(bob, PROPOSE("2"), AN_HOUR);
    receive_archived(bob, PROPOSE("2"), AN_HOUR, "q");
    receive_copy(bob, "received", PROPOSE("2"));
    assert_missed(bob, 1);
    world_free(world);
}

static void test_the_calls_that_are_held_are_bounded(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct client *bob = start(world, false);
    for (int i = 0; i < 100; i++) {
        char *xml = g_strdup_printf(
            "<message xmlns='jabber:client' type='chat' from='" ALICE "' to='" BARE "'>"
            "<propose xmlns='urn:xmpp:jingle-message:0' id='%d'><description "
            "xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose>"
            "<delay xmlns='urn:xmpp:delay' stamp='" AN_HOUR "'/></message>",
            i);
        client_receive(bob, xml);
        g_free(xml);
    }
    assert_missed(bob, 64);
    world_free(world);
}

/* -------------------------------------------------------------------- the archive of a host -- */

static void test_what_is_archived_never_rings(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct client *bob = start(world, true);
    receive_archived(bob, PROPOSE("1"), FRESH, "q");
    world_pass(world, 10 * USEC_PER_SEC);
    assert_int_equal(client_count(bob, "missed " ALICE), 0); /* it may ring elsewhere */
    assert_missed(bob, 1);
    receive_archived(bob, PROPOSE("5"), FRESH, "q");
    receive_archived(bob, RETRACT("5"), FRESH, "q");
    world_pass(world, 2 * USEC_PER_SEC);
    assert_int_equal(client_count(bob, "missed " ALICE), 2); /* nor elsewhere */
    receive_archived(bob, PROPOSE("2"), AN_HOUR, "q");
    receive_archived(bob, SIBLING("accept", "2", ""), AN_HOUR, "q");
    receive_archived(bob, MESSAGE(BOB, ALICE, "proceed", "3", ""), AN_HOUR, "q");
    receive_archived(bob, PROPOSE("3"), AN_HOUR, "q"); /* read from its end */
    receive_archived(bob, PROPOSE("4"), LAST_WEEK, "q");
    assert_missed(bob, 2);
    world_free(world);
}

static void test_a_call_that_is_archived_and_then_comes_rings(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct client *bob = start(world, true);
    receive_archived(bob, PROPOSE("1"), FRESH, "q");
    receive(bob, PROPOSE("1"), "");
    assert_true(client_saw(bob, "incoming " ALICE " audio"));
    receive_archived(bob, PROPOSE("1"), FRESH, "q");
    world_pass(world, 100 * USEC_PER_SEC);
    assert_int_equal(client_count(bob, "missed " ALICE), 0);
    world_free(world);
}

static void test_only_our_own_archive_is_believed(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct client *bob = start(world, true);
    char *forged = archived(PROPOSE("1"), AN_HOUR, "q", "mallory@example.org/x");
    client_receive(bob, forged);
    assert_missed(bob, 0);
    g_free(forged);
    world_free(world);
}

static void test_a_host_sees_its_own_archive_and_not_ours(void **state)
{
    (void)state;
    char *theirs = archived(PROPOSE("1"), AN_HOUR, "q", BARE);
    char *ours = archived(PROPOSE("1"), AN_HOUR, "je-12-7", BARE);
    char *chat = archived("<message xmlns='jabber:client'><body>hello</body>%s</message>", AN_HOUR,
                          "q", BARE);
    assert_int_equal(stanza_classify(theirs, strlen(theirs), "je-12-"), STANZA_SHARED);
    assert_int_equal(stanza_classify(ours, strlen(ours), "je-12-"), STANZA_OURS);
    assert_int_equal(stanza_classify(chat, strlen(chat), "je-12-"), STANZA_OTHER);
    g_free(theirs);
    g_free(ours);
    g_free(chat);
}

/* ---------------------------------------------------------------------------- our questions -- */

static const char *attribute(const char *xml, const char *name, char *value)
{
    char *start = g_strdup_printf(" %s=\"", name);
    const char *at = strstr(xml, start);
    assert_non_null(at);
    at += strlen(start);
    g_strlcpy(value, at, 64);
    *strchr(value, '"') = '\0';
    g_free(start);
    return value;
}

/* Our server has an archive. */
static void announce_archive(struct client *bob)
{
    char id[64];
    const char *question = client_sent(bob, "disco#info", "to=\"" BARE "\"", NULL);
    assert_non_null(question);
    char *answer =
        g_strdup_printf("<iq xmlns='jabber:client' type='result' from='" BARE "' id='%s'><query "
                        "xmlns='http://jabber.org/protocol/disco#info'><feature "
                        "var='urn:xmpp:mam:2'/></query></iq>",
                        attribute(question, "id", id));
    client_receive(bob, answer);
    g_free(answer);
}

static void answer_page(struct client *bob, const char *rest)
{
    char id[64];
    char *answer = g_strdup_printf(
        "<iq xmlns='jabber:client' type='result' id='%s'>"
        "<fin xmlns='urn:xmpp:mam:2'%s</fin></iq>",
        attribute(client_sent(bob, "urn:xmpp:mam:2", "<query", NULL), "id", id), rest);
    client_forget(bob);
    client_receive(bob, answer);
    g_free(answer);
}

static struct client *return_after(struct world *world, const char *history)
{
    struct account_config config = {.ask_archive = true};
    world->roster = "<item jid='alice@example.org' name='Alice' subscription='both'/>";
    struct client *bob = client_add_with(world, BOB, &config);
    account_history_load(bob->account, history, strlen(history), world->now);
    bob->quiet = true; /* the test answers */
    client_online(bob, false);
    char id[64];
    char *roster = g_strdup_printf(
        "<iq xmlns='jabber:client' type='result' id='%s'><query xmlns='jabber:iq:roster'>%s</query>"
        "</iq>",
        attribute(client_sent(bob, "jabber:iq:roster", NULL), "id", id), world->roster);
    client_receive(bob, roster);
    g_free(roster);
    announce_archive(bob);
    return bob;
}

/* 2023-11-14T20:00:00Z */
#define HISTORY "jingle-engine calls 1\nonline 1699992000000000\ncall alice@example.org old\n"

static void test_the_archive_is_asked_for_what_came_meanwhile(void **state)
{
    (void)state;
    char query[64];
    struct world *world = world_new();
    struct client *bob = return_after(world, HISTORY);
    const char *asked = client_sent(bob, "urn:xmpp:mam:2", "<max>50</max>", NULL);
    assert_non_null(asked);
    assert_non_null(strstr(asked, "<value>2023-11-14T19:50:00Z</value>"));
    assert_true(strstr(asked, "<before/>") || strstr(asked, "<before></before>"));
    attribute(asked, "queryid", query);
    receive_archived(bob, PROPOSE("1"), AN_HOUR, query);
    receive_archived(bob, PROPOSE("old"), AN_HOUR, query);
    receive_archived(bob, PROPOSE("2"), AN_HOUR, "another");
    receive_archived(bob, MESSAGE(BOB, ALICE, "proceed", "3", ""), AN_HOUR, query);
    world_pass(world, 10 * USEC_PER_SEC);
    assert_int_equal(client_count(bob, "missed " ALICE), 0); /* more may follow */
    answer_page(bob, "><set xmlns='http://jabber.org/protocol/rsm'><first>a7</first></set>");
    assert_non_null(client_sent(bob, "urn:xmpp:mam:2", "<before>a7</before>", NULL));
    receive_archived(bob, PROPOSE("3"), AN_HOUR, query);
    answer_page(bob, " complete='true'>");
    assert_null(client_sent(bob, "urn:xmpp:mam:2", NULL));
    assert_missed(bob, 1);
    world_free(world);
}

static void test_an_endless_archive_is_not_read_to_its_end(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct client *bob = return_after(world, HISTORY);
    int pages = 0;
    for (; pages < 10 && client_sent(bob, "urn:xmpp:mam:2", "<query", NULL); pages++)
        answer_page(bob, "><set xmlns='http://jabber.org/protocol/rsm'><first>a</first></set>");
    assert_int_equal(pages, 4);
    world_free(world);
}

static void test_nothing_is_asked_where_nothing_is_known(void **state)
{
    (void)state;
    const char *const histories[] = {"", "jingle-engine calls 1\n", "another file\nonline 5\n",
                                     "jingle-engine calls 1\nonline x\ncall  \ncall a b c\n"};
    for (size_t i = 0; i < G_N_ELEMENTS(histories); i++) {
        struct world *world = world_new();
        struct client *bob = return_after(world, histories[i]);
        assert_null(client_sent(bob, "urn:xmpp:mam:2", "<query", NULL));
        world_free(world);
    }
}

static void test_an_archive_that_was_not_read_to_its_end_is_read_again(void **state)
{
    (void)state;
    char query[64];
    struct world *world = world_new();
    struct client *bob = return_after(world, HISTORY);
    attribute(client_sent(bob, "urn:xmpp:mam:2", "<query", NULL), "queryid", query);
    receive_archived(bob, PROPOSE("1"), AN_HOUR, query);
    account_offline(bob->account, world->now);
    client_forget(bob);
    assert_missed(bob, 0);
    client_online(bob, false);
    announce_archive(bob);
    const char *asked = client_sent(bob, "urn:xmpp:mam:2", "<query", NULL);
    assert_non_null(strstr(asked, "<value>2023-11-14T19:50:00Z</value>"));
    world_free(world);
}

static void test_an_archive_is_read_on_when_the_stream_is_resumed(void **state)
{
    (void)state;
    char query[64];
    struct world *world = world_new();
    struct client *bob = return_after(world, HISTORY);
    account_offline(bob->account, world->now);
    client_forget(bob);
    client_online(bob, true);
    const char *asked = client_sent(bob, "urn:xmpp:mam:2", "<query", NULL);
    assert_non_null(asked);
    assert_non_null(strstr(asked, "<value>2023-11-14T19:50:00Z</value>"));
    attribute(asked, "queryid", query);
    receive_archived(bob, PROPOSE("1"), AN_HOUR, query);
    answer_page(bob, " complete='true'>");
    assert_missed(bob, 1);
    world_free(world);
}

/* The server keeps for a stream what comes until it is resumed: nothing of it is unknown. */
static void test_a_resumed_stream_has_missed_nothing(void **state)
{
    (void)state;
    size_t bytes = 0;
    struct world *world = world_new();
    struct client *bob = return_after(world, HISTORY);
    answer_page(bob, " complete='true'>");
    account_offline(bob->account, world->now);
    client_online(bob, true);
    assert_null(client_sent(bob, "urn:xmpp:mam:2", "<query", NULL));
    world_pass(world, 48 * 3600 * USEC_PER_SEC);
    char *history = account_history_save(bob->account, &bytes);
    assert_null(strstr(history, "online 16999"));
    assert_non_null(strstr(history, "online 17001"));
    g_free(history);
    account_offline(bob->account, world->now);
    client_online(bob, false);
    announce_archive(bob);
    const char *asked = client_sent(bob, "urn:xmpp:mam:2", "<query", NULL);
    assert_non_null(strstr(asked, "<value>2023-11-16T22:"));
    world_free(world);
}

static void test_what_was_told_is_not_told_again_after_a_restart(void **state)
{
    (void)state;
    char query[64];
    size_t bytes = 0;
    struct world *world = world_new();
    struct client *bob = return_after(world, HISTORY);
    attribute(client_sent(bob, "urn:xmpp:mam:2", "<query", NULL), "queryid", query);
    receive_archived(bob, PROPOSE("1"), AN_HOUR, query);
    receive_archived(bob, PROPOSE("a b"), AN_HOUR, query);
    answer_page(bob, " complete='true'>");
    assert_missed(bob, 2);
    char *history = account_history_save(bob->account, &bytes);
    assert_int_equal(bytes, strlen(history));
    assert_non_null(strstr(history, "call alice@example.org 1\n"));
    assert_null(strstr(history, "a b"));
    world_free(world);

    world = world_new();
    bob = return_after(world, history);
    attribute(client_sent(bob, "urn:xmpp:mam:2", "<query", NULL), "queryid", query);
    receive_archived(bob, PROPOSE("1"), AN_HOUR, query);
    answer_page(bob, " complete='true'>");
    assert_missed(bob, 0);
    g_free(history);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_kept_and_is_still_fresh_rings),
        cmocka_unit_test(test_what_was_kept_and_taken_back_is_missed_and_never_rings),
        cmocka_unit_test(test_who_has_not_proposed_takes_nothing_back),
        cmocka_unit_test(test_what_another_device_settled_is_not_missed),
        cmocka_unit_test(test_a_call_is_missed_once_however_it_is_told),
        cmocka_unit_test(test_the_calls_that_are_held_are_bounded),
        cmocka_unit_test(test_what_is_archived_never_rings),
        cmocka_unit_test(test_a_call_that_is_archived_and_then_comes_rings),
        cmocka_unit_test(test_only_our_own_archive_is_believed),
        cmocka_unit_test(test_a_host_sees_its_own_archive_and_not_ours),
        cmocka_unit_test(test_the_archive_is_asked_for_what_came_meanwhile),
        cmocka_unit_test(test_an_endless_archive_is_not_read_to_its_end),
        cmocka_unit_test(test_nothing_is_asked_where_nothing_is_known),
        cmocka_unit_test(test_an_archive_that_was_not_read_to_its_end_is_read_again),
        cmocka_unit_test(test_an_archive_is_read_on_when_the_stream_is_resumed),
        cmocka_unit_test(test_a_resumed_stream_has_missed_nothing),
        cmocka_unit_test(test_what_was_told_is_not_told_again_after_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
