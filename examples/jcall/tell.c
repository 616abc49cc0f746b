/* Chooses the words. */
#include "tell.h"

#include "display.h"
#include "exit.h"
#include "json.h"
#include "text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX       400 /* characters of a text that others chose */
#define NAME_MAX_SHOWN 100 /* and of a JID */
#define METER_CELLS    10
#define PLAIN_INTERVAL 5000000 /* microseconds between lines about a call, without a terminal */

enum stage {
    STAGE_IDLE,
    STAGE_LOGIN,
    STAGE_WAITING,
    STAGE_CALLING,
    STAGE_RINGING,
    STAGE_INCOMING,
    STAGE_SETUP,
    STAGE_TALKING,
};

struct teller {
    bool json;
    bool json_broken;
    jingle_log_level verbosity;
    FILE *log;
    struct display *display;
    jingle_client *client;
    bool was_online;
    char *said; /* the last sentence */
    /* what the live line shows */
    enum stage stage;
    enum stage rest; /* what follows a call */
    gint64 since;
    jingle_session *session; /* a reference */
    bool outgoing;
    bool muted, held;
    bool peer_muted, peer_held;
    bool interrupted;
    jingle_statistics now, before; /* of this second and the last one; texts not used */
    char *codec;
    int64_t plain_due;
};

struct teller *tell_new(const struct options *options, bool live, char **message)
{
    struct teller *teller = g_new0(struct teller, 1);
    static const jingle_log_level levels[] = {JINGLE_LOG_ERROR, JINGLE_LOG_INFO, JINGLE_LOG_DEBUG};
    teller->json = options->json;
    teller->verbosity = levels[MIN(options->verbosity, 2)];
    teller->display = display_new(live && !options->json);
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

static void teller_set_session(struct teller *teller, jingle_session *session)
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
    g_free(teller->codec);
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

static void json_note(struct teller *teller, bool good)
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

static void teller_enter(struct teller *teller, enum stage stage)
{
    teller->stage = stage;
    teller->since = g_get_monotonic_time();
    tell_tick(teller);
}

/* ------------------------------------------------------------------------- the live line -- */

static char *time_text(int64_t microseconds)
{
    int64_t seconds = microseconds / G_USEC_PER_SEC;
    if (seconds < 3600) {
        return g_strdup_printf("%d:%02d", (int)(seconds / 60), (int)(seconds % 60));
    }
    return g_strdup_printf("%d:%02d:%02d", (int)(seconds / 3600), (int)(seconds / 60 % 60),
                           (int)(seconds % 60));
}

/* How the last second sounded: by what had to be made up, and by how long an answer takes. */
static const char *quality_word(const struct teller *teller)
{
    const jingle_statistics *now = &teller->now;
    double played = (double)(now->samples_played - teller->before.samples_played);
    double concealed = (double)(now->samples_concealed - teller->before.samples_concealed);
    double share = played > 0 ? concealed / played : 0;
    if (teller->interrupted) {
        return "interrupted";
    }
    if (share > 0.10 || now->round_trip > 1000000) {
        return "poor";
    }
    if (share > 0.02 || now->round_trip > 400000) {
        return "fair";
    }
    return "good";
}

static const char *switch_mark(bool held, bool muted)
{
    return held ? " (hold)" : muted ? " (mute)" : "";
}

static char *talking_text(struct teller *teller)
{
    const jingle_statistics *now = &teller->now;
    bool silent = teller->muted || teller->held;
    char *time = time_text(now->duration);
    char *you = display_meter(silent ? 0 : now->level_sent, METER_CELLS);
    char *they = display_meter(now->level_received, METER_CELLS);
    GString *text = g_string_new(NULL);
    g_string_printf(text, "%s  you %s%s  they %s%s", time, you,
                    switch_mark(teller->held, teller->muted), they,
                    switch_mark(teller->peer_held, teller->peer_muted));
    if (now->duration > 0) {
        g_string_append_printf(text, "  %s %.0f kbit/s  %s", teller->codec ? teller->codec : "",
                               (double)now->bitrate_received / 1000, quality_word(teller));
    }
    if (now->video.receiving && now->video.height_received > 0) {
        g_string_append_printf(text, "  picture %ux%u %.0f/s", now->video.width_received,
                               now->video.height_received, now->video.frame_rate_received);
    }
    g_free(time);
    g_free(you);
    g_free(they);
    return g_string_free(text, FALSE);
}

static char *stage_text(struct teller *teller)
{
    static const char *const words[] = {
        [STAGE_LOGIN] = "Logging in",       [STAGE_WAITING] = "Waiting for calls",
        [STAGE_CALLING] = "Calling",        [STAGE_RINGING] = "Ringing",
        [STAGE_INCOMING] = "It rings here", [STAGE_SETUP] = "Setting up the call",
    };
    static const char *const keys[] = {
        [STAGE_LOGIN] = "q quits",
        [STAGE_WAITING] = "q quits",
        [STAGE_CALLING] = "q gives up",
        [STAGE_RINGING] = "q gives up",
        [STAGE_INCOMING] = "y answers, v with video, n declines",
        [STAGE_SETUP] = "q hangs up",
    };
    char *time = time_text(g_get_monotonic_time() - teller->since);
    char *text =
        g_strdup_printf("%s  %s ...  (%s)", time, words[teller->stage], keys[teller->stage]);
    g_free(time);
    return text;
}

char *tell_window_text(struct teller *teller)
{
    if (!teller->session) {
        return g_strdup("");
    }
    char *peer = text_clean(jingle_session_peer(teller->session), NAME_MAX_SHOWN);
    *strchrnul(peer, '/') = '\0';
    char *text;
    if (teller->stage == STAGE_TALKING) {
        char *time = time_text(teller->now.duration);
        text = g_strdup_printf("%s  %s  %s%s", peer, time, quality_word(teller),
                               switch_mark(teller->held, teller->muted));
        g_free(time);
    } else if (teller->stage != STAGE_IDLE) {
        char *stage = stage_text(teller);
        text = g_strdup_printf("%s  %s", peer, stage);
        g_free(stage);
    } else {
        text = g_strdup(peer);
    }
    g_free(peer);
    return text;
}

bool tell_tick(struct teller *teller)
{
    if (!display_live(teller->display)) {
        return false;
    }
    char *text = NULL;
    if (teller->stage == STAGE_TALKING) {
        char *talking = talking_text(teller);
        text = g_strconcat(talking, "  (m h v s 0-9 q)", NULL);
        g_free(talking);
    } else if (teller->stage != STAGE_IDLE) {
        text = stage_text(teller);
    }
    display_set_line(teller->display, text ? text : "");
    g_free(text);
    return teller->stage != STAGE_IDLE && teller->stage != STAGE_WAITING;
}

bool tell_broken(struct teller *teller)
{
    return teller->json ? teller->json_broken : display_broken(teller->display);
}

/* --------------------------------------------------------------------------- own events -- */

void tell_start(struct teller *teller, const char *command)
{
    if (teller->json) {
        json_note(teller, json_own("start", NULL,
                                   json_pack("{ssss}", "command", command, "version",
                                             jingle_version_string())));
    }
}

void tell_connecting(struct teller *teller, jingle_client *client, const char *jid)
{
    teller->client = client;
    if (teller->json) {
        json_note(teller, json_own("connecting", NULL, json_pack("{so}", "jid", json_text(jid))));
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

/* A call begins: what was known of the one before is forgotten. */
static void call_begin(struct teller *teller, jingle_session *session, bool outgoing)
{
    teller_set_session(teller, session);
    teller->outgoing = outgoing;
    teller->muted = teller->held = false;
    teller->peer_muted = teller->peer_held = false;
    teller->interrupted = false;
    teller->plain_due = 0;
    memset(&teller->now, 0, sizeof teller->now);
    memset(&teller->before, 0, sizeof teller->before);
    g_clear_pointer(&teller->codec, g_free);
}

static char *peer_text(jingle_session *session)
{
    return text_clean(jingle_session_peer(session), NAME_MAX_SHOWN);
}

void tell_calling(struct teller *teller, jingle_session *session)
{
    call_begin(teller, session, true);
    if (teller->json) {
        json_note(teller, json_own("calling", session, NULL));
    }
    char *peer = peer_text(session);
    tell_note(teller, "Calling %s ...", peer);
    g_free(peer);
    teller_enter(teller, STAGE_CALLING);
}

void tell_answering(struct teller *teller, jingle_session *session)
{
    call_begin(teller, session, false);
    teller_enter(teller, STAGE_SETUP);
}

void tell_busy(struct teller *teller, jingle_session *session, const char *from)
{
    if (teller->json) {
        json_note(teller, json_own("busy", session, json_pack("{so}", "from", json_text(from))));
        return;
    }
    char *clean = text_clean(from, NAME_MAX_SHOWN);
    tell_note(teller, "%s called too and was told that you are busy.", clean);
    g_free(clean);
}

void tell_switch(struct teller *teller, jingle_session *session, bool mute, bool on)
{
    if (mute) {
        teller->muted = on;
    } else {
        teller->held = on;
    }
    if (teller->json) {
        json_note(teller, json_own(mute ? "mute" : "hold", session,
                                   json_pack("{sbss}", "on", on, "by", "local")));
        return;
    }
    if (mute) {
        tell_note(teller, on ? "They cannot hear you now." : "They can hear you again.");
    } else {
        tell_note(teller, on ? "The call is on hold." : "The call goes on.");
    }
}

void tell_digits(struct teller *teller, jingle_session *session, const char *digits)
{
    for (const char *at = digits; teller->json && *at; at++) {
        char digit[2] = {*at, '\0'};
        json_note(teller,
                  json_own("digit", session,
                           json_pack("{sssiss}", "digit", digit, "duration", 0, "by", "local")));
    }
    tell_note(teller, "Dialled %s.", digits);
}

void tell_picture(struct teller *teller, jingle_session *session, const char *what)
{
    static const struct {
        const char *word, *sentence;
    } words[] = {
        {"camera", "They see your camera now."},
        {"screen", "They see your screen now."},
        {"none", "They see nothing of you now."},
        {"adding", "Asking them for video ..."},
        {"accepting", "Video is being set up."},
        {"refusing", "Their video is refused; the call goes on."},
        {"stopping", "The video is ended; the call goes on."},
    };
    if (teller->json) {
        json_note(teller, json_own("picture", session, json_pack("{ss}", "what", what)));
        return;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        if (strcmp(words[i].word, what) == 0) {
            tell_note(teller, "%s", words[i].sentence);
        }
    }
}

void tell_file(struct teller *teller, jingle_session *session, const char *what, const char *path)
{
    if (teller->json) {
        json_note(teller, json_own("file", session,
                                   json_pack("{ssso}", "what", what, "path", json_text(path))));
        return;
    }
    char *clean = text_clean(path, TEXT_MAX);
    const char *format = strcmp(what, "record") == 0     ? "Recording to"
                         : strcmp(what, "snapshot") == 0 ? "Their picture is saved:"
                                                         : "The page about the call:";
    tell_note(teller, "%s %s", format, clean);
    g_free(clean);
}

void tell_contact(struct teller *teller, const jingle_contact *contact)
{
    if (teller->json) {
        json_note(teller, json_own("contact", NULL, json_contact(contact)));
        return;
    }
    static const char *const subscriptions[] = {
        "not granted yet on either side",
        "you see them; they do not see you",
        "they see you; you do not see them",
        "mutual",
    };
    char *jid = text_clean(contact->jid, NAME_MAX_SHOWN);
    char *name = text_clean(contact->name, NAME_MAX_SHOWN);
    tell_note(teller, "%s%s%s%s: %s%s; %s", jid, *name ? " (" : "", name, *name ? ")" : "",
              subscriptions[contact->subscription & 3], contact->asked ? ", asked and waiting" : "",
              contact->callable ? "can be called now"
              : contact->online ? "online, but their client takes no encrypted calls"
                                : "offline");
    g_free(jid);
    g_free(name);
}

void tell_device(struct teller *teller, const jingle_audio_device *device)
{
    if (teller->json) {
        json_note(teller, json_own("sound-device", NULL,
                                   json_pack("{sososisisbsb}", "name", json_text(device->name),
                                             "system", json_text(device->system),
                                             "capture_channels", (int)device->capture_channels,
                                             "playback_channels", (int)device->playback_channels,
                                             "default_capture", device->default_capture,
                                             "default_playback", device->default_playback)));
        return;
    }
    char *name = text_clean(device->name, NAME_MAX_SHOWN);
    char *system = text_clean(device->system, NAME_MAX_SHOWN);
    tell_note(
        teller, "%-40s %-6s %s%s%s%s", name, system, device->capture_channels ? "microphone" : "",
        device->default_capture    ? " (usual) "
        : device->capture_channels ? " "
                                   : "",
        device->playback_channels ? "loudspeaker" : "", device->default_playback ? " (usual)" : "");
    g_free(name);
    g_free(system);
}

void tell_camera(struct teller *teller, const jingle_camera *camera)
{
    if (teller->json) {
        json_note(teller, json_own("camera", NULL,
                                   json_pack("{soso}", "path", json_text(camera->path), "name",
                                             json_text(camera->name))));
        return;
    }
    char *path = text_clean(camera->path, NAME_MAX_SHOWN);
    char *name = text_clean(camera->name, NAME_MAX_SHOWN);
    tell_note(teller, "%-40s %-6s camera", name, path);
    g_free(path);
    g_free(name);
}

static void say_check(struct teller *teller, const char *subject, bool good, const char *text,
                      const char *remedy)
{
    char *clean[] = {text_clean(subject, TEXT_MAX), text_clean(text, TEXT_MAX),
                     text_clean(remedy, TEXT_MAX)};
    tell_note(teller, "%s %s: %s", good ? "[good]" : "[BAD] ", clean[0], clean[1]);
    if (!good && *clean[2]) {
        tell_note(teller, "       To do: %s", clean[2]);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(clean); i++) {
        g_free(clean[i]);
    }
}

void tell_check(struct teller *teller, const char *subject, bool good, const char *text,
                const char *remedy)
{
    if (teller->json) {
        json_note(teller,
                  json_own("check", NULL,
                           json_pack("{sosbsoso}", "subject", json_text(subject), "good", good,
                                     "text", json_text(text), "remedy", json_text(remedy))));
        return;
    }
    say_check(teller, subject, good, text, remedy);
}

void tell_error(struct teller *teller, jingle_status status, const char *text)
{
    if (teller->json) {
        json_note(teller, json_own("error", NULL,
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
        json_note(teller, json_own("exit", NULL,
                                   json_pack("{sissso}", "code", code, "name", exit_name(code),
                                             "text", json_text(text))));
        return code;
    }
    char *clean = text_clean(text, TEXT_MAX);
    if (*clean && g_strcmp0(clean, teller->said) != 0) {
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

static void say_text(struct teller *teller, const char *text, const char *otherwise)
{
    char *clean = text_clean(text && *text ? text : otherwise, TEXT_MAX);
    tell_note(teller, "%s", clean);
    g_free(clean);
}

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

static char *clock_text(int64_t microseconds)
{
    GDateTime *then = g_date_time_new_from_unix_local(microseconds / G_USEC_PER_SEC);
    char *text = then ? g_date_time_format(then, "%F %H:%M") : g_strdup("an unknown time");
    if (then) {
        g_date_time_unref(then);
    }
    return text;
}

static void say_incoming(struct teller *teller, const jingle_event *event)
{
    char *from = text_clean(event->u.incoming.from, NAME_MAX_SHOWN);
    if (event->type == JINGLE_EVENT_MISSED) {
        char *when = clock_text(event->u.incoming.when);
        tell_note(teller, "%s called at %s, while nobody was here.", from, when);
        g_free(when);
    } else if (!teller->session) {
        call_begin(teller, event->session, false);
        tell_note(teller, "%s calls%s%s.", from, event->u.incoming.video ? " with video" : "",
                  event->u.incoming.on_roster ? "" : " (not one of your contacts)");
        display_ring(teller->display);
        teller_enter(teller, STAGE_INCOMING);
    }
    g_free(from);
}

static void say_connected(struct teller *teller, const jingle_event *event)
{
    jingle_statistics statistics = {.size = sizeof statistics};
    tell_note(teller, "Connected: sound flows %.2f s after the answer.",
              (double)event->u.connected.setup_time / G_USEC_PER_SEC);
    if (jingle_session_statistics(event->session, &statistics) == JINGLE_OK && *statistics.codec) {
        teller->codec = text_clean(statistics.codec, NAME_MAX_SHOWN);
    }
    teller_enter(teller, STAGE_TALKING);
}

static void say_device(struct teller *teller, const jingle_event *event)
{
    static const char *const sentences[2][2] = {
        {"The loudspeaker is back.", "The loudspeaker is gone."},
        {"The microphone is back.", "The microphone is gone."},
    };
    say_text(teller, event->text, sentences[event->u.device.capture][event->u.device.lost]);
}

static void say_video(struct teller *teller, const jingle_event *event)
{
    bool sending = event->u.video.sending, receiving = event->u.video.receiving;
    const char *sentence = sending && receiving ? "You see each other."
                           : sending            ? "They see you; they send no picture."
                           : receiving          ? "You see them; they do not see you."
                                                : "There is no video now; sound goes on.";
    say_text(teller, event->text, sentence);
}

static void say_digit(struct teller *teller, char digit)
{
    char pressed[2] = {digit, '\0'};
    char *clean = text_clean(pressed, 1);
    tell_note(teller, "They pressed %s.", clean);
    g_free(clean);
}

/* On a terminal the live line shows it all; elsewhere there is a line now and then. */
static void take_statistics(struct teller *teller, const jingle_event *event)
{
    teller->before = teller->now;
    teller->now = event->u.statistics;
    if (*event->u.statistics.codec) {
        g_free(teller->codec);
        teller->codec = text_clean(event->u.statistics.codec, NAME_MAX_SHOWN);
    }
    if (display_live(teller->display)) {
        tell_tick(teller);
    } else if (teller->now.duration >= teller->plain_due) {
        teller->plain_due = teller->now.duration + PLAIN_INTERVAL - 1000000 / 2;
        char *text = talking_text(teller);
        tell_note(teller, "%s", text);
        g_free(text);
    }
}

static void say_summary(struct teller *teller, jingle_session *session)
{
    jingle_statistics s = {.size = sizeof s};
    if (jingle_session_statistics(session, &s) != JINGLE_OK || s.duration <= 0) {
        return;
    }
    char *time = time_text(s.duration);
    double expected = (double)(s.packets_received + s.packets_lost);
    double played = (double)s.samples_played;
    tell_note(teller,
              "The call took %s: %" PRIu64 " packets sent, %" PRIu64
              " received, %.1f %% lost, %.1f %% of the sound made up; %s, %s.",
              time, s.packets_sent, s.packets_received,
              expected > 0 ? 100 * (double)s.packets_lost / expected : 0,
              played > 0 ? 100 * (double)s.samples_concealed / played : 0, s.codec, s.srtp_profile);
    g_free(time);
}

static void say_ended(struct teller *teller, const jingle_event *event)
{
    const char *reason = jingle_reason_sentence(event->u.ended.reason);
    say_summary(teller, event->session);
    if (event->u.ended.reason == JINGLE_REASON_HANGUP) {
        tell_note(teller,
                  event->u.ended.by == JINGLE_PARTY_LOCAL ? "You hung up." : "They hung up.");
    } else {
        say_text(teller, event->text, reason);
    }
    g_free(teller->said); /* so that tell_exit() does not say it again */
    teller->said = text_clean(*event->text ? event->text : reason, TEXT_MAX);
    teller_set_session(teller, NULL);
    teller_enter(teller, teller->rest);
}

static void say_session(struct teller *teller, const jingle_event *event)
{
    char *peer = peer_text(event->session);
    switch (event->type) {
    case JINGLE_EVENT_RINGING:
        tell_note(teller, "It rings at %s.", peer);
        teller_enter(teller, STAGE_RINGING);
        break;
    case JINGLE_EVENT_ACCEPTED:
        tell_note(teller, teller->outgoing ? "%s answered." : "The call of %s is answered.", peer);
        teller_enter(teller, STAGE_SETUP);
        break;
    case JINGLE_EVENT_CONNECTED:
        say_connected(teller, event);
        break;
    case JINGLE_EVENT_INTERRUPTED:
        teller->interrupted = true;
        say_text(teller, event->text, "Nothing is heard from them; trying to mend it.");
        break;
    case JINGLE_EVENT_RECOVERED:
        teller->interrupted = false;
        say_text(teller, event->text, "They are heard again.");
        break;
    case JINGLE_EVENT_HOLD:
        teller->peer_held = event->u.flag.on;
        tell_note(teller, event->u.flag.on ? "They put the call on hold." : "They are back.");
        break;
    case JINGLE_EVENT_MUTE:
        teller->peer_muted = event->u.flag.on;
        tell_note(teller, event->u.flag.on ? "They muted their microphone."
                                           : "Their microphone is on again.");
        break;
    case JINGLE_EVENT_VIDEO_OFFERED:
        tell_note(teller, "They want to add video.");
        break;
    case JINGLE_EVENT_VIDEO:
        say_video(teller, event);
        break;
    case JINGLE_EVENT_VIDEO_MUTE:
        tell_note(teller, event->u.flag.on ? "Their camera is off." : "Their camera is on again.");
        break;
    case JINGLE_EVENT_VIDEO_DEVICE:
        say_text(teller, event->text,
                 event->u.video_device.lost ? "A camera or window is gone; the call goes on."
                                            : "The camera or window is back.");
        break;
    case JINGLE_EVENT_VIDEO_SOURCE_ENDED:
        tell_note(teller, "All that was to be shown has been shown.");
        break;
    case JINGLE_EVENT_DIGIT:
        say_digit(teller, event->u.digit.digit);
        break;
    case JINGLE_EVENT_SOURCE_ENDED:
        tell_note(teller, "All that was to be said has been said.");
        break;
    case JINGLE_EVENT_STATISTICS:
        take_statistics(teller, event);
        break;
    case JINGLE_EVENT_ENDED:
        say_ended(teller, event);
        break;
    default:
        break;
    }
    g_free(peer);
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
        say_incoming(teller, event);
        break;
    case JINGLE_EVENT_DEVICE:
        say_device(teller, event);
        break;
    case JINGLE_EVENT_CHECK:
        say_check(teller, event->u.check.subject, event->u.check.good, event->text,
                  event->u.check.remedy);
        break;
    default:
        if (event->session && event->session == teller->session) {
            say_session(teller, event);
        }
        break;
    }
}

void tell_event(struct teller *teller, const jingle_event *event)
{
    if (teller->json && event->type == JINGLE_EVENT_ONLINE) {
        json_note(teller,
                  json_own("online", NULL,
                           json_pack("{so}", "jid", json_text(jingle_client_jid(teller->client)))));
    } else if (teller->json) {
        json_note(teller, json_event(event));
    }
    say_event(teller, event); /* programs have a window, too, which shows the time and more */
}
