/* What is told of a call. */
#include "amount.h"
#include "teller.h"
#include "text.h"

#include <inttypes.h>
#include <string.h>

#define METER_CELLS    10
#define PLAIN_INTERVAL 5000000 /* microseconds between lines about a call, without a terminal */

/* Whatever is said about a call whose client cannot encrypt, says this. */
static void warn_unencrypted(struct teller *teller, bool encrypted)
{
    if (!encrypted) {
        tell_note(teller, "NOT ENCRYPTED: anyone on the way can listen.");
    }
}

/* ------------------------------------------------------------------------- the live line -- */

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

char *teller_call_text(struct teller *teller)
{
    const jingle_statistics *now = &teller->now;
    bool silent = teller->muted || teller->held;
    char *time = amount_time(now->duration);
    char *you = display_meter(silent ? 0 : now->level_sent, METER_CELLS);
    char *they = display_meter(now->level_received, METER_CELLS);
    char *files = progress_short(&teller->progress);
    GString *text = g_string_new(NULL);
    g_string_printf(
        text, "%s%s  %s%syou %s%s  they %s%s",
        !teller->session || jingle_session_encrypted(teller->session) ? "" : "NOT ENCRYPTED  ",
        time, files, *files ? "  " : "", you, switch_mark(teller->held, teller->muted), they,
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
    g_free(files);
    g_free(you);
    g_free(they);
    return g_string_free(text, FALSE);
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
        char *time = amount_time(teller->now.duration);
        text = g_strdup_printf("%s  %s  %s%s", peer, time, quality_word(teller),
                               switch_mark(teller->held, teller->muted));
        g_free(time);
    } else if (teller->stage != STAGE_IDLE) {
        char *stage = teller_stage_text(teller);
        text = g_strdup_printf("%s  %s", peer, stage);
        g_free(stage);
    } else {
        text = g_strdup(peer);
    }
    g_free(peer);
    return text;
}

/* --------------------------------------------------------------------------- own events -- */

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
    return text_person(jingle_session_peer_name(session), jingle_session_peer(session),
                       NAME_MAX_SHOWN);
}

void tell_calling(struct teller *teller, jingle_session *session)
{
    call_begin(teller, session, true);
    if (teller->json) {
        teller_json(teller, json_own("calling", session, NULL));
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
        teller_json(teller, json_own("busy", session, json_pack("{so}", "from", json_text(from))));
        return;
    }
    char *clean = peer_text(session);
    tell_note(teller, "%s called too and was told that you are busy.", clean);
    g_free(clean);
}

void tell_waiting_call(struct teller *teller, jingle_session *session, const char *from)
{
    if (teller->json) {
        teller_json(teller,
                    json_own("call-waiting", session, json_pack("{so}", "from", json_text(from))));
        return;
    }
    char *clean = peer_text(session);
    tell_note(teller, "%s calls, too: w puts this call on hold and answers.", clean);
    display_ring(teller->display);
    g_free(clean);
    warn_unencrypted(teller, jingle_session_encrypted(session));
}

void tell_back(struct teller *teller, jingle_session *session, bool muted)
{
    call_begin(teller, session, false);
    teller->muted = muted;
    if (teller->json) {
        teller_json(teller, json_own("back", session, NULL));
    }
    char *peer = peer_text(session);
    tell_note(teller, "Back to the call with %s.", peer);
    g_free(peer);
    teller_enter(teller, STAGE_TALKING);
}

void tell_incoming_again(struct teller *teller, jingle_session *session)
{
    call_begin(teller, session, false);
    char *peer = peer_text(session);
    tell_note(teller, "%s still calls.", peer);
    g_free(peer);
    teller_enter(teller, STAGE_INCOMING);
}

void tell_other_ended(struct teller *teller, jingle_session *session)
{
    char *peer = peer_text(session);
    tell_note(teller, "The other call, with %s, has ended.", peer);
    g_free(peer);
}

void tell_switch(struct teller *teller, jingle_session *session, bool mute, bool on)
{
    if (mute) {
        teller->muted = on;
    } else {
        teller->held = on;
    }
    if (teller->json) {
        teller_json(teller, json_own(mute ? "mute" : "hold", session,
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
        teller_json(teller,
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
        teller_json(teller, json_own("picture", session, json_pack("{ss}", "what", what)));
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
        teller_json(teller, json_own("file", session,
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

/* -------------------------------------------------------------- the library's events -- */

static char *clock_text(int64_t microseconds)
{
    GDateTime *then = g_date_time_new_from_unix_local(microseconds / G_USEC_PER_SEC);
    char *text = then ? g_date_time_format(then, "%F %H:%M") : g_strdup("an unknown time");
    if (then) {
        g_date_time_unref(then);
    }
    return text;
}

void teller_say_incoming(struct teller *teller, const jingle_event *event)
{
    char *from = text_person(event->u.incoming.name, event->u.incoming.from, NAME_MAX_SHOWN);
    if (event->type == JINGLE_EVENT_MISSED) {
        char *when = clock_text(event->u.incoming.when);
        tell_note(teller, "%s called at %s, while nobody was here.", from, when);
        g_free(when);
    } else if (!teller->session) {
        call_begin(teller, event->session, false);
        tell_note(teller, "%s calls%s%s.", from, event->u.incoming.video ? " with video" : "",
                  event->u.incoming.on_roster ? "" : " (not one of your contacts)");
        warn_unencrypted(teller, event->u.incoming.encrypted);
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
    warn_unencrypted(teller, event->u.connected.encrypted);
    if (jingle_session_statistics(event->session, &statistics) == JINGLE_OK && *statistics.codec) {
        teller->codec = text_clean(statistics.codec, NAME_MAX_SHOWN);
    }
    teller_enter(teller, STAGE_TALKING);
}

void teller_say_device(struct teller *teller, const jingle_event *event)
{
    static const char *const sentences[2][2] = {
        {"The loudspeaker is back.", "The loudspeaker is gone."},
        {"The microphone is back.", "The microphone is gone."},
    };
    teller_say(teller, event->text, sentences[event->u.device.capture][event->u.device.lost]);
}

static void say_video(struct teller *teller, const jingle_event *event)
{
    bool sending = event->u.video.sending, receiving = event->u.video.receiving;
    const char *sentence = sending && receiving ? "You see each other."
                           : sending            ? "They see you; they send no picture."
                           : receiving          ? "You see them; they do not see you."
                                                : "There is no video now; sound goes on.";
    teller_say(teller, event->text, sentence);
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
        char *text = teller_call_text(teller);
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
    char *time = amount_time(s.duration);
    double expected = (double)(s.packets_received + s.packets_lost);
    double played = (double)s.samples_played;
    tell_note(teller,
              "The call took %s: %" PRIu64 " packets sent, %" PRIu64
              " received, %.1f %% lost, %.1f %% of the sound made up; %s, %s.",
              time, s.packets_sent, s.packets_received,
              expected > 0 ? 100 * (double)s.packets_lost / expected : 0,
              played > 0 ? 100 * (double)s.samples_concealed / played : 0, s.codec,
              jingle_session_encrypted(session) ? s.srtp_profile : "NOT ENCRYPTED");
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
        teller_say(teller, event->text, reason);
    }
    g_free(teller->said); /* so that tell_exit() does not say it again */
    teller->said = text_clean(*event->text ? event->text : reason, TEXT_MAX);
    teller_set_session(teller, NULL);
    teller_enter(teller, teller->rest);
}

void teller_say_session(struct teller *teller, const jingle_event *event)
{
    char *peer = peer_text(event->session);
    switch (event->type) {
    case JINGLE_EVENT_RINGING:
        tell_note(teller, "It rings at %s.", peer);
        warn_unencrypted(teller, jingle_session_encrypted(event->session));
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
        teller_say(teller, event->text, "Nothing is heard from them; trying to mend it.");
        break;
    case JINGLE_EVENT_RECOVERED:
        teller->interrupted = false;
        teller_say(teller, event->text, "They are heard again.");
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
        teller_say(teller, event->text,
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
