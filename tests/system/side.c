#include "system/side.h"

#include <glib.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#define NOISE 500

/* ------------------------------------------------------------------------------ the sound -- */

static jingle_status start_source(void *user, jingle_audio_format *format)
{
    struct sound *sound = user;
    if (atomic_load(&sound->source_lost)) {
        return JINGLE_ERROR_DEVICE;
    }
    if (sound->source_channels) {
        format->channels = sound->source_channels;
    }
    sound->rate = format->rate;
    sound->channels = format->channels;
    return JINGLE_OK;
}

static long read_source(void *user, int16_t *samples, size_t frames)
{
    struct sound *sound = user;
    long left = atomic_load(&sound->frames_left);
    if (atomic_load(&sound->source_lost)) {
        return JINGLE_AUDIO_LOST;
    }
    if (left == 0) {
        return JINGLE_AUDIO_END;
    }
    if (left > 0) {
        frames = MIN(frames, (size_t)left);
        atomic_store(&sound->frames_left, left - (long)frames);
    }
    memset(samples, 0, frames * sound->channels * sizeof *samples);
    for (size_t i = 0; i < frames && sound->hz > 0; i++) {
        samples[i * sound->channels] = (int16_t)(8000 * sin(sound->phase));
        sound->phase = fmod(sound->phase + 2 * G_PI * sound->hz / sound->rate, 2 * G_PI);
    }
    return (long)frames;
}

static void free_source(void *user)
{
    atomic_fetch_add(&((struct sound *)user)->sources_freed, 1);
}

static jingle_status start_sink(void *user, jingle_audio_format *format)
{
    struct sound *sound = user;
    if (atomic_load(&sound->sink_lost)) {
        return JINGLE_ERROR_DEVICE;
    }
    sound->sink_channels = format->channels;
    return JINGLE_OK;
}

static bool is_loud(int16_t sample)
{
    return sample > NOISE || sample < -NOISE;
}

static void write_sink(void *user, const int16_t *samples, size_t frames)
{
    struct sound *sound = user;
    uint32_t channels = sound->sink_channels;
    long left = 0;
    long right = 0;
    for (size_t i = 0; i < frames; i++) {
        left += is_loud(samples[i * channels]);
        right += is_loud(samples[(i + 1) * channels - 1]);
    }
    atomic_fetch_add(&sound->loud, left);
    atomic_fetch_add(&sound->loud_right, right);
    atomic_fetch_add(&sound->heard, (long)frames);
    eventfd_write(sound->poke, 1);
}

static void free_sink(void *user)
{
    atomic_fetch_add(&((struct sound *)user)->sinks_freed, 1);
}

jingle_session_config sound_config(struct sound *sound, double hz)
{
    jingle_session_config config;
    sound->source = (jingle_audio_source){
        .size = sizeof sound->source,
        .user = sound,
        .start = start_source,
        .read = read_source,
        .free = free_source,
        .on_demand = true,
    };
    sound->sink = (jingle_audio_sink){
        .size = sizeof sound->sink,
        .user = sound,
        .start = start_sink,
        .write = write_sink,
        .free = free_sink,
    };
    sound->hz = hz;
    atomic_store(&sound->frames_left, -1);
    sound->handed_over++;
    jingle_session_config_init(&config);
    config.source = &sound->source;
    config.sink = &sound->sink;
    return config;
}

void sound_listen_anew(struct sound *sound)
{
    atomic_store(&sound->heard, 0);
    atomic_store(&sound->loud, 0);
    atomic_store(&sound->loud_right, 0);
}

/* ------------------------------------------------------------------------------ the world -- */

static struct side *side_of(struct world *world, jingle_client *client)
{
    for (size_t i = 0; i < SIDES_MAX; i++) {
        if (world->sides[i].client == client) {
            return &world->sides[i];
        }
    }
    return NULL;
}

static void keep_event(struct side *side, const jingle_event *event)
{
    switch (event->type) {
    case JINGLE_EVENT_INCOMING:
        jingle_session_unref(side->session);
        side->session = jingle_session_ref(event->session);
        break;
    case JINGLE_EVENT_ENDED:
        side->reason = event->u.ended.reason;
        side->by = event->u.ended.by;
        break;
    case JINGLE_EVENT_DIGIT:
        side->digits[strlen(side->digits)] = event->u.digit.digit;
        break;
    case JINGLE_EVENT_HOLD:
    case JINGLE_EVENT_MUTE:
        side->flag = event->u.flag.on;
        break;
    case JINGLE_EVENT_DEVICE:
        side->device_lost = event->u.device.lost;
        break;
    case JINGLE_EVENT_VIDEO:
    case JINGLE_EVENT_VIDEO_OFFERED:
        side->sends_video = event->u.video.sending;
        side->receives_video = event->u.video.receiving;
        side->video_status = event->status;
        break;
    case JINGLE_EVENT_VIDEO_MUTE:
        side->video_muted = event->u.flag.on;
        break;
    case JINGLE_EVENT_VIDEO_DEVICE:
        side->video_device_lost = event->u.video_device.lost;
        break;
    case JINGLE_EVENT_STATISTICS:
        side->statistics = event->u.statistics;
        break;
    default:
        break;
    }
}

static void take_event(void *user, jingle_client *client, const jingle_event *event)
{
    struct world *world = user;
    struct side *side = side_of(world, client);
    side->count[event->type]++;
    if (world->event) {
        world->event(world, side, event);
    } else {
        keep_event(side, event);
    }
}

static char *rewrite(void *user, jingle_client *from, const char *xml)
{
    struct world *world = user;
    return world->rewrite ? world->rewrite(world, side_of(world, from), xml) : NULL;
}

static void print_log(void *user, jingle_log_level level, const char *line)
{
    static const char *const names[] = {"", "error", "warning", "info", "debug"};
    g_printerr("%s %s: %s\n", (const char *)user, names[level], line);
}

static void make_client(struct side *side, const char *jid, int64_t ring_timeout)
{
    jingle_client_config config;
    jingle_client_config_init(&config);
    config.jid = jid;
    config.lab_loopback = true;
    config.ring_timeout = ring_timeout;
    config.media_threads = 2;
    config.log = print_log;
    config.log_user = (void *)jid;
    config.log_level = g_getenv("JINGLE_TEST_LOG") ? JINGLE_LOG_DEBUG : JINGLE_LOG_ERROR;
    assert_int_equal(jingle_client_new_external(&config, &side->client), JINGLE_OK);
}

static void read_poke(void *user)
{
    eventfd_t count;
    eventfd_read(((struct world *)user)->poke, &count);
}

struct world *world_new(int64_t ring_timeout, bool alice_is_a_stranger)
{
    struct world *world = g_new0(struct world, 1);
    world->poke = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    struct switchboard_hooks hooks = {
        .user = world,
        .event = take_event,
        .rewrite = rewrite,
        .fd = world->poke,
        .readable = read_poke,
    };
    for (size_t i = 0; i < SIDES_MAX; i++) {
        world->sides[i].sound.poke = world->poke;
    }
    world->alice = &world->sides[0];
    world->bob = &world->sides[1];
    world->carol = &world->sides[2];
    world->board = switchboard_new(&hooks);
    make_client(world->alice, ALICE, ring_timeout);
    make_client(world->bob, BOB, ring_timeout);
    switchboard_add(world->board, world->alice->client, ALICE, alice_is_a_stranger);
    switchboard_add(world->board, world->bob->client, BOB, false);
    return world;
}

void world_add_carol(struct world *world)
{
    make_client(world->carol, CAROL, PATIENCE);
    switchboard_add(world->board, world->carol->client, CAROL, false);
}

/* A handle outlives its client on purpose: see jingle_client_free(). */
static void end_side(struct side *side)
{
    jingle_client_free(side->client);
    assert_int_equal(atomic_load(&side->sound.sources_freed), side->sound.handed_over);
    assert_int_equal(atomic_load(&side->sound.sinks_freed), side->sound.handed_over);
    if (side->session) {
        assert_int_equal(jingle_session_end(side->session), JINGLE_ERROR_STATE);
        jingle_session_unref(side->session);
    }
}

void world_free(struct world *world)
{
    for (size_t i = 0; i < SIDES_MAX; i++) {
        end_side(&world->sides[i]);
    }
    switchboard_free(world->board);
    close(world->poke);
    g_free(world);
}

int world_set_up(void **state)
{
    *state = world_new(PATIENCE, false);
    return 0;
}

int world_tear_down(void **state)
{
    world_free(*state);
    return 0;
}

/* -------------------------------------------------------------------------------- waiting -- */

struct wanted {
    const unsigned *count;
    unsigned times;
};

static bool has_come(void *user)
{
    const struct wanted *wanted = user;
    return *wanted->count >= wanted->times;
}

void await_all(struct world *world, bool (*done)(void *user), void *user)
{
    assert_true(switchboard_run(world->board, done, user, PATIENCE));
}

void await_times(struct world *world, struct side *side, jingle_event_type type, unsigned times)
{
    struct wanted wanted = {&side->count[type], times};
    await_all(world, has_come, &wanted);
}

void await(struct world *world, struct side *side, jingle_event_type type)
{
    await_times(world, side, type, 1);
}

struct amount {
    const _Atomic long *now;
    long wanted;
};

static bool is_reached(void *user)
{
    const struct amount *amount = user;
    return atomic_load(amount->now) >= amount->wanted;
}

void await_frames(struct world *world, struct side *side, long frames)
{
    struct amount amount = {&side->sound.heard, atomic_load(&side->sound.heard) + frames};
    await_all(world, is_reached, &amount);
}

void await_hears(struct world *world, struct side *side)
{
    struct amount amount = {&side->sound.loud, atomic_load(&side->sound.loud) + 16000};
    await_all(world, is_reached, &amount);
}

void await_both_hear(struct world *world)
{
    sound_listen_anew(&world->alice->sound);
    sound_listen_anew(&world->bob->sound);
    await_hears(world, world->alice);
    await_hears(world, world->bob);
}

/* --------------------------------------------------------------------------------- a call -- */

void call_bob(struct world *world, const jingle_session_config *config)
{
    assert_int_equal(jingle_session_start(world->alice->client, "bob@example.test", config,
                                          &world->alice->session),
                     JINGLE_OK);
    await(world, world->bob, JINGLE_EVENT_INCOMING);
    await(world, world->alice, JINGLE_EVENT_RINGING);
}

void connect_with(struct world *world, const jingle_session_config *alice,
                  const jingle_session_config *bob)
{
    call_bob(world, alice);
    assert_int_equal(jingle_session_accept(world->bob->session, bob), JINGLE_OK);
    await(world, world->alice, JINGLE_EVENT_CONNECTED);
    await(world, world->bob, JINGLE_EVENT_CONNECTED);
}

void connect_both(struct world *world, double alice_hz, double bob_hz)
{
    jingle_session_config alice = sound_config(&world->alice->sound, alice_hz);
    jingle_session_config bob = sound_config(&world->bob->sound, bob_hz);
    connect_with(world, &alice, &bob);
}

void hang_up(struct world *world, struct side *who)
{
    assert_int_equal(jingle_session_end(who->session), JINGLE_OK);
    await(world, world->alice, JINGLE_EVENT_ENDED);
    await(world, world->bob, JINGLE_EVENT_ENDED);
}
