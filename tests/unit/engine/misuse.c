/* Every public function with nothing, with nonsense, and at the wrong time. */
#include <jingle/jingle.h>

#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Counts what is freed: whatever is handed over is freed exactly once. */
struct sound {
    jingle_audio_source source;
    jingle_audio_sink sink;
    unsigned sources_freed;
    unsigned sinks_freed;
};

static long read_nothing(void *user, int16_t *samples, size_t frames)
{
    (void)user;
    (void)samples;
    (void)frames;
    return 0;
}

static void write_nothing(void *user, const int16_t *samples, size_t frames)
{
    (void)user;
    (void)samples;
    (void)frames;
}

static void free_source(void *user)
{
    ((struct sound *)user)->sources_freed++;
}

static void free_sink(void *user)
{
    ((struct sound *)user)->sinks_freed++;
}

static jingle_session_config config_with(struct sound *sound)
{
    jingle_session_config config;
    *sound = (struct sound){
        .source = {.size = sizeof sound->source, .read = read_nothing, .free = free_source},
        .sink = {.size = sizeof sound->sink, .write = write_nothing, .free = free_sink},
    };
    sound->source.user = sound;
    sound->sink.user = sound;
    jingle_session_config_init(&config);
    config.source = &sound->source;
    config.sink = &sound->sink;
    return config;
}

static jingle_client_config sane_config(void)
{
    jingle_client_config config;
    jingle_client_config_init(&config);
    config.jid = "romeo@example.test";
    config.password = "secret";
    config.media_threads = 1;
    return config;
}

static jingle_client *external_client(void)
{
    jingle_client_config config = sane_config();
    jingle_client *client;
    assert_int_equal(jingle_client_new_external(&config, &client), JINGLE_OK);
    return client;
}

/* -------------------------------------------------------------------------------- nothing -- */

static void wake(void *user)
{
    (void)user;
}

static void test_client_functions_take_nothing_for_an_answer(void **state)
{
    (void)state;
    jingle_contact *contacts = (jingle_contact *)state;
    size_t count = 7;
    jingle_client_config_init(NULL);
    assert_int_equal(jingle_client_new(NULL, NULL), JINGLE_ERROR_INVALID);
    assert_int_equal(jingle_client_new_external(NULL, NULL), JINGLE_ERROR_INVALID);
    jingle_client_free(NULL);
    assert_int_equal(jingle_client_connect(NULL), JINGLE_ERROR_INVALID);
    assert_int_equal(jingle_client_disconnect(NULL), JINGLE_ERROR_INVALID);
    assert_string_equal(jingle_client_jid(NULL), "");
    assert_int_equal(jingle_client_external_online(NULL, "a@b/c", false), JINGLE_ERROR_INVALID);
    assert_int_equal(jingle_client_external_offline(NULL), JINGLE_ERROR_INVALID);
    assert_null(jingle_client_features(NULL)[0]);
    assert_int_equal(jingle_client_receive(NULL, "<iq/>", 5), JINGLE_ERROR_INVALID);
    assert_int_equal(jingle_client_fd(NULL), -1);
    assert_null(jingle_client_next_event(NULL));
    assert_null(jingle_client_wait(NULL, -1));
    jingle_client_set_wakeup(NULL, wake, NULL);
    assert_int_equal(jingle_client_contacts(NULL, &contacts, &count), JINGLE_ERROR_INVALID);
    assert_null(contacts);
    assert_int_equal(count, 0);
    jingle_contacts_free(NULL, 0);
    assert_int_equal(jingle_client_contact_add(NULL, "a@b", NULL), JINGLE_ERROR_INVALID);
    assert_int_equal(jingle_client_contact_remove(NULL, "a@b"), JINGLE_ERROR_INVALID);
    assert_int_equal(jingle_client_check(NULL), JINGLE_ERROR_INVALID);
}

static void test_session_functions_take_nothing_for_an_answer(void **state)
{
    (void)state;
    jingle_statistics statistics = {.size = sizeof statistics};
    jingle_session_config_init(NULL);
    assert_int_equal(jingle_session_start(NULL, NULL, NULL, NULL), JINGLE_ERROR_INVALID);
    assert_int_equal(jingle_session_accept(NULL, NULL), JINGLE_ERROR_INVALID);
    assert_int_equal(jingle_session_reject(NULL, JINGLE_REASON_BUSY), JINGLE_ERROR_INVALID);
    assert_int_equal(jingle_session_end(NULL), JINGLE_ERROR_INVALID);
    assert_int_equal(jingle_session_set_mute(NULL, true), JINGLE_ERROR_INVALID);
    assert_int_equal(jingle_session_set_hold(NULL, true), JINGLE_ERROR_INVALID);
    assert_int_equal(jingle_session_send_digits(NULL, "1"), JINGLE_ERROR_INVALID);
    assert_int_equal(jingle_session_statistics(NULL, &statistics), JINGLE_ERROR_INVALID);
    assert_string_equal(jingle_session_peer(NULL), "");
    assert_string_equal(jingle_session_id(NULL), "");
    jingle_session_set_user(NULL, NULL);
    assert_null(jingle_session_user(NULL));
    assert_null(jingle_session_ref(NULL));
    jingle_session_unref(NULL);
}

static void test_sound_functions_take_nothing_for_an_answer(void **state)
{
    (void)state;
    jingle_status status = JINGLE_OK;
    jingle_audio_source_free(NULL);
    jingle_audio_sink_free(NULL);
    assert_null(jingle_audio_source_file(NULL, false, &status));
    assert_int_not_equal(status, JINGLE_OK);
    assert_null(jingle_audio_sink_file(NULL, NULL));
    status = JINGLE_OK;
    assert_null(jingle_audio_sink_tee(NULL, NULL, &status));
    assert_int_not_equal(status, JINGLE_OK);
    assert_true(jingle_audio_devices(NULL, NULL) < 0);
    jingle_audio_devices_free(NULL, 0);
}

static void test_every_number_has_a_sentence(void **state)
{
    (void)state;
    for (int i = -100; i < 100; i++) {
        assert_true(*jingle_strerror((jingle_status)i));
        assert_true(*jingle_reason_sentence((jingle_reason)i));
        assert_true(*jingle_reason_name((jingle_reason)i));
    }
}

/* ------------------------------------------------------------------------------- nonsense -- */

static void refuse(const jingle_client_config *config, jingle_status status)
{
    jingle_client *client = (jingle_client *)config;
    assert_int_equal(jingle_client_new(config, &client), status);
    assert_null(client);
}

static void test_a_client_is_not_made_of_nonsense(void **state)
{
    (void)state;
    jingle_client_config config = sane_config();
    jingle_ice_server servers[9] = {{.uri = "stun:example.org"}};
    config.jid = NULL;
    refuse(&config, JINGLE_ERROR_INVALID);
    config.jid = "not a jid@";
    refuse(&config, JINGLE_ERROR_JID);
    config.jid = "a\xff@example.test";
    refuse(&config, JINGLE_ERROR_INVALID);
    config = sane_config();
    config.password = NULL;
    refuse(&config, JINGLE_ERROR_INVALID);
    config = sane_config();
    config.size = 0;
    refuse(&config, JINGLE_ERROR_INVALID);
    config = sane_config();
    config.ring_timeout = -1;
    refuse(&config, JINGLE_ERROR_INVALID);
    config = sane_config();
    config.tls = (jingle_tls)17;
    refuse(&config, JINGLE_ERROR_INVALID);
    config = sane_config();
    config.ice_server_count = 1;
    refuse(&config, JINGLE_ERROR_INVALID);
    config.ice_servers = servers;
    config.ice_server_count = 9;
    refuse(&config, JINGLE_ERROR_LIMIT);
    config.ice_server_count = 2; /* the second has no URI */
    refuse(&config, JINGLE_ERROR_INVALID);
    servers[1].uri = "stuns:example.org";
    refuse(&config, JINGLE_ERROR_UNSUPPORTED);
    refuse(NULL, JINGLE_ERROR_INVALID);
    assert_int_equal(jingle_client_new(&config, NULL), JINGLE_ERROR_INVALID);
}

static void test_an_older_program_has_a_shorter_config(void **state)
{
    (void)state;
    jingle_client_config config = sane_config();
    jingle_client *client;
    config.size = offsetof(jingle_client_config, host);
    memset((char *)&config + config.size, 0x7f, sizeof config - config.size);
    assert_int_equal(jingle_client_new(&config, &client), JINGLE_OK);
    jingle_client_free(client);
    config.size = offsetof(jingle_client_config, jid);
    refuse(&config, JINGLE_ERROR_INVALID);
}

static void test_a_newer_program_has_a_longer_config(void **state)
{
    (void)state;
    struct {
        jingle_client_config config;
        char more[256];
    } newer = {.config = sane_config()};
    jingle_client *client;
    memset(newer.more, 0x7f, sizeof newer.more);
    newer.config.size = sizeof newer;
    assert_int_equal(jingle_client_new(&newer.config, &client), JINGLE_OK);
    jingle_client_free(client);
}

static void test_a_client_is_freed_at_once_or_after_nothing_but_questions(void **state)
{
    (void)state;
    jingle_client_config config = sane_config();
    jingle_contact *contacts;
    size_t count;
    jingle_client *client;
    assert_int_equal(jingle_client_new(&config, &client), JINGLE_OK);
    jingle_client_free(client);
    assert_int_equal(jingle_client_new(&config, &client), JINGLE_OK);
    assert_string_equal(jingle_client_jid(client), "");
    assert_int_equal(jingle_client_contacts(client, &contacts, &count), JINGLE_OK);
    assert_int_equal(count, 0);
    jingle_contacts_free(contacts, count);
    assert_int_equal(jingle_client_disconnect(client), JINGLE_OK);
    assert_int_equal(jingle_client_external_offline(client), JINGLE_ERROR_INVALID);
    assert_int_equal(jingle_client_external_online(client, "romeo@example.test/x", false),
                     JINGLE_ERROR_INVALID);
    jingle_client_free(client);
}

static void test_what_needs_a_server_says_that_there_is_none(void **state)
{
    (void)state;
    jingle_client *client = external_client();
    assert_int_equal(jingle_client_check(client), JINGLE_ERROR_OFFLINE);
    assert_int_equal(jingle_client_contact_add(client, "a@b", NULL), JINGLE_ERROR_OFFLINE);
    assert_int_equal(jingle_client_contact_add(client, "@", NULL), JINGLE_ERROR_JID);
    assert_int_equal(jingle_client_contact_add(client, "a@b", "\xff"), JINGLE_ERROR_INVALID);
    assert_int_equal(jingle_client_contact_remove(client, NULL), JINGLE_ERROR_INVALID);
    assert_int_equal(jingle_client_connect(client), JINGLE_ERROR_INVALID);
    jingle_client_free(client);
}

static void test_an_external_stream_is_one_of_the_account(void **state)
{
    (void)state;
    jingle_client *client = external_client();
    assert_int_equal(jingle_client_external_online(client, NULL, false), JINGLE_ERROR_INVALID);
    assert_int_equal(jingle_client_external_online(client, "romeo@example.test", false),
                     JINGLE_ERROR_JID);
    assert_int_equal(jingle_client_external_online(client, "tybalt@example.test/x", false),
                     JINGLE_ERROR_JID);
    assert_int_equal(jingle_client_external_online(client, "Romeo@example.test/x", false),
                     JINGLE_OK);
    assert_int_equal(jingle_client_external_offline(client), JINGLE_OK);
    assert_int_equal(jingle_client_external_offline(client), JINGLE_OK);
    jingle_client_free(client);
}

static void test_stanzas_that_are_none_are_refused(void **state)
{
    (void)state;
    static const char *const table[] = {"", "x", "<", "<iq", "<iq>", "<iq></message>", "<iq/>x"};
    jingle_client *client = external_client();
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        assert_int_equal(jingle_client_receive(client, table[i], strlen(table[i])),
                         JINGLE_ERROR_INVALID);
    }
    assert_int_equal(jingle_client_receive(client, NULL, 5), JINGLE_ERROR_INVALID);
    assert_int_equal(jingle_client_receive(client, "<x xmlns='y'/>", 14), 0);
    jingle_client_free(client);
}

/* -------------------------------------------------------------------- whose is the sound? -- */

static void start(jingle_client *client, const char *to, jingle_session_config *config,
                  struct sound *sound, jingle_status status)
{
    jingle_session *session = (jingle_session *)config;
    assert_int_equal(jingle_session_start(client, to, config, &session), status);
    assert_null(session);
    assert_int_equal(sound->sources_freed, 1);
    assert_int_equal(sound->sinks_freed, 1);
    *config = config_with(sound);
}

static void test_sound_is_freed_once_when_a_call_does_not_begin(void **state)
{
    (void)state;
    jingle_client *client = external_client();
    struct sound sound;
    jingle_session_config config = config_with(&sound);
    start(client, "juliet@example.test", &config, &sound, JINGLE_ERROR_OFFLINE);
    start(client, "not a jid@", &config, &sound, JINGLE_ERROR_JID);
    start(client, NULL, &config, &sound, JINGLE_ERROR_INVALID);
    start(NULL, "juliet@example.test", &config, &sound, JINGLE_ERROR_INVALID);
    config.codec = "G729";
    start(client, "juliet@example.test", &config, &sound, JINGLE_ERROR_INVALID);
    config.bitrate = 100;
    start(client, "juliet@example.test", &config, &sound, JINGLE_ERROR_INVALID);
    config.channels = 3;
    start(client, "juliet@example.test", &config, &sound, JINGLE_ERROR_INVALID);
    config.ptime = 33;
    start(client, "juliet@example.test", &config, &sound, JINGLE_ERROR_INVALID);
    assert_int_equal(jingle_session_start(client, "juliet@example.test", &config, NULL),
                     JINGLE_ERROR_INVALID);
    assert_int_equal(sound.sources_freed, 1);
    assert_int_equal(sound.sinks_freed, 1);
    config = config_with(&sound);
    assert_int_equal(jingle_session_accept(NULL, &config), JINGLE_ERROR_INVALID);
    assert_int_equal(sound.sources_freed, 1);
    assert_int_equal(sound.sinks_freed, 1);
    jingle_client_free(client);
}

static void test_a_source_that_cannot_be_read_is_refused_at_once(void **state)
{
    (void)state;
    jingle_client *client = external_client();
    struct sound sound;
    jingle_session_config config = config_with(&sound);
    sound.source.read = NULL;
    start(client, "juliet@example.test", &config, &sound, JINGLE_ERROR_INVALID);
    sound.sink.write = NULL;
    start(client, "juliet@example.test", &config, &sound, JINGLE_ERROR_INVALID);
    sound.source.size = 0;
    start(client, "juliet@example.test", &config, &sound, JINGLE_ERROR_INVALID);
    jingle_client_free(client);
}

static void test_a_config_without_a_size_is_not_believed(void **state)
{
    (void)state;
    jingle_client *client = external_client();
    struct sound sound;
    jingle_session *session;
    jingle_session_config config = config_with(&sound);
    config.size = 0;
    assert_int_equal(jingle_session_start(client, "juliet@example.test", &config, &session),
                     JINGLE_ERROR_INVALID);
    assert_int_equal(sound.sources_freed, 0);
    jingle_client_free(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_client_functions_take_nothing_for_an_answer),
        cmocka_unit_test(test_session_functions_take_nothing_for_an_answer),
        cmocka_unit_test(test_sound_functions_take_nothing_for_an_answer),
        cmocka_unit_test(test_every_number_has_a_sentence),
        cmocka_unit_test(test_a_client_is_not_made_of_nonsense),
        cmocka_unit_test(test_an_older_program_has_a_shorter_config),
        cmocka_unit_test(test_a_newer_program_has_a_longer_config),
        cmocka_unit_test(test_a_client_is_freed_at_once_or_after_nothing_but_questions),
        cmocka_unit_test(test_what_needs_a_server_says_that_there_is_none),
        cmocka_unit_test(test_an_external_stream_is_one_of_the_account),
        cmocka_unit_test(test_stanzas_that_are_none_are_refused),
        cmocka_unit_test(test_sound_is_freed_once_when_a_call_does_not_begin),
        cmocka_unit_test(test_a_source_that_cannot_be_read_is_refused_at_once),
        cmocka_unit_test(test_a_config_without_a_size_is_not_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
