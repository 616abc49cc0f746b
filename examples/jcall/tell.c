/* What is told of the program and its account, and the live line. */
#include "amount.h"
#include "exit.h"
#include "teller.h"
#include "text.h"

#include <errno.h>
#include <stdarg.h>

#define PROGRESS_INTERVAL 250000 /* between two looks of the live line, in microseconds */

struct teller *tell_new(const struct options *options, bool live, char **message)
{
    struct teller *teller = g_new0(struct teller, 1);
    static const jingle_log_level levels[] = {JINGLE_LOG_ERROR, JINGLE_LOG_INFO, JINGLE_LOG_DEBUG};
    teller->json = options->json;
    teller->verbosity = levels[MIN(options->verbosity, 2)];
    teller->display = display_new(live && !options->json);
    progress_init(&teller->progress);
    if (options->log_file) {
        teller->log = fopen(options->log_file, "ae");
        if (!teller->log) {
            *message = g_strdup_printf("The log %s cannot be written: %s.", options->log_file,
                                       g_strerror(errno));
            tell_free(teller);
            return NULL;
        }
        setvbuf(teller->log, NULL, _IOLBF, 0);
    }
    return teller;
}

void teller_set_session(struct teller *teller, jingle_session *session)
{
    if (session) {
        jingle_session_ref(session);
    }
    if (teller->session) {
        jingle_session_unref(teller->session);
    }
    teller->session = session;
}

void tell_free(struct teller *teller)
{
    if (!teller) {
        return;
    }
    teller_set_session(teller, NULL);
    display_free(teller->display);
    if (teller->log) {
        fclose(teller->log);
    }
    g_free(teller->said);
    progress_clear(&teller->progress);
    g_free(teller->codec);
    g_free(teller->words);
    g_free(teller->question);
    g_free(teller->typed);
    g_free(teller);
}

void tell_log(void *user, jingle_log_level level, const char *line)
{
    static const char *const names[] = {"", "error", "warning", "info", "debug"};
    struct teller *teller = user;
    const char *name = names[level <= JINGLE_LOG_DEBUG ? level : 0];
    if (teller->log) {
        gint64 now = g_get_real_time();
        fprintf(teller->log, "%" G_GINT64_FORMAT ".%06d %s %s\n", now / G_USEC_PER_SEC,
                (int)(now % G_USEC_PER_SEC), name, line);
    }
    if (level <= teller->verbosity) {
        char *clean = text_clean(line, SIZE_MAX);
        char *text = g_strdup_printf("[%s] %s", name, clean);
        display_complain(teller->display, text);
        g_free(text);
        g_free(clean);
    }
}

jingle_log_level tell_log_level(const struct teller *teller)
{
    return teller->log ? JINGLE_LOG_DEBUG : teller->verbosity;
}

void teller_json(struct teller *teller, bool good)
{
    teller->json_broken = teller->json_broken || !good;
}

void tell_note(struct teller *teller, const char *format, ...)
{
    if (teller->json) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    display_say(teller->display, text);
    g_free(teller->said);
    teller->said = text;
}

void teller_say(struct teller *teller, const char *text, const char *otherwise)
{
    char *clean = text_clean(text && *text ? text : otherwise, TEXT_MAX);
    tell_note(teller, "%s", clean);
    g_free(clean);
}

void teller_enter(struct teller *teller, enum stage stage)
{
    teller->stage = stage;
    teller->since = g_get_monotonic_time();
    tell_tick(teller);
}

/* ------------------------------------------------------------------------- the live line -- */

char *teller_stage_text(struct teller *teller)
{
    static const struct {
        const char *words, *keys;
    } stages[] = {
        [STAGE_LOGIN] = {"Logging in", "q quits"},
        [STAGE_WAITING] = {"Waiting for calls", "q quits"},
        [STAGE_CALLING] = {"Calling", "q gives up"},
        [STAGE_RINGING] = {"Ringing", "q gives up"},
        [STAGE_INCOMING] = {"It rings here", "y answers, v with video, n declines"},
        [STAGE_SETUP] = {"Setting up the call", "q hangs up"},
        [STAGE_FILES_AWAITED] = {"Waiting for files", "q quits"},
        [STAGE_FILES_OFFERED] = {"Waiting for them to take it", "q gives up"},
        [STAGE_FILES_LAST] = {"Waiting for the last bytes", "q stops it"},
    };
    char *time = amount_time(g_get_monotonic_time() - teller->since);
    char *text = g_strdup_printf("%s  %s ...  (%s)", time, stages[teller->stage].words,
                                 stages[teller->stage].keys);
    g_free(time);
    return text;
}

static bool stage_is_of_call(enum stage stage)
{
    return stage >= STAGE_CALLING && stage <= STAGE_TALKING;
}

static char *line_text(struct teller *teller)
{
    if (!stage_is_of_call(teller->stage) || teller->typed) {
        char *files = teller_files_text(teller);
        if (files) {
            return files;
        }
    }
    if (teller->stage == STAGE_TALKING) {
        char *talking = teller_call_text(teller);
        char *text = g_strconcat(talking, "  (m h v s o 0-9 q)", NULL);
        g_free(talking);
        return text;
    }
    return teller->stage == STAGE_IDLE ? g_strdup("") : teller_stage_text(teller);
}

/* Progress changes all the time: four times a second are enough to see it. */
static bool line_must_wait(struct teller *teller)
{
    if (!progress_moving(&teller->progress) || teller->typed) {
        return false;
    }
    gint64 now = g_get_monotonic_time();
    if (now < teller->progress_due) {
        return true;
    }
    teller->progress_due = now + PROGRESS_INTERVAL;
    return false;
}

bool tell_tick(struct teller *teller)
{
    if (!display_live(teller->display)) {
        return false;
    }
    if (!line_must_wait(teller)) {
        char *text = line_text(teller);
        display_set_line(teller->display, text);
        g_free(text);
    }
    return progress_count(&teller->progress) > 0 ||
           (teller->stage != STAGE_IDLE && teller->stage != STAGE_WAITING &&
            teller->stage != STAGE_FILES_AWAITED);
}

bool tell_broken(struct teller *teller)
{
    return teller->json ? teller->json_broken : display_broken(teller->display);
}

/* --------------------------------------------------------------------------- own events -- */

void tell_start(struct teller *teller, const char *command)
{
    if (teller->json) {
        teller_json(teller, json_own("start", NULL,
                                     json_pack("{ssss}", "command", command, "version",
                                               jingle_version_string())));
    }
}

void tell_connecting(struct teller *teller, jingle_client *client, const char *jid)
{
    teller->client = client;
    if (teller->json) {
        teller_json(teller, json_own("connecting", NULL, json_pack("{so}", "jid", json_text(jid))));
        return;
    }
    char *clean = text_clean(jid, NAME_MAX_SHOWN);
    tell_note(teller, "Logging in as %s ...", clean);
    g_free(clean);
    teller_enter(teller, STAGE_LOGIN);
}

void tell_waiting(struct teller *teller)
{
    tell_note(teller, "Waiting for calls; Ctrl-C ends this.");
    teller->rest = STAGE_WAITING;
    teller_enter(teller, STAGE_WAITING);
}

void tell_error(struct teller *teller, jingle_status status, const char *text)
{
    if (teller->json) {
        teller_json(teller, json_own("error", NULL,
                                     json_pack("{ssso}", "status", status_name(status), "text",
                                               json_text(text))));
        return;
    }
    char *clean = text_clean(text, TEXT_MAX);
    display_complain(teller->display, clean);
    g_free(teller->said);
    teller->said = clean;
}

int tell_exit(struct teller *teller, int code, const char *text)
{
    teller_enter(teller, STAGE_IDLE);
    teller_set_session(teller, NULL);
    if (teller->json) {
        teller_json(teller, json_own("exit", NULL,
                                     json_pack("{sissso}", "code", code, "name", exit_name(code),
                                               "text", json_text(text))));
        return code;
    }
    char *clean = text_clean(text, TEXT_MAX);
    if (*clean && !teller->end_is_told && g_strcmp0(clean, teller->said) != 0) {
        if (code == EXIT_OK) {
            display_say(teller->display, clean);
        } else {
            display_complain(teller->display, clean);
        }
    }
    g_free(clean);
    return code;
}

/* -------------------------------------------------------------- the library's events -- */

static void say_online(struct teller *teller)
{
    char *jid = text_clean(jingle_client_jid(teller->client), NAME_MAX_SHOWN);
    tell_note(teller, teller->was_online ? "Logged in again as %s." : "Logged in as %s.", jid);
    g_free(jid);
    teller->was_online = true;
}

static void say_offline(struct teller *teller, const jingle_event *event)
{
    char *text = text_clean(*event->text ? event->text : jingle_strerror(event->status), TEXT_MAX);
    if (event->u.offline.will_retry && teller->was_online) {
        tell_note(teller, "%s Trying again in %.0f s.", text,
                  (double)event->u.offline.retry_in / G_USEC_PER_SEC);
    } else if (!teller->json) {
        display_complain(teller->display, text);
        g_free(teller->said);
        teller->said = g_strdup(text);
    }
    g_free(text);
}

static void say_subscription(struct teller *teller, const jingle_event *event)
{
    char *jid = text_clean(event->u.contact.jid, NAME_MAX_SHOWN);
    tell_note(teller, "%s asks to be your contact; to let them: jcall contacts add %s", jid, jid);
    g_free(jid);
}

static void say_event(struct teller *teller, const jingle_event *event)
{
    switch (event->type) {
    case JINGLE_EVENT_ONLINE:
        say_online(teller);
        break;
    case JINGLE_EVENT_OFFLINE:
        say_offline(teller, event);
        break;
    case JINGLE_EVENT_SUBSCRIPTION:
        say_subscription(teller, event);
        break;
    case JINGLE_EVENT_INCOMING:
    case JINGLE_EVENT_MISSED:
        teller_say_incoming(teller, event);
        break;
    case JINGLE_EVENT_FILE_OFFERED:
    case JINGLE_EVENT_FILE_REQUESTED:
    case JINGLE_EVENT_TRANSFER_STARTED:
    case JINGLE_EVENT_TRANSFER_PROGRESS:
    case JINGLE_EVENT_TRANSFER_ENDED:
        teller_take_transfer(teller, event);
        break;
    case JINGLE_EVENT_LINK:
        teller_say_link(teller, event);
        break;
    case JINGLE_EVENT_DEVICE:
        teller_say_device(teller, event);
        break;
    case JINGLE_EVENT_CHECK:
        teller_say_check(teller, event->u.check.subject, event->u.check.good, event->text,
                         event->u.check.remedy);
        break;
    default:
        if (event->session && event->session == teller->session) {
            teller_say_session(teller, event);
        }
        break;
    }
}

void tell_event(struct teller *teller, const jingle_event *event)
{
    if (teller->json && event->type == JINGLE_EVENT_ONLINE) {
        teller_json(teller, json_own("online", NULL,
                                     json_pack("{so}", "jid",
                                               json_text(jingle_client_jid(teller->client)))));
    } else if (teller->json && !event->transfer) { /* tell_files.c has those */
        teller_json(teller, json_event(event));
    }
    say_event(teller, event); /* programs have a window, too, which shows the time and more */
}
