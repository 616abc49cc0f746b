/* A peer that stops: another process that is killed or stopped in the middle of a call.
 *
 *     this process: Alice, switchboard ⇄ socket pair ⇄ Bob's switchboard: the same program, run
 *                                                       with the socket's number */
#include "base/clock.h"
#include "signaling/jid.h"
#include "support/switchboard.h"

#include <jingle/jingle.h>

#include <fcntl.h>
#include <glib.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE (30 * USEC_PER_SEC) /* only ever reached by a failing test */

#define ALICE "alice@example.test/desk"
#define BOB   "bob@example.test/phone"

/* In place of a stanza: Bob can be called. */
#define READY "ready"

#define STANZA_MAX (256 * 1024)

/* Whoever is left must know it by then. */
#define LOST_WITHIN (15 * USEC_PER_SEC)

/* One end of the socket pair. */
struct end {
    int fd;
    const char *other;
    struct switchboard *board;
    jingle_client *client;
    jingle_session *session;
    unsigned count[JINGLE_EVENT_CHECK + 1];
    jingle_reason reason;
    jingle_party by;
    bool other_is_ready;
    bool gone; /* the other process */
    jingle_audio_sink sink;
    _Atomic long loud;
    jingle_event_type awaited;
};

static bool send_outside(void *user, const char *to, const char *xml)
{
    struct end *end = user;
    if (!jid_equal_bare(to, end->other)) {
        return false; /* for the server, or for other devices of this account */
    }
    send(end->fd, xml, strlen(xml), MSG_NOSIGNAL);
    return true;
}

static void read_outside(void *user)
{
    struct end *end = user;
    char *stanza = g_malloc(STANZA_MAX + 1);
    ssize_t bytes = recv(end->fd, stanza, STANZA_MAX, MSG_DONTWAIT);
    stanza[MAX(bytes, 0)] = '\0';
    if (strcmp(stanza, READY) == 0) {
        end->other_is_ready = true;
    } else if (bytes > 0) {
        switchboard_hand(end->board, stanza);
    } else if (bytes == 0) {
        end->gone = true;
    }
    g_free(stanza);
}

static void count_loud(void *user, const int16_t *samples, size_t frames)
{
    struct end *end = user;
    long loud = 0;
    for (size_t i = 0; i < frames; i++) {
        loud += samples[i] > 500 || samples[i] < -500;
    }
    atomic_fetch_add(&end->loud, loud);
}

static jingle_session_config sound_of(struct end *end)
{
    jingle_session_config config;
    jingle_session_config_init(&config);
    end->sink = (jingle_audio_sink){.size = sizeof end->sink, .user = end, .write = count_loud};
    config.source = jingle_audio_source_tone(440, NULL);
    config.sink = &end->sink;
    return config;
}

static void take_event(void *user, jingle_client *client, const jingle_event *event)
{
    struct end *end = user;
    (void)client;
    end->count[event->type]++;
    if (event->type == JINGLE_EVENT_INCOMING) {
        jingle_session_config config = sound_of(end);
        end->session = jingle_session_ref(event->session);
        jingle_session_accept(event->session, &config);
    } else if (event->type == JINGLE_EVENT_ENDED) {
        end->reason = event->u.ended.reason;
        end->by = event->u.ended.by;
    }
}

static void print_log(void *user, jingle_log_level level, const char *line)
{
    (void)level;
    g_printerr("%s: %s\n", (const char *)user, line);
}

static void begin(struct end *end, int fd, const char *jid, const char *other)
{
    jingle_client_config config;
    jingle_client_config_init(&config);
    config.jid = jid;
    config.lab_loopback = true;
    config.media_threads = 1;
    config.log = print_log;
    config.log_user = (void *)jid;
    config.log_level = g_getenv("JINGLE_TEST_LOG") ? JINGLE_LOG_DEBUG : JINGLE_LOG_ERROR;
    *end = (struct end){.fd = fd, .other = other};
    struct switchboard_hooks hooks = {
        .user = end,
        .event = take_event,
        .outside = send_outside,
        .fd = fd,
        .readable = read_outside,
    };
    end->board = switchboard_new(&hooks);
    if (jingle_client_new_external(&config, &end->client) != JINGLE_OK) {
        abort();
    }
    switchboard_add(end->board, end->client, jid, false);
    switchboard_add_outside(end->board, other);
}

static void finish(struct end *end)
{
    jingle_client_free(end->client);
    jingle_session_unref(end->session);
    switchboard_free(end->board);
    close(end->fd);
}

/* ------------------------------------------------------------------------- Bob's process -- */

static bool other_is_gone(void *user)
{
    return ((struct end *)user)->gone;
}

static int be_bob(int fd)
{
    struct end bob;
    begin(&bob, fd, BOB, ALICE);
    send(fd, READY, strlen(READY), 0);
    while (!switchboard_run(bob.board, other_is_gone, &bob, PATIENCE)) {
    }
    finish(&bob);
    return 0;
}

/* ------------------------------------------------------------------------ Alice's process -- */

struct story {
    struct end alice;
    pid_t bob;
};

static pid_t start_bob(int fd)
{
    char number[16];
    snprintf(number, sizeof number, "%d", fd);
    pid_t child = fork();
    if (child == 0) {
        execl("/proc/self/exe", "lost_peer", "bob", number, (char *)NULL);
        _exit(127);
    }
    return child;
}

static bool other_is_ready(void *user)
{
    return ((struct end *)user)->other_is_ready;
}

static int set_up(void **state)
{
    struct story *story = g_new0(struct story, 1);
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
    assert_int_equal(fcntl(fds[0], F_SETFD, FD_CLOEXEC), 0);
    story->bob = start_bob(fds[1]);
    close(fds[1]);
    assert_true(story->bob > 0);
    begin(&story->alice, fds[0], ALICE, BOB);
    assert_true(switchboard_run(story->alice.board, other_is_ready, &story->alice, PATIENCE));
    *state = story;
    return 0;
}

/* Whatever became of Bob, he is waited for; if he lived on, he ended well. */
static int tear_down(void **state)
{
    struct story *story = *state;
    int status;
    finish(&story->alice);
    kill(story->bob, SIGCONT);
    assert_int_equal(waitpid(story->bob, &status, 0), story->bob);
    assert_true(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 0);
    g_free(story);
    return 0;
}

static bool awaited_came(void *user)
{
    const struct end *end = user;
    return end->count[end->awaited] > 0;
}

static void await_event(struct story *story, jingle_event_type type)
{
    story->alice.awaited = type;
    assert_true(switchboard_run(story->alice.board, awaited_came, &story->alice, PATIENCE));
}

/* Statistics, which come every second, end the wait. */
static bool is_loud(void *user)
{
    return atomic_load(&((struct end *)user)->loud) > 16000;
}

static void await_sound(struct story *story)
{
    atomic_store(&story->alice.loud, 0);
    assert_true(switchboard_run(story->alice.board, is_loud, &story->alice, PATIENCE));
}

static void connect_both(struct story *story)
{
    struct end *alice = &story->alice;
    jingle_session_config config = sound_of(alice);
    assert_int_equal(
        jingle_session_start(alice->client, "bob@example.test", &config, &alice->session),
        JINGLE_OK);
    await_event(story, JINGLE_EVENT_CONNECTED);
    await_sound(story);
}

static void test_a_killed_peer_ends_the_call_in_time(void **state)
{
    struct story *story = *state;
    connect_both(story);
    usec killed = clock_now();
    assert_int_equal(kill(story->bob, SIGKILL), 0);
    await_event(story, JINGLE_EVENT_ENDED);
    assert_true(clock_now() - killed < LOST_WITHIN);
    assert_int_equal(story->alice.count[JINGLE_EVENT_INTERRUPTED], 1);
    assert_int_equal(story->alice.reason, JINGLE_REASON_CONNECTION_LOST);
}

/* The path is mended by an ICE restart, whose stanzas wait for Bob to go on. */
static void test_a_stopped_peer_interrupts_the_call_until_it_goes_on(void **state)
{
    struct story *story = *state;
    connect_both(story);
    assert_int_equal(kill(story->bob, SIGSTOP), 0);
    await_event(story, JINGLE_EVENT_INTERRUPTED);
    assert_int_equal(kill(story->bob, SIGCONT), 0);
    await_event(story, JINGLE_EVENT_RECOVERED);
    await_sound(story);
    assert_int_equal(story->alice.count[JINGLE_EVENT_ENDED], 0);
    assert_int_equal(jingle_session_end(story->alice.session), JINGLE_OK);
    await_event(story, JINGLE_EVENT_ENDED);
    assert_int_equal(story->alice.reason, JINGLE_REASON_HANGUP);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "bob") == 0) {
        return be_bob((int)strtol(argv[2], NULL, 10));
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_killed_peer_ends_the_call_in_time, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_stopped_peer_interrupts_the_call_until_it_goes_on,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
