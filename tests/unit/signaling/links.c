/* Whose links to files an account tells: each once, those of contacts, and of no copy of our own
 * words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/account_files.h"
#include "signaling/classify.h"
#include "world.h"

#define ALICE   "alice@example.org/phone"
#define BOB     "bob@example.org/desk"
#define BARE    "bob@example.org"
#define MALLORY "mallory@example.net/x"

#define URL  "https://files.example.org/1/cat.jpg"
#define TOLD "link alice@example.org " URL

#define MESSAGE(type, id, from, url)                                                      \
    "<message xmlns='jabber:client' type='" type "' id='" id "' from='" from "' to='" BOB \
    "'><body>" url "</body><x xmlns='jabber:x:oob'><url>" url "</url></x>"                \
    "<delay xmlns='urn:xmpp:delay' stamp='2023-11-14T21:13:20Z'/></message>"
#define LINK(id) MESSAGE("chat", id, ALICE, URL)

static struct client *start_with(struct world *world, const struct account_config *config,
                                 bool take)
{
    static const struct account_file_hooks none;
    world->roster = "<item jid='alice@example.org' name='Alice' subscription='both'/>";
    struct client *bob = client_add_with(world, BOB, config);
    account_files_enable(bob->account, &none, take);
    client_online(bob, false);
    if (config->external)
        client_receive(bob,
                       "<iq xmlns='jabber:client' type='result' id='r'><query "
                       "xmlns='jabber:iq:roster'><item jid='alice@example.org'/></query></iq>");
    client_forget(bob);
    return bob;
}

static struct client *start(struct world *world)
{
    struct account_config config = {.no_calls = true};
    return start_with(world, &config, true);
}

static size_t count_links(const struct client *bob)
{
    size_t count = 0;
    for (guint i = 0; i < bob->events->len; i++)
        count += g_str_has_prefix(bob->events->pdata[i], "link ");
    return count;
}

static void receive_copy(struct client *bob, const char *from, const char *kind, const char *inner)
{
    char *xml = g_strdup_printf("<message xmlns='jabber:client' from='%s' to='" BOB "'>"
                                "<%s xmlns='urn:xmpp:carbons:2'><forwarded "
                                "xmlns='urn:xmpp:forward:0'>%s</forwarded></%s></message>",
                                from, kind, inner, kind);
    client_receive(bob, xml);
    g_free(xml);
}

static void test_a_contact_sends_a_link(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct client *bob = start(world);
    client_receive(bob, LINK("1"));
    assert_int_equal(client_count(bob, TOLD), 1);
    client_receive(bob, MESSAGE("normal", "2", ALICE, URL));
    assert_int_equal(client_count(bob, TOLD), 2);
    client_receive(bob, MESSAGE("chat", "3", ALICE, "aesgcm://example.org/1#00"));
    assert_true(client_saw(bob, "link alice@example.org aesgcm://example.org/1#00 encrypted"));
    assert_int_equal(bob->sent->len, 0); /* they learn nothing by it */
    world_free(world);
}

static void test_each_is_told_once(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct client *bob = start(world);
    client_receive(bob, LINK("1"));
    client_receive(bob, LINK("1"));
    receive_copy(bob, BARE, "received", LINK("1"));
    client_receive(bob, MESSAGE("chat", "1", "ALICE@example.org/tablet", URL));
    assert_int_equal(count_links(bob), 1);
    client_receive(bob, MESSAGE("chat", "1", ALICE, "https://example.org/another"));
    assert_int_equal(count_links(bob), 2);
    world_free(world);
}

static void test_copies(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct client *bob = start(world);
    receive_copy(bob, BARE, "sent", MESSAGE("chat", "1", BARE "/phone", URL));
    receive_copy(bob, MALLORY, "received", LINK("1"));
    assert_int_equal(count_links(bob), 0);
    receive_copy(bob, BARE, "received", LINK("1"));
    assert_int_equal(client_count(bob, TOLD), 1);
    world_free(world);
}

static void test_what_is_not_told(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct client *bob = start(world);
    client_receive(bob, MESSAGE("error", "1", ALICE, URL));
    client_receive(bob, MESSAGE("groupchat", "2", ALICE, URL));
    client_receive(bob, MESSAGE("headline", "3", ALICE, URL));
    client_receive(bob, MESSAGE("chat", "4", MALLORY, URL));
    client_receive(bob, MESSAGE("chat", "5", ALICE, "file:///etc/passwd"));
    client_receive(bob, MESSAGE("chat", "6", BOB, URL));
    client_receive(bob, "<message xmlns='jabber:client'><x xmlns='jabber:x:oob'><url>" URL
                        "</url></x></message>");
    assert_int_equal(count_links(bob), 0);
    assert_int_equal(bob->sent->len, 0);
    world_free(world);
}

static void test_strangers_who_are_allowed(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct account_config config = {.allow_strangers = true};
    struct client *bob = start_with(world, &config, true);
    client_receive(bob, MESSAGE("chat", "1", MALLORY, URL));
    assert_int_equal(client_count(bob, "link mallory@example.net " URL), 1);
    world_free(world);
}

static void test_who_takes_no_files_hears_of_none(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct account_config config = {.no_calls = true};
    struct client *bob = start_with(world, &config, false);
    client_receive(bob, LINK("1"));
    assert_int_equal(count_links(bob), 0);
    world_free(world);
}

static void test_on_the_applications_stream(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct account_config config = {.external = true};
    struct client *bob = start_with(world, &config, true);
    const char *chat = "<message xmlns='jabber:client' type='chat'><body>hello</body></message>";
    const char *error = MESSAGE("error", "1", ALICE, URL);
    assert_int_equal(stanza_classify(LINK("1"), strlen(LINK("1")), "je-12-"), STANZA_SHARED);
    assert_int_equal(stanza_classify(chat, strlen(chat), "je-12-"), STANZA_OTHER);
    assert_int_equal(stanza_classify(error, strlen(error), "je-12-"), STANZA_OTHER);
    client_receive(bob, LINK("1"));
    assert_int_equal(client_count(bob, TOLD), 1);
    world_free(world);
}

/* Each is another one; what is remembered of them stays small. */
static void test_a_flood(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct client *bob = start(world);
    for (unsigned i = 0; i < 1000; i++) {
        char *xml = g_strdup_printf(MESSAGE("chat", "%u", ALICE, URL), i);
        client_receive(bob, xml);
        client_receive(bob, xml);
        g_free(xml);
    }
    assert_int_equal(count_links(bob), 1000);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_contact_sends_a_link),
        cmocka_unit_test(test_each_is_told_once),
        cmocka_unit_test(test_copies),
        cmocka_unit_test(test_what_is_not_told),
        cmocka_unit_test(test_strangers_who_are_allowed),
        cmocka_unit_test(test_who_takes_no_files_hears_of_none),
        cmocka_unit_test(test_on_the_applications_stream),
        cmocka_unit_test(test_a_flood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
