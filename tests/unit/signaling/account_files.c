/* To which device files are offered, as presence and disco#info come in; and what blocks of an
 * in-band stream do at the account's edge. The devices of the other side are played by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>

#include "signaling/account_files.h"
#include "world.h"

#define DESK   "bob@example.org/desk"
#define POCKET "bob@example.org/pocket"
#define BARE   "bob@example.org"

#define JINGLE_ALONE FEATURE("urn:xmpp:jingle:1")
#define FILES        JINGLE_ALONE FEATURE("urn:xmpp:jingle:apps:file-transfer:5")
#define INBAND       FILES FEATURE("urn:xmpp:jingle:transports:ibb:1")
#define BOTH         INBAND FEATURE("urn:xmpp:jingle:transports:s5b:1")
#define OURS         BOTH FEATURE("urn:x-jingle-engine:files:0")

struct scene {
    struct world *world;
    struct client *alice;
    struct account_file *file;
    jingle_status ended; /* 1: not yet */
    unsigned blocks, refused, acknowledged, closes;
    bool inband;
    uint8_t last_byte;
    void *token;
    struct account_file *offered;
};

static void on_event(void *user, struct account_file *file, const struct file_event *event)
{
    struct scene *scene = user;
    if (event->type == FILE_EVENT_OFFERED)
        scene->offered = file;
    if (event->type == FILE_EVENT_INBAND)
        scene->inband = true;
    if (event->type == FILE_EVENT_ENDED)
        scene->ended = event->u.ended.status;
}

static void on_block(void *user, struct account_file *file, const struct account_file_block *block,
                     uint32_t seq)
{
    struct scene *scene = user;
    (void)file;
    (void)seq;
    scene->blocks++;
    scene->last_byte = block->size > 0 ? block->bytes[block->size - 1] : 0;
    scene->token = block->token;
}

static void on_block_answered(void *user, struct account_file *file, uint16_t seq, bool good)
{
    struct scene *scene = user;
    (void)file;
    (void)seq;
    scene->acknowledged += good;
    scene->refused += !good;
}

static void on_closed(void *user, struct account_file *file)
{
    (void)file;
    ((struct scene *)user)->closes++;
}

static void open_scene_with(struct scene *scene, bool allow_strangers)
{
    struct account_config config = {.allow_strangers = allow_strangers};
    struct account_file_hooks hooks = {scene, on_event, on_block, on_block_answered, on_closed};
    *scene = (struct scene){.world = world_new(), .ended = 1};
    scene->world->roster = "<item jid='" BARE "' subscription='both'/>";
    scene->alice = client_add_with(scene->world, "alice@example.org/phone", &config);
    account_files_enable(scene->alice->account, &hooks, true);
    client_online(scene->alice, false);
    world_pass(scene->world, 5 * USEC_PER_SEC);
    scene->alice->quiet = true; /* nobody else is there to answer */
    client_forget(scene->alice);
}

static void open_scene(struct scene *scene)
{
    open_scene_with(scene, false);
}

static void close_scene(struct scene *scene)
{
    world_free(scene->world);
}

/* A device comes online, without XEP-0115: it must be asked. */
static void appear(struct scene *scene, const char *jid, int priority)
{
    char *xml = g_strdup_printf("<presence xmlns='jabber:client' from='%s'><priority>%d</priority>"
                                "</presence>",
                                jid, priority);
    client_receive(scene->alice, xml);
    g_free(xml);
}

/* The value of an attribute in stanza text, such as "id="; g_free() it. */
static char *value_of(const char *xml, const char *name)
{
    char *pattern = g_strdup_printf(" %s=\"", name);
    const char *at = strstr(xml, pattern);
    assert_non_null(at);
    at += strlen(pattern);
    char *value = g_strndup(at, strcspn(at, "\""));
    g_free(pattern);
    return value;
}

static void answer(struct scene *scene, const char *question, const char *from, const char *type,
                   const char *children)
{
    char *id = value_of(question, "id");
    char *xml = g_strdup_printf("<iq xmlns='jabber:client' type='%s' from='%s' id='%s'>%s</iq>",
                                type, from, id, children);
    client_receive(scene->alice, xml);
    g_free(xml);
    g_free(id);
}

/* It was asked what it can do, and tells. */
static void tell(struct scene *scene, const char *jid, const char *features)
{
    assert_true(client_learn(scene->alice, jid, features));
    world_settle(scene->world);
}

static jingle_status offer(struct scene *scene, const char *to, unsigned ways)
{
    struct file_description file = {.name = "cat.jpg", .has_size = true, .size = 9000};
    struct account_file_config config = {&file, NULL};
    jingle_status status = account_files_offer(scene->alice->account, to, false, &config, 1, ways,
                                               scene->world->now, &scene->file);
    world_settle(scene->world);
    return status;
}

static const char *initiate_to(const struct scene *scene, const char *jid)
{
    return client_sent(scene->alice, "session-initiate", jid, NULL);
}

/* --- which device -- */

static void test_a_device_that_can_take_files_is_chosen(void **state)
{
    struct scene scene;
    (void)state;
    open_scene(&scene);
    appear(&scene, DESK, 0);
    appear(&scene, POCKET, 5);
    assert_int_equal(offer(&scene, BARE, FILE_WAY_DIRECT), JINGLE_OK);
    tell(&scene, POCKET, FEATURE("urn:xmpp:ping"));
    assert_null(client_sent(scene.alice, "session-initiate", NULL));
    tell(&scene, DESK, BOTH);
    assert_non_null(initiate_to(&scene, DESK));
    assert_string_equal(account_file_peer(scene.file), DESK);
    close_scene(&scene);
}

static void test_the_best_priority_wins_and_among_equals_one_of_ours(void **state)
{
    static const struct {
        int desk, pocket;
        const char *desk_features, *pocket_features, *chosen;
    } rows[] = {
        {1, 5, BOTH, BOTH, POCKET},           {5, 1, INBAND, OURS, DESK},
        {3, 3, BOTH, OURS, POCKET},           {3, 3, OURS, BOTH, DESK},
        {9, 1, FILES, BOTH, POCKET}, /* no transport */
        {9, 1, JINGLE_ALONE, INBAND, POCKET},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct scene scene;
        open_scene(&scene);
        appear(&scene, DESK, rows[i].desk);
        appear(&scene, POCKET, rows[i].pocket);
        /* Both are asked by the first offer, and known at the second. */
        offer(&scene, BARE, FILE_WAYS_ALL);
        account_file_end(scene.file, JINGLE_ERROR_CANCELED, scene.world->now);
        tell(&scene, DESK, rows[i].desk_features);
        tell(&scene, POCKET, rows[i].pocket_features);
        assert_int_equal(offer(&scene, BARE, FILE_WAY_DIRECT | FILE_WAY_INBAND), JINGLE_OK);
        assert_non_null(initiate_to(&scene, rows[i].chosen));
        close_scene(&scene);
    }
}

static void test_a_device_that_does_not_say_what_it_can_is_not_waited_for_long(void **state)
{
    struct scene scene;
    (void)state;
    open_scene(&scene);
    appear(&scene, DESK, 0);
    offer(&scene, BARE, FILE_WAY_DIRECT);
    world_pass(scene.world, 2 * USEC_PER_SEC);
    assert_int_equal(scene.ended, 1);
    world_pass(scene.world, 2 * USEC_PER_SEC);
    assert_int_equal(scene.ended, JINGLE_ERROR_NO_FILE_SUPPORT);
    close_scene(&scene);
}

static void test_a_full_jid_is_tried_although_it_does_not_say_what_it_can(void **state)
{
    struct scene scene;
    (void)state;
    open_scene(&scene);
    appear(&scene, DESK, 0);
    offer(&scene, DESK, FILE_WAY_DIRECT);
    world_pass(scene.world, 4 * USEC_PER_SEC);
    assert_non_null(initiate_to(&scene, DESK));
    close_scene(&scene);
}

static void test_a_full_jid_that_is_known_to_take_none_is_not_tried(void **state)
{
    struct scene scene;
    (void)state;
    open_scene(&scene);
    appear(&scene, DESK, 0);
    appear(&scene, POCKET, 0);
    offer(&scene, DESK, FILE_WAY_DIRECT);
    tell(&scene, DESK, JINGLE_ALONE);
    assert_int_equal(scene.ended, JINGLE_ERROR_NO_FILE_SUPPORT);
    assert_null(client_sent(scene.alice, "session-initiate", NULL));
    close_scene(&scene);
}

static void test_a_full_jid_of_a_contact_that_is_not_there_is_offline(void **state)
{
    struct scene scene;
    (void)state;
    open_scene(&scene);
    appear(&scene, POCKET, 0);
    offer(&scene, DESK, FILE_WAY_DIRECT);
    assert_int_equal(scene.ended, JINGLE_ERROR_CONTACT_OFFLINE);
    close_scene(&scene);
}

static void test_a_full_jid_of_a_stranger_is_tried(void **state)
{
    struct scene scene;
    (void)state;
    open_scene(&scene);
    offer(&scene, "eve@example.net/x", FILE_WAY_DIRECT);
    assert_non_null(initiate_to(&scene, "eve@example.net/x"));
    offer(&scene, "eve@example.net", FILE_WAY_DIRECT);
    assert_int_equal(scene.ended, JINGLE_ERROR_CONTACT_OFFLINE);
    close_scene(&scene);
}

static void test_what_is_given_up_while_it_is_decided_is_not_offered(void **state)
{
    struct scene scene;
    (void)state;
    open_scene(&scene);
    appear(&scene, DESK, 0);
    offer(&scene, BARE, FILE_WAY_DIRECT);
    account_file_end(scene.file, JINGLE_ERROR_CANCELED, scene.world->now);
    assert_int_equal(scene.ended, JINGLE_ERROR_CANCELED);
    tell(&scene, DESK, BOTH);
    assert_null(client_sent(scene.alice, "session-initiate", NULL));
    close_scene(&scene);
}

/* --- blocks -- */

/* An in-band stream to DESK, whose client accepts and answers all. */
static char *begin_stream(struct scene *scene, const char *features)
{
    open_scene(scene);
    appear(scene, DESK, 0);
    offer(scene, DESK, FILE_WAY_INBAND);
    tell(scene, DESK, features);
    const char *initiate = initiate_to(scene, DESK);
    assert_non_null(initiate);
    answer(scene, initiate, DESK, "result", "");
    char *sid = value_of(strstr(initiate, "<transport"), "sid");
    char *accept = g_strdup_printf(
        "<iq xmlns='jabber:client' type='set' from='" DESK "' id='a1'><jingle "
        "xmlns='urn:xmpp:jingle:1' action='session-accept' sid='%s'><content creator='initiator' "
        "name='a-file-offer'><description xmlns='urn:xmpp:jingle:apps:file-transfer:5'><file>"
        "<name>cat.jpg</name><size>9000</size></file></description><transport "
        "xmlns='urn:xmpp:jingle:transports:ibb:1' sid='%s' block-size='4096'/></content></jingle>"
        "</iq>",
        account_file_sid(scene->file), sid);
    client_receive(scene->alice, accept);
    g_free(accept);
    const char *open = client_sent(scene->alice, "<open", DESK, NULL);
    assert_non_null(open);
    answer(scene, open, DESK, "result", "");
    assert_true(scene->inband);
    return sid;
}

static void test_each_block_has_its_answer(void **state)
{
    static const uint8_t bytes[4096];
    struct scene scene;
    (void)state;
    g_free(begin_stream(&scene, INBAND));
    assert_int_equal(account_file_window(scene.file), 1);
    account_file_send_block(scene.file, 0, bytes, sizeof bytes, scene.world->now);
    const char *data = client_sent(scene.alice, "<data", "seq=\"0\"", NULL);
    assert_non_null(data);
    answer(&scene, data, POCKET, "result", ""); /* not the one who was asked */
    assert_int_equal(scene.acknowledged, 0);
    answer(&scene, data, DESK, "result", "");
    assert_int_equal(scene.acknowledged, 1);
    account_file_send_block(scene.file, 1, bytes, 100, scene.world->now);
    answer(&scene, client_sent(scene.alice, "<data", "seq=\"1\"", NULL), DESK, "error", "");
    assert_int_equal(scene.refused, 1);
    close_scene(&scene);
}

static void test_a_block_without_an_answer_is_refused_in_the_end(void **state)
{
    struct scene scene;
    (void)state;
    g_free(begin_stream(&scene, OURS));
    assert_int_equal(account_file_window(scene.file), 16);
    account_file_send_block(scene.file, 0, (const uint8_t *)"abc", 3, scene.world->now);
    world_pass(scene.world, 61 * USEC_PER_SEC);
    assert_int_equal(scene.refused, 1);
    close_scene(&scene);
}

static void test_blocks_do_not_outlive_the_stream_to_the_server(void **state)
{
    struct scene scene;
    (void)state;
    g_free(begin_stream(&scene, OURS));
    for (uint16_t seq = 0; seq < 3; seq++)
        account_file_send_block(scene.file, seq, (const uint8_t *)"abc", 3, scene.world->now);
    account_offline(scene.alice->account, scene.world->now);
    assert_int_equal(scene.refused, 0); /* at the next tick */
    world_settle(scene.world);
    assert_int_equal(scene.refused, 3);
    client_forget(scene.alice);
    account_online(scene.alice->account, scene.alice->jid, true, scene.world->now);
    world_settle(scene.world);
    assert_null(client_sent(scene.alice, "<data", NULL));
    account_file_send_block(scene.file, 3, (const uint8_t *)"abc", 3, scene.world->now);
    assert_null(client_sent(scene.alice, "<data", NULL));
    world_settle(scene.world);
    assert_int_equal(scene.refused, 4);
    close_scene(&scene);
}

static void test_a_close_is_answered_and_told(void **state)
{
    struct scene scene;
    (void)state;
    char *sid = begin_stream(&scene, INBAND);
    char *close = g_strdup_printf("<iq xmlns='jabber:client' type='set' from='" DESK "' id='c1'>"
                                  "<close xmlns='http://jabber.org/protocol/ibb' sid='%s'/></iq>",
                                  sid);
    client_receive(scene.alice, close);
    assert_int_equal(scene.closes, 1);
    assert_non_null(client_sent(scene.alice, "type=\"result\"", "id=\"c1\"", NULL));
    client_receive(scene.alice, close); /* there is no such stream any more */
    assert_int_equal(scene.closes, 1);
    assert_non_null(client_sent(scene.alice, "item-not-found", "id=\"c1\"", NULL));
    g_free(close);
    g_free(sid);
    close_scene(&scene);
}

/* DESK offers a file in-band and it is taken. */
static void take_stream(struct scene *scene)
{
    open_scene(scene);
    client_receive(scene->alice,
                   "<iq xmlns='jabber:client' type='set' from='" DESK "' id='i1'><jingle "
                   "xmlns='urn:xmpp:jingle:1' action='session-initiate' sid='s1'><content "
                   "creator='initiator' name='f' senders='initiator'><description "
                   "xmlns='urn:xmpp:jingle:apps:file-transfer:5'><file><name>a</name>"
                   "<size>9000</size></file></description><transport "
                   "xmlns='urn:xmpp:jingle:transports:ibb:1' sid='b1' block-size='4096'/></content>"
                   "</jingle></iq>");
    assert_non_null(scene->offered);
    account_file_accept(scene->offered, 0, NULL, FILE_WAYS_ALL, scene->world->now);
    client_receive(scene->alice, "<iq xmlns='jabber:client' type='set' from='" DESK "' id='o1'>"
                                 "<open xmlns='http://jabber.org/protocol/ibb' sid='b1' "
                                 "block-size='4096' stanza='iq'/></iq>");
    assert_non_null(client_sent(scene->alice, "type=\"result\"", "id=\"o1\"", NULL));
    assert_true(scene->inband);
}

static void receive_block(struct scene *scene, const char *from, unsigned seq)
{
    char *xml = g_strdup_printf("<iq xmlns='jabber:client' type='set' from='%s' id='d%u'><data "
                                "xmlns='http://jabber.org/protocol/ibb' sid='b1' seq='%u'>AAAB"
                                "</data></iq>",
                                from, seq, seq);
    client_receive(scene->alice, xml);
    g_free(xml);
}

static void test_a_block_that_came_is_answered_when_it_is_written(void **state)
{
    struct scene scene;
    struct stanza_error error =
        stanza_error_make(STANZA_UNEXPECTED_REQUEST, JINGLE_CONDITION_NONE, "");
    (void)state;
    take_stream(&scene);
    receive_block(&scene, DESK, 0);
    assert_int_equal(scene.blocks, 1);
    assert_int_equal(scene.last_byte, 1);
    assert_null(client_sent(scene.alice, "id=\"d0\"", NULL));
    account_file_block_written(scene.offered, scene.token, NULL);
    assert_non_null(client_sent(scene.alice, "type=\"result\"", "id=\"d0\"", NULL));
    receive_block(&scene, DESK, 1);
    account_file_block_written(scene.offered, scene.token, &error);
    assert_non_null(client_sent(scene.alice, "unexpected-request", "id=\"d1\"", NULL));
    close_scene(&scene);
}

static void test_nobody_else_puts_in_blocks(void **state)
{
    struct scene scene;
    (void)state;
    take_stream(&scene);
    receive_block(&scene, POCKET, 0);
    assert_int_equal(scene.blocks, 0);
    assert_non_null(client_sent(scene.alice, "item-not-found", "id=\"d0\"", NULL));
    receive_block(&scene, "eve@example.net/x", 1); /* a stranger hears that nobody is here */
    assert_int_equal(scene.blocks, 0);
    assert_non_null(client_sent(scene.alice, "service-unavailable", "id=\"d1\"", NULL));
    close_scene(&scene);
}

static void test_blocks_that_nobody_takes_are_held_at_32(void **state)
{
    struct scene scene;
    (void)state;
    take_stream(&scene);
    for (unsigned seq = 0; seq < 40; seq++)
        receive_block(&scene, DESK, seq);
    assert_int_equal(scene.blocks, 32);
    assert_int_equal(client_sent_count(scene.alice, "resource-constraint"), 8);
    /* When the file ends, each has its answer. */
    account_file_end(scene.offered, JINGLE_ERROR_CANCELED, scene.world->now);
    assert_int_equal(client_sent_count(scene.alice, "item-not-found"), 32);
    close_scene(&scene);
}

static void test_a_receiver_is_told_that_the_stream_is_lost_with_the_server(void **state)
{
    struct scene scene;
    (void)state;
    take_stream(&scene);
    receive_block(&scene, DESK, 0);
    account_offline(scene.alice->account, scene.world->now);
    world_settle(scene.world);
    assert_int_equal(scene.closes, 1);
    account_file_block_written(scene.offered, scene.token, NULL); /* late, and in vain */
    account_online(scene.alice->account, scene.alice->jid, true, scene.world->now);
    receive_block(&scene, DESK, 1);
    assert_int_equal(scene.blocks, 1);
    assert_non_null(client_sent(scene.alice, "item-not-found", "id=\"d1\"", NULL));
    close_scene(&scene);
}

static void be_offered(struct scene *scene, const char *from, unsigned number)
{
    char *xml = g_strdup_printf(
        "<iq xmlns='jabber:client' type='set' from='%s' id='n%u'><jingle "
        "xmlns='urn:xmpp:jingle:1' action='session-initiate' sid='n%u'><content "
        "creator='initiator' name='f' senders='initiator'><description "
        "xmlns='urn:xmpp:jingle:apps:file-transfer:5'><file><name>a</name>"
        "<size>9</size></file></description><transport "
        "xmlns='urn:xmpp:jingle:transports:ibb:1' sid='b%u' block-size='4096'/></content>"
        "</jingle></iq>",
        from, number, number, number);
    client_receive(scene->alice, xml);
    g_free(xml);
}

/* Whoever makes a JID for each offer does not take all places for files. */
static void test_strangers_share_what_one_contact_may_offer(void **state)
{
    struct scene scene;
    (void)state;
    open_scene_with(&scene, true);
    for (unsigned i = 0; i < 40; i++) {
        char *stranger = g_strdup_printf("eve%u@example.net/x", i);
        be_offered(&scene, stranger, i);
        g_free(stranger);
    }
    assert_int_equal(client_sent_count(scene.alice, "resource-constraint"), 8);
    be_offered(&scene, DESK, 100);
    assert_string_equal(account_file_peer(scene.offered), DESK);
    close_scene(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_device_that_can_take_files_is_chosen),
        cmocka_unit_test(test_the_best_priority_wins_and_among_equals_one_of_ours),
        cmocka_unit_test(test_a_device_that_does_not_say_what_it_can_is_not_waited_for_long),
        cmocka_unit_test(test_a_full_jid_is_tried_although_it_does_not_say_what_it_can),
        cmocka_unit_test(test_a_full_jid_that_is_known_to_take_none_is_not_tried),
        cmocka_unit_test(test_a_full_jid_of_a_contact_that_is_not_there_is_offline),
        cmocka_unit_test(test_a_full_jid_of_a_stranger_is_tried),
        cmocka_unit_test(test_what_is_given_up_while_it_is_decided_is_not_offered),
        cmocka_unit_test(test_each_block_has_its_answer),
        cmocka_unit_test(test_a_block_without_an_answer_is_refused_in_the_end),
        cmocka_unit_test(test_blocks_do_not_outlive_the_stream_to_the_server),
        cmocka_unit_test(test_a_close_is_answered_and_told),
        cmocka_unit_test(test_a_block_that_came_is_answered_when_it_is_written),
        cmocka_unit_test(test_nobody_else_puts_in_blocks),
        cmocka_unit_test(test_blocks_that_nobody_takes_are_held_at_32),
        cmocka_unit_test(test_a_receiver_is_told_that_the_stream_is_lost_with_the_server),
        cmocka_unit_test(test_strangers_share_what_one_contact_may_offer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
