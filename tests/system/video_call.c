/* Calls with video between two clients in one process: their stanzas over a switchboard, their
 * media over loopback, with the codecs and threads of every call. */
#include "system/pictures.h"
#include "system/side.h"

#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Both ends and what they show; `screen` is a second source of Alice's. */
struct theatre {
    struct world *world;
    struct pictures alice;
    struct pictures bob;
    struct pictures screen;
    jingle_video_config alice_video;
    jingle_video_config bob_video;
};

static int set_up(void **state)
{
    struct theatre *t = g_new0(struct theatre, 1);
    t->world = world_new(PATIENCE, false);
    t->alice_video = pictures_config(&t->alice, t->world->poke, COLOUR_RED);
    t->bob_video = pictures_config(&t->bob, t->world->poke, COLOUR_GREEN);
    pictures_config(&t->screen, t->world->poke, COLOUR_BLUE);
    *state = t;
    return 0;
}

static int tear_down(void **state)
{
    struct theatre *t = *state;
    world_free(t->world);
    pictures_end(&t->alice);
    pictures_end(&t->bob);
    pictures_end(&t->screen);
    g_free(t);
    return 0;
}

/* ---------------------------------------------------------------------------- ways to a call -- */

/* NULL: without video at that end. */
static void connect_call(struct theatre *t, const jingle_video_config *alice,
                         const jingle_video_config *bob)
{
    jingle_session_config caller = sound_config(&t->world->alice->sound, 440);
    jingle_session_config callee = sound_config(&t->world->bob->sound, 880);
    caller.video = alice;
    callee.video = bob;
    if (alice) {
        pictures_hand_over(&t->alice, alice);
    }
    if (bob) {
        pictures_hand_over(&t->bob, bob);
    }
    connect_with(t->world, &caller, &callee);
}

static void connect_video_call(struct theatre *t)
{
    connect_call(t, &t->alice_video, &t->bob_video);
    await_colour(t->world, &t->alice, COLOUR_GREEN);
    await_colour(t->world, &t->bob, COLOUR_RED);
}

static jingle_status start_video(struct side *side, struct pictures *pictures,
                                 const jingle_video_config *config)
{
    pictures_hand_over(pictures, config);
    return jingle_session_start_video(side->session, config);
}

/* `who` asks and the other one accepts. */
static void add_video(struct theatre *t, bool alice_asks)
{
    struct side *alice = t->world->alice;
    struct side *bob = t->world->bob;
    struct side *asked = alice_asks ? bob : alice;
    unsigned offers = asked->count[JINGLE_EVENT_VIDEO_OFFERED];
    if (alice_asks) {
        assert_int_equal(start_video(alice, &t->alice, &t->alice_video), JINGLE_OK);
    } else {
        assert_int_equal(start_video(bob, &t->bob, &t->bob_video), JINGLE_OK);
    }
    await_times(t->world, asked, JINGLE_EVENT_VIDEO_OFFERED, offers + 1);
    if (alice_asks) {
        assert_int_equal(start_video(bob, &t->bob, &t->bob_video), JINGLE_OK);
    } else {
        assert_int_equal(start_video(alice, &t->alice, &t->alice_video), JINGLE_OK);
    }
    await_colour(t->world, &t->alice, COLOUR_GREEN);
    await_colour(t->world, &t->bob, COLOUR_RED);
}

struct direction {
    const struct side *side;
    bool sends, receives;
};

static bool has_direction(void *user)
{
    const struct direction *d = user;
    return d->side->sends_video == d->sends && d->side->receives_video == d->receives &&
           d->side->count[JINGLE_EVENT_VIDEO] > 0;
}

static void await_direction(struct theatre *t, const struct side *side, bool sends, bool receives)
{
    await_all(t->world, has_direction, &(struct direction){side, sends, receives});
}

/* ---------------------------------------------------------------------------- from the start -- */

static void test_a_call_begins_with_video(void **state)
{
    struct theatre *t = *state;
    connect_video_call(t);
    await_direction(t, t->world->alice, true, true);
    await_direction(t, t->world->bob, true, true);
    await_both_hear(t->world);
    await_times(t->world, t->world->alice, JINGLE_EVENT_STATISTICS, 3);
    const jingle_video_statistics *s = &t->world->alice->statistics.video;
    assert_true(s->sending);
    assert_true(s->receiving);
    assert_true(s->frames_sent > 10);
    assert_true(s->frames_decoded > 10);
    assert_true(s->key_frames_received >= 1);
    assert_int_equal(s->frames_broken, 0);
    assert_int_equal(s->width_received, 320);
    assert_true(s->estimate > 0);
    assert_int_equal(atomic_load(&t->alice.seen_self), COLOUR_RED);
    hang_up(t->world, t->world->alice);
}

static void test_video_that_a_call_offers_cannot_be_stopped_before_the_answer(void **state)
{
    struct theatre *t = *state;
    jingle_session_config caller = sound_config(&t->world->alice->sound, 440);
    jingle_session_config callee = sound_config(&t->world->bob->sound, 880);
    caller.video = &t->alice_video;
    callee.video = &t->bob_video;
    pictures_hand_over(&t->alice, &t->alice_video);
    pictures_hand_over(&t->bob, &t->bob_video);
    call_bob(t->world, &caller);
    assert_int_equal(jingle_session_stop_video(t->world->alice->session), JINGLE_ERROR_STATE);
    assert_int_equal(jingle_session_accept(t->world->bob->session, &callee), JINGLE_OK);
    await_colour(t->world, &t->alice, COLOUR_GREEN);
    await_colour(t->world, &t->bob, COLOUR_RED);
    hang_up(t->world, t->world->alice);
}

static void test_the_video_of_an_offer_is_refused(void **state)
{
    struct theatre *t = *state;
    connect_call(t, &t->alice_video, NULL);
    await(t->world, t->world->alice, JINGLE_EVENT_VIDEO);
    assert_int_equal(t->world->alice->video_status, JINGLE_ERROR_REFUSED);
    assert_false(t->world->alice->sends_video);
    await_both_hear(t->world);
    assert_int_equal(jingle_session_stop_video(t->world->alice->session), JINGLE_ERROR_STATE);
    add_video(t, false);
    hang_up(t->world, t->world->bob);
}

static void test_one_end_only_watches(void **state)
{
    struct theatre *t = *state;
    t->bob_video.source = NULL;
    connect_call(t, &t->alice_video, &t->bob_video);
    await_colour(t->world, &t->bob, COLOUR_RED);
    await_direction(t, t->world->bob, false, true);
    expect_no_pictures(t->world, &t->alice);
    hang_up(t->world, t->world->bob);
}

/* --------------------------------------------------------------------------- added, taken away */

static void test_the_caller_adds_video(void **state)
{
    struct theatre *t = *state;
    connect_call(t, NULL, NULL);
    add_video(t, true);
    await_both_hear(t->world);
    hang_up(t->world, t->world->bob);
}

static void test_the_one_called_adds_video(void **state)
{
    struct theatre *t = *state;
    connect_call(t, NULL, NULL);
    add_video(t, false);
    await_both_hear(t->world);
    hang_up(t->world, t->world->alice);
}

static void test_added_video_is_refused_and_offered_again(void **state)
{
    struct theatre *t = *state;
    connect_call(t, NULL, NULL);
    assert_int_equal(start_video(t->world->alice, &t->alice, &t->alice_video), JINGLE_OK);
    await(t->world, t->world->bob, JINGLE_EVENT_VIDEO_OFFERED);
    assert_int_equal(jingle_session_refuse_video(t->world->bob->session), JINGLE_OK);
    await(t->world, t->world->alice, JINGLE_EVENT_VIDEO);
    assert_int_equal(t->world->alice->video_status, JINGLE_ERROR_REFUSED);
    await_both_hear(t->world);
    add_video(t, false);
    hang_up(t->world, t->world->alice);
}

static void test_an_offer_is_taken_back(void **state)
{
    struct theatre *t = *state;
    connect_call(t, NULL, NULL);
    assert_int_equal(start_video(t->world->alice, &t->alice, &t->alice_video), JINGLE_OK);
    await(t->world, t->world->bob, JINGLE_EVENT_VIDEO_OFFERED);
    assert_int_equal(jingle_session_stop_video(t->world->alice->session), JINGLE_OK);
    await(t->world, t->world->bob, JINGLE_EVENT_VIDEO);
    assert_int_equal(jingle_session_refuse_video(t->world->bob->session), JINGLE_ERROR_STATE);
    await_both_hear(t->world);
    hang_up(t->world, t->world->alice);
}

static void test_video_comes_and_goes(void **state)
{
    struct theatre *t = *state;
    connect_video_call(t);
    for (int i = 0; i < 3; i++) {
        struct side *who = i % 2 ? t->world->alice : t->world->bob;
        struct side *other = i % 2 ? t->world->bob : t->world->alice;
        assert_int_equal(jingle_session_stop_video(who->session), JINGLE_OK);
        await_direction(t, other, false, false);
        await_direction(t, who, false, false);
        expect_no_pictures(t->world, &t->alice);
        await_both_hear(t->world);
        add_video(t, i != 1);
    }
    hang_up(t->world, t->world->alice);
}

static void test_both_add_video_at_once(void **state)
{
    struct theatre *t = *state;
    connect_call(t, NULL, NULL);
    assert_int_equal(start_video(t->world->alice, &t->alice, &t->alice_video), JINGLE_OK);
    assert_int_equal(start_video(t->world->bob, &t->bob, &t->bob_video), JINGLE_OK);
    await_colour(t->world, &t->alice, COLOUR_GREEN);
    await_colour(t->world, &t->bob, COLOUR_RED);
    hang_up(t->world, t->world->alice);
}

/* The text behind `name`, up to its closing quote. */
static char *attribute(const char *xml, const char *name)
{
    const char *begin = strstr(xml, name);
    if (!begin) {
        return NULL;
    }
    begin += strlen(name);
    char quote[] = {*begin, '\0'};
    return g_strndup(begin + 1, strcspn(begin + 1, quote));
}

/* Alice says that she asks for video, too, and that her wish goes on; and she never asks. */
static char *say_tie_break(struct world *world, struct side *from, const char *xml)
{
    char **asked = world->user;
    char *id = attribute(xml, " id=");
    char *answer = NULL;
    if (from == world->bob && strstr(xml, "content-add")) {
        g_free(*asked);
        *asked = g_strdup(id);
    } else if (from == world->alice && g_strcmp0(id, *asked) == 0) {
        answer = g_strdup_printf(
            "<iq xmlns='jabber:client' type='error' id='%s' from='" ALICE "' to='" BOB "'>"
            "<error type='cancel'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
            "<tie-break xmlns='urn:xmpp:jingle:errors:1'/></error></iq>",
            id);
    }
    g_free(id);
    return answer;
}

static void test_video_that_gave_way_to_an_offer_that_never_comes_is_refused(void **state)
{
    struct theatre *t = *state;
    char *asked = NULL;
    connect_call(t, NULL, NULL);
    t->world->rewrite = say_tie_break;
    t->world->user = &asked;
    assert_int_equal(start_video(t->world->bob, &t->bob, &t->bob_video), JINGLE_OK);
    await(t->world, t->world->bob, JINGLE_EVENT_VIDEO);
    assert_int_equal(t->world->bob->video_status, JINGLE_ERROR_REFUSED);
    assert_int_equal(atomic_load(&t->bob.sources_out), 0);
    await_both_hear(t->world);
    hang_up(t->world, t->world->alice);
    g_free(asked);
}

static char *remove_the_voice_instead(struct world *world, struct side *from, const char *xml)
{
    if (from != world->bob || !strstr(xml, "content-remove")) {
        return NULL;
    }
    GString *text = g_string_new(xml);
    g_string_replace(text, "name=\"video\"", "name=\"audio\"", 0);
    g_string_replace(text, "name='video'", "name='audio'", 0);
    return g_string_free(text, FALSE);
}

static void test_the_microphone_is_not_sent_to_who_took_the_voice_away(void **state)
{
    struct theatre *t = *state;
    struct side *bob = t->world->bob;
    connect_video_call(t);
    await_both_hear(t->world);
    t->world->rewrite = remove_the_voice_instead;
    assert_int_equal(jingle_session_stop_video(bob->session), JINGLE_OK);
    for (int i = 0; i == 0 || (i < 40 && bob->sound.loud > 0); i++) {
        sound_listen_anew(&bob->sound);
        await_frames(t->world, bob, 24000);
    }
    assert_int_equal(bob->sound.loud, 0);
    assert_int_equal(t->world->alice->count[JINGLE_EVENT_ENDED], 0);
    hang_up(t->world, t->world->alice);
}

/* ------------------------------------------------------------------------- hold, mute, direction
 */

static void test_hold_stops_pictures_both_ways(void **state)
{
    struct theatre *t = *state;
    connect_video_call(t);
    assert_int_equal(jingle_session_set_hold(t->world->bob->session, true), JINGLE_OK);
    await(t->world, t->world->alice, JINGLE_EVENT_HOLD);
    expect_no_pictures(t->world, &t->alice);
    expect_no_pictures(t->world, &t->bob);
    assert_false(atomic_load(&t->bob.source_started));
    assert_int_equal(jingle_session_set_hold(t->world->bob->session, false), JINGLE_OK);
    await_colour(t->world, &t->alice, COLOUR_GREEN);
    await_colour(t->world, &t->bob, COLOUR_RED);
    await_both_hear(t->world);
    hang_up(t->world, t->world->alice);
}

static void test_muted_pictures_are_not_sent_and_the_peer_is_told(void **state)
{
    struct theatre *t = *state;
    connect_video_call(t);
    assert_int_equal(jingle_session_set_video_mute(t->world->alice->session, true), JINGLE_OK);
    await(t->world, t->world->bob, JINGLE_EVENT_VIDEO_MUTE);
    assert_true(t->world->bob->video_muted);
    assert_int_equal(t->world->bob->count[JINGLE_EVENT_MUTE], 0);
    expect_no_pictures(t->world, &t->bob);
    await_pictures(t->world, &t->alice, 10);
    assert_int_equal(jingle_session_set_video_mute(t->world->alice->session, false), JINGLE_OK);
    await_times(t->world, t->world->bob, JINGLE_EVENT_VIDEO_MUTE, 2);
    await_colour(t->world, &t->bob, COLOUR_RED);
    hang_up(t->world, t->world->bob);
}

static void test_the_direction_changes(void **state)
{
    struct theatre *t = *state;
    connect_video_call(t);
    assert_int_equal(jingle_session_set_video_direction(t->world->bob->session, false, true),
                     JINGLE_OK);
    await_direction(t, t->world->bob, false, true);
    expect_no_pictures(t->world, &t->alice);
    await_pictures(t->world, &t->bob, 10);
    assert_int_equal(jingle_session_set_video_direction(t->world->bob->session, true, true),
                     JINGLE_OK);
    await_colour(t->world, &t->alice, COLOUR_GREEN);
    await_colour(t->world, &t->bob, COLOUR_RED);
    hang_up(t->world, t->world->bob);
}

/* --------------------------------------------------------------------------------- the sources */

static unsigned stanzas;

static char *count_stanza(struct world *world, struct side *from, const char *xml)
{
    (void)world;
    (void)from;
    stanzas += strstr(xml, "urn:xmpp:jingle:1") != NULL;
    return NULL;
}

static bool is_large(void *user)
{
    return atomic_load(&((struct pictures *)user)->seen_width) == 640;
}

static void test_the_camera_gives_way_to_the_screen_without_a_word(void **state)
{
    struct theatre *t = *state;
    connect_video_call(t);
    t->screen.width = 640;
    t->screen.height = 360;
    t->screen.source.is_screen = true;
    t->world->rewrite = count_stanza;
    stanzas = 0;
    atomic_fetch_add(&t->screen.sources_out, 1);
    assert_int_equal(jingle_session_set_video_source(t->world->alice->session, &t->screen.source),
                     JINGLE_OK);
    await_colour(t->world, &t->bob, COLOUR_BLUE);
    await_all(t->world, is_large, &t->bob);
    assert_int_equal(stanzas, 0);
    assert_int_equal(atomic_load(&t->alice.sources_out), 0);
    atomic_fetch_add(&t->alice.sources_out, 1);
    assert_int_equal(jingle_session_set_video_source(t->world->alice->session, &t->alice.source),
                     JINGLE_OK);
    await_colour(t->world, &t->bob, COLOUR_RED);
    hang_up(t->world, t->world->alice);
}

static void test_without_a_source_the_peer_sees_us_muted(void **state)
{
    struct theatre *t = *state;
    connect_video_call(t);
    assert_int_equal(jingle_session_set_video_source(t->world->alice->session, NULL), JINGLE_OK);
    await(t->world, t->world->bob, JINGLE_EVENT_VIDEO_MUTE);
    assert_true(t->world->bob->video_muted);
    expect_no_pictures(t->world, &t->bob);
    atomic_fetch_add(&t->screen.sources_out, 1);
    assert_int_equal(jingle_session_set_video_source(t->world->alice->session, &t->screen.source),
                     JINGLE_OK);
    await_colour(t->world, &t->bob, COLOUR_BLUE);
    assert_false(t->world->bob->video_muted);
    hang_up(t->world, t->world->alice);
}

static void test_a_camera_that_is_lost_comes_back(void **state)
{
    struct theatre *t = *state;
    connect_video_call(t);
    atomic_store(&t->alice.source_lost, true);
    await(t->world, t->world->alice, JINGLE_EVENT_VIDEO_DEVICE);
    assert_true(t->world->alice->video_device_lost);
    await_both_hear(t->world);
    assert_int_equal(t->world->alice->count[JINGLE_EVENT_VIDEO_DEVICE], 1);
    atomic_store(&t->alice.source_lost, false);
    await_times(t->world, t->world->alice, JINGLE_EVENT_VIDEO_DEVICE, 2);
    assert_false(t->world->alice->video_device_lost);
    await_colour(t->world, &t->bob, COLOUR_RED);
    hang_up(t->world, t->world->alice);
}

static void test_a_display_that_is_gone_ends_no_call(void **state)
{
    struct theatre *t = *state;
    connect_video_call(t);
    atomic_store(&t->alice.sink_lost, true);
    await(t->world, t->world->alice, JINGLE_EVENT_VIDEO_DEVICE);
    await_both_hear(t->world);
    atomic_store(&t->alice.sink_lost, false);
    await_colour(t->world, &t->alice, COLOUR_GREEN);
    await_times(t->world, t->world->alice, JINGLE_EVENT_VIDEO_DEVICE, 2);
    assert_false(t->world->alice->video_device_lost);
    hang_up(t->world, t->world->alice);
}

static void test_a_source_comes_to_its_end(void **state)
{
    struct theatre *t = *state;
    connect_video_call(t);
    atomic_store(&t->alice.frames_left, 5);
    await(t->world, t->world->alice, JINGLE_EVENT_VIDEO_SOURCE_ENDED);
    await_both_hear(t->world);
    hang_up(t->world, t->world->alice);
}

/* ----------------------------------------------------------------------- what is left of a call */

static void test_a_snapshot_has_their_picture(void **state)
{
    struct theatre *t = *state;
    char path[] = "/tmp/jingle-snapshot-XXXXXX";
    int fd = mkstemp(path);
    connect_call(t, NULL, NULL);
    assert_int_equal(jingle_session_snapshot(t->world->alice->session, path), JINGLE_ERROR_STATE);
    add_video(t, true);
    jingle_status status = jingle_session_snapshot(t->world->alice->session, path);
    if (status != JINGLE_ERROR_UNSUPPORTED) {
        uint8_t head[24];
        assert_int_equal(status, JINGLE_OK);
        FILE *file = fopen(path, "rb");
        assert_int_equal(fread(head, 1, sizeof head, file), sizeof head);
        fclose(file);
        assert_memory_equal(head, "\x89PNG", 4);
        assert_int_equal(head[18] << 8 | head[19], 320);
        assert_int_equal(head[22] << 8 | head[23], 180);
    }
    close(fd);
    unlink(path);
    hang_up(t->world, t->world->alice);
}

/* Where there is a program that can read it. */
static void check_recording(const char *path)
{
    char *program = g_find_program_in_path("ffprobe");
    char *command = g_strdup_printf("%s -v error -show_entries stream=codec_name,width "
                                    "-of csv=p=0 %s",
                                    program ? program : "", path);
    char *said = NULL;
    if (program && g_spawn_command_line_sync(command, &said, NULL, NULL, NULL)) {
        assert_non_null(strstr(said, "opus"));
        assert_non_null(strstr(said, "vp8,320"));
    }
    g_free(said);
    g_free(command);
    g_free(program);
}

static void test_a_call_is_recorded(void **state)
{
    struct theatre *t = *state;
    char path[] = "/tmp/jingle-recording-XXXXXX";
    close(mkstemp(path));
    connect_video_call(t);
    jingle_status status = jingle_session_record(t->world->alice->session, path);
    if (status == JINGLE_ERROR_UNSUPPORTED) {
        unlink(path);
        hang_up(t->world, t->world->alice);
        return;
    }
    assert_int_equal(status, JINGLE_OK);
    await_pictures(t->world, &t->alice, 60);
    hang_up(t->world, t->world->alice);
    check_recording(path);
    unlink(path);
}

/* ------------------------------------------------------------------------- without a bundle -- */

/* As Dino does it: what we say of a group never arrives. */
static char *remove_groups(struct world *world, struct side *from, const char *xml)
{
    (void)world;
    (void)from;
    const char *begin = strstr(xml, "<group ");
    const char *end = begin ? strstr(begin, "</group>") : NULL;
    if (!end) {
        return NULL;
    }
    return g_strdup_printf("%.*s%s", (int)(begin - xml), xml, end + strlen("</group>"));
}

static void test_video_has_a_way_of_its_own_without_a_bundle(void **state)
{
    struct theatre *t = *state;
    t->world->rewrite = remove_groups;
    connect_video_call(t);
    await_both_hear(t->world);
    assert_int_equal(jingle_session_stop_video(t->world->alice->session), JINGLE_OK);
    await_direction(t, t->world->bob, false, false);
    await_both_hear(t->world);
    add_video(t, false);
    hang_up(t->world, t->world->alice);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
#define THEATRE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
        THEATRE(test_a_call_begins_with_video),
        THEATRE(test_video_that_a_call_offers_cannot_be_stopped_before_the_answer),
        THEATRE(test_the_video_of_an_offer_is_refused),
        THEATRE(test_one_end_only_watches),
        THEATRE(test_the_caller_adds_video),
        THEATRE(test_the_one_called_adds_video),
        THEATRE(test_added_video_is_refused_and_offered_again),
        THEATRE(test_an_offer_is_taken_back),
        THEATRE(test_video_comes_and_goes),
        THEATRE(test_both_add_video_at_once),
        THEATRE(test_video_that_gave_way_to_an_offer_that_never_comes_is_refused),
        THEATRE(test_the_microphone_is_not_sent_to_who_took_the_voice_away),
        THEATRE(test_hold_stops_pictures_both_ways),
        THEATRE(test_muted_pictures_are_not_sent_and_the_peer_is_told),
        THEATRE(test_the_direction_changes),
        THEATRE(test_the_camera_gives_way_to_the_screen_without_a_word),
        THEATRE(test_without_a_source_the_peer_sees_us_muted),
        THEATRE(test_a_camera_that_is_lost_comes_back),
        THEATRE(test_a_display_that_is_gone_ends_no_call),
        THEATRE(test_a_source_comes_to_its_end),
        THEATRE(test_a_snapshot_has_their_picture),
        THEATRE(test_a_call_is_recorded),
        THEATRE(test_video_has_a_way_of_its_own_without_a_bundle),
#undef THEATRE
    };
    if (argc > 1) {
        cmocka_set_test_filter(argv[1]);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
