#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/classify.h"
#include "signaling/jid.h"
#include "signaling/posted.h"
#include "world.h"

#define FRIENDS                                           \
    "<item jid='alice@example.org' subscription='both'/>" \
    "<item jid='bob@example.org' subscription='both' name='Bob'/>"

#define ALICE "alice@example.org/phone"
#define BOB   "bob@example.org/desk"
#define BOB_2 "bob@example.org/pocket"

static struct world *make_friends(struct client **alice, struct client **bob)
{
    struct world *world = world_new();
    world->roster = FRIENDS;
    *alice = client_add(world, ALICE);
    *bob = client_add(world, BOB);
    client_online(*alice, false);
    client_online(*bob, false);
    world_pass(world, 3 * USEC_PER_SEC);
    return world;
}

static void connect_call(struct client *alice, struct client *bob)
{
    assert_int_equal(client_call(alice, "bob@example.org", false), JINGLE_OK);
    assert_non_null(bob->call);
    client_accept(bob);
    account_call_connected(alice->call, alice->world->now);
    account_call_connected(bob->call, bob->world->now);
}

/* -------------------------------------------------------------------------------- set-up -- */

static void test_contacts_learn_that_each_other_can_call(void **state)
{
    (void)state;
    struct client *alice, *bob;
    struct world *world = make_friends(&alice, &bob);
    assert_true(client_saw(alice, "contact bob@example.org online callable"));
    assert_true(client_saw(bob, "contact alice@example.org online callable"));
    /* the same software as ourselves: nobody has to ask */
    assert_null(client_sent(alice, "disco#info", BOB, NULL));
    size_t count = 0;
    jingle_contact *contacts = account_contacts(alice->account, &count);
    assert_int_equal(count, 2);
    account_contacts_free(contacts, count);
    struct account_server server = account_server(alice->account);
    assert_true(server.known && server.carbons && server.external_services);
    assert_false(server.message_archive);
    world_free(world);
}

static void test_a_call_by_message_initiation(void **state)
{
    (void)state;
    struct client *alice, *bob;
    struct world *world = make_friends(&alice, &bob);
    assert_int_equal(client_call(alice, "bob@example.org", false), JINGLE_OK);
    assert_non_null(client_sent(alice, "<propose", "to=\"bob@example.org\"", NULL));
    assert_true(client_saw(bob, "incoming " ALICE " audio"));
    assert_true(client_saw(alice, "ringing"));
    assert_string_equal(account_call_sid(alice->call), account_call_sid(bob->call));
    client_accept(bob);
    assert_true(client_saw(alice, "accepted " BOB));
    assert_true(client_saw(bob, "accepted " ALICE));
    assert_true(client_saw(alice, "negotiated audio server ufrag=calleeufrag"));
    assert_true(client_saw(bob, "negotiated audio client ufrag=callerufrag"));
    assert_string_equal(alice->agreement.send.name, "opus");
    account_call_end(bob->call, JINGLE_REASON_HANGUP, world->now);
    world_settle(world);
    assert_true(client_saw(bob, "ended hangup local"));
    assert_true(client_saw(alice, "ended hangup remote"));
    assert_null(alice->call);
    world_free(world);
}

static void test_a_call_to_a_full_jid_is_initiated_directly(void **state)
{
    (void)state;
    struct client *alice, *bob;
    struct world *world = make_friends(&alice, &bob);
    assert_int_equal(client_call(alice, BOB, false), JINGLE_OK);
    assert_null(client_sent(alice, "<propose", NULL));
    assert_true(client_saw(bob, "incoming " ALICE " audio"));
    assert_true(client_saw(alice, "ringing"));
    client_accept(bob);
    assert_true(client_saw(alice, "accepted " BOB));
    assert_true(client_saw(alice, "negotiated audio server ufrag=calleeufrag"));
    world_free(world);
}

static void test_trickle_hold_and_mute_reach_the_peer(void **state)
{
    (void)state;
    struct client *alice, *bob;
    struct world *world = make_friends(&alice, &bob);
    connect_call(alice, bob);
    struct ice_candidate candidate = {
        .foundation = "2", .component = 1, .priority = 5, .ip = "192.0.2.9", .port = 6000};
    account_call_add_candidates(alice->call, "audio", &candidate, 1, world->now);
    account_call_info(alice->call, INFO_HOLD, NULL, world->now);
    account_call_info(bob->call, INFO_MUTE, "audio", world->now);
    world_settle(world);
    assert_true(client_saw(bob, "info hold"));
    assert_true(client_saw(alice, "info mute"));
    bool trickled = false;
    for (guint i = 0; i < bob->events->len; i++)
        trickled = trickled || g_str_has_prefix(bob->events->pdata[i], "transport audio");
    assert_true(trickled);
    world_free(world);
}

static void test_other_devices_stop_ringing(void **state)
{
    (void)state;
    struct client *alice, *bob;
    struct world *world = make_friends(&alice, &bob);
    struct client *pocket = client_add(world, BOB_2);
    client_online(pocket, false);
    client_call(alice, "bob@example.org", false);
    assert_true(client_saw(bob, "incoming " ALICE " audio"));
    assert_true(client_saw(pocket, "incoming " ALICE " audio"));
    client_accept(pocket);
    assert_true(client_saw(bob, "ended elsewhere local") ||
                client_saw(bob, "ended elsewhere remote"));
    assert_true(client_saw(alice, "accepted " BOB_2));
    assert_null(bob->call);
    assert_non_null(pocket->call);
    world_free(world);
}

static size_t live_calls(const struct client *client)
{
    size_t begun = 0;
    size_t ended = 0;
    for (guint i = 0; i < client->events->len; i++) {
        begun += g_str_has_prefix(client->events->pdata[i], "incoming");
        ended += g_str_has_prefix(client->events->pdata[i], "ended");
    }
    return begun + 1 - ended; /* and the one that it made */
}

static void test_when_both_call_at_once_one_call_remains(void **state)
{
    (void)state;
    for (int direct = 0; direct < 2; direct++) {
        struct client *alice, *bob;
        struct world *world = make_friends(&alice, &bob);
        client_forget(alice);
        client_forget(bob);
        client_begin_call(alice, direct ? BOB : "bob@example.org", direct);
        client_begin_call(bob, direct ? ALICE : "alice@example.org", direct);
        world_settle(world);
        assert_int_equal(live_calls(alice), 1);
        assert_int_equal(live_calls(bob), 1);
        assert_true(client_saw(alice, "ended replaced local") ||
                    client_saw(alice, "ended replaced remote") ||
                    client_saw(bob, "ended replaced local") ||
                    client_saw(bob, "ended replaced remote"));
        world_free(world);
    }
}

/* ------------------------------------------------------------------------------- endings -- */

static void test_refusals_reach_the_caller(void **state)
{
    (void)state;
    struct client *alice, *bob;
    struct world *world = make_friends(&alice, &bob);
    static const char *const to[] = {"bob@example.org", BOB};
    for (size_t i = 0; i < 2; i++) {
        client_forget(alice);
        client_call(alice, to[i], false);
        account_call_reject(bob->call, JINGLE_REASON_BUSY, world->now);
        world_settle(world);
        assert_true(client_saw(alice, "ended busy remote"));
        client_forget(alice);
        client_call(alice, to[i], false);
        account_call_reject(bob->call, JINGLE_REASON_DECLINED, world->now);
        world_settle(world);
        assert_true(client_saw(alice, "ended declined remote"));
        client_forget(bob);
        client_call(alice, to[i], false);
        account_call_end(alice->call, JINGLE_REASON_HANGUP, world->now);
        world_settle(world);
        assert_true(client_saw(bob, "ended canceled remote"));
    }
    world_free(world);
}

static void test_nobody_answers(void **state)
{
    (void)state;
    struct client *alice, *bob;
    struct world *world = make_friends(&alice, &bob);
    client_call(alice, "bob@example.org", false);
    world_pass(world, 61 * USEC_PER_SEC);
    assert_true(client_saw(alice, "ended no-answer local"));
    assert_null(bob->call);
    world_free(world);
}

static void test_an_offline_contact_is_told_at_once(void **state)
{
    (void)state;
    struct world *world = world_new();
    world->roster = FRIENDS;
    struct client *alice = client_add(world, ALICE);
    struct client *bob = client_add(world, BOB);
    (void)bob;
    client_online(alice, false);
    world_pass(world, 3 * USEC_PER_SEC);
    client_call(alice, "bob@example.org", false);
    assert_true(client_saw(alice, "ended offline remote"));
    assert_null(client_sent(alice, "<propose", NULL));
    world_free(world);
}

static void test_right_after_the_login_presence_is_awaited(void **state)
{
    (void)state;
    struct world *world = world_new();
    world->roster = FRIENDS;
    struct client *alice = client_add(world, ALICE);
    struct client *bob = client_add(world, BOB);
    client_online(alice, false);
    client_call(alice, "bob@example.org", false);
    assert_non_null(alice->call);
    world_pass(world, USEC_PER_SEC);
    client_online(bob, false);
    world_settle(world);
    assert_true(client_saw(bob, "incoming " ALICE " audio"));
    world_free(world);
}

static void test_an_offline_contact_once_seen_with_initiation_is_proposed_to(void **state)
{
    (void)state;
    struct client *alice, *bob;
    struct world *world = make_friends(&alice, &bob);
    client_offline(bob);
    assert_true(client_saw(alice, "contact bob@example.org"));
    client_call(alice, "bob@example.org", false);
    assert_non_null(alice->call);
    assert_non_null(client_sent(alice, "<propose", NULL));
    world_free(world);
}

static void test_someone_without_shared_presence_is_proposed_to(void **state)
{
    (void)state;
    struct world *world = world_new();
    world->roster = "<item jid='carol@example.org' subscription='none'/>";
    struct client *alice = client_add(world, ALICE);
    struct client *carol = client_add(world, "carol@example.org/a");
    (void)carol;
    client_online(alice, false);
    client_call(alice, "carol@example.org", false);
    assert_non_null(client_sent(alice, "<propose", "carol@example.org", NULL));
    world_pass(world, 61 * USEC_PER_SEC);
    assert_true(client_saw(alice, "ended no-answer local"));
    world_free(world);
}

static void test_an_unknown_account_is_unreachable(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct client *alice = client_add(world, ALICE);
    client_online(alice, false);
    client_call(alice, "nobody@example.org", false);
    assert_true(client_saw(alice, "ended unreachable remote"));
    world_free(world);
}

/* A client that is not ours, with what it can do. */
static void add_foreign_device(struct client *alice, const char *jid, const char *features)
{
    client_meet(alice, jid);
    assert_true(client_learn(alice, jid, features));
}

static void quiet_presence(struct client *alice, const char *jid)
{
    char *presence =
        g_strdup_printf("<presence xmlns='jabber:client' from='%s' to='" ALICE "'/>", jid);
    client_receive(alice, presence);
    g_free(presence);
}

static void test_a_contact_without_call_support(void **state)
{
    (void)state;
    struct world *world = world_new();
    world->roster = FRIENDS;
    struct client *alice = client_add(world, ALICE);
    client_online(alice, false);
    world_pass(world, 3 * USEC_PER_SEC);
    add_foreign_device(alice, "bob@example.org/chat", FEATURE("urn:xmpp:ping"));
    client_call(alice, "bob@example.org", false);
    assert_true(client_saw(alice, "ended no-call-support remote"));
    assert_null(client_sent(alice, "<propose", NULL));
    world_free(world);
}

/* It would ring, but nothing could come of it. */
static void test_a_contact_who_can_only_call_unencrypted(void **state)
{
    (void)state;
    struct world *world = world_new();
    world->roster = FRIENDS;
    struct client *alice = client_add(world, ALICE);
    client_online(alice, false);
    world_pass(world, 3 * USEC_PER_SEC);
    add_foreign_device(alice, "bob@example.org/old",
                       FEATURE("urn:xmpp:jingle:1") FEATURE("urn:xmpp:jingle:apps:rtp:1")
                           FEATURE("urn:xmpp:jingle:apps:rtp:audio")
                               FEATURE("urn:xmpp:jingle:transports:ice-udp:1")
                                   FEATURE("urn:xmpp:jingle-message:0"));
    client_call(alice, "bob@example.org", false);
    assert_true(client_saw(alice, "ended no-call-support remote insecure"));
    assert_null(client_sent(alice, "<propose", NULL));
    world_free(world);
}

#define WITHOUT_INITIATION                    \
    FEATURE("urn:xmpp:jingle:1")              \
    FEATURE("urn:xmpp:jingle:apps:rtp:1")     \
    FEATURE("urn:xmpp:jingle:apps:rtp:audio") \
    FEATURE("urn:xmpp:jingle:transports:ice-udp:1") FEATURE("urn:xmpp:jingle:apps:dtls:0")

static void test_a_device_without_message_initiation_is_called_directly(void **state)
{
    (void)state;
    struct world *world = world_new();
    world->roster = FRIENDS;
    struct client *alice = client_add(world, ALICE);
    client_online(alice, false);
    world_pass(world, 3 * USEC_PER_SEC);
    add_foreign_device(alice, "bob@example.org/old", WITHOUT_INITIATION);
    client_call(alice, "bob@example.org", false);
    assert_null(client_sent(alice, "<propose", NULL));
    assert_non_null(client_sent(alice, "session-initiate", "bob@example.org/old", NULL));
    world_free(world);
}

static void test_a_device_without_calls_neither_rings_nor_answers(void **state)
{
    (void)state;
    struct world *world = world_new();
    world->roster = FRIENDS;
    struct client *alice = client_add(world, ALICE);
    struct client *bob = client_add_with(world, BOB, &(struct account_config){.no_calls = true});
    client_online(alice, false);
    client_online(bob, false);
    world_pass(world, 3 * USEC_PER_SEC);
    client_call(alice, "bob@example.org", false);
    assert_true(client_saw(alice, "ended no-call-support remote"));
    client_call(alice, BOB, true);
    client_receive(bob, "<message xmlns='jabber:client' type='chat' from='" ALICE
                        "'><propose xmlns='urn:xmpp:jingle-message:0' id='p1'>"
                        "<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/>"
                        "</propose></message>");
    client_receive(bob, "<iq xmlns='jabber:client' type='set' id='i1' from='" ALICE
                        "'><jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' sid='s1'>"
                        "<content creator='initiator' name='a'>"
                        "<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/>"
                        "<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1'/>"
                        "</content></jingle></iq>");
    assert_null(client_sent(bob, "<ringing", NULL));
    assert_non_null(client_sent(bob, "session-terminate", "unsupported-applications", NULL));
    assert_false(client_saw(bob, "incoming " ALICE " audio"));
    assert_int_equal(client_begin_call(bob, ALICE, false), JINGLE_ERROR_UNSUPPORTED);
    world_free(world);
}

#define TELEPHONE "+15551234@gateway.example"

static void test_a_telephone_behind_a_gateway_has_no_resource_and_is_called(void **state)
{
    (void)state;
    struct world *world = world_new();
    world->roster = "<item jid='" TELEPHONE "' subscription='both'/>";
    struct client *alice = client_add(world, ALICE);
    client_online(alice, false);
    world_pass(world, 3 * USEC_PER_SEC);
    add_foreign_device(alice, TELEPHONE, WITHOUT_INITIATION);
    client_call(alice, TELEPHONE, false);
    assert_non_null(client_sent(alice, "session-initiate", "to=\"" TELEPHONE "\"", NULL));
    world_free(world);
}

static void test_a_telephone_behind_a_gateway_may_propose(void **state)
{
    (void)state;
    struct world *world = world_new();
    world->roster = "<item jid='" TELEPHONE "' subscription='both'/>";
    struct client *alice = client_add(world, ALICE);
    client_online(alice, false);
    world_pass(world, 3 * USEC_PER_SEC);
    client_receive(alice, "<message xmlns='jabber:client' type='chat' from='" TELEPHONE
                          "' to='" ALICE "'><propose xmlns='urn:xmpp:jingle-message:0' id='p1'>"
                          "<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/>"
                          "</propose></message>");
    assert_true(client_saw(alice, "incoming " TELEPHONE " audio"));
    client_accept(alice);
    assert_non_null(client_sent(alice, "<proceed", "to=\"" TELEPHONE "\"", NULL));
    world_free(world);
}

static void test_a_gateway_proceeds_before_its_telephone_rings(void **state)
{
    (void)state;
    struct world *world = world_new();
    world->roster = "<item jid='" TELEPHONE "' subscription='none'/>";
    struct client *alice = client_add(world, ALICE);
    client_online(alice, false);
    client_begin_call(alice, TELEPHONE, false);
    const char *sid = account_call_sid(alice->call);
    char *proceed = g_strdup_printf("<message xmlns='jabber:client' from='" TELEPHONE "' to='" ALICE
                                    "'><proceed xmlns='urn:xmpp:jingle-message:0' id='%s'/>"
                                    "</message>",
                                    sid);
    char *ringing = g_strdup_printf("<iq xmlns='jabber:client' type='set' id='i' from='" TELEPHONE
                                    "' to='" ALICE "'><jingle xmlns='urn:xmpp:jingle:1' "
                                    "action='session-info' sid='%s'><ringing "
                                    "xmlns='urn:xmpp:jingle:apps:rtp:info:1'/></jingle></iq>",
                                    sid);
    client_receive(alice, proceed);
    assert_non_null(client_sent(alice, "session-initiate", "to=\"" TELEPHONE "\"", NULL));
    assert_false(client_saw(alice, "ringing"));
    client_receive(alice, ringing);
    assert_true(client_saw(alice, "ringing"));
    assert_false(client_saw(alice, "accepted " TELEPHONE));
    account_call_end(alice->call, JINGLE_REASON_HANGUP, world->now);
    assert_true(client_saw(alice, "ended canceled local"));
    g_free(proceed);
    g_free(ringing);
    world_free(world);
}

static void test_a_device_that_does_not_tell_is_proposed_to_after_a_while(void **state)
{
    (void)state;
    struct world *world = world_new();
    world->roster = FRIENDS;
    struct client *alice = client_add(world, ALICE);
    client_online(alice, false);
    world_pass(world, 3 * USEC_PER_SEC);
    quiet_presence(alice, BOB);
    alice->quiet = true;
    client_call(alice, "bob@example.org", false);
    assert_non_null(client_sent(alice, "disco#info", BOB, NULL));
    assert_null(client_sent(alice, "<propose", NULL));
    world_pass(world, 4 * USEC_PER_SEC);
    assert_non_null(client_sent(alice, "<propose", NULL));
    world_free(world);
}

static void test_going_offline_ends_a_ringing_call_but_not_a_connected_one(void **state)
{
    (void)state;
    struct client *alice, *bob;
    struct world *world = make_friends(&alice, &bob);
    client_call(alice, BOB, false);
    client_offline(bob);
    assert_true(client_saw(alice, "ended gone remote"));
    client_online(bob, false);
    world_pass(world, 3 * USEC_PER_SEC);
    client_forget(alice);
    connect_call(alice, bob);
    client_offline(bob);
    assert_non_null(alice->call);
    assert_false(client_saw(alice, "ended gone remote"));
    world_free(world);
}

static void test_a_call_ends_when_the_last_device_that_rings_is_gone(void **state)
{
    (void)state;
    struct client *alice, *bob;
    struct world *world = make_friends(&alice, &bob);
    struct client *pocket = client_add(world, BOB_2);
    client_online(pocket, false);
    world_pass(world, 3 * USEC_PER_SEC);
    client_call(alice, "bob@example.org", false);
    client_offline(bob);
    assert_non_null(alice->call);
    client_offline(pocket);
    assert_true(client_saw(alice, "ended gone remote"));
    world_free(world);
}

/* Dino rings without a word; our own client on another device that hears of Dino's `accept` may be
 * gone before Dino's `proceed` is here. */
static void test_a_device_that_rings_in_silence_keeps_a_call_alive(void **state)
{
    (void)state;
    struct client *alice, *bob;
    struct world *world = make_friends(&alice, &bob);
    add_foreign_device(alice, "bob@example.org/text", WITHOUT_INITIATION);
    add_foreign_device(alice, "bob@example.org/dino",
                       WITHOUT_INITIATION FEATURE("urn:xmpp:jingle-message:0"));
    client_call(alice, "bob@example.org", false);
    assert_true(client_saw(alice, "ringing"));
    client_offline(bob);
    assert_non_null(alice->call);
    client_receive(alice, "<presence xmlns='jabber:client' type='unavailable' "
                          "from='bob@example.org/dino' to='" ALICE "'/>");
    assert_true(client_saw(alice, "ended gone remote"));
    world_free(world);
}

static void test_another_device_of_ours_can_be_called(void **state)
{
    (void)state;
    struct client *alice, *bob;
    struct world *world = make_friends(&alice, &bob);
    assert_int_equal(client_call(alice, ALICE, false), JINGLE_ERROR_JID);
    client_call(alice, "alice@example.org", false);
    assert_true(client_saw(alice, "ended offline remote"));
    struct client *other = client_add(world, "alice@example.org/other");
    client_online(other, false);
    world_pass(world, 3 * USEC_PER_SEC);
    client_call(alice, "alice@example.org", false);
    assert_true(client_saw(other, "incoming " ALICE " audio"));
    client_accept(other);
    assert_true(client_saw(alice, "accepted alice@example.org/other"));
    world_free(world);
}

/* The answer would go to the JID that proposed. */
static void test_a_call_that_rings_does_not_outlive_our_jid(void **state)
{
    (void)state;
    struct client *alice, *bob;
    struct world *world = make_friends(&alice, &bob);
    client_call(alice, "bob@example.org", false);
    account_offline(alice->account, world->now);
    account_online(alice->account, "alice@example.org/new", false, world->now);
    assert_true(client_saw(alice, "ended local-offline local"));
    assert_non_null(client_sent(alice, "<retract", NULL));
    world_free(world);
}

static void test_both_say_that_a_call_is_over(void **state)
{
    (void)state;
    struct client *alice, *bob;
    struct world *world = make_friends(&alice, &bob);
    connect_call(alice, bob);
    account_call_end(bob->call, JINGLE_REASON_HANGUP, world->now);
    world_settle(world);
    assert_non_null(client_sent(alice, "<finish", "<success", NULL));
    assert_non_null(client_sent(bob, "<finish", "<success", NULL));
    world_free(world);
}

/* ------------------------------------------------------------------------------ distrust -- */

static void test_a_stranger_does_not_ring(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct client *alice = client_add(world, ALICE);
    struct client *mallory = client_add(world, "mallory@example.org/x");
    client_online(alice, false);
    client_online(mallory, false);
    client_call(mallory, "alice@example.org", false);
    assert_false(client_saw(alice, "incoming mallory@example.org/x audio stranger"));
    assert_null(client_sent(alice, "mallory", NULL));
    client_call(mallory, ALICE, true);
    assert_null(alice->call);
    assert_true(client_saw(mallory, "ended offline remote"));
    world_free(world);
}

/* Whatever a stranger asks: the answer is that of a server for a resource that is not there. */
static void test_a_stranger_does_not_learn_that_we_are_online(void **state)
{
    static const char *const questions[] = {
        "<iq xmlns='jabber:client' type='get' id='q' from='mallory@example.org/x'>"
        "<ping xmlns='urn:xmpp:ping'/></iq>",
        "<iq xmlns='jabber:client' type='get' id='q' from='mallory@example.org/x'>"
        "<query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
        "<iq xmlns='jabber:client' type='get' id='q' from='mallory@example.org'>"
        "<query xmlns='jabber:iq:roster'/></iq>",
        "<iq xmlns='jabber:client' type='set' id='q' from='mallory@example.org/x'>"
        "<jingle xmlns='urn:xmpp:jingle:1' action='session-terminate' sid='s'/></iq>",
        "<iq xmlns='jabber:client' type='set' id='q' from='mallory@example.org/x'>"
        "<jingle xmlns='urn:xmpp:jingle:1'/></iq>",
    };
    (void)state;
    struct client *alice, *bob;
    struct world *world = make_friends(&alice, &bob);
    for (size_t i = 0; i < G_N_ELEMENTS(questions); i++) {
        client_forget(alice);
        client_receive(alice, questions[i]);
        assert_int_equal(alice->sent->len, 1);
        assert_non_null(
            client_sent(alice, "id=\"q\"", "type=\"error\"", "service-unavailable", NULL));
        assert_null(client_sent(alice, "jingle", NULL));
    }
    client_forget(alice);
    client_receive(alice, "<iq xmlns='jabber:client' type='get' id='q' from='example.org'>"
                          "<ping xmlns='urn:xmpp:ping'/></iq>");
    assert_non_null(client_sent(alice, "id=\"q\"", "type=\"result\"", NULL));
    world_free(world);
}

static void test_strangers_ring_if_allowed(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct account_config config = {.allow_strangers = true};
    struct client *alice = client_add_with(world, ALICE, &config);
    struct client *mallory = client_add(world, "mallory@example.org/x");
    client_online(alice, false);
    client_online(mallory, false);
    client_call(mallory, "alice@example.org", false);
    assert_true(client_saw(alice, "incoming mallory@example.org/x audio stranger"));
    world_free(world);
}

static void test_forged_roster_pushes_change_nothing(void **state)
{
    (void)state;
    struct client *alice, *bob;
    struct world *world = make_friends(&alice, &bob);
    client_receive(alice,
                   "<iq xmlns='jabber:client' type='set' id='1' from='mallory@example.org/x'>"
                   "<query xmlns='jabber:iq:roster'><item jid='mallory@example.org' "
                   "subscription='both'/></query></iq>");
    assert_false(client_saw(alice, "contact mallory@example.org"));
    assert_non_null(client_sent(alice, "service-unavailable", "mallory", NULL));
    client_receive(alice, "<iq xmlns='jabber:client' type='set' id='2' from='alice@example.org'>"
                          "<query xmlns='jabber:iq:roster'><item jid='carol@example.org' "
                          "subscription='to'/></query></iq>");
    assert_true(client_saw(alice, "contact carol@example.org"));
    client_receive(alice, "<iq xmlns='jabber:client' type='set' id='3'>"
                          "<query xmlns='jabber:iq:roster'><item jid='carol@example.org' "
                          "subscription='remove'/></query></iq>");
    assert_true(client_saw(alice, "contact carol@example.org removed"));
    world_free(world);
}

static void forge_carbon(struct client *client, const char *from, const char *inner)
{
    char *xml = g_strdup_printf(
        "<message xmlns='jabber:client' from='%s' to='" BOB "'>"
        "<sent xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>%s</forwarded>"
        "</sent></message>",
        from, inner);
    client_receive(client, xml);
    g_free(xml);
}

static void test_forged_carbons_change_nothing(void **state)
{
    (void)state;
    struct client *alice, *bob;
    struct world *world = make_friends(&alice, &bob);
    client_call(alice, "bob@example.org", false);
    assert_non_null(bob->call);
    char *accept = g_strdup_printf("<message xmlns='jabber:client' from='" BOB_2
                                   "' to='bob@example.org' type='chat'>"
                                   "<accept xmlns='urn:xmpp:jingle-message:0' id='%s'/></message>",
                                   account_call_sid(bob->call));
    forge_carbon(bob, ALICE, accept);
    forge_carbon(bob, "mallory@example.org", accept);
    forge_carbon(bob, BOB_2, accept);
    assert_non_null(bob->call);
    forge_carbon(bob, "bob@example.org", accept);
    assert_null(bob->call);
    g_free(accept);
    world_free(world);
}

static void test_capabilities_with_a_wrong_hash_are_not_remembered(void **state)
{
    (void)state;
    struct world *world = world_new();
    world->roster = FRIENDS;
    struct client *alice = client_add(world, ALICE);
    client_online(alice, false);
    world_pass(world, 3 * USEC_PER_SEC);
    add_foreign_device(alice, "bob@example.org/old", WITHOUT_INITIATION);
    assert_true(client_saw(alice, "contact bob@example.org online callable"));
    size_t bytes = 0;
    char *saved = account_caps_save(alice->account, &bytes);
    assert_null(strstr(saved, "AAAAAAAA"));
    g_free(saved);
    world_free(world);
}

static void test_an_unanswered_question_is_asked_again_after_a_resumption(void **state)
{
    (void)state;
    struct world *world = world_new();
    world->roster = FRIENDS;
    struct client *alice = client_add(world, ALICE);
    client_online(alice, false);
    client_receive(alice, "<presence xmlns='jabber:client' from='" BOB "'>"
                          "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='n' "
                          "ver='v'/></presence>");
    assert_int_equal(client_sent_count(alice, "n#v"), 1);
    account_offline(alice->account, world->now);
    account_online(alice->account, ALICE, true, world->now);
    assert_int_equal(client_sent_count(alice, "n#v"), 2);
    world_free(world);
}

static void test_any_software_name_can_be_hashed(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct account_config config = {.software_name = "a<b"};
    struct client *alice = client_add_with(world, ALICE, &config);
    client_online(alice, false);
    assert_non_null(client_sent(alice, "<presence", "ver=", NULL));
    world_free(world);
}

static void test_capabilities_outlive_the_account(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct account_config named = {.software_name = "Another"};
    world->roster = FRIENDS;
    struct client *alice = client_add(world, ALICE);
    struct client *bob = client_add_with(world, BOB, &named);
    client_online(bob, false);
    client_online(alice, false);
    assert_non_null(client_sent(alice, "disco#info", BOB, NULL));
    assert_true(client_saw(alice, "caps"));
    size_t bytes = 0;
    char *saved = account_caps_save(alice->account, &bytes);
    assert_non_null(strstr(saved, "initiation bob@example.org"));
    struct client *other = client_add(world, "alice@example.org/new");
    account_caps_load(other->account, saved, bytes);
    client_online(other, false);
    assert_true(client_saw(other, "contact bob@example.org online callable"));
    assert_null(client_sent(other, "disco#info", BOB, NULL));
    g_free(saved);
    world_free(world);
}

/* ------------------------------------------------------------------- lost and found again -- */

static void test_unanswered_stanzas_come_again_with_the_same_id(void **state)
{
    (void)state;
    struct client *alice, *bob;
    struct world *world = make_friends(&alice, &bob);
    connect_call(alice, bob);
    /* the line is dead, and nobody has noticed */
    alice->quiet = true;
    account_call_info(alice->call, INFO_HOLD, NULL, world->now);
    world_settle(world);
    assert_false(client_saw(bob, "info hold"));
    const char *lost = client_sent(alice, "<hold", NULL);
    assert_non_null(lost);
    char *copy = g_strdup(lost);
    account_offline(alice->account, world->now);
    alice->quiet = false;
    account_online(alice->account, ALICE, true, world->now);
    world_settle(world);
    assert_true(client_saw(bob, "info hold"));
    assert_string_equal(client_sent(alice, "<hold", NULL), copy);
    assert_non_null(alice->call);
    g_free(copy);
    world_free(world);
}

static void test_a_repeated_stanza_gets_the_same_answer_and_acts_once(void **state)
{
    (void)state;
    struct client *alice, *bob;
    struct world *world = make_friends(&alice, &bob);
    connect_call(alice, bob);
    account_call_info(alice->call, INFO_HOLD, NULL, world->now);
    world_settle(world);
    struct xml *again =
        xml_parse(client_sent(alice, "<hold", NULL), strlen(client_sent(alice, "<hold", NULL)));
    xml_set(xml_root(again), "from", ALICE);
    char *text = xml_to_string(xml_root(again));
    char *answer = g_strdup(bob->sent->pdata[bob->sent->len - 1]);
    client_forget(bob);
    client_receive(bob, text);
    assert_false(client_saw(bob, "incoming " ALICE " audio"));
    assert_int_equal(bob->sent->len, 1);
    assert_string_equal(bob->sent->pdata[0], answer);
    g_free(answer);
    free(text);
    xml_free(again);
    world_free(world);
}

static void test_a_call_lives_on_while_signalling_is_away(void **state)
{
    (void)state;
    struct client *alice, *bob;
    struct world *world = make_friends(&alice, &bob);
    connect_call(alice, bob);
    client_offline(alice);
    world_pass(world, 300 * USEC_PER_SEC);
    assert_non_null(alice->call);
    assert_non_null(bob->call);
    client_online(alice, false);
    account_call_end(alice->call, JINGLE_REASON_HANGUP, world->now);
    world_settle(world);
    assert_true(client_saw(bob, "ended hangup remote"));
    world_free(world);
}

static void test_an_answer_given_while_signalling_is_away_arrives_later(void **state)
{
    (void)state;
    struct client *alice, *bob;
    struct world *world = make_friends(&alice, &bob);
    client_call(alice, "bob@example.org", false);
    account_offline(bob->account, world->now);
    client_accept(bob);
    assert_false(client_saw(alice, "accepted " BOB));
    world_pass(world, 5 * USEC_PER_SEC);
    account_online(bob->account, BOB, true, world->now);
    world_settle(world);
    assert_true(client_saw(alice, "accepted " BOB));
    assert_true(client_saw(bob, "negotiated audio client ufrag=callerufrag"));
    world_free(world);
}

/* What went into a dead line is lost, XEP-0198 or not. */
static void test_messages_that_were_lost_with_the_line_come_again(void **state)
{
    (void)state;
    struct client *alice, *bob;
    struct world *world = make_friends(&alice, &bob);
    client_call(alice, "bob@example.org", false);
    bob->quiet = true;
    client_accept(bob);
    assert_false(client_saw(alice, "accepted " BOB));
    account_offline(bob->account, world->now);
    bob->quiet = false;
    account_online(bob->account, BOB, true, world->now);
    world_settle(world);
    assert_true(client_saw(alice, "accepted " BOB));
    client_forget(bob);
    account_offline(bob->account, world->now);
    account_online(bob->account, BOB, true, world->now);
    world_settle(world);
    assert_null(client_sent(bob, "<proceed", NULL)); /* session-initiate came since */
    world_free(world);
}

static void test_messages_that_are_old_or_settled_do_not_come_again(void **state)
{
    (void)state;
    struct client *alice, *bob;
    struct world *world = make_friends(&alice, &bob);
    alice->quiet = true;
    client_call(alice, "bob@example.org", false);
    account_offline(alice->account, world->now);
    account_call_end(alice->call, JINGLE_REASON_HANGUP, world->now);
    client_forget(alice);
    account_online(alice->account, ALICE, true, world->now);
    assert_null(client_sent(alice, "<propose", NULL));
    assert_non_null(client_sent(alice, "<retract", NULL));
    world_pass(world, POSTED_FOR + 1);
    client_forget(alice);
    account_offline(alice->account, world->now);
    account_online(alice->account, ALICE, true, world->now);
    assert_null(client_sent(alice, "<retract", NULL));
    world_free(world);
}

static void test_calling_while_offline_is_refused(void **state)
{
    (void)state;
    struct client *alice, *bob;
    struct world *world = make_friends(&alice, &bob);
    client_offline(alice);
    assert_int_equal(client_call(alice, "bob@example.org", false), JINGLE_ERROR_OFFLINE);
    client_online(alice, false);
    assert_int_equal(client_call(alice, "@@", false), JINGLE_ERROR_JID);
    world_free(world);
}

static void test_a_propose_that_comes_late_is_a_missed_call(void **state)
{
    (void)state;
    struct client *alice, *bob;
    struct world *world = make_friends(&alice, &bob);
    client_receive(bob, "<message xmlns='jabber:client' type='chat' from='" ALICE
                        "' to='bob@example.org' id='m'>"
                        "<propose xmlns='urn:xmpp:jingle-message:0' id='late'><description "
                        "xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose>"
                        "<delay xmlns='urn:xmpp:delay' stamp='2023-11-14T20:00:00Z'/></message>");
    world_pass(world, 2 * USEC_PER_SEC);
    assert_true(client_saw(bob, "missed " ALICE));
    assert_null(bob->call);
    world_free(world);
}

/* ---------------------------------------------------------------------- questions to us -- */

static void test_we_answer_what_everybody_asks(void **state)
{
    (void)state;
    struct client *alice, *bob;
    struct world *world = make_friends(&alice, &bob);
    client_receive(alice, "<iq xmlns='jabber:client' type='get' id='p' from='" BOB
                          "'><ping xmlns='urn:xmpp:ping'/></iq>");
    assert_non_null(client_sent(alice, "id=\"p\"", "result", NULL));
    client_receive(alice, "<iq xmlns='jabber:client' type='get' id='v' from='" BOB
                          "'><query xmlns='jabber:iq:version'/></iq>");
    assert_non_null(client_sent(alice, "id=\"v\"", "<name>Test</name>", NULL));
    client_receive(alice, "<iq xmlns='jabber:client' type='get' id='u' from='" BOB
                          "'><query xmlns='urn:unknown'/></iq>");
    assert_non_null(client_sent(alice, "id=\"u\"", "service-unavailable", NULL));
    client_receive(alice, "<iq xmlns='jabber:client' type='get' id='d' from='" BOB
                          "'><query xmlns='http://jabber.org/protocol/disco#info' "
                          "node='urn:x-jingle-engine#old'/></iq>");
    assert_non_null(client_sent(alice, "id=\"d\"", "item-not-found", NULL));
    world_free(world);
}

static void test_nobody_answers_for_whom_was_asked(void **state)
{
    (void)state;
    struct client *alice, *bob;
    struct world *world = make_friends(&alice, &bob);
    connect_call(alice, bob);
    alice->quiet = true;
    account_call_info(alice->call, INFO_HOLD, NULL, world->now);
    const char *sent = client_sent(alice, "<hold", NULL);
    struct xml *xml = xml_parse(sent, strlen(sent));
    char *forged =
        g_strdup_printf("<iq xmlns='jabber:client' type='error' id='%s' "
                        "from='mallory@example.org/x'><error type='cancel'><item-not-found "
                        "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
                        xml_attribute(xml_root(xml), "id"));
    client_receive(alice, forged);
    assert_non_null(alice->call);
    client_forget(alice);
    account_offline(alice->account, world->now);
    account_online(alice->account, ALICE, true, world->now);
    assert_non_null(client_sent(alice, "<hold", NULL));
    g_free(forged);
    xml_free(xml);
    world_free(world);
}

static const char unknown_action[] =
    "<iq xmlns='jabber:client' type='set' id='1' from='" ALICE
    "'><jingle xmlns='urn:xmpp:jingle:1' action='nonsense' sid='x'/></iq>";

static void test_garbage_is_dropped(void **state)
{
    (void)state;
    struct client *alice, *bob;
    struct world *world = make_friends(&alice, &bob);
    connect_call(alice, bob);
    static const char *const garbage[] = {
        "",
        "<",
        "text",
        "<iq",
        "<iq/>",
        "<a xmlns='b'/>",
        "<message xmlns='jabber:client'/>",
        "<presence xmlns='jabber:client' from='@'/>",
        "<iq xmlns='jabber:client' type='set' id='1'><jingle xmlns='urn:xmpp:jingle:1'/></iq>",
        unknown_action,
        "<iq xmlns='jabber:client' type='result' id='je-'/>",
    };
    for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++)
        client_receive(bob, garbage[i]);
    assert_non_null(bob->call);
    world_free(world);
}

/* ---------------------------------------------------------------------- external services -- */

static void test_turn_credentials_are_renewed_before_they_expire(void **state)
{
    (void)state;
    struct world *world = world_new();
    world->services = "<service type='turn' host='turn.example.org' port='3478' transport='udp' "
                      "username='u' password='p' expires='2023-11-14T22:23:21Z'/>"
                      "<service type='stun' host='[2001:db8::1]'/>";
    struct client *alice = client_add(world, ALICE);
    client_online(alice, false); /* at 22:13:21 */
    assert_true(client_saw(alice, "services 2"));
    size_t count = 0;
    const struct external_service *services = account_services(alice->account, &count);
    assert_int_equal(services[0].expires, world->now + 600 * USEC_PER_SEC);
    assert_string_equal(services[0].password, "p");
    assert_string_equal(services[1].host, "2001:db8::1");
    assert_int_equal(services[1].port, 3478);
    assert_int_equal(client_sent_count(alice, "urn:xmpp:extdisco:2"), 1);
    world_pass(world, 400 * USEC_PER_SEC);
    assert_int_equal(client_sent_count(alice, "urn:xmpp:extdisco:2"), 1);
    world_pass(world, 150 * USEC_PER_SEC);
    assert_true(client_sent_count(alice, "urn:xmpp:extdisco:2") >= 2);
    world_free(world);
}

/* ----------------------------------------------------------------------------- contacts -- */

static void test_contacts_are_added_and_removed(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct client *alice = client_add(world, ALICE);
    client_online(alice, false);
    assert_int_equal(
        account_contact_add(alice->account, "carol@example.org/x", "Carol", world->now), JINGLE_OK);
    assert_non_null(client_sent(alice, "jabber:iq:roster", "jid=\"carol@example.org\"",
                                "name=\"Carol\"", NULL));
    assert_non_null(client_sent(alice, "<presence", "type=\"subscribe\"", NULL));
    client_receive(alice, "<presence xmlns='jabber:client' type='subscribe' "
                          "from='carol@example.org'/>");
    assert_false(client_saw(alice, "subscription carol@example.org"));
    assert_int_equal(client_sent_count(alice, "type=\"subscribed\""), 2);
    client_receive(alice, "<presence xmlns='jabber:client' type='subscribe' "
                          "from='dave@example.org'/>");
    assert_true(client_saw(alice, "subscription dave@example.org"));
    assert_int_equal(account_contact_remove(alice->account, "dave@example.org", world->now),
                     JINGLE_OK);
    assert_non_null(client_sent(alice, "type=\"unsubscribed\"", "dave", NULL));
    assert_int_equal(account_contact_add(alice->account, "", NULL, world->now), JINGLE_ERROR_JID);
    world_free(world);
}

/* ----------------------------------------------------------------- the host's own stream -- */

static void test_an_external_account_leaves_the_stream_to_its_host(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct account_config config = {.external = true};
    struct client *alice = client_add_with(world, ALICE, &config);
    client_online(alice, false);
    assert_null(client_sent(alice, "<presence", NULL));
    assert_null(client_sent(alice, "jabber:iq:roster", NULL));
    assert_null(client_sent(alice, "urn:xmpp:carbons:2", NULL));
    assert_non_null(client_sent(alice, "urn:xmpp:extdisco:2", NULL));
    client_receive(alice, "<iq xmlns='jabber:client' type='result' id='host1' to='" ALICE "'>"
                          "<query xmlns='jabber:iq:roster'>" FRIENDS "</query></iq>");
    assert_true(client_saw(alice, "contact bob@example.org"));
    client_forget(alice);
    client_receive(alice, "<iq xmlns='jabber:client' type='get' id='p' from='" BOB
                          "'><ping xmlns='urn:xmpp:ping'/></iq>");
    assert_int_equal(alice->sent->len, 0);
    world_free(world);
}

static enum stanza_class classify(const char *xml)
{
    return stanza_classify(xml, strlen(xml), "je-abcdefgh-");
}

static void test_what_is_ours_is_told_at_once(void **state)
{
    (void)state;
    assert_int_equal(classify("<nonsense"), STANZA_MALFORMED);
    assert_int_equal(classify("<iq xmlns='jabber:client' type='set' id='x'>"
                              "<jingle xmlns='urn:xmpp:jingle:1'/></iq>"),
                     STANZA_OURS);
    assert_int_equal(classify("<iq xmlns='jabber:client' type='set' id='x'>"
                              "<open xmlns='http://jabber.org/protocol/ibb'/></iq>"),
                     STANZA_OURS);
    assert_int_equal(classify("<iq xmlns='jabber:client' type='set' id='x'>"
                              "<data xmlns='http://jabber.org/protocol/ibb'/></iq>"),
                     STANZA_OURS);
    assert_int_equal(classify("<iq xmlns='jabber:client' type='set' id='x'>"
                              "<close xmlns='http://jabber.org/protocol/ibb'/></iq>"),
                     STANZA_OURS);
    assert_int_equal(classify("<iq xmlns='jabber:client' type='set' id='x'>"
                              "<data xmlns='urn:xmpp:bob'/></iq>"),
                     STANZA_OTHER);
    assert_int_equal(classify("<iq xmlns='jabber:client' type='error' id='je-abcdefgh-7'/>"),
                     STANZA_OURS);
    assert_int_equal(classify("<iq xmlns='jabber:client' type='result' id='je-other123-7'/>"),
                     STANZA_OTHER);
    assert_int_equal(classify("<iq xmlns='jabber:client' type='get' id='je-abcdefgh-7'>"
                              "<ping xmlns='urn:xmpp:ping'/></iq>"),
                     STANZA_OTHER);
    assert_int_equal(classify("<iq xmlns='jabber:client' type='set' id='r'>"
                              "<query xmlns='jabber:iq:roster'/></iq>"),
                     STANZA_SHARED);
    assert_int_equal(classify("<presence xmlns='jabber:client'/>"), STANZA_SHARED);
    assert_int_equal(classify("<message xmlns='jabber:client'><body>hi</body></message>"),
                     STANZA_OTHER);
    assert_int_equal(classify("<message xmlns='jabber:client'><propose "
                              "xmlns='urn:xmpp:jingle-message:0' id='1'/></message>"),
                     STANZA_OURS);
    assert_int_equal(classify("<message xmlns='jabber:client'><received "
                              "xmlns='urn:xmpp:receipts' id='je-abcdefgh-1'/></message>"),
                     STANZA_OURS);
    assert_int_equal(classify("<message xmlns='jabber:client'><received "
                              "xmlns='urn:xmpp:receipts' id='mine'/></message>"),
                     STANZA_OTHER);
    assert_int_equal(
        classify("<message xmlns='jabber:client'><sent xmlns='urn:xmpp:carbons:2'><forwarded "
                 "xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'><accept "
                 "xmlns='urn:xmpp:jingle-message:0' id='1'/></message></forwarded></sent>"
                 "</message>"),
        STANZA_OURS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_contacts_learn_that_each_other_can_call),
        cmocka_unit_test(test_a_call_by_message_initiation),
        cmocka_unit_test(test_a_call_to_a_full_jid_is_initiated_directly),
        cmocka_unit_test(test_trickle_hold_and_mute_reach_the_peer),
        cmocka_unit_test(test_other_devices_stop_ringing),
        cmocka_unit_test(test_when_both_call_at_once_one_call_remains),
        cmocka_unit_test(test_refusals_reach_the_caller),
        cmocka_unit_test(test_nobody_answers),
        cmocka_unit_test(test_an_offline_contact_is_told_at_once),
        cmocka_unit_test(test_right_after_the_login_presence_is_awaited),
        cmocka_unit_test(test_an_offline_contact_once_seen_with_initiation_is_proposed_to),
        cmocka_unit_test(test_someone_without_shared_presence_is_proposed_to),
        cmocka_unit_test(test_an_unknown_account_is_unreachable),
        cmocka_unit_test(test_a_contact_without_call_support),
        cmocka_unit_test(test_a_contact_who_can_only_call_unencrypted),
        cmocka_unit_test(test_a_device_without_message_initiation_is_called_directly),
        cmocka_unit_test(test_a_device_without_calls_neither_rings_nor_answers),
        cmocka_unit_test(test_a_telephone_behind_a_gateway_has_no_resource_and_is_called),
        cmocka_unit_test(test_a_telephone_behind_a_gateway_may_propose),
        cmocka_unit_test(test_a_gateway_proceeds_before_its_telephone_rings),
        cmocka_unit_test(test_a_device_that_does_not_tell_is_proposed_to_after_a_while),
        cmocka_unit_test(test_going_offline_ends_a_ringing_call_but_not_a_connected_one),
        cmocka_unit_test(test_a_call_ends_when_the_last_device_that_rings_is_gone),
        cmocka_unit_test(test_a_device_that_rings_in_silence_keeps_a_call_alive),
        cmocka_unit_test(test_both_say_that_a_call_is_over),
        cmocka_unit_test(test_a_stranger_does_not_ring),
        cmocka_unit_test(test_a_stranger_does_not_learn_that_we_are_online),
        cmocka_unit_test(test_another_device_of_ours_can_be_called),
        cmocka_unit_test(test_a_call_that_rings_does_not_outlive_our_jid),
        cmocka_unit_test(test_strangers_ring_if_allowed),
        cmocka_unit_test(test_forged_roster_pushes_change_nothing),
        cmocka_unit_test(test_forged_carbons_change_nothing),
        cmocka_unit_test(test_capabilities_with_a_wrong_hash_are_not_remembered),
        cmocka_unit_test(test_an_unanswered_question_is_asked_again_after_a_resumption),
        cmocka_unit_test(test_any_software_name_can_be_hashed),
        cmocka_unit_test(test_capabilities_outlive_the_account),
        cmocka_unit_test(test_unanswered_stanzas_come_again_with_the_same_id),
        cmocka_unit_test(test_a_repeated_stanza_gets_the_same_answer_and_acts_once),
        cmocka_unit_test(test_a_call_lives_on_while_signalling_is_away),
        cmocka_unit_test(test_an_answer_given_while_signalling_is_away_arrives_later),
        cmocka_unit_test(test_messages_that_were_lost_with_the_line_come_again),
        cmocka_unit_test(test_messages_that_are_old_or_settled_do_not_come_again),
        cmocka_unit_test(test_calling_while_offline_is_refused),
        cmocka_unit_test(test_a_propose_that_comes_late_is_a_missed_call),
        cmocka_unit_test(test_we_answer_what_everybody_asks),
        cmocka_unit_test(test_nobody_answers_for_whom_was_asked),
        cmocka_unit_test(test_garbage_is_dropped),
        cmocka_unit_test(test_turn_credentials_are_renewed_before_they_expire),
        cmocka_unit_test(test_contacts_are_added_and_removed),
        cmocka_unit_test(test_an_external_account_leaves_the_stream_to_its_host),
        cmocka_unit_test(test_what_is_ours_is_told_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
