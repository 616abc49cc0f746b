/* Calls with video between accounts: what is announced, proposed, accepted, added and taken away.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/ns.h"
#include "world.h"

#define FRIENDS                                           \
    "<item jid='alice@example.org' subscription='both'/>" \
    "<item jid='bob@example.org' subscription='both'/>"
#define ALICE "alice@example.org/phone"
#define BOB   "bob@example.org/desk"

struct couple {
    struct world *world;
    struct client *alice, *bob;
};

static struct client *add(struct world *world, const char *jid, bool video)
{
    struct rtp_description audio, pictures;

    rtp_description_init(&audio, "audio");
    rtp_description_add(&audio, 111, "opus", 48000, 2);
    client_describe_video(&pictures);
    struct account_config config = {
        .software_name = "Test", .abilities = &audio, .video_abilities = video ? &pictures : NULL};
    struct client *client = client_add_with(world, jid, &config);
    client->video = video;
    rtp_description_clear(&audio);
    rtp_description_clear(&pictures);
    return client;
}

static struct couple meet(bool bob_has_video)
{
    struct couple couple = {.world = world_new()};

    couple.world->roster = FRIENDS;
    couple.alice = add(couple.world, ALICE, true);
    couple.bob = add(couple.world, BOB, bob_has_video);
    client_online(couple.alice, false);
    client_online(couple.bob, false);
    world_pass(couple.world, 3 * USEC_PER_SEC);
    return couple;
}

/* A voice call that both are in. */
static struct couple talk(void)
{
    struct couple couple = meet(true);

    couple.alice->video = couple.bob->video = false;
    assert_int_equal(client_call(couple.alice, "bob@example.org", false), JINGLE_OK);
    client_accept(couple.bob);
    account_call_connected(couple.alice->call, couple.world->now);
    account_call_connected(couple.bob->call, couple.world->now);
    return couple;
}

static void add_video(struct client *client)
{
    struct rtp_description video;

    client_describe_video(&video);
    struct session_media media = {.content = "video", .description = &video};
    const char *name = NULL;
    assert_int_equal(account_call_content_add(client->call, &media, client->world->now, &name),
                     JINGLE_OK);
    assert_non_null(name);
    rtp_description_clear(&video);
}

static bool take_video(struct client *client, const char *name)
{
    struct rtp_description video;

    client_describe_video(&video);
    struct session_media media = {.description = &video};
    bool taken = account_call_content_accept(client->call, name, &media, client->world->now);
    rtp_description_clear(&video);
    world_settle(client->world);
    return taken;
}

static bool announces_video(const struct client *client)
{
    const char *const *features = account_features(client->account);

    for (size_t i = 0; features[i]; i++)
        if (strcmp(features[i], NS_RTP_VIDEO) == 0)
            return true;
    return false;
}

static void test_video_is_announced_where_there_is_any(void **state)
{
    (void)state;
    struct couple couple = meet(false);
    assert_true(announces_video(couple.alice));
    assert_false(announces_video(couple.bob));
    assert_true(client_saw(couple.alice, "contact bob@example.org online callable"));
    assert_false(client_saw(couple.alice, "contact bob@example.org online callable video"));
    assert_true(client_saw(couple.bob, "contact alice@example.org online callable video"));
    world_free(couple.world);
}

static void test_what_the_peer_announces_is_known_in_the_call(void **state)
{
    (void)state;
    struct couple couple = meet(false);
    assert_int_equal(client_call(couple.bob, "alice@example.org", false), JINGLE_OK);
    client_accept(couple.alice);
    assert_true(account_call_peer_takes_video(couple.bob->call));
    assert_false(account_call_peer_takes_video(couple.alice->call));
    world_free(couple.world);
}

static void test_both_media_are_proposed_and_offered(void **state)
{
    (void)state;
    struct couple couple = meet(true);
    assert_int_equal(client_call(couple.alice, "bob@example.org", false), JINGLE_OK);
    assert_non_null(
        client_sent(couple.alice, "<propose", "media=\"audio\"", "media=\"video\"", NULL));
    assert_true(client_saw(couple.bob, "incoming " ALICE " audio video"));
    client_accept(couple.bob);
    assert_true(client_saw(couple.alice, "negotiated audio server ufrag=calleeufrag"));
    assert_true(client_saw(couple.alice, "negotiated video server ufrag=calleeufrag"));
    assert_true(client_saw(couple.bob, "negotiated video client ufrag=callerufrag"));
    world_free(couple.world);
}

static void test_of_both_the_sound_alone_can_be_taken(void **state)
{
    (void)state;
    struct couple couple = meet(true);
    assert_int_equal(client_call(couple.alice, "bob@example.org", false), JINGLE_OK);
    couple.bob->video = false;
    client_accept(couple.bob);
    assert_true(client_saw(couple.alice, "negotiated audio server ufrag=calleeufrag"));
    assert_true(client_saw(couple.alice, "refused video declined"));
    assert_non_null(couple.alice->call);
    assert_non_null(couple.bob->call);
    world_free(couple.world);
}

static void test_a_session_with_more_than_was_proposed_is_refused(void **state)
{
    (void)state;
    struct couple couple = meet(true);
    client_receive(couple.bob,
                   "<message from='" ALICE "' to='bob@example.org' type='chat' id='p'><propose "
                   "xmlns='urn:xmpp:jingle-message:0' id='more'><description xmlns='" NS_RTP
                   "' media='audio'/></propose></message>");
    world_settle(couple.world);
    assert_true(client_saw(couple.bob, "incoming " ALICE " audio"));
    client_accept(couple.bob);
#define OFFER(name, media, type)                                                                 \
    "<content creator='initiator' name='" name "'><description xmlns='" NS_RTP "' media='" media \
    "'>" type "</description><transport xmlns='" NS_ICE_UDP                                      \
    "' ufrag='uuuu' pwd='pppppppppppppppppppppp'><fingerprint xmlns='" NS_DTLS                   \
    "' hash='sha-256' setup='actpass'>00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:00:01:02:" \
    "03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F</fingerprint></transport></content>"
    client_receive(
        couple.bob,
        "<iq from='" ALICE "' to='" BOB "' type='set' id='i'><jingle xmlns='" NS_JINGLE
        "' action='session-initiate' sid='more'>" OFFER(
            "a", "audio", "<payload-type id='111' name='opus' clockrate='48000'/>")
            OFFER("v", "video",
                  "<payload-type id='96' name='VP8' clockrate='90000'/>") "</jingle></iq>");
    world_settle(couple.world);
    assert_true(client_saw(couple.bob, "ended security local"));
    assert_non_null(client_sent(couple.bob, "session-terminate", "security-error", NULL));
    world_free(couple.world);
}

static void test_video_is_added_and_taken_away(void **state)
{
    (void)state;
    struct couple couple = talk();
    add_video(couple.alice);
    assert_false(account_call_content_wants_transport(couple.alice->call, "video"));
    world_settle(couple.world);
    assert_true(client_saw(couple.bob, "offered video video"));
    assert_true(take_video(couple.bob, "video"));
    assert_true(client_saw(couple.alice, "negotiated video server ufrag=calleeufrag"));
    assert_true(client_saw(couple.bob, "negotiated video client ufrag=callerufrag"));
    account_call_info(couple.bob->call, INFO_MUTE, "video", couple.world->now);
    world_settle(couple.world);
    assert_non_null(client_sent(couple.bob, "<mute", "name=\"video\"", NULL));
    assert_int_equal(account_call_content_remove(couple.bob->call, "video", couple.world->now),
                     CONTENT_IS_GONE);
    world_settle(couple.world);
    assert_true(client_saw(couple.alice, "removed video remote"));
    /* And again, by the other one. */
    add_video(couple.bob);
    world_settle(couple.world);
    assert_true(client_saw(couple.alice, "offered video2 video"));
    account_call_content_reject(couple.alice->call, "video2", JINGLE_REASON_DECLINED,
                                couple.world->now);
    world_settle(couple.world);
    assert_true(client_saw(couple.bob, "refused video2 declined"));
    assert_non_null(couple.alice->call);
    assert_non_null(couple.bob->call);
    world_free(couple.world);
}

static void test_both_add_video_at_once(void **state)
{
    (void)state;
    struct couple couple = talk();
    add_video(couple.alice);
    add_video(couple.bob);
    world_settle(couple.world);
    assert_true(client_saw(couple.bob, "refused video replaced"));
    assert_true(client_saw(couple.bob, "offered video video"));
    assert_false(client_saw(couple.alice, "offered video video"));
    assert_true(take_video(couple.bob, "video"));
    assert_true(client_saw(couple.alice, "negotiated video server ufrag=calleeufrag"));
    world_free(couple.world);
}

/* What was under way is sent again, and what came twice is taken once. */
static void test_an_offer_outlives_a_lost_connection(void **state)
{
    (void)state;
    struct couple couple = talk();
    couple.alice->quiet = true;
    add_video(couple.alice);
    world_settle(couple.world);
    assert_false(client_saw(couple.bob, "offered video video"));
    client_offline(couple.alice);
    couple.alice->quiet = false;
    world_pass(couple.world, USEC_PER_SEC);
    client_online(couple.alice, false);
    world_pass(couple.world, 5 * USEC_PER_SEC);
    assert_int_equal(client_count(couple.bob, "offered video video"), 1);
    assert_true(take_video(couple.bob, "video"));
    assert_int_equal(client_count(couple.alice, "negotiated video server ufrag=calleeufrag"), 1);
    world_free(couple.world);
}

static void test_an_answer_that_gets_lost_leaves_both_without_video(void **state)
{
    (void)state;
    struct couple couple = talk();
    add_video(couple.alice);
    world_settle(couple.world);
    client_offline(couple.alice);
    assert_true(take_video(couple.bob, "video"));
    world_pass(couple.world, USEC_PER_SEC);
    client_online(couple.alice, false);
    world_pass(couple.world, 200 * USEC_PER_SEC);
    assert_true(client_saw(couple.alice, "refused video no-answer"));
    assert_true(client_saw(couple.bob, "removed video remote"));
    assert_non_null(couple.alice->call);
    assert_non_null(couple.bob->call);
    world_free(couple.world);
}

static void test_contents_of_a_call_without_a_session_are_refused(void **state)
{
    (void)state;
    struct couple couple = meet(true);
    struct rtp_description video;
    const char *name = "x";

    client_describe_video(&video);
    struct session_media media = {.content = "video", .description = &video};
    assert_int_equal(client_call(couple.alice, "bob@example.org", false), JINGLE_OK);
    assert_int_equal(account_call_content_add(couple.alice->call, &media, 0, &name),
                     JINGLE_ERROR_STATE);
    assert_null(name);
    assert_false(account_call_content_accept(couple.alice->call, "video", &media, 0));
    account_call_content_reject(couple.alice->call, "video", JINGLE_REASON_DECLINED, 0);
    assert_int_equal(account_call_content_remove(couple.alice->call, "video", 0), CONTENT_IS_GONE);
    assert_false(account_call_content_set_senders(couple.alice->call, "video", true, true, 0));
    rtp_description_clear(&video);
    world_free(couple.world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_video_is_announced_where_there_is_any),
        cmocka_unit_test(test_what_the_peer_announces_is_known_in_the_call),
        cmocka_unit_test(test_both_media_are_proposed_and_offered),
        cmocka_unit_test(test_of_both_the_sound_alone_can_be_taken),
        cmocka_unit_test(test_a_session_with_more_than_was_proposed_is_refused),
        cmocka_unit_test(test_video_is_added_and_taken_away),
        cmocka_unit_test(test_both_add_video_at_once),
        cmocka_unit_test(test_an_offer_outlives_a_lost_connection),
        cmocka_unit_test(test_an_answer_that_gets_lost_leaves_both_without_video),
        cmocka_unit_test(test_contents_of_a_call_without_a_session_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
