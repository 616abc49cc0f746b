/* When an account calls without encryption, and when it lets itself be called so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "signaling/account.h"
#include "world.h"

#define ALICE  "alice@example.org/phone"
#define GAJIM  "bob@example.org/gajim"
#define PHONE  "bob@example.org/phone"
#define FRIEND "<item jid='bob@example.org' subscription='both'/>"

#define WITHOUT_ENCRYPTION                    \
    FEATURE("urn:xmpp:jingle:1")              \
    FEATURE("urn:xmpp:jingle:apps:rtp:1")     \
    FEATURE("urn:xmpp:jingle:apps:rtp:audio") \
    FEATURE("urn:xmpp:jingle:transports:ice-udp:1")
#define WITH_ENCRYPTION WITHOUT_ENCRYPTION FEATURE("urn:xmpp:jingle:apps:dtls:0")

static struct client *log_in(struct world *world, bool allow_unencrypted)
{
    struct account_config config = {.allow_unencrypted = allow_unencrypted};
    world->roster = FRIEND;
    struct client *alice = client_add_with(world, ALICE, &config);
    client_online(alice, false);
    world_pass(world, 3 * USEC_PER_SEC);
    return alice;
}

/* A client that is not ours; `features` NULL: it never tells what it can do. */
static void add_device(struct client *alice, const char *jid, const char *features)
{
    client_meet(alice, jid);
    assert_non_null(client_sent(alice, "disco#info", jid, NULL));
    if (features)
        assert_true(client_learn(alice, jid, features));
}

static void offer_from(struct client *alice, const char *jid)
{
    char *offer =
        g_strdup_printf("<iq xmlns='jabber:client' type='set' id='i' from='%s' to='" ALICE "'>"
                        "<jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' sid='s'>"
                        "<content creator='initiator' name='voice'>"
                        "<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'>"
                        "<payload-type id='96' name='OPUS' clockrate='48000'/></description>"
                        "<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' ufrag='theirs' "
                        "pwd='pppppppppppppppppppppp'/></content></jingle></iq>",
                        jid);
    client_receive(alice, offer);
    g_free(offer);
    world_settle(alice->world);
}

static void test_a_client_that_knows_no_encryption_is_called_without(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct client *alice = log_in(world, true);
    add_device(alice, GAJIM, WITHOUT_ENCRYPTION);
    assert_int_equal(client_begin_call(alice, "bob@example.org", false), JINGLE_OK);
    assert_false(client_saw(alice, "unencrypted")); /* it is told when the caller knows the call */
    world_settle(world);
    assert_true(client_saw(alice, "unencrypted"));
    assert_non_null(client_sent(alice, "session-initiate", GAJIM, NULL));
    assert_null(client_sent(alice, "session-initiate", "fingerprint", NULL));
    assert_null(client_sent(alice, "<propose", NULL));
    world_free(world);
}

static void test_without_the_option_nobody_is_called_so(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct client *alice = log_in(world, false);
    add_device(alice, GAJIM, WITHOUT_ENCRYPTION);
    client_call(alice, "bob@example.org", false);
    assert_null(client_sent(alice, "session-initiate", NULL));
    assert_true(client_saw(alice, "ended no-call-support remote insecure"));
    world_free(world);
}

/* It would make the user allow what anyone can listen to. */
static void test_nobody_can_say_of_themselves_that_they_know_no_encryption(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct client *alice = log_in(world, false);
    add_device(alice, PHONE, WITH_ENCRYPTION);
    alice->quiet = true; /* nothing bounces */
    client_call(alice, PHONE, true);
    const char *sent = client_sent(alice, "session-initiate", PHONE, NULL);
    assert_non_null(sent);
    struct xml *xml = xml_parse(sent, strlen(sent));
    const xml_node *jingle = xml_child(xml_root(xml), "urn:xmpp:jingle:1", "jingle");
    char *end = g_strdup_printf(
        "<iq xmlns='jabber:client' type='set' id='e' from='" PHONE "' to='" ALICE "'>"
        "<jingle xmlns='urn:xmpp:jingle:1' action='session-terminate' sid='%s'><reason>"
        "<unsupported-applications/><text>%s</text></reason></jingle></iq>",
        xml_attribute(jingle, "sid"), jingle_strerror(JINGLE_ERROR_INSECURE_PEER));
    client_receive(alice, end);
    world_settle(world);
    assert_true(client_saw(alice, "ended incompatible remote"));
    xml_free(xml);
    g_free(end);
    world_free(world);
}

static void test_a_device_that_encrypts_is_preferred(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct client *alice = log_in(world, true);
    add_device(alice, GAJIM, WITHOUT_ENCRYPTION);
    add_device(alice, PHONE, WITH_ENCRYPTION);
    client_call(alice, "bob@example.org", false);
    assert_false(client_saw(alice, "unencrypted"));
    assert_non_null(client_sent(alice, "session-initiate", PHONE, "fingerprint", NULL));
    assert_null(client_sent(alice, "session-initiate", GAJIM, NULL));
    world_free(world);
}

/* It may be able to do better. */
static void test_nobody_is_called_so_while_a_device_has_not_told_what_it_can(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct client *alice = log_in(world, true);
    add_device(alice, GAJIM, WITHOUT_ENCRYPTION);
    add_device(alice, PHONE, NULL);
    client_call(alice, "bob@example.org", false);
    world_pass(world, 5 * USEC_PER_SEC);
    assert_false(client_saw(alice, "unencrypted"));
    assert_null(client_sent(alice, "session-initiate", NULL));
    world_free(world);
}

static void test_an_offer_without_encryption_rings_as_such(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct client *alice = log_in(world, true);
    add_device(alice, GAJIM, WITHOUT_ENCRYPTION);
    offer_from(alice, GAJIM);
    assert_true(client_saw(alice, "incoming " GAJIM " audio unencrypted"));
    client_accept(alice);
    assert_non_null(client_sent(alice, "session-accept", NULL));
    assert_null(client_sent(alice, "session-accept", "fingerprint", NULL));
    world_free(world);
}

static void test_without_the_option_no_such_offer_rings(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct client *alice = log_in(world, false);
    add_device(alice, GAJIM, WITHOUT_ENCRYPTION);
    offer_from(alice, GAJIM);
    assert_null(alice->call);
    assert_non_null(client_sent(alice, "session-terminate", "security-error", NULL));
    world_free(world);
}

/* Somebody on the way has taken its fingerprint out. */
static void test_a_client_that_encrypts_is_not_believed_without(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct client *alice = log_in(world, true);
    add_device(alice, PHONE, WITH_ENCRYPTION);
    offer_from(alice, PHONE);
    assert_null(alice->call);
    assert_non_null(client_sent(alice, "session-terminate", "security-error", NULL));
    world_free(world);
}

static void test_nobody_is_believed_before_it_is_known_what_they_can(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct client *alice = log_in(world, true);
    add_device(alice, GAJIM, NULL);
    offer_from(alice, GAJIM);
    assert_null(alice->call);
    assert_non_null(client_sent(alice, "session-terminate", "security-error", NULL));
    world_free(world);
}

/* Whoever proposes can encrypt. */
static void test_what_was_proposed_must_be_encrypted(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct client *alice = log_in(world, true);
    add_device(alice, GAJIM, WITHOUT_ENCRYPTION);
    client_receive(alice, "<message xmlns='jabber:client' type='chat' from='" GAJIM
                          "' to='alice@example.org'><propose xmlns='urn:xmpp:jingle-message:0' "
                          "id='s'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/>"
                          "</propose></message>");
    world_settle(world);
    assert_true(client_saw(alice, "incoming " GAJIM " audio"));
    alice->quiet = true; /* nothing bounces */
    client_accept(alice);
    offer_from(alice, GAJIM);
    assert_non_null(client_sent(alice, "session-terminate", "security-error", NULL));
    assert_null(client_sent(alice, "session-accept", NULL));
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_client_that_knows_no_encryption_is_called_without),
        cmocka_unit_test(test_without_the_option_nobody_is_called_so),
        cmocka_unit_test(test_nobody_can_say_of_themselves_that_they_know_no_encryption),
        cmocka_unit_test(test_a_device_that_encrypts_is_preferred),
        cmocka_unit_test(test_nobody_is_called_so_while_a_device_has_not_told_what_it_can),
        cmocka_unit_test(test_an_offer_without_encryption_rings_as_such),
        cmocka_unit_test(test_without_the_option_no_such_offer_rings),
        cmocka_unit_test(test_a_client_that_encrypts_is_not_believed_without),
        cmocka_unit_test(test_nobody_is_believed_before_it_is_known_what_they_can),
        cmocka_unit_test(test_what_was_proposed_must_be_encrypted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
