/* The public functions about video with nothing, with nonsense, and at the wrong time. */
#include <jingle/jingle.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Counts what is freed: whatever is handed over is freed exactly once. */
struct pictures {
    jingle_video_source source;
    jingle_video_sink sink;
    jingle_video_sink self_view;
    unsigned sources_freed;
    unsigned sinks_freed;
};

static long read_nothing(void *user, jingle_picture *picture, int64_t timeout)
{
    (void)user;
    (void)picture;
    (void)timeout;
    return 0;
}

static jingle_status write_nothing(void *user, const jingle_picture *picture)
{
    (void)user;
    (void)picture;
    return JINGLE_OK;
}

static void free_source(void *user)
{
    ((struct pictures *)user)->sources_freed++;
}

static void free_sink(void *user)
{
    ((struct pictures *)user)->sinks_freed++;
}

static jingle_video_config config_with(struct pictures *p)
{
    jingle_video_config config;
    *p = (struct pictures){
        .source = {.size = sizeof p->source, .user = p, .read = read_nothing, .free = free_source},
        .sink = {.size = sizeof p->sink, .user = p, .write = write_nothing, .free = free_sink},
    };
    p->self_view = p->sink;
    jingle_video_config_init(&config);
    config.source = &p->source;
    config.sink = &p->sink;
    config.self_view = &p->self_view;
    return config;
}

static jingle_client *make_client(void)
{
    jingle_client_config config;
    jingle_client *client;
    jingle_client_config_init(&config);
    config.jid = "alice@example.test";
    assert_int_equal(jingle_client_new_external(&config, &client), JINGLE_OK);
    return client;
}

/* What starting a call with this video is answered with, without a server. */
static jingle_status start(const jingle_video_config *video)
{
    jingle_client *client = make_client();
    jingle_session_config config;
    jingle_session *session;
    jingle_session_config_init(&config);
    config.source = jingle_audio_source_silence(NULL);
    config.sink = jingle_audio_sink_null(NULL);
    config.video = video;
    jingle_status status = jingle_session_start(client, "bob@example.test", &config, &session);
    assert_null(session);
    jingle_client_free(client);
    return status;
}

static void test_video_functions_take_nothing_for_an_answer(void **state)
{
    struct pictures p;
    (void)state;
    jingle_video_config config = config_with(&p);
    jingle_video_config_init(NULL);
    assert_int_equal(jingle_session_start_video(NULL, NULL), JINGLE_ERROR_INVALID);
    assert_int_equal(jingle_session_start_video(NULL, &config), JINGLE_ERROR_INVALID);
    assert_int_equal(p.sources_freed, 1);
    assert_int_equal(p.sinks_freed, 2);
    assert_int_equal(jingle_session_stop_video(NULL), JINGLE_ERROR_INVALID);
    assert_int_equal(jingle_session_refuse_video(NULL), JINGLE_ERROR_INVALID);
    assert_int_equal(jingle_session_set_video_mute(NULL, true), JINGLE_ERROR_INVALID);
    assert_int_equal(jingle_session_set_video_direction(NULL, true, true), JINGLE_ERROR_INVALID);
    assert_int_equal(jingle_session_record(NULL, "/tmp/x.webm"), JINGLE_ERROR_INVALID);
    assert_int_equal(jingle_session_snapshot(NULL, "/tmp/x.png"), JINGLE_ERROR_INVALID);
    config = config_with(&p);
    assert_int_equal(jingle_session_set_video_source(NULL, &p.source), JINGLE_ERROR_INVALID);
    assert_int_equal(p.sources_freed, 1);
    p.source.read = NULL;
    assert_int_equal(jingle_session_set_video_source(NULL, &p.source), JINGLE_ERROR_INVALID);
    assert_int_equal(p.sources_freed, 2);
}

static void test_pictures_are_freed_once_when_a_call_does_not_begin(void **state)
{
    struct pictures p;
    (void)state;
    jingle_video_config config = config_with(&p);
    assert_int_equal(start(&config), JINGLE_ERROR_OFFLINE);
    assert_int_equal(p.sources_freed, 1);
    assert_int_equal(p.sinks_freed, 2);
}

static void expect_nonsense(struct pictures *p, const jingle_video_config *config)
{
    assert_int_equal(start(config), JINGLE_ERROR_INVALID);
    assert_int_equal(p->sources_freed, 1);
    assert_int_equal(p->sinks_freed, 2);
}

static void test_nonsense_is_refused_and_freed(void **state)
{
    struct pictures p;
    (void)state;
    jingle_video_config config = config_with(&p);
    config.bitrate = 29999;
    expect_nonsense(&p, &config);
    config = config_with(&p);
    config.codec = "H264";
    expect_nonsense(&p, &config);
    config = config_with(&p);
    config.width = 100000;
    expect_nonsense(&p, &config);
    config = config_with(&p);
    config.frame_rate = 1000;
    expect_nonsense(&p, &config);
    config = config_with(&p);
    p.source.read = NULL;
    expect_nonsense(&p, &config);
}

static void test_a_config_without_a_size_is_not_believed(void **state)
{
    struct pictures p;
    (void)state;
    jingle_video_config config = config_with(&p);
    config.size = 0;
    assert_int_equal(start(&config), JINGLE_ERROR_INVALID);
    assert_int_equal(p.sources_freed, 0);
    assert_int_equal(p.sinks_freed, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_video_functions_take_nothing_for_an_answer),
        cmocka_unit_test(test_pictures_are_freed_once_when_a_call_does_not_begin),
        cmocka_unit_test(test_nonsense_is_refused_and_freed),
        cmocka_unit_test(test_a_config_without_a_size_is_not_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
