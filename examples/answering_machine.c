/* An answering machine: answers everybody on the roster, several at once, speaks a greeting,
 * records what is said, and hangs up when the caller has been silent for a while or has said
 * enough.
 *
 *     PASSWORD=secret answering_machine JID GREETING FOLDER [SECONDS]
 *
 * GREETING is a sound file. Every call gets a file of its own in FOLDER; SECONDS (60) is the most
 * that is recorded after the greeting. HOST, PORT, CA_FILE and LAB_LOOPBACK in the environment are
 * for a private server. Ctrl-C ends it. */
#include <ctype.h>
#include <jingle/jingle.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SECOND       INT64_C(1000000)
#define QUIET_LEVEL  0.01 /* of full scale: -40 dB */
#define QUIET_LIMIT  (5 * SECOND)
#define NAME_BYTES   64
#define CALLER_BYTES 40

static volatile sig_atomic_t interrupted;

static void interrupt(int signal_number)
{
    (void)signal_number;
    interrupted = 1;
}

struct machine {
    const char *greeting;
    const char *folder;
    int64_t limit;
    jingle_client *client;
};

/* One caller, kept as the session's user pointer. Times are those of events; 0: not yet. */
struct caller {
    int64_t beep; /* the greeting is over */
    int64_t last_heard;
    char path[4096];
};

/* A JID as part of a file name: it is chosen by somebody else, so only harmless characters stay. */
static void name_from_jid(char name[CALLER_BYTES], const char *jid)
{
    size_t length = 0;
    for (const char *at = jid; *at && *at != '/' && length < CALLER_BYTES - 1; at++) {
        unsigned char c = (unsigned char)*at;
        bool harmless = isalnum(c) || (length > 0 && strchr("@.-", c));
        name[length++] = harmless ? *at : '_';
    }
    name[length] = '\0';
}

/* FOLDER/2026-11-22-184801-bob@example.org.flac, and never a file that is there already. */
static void path_choose(char path[4096], const char *folder, const char *jid)
{
    char caller[CALLER_BYTES];
    char when[NAME_BYTES];
    time_t now = time(NULL);
    struct tm parts;
    name_from_jid(caller, jid);
    strftime(when, sizeof when, "%Y-%m-%d-%H%M%S", localtime_r(&now, &parts));
    snprintf(path, 4096, "%s/%s-%s.flac", folder, when, caller);
    for (int number = 2; access(path, F_OK) == 0; number++) {
        snprintf(path, 4096, "%s/%s-%s-%d.flac", folder, when, caller, number);
    }
}

static void answer(const struct machine *machine, const jingle_event *event)
{
    jingle_session_config config;
    jingle_status status = JINGLE_OK;
    struct caller *caller = calloc(1, sizeof *caller);
    if (!caller) {
        jingle_session_reject(event->session, JINGLE_REASON_BUSY);
        return;
    }
    path_choose(caller->path, machine->folder, event->u.incoming.from);
    jingle_session_set_user(event->session, caller);
    jingle_session_config_init(&config);
    config.source = jingle_audio_source_file(machine->greeting, false, &status);
    if (status == JINGLE_OK) {
        config.sink = jingle_audio_sink_file(caller->path, &status);
    }
    if (status == JINGLE_OK) {
        status = jingle_session_accept(event->session, &config);
    } else if (config.source) {
        jingle_audio_source_free(config.source);
    }
    if (status != JINGLE_OK) {
        fprintf(stderr, "The call cannot be answered: %s\n", jingle_strerror(status));
        jingle_session_reject(event->session, JINGLE_REASON_BUSY);
    }
}

/* Once a second: has enough been said, or nothing for long enough? */
static void listen(const struct machine *machine, const jingle_event *event, struct caller *caller)
{
    if (!caller->beep) {
        return;
    }
    if (event->u.statistics.level_received > QUIET_LEVEL) {
        caller->last_heard = event->time;
    }
    if (event->time - caller->last_heard > QUIET_LIMIT ||
        event->time - caller->beep > machine->limit) {
        jingle_session_end(event->session);
    }
}

/* A JID may hold anything: what is printed of it is as harmless as a file name. */
static void say(const jingle_event *event, const char *what)
{
    char caller[CALLER_BYTES];
    name_from_jid(caller, jingle_session_peer(event->session));
    printf("%s: %s\n", caller, what);
}

static void ended(const jingle_event *event, struct caller *caller)
{
    say(event, jingle_reason_sentence(event->u.ended.reason));
    if (caller && caller->beep) {
        say(event, caller->path);
    }
    jingle_session_set_user(event->session, NULL);
    free(caller);
}

/* Returns false if the account does not work. */
static bool handle(const struct machine *machine, const jingle_event *event)
{
    struct caller *caller = event->session ? jingle_session_user(event->session) : NULL;
    switch (event->type) {
    case JINGLE_EVENT_ONLINE:
        printf("Waiting for calls as %s\n", jingle_client_jid(machine->client));
        break;
    case JINGLE_EVENT_OFFLINE:
        fprintf(stderr, "%s\n", jingle_strerror(event->status));
        return event->u.offline.will_retry;
    case JINGLE_EVENT_INCOMING:
        answer(machine, event);
        break;
    case JINGLE_EVENT_CONNECTED:
        say(event, "greeted");
        break;
    case JINGLE_EVENT_SOURCE_ENDED:
        if (caller) {
            caller->beep = caller->last_heard = event->time;
        }
        break;
    case JINGLE_EVENT_STATISTICS:
        if (caller) {
            listen(machine, event, caller);
        }
        break;
    case JINGLE_EVENT_ENDED:
        ended(event, caller);
        break;
    default:
        break;
    }
    return true;
}

static jingle_status client_start(struct machine *machine, const char *jid)
{
    const char *port = getenv("PORT");
    jingle_client_config config;
    jingle_client_config_init(&config);
    config.jid = jid;
    config.password = getenv("PASSWORD");
    config.host = getenv("HOST");
    config.port = (uint16_t)(port ? strtoul(port, NULL, 10) : 0);
    config.ca_file = getenv("CA_FILE");
    config.lab_loopback = getenv("LAB_LOOPBACK") != NULL;
    config.software_name = "answering machine";
    jingle_status status = jingle_client_new(&config, &machine->client);
    return status == JINGLE_OK ? jingle_client_connect(machine->client) : status;
}

int main(int argc, char **argv)
{
    if (argc < 4 || argc > 5) {
        fprintf(stderr, "answering_machine JID GREETING FOLDER [SECONDS]\n");
        return 2;
    }
    struct machine machine = {.greeting = argv[2], .folder = argv[3], .limit = 60 * SECOND};
    if (argc == 5) {
        machine.limit = strtol(argv[4], NULL, 10) * SECOND;
    }
    struct sigaction action = {.sa_handler = interrupt};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    setvbuf(stdout, NULL, _IOLBF, 0);
    jingle_status status = client_start(&machine, argv[1]);
    if (status != JINGLE_OK) {
        fprintf(stderr, "%s\n", jingle_strerror(status));
    }
    bool works = status == JINGLE_OK;
    while (works && !interrupted) {
        const jingle_event *event = jingle_client_wait(machine.client, SECOND);
        works = !event || handle(&machine, event);
    }
    jingle_client_free(machine.client); /* ends the calls, too */
    return works ? 0 : 1;
}
