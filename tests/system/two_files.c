/* Files between two whole clients in one process: real threads, disks and sockets over the loopback
 * interface; only the XMPP server is a switchboard (tests/support). */
#include "base/clock.h"
#include "support/switchboard.h"
#include "unit/transfer/folder.h"

#include <jingle/jingle.h>

#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define PATIENCE  (30 * USEC_PER_SEC)
#define ALICE     "alice@example.test/desk"
#define BOB       "bob@example.test/phone"
#define FILES_MAX 4
#define SLOW      (64 * 1024) /* bytes/s */
#define BIG       (3 * 1024 * 1024 + 17)

/* What became of a transfer. */
struct course {
    jingle_transfer *transfer;
    bool started;
    bool ended;
    jingle_status status;
    jingle_party by;
    char *path;
    jingle_transfer_statistics statistics;
};

struct side {
    jingle_client *client;
    unsigned count[JINGLE_EVENT_TRANSFER_ENDED + 1]; /* events by type */
    struct course courses[FILES_MAX];                /* in the order of offers */
    unsigned course_count;
    char name[256]; /* of the last offer */
    char media_type[64];
    char description[64];
    uint64_t bytes;
    unsigned index, offered_together;
};

struct world {
    struct switchboard *board;
    struct side alice, bob;
    char *(*rewrite)(struct world *world, const char *xml); /* of what Bob sends; NULL: nothing */
    bool accepted;                                          /* Bob has sent session-accept */
};

/* ------------------------------------------------------------------------------- the world -- */

static struct course *add_course(struct side *side, jingle_transfer *transfer)
{
    assert_true(side->course_count < FILES_MAX);
    struct course *course = &side->courses[side->course_count++];
    course->transfer = transfer;
    return course;
}

static struct course *course_of(struct side *side, const jingle_transfer *transfer)
{
    for (unsigned i = 0; i < side->course_count; i++) {
        if (side->courses[i].transfer == transfer) {
            return &side->courses[i];
        }
    }
    fail_msg("an event of a transfer that nobody knows");
    return NULL;
}

static void take_offer(struct side *side, const jingle_event *event)
{
    add_course(side, jingle_transfer_ref(event->transfer));
    g_strlcpy(side->name, event->u.file.name, sizeof side->name);
    g_strlcpy(side->media_type, event->u.file.media_type, sizeof side->media_type);
    g_strlcpy(side->description, event->u.file.description, sizeof side->description);
    side->bytes = event->u.file.bytes;
    side->index = event->u.file.index;
    side->offered_together = event->u.file.count;
    assert_string_equal(event->u.file.name, jingle_transfer_name(event->transfer));
    assert_true(event->u.file.on_roster);
}

static void take_end(struct side *side, const jingle_event *event)
{
    struct course *course = course_of(side, event->transfer);
    assert_false(course->ended);
    course->ended = true;
    course->status = event->status;
    course->by = event->u.transfer_ended.by;
    course->path = g_strdup(event->u.transfer_ended.path);
    course->statistics = event->u.transfer_ended.statistics;
    if (g_getenv("JINGLE_TEST_LOG")) {
        g_printerr("ended %d: %s\n", event->status, event->text);
    }
}

static void take_event(void *user, jingle_client *client, const jingle_event *event)
{
    struct world *world = user;
    struct side *side = client == world->alice.client ? &world->alice : &world->bob;
    side->count[event->type]++;
    assert_non_null(event->text);
    switch (event->type) {
    case JINGLE_EVENT_FILE_OFFERED:
    case JINGLE_EVENT_FILE_REQUESTED:
        take_offer(side, event);
        break;
    case JINGLE_EVENT_TRANSFER_STARTED:
        assert_false(course_of(side, event->transfer)->started);
        course_of(side, event->transfer)->started = true;
        break;
    case JINGLE_EVENT_TRANSFER_PROGRESS:
        assert_true(event->u.transfer.bytes_done <= event->u.transfer.bytes_total);
        break;
    case JINGLE_EVENT_TRANSFER_ENDED:
        take_end(side, event);
        break;
    default:
        break;
    }
}

static void print_log(void *user, jingle_log_level level, const char *line)
{
    g_printerr("%s %d: %s\n", (const char *)user, (int)level, line);
}

static void make_client(struct side *side, const char *jid, bool take)
{
    jingle_client_config config;
    jingle_client_config_init(&config);
    config.jid = jid;
    config.lab_loopback = true;
    config.take_files = take;
    config.log = print_log;
    config.log_user = (void *)jid;
    config.log_level = g_getenv("JINGLE_TEST_LOG") ? JINGLE_LOG_DEBUG : JINGLE_LOG_ERROR;
    assert_int_equal(jingle_client_new_external(&config, &side->client), JINGLE_OK);
}

static char *rewrite_stanza(void *user, jingle_client *from, const char *xml)
{
    struct world *world = user;
    if (from != world->bob.client || !strstr(xml, "session-accept")) {
        return NULL;
    }
    world->accepted = true;
    return world->rewrite ? world->rewrite(world, xml) : NULL;
}

static struct world *world_new(bool bob_takes_files)
{
    struct world *world = g_new0(struct world, 1);
    struct switchboard_hooks hooks = {
        .user = world, .event = take_event, .rewrite = rewrite_stanza};
    world->board = switchboard_new(&hooks);
    make_client(&world->alice, ALICE, true);
    make_client(&world->bob, BOB, bob_takes_files);
    switchboard_add(world->board, world->alice.client, ALICE, false);
    switchboard_add(world->board, world->bob.client, BOB, false);
    return world;
}

static int set_up(void **state)
{
    *state = world_new(true);
    return 0;
}

static int set_up_without_files(void **state)
{
    *state = world_new(false);
    return 0;
}

/* Handles outlive their client on purpose: see jingle_client_free(). */
static void end_side(struct side *side)
{
    jingle_client_free(side->client);
    for (unsigned i = 0; i < side->course_count; i++) {
        assert_int_equal(jingle_transfer_cancel(side->courses[i].transfer), JINGLE_ERROR_STATE);
        jingle_transfer_unref(side->courses[i].transfer);
        g_free(side->courses[i].path);
    }
}

static int tear_down(void **state)
{
    struct world *world = *state;
    end_side(&world->alice);
    end_side(&world->bob);
    switchboard_free(world->board);
    g_free(world);
    folder_empty();
    return 0;
}

/* ------------------------------------------------------------------------------- waiting -- */

struct wanted {
    const unsigned *count;
    unsigned times;
};

static bool has_come(void *user)
{
    const struct wanted *wanted = user;
    return *wanted->count >= wanted->times;
}

static void await_times(struct world *world, struct side *side, jingle_event_type type,
                        unsigned times)
{
    struct wanted wanted = {&side->count[type], times};
    assert_true(switchboard_run(world->board, has_come, &wanted, PATIENCE));
}

static void await(struct world *world, struct side *side, jingle_event_type type)
{
    await_times(world, side, type, 1);
}

static void await_ends(struct world *world, unsigned times)
{
    await_times(world, &world->alice, JINGLE_EVENT_TRANSFER_ENDED, times);
    await_times(world, &world->bob, JINGLE_EVENT_TRANSFER_ENDED, times);
}

/* Bob has bytes for certain. */
static bool bob_has_some(void *user)
{
    struct world *world = user;
    jingle_transfer_statistics statistics = {.size = sizeof statistics};
    struct course *course = &world->bob.courses[world->bob.course_count - 1];
    assert_int_equal(jingle_transfer_get_statistics(course->transfer, &statistics), JINGLE_OK);
    return statistics.bytes_done > 0;
}

/* ----------------------------------------------------------------------------- their files -- */

static uint8_t *make_bytes(size_t size)
{
    uint8_t *bytes = g_malloc(size + 1);
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(i * 7 + i / 251);
    }
    return bytes;
}

static jingle_file_source path_source(const char *name, size_t size)
{
    jingle_file_source source;
    uint8_t *bytes = make_bytes(size);
    jingle_file_source_init(&source);
    source.path = folder_write(name, bytes, size);
    g_free(bytes);
    return source;
}

static void offer(struct world *world, const jingle_file_source *sources, size_t count,
                  const jingle_transfer_config *config)
{
    jingle_transfer *transfers[FILES_MAX];
    assert_int_equal(jingle_transfer_offer(world->alice.client, "bob@example.test", sources, count,
                                           config, transfers),
                     JINGLE_OK);
    for (size_t i = 0; i < count; i++) {
        add_course(&world->alice, transfers[i]);
    }
}

static void offer_and_await(struct world *world, const jingle_file_source *source,
                            const jingle_transfer_config *config)
{
    unsigned before = world->bob.count[JINGLE_EVENT_FILE_OFFERED];
    offer(world, source, 1, config);
    await_times(world, &world->bob, JINGLE_EVENT_FILE_OFFERED, before + 1);
}

static jingle_file_sink folder_sink(void)
{
    jingle_file_sink sink;
    jingle_file_sink_init(&sink);
    sink.folder = folder_path("");
    return sink;
}

static jingle_transfer *bobs(struct world *world)
{
    return world->bob.courses[world->bob.course_count - 1].transfer;
}

static void accept(struct world *world, const jingle_file_sink *sink)
{
    assert_int_equal(jingle_transfer_accept(bobs(world), sink), JINGLE_OK);
}

static void assert_bytes(const void *bytes, size_t size, size_t wanted)
{
    uint8_t *same = make_bytes(wanted);
    assert_int_equal(size, wanted);
    assert_memory_equal(bytes, same, wanted);
    g_free(same);
}

static void assert_file(const char *path, size_t wanted)
{
    char *bytes;
    gsize size;
    assert_true(g_file_get_contents(path, &bytes, &size, NULL));
    assert_bytes(bytes, size, wanted);
    g_free(bytes);
}

static void assert_ended(const struct course *course, jingle_status status, jingle_party by)
{
    assert_true(course->ended);
    assert_int_equal(course->status, status);
    assert_int_equal(course->by, by);
}

static void assert_both_ended(struct world *world, jingle_status alice, jingle_status bob)
{
    assert_int_equal(world->alice.courses[0].status, alice);
    assert_int_equal(world->bob.courses[0].status, bob);
}

/* Functions of an application, and what they were asked for. */
struct application {
    uint8_t *bytes;
    size_t size;
    size_t fails_at; /* cannot be read or written from here on */
    GByteArray *received;
    _Atomic unsigned freed;
    _Atomic unsigned done;
    _Atomic bool whole;
};

static int64_t app_read(void *user, uint64_t offset, void *bytes, size_t count)
{
    struct application *app = user;
    if (offset + count > app->fails_at) {
        return -1;
    }
    count = MIN(count, app->size - (size_t)offset);
    memcpy(bytes, app->bytes + offset, count);
    return (int64_t)count;
}

static bool app_write(void *user, const void *bytes, size_t count)
{
    struct application *app = user;
    if (app->received->len + count > app->fails_at) {
        return false;
    }
    g_byte_array_append(app->received, bytes, (guint)count);
    return true;
}

static void app_free(void *user)
{
    atomic_fetch_add(&((struct application *)user)->freed, 1);
}

static void app_done(void *user, bool whole)
{
    struct application *app = user;
    atomic_fetch_add(&app->done, 1);
    atomic_store(&app->whole, whole);
}

static void app_make(struct application *app, size_t size)
{
    *app = (struct application){.bytes = make_bytes(size), .size = size, .fails_at = SIZE_MAX};
    app->received = g_byte_array_new();
}

static void app_clear(struct application *app)
{
    g_free(app->bytes);
    g_byte_array_unref(app->received);
}

static jingle_file_source app_source(struct application *app)
{
    jingle_file_source source;
    jingle_file_source_init(&source);
    source.read = app_read;
    source.bytes = app->size;
    source.free = app_free;
    source.user = app;
    source.name = "made.bin";
    return source;
}

static jingle_file_sink app_sink(struct application *app)
{
    jingle_file_sink sink;
    jingle_file_sink_init(&sink);
    sink.write = app_write;
    sink.done = app_done;
    sink.user = app;
    return sink;
}

/* -------------------------------------------------------------------------------- stories -- */

static void test_a_file_goes_from_disk_to_disk(void **state)
{
    struct world *world = *state;
    jingle_file_source source = path_source("photo.png", BIG);
    jingle_file_sink sink = folder_sink();
    source.description = "a photo";
    offer_and_await(world, &source, NULL);
    assert_string_equal(world->bob.name, "photo.png");
    assert_string_equal(world->bob.media_type, "image/png");
    assert_string_equal(world->bob.description, "a photo");
    assert_int_equal(world->bob.bytes, BIG);
    accept(world, &sink);
    await_ends(world, 1);
    assert_both_ended(world, JINGLE_OK, JINGLE_OK);
    const struct course *sent = &world->alice.courses[0];
    const struct course *came = &world->bob.courses[0];
    assert_true(sent->started && came->started);
    assert_true(g_str_has_suffix(came->path, "/photo (1).png"));
    assert_file(came->path, BIG);
    assert_string_equal(sent->path, "");
    assert_int_equal(came->statistics.way, JINGLE_WAY_DIRECT);
    assert_int_equal(sent->statistics.way, JINGLE_WAY_DIRECT);
    assert_int_equal(came->statistics.hash, JINGLE_HASH_EQUAL);
    assert_int_equal(sent->statistics.hash, JINGLE_HASH_EQUAL);
    assert_int_equal(came->statistics.bytes_done, BIG);
    assert_string_equal(jingle_transfer_id(sent->transfer), jingle_transfer_id(came->transfer));
    assert_string_equal(jingle_transfer_peer(sent->transfer), BOB);
    assert_string_equal(jingle_transfer_peer(came->transfer), ALICE);
    assert_true(jingle_transfer_is_sending(sent->transfer));
    assert_false(jingle_transfer_is_sending(came->transfer));
    assert_int_equal(folder_count(".jingle-part"), 0);
    assert_int_equal(folder_count(".jingle-info"), 0);
}

static void send_whole(struct world *world, size_t size)
{
    jingle_file_source source = path_source("some.bin", size);
    jingle_file_sink sink;
    size_t got;
    unsigned number = world->bob.course_count;
    jingle_file_sink_init(&sink);
    sink.memory_limit = size + 1;
    offer_and_await(world, &source, NULL);
    assert_null(jingle_transfer_memory(bobs(world), &got));
    accept(world, &sink);
    await_ends(world, number + 1);
    assert_ended(&world->bob.courses[number], JINGLE_OK, JINGLE_PARTY_LOCAL);
    const void *memory = jingle_transfer_memory(bobs(world), &got);
    assert_non_null(memory);
    assert_bytes(memory, got, size);
}

static void test_files_of_no_and_one_byte(void **state)
{
    send_whole(*state, 0);
    send_whole(*state, 1);
    send_whole(*state, 4096);
}

static void test_a_file_goes_from_memory_to_a_path(void **state)
{
    struct world *world = *state;
    uint8_t *bytes = make_bytes(5000);
    jingle_file_source source;
    jingle_file_sink sink;
    struct application app;
    app_make(&app, 0);
    jingle_file_source_init(&source);
    source.memory = bytes;
    source.bytes = 5000;
    source.name = "../../from memory.txt";
    source.free = app_free;
    source.user = &app;
    jingle_file_sink_init(&sink);
    sink.path = folder_path("kept.txt");
    offer_and_await(world, &source, NULL);
    assert_string_equal(world->bob.name, "from memory.txt");
    accept(world, &sink);
    await_ends(world, 1);
    assert_both_ended(world, JINGLE_OK, JINGLE_OK);
    assert_string_equal(world->bob.courses[0].path, folder_path("kept.txt"));
    assert_file(world->bob.courses[0].path, 5000);
    assert_int_equal(atomic_load(&app.freed), 1);
    app_clear(&app);
    g_free(bytes);
}

static void test_a_file_goes_from_function_to_function(void **state)
{
    struct world *world = *state;
    struct application app;
    app_make(&app, BIG);
    jingle_file_source source = app_source(&app);
    jingle_file_sink sink = app_sink(&app);
    offer_and_await(world, &source, NULL);
    accept(world, &sink);
    await_ends(world, 1);
    assert_both_ended(world, JINGLE_OK, JINGLE_OK);
    assert_bytes(app.received->data, app.received->len, BIG);
    assert_int_equal(atomic_load(&app.freed), 1);
    assert_int_equal(atomic_load(&app.done), 1);
    assert_true(atomic_load(&app.whole));
    app_clear(&app);
}

static void test_a_source_that_fails_is_told_on_both_sides(void **state)
{
    struct world *world = *state;
    struct application app;
    app_make(&app, BIG);
    app.fails_at = BIG / 2;
    jingle_file_source source = app_source(&app);
    jingle_file_sink sink = folder_sink();
    offer_and_await(world, &source, NULL);
    accept(world, &sink);
    await_ends(world, 1);
    assert_ended(&world->alice.courses[0], JINGLE_ERROR_FILE, JINGLE_PARTY_LOCAL);
    assert_ended(&world->bob.courses[0], JINGLE_ERROR_PEER_FILE, JINGLE_PARTY_REMOTE);
    assert_int_equal(atomic_load(&app.freed), 1);
    app_clear(&app);
}

static void test_a_sink_that_fails_is_told_on_both_sides(void **state)
{
    struct world *world = *state;
    struct application app;
    app_make(&app, BIG);
    jingle_file_source source = path_source("a.bin", BIG);
    jingle_file_sink sink = app_sink(&app);
    app.fails_at = BIG / 2;
    offer_and_await(world, &source, NULL);
    accept(world, &sink);
    await_ends(world, 1);
    assert_ended(&world->bob.courses[0], JINGLE_ERROR_FILE, JINGLE_PARTY_LOCAL);
    assert_ended(&world->alice.courses[0], JINGLE_ERROR_PEER_FILE, JINGLE_PARTY_REMOTE);
    assert_int_equal(atomic_load(&app.done), 1);
    assert_false(atomic_load(&app.whole));
    app_clear(&app);
}

static void test_three_files_go_in_one_session(void **state)
{
    struct world *world = *state;
    jingle_file_source sources[3] = {path_source("1.bin", 100000), path_source("2.bin", 200000),
                                     path_source("3.bin", 300000)};
    jingle_file_sink sink = folder_sink();
    offer(world, sources, 3, NULL);
    await_times(world, &world->bob, JINGLE_EVENT_FILE_OFFERED, 3);
    assert_int_equal(world->bob.offered_together, 3);
    assert_int_equal(world->bob.index, 2);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(jingle_transfer_accept(world->bob.courses[i].transfer, &sink), JINGLE_OK);
    }
    await_ends(world, 3);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(world->alice.courses[i].status, JINGLE_OK);
        assert_int_equal(world->bob.courses[i].status, JINGLE_OK);
        assert_string_equal(jingle_transfer_id(world->bob.courses[i].transfer),
                            jingle_transfer_id(world->bob.courses[0].transfer));
        assert_file(world->bob.courses[i].path, 100000 * (size_t)(i + 1));
    }
}

static void test_one_of_three_is_refused(void **state)
{
    struct world *world = *state;
    jingle_file_source sources[3] = {path_source("1.bin", 1000), path_source("2.bin", 2000),
                                     path_source("3.bin", 3000)};
    jingle_file_sink sink = folder_sink();
    offer(world, sources, 3, NULL);
    await_times(world, &world->bob, JINGLE_EVENT_FILE_OFFERED, 3);
    assert_int_equal(jingle_transfer_accept(world->bob.courses[0].transfer, &sink), JINGLE_OK);
    assert_int_equal(jingle_transfer_reject(world->bob.courses[1].transfer), JINGLE_OK);
    assert_int_equal(jingle_transfer_accept(world->bob.courses[2].transfer, &sink), JINGLE_OK);
    await_ends(world, 3);
    assert_int_equal(world->alice.courses[0].status, JINGLE_OK);
    assert_ended(&world->alice.courses[1], JINGLE_ERROR_REFUSED, JINGLE_PARTY_REMOTE);
    assert_int_equal(world->alice.courses[2].status, JINGLE_OK);
    assert_file(world->bob.courses[2].path, 3000);
}

static void test_an_offer_is_refused(void **state)
{
    struct world *world = *state;
    jingle_file_source source = path_source("a.bin", 10);
    jingle_file_sink sink = folder_sink();
    offer_and_await(world, &source, NULL);
    assert_int_equal(jingle_transfer_reject(bobs(world)), JINGLE_OK);
    await_ends(world, 1);
    assert_ended(&world->alice.courses[0], JINGLE_ERROR_REFUSED, JINGLE_PARTY_REMOTE);
    assert_ended(&world->bob.courses[0], JINGLE_ERROR_REFUSED, JINGLE_PARTY_LOCAL);
    assert_int_equal(jingle_transfer_accept(bobs(world), &sink), JINGLE_ERROR_STATE);
    assert_int_equal(jingle_transfer_reject(bobs(world)), JINGLE_ERROR_STATE);
}

static void test_an_offer_is_taken_back(void **state)
{
    struct world *world = *state;
    jingle_file_source source = path_source("a.bin", 10);
    offer_and_await(world, &source, NULL);
    assert_int_equal(jingle_transfer_cancel(world->alice.courses[0].transfer), JINGLE_OK);
    await_ends(world, 1);
    assert_ended(&world->alice.courses[0], JINGLE_ERROR_CANCELED, JINGLE_PARTY_LOCAL);
    assert_ended(&world->bob.courses[0], JINGLE_ERROR_CANCELED, JINGLE_PARTY_REMOTE);
}

static jingle_transfer_config slow_config(void)
{
    jingle_transfer_config config;
    jingle_transfer_config_init(&config);
    config.rate_limit = SLOW;
    return config;
}

static void cancel_midway(struct world *world, struct side *who, struct side *other)
{
    jingle_file_source source = path_source("long.bin", BIG);
    jingle_transfer_config config = slow_config();
    jingle_file_sink sink = folder_sink();
    offer_and_await(world, &source, &config);
    accept(world, &sink);
    assert_true(switchboard_run(world->board, bob_has_some, world, PATIENCE));
    assert_int_equal(jingle_transfer_cancel(who->courses[0].transfer), JINGLE_OK);
    await_ends(world, 1);
    assert_ended(&who->courses[0], JINGLE_ERROR_CANCELED, JINGLE_PARTY_LOCAL);
    assert_ended(&other->courses[0], JINGLE_ERROR_CANCELED, JINGLE_PARTY_REMOTE);
    assert_int_equal(folder_count(".jingle-part"), 1);
}

static void test_the_sender_cancels(void **state)
{
    struct world *world = *state;
    cancel_midway(world, &world->alice, &world->bob);
}

static void test_the_receiver_cancels_and_goes_on_later(void **state)
{
    struct world *world = *state;
    jingle_file_source source;
    jingle_file_sink sink = folder_sink();
    cancel_midway(world, &world->bob, &world->alice);
    jingle_file_source_init(&source);
    source.path = folder_path("long.bin");
    offer_and_await(world, &source, NULL);
    accept(world, &sink);
    await_ends(world, 2);
    assert_int_equal(world->bob.courses[1].status, JINGLE_OK);
    assert_true(world->bob.courses[1].statistics.bytes_resumed > 0);
    assert_int_equal(world->alice.courses[1].statistics.bytes_resumed,
                     world->bob.courses[1].statistics.bytes_resumed);
    assert_int_equal(world->bob.courses[1].statistics.hash, JINGLE_HASH_EQUAL);
    assert_file(world->bob.courses[1].path, BIG);
    assert_int_equal(folder_count(".jingle-part"), 0);
}

static void test_the_rate_is_changed_on_the_way(void **state)
{
    struct world *world = *state;
    jingle_file_source source = path_source("long.bin", 64 * SLOW);
    jingle_transfer_config config = slow_config();
    jingle_file_sink sink = folder_sink();
    offer_and_await(world, &source, &config);
    accept(world, &sink);
    await(world, &world->alice, JINGLE_EVENT_TRANSFER_PROGRESS);
    usec before = clock_now();
    assert_int_equal(jingle_transfer_set_rate_limit(world->alice.courses[0].transfer, 0),
                     JINGLE_OK);
    await_ends(world, 1);
    assert_both_ended(world, JINGLE_OK, JINGLE_OK);
    assert_true(clock_now() - before < 40 * USEC_PER_SEC); /* a minute at the old rate */
}

static void test_in_band_if_asked_for(void **state)
{
    struct world *world = *state;
    jingle_file_source source = path_source("a.bin", 300000);
    jingle_transfer_config config;
    jingle_file_sink sink = folder_sink();
    jingle_transfer_config_init(&config);
    config.way = JINGLE_WAY_INBAND;
    offer_and_await(world, &source, &config);
    accept(world, &sink);
    await_ends(world, 1);
    assert_both_ended(world, JINGLE_OK, JINGLE_OK);
    assert_int_equal(world->bob.courses[0].statistics.way, JINGLE_WAY_INBAND);
    assert_int_equal(world->bob.courses[0].statistics.hash, JINGLE_HASH_EQUAL);
    assert_file(world->bob.courses[0].path, 300000);
}

static void test_in_band_is_cancelled(void **state)
{
    struct world *world = *state;
    jingle_file_source source = path_source("a.bin", BIG);
    jingle_transfer_config config = slow_config();
    jingle_file_sink sink = folder_sink();
    config.way = JINGLE_WAY_INBAND;
    offer_and_await(world, &source, &config);
    accept(world, &sink);
    assert_true(switchboard_run(world->board, bob_has_some, world, PATIENCE));
    assert_int_equal(jingle_transfer_cancel(bobs(world)), JINGLE_OK);
    await_ends(world, 1);
    assert_ended(&world->alice.courses[0], JINGLE_ERROR_CANCELED, JINGLE_PARTY_REMOTE);
    assert_ended(&world->bob.courses[0], JINGLE_ERROR_CANCELED, JINGLE_PARTY_LOCAL);
}

static void test_without_a_proxy_there_is_no_way_by_proxy(void **state)
{
    struct world *world = *state;
    jingle_file_source source = path_source("a.bin", 10);
    jingle_transfer_config config;
    jingle_transfer_config_init(&config);
    config.way = JINGLE_WAY_PROXY;
    jingle_file_sink sink = folder_sink();
    offer_and_await(world, &source, &config);
    accept(world, &sink);
    await_ends(world, 1);
    assert_both_ended(world, JINGLE_ERROR_NO_PATH, JINGLE_ERROR_NO_PATH);
    assert_int_equal(folder_count(".jingle-part"), 0);
}

static void test_a_server_without_uploads_says_so(void **state)
{
    struct world *world = *state;
    jingle_file_source source = path_source("a.bin", 10);
    jingle_transfer_config config;
    jingle_transfer_config_init(&config);
    config.way = JINGLE_WAY_HTTP;
    offer(world, &source, 1, &config);
    await(world, &world->alice, JINGLE_EVENT_TRANSFER_ENDED);
    assert_int_equal(world->alice.courses[0].status, JINGLE_ERROR_NO_UPLOAD);
    assert_int_equal(world->alice.courses[0].statistics.way, JINGLE_WAY_HTTP);
}

static void test_a_client_that_takes_no_files(void **state)
{
    struct world *world = *state;
    jingle_file_source source = path_source("a.bin", 10);
    offer(world, &source, 1, NULL);
    await(world, &world->alice, JINGLE_EVENT_TRANSFER_ENDED);
    assert_int_equal(world->alice.courses[0].status, JINGLE_ERROR_NO_FILE_SUPPORT);
    assert_int_equal(world->bob.count[JINGLE_EVENT_FILE_OFFERED], 0);
}

static void test_a_file_that_was_asked_for_is_provided(void **state)
{
    struct world *world = *state;
    jingle_file_source source = path_source("wanted.txt", 70000);
    jingle_file_sink sink = folder_sink();
    jingle_transfer *transfer;
    assert_int_equal(
        jingle_transfer_request(world->alice.client, BOB, "wanted.txt", NULL, &sink, &transfer),
        JINGLE_OK);
    add_course(&world->alice, transfer);
    await(world, &world->bob, JINGLE_EVENT_FILE_REQUESTED);
    assert_string_equal(world->bob.name, "wanted.txt");
    assert_int_equal(jingle_transfer_accept(bobs(world), &sink), JINGLE_ERROR_STATE);
    assert_int_equal(jingle_transfer_provide(bobs(world), &source, NULL), JINGLE_OK);
    await_ends(world, 1);
    assert_both_ended(world, JINGLE_OK, JINGLE_OK);
    assert_true(g_str_has_suffix(world->alice.courses[0].path, "/wanted (1).txt"));
    assert_file(world->alice.courses[0].path, 70000);
}

static void test_a_file_that_was_asked_for_is_refused(void **state)
{
    struct world *world = *state;
    struct application app;
    app_make(&app, 0);
    jingle_file_sink sink = app_sink(&app);
    jingle_transfer *transfer;
    assert_int_equal(
        jingle_transfer_request(world->alice.client, BOB, "wanted.txt", NULL, &sink, &transfer),
        JINGLE_OK);
    add_course(&world->alice, transfer);
    await(world, &world->bob, JINGLE_EVENT_FILE_REQUESTED);
    assert_int_equal(jingle_transfer_reject(bobs(world)), JINGLE_OK);
    await_ends(world, 1);
    assert_int_equal(world->alice.courses[0].status, JINGLE_ERROR_REFUSED);
    assert_int_equal(app.done, 1);
    assert_false(app.whole);
    app_clear(&app);
}

static char *answer_with_a_part(struct world *world, const char *xml)
{
    (void)world;
    char **parts = g_strsplit(xml, "<size>", 2);
    char *out = g_strjoinv("<range length=\"10\"/><size>", parts);
    g_strfreev(parts);
    return out;
}

static void test_a_part_of_what_was_asked_for_is_not_taken_for_the_whole(void **state)
{
    struct world *world = *state;
    jingle_file_source source = path_source("wanted.txt", 70000);
    jingle_file_sink sink = folder_sink();
    jingle_transfer *transfer;
    world->rewrite = answer_with_a_part;
    assert_int_equal(
        jingle_transfer_request(world->alice.client, BOB, "wanted.txt", NULL, &sink, &transfer),
        JINGLE_OK);
    add_course(&world->alice, transfer);
    await(world, &world->bob, JINGLE_EVENT_FILE_REQUESTED);
    assert_int_equal(jingle_transfer_provide(bobs(world), &source, NULL), JINGLE_OK);
    await_ends(world, 1);
    assert_int_equal(world->alice.courses[0].status, JINGLE_ERROR_PEER_FILE);
    assert_string_equal(world->alice.courses[0].path, "");
}

static bool bob_has_accepted(void *user)
{
    return ((struct world *)user)->accepted;
}

static char *checksum_by_bob(const char *sid, const uint8_t *bytes, size_t size)
{
    uint8_t digest[32];
    gsize length = sizeof digest;
    GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
    g_checksum_update(sum, bytes, (gssize)size);
    g_checksum_get_digest(sum, digest, &length);
    g_checksum_free(sum);
    char *base64 = g_base64_encode(digest, length);
    char *xml = g_strdup_printf(
        "<iq xmlns='jabber:client' type='set' id='early' from='" BOB "' to='" ALICE "'>"
        "<jingle xmlns='urn:xmpp:jingle:1' action='session-info' sid='%s'><checksum "
        "xmlns='urn:xmpp:jingle:apps:file-transfer:5' creator='initiator' name='a-file-request'>"
        "<file><hash xmlns='urn:xmpp:hashes:2' algo='sha-256'>%s</hash></file></checksum></jingle>"
        "</iq>",
        sid, base64);
    g_free(base64);
    return xml;
}

/* Bob has another file, and a checksum of that, which comes before its first byte. */
static void test_what_was_asked_for_by_its_hash_is_that_file(void **state)
{
    static const uint8_t asked[32] = {1};
    struct world *world = *state;
    jingle_file_source source = path_source("other.txt", 70000);
    jingle_file_sink sink = folder_sink();
    jingle_transfer *transfer;
    assert_int_equal(
        jingle_transfer_request(world->alice.client, BOB, NULL, asked, &sink, &transfer),
        JINGLE_OK);
    add_course(&world->alice, transfer);
    await(world, &world->bob, JINGLE_EVENT_FILE_REQUESTED);
    assert_int_equal(jingle_transfer_provide(bobs(world), &source, NULL), JINGLE_OK);
    assert_true(switchboard_run(world->board, bob_has_accepted, world, PATIENCE));
    uint8_t *bytes = make_bytes(70000);
    char *checksum = checksum_by_bob(jingle_transfer_id(transfer), bytes, 70000);
    switchboard_hand(world->board, checksum);
    g_free(checksum);
    g_free(bytes);
    await_ends(world, 1);
    assert_both_ended(world, JINGLE_ERROR_FILE_HASH, JINGLE_ERROR_FILE_HASH);
    assert_string_equal(world->alice.courses[0].path, "");
}

/* ------------------------------------------------------------------------------- mistakes -- */

static void test_what_cannot_be_sent_is_said_at_once(void **state)
{
    struct world *world = *state;
    jingle_client *alice = world->alice.client;
    struct application app;
    app_make(&app, 10);
    jingle_file_source sources[2] = {app_source(&app), path_source("a.bin", 10)};
    jingle_transfer *transfers[2] = {(void *)1, (void *)1};
    sources[1].path = folder_path("nothing here");
    assert_int_equal(jingle_transfer_offer(alice, BOB, sources, 2, NULL, transfers),
                     JINGLE_ERROR_FILE_NOT_FOUND);
    assert_null(transfers[0]);
    assert_null(transfers[1]);
    assert_int_equal(atomic_load(&app.freed), 1);
    sources[1].path = folder_path("");
    assert_int_equal(jingle_transfer_offer(alice, BOB, &sources[1], 1, NULL, transfers),
                     JINGLE_ERROR_FILE_KIND);
    assert_int_equal(jingle_transfer_offer(alice, "not@@a jid", sources, 1, NULL, transfers),
                     JINGLE_ERROR_JID);
    assert_int_equal(atomic_load(&app.freed), 2);
    sources[0].path = "both";
    assert_int_equal(jingle_transfer_offer(alice, BOB, sources, 1, NULL, transfers),
                     JINGLE_ERROR_INVALID);
    assert_int_equal(atomic_load(&app.freed), 3);
    assert_int_equal(jingle_transfer_offer(alice, BOB, sources, 1, NULL, NULL),
                     JINGLE_ERROR_INVALID);
    assert_int_equal(atomic_load(&app.freed), 4);
    app_clear(&app);
}

static void test_a_sink_that_does_not_fit_leaves_the_offer_open(void **state)
{
    struct world *world = *state;
    jingle_file_source source = path_source("a.bin", 10);
    jingle_file_sink sink = folder_sink();
    offer_and_await(world, &source, NULL);
    sink.folder = folder_path("nothing here");
    assert_int_equal(jingle_transfer_accept(bobs(world), &sink), JINGLE_ERROR_FILE_NOT_FOUND);
    sink.folder = source.path;
    assert_int_equal(jingle_transfer_accept(bobs(world), &sink), JINGLE_ERROR_FILE_KIND);
    sink.folder = NULL;
    assert_int_equal(jingle_transfer_accept(bobs(world), &sink), JINGLE_ERROR_INVALID);
    sink.memory_limit = 9;
    assert_int_equal(jingle_transfer_accept(bobs(world), &sink), JINGLE_ERROR_LIMIT);
    sink.memory_limit = 10;
    accept(world, &sink);
    await_ends(world, 1);
    assert_both_ended(world, JINGLE_OK, JINGLE_OK);
}

static void test_clients_can_be_freed_on_the_way(void **state)
{
    struct world *world = *state;
    jingle_file_source source = path_source("long.bin", BIG);
    jingle_transfer_config config = slow_config();
    jingle_file_sink sink = folder_sink();
    offer_and_await(world, &source, &config);
    accept(world, &sink);
    assert_true(switchboard_run(world->board, bob_has_some, world, PATIENCE));
}

/* A thread of an application that never waits for the others. */
struct meddler {
    jingle_transfer *transfer;
    const jingle_file_sink *sink;
    _Atomic bool stop;
    _Atomic unsigned rounds;
    unsigned accepted;
};

static gpointer meddle(gpointer data)
{
    struct meddler *meddler = data;
    jingle_transfer *transfer = meddler->transfer;
    jingle_transfer_statistics statistics = {.size = sizeof statistics};
    while (!atomic_load(&meddler->stop)) {
        meddler->accepted += jingle_transfer_accept(transfer, meddler->sink) == JINGLE_OK;
        jingle_transfer_get_statistics(transfer, &statistics);
        jingle_transfer_set_rate_limit(transfer, SLOW);
        jingle_transfer_set_user(transfer, meddler);
        assert_ptr_equal(jingle_transfer_ref(transfer), transfer);
        assert_non_null(jingle_transfer_name(transfer));
        assert_non_null(jingle_transfer_peer(transfer));
        assert_non_null(jingle_transfer_id(transfer));
        assert_null(jingle_transfer_memory(transfer, NULL));
        jingle_transfer_unref(transfer);
        if (atomic_fetch_add(&meddler->rounds, 1) > 100000) {
            g_usleep(100);
        }
    }
    return NULL;
}

static bool all_meddled_once(void *user)
{
    struct meddler *meddlers = user;
    return atomic_load(&meddlers[0].rounds) > 0 && atomic_load(&meddlers[1].rounds) > 0;
}

static void test_any_thread_may_ask_anything_until_after_the_end(void **state)
{
    struct world *world = *state;
    jingle_file_source source = path_source("a.bin", BIG);
    jingle_file_sink sink = folder_sink();
    offer_and_await(world, &source, NULL);
    struct meddler meddlers[2] = {{.transfer = bobs(world), .sink = &sink},
                                  {.transfer = bobs(world), .sink = &sink}};
    GThread *threads[2];
    for (size_t i = 0; i < 2; i++) {
        threads[i] = g_thread_new("meddler", meddle, &meddlers[i]);
    }
    assert_true(switchboard_run(world->board, all_meddled_once, meddlers, PATIENCE));
    await(world, &world->bob, JINGLE_EVENT_TRANSFER_STARTED);
    assert_true(switchboard_run(world->board, bob_has_some, world, PATIENCE));
    assert_int_equal(jingle_transfer_cancel(world->alice.courses[0].transfer), JINGLE_OK);
    await_ends(world, 1);
    assert_both_ended(world, JINGLE_ERROR_CANCELED, JINGLE_ERROR_CANCELED);
    jingle_client_free(world->bob.client);
    world->bob.client = NULL;
    for (size_t i = 0; i < 2; i++) {
        atomic_store(&meddlers[i].stop, true);
        g_thread_join(threads[i]);
    }
    assert_int_equal(meddlers[0].accepted + meddlers[1].accepted, 1);
}

static void test_clients_can_be_freed_before_an_answer(void **state)
{
    struct world *world = *state;
    jingle_file_source source = path_source("a.bin", 10);
    offer_and_await(world, &source, NULL);
}

static void test_a_connection_that_is_lost_to_the_server_does_not_matter(void **state)
{
    struct world *world = *state;
    jingle_file_source source = path_source("long.bin", 8 * SLOW);
    jingle_transfer_config config = slow_config();
    jingle_file_sink sink = folder_sink();
    offer_and_await(world, &source, &config);
    accept(world, &sink);
    assert_true(switchboard_run(world->board, bob_has_some, world, PATIENCE));
    switchboard_drop(world->board, world->alice.client);
    assert_int_equal(jingle_transfer_set_rate_limit(world->alice.courses[0].transfer, 0),
                     JINGLE_OK);
    await(world, &world->bob, JINGLE_EVENT_TRANSFER_ENDED);
    assert_int_equal(world->bob.courses[0].status, JINGLE_OK);
    assert_file(world->bob.courses[0].path, 8 * SLOW);
}

int main(void)
{
#define STORY(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        STORY(test_a_file_goes_from_disk_to_disk),
        STORY(test_files_of_no_and_one_byte),
        STORY(test_a_file_goes_from_memory_to_a_path),
        STORY(test_a_file_goes_from_function_to_function),
        STORY(test_a_source_that_fails_is_told_on_both_sides),
        STORY(test_a_sink_that_fails_is_told_on_both_sides),
        STORY(test_three_files_go_in_one_session),
        STORY(test_one_of_three_is_refused),
        STORY(test_an_offer_is_refused),
        STORY(test_an_offer_is_taken_back),
        STORY(test_the_sender_cancels),
        STORY(test_the_receiver_cancels_and_goes_on_later),
        STORY(test_the_rate_is_changed_on_the_way),
        STORY(test_in_band_if_asked_for),
        STORY(test_in_band_is_cancelled),
        STORY(test_without_a_proxy_there_is_no_way_by_proxy),
        STORY(test_a_server_without_uploads_says_so),
        cmocka_unit_test_setup_teardown(test_a_client_that_takes_no_files, set_up_without_files,
                                        tear_down),
        STORY(test_a_file_that_was_asked_for_is_provided),
        STORY(test_a_file_that_was_asked_for_is_refused),
        STORY(test_a_part_of_what_was_asked_for_is_not_taken_for_the_whole),
        STORY(test_what_was_asked_for_by_its_hash_is_that_file),
        STORY(test_what_cannot_be_sent_is_said_at_once),
        STORY(test_a_sink_that_does_not_fit_leaves_the_offer_open),
        STORY(test_clients_can_be_freed_on_the_way),
        STORY(test_any_thread_may_ask_anything_until_after_the_end),
        STORY(test_clients_can_be_freed_before_an_answer),
        STORY(test_a_connection_that_is_lost_to_the_server_does_not_matter),
    };
#undef STORY
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
